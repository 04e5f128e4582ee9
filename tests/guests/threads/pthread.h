/*
 * pthread.h - as much of POSIX threads as the guests of this folder use, over wasi-threads and the
 * atomic instructions: Debian's wasi-libc is built without threads. The same guests build unchanged
 * with a wasi-libc that has them (clang --target=wasm32-wasi-threads -pthread).
 *
 * The libc that is linked knows nothing of threads: of its functions the guests call malloc() and stdio in
 * one thread at a time. pthread_create() calls malloc().
 */
#ifndef GUEST_PTHREAD_H
#define GUEST_PTHREAD_H

#include <stddef.h>
#include <stdint.h>

typedef struct Thread *pthread_t;
typedef struct pthread_attr_t pthread_attr_t; /* there are none */
typedef struct {                              /* 0 free, 1 held, 2 held and perhaps waited for */
    int state;
} pthread_mutex_t;
typedef struct {
    int sequence;
} pthread_cond_t;
typedef struct {
    int left, round, count;
} pthread_barrier_t;
typedef int pthread_once_t;
typedef unsigned pthread_key_t;

#define PTHREAD_MUTEX_INITIALIZER {0}
#define PTHREAD_COND_INITIALIZER {0}
#define PTHREAD_ONCE_INIT 0
#define PTHREAD_BARRIER_SERIAL_THREAD (-1)

int pthread_create(pthread_t *thread, const pthread_attr_t *none, void *(*start)(void *),
                   void *argument);
int pthread_join(pthread_t thread, void **result);
pthread_t pthread_self(void);

int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int pthread_cond_signal(pthread_cond_t *cond);
int pthread_cond_broadcast(pthread_cond_t *cond);
int pthread_barrier_init(pthread_barrier_t *barrier, const void *none, unsigned count);
int pthread_barrier_wait(pthread_barrier_t *barrier);
int pthread_once(pthread_once_t *once, void (*init)(void));

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_setspecific(pthread_key_t key, const void *value);
void *pthread_getspecific(pthread_key_t key);

#endif
