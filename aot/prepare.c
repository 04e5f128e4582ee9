/* prepare.c - see prepare.h. */
#include "prepare.h"

#include <inttypes.h>

#include "cache.h"
#include "debugger.h"
#include "log.h"
#include "native.h"
#include "os.h"
#include "perf_map.h"
#include "stacks.h"
#include "tier.h"

static void free_native(Engine *engine) {
    NativeEngine *native = engine->native;
    wr_compiler_stop(native->compiler);
    wr_native_free_spares(native);
    wr_os_mutex_destroy(&native->hasty_lock);
    wr_os_mutex_destroy(&native->lock);
    wr_free(&engine->alloc, native, sizeof *native);
}

NativeEngine *wr_native_engine(Engine *engine) {
    wr_os_mutex_lock(&engine->lock);
    NativeEngine *native = engine->native;
    if (native == NULL && (native = wr_alloc_zero(&engine->alloc, sizeof *native)) != NULL) {
        wr_os_mutex_init(&native->lock);
        wr_os_mutex_init(&native->hasty_lock);
        engine->native = native;
        engine->native_free = free_native;
    }
    wr_os_mutex_unlock(&engine->lock);
    return native;
}

void wr_aot_ready(Module *module) {
    module->artifact_free = wr_artifact_unref;
    module->native_ops = &wr_native_ops;
}

void wr_module_add_artifact(Module *module, Artifact *artifact) {
    if (module->native_ops == NULL) { /* nobody else has seen it yet */
        wr_aot_ready(module);
        module->image = wr_artifact_image(artifact);
    }
    wr_artifact_put_before(artifact, atomic_load(&module->artifact));
    atomic_store_explicit(&module->artifact, artifact, memory_order_release);
    if (module->engine->config.perf_map) wr_perf_map_add(module, artifact);
    if (module->engine->config.debug_info) wr_debugger_add(module, artifact);
}

NativeOptions wr_aot_options(const Engine *engine) {
    const struct wr_config *config = &engine->config;
    bool needs_polls = config->compiled_polls == POLLS_AUTO && !wr_engine_may_signal(engine);
    return (NativeOptions){.guarded = config->memory_mode == WR_MEMORY_GUARD,
                           .polled = config->compiled_polls == POLLS_ON || needs_polls,
                           .fuel = config->compiled_fuel,
                           .migratable = config->compiled_migratable,
                           .level = config->opt_level};
}

Error *wr_aot_compile(Module *module, const CompileRequest *request, u8 **bytes, size_t *size,
                      CompileStats *stats) {
    NativeEngine *native = wr_native_engine(module->engine);
    if (native == NULL) return ERROR_OOM;
    Error *error = NULL;
    wr_os_mutex_lock(&native->lock);
    if (native->compiler == NULL) error = wr_compiler_start(module->engine, &native->compiler);
    if (error == NULL)
        error = wr_compiler_run(native->compiler, module, request, bytes, size, stats);
    wr_os_mutex_unlock(&native->lock);
    return error;
}

/* ---- with the cache ---- */

/* A file that is refused is of another version, or damaged: it goes. */
bool wr_aot_take_cached(Module *module, const char *path, const NativeOptions *options) {
    Artifact *artifact;
    if (!wr_cache_has(path)) return false;
    Error *error = wr_artifact_open_file(module->engine, path, module, options, &artifact);
    if (error == NULL) {
        wr_module_add_artifact(module, artifact);
        return true;
    }
    wr_log(module->engine, WR_LOG_INFO, "%s: %s", path, wr_error_message(error));
    wr_error_delete(error);
    wr_cache_remove(path);
    return false;
}

/* Whoever has what runs often compiled by the way has not asked for the cache. */
static void tell_of_cache(const Engine *engine, Error *error) {
    wr_log(engine, engine->tier != NULL ? WR_LOG_INFO : WR_LOG_WARNING, "%s",
           wr_error_message(error));
    wr_error_delete(error);
}

static void put_into_cache(Module *module, const Cache *cache, const char *path, const u8 *bytes,
                           size_t size) {
    Error *error = wr_cache_put(cache, path, bytes, size);
    if (error != NULL) tell_of_cache(module->engine, error);
}

Error *wr_aot_take(Module *module, const NativeOptions *options, u8 *bytes, size_t size,
                   const Cache *cache, const char *path) {
    Artifact *artifact = NULL;
    Error *error = NULL;
    if (cache != NULL) put_into_cache(module, cache, path, bytes, size);
    if (cache == NULL || !wr_aot_take_cached(module, path, options)) {
        error = wr_artifact_open_bytes(module->engine, bytes, size, module, options, &artifact);
        if (error == NULL) wr_module_add_artifact(module, artifact);
    }
    wr_free(&module->engine->alloc, bytes, size);
    return error;
}

static void tell_of_functions(const Engine *engine, const CompileStats *stats) {
    unsigned all = stats->functions;
    if (stats->left_out > 0)
        wr_log(engine, WR_LOG_WARNING, "%u of %u functions were not compiled",
               (unsigned)stats->left_out, all);
    if (stats->plain > 0)
        wr_log(engine, WR_LOG_INFO, "%u of %u functions were compiled without optimisation",
               (unsigned)stats->plain, all);
}

/* For --stats. */
static void tell_of_phases(const Engine *engine, const CompileStats *s) {
    wr_log(engine, WR_LOG_INFO,
           "compiled %u functions in %.3f ms: lower %.3f, optimise %.3f, generate %.3f, link %.3f; "
           "%" PRIu64 " bytes at most",
           (unsigned)s->functions, (double)s->total_ns / 1e6, (double)s->lower_ns / 1e6,
           (double)s->optimise_ns / 1e6, (double)s->generate_ns / 1e6, (double)s->link_ns / 1e6,
           s->peak_bytes);
}

static Error *compile_and_open(Module *module, const CompileRequest *request, const Cache *cache,
                               const char *path) {
    u8 *bytes;
    size_t size;
    CompileStats stats;
    Error *error = wr_aot_compile(module, request, &bytes, &size, &stats);
    if (error != NULL) return error;
    tell_of_functions(module->engine, &stats);
    tell_of_phases(module->engine, &stats);
    return wr_aot_take(module, &request->options, bytes, size, cache, path);
}

const Cache *wr_aot_open_cache(Engine *engine, Cache *cache) {
    if (!engine->config.caches) return NULL;
    Error *error = wr_cache_open(cache, engine->config.cache_folder);
    if (error == NULL) return cache;
    NativeEngine *native = wr_native_engine(engine);
    if (native != NULL && !atomic_exchange(&native->told_of_cache, true))
        tell_of_cache(engine, error);
    else
        wr_error_delete(error);
    return NULL;
}

/* The compiler has validated what it compiled; by these features. */
static Error *check_bodies(Module *module) {
    const Artifact *artifact = module->artifact;
    bool is_vouched_for = artifact != NULL && wr_artifact_features(artifact) == module->features;
    return wr_module_check_bodies(module, is_vouched_for ? BODIES_WHEN_NEEDED : BODIES_NOW);
}

/* The module's bytes stay where they are, in the artifact, which it keeps. */
static Error *load_inside(Engine *engine, Artifact *artifact, Module **module) {
    const u8 *bytes;
    u64 size;
    wr_artifact_module(artifact, &bytes, &size);
    Error *error = wr_module_load_laid_out(engine, bytes, size, BYTES_BORROWED,
                                           wr_artifact_image(artifact), module);
    if (error == NULL) error = wr_artifact_bind(artifact, *module);
    if (error != NULL) {
        wr_artifact_unref(artifact);
        return error;
    }
    wr_module_add_artifact(*module, artifact);
    return check_bodies(*module);
}

Error *wr_aot_open(Engine *engine, const char *path, Module **module) {
    Artifact *artifact;
    *module = NULL;
    Error *error = wr_artifact_open_file(engine, path, NULL, NULL, &artifact);
    if (error == NULL) error = load_inside(engine, artifact, module);
    if (error == NULL) return NULL;
    wr_module_unref(*module);
    *module = NULL;
    return error;
}

static Error *compile_module(Module *module) {
    Engine *engine = module->engine;
    CompileRequest request = {.options = wr_aot_options(engine),
                              .progress = engine->config.compile_progress,
                              .progress_context = engine->config.compile_context};
    Cache place;
    char path[CACHE_PATH_MAX];
    const Cache *cache = wr_aot_open_cache(engine, &place);
    if (cache != NULL) wr_cache_path(cache, module, &request, path);
    bool is_cached = cache != NULL && wr_aot_take_cached(module, path, &request.options);
    Error *error = check_bodies(module);
    if (error != NULL || is_cached) return error;
    return compile_and_open(module, &request, cache, path);
}

Error *wr_aot_prepare(Module *module) {
    if (module->engine->tier != NULL && module->ncodes > 0) wr_tier_adopt(module);
    bool compiles = module->engine->config.kind == WR_ENGINE_COMPILED && module->ncodes > 0;
    return compiles ? compile_module(module) : check_bodies(module);
}
