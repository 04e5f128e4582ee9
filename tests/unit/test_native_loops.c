/*
 * test_native_loops.c - loops over memory, compiled against interpreted: random ones, whose bounds, strides and offsets
 * lie where addresses wrap and memories end. What a call returns, where it traps, and the memory it leaves have
 * to be the same. So has the fuel that is left, where it is counted: with amounts that end within loops, too.
 *
 * WASMRUN_TEST_LOOPS="SEED MODULES" in the environment runs others, and more of them.
 */
#define _POSIX_C_SOURCE 200809L /* setenv */

#include "embed_support.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY 65536u /* bytes */
#define FUNCTIONS 24u /* in a module */
#define CALLS 24u     /* of each */

/* ---- chance ---- */

static u64 state;

static u32 chance(u32 below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (u32)((state >> 33) % below);
}
#define PICK(array) (array)[chance(ARRAY_LEN(array))]

/* ---- text ---- */

static char text[1 << 20];
static size_t length;

static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    length += (size_t)vsnprintf(text + length, sizeof text - length, format, arguments);
    va_end(arguments);
    cr_assert_lt(length, sizeof text);
}

/* ---- one loop ---- */

/* Locals: parameters $p $q $n $r; counter $i, pointer $s, sum $a, outer counter $j, what is left $k. */

static const u32 edges[] = {
    0,          1,          2,          3,          4,          7,          8,         16,    63,
    64,         100,        1000,       4096,       65528,      65532,      65535,     65536, 65540,
    0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8, 0xffff0000, 0xfffffff0, 0xffffff00};
static const i32 steps[] = {1, 1, 1, 1, 2, 3, 4, 8, 16, -1, -1, -4, -8, 5, 12, 1000, 4096};
static const u32 offsets[] = {0,  0,  0,     0,     0,     4,          8,
                              16, 24, 65520, 65535, 65536, 0x80000000, 0xffffffff};

static void address(void) {
    static const char *const roots[] = {"$p", "$q", "$r", "$s", "$s"};
    static const char *const indices[] = {"$i", "$i", "$i", "$s", "$j"};
    switch (chance(8)) {
    case 0: say("(local.get $s)"); break;
    case 1: say("(local.get $i)"); break;
    case 2: say("(i32.add (local.get %s) (local.get %s))", PICK(roots), PICK(indices)); break;
    case 3:
    case 4:
        say("(i32.add (local.get %s) (i32.shl (local.get %s) (i32.const %u)))", PICK(roots),
            PICK(indices), chance(5));
        break;
    case 5:
        say("(i32.add (local.get %s) (i32.mul (local.get %s) (i32.const %d)))", PICK(roots),
            PICK(indices), PICK(steps));
        break;
    case 6: say("(i32.sub (local.get %s) (local.get %s))", PICK(roots), PICK(indices)); break;
    default:
        say("(i32.add (local.get %s) (i32.const %d))", chance(2) ? "$s" : "$i",
            (int)chance(64) - 24);
    }
}

/* Seldom another one than the first. */
static const char *memory(void) { return chance(12) == 0 ? "$other" : ""; }

static u32 offset(void) { return chance(3) ? chance(40) : PICK(offsets); }

/* An i64. */
static void load(void) {
    static const char *const loads[] = {"i64.load",     "i64.load8_u",  "i64.load8_s",
                                        "i64.load16_u", "i64.load32_s", "i64.load32_u"};
    if (chance(6) == 0) {
        say("(i64.extend_i32_u (i32.load offset=%u ", offset());
        address();
        say("))");
        return;
    }
    say("(%s %s offset=%u ", PICK(loads), memory(), offset());
    address();
    say(")");
}

static void value(void) {
    switch (chance(6)) {
    case 0: say("(local.get $a)"); break;
    case 1: say("(i64.extend_i32_u (local.get $i))"); break;
    case 2: say("(i64.const %u)", chance(1000)); break;
    case 3:
        say("(i64.add ");
        load();
        say("(i64.extend_i32_s (local.get $r)))");
        break;
    default: load();
    }
}

static void store(void) {
    static const char *const stores[] = {"i64.store", "i64.store8", "i64.store16", "i64.store32"};
    u32 kind = chance(8);
    if (kind < 2) {
        u32 lanes = offset();
        say("(%s offset=%u ", kind ? "v128.store" : "f64.store", lanes);
        address();
        say("(%s offset=%u ", kind ? "v128.load" : "f64.load", offset());
        address();
        say("))\n");
        return;
    }
    say("(%s %s offset=%u ", PICK(stores), memory(), offset());
    address();
    value();
    say(")\n");
}

static void accumulate(void) {
    static const char *const operations[] = {"i64.add", "i64.xor", "i64.sub", "i64.mul", "i64.or"};
    say("(local.set $a (%s (local.get $a) ", PICK(operations));
    load();
    say("))\n");
}

/* The index depends on what was loaded. */
static void gather(void) {
    say("(local.set $a (i64.add (local.get $a) (i64.load8_u offset=%u (i32.and (i32.wrap_i64 ",
        offset());
    load();
    say(") (i32.const %u)))))\n", chance(2) ? 0xffffu : 0x1ffffu);
}

static void statement(void) {
    switch (chance(14)) {
    case 0:
    case 1:
    case 2:
    case 3: accumulate(); break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8: store(); break;
    case 9:
        say("(if (i64.eq (i64.and ");
        load();
        say("(i64.const 3)) (i64.const 1)) (then ");
        store();
        say("))\n");
        break;
    case 10:
        say("(br_if $out (i64.eq (i64.and ");
        load();
        say("(i64.const 0xff)) (i64.const %u)))\n", chance(256));
        break;
    case 11: gather(); break;
    case 12: say("(global.set $g (local.get $a))\n"); break;
    default:
        say("(if (i64.eq (i64.and (local.get $a) (i64.const 0xffff)) (i64.const %u)) (then "
            "(unreachable)))\n",
            chance(65536));
    }
}

/* What an unrolled loop has: the same accesses again, a step further. */
static void unrolled(u32 times) {
    u32 at = offset(), bytes = 1u << chance(4), to = chance(2) ? at : offset();
    static const char *const loads[] = {"i64.load8_u", "i64.load16_u", "i64.load32_u", "i64.load"};
    static const char *const stores[] = {"i64.store8", "i64.store16", "i64.store32", "i64.store"};
    u32 width = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
    const char *from = chance(2) ? "$s" : "$i", *target = chance(2) ? "$s" : "$i";
    bool copies = chance(4) == 0;
    for (u32 i = 0; i < times; i++) {
        say("(%s offset=%u (local.get %s) (i64.add (%s offset=%u (i32.add (local.get %s) ",
            stores[width], to + i * bytes, target, loads[width], at + i * bytes, from);
        say("(local.get $p))) (i64.extend_i32_u %s)))\n",
            copies ? "(i32.const 0)" : "(local.get $r)");
    }
}

static void test(const char *variable, const char *limit) {
    static const char *const compares[] = {"i32.ne",   "i32.ne",   "i32.lt_u", "i32.lt_s",
                                           "i32.le_u", "i32.le_s", "i32.gt_u", "i32.gt_s",
                                           "i32.ge_u", "i32.ge_s"};
    if (chance(8) == 0)
        say("(i32.eqz (%s (local.get %s) (local.get %s)))", PICK(compares), limit, variable);
    else
        say("(%s (local.get %s) (local.get %s))", PICK(compares), variable, limit);
}

static void advance(i32 i_step, i32 s_step) {
    say("(local.set $i (i32.add (local.get $i) (i32.const %d)))\n", i_step);
    say("(local.set $s (i32.add (local.get $s) (i32.const %d)))\n", s_step);
}

static void loop(void) {
    static const char *const limits[] = {"$n", "$n", "$n", "$q"};
    i32 i_step = PICK(steps), s_step = PICK(steps);
    bool while_first = chance(4) == 0, on_s = chance(4) == 0, early = chance(3) == 0;
    const char *limit = PICK(limits), *variable = on_s ? "$s" : "$i";
    u32 statements = 1 + chance(4);
    say("(block $out (loop $top\n");
    if (while_first) {
        say("(br_if $out (i32.eqz ");
        test(variable, limit);
        say("))\n");
    }
    if (chance(3))
        say("(br_if $out (i32.eqz (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))\n");
    if (early) advance(i_step, s_step);
    if (chance(4) == 0)
        unrolled(2u << chance(3));
    else
        for (u32 i = 0; i < statements; i++) statement();
    if (!early) advance(i_step, s_step);
    if (while_first)
        say("(br $top)");
    else {
        say("(br_if $top ");
        test(variable, limit);
        say(")");
    }
    say("))\n");
}

/* A loop that copies a run of bytes, forwards or backwards, in units of one or several accesses: onto what it reads later,
 * or has read, or neither; seldom in another order than that of addresses, or with bytes left out. */
static void copy(void) {
    static const char *const loads[] = {"i64.load8_u", "i64.load16_u", "i64.load32_u", "i64.load",
                                        "v128.load"};
    static const char *const stores[] = {"i64.store8", "i64.store16", "i64.store32", "i64.store",
                                         "v128.store"};
    u32 width = chance(2) ? 0 : chance(5), bytes = 1u << width, times = 1u << chance(4);
    bool is_down = chance(2), is_counted = chance(2), turned = chance(8) == 0;
    u32 to = 64 + chance(64), from = chance(3) ? to + chance(3) - 1 : 64 + chance(64);
    i32 step = (i32)(bytes * times) * (is_down ? -1 : 1) + (chance(8) == 0);
    const char *root = chance(3) ? "$p" : "$q";
    say("(local.set $k (i32.and (local.get $n) (i32.const 4095)))\n"
        "(local.set $r (i32.add (local.get $i) (i32.mul (local.get $k) (i32.const %d))))\n"
        "(loop $top\n",
        step);
    for (u32 i = 0; i < times; i++) {
        u32 at = bytes * (is_down != turned ? times - 1 - i : i);
        say("(%s offset=%u (i32.add (local.get $p) (local.get $i))", stores[width], to + at);
        say("(%s offset=%u (i32.add (local.get %s) (local.get $i))))\n", loads[width], from + at,
            root);
    }
    advance(step, 3);
    if (is_counted)
        say("(br_if $top (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))\n");
    else
        say("(br_if $top (i32.ne (local.get $i) (local.get $r))))\n");
}

/* A loop that looks for the first difference of two runs: in a part of the memory where most bytes are equal, or anywhere. */
static void search(void) {
    static const char *const conditions[] = {"i32.ne", "i32.ne", "i32.lt_u"};
    u32 size = 1000 + chance(3000), at = chance(40), step = chance(8) ? 1 : 2;
    if (chance(4)) {
        say("(memory.fill (i32.const 0) (i32.const 7) (i32.const %u))\n"
            "(i32.store8 (i32.const %u) (i32.const 8))\n"
            "(local.set $p (i32.and (local.get $p) (i32.const 2047)))\n"
            "(local.set $q (i32.and (local.get $q) (i32.const 2047)))\n",
            size, chance(size));
    }
    say("(block $out (loop $top\n(br_if $out (%s (i32.load8_u offset=%u (i32.add (local.get $p) "
        "(local.get $i))) (i32.load8_%s offset=%u (i32.add (local.get $q) (local.get $i)))))\n",
        PICK(conditions), at, chance(6) ? "u" : "s", chance(2) ? at : chance(40));
    if (chance(8) == 0) say("(global.set $g (i64.extend_i32_u (local.get $i)))\n");
    advance((i32)step, 3);
    if (chance(6) == 0) say("(local.set $a (i64.add (local.get $a) (i64.const 3)))\n");
    say("(br_if $top (i32.ne (local.get $i) (local.get $n)))))\n");
}

/* A loop that looks for a value, counted by nothing: to the end of the memory if there is none. */
static void seek(void) {
    static const char *const reads[] = {"i32.load8_u", "i32.load8_s", "i32.load16_u", "i32.load"};
    static const char *const conditions[] = {"i32.ne", "i32.eq", "i32.lt_u", "i32.gt_s"};
    static const char *const others[] = {"i32.const 0", "i32.const 7", "local.get $r"};
    u32 size = 500 + chance(3000), which = chance(4), at = chance(40);
    if (chance(4))
        say("(memory.fill (i32.const 0) (i32.const 7) (i32.const %u))\n"
            "(i32.store8 (i32.const %u) (i32.const %u))\n"
            "(local.set $p (i32.and (local.get $p) (i32.const 2047)))\n",
            size, chance(size), chance(9));
    say("(block $out (loop $top\n");
    for (u32 exits = 1 + chance(2); exits > 0; exits--)
        say("(br_if $out (%s (%s offset=%u (i32.add (local.get %s) (local.get $i))) (%s)))\n",
            PICK(conditions), reads[which], at, chance(4) ? "$p" : "$q", PICK(others));
    advance(1 << (which == 0 ? 0 : which - 1), 1);
    say("(br $top)))\n");
}

/* A loop with a place that stays the same, which others may pass over: a sum in memory, or what is added to all. */
static void stay(void) {
    u32 at = chance(64), scale = 4 * (1 + chance(2)), masks = chance(4);
    if (masks)
        say("(local.set $n (i32.mul (i32.const %u) (i32.and (local.get $n) (i32.const 255))))\n"
            "(local.set $i (i32.const 0)) (local.set $q (i32.and (local.get $q) (i32.const %u)))\n"
            "(local.set $p (i32.and (local.get $p) (i32.const 1023)))\n",
            scale, masks == 1 ? 1023 : 1020);
    const char *fixed = "(local.get $p)", *moving = "(i32.add (local.get $q) (local.get $i))";
    bool is_sum = chance(2);
    say("(block $out (loop $top (br_if $out (i32.ge_u (local.get $i) (local.get $n)))\n");
    for (u32 times = 1 + chance(2); times > 0; times--)
        say("(i32.store offset=%u %s (i32.add (i32.load offset=%u %s) (i32.load offset=%u %s)))\n",
            is_sum ? at : 0, is_sum ? fixed : moving, at, fixed, 4 * chance(2), moving);
    advance((i32)scale, 3);
    say("(br $top)))\n");
}

static void function(u32 index) {
    static const char *const starts[] = {"(i32.const 0)", "(i32.const 0)", "(local.get $n)",
                                         "(local.get $r)"};
    bool nested = chance(3) == 0;
    say("(func (export \"f%u\") (param $p i32) (param $q i32) (param $n i32) (param $r i32) "
        "(result "
        "i64) (local $i i32) (local $s i32) (local $j i32) (local $k i32) (local $a i64)\n",
        index);
    say("(local.set $k (i32.const %u))\n", chance(4) ? 3000 : 100000);
    if (nested) say("(loop $outer\n");
    say("(local.set $i %s)\n(local.set $s (local.get $p))\n", PICK(starts));
    switch (chance(10)) {
    case 0:
    case 1: copy(); break;
    case 2: search(); break;
    case 3: seek(); break;
    case 4: stay(); break;
    default: loop();
    }
    if (nested)
        say("(local.set $p (i32.add (local.get $p) (i32.const %u)))\n(br_if $outer (i32.lt_u "
            "(local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const %u))))\n",
            chance(64), 1 + chance(20));
    say("(i64.add (local.get $a) (i64.extend_i32_u (i32.xor (local.get $i) (i32.shl (local.get $s) "
        "(i32.const 1))))))\n");
}

static void make_module(void) {
    length = 0;
    say("(module (memory (export \"m\") 1 2) (memory $other (export \"n\") 1 2) (global $g (export "
        "\"g\") (mut i64) (i64.const 0))\n");
    for (u32 i = 0; i < FUNCTIONS; i++) function(i);
    say(")");
}

/* ---- both engines ---- */

/* ns that a call has. Random loops may count for hours. */
static u64 patience = 400000000;

typedef struct Side {
    Bench bench;
    wr_instance_t *instance;
    wr_memory_t *memories[2];
} Side;

static bool with_fuel, with_frames; /* which can be written down */

static void start(Side *side, wr_engine_kind_t kind, const u8 *module_bytes, size_t size) {
    wr_config_t *config = wr_config_new();
    wr_config_set_engine_kind(config, kind);
    wr_config_set_compiled_fuel(config, with_fuel);
    wr_config_set_compiled_migratable(config, with_frames);
    side->bench = bench_new(config);
    must(wr_store_set_timeout(side->bench.store, patience));
    wr_module_t *module = NULL;
    must(wr_module_new(side->bench.engine, module_bytes, size, &module));
    must(wr_linker_instantiate(side->bench.linker, side->bench.store, module, &side->instance));
    wr_module_delete(module);
    for (u32 m = 0; m < 2; m++) {
        wr_extern_t memory;
        cr_assert(wr_instance_export_named(side->instance, (wr_name_t){m ? "n" : "m", 1}, &memory));
        side->memories[m] = memory.of.memory;
        u8 *at = wr_memory_data(side->memories[m]);
        for (u32 i = 0; i < MEMORY; i++) at[i] = (u8)(i * 2654435761u >> 24);
    }
}

typedef struct Outcome {
    u64 result;
    wr_trap_code_t code;
    u64 place; /* of the trap: offset in the module */
    u64 left;  /* of the fuel */
} Outcome;

static Outcome run(Side *side, u32 index, const wr_val_t *arguments, u64 fuel) {
    char name[8];
    wr_val_t result = {0};
    Outcome outcome = {0};
    (void)snprintf(name, sizeof name, "f%u", index);
    must(wr_store_set_timeout(side->bench.store, patience));
    if (with_fuel) wr_store_set_fuel(side->bench.store, fuel);
    wr_error_t *error = wr_func_call(side->bench.store, wr_instance_func(side->instance, name),
                                     arguments, 4, &result, 1);
    outcome.result = (u64)result.of.i64;
    if (error != NULL) outcome.code = wr_error_trap_code(error);
    wr_frame_t frame;
    if (error != NULL && wr_error_frame(error, 0, &frame)) outcome.place = frame.module_offset;
    if (with_fuel) outcome.left = wr_store_fuel(side->bench.store);
    wr_error_delete(error);
    return outcome;
}

/* Where the text is found when something differs. */
static void keep_text(void) {
    FILE *file = fopen("loops.wat", "w");
    if (file == NULL) return;
    (void)fwrite(text, 1, length, file);
    (void)fclose(file);
}

static u32 argument(bool is_count) {
    switch (chance(is_count ? 4 : 6)) {
    case 0: return PICK(edges);
    case 1: return PICK(edges) - chance(64);
    case 2: return chance(is_count ? 300 : MEMORY);
    case 3: return is_count ? chance(5000) : MEMORY - chance(600);
    default: return chance(2000) * 8;
    }
}

/* Some ends soon, some after a few slices (aot/meter.c). */
static u64 amount(void) { return chance(2) ? chance(4000) : chance(300000); }

/* False: it took too long, and the memories differ. */
static bool compare(Side *a, Side *b, u64 seed, u32 index, const u32 *values) {
    wr_val_t arguments[4];
    for (u32 i = 0; i < 4; i++) arguments[i] = (wr_val_t){.kind = WR_I32, .of.i32 = (i32)values[i]};
    u64 fuel = with_fuel ? amount() : 0;
    Outcome x = run(a, index, arguments, fuel), y = run(b, index, arguments, fuel);
    if (x.code == WR_TRAP_DEADLINE || y.code == WR_TRAP_DEADLINE) return false;
    bool same = x.result == y.result && x.code == y.code && x.place == y.place && x.left == y.left;
    for (u32 m = 0; m < 2; m++)
        same &= memcmp(wr_memory_data(a->memories[m]), wr_memory_data(b->memories[m]), MEMORY) == 0;
    if (!same) keep_text();
    cr_assert(same,
              "seed %" PRIu64 ", f%u(%u, %u, %u, %u): interpreted %" PRIx64 " trap %d at %" PRIx64
              " left %" PRIu64 ", compiled %" PRIx64 " trap %d at %" PRIx64 " left %" PRIu64
              ", of %" PRIu64 " (loops.wat)",
              seed, index, (u32)arguments[0].of.i32, (u32)arguments[1].of.i32,
              (u32)arguments[2].of.i32, (u32)arguments[3].of.i32, x.result, (int)x.code, x.place,
              x.left, y.result, (int)y.code, y.place, y.left, fuel);
    return true;
}

static bool compare_any(Side *a, Side *b, u64 seed, u32 index) {
    u32 values[4];
    for (u32 i = 0; i < 4; i++) values[i] = argument(i == 2);
    return compare(a, b, seed, index, values);
}

static void stop(Side *side) { bench_delete(&side->bench); }

/* The module is in text[]. */
static void start_both(Side *interpreted, Side *compiled) {
    u8 *bytes;
    size_t size;
    wr_error_t *error = wr_wat_to_wasm(text, length, "loops", false, &bytes, &size);
    if (error != NULL) keep_text();
    must(error);
    start(interpreted, WR_ENGINE_INTERPRETER, bytes, size);
    start(compiled, WR_ENGINE_COMPILED, bytes, size);
    wr_bytes_delete(bytes, size);
}

static void one_module(u64 seed) {
    Side interpreted, compiled;
    state = seed * 0x9e3779b97f4a7c15u + 1;
    make_module();
    start_both(&interpreted, &compiled);
    for (u32 f = 0; f < FUNCTIONS; f++) {
        bool in_time = true;
        for (u32 c = 0; in_time && c < CALLS; c++)
            in_time = compare_any(&interpreted, &compiled, seed, f);
        for (u32 m = 0; !in_time && m < 2; m++)
            memcpy(wr_memory_data(compiled.memories[m]), wr_memory_data(interpreted.memories[m]),
                   MEMORY);
    }
    stop(&interpreted);
    stop(&compiled);
}

static void random_modules(void) {
    u64 seed = 1;
    u32 modules = 6;
    const char *given = getenv("WASMRUN_TEST_LOOPS");
    if (given != NULL) {
        char *end;
        seed = strtoull(given, &end, 10);
        modules = (u32)strtoul(end, NULL, 10);
    }
    for (u32 i = 0; i < modules; i++) one_module(seed + i);
}

Test(native_loops, random) { random_modules(); }

Test(native_loops, random_with_fuel) {
    with_fuel = true;
    random_modules();
    with_fuel = false;
}

Test(native_loops, random_with_frames) {
    with_frames = true;
    random_modules();
    with_frames = false;
}

/* Each loop is left for the interpreter at its first iteration, or a later one. */
Test(native_loops, random_written_down) {
    with_frames = true;
    cr_assert_eq(setenv("WASMRUN_SPILL", "100", 1), 0);
    random_modules();
    (void)unsetenv("WASMRUN_SPILL");
    with_frames = false;
}

/* ---- forms that have to be right, at the edges ---- */

#define FORM(body)                                                                                 \
    "(param $p i32) (param $q i32) (param $n i32) (param $r i32) (result i64) (local $i i32) "     \
    "(local $a i64) " body " (local.get $a))\n"
#define AT(root) "(i32.add (local.get " root ") (local.get $i))"
#define SUM(load, address) "(local.set $a (i64.add (local.get $a) (" load " " address ")))"
#define STEP(by) "(local.tee $i (i32.add (local.get $i) (i32.const " by ")))"
#define AGAIN(compare, by, limit) "(br_if $l (i32." compare " " STEP(by) " " limit "))"
#define DOWN "(local.set $i (local.get $n))"
/* y[i] += x[i], where y begins at $p, and x at $p + $r */
#define MOVE "(local.set $q (i32.add (local.get $p) (local.get $r)))"
#define PLUS(offset)                                                                               \
    "(i64.store offset=" offset " " AT("$p") " (i64.add (i64.load offset=" offset                  \
                                             " " AT("$p") ") (i64.load offset=" offset             \
                                                          " " AT("$q") ")))"
#define COPY(offset)                                                                               \
    "(i64.store8 offset=" offset " " AT("$p") " (i64.load8_u offset=" offset " " AT("$q") "))"

/* clang-format off */
static const char *const forms[] = {
    /* up, tested at the end, and before */
    FORM("(loop $l " SUM("i64.load8_u", AT("$p")) AGAIN("lt_u", "1", "(local.get $n)") ")"),
    FORM("(local.set $i (local.get $r)) (block $out (loop $l"
         " (br_if $out (i32.ge_s (local.get $i) (local.get $n)))"
         SUM("i64.load16_s offset=1", AT("$p")) "(drop " STEP("2") ") (br $l)))"),
    FORM("(loop $l " SUM("i64.load", AT("$p")) AGAIN("ne", "8", "(local.get $n)") ")"),
    FORM("(loop $l " SUM("i64.load8_u offset=65535", AT("$p")) AGAIN("le_s", "3", "(local.get $n)") ")"),
    /* down */
    FORM(DOWN "(loop $l (i64.store8 offset=1 " AT("$p") "(i64.extend_i32_u (local.get $i)))"
         AGAIN("ne", "-1", "(local.get $r)") ")"),
    FORM(DOWN "(loop $l (i32.store " AT("$p") "(local.get $i))" AGAIN("ge_s", "-4", "(i32.const 0)") ")"),
    FORM(DOWN "(loop $l (i32.store " AT("$p") "(local.get $i))" AGAIN("gt_u", "-16", "(local.get $r)") ")"),
    /* unrolled, over arrays that overlap; a copy; a number that may be among those stored */
    FORM(MOVE "(loop $l " PLUS("0") PLUS("8") AGAIN("lt_u", "16", "(local.get $n)") ")"),
    FORM(MOVE "(loop $l " PLUS("0") PLUS("8") PLUS("16") PLUS("24") AGAIN("lt_u", "32", "(local.get $n)") ")"),
    FORM(MOVE "(loop $l " COPY("0") COPY("1") COPY("2") COPY("3") AGAIN("lt_u", "4", "(local.get $n)") ")"),
    FORM(MOVE "(loop $l " COPY("0") AGAIN("lt_u", "1", "(local.get $n)") ")"),
    FORM(MOVE "(loop $l (i64.store " AT("$p") "(i64.add (i64.load " AT("$p") ") (i64.load (local.get $q))))"
         AGAIN("lt_u", "8", "(local.get $n)") ")"),
    /* a trap amid stores: of the other access, and an explicit one */
    FORM("(loop $l (i64.store8 " AT("$p") "(i64.const 77))" SUM("i64.load8_u", AT("$r"))
         "(i64.store16 offset=2 " AT("$p") "(local.get $a))" AGAIN("lt_u", "4", "(local.get $n)") ")"),
    FORM("(loop $l (i64.store8 " AT("$p") "(i64.const 78))"
         "(if (i32.eq (local.get $i) (local.get $r)) (then (unreachable)))"
         "(i64.store8 offset=1 " AT("$p") "(i64.const 79))" AGAIN("lt_u", "2", "(local.get $n)") ")"),
    /* the memory grows between runs of the inner loop, then in it */
    FORM("(loop $outer (local.set $i (i32.const 0))"
         "(loop $l " SUM("i64.load8_u", AT("$p")) AGAIN("lt_u", "1", "(local.get $n)") ")"
         "(br_if $outer (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))"),
    FORM("(loop $l (i64.store8 " AT("$p") "(i64.const 80))"
         "(if (i32.eq (local.get $i) (local.get $r)) (then (drop (memory.grow (i32.const 1)))))"
         AGAIN("lt_u", "1", "(local.get $n)") ")"),
};
/* clang-format on */

static void make_forms(void) {
    length = 0;
    say("(module (memory (export \"m\") 1 2) (memory $other (export \"n\") 1 2)\n");
    for (u32 i = 0; i < ARRAY_LEN(forms); i++) say("(func (export \"f%u\") %s", i, forms[i]);
    say(")");
}

/* Of each its instances anew: memories that have grown are not grown again. */
static void compare_form(u32 index) {
    static const u32 places[] = {0,     1,     64,     4096,       65400,     65528,
                                 65535, 65536, 131000, 0xffffff80, 0xfffffffe};
    static const u32 counts[] = {0, 1, 2, 8, 33, 128, 1000, 0x7fffffff, 0x80000000, 0xffffffff};
    static const u32 others[] = {0, 1, 4, 8, 15, 40, 2000, 0xfffffff8, 0xffffffff};
    Side interpreted, compiled;
    start_both(&interpreted, &compiled);
    for (u32 p = 0; p < ARRAY_LEN(places); p++)
        for (u32 n = 0; n < ARRAY_LEN(counts); n++)
            for (u32 r = 0; r < ARRAY_LEN(others); r++) {
                const u32 values[] = {places[p], 0, counts[n], others[r]};
                cr_assert(compare(&interpreted, &compiled, 0, index, values), "f%u: time", index);
            }
    stop(&interpreted);
    stop(&compiled);
}

static void all_forms(void) {
    make_forms();
    patience = 200000000000; /* they all end, but the machine may be busy */
    for (u32 i = 0; i < ARRAY_LEN(forms); i++) compare_form(i);
}

Test(native_loops, edges) { all_forms(); }

Test(native_loops, edges_with_fuel) {
    with_fuel = true;
    all_forms();
    with_fuel = false;
}

Test(native_loops, edges_with_frames) {
    with_frames = true;
    all_forms();
    with_frames = false;
}
