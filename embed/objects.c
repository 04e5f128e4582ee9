/*
 * objects.c - what the host makes in a store, and how it reads and changes globals and tables.
 */
#include "externs.h"
#include "heap.h"
#include "memory.h"
#include "object.h"
#include "table.h"
#include "values.h"

#define USAGE(...) wr_error_at(WR_ERROR_USAGE, NO_OFFSET, __VA_ARGS__)

/* ---- values of a given type ----------------------------------------------------------------- */

Error *wr_value_put(Store *store, const wr_val_t *value, ValType type, Slot *slots) {
    if (value->kind != wr_value_kind(store->engine->types, type)) {
        return USAGE("the value is of another kind");
    }
    if (type_is_ref(type)) {
        if (!wr_store_ref_matches(store, value->of.ref, type)) {
            return USAGE("the value is no such reference");
        }
        if (store->heap->marking) wr_store_shade(store, value->of.ref, type);
    }
    wr_value_to_slots(value, slots);
    return NULL;
}

void wr_value_get(Store *store, ValType type, const Slot *slots, wr_val_t *value) {
    const TypeTable *types = store->engine->types;
    *value = wr_value_from_slots(types, type, slots);
    if (wr_type_in_heap(types, type) && !wr_store_keep(store, value->of.ref)) value->of.ref = 0;
}

/* ---- functions and tags --------------------------------------------------------------------- */

static Error *parse(const char *signature, ParsedSignature **out) {
    ParsedSignature *s = wr_alloc(&wr_alloc_system, sizeof *s);
    if (!s) return ERROR_OOM;
    *out = s;
    if (wr_signature_parse(s, signature)) return NULL;
    wr_free(&wr_alloc_system, s, sizeof *s);
    return USAGE("bad signature: \"%.64s\"", signature);
}

wr_error_t *wr_store_make_func(wr_store_t *store, const char *signature, wr_host_func_t func,
                               void *context, void (*finalizer)(void *context), wr_func_t **made) {
    ParsedSignature *s;
    Error *error = parse(signature, &s);
    if (error) return error;
    HostFunc *host = wr_host_func_new(store->engine, "", "", s->types, s->nparams, s->nresults);
    wr_free(&wr_alloc_system, s, sizeof *s);
    if (!host) return ERROR_OOM;
    host->func = func;
    host->context = context;
    *made = wr_store_new_host_func(store, host->type, host);
    if (*made) host->finalizer = finalizer;
    wr_host_func_unref(host);
    return *made ? NULL : ERROR_OOM;
}

static Tag *new_tag(Store *store, const ParsedSignature *s) {
    RecGroup *group;
    const DefType *type =
        wr_types_intern_func(store->engine->types, s->types, s->nparams, 0, &group);
    if (!type) return NULL;
    Tag *tag = wr_store_new_tag(store, type, group);
    if (!tag) wr_types_release(store->engine->types, group);
    return tag;
}

wr_error_t *wr_store_make_tag(wr_store_t *store, const char *signature, wr_tag_t **made) {
    ParsedSignature *s;
    Error *error = parse(signature, &s);
    if (error) return error;
    if (s->nresults > 0) {
        error = USAGE("a tag has no results: \"%.64s\"", signature);
    } else {
        *made = new_tag(store, s);
        if (!*made) error = ERROR_OOM;
    }
    wr_free(&wr_alloc_system, s, sizeof *s);
    return error;
}

wr_val_t wr_func_ref(const wr_func_t *func) {
    return (wr_val_t){.kind = WR_FUNCREF, .of.ref = func ? func->handle : 0};
}

wr_func_t *wr_ref_func(const wr_store_t *store, const wr_val_t *value) {
    if (value->kind != WR_FUNCREF || value->of.ref == 0) return NULL;
    return value->of.ref < store->nfuncs ? store->funcs[value->of.ref] : NULL;
}

/* ---- memories ------------------------------------------------------------------------------- */

static Error *attach_shared(Store *store, const wr_memory_type_t *type, Memory **made) {
    SharedMemory *shared;
    Error *error = wr_shared_memory_new(store, type, &shared);
    if (error) return error;
    *made = wr_memory_attach(store, shared);
    wr_shared_memory_delete(shared);
    return *made ? NULL : ERROR_OOM;
}

static bool is_memory_type(const wr_memory_type_t *type) {
    if (type->page_size_log2 != 0 && type->page_size_log2 != 16) return false;
    u64 bits = (type->is_64 ? 64u : 32u) - type->page_size_log2;
    u64 most = bits < 64 ? (u64)1 << bits : UINT64_MAX;
    return type->min <= most &&
           (type->max == UINT64_MAX || (type->max <= most && type->min <= type->max));
}

wr_error_t *wr_store_make_memory(wr_store_t *store, const wr_memory_type_t *type,
                                 wr_memory_t **made) {
    if (type->is_shared) return attach_shared(store, type, made);
    if (!is_memory_type(type)) return USAGE("there is no memory of such a type");
    MemoryDecl decl = {.limits = {.min = type->min,
                                  .max = type->max,
                                  .has_max = type->max != UINT64_MAX,
                                  .is_64 = type->is_64},
                       .page_size_log2 = type->page_size_log2};
    return wr_memory_new(store, &decl, made);
}

/* ---- globals -------------------------------------------------------------------------------- */

wr_error_t *wr_store_make_global(wr_store_t *store, const wr_val_t *value, bool is_mutable,
                                 wr_global_t **made) {
    Slot slots[2];
    ValType type = wr_type_of_kind(value->kind);
    if (type == T_BOT) return USAGE("there is no such kind of values");
    Error *error = wr_value_put(store, value, type, slots);
    if (error) return error;
    *made = wr_store_new_global(store, type, is_mutable, slots);
    return *made ? NULL : ERROR_OOM;
}

void wr_global_get(const wr_global_t *global, wr_val_t *value) {
    wr_value_get(global->store, global->type, global->value, value);
}

wr_error_t *wr_global_set(wr_global_t *global, const wr_val_t *value) {
    Slot slots[2];
    if (!global->mutable) return USAGE("the global is immutable");
    Error *error = wr_value_put(global->store, value, global->type, slots);
    if (!error) memcpy(global->value, slots, type_slots(global->type) * sizeof *slots);
    return error;
}

/* ---- tables --------------------------------------------------------------------------------- */

wr_error_t *wr_store_make_table(wr_store_t *store, const wr_val_t *value, uint64_t min,
                                uint64_t max, wr_table_t **made) {
    Slot slot;
    TableDecl decl = {.type = wr_type_of_kind(value->kind),
                      .limits = {.min = min, .max = max, .has_max = max != UINT64_MAX}};
    if (!type_is_ref(decl.type)) return USAGE("elements of tables are references");
    if (min > max || min > UINT32_MAX) return USAGE("there is no table of such a size");
    Error *error = wr_value_put(store, value, decl.type, &slot);
    if (!error) error = wr_table_new(store, &decl, made);
    if (!error) (void)wr_table_fill(*made, 0, slot.u32, min);
    return error;
}

uint64_t wr_table_size(const wr_table_t *table) { return table->size; }

bool wr_table_get(const wr_table_t *table, uint64_t index, wr_val_t *value) {
    if (index >= table->size) return false;
    Slot slot = {.u64 = table->elems[index]};
    wr_value_get(table->store, table->type, &slot, value);
    return true;
}

wr_error_t *wr_table_set(wr_table_t *table, uint64_t index, const wr_val_t *value) {
    Slot slot;
    if (index >= table->size) return USAGE("the table has no such element");
    Error *error = wr_value_put(table->store, value, table->type, &slot);
    if (!error) table->elems[index] = slot.u32;
    return error;
}

wr_error_t *wr_table_extend(wr_table_t *table, uint64_t count, const wr_val_t *value) {
    Slot slot;
    Error *error = wr_value_put(table->store, value, table->type, &slot);
    if (error) return error;
    if (wr_table_grow(table, count, slot.u32) != UINT64_MAX) return NULL;
    return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET, "the table cannot grow by %llu elements",
                       (unsigned long long)count);
}

/* ---- exceptions ----------------------------------------------------------------------------- */

/* Values that are given stay alive: the host keeps them. */
static Error *make_exception(Store *store, const Tag *tag, const wr_val_t *values, Slot *slots) {
    Slot *at = slots;
    for (u32 i = 0; i < tag->type->nparams; i++) {
        Error *error = wr_value_put(store, &values[i], tag->type->types[i], at);
        if (error) return error;
        at += type_slots(tag->type->types[i]);
    }
    u32 ref = wr_exception_new(store, tag, slots);
    return ref ? wr_error_exception(store, ref) : wr_error_trap(WR_TRAP_ALLOCATION_FAILURE);
}

wr_error_t *wr_throw_new(wr_store_t *store, wr_tag_t *tag, const wr_val_t *values, size_t nvalues) {
    u32 n = tag->type->param_slots;
    if (nvalues != tag->type->nparams) {
        return USAGE("wrong number of values: %zu for %u", nvalues, tag->type->nparams);
    }
    Slot *slots = wr_alloc_array(&wr_alloc_system, (size_t)n + 1, sizeof *slots);
    if (!slots) return ERROR_OOM;
    Error *error = make_exception(store, tag, values, slots);
    wr_free(&wr_alloc_system, slots, ((size_t)n + 1) * sizeof *slots);
    return error;
}

static void get_values(Store *store, const Tag *tag, u32 ref, wr_val_t *values, size_t max) {
    u32 n = tag->type->param_slots;
    Slot *slots = wr_alloc_array(&wr_alloc_system, (size_t)n + 1, sizeof *slots), *at = slots;
    if (!slots) return;
    wr_exception_payload(store, ref, slots, n);
    for (u32 i = 0; i < tag->type->nparams && i < max; i++) {
        wr_value_get(store, tag->type->types[i], at, &values[i]);
        at += type_slots(tag->type->types[i]);
    }
    wr_free(&wr_alloc_system, slots, ((size_t)n + 1) * sizeof *slots);
}

size_t wr_error_exception_values(const wr_error_t *error, wr_tag_t **tag, wr_val_t *values,
                                 size_t max) {
    Store *store = wr_error_store(error);
    *tag = NULL;
    if (!store) return 0;
    u32 ref = wr_error_exception_ref(error, store);
    *tag = exception_tag(store, ref);
    if (max > 0) {
        memset(values, 0, min_u64(max, (*tag)->type->nparams) * sizeof *values);
        get_values(store, *tag, ref, values, max);
    }
    return (*tag)->type->nparams;
}

/* ---- pins ----------------------------------------------------------------------------------- */

wr_error_t *wr_store_pin(wr_store_t *store, const wr_val_t *value, uint32_t *pin) {
    ValType type = wr_type_of_kind(value->kind);
    if (!type_is_ref(type)) return USAGE("only references can be pinned");
    if (!wr_store_ref_matches(store, value->of.ref, type)) {
        return USAGE("the value is no such reference");
    }
    /* functions have handles of their own, which are never freed */
    u64 ref = value->kind == WR_FUNCREF ? 0 : value->of.ref;
    return wr_store_root(store, ref, pin) ? NULL : ERROR_OOM;
}

void wr_store_unpin(wr_store_t *store, uint32_t pin) { wr_store_unroot(store, pin); }
