/*
 * test_trace.c - what a tracer is told: every instruction that runs, calls and returns with their values, in all ways
 * of making calls, whatever memory, locals and limits the code has.
 */
#include <stdarg.h>
#include <stdio.h>

#include "text_support.h"

#define ALL (WR_TRACE_CALL | WR_TRACE_RETURN | WR_TRACE_FAIL | WR_TRACE_INSTRUCTION)
#define CALLS (WR_TRACE_CALL | WR_TRACE_RETURN | WR_TRACE_FAIL)

/* What was told, as text: ">name(1)" "<name=2" "!name", first bytes of instructions in hexadecimal. */
typedef struct Told {
    char text[4096];
    size_t size, instructions;
} Told;

static void say(Told *told, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t room = sizeof told->text - told->size;
    int size = vsnprintf(told->text + told->size, room, format, args);
    va_end(args);
    told->size += size > 0 && (size_t)size < room ? (size_t)size : 0;
}

static void say_values(Told *told, const wr_trace_event_t *event, size_t count) {
    for (size_t i = 0; i < count; i++)
        say(told, i == 0 ? "%lld" : ",%lld", (long long)event->values[i].i64);
}

static void hear(void *context, const wr_trace_event_t *event) {
    Told *told = context;
    wr_name_t module, name;
    wr_func_name(event->func, &module, &name);
    if (event->kind == WR_TRACE_INSTRUCTION) {
        told->instructions++;
        say(told, "%02x ", event->code[0]);
        cr_assert_gt(event->code_size, 0u);
        cr_assert_eq(event->code[event->code_size - 1], 0x0B);
        return;
    }
    cr_assert_eq(event->function_index == UINT32_MAX, event->instance == NULL);
    const char *mark = event->kind == WR_TRACE_CALL   ? ">"
                       : event->kind == WR_TRACE_FAIL ? "!"
                                                      : "<";
    say(told, "%d%s%.*s", (int)event->depth, mark, (int)name.size, name.data);
    if (event->kind == WR_TRACE_CALL) {
        say(told, "(");
        say_values(told, event, wr_func_param_count(event->func));
        say(told, ")");
    } else if (event->kind == WR_TRACE_RETURN) {
        say(told, "=");
        say_values(told, event, wr_func_result_count(event->func));
    }
    say(told, " ");
}

static Bench traced(wr_config_t *config, uint32_t kinds, Told *told) {
    if (!config) config = wr_config_new();
    cr_assert_not_null(config);
    wr_config_set_tracer(config, kinds, hear, told);
    return bench_new(config);
}

/* What running "f" of the module tells. */
static void must_tell(wr_config_t *config, uint32_t kinds, const char *text, int32_t argument,
                      const char *expected) {
    Told told = {0};
    Bench b = traced(config, kinds, &told);
    wr_instance_t *instance = text_instance(&b, text);
    wr_error_delete(call_i32(&b, instance, "f", argument, NULL));
    cr_assert_str_eq(told.text, expected);
    bench_delete(&b);
}

static const char fib[] =
    "(module (func $fib (export \"f\") (param i32) (result i32)"
    "  (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))"
    "    (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
    "                   (call $fib (i32.sub (local.get 0) (i32.const 2))))))))";

Test(trace, calls_and_returns) {
    must_tell(NULL, CALLS, fib, 3,
              "0>f(3) 1>f(2) 2>f(1) 2<f=1 2>f(0) 2<f=0 1<f=1 1>f(1) 1<f=1 0<f=2 ");
}

Test(trace, only_what_was_asked_for) {
    must_tell(NULL, WR_TRACE_RETURN, fib, 2, "1<f=1 1<f=0 0<f=1 ");
    must_tell(NULL, WR_TRACE_INSTRUCTION, fib, 1, "20 41 48 04 20 05 0b ");
}

/* Neither is passed over: runs of blocks, what handlers look ahead for. */
static const char pairs[] =
    "(module (func (export \"f\") (param i32) (result i32) (local i32) block block block end end "
    "end"
    "  local.get 0 i32.const 2 i32.add local.set 1 local.get 1 local.get 0 i32.lt_u"
    "  if (return_call 0 (local.get 0)) end local.get 1 local.get 0 i32.mul))";
#define PAIRS "02 02 02 0b 0b 0b 20 41 6a 21 20 20 49 04 20 20 6c 0b "

Test(trace, every_instruction) { must_tell(NULL, WR_TRACE_INSTRUCTION, pairs, 5, PAIRS); }

Test(trace, wide_functions) {
    static const char wide[] =
        "(module (func (export \"f\") (param i32) (result i32) (local v128) block block end end"
        "  local.get 0 i32x4.splat local.set 1 local.get 1 local.get 1 i32x4.add"
        "  i32x4.extract_lane 2 drop local.get 0 drop local.get 0))";
    must_tell(NULL, WR_TRACE_INSTRUCTION, wide, 5,
              "02 02 0b 0b 20 fd 21 20 20 fd fd 1a 20 1a 20 0b ");
}

static wr_config_t *with(wr_memory_mode_t mode, uint32_t warm_after) {
    wr_config_t *config = wr_config_new();
    wr_config_set_memory_mode(config, mode);
    wr_config_set_warm_after(config, warm_after);
    wr_config_set_engine_kind(config, WR_ENGINE_AUTO);
    return config;
}

Test(trace, in_all_modes) {
    static const char text[] =
        "(module (memory 1) (func (export \"f\") (param i32) (result i32)"
        "  loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end"
        "  (i32.store (local.get 0) (i32.const 7)) (i32.load (local.get 0))))";
    static const char expected[] =
        "03 20 41 6b 22 0d 20 41 6b 22 0d 20 41 6b 22 0d 0b 20 41 36 20 28 0b ";
    for (uint32_t warm = 0; warm < 2; warm++) {
        must_tell(with(WR_MEMORY_EXPLICIT, warm), WR_TRACE_INSTRUCTION, text, 3, expected);
        must_tell(with(WR_MEMORY_AUTO, warm), WR_TRACE_INSTRUCTION, text, 3, expected);
    }
}

Test(trace, tail_calls_and_branches_that_return) {
    static const char text[] =
        "(module (func $a (export \"f\") (param i32) (result i32)"
        "    (br_if 0 (i32.const 9) (i32.eqz (local.get 0))) drop (return_call $b (local.get 0)))"
        "  (func $b (export \"b\") (param i32) (result i32) (return_call $a (i32.sub (local.get 0) "
        "(i32.const 1)))))";
    must_tell(NULL, CALLS, text, 1, "0>f(1) 0>b(1) 0>f(0) 0<f=9 ");
}

Test(trace, traps) {
    static const char text[] = "(module (func $g (export \"g\") unreachable)"
                               "  (func $f (export \"f\") (param i32) call $g))";
    must_tell(NULL, CALLS, text, 1, "0>f(1) 1>g() 0!f ");
}

Test(trace, exceptions_leave_functions_without_a_word) {
    static const char text[] = "(module (tag $t) (func $g (export \"g\") throw $t)"
                               "  (func $f (export \"f\") (param i32) (result i32)"
                               "    block $l try_table (catch $t $l) call $g end end i32.const 4))";
    must_tell(NULL, CALLS, text, 1, "0>f(1) 1>g() 0<f=4 ");
}

/* ---- functions of the host ---- */

static wr_error_t *twice(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)context;
    if (slots[0].i32 == 0) return wr_trap_new("nothing");
    slots[0].u64 = (uint32_t)slots[0].i32 * 2;
    return NULL;
}

/* Calls the export "f" of its caller. */
static wr_error_t *back(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    wr_instance_t *instance = wr_caller_instance(caller);
    (void)context;
    return wr_func_call_slots(wr_caller_store(caller), wr_instance_func(instance, "f"), slots);
}

static const char imports[] =
    "(module (import \"m\" \"twice\" (func $twice (param i32) (result i32)))"
    "  (import \"m\" \"back\" (func $back (param i32) (result i32)))"
    "  (func $f (export \"f\") (param i32) (result i32) (call $twice (local.get 0)))"
    "  (func $g (export \"g\") (param i32) (result i32) (return_call $back (local.get 0))))";

static void must_tell_host(const char *name, int32_t argument, const char *expected) {
    Told told = {0};
    Bench b = traced(NULL, CALLS, &told);
    must(wr_linker_define_func(b.linker, "m", "twice", "i>i", twice, NULL, NULL));
    must(wr_linker_define_func(b.linker, "m", "back", "i>i", back, NULL, NULL));
    wr_instance_t *instance = text_instance(&b, imports);
    wr_error_delete(call_i32(&b, instance, name, argument, NULL));
    cr_assert_str_eq(told.text, expected);
    bench_delete(&b);
}

Test(trace, host_functions) {
    must_tell_host("f", 4, "0>f(4) 1>twice(4) 1<twice=8 0<f=8 ");
    must_tell_host("f", 0, "0>f(0) 1>twice(0) 1!twice 0!f ");
}

Test(trace, calls_from_host_functions) {
    must_tell_host("g", 3, "0>g(3) 1>back(3) 1>f(3) 2>twice(3) 2<twice=6 1<f=6 1<back=6 ");
}

/* ---- limits ---- */

Test(trace, fuel_and_deadlines_hold) {
    Told told = {0};
    Bench b = traced(NULL, WR_TRACE_CALL, &told);
    wr_instance_t *instance =
        text_instance(&b, "(module (func $f (export \"f\") (param i32) (loop (br 0))))");
    wr_store_set_fuel(b.store, 100000);
    must_trap(call_i32(&b, instance, "f", 1, NULL), WR_TRAP_OUT_OF_FUEL);
    wr_store_set_fuel(b.store, UINT64_MAX);
    must(wr_store_set_timeout(b.store, 20000000));
    must_trap(call_i32(&b, instance, "f", 1, NULL), WR_TRAP_DEADLINE);
    cr_assert_str_eq(told.text, "0>f(1) 0>f(1) ");
    bench_delete(&b);
}

/* The same code costs the same. */
Test(trace, fuel_is_what_it_is_without) {
    uint64_t left[2];
    Told told = {0};
    for (int i = 0; i < 2; i++) {
        Bench b = i ? traced(NULL, WR_TRACE_INSTRUCTION, &told) : bench_new(NULL);
        wr_instance_t *instance = text_instance(&b, fib);
        wr_store_set_fuel(b.store, 1000000);
        cr_assert_eq(get_i32(&b, instance, "f", 9), 34);
        left[i] = wr_store_fuel(b.store);
        bench_delete(&b);
    }
    cr_assert_eq(left[0], left[1]);
    cr_assert_gt(told.instructions, 1000u);
}
