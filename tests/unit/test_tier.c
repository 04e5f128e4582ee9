/*
 * Tier-up: programs whose functions are compiled while they run give what they give interpreted: results, memories, traps
 * and their backtraces. WASMRUN_TIER=eager makes it happen at the first look after a function got warm, and
 * everything waits for the compiler; the choice of when functions get warm makes it happen at different turns of their
 * loops. Needs wasmrun-aot.
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "os.h"
#include "prepare.h"
#include "seen.h"
#include "store.h"
#include "text_support.h"

static const u32 warm_after[] = {0, 1, 2, 7, 20};

/* A module that exports "run", i32 -> i32. */
typedef struct Program {
    const char *text;
    int32_t args[4];
    u32 nargs;
    bool enters; /* some loop is entered in its middle */
} Program;

static void say_error(Seen *seen, const wr_error_t *error) {
    SAY(seen, "%s\n", wr_error_message(error));
    for (size_t i = 0; i < wr_error_frame_count(error); i++) {
        wr_frame_t f;
        if (!wr_error_frame(error, i, &f)) continue;
        SAY(seen, "  %zu: %s at %llu\n", i, f.function_name ? f.function_name : "?",
            (unsigned long long)f.module_offset);
    }
}

static u64 hash_memory(const wr_instance_t *i) {
    u64 hash = 1;
    if (!i->exported_memory) return 0;
    for (u64 k = 0; k < i->exported_memory->size; k++)
        hash = hash * 0x100000001B3u + i->exported_memory->base[k];
    return hash;
}

/* What the guest imports as "host" "call": calls its export "back" with the argument. */
static wr_error_t *host_call(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)context;
    wr_func_t *back = wr_instance_func(wr_caller_instance(caller), "back");
    wr_val_t arg = i32_val(slots[0].i32), result;
    wr_error_t *error = wr_func_call(wr_caller_store(caller), back, &arg, 1, &result, 1);
    if (!error) slots[0].i32 = result.of.i32;
    return error;
}

/* What the last compiler said. */
static char last_log[500];

static void keep_log(void *context, wr_log_level_t level, const char *message) {
    (void)context, (void)level;
    (void)snprintf(last_log, sizeof last_log, "%s", message);
}

static Bench new_bench(wr_engine_kind_t kind, u32 warm) {
    wr_config_t *config = wr_config_new();
    wr_config_set_engine_kind(config, kind);
    wr_config_set_warm_after(config, warm);
    wr_config_set_log(config, keep_log, NULL, WR_LOG_INFO);
    Bench b = bench_new(config);
    must(wr_linker_define_func(b.linker, "host", "call", "i>i", host_call, NULL, NULL));
    return b;
}

/* Twice with each argument: the second time it is compiled from the start. */
static wr_tier_stats_t run(const Program *p, wr_engine_kind_t kind, u32 warm, Seen *seen) {
    Bench b = new_bench(kind, warm);
    wr_instance_t *instance = text_instance(&b, p->text);
    seen->size = 0;
    for (u32 i = 0; i < 2 * p->nargs; i++) {
        int32_t result = 0, arg = p->args[i / 2];
        wr_error_t *error = call_i32(&b, instance, "run", arg, &result);
        SAY(seen, "%d: ", arg);
        if (error)
            say_error(seen, error);
        else
            SAY(seen, "%d\n", result);
        SAY(seen, "%llx\n", (unsigned long long)hash_memory(instance));
        wr_error_delete(error);
    }
    wr_tier_stats_t stats;
    wr_engine_get_tier_stats(b.engine, &stats);
    bench_delete(&b);
    return stats;
}

static void compare(const Program *p) {
    static Seen interpreted, seen;
    u32 entered = 0;
    setenv("WASMRUN_TIER", "eager", 1);
    run(p, WR_ENGINE_INTERPRETER, 0, &interpreted);
    for (size_t i = 0; i < ARRAY_LEN(warm_after); i++) {
        wr_tier_stats_t stats = run(p, WR_ENGINE_AUTO, warm_after[i], &seen);
        cr_assert_str_eq(seen.text, interpreted.text, "warm after %u\n%s\ninterpreted:\n%s",
                         warm_after[i], seen.text, interpreted.text);
        cr_assert_eq(stats.failures, 0, "%s", last_log);
        entered += stats.loops;
        if (warm_after[i] == 0) cr_assert_gt(stats.functions, 0);
    }
    cr_assert_eq(entered > 0, p->enters, "%u loops entered", entered);
}

/* ---- loops ---------------------------------------------------------------------------------- */

Test(tier, simple_loop) {
    compare(
        &(Program){"(module (memory (export \"memory\") 1)"
                   " (func (export \"run\") (param i32) (result i32) (local i32 i32)"
                   "  (loop $l"
                   "   (i32.store (i32.mul (local.get 1) (i32.const 4)) (local.get 2))"
                   "   (local.set 2 (i32.add (i32.mul (local.get 2) (i32.const 3)) (local.get 1)))"
                   "   (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
                   "     (local.get 0))))"
                   "  (local.get 2)))",
                   {1, 10, 1000},
                   3,
                   true});
}

/* Operands below and of the loops, of all types; loops around the one that is entered. */
Test(tier, nested_loops_with_operands) {
    compare(&(Program){
        "(module (memory (export \"memory\") 1)"
        " (func (export \"run\") (param $n i32) (result i32)"
        "  (local $i i32) (local $j i32) (local $k i32) (local $v v128) (local $d f64)"
        "  (local $r externref) (local $s f32) (local $l i64)"
        "  (i64.const 0x1122334455667788)"
        "  (f32.const 1.5)"
        "  (local.set $i (local.get $n))"
        "  (i32.const 7)"
        "  (v128.const i32x4 1 2 3 4)"
        "  (loop $a (param i32 v128) (result i32 v128)"
        "   (f64.const 0.25)"
        "   (local.set $j (local.get $n))"
        "   (loop $b (param f64) (result f64)"
        "    (f64.add (f64.const 1))"
        "    (local.set $d)"
        "    (ref.null func)"
        "    (local.set $k (i32.const 3))"
        "    (loop $c"
        "     (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $k))))"
        "     (local.set $l (i64.add (local.get $l) (i64.extend_i32_u (local.get $j))))"
        "     (local.set $s (f32.add (local.get $s) (f32.const 0.5)))"
        "     (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))"
        "     (br_if $c (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))"
        "    (drop)"
        "    (local.get $d)"
        "    (br_if $b (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))"
        "   (drop)"
        "   (i32x4.add (local.get $v))"
        "   (br_if $a (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
        "  (local.set $v) (local.set $k)"
        "  (v128.store (i32.const 32) (local.get $v))"
        "  (i32.store (i32.const 48) (local.get $k))"
        "  (local.set $s (f32.add (local.get $s)))"
        "  (local.set $l (i64.add (local.get $l)))"
        "  (f32.store (i32.const 68) (local.get $s))"
        "  (i64.store (i32.const 72) (local.get $l))"
        "  (i32.xor (i32.load (i32.const 32)) (i32.load (i32.const 48)))))",
        {1, 2, 9},
        3,
        true});
}

Test(tier, branches_out_of_loops) {
    compare(&(Program){"(module"
                       " (func $two (param i32) (result i32 i64) (local i32)"
                       "  (block $out (result i32 i64)"
                       "   (i32.const 11)"
                       "   (loop $l (result i64)"
                       "    (i64.const 5)"
                       "    (block $next"
                       "     (block $zero"
                       "      (br_table $zero $next $next (i32.and (local.get 1) (i32.const 3))))"
                       "     (if (i32.gt_u (local.get 1) (local.get 0))"
                       "      (then (br $out (local.get 1) (i64.const 77)))))"
                       "    (drop)"
                       "    (local.set 1 (i32.add (local.get 1) (i32.const 1)))"
                       "    (br_if $l (i32.lt_u (local.get 1) (i32.const 90)))"
                       "    (i64.const 3))))"
                       " (func (export \"run\") (param i32) (result i32)"
                       "  (i32.wrap_i64 (i64.add (call $two (local.get 0)) "
                       "   (i64.extend_i32_u (i32.const 1000)))) (i32.add)))",
                       {0, 30, 200},
                       3,
                       true});
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* The function that runs becomes compiled under its own frames. */
Test(tier, recursion) {
    compare(
        &(Program){"(module (func $fib (export \"run\") (param i32) (result i32)"
                   " (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))"
                   "  (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
                   "    (call $fib (i32.sub (local.get 0) (i32.const 2))))))))",
                   {3, 15},
                   2,
                   false});
}

Test(tier, endless_recursion) {
    compare(&(Program){
        "(module (func $f (export \"run\") (param i32) (result i32) (local i32)"
        " (loop $l (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
        "   (i32.const 30))))"
        " (if (i32.eqz (local.get 0)) (then unreachable))"
        " (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))))",
        {5, 60},
        2,
        true});
}

/* By way of the host: frames below an activation that goes on compiled. */
Test(tier, calls_through_the_host) {
    compare(&(Program){
        "(module (import \"host\" \"call\" (func $call (param i32) (result i32)))"
        " (func $back (export \"back\") (param i32) (result i32) (local i32 i32)"
        "  (loop $l"
        "   (local.set 2 (i32.add (local.get 2) (i32.mul (local.get 1) (local.get 0))))"
        "   (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
        "    (i32.const 25))))"
        "  (if (result i32) (i32.eqz (local.get 0)) (then (local.get 2))"
        "   (else (i32.add (local.get 2) (call $call (i32.sub (local.get 0) (i32.const 1)))))))"
        " (func (export \"run\") (param i32) (result i32) (local i32 i32)"
        "  (loop $l"
        "   (local.set 2 (i32.add (local.get 2) (call $call (local.get 0))))"
        "   (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
        "    (i32.const 12))))"
        "  (local.get 2)))",
        {0, 3, 20},
        3,
        true});
}

Test(tier, indirect_and_tail_calls) {
    compare(&(Program){
        "(module (type $t (func (param i32 i32) (result i32)))"
        " (table 2 funcref) (elem (i32.const 0) $even $odd)"
        " (func $even (type $t) (if (i32.eqz (local.get 0)) (then (return (local.get 1))))"
        "  (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1))"
        "   (i32.add (local.get 1) (i32.const 3)) (i32.const 1)))"
        " (func $odd (type $t) (if (i32.eqz (local.get 0)) (then (return (local.get 1))))"
        "  (return_call $even (i32.sub (local.get 0) (i32.const 1))"
        "   (i32.xor (local.get 1) (i32.const 9))))"
        " (func (export \"run\") (param i32) (result i32) (local i32 i32)"
        "  (loop $l"
        "   (local.set 2 (i32.add (local.get 2)"
        "    (call_indirect (type $t) (local.get 0) (local.get 1)"
        "     (i32.and (local.get 1) (i32.const 1)))))"
        "   (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
        "    (i32.const 30))))"
        "  (local.get 2)))",
        {0, 7, 3000},
        3,
        true});
}

/* ---- traps ---------------------------------------------------------------------------------- */

Test(tier, traps_in_loops) {
    compare(&(Program){
        "(module (memory (export \"memory\") 1) (global $g (mut i32) (i32.const 0))"
        " (func $work (param i32 i32)"
        "  (i32.store (i32.const 0) (local.get 0))"
        "  (global.set $g (i32.div_u (i32.const 100) (i32.sub (local.get 0) (local.get 1)))))"
        " (func $outer (param i32) (local i32)"
        "  (loop $l"
        "   (call $work (local.get 1) (local.get 0))"
        "   (i64.store (i32.mul (local.get 1) (i32.const 1500)) (i64.const -1))"
        "   (local.set 1 (i32.add (local.get 1) (i32.const 1)))"
        "   (br $l)))"
        " (func (export \"run\") (param i32) (result i32) (call $outer (local.get 0))"
        "  (global.get $g)))",
        {0, 5, 33, 1000},
        4,
        true});
}

/* The loop that is entered has ended: what traps is in the one around it, and no call of anything. */
Test(tier, traps_behind_loops) {
    compare(
        &(Program){"(module (memory (export \"memory\") 1)"
                   " (func (export \"run\") (param i32) (result i32) (local i32)"
                   "  (loop $outer"
                   "   (local.set 1 (i32.const 1000))"
                   "   (loop $inner"
                   "    (i32.store (i32.const 0) (i32.xor (i32.load (i32.const 0)) (local.get 1)))"
                   "    (br_if $inner (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))"
                   "   (i32.store (local.get 0) (i32.const 1))"
                   "   (local.set 0 (i32.add (local.get 0) (i32.const 20000)))"
                   "   (br $outer))"
                   "  (unreachable)))",
                   {4, 30000, 65532},
                   3,
                   true});
}

/* ---- exceptions ----------------------------------------------------------------------------- */

Test(tier, loops_in_try_tables) {
    compare(&(Program){"(module (tag $e (param i32)) (tag $f)"
                       " (func $throws (param i32)"
                       "  (if (i32.eq (i32.rem_u (local.get 0) (i32.const 5)) (i32.const 3))"
                       "   (then (throw $e (local.get 0))))"
                       "  (if (i32.eq (i32.rem_u (local.get 0) (i32.const 7)) (i32.const 6))"
                       "   (then (throw $f))))"
                       " (func (export \"run\") (param i32) (result i32) (local i32 i32)"
                       "  (loop $again"
                       "   (block $caught (result i32)"
                       "    (block $f"
                       "    (try_table (catch $e $caught) (catch $f $f)"
                       "     (loop $l"
                       "      (call $throws (local.tee 1 (i32.add (local.get 1) (i32.const 1))))"
                       "      (local.set 2 (i32.add (local.get 2) (local.get 1)))"
                       "      (br_if $l (i32.lt_u (local.get 1) (local.get 0))))"
                       "     (return (local.get 2))))"
                       "    (i32.const 1000))"
                       "   (local.set 2 (i32.xor (local.get 2)))"
                       "   (br $again))"
                       "  (unreachable)))",
                       {1, 2, 60},
                       3,
                       true});
}

Test(tier, loops_that_throw) {
    compare(
        &(Program){"(module (tag $e (param i32))"
                   " (func $outer (param i32) (local i32)"
                   "  (loop $l"
                   "   (if (i32.eq (local.get 1) (local.get 0)) (then (throw $e (local.get 1))))"
                   "   (local.set 1 (i32.add (local.get 1) (i32.const 1)))"
                   "   (br $l)))"
                   " (func $catch (param i32) (result i32)"
                   "  (block $c (result i32)"
                   "   (try_table (catch $e $c) (call $outer (local.get 0))) (i32.const -1)))"
                   " (func (export \"run\") (param i32) (result i32)"
                   "  (if (result i32) (i32.lt_u (local.get 0) (i32.const 50))"
                   "   (then (call $catch (local.get 0)))"
                   "   (else (call $outer (local.get 0)) (i32.const 0)))))",
                   {0, 30, 49, 70},
                   4,
                   true});
}

/* Loops in legacy catch clauses are not entered; others in legacy blocks are. */
Test(tier, legacy_blocks) {
    compare(&(Program){"(module (tag $e (param i32))"
                       " (func (export \"run\") (param i32) (result i32) (local i32 i32)"
                       "  (try (result i32)"
                       "   (do"
                       "    (loop $l"
                       "     (local.set 1 (i32.add (local.get 1) (i32.const 1)))"
                       "     (br_if $l (i32.lt_u (local.get 1) (i32.const 30))))"
                       "    (throw $e (local.get 1)))"
                       "   (catch $e"
                       "    (loop $m (param i32) (result i32)"
                       "     (local.set 2 (i32.add (local.get 2) (i32.const 1)))"
                       "     (br_if $m (i32.lt_u (local.get 2) (local.get 0))))"
                       "    (i32.add (local.get 2))))))",
                       {0, 40},
                       2,
                       true});
}

/* ---- objects -------------------------------------------------------------------------------- */

Test(tier, references_in_frames) {
    compare(
        &(Program){"(module (type $list (struct (field i32) (field (ref null $list))))"
                   " (func (export \"run\") (param i32) (result i32) (local i32 i32)"
                   "  (local $head (ref null $list))"
                   "  (struct.new $list (i32.const 1000) (ref.null $list))"
                   "  (loop $l"
                   "   (local.set $head (struct.new $list (local.get 1) (local.get $head)))"
                   "   (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
                   "    (local.get 0))))"
                   "  (struct.get $list 0)"
                   "  (loop $m"
                   "   (local.set 2 (i32.add (local.get 2) (struct.get $list 0 (local.get $head))))"
                   "   (local.set $head (struct.get $list 1 (local.get $head)))"
                   "   (br_if $m (i32.eqz (ref.is_null (local.get $head)))))"
                   "  (i32.add (local.get 2))))",
                   {1, 30, 2000},
                   3,
                   true});
}

/* ---- who calls ------------------------------------------------------------------------------ */

/* Fuel is counted by the interpreter alone: functions are interpreted as soon as a call has some. */
Test(tier, fuel) {
    setenv("WASMRUN_TIER", "eager", 1);
    Bench b = new_bench(WR_ENGINE_AUTO, 0);
    wr_instance_t *i = text_instance(
        &b, "(module (func (export \"run\") (param i32) (result i32)"
            " (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
            " (local.get 0)))");
    must(call_i32(&b, i, "run", 100, NULL));
    wr_store_set_fuel(b.store, 5000);
    must_trap(call_i32(&b, i, "run", 100000000, NULL), WR_TRAP_OUT_OF_FUEL);
    bench_delete(&b);
}

/* Interrupts the guest some time after its loop has gone on compiled. */
static wr_error_t *host_interrupt(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    wr_tier_stats_t stats;
    wr_engine_get_tier_stats(context, &stats);
    if (stats.loops > 0 && slots[0].i32 % 100 == 0) wr_store_interrupt(wr_caller_store(caller));
    return NULL;
}

Test(tier, interruption_of_an_entered_loop) {
    setenv("WASMRUN_TIER", "eager", 1);
    Bench b = new_bench(WR_ENGINE_AUTO, 0);
    must(wr_linker_define_func(b.linker, "host", "stop", "i>i", host_interrupt, b.engine, NULL));
    wr_store_set_interruptible(b.store, true);
    wr_instance_t *i =
        text_instance(&b, "(module (import \"host\" \"stop\" (func $f (param i32) (result i32)))"
                          " (func (export \"run\") (param i32) (result i32)"
                          " (loop $l (drop (call $f (local.get 0)))"
                          " (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))"
                          "  (i32.const 10000000))))"
                          " (unreachable)))");
    must_trap(call_i32(&b, i, "run", 1, NULL), WR_TRAP_INTERRUPTED);
    bench_delete(&b);
}

/* ---- threads -------------------------------------------------------------------------------- */

typedef struct Worker {
    Bench *b;
    wr_module_t *module;
    int32_t result;
} Worker;

static void work(void *context) {
    Worker *w = context;
    wr_store_t *store;
    wr_instance_t *instance;
    must(wr_store_new(w->b->engine, &store));
    must(wr_linker_instantiate(w->b->linker, store, w->module, &instance));
    wr_val_t arg = i32_val(3000), result;
    for (int i = 0; i < 40; i++)
        must(wr_func_call(store, wr_instance_func(instance, "run"), &arg, 1, &result, 1));
    w->result = result.of.i32;
    wr_store_delete(store);
}

/* Stores of one module, each in a thread, some of which find the code made for others. */
static void run_threads(const char *mode) {
    setenv("WASMRUN_TIER", mode, 1);
    Bench b = new_bench(WR_ENGINE_AUTO, 5);
    wr_module_t *module = text_module(
        &b, "(module (memory 1)"
            " (func $f (param i32) (result i32) (i32.add (i32.load (i32.const 0)) (local.get 0)))"
            " (func (export \"run\") (param i32) (result i32) (local i32)"
            "  (i32.store (i32.const 0) (i32.const 0))"
            "  (loop $l (i32.store (i32.const 0) (call $f (local.get 1)))"
            "   (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
            "    (local.get 0))))"
            "  (i32.load (i32.const 0))))");
    Worker workers[4];
    OsThread *threads[ARRAY_LEN(workers)];
    for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
        workers[i] = (Worker){&b, module, 0};
        threads[i] = wr_os_thread_start(work, &workers[i]);
        cr_assert_not_null(threads[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
        wr_os_thread_join(threads[i]);
        cr_assert_eq(workers[i].result, 2999 * 3000 / 2);
    }
    wr_module_delete(module);
    bench_delete(&b);
}

Test(tier, threads) {
    run_threads("eager");
    run_threads("");
}

/* ---- what runs leave to later ones ---------------------------------------------------------- */

/* A new folder for a cache. */
static void make_cache(Cache *cache) {
    char folder[64];
    (void)snprintf(folder, sizeof folder, "./tier-cache-%d", (int)getpid());
    must(wr_cache_open(cache, folder));
    wr_cache_trim(cache, 0);
}

static void remove_cache(const Cache *cache) {
    wr_cache_trim(cache, 0);
    cr_assert_eq(rmdir(cache->folder), 0);
}

static const char two_functions[] =
    "(module (func (export \"run\") (param i32) (result i32) (local i32)"
    " (loop $l (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
    "  (local.get 0)))) (local.get 1))"
    " (func (export \"other\") (param i32) (result i32)"
    " (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))";

static CompileRequest request_of(const Bench *b, bool is_hasty) {
    CompileRequest request = {.options = wr_aot_options(b->engine)};
    if (!is_hasty) return request;
    request.options.level = 0;
    request.options.polled = request.options.migratable = true;
    return request;
}

/* Code of some of the two functions, in the cache as a run leaves it. */
static void put_slice(const Cache *cache, bool is_hasty, u32 number, const u32 *functions,
                      u32 count) {
    Bench b = new_bench(WR_ENGINE_AUTO, 0);
    wr_module_t *module = text_module(&b, two_functions);
    CompileRequest request = request_of(&b, is_hasty);
    request.functions = functions;
    request.nfunctions = count;
    char path[CACHE_PATH_MAX], slice[CACHE_PATH_MAX];
    wr_cache_path(cache, module, &request, path);
    wr_cache_slice_path(path, number, slice);
    u8 *bytes;
    size_t size;
    CompileStats stats;
    must(wr_aot_compile(module, &request, &bytes, &size, &stats));
    must(wr_cache_put(cache, slice, bytes, size));
    wr_free(&b.engine->alloc, bytes, size);
    wr_module_delete(module);
    bench_delete(&b);
}

static Bench bench_with_cache(const Cache *cache) {
    wr_config_t *config = wr_config_new();
    wr_config_set_engine_kind(config, WR_ENGINE_AUTO);
    cr_assert(wr_config_set_cache(config, cache->folder));
    wr_config_set_log(config, keep_log, NULL, WR_LOG_INFO);
    return bench_new(config);
}

static void wait_a_little(void) {
    const struct timespec ms = {.tv_nsec = 1000000};
    nanosleep(&ms, NULL);
}

static bool has_good_code(const wr_module_t *module, u32 func_index) {
    for (const Artifact *a = module->artifact; a != NULL; a = wr_artifact_older(a))
        if (wr_artifact_code(a, func_index) && !native_is_hasty(wr_artifact_options(a)))
            return true;
    return false;
}

/* What was hot in an earlier run, and has hasty code only, is compiled well even if this one does not come there. */
Test(tier, hasty_code_in_the_cache) {
    Cache cache;
    make_cache(&cache);
    setenv("WASMRUN_TIER", "eager", 1);
    put_slice(&cache, true, 0, (const u32[]){0, 1}, 2);
    Bench b = bench_with_cache(&cache);
    wr_module_t *module = text_module(&b, two_functions);
    wr_instance_t *instance;
    must(wr_linker_instantiate(b.linker, b.store, module, &instance));
    cr_assert_not_null(module->artifact);
    cr_assert_not(has_good_code(module, 0));
    int32_t result;
    must(call_i32(&b, instance, "run", 1000, &result));
    cr_assert_eq(result, 1000);
    cr_assert(has_good_code(module, 0));
    cr_assert(has_good_code(module, 1));
    wr_module_delete(module);
    bench_delete(&b);
    remove_cache(&cache);
}

static u32 slices_that_have(const wr_module_t *module, u32 func_index) {
    u32 count = 0;
    for (const Artifact *a = module->artifact; a != NULL; a = wr_artifact_older(a))
        count += wr_artifact_code(a, func_index) != NULL;
    return count;
}

/* Each function had a slice of its own: now they have one for both, besides. Once. */
Test(tier, slices_in_the_cache_are_joined) {
    Cache cache;
    make_cache(&cache);
    setenv("WASMRUN_TIER", "eager", 1);
    put_slice(&cache, false, 0, (const u32[]){0}, 1);
    put_slice(&cache, false, 1, (const u32[]){1}, 1);
    for (int run = 0; run < 2; run++) {
        Bench b = bench_with_cache(&cache);
        wr_module_t *module = text_module(&b, two_functions);
        wr_instance_t *instance;
        cr_assert_eq(slices_that_have(module, 0), 2);
        cr_assert_eq(slices_that_have(module, 1), 2);
        cr_assert_not_null(wr_artifact_code(module->artifact, 0));
        cr_assert_not_null(wr_artifact_code(module->artifact, 1));
        must(wr_linker_instantiate(b.linker, b.store, module, &instance));
        int32_t result;
        must(call_i32(&b, instance, "run", 1000, &result));
        cr_assert_eq(result, 1000);
        wr_tier_stats_t stats;
        wr_engine_get_tier_stats(b.engine, &stats);
        cr_assert_eq(stats.slices, run == 0 ? 1 : 0);
        wr_module_delete(module);
        bench_delete(&b);
    }
    remove_cache(&cache);
}

/* Its artifact, which has it inside, is more than a socket takes before somebody reads. */
static wr_module_t *large_module(Bench *b) {
    enum { SIZE = 4 << 20 };
    char *text = malloc(SIZE + sizeof two_functions + 16);
    cr_assert_not_null(text);
    size_t size =
        (size_t)sprintf(text, "%.*s (data \"", (int)sizeof two_functions - 2, two_functions);
    memset(text + size, 'a', SIZE);
    memcpy(text + size + SIZE, "\"))", 4);
    wr_module_t *module = text_module(b, text);
    free(text);
    return module;
}

static void cancel(void *context, u32 done, u32 total) {
    (void)done, (void)total;
    wr_compiler_cancel(context);
}

/* A compiler is cancelled in the middle of its work; NULL, or where that shall appear nevertheless. */
static void leave_compiler(const char *keep) {
    Bench b = new_bench(WR_ENGINE_AUTO, 0);
    wr_module_t *module = large_module(&b);
    Compiler *compiler;
    must(wr_compiler_start(b.engine, &compiler));
    CompileRequest request = {.options = wr_aot_options(b.engine),
                              .keep = keep,
                              .progress = cancel,
                              .progress_context = compiler};
    u8 *bytes;
    size_t size;
    CompileStats stats;
    wr_error_t *error = wr_compiler_run(compiler, module, &request, &bytes, &size, &stats);
    cr_assert_not_null(error);
    wr_error_delete(error);
    wr_compiler_stop(compiler);
    Artifact *artifact;
    while (keep != NULL && access(keep, F_OK) != 0) wait_a_little();
    if (keep != NULL) {
        must(wr_artifact_open_file(b.engine, keep, module, &request.options, &artifact));
        wr_artifact_unref(artifact);
    }
    wr_module_delete(module);
    bench_delete(&b);
}

static void age_claim(const char *path, time_t seconds) {
    char claim[CACHE_PATH_MAX + 16];
    struct timespec then[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};
    (void)snprintf(claim, sizeof claim, "%s.claim.part", path);
    cr_assert_eq(utimensat(AT_FDCWD, claim, then, 0), 0);
}

/* What comes of it is in the cache when the process that asked for it has gone on; or has not been asked for. */
Test(tier, compiler_that_is_left, .timeout = 240) {
    Cache cache;
    char path[CACHE_PATH_MAX], slice[CACHE_PATH_MAX];
    make_cache(&cache);
    (void)snprintf(path, sizeof path, "%.3000s/some.wasmrun", cache.folder);
    wr_cache_slice_path(path, 3, slice);
    leave_compiler(slice);
    while (!wr_cache_claim(slice)) wait_a_little(); /* it has given its claim back */
    cr_assert_not(wr_cache_claim(slice));
    age_claim(slice, 660); /* whoever made it was ended before it could give it back */
    cr_assert(wr_cache_claim(slice));
    cr_assert_not(wr_cache_claim(slice));
    leave_compiler(NULL);
    remove_cache(&cache);
}

/* ---- compilers that fail -------------------------------------------------------------------- */

static void write_program(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_gt(fputs(text, file), 0);
    fclose(file);
    cr_assert_eq(chmod(path, 0755), 0);
}

static const char counting[] =
    "(module (func (export \"run\") (param i32) (result i32) (local i32)"
    " (loop $l (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))"
    "  (local.get 0)))) (local.get 1)))";

static wr_tier_stats_t run_with_compiler(const char *text, const char *mode) {
    char path[64];
    (void)snprintf(path, sizeof path, "./tier-compiler-%d", (int)getpid());
    write_program(path, text);
    setenv("WASMRUN_AOT", path, 1);
    setenv("WASMRUN_TIER", mode, 1);
    Bench b = new_bench(WR_ENGINE_AUTO, 0);
    wr_instance_t *i = text_instance(&b, counting);
    int32_t result;
    for (int k = 1; k < 20; k++) {
        must(call_i32(&b, i, "run", 200000 * k, &result));
        cr_assert_eq(result, 200000 * k);
    }
    wr_tier_stats_t stats;
    wr_engine_get_tier_stats(b.engine, &stats);
    bench_delete(&b);
    cr_assert_eq(remove(path), 0);
    return stats;
}

Test(tier, compiler_that_dies) {
    wr_tier_stats_t stats = run_with_compiler("#!/bin/sh\nexit 3\n", "eager");
    cr_assert_gt(stats.failures, 0);
    cr_assert_eq(stats.slices, 0);
    stats = run_with_compiler("#!/bin/sh\nkill -9 $$\n", "");
    cr_assert_eq(stats.slices, 0);
}

/* The guest does not wait for it: neither while it runs nor at its end. */
Test(tier, compiler_that_hangs, .timeout = 240) {
    wr_tier_stats_t stats = run_with_compiler("#!/bin/sh\nexec sleep 1000\n", "");
    cr_assert_eq(stats.slices, 0);
}

Test(tier, no_compiler) {
    setenv("WASMRUN_AOT", "/nonexistent/compiler", 1);
    setenv("WASMRUN_TIER", "eager", 1);
    Bench b = new_bench(WR_ENGINE_AUTO, 0);
    wr_instance_t *i = text_instance(&b, counting);
    int32_t result;
    must(call_i32(&b, i, "run", 1000, &result));
    cr_assert_eq(result, 1000);
    bench_delete(&b);
}
