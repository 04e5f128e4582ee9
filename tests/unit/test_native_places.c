/*
 * test_native_places.c - a trap of compiled code is where it is when interpreted, whatever computes with what is loaded: LLVM takes
 * loads into the instructions that use them, and out again (aot/compiler/places.h). With the fuel that is left then.
 */
#define _DEFAULT_SOURCE
#include "native_run.h"

TestSuite(native_places, .fini = forget_made);

#define MEMORY 65536

typedef struct Operation {
    const char *type, *text;
} Operation;

/* clang-format off */
static const Operation operations[] = {
    {"i32", "i32.add"}, {"i32", "i32.sub"}, {"i32", "i32.mul"}, {"i32", "i32.and"}, {"i32", "i32.or"},
    {"i32", "i32.xor"}, {"i32", "i32.shl"}, {"i32", "i32.shr_s"}, {"i32", "i32.rotl"}, {"i32", "i32.lt_s"},
    {"i64", "i64.add"}, {"i64", "i64.sub"}, {"i64", "i64.mul"}, {"i64", "i64.and"}, {"i64", "i64.or"},
    {"i64", "i64.xor"}, {"i64", "i64.shl"}, {"i64", "i64.shr_u"}, {"i64", "i64.rotr"},
    {"f32", "f32.add"}, {"f32", "f32.sub"}, {"f32", "f32.mul"}, {"f32", "f32.div"}, {"f32", "f32.min"},
    {"f32", "f32.copysign"}, {"f32", "f32.ge"},
    {"f64", "f64.add"}, {"f64", "f64.sub"}, {"f64", "f64.mul"}, {"f64", "f64.div"}, {"f64", "f64.max"},
    {"f64", "f64.copysign"}, {"f64", "f64.eq"},
    {"v128", "v128.and"}, {"v128", "v128.or"}, {"v128", "v128.xor"}, {"v128", "v128.andnot"},
    {"v128", "i8x16.add"}, {"v128", "i16x8.mul"}, {"v128", "i32x4.mul"}, {"v128", "i64x2.sub"},
    {"v128", "i8x16.min_u"}, {"v128", "i16x8.max_s"}, {"v128", "i8x16.sub_sat_u"}, {"v128", "i8x16.avgr_u"},
    {"v128", "f32x4.mul"}, {"v128", "f64x2.sub"}, {"v128", "f32x4.pmin"}, {"v128", "i32x4.gt_s"},
    {"v128", "i32x4.dot_i16x8_s"}, {"v128", "i16x8.narrow_i32x4_s"}, {"v128", "i16x8.q15mulr_sat_s"},
    {"v128", "i8x16.swizzle"}, {"v128", "f32x4.ne"}, {"v128", "i64x2.extmul_low_i32x4_u"},
    {"v128", "i32x4.extmul_high_i16x8_s"},
    {"v128", "i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23"},
    {"v128", "i8x16.shuffle 1 31 19 2 3 7 29 30 0 0 16 5 5 4 3 2"},
    {"v128", "v128.bitselect (v128.load (i32.const 32))"},
    {"v128", "f32x4.relaxed_madd (v128.load (i32.const 32))"},
    {"v128", "f64x2.relaxed_nmadd (v128.load (i32.const 32))"},
};
/* clang-format on */

static const Operation constants[] = {
    {"i32", "i32.const 77"},   {"i64", "i64.const 0x123456789ABCDEF0"}, {"f32", "f32.const 1.25"},
    {"f64", "f64.const 3.75"}, {"v128", "v128.const i32x4 1 2 3 4"},
};

static bool compares(const char *operation) {
    static const char *const scalar[] = {"i32.lt_s", "f32.ge", "f64.eq"};
    for (u32 i = 0; i < ARRAY_LEN(scalar); i++)
        if (strcmp(operation, scalar[i]) == 0) return true;
    return false;
}

static char text[60000];
static size_t size;

#define WRITE(...) (size += (size_t)snprintf(text + size, sizeof text - size, __VA_ARGS__))

/* Multiplied right before the load: a neighbour that the trap must not be at. */
#define LOADED "(%s.load offset=8 (i32.mul (local.get 0) (i32.const 37)))"
#define OTHER "(%s.load (i32.const 16))"

/* The other operand is needed again, */
static void write_operation(u32 n) {
    const char *type = operations[n].type, *op = operations[n].text;
    WRITE(" (func (export \"o%u\") (param i32) (result i32) (local $x %s)"
          "  (local.set $x " OTHER ")"
          "  (%s.store (i32.const 0) (%s (local.get $x) " LOADED "))"
          "  (%s.store (i32.const 48) (local.get $x))"
          "  (i32.load (i32.const 0)))",
          n, type, type, compares(op) ? "i32" : type, op, type, type);
}

/* and in the next iteration of a loop. */
static void write_loop(u32 n) {
    const char *type = operations[n].type, *op = operations[n].text;
    WRITE(" (func (export \"l%u\") (param i32) (result i32) (local $x %s) (local $n i32)"
          "  (local.set $x " OTHER ")"
          "  (loop $again (%s.store (i32.const 0) (%s " LOADED " (local.get $x)))"
          "   (%s.store (i32.const 48) (local.get $x))"
          "   (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))"
          "    (i32.const 3))))"
          "  (i32.load (i32.const 0)))",
          n, type, type, compares(op) ? "i32" : type, op, type, type);
}

/* What was loaded is chosen, or a constant that is needed again. */
static void write_choice(u32 n) {
    const char *type = constants[n].type, *constant = constants[n].text;
    WRITE(" (func (export \"c%u\") (param i32) (result i32)"
          "  (%s.store (i32.const 48) (%s))"
          "  (%s.store (i32.const 0) (select " LOADED " (%s)"
          "   (i32.and (local.get 0) (i32.const 4))))"
          "  (%s.store (i32.const 64) (%s))"
          "  (i32.load (i32.const 0)))",
          n, type, constant, type, type, constant, type, constant);
}

/* An address is made of what was loaded. */
static void write_address(void) {
    WRITE(" (func (export \"a0\") (param i32) (result i32)"
          "  (i32.store16 offset=35 (i32.and " LOADED " (i32.const 0xFFC0)) (local.get 0))"
          "  (i32.load (i32.const 0)))",
          "i32");
}

/* Of the other operand the lower half is all that matters. */
static void write_half(void) {
    WRITE(" (func (export \"h0\") (param i32) (result i32) (local $x i64)"
          "  (local.set $x " OTHER ")"
          "  (i64.store (i32.const 0) (i64.and (local.get $x)"
          "   (i64.load32_u offset=8 (i32.mul (local.get 0) (i32.const 37)))))"
          "  (i64.store (i32.const 48) (local.get $x))"
          "  (i32.load (i32.const 0)))",
          "i64");
}

static void write_module(void) {
    size = 0;
    WRITE("(module (memory 1) (data (i32.const 16) "
          "\"\\01\\23\\45\\67\\89\\ab\\cd\\3f\\12\\34\\40\")");
    for (u32 n = 0; n < ARRAY_LEN(operations); n++) {
        write_operation(n);
        write_loop(n);
    }
    for (u32 n = 0; n < ARRAY_LEN(constants); n++) write_choice(n);
    write_address();
    write_half();
    WRITE(")");
    cr_assert_lt(size, sizeof text);
}

/* Operations, loops, choices, the address, or the half. */
static char letter;

static u32 functions(void) {
    if (letter == 'a' || letter == 'h') return 1;
    return letter == 'c' ? ARRAY_LEN(constants) : ARRAY_LEN(operations);
}

static void call_all(Run *r) {
    static const i32 arguments[] = {3, 1771, 2004};
    wr_instance_t *i = add(r, "m", text);
    for (u32 n = 0; n < functions(); n++)
        for (u32 a = 0; a < ARRAY_LEN(arguments); a++) {
            char name[8];
            (void)snprintf(name, sizeof name, "%c%u", letter, (unsigned)n);
            if (way.fuel) wr_store_set_fuel(r->b.store, 10000);
            call(r, i, name, arguments[a]);
            if (way.fuel) SAY(r->seen, "left %lld\n", (long long)fuel_left(r));
        }
}

static void compare_all(void) {
    write_module();
    for (const char *p = "olcah"; *p != 0; p++) {
        letter = *p;
        run_all(call_all, 0, 1);
    }
}

Test(native_places, of_operands_in_memory) { compare_all(); }

Test(native_places, of_operands_in_memory_without_polls) {
    way.without_polls = true;
    compare_all();
    way.without_polls = false;
}

Test(native_places, of_operands_in_memory_with_fuel) {
    way.fuel = true;
    compare_all();
    way.fuel = false;
}
