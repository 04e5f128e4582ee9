/*
 * validate_gc.c - structures and arrays (spec: valid/instructions, aggregate).
 */
#include "validate_code.h"

static bool is_packed(ValType t) { return t == VK_I8 || t == VK_I16; }
static ValType unpacked(ValType t) { return is_packed(t) ? T_I32 : t; }

/* The type of a field as operand, for an instruction that sign- or zero-extends or does neither. */
static ValType read_field(Checker *c, ValType t, bool extends) {
    if (is_packed(t) != extends)
        wr_check_fail(c, extends ? "type mismatch: field is not packed"
                                 : "type mismatch: field is packed");
    return unpacked(t);
}

/* In dead code, with no operands left: however many are popped, all of them are unknown. */
static bool is_bottomless(const Checker *c) {
    const Frame *f = check_frame(c);
    return f->dead && c->sp == f->height;
}

/* ---- structures ---- */

/* Objects of a type with a descriptor are made with one, which must describe just that type; the others
 * are not. The descriptor is the topmost operand. */
static void check_descriptor(Checker *c, const DefType *def, bool has_descriptor) {
    if (has_descriptor != (def->descriptor != NULL))
        wr_check_fail(c, has_descriptor
                             ? "type without descriptor requires non-descriptor allocation"
                             : "type with descriptor requires descriptor allocation");
    if (!check_failed(c) && has_descriptor)
        check_pop(c, T_REF(type_heap(check_exact_ref(def->descriptor)), 1));
}

static void check_struct_new(Checker *c, bool has_descriptor) {
    const DefType *def = wr_check_comp_index(c, COMP_STRUCT);
    if (def == NULL) return;
    check_descriptor(c, def, has_descriptor);
    for (u32 i = def->nfields; i-- > 0 && !check_failed(c) && !is_bottomless(c);)
        check_pop(c, unpacked(def->fields[i].type));
    check_push(c, check_exact_ref(def));
}

static void check_struct_new_default(Checker *c, bool has_descriptor) {
    const DefType *def = wr_check_comp_index(c, COMP_STRUCT);
    if (def == NULL) return;
    if (def->first_required < def->nfields)
        wr_check_fail(c, "field type is not defaultable: field %u", def->first_required);
    check_descriptor(c, def, has_descriptor);
    check_push(c, check_exact_ref(def));
}

static const FieldType *field_index(Checker *c, const DefType **def) {
    *def = wr_check_comp_index(c, COMP_STRUCT);
    u32 index = wr_read_u32(&c->reader);
    if (*def == NULL || check_failed(c)) return NULL;
    if (index < (*def)->nfields) return &(*def)->fields[index];
    wr_check_fail(c, "unknown field %u", index);
    return NULL;
}

static void check_struct_get(Checker *c, bool extends) {
    const DefType *def;
    const FieldType *field = field_index(c, &def);
    if (field == NULL) return;
    check_pop(c, check_def_ref(def));
    check_push(c, read_field(c, field->type, extends));
}

static void check_struct_set(Checker *c) {
    const DefType *def;
    const FieldType *field = field_index(c, &def);
    if (field == NULL) return;
    if (!field->mutable) wr_check_fail(c, "immutable field");
    check_pop(c, unpacked(field->type));
    check_pop(c, check_def_ref(def));
}

/* ---- arrays ---- */

static ValType element(const DefType *array) { return unpacked(array->fields[0].type); }

static const DefType *mutable_array(Checker *c) {
    const DefType *def = wr_check_comp_index(c, COMP_ARRAY);
    if (def != NULL && !def->fields[0].mutable) wr_check_fail(c, "immutable array");
    return def;
}

static void check_array_new(Checker *c, bool is_default) {
    const DefType *def = wr_check_comp_index(c, COMP_ARRAY);
    if (def == NULL) return;
    check_pop(c, T_I32);
    if (!is_default)
        check_pop(c, element(def));
    else if (!type_is_defaultable(def->fields[0].type))
        wr_check_fail(c, "array type is not defaultable");
    check_push(c, check_exact_ref(def));
}

/* The count is no vector's length in the binary, but it cannot exceed the operands either. */
static void check_array_new_fixed(Checker *c) {
    const DefType *def = wr_check_comp_index(c, COMP_ARRAY);
    u32 count = wr_read_u32(&c->reader);
    if (def == NULL || check_failed(c)) return;
    for (u32 i = 0; i < count && !check_failed(c) && !is_bottomless(c); i++)
        check_pop(c, element(def));
    check_push(c, check_exact_ref(def));
}

/* Bytes of a data segment make numbers and vectors, never references. */
static void require_numeric(Checker *c, const DefType *array) {
    if (type_is_ref(array->fields[0].type)) wr_check_fail(c, "array type is not numeric or vector");
}

static void require_elements(Checker *c, const DefType *array, u32 elem) {
    if (check_failed(c)) return;
    ValType from = c->module->elems[elem].type, to = array->fields[0].type;
    if (!wr_type_matches(c->types, from, to)) wr_check_mismatch(c, to, from);
}

static void check_array_new_segment(Checker *c, bool is_data) {
    const DefType *def = wr_check_comp_index(c, COMP_ARRAY);
    u32 segment = is_data ? wr_check_data_index(c) : wr_check_elem_index(c);
    if (def == NULL) return;
    if (is_data)
        require_numeric(c, def);
    else
        require_elements(c, def, segment);
    check_pop(c, T_I32);
    check_pop(c, T_I32);
    check_push(c, check_exact_ref(def));
}

static void check_array_get(Checker *c, bool extends) {
    const DefType *def = wr_check_comp_index(c, COMP_ARRAY);
    if (def == NULL) return;
    check_pop(c, T_I32);
    check_pop(c, check_def_ref(def));
    check_push(c, read_field(c, def->fields[0].type, extends));
}

static void check_array_set(Checker *c) {
    const DefType *def = mutable_array(c);
    if (def == NULL) return;
    check_pop(c, element(def));
    check_pop(c, T_I32);
    check_pop(c, check_def_ref(def));
}

static void check_array_len(Checker *c) {
    check_pop(c, T_REF(HEAP_ARRAY, 1));
    check_push(c, T_I32);
}

static void check_array_fill(Checker *c) {
    const DefType *def = mutable_array(c);
    if (def == NULL) return;
    check_pop(c, T_I32);
    check_pop(c, element(def));
    check_pop(c, T_I32);
    check_pop(c, check_def_ref(def));
}

static void check_array_copy(Checker *c) {
    const DefType *to = mutable_array(c), *from = wr_check_comp_index(c, COMP_ARRAY);
    if (to == NULL || from == NULL) return;
    ValType a = to->fields[0].type, b = from->fields[0].type;
    if (a != b && !wr_type_matches(c->types, b, a)) wr_check_fail(c, "array types do not match");
    check_pop(c, T_I32);
    check_pop(c, T_I32);
    check_pop(c, check_def_ref(from));
    check_pop(c, T_I32);
    check_pop(c, check_def_ref(to));
}

static void check_array_init(Checker *c, bool is_data) {
    const DefType *def = mutable_array(c);
    u32 segment = is_data ? wr_check_data_index(c) : wr_check_elem_index(c);
    if (def == NULL) return;
    if (is_data)
        require_numeric(c, def);
    else
        require_elements(c, def, segment);
    for (u32 i = 0; i < 3; i++) check_pop(c, T_I32);
    check_pop(c, check_def_ref(def));
}

bool wr_check_aggregate(Checker *c, Opcode op) {
    switch ((unsigned)op) {
    case OP_STRUCT_NEW: check_struct_new(c, false); return true;
    case OP_STRUCT_NEW_DEFAULT: check_struct_new_default(c, false); return true;
    case OP_STRUCT_NEW_DESC: check_struct_new(c, true); return true;
    case OP_STRUCT_NEW_DEFAULT_DESC: check_struct_new_default(c, true); return true;
    case OP_STRUCT_GET: check_struct_get(c, false); return true;
    case OP_STRUCT_GET_S:
    case OP_STRUCT_GET_U: check_struct_get(c, true); return true;
    case OP_STRUCT_SET: check_struct_set(c); return true;
    case OP_ARRAY_NEW: check_array_new(c, false); return true;
    case OP_ARRAY_NEW_DEFAULT: check_array_new(c, true); return true;
    case OP_ARRAY_NEW_FIXED: check_array_new_fixed(c); return true;
    case OP_ARRAY_NEW_DATA: check_array_new_segment(c, true); return true;
    case OP_ARRAY_NEW_ELEM: check_array_new_segment(c, false); return true;
    case OP_ARRAY_GET: check_array_get(c, false); return true;
    case OP_ARRAY_GET_S:
    case OP_ARRAY_GET_U: check_array_get(c, true); return true;
    case OP_ARRAY_SET: check_array_set(c); return true;
    case OP_ARRAY_LEN: check_array_len(c); return true;
    case OP_ARRAY_FILL: check_array_fill(c); return true;
    case OP_ARRAY_COPY: check_array_copy(c); return true;
    case OP_ARRAY_INIT_DATA: check_array_init(c, true); return true;
    case OP_ARRAY_INIT_ELEM: check_array_init(c, false); return true;
    default: return false;
    }
}
