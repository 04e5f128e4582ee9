/*
 * validate.h - validation (spec: valid) and side tables. Called by module.c after decode.
 */
#ifndef WR_VALIDATE_H
#define WR_VALIDATE_H

#include "error.h"
#include "module.h"

/* Everything but the bodies: types, limits, imports, exports, constant expressions, segments, start. */
NODISCARD Error *wr_validate_module(Module *m);

/* All bodies: one pass each, that fills in the Code (locals, heights, side table, try regions). Uses up
 * to `threads` threads when the code is large; the error reported is the one with the lowest offset,
 * whatever the threads did. Memory goes to m->arena. */
NODISCARD Error *wr_validate_bodies(Module *m, u32 threads);

/* One body, whose local map is bounded by `entries`, which begins as wr_local_map_entries() for all of a module
 * (local_map.c). Made after the body has been validated. */
u64 wr_local_map_entries(const Module *m);
NODISCARD Error *wr_make_local_map(const Module *m, Code *code, Arena *arena, u64 *entries);

/* The operand and local types at a code position, by running validation again up to it: for exact roots,
 * snapshots and debuggers. `pc` is an instruction boundary relative to Code.start. Types are
 * given from the bottom; slots follow from type_slots(). Returns false when out of memory. */
typedef struct CodeTypes {
    u32 nlocals, noperands;
    const ValType *locals, *operands; /* in `arena` */
} CodeTypes;
NODISCARD bool wr_code_types_at(const Module *m, const Code *code, u32 pc, Arena *arena,
                                CodeTypes *out);

/* The same for several positions, ascending, at the cost of the last. The types are gone after
 * `visit`. False when out of memory: not all have been visited then. */
typedef void CodeTypesVisitor(void *context, u32 pc, const CodeTypes *types);
NODISCARD bool wr_code_types_each(const Module *m, const Code *code, const u32 *pcs, u32 count,
                                  CodeTypesVisitor *visit, void *context);

#endif
