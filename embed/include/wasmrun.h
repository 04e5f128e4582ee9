/*
 * wasmrun.h - the embedding interface of wasmrun, a WebAssembly process VM and sandbox.
 *
 * Objects and threads
 *   An engine and its modules are immutable once made and may be used by any number of threads.
 *   A store, and everything that belongs to it (instances, functions, memories, tables, globals),
 *   belongs to one thread at a time. The one exception is wr_store_interrupt(), which any thread may
 *   call. To run guest code in several threads, each takes a store of its own; what instances in
 *   different stores can have in common are shared memories (wr_shared_memory_t), whose handles any
 *   thread may use. Threads may instantiate with one linker at the same time, as long as none
 *   defines anything; so may guests' threads call into one WASI context, once it is set up. Else a
 *   linker and a WASI context belong to one thread at a time.
 *
 * Ownership
 *   A pointer returned through a parameter or result marked `own` must be released with the delete
 *   function of its type. Every other pointer is borrowed: from the store it lives until the store
 *   is deleted, from a module until the module is deleted. Strings passed in are copied.
 *
 * Errors
 *   Everything that can fail returns an own wr_error_t *, NULL on success: malformed and invalid
 *   modules, link errors, traps, the guest's exit, running out of memory. No function aborts or
 *   exits the process, and no guest action makes one do so.
 */
#ifndef WASMRUN_H
#define WASMRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WR_VERSION_MAJOR 0
#define WR_VERSION_MINOR 1
#define WR_VERSION_PATCH 0
#define WR_VERSION_STRING "0.1.0"

#if defined(__GNUC__)
#define WR_API __attribute__((visibility("default")))
#define WR_NODISCARD __attribute__((warn_unused_result))
#else
#define WR_API
#define WR_NODISCARD
#endif

#define own /* marks a transfer of ownership */

typedef struct wr_error wr_error_t;
typedef struct wr_config wr_config_t;
typedef struct wr_engine wr_engine_t;
typedef struct wr_module wr_module_t;
typedef struct wr_store wr_store_t;
typedef struct wr_linker wr_linker_t;
typedef struct wr_instance wr_instance_t;
typedef struct wr_prelinked wr_prelinked_t;
typedef struct wr_caller wr_caller_t;
typedef struct wr_func wr_func_t;
typedef struct wr_memory wr_memory_t;
typedef struct wr_shared_memory wr_shared_memory_t;
typedef struct wr_table wr_table_t;
typedef struct wr_global wr_global_t;
typedef struct wr_tag wr_tag_t;
typedef struct wr_wasi wr_wasi_t;

/* The version of the library that is running, "MAJOR.MINOR.PATCH"; static storage. */
WR_API const char *wr_version(void);

/* ---- Errors ------------------------------------------------------------------------------- */

typedef enum wr_error_kind {
    WR_ERROR_MALFORMED,  /* the bytes are no WebAssembly module */
    WR_ERROR_INVALID,    /* the module breaks a validation rule */
    WR_ERROR_UNLINKABLE, /* an import is missing or has another type */
    WR_ERROR_TRAP,       /* execution trapped: see wr_error_trap_code() */
    WR_ERROR_EXCEPTION,  /* an exception left the outermost function */
    WR_ERROR_EXIT,       /* the guest asked to exit: see wr_error_exit_status() */
    WR_ERROR_MEMORY,     /* the host is out of memory, or a limit on it was reached */
    WR_ERROR_IO,         /* a file could not be read */
    WR_ERROR_USAGE       /* the embedder's arguments do not fit (wrong types, missing export) */
} wr_error_kind_t;

typedef enum wr_trap_code {
    WR_TRAP_NONE,
    WR_TRAP_UNREACHABLE,
    WR_TRAP_MEMORY_OUT_OF_BOUNDS,
    WR_TRAP_TABLE_OUT_OF_BOUNDS,
    WR_TRAP_ARRAY_OUT_OF_BOUNDS,
    WR_TRAP_UNDEFINED_ELEMENT,
    WR_TRAP_UNINITIALIZED_ELEMENT,
    WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH,
    WR_TRAP_INTEGER_DIVIDE_BY_ZERO,
    WR_TRAP_INTEGER_OVERFLOW,
    WR_TRAP_INVALID_CONVERSION_TO_INTEGER,
    WR_TRAP_NULL_REFERENCE,
    WR_TRAP_NULL_FUNCTION_REFERENCE,
    WR_TRAP_NULL_STRUCTURE_REFERENCE,
    WR_TRAP_NULL_ARRAY_REFERENCE,
    WR_TRAP_NULL_I31_REFERENCE,
    WR_TRAP_NULL_EXCEPTION_REFERENCE,
    WR_TRAP_NULL_DESCRIPTOR_REFERENCE,
    WR_TRAP_CAST_FAILURE,
    WR_TRAP_DESCRIPTOR_CAST_FAILURE,
    WR_TRAP_UNALIGNED_ATOMIC,
    WR_TRAP_EXPECTED_SHARED_MEMORY,
    WR_TRAP_STACK_EXHAUSTED,
    WR_TRAP_ALLOCATION_FAILURE, /* the garbage-collected heap is full */
    WR_TRAP_OUT_OF_FUEL,
    WR_TRAP_DEADLINE,
    WR_TRAP_INTERRUPTED,
    WR_TRAP_HOST /* a host function refused: the message is its own */
} wr_trap_code_t;

/* One frame of a backtrace, innermost first. Names are valid while the error lives. */
typedef struct wr_frame {
    const char *module_name;   /* from the name section, or NULL */
    const char *function_name; /* from the name section, else an export's name, else NULL */
    uint32_t function_index;   /* in its module; UINT32_MAX for a host function */
    uint64_t module_offset;    /* byte offset of the instruction in the module's bytes */
    uint64_t function_offset;  /* the same, from the first instruction of the function's body */
    wr_instance_t *instance;   /* NULL for a host function; lives as long as its store */
} wr_frame_t;

/* What kind of error it is; the other questions below depend on that. */
WR_API wr_error_kind_t wr_error_kind(const wr_error_t *error);
/* One line without a newline, UTF-8, as the official test suite words it; lives as long as `error`. */
WR_API const char *wr_error_message(const wr_error_t *error);
/* Byte offset in the module for MALFORMED and INVALID; false when the error has none. */
WR_API bool wr_error_offset(const wr_error_t *error, uint64_t *offset);
/* "FILE:LINE:COLUMN" of an error in the text format, else NULL; lives as long as `error`. */
WR_API const char *wr_error_place(const wr_error_t *error);
/* WR_TRAP_NONE unless the kind is TRAP. */
WR_API wr_trap_code_t wr_error_trap_code(const wr_error_t *error);
/* The guest's exit status; false unless the kind is EXIT. */
WR_API bool wr_error_exit_status(const wr_error_t *error, uint32_t *status);
/* Frames of a trap, innermost first. At most 64 innermost and outermost ones are kept:
 * wr_error_frame_total() tells how many there were. */
WR_API size_t wr_error_frame_count(const wr_error_t *error);
WR_API size_t wr_error_frame_total(const wr_error_t *error);
WR_API bool wr_error_frame(const wr_error_t *error, size_t index, wr_frame_t *frame);
/* Renders message and backtrace as the command prints them (several lines, ending in a newline).
 * Writes at most `size` bytes including the terminating zero; returns the length it would need. */
WR_API size_t wr_error_render(const wr_error_t *error, char *buffer, size_t size);
WR_API void wr_error_delete(own wr_error_t *error);

/* A pointer of the embedder's that goes with an error, so that what made a host function fail comes out of
 * the guest's call as what it was: an exception of another language, for instance. `finalizer` (may be NULL)
 * runs with it once, when the error is deleted or given other data. False, and nothing is taken over, for
 * the static out-of-memory error: it belongs to everybody. */
WR_API bool wr_error_set_data(wr_error_t *error, void *data, void (*finalizer)(void *data));
WR_API void *wr_error_data(const wr_error_t *error); /* NULL if none was set */
/* Makes an error of kind EXCEPTION independent of its store, so that any thread may have it, at any time: its
 * exception is gone then, message and frames stay. Others are independent already. Store's thread. */
WR_API void wr_error_detach(wr_error_t *error);

/* For host functions: make the error to return. Never NULL (a static out-of-memory error otherwise). */
WR_API own wr_error_t *wr_trap_new(const char *message);
WR_API own wr_error_t *wr_exit_new(uint32_t status);
/* General errors with a formatted message, for layers built on this interface (WASI, the command). */
WR_API own wr_error_t *wr_error_new(wr_error_kind_t kind, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* ---- Configuration and engine --------------------------------------------------------------- */

/* How linear memories are bounded; chosen per engine. */
typedef enum wr_memory_mode {
    WR_MEMORY_AUTO,    /* guard pages where the host allows, else explicit */
    WR_MEMORY_GUARD,   /* reserve address space, let the MMU check 32-bit accesses */
    WR_MEMORY_EXPLICIT /* compare each access; no reservation, no signal handler */
} wr_memory_mode_t;

/* An allocator: like realloc with the old size. new_size 0 frees and returns NULL. Must be
 * thread-safe when the engine is shared. NULL result = failure, which the library survives. */
typedef void *(*wr_alloc_func_t)(void *context, void *pointer, size_t old_size, size_t new_size);

WR_API own wr_config_t *wr_config_new(void);           /* NULL when out of memory */
WR_API void wr_config_delete(own wr_config_t *config); /* one that no engine has consumed */
/* How memories are bounded; WR_MEMORY_EXPLICIT needs neither address space nor signal handlers. */
WR_API void wr_config_set_memory_mode(wr_config_t *config, wr_memory_mode_t mode);
/* Bytes of guest stack (values and frames) of one store; default 8 MiB, rounded up to pages. */
WR_API void wr_config_set_max_stack(wr_config_t *config, size_t bytes);
/* For tests of garbage-collected heaps; flags of WR_GC_*. Slow. */
enum {
    WR_GC_STRESS = 1, /* collect before every allocation */
    WR_GC_VERIFY = 2, /* check the whole heap after every collection */
    WR_GC_STEPS = 4   /* collect all the time, marking one object every few allocations */
};
WR_API void wr_config_set_gc_debug(wr_config_t *config, uint32_t flags);
/* Threads that may validate one module's bodies; 0 = as many as there are processors. */
WR_API void wr_config_set_validation_threads(wr_config_t *config, uint32_t threads);
/* What each pre-linked module keeps of deleted stores for new ones: at most so many of them, with at
 * most so many bytes of each memory that guests have written to. Defaults: 64, 1 MiB. */
WR_API void wr_config_set_pool(wr_config_t *config, uint32_t stores, size_t resident_bytes);
/* After how many calls and turns of loops a function gets a faster form: ids beside its code, two bytes for
 * each of its bytes, which name handlers for whole sequences of instructions (docs/interpreter.md). 0 = at
 * once, UINT32_MAX = never: code is then run from its own bytes alone. */
WR_API void wr_config_set_warm_after(wr_config_t *config, uint32_t count);
/* Bytes that these ids may take in the whole engine; default 64 MiB. Functions beyond it run without. */
WR_API void wr_config_set_max_shadow(wr_config_t *config, size_t bytes);
/* How functions are run. COMPILED: every module is compiled to machine code when it is loaded, by the program
 * wasmrun-aot, which stands beside this one, is installed with it, or is where the environment variable
 * WASMRUN_AOT says; loading fails without it. What cannot be compiled is interpreted in the same instance. AUTO: code
 * is interpreted at first; meanwhile that program compiles what runs often, and running code switches over. What
 * comes of it is cached, if there is a cache, and is there when the module is loaded again; what the program is at
 * when the module is deleted, or this process ends, it finishes for the cache, within seconds. Without the program,
 * or when it fails, code stays interpreted; so do calls that count fuel or may be paused. */
typedef enum wr_engine_kind {
    WR_ENGINE_INTERPRETER, /* the default */
    WR_ENGINE_COMPILED,
    WR_ENGINE_AUTO
} wr_engine_kind_t;
WR_API void wr_config_set_engine_kind(wr_config_t *config, wr_engine_kind_t kind);
/* How well code is compiled: 0 (at once) to 3, 4 for size; default 2. */
WR_API void wr_config_set_opt_level(wr_config_t *config, unsigned level);
/* How compiled code is stopped by deadlines and interruption. True: it polls, which takes a few per cent of its time.
 * False: it does not, and its thread is sent a signal, SIGURG, which costs nothing; in engines with explicit memories,
 * which use no signals, what does not poll is interpreted in stores that have a timeout or are interruptible. So the
 * default is false, but true for engines with explicit memories. Code that counts fuel or can be paused always polls.
 * If it is true the engine sends no signals, and interprets code without polls in such stores.
 *
 * The handler is installed when the first such store runs such code. A handler that was there is called, too; who
 * installs one later has to call ours. Threads that run guests get the signal unblocked, and an alternate stack, as
 * for faults. Signals are not sent while host functions run; but one may be on its way when a host function begins, which
 * then sees EINTR from calls that SA_RESTART does not help (poll(), nanosleep()). */
WR_API void wr_config_set_compiled_polls(wr_config_t *config, bool polls);
/* Whether compiled code counts fuel; default false. Without, modules are interpreted in stores that have fuel. */
WR_API void wr_config_set_compiled_fuel(wr_config_t *config, bool counts);
/* Whether calls of compiled code can be written down where it polls, and go on in the interpreter; default false. Without,
 * what a store calls is interpreted from its first wr_call_start() on. */
WR_API void wr_config_set_compiled_migratable(wr_config_t *config, bool migratable);
/* Writes the names of compiled functions to /tmp/perf-PID.map, where Linux' perf looks for them. Default false. */
WR_API void wr_config_set_perf_map(wr_config_t *config, bool perf_map);
/* Tells debuggers that are attached to the process (gdb, lldb) of compiled functions: names, and how to walk their
 * frames. Takes memory and time for each module. Default false. */
WR_API void wr_config_set_debug_info(wr_config_t *config, bool debug_info);
/* Keeps compiled code in a folder: NULL for the user's, $XDG_CACHE_HOME/wasmrun or $HOME/.cache/wasmrun. Without
 * this call nothing is kept. The folder must be the user's alone; else it is not used, and a warning
 * logged. False when out of memory. */
WR_API bool wr_config_set_cache(wr_config_t *config, const char *folder);
/* Called while a module is compiled, by the thread that loads it: `done` of `total` functions. */
typedef void (*wr_compile_progress_t)(void *context, uint32_t done, uint32_t total);
WR_API void wr_config_set_compile_progress(wr_config_t *config, wr_compile_progress_t func,
                                           void *context);
WR_API void wr_config_set_allocator(wr_config_t *config, wr_alloc_func_t func, void *context);
/* Messages about what an operator may want to know: what the host refuses, what is loaded, and how long it
 * takes. One line without a newline; levels up to `level`. Any thread may call it, and it must not
 * call back into the library. No guest writes to it. */
typedef enum wr_log_level {
    WR_LOG_ERROR,
    WR_LOG_WARNING,
    WR_LOG_INFO,
    WR_LOG_DEBUG
} wr_log_level_t;
typedef void (*wr_log_func_t)(void *context, wr_log_level_t level, const char *message);
WR_API void wr_config_set_log(wr_config_t *config, wr_log_func_t func, void *context,
                              wr_log_level_t level);
/* Turns a proposal on or off by its name (see `wasmrun --help`); false if there is none such. */
WR_API bool wr_config_set_feature(wr_config_t *config, const char *name, bool on);

/* Consumes `config` (NULL for defaults). */
WR_API WR_NODISCARD own wr_error_t *wr_engine_new(own wr_config_t *config,
                                                  own wr_engine_t **engine);
/* Modules and stores keep their engine alive: deleting in any order is fine. */
WR_API void wr_engine_delete(own wr_engine_t *engine);

/* What made functions faster in this engine so far: see wr_config_set_warm_after(). Any thread. */
typedef struct wr_shadow_stats {
    uint64_t
        functions; /* how often one was given ids: once for each kind of memory, with and without metering */
    uint64_t bytes; /* that ids take now */
    uint64_t ns;    /* that making them took */
    bool limited;   /* a function was refused: it is too large, or the limit is reached */
} wr_shadow_stats_t;
WR_API void wr_engine_get_shadow_stats(const wr_engine_t *engine, wr_shadow_stats_t *stats);

/* What an engine of kind AUTO has compiled so far; zeros in others. Any thread. */
typedef struct wr_tier_stats {
    uint32_t slices;    /* times that some functions were compiled */
    uint32_t functions; /* in them */
    uint32_t loops;     /* times that a loop went on in compiled code */
    uint32_t failures;  /* times that nothing came of it */
    uint64_t ns;        /* that compiling took, in the background */
    uint64_t first_ns;  /* from when the first function ran often to the first one compiled */
} wr_tier_stats_t;
WR_API void wr_engine_get_tier_stats(const wr_engine_t *engine, wr_tier_stats_t *stats);

/* ---- Modules ---------------------------------------------------------------------------------- */

typedef enum wr_valkind {
    WR_I32,
    WR_I64,
    WR_F32,
    WR_F64,
    WR_V128,
    WR_FUNCREF,   /* any reference to a function */
    WR_EXTERNREF, /* any reference to a host value */
    WR_ANYREF,    /* any reference into the garbage-collected heap, and i31 */
    WR_EXNREF
} wr_valkind_t;

typedef enum wr_externkind {
    WR_EXTERN_FUNC,
    WR_EXTERN_TABLE,
    WR_EXTERN_MEMORY,
    WR_EXTERN_GLOBAL,
    WR_EXTERN_TAG
} wr_externkind_t;

/* Copies the bytes, decodes and validates. */
WR_API WR_NODISCARD own wr_error_t *wr_module_new(wr_engine_t *engine, const void *bytes,
                                                  size_t size, own wr_module_t **module);
/* Maps the file (it must not be changed while the module lives: a truncation would fault). */
WR_API WR_NODISCARD own wr_error_t *wr_module_open(wr_engine_t *engine, const char *path,
                                                   own wr_module_t **module);
WR_API WR_NODISCARD own wr_error_t *wr_module_validate(wr_engine_t *engine, const void *bytes,
                                                       size_t size);
WR_API void wr_module_delete(own wr_module_t *module);

/* ---- Compiled code -------------------------------------------------------------------------- */

/* How a module is compiled; all zeros is the default. */
typedef struct wr_compile_options {
    uint8_t level;        /* as wr_config_set_opt_level(), plus one; 0: 2 */
    bool no_polls;        /* see wr_config_set_compiled_polls() */
    bool explicit_memory; /* for engines whose memories are not guarded */
    bool count_fuel;      /* see wr_config_set_compiled_fuel() */
    bool migratable;      /* see wr_config_set_compiled_migratable() */
    bool polls;           /* see wr_config_set_compiled_polls() */
    const char *triple;   /* the target as LLVM names it, or NULL: this host */
    const char *cpu,
        *cpu_features; /* as LLVM names them, or NULL: this host's, or any of that triple */
    uint32_t threads;  /* 0: as many as there are processors */
    wr_compile_progress_t progress; /* or NULL */
    void *progress_context;
} wr_compile_options_t;

/* What compiling took, for --stats. Nanoseconds; all but total_ns are summed over threads. */
typedef struct wr_compile_stats {
    uint64_t total_ns, lower_ns, optimise_ns, generate_ns, link_ns;
    uint64_t peak_bytes;             /* resident, of the compiler's process */
    uint32_t functions, interpreted; /* the latter were not compiled */
    uint32_t units, threads;
} wr_compile_stats_t;

/* Compiles a module into an artifact, which holds the module too. `options` and `stats` may be NULL. Free it
 * with wr_bytes_delete(). */
WR_API WR_NODISCARD own wr_error_t *wr_module_compile(wr_module_t *module,
                                                      const wr_compile_options_t *options,
                                                      own uint8_t **artifact, size_t *size,
                                                      wr_compile_stats_t *stats);
/* Loads the module that an artifact holds, with its code, in an engine of any kind. The file is mapped, and must not
 * be changed while the module lives. It is checked against damage, and refused when it was made by another
 * version, for another CPU, or for memories that this engine does not have; but whoever made it decides
 * what runs: load only artifacts from those you would run programs from (docs/aot.md). */
WR_API WR_NODISCARD own wr_error_t *wr_artifact_open(wr_engine_t *engine, const char *path,
                                                     own wr_module_t **module);
/* Whether these bytes, the first 64 of a file will do, begin as an artifact does. */
WR_API bool wr_artifact_recognise(const void *bytes, size_t size);
/* Whether the module has compiled code. */
WR_API bool wr_module_is_compiled(const wr_module_t *module);

/* A folder of compiled code (wr_config_set_cache(); NULL: the user's): visits its files; removes what was not
 * used for longest until they take at most so many bytes, 0 for all of them. */
typedef void (*wr_cache_visit_t)(void *context, const char *name, uint64_t size, int64_t used);
WR_API WR_NODISCARD own wr_error_t *wr_cache_list(const char *folder, wr_cache_visit_t visit,
                                                  void *context);
WR_API WR_NODISCARD own wr_error_t *wr_cache_clear(const char *folder, uint64_t bytes,
                                                   uint32_t *removed);

/* ---- Text ----------------------------------------------------------------------------------- */

/* The text format (.wat) into the binary one: a whole module, or its fields alone. `file_name` is for
 * errors, whose place is then FILE:LINE:COLUMN; NULL will do. With `names` the identifiers become a name
 * section, which backtraces use. The text is only parsed: wr_module_new() validates. */
WR_API WR_NODISCARD own wr_error_t *wr_wat_to_wasm(const char *text, size_t size,
                                                   const char *file_name, bool names,
                                                   own uint8_t **bytes, size_t *n);
/* For an error of wr_module_new() about the bytes that this text became: if a function's code is
 * invalid, an error that says the same with the instruction's place in the text. Takes `error`. */
WR_API own wr_error_t *wr_wat_locate(const char *text, size_t size, const char *file_name,
                                     const uint8_t *bytes, size_t n, own wr_error_t *error);
WR_API void wr_bytes_delete(own uint8_t *bytes, size_t n);

typedef struct wr_name { /* not zero-terminated in general: UTF-8 of `size` bytes, may hold zeros */
    const char *data;
    size_t size;
} wr_name_t;

typedef struct wr_import {
    wr_name_t module, name;
    wr_externkind_t kind;
} wr_import_t;

typedef struct wr_export {
    wr_name_t name;
    wr_externkind_t kind;
} wr_export_t;

/* Imports and exports in the order of the module; false if there is none of that index. Names lie in the
 * module, and live as long. */
WR_API size_t wr_module_import_count(const wr_module_t *module);
WR_API bool wr_module_import(const wr_module_t *module, size_t index, wr_import_t *import);
WR_API size_t wr_module_export_count(const wr_module_t *module);
WR_API bool wr_module_export(const wr_module_t *module, size_t index, wr_export_t *export_);
/* The type of an import or export. */
typedef struct wr_extern_type {
    wr_externkind_t kind;
    size_t nparams, nresults; /* FUNC, TAG: see wr_module_import_signature() for which */
    wr_valkind_t value;       /* GLOBAL: of the value; TABLE: of the elements */
    bool is_mutable;          /* GLOBAL */
    bool is_shared, is_64;    /* MEMORY, TABLE */
    uint8_t page_size_log2;   /* MEMORY */
    uint64_t min, max;        /* MEMORY in pages, TABLE in elements; max UINT64_MAX: none */
} wr_extern_type_t;
WR_API bool wr_module_import_type(const wr_module_t *module, size_t index, wr_extern_type_t *type);
WR_API bool wr_module_export_type(const wr_module_t *module, size_t index, wr_extern_type_t *type);
/* The signature of a function or tag (see there) as a string, references by their hierarchy. Writes at
 * most `size` bytes including the terminating zero; returns the length it would need; 0 for others. */
WR_API size_t wr_module_import_signature(const wr_module_t *module, size_t index, char *buffer,
                                         size_t size);
WR_API size_t wr_module_export_signature(const wr_module_t *module, size_t index, char *buffer,
                                         size_t size);

/* Custom sections in the order of the module; contents are valid while the module lives. */
WR_API size_t wr_module_custom_section_count(const wr_module_t *module);
WR_API bool wr_module_custom_section_at(const wr_module_t *module, size_t index, wr_name_t *name,
                                        const void **data, size_t *size);
/* The first custom section of that name; false if there is none. */
WR_API bool wr_module_custom_section(const wr_module_t *module, const char *name, const void **data,
                                     size_t *size);

/* Sizes and times of a module, for --stats. Bytes and nanoseconds. */
typedef struct wr_module_stats {
    uint64_t module_bytes, code_bytes, side_table_bytes, resident_bytes;
    uint64_t functions;
    uint64_t decode_ns, validate_ns;
    uint32_t validation_threads;
} wr_module_stats_t;
WR_API void wr_module_get_stats(const wr_module_t *module, wr_module_stats_t *stats);

/* ---- Stores, limits, metering ----------------------------------------------------------------- */

/* A store is where instances live and all that belongs to them. It keeps its engine. */
WR_API WR_NODISCARD own wr_error_t *wr_store_new(wr_engine_t *engine, own wr_store_t **store);
/* A store for another thread of the same guest: with the limits, the deadline and the interruptibility
 * that `store` has now. Memory and fuel the two, and all peers made of either, take from one budget:
 * together they use no more than `store` was given. Call it where `store` may be used. */
WR_API WR_NODISCARD own wr_error_t *wr_store_new_peer(wr_store_t *store, own wr_store_t **peer);
WR_API void wr_store_delete(own wr_store_t *store);

/* Limits for everything created in the store from now on. UINT64_MAX = none (the default). A shared
 * memory counts where it was made, whoever grows it. */
WR_API void wr_store_limit_memory(wr_store_t *store,
                                  uint64_t bytes); /* sum over memories, of peers too */
WR_API void wr_store_limit_tables(wr_store_t *store, uint64_t elements); /* sum over tables */
WR_API void wr_store_limit_instances(wr_store_t *store, uint64_t count);
/* Bytes of the garbage-collected heap, rounded up to blocks of 64 KiB; allocations that would need
 * more trap with WR_TRAP_ALLOCATION_FAILURE. At most nearly 4 GiB. Address space for the limit is
 * reserved when the first object is made: a limit raised later than that may not be reached. */
WR_API void wr_store_limit_heap(wr_store_t *store, uint64_t bytes);

/* The garbage-collected heap of a store. */
typedef struct wr_heap_stats {
    uint64_t collections;
    uint64_t pause_ns, longest_pause_ns; /* of collections: in all, and the longest one */
    uint64_t allocated_bytes;            /* since the store was made */
    uint64_t live_bytes;                 /* after the last collection */
    uint64_t peak_bytes;                 /* the most that the heap ever took of the host */
} wr_heap_stats_t;
WR_API void wr_store_get_heap_stats(const wr_store_t *store, wr_heap_stats_t *stats);
/* Collects garbage now. Also in host functions. */
WR_API void wr_store_collect(wr_store_t *store);

/* The embedder's data of a store: a pointer for each key, which is any address that is the embedder's
 * own. NULL if none was set. Deleting the store forgets them; host functions get at them by
 * wr_caller_store(). */
WR_API WR_NODISCARD own wr_error_t *wr_store_set_data(wr_store_t *store, const void *key,
                                                      void *value);
WR_API void *wr_store_data(const wr_store_t *store, const void *key);

/* Fuel: one unit pays for one byte of code passed, or one transfer of control (a taken branch,
 * call, return); checked at branches and calls. UINT64_MAX turns metering off (default). Peers draw on
 * what is left in portions of 64 Ki: when it runs out, another one may have a rest of its portion. */
WR_API void wr_store_set_fuel(wr_store_t *store, uint64_t units);
WR_API uint64_t wr_store_fuel(const wr_store_t *store);
/* Adds to what is left, for calls that are to go on after a pause. Calls stop at the first poll after fuel is
 * spent: what they have used beyond it is taken from what is added, so that a program uses the same
 * sum in however many portions it comes. Turns metering on. Not in host functions. */
WR_API void wr_store_add_fuel(wr_store_t *store, uint64_t units);
/* Calls trap with WR_TRAP_DEADLINE when this many nanoseconds from now have passed; 0 = none. Compiled code is stopped
 * by a signal: see wr_config_set_compiled_polls(). */
WR_API WR_NODISCARD own wr_error_t *wr_store_set_timeout(wr_store_t *store, uint64_t nanoseconds);
/* Allow wr_store_interrupt() to take effect in calls started from now on. Default off. */
WR_API void wr_store_set_interruptible(wr_store_t *store, bool on);
/* Any thread, signal handlers too: the running call traps with WR_TRAP_INTERRUPTED at its next branch or call,
 * or, when nothing runs, the next call does. Compiled code is stopped by a signal: see wr_config_set_compiled_polls(). */
WR_API void wr_store_interrupt(wr_store_t *store);

/* The type of a memory. */
typedef struct wr_memory_type {
    uint64_t min, max; /* pages; max is UINT64_MAX if there is none */
    bool is_shared, is_64;
    uint8_t page_size_log2; /* 16, or 0 */
} wr_memory_type_t;

/* ---- Values and calls ------------------------------------------------------------------------- */

typedef struct wr_val {
    wr_valkind_t kind;
    union {
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        uint8_t v128[16]; /* little-endian lanes */
        uint64_t ref;     /* 0 = null; otherwise opaque, meaningful in its store only */
    } of;
} wr_val_t;

/* What host functions see: 8 bytes per value, v128 two adjacent slots (low half first). */
typedef union wr_slot {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    float f32;
    double f64;
    uint64_t ref;
} wr_slot_t;

/*
 * A host function. `slots` holds the arguments in order; the results are written from slots[0] on
 * (there is room for the larger of both). Returns NULL, or an own error: a trap, an exit, ...
 * It runs on the caller's C stack and may call back into the store.
 */
typedef own wr_error_t *(*wr_host_func_t)(wr_caller_t *caller, void *context, wr_slot_t *slots);
/*
 * The same for languages whose callbacks may end without a result: an exception at their very beginning
 * (Python's, for a signal) leaves whatever the register held. The function sets *error, to NULL or an own
 * error; one that leaves it alone has failed, and the guest traps.
 */
typedef void (*wr_callback_t)(wr_caller_t *caller, void *context, wr_slot_t *slots,
                              own wr_error_t **error);

/*
 * References to objects in the garbage-collected heap, as the host sees them: what a function gives as
 * result, or a global holds, is kept alive for the host until the scope is closed in which it came.
 * A host function has a scope of its own, so that what it is given, and gets by calls of its own,
 * lives until it returns; the outermost scope ends with the store. A host that keeps calling opens
 * scopes of its own: closing one with what opening it gave closes all inside it.
 * Using a reference after its scope is an error that the library survives, with an unspecified object.
 */
WR_API size_t wr_store_open_scope(wr_store_t *store);
WR_API void wr_store_close_scope(wr_store_t *store, size_t scope);

/* Makes a reference (externref) to a host value, for arguments and results; it lives as long as the
 * store. And back: false if `ref` is null or no host value. */
WR_API WR_NODISCARD own wr_error_t *wr_extern_new(wr_store_t *store, void *value, uint64_t *ref);
WR_API bool wr_extern_value(const wr_store_t *store, uint64_t ref, void **value);

/* Signatures are strings, parameters > results: i = i32, I = i64, f = f32, F = f64, v = v128,
 * c = funcref, e = externref, a = anyref, x = exnref. Example: "iiI>i". */

/* The type of a function, references by their hierarchy. Indices beyond the counts give WR_I32. */
WR_API size_t wr_func_param_count(const wr_func_t *func);
WR_API size_t wr_func_result_count(const wr_func_t *func);
WR_API wr_valkind_t wr_func_param(const wr_func_t *func, size_t index);
WR_API wr_valkind_t wr_func_result(const wr_func_t *func, size_t index);
/* All of it as a string, as by wr_module_export_signature(). */
WR_API size_t wr_func_signature(const wr_func_t *func, char *buffer, size_t size);
/* What backtraces call it: the module that it is of, or under whose name the host defined it, and its own name. Size 0
 * where there is none. As in the module: control characters are not escaped. Valid as long as the store. */
WR_API void wr_func_name(const wr_func_t *func, wr_name_t *module, wr_name_t *name);
/* Kinds are checked. `results` needs room for wr_func_result_count(). `func` NULL, as looking up an export gives it if
 * there is none, is an error. */
WR_API WR_NODISCARD own wr_error_t *wr_func_call(wr_store_t *store, wr_func_t *func,
                                                 const wr_val_t *args, size_t nargs,
                                                 wr_val_t *results, size_t nresults);

/* Calls without boxing, for who knows the function's type: see wr_func_has_signature(), once. `slots` holds
 * the arguments in order and gets the results from slots[0] on; it has room for the larger of both. What
 * does not belong to the type is undefined; references are checked. */
WR_API WR_NODISCARD own wr_error_t *wr_func_call_slots(wr_store_t *store, wr_func_t *func,
                                                       wr_slot_t *slots);
/* Whether there is a function (not NULL), and it has the type that the signature says. */
WR_API bool wr_func_has_signature(const wr_func_t *func, const char *signature);

/*
 * Tracing: what guests do, told while they do it. An engine with a tracer interprets all code one instruction at a
 * time, whatever else its configuration says; that takes ten times as long and more. Engines without one
 * look for a tracer nowhere in guest code.
 */
typedef enum wr_trace_kind {
    WR_TRACE_CALL = 1, /* a function begins: `values` are its arguments */
    WR_TRACE_RETURN =
        2, /* it returns: `values` are its results. After a tail call only the callee does */
    WR_TRACE_FAIL =
        4, /* a host function, or an outermost call, ended by a trap, an exception or an exit */
    WR_TRACE_INSTRUCTION = 8 /* the instruction at `code` is about to run */
} wr_trace_kind_t;

/* Valid during the call of the tracer, with all that it points to. */
typedef struct wr_trace_event {
    wr_trace_kind_t kind;
    uint32_t function_index; /* in its module; UINT32_MAX for a host function */
    const wr_func_t *func;
    wr_instance_t *instance; /* the function's; NULL for a host function */
    uint64_t depth;          /* functions that wait for it to return */
    uint64_t module_offset;  /* INSTRUCTION: see wr_frame_t */
    const uint8_t *code;     /* INSTRUCTION: code_size bytes, to the end of the function's body */
    size_t code_size;
    const wr_slot_t
        *values; /* CALL, RETURN: of the kinds that wr_func_param(), wr_func_result() tell */
} wr_trace_event_t;

/* Runs in the thread that runs the guest; it may read the store's memories, and must not call into the store. */
typedef void (*wr_tracer_t)(void *context, const wr_trace_event_t *event);
/* `kinds`: WR_TRACE_* bits, what is told. NULL: no tracing. */
WR_API void wr_config_set_tracer(wr_config_t *config, uint32_t kinds, wr_tracer_t tracer,
                                 void *context);

/*
 * Calls that pause. Where wr_func_call() would end with a trap because fuel is spent, a deadline has passed or
 * somebody interrupts, a call made by wr_call_start() stops instead, and can go on later: with new fuel,
 * another deadline, in another thread. While it is paused, the store can be used for other calls, and
 * any number of calls can be paused at a time, each with a stack of its own.
 *
 * A result without error, and *paused NULL: it has returned, and results are filled. Without error, and
 * *paused not NULL: it is paused. With an error: it has ended.
 *
 * What runs inside of a host function is the host's: a stop there, as in a WASI call that blocks, ends the
 * call with a trap. For that reason a host function cannot start calls that pause.
 */
typedef struct wr_call wr_call_t;

/* Arguments are checked as by wr_func_call(). Without fuel, deadline or interruptibility it never pauses. */
WR_API WR_NODISCARD own wr_error_t *wr_call_start(wr_store_t *store, wr_func_t *func,
                                                  const wr_val_t *args, size_t nargs,
                                                  wr_val_t *results, size_t nresults,
                                                  own wr_call_t **paused);
/* Goes on with the call, which is consumed; *paused is set again if it pauses again. Not in host functions
 * of the same store, which is an error that leaves the call paused in *paused. */
WR_API WR_NODISCARD own wr_error_t *wr_call_resume(own wr_call_t *call, wr_val_t *results,
                                                   size_t nresults, own wr_call_t **paused);
/* Why it is paused: OUT_OF_FUEL, DEADLINE or INTERRUPTED; NONE once its store is gone. */
WR_API wr_trap_code_t wr_call_reason(const wr_call_t *call);
/* Where it is paused: an error with the reason and the frames, as it would be without pausing. */
WR_API own wr_error_t *wr_call_backtrace(const wr_call_t *call);
/* Gives it up: it never goes on. Also after its store is gone; in the store's thread. */
WR_API void wr_call_delete(own wr_call_t *call);

/* ---- Guest memory ----------------------------------------------------------------------------- */

/* Pointers are valid until the guest runs or the memory grows. */
WR_API uint8_t *wr_memory_data(wr_memory_t *memory);
WR_API uint64_t wr_memory_size(const wr_memory_t *memory); /* bytes */
/* Grows by so many pages; gives their old number, or UINT64_MAX if a limit does not allow it. */
WR_API uint64_t wr_memory_grow(wr_memory_t *memory, uint64_t pages);

/* Checked access: nothing is touched, and NULL or false is the result, if a byte of it would lie outside.
 * A size of 0 is allowed at the very end. Numbers are little-endian whatever the host is. */
WR_API void *wr_memory_view(wr_memory_t *memory, uint64_t address, uint64_t size);
WR_API bool wr_memory_read(const wr_memory_t *memory, uint64_t address, void *to, size_t size);
WR_API bool wr_memory_write(wr_memory_t *memory, uint64_t address, const void *from, size_t size);
WR_API bool wr_memory_read_u32(const wr_memory_t *memory, uint64_t address, uint32_t *value);
WR_API bool wr_memory_read_u64(const wr_memory_t *memory, uint64_t address, uint64_t *value);
WR_API bool wr_memory_write_u32(wr_memory_t *memory, uint64_t address, uint32_t value);
WR_API bool wr_memory_write_u64(wr_memory_t *memory, uint64_t address, uint64_t value);
/* The length of a zero-terminated string in guest memory of at most `max` bytes; false if it does not end
 * there, or in the memory. */
WR_API bool wr_memory_string(const wr_memory_t *memory, uint64_t address, uint64_t max,
                             const char **string, size_t *length);

/* ---- Objects of a store ----------------------------------------------------------------------- */

/* What can be imported and exported. Belongs to its store. */
typedef struct wr_extern {
    wr_externkind_t kind;
    union {
        wr_func_t *func;
        wr_table_t *table;
        wr_memory_t *memory;
        wr_global_t *global;
        wr_tag_t *tag;
    } of;
} wr_extern_t;

/* What the object is now: of memories and tables `min` is the size that they have. */
WR_API void wr_extern_type(const wr_extern_t *external, wr_extern_type_t *type);

/* Objects that the host makes. They live as long as the store. Values and references are checked; types
 * of references are the nullable ones at the top of each hierarchy. */
WR_API WR_NODISCARD own wr_error_t *wr_store_make_func(wr_store_t *store, const char *signature,
                                                       wr_host_func_t func, void *context,
                                                       void (*finalizer)(void *context),
                                                       wr_func_t **made);
WR_API WR_NODISCARD own wr_error_t *wr_store_make_callback(wr_store_t *store, const char *signature,
                                                           wr_callback_t func, void *context,
                                                           void (*finalizer)(void *context),
                                                           wr_func_t **made);
WR_API WR_NODISCARD own wr_error_t *wr_store_make_global(wr_store_t *store, const wr_val_t *value,
                                                         bool is_mutable, wr_global_t **made);
/* A memory as the type says; shared ones too. */
WR_API WR_NODISCARD own wr_error_t *
wr_store_make_memory(wr_store_t *store, const wr_memory_type_t *type, wr_memory_t **made);
/* A table of at least `min` elements, all `value`, which is a reference; max UINT64_MAX: none. */
WR_API WR_NODISCARD own wr_error_t *wr_store_make_table(wr_store_t *store, const wr_val_t *value,
                                                        uint64_t min, uint64_t max,
                                                        wr_table_t **made);
/* A tag for exceptions whose values the signature's parameters are; it has no results. */
WR_API WR_NODISCARD own wr_error_t *wr_store_make_tag(wr_store_t *store, const char *signature,
                                                      wr_tag_t **made);

/* An object as its value is kept alive as by results of calls: see the scopes above. */
WR_API void wr_global_get(const wr_global_t *global, wr_val_t *value);
/* An error if it is immutable, or the value of another type. */
WR_API WR_NODISCARD own wr_error_t *wr_global_set(wr_global_t *global, const wr_val_t *value);

WR_API uint64_t wr_table_size(const wr_table_t *table); /* elements */
/* False if there is no such element. */
WR_API bool wr_table_get(const wr_table_t *table, uint64_t index, wr_val_t *value);
WR_API WR_NODISCARD own wr_error_t *wr_table_set(wr_table_t *table, uint64_t index,
                                                 const wr_val_t *value);
/* Appends so many elements, all `value`. An error if a limit does not allow it. */
WR_API WR_NODISCARD own wr_error_t *wr_table_extend(wr_table_t *table, uint64_t count,
                                                    const wr_val_t *value);

/* A function as a reference, and back: NULL if it is none. */
WR_API wr_val_t wr_func_ref(const wr_func_t *func);
WR_API wr_func_t *wr_ref_func(const wr_store_t *store, const wr_val_t *value);

/* Exceptions. To throw one, a host function returns the error that this makes. */
WR_API own wr_error_t *wr_throw_new(wr_store_t *store, wr_tag_t *tag, const wr_val_t *values,
                                    size_t nvalues);
/* Of an error of kind EXCEPTION: its tag, and up to `max` of its values; *tag is NULL for other errors, and
 * when the store is gone. Returns how many values it has. */
WR_API size_t wr_error_exception_values(const wr_error_t *error, wr_tag_t **tag, wr_val_t *values,
                                        size_t max);

/*
 * Objects of the garbage-collected heap. What is made or read here is kept as results of calls are: see the
 * scopes above. Packed fields and elements are i32 values, zero-extended.
 */
typedef enum wr_object_kind {
    WR_OBJECT_NONE, /* null, a function, or no reference of this store */
    WR_OBJECT_I31,
    WR_OBJECT_STRUCT,
    WR_OBJECT_ARRAY,
    WR_OBJECT_HOST, /* see wr_extern_value() */
    WR_OBJECT_EXCEPTION
} wr_object_kind_t;
WR_API wr_object_kind_t wr_object_kind(const wr_store_t *store, const wr_val_t *value);
/* Numbers of 31 bits, and back: false if it is none. The uppermost bit is lost, the next is the sign. */
WR_API wr_val_t wr_i31_new(int32_t value);
WR_API bool wr_i31_get(const wr_val_t *value, int32_t *number);
/* Fields of a structure, elements of an array; 0 and false for others. */
WR_API size_t wr_object_length(const wr_store_t *store, const wr_val_t *object);
WR_API bool wr_object_get(wr_store_t *store, const wr_val_t *object, size_t index, wr_val_t *value);
WR_API WR_NODISCARD own wr_error_t *wr_object_set(wr_store_t *store, const wr_val_t *object,
                                                  size_t index, const wr_val_t *value);
/* Parts of an array of i8; false if it is none (or, for writing, immutable), or shorter. */
WR_API bool wr_object_read_bytes(const wr_store_t *store, const wr_val_t *array, size_t start,
                                 void *to, size_t size);
WR_API bool wr_object_write_bytes(wr_store_t *store, const wr_val_t *array, size_t start,
                                  const void *from, size_t size);
/* Of a type of the instance's module, by its index. No values: the default ones. What they refer to must be
 * kept, as everything is that the host was given. */
WR_API WR_NODISCARD own wr_error_t *wr_object_new_struct(wr_instance_t *instance,
                                                         uint32_t type_index,
                                                         const wr_val_t *values, size_t nvalues,
                                                         wr_val_t *object);
/* All elements are `value`; NULL: the default one. */
WR_API WR_NODISCARD own wr_error_t *wr_object_new_array(wr_instance_t *instance,
                                                        uint32_t type_index, uint32_t length,
                                                        const wr_val_t *value, wr_val_t *object);

/* References that stay beyond scopes: keeps the object that `value` leads to, until it is let go. The store
 * does so at its end. */
WR_API WR_NODISCARD own wr_error_t *wr_store_pin(wr_store_t *store, const wr_val_t *value,
                                                 uint32_t *pin);
WR_API void wr_store_unpin(wr_store_t *store, uint32_t pin);

/* ---- Shared memories ---------------------------------------------------------------------------- */

/*
 * A shared memory can be used by instances in any number of stores of one engine, each in a thread of its own. It
 * never moves and never shrinks: pointers into it are valid as long as the handle, or a store that uses
 * it. Guests may write to it at any time: read what you check once, and use what you have read.
 */

/* The type of the memory that import `index` asks for; false if it asks for something else. */
WR_API bool wr_module_import_memory(const wr_module_t *module, size_t index,
                                    wr_memory_type_t *type);
/* Counts against the memory limit of `store` and its peers, but belongs to no store. */
WR_API WR_NODISCARD own wr_error_t *wr_shared_memory_new(wr_store_t *store,
                                                         const wr_memory_type_t *type,
                                                         own wr_shared_memory_t **memory);
/* A handle of a store's memory; NULL if that is not shared. */
WR_API own wr_shared_memory_t *wr_memory_share(wr_memory_t *memory);
/* Any thread may use what follows. Stores and linkers that use the memory keep it. */
WR_API void wr_shared_memory_delete(own wr_shared_memory_t *memory);
WR_API uint8_t *wr_shared_memory_data(const wr_shared_memory_t *memory);
WR_API uint64_t wr_shared_memory_size(const wr_shared_memory_t *memory); /* bytes; may grow */

/* ---- What a host function may ask of its caller -------------------------------------------------- */

/* The store in which it is called; calls back into it are allowed. */
WR_API wr_store_t *wr_caller_store(wr_caller_t *caller);
WR_API wr_instance_t *
wr_caller_instance(wr_caller_t *caller); /* NULL if called by the host itself */
/* The host address of guest bytes [address, address + size) in the memory that the calling instance
 * exports as "memory"; NULL if there is none or the range leaves it. size 0 is allowed at the end.
 * Valid until the guest runs or the memory grows. */
WR_API void *wr_caller_memory(wr_caller_t *caller, uint64_t address, uint64_t size);
/* For blocking host functions: an own trap when the call is interrupted or past its deadline. */
WR_API WR_NODISCARD own wr_error_t *wr_caller_poll(wr_caller_t *caller);
/* Nanoseconds that a host function may block before asking wr_caller_poll() again; UINT64_MAX when
 * the store has neither a deadline nor is interruptible. */
WR_API uint64_t wr_caller_patience(wr_caller_t *caller);

/* ---- Linking and instances ---------------------------------------------------------------------- */

WR_API own wr_linker_t *wr_linker_new(wr_engine_t *engine); /* NULL when out of memory */
/* Instances made with it are not affected. */
WR_API void wr_linker_delete(own wr_linker_t *linker);
/* Defines a host function; a later definition of the same name replaces the earlier one.
 * `finalizer` (may be NULL) runs once with `context` when the last user of the definition is gone, in
 * the thread that dropped it; not if defining fails. */
WR_API WR_NODISCARD own wr_error_t *wr_linker_define_func(wr_linker_t *linker, const char *module,
                                                          const char *name, const char *signature,
                                                          wr_host_func_t func, void *context,
                                                          void (*finalizer)(void *context));
/* The same by a callback that answers through a parameter. */
WR_API WR_NODISCARD own wr_error_t *wr_linker_define_callback(wr_linker_t *linker,
                                                              const char *module, const char *name,
                                                              const char *signature,
                                                              wr_callback_t func, void *context,
                                                              void (*finalizer)(void *context));
/* Every export of `instance`, under that module name. The instance's store is then the only one that
 * the linker can instantiate in; the linker must not be used, other than deleted, after that store. */
WR_API WR_NODISCARD own wr_error_t *
wr_linker_define_instance(wr_linker_t *linker, const char *module, wr_instance_t *instance);
/* A shared memory of the same engine: for instances in all stores. */
WR_API WR_NODISCARD own wr_error_t *wr_linker_define_memory(wr_linker_t *linker, const char *module,
                                                            const char *name,
                                                            wr_shared_memory_t *memory);
/* One object of the store. Names are counted, and may hold zeros. */
WR_API WR_NODISCARD own wr_error_t *wr_linker_define(wr_linker_t *linker, wr_name_t module,
                                                     wr_name_t name, wr_store_t *store,
                                                     const wr_extern_t *external);
/* Another name for what is defined as `module` `name`, then or later; with both names NULL for all names
 * of a module. Aliases of aliases are followed, up to 16 of them. */
WR_API WR_NODISCARD own wr_error_t *wr_linker_alias(wr_linker_t *linker, const char *module,
                                                    const char *name, const char *as_module,
                                                    const char *as_name);
/* Resolves imports, instantiates, runs the start function. The instance belongs to the store. */
WR_API WR_NODISCARD own wr_error_t *wr_linker_instantiate(wr_linker_t *linker, wr_store_t *store,
                                                          wr_module_t *module,
                                                          wr_instance_t **instance);

/*
 * Pre-linked modules, for who instantiates the same module many times. The imports are resolved, which
 * must be host functions, types are compared and initial values evaluated once. A pre-linked module may
 * be used by any number of threads; the linker is not needed any more.
 *
 *     wr_prelinked_t *pre;                        once
 *     error = wr_linker_prelink(linker, module, &pre);
 *
 *     error = wr_prelinked_new_store(pre, &store);      for each request
 *     wr_store_limit_memory(store, ...); ...
 *     error = wr_prelinked_instantiate(pre, store, &instance);
 *     error = wr_func_call(store, wr_instance_func(instance, "f"), ...);
 *     wr_store_delete(store);
 *
 * The store has everything in it that the instance needs, and when it is deleted it is cleaned and kept
 * for the next one: nothing that a guest left there can be seen by another. Instantiating then takes
 * less than a microsecond, deleting a few and some for each page that the guest has written to.
 */
WR_API WR_NODISCARD own wr_error_t *wr_linker_prelink(wr_linker_t *linker, wr_module_t *module,
                                                      own wr_prelinked_t **pre);
/* Stores made from it, and their instances, may outlive it. */
WR_API void wr_prelinked_delete(own wr_prelinked_t *pre);
/* A store like any other, prepared for one instance of this module. Limits that are set before
 * instantiating hold for that instance too. */
WR_API WR_NODISCARD own wr_error_t *wr_prelinked_new_store(wr_prelinked_t *pre,
                                                           own wr_store_t **store);
/* Instantiates and runs the start function. It can be done in any store of the engine, but is quick only
 * the first time in one that wr_prelinked_new_store() made. */
WR_API WR_NODISCARD own wr_error_t *wr_prelinked_instantiate(wr_prelinked_t *pre, wr_store_t *store,
                                                             wr_instance_t **instance);

typedef struct wr_prelinked_stats {
    uint64_t live, idle;   /* stores in use, and kept */
    uint64_t made, reused; /* stores given out so far, new ones and others */
} wr_prelinked_stats_t;
WR_API void wr_prelinked_get_stats(const wr_prelinked_t *pre, wr_prelinked_stats_t *stats);

/* Exports by name; NULL when there is none of that name and kind. */
WR_API wr_func_t *wr_instance_func(wr_instance_t *instance, const char *name);
WR_API wr_memory_t *wr_instance_memory(wr_instance_t *instance, const char *name);
WR_API wr_global_t *wr_instance_global(wr_instance_t *instance, const char *name);
WR_API wr_table_t *wr_instance_table(wr_instance_t *instance, const char *name);
WR_API wr_tag_t *wr_instance_tag(wr_instance_t *instance, const char *name);
/* The same for any kind, and for names with zeros in them: false if there is none of that name. */
WR_API bool wr_instance_export_named(wr_instance_t *instance, wr_name_t name, wr_extern_t *export_);
/* In the order of wr_module_export(). */
WR_API bool wr_instance_export_at(wr_instance_t *instance, size_t index, wr_extern_t *export_);
WR_API wr_module_t *wr_instance_module(wr_instance_t *instance); /* borrowed */

/* ---- WASI preview 1 -------------------------------------------------------------------------------- */

/* A WASI context: arguments, variables, descriptors. Fresh ones grant nothing at all: no arguments,
 * no variables, no directories, and standard streams that are closed (reads see the end, writes
 * vanish) until they are set. NULL when out of memory. */
WR_API own wr_wasi_t *wr_wasi_new(void);
WR_API void wr_wasi_delete(own wr_wasi_t *wasi);
WR_API WR_NODISCARD own wr_error_t *wr_wasi_set_args(wr_wasi_t *wasi, size_t argc,
                                                     const char *const *argv);
/* "NAME=VALUE"; replaces an earlier one of that name. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_add_env(wr_wasi_t *wasi, const char *assignment);
/* The whole environment of the host process. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_inherit_env(wr_wasi_t *wasi);
/* Standard streams of the host process. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_inherit_stdio(wr_wasi_t *wasi);
/*
 * A stream of the embedder's own, as standard input or output. `read` puts at most `size` bytes in
 * `bytes` and tells how many; 0 is the end. `write` takes all of them. Either may be NULL: nothing to
 * read, writes vanish. An own error that they return ends the guest: a limit is exceeded, for instance.
 * They run on the guest's thread, in the middle of its call.
 */
typedef struct wr_wasi_stream {
    own wr_error_t *(*read)(void *context, void *bytes, size_t size, size_t *done);
    own wr_error_t *(*write)(void *context, const void *bytes, size_t size);
    void *context;
} wr_wasi_stream_t;
/* fd 0, 1 or 2. NULL closes it. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_set_stream(wr_wasi_t *wasi, uint32_t fd,
                                                       const wr_wasi_stream_t *stream);
/* The same with callbacks that answer through a parameter: see wr_callback_t. `read` sets *done, too. */
typedef struct wr_wasi_callbacks {
    void (*read)(void *context, void *bytes, size_t size, size_t *done, own wr_error_t **error);
    void (*write)(void *context, const void *bytes, size_t size, own wr_error_t **error);
    void *context;
} wr_wasi_callbacks_t;
/* fd 0, 1 or 2. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_set_callbacks(wr_wasi_t *wasi, uint32_t fd,
                                                          const wr_wasi_callbacks_t *callbacks);
/* A descriptor of its own for the guest, which can only read, or only write, if the other is NULL. Its
 * number goes to *fd; the guest has to be told, by an argument for instance. */
WR_API WR_NODISCARD own wr_error_t *
wr_wasi_add_stream(wr_wasi_t *wasi, const wr_wasi_stream_t *stream, uint32_t *fd);
/* A host descriptor (a pipe, a file) as standard stream; the context takes a duplicate. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_set_host_stream(wr_wasi_t *wasi, uint32_t fd,
                                                            int host_descriptor);
/* These bytes as standard input; they are copied. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_set_input(wr_wasi_t *wasi, const void *bytes,
                                                      size_t size);
/* Keeps what the guest writes to fd 1 or 2, at most `limit` bytes: more ends the guest. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_capture(wr_wasi_t *wasi, uint32_t fd, size_t limit);
/* What it has written so far; valid until it writes more, or the context goes. Returns the size. */
WR_API size_t wr_wasi_captured(const wr_wasi_t *wasi, uint32_t fd, const char **bytes);

/*
 * Clocks of the embedder's own. `now` tells the time of a clock (0: since 1970, 1: monotonic, 2 and 3: CPU
 * time) in nanoseconds; false if there is no such clock. `sleep` is called instead of waiting, and has to
 * bring the clocks forward by so much; with NULL guests wait in real time. On the guest's thread.
 */
typedef struct wr_wasi_clock {
    bool (*now)(void *context, uint32_t clock, uint64_t *nanoseconds);
    void (*sleep)(void *context, uint64_t nanoseconds);
    void *context;
} wr_wasi_clock_t;
/* NULL: the host's again. */
WR_API void wr_wasi_set_clock(wr_wasi_t *wasi, const wr_wasi_clock_t *clock);
/* For runs that can be repeated: all clocks show this time, each look at one brings them forward by
 * `step`, and sleeping does so by its length, without waiting. */
WR_API void wr_wasi_fix_time(wr_wasi_t *wasi, uint64_t nanoseconds, uint64_t step);
/* Random bytes of the embedder's own; false if there are none. NULL: the host's again. */
typedef bool (*wr_wasi_random_t)(void *context, void *bytes, size_t size);
WR_API void wr_wasi_set_random(wr_wasi_t *wasi, wr_wasi_random_t random, void *context);
/* Bytes that follow from a seed: the same ones on every host. Not for secrets. */
WR_API void wr_wasi_set_seed(wr_wasi_t *wasi, uint64_t seed);

/* Flags of preopened directories: nothing in them can be changed. */
enum { WR_WASI_READ_ONLY = 1 };
/* Opens a host directory and gives it to the guest under the name `guest_path`. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_preopen_dir(wr_wasi_t *wasi, const char *host_path,
                                                        const char *guest_path, uint32_t flags);
/*
 * Files of the embedder's own, out of memory or of an archive, with nothing of the host's file system behind them.
 *
 * The callbacks see finished paths: "dir/file", "" for the root; never empty components, dots, slashes at the
 * ends, or symbolic links on the way: the library walks, follows links, keeps guests beneath the directory that
 * they were given and does the rest of path_open, rights, positions, appending and cookies. What a path leads to
 * has been looked at before (stat), so that `remove` is not called for what does not exist, `rename` not to put
 * a directory over a file, and so on; a callback still fails as it should when it finds otherwise, since another
 * guest with the same files may have been quicker.
 *
 * All run on the guest's thread in the middle of its call, for one context and preopen one at a time; they must not
 * call into the guest. Files never wait: what has no data yet is better a stream. Pointers that they are given are good
 * for the call. What they return is an errno, 0 for success; any that is not in the list below reaches the guest as
 * WR_WASI_IO. Callbacks but `stat`, `open` and `read` may be NULL: then there is nothing to close, directories
 * cannot be listed, there are no links, files are read-only (WR_WASI_ROFS), or what they are for is not supported.
 */
typedef enum wr_wasi_errno { /* numbered as in WASI */
                             WR_WASI_SUCCESS = 0,
                             WR_WASI_ACCES = 2,
                             WR_WASI_AGAIN = 6,
                             WR_WASI_BADF = 8,
                             WR_WASI_BUSY = 10,
                             WR_WASI_DQUOT = 19,
                             WR_WASI_EXIST = 20,
                             WR_WASI_FBIG = 22,
                             WR_WASI_INTR = 27,
                             WR_WASI_INVAL = 28,
                             WR_WASI_IO = 29,
                             WR_WASI_ISDIR = 31,
                             WR_WASI_LOOP = 32,
                             WR_WASI_MFILE = 33,
                             WR_WASI_MLINK = 34,
                             WR_WASI_NAMETOOLONG = 37,
                             WR_WASI_NFILE = 41,
                             WR_WASI_NOENT = 44,
                             WR_WASI_NOMEM = 48,
                             WR_WASI_NOSPC = 51,
                             WR_WASI_NOSYS = 52,
                             WR_WASI_NOTDIR = 54,
                             WR_WASI_NOTEMPTY = 55,
                             WR_WASI_NOTSUP = 58,
                             WR_WASI_OVERFLOW = 61,
                             WR_WASI_PERM = 63,
                             WR_WASI_ROFS = 69,
                             WR_WASI_STALE = 72,
                             WR_WASI_TIMEDOUT = 73,
                             WR_WASI_TXTBSY = 74,
                             WR_WASI_XDEV = 75
} wr_wasi_errno_t;

typedef enum wr_wasi_filetype { /* numbered as in WASI */
                                WR_WASI_CHARACTER_DEVICE =
                                    2, /* cannot seek: offsets are 0. To guests it looks like a terminal */
                                WR_WASI_DIRECTORY = 3,
                                WR_WASI_REGULAR_FILE = 4,
                                WR_WASI_SYMBOLIC_LINK = 7
} wr_wasi_filetype_t;

typedef struct wr_wasi_filestat { /* all zero but for one link when `stat` is asked */
    uint64_t inode;               /* the same for all names of a file; 0: one is made of the path */
    uint64_t links;
    uint64_t size;                        /* bytes */
    uint64_t accessed, modified, changed; /* ns since 1970 */
    wr_wasi_filetype_t type;
} wr_wasi_filestat_t;

typedef struct wr_wasi_entry {
    const char *name;        /* until the next callback; NULL: there are no more entries */
    uint64_t inode;          /* as wr_wasi_filestat_t has it */
    uint64_t next;           /* position of the entry after this one: greater than its own */
    wr_wasi_filetype_t type; /* 0 if it is not known */
} wr_wasi_entry_t;

/* Flags of opening. */
enum {
    WR_WASI_OPEN_READ = 1,
    WR_WASI_OPEN_WRITE = 2,
    WR_WASI_OPEN_CREATE = 4,    /* a file of no bytes, if there is none */
    WR_WASI_OPEN_EXCLUSIVE = 8, /* with CREATE: WR_WASI_EXIST if there is one */
    WR_WASI_OPEN_TRUNCATE = 16  /* leaves no bytes in it */
};
#define WR_WASI_UNCHANGED UINT64_MAX /* of a time; no enumerator can have it */

typedef struct wr_wasi_files {
    size_t size; /* of this structure: later versions may have more members */
    /* Of what is at `path`, a symbolic link itself; or of an open file, when `file` is not NULL, and `path` is. */
    wr_wasi_errno_t (*stat)(void *context, const char *path, void *file, wr_wasi_filestat_t *stat);
    /* A regular file or device; `flags` are WR_WASI_OPEN_. `*file` is yours, and what the others get. */
    wr_wasi_errno_t (*open)(void *context, const char *path, uint32_t flags, void **file);
    void (*close)(void *context, void *file);
    /* `*done` may be less than `size`; 0 is the end. */
    wr_wasi_errno_t (*read)(void *context, void *file, void *bytes, size_t size, uint64_t offset,
                            size_t *done);
    /* At least one byte, or an errno. Beyond the end of the file there come zeros between. */
    wr_wasi_errno_t (*write)(void *context, void *file, const void *bytes, size_t size,
                             uint64_t offset, size_t *done);
    /* Cuts off, or appends zeros. */
    wr_wasi_errno_t (*resize)(void *context, void *file, uint64_t size);
    wr_wasi_errno_t (*sync)(void *context, void *file);
    /* The entry of a directory at `position`, without "." and "..": the first is at 0 or after it. Positions should
     * stay good while files come and go: rather a number that each keeps than an index. Names that are no path
     * components in UTF-8 are left out. */
    wr_wasi_errno_t (*list)(void *context, const char *path, uint64_t position,
                            wr_wasi_entry_t *entry);
    /* Each WR_WASI_UNCHANGED or ns since 1970. `path` and `file` as for `stat`. */
    wr_wasi_errno_t (*set_times)(void *context, const char *path, void *file, uint64_t accessed,
                                 uint64_t modified);
    wr_wasi_errno_t (*make_directory)(void *context, const char *path);
    /* A file, a link or an empty directory. Open files live on until they are closed. */
    wr_wasi_errno_t (*remove)(void *context, const char *path);
    /* Puts it in the place of what is there: the same kind, and an empty directory only. */
    wr_wasi_errno_t (*rename)(void *context, const char *from, const char *to);
    /* Another name for a file. */
    wr_wasi_errno_t (*link)(void *context, const char *from, const char *to);
    wr_wasi_errno_t (*make_symlink)(void *context, const char *target, const char *path);
    /* Its target goes to `target`, at most `size` bytes; no zero at the end. */
    wr_wasi_errno_t (*read_symlink)(void *context, const char *path, char *target, size_t size,
                                    size_t *length);
} wr_wasi_files_t;
/* Gives them to the guest as the directory `guest_path`; `flags` as above. The structure is copied, and the callbacks may be
 * called until the context is deleted, which closes what is open. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_preopen_files(wr_wasi_t *wasi,
                                                          const wr_wasi_files_t *files,
                                                          void *context, const char *guest_path,
                                                          uint32_t flags);

/* Gives the guest a listening or connected socket (host descriptor; the context takes a duplicate). */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_preopen_socket(wr_wasi_t *wasi, int host_descriptor);
/* Defines all functions of wasi_snapshot_preview1 and wasi_unstable. The context must outlive every
 * store that uses them. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker);
/* The same for many stores with a context each, as with pre-linked modules: a call is served by the
 * context that is attached to the store from which it comes, which must live as long as guests run in that
 * store; without one it traps. Deleting the store forgets its context. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_link_stores(wr_linker_t *linker);
WR_API WR_NODISCARD own wr_error_t *wr_wasi_attach(wr_wasi_t *wasi, wr_store_t *store);

/*
 * wasi-threads: "wasi" "thread-spawn", and a shared memory for each that the module imports. A thread runs a new
 * instance of the module, from the same linker, in a peer of the spawning thread's store; the guest calls with the
 * limits of `store`, at most `max_threads` at a time beside the main one, and gets a negative errno for
 * more. A thread that returns ends alone; one that traps or exits ends all, and calls into `store` end with
 * WR_TRAP_INTERRUPTED then. For a module that imports no thread-spawn only the memories are defined;
 * for others `store` becomes interruptible. Call it before instantiating; the linker must hold no instances
 * of a store (threads could not use them) and define nothing more.
 */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_link_threads(wr_wasi_t *wasi, wr_linker_t *linker,
                                                         wr_store_t *store, wr_module_t *module,
                                                         uint32_t max_threads);
/* To be called when the main thread has returned, with its result, and before linker, module or store go: ends the
 * others, waits for them, and tells how the guest as a whole ended: with the first trap or exit of any
 * thread, else NULL. Does nothing for a guest that can have no threads. */
WR_API WR_NODISCARD own wr_error_t *wr_wasi_end_threads(wr_wasi_t *wasi, own wr_error_t *error);

/* ---- From the standard C API (wasm.h) and back ------------------------------------------------------ */

/* For programs that use wasm.h and want what only this header has: the same objects, borrowed unless
 * marked. NULL or false when the store of the reference is gone. */
struct wasm_config_t;
struct wasm_engine_t;
struct wasm_store_t;
struct wasm_module_t;
struct wasm_instance_t;
struct wasm_extern_t;
struct wasm_trap_t;
WR_API wr_config_t *wr_config_of_wasm(struct wasm_config_t *config);
WR_API wr_engine_t *wr_engine_of_wasm(struct wasm_engine_t *engine);
WR_API wr_store_t *wr_store_of_wasm(struct wasm_store_t *store);
WR_API wr_module_t *wr_module_of_wasm(const struct wasm_module_t *module);
WR_API wr_instance_t *wr_instance_of_wasm(const struct wasm_instance_t *instance);
WR_API bool wr_extern_of_wasm(const struct wasm_extern_t *external, wr_extern_t *out);
/* What a trap is about: kind, code, exit status, symbolised frames. Lives as long as the trap. */
WR_API const wr_error_t *wr_error_of_wasm(const struct wasm_trap_t *trap);
/* Counted references to objects of that store; NULL for others, or when out of memory. */
WR_API own struct wasm_instance_t *wr_instance_to_wasm(struct wasm_store_t *store,
                                                       wr_instance_t *instance);
WR_API own struct wasm_extern_t *wr_extern_to_wasm(struct wasm_store_t *store,
                                                   const wr_extern_t *external);

#ifdef __cplusplus
}
#endif

#undef own
#endif
