/*
 * validate_variable.c - drop, select, locals and globals (spec: valid/instructions, parametric and
 * variable). Locals that have no default value must be set before they are read; what a block sets is
 * unset again behind it.
 */
#include "validate_code.h"

/* ---- drop and select ---- */

/* The instruction moves a v128 but does not say so: the interpreter must know (Code.wide_pcs). */
static void note_wide(Checker *c) {
    if (wr_grow_array(c->alloc, &c->wide_pcs, &c->wide_capacity, (u64)c->nwide + 1, NONE_U32 - 1,
                      sizeof *c->wide_pcs))
        c->wide_pcs[c->nwide++] = check_offset(c, c->at);
    else
        wr_check_oom(c);
}

static void check_drop(Checker *c) {
    if (check_pop_any(c, T_BOT) == T_V128) note_wide(c);
}

static void check_select(Checker *c) {
    check_pop(c, T_I32);
    ValType b = check_pop_any(c, T_BOT), a = check_pop_any(c, b), t = a == T_BOT ? b : a;
    if (type_is_ref(a) || type_is_ref(b))
        wr_check_fail(c, "type mismatch: select of references must name its type");
    else if (a != b && a != T_BOT && b != T_BOT)
        wr_check_mismatch(c, a, b);
    if (t == T_V128) note_wide(c);
    check_push(c, t);
}

static void check_select_t(Checker *c) {
    u32 count = wr_read_u32(&c->reader);
    if (!check_failed(c) && count != 1) {
        wr_check_fail(c, "invalid result arity: select of %u values", count);
        return;
    }
    ValType t = wr_read_valtype(&c->reader, c->module);
    check_pop(c, T_I32);
    check_pop(c, t);
    check_pop(c, t);
    check_push(c, t);
}

/* ---- locals ---- */

static ValType local_default(ValType t) { return type_is_defaultable(t) ? t : t | LOCAL_UNSET; }

/* All at once: bodies that use no local at all, and declare 50000, cost nothing. */
bool wr_check_expand_locals(Checker *c, u32 index) {
    if (index < c->known) return true;
    if (!wr_grow_array(c->alloc, &c->locals, &c->locals_capacity, c->nlocals, NONE_U32 - 1,
                       sizeof *c->locals)) {
        wr_check_oom(c);
        return false;
    }
    u32 n = c->type->nparams;
    if (n > 0) memcpy(c->locals, c->type->types, n * sizeof *c->locals);
    for (u32 i = 0; i < c->nruns; i++) {
        ValType t = local_default(c->runs[i].type);
        for (u32 k = 0; k < c->runs[i].count; k++) c->locals[n++] = t;
    }
    ASSERT(n == c->nlocals);
    c->known = n;
    return true;
}

/* A local index immediate: points to the local's type, or NULL after an error. */
static ValType *local_index(Checker *c, u32 *index) {
    *index = wr_read_u32(&c->reader);
    if (UNLIKELY(*index >= c->nlocals)) {
        wr_check_fail(c, "unknown local %u", *index);
        return NULL;
    }
    if (check_failed(c) || !wr_check_expand_locals(c, *index)) return NULL;
    return &c->locals[*index];
}

static void set_local(Checker *c, ValType *local, u32 index) {
    if (LIKELY(!(*local & LOCAL_UNSET))) return;
    *local &= ~(ValType)LOCAL_UNSET;
    if (wr_grow_array(c->alloc, &c->inits, &c->inits_capacity, (u64)c->ninits + 1, NONE_U32 - 1,
                      sizeof *c->inits))
        c->inits[c->ninits++] = index;
    else
        wr_check_oom(c);
}

static void check_local_get(Checker *c) {
    u32 index;
    const ValType *local = local_index(c, &index);
    if (local == NULL) return;
    if (*local & LOCAL_UNSET)
        wr_check_fail(c, "uninitialized local: %u", index);
    else
        check_push(c, *local);
}

static void check_local_set(Checker *c) {
    u32 index;
    ValType *local = local_index(c, &index);
    if (local == NULL) return;
    check_pop(c, *local & ~(ValType)LOCAL_UNSET);
    set_local(c, local, index);
}

static void check_local_tee(Checker *c) {
    u32 index;
    ValType *local = local_index(c, &index);
    if (local == NULL) return;
    check_pop(c, *local & ~(ValType)LOCAL_UNSET);
    set_local(c, local, index);
    check_push(c, *local);
}

/* ---- globals ---- */

static const GlobalDecl *global_index(Checker *c) {
    u32 index = wr_read_u32(&c->reader), n = c->is_const ? c->visible_globals : c->module->nglobals;
    if (LIKELY(index < n)) return &c->module->globals[index];
    wr_check_fail(c, "unknown global %u", index);
    return NULL;
}

static void check_global_get(Checker *c) {
    const GlobalDecl *global = global_index(c);
    if (global == NULL) return;
    if (c->is_const && global->mutable) wr_check_fail(c, "constant expression required");
    check_push(c, global->type);
}

static void check_global_set(Checker *c) {
    const GlobalDecl *global = global_index(c);
    if (global == NULL) return;
    if (!global->mutable) wr_check_fail(c, "immutable global");
    check_pop(c, global->type);
}

bool wr_check_variable(Checker *c, Opcode op) {
    switch ((unsigned)op) {
    case OP_DROP: check_drop(c); return true;
    case OP_SELECT: check_select(c); return true;
    case OP_SELECT_T: check_select_t(c); return true;
    case OP_LOCAL_GET: check_local_get(c); return true;
    case OP_LOCAL_SET: check_local_set(c); return true;
    case OP_LOCAL_TEE: check_local_tee(c); return true;
    case OP_GLOBAL_GET: check_global_get(c); return true;
    case OP_GLOBAL_SET: check_global_set(c); return true;
    default: return false;
    }
}
