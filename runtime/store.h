/*
 * store.h - the run-time objects of one store and of the engine above it (spec: exec/runtime).
 *
 * An Engine holds what modules and stores share: allocator, configuration, canonical types, the executor.
 * A Store owns instances, functions, memories, tables, globals; all of them die with it. A store
 * belongs to one thread at a time; only `interrupt` is touched by others.
 *
 * References in Wasm-visible places (slots, tables, globals, fields) are never raw pointers:
 *   0                   null
 *   low bit 1           i31: the value in bits 1..31
 *   low bits 10         a host value: index << 2 | 2 into Store.externs   (extern and any hierarchies)
 *   low bits 00         an object: byte offset in the store's heap, 8-byte aligned (any, exn)
 *   function references are handles of their own hierarchy: index into Store.funcs, which starts at 1
 */
#ifndef WR_STORE_H
#define WR_STORE_H

#include <stdatomic.h>

#include "alloc.h"
#include "base.h"
#include "error.h"
#include "frames.h"
#include "module.h"
#include "os.h"
#include "types.h"

typedef struct wr_store Store;
typedef struct wr_instance Instance;
typedef struct wr_func Func;
typedef struct wr_memory Memory;
typedef struct wr_table Table;
typedef struct wr_global Global;
typedef struct wr_tag Tag;
typedef struct wr_caller Caller;
typedef struct Executor Executor;
typedef struct Heap Heap;       /* heap.h */
typedef struct Parking Parking; /* parking.h */
typedef struct Fiber Fiber;     /* the executor's */
typedef struct Budget Budget;

#define WASM_PAGE_SIZE 65536u
/* A guarded 32-bit memory reserves 4 GiB + MEMORY_GUARD: accesses with a static offset below
 * MEMORY_GUARD - 16 need no check, larger offsets are checked explicitly. */
#define MEMORY_GUARD (64u << 20)

/* How compiled code is stopped: by polls only where it cannot be by signals, always, or never. */
typedef enum PollMode { POLLS_AUTO, POLLS_ON, POLLS_OFF } PollMode;

struct wr_config {
    wr_memory_mode_t memory_mode;
    size_t max_stack;
    u32 validation_threads; /* 0 = all */
    u32 gc_debug;           /* WR_GC_* */
    u32 warm_after;         /* calls and loop turns; UINT32_MAX = never */
    size_t max_shadow;      /* bytes that the interpreter may add to code, in the whole engine */
    Features features;
    wr_engine_kind_t kind;
    u8 opt_level; /* of compiled code: 0..3, or 4 for size */
    PollMode compiled_polls;
    bool compiled_fuel, compiled_migratable;
    bool debug_info;    /* debuggers are told of compiled functions */
    bool perf_map;      /* names of compiled functions go to /tmp/perf-PID.map */
    bool caches;        /* compiled code is kept in cache_folder */
    char *cache_folder; /* own, from the system's allocator; NULL: the user's */
    wr_compile_progress_t compile_progress;
    void *compile_context;
    u32 pool_stores;      /* see wr_config_set_pool() */
    size_t pool_resident; /* bytes */
    Alloc alloc;
    wr_log_func_t log; /* or NULL */
    void *log_context;
    wr_log_level_t log_level;
    wr_tracer_t tracer; /* or NULL */
    void *trace_context;
    u32 trace_kinds; /* WR_TRACE_* */
};

struct wr_engine {
    atomic_size_t refs;
    Alloc alloc;
    struct wr_config config; /* memory_mode is GUARD or EXPLICIT here, never AUTO */
    TypeTable *types;
    const Executor *executor;
    void *executor_state;                /* the executor's tables, made by executor->engine_init */
    void *shadows;                       /* likewise (interpreter: shadow.h) */
    u32 start_heat;                      /* of new functions; set by executor->engine_init */
    struct NativeEngine *native;         /* aot's, made when it is needed; under lock ... */
    void (*native_free)(Engine *engine); /* ... and with it, what frees it */
    struct Tier *tier;                   /* aot's, with what follows, or NULL: fixed */
    const struct TierOps *tier_ops;
    _Atomic(struct Watchdog *) watchdog; /* deadline thread, started by the first timeout */
    Parking *parking; /* threads in memory.atomic.wait, made by the first; under lock */
    OsMutex lock;
    atomic_size_t mappings; /* that may still be made, see wr_engine_take_mappings() */
    bool mappings_known;    /* `mappings` began with what this host allows; under lock */
};

void wr_config_init(struct wr_config *config); /* the defaults */
/* Makes an engine that runs code with `executor`. config->memory_mode AUTO is resolved here: see
 * memory.h for what the modes are. One reference for the caller. */
NODISCARD Error *wr_engine_create(const struct wr_config *config, const Executor *executor,
                                  Engine **out);
/* Whether threads that run the engine's compiled code may be sent signals. */
bool wr_engine_may_signal(const Engine *engine);
Engine *wr_engine_ref(Engine *engine);
void wr_engine_unref(Engine *engine);
/* Hosts limit the mappings of a process, and one that has them all cannot even allocate. So what can do
 * without asks here before making `count` of them, and gives them back; false: do without. */
NODISCARD bool wr_engine_take_mappings(Engine *engine, u32 count);
void wr_engine_return_mappings(Engine *engine, u32 count);

/* ---- functions ---- */

/* The definition of a host function: made by a linker, shared by the functions made from it in any
 * number of stores. Immutable; counted, by any thread. */
typedef struct HostFunc {
    atomic_size_t refs;
    Engine *engine; /* counted */
    const DefType *type;
    RecGroup *group; /* one reference, keeps `type` */
    wr_host_func_t func;
    void *context;
    void (*finalizer)(void *context); /* or NULL; runs with the last reference */
    size_t size;                      /* of this object's block, which also holds the names */
    const char *module, *name;        /* under which it was defined, for backtraces */
} HostFunc;

/* `type` is interned for the definition. NULL when out of memory: `finalizer` has then not run. */
NODISCARD HostFunc *wr_host_func_new(Engine *engine, const char *module, const char *name,
                                     const ValType *types, u32 nparams, u32 nresults);
HostFunc *wr_host_func_ref(HostFunc *host);
void wr_host_func_unref(HostFunc *host);

/* Slots above max_slots that every frame may use, whatever the function. */
#define FRAME_SLACK 8u

/* A function instance: of the host (host != NULL), interpreted (home != NULL), or compiled (native_entry != NULL).
 * The first cache line is all that a call needs. */
struct wr_func {
    const struct Home *home; /* the instance's; NULL: not interpreted */
    const u8 *start;         /* Code.start */
    const SideEntry *side;   /* Code.side, or what no entry is read of; never NULL */
    uintptr_t ids;           /* the executor's: by what it dispatches; 0: nothing yet */
    u32 param_slots;
    u32 result_slots;
    u32 zero_slots;  /* locals to clear on entry: local_slots - param_slots */
    u32 frame_slots; /* zero_slots + max_slots + FRAME_SLACK: room needed above the arguments */
    const DefType *type;
    const u8 *end; /* one past the final end */
    u32 heat; /* the executor's: counts how often the function has run; from Engine.start_heat */
    const Code *code;      /* NULL for host functions */
    struct HostFunc *host; /* NULL for WASM functions */
    wr_host_func_t host_func;
    void *host_context;
    u32 handle; /* its index in Store.funcs */
    u32 index;  /* in its module; NONE_U32 for host functions */
    /* Compiled code (aot/native.h) of this function: called as others do, in place of the caller, from C.
     * NULL while there is none: then the context is Store.native. */
    const void *native_code, *native_tail, *native_entry;
    void *native_context; /* the Instance */
    /* Of a compiled function, when it was needed: the same one interpreted (wr_func_interpreted()). */
    struct wr_func *interpreted;
};

/* What changes when control passes from one function to another that has a different one: instance, and with
 * it the memory, and the dispatch table's variant. An instance has three: for functions without v128
 * locals, for wide ones (Code.is_wide), and for those whose bodies have not been validated: they cannot run
 * before wr_func_need_code() has given them one of the others. */
typedef struct Home {
    Instance *instance;
    bool wide, lazy;
} Home;
enum { HOME_NARROW, HOME_WIDE, HOME_LAZY, HOMES };

/* ---- memories, tables, globals, tags ---- */

/* What stores that use the same shared memory have in common (memory.h). Counted, by any thread; all
 * but `size` is fixed. */
typedef struct wr_shared_memory {
    atomic_size_t refs;
    Engine *engine; /* counted */
    Budget *budget; /* counted: of the store in which it was made; pays for growth */
    OsMutex lock;   /* of growth */
    _Atomic(u64) size;
    u8 *base;
    u64 reserved, max_pages;
    u8 page_size_log2;
    bool is_64, is_guarded, has_max;
    u8 mappings; /* of the engine's budget */
} SharedMemory;

struct wr_memory {
    u8 *base;
    u64 size;      /* bytes: see memory_size(); of a shared memory, the last that was heard of */
    u64 reserved;  /* bytes of address space at base, guard included */
    u64 max_pages; /* declared, or the address type's limit */
    u8 page_size_log2;
    bool is_64, is_shared, is_guarded, has_max;
    SharedMemory *shared; /* counted; NULL unless is_shared */
    bool is_lent; /* the addresses are somebody else's (prelink.c): they are not released here */
    u8 mappings;  /* of the engine's budget, taken for this memory */
    Store *store;
    Instance *
        *users; /* instances whose memory 0 this is: their cached base and size follow growth */
    u32 nusers, cap_users;
};

/* Bytes now; in a shared memory it may be more at once. */
INLINE u64 memory_size(const Memory *m) { return m->is_shared ? m->shared->size : m->size; }
INLINE u64 memory_pages(const Memory *m) { return memory_size(m) >> m->page_size_log2; }

struct wr_table {
    u32 *elems; /* references, 32 bits each */
    u32 size, capacity;
    u64 max; /* declared, or the limit */
    bool is_64, has_max;
    ValType type;
    Store *store;
};

struct wr_global {
    Slot value[2];
    ValType type;
    bool mutable, wide; /* wide: v128, both slots */
    Store *store;
};

struct wr_tag {
    const DefType *type;
    RecGroup *group; /* one reference, keeps `type`; NULL if a module of the store does */
    u32 index;       /* in Store.tags */
};

/* ---- instances ---- */

struct wr_instance {
    /* hot: read by the interpreter */
    u8 *mem_base; /* memory 0; NULL if there is none */
    u64 mem_size; /* bytes of memory 0 */
    Func **funcs; /* index spaces of the module */
    Global **globals;
    Table **tables;
    Memory **memories;
    Store *store;
    const DefType **types; /* module->types */
    Heap *heap;            /* the store's */
    u8 *heap_base;
    struct Native *native; /* the store's */
    Home homes[HOMES];
    Func exit; /* the executor's: of the frame below the outermost one; no Code */
    /* cold */
    Module *module; /* counted */
    Tag **tags;
    Func *own_funcs; /* the module's own functions, ncodes of them */
    Global *own_globals;
    bool *dropped_datas; /* data.drop */
    bool *dropped_elems;
    u32 **elem_values; /* per element segment: evaluated references, NULL once dropped or empty */
    bool elems_lent;   /* elem_values[] are not to be freed: they are a pre-linked module's */
    Memory *exported_memory; /* export "memory", or NULL */
    u8 memory_kind;          /* of memory 0: MEM_* below */
    struct Artifact
        *attached;     /* the newest one of Module.artifact that its functions have code of */
    Instance *next;    /* in Store.instances */
    size_t block_size; /* of the one block that holds this and the arrays above */
};

/* What is there of a data segment, never NULL: nothing once it is dropped. */
INLINE const u8 *data_left(const Instance *i, u32 data, u32 *size) {
    const Module *m = i->module;
    *size = i->dropped_datas[data] ? 0 : m->datas[data].size;
    return *size == 0 ? m->bytes : m->bytes + data_contents(&m->datas[data]);
}

/* How code must access memory 0: chooses the dispatch table's variant. */
typedef enum MemoryKind { MEM_GUARD32, MEM_CHECK32, MEM_64, MEM_KINDS } MemoryKind;

/* ---- store ---- */

/* What a store and its peers (wr_store_new_peer()) may take together. Counted, by any thread. */
struct Budget {
    atomic_size_t refs;
    Alloc alloc;
    _Atomic(u64) limit_memory, used_memory; /* bytes of linear memories */
    _Atomic(u64) fuel;                      /* that no store has taken: 0 before there are peers */
};

/* Where interpreted code stands: in that function, at an instruction or behind a call. */
typedef struct TierFrame {
    Func *func;
    const u8 *pc;
} TierFrame;
#define TIER_FRAMES 8u

/* Who finds what runs often, and compiles it meanwhile (aot/tier.c). Engine.tier is there if this is. */
typedef struct TierOps {
    /* A function of the engine has got warm. Any thread. */
    void (*warm)(Engine *engine);
    /* Interpreted code looks whether to stop, because there was an alarm: the innermost frames, `count` of them. Code
     * for the loop at the beginning of which the first one stands, to go on in (NativeOps.enter), or NULL. The
     * functions of frames may change (Executor.reseat). */
    const void *(*look)(Store *store, const TierFrame *frames, u32 count);
    /* Compiled code that is to give way looks, because there was an alarm. Whether the frames of its activation are to be
     * written down, for the interpreter to go on with. */
    bool (*ask)(Store *store, const TierFrame *frame);
    void (*forget)(Module *module); /* which is going: frees Module.tier */
    void (*stop)(Engine *engine);   /* which is going: frees Engine.tier */
} TierOps;

/* What runs compiled functions and has compiled code (aot/native.c); the runtime and other engines know it
 * by this table only. */
typedef struct NativeOps {
    /* Makes those functions of a new instance compiled ones that its module has code for; none if it cannot
     * run here. Memories and tables are there, nothing has run. False when out of memory. */
    bool (*attach)(Instance *instance);
    /* As Executor.call, for a function with native_entry. */
    Error *(*call)(Store *store, Func *func, Slot *slots);
    /* Goes on in a function of an instance with compiled code, in the code that TierOps.look gave: its locals and
     * operands are in `slots`, as the interpreter has them; the results are there afterwards. */
    Error *(*enter)(Store *store, Instance *instance, const void *code, Slot *slots);
    /* Everything is interpreted from the next call on, for good, unless compiled code runs. */
    void (*detach)(Store *store);
    /* Whether calls that compiled code is in could pause: all of it looks, and its frames can be written down. */
    bool (*can_pause)(const Store *store);
    /* Everything that may be a reference in compiled frames; of objects only. */
    void (*visit_roots)(Store *store, void (*visit)(void *context, u64 ref), void *context);
    void (*store_free)(Store *store); /* frees Store.native */
} NativeOps;

/* Guest code, host functions and guest code again may nest this deep on the C stack. So interpreted code calls compiled
 * functions as they are no deeper than the other: there may be no end to recursion through both. */
#define MAX_NESTING 256u
#define MIXED_NESTING 100u

/* Bits of Store.interrupt: what is asked for, and that guest code runs which an alarm makes look for it. */
#define POLL_INTERRUPT 1u
#define POLL_DEADLINE 2u
#define POLL_RUNNING 4u
#define POLL_SPILL 8u /* compiled code is to look, since its frames may be wanted (aot/spill.h) */
#define POLL_ASKED (POLL_INTERRUPT | POLL_DEADLINE)
/* Above them: the number (os.h) of the thread that runs compiled code of the store which does not look, or 0. */
#define POLL_THREAD_SHIFT 8u
#define POLL_THREAD ((OS_STOP_THREADS - 1) << POLL_THREAD_SHIFT)

/* Operands of a constant expression that is being evaluated, on the C stack. */
typedef struct ConstStack {
    struct ConstStack *outer;
    Slot *slots;
    const u8 *is_ref; /* of each slot: 1 = may lead into the heap */
    u32 height;
} ConstStack;

/* What the embedder attached under a key of its own. */
typedef struct StoreDatum {
    const void *key;
    void *value;
} StoreDatum;

/* A field that is added here must be dealt with in wr_store_clear() too. */
struct wr_store {
    Engine *engine; /* counted */
    Alloc alloc;    /* the engine's */
    i64 fuel; /* remaining; meaningful if fuel_on; negative = spent. In reach of short instructions */
    Heap *heap; /* never NULL: &wr_heap_none before the first object */
    Func *
        *funcs; /* by handle; [0] unused. Grows: read it anew after anything that may instantiate */
    u32 nfuncs, cap_funcs;
    void **externs; /* host values by index */
    u32 nexterns, cap_externs;
    Instance *instances;
    Memory **memories; /* all owned */
    Table **tables;
    Tag **tags;
    Global **host_globals;
    u32 nmemories, cap_memories, ntables, cap_tables, ntags, cap_tags, nhost_globals,
        cap_host_globals;
    Budget *budget; /* counted */
    u64 limit_tables, limit_instances, limit_heap;
    u64 used_tables, used_instances;

    /* What the host keeps alive of the heap, beside what its instances do. A host function has a
     * scope of its own: what it was given is there, and goes when it returns. */
    u32 *handles;
    u32 nhandles, cap_handles;
    /* And without scopes: references, or free entries, what free_root was << 1 | 1. */
    u32 *roots;
    u32 nroots, cap_roots, free_root; /* free_root: the first free entry + 1, or 0 */
    ConstStack *const_stacks;
    u64 const_objects; /* made by constant expressions so far */
    Error *errors;     /* those that carry an exception of this store (error.h) */

    /* metering */
    _Atomic(u32) interrupt; /* POLL_* bits: wr_store_raise(), wr_store_lower() */
    bool interruptible;
    bool fuel_on;
    u64 deadline;   /* wr_os_now() time, 0 = none */
    u32 watch_slot; /* the watchdog's, under its lock */

    Fiber *fiber; /* made by the executor at the first call */
    /* NULL unless some instance has compiled code */
    struct Native *native;
    const NativeOps *native_ops;
    struct wr_call *paused;
    FrameList written; /* empty while guest code runs */
    bool pauses;       /* what runs is in a call that can pause, and in no host function */
    u32 nesting;       /* activations on the C stack */

    struct Kit *kit;  /* what it goes back to when it is deleted (kit.h), or NULL */
    StoreDatum *data; /* the embedder's */
    u32 ndata, cap_data;
};

/* True when a deadline or an interruption may stop calls. */
INLINE bool store_stops(const Store *s) { return s->interruptible || s->deadline != 0; }
/* Why calls have to stop if `interrupt` is what Store.interrupt holds; WR_TRAP_NONE: they need not. */
INLINE wr_trap_code_t store_stop(const Store *s, u32 interrupt) {
    if (interrupt & POLL_DEADLINE && s->deadline != 0) return WR_TRAP_DEADLINE;
    if (interrupt & POLL_INTERRUPT && s->interruptible) return WR_TRAP_INTERRUPTED;
    return WR_TRAP_NONE;
}
/* Sets or clears bits of Store.interrupt and gives what they were. Where that makes a running call one which is
 * asked to stop, or no longer one, Executor.alarm hears of it: exactly once; and a thread that runs code which does not
 * look is sent a signal. Any thread; from signal handlers too. */
u32 wr_store_raise(Store *store, u32 bits);
u32 wr_store_lower(Store *store, u32 bits);

/* A call that stopped on the way and can go on (paused_call.c). Its frames are on a fiber of its own. */
typedef struct wr_call {
    Store *store; /* NULL when that is gone, and `fiber` with it */
    Fiber *fiber; /* NULL while it is not paused */
    Func *func;
    wr_trap_code_t reason;
    struct wr_call *previous, *next; /* in Store.paused, while paused */
} PausedCall;

/* As wr_store_call(), but where that would stop for fuel, deadline or interruption, the call is
 * paused: NULL, and call->fiber is set. Not in host functions (Store.nesting). */
NODISCARD Error *wr_paused_start(PausedCall *call, Store *store, Func *func, Slot *slots);
/* Goes on; results go to `slots`. */
NODISCARD Error *wr_paused_resume(PausedCall *call, Slot *slots);
void wr_paused_abandon(PausedCall *call);
/* For the store: frees their fibers and lets the calls outlive it. */
void wr_paused_forget(Store *store);

/* What a host function gets. */
struct wr_caller {
    Store *store;
    Instance *instance; /* NULL if called by the host */
};

/* Rolling back what failed: everything made in the store since wr_store_mark() goes. Only while no
 * code has run and no reference to it was stored where older objects reach it. */
typedef struct StoreMark {
    Instance *instances;
    u32 nfuncs, nmemories, ntables, ntags;
} StoreMark;
StoreMark wr_store_mark(const Store *store);
/* Back to what it was at that mark, and then to what a new store is: limits, metering, references, the
 * heap. What was made before the mark stays. */
void wr_store_clear(Store *store, StoreMark mark);
void wr_store_rollback(Store *store, StoreMark mark);

/* The instance that a function belongs to; NULL for host functions. */
INLINE Instance *func_instance(const Func *func) {
    return func->home != NULL           ? func->home->instance
           : func->native_entry != NULL ? (Instance *)func->native_context
                                        : NULL;
}

/* Of a function defined in `instance`: it has no machine code (any more) and runs in the executor. */
void wr_func_interpret(Func *func, Instance *instance);
/* Of a function whose home is lazy: its body is validated, and the function gets ready to run. Errors: the body is
 * invalid, or out of memory. The first cache line of the function changes. */
NODISCARD Error *wr_func_need_code(Func *func);
/* The function as the interpreter runs it, although it is compiled, or will be: for frames that began before it was,
 * and where another activation would take too much of the C stack. Goes with the instance. NULL when out of memory. */
Func *wr_func_interpreted(Func *func);

/* The error for a trap; `element` is looked at for WR_TRAP_UNINITIALIZED_ELEMENT only. */
Error *wr_store_trap(const Store *store, wr_trap_code_t code, u64 element);
/* Appends to Store.funcs and numbers `func`; false when out of memory or handles. */
NODISCARD bool wr_store_add_func(Store *store, Func *func);
/* Calls through the executor, as Executor.call. A deadline that has passed stops this call too, not only
 * the one during which it passed; an interruption is spent when it has stopped a call. */
NODISCARD Error *wr_store_call(Store *store, Func *func, Slot *slots);
/* Its parts: a deadline that has passed stops what is about to run; what has stopped a call does not stop
 * the next one, but for that. */
void wr_store_note_deadline(Store *store);
void wr_store_spend_interrupt(Store *store, wr_trap_code_t code);
/* What the embedder attached to the store under that key; NULL if nothing. False when out of memory. */
NODISCARD bool wr_store_set_datum(Store *store, const void *key, void *value);
void *wr_store_datum(const Store *store, const void *key);
/* A reference (extern hierarchy) to a host value, or 0 when out of memory; and back: false if `ref` is
 * no host value of this store. */
NODISCARD u64 wr_store_new_extern(Store *store, void *value);
bool wr_store_get_extern(const Store *store, u64 ref, void **value);
/* Whether `ref`, which the host made up, is a reference in this store of type `type`. */
bool wr_store_ref_matches(const Store *store, u64 ref, ValType type);
/* Calls a host function from guest code: what it was given lives until it returns, what it returns is checked.
 * `caller` may be NULL. */
NODISCARD Error *wr_store_call_host(Store *store, Func *func, Instance *caller, Slot *slots);
/* While the heap is marked: `ref` comes from the host, which may have held it longer than it should. */
void wr_store_shade(Store *store, u64 ref, ValType type);
/* Keeps the object that `ref` leads to, if any, until the scope is closed in which this is called.
 * False when out of memory. Scopes nest; a scope is closed with what wr_store_open_scope() gave. */
NODISCARD bool wr_store_keep(Store *store, u64 ref);
/* Keeps the object that `ref` leads to, if any, until wr_store_unroot(). False when out of memory. */
NODISCARD bool wr_store_root(Store *store, u64 ref, u32 *root);
void wr_store_unroot(Store *store, u32 root); /* of one that is no root: nothing */

/* The same for bytes of linear memories, which peers share; and back. */
NODISCARD bool wr_budget_charge(Budget *budget, u64 bytes);
void wr_budget_return(Budget *budget, u64 bytes);
Budget *wr_budget_ref(Budget *budget);
void wr_budget_unref(Budget *budget);
/* Unless there are peers, makes it what that of a store is which has so much memory. */
NODISCARD bool wr_budget_clear(Budget *budget, u64 used);
/* Takes fuel that peers have in common: `need` and something to go on with, or what there is. */
i64 wr_budget_draw(Budget *budget, u64 need);

/* Account for `amount` more of a limited resource: false when it would exceed the limit. */
INLINE bool store_charge(u64 *used, u64 limit, u64 amount) {
    if (amount > limit || *used > limit - amount) return false;
    *used += amount;
    return true;
}

typedef void FrameVisitor(void *context, const Func *func, const u8 *pc, Slot *fp, Slot *end);

/* ---- executor: what runs code. The runtime knows it by this table only. ---- */

struct Executor {
    const char *name;
    /* Called once per engine; false = out of memory. */
    bool (*engine_init)(Engine *engine);
    void (*engine_free)(Engine *engine);
    /* Calls `func` (WASM or host) with its arguments in slots[0..param_slots); results are left in
     * slots[0..result_slots). NULL, or an own error with backtrace: trap, exit, exception. `slots`
     * must not lie in guest-reachable memory. Reentrant from host functions. References in `slots`
     * are no roots afterwards: wr_store_keep() them before anything else is made. */
    Error *(*call)(Store *store, Func *func, Slot *slots);
    /* As `call`, but goes on with the frames in Store.written, of which there are some: the innermost at its
     * instruction, the others behind calls. Results as of the outermost one's function. */
    Error *(*go_on)(Store *store, Slot *slots);
    /* May be NULL: calls cannot pause. As `call`, for call->func, or going on with call->fiber if that is
     * set. Where `call` would stop, the store's fiber becomes call->fiber, and call->reason is set; else
     * call->fiber is NULL afterwards. Not while anything runs in the store. */
    Error *(*call_pausable)(PausedCall *call, Slot *slots);
    /* Frees a fiber that is not the store's, or no longer. */
    void (*fiber_free)(Store *store, Fiber *fiber);
    /* Adds where a paused call stands to an error. */
    void (*backtrace)(const PausedCall *call, Error *error);
    /* May be NULL: there are none. Calls `visit` for every frame of guest code in the store, of all
     * activations and paused calls: the function, the instruction at which it stands or to which a call in it will
     * return, local 0, and the end of its operands (a callee's arguments belong to the callee).
     * Nothing runs meanwhile. */
    void (*each_frame)(Store *store, FrameVisitor *visit, void *context);
    /* Frames of functions that have been compiled meanwhile (home == NULL) go on interpreted: they get
     * Func.interpreted, which has been made. Nothing runs meanwhile. */
    void (*reseat)(Store *store);
    /* May be NULL: true. Called before engine_init if memories are to be guarded: prepares to turn
     * faults in them into traps (installs the fault handler). False makes wr_memory_mode AUTO explicit. */
    bool (*guard_init)(void);
    /* By so many more of the engine's calls that are POLL_RUNNING a stop is asked for (change = 1), or no longer
     * (-1). Any thread, in any order; from signal handlers too. NULL where nothing sets that bit. */
    void (*alarm)(Engine *engine, int change);
    /* May be NULL. Frees what the executor has put into Module.shadows; the module's last reference is gone. */
    void (*module_free)(Module *module);
    /* May be NULL: there are none. */
    wr_shadow_stats_t (*shadow_stats)(const Engine *engine);
};
extern const Executor wr_interpreter; /* interpreter/interp.c; named here, chosen in embed/ */

/* ---- operations on run-time objects, for engines and the API ---- */

/* Growth. Return the old size in pages or elements, or UINT64_MAX on failure (limits, memory). */
u64 wr_memory_grow(Memory *memory, u64 delta_pages);
u64 wr_table_grow(Table *table, u64 delta, u32 value);
/* Bulk operations with the spec's bounds rules; they return WR_TRAP_NONE or the trap. 64-bit operands are
 * the zero-extended values for 32-bit memories and tables. */
wr_trap_code_t wr_memory_init(Instance *i, u32 memory, u32 data, u64 dst, u32 src, u32 n);
wr_trap_code_t wr_memory_copy(Memory *dst_memory, Memory *src_memory, u64 dst, u64 src, u64 n);
wr_trap_code_t wr_memory_fill(Memory *memory, u64 dst, u8 value, u64 n);
wr_trap_code_t wr_table_init(Instance *i, u32 table, u32 elem, u64 dst, u32 src, u32 n);
wr_trap_code_t wr_table_copy(Table *dst_table, Table *src_table, u64 dst, u64 src, u64 n);
wr_trap_code_t wr_table_fill(Table *table, u64 dst, u32 value, u64 n);
void wr_data_drop(Instance *i, u32 data);
void wr_elem_drop(Instance *i, u32 elem);

/* ---- linking (linker.c, instance.c) ---- */

/* One resolved import. */
typedef struct ExternVal {
    ExternKind kind;
    union {
        Func *func;
        Table *table;
        Memory *memory;
        Global *global;
        Tag *tag;
    } of;
} ExternVal;

/* Instantiates (spec: exec/modules, instantiation): checks the imports' types, allocates, evaluates
 * initialisers, copies active segments, runs the start function. On failure nothing of it is reachable,
 * except what the spec leaves (segments already written to imported tables and memories). */
NODISCARD Error *wr_instance_new(Store *store, Module *module, const ExternVal *imports,
                                 Instance **out);
/* The same when the imports are known to match. */
NODISCARD Error *wr_instance_new_matched(Store *store, Module *module, const ExternVal *imports,
                                         Instance **out);
/* The parts, for prelink.c. Allocates only: the imports match, memories are made in `places` (one each
 * of the module's own), globals and tables have no values. Then the initialisers and active segments
 * (*escaped: something outside may refer to the instance); then the start function, if there is one. */
struct MemoryPlace;
NODISCARD Error *wr_instance_allocate(Store *store, Module *module, const ExternVal *imports,
                                      const struct MemoryPlace *places, Instance **out);
NODISCARD Error *wr_instance_evaluate(Instance *instance, bool *escaped);
NODISCARD Error *wr_instance_start(Instance *instance);
NODISCARD Func *wr_store_new_host_func(Store *store, const DefType *type, HostFunc *host);
/* A global of the host's; `value` in type_slots(type) slots, of that type. NULL when out of memory. */
NODISCARD Global *wr_store_new_global(Store *store, ValType type, bool is_mutable,
                                      const Slot *value);
/* Takes over the reference to `group`, which may be NULL. NULL when out of memory. */
NODISCARD Tag *wr_store_new_tag(Store *store, const DefType *type, RecGroup *group);
void wr_instance_free(Instance *instance); /* by its store only */
/* False when there is no export of that name. */
bool wr_instance_export(Instance *instance, const char *name, size_t size, ExternVal *out);

#endif
