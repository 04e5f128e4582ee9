/*
 * alloc.h - the one allocator of the library: accounting, limits and fail-nth for tests live here.
 * Linear memories, tables' reservations and fiber stacks are mapped through os.h instead.
 */
#ifndef WR_ALLOC_H
#define WR_ALLOC_H

#include "base.h"

/* Like realloc with the old size; new_size 0 frees. Thread-safe if the engine is shared. */
typedef void *(*AllocFunc)(void *context, void *pointer, size_t old_size, size_t new_size);

typedef struct Alloc {
    AllocFunc func;
    void *context;
} Alloc;

extern const Alloc wr_alloc_system; /* malloc, realloc, free */

/* All return NULL on failure, and leave the old block as it was. Sizes of 0 give NULL without error
 * (callers treat a zero-length array as NULL). wr_alloc_zero and wr_alloc_array clear; the product
 * is checked. */
NODISCARD void *wr_alloc(const Alloc *a, size_t size);
NODISCARD void *wr_alloc_zero(const Alloc *a, size_t size);
NODISCARD void *wr_alloc_array(const Alloc *a, size_t count, size_t size);
NODISCARD void *wr_realloc(const Alloc *a, void *p, size_t old_size, size_t new_size);
void wr_free(const Alloc *a, void *p, size_t size);

/* memset to zero, of a new block: quicker if it is large. Its address. */
void *wr_clear(void *p, size_t size);

/* Grows an array geometrically so that it can hold `need` elements, at most `max`; false when that
 * is impossible (array and capacity are then unchanged). */
NODISCARD bool wr_grow_array(const Alloc *a, void *array_pointer, u32 *capacity, u64 need, u64 max,
                             size_t element_size);

/* A test allocator: counts calls, fails the nth (1-based, 0 = never) and, if sticky, all after
 * it. */
typedef struct FailAlloc {
    size_t calls, fail_at;
    bool sticky;
    i64 live_bytes;
} FailAlloc;
Alloc wr_alloc_failing(FailAlloc *state);

#endif
