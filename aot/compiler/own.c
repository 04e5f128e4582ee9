/*
 * own.c - see own.h.
 */
#include "own.h"

void wr_own_open(Lower *l, Unit *unit, LLVMValueRef function) {
    *l = (Lower){.unit = unit, .module = unit->plan->module, .function = function};
    wr_unit_attributes(unit, function);
    l->context = LLVMGetParam(function, 0);
    l->b = LLVMCreateBuilderInContext(unit->context);
    l->entry = wr_lower_block(l);
    LLVMPositionBuilderAtEnd(l->b, l->entry);
}

bool wr_own_begin(Lower *l, Unit *unit, const char *name, LLVMTypeRef type, unsigned convention) {
    l->function = LLVMGetNamedFunction(unit->module, name);
    if (l->function != NULL) return false;
    LLVMValueRef function = LLVMAddFunction(unit->module, name, type);
    LLVMSetLinkage(function, LLVMInternalLinkage);
    LLVMSetFunctionCallConv(function, convention);
    wr_own_open(l, unit, function);
    if (convention == CC_PRESERVE_ALL) wr_unit_preserving(unit, function);
    return true;
}

LLVMValueRef wr_own_end(Lower *l) {
    LLVMDisposeBuilder(l->b);
    return l->function;
}

void wr_own_is_cold(const Lower *l) {
    wr_unit_flag(l->unit, l->function, "noinline");
    wr_unit_flag(l->unit, l->function, "cold");
}

LLVMValueRef wr_own_call(Lower *l, LLVMValueRef function, LLVMValueRef argument) {
    LLVMTypeRef type = LLVMGlobalGetValueType(function);
    LLVMValueRef arguments[] = {l->context, argument};
    unsigned n = LLVMCountParams(function);
    LLVMValueRef call = LLVMBuildCall2(l->b, type, function, arguments, n, "");
    LLVMSetInstructionCallConv(call, LLVMGetFunctionCallConv(function));
    return call;
}
