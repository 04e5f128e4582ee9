/*
 * setjmp for clang's lowering to WebAssembly exceptions (-mllvm -wasm-enable-sjlj), which Debian's wasi-libc
 * has not. The compiler makes calls of the functions in setjmp.c out of setjmp() and longjmp().
 */
#ifndef WASMRUN_TESTS_SETJMP_SHIM_H
#define WASMRUN_TESTS_SETJMP_SHIM_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    void *invocation; /* of the function that called setjmp */
    unsigned label;   /* which call of it */
    struct {
        void *buffer;
        int value;
    } thrown;
} jmp_buf[1];

int setjmp(jmp_buf) __attribute__((returns_twice));
void longjmp(jmp_buf, int) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
