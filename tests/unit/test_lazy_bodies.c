/* Bodies that are validated when they are needed: what is wrong with one, threads, and no memory left. */
#include "lazy_bodies.h"
#include "os.h"
#include "store.h"
#include "text_support.h"

#define PROGRAM                                                                                    \
    "(module (table funcref (elem $leaf $leaf))"                                                   \
    " (func $leaf (export \"leaf\") (param i32) (result i32) (i32.add (local.get 0) (i32.const "   \
    "1)))"                                                                                         \
    " (func $wide (param i32) (result i32) (local v128)"                                           \
    "  (local.set 1 (i32x4.splat (local.get 0))) (i32x4.extract_lane 2 (local.get 1)))"            \
    " (func $branches (param i32) (result i32)"                                                    \
    "  (block (loop (br_if 1 (i32.eqz (local.get 0)))"                                             \
    "   (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br 0))) (local.get 0))"               \
    " (func $tail (param i32) (result i32) (return_call $leaf (local.get 0)))"                     \
    " (func (export \"all\") (param i32) (result i32)"                                             \
    "  (i32.add (call $branches (local.get 0)) (i32.add (call $tail (local.get 0))"                \
    "   (i32.add (call $wide (local.get 0))"                                                       \
    "    (call_indirect (param i32) (result i32) (local.get 0) (i32.const 1)))))))"

Test(lazy_bodies, a_body_is_validated_when_it_is_called) {
    Bench b = bench_new(NULL);
    wr_module_t *module = lazy_text_module(&b, PROGRAM);
    wr_instance_t *i;
    must(wr_linker_instantiate(b.linker, b.store, module, &i));
    Func *leaf = i->funcs[0], *all = i->funcs[4];
    cr_assert(leaf->home->lazy && all->home->lazy);
    cr_assert_eq(get_i32(&b, i, "leaf", 5), 6);
    cr_assert(!leaf->home->lazy && all->home->lazy, "no other one is");
    cr_assert_eq(get_i32(&b, i, "all", 5), 17);
    for (u32 k = 0; k < 5; k++) cr_assert(!i->funcs[k]->home->lazy);
    cr_assert(i->funcs[1]->home->wide);
    wr_module_delete(module);
    bench_delete(&b);
}

/* A second instance finds what the first one had validated. */
Test(lazy_bodies, instances_share_what_was_validated) {
    Bench b = bench_new(NULL);
    wr_module_t *module = lazy_text_module(&b, PROGRAM);
    wr_instance_t *one, *two;
    must(wr_linker_instantiate(b.linker, b.store, module, &one));
    must(wr_linker_instantiate(b.linker, b.store, module, &two));
    cr_assert_eq(get_i32(&b, one, "all", 1), 5);
    cr_assert_eq(get_i32(&b, two, "all", 1), 5);
    for (u32 k = 0; k < 5; k++) cr_assert_eq(one->funcs[k]->code, two->funcs[k]->code);
    wr_module_delete(module);
    bench_delete(&b);
}

/* ---- invalid bodies ---- */

/* "bad" leaves an i64 where an i32 is due; it is reached by each kind of call. */
#define BAD                                                                                        \
    "(module (table funcref (elem $bad))"                                                          \
    " (func $bad (export \"bad\") (param i32) (result i32) (i64.const 0) (drop) (local.get 0))"    \
    " (func (export \"call\") (param i32) (result i32) (call $bad (local.get 0)))"                 \
    " (func (export \"tail\") (param i32) (result i32) (return_call $bad (local.get 0)))"          \
    " (func (export \"indirect\") (param i32) (result i32)"                                        \
    "  (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))"                      \
    " (func (export \"good\") (param i32) (result i32) (local.get 0)))"

/* i64.const 0 drop, in bytes, and what makes it invalid. */
static void spoil(u8 *bytes, size_t size) {
    static const u8 good[] = {0x42, 0x00, 0x1A};
    for (size_t i = 0; i + sizeof good <= size; i++) {
        if (memcmp(bytes + i, good, sizeof good) != 0) continue;
        bytes[i + 2] = 0x45; /* i32.eqz */
        return;
    }
    cr_assert_fail("the body is not there");
}

static wr_module_t *bad_module(Bench *b) {
    size_t size;
    u8 *bytes = text_bytes(BAD, &size);
    wr_module_t *module;
    spoil(bytes, size);
    must_fail(wr_module_new(b->engine, bytes, size, &module), WR_ERROR_INVALID, "type mismatch");
    must(wr_module_load_outline(b->engine, bytes, size, BYTES_COPIED, &module));
    must(wr_module_check_bodies(module, BODIES_WHEN_NEEDED));
    return module;
}

Test(lazy_bodies, an_invalid_one_is_an_error_of_the_call) {
    static const struct {
        const char *name;
        size_t frames;
    } calls[] = {{"bad", 0}, {"call", 1}, {"tail", 0}, {"indirect", 1}};
    Bench b = bench_new(NULL);
    wr_module_t *module = bad_module(&b);
    wr_instance_t *i;
    must(wr_linker_instantiate(b.linker, b.store, module, &i));
    for (int round = 0; round < 3; round++) {
        for (size_t k = 0; k < ARRAY_LEN(calls); k++) {
            wr_error_t *error = call_i32(&b, i, calls[k].name, 1, NULL);
            cr_assert_not_null(error);
            cr_assert_eq(wr_error_frame_count(error), calls[k].frames, "%s", calls[k].name);
            must_fail(error, WR_ERROR_INVALID, "type mismatch");
        }
        cr_assert_eq(get_i32(&b, i, "good", 7), 7);
    }
    wr_module_delete(module);
    bench_delete(&b);
}

/* ---- threads ---- */

#define THREADS 8

typedef struct Worker {
    OsThread *thread;
    wr_engine_t *engine;
    wr_module_t *module;
    int32_t sum;
} Worker;

static void work(void *context) {
    Worker *w = context;
    Bench b = {.engine = w->engine, .linker = wr_linker_new(w->engine)};
    wr_instance_t *i;
    must(wr_store_new(w->engine, &b.store));
    must(wr_linker_instantiate(b.linker, b.store, w->module, &i));
    for (int32_t k = 0; k < 10; k++) w->sum += get_i32(&b, i, "all", k);
    wr_linker_delete(b.linker);
    wr_store_delete(b.store);
}

Test(lazy_bodies, threads_need_the_same_ones) {
    Bench b = bench_new(NULL);
    for (int round = 0; round < 20; round++) {
        wr_module_t *module = lazy_text_module(&b, PROGRAM);
        Worker workers[THREADS];
        for (int k = 0; k < THREADS; k++) {
            workers[k] = (Worker){.engine = b.engine, .module = module};
            workers[k].thread = wr_os_thread_start(work, &workers[k]);
            cr_assert_not_null(workers[k].thread);
        }
        for (int k = 0; k < THREADS; k++) {
            wr_os_thread_join(workers[k].thread);
            cr_assert_eq(workers[k].sum, 3 * 45 + 20);
        }
        wr_module_delete(module);
    }
    bench_delete(&b);
}

/* ---- no memory ---- */

/* Each allocation fails once: the call says so, or goes well; the next one does, and nothing is lost. */
Test(lazy_bodies, every_failed_allocation_is_survived) {
    for (size_t nth = 1;; nth++) {
        FailAlloc state = {0};
        Alloc alloc = wr_alloc_failing(&state);
        wr_config_t *config = wr_config_new();
        wr_config_set_allocator(config, alloc.func, alloc.context);
        Bench b = bench_new(config);
        size_t size;
        u8 *bytes = text_bytes(PROGRAM, &size);
        wr_module_t *module;
        wr_instance_t *i;
        must(wr_module_load_outline(b.engine, bytes, size, BYTES_BORROWED, &module));
        must(wr_module_check_bodies(module, BODIES_WHEN_NEEDED));
        must(wr_linker_instantiate(b.linker, b.store, module, &i));
        state.calls = 0;
        state.fail_at = nth;
        wr_error_t *error = call_i32(&b, i, "all", 2, NULL);
        bool is_done = state.calls < nth;
        cr_assert(!error || wr_error_kind(error) == WR_ERROR_MEMORY ||
                      wr_error_trap_code(error) == WR_TRAP_ALLOCATION_FAILURE,
                  "%s", error ? wr_error_message(error) : "");
        wr_error_delete(error);
        cr_assert_eq(get_i32(&b, i, "all", 2), 8);
        wr_module_delete(module);
        bench_delete(&b);
        wr_free(&wr_alloc_system, bytes, size);
        cr_assert_eq(state.live_bytes, 0, "allocation %zu", nth);
        if (is_done) break;
        cr_assert_lt(nth, 1000u);
    }
}
