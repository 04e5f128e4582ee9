/*
 * object.h - what objects in the heap look like, and operations on them, for engines, constant
 * expressions and the collector (spec: exec/instructions, aggregate).
 *
 *     structure   u32 header | fields, as DefType.places says
 *     descriptor  u32 header | u32 header of what it describes | fields
 *     array       u32 header | u32 length | elements without gaps
 *     exception   u32 OBJECT_EXCEPTION | u32 index in Store.tags | 8 bytes for each payload slot
 *
 * The header of a structure that has a descriptor is the reference to it, else type id * 2 + 1: which of
 * the two is told by bit 0. So a descriptor costs the objects that it describes no memory, a cast by
 * descriptor is one comparison, and finding the type of such an object takes one load more. Headers do
 * not change, so the collector need not be told of them.
 *
 * Everything is little-endian, references are 4 bytes.
 */
#ifndef WR_OBJECT_H
#define WR_OBJECT_H

#include "heap.h"

#define OBJECT_EXCEPTION 0xFFFFFFu /* as header: of no type */
#define EXCEPTION_HEADER 8u

INLINE u8 *object_at(const Store *store, u64 ref) { return store->heap->base + (u32)ref; }
/* The header of the object's type: that of the object, or what its descriptor has beside its own. */
INLINE u32 object_type_header(const Store *store, const u8 *object) {
    u32 header = le32_load(object);
    return LIKELY(header & 1) ? header : le32_load(object_at(store, header) + OBJECT_HEADER);
}
/* Its descriptor, or 0. */
INLINE u32 object_descriptor(const u8 *object) {
    u32 header = le32_load(object);
    return header & 1 ? 0 : header;
}
INLINE bool object_is_exception(const u8 *object) { return le32_load(object) == OBJECT_EXCEPTION; }
INLINE u32 array_length(const u8 *array) { return le32_load(array + 4); }
INLINE bool ref_is_object(u64 ref) { return (ref & 3) == 0; } /* of a reference that is not null */

/* ---- fields and elements, as operands ---- */

/* Not for PLACE_128. */
INLINE void place_store_slot(u8 *at, Place width, u64 value) {
    switch (width) {
    case PLACE_8: *at = (u8)value; break;
    case PLACE_16: le16_store(at, (u16)value); break;
    case PLACE_32: le32_store(at, (u32)value); break;
    case PLACE_64:
    case PLACE_128: le64_store(at, value); break;
    }
}
INLINE void place_store(u8 *at, Place width, const Slot *value) {
    place_store_slot(at, width, value->u64);
    if (UNLIKELY(width == PLACE_128)) le64_store(at + 8, value[1].u64);
}
/* Narrow fields are zero-extended. Not for PLACE_128. */
INLINE u64 place_load(const u8 *at, Place width) {
    switch (width) {
    case PLACE_8: return *at;
    case PLACE_16: return le16_load(at);
    case PLACE_32: return le32_load(at);
    case PLACE_64:
    case PLACE_128: break;
    }
    return le64_load(at);
}
/* Of PLACE_8 and PLACE_16, to 32 bits. */
INLINE u32 place_load_signed(const u8 *at, Place width) {
    return width == PLACE_8 ? (u32)(i32)(i8)*at : (u32)(i32)(i16)le16_load(at);
}
INLINE u32 place_slots(Place width) { return width == PLACE_128 ? 2 : 1; }

/* Marks what `n` elements, or one field, from `at` on refer to, before they are overwritten. */
COLD void wr_object_shade(Store *store, const u8 *at, u32 n);

/* Writes a structure's header and fields, first field at values[0]. `descriptor` is 0 if it has none. */
INLINE void struct_write_header(u8 *object, const DefType *type, u32 descriptor) {
    le32_store(object, descriptor != 0 ? descriptor : type->header);
    if (type->describes != NULL) le32_store(object + OBJECT_HEADER, type->describes->header);
}
INLINE void struct_write(u8 *object, const DefType *type, u32 descriptor, const Slot *values) {
    struct_write_header(object, type, descriptor);
    if (LIKELY(type->first_word != 0)) {
        u8 *at = object + type->first_word;
        for (u32 i = 0; i < type->nfields; i++, at += 4) le32_store(at, values[i].u32);
        return;
    }
    for (u32 i = 0; i < type->nfields; i++) {
        Place width = place_width(type->places[i]);
        place_store(object + place_offset(type->places[i]), width, values);
        values += place_slots(width);
    }
}
/* Slots that a structure's fields take as operands. */
u32 wr_struct_slots(const DefType *type);

/* ---- making: references, or 0 when there is no room. They may collect (heap.h). ---- */

/* `values` NULL: default values. `descriptor` is 0 if the type has none; and else a root. */
NODISCARD u32 wr_struct_new(Store *store, const DefType *type, u32 descriptor, const Slot *values);
/* `value` NULL: default values. The value is read after a collection. */
NODISCARD u32 wr_array_new(Store *store, const DefType *type, u32 length, const Slot *value);
/* From operands. */
NODISCARD u32 wr_array_new_fixed(Store *store, const DefType *type, u32 length, const Slot *values);
/* From segments of the instance, from `start` on (bytes, elements). WR_TRAP_NONE, or the trap. */
wr_trap_code_t wr_array_new_data(Instance *i, const DefType *type, u32 data, u32 start, u32 length,
                                 u32 *ref);
wr_trap_code_t wr_array_new_elem(Instance *i, const DefType *type, u32 elem, u32 start, u32 length,
                                 u32 *ref);
/* The payload is the tag's parameters; NULL: zeros. */
NODISCARD u32 wr_exception_new(Store *store, const Tag *tag, const Slot *payload);

/* ---- bulk operations on arrays; references may be null. WR_TRAP_NONE, or the trap. ---- */

wr_trap_code_t wr_array_fill(Store *store, const DefType *type, u64 ref, u32 start,
                             const Slot *value, u32 n);
wr_trap_code_t wr_array_copy(Store *store, const DefType *type, u64 dst, u32 dst_start, u64 src,
                             u32 src_start, u32 n);
wr_trap_code_t wr_array_init_data(Instance *i, const DefType *type, u32 data, u64 ref, u32 dst,
                                  u32 src, u32 n);
wr_trap_code_t wr_array_init_elem(Instance *i, const DefType *type, u32 elem, u64 ref, u32 dst,
                                  u32 src, u32 n);

/* ---- exceptions ---- */

INLINE Tag *exception_tag(const Store *store, u64 ref) {
    return store->tags[le32_load(object_at(store, ref) + 4)];
}
/* The first slots of the payload, at most `max`. */
void wr_exception_payload(const Store *store, u64 ref, Slot *payload, u32 max);

/* ---- types ---- */

/* The type of an object, which is no exception. */
INLINE const DefType *object_def(const Store *store, const u8 *object) {
    return wr_types_get(store->engine->types, object_type_header(store, object) >> 1);
}
INLINE bool object_has_type(const Store *store, u64 ref, const DefType *type) {
    const u8 *object = object_at(store, ref);
    return le32_load(object) == type->header || def_is_subtype(object_def(store, object), type);
}
/* Whether a reference of the any hierarchy, not null, is to a structure or array of that type. */
INLINE bool ref_has_type(const Store *store, u64 ref, const DefType *type) {
    return ref_is_object(ref) && object_has_type(store, ref, type);
}
/* The same, and of none of its subtypes. */
INLINE bool ref_has_exact_type(const Store *store, u64 ref, const DefType *type) {
    return ref_is_object(ref) && object_type_header(store, object_at(store, ref)) == type->header;
}
/* Whether it is to a structure with that descriptor, which is not null. */
INLINE bool ref_has_descriptor(const Store *store, u64 ref, u64 descriptor) {
    return ref_is_object(ref) && le32_load(object_at(store, ref)) == (u32)descriptor;
}
/* Whether a reference, not null, which is of the heap type's hierarchy, is of that type. */
bool wr_ref_matches(const Store *store, u64 ref, HeapType heap);

#endif
