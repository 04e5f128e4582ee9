/* Limits of stores, fuel, deadlines, interruption, the guest's stack. */
#include <stdlib.h>

#include "embed_support.h"
#include "os.h"
#include "store.h"
#include "watchdog.h"

#define MS 1000000u

/* Exports:
 *   spin: () -> ()         loops for ever
 *   count: (i32) -> i32    counts down to 0, gives 0
 *   dive: (i32) -> i32     calls itself that many times, gives 0
 *   grow: (i32) -> i32     memory.grow
 *   tgrow: (i32) -> i32    table.grow with null */
static Wasm guest(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 0, 0, 0x60, 1, I32, 1, I32);
    SECTION(&w, S_FUNC, 5, 0, 1, 1, 1, 1);
    SECTION(&w, S_TABLE, 1, 0x70, 0, 2);
    SECTION(&w, S_MEMORY, 1, 0, 2);
    wasm_open(&w, S_EXPORT);
    BYTES(&w, 5);
    wasm_export(&w, "spin", X_FUNC, 0);
    wasm_export(&w, "count", X_FUNC, 1);
    wasm_export(&w, "dive", X_FUNC, 2);
    wasm_export(&w, "grow", X_FUNC, 3);
    wasm_export(&w, "tgrow", X_FUNC, 4);
    wasm_close(&w);
    wasm_open(&w, S_CODE);
    BYTES(&w, 5);
    BODY(&w, 0, 0x03, 0x40, 0x0C, 0, END, END);
    BODY(&w, 0, 0x03, 0x40, LOCAL_GET, 0, 0x04, 0x40, LOCAL_GET, 0, 0x41, 1, 0x6B, 0x21, 0, 0x0C, 1,
         END, END, LOCAL_GET, 0, END);
    BODY(&w, 0, LOCAL_GET, 0, 0x04, I32, LOCAL_GET, 0, 0x41, 1, 0x6B, CALL, 2, 0x05, 0x41, 0, END,
         END);
    BODY(&w, 0, LOCAL_GET, 0, 0x40, 0, END);
    BODY(&w, 0, 0xD0, 0x70, LOCAL_GET, 0, 0xFC, 15, 0, END);
    wasm_close(&w);
    return w;
}

/* ---- limits --------------------------------------------------------------------------------- */

Test(limits, memory) {
    Bench b = bench_new(NULL);
    Wasm w = guest();
    wr_instance_t *i;
    wr_store_limit_memory(b.store, 65536);
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_MEMORY, "memory limit exceeded");
    cr_assert_eq(b.store->budget->used_memory, 0u);
    cr_assert_eq(b.store->used_tables, 0u);
    wr_store_limit_memory(b.store, 5 * 65536);
    i = instantiate(&b, &w);
    cr_assert_eq(get_i32(&b, i, "grow", 4), -1);
    cr_assert_eq(get_i32(&b, i, "grow", 3), 2);
    cr_assert_eq(get_i32(&b, i, "grow", 1), -1);
    bench_delete(&b);
}

Test(limits, tables) {
    Bench b = bench_new(NULL);
    Wasm w = guest();
    wr_instance_t *i;
    wr_store_limit_tables(b.store, 1);
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_MEMORY, "table limit");
    wr_store_limit_tables(b.store, 4);
    i = instantiate(&b, &w);
    cr_assert_eq(get_i32(&b, i, "tgrow", 3), -1);
    cr_assert_eq(get_i32(&b, i, "tgrow", 2), 2);
    bench_delete(&b);
}

Test(limits, instances) {
    Bench b = bench_new(NULL);
    Wasm w = guest();
    wr_instance_t *i;
    wr_store_limit_instances(b.store, 2);
    (void)instantiate(&b, &w);
    (void)instantiate(&b, &w);
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_MEMORY, "instance limit");
    wr_store_limit_instances(b.store, UINT64_MAX);
    (void)instantiate(&b, &w);
    bench_delete(&b);
}

Test(limits, stack) {
    wr_config_t *config = wr_config_new();
    wr_config_set_max_stack(config, 1 << 18);
    Bench b = bench_new(config);
    Wasm w = guest();
    wr_instance_t *i = instantiate(&b, &w);
    cr_assert_eq(get_i32(&b, i, "dive", 500), 0);
    for (int n = 0; n < 3; n++)
        must_trap(call_i32(&b, i, "dive", 1 << 30, NULL), WR_TRAP_STACK_EXHAUSTED);
    cr_assert_eq(get_i32(&b, i, "dive", 500), 0);
    bench_delete(&b);
}

/* ---- fuel ----------------------------------------------------------------------------------- */

Test(limits, fuel_runs_out, .timeout = 240) {
    Bench b = bench_new(NULL);
    Wasm w = guest();
    wr_instance_t *i = instantiate(&b, &w);
    cr_assert_eq(wr_store_fuel(b.store), UINT64_MAX);
    wr_store_set_fuel(b.store, 1000000);
    must_trap(call_i32(&b, i, "spin", 0, NULL), WR_TRAP_OUT_OF_FUEL);
    cr_assert_eq(wr_store_fuel(b.store), 0u);
    must_trap(call_i32(&b, i, "count", 10, NULL), WR_TRAP_OUT_OF_FUEL);
    wr_store_set_fuel(b.store, 1000000);
    cr_assert_eq(get_i32(&b, i, "count", 10), 0);
    u64 small = 1000000 - wr_store_fuel(b.store);
    cr_assert_gt(small, 0u);
    wr_store_set_fuel(b.store, 1000000);
    cr_assert_eq(get_i32(&b, i, "count", 1000), 0);
    u64 large = 1000000 - wr_store_fuel(b.store);
    cr_assert_gt(large, 90 * small, "%llu %llu", (unsigned long long)small,
                 (unsigned long long)large);
    wr_store_set_fuel(b.store, UINT64_MAX);
    cr_assert_eq(wr_store_fuel(b.store), UINT64_MAX);
    cr_assert_eq(get_i32(&b, i, "count", 1000000), 0);
    wr_store_set_fuel(b.store, UINT64_MAX - 1);
    cr_assert_eq(get_i32(&b, i, "count", 1000000), 0);
    bench_delete(&b);
}

/* ---- deadlines ------------------------------------------------------------------------------ */

Test(limits, deadlines_stop_calls, .timeout = 240) {
    Bench b = bench_new(NULL);
    Wasm w = guest();
    wr_instance_t *i = instantiate(&b, &w);
    must(wr_store_set_timeout(b.store, 1000000 * (u64)MS));
    cr_assert_eq(get_i32(&b, i, "count", 10), 0);
    u64 start = wr_os_now();
    must(wr_store_set_timeout(b.store, 30 * MS));
    must_trap(call_i32(&b, i, "spin", 0, NULL), WR_TRAP_DEADLINE);
    cr_assert_geq(wr_os_now() - start, 30 * MS);
    must_trap(call_i32(&b, i, "spin", 0, NULL), WR_TRAP_DEADLINE); /* it stays passed */
    must(wr_store_set_timeout(b.store, 0));
    cr_assert_eq(get_i32(&b, i, "count", 1000), 0);
    must(wr_store_set_timeout(b.store, UINT64_MAX));
    cr_assert_eq(get_i32(&b, i, "count", 1000), 0);
    bench_delete(&b);
}

static bool is_due(wr_store_t *store) { return atomic_load(&store->interrupt) & POLL_DEADLINE; }

Test(limits, one_thread_watches_many_stores, .timeout = 240) {
    wr_engine_t *engine;
    wr_store_t *stores[200];
    must(wr_engine_new(NULL, &engine));
    for (u32 n = 0; n < ARRAY_LEN(stores); n++) {
        must(wr_store_new(engine, &stores[n]));
        u64 timeout = n % 2 ? 1000000 * (u64)MS : (1 + (n * 7919) % 40) * (u64)MS;
        must(wr_store_set_timeout(stores[n], timeout));
    }
    wr_engine_delete(engine);
    for (u32 n = 0; n < 60; n++) { /* deleted, changed and cancelled while it watches */
        if (n % 3 == 0) must(wr_store_set_timeout(stores[n], 0));
        if (n % 3 == 1) must(wr_store_set_timeout(stores[n], 1));
        if (n % 3 == 2) {
            wr_store_delete(stores[n]);
            stores[n] = NULL;
        }
    }
    u64 until = wr_os_now() + 200000 * (u64)MS;
    for (u32 n = 0; n < ARRAY_LEN(stores); n++) {
        bool expected = n < 60 ? n % 3 == 1 : n % 2 == 0;
        while (stores[n] && expected && !is_due(stores[n])) cr_assert_lt(wr_os_now(), until);
        if (stores[n]) cr_assert_eq(is_due(stores[n]), expected, "store %u", n);
    }
    for (u32 n = 0; n < ARRAY_LEN(stores); n++) wr_store_delete(stores[n]);
}

/* ---- interruption --------------------------------------------------------------------------- */

static void interrupt_soon(void *context) {
    u64 until = wr_os_now() + 20 * MS;
    while (wr_os_now() < until) continue;
    wr_store_interrupt(context);
}

Test(limits, another_thread_interrupts, .timeout = 240) {
    Bench b = bench_new(NULL);
    Wasm w = guest();
    wr_instance_t *i = instantiate(&b, &w);
    wr_store_set_interruptible(b.store, true);
    for (int n = 0; n < 3; n++) {
        OsThread *thread = wr_os_thread_start(interrupt_soon, b.store);
        must_trap(call_i32(&b, i, "spin", 0, NULL), WR_TRAP_INTERRUPTED);
        wr_os_thread_join(thread);
        cr_assert_eq(get_i32(&b, i, "count", 1000), 0, "an interruption is spent");
    }
    wr_store_interrupt(b.store);
    must_trap(call_i32(&b, i, "count", 1000, NULL), WR_TRAP_INTERRUPTED); /* the next call */
    wr_store_set_interruptible(b.store, false);
    wr_store_interrupt(b.store);
    cr_assert_eq(get_i32(&b, i, "count", 1000), 0, "not wanted");
    bench_delete(&b);
}

/* ---- blocking host functions ---------------------------------------------------------------- */

typedef struct Polite {
    wr_store_t *store;
    atomic_int rounds;
} Polite;

/* Waits for ever, as far as it may. */
static wr_error_t *wait_politely(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    Polite *polite = context;
    (void)slots;
    for (;; polite->rounds++) {
        wr_error_t *error = wr_caller_poll(caller);
        if (error) return error;
        u64 patience = wr_caller_patience(caller);
        if (patience == UINT64_MAX) return wr_trap_new("would wait for ever");
        u64 until = wr_os_now() + patience;
        while (wr_os_now() < until) continue;
    }
}

/* Who may be interrupted does not wait long at a time. */
static void interrupt_third_round(void *context) {
    Polite *polite = context;
    while (polite->rounds < 2) continue;
    wr_store_interrupt(polite->store);
}

Test(limits, host_functions_can_be_stopped, .timeout = 240) {
    Bench b = bench_new(NULL);
    Polite polite = {.store = b.store};
    must(wr_linker_define_func(b.linker, "env", "wait", ">", wait_politely, &polite, NULL));
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    SECTION(&w, S_IMPORT, 1, 3, 'e', 'n', 'v', 4, 'w', 'a', 'i', 't', X_FUNC, 0);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_EXPORT, 1, 1, 'f', X_FUNC, 1);
    SECTION(&w, S_CODE, 1, 4, 0, CALL, 0, END);
    wr_instance_t *i = instantiate(&b, &w);
    must_fail(call_i32(&b, i, "f", 0, NULL), WR_ERROR_TRAP, "would wait for ever");
    must(wr_store_set_timeout(b.store, 20 * MS));
    must_trap(call_i32(&b, i, "f", 0, NULL), WR_TRAP_DEADLINE);
    must(wr_store_set_timeout(b.store, 0));
    wr_store_set_interruptible(b.store, true);
    polite.rounds = 0;
    OsThread *thread = wr_os_thread_start(interrupt_third_round, &polite);
    must_trap(call_i32(&b, i, "f", 0, NULL), WR_TRAP_INTERRUPTED);
    wr_os_thread_join(thread);
    bench_delete(&b);
}

/* A function that calls itself at the end of a long body: telling where each frame stands takes time by
 * the length, so that must not be done for all of them. */
Test(limits, backtraces_of_deep_stacks_in_long_bodies) {
    enum { NOPS = 200000 };
    static const u8 head[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4,   1, 0x60, 0,
                              0, 3,   2,   1,   0, 7, 5, 1, 1, 'f', 0, 0};
    Wasm sizes = {.size = 0};
    BYTES(&sizes, S_CODE);
    wasm_u32(&sizes, NOPS + 13); /* count, size of the body in 3 bytes, 9 bytes beside the nops */
    BYTES(&sizes, 1);
    wasm_u32(&sizes, NOPS + 9);
    size_t size = sizeof head + sizes.size + NOPS + 9;
    u8 *bytes = malloc(size), *p = bytes;
    cr_assert_not_null(bytes);
    memcpy(p, head, sizeof head);
    memcpy(p += sizeof head, sizes.data, sizes.size);
    p += sizes.size;
    memcpy(p, (const u8[]){0, 0x02, 0x40, 0x0C, 0}, 5); /* the nops are passed over */
    memset(p += 5, 0x01, NOPS);
    memcpy(p + NOPS, (const u8[]){END, CALL, 0, END}, 4);
    Bench b = bench_new(NULL);
    wr_module_t *module = NULL;
    wr_instance_t *i = NULL;
    must(wr_module_new(b.engine, bytes, size, &module));
    must(wr_linker_instantiate(b.linker, b.store, module, &i));
    wr_error_t *error = wr_func_call(b.store, wr_instance_func(i, "f"), NULL, 0, NULL, 0);
    cr_assert_gt(wr_error_frame_total(error), 10000u);
    cr_assert_eq(wr_error_frame_count(error), 64u);
    must_trap(error, WR_TRAP_STACK_EXHAUSTED);
    wr_module_delete(module);
    bench_delete(&b);
    free(bytes);
}
