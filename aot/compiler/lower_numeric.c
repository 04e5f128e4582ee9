/*
 * lower_numeric.c - scalar numeric instructions: a table that stands beside numeric.def, one row for each of
 * its rows, and what no row can say: division, truncation, wide arithmetic (spec: exec/numerics).
 */
#include "lanes.h"

enum {
    DIVIDE_S,
    DIVIDE_U,
    REMAINDER_S,
    REMAINDER_U,
    TRUNCATE_S,
    TRUNCATE_U,
    SATURATE_S,
    SATURATE_U,
    ADD_WIDE,
    SUB_WIDE,
    MUL_WIDE_S,
    MUL_WIDE_U
};

#define EACH_INTEGER(T)                                                                            \
    [OP_##T##_EQZ] = ROW(IS_ZERO, T), [OP_##T##_EQ] = OF(COMPARE, T, LLVMIntEQ),                   \
    [OP_##T##_NE] = OF(COMPARE, T, LLVMIntNE), [OP_##T##_LT_S] = OF(COMPARE, T, LLVMIntSLT),       \
    [OP_##T##_LT_U] = OF(COMPARE, T, LLVMIntULT), [OP_##T##_GT_S] = OF(COMPARE, T, LLVMIntSGT),    \
    [OP_##T##_GT_U] = OF(COMPARE, T, LLVMIntUGT), [OP_##T##_LE_S] = OF(COMPARE, T, LLVMIntSLE),    \
    [OP_##T##_LE_U] = OF(COMPARE, T, LLVMIntULE), [OP_##T##_GE_S] = OF(COMPARE, T, LLVMIntSGE),    \
    [OP_##T##_GE_U] = OF(COMPARE, T, LLVMIntUGE),                                                  \
    [OP_##T##_CLZ] = NAMED(COUNT_ZEROS, T, "llvm.ctlz"),                                           \
    [OP_##T##_CTZ] = NAMED(COUNT_ZEROS, T, "llvm.cttz"),                                           \
    [OP_##T##_POPCNT] = NAMED(INTRINSIC, T, "llvm.ctpop"),                                         \
    [OP_##T##_ADD] = OF(BINARY, T, LLVMAdd), [OP_##T##_SUB] = OF(BINARY, T, LLVMSub),              \
    [OP_##T##_MUL] = OF(BINARY, T, LLVMMul), [OP_##T##_DIV_S] = OF(OTHER, T, DIVIDE_S),            \
    [OP_##T##_DIV_U] = OF(OTHER, T, DIVIDE_U), [OP_##T##_REM_S] = OF(OTHER, T, REMAINDER_S),       \
    [OP_##T##_REM_U] = OF(OTHER, T, REMAINDER_U), [OP_##T##_AND] = OF(BINARY, T, LLVMAnd),         \
    [OP_##T##_OR] = OF(BINARY, T, LLVMOr), [OP_##T##_XOR] = OF(BINARY, T, LLVMXor),                \
    [OP_##T##_SHL] = OF(SHIFT, T, LLVMShl), [OP_##T##_SHR_S] = OF(SHIFT, T, LLVMAShr),             \
    [OP_##T##_SHR_U] = OF(SHIFT, T, LLVMLShr), [OP_##T##_ROTL] = NAMED(ROTATE, T, "llvm.fshl"),    \
    [OP_##T##_ROTR] = NAMED(ROTATE, T, "llvm.fshr"), [OP_##T##_EXTEND8_S] = OF(EXTEND_LOW, T, 8),  \
    [OP_##T##_EXTEND16_S] = OF(EXTEND_LOW, T, 16),                                                 \
    [OP_##T##_TRUNC_F32_S] = FROM(OTHER, T, F32, TRUNCATE_S),                                      \
    [OP_##T##_TRUNC_F32_U] = FROM(OTHER, T, F32, TRUNCATE_U),                                      \
    [OP_##T##_TRUNC_F64_S] = FROM(OTHER, T, F64, TRUNCATE_S),                                      \
    [OP_##T##_TRUNC_F64_U] = FROM(OTHER, T, F64, TRUNCATE_U),                                      \
    [OP_##T##_TRUNC_SAT_F32_S] = FROM(OTHER, T, F32, SATURATE_S),                                  \
    [OP_##T##_TRUNC_SAT_F32_U] = FROM(OTHER, T, F32, SATURATE_U),                                  \
    [OP_##T##_TRUNC_SAT_F64_S] = FROM(OTHER, T, F64, SATURATE_S),                                  \
    [OP_##T##_TRUNC_SAT_F64_U] = FROM(OTHER, T, F64, SATURATE_U)

#define EACH_FLOAT(T)                                                                              \
    [OP_##T##_EQ] = OF(COMPARE_FLOAT, T, LLVMRealOEQ),                                             \
    [OP_##T##_NE] = OF(COMPARE_FLOAT, T, LLVMRealUNE),                                             \
    [OP_##T##_LT] = OF(COMPARE_FLOAT, T, LLVMRealOLT),                                             \
    [OP_##T##_GT] = OF(COMPARE_FLOAT, T, LLVMRealOGT),                                             \
    [OP_##T##_LE] = OF(COMPARE_FLOAT, T, LLVMRealOLE),                                             \
    [OP_##T##_GE] = OF(COMPARE_FLOAT, T, LLVMRealOGE),                                             \
    [OP_##T##_ABS] = NAMED(INTRINSIC, T, "llvm.fabs"), [OP_##T##_NEG] = ROW(NEGATE, T),            \
    [OP_##T##_CEIL] = OF(ROUND, T, CEIL), [OP_##T##_FLOOR] = OF(ROUND, T, FLOOR),                  \
    [OP_##T##_TRUNC] = OF(ROUND, T, TRUNC), [OP_##T##_NEAREST] = OF(ROUND, T, NEAREST),            \
    [OP_##T##_SQRT] = NAMED(INTRINSIC, T, "llvm.sqrt"),                                            \
    [OP_##T##_ADD] = OF(ARITHMETIC, T, LLVMFAdd), [OP_##T##_SUB] = OF(ARITHMETIC, T, LLVMFSub),    \
    [OP_##T##_MUL] = OF(ARITHMETIC, T, LLVMFMul), [OP_##T##_DIV] = OF(ARITHMETIC, T, LLVMFDiv),    \
    [OP_##T##_MIN] = ROW(MINIMUM, T), [OP_##T##_MAX] = ROW(MAXIMUM, T),                            \
    [OP_##T##_COPYSIGN] = NAMED(INTRINSIC, T, "llvm.copysign"),                                    \
    [OP_##T##_CONVERT_I32_S] = FROM(CONVERT, T, I32, LLVMSIToFP),                                  \
    [OP_##T##_CONVERT_I32_U] = FROM(CONVERT, T, I32, LLVMUIToFP),                                  \
    [OP_##T##_CONVERT_I64_S] = FROM(CONVERT, T, I64, LLVMSIToFP),                                  \
    [OP_##T##_CONVERT_I64_U] = FROM(CONVERT, T, I64, LLVMUIToFP)

static const Row rows[OP_COUNT] = {
    EACH_INTEGER(I32),
    EACH_INTEGER(I64),
    EACH_FLOAT(F32),
    EACH_FLOAT(F64),
    [OP_I64_EXTEND32_S] = OF(EXTEND_LOW, I64, 32),
    [OP_I64_EXTEND_I32_S] = FROM(CONVERT, I64, I32, LLVMSExt),
    [OP_I64_EXTEND_I32_U] = FROM(CONVERT, I64, I32, LLVMZExt),
    [OP_I32_WRAP_I64] = FROM(CONVERT, I32, I64, LLVMTrunc),
    [OP_F64_PROMOTE_F32] = FROM(CONVERT, F64, F32, LLVMFPExt),
    [OP_F32_DEMOTE_F64] = FROM(DEMOTE, F32, F64, 0),
    [OP_I32_REINTERPRET_F32] = FROM(CONVERT, I32, F32, LLVMBitCast),
    [OP_I64_REINTERPRET_F64] = FROM(CONVERT, I64, F64, LLVMBitCast),
    [OP_F32_REINTERPRET_I32] = FROM(CONVERT, F32, I32, LLVMBitCast),
    [OP_F64_REINTERPRET_I64] = FROM(CONVERT, F64, I64, LLVMBitCast),
    [OP_I64_ADD128] = OF(OTHER, I64, ADD_WIDE),
    [OP_I64_SUB128] = OF(OTHER, I64, SUB_WIDE),
    [OP_I64_MUL_WIDE_S] = OF(OTHER, I64, MUL_WIDE_S),
    [OP_I64_MUL_WIDE_U] = OF(OTHER, I64, MUL_WIDE_U),
};

/* ---- what traps ---- */

/* A divisor that is a constant needs no test. */
static void trap_if(Lower *l, LLVMValueRef condition, wr_trap_code_t code) {
    if (LLVMIsAConstantInt(condition) == NULL || LLVMConstIntGetZExtValue(condition) != 0)
        wr_lower_trap_if(l, condition, code);
}

static LLVMValueRef is_minus_one(Lower *l, LLVMValueRef value) {
    return LLVMBuildICmp(l->b, LLVMIntEQ, value, LLVMConstAllOnes(LLVMTypeOf(value)), "");
}

static LLVMValueRef divide(Lower *l, const Row *row, LLVMValueRef a, LLVMValueRef b) {
    LLVMTypeRef type = LLVMTypeOf(a);
    trap_if(l, LLVMBuildIsNull(l->b, b, ""), WR_TRAP_INTEGER_DIVIDE_BY_ZERO);
    if (row->what == DIVIDE_U) return LLVMBuildUDiv(l->b, a, b, "");
    if (row->what == REMAINDER_U) return LLVMBuildURem(l->b, a, b, "");
    LLVMValueRef negates = is_minus_one(l, b);
    if (row->what == REMAINDER_S) {
        LLVMValueRef divisor = LLVMBuildSelect(l->b, negates, LLVMConstInt(type, 1, false), b, "");
        return LLVMBuildSRem(l->b, a, divisor, "");
    }
    LLVMValueRef least =
        LLVMConstInt(type, (u64)1 << (wr_lanes_bits((Shape)row->shape) - 1), false);
    LLVMValueRef is_least = LLVMBuildICmp(l->b, LLVMIntEQ, a, least, "");
    trap_if(l, LLVMBuildAnd(l->b, negates, is_least, ""), WR_TRAP_INTEGER_OVERFLOW);
    return LLVMBuildSDiv(l->b, a, b, "");
}

/* The range of operands in which a truncation is exact: above `low`, or from it on, and below 2^high_bits.
 * Of the integers just below a range some are no float; then the range begins with its least member. */
static LLVMValueRef is_in_range(Lower *l, const Row *row, LLVMValueRef a) {
    bool is_signed = row->what == TRUNCATE_S;
    u32 bits = wr_lanes_bits((Shape)row->shape);
    bool below_is_float = !is_signed || (bits == 32 && row->from == F64);
    double least = is_signed ? (bits == 32 ? -0x1p31 : -0x1p63) : 0;
    double high = is_signed ? -least : bits == 32 ? 0x1p32 : 0x1p64;
    LLVMValueRef low = LLVMConstReal(LLVMTypeOf(a), below_is_float ? least - 1 : least);
    LLVMValueRef above =
        LLVMBuildFCmp(l->b, below_is_float ? LLVMRealOGT : LLVMRealOGE, a, low, "");
    LLVMValueRef below =
        LLVMBuildFCmp(l->b, LLVMRealOLT, a, LLVMConstReal(LLVMTypeOf(a), high), "");
    return LLVMBuildAnd(l->b, above, below, "");
}

/* Which trap it is, is asked out of line. */
static LLVMValueRef truncate(Lower *l, const Row *row, LLVMValueRef a) {
    LLVMTypeRef type = wr_lanes_type(l->unit, (Shape)row->shape);
    LLVMBasicBlockRef inside;
    wr_lower_unlikely(l, LLVMBuildNot(l->b, is_in_range(l, row, a), ""), &inside);
    LLVMValueRef is_nan = LLVMBuildFCmp(l->b, LLVMRealUNO, a, a, "");
    wr_lower_trap(l, LLVMBuildSelect(l->b, is_nan,
                                     wr_lower_i32(l, WR_TRAP_INVALID_CONVERSION_TO_INTEGER),
                                     wr_lower_i32(l, WR_TRAP_INTEGER_OVERFLOW), ""));
    LLVMPositionBuilderAtEnd(l->b, inside);
    return row->what == TRUNCATE_S ? LLVMBuildFPToSI(l->b, a, type, "")
                                   : LLVMBuildFPToUI(l->b, a, type, "");
}

/* ---- others ---- */

static LLVMValueRef saturate(Lower *l, const Row *row, LLVMValueRef a) {
    LLVMTypeRef types[] = {wr_lanes_type(l->unit, (Shape)row->shape), LLVMTypeOf(a)};
    const char *name = row->what == SATURATE_S ? "llvm.fptosi.sat" : "llvm.fptoui.sat";
    return wr_lower_intrinsic(l, name, types, 2, &a, 1);
}

/* Wide arithmetic: 128-bit numbers are two i64, low half first. */
static LLVMValueRef joined(Lower *l, LLVMValueRef low, LLVMValueRef high) {
    LLVMTypeRef wide = LLVMInt128TypeInContext(l->unit->context);
    LLVMValueRef above =
        LLVMBuildShl(l->b, LLVMBuildZExt(l->b, high, wide, ""), LLVMConstInt(wide, 64, false), "");
    return LLVMBuildOr(l->b, above, LLVMBuildZExt(l->b, low, wide, ""), "");
}
static void push_halves(Lower *l, LLVMValueRef value) {
    LLVMValueRef above = LLVMBuildLShr(l->b, value, LLVMConstInt(LLVMTypeOf(value), 64, false), "");
    wr_lower_push(l, LLVMBuildTrunc(l->b, value, l->unit->i64, ""));
    wr_lower_push(l, LLVMBuildTrunc(l->b, above, l->unit->i64, ""));
}
static void wide(Lower *l, const Row *row, LLVMValueRef *o) {
    LLVMTypeRef type = LLVMInt128TypeInContext(l->unit->context);
    LLVMOpcode extend = row->what == MUL_WIDE_S ? LLVMSExt : LLVMZExt;
    bool is_product = row->what == MUL_WIDE_S || row->what == MUL_WIDE_U;
    LLVMOpcode op = is_product ? LLVMMul : row->what == ADD_WIDE ? LLVMAdd : LLVMSub;
    LLVMValueRef a =
        is_product ? LLVMBuildCast(l->b, extend, o[0], type, "") : joined(l, o[0], o[1]);
    LLVMValueRef b =
        is_product ? LLVMBuildCast(l->b, extend, o[1], type, "") : joined(l, o[2], o[3]);
    push_halves(l, LLVMBuildBinOp(l->b, op, a, b, ""));
}

static LLVMValueRef other(Lower *l, const Row *row, LLVMValueRef *o) {
    switch (row->what) {
    case TRUNCATE_S:
    case TRUNCATE_U: return truncate(l, row, o[0]);
    case SATURATE_S:
    case SATURATE_U: return saturate(l, row, o[0]);
    default: return divide(l, row, o[0], o[1]);
    }
}

bool wr_lower_numeric(Lower *l, Opcode op) {
    const Row *row = &rows[op];
    LLVMValueRef operands[4];
    if (row->how == NO_ROW) return false;
    wr_lower_pop_all(l, op, operands);
    if (row->how == OTHER && row->what >= ADD_WIDE)
        wide(l, row, operands);
    else
        wr_lower_push(l, row->how == OTHER ? other(l, row, operands)
                                           : wr_lanes_apply(l, row, operands));
    return true;
}
