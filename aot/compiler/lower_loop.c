/*
 * lower_loop.c - a function from one of its loops on: how interpreted code goes on in compiled code in the middle of a
 * loop (native.h: entering; slice.h: which loops).
 *
 * The whole body is lowered, as always, but the entry block leads to the loop, and loads what the interpreter has in its
 * frame: locals, and operands below the loop. So the code before the loop is not reached, and goes away. A branch to
 * a loop around this one would lead there: instead it puts everything back into the frame and goes on in the
 * entry of that loop, which has been made, too. So each of these functions has loops as LLVM likes them.
 */
#include "state.h"

/* ---- the frame ---- */

static void load_local(Lower *l, u32 index, ValType type) {
    wr_lower_add_local(l, index, type);
    u32 slot = wr_state_local_slot(l->code, index);
    LLVMValueRef value = wr_lower_load_slot(l, l->frame, slot, l->local_types[index]);
    LLVMBuildStore(l->b, value, l->locals[index]);
}

void wr_lower_frame_locals(Lower *l) {
    const DefType *type = l->decl->type;
    u32 n = 0;
    for (; n < type->nparams; n++) load_local(l, n, type->types[n]);
    for (u32 run = 0; run < l->code->nruns; run++)
        for (u32 i = 0; i < l->code->runs[run].count; i++, n++)
            load_local(l, n, l->code->runs[run].type);
}

/* The first `count` operands, from the frame. */
static void load_operands(Lower *l, u32 count) {
    for (u32 i = 0, slot = l->code->local_slots; i < count; i++) {
        LLVMTypeRef type = LLVMTypeOf(l->stack[i]);
        l->stack[i] = wr_lower_load_slot(l, l->frame, slot, type);
        slot += wr_state_slots(l->unit, type);
    }
}

/* Locals, the first `height` operands, and the parameters of a loop. */
static void store_frame(Lower *l, u32 height, const LLVMValueRef *params, u32 nparams) {
    wr_state_store_locals(l, l->frame, STATE_NOWHERE);
    u32 slot = wr_state_store_values(l, l->frame, l->code->local_slots, l->stack, height);
    wr_state_store_values(l, l->frame, slot, params, nparams);
}

void wr_lower_exit_frame(Lower *l, const ValType *types, u32 at, u32 count) {
    for (u32 i = 0, slot = 0; i < count; i++) {
        wr_lower_store_slot(l, l->frame, slot, l->stack[at + i]);
        slot += type_slots(types[i]);
    }
    LLVMBuildRetVoid(l->b);
}

/* ---- loops around ---- */

static void go_on_in(Lower *l, u64 loop) {
    LLVMValueRef entry = wr_unit_loop(l->unit, loop);
    LLVMValueRef arguments[] = {l->context, LLVMGetParam(l->function, 1), l->frame};
    LLVMValueRef call =
        LLVMBuildCall2(l->b, LLVMGlobalGetValueType(entry), entry, arguments, 3, "");
    LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
    wr_unit_call_flag(l->unit, call, "noinline"); /* inlined, it would be a call in backtraces */
    LLVMBuildRetVoid(l->b);
}

/* Branches to that label go on in another function from now on. */
static void redirect(Lower *l, Label *label) {
    label->target = wr_lower_block(l);
    LLVMPositionBuilderAtEnd(l->b, label->target);
    LLVMValueRef *phis = wr_arena_new(&l->arena, label->nparams, sizeof *phis);
    if (phis == NULL && label->nparams > 0) {
        l->failed = true;
        return;
    }
    for (u32 i = 0; i < label->nparams; i++)
        phis[i] = LLVMBuildPhi(l->b, LLVMTypeOf(label->phis[i]), "");
    label->phis = phis;
    store_frame(l, label->height, phis, label->nparams);
    go_on_in(l, label->start);
}

void wr_lower_gate(Lower *l, Label *label) {
    l->gate = wr_lower_block(l);
    LLVMPositionBuilderAtEnd(l->b, l->gate);
    load_operands(l, l->height);
    wr_lower_jump(l, label, l->stack + label->height);
    for (u32 i = 0; i + 1 < l->nlabels; i++)
        if (l->labels[i].kind == LABEL_LOOP) redirect(l, &l->labels[i]);
}
