/* Linkers: host functions, instances, matching of imports. */
#include "embed_support.h"

#include <stdio.h>

#include "store.h"

/* ---- host functions ------------------------------------------------------------------------- */

static int finalized;

static void count_finalized(void *context) {
    (void)context;
    finalized++;
}

/* (i32) -> i32: adds what the context points to. */
static wr_error_t *add_context(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    slots[0].u64 = slots[0].u32 + *(uint32_t *)context;
    return NULL;
}

/* Imports "env" "f" (i32) -> i32 and exports it and a function "call" that calls it. */
static Wasm caller_module(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 1, I32, 1, I32);
    wasm_open(&w, S_IMPORT);
    BYTES(&w, 1);
    wasm_import(&w, "env", "f", X_FUNC);
    BYTES(&w, 0);
    wasm_close(&w);
    SECTION(&w, S_FUNC, 1, 0);
    wasm_open(&w, S_EXPORT);
    BYTES(&w, 2);
    wasm_export(&w, "f", X_FUNC, 0);
    wasm_export(&w, "call", X_FUNC, 1);
    wasm_close(&w);
    wasm_open(&w, S_CODE);
    BYTES(&w, 1);
    BODY(&w, 0, LOCAL_GET, 0, CALL, 0, END);
    wasm_close(&w);
    return w;
}

Test(link, host_functions_are_called) {
    Bench b = bench_new(NULL);
    uint32_t ten = 10, hundred = 100;
    Wasm w = caller_module();
    must(wr_linker_define_func(b.linker, "env", "f", "i>i", add_context, &ten, count_finalized));
    wr_instance_t *first = instantiate(&b, &w);
    must(
        wr_linker_define_func(b.linker, "env", "f", "i>i", add_context, &hundred, count_finalized));
    wr_instance_t *second = instantiate(&b, &w);
    cr_assert_eq(get_i32(&b, first, "call", 5), 15, "the definition at the time of instantiation");
    cr_assert_eq(get_i32(&b, second, "call", 5), 105);
    cr_assert_eq(get_i32(&b, second, "f", 6), 106, "called by the host itself");
    cr_assert_eq(finalized, 0);
    wr_linker_delete(b.linker);
    cr_assert_eq(finalized, 0, "the store's functions still need them");
    wr_store_delete(b.store);
    cr_assert_eq(finalized, 2);
    wr_engine_delete(b.engine);
}

Test(link, replaced_and_unused_definitions_are_finalized) {
    Bench b = bench_new(NULL);
    must(wr_linker_define_func(b.linker, "a", "f", ">", add_context, NULL, count_finalized));
    must(wr_linker_define_func(b.linker, "a", "f", "i>", add_context, NULL, count_finalized));
    cr_assert_eq(finalized, 1);
    char name[16];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "f%d", i);
        must(wr_linker_define_func(b.linker, "b", name, "v>v", add_context, NULL, count_finalized));
    }
    bench_delete(&b);
    cr_assert_eq(finalized, 502);
}

Test(link, signatures) {
    Bench b = bench_new(NULL);
    static const char *const bad[] = {"", "i", "z>", ">z", "i>i>", "i >i", "i>i ", "iI"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        must_fail(
            wr_linker_define_func(b.linker, "m", "f", bad[i], add_context, NULL, count_finalized),
            WR_ERROR_USAGE, "bad signature");
    }
    char many[LIMIT_PARAMS + LIMIT_RESULTS + 3];
    memset(many, 'i', sizeof many);
    many[LIMIT_PARAMS] = '>';
    many[LIMIT_PARAMS + 1 + LIMIT_RESULTS] = '\0';
    must(wr_linker_define_func(b.linker, "m", "f", many, add_context, NULL, count_finalized));
    many[LIMIT_PARAMS + 1 + LIMIT_RESULTS] = 'i';
    many[LIMIT_PARAMS + 2 + LIMIT_RESULTS] = '\0';
    must_fail(wr_linker_define_func(b.linker, "m", "f", many, add_context, NULL, count_finalized),
              WR_ERROR_USAGE, "bad signature");
    cr_assert_eq(finalized, 0, "failed definitions leave the context to the caller");
    bench_delete(&b);
    cr_assert_eq(finalized, 1);
}

Test(link, unknown_imports_are_named) {
    Bench b = bench_new(NULL);
    Wasm w = caller_module();
    wr_instance_t *i;
    u32 handles = b.store->nfuncs;
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_UNLINKABLE,
              "unknown import: function \"env\" \"f\"");
    must(wr_linker_define_func(b.linker, "env", "g", "i>i", add_context, NULL, NULL));
    must(wr_linker_define_func(b.linker, "en", "vf", "i>i", add_context, NULL, NULL));
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_UNLINKABLE, "unknown import");
    must(wr_linker_define_func(b.linker, "env", "f", "I>i", add_context, NULL, NULL));
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_UNLINKABLE,
              "incompatible import type: function \"env\" \"f\": expected [i32] -> [i32], "
              "found [i64] -> [i32]");
    cr_assert_eq(b.store->nfuncs, handles, "host functions made for it are gone");
    bench_delete(&b);
}

/* ---- instances ------------------------------------------------------------------------------ */

/* Exports of every kind:
 *   f: () -> i32     t: table 10..20 funcref     u: table 10 funcref      m: memory 1..2
 *   n: memory64 1    c: global i32               v: global mut i64        r: global (ref func)
 *   e: tag (i32) */
static Wasm provider(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 0, 1, I32, 0x60, 1, I32, 0);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_TABLE, 2, 0x70, 1, 10, 20, 0x70, 0, 10);
    SECTION(&w, S_MEMORY, 2, 1, 1, 2, 4, 1);
    SECTION(&w, S_TAG, 1, 0, 1);
    SECTION(&w, S_GLOBAL, 3, I32, 0, I32_CONST, 1, END, I64, 1, I64_CONST, 2, END, 0x64, 0x70, 0,
            0xD2, 0, END);
    wasm_open(&w, S_EXPORT);
    BYTES(&w, 9);
    wasm_export(&w, "f", X_FUNC, 0);
    wasm_export(&w, "t", X_TABLE, 0);
    wasm_export(&w, "u", X_TABLE, 1);
    wasm_export(&w, "m", X_MEMORY, 0);
    wasm_export(&w, "n", X_MEMORY, 1);
    wasm_export(&w, "c", X_GLOBAL, 0);
    wasm_export(&w, "v", X_GLOBAL, 1);
    wasm_export(&w, "r", X_GLOBAL, 2);
    wasm_export(&w, "e", X_TAG, 0);
    wasm_close(&w);
    SECTION(&w, S_CODE, 1, 4, 0, I32_CONST, 7, END);
    return w;
}

/* NULL if "p" `name` can be imported as that kind and type. The importer's types: 0: () -> i32, 1:
 * (i32) -> (), 2: a type that is not final, 3: a subtype of it. */
static wr_error_t *try_import(Bench *b, const char *name, u8 kind, const void *type, size_t size) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 4, 0x60, 0, 1, I32, 0x60, 1, I32, 0, 0x50, 0, 0x60, 0, 0, 0x50, 1, 2, 0x60,
            0, 0);
    wasm_open(&w, S_IMPORT);
    BYTES(&w, 1);
    wasm_import(&w, "p", name, kind);
    wasm_bytes(&w, type, size);
    wasm_close(&w);
    wr_instance_t *instance;
    return try_instantiate(b, &w, &instance);
}

#define IMPORT(name, kind, ...) try_import(&b, name, kind, BYTES_OF(__VA_ARGS__))
#define MISMATCH "incompatible import type"
#define REFUSED(...) must_fail(IMPORT(__VA_ARGS__), WR_ERROR_UNLINKABLE, MISMATCH)

static Bench with_provider(void) {
    Bench b = bench_new(NULL);
    Wasm w = provider();
    must(wr_linker_define_instance(b.linker, "p", instantiate(&b, &w)));
    return b;
}

Test(link, functions_match) {
    Bench b = with_provider();
    must(IMPORT("f", X_FUNC, 0));
    REFUSED("f", X_FUNC, 1);
    REFUSED("f", X_FUNC, 2);
    must_fail(IMPORT("f", X_GLOBAL, I32, 0), WR_ERROR_UNLINKABLE,
              MISMATCH ": global \"p\" \"f\": expected a global, found a function");
    must_fail(IMPORT("nothing", X_FUNC, 0), WR_ERROR_UNLINKABLE, "unknown import");
    bench_delete(&b);
}

Test(link, tables_match) {
    Bench b = with_provider();
    must(IMPORT("t", X_TABLE, 0x70, 0, 10));
    must(IMPORT("t", X_TABLE, 0x70, 1, 10, 20));
    must(IMPORT("t", X_TABLE, 0x70, 1, 0, 30));
    REFUSED("t", X_TABLE, 0x70, 0, 11);
    REFUSED("t", X_TABLE, 0x70, 1, 10, 19);
    REFUSED("t", X_TABLE, 0x6F, 0, 10);
    REFUSED("t", X_TABLE, 0x70, 4, 10);
    REFUSED("u", X_TABLE, 0x70, 1, 10, 20);
    REFUSED("t", X_TABLE, 0x73, 0, 10); /* nofuncref: equal types only */
    bench_delete(&b);
}

Test(link, memories_match) {
    Bench b = with_provider();
    must(IMPORT("m", X_MEMORY, 0, 1));
    must(IMPORT("m", X_MEMORY, 1, 1, 2));
    must(IMPORT("n", X_MEMORY, 4, 1));
    REFUSED("m", X_MEMORY, 0, 2);
    REFUSED("m", X_MEMORY, 1, 1, 1);
    REFUSED("m", X_MEMORY, 4, 1);
    REFUSED("m", X_MEMORY, 3, 1, 2);
    REFUSED("n", X_MEMORY, 0, 1);
    REFUSED("n", X_MEMORY, 5, 1, 2);
    bench_delete(&b);
}

Test(link, the_present_size_matches) {
    Bench b = with_provider();
    cr_assert_eq(wr_memory_grow(b.store->memories[0], 1), 1u);
    must(IMPORT("m", X_MEMORY, 0, 2));
    bench_delete(&b);
}

Test(link, globals_match) {
    Bench b = with_provider();
    must(IMPORT("c", X_GLOBAL, I32, 0));
    must(IMPORT("v", X_GLOBAL, I64, 1));
    must(IMPORT("r", X_GLOBAL, 0x64, 0x70, 0));
    must(IMPORT("r", X_GLOBAL, 0x70, 0)); /* immutable: a supertype will do */
    REFUSED("c", X_GLOBAL, I32, 1);
    REFUSED("c", X_GLOBAL, I64, 0);
    REFUSED("v", X_GLOBAL, I64, 0);
    REFUSED("v", X_GLOBAL, F64, 1);
    REFUSED("r", X_GLOBAL, 0x6F, 0);
    bench_delete(&b);
}

Test(link, tags_match) {
    Bench b = with_provider();
    must(IMPORT("e", X_TAG, 0, 1));
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 1, I64, 0);
    SECTION(&w, S_IMPORT, 1, 1, 'p', 1, 'e', X_TAG, 0, 0);
    wr_instance_t *i;
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_UNLINKABLE, MISMATCH);
    bench_delete(&b);
}

Test(link, subtypes_of_functions_match) {
    Bench b = bench_new(NULL);
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x50, 0, 0x60, 0, 0, 0x50, 1, 0, 0x60, 0, 0);
    SECTION(&w, S_FUNC, 2, 0, 1);
    SECTION(&w, S_EXPORT, 2, 1, 'a', X_FUNC, 0, 1, 'b', X_FUNC, 1);
    SECTION(&w, S_CODE, 2, 2, 0, END, 2, 0, END);
    must(wr_linker_define_instance(b.linker, "p", instantiate(&b, &w)));
    must(IMPORT("a", X_FUNC, 2));
    must(IMPORT("b", X_FUNC, 2));
    must(IMPORT("b", X_FUNC, 3));
    REFUSED("a", X_FUNC, 3);
    bench_delete(&b);
}

Test(link, later_definitions_count) {
    Bench b = bench_new(NULL);
    uint32_t one = 1;
    Wasm w = caller_module();
    must(wr_linker_define_func(b.linker, "env", "f", "i>i", add_context, &one, NULL));
    wr_instance_t *inner = instantiate(&b, &w);
    /* An instance's "f" in place of the host's; names that it does not export stay. */
    must(wr_linker_define_func(b.linker, "env", "other", "i>i", add_context, &one, NULL));
    must(wr_linker_define_instance(b.linker, "env", inner));
    wr_instance_t *outer = instantiate(&b, &w);
    cr_assert_eq(outer->funcs[0], inner->funcs[0]);
    must(wr_linker_define_func(b.linker, "env", "f", "i>i", add_context, &one, NULL));
    outer = instantiate(&b, &w);
    cr_assert_neq(outer->funcs[0], inner->funcs[0]);
    cr_assert_eq(get_i32(&b, outer, "call", 1), 2);
    bench_delete(&b);
}

Test(link, stores_and_engines_do_not_mix) {
    Bench b = bench_new(NULL), other = bench_new(NULL);
    Wasm w = provider();
    wr_instance_t *instance = instantiate(&b, &w), *none;
    must_fail(wr_linker_define_instance(other.linker, "p", instance), WR_ERROR_USAGE,
              "the instance");
    must(wr_linker_define_instance(b.linker, "p", instance));
    wr_store_t *second;
    must(wr_store_new(b.engine, &second));
    wr_module_t *module;
    must(wr_module_new(b.engine, w.data, w.size, &module));
    must_fail(wr_linker_instantiate(b.linker, second, module, &none), WR_ERROR_USAGE, "the linker");
    must_fail(wr_linker_instantiate(other.linker, b.store, module, &none), WR_ERROR_USAGE,
              "linker");
    must_fail(wr_linker_instantiate(b.linker, other.store, module, &none), WR_ERROR_USAGE,
              "linker");
    wr_module_delete(module);
    wr_store_delete(second);
    bench_delete(&b);
    bench_delete(&other);
}

/* Shared state between instances: one writes, the other reads. */
Test(link, instances_share_what_they_import) {
    Bench b = bench_new(NULL);
    Wasm w = wasm_begin();
    SECTION(&w, S_MEMORY, 1, 0, 1);
    SECTION(&w, S_GLOBAL, 1, I32, 1, I32_CONST, 3, END);
    SECTION(&w, S_EXPORT, 2, 1, 'm', X_MEMORY, 0, 1, 'g', X_GLOBAL, 0);
    wr_instance_t *owner = instantiate(&b, &w);
    must(wr_linker_define_instance(b.linker, "p", owner));
    w = wasm_begin();
    /* grow(n) = memory.grow; set(v): global 0 = v; the memory's last byte = v; get(at) */
    SECTION(&w, S_TYPE, 2, 0x60, 1, I32, 1, I32, 0x60, 1, I32, 0);
    SECTION(&w, S_IMPORT, 2, 1, 'p', 1, 'm', X_MEMORY, 0, 1, 1, 'p', 1, 'g', X_GLOBAL, I32, 1);
    SECTION(&w, S_FUNC, 3, 0, 1, 0);
    wasm_open(&w, S_EXPORT);
    BYTES(&w, 3);
    wasm_export(&w, "grow", X_FUNC, 0);
    wasm_export(&w, "set", X_FUNC, 1);
    wasm_export(&w, "get", X_FUNC, 2);
    wasm_close(&w);
    wasm_open(&w, S_CODE);
    BYTES(&w, 3);
    BODY(&w, 0, LOCAL_GET, 0, 0x40, 0, END);
    BODY(&w, 0, LOCAL_GET, 0, 0x24, 0, 0x3F, 0, 0x41, 16, 0x74, 0x41, 1, 0x6B, LOCAL_GET, 0, 0x3A,
         0, 0, END);
    BODY(&w, 0, LOCAL_GET, 0, 0x2D, 0, 0, END);
    wasm_close(&w);
    wr_instance_t *one = instantiate(&b, &w), *two = instantiate(&b, &w);
    cr_assert_eq(get_i32(&b, one, "grow", 2), 1);
    must(call_i32(&b, two, "set", 77, NULL));
    cr_assert_eq(get_i32(&b, one, "get", 3 * 65536 - 1), 77);
    cr_assert_eq(global_i32(owner, "g"), 77);
    cr_assert_eq(get_i32(&b, two, "grow", 0), 3);
    bench_delete(&b);
}
