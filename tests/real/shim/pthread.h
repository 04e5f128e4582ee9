/* One thread: pthread_once is all that jq needs of threads. */
#ifndef WASMRUN_TESTS_PTHREAD_SHIM_H
#define WASMRUN_TESTS_PTHREAD_SHIM_H

typedef int pthread_once_t;
#define PTHREAD_ONCE_INIT 0

static inline int pthread_once(pthread_once_t *once, void (*init)(void)) {
    if (!*once) {
        *once = 1;
        init();
    }
    return 0;
}

#endif
