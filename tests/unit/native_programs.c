/*
 * native_programs.c - see native_programs.h.
 */
#include "native_programs.h"

/* Three modules that call each other in turn, to a trap. */
void mixed_traps(Run *r) {
    wr_instance_t *c = add(r, "c",
                           "(module (func $c (export \"f\") (param i32) (result i32)"
                           " (i32.div_u (i32.const 100) (local.get 0))))");
    wr_instance_t *b =
        add(r, "b",
            "(module (import \"c\" \"f\" (func $f (param i32) (result i32)))"
            " (func $b (export \"f\") (param i32) (result i32)"
            "  (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 3))))))");
    wr_instance_t *a =
        add(r, "a",
            "(module (import \"b\" \"f\" (func $f (param i32) (result i32)))"
            " (func $a2 (param i32) (result i32) (i32.mul (i32.const 2) (call $f (local.get 0))))"
            " (func $a (export \"f\") (param i32) (result i32)"
            "  (i32.add (call $a2 (local.get 0)) (i32.const 1))))");
    call(r, a, "f", 13);
    call(r, a, "f", 3);
    call(r, b, "f", 3);
    call(r, c, "f", 0);
}

/* Parameters beyond those in registers, several results, vectors, references. */
void mixed_values(Run *r) {
#define MANY                                                                                       \
    "(param i32 i64 f32 f64 v128 i32 i64 f32 f64 v128 i32 i64 f32 f64 v128 i32 v128 i64 f32 "      \
    "externref i32) (result i64 v128 f32 externref i32)"
    add(r, "b",
        "(module (func (export \"many\") " MANY
        " (i64.add (local.get 1) (i64.add (local.get 6) (i64.add (local.get 11) (local.get 17))))"
        " (i32x4.add (i32x4.add (local.get 4) (local.get 9)) (i32x4.add (local.get 14)"
        "  (local.get 16)))"
        " (f32.add (local.get 2) (local.get 18)) (local.get 19)"
        " (i32.add (local.get 0) (i32.add (local.get 15) (local.get 20)))))");
    wr_instance_t *a = add(
        r, "a",
        "(module (import \"b\" \"many\" (func $many " MANY "))"
        " (func (export \"f\") (param i32) (result i32) (local f32 i32)"
        "  (local.get 0) (i64.const 2) (f32.const 3) (f64.const 4) (v128.const i32x4 5 6 7 8)"
        "  (i32.const 9) (i64.const 10) (f32.const 11) (f64.const 12) (v128.const i32x4 1 2 3 4)"
        "  (i32.const 13) (i64.const 14) (f32.const 15) (f64.const 16) (v128.const i32x4 9 8 7 6)"
        "  (i32.const 17) (v128.const i32x4 100 200 300 400) (i64.const 18) (f32.const 19)"
        "  (ref.null extern) (i32.const 20) (call $many)"
        "  (local.set 0) (drop (ref.is_null)) (local.set 1) (i32x4.extract_lane 2)"
        "  (i32.add (local.get 0)) (i32.add (i32.trunc_f32_s (local.get 1))) (local.set 2)"
        "  (i32.wrap_i64) (i32.add (local.get 2))))");
#undef MANY
    for (int k = 0; k < 5; k++) call(r, a, "f", k);
}

/* Through a table whose elements the compiler knows, and through one that it does not: one's own functions and
 * others', none, and ones of another type. */
void mixed_tables(Run *r) {
    static const char *const tables[] = {"(table 6 funcref)", "(table (export \"t\") 6 funcref)"};
    char text[2000];
    add(r, "a",
        "(module (func (export \"double\") (param i32) (result i32)"
        " (i32.mul (local.get 0) (i32.const 2)))"
        " (func (export \"fail\") (param i32) (result i32) (unreachable)))");
    for (size_t k = 0; k < ARRAY_LEN(tables); k++) {
        (void)snprintf(
            text, sizeof text,
            "(module (type $f (func (param i32) (result i32))) (type $g (func (param i32) (result "
            "i32)))"
            " (type $h (func (param i32)))"
            " (import \"a\" \"double\" (func $double (type $f)))"
            " (import \"a\" \"fail\" (func $fail (type $f))) %s"
            " (elem (i32.const 0) func $more $double $fail)"
            " (elem (i32.const 4) funcref (ref.func $none) (ref.func $most))"
            " (func $more (type $g) (i32.add (local.get 0) (i32.const 1)))"
            " (func $most (type $f) (return_call $more (local.get 0)))"
            " (func $none (type $h))"
            " (func (export \"call\") (type $f)"
            "  (i32.add (i32.const 100) (call_indirect (type $g) (local.get 0) (local.get 0))))"
            " (func (export \"tail\") (type $f)"
            "  (return_call_indirect (type $f) (local.get 0) (local.get 0))))",
            tables[k]);
        wr_instance_t *i = add(r, k ? "c" : "b", text);
        for (int32_t n = -1; n < 8; n++) {
            call(r, i, "call", n);
            call(r, i, "tail", n);
        }
    }
}

/* The same where elements of a type stand next to each other: several, one, and none. */
void table_ranges(Run *r) {
    static const char *const names[] = {"several", "several tail", "one", "one tail", "none"};
    add(r, "a",
        "(module (func (export \"double\") (param i32) (result i32)"
        " (i32.mul (local.get 0) (i32.const 2))))");
    wr_instance_t *i =
        add(r, "b",
            "(module (type $f (func (param i32) (result i32)))"
            " (type $g (func (param i32 i32) (result i32))) (type $h (func (result i32)))"
            " (import \"a\" \"double\" (func $double (type $f))) (table 7 funcref)"
            " (elem (i32.const 2) func $more $double $most $other)"
            " (func $more (type $f) (i32.add (local.get 0) (i32.const 1)))"
            " (func $most (type $f) (return_call $more (i32.const 50)))"
            " (func $other (type $g) (i32.sub (local.get 0) (local.get 1)))"
            " (func (export \"several\") (type $f)"
            "  (i32.add (i32.const 100) (call_indirect (type $f) (local.get 0) (local.get 0))))"
            " (func (export \"several tail\") (type $f)"
            "  (return_call_indirect (type $f) (local.get 0) (local.get 0)))"
            " (func (export \"one\") (type $f) (i32.add (i32.const 100)"
            "  (call_indirect (type $g) (local.get 0) (i32.const 3) (local.get 0))))"
            " (func (export \"one tail\") (type $f)"
            "  (return_call_indirect (type $g) (local.get 0) (i32.const 3) (local.get 0)))"
            " (func (export \"none\") (type $f) (call_indirect (type $h) (local.get 0))))");
    for (size_t k = 0; k < ARRAY_LEN(names); k++)
        for (int32_t n = -1; n < 9; n++) call(r, i, names[k], n);
}

/* The compiler must not take it for known what a segment that fails keeps from being written. */
void broken_tables(Run *r) {
    wr_instance_t *a =
        add(r, "a",
            "(module (type $f (func (param i32) (result i32))) (table (export \"t\") 1 funcref)"
            " (func (export \"call\") (type $f)"
            "  (call_indirect (type $f) (local.get 0) (i32.const 0))))");
    wr_module_t *module = text_module(
        &r->b,
        "(module (type $f (func (param i32) (result i32))) (import \"a\" \"t\" (table $t 1 "
        "funcref))"
        " (table $own 2 funcref) (elem (table $t) (i32.const 0) func $call)"
        " (elem (table $t) (i32.const 1) func $call)"
        " (elem (table $own) (i32.const 0) func $one $one)"
        " (func $one (type $f) (i32.const 1))"
        " (func $call (type $f) (call_indirect $own (type $f) (local.get 0) (local.get 0))))");
    if (r->compiled >> r->made++ & 1) module = compile(module);
    wr_instance_t *instance = NULL;
    must_trap(wr_linker_instantiate(r->b.linker, r->b.store, module, &instance),
              WR_TRAP_TABLE_OUT_OF_BOUNDS);
    call(r, a, "call", 0);
    wr_module_delete(module);
}

/* Throws in c, catches in b by one tag, in a by any. */
void mixed_throws(Run *r) {
    wr_instance_t *c =
        add(r, "c",
            "(module (tag $t (export \"t\") (param i32)) (tag $u)"
            " (func $c (export \"f\") (param i32) (result i32)"
            "  (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $t (i32.const 5))))"
            "  (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $u)))"
            "  (if (i32.eq (local.get 0) (i32.const 3)) (then unreachable))"
            "  (local.get 0)))");
    add(r, "b",
        "(module (import \"c\" \"f\" (func $f (param i32) (result i32)))"
        " (import \"c\" \"t\" (tag $t (param i32)))"
        " (func $b (export \"f\") (param i32) (result i32)"
        "  (block $h (result i32) (return (try_table (result i32) (catch $t $h)"
        "   (call $f (local.get 0)))))"
        "  (i32.add (i32.const 1000))))");
    wr_instance_t *a = add(r, "a",
                           "(module (import \"b\" \"f\" (func $f (param i32) (result i32)))"
                           " (func (export \"plain\") (param i32) (result i32)"
                           "  (i32.add (i32.const 1) (call $f (local.get 0))))"
                           " (func (export \"all\") (param i32) (result i32) (local i32 f64)"
                           "  (local.set 1 (i32.add (local.get 0) (i32.const 7)))"
                           "  (block $h (try_table (catch_all $h)"
                           "   (return (i32.add (i32.const 1) (call $f (local.get 0))))))"
                           "  (i32.sub (i32.const 0) (local.get 1))))");
    for (int k = 0; k < 5; k++) {
        call(r, c, "f", k);
        call(r, a, "plain", k);
        call(r, a, "all", k);
    }
}

/* Lists that one module makes and another one reads, with a collection before every allocation. */
void mixed_lists(Run *r) {
#define CELL "(type $cell (struct (field i32) (field (ref null $cell))))"
    add(r, "b",
        "(module " CELL " (func (export \"cons\") (param i32 (ref null $cell)) (result (ref $cell))"
        "  (struct.new $cell (local.get 0) (local.get 1))))");
    wr_instance_t *a = add(
        r, "a",
        "(module " CELL
        " (import \"b\" \"cons\" (func $cons (param i32 (ref null $cell)) (result (ref $cell))))"
        " (func $build (param $n i32) (result (ref null $cell)) (local $l (ref null $cell))"
        "  (block $out (loop $again (br_if $out (i32.eqz (local.get $n)))"
        "   (local.set $l (call $cons (local.get $n) (local.get $l)))"
        "   (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $again)))"
        "  (local.get $l))"
        " (func $sum (param $l (ref null $cell)) (result i32) (local $s i32)"
        "  (block $out (loop $again (br_if $out (ref.is_null (local.get $l)))"
        "   (local.set $s (i32.add (local.get $s) (struct.get $cell 0 (local.get $l))))"
        "   (local.set $l (struct.get $cell 1 (local.get $l))) (br $again)))"
        "  (local.get $s))"
        " (func $deep (export \"deep\") (param i32) (result i32) (local $l (ref null $cell))"
        "  (local.set $l (call $build (i32.const 3)))"
        "  (if (result i32) (local.get 0)"
        "   (then (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1)))"
        "    (call $sum (local.get $l))))"
        "   (else (call $sum (call $build (i32.const 20))))))"
        " (func (export \"sum\") (param i32) (result i32) (call $sum (call $build (local.get "
        "0)))))");
#undef CELL
    call(r, a, "sum", 200);
    call(r, a, "deep", 50);
    call(r, a, "sum", 3);
}

wr_error_t *back(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)context;
    wr_instance_t *i = wr_caller_instance(caller);
    int32_t n = (int32_t)slots[0].u32;
    slots[0].u64 = 0;
    if (n == 0) return wr_trap_new("no further");
    wr_val_t args[1] = {i32_val(n - 1)}, results[1];
    wr_error_t *error =
        wr_func_call(wr_caller_store(caller), wr_instance_func(i, "f"), args, 1, results, 1);
    if (error == NULL) slots[0].u64 = (u32)results[0].of.i32;
    return error;
}

void callbacks(Run *r) {
    must(wr_linker_define_func(r->b.linker, "host", "back", "i>i", back, NULL, NULL));
    wr_instance_t *i =
        add(r, "m",
            "(module (import \"host\" \"back\" (func $back (param i32) (result i32)))"
            " (func $f (export \"f\") (param i32) (result i32)"
            "  (if (i32.eq (local.get 0) (i32.const 2)) (then (return (i32.const 40))))"
            "  (i32.add (i32.const 1) (call $back (local.get 0)))))");
    for (int k = 0; k < 40; k += 3) call(r, i, "f", k);
}
