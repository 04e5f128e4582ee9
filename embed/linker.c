/*
 * linker.c - finds what modules import: host functions by name, and the exports of instances.
 *
 * Host functions are in a hash table by both names. An instance is one entry of a list, however
 * many exports it has: they are looked up in its module. All else is in another list: shared memories, single
 * externals of a store, other names for definitions. When several define a name, the latest counts.
 *
 * Instantiating only reads the linker, so that threads may do it at the same time.
 */
#include "externs.h"
#include "link.h"
#include "memory.h"
#include "prelink.h"

typedef struct FuncEntry {
    HostFunc *host; /* one reference; NULL: the entry is free */
    u32 hash;
    u64 order;
} FuncEntry;

typedef struct InstanceEntry {
    char *module; /* zero-terminated, allocated */
    Instance *instance;
    u64 order;
} InstanceEntry;

/* What is defined by something else than a host function or an instance. */
typedef struct ItemEntry {
    Name module, name; /* allocated; name.data NULL (aliases): every name */
    enum { ITEM_MEMORY, ITEM_EXTERN, ITEM_ALIAS } kind;
    SharedMemory *memory;    /* one reference */
    ExternVal external;      /* of the linker's store */
    Name to_module, to_name; /* allocated; what it is another name of */
    u64 order;
} ItemEntry;

struct wr_linker {
    Engine *engine;   /* counted */
    FuncEntry *funcs; /* open addressing, capacity a power of two, at most half full */
    u32 nfuncs, cap_funcs;
    InstanceEntry *instances;
    u32 ninstances, cap_instances;
    ItemEntry *items;
    u32 nitems, cap_items;
    Store *store; /* of instances and externals; NULL while there are none */
    u64 order;    /* number of definitions made */
};

/* ---- making and deleting -------------------------------------------------------------------- */

wr_linker_t *wr_linker_new(wr_engine_t *engine) {
    wr_linker_t *linker = wr_alloc_zero(&engine->alloc, sizeof *linker);
    if (linker) linker->engine = wr_engine_ref(engine);
    return linker;
}

static char *copy_string(const Alloc *alloc, const char *string) {
    size_t size = strlen(string) + 1;
    char *copy = wr_alloc(alloc, size);
    return copy ? memcpy(copy, string, size) : NULL;
}

static void free_string(const Alloc *alloc, char *string) {
    if (string) wr_free(alloc, string, strlen(string) + 1);
}

/* Never NULL if there was memory: the copy of no bytes takes one. */
static bool copy_name(const Alloc *alloc, Name from, Name *to) {
    char *data = wr_alloc(alloc, (size_t)from.size + 1);
    if (!data) return false;
    if (from.size) memcpy(data, from.data, from.size);
    *to = (Name){data, from.size};
    return true;
}

static void free_name(const Alloc *alloc, Name name) {
    if (name.data) wr_free(alloc, (void *)(uintptr_t)name.data, (size_t)name.size + 1);
}

static void free_item(const Alloc *alloc, const ItemEntry *item) {
    free_name(alloc, item->module);
    free_name(alloc, item->name);
    free_name(alloc, item->to_module);
    free_name(alloc, item->to_name);
    if (item->memory) wr_shared_memory_delete(item->memory);
}

void wr_linker_delete(wr_linker_t *linker) {
    if (!linker) return;
    Engine *engine = linker->engine;
    for (u32 i = 0; i < linker->cap_funcs; i++) wr_host_func_unref(linker->funcs[i].host);
    for (u32 i = 0; i < linker->ninstances; i++) {
        free_string(&engine->alloc, linker->instances[i].module);
    }
    for (u32 i = 0; i < linker->nitems; i++) free_item(&engine->alloc, &linker->items[i]);
    wr_free(&engine->alloc, linker->funcs, linker->cap_funcs * sizeof *linker->funcs);
    wr_free(&engine->alloc, linker->instances, linker->cap_instances * sizeof *linker->instances);
    wr_free(&engine->alloc, linker->items, linker->cap_items * sizeof *linker->items);
    wr_free(&engine->alloc, linker, sizeof *linker);
    wr_engine_unref(engine);
}

/* ---- the hash table ------------------------------------------------------------------------- */

static Name name_of(const char *string) { return (Name){string, (u32)strlen(string)}; }

static bool name_is(Name name, const char *string) {
    return strlen(string) == name.size && memcmp(string, name.data, name.size) == 0;
}

static bool same_name(Name a, Name b) { return wr_name_compare(a, b) == 0; }

/* FNV-1a. Only names that the embedder chose are in the table: nobody can crowd it. */
static u32 hash_bytes(u32 hash, Name name) {
    for (u32 i = 0; i < name.size; i++) hash = (hash ^ (u8)name.data[i]) * 16777619u;
    return (hash ^ 0xFF) * 16777619u;
}

static u32 hash_names(Name module, Name name) {
    return hash_bytes(hash_bytes(2166136261u, module), name);
}

/* The entry of that name, or the free one where it belongs. Needs a free entry. */
static FuncEntry *find_func(const wr_linker_t *linker, u32 hash, Name module, Name name) {
    u32 mask = linker->cap_funcs - 1;
    for (u32 i = hash & mask;; i = (i + 1) & mask) {
        FuncEntry *entry = &linker->funcs[i];
        if (!entry->host) return entry;
        if (entry->hash == hash && name_is(module, entry->host->module) &&
            name_is(name, entry->host->name)) {
            return entry;
        }
    }
}

static bool make_room(wr_linker_t *linker) {
    if (linker->nfuncs < linker->cap_funcs / 2) return true;
    if (linker->cap_funcs > UINT32_MAX / 4) return false;
    u32 old_capacity = linker->cap_funcs, capacity = old_capacity ? old_capacity * 2 : 64;
    FuncEntry *old = linker->funcs;
    FuncEntry *funcs = wr_alloc_array(&linker->engine->alloc, capacity, sizeof *funcs);
    if (!funcs) return false;
    linker->funcs = funcs;
    linker->cap_funcs = capacity;
    for (u32 i = 0; i < old_capacity; i++) {
        HostFunc *host = old[i].host;
        if (!host) continue;
        *find_func(linker, old[i].hash, name_of(host->module), name_of(host->name)) = old[i];
    }
    wr_free(&linker->engine->alloc, old, old_capacity * sizeof *old);
    return true;
}

/* Takes over the reference. */
static void put_func(wr_linker_t *linker, HostFunc *host) {
    Name module = name_of(host->module), name = name_of(host->name);
    u32 hash = hash_names(module, name);
    FuncEntry *entry = find_func(linker, hash, module, name);
    HostFunc *replaced = entry->host;
    if (!replaced) linker->nfuncs++;
    *entry = (FuncEntry){host, hash, ++linker->order};
    wr_host_func_unref(replaced);
}

/* ---- defining host functions ---------------------------------------------------------------- */

static Error *new_definition(wr_linker_t *linker, const char *module, const char *name,
                             const char *signature, HostFunc **host) {
    ParsedSignature *s = wr_alloc(&linker->engine->alloc, sizeof *s);
    if (!s) return ERROR_OOM;
    Error *error = NULL;
    if (!wr_signature_parse(s, signature)) {
        error = wr_error_at(WR_ERROR_USAGE, NO_OFFSET,
                            "bad signature of a host function: \"%.64s\"", signature);
    } else {
        *host = wr_host_func_new(linker->engine, module, name, s->types, s->nparams, s->nresults);
        if (!*host) error = ERROR_OOM;
    }
    wr_free(&linker->engine->alloc, s, sizeof *s);
    return error;
}

wr_error_t *wr_linker_define_func(wr_linker_t *linker, const char *module, const char *name,
                                  const char *signature, wr_host_func_t func, void *context,
                                  void (*finalizer)(void *context)) {
    if (!make_room(linker)) return ERROR_OOM;
    HostFunc *host = NULL;
    Error *error = new_definition(linker, module, name, signature, &host);
    if (error) return error;
    host->func = func;
    host->context = context;
    host->finalizer = finalizer;
    put_func(linker, host);
    return NULL;
}

/* ---- defining instances --------------------------------------------------------------------- */

wr_error_t *wr_linker_define_instance(wr_linker_t *linker, const char *module,
                                      wr_instance_t *instance) {
    const Alloc *alloc = &linker->engine->alloc;
    Store *store = instance->store;
    if (store->engine != linker->engine || (linker->store && linker->store != store)) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "the instance belongs to another %s",
                           store->engine != linker->engine ? "engine" : "store");
    }
    if (!wr_grow_array(alloc, &linker->instances, &linker->cap_instances,
                       (u64)linker->ninstances + 1, UINT32_MAX, sizeof *linker->instances)) {
        return ERROR_OOM;
    }
    char *copy = copy_string(alloc, module);
    if (!copy) return ERROR_OOM;
    linker->instances[linker->ninstances++] = (InstanceEntry){copy, instance, ++linker->order};
    linker->store = store;
    return NULL;
}

/* ---- defining other things ------------------------------------------------------------------ */

/* Copies the names; takes over the reference to a memory. */
static Error *add_item(wr_linker_t *linker, ItemEntry item) {
    const Alloc *alloc = &linker->engine->alloc;
    ItemEntry copy = {.kind = item.kind, .memory = item.memory, .external = item.external};
    bool ok = wr_grow_array(alloc, &linker->items, &linker->cap_items, (u64)linker->nitems + 1,
                            UINT32_MAX, sizeof *linker->items);
    ok = ok && copy_name(alloc, item.module, &copy.module);
    ok = ok && (!item.name.data || copy_name(alloc, item.name, &copy.name));
    ok = ok && (!item.to_module.data || copy_name(alloc, item.to_module, &copy.to_module));
    ok = ok && (!item.to_name.data || copy_name(alloc, item.to_name, &copy.to_name));
    if (!ok) {
        free_item(alloc, &copy);
        return ERROR_OOM;
    }
    copy.order = ++linker->order;
    linker->items[linker->nitems++] = copy;
    return NULL;
}

wr_error_t *wr_linker_define_memory(wr_linker_t *linker, const char *module, const char *name,
                                    wr_shared_memory_t *memory) {
    if (memory->engine != linker->engine) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "the memory belongs to another engine");
    }
    return add_item(linker, (ItemEntry){.module = name_of(module),
                                        .name = name_of(name),
                                        .kind = ITEM_MEMORY,
                                        .memory = wr_shared_memory_ref(memory)});
}

static Error *name_too_long(void) {
    return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "a name of more than 4 GiB");
}

wr_error_t *wr_linker_define(wr_linker_t *linker, wr_name_t module, wr_name_t name,
                             wr_store_t *store, const wr_extern_t *external) {
    ItemEntry item = {.module = {module.data ? module.data : "", (u32)module.size},
                      .name = {name.data ? name.data : "", (u32)name.size},
                      .kind = ITEM_EXTERN};
    if (module.size > UINT32_MAX || name.size > UINT32_MAX) return name_too_long();
    if (store->engine != linker->engine || (linker->store && linker->store != store)) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "the object belongs to another %s",
                           store->engine != linker->engine ? "engine" : "store");
    }
    Error *error = wr_extern_check(store, external, &item.external);
    if (!error) error = add_item(linker, item);
    if (!error) linker->store = store;
    return error;
}

wr_error_t *wr_linker_alias(wr_linker_t *linker, const char *module, const char *name,
                            const char *as_module, const char *as_name) {
    if (!name != !as_name) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "an alias of one name, or of a whole module");
    }
    ItemEntry item = {
        .kind = ITEM_ALIAS, .module = name_of(as_module), .to_module = name_of(module)};
    if (name) {
        item.name = name_of(as_name);
        item.to_name = name_of(name);
    }
    return add_item(linker, item);
}

/* ---- resolving ------------------------------------------------------------------------------ */

/* The newest export of that name, if it was defined after `order`. */
static bool resolve_in_instances(const wr_linker_t *linker, const Import *import, u64 order,
                                 ExternVal *out) {
    for (u32 i = linker->ninstances; i-- > 0 && linker->instances[i].order > order;) {
        const InstanceEntry *entry = &linker->instances[i];
        if (name_is(import->module, entry->module) &&
            wr_instance_export(entry->instance, import->name.data, import->name.size, out)) {
            return true;
        }
    }
    return false;
}

/* The newest of that name. */
static const ItemEntry *resolve_item(const wr_linker_t *linker, const Import *import) {
    for (u32 i = linker->nitems; i-- > 0;) {
        const ItemEntry *item = &linker->items[i];
        if (same_name(import->module, item->module) &&
            (!item->name.data || same_name(import->name, item->name))) {
            return item;
        }
    }
    return NULL;
}

static const FuncEntry *resolve_host_func(const wr_linker_t *linker, const Import *import) {
    if (linker->cap_funcs == 0) return NULL;
    u32 hash = hash_names(import->module, import->name);
    const FuncEntry *entry = find_func(linker, hash, import->module, import->name);
    return entry->host ? entry : NULL;
}

/* What defines a name; at most one of these is set. */
typedef struct Definition {
    const FuncEntry *func;
    const ItemEntry *item;
    bool is_export;
    ExternVal export;
} Definition;

#define MAX_ALIASES 16u /* of aliases: so that those of each other end */

static Definition find_definition(const wr_linker_t *linker, const Import *import) {
    Import wanted = *import;
    for (u32 i = 0; i < MAX_ALIASES; i++) {
        Definition d = {
            resolve_host_func(linker, &wanted), resolve_item(linker, &wanted), false, {0}};
        u64 order = d.func ? d.func->order : 0;
        if (d.item && d.item->order < order) d.item = NULL;
        if (d.item) {
            d.func = NULL;
            order = d.item->order;
        }
        if (resolve_in_instances(linker, &wanted, order, &d.export)) {
            return (Definition){.is_export = true, .export = d.export};
        }
        if (!d.item || d.item->kind != ITEM_ALIAS) return d;
        wanted.module = d.item->to_module;
        if (d.item->to_name.data) wanted.name = d.item->to_name;
    }
    return (Definition){0};
}

static Error *resolve(const wr_linker_t *linker, Store *store, const Import *import,
                      ExternVal *out) {
    Definition d = find_definition(linker, import);
    if (d.is_export) {
        *out = d.export;
        return NULL;
    }
    if (d.item && d.item->kind == ITEM_EXTERN) {
        *out = d.item->external;
        return NULL;
    }
    if (d.item) {
        out->kind = EXT_MEMORY;
        out->of.memory = wr_memory_attach(store, d.item->memory);
        return out->of.memory ? NULL : ERROR_OOM;
    }
    if (!d.func) return wr_link_unknown(import);
    out->kind = EXT_FUNC;
    out->of.func = wr_store_new_host_func(store, d.func->host->type, d.func->host);
    return out->of.func ? NULL : ERROR_OOM;
}

static Error *resolve_all(const wr_linker_t *linker, Store *store, const Module *module,
                          ExternVal *imports) {
    for (u32 i = 0; i < module->nimports; i++) {
        Error *error = resolve(linker, store, &module->imports[i], &imports[i]);
        if (error) return error;
    }
    return NULL;
}

static Error *check_belonging(const wr_linker_t *linker, const Store *store, const Module *module) {
    if (store->engine != linker->engine || module->engine != linker->engine) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET,
                           "linker, store and module belong to different engines");
    }
    if (linker->store && linker->store != store) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET,
                           "the linker holds instances of another store");
    }
    return NULL;
}

/* The functions made for the imports go too when it fails, unless something may refer to them: an
 * instance that could not be rolled back is still the store's newest then. */
wr_error_t *wr_linker_instantiate(wr_linker_t *linker, wr_store_t *store, wr_module_t *module,
                                  wr_instance_t **instance) {
    *instance = NULL;
    Error *error = check_belonging(linker, store, module);
    if (error) return error;
    size_t n = module->nimports;
    ExternVal *imports = wr_alloc_array(&store->alloc, n, sizeof *imports);
    if (n > 0 && !imports) return ERROR_OOM;
    StoreMark mark = wr_store_mark(store);
    error = resolve_all(linker, store, module, imports);
    if (!error) error = wr_instance_new(store, module, imports, instance);
    if (error && store->instances == mark.instances) wr_store_rollback(store, mark);
    wr_free(&store->alloc, imports, n * sizeof *imports);
    return error;
}

/* ---- pre-linking ---------------------------------------------------------------------------- */

/* Definitions of host functions, borrowed. */
static Error *resolve_shared(const wr_linker_t *linker, const Module *module, HostFunc **imports) {
    for (u32 i = 0; i < module->nimports; i++) {
        Definition d = find_definition(linker, &module->imports[i]);
        if (d.is_export || d.item) {
            return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "only host functions can be pre-linked");
        }
        if (!d.func) return wr_link_unknown(&module->imports[i]);
        imports[i] = d.func->host;
    }
    return NULL;
}

wr_error_t *wr_linker_prelink(wr_linker_t *linker, wr_module_t *module, wr_prelinked_t **pre) {
    *pre = NULL;
    Engine *engine = linker->engine;
    if (module->engine != engine) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET,
                           "linker and module belong to different engines");
    }
    size_t n = module->nimports;
    HostFunc **imports = wr_alloc_array(&engine->alloc, n, sizeof(HostFunc *));
    if (n > 0 && !imports) return ERROR_OOM;
    Error *error = resolve_shared(linker, module, imports);
    if (!error) error = wr_prelinked_new(engine, module, imports, pre);
    wr_free(&engine->alloc, imports, n * sizeof(HostFunc *));
    return error;
}

void wr_prelinked_delete(wr_prelinked_t *pre) { wr_prelinked_unref(pre); }

wr_error_t *wr_prelinked_new_store(wr_prelinked_t *pre, wr_store_t **store) {
    *store = NULL;
    return pre->has_kits ? wr_kit_take(pre, store) : wr_store_new(pre->engine, store);
}

void wr_prelinked_get_stats(const wr_prelinked_t *pre, wr_prelinked_stats_t *stats) {
    *stats = wr_kit_stats((Prelinked *)pre); /* takes its locks, and changes nothing else */
}

static Error *instantiate_kit(Store *store, Instance *instance, Instance **out) {
    if (store->budget->used_memory > store->budget->limit_memory ||
        store->used_tables > store->limit_tables ||
        store->used_instances > store->limit_instances) {
        return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET,
                           "memory limit exceeded: the instance is over the store's limits");
    }
    Error *error = wr_instance_start(instance);
    if (!error) *out = instance;
    return error;
}

/* As wr_linker_instantiate(), with imports at hand. */
static Error *instantiate_anew(const wr_prelinked_t *pre, Store *store, Instance **out) {
    size_t n = pre->module->nimports;
    ExternVal *imports = wr_alloc_array(&store->alloc, n, sizeof *imports);
    if (n > 0 && !imports) return ERROR_OOM;
    StoreMark mark = wr_store_mark(store);
    Error *error = wr_prelinked_bind(pre, store, imports) ? NULL : ERROR_OOM;
    if (!error) error = wr_instance_new_matched(store, pre->module, imports, out);
    if (error && store->instances == mark.instances) wr_store_rollback(store, mark);
    wr_free(&store->alloc, imports, n * sizeof *imports);
    return error;
}

wr_error_t *wr_prelinked_instantiate(wr_prelinked_t *pre, wr_store_t *store,
                                     wr_instance_t **instance) {
    *instance = NULL;
    if (store->engine != pre->engine) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "the store belongs to another engine");
    }
    Instance *made = store->kit ? wr_kit_instance(store->kit, pre) : NULL;
    return made ? instantiate_kit(store, made, instance) : instantiate_anew(pre, store, instance);
}
