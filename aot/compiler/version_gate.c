/*
 * version_gate.c - see versioning.h. What is asked before the fast loop: how many iterations are left, whether each of
 * their addresses lies in the memory, and how many of them there are before a store reaches what is taken for constant.
 */
#include "state.h"
#include "versioning.h"

#define SPLIT_ROUNDS 8u /* that are done one by one where a store does reach it */

LLVMValueRef wr_version_minimum(const Versioning *v, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef less = LLVMBuildICmp(v->b, LLVMIntULT, a, b, "");
    return LLVMBuildSelect(v->b, less, a, b, "");
}

static void or_bad(Versioning *v, LLVMValueRef also) {
    v->bad = LLVMBuildOr(v->b, v->bad, also, "");
}

/* ---- addresses ---- */

LLVMValueRef wr_version_memory_size(const Versioning *v) {
    LLVMValueRef at = number(v, offsetof(struct wr_instance, mem_size));
    LLVMValueRef context = LLVMGetParam(v->function, 0);
    LLVMValueRef place = LLVMBuildInBoundsGEP2(v->b, v->unit->i8, context, &at, 1, "");
    LLVMValueRef size = LLVMBuildLoad2(v->b, v->unit->i64, place, "");
    LLVMSetMetadata(size, v->unit->kind_tbaa, v->unit->tbaa_instance);
    return size;
}

/* An address in the memory; through a number, so that LLVM takes different groups for different objects. Of two in the same
 * object whose distance it does not know, it makes vector code that runs if no two accesses of the loop overlap, be they
 * a constant apart: so never, where a body was unrolled. */
LLVMValueRef wr_version_address(const Versioning *v, LLVMValueRef index) {
    LLVMValueRef base = LLVMBuildPtrToInt(v->b, v->memory_base, v->unit->i64, "");
    return LLVMBuildIntToPtr(v->b, LLVMBuildAdd(v->b, base, index, ""), v->unit->ptr, "");
}

void wr_version_locate(Versioning *v, Group *g) {
    LinearBuilder to = {v->unit->context, v->b, &v->at_gate};
    LLVMValueRef base = wr_linear_build(&to, &g->index.base, 32);
    LLVMValueRef step = wr_linear_build(&to, &g->index.step, 32);
    g->base = LLVMBuildZExt(v->b, base, v->unit->i64, "");
    g->step = LLVMBuildSExt(v->b, step, v->unit->i64, "");
    g->start = wr_version_address(v, g->base);
}

/* Addresses of the first and the last iteration, relative to the memory: none is negative, or behind `size`. Nothing
 * overflows: all are sums of 32-bit numbers, or one of them times less than CHUNK_WORK. */
void wr_version_test_group(Versioning *v, Group *g, LLVMValueRef last, LLVMValueRef size) {
    wr_version_locate(v, g);
    LLVMValueRef low = LLVMBuildAdd(v->b, g->base, number(v, (u64)g->low), "");
    LLVMValueRef way = LLVMBuildMul(v->b, g->step, last, "");
    LLVMValueRef end = LLVMBuildAdd(v->b, low, way, "");
    LLVMValueRef backwards = LLVMBuildICmp(v->b, LLVMIntSLT, g->step, number(v, 0), "");
    LLVMValueRef most = LLVMBuildSelect(v->b, backwards, low, end, "");
    g->least = LLVMBuildSelect(v->b, backwards, end, low, "");
    g->end = LLVMBuildAdd(v->b, most, number(v, (u64)(g->high - g->low)), "");
    or_bad(v, LLVMBuildICmp(v->b, LLVMIntSLT, g->least, number(v, 0), ""));
    or_bad(v, LLVMBuildICmp(v->b, LLVMIntSGT, g->end, size, ""));
}

/* ---- what is taken for constant ---- */

/* Whether the loop is right only if no access of one of them reaches the other. */
static bool has_to_be_apart(const Group *a, const Group *b) {
    return a->is_kept || b->is_kept || (wr_version_is_constant(a) && b->is_stored) ||
           (wr_version_is_constant(b) && a->is_stored);
}

static i64 span(const Group *g) { return g->high - g->low; }

/* Whether few iterations of the one that moves, one after the other, reach the other. */
static bool is_passed_soon(const Group *fixed, const Group *moving) {
    i64 step = wr_linear_signed(moving->index.step.constant, 32);
    i64 way = step < 0 ? -step : step;
    return moving->index.step.nterms == 0 && way > 0 &&
           (span(fixed) + span(moving)) / way < SPLIT_ROUNDS;
}

static LLVMValueRef build_overlap(const Versioning *v, const Group *a, const Group *b) {
    LLVMValueRef begins = LLVMBuildICmp(v->b, LLVMIntSLT, a->least, b->end, "");
    LLVMValueRef ends = LLVMBuildICmp(v->b, LLVMIntSLT, b->least, a->end, "");
    return LLVMBuildAnd(v->b, begins, ends, "");
}

/* How many iterations there are before the first one in which they overlap, or come to lie behind one another; all, if that
 * is so from the beginning. */
static LLVMValueRef build_rounds_before(const Versioning *v, const Group *fixed,
                                        const Group *moving) {
    i64 step = wr_linear_signed(moving->index.step.constant, 32);
    LLVMValueRef low = LLVMBuildAdd(v->b, moving->base, number(v, (u64)moving->low), "");
    LLVMValueRef high = LLVMBuildAdd(v->b, moving->base, number(v, (u64)moving->high), "");
    LLVMValueRef gap = step > 0 ? LLVMBuildSub(v->b, fixed->least, high, "")
                                : LLVMBuildSub(v->b, low, fixed->end, "");
    LLVMValueRef is_behind = step > 0 ? LLVMBuildICmp(v->b, LLVMIntSGE, low, fixed->end, "")
                                      : LLVMBuildICmp(v->b, LLVMIntSLE, high, fixed->least, "");
    LLVMValueRef is_there = LLVMBuildICmp(v->b, LLVMIntSLT, gap, number(v, 0), "");
    LLVMValueRef rounds = LLVMBuildUDiv(v->b, gap, number(v, (u64)(step > 0 ? step : -step)), "");
    rounds = LLVMBuildAdd(v->b, rounds, number(v, 1), "");
    rounds = LLVMBuildSelect(v->b, is_there, number(v, 0), rounds, "");
    return LLVMBuildSelect(v->b, is_behind, number(v, ~0ull), rounds, "");
}

/* Ends the chunk before they overlap, if that is soon over, or else sets `bad` if they do. */
static void build_apart(Versioning *v, const Group *a, const Group *b) {
    const Group *fixed = wr_version_is_fixed(a) ? a : b, *moving = fixed == a ? b : a;
    if (!has_to_be_apart(a, b)) return;
    if (!is_passed_soon(fixed, moving)) {
        or_bad(v, build_overlap(v, a, b));
        return;
    }
    v->is_split = true;
    v->rounds = wr_version_minimum(v, v->rounds, build_rounds_before(v, fixed, moving));
}

/* ---- all that is asked ---- */

LLVMValueRef wr_version_build_asked(const Versioning *v) {
    return has_state(v) ? wr_state_asked(v->unit, v->b, LLVMGetParam(v->function, 0)) : NULL;
}

bool wr_version_build_phis(Versioning *v) {
    LLVMBasicBlockRef from = v->loop->preheader;
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        LLVMValueRef first = wr_version_incoming(c->phi, from);
        c->at_gate = LLVMBuildPhi(v->b, LLVMTypeOf(c->phi), "");
        LLVMAddIncoming(c->at_gate, &first, &from, 1);
        c->start = c->at_gate;
        if (!wr_value_map_put(&v->at_gate, c->phi, c->at_gate)) return false;
    }
    return true;
}

/* How many iterations there is fuel for, after a refill. */
static LLVMValueRef build_affordable(Versioning *v) {
    Carried *c = v->carried;
    while (c->phi != v->charge.fuel) c++;
    return wr_charge_build(v->unit, v->b, &v->charge, &c->start);
}

/* Sets `rounds`; the number of the last one of them is returned. */
static LLVMValueRef build_rounds(Versioning *v) {
    if (is_latch_counted(v)) { /* the iteration in which the loop is left is one of them */
        LLVMValueRef last = wr_version_minimum(v, v->exit_trip, number(v, v->chunk - 1));
        v->rounds = LLVMBuildNUWAdd(v->b, last, number(v, 1), "");
        return last;
    }
    v->rounds = wr_version_minimum(v, v->exit_trip, number(v, v->chunk));
    if (counts_fuel(v)) v->rounds = wr_version_minimum(v, v->rounds, build_affordable(v));
    or_bad(v, LLVMBuildICmp(v->b, LLVMIntEQ, v->rounds, number(v, 0), ""));
    return LLVMBuildSub(v->b, v->rounds, number(v, 1), "");
}

LLVMValueRef wr_version_build_tests(Versioning *v) {
    LinearBuilder to = {v->unit->context, v->b, &v->at_gate};
    v->bad = LLVMConstNull(v->unit->i1);
    v->exit_trip = wr_trips_build(&to, &v->trips, &v->bad);
    LLVMValueRef last = build_rounds(v);
    LLVMValueRef size = v->ngroups > 0 ? wr_version_memory_size(v) : NULL;
    for (u32 i = 0; i < v->ngroups; i++) wr_version_test_group(v, &v->groups[i], last, size);
    for (u32 i = 0; i < v->ngroups; i++)
        for (u32 j = 0; j < i; j++) build_apart(v, &v->groups[i], &v->groups[j]);
    LLVMValueRef asked = wr_version_build_asked(v);
    if (asked != NULL) or_bad(v, asked);
    if (!v->is_split) return v->bad;
    LLVMValueRef none = LLVMBuildICmp(v->b, LLVMIntEQ, v->rounds, number(v, 0), "");
    return LLVMBuildOr(v->b, v->bad, none, "");
}
