/*
 * lanes.c - see lanes.h.
 */
#include "lanes.h"

/* ---- types ---- */

static const struct {
    u8 lanes, bits; /* lanes: 0 for a scalar */
    bool is_float;
} shapes[SHAPES] = {
    [I32] = {0, 32, false},   [I64] = {0, 64, false},   [F32] = {0, 32, true},
    [F64] = {0, 64, true},    [I8X16] = {16, 8, false}, [I16X8] = {8, 16, false},
    [I32X4] = {4, 32, false}, [I64X2] = {2, 64, false}, [F32X4] = {4, 32, true},
    [F64X2] = {2, 64, true},
};

bool wr_lanes_are_floats(Shape shape) { return shapes[shape].is_float; }
u32 wr_lanes_bits(Shape shape) { return shapes[shape].bits; }

static LLVMTypeRef lane_integer(const Unit *unit, Shape shape) {
    switch (shapes[shape].bits) {
    case 8: return unit->i8;
    case 16: return unit->i16;
    case 32: return unit->i32;
    default: return unit->i64;
    }
}
static LLVMTypeRef in_lanes(LLVMTypeRef lane, Shape shape) {
    u32 lanes = shapes[shape].lanes;
    return lanes == 0 ? lane : LLVMVectorType(lane, lanes);
}
LLVMTypeRef wr_lanes_integers(const Unit *unit, Shape shape) {
    return in_lanes(lane_integer(unit, shape), shape);
}
LLVMTypeRef wr_lanes_type(const Unit *unit, Shape shape) {
    if (!shapes[shape].is_float) return wr_lanes_integers(unit, shape);
    return in_lanes(shapes[shape].bits == 32 ? unit->f32 : unit->f64, shape);
}

static LLVMValueRef in_all_lanes(LLVMValueRef value, u32 lanes) {
    LLVMValueRef all[16];
    if (lanes == 0) return value;
    for (u32 i = 0; i < lanes; i++) all[i] = value;
    return LLVMConstVector(all, lanes);
}
LLVMValueRef wr_lanes_constant(LLVMTypeRef type, u64 value) {
    if (LLVMGetTypeKind(type) != LLVMVectorTypeKind) return LLVMConstInt(type, value, true);
    return in_all_lanes(LLVMConstInt(LLVMGetElementType(type), value, true),
                        LLVMGetVectorSize(type));
}
LLVMValueRef wr_lanes_splat_int(Lower *l, Shape shape, u64 value) {
    return wr_lanes_constant(wr_lanes_integers(l->unit, shape), value);
}
LLVMValueRef wr_lanes_splat(Lower *l, Shape shape, double value) {
    LLVMTypeRef lane = shapes[shape].bits == 32 ? l->unit->f32 : l->unit->f64;
    return in_all_lanes(LLVMConstReal(lane, value), shapes[shape].lanes);
}
LLVMValueRef wr_lanes_cast(Lower *l, LLVMValueRef value, Shape shape) {
    return LLVMBuildBitCast(l->b, value, wr_lanes_type(l->unit, shape), "");
}
static LLVMValueRef as_integers(Lower *l, LLVMValueRef value, Shape shape) {
    return LLVMBuildBitCast(l->b, value, wr_lanes_integers(l->unit, shape), "");
}

/* ---- the target ---- */

bool wr_target_is_x86(const Unit *unit) { return strncmp(unit->plan->triple, "x86_64", 6) == 0; }
bool wr_target_is_arm(const Unit *unit) { return strncmp(unit->plan->triple, "aarch64", 7) == 0; }

static bool has_word(const char *list, const char *word) {
    size_t size = strlen(word);
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += size)
        if (p > list && p[-1] == '+' && (p[size] == 0 || p[size] == ',')) return true;
    return false;
}

/* The names of CPUs say it too, but only those of the levels are known here: LLVM's C interface tells
 * nothing about a CPU. */
bool wr_target_has(const Unit *unit, const char *feature) {
    if (!wr_target_is_x86(unit)) return false;
    if (unit->plan->features != NULL && has_word(unit->plan->features, feature)) return true;
    const char *cpu = unit->plan->cpu;
    bool is_level = cpu != NULL && strncmp(cpu, "x86-64-v", 8) == 0;
    return is_level && (strcmp(feature, "ssse3") == 0 || strcmp(feature, "sse4.1") == 0);
}

/* ---- building ---- */

void wr_lower_pop_all(Lower *l, Opcode op, LLVMValueRef *operands) {
    const char *sig = wr_op_sig(op);
    for (u32 n = (u32)(strchr(sig, '>') - sig); n > 0; n--) operands[n - 1] = wr_lower_pop(l);
}

LLVMValueRef wr_lower_intrinsic(Lower *l, const char *name, LLVMTypeRef *types, u32 ntypes,
                                LLVMValueRef *arguments, u32 nargs) {
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(l->unit->module, id, types, ntypes);
    LLVMTypeRef type = LLVMIntrinsicGetType(l->unit->context, id, types, ntypes);
    return LLVMBuildCall2(l->b, type, function, arguments, nargs, "");
}

static LLVMValueRef overloaded(Lower *l, const char *name, Shape shape, LLVMValueRef *arguments,
                               u32 nargs) {
    LLVMTypeRef type = wr_lanes_type(l->unit, shape);
    return wr_lower_intrinsic(l, name, &type, 1, arguments, nargs);
}

/* ---- floats ---- */

static u64 quiet_bit(Shape shape) { return shapes[shape].bits == 32 ? (u64)1 << 22 : (u64)1 << 51; }
static u64 canonical_nan(Shape shape) {
    return shapes[shape].bits == 32 ? 0x7FC00000 : 0x7FF8000000000000;
}

LLVMValueRef wr_lanes_quiet(Lower *l, Shape shape, LLVMValueRef value) {
    LLVMValueRef is_nan = LLVMBuildFCmp(l->b, LLVMRealUNO, value, value, "");
    LLVMValueRef quiet = LLVMBuildOr(l->b, as_integers(l, value, shape),
                                     wr_lanes_splat_int(l, shape, quiet_bit(shape)), "");
    return LLVMBuildSelect(l->b, is_nan, wr_lanes_cast(l, quiet, shape), value, "");
}

/* The number, but for its sign, with which LLVM folds an operation to its other operand, or to that negated: 0 or 1. */
static double neutral(const Row *row) {
    return row->what == LLVMFAdd || row->what == LLVMFSub ? 0 : 1;
}

static bool is_neutral(const Row *row, LLVMValueRef constant) {
    LLVMBool loses;
    double value = LLVMConstRealGetDouble(constant, &loses);
    return value == neutral(row) || value == -neutral(row);
}

/* The same of a lane's bits. */
static bool has_neutral_bits(const Row *row, u64 bits) {
    u64 one = shapes[row->shape].bits == 32 ? 0x3F800000 : 0x3FF0000000000000;
    u64 sign = (u64)1 << (shapes[row->shape].bits - 1);
    return (bits & (sign - 1)) == (neutral(row) == 0 ? 0 : one);
}

/* v128.const stays a cast of two i64. Each lane counts: LLVM may look at one of them alone. */
static bool has_neutral_lane(const Row *row, LLVMValueRef vector) {
    if (LLVMIsAConstantExpr(vector) == NULL || LLVMGetConstOpcode(vector) != LLVMBitCast ||
        LLVMIsAConstantDataVector(LLVMGetOperand(vector, 0)) == NULL)
        return true; /* seldom */
    for (u32 i = 0; i < 2; i++) {
        u64 bits = LLVMConstIntGetZExtValue(LLVMGetAggregateElement(LLVMGetOperand(vector, 0), i));
        bool is_wide = shapes[row->shape].bits == 64;
        if (has_neutral_bits(row, is_wide ? bits : bits & UINT32_MAX) ||
            has_neutral_bits(row, is_wide ? bits : bits >> 32))
            return true;
    }
    return false;
}

static bool may_fold(const Row *row, LLVMValueRef operand) {
    if (!LLVMIsConstant(operand)) return false;
    if (LLVMIsAConstantFP(operand) != NULL) return is_neutral(row, operand);
    return has_neutral_lane(row, operand);
}

static LLVMValueRef arithmetic(Lower *l, const Row *row, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef result = LLVMBuildBinOp(l->b, (LLVMOpcode)row->what, a, b, "");
    return may_fold(row, a) || may_fold(row, b) ? wr_lanes_quiet(l, row->shape, result) : result;
}

/* Narrowing what has just been widened is folded too. */
static LLVMValueRef demote(Lower *l, Shape shape, LLVMValueRef value) {
    LLVMValueRef result = LLVMBuildFPTrunc(l->b, value, wr_lanes_type(l->unit, shape), "");
    return LLVMIsAFPExtInst(value) != NULL ? wr_lanes_quiet(l, shape, result) : result;
}

/* fmin and fmax (spec: exec/numerics): either NaN wins, and -0 < +0. aarch64 has them. On x86 `a < b ? a : b`
 * is an instruction whose result is b for unordered operands and for zeros: taken both ways round, the bits
 * of the results differ in such lanes only, and joined they are right for zeros. */
static LLVMValueRef extremum(Lower *l, Shape shape, bool max, LLVMValueRef *ab) {
    if (wr_target_is_arm(l->unit))
        return overloaded(l, max ? "llvm.maximum" : "llvm.minimum", shape, ab, 2);
    LLVMRealPredicate before = max ? LLVMRealOGT : LLVMRealOLT;
    LLVMValueRef a = ab[0], b = ab[1];
    LLVMValueRef one = LLVMBuildSelect(l->b, LLVMBuildFCmp(l->b, before, a, b, ""), a, b, "");
    LLVMValueRef other = LLVMBuildSelect(l->b, LLVMBuildFCmp(l->b, before, b, a, ""), b, a, "");
    LLVMValueRef bits = LLVMBuildBinOp(l->b, max ? LLVMAnd : LLVMOr, as_integers(l, one, shape),
                                       as_integers(l, other, shape), "");
    LLVMValueRef nan = wr_lanes_cast(l, wr_lanes_splat_int(l, shape, canonical_nan(shape)), shape);
    LLVMValueRef unordered = LLVMBuildFCmp(l->b, LLVMRealUNO, a, b, "");
    return LLVMBuildSelect(l->b, unordered, nan, wr_lanes_cast(l, bits, shape), "");
}

static LLVMValueRef pseudo_extremum(Lower *l, bool max, LLVMValueRef *ab) {
    LLVMValueRef second = max ? LLVMBuildFCmp(l->b, LLVMRealOLT, ab[0], ab[1], "")
                              : LLVMBuildFCmp(l->b, LLVMRealOLT, ab[1], ab[0], "");
    return LLVMBuildSelect(l->b, second, ab[1], ab[0], "");
}

/* Without an instruction for it (x86 before SSE4.1) LLVM calls the C library, once for each lane. So it is
 * done as in numeric_simd.h: what is added to a small number and taken away again rounds it. */
static LLVMValueRef round_by_addition(Lower *l, Shape shape, Rounding rounding, LLVMValueRef a) {
    LLVMValueRef magnitude = overloaded(l, "llvm.fabs", shape, &a, 1);
    LLVMValueRef from = rounding == TRUNC ? magnitude : a;
    LLVMValueRef whole = wr_lanes_splat(l, shape, shapes[shape].bits == 32 ? 0x1p23 : 0x1p52);
    LLVMValueRef sum = LLVMBuildFAdd(l->b, magnitude, whole, "");
    LLVMValueRef near[] = {LLVMBuildFSub(l->b, sum, whole, ""), from};
    LLVMValueRef rounded = overloaded(l, "llvm.copysign", shape, near, 2);
    LLVMValueRef one = wr_lanes_splat(l, shape, 1), none = wr_lanes_splat(l, shape, 0);
    if (rounding == FLOOR || rounding == TRUNC) {
        LLVMValueRef above = LLVMBuildFCmp(l->b, LLVMRealOGT, rounded, from, "");
        rounded = LLVMBuildFSub(l->b, rounded, LLVMBuildSelect(l->b, above, one, none, ""), "");
    } else if (rounding == CEIL) {
        LLVMValueRef below = LLVMBuildFCmp(l->b, LLVMRealOLT, rounded, from, "");
        rounded = LLVMBuildFAdd(l->b, rounded, LLVMBuildSelect(l->b, below, one, none, ""), "");
    }
    LLVMValueRef with_sign[] = {rounded, a};
    rounded = overloaded(l, "llvm.copysign", shape, with_sign, 2);
    LLVMValueRef small = LLVMBuildFCmp(l->b, LLVMRealOLT, magnitude, whole, "");
    return LLVMBuildSelect(l->b, small, rounded, wr_lanes_quiet(l, shape, a), "");
}

LLVMValueRef wr_lanes_round(Lower *l, Shape shape, Rounding rounding, LLVMValueRef value) {
    static const char *const names[] = {"llvm.nearbyint", "llvm.floor", "llvm.ceil", "llvm.trunc"};
    if (wr_target_is_x86(l->unit) && !wr_target_has(l->unit, "sse4.1"))
        return round_by_addition(l, shape, rounding, value);
    return overloaded(l, names[rounding], shape, &value, 1);
}

/* ---- integers ---- */

static LLVMValueRef with_flag(Lower *l, const char *name, Shape shape, LLVMValueRef a) {
    LLVMValueRef arguments[] = {a, LLVMConstInt(l->unit->i1, 0, false)};
    return overloaded(l, name, shape, arguments, 2);
}

/* The count is an i32 for vectors. */
static LLVMValueRef shift(Lower *l, const Row *row, LLVMValueRef a, LLVMValueRef count) {
    Shape shape = row->shape;
    u32 bits = shapes[shape].bits, lanes = shapes[shape].lanes;
    count = LLVMBuildAnd(l->b, count, LLVMConstInt(LLVMTypeOf(count), bits - 1, false), "");
    if (lanes != 0) {
        LLVMTypeRef lane = lane_integer(l->unit, shape), type = LLVMVectorType(lane, lanes);
        count = bits > 32 ? LLVMBuildZExt(l->b, count, lane, "")
                          : LLVMBuildTrunc(l->b, count, lane, "");
        LLVMValueRef first = LLVMBuildInsertElement(l->b, LLVMGetPoison(type), count,
                                                    LLVMConstInt(l->unit->i32, 0, false), "");
        LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(l->unit->i32, lanes));
        count = LLVMBuildShuffleVector(l->b, first, LLVMGetPoison(type), zeros, "");
    }
    return LLVMBuildBinOp(l->b, (LLVMOpcode)row->what, a, count, "");
}

static LLVMValueRef extend_low(Lower *l, const Row *row, LLVMValueRef a) {
    LLVMTypeRef narrow = LLVMIntTypeInContext(l->unit->context, row->what);
    return LLVMBuildSExt(l->b, LLVMBuildTrunc(l->b, a, narrow, ""),
                         wr_lanes_type(l->unit, row->shape), "");
}

/* Of comparisons: 1 or 0 for scalars, a mask for lanes. */
static LLVMValueRef truth(Lower *l, Shape shape, LLVMValueRef condition) {
    if (shapes[shape].lanes == 0) return LLVMBuildZExt(l->b, condition, l->unit->i32, "");
    return LLVMBuildSExt(l->b, condition, wr_lanes_integers(l->unit, shape), "");
}

/* ---- rows ---- */

static LLVMValueRef apply(Lower *l, const Row *row, LLVMValueRef *o, u32 count) {
    Shape shape = row->shape;
    LLVMBuilderRef b = l->b;
    switch ((How)row->how) {
    case BINARY: return LLVMBuildBinOp(b, (LLVMOpcode)row->what, o[0], o[1], "");
    case ARITHMETIC: return arithmetic(l, row, o[0], o[1]);
    case NEGATE:
        return shapes[shape].is_float ? LLVMBuildFNeg(b, o[0], "") : LLVMBuildNeg(b, o[0], "");
    case COMPARE:
        return truth(l, shape, LLVMBuildICmp(b, (LLVMIntPredicate)row->what, o[0], o[1], ""));
    case COMPARE_FLOAT:
        return truth(l, shape, LLVMBuildFCmp(b, (LLVMRealPredicate)row->what, o[0], o[1], ""));
    case IS_ZERO: return truth(l, shape, LLVMBuildIsNull(b, o[0], ""));
    case INTRINSIC: return overloaded(l, row->name, shape, o, count);
    case COUNT_ZEROS: return with_flag(l, row->name, shape, o[0]);
    case ABSOLUTE: return with_flag(l, "llvm.abs", shape, o[0]);
    case SHIFT: return shift(l, row, o[0], o[1]);
    case ROTATE: {
        LLVMValueRef arguments[] = {o[0], o[0], o[1]};
        return overloaded(l, row->name, shape, arguments, 3);
    }
    case EXTEND_LOW: return extend_low(l, row, o[0]);
    case CONVERT:
        return LLVMBuildCast(b, (LLVMOpcode)row->what, o[0], wr_lanes_type(l->unit, shape), "");
    case DEMOTE: return demote(l, shape, o[0]);
    case ROUND: return wr_lanes_round(l, shape, (Rounding)row->what, o[0]);
    case MINIMUM: return extremum(l, shape, false, o);
    case MAXIMUM: return extremum(l, shape, true, o);
    case PSEUDO_MINIMUM: return pseudo_extremum(l, false, o);
    case PSEUDO_MAXIMUM: return pseudo_extremum(l, true, o);
    case NO_ROW:
    case OTHER: break;
    }
    return NULL;
}

/* v128 operands get the lanes of the row, and a v128 result loses them. */
LLVMValueRef wr_lanes_apply(Lower *l, const Row *row, LLVMValueRef *operands) {
    const char *sig = wr_op_sig(l->at.op);
    LLVMValueRef cast[4];
    u32 n = 0;
    for (; sig[n] != '>'; n++) {
        Shape shape = row->how == CONVERT || row->how == DEMOTE ? row->from : row->shape;
        cast[n] = sig[n] == 'v' ? wr_lanes_cast(l, operands[n], shape) : operands[n];
    }
    LLVMValueRef result = apply(l, row, cast, n);
    return sig[n + 1] == 'v' ? LLVMBuildBitCast(l->b, result, l->unit->v128, "") : result;
}

/* ---- after the passes ---- */

/* A comparison may serve several selections: each is guarded by what is done for the first. */
static void guard_select(LLVMBuilderRef b, LLVMValueRef select) {
    LLVMValueRef condition = LLVMGetOperand(select, 0);
    if (LLVMIsAFCmpInst(condition) == NULL) return;
    for (unsigned i = 0; i < 2; i++) {
        LLVMValueRef operand = LLVMGetOperand(condition, i);
        if (LLVMIsConstant(operand) || LLVMIsAFreezeInst(operand) != NULL) continue;
        LLVMPositionBuilderBefore(b, condition);
        LLVMSetOperand(condition, i, LLVMBuildFreeze(b, operand, ""));
    }
}

void wr_lanes_guard_selects(const Unit *unit) {
    if (!wr_target_is_arm(unit)) return;
    LLVMBuilderRef b = LLVMCreateBuilderInContext(unit->context);
    LLVMValueRef f, i;
    for (f = LLVMGetFirstFunction(unit->module); f != NULL; f = LLVMGetNextFunction(f)) {
        LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f);
        for (; block != NULL; block = LLVMGetNextBasicBlock(block))
            for (i = LLVMGetFirstInstruction(block); i != NULL; i = LLVMGetNextInstruction(i))
                if (LLVMIsASelectInst(i) != NULL) guard_select(b, i);
    }
    LLVMDisposeBuilder(b);
}
