/*
 * capi_objects.c - globals, tables, memories and tags of wasm.h.
 */
#include "capi.h"

#include "memory.h"
#include "table.h"

/* NULL once the store is gone. */
#define THING(reference, member)                                                                   \
    (OBJECT_OF(reference)->store ? OBJECT_OF(reference)->of.member : NULL)

static const TypeTable *types_of(const Object *object) {
    return object->store->store->engine->types;
}

/* ---- globals -------------------------------------------------------------------------------- */

wasm_global_t *wasm_global_new(wasm_store_t *store, const wasm_globaltype_t *type,
                               const wasm_val_t *value) {
    Slot slots[2];
    ValType wanted = wr_capi_type_of_kind(wasm_valtype_kind(wasm_globaltype_content(type)));
    bool is_mutable = wasm_globaltype_mutability(type) == WASM_VAR;
    if (wr_capi_to_slots(store, value, wanted, slots)) return NULL;
    Global *global = wr_store_new_global(store->store, wanted, is_mutable, slots);
    if (!global) return NULL;
    return (wasm_global_t *)(void *)wr_capi_object(store, OBJECT_GLOBAL, global);
}

wasm_globaltype_t *wasm_global_type(const wasm_global_t *global) {
    const Global *g = THING(global, global);
    if (!g) return NULL;
    return wasm_externtype_as_globaltype(
        wr_capi_globaltype(types_of(OBJECT_OF(global)), g->type, g->mutable));
}

void wasm_global_get(const wasm_global_t *global, wasm_val_t *out) {
    const Global *g = THING(global, global);
    memset(out, 0, sizeof *out);
    if (g && !wr_capi_from_slots(OBJECT_OF(global)->store, g->type, g->value, out))
        out->of.ref = NULL; /* out of memory */
}

void wasm_global_set(wasm_global_t *global, const wasm_val_t *value) {
    Global *g = THING(global, global);
    Slot slots[2] = {{0}, {0}};
    if (!g || !g->mutable) return;
    if (wr_capi_to_slots(OBJECT_OF(global)->store, value, g->type, slots)) return;
    memcpy(g->value, slots, type_slots(g->type) * sizeof *slots);
}

/* ---- tables --------------------------------------------------------------------------------- */

static bool to_limits(const wasm_limits_t *from, u64 most, Limits *to) {
    bool has_max = from->max != wasm_limits_max_default;
    *to = (Limits){.min = from->min, .max = has_max ? from->max : UINT64_MAX, .has_max = has_max};
    return from->min <= most && (!has_max || (from->max <= most && from->min <= from->max));
}

wasm_table_t *wasm_table_new(wasm_store_t *store, const wasm_tabletype_t *type, wasm_ref_t *init) {
    TableDecl decl = {.type =
                          wr_capi_type_of_kind(wasm_valtype_kind(wasm_tabletype_element(type)))};
    u64 value;
    Table *table;
    if (!type_is_ref(decl.type)) return NULL;
    if (!to_limits(wasm_tabletype_limits(type), UINT32_MAX, &decl.limits)) return NULL;
    if (!wr_capi_to_raw(store, init, decl.type, &value)) return NULL;
    Error *error = wr_table_new(store->store, &decl, &table);
    if (error) {
        wr_error_delete(error);
        return NULL;
    }
    (void)wr_table_fill(table, 0, (u32)value, table->size);
    return (wasm_table_t *)(void *)wr_capi_object(store, OBJECT_TABLE, table);
}

wasm_tabletype_t *wasm_table_type(const wasm_table_t *table) {
    if (!OBJECT_OF(table)->store) return NULL;
    return wasm_externtype_as_tabletype(wasm_extern_type(wasm_table_as_extern_const(table)));
}

wasm_ref_t *wasm_table_get(const wasm_table_t *table, wasm_table_size_t index) {
    const Table *t = THING(table, table);
    Object *object;
    if (!t || index >= t->size) return NULL;
    return wr_capi_from_raw(OBJECT_OF(table)->store, t->type, t->elems[index], &object) ? object
                                                                                        : NULL;
}

bool wasm_table_set(wasm_table_t *table, wasm_table_size_t index, wasm_ref_t *ref) {
    Table *t = THING(table, table);
    u64 value;
    if (!t || index >= t->size) return false;
    if (!wr_capi_to_raw(OBJECT_OF(table)->store, ref, t->type, &value)) return false;
    t->elems[index] = (u32)value;
    return true;
}

wasm_table_size_t wasm_table_size(const wasm_table_t *table) {
    const Table *t = THING(table, table);
    return t ? t->size : 0;
}

bool wasm_table_grow(wasm_table_t *table, wasm_table_size_t delta, wasm_ref_t *init) {
    Table *t = THING(table, table);
    u64 value;
    if (!t || !wr_capi_to_raw(OBJECT_OF(table)->store, init, t->type, &value)) return false;
    return wr_table_grow(t, delta, (u32)value) != UINT64_MAX;
}

/* ---- memories ------------------------------------------------------------------------------- */

wasm_memory_t *wasm_memory_new(wasm_store_t *store, const wasm_memorytype_t *type) {
    MemoryDecl decl = {.page_size_log2 = 16};
    Memory *memory;
    if (!to_limits(wasm_memorytype_limits(type), 65536, &decl.limits)) return NULL;
    Error *error = wr_memory_new(store->store, &decl, &memory);
    if (!error) return (wasm_memory_t *)(void *)wr_capi_object(store, OBJECT_MEMORY, memory);
    wr_error_delete(error);
    return NULL;
}

wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *memory) {
    if (!OBJECT_OF(memory)->store) return NULL;
    return wasm_externtype_as_memorytype(wasm_extern_type(wasm_memory_as_extern_const(memory)));
}

byte_t *wasm_memory_data(wasm_memory_t *memory) {
    Memory *m = THING(memory, memory);
    return m ? (byte_t *)m->base : NULL;
}

size_t wasm_memory_data_size(const wasm_memory_t *memory) {
    const Memory *m = THING(memory, memory);
    return m ? (size_t)wr_memory_size(m) : 0;
}

wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *memory) {
    const Memory *m = THING(memory, memory);
    return m ? (wasm_memory_pages_t)min_u64(memory_pages(m), UINT32_MAX) : 0;
}

bool wasm_memory_grow(wasm_memory_t *memory, wasm_memory_pages_t delta) {
    Memory *m = THING(memory, memory);
    return m && wr_memory_grow(m, delta) != UINT64_MAX;
}

/* ---- tags ----------------------------------------------------------------------------------- */

static Tag *new_tag(Store *store, const ValType *types, u32 n) {
    RecGroup *group;
    const DefType *type = wr_types_intern_func(store->engine->types, types, n, 0, &group);
    if (!type) return NULL;
    Tag *tag = wr_store_new_tag(store, type, group);
    if (!tag) wr_types_release(store->engine->types, group);
    return tag;
}

wasm_tag_t *wasm_tag_new(wasm_store_t *store, const wasm_tagtype_t *type) {
    const wasm_valtype_vec_t *params = wasm_functype_params(wasm_tagtype_functype(type));
    if (wasm_functype_results(wasm_tagtype_functype(type))->size != 0) return NULL;
    if (params->size > LIMIT_PARAMS) return NULL;
    ValType *types = wr_alloc_array(&wr_alloc_system, params->size + 1, sizeof *types);
    if (!types) return NULL;
    for (size_t i = 0; i < params->size; i++)
        types[i] = wr_capi_type_of_kind(wasm_valtype_kind(params->data[i]));
    Tag *tag = new_tag(store->store, types, (u32)params->size);
    wr_free(&wr_alloc_system, types, (params->size + 1) * sizeof *types);
    return tag ? (wasm_tag_t *)(void *)wr_capi_object(store, OBJECT_TAG, tag) : NULL;
}

wasm_tagtype_t *wasm_tag_type(const wasm_tag_t *tag) {
    if (!OBJECT_OF(tag)->store) return NULL;
    return wasm_externtype_as_tagtype(wasm_extern_type(wasm_tag_as_extern_const(tag)));
}
