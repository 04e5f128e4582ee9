/*
 * capi_bridge.c - from wasm.h to wasmrun.h and back.
 */
#include "capi.h"
#include "externs.h"

wr_config_t *wr_config_of_wasm(wasm_config_t *config) { return config_of(config); }
wr_engine_t *wr_engine_of_wasm(wasm_engine_t *engine) { return engine_of(engine); }
wr_store_t *wr_store_of_wasm(wasm_store_t *store) { return store->store; }

wr_module_t *wr_module_of_wasm(const wasm_module_t *module) { return OBJECT_OF(module)->of.module; }

wr_instance_t *wr_instance_of_wasm(const wasm_instance_t *instance) {
    const Object *object = OBJECT_OF(instance);
    return object->store ? object->of.instance : NULL;
}

bool wr_extern_of_wasm(const wasm_extern_t *external, wr_extern_t *out) {
    const Object *object = OBJECT_OF(external);
    if (!object->store) return false;
    switch ((int)object->kind) {
    case OBJECT_FUNC: *out = (wr_extern_t){WR_EXTERN_FUNC, {.func = object->of.func}}; break;
    case OBJECT_GLOBAL:
        *out = (wr_extern_t){WR_EXTERN_GLOBAL, {.global = object->of.global}};
        break;
    case OBJECT_TABLE: *out = (wr_extern_t){WR_EXTERN_TABLE, {.table = object->of.table}}; break;
    case OBJECT_MEMORY:
        *out = (wr_extern_t){WR_EXTERN_MEMORY, {.memory = object->of.memory}};
        break;
    default: *out = (wr_extern_t){WR_EXTERN_TAG, {.tag = object->of.tag}}; break;
    }
    return true;
}

const wr_error_t *wr_error_of_wasm(const wasm_trap_t *trap) { return OBJECT_OF(trap)->of.error; }

wasm_instance_t *wr_instance_to_wasm(wasm_store_t *store, wr_instance_t *instance) {
    if (instance->store != store->store) return NULL;
    return (wasm_instance_t *)(void *)wr_capi_object(store, OBJECT_INSTANCE, instance);
}

wasm_extern_t *wr_extern_to_wasm(wasm_store_t *store, const wr_extern_t *external) {
    ExternVal value;
    Error *error = wr_extern_check(store->store, external, &value);
    wr_error_delete(error);
    return error ? NULL : (wasm_extern_t *)(void *)wr_capi_extern(store, &value);
}
