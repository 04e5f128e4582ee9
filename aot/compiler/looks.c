/*
 * looks.c - see looks.h.
 */
#include "looks.h"

bool wr_looks_is_stop(const Unit *unit, LLVMValueRef instruction) {
    if (LLVMIsACallInst(instruction) == NULL) return false;
    LLVMValueRef called = LLVMGetCalledValue(instruction);
    const char *name = unit->plan->options.migratable ? LOOKS_ASKS : LOOKS_SPENT;
    return called == LLVMGetNamedFunction(unit->module, name);
}

LLVMValueRef wr_looks_stop(const Unit *unit, LLVMBasicBlockRef block) {
    LLVMValueRef i = LLVMGetFirstInstruction(block);
    while (i != NULL && !wr_looks_is_stop(unit, i)) i = LLVMGetNextInstruction(i);
    return i;
}

int wr_looks_stays(const Unit *unit, LLVMBasicBlockRef block) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    if (LLVMIsABranchInst(end) == NULL || !LLVMIsConditional(end)) return -1;
    for (unsigned s = 0; s < 2; s++)
        if (wr_looks_stop(unit, LLVMGetSuccessor(end, s)) != NULL) return (int)(1 - s);
    return -1;
}
