/*
 * calls.c - what it costs to call into a guest and back out.
 *
 * usage: calls [ROUNDS]
 *
 * Nanoseconds of processor time, the median of many batches: host to guest and back (a function that returns its
 * argument), and host to guest to host and back, with values as they are and with tagged ones.
 * Beside wasmtime ($WASMTIME_LIB, see engines.h) and wasm3 ($WASM3_LIB, a shared library of it).
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "engines.h"
#include "wasmrun.h"

enum { BATCHES = 101 };

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double batch(Guest *guest, int32_t (*call)(Guest *, int32_t), int rounds, int32_t added) {
    double begin = cpu();
    int32_t value = 0;
    for (int i = 0; i < rounds; i++) value = call(guest, value);
    double end = cpu();
    if (value != added * rounds) fail("a wrong answer");
    return (end - begin) * 1000 / rounds;
}

static double median(Guest *guest, int32_t (*call)(Guest *, int32_t), int rounds, int32_t added) {
    double times[BATCHES];
    for (int i = 0; i < BATCHES; i++) times[i] = batch(guest, call, rounds, added);
    qsort(times, BATCHES, sizeof *times, compare);
    return times[BATCHES / 2];
}

static void measure(const EngineOps *engine, const uint8_t *wasm, size_t size, int rounds) {
    Guest guest;
    if (!engine->start(wasm, size, 1 << 20, 10)) return;
    engine->instantiate(&guest);
    engine->find(&guest, "id");
    double typed = median(&guest, engine->call, rounds, 0);
    double boxed = median(&guest, engine->boxed, rounds, 0);
    engine->find(&guest, "host");
    double typed_host = median(&guest, engine->call, rounds, 1);
    double boxed_host = median(&guest, engine->boxed, rounds, 1);
    printf("%-20s %8.1f %8.1f %12.1f %8.1f\n", engine->name, typed, boxed, typed_host, boxed_host);
    engine->end(&guest);
    engine->stop();
}

/* ---- wasmrun in a store that is not a pre-linked module's ---------------------------------------- */

static wr_engine_t *engine;
static wr_store_t *store;
static wr_instance_t *instance;

static wr_error_t *plus_one(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)context;
    slots[0].u64 = slots[0].u32 + 1;
    return NULL;
}

static void must(wr_error_t *error) {
    if (error) fail("wasmrun: %s", wr_error_message(error));
}

static bool plain_start(const uint8_t *wasm, size_t size, size_t resident, unsigned instances) {
    (void)resident, (void)instances;
    wr_module_t *module;
    must(wr_engine_new(NULL, &engine));
    must(wr_module_new(engine, wasm, size, &module));
    must(wr_store_new(engine, &store));
    wr_linker_t *linker = wr_linker_new(engine);
    must(wr_linker_define_func(linker, "host", "f", "i>i", plus_one, NULL, NULL));
    must(wr_linker_instantiate(linker, store, module, &instance));
    wr_linker_delete(linker);
    wr_module_delete(module);
    return true;
}

static void plain_instantiate(Guest *guest) {
    guest->store = store;
    guest->instance[0] = (uintptr_t)instance;
}

static void plain_end(Guest *guest) { wr_store_delete(guest->store); }
static void plain_stop(void) { wr_engine_delete(engine); }

/* ---- wasm3 -------------------------------------------------------------------------------------- */

static struct {
    void *runtime;
    const char *(*find)(void **func, void *runtime, const char *name);
    const char *(*call)(void *func, uint32_t count, const void *args[]);
    const char *(*results)(void *func, uint32_t count, const void *results[]);
} m3;

static const void *m3_plus_one(void *runtime, void *context, uint64_t *slots, void *memory) {
    (void)runtime, (void)context, (void)memory;
    *(int32_t *)slots = *(int32_t *)(slots + 1) + 1;
    return NULL;
}

static void *symbol(void *library, const char *name) {
    void *p = dlsym(library, name);
    if (!p) fail("wasm3's library has no %s", name);
    return p;
}

#define LOAD(type, name) ((type)(uintptr_t)symbol(library, name))

static bool m3_start(const uint8_t *wasm, size_t size, size_t resident, unsigned instances) {
    (void)resident, (void)instances;
    const char *path = getenv("WASM3_LIB");
    void *library = path && *path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL, *module;
    if (!library) return false;
    void *environment = LOAD(void *(*)(void), "m3_NewEnvironment")();
    m3.runtime =
        LOAD(void *(*)(void *, uint32_t, void *), "m3_NewRuntime")(environment, 65536, NULL);
    m3.find = LOAD(const char *(*)(void **, void *, const char *), "m3_FindFunction");
    m3.call = LOAD(const char *(*)(void *, uint32_t, const void **), "m3_Call");
    m3.results = LOAD(const char *(*)(void *, uint32_t, const void **), "m3_GetResults");
    if (LOAD(const char *(*)(void *, void **, const uint8_t *, uint32_t),
             "m3_ParseModule")(environment, &module, wasm, (uint32_t)size) ||
        LOAD(const char *(*)(void *, void *), "m3_LoadModule")(m3.runtime, module) ||
        LOAD(const char *(*)(void *, const char *, const char *, const char *,
                             const void *(*)(void *, void *, uint64_t *, void *)),
             "m3_LinkRawFunction")(module, "host", "f", "i(i)", m3_plus_one))
        fail("wasm3: the module");
    return true;
}

static void m3_instantiate(Guest *guest) { guest->store = m3.runtime; }

static void m3_find(Guest *guest, const char *name) {
    if (m3.find((void **)guest->func, guest->store, name)) fail("wasm3: no %s", name);
}

static int32_t m3_call(Guest *guest, int32_t argument) {
    int32_t result;
    const void *args[] = {&argument}, *results[] = {&result};
    if (m3.call((void *)guest->func[0], 1, args) || m3.results((void *)guest->func[0], 1, results))
        fail("wasm3: a call");
    return result;
}

static void nothing(Guest *guest) { (void)guest; }
static void stop_nothing(void) {}

/* ---- the table ---------------------------------------------------------------------------------- */

int main(int argc, char **argv) {
    static const EngineOps wasm3_engine = {"wasm3", m3_start, m3_instantiate, m3_find,
                                           m3_call, m3_call,  nothing,        stop_nothing};
    EngineOps plain = wasmrun_engine;
    plain.name = "wasmrun, own store";
    plain.start = plain_start;
    plain.instantiate = plain_instantiate;
    plain.end = plain_end;
    plain.stop = plain_stop;
    int rounds = argc > 1 ? atoi(argv[1]) : 20000;
    size_t size;
    uint8_t *wasm = make_module(1, 16, &size);
    printf("Calls, nanoseconds\n%-20s %17s %21s\n%-20s %8s %8s %12s %8s\n", "", "into the guest",
           "and to the host", "engine", "typed", "boxed", "typed", "boxed");
    measure(&plain, wasm, size, rounds);
    measure(&wasmrun_engine, wasm, size, rounds);
    measure(&wasmtime_engine, wasm, size, rounds);
    measure(&wasm3_engine, wasm, size, rounds);
    wr_bytes_delete(wasm, size);
}
