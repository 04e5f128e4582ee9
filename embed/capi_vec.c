/*
 * capi_vec.c - wasm.h's vectors.
 */
#include "capi.h"

/* The array of a vector, cleared; *size becomes 0 when there is no memory. */
static void *new_array(size_t *size, size_t element_size) {
    void *array = wr_alloc_array(&wr_alloc_system, *size, element_size);
    if (!array) *size = 0;
    return array;
}

#define DEFINE_VEC(name, element, COPY, DELETE)                                                    \
    void wasm_##name##_vec_new_empty(wasm_##name##_vec_t *out) {                                   \
        *out = (wasm_##name##_vec_t){0};                                                           \
    }                                                                                              \
    void wasm_##name##_vec_new_uninitialized(wasm_##name##_vec_t *out, size_t size) {              \
        out->size = size;                                                                          \
        out->data = new_array(&out->size, sizeof(element));                                        \
    }                                                                                              \
    void wasm_##name##_vec_new(wasm_##name##_vec_t *out, size_t size, element const data[]) {      \
        wasm_##name##_vec_new_uninitialized(out, size);                                            \
        if (out->size > 0) memcpy(out->data, data, size * sizeof(element));                        \
        for (size_t i = out->size; i < size; i++) DELETE(name, data[i]);                           \
    }                                                                                              \
    void wasm_##name##_vec_copy(wasm_##name##_vec_t *out, const wasm_##name##_vec_t *from) {       \
        wasm_##name##_vec_new_uninitialized(out, from->size);                                      \
        for (size_t i = 0; i < out->size; i++) COPY(name, out->data[i], from->data[i]);            \
    }                                                                                              \
    void wasm_##name##_vec_delete(wasm_##name##_vec_t *vec) {                                      \
        if (!vec) return;                                                                          \
        for (size_t i = 0; vec->data && i < vec->size; i++) DELETE(name, vec->data[i]);            \
        wr_free(&wr_alloc_system, vec->data, vec->size * sizeof *vec->data);                       \
        *vec = (wasm_##name##_vec_t){0};                                                           \
    }

#define COPY_PLAIN(name, to, from) ((to) = (from))
#define DELETE_PLAIN(name, element) ((void)(element))
#define COPY_POINTER(name, to, from) ((to) = (from) ? wasm_##name##_copy(from) : NULL)
#define DELETE_POINTER(name, element) wasm_##name##_delete(element)
#define COPY_VALUE(name, to, from) wasm_val_copy(&(to), &(from))

static void delete_value(wasm_val_t value) { wasm_val_delete(&value); }
#define DELETE_VALUE(name, element) delete_value(element)

#define DEFINE_POINTER_VEC(name) DEFINE_VEC(name, wasm_##name##_t *, COPY_POINTER, DELETE_POINTER)

DEFINE_VEC(byte, wasm_byte_t, COPY_PLAIN, DELETE_PLAIN)
DEFINE_VEC(val, wasm_val_t, COPY_VALUE, DELETE_VALUE)
DEFINE_POINTER_VEC(valtype)
DEFINE_POINTER_VEC(functype)
DEFINE_POINTER_VEC(globaltype)
DEFINE_POINTER_VEC(tabletype)
DEFINE_POINTER_VEC(memorytype)
DEFINE_POINTER_VEC(tagtype)
DEFINE_POINTER_VEC(externtype)
DEFINE_POINTER_VEC(importtype)
DEFINE_POINTER_VEC(exporttype)
DEFINE_POINTER_VEC(frame)
DEFINE_POINTER_VEC(extern)
