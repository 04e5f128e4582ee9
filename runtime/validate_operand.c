/*
 * validate_operand.c - the operand stack of the validator: the parts of validate_code.h that are not
 * on the fast path, and the rules for lists of types.
 */
#include "validate_code.h"

bool wr_check_reserve(Checker *c, u32 n) {
    u64 need = (u64)c->sp + n;
    if (need > LIMIT_OPERANDS) {
        wr_check_fail(c, "too many operands: more than %u at one place", LIMIT_OPERANDS);
        return false;
    }
    if (wr_grow_array(c->alloc, &c->stack, &c->stack_capacity, need, LIMIT_OPERANDS,
                      sizeof *c->stack))
        return true;
    wr_check_oom(c);
    return false;
}

bool wr_check_matches(Checker *c, ValType sub, ValType super) {
    if (sub == super || (sub == c->matched_sub && super == c->matched_super)) return true;
    if (!wr_type_matches(c->types, sub, super)) return false;
    c->matched_sub = sub;
    c->matched_super = super;
    return true;
}

ValType wr_check_pop_empty(Checker *c, ValType want) {
    if (!check_frame(c)->dead) wr_check_missing(c, want);
    return T_BOT;
}

void wr_check_pop_other(Checker *c, ValType want, ValType have) {
    if (have == T_BOT || check_failed(c)) return;
    if (!wr_check_matches(c, have, want)) wr_check_mismatch(c, want, have);
}

void wr_check_pop_list_slow(Checker *c, TypeList list) {
    for (u32 i = list.count; i-- > 0 && !check_failed(c);) {
        ValType want = list.types[i], have = check_pop_any(c, want);
        if (have == T_BOT && c->sp == check_frame(c)->height) return; /* the rest is unknown, too */
        if (have != want) wr_check_pop_other(c, want, have);
    }
}

void wr_check_peek_list(Checker *c, TypeList list) {
    if (LIKELY(check_top_equals(c, list))) return;
    const Frame *f = check_frame(c);
    for (u32 i = 1; i <= list.count && !check_failed(c); i++) {
        ValType want = list.types[list.count - i];
        if (c->sp - f->height < i) {
            if (!f->dead) wr_check_missing(c, want);
            return;
        }
        ValType have = c->stack[c->sp - i];
        if (have != want) wr_check_pop_other(c, want, have);
    }
}

ValType wr_check_pop_ref(Checker *c) {
    ValType t = check_pop_any(c, T_REF(HEAP_BOT, 0));
    if (type_is_ref(t)) return t;
    if (t != T_BOT) wr_check_mismatch(c, T_REF(HEAP_BOT, 0), t);
    return T_REF(HEAP_BOT, 0);
}
