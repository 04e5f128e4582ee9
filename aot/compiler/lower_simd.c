/*
 * lower_simd.c - vector instructions without memory access: a table that stands beside numeric_simd.def, one
 * row for each of its rows, and what no row can say (spec: exec/numerics, exec/instructions).
 *
 * Everything is written in LLVM's own vector operations where it finds the target's instruction in them;
 * where it does not, and the target has one, that is asked for by name. Relaxed instructions compute what the
 * interpreter does.
 */
#include "lanes.h"

enum {
    NOT,
    ANDNOT,
    BITSELECT,
    ANY_TRUE,
    ALL_TRUE,
    BITMASK,
    SHUFFLE,
    SWIZZLE,
    SPLAT,
    EXTRACT_S,
    EXTRACT_U,
    REPLACE,
    NARROW_S,
    NARROW_U,
    AVERAGE,
    LOW_S,
    LOW_U,
    HIGH_S,
    HIGH_U,
    PRODUCT_LOW_S,
    PRODUCT_LOW_U,
    PRODUCT_HIGH_S,
    PRODUCT_HIGH_U,
    PAIRWISE_S,
    PAIRWISE_U,
    DOT,
    DOT_BYTES,
    DOT_BYTES_ADD,
    Q15_PRODUCT,
    TRUNCATE_F32_S,
    TRUNCATE_F32_U,
    TRUNCATE_F64_S,
    TRUNCATE_F64_U,
    PROMOTE_LOW,
    DEMOTE_ZERO,
    CONVERT_LOW_S,
    CONVERT_LOW_U,
    MULTIPLY_ADD,
    MULTIPLY_SUB
};

#define EACH_SHAPE(T)                                                                              \
    [OP_##T##_SPLAT] = OF(OTHER, T, SPLAT), [OP_##T##_REPLACE_LANE] = OF(OTHER, T, REPLACE)

#define EACH_INTEGERS(T)                                                                           \
    EACH_SHAPE(T),                                                                                 \
        [OP_##T##_EQ] = OF(COMPARE, T, LLVMIntEQ), [OP_##T##_NE] = OF(COMPARE, T, LLVMIntNE),      \
        [OP_##T##_LT_S] = OF(COMPARE, T, LLVMIntSLT),                                              \
        [OP_##T##_GT_S] = OF(COMPARE, T, LLVMIntSGT),                                              \
        [OP_##T##_LE_S] = OF(COMPARE, T, LLVMIntSLE),                                              \
        [OP_##T##_GE_S] = OF(COMPARE, T, LLVMIntSGE), [OP_##T##_ABS] = ROW(ABSOLUTE, T),           \
        [OP_##T##_NEG] = ROW(NEGATE, T), [OP_##T##_ALL_TRUE] = OF(OTHER, T, ALL_TRUE),             \
        [OP_##T##_BITMASK] = OF(OTHER, T, BITMASK), [OP_##T##_SHL] = OF(SHIFT, T, LLVMShl),        \
        [OP_##T##_SHR_S] = OF(SHIFT, T, LLVMAShr), [OP_##T##_SHR_U] = OF(SHIFT, T, LLVMLShr),      \
        [OP_##T##_ADD] = OF(BINARY, T, LLVMAdd), [OP_##T##_SUB] = OF(BINARY, T, LLVMSub),          \
        [OP_##T##_RELAXED_LANESELECT] = OF(OTHER, T, BITSELECT)

/* All but i64x2. */
#define EACH_SMALL(T)                                                                              \
    EACH_INTEGERS(T), [OP_##T##_LT_U] = OF(COMPARE, T, LLVMIntULT),                                \
                      [OP_##T##_GT_U] = OF(COMPARE, T, LLVMIntUGT),                                \
                      [OP_##T##_LE_U] = OF(COMPARE, T, LLVMIntULE),                                \
                      [OP_##T##_GE_U] = OF(COMPARE, T, LLVMIntUGE),                                \
                      [OP_##T##_MIN_S] = NAMED(INTRINSIC, T, "llvm.smin"),                         \
                      [OP_##T##_MIN_U] = NAMED(INTRINSIC, T, "llvm.umin"),                         \
                      [OP_##T##_MAX_S] = NAMED(INTRINSIC, T, "llvm.smax"),                         \
                      [OP_##T##_MAX_U] = NAMED(INTRINSIC, T, "llvm.umax")

/* i8x16 and i16x8; W: lanes twice as wide. */
#define EACH_TINY(T, W)                                                                            \
    EACH_SMALL(T), [OP_##T##_EXTRACT_LANE_S] = OF(OTHER, T, EXTRACT_S),                            \
                   [OP_##T##_EXTRACT_LANE_U] = OF(OTHER, T, EXTRACT_U),                            \
                   [OP_##T##_ADD_SAT_S] = NAMED(INTRINSIC, T, "llvm.sadd.sat"),                    \
                   [OP_##T##_ADD_SAT_U] = NAMED(INTRINSIC, T, "llvm.uadd.sat"),                    \
                   [OP_##T##_SUB_SAT_S] = NAMED(INTRINSIC, T, "llvm.ssub.sat"),                    \
                   [OP_##T##_SUB_SAT_U] = NAMED(INTRINSIC, T, "llvm.usub.sat"),                    \
                   [OP_##T##_AVGR_U] = OF(OTHER, T, AVERAGE),                                      \
                   [OP_##T##_NARROW_##W##_S] = FROM(OTHER, T, W, NARROW_S),                        \
                   [OP_##T##_NARROW_##W##_U] = FROM(OTHER, T, W, NARROW_U),                        \
                   [OP_##W##_EXTADD_PAIRWISE_##T##_S] = FROM(OTHER, W, T, PAIRWISE_S),             \
                   [OP_##W##_EXTADD_PAIRWISE_##T##_U] = FROM(OTHER, W, T, PAIRWISE_U),             \
                   EACH_WIDENING(T, W)

#define EACH_WIDENING(T, W)                                                                        \
    [OP_##W##_EXTEND_LOW_##T##_S] = FROM(OTHER, W, T, LOW_S),                                      \
    [OP_##W##_EXTEND_LOW_##T##_U] = FROM(OTHER, W, T, LOW_U),                                      \
    [OP_##W##_EXTEND_HIGH_##T##_S] = FROM(OTHER, W, T, HIGH_S),                                    \
    [OP_##W##_EXTEND_HIGH_##T##_U] = FROM(OTHER, W, T, HIGH_U),                                    \
    [OP_##W##_EXTMUL_LOW_##T##_S] = FROM(OTHER, W, T, PRODUCT_LOW_S),                              \
    [OP_##W##_EXTMUL_LOW_##T##_U] = FROM(OTHER, W, T, PRODUCT_LOW_U),                              \
    [OP_##W##_EXTMUL_HIGH_##T##_S] = FROM(OTHER, W, T, PRODUCT_HIGH_S),                            \
    [OP_##W##_EXTMUL_HIGH_##T##_U] = FROM(OTHER, W, T, PRODUCT_HIGH_U)

#define EACH_FLOATS(T)                                                                             \
    EACH_SHAPE(T),                                                                                 \
        [OP_##T##                                                                                  \
            _EXTRACT_LANE] = OF(OTHER, T, EXTRACT_U),                                              \
   [OP_##T##_EQ] = OF(COMPARE_FLOAT, T, LLVMRealOEQ),                                              \
   [OP_##T##_NE] = OF(COMPARE_FLOAT, T, LLVMRealUNE),                                              \
   [OP_##T##_LT] = OF(COMPARE_FLOAT, T, LLVMRealOLT),                                              \
   [OP_##T##_GT] = OF(COMPARE_FLOAT, T, LLVMRealOGT),                                              \
   [OP_##T##_LE] = OF(COMPARE_FLOAT, T, LLVMRealOLE),                                              \
   [OP_##T##_GE] = OF(COMPARE_FLOAT, T, LLVMRealOGE), [OP_##T##_CEIL] = OF(ROUND, T, CEIL),        \
   [OP_##T##_FLOOR] = OF(ROUND, T, FLOOR), [OP_##T##_TRUNC] = OF(ROUND, T, TRUNC),                 \
   [OP_##T##_NEAREST] = OF(ROUND, T, NEAREST), [OP_##T##_ABS] = NAMED(INTRINSIC, T, "llvm.fabs"),  \
   [OP_##T##_NEG] = ROW(NEGATE, T), [OP_##T##_SQRT] = NAMED(INTRINSIC, T, "llvm.sqrt"),            \
   [OP_##T##_ADD] = OF(ARITHMETIC, T, LLVMFAdd), [OP_##T##_SUB] = OF(ARITHMETIC, T, LLVMFSub),     \
   [OP_##T##_MUL] = OF(ARITHMETIC, T, LLVMFMul), [OP_##T##_DIV] = OF(ARITHMETIC, T, LLVMFDiv),     \
   [OP_##T##_MIN] = ROW(MINIMUM, T), [OP_##T##_MAX] = ROW(MAXIMUM, T),                             \
   [OP_##T##_PMIN] = ROW(PSEUDO_MINIMUM, T), [OP_##T##_PMAX] = ROW(PSEUDO_MAXIMUM, T),             \
   [OP_##T##_RELAXED_MIN] = ROW(MINIMUM, T), [OP_##T##_RELAXED_MAX] = ROW(MAXIMUM, T),             \
   [OP_##T##_RELAXED_MADD] = OF(OTHER, T, MULTIPLY_ADD),                                           \
   [OP_##T##_RELAXED_NMADD] = OF(OTHER, T, MULTIPLY_SUB)

static const Row rows[OP_COUNT] = {
    EACH_TINY(I8X16, I16X8),
    EACH_TINY(I16X8, I32X4),
    EACH_SMALL(I32X4),
    EACH_INTEGERS(I64X2),
    EACH_WIDENING(I32X4, I64X2),
    EACH_FLOATS(F32X4),
    EACH_FLOATS(F64X2),
    [OP_V128_NOT] = OF(OTHER, I64X2, NOT),
    [OP_V128_AND] = OF(BINARY, I64X2, LLVMAnd),
    [OP_V128_ANDNOT] = OF(OTHER, I64X2, ANDNOT),
    [OP_V128_OR] = OF(BINARY, I64X2, LLVMOr),
    [OP_V128_XOR] = OF(BINARY, I64X2, LLVMXor),
    [OP_V128_BITSELECT] = OF(OTHER, I64X2, BITSELECT),
    [OP_V128_ANY_TRUE] = OF(OTHER, I64X2, ANY_TRUE),
    [OP_I8X16_SHUFFLE] = OF(OTHER, I8X16, SHUFFLE),
    [OP_I8X16_SWIZZLE] = OF(OTHER, I8X16, SWIZZLE),
    [OP_I8X16_RELAXED_SWIZZLE] = OF(OTHER, I8X16, SWIZZLE),
    [OP_I8X16_POPCNT] = NAMED(INTRINSIC, I8X16, "llvm.ctpop"),
    [OP_I16X8_MUL] = OF(BINARY, I16X8, LLVMMul),
    [OP_I16X8_Q15MULR_SAT_S] = OF(OTHER, I16X8, Q15_PRODUCT),
    [OP_I16X8_RELAXED_Q15MULR_S] = OF(OTHER, I16X8, Q15_PRODUCT),
    [OP_I16X8_RELAXED_DOT_I8X16_I7X16_S] = FROM(OTHER, I16X8, I8X16, DOT_BYTES),
    [OP_I32X4_EXTRACT_LANE] = OF(OTHER, I32X4, EXTRACT_U),
    [OP_I32X4_MUL] = OF(BINARY, I32X4, LLVMMul),
    [OP_I32X4_DOT_I16X8_S] = FROM(OTHER, I32X4, I16X8, DOT),
    [OP_I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S] = FROM(OTHER, I32X4, I8X16, DOT_BYTES_ADD),
    [OP_I32X4_TRUNC_SAT_F32X4_S] = FROM(OTHER, I32X4, F32X4, TRUNCATE_F32_S),
    [OP_I32X4_TRUNC_SAT_F32X4_U] = FROM(OTHER, I32X4, F32X4, TRUNCATE_F32_U),
    [OP_I32X4_TRUNC_SAT_F64X2_S_ZERO] = FROM(OTHER, I32X4, F64X2, TRUNCATE_F64_S),
    [OP_I32X4_TRUNC_SAT_F64X2_U_ZERO] = FROM(OTHER, I32X4, F64X2, TRUNCATE_F64_U),
    [OP_I32X4_RELAXED_TRUNC_F32X4_S] = FROM(OTHER, I32X4, F32X4, TRUNCATE_F32_S),
    [OP_I32X4_RELAXED_TRUNC_F32X4_U] = FROM(OTHER, I32X4, F32X4, TRUNCATE_F32_U),
    [OP_I32X4_RELAXED_TRUNC_F64X2_S_ZERO] = FROM(OTHER, I32X4, F64X2, TRUNCATE_F64_S),
    [OP_I32X4_RELAXED_TRUNC_F64X2_U_ZERO] = FROM(OTHER, I32X4, F64X2, TRUNCATE_F64_U),
    [OP_I64X2_EXTRACT_LANE] = OF(OTHER, I64X2, EXTRACT_U),
    [OP_I64X2_MUL] = OF(BINARY, I64X2, LLVMMul),
    [OP_F32X4_CONVERT_I32X4_S] = FROM(CONVERT, F32X4, I32X4, LLVMSIToFP),
    [OP_F32X4_CONVERT_I32X4_U] = FROM(CONVERT, F32X4, I32X4, LLVMUIToFP),
    [OP_F32X4_DEMOTE_F64X2_ZERO] = FROM(OTHER, F32X4, F64X2, DEMOTE_ZERO),
    [OP_F64X2_PROMOTE_LOW_F32X4] = FROM(OTHER, F64X2, F32X4, PROMOTE_LOW),
    [OP_F64X2_CONVERT_LOW_I32X4_S] = FROM(OTHER, F64X2, I32X4, CONVERT_LOW_S),
    [OP_F64X2_CONVERT_LOW_I32X4_U] = FROM(OTHER, F64X2, I32X4, CONVERT_LOW_U),
};

/* ---- lanes ---- */

static LLVMValueRef lane_index(Lower *l, u32 lane) {
    return LLVMConstInt(l->unit->i32, lane, false);
}

static LLVMValueRef indices(Lower *l, const u8 *lanes, u32 count) {
    LLVMValueRef values[16];
    for (u32 i = 0; i < count; i++) values[i] = lane_index(l, lanes[i]);
    return LLVMConstVector(values, count);
}

/* `count` lanes of a: first, first + step, ... */
static LLVMValueRef some_lanes(Lower *l, LLVMValueRef a, u32 first, u32 step, u32 count) {
    u8 lanes[16];
    for (u32 i = 0; i < count; i++) lanes[i] = (u8)(first + i * step);
    LLVMValueRef none = LLVMGetPoison(LLVMTypeOf(a));
    return LLVMBuildShuffleVector(l->b, a, none, indices(l, lanes, count), "");
}

static LLVMValueRef concatenated(Lower *l, LLVMValueRef low, LLVMValueRef high) {
    static const u8 all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    u32 count = 2 * LLVMGetVectorSize(LLVMTypeOf(low));
    return LLVMBuildShuffleVector(l->b, low, high, indices(l, all, count), "");
}

/* A scalar operand as a lane: i8x16 and i16x8 take the low bits of an i32. */
static LLVMValueRef to_lane(Lower *l, Shape shape, LLVMValueRef value) {
    if (wr_lanes_bits(shape) >= 32) return value;
    return LLVMBuildTrunc(l->b, value, LLVMGetElementType(wr_lanes_type(l->unit, shape)), "");
}

static LLVMValueRef splat(Lower *l, Shape shape, LLVMValueRef value) {
    LLVMTypeRef type = wr_lanes_type(l->unit, shape);
    LLVMValueRef first = LLVMBuildInsertElement(l->b, LLVMGetPoison(type), to_lane(l, shape, value),
                                                lane_index(l, 0), "");
    LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(l->unit->i32, LLVMGetVectorSize(type)));
    return LLVMBuildShuffleVector(l->b, first, LLVMGetPoison(type), zeros, "");
}

static LLVMValueRef extract(Lower *l, const Row *row, LLVMValueRef a) {
    LLVMValueRef lane = LLVMBuildExtractElement(l->b, a, lane_index(l, l->at.lane), "");
    if (wr_lanes_bits((Shape)row->shape) >= 32) return lane;
    return row->what == EXTRACT_S ? LLVMBuildSExt(l->b, lane, l->unit->i32, "")
                                  : LLVMBuildZExt(l->b, lane, l->unit->i32, "");
}

static LLVMValueRef shuffle(Lower *l, LLVMValueRef a, LLVMValueRef b) {
    return LLVMBuildShuffleVector(l->b, a, b, indices(l, l->at.bytes, 16), "");
}

/* Without an instruction: of the 16 lanes of a, each where its number is asked for. */
static LLVMValueRef swizzle_slowly(Lower *l, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef result = LLVMConstNull(wr_lanes_type(l->unit, I8X16));
    for (u32 i = 0; i < 16; i++) {
        LLVMValueRef here = LLVMBuildICmp(l->b, LLVMIntEQ, b, wr_lanes_splat_int(l, I8X16, i), "");
        result = LLVMBuildSelect(l->b, here, some_lanes(l, a, i, 0, 16), result, "");
    }
    return result;
}

/* Indices beyond 15 give 0. x86 looks at bit 7 for that and else at the low bits. */
static LLVMValueRef swizzle(Lower *l, LLVMValueRef a, LLVMValueRef b) {
    LLVMTypeRef type = wr_lanes_type(l->unit, I8X16);
    LLVMValueRef arguments[] = {a, b};
    if (wr_target_is_arm(l->unit))
        return wr_lower_intrinsic(l, "llvm.aarch64.neon.tbl1", &type, 1, arguments, 2);
    if (!wr_target_has(l->unit, "ssse3")) return swizzle_slowly(l, a, b);
    LLVMValueRef sum[] = {b, wr_lanes_splat_int(l, I8X16, 0x70)};
    arguments[1] = wr_lower_intrinsic(l, "llvm.uadd.sat", &type, 1, sum, 2);
    return wr_lower_intrinsic(l, "llvm.x86.ssse3.pshuf.b.128", NULL, 0, arguments, 2);
}

/* ---- bits ---- */

static LLVMValueRef bitselect(Lower *l, LLVMValueRef a, LLVMValueRef b, LLVMValueRef mask) {
    LLVMValueRef difference = LLVMBuildAnd(l->b, LLVMBuildXor(l->b, a, b, ""), mask, "");
    return LLVMBuildXor(l->b, difference, b, "");
}

/* One bit for each lane, as an integer. */
static LLVMValueRef gathered(Lower *l, LLVMValueRef conditions) {
    u32 lanes = LLVMGetVectorSize(LLVMTypeOf(conditions));
    return LLVMBuildBitCast(l->b, conditions, LLVMIntTypeInContext(l->unit->context, lanes), "");
}
static LLVMValueRef bitmask(Lower *l, LLVMValueRef a) {
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(a));
    LLVMValueRef bits = gathered(l, LLVMBuildICmp(l->b, LLVMIntSLT, a, zero, ""));
    return LLVMBuildZExt(l->b, bits, l->unit->i32, "");
}
static LLVMValueRef all_true(Lower *l, LLVMValueRef a) {
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(a));
    LLVMValueRef zeros = gathered(l, LLVMBuildICmp(l->b, LLVMIntEQ, a, zero, ""));
    return LLVMBuildZExt(l->b, LLVMBuildIsNull(l->b, zeros, ""), l->unit->i32, "");
}
static LLVMValueRef any_true(Lower *l, LLVMValueRef a) {
    LLVMTypeRef wide = LLVMInt128TypeInContext(l->unit->context);
    LLVMValueRef bits = LLVMBuildBitCast(l->b, a, wide, "");
    return LLVMBuildZExt(l->b, LLVMBuildIsNotNull(l->b, bits, ""), l->unit->i32, "");
}

/* ---- wider and narrower integers ---- */

static LLVMValueRef widened(Lower *l, const Row *row, bool is_signed, LLVMValueRef half) {
    LLVMTypeRef type = wr_lanes_type(l->unit, (Shape)row->shape);
    return is_signed ? LLVMBuildSExt(l->b, half, type, "") : LLVMBuildZExt(l->b, half, type, "");
}
static LLVMValueRef half_of(Lower *l, const Row *row, bool is_signed, bool high, LLVMValueRef a) {
    u32 lanes = LLVMGetVectorSize(wr_lanes_type(l->unit, (Shape)row->shape));
    return widened(l, row, is_signed, some_lanes(l, a, high ? lanes : 0, 1, lanes));
}
/* Every other lane, from the first or the second one on. */
static LLVMValueRef every_other(Lower *l, const Row *row, bool is_signed, u32 first,
                                LLVMValueRef a) {
    u32 lanes = LLVMGetVectorSize(wr_lanes_type(l->unit, (Shape)row->shape));
    return widened(l, row, is_signed, some_lanes(l, a, first, 2, lanes));
}

static LLVMValueRef product(Lower *l, const Row *row, LLVMValueRef a, LLVMValueRef b) {
    bool is_signed = row->what == PRODUCT_LOW_S || row->what == PRODUCT_HIGH_S;
    bool high = row->what == PRODUCT_HIGH_S || row->what == PRODUCT_HIGH_U;
    return LLVMBuildMul(l->b, half_of(l, row, is_signed, high, a),
                        half_of(l, row, is_signed, high, b), "");
}

/* a and b, which are signed, in lanes of half the width, where what is out of range is the nearest in it. */
static LLVMValueRef narrow(Lower *l, const Row *row, LLVMValueRef a, LLVMValueRef b) {
    u32 bits = wr_lanes_bits((Shape)row->shape);
    bool is_signed = row->what == NARROW_S;
    u64 high = ((u64)1 << (bits - is_signed)) - 1, low = is_signed ? ~high : 0;
    LLVMValueRef both = concatenated(l, a, b);
    LLVMTypeRef type = LLVMTypeOf(both);
    LLVMValueRef above[] = {both, wr_lanes_constant(type, low)};
    LLVMValueRef below[] = {wr_lower_intrinsic(l, "llvm.smax", &type, 1, above, 2),
                            wr_lanes_constant(type, high)};
    LLVMValueRef clamped = wr_lower_intrinsic(l, "llvm.smin", &type, 1, below, 2);
    return LLVMBuildTrunc(l->b, clamped, wr_lanes_type(l->unit, (Shape)row->shape), "");
}

/* (a + b + 1) / 2: LLVM knows it from this form. */
static LLVMValueRef average(Lower *l, Shape shape, LLVMValueRef a, LLVMValueRef b) {
    LLVMTypeRef type = wr_lanes_type(l->unit, shape);
    LLVMTypeRef lane = LLVMIntTypeInContext(l->unit->context, 2 * wr_lanes_bits(shape));
    LLVMTypeRef wide = LLVMVectorType(lane, LLVMGetVectorSize(type));
    LLVMValueRef one = wr_lanes_constant(wide, 1);
    LLVMValueRef sum =
        LLVMBuildAdd(l->b, LLVMBuildZExt(l->b, a, wide, ""), LLVMBuildZExt(l->b, b, wide, ""), "");
    sum = LLVMBuildAdd(l->b, sum, one, "");
    return LLVMBuildTrunc(l->b, LLVMBuildLShr(l->b, sum, one, ""), type, "");
}

/* ---- sums and products of neighbours ---- */

/* Sums of pairs of lanes. x86 multiplies by ones; the first operand of pmaddubsw is unsigned, the second
 * signed. */
static LLVMValueRef pairwise(Lower *l, const Row *row, LLVMValueRef a) {
    bool is_signed = row->what == PAIRWISE_S, bytes = row->from == I8X16;
    LLVMValueRef ones = wr_lanes_splat_int(l, (Shape)row->from, 1);
    LLVMTypeRef types[] = {wr_lanes_type(l->unit, (Shape)row->shape), LLVMTypeOf(a)};
    if (wr_target_is_arm(l->unit))
        return wr_lower_intrinsic(
            l, is_signed ? "llvm.aarch64.neon.saddlp" : "llvm.aarch64.neon.uaddlp", types, 2, &a,
            1);
    LLVMValueRef factors[] = {bytes && is_signed ? ones : a, bytes && is_signed ? a : ones};
    if (bytes && wr_target_has(l->unit, "ssse3"))
        return wr_lower_intrinsic(l, "llvm.x86.ssse3.pmadd.ub.sw.128", NULL, 0, factors, 2);
    if (!bytes && is_signed && wr_target_is_x86(l->unit))
        return wr_lower_intrinsic(l, "llvm.x86.sse2.pmadd.wd", NULL, 0, factors, 2);
    return LLVMBuildAdd(l->b, every_other(l, row, is_signed, 0, a),
                        every_other(l, row, is_signed, 1, a), "");
}

static LLVMValueRef dot(Lower *l, const Row *row, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef factors[] = {a, b};
    if (wr_target_is_x86(l->unit))
        return wr_lower_intrinsic(l, "llvm.x86.sse2.pmadd.wd", NULL, 0, factors, 2);
    LLVMValueRef even =
        LLVMBuildMul(l->b, every_other(l, row, true, 0, a), every_other(l, row, true, 0, b), "");
    LLVMValueRef odd =
        LLVMBuildMul(l->b, every_other(l, row, true, 1, a), every_other(l, row, true, 1, b), "");
    return LLVMBuildAdd(l->b, even, odd, "");
}

/* Of bytes, both operands signed; sums of products saturate (-128 * -128, twice). */
static LLVMValueRef dot_bytes(Lower *l, LLVMValueRef a, LLVMValueRef b) {
    static const Row to_words = {.shape = I16X8, .from = I8X16};
    LLVMTypeRef type = wr_lanes_type(l->unit, I16X8);
    LLVMValueRef products[2];
    for (u32 i = 0; i < 2; i++)
        products[i] = LLVMBuildMul(l->b, every_other(l, &to_words, true, i, a),
                                   every_other(l, &to_words, true, i, b), "");
    return wr_lower_intrinsic(l, "llvm.sadd.sat", &type, 1, products, 2);
}
static LLVMValueRef dot_bytes_add(Lower *l, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    static const Row sums = {.shape = I32X4, .from = I16X8, .what = PAIRWISE_S};
    LLVMValueRef words = dot_bytes(l, a, b);
    return LLVMBuildAdd(l->b, pairwise(l, &sums, words), wr_lanes_cast(l, c, I32X4), "");
}

/* (a * b + 0x4000) >> 15, saturating: that is, where both are -32768. */
static LLVMValueRef q15_product(Lower *l, LLVMValueRef a, LLVMValueRef b) {
    LLVMTypeRef type = LLVMTypeOf(a), wide = LLVMVectorType(l->unit->i32, 8);
    LLVMValueRef factors[] = {a, b}, least = wr_lanes_splat_int(l, I16X8, 0x8000), rounded;
    if (wr_target_is_arm(l->unit))
        return wr_lower_intrinsic(l, "llvm.aarch64.neon.sqrdmulh", &type, 1, factors, 2);
    if (wr_target_has(l->unit, "ssse3")) {
        rounded = wr_lower_intrinsic(l, "llvm.x86.ssse3.pmul.hr.sw.128", NULL, 0, factors, 2);
    } else {
        LLVMValueRef half = wr_lanes_constant(wide, 0x4000);
        LLVMValueRef fifteen = wr_lanes_constant(wide, 15);
        LLVMValueRef exact = LLVMBuildMul(l->b, LLVMBuildSExt(l->b, a, wide, ""),
                                          LLVMBuildSExt(l->b, b, wide, ""), "");
        rounded = LLVMBuildAShr(l->b, LLVMBuildAdd(l->b, exact, half, ""), fifteen, "");
        rounded = LLVMBuildTrunc(l->b, rounded, type, "");
    }
    LLVMValueRef over = LLVMBuildICmp(l->b, LLVMIntEQ, rounded, least, "");
    return LLVMBuildXor(l->b, rounded, LLVMBuildSExt(l->b, over, type, ""), "");
}

/* ---- floats and integers ---- */

/* The low lanes of `half`, and zeros. */
static LLVMValueRef and_zeros(Lower *l, LLVMValueRef half) {
    return concatenated(l, half, LLVMConstNull(LLVMTypeOf(half)));
}

static LLVMValueRef saturated(Lower *l, bool is_signed, LLVMValueRef a) {
    LLVMTypeRef type = LLVMVectorType(l->unit->i32, LLVMGetVectorSize(LLVMTypeOf(a)));
    LLVMTypeRef types[] = {type, LLVMTypeOf(a)};
    return wr_lower_intrinsic(l, is_signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat", types, 2, &a,
                              1);
}

/* x86: what is out of range, and a NaN, becomes the least integer; so that becomes the greatest where the
 * number is large (all bits change), and 0 where there is none. */
static LLVMValueRef truncate_f32_s(Lower *l, LLVMValueRef a) {
    if (!wr_target_is_x86(l->unit)) return saturated(l, true, a);
    LLVMTypeRef type = wr_lanes_type(l->unit, I32X4);
    LLVMValueRef bits = wr_lower_intrinsic(l, "llvm.x86.sse2.cvttps2dq", NULL, 0, &a, 1);
    LLVMValueRef large = LLVMBuildFCmp(l->b, LLVMRealOGE, a, wr_lanes_splat(l, F32X4, 0x1p31), "");
    LLVMValueRef number = LLVMBuildFCmp(l->b, LLVMRealORD, a, a, "");
    bits = LLVMBuildXor(l->b, bits, LLVMBuildSExt(l->b, large, type, ""), "");
    return LLVMBuildAnd(l->b, bits, LLVMBuildSExt(l->b, number, type, ""), "");
}

/* The upper half of the range is moved to that of signed numbers. */
static LLVMValueRef truncate_f32_u(Lower *l, LLVMValueRef a) {
    if (!wr_target_is_x86(l->unit)) return saturated(l, false, a);
    LLVMTypeRef type = wr_lanes_type(l->unit, I32X4);
    LLVMValueRef half = wr_lanes_splat(l, F32X4, 0x1p31), none = wr_lanes_splat(l, F32X4, 0);
    LLVMValueRef high = LLVMBuildFCmp(l->b, LLVMRealOGE, a, half, "");
    LLVMValueRef moved = LLVMBuildFSub(l->b, a, LLVMBuildSelect(l->b, high, half, none, ""), "");
    LLVMValueRef bits = truncate_f32_s(l, moved);
    LLVMValueRef top = LLVMBuildSelect(l->b, high, wr_lanes_splat_int(l, I32X4, 0x80000000),
                                       LLVMConstNull(type), "");
    LLVMValueRef positive = LLVMBuildFCmp(l->b, LLVMRealOGT, a, none, "");
    return LLVMBuildAnd(l->b, LLVMBuildXor(l->b, bits, top, ""),
                        LLVMBuildSExt(l->b, positive, type, ""), "");
}

/* x86: too small a number becomes the least integer by itself; others are limited before, a NaN to 0. */
static LLVMValueRef truncate_f64_s(Lower *l, LLVMValueRef a) {
    if (!wr_target_is_x86(l->unit)) return and_zeros(l, saturated(l, true, a));
    LLVMValueRef number = LLVMBuildFCmp(l->b, LLVMRealORD, a, a, "");
    LLVMValueRef limit = LLVMBuildSelect(l->b, number, wr_lanes_splat(l, F64X2, 2147483647.0),
                                         wr_lanes_splat(l, F64X2, 0), "");
    LLVMValueRef less = LLVMBuildFCmp(l->b, LLVMRealOLT, a, limit, "");
    LLVMValueRef limited = LLVMBuildSelect(l->b, less, a, limit, "");
    return wr_lower_intrinsic(l, "llvm.x86.sse2.cvttpd2dq", NULL, 0, &limited, 1);
}

/* An integer below 2^52, plus 2^52, has its bits at the low end. */
static LLVMValueRef truncate_f64_u(Lower *l, LLVMValueRef a) {
    if (!wr_target_is_x86(l->unit)) return and_zeros(l, saturated(l, false, a));
    LLVMValueRef none = wr_lanes_splat(l, F64X2, 0), most = wr_lanes_splat(l, F64X2, 4294967295.0);
    LLVMValueRef positive = LLVMBuildFCmp(l->b, LLVMRealOGT, a, none, "");
    LLVMValueRef from_0 = LLVMBuildSelect(l->b, positive, a, none, "");
    LLVMValueRef less = LLVMBuildFCmp(l->b, LLVMRealOLT, from_0, most, "");
    LLVMValueRef limited = LLVMBuildSelect(l->b, less, from_0, most, "");
    LLVMValueRef whole = wr_lanes_round(l, F64X2, FLOOR, limited);
    LLVMValueRef sum = LLVMBuildFAdd(l->b, whole, wr_lanes_splat(l, F64X2, 0x1p52), "");
    return and_zeros(l, some_lanes(l, wr_lanes_cast(l, sum, I32X4), 0, 2, 2));
}

/* Narrowing what has just been widened would be folded: see lanes.h. */
static LLVMValueRef demote_zero(Lower *l, LLVMValueRef a) {
    LLVMTypeRef half = LLVMVectorType(l->unit->f32, 2);
    LLVMValueRef all = and_zeros(l, LLVMBuildFPTrunc(l->b, a, half, ""));
    return LLVMIsAFPExtInst(a) != NULL ? wr_lanes_quiet(l, F32X4, all) : all;
}

static LLVMValueRef multiply_add(Lower *l, const Row *row, LLVMValueRef *o) {
    LLVMValueRef result = LLVMBuildFMul(l->b, o[0], o[1], "");
    return row->what == MULTIPLY_ADD ? LLVMBuildFAdd(l->b, result, o[2], "")
                                     : LLVMBuildFSub(l->b, o[2], result, "");
}

/* ---- all of them ---- */

/* Operands in lanes: those of `from` if there is one, which has fewer bits or is of another kind. */
static LLVMValueRef other(Lower *l, const Row *row, LLVMValueRef *o) {
    LLVMBuilderRef b = l->b;
    Shape shape = (Shape)row->shape;
    LLVMTypeRef type = wr_lanes_type(l->unit, shape);
    switch (row->what) {
    case NOT: return LLVMBuildNot(b, o[0], "");
    case ANDNOT: return LLVMBuildAnd(b, o[0], LLVMBuildNot(b, o[1], ""), "");
    case BITSELECT: return bitselect(l, o[0], o[1], o[2]);
    case ANY_TRUE: return any_true(l, o[0]);
    case ALL_TRUE: return all_true(l, o[0]);
    case BITMASK: return bitmask(l, o[0]);
    case SHUFFLE: return shuffle(l, o[0], o[1]);
    case SWIZZLE: return swizzle(l, o[0], o[1]);
    case SPLAT: return splat(l, shape, o[0]);
    case EXTRACT_S:
    case EXTRACT_U: return extract(l, row, o[0]);
    case REPLACE:
        return LLVMBuildInsertElement(b, o[0], to_lane(l, shape, o[1]), lane_index(l, l->at.lane),
                                      "");
    case NARROW_S:
    case NARROW_U: return narrow(l, row, o[0], o[1]);
    case AVERAGE: return average(l, shape, o[0], o[1]);
    case LOW_S:
    case LOW_U: return half_of(l, row, row->what == LOW_S, false, o[0]);
    case HIGH_S:
    case HIGH_U: return half_of(l, row, row->what == HIGH_S, true, o[0]);
    case PAIRWISE_S:
    case PAIRWISE_U: return pairwise(l, row, o[0]);
    case DOT: return dot(l, row, o[0], o[1]);
    case DOT_BYTES: return dot_bytes(l, o[0], o[1]);
    case DOT_BYTES_ADD: return dot_bytes_add(l, o[0], o[1], o[2]);
    case Q15_PRODUCT: return q15_product(l, o[0], o[1]);
    case TRUNCATE_F32_S: return truncate_f32_s(l, o[0]);
    case TRUNCATE_F32_U: return truncate_f32_u(l, o[0]);
    case TRUNCATE_F64_S: return truncate_f64_s(l, o[0]);
    case TRUNCATE_F64_U: return truncate_f64_u(l, o[0]);
    case PROMOTE_LOW: return LLVMBuildFPExt(b, some_lanes(l, o[0], 0, 1, 2), type, "");
    case DEMOTE_ZERO: return demote_zero(l, o[0]);
    case CONVERT_LOW_S: return LLVMBuildSIToFP(b, some_lanes(l, o[0], 0, 1, 2), type, "");
    case CONVERT_LOW_U: return LLVMBuildUIToFP(b, some_lanes(l, o[0], 0, 1, 2), type, "");
    case MULTIPLY_ADD:
    case MULTIPLY_SUB: return multiply_add(l, row, o);
    default: return product(l, row, o[0], o[1]);
    }
}

bool wr_lower_simd(Lower *l, Opcode op) {
    const Row *row = &rows[op];
    LLVMValueRef operands[4];
    if (row->how == NO_ROW) return false;
    wr_lower_pop_all(l, op, operands);
    if (row->how != OTHER) {
        wr_lower_push(l, wr_lanes_apply(l, row, operands));
        return true;
    }
    const char *sig = wr_op_sig(op);
    Shape shape = (Shape)(row->from != 0 ? row->from : row->shape);
    for (u32 i = 0; sig[i] != '>'; i++)
        if (sig[i] == 'v') operands[i] = wr_lanes_cast(l, operands[i], shape);
    LLVMValueRef result = other(l, row, operands);
    bool is_vector = LLVMGetTypeKind(LLVMTypeOf(result)) == LLVMVectorTypeKind;
    wr_lower_push(l, is_vector ? LLVMBuildBitCast(l->b, result, l->unit->v128, "") : result);
    return true;
}
