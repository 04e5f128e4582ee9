/*
 * capi_ref.c - references of wasm.h to run-time objects: making, counting, comparing, host info.
 */
#include "capi.h"

#include "object.h"

/* ---- the objects of a store ----------------------------------------------------------------- */

static u32 bucket_of(const wasm_store_t *store, u64 key) {
    return (u32)((key * 0x9E3779B97F4A7C15u) >> 32) & (store->nbuckets - 1);
}

/* What it stands for, as a number; itself if that is nothing. */
static u64 key_of(const Object *object) {
    if (object->kind == OBJECT_REF) return object->of.ref;
    return (uintptr_t)(object_kind_is_free(object->kind) ? object : object->of.pointer);
}

static void put(wasm_store_t *store, Object *object) {
    Object **bucket = &store->buckets[bucket_of(store, key_of(object))];
    object->next = *bucket;
    *bucket = object;
}

static bool make_room(wasm_store_t *store) {
    if (store->nobjects < store->nbuckets) return true;
    if (store->nbuckets > UINT32_MAX / 4) return false;
    u32 old_count = store->nbuckets, count = old_count ? old_count * 2 : 16;
    Object **old = store->buckets;
    Object **buckets = wr_alloc_array(&wr_alloc_system, count, sizeof(Object *));
    if (!buckets) return false;
    store->buckets = buckets;
    store->nbuckets = count;
    for (u32 i = 0; i < old_count; i++) {
        for (Object *object = old[i], *next; object; object = next) {
            next = object->next;
            put(store, object);
        }
    }
    wr_free(&wr_alloc_system, old, old_count * sizeof(Object *));
    return true;
}

static Object *find(const wasm_store_t *store, ObjectKind kind, u64 key) {
    if (store->nbuckets == 0) return NULL;
    Object *object = store->buckets[bucket_of(store, key)];
    while (object && (object->kind != kind || key_of(object) != key)) object = object->next;
    return object;
}

static void take_out(Object *object) {
    wasm_store_t *store = object->store;
    Object **place = &store->buckets[bucket_of(store, key_of(object))];
    while (*place != object) place = &(*place)->next;
    *place = object->next;
    store->nobjects--;
}

/* ---- making and counting -------------------------------------------------------------------- */

static void add(wasm_store_t *store, Object *object) {
    object->store = store;
    put(store, object);
    store->nobjects++;
}

static Object *new_object(ObjectKind kind) {
    Object *object = wr_alloc_zero(&wr_alloc_system, sizeof *object);
    if (!object) return NULL;
    object->kind = kind;
    object->refs = 1;
    return object;
}

Object *wr_capi_new_object(wasm_store_t *store, ObjectKind kind) {
    if (store && !make_room(store)) return NULL;
    Object *object = new_object(kind);
    if (object && store) add(store, object);
    return object;
}

Object *wr_capi_object(wasm_store_t *store, ObjectKind kind, const void *pointer) {
    Object *object = find(store, kind, (uintptr_t)pointer);
    if (object) return wr_capi_ref(object);
    if (!make_room(store)) return NULL;
    object = new_object(kind);
    if (!object) return NULL;
    object->of.pointer = pointer;
    add(store, object);
    return object;
}

static Object *object_of_ref(wasm_store_t *store, u64 ref) {
    Object *object = find(store, OBJECT_REF, ref);
    if (object) return wr_capi_ref(object);
    if (!make_room(store)) return NULL;
    object = new_object(OBJECT_REF);
    if (!object) return NULL;
    if (!wr_store_root(store->store, ref, &object->root)) {
        wr_free(&wr_alloc_system, object, sizeof *object);
        return NULL;
    }
    object->of.ref = ref;
    add(store, object);
    return object;
}

Object *wr_capi_ref(Object *object) {
    if (object != &wr_capi_oom_trap) object->refs++;
    return object;
}

static void finalize(Object *object) {
    void (*finalizer)(void *) = object->finalizer;
    object->finalizer = NULL;
    if (finalizer) finalizer(object->info);
}

static void release(Object *object) {
    if (object->kind == OBJECT_MODULE) wr_module_unref(object->of.module);
    if (object->kind == OBJECT_TRAP) wr_error_delete(object->of.error);
    if (object->kind == OBJECT_REF && object->store)
        wr_store_unroot(object->store->store, object->root);
    wr_free(&wr_alloc_system, object, sizeof *object);
}

/* It has to outlive its references if somebody may ask for it again: the guest, or what it stands for
 * has info of the host. */
static bool is_needed(const Object *object) {
    if (!object->store) return false;
    return object->handle || (!object_kind_is_free(object->kind) && object->info);
}

void wr_capi_unref(Object *object) {
    if (!object || object == &wr_capi_oom_trap) return;
    if (--object->refs > 0 || is_needed(object)) return;
    object->refs++; /* as long as the finalizer may look at it */
    finalize(object);
    if (--object->refs > 0) return;
    if (object->store) take_out(object);
    release(object);
}

/* What is still referred to becomes an object without a store, for its references to delete. */
static void forget(Object *object) {
    bool goes_on = object->refs > 0 && object_kind_is_free(object->kind);
    if (object->kind == OBJECT_REF) wr_store_unroot(object->store->store, object->root);
    object->store = NULL;
    object->handle = 0;
    object->next = NULL;
    if (goes_on) return;
    object->refs++; /* as long as the finalizer may delete other references to it */
    finalize(object);
    if (--object->refs == 0) release(object);
}

void wr_capi_forget_objects(wasm_store_t *store) {
    for (u32 i = 0; i < store->nbuckets; i++) {
        while (store->buckets[i]) {
            Object *object = store->buckets[i];
            store->buckets[i] = object->next;
            store->nobjects--;
            forget(object);
        }
    }
    wr_free(&wr_alloc_system, store->buckets, store->nbuckets * sizeof(Object *));
    wr_free(&wr_alloc_system, store->handles, store->cap_handles * sizeof(Object *));
}

/* ---- references as the guest has them ------------------------------------------------------- */

static u32 handle_index(u64 handle) { return (u32)(handle >> 2); }

/* Makes a host value of it, so that it lives as long as the store. */
static bool give_handle(wasm_store_t *store, Object *object) {
    if (object->handle) return true;
    u64 handle = wr_store_new_extern(store->store, object);
    if (!handle) return false;
    u32 old = store->cap_handles, index = handle_index(handle);
    if (!wr_grow_array(&wr_alloc_system, &store->handles, &store->cap_handles, (u64)index + 1,
                       UINT32_MAX, sizeof(Object *))) {
        return false;
    }
    memset(store->handles + old, 0, (store->cap_handles - old) * sizeof(Object *));
    store->handles[index] = object;
    object->handle = handle;
    return true;
}

static Object *object_of_handle(const wasm_store_t *store, u64 ref) {
    void *value;
    if (!wr_store_get_extern(store->store, ref, &value)) return NULL;
    u32 index = handle_index(ref);
    return index < store->cap_handles ? store->handles[index] : NULL;
}

bool wr_capi_from_raw(wasm_store_t *store, ValType type, u64 raw, Object **object) {
    *object = NULL;
    if (raw == 0) return true;
    if (wr_heap_matches(store->store->engine->types, type_heap(type), HEAP_FUNC)) {
        *object = wr_capi_object(store, OBJECT_FUNC, store->store->funcs[raw]);
    } else {
        Object *known = object_of_handle(store, raw);
        *object = known ? wr_capi_ref(known) : object_of_ref(store, raw);
    }
    return *object != NULL;
}

bool wr_capi_to_raw(wasm_store_t *store, const Object *object, ValType type, u64 *raw) {
    *raw = 0;
    if (!object) return type_is_nullable(type);
    if (object->store != store) return false; /* another's, or V128 */
    if (wr_heap_matches(store->store->engine->types, type_heap(type), HEAP_FUNC)) {
        if (object->kind != OBJECT_FUNC) return false;
        *raw = object->of.func->handle;
    } else if (object->kind == OBJECT_REF) {
        *raw = object->of.ref;
    } else {
        if (!give_handle(store, OBJECT_OF(object))) return false;
        *raw = object->handle;
    }
    return wr_store_ref_matches(store->store, *raw, type);
}

/* ---- what the header declares for each kind of reference ------------------------------------ */

static void set_info(Object *object, void *info, void (*finalizer)(void *)) {
    if (object == &wr_capi_oom_trap) return; /* shared by all */
    if (object->info != info) finalize(object);
    object->info = info;
    object->finalizer = finalizer;
}

#define DEFINE_REF_BASE(name)                                                                      \
    void wasm_##name##_delete(wasm_##name##_t *ref) { wr_capi_unref(OBJECT_OF(ref)); }             \
    wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *ref) {                              \
        return ref ? (wasm_##name##_t *)(void *)wr_capi_ref(OBJECT_OF(ref)) : NULL;                \
    }                                                                                              \
    bool wasm_##name##_same(const wasm_##name##_t *a, const wasm_##name##_t *b) {                  \
        return (const void *)a == (const void *)b;                                                 \
    }                                                                                              \
    void *wasm_##name##_get_host_info(const wasm_##name##_t *ref) { return OBJECT_OF(ref)->info; } \
    void wasm_##name##_set_host_info(wasm_##name##_t *ref, void *info) {                           \
        set_info(OBJECT_OF(ref), info, NULL);                                                      \
    }                                                                                              \
    void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *ref, void *info,              \
                                                    void (*finalizer)(void *)) {                   \
        set_info(OBJECT_OF(ref), info, finalizer);                                                 \
    }

#define DEFINE_REF(name, MATCHES)                                                                  \
    DEFINE_REF_BASE(name)                                                                          \
    wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *ref) { return OBJECT_OF(ref); }              \
    const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *ref) {                     \
        return OBJECT_OF(ref);                                                                     \
    }                                                                                              \
    wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *ref) {                                         \
        return ref && MATCHES(ref->kind) ? (wasm_##name##_t *)(void *)ref : NULL;                  \
    }                                                                                              \
    const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *ref) {                     \
        return ref && MATCHES(ref->kind) ? (const wasm_##name##_t *)(const void *)ref : NULL;      \
    }

#define IS_FUNC(kind) ((kind) == OBJECT_FUNC)
#define IS_GLOBAL(kind) ((kind) == OBJECT_GLOBAL)
#define IS_TABLE(kind) ((kind) == OBJECT_TABLE)
#define IS_MEMORY(kind) ((kind) == OBJECT_MEMORY)
#define IS_TAG(kind) ((kind) == OBJECT_TAG)
#define IS_INSTANCE(kind) ((kind) == OBJECT_INSTANCE)
#define IS_MODULE(kind) ((kind) == OBJECT_MODULE)
#define IS_TRAP(kind) ((kind) == OBJECT_TRAP)
#define IS_FOREIGN(kind) ((kind) == OBJECT_FOREIGN)

DEFINE_REF_BASE(ref)
DEFINE_REF(func, IS_FUNC)
DEFINE_REF(global, IS_GLOBAL)
DEFINE_REF(table, IS_TABLE)
DEFINE_REF(memory, IS_MEMORY)
DEFINE_REF(tag, IS_TAG)
DEFINE_REF(extern, object_kind_is_extern)
DEFINE_REF(instance, IS_INSTANCE)
DEFINE_REF(module, IS_MODULE)
DEFINE_REF(trap, IS_TRAP)
DEFINE_REF(foreign, IS_FOREIGN)

/* ---- objects that are nothing but references ------------------------------------------------ */

wasm_foreign_t *wasm_foreign_new(wasm_store_t *store) {
    return (wasm_foreign_t *)(void *)wr_capi_new_object(store, OBJECT_FOREIGN);
}

wasm_ref_t *wasm_v128_new(const uint8_t bytes[16]) {
    Object *object = wr_capi_new_object(NULL, OBJECT_V128);
    if (object) memcpy(object->of.v128, bytes, 16);
    return object;
}

bool wasm_v128_get(const wasm_ref_t *ref, uint8_t bytes[16]) {
    if (!ref || ref->kind != OBJECT_V128) return false;
    memcpy(bytes, ref->of.v128, 16);
    return true;
}
