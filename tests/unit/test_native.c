/*
 * Compiled code beside interpreted code: whichever modules of a program are compiled, it gives the same results, traps,
 * exceptions and backtraces, and its objects live. Every program runs once for each choice of
 * modules to compile, and the bodies of all are validated when they are needed; what it did, as text, must be what it
 * does when all are interpreted. Needs wasmrun-aot.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "prepare.h"
#include "store.h"
#include "text_support.h"

/* ---- programs of several modules ------------------------------------------------------------ */

/* What is seen of a run. */
typedef struct Seen {
    char text[20000];
    size_t size;
} Seen;

#define SAY(seen, ...)                                                                             \
    ((seen)->size += (size_t)snprintf((seen)->text + (seen)->size,                                 \
                                      sizeof(seen)->text - (seen)->size, __VA_ARGS__))

typedef struct Run {
    Bench b;
    unsigned compiled; /* bit i: the i-th module that is made is compiled */
    unsigned made;
    Seen *seen;
} Run;

static bool compiled_without_polls, compiled_with_fuel, compiled_to_spill;

static void write_temporary(char *path, const u8 *bytes, size_t size) {
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    FILE *f = fdopen(fd, "wb");
    cr_assert(f && fwrite(bytes, 1, size, f) == size);
    cr_assert_eq(fclose(f), 0);
}

/* What the compiler has made: programs run many times. */
typedef struct Made {
    NativeOptions options;
    u8 *module, *bytes;
    size_t module_size, size;
} Made;

static Made made[64];
static size_t nmade;

static bool is_made_of(const Made *m, const Module *module, NativeOptions options) {
    return memcmp(&m->options, &options, sizeof options) == 0 && m->module_size == module->size &&
           memcmp(m->module, module->bytes, module->size) == 0;
}

static Made make(wr_module_t *module, NativeOptions options) {
    CompileRequest request = {.options = options, .threads = 1};
    CompileStats stats;
    Made m = {.options = options, .module_size = module->size};
    must(wr_aot_compile(module, &request, &m.bytes, &m.size, &stats));
    cr_assert_eq(stats.left_out, 0);
    m.module = malloc(module->size);
    cr_assert_not_null(m.module);
    memcpy(m.module, module->bytes, module->size);
    return m;
}

static const Made *find_or_make(wr_module_t *module, NativeOptions options) {
    size_t i = 0;
    while (i < nmade && !is_made_of(&made[i], module, options)) i++;
    cr_assert_lt(i, ARRAY_LEN(made));
    if (i == nmade) made[nmade++] = make(module, options);
    return &made[i];
}

static void forget_made(void) {
    for (; nmade > 0; nmade--) {
        free(made[nmade - 1].module);
        wr_free(&wr_alloc_system, made[nmade - 1].bytes, made[nmade - 1].size);
    }
}

TestSuite(native, .fini = forget_made);

/* The module once more, with code, as it comes from a file; the old one goes. The engine's allocator is the system's. */
static wr_module_t *compile(wr_module_t *module) {
    char path[] = "native-XXXXXX";
    NativeOptions options = wr_aot_options(module->engine);
    options.polled = !compiled_without_polls;
    options.fuel = compiled_with_fuel;
    options.migratable = compiled_to_spill;
    const Made *code = find_or_make(module, options);
    wr_module_t *compiled;
    write_temporary(path, code->bytes, code->size);
    must(wr_artifact_open(module->engine, path, &compiled));
    cr_assert_eq(remove(path), 0);
    cr_assert_not_null(compiled->lazy, "the compiler has validated it");
    wr_module_delete(module);
    return compiled;
}

/* Instantiates a module and defines it under a name for the later ones. */
static wr_instance_t *add(Run *r, const char *name, const char *text) {
    bool is_compiled = r->compiled >> r->made++ & 1;
    wr_module_t *module =
        r->compiled != 0 ? lazy_text_module(&r->b, text) : text_module(&r->b, text);
    if (is_compiled) module = compile(module);
    wr_instance_t *instance = NULL;
    must(wr_linker_instantiate(r->b.linker, r->b.store, module, &instance));
    must(wr_linker_define_instance(r->b.linker, name, instance));
    for (u32 i = 0; i < ((Module *)module)->ncodes; i++)
        cr_assert_eq(instance->own_funcs[i].native_code != NULL, is_compiled);
    wr_module_delete(module);
    return instance;
}

static bool without_frames;

static void say_error(Run *r, const wr_error_t *error) {
    SAY(r->seen, "%s\n", wr_error_message(error));
    if (without_frames) return;
    for (size_t i = 0; i < wr_error_frame_count(error); i++) {
        wr_frame_t f;
        if (!wr_error_frame(error, i, &f)) continue;
        SAY(r->seen, "  %zu: %s at %llu\n", i, f.function_name ? f.function_name : "?",
            (unsigned long long)f.module_offset);
    }
}

/* What was seen so far becomes a number. */
static void shorten(Seen *seen) {
    u64 hash = 0xCBF29CE484222325u;
    if (seen->size < sizeof seen->text / 2) return;
    for (size_t i = 0; i < seen->size; i++) hash = (hash ^ (u8)seen->text[i]) * 0x100000001B3u;
    seen->size = 0;
    SAY(seen, "before: %llx\n", (unsigned long long)hash);
}

static i64 fuel_left(const Run *r) { return ((const Store *)r->b.store)->fuel; }

/* How calls are made: at one go, or pausing, with `slice` of fuel at a time; pauses are counted. */
static u64 slice;
static size_t pauses;
static bool pauses_in_tail_calls; /* which may have been calls: frames are not compared */

/* Where a call pauses, why, and with what. */
static void say_pause(Run *r, const wr_call_t *paused) {
    pauses++;
    shorten(r->seen);
    wr_error_t *error = wr_call_backtrace(paused);
    SAY(r->seen, "left %lld: ", (long long)fuel_left(r));
    if (!pauses_in_tail_calls) say_error(r, error);
    wr_error_delete(error);
}

static wr_error_t *call_in_slices(Run *r, wr_instance_t *i, const char *name, int32_t arg,
                                  int32_t *result) {
    wr_val_t given = {.kind = WR_I32, .of.i32 = arg}, got = {0};
    wr_func_t *func = wr_instance_func(i, name);
    wr_call_t *paused;
    wr_store_set_fuel(r->b.store, slice);
    wr_error_t *error =
        wr_call_start(r->b.store, func, &given, wr_func_param_count(func), &got, 1, &paused);
    while (error == NULL && paused != NULL) {
        say_pause(r, paused);
        wr_store_add_fuel(r->b.store, slice);
        error = wr_call_resume(paused, &got, 1, &paused);
    }
    SAY(r->seen, "left %lld: ", (long long)fuel_left(r));
    *result = got.of.i32;
    return error;
}

/* Calls an export; says its result or how it ended. */
static void call(Run *r, wr_instance_t *i, const char *name, int32_t arg) {
    int32_t result = 0;
    wr_error_t *error = slice > 0 ? call_in_slices(r, i, name, arg, &result)
                                  : call_i32(&r->b, i, name, arg, &result);
    SAY(r->seen, "%s %d: ", name, arg);
    if (error)
        say_error(r, error);
    else
        SAY(r->seen, "%d\n", result);
    wr_error_delete(error);
}

typedef void Program(Run *r);

static void run_with(Program *program, u32 gc_debug, unsigned compiled, Seen *seen) {
    wr_config_t *config = wr_config_new();
    wr_config_set_gc_debug(config, gc_debug);
    Run r = {.b = bench_new(config), .compiled = compiled, .seen = seen};
    seen->size = 0;
    program(&r);
    bench_delete(&r.b);
}

static void run_all(Program *program, u32 gc_debug, unsigned modules) {
    static Seen interpreted, seen;
    run_with(program, gc_debug, 0, &interpreted);
    for (unsigned set = 1; set < 1u << modules; set++) {
        run_with(program, gc_debug, set, &seen);
        cr_assert_str_eq(seen.text, interpreted.text, "compiled: %x\n%s\ninterpreted:\n%s", set,
                         seen.text, interpreted.text);
    }
}

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

/* ---- several modules ------------------------------------------------------------------------ */

/* Three modules that call each other in turn, to a trap. */
static void mixed_traps(Run *r) {
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

Test(native, traps_through_mixed_frames) { run_all(mixed_traps, 0, 3); }

/* Parameters beyond those in registers, several results, vectors, references. */
static void mixed_values(Run *r) {
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

Test(native, all_kinds_of_values_pass) { run_all(mixed_values, 0, 2); }

/* Through a table whose elements the compiler knows, and through one that it does not: one's own functions and
 * others', none, and ones of another type. */
static void mixed_tables(Run *r) {
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
static void table_ranges(Run *r) {
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
static void broken_tables(Run *r) {
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
static void mixed_throws(Run *r) {
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

Test(native, calls_through_tables) { run_all(mixed_tables, 0, 3); }
Test(native, calls_through_ranges_of_tables) { run_all(table_ranges, 0, 2); }
Test(native, tables_that_a_failure_left) { run_all(broken_tables, 0, 2); }
Test(native, exceptions_through_mixed_frames) { run_all(mixed_throws, 0, 3); }

/* Lists that one module makes and another one reads, with a collection before every allocation. */
static void mixed_lists(Run *r) {
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

Test(native, objects_live_in_mixed_frames) {
    run_all(mixed_lists, WR_GC_STRESS | WR_GC_VERIFY, 2);
    run_all(mixed_lists, WR_GC_STEPS, 2);
}

/* ---- host functions between ----------------------------------------------------------------- */

/* Calls back what it was given by index, minus one; fails at 0. */
static wr_error_t *back(wr_caller_t *caller, void *context, wr_slot_t *slots) {
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

static void callbacks(Run *r) {
    must(wr_linker_define_func(r->b.linker, "host", "back", "i>i", back, NULL, NULL));
    wr_instance_t *i =
        add(r, "m",
            "(module (import \"host\" \"back\" (func $back (param i32) (result i32)))"
            " (func $f (export \"f\") (param i32) (result i32)"
            "  (if (i32.eq (local.get 0) (i32.const 2)) (then (return (i32.const 40))))"
            "  (i32.add (i32.const 1) (call $back (local.get 0)))))");
    for (int k = 0; k < 40; k += 3) call(r, i, "f", k);
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
    compiled_without_polls = true;
    run_all(stopping, 0, 1);
    compiled_without_polls = false;
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
    compiled_without_polls = true;
    stop_the_endless();
    compiled_without_polls = false;
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

/* ---- fuel ----------------------------------------------------------------------------------- */

/* With every amount up to what the call takes: how it ends, where, what is left and what was done until then. */
static void call_with_fuel(Run *r, wr_instance_t *i, const char *name, int32_t arg, u64 most) {
    if (slice > 0) { /* whatever the slice */
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
        without_frames = k < 3; /* a tail call may be a call and a return */
        call_with_fuel(r, a, "each", k, 200);
        without_frames = true;
        call_with_fuel(r, a, "tail", k, 200);
        without_frames = false;
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
Test(native, fuel_is_the_same) {
    compiled_with_fuel = true;
    run_all(fuel_branches, 0, 1);
    run_all(fuel_calls, 0, 2);
    run_all(fuel_throws, 0, 2);
    run_all(fuel_faults, 0, 1);
    run_all(fuel_vectors, 0, 1);
    compiled_with_fuel = false;
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
Test(native, calls_pause) {
    static const u64 slices[] = {1, 2, 3, 7, 23, 100, 1000, 20000};
    compiled_to_spill = compiled_with_fuel = true;
    for (size_t i = 0; i < ARRAY_LEN(slices); i++) {
        slice = slices[i];
        run_all(paused_turns, 0, 2);
        run_all(paused_hosts, 0, 1);
        run_all(spilled_values, 0, 1);
        run_all(spilled_clauses, 0, 1);
        run_all(fuel_branches, 0, 1);
        run_all(fuel_throws, 0, 2);
        pauses_in_tail_calls = true;
        run_all(fuel_faults, 0, 1);
        run_all(fuel_calls, 0, 2);
        pauses_in_tail_calls = false;
    }
    slice = 50;
    run_all(spilled_values, WR_GC_STRESS | WR_GC_VERIFY, 1);
    run_all(mixed_lists, WR_GC_STRESS | WR_GC_VERIFY, 2);
    cr_assert_gt(pauses, 10000);
    slice = 0;
    compiled_to_spill = compiled_with_fuel = false;
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

Test(native, calls_pause_when_interrupted) {
    compiled_to_spill = true;
    run_all(interrupted_calls, 0, 2);
    cr_assert_gt(pauses, 4);
    compiled_to_spill = false;
}

/* Code that counts fuel but cannot be written down: the call pauses, since all is interpreted from then on. */
Test(native, calls_pause_where_code_does_not) {
    slice = 100;
    compiled_with_fuel = true;
    run_all(paused_turns, 0, 2);
    slice = 0;
    compiled_with_fuel = false;
}

/* Whatever is compiled goes on in the interpreter from places that chance takes, and back at the next call. */
Test(native, frames_are_written_down) {
    static const char *const periods[] = {"1", "3"};
    compiled_to_spill = true;
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
        compiled_with_fuel = true;
        run_all(fuel_calls, 0, 2);
        run_all(fuel_throws, 0, 2);
        compiled_with_fuel = false;
    }
    compiled_to_spill = false;
    (void)unsetenv("WASMRUN_SPILL");
}
