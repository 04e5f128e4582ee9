/*
 * lower_call.c - calls and tail calls (spec: exec/instructions, calls; native.h: the convention).
 *
 * A function of this module is called directly, also where a table that never changes says which (fixed.h), and one
 * that tail calls itself is a loop. Any other one is a Func: code and context are read off it;
 * if it has none, the exit thunk is called with the Func itself. A tail call is one for the machine
 * only if the callee makes tail calls itself, or may: else a call and a return will do, since the callee
 * returns before the stack could grow any further.
 */
#include "counted.h"
#include "fixed.h"
#include "lower.h"
#include "state.h"

/* What is called, and how. */
typedef struct Callee {
    LLVMValueRef function, context;
    LLVMValueRef func; /* the Func, when `function` may be NULL: then its exit thunk is called */
    LLVMValueRef thunk;
    const DefType *type;
    LLVMTypeRef signature;
    unsigned convention;
    bool is_counted; /* it takes fuel, and returns it: counted.h */
} Callee;

/* ---- arguments and results ---- */

/* Pops the arguments: those that are passed directly go to `direct`, behind the context and room for fuel, the rest to
 * Native.values. Returns how many `direct` holds. */
static u32 pass_arguments(Lower *l, const Callee *callee, LLVMValueRef *direct) {
    u32 n = callee->type->nparams, direct_params = native_direct(callee->type);
    u32 count = 1 + callee->is_counted;
    if (n > l->height) {
        l->failed = true;
        return 0;
    }
    l->height -= n;
    direct[0] = callee->context;
    for (u32 i = 0, slot = 0; i < n; i++) {
        LLVMValueRef value = l->stack[l->height + i];
        if (i < direct_params) {
            direct[count++] = value;
            continue;
        }
        wr_lower_store_slot(l, wr_lower_values(l), slot, value);
        slot += type_slots(callee->type->types[i]);
    }
    return count;
}

/* `result`: if there is one. */
static void push_results(Lower *l, const Callee *callee, LLVMValueRef result) {
    const ValType *types = callee->type->types + callee->type->nparams;
    u32 n = callee->type->nresults;
    if (n == 1) wr_lower_push(l, wr_lower_note_type(l, result, types[0]));
    if (n < 2) return;
    LLVMValueRef values = wr_lower_values(l);
    for (u32 i = 0, slot = 0; i < n; i++) {
        LLVMTypeRef type = wr_unit_type(l->unit, types[i]);
        LLVMValueRef value = wr_lower_load_slot(l, values, slot, type);
        wr_lower_push(l, wr_lower_note_type(l, value, types[i]));
        slot += type_slots(types[i]);
    }
}

/* Exit thunks want to know who calls. */
static void tell_caller(Lower *l) {
    LLVMValueRef at = wr_lower_field(l, wr_lower_native(l), offsetof(Native, caller));
    wr_lower_store(l, l->context, at, l->unit->tbaa_values, false);
}

/* The call out, in a cold block, and where it goes on; its result. */
static LLVMValueRef emit_exit(Lower *l, const Callee *callee, LLVMValueRef *arguments, u32 count,
                              LLVMBasicBlockRef next) {
    tell_caller(l);
    arguments[0] = callee->func;
    LLVMValueRef call =
        wr_lower_invoke(l, callee->signature, callee->thunk, arguments, count, callee->convention);
    LLVMBuildBr(l->b, next);
    return call;
}

/* A call of `function`, or, if that is NULL, out of compiled code: that is apart, so that the other one needs
 * nothing but its check. */
static LLVMValueRef emit_either(Lower *l, const Callee *callee, LLVMValueRef *arguments,
                                u32 count) {
    LLVMBasicBlockRef next = wr_lower_block(l), likely, from[2];
    LLVMValueRef results[2];
    wr_lower_unlikely(l, LLVMBuildIsNull(l->b, callee->function, ""), &likely);
    results[0] = emit_exit(l, callee, arguments, count, next);
    from[0] = LLVMGetInsertBlock(l->b);
    LLVMPositionBuilderAtEnd(l->b, likely);
    arguments[0] = callee->context;
    results[1] = wr_lower_invoke(l, callee->signature, callee->function, arguments, count,
                                 callee->convention);
    from[1] = LLVMGetInsertBlock(l->b);
    LLVMBuildBr(l->b, next);
    LLVMMoveBasicBlockAfter(next, from[1]);
    LLVMPositionBuilderAtEnd(l->b, next);
    if (callee->type->nresults != 1) return results[1];
    LLVMValueRef result = LLVMBuildPhi(l->b, LLVMTypeOf(results[0]), "");
    LLVMAddIncoming(result, results, from, 2);
    return result;
}

static void emit_call(Lower *l, const Callee *callee) {
    LLVMValueRef arguments[NATIVE_PARAMS + 2], result, left = NULL;
    u32 n = pass_arguments(l, callee, arguments);
    StatePlace behind = {(u32)(l->at.end - l->code->start), l->entry_index, l->height};
    l->place = wr_state_is_kept(l) ? &behind : NULL;
    LLVMValueRef given = wr_lower_fuel_before_call(l);
    if (callee->is_counted) arguments[1] = given;
    if (callee->func != NULL)
        result = emit_either(l, callee, arguments, n);
    else
        result = wr_lower_invoke(l, callee->signature, callee->function, arguments, n,
                                 callee->convention);
    l->place = NULL;
    if (callee->is_counted) left = wr_counted_left(l, result, &result);
    wr_lower_fuel_after_call(l, left);
    push_results(l, callee, result);
}

/* The results of the callee are those of this function: returned, or left in Native.values. What it throws is not
 * caught here, wherever the call stands. */
static void emit_return_call(Lower *l, const Callee *callee) {
    LLVMValueRef arguments[NATIVE_PARAMS + 1];
    u32 n = pass_arguments(l, callee, arguments);
    (void)wr_lower_fuel_before_call(l);
    LLVMValueRef call = LLVMBuildCall2(l->b, callee->signature, callee->function, arguments, n, "");
    LLVMSetInstructionCallConv(call, callee->convention);
    if (callee->convention == CC_TAIL) LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
    if (callee->type->nresults == 1)
        LLVMBuildRet(l->b, call);
    else
        LLVMBuildRetVoid(l->b);
    wr_lower_dead(l);
}

/* A tail call of the function itself is a loop: the arguments become its parameters, the other locals are zero. */
static void emit_loop(Lower *l) {
    u32 nparams = l->decl->type->nparams;
    if (nparams > l->height || l->frame != NULL) { /* what is before an entry is not there */
        l->failed = true;
        return;
    }
    l->height -= nparams;
    for (u32 i = 0; i < nparams; i++) LLVMBuildStore(l->b, l->stack[l->height + i], l->locals[i]);
    for (u32 i = nparams; i < l->code->nlocals; i++)
        LLVMBuildStore(l->b, LLVMConstNull(l->local_types[i]), l->locals[i]);
    LLVMBuildBr(l->b, l->body);
    wr_lower_dead(l);
}

/* Not where fuel is counted: that is done at the entry of functions. */
static bool is_loop(const Lower *l, Opcode op) {
    return op == OP_RETURN_CALL && l->at.index == l->func_index && l->fuel == NULL;
}

/* ---- callees ---- */

static LLVMValueRef load_func_field(Lower *l, LLVMValueRef func, size_t offset) {
    return wr_lower_load(l, l->unit->ptr, wr_lower_field(l, func, offset), l->unit->tbaa_instance);
}

/* A Func of that type, by what it has, or by an exit thunk. */
static Callee callee_of_func(Lower *l, LLVMValueRef func, u32 type_index, bool tail) {
    Unit *u = l->unit;
    size_t code_at =
        tail ? offsetof(struct wr_func, native_tail) : offsetof(struct wr_func, native_code);
    LLVMValueRef code = load_func_field(l, func, code_at);
    LLVMValueRef context = load_func_field(l, func, offsetof(struct wr_func, native_context));
    LLVMValueRef thunk = wr_unit_thunk(u, tail ? "outt" : "out", u->plan->shapes[type_index]);
    const DefType *type = l->module->types[type_index];
    Callee callee = {.function = code,
                     .context = context,
                     .func = func,
                     .thunk = thunk,
                     .type = type,
                     .signature = wr_unit_signature(u, type),
                     .convention = tail ? CC_TAIL : CC_FAST};
    if (!tail) return callee;
    LLVMValueRef none = LLVMBuildIsNull(l->b, code, "");
    tell_caller(l);
    callee.function = LLVMBuildSelect(l->b, none, thunk, code, "");
    callee.context = LLVMBuildSelect(l->b, none, func, context, "");
    callee.func = NULL;
    return callee;
}

/* A function of this instance, to be called with what is left of the fuel. */
static Callee counted_callee(const Lower *l, LLVMValueRef function, const DefType *type) {
    return (Callee){.function = function,
                    .context = l->context,
                    .type = type,
                    .signature = wr_counted_type(l->unit, type),
                    .convention = CC_FAST,
                    .is_counted = true};
}

static Callee callee_by_index(Lower *l, u32 index, bool tail) {
    const FuncDecl *decl = &l->module->funcs[index];
    if (index < l->module->nimported_funcs || l->unit->plan->is_hasty) {
        LLVMValueRef func = wr_lower_entity(l, offsetof(struct wr_instance, funcs), index);
        return callee_of_func(l, func, decl->type_index, tail);
    }
    if (!tail && l->fuel != NULL)
        return counted_callee(l, wr_counted_function(l->unit, index), decl->type);
    tail = tail && l->unit->plan->has_tail[index];
    return (Callee){.function = wr_unit_function(l->unit, index, tail),
                    .context = l->context,
                    .type = decl->type,
                    .signature = wr_unit_signature(l->unit, decl->type),
                    .convention = tail ? CC_TAIL : CC_FAST};
}

LLVMValueRef wr_lower_func(Lower *l, LLVMValueRef handle) {
    LLVMTypeRef ptr = l->unit->ptr;
    LLVMValueRef store =
        wr_lower_load_fixed(l, l->unit->ptr, l->context, offsetof(struct wr_instance, store));
    LLVMValueRef funcs = wr_lower_load(
        l, ptr, wr_lower_field(l, store, offsetof(struct wr_store, funcs)), l->unit->tbaa_instance);
    LLVMValueRef index = LLVMBuildZExt(l->b, handle, l->unit->i64, "");
    LLVMValueRef at = LLVMBuildInBoundsGEP2(l->b, ptr, funcs, &index, 1, "");
    return wr_lower_load(l, ptr, at, l->unit->tbaa_instance);
}

/* Traps unless the Func is of the type; whoever is of a proper subtype goes by a helper. */
static void check_type(Lower *l, LLVMValueRef func, u32 type_index) {
    const Unit *u = l->unit;
    LLVMValueRef expected = wr_lower_entity(l, offsetof(struct wr_instance, types), type_index);
    LLVMValueRef type = wr_lower_load(
        l, u->ptr, wr_lower_field(l, func, offsetof(struct wr_func, type)), u->tbaa_instance);
    LLVMValueRef differs = LLVMBuildICmp(l->b, LLVMIntNE, type, expected, "");
    LLVMBasicBlockRef likely;
    if (l->module->types[type_index]->final) {
        wr_lower_trap_if(l, differs, WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH);
        return;
    }
    wr_lower_unlikely(l, differs, &likely);
    LLVMValueRef arguments[] = {func, wr_lower_i32(l, type_index)};
    LLVMValueRef matches = wr_lower_helper(l, HELPER_IS_SUBTYPE_FUNC, arguments, 2);
    LLVMValueRef bad = LLVMBuildICmp(l->b, LLVMIntEQ, matches, wr_lower_i32(l, 0), "");
    wr_lower_trap_if(l, bad, WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH);
    LLVMBuildBr(l->b, likely);
    LLVMPositionBuilderAtEnd(l->b, likely);
}

/* The element is null: leaves its index for the message. */
static void check_element(Lower *l, LLVMValueRef handle, LLVMValueRef index) {
    LLVMBasicBlockRef likely;
    LLVMValueRef null = LLVMBuildICmp(l->b, LLVMIntEQ, handle, wr_lower_i32(l, 0), "");
    wr_lower_unlikely(l, null, &likely);
    LLVMValueRef at = wr_lower_field(l, wr_lower_native(l), offsetof(Native, trap_element));
    wr_lower_store(l, index, at, l->unit->tbaa_values, false);
    wr_lower_trap(l, wr_lower_i32(l, WR_TRAP_UNINITIALIZED_ELEMENT));
    LLVMPositionBuilderAtEnd(l->b, likely);
}

/* Traps: why, the runtime finds out. */
static void trap_for_callee(Lower *l, u32 table, LLVMValueRef index) {
    LLVMValueRef native = wr_lower_native(l), tbaa = l->unit->tbaa_values;
    LLVMValueRef element = wr_lower_field(l, native, offsetof(Native, trap_element));
    LLVMValueRef which = wr_lower_field(l, native, offsetof(Native, trap_table));
    tell_caller(l);
    wr_lower_store(l, index, element, tbaa, false);
    wr_lower_store(l, wr_lower_i64(l, table), which, tbaa, false);
    wr_lower_trap(l, wr_lower_i32(l, TRAP_NO_CALLEE));
}

/* The i32 at that place of a constant array. */
static LLVMValueRef load_constant(Lower *l, LLVMValueRef array, LLVMValueRef place) {
    LLVMValueRef at = LLVMBuildInBoundsGEP2(l->b, l->unit->i32, array, &place, 1, "");
    return wr_lower_load_fixed(l, l->unit->i32, at, 0);
}

/* The code to which the array has the way at `place`. */
static LLVMValueRef load_code(Lower *l, LLVMValueRef array, LLVMValueRef place) {
    LLVMValueRef way = LLVMBuildSExt(l->b, load_constant(l, array, place), l->unit->i64, "");
    return LLVMBuildGEP2(l->b, l->unit->i8, array, &way, 1, "");
}

/* A function of the instance, or one that stands for an import. */
static Callee callee_with_code(Lower *l, LLVMValueRef code, bool tail) {
    const DefType *type = l->module->types[l->at.index];
    if (!tail && l->fuel != NULL) return counted_callee(l, code, type);
    return (Callee){.function = code,
                    .context = l->context,
                    .type = type,
                    .signature = wr_unit_signature(l->unit, type),
                    .convention = tail ? CC_TAIL : CC_FAST};
}

/* An array that could be made; else the function is left out. */
static LLVMValueRef require(Lower *l, LLVMValueRef array) {
    if (array != NULL) return array;
    l->failed = true;
    return LLVMConstNull(l->unit->ptr);
}

/* The type's number says all: there is an element, and it is of the type. */
static Callee callee_in_fixed(Lower *l, LLVMValueRef index, bool tail) {
    const Plan *plan = l->unit->plan;
    u32 table = l->at.index2;
    LLVMValueRef array = require(l, wr_fixed_array(l->unit, table, tail));
    LLVMBasicBlockRef inside, same;
    LLVMValueRef size = wr_lower_i64(l, plan->fixed[table].size);
    LLVMBasicBlockRef cold =
        wr_lower_unlikely(l, LLVMBuildICmp(l->b, LLVMIntUGE, index, size, ""), &inside);
    trap_for_callee(l, table, index);
    LLVMPositionBuilderAtEnd(l->b, inside);
    LLVMValueRef way_at = LLVMBuildShl(l->b, index, wr_lower_i64(l, 1), "");
    LLVMValueRef number_at = LLVMBuildOr(l->b, way_at, wr_lower_i64(l, 1), "");
    LLVMValueRef number = wr_lower_i32(l, plan->type_numbers[l->at.index]);
    LLVMValueRef type = load_constant(l, array, number_at);
    same = wr_lower_block(l);
    LLVMMoveBasicBlockAfter(same, inside);
    LLVMValueRef branch =
        LLVMBuildCondBr(l->b, LLVMBuildICmp(l->b, LLVMIntNE, type, number, ""), cold, same);
    LLVMSetMetadata(branch, l->unit->kind_prof, l->unit->unlikely);
    LLVMPositionBuilderAtEnd(l->b, same);
    return callee_with_code(l, load_code(l, array, way_at), tail);
}

/* All of the type are there, and no others. */
static Callee callee_in_range(Lower *l, const FixedRange *range, LLVMValueRef index, bool tail) {
    u32 table = l->at.index2;
    LLVMBasicBlockRef inside;
    LLVMValueRef place = LLVMBuildSub(l->b, index, wr_lower_i64(l, range->first), "");
    LLVMValueRef count = wr_lower_i64(l, range->count);
    wr_lower_unlikely(l, LLVMBuildICmp(l->b, LLVMIntUGE, place, count, ""), &inside);
    trap_for_callee(l, table, index);
    LLVMPositionBuilderAtEnd(l->b, inside);
    if (range->count == 1)
        return callee_with_code(l, wr_fixed_code(l->unit, table, range->first, tail), tail);
    LLVMValueRef array = require(l, wr_fixed_range_array(l->unit, table, range, tail));
    return callee_with_code(l, load_code(l, array, place), tail);
}

/* Types of the table's elements may say enough to check nothing. */
static Callee callee_in_table(Lower *l, bool tail) {
    u32 type_index = l->at.index, table = l->at.index2;
    if (wr_fixed_serves(l->unit->plan, table, type_index)) {
        const FixedRange *range = wr_fixed_range(l->unit->plan, table, type_index);
        LLVMValueRef place = LLVMBuildZExt(l->b, wr_lower_pop(l), l->unit->i64, "");
        return range ? callee_in_range(l, range, place, tail) : callee_in_fixed(l, place, tail);
    }
    ValType element = l->module->tables[table].type;
    HeapType expected = HEAP_DEFINED + l->module->types[type_index]->id;
    LLVMValueRef index;
    LLVMValueRef handle = wr_lower_table_element(l, table, WR_TRAP_UNDEFINED_ELEMENT, &index);
    if (type_is_nullable(element)) check_element(l, handle, index);
    LLVMValueRef func = wr_lower_func(l, handle);
    if (!wr_heap_matches(l->module->engine->types, type_heap(element), expected))
        check_type(l, func, type_index);
    return callee_of_func(l, func, type_index, tail);
}

static Callee callee_by_ref(Lower *l, bool tail) {
    LLVMValueRef ref = wr_lower_pop(l);
    wr_lower_trap_if_null(l, ref, WR_TRAP_NULL_FUNCTION_REFERENCE);
    return callee_of_func(l, wr_lower_func(l, ref), l->at.index, tail);
}

bool wr_lower_call(Lower *l, Opcode op) {
    Callee callee;
    if (is_loop(l, op)) {
        l->calls = true;
        emit_loop(l);
        return true;
    }
    bool tail = op_is_tail_call(op);
    if (op == OP_CALL || op == OP_RETURN_CALL)
        callee = callee_by_index(l, l->at.index, tail);
    else if (op == OP_CALL_INDIRECT || op == OP_RETURN_CALL_INDIRECT)
        callee = callee_in_table(l, tail);
    else if (op == OP_CALL_REF || op == OP_RETURN_CALL_REF)
        callee = callee_by_ref(l, tail);
    else
        return false;
    l->calls = true;
    if (tail)
        emit_return_call(l, &callee);
    else
        emit_call(l, &callee);
    return true;
}
