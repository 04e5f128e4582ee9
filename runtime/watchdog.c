/*
 * watchdog.c - the deadline thread: a heap of deadlines, earliest first, under one lock.
 */
#include "watchdog.h"

typedef struct Entry {
    u64 deadline;
    Store *store;
} Entry;

/* All fields but `thread` under `lock`. heap[i].store->watch_slot == i + 1. */
typedef struct Watchdog {
    Alloc alloc;
    OsMutex lock;
    OsBell bell;
    OsThread *thread;
    bool stop;
    Entry *heap;
    u32 count, capacity;
} Watchdog;

/* ---- the heap ------------------------------------------------------------------------------- */

static void place(Watchdog *w, u32 at, Entry entry) {
    w->heap[at] = entry;
    entry.store->watch_slot = at + 1;
}

static void sift_up(Watchdog *w, u32 at, Entry entry) {
    while (at > 0 && w->heap[(at - 1) / 2].deadline > entry.deadline) {
        place(w, at, w->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(w, at, entry);
}

static void sift_down(Watchdog *w, u32 at, Entry entry) {
    for (u32 child; (child = 2 * at + 1) < w->count; at = child) {
        if (child + 1 < w->count && w->heap[child + 1].deadline < w->heap[child].deadline) child++;
        if (w->heap[child].deadline >= entry.deadline) break;
        place(w, at, w->heap[child]);
    }
    place(w, at, entry);
}

static void remove_at(Watchdog *w, u32 at) {
    w->heap[at].store->watch_slot = 0;
    Entry last = w->heap[--w->count];
    if (at == w->count) return;
    if (at > 0 && w->heap[(at - 1) / 2].deadline > last.deadline) {
        sift_up(w, at, last);
    } else {
        sift_down(w, at, last);
    }
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void expire(Watchdog *w, u64 now) {
    while (w->count > 0 && w->heap[0].deadline <= now) {
        wr_store_raise(w->heap[0].store, POLL_DEADLINE);
        remove_at(w, 0);
    }
}

#define PATIENCE 1000000u /* ns, until a signal is sent again */

/* When there is something to do next, unless the bell rings. */
static u64 next_look(const Watchdog *w, u64 now) {
    u64 next = w->count > 0 ? w->heap[0].deadline : UINT64_MAX;
    return wr_os_stop_send_again() ? min_u64(next, now + PATIENCE) : next;
}

static void run(void *context) {
    Watchdog *w = context;
    wr_os_mutex_lock(&w->lock);
    while (!w->stop) {
        u64 now = wr_os_now();
        expire(w, now);
        u32 rings = wr_os_bell_rings(&w->bell); /* what was rung for is done, or will be seen */
        u64 next = next_look(w, now);
        wr_os_mutex_unlock(&w->lock);
        wr_os_bell_wait(&w->bell, rings, next);
        wr_os_mutex_lock(&w->lock);
    }
    wr_os_mutex_unlock(&w->lock);
}

static void free_watchdog(Watchdog *w) {
    Alloc alloc = w->alloc;
    wr_os_bell_destroy(&w->bell);
    wr_os_mutex_destroy(&w->lock);
    wr_free(&alloc, w->heap, w->capacity * sizeof *w->heap);
    wr_free(&alloc, w, sizeof *w);
}

static Watchdog *start(Engine *engine) {
    Watchdog *w = wr_alloc_zero(&engine->alloc, sizeof *w);
    if (!w) return NULL;
    w->alloc = engine->alloc;
    wr_os_mutex_init(&w->lock);
    wr_os_bell_init(&w->bell);
    w->thread = wr_os_thread_start(run, w);
    if (w->thread) return w;
    free_watchdog(w);
    return NULL;
}

/* The engine's watchdog; if there is none yet, it is started when `wanted`. */
static Watchdog *watchdog_of(Engine *engine, bool wanted) {
    Watchdog *w = atomic_load_explicit(&engine->watchdog, memory_order_acquire);
    if (w || !wanted) return w;
    wr_os_mutex_lock(&engine->lock);
    w = atomic_load_explicit(&engine->watchdog, memory_order_relaxed);
    if (!w) {
        w = start(engine);
        atomic_store_explicit(&engine->watchdog, w, memory_order_release);
    }
    wr_os_mutex_unlock(&engine->lock);
    return w;
}

bool wr_watchdog_start(Engine *engine) { return watchdog_of(engine, true) != NULL; }

void wr_watchdog_send(Engine *engine, u32 thread) {
    Watchdog *w = watchdog_of(engine, false);
    wr_os_stop_send(thread);
    if (w) wr_os_bell_ring(&w->bell);
}

/* ---- what stores call ----------------------------------------------------------------------- */

static bool add(Watchdog *w, Entry entry) {
    if (entry.store->watch_slot) remove_at(w, entry.store->watch_slot - 1);
    u64 need = (u64)w->count + 1;
    if (!wr_grow_array(&w->alloc, &w->heap, &w->capacity, need, UINT32_MAX - 1, sizeof *w->heap)) {
        return false;
    }
    sift_up(w, w->count++, entry);
    if (entry.store->watch_slot == 1) wr_os_bell_ring(&w->bell);
    return true;
}

bool wr_watchdog_add(Store *store, u64 deadline) {
    Watchdog *w = watchdog_of(store->engine, true);
    if (!w) return false;
    wr_os_mutex_lock(&w->lock);
    bool ok = add(w, (Entry){deadline, store});
    wr_os_mutex_unlock(&w->lock);
    return ok;
}

void wr_watchdog_remove(Store *store) {
    if (!store->deadline) return; /* was never added: keep off the lock */
    Watchdog *w = watchdog_of(store->engine, false);
    if (!w) return;
    wr_os_mutex_lock(&w->lock);
    if (store->watch_slot) remove_at(w, store->watch_slot - 1);
    wr_os_mutex_unlock(&w->lock);
}

void wr_watchdog_stop(Engine *engine) {
    Watchdog *w = watchdog_of(engine, false);
    if (!w) return;
    wr_os_mutex_lock(&w->lock);
    w->stop = true;
    wr_os_bell_ring(&w->bell);
    wr_os_mutex_unlock(&w->lock);
    wr_os_thread_join(w->thread);
    atomic_store_explicit(&engine->watchdog, NULL, memory_order_relaxed);
    free_watchdog(w);
}
