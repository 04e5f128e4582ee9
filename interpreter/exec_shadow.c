/*
 * exec_shadow.c - shadow dispatch: the handlers of single instructions once more, ending in a dispatch by
 * the next position's id. What the ids are is shadow.c's; handlers of sequences are generated
 * (gen/tiles.py): where handlers are functions, in files of their own, else here.
 */
#include "tile.h"

#include "shadow.h"

#include "shadow_fill.inc"

#if defined(WR_DISPATCH_TAIL)
#define DECLARE(name) Step HANDLER_NAME(name);
#include "shadow_decls.inc"
SHADOW_COLD_HANDLERS(DECLARE)
#undef DECLARE

#include "exec_handlers.h"

/* Tables of handlers, as distances: of single instructions from the table's own place, of tiles from the tile before;
 * only the first from the table, in 32 bits. */
extern const i32 wr_singles[];
SINGLES_TABLE
#define X(part, first, count) extern const u16 wr_tiles_##part[];
TILE_PARTS(X)
#undef X

static uintptr_t at_distance(const void *table, i32 distance) {
    return (uintptr_t)table + (uintptr_t)(intptr_t)distance;
}

static void fill_singles(Handler **table) {
    for (u32 i = 0; i < SINGLE_COUNT; i++)
        set_handler(&table[i], (Handler *)at_distance(wr_singles, wr_singles[i]));
}

static void fill_tiles(Handler **table, u32 count, const u16 *distances) {
    i32 first;
    memcpy(&first, distances, sizeof first);
    uintptr_t place = at_distance(distances, first);
    for (u32 i = 0; i < count; i++) {
        if (i > 0) place += distances[i + 1];
        set_handler(&table[i], (Handler *)place);
    }
}

void wr_shadow_fill(Handler **table) {
    fill_singles(table);
#define X(part, first, count) fill_tiles(&table[first], count, wr_tiles_##part);
    TILE_PARTS(X)
#undef X
}

#elif defined(WR_DISPATCH_GOTO)
/* Runs by ids. Labels cannot leave the function: with `table` it fills that. */
static Onward run_by_ids(Registers *m, Handler **table) {
    if (table != NULL) {
#define DECLARE(name) (i32)(&&name - &&hand_over),
#define DECLARE_TILE(id) (i32)(&&tile_##id - &&hand_over),
        static const i32 offsets[] = {
#include "shadow_decls.inc"
#include "shadow_tiles.inc"
        };
        for (u32 i = 0; i < ARRAY_LEN(offsets); i++)
            set_handler(&table[i],
                        (Handler *)((uintptr_t)&&hand_over + (uintptr_t)(intptr_t)offsets[i]));
        return ON_IN_C;
    }
    DEFINE_REGISTERS(m);
    u32 first = m->first;
    NEXT_AT(first);
#include "exec_handlers.h"
#include "tiles.inc"
hand_over:
    HANDED_OVER(m, first, ON_BY_BYTES);
}
Onward wr_shadow_run(Registers *m) { return run_by_ids(m, NULL); }
void wr_shadow_fill(Handler **table) { run_by_ids(NULL, table); }

#else
/* The number of a handler with an id is that id. */
#define DECLARE(name) CASE_##name,
enum {
#include "shadow_decls.inc"
    CASE_OF_LAST_TILE = SINGLE_COUNT + TILE_COUNT - 1,
    SHADOW_COLD_HANDLERS(DECLARE)
};
#undef DECLARE

Onward wr_shadow_run(Registers *m) {
    DEFINE_REGISTERS(m);
    u32 first = m->first, number = (u32)(uintptr_t)HANDLER_AT(first);
    for (;;) {
        switch (number) {
#include "exec_handlers.h"
#include "tiles.inc"
        default: ASSERT(false && "ids name handlers"); return ON_IN_C;
        }
    next:;
    }
hand_over:
    HANDED_OVER(m, first, ON_BY_BYTES);
}

void wr_shadow_fill(Handler **table) {
    for (u32 i = 0; i < SINGLE_COUNT + TILE_COUNT; i++)
        set_handler(&table[i], (Handler *)(uintptr_t)i);
}
#endif
