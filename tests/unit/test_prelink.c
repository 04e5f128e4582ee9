/* Pre-linked modules: what is the same in every instance, what must not be, what comes back when a
 * store is used again, and what happens when memory is short. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "embed_support.h"
#include "prelink.h"

static const wr_memory_mode_t modes[] = {WR_MEMORY_GUARD, WR_MEMORY_EXPLICIT};

static const char *const text =
    "(type $t (func (result i32)))"
    "(import \"m\" \"f\" (func $f (param i32) (result i32)))"
    "(memory (export \"memory\") 2 40)"
    "(data (i32.const 70000) \"hello\") (data (i32.const 70002) \"L\") (data $p \"passive\")"
    "(table $t (export \"t\") 4 40 funcref)"
    "(elem (i32.const 1) func $one $two) (elem $e func $two $one)"
    "(global $g (export \"g\") (mut i32) (i32.const 7))"
    "(global $r (mut funcref) (ref.func $two))"
    "(start $start)"
    "(func $start (global.set $g (i32.add (global.get $g) (i32.const 1))))"
    "(func $one (export \"one\") (result i32) (i32.const 1))"
    "(func $two (result i32) (i32.const 2))"
    "(func (export \"host\") (param i32) (result i32) (call $f (local.get 0)))"
    "(func (export \"at\") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))"
    "(func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
    "(func (export \"store\") (param i32) (result i32)"
    "  (i32.store8 (local.get 0) (i32.const 99)) (i32.const 0))"
    "(func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
    "(func (export \"size\") (param i32) (result i32) (memory.size))"
    "(func $down (export \"down\") (param i32) (result i32)"
    "  (if (result i32) (local.get 0)"
    "    (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 5))))"
    "(func (export \"init\") (param i32) (result i32)"
    "  (memory.init $p (i32.const 0) (i32.const 0) (i32.const 7)) (data.drop $p)"
    "  (table.init $e (i32.const 0) (i32.const 0) (i32.const 2)) (elem.drop $e) (i32.const 0))"
    /* everything that a guest can change */
    "(func (export \"spoil\") (param $pages i32) (result i32) (local $i i32)"
    "  (global.set $g (i32.const 1000)) (global.set $r (ref.null func))"
    "  (table.fill (i32.const 0) (ref.null func) (table.size))"
    "  (drop (table.grow (ref.func $two) (i32.const 30)))"
    "  (drop (memory.grow (local.get $pages)))"
    "  (memory.fill (i32.const 0) (i32.const 0xEE) (i32.mul (memory.size) (i32.const 65536)))"
    "  (data.drop $p) (elem.drop $e) (i32.const 0))";

static wr_error_t *increment(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)context;
    slots[0].u64 = slots[0].u32 + 1;
    return NULL;
}

typedef struct Setup {
    wr_engine_t *engine;
    wr_linker_t *linker;
    wr_module_t *module;
    wr_prelinked_t *pre;
} Setup;

static wr_error_t *try_setup(wr_config_t *config, const char *wat, Setup *s) {
    *s = (Setup){0};
    uint8_t *bytes;
    size_t size;
    must(wr_wat_to_wasm(wat, strlen(wat), NULL, false, &bytes, &size));
    wr_error_t *error = wr_engine_new(config, &s->engine);
    if (!error) {
        s->linker = wr_linker_new(s->engine);
        error = s->linker ? wr_linker_define_func(s->linker, "m", "f", "i>i", increment, NULL, NULL)
                          : wr_error_new(WR_ERROR_MEMORY, "linker");
    }
    if (!error) error = wr_module_new(s->engine, bytes, size, &s->module);
    if (!error) error = wr_linker_prelink(s->linker, s->module, &s->pre);
    wr_bytes_delete(bytes, size);
    return error;
}

static void finish(Setup *s) {
    wr_prelinked_delete(s->pre);
    wr_linker_delete(s->linker);
    wr_module_delete(s->module);
    wr_engine_delete(s->engine);
}

static Setup setup_in(wr_memory_mode_t mode, const char *wat) {
    wr_config_t *config = wr_config_new();
    wr_config_set_memory_mode(config, mode);
    Setup s;
    must(try_setup(config, wat, &s));
    return s;
}

/* The one instance of a new store. */
static wr_instance_t *fresh(const Setup *s, wr_store_t **store) {
    wr_instance_t *instance;
    must(wr_prelinked_new_store(s->pre, store));
    must(wr_prelinked_instantiate(s->pre, *store, &instance));
    return instance;
}

static wr_error_t *try_call(wr_store_t *store, wr_instance_t *i, const char *name, int32_t arg,
                            int32_t *result) {
    wr_func_t *func = wr_instance_func(i, name);
    cr_assert_not_null(func, "%s", name);
    wr_slot_t slots[1] = {{.u64 = (uint32_t)arg}};
    wr_error_t *error = wr_func_call_slots(store, func, slots);
    *result = slots[0].i32;
    return error;
}

static int32_t call(wr_store_t *store, wr_instance_t *i, const char *name, int32_t arg) {
    int32_t result;
    must(try_call(store, i, name, arg, &result));
    return result;
}

static void must_trap_at(wr_store_t *store, wr_instance_t *i, int32_t address) {
    int32_t ignored;
    must_trap(try_call(store, i, "load", address, &ignored), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
}

/* All that a guest can see of its instance is as the module says. */
static void must_be_new(wr_store_t *store, wr_instance_t *i) {
    wr_memory_t *memory = wr_instance_memory(i, "memory");
    cr_assert_eq(wr_memory_size(memory), 131072u);
    const uint8_t *data = wr_memory_data(memory);
    for (uint32_t k = 0; k < 131072; k++) {
        uint8_t wanted = k >= 70000 && k < 70005 ? (uint8_t)"heLlo"[k - 70000] : 0;
        cr_assert_eq(data[k], wanted, "byte %u", k);
    }
    cr_assert_eq(call(store, i, "load", 70002), 'L');
    must_trap_at(store, i, 131072);
    cr_assert_eq(global_i32(i, "g"), 8, "and the start function has run");
    int32_t ignored;
    must_trap(try_call(store, i, "at", 0, &ignored), WR_TRAP_UNINITIALIZED_ELEMENT);
    cr_assert_eq(call(store, i, "at", 1), 1);
    cr_assert_eq(call(store, i, "at", 2), 2);
    must_trap(try_call(store, i, "at", 3, &ignored), WR_TRAP_UNINITIALIZED_ELEMENT);
    must_trap(try_call(store, i, "at", 4, &ignored), WR_TRAP_UNDEFINED_ELEMENT);
    cr_assert_eq(call(store, i, "host", 41), 42);
    cr_assert_eq(call(store, i, "init", 0), 0);
    cr_assert_arr_eq(data, "passive", 7);
    cr_assert_eq(call(store, i, "at", 0), 2);
    cr_assert_eq(call(store, i, "down", 1000), 5);
}

Test(prelink, instances_are_new_however_their_stores_were_used) {
    static const int32_t spoils[] = {0, 1, 3, 38, 0}; /* 38 pages: more than a place has room for */
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Setup s = setup_in(modes[m], text);
        cr_assert(s.pre->has_kits);
        for (size_t k = 0; k < ARRAY_LEN(spoils); k++) {
            wr_store_t *store;
            wr_instance_t *i = fresh(&s, &store);
            must_be_new(store, i);
            call(store, i, "spoil", spoils[k]);
            cr_assert_eq(call(store, i, "size", 0), 2 + spoils[k]);
            wr_store_delete(store);
        }
        wr_prelinked_stats_t stats;
        wr_prelinked_get_stats(s.pre, &stats);
        cr_assert_eq(stats.made, 1u);
        cr_assert_eq(stats.reused, 4u);
        cr_assert_eq(stats.idle, 1u);
        cr_assert_eq(stats.live, 0u);
        finish(&s);
    }
}

/* The kernel does not say what was written, or nothing may be kept. */
Test(prelink, pages_are_dropped_when_that_is_all_that_can_be_done) {
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        for (int scan = 0; scan < 2; scan++) {
            wr_config_t *config = wr_config_new();
            wr_config_set_memory_mode(config, modes[m]);
            wr_config_set_pool(config, 2, scan ? 0 : (size_t)1 << 20);
            Setup s;
            must(try_setup(config, text, &s));
            bool worked = s.pre->scanner.works;
            if (!scan) s.pre->scanner.works = false;
            for (int n = 0; n < 3; n++) {
                wr_store_t *store;
                wr_instance_t *i = fresh(&s, &store);
                must_be_new(store, i);
                call(store, i, "spoil", n);
                wr_store_delete(store);
            }
            s.pre->scanner.works = worked;
            finish(&s);
        }
    }
}

Test(prelink, a_pool_keeps_no_more_than_it_may) {
    wr_config_t *config = wr_config_new();
    wr_config_set_pool(config, 3, 1 << 20);
    Setup s;
    must(try_setup(config, text, &s));
    wr_store_t *stores[10];
    for (int round = 0; round < 3; round++) {
        for (int k = 0; k < 10; k++) (void)fresh(&s, &stores[k]);
        for (int k = 0; k < 10; k++) wr_store_delete(stores[k]);
        wr_prelinked_stats_t stats;
        wr_prelinked_get_stats(s.pre, &stats);
        cr_assert_eq(stats.idle, 3u);
        cr_assert_eq(stats.live, 0u);
    }
    finish(&s);
}

/* When the budget of mappings is spent, memories are explicit, next to each other, and work. */
Test(prelink, goes_on_without_mappings) {
    enum { COUNT = 150 };
    Setup s = setup_in(WR_MEMORY_GUARD, text);
    s.engine->mappings_known = true;
    size_t before = s.engine->mappings;
    s.engine->mappings = 30;
    static wr_store_t *stores[COUNT];
    static wr_instance_t *instances[COUNT];
    int guarded = 0;
    for (int k = 0; k < COUNT; k++) {
        instances[k] = fresh(&s, &stores[k]);
        guarded += wr_instance_memory(instances[k], "memory")->is_guarded;
        call(stores[k], instances[k], "store", 65536 + k);
    }
    cr_assert_eq(guarded, 10);
    for (int k = 0; k < COUNT; k++) {
        for (int other = 0; other < COUNT; other++) {
            int32_t byte = call(stores[k], instances[k], "load", 65536 + other);
            cr_assert_eq(byte, k == other ? 99 : 0);
        }
        must_trap_at(stores[k], instances[k], 131072);
        if (k % 3 == 0) call(stores[k], instances[k], "spoil", 20);
    }
    for (int k = 0; k < COUNT; k++) wr_store_delete(stores[k]);
    for (int k = 0; k < COUNT; k++) {
        instances[k] = fresh(&s, &stores[k]);
        must_be_new(stores[k], instances[k]);
    }
    for (int k = 0; k < COUNT; k++) wr_store_delete(stores[k]);
    wr_prelinked_delete(s.pre);
    s.pre = NULL;
    cr_assert_eq(s.engine->mappings, 30u, "all are given back");
    s.engine->mappings = before;
    finish(&s);
}

Test(prelink, images_are_mapped_where_it_pays) {
    static char wat[300 << 10];
    char *p = wat;
    p += sprintf(p, "(memory (export \"memory\") 16) (data (i32.const 4097) \"");
    for (int k = 0; k < 90000; k++) p += sprintf(p, "\\7f");
    sprintf(p, "\") (func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
               "(func (export \"store\") (param i32) (result i32)"
               "  (i32.store8 (local.get 0) (i32.const 99)) (i32.const 0))");
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Setup s = setup_in(modes[m], wat);
        cr_assert_eq(s.pre->images[0].start % wr_os_page_size(), 0u);
        for (int n = 0; n < 4; n++) {
            wr_store_t *store;
            wr_instance_t *i = fresh(&s, &store);
            for (int32_t k = 0; k < (1 << 20); k += 5) {
                int32_t wanted = k >= 4097 && k < 94097 ? 0x7F : 0;
                cr_assert_eq(wr_memory_data(wr_instance_memory(i, "memory"))[k], wanted, "%d", k);
            }
            for (int32_t k = 0; k < (1 << 20); k += 4096 << n) call(store, i, "store", k + n);
            wr_store_delete(store);
        }
        finish(&s);
    }
}

/* ---- what stores are otherwise -------------------------------------------------------------- */

Test(prelink, limits_hold_and_are_forgotten) {
    Setup s = setup_in(WR_MEMORY_AUTO, text);
    wr_store_t *store;
    wr_instance_t *i;
    must(wr_prelinked_new_store(s.pre, &store));
    wr_store_limit_memory(store, 131071);
    must_fail(wr_prelinked_instantiate(s.pre, store, &i), WR_ERROR_MEMORY, "memory limit");
    wr_store_delete(store);
    i = fresh(&s, &store);
    wr_store_limit_memory(store, 3 * 65536);
    cr_assert_eq(call(store, i, "grow", 1), 2);
    cr_assert_eq(call(store, i, "grow", 1), -1);
    wr_store_set_fuel(store, 100);
    int32_t ignored;
    must_trap(try_call(store, i, "down", 1000, &ignored), WR_TRAP_OUT_OF_FUEL);
    wr_store_set_fuel(store, 1000);
    must(wr_store_set_timeout(store, 1));
    must_trap(try_call(store, i, "down", 10, &ignored), WR_TRAP_DEADLINE);
    wr_store_set_interruptible(store, true);
    wr_store_interrupt(store);
    must(wr_store_set_data(store, &s, &s));
    wr_store_delete(store);
    i = fresh(&s, &store);
    cr_assert_null(wr_store_data(store, &s));
    cr_assert_eq(wr_store_fuel(store), UINT64_MAX);
    must_be_new(store, i);
    cr_assert_eq(call(store, i, "grow", 2), 2);
    wr_store_delete(store);
    finish(&s);
}

Test(prelink, stores_may_hold_more_than_the_one_instance) {
    Setup s = setup_in(WR_MEMORY_AUTO, text);
    for (int n = 0; n < 3; n++) {
        wr_store_t *store;
        wr_instance_t *first = fresh(&s, &store), *second, *third;
        must(wr_prelinked_instantiate(s.pre, store, &second));
        must(wr_linker_instantiate(s.linker, store, s.module, &third));
        must_be_new(store, first);
        must_be_new(store, second);
        call(store, first, "spoil", 1);
        must_be_new(store, third);
        uint64_t ref;
        must(wr_extern_new(store, &ref, &ref));
        wr_store_delete(store);
    }
    /* and in a store that was not made for it */
    wr_store_t *plain;
    wr_instance_t *i;
    must(wr_store_new(s.engine, &plain));
    must(wr_prelinked_instantiate(s.pre, plain, &i));
    must_be_new(plain, i);
    wr_store_delete(plain);
    finish(&s);
}

Test(prelink, everything_may_be_deleted_before_the_stores) {
    Setup s = setup_in(WR_MEMORY_AUTO, text);
    wr_store_t *store;
    wr_instance_t *i = fresh(&s, &store);
    finish(&s);
    must_be_new(store, i);
    wr_store_delete(store);
}

Test(prelink, peers_may_outlive_the_store) {
    Setup s = setup_in(WR_MEMORY_AUTO, text);
    wr_store_t *store, *peer;
    wr_instance_t *i = fresh(&s, &store);
    must(wr_store_new_peer(store, &peer));
    wr_store_delete(store);
    wr_prelinked_stats_t stats;
    wr_prelinked_get_stats(s.pre, &stats);
    cr_assert_eq(stats.idle, 0u, "its budget is still in use");
    must(wr_prelinked_instantiate(s.pre, peer, &i));
    must_be_new(peer, i);
    wr_store_delete(peer);
    finish(&s);
}

enum { KEEPERS = 64 }; /* MAX_KEEPERS of interp.c */

Test(prelink, some_stores_keep_their_stack_others_are_lent_one) {
    Setup s = setup_in(WR_MEMORY_AUTO, text);
    wr_store_t *stores[KEEPERS], *a, *b;
    wr_instance_t *ia, *ib;
    for (int k = 0; k < KEEPERS; k++) {
        ia = fresh(&s, &stores[k]);
        cr_assert_eq(call(stores[k], ia, "down", 3), 5);
        cr_assert_not_null(stores[k]->fiber, "store %d", k);
    }
    ib = fresh(&s, &b);
    cr_assert_eq(call(b, ib, "down", 50000), 5);
    cr_assert_null(b->fiber, "too many have one");
    wr_store_delete(stores[0]);
    ia = fresh(&s, &a);
    cr_assert_eq(call(a, ia, "down", 50000), 5);
    cr_assert_not_null(a->fiber, "one less has one");
    for (int k = 0; k < 200; k++) cr_assert_eq(call(b, ib, "down", 3), 5);
    cr_assert_null(b->fiber);
    wr_store_delete(a);
    wr_store_delete(b);
    for (int k = 1; k < KEEPERS; k++) wr_store_delete(stores[k]);
    finish(&s);
}

/* ---- what cannot be had --------------------------------------------------------------------- */

static void must_not_prelink(const char *wat, wr_error_kind_t kind, const char *message) {
    Setup s;
    must_fail(try_setup(NULL, wat, &s), kind, message);
    cr_assert_null(s.pre);
    finish(&s);
}

Test(prelink, errors_are_found_once) {
    must_not_prelink("(import \"m\" \"g\" (func))", WR_ERROR_UNLINKABLE, "unknown import");
    must_not_prelink("(import \"m\" \"f\" (func))", WR_ERROR_UNLINKABLE, "incompatible import");
    must_not_prelink("(import \"m\" \"f\" (global i32))", WR_ERROR_UNLINKABLE,
                     "incompatible import");
    must_not_prelink("(memory 1) (data (i32.const 65536) \"x\")", WR_ERROR_TRAP, "out of bounds");
    Setup s = setup_in(WR_MEMORY_AUTO, text), other = setup_in(WR_MEMORY_AUTO, text);
    wr_store_t *store;
    wr_instance_t *i = fresh(&s, &store);
    wr_prelinked_t *pre;
    must(wr_linker_define_instance(s.linker, "m", i));
    must(wr_linker_define_func(s.linker, "m", "f", "i>i", increment, NULL, NULL));
    must(wr_linker_prelink(s.linker, s.module, &pre));
    wr_prelinked_delete(pre);
    must_fail(wr_linker_prelink(other.linker, s.module, &pre), WR_ERROR_USAGE, "linker and module");
    must_fail(wr_prelinked_instantiate(other.pre, store, &i), WR_ERROR_USAGE, "the store belongs");
    wr_store_delete(store);
    finish(&s);
    finish(&other);
}

Test(prelink, a_failing_start_function_spoils_nothing) {
    Setup s = setup_in(WR_MEMORY_AUTO, "(memory 1) (start 0) (func (i32.store (i32.const 0)"
                                       " (i32.const 1)) (unreachable))");
    for (int n = 0; n < 3; n++) {
        wr_store_t *store;
        wr_instance_t *i;
        must(wr_prelinked_new_store(s.pre, &store));
        must_trap(wr_prelinked_instantiate(s.pre, store, &i), WR_TRAP_UNREACHABLE);
        cr_assert_null(i);
        wr_store_delete(store);
    }
    finish(&s);
}

/* Objects and shared memories are of one store: those are made anew each time. */
Test(prelink, some_modules_have_no_kits) {
    static const char *const wats[] = {
        "(type $s (struct (field i32))) (global $g (ref $s) (struct.new $s (i32.const 5)))"
        "(func (export \"f\") (param i32) (result i32) (struct.get $s 0 (global.get $g)))",
        "(memory 1 2 shared) (data (i32.const 3) \"\\05\")"
        "(func (export \"f\") (param i32) (result i32) (i32.load8_u (i32.const 3)))",
    };
    for (size_t k = 0; k < ARRAY_LEN(wats); k++) {
        Setup s = setup_in(WR_MEMORY_AUTO, wats[k]);
        cr_assert_not(s.pre->has_kits);
        for (int n = 0; n < 2; n++) {
            wr_store_t *store;
            wr_instance_t *i = fresh(&s, &store);
            cr_assert_eq(call(store, i, "f", 0), 5);
            wr_store_delete(store);
        }
        finish(&s);
    }
}

/* The garbage-collected heap goes with the guest. */
Test(prelink, heaps_are_not_handed_on) {
    Setup s =
        setup_in(WR_MEMORY_AUTO,
                 "(type $s (struct (field i32))) (global $g (mut (ref null $s)) (ref.null $s))"
                 "(func (export \"f\") (param i32) (result i32)"
                 "  (if (i32.eqz (ref.is_null (global.get $g))) (then (unreachable)))"
                 "  (global.set $g (struct.new $s (local.get 0)))"
                 "  (struct.get $s 0 (global.get $g)))");
    cr_assert(s.pre->has_kits);
    for (int n = 0; n < 3; n++) {
        wr_store_t *store;
        wr_instance_t *i = fresh(&s, &store);
        wr_heap_stats_t stats;
        wr_store_get_heap_stats(store, &stats);
        cr_assert_eq(stats.allocated_bytes, 0u);
        cr_assert_eq(call(store, i, "f", n + 3), n + 3);
        wr_store_delete(store);
    }
    finish(&s);
}

/* ---- WASI contexts of stores ---------------------------------------------------------------- */

/* Copies standard input to standard output, in pieces of 5 bytes, and returns how many there were. */
static const char *const copying =
    "(import \"wasi_snapshot_preview1\" \"fd_read\""
    "  (func $read (param i32 i32 i32 i32) (result i32)))"
    "(import \"wasi_unstable\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))"
    "(memory (export \"memory\") 1)"
    "(func (export \"copy\") (param i32) (result i32) (local $pieces i32)"
    "  (i32.store (i32.const 0) (i32.const 100))"
    "  (block $done (loop $next"
    "    (i32.store (i32.const 4) (i32.const 5))"
    "    (br_if $done (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"
    "    (br_if $done (i32.eqz (i32.load (i32.const 8))))"
    "    (i32.store (i32.const 4) (i32.load (i32.const 8)))"
    "    (br_if $done (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"
    "    (local.set $pieces (i32.add (local.get $pieces) (i32.const 1))) (br $next)))"
    "  (local.get $pieces))";

typedef struct Buffer {
    char bytes[32];
    size_t size, at;
} Buffer;

static wr_error_t *take(void *context, void *bytes, size_t size, size_t *done) {
    Buffer *from = context;
    *done = size < from->size - from->at ? size : from->size - from->at;
    memcpy(bytes, from->bytes + from->at, *done);
    from->at += *done;
    return NULL;
}

static wr_error_t *put(void *context, const void *bytes, size_t size) {
    Buffer *to = context;
    if (size > sizeof to->bytes - to->size) return wr_trap_new("too much output");
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    return NULL;
}

Test(prelink, stores_have_wasi_contexts_of_their_own) {
    uint8_t *bytes;
    size_t size;
    must(wr_wat_to_wasm(copying, strlen(copying), NULL, false, &bytes, &size));
    Setup s = {0};
    must(wr_engine_new(NULL, &s.engine));
    s.linker = wr_linker_new(s.engine);
    must(wr_wasi_link_stores(s.linker));
    must(wr_module_new(s.engine, bytes, size, &s.module));
    must(wr_linker_prelink(s.linker, s.module, &s.pre));
    wr_bytes_delete(bytes, size);
    Buffer in[2] = {{"one two three", 13, 0}, {"1234567890", 10, 0}}, out[2] = {0};
    wr_store_t *stores[2];
    wr_instance_t *instances[2];
    wr_wasi_t *contexts[2];
    for (int k = 0; k < 2; k++) {
        instances[k] = fresh(&s, &stores[k]);
        contexts[k] = wr_wasi_new();
        must(wr_wasi_set_stream(contexts[k], 0, &(wr_wasi_stream_t){take, NULL, &in[k]}));
        must(wr_wasi_set_stream(contexts[k], 1, &(wr_wasi_stream_t){NULL, put, &out[k]}));
        must_fail(wr_wasi_set_stream(contexts[k], 3, NULL), WR_ERROR_USAGE, "no standard stream");
    }
    int32_t ignored;
    must_trap(try_call(stores[0], instances[0], "copy", 0, &ignored), WR_TRAP_HOST);
    for (int k = 0; k < 2; k++) must(wr_wasi_attach(contexts[k], stores[k]));
    cr_assert_eq(call(stores[0], instances[0], "copy", 0), 3);
    cr_assert_eq(call(stores[1], instances[1], "copy", 0), 2);
    cr_assert_eq(out[0].size, 13u);
    cr_assert_arr_eq(out[0].bytes, "one two three", 13);
    cr_assert_arr_eq(out[1].bytes, "1234567890", 10);
    in[0].at = 0;
    out[0].size = 30;
    must_trap(try_call(stores[0], instances[0], "copy", 0, &ignored), WR_TRAP_HOST);
    must(wr_wasi_set_stream(contexts[1], 0, NULL));
    cr_assert_eq(call(stores[1], instances[1], "copy", 0), 0, "nothing to read");
    for (int k = 0; k < 2; k++) {
        wr_store_delete(stores[k]);
        wr_wasi_delete(contexts[k]);
    }
    wr_store_t *store;
    wr_instance_t *i = fresh(&s, &store);
    must_trap(try_call(store, i, "copy", 0, &ignored), WR_TRAP_HOST);
    wr_store_delete(store);
    finish(&s);
}

/* ---- short of memory ------------------------------------------------------------------------ */

static wr_error_t *everything(const Alloc *alloc) {
    wr_config_t *config = wr_config_new();
    wr_config_set_allocator(config, alloc->func, alloc->context);
    wr_config_set_pool(config, 1, 1 << 20);
    Setup s;
    wr_error_t *error = try_setup(config, text, &s);
    wr_store_t *a = NULL, *b = NULL;
    wr_instance_t *i;
    int32_t result = 0;
    if (!error) s.engine->mappings = 3; /* for one guarded memory */
    if (!error) error = wr_prelinked_new_store(s.pre, &a);
    if (!error) error = wr_prelinked_instantiate(s.pre, a, &i);
    if (!error) error = wr_prelinked_new_store(s.pre, &b);
    if (!error) error = wr_prelinked_instantiate(s.pre, b, &i);
    if (!error) error = wr_store_set_data(b, &s, &s);
    if (!error) error = try_call(b, i, "spoil", 30, &result);
    if (!error) error = wr_prelinked_instantiate(s.pre, b, &i);
    wr_store_delete(a);
    wr_store_delete(b);
    a = NULL;
    if (!error) error = wr_prelinked_new_store(s.pre, &a);
    if (!error) error = wr_prelinked_instantiate(s.pre, a, &i);
    wr_store_delete(a);
    finish(&s);
    return error;
}

static void fail_each_allocation(bool sticky) {
    for (size_t n = 1;; n++) {
        FailAlloc state = {.fail_at = n, .sticky = sticky};
        Alloc alloc = wr_alloc_failing(&state);
        wr_error_t *error = everything(&alloc);
        cr_assert_eq(state.live_bytes, 0, "allocation %zu: %lld bytes left", n,
                     (long long)state.live_bytes);
        if (state.calls < n) {
            must(error);
            cr_assert_gt(n, 40u);
            return;
        }
        if (error)
            cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY, "%s", wr_error_message(error));
        wr_error_delete(error);
    }
}

Test(prelink, survives_every_failing_allocation) {
    fail_each_allocation(false);
    fail_each_allocation(true);
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 150 };

static void *use_pool(void *argument) {
    const Setup *s = argument;
    for (int n = 0; n < ROUNDS; n++) {
        wr_store_t *store, *second;
        wr_instance_t *i = fresh(s, &store), *other = fresh(s, &second);
        cr_assert_eq(global_i32(i, "g"), 8);
        cr_assert_eq(call(store, i, "load", 70000), 'h');
        call(store, i, "spoil", n % 4);
        cr_assert_eq(call(second, other, "load", 70000), 'h');
        cr_assert_eq(call(second, other, "at", 1), 1);
        wr_store_delete(store);
        wr_store_delete(second);
    }
    return NULL;
}

Test(prelink, threads_share_a_pool) {
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Setup s = setup_in(modes[m], text);
        pthread_t threads[THREADS];
        for (int k = 0; k < THREADS; k++)
            cr_assert_eq(pthread_create(&threads[k], NULL, use_pool, &s), 0);
        for (int k = 0; k < THREADS; k++) pthread_join(threads[k], NULL);
        wr_prelinked_stats_t stats;
        wr_prelinked_get_stats(s.pre, &stats);
        cr_assert_eq(stats.made + stats.reused, 2u * THREADS * ROUNDS);
        cr_assert_eq(stats.live, 0u);
        finish(&s);
    }
}

/* ---- modes ---------------------------------------------------------------------------------- */

/* Explicit engines take no signal handler. */
Test(prelink, explicit_mode_leaves_signals_alone) {
    struct sigaction before, after;
    sigaction(SIGSEGV, NULL, &before);
    Setup s = setup_in(WR_MEMORY_EXPLICIT, text);
    wr_store_t *store;
    wr_instance_t *i = fresh(&s, &store);
    must_trap_at(store, i, 131072);
    must_trap_at(store, i, -1);
    sigaction(SIGSEGV, NULL, &after);
    cr_assert_eq((void *)before.sa_sigaction, (void *)after.sa_sigaction);
    cr_assert_lt(wr_instance_memory(i, "memory")->reserved, (u64)64 << 20, "no reservation");
    wr_store_delete(store);
    finish(&s);
}
