/*
 * test_pausing.c - calls that pause: for fuel, deadlines and interruptions; many at a time; what they hold on to.
 */
#include <pthread.h>
#include <stdlib.h>

#include "embed_support.h"

static wr_module_t *load(wr_engine_t *engine, const char *text) {
    uint8_t *bytes;
    size_t size;
    wr_module_t *module;
    must(wr_wat_to_wasm(text, strlen(text), NULL, true, &bytes, &size));
    must(wr_module_new(engine, bytes, size, &module));
    wr_bytes_delete(bytes, size);
    return module;
}

static wr_instance_t *instance_of(Bench *b, const char *text) {
    wr_instance_t *instance;
    wr_module_t *module = load(b->engine, text);
    must(wr_linker_instantiate(b->linker, b->store, module, &instance));
    wr_module_delete(module);
    return instance;
}

static wr_val_t int_val(int32_t n) { return (wr_val_t){.kind = WR_I32, .of.i32 = n}; }
static wr_val_t long_val(int64_t n) { return (wr_val_t){.kind = WR_I64, .of.i64 = n}; }

/* Gives it fuel in portions until it ends; how often it paused goes to *pauses. */
static wr_error_t *run_in_slices(Bench *b, const char *what, wr_instance_t *instance, wr_val_t arg,
                                 uint64_t slice, wr_val_t *result, size_t *pauses) {
    wr_call_t *paused;
    *pauses = 0;
    wr_store_set_fuel(b->store, slice);
    wr_func_t *func = wr_instance_func(instance, what);
    size_t nresults = wr_func_result_count(func);
    wr_error_t *error = wr_call_start(b->store, func, &arg, 1, result, nresults, &paused);
    while (!error && paused) {
        cr_assert_eq(wr_call_reason(paused), WR_TRAP_OUT_OF_FUEL);
        ++*pauses;
        wr_store_add_fuel(b->store, slice);
        error = wr_call_resume(paused, result, nresults, &paused);
    }
    cr_assert_null(paused);
    return error;
}

static const char *const programs =
    "(module (import \"h\" \"note\" (func $note (param i32)))"
    " (type $node (struct (field i32) (field (ref null $node)))) (tag $t (param i32))"
    " (func $fib (export \"fib\") (param i32) (result i32)"
    "  (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))"
    "   (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
    "    (call $fib (i32.sub (local.get 0) (i32.const 2)))))))"
    " (func $count (export \"count\") (param i32) (result i32) (local $i i32)"
    "  (loop (call $note (local.tee $i (i32.add (local.get $i) (i32.const 1))))"
    "   (br_if 0 (i32.lt_s (local.get $i) (local.get 0)))) (local.get $i))"
    /* wide locals, an exception from deep below, tail calls */
    " (func $down (param i32 v128) (result v128)"
    "  (if (i32.eqz (local.get 0)) (then (throw $t (i32x4.extract_lane 2 (local.get 1)))))"
    "  (call $down (i32.sub (local.get 0) (i32.const 1))"
    "   (i32x4.add (local.get 1) (v128.const i32x4 1 2 3 4))))"
    " (func (export \"wide\") (param i32) (result i32)"
    "  (block $h (result i32) (try_table (result v128) (catch $t $h)"
    "   (call $down (local.get 0) (v128.const i32x4 0 0 0 0))) (drop) (i32.const -1)))"
    " (func $tail (export \"tail\") (param i32) (result i32)"
    "  (if (result i32) (local.get 0)"
    "   (then (return_call $tail (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7))))"
    /* objects that only paused frames refer to */
    " (func (export \"list\") (param i32) (result i32) (local $l (ref null $node)) (local $i i32)"
    "  (loop (local.set $l (struct.new $node (local.get $i) (local.get $l)))"
    "   (drop (struct.new $node (i32.const 1) (ref.null $node)))"
    "   (br_if 0 (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1)))"
    "    (local.get 0))))"
    "  (local.set $i (i32.const 0))"
    "  (loop (local.set $i (i32.add (local.get $i) (struct.get $node 0 (local.get $l))))"
    "   (br_if 0 (i32.eqz (ref.is_null"
    "    (local.tee $l (struct.get $node 1 (local.get $l)))))))"
    "  (local.get $i))"
    " (func (export \"trap\") (param i32) (result i32)"
    "  (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))"
    "   (br_if 0 (i32.gt_s (local.get 0) (i32.const 0)))) (unreachable))"
    " (func (export \"spin\") (param i32) (result i32)"
    "  (loop (br_if 0 (i32.const 1))) (i32.const 0)))";

static wr_error_t *note(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    *(int32_t *)context = slots[0].i32;
    return NULL;
}

static wr_instance_t *make_programs(Bench *b, int32_t *noted) {
    must(wr_linker_define_func(b->linker, "h", "note", "i>", note, noted, NULL));
    return instance_of(b, programs);
}

Test(pausing, fuel) {
    static const struct {
        const char *name;
        int32_t argument, result;
    } cases[] = {{"fib", 15, 610},
                 {"count", 300, 300},
                 {"wide", 500, 1500},
                 {"tail", 1000, 7},
                 {"list", 1000, 499500}};
    Bench b = bench_new(NULL);
    int32_t noted = 0;
    wr_instance_t *instance = make_programs(&b, &noted);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint64_t slice = 50; slice < 50000; slice *= 3) {
            wr_val_t result;
            size_t pauses;
            must(run_in_slices(&b, cases[i].name, instance, int_val(cases[i].argument), slice,
                               &result, &pauses));
            cr_assert_eq(result.of.i32, cases[i].result, "%s: %d", cases[i].name, result.of.i32);
            cr_assert(pauses > 0 || slice > 5000, "%s: %zu", cases[i].name, pauses);
        }
    }
    bench_delete(&b);
}

/* Pausing neither costs nor saves fuel. */
Test(pausing, fuel_is_the_same) {
    Bench b = bench_new(NULL);
    int32_t noted = 0;
    wr_instance_t *instance = make_programs(&b, &noted);
    wr_val_t argument = int_val(18), result;
    wr_store_set_fuel(b.store, 1000000);
    must(wr_func_call(b.store, wr_instance_func(instance, "fib"), &argument, 1, &result, 1));
    uint64_t used = 1000000 - wr_store_fuel(b.store);
    uint64_t slice = 777;
    size_t pauses;
    must(run_in_slices(&b, "fib", instance, argument, slice, &result, &pauses));
    cr_assert_eq((pauses + 1) * slice - wr_store_fuel(b.store), used);
    cr_assert(pauses > 10);
    bench_delete(&b);
}

Test(pausing, errors_after_a_pause) {
    Bench b = bench_new(NULL);
    int32_t noted = 0;
    wr_instance_t *instance = make_programs(&b, &noted);
    wr_val_t result;
    size_t pauses;
    wr_error_t *error = run_in_slices(&b, "trap", instance, int_val(1000), 100, &result, &pauses);
    cr_assert(pauses > 10);
    cr_assert_eq(wr_error_frame_count(error), 1u);
    must_trap(error, WR_TRAP_UNREACHABLE);
    bench_delete(&b);
}

/* Many paused calls take turns, with collections in between, and each keeps its own. */
Test(pausing, turns) {
    enum { CALLS = 20 };
    wr_config_t *config = wr_config_new();
    wr_config_set_gc_debug(config, WR_GC_VERIFY);
    wr_config_set_max_stack(config, 65536);
    Bench b = bench_new(config);
    int32_t noted = 0;
    wr_instance_t *instance = make_programs(&b, &noted);
    wr_func_t *list = wr_instance_func(instance, "list");
    wr_call_t *calls[CALLS];
    wr_val_t results[CALLS], result;
    for (int i = 0; i < CALLS; i++) {
        wr_val_t argument = int_val(100 + i);
        wr_store_set_fuel(b.store, 500);
        must(wr_call_start(b.store, list, &argument, 1, &results[i], 1, &calls[i]));
        cr_assert_not_null(calls[i]);
    }
    for (int left = CALLS; left > 0;) {
        wr_store_collect(b.store);
        for (int i = 0; i < CALLS; i++) {
            if (!calls[i]) continue;
            wr_store_set_fuel(b.store, 300);
            must(wr_call_resume(calls[i], &results[i], 1, &calls[i]));
            left -= !calls[i];
        }
        wr_val_t argument = int_val(10);
        wr_store_set_fuel(b.store, UINT64_MAX);
        must(wr_func_call(b.store, wr_instance_func(instance, "fib"), &argument, 1, &result, 1));
        cr_assert_eq(result.of.i32, 55);
    }
    for (int i = 0; i < CALLS; i++)
        cr_assert_eq(results[i].of.i32, (100 + i) * (99 + i) / 2, "%d", results[i].of.i32);
    bench_delete(&b);
}

/* Fuel that is turned off during a pause, and what is paused when it stays so. */
Test(pausing, without_fuel_afterwards) {
    Bench b = bench_new(NULL);
    int32_t noted = 0;
    wr_instance_t *instance = make_programs(&b, &noted);
    wr_func_t *count = wr_instance_func(instance, "count");
    wr_call_t *paused, *second;
    wr_val_t argument = int_val(1000), result;
    wr_store_set_fuel(b.store, 500);
    must(wr_call_start(b.store, count, &argument, 1, &result, 1, &paused));
    int32_t before = noted;
    cr_assert(before > 0 && before < 1000);
    wr_store_set_fuel(b.store, UINT64_MAX);
    must(wr_call_start(b.store, count, &argument, 1, &result, 1, &second));
    cr_assert_null(second);
    must(wr_call_resume(paused, &result, 1, &paused));
    cr_assert_null(paused);
    cr_assert_eq(noted, 1000);
    bench_delete(&b);
}

static void *interrupt_soon(void *store) {
    wr_store_interrupt(store);
    return NULL;
}

typedef struct Going {
    wr_call_t *call;
    wr_error_t *error;
    wr_val_t result;
} Going;

static void *go_on(void *argument) {
    Going *g = argument;
    g->error = wr_call_resume(g->call, &g->result, 1, &g->call);
    return NULL;
}

Test(pausing, deadlines_and_interruptions) {
    Bench b = bench_new(NULL);
    int32_t noted = 0;
    wr_instance_t *instance = make_programs(&b, &noted);
    wr_val_t argument = int_val(0);
    Going g;
    pthread_t thread;
    must(wr_store_set_timeout(b.store, 5000000));
    must(wr_call_start(b.store, wr_instance_func(instance, "spin"), &argument, 1, &g.result, 1,
                       &g.call));
    cr_assert_eq(wr_call_reason(g.call), WR_TRAP_DEADLINE);
    must(wr_call_resume(g.call, &g.result, 1, &g.call)); /* it has still passed */
    cr_assert_eq(wr_call_reason(g.call), WR_TRAP_DEADLINE);
    must(wr_store_set_timeout(b.store, 0));
    wr_store_set_interruptible(b.store, true);
    cr_assert_eq(pthread_create(&thread, NULL, interrupt_soon, b.store), 0);
    must(wr_call_resume(g.call, &g.result, 1, &g.call));
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(wr_call_reason(g.call), WR_TRAP_INTERRUPTED);
    must(wr_store_set_timeout(b.store, 5000000)); /* and on in another thread */
    cr_assert_eq(pthread_create(&thread, NULL, go_on, &g), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    must(g.error);
    cr_assert_eq(wr_call_reason(g.call), WR_TRAP_DEADLINE);
    wr_error_t *where = wr_call_backtrace(g.call);
    wr_frame_t frame;
    cr_assert_eq(wr_error_trap_code(where), WR_TRAP_DEADLINE);
    cr_assert(wr_error_frame(where, 0, &frame));
    cr_assert_str_eq(frame.function_name, "spin");
    wr_error_delete(where);
    wr_call_delete(g.call);
    bench_delete(&b);
}

Test(pausing, given_up) {
    Bench b = bench_new(NULL);
    int32_t noted = 0;
    wr_instance_t *instance = make_programs(&b, &noted);
    wr_func_t *fib = wr_instance_func(instance, "fib");
    wr_call_t *calls[3], *none;
    wr_val_t argument = int_val(20), result;
    for (int i = 0; i < 3; i++) {
        wr_store_set_fuel(b.store, 100);
        must(wr_call_start(b.store, fib, &argument, 1, &result, 1, &calls[i]));
        cr_assert_not_null(calls[i]);
    }
    wr_call_delete(calls[1]);
    cr_assert_eq(wr_call_reason(calls[0]), WR_TRAP_OUT_OF_FUEL);
    must_fail(wr_call_resume(calls[0], NULL, 0, &calls[0]), WR_ERROR_USAGE,
              "no room for the results");
    cr_assert_not_null(calls[0]);
    bench_delete(&b); /* the store goes first */
    cr_assert_eq(wr_call_reason(calls[0]), WR_TRAP_NONE);
    must_fail(wr_call_backtrace(calls[0]), WR_ERROR_USAGE, "the store of the call was deleted");
    must_fail(wr_call_resume(calls[0], &result, 1, &none), WR_ERROR_USAGE,
              "the store of the call was deleted");
    wr_call_delete(calls[2]);
    wr_call_delete(NULL);
}

/* ---- host functions in between ---- */

typedef struct Nest {
    wr_func_t *inner;
    bool start;
} Nest;

static wr_error_t *nest(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    Nest *n = context;
    wr_val_t argument = int_val(20), result;
    wr_call_t *paused;
    wr_store_t *store = wr_caller_store(caller);
    (void)slots;
    if (n->start) return wr_call_start(store, n->inner, &argument, 1, &result, 1, &paused);
    return wr_func_call(store, n->inner, &argument, 1, &result, 1);
}

Test(pausing, host_functions) {
    Bench b = bench_new(NULL);
    int32_t noted = 0;
    Nest n = {wr_instance_func(make_programs(&b, &noted), "fib"), false};
    must(wr_linker_define_func(b.linker, "h", "nest", ">", nest, &n, NULL));
    wr_instance_t *outer = instance_of(&b, "(module (import \"h\" \"nest\" (func $n))"
                                           " (func (export \"f\") (param i64) (call $n)))");
    wr_func_t *f = wr_instance_func(outer, "f");
    wr_val_t argument = long_val(0);
    wr_call_t *paused;
    wr_store_set_fuel(b.store, 1000);
    must_trap(wr_call_start(b.store, f, &argument, 1, NULL, 0, &paused), WR_TRAP_OUT_OF_FUEL);
    cr_assert_null(paused);
    n.start = true;
    wr_store_set_fuel(b.store, 1000);
    must_fail(wr_call_start(b.store, f, &argument, 1, NULL, 0, &paused), WR_ERROR_USAGE,
              "a host function cannot start a call that pauses");
    cr_assert_null(paused);
    bench_delete(&b);
}

/* ---- out of memory ---- */

static size_t until_failure;
static void *fail_soon(void *context, void *pointer, size_t old_size, size_t new_size) {
    (void)context, (void)old_size;
    if (new_size == 0) {
        free(pointer);
        return NULL;
    }
    if (until_failure > 0 && --until_failure == 0) return NULL;
    return realloc(pointer, new_size);
}

Test(pausing, out_of_memory) {
    for (size_t nth = 1; nth < 10; nth++) {
        wr_config_t *config = wr_config_new();
        wr_config_set_allocator(config, fail_soon, NULL);
        Bench b = bench_new(config);
        int32_t noted = 0;
        wr_func_t *fib = wr_instance_func(make_programs(&b, &noted), "fib");
        wr_val_t argument = int_val(12), result;
        wr_call_t *paused;
        until_failure = nth;
        wr_store_set_fuel(b.store, 100);
        wr_error_t *error = wr_call_start(b.store, fib, &argument, 1, &result, 1, &paused);
        while (!error && paused) {
            wr_store_set_fuel(b.store, 100);
            error = wr_call_resume(paused, &result, 1, &paused);
        }
        if (error) {
            cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
            wr_error_delete(error);
        } else {
            cr_assert_eq(result.of.i32, 144);
        }
        until_failure = 0;
        bench_delete(&b);
    }
}
