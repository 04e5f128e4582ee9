/* Throwing and catching: across instances, through host functions, out of calls, while metered. */
#include <stdio.h>

#include "text_support.h"

/* ---- one module ---- */

#define CATCHES                                                                                    \
    "(module (tag $e (param i32)) (tag $f (param i64 f64))"                                        \
    " (func $throw (param i32) (local.get 0) (throw $e))"                                          \
    " (func (export \"catch\") (param i32) (result i32)"                                           \
    "  (block $h (result i32) (try_table (catch $e $h) (call $throw (local.get 0))) (i32.const "   \
    "-1)))"                                                                                        \
    " (func (export \"deep\") (param i32) (result i32)"                                            \
    "  (if (result i32) (local.get 0)"                                                             \
    "   (then (i32.add (i32.const 1) (call 2 (i32.sub (local.get 0) (i32.const 1)))))"             \
    "   (else (call $throw (i32.const 7)) (i32.const 0))))"                                        \
    " (func (export \"catch_deep\") (param i32) (result i32)"                                      \
    "  (block $h (result i32) (try_table (catch $e $h) (drop (call 2 (local.get 0))))"             \
    "   (i32.const -1)))"                                                                          \
    " (func (export \"leave\") (param i32) (call $throw (local.get 0)))"                           \
    " (func (export \"leave_two\") (throw $f (i64.const -5) (f64.const 2.5)))"                     \
    " (func (export \"null\") (throw_ref (ref.null exn))))"

Test(exceptions, caught_in_the_frame_above) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, CATCHES);
    cr_assert_eq(get_i32(&b, i, "catch", 42), 42);
    bench_delete(&b);
}

Test(exceptions, caught_ten_thousand_frames_above) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, CATCHES);
    cr_assert_eq(get_i32(&b, i, "catch_deep", 10000), 7);
    bench_delete(&b);
}

Test(exceptions, uncaught_ones_are_errors_that_show_their_values) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, CATCHES);
    must_fail(call_i32(&b, i, "leave", 9, NULL), WR_ERROR_EXCEPTION, "exception 9");
    must_fail(call_i32(&b, i, "leave_two", 0, NULL), WR_ERROR_EXCEPTION, "exception -5, 2.5");
    must_trap(call_i32(&b, i, "null", 0, NULL), WR_TRAP_NULL_EXCEPTION_REFERENCE);
    wr_error_t *error = call_i32(&b, i, "leave", 9, NULL);
    cr_assert_eq(wr_error_frame_count(error), 2);
    bench_delete(&b); /* the error outlives the store */
    wr_error_delete(error);
}

/* Thousands of regions, as C++ has them: the innermost is found among siblings. */
Test(exceptions, the_right_one_of_many_regions) {
    static char text[200000];
    char *p = text;
    p += sprintf(p, "(module (tag $e) (func (export \"f\") (param i32) (result i32) (local i32)");
    for (int k = 0; k < 1000; k++)
        p += sprintf(p,
                     "(block $h (try_table (catch $e $h) (if (i32.eq (local.get 0) (i32.const %d))"
                     " (then (throw $e)))) (local.set 1 (i32.add (local.get 1) (i32.const 1))))",
                     k);
    sprintf(p, "(local.get 1)))");
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, text);
    cr_assert_eq(get_i32(&b, i, "f", 1000), 1000);
    cr_assert_eq(get_i32(&b, i, "f", 0), 999);
    cr_assert_eq(get_i32(&b, i, "f", 700), 999);
    bench_delete(&b);
}

/* ---- several instances ---- */

Test(exceptions, cross_instances_by_the_tag_that_they_share) {
    Bench b = bench_new(NULL);
    text_define(&b, "a",
                "(module (tag (export \"t\") (param i32)) (memory (export \"m\") 1)"
                " (func (export \"throw\") (param i32) (i32.store (i32.const 0)"
                "  (i32.const 1)) (throw 0 (local.get 0))))");
    wr_instance_t *i = text_instance(
        &b, "(module (import \"a\" \"t\" (tag $t (param i32)))"
            " (import \"a\" \"throw\" (func $throw (param i32)))"
            " (tag $own (param i32)) (memory 1) (data (i32.const 0) \"z\")"
            " (func (export \"f\") (param i32) (result i32)"
            "  (block $h (result i32) (block $o (result i32)"
            "    (try_table (catch $own $o) (catch $t $h) (call $throw (local.get 0)))"
            "    (return (i32.const -1)))"
            "   (return (i32.const -2)))"
            "  (i32.load8_u (i32.const 0)) (i32.add)))");
    cr_assert_eq(get_i32(&b, i, "f", 1000), 1000 + 'z', "caught with the catcher's memory");
    bench_delete(&b);
}

/* ---- host functions between ---- */

typedef struct Between {
    wr_instance_t *instance;
    bool swallow;
    wr_error_kind_t seen;
} Between;

static wr_error_t *call_back(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    Between *c = context;
    wr_val_t args[1] = {i32_val(slots[0].i32)};
    wr_func_t *func = wr_instance_func(c->instance, "inner");
    wr_error_t *error = wr_func_call(wr_caller_store(caller), func, args, 1, NULL, 0);
    c->seen = error ? wr_error_kind(error) : WR_ERROR_USAGE;
    if (!c->swallow) return error;
    wr_error_delete(error);
    return NULL;
}

#define BETWEEN                                                                                    \
    "(module (import \"h\" \"back\" (func $back (param i32))) (tag $e (param i32))"                \
    " (func (export \"inner\") (param i32) (throw $e (local.get 0)))"                              \
    " (func (export \"f\") (param i32) (result i32) (block $h (result i32)"                        \
    "   (try_table (catch $e $h) (call $back (local.get 0))) (i32.const -1)))"                     \
    " (func $tail (param i32) (try_table (catch_all 0) (return_call $back (local.get 0))))"        \
    " (func (export \"g\") (param i32) (result i32) (block $h (result i32)"                        \
    "   (try_table (catch $e $h) (call $tail (local.get 0))) (i32.const -1)))"                     \
    " (func (export \"out\") (param i32) (call $back (local.get 0))))"

static Between between(Bench *b, bool swallow, Between *context) {
    must(wr_linker_define_func(b->linker, "h", "back", "i>", call_back, context, NULL));
    return (Between){text_instance(b, BETWEEN), swallow, WR_ERROR_USAGE};
}

Test(exceptions, pass_through_a_host_function_that_returns_them) {
    Bench b = gc_bench(WR_GC_STRESS | WR_GC_VERIFY);
    Between c;
    c = between(&b, false, &c);
    cr_assert_eq(get_i32(&b, c.instance, "f", 5), 5);
    cr_assert_eq(c.seen, WR_ERROR_EXCEPTION);
    must_fail(call_i32(&b, c.instance, "out", 6, NULL), WR_ERROR_EXCEPTION, "exception 6");
    bench_delete(&b);
}

Test(exceptions, stop_at_a_host_function_that_keeps_them) {
    Bench b = bench_new(NULL);
    Between c;
    c = between(&b, true, &c);
    cr_assert_eq(get_i32(&b, c.instance, "f", 5), -1);
    cr_assert_eq(c.seen, WR_ERROR_EXCEPTION);
    bench_delete(&b);
}

/* The frame that calls the host in its last place is gone: its clauses do not see the exception. */
Test(exceptions, pass_by_the_clauses_of_a_tail_call) {
    Bench b = bench_new(NULL);
    Between c;
    c = between(&b, false, &c);
    cr_assert_eq(get_i32(&b, c.instance, "g", 5), 5);
    bench_delete(&b);
}

/* ---- references to exceptions ---- */

#define KEEPS                                                                                      \
    "(module (tag $e (param i32)) (global $x (mut exnref) (ref.null exn)) (table $t 4 exnref)"     \
    " (func (export \"keep\") (param i32)"                                                         \
    "  (global.set $x (block $h (result exnref) (try_table (catch_all_ref $h)"                     \
    "    (throw $e (local.get 0))) (ref.null exn)))"                                               \
    "  (table.set $t (i32.const 2) (global.get $x)))"                                              \
    " (func (export \"again\") (result i32) (block $h (result i32)"                                \
    "   (try_table (catch $e $h) (throw_ref (table.get $t (i32.const 2)))) (i32.const -1)))"       \
    " (func (export \"get\") (result exnref) (global.get $x))"                                     \
    " (func (export \"take\") (param exnref) (throw_ref (local.get 0)))"                           \
    " (func (export \"any\") (param anyref)))"

Test(exceptions, live_as_long_as_something_refers_to_them) {
    Bench b = gc_bench(WR_GC_STRESS | WR_GC_VERIFY);
    wr_instance_t *i = text_instance(&b, KEEPS);
    must(call_i32(&b, i, "keep", 77, NULL));
    for (int k = 0; k < 3; k++) wr_store_collect(b.store);
    cr_assert_eq(get_i32(&b, i, "again", 0), 77);
    bench_delete(&b);
}

Test(exceptions, go_to_the_host_and_back_as_their_own_kind) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, KEEPS);
    must(call_i32(&b, i, "keep", 8, NULL));
    wr_val_t value = {.kind = WR_I32};
    must(wr_func_call(b.store, wr_instance_func(i, "get"), NULL, 0, &value, 1));
    cr_assert_eq(value.kind, WR_EXNREF);
    cr_assert_neq(value.of.ref, 0);
    must_fail(wr_func_call(b.store, wr_instance_func(i, "take"), &value, 1, NULL, 0),
              WR_ERROR_EXCEPTION, "exception 8");
    value.kind = WR_ANYREF; /* a forgery */
    must_fail(wr_func_call(b.store, wr_instance_func(i, "any"), &value, 1, NULL, 0), WR_ERROR_USAGE,
              "argument 1 of 1 is no such reference");
    bench_delete(&b);
}

/* ---- metering ---- */

#define SPINS                                                                                      \
    "(module (tag $e) (func (export \"spin\")"                                                     \
    " (loop $l (try_table (catch $e $l) (throw $e)))))"

/* A loop whose only way back is a throw. */
Test(exceptions, a_loop_of_throws_runs_out_of_fuel) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, SPINS);
    wr_store_set_fuel(b.store, 10000);
    must_trap(call_i32(&b, i, "spin", 0, NULL), WR_TRAP_OUT_OF_FUEL);
    bench_delete(&b);
}

Test(exceptions, a_loop_of_throws_meets_its_deadline) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, SPINS);
    must(wr_store_set_timeout(b.store, 20 * 1000 * 1000));
    must_trap(call_i32(&b, i, "spin", 0, NULL), WR_TRAP_DEADLINE);
    bench_delete(&b);
}

/* A heap that is full is a trap where something is thrown. */
Test(exceptions, no_room_for_one) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, CATCHES);
    wr_store_limit_heap(b.store, 0);
    must_trap(call_i32(&b, i, "catch", 1, NULL), WR_TRAP_ALLOCATION_FAILURE);
    bench_delete(&b);
}

/* ---- legacy, byte for byte: the text format has no words for it ---- */

/* try (block type i32) { throw e with the argument } catch e { rethrow inside a delegate ... } */
static Wasm legacy_module(const void *body, size_t size) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 1, I32, 0, 0x60, 1, I32, 1, I32);
    SECTION(&w, S_FUNC, 1, 1);
    SECTION(&w, S_TAG, 1, 0, 0);
    SECTION(&w, S_EXPORT, 1, 1, 'f', X_FUNC, 0);
    wasm_open(&w, S_CODE);
    BYTES(&w, 1);
    wasm_sized(&w, body, size);
    wasm_close(&w);
    return w;
}
#define LEGACY(...) legacy_module(BYTES_OF(__VA_ARGS__))
enum { TRY = 0x06, CATCH, THROW, RETHROW, DELEGATE = 0x18, CATCH_ALL };

Test(exceptions, legacy_catch_rethrow_and_delegate) {
    Bench b = bench_new(NULL);
    Wasm w = LEGACY(0, TRY, I32, LOCAL_GET, 0, THROW, 0, CATCH, 0, I32_CONST, 1, 0x6A, END, END);
    cr_assert_eq(get_i32(&b, instantiate(&b, &w), "f", 41), 42);
    /* the inner clause rethrows, from within a try of its own, what it caught */
    w = LEGACY(0, TRY, I32, TRY, I32, LOCAL_GET, 0, THROW, 0, CATCH_ALL, TRY, 0x40, RETHROW, 1,
               CATCH, 0, 0x1A, RETHROW, 1, END, I32_CONST, 0, END, CATCH, 0, END, END);
    cr_assert_eq(get_i32(&b, instantiate(&b, &w), "f", 41), 41);
    /* delegated past the try in the middle */
    w = LEGACY(0, TRY, I32, TRY, I32, TRY, 0x40, LOCAL_GET, 0, THROW, 0, DELEGATE, 1, I32_CONST, 0,
               CATCH_ALL, I32_CONST, 3, END, CATCH, 0, END, END);
    cr_assert_eq(get_i32(&b, instantiate(&b, &w), "f", 41), 41);
    /* delegated to the caller */
    w = LEGACY(0, TRY, I32, TRY, 0x40, LOCAL_GET, 0, THROW, 0, DELEGATE, 1, I32_CONST, 0, CATCH_ALL,
               I32_CONST, 3, END, END);
    must_fail(call_i32(&b, instantiate(&b, &w), "f", 41, NULL), WR_ERROR_EXCEPTION, "exception 41");
    bench_delete(&b);
}
