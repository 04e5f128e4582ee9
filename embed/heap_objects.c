/*
 * heap_objects.c - structures and arrays of the guest's heap for the host: making, reading, changing.
 */
#include "heap.h"
#include "object.h"
#include "values.h"

#define USAGE(...) wr_error_at(WR_ERROR_USAGE, NO_OFFSET, __VA_ARGS__)

/* ---- what a reference is -------------------------------------------------------------------- */

wr_object_kind_t wr_object_kind(const wr_store_t *store, const wr_val_t *value) {
    u64 ref = value->of.ref;
    void *ignored;
    bool may_be =
        value->kind == WR_ANYREF || value->kind == WR_EXTERNREF || value->kind == WR_EXNREF;
    if (!may_be || ref == 0) return WR_OBJECT_NONE;
    if (!ref_is_object(ref)) {
        if (ref & 1) return ref <= UINT32_MAX ? WR_OBJECT_I31 : WR_OBJECT_NONE;
        return wr_store_get_extern(store, ref, &ignored) ? WR_OBJECT_HOST : WR_OBJECT_NONE;
    }
    if (!wr_heap_has(store->heap, ref)) return WR_OBJECT_NONE;
    const u8 *object = object_at(store, ref);
    if (object_is_exception(object)) return WR_OBJECT_EXCEPTION;
    return object_def(store, object)->comp == COMP_ARRAY ? WR_OBJECT_ARRAY : WR_OBJECT_STRUCT;
}

wr_val_t wr_i31_new(int32_t value) {
    return (wr_val_t){.kind = WR_ANYREF, .of.ref = (u32)value << 1 | 1};
}

bool wr_i31_get(const wr_val_t *value, int32_t *number) {
    u64 ref = value->of.ref;
    bool may_be = value->kind == WR_ANYREF || value->kind == WR_EXTERNREF;
    if (!may_be || !(ref & 1) || ref > UINT32_MAX) return false;
    *number = (i32)(u32)ref >> 1;
    return true;
}

/* ---- fields and elements -------------------------------------------------------------------- */

/* One field or element. */
typedef struct Field {
    u8 *at;
    Place width;
    ValType type; /* of the value: i32 for packed ones */
    bool is_mutable;
} Field;

static ValType unpacked(ValType type) {
    return type_kind(type) == VK_I8 || type_kind(type) == VK_I16 ? T_I32 : type;
}

static size_t length_of(const u8 *object, const DefType *type) {
    return type->comp == COMP_ARRAY ? array_length(object) : type->nfields;
}

/* NULL if it is neither a structure nor an array. */
static u8 *find_object(const Store *store, const wr_val_t *value, const DefType **type) {
    wr_object_kind_t kind = wr_object_kind(store, value);
    if (kind != WR_OBJECT_STRUCT && kind != WR_OBJECT_ARRAY) return NULL;
    u8 *object = object_at(store, value->of.ref);
    *type = object_def(store, object);
    return object;
}

static bool find_field(const Store *store, const wr_val_t *value, size_t index, Field *field) {
    const DefType *type;
    u8 *object = find_object(store, value, &type);
    if (!object || index >= length_of(object, type)) return false;
    bool is_array = type->comp == COMP_ARRAY;
    const FieldType *declared = &type->fields[is_array ? 0 : index];
    u32 place = type->places[is_array ? 0 : index];
    field->width = place_width(place);
    size_t offset = is_array ? ARRAY_HEADER + (index << field->width) : place_offset(place);
    field->at = object + offset;
    field->type = unpacked(declared->type);
    field->is_mutable = declared->mutable;
    return true;
}

size_t wr_object_length(const wr_store_t *store, const wr_val_t *object) {
    const DefType *type;
    const u8 *found = find_object(store, object, &type);
    return found ? length_of(found, type) : 0;
}

bool wr_object_get(wr_store_t *store, const wr_val_t *object, size_t index, wr_val_t *value) {
    Field field;
    Slot slots[2] = {{0}, {0}};
    if (!find_field(store, object, index, &field)) return false;
    slots[0].u64 = place_load(field.at, field.width);
    if (field.width == PLACE_128) slots[1].u64 = le64_load(field.at + 8);
    wr_value_get(store, field.type, slots, value);
    return true;
}

wr_error_t *wr_object_set(wr_store_t *store, const wr_val_t *object, size_t index,
                          const wr_val_t *value) {
    Field field;
    Slot slots[2] = {{0}, {0}};
    if (!find_field(store, object, index, &field)) return USAGE("there is no such field");
    if (!field.is_mutable) return USAGE("the field is immutable");
    Error *error = wr_value_put(store, value, field.type, slots);
    if (error) return error;
    if (store->heap->marking && wr_type_in_heap(store->engine->types, field.type))
        wr_object_shade(store, field.at, 1);
    place_store(field.at, field.width, slots);
    return NULL;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* The bytes [start, start + size) of an array of i8, or NULL. */
static u8 *find_bytes(const Store *store, const wr_val_t *array, size_t start, size_t size,
                      bool *is_mutable) {
    const DefType *type;
    u8 *object = find_object(store, array, &type);
    if (!object || type->comp != COMP_ARRAY || type_kind(type->fields[0].type) != VK_I8)
        return NULL;
    size_t length = array_length(object);
    *is_mutable = type->fields[0].mutable;
    return size <= length && start <= length - size ? object + ARRAY_HEADER + start : NULL;
}

bool wr_object_read_bytes(const wr_store_t *store, const wr_val_t *array, size_t start, void *to,
                          size_t size) {
    bool ignored;
    const u8 *from = find_bytes(store, array, start, size, &ignored);
    if (from && size > 0) memcpy(to, from, size);
    return from != NULL;
}

bool wr_object_write_bytes(wr_store_t *store, const wr_val_t *array, size_t start, const void *from,
                           size_t size) {
    bool is_mutable = false;
    u8 *to = find_bytes(store, array, start, size, &is_mutable);
    if (!to || !is_mutable) return false;
    if (size > 0) memcpy(to, from, size);
    return true;
}

/* ---- making --------------------------------------------------------------------------------- */

static Error *find_type(const Instance *instance, uint32_t index, CompKind comp,
                        const DefType **type) {
    const Module *module = instance->module;
    if (index >= module->ntypes || module->types[index]->comp != comp) {
        return USAGE("type %u of the module is no %s", index,
                     comp == COMP_ARRAY ? "array" : "structure");
    }
    *type = module->types[index];
    return (*type)->descriptor ? USAGE("objects of type %u need a descriptor", index) : NULL;
}

/* Kept for the host, as results of calls are. */
static Error *finish(Store *store, u32 ref, wr_val_t *object) {
    if (ref == 0) return wr_error_trap(WR_TRAP_ALLOCATION_FAILURE);
    *object = (wr_val_t){.kind = WR_ANYREF, .of.ref = ref};
    return wr_store_keep(store, ref) ? NULL : ERROR_OOM;
}

static Error *put_fields(Store *store, const DefType *type, const wr_val_t *values, Slot *slots) {
    for (u32 i = 0; i < type->nfields; i++) {
        ValType field = unpacked(type->fields[i].type);
        Error *error = wr_value_put(store, &values[i], field, slots);
        if (error) return error;
        slots += type_slots(field);
    }
    return NULL;
}

wr_error_t *wr_object_new_struct(wr_instance_t *instance, uint32_t type_index,
                                 const wr_val_t *values, size_t nvalues, wr_val_t *object) {
    const DefType *type;
    Store *store = instance->store;
    Error *error = find_type(instance, type_index, COMP_STRUCT, &type);
    if (error) return error;
    if (nvalues == 0 && type->first_required == type->nfields)
        return finish(store, wr_struct_new(store, type, 0, NULL), object);
    if (nvalues != type->nfields)
        return USAGE("wrong number of values: %zu for %u", nvalues, type->nfields);
    size_t n = (size_t)wr_struct_slots(type) + 1;
    Slot *slots = wr_alloc_array(&wr_alloc_system, n, sizeof *slots);
    if (!slots) return ERROR_OOM;
    error = put_fields(store, type, values, slots);
    if (!error) error = finish(store, wr_struct_new(store, type, 0, slots), object);
    wr_free(&wr_alloc_system, slots, n * sizeof *slots);
    return error;
}

wr_error_t *wr_object_new_array(wr_instance_t *instance, uint32_t type_index, uint32_t length,
                                const wr_val_t *value, wr_val_t *object) {
    const DefType *type;
    Slot slots[2] = {{0}, {0}};
    Store *store = instance->store;
    Error *error = find_type(instance, type_index, COMP_ARRAY, &type);
    if (error) return error;
    ValType element = unpacked(type->fields[0].type);
    if (value) {
        error = wr_value_put(store, value, element, slots);
    } else if (type->first_required == 0) {
        error = USAGE("elements of type %u have no default value", type_index);
    }
    if (error) return error;
    return finish(store, wr_array_new(store, type, length, value ? slots : NULL), object);
}
