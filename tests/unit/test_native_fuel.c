/*
 * test_native_fuel.c - compiled code counts the fuel that interpreted code counts, pauses where that does, and its frames can
 * be written down anywhere and go on in the interpreter.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "native_programs.h"

TestSuite(native_fuel, .fini = forget_made);

/* ---- fuel ----------------------------------------------------------------------------------- */

/* With every amount up to what the call takes: how it ends, where, what is left and what was done until then. */
static void call_with_fuel(Run *r, wr_instance_t *i, const char *name, int32_t arg, u64 most) {
    if (way.slice > 0) { /* whatever the slice */
        call(r, i, name, arg);
        return;
    }
    for (u64 fuel = 0; fuel <= most; fuel++) {
        wr_store_set_fuel(r->b.store, fuel);
        shorten(r->seen);
        call(r, i, name, arg);
        SAY(r->seen, "left %lld\n", (long long)fuel_left(r));
    }
}

#define COUNT_EFFECT                                                                               \
    " (memory (export \"m\") 1) (func $did (i32.store (i32.const 0)"                               \
    "  (i32.add (i32.load (i32.const 0)) (i32.const 1))))"                                         \
    " (func (export \"done\") (param i32) (result i32) (i32.load (i32.const 0)))"

/* Blocks whose ends lead to other ends, arms of an `if`, tables, loops in loops; returns of all kinds. */
static void fuel_branches(Run *r) {
    wr_instance_t *i = add(
        r, "m",
        "(module" COUNT_EFFECT
        " (func $f (export \"f\") (param $n i32) (result i32) (local $i i32) (local $s i32)"
        "  (loop $l"
        "   (if (i32.and (local.get $i) (i32.const 1))"
        "    (then (block $x (block $y"
        "      (br_if $y (i32.and (local.get $i) (i32.const 2)))"
        "      (br_if $x (i32.and (local.get $i) (i32.const 4)))"
        "      (call $did))))"
        "    (else (block $z (br_if $z (i32.and (local.get $i) (i32.const 2))) (call $did))"
        "     (local.set $s (i32.add (local.get $s) (i32.const 3)))))"
        "   (if (i32.and (local.get $i) (i32.const 4)) (then (call $did)))"
        "   (block $d (block $c (block $b (block $a"
        "     (br_table $a $b $c $b $d (local.get $i)))"
        "    (call $did)) (local.set $s (i32.add (local.get $s) (i32.const 10))) (br $d))"
        "    (br_if $l (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1)))"
        "     (i32.const 100))))"
        "   (i32.store (i32.const 8) (local.get $i))"
        "   (if (i32.eq (local.get $i) (i32.const 6)) (then (return (local.get $s))))"
        "   (local.set $i (i32.add (local.get $i) (i32.const 1)))"
        "   (br_if $l (i32.lt_s (local.get $i) (local.get $n)))"
        "   (br_if 1 (local.get $s) (i32.lt_s (local.get $s) (i32.const 20))) (drop))"
        "  (block $r (result i32) (br_if $r (i32.const 7) (i32.eq (local.get $n) (i32.const 4)))"
        "   (drop) (call $did) (local.get $s)))"
        " (func (export \"nest\") (param i32) (result i32)"
        "  (if (result i32) (local.get 0)"
        "   (then (if (result i32) (i32.eq (local.get 0) (i32.const 1))"
        "    (then (i32.const 5)) (else (call $f (i32.const 1)))))"
        "   (else (block (result i32) (br_if 0 (i32.const 2) (local.get 0)) (drop)"
        "    (call $did) (i32.const 4)))))"
        " (func $same (param i32) (result i32)"
        "  (if (result i32) (local.get 0) (then (local.get 0)) (else (i32.const 3))))"
        " (func (export \"store\") (param i32) (result i32)"
        "  (drop (call $same (local.get 0)))"
        "  (i32.store16 (local.get 0) (i32.const 1))"
        "  (call $same (i32.const 2))))");
    for (int k = 1; k < 9; k++) call_with_fuel(r, i, "f", k, 700);
    for (int k = 65534; k < 65537; k++) call_with_fuel(r, i, "store", k, 100);
    for (int k = 0; k < 3; k++) call_with_fuel(r, i, "nest", k, 200);
    call(r, i, "done", 0);
}

/* Calls of all kinds, between modules, and tail calls; what traps. */
static void fuel_calls(Run *r) {
    must(wr_linker_define_func(r->b.linker, "host", "back", "i>i", back, NULL, NULL));
    add(r, "b",
        "(module (import \"host\" \"back\" (func $back (param i32) (result i32)))"
        " (func $even (export \"even\") (param i32) (result i32)"
        "  (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))"
        "   (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))"
        " (func $odd (param i32) (result i32)"
        "  (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))"
        "   (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))"
        " (func (export \"back\") (param i32) (result i32) (return_call $back (local.get 0)))"
        " (func $f (export \"f\") (param i32) (result i32)"
        "  (if (i32.eq (local.get 0) (i32.const 2)) (then (return (i32.const 40))))"
        "  (i32.add (i32.const 1) (call $back (local.get 0)))))");
    wr_instance_t *a =
        add(r, "a",
            "(module (import \"b\" \"even\" (func $even (param i32) (result i32)))"
            " (import \"b\" \"back\" (func $back (param i32) (result i32)))"
            " (import \"b\" \"f\" (func $f (param i32) (result i32)))"
            " (type $t (func (param i32) (result i32)))"
            " (table funcref (elem $even $back $f $fib $wild $div))" COUNT_EFFECT
            " (func $fib (export \"fib\") (param i32) (result i32)"
            "  (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))"
            "   (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
            "    (call $fib (i32.sub (local.get 0) (i32.const 2)))))))"
            " (func $wild (param i32) (result i32) (nop) (call $did) (nop)"
            "  (i32.load offset=100 (i32.const -1)))"
            " (func $div (param i32) (result i32) (call $did)"
            "  (i32.div_s (i32.const 1) (i32.sub (local.get 0) (i32.const 5))))"
            " (func (export \"each\") (param i32) (result i32)"
            "  (call $did) (call_indirect (type $t) (local.get 0) (local.get 0)))"
            " (func (export \"tail\") (param i32) (result i32)"
            "  (call $did) (return_call_indirect (type $t) (i32.const 4) (local.get 0)))"
            " (func (export \"bulk\") (param i32) (result i32)"
            "  (memory.fill (i32.const 100) (i32.const 1) (local.get 0))"
            "  (memory.copy (i32.const 1000) (i32.const 100) (i32.const 40))"
            "  (memory.copy (i32.const 1000) (i32.const 100) (i32.mul (local.get 0) (i32.const 2)))"
            "  (call $did) (i32.load (i32.const 1000))))");
    call_with_fuel(r, a, "fib", 6, 900);
    for (int k = 0; k < 7; k++) {
        way.hides_frames = k < 3; /* a tail call may be a call and a return */
        call_with_fuel(r, a, "each", k, 200);
        way.hides_frames = true;
        call_with_fuel(r, a, "tail", k, 200);
        way.hides_frames = false;
    }
    call_with_fuel(r, a, "bulk", 500, 300);
    call_with_fuel(r, a, "bulk", 40000, 9000);
    call(r, a, "done", 0);
}

static void fuel_throws(Run *r) {
    add(r, "b",
        "(module (tag $t (export \"t\") (param i32)) (tag $u (export \"u\"))"
        " (func (export \"f\") (param i32) (result i32)"
        "  (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $t (i32.const 5))))"
        "  (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $u)))"
        "  (if (i32.eq (local.get 0) (i32.const 3)) (then unreachable))"
        "  (local.get 0)))");
    wr_instance_t *a =
        add(r, "a",
            "(module (import \"b\" \"f\" (func $f (param i32) (result i32)))"
            " (import \"b\" \"t\" (tag $t (param i32))) (import \"b\" \"u\" (tag $u))" COUNT_EFFECT
            " (func $one (export \"one\") (param i32) (result i32)"
            "  (block $h (result i32)"
            "   (try_table (catch $t $h) (call $did) (drop (call $f (local.get 0))) (call $did))"
            "   (i32.const 9)))"
            " (func (export \"two\") (param i32) (result i32) (local $n i32)"
            "  (loop $again (block $h (block $g (result exnref)"
            "    (try_table (result i32) (catch $u $h) (catch_all_ref $g)"
            "     (if (i32.eq (local.get 0) (i32.const 4)) (then (throw $t (i32.const 8))))"
            "     (call $one (local.get 0)))"
            "    (return)) (drop) (call $did) (return (i32.const 3)))"
            "   (local.set $n (i32.add (local.get $n) (i32.const 1)))"
            "   (br_if $again (i32.lt_s (local.get $n) (i32.const 3)))) (i32.const -1))"
            " (func (export \"again\") (param i32) (result i32)"
            "  (block $g (result exnref) (try_table (catch_all_ref $g)"
            "    (drop (call $f (local.get 0)))) (return (i32.const 1)))"
            "  (call $did) (throw_ref)))");
    for (int k = 0; k < 5; k++) {
        call_with_fuel(r, a, "one", k, 200);
        call_with_fuel(r, a, "two", k, 400);
        call_with_fuel(r, a, "again", k, 200);
    }
    call(r, a, "done", 0);
}

/* Accesses that fault: in loops, behind branches, in a function that is inlined, after a call. */
static void fuel_faults(Run *r) {
    wr_instance_t *i = add(
        r, "m",
        "(module" COUNT_EFFECT " (func (export \"walk\") (param $i i32) (result i32) (local $s i32)"
        "  (loop $l"
        "   (local.set $s (i32.add (local.get $s) (i32.load8_u (local.get $i))))"
        "   (if (i32.and (local.get $i) (i32.const 4096))"
        "    (then (i32.store8 offset=1024 (local.get $i) (local.get $s)))"
        "    (else (br_if $l (i32.eqz (local.tee $i (i32.add (local.get $i) (i32.const 8)))))))"
        "   (if (i32.eq (local.get $i) (i32.const 65535))"
        "    (then (i32.store16 (local.get $i) (i32.const 1))))"
        "   (local.set $i (i32.add (local.get $i) (i32.const 2048)))"
        "   (br_if $l (i32.lt_u (local.get $i) (i32.const 80000))))"
        "  (local.get $s))"
        " (func $get (param i32) (result i32)"
        "  (if (i32.and (local.get 0) (i32.const 1)) (then (nop) (return (i32.const 3))))"
        "  (i32.load (local.get 0)))"
        " (func (export \"twice\") (param i32) (result i32)"
        "  (drop (i32.load (local.get 0))) (call $did)"
        "  (i32.add (i32.load offset=4 (local.get 0))"
        "   (i32.add (call $get (i32.add (local.get 0) (i32.const 7)))"
        "    (i32.add (call $get (i32.add (local.get 0) (i32.const 8)))"
        "     (i32.load offset=16 (local.get 0))))))"
        " (func (export \"divide\") (param i32) (result i32) (local $i i32)"
        "  (loop $l (i32.store (i32.const 8) (local.get 0))"
        "   (local.set $i (i32.div_u (i32.const 100) (local.get 0)))"
        "   (local.set 0 (i32.sub (local.get 0) (i32.const 1)))"
        "   (br_if $l (local.get $i)))"
        "  (local.get $i)))");
    for (int k = 60001; k < 65536; k += 5534 / 6) call_with_fuel(r, i, "walk", k, 300);
    for (int k = 65510; k < 65540; k += 4) call_with_fuel(r, i, "twice", k, 100);
    call_with_fuel(r, i, "divide", 3, 100);
    call(r, i, "done", 0);
}

/* Numbers that LLVM keeps side by side in one vector register, while fuel is refilled a few times. */
static void fuel_vectors(Run *r) {
    static const char step[] = " (local.set $%c (i64.xor (i64.shr_u (local.get $%c) (i64.const 1))"
                               " (i64.add (local.get $%c) (local.get $k))))";
    char text[2048], steps[1024] = "";
    for (char c = 'a'; c < 'e'; c++)
        (void)snprintf(steps + strlen(steps), sizeof steps - strlen(steps), step, c, c, c);
    (void)snprintf(text, sizeof text,
                   "(module (func (export \"f\") (param $n i32) (result i32) (local $k i64)"
                   "  (local $a i64) (local $b i64) (local $c i64) (local $d i64)"
                   "  (local.set $a (i64.const 1)) (local.set $b (i64.const 20))"
                   "  (local.set $c (i64.const 300)) (local.set $d (i64.const 4000))"
                   "  (loop $l (local.set $k (i64.add (local.get $k) (i64.const 3))) %s"
                   "   (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
                   "  (i32.wrap_i64 (i64.add (i64.add (local.get $a) (local.get $b))"
                   "   (i64.add (local.get $c) (local.get $d))))))",
                   steps);
    wr_instance_t *i = add(r, "m", text);
    wr_store_set_fuel(r->b.store, 10000000);
    call(r, i, "f", 20000);
    SAY(r->seen, "left %lld\n", (long long)fuel_left(r));
}

/* What compiled code counts is what the interpreter counts, at every place. */
Test(native_fuel, fuel_is_the_same) {
    way.fuel = true;
    run_all(fuel_branches, 0, 1);
    run_all(fuel_calls, 0, 2);
    run_all(fuel_throws, 0, 2);
    run_all(fuel_faults, 0, 1);
    run_all(fuel_vectors, 0, 1);
    way.fuel = false;
}

/* ---- spilling ------------------------------------------------------------------------------- */

/* Locals and operands of all kinds, at loops with parameters and at calls in the middle of expressions; wide frames. */
static void spilled_values(Run *r) {
    wr_instance_t *i = add(
        r, "m",
        "(module (type $node (struct (field i32) (field (ref null $node))))"
        " (func $next (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))"
        " (func $down (param $n i32) (param $v v128) (param $f f64) (param $g f32) (param $l i64)"
        "  (result i32) (local $x v128) (local $k i32)"
        "  (local.set $x (i32x4.add (local.get $v) (v128.const i32x4 1 2 3 4)))"
        "  (if (i32.eqz (local.get $n)) (then (return (i32.add (i32x4.extract_lane 3 (local.get "
        "$x))"
        "   (i32.add (i32.trunc_f64_s (local.get $f)) (i32.add (i32.trunc_f32_s (local.get $g))"
        "    (i32.wrap_i64 (local.get $l))))))))"
        "  (i32.sub (i32x4.extract_lane 0 (local.get $x))"
        "   (call $down (i32.sub (local.get $n) (i32.const 1)) (local.get $x)"
        "    (f64.add (local.get $f) (f64.const 1.5)) (f32.sub (local.get $g) (f32.const 1))"
        "    (i64.mul (local.get $l) (i64.const 3)))))"
        " (func (export \"down\") (param i32) (result i32)"
        "  (call $down (local.get 0) (v128.const i32x4 5 6 7 8) (f64.const 0) (f32.const 9)"
        "   (i64.const 1)))"
        " (func (export \"loop\") (param i32) (result i32) (local i64)"
        "  (i32.const 1000) (v128.const i64x2 3 4) (i32.const 7) (f64.const 2)"
        "  (loop (param i32 f64) (result f64)"
        "   (i64.trunc_f64_s) (i64.add (local.get 1)) (local.set 1)"
        "   (i32.add (call $next (local.get 0))) (f64.convert_i64_s (local.get 1))"
        "   (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))"
        "   (i64.trunc_f64_s) (local.set 1) (f64.convert_i32_s)"
        "   (f64.add (f64.convert_i64_s (local.get 1))))"
        "  (i32.trunc_f64_s) (local.set 0) (i32x4.extract_lane 2) (i32.add (local.get 0))"
        "  (i32.add))"
        " (func (export \"list\") (param i32) (result i32) (local $l (ref null $node)) (local $i "
        "i32)"
        "  (loop (local.set $l (struct.new $node (call $next (local.get $i)) (local.get $l)))"
        "   (br_if 0 (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1)))"
        "    (local.get 0))))"
        "  (local.set $i (i32.const 0))"
        "  (loop (local.set $i (i32.add (local.get $i) (struct.get $node 0 (local.get $l))))"
        "   (br_if 0 (i32.eqz (ref.is_null"
        "    (local.tee $l (struct.get $node 1 (local.get $l)))))))"
        "  (local.get $i)))");
    for (int k = 1; k < 60; k += 7) call(r, i, "down", k);
    for (int k = 1; k < 60; k += 7) call(r, i, "loop", k);
    for (int k = 1; k < 60; k += 7) call(r, i, "list", k);
}

/* An exception is held by a clause of the old kind while the frame is written down. */
static void spilled_clauses(Run *r) {
    wr_instance_t *i =
        add(r, "m",
            "(module (tag $t (param i32)) (tag $u)"
            " (func $f (param i32) (result i32) (loop (br_if 0 (i32.gt_s (local.tee 0"
            "  (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))) (local.get 0))"
            " (func (export \"g\") (param i32) (result i32)"
            "  (try (result i32)"
            "   (do (try (result i32) (do (throw $t (i32.const 3)))"
            "    (catch $t (drop) (try (do (throw $u)) (catch $u"
            "     (drop (call $f (local.get 0))) (if (local.get 0) (then (rethrow 2)))))"
            "     (drop (call $f (local.get 0))) (rethrow 0))))"
            "   (catch $t (i32.add (call $f (local.get 0)))) (catch_all (i32.const -5)))))");
    for (int k = 0; k < 5; k++) call(r, i, "g", k);
}

/* Frames of both engines alternate, and some are gone by tail calls, which leave none. */
static void paused_turns(Run *r) {
    wr_instance_t *b =
        add(r, "b",
            "(module (type $f (func (param i32 i64) (result i32))) (table (export \"t\") 4 funcref)"
            " (tag $t (export \"e\") (param i32)) (memory 1)"
            " (func $turn (export \"turn\") (param i32 i64) (result i32)"
            "  (if (i32.eqz (local.get 0)) (then (throw $t (i32.wrap_i64 (local.get 1)))))"
            "  (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))"
            "  (i32.add (i32.const 1) (call_indirect (type $f)"
            "   (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 2))"
            "   (i32.and (local.get 0) (i32.const 1)))))"
            " (func (export \"sum\") (param i32) (result i32) (i32.load (i32.const 0))))");
    wr_instance_t *a =
        add(r, "a",
            "(module (type $f (func (param i32 i64) (result i32))) (import \"b\" \"t\" (table 4 "
            "funcref))"
            " (import \"b\" \"turn\" (func $turn (param i32 i64) (result i32)))"
            " (import \"b\" \"e\" (tag $t (param i32))) (elem (i32.const 0) $own $gone $caught)"
            " (func $own (param i32 i64) (result i32) (local v128)"
            "  (local.set 2 (i64x2.splat (local.get 1)))"
            "  (i32.sub (call $turn (local.get 0) (local.get 1))"
            "   (i32x4.extract_lane 0 (local.get 2))))"
            " (func $gone (param i32 i64) (result i32)"
            "  (return_call $turn (local.get 0) (i64.mul (local.get 1) (i64.const 3))))"
            " (func $caught (param i32 i64) (result i32)"
            "  (block $h (result i32) (try_table (result i32) (catch $t $h)"
            "   (call $turn (local.get 0) (local.get 1))) (i32.const 5) (i32.add))"
            "  (return_call $gone (i64.const 1)))"
            " (func (export \"f\") (param i32) (result i32)"
            "  (block $h (result i32) (try_table (result i32) (catch $t $h)"
            "   (call $turn (local.get 0) (i64.const 4)))))"
            " (func (export \"g\") (param i32) (result i32)"
            "  (block $h (result i32) (try_table (result i32) (catch $t $h)"
            "   (call_indirect (type $f) (local.get 0) (i64.const 4) (i32.const 2))))))");
    for (int k = 0; k < 40; k += 13) call(r, a, "f", k);
    for (int k = 0; k < 6; k++) call(r, a, "g", k);
    call(r, b, "sum", 0);
}

/* A host function that calls back ends what pauses, and more fuel does not matter. */
static void paused_hosts(Run *r) {
    must(wr_linker_define_func(r->b.linker, "host", "back", "i>i", back, NULL, NULL));
    wr_instance_t *i =
        add(r, "m",
            "(module (import \"host\" \"back\" (func $back (param i32) (result i32)))"
            " (func $spin (param i32) (loop (br_if 0 (i32.gt_s (local.tee 0"
            "  (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))))"
            " (func (export \"f\") (param i32) (result i32)"
            "  (call $spin (local.get 0)) (call $back (i32.const 1)) (call $spin (local.get 0)))"
            " (func (export \"back\") (param i32) (result i32)"
            "  (call $spin (i32.const 30)) (local.get 0)))");
    for (int k = 1; k < 200; k *= 3) call(r, i, "f", k);
}

/* At every place where the interpreter pauses, with as much fuel left, compiled code pauses, and then goes on. */
Test(native_fuel, calls_pause) {
    static const u64 slices[] = {1, 2, 3, 7, 23, 100, 1000, 20000};
    way.migratable = way.fuel = true;
    for (size_t i = 0; i < ARRAY_LEN(slices); i++) {
        way.slice = slices[i];
        run_all(paused_turns, 0, 2);
        run_all(paused_hosts, 0, 1);
        run_all(spilled_values, 0, 1);
        run_all(spilled_clauses, 0, 1);
        run_all(fuel_branches, 0, 1);
        run_all(fuel_throws, 0, 2);
        way.hides_pauses = true;
        run_all(fuel_faults, 0, 1);
        run_all(fuel_calls, 0, 2);
        way.hides_pauses = false;
    }
    way.slice = 50;
    run_all(spilled_values, WR_GC_STRESS | WR_GC_VERIFY, 1);
    run_all(mixed_lists, WR_GC_STRESS | WR_GC_VERIFY, 2);
    cr_assert_gt(pauses, 10000);
    way.slice = 0;
    way.migratable = way.fuel = false;
}

typedef struct Interrupter {
    wr_store_t *store;
    _Atomic(bool) ends;
} Interrupter;

static void *interrupt_often(void *context) {
    Interrupter *i = context;
    while (!i->ends) {
        wr_store_interrupt(i->store);
        usleep(300);
    }
    return NULL;
}

/* Another thread interrupts, whenever it likes, and the call goes on each time. */
static void interrupted_calls(Run *r) {
    add(r, "b",
        "(module (func $fib (export \"fib\") (param i32) (result i32)"
        "  (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))"
        "   (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
        "    (call $fib (i32.sub (local.get 0) (i32.const 2))))))))");
    wr_instance_t *a =
        add(r, "a",
            "(module (import \"b\" \"fib\" (func $fib (param i32) (result i32)))"
            " (func (export \"sum\") (param i32) (result i32) (local $s i32) (local $f f64)"
            "  (loop (local.set $s (i32.add (local.get $s) (call $fib (i32.const 20))))"
            "   (local.set $f (f64.add (local.get $f) (f64.const 0.5)))"
            "   (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
            "  (i32.add (local.get $s) (i32.trunc_f64_s (local.get $f)))))");
    Interrupter interrupter = {.store = r->b.store};
    wr_val_t argument = i32_val(300), result;
    wr_call_t *paused;
    pthread_t thread;
    wr_store_set_interruptible(r->b.store, true);
    cr_assert_eq(pthread_create(&thread, NULL, interrupt_often, &interrupter), 0);
    /* On a busy machine a call may be over before the interrupter has been there. */
    for (size_t enough = pauses + 3; pauses < enough;) {
        must(wr_call_start(r->b.store, wr_instance_func(a, "sum"), &argument, 1, &result, 1,
                           &paused));
        for (; paused; pauses++) {
            cr_assert_eq(wr_call_reason(paused), WR_TRAP_INTERRUPTED);
            must(wr_call_resume(paused, &result, 1, &paused));
        }
    }
    interrupter.ends = true;
    cr_assert_eq(pthread_join(thread, NULL), 0);
    SAY(r->seen, "%d\n", result.of.i32);
}

Test(native_fuel, calls_pause_when_interrupted) {
    way.migratable = true;
    run_all(interrupted_calls, 0, 2);
    cr_assert_gt(pauses, 4);
    way.migratable = false;
}

/* Code that counts fuel but cannot be written down: the call pauses, since all is interpreted from then on. */
Test(native_fuel, calls_pause_where_code_does_not) {
    way.slice = 100;
    way.fuel = true;
    run_all(paused_turns, 0, 2);
    way.slice = 0;
    way.fuel = false;
}

/* Whatever is compiled goes on in the interpreter from places that chance takes, and back at the next call. */
Test(native_fuel, frames_are_written_down) {
    static const char *const periods[] = {"1", "3"};
    way.migratable = true;
    for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
        cr_assert_eq(setenv("WASMRUN_SPILL", periods[i], 1), 0);
        run_all(spilled_values, 0, 1);
        run_all(spilled_values, WR_GC_STRESS | WR_GC_VERIFY, 1);
        run_all(spilled_clauses, 0, 1);
        run_all(mixed_traps, 0, 3);
        run_all(mixed_values, 0, 2);
        run_all(mixed_throws, 0, 3);
        run_all(mixed_lists, WR_GC_STRESS | WR_GC_VERIFY, 2);
        run_all(callbacks, 0, 1);
        way.fuel = true;
        run_all(fuel_calls, 0, 2);
        run_all(fuel_throws, 0, 2);
        way.fuel = false;
    }
    way.migratable = false;
    (void)unsetenv("WASMRUN_SPILL");
}
