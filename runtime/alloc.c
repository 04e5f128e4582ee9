/*
 * alloc.c - the allocator interface over a realloc-like function, the system allocator, and the one
 * that fails on purpose.
 */
#include "alloc.h"

#include <stdlib.h>

#include "os.h"

static void *system_alloc(void *context, void *pointer, size_t old_size, size_t new_size) {
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(pointer);
        return NULL;
    }
    return realloc(pointer, new_size);
}

const Alloc wr_alloc_system = {system_alloc, NULL};

void *wr_alloc(const Alloc *a, size_t size) {
    return size == 0 ? NULL : a->func(a->context, NULL, 0, size);
}

void *wr_clear(void *p, size_t size) {
    wr_os_will_write(p, size);
    return memset(p, 0, size);
}

void *wr_alloc_zero(const Alloc *a, size_t size) {
    void *p = wr_alloc(a, size);
    return p != NULL ? wr_clear(p, size) : NULL;
}

void *wr_alloc_array(const Alloc *a, size_t count, size_t size) {
    size_t bytes;
    return mul_size(count, size, &bytes) ? wr_alloc_zero(a, bytes) : NULL;
}

void *wr_realloc(const Alloc *a, void *p, size_t old_size, size_t new_size) {
    if (p == NULL) return wr_alloc(a, new_size);
    return a->func(a->context, p, old_size, new_size);
}

void wr_free(const Alloc *a, void *p, size_t size) {
    if (p != NULL) (void)a->func(a->context, p, size, 0);
}

bool wr_grow_array(const Alloc *a, void *array_pointer, u32 *capacity, u64 need, u64 max,
                   size_t element_size) {
    if (need <= *capacity) return true;
    max = min_u64(max, UINT32_MAX);
    if (need > max) return false;
    u64 wanted = *capacity < 8 ? 8 : (u64)*capacity + *capacity / 2;
    if (wanted < need) wanted = need;
    wanted = min_u64(wanted, max);
    size_t bytes;
    if (!mul_size((size_t)wanted, element_size, &bytes)) return false;
    void *array;
    memcpy(&array, array_pointer, sizeof array);
    array = wr_realloc(a, array, *capacity * element_size, bytes);
    if (array == NULL) return false;
    memcpy(array_pointer, &array, sizeof array);
    *capacity = (u32)wanted;
    return true;
}

/* ---- failing on purpose ---- */

static void *failing_alloc(void *context, void *pointer, size_t old_size, size_t new_size) {
    FailAlloc *state = context;
    if (new_size != 0) {
        state->calls++;
        bool hit = state->sticky ? state->calls >= state->fail_at : state->calls == state->fail_at;
        if (state->fail_at != 0 && hit) return NULL;
    }
    void *p = system_alloc(NULL, pointer, old_size, new_size);
    if (p != NULL || new_size == 0) state->live_bytes += (i64)new_size - (i64)old_size;
    return p;
}

Alloc wr_alloc_failing(FailAlloc *state) { return (Alloc){failing_alloc, state}; }
