/* pthread.c - see pthread.h. */
#include "pthread.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_SIZE = 64 << 10, KEYS = 8 };

struct Thread {
    char *stack_top; /* first: start.S reads it */
    char *block, *tls;
    void *(*start)(void *);
    void *argument, *result;
    int is_over;
    void *specific[KEYS];
};

__attribute__((import_module("wasi"), import_name("thread-spawn"))) int32_t
thread_spawn(struct Thread *thread);
void __wasm_init_tls(void *tls);
void __wasm_call_ctors(void);
void __wasm_call_dtors(void);
int __main_void(void);
void thread_main(int32_t id, struct Thread *thread);

static struct Thread main_thread;
static _Thread_local struct Thread *self = &main_thread;
static void (*destructors[KEYS])(void *);
static unsigned key_count;

/* ---- waiting ---- */

static int load(int *at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
static void store(int *at, int value) { __atomic_store_n(at, value, __ATOMIC_SEQ_CST); }
static void wait(int *at, int value) { __builtin_wasm_memory_atomic_wait32(at, value, -1); }
static void wake(int *at, unsigned count) { __builtin_wasm_memory_atomic_notify(at, count); }

/* ---- threads ---- */

/* Instead of the libc's: the linker would have every exported function, also the entry of threads, run
 * constructors and destructors, which flush streams, unless one calls them itself. */
__attribute__((export_name("_start"))) void _start(void) {
    __wasm_call_ctors();
    int status = __main_void();
    __wasm_call_dtors();
    if (status) _Exit(status);
}

static void run_destructors(void) {
    for (unsigned i = 0; i < key_count; i++) {
        void *value = self->specific[i];
        self->specific[i] = NULL;
        if (value && destructors[i]) destructors[i](value);
    }
}

void thread_main(int32_t id, struct Thread *thread) {
    (void)id;
    __wasm_init_tls(thread->tls);
    self = thread;
    thread->result = thread->start(thread->argument);
    run_destructors();
    store(&thread->is_over, 1);
    wake(&thread->is_over, 1);
}

int pthread_create(pthread_t *result, const pthread_attr_t *none, void *(*start)(void *),
                   void *argument) {
    (void)none;
    size_t size = __builtin_wasm_tls_size(), align = __builtin_wasm_tls_align();
    struct Thread *thread = calloc(1, sizeof *thread);
    char *block = malloc(STACK_SIZE + size + align + 16);
    if (!thread || !block) return free(thread), free(block), EAGAIN;
    *thread = (struct Thread){.block = block, .start = start, .argument = argument};
    thread->stack_top = (char *)((uintptr_t)(block + STACK_SIZE) & ~(uintptr_t)15);
    thread->tls =
        (char *)(((uintptr_t)thread->stack_top + align) & ~(uintptr_t)(align ? align - 1 : 0));
    if (thread_spawn(thread) < 0) return free(thread), free(block), EAGAIN;
    *result = thread;
    return 0;
}

/* Nothing of the stack is used any more once is_over can be seen. */
int pthread_join(pthread_t thread, void **result) {
    while (!load(&thread->is_over)) wait(&thread->is_over, 0);
    if (result) *result = thread->result;
    free(thread->block);
    free(thread);
    return 0;
}

pthread_t pthread_self(void) { return self; }

/* ---- locks (the mutex is the third one of "Futexes Are Tricky") ---- */

static int exchange_if(int *at, int expected, int value) {
    __atomic_compare_exchange_n(at, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
    int *state = &mutex->state;
    if (exchange_if(state, 0, 1) == 0) return 0;
    while (__atomic_exchange_n(state, 2, __ATOMIC_SEQ_CST) != 0) wait(state, 2);
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    if (__atomic_exchange_n(&mutex->state, 0, __ATOMIC_SEQ_CST) == 2) wake(&mutex->state, 1);
    return 0;
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
    int sequence = load(&cond->sequence);
    pthread_mutex_unlock(mutex);
    wait(&cond->sequence, sequence);
    return pthread_mutex_lock(mutex);
}

static int wake_waiters(pthread_cond_t *cond, unsigned count) {
    __atomic_fetch_add(&cond->sequence, 1, __ATOMIC_SEQ_CST);
    wake(&cond->sequence, count);
    return 0;
}

int pthread_cond_signal(pthread_cond_t *cond) { return wake_waiters(cond, 1); }
int pthread_cond_broadcast(pthread_cond_t *cond) { return wake_waiters(cond, UINT_MAX); }

int pthread_barrier_init(pthread_barrier_t *barrier, const void *none, unsigned count) {
    (void)none;
    *barrier = (pthread_barrier_t){(int)count, 0, (int)count};
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier) {
    int round = load(&barrier->round);
    if (__atomic_sub_fetch(&barrier->left, 1, __ATOMIC_SEQ_CST) > 0) {
        while (load(&barrier->round) == round) wait(&barrier->round, round);
        return 0;
    }
    store(&barrier->left, barrier->count);
    store(&barrier->round, round + 1);
    wake(&barrier->round, UINT_MAX);
    return PTHREAD_BARRIER_SERIAL_THREAD;
}

int pthread_once(pthread_once_t *once, void (*init)(void)) {
    int state = exchange_if(once, 0, 1);
    if (state == 0) {
        init();
        store(once, 2);
        wake(once, UINT_MAX);
    }
    while (load(once) != 2) wait(once, 1);
    return 0;
}

/* ---- thread-specific data ---- */

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    if (key_count == KEYS) return EAGAIN;
    destructors[key_count] = destructor;
    *key = key_count++;
    return 0;
}

int pthread_setspecific(pthread_key_t key, const void *value) {
    self->specific[key] = (void *)value;
    return 0;
}

void *pthread_getspecific(pthread_key_t key) { return self->specific[key]; }
