/*
 * version.c - see version.h.
 *
 * A loop `header ... latch` that is entered from `preheader` becomes
 *
 *     preheader -> gate: how many iterations are left, as far as can be computed; at most CHUNK of them are done
 *                        now. Will each address of each of them lie in the memory? (64-bit numbers, no wrapping)
 *                        no, or a store may change what is otherwise constant: -> header ... latch, as it
 *                        was, to its end
 *     gate -> ready: reads what each iteration would read again, since no store of the loop changes it
 *     ready -> fast header ... fast latch: counts the iterations of this chunk, -> left
 *     left: all done: -> exit; else -> gate, where polls.c puts a poll; it puts none into the fast loop
 *
 * Why an address may be computed without wrapping: in iteration i the index is (base + i * step) mod 2^32. The gate
 * shows that base + i * step lies in the memory for the first and for the last i, as integers; so it does for those
 * between, and what lies in the memory is less than 2^32, and equal to what it is modulo 2^32.
 *
 * A loop that does nothing but look for the first difference of two runs of bytes passes over equal words behind `ready`.
 * A loop that does nothing but copy a run of bytes gets no second version, but a call of memmove before it.
 *
 * Of a loop with an access that has no such form there is no second version: that one may trap, so all stores
 * would have to stay as they are, and LLVM would not make vector code of it.
 */
#include "version.h"

#include <llvm-c/DebugInfo.h>

#include "charge.h"
#include "looks.h"
#include "lower_fuel.h"
#include "places.h"
#include "state.h"
#include "trips.h"

#define CHUNK_WORK (1u << 21) /* instructions in a chunk: less than a millisecond */
#define LOOP_SIZE 512u        /* instructions; larger loops are left alone */
#define LOOP_SIZE_EXITS 96u   /* the same of loops with several exits, which are not vectorised */
#define LOOP_ACCESSES 128u
#define LOOP_GROUPS 16u /* tests at the gate */
#define FEW_TRIPS 4u    /* loops that are known to be so short are left alone */
#define MASK_TRIPS 8u   /* the same if their length is what a mask leaves */
#define COPY_BYTES 24u  /* fewer bytes are not given to memmove, of loops that copy single ones */
#define COPY_WORDS 64u  /* the same of other loops */

/* One load or store of memory 0, at index + offset. */
typedef struct Access {
    LLVMValueRef instruction;
    Affine index;
    u64 offset; /* once it is in a group: from the group's index */
    u32 bytes, group;
} Access;

/* Accesses whose indices are constants apart: they are tested, and computed, together. */
typedef struct Group {
    Affine index;            /* of the first one */
    i64 low, high;           /* relative to it: the least index; the end of what is accessed */
    bool is_stored;          /* something is stored there */
    LLVMValueRef least, end; /* of all iterations: the first byte, the end; i64, in the memory */
    LLVMValueRef base;       /* index.base, as an i64 */
    LLVMValueRef start;      /* its address */
    LLVMValueRef step;       /* i64 */
    LLVMValueRef moved;      /* start + iteration * step */
} Group;

/* What a loop carries from one iteration to the next. */
typedef struct Carried {
    LLVMValueRef phi;  /* of the header */
    LLVMValueRef next; /* its value for the next iteration */
    LLVMValueRef
        at_gate; /* phis in its place: at the gate, in the fast loop, in the loop as it was */
    LLVMValueRef fast, fresh;
    LLVMValueRef moved; /* of loops that copy: behind what memmove does */
    u64 step;           /* of loops that copy or compare: what is added in each iteration */
    LLVMValueRef start; /* what both loops begin with: at_gate, or fuel that is more */
} Carried;

/* What a loop copies in its first iteration. */
typedef struct Run {
    const Access *first; /* what it stores first */
    u32 from, to;        /* groups */
    i64 source, target;  /* the lowest byte, relative to the group's index */
    i64 step;            /* of both groups: bytes, or -bytes */
    u32 bytes;
} Run;

typedef struct Versioning {
    Unit *unit;
    Arena *arena;
    LLVMValueRef function, memory_base; /* the latter: once there are accesses */
    const Loop *loop;
    LLVMBasicBlockRef *blocks; /* of the loop, but for those in which it stops (looks.h) */
    u32 nblocks;
    LLVMBuilderRef b;
    AffineScope scope;
    Carried *carried;
    u32 ncarried;
    Access accesses[LOOP_ACCESSES];
    Group groups[LOOP_GROUPS];
    u32 naccesses, ngroups, size;
    bool stores_else; /* not to memory 0 */
    Trips trips;
    Charge charge;   /* if fuel is counted */
    u32 work, chunk; /* how much is done between polls, in instructions and in iterations */
    /* the new loop */
    ValueMap copies;  /* value or block -> that of the fast loop */
    ValueMap at_gate; /* phi of the header -> that of the gate */
    LLVMBasicBlockRef gate, ready, tail, left;
    LLVMValueRef exit_trip, rounds, counter;
    bool is_frugal; /* fuel is all that is known of: see make_frugal() */
    bool compares;  /* a loop that looks for the first difference */
    LLVMBasicBlockRef
        enter;         /* from where the fast loop is entered: `ready`, or behind what is equal */
    LLVMValueRef done; /* how many iterations are not done by the fast loop */
    /* a loop that copies */
    Run run;
    LLVMBasicBlockRef moved; /* NULL if it does not */
} Versioning;

static bool counts_fuel(const Versioning *v) { return v->unit->plan->options.fuel; }
static bool has_state(const Versioning *v) { return v->unit->plan->options.migratable; }
static bool is_latch_counted(const Versioning *v) { return v->trips.block == v->loop->latch; }

static LLVMValueRef incoming(LLVMValueRef phi, LLVMBasicBlockRef from) {
    u32 count = LLVMCountIncoming(phi), i = 0;
    while (i + 1 < count && LLVMGetIncomingBlock(phi, i) != from) i += 1;
    return LLVMGetIncomingValue(phi, i);
}

/* ---- what the loop consists of ---- */

/* An intrinsic that neither reads nor writes memory that we can see: of its effects, two bits for each of its arguments'
 * memory, memory that only it knows, and any other. */
static bool is_intrinsic(LLVMValueRef call) {
    static const char name[] = "memory";
    LLVMValueRef called = LLVMGetCalledValue(call);
    if (LLVMIsAFunction(called) == NULL || LLVMGetIntrinsicID(called) == 0) return false;
    unsigned kind = LLVMGetEnumAttributeKindForName(name, sizeof name - 1);
    LLVMAttributeRef effects =
        LLVMGetEnumAttributeAtIndex(called, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, kind);
    return effects != NULL && (LLVMGetEnumAttributeValue(effects) & ~0xCull) == 0;
}

static LLVMTypeRef accessed_type(LLVMValueRef access) {
    return LLVMIsAStoreInst(access) != NULL ? LLVMTypeOf(LLVMGetOperand(access, 0))
                                            : LLVMTypeOf(access);
}

static u32 bytes_of(const Versioning *v, LLVMValueRef access) {
    LLVMTargetDataRef layout = LLVMGetModuleDataLayout(v->unit->module);
    return (u32)LLVMStoreSizeOfType(layout, accessed_type(access));
}

_Static_assert(offsetof(struct wr_instance, mem_base) == 0, "memory 0's base is loaded so");

/* A load from the instance, which is the first parameter. */
static bool is_memory_base(const Versioning *v, LLVMValueRef base) {
    return LLVMIsALoadInst(base) != NULL && !wr_loop_makes(v->loop, base) &&
           LLVMGetOperand(base, 0) == LLVMGetParam(v->function, 0);
}

/* A part of a 64-bit offset: a constant, or the one index. */
static bool add_part(Versioning *v, Access *a, LLVMValueRef part, bool *has_index) {
    LLVMValueRef constant = LLVMIsAConstantInt(part);
    if (constant != NULL) {
        a->offset += LLVMConstIntGetZExtValue(constant);
        return true;
    }
    if (LLVMIsAInstruction(part) == NULL) return false;
    if (LLVMGetInstructionOpcode(part) == LLVMAdd)
        return add_part(v, a, LLVMGetOperand(part, 1), has_index) &&
               add_part(v, a, LLVMGetOperand(part, 0), has_index);
    if (*has_index || LLVMGetInstructionOpcode(part) != LLVMZExt) return false;
    LLVMValueRef index = LLVMGetOperand(part, 0);
    *has_index = true;
    return LLVMTypeOf(index) == v->unit->i32 && wr_affine_of(&v->scope, index, &a->index);
}

static bool find_address(Versioning *v, Access *a, LLVMValueRef pointer) {
    bool has_index = false;
    for (; LLVMIsAGetElementPtrInst(pointer) != NULL; pointer = LLVMGetOperand(pointer, 0)) {
        if (LLVMGetNumOperands(pointer) != 2 ||
            LLVMGetGEPSourceElementType(pointer) != v->unit->i8 ||
            !add_part(v, a, LLVMGetOperand(pointer, 1), &has_index))
            return false;
    }
    if (!is_memory_base(v, pointer) || a->offset >= MEMORY_GUARD) return false;
    v->memory_base = pointer; /* the same for all */
    return true;
}

static bool belongs(const Group *group, const Affine *index) {
    return wr_linear_same_terms(&group->index.base, &index->base, 32) &&
           wr_linear_same_terms(&group->index.step, &index->step, 32) &&
           (u32)group->index.step.constant == (u32)index->step.constant;
}

/* Into a group that is there, or a new one. False: there are too many. */
static bool group_access(Versioning *v, Access *a) {
    u32 i = 0;
    while (i < v->ngroups && !belongs(&v->groups[i], &a->index)) i += 1;
    if (i == LOOP_GROUPS) return false;
    Group *group = &v->groups[i];
    if (i == v->ngroups) {
        *group = (Group){.index = a->index, .low = INT64_MAX, .high = INT64_MIN};
        v->ngroups += 1;
    }
    i64 index = wr_linear_signed(a->index.base.constant - group->index.base.constant, 32);
    i64 end = index + (i64)a->offset + a->bytes;
    if (index < group->low) group->low = index;
    if (end > group->high) group->high = end;
    group->is_stored |= LLVMIsAStoreInst(a->instruction) != NULL;
    a->group = i;
    a->offset += (u64)index;
    return true;
}

/* Whether all that is accessed there is read, again and again. */
static bool is_constant(const Group *g) {
    return !g->is_stored && g->index.step.nterms == 0 && (u32)g->index.step.constant == 0;
}

/* An access that has to become an ordinary one. */
static bool note_access(Versioning *v, LLVMValueRef instruction) {
    if (v->naccesses == LOOP_ACCESSES) return false;
    v->accesses[v->naccesses++].instruction = instruction;
    return true;
}

/* False: the loop cannot be run in two versions. */
static bool look_at(Versioning *v, LLVMValueRef i) {
    v->size += 1;
    switch ((int)LLVMGetInstructionOpcode(i)) {
    case LLVMLoad:
    case LLVMStore:
        if (LLVMGetOrdering(i) != LLVMAtomicOrderingNotAtomic) return false;
        if (LLVMGetVolatile(i) && LLVMGetMetadata(i, v->unit->kind_tbaa) == v->unit->tbaa_memory)
            return note_access(v, i);
        v->stores_else |= LLVMIsAStoreInst(i) != NULL;
        return true;
    case LLVMCall: return is_intrinsic(i);
    case LLVMInvoke:
    case LLVMCallBr:
    case LLVMIndirectBr:
    case LLVMFence:
    case LLVMAtomicCmpXchg:
    case LLVMAtomicRMW:
    case LLVMLandingPad:
    case LLVMAlloca:
    case LLVMVAArg: return false;
    default: return true;
    }
}

/* Those blocks that a version which does not look consists of. */
static bool find_blocks(Versioning *v) {
    v->blocks = wr_arena_new(v->arena, v->loop->nblocks, sizeof(LLVMBasicBlockRef));
    for (u32 i = 0; v->blocks != NULL && i < v->loop->nblocks; i++) {
        LLVMBasicBlockRef block = v->loop->blocks[i];
        if (wr_looks_stop(v->unit, block) == NULL) v->blocks[v->nblocks++] = block;
    }
    return v->blocks != NULL && wr_looks_stop(v->unit, v->loop->header) == NULL &&
           wr_looks_stop(v->unit, v->loop->latch) == NULL;
}

static bool look_at_all(Versioning *v) {
    for (u32 i = 0; i < v->nblocks; i++) {
        LLVMBasicBlockRef block = v->blocks[i];
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at != NULL; at = LLVMGetNextInstruction(at))
            if (!look_at(v, at) || v->size > LOOP_SIZE) return false;
    }
    return true;
}

/* False: not all addresses are known, or there are too many different ones. */
static bool group_accesses(Versioning *v) {
    for (u32 i = 0; i < v->naccesses; i++) {
        Access *a = &v->accesses[i];
        bool is_store = LLVMIsAStoreInst(a->instruction) != NULL;
        a->bytes = bytes_of(v, a->instruction);
        if (!find_address(v, a, LLVMGetOperand(a->instruction, is_store)) || !group_access(v, a))
            return false;
    }
    return true;
}

/* The one block of the loop that control goes on to; NULL if there are several. */
static LLVMBasicBlockRef only_next(const Versioning *v, LLVMBasicBlockRef block) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    LLVMBasicBlockRef only = NULL;
    for (u32 s = 0; s < LLVMGetNumSuccessors(end); s++) {
        LLVMBasicBlockRef next = LLVMGetSuccessor(end, s);
        if (!wr_loop_has_block(v->loop, next) || wr_looks_stop(v->unit, next) != NULL) continue;
        if (only != NULL) return NULL;
        only = next;
    }
    return only;
}

/* The latch is preferred: a loop that is left there needs no iteration of the other version at its end. */
static bool find_trips(Versioning *v) {
    if (wr_trips_find(&v->scope, v->loop->latch, &v->trips)) return true;
    LLVMBasicBlockRef block = v->loop->header;
    for (; block != NULL && block != v->loop->latch; block = only_next(v, block))
        if (wr_trips_find(&v->scope, block, &v->trips)) return true;
    return false;
}

static u32 count_exits(const Versioning *v) {
    u32 exits = 0;
    for (u32 i = 0; i < v->nblocks; i++) {
        LLVMValueRef end = LLVMGetBasicBlockTerminator(v->blocks[i]);
        for (u32 s = 0; s < LLVMGetNumSuccessors(end); s++)
            exits += !wr_loop_has_block(v->loop, LLVMGetSuccessor(end, s));
    }
    return exits;
}

/* Whether the loop stores several values in each iteration, all of which it has just loaded. Producers make hundreds of
 * such loops of copies of a few bytes; most run once or twice, and vector code of them is large. */
static bool only_moves(const Versioning *v) {
    u32 stores = 0;
    for (u32 i = 0; i < v->naccesses; i++) {
        LLVMValueRef access = v->accesses[i].instruction;
        if (LLVMIsAStoreInst(access) == NULL) continue;
        LLVMValueRef value = LLVMGetOperand(access, 0);
        if (!wr_is_frozen_load(value) || !wr_loop_makes(v->loop, value)) return false;
        stores += 1;
    }
    return stores > 1;
}

/* What is left over when a producer unrolled a loop: `n & 7` iterations, or the like. */
static bool is_remainder(const Versioning *v) {
    const Linear *start = &v->trips.start, *limit = &v->trips.limit;
    if (v->trips.compare != LLVMIntNE || start->nterms + limit->nterms != 1) return false;
    LLVMValueRef count = start->nterms == 1 ? start->terms[0].value : limit->terms[0].value;
    if (LLVMIsAPHINode(count) != NULL && LLVMGetInstructionParent(count) == v->loop->header)
        count = incoming(count, v->loop->preheader);
    if (LLVMIsAInstruction(count) == NULL || LLVMGetInstructionOpcode(count) != LLVMAnd)
        return false;
    LLVMValueRef mask = LLVMIsAConstantInt(LLVMGetOperand(count, 1));
    return mask != NULL && LLVMConstIntGetZExtValue(mask) < MASK_TRIPS;
}

static bool is_over_soon(const Versioning *v) {
    u64 count;
    return is_remainder(v) || (wr_trips_estimate(&v->trips, &count) && count < FEW_TRIPS);
}

static bool is_worth_it(const Versioning *v) {
    return !only_moves(v) && (v->size <= LOOP_SIZE_EXITS || count_exits(v) == 1);
}

/* Fuel is stored by the iteration that leaves: that of the loop as it was. */
static bool is_affordable(Versioning *v) {
    return !counts_fuel(v) || (!has_state(v) && !is_latch_counted(v) && count_exits(v) == 1 &&
                               wr_charge_find(v->arena, v->unit, v->loop, &v->charge));
}

static void choose_chunk(Versioning *v) {
    v->chunk = v->work;
    while (v->chunk > 2 && (u64)v->chunk * v->size > v->work) v->chunk /= 2;
}

/* ---- the gate ---- */

static LLVMValueRef number(const Versioning *v, u64 value) {
    return LLVMConstInt(v->unit->i64, value, 0);
}

static LLVMBasicBlockRef new_block(const Versioning *v) {
    return LLVMInsertBasicBlockInContext(v->unit->context, v->loop->header, "");
}

static LLVMValueRef build_minimum(const Versioning *v, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef less = LLVMBuildICmp(v->b, LLVMIntULT, a, b, "");
    return LLVMBuildSelect(v->b, less, a, b, "");
}

static LLVMValueRef build_memory_size(const Versioning *v) {
    LLVMValueRef at = number(v, offsetof(struct wr_instance, mem_size));
    LLVMValueRef context = LLVMGetParam(v->function, 0);
    LLVMValueRef place = LLVMBuildInBoundsGEP2(v->b, v->unit->i8, context, &at, 1, "");
    LLVMValueRef size = LLVMBuildLoad2(v->b, v->unit->i64, place, "");
    LLVMSetMetadata(size, v->unit->kind_tbaa, v->unit->tbaa_instance);
    return size;
}

/* Addresses of the first and the last iteration, relative to the memory: none is negative, or behind `size`. Nothing
 * overflows: all are sums of 32-bit numbers, or one of them times less than CHUNK_WORK. */
static LLVMValueRef build_test(const Versioning *v, Group *g, LLVMValueRef base, LLVMValueRef last,
                               LLVMValueRef size) {
    LLVMValueRef low = LLVMBuildAdd(v->b, base, number(v, (u64)g->low), "");
    LLVMValueRef way = LLVMBuildMul(v->b, g->step, last, "");
    LLVMValueRef end = LLVMBuildAdd(v->b, low, way, "");
    LLVMValueRef backwards = LLVMBuildICmp(v->b, LLVMIntSLT, g->step, number(v, 0), "");
    LLVMValueRef most = LLVMBuildSelect(v->b, backwards, low, end, "");
    g->least = LLVMBuildSelect(v->b, backwards, end, low, "");
    g->end = LLVMBuildAdd(v->b, most, number(v, (u64)(g->high - g->low)), "");
    LLVMValueRef before = LLVMBuildICmp(v->b, LLVMIntSLT, g->least, number(v, 0), "");
    LLVMValueRef behind = LLVMBuildICmp(v->b, LLVMIntSGT, g->end, size, "");
    return LLVMBuildOr(v->b, before, behind, "");
}

/* Whether a store of the loop may change what is constant but for that. */
static LLVMValueRef build_overlap(const Versioning *v, const Group *constant, const Group *stored) {
    LLVMValueRef begins = LLVMBuildICmp(v->b, LLVMIntSLT, constant->least, stored->end, "");
    LLVMValueRef ends = LLVMBuildICmp(v->b, LLVMIntSLT, stored->least, constant->end, "");
    return LLVMBuildAnd(v->b, begins, ends, "");
}

static void build_overlaps(const Versioning *v, LLVMValueRef *bad) {
    for (u32 c = 0; c < v->ngroups; c++) {
        for (u32 s = 0; is_constant(&v->groups[c]) && s < v->ngroups; s++) {
            if (!v->groups[s].is_stored) continue;
            LLVMValueRef overlap = build_overlap(v, &v->groups[c], &v->groups[s]);
            *bad = LLVMBuildOr(v->b, *bad, overlap, "");
        }
    }
}

/* An address in the memory; through a number, so that LLVM takes different groups for different objects. Of two in the same
 * object whose distance it does not know, it makes vector code that runs if no two accesses of the loop overlap, be they
 * a constant apart: so never, where a body was unrolled. */
static LLVMValueRef build_start(const Versioning *v, LLVMValueRef index) {
    LLVMValueRef base = LLVMBuildPtrToInt(v->b, v->memory_base, v->unit->i64, "");
    return LLVMBuildIntToPtr(v->b, LLVMBuildAdd(v->b, base, index, ""), v->unit->ptr, "");
}

static void build_group(Versioning *v, Group *g, LLVMValueRef last, LLVMValueRef size,
                        LLVMValueRef *bad) {
    LinearBuilder to = {v->unit->context, v->b, &v->at_gate};
    LLVMValueRef base = wr_linear_build(&to, &g->index.base, 32);
    LLVMValueRef step = wr_linear_build(&to, &g->index.step, 32);
    base = LLVMBuildZExt(v->b, base, v->unit->i64, "");
    g->step = LLVMBuildSExt(v->b, step, v->unit->i64, "");
    *bad = LLVMBuildOr(v->b, *bad, build_test(v, g, base, last, size), "");
    g->base = base;
    g->start = build_start(v, base);
}

static bool build_gate_phis(Versioning *v) {
    LLVMBasicBlockRef from = v->loop->preheader;
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        LLVMValueRef first = incoming(c->phi, from);
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

/* Whether the loop as it was has to look, at the head of its first iteration: there is what makes a frame. */
static LLVMValueRef build_asked(const Versioning *v) {
    return wr_state_asked(v->unit, v->b, LLVMGetParam(v->function, 0));
}

/* Leaves the builder at the gate's end; *bad: the test fails. */
static LLVMValueRef build_gate_tests(Versioning *v) {
    LinearBuilder to = {v->unit->context, v->b, &v->at_gate};
    LLVMValueRef bad = LLVMConstNull(v->unit->i1), last;
    v->exit_trip = wr_trips_build(&to, &v->trips, &bad);
    if (is_latch_counted(v)) { /* the iteration in which the loop is left is one of them */
        last = build_minimum(v, v->exit_trip, number(v, v->chunk - 1));
        v->rounds = LLVMBuildNUWAdd(v->b, last, number(v, 1), "");
    } else {
        v->rounds = build_minimum(v, v->exit_trip, number(v, v->chunk));
        if (counts_fuel(v)) v->rounds = build_minimum(v, v->rounds, build_affordable(v));
        LLVMValueRef none = LLVMBuildICmp(v->b, LLVMIntEQ, v->rounds, number(v, 0), "");
        bad = LLVMBuildOr(v->b, bad, none, "");
        last = LLVMBuildSub(v->b, v->rounds, number(v, 1), "");
    }
    LLVMValueRef size = v->ngroups > 0 ? build_memory_size(v) : NULL;
    for (u32 i = 0; i < v->ngroups; i++) build_group(v, &v->groups[i], last, size, &bad);
    build_overlaps(v, &bad);
    if (has_state(v)) bad = LLVMBuildOr(v->b, bad, build_asked(v), "");
    return bad;
}

/* ---- hints for loops ---- */

#define BOUNDED "wasmrun.bounded" /* our own */

static unsigned kind_loop(LLVMContextRef context) {
    return LLVMGetMDKindIDInContext(context, "llvm.loop", 9);
}

/* At the branch back. The node's first part is itself, so that no two loops share one. */
static void mark_loop(const Versioning *v, LLVMValueRef branch, const char *hint) {
    LLVMContextRef context = v->unit->context;
    LLVMMetadataRef text = LLVMMDStringInContext2(context, hint, strlen(hint));
    LLVMMetadataRef parts[] = {LLVMTemporaryMDNode(context, NULL, 0),
                               LLVMMDNodeInContext2(context, &text, 1)};
    LLVMMetadataRef node = LLVMMDNodeInContext2(context, parts, 2);
    LLVMMetadataReplaceAllUsesWith(parts[0], node);
    LLVMSetMetadata(branch, kind_loop(context), LLVMMetadataAsValue(context, node));
}

#define HINTS 16u /* more are not looked at */

/* A node that begins with this text, behind itself if it is a loop's. */
static bool is_hint(LLVMValueRef node, const char *hint) {
    LLVMValueRef first;
    unsigned size;
    if (LLVMIsAMDNode(node) == NULL || LLVMGetMDNodeNumOperands(node) != 1) return false;
    LLVMGetMDNodeOperands(node, &first);
    const char *text = first != NULL ? LLVMGetMDString(first, &size) : NULL;
    return text != NULL && size == strlen(hint) && memcmp(text, hint, size) == 0;
}

bool wr_loop_is_bounded(LLVMContextRef context, LLVMValueRef branch) {
    LLVMValueRef node = LLVMGetMetadata(branch, kind_loop(context)), parts[HINTS];
    unsigned count = node != NULL ? LLVMGetMDNodeNumOperands(node) : 0;
    if (count == 0 || count > HINTS) return false;
    LLVMGetMDNodeOperands(node, parts);
    for (unsigned i = 1; i < count; i++)
        if (parts[i] != NULL && is_hint(parts[i], BOUNDED)) return true;
    return false;
}

/* ---- the fast loop ---- */

static LLVMValueRef copy_of(const Versioning *v, LLVMValueRef value) {
    LLVMValueRef copy = wr_value_map_get(&v->copies, value);
    return copy != NULL ? copy : value;
}

static LLVMBasicBlockRef copied_block(const Versioning *v, LLVMBasicBlockRef block) {
    return wr_value_map_get(&v->copies, block);
}

static bool copy_blocks(Versioning *v) {
    for (u32 i = 0; i < v->nblocks; i++) {
        LLVMBasicBlockRef block = v->blocks[i];
        if (!wr_value_map_put(&v->copies, block, new_block(v))) return false;
    }
    return true;
}

static void copy_instruction(Versioning *v, LLVMValueRef instruction, LLVMValueRef copy) {
    LLVMInsertIntoBuilder(v->b, copy);
    int n = LLVMGetNumOperands(instruction);
    for (int i = 0; i < n; i++) {
        LLVMValueRef operand = LLVMGetOperand(instruction, (unsigned)i);
        LLVMValueRef mapped = wr_value_map_get(&v->copies, operand);
        if (mapped != NULL && !LLVMValueIsBasicBlock(operand))
            LLVMSetOperand(copy, (unsigned)i, mapped);
    }
}

/* Reads what the loop reads again and again, once before it. */
static bool read_constants(Versioning *v) {
    LLVMPositionBuilderAtEnd(v->b, v->ready);
    for (u32 i = 0; i < v->naccesses; i++) {
        const Access *a = &v->accesses[i];
        const Group *g = &v->groups[a->group];
        if (!is_constant(g)) continue;
        LLVMValueRef offset = number(v, a->offset), copy = LLVMInstructionClone(a->instruction);
        LLVMValueRef address = LLVMBuildInBoundsGEP2(v->b, v->unit->i8, g->start, &offset, 1, "");
        LLVMSetOperand(copy, 0, address);
        LLVMSetVolatile(copy, 0);
        LLVMInsertIntoBuilder(v->b, copy);
        if (!wr_value_map_put(&v->copies, a->instruction, copy)) return false;
    }
    return true;
}

/* What is left of an access when it cannot trap. */
static void ease_access(Versioning *v, const Access *a, LLVMValueRef copy) {
    LLVMValueRef offset = number(v, a->offset);
    LLVMPositionBuilderBefore(v->b, copy);
    LLVMValueRef address =
        LLVMBuildInBoundsGEP2(v->b, v->unit->i8, v->groups[a->group].moved, &offset, 1, "");
    LLVMSetOperand(copy, LLVMIsAStoreInst(copy) != NULL, address);
    LLVMSetVolatile(copy, 0);
}

/* ---- loops that look for the first difference of two runs of bytes ---- */

/* What a value was loaded by, if it is one that was loaded. */
static LLVMValueRef unfrozen(LLVMValueRef value) {
    return wr_is_frozen_load(value) ? LLVMGetOperand(value, 0) : value;
}

/* Whether a branch leaves the loop if and only if two bytes that it has loaded differ. */
static bool leaves_at_difference(const Versioning *v, LLVMValueRef branch) {
    if (LLVMIsABranchInst(branch) == NULL || !LLVMIsConditional(branch)) return false;
    LLVMValueRef condition = LLVMGetCondition(branch);
    if (LLVMIsAICmpInst(condition) == NULL) return false;
    LLVMIntPredicate compare = LLVMGetICmpPredicate(condition);
    if (compare != LLVMIntEQ && compare != LLVMIntNE) return false;
    LLVMValueRef a = unfrozen(LLVMGetOperand(condition, 0));
    LLVMValueRef b = unfrozen(LLVMGetOperand(condition, 1));
    LLVMValueRef first = v->accesses[0].instruction, second = v->accesses[1].instruction;
    if (!((a == first && b == second) || (a == second && b == first))) return false;
    return wr_loop_has_block(v->loop, LLVMGetSuccessor(branch, compare == LLVMIntNE));
}

/* Whether it does nothing else, and goes over the bytes upwards. */
static bool is_comparison(const Versioning *v) {
    if (v->naccesses != 2 || v->stores_else || v->nblocks > 3 || count_exits(v) != 2) return false;
    for (u32 i = 0; i < 2; i++) {
        const Affine *index = &v->groups[v->accesses[i].group].index;
        if (LLVMTypeOf(v->accesses[i].instruction) != v->unit->i8 || index->step.nterms != 0 ||
            (u32)index->step.constant != 1)
            return false;
    }
    for (u32 i = 0; i < v->nblocks; i++)
        if (leaves_at_difference(v, LLVMGetBasicBlockTerminator(v->blocks[i]))) return true;
    return false;
}

/* The eight bytes that the access reads in this iteration and those behind it. */
static LLVMValueRef build_word(const Versioning *v, const Access *a, LLVMValueRef iteration) {
    LLVMValueRef way = LLVMBuildNUWAdd(v->b, iteration, number(v, a->offset), "");
    LLVMValueRef start = v->groups[a->group].start;
    LLVMValueRef address = LLVMBuildInBoundsGEP2(v->b, v->unit->i8, start, &way, 1, "");
    LLVMValueRef word = LLVMBuildLoad2(v->b, v->unit->i64, address, "");
    LLVMSetMetadata(word, v->unit->kind_tbaa, v->unit->tbaa_memory);
    LLVMSetAlignment(word, 1);
    return word;
}

/* The number of the first byte of a word that is not 0; targets are little-endian. */
static LLVMValueRef build_first_byte(const Versioning *v, LLVMValueRef word) {
    unsigned id = LLVMLookupIntrinsicID("llvm.cttz", 9);
    LLVMTypeRef type = v->unit->i64;
    LLVMValueRef arguments[] = {word, LLVMConstInt(v->unit->i1, 1, 0)};
    LLVMValueRef zeros = LLVMBuildCall2(v->b, LLVMIntrinsicGetType(v->unit->context, id, &type, 1),
                                        LLVMGetIntrinsicDeclaration(v->unit->module, id, &type, 1),
                                        arguments, 2, "");
    return LLVMBuildLShr(v->b, zeros, number(v, 3), "");
}

/* What is carried into the iteration of that number. */
static void build_moved(const Versioning *v, Carried *c, LLVMValueRef trip) {
    LLVMTypeRef type = LLVMTypeOf(c->phi);
    LLVMValueRef way = LLVMBuildMul(v->b, LLVMBuildIntCast2(v->b, trip, type, 0, ""),
                                    LLVMConstInt(type, c->step, 0), "");
    c->moved = LLVMBuildAdd(v->b, c->at_gate, way, "");
}

/* Passes over equal bytes, eight at a time, from `ready` to `enter`: to the iteration that finds a difference, if it is among
 * those eight, or to one of the last eight of the chunk. */
static void build_comparison(Versioning *v) {
    LLVMBasicBlockRef ready = v->ready, more = new_block(v), word = new_block(v);
    LLVMBasicBlockRef differs = new_block(v);
    LLVMValueRef zero = number(v, 0);
    v->enter = new_block(v);
    LLVMBuildBr(v->b, more);
    LLVMPositionBuilderAtEnd(v->b, more);
    LLVMValueRef at = LLVMBuildPhi(v->b, v->unit->i64, "");
    LLVMValueRef behind = LLVMBuildNUWAdd(v->b, at, number(v, 8), "");
    LLVMValueRef fits = LLVMBuildICmp(v->b, LLVMIntULT, behind, v->rounds, "");
    LLVMBuildCondBr(v->b, fits, word, v->enter);
    LLVMPositionBuilderAtEnd(v->b, word);
    LLVMValueRef difference = LLVMBuildXor(v->b, build_word(v, &v->accesses[0], at),
                                           build_word(v, &v->accesses[1], at), "");
    LLVMValueRef is_equal = LLVMBuildICmp(v->b, LLVMIntEQ, difference, zero, "");
    mark_loop(v, LLVMBuildCondBr(v->b, is_equal, more, differs), BOUNDED);
    LLVMAddIncoming(at, &zero, &ready, 1);
    LLVMAddIncoming(at, &behind, &word, 1);
    LLVMPositionBuilderAtEnd(v->b, differs);
    LLVMValueRef found = LLVMBuildNUWAdd(v->b, at, build_first_byte(v, difference), "");
    LLVMBuildBr(v->b, v->enter);
    LLVMPositionBuilderAtEnd(v->b, v->enter);
    v->done = LLVMBuildPhi(v->b, v->unit->i64, "");
    LLVMAddIncoming(v->done, &at, &more, 1);
    LLVMAddIncoming(v->done, &found, &differs, 1);
    for (u32 i = 0; i < v->ncarried; i++) build_moved(v, &v->carried[i], v->done);
}

/* ---- the fast loop itself ---- */

static void enter_fast_loop(Versioning *v) {
    v->enter = v->ready;
    v->done = number(v, 0);
    if (v->compares) build_comparison(v);
    LLVMBuildBr(v->b, copied_block(v, v->loop->header));
}

/* The header's phis, then the counter and what of each group's addresses changes with it. */
static bool build_fast_header(Versioning *v) {
    enter_fast_loop(v);
    LLVMPositionBuilderAtEnd(v->b, copied_block(v, v->loop->header));
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        c->fast = LLVMBuildPhi(v->b, LLVMTypeOf(c->phi), "");
        LLVMAddIncoming(c->fast, v->compares ? &c->moved : &c->start, &v->enter, 1);
        if (!wr_value_map_put(&v->copies, c->phi, c->fast)) return false;
    }
    v->counter = LLVMBuildPhi(v->b, v->unit->i64, "");
    LLVMAddIncoming(v->counter, &v->done, &v->enter, 1);
    for (u32 i = 0; i < v->ngroups; i++) {
        Group *g = &v->groups[i];
        LLVMValueRef way = LLVMBuildNSWMul(v->b, v->counter, g->step, "");
        g->moved = LLVMBuildInBoundsGEP2(v->b, v->unit->i8, g->start, &way, 1, "");
    }
    return true;
}

/* The phis of a block get from `to` what they have from `from`. */
static void copy_edge(Versioning *v, LLVMBasicBlockRef target, LLVMBasicBlockRef from,
                      LLVMBasicBlockRef to) {
    LLVMValueRef phi = LLVMGetFirstInstruction(target);
    for (; phi != NULL && LLVMIsAPHINode(phi) != NULL; phi = LLVMGetNextInstruction(phi)) {
        for (u32 i = 0; i < LLVMCountIncoming(phi); i++) {
            if (LLVMGetIncomingBlock(phi, i) != from) continue;
            LLVMValueRef value = copy_of(v, LLVMGetIncomingValue(phi, i));
            LLVMAddIncoming(phi, &value, &to, 1);
            break; /* the others are other edges */
        }
    }
}

static LLVMBasicBlockRef fast_target(const Versioning *v, LLVMBasicBlockRef target) {
    if (target == v->loop->header) return v->tail;
    LLVMBasicBlockRef copy = copied_block(v, target);
    return copy != NULL ? copy : target;
}

/* Which of its successors a block always goes on to in the fast loop; -1: as it was. */
static int fixed_successor(const Versioning *v, LLVMBasicBlockRef block) {
    if (block == v->trips.block) return (int)v->trips.stay;
    return counts_fuel(v) || has_state(v) ? wr_looks_stays(v->unit, block) : -1;
}

static void copy_terminator(Versioning *v, LLVMBasicBlockRef block, LLVMValueRef end) {
    int fixed = fixed_successor(v, block);
    if (fixed >= 0) {
        LLVMBuildBr(v->b, fast_target(v, LLVMGetSuccessor(end, (unsigned)fixed)));
        return;
    }
    LLVMValueRef copy = LLVMInstructionClone(end);
    copy_instruction(v, end, copy);
    for (u32 s = 0; s < LLVMGetNumSuccessors(end); s++) {
        LLVMBasicBlockRef target = LLVMGetSuccessor(end, s);
        LLVMSetSuccessor(copy, s, fast_target(v, target));
        if (!wr_loop_has_block(v->loop, target))
            copy_edge(v, target, block, copied_block(v, block));
    }
}

/* Phis inside of the loop are filled when all is copied. */
static bool copy_block(Versioning *v, LLVMBasicBlockRef block) {
    LLVMValueRef i = LLVMGetFirstInstruction(block), end = LLVMGetBasicBlockTerminator(block), copy;
    LLVMPositionBuilderAtEnd(v->b, copied_block(v, block));
    for (; i != end; i = LLVMGetNextInstruction(i)) {
        bool is_phi = LLVMIsAPHINode(i) != NULL;
        if (wr_value_map_get(&v->copies, i) != NULL) continue; /* a phi of the header, a constant */
        if (!v->is_frugal && wr_charge_is_store(v->unit, i)) continue;
        if (is_phi) {
            copy = LLVMBuildPhi(v->b, LLVMTypeOf(i), "");
        } else if (!v->is_frugal && wr_is_frozen_load(i)) { /* it cannot fault here */
            copy = copy_of(v, LLVMGetOperand(i, 0));
        } else {
            copy = LLVMInstructionClone(i);
            copy_instruction(v, i, copy);
        }
        if (!wr_value_map_put(&v->copies, i, copy)) return false;
    }
    copy_terminator(v, block, end);
    return true;
}

/* The edges of the copy: those from blocks that are copied, if the branch is still there. */
static void fill_phi(Versioning *v, LLVMValueRef phi, LLVMBasicBlockRef block) {
    LLVMValueRef copy = copy_of(v, phi);
    for (u32 i = 0; i < LLVMCountIncoming(phi); i++) {
        LLVMBasicBlockRef from = LLVMGetIncomingBlock(phi, i), copied = copied_block(v, from);
        int fixed = fixed_successor(v, from);
        LLVMValueRef value = copy_of(v, LLVMGetIncomingValue(phi, i));
        if (copied == NULL || (fixed >= 0 && LLVMGetSuccessor(LLVMGetBasicBlockTerminator(from),
                                                              (unsigned)fixed) != block))
            continue;
        LLVMAddIncoming(copy, &value, &copied, 1);
    }
}

static void fill_phis(Versioning *v, LLVMBasicBlockRef block) {
    LLVMValueRef phi = LLVMGetFirstInstruction(block);
    for (; LLVMIsAPHINode(phi) != NULL; phi = LLVMGetNextInstruction(phi)) fill_phi(v, phi, block);
}

static bool copy_loop(Versioning *v) {
    if (!copy_blocks(v) || !read_constants(v) || !build_fast_header(v)) return false;
    for (u32 i = 0; i < v->nblocks; i++)
        if (!copy_block(v, v->blocks[i])) return false;
    for (u32 i = 1; i < v->nblocks; i++) fill_phis(v, v->blocks[i]);
    for (u32 i = 0; i < v->naccesses; i++) {
        const Access *a = &v->accesses[i];
        if (!is_constant(&v->groups[a->group])) ease_access(v, a, copy_of(v, a->instruction));
    }
    return true;
}

/* ---- from one iteration to the next, and out ---- */

static void build_tail(Versioning *v) {
    LLVMBasicBlockRef header = copied_block(v, v->loop->header);
    LLVMPositionBuilderAtEnd(v->b, v->tail);
    LLVMValueRef next = LLVMBuildNUWAdd(v->b, v->counter, number(v, 1), "");
    LLVMValueRef all = LLVMBuildICmp(v->b, LLVMIntEQ, next, v->rounds, "");
    mark_loop(v, LLVMBuildCondBr(v->b, all, v->left, header), BOUNDED);
    LLVMAddIncoming(v->counter, &next, &v->tail, 1);
    for (u32 i = 0; i < v->ncarried; i++) {
        LLVMValueRef value = copy_of(v, v->carried[i].next);
        LLVMAddIncoming(v->carried[i].fast, &value, &v->tail, 1);
    }
}

static void build_left(Versioning *v) {
    LLVMPositionBuilderAtEnd(v->b, v->left);
    if (!is_latch_counted(v)) {
        LLVMBuildBr(v->b, v->gate);
        return;
    }
    LLVMValueRef end = LLVMGetBasicBlockTerminator(v->loop->latch);
    LLVMBasicBlockRef exit = LLVMGetSuccessor(end, 1 - v->trips.stay);
    LLVMValueRef done = LLVMBuildICmp(v->b, LLVMIntULT, v->exit_trip, number(v, v->chunk), "");
    LLVMBuildCondBr(v->b, done, exit, v->gate);
    copy_edge(v, exit, v->loop->latch, v->left);
}

static void close_phis(Versioning *v) {
    for (u32 i = 0; i < v->ncarried; i++) {
        LLVMValueRef value = copy_of(v, v->carried[i].next);
        LLVMAddIncoming(v->carried[i].at_gate, &value, &v->left, 1);
    }
}

/* The header's phis anew, with the gate in place of the preheader: LLVM's C interface cannot change where a value
 * comes from. */
static void build_fresh_phi(Versioning *v, Carried *c) {
    LLVMBasicBlockRef latch = v->loop->latch;
    LLVMPositionBuilderBefore(v->b, c->phi);
    c->fresh = LLVMBuildPhi(v->b, LLVMTypeOf(c->phi), "");
    LLVMAddIncoming(c->fresh, &c->next, &latch, 1);
    LLVMAddIncoming(c->fresh, &c->start, &v->gate, 1);
    if (v->moved != NULL) LLVMAddIncoming(c->fresh, &c->moved, &v->moved, 1);
}

static void replace_phis(Versioning *v) {
    for (u32 i = 0; i < v->ncarried; i++) build_fresh_phi(v, &v->carried[i]);
    for (u32 i = 0; i < v->ncarried; i++) {
        LLVMReplaceAllUsesWith(v->carried[i].phi, v->carried[i].fresh);
        LLVMInstructionEraseFromParent(v->carried[i].phi);
    }
}

static void close_gate(Versioning *v, LLVMValueRef bad) {
    LLVMPositionBuilderAtEnd(v->b, v->gate);
    LLVMValueRef branch = LLVMBuildCondBr(v->b, bad, v->loop->header, v->ready);
    LLVMSetMetadata(branch, v->unit->kind_prof, v->unit->unlikely);
    LLVMSetSuccessor(LLVMGetBasicBlockTerminator(v->loop->preheader), 0, v->gate);
}

/* All memory that is needed on the way. */
static bool reserve(Versioning *v) {
    u32 all = v->size + v->nblocks;
    v->carried = wr_arena_new(v->arena, v->size, sizeof *v->carried);
    return v->carried != NULL && wr_value_map_reserve(&v->copies, all) &&
           wr_value_map_reserve(&v->at_gate, v->size);
}

static void collect_carried(Versioning *v) {
    LLVMValueRef phi = LLVMGetFirstInstruction(v->loop->header);
    v->ncarried = 0;
    for (; LLVMIsAPHINode(phi) != NULL; phi = LLVMGetNextInstruction(phi))
        v->carried[v->ncarried++] = (Carried){.phi = phi, .next = incoming(phi, v->loop->latch)};
}

/* Whether all that the loop carries on are numbers to which a constant is added. */
static bool has_constant_steps(Versioning *v) {
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        Affine form;
        if (!wr_affine_of(&v->scope, c->phi, &form) || form.step.nterms != 0) return false;
        c->step = form.step.constant;
    }
    return true;
}

static bool make_versions(Versioning *v) {
    if (!reserve(v)) return true;
    choose_chunk(v);
    collect_carried(v);
    v->compares = !counts_fuel(v) && is_comparison(v) && has_constant_steps(v);
    v->gate = new_block(v);
    LLVMPositionBuilderAtEnd(v->b, v->gate);
    if (!build_gate_phis(v)) return false;
    LLVMValueRef bad = build_gate_tests(v);
    v->ready = new_block(v);
    v->tail = new_block(v);
    v->left = new_block(v);
    if (!copy_loop(v)) return false;
    build_tail(v);
    build_left(v);
    close_phis(v);
    replace_phis(v);
    /* the loop as it was is seldom run: no code is spent on it */
    mark_loop(v, LLVMGetBasicBlockTerminator(v->loop->latch), "llvm.loop.unroll.disable");
    close_gate(v, bad);
    return true;
}

/* ---- loops that copy a run of bytes ---- */

/*
 * Such a loop stays as it is, but begins with its last iteration if the library's memmove can do those before:
 *
 *     preheader -> gate: how many iterations come before that in which the loop is left? They are few, or an address
 *                        will not lie in the memory, or what is stored will be read again: -> header
 *     gate -> moved: memmove, -> header
 */

/* The access that loads what another one stores; NULL if there is none. */
static const Access *source_of(const Versioning *v, const Access *store) {
    LLVMValueRef value = unfrozen(LLVMGetOperand(store->instruction, 0));
    for (u32 i = 0; i < v->naccesses; i++)
        if (v->accesses[i].instruction == value) return &v->accesses[i];
    return NULL;
}

/* Adds what one more store of an iteration copies: next to what is there, on that side to which the loop goes. */
static bool add_to_run(Versioning *v, const Access *store) {
    Run *r = &v->run;
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
static bool is_copy(Versioning *v) {
    u32 stores = 0;
    v->run = (Run){0};
    if (v->nblocks > 2 || v->stores_else || count_exits(v) != 1) return false;
    for (u32 i = 0; i < v->naccesses; i++) {
        if (LLVMIsAStoreInst(v->accesses[i].instruction) == NULL) continue;
        if (!add_to_run(v, &v->accesses[i])) return false;
        stores += 1;
    }
    if (stores == 0 || stores * 2 != v->naccesses) return false;
    const Run *r = &v->run;
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
static LLVMValueRef build_lowest(const Versioning *v, const Group *g, i64 offset,
                                 LLVMValueRef last) {
    LLVMValueRef first = LLVMBuildAdd(v->b, g->base, number(v, (u64)offset), "");
    if (v->run.step > 0) return first;
    LLVMValueRef way = LLVMBuildMul(v->b, last, number(v, (u64)v->run.step), "");
    return LLVMBuildAdd(v->b, first, way, "");
}

/* Whether bytes that are stored are read in a later iteration, so that the run would be repeated. */
static LLVMValueRef build_repeats(const Versioning *v, LLVMValueRef from, LLVMValueRef to,
                                  LLVMValueRef bytes) {
    LLVMValueRef ahead =
        v->run.step > 0 ? LLVMBuildSub(v->b, to, from, "") : LLVMBuildSub(v->b, from, to, "");
    LLVMValueRef one = number(v, 1);
    return LLVMBuildICmp(v->b, LLVMIntULT, LLVMBuildSub(v->b, ahead, one, ""),
                         LLVMBuildSub(v->b, bytes, one, ""), "");
}

static void build_memmove(const Versioning *v, LLVMValueRef from, LLVMValueRef to,
                          LLVMValueRef bytes) {
    const Unit *u = v->unit;
    LLVMTypeRef types[] = {u->ptr, u->ptr, u->i64};
    unsigned id = LLVMLookupIntrinsicID("llvm.memmove", 12);
    LLVMValueRef arguments[] = {build_start(v, to), build_start(v, from), bytes,
                                LLVMConstInt(u->i1, 1, 0)};
    LLVMBuildCall2(v->b, LLVMIntrinsicGetType(u->context, id, types, 3),
                   LLVMGetIntrinsicDeclaration(u->module, id, types, 3), arguments, 4, "");
}

/* False: it is not one of those, and nothing has changed. */
static bool prepare_copy(Versioning *v) {
    if (!is_copy(v) || !reserve(v)) return false;
    collect_carried(v);
    if (!has_constant_steps(v)) return false;
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        c->at_gate = c->start = incoming(c->phi, v->loop->preheader);
        if (!wr_value_map_put(&v->at_gate, c->phi, c->at_gate)) return false;
    }
    return true;
}

static void make_copy(Versioning *v) {
    LinearBuilder to_gate = {v->unit->context, v->b, &v->at_gate};
    const Run *r = &v->run;
    v->gate = new_block(v);
    v->moved = new_block(v);
    LLVMPositionBuilderAtEnd(v->b, v->gate);
    LLVMValueRef bad = LLVMConstNull(v->unit->i1);
    LLVMValueRef trip = wr_trips_build(&to_gate, &v->trips, &bad);
    LLVMValueRef few = LLVMBuildSub(v->b, trip, number(v, least_rounds(r)), "");
    few = LLVMBuildICmp(v->b, LLVMIntUGE, few, number(v, UINT32_MAX), "");
    bad = LLVMBuildOr(v->b, bad, few, "");
    LLVMValueRef last = LLVMBuildSub(v->b, trip, number(v, 1), "");
    LLVMValueRef size = build_memory_size(v);
    for (u32 i = 0; i < v->ngroups; i++) build_group(v, &v->groups[i], last, size, &bad);
    LLVMValueRef bytes = LLVMBuildMul(v->b, trip, number(v, r->bytes), "");
    LLVMValueRef from = build_lowest(v, &v->groups[r->from], r->source, last);
    LLVMValueRef to = build_lowest(v, &v->groups[r->to], r->target, last);
    bad = LLVMBuildOr(v->b, bad, build_repeats(v, from, to, bytes), "");
    LLVMBuildCondBr(v->b, bad, v->loop->header, v->moved);
    LLVMPositionBuilderAtEnd(v->b, v->moved);
    build_memmove(v, from, to, bytes);
    for (u32 i = 0; i < v->ncarried; i++) build_moved(v, &v->carried[i], trip);
    LLVMBuildBr(v->b, v->loop->header);
    replace_phis(v);
    LLVMSetSuccessor(LLVMGetBasicBlockTerminator(v->loop->preheader), 0, v->gate);
}

/* ---- loops that look at several places whether fuel is spent ---- */

/*
 * Such a loop, of which no more is known than what an iteration takes, gets a version that looks once:
 *
 *     preheader -> top: is there enough for an iteration, whatever it does? -> fast header ... fast latch, -> top
 *     top -> low: no; asks for more, which may stop here. Is there enough now? -> fast header
 *                 no: -> header ... latch, as it was, which looks everywhere
 *
 * Accesses stay as they are in it, and so do the stores of fuel before those.
 */
static bool could_be_frugal(Versioning *v) {
    u32 looks = 0;
    for (u32 i = 0; i < v->nblocks; i++) looks += wr_looks_stays(v->unit, v->blocks[i]) >= 0;
    return counts_fuel(v) && !has_state(v) && looks > 1 &&
           wr_charge_find(v->arena, v->unit, v->loop, &v->charge);
}

/* Ends the open block: on to the fast header, or, if so much is not enough for an iteration, elsewhere. */
static void build_enough(const Versioning *v, LLVMValueRef fuel, LLVMBasicBlockRef otherwise) {
    LLVMValueRef room = LLVMBuildAdd(v->b, fuel, number(v, (u64)v->charge.spare), "");
    LLVMValueRef less = LLVMBuildICmp(v->b, LLVMIntSLT, room, number(v, 0), "");
    LLVMBasicBlockRef header = copied_block(v, v->loop->header);
    LLVMValueRef branch = LLVMBuildCondBr(v->b, less, otherwise, header);
    LLVMSetMetadata(branch, v->unit->kind_prof, v->unit->unlikely);
}

/* `top` with its phis, `low`, and the phi of the fast header: that of fuel. */
static bool build_top(Versioning *v, LLVMBasicBlockRef top, LLVMBasicBlockRef low) {
    Carried *fuel = v->carried;
    while (fuel->phi != v->charge.fuel) fuel++;
    LLVMPositionBuilderAtEnd(v->b, top);
    if (!build_gate_phis(v)) return false;
    build_enough(v, fuel->at_gate, low);
    LLVMPositionBuilderAtEnd(v->b, low);
    fuel->start = wr_fuel_refill(v->unit, v->b, v->charge.stop, fuel->at_gate);
    build_enough(v, fuel->start, v->loop->header);
    LLVMPositionBuilderAtEnd(v->b, copied_block(v, v->loop->header));
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        c->fast = c == fuel ? LLVMBuildPhi(v->b, v->unit->i64, "") : c->at_gate;
        if (!wr_value_map_put(&v->copies, c->phi, c->fast)) return false;
    }
    LLVMAddIncoming(fuel->fast, &fuel->at_gate, &top, 1);
    LLVMAddIncoming(fuel->fast, &fuel->start, &low, 1);
    return true;
}

static bool make_frugal(Versioning *v) {
    if (!reserve(v)) return true;
    collect_carried(v);
    LLVMBasicBlockRef top = new_block(v), low = new_block(v);
    v->is_frugal = true;
    v->trips.block = NULL;
    v->tail = top;
    v->gate = low;
    if (!copy_blocks(v) || !build_top(v, top, low)) return false;
    for (u32 i = 0; i < v->nblocks; i++)
        if (!copy_block(v, v->blocks[i])) return false;
    for (u32 i = 1; i < v->nblocks; i++) fill_phis(v, v->blocks[i]);
    v->left = copied_block(v, v->loop->latch);
    close_phis(v);
    replace_phis(v);
    mark_loop(v, LLVMGetBasicBlockTerminator(v->loop->latch), "llvm.loop.unroll.disable");
    LLVMSetSuccessor(LLVMGetBasicBlockTerminator(v->loop->preheader), 0, top);
    return true;
}

/* ---- all of them ---- */

static void version_loop(Unit *unit, Arena *arena, LLVMValueRef function, const Loop *loop,
                         u32 work) {
    Versioning *v = wr_arena_new(arena, 1, sizeof *v);
    if (v == NULL) return;
    v->unit = unit;
    v->work = work;
    v->arena = arena;
    v->function = function;
    v->loop = loop;
    v->copies.arena = v->at_gate.arena = arena;
    v->scope = (AffineScope){.arena = arena, .loop = loop, .known = {.arena = arena}};
    if (!find_blocks(v) || !look_at_all(v)) return;
    bool is_known = find_trips(v) && v->naccesses > 0 && !is_over_soon(v) && group_accesses(v);
    bool copies = is_known && !counts_fuel(v) && prepare_copy(v);
    v->b = LLVMCreateBuilderInContext(unit->context);
    if (copies)
        make_copy(v);
    else if (is_known && is_worth_it(v) && is_affordable(v))
        (void)make_versions(v);
    else if (could_be_frugal(v))
        (void)make_frugal(v);
    LLVMDisposeBuilder(v->b);
}

static void version_function(Unit *unit, LLVMValueRef function, u32 work) {
    Arena arena;
    LoopList list;
    wr_arena_init(&arena, &unit->plan->module->engine->alloc);
    if (wr_loops_find(&arena, function, &list))
        for (u32 i = 0; i < list.count; i++)
            version_loop(unit, &arena, function, &list.loops[i], work);
    wr_arena_free(&arena);
}

/* What the accesses of memory 0 are like: in a shared one, other threads may write while a loop runs. */
static bool has_plain_memory(const Unit *unit) {
    const Module *m = unit->plan->module;
    return (unit->plan->guarded_memories & 1) != 0 && !m->memories[0].limits.is_shared;
}

void wr_version_loops(Unit *unit, u32 work) {
    if (!has_plain_memory(unit)) return;
    work = work < CHUNK_WORK ? work : CHUNK_WORK;
    LLVMValueRef f = LLVMGetFirstFunction(unit->module);
    for (; f != NULL; f = LLVMGetNextFunction(f))
        if (!LLVMIsDeclaration(f)) version_function(unit, f, work);
}
