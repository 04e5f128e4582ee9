/*
 * module.c - the life of a module: loading (decode, then validate, bodies last), counting references, lookup.
 */
#include "module.h"

#include "decode.h"
#include "lazy_bodies.h"
#include "log.h"
#include "name_section.h"
#include "os.h"
#include "store.h"
#include "validate.h"

static void release_bytes(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner) {
    switch (owner) {
    case BYTES_BORROWED: break;
    case BYTES_COPIED: wr_free(&engine->alloc, (void *)bytes, (size_t)size); break;
    case BYTES_MAPPED: wr_os_unmap_file(bytes, size); break;
    }
}

static void delete_module(Module *m) {
    Engine *engine = m->engine;
    wr_name_map_delete(m, atomic_load_explicit(&m->names, memory_order_acquire));
    for (u32 i = 0; i < m->ngroups; i++) wr_types_release(engine->types, m->groups[i]);
    if (engine->tier) engine->tier_ops->forget(m);
    if (m->artifact) m->artifact_free(m->artifact);
    if (engine->executor->module_free) engine->executor->module_free(m);
    wr_lazy_bodies_free(m->lazy, m);
    wr_arena_free(&m->arena);
    if (m->size != 0) release_bytes(engine, m->bytes, m->size, m->owner);
    wr_free(&engine->alloc, m, sizeof *m);
    wr_engine_unref(engine);
}

/* Takes over the bytes, also when there is no memory for the module. */
static Module *new_module(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner) {
    Module *m = wr_alloc_zero(&engine->alloc, sizeof *m);
    if (m == NULL) {
        if (size != 0) release_bytes(engine, bytes, size, owner);
        return NULL;
    }
    m->engine = wr_engine_ref(engine);
    atomic_init(&m->refs, 1);
    wr_arena_init(&m->arena, &engine->alloc);
    m->bytes = size == 0 ? (const u8 *)"" : bytes;
    m->size = size;
    m->owner = owner;
    m->features = engine->config.features;
    return m;
}

static void sum_up(Module *m) {
    u64 side = 0;
    for (u32 i = 0; i < m->ncodes; i++)
        side += m->codes[i].nside * sizeof(SideEntry) + m->codes[i].nfar * sizeof(FarEntry);
    m->stats.side_table_bytes = side;
    m->stats.resident_bytes = sizeof *m + m->arena.total + (m->owner == BYTES_COPIED ? m->size : 0);
}

static Error *load_outline(Module *m) {
    u64 start = wr_os_now();
    Error *error = wr_decode_module(m);
    u64 decoded = wr_os_now();
    m->stats.decode_ns = decoded - start;
    m->stats.validation_threads = 1;
    if (error == NULL) error = wr_validate_module(m);
    m->stats.validate_ns = wr_os_now() - decoded;
    return error;
}

static void log_refusal(const Module *m, const Error *error) {
    wr_log(m->engine, WR_LOG_INFO, "module of %llu bytes refused: %s", (unsigned long long)m->size,
           wr_error_message(error));
}

static void log_loading(const Module *m) {
    wr_log(m->engine, WR_LOG_DEBUG,
           "module of %llu bytes, %u functions: decoded in %llu us, validated in %llu us%s",
           (unsigned long long)m->size, (unsigned)m->nfuncs,
           (unsigned long long)m->stats.decode_ns / 1000,
           (unsigned long long)m->stats.validate_ns / 1000,
           m->lazy != NULL ? ", bodies when they are needed" : "");
}

Error *wr_module_load_outline(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner,
                              Module **out) {
    return wr_module_load_laid_out(engine, bytes, size, owner, NULL, out);
}

Error *wr_module_load_laid_out(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner,
                               const struct MemoryImage *image, Module **out) {
    *out = NULL;
    Module *m = new_module(engine, bytes, size, owner);
    if (m == NULL) return ERROR_OOM;
    m->image = image;
    Error *error = load_outline(m);
    if (error == NULL) {
        *out = m;
        return NULL;
    }
    log_refusal(m, error);
    delete_module(m);
    return error;
}

Error *wr_module_check_bodies(Module *m, WhenBodies when) {
    u64 start = wr_os_now();
    Error *error = NULL;
    if (when == BODIES_NOW)
        error = wr_validate_bodies(m, m->engine->config.validation_threads);
    else if ((m->lazy = wr_lazy_bodies_new(m)) == NULL)
        error = ERROR_OOM;
    m->stats.validate_ns += wr_os_now() - start;
    if (error != NULL) return log_refusal(m, error), error;
    sum_up(m);
    log_loading(m);
    return NULL;
}

Error *wr_module_load(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner, Module **out) {
    Error *error = wr_module_load_outline(engine, bytes, size, owner, out);
    if (error == NULL) error = wr_module_check_bodies(*out, BODIES_NOW);
    if (error == NULL || *out == NULL) return error;
    delete_module(*out);
    *out = NULL;
    return error;
}

Module *wr_module_ref(Module *module) {
    atomic_fetch_add_explicit(&module->refs, 1, memory_order_relaxed);
    return module;
}

void wr_module_unref(Module *module) {
    if (module == NULL) return;
    if (atomic_fetch_sub_explicit(&module->refs, 1, memory_order_acq_rel) == 1)
        delete_module(module);
}

u32 wr_module_func_at(const Module *m, u64 offset) {
    u32 low = 0, high = m->ncodes;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (wr_module_offset(m, m->codes[middle].end) <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->ncodes ? m->nimported_funcs + low : NONE_U32;
}

const Export *wr_module_find_export(const Module *module, const char *name, size_t size) {
    if (size > UINT32_MAX) return NULL;
    Name wanted = {name, (u32)size};
    u32 low = 0, high = module->nexports;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        const Export *export = module->exports_by_name[middle];
        int order = wr_name_compare(export->name, wanted);
        if (order == 0) return export;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
