/*
 * store.c - stores: what they own, function handles, references to host values, roll-back.
 *
 * Everything made in a store dies with it; nothing is freed earlier but what a failed instantiation
 * rolls back. Function handles and host values are therefore never reused.
 */
#include "kit.h"
#include "memory.h"
#include "object.h"
#include "table.h"
#include "watchdog.h"

/* Host values are index << 2 | 2 in 32 bits. */
#define EXTERN_TAG 2u
#define MAX_EXTERNS (1u << 30)
#define MAX_ROOTS (1u << 30)

/* ---- budgets -------------------------------------------------------------------------------- */

/* What a store takes at a time: rarely enough that threads do not meet there, little enough that
 * none is in want while others have much. */
#define FUEL_PORTION 65536u

static Budget *new_budget(const Alloc *alloc) {
    Budget *budget = wr_alloc_zero(alloc, sizeof *budget);
    if (!budget) return NULL;
    budget->alloc = *alloc;
    atomic_init(&budget->refs, 1);
    atomic_init(&budget->limit_memory, UINT64_MAX);
    return budget;
}

Budget *wr_budget_ref(Budget *budget) {
    atomic_fetch_add_explicit(&budget->refs, 1, memory_order_relaxed);
    return budget;
}

void wr_budget_unref(Budget *budget) {
    if (atomic_fetch_sub_explicit(&budget->refs, 1, memory_order_acq_rel) != 1) return;
    Alloc alloc = budget->alloc;
    wr_free(&alloc, budget, sizeof *budget);
}

bool wr_budget_charge(Budget *budget, u64 bytes) {
    u64 used = budget->used_memory;
    do {
        u64 sum = used, limit = budget->limit_memory;
        if (!store_charge(&sum, limit, bytes)) return false;
    } while (!atomic_compare_exchange_weak(&budget->used_memory, &used, used + bytes));
    return true;
}

void wr_budget_return(Budget *budget, u64 bytes) { atomic_fetch_sub(&budget->used_memory, bytes); }

bool wr_budget_clear(Budget *budget, u64 used) {
    if (atomic_load_explicit(&budget->refs, memory_order_acquire) != 1) return false;
    atomic_store_explicit(&budget->limit_memory, UINT64_MAX, memory_order_relaxed);
    atomic_store_explicit(&budget->used_memory, used, memory_order_relaxed);
    atomic_store_explicit(&budget->fuel, 0, memory_order_relaxed);
    return true;
}

i64 wr_budget_draw(Budget *budget, u64 need) {
    u64 left = budget->fuel, taken;
    do {
        taken = min_u64(left, need + FUEL_PORTION);
    } while (!atomic_compare_exchange_weak(&budget->fuel, &left, left - taken));
    return (i64)taken;
}

/* ---- making and deleting -------------------------------------------------------------------- */

/* What a new store and a cleared one have in common. */
static void set_defaults(Store *store) {
    store->limit_tables = store->limit_instances = store->limit_heap = UINT64_MAX;
    store->heap = (Heap *)(uintptr_t)&wr_heap_none; /* which is only read */
    store->interruptible = store->fuel_on = false;
    store->deadline = 0;
    store->nexterns = store->nhandles = store->nroots = store->free_root = store->ndata = 0;
    store->const_objects = 0;
    atomic_store_explicit(&store->interrupt, 0, memory_order_relaxed);
}

/* Consumes the reference to the budget, which may be NULL for want of memory. */
static Error *new_store(Engine *engine, Budget *budget, Store **out) {
    Store *store = budget ? wr_alloc_zero(&engine->alloc, sizeof *store) : NULL;
    if (!store) {
        if (budget) wr_budget_unref(budget);
        return ERROR_OOM;
    }
    store->engine = wr_engine_ref(engine);
    store->alloc = engine->alloc;
    store->budget = budget;
    store->nfuncs = 1; /* handle 0 is null; its slot is allocated with the first function */
    atomic_init(&store->interrupt, 0);
    set_defaults(store);
    *out = store;
    return NULL;
}

Error *wr_store_new(Engine *engine, Store **out) {
    return new_store(engine, new_budget(&engine->alloc), out);
}

/* Fuel that is left goes to where all peers find it. */
static void give_back_fuel(Store *store) {
    if (store->fuel_on && store->fuel > 0) {
        atomic_fetch_add(&store->budget->fuel, (u64)store->fuel);
        store->fuel = 0;
    }
}

Error *wr_store_new_peer(Store *store, Store **out) {
    *out = NULL;
    Store *peer = NULL;
    Error *error = new_store(store->engine, wr_budget_ref(store->budget), &peer);
    if (error) return error;
    peer->limit_tables = store->limit_tables;
    peer->limit_instances = store->limit_instances;
    peer->limit_heap = store->limit_heap;
    peer->interruptible = store->interruptible;
    peer->fuel_on = store->fuel_on;
    if (store->deadline != 0 && !wr_watchdog_add(peer, store->deadline)) {
        wr_store_delete(peer);
        return ERROR_OOM;
    }
    peer->deadline = store->deadline;
    give_back_fuel(store);
    *out = peer;
    return NULL;
}

static void free_arrays(Store *store) {
    const Alloc *alloc = &store->alloc;
    wr_free(alloc, store->funcs, store->cap_funcs * sizeof *store->funcs);
    wr_free(alloc, store->externs, store->cap_externs * sizeof *store->externs);
    wr_free(alloc, store->handles, store->cap_handles * sizeof *store->handles);
    wr_free(alloc, store->roots, store->cap_roots * sizeof *store->roots);
    wr_free(alloc, store->memories, store->cap_memories * sizeof(Memory *));
    wr_free(alloc, store->tables, store->cap_tables * sizeof(Table *));
    wr_free(alloc, store->tags, store->cap_tags * sizeof(Tag *));
    wr_free(alloc, store->host_globals, store->cap_host_globals * sizeof(Global *));
    wr_free(alloc, store->data, store->cap_data * sizeof *store->data);
}

static void free_host_globals(Store *store) {
    while (store->nhost_globals > 0) {
        wr_free(&store->alloc, store->host_globals[--store->nhost_globals], sizeof(Global));
    }
}

void wr_store_clear(Store *store, StoreMark mark) {
    wr_watchdog_remove(store);
    wr_paused_forget(store);
    if (store->fiber) store->engine->executor->fiber_free(store, store->fiber);
    wr_errors_forget(store);
    if (store->heap != &wr_heap_none) wr_heap_delete(store);
    wr_store_rollback(store, mark);
    free_host_globals(store);
    for (Instance *i = store->instances; i; i = i->next) {
        i->heap = (Heap *)(uintptr_t)&wr_heap_none;
        i->heap_base = NULL;
    }
    give_back_fuel(store);
    set_defaults(store);
}

void wr_store_delete(Store *store) {
    if (!store) return;
    if (store->kit) {
        wr_kit_return(store->kit);
        return;
    }
    Engine *engine = store->engine;
    wr_store_clear(store, (StoreMark){.nfuncs = 1});
    if (store->native) store->native_ops->store_free(store);
    free_arrays(store);
    wr_budget_unref(store->budget);
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
        Tag *tag = store->tags[--store->ntags];
        if (tag->group) wr_types_release(store->engine->types, tag->group);
        wr_free(&store->alloc, tag, sizeof *tag);
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
    func->native_context = store->native;
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

Error *wr_store_trap(const Store *store, wr_trap_code_t code, u64 element) {
    if (code == WR_TRAP_ALLOCATION_FAILURE && store->heap->problem)
        return wr_error_at(WR_ERROR_TRAP, NO_OFFSET, "the heap is damaged: %s",
                           store->heap->problem);
    if (code == WR_TRAP_UNINITIALIZED_ELEMENT) return wr_error_trap_element(code, element);
    return wr_error_trap(code);
}

static bool is_alarming(u32 bits) { return bits & POLL_RUNNING && bits & POLL_ASKED; }

u32 wr_store_raise(Store *store, u32 bits) {
    Engine *engine = store->engine; /* the store may be gone once its call has stopped */
    u32 old = atomic_fetch_or(&store->interrupt, bits);
    if (is_alarming(old | bits) && !is_alarming(old)) engine->executor->alarm(engine, 1);
    if (old & POLL_THREAD && bits & POLL_ASKED & ~old)
        wr_watchdog_send(engine, (old & POLL_THREAD) >> POLL_THREAD_SHIFT);
    return old;
}

u32 wr_store_lower(Store *store, u32 bits) {
    u32 old = atomic_fetch_and(&store->interrupt, ~bits);
    if (is_alarming(old) && !is_alarming(old & ~bits))
        store->engine->executor->alarm(store->engine, -1);
    return old;
}

/* What stopped a call does not stop the next one, but see wr_store_call() for deadlines. */
void wr_store_spend_interrupt(Store *store, wr_trap_code_t code) {
    if (code == WR_TRAP_INTERRUPTED) wr_store_lower(store, POLL_INTERRUPT);
    if (code == WR_TRAP_DEADLINE) wr_store_lower(store, POLL_DEADLINE);
}

void wr_store_note_deadline(Store *store) {
    if (store->deadline != 0 && wr_os_now() >= store->deadline) {
        wr_store_raise(store, POLL_DEADLINE);
    }
}

Error *wr_store_call(Store *store, Func *func, Slot *slots) {
    if (store->deadline != 0) wr_store_note_deadline(store);
    bool pauses = store->pauses;
    store->pauses = false; /* a host function is on the stack, or there is nobody who would go on */
    Error *error = store->engine->executor->call(store, func, slots);
    store->pauses = pauses;
    if (error) wr_store_spend_interrupt(store, wr_error_trap_code(error));
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
    HeapType actual = (HEAP_DEFINED + store->funcs[ref]->type->id) | HEAP_EXACT;
    return wr_heap_matches(store->engine->types, actual, heap);
}

/* i31 values, host values and objects other than exceptions belong to the any and to the extern
 * hierarchy. */
static bool value_ref_matches(const Store *store, u64 ref, HeapType heap) {
    void *ignored;
    bool is_exception = false;
    if (ref_is_object(ref)) {
        if (!wr_heap_has(store->heap, ref)) return false;
        is_exception = object_is_exception(object_at(store, ref));
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

/* ---- what the embedder attaches -------------------------------------------------------------- */

bool wr_store_set_datum(Store *store, const void *key, void *value) {
    u32 i = 0;
    while (i < store->ndata && store->data[i].key != key) i++;
    if (i == store->ndata && !wr_grow_array(&store->alloc, &store->data, &store->cap_data,
                                            (u64)i + 1, UINT32_MAX, sizeof *store->data)) {
        return false;
    }
    store->data[i] = (StoreDatum){key, value};
    if (i == store->ndata) store->ndata++;
    return true;
}

void *wr_store_datum(const Store *store, const void *key) {
    for (u32 i = 0; i < store->ndata; i++) {
        if (store->data[i].key == key) return store->data[i].value;
    }
    return NULL;
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

bool wr_store_root(Store *store, u64 ref, u32 *root) {
    if (store->free_root) {
        *root = store->free_root - 1;
        store->free_root = store->roots[*root] >> 1;
    } else {
        if (!wr_grow_array(&store->alloc, &store->roots, &store->cap_roots, (u64)store->nroots + 1,
                           MAX_ROOTS, sizeof *store->roots)) {
            return false;
        }
        *root = store->nroots++;
    }
    store->roots[*root] = ref_is_object(ref) ? (u32)ref : 0; /* all else needs no keeping */
    return true;
}

void wr_store_unroot(Store *store, u32 root) {
    if (root >= store->nroots || store->roots[root] & 1) return; /* is free already */
    store->roots[root] = store->free_root << 1 | 1;              /* the collector passes by */
    store->free_root = root + 1;
}

size_t wr_store_open_scope(Store *store) { return store->nhandles; }

void wr_store_close_scope(Store *store, size_t scope) {
    if (scope < store->nhandles) store->nhandles = (u32)scope;
}
