/*
 * shadow.c - keeps the shadows (shadow.h): when they are made, for whom, how much memory they may take. How a
 * body is cut into tiles is tiling.c's.
 */
#include "shadow.h"

#include "tiling.h"

/* One function's ids for one kind of memory; of the same function, the next one is for another kind. */
typedef struct Shadow {
    struct Shadow *next;
    MemoryKind kind;
    size_t bytes; /* of this block */
    u16 ids[];    /* one for each byte of the code */
} Shadow;

typedef _Atomic(Shadow *) ShadowList;

/* Per engine. */
typedef struct Shadows {
    ShadowTables tables;
    atomic_size_t bytes;    /* of all shadows */
    atomic_ullong made, ns; /* how many there ever were, and the time that making them took */
    atomic_bool limited;    /* one was not made, to save memory */
} Shadows;

/* ---- tables of handlers ---- */

static void poll_from_now(void *context, u32 id, u32 polled) {
    Handler **table = context;
    set_handler(&table[id], __atomic_load_n(&table[polled], __ATOMIC_RELAXED));
}

void wr_shadow_alarm(Engine *engine, bool on) {
    Shadows *shadows = engine->shadows;
    if (shadows == NULL) return;
    Handler **table = atomic_load(&shadows->tables.table);
    if (table == NULL) return;
    if (on)
        wr_tiling_each_polled(poll_from_now, table);
    else
        wr_shadow_fill(table);
}

/* Filled when the first function gets warm: most runs are short. */
static bool make_table(Engine *engine, _Atomic(Handler **) *place, bool metered) {
    Handler **table = NULL;
    wr_os_mutex_lock(&engine->lock);
    if (atomic_load(place) == NULL) {
        table = wr_alloc(&engine->alloc, wr_tiling_table_size() * sizeof(Handler *));
        if (table != NULL) {
            wr_shadow_fill(table);
            if (metered) wr_tiling_each_polled(poll_from_now, table);
            atomic_store(place, table);
        }
    }
    bool ok = atomic_load(place) != NULL;
    wr_os_mutex_unlock(&engine->lock);
    if (table != NULL) wr_interp_heed_alarms(engine);
    return ok;
}

static bool table_for(Engine *engine, RunMode mode) {
    ShadowTables *tables = engine->shadows;
    if (LIKELY(wr_shadow_table_for(engine, mode) != NULL)) return true;
    bool metered = mode == RUNS_METERED;
    return make_table(engine, metered ? &tables->metered : &tables->table, metered);
}

bool wr_shadow_make_ready(Engine *engine, RunMode mode) {
    ShadowTables *tables = engine->shadows;
    if (atomic_load_explicit(&tables->table, memory_order_relaxed) == NULL &&
        atomic_load_explicit(&tables->metered, memory_order_relaxed) == NULL)
        return true;
    return table_for(engine, mode);
}

/* ---- engines ---- */

bool wr_shadow_engine_init(Engine *engine) {
    u32 after = engine->config.warm_after;
    engine->start_heat = after >= WARM ? 0 : WARM - after;
    if (after == UINT32_MAX) return true;
    engine->shadows = wr_alloc_zero(&engine->alloc, sizeof(Shadows));
    return engine->shadows != NULL;
}

void wr_shadow_engine_free(Engine *engine) {
    Shadows *shadows = engine->shadows;
    if (shadows == NULL) return;
    size_t size = wr_tiling_table_size() * sizeof(Handler *);
    wr_free(&engine->alloc, atomic_load(&shadows->tables.table), size);
    wr_free(&engine->alloc, atomic_load(&shadows->tables.metered), size);
    wr_free(&engine->alloc, shadows, sizeof *shadows);
}

wr_shadow_stats_t wr_shadow_stats(const Engine *engine) {
    Shadows *shadows = engine->shadows;
    if (shadows == NULL) return (wr_shadow_stats_t){0};
    return (wr_shadow_stats_t){
        .functions = atomic_load_explicit(&shadows->made, memory_order_relaxed),
        .bytes = atomic_load_explicit(&shadows->bytes, memory_order_relaxed),
        .ns = atomic_load_explicit(&shadows->ns, memory_order_relaxed),
        .limited = atomic_load_explicit(&shadows->limited, memory_order_relaxed)};
}

/* ---- a module's shadows ---- */

static ShadowList *lists_of(Module *module) {
    ShadowList *lists = atomic_load_explicit(&module->shadows, memory_order_acquire);
    if (lists != NULL) return lists;
    size_t size = module->ncodes * sizeof *lists;
    lists = wr_alloc_zero(&module->engine->alloc, size);
    void *expected = NULL;
    if (lists != NULL && !atomic_compare_exchange_strong(&module->shadows, &expected, lists)) {
        wr_free(&module->engine->alloc, lists, size);
        return expected;
    }
    return lists;
}

static void free_shadow(Engine *engine, Shadow *shadow) {
    Shadows *shadows = engine->shadows;
    atomic_fetch_sub_explicit(&shadows->bytes, shadow->bytes, memory_order_relaxed);
    wr_free(&engine->alloc, shadow, shadow->bytes);
}

void wr_shadow_module_free(Module *module) {
    ShadowList *lists = atomic_load_explicit(&module->shadows, memory_order_acquire);
    if (lists == NULL) return;
    for (u32 i = 0; i < module->ncodes; i++) {
        Shadow *shadow = atomic_load_explicit(&lists[i], memory_order_acquire);
        while (shadow != NULL) {
            Shadow *next = shadow->next;
            free_shadow(module->engine, shadow);
            shadow = next;
        }
    }
    wr_free(&module->engine->alloc, lists, module->ncodes * sizeof *lists);
}

static Shadow *find(const ShadowList *list, MemoryKind kind) {
    Shadow *shadow = atomic_load_explicit(list, memory_order_acquire);
    while (shadow != NULL && shadow->kind != kind) shadow = shadow->next;
    return shadow;
}

/* Whether that much more for `length` bytes of code stays within the limits; accounted for if so. */
static bool charge(Engine *engine, size_t length, size_t bytes) {
    Shadows *shadows = engine->shadows;
    size_t before = atomic_fetch_add_explicit(&shadows->bytes, bytes, memory_order_relaxed);
    size_t limit = engine->config.max_shadow;
    if (length <= MAX_SHADOWED && before <= limit && bytes <= limit - before) return true;
    atomic_fetch_sub_explicit(&shadows->bytes, bytes, memory_order_relaxed);
    atomic_store_explicit(&shadows->limited, true, memory_order_relaxed);
    return false;
}

static Shadow *make(Engine *engine, const Module *module, const Code *code, MemoryKind kind) {
    size_t length = (size_t)(code->end - code->start);
    size_t bytes = sizeof(Shadow) + length * sizeof(u16);
    if (!charge(engine, length, bytes)) return NULL;
    Shadow *shadow = wr_alloc(&engine->alloc, bytes);
    if (shadow == NULL) {
        atomic_fetch_sub_explicit(&((Shadows *)engine->shadows)->bytes, bytes,
                                  memory_order_relaxed);
        return NULL;
    }
    *shadow = (Shadow){.kind = kind, .bytes = bytes};
    if (wr_tiling(module, code, kind, shadow->ids)) return shadow;
    free_shadow(engine, shadow);
    return NULL;
}

/* Of two threads that make the same, one throws its own away. */
static Shadow *add(Engine *engine, ShadowList *list, Shadow *shadow) {
    Shadow *head = atomic_load_explicit(list, memory_order_acquire);
    do {
        Shadow *other = find(list, shadow->kind);
        if (other != NULL) {
            free_shadow(engine, shadow);
            return other;
        }
        shadow->next = head;
    } while (!atomic_compare_exchange_weak_explicit(list, &head, shadow, memory_order_acq_rel,
                                                    memory_order_acquire));
    return shadow;
}

static Shadow *find_or_make(Engine *engine, Module *module, const Code *code, MemoryKind kind) {
    ShadowList *lists = lists_of(module);
    if (lists == NULL) return NULL;
    ShadowList *list = &lists[code->func_index - module->nimported_funcs];
    Shadow *shadow = find(list, kind);
    if (shadow != NULL) return shadow;
    u64 start = wr_os_now();
    shadow = make(engine, module, code, kind);
    if (shadow == NULL) return NULL;
    Shadows *shadows = engine->shadows;
    atomic_fetch_add_explicit(&shadows->ns, wr_os_now() - start, memory_order_relaxed);
    atomic_fetch_add_explicit(&shadows->made, 1, memory_order_relaxed);
    return add(engine, list, shadow);
}

uintptr_t wr_shadow_ids(Store *store, Func *func) {
    Engine *engine = store->engine;
    Shadows *shadows = engine->shadows;
    if (func->ids != 0) return func->ids;
    func->heat = 0; /* not soon again, if this fails */
    if (shadows == NULL || !table_for(engine, store->fiber->mode)) return 0;
    const Instance *instance = func->home->instance;
    MemoryKind kind = instance->memory_kind;
    Shadow *shadow = find_or_make(engine, instance->module, func->code, kind);
    if (shadow == NULL) return 0;
    func->heat = WARM;
    func_instance(func)->exit.ids = (uintptr_t)wr_exit_ids - 2 * (uintptr_t)wr_exit_code;
    func->ids = (uintptr_t)shadow->ids - 2 * (uintptr_t)func->code->start;
    if (engine->tier != NULL) engine->tier_ops->warm(engine);
    return func->ids;
}
