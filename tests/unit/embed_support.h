/*
 * embed_support.h - for unit tests through the public interface: an engine, a store and a linker at
 * hand, modules from wasm_builder.h.
 */
#ifndef WR_TESTS_EMBED_SUPPORT_H
#define WR_TESTS_EMBED_SUPPORT_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "wasm_builder.h"
#include "wasmrun.h"

typedef struct Bench {
    wr_engine_t *engine;
    wr_store_t *store;
    wr_linker_t *linker;
} Bench;

/* Fails the test with the error's message. */
static inline void must(wr_error_t *error) {
    cr_assert_null(error, "%s", error ? wr_error_message(error) : "");
}

/* An error of that kind whose message begins like this; released. */
static inline void must_fail(wr_error_t *error, wr_error_kind_t kind, const char *message) {
    cr_assert_not_null(error, "no error, expected: %s", message);
    const char *actual = wr_error_message(error);
    cr_assert_eq(wr_error_kind(error), kind, "%s", actual);
    cr_assert_eq(strncmp(actual, message, strlen(message)), 0, "%s", actual);
    wr_error_delete(error);
}

static inline void must_trap(wr_error_t *error, wr_trap_code_t code) {
    cr_assert_not_null(error, "no trap");
    cr_assert_eq(wr_error_trap_code(error), code, "%s", wr_error_message(error));
    wr_error_delete(error);
}

/* With COMPILED=1 in the environment what the test loads is compiled. */
static inline Bench bench_new(wr_config_t *config) {
    Bench b = {0};
    if (getenv("COMPILED") != NULL) {
        if (config == NULL) config = wr_config_new();
        wr_config_set_engine_kind(config, WR_ENGINE_COMPILED);
        wr_config_set_opt_level(config, 0);
    }
    must(wr_engine_new(config, &b.engine));
    must(wr_store_new(b.engine, &b.store));
    b.linker = wr_linker_new(b.engine);
    cr_assert_not_null(b.linker);
    return b;
}

static inline void bench_delete(Bench *b) {
    wr_linker_delete(b->linker);
    wr_store_delete(b->store);
    wr_engine_delete(b->engine);
}

static inline wr_error_t *try_instantiate(Bench *b, const Wasm *w, wr_instance_t **instance) {
    wr_module_t *module = NULL;
    must(wr_module_new(b->engine, w->data, w->size, &module));
    wr_error_t *error = wr_linker_instantiate(b->linker, b->store, module, instance);
    wr_module_delete(module);
    return error;
}

static inline wr_instance_t *instantiate(Bench *b, const Wasm *w) {
    wr_instance_t *instance = NULL;
    must(try_instantiate(b, w, &instance));
    cr_assert_not_null(instance);
    return instance;
}

static inline wr_val_t i32_val(int32_t value) {
    return (wr_val_t){.kind = WR_I32, .of.i32 = value};
}

/* Calls an export that takes and gives at most one i32. */
static inline wr_error_t *call_i32(Bench *b, wr_instance_t *instance, const char *name, int32_t arg,
                                   int32_t *result) {
    wr_func_t *func = wr_instance_func(instance, name);
    cr_assert_not_null(func, "no function %s", name);
    wr_val_t args[1] = {i32_val(arg)}, results[1] = {{0}};
    wr_error_t *error = wr_func_call(b->store, func, args, wr_func_param_count(func), results, 1);
    if (result) *result = results[0].of.i32;
    return error;
}

static inline int32_t get_i32(Bench *b, wr_instance_t *instance, const char *name, int32_t arg) {
    int32_t result = 0;
    must(call_i32(b, instance, name, arg, &result));
    return result;
}

static inline int32_t global_i32(wr_instance_t *instance, const char *name) {
    wr_global_t *global = wr_instance_global(instance, name);
    cr_assert_not_null(global, "no global %s", name);
    wr_val_t value;
    wr_global_get(global, &value);
    cr_assert_eq(value.kind, WR_I32);
    return value.of.i32;
}

#endif
