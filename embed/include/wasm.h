/*
 * wasm.h - the standard WebAssembly C API, as wasmrun provides it.
 *
 * Source and link compatible with the header that the WebAssembly/wasm-c-api repository specifies:
 * programs written against that one, for whichever engine, compile with this one unchanged, and
 * objects compiled with that one link with libwasmrun. What the standard has no words for (kinds of
 * values and externals that came to WebAssembly later) is added at the end of each list, marked
 * "wasmrun". Fuel, deadlines, limits, WASI and linking by name are in wasmrun.h, whose last part
 * leads from one interface to the other.
 *
 * Ownership (`own`)
 *   A parameter marked `own` passes what it points to, and the object itself, to the callee; a result
 *   marked `own` is the caller's to delete. `own` on a vector means its elements as well. An `own`
 *   parameter named `out` is filled in: nothing in it is read or released before. Everything else is
 *   borrowed for the duration of the call; a result that is not `own` lives as long as what it was
 *   taken from. Deleting NULL is allowed.
 *
 * References
 *   A wasm_xxx_t * to a run-time object is a counted reference. Deleting one gives up the reference,
 *   not the object: functions, memories, tables, globals, tags and instances live as long as their
 *   store. References may be deleted after their store; until then they are dead: calls on them
 *   trap, sizes are 0. Modules and traps keep what they know. Host info belongs to the object, not
 *   to the reference: all references to the object see it. Its finalizer runs when the info is
 *   replaced (by another pointer), when the last reference to a module, trap or foreign object that
 *   the guest cannot reach is deleted, and for all others when the store is deleted. A function's
 *   environment is finalized when its store is deleted.
 *
 * Threads
 *   An engine and a shared module may be used by any threads at once. A store and everything that
 *   was made in it belong to one thread at a time. Types, vectors and configurations are plain data.
 *
 * Failures
 *   A constructor that fails gives NULL, a vector of size 0 or false; nothing aborts. What was
 *   passed as `own` is released then, too.
 */
#ifndef WASM_H
#define WASM_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WASM_API_EXTERN
#if defined(_WIN32) && !defined(__MINGW32__) && !defined(LIBWASM_STATIC)
#define WASM_API_EXTERN __declspec(dllimport)
#else
#define WASM_API_EXTERN
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define own /* marks a transfer of ownership; see above */

/* ==== Machine types ============================================================================ */

typedef char byte_t;
typedef float float32_t;
typedef double float64_t;

/* Fails to compile where the types above have other sizes. */
static inline void assertions(void) {
    typedef char wasm_float_has_32_bits[sizeof(float32_t) == 4 ? 1 : -1];
    typedef char wasm_double_has_64_bits[sizeof(float64_t) == 8 ? 1 : -1];
    typedef char wasm_pointer_is_a_word[sizeof(intptr_t) == 4 || sizeof(intptr_t) == 8 ? 1 : -1];
    (void)sizeof(wasm_float_has_32_bits);
    (void)sizeof(wasm_double_has_64_bits);
    (void)sizeof(wasm_pointer_is_a_word);
}

/* ==== Patterns of declarations ================================================================= */

/* An opaque type and its destructor. */
#define WASM_DECLARE_OWN(name)                                                                     \
    typedef struct wasm_##name##_t wasm_##name##_t;                                                \
    WASM_API_EXTERN void wasm_##name##_delete(own wasm_##name##_t *);

/*
 * A vector: `size` elements at `data`, which are wasm_xxx_t, or pointers to such if the second argument
 * is a star.
 *   new_empty           no elements, no memory
 *   new_uninitialized   so many: pointers are NULL, other contents are unspecified; data is NULL if
 *                       there is no memory
 *   new                 takes over the elements of an array; the array stays the caller's
 *   copy                copies the elements, too
 *   delete              deletes the elements (NULL is passed over) and leaves an empty vector
 */
#define WASM_DECLARE_VEC(name, ptr_or_none)                                                        \
    typedef struct wasm_##name##_vec_t {                                                           \
        size_t size;                                                                               \
        wasm_##name##_t ptr_or_none *data;                                                         \
    } wasm_##name##_vec_t;                                                                         \
    WASM_API_EXTERN void wasm_##name##_vec_new_empty(own wasm_##name##_vec_t *out);                \
    WASM_API_EXTERN void wasm_##name##_vec_new_uninitialized(own wasm_##name##_vec_t *out,         \
                                                             size_t size);                         \
    WASM_API_EXTERN void wasm_##name##_vec_new(own wasm_##name##_vec_t *out, size_t size,          \
                                               own wasm_##name##_t ptr_or_none const data[]);      \
    WASM_API_EXTERN void wasm_##name##_vec_copy(own wasm_##name##_vec_t *out,                      \
                                                const wasm_##name##_vec_t *from);                  \
    WASM_API_EXTERN void wasm_##name##_vec_delete(own wasm_##name##_vec_t *);

/* The description of a type: it can be deleted and copied, and there are vectors of such. */
#define WASM_DECLARE_TYPE(name)                                                                    \
    WASM_DECLARE_OWN(name)                                                                         \
    WASM_DECLARE_VEC(name, *)                                                                      \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);

/*
 * A reference to a run-time object.
 *   copy    another reference to the same object
 *   same    whether both are references to the same object
 *   host info: a pointer of the embedder's for each object, NULL at first. With a finalizer, that is
 *   called with the pointer when it is not needed any more (see the top).
 */
#define WASM_DECLARE_REF_BASE(name)                                                                \
    WASM_DECLARE_OWN(name)                                                                         \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);              \
    WASM_API_EXTERN bool wasm_##name##_same(const wasm_##name##_t *, const wasm_##name##_t *);     \
    WASM_API_EXTERN void *wasm_##name##_get_host_info(const wasm_##name##_t *);                    \
    WASM_API_EXTERN void wasm_##name##_set_host_info(wasm_##name##_t *, void *);                   \
    WASM_API_EXTERN void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *, void *,     \
                                                                    void (*)(void *));

/* A reference, and ways to wasm_ref_t and back: the same reference, borrowed; NULL if the object is of
 * another kind. */
#define WASM_DECLARE_REF(name)                                                                     \
    WASM_DECLARE_REF_BASE(name)                                                                    \
    WASM_API_EXTERN wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *);                           \
    WASM_API_EXTERN wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *);                             \
    WASM_API_EXTERN const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *);         \
    WASM_API_EXTERN const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *);

/* A reference whose object can go to other stores of the same engine, in any thread. */
#define WASM_DECLARE_SHARABLE_REF(name)                                                            \
    WASM_DECLARE_REF(name)                                                                         \
    WASM_DECLARE_OWN(shared_##name)                                                                \
    WASM_API_EXTERN own wasm_shared_##name##_t *wasm_##name##_share(const wasm_##name##_t *);      \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_obtain(wasm_store_t *,                      \
                                                              const wasm_shared_##name##_t *);

/* ==== Bytes and names ========================================================================== */

typedef byte_t wasm_byte_t;
WASM_DECLARE_VEC(byte, )

/* UTF-8, not zero-terminated unless it says so. */
typedef wasm_byte_vec_t wasm_name_t;

#define wasm_name wasm_byte_vec
#define wasm_name_new wasm_byte_vec_new
#define wasm_name_new_empty wasm_byte_vec_new_empty
#define wasm_name_new_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_copy wasm_byte_vec_copy
#define wasm_name_delete wasm_byte_vec_delete

/* From a C string, without its terminating zero. */
static inline void wasm_name_new_from_string(own wasm_name_t *out, const char *s) {
    wasm_name_new(out, strlen(s), s);
}

/* With it. */
static inline void wasm_name_new_from_string_nt(own wasm_name_t *out, const char *s) {
    wasm_name_new(out, strlen(s) + 1, s);
}

/* ==== Environment ============================================================================== */

/* Settings of an engine; wasmrun.h has the functions that change them (wr_config_of_wasm()). */
WASM_DECLARE_OWN(config)
WASM_API_EXTERN own wasm_config_t *wasm_config_new(void);

WASM_DECLARE_OWN(engine)
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new(void);
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new_with_config(own wasm_config_t *);

/* Stores keep their engine alive. */
WASM_DECLARE_OWN(store)
WASM_API_EXTERN own wasm_store_t *wasm_store_new(wasm_engine_t *);

/* ==== Types ==================================================================================== */

typedef uint8_t wasm_mutability_t;
enum wasm_mutability_enum { WASM_CONST, WASM_VAR };

/* Of a table in elements, of a memory in pages. Limits that do not fit are shown as the default. */
typedef struct wasm_limits_t {
    uint32_t min;
    uint32_t max;
} wasm_limits_t;

static const uint32_t wasm_limits_max_default = 0xffffffff; /* no maximum */

/* ---- Values ---- */

WASM_DECLARE_TYPE(valtype)

typedef uint8_t wasm_valkind_t;
enum wasm_valkind_enum {
    WASM_I32,
    WASM_I64,
    WASM_F32,
    WASM_F64,
    WASM_V128, /* wasmrun: 16 bytes behind a reference, see wasm_v128_new() */
    WASM_EXTERNREF = 128,
    WASM_FUNCREF,
    WASM_ANYREF, /* wasmrun: references into the garbage-collected heap, and i31 */
    WASM_EXNREF  /* wasmrun: references to exceptions */
};

/* Reference types are the nullable ones at the top of each hierarchy; more precise ones that a module
 * declares are shown as these, and checked as declared. NULL for an unknown kind. */
WASM_API_EXTERN own wasm_valtype_t *wasm_valtype_new(wasm_valkind_t);
WASM_API_EXTERN wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *);

static inline bool wasm_valkind_is_num(wasm_valkind_t k) { return k < WASM_EXTERNREF; }
static inline bool wasm_valkind_is_ref(wasm_valkind_t k) { return k >= WASM_EXTERNREF; }
static inline bool wasm_valtype_is_num(const wasm_valtype_t *t) {
    return wasm_valkind_is_num(wasm_valtype_kind(t));
}
static inline bool wasm_valtype_is_ref(const wasm_valtype_t *t) {
    return wasm_valkind_is_ref(wasm_valtype_kind(t));
}

/* ---- Functions ---- */

WASM_DECLARE_TYPE(functype)
/* The vectors are emptied. */
WASM_API_EXTERN own wasm_functype_t *wasm_functype_new(own wasm_valtype_vec_t *params,
                                                       own wasm_valtype_vec_t *results);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *);

/* ---- Globals, tables, memories, tags ---- */

WASM_DECLARE_TYPE(globaltype)
WASM_API_EXTERN own wasm_globaltype_t *wasm_globaltype_new(own wasm_valtype_t *, wasm_mutability_t);
WASM_API_EXTERN const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *);
WASM_API_EXTERN wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *);

WASM_DECLARE_TYPE(tabletype)
WASM_API_EXTERN own wasm_tabletype_t *wasm_tabletype_new(own wasm_valtype_t *,
                                                         const wasm_limits_t *);
WASM_API_EXTERN const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *);
WASM_API_EXTERN const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *);

WASM_DECLARE_TYPE(memorytype)
WASM_API_EXTERN own wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *);
WASM_API_EXTERN const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *);

/* wasmrun: exception tags, whose type is that of a function without results. */
WASM_DECLARE_TYPE(tagtype)
WASM_API_EXTERN own wasm_tagtype_t *wasm_tagtype_new(own wasm_functype_t *);
WASM_API_EXTERN const wasm_functype_t *wasm_tagtype_functype(const wasm_tagtype_t *);

/* ---- Externals ---- */

WASM_DECLARE_TYPE(externtype)

typedef uint8_t wasm_externkind_t;
enum wasm_externkind_enum {
    WASM_EXTERN_FUNC,
    WASM_EXTERN_GLOBAL,
    WASM_EXTERN_TABLE,
    WASM_EXTERN_MEMORY,
    WASM_EXTERN_TAG /* wasmrun */
};

WASM_API_EXTERN wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *);

/* The same object as an external type, and back: borrowed; back gives NULL if it is of another kind. */
WASM_API_EXTERN wasm_externtype_t *wasm_functype_as_externtype(wasm_functype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_globaltype_as_externtype(wasm_globaltype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_tabletype_as_externtype(wasm_tabletype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_memorytype_as_externtype(wasm_memorytype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_tagtype_as_externtype(wasm_tagtype_t *);
WASM_API_EXTERN wasm_functype_t *wasm_externtype_as_functype(wasm_externtype_t *);
WASM_API_EXTERN wasm_globaltype_t *wasm_externtype_as_globaltype(wasm_externtype_t *);
WASM_API_EXTERN wasm_tabletype_t *wasm_externtype_as_tabletype(wasm_externtype_t *);
WASM_API_EXTERN wasm_memorytype_t *wasm_externtype_as_memorytype(wasm_externtype_t *);
WASM_API_EXTERN wasm_tagtype_t *wasm_externtype_as_tagtype(wasm_externtype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_functype_as_externtype_const(const wasm_functype_t *);
WASM_API_EXTERN const wasm_externtype_t *
wasm_globaltype_as_externtype_const(const wasm_globaltype_t *);
WASM_API_EXTERN const wasm_externtype_t *
wasm_tabletype_as_externtype_const(const wasm_tabletype_t *);
WASM_API_EXTERN const wasm_externtype_t *
wasm_memorytype_as_externtype_const(const wasm_memorytype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_tagtype_as_externtype_const(const wasm_tagtype_t *);
WASM_API_EXTERN const wasm_functype_t *wasm_externtype_as_functype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_globaltype_t *
wasm_externtype_as_globaltype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_tabletype_t *
wasm_externtype_as_tabletype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_memorytype_t *
wasm_externtype_as_memorytype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_tagtype_t *wasm_externtype_as_tagtype_const(const wasm_externtype_t *);

/* ---- Imports and exports ---- */

WASM_DECLARE_TYPE(importtype)
WASM_API_EXTERN own wasm_importtype_t *
wasm_importtype_new(own wasm_name_t *module, own wasm_name_t *name, own wasm_externtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *);

WASM_DECLARE_TYPE(exporttype)
WASM_API_EXTERN own wasm_exporttype_t *wasm_exporttype_new(own wasm_name_t *,
                                                           own wasm_externtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *);

/* ==== Values =================================================================================== */

struct wasm_ref_t;

/* `ref` is NULL for a null reference. */
typedef struct wasm_val_t {
    wasm_valkind_t kind;
    union {
        int32_t i32;
        int64_t i64;
        float32_t f32;
        float64_t f64;
        struct wasm_ref_t *ref;
    } of;
} wasm_val_t;

/* Gives up the reference in it, if any; the wasm_val_t itself is the caller's. */
WASM_API_EXTERN void wasm_val_delete(own wasm_val_t *v);
WASM_API_EXTERN void wasm_val_copy(own wasm_val_t *out, const wasm_val_t *);
WASM_DECLARE_VEC(val, )

/* ==== Objects ================================================================================== */

WASM_DECLARE_REF_BASE(ref)

/* wasmrun: a value of kind WASM_V128 is a reference to such 16 bytes, little-endian lanes; and back:
 * false if it is none. NULL when out of memory. */
WASM_API_EXTERN own wasm_ref_t *wasm_v128_new(const uint8_t bytes[16]);
WASM_API_EXTERN bool wasm_v128_get(const wasm_ref_t *, uint8_t bytes[16]);

/* ---- Traps ---- */

/* A frame of a backtrace: where execution stood in it. It keeps a reference to its instance, which
 * wasm_frame_instance() lends; function offsets count from the first instruction of the body, module
 * offsets from the start of the module's bytes. */
WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)
WASM_API_EXTERN own wasm_frame_t *wasm_frame_copy(const wasm_frame_t *);
WASM_API_EXTERN struct wasm_instance_t *wasm_frame_instance(const wasm_frame_t *);
WASM_API_EXTERN uint32_t wasm_frame_func_index(const wasm_frame_t *);
WASM_API_EXTERN size_t wasm_frame_func_offset(const wasm_frame_t *);
WASM_API_EXTERN size_t wasm_frame_module_offset(const wasm_frame_t *);

typedef wasm_name_t wasm_message_t; /* with a terminating zero, which `size` counts */

WASM_DECLARE_REF(trap)
/* A message without a terminating zero is accepted. */
WASM_API_EXTERN own wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *);
WASM_API_EXTERN void wasm_trap_message(const wasm_trap_t *, own wasm_message_t *out);
/* The innermost frame of guest code; NULL if there is none. */
WASM_API_EXTERN own wasm_frame_t *wasm_trap_origin(const wasm_trap_t *);
/* Frames of guest code, innermost first; of deep recursion the ends only. */
WASM_API_EXTERN void wasm_trap_trace(const wasm_trap_t *, own wasm_frame_vec_t *out);

/* ---- Foreign objects ---- */

/* An object that only its host info tells from others, for the guest to hold as an externref. Any other
 * reference can be given as externref, too. */
WASM_DECLARE_REF(foreign)
WASM_API_EXTERN own wasm_foreign_t *wasm_foreign_new(wasm_store_t *);

/* ---- Modules ---- */

WASM_DECLARE_SHARABLE_REF(module)
/* The bytes are copied. NULL if they are malformed or invalid. */
WASM_API_EXTERN own wasm_module_t *wasm_module_new(wasm_store_t *, const wasm_byte_vec_t *binary);
WASM_API_EXTERN bool wasm_module_validate(wasm_store_t *, const wasm_byte_vec_t *binary);
WASM_API_EXTERN void wasm_module_imports(const wasm_module_t *, own wasm_importtype_vec_t *out);
WASM_API_EXTERN void wasm_module_exports(const wasm_module_t *, own wasm_exporttype_vec_t *out);
/* For the same or a later version of wasmrun. What is read back is validated again: it need not be
 * trusted. */
WASM_API_EXTERN void wasm_module_serialize(const wasm_module_t *, own wasm_byte_vec_t *out);
WASM_API_EXTERN own wasm_module_t *wasm_module_deserialize(wasm_store_t *, const wasm_byte_vec_t *);

/* ---- Functions ---- */

WASM_DECLARE_REF(func)

/* A function of the host. `args` are borrowed. `results` has the right size and kinds, and zeros and
 * nulls in it; references put there pass to the caller. A trap that is returned passes to the caller:
 * it ends the guest, results are ignored then. */
typedef own wasm_trap_t *(*wasm_func_callback_t)(const wasm_val_vec_t *args,
                                                 own wasm_val_vec_t *results);
typedef own wasm_trap_t *(*wasm_func_callback_with_env_t)(void *env, const wasm_val_vec_t *args,
                                                          wasm_val_vec_t *results);

WASM_API_EXTERN own wasm_func_t *wasm_func_new(wasm_store_t *, const wasm_functype_t *,
                                               wasm_func_callback_t);
/* `finalizer` may be NULL. It does not run if NULL is returned. */
WASM_API_EXTERN own wasm_func_t *wasm_func_new_with_env(wasm_store_t *, const wasm_functype_t *type,
                                                        wasm_func_callback_with_env_t, void *env,
                                                        void (*finalizer)(void *));
WASM_API_EXTERN own wasm_functype_t *wasm_func_type(const wasm_func_t *);
WASM_API_EXTERN size_t wasm_func_param_arity(const wasm_func_t *);
WASM_API_EXTERN size_t wasm_func_result_arity(const wasm_func_t *);
/* `results` must have room for the function's; they are overwritten without being read, and references
 * in them are the caller's. A trap if the arguments do not fit the type. */
WASM_API_EXTERN own wasm_trap_t *wasm_func_call(const wasm_func_t *, const wasm_val_vec_t *args,
                                                wasm_val_vec_t *results);

/* ---- Globals ---- */

WASM_DECLARE_REF(global)
WASM_API_EXTERN own wasm_global_t *wasm_global_new(wasm_store_t *, const wasm_globaltype_t *,
                                                   const wasm_val_t *);
WASM_API_EXTERN own wasm_globaltype_t *wasm_global_type(const wasm_global_t *);
WASM_API_EXTERN void wasm_global_get(const wasm_global_t *, own wasm_val_t *out);
/* Without effect if the global is immutable or of another type. */
WASM_API_EXTERN void wasm_global_set(wasm_global_t *, const wasm_val_t *);

/* ---- Tables ---- */

WASM_DECLARE_REF(table)
typedef uint32_t wasm_table_size_t;
WASM_API_EXTERN own wasm_table_t *wasm_table_new(wasm_store_t *, const wasm_tabletype_t *,
                                                 wasm_ref_t *init);
WASM_API_EXTERN own wasm_tabletype_t *wasm_table_type(const wasm_table_t *);
/* NULL if the element is null or there is none. */
WASM_API_EXTERN own wasm_ref_t *wasm_table_get(const wasm_table_t *, wasm_table_size_t index);
WASM_API_EXTERN bool wasm_table_set(wasm_table_t *, wasm_table_size_t index, wasm_ref_t *);
WASM_API_EXTERN wasm_table_size_t wasm_table_size(const wasm_table_t *);
WASM_API_EXTERN bool wasm_table_grow(wasm_table_t *, wasm_table_size_t delta, wasm_ref_t *init);

/* ---- Memories ---- */

WASM_DECLARE_REF(memory)
typedef uint32_t wasm_memory_pages_t;
static const size_t MEMORY_PAGE_SIZE = 0x10000;

WASM_API_EXTERN own wasm_memory_t *wasm_memory_new(wasm_store_t *, const wasm_memorytype_t *);
WASM_API_EXTERN own wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *);
/* Valid until the memory grows. */
WASM_API_EXTERN byte_t *wasm_memory_data(wasm_memory_t *);
WASM_API_EXTERN size_t wasm_memory_data_size(const wasm_memory_t *);
WASM_API_EXTERN wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *);
WASM_API_EXTERN bool wasm_memory_grow(wasm_memory_t *, wasm_memory_pages_t delta);

/* ---- Tags (wasmrun) ---- */

WASM_DECLARE_REF(tag)
WASM_API_EXTERN own wasm_tag_t *wasm_tag_new(wasm_store_t *, const wasm_tagtype_t *);
WASM_API_EXTERN own wasm_tagtype_t *wasm_tag_type(const wasm_tag_t *);

/* ---- Externals ---- */

WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)
WASM_API_EXTERN wasm_externkind_t wasm_extern_kind(const wasm_extern_t *);
WASM_API_EXTERN own wasm_externtype_t *wasm_extern_type(const wasm_extern_t *);

/* The same reference, borrowed; NULL if the object is of another kind. */
WASM_API_EXTERN wasm_extern_t *wasm_func_as_extern(wasm_func_t *);
WASM_API_EXTERN wasm_extern_t *wasm_global_as_extern(wasm_global_t *);
WASM_API_EXTERN wasm_extern_t *wasm_table_as_extern(wasm_table_t *);
WASM_API_EXTERN wasm_extern_t *wasm_memory_as_extern(wasm_memory_t *);
WASM_API_EXTERN wasm_extern_t *wasm_tag_as_extern(wasm_tag_t *);
WASM_API_EXTERN wasm_func_t *wasm_extern_as_func(wasm_extern_t *);
WASM_API_EXTERN wasm_global_t *wasm_extern_as_global(wasm_extern_t *);
WASM_API_EXTERN wasm_table_t *wasm_extern_as_table(wasm_extern_t *);
WASM_API_EXTERN wasm_memory_t *wasm_extern_as_memory(wasm_extern_t *);
WASM_API_EXTERN wasm_tag_t *wasm_extern_as_tag(wasm_extern_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_func_as_extern_const(const wasm_func_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_global_as_extern_const(const wasm_global_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_table_as_extern_const(const wasm_table_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_memory_as_extern_const(const wasm_memory_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_tag_as_extern_const(const wasm_tag_t *);
WASM_API_EXTERN const wasm_func_t *wasm_extern_as_func_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_global_t *wasm_extern_as_global_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_table_t *wasm_extern_as_table_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_memory_t *wasm_extern_as_memory_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_tag_t *wasm_extern_as_tag_const(const wasm_extern_t *);

/* ---- Instances ---- */

WASM_DECLARE_REF(instance)
/* Imports in the order of the module's. NULL if it fails; the trap pointer, unless it is NULL, is then set
 * to what happened: a trap of the start function or an initialiser, or an import that does not fit. */
WASM_API_EXTERN own wasm_instance_t *wasm_instance_new(wasm_store_t *, const wasm_module_t *,
                                                       const wasm_extern_vec_t *imports,
                                                       own wasm_trap_t **);
WASM_API_EXTERN void wasm_instance_exports(const wasm_instance_t *, own wasm_extern_vec_t *out);

/* ==== Short-hands ============================================================================== */

#define WASM_EMPTY_VEC {0, NULL}
#define WASM_ARRAY_VEC(array) {sizeof(array) / sizeof(*(array)), array}

static inline own wasm_valtype_t *wasm_valtype_new_i32(void) { return wasm_valtype_new(WASM_I32); }
static inline own wasm_valtype_t *wasm_valtype_new_i64(void) { return wasm_valtype_new(WASM_I64); }
static inline own wasm_valtype_t *wasm_valtype_new_f32(void) { return wasm_valtype_new(WASM_F32); }
static inline own wasm_valtype_t *wasm_valtype_new_f64(void) { return wasm_valtype_new(WASM_F64); }
static inline own wasm_valtype_t *wasm_valtype_new_externref(void) {
    return wasm_valtype_new(WASM_EXTERNREF);
}
static inline own wasm_valtype_t *wasm_valtype_new_funcref(void) {
    return wasm_valtype_new(WASM_FUNCREF);
}

/* wasm_functype_new_P_R: P parameters and R results. */

static inline own wasm_functype_t *wasm_functype_new_arrays(size_t nparams,
                                                            own wasm_valtype_t *const params[],
                                                            size_t nresults,
                                                            own wasm_valtype_t *const results[]) {
    wasm_valtype_vec_t ps, rs;
    wasm_valtype_vec_new(&ps, nparams, params);
    wasm_valtype_vec_new(&rs, nresults, results);
    return wasm_functype_new(&ps, &rs);
}
static inline own wasm_functype_t *wasm_functype_new_0_0(void) {
    return wasm_functype_new_arrays(0, NULL, 0, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_1_0(own wasm_valtype_t *p) {
    wasm_valtype_t *ps[1] = {p};
    return wasm_functype_new_arrays(1, ps, 0, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_2_0(own wasm_valtype_t *p1,
                                                         own wasm_valtype_t *p2) {
    wasm_valtype_t *ps[2] = {p1, p2};
    return wasm_functype_new_arrays(2, ps, 0, NULL);
}
static inline own wasm_functype_t *
wasm_functype_new_3_0(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3) {
    wasm_valtype_t *ps[3] = {p1, p2, p3};
    return wasm_functype_new_arrays(3, ps, 0, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_0_1(own wasm_valtype_t *r) {
    wasm_valtype_t *rs[1] = {r};
    return wasm_functype_new_arrays(0, NULL, 1, rs);
}
static inline own wasm_functype_t *wasm_functype_new_1_1(own wasm_valtype_t *p,
                                                         own wasm_valtype_t *r) {
    wasm_valtype_t *ps[1] = {p}, *rs[1] = {r};
    return wasm_functype_new_arrays(1, ps, 1, rs);
}
static inline own wasm_functype_t *
wasm_functype_new_2_1(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *r) {
    wasm_valtype_t *ps[2] = {p1, p2}, *rs[1] = {r};
    return wasm_functype_new_arrays(2, ps, 1, rs);
}
static inline own wasm_functype_t *wasm_functype_new_3_1(own wasm_valtype_t *p1,
                                                         own wasm_valtype_t *p2,
                                                         own wasm_valtype_t *p3,
                                                         own wasm_valtype_t *r) {
    wasm_valtype_t *ps[3] = {p1, p2, p3}, *rs[1] = {r};
    return wasm_functype_new_arrays(3, ps, 1, rs);
}
static inline own wasm_functype_t *wasm_functype_new_0_2(own wasm_valtype_t *r1,
                                                         own wasm_valtype_t *r2) {
    wasm_valtype_t *rs[2] = {r1, r2};
    return wasm_functype_new_arrays(0, NULL, 2, rs);
}
static inline own wasm_functype_t *
wasm_functype_new_1_2(own wasm_valtype_t *p, own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    wasm_valtype_t *ps[1] = {p}, *rs[2] = {r1, r2};
    return wasm_functype_new_arrays(1, ps, 2, rs);
}
static inline own wasm_functype_t *wasm_functype_new_2_2(own wasm_valtype_t *p1,
                                                         own wasm_valtype_t *p2,
                                                         own wasm_valtype_t *r1,
                                                         own wasm_valtype_t *r2) {
    wasm_valtype_t *ps[2] = {p1, p2}, *rs[2] = {r1, r2};
    return wasm_functype_new_arrays(2, ps, 2, rs);
}
static inline own wasm_functype_t *
wasm_functype_new_3_2(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3,
                      own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    wasm_valtype_t *ps[3] = {p1, p2, p3}, *rs[2] = {r1, r2};
    return wasm_functype_new_arrays(3, ps, 2, rs);
}

/* A host address as a value: an i32 or i64, as wide as the address is. */
static inline void wasm_val_init_ptr(own wasm_val_t *out, void *p) {
#if UINTPTR_MAX == UINT32_MAX
    out->kind = WASM_I32;
    out->of.i32 = (int32_t)(intptr_t)p;
#else
    out->kind = WASM_I64;
    out->of.i64 = (int64_t)(intptr_t)p;
#endif
}
static inline void *wasm_val_ptr(const wasm_val_t *val) {
#if UINTPTR_MAX == UINT32_MAX
    return (void *)(intptr_t)val->of.i32;
#else
    return (void *)(intptr_t)val->of.i64;
#endif
}

/* Initialisers of a wasm_val_t. */
#define WASM_I32_VAL(i)                                                                            \
    {                                                                                              \
        .kind = WASM_I32, .of = {.i32 = i }                                                        \
    }
#define WASM_I64_VAL(i)                                                                            \
    {                                                                                              \
        .kind = WASM_I64, .of = {.i64 = i }                                                        \
    }
#define WASM_F32_VAL(z)                                                                            \
    {                                                                                              \
        .kind = WASM_F32, .of = {.f32 = z }                                                        \
    }
#define WASM_F64_VAL(z)                                                                            \
    {                                                                                              \
        .kind = WASM_F64, .of = {.f64 = z }                                                        \
    }
#define WASM_REF_VAL(r)                                                                            \
    {                                                                                              \
        .kind = WASM_EXTERNREF, .of = {.ref = r }                                                  \
    }
#define WASM_INIT_VAL                                                                              \
    {                                                                                              \
        .kind = WASM_EXTERNREF, .of = {.ref = NULL }                                               \
    }

#undef own

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
