/*
 * dispatch.h - three ways from one handler to the next. Handlers are written once, in the words below; how they
 * are compiled is chosen when the build is configured (WR_DISPATCH in CMakeLists.txt):
 *
 *   tail     handlers are functions that end in a guaranteed tail call, the machine's registers are their arguments
 *            and stay in processor registers (clang 19: musttail, preserve_none)
 *   goto     handlers are labels of a function, the registers are its variables; computed goto (gcc)
 *   switch   handlers are cases of a switch in a loop: plain C, for analysers, coverage and other compilers
 *
 * With goto and switch there are two such functions: one dispatches by bytes (exec.c), one by ids (exec_shadow.c).
 * They go on where the other one was by way of wr_exec_run(), with the registers in between in a `Registers`.
 *
 * The words
 *   HANDLER(id, state), HANDLER_AS(id, state, variant), COLD_HANDLER(name), TILE(id), SELDOM_TILE(id)
 *                          what a body stands behind
 *   NEXT_AT(index)         goes on at disp[index]
 *   NEXT_BYTE(state)       goes on by the byte at pc, in a cache state
 *   NEXT_ID()              goes on by the id of pc, whose state is part of what the id means
 *   NEXT(state)            one of both: how this file dispatches
 *   JUMP(name)             goes on in that handler
 *   LEAVE()                back to C; the fiber's outcome is set
 *   ENTRY_OF(name)    what stands in a table for a handler
 *   SAVE_PC_..., ACCESSED_..., MOVED_PC     around a memory access: where it is, if it faults
 *
 * Not included by anything but machine.h.
 */
#ifndef WR_DISPATCH_H
#define WR_DISPATCH_H

#include "frame.h"
#include "vector.h"

/* Alarms change tables while they are in use (interp.c). */
#define HANDLER_AT(index) __atomic_load_n(&disp[index], __ATOMIC_RELAXED)

/* ---- handlers as functions ---- */

#if defined(WR_DISPATCH_TAIL)

/* fr is where no instruction needs its register: on x86-64 the one after it is rcx, which shifts take, and a
 * guarded access in the same tile must find fr (interp.c: on_fault). */
#define ARGS pc, sp, fp, stp, mem, disp, fr, inst, ids, r0, v0
#define PARAMS                                                                                     \
    const u8 *pc, Slot *sp, Slot *fp, const SideEntry *stp, u8 *mem, Handler *const *disp,         \
        Frame *fr, Instance *inst, uintptr_t ids, u64 r0, v128 v0
#define r1 ids /* bytes have no ids */
#define STEP __attribute__((preserve_none)) void
typedef STEP Step(PARAMS);

#if defined(WR_SHADOW)
#define HANDLER_NAME(name) wr_shadow_##name
#define FUNCTION_OF(name) __attribute__((noinline)) STEP HANDLER_NAME(name)(PARAMS)
#define NEXT(state) NEXT_ID()
#else
#define HANDLER_NAME(name) name
#define FUNCTION_OF(name) static __attribute__((noinline)) STEP name(PARAMS)
#define NEXT(state) NEXT_BYTE(state)
#endif
/* Small and not aligned: what only some modes or memories use. (On 64-bit Arm that would be calls of common parts.) */
#if defined(__x86_64__)
#define SELDOM __attribute__((minsize))
#else
#define SELDOM
#endif
#define SELDOM_TILE(id) SELDOM TILE(id)
#define TILE(id)                                                                                   \
    __attribute__((used)) static STEP tile_##id(PARAMS) /* named by a table of offsets only */
#define NEXT_AT(index) __attribute__((musttail)) return ((Step *)HANDLER_AT(index))(ARGS)
#define NEXT_BYTE(state) NEXT_AT(STATE_##state + *pc)
#define NEXT_ID() NEXT_AT(*(const u16 *)(ids + 2 * (uintptr_t)pc))
#define JUMP(name) JUMP_TO(name) /* `name` may be a macro */
#define JUMP_TO(name) __attribute__((musttail)) return HANDLER_NAME(name)(ARGS)
#define LEAVE() return
#define ENTRY_OF(name) ((Handler *)HANDLER_NAME(name))

/* The fault handler finds pc in its register: keep the compiler from advancing it before the access, and later
 * than to a second one. */
#define STORE_PC() ((void)(inst->store->fiber->fault = (FaultPlace){pc, fr}))
#define SAVE_PC_GUARD() (INSTRUMENTED ? STORE_PC() : (void)0)
#define ACCESSED_GUARD() __asm__ volatile("" : "+r"(pc) : : "memory")
#define MOVED_PC() __asm__ volatile("" : "+r"(pc) : : "memory")

#else

/* ---- handlers in one function ---- */

/* What one function leaves for the other. */
typedef struct Registers {
    const u8 *pc;
    Slot *sp, *fp;
    const SideEntry *stp;
    u8 *mem;
    Handler *const *disp;
    Frame *fr;
    Instance *inst;
    uintptr_t ids;
    u64 r0;
    v128 v0;
    u32 first; /* entry of disp to begin with */
} Registers;

/* How a run went on: in C (the fiber's outcome is set), by bytes, by ids. */
typedef enum Onward { ON_IN_C, ON_BY_BYTES, ON_BY_IDS } Onward;

/* exec_shadow.c: runs by ids. */
Onward wr_shadow_run(Registers *m);

/* gcc left alone keeps most of the registers in memory in a function of this size. These survive calls. */
#if !defined(WR_DISPATCH_GOTO) || INSTRUMENTED
#define IN_REGISTER(x86, arm)
#elif defined(__x86_64__)
#define IN_REGISTER(x86, arm) __asm__(x86)
#elif defined(__aarch64__)
#define IN_REGISTER(x86, arm) __asm__(arm)
#else
#define IN_REGISTER(x86, arm)
#endif

/* The registers as variables, from `m`. `fault_place` is where the fault
 * handler looks. */
#define DEFINE_REGISTERS(m)                                                                        \
    register const u8 *pc IN_REGISTER("r12", "x19") = (m)->pc;                                     \
    register Slot *sp IN_REGISTER("r13", "x20") = (m)->sp;                                         \
    register Slot *fp IN_REGISTER("r14", "x21") = (m)->fp;                                         \
    const SideEntry *stp = (m)->stp;                                                               \
    register u8 *mem IN_REGISTER("r15", "x22") = (m)->mem;                                         \
    Handler *const *disp = (m)->disp;                                                              \
    Frame *fr = (m)->fr;                                                                           \
    Instance *inst = (m)->inst;                                                                    \
    register uintptr_t ids IN_REGISTER("rbp", "x23") = (m)->ids;                                   \
    register u64 r0 IN_REGISTER("rbx", "x24") = (m)->r0;                                           \
    u64 r1 = 0; /* never handed over */                                                            \
    (void)r1;                                                                                      \
    v128 v0 = (m)->v0;                                                                             \
    FaultPlace *const fault_place = &inst->store->fiber->fault
/* The reverse. At its end, where HAND_OVER leads with `first` set. */
#define HANDED_OVER(m, first, onward)                                                              \
    *(m) = (Registers){pc, sp, fp, stp, mem, disp, fr, inst, ids, r0, v0, first};                  \
    return onward

#define SAVE_PC_GUARD() ((void)(*fault_place = (FaultPlace){pc, fr}))
#define ACCESSED_GUARD() ((void)0)
#define MOVED_PC() ((void)0)
#define LEAVE() return ON_IN_C

/* What the other function does. */
#define HAND_OVER(index)                                                                           \
    do {                                                                                           \
        first = (index);                                                                           \
        goto hand_over;                                                                            \
    } while (0)
#if defined(WR_SHADOW)
#define NEXT(state) NEXT_ID()
#define NEXT_ID() NEXT_AT(*(const u16 *)(ids + 2 * (uintptr_t)pc))
#define NEXT_BYTE(state) HAND_OVER(STATE_##state + *pc)
#else
#define NEXT(state) NEXT_BYTE(state)
#define NEXT_BYTE(state) NEXT_AT(STATE_##state + *pc)
#define NEXT_ID() HAND_OVER(*(const u16 *)(ids + 2 * (uintptr_t)pc))
#endif

#if defined(WR_DISPATCH_GOTO)
/* gcc 12 ends in an internal error on vector operations that the processor lacks if the operand's value is alive
 * at every label: they get one that is not. */
#if defined(__aarch64__)
#define VECTOR_CONSTRAINT "+w"
#else
#define VECTOR_CONSTRAINT "+x"
#endif
INLINE v128 v128_apart(v128 v) {
    __asm__("" : VECTOR_CONSTRAINT(v));
    return v;
}
#define VECTOR_REGISTER() v128_apart(v0)

#define FUNCTION_OF(name)                                                                          \
    name:
#define TILE(id) tile_##id:
#define NEXT_AT(index) goto *(void *)HANDLER_AT(index)
#define JUMP(name) goto name
#define ENTRY_OF(name) ((Handler *) && name)
#else
/* Entries of tables are numbers. Going on is always the end of the loop's body. */
#define FUNCTION_OF(name) case CASE_##name:
#define TILE(id) case id:
#define NEXT_AT(index)                                                                             \
    do {                                                                                           \
        number = (u32)(uintptr_t)HANDLER_AT(index);                                                \
        goto next;                                                                                 \
    } while (0)
#define JUMP(name) JUMP_TO(name) /* `name` may be a macro */
#define JUMP_TO(name)                                                                              \
    do {                                                                                           \
        number = CASE_##name;                                                                      \
        goto next;                                                                                 \
    } while (0)
#define ENTRY_OF(name) ((Handler *)(uintptr_t)CASE_##name)
#endif
#endif

#if !defined(SELDOM)
#define SELDOM
#define SELDOM_TILE(id) TILE(id)
#endif
#if !defined(VECTOR_REGISTER)
#define VECTOR_REGISTER() (v0)
#endif

#define SAVE_PC_CHECK() ((void)0)
#define ACCESSED_CHECK() ((void)0)

#define HANDLER(id, state) FUNCTION_OF(h_##id##_##state)
#define HANDLER_AS(id, state, variant) KIND_##variant FUNCTION_OF(h_##id##_##state##_##variant)
/* Byte dispatch has these by default, or in place. */
#define KIND_AHEAD
#define KIND_AHEAD_LONG
#define KIND_PLAIN
#define KIND_CHECK SELDOM
#define KIND_MEM64 SELDOM
#define KIND_POLLED SELDOM
#define KIND_WIDE SELDOM
#define COLD_HANDLER(name) SELDOM FUNCTION_OF(name)

/* Handlers that no table names: X(name) for each. */
#define COLD_HANDLERS(X)                                                                           \
    X(h_TRAP)                                                                                      \
    X(h_STOP)                                                                                      \
    X(h_FAILED)                                                                                    \
    X(h_FAILED_TAIL)                                                                               \
    X(h_UNWIND)                                                                                    \
    X(h_BRANCH)                                                                                    \
    X(h_STRUCT_NEW_SLOW)                                                                           \
    X(h_LOOK)                                                                                      \
    X(h_LOOKED)                                                                                    \
    X(h_TIER)                                                                                      \
    X(h_JUMP_SLOW)                                                                                 \
    X(h_CALL_SLOW)                                                                                 \
    X(h_TAIL_SLOW)                                                                                 \
    X(h_RETURN_SLOW_E)                                                                             \
    X(h_RETURN_SLOW_I)
#define BYTE_COLD_HANDLERS(X)                                                                      \
    COLD_HANDLERS(X) X(h_INVALID_E) X(h_FLUSH_J) X(h_TRACE) X(h_WARM) X(h_WARM_RETURN)
#define SHADOW_COLD_HANDLERS(X)                                                                    \
    COLD_HANDLERS(X) X(h_TAKEN) X(h_COLD) X(h_COLD_RETURN_E) X(h_COLD_RETURN_I)

#endif
