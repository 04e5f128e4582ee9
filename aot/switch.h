/*
 * switch.h - changing stacks, and leaving compiled code (switch_x86_64.S, switch_aarch64.S; switch.c
 * where there is no such code). Compiled code runs on the native stack of its store; helpers, and all that they call,
 * on the stack from which it was entered, below the frame of wr_switch_enter():
 *
 *     host stack     ... call() | wr_switch_enter | [ NativeExit | helper ... ]
 *     native stack   [ outer activations | entry thunk | f | g ]
 *
 * However compiled code is left, wr_switch_enter() returns: no frame of C is ever passed over. What it left
 * behind on the native stack stays as it is until it is entered again, so it can be walked, and gone on with.
 */
#ifndef WR_SWITCH_H
#define WR_SWITCH_H

/* How wr_switch_enter() and wr_switch_land() came back. In the other cases Native.left says where it was. */
#define LEFT_RETURNED 0
#define LEFT_TRAPPED 1 /* Native.trap_code, trap_offset */
#define LEFT_RAISED 2  /* Native.pending, trap_offset */
#define LEFT_THREW 3   /* Native.thrown, trap_offset */
#define LEFT_FAULTED 4 /* Native.trap_code */
#define LEFT_SPILLED 5 /* a frame has been written down (spill.h) */

/* Offsets that the assembly relies on; native.c compares them with the structures. */
#define INSTANCE_NATIVE 80 /* Instance.native */
#define NATIVE_INTERRUPT 8
#define NATIVE_HOST_SP 16
#define NATIVE_EXIT 24
#define NATIVE_TRAP_CODE 32
#define NATIVE_TRAP_OFFSET 36
#define NATIVE_THROWN 40
#define NATIVE_LEFT_PC 48
#define NATIVE_LEFT_SP 56
#define NATIVE_LEFT_SAVED 64

#define ASKED 3 /* POLL_ASKED */

/* Flags of helpers.def. */
#define LEAF 1
#define NORETURN 2
#define ON_NATIVE 4

#if !defined(__ASSEMBLER__)
#include "native.h"

/* On the host stack, above a helper's frame: what compiled code had in registers, and its stack pointer. */
struct NativeExit {
#if defined(__aarch64__)
    u64 saved[20];
#else
    u64 saved[6]; /* r15 first */
#endif
    u64 sp;
    Native *native;
};

/* Whether there is code for this machine. */
bool wr_switch_supported(void);
/* Calls the entry thunk with the three arguments on the native stack, whose top is given (16-byte aligned). */
u32 wr_switch_enter(Native *native, const void *entry, void *context, const void *code, Slot *slots,
                    void *top);
/* Goes on at Native.left, a landing pad, which takes `what`: 32 bits and, above them, which kind it is. */
u32 wr_switch_land(Native *native, u64 what);
/* For what is thrown where Native.left says: makes that the landing pad, and returns what it takes, as above. 0: there is
 * none in this activation, which has to be left. */
u64 wr_native_find_pad(Native *native);
/* A helper returns, and Store.interrupt asks for something: how compiled code is left instead, as above, or 0. */
u32 wr_native_stop_behind(Native *native);
/* Where compiled code was when it called the helper. */
void wr_switch_registers(const NativeExit *exit, NativeRegisters *out);
/* For a thread that a fault handler puts here: leaves. void (Native *, u32 how) */
void wr_switch_leave(void);
/* What Native.helpers is filled with. */
extern void *const wr_switch_helpers[NATIVE_HELPERS];

#endif
#endif
