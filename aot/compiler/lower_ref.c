/*
 * lower_ref.c - references: null, equality, i31, conversions, tests and casts (spec: exec/instructions,
 * reference). What a reference is made of is store.h's, headers of objects are object.h's.
 *
 * A cast to a defined type compares the object's header first. If that is another one and the type is not
 * final, the object's DefType is looked up by the id in the header, and its display asked for the type.
 */
#include "lower_object.h"

/* ---- types ---- */

/* Whether the DefType `def` is that of the type index or, unless it is exact, a subtype. The display of
 * a type that is not deep enough is read where it has the type itself, which is another one. */
static LLVMValueRef is_def(Lower *l, LLVMValueRef def, u32 type_index, bool exact) {
    const Unit *u = l->unit;
    const DefType *type = l->module->types[type_index];
    LLVMValueRef wanted = wr_lower_def(l, type_index);
    if (exact || type->final) return LLVMBuildICmp(l->b, LLVMIntEQ, def, wanted, "");
    LLVMValueRef depths[] = {wr_lower_load_fixed(l, u->i32, def, offsetof(DefType, depth)),
                             wr_lower_i32(l, type->depth)};
    LLVMValueRef less = LLVMBuildICmp(l->b, LLVMIntULT, depths[0], depths[1], "");
    LLVMValueRef depth = LLVMBuildSelect(l->b, less, depths[0], depths[1], "");
    depth = LLVMBuildZExt(l->b, depth, u->i64, "");
    LLVMValueRef display = wr_lower_load_fixed(l, u->ptr, def, offsetof(DefType, display));
    LLVMValueRef entry = LLVMBuildInBoundsGEP2(l->b, u->ptr, display, &depth, 1, "");
    LLVMValueRef actual = wr_lower_load_fixed(l, u->ptr, entry, 0);
    return LLVMBuildICmp(l->b, LLVMIntEQ, actual, wanted, "");
}

/* wr_types_get(), for the id in an object's header. */
static LLVMValueRef def_of_header(Lower *l, LLVMValueRef header) {
    const Unit *u = l->unit;
    LLVMTypeRef wide = u->i64;
    LLVMValueRef id = LLVMBuildLShr(l->b, header, wr_lower_i32(l, 1), "");
    id = LLVMBuildZExt(l->b, id, wide, "");
    /* ids of chunk k, plus FIRST_IDS, are FIRST_IDS << k and up */
    LLVMValueRef first = wr_lower_i64(l, TYPES_FIRST_IDS);
    LLVMValueRef sum = LLVMBuildAdd(l->b, id, first, "");
    LLVMValueRef scaled = LLVMBuildUDiv(l->b, sum, first, "");
    unsigned ctlz = LLVMLookupIntrinsicID("llvm.ctlz", 9);
    LLVMValueRef arguments[] = {scaled, LLVMConstInt(u->i1, 1, false)};
    LLVMValueRef zeros =
        LLVMBuildCall2(l->b, LLVMIntrinsicGetType(u->context, ctlz, &wide, 1),
                       LLVMGetIntrinsicDeclaration(u->module, ctlz, &wide, 1), arguments, 2, "");
    LLVMValueRef chunk = LLVMBuildSub(l->b, wr_lower_i64(l, 63), zeros, "");
    LLVMValueRef start = LLVMBuildShl(l->b, first, chunk, "");
    LLVMValueRef index = LLVMBuildSub(l->b, sum, start, "");
    LLVMValueRef store =
        wr_lower_load_fixed(l, u->ptr, l->context, offsetof(struct wr_instance, store));
    LLVMValueRef engine = wr_lower_load_fixed(l, u->ptr, store, offsetof(struct wr_store, engine));
    LLVMValueRef table = wr_lower_load_fixed(l, u->ptr, engine, offsetof(struct wr_engine, types));
    LLVMValueRef at = LLVMBuildInBoundsGEP2(l->b, u->ptr, table, &chunk, 1, "");
    LLVMValueRef entries = wr_lower_load(l, u->ptr, at, u->tbaa_instance);
    at = LLVMBuildInBoundsGEP2(l->b, u->ptr, entries, &index, 1, "");
    return wr_lower_load(l, u->ptr, at, u->tbaa_instance);
}

/* ---- what is known of a reference ---- */

#define NOT_NULL 1u
#define IS_OBJECT 2u /* or null */

/* Whether references of such a type, not null, are all objects. */
static bool are_objects(const DefType *type, HeapType heap) {
    if (!heap_is_defined(heap)) return heap == HEAP_STRUCT || heap == HEAP_ARRAY;
    return type->comp != COMP_FUNC;
}

static const DefType *canonical_type(const Lower *l, HeapType heap) {
    return heap_is_defined(heap) ? wr_types_get(l->module->engine->types, heap_type_id(heap))
                                 : NULL;
}

LLVMValueRef wr_lower_note_type(Lower *l, LLVMValueRef value, ValType type) {
    if (!type_is_ref(type)) return value;
    HeapType heap = type_heap(type);
    u32 known = type_is_nullable(type) ? 0 : NOT_NULL;
    if (are_objects(canonical_type(l, heap), heap)) known |= IS_OBJECT;
    if (known != 0) LLVMSetMetadata(value, l->unit->kind_known, l->unit->known_refs[known]);
    return value;
}

/* Of constants nothing is. */
static u32 known_of(const Lower *l, LLVMValueRef ref) {
    const Unit *u = l->unit;
    LLVMValueRef noted =
        LLVMIsAInstruction(ref) != NULL ? LLVMGetMetadata(ref, u->kind_known) : NULL;
    for (u32 known = 1; noted != NULL && known < ARRAY_LEN(u->known_refs); known++)
        if (noted == u->known_refs[known]) return known;
    return 0;
}

bool wr_lower_is_never_null(const Lower *l, LLVMValueRef ref) {
    return known_of(l, ref) & NOT_NULL;
}

void wr_lower_trap_if_null(Lower *l, LLVMValueRef ref, wr_trap_code_t code) {
    if (!wr_lower_is_never_null(l, ref)) wr_lower_trap_if(l, wr_lower_is_null(l, ref), code);
}

/* ---- a value that several blocks may decide ---- */

typedef struct Verdict {
    LLVMBasicBlockRef done, from[4];
    LLVMValueRef values[4];
    u32 count;
} Verdict;

/* The open block ends here, with this verdict. */
static void decide(Lower *l, Verdict *v, LLVMValueRef value) {
    v->from[v->count] = LLVMGetInsertBlock(l->b);
    v->values[v->count++] = value;
    LLVMBuildBr(l->b, v->done);
}
/* It ends if the condition holds, and else goes on in a new block. */
static void decide_if(Lower *l, Verdict *v, LLVMValueRef condition, bool value) {
    LLVMBasicBlockRef next = wr_lower_block(l);
    v->from[v->count] = LLVMGetInsertBlock(l->b);
    v->values[v->count++] = LLVMConstInt(l->unit->i1, value, false);
    LLVMBuildCondBr(l->b, condition, v->done, next);
    LLVMPositionBuilderAtEnd(l->b, next);
}
static LLVMValueRef verdict(Lower *l, Verdict *v) {
    LLVMPositionBuilderAtEnd(l->b, v->done);
    LLVMValueRef phi = LLVMBuildPhi(l->b, l->unit->i1, "");
    LLVMAddIncoming(phi, v->values, v->from, v->count);
    return phi;
}

/* ---- tests ---- */

/* The header of an object's type: the object's own, unless that leads to its descriptor, which has it. */
static LLVMValueRef type_header(Lower *l, LLVMValueRef header) {
    LLVMBasicBlockRef from[2], next = wr_lower_block(l);
    LLVMValueRef values[2] = {header};
    LLVMValueRef low = LLVMBuildTrunc(l->b, header, l->unit->i1, "");
    from[0] = LLVMGetInsertBlock(l->b);
    from[1] = wr_lower_block(l);
    LLVMBuildCondBr(l->b, low, next, from[1]);
    LLVMPositionBuilderAtEnd(l->b, from[1]);
    LLVMValueRef address = wr_lower_field(l, wr_lower_object(l, header), OBJECT_HEADER);
    values[1] = wr_lower_object_load(l, l->unit->i32, address, PART_HEADER);
    LLVMBuildBr(l->b, next);
    LLVMPositionBuilderAtEnd(l->b, next);
    LLVMValueRef phi = LLVMBuildPhi(l->b, l->unit->i32, "");
    LLVMAddIncoming(phi, values, from, 2);
    return phi;
}

/* Of an object. */
static LLVMValueRef object_matches(Lower *l, LLVMValueRef ref, u32 type_index, bool exact) {
    const DefType *type = l->module->types[type_index];
    Verdict v = {.done = wr_lower_block(l)};
    LLVMValueRef header =
        wr_lower_object_load(l, l->unit->i32, wr_lower_object(l, ref), PART_HEADER);
    LLVMValueRef wanted = wr_lower_header(l, type_index);
    exact = exact || type->final;
    if (type->descriptor == NULL) {
        LLVMValueRef same = LLVMBuildICmp(l->b, LLVMIntEQ, header, wanted, "");
        if (exact)
            decide(l, &v, same);
        else
            decide_if(l, &v, same, true);
    }
    if (type->descriptor != NULL || !exact) {
        header = type_header(l, header);
        if (exact)
            decide(l, &v, LLVMBuildICmp(l->b, LLVMIntEQ, header, wanted, ""));
        else
            decide(l, &v, is_def(l, def_of_header(l, header), type_index, false));
    }
    return verdict(l, &v);
}

/* Of a function: the handle is an index in Store.funcs. */
static LLVMValueRef func_matches(Lower *l, LLVMValueRef ref, u32 type_index, bool exact) {
    LLVMTypeRef ptr = l->unit->ptr;
    LLVMValueRef def =
        wr_lower_load_fixed(l, ptr, wr_lower_func(l, ref), offsetof(struct wr_func, type));
    return is_def(l, def, type_index, exact);
}

static LLVMValueRef low_bits(Lower *l, LLVMValueRef ref) {
    return LLVMBuildAnd(l->b, ref, wr_lower_i32(l, 3), "");
}

/* Of a reference that is not null. */
static LLVMValueRef matches_abstract(Lower *l, LLVMValueRef ref, HeapType heap) {
    LLVMTypeRef i1 = l->unit->i1;
    switch ((HeapKind)heap) {
    case HEAP_FUNC:
    case HEAP_EXTERN:
    case HEAP_ANY:
    case HEAP_EXN: return LLVMConstInt(i1, 1, false);
    case HEAP_EQ: return LLVMBuildICmp(l->b, LLVMIntNE, low_bits(l, ref), wr_lower_i32(l, 2), "");
    case HEAP_I31: return LLVMBuildTrunc(l->b, ref, i1, "");
    case HEAP_STRUCT:
    case HEAP_ARRAY: {
        LLVMValueRef arguments[] = {ref, wr_lower_i32(l, heap)};
        return LLVMBuildIsNotNull(l->b, wr_lower_helper(l, HELPER_REF_MATCHES, arguments, 2), "");
    }
    case HEAP_NONE:
    case HEAP_NOFUNC:
    case HEAP_NOEXTERN:
    case HEAP_NOEXN:
    case HEAP_BOT:
    case HEAP_DEFINED: break;
    }
    return LLVMConstInt(i1, 0, false);
}

static bool is_object(const Lower *l, LLVMValueRef ref, HeapType source) {
    const DefType *type = heap_is_defined(source) ? l->module->types[heap_type_id(source)] : NULL;
    return are_objects(type, source) || known_of(l, ref) & IS_OBJECT;
}

/* Whether a reference of type `source` is of type `target`, both as the module has them; i1. */
static LLVMValueRef matches(Lower *l, LLVMValueRef ref, HeapType source, HeapType target,
                            bool null_matches) {
    Verdict v = {.done = wr_lower_block(l)};
    if (!wr_lower_is_never_null(l, ref)) decide_if(l, &v, wr_lower_is_null(l, ref), null_matches);
    if (!heap_is_defined(target)) {
        decide(l, &v, matches_abstract(l, ref, target));
        return verdict(l, &v);
    }
    u32 index = heap_type_id(target);
    bool exact = heap_is_exact(target);
    if (l->module->types[index]->comp == COMP_FUNC) {
        decide(l, &v, func_matches(l, ref, index, exact));
        return verdict(l, &v);
    }
    if (!is_object(l, ref, source)) {
        LLVMValueRef bits = low_bits(l, ref);
        decide_if(l, &v, LLVMBuildIsNotNull(l->b, bits, ""), false);
    }
    decide(l, &v, object_matches(l, ref, index, exact));
    return verdict(l, &v);
}

/* Whether it is a structure with that descriptor, which is not null. */
static LLVMValueRef has_descriptor(Lower *l, LLVMValueRef ref, LLVMValueRef descriptor,
                                   bool null_matches) {
    Verdict v = {.done = wr_lower_block(l)};
    decide_if(l, &v, wr_lower_is_null(l, ref), null_matches);
    decide_if(l, &v, LLVMBuildIsNotNull(l->b, low_bits(l, ref), ""), false);
    LLVMValueRef header =
        wr_lower_object_load(l, l->unit->i32, wr_lower_object(l, ref), PART_HEADER);
    decide(l, &v, LLVMBuildICmp(l->b, LLVMIntEQ, header, descriptor, ""));
    return verdict(l, &v);
}

/* ---- instructions ---- */

static LLVMValueRef pop_descriptor(Lower *l) {
    LLVMValueRef descriptor = wr_lower_pop(l);
    wr_lower_trap_if_null(l, descriptor, WR_TRAP_NULL_DESCRIPTOR_REFERENCE);
    return descriptor;
}

static void lower_test(Lower *l, bool null_matches) {
    LLVMValueRef is = matches(l, wr_lower_pop(l), HEAP_ANY, l->at.heap, null_matches);
    wr_lower_push(l, LLVMBuildZExt(l->b, is, l->unit->i32, ""));
}

static void lower_cast(Lower *l, bool null_matches) {
    LLVMValueRef ref = wr_lower_pop(l);
    LLVMValueRef is = matches(l, ref, HEAP_ANY, l->at.heap, null_matches);
    wr_lower_trap_if(l, LLVMBuildNot(l->b, is, ""), WR_TRAP_CAST_FAILURE);
    wr_lower_push(l, ref);
}

static void lower_cast_desc(Lower *l, bool null_matches) {
    LLVMValueRef descriptor = pop_descriptor(l), ref = wr_lower_pop(l);
    LLVMValueRef is = has_descriptor(l, ref, descriptor, null_matches);
    wr_lower_trap_if(l, LLVMBuildNot(l->b, is, ""), WR_TRAP_DESCRIPTOR_CAST_FAILURE);
    wr_lower_push(l, ref);
}

/* The reference stays on the stack, whether the branch is taken or not. */
static void lower_br_on_cast(Lower *l, bool by_descriptor, bool wanted) {
    LLVMValueRef descriptor = by_descriptor ? pop_descriptor(l) : NULL, ref = wr_lower_pop(l);
    bool null_matches = l->at.flags >> 1 & 1;
    wr_lower_push(l, ref);
    LLVMValueRef is = by_descriptor ? has_descriptor(l, ref, descriptor, null_matches)
                                    : matches(l, ref, l->at.heap, l->at.heap2, null_matches);
    if (!wanted) is = LLVMBuildNot(l->b, is, "");
    wr_lower_jump_if(l, is, wr_lower_label(l, l->at.index));
}

static void lower_i31_get(Lower *l, bool is_signed) {
    LLVMValueRef ref = wr_lower_pop(l), one = wr_lower_i32(l, 1);
    wr_lower_trap_if_null(l, ref, WR_TRAP_NULL_I31_REFERENCE);
    wr_lower_push(l, is_signed ? LLVMBuildAShr(l->b, ref, one, "")
                               : LLVMBuildLShr(l->b, ref, one, ""));
}

static void lower_ref_i31(Lower *l) {
    LLVMValueRef one = wr_lower_i32(l, 1);
    LLVMValueRef shifted = LLVMBuildShl(l->b, wr_lower_pop(l), one, "");
    wr_lower_push(l, LLVMBuildOr(l->b, shifted, one, ""));
}

static void lower_ref_func(Lower *l) {
    LLVMValueRef func = wr_lower_entity(l, offsetof(struct wr_instance, funcs), l->at.index);
    wr_lower_push(l, wr_lower_load_fixed(l, l->unit->i32, func, offsetof(struct wr_func, handle)));
}

static void lower_get_desc(Lower *l) {
    LLVMValueRef ref = wr_lower_pop(l);
    wr_lower_trap_if_null(l, ref, WR_TRAP_NULL_REFERENCE);
    wr_lower_push(l, wr_lower_object_load(l, l->unit->i32, wr_lower_object(l, ref), PART_HEADER));
}

static void lower_as_non_null(Lower *l) {
    LLVMValueRef ref = wr_lower_pop(l);
    wr_lower_trap_if_null(l, ref, WR_TRAP_NULL_REFERENCE);
    wr_lower_push(l, ref);
}

static void push_truth(Lower *l, LLVMValueRef condition) {
    wr_lower_push(l, LLVMBuildZExt(l->b, condition, l->unit->i32, ""));
}

static void lower_eq(Lower *l) {
    LLVMValueRef a = wr_lower_pop(l), b = wr_lower_pop(l);
    push_truth(l, LLVMBuildICmp(l->b, LLVMIntEQ, a, b, ""));
}

static bool lower_casts(Lower *l, Opcode op) {
    if (op == OP_REF_TEST || op == OP_REF_TEST_NULL)
        lower_test(l, op == OP_REF_TEST_NULL);
    else if (op == OP_REF_CAST || op == OP_REF_CAST_NULL)
        lower_cast(l, op == OP_REF_CAST_NULL);
    else if (op == OP_REF_CAST_DESC_EQ || op == OP_REF_CAST_DESC_EQ_NULL)
        lower_cast_desc(l, op == OP_REF_CAST_DESC_EQ_NULL);
    else if (op == OP_BR_ON_CAST || op == OP_BR_ON_CAST_FAIL)
        lower_br_on_cast(l, false, op == OP_BR_ON_CAST);
    else if (op == OP_BR_ON_CAST_DESC_EQ || op == OP_BR_ON_CAST_DESC_EQ_FAIL)
        lower_br_on_cast(l, true, op == OP_BR_ON_CAST_DESC_EQ);
    else
        return false;
    return true;
}

bool wr_lower_ref(Lower *l, Opcode op) {
    if (op == OP_REF_NULL)
        wr_lower_push(l, wr_lower_i32(l, 0));
    else if (op == OP_REF_IS_NULL)
        push_truth(l, wr_lower_is_null(l, wr_lower_pop(l)));
    else if (op == OP_REF_FUNC)
        lower_ref_func(l);
    else if (op == OP_REF_EQ)
        lower_eq(l);
    else if (op == OP_REF_AS_NON_NULL)
        lower_as_non_null(l);
    else if (op == OP_REF_I31)
        lower_ref_i31(l);
    else if (op == OP_I31_GET_S || op == OP_I31_GET_U)
        lower_i31_get(l, op == OP_I31_GET_S);
    else if (op == OP_REF_GET_DESC)
        lower_get_desc(l);
    else if (op != OP_ANY_CONVERT_EXTERN && op != OP_EXTERN_CONVERT_ANY)
        return lower_casts(l, op);
    return true; /* conversions do nothing (store.h) */
}
