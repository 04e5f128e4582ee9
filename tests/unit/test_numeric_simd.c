/*
 * test_numeric_simd.c - every vector instruction of numeric_simd.def against scalar C, lane by
 * lane, on operands drawn from edge cases and from random bits. References for floats are numeric.def's
 * scalar functions and plain C.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "numeric_simd.h"
#include "operands.h"

typedef union Lanes {
    u8 u8[16];
    i8 i8[16];
    u16 u16[8];
    i16 i16[8];
    u32 u32[4];
    i32 i32[4];
    u64 u64[2];
    i64 i64[2];
    f32 f32[4];
    f64 f64[2];
} Lanes;

enum { ROUNDS = 3000 };

/* ---- operands ---- */

static Lanes random_lanes(void) {
    Lanes v;
    random_operand(&v);
    return v;
}

static u32 tested; /* instructions so far in the current test */

/* ---- comparison ---- */

typedef enum Compare { BITS, AS_F32, AS_F64 } Compare;

static bool f32_is_canonical(u32 u) { return (u & 0x7FFFFFFF) == 0x7FC00000; }
static bool f64_is_canonical(u64 u) { return (u & 0x7FFFFFFFFFFFFFFF) == 0x7FF8000000000000; }

/* Whether a computed NaN is one that the specification allows: quiet, and canonical if every NaN among
 * the operands is. */
static bool f32_nan_allowed(u32 got, const Lanes *operands, u32 lane) {
    if ((got & 0x7FC00000) != 0x7FC00000) return false;
    for (u32 i = 0; i < 3; i++)
        if (isnan(operands[i].f32[lane]) && !f32_is_canonical(operands[i].u32[lane])) return true;
    return f32_is_canonical(got);
}

static bool f64_nan_allowed(u64 got, const Lanes *operands, u32 lane) {
    if ((got & 0x7FF8000000000000) != 0x7FF8000000000000) return false;
    for (u32 i = 0; i < 3; i++)
        if (isnan(operands[i].f64[lane]) && !f64_is_canonical(operands[i].u64[lane])) return true;
    return f64_is_canonical(got);
}

static bool same(Compare how, Lanes got, Lanes want, const Lanes *operands) {
    bool all = true;
    if (how == BITS) return memcmp(&got, &want, 16) == 0;
    if (how == AS_F32)
        for (u32 i = 0; i < 4; i++)
            all &= isnan(want.f32[i]) ? f32_nan_allowed(got.u32[i], operands, i)
                                      : got.u32[i] == want.u32[i];
    if (how == AS_F64)
        for (u32 i = 0; i < 2; i++)
            all &= isnan(want.f64[i]) ? f64_nan_allowed(got.u64[i], operands, i)
                                      : got.u64[i] == want.u64[i];
    return all;
}

static void check(const char *what, Compare how, v128 result, Lanes want, const Lanes *operands) {
    Lanes got;
    v128_store(&got, result);
    cr_assert(same(how, got, want, operands),
              "%s: a %016llx %016llx, b %016llx %016llx, c %016llx %016llx: "
              "%016llx %016llx, not %016llx %016llx",
              what, (unsigned long long)operands[0].u64[0], (unsigned long long)operands[0].u64[1],
              (unsigned long long)operands[1].u64[0], (unsigned long long)operands[1].u64[1],
              (unsigned long long)operands[2].u64[0], (unsigned long long)operands[2].u64[1],
              (unsigned long long)got.u64[0], (unsigned long long)got.u64[1],
              (unsigned long long)want.u64[0], (unsigned long long)want.u64[1]);
}

/* Runs `call`, over va, vb, vc and the scalar n, and compares lane i of that type with `expression`,
 * over a, b, c, n and i. Lanes that `expression` does not have are 0: count says how many there are. */
#define EACH_OF(how, id, call, type, count, expression)                                            \
    do {                                                                                           \
        tested++;                                                                                  \
        random_state = 0x9E3779B97F4A7C15u + tested;                                               \
        for (u32 round_ = 0; round_ < ROUNDS; round_++) {                                          \
            Lanes o_[3] = {random_lanes(), random_lanes(), random_lanes()}, want_ = {0};           \
            if (round_ % 16 == 0) o_[1] = o_[0];                                                   \
            const Lanes a = o_[0], b = o_[1], c = o_[2];                                           \
            v128 va = v128_load(&a), vb = v128_load(&b), vc = v128_load(&c);                       \
            u64 n = random_bits();                                                                 \
            (void)b, (void)c, (void)va, (void)vb, (void)vc, (void)n;                               \
            for (u32 i = 0; i < (count); i++) want_.type[i] = (type)(expression);                  \
            check(#id, how, num_##id call, want_, o_);                                             \
        }                                                                                          \
    } while (0)
#define EACH(id, call, type, expression)                                                           \
    EACH_OF(BITS, id, call, type, 16 / sizeof(type), expression)
#define EACH_F32(id, call, expression) EACH_OF(AS_F32, id, call, f32, 4, expression)
#define EACH_F64(id, call, expression) EACH_OF(AS_F64, id, call, f64, 2, expression)

/* The same for a scalar result. */
#define SCALAR(id, call, expression)                                                               \
    do {                                                                                           \
        tested++;                                                                                  \
        for (u32 round_ = 0; round_ < ROUNDS; round_++) {                                          \
            const Lanes a = random_lanes();                                                        \
            v128 va = v128_load(&a);                                                               \
            u32 lane = (u32)random_bits() % 16;                                                    \
            (void)lane;                                                                            \
            cr_assert(num_##id call == (expression), #id " of %016llx %016llx",                    \
                      (unsigned long long)a.u64[0], (unsigned long long)a.u64[1]);                 \
        }                                                                                          \
    } while (0)

static i64 clamp(i64 x, i64 low, i64 high) { return x < low ? low : x > high ? high : x; }

#define A(type) a.type[i]
#define B(type) b.type[i]
#define MASK(condition) ((condition) ? -1 : 0)
#define MIN(x, y) ((y) < (x) ? (y) : (x))
#define MAX(x, y) ((y) > (x) ? (y) : (x))

/* ---- bitwise, tests of all lanes ---- */

Test(numeric_simd, bits) {
    EACH(V128_NOT, (va), u64, ~A(u64));
    EACH(V128_AND, (va, vb), u64, A(u64) & B(u64));
    EACH(V128_ANDNOT, (va, vb), u64, A(u64) & ~B(u64));
    EACH(V128_OR, (va, vb), u64, A(u64) | B(u64));
    EACH(V128_XOR, (va, vb), u64, A(u64) ^ B(u64));
    EACH(V128_BITSELECT, (va, vb, vc), u64, (A(u64) & c.u64[i]) | (B(u64) & ~c.u64[i]));
}

#define COUNT_TRUE(name, type, condition)                                                          \
    static u32 name(Lanes a) {                                                                     \
        u32 result = 0;                                                                            \
        for (u32 i = 0; i < 16 / sizeof(type); i++) result |= (u32)(condition) << i;               \
        return result;                                                                             \
    }
COUNT_TRUE(nonzero_8, u8, A(u8) != 0)
COUNT_TRUE(nonzero_16, u16, A(u16) != 0)
COUNT_TRUE(nonzero_32, u32, A(u32) != 0)
COUNT_TRUE(nonzero_64, u64, A(u64) != 0)
COUNT_TRUE(negative_8, i8, A(i8) < 0)
COUNT_TRUE(negative_16, i16, A(i16) < 0)
COUNT_TRUE(negative_32, i32, A(i32) < 0)
COUNT_TRUE(negative_64, i64, A(i64) < 0)

Test(numeric_simd, lanes_to_scalar) {
    SCALAR(V128_ANY_TRUE, (va), a.u64[0] != 0 || a.u64[1] != 0);
    SCALAR(I8X16_ALL_TRUE, (va), nonzero_8(a) == 0xFFFF);
    SCALAR(I16X8_ALL_TRUE, (va), nonzero_16(a) == 0xFF);
    SCALAR(I32X4_ALL_TRUE, (va), nonzero_32(a) == 0xF);
    SCALAR(I64X2_ALL_TRUE, (va), nonzero_64(a) == 3);
    SCALAR(I8X16_BITMASK, (va), negative_8(a));
    SCALAR(I16X8_BITMASK, (va), negative_16(a));
    SCALAR(I32X4_BITMASK, (va), negative_32(a));
    SCALAR(I64X2_BITMASK, (va), negative_64(a));
    cr_assert_eq(num_V128_ANY_TRUE(v128_zero()), 0);
}

/* ---- single lanes, permutations ---- */

Test(numeric_simd, extract) {
    SCALAR(I8X16_EXTRACT_LANE_S, (va, lane), (u32)(i32)a.i8[lane]);
    SCALAR(I8X16_EXTRACT_LANE_U, (va, lane), a.u8[lane]);
    SCALAR(I16X8_EXTRACT_LANE_S, (va, lane & 7), (u32)(i32)a.i16[lane & 7]);
    SCALAR(I16X8_EXTRACT_LANE_U, (va, lane & 7), a.u16[lane & 7]);
    SCALAR(I32X4_EXTRACT_LANE, (va, lane & 3), a.u32[lane & 3]);
    SCALAR(I64X2_EXTRACT_LANE, (va, lane & 1), a.u64[lane & 1]);
}

Test(numeric_simd, extract_keeps_nan_bits) {
    Lanes a = {.u32 = {0x7F800001, 0xFFBFFFFF, 0x7FC00000, 0x80000000}};
    Lanes b = {.u64 = {0x7FF0000000000001, 0xFFF7FFFFFFFFFFFF}};
    for (u32 i = 0; i < 4; i++)
        cr_assert_eq(bits_of_f32(num_F32X4_EXTRACT_LANE(v128_load(&a), i)), a.u32[i]);
    for (u32 i = 0; i < 2; i++)
        cr_assert_eq(bits_of_f64(num_F64X2_EXTRACT_LANE(v128_load(&b), i)), b.u64[i]);
}

Test(numeric_simd, replace) {
    for (u32 lane = 0; lane < 16; lane++)
        EACH(I8X16_REPLACE_LANE, (va, (u32)n, lane), u8, i == lane ? (u8)n : A(u8));
    for (u32 lane = 0; lane < 8; lane++)
        EACH(I16X8_REPLACE_LANE, (va, (u32)n, lane), u16, i == lane ? (u16)n : A(u16));
    for (u32 lane = 0; lane < 4; lane++) {
        EACH(I32X4_REPLACE_LANE, (va, (u32)n, lane), u32, i == lane ? (u32)n : A(u32));
        EACH(F32X4_REPLACE_LANE, (va, b.f32[0], lane), u32, i == lane ? b.u32[0] : A(u32));
    }
    for (u32 lane = 0; lane < 2; lane++) {
        EACH(I64X2_REPLACE_LANE, (va, n, lane), u64, i == lane ? n : A(u64));
        EACH(F64X2_REPLACE_LANE, (va, b.f64[0], lane), u64, i == lane ? b.u64[0] : A(u64));
    }
}

Test(numeric_simd, splat) {
    EACH(I8X16_SPLAT, ((u32)n), u8, n);
    EACH(I16X8_SPLAT, ((u32)n), u16, n);
    EACH(I32X4_SPLAT, ((u32)n), u32, n);
    EACH(I64X2_SPLAT, (n), u64, n);
    EACH(F32X4_SPLAT, (a.f32[0]), u32, a.u32[0]);
    EACH(F64X2_SPLAT, (a.f64[0]), u64, a.u64[0]);
}

Test(numeric_simd, permute) {
    u8 lanes[16];
    for (u32 k = 0; k < 100; k++) {
        for (u32 i = 0; i < 16; i++) lanes[i] = (u8)((i * 7 + k * 11 + i * k) % 32);
        EACH(I8X16_SHUFFLE, (va, vb, lanes), u8,
             lanes[i] < 16 ? a.u8[lanes[i]] : b.u8[lanes[i] - 16]);
    }
    EACH(I8X16_SWIZZLE, (va, vb), u8, B(u8) < 16 ? a.u8[B(u8)] : 0);
    EACH(I8X16_RELAXED_SWIZZLE, (va, vb), u8, B(u8) < 16 ? a.u8[B(u8)] : 0);
}

/* ---- integers of the same width ---- */

#define TEST_COMPARE(shape, s, u)                                                                  \
    EACH(shape##_EQ, (va, vb), s, MASK(A(s) == B(s)));                                             \
    EACH(shape##_NE, (va, vb), s, MASK(A(s) != B(s)));                                             \
    EACH(shape##_LT_S, (va, vb), s, MASK(A(s) < B(s)));                                            \
    EACH(shape##_GT_S, (va, vb), s, MASK(A(s) > B(s)));                                            \
    EACH(shape##_LE_S, (va, vb), s, MASK(A(s) <= B(s)));                                           \
    EACH(shape##_GE_S, (va, vb), s, MASK(A(s) >= B(s)))
#define TEST_COMPARE_U(shape, s, u)                                                                \
    EACH(shape##_LT_U, (va, vb), s, MASK(A(u) < B(u)));                                            \
    EACH(shape##_GT_U, (va, vb), s, MASK(A(u) > B(u)));                                            \
    EACH(shape##_LE_U, (va, vb), s, MASK(A(u) <= B(u)));                                           \
    EACH(shape##_GE_U, (va, vb), s, MASK(A(u) >= B(u)));                                           \
    EACH(shape##_MIN_S, (va, vb), s, MIN(A(s), B(s)));                                             \
    EACH(shape##_MIN_U, (va, vb), u, MIN(A(u), B(u)));                                             \
    EACH(shape##_MAX_S, (va, vb), s, MAX(A(s), B(s)));                                             \
    EACH(shape##_MAX_U, (va, vb), u, MAX(A(u), B(u)))
#define TEST_ARITHMETIC(shape, s, u)                                                               \
    EACH(shape##_ABS, (va), u, A(s) < 0 ? (u)(0u - A(u)) : A(u));                                  \
    EACH(shape##_NEG, (va), u, 0u - A(u));                                                         \
    EACH(shape##_ADD, (va, vb), u, A(u) + B(u));                                                   \
    EACH(shape##_SUB, (va, vb), u, A(u) - B(u));                                                   \
    EACH(shape##_SHL, (va, (u32)n), u, A(u) << (n % (8 * sizeof(u))));                             \
    EACH(shape##_SHR_S, (va, (u32)n), s, A(s) >> (n % (8 * sizeof(u))));                           \
    EACH(shape##_SHR_U, (va, (u32)n), u, A(u) >> (n % (8 * sizeof(u))))
#define TEST_SATURATING(shape, s, u, low, high, top)                                               \
    EACH(shape##_ADD_SAT_S, (va, vb), s, clamp(A(s) + B(s), low, high));                           \
    EACH(shape##_ADD_SAT_U, (va, vb), u, clamp(A(u) + B(u), 0, top));                              \
    EACH(shape##_SUB_SAT_S, (va, vb), s, clamp(A(s) - B(s), low, high));                           \
    EACH(shape##_SUB_SAT_U, (va, vb), u, clamp(A(u) - B(u), 0, top));                              \
    EACH(shape##_AVGR_U, (va, vb), u, (A(u) + B(u) + 1) / 2)

Test(numeric_simd, i8x16) {
    TEST_COMPARE(I8X16, i8, u8);
    TEST_COMPARE_U(I8X16, i8, u8);
    TEST_ARITHMETIC(I8X16, i8, u8);
    TEST_SATURATING(I8X16, i8, u8, INT8_MIN, INT8_MAX, UINT8_MAX);
    EACH(I8X16_POPCNT, (va), u8, __builtin_popcount(A(u8)));
}

Test(numeric_simd, i16x8) {
    TEST_COMPARE(I16X8, i16, u16);
    TEST_COMPARE_U(I16X8, i16, u16);
    TEST_ARITHMETIC(I16X8, i16, u16);
    TEST_SATURATING(I16X8, i16, u16, INT16_MIN, INT16_MAX, UINT16_MAX);
    EACH(I16X8_MUL, (va, vb), u16, (u32)A(u16) * B(u16));
    EACH(I16X8_Q15MULR_SAT_S, (va, vb), i16,
         clamp((A(i16) * B(i16) + 0x4000) >> 15, INT16_MIN, INT16_MAX));
    EACH(I16X8_RELAXED_Q15MULR_S, (va, vb), i16,
         clamp((A(i16) * B(i16) + 0x4000) >> 15, INT16_MIN, INT16_MAX));
}

Test(numeric_simd, i32x4) {
    TEST_COMPARE(I32X4, i32, u32);
    TEST_COMPARE_U(I32X4, i32, u32);
    TEST_ARITHMETIC(I32X4, i32, u32);
    EACH(I32X4_MUL, (va, vb), u32, A(u32) * B(u32));
}

Test(numeric_simd, i64x2) {
    TEST_COMPARE(I64X2, i64, u64);
    TEST_ARITHMETIC(I64X2, i64, u64);
    EACH(I64X2_MUL, (va, vb), u64, A(u64) * B(u64));
}

Test(numeric_simd, relaxed_select) {
    EACH(I8X16_RELAXED_LANESELECT, (va, vb, vc), u64, A(u64) ^ ((A(u64) ^ B(u64)) & ~c.u64[i]));
    EACH(I16X8_RELAXED_LANESELECT, (va, vb, vc), u64, A(u64) ^ ((A(u64) ^ B(u64)) & ~c.u64[i]));
    EACH(I32X4_RELAXED_LANESELECT, (va, vb, vc), u64, A(u64) ^ ((A(u64) ^ B(u64)) & ~c.u64[i]));
    EACH(I64X2_RELAXED_LANESELECT, (va, vb, vc), u64, A(u64) ^ ((A(u64) ^ B(u64)) & ~c.u64[i]));
}

/* ---- integers of other widths ---- */

#define NARROW(type, half, low, high)                                                              \
    clamp(i < half ? a.type[i % half] : b.type[i % half], low, high)
#define LOW(v, type) ((v).type[i])
#define HIGH(v, type) ((v).type[i + 8 / sizeof(type)])
#define TEST_EXTEND(wide, narrow, ws, wu, ns, nu)                                                  \
    EACH(wide##_EXTEND_LOW_##narrow##_S, (va), ws, LOW(a, ns));                                    \
    EACH(wide##_EXTEND_LOW_##narrow##_U, (va), wu, LOW(a, nu));                                    \
    EACH(wide##_EXTEND_HIGH_##narrow##_S, (va), ws, HIGH(a, ns));                                  \
    EACH(wide##_EXTEND_HIGH_##narrow##_U, (va), wu, HIGH(a, nu));                                  \
    EACH(wide##_EXTMUL_LOW_##narrow##_S, (va, vb), ws, (i64)LOW(a, ns) * LOW(b, ns));              \
    EACH(wide##_EXTMUL_LOW_##narrow##_U, (va, vb), wu, (u64)LOW(a, nu) * LOW(b, nu));              \
    EACH(wide##_EXTMUL_HIGH_##narrow##_S, (va, vb), ws, (i64)HIGH(a, ns) * HIGH(b, ns));           \
    EACH(wide##_EXTMUL_HIGH_##narrow##_U, (va, vb), wu, (u64)HIGH(a, nu) * HIGH(b, nu))

Test(numeric_simd, widths) {
    EACH(I8X16_NARROW_I16X8_S, (va, vb), i8, NARROW(i16, 8, INT8_MIN, INT8_MAX));
    EACH(I8X16_NARROW_I16X8_U, (va, vb), u8, NARROW(i16, 8, 0, UINT8_MAX));
    EACH(I16X8_NARROW_I32X4_S, (va, vb), i16, NARROW(i32, 4, INT16_MIN, INT16_MAX));
    EACH(I16X8_NARROW_I32X4_U, (va, vb), u16, NARROW(i32, 4, 0, UINT16_MAX));
    TEST_EXTEND(I16X8, I8X16, i16, u16, i8, u8);
    TEST_EXTEND(I32X4, I16X8, i32, u32, i16, u16);
    TEST_EXTEND(I64X2, I32X4, i64, u64, i32, u32);
    EACH(I16X8_EXTADD_PAIRWISE_I8X16_S, (va), i16, a.i8[2 * i] + a.i8[2 * i + 1]);
    EACH(I16X8_EXTADD_PAIRWISE_I8X16_U, (va), u16, a.u8[2 * i] + a.u8[2 * i + 1]);
    EACH(I32X4_EXTADD_PAIRWISE_I16X8_S, (va), i32, a.i16[2 * i] + a.i16[2 * i + 1]);
    EACH(I32X4_EXTADD_PAIRWISE_I16X8_U, (va), u32, a.u16[2 * i] + a.u16[2 * i + 1]);
}

/* The sum of two products of neighbours, from lane i on. */
#define DOT(type, i) ((i64)a.type[i] * b.type[i] + (i64)a.type[(i) + 1] * b.type[(i) + 1])
#define DOT_SAT(i) clamp(DOT(i8, i), INT16_MIN, INT16_MAX)

Test(numeric_simd, dot) {
    EACH(I32X4_DOT_I16X8_S, (va, vb), u32, DOT(i16, 2 * i));
    EACH(I16X8_RELAXED_DOT_I8X16_I7X16_S, (va, vb), i16, DOT_SAT(2 * i));
    EACH(I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S, (va, vb, vc), u32,
         DOT_SAT(4 * i) + DOT_SAT(4 * i + 2) + c.u32[i]);
}

/* ---- floats ---- */

#define TEST_FLOATS(shape, scalar, EACH_, f, s, u)                                                 \
    EACH(shape##_EQ, (va, vb), s, MASK(A(f) == B(f)));                                             \
    EACH(shape##_NE, (va, vb), s, MASK(A(f) != B(f)));                                             \
    EACH(shape##_LT, (va, vb), s, MASK(A(f) < B(f)));                                              \
    EACH(shape##_GT, (va, vb), s, MASK(A(f) > B(f)));                                              \
    EACH(shape##_LE, (va, vb), s, MASK(A(f) <= B(f)));                                             \
    EACH(shape##_GE, (va, vb), s, MASK(A(f) >= B(f)));                                             \
    EACH(shape##_ABS, (va), u, A(u) << 1 >> 1);                                                    \
    EACH(shape##_NEG, (va), u, A(u) ^ (u)1 << (8 * sizeof(u) - 1));                                \
    EACH(shape##_PMIN, (va, vb), u, B(f) < A(f) ? B(u) : A(u));                                    \
    EACH(shape##_PMAX, (va, vb), u, A(f) < B(f) ? B(u) : A(u));                                    \
    EACH_(shape##_ADD, (va, vb), A(f) + B(f));                                                     \
    EACH_(shape##_SUB, (va, vb), A(f) - B(f));                                                     \
    EACH_(shape##_MUL, (va, vb), A(f) * B(f));                                                     \
    EACH_(shape##_DIV, (va, vb), A(f) / B(f));                                                     \
    EACH_(shape##_SQRT, (va), num_##scalar##_SQRT(A(f)));                                          \
    EACH_(shape##_MIN, (va, vb), num_##scalar##_MIN(A(f), B(f)));                                  \
    EACH_(shape##_MAX, (va, vb), num_##scalar##_MAX(A(f), B(f)));                                  \
    EACH_(shape##_RELAXED_MIN, (va, vb), num_##scalar##_MIN(A(f), B(f)));                          \
    EACH_(shape##_RELAXED_MAX, (va, vb), num_##scalar##_MAX(A(f), B(f)));                          \
    EACH_(shape##_CEIL, (va), num_##scalar##_CEIL(A(f)));                                          \
    EACH_(shape##_FLOOR, (va), num_##scalar##_FLOOR(A(f)));                                        \
    EACH_(shape##_TRUNC, (va), num_##scalar##_TRUNC(A(f)));                                        \
    EACH_(shape##_NEAREST, (va), num_##scalar##_NEAREST(A(f)))

/* Products are rounded before the sum: a plain expression may be contracted. */
#define MADD(scalar, f) num_##scalar##_ADD(num_##scalar##_MUL(A(f), B(f)), c.f[i])
#define NMADD(scalar, f) num_##scalar##_SUB(c.f[i], num_##scalar##_MUL(A(f), B(f)))

Test(numeric_simd, f32x4) {
    TEST_FLOATS(F32X4, F32, EACH_F32, f32, i32, u32);
    EACH_F32(F32X4_RELAXED_MADD, (va, vb, vc), MADD(F32, f32));
    EACH_F32(F32X4_RELAXED_NMADD, (va, vb, vc), NMADD(F32, f32));
}

Test(numeric_simd, f64x2) {
    TEST_FLOATS(F64X2, F64, EACH_F64, f64, i64, u64);
    EACH_F64(F64X2_RELAXED_MADD, (va, vb, vc), MADD(F64, f64));
    EACH_F64(F64X2_RELAXED_NMADD, (va, vb, vc), NMADD(F64, f64));
}

/* Every pair of edge cases: zeros of both signs, infinities and NaNs in either place. */
Test(numeric_simd, float_edges) {
    for (u32 i = 0; i < ARRAY_LEN(edges_32); i++)
        for (u32 j = 0; j < ARRAY_LEN(edges_32); j++) {
            Lanes o[3] = {{.u32 = {(u32)edges_32[i]}}, {.u32 = {(u32)edges_32[j]}}};
            v128 a = v128_load(&o[0]), b = v128_load(&o[1]);
            Lanes least = {.f32 = {num_F32_MIN(o[0].f32[0], o[1].f32[0])}};
            Lanes most = {.f32 = {num_F32_MAX(o[0].f32[0], o[1].f32[0])}};
            check("f32x4.min", AS_F32, num_F32X4_MIN(a, b), least, o);
            check("f32x4.max", AS_F32, num_F32X4_MAX(a, b), most, o);
        }
    for (u32 i = 0; i < ARRAY_LEN(edges_64); i++)
        for (u32 j = 0; j < ARRAY_LEN(edges_64); j++) {
            Lanes o[3] = {{.u64 = {edges_64[i]}}, {.u64 = {edges_64[j]}}};
            v128 a = v128_load(&o[0]), b = v128_load(&o[1]);
            Lanes least = {.f64 = {num_F64_MIN(o[0].f64[0], o[1].f64[0])}};
            Lanes most = {.f64 = {num_F64_MAX(o[0].f64[0], o[1].f64[0])}};
            check("f64x2.min", AS_F64, num_F64X2_MIN(a, b), least, o);
            check("f64x2.max", AS_F64, num_F64X2_MAX(a, b), most, o);
        }
}

Test(numeric_simd, zeros_of_both_signs) {
    Lanes minus = {.f32 = {-0.0f, 0.0f, -0.0f, 0.0f}}, plus = {.f32 = {0.0f, -0.0f, -0.0f, 0.0f}};
    v128 a = v128_load(&minus), b = v128_load(&plus);
    cr_assert_eq(num_I32X4_BITMASK(num_F32X4_MIN(a, b)), 7);
    cr_assert_eq(num_I32X4_BITMASK(num_F32X4_MAX(a, b)), 4);
    Lanes small = {.f32 = {-0.25f, 0.25f, -0.75f, -0.0f}};
    v128 c = v128_load(&small);
    cr_assert_eq(num_I32X4_BITMASK(num_F32X4_CEIL(c)), 13);
    cr_assert_eq(num_I32X4_BITMASK(num_F32X4_TRUNC(c)), 13);
    cr_assert_eq(num_I32X4_BITMASK(num_F32X4_NEAREST(c)), 13);
    cr_assert_eq(num_I32X4_BITMASK(num_F32X4_FLOOR(c)), 13);
}

/* ---- conversions ---- */

/* NaNs of the other width count as operands for the check: canonical, or any quiet one. */
static f32 demoted(f64 x) { return isnan(x) ? f32_of_bits(0x7FC00000) : (f32)x; }

Test(numeric_simd, conversions) {
    EACH(I32X4_TRUNC_SAT_F32X4_S, (va), u32, num_I32_TRUNC_SAT_F32_S(A(f32)));
    EACH(I32X4_TRUNC_SAT_F32X4_U, (va), u32, num_I32_TRUNC_SAT_F32_U(A(f32)));
    EACH(I32X4_RELAXED_TRUNC_F32X4_S, (va), u32, num_I32_TRUNC_SAT_F32_S(A(f32)));
    EACH(I32X4_RELAXED_TRUNC_F32X4_U, (va), u32, num_I32_TRUNC_SAT_F32_U(A(f32)));
#define ZERO(id, f) EACH_OF(BITS, id, (va), u32, 2, num_##f(A(f64)))
    ZERO(I32X4_TRUNC_SAT_F64X2_S_ZERO, I32_TRUNC_SAT_F64_S);
    ZERO(I32X4_TRUNC_SAT_F64X2_U_ZERO, I32_TRUNC_SAT_F64_U);
    ZERO(I32X4_RELAXED_TRUNC_F64X2_S_ZERO, I32_TRUNC_SAT_F64_S);
    ZERO(I32X4_RELAXED_TRUNC_F64X2_U_ZERO, I32_TRUNC_SAT_F64_U);
#undef ZERO
    EACH_F32(F32X4_CONVERT_I32X4_S, (va), (f32)A(i32));
    EACH_F32(F32X4_CONVERT_I32X4_U, (va), (f32)A(u32));
    EACH_F64(F64X2_CONVERT_LOW_I32X4_S, (va), (f64)A(i32));
    EACH_F64(F64X2_CONVERT_LOW_I32X4_U, (va), (f64)A(u32));
}

Test(numeric_simd, promote_and_demote) {
    random_state = 1;
    for (u32 round = 0; round < 10 * ROUNDS; round++) {
        Lanes a = random_lanes(), got;
        v128_store(&got, num_F32X4_DEMOTE_F64X2_ZERO(v128_load(&a)));
        for (u32 i = 0; i < 2; i++) {
            u32 want = bits_of_f32(demoted(a.f64[i]));
            if (isnan(a.f64[i]) && !f64_is_canonical(a.u64[i]))
                cr_assert_eq(got.u32[i] & 0x7FC00000, 0x7FC00000);
            else
                cr_assert(isnan(a.f64[i]) ? f32_is_canonical(got.u32[i]) : got.u32[i] == want);
        }
        cr_assert_eq(got.u64[1], 0);
        v128_store(&got, num_F64X2_PROMOTE_LOW_F32X4(v128_load(&a)));
        for (u32 i = 0; i < 2; i++) {
            if (isnan(a.f32[i])) cr_assert_eq(got.u64[i] >> 51 & 0xFFF, 0xFFF);
            if (f32_is_canonical(a.u32[i])) cr_assert(f64_is_canonical(got.u64[i]));
            if (!isnan(a.f32[i])) cr_assert_eq(got.u64[i], bits_of_f64((f64)a.f32[i]));
        }
    }
}
