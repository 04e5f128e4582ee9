/*
 * setjmp.c - what clang calls for setjmp.h's functions.
 */
#include "setjmp.h"

typedef __typeof__(*(jmp_buf *)0) Buffer;

void __wasm_setjmp(void *buffer, unsigned label, void *invocation) {
    Buffer *b = buffer;
    (*b)[0].label = label;
    (*b)[0].invocation = invocation;
}

/* The label of the call that the jump goes to, if it was in this invocation; else 0. */
unsigned __wasm_setjmp_test(void *buffer, void *invocation) {
    Buffer *b = buffer;
    return (*b)[0].invocation == invocation ? (*b)[0].label : 0;
}

/* Caught by whoever has called setjmp; tag 1 is the compiler's for this. */
void __wasm_longjmp(void *buffer, int value) {
    Buffer *b = buffer;
    (*b)[0].thrown.buffer = buffer;
    (*b)[0].thrown.value = value ? value : 1;
    __builtin_wasm_throw(1, &(*b)[0].thrown);
}
