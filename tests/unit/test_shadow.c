/*
 * test_shadow.c - when functions get ids, and what bounds the memory for them. What ids do is tested by whatever
 * runs long enough.
 */
#include "alloc.h"
#include "embed_support.h"
#include "shadow.h"

static const char *const loop =
    "(module (func (export \"f\") (param i32)"
    "  (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))";

static wr_instance_t *instance_of(const Bench *b, const char *text) {
    wr_module_t *module = NULL;
    wr_instance_t *instance = NULL;
    uint8_t *bytes;
    size_t size;
    must(wr_wat_to_wasm(text, strlen(text), NULL, false, &bytes, &size));
    must(wr_module_new(b->engine, bytes, size, &module));
    wr_bytes_delete(bytes, size);
    must(wr_linker_instantiate(b->linker, b->store, module, &instance));
    wr_module_delete(module);
    return instance;
}

/* An engine in which a function is warm after 10 calls or turns, and the function above. */
static Bench bench_of_loop(size_t max_shadow, wr_func_t **func) {
    wr_config_t *config = wr_config_new();
    cr_assert_not_null(config);
    wr_config_set_warm_after(config, 10);
    wr_config_set_max_shadow(config, max_shadow);
    Bench b = bench_new(config);
    *func = wr_instance_func(instance_of(&b, loop), "f");
    return b;
}

static wr_shadow_stats_t stats_after(const Bench *b, wr_func_t *func, i32 turns) {
    wr_shadow_stats_t stats;
    wr_val_t arg = i32_val(turns);
    must(wr_func_call(b->store, func, &arg, 1, NULL, 0));
    wr_engine_get_shadow_stats(b->engine, &stats);
    return stats;
}

Test(shadow, is_made_when_a_function_is_warm) {
    wr_func_t *func;
    Bench b = bench_of_loop(1000, &func);
    wr_shadow_stats_t stats = stats_after(&b, func, 10);
    cr_assert_eq(stats.functions, 0); /* 9 turns backward */
    stats = stats_after(&b, func, 10);
    cr_assert_eq(stats.functions, 1);
    cr_assert_geq(stats.bytes, 26); /* of 13 bytes of code */
    cr_assert_lt(stats.bytes, 200);
    cr_assert(!stats.limited);
    bench_delete(&b);
}

Test(shadow, of_metered_calls_is_the_same) {
    wr_func_t *func;
    Bench b = bench_of_loop(1000, &func);
    uint64_t bytes = stats_after(&b, func, 20).bytes;
    wr_store_set_fuel(b.store, 100000);
    wr_shadow_stats_t stats = stats_after(&b, func, 1000);
    cr_assert_eq(stats.functions, 1);
    cr_assert_eq(stats.bytes, bytes);
    bench_delete(&b);
}

Test(shadow, is_bounded) {
    wr_func_t *func;
    Bench b = bench_of_loop(20, &func);
    wr_shadow_stats_t stats = stats_after(&b, func, 200000);
    cr_assert_eq(stats.functions, 0);
    cr_assert_eq(stats.bytes, 0);
    cr_assert(stats.limited);
    bench_delete(&b);
}

/* Something of everything that choosing ids takes memory for: blocks, labels, locals in two slots. */
static const char *const various =
    "(module (func (export \"f\") (param $n i32) (result i32) (local $v v128) (local $sum i32)"
    "  (loop $again"
    "    (block $c (block $b (block $a"
    "      (br_table $a $b $c (i32.and (local.get $n) (i32.const 3))))"
    "      (local.set $v (i32x4.add (local.get $v) (v128.const i32x4 1 2 3 4))))"
    "      (local.set $sum (i32.add (local.get $sum) (i32.const 100))))"
    "    (drop (local.get $v))"
    "    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
    "  (i32.add (local.get $sum) (i32x4.extract_lane 3 (local.get $v)))))";

enum { RESULT_OF_10 = 508 };

/* Calls the function when the nth allocation from now on fails. Whether that many were made. */
static bool call_failing(size_t n) {
    FailAlloc state = {0};
    Alloc alloc = wr_alloc_failing(&state);
    wr_config_t *config = wr_config_new();
    cr_assert_not_null(config);
    wr_config_set_allocator(config, alloc.func, alloc.context);
    wr_config_set_warm_after(config, 0);
    Bench b = bench_new(config);
    wr_instance_t *instance = instance_of(&b, various);
    int32_t result = 0;
    state.fail_at = state.calls + n;
    wr_error_t *error = call_i32(&b, instance, "f", 10, &result);
    bool failed = state.calls >= state.fail_at;
    wr_shadow_stats_t stats;
    wr_engine_get_shadow_stats(b.engine, &stats);
    if (error != NULL)
        must_fail(error, WR_ERROR_MEMORY, "");
    else
        cr_expect_eq(result, RESULT_OF_10, "%d after allocation %zu failed", result, n);
    cr_expect_eq(stats.functions, failed ? 0 : 1, "after allocation %zu failed", n);
    state.fail_at = 0;
    cr_expect_eq(get_i32(&b, instance, "f", 10), RESULT_OF_10);
    bench_delete(&b);
    cr_expect_eq(state.live_bytes, 0, "leak after allocation %zu failed", n);
    return failed;
}

Test(shadow, is_not_made_when_memory_is_short) {
    size_t n = 1;
    while (call_failing(n)) n++;
    cr_expect_gt(n, 8); /* table, lists, shadow; items, blocks, labels, singles, choices */
}
