/*
 * switch_x86_64.S - switch.h for x86-64, System V calling convention.
 */
#include "switch.h"
#if defined(__x86_64__) && defined(__linux__)

/* The six registers that functions preserve, and Native.host_sp of the activation around this one: 64 bytes with the
 * return address, so that the host stack stays aligned. The native is then in rbx. */
.macro ENTER
    .cfi_startproc
    pushq   %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset rbp, -16
    movq    %rsp, %rbp
    .cfi_def_cfa_register rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    pushq   NATIVE_HOST_SP(%rdi)
    movq    %rdi, %rbx
    movq    %rsp, NATIVE_HOST_SP(%rdi)
.endm

/* Where a helper was called that does not return, to Native.left: the return address is on the stack. rdi native */
.macro CAPTURE
    movq    (%rsp), %rcx
    movq    %rcx, NATIVE_LEFT_PC(%rdi)
    leaq    8(%rsp), %rcx
    movq    %rcx, NATIVE_LEFT_SP(%rdi)
    movq    %rbx, NATIVE_LEFT_SAVED(%rdi)
    movq    %rbp, NATIVE_LEFT_SAVED + 8(%rdi)
    movq    %r12, NATIVE_LEFT_SAVED + 16(%rdi)
    movq    %r13, NATIVE_LEFT_SAVED + 24(%rdi)
    movq    %r14, NATIVE_LEFT_SAVED + 32(%rdi)
    movq    %r15, NATIVE_LEFT_SAVED + 40(%rdi)
.endm

.macro FUNCTION name
    .globl  \name
    .hidden \name
    .type   \name, @function
    .p2align 4
\name:
.endm

    .text
    .hidden wr_native_find_pad
    .hidden wr_native_stop_behind

/* rdi native, rsi entry, rdx context, rcx code, r8 slots, r9 top */
FUNCTION wr_switch_enter
    ENTER
    movq    %r9, %rsp
    movq    %rsi, %rax
    movq    %rdx, %rdi
    movq    %rcx, %rsi
    movq    %r8, %rdx
    callq   *%rax
    xorl    %eax, %eax
.Lleave: /* rbx native, eax how */
    movq    NATIVE_HOST_SP(%rbx), %rsp
    .cfi_def_cfa rsp, 64
    popq    NATIVE_HOST_SP(%rbx)
    .cfi_adjust_cfa_offset -8
    popq    %r15
    .cfi_adjust_cfa_offset -8
    popq    %r14
    .cfi_adjust_cfa_offset -8
    popq    %r13
    .cfi_adjust_cfa_offset -8
    popq    %r12
    .cfi_adjust_cfa_offset -8
    popq    %rbx
    .cfi_adjust_cfa_offset -8
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size   wr_switch_enter, . - wr_switch_enter

/* rdi native, rsi what */
FUNCTION wr_switch_land
    ENTER
.Lland:
    movl    %esi, %eax /* a landing pad takes the exception, and which clause is meant */
    movq    %rsi, %rdx
    shrq    $32, %rdx
    movq    NATIVE_LEFT_PC(%rdi), %rcx
    movq    NATIVE_LEFT_SP(%rdi), %rsp
    movq    NATIVE_LEFT_SAVED(%rdi), %rbx
    movq    NATIVE_LEFT_SAVED + 8(%rdi), %rbp
    movq    NATIVE_LEFT_SAVED + 16(%rdi), %r12
    movq    NATIVE_LEFT_SAVED + 24(%rdi), %r13
    movq    NATIVE_LEFT_SAVED + 32(%rdi), %r14
    movq    NATIVE_LEFT_SAVED + 40(%rdi), %r15
    jmpq    *%rcx
    .cfi_endproc
    .size   wr_switch_land, . - wr_switch_land

/* rdi native, esi how */
FUNCTION wr_switch_leave
    .cfi_startproc
    .cfi_undefined rip
    movq    %rdi, %rbx
    movl    %esi, %eax
    jmp     .Lleave
    .cfi_endproc
    .size   wr_switch_leave, . - wr_switch_leave

/* ---- helpers that do not come back ---- */

/* rdi native, esi code, edx offset */
FUNCTION wr_switch_TRAP
    .cfi_startproc
    movl    %esi, NATIVE_TRAP_CODE(%rdi)
    movl    %edx, NATIVE_TRAP_OFFSET(%rdi)
    movl    $LEFT_TRAPPED, %eax
    jmp     .Lcapture
    .cfi_endproc
    .size   wr_switch_TRAP, . - wr_switch_TRAP

/* rdi native, esi offset */
FUNCTION wr_switch_RAISE
    .cfi_startproc
    movl    %esi, NATIVE_TRAP_OFFSET(%rdi)
    movl    $LEFT_RAISED, %eax
.Lcapture: /* rdi native, eax how */
    CAPTURE
    movq    %rdi, %rbx
    jmp     .Lleave
    .cfi_endproc
    .size   wr_switch_RAISE, . - wr_switch_RAISE

/* rdi native, esi exception, edx offset. Goes on at the landing pad, if there is one. */
FUNCTION wr_switch_THROW
    .cfi_startproc
    movl    %edx, NATIVE_TRAP_OFFSET(%rdi)
    movl    %esi, NATIVE_THROWN(%rdi)
    CAPTURE
    movq    %rdi, %rbx
    movq    NATIVE_HOST_SP(%rdi), %rsp
    .cfi_escape 0x0f, 3, 0x73, NATIVE_LEFT_SP, 0x06 /* CFA = *(rbx + NATIVE_LEFT_SP) */
    .cfi_escape 0x10, 3, 3, 0x73, NATIVE_LEFT_SAVED + 128, 0x00 /* rbx is at rbx + NATIVE_LEFT_SAVED */
    callq   wr_native_find_pad
    movq    %rbx, %rdi
    movq    %rax, %rsi
    testq   %rax, %rax
    jne     .Lland
    movl    $LEFT_THREW, %eax
    jmp     .Lleave
    .cfi_endproc
    .size   wr_switch_THROW, . - wr_switch_THROW

/* rdi native */
FUNCTION wr_switch_SPILLED
    .cfi_startproc
    movl    $LEFT_SPILLED, %eax
    jmp     .Lcapture
    .cfi_endproc
    .size   wr_switch_SPILLED, . - wr_switch_SPILLED

/* ---- helpers in C: the seventh parameter is on the stack, there is no eighth ---- */

/* r10 native, r11 function */
FUNCTION wr_switch_helper
    .cfi_startproc
    .cfi_signal_frame /* or debuggers wonder at the order of the stacks */
    movq    %rsp, %rax
    .cfi_def_cfa rax, 8
    movq    NATIVE_HOST_SP(%r10), %rsp
    pushq   %r10
    pushq   %rax
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, NATIVE_EXIT(%r10)
    pushq   8(%rax)
    pushq   8(%rax)
    .cfi_escape 0x0f, 6, 0x77, 0xc0, 0x00, 0x06, 0x23, 0x08 /* CFA = *(rsp + 64) + 8 */
    callq   *%r11
    movq    72(%rsp), %rdi
    movq    NATIVE_INTERRUPT(%rdi), %rcx
    testb   $ASKED, (%rcx)
    jne     .Lasked
.Lback:
    movq    64(%rsp), %rsp
    .cfi_remember_state
    .cfi_def_cfa rsp, 8
    ret
    .cfi_restore_state
.Lasked: /* rdi native, rax what the helper returns */
    movq    %rax, (%rsp)
    callq   wr_native_stop_behind
    movl    %eax, %ecx
    movq    (%rsp), %rax
    testl   %ecx, %ecx
    je      .Lback
    movq    72(%rsp), %rbx
    movl    %ecx, %eax
    jmp     .Lleave
    .cfi_endproc
    .size   wr_switch_helper, . - wr_switch_helper

#define HELPER(id, function, signature, flags)                                                     \
    .if ((flags) & NORETURN) == 0;                                                                 \
    FUNCTION wr_switch_##id;                                                                       \
    .hidden function;                                                                              \
    .if (flags) & ON_NATIVE;                                                                       \
    movq %rdi, %r10;                                                                               \
    .else;                                                                                         \
    movq INSTANCE_NATIVE(%rdi), %r10;                                                              \
    .endif;                                                                                        \
    leaq function(%rip), %r11;                                                                     \
    jmp wr_switch_helper;                                                                          \
    .size wr_switch_##id, . - wr_switch_##id;                                                      \
    .endif
#include "helpers.def"

#endif
    .section .note.GNU-stack, "", @progbits
