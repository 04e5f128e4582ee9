/*
 * thunk.c - the thunks of a shape (native.h): from C into compiled code, and out of it to whatever is not
 * compiled; and stubs in the place of functions. They have no debug information: in a backtrace they do not appear.
 */
#include "own.h"

/* A thunk under construction is a function without code: the accessors of lower.h work on it. */
static bool begin(Lower *l, Unit *unit, const char *prefix, u32 shape) {
    LLVMValueRef thunk = wr_unit_thunk(unit, prefix, shape);
    if (LLVMCountBasicBlocks(thunk) != 0) return false;
    wr_own_open(l, unit, thunk);
    return true;
}

static void copy_slots(Lower *l, LLVMValueRef to, LLVMValueRef from, u32 count) {
    for (u32 i = 0; i < count; i++)
        wr_lower_store_slot(l, to, i, wr_lower_load_slot(l, from, i, l->unit->i64));
}

static u32 slots_of(const ValType *types, u32 count) {
    u32 slots = 0;
    for (u32 i = 0; i < count; i++) slots += type_slots(types[i]);
    return slots;
}

static void return_result(Lower *l, LLVMValueRef call) {
    if (LLVMGetTypeKind(LLVMTypeOf(call)) == LLVMVoidTypeKind)
        LLVMBuildRetVoid(l->b);
    else
        LLVMBuildRet(l->b, call);
}

/* ---- in ---- */

static void lower_entry(Unit *unit, u32 shape) {
    Lower l;
    const DefType *type = unit->plan->shape_types[shape];
    if (!begin(&l, unit, "in", shape)) return;
    LLVMValueRef slots = LLVMGetParam(l.function, 2), arguments[NATIVE_PARAMS + 1] = {l.context};
    u32 direct = native_direct(type), slot = 0;
    for (u32 i = 0; i < direct; i++) {
        LLVMTypeRef t = wr_unit_type(unit, type->types[i]);
        arguments[i + 1] = wr_lower_load_slot(&l, slots, slot, t);
        slot += type_slots(type->types[i]);
    }
    LLVMValueRef rest = wr_lower_field(&l, slots, (u64)slot * sizeof(Slot));
    if (type->nparams > direct)
        copy_slots(&l, wr_lower_values(&l), rest,
                   slots_of(type->types + direct, type->nparams - direct));
    LLVMValueRef call = LLVMBuildCall2(l.b, wr_unit_signature(unit, type),
                                       LLVMGetParam(l.function, 1), arguments, direct + 1, "");
    LLVMSetInstructionCallConv(call, CC_FAST);
    if (type->nresults == 1) wr_lower_store_slot(&l, slots, 0, call);
    if (type->nresults > 1)
        copy_slots(&l, slots, wr_lower_values(&l),
                   slots_of(type->types + type->nparams, type->nresults));
    LLVMBuildRetVoid(l.b);
    LLVMDisposeBuilder(l.b);
}

/* ---- out ---- */

static LLVMValueRef func_field(Lower *l, LLVMValueRef func, size_t offset) {
    return wr_lower_load(l, l->unit->ptr, wr_lower_field(l, func, offset), l->unit->tbaa_instance);
}

/* All arguments, in slots. */
static void store_arguments(Lower *l, const DefType *type, LLVMValueRef slots,
                            LLVMValueRef values) {
    u32 direct = native_direct(type), slot = 0;
    for (u32 i = 0; i < direct; i++) {
        wr_lower_store_slot(l, slots, slot, LLVMGetParam(l->function, i + 1));
        slot += type_slots(type->types[i]);
    }
    LLVMValueRef rest = wr_lower_field(l, slots, (u64)slot * sizeof(Slot));
    copy_slots(l, rest, values, slots_of(type->types + direct, type->nparams - direct));
}

static void lower_exit(Unit *unit, u32 shape) {
    Lower l;
    const DefType *type = unit->plan->shape_types[shape];
    if (!begin(&l, unit, "out", shape)) return;
    u32 nresults = slots_of(type->types + type->nparams, type->nresults);
    u32 nparams = slots_of(type->types, type->nparams);
    LLVMValueRef func = l.context;
    LLVMTypeRef array = LLVMArrayType2(unit->i64, (nparams > nresults ? nparams : nresults) + 1);
    LLVMValueRef slots = LLVMBuildAlloca(l.b, array, "");
    l.native = func_field(&l, func, offsetof(struct wr_func, native_context));
    LLVMValueRef values = wr_lower_values(&l);
    store_arguments(&l, type, slots, values);
    wr_lower_helper(&l, HELPER_EXIT, (LLVMValueRef[]){func, slots}, 2);
    if (type->nresults == 1) {
        LLVMTypeRef t = wr_unit_type(unit, type->types[type->nparams]);
        LLVMBuildRet(l.b, wr_lower_load_slot(&l, slots, 0, t));
    } else {
        copy_slots(&l, values, slots, nresults);
        LLVMBuildRetVoid(l.b);
    }
    LLVMDisposeBuilder(l.b);
}

/* Of a tail call. The callee makes none itself: it can be called. */
static void lower_exit_tail(Unit *unit, u32 shape) {
    Lower l;
    LLVMTypeRef type = wr_unit_signature(unit, unit->plan->shape_types[shape]);
    if (!begin(&l, unit, "outt", shape)) return;
    LLVMValueRef func = l.context, arguments[NATIVE_PARAMS + 1];
    u32 n = LLVMCountParams(l.function);
    LLVMValueRef code = func_field(&l, func, offsetof(struct wr_func, native_code));
    LLVMValueRef context = func_field(&l, func, offsetof(struct wr_func, native_context));
    LLVMValueRef none = LLVMBuildIsNull(l.b, code, ""), out = wr_unit_thunk(unit, "out", shape);
    arguments[0] = LLVMBuildSelect(l.b, none, func, context, "");
    for (u32 i = 1; i < n; i++) arguments[i] = LLVMGetParam(l.function, i);
    LLVMValueRef callee = LLVMBuildSelect(l.b, none, out, code, "");
    LLVMValueRef call = LLVMBuildCall2(l.b, type, callee, arguments, n, "");
    LLVMSetInstructionCallConv(call, CC_FAST);
    return_result(&l, call);
    LLVMDisposeBuilder(l.b);
}

void wr_lower_thunks(Unit *unit, u32 shape) {
    lower_entry(unit, shape);
    lower_exit(unit, shape);
    lower_exit_tail(unit, shape);
}

/* ---- instead ---- */

/* Ends the block by a call with the function's own arguments. */
static void jump_to(Lower *l, LLVMValueRef callee, LLVMValueRef context) {
    LLVMValueRef arguments[NATIVE_PARAMS + 1] = {context};
    unsigned n = LLVMCountParams(l->function);
    for (unsigned i = 1; i < n; i++) arguments[i] = LLVMGetParam(l->function, i);
    LLVMTypeRef type = LLVMGlobalGetValueType(l->function);
    LLVMValueRef call = LLVMBuildCall2(l->b, type, callee, arguments, n, "");
    LLVMSetInstructionCallConv(call, LLVMGetFunctionCallConv(l->function));
    LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
    return_result(l, call);
}

void wr_lower_stub(Unit *unit, u32 index, bool tail, bool is_elsewhere) {
    const FuncDecl *decl = &unit->plan->module->funcs[index];
    Lower l;
    wr_own_open(&l, unit, wr_unit_function(unit, index, tail));
    LLVMValueRef func = wr_lower_load_fixed(
        &l, unit->ptr,
        wr_lower_load_fixed(&l, unit->ptr, l.context, offsetof(struct wr_instance, funcs)),
        (u64)index * sizeof(Func *));
    if (is_elsewhere) { /* it may be compiled by now */
        LLVMBasicBlockRef out = wr_lower_block(&l), in = wr_lower_block(&l);
        LLVMValueRef code = func_field(&l, func,
                                       tail ? offsetof(struct wr_func, native_tail)
                                            : offsetof(struct wr_func, native_code));
        LLVMBuildCondBr(l.b, LLVMBuildIsNull(l.b, code, ""), out, in);
        LLVMPositionBuilderAtEnd(l.b, in);
        jump_to(&l, code, l.context);
        LLVMPositionBuilderAtEnd(l.b, out);
        LLVMSetLinkage(l.function, LLVMInternalLinkage);
    }
    jump_to(&l, wr_unit_thunk(unit, tail ? "outt" : "out", unit->plan->shapes[decl->type_index]),
            func);
    LLVMDisposeBuilder(l.b);
}
