/*
 * loops.h - the innermost loops of an LLVM function. LLVM's C interface shows blocks and branches only: dominators
 * and loops are computed here.
 *
 * Loops are given in the form that LLVM's loop-simplify makes: one preheader, whose only successor is the
 * header, and one latch. Those that are not in this form, or have more than one way in, are left out.
 */
#ifndef WR_AOT_LOOPS_H
#define WR_AOT_LOOPS_H

#include <llvm-c/Core.h>

#include "arena.h"
#include "value_map.h"

typedef struct Loop {
    LLVMBasicBlockRef preheader, header, latch;
    LLVMBasicBlockRef *blocks; /* the header first, every block behind those that dominate it */
    u32 nblocks;
    ValueMap members; /* its blocks */
} Loop;

typedef struct LoopList {
    Loop *loops;
    u32 count;
} LoopList;

/* All is in the arena. False: no memory. */
NODISCARD bool wr_loops_find(Arena *arena, LLVMValueRef function, LoopList *list);
bool wr_loop_has_block(const Loop *loop, LLVMBasicBlockRef block);
/* Whether the value is made in the loop: an instruction of one of its blocks. */
bool wr_loop_makes(const Loop *loop, LLVMValueRef value);

#endif
