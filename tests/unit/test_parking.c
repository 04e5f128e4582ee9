/* Waiting at shared memory and waking, with threads of the test's own; and what ends a wait. */
#include <criterion/criterion.h>

#include "parking.h"
#include "store_support.h"
#include "text_support.h"

#define MS ((i64)1000000)

/* ---- the table itself ---- */

typedef struct Sleeper {
    Store *store;
    u32 *cell;
    WaitResult result;
    wr_trap_code_t trap;
    OsThread *thread;
    i64 timeout;
} Sleeper;

static void sleep_at(void *context) {
    Sleeper *s = context;
    s->trap = wr_park(s->store, (u8 *)s->cell, 4, 0, s->timeout, false, &s->result);
}

/* Stores of one engine, each for a thread. */
static void start(Sleeper *sleepers, u32 n, Engine *engine, u32 *cells, i64 timeout) {
    for (u32 i = 0; i < n; i++) {
        sleepers[i] = (Sleeper){.cell = &cells[i % 2], .timeout = timeout};
        cr_assert_null(wr_store_new(engine, &sleepers[i].store));
        sleepers[i].thread = wr_os_thread_start(sleep_at, &sleepers[i]);
        cr_assert_not_null(sleepers[i].thread);
    }
}

static void join(Sleeper *sleepers, u32 n) {
    for (u32 i = 0; i < n; i++) {
        wr_os_thread_join(sleepers[i].thread);
        wr_store_delete(sleepers[i].store);
        cr_assert_eq(sleepers[i].trap, WR_TRAP_NONE);
    }
}

Test(parking, wakes_those_at_the_address_and_counts_them) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    _Alignas(8) u32 cells[2] = {0, 0};
    Sleeper sleepers[6];
    start(sleepers, 6, store->engine, cells, -1);
    u32 woken = 0;
    while (woken < 2) woken += wr_unpark(store, (u8 *)&cells[0], 2 - woken);
    cr_assert_eq(woken, 2);
    while (woken < 3) woken += wr_unpark(store, (u8 *)&cells[0], UINT32_MAX);
    while (woken < 6) woken += wr_unpark(store, (u8 *)&cells[1], UINT32_MAX);
    join(sleepers, 6);
    for (u32 i = 0; i < 6; i++) cr_assert_eq(sleepers[i].result, WAIT_WOKEN);
    cr_assert_eq(wr_unpark(store, (u8 *)&cells[0], UINT32_MAX), 0);
    wr_store_delete(store);
}

Test(parking, timeouts_take_only_themselves_out) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    _Alignas(8) u32 cells[2] = {0, 0};
    Sleeper sleepers[5];
    start(sleepers, 5, store->engine, cells, 5 * MS);
    join(sleepers, 5);
    for (u32 i = 0; i < 5; i++) cr_assert_eq(sleepers[i].result, WAIT_TIMED_OUT);
    cr_assert_eq(wr_unpark(store, (u8 *)&cells[0], UINT32_MAX), 0);
    WaitResult result;
    cr_assert_eq(wr_park(store, (u8 *)cells, 4, 1, -1, false, &result), WR_TRAP_NONE);
    cr_assert_eq(result, WAIT_NOT_EQUAL);
    cr_assert_eq(wr_park(store, (u8 *)cells, 8, 0, 0, false, &result), WR_TRAP_NONE);
    cr_assert_eq(result, WAIT_TIMED_OUT);
    wr_store_delete(store);
}

/* ---- the instructions ---- */

#define WAITS                                                                                      \
    "(module (memory 1 1 shared) (memory $own 1)"                                                  \
    " (func (export \"wait\") (param i32) (result i32)"                                            \
    "   (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const -1)))"                        \
    " (func (export \"short\") (param i32) (result i32)"                                           \
    "   (memory.atomic.wait64 (local.get 0) (i64.const 0) (i64.const 1000)))"                      \
    " (func (export \"unshared\") (param i32) (result i32)"                                        \
    "   (memory.atomic.wait32 $own (local.get 0) (i32.const 0) (i64.const 0)))"                    \
    " (func (export \"notify\") (param i32) (result i32)"                                          \
    "   (i32.add (memory.atomic.notify (local.get 0) (i32.const 9))"                               \
    "    (memory.atomic.notify $own (local.get 0) (i32.const 9)))))"

Test(parking, instructions_check_where_and_what) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, WAITS);
    cr_assert_eq(get_i32(&b, i, "short", 8), 2);
    cr_assert_eq(get_i32(&b, i, "notify", 8), 0);
    must_trap(call_i32(&b, i, "short", 4, NULL), WR_TRAP_UNALIGNED_ATOMIC);
    must_trap(call_i32(&b, i, "wait", 65536, NULL), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    must_trap(call_i32(&b, i, "notify", 2, NULL), WR_TRAP_UNALIGNED_ATOMIC);
    must_trap(call_i32(&b, i, "unshared", 0, NULL), WR_TRAP_EXPECTED_SHARED_MEMORY);
    bench_delete(&b);
}

static void interrupt_soon(void *context) {
    u64 until = wr_os_now() + 20 * MS;
    while (wr_os_now() < until) continue;
    wr_store_interrupt(context);
}

Test(parking, deadlines_and_interruptions_end_a_wait) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = text_instance(&b, WAITS);
    must(wr_store_set_timeout(b.store, 10 * MS));
    must_trap(call_i32(&b, i, "wait", 0, NULL), WR_TRAP_DEADLINE);
    must(wr_store_set_timeout(b.store, 0));
    wr_store_set_interruptible(b.store, true);
    OsThread *thread = wr_os_thread_start(interrupt_soon, b.store);
    must_trap(call_i32(&b, i, "wait", 0, NULL), WR_TRAP_INTERRUPTED);
    wr_os_thread_join(thread);
    cr_assert_eq(get_i32(&b, i, "short", 8), 2);
    bench_delete(&b);
}
