/* Several threads on one engine: modules, stores, shared memories, peers, and guests' threads by WASI. */
#include <criterion/criterion.h>

#include "alloc.h"
#include "store.h"
#include "text_support.h"

enum { THREADS = 8 };

typedef struct Worker {
    Bench *bench;
    wr_module_t *module;
    wr_store_t *store;
    wr_instance_t *instance;
    int32_t index, result;
    OsThread *thread;
} Worker;

/* Runs `run` in THREADS threads, each with a worker of its own. */
static void in_threads(Bench *b, wr_module_t *module, Worker *workers, void (*run)(void *)) {
    for (int32_t i = 0; i < THREADS; i++) {
        workers[i].bench = b;
        workers[i].module = module;
        workers[i].index = i;
        workers[i].thread = wr_os_thread_start(run, &workers[i]);
        cr_assert_not_null(workers[i].thread);
    }
    for (int32_t i = 0; i < THREADS; i++) wr_os_thread_join(workers[i].thread);
}

static wr_error_t *call_in(wr_store_t *store, wr_instance_t *instance, const char *name,
                           int32_t argument, int32_t *result) {
    Bench b = {.store = store};
    return call_i32(&b, instance, name, argument, result);
}

static int32_t get_in(Worker *w, const char *name, int32_t argument) {
    int32_t result = 0;
    must(call_in(w->store, w->instance, name, argument, &result));
    return result;
}

static void own_instance(Worker *w) {
    must(wr_store_new(w->bench->engine, &w->store));
    must(wr_linker_instantiate(w->bench->linker, w->store, w->module, &w->instance));
}

static const wr_memory_mode_t modes[] = {WR_MEMORY_GUARD, WR_MEMORY_EXPLICIT};

static Bench bench_in(wr_memory_mode_t mode) {
    wr_config_t *config = wr_config_new();
    wr_config_set_memory_mode(config, mode);
    return bench_new(config);
}

/* ---- one module, many stores ---- */

#define OWN                                                                                        \
    "(module (type $s (struct (field i32))) (memory 1) (table 4 funcref) (tag $t (param i32))"     \
    " (elem (i32.const 0) $fib) (data (i32.const 8) \"abcd\")"                                     \
    " (func $fib (export \"fib\") (param i32) (result i32)"                                        \
    "   (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))"              \
    "    (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"                         \
    "     (call_indirect (param i32) (result i32) (i32.sub (local.get 0) (i32.const 2))"           \
    "      (i32.const 0))))))"                                                                     \
    " (func (export \"heap\") (param i32) (result i32) (local (ref null $s))"                      \
    "   (loop (local.set 1 (struct.new $s (local.get 0)))"                                         \
    "    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"                           \
    "   (struct.get $s 0 (local.get 1)))"                                                          \
    " (func (export \"throw\") (param i32) (result i32)"                                           \
    "   (block $h (result i32) (try_table (catch $t $h) (throw $t (local.get 0))) (i32.const 0)))" \
    " (func (export \"out\") (param i32) (result i32) (i32.load (i32.const -4))))"

static void use_own(void *context) {
    Worker *w = context;
    for (int32_t round = 0; round < 5; round++) {
        own_instance(w);
        w->result += get_in(w, "fib", 12) == 144;
        w->result += get_in(w, "heap", 1000) == 1;
        w->result += get_in(w, "throw", w->index) == w->index;
        must_trap(call_in(w->store, w->instance, "out", 0, NULL), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
        wr_store_delete(w->store);
    }
}

Test(threads, stores_of_one_module_do_not_meet) {
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Bench b = bench_in(modes[m]);
        wr_module_t *module = text_module(&b, OWN);
        Worker workers[THREADS] = {0};
        in_threads(&b, module, workers, use_own);
        for (int i = 0; i < THREADS; i++) cr_assert_eq(workers[i].result, 15);
        wr_module_delete(module);
        bench_delete(&b);
    }
}

/* Validation and interning of types in many threads at once. */
static void load_modules(void *context) {
    Worker *w = context;
    for (int i = 0; i < 5; i++) {
        wr_module_t *module = text_module(w->bench, OWN);
        wr_module_delete(module);
        w->result++;
    }
}

Test(threads, modules_load_at_the_same_time) {
    Bench b = bench_new(NULL);
    Worker workers[THREADS] = {0};
    in_threads(&b, NULL, workers, load_modules);
    for (int i = 0; i < THREADS; i++) cr_assert_eq(workers[i].result, 5);
    bench_delete(&b);
}

/* ---- a shared memory ---- */

#define SHARING                                                                                    \
    "(module (import \"m\" \"shared\" (memory 1 1000 shared))"                                     \
    " (func (export \"add\") (param i32) (result i32)"                                             \
    "   (i32.atomic.rmw.add (i32.const 0) (local.get 0)))"                                         \
    " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"               \
    " (func (export \"size\") (result i32) (memory.size))"                                         \
    " (func (export \"put\") (param i32) (result i32)"                                             \
    "   (i32.store8 (local.get 0) (i32.const 7)) (i32.load8_u (local.get 0)))"                     \
    " (func (export \"vector\") (param i32) (result i32)"                                          \
    "   (v128.store (local.get 0) (v128.const i32x4 1 2 3 4))"                                     \
    "   (i32x4.extract_lane 3 (v128.load (local.get 0))))"                                         \
    " (func (export \"fill\") (param i32) (result i32)"                                            \
    "   (memory.fill (local.get 0) (i32.const 9) (i32.const 16))"                                  \
    "   (memory.copy (i32.const 64) (local.get 0) (i32.const 16)) (i32.load (i32.const 64)))"      \
    " (func (export \"wait\") (param i32) (result i32)"                                            \
    "   (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1))))"

static const wr_memory_type_t shared_type = {1, 1000, true, false, 16};

/* Made in a store that is gone before it is used. */
static void define_shared(Bench *b) {
    wr_store_t *store;
    wr_shared_memory_t *memory;
    must(wr_store_new(b->engine, &store));
    must(wr_shared_memory_new(store, &shared_type, &memory));
    must(wr_linker_define_memory(b->linker, "m", "shared", memory));
    wr_store_delete(store);
    cr_assert_eq(wr_shared_memory_size(memory), 65536u);
    wr_shared_memory_delete(memory);
}

static void add_and_grow(void *context) {
    Worker *w = context;
    own_instance(w);
    for (int32_t i = 0; i < 50; i++) {
        get_in(w, "add", 1);
        int32_t page = get_in(w, "grow", 1);
        cr_assert_gt(page, 0);
        cr_assert_eq(get_in(w, "put", page * 65536 + 65535), 7);
        cr_assert_gt(get_in(w, "size", 0), page);
    }
}

Test(threads, all_see_a_shared_memory_grow) {
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Bench b = bench_in(modes[m]);
        define_shared(&b);
        wr_module_t *module = text_module(&b, SHARING);
        Worker workers[THREADS] = {0};
        in_threads(&b, module, workers, add_and_grow);
        for (int i = 0; i < THREADS; i++) {
            Worker *w = &workers[i];
            cr_assert_eq(get_in(w, "add", 0), 50 * THREADS);
            cr_assert_eq(get_in(w, "size", 0), 50 * THREADS + 1);
            must_trap(call_in(w->store, w->instance, "put", (50 * THREADS + 1) << 16, NULL),
                      WR_TRAP_MEMORY_OUT_OF_BOUNDS);
            wr_store_delete(w->store);
        }
        wr_module_delete(module);
        bench_delete(&b);
    }
}

/* What one store's instances remember of the size is old when another store has grown it. */
Test(threads, every_access_looks_beyond_what_it_remembers) {
    static const char *const accesses[] = {"put", "vector", "fill"};
    static const int32_t results[] = {7, 4, 0x09090909};
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Bench b = bench_in(modes[m]);
        define_shared(&b);
        wr_module_t *module = text_module(&b, SHARING);
        Worker one = {.bench = &b, .module = module}, other = one;
        own_instance(&one);
        own_instance(&other);
        for (int32_t i = 0; i < 3; i++) {
            int32_t at = (i + 1) * 65536;
            must_trap(call_in(one.store, one.instance, accesses[i], at, NULL),
                      WR_TRAP_MEMORY_OUT_OF_BOUNDS);
            cr_assert_eq(get_in(&other, "grow", 1), i + 1);
            cr_assert_eq(get_in(&one, accesses[i], at), results[i]);
            cr_assert_eq(get_in(&one, "size", 0), i + 2);
        }
        cr_assert_eq(get_in(&one, "grow", 1000), -1);
        wr_store_delete(other.store);
        cr_assert_eq(get_in(&one, "put", 65536), 7);
        wr_store_delete(one.store);
        wr_module_delete(module);
        bench_delete(&b);
    }
}

Test(threads, handles_of_shared_memories) {
    Bench b = bench_new(NULL), foreign = bench_new(NULL);
    wr_shared_memory_t *memory;
    wr_memory_type_t type = shared_type;
    type.is_shared = false;
    must_fail(wr_shared_memory_new(b.store, &type, &memory), WR_ERROR_USAGE, "there is no shared");
    type = (wr_memory_type_t){2, 1, true, false, 16};
    must_fail(wr_shared_memory_new(b.store, &type, &memory), WR_ERROR_USAGE, "there is no shared");
    type = (wr_memory_type_t){1, UINT64_MAX, true, false, 16};
    must_fail(wr_shared_memory_new(b.store, &type, &memory), WR_ERROR_USAGE, "there is no shared");
    type = (wr_memory_type_t){1, 65537, true, false, 16};
    must_fail(wr_shared_memory_new(b.store, &type, &memory), WR_ERROR_USAGE, "there is no shared");
    wr_instance_t *i = text_instance(&b, "(module (memory (export \"s\") 1 2000 shared)"
                                         " (memory (export \"own\") 1))");
    cr_assert_null(wr_memory_share(wr_instance_memory(i, "own")));
    memory = wr_memory_share(wr_instance_memory(i, "s"));
    cr_assert_not_null(memory);
    must_fail(wr_linker_define_memory(foreign.linker, "m", "s", memory), WR_ERROR_USAGE,
              "the memory belongs to another engine");
    bench_delete(&foreign);
    must(wr_linker_define_memory(b.linker, "m", "shared", memory));
    wr_module_t *module = text_module(&b, SHARING);
    must_fail(wr_linker_instantiate(b.linker, b.store, module, &i), WR_ERROR_UNLINKABLE,
              "incompatible import type: memory \"m\" \"shared\": expected at least 1 and at most");
    wr_memory_type_t found;
    cr_assert(wr_module_import_memory(module, 0, &found));
    cr_assert_eq(found.max, 1000u);
    cr_assert(found.is_shared && !found.is_64 && found.page_size_log2 == 16);
    cr_assert_not(wr_module_import_memory(module, 1, &found));
    wr_module_delete(module);
    bench_delete(&b);
    wr_shared_memory_data(memory)[65535] = 1;
    wr_shared_memory_delete(memory);
}

/* ---- peers ---- */

Test(threads, peers_take_memory_from_one_budget) {
    Bench b = bench_new(NULL);
    wr_store_t *peer;
    wr_store_limit_memory(b.store, 6 * 65536);
    must(wr_store_new_peer(b.store, &peer));
    wr_instance_t *i, *k;
    wr_module_t *module = text_module(&b, "(module (memory 2) (func (export \"grow\") (param i32)"
                                          " (result i32) (memory.grow (local.get 0))))");
    must(wr_linker_instantiate(b.linker, b.store, module, &i));
    must(wr_linker_instantiate(b.linker, peer, module, &k));
    int32_t pages;
    must(call_in(peer, k, "grow", 3, &pages));
    cr_assert_eq(pages, -1);
    must(call_in(peer, k, "grow", 1, &pages));
    cr_assert_eq(pages, 2);
    cr_assert_eq(get_i32(&b, i, "grow", 2), -1);
    wr_store_delete(peer);
    cr_assert_eq(get_i32(&b, i, "grow", 4), 2);
    cr_assert_eq(get_i32(&b, i, "grow", 1), -1);
    wr_module_delete(module);
    bench_delete(&b);
}

#define SPINNING                                                                                   \
    "(module (global $n (export \"n\") (mut i32) (i32.const 0))"                                   \
    " (func (export \"spin\") (loop (global.set $n (i32.add (global.get $n) (i32.const 1)))"       \
    "  (br 0))))"

static void spin_dry(void *context) {
    Worker *w = context;
    must(wr_linker_instantiate(w->bench->linker, w->store, w->module, &w->instance));
    must_trap(call_in(w->store, w->instance, "spin", 0, NULL), WR_TRAP_OUT_OF_FUEL);
    w->result = global_i32(w->instance, "n");
}

Test(threads, peers_take_fuel_from_one_budget) {
    Bench b = bench_new(NULL);
    wr_module_t *module = text_module(&b, SPINNING);
    wr_instance_t *i;
    must(wr_linker_instantiate(b.linker, b.store, module, &i));
    wr_store_set_fuel(b.store, 1000000);
    must_trap(call_in(b.store, i, "spin", 0, NULL), WR_TRAP_OUT_OF_FUEL);
    int32_t alone = global_i32(i, "n"), together = 0;
    wr_store_set_fuel(b.store, 1000000);
    Worker workers[THREADS] = {0};
    for (int k = 0; k < THREADS; k++) must(wr_store_new_peer(b.store, &workers[k].store));
    cr_assert_eq(wr_store_fuel(b.store), 1000000u);
    in_threads(&b, module, workers, spin_dry);
    for (int k = 0; k < THREADS; k++) {
        together += workers[k].result;
        wr_store_delete(workers[k].store);
    }
    /* Each may run to the end of its last round. */
    cr_assert_leq(together, alone + THREADS, "%d, %d", together, alone);
    cr_assert_geq(together, alone - THREADS, "%d, %d", together, alone);
    must_trap(call_in(b.store, i, "spin", 0, NULL), WR_TRAP_OUT_OF_FUEL);
    cr_assert_eq(wr_store_fuel(b.store), 0u);
    wr_store_set_fuel(b.store, 5000);
    cr_assert_eq(wr_store_fuel(b.store), 5000u);
    wr_module_delete(module);
    bench_delete(&b);
}

static void wait_until_interrupted(void *context) {
    Worker *w = context;
    must(wr_linker_instantiate(w->bench->linker, w->store, w->module, &w->instance));
    must_trap(call_in(w->store, w->instance, "wait", 0, NULL),
              w->index % 2 ? WR_TRAP_INTERRUPTED : WR_TRAP_DEADLINE);
}

/* Odd ones are interrupted; even ones have a deadline, which peers have too. */
Test(threads, others_end_what_a_thread_waits_for) {
    Bench b = bench_new(NULL);
    define_shared(&b);
    wr_module_t *module = text_module(&b, SHARING);
    Worker workers[THREADS] = {0};
    wr_store_set_interruptible(b.store, true);
    for (int i = 1; i < THREADS; i += 2) must(wr_store_new_peer(b.store, &workers[i].store));
    must(wr_store_set_timeout(b.store, 50000000));
    for (int i = 0; i < THREADS; i += 2) must(wr_store_new_peer(b.store, &workers[i].store));
    for (int i = 1; i < THREADS; i += 2) wr_store_interrupt(workers[i].store);
    in_threads(&b, module, workers, wait_until_interrupted);
    for (int i = 0; i < THREADS; i++) wr_store_delete(workers[i].store);
    wr_module_delete(module);
    bench_delete(&b);
}

/* ---- guests' threads ---- */

#define GUEST                                                                                      \
    "(module (import \"env\" \"memory\" (memory 1 2 shared))"                                      \
    " (import \"wasi\" \"thread-spawn\" (func $spawn (param i32) (result i32)))"                   \
    " (func (export \"wasi_thread_start\") (param i32 i32)"                                        \
    "   (i32.atomic.store (i32.const 4) (local.get 0))"                                            \
    "   (drop (i32.atomic.rmw.add (i32.const 0) (local.get 1)))"                                   \
    "   (drop (memory.atomic.notify (i32.const 0) (i32.const -1)))"                                \
    "   (if (i32.eq (local.get 1) (i32.const 100)) (then (unreachable)))"                          \
    "   (if (i32.eq (local.get 1) (i32.const 200)) (then (loop (br 0)))))"                         \
    " (func (export \"spawn\") (param i32) (result i32) (call $spawn (local.get 0)))"              \
    " (func (export \"spawn_and_sum\") (param i32) (result i32)"                                   \
    "   (drop (call $spawn (local.get 0))) (call $sum (i32.const -1)))"                            \
    " (func $sum (export \"sum\") (param i32) (result i32)"                                        \
    "   (loop (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 1000000)))"       \
    "    (br_if 0 (i32.lt_u (i32.atomic.load (i32.const 0)) (local.get 0))))"                      \
    "   (i32.atomic.load (i32.const 0))))"

typedef struct Guest {
    Bench bench;
    wr_wasi_t *wasi;
    wr_module_t *module;
    wr_instance_t *instance;
} Guest;

static Guest guest_new(uint32_t max_threads) {
    Guest g = {.bench = bench_new(NULL), .wasi = wr_wasi_new()};
    g.module = text_module(&g.bench, GUEST);
    must(wr_wasi_link(g.wasi, g.bench.linker));
    must(wr_wasi_link_threads(g.wasi, g.bench.linker, g.bench.store, g.module, max_threads));
    must(wr_linker_instantiate(g.bench.linker, g.bench.store, g.module, &g.instance));
    return g;
}

static void guest_delete(Guest *g) {
    must(wr_wasi_end_threads(g->wasi, NULL));
    wr_module_delete(g->module);
    wr_linker_delete(g->bench.linker);
    wr_store_delete(g->bench.store);
    wr_wasi_delete(g->wasi);
    wr_engine_delete(g->bench.engine);
}

/* Threads that are done may take their time to end: spawning waits for them, but not for ever. */
static int32_t spawn_soon(Guest *g, int32_t argument) {
    int32_t id;
    do id = get_i32(&g->bench, g->instance, "spawn", argument);
    while (id == -6);
    return id;
}

Test(threads, guests_spawn_and_go_on) {
    Guest g = guest_new(4);
    for (int32_t i = 1; i <= 50; i++) cr_assert_eq(spawn_soon(&g, 1), i);
    cr_assert_eq(get_i32(&g.bench, g.instance, "sum", 50), 50);
    guest_delete(&g);
}

/* The first thread has added its 200 before the second one may end it. */
Test(threads, a_trap_ends_the_guest_and_the_context_can_go_on) {
    Guest g = guest_new(4);
    cr_assert_eq(get_i32(&g.bench, g.instance, "spawn", 200), 1);
    cr_assert_eq(get_i32(&g.bench, g.instance, "sum", 200), 200);
    wr_error_t *error = call_i32(&g.bench, g.instance, "spawn_and_sum", 100, NULL);
    cr_assert_eq(wr_error_trap_code(error), WR_TRAP_INTERRUPTED);
    error = wr_wasi_end_threads(g.wasi, error);
    cr_assert_eq(wr_error_trap_code(error), WR_TRAP_UNREACHABLE);
    cr_assert_eq(wr_error_frame_count(error), 1u);
    wr_error_delete(error);
    cr_assert_eq(get_i32(&g.bench, g.instance, "spawn", 1), 3);
    cr_assert_eq(get_i32(&g.bench, g.instance, "sum", 301), 301);
    guest_delete(&g);
}

Test(threads, the_host_can_end_them) {
    Guest g = guest_new(4);
    for (int32_t i = 0; i < 4; i++) cr_assert_gt(get_i32(&g.bench, g.instance, "spawn", 200), 0);
    cr_assert_eq(get_i32(&g.bench, g.instance, "spawn", 1), -6);
    wr_error_t *error = wr_wasi_end_threads(g.wasi, wr_exit_new(3));
    uint32_t status;
    cr_assert(wr_error_exit_status(error, &status));
    cr_assert_eq(status, 3u);
    wr_error_delete(error);
    guest_delete(&g);
}

/* A module without thread-spawn costs nothing, one without a shared memory has none. */
Test(threads, only_those_that_ask_get_threads) {
    Bench b = bench_new(NULL);
    wr_wasi_t *wasi = wr_wasi_new();
    wr_module_t *module = text_module(&b, "(module (memory 1))");
    must(wr_wasi_link_threads(wasi, b.linker, b.store, module, 4));
    cr_assert_not(b.store->interruptible);
    must_trap(wr_wasi_end_threads(wasi, wr_trap_new("mine")), WR_TRAP_HOST);
    wr_module_delete(module);
    bench_delete(&b);
    wr_wasi_delete(wasi);
}

/* ---- failing allocations ---- */

static wr_error_t *peers_and_memories(const Alloc *alloc) {
    wr_config_t *config = wr_config_new();
    wr_config_set_allocator(config, alloc->func, alloc->context);
    wr_config_set_memory_mode(config, WR_MEMORY_EXPLICIT);
    wr_engine_t *engine = NULL;
    wr_store_t *store = NULL, *peer = NULL;
    wr_shared_memory_t *memory = NULL;
    wr_module_t *module = NULL;
    wr_instance_t *one, *other;
    wr_error_t *error = wr_engine_new(config, &engine);
    if (error) return error;
    static const uint8_t bytes[] = {0, 'a', 's', 'm', 1,   0, 0, 0, 2, 9,
                                    1, 1,   'm', 1,   's', 2, 3, 1, 2};
    wr_linker_t *linker = wr_linker_new(engine);
    error = linker ? wr_store_new(engine, &store) : wr_error_new(WR_ERROR_MEMORY, "linker");
    if (!error) error = wr_store_set_timeout(store, 1000000000000);
    if (!error) error = wr_store_new_peer(store, &peer);
    wr_memory_type_t type = {1, 2, true, false, 16};
    if (!error) error = wr_shared_memory_new(store, &type, &memory);
    if (!error) error = wr_linker_define_memory(linker, "m", "s", memory);
    if (!error) error = wr_module_new(engine, bytes, sizeof bytes, &module);
    if (!error) error = wr_linker_instantiate(linker, store, module, &one);
    if (!error) error = wr_linker_instantiate(linker, peer, module, &other);
    wr_shared_memory_delete(memory);
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_store_delete(peer);
    wr_store_delete(store);
    wr_engine_delete(engine);
    return error;
}

Test(threads, survives_every_failing_allocation) {
    for (size_t n = 1;; n++) {
        FailAlloc state = {.fail_at = n};
        Alloc alloc = wr_alloc_failing(&state);
        wr_error_t *error = peers_and_memories(&alloc);
        cr_assert_eq(state.live_bytes, 0, "allocation %zu", n);
        if (state.calls < n) {
            must(error);
            cr_assert_gt(n, 15u);
            return;
        }
        if (error) cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
        wr_error_delete(error);
    }
}
