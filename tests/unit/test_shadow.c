/*
 * test_shadow.c - when functions get ids, and what bounds the memory for them. What ids do is tested by whatever
 * runs long enough.
 */
#include "embed_support.h"
#include "shadow.h"

static const char *const loop =
    "(module (func (export \"f\") (param i32)"
    "  (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))";

/* An engine in which a function is warm after 10 calls or turns, and the function above. */
static Bench bench_of_loop(size_t max_shadow, wr_func_t **func) {
    wr_config_t *config = wr_config_new();
    wr_module_t *module = NULL;
    wr_instance_t *instance = NULL;
    uint8_t *bytes;
    size_t size;
    cr_assert_not_null(config);
    wr_config_set_warm_after(config, 10);
    wr_config_set_max_shadow(config, max_shadow);
    Bench b = bench_new(config);
    must(wr_wat_to_wasm(loop, strlen(loop), NULL, false, &bytes, &size));
    must(wr_module_new(b.engine, bytes, size, &module));
    wr_bytes_delete(bytes, size);
    must(wr_linker_instantiate(b.linker, b.store, module, &instance));
    wr_module_delete(module);
    *func = wr_instance_func(instance, "f");
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
    if (!wr_shadow_works()) cr_skip_test("byte dispatch only");
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

Test(shadow, of_metered_calls_is_another) {
    if (!wr_shadow_works()) cr_skip_test("byte dispatch only");
    wr_func_t *func;
    Bench b = bench_of_loop(1000, &func);
    uint64_t bytes = stats_after(&b, func, 20).bytes;
    wr_store_set_fuel(b.store, 100000);
    wr_shadow_stats_t stats = stats_after(&b, func, 1000);
    cr_assert_eq(stats.functions, 2);
    cr_assert_eq(stats.bytes, 2 * bytes);
    bench_delete(&b);
}

Test(shadow, is_bounded) {
    if (!wr_shadow_works()) cr_skip_test("byte dispatch only");
    wr_func_t *func;
    Bench b = bench_of_loop(20, &func);
    wr_shadow_stats_t stats = stats_after(&b, func, 200000);
    cr_assert_eq(stats.functions, 0);
    cr_assert_eq(stats.bytes, 0);
    cr_assert(stats.limited);
    bench_delete(&b);
}
