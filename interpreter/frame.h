/*
 * frame.h - the execution state of the interpreter: fibers, frames, activations (design: execution
 * state off the C stack). Used by interp.c and the handlers only.
 *
 * A fiber is one mapping: values grow up from its start, frames grow down from its end, and the stack
 * is exhausted when a call would let them meet:
 *
 *     map                                                              map + size
 *     | args, locals, operands of f0 | args, locals, ... of f1 | -> ... <- | frame 1 | frame 0 |
 *
 * A callee's arguments are the caller's topmost operands: frames overlap. A v128 takes two slots.
 * A frame's pc and stp are stored when control leaves it (call, trap, suspension), and are then the
 * canonical state: pc is an instruction boundary, all operands are in memory.
 */
#ifndef WR_FRAME_H
#define WR_FRAME_H

#include "store.h"

typedef struct Frame {
    const u8 *pc; /* of the instruction to go on with; of the instruction itself on a trap */
    const SideEntry *stp; /* entry of the first branch at or after pc */
    Slot *fp;             /* local 0 */
    Func *func;
} Frame;

/* Where a guarded memory access is, or has faulted. */
typedef struct FaultPlace {
    const u8 *pc;
    Frame *fr;
} FaultPlace;

/* Why the handlers came back. */
typedef enum Outcome {
    OUTCOME_RETURNED,
    OUTCOME_TRAPPED,  /* Fiber.trap */
    OUTCOME_FAILED,   /* Fiber.error: a host function's error */
    OUTCOME_THREW,    /* Fiber.exception: nothing in the activation catches it */
    OUTCOME_SUSPENDED /* Fiber.trap tells why: fuel, deadline, interruption; resumable */
} Outcome;

/* What may stop an activation, and so by which tables it dispatches. */
typedef enum RunMode {
    RUNS_FREE,      /* nothing */
    RUNS_STOPPABLE, /* a deadline or an interruption, while an alarm is on (interp.c) */
    RUNS_METERED,   /* fuel, too: it always polls */
    RUNS_TRACED /* the same, and each instruction is told: all activations of an engine with a tracer */
} RunMode;

/* One entry from C into guest code, on the C stack. */
typedef struct Activation {
    struct Activation *outer; /* the thread's previous one */
    struct Activation *below; /* the fiber's */
    Slot *below_end;          /* Fiber.operand_end when it was entered */
    Store *store;
    Frame *base; /* the frame whose pc leads back to C; its function is Instance.exit */
    JumpPoint on_fault;
    FaultPlace fault;
} Activation;

typedef void Handler(void); /* converted to the real type where it is called */

struct Fiber {
    u8 *map;
    size_t size;
    Slot *sp;  /* first free slot; valid while control is outside of the handlers */
    Frame *fr; /* current frame; likewise. NULL while handlers run */
    /* The end of the current frame's operands, while a host function runs or an object is made. */
    Slot *operand_end;
    Activation *activation; /* the innermost one on this fiber */
    Frame *base;            /* of a paused call: what its activation had, which is gone */
    Outcome outcome;
    wr_trap_code_t trap;
    u64 trap_element; /* WR_TRAP_UNINITIALIZED_ELEMENT: which */
    Error *
        error; /* of OUTCOME_FAILED; of OUTCOME_THREW if the exception came with one: it has frames */
    u32 exception;
    RunMode mode; /* of the innermost activation */
    bool pauses;  /* its call may be paused: nothing in it is to become compiled */
    /* While guest code runs. Metered: fuel beyond the current slice. Else Store.fuel as the host knows it. */
    i64 other_fuel;
    u32 uses;         /* stores that had it */
    bool is_kept;     /* by a store that counts as one of Tables.keepers (interp.c) */
    FaultPlace fault; /* of the last guarded access, where registers do not tell (dispatch.h) */
};

/* interp.c, for the handlers' cold paths */

/* The byte dispatch table for code with that home; NULL when out of memory. */
Handler *const *wr_interp_table(Store *store, const Home *home);
/* After a table has become known to others: makes it what the engine's alarms ask for. */
void wr_interp_heed_alarms(Engine *engine);
/* Makes a function whose home is lazy ready to run. False: the fiber's outcome is set. */
bool wr_interp_need_code(Fiber *fiber, Func *func);
/* Calls a function that is not interpreted, with its arguments at `slots`, for the instruction at pc: which has paid
 * for the transfer, and will not for the way back. False: the fiber's outcome is set. */
bool wr_interp_call_host(Instance *caller, const u8 *pc, Func *func, Slot *slots);
/* What is called in place of a function that is not interpreted: deep in calls of one engine by the other it is. */
Func *wr_interp_deep_callee(Func *func);
INLINE Func *wr_interp_callee(const Store *store, Func *func) {
    return LIKELY(store->nesting < MIXED_NESTING) ? func : wr_interp_deep_callee(func);
}
/* An alarm came by Engine.tier; the frame is canonical. Code for the loop that begins here, or NULL. */
const void *wr_interp_tier(Store *store);
/* Goes on in that code, in the place of a frame of `func`, which has been taken off; the frame's slots are as they
 * were, and then hold its results. False: the fiber's outcome is set. */
bool wr_interp_enter_loop(Func *func, const void *code, Slot *slots);
/* An exception that came as fiber->error is caught. */
void wr_interp_caught(Fiber *fiber);
/* The address of `size` bytes for the memory access whose opcode's last byte is at pc, or NULL if out of
 * bounds. `address` is the operand as a slot. *next gets the position after the immediates (before a
 * lane index). Handles every memarg: other memories, 64-bit addresses, large offsets. */
u8 *wr_interp_address(Instance *inst, const u8 *pc, u64 address, u64 size, const u8 **next);
/* The memory that the same instruction names. */
const Memory *wr_interp_memory(const Instance *inst, const u8 *pc);
/* Moves values for a side entry with pop != 0 and gives the real target. */
typedef struct Jump {
    const u8 *pc;
    const SideEntry *stp;
    Slot *sp;
} Jump;
Jump wr_interp_jump(const Func *func, const u8 *pc, const SideEntry *stp, Slot *sp);
/* Position after a block type that starts at p. */
const u8 *wr_interp_skip_block_type(const u8 *p);
/* True when the call must stop here; the fiber's trap is then set. */
bool wr_interp_must_stop(Store *store, const u8 *pc);

const u8 *wr_interp_skip_heap_type(const u8 *p);
/* Before a field of a structure is overwritten at `at` while the heap is marked. */
COLD void wr_interp_shade_field(const Instance *inst, u32 type_index, u32 field, const u8 *at);
/* Whether `ref`, not null, is of the heap type encoded at p. */
bool wr_interp_matches(const Instance *inst, u64 ref, const u8 *p);
const u8 *wr_interp_skip_select_types(const u8 *p); /* from the count on */
bool wr_interp_select_is_wide(const u8 *p);         /* its one type is v128 */
/* Whether the drop or select at pc moves a v128 (Code.wide_pcs). */
bool wr_interp_is_wide(const Code *code, const u8 *pc);

/* On arrival at pc, in handlers that poll: whether wr_interp_must_stop() is to be asked. Where there is fuel,
 * that is once in a slice, else always. */
INLINE bool wr_interp_looks(const Store *store, const u8 *pc) {
    return store->fuel < (i64)(uintptr_t)pc;
}
/* In handlers that all activations have: true when the call must stop here. */
INLINE bool wr_interp_poll(Store *store, const u8 *pc) {
    if (store->fiber->mode == RUNS_FREE) return false;
    bool asked = atomic_load_explicit(&store->interrupt, memory_order_relaxed) & POLL_ASKED;
    if (!asked && store->fiber->mode < RUNS_METERED) return false;
    return wr_interp_looks(store, pc) && wr_interp_must_stop(store, pc);
}
INLINE bool is_metered(const Store *store) { return store->fiber->mode >= RUNS_METERED; }
INLINE bool is_traced(const Store *store) { return store->fiber->mode == RUNS_TRACED; }
/* Control goes from the instruction at `from` to `to`; the transfer itself counts one byte. */
INLINE void wr_interp_transfer(Store *store, const u8 *from, const u8 *to) {
    store->fuel += (i64)((uintptr_t)to - (uintptr_t)from) - 1;
}
/* The same without counting it. */
INLINE void wr_interp_pass(Store *store, const u8 *from, const u8 *to) {
    store->fuel += (i64)((uintptr_t)to - (uintptr_t)from);
}
/* Bulk work: one unit for 16 bytes or elements. */
INLINE void wr_interp_pay(Store *store, u64 amount) { store->fuel -= (i64)(amount >> 4); }

/* ---- trace.c: what the engine's tracer is told ---- */

/* The instruction at pc is next, all operands are in memory: it, and the call that begins or ends with it. */
void wr_interp_trace(const Instance *inst, Frame *fr, const u8 *pc, Slot *sp);
/* A function that is not interpreted, before and after it ran for the fiber's frame; `kind` says which, and how it
 * ended. */
COLD void wr_interp_trace_other(Store *store, wr_trace_kind_t kind, const Func *func,
                                const Slot *values);
/* The activation whose outermost frame that is has failed. */
COLD void wr_interp_trace_failure(Store *store, const Frame *outermost);

/* ---- unwind.c ---- */

/* Where control goes on after a throw; fr is NULL if the activation does not catch it. */
typedef struct Landing {
    Frame *fr;
    const u8 *pc;
    const SideEntry *stp;
    Slot *sp;
} Landing;
/* Finds who catches `exception`, thrown by the instruction at pc in frame fr, or from below the frame
 * if pc is NULL, and puts there the operands that the clause takes. */
Landing wr_interp_unwind(Store *store, Frame *fr, const u8 *pc, u32 exception);

/* exec.c: the dispatch table for 32-bit guarded memory, no polls, no wide locals, which counts calls and
 * loops: its cache states after each other; see gen/generate.py */
Handler *const *wr_exec_base_table(void);
typedef enum ExecVariant {
    VARIANT_CHECK,
    VARIANT_MEM64,
    VARIANT_WIDE,
    VARIANT_POLLED,
    VARIANT_PLAIN, /* does not count what functions do; not for wide ones */
    VARIANT_SINGLE, /* in state E each handler does one instruction, and reads the table for the next */
    VARIANTS
} ExecVariant;
extern const size_t wr_exec_table_size; /* entries of one whole table */
/* Replaces the entries that differ in that variant; puts the base's back. Others may read the table. */
void wr_exec_apply(ExecVariant variant, Handler **table);
void wr_exec_undo(ExecVariant variant, Handler **table);
INLINE void set_handler(Handler **place, Handler *handler) {
    __atomic_store_n(place, handler, __ATOMIC_RELAXED);
}
/* Twice the table: whatever it is entered by first tells the tracer, and then goes on by the second half, which is
 * what the first was. Handlers there do no more than one instruction. */
void wr_exec_trace(Handler **table);
/* Whether the machine keeps pc and fr as arguments 0 and 6 of preserve_none functions. */
bool wr_exec_pc_in_register(void);
/* Leads back to C: the frame below the outermost one runs this, the second byte if there is one result, which
 * ids then expect in state I. */
extern const u8 wr_exit_code[2];
extern const u16 wr_exit_ids[2];
/* Runs from the fiber's fr and sp until the outcome is known; false: until a fault, see Activation.on_fault. */
bool wr_exec_run(Store *store, Fiber *fiber);

#endif
