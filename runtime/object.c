/*
 * object.c - making objects, bulk operations on arrays, tests of types.
 *
 * Segments are little-endian and so are objects: their bytes are copied as they are.
 */
#include "object.h"

#include "module.h"

static bool in_range(u64 start, u64 n, u64 size) { return n <= size && start <= size - n; }

/* ---- structures ----------------------------------------------------------------------------- */

u32 wr_struct_slots(const DefType *type) {
    u32 slots = 0;
    for (u32 i = 0; i < type->nfields; i++) slots += place_slots(place_width(type->places[i]));
    return slots;
}

u32 wr_struct_new(Store *store, const DefType *type, u32 descriptor, const Slot *values) {
    u32 ref = wr_heap_alloc(store, type->object_size);
    if (!ref) return 0;
    u8 *object = object_at(store, ref);
    if (values) {
        struct_write(object, type, descriptor, values);
    } else {
        memset(object, 0, type->object_size);
        struct_write_header(object, type, descriptor);
    }
    return ref;
}

/* ---- arrays --------------------------------------------------------------------------------- */

static Place element_width(const DefType *type) { return place_width(type->places[0]); }
static u8 *element(u8 *array, const DefType *type, u32 index) {
    return array + ARRAY_HEADER + ((u64)index << element_width(type));
}

void wr_object_shade(Store *store, const u8 *at, u32 n) {
    for (u32 i = 0; i < n; i++) wr_heap_mark(store, le32_load(at + 4 * (u64)i));
}

/* Before elements of an array are overwritten: see heap.h. */
static void shade_elements(Store *store, const DefType *type, const u8 *at, u32 n) {
    if (UNLIKELY(store->heap->marking) && type->nrefs != 0) wr_object_shade(store, at, n);
}

static void fill(u8 *at, Place width, const Slot *value, u32 n) {
    switch (width) {
    case PLACE_8: memset(at, (u8)value->u32, n); break;
    case PLACE_16:
        for (u32 i = 0; i < n; i++) le16_store(at + 2 * (u64)i, (u16)value->u32);
        break;
    case PLACE_32:
        for (u32 i = 0; i < n; i++) le32_store(at + 4 * (u64)i, value->u32);
        break;
    case PLACE_64:
        for (u32 i = 0; i < n; i++) le64_store(at + 8 * (u64)i, value->u64);
        break;
    case PLACE_128:
        for (u32 i = 0; i < n; i++) place_store(at + 16 * (u64)i, width, value);
        break;
    }
}

/* With a header, and elements undefined. */
static u32 new_array(Store *store, const DefType *type, u32 length) {
    u32 ref = wr_heap_alloc(store, ARRAY_HEADER + ((u64)length << element_width(type)));
    if (!ref) return 0;
    u8 *array = object_at(store, ref);
    le32_store(array, type->header);
    le32_store(array + 4, length);
    return ref;
}

u32 wr_array_new(Store *store, const DefType *type, u32 length, const Slot *value) {
    u32 ref = new_array(store, type, length);
    if (!ref) return 0;
    u8 *at = element(object_at(store, ref), type, 0);
    if (value)
        fill(at, element_width(type), value, length);
    else
        memset(at, 0, (size_t)length << element_width(type));
    return ref;
}

u32 wr_array_new_fixed(Store *store, const DefType *type, u32 length, const Slot *values) {
    u32 ref = new_array(store, type, length);
    if (!ref) return 0;
    Place width = element_width(type);
    u8 *at = element(object_at(store, ref), type, 0);
    for (u32 i = 0; i < length; i++, at += 1u << width, values += place_slots(width))
        place_store(at, width, values);
    return ref;
}

/* The bytes of `n` elements from byte `start` of a data segment on, or NULL if it ends before. */
static const u8 *data_elements(const Instance *i, const DefType *type, u32 data, u32 start, u32 n) {
    u32 available;
    const u8 *bytes = data_left(i, data, &available);
    return in_range(start, (u64)n << element_width(type), available) ? bytes + start : NULL;
}

/* Whether elements [start, start + n) are in the segment; *values may be NULL if n is 0. */
static bool elem_elements(const Instance *i, u32 elem, u32 start, u32 n, const u32 **values) {
    const u32 *all = i->elem_values[elem];
    *values = all ? all + start : NULL;
    return in_range(start, n, all ? i->module->elems[elem].count : 0);
}

static void copy_refs(u8 *to, const u32 *refs, u32 n) {
    for (u32 i = 0; i < n; i++) le32_store(to + 4 * (u64)i, refs[i]);
}

wr_trap_code_t wr_array_new_data(Instance *i, const DefType *type, u32 data, u32 start, u32 length,
                                 u32 *ref) {
    const u8 *bytes = data_elements(i, type, data, start, length);
    if (!bytes) return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    *ref = new_array(i->store, type, length);
    if (!*ref) return WR_TRAP_ALLOCATION_FAILURE;
    memcpy(element(object_at(i->store, *ref), type, 0), bytes,
           (size_t)length << element_width(type));
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_array_new_elem(Instance *i, const DefType *type, u32 elem, u32 start, u32 length,
                                 u32 *ref) {
    const u32 *values;
    if (!elem_elements(i, elem, start, length, &values)) return WR_TRAP_TABLE_OUT_OF_BOUNDS;
    *ref = new_array(i->store, type, length);
    if (!*ref) return WR_TRAP_ALLOCATION_FAILURE;
    copy_refs(element(object_at(i->store, *ref), type, 0), values, length);
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_array_fill(Store *store, const DefType *type, u64 ref, u32 start,
                             const Slot *value, u32 n) {
    if (!ref) return WR_TRAP_NULL_ARRAY_REFERENCE;
    u8 *array = object_at(store, ref);
    if (!in_range(start, n, array_length(array))) return WR_TRAP_ARRAY_OUT_OF_BOUNDS;
    u8 *at = element(array, type, start);
    shade_elements(store, type, at, n);
    fill(at, element_width(type), value, n);
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_array_copy(Store *store, const DefType *type, u64 dst, u32 dst_start, u64 src,
                             u32 src_start, u32 n) {
    if (!dst || !src) return WR_TRAP_NULL_ARRAY_REFERENCE;
    u8 *to = object_at(store, dst), *from = object_at(store, src);
    if (!in_range(dst_start, n, array_length(to)) || !in_range(src_start, n, array_length(from)))
        return WR_TRAP_ARRAY_OUT_OF_BOUNDS;
    u8 *at = element(to, type, dst_start);
    shade_elements(store, type, at, n);
    memmove(at, element(from, type, src_start), (size_t)n << element_width(type));
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_array_init_data(Instance *i, const DefType *type, u32 data, u64 ref, u32 dst,
                                  u32 src, u32 n) {
    if (!ref) return WR_TRAP_NULL_ARRAY_REFERENCE;
    u8 *array = object_at(i->store, ref);
    if (!in_range(dst, n, array_length(array))) return WR_TRAP_ARRAY_OUT_OF_BOUNDS;
    const u8 *bytes = data_elements(i, type, data, src, n);
    if (!bytes) return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    memcpy(element(array, type, dst), bytes, (size_t)n << element_width(type));
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_array_init_elem(Instance *i, const DefType *type, u32 elem, u64 ref, u32 dst,
                                  u32 src, u32 n) {
    if (!ref) return WR_TRAP_NULL_ARRAY_REFERENCE;
    u8 *array = object_at(i->store, ref);
    if (!in_range(dst, n, array_length(array))) return WR_TRAP_ARRAY_OUT_OF_BOUNDS;
    const u32 *values;
    if (!elem_elements(i, elem, src, n, &values)) return WR_TRAP_TABLE_OUT_OF_BOUNDS;
    u8 *at = element(array, type, dst);
    shade_elements(i->store, type, at, n);
    copy_refs(at, values, n);
    return WR_TRAP_NONE;
}

/* ---- exceptions ----------------------------------------------------------------------------- */

u32 wr_exception_new(Store *store, const Tag *tag, const Slot *payload) {
    u32 slots = tag->type->param_slots;
    u32 ref = wr_heap_alloc(store, EXCEPTION_HEADER + 8 * (u64)slots);
    if (!ref) return 0;
    u8 *object = object_at(store, ref);
    le32_store(object, OBJECT_EXCEPTION);
    le32_store(object + 4, tag->index);
    for (u32 i = 0; i < slots; i++)
        le64_store(object + EXCEPTION_HEADER + 8 * i, payload ? payload[i].u64 : 0);
    return ref;
}

void wr_exception_payload(const Store *store, u64 ref, Slot *payload, u32 max) {
    const u8 *object = object_at(store, ref);
    u32 slots = min_u32(exception_tag(store, ref)->type->param_slots, max);
    for (u32 i = 0; i < slots; i++) payload[i].u64 = le64_load(object + EXCEPTION_HEADER + 8 * i);
}

/* ---- types ---------------------------------------------------------------------------------- */

static bool is_of_comp(const Store *store, u64 ref, CompKind comp) {
    if (!ref_is_object(ref)) return false;
    const u8 *object = object_at(store, ref);
    return !object_is_exception(object) && object_def(store, object)->comp == comp;
}

static bool matches_defined(const Store *store, u64 ref, HeapType heap) {
    const DefType *type = wr_types_get(store->engine->types, heap_type_id(heap));
    bool exact = heap_is_exact(heap);
    if (type->comp != COMP_FUNC)
        return exact ? ref_has_exact_type(store, ref, type) : ref_has_type(store, ref, type);
    const DefType *actual = store->funcs[ref]->type;
    return exact ? actual == type : def_is_subtype(actual, type);
}

bool wr_ref_matches(const Store *store, u64 ref, HeapType heap) {
    if (heap_is_defined(heap)) return matches_defined(store, ref, heap);
    switch ((HeapKind)heap) {
    case HEAP_FUNC:
    case HEAP_EXTERN:
    case HEAP_ANY:
    case HEAP_EXN: return true;
    case HEAP_EQ: return (ref & 3) != 2;
    case HEAP_I31: return ref & 1;
    case HEAP_STRUCT: return is_of_comp(store, ref, COMP_STRUCT);
    case HEAP_ARRAY: return is_of_comp(store, ref, COMP_ARRAY);
    case HEAP_NONE:
    case HEAP_NOFUNC:
    case HEAP_NOEXTERN:
    case HEAP_NOEXN:
    case HEAP_BOT:
    case HEAP_DEFINED: break;
    }
    return false;
}
