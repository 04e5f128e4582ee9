/*
 * test_alarms.c - deadlines and interruptions reach code that does not poll (interpreter/interp.c: alarms): in
 * whatever way it goes round, by bytes and by ids, while others of the same engine go on.
 */
#include "embed_support.h"
#include "store.h"
#include "text_support.h"

/* Functions that never end. Each takes a turn of its loop or a call every so few instructions. */
static const char *const endless =
    "(module (import \"h\" \"h\" (func $h)) (memory 1) (tag $t) (type $f (func)) (type $s (struct "
    "(field i32)))"
    " (table 2 funcref) (elem (i32.const 0) $again $again)"
    " (func $nop)"
    " (func (export \"br\") (loop (br 0)))"
    " (func (export \"br_if\") (loop (br_if 0 (i32.const 1))))"
    " (func (export \"fused\") (local i32)"
    "  (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 0)))"
    "    (i32.const 9)))))"
    " (func (export \"if\") (local i32) (loop (if (i32.eqz (local.get 0)) (then (br 1)))))"
    " (func (export \"else\") (loop (if (i32.const 1) (then (nop)) (else (nop))) (br 0)))"
    " (func (export \"table\") (local i32) (loop (block (br_table 0 1 1 (i32.const 2)))))"
    " (func (export \"popping\") (loop (i32.const 1) (br 0)))"
    " (func (export \"null\") (loop (br_on_null 0 (ref.null $s)) drop))"
    " (func (export \"cast\") (struct.new $s (i32.const 1))"
    "  (loop (param anyref) (result anyref) (br_on_cast 0 anyref (ref $s))) drop)"
    " (func (export \"call\") (loop (call $nop) (br 0)))"
    " (func (export \"host\") (loop (call $h) (br 0)))"
    " (func $down (export \"recursion\") (param i32) (result i32)"
    "  (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))"
    "   (else (drop (call $down (i32.sub (local.get 0) (i32.const 1))))"
    "    (call $down (i32.sub (local.get 0) (i32.const 1))))))"
    " (func $again (export \"tail\") (return_call $again))"
    " (func (export \"indirect\") (return_call_indirect (type $f) (i32.const 1)))"
    " (func $ref (export \"ref\") (return_call_ref $f (ref.func $ref)))"
    " (func (export \"catch\") (loop (try_table (catch $t 0) (throw $t))))"
    " (func (export \"deep\") (block (loop (loop (block (br 1)))))))";

static wr_error_t *do_nothing(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)context, (void)slots;
    return NULL;
}

typedef struct Mode {
    wr_memory_mode_t memory;
    uint32_t warm_after;
} Mode;
static const Mode modes[] = {{WR_MEMORY_GUARD, 0},
                             {WR_MEMORY_GUARD, 1000},
                             {WR_MEMORY_EXPLICIT, 0},
                             {WR_MEMORY_GUARD, UINT32_MAX}};

static Bench bench_in(Mode mode) {
    wr_config_t *config = wr_config_new();
    cr_assert_not_null(config);
    wr_config_set_memory_mode(config, mode.memory);
    wr_config_set_warm_after(config, mode.warm_after);
    Bench b = bench_new(config);
    must(wr_linker_define_func(b.linker, "h", "h", ">", do_nothing, NULL, NULL));
    return b;
}

#define MS 1000000u

static wr_func_t *func_at(const wr_module_t *module, wr_instance_t *instance, size_t i,
                          wr_name_t *name) {
    wr_export_t export_;
    wr_extern_t item;
    cr_assert(wr_module_export(module, i, &export_));
    cr_assert(wr_instance_export_at(instance, i, &item));
    *name = export_.name;
    return item.of.func;
}

Test(alarms, stop_whatever_goes_round, .timeout = 240) {
    for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
        Bench b = bench_in(modes[m]);
        wr_module_t *module = text_module(&b, endless);
        wr_instance_t *instance;
        must(wr_linker_instantiate(b.linker, b.store, module, &instance));
        for (size_t i = 0; i < wr_module_export_count(module); i++) {
            wr_name_t name;
            wr_func_t *func = func_at(module, instance, i, &name);
            wr_val_t arg = i32_val(1000), result;
            must(wr_store_set_timeout(b.store, 2 * MS));
            wr_error_t *error = wr_func_call(b.store, func, &arg, wr_func_param_count(func),
                                             &result, wr_func_result_count(func));
            cr_assert_not_null(error, "mode %u: %.*s ended", m, (int)name.size, name.data);
            cr_assert_eq(wr_error_trap_code(error), WR_TRAP_DEADLINE, "mode %u: %.*s: %s", m,
                         (int)name.size, name.data, wr_error_message(error));
            wr_error_delete(error);
        }
        wr_module_delete(module);
        bench_delete(&b);
    }
}

/* ---- several at a time ---- */

static const char *const work =
    "(module (func (export \"endless\") (loop (br 0)))"
    " (func $fib (param i32) (result i32)"
    "  (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))"
    "   (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
    "    (call $fib (i32.sub (local.get 0) (i32.const 2)))))))"
    " (func (export \"work\") (param i32) (result i32) (local i32)"
    "  (loop (local.set 1 (i32.add (local.get 1) (call $fib (i32.const 10))))"
    "   (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
    "  (local.get 1)))";

enum { VICTIMS = 3, WORKERS = 2, STOPS = 100, ROUNDS = 400 };

typedef struct Runner {
    Bench b; /* with a store of its own */
    wr_instance_t *instance;
    OsThread *thread;
    u64 fuel; /* UINT64_MAX: none */
    atomic_int stopped;
    atomic_bool *quit;
} Runner;

static void start(Runner *r, Bench *b, wr_module_t *module, void (*run)(void *)) {
    r->b = *b;
    must(wr_store_new(b->engine, &r->b.store));
    must(wr_linker_instantiate(b->linker, r->b.store, module, &r->instance));
    wr_store_set_interruptible(r->b.store, true);
    if (r->fuel != 0) wr_store_set_fuel(r->b.store, UINT64_MAX - 1);
    r->thread = wr_os_thread_start(run, r);
    cr_assert_not_null(r->thread);
}

static void finish(Runner *r) {
    wr_os_thread_join(r->thread);
    wr_store_delete(r->b.store);
}

static void be_stopped(void *context) {
    Runner *r = context;
    for (int i = 0; i < STOPS; i++) {
        must_trap(call_i32(&r->b, r->instance, "endless", 0, NULL), WR_TRAP_INTERRUPTED);
        r->stopped++;
    }
}

static void do_work(void *context) {
    Runner *r = context;
    while (!*r->quit) cr_assert_eq(get_i32(&r->b, r->instance, "work", ROUNDS), 55 * ROUNDS);
}

/* Each victim is stopped a hundred times, as soon as the last stop has been seen. */
Test(alarms, reach_those_that_are_meant, .timeout = 240) {
    for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
        Bench b = bench_in(modes[m]);
        wr_module_t *module = text_module(&b, work);
        Runner victims[VICTIMS] = {{.fuel = 0}, {.fuel = 0}, {.fuel = 1}}, workers[WORKERS] = {0};
        int asked[VICTIMS] = {0}, done = 0;
        atomic_bool quit = false;
        for (int i = 0; i < WORKERS; i++) {
            workers[i].quit = &quit;
            start(&workers[i], &b, module, do_work);
        }
        for (int i = 0; i < VICTIMS; i++) start(&victims[i], &b, module, be_stopped);
        while (done < VICTIMS) {
            done = 0;
            for (int i = 0; i < VICTIMS; i++) {
                if (asked[i] == STOPS) done++;
                if (asked[i] == STOPS || victims[i].stopped < asked[i]) continue;
                wr_store_interrupt(victims[i].b.store);
                asked[i]++;
            }
        }
        for (int i = 0; i < VICTIMS; i++) finish(&victims[i]);
        quit = true;
        for (int i = 0; i < WORKERS; i++) finish(&workers[i]);
        wr_module_delete(module);
        bench_delete(&b);
    }
}

/* ---- what a host function changes meanwhile ---- */

static wr_error_t *set_fuel(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)context, (void)slots;
    wr_store_set_fuel(wr_caller_store(caller), 1000);
    return NULL;
}

/* An activation that is not metered leaves fuel alone, even while it polls. */
Test(alarms, count_no_fuel) {
    for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
        Bench b = bench_in(modes[m]);
        must(wr_linker_define_func(b.linker, "h", "fuel", ">", set_fuel, NULL, NULL));
        wr_instance_t *instance = text_instance(
            &b, "(module (import \"h\" \"fuel\" (func $fuel)) (func (export \"f\") (param i32)"
                " (call $fuel) (loop (br_if 0 (local.tee 0"
                "  (i32.sub (local.get 0) (i32.const 1)))))))");
        wr_interpreter.alarm(b.engine, 1);
        wr_store_set_interruptible(b.store, true);
        must(call_i32(&b, instance, "f", 100000, NULL));
        cr_assert_eq(wr_store_fuel(b.store), 1000);
        must_trap(call_i32(&b, instance, "f", 100000, NULL), WR_TRAP_OUT_OF_FUEL);
        wr_interpreter.alarm(b.engine, -1);
        bench_delete(&b);
    }
}
