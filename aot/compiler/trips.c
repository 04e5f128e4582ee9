/*
 * trips.c - see trips.h.
 */
#include "trips.h"

/* ---- finding ---- */

static LLVMIntPredicate inverse(LLVMIntPredicate p) {
    switch (p) {
    case LLVMIntEQ: return LLVMIntNE;
    case LLVMIntNE: return LLVMIntEQ;
    case LLVMIntUGT: return LLVMIntULE;
    case LLVMIntUGE: return LLVMIntULT;
    case LLVMIntULT: return LLVMIntUGE;
    case LLVMIntULE: return LLVMIntUGT;
    case LLVMIntSGT: return LLVMIntSLE;
    case LLVMIntSGE: return LLVMIntSLT;
    case LLVMIntSLT: return LLVMIntSGE;
    case LLVMIntSLE: return LLVMIntSGT;
    }
    return p;
}

/* Of a comparison with its operands exchanged. */
static LLVMIntPredicate mirrored(LLVMIntPredicate p) {
    switch (p) {
    case LLVMIntUGT: return LLVMIntULT;
    case LLVMIntUGE: return LLVMIntULE;
    case LLVMIntULT: return LLVMIntUGT;
    case LLVMIntULE: return LLVMIntUGE;
    case LLVMIntSGT: return LLVMIntSLT;
    case LLVMIntSGE: return LLVMIntSLE;
    case LLVMIntSLT: return LLVMIntSGT;
    case LLVMIntSLE: return LLVMIntSGE;
    case LLVMIntEQ:
    case LLVMIntNE: break;
    }
    return p;
}

static bool is_signed(LLVMIntPredicate p) { return p >= LLVMIntSGT; }
static bool is_greater(LLVMIntPredicate p) {
    return p == LLVMIntUGT || p == LLVMIntUGE || p == LLVMIntSGT || p == LLVMIntSGE;
}
static bool is_or_equal(LLVMIntPredicate p) {
    return p == LLVMIntUGE || p == LLVMIntULE || p == LLVMIntSGE || p == LLVMIntSLE;
}

static bool does_not_change(const Affine *a) {
    return a->step.nterms == 0 && a->step.constant == 0;
}

/* Both sides may change: what counts is their difference. */
static bool set_difference(Trips *t, const Affine *left, const Affine *right) {
    Linear step = left->step;
    t->start = left->base;
    t->limit = right->base;
    if (!wr_linear_add(&step, &right->step, ~0ull) || step.nterms != 0) return false;
    t->step = wr_linear_signed(step.constant, t->bits);
    return t->step != 0;
}

/* The number has to come nearer to the limit. */
static bool set_order(Trips *t, const Affine *left, const Affine *right) {
    if (!does_not_change(right)) {
        const Affine *other = left;
        left = right;
        right = other;
        t->compare = mirrored(t->compare);
    }
    return does_not_change(right) && set_difference(t, left, right) &&
           (t->step < 0) == is_greater(t->compare);
}

static bool set_comparison(AffineScope *scope, Trips *t, LLVMValueRef condition) {
    Affine left, right;
    if (LLVMIsAICmpInst(condition) == NULL) return false;
    LLVMTypeRef type = LLVMTypeOf(LLVMGetOperand(condition, 0));
    if (LLVMGetTypeKind(type) != LLVMIntegerTypeKind) return false;
    t->bits = LLVMGetIntTypeWidth(type);
    if ((t->bits != 32 && t->bits != 64) ||
        !wr_affine_of(scope, LLVMGetOperand(condition, 0), &left) ||
        !wr_affine_of(scope, LLVMGetOperand(condition, 1), &right))
        return false;
    t->compare = LLVMGetICmpPredicate(condition);
    if (t->stay == 1) t->compare = inverse(t->compare);
    if (t->compare == LLVMIntEQ) return false;
    return t->compare == LLVMIntNE ? set_difference(t, &left, &right) : set_order(t, &left, &right);
}

bool wr_trips_find(AffineScope *scope, LLVMBasicBlockRef block, Trips *t) {
    LLVMValueRef branch = LLVMGetBasicBlockTerminator(block);
    if (LLVMIsABranchInst(branch) == NULL || !LLVMIsConditional(branch)) return false;
    bool stays[] = {wr_loop_has_block(scope->loop, LLVMGetSuccessor(branch, 0)),
                    wr_loop_has_block(scope->loop, LLVMGetSuccessor(branch, 1))};
    if (stays[0] == stays[1]) return false;
    *t = (Trips){.block = block, .stay = stays[1]};
    return set_comparison(scope, t, LLVMGetCondition(branch));
}

/* What a header's phi is in the first iteration, if that is a constant; NULL: it is none, or no such phi. */
static LLVMValueRef first_constant(const Loop *loop, LLVMValueRef value) {
    if (LLVMIsAPHINode(value) == NULL || LLVMGetInstructionParent(value) != loop->header)
        return NULL;
    for (u32 i = 0; i < LLVMCountIncoming(value); i++)
        if (LLVMGetIncomingBlock(value, i) == loop->preheader)
            return LLVMIsAConstantInt(LLVMGetIncomingValue(value, i));
    return NULL;
}

/* The low bits of a sum that is a constant. */
static bool is_known(const Loop *loop, const Linear *sum, u64 *result) {
    *result = sum->constant;
    for (u32 i = 0; i < sum->nterms; i++) {
        LLVMValueRef first = first_constant(loop, sum->terms[i].value);
        if (first == NULL) return false;
        *result += sum->terms[i].factor * LLVMConstIntGetZExtValue(first);
    }
    return true;
}

bool wr_trips_estimate(const Loop *loop, const Trips *t, u64 *count) {
    Linear way = t->limit;
    u64 sum;
    if (!wr_linear_add(&way, &t->start, ~0ull) || !is_known(loop, &way, &sum)) return false;
    i64 distance = wr_linear_signed(sum, t->bits);
    if ((distance < 0) != (t->step < 0) || distance == INT64_MIN) return false;
    *count = (u64)(distance / t->step);
    return true;
}

/* ---- building ---- */

LLVMValueRef wr_linear_build(const LinearBuilder *to, const Linear *sum, u32 bits) {
    LLVMTypeRef type = LLVMIntTypeInContext(to->context, bits);
    LLVMValueRef total = NULL;
    for (u32 i = 0; i < sum->nterms; i++) {
        LLVMValueRef value = sum->terms[i].value, mapped = wr_value_map_get(to->values, value);
        /* In the loop it may stand behind conditions, and be poison where they do not hold. */
        value = LLVMBuildFreeze(to->b, mapped != NULL ? mapped : value, "");
        value = LLVMBuildIntCast2(to->b, value, type, 0, "");
        value = LLVMBuildMul(to->b, value, LLVMConstInt(type, sum->terms[i].factor, 0), "");
        total = total == NULL ? value : LLVMBuildAdd(to->b, total, value, "");
    }
    LLVMValueRef constant = LLVMConstInt(type, sum->constant, 0);
    return total == NULL ? constant : LLVMBuildAdd(to->b, total, constant, "");
}

static void or_bad(const LinearBuilder *to, LLVMValueRef *bad, LLVMValueRef also) {
    *bad = LLVMBuildOr(to->b, *bad, also, "");
}

/* A number only equals the limit if it comes to it without a step over it. */
static LLVMValueRef build_until_equal(const LinearBuilder *to, const Trips *t, LLVMValueRef *bad) {
    LLVMTypeRef i64_type = LLVMInt64TypeInContext(to->context);
    LLVMValueRef start = wr_linear_build(to, &t->start, t->bits);
    LLVMValueRef limit = wr_linear_build(to, &t->limit, t->bits);
    LLVMValueRef distance =
        t->step > 0 ? LLVMBuildSub(to->b, limit, start, "") : LLVMBuildSub(to->b, start, limit, "");
    u64 step = t->step > 0 ? (u64)t->step : 0 - (u64)t->step;
    distance = LLVMBuildZExt(to->b, distance, i64_type, "");
    if (step == 1) return distance;
    LLVMValueRef by = LLVMConstInt(i64_type, step, 0);
    LLVMValueRef rest = LLVMBuildURem(to->b, distance, by, "");
    or_bad(to, bad, LLVMBuildICmp(to->b, LLVMIntNE, rest, LLVMConstNull(i64_type), ""));
    return LLVMBuildUDiv(to->b, distance, by, "");
}

/* A side of a comparison as an unsigned number that grows: order is kept if the sign bit is turned, and is turned if
 * all bits are. */
static LLVMValueRef build_side(const LinearBuilder *to, const Trips *t, const Linear *sum) {
    LLVMTypeRef type = LLVMIntTypeInContext(to->context, t->bits);
    LLVMValueRef side = wr_linear_build(to, sum, t->bits);
    LLVMValueRef sign = LLVMConstInt(type, 1ull << (t->bits - 1), 0);
    if (is_signed(t->compare)) side = LLVMBuildXor(to->b, side, sign, "");
    if (is_greater(t->compare)) side = LLVMBuildNot(to->b, side, "");
    return LLVMBuildZExt(to->b, side, LLVMInt64TypeInContext(to->context), "");
}

/* Whether `limit + step - 1` is too high: then the number may wrap before it is found at or over the limit. */
static LLVMValueRef build_is_high(const LinearBuilder *to, const Trips *t, LLVMValueRef limit,
                                  u64 step) {
    u64 most = t->bits == 64 ? ~0ull : (1ull << t->bits) - 1;
    LLVMTypeRef type = LLVMInt64TypeInContext(to->context);
    return LLVMBuildICmp(to->b, LLVMIntUGT, limit, LLVMConstInt(type, most - (step - 1), 0), "");
}

/* Whether it does wrap, in so many steps: of `while (n > 15) n -= 32` the producer knows that it does not. */
static LLVMValueRef build_does_wrap(const LinearBuilder *to, LLVMValueRef start, u64 step,
                                    LLVMValueRef count) {
    LLVMTypeRef type = LLVMInt64TypeInContext(to->context);
    LLVMValueRef way = LLVMBuildMul(to->b, count, LLVMConstInt(type, step, 0), "");
    LLVMValueRef last = LLVMBuildAdd(to->b, start, way, "");
    return LLVMBuildICmp(to->b, LLVMIntUGT, last, LLVMConstInt(type, UINT32_MAX, 0), "");
}

static bool is_true(LLVMValueRef condition) {
    return LLVMIsAConstantInt(condition) != NULL && LLVMConstIntGetZExtValue(condition) != 0;
}

/* While side < limit. What is at or over the limit leaves. */
static LLVMValueRef build_until_not_less(const LinearBuilder *to, const Trips *t,
                                         LLVMValueRef *bad) {
    LLVMTypeRef type = LLVMInt64TypeInContext(to->context);
    LLVMValueRef start = build_side(to, t, &t->start), limit = build_side(to, t, &t->limit);
    LLVMValueRef one = LLVMConstInt(type, 1, 0);
    u64 step = t->step > 0 ? (u64)t->step : 0 - (u64)t->step;
    if (is_or_equal(t->compare)) {
        if (t->bits == 64)
            or_bad(to, bad, LLVMBuildICmp(to->b, LLVMIntEQ, limit, LLVMConstAllOnes(type), ""));
        limit = LLVMBuildAdd(to->b, limit, one, "");
    }
    LLVMValueRef later = LLVMBuildICmp(to->b, LLVMIntUGT, limit, start, "");
    LLVMValueRef end = LLVMBuildSelect(to->b, later, limit, start, "");
    LLVMValueRef count = LLVMBuildSub(to->b, end, start, "");
    LLVMValueRef wraps = build_is_high(to, t, limit, step);
    if (step > 1) {
        count = LLVMBuildAdd(to->b, count, LLVMConstInt(type, step - 1, 0), "");
        count = LLVMBuildUDiv(to->b, count, LLVMConstInt(type, step, 0), "");
        if (is_true(wraps) && t->bits == 32) wraps = build_does_wrap(to, start, step, count);
    }
    or_bad(to, bad, wraps);
    return count;
}

LLVMValueRef wr_trips_build(const LinearBuilder *to, const Trips *trips, LLVMValueRef *bad) {
    return trips->compare == LLVMIntNE ? build_until_equal(to, trips, bad)
                                       : build_until_not_less(to, trips, bad);
}
