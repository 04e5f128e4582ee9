/*
 * capi_extern.c - externals and instances of wasm.h.
 */
#include "capi.h"

#include "link.h"

/* ---- kinds ---------------------------------------------------------------------------------- */

wasm_externkind_t wasm_extern_kind(const wasm_extern_t *external) {
    return (wasm_externkind_t)OBJECT_OF(external)->kind;
}

#define DEFINE_AS_EXTERN(name, its_kind)                                                           \
    wasm_extern_t *wasm_##name##_as_extern(wasm_##name##_t *object) {                              \
        return (wasm_extern_t *)(void *)object;                                                    \
    }                                                                                              \
    const wasm_extern_t *wasm_##name##_as_extern_const(const wasm_##name##_t *object) {            \
        return (const wasm_extern_t *)(const void *)object;                                        \
    }                                                                                              \
    wasm_##name##_t *wasm_extern_as_##name(wasm_extern_t *external) {                              \
        bool is = external && OBJECT_OF(external)->kind == (its_kind);                             \
        return is ? (wasm_##name##_t *)(void *)external : NULL;                                    \
    }                                                                                              \
    const wasm_##name##_t *wasm_extern_as_##name##_const(const wasm_extern_t *external) {          \
        bool is = external && OBJECT_OF(external)->kind == (its_kind);                             \
        return is ? (const wasm_##name##_t *)(const void *)external : NULL;                        \
    }

DEFINE_AS_EXTERN(func, OBJECT_FUNC)
DEFINE_AS_EXTERN(global, OBJECT_GLOBAL)
DEFINE_AS_EXTERN(table, OBJECT_TABLE)
DEFINE_AS_EXTERN(memory, OBJECT_MEMORY)
DEFINE_AS_EXTERN(tag, OBJECT_TAG)

static wasm_externtype_t *func_type(const wasm_func_t *func) {
    wasm_functype_t *type = wasm_func_type(func);
    return type ? wasm_functype_as_externtype(type) : NULL;
}

wasm_externtype_t *wasm_extern_type(const wasm_extern_t *external) {
    const Object *object = OBJECT_OF(external);
    if (!object->store) return NULL;
    const TypeTable *types = object->store->store->engine->types;
    switch ((int)object->kind) {
    case OBJECT_FUNC: return func_type(wasm_extern_as_func_const(external));
    case OBJECT_GLOBAL:
        return wr_capi_globaltype(types, object->of.global->type, object->of.global->mutable);
    case OBJECT_TABLE: {
        const Table *table = object->of.table;
        u64 max = table->has_max ? table->max : UINT64_MAX;
        return wr_capi_tabletype(types, table->type, table->size, max);
    }
    case OBJECT_MEMORY: {
        const Memory *memory = object->of.memory;
        return wr_capi_memorytype(memory_pages(memory),
                                  memory->has_max ? memory->max_pages : UINT64_MAX);
    }
    default: return wr_capi_tagtype(types, object->of.tag->type);
    }
}

/* ---- from and to the runtime's externals ---------------------------------------------------- */

Object *wr_capi_extern(wasm_store_t *store, const ExternVal *value) {
    switch (value->kind) {
    case EXT_FUNC: return wr_capi_object(store, OBJECT_FUNC, value->of.func);
    case EXT_GLOBAL: return wr_capi_object(store, OBJECT_GLOBAL, value->of.global);
    case EXT_TABLE: return wr_capi_object(store, OBJECT_TABLE, value->of.table);
    case EXT_MEMORY: return wr_capi_object(store, OBJECT_MEMORY, value->of.memory);
    case EXT_TAG: break;
    }
    return wr_capi_object(store, OBJECT_TAG, value->of.tag);
}

/* False if it belongs to another store, or to one that is gone. */
static bool to_extern_val(wasm_store_t *store, const wasm_extern_t *external, ExternVal *out) {
    const Object *object = OBJECT_OF(external);
    if (!object || object->store != store) return false;
    switch ((int)object->kind) {
    case OBJECT_FUNC: *out = (ExternVal){EXT_FUNC, {.func = object->of.func}}; break;
    case OBJECT_GLOBAL: *out = (ExternVal){EXT_GLOBAL, {.global = object->of.global}}; break;
    case OBJECT_TABLE: *out = (ExternVal){EXT_TABLE, {.table = object->of.table}}; break;
    case OBJECT_MEMORY: *out = (ExternVal){EXT_MEMORY, {.memory = object->of.memory}}; break;
    default: *out = (ExternVal){EXT_TAG, {.tag = object->of.tag}}; break;
    }
    return true;
}

/* ---- instances ------------------------------------------------------------------------------ */

static Error *resolve(wasm_store_t *store, const Module *module, const wasm_extern_vec_t *given,
                      ExternVal *imports) {
    size_t n = given ? given->size : 0;
    for (u32 i = 0; i < module->nimports; i++) {
        if (i >= n || !given->data[i]) return wr_link_unknown(&module->imports[i]);
        if (!to_extern_val(store, given->data[i], &imports[i]))
            return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "import %u belongs to another store", i);
    }
    return NULL;
}

static Error *instantiate(wasm_store_t *store, Module *module, const wasm_extern_vec_t *given,
                          Instance **instance) {
    if (module->engine != store->store->engine)
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "the module belongs to another engine");
    ExternVal *imports = wr_alloc_array(&wr_alloc_system, module->nimports, sizeof *imports);
    if (module->nimports > 0 && !imports) return ERROR_OOM;
    Error *error = resolve(store, module, given, imports);
    if (!error) error = wr_instance_new(store->store, module, imports, instance);
    wr_free(&wr_alloc_system, imports, module->nimports * sizeof *imports);
    return error;
}

wasm_instance_t *wasm_instance_new(wasm_store_t *store, const wasm_module_t *module,
                                   const wasm_extern_vec_t *imports, wasm_trap_t **trap) {
    Instance *instance = NULL;
    Object *object = NULL;
    Error *error = instantiate(store, OBJECT_OF(module)->of.module, imports, &instance);
    if (!error) {
        object = wr_capi_object(store, OBJECT_INSTANCE, instance);
        if (!object) error = ERROR_OOM;
    }
    if (trap) *trap = error ? wr_capi_trap(store, error) : NULL;
    if (!trap) wr_error_delete(error);
    return (wasm_instance_t *)(void *)object;
}

static ExternVal export_of(const Instance *i, const Export *export) {
    switch (export->kind) {
    case EXT_FUNC: return (ExternVal){EXT_FUNC, {.func = i->funcs[export->index]}};
    case EXT_GLOBAL: return (ExternVal){EXT_GLOBAL, {.global = i->globals[export->index]}};
    case EXT_TABLE: return (ExternVal){EXT_TABLE, {.table = i->tables[export->index]}};
    case EXT_MEMORY: return (ExternVal){EXT_MEMORY, {.memory = i->memories[export->index]}};
    case EXT_TAG: break;
    }
    return (ExternVal){EXT_TAG, {.tag = i->tags[export->index]}};
}

void wasm_instance_exports(const wasm_instance_t *instance, wasm_extern_vec_t *out) {
    const Object *object = OBJECT_OF(instance);
    wasm_extern_vec_new_empty(out);
    if (!object->store) return;
    const Module *module = object->of.instance->module;
    wasm_extern_vec_new_uninitialized(out, module->nexports);
    for (size_t i = 0; i < out->size; i++) {
        ExternVal value = export_of(object->of.instance, &module->exports[i]);
        out->data[i] = (wasm_extern_t *)(void *)wr_capi_extern(object->store, &value);
        if (!out->data[i]) wasm_extern_vec_delete(out);
    }
}
