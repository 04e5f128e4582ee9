/*
 * engines.c - wasmrun, and wasmtime by dlopen; see engines.h.
 */

#include "engines.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wasmrun.h"

void fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the module ----------------------------------------------------------------------------- */

static const char code[] =
    "(func $f (import \"host\" \"f\") (param i32) (result i32))"
    "(func (export \"touch\") (param i32) (result i32) (local $p i32) (local $s i32)"
    "  (block $done (loop $next"
    "    (br_if $done (i32.eqz (local.get 0)))"
    "    (local.set $s (i32.add (local.get $s) (i32.load8_u (local.get $p))))"
    "    (i32.store8 (local.get $p) (i32.const 1))"
    "    (local.set $p (i32.add (local.get $p) (i32.const 12288)))"
    "    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))"
    "    (br $next)))"
    "  (local.get $s))"
    "(func (export \"id\") (param i32) (result i32) (local.get 0))"
    "(func (export \"host\") (param i32) (result i32) (call $f (local.get 0)))";

uint8_t *make_module(unsigned pages, size_t data, size_t *size) {
    char *text = malloc(data * 3 + sizeof code + 200), *p = text;
    p += sprintf(p, "%s(memory (export \"memory\") %u 256)", code, pages);
    if (data) p += sprintf(p, "(data (i32.const 0) \"");
    for (size_t i = 0; i < data; i++) p += sprintf(p, "\\%02x", 2);
    if (data) p += sprintf(p, "\")");
    uint8_t *bytes;
    wr_error_t *error = wr_wat_to_wasm(text, (size_t)(p - text), NULL, false, &bytes, size);
    if (error) fail("%s", wr_error_message(error));
    free(text);
    return bytes;
}

/* ---- wasmrun -------------------------------------------------------------------------------- */

static void must(wr_error_t *error) {
    if (error) fail("wasmrun: %s", wr_error_message(error));
}

static wr_engine_t *engine;
static wr_prelinked_t *prelinked;

static wr_error_t *plus_one(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)context;
    slots[0].u64 = slots[0].u32 + 1;
    return NULL;
}

static bool start_mode(const uint8_t *wasm, size_t size, size_t resident, unsigned instances,
                       wr_memory_mode_t mode) {
    wr_config_t *config = wr_config_new();
    wr_config_set_memory_mode(config, mode);
    wr_config_set_pool(config, instances, resident);
    wr_module_t *module;
    must(wr_engine_new(config, &engine));
    must(wr_module_new(engine, wasm, size, &module));
    wr_linker_t *linker = wr_linker_new(engine);
    must(wr_linker_define_func(linker, "host", "f", "i>i", plus_one, NULL, NULL));
    must(wr_linker_prelink(linker, module, &prelinked));
    wr_linker_delete(linker);
    wr_module_delete(module);
    return true;
}

static bool start(const uint8_t *wasm, size_t size, size_t resident, unsigned instances) {
    return start_mode(wasm, size, resident, instances, WR_MEMORY_AUTO);
}

static bool start_explicit(const uint8_t *wasm, size_t size, size_t resident, unsigned instances) {
    return start_mode(wasm, size, resident, instances, WR_MEMORY_EXPLICIT);
}

static void instantiate(Guest *guest) {
    wr_store_t *store;
    wr_instance_t *instance;
    must(wr_prelinked_new_store(prelinked, &store));
    must(wr_prelinked_instantiate(prelinked, store, &instance));
    guest->store = store;
    guest->instance[0] = (uintptr_t)instance;
}

static void find(Guest *guest, const char *name) {
    guest->func[0] = (uintptr_t)wr_instance_func((void *)guest->instance[0], name);
}

static int32_t call(Guest *guest, int32_t argument) {
    wr_slot_t slots[1] = {{.i32 = argument}};
    must(wr_func_call_slots(guest->store, (void *)guest->func[0], slots));
    return slots[0].i32;
}

static int32_t boxed(Guest *guest, int32_t argument) {
    wr_val_t arg = {.kind = WR_I32, .of.i32 = argument}, result;
    must(wr_func_call(guest->store, (void *)guest->func[0], &arg, 1, &result, 1));
    return result.of.i32;
}

static void end(Guest *guest) { wr_store_delete(guest->store); }

static void stop(void) {
    wr_prelinked_delete(prelinked);
    wr_engine_delete(engine);
}

const EngineOps wasmrun_engine = {"wasmrun", start, instantiate, find, call, boxed, end, stop};
const EngineOps wasmrun_explicit_engine = {"wasmrun", start_explicit, instantiate, find,
                                           call,      boxed,          end,         stop};

/* ---- wasmtime -------------------------------------------------------------------------------
 * What is used of its C API 50, declared here. */

typedef struct Extern {
    uint8_t kind;
    union {
        uint64_t func[2], words[3];
    } of;
} Extern;
typedef union Raw {
    int32_t i32;
    _Alignas(8) uint8_t v128[16];
} Raw;
typedef struct Val {
    uint8_t kind;
    union {
        int32_t i32;
        uint64_t words[3];
    } of;
} Val;
typedef struct Vec {
    size_t size;
    void **data;
} Vec;

static void *library;
static struct {
    void *engine, *pre;
    void *(*store_new)(void *engine, void *data, void (*finalizer)(void *));
    void *(*store_context)(void *store);
    void (*store_delete)(void *store);
    void *(*instantiate)(void *pre, void *context, void *instance, void **trap);
    bool (*export_get)(void *context, const void *instance, const char *name, size_t size,
                       Extern *item);
    void *(*call_unchecked)(void *context, const void *func, Raw *values, size_t n, void **trap);
    void *(*call)(void *context, const void *func, const Val *args, size_t nargs, Val *results,
                  size_t nresults, void **trap);
} wt;

/* Converts to whatever function type it is assigned to. */
static void *symbol(const char *name) {
    void *p = dlsym(library, name);
    if (!p) fail("wasmtime's library has no %s", name);
    return p;
}

#define LOAD(type, name) ((type)(uintptr_t)symbol(name))
typedef void SetSize(void *config, size_t value);
typedef void SetU32(void *config, uint32_t value);

static void *raw_plus_one(void *env, void *caller, Raw *values, size_t n) {
    (void)env, (void)caller, (void)n;
    values[0].i32++;
    return NULL;
}

static void *pooling(size_t resident, unsigned instances) {
    void *pool = LOAD(void *(*)(void), "wasmtime_pooling_allocation_config_new")();
#define SET(type, what, value)                                                                     \
    LOAD(type *, "wasmtime_pooling_allocation_config_" what "_set")(pool, value)
    SET(SetU32, "total_core_instances", instances);
    SET(SetU32, "total_memories", instances);
    SET(SetU32, "total_tables", instances);
    SET(SetU32, "max_unused_warm_slots", instances);
    SET(SetSize, "linear_memory_keep_resident", resident);
    SET(SetSize, "table_keep_resident", resident);
    SET(SetSize, "max_memory_size", (size_t)16 << 20);
#undef SET
    return pool;
}

static void define_host(void *linker) {
    void *(*valtype)(uint8_t) = LOAD(void *(*)(uint8_t), "wasm_valtype_new");
    void (*vec_new)(Vec *, size_t, void *const *) =
        LOAD(void (*)(Vec *, size_t, void *const *), "wasm_valtype_vec_new");
    void *(*functype)(Vec *, Vec *) = LOAD(void *(*)(Vec *, Vec *), "wasm_functype_new");
    Vec params, results;
    void *p = valtype(0), *r = valtype(0);
    vec_new(&params, 1, &p);
    vec_new(&results, 1, &r);
    void *error =
        LOAD(void *(*)(void *, const char *, size_t, const char *, size_t, void *,
                       void *(*)(void *, void *, Raw *, size_t), void *, void (*)(void *)),
             "wasmtime_linker_define_func_unchecked")(
            linker, "host", 4, "f", 1, functype(&params, &results), raw_plus_one, NULL, NULL);
    if (error) fail("wasmtime: the host function");
}

static bool wt_start(const uint8_t *wasm, size_t size, size_t resident, unsigned instances) {
    const char *path = getenv("WASMTIME_LIB");
    if (!path || !*path) return false;
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail("%s", dlerror());
    void *config = LOAD(void *(*)(void), "wasm_config_new")();
    LOAD(void (*)(void *, void *), "wasmtime_pooling_allocation_strategy_set")
    (config, pooling(resident, instances));
    wt.engine = LOAD(void *(*)(void *), "wasm_engine_new_with_config")(config);
    if (!wt.engine) return false;
    void *module, *linker;
    if (LOAD(void *(*)(void *, const uint8_t *, size_t, void **),
             "wasmtime_module_new")(wt.engine, wasm, size, &module))
        fail("wasmtime: the module");
    linker = LOAD(void *(*)(void *), "wasmtime_linker_new")(wt.engine);
    define_host(linker);
    if (LOAD(void *(*)(void *, void *, void **), "wasmtime_linker_instantiate_pre")(linker, module,
                                                                                    &wt.pre))
        fail("wasmtime: pre-linking");
    wt.store_new = LOAD(void *(*)(void *, void *, void (*)(void *)), "wasmtime_store_new");
    wt.store_context = LOAD(void *(*)(void *), "wasmtime_store_context");
    wt.store_delete = LOAD(void (*)(void *), "wasmtime_store_delete");
    wt.instantiate =
        LOAD(void *(*)(void *, void *, void *, void **), "wasmtime_instance_pre_instantiate");
    wt.export_get = LOAD(bool (*)(void *, const void *, const char *, size_t, Extern *),
                         "wasmtime_instance_export_get");
    wt.call_unchecked = LOAD(void *(*)(void *, const void *, Raw *, size_t, void **),
                             "wasmtime_func_call_unchecked");
    wt.call = LOAD(void *(*)(void *, const void *, const Val *, size_t, Val *, size_t, void **),
                   "wasmtime_func_call");
    return true;
}

static void wt_instantiate(Guest *guest) {
    void *trap = NULL;
    guest->store = wt.store_new(wt.engine, NULL, NULL);
    if (wt.instantiate(wt.pre, wt.store_context(guest->store), guest->instance, &trap) || trap)
        fail("wasmtime: instantiating");
}

static void wt_find(Guest *guest, const char *name) {
    Extern item;
    if (!wt.export_get(wt.store_context(guest->store), guest->instance, name, strlen(name), &item))
        fail("wasmtime: no %s", name);
    memcpy(guest->func, item.of.func, sizeof item.of.func);
}

static int32_t wt_call(Guest *guest, int32_t argument) {
    Raw raw = {.i32 = argument};
    void *trap = NULL;
    if (wt.call_unchecked(wt.store_context(guest->store), guest->func, &raw, 1, &trap) || trap)
        fail("wasmtime: a call");
    return raw.i32;
}

static int32_t wt_boxed(Guest *guest, int32_t argument) {
    Val value = {.kind = 0, .of.i32 = argument}, result;
    void *trap = NULL;
    if (wt.call(wt.store_context(guest->store), guest->func, &value, 1, &result, 1, &trap) || trap)
        fail("wasmtime: a call");
    return result.of.i32;
}

static void wt_end(Guest *guest) { wt.store_delete(guest->store); }
static void wt_stop(void) {}

const EngineOps wasmtime_engine = {"wasmtime", wt_start, wt_instantiate, wt_find,
                                   wt_call,    wt_boxed, wt_end,         wt_stop};
