/*
 * capi.h - what the files behind wasm.h share: references to run-time objects, and the conversions
 * between the standard's values and types and the runtime's. capi_*.c only.
 *
 * Every wasm_xxx_t of a run-time object is an Object in disguise, and there is one Object for each
 * thing: two references to a function are the same pointer, counted twice. So references can be
 * compared by address, and host info needs no table of its own. A store lists its Objects by what
 * they stand for. The things themselves belong to the runtime's store and live as long.
 */
#ifndef WR_CAPI_H
#define WR_CAPI_H

#define WASM_API_EXTERN __attribute__((visibility("default")))
#include "wasm.h"

#include "store.h"

/* Externals first, numbered as wasm_externkind_enum. */
typedef enum ObjectKind {
    OBJECT_FUNC = WASM_EXTERN_FUNC,
    OBJECT_GLOBAL = WASM_EXTERN_GLOBAL,
    OBJECT_TABLE = WASM_EXTERN_TABLE,
    OBJECT_MEMORY = WASM_EXTERN_MEMORY,
    OBJECT_TAG = WASM_EXTERN_TAG,
    OBJECT_INSTANCE,
    OBJECT_REF, /* a reference that is nothing of the others: into the heap, i31 */
    /* these stand for nothing that the runtime's store knows: */
    OBJECT_MODULE,
    OBJECT_TRAP,
    OBJECT_FOREIGN,
    OBJECT_V128
} ObjectKind;
INLINE bool object_kind_is_extern(ObjectKind kind) { return kind <= OBJECT_TAG; }
INLINE bool object_kind_is_free(ObjectKind kind) { return kind >= OBJECT_MODULE; }

typedef struct wasm_ref_t {
    ObjectKind kind;
    u32 root; /* OBJECT_REF into the heap: what wr_store_root() gave */
    size_t refs;
    wasm_store_t *store; /* NULL: none, or it is gone and what `of` points to with it */
    union {
        Func *func;
        Global *global;
        Table *table;
        Memory *memory;
        Tag *tag;
        Instance *instance;
        Module *module; /* counted */
        Error *error;   /* owned */
        u64 ref;
        u8 v128[16];
        const void *pointer;
    } of;
    u64 handle; /* its reference in the extern hierarchy, 0 while the guest was never given it */
    void *info;
    void (*finalizer)(void *info);
    struct wasm_ref_t *next; /* of the same bucket in its store */
} Object;

struct wasm_store_t {
    Store *store;
    Object **buckets; /* by what they stand for; a power of two of them */
    u32 nbuckets, nobjects;
    Object **handles; /* by index of the runtime's host values; those of others are NULL */
    u32 cap_handles;
};

/* Configurations and engines are those of wasmrun.h, shared modules the runtime's. */
INLINE wr_config_t *config_of(wasm_config_t *config) { return (wr_config_t *)(void *)config; }
INLINE Engine *engine_of(wasm_engine_t *engine) { return (Engine *)(void *)engine; }

#define OBJECT_OF(reference) ((Object *)(void *)(uintptr_t)(reference))

/* ---- capi_ref.c ---- */

/* A reference, counted, to the Object of something in the store: made if there is none yet. NULL when
 * out of memory. Not for OBJECT_REF. */
NODISCARD Object *wr_capi_object(wasm_store_t *store, ObjectKind kind, const void *pointer);
/* A new Object that stands for nothing in the runtime's store, if object_kind_is_free(kind). `store`
 * may be NULL. */
NODISCARD Object *wr_capi_new_object(wasm_store_t *store, ObjectKind kind);
Object *wr_capi_ref(Object *object); /* counts; gives what it was given */
void wr_capi_unref(Object *object);  /* NULL is allowed */
/* A raw reference of the store as an Object, counted; 0 gives NULL. False when out of memory. */
NODISCARD bool wr_capi_from_raw(wasm_store_t *store, ValType type, u64 raw, Object **object);
/* The raw reference for an Object or NULL where `type` is wanted; false if it is no such, or when out
 * of memory. */
NODISCARD bool wr_capi_to_raw(wasm_store_t *store, const Object *object, ValType type, u64 *raw);
/* Finalizes what is left, and lets go of references that are still held. */
void wr_capi_forget_objects(wasm_store_t *store);

/* ---- capi_type.c ---- */

wasm_valkind_t wr_capi_kind(const TypeTable *types, ValType type);
ValType wr_capi_type_of_kind(wasm_valkind_t kind);
wasm_functype_t *wr_capi_functype(const TypeTable *types, const DefType *type);
wasm_externtype_t *wr_capi_globaltype(const TypeTable *types, ValType type, bool is_mutable);
wasm_externtype_t *wr_capi_tabletype(const TypeTable *types, ValType type, u64 min, u64 max);
wasm_externtype_t *wr_capi_memorytype(u64 min, u64 max); /* max UINT64_MAX: none */
wasm_externtype_t *wr_capi_tagtype(const TypeTable *types, const DefType *type);

/* ---- capi_value.c ---- */

/* To type_slots(type) slots: NULL, or what does not fit. */
NODISCARD const char *wr_capi_to_slots(wasm_store_t *store, const wasm_val_t *value, ValType type,
                                       Slot *slots);
/* False when out of memory; *value is then null. */
NODISCARD bool wr_capi_from_slots(wasm_store_t *store, ValType type, const Slot *slots,
                                  wasm_val_t *value);
/* Zero or null, of the kind that the type is shown as. */
wasm_val_t wr_capi_default(const TypeTable *types, ValType type);

/* ---- capi_trap.c ---- */

/* Takes over the error. Never NULL. `store` may be NULL. */
wasm_trap_t *wr_capi_trap(wasm_store_t *store, Error *error);
/* The error of a trap, which is consumed: the caller's. */
Error *wr_capi_error(wasm_trap_t *trap);
/* What wr_capi_trap() gives when there is no memory: never changes, is never freed. */
extern Object wr_capi_oom_trap;
/* For a reference whose store is gone. */
wasm_trap_t *wr_capi_dead(void);

/* ---- capi_extern.c ---- */

/* A reference, counted, to what an ExternVal names. */
NODISCARD Object *wr_capi_extern(wasm_store_t *store, const ExternVal *value);

#endif
