/*
 * version_kept.c - see versioning.h. What a loop loads and stores at the same place in each iteration, as sums in memory,
 * is read before the fast loop and written behind it, if nothing else of the loop reaches there (which the gate asks).
 * Between, it is in a local variable of LLVM's, which becomes a register.
 *
 * Behind the loop: so it has to be left at one place.
 */
#include "versioning.h"

#define KEPT_GROUPS 8u /* with more, the gate would ask too much */

/* ---- which ---- */

static LLVMTypeRef type_of(const Access *a) {
    LLVMValueRef i = a->instruction;
    return LLVMTypeOf(LLVMIsAStoreInst(i) != NULL ? LLVMGetOperand(i, 0) : i);
}

static bool is_same_place(const Access *a, const Access *b) {
    return a->offset == b->offset && a->bytes == b->bytes;
}

static bool do_overlap(const Access *a, const Access *b) {
    i64 distance = (i64)(a->offset - b->offset);
    return distance < (i64)b->bytes && -distance < (i64)a->bytes;
}

/* False: there are too many, or it overlaps another one. */
static bool add_slot(Group *g, const Access *a) {
    for (u32 i = 0; i < g->nslots; i++) {
        const Access *other = g->slots[i].access;
        if (is_same_place(a, other)) return true;
        if (do_overlap(a, other)) return false;
    }
    if (g->nslots == KEPT_SLOTS) return false;
    g->slots[g->nslots++] = (KeptSlot){a, NULL};
    return true;
}

static bool add_slots(Versioning *v, Group *g) {
    for (u32 i = 0; i < v->naccesses; i++) {
        const Access *a = &v->accesses[i];
        if (&v->groups[a->group] == g && !add_slot(g, a)) return false;
    }
    return true;
}

void wr_version_choose_kept(Versioning *v) {
    if (v->ngroups > KEPT_GROUPS || counts_fuel(v) || wr_version_count_exits(v) != 1) return;
    for (u32 i = 0; i < v->ngroups; i++) {
        Group *g = &v->groups[i];
        g->is_kept = wr_version_is_fixed(g) && g->is_stored && add_slots(v, g);
    }
}

/* ---- what is done with them ---- */

static LLVMValueRef build_local(const Versioning *v, const KeptSlot *slot) {
    LLVMValueRef first = LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(v->function));
    LLVMPositionBuilderBefore(v->b, first);
    return LLVMBuildAlloca(v->b, type_of(slot->access), "");
}

static LLVMValueRef build_place(const Versioning *v, const Group *g, const KeptSlot *slot) {
    LLVMValueRef offset = number(v, slot->access->offset);
    return LLVMBuildInBoundsGEP2(v->b, v->unit->i8, g->start, &offset, 1, "");
}

static void move(const Versioning *v, LLVMTypeRef type, LLVMValueRef from, LLVMValueRef to) {
    LLVMValueRef load = LLVMBuildLoad2(v->b, type, from, "");
    LLVMValueRef store = LLVMBuildStore(v->b, load, to);
    LLVMSetAlignment(load, 1);
    LLVMSetAlignment(store, 1);
    LLVMSetMetadata(load, v->unit->kind_tbaa, v->unit->tbaa_memory);
    LLVMSetMetadata(store, v->unit->kind_tbaa, v->unit->tbaa_memory);
}

static void read_slot(const Versioning *v, const Group *g, KeptSlot *slot) {
    slot->local = build_local(v, slot);
    LLVMPositionBuilderAtEnd(v->b, v->ready);
    move(v, type_of(slot->access), build_place(v, g, slot), slot->local);
}

void wr_version_read_kept(Versioning *v) {
    for (u32 i = 0; i < v->ngroups; i++) {
        Group *g = &v->groups[i];
        for (u32 s = 0; g->is_kept && s < g->nslots; s++) read_slot(v, g, &g->slots[s]);
    }
}

/* Those that are only read are written, too: they are what they were. */
void wr_version_write_kept(Versioning *v) {
    for (u32 i = 0; i < v->ngroups; i++) {
        const Group *g = &v->groups[i];
        for (u32 s = 0; g->is_kept && s < g->nslots; s++) {
            const KeptSlot *slot = &g->slots[s];
            move(v, type_of(slot->access), slot->local, build_place(v, g, slot));
        }
    }
}

LLVMValueRef wr_version_kept_slot(const Versioning *v, const Access *access) {
    const Group *g = &v->groups[access->group];
    u32 s = 0;
    while (!is_same_place(access, g->slots[s].access)) s += 1;
    return g->slots[s].local;
}
