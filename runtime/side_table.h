/*
 * side_table.h - building the side table of one body (module.h says what it is and who reads it).
 *
 * While a body is validated its entries are drafts in scratch memory, in the order of the branches.
 * A branch backward is bound at once; forward branches to the same place form a chain through their
 * drafts and are bound together when the place is reached. wr_side_finish() then packs the drafts.
 * Not thread-safe; each validating thread has a table of its own.
 */
#ifndef WR_SIDE_TABLE_H
#define WR_SIDE_TABLE_H

#include "arena.h"
#include "decode_code.h"
#include "module.h"

typedef struct SideDraft {
    u32 at;        /* code offset of the branching opcode */
    u32 target;    /* code offset; while unbound: next draft of the chain or NONE_U32 */
    u32 stp;       /* index of the first entry at or after the target */
    u32 pop, keep; /* slots */
} SideDraft;

typedef struct SideTable {
    SideDraft *drafts;
    u32 count, capacity;
} SideTable;

/* Drafts that go to one place not yet reached. */
typedef struct SideChain {
    u32 first, last; /* NONE_U32 when empty */
} SideChain;

#define SIDE_CHAIN_EMPTY ((SideChain){NONE_U32, NONE_U32})

/* Room for one more draft when the array is full. False when out of memory. */
NODISCARD bool wr_side_grow(SideTable *table, const Alloc *alloc);

/* Appends a draft; its index is table->count - 1. False when out of memory. */
INLINE bool wr_side_add(SideTable *table, const Alloc *alloc, u32 at, u32 pop, u32 keep) {
    if (UNLIKELY(table->count == table->capacity) && !wr_side_grow(table, alloc)) return false;
    table->drafts[table->count++] = (SideDraft){at, NONE_U32, 0, pop, keep};
    return true;
}

/* Puts draft `index`, which is in no chain yet, at the end of one. */
INLINE void wr_side_chain(SideTable *table, SideChain *chain, u32 index) {
    if (chain->first == NONE_U32)
        chain->first = index;
    else
        table->drafts[chain->last].target = index;
    chain->last = index;
}

INLINE void wr_side_bind(SideTable *table, u32 index, u32 target, u32 stp) {
    table->drafts[index].target = target;
    table->drafts[index].stp = stp;
}

/* Moves all of `from` behind `to`; `from` is empty afterwards. Constant time. */
void wr_side_join(SideTable *table, SideChain *to, SideChain *from);
/* Binds a whole chain to `target`, before which all drafts so far lie. */
void wr_side_bind_chain(SideTable *table, SideChain *chain, u32 target);
/* The same for the final `end`, which takes the results from the top: for branches that bring all of them
 * nothing moves. `results` is how many slots they are. */
void wr_side_bind_exits(SideTable *table, SideChain *chain, u32 target, u32 results);
/* Packs all drafts (every one is bound) into code->side and code->far, in `arena`, and empties the
 * table. False when out of memory. */
NODISCARD bool wr_side_finish(SideTable *table, Arena *arena, Code *code);
void wr_side_free(SideTable *table, const Alloc *alloc);

/* ---- reading a finished one ---- */

/* How many entries an instruction has, branch or not. */
u32 wr_side_count(const Instr *instr);
/* The code offset to which entry `index` leads, of the instruction at code offset `at`. */
u32 wr_side_target(const Code *code, u32 index, u32 at);
/* The first entry at or after that place. */
u32 wr_side_next(const Code *code, u32 index);

#endif
