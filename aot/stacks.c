/* stacks.c - see stacks.h. */
#include "stacks.h"

/* How much of a stack a guest has touched is not known: so pages are given back every so many times, but for some
 * where stacks begin. */
#define USES_TO_TRIM 1024u
#define KEEP_STACK ((size_t)64 << 10)

static NativeStack *map_stack(size_t size) {
    size_t page = wr_os_page_size();
    if (!add_size(size, STACK_GUARD + sizeof(NativeStack) + page - 1, &size)) return NULL;
    size &= ~(page - 1);
    u8 *map = wr_os_reserve(size);
    if (map == NULL) return NULL;
    if (!wr_os_commit(map + STACK_GUARD, size - STACK_GUARD)) {
        wr_os_release(map, size);
        return NULL;
    }
    size_t high = (size - sizeof(NativeStack)) & ~(size_t)63;
    NativeStack *stack = (NativeStack *)(void *)(map + high);
    *stack = (NativeStack){.map = map, .size = size};
    return stack;
}

void wr_native_free_stack(NativeStack *stack) {
    if (stack == NULL) return;
    NativeStack gone = *stack;
    wr_os_release(gone.map, gone.size);
}

static void trim(NativeStack *stack) {
    if (++stack->uses % USES_TO_TRIM != 0 || stack->size <= STACK_GUARD + 2 * KEEP_STACK) return;
    wr_os_reset(stack->map + STACK_GUARD, stack->size - STACK_GUARD - KEEP_STACK);
}

/* Threads begin to look at different places, so that they do not meet. */
static u32 first_spare(void) { return wr_os_thread_number() % MAX_SPARE_STACKS; }

NativeStack *wr_native_take_stack(Engine *engine, NativeEngine *native) {
    for (u32 i = first_spare(), n = 0; n < MAX_SPARE_STACKS; n++, i = (i + 1) % MAX_SPARE_STACKS) {
        _Atomic(NativeStack *) *place = &native->spares[i].stack;
        if (atomic_load_explicit(place, memory_order_relaxed) == NULL) continue;
        NativeStack *stack = atomic_exchange_explicit(place, NULL, memory_order_acquire);
        if (stack != NULL) return stack;
    }
    return map_stack(engine->config.max_stack);
}

void wr_native_return_stack(NativeEngine *native, NativeStack *stack) {
    trim(stack);
    for (u32 i = first_spare(), n = 0; n < MAX_SPARE_STACKS; n++, i = (i + 1) % MAX_SPARE_STACKS) {
        _Atomic(NativeStack *) *place = &native->spares[i].stack;
        NativeStack *expected = NULL;
        if (atomic_load_explicit(place, memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(place, &expected, stack, memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    wr_native_free_stack(stack);
}

void wr_native_free_spares(NativeEngine *native) {
    for (u32 i = 0; i < MAX_SPARE_STACKS; i++)
        wr_native_free_stack(atomic_load(&native->spares[i].stack));
}
