/*
 * parking.c - the table of waiting threads: lists in buckets, each under a lock of its own. A waiting
 * thread's entry is on its stack; who wakes it takes it off the list first, so that a woken entry
 * belongs to its thread alone.
 */
#include "parking.h"

#define BUCKETS 64u
/* Nothing wakes a waiting thread for an interruption: it looks for one this often. */
#define PATIENCE 10000000u /* ns */

typedef struct Waiter {
    struct Waiter *next;
    const u8 *address;
    OsCond wake;
    bool woken;
} Waiter;

typedef struct Bucket {
    OsMutex lock;
    Waiter *first, *last;
} Bucket;

struct Parking {
    Bucket buckets[BUCKETS];
};

/* ---- the table ------------------------------------------------------------------------------ */

static Parking *parking_of(Engine *engine) {
    wr_os_mutex_lock(&engine->lock);
    if (!engine->parking) {
        engine->parking = wr_alloc_zero(&engine->alloc, sizeof(Parking));
        for (u32 i = 0; engine->parking && i < BUCKETS; i++)
            wr_os_mutex_init(&engine->parking->buckets[i].lock);
    }
    Parking *parking = engine->parking;
    wr_os_mutex_unlock(&engine->lock);
    return parking;
}

void wr_parking_delete(Engine *engine) {
    if (!engine->parking) return;
    for (u32 i = 0; i < BUCKETS; i++) wr_os_mutex_destroy(&engine->parking->buckets[i].lock);
    wr_free(&engine->alloc, engine->parking, sizeof(Parking));
    engine->parking = NULL;
}

static Bucket *bucket_of(Parking *parking, const u8 *address) {
    u64 hash = ((u64)(uintptr_t)address >> 2) * 0x9E3779B97F4A7C15u;
    return &parking->buckets[hash >> 58];
}

static void append(Bucket *bucket, Waiter *waiter) {
    if (bucket->last)
        bucket->last->next = waiter;
    else
        bucket->first = waiter;
    bucket->last = waiter;
}

/* Takes out the waiter behind `previous` (NULL: the first one). */
static Waiter *take_out(Bucket *bucket, Waiter *previous) {
    Waiter *waiter = previous ? previous->next : bucket->first;
    if (previous)
        previous->next = waiter->next;
    else
        bucket->first = waiter->next;
    if (bucket->last == waiter) bucket->last = previous;
    return waiter;
}

static void give_up(Bucket *bucket, const Waiter *waiter) {
    Waiter *previous = NULL;
    for (Waiter *w = bucket->first; w != waiter; w = w->next) previous = w;
    (void)take_out(bucket, previous);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static u64 load(const u8 *address, u32 size) {
    return size == 4 ? __atomic_load_n((const u32 *)(const void *)address, __ATOMIC_SEQ_CST)
                     : __atomic_load_n((const u64 *)(const void *)address, __ATOMIC_SEQ_CST);
}

static wr_trap_code_t stopped(Store *store) {
    u32 interrupt = atomic_load_explicit(&store->interrupt, memory_order_relaxed);
    if (store->deadline != 0 && wr_os_now() >= store->deadline) return WR_TRAP_DEADLINE;
    return store_stop(store, interrupt);
}

/* When to look up next, waiting until `end` at most. */
static u64 next_look(const Store *store, u64 end, bool polls) {
    if (!polls) return end;
    if (store->deadline != 0) end = min_u64(end, store->deadline);
    return store->interruptible ? min_u64(end, wr_os_now() + PATIENCE) : end;
}

/* With the bucket's lock. */
static wr_trap_code_t wait(Store *store, Bucket *bucket, Waiter *waiter, u64 end, bool polls,
                           WaitResult *result) {
    wr_trap_code_t trap = WR_TRAP_NONE;
    while (!waiter->woken) {
        if (polls && (trap = stopped(store)) != WR_TRAP_NONE) break;
        if (wr_os_now() >= end) break;
        wr_os_cond_wait(&waiter->wake, &bucket->lock, next_look(store, end, polls));
    }
    *result = waiter->woken ? WAIT_WOKEN : WAIT_TIMED_OUT;
    if (!waiter->woken) give_up(bucket, waiter);
    return waiter->woken ? WR_TRAP_NONE : trap;
}

static u64 end_of(i64 timeout) {
    u64 now = wr_os_now();
    return timeout < 0 || (u64)timeout > UINT64_MAX - 1 - now ? UINT64_MAX : now + (u64)timeout;
}

wr_trap_code_t wr_park(Store *store, const u8 *address, u32 size, u64 expected, i64 timeout,
                       bool polls, WaitResult *result) {
    Parking *parking = parking_of(store->engine);
    if (!parking) return WR_TRAP_ALLOCATION_FAILURE;
    Bucket *bucket = bucket_of(parking, address);
    wr_trap_code_t trap = WR_TRAP_NONE;
    *result = WAIT_NOT_EQUAL;
    wr_os_mutex_lock(&bucket->lock);
    if (load(address, size) == expected) {
        Waiter waiter = {.address = address};
        wr_os_cond_init(&waiter.wake);
        append(bucket, &waiter);
        trap = wait(store, bucket, &waiter, end_of(timeout), polls, result);
        wr_os_cond_destroy(&waiter.wake);
    }
    wr_os_mutex_unlock(&bucket->lock);
    return trap;
}

/* Signals under the lock: the waiter is gone when its thread gets it. */
u32 wr_unpark(Store *store, const u8 *address, u32 count) {
    Parking *parking = parking_of(store->engine);
    if (!parking) return 0; /* then nobody waits either */
    Bucket *bucket = bucket_of(parking, address);
    u32 woken = 0;
    wr_os_mutex_lock(&bucket->lock);
    Waiter *previous = NULL, *next;
    for (Waiter *w = bucket->first; w && woken < count; w = next) {
        next = w->next;
        if (w->address != address) {
            previous = w;
            continue;
        }
        (void)take_out(bucket, previous);
        w->woken = true;
        woken++;
        wr_os_cond_signal(&w->wake);
    }
    wr_os_mutex_unlock(&bucket->lock);
    return woken;
}
