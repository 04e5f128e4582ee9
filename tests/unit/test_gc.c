/* Objects and guest code: roots in frames of nested calls, what the host holds, limits, constant
 * expressions. With a collection before every allocation, and the heap verified after each. */
#include <stdio.h>

#include "text_support.h"

#define STRICT (WR_GC_STRESS | WR_GC_VERIFY)

#define LISTS                                                                                      \
    "(module (type $cell (struct (field $v i32) (field $next (ref null $cell))))"                  \
    " (type $wide (struct (field (mut v128)) (field (mut i64)) (field (mut i8))))"                 \
    " (type $words (array (mut (ref null $cell))))"                                                \
    " (func $build (param $n i32) (result (ref null $cell)) (local $l (ref null $cell))"           \
    "  (block $out (loop $again (br_if $out (i32.eqz (local.get $n)))"                             \
    "   (local.set $l (struct.new $cell (local.get $n) (local.get $l)))"                           \
    "   (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $again)))"                       \
    "  (local.get $l))"                                                                            \
    " (func $sum (param $l (ref null $cell)) (result i32) (local $s i32)"                          \
    "  (block $out (loop $again (br_if $out (ref.is_null (local.get $l)))"                         \
    "   (local.set $s (i32.add (local.get $s) (struct.get $cell $v (local.get $l))))"              \
    "   (local.set $l (struct.get $cell $next (local.get $l))) (br $again)))"                      \
    "  (local.get $s))"                                                                            \
    " (func (export \"sum\") (param i32) (result i32) (call $sum (call $build (local.get 0))))"

/* 1 + 2 + ... + n */
static int32_t sum_to(int32_t n) { return n * (n + 1) / 2; }

Test(gc, lists_survive_collections_while_they_are_built) {
    Bench b = gc_bench(STRICT);
    wr_instance_t *i = text_instance(&b, LISTS ")");
    cr_assert_eq(get_i32(&b, i, "sum", 500), sum_to(500));
    wr_heap_stats_t stats;
    wr_store_get_heap_stats(b.store, &stats);
    cr_assert_geq(stats.collections, 500);
    bench_delete(&b);
}

/* Operands on the stack, of several kinds and below a call, are roots. */
Test(gc, operands_under_a_call_are_roots) {
    Bench b = gc_bench(STRICT);
    wr_instance_t *i = text_instance(
        &b, LISTS " (func (export \"f\") (param i32) (result i32) (local v128 (ref null $cell))"
                  "  (call $build (i32.const 3)) (v128.const i64x2 8 9) (call $build (i32.const 4))"
                  "  (local.set 2 (call $build (i32.const 5)))"
                  "  (call $sum (call $build (local.get 0)))"
                  "  (call $mix))"
                  " (func $mix (param (ref null $cell) v128 (ref null $cell) i32) (result i32)"
                  "  (i32.add (call $sum (local.get 0)) (i32.add (local.get 3) (i32.add"
                  "    (call $sum (local.get 2)) (i32x4.extract_lane 2 (local.get 1)))))))");
    cr_assert_eq(get_i32(&b, i, "f", 10), 6 + 55 + 10 + 9);
    bench_delete(&b);
}

Test(gc, deep_recursion_has_many_frames_of_roots) {
    Bench b = gc_bench(WR_GC_VERIFY);
    wr_instance_t *i = text_instance(
        &b,
        LISTS " (func $deep (export \"deep\") (param i32) (result i32)"
              "  (local $l (ref null $cell)) (local.set $l (call $build (i32.const 3)))"
              "  (if (result i32) (local.get 0)"
              "   (then (i32.add (call $sum (local.get $l))"
              "          (call $deep (i32.sub (local.get 0) (i32.const 1)))))"
              "   (else (drop (array.new_default $words (i32.const 3000000))) (i32.const 0)))))");
    cr_assert_eq(get_i32(&b, i, "deep", 2000), 6 * 2000);
    bench_delete(&b);
}

/* A body that is on the stack at 2000 places: its types are found in one pass over it. */
Test(gc, one_body_at_many_places) {
    static char text[400000];
    char *p = text;
    p +=
        sprintf(p, LISTS " (func $f (export \"f\") (param i32) (result i32) (local $s i32)"
                         " (local $l (ref null $cell)) (local.set $l (call $build (i32.const 2)))");
    for (int k = 1; k <= 2000; k++)
        p += sprintf(p,
                     "(if (i32.eq (local.get 0) (i32.const %d)) (then (local.set $s"
                     " (call $f (i32.const %d)))))",
                     k, k - 1);
    sprintf(p, " (if (i32.eqz (local.get 0)) (then"
               "  (drop (array.new_default $words (i32.const 4000000)))"
               "  (drop (call $build (i32.const 1)))))"
               " (i32.add (local.get $s) (call $sum (local.get $l)))))");
    Bench b = gc_bench(WR_GC_VERIFY);
    wr_instance_t *i = text_instance(&b, text);
    cr_assert_eq(get_i32(&b, i, "f", 2000), 3 * 2001);
    wr_heap_stats_t stats;
    wr_store_get_heap_stats(b.store, &stats);
    cr_assert_lt(stats.longest_pause_ns, 2000000000u);
    bench_delete(&b);
}

/* ---- objects that change while they are marked ---- */

/* Threads n cells through an array and back, a few at a time, by every instruction that overwrites
 * references; each cell is reachable at any time by one path only. */
#define MOVES                                                                                      \
    "(module (type $cell (struct (field $v i32) (field $next (mut (ref null $cell)))))"            \
    " (type $cells (array (mut (ref null $cell))))"                                                \
    " (elem $none (ref null $cell) (item (ref.null $cell)) (item (ref.null $cell)))"               \
    " (global $list (mut (ref null $cell)) (ref.null $cell))"                                      \
    " (global $t (ref $cells) (array.new_default $cells (i32.const 64)))"                          \
    " (global $u (ref $cells) (array.new_default $cells (i32.const 64)))"                          \
    " (func $push (param $c (ref $cell))"                                                          \
    "  (struct.set $cell $next (local.get $c) (global.get $list))"                                 \
    "  (global.set $list (local.get $c)))"                                                         \
    " (func $pop (result (ref null $cell)) (local $c (ref null $cell))"                            \
    "  (if (ref.is_null (global.get $list)) (then (return (ref.null $cell))))"                     \
    "  (local.set $c (global.get $list))"                                                          \
    "  (global.set $list (struct.get $cell $next (local.get $c)))"                                 \
    "  (struct.set $cell $next (local.get $c) (ref.null $cell)) (local.get $c))"                   \
    " (func $garbage (drop (struct.new $cell (i32.const 0) (ref.null $cell))))"                    \
    " (func (export \"f\") (param $n i32) (result i32) (local $i i32) (local $k i32)"              \
    "  (local $c (ref null $cell)) (local $s i32)"                                                 \
    "  (local.set $i (local.get $n))"                                                              \
    "  (loop $make (call $push (struct.new $cell (local.get $i) (ref.null $cell)))"                \
    "   (br_if $make (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"                      \
    "  (local.set $i (i32.const 40))"                                                              \
    "  (loop $rounds (local.set $k (i32.const 63))"                                                \
    "   (loop $take (array.set $cells (global.get $t) (local.get $k) (call $pop)) (call $garbage)" \
    "    (br_if $take (i32.ge_s (local.tee $k (i32.sub (local.get $k) (i32.const 1)))"             \
    "     (i32.const 0))))"                                                                        \
    "   (array.copy $cells $cells (global.get $u) (i32.const 0) (global.get $t) (i32.const 0)"     \
    "    (i32.const 64))"                                                                          \
    "   (call $garbage)"                                                                           \
    "   (array.fill $cells (global.get $t) (i32.const 2) (ref.null $cell) (i32.const 62))"         \
    "   (array.init_elem $cells $none (global.get $t) (i32.const 0) (i32.const 0) (i32.const 2))"  \
    "   (call $garbage) (local.set $k (i32.const 0))"                                              \
    "   (loop $give (local.set $c (array.get $cells (global.get $u) (local.get $k)))"              \
    "    (array.set $cells (global.get $u) (local.get $k) (ref.null $cell)) (call $garbage)"       \
    "    (if (i32.eqz (ref.is_null (local.get $c)))"                                               \
    "     (then (call $push (ref.as_non_null (local.get $c)))))"                                   \
    "    (br_if $give (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1)))"             \
    "     (i32.const 64))))"                                                                       \
    "   (br_if $rounds (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"                    \
    "  (block $out (loop $sum (local.set $c (call $pop))"                                          \
    "   (br_if $out (ref.is_null (local.get $c)))"                                                 \
    "   (local.set $s (i32.add (local.get $s) (struct.get $cell $v (local.get $c)))) (br $sum)))"  \
    "  (local.get $s)))"

Test(gc, objects_that_move_about_while_marking_goes_on) {
    const uint32_t modes[] = {WR_GC_STEPS | WR_GC_VERIFY, STRICT, 0};
    for (int k = 0; k < 3; k++) {
        Bench b = gc_bench(modes[k]);
        wr_instance_t *i = text_instance(&b, MOVES);
        cr_assert_eq(get_i32(&b, i, "f", 100), sum_to(100));
        cr_assert_eq(get_i32(&b, i, "f", 500), sum_to(500));
        bench_delete(&b);
    }
}

/* ---- kinds of objects ---- */

Test(gc, wide_and_packed_fields) {
    Bench b = gc_bench(STRICT);
    wr_instance_t *i = text_instance(
        &b, LISTS " (func (export \"f\") (param i32) (result i32) (local $w (ref null $wide))"
                  "  (local.set $w (struct.new $wide (i32x4.splat (local.get 0)) (i64.const -1)"
                  "   (i32.const 0x1F0)))"
                  "  (drop (call $build (i32.const 2)))"
                  "  (i32.add (i32.add (i32x4.extract_lane 3 (struct.get $wide 0 (local.get $w)))"
                  "   (i32.wrap_i64 (struct.get $wide 1 (local.get $w))))"
                  "   (i32.add (struct.get_s $wide 2 (local.get $w))"
                  "    (struct.get_u $wide 2 (local.get $w))))))");
    cr_assert_eq(get_i32(&b, i, "f", 100), 100 - 1 - 16 + 240);
    bench_delete(&b);
}

Test(gc, constant_expressions_make_objects) {
    Bench b = gc_bench(STRICT);
    wr_instance_t *i = text_instance(
        &b,
        LISTS " (global $g (ref $cell) (struct.new $cell (i32.const 1)"
              "   (struct.new $cell (i32.const 2) (struct.new $cell (i32.const 3)"
              "    (ref.null $cell)))))"
              " (table $t 3 (ref null $cell) (struct.new $cell (i32.const 40) (ref.null $cell)))"
              " (elem $e (ref null $cell) (item (struct.new $cell (i32.const 50) (ref.null $cell)))"
              "  (item (global.get $g)))"
              " (global $a (ref $words) (array.new_fixed $words 3 (global.get $g)"
              "   (struct.new $cell (i32.const 9) (ref.null $cell)) (ref.null $cell)))"
              " (func (export \"f\") (param i32) (result i32)"
              "  (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))"
              "  (i32.add (i32.add (call $sum (table.get $t (i32.const 0)))"
              "    (call $sum (table.get $t (i32.const 2))))"
              "   (call $sum (array.get $words (global.get $a) (i32.const 1))))))");
    wr_store_collect(b.store);
    cr_assert_eq(get_i32(&b, i, "f", 0), 50 + 40 + 9);
    bench_delete(&b);
}

/* Garbage of an instantiation that failed has types that must not go with its module. */
Test(gc, a_failed_instantiation_leaves_the_heap_whole) {
    Bench b = gc_bench(STRICT);
    wr_instance_t *none, *i = text_instance(&b, LISTS ")");
    for (int k = 0; k < 5; k++) {
        must_fail(try_text(&b,
                           "(module (type $odd (struct (field i64 i32 i64))) (table 1 funcref)"
                           " (global (ref $odd) (struct.new_default $odd))"
                           " (elem (i32.const 9) func 0) (func))",
                           &none),
                  WR_ERROR_TRAP, "out of bounds table access");
        cr_assert_eq(get_i32(&b, i, "sum", 20), sum_to(20));
    }
    bench_delete(&b);
}

/* ---- the host ---- */

#define BOXES                                                                                      \
    "(module (type $box (struct (field (mut i32))))"                                               \
    " (import \"h\" \"f\" (func $h (param externref i32) (result externref)))"                     \
    " (func (export \"box\") (param i32) (result anyref) (struct.new $box (local.get 0)))"         \
    " (func (export \"open\") (param anyref) (result i32)"                                         \
    "   (struct.get $box 0 (ref.cast (ref $box) (local.get 0))))"                                  \
    " (func (export \"churn\") (loop $l (drop (struct.new_default $box))"                          \
    "   (global.set $n (i32.sub (global.get $n) (i32.const 1))) (br_if $l (global.get $n))))"      \
    " (global $n (mut i32) (i32.const 1000)) (global (export \"g\") (mut anyref) (ref.i31 "        \
    "(i32.const 5)))"                                                                              \
    " (func (export \"set\") (global.set 1 (struct.new $box (i32.const 6))))"                      \
    " (func (export \"f\") (param i32) (result i32) (struct.get $box 0 (ref.cast (ref $box)"       \
    "   (any.convert_extern (call $h (extern.convert_any (struct.new $box (local.get 0)))"         \
    "    (i32.const 3)))))))"

static wr_val_t box(Bench *b, wr_instance_t *i, int32_t value) {
    wr_val_t arg = i32_val(value), result = {.kind = WR_I32};
    must(wr_func_call(b->store, wr_instance_func(i, "box"), &arg, 1, &result, 1));
    cr_assert_eq(result.kind, WR_ANYREF);
    return result;
}

static wr_error_t *open_box(Bench *b, wr_instance_t *i, const wr_val_t *ref, int32_t *value) {
    wr_val_t result = {.kind = WR_I32};
    wr_error_t *error = wr_func_call(b->store, wr_instance_func(i, "open"), ref, 1, &result, 1);
    *value = result.of.i32;
    return error;
}

typedef struct HostState {
    Bench *bench;
    wr_instance_t *instance;
} HostState;

/* Overwrites its slots, makes garbage, and gives back what it got. */
static wr_error_t *use_box(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    HostState *h = context;
    uint64_t given = slots[0].ref;
    cr_assert_eq(slots[1].i32, 3);
    slots[0].u64 = slots[1].u64 = 0xDEADBEEF;
    must(wr_func_call(wr_caller_store(caller), wr_instance_func(h->instance, "churn"), NULL, 0,
                      NULL, 0));
    wr_val_t mine = box(h->bench, h->instance, 4);
    wr_store_collect(wr_caller_store(caller));
    int32_t value;
    must(open_box(h->bench, h->instance, &mine, &value));
    cr_assert_eq(value, 4);
    slots[0].ref = given;
    return NULL;
}

static Bench host_bench(HostState *h) {
    Bench b = gc_bench(STRICT);
    must(wr_linker_define_func(b.linker, "h", "f", "ei>e", use_box, h, NULL));
    *h = (HostState){NULL, text_instance(&b, BOXES)};
    return b;
}

Test(gc, the_host_holds_what_it_was_given) {
    HostState h;
    Bench b = host_bench(&h);
    h.bench = &b;
    wr_val_t held[10];
    for (int k = 0; k < 10; k++) held[k] = box(&b, h.instance, k);
    must(call_i32(&b, h.instance, "churn", 0, NULL));
    for (int k = 0; k < 10; k++) {
        int32_t value;
        must(open_box(&b, h.instance, &held[k], &value));
        cr_assert_eq(value, k);
    }
    bench_delete(&b);
}

Test(gc, scopes_let_go) {
    HostState h;
    Bench b = host_bench(&h);
    h.bench = &b;
    wr_val_t outer = box(&b, h.instance, 1);
    size_t scope = wr_store_open_scope(b.store);
    for (int k = 0; k < 1000; k++) (void)box(&b, h.instance, k);
    wr_store_close_scope(b.store, scope);
    wr_store_collect(b.store);
    wr_heap_stats_t stats;
    wr_store_get_heap_stats(b.store, &stats);
    cr_assert_eq(stats.live_bytes, 8);
    int32_t value;
    must(open_box(&b, h.instance, &outer, &value));
    cr_assert_eq(value, 1);
    bench_delete(&b);
}

Test(gc, arguments_of_host_functions_live_until_they_return) {
    HostState h;
    Bench b = host_bench(&h);
    h.bench = &b;
    cr_assert_eq(get_i32(&b, h.instance, "f", 1234), 1234);
    wr_store_collect(b.store);
    wr_heap_stats_t stats;
    wr_store_get_heap_stats(b.store, &stats);
    cr_assert_eq(stats.live_bytes, 0, "and no longer");
    bench_delete(&b);
}

static wr_error_t *shift(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    slots[0].ref += *(uint64_t *)context;
    return NULL;
}

Test(gc, host_functions_give_references_that_they_have) {
    uint64_t distance = 0;
    Bench b = gc_bench(STRICT);
    must(wr_linker_define_func(b.linker, "h", "f", "a>a", shift, &distance, NULL));
    wr_instance_t *i = text_instance(
        &b, "(module (type $box (struct (field i32)))"
            " (import \"h\" \"f\" (func $h (param anyref) (result anyref)))"
            " (func (export \"f\") (param i32) (result i32) (struct.get $box 0 (ref.cast (ref $box)"
            "  (call $h (struct.new $box (local.get 0)))))))");
    cr_assert_eq(get_i32(&b, i, "f", 9), 9);
    distance = 8; /* where an object might be */
    must_fail(call_i32(&b, i, "f", 9, NULL), WR_ERROR_TRAP, "host function returned an invalid");
    distance = (uint64_t)1 << 33;
    must_fail(call_i32(&b, i, "f", 9, NULL), WR_ERROR_TRAP, "host function returned an invalid");
    bench_delete(&b);
}

Test(gc, globals_that_hold_objects) {
    HostState h;
    Bench b = host_bench(&h);
    wr_val_t value;
    wr_global_get(wr_instance_global(h.instance, "g"), &value);
    cr_assert_eq(value.kind, WR_ANYREF);
    must(call_i32(&b, h.instance, "set", 0, NULL));
    wr_global_get(wr_instance_global(h.instance, "g"), &value);
    must(call_i32(&b, h.instance, "set", 0, NULL));
    wr_store_collect(b.store);
    int32_t content;
    must(open_box(&b, h.instance, &value, &content));
    cr_assert_eq(content, 6);
    bench_delete(&b);
}

Test(gc, casts_of_what_is_something_else_trap) {
    HostState h;
    Bench b = host_bench(&h);
    int32_t content;
    wr_val_t value;
    wr_global_get(wr_instance_global(h.instance, "g"), &value); /* an i31 */
    must_trap(open_box(&b, h.instance, &value, &content), WR_TRAP_CAST_FAILURE);
    value.of.ref = 0;
    must_trap(open_box(&b, h.instance, &value, &content), WR_TRAP_CAST_FAILURE);
    must(wr_extern_new(b.store, &h, &value.of.ref));
    must_trap(open_box(&b, h.instance, &value, &content), WR_TRAP_CAST_FAILURE);
    bench_delete(&b);
}

/* ---- limits ---- */

Test(gc, a_full_heap_traps_and_recovers) {
    Bench b = bench_new(NULL);
    wr_store_limit_heap(b.store, 1 << 20);
    wr_instance_t *i =
        text_instance(&b, LISTS " (func (export \"big\") (param i32) (result i32)"
                                "  (array.len (array.new_default $words (local.get 0)))))");
    must_trap(call_i32(&b, i, "sum", 1000000, NULL), WR_TRAP_ALLOCATION_FAILURE);
    must_trap(call_i32(&b, i, "big", 1000000, NULL), WR_TRAP_ALLOCATION_FAILURE);
    must_trap(call_i32(&b, i, "big", -1, NULL), WR_TRAP_ALLOCATION_FAILURE);
    cr_assert_eq(get_i32(&b, i, "sum", 1000), sum_to(1000));
    cr_assert_eq(get_i32(&b, i, "big", 1000), 1000);
    bench_delete(&b);
}

Test(gc, large_arrays_cost_fuel) {
    Bench b = bench_new(NULL);
    wr_instance_t *i =
        text_instance(&b, LISTS " (func (export \"big\") (param i32) (loop $l"
                                "  (drop (array.new_default $words (local.get 0))) (br $l))))");
    wr_store_set_fuel(b.store, 1000000);
    must_trap(call_i32(&b, i, "big", 1000000, NULL), WR_TRAP_OUT_OF_FUEL);
    bench_delete(&b);
}
