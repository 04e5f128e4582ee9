/*
 * test_native.c - compiled code beside interpreted code: whichever modules of a program are compiled, it gives the same results,
 * traps, exceptions and backtraces, and its objects live. What it counts and where it pauses: test_native_fuel.c.
 */
#include "native_programs.h"

TestSuite(native, .fini = forget_made);

/* ---- one module ----------------------------------------------------------------------------- */

static void traps(Run *r) {
    wr_instance_t *i = add(
        r, "m",
        "(module (memory 1) (table 4 funcref) (elem (i32.const 0) $div $none)"
        " (type $t (func (param i32) (result i32)))"
        " (func $div (export \"div\") (param i32) (result i32)"
        "  (i32.div_s (i32.const -2147483648) (local.get 0)))"
        " (func $none)"
        " (func $load (export \"load\") (param i32) (result i32) (i32.load (local.get 0)))"
        " (func (export \"dead\") (param i32) (drop (i32.load offset=65530 (local.get 0))))"
        " (func (export \"wide\") (param i32) (drop (v128.load (local.get 0))))"
        " (func (export \"unreachable\") unreachable)"
        " (func (export \"indirect\") (param i32) (result i32)"
        "  (call_indirect (type $t) (i32.const 0) (local.get 0)))"
        " (func (export \"operand\") (param i32) (result i32)"
        "  (i32.add (local.get 0) (i32.load (local.get 0))))"
        " (func (export \"count\") (param i32)"
        "  (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (i32.const 1))))"
        " (func (export \"select\") (param i32) (result i32)"
        "  (select (i32.const 5) (i32.load (local.get 0)) (i32.and (local.get 0) (i32.const 1))))"
        " (func $not_zero (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))"
        " (func (export \"inlined\") (param i32)"
        "  (call $not_zero (local.get 0))"
        "  (call $not_zero (i32.sub (local.get 0) (i32.const 1))))"
        " (func (export \"tail\") (param i32) (result i32)"
        "  (return_call $load (local.get 0)))"
        " (func $nest (export \"nest\") (param i32) (result i32)"
        "  (if (result i32) (local.get 0)"
        "   (then (i32.add (i32.const 1) (call $nest (i32.sub (local.get 0) (i32.const 1)))))"
        "   (else (call $load (i32.const -4)))))"
        " (func (export \"far\") (param i32) (result i32)"
        "  (i32.store8 (local.get 0) (local.get 0))"
        "  (drop (i32.atomic.load8_u offset=4"
        "   (i32.and (i32.load offset=22 align=1 (i32.const -100)) (i32.const 15))))"
        "  (local.get 0))"
        " (func (export \"masked\") (param i32) (result i32)"
        "  (i32.store8 (local.get 0) (local.get 0))"
        "  (i32.load16_u (i32.and (i32.load16_u (i32.const 65536)) (i32.const 15))))"
        " (func (export \"signed\") (param i32) (result i64)"
        "  (i32.store8 (local.get 0) (local.get 0))"
        "  (i64.extend_i32_s (i32.or (i32.load16_s (i32.const 65536)) (i32.const 4))))"
        " (func (export \"masked twice\") (param i32) (result i32) (local i32)"
        "  (i32.store8 (i32.const 1) (local.get 0))"
        "  (local.set 1 (i32.and (i32.load (local.get 0)) (i32.const 65535)))"
        "  (if (i32.and (local.get 0) (i32.const 1)) (then (i32.store (i32.const 7) (local.get "
        "1))))"
        "  (i32.load (local.get 1)))"
        " (func (export \"selected\") (param i32) (result i32)"
        "  (i32.store8 (i32.const 1) (local.get 0))"
        "  (i32.store8 (i32.const 9)"
        "   (select (i32.load8_u (local.get 0)) (i32.load8_u offset=4 (local.get 0))"
        "    (i32.lt_u (i32.load8_u (i32.const 77)) (i32.const 3))))"
        "  (local.get 0))"
        " (func (export \"masked off\") (param i32) (result i32)"
        "  (f64.store (i32.const 8)"
        "   (select (f64.const 0) (f64.load (local.get 0)) (i32.and (local.get 0) (i32.const 4))))"
        "  (local.get 0)))");
    call(r, i, "div", 0);
    call(r, i, "div", -1);
    call(r, i, "div", 7);
    call(r, i, "load", 65532);
    call(r, i, "load", 65533);
    call(r, i, "load", -1);
    call(r, i, "dead", 2);
    call(r, i, "dead", 3);
    call(r, i, "wide", 65521);
    call(r, i, "operand", 65533);
    call(r, i, "count", 65533);
    for (int k = 65532; k < 65535; k++) call(r, i, "select", k);
    for (int k = 0; k < 3; k++) call(r, i, "inlined", k);
    call(r, i, "tail", 65533);
    call(r, i, "unreachable", 0);
    for (int k = 0; k < 5; k++) call(r, i, "indirect", k);
    for (int k = 0; k < 100; k += 9) call(r, i, "nest", k);
    call(r, i, "nest", 10000);
    call(r, i, "far", 3);
    call(r, i, "masked", 3);
    call(r, i, "signed", 3);
    for (int k = 65532; k < 65538; k++) {
        call(r, i, "masked twice", k);
        call(r, i, "selected", k);
        call(r, i, "masked off", k);
    }
}

Test(native, traps_and_their_backtraces) { run_all(traps, 0, 1); }

/* Equal accesses in both arms of a branch, which LLVM would make one of: at the arms' beginnings, at their ends, where their
 * values are joined, in functions that are inlined there, and at the ends of machine code. */
static void equal_arms(Run *r) {
    wr_instance_t *i =
        add(r, "m",
            "(module (memory 1)"
            " (func $load (param i32) (result i32) (i32.load offset=8 (local.get 0)))"
            " (func $store (param i32 i32) (i32.store offset=8 (local.get 0) (local.get 1)))"
            " (func $is_odd (param i32) (result i32) (i32.and (local.get 0) (i32.const 1)))"
            " (func (export \"first\") (param i32) (result i32)"
            "  (if (result i32) (call $is_odd (local.get 0))"
            "   (then (i32.mul (i32.load offset=8 (local.get 0)) (i32.const 3)))"
            "   (else (i32.shl (i32.load offset=8 (local.get 0)) (i32.const 5)))))"
            " (func (export \"last\") (param i32) (result i32)"
            "  (if (call $is_odd (local.get 0))"
            "   (then (i32.store offset=8 (local.get 0) (i32.const 1)))"
            "   (else (i32.store offset=4 (local.get 0) (i32.const 7))))"
            "  (local.get 0))"
            " (func (export \"inlined first\") (param i32) (result i32)"
            "  (if (result i32) (call $is_odd (local.get 0))"
            "   (then (i32.mul (call $load (local.get 0)) (i32.const 3)))"
            "   (else (i32.shl (call $load (local.get 0)) (i32.const 5)))))"
            " (func (export \"inlined last\") (param i32) (result i32)"
            "  (if (call $is_odd (local.get 0))"
            "   (then (call $store (local.get 0) (i32.const 1)))"
            "   (else (call $store (local.get 0) (i32.const 7))))"
            "  (local.get 0))"
            " (func (export \"joined\") (param i32) (result i32)"
            "  (if (result i32) (call $is_odd (local.get 0))"
            "   (then (i32.load offset=8 (local.get 0)))"
            "   (else (i32.load offset=4 (local.get 0)))))"
            " (func (export \"inlined joined\") (param i32) (result i32)"
            "  (if (result i32) (call $is_odd (local.get 0))"
            "   (then (call $load (local.get 0)))"
            "   (else (call $load (i32.add (local.get 0) (i32.const 1))))))"
            " (func (export \"tails\") (param i32) (result i32)"
            "  (if (call $is_odd (local.get 0))"
            "   (then (i32.store16 (i32.const 9) (local.get 0))"
            "    (call $store (i32.const 4) (local.get 0))"
            "    (call $store (i32.const 8) (i32.const 5))"
            "    (call $store (local.get 0) (i32.const 6)))"
            "   (else (i32.store8 (i32.const 9) (local.get 0))"
            "    (call $store (i32.const 4) (local.get 0))"
            "    (call $store (i32.const 8) (i32.const 5))"
            "    (call $store (local.get 0) (i32.const 6))))"
            "  (local.get 0)))");
    for (int k = 65520; k < 65530; k++) {
        call(r, i, "first", k);
        call(r, i, "last", k);
        call(r, i, "inlined first", k);
        call(r, i, "inlined last", k);
        call(r, i, "joined", k);
        call(r, i, "inlined joined", k);
        call(r, i, "tails", k);
    }
}

Test(native, equal_code_has_places_of_its_own) { run_all(equal_arms, 0, 1); }

/* A recursion that does not end, from C and from host functions; frames large and small. */
static void exhaustion(Run *r) {
    wr_instance_t *i =
        add(r, "m",
            "(module (type $t (func (result i32))) (memory 1)"
            " (func $deep (export \"deep\") (param i32) (result i32)"
            "  (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))"
            " (func (export \"f\") (param i32) (result i32) (local.get 0)))");
    for (int k = 0; k < 3; k++) {
        int32_t result;
        must_trap(call_i32(&r->b, i, "deep", 0, &result), WR_TRAP_STACK_EXHAUSTED);
        call(r, i, "f", k);
    }
}

Test(native, exhausting_the_stack_is_a_trap) { run_all(exhaustion, 0, 1); }

/* ---- several modules, and host functions between -------------------------------------------- */

Test(native, traps_through_mixed_frames) { run_all(mixed_traps, 0, 3); }
Test(native, all_kinds_of_values_pass) { run_all(mixed_values, 0, 2); }
Test(native, calls_through_tables) { run_all(mixed_tables, 0, 3); }
Test(native, calls_through_ranges_of_tables) { run_all(table_ranges, 0, 2); }
Test(native, tables_that_a_failure_left) { run_all(broken_tables, 0, 2); }
Test(native, exceptions_through_mixed_frames) { run_all(mixed_throws, 0, 3); }
Test(native, objects_live_in_mixed_frames) {
    run_all(mixed_lists, WR_GC_STRESS | WR_GC_VERIFY, 2);
    run_all(mixed_lists, WR_GC_STEPS, 2);
}
Test(native, host_functions_that_call_back) { run_all(callbacks, 0, 1); }

/* ---- stopping ------------------------------------------------------------------------------- */

#define ENDLESS                                                                                    \
    "(module (func (export \"f\") (param i32) (result i32) (loop $l (br $l)) unreachable))"

static void interrupt(void *store) { wr_store_interrupt(store); }

/* Code that does not count fuel, or was compiled without polls, must not run where that is asked for. */
static void stopping(Run *r) {
    wr_instance_t *i = add(r, "m", ENDLESS);
    must(wr_store_set_timeout(r->b.store, 1000000));
    must_trap(call_i32(&r->b, i, "f", 0, NULL), WR_TRAP_DEADLINE);
    must(wr_store_set_timeout(r->b.store, 0));
    wr_store_set_interruptible(r->b.store, true);
    OsThread *thread = wr_os_thread_start(interrupt, r->b.store);
    must_trap(call_i32(&r->b, i, "f", 0, NULL), WR_TRAP_INTERRUPTED);
    wr_os_thread_join(thread);
    wr_store_set_interruptible(r->b.store, false);
    wr_store_set_fuel(r->b.store, 100000);
    must_trap(call_i32(&r->b, i, "f", 0, NULL), WR_TRAP_OUT_OF_FUEL);
}

Test(native, calls_are_stopped) {
    run_all(stopping, 0, 1);
    way.without_polls = true;
    run_all(stopping, 0, 1);
    way.without_polls = false;
}

/* Code that would run for years, each in another way. */
/* clang-format off */
#define LOOP(counter, body)                                                                        \
    "(local.set " counter " (i32.const 0))"                                                        \
    "(loop " body " (local.set " counter " (i32.add (local.get " counter ") (i32.const 1)))"       \
    " (br_if 0 (i32.ne (local.get " counter ") (i32.const 1000))))"
#define TWICE(name, callee)                                                                        \
    "(func " name " (param i32) (result i32) (call " callee " (call " callee " (local.get 0))))"
#define EIGHT_TIMES(a, b, c, d) TWICE(a, b) TWICE(b, c) TWICE(c, d)

static const char endless[] =
    "(module (type $f (func (param i32) (result i32))) (tag $t) (memory 1)"
    " (table funcref (elem $through))"
    " (func (export \"nest\") (type $f) (local $a i32) (local $b i32) (local $c i32) (local $d i32)"
    LOOP("$a", LOOP("$b", LOOP("$c", LOOP("$d",
        "(i32.store (i32.const 0) (i32.xor (i32.load (i32.const 0)) (local.get $d)))"))))
    "  (i32.load (i32.const 0)))"
    " (func (export \"long\") (type $f) (local $i i64)"
    "  (loop (i32.store (i32.const 0) (i32.xor (i32.wrap_i64 (local.get $i))"
    "    (i32.mul (i32.load (i32.const 0)) (i32.const 1664525))))" /* nothing to foresee */
    "   (br_if 0 (i64.ne (i64.const 0x10000000000)"
    "    (local.tee $i (i64.add (local.get $i) (i64.const 1))))))"
    "  (i32.load (i32.const 0)))"
    " (func (export \"jump\") (type $f)"
    "  (loop $l (br_table $l $l (local.get 0))) (unreachable))"
    " (func (export \"catch\") (type $f)"
    "  (loop $l (try_table (catch $t $l) (throw $t))) (unreachable))"
    " (func $raise (throw $t))"
    " (func (export \"call\") (type $f)"
    "  (loop $l (try_table (catch $t $l) (call $raise))) (unreachable))"
    " (func $fib (export \"fib\") (type $f)"
    "  (if (i32.lt_s (local.get 0) (i32.const -100)) (then (return (i32.const 1))))"
    "  (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
    "   (call $fib (i32.sub (local.get 0) (i32.const 2)))))"
    " (func $self (export \"self\") (type $f) (return_call $self (local.get 0)))"
    " (func $even (export \"even\") (type $f) (return_call $odd (local.get 0)))"
    " (func $odd (type $f) (return_call $even (local.get 0)))"
    " (func $through (export \"through\") (type $f)"
    "  (return_call_indirect (type $f) (local.get 0) (i32.const 0)))"
    " (func (export \"tree\") (type $f) (call $0 (local.get 0)))"
    EIGHT_TIMES("$0", "$1", "$2", "$3") EIGHT_TIMES("$3", "$4", "$5", "$6")
    EIGHT_TIMES("$6", "$7", "$8", "$9") EIGHT_TIMES("$9", "$10", "$11", "$12")
    EIGHT_TIMES("$12", "$13", "$14", "$15") EIGHT_TIMES("$15", "$16", "$17", "$18")
    EIGHT_TIMES("$18", "$19", "$20", "$21") EIGHT_TIMES("$21", "$22", "$23", "$24")
    EIGHT_TIMES("$24", "$25", "$26", "$27") EIGHT_TIMES("$27", "$28", "$29", "$30")
    EIGHT_TIMES("$30", "$31", "$32", "$33") EIGHT_TIMES("$33", "$34", "$35", "$36")
    EIGHT_TIMES("$36", "$37", "$38", "$39") EIGHT_TIMES("$39", "$40", "$41", "$42")
    " (func $42 (type $f)"
    "  (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1)))"
    "  (i32.load (i32.const 4))))";
/* clang-format on */

static void stop_the_endless(void) {
    static const char *const names[] = {"nest", "long", "jump", "catch", "call",
                                        "fib",  "self", "even", "tree",  "through"};
    static Seen seen;
    Run r = {.b = bench_new(NULL), .compiled = 1, .seen = &seen};
    wr_instance_t *i = add(&r, "m", endless);
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        must(wr_store_set_timeout(r.b.store, 5000000));
        must_trap(call_i32(&r.b, i, names[k], 0, NULL), WR_TRAP_DEADLINE);
    }
    bench_delete(&r.b);
}

Test(native, whatever_is_endless_is_stopped) {
    stop_the_endless();
    way.without_polls = true;
    stop_the_endless();
    way.without_polls = false;
}

/* ---- threads -------------------------------------------------------------------------------- */

#define THREADS 4

typedef struct Worker {
    OsThread *thread;
    wr_engine_t *engine;
    wr_module_t *module;
    int32_t sum;
} Worker;

/* Each has a store, and with it a native stack; faults are the thread's own. */
static void work(void *context) {
    Worker *w = context;
    Bench b = {.engine = w->engine, .linker = wr_linker_new(w->engine)};
    must(wr_store_new(w->engine, &b.store));
    wr_instance_t *i;
    must(wr_linker_instantiate(b.linker, b.store, w->module, &i));
    for (int32_t k = 0; k < 200; k++) {
        w->sum += get_i32(&b, i, "catch", k);
        must_trap(call_i32(&b, i, "load", -4, NULL), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
        if (k % 50 == 0) must_trap(call_i32(&b, i, "deep", 0, NULL), WR_TRAP_STACK_EXHAUSTED);
    }
    wr_linker_delete(b.linker);
    wr_store_delete(b.store);
}

Test(native, threads_run_the_same_code) {
    Bench b = bench_new(NULL);
    wr_module_t *module = text_module(
        &b, "(module (memory 1) (tag $t (param i32))"
            " (func $throw (param i32) (local.get 0) (throw $t))"
            " (func (export \"catch\") (param i32) (result i32)"
            "  (block $h (result i32) (try_table (catch $t $h) (call $throw (local.get 0)))"
            "   (i32.const -1)))"
            " (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0)))"
            " (func $deep (export \"deep\") (param i32) (result i32)"
            "  (i32.add (i32.const 1) (call $deep (local.get 0)))))");
    module = compile(module);
    Worker workers[THREADS];
    for (int k = 0; k < THREADS; k++) {
        workers[k] = (Worker){.engine = b.engine, .module = module};
        workers[k].thread = wr_os_thread_start(work, &workers[k]);
        cr_assert_not_null(workers[k].thread);
    }
    for (int k = 0; k < THREADS; k++) {
        wr_os_thread_join(workers[k].thread);
        cr_assert_eq(workers[k].sum, 200 * 199 / 2);
    }
    wr_module_delete(module);
    bench_delete(&b);
}

/* ---- pools ---------------------------------------------------------------------------------- */

/* Stores that are used again: their heaps, stacks and memories are as new. */
Test(native, stores_of_a_pool_run_compiled_code) {
    wr_config_t *config = wr_config_new();
    wr_config_set_pool(config, 4, 1 << 20);
    Bench b = bench_new(config);
    wr_module_t *module = text_module(
        &b, "(module (memory 1) (type $cell (struct (field i32) (field (ref null $cell))))"
            " (global $list (mut (ref null $cell)) (ref.null $cell))"
            " (func (export \"push\") (param i32) (result i32)"
            "  (global.set $list (struct.new $cell (local.get 0) (global.get $list)))"
            "  (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get 0)))"
            "  (i32.load (i32.const 8)))"
            " (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0))))");
    module = compile(module);
    wr_prelinked_t *pre;
    must(wr_linker_prelink(b.linker, module, &pre));
    for (int round = 0; round < 50; round++) {
        Bench used[3];
        wr_instance_t *instances[3];
        for (int k = 0; k < 3; k++) {
            must(wr_prelinked_new_store(pre, &used[k].store));
            must(wr_prelinked_instantiate(pre, used[k].store, &instances[k]));
            for (int32_t n = 1; n <= 20; n++)
                cr_assert_eq(get_i32(&used[k], instances[k], "push", n), n * (n + 1) / 2);
            must_trap(call_i32(&used[k], instances[k], "load", -1, NULL),
                      WR_TRAP_MEMORY_OUT_OF_BOUNDS);
        }
        for (int k = 0; k < 3; k++) wr_store_delete(used[k].store);
    }
    wr_prelinked_delete(pre);
    wr_module_delete(module);
    bench_delete(&b);
}
