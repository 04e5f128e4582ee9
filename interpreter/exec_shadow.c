/*
 * exec_shadow.c - shadow dispatch: the handlers of single instructions once more, ending in a dispatch by
 * the next position's id. What the ids are is shadow.c's; handlers of sequences are generated
 * (gen/tiles.py). With computed goto there is no shadow dispatch: a function with ten thousand labels is more than
 * compilers take.
 */
#define WR_SHADOW
#include "machine.h"
#include "shadow.h"

#if defined(WR_TAIL_DISPATCH)
#define DECLARE(name) Step wr_shadow_##name;
#include "shadow_decls.inc"
DECLARE(h_TRAP)
DECLARE(h_STOP)
DECLARE(h_FAILED)
DECLARE(h_FAILED_TAIL)
DECLARE(h_UNWIND)
DECLARE(h_BRANCH)
DECLARE(h_STRUCT_NEW_SLOW)
DECLARE(h_LOOK)
DECLARE(h_TAKEN)
DECLARE(h_JUMP_SLOW)
DECLARE(h_CALL_SLOW)
DECLARE(h_TAIL_SLOW)
DECLARE(h_RETURN_SLOW_E)
DECLARE(h_RETURN_SLOW_I)
DECLARE(h_COLD)
DECLARE(h_COLD_RETURN_E)
DECLARE(h_COLD_RETURN_I)
#undef DECLARE

#include "exec_handlers.h"

#include "shadow_fill.inc"

/* Tables of handlers, as distances from the table's own place. */
extern const i32 wr_singles[];
#define X(part, first, count) extern const i32 wr_tiles_##part[];
TILE_PARTS(X)
#undef X

static void fill(Handler **table, u32 first, u32 count, const i32 *offsets) {
    for (u32 i = 0; i < count; i++)
        set_handler(&table[first + i],
                    (Handler *)((uintptr_t)offsets + (uintptr_t)(intptr_t)offsets[i]));
}

void wr_shadow_fill(Handler **table) {
    fill(table, 0, SINGLE_COUNT, wr_singles);
#define X(part, first, count) fill(table, first, count, wr_tiles_##part);
    TILE_PARTS(X)
#undef X
}
bool wr_shadow_works(void) { return true; }
#else
void wr_shadow_fill(Handler **table) { (void)table; }
bool wr_shadow_works(void) { return false; }
#endif
