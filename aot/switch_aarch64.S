/*
 * switch_aarch64.S - switch.h for 64-bit Arm, AAPCS64.
 */
#include "switch.h"
#if defined(__aarch64__) && defined(__linux__)

/* x19 to x30, d8 to d15 as pairs, from `at` on: 160 bytes. */
.macro PAIRS op, base, at
    \op x19, x20, [\base, #\at]
    \op x21, x22, [\base, #\at + 16]
    \op x23, x24, [\base, #\at + 32]
    \op x25, x26, [\base, #\at + 48]
    \op x27, x28, [\base, #\at + 64]
    \op x29, x30, [\base, #\at + 80]
    \op d8, d9, [\base, #\at + 96]
    \op d10, d11, [\base, #\at + 112]
    \op d12, d13, [\base, #\at + 128]
    \op d14, d15, [\base, #\at + 144]
.endm

/* Where they are, relative to the canonical frame address. */
.macro CFI_PAIRS
    .cfi_offset x19, -176
    .cfi_offset x20, -168
    .cfi_offset x21, -160
    .cfi_offset x22, -152
    .cfi_offset x23, -144
    .cfi_offset x24, -136
    .cfi_offset x25, -128
    .cfi_offset x26, -120
    .cfi_offset x27, -112
    .cfi_offset x28, -104
    .cfi_offset x29, -96
    .cfi_offset x30, -88
    .cfi_offset d8, -80
    .cfi_offset d9, -72
    .cfi_offset d10, -64
    .cfi_offset d11, -56
    .cfi_offset d12, -48
    .cfi_offset d13, -40
    .cfi_offset d14, -32
    .cfi_offset d15, -24
.endm

/* All registers that functions preserve, and Native.host_sp of the activation around this one. The frame pointer is
 * the frame, the native is in x19. */
.macro ENTER
    .cfi_startproc
    sub     sp, sp, #176
    .cfi_def_cfa_offset 176
    PAIRS   stp, sp, 0
    CFI_PAIRS
    mov     x29, sp
    .cfi_def_cfa_register x29
    ldr     x9, [x0, #NATIVE_HOST_SP]
    str     x9, [sp, #160]
    str     x29, [x0, #NATIVE_HOST_SP]
    mov     x19, x0
.endm

/* Where a helper was called that does not return, to Native.left. x0 native */
.macro CAPTURE
    str     x30, [x0, #NATIVE_LEFT_PC]
    mov     x10, sp
    str     x10, [x0, #NATIVE_LEFT_SP]
    PAIRS   stp, x0, NATIVE_LEFT_SAVED
.endm

.macro FUNCTION name
    .globl  \name
    .hidden \name
    .type   \name, %function
    .p2align 4
\name:
.endm

    .text
    .hidden wr_native_find_pad
    .hidden wr_native_stop_behind

/* x0 native, x1 entry, x2 context, x3 code, x4 slots, x5 top */
FUNCTION wr_switch_enter
    ENTER
    mov     sp, x5
    mov     x9, x1
    mov     x0, x2
    mov     x1, x3
    mov     x2, x4
    blr     x9
    mov     w0, #LEFT_RETURNED
.Lleave: /* x19 native, w0 how */
    ldr     x9, [x19, #NATIVE_HOST_SP]
    mov     sp, x9
    .cfi_def_cfa sp, 176
    ldr     x9, [sp, #160]
    str     x9, [x19, #NATIVE_HOST_SP]
    PAIRS   ldp, sp, 0
    add     sp, sp, #176
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size   wr_switch_enter, . - wr_switch_enter

/* x0 native, x1 exception */
FUNCTION wr_switch_land
    ENTER
.Lland:
    mov     x9, x0
    ldr     x10, [x9, #NATIVE_LEFT_PC]
    ldr     x11, [x9, #NATIVE_LEFT_SP]
    mov     sp, x11
    PAIRS   ldp, x9, NATIVE_LEFT_SAVED
    mov     w0, w1 /* a landing pad takes the exception, and which clause is meant */
    lsr     x1, x1, #32
    br      x10
    .cfi_endproc
    .size   wr_switch_land, . - wr_switch_land

/* x0 native, w1 how */
FUNCTION wr_switch_leave
    .cfi_startproc
    .cfi_undefined x30
    mov     x19, x0
    mov     w0, w1
    b       .Lleave
    .cfi_endproc
    .size   wr_switch_leave, . - wr_switch_leave

/* ---- helpers that do not come back ---- */

/* x0 native, w1 code, w2 offset */
FUNCTION wr_switch_TRAP
    .cfi_startproc
    str     w1, [x0, #NATIVE_TRAP_CODE]
    str     w2, [x0, #NATIVE_TRAP_OFFSET]
    mov     w9, #LEFT_TRAPPED
    b       .Lcapture
    .cfi_endproc
    .size   wr_switch_TRAP, . - wr_switch_TRAP

/* x0 native, w1 offset */
FUNCTION wr_switch_RAISE
    .cfi_startproc
    str     w1, [x0, #NATIVE_TRAP_OFFSET]
    mov     w9, #LEFT_RAISED
.Lcapture: /* x0 native, w9 how */
    CAPTURE
    mov     x19, x0
    mov     w0, w9
    b       .Lleave
    .cfi_endproc
    .size   wr_switch_RAISE, . - wr_switch_RAISE

/* x0 native, w1 exception, w2 offset. Goes on at the landing pad, if there is one. */
FUNCTION wr_switch_THROW
    .cfi_startproc
    str     w2, [x0, #NATIVE_TRAP_OFFSET]
    str     w1, [x0, #NATIVE_THROWN]
    CAPTURE
    mov     x19, x0
    ldr     x9, [x0, #NATIVE_HOST_SP]
    mov     sp, x9
    .cfi_escape 0x0f, 3, 0x83, NATIVE_LEFT_SP, 0x06 /* CFA = *(x19 + NATIVE_LEFT_SP) */
    .cfi_escape 0x10, 30, 2, 0x83, NATIVE_LEFT_PC /* x30 is at x19 + NATIVE_LEFT_PC */
    .cfi_escape 0x10, 19, 3, 0x83, NATIVE_LEFT_SAVED + 128, 0x00 /* x19 at x19 + NATIVE_LEFT_SAVED */
    bl      wr_native_find_pad
    mov     x1, x0
    mov     x0, x19
    cbnz    x1, .Lland
    mov     w0, #LEFT_THREW
    b       .Lleave
    .cfi_endproc
    .size   wr_switch_THROW, . - wr_switch_THROW

/* x0 native */
FUNCTION wr_switch_SPILLED
    .cfi_startproc
    mov     w9, #LEFT_SPILLED
    b       .Lcapture
    .cfi_endproc
    .size   wr_switch_SPILLED, . - wr_switch_SPILLED

/* ---- helpers in C: all their parameters are in registers ---- */

/* x16 native, x17 function */
FUNCTION wr_switch_helper
    .cfi_startproc
    .cfi_signal_frame /* or debuggers wonder at the order of the stacks */
    mov     x15, sp
    .cfi_def_cfa x15, 0
    ldr     x14, [x16, #NATIVE_HOST_SP]
    sub     sp, x14, #176
    PAIRS   stp, sp, 0
    str     x15, [sp, #160]
    str     x16, [sp, #168]
    mov     x14, sp
    str     x14, [x16, #NATIVE_EXIT]
    .cfi_escape 0x0f, 4, 0x8f, 0xa0, 0x01, 0x06 /* CFA = *(sp + 160) */
    .cfi_escape 0x10, 30, 3, 0x8f, 0xd8, 0x00         /* x30 is at sp + 88 */
    blr     x17
    ldr     x16, [sp, #168]
    ldr     x14, [x16, #NATIVE_INTERRUPT]
    ldrb    w14, [x14]
    tst     w14, #ASKED
    b.ne    .Lasked
.Lback:
    ldr     x30, [sp, #88]
    ldr     x15, [sp, #160]
    mov     sp, x15
    .cfi_remember_state
    .cfi_def_cfa sp, 0
    .cfi_restore x30
    ret
    .cfi_restore_state
.Lasked: /* x16 native, x0 what the helper returns */
    mov     x19, x16
    mov     x20, x0
    mov     x0, x16
    bl      wr_native_stop_behind
    cbnz    w0, .Lleave
    mov     x0, x20
    ldp     x19, x20, [sp]
    b       .Lback
    .cfi_endproc
    .size   wr_switch_helper, . - wr_switch_helper

#define HELPER(id, function, signature, flags)                                                     \
    .if ((flags) & NORETURN) == 0;                                                                 \
    FUNCTION wr_switch_##id;                                                                       \
    .hidden function;                                                                              \
    .if (flags) & ON_NATIVE;                                                                       \
    mov x16, x0;                                                                                   \
    .else;                                                                                         \
    ldr x16, [x0, INSTANCE_NATIVE];                                                               \
    .endif;                                                                                        \
    adrp x17, function;                                                                            \
    add x17, x17, :lo12:function;                                                                  \
    b wr_switch_helper;                                                                            \
    .size wr_switch_##id, . - wr_switch_##id;                                                      \
    .endif
#include "helpers.def"

#endif
    .section .note.GNU-stack, "", %progbits
