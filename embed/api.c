/*
 * api.c - wasmrun.h over the runtime: configuration, engines, modules, stores, what belongs to
 * them. Thin: arguments are checked and passed on. Calls are in values.c, what host functions may
 * ask in caller.c, linking in linker.c; errors are runtime/error.c's.
 */
#include <stdlib.h>

#include "heap.h"
#include "prepare.h"
#include "store.h"
#include "tier.h"
#include "values.h"
#include "watchdog.h"

const char *wr_version(void) { return WR_VERSION_STRING; }

/* ---- configuration and engine --------------------------------------------------------------- */

/* The configuration's own block is the system's: its allocator is the engine's, set later. */
wr_config_t *wr_config_new(void) {
    wr_config_t *config = wr_alloc(&wr_alloc_system, sizeof *config);
    if (config) wr_config_init(config);
    return config;
}

void wr_config_delete(wr_config_t *config) {
    if (config) free(config->cache_folder);
    wr_free(&wr_alloc_system, config, sizeof *config);
}

void wr_config_set_memory_mode(wr_config_t *config, wr_memory_mode_t mode) {
    config->memory_mode = mode;
}

void wr_config_set_max_stack(wr_config_t *config, size_t bytes) { config->max_stack = bytes; }

void wr_config_set_gc_debug(wr_config_t *config, uint32_t flags) { config->gc_debug = flags; }

void wr_config_set_warm_after(wr_config_t *config, uint32_t count) { config->warm_after = count; }

void wr_config_set_max_shadow(wr_config_t *config, size_t bytes) { config->max_shadow = bytes; }

void wr_config_set_validation_threads(wr_config_t *config, uint32_t threads) {
    config->validation_threads = threads;
}

void wr_config_set_pool(wr_config_t *config, uint32_t stores, size_t resident_bytes) {
    config->pool_stores = stores;
    config->pool_resident = resident_bytes;
}

void wr_config_set_allocator(wr_config_t *config, wr_alloc_func_t func, void *context) {
    config->alloc = (Alloc){func, context};
}

void wr_config_set_log(wr_config_t *config, wr_log_func_t func, void *context,
                       wr_log_level_t level) {
    config->log = func;
    config->log_context = context;
    config->log_level = level;
}

bool wr_config_set_feature(wr_config_t *config, const char *name, bool on) {
    static const char *const names[] = {
#define FEATURE(id, feature_name, is_on) [FEATURE_##id] = feature_name,
#include "features.def"
#undef FEATURE
    };
    for (u32 i = 0; i < FEATURE_COUNT; i++) {
        if (strcmp(names[i], name) != 0) continue;
        Features bit = (Features)1 << i;
        config->features = on ? config->features | bit : config->features & ~bit;
        return true;
    }
    return false;
}

void wr_config_set_tracer(wr_config_t *config, uint32_t kinds, wr_tracer_t tracer, void *context) {
    config->tracer = tracer;
    config->trace_kinds = kinds;
    config->trace_context = context;
}

wr_error_t *wr_engine_new(wr_config_t *config, wr_engine_t **engine) {
    *engine = NULL;
    if (!config) config = wr_config_new();
    if (!config) return ERROR_OOM;
    Error *error = wr_engine_create(config, &wr_interpreter, engine);
    if (!error && (*engine)->config.kind == WR_ENGINE_AUTO && !wr_tier_start(*engine)) {
        wr_engine_unref(*engine);
        *engine = NULL;
        error = ERROR_OOM;
    }
    if (!error) {
        (*engine)->config.cache_folder = config->cache_folder;
        config->cache_folder = NULL;
    }
    wr_config_delete(config);
    return error;
}

void wr_engine_delete(wr_engine_t *engine) { wr_engine_unref(engine); }

/* ---- modules -------------------------------------------------------------------------------- */

/* Takes over the bytes. The engine's kind decides what a module needs besides. */
static Error *load(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner, Module **module) {
    if (engine->config.kind == WR_ENGINE_INTERPRETER)
        return wr_module_load(engine, bytes, size, owner, module);
    Error *error = wr_module_load_outline(engine, bytes, size, owner, module);
    if (!error) error = wr_aot_prepare(*module);
    if (!error || !*module) return error;
    wr_module_unref(*module);
    *module = NULL;
    return error;
}

wr_error_t *wr_module_new(wr_engine_t *engine, const void *bytes, size_t size,
                          wr_module_t **module) {
    *module = NULL;
    if (size == 0) return wr_module_load(engine, (const u8 *)"", 0, BYTES_BORROWED, module);
    u8 *copy = wr_alloc(&engine->alloc, size);
    if (!copy) return ERROR_OOM;
    memcpy(copy, bytes, size);
    return load(engine, copy, size, BYTES_COPIED, module);
}

wr_error_t *wr_module_open(wr_engine_t *engine, const char *path, wr_module_t **module) {
    *module = NULL;
    const u8 *bytes;
    u64 size;
    const char *why;
    if (!wr_os_map_file(path, &bytes, &size, &why)) {
        return wr_error_at(WR_ERROR_IO, NO_OFFSET, "%s: %s", path, why);
    }
    if (size == 0) return wr_module_new(engine, NULL, 0, module);
    return load(engine, bytes, size, BYTES_MAPPED, module);
}

wr_error_t *wr_module_validate(wr_engine_t *engine, const void *bytes, size_t size) {
    wr_module_t *module = NULL;
    if (size == 0) bytes = "";
    Error *error = wr_module_load(engine, bytes, size, BYTES_BORROWED, &module);
    if (!error) wr_module_unref(module);
    return error;
}

void wr_module_delete(wr_module_t *module) {
    if (module) wr_module_unref(module);
}

static wr_name_t public_name(Name name) { return (wr_name_t){name.data, name.size}; }

static wr_externkind_t public_kind(ExternKind kind) {
    static const wr_externkind_t kinds[] = {
        [EXT_FUNC] = WR_EXTERN_FUNC,     [EXT_TABLE] = WR_EXTERN_TABLE,
        [EXT_MEMORY] = WR_EXTERN_MEMORY, [EXT_GLOBAL] = WR_EXTERN_GLOBAL,
        [EXT_TAG] = WR_EXTERN_TAG,
    };
    return kinds[kind];
}

size_t wr_module_import_count(const wr_module_t *module) { return module->nimports; }

bool wr_module_import(const wr_module_t *module, size_t index, wr_import_t *import) {
    if (index >= module->nimports) return false;
    const Import *i = &module->imports[index];
    *import = (wr_import_t){public_name(i->module), public_name(i->name), public_kind(i->kind)};
    return true;
}

size_t wr_module_export_count(const wr_module_t *module) { return module->nexports; }

bool wr_module_export(const wr_module_t *module, size_t index, wr_export_t *export_) {
    if (index >= module->nexports) return false;
    const Export *e = &module->exports[index];
    *export_ = (wr_export_t){public_name(e->name), public_kind(e->kind)};
    return true;
}

bool wr_module_custom_section(const wr_module_t *module, const char *name, const void **data,
                              size_t *size) {
    size_t length = strlen(name);
    for (u32 i = 0; i < module->ncustoms; i++) {
        const CustomSection *section = &module->customs[i];
        if (section->name.size != length || memcmp(section->name.data, name, length) != 0) continue;
        *data = module->bytes + section->offset;
        *size = section->size;
        return true;
    }
    return false;
}

void wr_engine_get_shadow_stats(const wr_engine_t *engine, wr_shadow_stats_t *stats) {
    *stats = (wr_shadow_stats_t){0};
    if (engine->executor->shadow_stats != NULL) *stats = engine->executor->shadow_stats(engine);
}

void wr_engine_get_tier_stats(const wr_engine_t *engine, wr_tier_stats_t *stats) {
    *stats = wr_tier_stats(engine);
}

void wr_module_get_stats(const wr_module_t *module, wr_module_stats_t *stats) {
    *stats = module->stats;
}

/* ---- stores (making and deleting them is runtime/store.c's) ------------------------ */

void wr_store_limit_memory(wr_store_t *store, uint64_t bytes) {
    store->budget->limit_memory = bytes;
}
void wr_store_limit_tables(wr_store_t *store, uint64_t elements) { store->limit_tables = elements; }
void wr_store_limit_instances(wr_store_t *store, uint64_t count) { store->limit_instances = count; }
void wr_store_limit_heap(wr_store_t *store, uint64_t bytes) { store->limit_heap = bytes; }

void wr_store_get_heap_stats(const wr_store_t *store, wr_heap_stats_t *stats) {
    *stats = store->heap->stats;
}

void wr_store_collect(wr_store_t *store) { (void)wr_heap_collect(store); }

/* More than can ever be spent, with room for what executors add to it meanwhile. */
#define FUEL_MAX (INT64_MAX / 2)

/* Peers find theirs in the budget, where they draw it from. */
void wr_store_set_fuel(wr_store_t *store, uint64_t units) {
    bool has_peers = store->budget->refs > 1;
    u64 fuel = min_u64(units, FUEL_MAX);
    store->fuel_on = units != UINT64_MAX;
    store->fuel = has_peers ? 0 : (i64)fuel;
    store->budget->fuel = has_peers && store->fuel_on ? fuel : 0;
}

void wr_store_add_fuel(wr_store_t *store, uint64_t units) {
    if (!store->fuel_on) {
        wr_store_set_fuel(store, min_u64(units, FUEL_MAX));
        return;
    }
    u64 room = (u64)(FUEL_MAX - store->fuel); /* what is left is never more */
    store->fuel += (i64)min_u64(units, room);
}

uint64_t wr_store_fuel(const wr_store_t *store) {
    if (!store->fuel_on) return UINT64_MAX;
    i64 left = (i64)store->budget->fuel + store->fuel; /* which may have been overdrawn */
    return left > 0 ? (u64)left : 0;
}

wr_error_t *wr_store_set_timeout(wr_store_t *store, uint64_t nanoseconds) {
    wr_watchdog_remove(store);
    store->deadline = 0;
    wr_store_lower(store, POLL_DEADLINE);
    if (nanoseconds == 0) return NULL;
    u64 now = wr_os_now();
    u64 deadline = nanoseconds < UINT64_MAX - now ? now + nanoseconds : UINT64_MAX - 1;
    if (!wr_watchdog_add(store, deadline)) {
        return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET, "out of memory: cannot watch the deadline");
    }
    store->deadline = deadline;
    return NULL;
}

void wr_store_set_interruptible(wr_store_t *store, bool on) { store->interruptible = on; }

void wr_store_interrupt(wr_store_t *store) { wr_store_raise(store, POLL_INTERRUPT); }

wr_error_t *wr_store_set_data(wr_store_t *store, const void *key, void *value) {
    return wr_store_set_datum(store, key, value) ? NULL : ERROR_OOM;
}

void *wr_store_data(const wr_store_t *store, const void *key) { return wr_store_datum(store, key); }

/* ---- references to host values -------------------------------------------------------------- */

wr_error_t *wr_extern_new(wr_store_t *store, void *value, uint64_t *ref) {
    *ref = wr_store_new_extern(store, value);
    return *ref ? NULL : ERROR_OOM;
}

bool wr_extern_value(const wr_store_t *store, uint64_t ref, void **value) {
    return wr_store_get_extern(store, ref, value);
}

/* ---- what instances export ------------------------------------------------------------------ */

static bool find(Instance *instance, const char *name, ExternKind kind, ExternVal *out) {
    return wr_instance_export(instance, name, strlen(name), out) && out->kind == kind;
}

wr_func_t *wr_instance_func(wr_instance_t *instance, const char *name) {
    ExternVal v;
    return find(instance, name, EXT_FUNC, &v) ? v.of.func : NULL;
}

wr_memory_t *wr_instance_memory(wr_instance_t *instance, const char *name) {
    ExternVal v;
    return find(instance, name, EXT_MEMORY, &v) ? v.of.memory : NULL;
}

wr_global_t *wr_instance_global(wr_instance_t *instance, const char *name) {
    ExternVal v;
    return find(instance, name, EXT_GLOBAL, &v) ? v.of.global : NULL;
}

wr_table_t *wr_instance_table(wr_instance_t *instance, const char *name) {
    ExternVal v;
    return find(instance, name, EXT_TABLE, &v) ? v.of.table : NULL;
}
