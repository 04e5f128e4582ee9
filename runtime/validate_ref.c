/*
 * validate_ref.c - references: null, functions, tests and casts, i31, conversions between the
 * hierarchies, and the branches on them (spec: valid/instructions, reference).
 */
#include "validate_code.h"

/* ---- helpers ---- */

static ValType with_null(ValType t, bool nullable) { return T_REF(type_heap(t), nullable); }

/* The greatest heap type of the hierarchy that `h` is in. */
static HeapType heap_top(const Checker *c, HeapType h) {
    if (heap_is_defined(h)) {
        const DefType *def = wr_types_get(c->types, heap_type_id(h));
        return def->comp == COMP_FUNC ? HEAP_FUNC : HEAP_ANY;
    }
    switch ((unsigned)h) {
    case HEAP_FUNC:
    case HEAP_NOFUNC: return HEAP_FUNC;
    case HEAP_EXTERN:
    case HEAP_NOEXTERN: return HEAP_EXTERN;
    case HEAP_EXN:
    case HEAP_NOEXN: return HEAP_EXN;
    default: return HEAP_ANY;
    }
}

/* The label's types without the last; false (and failed) if there is none. */
static bool label_prefix(Checker *c, const Frame *f, TypeList *prefix, ValType *last) {
    *prefix = check_label(f);
    if (prefix->count == 0) {
        wr_check_fail(c, "type mismatch: the label takes no reference");
        return false;
    }
    *last = prefix->types[--prefix->count];
    prefix->slots -= type_slots(*last);
    return true;
}

/* ---- plain ---- */

static void check_ref_null(Checker *c) {
    HeapType heap = wr_read_heaptype(&c->reader, c->module);
    check_push(c, T_REF(heap, 1));
}

static void check_ref_is_null(Checker *c) {
    wr_check_pop_ref(c);
    check_push(c, T_I32);
}

static void check_ref_as_non_null(Checker *c) { check_push(c, with_null(wr_check_pop_ref(c), 0)); }

static void check_ref_func(Checker *c) {
    u32 index = wr_read_u32(&c->reader);
    if (index >= c->module->nfuncs) {
        wr_check_fail(c, "unknown function %u", index);
        return;
    }
    if (check_failed(c)) return;
    const FuncDecl *func = &c->module->funcs[index];
    if (!func->declared) wr_check_fail(c, "undeclared function reference");
    check_push(c,
               func->exact ? check_exact_ref(func->type) : with_null(check_def_ref(func->type), 0));
}

static void check_ref_eq(Checker *c) {
    check_pop(c, T_REF(HEAP_EQ, 1));
    check_pop(c, T_REF(HEAP_EQ, 1));
    check_push(c, T_I32);
}

static void check_ref_i31(Checker *c) {
    check_pop(c, T_I32);
    check_push(c, T_REF(HEAP_I31, 0));
}

static void check_i31_get(Checker *c) {
    check_pop(c, T_REF(HEAP_I31, 1));
    check_push(c, T_I32);
}

static void check_convert(Checker *c, HeapType from, HeapType to) {
    ValType t = check_pop_any(c, T_REF(from, 1));
    if (t != T_BOT && !wr_type_matches(c->types, t, T_REF(from, 1)))
        wr_check_mismatch(c, T_REF(from, 1), t);
    check_push(c, T_REF(to, t != T_BOT && type_is_nullable(t)));
}

/* ---- tests and casts ---- */

static void check_test(Checker *c, bool nullable, bool is_cast) {
    HeapType heap = wr_read_heaptype(&c->reader, c->module);
    if (check_failed(c)) return;
    check_pop(c, T_REF(heap_top(c, heap), 1));
    check_push(c, is_cast ? T_REF(heap, nullable) : T_I32);
}

/* ---- descriptors ---- */

/* The result is exact only if the operand is known to be of just that type. */
static void check_get_descriptor(Checker *c) {
    const DefType *def = wr_check_type_index(c);
    if (def == NULL) return;
    if (def->descriptor == NULL) {
        wr_check_fail(c, "type without descriptor");
        return;
    }
    ValType have = wr_check_pop_ref(c), want = check_def_ref(def);
    bool is_exact = wr_type_matches(c->types, have, with_null(check_exact_ref(def), 1));
    if (!is_exact && !wr_type_matches(c->types, have, want)) wr_check_mismatch(c, want, have);
    check_push(c, is_exact ? check_exact_ref(def->descriptor)
                           : with_null(check_def_ref(def->descriptor), 0));
}

/* Pops the descriptor that a cast compares with: it is as exact as the cast. False, and failed, if the
 * type has none. */
static bool pop_descriptor(Checker *c, HeapType target) {
    const DefType *def =
        heap_is_defined(target) ? wr_types_get(c->types, heap_type_id(target)) : NULL;
    if (def == NULL || def->descriptor == NULL) {
        wr_check_no_descriptor(c, target);
        return false;
    }
    ValType exact = with_null(check_exact_ref(def->descriptor), 1);
    check_pop(c, heap_is_exact(target) ? exact : check_def_ref(def->descriptor));
    return !check_failed(c);
}

static void check_cast_desc(Checker *c, bool nullable) {
    HeapType heap = wr_read_heaptype(&c->reader, c->module);
    if (check_failed(c) || !pop_descriptor(c, heap)) return;
    check_pop(c, T_REF(heap_top(c, heap), 1));
    check_push(c, T_REF(heap, nullable));
}

/* ---- branches ---- */

/* Takes the label's values [t*] that lie on top, and gives them back as the label types them. */
static void retype(Checker *c, TypeList types) {
    check_pop_list(c, types);
    check_push_list(c, types);
}

/* The reference is gone if the branch is taken. */
static void check_br_on_null(Checker *c) {
    Frame *f = wr_check_label_index(c);
    if (f == NULL) return;
    ValType t = wr_check_pop_ref(c);
    wr_check_branch(c, f, check_height(c));
    retype(c, check_label(f));
    check_push(c, with_null(t, 0));
}

/* The reference is the label's last value; it is gone if the branch is not taken. */
static void check_br_on_non_null(Checker *c) {
    Frame *f = wr_check_label_index(c);
    TypeList prefix;
    ValType last;
    if (f == NULL || !label_prefix(c, f, &prefix, &last)) return;
    u32 height = check_height(c);
    ValType t = with_null(wr_check_pop_ref(c), 0);
    if (t != last && !wr_type_matches(c->types, t, last)) wr_check_mismatch(c, last, t);
    wr_check_branch(c, f, height);
    retype(c, prefix);
}

/* Whether a cast may be written: down, or with custom descriptors to anywhere in the hierarchy. */
static bool is_castable(const Checker *c, ValType source, ValType target) {
    if (feature_on(c->module->features, FEATURE_CUSTOM_DESCRIPTORS))
        return heap_top(c, type_heap(source)) == heap_top(c, type_heap(target));
    return wr_type_matches(c->types, target, source);
}

/* br_on_cast branches with the target type and goes on with what remains of the source type;
 * br_on_cast_fail does the opposite. A descriptor lies above the reference. */
static void check_br_on_cast(Checker *c, bool on_fail, bool by_descriptor) {
    u8 flags = wr_read_u8(&c->reader);
    if (flags > 3) wr_check_malformed(c, "malformed br_on_cast flags");
    Frame *f = wr_check_label_index(c);
    if (f == NULL) return;
    HeapType source_heap = wr_read_heaptype(&c->reader, c->module);
    HeapType target_heap = wr_read_heaptype(&c->reader, c->module);
    TypeList prefix;
    ValType last;
    if (check_failed(c) || !label_prefix(c, f, &prefix, &last)) return;
    ValType source = T_REF(source_heap, flags & 1), target = T_REF(target_heap, flags >> 1);
    ValType rest = type_is_nullable(target) ? with_null(source, 0) : source;
    ValType taken = on_fail ? rest : target;
    if (!is_castable(c, source, target)) wr_check_mismatch(c, source, target);
    if (!wr_type_matches(c->types, taken, last)) wr_check_mismatch(c, last, taken);
    if (check_failed(c) || (by_descriptor && !pop_descriptor(c, target_heap))) return;
    u32 height = check_height(c);
    check_pop(c, source);
    wr_check_branch(c, f, height);
    retype(c, prefix);
    check_push(c, on_fail ? target : rest);
}

bool wr_check_reference(Checker *c, Opcode op) {
    switch ((unsigned)op) {
    case OP_REF_NULL: check_ref_null(c); return true;
    case OP_REF_IS_NULL: check_ref_is_null(c); return true;
    case OP_REF_FUNC: check_ref_func(c); return true;
    case OP_REF_EQ: check_ref_eq(c); return true;
    case OP_REF_AS_NON_NULL: check_ref_as_non_null(c); return true;
    case OP_BR_ON_NULL: check_br_on_null(c); return true;
    case OP_BR_ON_NON_NULL: check_br_on_non_null(c); return true;
    case OP_BR_ON_CAST: check_br_on_cast(c, false, false); return true;
    case OP_BR_ON_CAST_FAIL: check_br_on_cast(c, true, false); return true;
    case OP_BR_ON_CAST_DESC_EQ: check_br_on_cast(c, false, true); return true;
    case OP_BR_ON_CAST_DESC_EQ_FAIL: check_br_on_cast(c, true, true); return true;
    case OP_REF_GET_DESC: check_get_descriptor(c); return true;
    case OP_REF_CAST_DESC_EQ: check_cast_desc(c, false); return true;
    case OP_REF_CAST_DESC_EQ_NULL: check_cast_desc(c, true); return true;
    case OP_REF_TEST: check_test(c, false, false); return true;
    case OP_REF_TEST_NULL: check_test(c, true, false); return true;
    case OP_REF_CAST: check_test(c, false, true); return true;
    case OP_REF_CAST_NULL: check_test(c, true, true); return true;
    case OP_ANY_CONVERT_EXTERN: check_convert(c, HEAP_EXTERN, HEAP_ANY); return true;
    case OP_EXTERN_CONVERT_ANY: check_convert(c, HEAP_ANY, HEAP_EXTERN); return true;
    case OP_REF_I31: check_ref_i31(c); return true;
    case OP_I31_GET_S:
    case OP_I31_GET_U: check_i31_get(c); return true;
    default: return false;
    }
}
