/* Custom descriptors and exact types in running code: descriptors as roots, layouts, casts between
 * types with and without them, linking; and what is said of them when they are turned off. */
#include <stdio.h>

#include "text_support.h"

#define STRICT (WR_GC_STRESS | WR_GC_VERIFY)

/* $shape has no descriptor; $square and its subtype $cube have, and their descriptors have one, too. */
#define SHAPES                                                                                     \
    "(module (type $shape (sub (struct (field $a i32))))"                                          \
    " (type $area (func (param (ref $shape)) (result i32)))"                                       \
    " (rec"                                                                                        \
    "  (type $square (sub $shape (descriptor $class) (struct (field $a i32) (field $x anyref))))"  \
    "  (type $class (sub (describes $square) (descriptor $meta)"                                   \
    "   (struct (field $area (ref $area)) (field $n (mut i32)))))"                                 \
    "  (type $meta (sub (describes $class) (struct (field $w (mut v128)) (field $b i8)))))"        \
    " (rec"                                                                                        \
    "  (type $cube (sub $square (descriptor $cube.class)"                                          \
    "   (struct (field $a i32) (field $x anyref) (field $d i64))))"                                \
    "  (type $cube.class (sub $class (describes $cube) (descriptor $cube.meta)"                    \
    "   (struct (field $area (ref $area)) (field $n (mut i32)) (field $name anyref))))"            \
    "  (type $cube.meta (sub $meta (describes $cube.class)"                                        \
    "   (struct (field $w (mut v128)) (field $b i8)))))"                                           \
    " (func $flat (type $area)"                                                                    \
    "  (i32.mul (struct.get $shape $a (local.get 0)) (struct.get $shape $a (local.get 0))))"       \
    " (func $six (type $area) (i32.mul (i32.const 6) (call $flat (local.get 0))))"                 \
    " (elem declare func $flat $six)"                                                              \
    " (func $new_class (param $n i32) (result (ref (exact $class)))"                               \
    "  (struct.new_desc $class (ref.func $flat) (local.get $n)"                                    \
    "   (struct.new $meta (v128.const i64x2 7 9) (i32.const 5))))"                                 \
    " (func $new_square (param $a i32) (param $n i32) (result (ref (exact $square)))"              \
    "  (struct.new_desc $square (local.get $a) (ref.i31 (i32.const 1))"                            \
    "   (call $new_class (local.get $n))))"                                                        \
    " (func $new_cube (param $a i32) (result (ref (exact $cube)))"                                 \
    "  (struct.new_desc $cube (local.get $a) (ref.null none) (i64.const -1)"                       \
    "   (struct.new_desc $cube.class (ref.func $six) (local.get $a) (ref.i31 (i32.const 3))"       \
    "    (struct.new_default $cube.meta))))"

/* One that is called with an i32, more than once. */
static void expect_i32(uint32_t debug, const char *text, int32_t arg, int32_t expected) {
    Bench b = gc_bench(debug);
    wr_instance_t *i = text_instance(&b, text);
    for (int round = 0; round < 3; round++) cr_assert_eq(get_i32(&b, i, "f", arg), expected);
    bench_delete(&b);
}

static void expect_trap(const char *text, wr_trap_code_t code) {
    Bench b = gc_bench(STRICT);
    wr_instance_t *i = text_instance(&b, text);
    must_trap(call_i32(&b, i, "f", 0, NULL), code);
    bench_delete(&b);
}

/* ---- descriptors live as long as what they describe ---- */

#define DEEP                                                                                       \
    SHAPES " (func (export \"f\") (param i32) (result i32) (local $s (ref null $square))"          \
           "  (local.set $s (call $new_square (local.get 0) (i32.const 40)))"                      \
           "  (drop (array.new_default $junk (i32.const 100)))"                                    \
           "  (i32.add (struct.get $class $n (ref.get_desc $square (local.get $s)))"               \
           "   (i32.wrap_i64 (i64x2.extract_lane 1 (struct.get $meta $w"                           \
           "    (ref.get_desc $class (ref.get_desc $square (local.get $s))))))))"                  \
           " (type $junk (array (mut i64))))"

Test(descriptors, live_with_what_they_describe) {
    expect_i32(STRICT, DEEP, 3, 49);
    expect_i32(WR_GC_STEPS | WR_GC_VERIFY, DEEP, 3, 49);
}

/* A list whose cells share a descriptor that nothing else refers to, while it is collected in steps. */
Test(descriptors, shared_by_many) {
    const char *text =
        "(module (rec (type $cell (descriptor $d) (struct (field $next (ref null $cell)))) "
        "  (type $d (describes $cell) (struct (field $v i32))))"
        " (func $sum (param $l (ref null $cell)) (result i32) (local $s i32)"
        "  (loop $again (if (ref.is_null (local.get $l)) (then (return (local.get $s))))"
        "   (local.set $s (i32.add (local.get $s)"
        "    (struct.get $d $v (ref.get_desc $cell (local.get $l)))))"
        "   (local.set $l (struct.get $cell $next (local.get $l))) (br $again)) (unreachable))"
        " (func (export \"f\") (param $n i32) (result i32) (local $l (ref null $cell))"
        "  (local $d (ref null (exact $d))) (local.set $d (struct.new $d (i32.const 3)))"
        "  (loop $again"
        "   (local.set $l (struct.new_desc $cell (local.get $l) (local.get $d)))"
        "   (local.set $n (i32.sub (local.get $n) (i32.const 1)))"
        "   (br_if $again (local.get $n)))"
        "  (local.set $d (ref.null none)) (drop (struct.new $d (i32.const 0)))"
        "  (call $sum (local.get $l))))";
    expect_i32(STRICT, text, 300, 900);
    expect_i32(WR_GC_STEPS | WR_GC_VERIFY, text, 3000, 9000);
    expect_i32(WR_GC_VERIFY, text, 1000000, 3000000);
}

/* Operands and locals of exact types below a call are roots; so are descriptors in tables, globals and
 * fields. */
Test(descriptors, exact_types_are_roots) {
    expect_i32(STRICT,
               SHAPES " (table $t 2 (ref null (exact $class)))"
                      " (global $g (mut (ref null (exact $square))) (ref.null none))"
                      " (type $box (struct (field (ref (exact $class)))))"
                      " (func (export \"f\") (param i32) (result i32)"
                      "  (local $c (ref null (exact $class))) (local $b (ref null (exact $box)))"
                      "  (local.set $c (call $new_class (i32.const 1)))"
                      "  (table.set $t (i32.const 1) (call $new_class (i32.const 2)))"
                      "  (global.set $g (call $new_square (i32.const 9) (i32.const 4)))"
                      "  (local.set $b (struct.new $box (call $new_class (i32.const 8))))"
                      "  (call $new_class (i32.const 16))"
                      "  (drop (call $new_class (i32.const 0)))"
                      "  (i32.add (struct.get $class $n) (i32.add (i32.add"
                      "    (struct.get $class $n (local.get $c))"
                      "    (struct.get $class $n (table.get $t (i32.const 1))))"
                      "   (i32.add (struct.get $class $n (ref.get_desc $square (global.get $g)))"
                      "    (struct.get $class $n (struct.get $box 0 (local.get $b))))))))",
               0, 31);
}

Test(descriptors, constant_expressions) {
    expect_i32(
        STRICT,
        "(module (rec (type $a (descriptor $b) (struct (field i32) (field v128)))"
        "  (type $b (describes $a) (descriptor $c) (struct (field i64) (field i32)))"
        "  (type $c (describes $b) (struct (field i32))))"
        " (global $g (ref (exact $a)) (struct.new_desc $a (i32.const 1) (v128.const i64x2 2 3)"
        "  (struct.new_desc $b (i64.const 4) (i32.const 5) (struct.new $c (i32.const 6)))))"
        " (table $t 1 (ref null $a) (struct.new_default_desc $a"
        "  (struct.new_default_desc $b (struct.new $c (i32.const 10)))))"
        " (func $both (param (ref $a)) (result i32) (i32.add"
        "  (struct.get $b 1 (ref.get_desc $a (local.get 0)))"
        "  (struct.get $c 0 (ref.get_desc $b (ref.get_desc $a (local.get 0))))))"
        " (func (export \"f\") (param i32) (result i32) (i32.add (call $both (global.get $g))"
        "  (call $both (ref.as_non_null (table.get $t (i32.const 0)))))))",
        0, 21);
}

/* Fields are where a subtype's are, whatever their widths, and large objects have descriptors, too. */
Test(descriptors, fields_of_all_widths) {
    expect_i32(STRICT,
               SHAPES " (func (export \"f\") (param i32) (result i32) (local $c (ref null $class))"
                      "  (local $m (ref null $meta))"
                      "  (local.set $c (ref.get_desc $square (call $new_cube (i32.const 2))))"
                      "  (struct.set $class $n (local.get $c) (i32.const 1000))"
                      "  (local.set $m (ref.get_desc $class (local.get $c)))"
                      "  (struct.set $meta $w (local.get $m) (v128.const i64x2 300 20))"
                      "  (drop (call $new_class (i32.const 0)))"
                      "  (i32.add (struct.get $class $n (local.get $c)) (i32.add"
                      "   (i31.get_s (ref.cast (ref i31) (struct.get $cube.class $name"
                      "    (ref.cast (ref $cube.class) (local.get $c)))))"
                      "   (i32.wrap_i64 (i64.add"
                      "    (i64x2.extract_lane 0 (struct.get $meta $w (local.get $m)))"
                      "    (i64x2.extract_lane 1 (struct.get $meta $w (local.get $m))))))))"
                      ")",
               0, 1323);
}

Test(descriptors, of_large_objects) {
    static char text[100000];
    char *p = text + sprintf(text, "(module (rec (type $a (descriptor $b) (struct");
    for (int i = 0; i < 2500; i++) p += sprintf(p, " (field i32)");
    sprintf(p, ")) (type $b (describes $a) (struct (field i32))))"
               " (func (export \"f\") (param i32) (result i32) (struct.get $b 0"
               "  (ref.get_desc $a (struct.new_default_desc $a (struct.new $b (local.get 0)))))))");
    expect_i32(STRICT, text, 17, 17);
}

/* ---- casts ---- */

/* The bits of what matches: a square 1, a cube 2, a shape 4. */
Test(descriptors, types_of_described_objects) {
    static const struct {
        const char *type;
        int32_t bits;
    } rows[] = {
        {"$shape", 7},
        {"$square", 3},
        {"$cube", 2},
        {"struct", 7},
        {"eq", 7},
        {"any", 7},
        {"array", 0},
        {"i31", 0},
        {"none", 0},
        {"(exact $shape)", 4},
        {"(exact $cube)", 2},
        {"(exact $square)", 1},
        {"$class", 0},
        {"(exact $class)", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static char text[8192];
        const char *t = rows[i].type;
        snprintf(text, sizeof text,
                 "%s (func $all (param $x anyref) (param $y anyref) (param $z anyref) (result i32)"
                 "  (i32.or (ref.test (ref %s) (local.get $x)) (i32.or"
                 "   (i32.shl (ref.test (ref %s) (local.get $y)) (i32.const 1))"
                 "   (i32.shl (ref.test (ref %s) (local.get $z)) (i32.const 2)))))"
                 " (func (export \"f\") (param i32) (result i32) (call $all"
                 "  (call $new_square (i32.const 1) (i32.const 2)) (call $new_cube (i32.const 3))"
                 "  (struct.new $shape (i32.const 4)))))",
                 SHAPES, t, t, t);
        expect_i32(STRICT, text, 0, rows[i].bits);
    }
}

/* A call through the descriptor, of a method that knows the type without a descriptor. */
Test(descriptors, methods) {
    expect_i32(0,
               SHAPES " (func $area (param $s (ref $square)) (result i32) (call_ref $area"
                      "  (local.get $s) (struct.get $class $area"
                      "   (ref.get_desc $square (local.get $s)))))"
                      " (func (export \"f\") (param i32) (result i32) (i32.add"
                      "  (call $area (call $new_square (local.get 0) (i32.const 0)))"
                      "  (call $area (call $new_cube (local.get 0))))))",
               5, 25 + 150);
}

#define SQUARE_AND_CLASS                                                                           \
    "(param i32) (result i32) (local $s (ref null (exact $square)))"                               \
    " (local $d (ref null (exact $class)))"                                                        \
    " (local.set $d (call $new_class (i32.const 1)))"                                              \
    " (local.set $s (struct.new_default_desc $square (local.get $d)))"

/* "branch" gives 1 if the cast succeeds, "branch_fail" too, "cast" or traps. An operand below the
 * label's values goes, and the one that is the label's stays. */
static wr_instance_t *cast_instance(Bench *b, const char *value, const char *type,
                                    const char *descriptor) {
    static char text[8192];
    snprintf(text, sizeof text,
             SHAPES " (type $words (array (mut i64)))"
                    " (func (export \"branch\") " SQUARE_AND_CLASS
                    "  (block $out (result i32 anyref) (i64.const 1) (i32.const 10)"
                    "   (br_on_cast_desc_eq $out anyref %s %s %s)"
                    "   (drop) (drop) (drop) (return (i32.const 0)))"
                    "  (drop) (i32.sub (i32.const 9)))"
                    " (func (export \"branch_fail\") " SQUARE_AND_CLASS
                    "  (block $out (result i32 anyref) (i64.const 1) (i32.const 9)"
                    "   (br_on_cast_desc_eq_fail $out anyref %s %s %s)"
                    "   (drop) (drop) (drop) (return (i32.const 1)))"
                    "  (drop) (i32.sub (i32.const 9)))"
                    " (func (export \"cast\") " SQUARE_AND_CLASS
                    "  (drop (ref.cast_desc_eq %s %s %s)) (i32.const 1)))",
             type, value, descriptor, type, value, descriptor, type, value, descriptor);
    return text_instance(b, text);
}

/* Only the same descriptor will do, not an equal one; null is nobody's. */
Test(descriptors, casts_compare_identity) {
    static const struct {
        const char *value, *type, *descriptor;
        int32_t result;
    } rows[] = {
        {"(local.get $s)", "(ref $square)", "(ref.get_desc $square (local.get $s))", 1},
        {"(local.get $s)", "(ref (exact $square))", "(local.get $d)", 1},
        {"(local.get $d)", "(ref $class)", "(ref.get_desc $class (local.get $d))", 1},
        {"(ref.null none)", "(ref null $square)", "(local.get $d)", 1},
        {"(ref.null none)", "(ref $square)", "(local.get $d)", 0},
        {"(local.get $s)", "(ref $square)", "(call $new_class (i32.const 1))", 0},
        {"(local.get $s)", "(ref $square)", "(ref.get_desc $square (call $new_cube (local.get 0)))",
         0},
        {"(call $new_cube (i32.const 1))", "(ref $square)", "(local.get $d)", 0},
        {"(struct.new $shape (i32.const 1))", "(ref $square)", "(local.get $d)", 0},
        {"(ref.i31 (i32.const 4))", "(ref $square)", "(local.get $d)", 0},
        {"(local.get $d)", "(ref $square)", "(local.get $d)", 0},
        {"(array.new_default $words (i32.const 1))", "(ref null $square)", "(local.get $d)", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Bench b = gc_bench(STRICT);
        wr_instance_t *instance =
            cast_instance(&b, rows[i].value, rows[i].type, rows[i].descriptor);
        cr_assert_eq(get_i32(&b, instance, "branch", 0), rows[i].result, "row %zu", i);
        cr_assert_eq(get_i32(&b, instance, "branch_fail", 0), rows[i].result, "row %zu", i);
        wr_error_t *error = call_i32(&b, instance, "cast", 0, NULL);
        if (rows[i].result)
            must(error);
        else
            must_trap(error, WR_TRAP_DESCRIPTOR_CAST_FAILURE);
        bench_delete(&b);
    }
}

/* A null descriptor traps, whatever is cast. */
Test(descriptors, null_descriptors) {
    static const char *const values[] = {"(local.get $s)", "(ref.null none)"};
    static const char *const names[] = {"branch", "branch_fail", "cast"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        Bench b = gc_bench(STRICT);
        wr_instance_t *instance =
            cast_instance(&b, values[i], "(ref null $square)", "(ref.null none)");
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            must_trap(call_i32(&b, instance, names[k], 0, NULL), WR_TRAP_NULL_DESCRIPTOR_REFERENCE);
        bench_delete(&b);
    }
    expect_trap(SHAPES " (func (export \"f\") (param i32) (drop"
                       "  (struct.new_default_desc $square (ref.null none)))))",
                WR_TRAP_NULL_DESCRIPTOR_REFERENCE);
    expect_trap(SHAPES " (func (export \"f\") (param i32) (drop"
                       "  (ref.get_desc $square (ref.null none)))))",
                WR_TRAP_NULL_REFERENCE);
}

static wr_error_t *give_value(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    slots[0].ref = *(uint64_t *)context;
    return NULL;
}

/* Values of the host's, in the hierarchy of objects, have no descriptor. */
Test(descriptors, host_values) {
    Bench b = gc_bench(STRICT);
    uint64_t value;
    must(wr_extern_new(b.store, &b, &value));
    must(wr_linker_define_func(b.linker, "h", "f", ">e", give_value, &value, NULL));
    wr_instance_t *i = text_instance(
        &b, "(module (rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct)))"
            " (import \"h\" \"f\" (func $h (result externref)))"
            " (func (export \"f\") (param i32) (drop (ref.cast_desc_eq (ref $a)"
            "  (any.convert_extern (call $h)) (struct.new $b))))"
            " (func (export \"g\") (result (ref (exact $a))) (struct.new_desc $a (struct.new $b)))"
            " (func (export \"h\") (param (ref (exact $a))) (result i32)"
            "  (ref.test (ref (exact $b)) (ref.get_desc $a (local.get 0)))))");
    must_trap(call_i32(&b, i, "f", 0, NULL), WR_TRAP_DESCRIPTOR_CAST_FAILURE);
    wr_val_t made, result;
    must(wr_func_call(b.store, wr_instance_func(i, "g"), NULL, 0, &made, 1));
    cr_assert_eq(made.kind, WR_ANYREF);
    must(wr_func_call(b.store, wr_instance_func(i, "h"), &made, 1, &result, 1));
    cr_assert_eq(result.of.i32, 1);
    made.of.ref = 0;
    must_fail(wr_func_call(b.store, wr_instance_func(i, "h"), &made, 1, &result, 1), WR_ERROR_USAGE,
              "");
    bench_delete(&b);
}

/* Loops over such branches end when the fuel does. */
Test(descriptors, branches_cost_fuel) {
    Bench b = gc_bench(0);
    wr_instance_t *i =
        text_instance(&b, SHAPES " (func (export \"f\") (param i32) (local $s (ref null $square))"
                                 "  (local.set $s (call $new_square (i32.const 1) (i32.const 2)))"
                                 "  (loop $again (param) (result)"
                                 "   (block $out (result anyref)"
                                 "    (br_on_cast_desc_eq $out anyref (ref $square) (local.get $s)"
                                 "     (ref.get_desc $square (local.get $s))) (return))"
                                 "   (drop) (br $again))))");
    wr_store_set_fuel(b.store, 100000);
    must_trap(call_i32(&b, i, "f", 0, NULL), WR_TRAP_OUT_OF_FUEL);
    bench_delete(&b);
}

/* Pauses before a branch leave its descriptor where it was: to go on, and for the collector. */
static int32_t run_in_slices(Bench *b, wr_instance_t *i, uint64_t slice) {
    wr_val_t arg = i32_val(50), result = {0};
    wr_call_t *paused;
    wr_store_set_fuel(b->store, slice);
    must(wr_call_start(b->store, wr_instance_func(i, "f"), &arg, 1, &result, 1, &paused));
    while (paused) {
        wr_store_collect(b->store);
        wr_store_add_fuel(b->store, slice);
        must(wr_call_resume(paused, &result, 1, &paused));
    }
    return result.of.i32;
}

Test(descriptors, pauses_at_branches) {
    Bench b = gc_bench(WR_GC_VERIFY);
    wr_instance_t *i = text_instance(
        &b, SHAPES " (func (export \"f\") (param $n i32) (result i32) (local $s (ref null $square))"
                   "  (local $sum i32)"
                   "  (loop $again"
                   "   (local.set $s (call $new_square (i32.const 3) (local.get $n)))"
                   "   (local.set $sum (block $yes (result i32 (ref null $square)) (i64.const 0)"
                   "    (i32.add (local.get $sum) (i32.const 5))"
                   "    (br_on_cast_desc_eq $yes anyref (ref null $square) (local.get $s)"
                   "     (ref.get_desc $square (local.get $s))) (unreachable))"
                   "    (drop (struct.get $square $a)))"
                   "   (local.set $sum (block $no (result i32 anyref) (i64.const 0)"
                   "    (i32.add (local.get $sum) (i32.const 2))"
                   "    (br_on_cast_desc_eq_fail $no anyref (ref $square) (local.get $s)"
                   "     (call $new_class (local.get $n))) (unreachable))"
                   "    (drop))"
                   "   (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
                   "  (local.get $sum)))");
    for (uint64_t slice = 10; slice < 200; slice++)
        cr_assert_eq(run_in_slices(&b, i, slice), 350, "slices of %u", (unsigned)slice);
    bench_delete(&b);
}

/* ---- linking ---- */

Test(descriptors, exact_imports) {
    Bench b = gc_bench(0);
    wr_instance_t *i;
    const char *types =
        "(type $super (sub (func (param i32)))) (type $sub (sub $super (func (param i32))))";
    char text[1000];
    snprintf(text, sizeof text, "(module %s (func (export \"f\") (type $sub)))", types);
    text_define(&b, "m", text);
    snprintf(text, sizeof text,
             "(module %s (import \"m\" \"f\" (func (type $super)))"
             " (func (export \"g\") (import \"m\" \"f\") (exact (type $sub) (param i32))))",
             types);
    text_define(&b, "n", text);
    snprintf(text, sizeof text, "(module %s (import \"n\" \"g\" (func (exact (type $sub)))))",
             types);
    text_instance(&b, text);
    snprintf(text, sizeof text, "(module %s (import \"m\" \"f\" (func (exact (type $super)))))",
             types);
    must_fail(try_text(&b, text, &i), WR_ERROR_UNLINKABLE,
              "incompatible import type: function \"m\" \"f\": expected exactly [i32] -> [], "
              "found [i32] -> []");
    bench_delete(&b);
}

/* One module's descriptors describe another one's objects, by canonical types. */
Test(descriptors, across_modules) {
    Bench b = gc_bench(STRICT);
    text_define(&b, "m",
                "(module (rec (type $a (descriptor $b) (struct (field i32)))"
                "  (type $b (describes $a) (struct (field (mut i32)))))"
                " (global (export \"b\") (ref (exact $b)) (struct.new $b (i32.const 30)))"
                " (func (export \"is\") (param (ref null $a) (ref null $b)) (result i32)"
                "  (block $no (result anyref)"
                "   (br_on_cast_desc_eq_fail $no anyref (ref $a) (local.get 0) (local.get 1))"
                "   (return (struct.get $a 0)))"
                "  (drop) (i32.const -1)))");
    wr_instance_t *i = text_instance(
        &b, "(module (type $other (func)) (rec (type $x (descriptor $y) (struct (field i32)))"
            "  (type $y (describes $x) (struct (field (mut i32)))))"
            " (import \"m\" \"b\" (global $b (ref (exact $y))))"
            " (import \"m\" \"is\" (func $is (param (ref null $x) (ref null $y)) (result i32)))"
            " (func (export \"f\") (param i32) (result i32) (i32.add"
            "  (call $is (struct.new_desc $x (local.get 0) (global.get $b)) (global.get $b))"
            "  (call $is (struct.new_desc $x (local.get 0) (struct.new $y (i32.const 30)))"
            "   (global.get $b)))))");
    cr_assert_eq(get_i32(&b, i, "f", 5), 4);
    bench_delete(&b);
}

/* ---- the feature ---- */

/* Without it, all of the proposal's syntax is refused; and br_on_cast goes down only. */
Test(descriptors, turned_off) {
    static const struct {
        const char *fields, *message;
    } rows[] = {
        {"(rec (type (descriptor 1) (struct)) (type (describes 0) (struct)))",
         "malformed definition type: the custom-descriptors feature is disabled"},
        {"(type $a (struct)) (global (ref null (exact $a)) (ref.null $a))",
         "malformed heap type: the custom-descriptors feature is disabled"},
        {"(import \"\" \"\" (func (exact)))",
         "malformed import kind: the custom-descriptors feature is disabled"},
        {"(type $a (struct)) (func (drop (ref.get_desc $a (unreachable))))",
         "illegal opcode: the custom-descriptors feature is disabled"},
        {"(func (result anyref) (br_on_cast 0 structref arrayref (unreachable)))", "type mismatch"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Bench on = gc_bench(0), off = bench_new(NULL);
        char text[300];
        snprintf(text, sizeof text, "(module %s)", rows[i].fields);
        TextOptions options = {.alloc = &wr_alloc_system};
        u8 *bytes = NULL;
        size_t size = 0;
        must(wr_text_to_binary(&options, text, strlen(text), "test", &bytes, &size));
        wr_error_t *error = wr_module_validate(off.engine, bytes, size);
        cr_assert_not_null(error, "%s", text);
        cr_assert_eq(strncmp(wr_error_message(error), rows[i].message, strlen(rows[i].message)), 0,
                     "%s", wr_error_message(error));
        wr_error_delete(error);
        error = wr_module_validate(on.engine, bytes, size);
        cr_assert(error == NULL || strstr(wr_error_message(error), "disabled") == NULL);
        wr_error_delete(error);
        wr_free(&wr_alloc_system, bytes, size);
        bench_delete(&on);
        bench_delete(&off);
    }
}
