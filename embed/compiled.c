/*
 * compiled.c - wasmrun.h's compiled code: configuration, artifacts, the cache; over aot/prepare.h and
 * aot/cache.h.
 */
#include <stdlib.h>

#include "artifact.h"
#include "cache.h"
#include "prepare.h"
#include "store.h"

void wr_config_set_engine_kind(wr_config_t *config, wr_engine_kind_t kind) { config->kind = kind; }

void wr_config_set_opt_level(wr_config_t *config, unsigned level) {
    config->opt_level = (u8)(level <= 4 ? level : 4);
}

void wr_config_set_compiled_polls(wr_config_t *config, bool polls) {
    config->compiled_polls = polls ? POLLS_ON : POLLS_OFF;
}

void wr_config_set_compiled_fuel(wr_config_t *config, bool counts) {
    config->compiled_fuel = counts;
}

void wr_config_set_debug_info(wr_config_t *config, bool debug_info) {
    config->debug_info = debug_info;
}

void wr_config_set_compiled_migratable(wr_config_t *config, bool migratable) {
    config->compiled_migratable = migratable;
}

void wr_config_set_perf_map(wr_config_t *config, bool perf_map) { config->perf_map = perf_map; }

bool wr_config_set_cache(wr_config_t *config, const char *folder) {
    size_t size = folder ? strlen(folder) + 1 : 0;
    char *copy = size ? malloc(size) : NULL;
    if (size && !copy) return false;
    if (size) memcpy(copy, folder, size);
    free(config->cache_folder);
    config->cache_folder = copy;
    config->caches = true;
    return true;
}

void wr_config_set_compile_progress(wr_config_t *config, wr_compile_progress_t func,
                                    void *context) {
    config->compile_progress = func;
    config->compile_context = context;
}

/* ---- artifacts ---- */

static CompileRequest request_of(const wr_compile_options_t *o) {
    return (CompileRequest){.options = {.guarded = !o->explicit_memory,
                                        .polled = o->polls || (o->explicit_memory && !o->no_polls),
                                        .fuel = o->count_fuel,
                                        .migratable = o->migratable,
                                        .level = o->level ? (u8)(o->level - 1) : 2},
                            .triple = o->triple,
                            .cpu = o->cpu,
                            .features = o->cpu_features,
                            .threads = o->threads,
                            .progress = o->progress,
                            .progress_context = o->progress_context};
}

wr_error_t *wr_module_compile(wr_module_t *module, const wr_compile_options_t *options,
                              uint8_t **artifact, size_t *size, wr_compile_stats_t *stats) {
    static const wr_compile_options_t usual = {0};
    CompileRequest request = request_of(options ? options : &usual);
    CompileStats s;
    u8 *bytes;
    *artifact = NULL;
    *size = 0;
    if (request.options.level > 4)
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "there is no such level");
    Error *error = wr_aot_compile(module, &request, &bytes, size, &s);
    if (error) return error;
    if (stats)
        *stats = (wr_compile_stats_t){s.total_ns, s.lower_ns,   s.optimise_ns, s.generate_ns,
                                      s.link_ns,  s.peak_bytes, s.functions,   s.left_out,
                                      s.units,    s.threads};
    /* what wr_bytes_delete() frees */
    *artifact = wr_alloc(&wr_alloc_system, *size);
    if (*artifact)
        memcpy(*artifact, bytes, *size);
    else
        error = ERROR_OOM;
    wr_free(&module->engine->alloc, bytes, *size);
    return error;
}

bool wr_artifact_recognise(const void *bytes, size_t size) { return wr_artifact_is(bytes, size); }

bool wr_module_is_compiled(const wr_module_t *module) { return module->artifact != NULL; }

wr_error_t *wr_artifact_open(wr_engine_t *engine, const char *path, wr_module_t **module) {
    return wr_aot_open(engine, path, module);
}

/* ---- the cache ---- */

typedef struct Listing {
    wr_cache_visit_t visit;
    void *context;
} Listing;

static void list_entry(void *context, const CacheEntry *entry) {
    const Listing *listing = context;
    listing->visit(listing->context, entry->name, entry->size, entry->used);
}

wr_error_t *wr_cache_list(const char *folder, wr_cache_visit_t visit, void *context) {
    Cache cache;
    Error *error = wr_cache_open(&cache, folder);
    if (error) return error;
    Listing listing = {visit, context};
    if (wr_cache_each(&cache, list_entry, &listing)) return NULL;
    return wr_error_at(WR_ERROR_IO, NO_OFFSET, "the cache %.500s cannot be read", cache.folder);
}

wr_error_t *wr_cache_clear(const char *folder, uint64_t bytes, uint32_t *removed) {
    Cache cache;
    *removed = 0;
    Error *error = wr_cache_open(&cache, folder);
    if (!error) *removed = wr_cache_trim(&cache, bytes);
    return error;
}
