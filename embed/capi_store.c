/*
 * capi_store.c - configurations, engines and stores of wasm.h, and the ways between them and those of
 * wasmrun.h.
 */
#include "capi.h"

wasm_config_t *wasm_config_new(void) { return (wasm_config_t *)(void *)wr_config_new(); }
void wasm_config_delete(wasm_config_t *config) { wr_config_delete(config_of(config)); }

wasm_engine_t *wasm_engine_new(void) { return wasm_engine_new_with_config(NULL); }

wasm_engine_t *wasm_engine_new_with_config(wasm_config_t *config) {
    Engine *engine;
    Error *error = wr_engine_new(config_of(config), &engine);
    wr_error_delete(error);
    return error ? NULL : (wasm_engine_t *)(void *)engine;
}

void wasm_engine_delete(wasm_engine_t *engine) { wr_engine_delete(engine_of(engine)); }

wasm_store_t *wasm_store_new(wasm_engine_t *engine) {
    wasm_store_t *store = wr_alloc_zero(&wr_alloc_system, sizeof *store);
    if (!store) return NULL;
    Error *error = wr_store_new(engine_of(engine), &store->store);
    if (!error) return store;
    wr_error_delete(error);
    wr_free(&wr_alloc_system, store, sizeof *store);
    return NULL;
}

void wasm_store_delete(wasm_store_t *store) {
    if (!store) return;
    wr_capi_forget_objects(store);
    wr_store_delete(store->store);
    wr_free(&wr_alloc_system, store, sizeof *store);
}
