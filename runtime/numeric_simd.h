/*
 * numeric_simd.h - helpers of numeric_simd.def, and num_<ID>() functions made from its rows: pure
 * functions of their operands, as those of numeric.h are for scalars. Apart from it so that only
 * the engines pay for SIMDe's headers.
 *
 * The helpers stand in where SIMDe 0.7.4 errs (on SSE2: min, max, unsigned truncation, q15mulr_sat,
 * all_true of 64-bit lanes), leaves a loop (abs, avgr) or calls the C library (roundings: a call
 * costs a handler its registers).
 * They are lane arithmetic in the compilers' vector extension, so the same on every target. Between
 * targets a result may differ only in which operand's payload a NaN has; computed NaNs are quiet.
 */
#ifndef WR_NUMERIC_SIMD_H
#define WR_NUMERIC_SIMD_H

#include "numeric.h"
#include "vector.h"

typedef u8 VecU8 __attribute__((vector_size(16)));
typedef i8 VecI8 __attribute__((vector_size(16)));
typedef u16 VecU16 __attribute__((vector_size(16)));
typedef i16 VecI16 __attribute__((vector_size(16)));
typedef u32 VecU32 __attribute__((vector_size(16)));
typedef i32 VecI32 __attribute__((vector_size(16)));
typedef u64 VecU64 __attribute__((vector_size(16)));
typedef i64 VecI64 __attribute__((vector_size(16)));

/* The bits of a where those of mask are set, of b elsewhere. */
INLINE v128 v128_select(v128 mask, v128 a, v128 b) { return simde_wasm_v128_bitselect(a, b, mask); }

/* ---- lanes that an immediate chooses ---- */

/* A replacement selects: written to memory lane by lane, the vector could not be read back without
 * a stall. The rest of the arguments: the indices of the lanes. */
#define LANES(shape, type, Vec, Index, index, signed_type, ...)                                    \
    INLINE type shape##_extract(v128 a, u32 lane) { return ((Vec)a)[lane % (16 / sizeof(type))]; } \
    INLINE v128 shape##_replace(v128 a, type x, u32 lane) {                                        \
        v128 here = (v128)((Index){__VA_ARGS__} == (index)lane);                                   \
        return v128_select(here, simde_wasm_##shape##_splat((signed_type)x), a);                   \
    }
LANES(i8x16, u8, VecU8, VecU8, u8, i8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
LANES(i16x8, u16, VecU16, VecU16, u16, i16, 0, 1, 2, 3, 4, 5, 6, 7)
LANES(i32x4, u32, VecU32, VecU32, u32, i32, 0, 1, 2, 3)
LANES(i64x2, u64, VecU64, VecU64, u64, i64, 0, 1)
LANES(f32x4, f32, VecF32, VecU32, u32, f32, 0, 1, 2, 3)
LANES(f64x2, f64, VecF64, VecU64, u64, f64, 0, 1)
#undef LANES

/* lanes: 16 indices into the 32 bytes of a and b. */
INLINE v128 i8x16_shuffle(v128 a, v128 b, const u8 *lanes) {
    if (HAS_BYTE_PERMUTE) {
        v128 in_a = v128_load(lanes), in_b = (v128)((VecU8)in_a - 16);
        return simde_wasm_i8x16_swizzle(a, in_a) | simde_wasm_i8x16_swizzle(b, in_b);
    }
    u8 from[32], to[16];
    v128_store(from, a);
    v128_store(from + 16, b);
    for (u32 i = 0; i < 16; i++) to[i] = from[lanes[i] & 31];
    return v128_load(to);
}

/* ---- integers ---- */

#define ABSOLUTE(shape, Vec, Unsigned)                                                             \
    INLINE v128 shape##_abs(v128 a) {                                                              \
        v128 negative = (v128)((Vec)a < 0);                                                        \
        return (v128)((Unsigned)(a ^ negative) - (Unsigned)negative);                              \
    }
ABSOLUTE(i8x16, VecI8, VecU8)
ABSOLUTE(i16x8, VecI16, VecU16)
ABSOLUTE(i32x4, VecI32, VecU32)
ABSOLUTE(i64x2, VecI64, VecU64)
#undef ABSOLUTE

/* Averages, rounded up, without a carry out of the lane. */
INLINE v128 i8x16_avgr_u(v128 a, v128 b) { return (v128)((VecU8)(a | b) - ((VecU8)(a ^ b) >> 1)); }
INLINE v128 i16x8_avgr_u(v128 a, v128 b) {
    return (v128)((VecU16)(a | b) - ((VecU16)(a ^ b) >> 1));
}

INLINE u32 i64x2_all_true(v128 a) { return ((VecU64)a)[0] != 0 && ((VecU64)a)[1] != 0; }

INLINE v128 i16x8_q15mulr_sat(v128 a, v128 b) {
    v128 half = simde_wasm_i32x4_splat(0x4000);
    v128 low = simde_wasm_i32x4_add(simde_wasm_i32x4_extmul_low_i16x8(a, b), half);
    v128 high = simde_wasm_i32x4_add(simde_wasm_i32x4_extmul_high_i16x8(a, b), half);
    return simde_wasm_i16x8_narrow_i32x4(simde_wasm_i32x4_shr(low, 15),
                                         simde_wasm_i32x4_shr(high, 15));
}

/* Products of neighbouring bytes, added in pairs with saturation: -128 * -128 twice overflows. */
INLINE v128 i16x8_dot_i8x16(v128 a, v128 b) {
    VecI16 even = ((VecI16)((VecU16)a << 8) >> 8) * ((VecI16)((VecU16)b << 8) >> 8);
    VecI16 odd = ((VecI16)a >> 8) * ((VecI16)b >> 8);
    return simde_wasm_i16x8_add_sat((v128)even, (v128)odd);
}

/* ---- floats ---- */

/*
 * sign: the sign bit of a lane.  whole: 2^23 or 2^52; from there on every number is an integer, and
 * adding it to a smaller one rounds that to the nearest integer, ties to even.
 *
 * Minimum and maximum: of equal operands, which may be zeros of different signs, the bits are
 * united or intersected; unordered operands are added, which makes a quiet NaN.
 *
 * Roundings: the sign is put back at the end, since a result of zero has that of the operand;
 * adding zero makes NaNs quiet and leaves what is an integer already.
 */
#define FLOATS(shape, type, Vec, Bits, sign, whole)                                                \
    INLINE v128 shape##_abs(v128 a) { return (v128)((Bits)a & ~(sign)); }                          \
    INLINE v128 shape##_neg(v128 a) { return (v128)((Bits)a ^ (sign)); }                           \
    INLINE v128 shape##_or_nan(v128 a, v128 b, v128 result) {                                      \
        v128 ordered = (v128)((Vec)a == (Vec)a) & (v128)((Vec)b == (Vec)b);                        \
        return v128_select(ordered, result, (v128)((Vec)a + (Vec)b));                              \
    }                                                                                              \
    INLINE v128 shape##_min(v128 a, v128 b) {                                                      \
        v128 equal = (v128)((Vec)a == (Vec)b);                                                     \
        v128 less = v128_select((v128)((Vec)a < (Vec)b), a, b);                                    \
        return shape##_or_nan(a, b, less | (equal & a));                                           \
    }                                                                                              \
    INLINE v128 shape##_max(v128 a, v128 b) {                                                      \
        v128 equal = (v128)((Vec)a == (Vec)b);                                                     \
        v128 greater = v128_select((v128)((Vec)a > (Vec)b), a, b);                                 \
        return shape##_or_nan(a, b, greater & ~(equal & ~a));                                      \
    }                                                                                              \
    /* 1 in the lanes of the mask, else 0 */                                                       \
    INLINE Vec shape##_ones(v128 mask) {                                                           \
        return (Vec)(mask & simde_wasm_##shape##_splat((type)1));                                  \
    }                                                                                              \
    INLINE v128 shape##_with_sign(Vec x, v128 from) {                                              \
        return (v128)x | (v128)((Bits)from & (sign));                                              \
    }                                                                                              \
    INLINE v128 shape##_nearest(v128 a) {                                                          \
        Vec magnitude = (Vec)shape##_abs(a), near = (magnitude + (whole)) - (whole);               \
        v128 small = (v128)(magnitude < (whole));                                                  \
        return v128_select(small, shape##_with_sign(near, a), (v128)((Vec)a + (Vec){0}));          \
    }                                                                                              \
    INLINE v128 shape##_floor(v128 a) {                                                            \
        Vec near = (Vec)shape##_nearest(a);                                                        \
        return shape##_with_sign(near - shape##_ones((v128)(near > (Vec)a)), a);                   \
    }                                                                                              \
    INLINE v128 shape##_ceil(v128 a) {                                                             \
        Vec near = (Vec)shape##_nearest(a);                                                        \
        return shape##_with_sign(near + shape##_ones((v128)(near < (Vec)a)), a);                   \
    }                                                                                              \
    INLINE v128 shape##_trunc(v128 a) {                                                            \
        return shape##_with_sign((Vec)shape##_floor(shape##_abs(a)), a);                           \
    }
FLOATS(f32x4, f32, VecF32, VecU32, 0x80000000u, 8388608.0f)
FLOATS(f64x2, f64, VecF64, VecU64, 0x8000000000000000u, 4503599627370496.0)
#undef FLOATS

/* ---- truncations with saturation ---- */

/* What a NaN becomes on the way is of no account: the integer result is cleared at the end. (Not
 * the operand, by `a > 0 ? a : 0`: compilers make of it a maximum that lets a signalling NaN through.) */

/* The upper half of the range is moved to that of signed numbers, which saturate themselves. */
INLINE v128 i32x4_trunc_sat_f32x4_u(v128 a) {
    v128 high = (v128)((VecF32)a >= 2147483648.0f);
    VecF32 moved = (VecF32)a - (VecF32)(high & simde_wasm_f32x4_splat(2147483648.0f));
    v128 low_bits = simde_wasm_i32x4_trunc_sat_f32x4((v128)moved);
    v128 all_bits = low_bits ^ (high & simde_wasm_i32x4_splat(INT32_MIN));
    return all_bits & (v128)((VecF32)a > 0.0f);
}

/* The low halves of two lanes, and zeros. */
INLINE v128 i32x4_even_lanes(v128 a) {
    return (v128)__builtin_shufflevector((VecU32)a, (VecU32){0}, 0, 2, 4, 4);
}

/* An integer of magnitude below 2^51, plus 3 * 2^51, has its two's complement in the low bits. */
INLINE v128 low_bits_of_whole_f64x2(v128 a) { return (v128)((VecF64)a + 6755399441055744.0); }

INLINE v128 i32x4_trunc_sat_f64x2_s_zero(v128 a) {
    v128 low = simde_wasm_f64x2_splat(-2147483648.0), high = simde_wasm_f64x2_splat(2147483647.0);
    v128 clamped = simde_wasm_f64x2_pmin(simde_wasm_f64x2_pmax(a, low), high);
    v128 bits = low_bits_of_whole_f64x2(f64x2_trunc(clamped));
    return i32x4_even_lanes(bits & (v128)((VecF64)a == (VecF64)a));
}
INLINE v128 i32x4_trunc_sat_f64x2_u_zero(v128 a) {
    v128 clamped = simde_wasm_f64x2_pmin(a, simde_wasm_f64x2_splat(4294967295.0));
    v128 bits = low_bits_of_whole_f64x2(f64x2_floor(clamped));
    return i32x4_even_lanes(bits & (v128)((VecF64)a > 0.0));
}

/* ---- the table's functions ---- */

#define UN(id, R, A, expression)                                                                   \
    INLINE R num_##id(A a) { return (R)(expression); }
#define BIN(id, R, A, B, expression)                                                               \
    INLINE R num_##id(A a, B b) { return (R)(expression); }
#define TER(id, R, A, B, C, expression)                                                            \
    INLINE R num_##id(A a, B b, C c) { return (R)(expression); }
#define LANE_UN(id, R, A, expression)                                                              \
    INLINE R num_##id(A a, u32 lane) { return (R)(expression); }
#define LANE_BIN(id, R, A, B, expression)                                                          \
    INLINE R num_##id(A a, B b, u32 lane) { return (R)(expression); }
#define LANES_BIN(id, R, A, B, expression)                                                         \
    INLINE R num_##id(A a, B b, const u8 *lanes) { return (R)(expression); }
#include "numeric_simd.def"
#undef UN
#undef BIN
#undef TER
#undef LANE_UN
#undef LANE_BIN
#undef LANES_BIN

#endif
