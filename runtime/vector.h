/*
 * vector.h - v128 values, on SIMDe's portable WebAssembly intrinsics (SSE, NEON, or plain C).
 * Lane 0 is the low half; a v128 in memory is 16 little-endian bytes at any alignment.
 */
#ifndef WR_VECTOR_H
#define WR_VECTOR_H

#include "racy.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"

/* SIMDe asks for some loops to be vectorized that cannot be, of which clang would warn. */
#include <simde/simde-common.h>
#undef SIMDE_VECTORIZE
#define SIMDE_VECTORIZE
#include <simde/wasm/simd128.h>
#pragma GCC diagnostic pop

typedef simde_v128_t v128;

INLINE v128 v128_load(const void *p) { return simde_wasm_v128_load(p); }
INLINE void v128_store(void *p, v128 v) { simde_wasm_v128_store(p, v); }
/* In guest memory: see racy.h. 4 or 8 bytes at p are the low lane, the rest is zero. */
RACY v128 racy_load_v128(const void *p) { return simde_wasm_v128_load(p); }
RACY void racy_store_v128(void *p, v128 v) { simde_wasm_v128_store(p, v); }
INLINE v128 racy_load32_v128(const void *p) {
    return simde_wasm_i32x4_make((i32)racy_load32(p), 0, 0, 0);
}
INLINE v128 racy_load64_v128(const void *p) {
    return simde_wasm_i64x2_make((i64)racy_load64(p), 0);
}
INLINE v128 v128_zero(void) { return simde_wasm_i64x2_const(0, 0); }

/* A scalar float in the low half; the rest is not defined. */
typedef f32 VecF32 __attribute__((vector_size(16)));
typedef f64 VecF64 __attribute__((vector_size(16)));
INLINE f32 v128_f32(v128 v) { return ((VecF32)v)[0]; }
INLINE f64 v128_f64(v128 v) { return ((VecF64)v)[0]; }
INLINE v128 v128_of_f32(f32 x) {
    VecF32 v = {x};
    return (v128)__builtin_shufflevector(v, v, 0, -1, -1, -1);
}
INLINE v128 v128_of_f64(f64 x) {
    VecF64 v = {x};
    return (v128)__builtin_shufflevector(v, v, 0, -1);
}

#endif
