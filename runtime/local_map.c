/*
 * local_map.c - Code.local_map of functions that use vectors, whose locals take one slot or two each. Called when a
 * body has been validated (validate_threads.c, lazy_bodies.c).
 */
#include "validate.h"

/* The sum over a module is bounded, so that one of many functions that declare 50000 locals in a few bytes does not
 * take memory without end. */
#define ENTRIES_FREE (1u << 20)
#define ENTRIES_PER_BYTE 16u

u64 wr_local_map_entries(const Module *m) {
    return ENTRIES_FREE + m->stats.code_bytes * ENTRIES_PER_BYTE;
}

static void fill_map(const Module *m, const Code *code, u32 *map) {
    const DefType *type = m->funcs[code->func_index].type;
    u32 n = 0, slot = 0;
    for (; n < type->nparams; n++) {
        u32 wide = type->types[n] == T_V128;
        map[n] = slot << 1 | wide;
        slot += 1 + wide;
    }
    for (u32 i = 0; i < code->nruns; i++) {
        u32 wide = code->runs[i].type == T_V128;
        for (u32 k = 0; k < code->runs[i].count; k++, slot += 1 + wide) map[n++] = slot << 1 | wide;
    }
    ASSERT(n == code->nlocals);
}

Error *wr_make_local_map(const Module *m, Code *code, Arena *arena, u64 *entries) {
    if (!code->is_wide || code->nlocals == 0) return NULL;
    if (code->nlocals > *entries)
        return wr_error_at(WR_ERROR_INVALID, wr_module_offset(m, code->start),
                           "too many locals in functions that use vectors");
    u32 *map = wr_arena_new(arena, code->nlocals, sizeof *map);
    if (map == NULL) return ERROR_OOM;
    *entries -= code->nlocals;
    fill_map(m, code, map);
    code->local_map = map;
    return NULL;
}
