/*
 * externs.c - what modules import and export: types before, and objects after instantiation.
 */
#include "externs.h"

#include "values.h"

/* ---- types of imports and exports ----------------------------------------------------------- */

static wr_externkind_t public_kind(ExternKind kind) {
    static const wr_externkind_t kinds[] = {
        [EXT_FUNC] = WR_EXTERN_FUNC,     [EXT_TABLE] = WR_EXTERN_TABLE,
        [EXT_MEMORY] = WR_EXTERN_MEMORY, [EXT_GLOBAL] = WR_EXTERN_GLOBAL,
        [EXT_TAG] = WR_EXTERN_TAG,
    };
    return kinds[kind];
}

static void describe_limits(const Limits *limits, wr_extern_type_t *type) {
    type->min = limits->min;
    type->max = limits->max;
    type->is_64 = limits->is_64;
    type->is_shared = limits->is_shared;
}

/* NULL if it is no function and no tag. */
static const DefType *func_type(const Module *m, ExternKind kind, u32 index) {
    if (kind == EXT_FUNC) return m->funcs[index].type;
    return kind == EXT_TAG ? m->tags[index].type : NULL;
}

static void describe(const Module *m, ExternKind kind, u32 index, wr_extern_type_t *type) {
    const TypeTable *types = m->engine->types;
    const DefType *func = func_type(m, kind, index);
    *type = (wr_extern_type_t){.kind = public_kind(kind), .max = UINT64_MAX};
    if (func) {
        type->nparams = func->nparams;
        type->nresults = func->nresults;
    } else if (kind == EXT_GLOBAL) {
        type->value = wr_value_kind(types, m->globals[index].type);
        type->is_mutable = m->globals[index].mutable;
    } else if (kind == EXT_TABLE) {
        type->value = wr_value_kind(types, m->tables[index].type);
        describe_limits(&m->tables[index].limits, type);
    } else {
        type->page_size_log2 = m->memories[index].page_size_log2;
        describe_limits(&m->memories[index].limits, type);
    }
}

bool wr_module_import_type(const wr_module_t *module, size_t index, wr_extern_type_t *type) {
    if (index >= module->nimports) return false;
    describe(module, module->imports[index].kind, module->imports[index].index, type);
    return true;
}

bool wr_module_export_type(const wr_module_t *module, size_t index, wr_extern_type_t *type) {
    if (index >= module->nexports) return false;
    describe(module, module->exports[index].kind, module->exports[index].index, type);
    return true;
}

static size_t print(const Module *m, const DefType *type, char *buffer, size_t size) {
    if (size > 0) buffer[0] = 0;
    return type ? wr_signature_print(m->engine->types, type, buffer, size) : 0;
}

size_t wr_module_import_signature(const wr_module_t *module, size_t index, char *buffer,
                                  size_t size) {
    if (index >= module->nimports) return print(module, NULL, buffer, size);
    const Import *import = &module->imports[index];
    return print(module, func_type(module, import->kind, import->index), buffer, size);
}

size_t wr_module_export_signature(const wr_module_t *module, size_t index, char *buffer,
                                  size_t size) {
    if (index >= module->nexports) return print(module, NULL, buffer, size);
    const Export *export = &module->exports[index];
    return print(module, func_type(module, export->kind, export->index), buffer, size);
}

/* ---- custom sections ------------------------------------------------------------------------ */

size_t wr_module_custom_section_count(const wr_module_t *module) { return module->ncustoms; }

bool wr_module_custom_section_at(const wr_module_t *module, size_t index, wr_name_t *name,
                                 const void **data, size_t *size) {
    if (index >= module->ncustoms) return false;
    const CustomSection *section = &module->customs[index];
    *name = (wr_name_t){section->name.data, section->name.size};
    *data = module->bytes + section->offset;
    *size = section->size;
    return true;
}

/* ---- objects -------------------------------------------------------------------------------- */

wr_extern_t wr_extern_public(const ExternVal *value) {
    wr_extern_t e = {.kind = public_kind(value->kind)};
    switch (value->kind) {
    case EXT_FUNC: e.of.func = value->of.func; break;
    case EXT_TABLE: e.of.table = value->of.table; break;
    case EXT_MEMORY: e.of.memory = value->of.memory; break;
    case EXT_GLOBAL: e.of.global = value->of.global; break;
    case EXT_TAG: e.of.tag = value->of.tag; break;
    }
    return e;
}

static bool owns_func(const Store *store, const Func *func) {
    return func->handle < store->nfuncs && store->funcs[func->handle] == func;
}

static bool owns_tag(const Store *store, const Tag *tag) {
    return tag->index < store->ntags && store->tags[tag->index] == tag;
}

Error *wr_extern_check(const Store *store, const wr_extern_t *external, ExternVal *out) {
    bool ok = false;
    switch (external->kind) {
    case WR_EXTERN_FUNC:
        *out = (ExternVal){EXT_FUNC, {.func = external->of.func}};
        ok = owns_func(store, external->of.func);
        break;
    case WR_EXTERN_TABLE:
        *out = (ExternVal){EXT_TABLE, {.table = external->of.table}};
        ok = external->of.table->store == store;
        break;
    case WR_EXTERN_MEMORY:
        *out = (ExternVal){EXT_MEMORY, {.memory = external->of.memory}};
        ok = external->of.memory->store == store;
        break;
    case WR_EXTERN_GLOBAL:
        *out = (ExternVal){EXT_GLOBAL, {.global = external->of.global}};
        ok = external->of.global->store == store;
        break;
    case WR_EXTERN_TAG:
        *out = (ExternVal){EXT_TAG, {.tag = external->of.tag}};
        ok = owns_tag(store, external->of.tag);
        break;
    }
    return ok ? NULL
              : wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "the object belongs to another store");
}

/* ---- types of objects ----------------------------------------------------------------------- */

static void describe_memory(const Memory *memory, wr_extern_type_t *type) {
    type->min = memory_pages(memory);
    if (memory->has_max) type->max = memory->max_pages;
    type->is_64 = memory->is_64;
    type->is_shared = memory->is_shared;
    type->page_size_log2 = memory->page_size_log2;
}

static void describe_table(const Table *table, wr_extern_type_t *type) {
    type->value = wr_value_kind(table->store->engine->types, table->type);
    type->min = table->size;
    if (table->has_max) type->max = table->max;
    type->is_64 = table->is_64;
}

static void describe_signature(const DefType *func, wr_extern_type_t *type) {
    type->nparams = func->nparams;
    type->nresults = func->nresults;
}

void wr_extern_type(const wr_extern_t *external, wr_extern_type_t *type) {
    *type = (wr_extern_type_t){.kind = external->kind, .max = UINT64_MAX};
    switch (external->kind) {
    case WR_EXTERN_FUNC: describe_signature(external->of.func->type, type); break;
    case WR_EXTERN_TAG: describe_signature(external->of.tag->type, type); break;
    case WR_EXTERN_TABLE: describe_table(external->of.table, type); break;
    case WR_EXTERN_MEMORY: describe_memory(external->of.memory, type); break;
    case WR_EXTERN_GLOBAL:
        type->value =
            wr_value_kind(external->of.global->store->engine->types, external->of.global->type);
        type->is_mutable = external->of.global->mutable;
        break;
    }
}

/* ---- exports of instances ------------------------------------------------------------------- */

bool wr_instance_export_named(wr_instance_t *instance, wr_name_t name, wr_extern_t *export_) {
    ExternVal value;
    if (!wr_instance_export(instance, name.data ? name.data : "", name.size, &value)) return false;
    *export_ = wr_extern_public(&value);
    return true;
}

bool wr_instance_export_at(wr_instance_t *instance, size_t index, wr_extern_t *export_) {
    if (index >= instance->module->nexports) return false;
    const Export *export = &instance->module->exports[index];
    return wr_instance_export_named(instance, (wr_name_t){export->name.data, export->name.size},
                                    export_);
}

wr_tag_t *wr_instance_tag(wr_instance_t *instance, const char *name) {
    wr_extern_t e;
    if (!wr_instance_export_named(instance, (wr_name_t){name, strlen(name)}, &e)) return NULL;
    return e.kind == WR_EXTERN_TAG ? e.of.tag : NULL;
}

wr_module_t *wr_instance_module(wr_instance_t *instance) { return instance->module; }
