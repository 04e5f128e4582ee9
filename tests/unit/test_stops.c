/*
 * Calls of compiled code that does not look whether to stop are stopped all the same, at any instruction: soon, with a
 * backtrace that holds together, and with a store that is in order and can be used again. Needs wasmrun-aot; STOPS in
 * the environment says how many stops there are of each kind.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "heap.h"
#include "prepare.h"
#include "store.h"
#include "text_support.h"

/* Functions that never end, each with something else in its loop; and one that shows whether all is well. */
static const char *const endless =
    "(module (import \"h\" \"h\" (func $host (param i32) (result i32)))"
    " (type $f (func (param i32) (result i32))) (type $i (array (mut i32)))"
    " (rec (type $cell (struct (field (mut i32)) (field (mut i64)) (field (ref null $cell)))))"
    " (tag $t (param i32 i64)) (memory 3) (table $fixed funcref (elem $add $twice $sum))"
    " (table $t (export \"t\") 4 funcref)"
    " (global $g (mut i32) (i32.const 0)) (global $list (mut (ref null $cell)) (ref.null $cell))"
    " (global $array (mut (ref null $i)) (ref.null $i))"
    /* small functions, of which some need no frame */
    " (func $add (type $f) (i32.add (local.get 0) (i32.const 1)))"
    " (func $twice (type $f) (i32.add (call $sum (local.get 0)) (call $sum (i32.const 7))))"
    " (func $sum (type $f) (local $i i32) (local $s i32)"
    "  (loop $l (local.set $s (i32.add (local.get $s) (i32.load (i32.and (i32.const 0xFFFC)"
    "     (i32.mul (local.get $i) (local.get 0))))))"
    "   (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))"
    "    (i32.const 5))))"
    "  (local.get $s))"
    " (func $many (param i32 i64 f64 i32 i32 i32 i32 i32) (result i32 i32)"
    "  (call $twice (local.get 0)) (i32.add (local.get 6) (local.get 7)))"
    " (func $fib (export \"calls\") (type $f)"
    "  (if (i32.lt_s (local.get 0) (i32.const -90)) (then (return (local.get 0))))"
    "  (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
    "   (i32.add (call $fib (i32.sub (local.get 0) (i32.const 2)))"
    "    (call $fib (i32.sub (local.get 0) (i32.const 3))))))"
    " (func (export \"mixed\") (type $f) (local $a i32) (loop $l"
    "  (call $many (local.get 0) (i64.const 1) (f64.const 2) (i32.const 3) (i32.const 4)"
    "   (i32.const 5) (i32.const 6) (local.get $a)) (local.set $a) drop"
    "  (drop (call_indirect $fixed (type $f) (local.get $a)"
    "    (i32.rem_u (local.get $a) (i32.const 3))))"
    "  (br $l)) unreachable)"
    " (func $even (export \"tails\") (type $f)"
    "  (return_call $odd (call $add (local.get 0))))"
    " (func $odd (type $f) (return_call_indirect $fixed2 (type $f)"
    "   (local.get 0) (i32.and (local.get 0) (i32.const 1))))"
    " (table $fixed2 funcref (elem $even $odd2))"
    " (func $odd2 (type $f) (return_call $even (i32.add (local.get 0) (i32.const 3))))"
    " (func (export \"allocate\") (type $f) (local $n i32) (loop $l"
    "  (if (i32.eqz (i32.and (local.get $n) (i32.const 255)))"
    "   (then (global.set $list (ref.null $cell))))"
    "  (global.set $list (struct.new $cell (local.get $n) (i64.extend_i32_u (local.get $n))"
    "    (global.get $list)))"
    "  (struct.set $cell 0 (global.get $list) (i32.const 5))"
    "  (global.set $array (array.new_fixed $i 3 (local.get $n) (i32.const 2) (i32.const 3)))"
    "  (array.set $i (global.get $array) (i32.const 1) (local.get $n))"
    "  (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $l)) unreachable)"
    " (func $raise (param i32) (throw $t (local.get 0) (i64.const 9)))"
    " (func (export \"throw\") (type $f) (loop $l"
    "  (block $h (result i32 i64) (try_table (catch $t $h) (call $raise (local.get 0))) br $l)"
    "  drop drop (br $l)) unreachable)"
    " (func (export \"vectors\") (type $f) (local $i i32) (loop $o (local.set $i (i32.const 0))"
    "  (loop $l (i32.store offset=65536 (local.get $i) (i32.add (local.get 0)"
    "    (i32.load (local.get $i))))"
    "   (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4)))"
    "    (i32.const 65536)))) (br $o)) unreachable)"
    " (func (export \"bulk\") (type $f) (local $n i32) (loop $l"
    "  (local.set $n (i32.and (i32.add (local.get $n) (i32.const 1237)) (i32.const 0xFFFF)))"
    "  (memory.copy (i32.const 9) (i32.const 70000) (local.get $n))"
    "  (memory.fill (i32.const 70000) (local.get 0) (local.get $n))"
    "  (memory.copy (i32.const 65536) (i32.const 65540) (i32.const 40)) (br $l)) unreachable)"
    " (func (export \"host\") (type $f)"
    "  (loop $l (local.set 0 (call $host (local.get 0))) (br $l)) unreachable)"
    " (func (export \"sets\") (type $f) (loop $l"
    "  (table.set $t (i32.and (global.get $g) (i32.const 3)) (ref.func $add))"
    "  (global.set $g (i32.add (global.get $g) (i32.const 1)))"
    "  (table.set $t (i32.and (global.get $g) (i32.const 3)) (ref.null func))"
    "  (br_if $l (i32.lt_u (table.size $t) (i32.const 9)))) unreachable)"
    " (func (export \"nothing\") (type $f) (loop $l (br $l)) unreachable)"
    " (elem declare func $add)"
    /* the list has no more than 256 cells, in order; the array three elements */
    " (func (export \"check\") (type $f) (local $c (ref null $cell)) (local $n i32)"
    "  (local.set $c (global.get $list))"
    "  (block $end (loop $l (br_if $end (ref.is_null (local.get $c)))"
    "   (local.set $n (i32.add (local.get $n) (i32.const 1)))"
    "   (local.set $c (struct.get $cell 2 (local.get $c))) (br $l)))"
    "  (if (i32.gt_u (local.get $n) (i32.const 256)) (then unreachable))"
    "  (if (i32.eqz (ref.is_null (global.get $array))) (then"
    "   (if (i32.ne (array.len (global.get $array)) (i32.const 3)) (then unreachable))))"
    "  (call $twice (i32.const 3)) drop (call $host (local.get 0))))";

static const char *const names[] = {"calls",   "mixed", "tails", "allocate", "throw",
                                    "vectors", "bulk",  "host",  "sets",     "nothing"};

static wr_error_t *add_one(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)context;
    slots[0].i32 += 1;
    return NULL;
}

static u32 stops(u32 usual) {
    const char *given = getenv("STOPS");
    return given != NULL ? (u32)strtoul(given, NULL, 10) : usual;
}

/* ---- who interrupts --------------------------------------------------------------------------- */

#define DELAYS 400000u /* ns: stops come at random, no later than this */

typedef struct Interrupter {
    wr_store_t *store;
    OsThread *thread;
    atomic_uint asked, done; /* stops */
    atomic_bool ends;
    _Atomic(u64) when;
    u64 random;
} Interrupter;

static u64 next_random(u64 *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void interrupt(void *context) {
    Interrupter *n = context;
    for (u32 done = 0; !atomic_load(&n->ends);) {
        if (atomic_load(&n->asked) == done) continue;
        u64 until = wr_os_now() + next_random(&n->random) % DELAYS;
        while (wr_os_now() < until) {
        }
        atomic_store(&n->when, wr_os_now());
        wr_store_interrupt(n->store);
        atomic_store(&n->done, ++done);
    }
}

static void start(Interrupter *n, wr_store_t *store) {
    *n = (Interrupter){.store = store, .random = 88172645463325252u};
    n->thread = wr_os_thread_start(interrupt, n);
    cr_assert_not_null(n->thread);
}

static void end(Interrupter *n) {
    atomic_store(&n->ends, true);
    wr_os_thread_join(n->thread);
}

/* ---- what is looked at ------------------------------------------------------------------------ */

typedef struct Report {
    u32 stops, with_frames;
    u64 latest; /* ns */
} Report;

static bool is_call(const Module *m, u64 offset) {
    u8 byte = m->bytes[offset];
    return byte == 0x10 || byte == 0x11 || byte == 0x12 || byte == 0x13;
}

/* Frames are in functions, the outer ones at calls, the outermost in the one that was called. */
static void look_at_frames(const wr_error_t *error, const wr_instance_t *i, const char *name) {
    const Module *m = ((const Instance *)i)->module;
    const wr_func_t *called = wr_instance_func((wr_instance_t *)(uintptr_t)i, name);
    size_t count = wr_error_frame_count(error);
    wr_frame_t frame = {0};
    for (size_t k = 0; k < count; k++) {
        if (!wr_error_frame(error, k, &frame)) continue;
        const Code *code = wr_module_code(m, frame.function_index);
        cr_assert_not_null(code, "%s: frame %zu", name, k);
        const u8 *pc = m->bytes + frame.module_offset;
        cr_assert(pc >= code->start && pc < code->end, "%s: frame %zu at %llx", name, k,
                  (unsigned long long)frame.module_offset);
        cr_assert(k == 0 || is_call(m, frame.module_offset), "%s: frame %zu at %llx", name, k,
                  (unsigned long long)frame.module_offset);
    }
    bool tails = strcmp(name, "tails") == 0;
    cr_assert(count == 0 || tails || frame.function_index == ((const Func *)called)->index,
              "%s: %zu frames, ends in function %u", name, count, (unsigned)frame.function_index);
}

static void stop_once(Bench *b, wr_instance_t *i, const char *name, Interrupter *n,
                      Report *report) {
    u32 stop = atomic_load(&n->asked) + 1;
    atomic_store(&n->asked, stop);
    wr_error_t *error = call_i32(b, i, name, 1, NULL);
    u64 late = wr_os_now() - atomic_load(&n->when);
    while (atomic_load(&n->done) != stop) {
    }
    cr_assert_not_null(error);
    cr_assert_eq(wr_error_trap_code(error), WR_TRAP_INTERRUPTED, "%s", wr_error_message(error));
    report->stops++;
    report->with_frames += wr_error_frame_count(error) > 0;
    if (late > report->latest) report->latest = late;
    look_at_frames(error, i, name);
    wr_error_delete(error);
}

static void look_at_store(Bench *b, wr_instance_t *i) {
    const Store *store = b->store;
    cr_assert_eq(get_i32(b, i, "check", 4), 5);
    cr_assert_eq(atomic_load(&store->interrupt), 0);
    if (store->heap != &wr_heap_none) cr_assert_null(wr_heap_verify(store));
}

static void stop_often(Bench *b, wr_instance_t *i, const char *name, u32 count) {
    Interrupter n;
    Report report = {0};
    start(&n, b->store);
    for (u32 k = 0; k < count; k++) {
        stop_once(b, i, name, &n, &report);
        look_at_store(b, i);
    }
    end(&n);
    if (getenv("STOPS") != NULL)
        fprintf(stderr, "%s: %u stops, %u with frames, the latest after %.3f ms\n", name,
                (unsigned)report.stops, (unsigned)report.with_frames, (double)report.latest / 1e6);
    cr_assert_lt(report.latest, 60000000000u, "%s", name);
    cr_assert_gt(report.with_frames, report.stops / 4, "%s", name);
}

/* ---- tests ------------------------------------------------------------------------------------ */

static wr_instance_t *compiled(Bench *b, unsigned level, wr_memory_mode_t memory, bool polls) {
    wr_config_t *config = wr_config_new();
    wr_config_set_engine_kind(config, WR_ENGINE_COMPILED);
    wr_config_set_opt_level(config, level);
    wr_config_set_memory_mode(config, memory);
    if (polls) wr_config_set_compiled_polls(config, true);
    *b = bench_new(config);
    must(wr_linker_define_func(b->linker, "h", "h", "i>i", add_one, NULL, NULL));
    wr_instance_t *i = text_instance(b, endless);
    cr_assert_not_null(((Instance *)i)->own_funcs[0].native_code);
    wr_store_set_interruptible(b->store, true);
    return i;
}

static void stop_everything(unsigned level, wr_memory_mode_t memory, bool polls, u32 count) {
    Bench b;
    wr_instance_t *i = compiled(&b, level, memory, polls);
    for (size_t k = 0; k < ARRAY_LEN(names); k++) stop_often(&b, i, names[k], count);
    bench_delete(&b);
}

Test(stops, come_at_any_instruction, .timeout = 600) {
    stop_everything(2, WR_MEMORY_AUTO, false, stops(100));
}
Test(stops, come_at_any_instruction_as_it_was_written, .timeout = 600) {
    stop_everything(0, WR_MEMORY_AUTO, false, stops(30));
}
Test(stops, come_to_code_that_polls, .timeout = 600) {
    stop_everything(2, WR_MEMORY_AUTO, true, stops(30));
}
Test(stops, come_without_signals, .timeout = 600) {
    stop_everything(2, WR_MEMORY_EXPLICIT, false, stops(30));
}

/* Only where they are needed: code polls where no signals may be. */
Test(stops, are_chosen_by_the_engine) {
    static const struct {
        wr_memory_mode_t memory;
        bool given, polls, expected;
    } cases[] = {{WR_MEMORY_EXPLICIT, false, false, true},
                 {WR_MEMORY_EXPLICIT, true, false, false},
                 {WR_MEMORY_AUTO, true, true, true},
                 {WR_MEMORY_AUTO, true, false, false}};
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        wr_config_t *config = wr_config_new();
        wr_config_set_memory_mode(config, cases[k].memory);
        if (cases[k].given) wr_config_set_compiled_polls(config, cases[k].polls);
        Bench b = bench_new(config);
        NativeOptions options = wr_aot_options(b.engine);
        cr_assert_eq(options.polled, cases[k].expected, "%zu", k);
        bench_delete(&b);
    }
}
