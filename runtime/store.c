/*
 * store.c - stores: what they own, function handles, references to host values, roll-back.
 *
 * Everything made in a store dies with it; nothing is freed earlier but what a failed instantiation
 * rolls back. Function handles and host values are therefore never reused.
 */
#include "memory.h"
#include "object.h"
#include "table.h"
#include "watchdog.h"

/* Host values are index << 2 | 2 in 32 bits. */
#define EXTERN_TAG 2u
#define MAX_EXTERNS (1u << 30)

/* ---- making and deleting -------------------------------------------------------------------- */

Error *wr_store_new(Engine *engine, Store **out) {
    Store *store = wr_alloc_zero(&engine->alloc, sizeof *store);
    if (!store) return ERROR_OOM;
    store->engine = wr_engine_ref(engine);
    store->alloc = engine->alloc;
    store->nfuncs = 1; /* handle 0 is null; its slot is allocated with the first function */
    store->limit_memory = store->limit_tables = store->limit_instances = UINT64_MAX;
    store->limit_heap = UINT64_MAX;
    store->heap = (Heap *)(uintptr_t)&wr_heap_none; /* which is only read */
    atomic_init(&store->interrupt, 0);
    *out = store;
    return NULL;
}

static void free_arrays(Store *store) {
    const Alloc *alloc = &store->alloc;
    wr_free(alloc, store->funcs, store->cap_funcs * sizeof *store->funcs);
    wr_free(alloc, store->externs, store->cap_externs * sizeof *store->externs);
    wr_free(alloc, store->handles, store->cap_handles * sizeof *store->handles);
    wr_free(alloc, store->memories, store->cap_memories * sizeof(Memory *));
    wr_free(alloc, store->tables, store->cap_tables * sizeof(Table *));
    wr_free(alloc, store->tags, store->cap_tags * sizeof(Tag *));
    wr_free(alloc, store->host_globals, store->cap_host_globals * sizeof(Global *));
}

void wr_store_delete(Store *store) {
    if (!store) return;
    Engine *engine = store->engine;
    wr_watchdog_remove(store);
    if (store->fiber) engine->executor->fiber_free(store);
    wr_errors_forget(store);
    wr_heap_delete(store);
    wr_store_rollback(store, (StoreMark){.nfuncs = 1});
    for (u32 i = 0; i < store->nhost_globals; i++) {
        wr_free(&store->alloc, store->host_globals[i], sizeof(Global));
    }
    free_arrays(store);
    wr_free(&engine->alloc, store, sizeof *store);
    wr_engine_unref(engine);
}

/* ---- roll-back ------------------------------------------------------------------------------ */

StoreMark wr_store_mark(const Store *store) {
    return (StoreMark){
        .instances = store->instances,
        .nfuncs = store->nfuncs,
        .nmemories = store->nmemories,
        .ntables = store->ntables,
        .ntags = store->ntags,
    };
}

/* Functions of modules lie in their instances; those of the host stand alone. */
static void free_func(Store *store, Func *func) {
    if (!func->host) return;
    wr_host_func_unref(func->host);
    wr_free(&store->alloc, func, sizeof *func);
}

/* Functions go before instances, which hold some of them; instances before the memories that list
 * them as users. */
void wr_store_rollback(Store *store, StoreMark mark) {
    while (store->nfuncs > mark.nfuncs) free_func(store, store->funcs[--store->nfuncs]);
    while (store->instances != mark.instances) {
        Instance *instance = store->instances;
        store->instances = instance->next;
        wr_instance_free(instance);
    }
    while (store->nmemories > mark.nmemories) wr_memory_free(store->memories[--store->nmemories]);
    while (store->ntables > mark.ntables) wr_table_free(store->tables[--store->ntables]);
    while (store->ntags > mark.ntags) {
        wr_free(&store->alloc, store->tags[--store->ntags], sizeof(Tag));
    }
}

/* ---- functions ------------------------------------------------------------------------------ */

bool wr_store_add_func(Store *store, Func *func) {
    u64 need = (u64)store->nfuncs + 1;
    if (!wr_grow_array(&store->alloc, &store->funcs, &store->cap_funcs, need, UINT32_MAX,
                       sizeof *store->funcs)) {
        return false;
    }
    store->funcs[0] = NULL;
    func->handle = store->nfuncs;
    store->funcs[store->nfuncs++] = func;
    return true;
}

Func *wr_store_new_host_func(Store *store, const DefType *type, HostFunc *host) {
    Func *func = wr_alloc_zero(&store->alloc, sizeof *func);
    if (!func) return NULL;
    func->type = type;
    func->param_slots = type->param_slots;
    func->result_slots = type->result_slots;
    func->index = NONE_U32;
    func->host = host;
    func->host_func = host->func;
    func->host_context = host->context;
    if (!wr_store_add_func(store, func)) {
        wr_free(&store->alloc, func, sizeof *func);
        return NULL;
    }
    wr_host_func_ref(host);
    return func;
}

/* What stopped a call does not stop the next one, but see wr_store_call() for deadlines. */
static void spend_interrupt(Store *store, wr_trap_code_t code) {
    if (code == WR_TRAP_INTERRUPTED) atomic_fetch_and(&store->interrupt, ~POLL_INTERRUPT);
    if (code == WR_TRAP_DEADLINE) atomic_fetch_and(&store->interrupt, ~POLL_DEADLINE);
}

Error *wr_store_call(Store *store, Func *func, Slot *slots) {
    if (store->deadline != 0 && wr_os_now() >= store->deadline) {
        atomic_fetch_or(&store->interrupt, POLL_DEADLINE);
    }
    Error *error = store->engine->executor->call(store, func, slots);
    if (error) spend_interrupt(store, wr_error_trap_code(error));
    return error;
}

/* ---- references ----------------------------------------------------------------------------- */

u64 wr_store_new_extern(Store *store, void *value) {
    u64 need = (u64)store->nexterns + 1;
    if (!wr_grow_array(&store->alloc, &store->externs, &store->cap_externs, need, MAX_EXTERNS,
                       sizeof *store->externs)) {
        return 0;
    }
    store->externs[store->nexterns] = value;
    return (u64)store->nexterns++ << 2 | EXTERN_TAG;
}

bool wr_store_get_extern(const Store *store, u64 ref, void **value) {
    u64 index = ref >> 2;
    if ((ref & 3) != EXTERN_TAG || index >= store->nexterns) return false;
    *value = store->externs[index];
    return true;
}

static bool func_ref_matches(const Store *store, u64 ref, HeapType heap) {
    if (ref >= store->nfuncs) return false;
    HeapType actual = HEAP_DEFINED + store->funcs[ref]->type->id;
    return wr_heap_matches(store->engine->types, actual, heap);
}

/* i31 values, host values and objects other than exceptions belong to the any and to the extern
 * hierarchy. */
static bool value_ref_matches(const Store *store, u64 ref, HeapType heap) {
    void *ignored;
    bool is_exception = false;
    if (ref_is_object(ref)) {
        if (!wr_heap_has(store->heap, ref)) return false;
        is_exception = object_type(object_at(store, ref)) == OBJECT_EXCEPTION;
    } else if ((ref & 1) ? ref > UINT32_MAX : !wr_store_get_extern(store, ref, &ignored)) {
        return false;
    }
    bool wants_exception = wr_heap_matches(store->engine->types, heap, HEAP_EXN);
    return is_exception == wants_exception && wr_ref_matches(store, ref, heap);
}

bool wr_store_ref_matches(const Store *store, u64 ref, ValType type) {
    if (ref == 0) return type_is_nullable(type);
    HeapType heap = type_heap(type);
    if (wr_heap_matches(store->engine->types, heap, HEAP_FUNC)) {
        return func_ref_matches(store, ref, heap);
    }
    return value_ref_matches(store, ref, heap);
}

void wr_store_shade(Store *store, u64 ref, ValType type) {
    if (wr_type_in_heap(store->engine->types, type)) wr_heap_mark(store, ref);
}

/* ---- what the host keeps -------------------------------------------------------------------- */

bool wr_store_keep(Store *store, u64 ref) {
    if (ref == 0 || !ref_is_object(ref)) return true;
    if (store->nhandles > 0 && store->handles[store->nhandles - 1] == (u32)ref) return true;
    u64 need = (u64)store->nhandles + 1;
    if (!wr_grow_array(&store->alloc, &store->handles, &store->cap_handles, need, UINT32_MAX,
                       sizeof *store->handles)) {
        return false;
    }
    store->handles[store->nhandles++] = (u32)ref;
    return true;
}

size_t wr_store_open_scope(Store *store) { return store->nhandles; }

void wr_store_close_scope(Store *store, size_t scope) {
    if (scope < store->nhandles) store->nhandles = (u32)scope;
}
