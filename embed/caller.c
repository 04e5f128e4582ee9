/*
 * caller.c - what host functions may ask of whoever called them.
 */
#include "store.h"

wr_store_t *wr_caller_store(wr_caller_t *caller) { return caller->store; }
wr_instance_t *wr_caller_instance(wr_caller_t *caller) { return caller->instance; }

void *wr_caller_memory(wr_caller_t *caller, uint64_t address, uint64_t size) {
    if (!caller->instance) return NULL;
    const Memory *memory = caller->instance->exported_memory;
    if (!memory) return NULL;
    u64 bytes = memory_size(memory);
    if (size > bytes || address > bytes - size) return NULL;
    return memory->base + address;
}

/* True if the bit was set; it is taken back, since its trap is about to be raised. */
static bool take(Store *store, u32 bit) {
    return atomic_load_explicit(&store->interrupt, memory_order_relaxed) & bit &&
           wr_store_lower(store, bit) & bit;
}

wr_error_t *wr_caller_poll(wr_caller_t *caller) {
    Store *store = caller->store;
    if (store->interruptible && take(store, POLL_INTERRUPT)) {
        return wr_error_trap(WR_TRAP_INTERRUPTED);
    }
    if (store->deadline != 0 && wr_os_now() >= store->deadline) {
        (void)take(store, POLL_DEADLINE);
        return wr_error_trap(WR_TRAP_DEADLINE);
    }
    return NULL;
}

/* Nothing wakes a blocked host function: this long an interruption may have to wait. */
#define INTERRUPT_LATENCY 10000000u /* ns */

uint64_t wr_caller_patience(wr_caller_t *caller) {
    const Store *store = caller->store;
    u64 patience = store->interruptible ? INTERRUPT_LATENCY : UINT64_MAX;
    if (store->deadline == 0) return patience;
    u64 now = wr_os_now();
    return min_u64(patience, store->deadline > now ? store->deadline - now : 0);
}
