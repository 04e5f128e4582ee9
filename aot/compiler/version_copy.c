/*
 * version_copy.c - see versioning.h. A loop that does nothing but copy a run of bytes stays as it is, but begins with its
 * last iteration if the library's memmove can do those before:
 *
 *     preheader -> gate: how many iterations come before that in which the loop is left? They are few, or an address
 *                        will not lie in the memory, or what is stored will be read again: -> header
 *     gate -> moved: memmove, -> header
 */
#include "versioning.h"

#define COPY_BYTES 24u /* fewer bytes are not given to memmove, of loops that copy single ones */
#define COPY_WORDS 64u /* the same of other loops */

/* What a loop copies in its first iteration. */
typedef struct Run {
    const Access *first; /* what it stores first */
    u32 from, to;        /* groups */
    i64 source, target;  /* the lowest byte, relative to the group's index */
    i64 step;            /* of both groups: bytes, or -bytes */
    u32 bytes;
} Run;

/* The access that loads what another one stores; NULL if there is none. */
static const Access *source_of(const Versioning *v, const Access *store) {
    LLVMValueRef value = wr_version_unfrozen(LLVMGetOperand(store->instruction, 0));
    return wr_version_access_of(v, value);
}

/* Adds what one more store of an iteration copies: next to what is there, on that side to which the loop goes. */
static bool add_to_run(const Versioning *v, Run *r, const Access *store) {
    const Access *load = source_of(v, store);
    const Group *g = &v->groups[store->group];
    if (load == NULL || g->index.step.nterms != 0) return false;
    i64 step = wr_linear_signed(g->index.step.constant, 32);
    i64 target = (i64)store->offset, source = (i64)load->offset;
    if (r->bytes == 0)
        *r = (Run){store, load->group, store->group, source, target, step, 0};
    else if (load->group != r->from || store->group != r->to)
        return false;
    i64 at = step < 0 && r->bytes > 0 ? r->target - store->bytes : r->target + r->bytes;
    if (target != at || target - source != r->target - r->source) return false;
    r->bytes += store->bytes;
    if (step < 0) r->target = target, r->source = source;
    return true;
}

/* Whether all that the loop does is to copy, in the order of addresses, and it is left at one place, at the beginning or
 * the end of each iteration. */
static bool is_copy(const Versioning *v, Run *r) {
    u32 stores = 0;
    if (v->nblocks > 2 || v->stores_else || wr_version_count_exits(v) != 1) return false;
    for (u32 i = 0; i < v->naccesses; i++) {
        if (LLVMIsAStoreInst(v->accesses[i].instruction) == NULL) continue;
        if (!add_to_run(v, r, &v->accesses[i])) return false;
        stores += 1;
    }
    if (stores == 0 || stores * 2 != v->naccesses) return false;
    return (r->step < 0 ? -r->step : r->step) == r->bytes &&
           wr_linear_same_terms(&v->groups[r->from].index.step, &v->groups[r->to].index.step, 32) &&
           (u32)v->groups[r->from].index.step.constant == (u32)r->step;
}

/* Fewer are done by the loop as it was: about as long as a gate and a call take. */
static u64 least_rounds(const Run *r) {
    u64 bytes = r->first->bytes == 1 ? COPY_BYTES : COPY_WORDS;
    return bytes / r->bytes > 2 ? bytes / r->bytes : 2;
}

/* The lowest address that is read or written in all of the iterations, relative to the memory. */
static LLVMValueRef build_lowest(const Versioning *v, const Run *r, const Group *g, i64 offset,
                                 LLVMValueRef last) {
    LLVMValueRef first = LLVMBuildAdd(v->b, g->base, number(v, (u64)offset), "");
    if (r->step > 0) return first;
    LLVMValueRef way = LLVMBuildMul(v->b, last, number(v, (u64)r->step), "");
    return LLVMBuildAdd(v->b, first, way, "");
}

/* Whether bytes that are stored are read in a later iteration, so that the run would be repeated. */
static LLVMValueRef build_repeats(const Versioning *v, const Run *r, LLVMValueRef from,
                                  LLVMValueRef to, LLVMValueRef bytes) {
    LLVMValueRef ahead =
        r->step > 0 ? LLVMBuildSub(v->b, to, from, "") : LLVMBuildSub(v->b, from, to, "");
    LLVMValueRef one = number(v, 1);
    return LLVMBuildICmp(v->b, LLVMIntULT, LLVMBuildSub(v->b, ahead, one, ""),
                         LLVMBuildSub(v->b, bytes, one, ""), "");
}

static void build_memmove(const Versioning *v, LLVMValueRef from, LLVMValueRef to,
                          LLVMValueRef bytes) {
    const Unit *u = v->unit;
    LLVMTypeRef types[] = {u->ptr, u->ptr, u->i64};
    unsigned id = LLVMLookupIntrinsicID("llvm.memmove", 12);
    LLVMValueRef arguments[] = {wr_version_address(v, to), wr_version_address(v, from), bytes,
                                LLVMConstInt(u->i1, 1, 0)};
    LLVMBuildCall2(v->b, LLVMIntrinsicGetType(u->context, id, types, 3),
                   LLVMGetIntrinsicDeclaration(u->module, id, types, 3), arguments, 4, "");
}

/* False: no memory for it. The gate is built in the place of nothing: it has no phis. */
static bool map_to_gate(Versioning *v) {
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        c->at_gate = c->start = wr_version_incoming(c->phi, v->loop->preheader);
        if (!wr_value_map_put(&v->at_gate, c->phi, c->at_gate)) return false;
    }
    return true;
}

/* The number of the iteration in which the loop is left; sets `bad`. */
static LLVMValueRef build_trip(Versioning *v, const Run *r) {
    LinearBuilder to_gate = {v->unit->context, v->b, &v->at_gate};
    v->bad = LLVMConstNull(v->unit->i1);
    LLVMValueRef trip = wr_trips_build(&to_gate, &v->trips, &v->bad);
    LLVMValueRef few = LLVMBuildSub(v->b, trip, number(v, least_rounds(r)), "");
    few = LLVMBuildICmp(v->b, LLVMIntUGE, few, number(v, UINT32_MAX), "");
    v->bad = LLVMBuildOr(v->b, v->bad, few, "");
    return trip;
}

static void make_copy(Versioning *v, const Run *r) {
    v->gate = new_block(v);
    v->moved = new_block(v);
    LLVMPositionBuilderAtEnd(v->b, v->gate);
    LLVMValueRef trip = build_trip(v, r);
    LLVMValueRef last = LLVMBuildSub(v->b, trip, number(v, 1), "");
    LLVMValueRef size = wr_version_memory_size(v);
    for (u32 i = 0; i < v->ngroups; i++) wr_version_test_group(v, &v->groups[i], last, size);
    LLVMValueRef bytes = LLVMBuildMul(v->b, trip, number(v, r->bytes), "");
    LLVMValueRef from = build_lowest(v, r, &v->groups[r->from], r->source, last);
    LLVMValueRef to = build_lowest(v, r, &v->groups[r->to], r->target, last);
    LLVMValueRef bad = LLVMBuildOr(v->b, v->bad, build_repeats(v, r, from, to, bytes), "");
    LLVMBuildCondBr(v->b, bad, v->loop->header, v->moved);
    LLVMPositionBuilderAtEnd(v->b, v->moved);
    build_memmove(v, from, to, bytes);
    for (u32 i = 0; i < v->ncarried; i++) wr_version_build_moved(v, &v->carried[i], trip);
    LLVMBuildBr(v->b, v->loop->header);
    wr_version_replace_phis(v);
    LLVMSetSuccessor(LLVMGetBasicBlockTerminator(v->loop->preheader), 0, v->gate);
}

bool wr_version_copy(Versioning *v) {
    Run run = {0};
    if (!is_copy(v, &run) || !wr_version_reserve(v) || !wr_version_has_constant_steps(v) ||
        !map_to_gate(v))
        return false;
    make_copy(v, &run);
    return true;
}
