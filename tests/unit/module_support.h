/*
 * module_support.h - engines and modules for unit tests of decoding, on an allocator that counts
 * and can be told to fail.
 */
#ifndef WR_TESTS_MODULE_SUPPORT_H
#define WR_TESTS_MODULE_SUPPORT_H

#include <criterion/criterion.h>

#include "store.h"
#include "wasm_builder.h"

/* With every feature on, but `off`, unless that is NULL. `fail` may be NULL. */
static inline Engine *new_test_engine(FailAlloc *fail, const char *off) {
    wr_config_t *config = wr_config_new();
    cr_assert_not_null(config);
    if (fail != NULL) {
        Alloc alloc = wr_alloc_failing(fail);
        wr_config_set_allocator(config, alloc.func, alloc.context);
    }
    wr_config_set_validation_threads(config, 1);
    config->features = ((Features)1 << FEATURE_COUNT) - 1;
    if (off != NULL) cr_assert(wr_config_set_feature(config, off, false), "%s", off);
    Engine *engine = NULL;
    Error *error = wr_engine_new(config, &engine);
    cr_assert_null(error);
    return engine;
}

/* The bytes are borrowed. */
static inline Module *load_module(Engine *engine, const Wasm *w) {
    Module *m = NULL;
    Error *error = wr_module_load(engine, w->data, w->size, BYTES_BORROWED, &m);
    cr_assert_null(error, "%s", error == NULL ? "" : wr_error_message(error));
    cr_assert_not_null(m);
    return m;
}

/* Loading must fail with this kind and a message that starts so, in an engine without feature
 * `off`. */
static inline void expect_error(const Wasm *w, const char *off, wr_error_kind_t kind,
                                const char *message) {
    Engine *engine = new_test_engine(NULL, off);
    Module *m = NULL;
    Error *error = wr_module_load(engine, w->data, w->size, BYTES_BORROWED, &m);
    cr_assert_not_null(error, "no error, but expected: %s", message);
    cr_assert_null(m);
    cr_assert_eq(strncmp(wr_error_message(error), message, strlen(message)), 0,
                 "got: %s, expected: %s", wr_error_message(error), message);
    cr_assert_eq(wr_error_kind(error), kind, "%s", message);
    wr_error_delete(error);
    wr_engine_unref(engine);
}

#define EXPECT_MALFORMED(w, message) expect_error(w, NULL, WR_ERROR_MALFORMED, message)
#define EXPECT_INVALID(w, message) expect_error(w, NULL, WR_ERROR_INVALID, message)

#endif
