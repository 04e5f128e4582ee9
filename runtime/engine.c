/*
 * engine.c - engines: the configuration, the type table and the executor that modules and stores
 * share. Made by embed/, which chooses the executor; freed with the last reference.
 */
#include <stdlib.h>

#include "log.h"
#include "memory.h"
#include "parking.h"
#include "watchdog.h"

#define DEFAULT_MAX_STACK ((size_t)8 << 20)
#define DEFAULT_POOL_STORES 64u
#define DEFAULT_POOL_RESIDENT ((size_t)1 << 20)
/* Three quarters of what Linux allows by default; the rest is for everything else in the process. */
#define USUAL_MAPPINGS ((size_t)49000)
#define DEFAULT_WARM_AFTER 1000u
#define DEFAULT_MAX_SHADOW ((size_t)64 << 20)

void wr_config_init(struct wr_config *config) {
    *config = (struct wr_config){
        .memory_mode = WR_MEMORY_AUTO,
        .max_stack = DEFAULT_MAX_STACK,
        .pool_stores = DEFAULT_POOL_STORES,
        .pool_resident = DEFAULT_POOL_RESIDENT,
        .warm_after = DEFAULT_WARM_AFTER,
        .max_shadow = DEFAULT_MAX_SHADOW,
        .opt_level = 2,
        .alloc = wr_alloc_system,
    };
#define FEATURE(id, name, on) config->features |= (Features)(on) << FEATURE_##id;
#include "features.def"
#undef FEATURE
}

/* Guarded memories take address space, and an executor that turns faults into traps. */
static bool can_guard(const Executor *executor) {
    return wr_memory_can_guard() && (!executor->guard_init || executor->guard_init());
}

static Error *resolve_memory_mode(Engine *engine) {
    if (engine->config.memory_mode == WR_MEMORY_EXPLICIT) return NULL;
    bool guard = can_guard(engine->executor);
    if (!guard && engine->config.memory_mode == WR_MEMORY_GUARD) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "guard pages cannot be used on this host");
    }
    engine->config.memory_mode = guard ? WR_MEMORY_GUARD : WR_MEMORY_EXPLICIT;
    if (guard)
        wr_log(engine, WR_LOG_INFO, "memories are bounded by guard pages");
    else
        wr_log(engine, WR_LOG_WARNING, "no guard pages on this host: accesses are checked");
    return NULL;
}

/* What is traced runs by its bytes. */
static void prepare_tracing(struct wr_config *config) {
    if (config->tracer == NULL) return;
    config->kind = WR_ENGINE_INTERPRETER;
    config->warm_after = UINT32_MAX;
}

static Error *start_executor(Engine *engine) {
    Error *error = resolve_memory_mode(engine);
    if (error) return error;
    return engine->executor->engine_init(engine) ? NULL : ERROR_OOM;
}

static size_t round_up_stack(size_t size) {
    size_t mask = wr_os_page_size() - 1, sum;
    if (size == 0) size = 1;
    return add_size(size, mask, &sum) ? sum & ~mask : size & ~mask;
}

static void free_engine(Engine *engine) {
    Alloc alloc = engine->alloc;
    free(engine->config.cache_folder);
    wr_types_delete(engine->types);
    wr_os_mutex_destroy(&engine->lock);
    wr_free(&alloc, engine, sizeof *engine);
}

Error *wr_engine_create(const struct wr_config *config, const Executor *executor, Engine **out) {
    Engine *engine = wr_alloc_zero(&config->alloc, sizeof *engine);
    if (!engine) return ERROR_OOM;
    atomic_init(&engine->refs, 1);
    engine->alloc = config->alloc;
    engine->config = *config;
    engine->config.cache_folder = NULL; /* embed/api.c hands it over */
    engine->config.max_stack = round_up_stack(config->max_stack);
    prepare_tracing(&engine->config);
    engine->executor = executor;
    wr_os_mutex_init(&engine->lock);
    atomic_init(&engine->mappings, USUAL_MAPPINGS);
    engine->types = wr_types_new(&engine->alloc);
    Error *error = engine->types ? start_executor(engine) : ERROR_OOM;
    if (error) {
        free_engine(engine);
        return error;
    }
    *out = engine;
    return NULL;
}

/* Who wants explicit memories wants no signal handlers. */
bool wr_engine_may_signal(const Engine *engine) {
    return engine->config.memory_mode == WR_MEMORY_GUARD &&
           engine->config.compiled_polls != POLLS_ON && wr_os_stops_supported();
}

/* Not when the engine is made: reading the host's limit takes longer than many a guest. */
static void learn_mappings(Engine *engine) {
    wr_os_mutex_lock(&engine->lock);
    if (!engine->mappings_known) {
        engine->mappings_known = true;
        size_t allowed = wr_os_max_mappings() / 4 * 3;
        if (allowed > USUAL_MAPPINGS) engine->mappings += allowed - USUAL_MAPPINGS;
    }
    wr_os_mutex_unlock(&engine->lock);
}

static bool take_mappings(Engine *engine, u32 count) {
    size_t left = atomic_load_explicit(&engine->mappings, memory_order_relaxed);
    while (left >= count) {
        if (atomic_compare_exchange_weak_explicit(&engine->mappings, &left, left - count,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    }
    return false;
}

bool wr_engine_take_mappings(Engine *engine, u32 count) {
    if (take_mappings(engine, count)) return true;
    learn_mappings(engine);
    return take_mappings(engine, count);
}

void wr_engine_return_mappings(Engine *engine, u32 count) {
    atomic_fetch_add_explicit(&engine->mappings, count, memory_order_relaxed);
}

Engine *wr_engine_ref(Engine *engine) {
    atomic_fetch_add_explicit(&engine->refs, 1, memory_order_relaxed);
    return engine;
}

void wr_engine_unref(Engine *engine) {
    if (!engine || atomic_fetch_sub_explicit(&engine->refs, 1, memory_order_acq_rel) != 1) return;
    if (engine->tier) engine->tier_ops->stop(engine);
    wr_watchdog_stop(engine);
    wr_parking_delete(engine);
    if (engine->native) engine->native_free(engine);
    engine->executor->engine_free(engine);
    free_engine(engine);
}
