/*
 * validate_threads.c - validating all bodies of a module, on several threads when there is much code.
 *
 * Bodies do not depend on each other. Threads take runs of neighbouring bodies off a common counter,
 * in ascending order; each has a Checker and an arena of its own, which the module's arena adopts.
 * A body is skipped only if one before it is known to be in error, so that the error reported is the
 * first in the bytes whatever the threads did.
 */
#include "os.h"
#include "store.h"
#include "validate.h"
#include "validate_code.h"

#define BYTES_PER_THREAD (64u << 10) /* less code than this is not worth starting a thread for */
#define BYTES_PER_RUN (16u << 10)
#define MAX_THREADS 64u

/* What the threads share. */
typedef struct Work {
    Module *m;
    OsMutex lock;
    u32 next;         /* the first body that nobody has taken; under lock */
    atomic_uint stop; /* bodies from here on need not be looked at: one before is in error */
} Work;

typedef struct Worker {
    Work *work;
    OsThread *thread; /* NULL: the caller's own */
    Checker checker;
    Arena arena;
    Error *error; /* the first in its bodies */
    u32 failed;   /* and whose it is */
} Worker;

/* ---- a worker ---- */

/* Bodies [first, *end): about BYTES_PER_RUN of code. False when all are taken. Nobody writes to what has not
 * been taken yet. */
static bool take_run(Work *work, u32 *first, u32 *end) {
    const Module *m = work->m;
    wr_os_mutex_lock(&work->lock);
    u32 stop = *first = work->next;
    for (u64 bytes = 0; stop < m->ncodes && bytes < BYTES_PER_RUN; stop++)
        bytes += (u64)(m->codes[stop].end - m->codes[stop].start);
    *end = work->next = stop;
    wr_os_mutex_unlock(&work->lock);
    return *first < stop;
}

/* No body behind one in error matters any more. */
static void lower_stop(Work *work, u32 index) {
    u32 stop = atomic_load_explicit(&work->stop, memory_order_relaxed);
    while (index < stop &&
           !atomic_compare_exchange_weak_explicit(&work->stop, &stop, index, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

static void check_run(Worker *w, u32 first, u32 end) {
    Work *work = w->work;
    for (u32 i = first; i < end; i++) {
        if (i >= atomic_load_explicit(&work->stop, memory_order_relaxed)) return;
        Error *error = wr_check_body(&w->checker, &work->m->codes[i], &w->arena);
        if (error == NULL) continue;
        w->error = error;
        w->failed = i;
        lower_stop(work, i);
        return;
    }
}

static void run_worker(void *context) {
    Worker *w = context;
    u32 first, end;
    while (w->error == NULL && take_run(w->work, &first, &end)) check_run(w, first, end);
}

static void start_worker(Worker *w, Work *work, bool in_caller) {
    *w = (Worker){.work = work};
    wr_checker_init(&w->checker, work->m);
    wr_arena_init(&w->arena, &work->m->engine->alloc);
    if (!in_caller) w->thread = wr_os_thread_start(run_worker, w);
}

/* The worker has run. Keeps its memory, and its error if that is the first so far. */
static void finish_worker(Worker *w, Error **error, u32 *failed) {
    if (w->thread != NULL) wr_os_thread_join(w->thread);
    wr_checker_free(&w->checker);
    wr_arena_adopt(&w->work->m->arena, &w->arena);
    if (w->error == NULL) return;
    bool is_first = w->failed < *failed;
    wr_error_delete(is_first ? *error : w->error);
    if (!is_first) return;
    *error = w->error;
    *failed = w->failed;
}

static Error *make_local_maps(Module *m) {
    u64 entries = wr_local_map_entries(m);
    for (u32 i = 0; i < m->ncodes; i++) {
        Error *error = wr_make_local_map(m, &m->codes[i], &m->arena, &entries);
        if (error != NULL) return error;
    }
    return NULL;
}

/* ---- all bodies ---- */

static Error *check_bodies(Module *m, u32 nthreads) {
    Work work = {.m = m};
    atomic_init(&work.stop, m->ncodes);
    const Alloc *alloc = &m->engine->alloc;
    Worker *workers = wr_alloc_array(alloc, nthreads, sizeof *workers);
    if (workers == NULL) return ERROR_OOM;
    wr_os_mutex_init(&work.lock);
    for (u32 i = 1; i < nthreads; i++) start_worker(&workers[i], &work, false);
    start_worker(&workers[0], &work, true);
    run_worker(&workers[0]);
    Error *error = NULL;
    u32 failed = NONE_U32;
    for (u32 i = 0; i < nthreads; i++) finish_worker(&workers[i], &error, &failed);
    wr_os_mutex_destroy(&work.lock);
    wr_free(alloc, workers, nthreads * sizeof *workers);
    return error;
}

/* 0 means as many as there are processors. A thread that cannot be started leaves its share to the
 * others. */
static u32 choose_threads(const Module *m, u32 threads) {
    u64 useful = m->stats.code_bytes / BYTES_PER_THREAD;
    if (useful <= 1) return 1;
    if (threads == 0) threads = wr_os_cpu_count();
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (threads > useful) threads = (u32)useful;
    return threads;
}

Error *wr_validate_bodies(Module *m, u32 threads) {
    if (m->ncodes == 0) return NULL;
    m->stats.validation_threads = choose_threads(m, threads);
    Error *error = check_bodies(m, m->stats.validation_threads);
    return error != NULL ? error : make_local_maps(m);
}
