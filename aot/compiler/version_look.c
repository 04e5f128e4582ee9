/*
 * version_look.c - see versioning.h. What a loop consists of: its accesses of memory, in groups, its exits, and what it
 * carries from one iteration to the next.
 */
#include "looks.h"
#include "places.h"
#include "versioning.h"

#define LOOP_SIZE 512u /* instructions; larger loops are left alone */

LLVMValueRef wr_version_incoming(LLVMValueRef phi, LLVMBasicBlockRef from) {
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

bool wr_version_is_fixed(const Group *g) {
    return g->index.step.nterms == 0 && (u32)g->index.step.constant == 0;
}

bool wr_version_is_constant(const Group *g) { return !g->is_stored && wr_version_is_fixed(g); }

/* An access that has to become an ordinary one. */
static bool note_access(Versioning *v, LLVMValueRef instruction) {
    if (v->naccesses == LOOP_ACCESSES) return false;
    v->accesses[v->naccesses++].instruction = instruction;
    return true;
}

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

bool wr_version_look(Versioning *v) {
    if (!find_blocks(v)) return false;
    for (u32 i = 0; i < v->nblocks; i++) {
        LLVMBasicBlockRef block = v->blocks[i];
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at != NULL; at = LLVMGetNextInstruction(at))
            if (!look_at(v, at) || v->size > LOOP_SIZE) return false;
    }
    return true;
}

bool wr_version_group(Versioning *v) {
    for (u32 i = 0; i < v->naccesses; i++) {
        Access *a = &v->accesses[i];
        bool is_store = LLVMIsAStoreInst(a->instruction) != NULL;
        a->bytes = bytes_of(v, a->instruction);
        if (!find_address(v, a, LLVMGetOperand(a->instruction, is_store)) || !group_access(v, a))
            return false;
    }
    return true;
}

LLVMBasicBlockRef wr_version_next(const Versioning *v, LLVMBasicBlockRef block) {
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
bool wr_version_find_trips(Versioning *v) {
    if (wr_trips_find(&v->scope, v->loop->latch, &v->trips)) return true;
    LLVMBasicBlockRef block = v->loop->header;
    for (; block != NULL && block != v->loop->latch; block = wr_version_next(v, block))
        if (wr_trips_find(&v->scope, block, &v->trips)) return true;
    return false;
}

u32 wr_version_count_exits(const Versioning *v) {
    u32 exits = 0;
    for (u32 i = 0; i < v->nblocks; i++) {
        LLVMValueRef end = LLVMGetBasicBlockTerminator(v->blocks[i]);
        for (u32 s = 0; s < LLVMGetNumSuccessors(end); s++)
            exits += !wr_loop_has_block(v->loop, LLVMGetSuccessor(end, s));
    }
    return exits;
}

LLVMValueRef wr_version_unfrozen(LLVMValueRef value) {
    return wr_is_frozen_load(value) ? LLVMGetOperand(value, 0) : value;
}

const Access *wr_version_access_of(const Versioning *v, LLVMValueRef load) {
    for (u32 i = 0; i < v->naccesses; i++)
        if (v->accesses[i].instruction == load) return &v->accesses[i];
    return NULL;
}

static void collect_carried(Versioning *v) {
    LLVMValueRef phi = LLVMGetFirstInstruction(v->loop->header);
    v->ncarried = 0;
    for (; LLVMIsAPHINode(phi) != NULL; phi = LLVMGetNextInstruction(phi))
        v->carried[v->ncarried++] =
            (Carried){.phi = phi, .next = wr_version_incoming(phi, v->loop->latch)};
}

bool wr_version_reserve(Versioning *v) {
    u32 all = v->size + v->nblocks;
    v->carried = wr_arena_new(v->arena, v->size, sizeof *v->carried);
    if (v->carried == NULL || !wr_value_map_reserve(&v->copies, all) ||
        !wr_value_map_reserve(&v->at_gate, v->size))
        return false;
    collect_carried(v);
    return true;
}

bool wr_version_has_constant_steps(Versioning *v) {
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        Affine form;
        if (!wr_affine_of(&v->scope, c->phi, &form) || form.step.nterms != 0) return false;
        c->step = form.step.constant;
    }
    return true;
}
