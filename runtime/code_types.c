/*
 * code_types.c - the types of locals and operands at a place in validated code, by validating the body
 * again up to there. Nothing is kept for this: it serves what is rare (exact roots, snapshots,
 * debuggers), and costs what validating the body costs.
 */
#include "validate.h"
#include "validate_code.h"

/* All locals; the ones not used so far are not expanded yet, and no type may carry LOCAL_UNSET. */
static const ValType *copy_locals(Checker *c, Arena *arena) {
    if (c->nlocals > 0 && !wr_check_expand_locals(c, c->nlocals - 1)) return NULL;
    ValType *locals = wr_arena_copy(arena, c->locals, c->nlocals * sizeof *locals);
    if (locals != NULL)
        for (u32 i = 0; i < c->nlocals; i++) locals[i] &= ~(ValType)LOCAL_UNSET;
    return locals;
}

static bool copy_types(Checker *c, Arena *arena, CodeTypes *out) {
    out->nlocals = c->nlocals;
    out->noperands = c->sp;
    out->locals = copy_locals(c, arena);
    out->operands = wr_arena_copy(arena, c->stack, c->sp * sizeof *c->stack);
    return out->locals != NULL && out->operands != NULL;
}

bool wr_code_types_at(const Module *m, const Code *code, u32 pc, Arena *arena, CodeTypes *out) {
    Checker c;
    wr_checker_init(&c, m);
    bool ok = wr_check_enter_again(&c, code);
    if (ok) {
        wr_check_run(&c, code->start + pc);
        ok = !check_failed(&c) && copy_types(&c, arena, out);
    }
    wr_error_delete(c.reader.error); /* out of memory is all that can be wrong by now */
    wr_checker_free(&c);
    return ok;
}

bool wr_code_types_each(const Module *m, const Code *code, const u32 *pcs, u32 count,
                        CodeTypesVisitor *visit, void *context) {
    Checker c;
    wr_checker_init(&c, m);
    bool ok = wr_check_enter_again(&c, code);
    for (u32 i = 0; i < count && ok; i++) {
        Arena arena;
        CodeTypes types;
        wr_arena_init(&arena, c.alloc);
        wr_check_run(&c, code->start + pcs[i]);
        ok = !check_failed(&c) && copy_types(&c, &arena, &types);
        if (ok) visit(context, pcs[i], &types);
        wr_arena_free(&arena);
    }
    wr_error_delete(c.reader.error);
    wr_checker_free(&c);
    return ok;
}
