/*
 * native.h - the contract between compiled code and the runtime: the calling convention, what compiled
 * code reads of the store's objects, and how it leaves (docs/aot.md). The compiler (aot/compiler/) and
 * the runtime part (native.c, raise.c, helpers.c) both include it; NATIVE_ABI, in every artifact's header,
 * changes with it.
 *
 * Calling convention. A WebAssembly function `f` with parameters P and results R is the LLVM function
 *
 *     fastcc R0 f(ptr context, P0, P1, ...)
 *
 *   - context is the Instance of a compiled function, the Func itself when an exit thunk is called.
 *   - i32, i64, f32, f64 are themselves; v128 is <2 x i64>; every reference is an i32 (store.h).
 *   - The first parameters are passed in registers, up to the first for which there is none on x86-64 (native_direct()).
 *     It and those behind are passed in Native.values, in slots (8 bytes, a v128 two), from slot 0 on: stored just before
 *     the call, read first thing in the callee. So there are no arguments on the stack: tail calls never move the return
 *     address, which unwinding could not know of.
 *   - One result is returned; two or more are all left in Native.values, in slots from 0 on.
 *   - A function in which a return_call* occurs is compiled as tailcc, `t`, of the same signature, with a
 *     fastcc `f` that calls it. Only tail calls use `t` directly; so chains of tail calls do not grow the
 *     stack, and code without them pays nothing.
 *
 *   - Where fuel is counted the code is in `r`, a fastcc that gets what is left of it as a second parameter, and returns it, or
 *     a structure of it and the result. Functions of an artifact call each other so, also through its constant tables;
 *     `f`, which calls `r`, is for all others, and has it in Store.fuel. Functions with a `t` have an `r` that calls `f`.
 *
 * Thunks, one set per shape (the signature in those machine types):
 *     entry     ccc void (ptr context, ptr code, ptr slots)     C into compiled code
 *     exit      fastcc, as `f` with context = Func              out of it: calls wr_native_exit()
 *     exit_tail tailcc, as `t` with context = Func              the same; calls Func.native_code if there is any
 *
 * Calling a Func (import, table, reference): its native_code with context native_context; if that is NULL, the
 * caller's own exit thunk for the shape with context = Func. For tail calls native_tail, else exit_tail.
 * As long as a Func has no native_code, its native_context is the store's Native: so exit thunks find it.
 *
 * Before an exit thunk is called (or a function that may be one: where it is not known whether the Func has
 * native_code) the caller stores its own context in Native.caller: host functions are told who called them.
 *
 * Stack. Compiled code runs on the native stack of its store, which ends in a guard: running into it is
 * a fault in compiled code and becomes the trap "call stack exhausted". Helpers are C, and run on the stack from
 * which compiled code was entered: Native.helpers[] leads to code that switches there and back. So the native stack
 * holds nothing but compiled frames, no room has to be looked after before a helper is called, and
 * sanitizers never see it.
 *
 * Stops. Code without polls may be left at any instruction, by a signal (stop.h): what it writes to objects of the store
 * has to leave them in order wherever it ends. So each such change is one store, and an object that is made is
 * complete before its cell is taken.
 *
 * Leaving. Helpers never unwind. Those that can fail return a status; compiled code then calls
 * wr_native_trap() or wr_native_raise(), which do not return: they walk the compiled frames by the artifact's
 * tables, to a landing pad or to the activation's entry.
 */
#ifndef WR_NATIVE_H
#define WR_NATIVE_H

#include "artifact.h"
#include "store.h"

#define NATIVE_INTEGERS 5u /* i32, i64 and references; the context is before them */
#define NATIVE_VECTORS 8u  /* f32, f64 and v128 */
#define NATIVE_PARAMS (NATIVE_INTEGERS + NATIVE_VECTORS) /* native_direct() at most */

/* How many parameters of a function of that type are passed in registers. */
INLINE u32 native_direct(const DefType *type) {
    u32 integers = 0, vectors = 0, n = 0;
    for (; n < type->nparams; n++) {
        ValKind kind = type_kind(type->types[n]);
        bool is_vector = kind == VK_F32 || kind == VK_F64 || kind == VK_V128;
        if (is_vector ? vectors++ == NATIVE_VECTORS : integers++ == NATIVE_INTEGERS) break;
    }
    return n;
}
#define NATIVE_VALUES (2u * LIMIT_RESULTS) /* slots; LIMIT_PARAMS is not larger */

/* As the code of TRAP: no function of the right type is where a call through a table has looked for one (Native.caller,
 * trap_table, trap_element say where). */
#define TRAP_NO_CALLEE UINT32_MAX
/* As the offset of RAISE: what is raised is so at the place of the caller. */
#define IN_CALLER UINT32_MAX

/* What a landing pad takes beside the exception: why it was landed at. */
#define LAND_EXCEPTION 1u
#define LAND_SPILL 2u /* the frame is to be written down (spill.h) */

typedef enum NativeHelper {
#define HELPER(id, function, signature, flags) HELPER_##id,
#include "helpers.def"
#undef HELPER
    NATIVE_HELPERS
} NativeHelper;

typedef struct NativeActivation NativeActivation; /* native.c */
typedef struct NativeExit NativeExit;             /* switch.h */

/* How many of UNWIND_REGISTERS this machine has: the first ones. */
#if defined(__aarch64__)
#define NATIVE_SAVED 20u
#else
#define NATIVE_SAVED 6u
#endif

/* A place in compiled code: where it was left, or what a walk along its frames has come to. */
typedef struct NativeRegisters {
    u64 pc, sp;
    u64 saved[UNWIND_REGISTERS]; /* in the order of artifact.h */
    bool is_call;                /* pc is a return address: the place is before it */
} NativeRegisters;

/* What compiled code of a store needs beside its objects: Instance.native, one for each store. */
typedef struct Native {
    /* read and written by compiled code */
    Instance *caller; /* see above */
    /* switch_*.S, which knows the offsets (switch.h) */
    const _Atomic(u32) *interrupt; /* the store's */
    void *host_sp;                 /* of the innermost activation: where frames of helpers begin */
    NativeExit *exit;              /* what the innermost helper that runs was called with */
    u32 trap_code, trap_offset, thrown;
    NativeRegisters left; /* where compiled code was left, or is to go on */
    /* read and written by compiled code */
    u64 trap_element; /* written before TRAP with WR_TRAP_UNINITIALIZED_ELEMENT: which; or TRAP_NO_CALLEE */
    u64 trap_table;
    void *helpers[NATIVE_HELPERS];
    Slot values[NATIVE_VALUES];
    /* native.c */
    bool needs_heap;        /* some code takes it that the store has one */
    bool is_off;            /* nothing is compiled any more */
    bool no_polls, no_fuel; /* some code does not look whether to stop, does not count fuel */
    bool can_stop;          /* what does not look is stopped by a signal (stop.h) */
    bool no_spills;         /* some code cannot write its frames down */
    u32 nrooted;            /* of `values`, which a helper under way has as operands */
    Store *store;
    Error *pending;              /* what RAISE is called for */
    OsRegisters fault;           /* of the fault by which compiled code was left */
    struct NativeEngine *engine; /* stacks.h */
    struct NativeStack *stack;   /* NULL while none is needed */
    struct NativeSites *sites;   /* sites.h; NULL until something is thrown */
    u32 spill_period, spill_random;
    struct Native *next_hasty;    /* NativeEngine.hasty */
    bool is_hasty;                /* it is in that list */
    NativeActivation *activation; /* innermost */
} Native;

extern const NativeOps wr_native_ops; /* native.c: for Module.native_ops */

/* Makes functions of an instance compiled that have got code since it was made, while its code may be running
 * interpreted: at a place where its frames are canonical. */
void wr_native_attach_running(Instance *instance);

/* Has stores' hasty code (artifact.h) look at its next poll: TierOps.ask. Any thread. */
void wr_native_ask(Engine *engine);
/* Whether a function has no code, or hasty code, to which other code is to be preferred. */
bool wr_native_is_hasty(const Func *func);

/* Changes when compiled code made before must not run with this runtime: mixes the helpers' names and
 * signatures, the offsets of all fields that compiled code reads, and a number that is counted up by
 * hand when conventions change. The same in every build for a 64-bit little-endian host. */
u64 wr_native_abi(void);
#define NATIVE_ABI_REVISION 5u

#endif
