/*
 * support.h - for the programs that use wasm.h as its users would: checks that name their line, and modules
 * from text. Plain C99 and C++ alike.
 */
#ifndef CAPI_SUPPORT_H
#define CAPI_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasm.h"
#include "wasmrun.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline wasm_byte_vec_t binary_of(const char *text) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    wr_error_t *error = wr_wat_to_wasm(text, strlen(text), NULL, true, &bytes, &size);
    if (error) fprintf(stderr, "%s\n", wr_error_message(error));
    CHECK(!error);
    wasm_byte_vec_t binary;
    wasm_byte_vec_new(&binary, size, (const wasm_byte_t *)bytes);
    wr_bytes_delete(bytes, size);
    return binary;
}

static inline wasm_module_t *module_of(wasm_store_t *store, const char *text) {
    wasm_byte_vec_t binary = binary_of(text);
    wasm_module_t *module = wasm_module_new(store, &binary);
    wasm_byte_vec_delete(&binary);
    CHECK(module);
    return module;
}

/* Fails the program if it traps; imports may be NULL. */
static inline wasm_instance_t *instance_of(wasm_store_t *store, const char *text,
                                           const wasm_extern_vec_t *imports) {
    wasm_trap_t *trap = NULL;
    wasm_module_t *module = module_of(store, text);
    wasm_instance_t *instance = wasm_instance_new(store, module, imports, &trap);
    wasm_module_delete(module);
    if (trap) {
        wasm_message_t message;
        wasm_trap_message(trap, &message);
        fprintf(stderr, "%s\n", message.data);
    }
    CHECK(instance && !trap);
    return instance;
}

/* The nth export. The caller owns the reference. */
static inline wasm_extern_t *export_of(const wasm_instance_t *instance, size_t n) {
    wasm_extern_vec_t exports;
    wasm_instance_exports(instance, &exports);
    CHECK(n < exports.size);
    wasm_extern_t *found = wasm_extern_copy(exports.data[n]);
    wasm_extern_vec_delete(&exports);
    return found;
}

static inline wasm_func_t *func_of(const wasm_instance_t *instance, size_t n) {
    wasm_func_t *func = wasm_extern_as_func(export_of(instance, n));
    CHECK(func);
    return func;
}

/* Calls it; the trap, if any, is the caller's. */
static inline wasm_trap_t *call(const wasm_func_t *func, wasm_val_t *args, size_t nargs,
                                wasm_val_t *results, size_t nresults) {
    wasm_val_vec_t from, to;
    from.size = nargs, from.data = args;
    to.size = nresults, to.data = results;
    return wasm_func_call(func, &from, &to);
}

static inline wasm_val_t i32_val(int32_t n) {
    wasm_val_t value;
    value.kind = WASM_I32;
    value.of.i32 = n;
    return value;
}

static inline wasm_val_t ref_val(wasm_valkind_t kind, wasm_ref_t *ref) {
    wasm_val_t value;
    value.kind = kind;
    value.of.ref = ref;
    return value;
}

/* Whether the trap's message is that text; deletes the trap. */
static inline bool trap_is(wasm_trap_t *trap, const char *text) {
    wasm_message_t message;
    if (!trap) return false;
    wasm_trap_message(trap, &message);
    bool same = message.size == strlen(text) + 1 && strcmp(message.data, text) == 0;
    if (!same) fprintf(stderr, "the trap says: %s\n", message.data);
    wasm_name_delete(&message);
    wasm_trap_delete(trap);
    return same;
}

#endif
