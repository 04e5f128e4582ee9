/*
 * capi_module.c - modules of wasm.h: loading, reflection, sharing, serialization.
 *
 * A serialized module is a header and the module's own bytes, which are what the interpreter runs:
 *
 *     8 bytes "\0wrmodul" | u32 version of this format | u32 reserved, 0 | u64 size | the module
 *
 * Reading one back validates it like any other module. Nothing in it is believed.
 */
#include "capi.h"

#define HEADER_SIZE 24u
#define FORMAT_VERSION 1u
static const u8 magic[8] = {0, 'w', 'r', 'm', 'o', 'd', 'u', 'l'};

static Module *module_of(const wasm_module_t *module) { return OBJECT_OF(module)->of.module; }

/* Takes over the reference. */
static wasm_module_t *new_module(wasm_store_t *store, Module *module) {
    Object *object = wr_capi_new_object(store, OBJECT_MODULE);
    if (object)
        object->of.module = module;
    else
        wr_module_unref(module);
    return (wasm_module_t *)(void *)object;
}

/* ---- loading -------------------------------------------------------------------------------- */

static wasm_module_t *load(wasm_store_t *store, const void *bytes, size_t size) {
    Module *module;
    Error *error = wr_module_new(store->store->engine, bytes, size, &module);
    wr_error_delete(error);
    return error ? NULL : new_module(store, module);
}

wasm_module_t *wasm_module_new(wasm_store_t *store, const wasm_byte_vec_t *binary) {
    return load(store, binary->data, binary->size);
}

bool wasm_module_validate(wasm_store_t *store, const wasm_byte_vec_t *binary) {
    Error *error = wr_module_validate(store->store->engine, binary->data, binary->size);
    wr_error_delete(error);
    return !error;
}

void wasm_module_serialize(const wasm_module_t *module, wasm_byte_vec_t *out) {
    const Module *m = module_of(module);
    size_t size;
    wasm_byte_vec_new_empty(out);
    if (!add_size(HEADER_SIZE, (size_t)m->size, &size)) return;
    wasm_byte_vec_new_uninitialized(out, size);
    if (out->size == 0) return;
    u8 *data = (u8 *)out->data;
    memcpy(data, magic, sizeof magic);
    le32_store(data + 8, FORMAT_VERSION);
    le32_store(data + 12, 0);
    le64_store(data + 16, m->size);
    if (m->size > 0) memcpy(data + HEADER_SIZE, m->bytes, (size_t)m->size);
}

wasm_module_t *wasm_module_deserialize(wasm_store_t *store, const wasm_byte_vec_t *bytes) {
    const u8 *data = (const u8 *)bytes->data;
    if (bytes->size < HEADER_SIZE || memcmp(data, magic, sizeof magic) != 0) return NULL;
    if (le32_load(data + 8) != FORMAT_VERSION || le32_load(data + 12) != 0) return NULL;
    if (le64_load(data + 16) != bytes->size - HEADER_SIZE) return NULL;
    return load(store, data + HEADER_SIZE, bytes->size - HEADER_SIZE);
}

/* ---- sharing -------------------------------------------------------------------------------- */

wasm_shared_module_t *wasm_module_share(const wasm_module_t *module) {
    return (wasm_shared_module_t *)(void *)wr_module_ref(module_of(module));
}

void wasm_shared_module_delete(wasm_shared_module_t *shared) {
    wr_module_unref((Module *)(void *)shared);
}

wasm_module_t *wasm_module_obtain(wasm_store_t *store, const wasm_shared_module_t *shared) {
    Module *module = (Module *)(uintptr_t)shared;
    if (module->engine != store->store->engine) return NULL;
    return new_module(store, wr_module_ref(module));
}

/* ---- reflection ----------------------------------------------------------------------------- */

static wasm_externtype_t *type_of(const Module *m, ExternKind kind, u32 index) {
    const TypeTable *types = m->engine->types;
    switch (kind) {
    case EXT_FUNC: {
        wasm_functype_t *type = wr_capi_functype(types, m->funcs[index].type);
        return type ? wasm_functype_as_externtype(type) : NULL;
    }
    case EXT_GLOBAL:
        return wr_capi_globaltype(types, m->globals[index].type, m->globals[index].mutable);
    case EXT_TABLE: {
        const TableDecl *table = &m->tables[index];
        return wr_capi_tabletype(types, table->type, table->limits.min, table->limits.max);
    }
    case EXT_MEMORY:
        return wr_capi_memorytype(m->memories[index].limits.min, m->memories[index].limits.max);
    case EXT_TAG: break;
    }
    return wr_capi_tagtype(types, m->tags[index].type);
}

static void make_name(wasm_name_t *out, Name name) { wasm_name_new(out, name.size, name.data); }

void wasm_module_imports(const wasm_module_t *module, wasm_importtype_vec_t *out) {
    const Module *m = module_of(module);
    wasm_importtype_vec_new_uninitialized(out, m->nimports);
    for (size_t i = 0; i < out->size; i++) {
        const Import *import = &m->imports[i];
        wasm_name_t module_name, name;
        make_name(&module_name, import->module);
        make_name(&name, import->name);
        out->data[i] =
            wasm_importtype_new(&module_name, &name, type_of(m, import->kind, import->index));
        if (!out->data[i]) wasm_importtype_vec_delete(out);
    }
}

void wasm_module_exports(const wasm_module_t *module, wasm_exporttype_vec_t *out) {
    const Module *m = module_of(module);
    wasm_exporttype_vec_new_uninitialized(out, m->nexports);
    for (size_t i = 0; i < out->size; i++) {
        const Export *export = &m->exports[i];
        wasm_name_t name;
        make_name(&name, export->name);
        out->data[i] = wasm_exporttype_new(&name, type_of(m, export->kind, export->index));
        if (!out->data[i]) wasm_exporttype_vec_delete(out);
    }
}
