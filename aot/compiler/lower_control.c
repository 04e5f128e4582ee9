/*
 * lower_control.c - labels, blocks, branches (spec: exec/instructions, control).
 *
 * A label's target is a block of its own with a phi for each value that a branch brings: a loop's
 * parameters, else the results. It is made when the label is opened and goes again if no branch came.
 */
#include "counted.h"
#include "hints.h"
#include "lower.h"
#include "state.h"
#include "validate_code.h" /* LIMIT_NESTING */

/* ---- labels ---- */

Label *wr_lower_label(Lower *l, u32 depth) {
    ASSERT(depth < l->nlabels);
    return &l->labels[l->nlabels - 1 - depth];
}

u32 wr_lower_arity(const Label *label) {
    return label->kind == LABEL_LOOP ? label->nparams : label->nresults;
}

void wr_lower_dead(Lower *l) {
    l->unreachable = true;
    l->skipped = 0;
    l->height = wr_lower_label(l, 0)->height;
}

static void set_types(Lower *l, Label *label) {
    if (label->kind == LABEL_BODY) {
        label->results = l->decl->type->types + l->decl->type->nparams;
        label->nresults = l->decl->type->nresults;
    } else if (l->at.index != NONE_U32) {
        const DefType *type = l->module->types[l->at.index];
        label->params = type->types;
        label->nparams = type->nparams;
        label->results = type->types + type->nparams;
        label->nresults = type->nresults;
    } else if (l->at.type != T_BOT) {
        ValType *type = wr_arena_copy(&l->arena, &l->at.type, sizeof l->at.type);
        if (type == NULL) l->failed = true;
        label->results = type;
        label->nresults = type != NULL;
    }
}

/* The block that branches go to, with its phis. The builder stays where it is. */
static void make_target(Lower *l, Label *label) {
    const ValType *types = label->kind == LABEL_LOOP ? label->params : label->results;
    u32 n = wr_lower_arity(label);
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    label->target = wr_lower_block(l);
    label->phis = NULL;
    if (n == 0) return;
    label->phis = wr_arena_new(&l->arena, n, sizeof(LLVMValueRef));
    if (label->phis == NULL) {
        l->failed = true;
        return;
    }
    LLVMPositionBuilderAtEnd(l->b, label->target);
    for (u32 i = 0; i < n; i++)
        label->phis[i] = LLVMBuildPhi(l->b, wr_unit_type(l->unit, types[i]), "");
    LLVMPositionBuilderAtEnd(l->b, here);
}

static Label *add_label(Lower *l, LabelKind kind) {
    const Alloc *alloc = &l->module->engine->alloc;
    if (l->nlabels == l->cap_labels &&
        !wr_grow_array(alloc, &l->labels, &l->cap_labels, (u64)l->nlabels + 1, LIMIT_NESTING + 1,
                       sizeof *l->labels)) {
        l->failed = true;
        return NULL;
    }
    Label *label = &l->labels[l->nlabels];
    *label = (Label){.kind = kind};
    set_types(l, label);
    if (l->failed) return NULL;
    l->nlabels += 1;
    if (label->nparams > l->height) l->failed = true;
    label->height = l->height - label->nparams;
    make_target(l, label);
    return l->failed ? NULL : label;
}

/* Goes on in a block; it is put behind the one that was open. */
static void continue_in(Lower *l, LLVMBasicBlockRef block) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    if (here != block) LLVMMoveBasicBlockAfter(block, here);
    LLVMPositionBuilderAtEnd(l->b, block);
    l->unreachable = false;
}

static void push_all(Lower *l, Label *label, LLVMValueRef *values, u32 count) {
    l->height = label->height;
    for (u32 i = 0; i < count; i++) wr_lower_push(l, values[i]);
}

/* ---- branches ---- */

static void add_edge(Lower *l, Label *label, LLVMValueRef *values) {
    LLVMBasicBlockRef from = LLVMGetInsertBlock(l->b);
    u32 n = wr_lower_arity(label);
    for (u32 i = 0; i < n; i++) LLVMAddIncoming(label->phis[i], &values[i], &from, 1);
    label->is_reached = true;
}

static LLVMValueRef *top(Lower *l, u32 count) {
    if (UNLIKELY(count > l->height)) {
        l->failed = true;
        return l->stack;
    }
    return l->stack + (l->height - count);
}

void wr_lower_jump(Lower *l, Label *label, LLVMValueRef *values) {
    add_edge(l, label, values);
    LLVMBuildBr(l->b, label->target);
}

/* A block that pays for the branch of side entry `index`, and takes it. The builder stays where it is. */
static LLVMBasicBlockRef paying_edge(Lower *l, Label *label, u32 index) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b), edge = wr_lower_block(l);
    LLVMBasicBlockRef kept = l->fuel_kept;
    LLVMPositionBuilderAtEnd(l->b, edge);
    wr_lower_fuel_branch(l, index, label->height, wr_lower_arity(label));
    wr_lower_jump(l, label, top(l, wr_lower_arity(label)));
    LLVMPositionBuilderAtEnd(l->b, here);
    l->fuel_kept = kept;
    return edge;
}

/* The block to go to for the branch of side entry `index`, at the end of the open one. */
static LLVMBasicBlockRef edge_to(Lower *l, Label *label, u32 index) {
    if (l->fuel != NULL) return paying_edge(l, label, index);
    add_edge(l, label, top(l, wr_lower_arity(label)));
    return label->target;
}

/* Which way the module's author says that it goes. */
static void hint(const Lower *l, LLVMValueRef branch) {
    LLVMValueRef weights = wr_hints_weights(l->unit, l->offset);
    if (weights != NULL) LLVMSetMetadata(branch, l->unit->kind_prof, weights);
}

void wr_lower_jump_if(Lower *l, LLVMValueRef condition, Label *label) {
    LLVMBasicBlockRef next = wr_lower_block(l);
    hint(l, LLVMBuildCondBr(l->b, condition, edge_to(l, label, l->entry_index), next));
    wr_lower_fuel_flow(l, next);
    continue_in(l, next);
}

static void lower_br(Lower *l, Label *label) {
    wr_lower_jump(l, label, top(l, wr_lower_arity(label)));
    wr_lower_dead(l);
}

static LLVMValueRef pop_condition(Lower *l) {
    return LLVMBuildICmp(l->b, LLVMIntNE, wr_lower_pop(l), wr_lower_i32(l, 0), "");
}

static void lower_br_if(Lower *l) {
    LLVMValueRef condition = pop_condition(l);
    wr_lower_jump_if(l, condition, wr_lower_label(l, l->at.index));
}

/* All cases to a label share the block that pays; without one each is an edge to the target. */
static LLVMBasicBlockRef table_edge(Lower *l, Label *label, u32 index) {
    if (l->fuel == NULL || label->edge_of != l->at.start) label->edge = edge_to(l, label, index);
    label->edge_of = l->at.start;
    return label->edge;
}

/* Cases that go where the default goes are left to it. */
static void lower_br_table(Lower *l) {
    LLVMValueRef index = wr_lower_pop(l);
    u32 count = l->at.vector.count;
    Label *otherwise = wr_lower_label(l, l->at.index);
    Reader r = {.pos = l->at.vector.items, .end = l->at.end, .base = l->module->bytes};
    LLVMValueRef table =
        LLVMBuildSwitch(l->b, index, edge_to(l, otherwise, l->entry_index + count), count);
    for (u32 i = 0; i < count; i++) {
        Label *label = wr_lower_label(l, wr_read_u32(&r));
        if (label == otherwise) continue;
        LLVMAddCase(table, wr_lower_i32(l, i), table_edge(l, label, l->entry_index + i));
    }
    wr_lower_dead(l);
}

static LLVMValueRef is_null(Lower *l, LLVMValueRef ref, bool null) {
    return LLVMBuildICmp(l->b, null ? LLVMIntEQ : LLVMIntNE, ref, wr_lower_i32(l, 0), "");
}

static void lower_br_on_null(Lower *l) {
    LLVMValueRef ref = wr_lower_pop(l);
    wr_lower_jump_if(l, is_null(l, ref, true), wr_lower_label(l, l->at.index));
    wr_lower_push(l, ref);
}

/* The branch takes the reference along. */
static void lower_br_on_non_null(Lower *l) {
    LLVMValueRef ref = *top(l, 1);
    wr_lower_jump_if(l, is_null(l, ref, false), wr_lower_label(l, l->at.index));
    wr_lower_pop(l);
}

/* ---- blocks ---- */

static void enter_loop(Lower *l, Label *label) {
    label->start = wr_module_offset(l->module, l->at.end);
    wr_lower_jump(l, label, top(l, label->nparams));
    if (l->frame != NULL && label->start == l->loop) wr_lower_gate(l, label);
    continue_in(l, label->target);
    push_all(l, label, label->phis, label->nparams);
    if (!wr_state_is_kept(l)) return;
    StatePlace place = {(u32)(l->at.end - l->code->start), l->entry_index, l->height};
    wr_state_poll(l, &place);
}

Label *wr_lower_enter(Lower *l, LabelKind kind) {
    Label *label = add_label(l, kind);
    if (label != NULL && kind == LABEL_LOOP) enter_loop(l, label);
    return label;
}

static void lower_if(Lower *l) {
    LLVMValueRef condition = pop_condition(l);
    Label *label = wr_lower_enter(l, LABEL_IF);
    if (label == NULL) return;
    label->kept =
        wr_arena_copy(&l->arena, top(l, label->nparams), label->nparams * sizeof(LLVMValueRef));
    if (label->kept == NULL) l->failed = true;
    LLVMBasicBlockRef then = wr_lower_block(l);
    label->otherwise = wr_lower_block(l);
    hint(l, LLVMBuildCondBr(l->b, condition, then, label->otherwise));
    wr_lower_fuel_flow(l, then);
    LLVMBasicBlockRef kept = l->fuel_kept;
    LLVMPositionBuilderAtEnd(l->b, label->otherwise);
    wr_lower_fuel_branch(l, l->entry_index, l->height, 0);
    label->otherwise = LLVMGetInsertBlock(l->b);
    l->fuel_kept = kept;
    continue_in(l, then);
}

static void lower_else(Lower *l) {
    Label *label = wr_lower_label(l, 0);
    if (!l->unreachable) {
        wr_lower_fuel_branch(l, l->entry_index, label->height, label->nresults);
        wr_lower_jump(l, label, top(l, label->nresults));
    }
    label->kind = LABEL_ELSE;
    continue_in(l, label->otherwise);
    push_all(l, label, label->kept, label->nparams);
}

/* The end of an `if` without one: there the parameters are the results. */
static void lower_no_else(Lower *l, Label *label) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    LLVMPositionBuilderAtEnd(l->b, label->otherwise);
    wr_lower_jump(l, label, label->kept);
    LLVMPositionBuilderAtEnd(l->b, here);
}

/* Several are left for the caller. */
static void leave_results(Lower *l, const Label *label) {
    LLVMValueRef values = wr_lower_values(l);
    for (u32 i = 0, slot = 0; i < label->nresults; i++) {
        wr_lower_store_slot(l, values, slot, l->stack[label->height + i]);
        slot += type_slots(label->results[i]);
    }
}

/* The results, from the body's target. */
static void lower_exit(Lower *l, Label *label) {
    LLVMValueRef left = wr_lower_fuel_end(l);
    if (l->frame != NULL) {
        wr_lower_exit_frame(l, label->results, label->height, label->nresults);
        return;
    }
    if (label->nresults > 1) leave_results(l, label);
    LLVMValueRef result = label->nresults == 1 ? l->stack[label->height] : NULL;
    if (l->is_counted)
        wr_counted_return(l, left, result);
    else if (result != NULL)
        LLVMBuildRet(l->b, result);
    else
        LLVMBuildRetVoid(l->b);
}

/* Without branches to it the block is left as it was entered: no target is needed. */
static void leave(Lower *l, Label *label) {
    if (label->is_reached) {
        i64 ahead = wr_lower_fuel_ahead(l);
        if (!l->unreachable) {
            if (ahead != 0) wr_lower_fuel_add(l, ahead);
            wr_lower_jump(l, label, top(l, label->nresults));
        }
        continue_in(l, label->target);
        push_all(l, label, label->phis, label->nresults);
        if (ahead != 0) wr_lower_fuel_add(l, -ahead);
        return;
    }
    LLVMDeleteBasicBlock(label->target);
    if (l->unreachable) l->height = label->height;
}

void wr_lower_end(Lower *l) {
    Label *label = wr_lower_label(l, 0);
    if (label->kind == LABEL_IF) lower_no_else(l, label);
    if (label->kind != LABEL_LOOP) leave(l, label);
    if (label->kind == LABEL_BODY && !l->unreachable) lower_exit(l, label);
    l->nlabels -= 1;
    if (l->nlabels > 0 && l->unreachable) wr_lower_dead(l);
}

bool wr_lower_control(Lower *l, Opcode op) {
    if (op == OP_BLOCK)
        wr_lower_enter(l, LABEL_BLOCK);
    else if (op == OP_LOOP)
        wr_lower_enter(l, LABEL_LOOP);
    else if (op == OP_IF)
        lower_if(l);
    else if (op == OP_ELSE)
        lower_else(l);
    else if (op == OP_END && wr_lower_label(l, 0)->kind < LABEL_TRY_TABLE)
        wr_lower_end(l);
    else if (op == OP_BR) {
        Label *label = wr_lower_label(l, l->at.index);
        wr_lower_fuel_branch(l, l->entry_index, label->height, wr_lower_arity(label));
        lower_br(l, label);
    } else if (op == OP_RETURN) {
        wr_lower_fuel_return(l);
        lower_br(l, &l->labels[0]);
    } else if (op == OP_BR_IF)
        lower_br_if(l);
    else if (op == OP_BR_TABLE)
        lower_br_table(l);
    else if (op == OP_BR_ON_NULL)
        lower_br_on_null(l);
    else if (op == OP_BR_ON_NON_NULL)
        lower_br_on_non_null(l);
    else if (op == OP_UNREACHABLE) {
        wr_lower_trap(l, wr_lower_i32(l, WR_TRAP_UNREACHABLE));
        wr_lower_dead(l);
    } else
        return op == OP_NOP;
    return true;
}
