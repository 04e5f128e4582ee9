/*
 * numeric.h - helpers of numeric.def, and num_<ID>() functions made from its rows: pure functions of
 * their operands. num_<ID>(a, ...) gives the result; a trapping one takes a last `out` and returns the
 * trap. Floating point follows IEEE 754 with default rounding; NaN results are quiet.
 */
#ifndef WR_NUMERIC_H
#define WR_NUMERIC_H

#include "base.h"
#include "wasmrun.h"

INLINE u32 bits_of_f32(f32 x) {
    u32 u;
    memcpy(&u, &x, sizeof u);
    return u;
}
INLINE f32 f32_of_bits(u32 u) {
    f32 x;
    memcpy(&x, &u, sizeof x);
    return x;
}
INLINE u64 bits_of_f64(f64 x) {
    u64 u;
    memcpy(&u, &x, sizeof u);
    return u;
}
INLINE f64 f64_of_bits(u64 u) {
    f64 x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* ---- integers (spec: exec/numerics, idiv and irem) ---- */

INLINE wr_trap_code_t i32_div_u(u32 a, u32 b, u32 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    *out = a / b;
    return WR_TRAP_NONE;
}
INLINE wr_trap_code_t i32_rem_u(u32 a, u32 b, u32 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    *out = a % b;
    return WR_TRAP_NONE;
}
INLINE wr_trap_code_t i32_div_s(u32 a, u32 b, u32 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    if (UNLIKELY(a == 0x80000000u && b == UINT32_MAX)) return WR_TRAP_INTEGER_OVERFLOW;
    *out = (u32)((i32)a / (i32)b);
    return WR_TRAP_NONE;
}
INLINE wr_trap_code_t i32_rem_s(u32 a, u32 b, u32 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    *out = b == UINT32_MAX ? 0 : (u32)((i32)a % (i32)b);
    return WR_TRAP_NONE;
}
INLINE wr_trap_code_t i64_div_u(u64 a, u64 b, u64 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    *out = a / b;
    return WR_TRAP_NONE;
}
INLINE wr_trap_code_t i64_rem_u(u64 a, u64 b, u64 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    *out = a % b;
    return WR_TRAP_NONE;
}
INLINE wr_trap_code_t i64_div_s(u64 a, u64 b, u64 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    if (UNLIKELY(a == 0x8000000000000000u && b == UINT64_MAX)) return WR_TRAP_INTEGER_OVERFLOW;
    *out = (u64)((i64)a / (i64)b);
    return WR_TRAP_NONE;
}
INLINE wr_trap_code_t i64_rem_s(u64 a, u64 b, u64 *out) {
    if (UNLIKELY(b == 0)) return WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    *out = b == UINT64_MAX ? 0 : (u64)((i64)a % (i64)b);
    return WR_TRAP_NONE;
}

/* ---- 128-bit integers (wide arithmetic) ---- */

typedef unsigned __int128 U128;
typedef __int128 I128;

INLINE U128 u128_of(u64 low, u64 high) { return (U128)high << 64 | low; }
INLINE U128 u128_product_u(u64 a, u64 b) { return (U128)a * b; }
INLINE U128 u128_product_s(u64 a, u64 b) { return (U128)((I128)(i64)a * (i64)b); }

/* ---- floats ---- */

/* The C library's rounding functions may pass a signalling NaN through: make it quiet. */
INLINE f32 f32_quiet(f32 x) {
    return UNLIKELY(x != x) ? f32_of_bits(bits_of_f32(x) | 0x400000u) : x;
}
INLINE f64 f64_quiet(f64 x) {
    return UNLIKELY(x != x) ? f64_of_bits(bits_of_f64(x) | 0x8000000000000u) : x;
}
INLINE f32 f32_nearest(f32 x) { return f32_quiet(__builtin_rintf(x)); }
INLINE f64 f64_nearest(f64 x) { return f64_quiet(__builtin_rint(x)); }

/* fmin and fmax of the spec: a NaN operand wins (made quiet by the addition), and -0 < +0. */
INLINE f32 f32_min(f32 a, f32 b) {
    if (UNLIKELY(a != a || b != b)) return a + b;
    if (a == b) return f32_of_bits(bits_of_f32(a) | bits_of_f32(b));
    return a < b ? a : b;
}
INLINE f32 f32_max(f32 a, f32 b) {
    if (UNLIKELY(a != a || b != b)) return a + b;
    if (a == b) return f32_of_bits(bits_of_f32(a) & bits_of_f32(b));
    return a > b ? a : b;
}
INLINE f64 f64_min(f64 a, f64 b) {
    if (UNLIKELY(a != a || b != b)) return a + b;
    if (a == b) return f64_of_bits(bits_of_f64(a) | bits_of_f64(b));
    return a < b ? a : b;
}
INLINE f64 f64_max(f64 a, f64 b) {
    if (UNLIKELY(a != a || b != b)) return a + b;
    if (a == b) return f64_of_bits(bits_of_f64(a) & bits_of_f64(b));
    return a > b ? a : b;
}

/* ---- truncations: f32 operands are widened first, which is exact ---- */

#define TRUNC(name, type, result, low, high)                                                       \
    INLINE wr_trap_code_t name(f64 x, result *out) {                                               \
        if (LIKELY(x > low && x < high)) {                                                         \
            *out = (result)(type)x;                                                                \
            return WR_TRAP_NONE;                                                                   \
        }                                                                                          \
        return x != x ? WR_TRAP_INVALID_CONVERSION_TO_INTEGER : WR_TRAP_INTEGER_OVERFLOW;          \
    }                                                                                              \
    INLINE result name##_clamped(f64 x, result below, result above) {                              \
        if (LIKELY(x > low && x < high)) return (result)(type)x;                                   \
        return x != x ? 0 : x < 0 ? below : above;                                                 \
    }
TRUNC(i32_trunc_s, i32, u32, -2147483649.0, 2147483648.0)
TRUNC(i32_trunc_u, u32, u32, -1.0, 4294967296.0)
/* -2^63 itself is in range, and its neighbour below is no double greater than -2^63 - 1 */
TRUNC(i64_trunc_s, i64, u64, -9223372036854777856.0, 9223372036854775808.0)
TRUNC(i64_trunc_u, u64, u64, -1.0, 18446744073709551616.0)
#undef TRUNC
INLINE u32 i32_trunc_sat_s(f64 x) { return i32_trunc_s_clamped(x, 0x80000000u, 0x7FFFFFFFu); }
INLINE u32 i32_trunc_sat_u(f64 x) { return i32_trunc_u_clamped(x, 0, UINT32_MAX); }
INLINE u64 i64_trunc_sat_s(f64 x) {
    return i64_trunc_s_clamped(x, 0x8000000000000000u, 0x7FFFFFFFFFFFFFFFu);
}
INLINE u64 i64_trunc_sat_u(f64 x) { return i64_trunc_u_clamped(x, 0, UINT64_MAX); }

/* ---- the table's functions ---- */

#define UN(id, R, A, expression)                                                                   \
    INLINE R num_##id(A a) { return (R)(expression); }
#define BIN(id, R, A, B, expression)                                                               \
    INLINE R num_##id(A a, B b) { return (R)(expression); }
#define TER(id, R, A, B, C, expression)                                                            \
    INLINE R num_##id(A a, B b, C c) { return (R)(expression); }
#define TRAP_UN(id, R, A, expression)                                                              \
    INLINE wr_trap_code_t num_##id(A a, R *out) { return expression; }
#define TRAP_BIN(id, R, A, B, expression)                                                          \
    INLINE wr_trap_code_t num_##id(A a, B b, R *out) { return expression; }
#include "numeric.def"
#undef UN
#undef BIN
#undef TER
#undef TRAP_UN
#undef TRAP_BIN

#endif
