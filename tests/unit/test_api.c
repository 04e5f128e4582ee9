/* The public interface: lifetimes, modules, values, host functions, running out of memory. */
#define _GNU_SOURCE
#include "embed_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "store.h"

/* ---- engines and modules -------------------------------------------------------------------- */

/* Imports "m" "f" (i32) -> i32, exports "f", "memory", has a custom section. */
static Wasm small_module(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 1, I32, 1, I32);
    SECTION(&w, S_IMPORT, 1, 1, 'm', 1, 'f', X_FUNC, 0);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_MEMORY, 1, 0, 1);
    wasm_open(&w, S_EXPORT);
    BYTES(&w, 2);
    wasm_export(&w, "f", X_FUNC, 1);
    wasm_export(&w, "memory", X_MEMORY, 0);
    wasm_close(&w);
    SECTION(&w, S_CODE, 1, 6, 0, LOCAL_GET, 0, CALL, 0, END);
    SECTION(&w, 0, 4, 'n', 'o', 't', 'e', 'h', 'i');
    return w;
}

Test(api, versions_agree) {
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", WR_VERSION_MAJOR, WR_VERSION_MINOR, WR_VERSION_PATCH);
    cr_assert_str_eq(wr_version(), text);
    cr_assert_str_eq(WR_VERSION_STRING, text);
}

Test(api, modules_can_be_looked_into) {
    Bench b = bench_new(NULL);
    Wasm w = small_module();
    wr_module_t *module;
    must(wr_module_new(b.engine, w.data, w.size, &module));
    memset(w.data, 0xFF, sizeof w.data); /* it was copied */
    wr_import_t import;
    wr_export_t export_;
    cr_assert_eq(wr_module_import_count(module), 1u);
    cr_assert(wr_module_import(module, 0, &import));
    cr_assert_arr_eq(import.module.data, "m", import.module.size);
    cr_assert_eq(import.kind, WR_EXTERN_FUNC);
    cr_assert_not(wr_module_import(module, 1, &import));
    cr_assert_eq(wr_module_export_count(module), 2u);
    cr_assert(wr_module_export(module, 1, &export_));
    cr_assert_eq(export_.kind, WR_EXTERN_MEMORY);
    cr_assert_eq(export_.name.size, 6u);
    cr_assert_not(wr_module_export(module, 2, &export_));
    const void *data;
    size_t size;
    cr_assert(wr_module_custom_section(module, "note", &data, &size));
    cr_assert_eq(size, 2u);
    cr_assert_arr_eq(data, "hi", 2);
    cr_assert_not(wr_module_custom_section(module, "not", &data, &size));
    wr_module_stats_t stats;
    wr_module_get_stats(module, &stats);
    cr_assert_eq(stats.functions, 1u);
    wr_module_delete(module);
    bench_delete(&b);
}

Test(api, bytes_that_are_no_module) {
    Bench b = bench_new(NULL);
    wr_module_t *module;
    must_fail(wr_module_new(b.engine, NULL, 0, &module), WR_ERROR_MALFORMED, "unexpected end");
    cr_assert_null(module);
    must_fail(wr_module_new(b.engine, "\0asn\1\0\0\0", 8, &module), WR_ERROR_MALFORMED,
              "magic header not detected");
    must_fail(wr_module_validate(b.engine, "", 0), WR_ERROR_MALFORMED, "unexpected end");
    must(wr_module_validate(b.engine, "\0asm\1\0\0\0", 8));
    must_fail(wr_module_open(b.engine, "/nonexistent.wasm", &module), WR_ERROR_IO,
              "/nonexistent.wasm: No such file");
    must_fail(wr_module_open(b.engine, "/", &module), WR_ERROR_IO, "/: Is a directory");
    bench_delete(&b);
}

Test(api, files_are_opened) {
    Bench b = bench_new(NULL);
    Wasm w = small_module();
    char path[] = "/tmp/wr-test-api-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, w.data, w.size), (ssize_t)w.size);
    wr_module_t *module;
    must(wr_module_open(b.engine, path, &module));
    cr_assert_eq(wr_module_export_count(module), 2u);
    wr_module_delete(module);
    cr_assert_eq(ftruncate(fd, 0), 0);
    must_fail(wr_module_open(b.engine, path, &module), WR_ERROR_MALFORMED, "unexpected end");
    close(fd);
    unlink(path);
    bench_delete(&b);
}

Test(api, features_can_be_turned_off) {
    wr_config_t *config = wr_config_new();
    cr_assert_not(wr_config_set_feature(config, "no-such-thing", true));
    cr_assert_not(wr_config_set_feature(config, "", true));
    cr_assert(wr_config_set_feature(config, "multi-memory", false));
    Bench b = bench_new(config);
    Wasm w = wasm_begin();
    SECTION(&w, S_MEMORY, 2, 0, 1, 0, 1);
    wr_error_t *error = wr_module_validate(b.engine, w.data, w.size);
    cr_assert_not_null(error);
    wr_error_delete(error);
    bench_delete(&b);
    b = bench_new(NULL);
    must(wr_module_validate(b.engine, w.data, w.size));
    bench_delete(&b);
}

static wr_error_t *increment(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    (void)context;
    slots[0].u64 = slots[0].u32 + 1;
    return NULL;
}

Test(api, objects_are_deleted_in_any_order) {
    Bench b = bench_new(NULL);
    Wasm w = small_module();
    wr_module_t *module;
    wr_instance_t *i;
    must(wr_module_new(b.engine, w.data, w.size, &module));
    must(wr_linker_define_func(b.linker, "m", "f", "i>i", increment, NULL, NULL));
    must(wr_linker_instantiate(b.linker, b.store, module, &i));
    wr_engine_delete(b.engine);
    wr_module_delete(module);
    cr_assert_eq(get_i32(&b, i, "f", 1), 2);
    wr_store_delete(b.store);
    wr_linker_delete(b.linker);
    wr_engine_delete(NULL);
    wr_module_delete(NULL);
    wr_store_delete(NULL);
    wr_linker_delete(NULL);
}

/* ---- values --------------------------------------------------------------------------------- */

static wr_error_t *nothing(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    (void)context;
    (void)slots;
    return NULL;
}

/* An instance that imports "m" "f" with type (n types) -> (the same) and exports a function "f"
 * that calls it. */
static wr_instance_t *identity(Bench *b, const u8 *types, u32 n, const char *signature) {
    must(wr_linker_define_func(b->linker, "m", "f", signature, nothing, NULL, NULL));
    Wasm w = wasm_begin();
    wasm_open(&w, S_TYPE);
    BYTES(&w, 1, 0x60);
    wasm_u32(&w, n);
    wasm_bytes(&w, types, n);
    wasm_u32(&w, n);
    wasm_bytes(&w, types, n);
    wasm_close(&w);
    SECTION(&w, S_IMPORT, 1, 1, 'm', 1, 'f', X_FUNC, 0);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_EXPORT, 1, 1, 'f', X_FUNC, 1);
    wasm_open(&w, S_CODE);
    Wasm body = {.size = 0};
    BYTES(&body, 0);
    for (u32 i = 0; i < n; i++) {
        BYTES(&body, LOCAL_GET);
        wasm_u32(&body, i);
    }
    BYTES(&body, CALL, 0, END);
    BYTES(&w, 1);
    wasm_sized(&w, body.data, body.size);
    wasm_close(&w);
    return instantiate(b, &w);
}

static const u8 all_types[] = {I32, V128, I64, F32, F64, FUNCREF, EXTERNREF, V128};

Test(api, values_of_all_kinds_pass_through) {
    Bench b = bench_new(NULL);
    wr_instance_t *i = identity(&b, all_types, 8, "ivIfFcev>ivIfFcev");
    wr_func_t *f = wr_instance_func(i, "f");
    int value;
    uint64_t ref;
    must(wr_extern_new(b.store, &value, &ref));
    wr_val_t args[8] = {{.kind = WR_I32, .of.i32 = -5},
                        {.kind = WR_V128, .of.v128 = {1, 2, 3, 4, 5, 6, 7, 8, 9}},
                        {.kind = WR_I64, .of.i64 = -6},
                        {.kind = WR_F32, .of.f32 = 1.5f},
                        {.kind = WR_F64, .of.f64 = -2.5},
                        {.kind = WR_FUNCREF, .of.ref = f->handle},
                        {.kind = WR_EXTERNREF, .of.ref = ref},
                        {.kind = WR_V128, .of.v128 = {[15] = 0xFF}}};
    wr_val_t results[8];
    cr_assert_eq(wr_func_param_count(f), 8u);
    cr_assert_eq(wr_func_result_count(f), 8u);
    for (u32 k = 0; k < 8; k++) {
        cr_assert_eq(wr_func_param(f, k), args[k].kind);
        cr_assert_eq(wr_func_result(f, k), args[k].kind);
    }
    must(wr_func_call(b.store, f, args, 8, results, 8));
    cr_assert_eq(results[0].of.i32, -5);
    cr_assert_arr_eq(results[1].of.v128, args[1].of.v128, 16);
    cr_assert_eq(results[2].of.i64, -6);
    cr_assert_eq(results[3].of.f32, 1.5f);
    cr_assert_eq(results[4].of.f64, -2.5);
    cr_assert_eq(results[5].of.ref, f->handle);
    void *back;
    cr_assert(wr_extern_value(b.store, results[6].of.ref, &back));
    cr_assert_eq(back, (void *)&value);
    cr_assert_arr_eq(results[7].of.v128, args[7].of.v128, 16);
    bench_delete(&b);
}

Test(api, wrong_arguments_are_refused) {
    Bench b = bench_new(NULL), other = bench_new(NULL);
    wr_instance_t *i = identity(&b, (const u8[]){I32, FUNCREF, EXTERNREF}, 3, "ice>ice");
    wr_func_t *f = wr_instance_func(i, "f");
    wr_val_t args[3] = {{.kind = WR_I32}, {.kind = WR_FUNCREF}, {.kind = WR_EXTERNREF}}, results[3];
    must(wr_func_call(b.store, f, args, 3, results, 3));
    cr_assert_eq(results[1].of.ref, 0u);
    must_fail(wr_func_call(b.store, f, args, 2, results, 3), WR_ERROR_USAGE, "wrong number");
    must_fail(wr_func_call(b.store, f, args, 3, results, 2), WR_ERROR_USAGE, "no room");
    must_fail(wr_func_call(other.store, f, args, 3, results, 3), WR_ERROR_USAGE, "the function");
    args[0].kind = WR_I64;
    must_fail(wr_func_call(b.store, f, args, 3, results, 3), WR_ERROR_USAGE, "argument 1 of 3");
    args[0].kind = WR_I32;
    static const uint64_t no_refs[] = {4, 2, 1u << 30, (uint64_t)1 << 33, UINT64_MAX, 8};
    for (size_t k = 0; k < ARRAY_LEN(no_refs); k++) {
        args[2].of.ref = no_refs[k];
        must_fail(wr_func_call(b.store, f, args, 3, results, 3), WR_ERROR_USAGE, "argument 3 of 3");
    }
    args[2].of.ref = 0;
    args[1].of.ref = 1000;
    must_fail(wr_func_call(b.store, f, args, 3, results, 3), WR_ERROR_USAGE, "argument 2 of 3");
    bench_delete(&b);
    bench_delete(&other);
}

Test(api, many_arguments) {
    Bench b = bench_new(NULL);
    enum { N = 500 };
    u8 types[N];
    char signature[2 * N + 2];
    memset(types, I64, N);
    memset(signature, 'I', sizeof signature);
    signature[N] = '>';
    signature[2 * N + 1] = '\0';
    wr_func_t *f = wr_instance_func(identity(&b, types, N, signature), "f");
    static wr_val_t args[N], results[N];
    for (int k = 0; k < N; k++) args[k] = (wr_val_t){.kind = WR_I64, .of.i64 = k * 3};
    must(wr_func_call(b.store, f, args, N, results, N));
    for (int k = 0; k < N; k++) cr_assert_eq(results[k].of.i64, k * 3);
    bench_delete(&b);
}

Test(api, typed_references_are_checked) {
    Bench b = bench_new(NULL);
    Wasm w = wasm_begin();
    /* types 0: () -> (), 1: (ref 0) -> (); functions of each, exported "a" and "b" */
    SECTION(&w, S_TYPE, 2, 0x60, 0, 0, 0x60, 1, 0x64, 0, 0);
    SECTION(&w, S_FUNC, 2, 0, 1);
    SECTION(&w, S_EXPORT, 2, 1, 'a', X_FUNC, 0, 1, 'b', X_FUNC, 1);
    SECTION(&w, S_CODE, 2, 2, 0, END, 2, 0, END);
    wr_instance_t *i = instantiate(&b, &w);
    wr_func_t *a = wr_instance_func(i, "a"), *f = wr_instance_func(i, "b");
    wr_val_t arg = {.kind = WR_FUNCREF, .of.ref = a->handle};
    must(wr_func_call(b.store, f, &arg, 1, NULL, 0));
    arg.of.ref = f->handle;
    must_fail(wr_func_call(b.store, f, &arg, 1, NULL, 0), WR_ERROR_USAGE, "argument 1");
    arg.of.ref = 0;
    must_fail(wr_func_call(b.store, f, &arg, 1, NULL, 0), WR_ERROR_USAGE, "argument 1");
    bench_delete(&b);
}

/* ---- host functions ------------------------------------------------------------------------- */

/* Writes its argument's double at that address, through the caller's memory. */
static wr_error_t *poke(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    uint8_t *p = wr_caller_memory(caller, slots[0].u32, 1);
    *(wr_instance_t **)context = wr_caller_instance(caller);
    if (!p) return wr_trap_new("bad address");
    *p = (uint8_t)(2 * slots[0].u32);
    return NULL;
}

Test(api, host_functions_see_their_callers_memory) {
    Bench b = bench_new(NULL);
    wr_instance_t *seen = NULL;
    must(wr_linker_define_func(b.linker, "m", "f", "i>i", poke, &seen, NULL));
    Wasm w = small_module();
    wr_instance_t *i = instantiate(&b, &w);
    cr_assert_eq(get_i32(&b, i, "f", 21), 21);
    cr_assert_eq(seen, i);
    cr_assert_eq(wr_memory_data(wr_instance_memory(i, "memory"))[21], 42);
    cr_assert_eq(get_i32(&b, i, "f", 65535), 65535);
    must_fail(call_i32(&b, i, "f", 65536, NULL), WR_ERROR_TRAP, "bad address");
    must_fail(call_i32(&b, i, "f", -1, NULL), WR_ERROR_TRAP, "bad address");
    wr_caller_t caller = {.store = b.store, .instance = i};
    cr_assert_eq(wr_caller_store(&caller), b.store);
    cr_assert_not_null(wr_caller_memory(&caller, 65536, 0));
    cr_assert_null(wr_caller_memory(&caller, 65537, 0));
    cr_assert_not_null(wr_caller_memory(&caller, 0, 65536));
    cr_assert_null(wr_caller_memory(&caller, 0, 65537));
    cr_assert_null(wr_caller_memory(&caller, UINT64_MAX, 2));
    caller.instance = NULL;
    cr_assert_null(wr_caller_memory(&caller, 0, 1));
    bench_delete(&b);
}

static wr_error_t *exit_seven(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    (void)context;
    (void)slots;
    return wr_exit_new(7);
}

Test(api, exits_pass_through) {
    Bench b = bench_new(NULL);
    must(wr_linker_define_func(b.linker, "m", "f", "i>i", exit_seven, NULL, NULL));
    Wasm w = small_module();
    wr_error_t *error = call_i32(&b, instantiate(&b, &w), "f", 0, NULL);
    uint32_t status = 0;
    cr_assert_eq(wr_error_kind(error), WR_ERROR_EXIT);
    cr_assert(wr_error_exit_status(error, &status));
    cr_assert_eq(status, 7u);
    wr_error_delete(error);
    bench_delete(&b);
}

/* Calls "f" of the instance that called it with one less, down to 0. */
static wr_error_t *call_back(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)context;
    if (slots[0].u32 == 0) return NULL;
    wr_func_t *f = wr_instance_func(wr_caller_instance(caller), "f");
    wr_val_t arg = i32_val((int32_t)slots[0].u32 - 1), result;
    wr_error_t *error = wr_func_call(wr_caller_store(caller), f, &arg, 1, &result, 1);
    if (!error) slots[0].u64 = (uint32_t)result.of.i32 + 1;
    return error;
}

Test(api, host_functions_may_call_back) {
    Bench b = bench_new(NULL);
    must(wr_linker_define_func(b.linker, "m", "f", "i>i", call_back, NULL, NULL));
    Wasm w = small_module();
    wr_instance_t *i = instantiate(&b, &w);
    cr_assert_eq(get_i32(&b, i, "f", 50), 50);
    must_trap(call_i32(&b, i, "f", 1 << 30, NULL), WR_TRAP_STACK_EXHAUSTED);
    cr_assert_eq(get_i32(&b, i, "f", 50), 50);
    bench_delete(&b);
}

/* ---- running out of memory ------------------------------------------------------------------ */

/* Something of everything: imports, globals, tables, all kinds of segments, a memory, start. */
static Wasm rich_module(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 1, I32, 1, I32, 0x60, 0, 0);
    wasm_open(&w, S_IMPORT);
    BYTES(&w, 2);
    wasm_import(&w, "m", "f", X_FUNC);
    BYTES(&w, 0);
    wasm_import(&w, "m", "g", X_FUNC);
    BYTES(&w, 0);
    wasm_close(&w);
    SECTION(&w, S_FUNC, 2, 0, 1);
    SECTION(&w, S_TABLE, 2, 0x70, 0, 20, 0x40, 0, 0x70, 0, 3, 0xD2, 0, END);
    SECTION(&w, S_MEMORY, 2, 0, 1, 1, 1, 2);
    SECTION(&w, S_TAG, 1, 0, 1);
    SECTION(&w, S_GLOBAL, 2, I32, 1, I32_CONST, 5, END, 0x70, 0, 0xD2, 3, END);
    wasm_open(&w, S_EXPORT);
    BYTES(&w, 2);
    wasm_export(&w, "f", X_FUNC, 2);
    wasm_export(&w, "memory", X_MEMORY, 0);
    wasm_close(&w);
    SECTION(&w, S_START, 3);
    SECTION(&w, S_ELEM, 3, 0, 0x41, 1, END, 2, 0, 2, 1, 0, 1, 3, 5, 0x70, 1, 0xD2, 1, END);
    wasm_open(&w, S_CODE);
    BYTES(&w, 2);
    BODY(&w, 0, LOCAL_GET, 0, CALL, 0, END);
    BODY(&w, 0, 0x41, 6, 0x24, 0, END);
    wasm_close(&w);
    SECTION(&w, S_DATA, 2, 0, 0x41, 0, END, 1, 'x', 1, 1, 'y');
    return w;
}

/* All of it: engine, module, linker, instance, call. The first error, or NULL. */
static wr_error_t *everything(const Alloc *alloc, const Wasm *w) {
    wr_config_t *config = wr_config_new();
    wr_config_set_allocator(config, alloc->func, alloc->context);
    wr_engine_t *engine;
    wr_error_t *error = wr_engine_new(config, &engine);
    if (error) return error;
    wr_store_t *store = NULL;
    wr_module_t *module = NULL;
    wr_instance_t *i;
    wr_linker_t *linker = wr_linker_new(engine);
    error = linker ? wr_store_new(engine, &store) : wr_error_new(WR_ERROR_MEMORY, "linker");
    if (!error) error = wr_linker_define_func(linker, "m", "f", "i>i", increment, NULL, NULL);
    if (!error) error = wr_linker_define_func(linker, "m", "g", "i>i", increment, NULL, NULL);
    if (!error) error = wr_module_new(engine, w->data, w->size, &module);
    if (!error) error = wr_linker_instantiate(linker, store, module, &i);
    if (!error) error = wr_linker_define_instance(linker, "n", i);
    if (!error) error = wr_store_set_timeout(store, 1000000000000);
    wr_val_t arg = i32_val(1), result;
    if (!error) error = wr_func_call(store, wr_instance_func(i, "f"), &arg, 1, &result, 1);
    if (!error) cr_assert_eq(result.of.i32, 2);
    wr_linker_delete(linker);
    wr_store_delete(store);
    wr_module_delete(module);
    wr_engine_delete(engine);
    return error;
}

static void fail_each_allocation(bool sticky) {
    Wasm w = rich_module();
    for (size_t n = 1;; n++) {
        FailAlloc state = {.fail_at = n, .sticky = sticky};
        Alloc alloc = wr_alloc_failing(&state);
        wr_error_t *error = everything(&alloc, &w);
        cr_assert_eq(state.live_bytes, 0, "allocation %zu: %lld bytes left", n,
                     (long long)state.live_bytes);
        if (state.calls < n) {
            must(error);
            cr_assert_gt(n, 20u);
            return;
        }
        if (error)
            cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY, "%s", wr_error_message(error));
        wr_error_delete(error);
    }
}

Test(api, survives_every_failing_allocation) {
    fail_each_allocation(false);
    fail_each_allocation(true);
}

/* A store that failed to instantiate can go on. */
Test(api, stores_survive_failing_instantiation) {
    Wasm w = rich_module();
    FailAlloc state = {0};
    Alloc alloc = wr_alloc_failing(&state);
    wr_config_t *config = wr_config_new();
    wr_config_set_allocator(config, alloc.func, alloc.context);
    Bench b = bench_new(config);
    must(wr_linker_define_func(b.linker, "m", "f", "i>i", increment, NULL, NULL));
    must(wr_linker_define_func(b.linker, "m", "g", "i>i", increment, NULL, NULL));
    wr_module_t *module;
    must(wr_module_new(b.engine, w.data, w.size, &module));
    wr_instance_t *i = NULL;
    for (size_t n = 1; i == NULL; n++) {
        u32 handles = b.store->nfuncs, memories = b.store->nmemories;
        state = (FailAlloc){.fail_at = n};
        wr_error_t *error = wr_linker_instantiate(b.linker, b.store, module, &i);
        if (error && !b.store->instances) {
            cr_assert_eq(b.store->nfuncs, handles);
            cr_assert_eq(b.store->nmemories, memories);
            cr_assert_eq(b.store->used_instances, 0u);
            cr_assert_eq(b.store->budget->used_memory, 0u);
            cr_assert_eq(b.store->used_tables, 0u);
        }
        wr_error_delete(error);
    }
    cr_assert_eq(get_i32(&b, i, "f", 4), 5);
    wr_module_delete(module);
    bench_delete(&b);
}
