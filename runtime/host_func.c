/*
 * host_func.c - definitions of host functions (HostFunc of store.h), and calls of them. A linker makes them;
 * each instantiation that imports one makes a function from it (wr_store_new_host_func).
 */
#include "heap.h"
#include "store.h"

/* Object and names share a block: one allocation, one thing to free. */
static HostFunc *new_block(Engine *engine, const char *module, const char *name) {
    size_t module_size = strlen(module) + 1, name_size = strlen(name) + 1, size;
    if (!add_size(module_size, name_size, &size)) return NULL;
    if (!add_size(size, sizeof(HostFunc), &size)) return NULL;
    HostFunc *host = wr_alloc_zero(&engine->alloc, size);
    if (!host) return NULL;
    char *names = (char *)(host + 1);
    host->size = size;
    host->module = memcpy(names, module, module_size);
    host->name = memcpy(names + module_size, name, name_size);
    return host;
}

HostFunc *wr_host_func_new(Engine *engine, const char *module, const char *name,
                           const ValType *types, u32 nparams, u32 nresults) {
    HostFunc *host = new_block(engine, module, name);
    if (!host) return NULL;
    host->type = wr_types_intern_func(engine->types, types, nparams, nresults, &host->group);
    if (!host->type) {
        wr_free(&engine->alloc, host, host->size);
        return NULL;
    }
    atomic_init(&host->refs, 1);
    host->engine = wr_engine_ref(engine);
    return host;
}

HostFunc *wr_host_func_ref(HostFunc *host) {
    atomic_fetch_add_explicit(&host->refs, 1, memory_order_relaxed);
    return host;
}

void wr_host_func_unref(HostFunc *host) {
    if (!host || atomic_fetch_sub_explicit(&host->refs, 1, memory_order_acq_rel) != 1) return;
    if (host->finalizer) host->finalizer(host->context);
    Engine *engine = host->engine;
    wr_types_release(engine->types, host->group);
    wr_free(&engine->alloc, host, host->size);
    wr_engine_unref(engine);
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* Host functions fill raw slots: a reference that is none of that type must not get into the guest. */
static Error *check_results(Store *store, const DefType *type, const Slot *slots) {
    for (u32 i = 0, at = 0; i < type->nresults;
         at += type_slots(type->types[type->nparams + i++])) {
        ValType t = type->types[type->nparams + i];
        if (!type_is_ref(t)) continue;
        if (!wr_store_ref_matches(store, slots[at].ref, t))
            return wr_error_at(WR_ERROR_TRAP, NO_OFFSET,
                               "host function returned an invalid reference");
        if (store->heap->marking) wr_store_shade(store, slots[at].ref, t);
    }
    return NULL;
}

/* What a host function is given lives until it returns: its slots are no roots, it may write there. */
static Error *keep_arguments(Store *store, const DefType *type, const Slot *slots) {
    for (u32 i = 0; i < type->nrefs; i++)
        if (!wr_store_keep(store, slots[type->refs[i]].ref)) return ERROR_OOM;
    return NULL;
}

/* Not to exits, which are no mistakes, nor to exceptions, which the caller may expect. */
COLD static void add_frame(Error *error, const HostFunc *host) {
    wr_error_kind_t kind = wr_error_kind(error);
    if (kind == WR_ERROR_EXIT || kind == WR_ERROR_EXCEPTION) return;
    bool has_name = host->module[0] != 0 || host->name[0] != 0;
    wr_error_add_host_frame(error, has_name ? host->module : NULL, has_name ? host->name : NULL);
}

Error *wr_store_call_host(Store *store, Func *func, Instance *caller, Slot *slots) {
    Caller c = {store, caller};
    u32 scope = store->nhandles;
    Error *error = keep_arguments(store, func->type, slots);
    if (!error) error = func->host_func(&c, func->host_context, (wr_slot_t *)(void *)slots);
    if (!error) error = check_results(store, func->type, slots);
    store->nhandles = scope;
    if (UNLIKELY(error != NULL)) add_frame(error, func->host);
    return error;
}
