/*
 * state.c - see state.h.
 *
 * A spill is an unwinding of its own kind (switch.h: LAND_SPILL): each call has a landing pad, which asks for room and
 * stores there the operands, and those locals that may still be read (live.h). Then it leaves by HELPER_SPILLED, a call
 * without a landing pad in this function: so the next to land is the caller, also if LLVM has inlined this function
 * there. Pads of calls that no `try` surrounds have no clause, and are passed by exceptions; unless LLVM adds one
 * when it inlines, so what has come is always compared.
 */
#include "state.h"

#include "live.h"
#include "looks.h"
#include "lower_object.h"
#include "own.h"

/* Of one function, five times what the given programs' largest has (survey.c). So many take LLVM 6 s and 0.6 GB without
 * optimisation, which they do not get. */
#define MOST_STORED (1u << 18)

/* ---- slots ---- */

u32 wr_state_local_slot(const Code *code, u32 local) {
    return code->is_wide ? code->local_map[local] >> 1 : local;
}

u32 wr_state_slots(const Unit *u, LLVMTypeRef type) { return type == u->v128 ? 2 : 1; }

static u32 operand_slots(const Lower *l, u32 height) {
    u32 slots = 0;
    for (u32 i = 0; i < height; i++) slots += wr_state_slots(l->unit, LLVMTypeOf(l->stack[i]));
    return slots;
}

/* Of the locals alone: behind are those for exceptions that legacy clauses have caught. */
static u32 first_exception_slot(const Lower *l) {
    u32 slots = 0;
    for (u32 i = 0; i < l->code->nlocals; i++) slots += wr_state_slots(l->unit, l->local_types[i]);
    return slots;
}

/* ---- writing down ---- */

static void store(Lower *l, LLVMValueRef slots, u32 slot, LLVMValueRef value) {
    wr_lower_store_slot(l, slots, slot, value);
    l->nstored += 1;
    if (l->nstored > l->unit->most_stored) l->unit->most_stored = l->nstored;
    if (l->nstored > MOST_STORED) l->failed = true;
}

void wr_state_store_locals(Lower *l, LLVMValueRef slots, u32 pc) {
    const u64 *live = wr_live_at(l->live, pc);
    for (u32 i = 0; i < l->code->nlocals && !l->failed; i++) {
        if (live != NULL && (live[i / 64] >> i % 64 & 1) == 0) continue;
        LLVMValueRef value = LLVMBuildLoad2(l->b, l->local_types[i], l->locals[i], "");
        store(l, slots, wr_state_local_slot(l->code, i), value);
    }
}

u32 wr_state_store_values(Lower *l, LLVMValueRef slots, u32 slot, const LLVMValueRef *values,
                          u32 count) {
    for (u32 i = 0; i < count && !l->failed; i++) {
        store(l, slots, slot, values[i]);
        slot += wr_state_slots(l->unit, LLVMTypeOf(values[i]));
    }
    return slot;
}

static void store_operands(Lower *l, LLVMValueRef slots, u32 height) {
    wr_state_store_values(l, slots, l->code->local_slots, l->stack, height);
    u32 slot = first_exception_slot(l);
    for (u32 i = 0; i < l->nlabels; i++) {
        LLVMValueRef caught = wr_lower_caught(&l->labels[i]);
        if (caught != NULL) store(l, slots, slot++, caught);
    }
}

/* Not to a landing pad in this function, whatever is open here. */
static void leave_frame(Lower *l) {
    u32 nlabels = l->nlabels;
    l->nlabels = 0;
    wr_lower_leave(l, HELPER_SPILLED, NULL, 0);
    l->nlabels = nlabels;
}

/* Where all pads come together. */
static LLVMBasicBlockRef end_block(Lower *l) {
    if (l->spill_end != NULL) return l->spill_end;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    l->spill_end = wr_lower_block(l);
    LLVMPositionBuilderAtEnd(l->b, l->spill_end);
    leave_frame(l);
    LLVMPositionBuilderAtEnd(l->b, here);
    return l->spill_end;
}

static void write_down(Lower *l, const StatePlace *place) {
    u32 slots = l->code->local_slots + operand_slots(l, place->height);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->func_index), wr_lower_i32(l, place->pc),
                                wr_lower_i32(l, place->entry), wr_lower_i32(l, slots)};
    LLVMValueRef to = wr_lower_helper(l, HELPER_SPILL, arguments, 4);
    LLVMBasicBlockRef end = end_block(l), room = wr_lower_block(l);
    LLVMBuildCondBr(l->b, LLVMBuildIsNull(l->b, to, ""), end, room);
    LLVMPositionBuilderAtEnd(l->b, room);
    wr_state_store_locals(l, to, place->pc);
    store_operands(l, to, place->height);
    LLVMBuildBr(l->b, end);
}

static LLVMValueRef land(Lower *l, bool takes_exceptions) {
    LLVMTypeRef parts[] = {l->unit->ptr, l->unit->i32};
    LLVMTypeRef type = LLVMStructTypeInContext(l->unit->context, parts, 2, false);
    LLVMValueRef landing = LLVMBuildLandingPad(l->b, type, NULL, 1, "");
    if (takes_exceptions)
        LLVMAddClause(landing, LLVMConstNull(l->unit->ptr));
    else
        LLVMSetCleanup(landing, true);
    LLVMSetPersonalityFn(l->function, l->unit->personality);
    return landing;
}

LLVMBasicBlockRef wr_state_pad(Lower *l, const StatePlace *place) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b), pad = wr_lower_block(l);
    LLVMBasicBlockRef spill = wr_lower_block(l), thrown = wr_lower_block(l);
    l->place = NULL; /* no frame is written down while one is */
    LLVMPositionBuilderAtEnd(l->b, pad);
    LLVMValueRef landing = land(l, wr_lower_catches(l));
    LLVMValueRef kind = LLVMBuildExtractValue(l->b, landing, 1, "");
    LLVMValueRef exception = LLVMBuildExtractValue(l->b, landing, 0, "");
    LLVMValueRef spills = LLVMBuildICmp(l->b, LLVMIntEQ, kind, wr_lower_i32(l, LAND_SPILL), "");
    LLVMBuildCondBr(l->b, spills, spill, thrown);
    LLVMPositionBuilderAtEnd(l->b, thrown);
    wr_lower_go_on_with(l, LLVMBuildPtrToInt(l->b, exception, l->unit->i32, ""));
    LLVMPositionBuilderAtEnd(l->b, spill);
    write_down(l, place);
    LLVMPositionBuilderAtEnd(l->b, here);
    l->place = place;
    return pad;
}

/* ---- polls ---- */

#define STATE_POLLS (POLL_ASKED | POLL_SPILL)

/* What tells whether something is pending, and preserves all registers: where fuel is counted, because what there was is
 * spent. */
static LLVMValueRef asks(Unit *u) {
    Lower l;
    LLVMTypeRef type = LLVMFunctionType(u->i32, &u->ptr, 1, 0);
    if (!wr_own_begin(&l, u, LOOKS_ASKS, type, CC_PRESERVE_ALL)) return l.function;
    wr_own_is_cold(&l);
    wr_unit_flag(u, l.function, "nounwind");
    LLVMValueRef spent = wr_lower_i32(&l, u->plan->options.fuel);
    LLVMBuildRet(l.b, wr_lower_ask(&l, HELPER_POLL, &spent, 1));
    return wr_own_end(&l);
}

void wr_state_ask(Lower *l, const StatePlace *place) {
    LLVMBasicBlockRef goes_on;
    u64 here = l->offset;
    wr_lower_locate(l, wr_module_offset(l->module, l->code->start) + place->pc);
    wr_lower_fuel_show(l, place->pc);
    LLVMValueRef pending = wr_own_call(l, asks(l->unit), NULL);
    pending = LLVMBuildICmp(l->b, LLVMIntNE, pending, wr_lower_i32(l, 0), "");
    wr_lower_unlikely(l, pending, &goes_on);
    l->place = place;
    wr_lower_leave(l, HELPER_RAISE, NULL, 0);
    l->place = NULL;
    LLVMPositionBuilderAtEnd(l->b, goes_on);
    wr_lower_fuel_take(l, place->pc);
    wr_lower_locate(l, here);
}

void wr_state_poll(Lower *l, const StatePlace *place) {
    LLVMBasicBlockRef likely;
    if (l->fuel != NULL) return;
    wr_lower_unlikely(l, wr_lower_asked(l, STATE_POLLS), &likely);
    wr_state_ask(l, place);
    LLVMBuildBr(l->b, likely);
    LLVMPositionBuilderAtEnd(l->b, likely);
}

/* ---- for loops that do not look ---- */

/* Whether a look would lead to the question: inlined, since there is no function being lowered any more. */
static LLVMValueRef asked_function(Unit *u) {
    Lower l;
    LLVMTypeRef type = LLVMFunctionType(u->i1, &u->ptr, 1, 0);
    if (!wr_own_begin(&l, u, "asked", type, CC_FAST)) return l.function;
    wr_unit_flag(u, l.function, "alwaysinline");
    LLVMBuildRet(l.b, wr_lower_asked(&l, STATE_POLLS));
    return wr_own_end(&l);
}

LLVMValueRef wr_state_asked(Unit *unit, LLVMBuilderRef b, LLVMValueRef context) {
    LLVMValueRef function = asked_function(unit);
    LLVMTypeRef type = LLVMGlobalGetValueType(function);
    LLVMValueRef call = LLVMBuildCall2(b, type, function, &context, 1, "");
    LLVMSetInstructionCallConv(call, CC_FAST);
    return call;
}
