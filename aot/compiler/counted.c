/*
 * counted.c - see counted.h. What is returned is the fuel alone, or a structure of two: both are in registers then.
 */
#include "counted.h"

#include <stdio.h>

#include "fixed.h"
#include "lower_fuel.h"
#include "own.h"

LLVMTypeRef wr_counted_type(const Unit *unit, const DefType *type) {
    LLVMTypeRef params[NATIVE_PARAMS + 2], plain = wr_unit_signature(unit, type);
    unsigned n = LLVMCountParamTypes(plain);
    LLVMGetParamTypes(plain, params + 1);
    params[0] = params[1];
    params[1] = unit->i64;
    LLVMTypeRef parts[] = {unit->i64, LLVMGetReturnType(plain)};
    LLVMTypeRef result = parts[1] == unit->none
                             ? unit->i64
                             : LLVMStructTypeInContext(unit->context, parts, 2, false);
    return LLVMFunctionType(result, params, n + 1, 0);
}

LLVMValueRef wr_counted_left(Lower *l, LLVMValueRef call, LLVMValueRef *result) {
    *result = NULL;
    if (LLVMTypeOf(call) == l->unit->i64) return call;
    *result = LLVMBuildExtractValue(l->b, call, 1, "");
    return LLVMBuildExtractValue(l->b, call, 0, "");
}

void wr_counted_return(Lower *l, LLVMValueRef left, LLVMValueRef result) {
    if (result != NULL) {
        LLVMTypeRef type = LLVMGetReturnType(LLVMGlobalGetValueType(l->function));
        LLVMValueRef both = LLVMBuildInsertValue(l->b, LLVMGetPoison(type), left, 0, "");
        left = LLVMBuildInsertValue(l->b, both, result, 1, "");
    }
    LLVMBuildRet(l->b, left);
}

/* ---- from one kind to the other ---- */

/* Calls `function` with the arguments; it has no place in a backtrace of its own, so nothing is inlined here. */
static LLVMValueRef call(Lower *l, LLVMValueRef function, LLVMValueRef *arguments, u32 count) {
    LLVMTypeRef type = LLVMGlobalGetValueType(function);
    LLVMValueRef result = LLVMBuildCall2(l->b, type, function, arguments, count, "");
    LLVMSetInstructionCallConv(result, LLVMGetFunctionCallConv(function));
    wr_unit_call_flag(l->unit, result, "noinline");
    return result;
}

void wr_counted_lower_plain(Unit *unit, u32 func_index) {
    Lower l;
    LLVMValueRef arguments[NATIVE_PARAMS + 2], result;
    wr_own_open(&l, unit, wr_unit_function(unit, func_index, false));
    u32 n = LLVMCountParams(l.function);
    arguments[0] = l.context;
    arguments[1] = wr_fuel_load(&l);
    for (u32 i = 1; i < n; i++) arguments[i + 1] = LLVMGetParam(l.function, i);
    LLVMValueRef both = call(&l, wr_counted_function(unit, func_index), arguments, n + 1);
    wr_fuel_store(&l, wr_counted_left(&l, both, &result));
    if (result != NULL)
        LLVMBuildRet(l.b, result);
    else
        LLVMBuildRetVoid(l.b);
    LLVMDisposeBuilder(l.b);
}

/* The body of r<i>, in a function that is open. */
static void lower_stub(Lower *l, LLVMValueRef function) {
    LLVMValueRef arguments[NATIVE_PARAMS + 2] = {l->context};
    u32 n = LLVMCountParams(l->function);
    for (u32 i = 2; i < n; i++) arguments[i - 1] = LLVMGetParam(l->function, i);
    wr_fuel_store(l, LLVMGetParam(l->function, 1));
    LLVMValueRef result = call(l, function, arguments, n - 1);
    bool has_result = LLVMTypeOf(result) != l->unit->none;
    wr_counted_return(l, wr_fuel_load(l), has_result ? result : NULL);
    LLVMDisposeBuilder(l->b);
}

void wr_counted_lower_stub(Unit *unit, u32 func_index) {
    Lower l;
    wr_own_open(&l, unit, wr_counted_function(unit, func_index));
    lower_stub(&l, wr_unit_function(unit, func_index, false));
}

/* ---- by index ---- */

LLVMValueRef wr_counted_function(Unit *unit, u32 func_index) {
    Lower l;
    char name[24];
    const Module *m = unit->plan->module;
    bool is_import = func_index < m->nimported_funcs;
    (void)snprintf(name, sizeof name, is_import ? "counted%u" : "r%u", (unsigned)func_index);
    LLVMTypeRef type = wr_counted_type(unit, m->funcs[func_index].type);
    if (!is_import) return wr_unit_declare(unit, name, type, CC_FAST);
    if (!wr_own_begin(&l, unit, name, type, CC_FAST)) return l.function;
    lower_stub(&l, wr_fixed_import(unit, func_index, false));
    return l.function;
}
