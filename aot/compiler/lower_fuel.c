/*
 * lower_fuel.c - counting fuel as the interpreter does (handlers_jump.h there): a byte of code that is passed
 * takes one unit, each transfer of control another one, and a call stops where control arrives with less than none.
 *
 * Between functions Store.fuel holds what is left, or a parameter, and then a part of the result (counted.h). Inside of one a local variable, so a register, has that plus the
 * position in the body, so that running straight ahead changes nothing: a transfer from p to t adds t - p - 1, and what is
 * left at p is the variable less p. LLVM adds such constants up.
 *
 * What is in a register could not be found after a fault: so the variable is stored to the field before an access that may
 * fault, unless nothing was counted since it was last stored (wr_lower_fuel_keep()). That store is a volatile one, and
 * the field overlaps linear memory (unit.c): so stores to it are in order with its accesses. Where code traps otherwise
 * the store is a part of that. The runtime subtracts the position (meter.h). Whoever leaves the function by a call or a
 * throw leaves behind what is left.
 *
 * Where control goes is in the side table. It skips over an `else` that a branch would come to only to be led
 * on; our blocks do not (wr_lower_fuel_ahead()).
 */
#include "lower_fuel.h"

#include "looks.h"
#include "own.h"
#include "side_table.h"
#include "state.h"

/* ---- the variable and the field ---- */

static LLVMValueRef field(Lower *l) {
    LLVMValueRef store =
        wr_lower_load_fixed(l, l->unit->ptr, l->context, offsetof(struct wr_instance, store));
    return wr_lower_field(l, store, offsetof(struct wr_store, fuel));
}

void wr_fuel_store(Lower *l, LLVMValueRef value) {
    wr_lower_store(l, value, field(l), l->unit->tbaa_fuel, false);
}

static LLVMValueRef plus(Lower *l, LLVMValueRef value, i64 units) {
    return LLVMBuildNSWAdd(l->b, value, wr_lower_i64(l, (u64)units), "");
}

static LLVMValueRef get(Lower *l) { return LLVMBuildLoad2(l->b, l->unit->i64, l->fuel, ""); }

static void set(Lower *l, LLVMValueRef value) {
    l->fuel_kept = NULL;
    LLVMBuildStore(l->b, value, l->fuel);
}

LLVMValueRef wr_fuel_load(Lower *l) {
    return wr_lower_load(l, l->unit->i64, field(l), l->unit->tbaa_fuel);
}

/* What is left, and control is at `position`. */
static void load_at(Lower *l, i64 position) { set(l, plus(l, wr_fuel_load(l), position)); }

static u32 offset_of(const Lower *l, const u8 *at) { return (u32)(at - l->code->start); }

/* ---- stopping ---- */

#define REFILL ((i64)1 << 14) /* units; less than a slice (meter.c) */

/* What polls for code that is at code offset `target`, the second parameter, and has no place of its own. It preserves
 * all registers: so nothing around a look feels it. */
static LLVMValueRef spent_function(Unit *u) {
    Lower l;
    LLVMTypeRef params[] = {u->ptr, u->i64}, type = LLVMFunctionType(u->none, params, 2, 0);
    if (!wr_own_begin(&l, u, LOOKS_SPENT, type, CC_PRESERVE_ALL)) return l.function;
    wr_own_is_cold(&l);
    wr_unit_flag(u, l.function, "nomerge");
    l.offset = IN_CALLER;
    LLVMValueRef target = LLVMGetParam(l.function, 1);
    wr_fuel_store(&l, LLVMBuildSub(l.b, wr_fuel_load(&l), target, ""));
    wr_lower_helper(&l, HELPER_POLL, (LLVMValueRef[]){wr_lower_i32(&l, 1)}, 1);
    wr_fuel_store(&l, LLVMBuildAdd(l.b, wr_fuel_load(&l), target, ""));
    LLVMBuildRetVoid(l.b);
    return wr_own_end(&l);
}

static void stop(Lower *l, u32 target) {
    u64 here = l->offset;
    wr_lower_locate(l, wr_module_offset(l->module, l->code->start) + target);
    wr_fuel_store(l, get(l));
    wr_own_call(l, spent_function(l->unit), wr_lower_i64(l, target));
    set(l, wr_fuel_load(l));
    wr_lower_locate(l, here);
}

/* Control has arrived there, with the operands on the stack. Arrival at the final `end` is not looked at. */
static void look(Lower *l, const StatePlace *place) {
    if (place->pc + 1 == offset_of(l, l->code->end)) return;
    LLVMBasicBlockRef likely;
    LLVMValueRef position = wr_lower_i64(l, place->pc);
    LLVMValueRef spent = LLVMBuildICmp(l->b, LLVMIntSLT, get(l), position, "");
    wr_lower_unlikely(l, spent, &likely);
    if (wr_state_is_kept(l))
        wr_state_ask(l, place);
    else
        stop(l, place->pc);
    LLVMBuildBr(l->b, likely);
    LLVMPositionBuilderAtEnd(l->b, likely);
}

/* ---- transfers ---- */

void wr_lower_fuel_begin(Lower *l) {
    if (!l->unit->plan->options.fuel) return;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    LLVMPositionBuilderAtEnd(l->b, l->entry);
    l->fuel = LLVMBuildAlloca(l->b, l->unit->i64, "");
    LLVMPositionBuilderAtEnd(l->b, here);
    set(l, l->is_counted ? LLVMGetParam(l->function, 1) : wr_fuel_load(l));
    look(l, &(StatePlace){0, 0, 0});
}

void wr_lower_fuel_add(Lower *l, i64 units) {
    if (l->fuel != NULL) set(l, plus(l, get(l), units));
}

void wr_lower_fuel_pass(Lower *l, u32 index) {
    if (l->fuel == NULL) return;
    u32 at = offset_of(l, l->at.start);
    wr_lower_fuel_add(l, (i64)wr_side_target(l->code, index, at) - at - 1);
}

void wr_lower_fuel_branch(Lower *l, u32 index, u32 kept, u32 moved) {
    if (l->fuel == NULL) return;
    wr_lower_fuel_pass(l, index);
    StatePlace place = {wr_side_target(l->code, index, offset_of(l, l->at.start)),
                        wr_side_next(l->code, index), kept + moved};
    LLVMValueRef *stack = l->stack;
    if (place.height > l->height) {
        l->failed = true;
        return;
    }
    if (place.height < l->height) {
        l->stack = wr_arena_copy(&l->arena, stack, place.height * sizeof *stack);
        if (l->stack != NULL && moved > 0)
            memcpy(l->stack + kept, stack + (l->height - moved), moved * sizeof *stack);
    }
    if (l->stack != NULL)
        look(l, &place);
    else
        l->failed = true;
    l->stack = stack;
}

void wr_lower_fuel_return(Lower *l) { wr_lower_fuel_add(l, l->code->end - 1 - l->at.start); }

/* What is left after `units`. */
static LLVMValueRef left_after(Lower *l, i64 units) {
    return plus(l, get(l), -(i64)offset_of(l, l->at.start) - units);
}

/* The same, for others. */
static LLVMValueRef hand_over(Lower *l, i64 units) {
    if (l->fuel == NULL) return NULL;
    LLVMValueRef left = left_after(l, units);
    wr_fuel_store(l, left);
    l->fuel_kept = NULL;
    return left;
}

LLVMValueRef wr_lower_fuel_end(Lower *l) {
    return l->is_counted ? left_after(l, 1) : hand_over(l, 1);
}

/* Also where it goes along as an argument: the call may find the end of the stack. */
LLVMValueRef wr_lower_fuel_before_call(Lower *l) { return hand_over(l, 1); }
void wr_lower_fuel_throw(Lower *l) { (void)hand_over(l, 0); }

void wr_lower_fuel_after_call(Lower *l, LLVMValueRef left) {
    if (l->fuel == NULL) return;
    set(l, plus(l, left != NULL ? left : wr_fuel_load(l), offset_of(l, l->at.end)));
}

void wr_lower_fuel_catch(Lower *l, const StatePlace *place) {
    if (l->fuel == NULL) return;
    load_at(l, (i64)place->pc - 1);
    look(l, place);
}

void wr_lower_fuel_show(Lower *l, u32 position) {
    if (l->fuel != NULL) wr_fuel_store(l, plus(l, get(l), -(i64)position));
}

void wr_lower_fuel_take(Lower *l, u32 position) {
    if (l->fuel != NULL) load_at(l, position);
}

i64 wr_lower_fuel_ahead(const Lower *l) {
    const u8 *p = l->at.end;
    while (p < l->code->end && *p == wr_op_info[OP_END].code) p++;
    if (l->fuel == NULL || p == l->code->end || *p != wr_op_info[OP_ELSE].code) return 0;
    u32 at = offset_of(l, p);
    return (i64)wr_side_target(l->code, l->entry_index + wr_side_count(&l->at), at) - at - 1;
}

/* ---- the field before a fault or a trap ---- */

void wr_lower_fuel_keep(Lower *l) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    if (l->fuel == NULL || l->fuel_kept == here) return;
    wr_lower_store(l, get(l), field(l), l->unit->tbaa_fuel, true);
    l->fuel_kept = here;
}

void wr_lower_fuel_flow(Lower *l, LLVMBasicBlockRef next) {
    if (l->fuel_kept == LLVMGetInsertBlock(l->b)) l->fuel_kept = next;
}

void wr_lower_fuel_trap(Lower *l) {
    if (l->fuel != NULL) wr_fuel_store(l, get(l));
}

/* ---- bulk operations ---- */

void wr_lower_fuel_bulk(Lower *l) {
    if (l->fuel == NULL || l->height == 0) return;
    LLVMValueRef amount = wr_lower_widen(l, l->stack[l->height - 1]);
    LLVMValueRef units = LLVMBuildLShr(l->b, amount, wr_lower_i64(l, 4), "");
    set(l, LLVMBuildSub(l->b, get(l), units, ""));
}

/* ---- for loops that do not count ---- */

/* With the fuel, and the place that it is relative to. Less than nothing is left alone: nobody looks there. */
static LLVMValueRef refill_function(Unit *u) {
    Lower l;
    LLVMBasicBlockRef enough;
    LLVMTypeRef params[] = {u->ptr, u->i64, u->i64};
    if (!wr_own_begin(&l, u, "refill", LLVMFunctionType(u->i64, params, 3, 0), CC_FAST))
        return l.function;
    wr_unit_flag(u, l.function, "alwaysinline");
    LLVMValueRef fuel = LLVMGetParam(l.function, 1), target = LLVMGetParam(l.function, 2);
    LLVMValueRef left = LLVMBuildSub(l.b, fuel, target, ""), most = wr_lower_i64(&l, REFILL);
    wr_lower_unlikely(&l, LLVMBuildICmp(l.b, LLVMIntULT, left, most, ""), &enough);
    wr_fuel_store(&l, fuel);
    wr_own_call(&l, spent_function(u), target);
    LLVMBuildRet(l.b, wr_fuel_load(&l));
    LLVMPositionBuilderAtEnd(l.b, enough);
    LLVMBuildRet(l.b, fuel);
    return wr_own_end(&l);
}

LLVMValueRef wr_fuel_refill(Unit *unit, LLVMBuilderRef b, LLVMValueRef stop, LLVMValueRef fuel) {
    LLVMValueRef function = refill_function(unit);
    LLVMValueRef arguments[] = {LLVMGetOperand(stop, 0), fuel, LLVMGetOperand(stop, 1)};
    LLVMValueRef call =
        LLVMBuildCall2(b, LLVMGlobalGetValueType(function), function, arguments, 3, "");
    LLVMSetInstructionCallConv(call, CC_FAST);
    LLVMInstructionSetDebugLoc(call, LLVMInstructionGetDebugLoc(stop));
    return call;
}
