/*
 * engines.h - the engines that the programs of this folder measure, behind the same few operations.
 *
 * wasmrun is linked. wasmtime's C library is loaded from $WASMTIME_LIB (the wheel on PyPI has it:
 * wasmtime/linux-x86_64/_libwasmtime.so) and set up as its documentation says for this use:
 * pre-linked instances, pooling allocator, pages kept resident.
 */
#ifndef WR_BENCH_ENGINES_H
#define WR_BENCH_ENGINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A store with one instance of the prepared module. */
typedef struct Guest {
    void *store;
    uint64_t instance[4], func[4];
} Guest;

typedef struct EngineOps {
    const char *name;
    /* False if it is not there. `resident`: bytes of a memory to keep for the next guest. */
    bool (*start)(const uint8_t *wasm, size_t size, size_t resident, unsigned instances);
    void (*instantiate)(Guest *guest);                /* a store, and the instance in it */
    void (*find)(Guest *guest, const char *name);     /* an exported function, for call */
    int32_t (*call)(Guest *guest, int32_t argument);  /* i32 to i32, the quick way */
    int32_t (*boxed)(Guest *guest, int32_t argument); /* the same with tagged values */
    void (*end)(Guest *guest);
    void (*stop)(void);
} EngineOps;

extern const EngineOps wasmrun_engine, wasmtime_engine;
/* Without guard pages and signal handlers. */
extern const EngineOps wasmrun_explicit_engine;

void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
double now(void); /* microseconds */
double cpu(void); /* of this thread's processor time, in microseconds */
/* A module with one import host.f (i32 to i32) and exports: touch (writes to that many pages of 4 KiB,
 * 12 KiB apart), id, host (calls host.f). The first `pages` pages of 64 KiB hold data, if `data`. */
uint8_t *make_module(unsigned pages, size_t data, size_t *size);

#endif
