/*
 * store_support.h - engines and stores for unit tests of run-time objects, with an executor that
 * runs host functions only: what is tested with it needs no guest code.
 */
#ifndef WR_TESTS_STORE_SUPPORT_H
#define WR_TESTS_STORE_SUPPORT_H

#include "store.h"

static bool test_executor_init(Engine *engine) {
    (void)engine;
    return true;
}

static void test_executor_free(Engine *engine) { (void)engine; }

static Error *test_executor_call(Store *store, Func *func, Slot *slots) {
    Caller caller = {.store = store};
    return func->host_func(&caller, func->host_context, (wr_slot_t *)(void *)slots);
}

static const Executor test_executor = {
    .name = "test",
    .engine_init = test_executor_init,
    .engine_free = test_executor_free,
    .call = test_executor_call,
};

/* The store holds the only reference to its engine: deleting it frees both. */
static Store *new_test_store(wr_memory_mode_t mode, const Alloc *alloc) {
    struct wr_config config;
    wr_config_init(&config);
    config.memory_mode = mode;
    if (alloc) config.alloc = *alloc;
    Engine *engine = NULL;
    Store *store = NULL;
    if (wr_engine_create(&config, &test_executor, &engine) != NULL) return NULL;
    if (wr_store_new(engine, &store) != NULL) store = NULL;
    wr_engine_unref(engine);
    return store;
}

#endif
