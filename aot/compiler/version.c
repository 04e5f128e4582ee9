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
 * What is otherwise constant, but for some iterations: chunks end before those, which the loop as it was does one by one,
 * going back to the gate behind each.
 *
 * Loops that do nothing but look for something, or copy a run of bytes, have no second version, but something else before
 * them (version_search.c, version_copy.c).
 *
 * Of a loop with an access that has no such form there is no second version: that one may trap, so all stores
 * would have to stay as they are, and LLVM would not make vector code of it.
 */
#include "version.h"

#include "looks.h"
#include "lower_fuel.h"
#include "places.h"
#include "versioning.h"

#define CHUNK_WORK (1u << 21) /* instructions in a chunk: less than a millisecond */
#define LOOP_SIZE_EXITS 96u   /* instructions; larger loops with several exits are left alone */
#define FEW_TRIPS 4u          /* loops that are known to be so short are left alone */
#define MASK_TRIPS 8u         /* the same if their length is what a mask leaves */

/* ---- what is worth it ---- */

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
        count = wr_version_incoming(count, v->loop->preheader);
    if (LLVMIsAInstruction(count) == NULL || LLVMGetInstructionOpcode(count) != LLVMAnd)
        return false;
    LLVMValueRef mask = LLVMIsAConstantInt(LLVMGetOperand(count, 1));
    return mask != NULL && LLVMConstIntGetZExtValue(mask) < MASK_TRIPS;
}

static bool is_over_soon(const Versioning *v) {
    u64 count;
    return is_remainder(v) || (wr_trips_estimate(v->loop, &v->trips, &count) && count < FEW_TRIPS);
}

static bool is_worth_it(const Versioning *v) {
    return !only_moves(v) && (v->size <= LOOP_SIZE_EXITS || wr_version_count_exits(v) == 1);
}

/* Fuel is stored by the iteration that leaves: that of the loop as it was. */
static bool is_affordable(Versioning *v) {
    return !counts_fuel(v) ||
           (!has_state(v) && !is_latch_counted(v) && wr_version_count_exits(v) == 1 &&
            wr_charge_find(v->arena, v->unit, v->loop, &v->charge));
}

void wr_version_choose_chunk(Versioning *v) {
    v->chunk = v->work;
    while (v->chunk > 2 && (u64)v->chunk * v->size > v->work) v->chunk /= 2;
}

/* ---- hints for loops ---- */

static unsigned kind_loop(LLVMContextRef context) {
    return LLVMGetMDKindIDInContext(context, "llvm.loop", 9);
}

/* The node's first part is itself, so that no two loops share one. */
void wr_version_mark(const Versioning *v, LLVMValueRef branch, const char *hint) {
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
        if (parts[i] != NULL && is_hint(parts[i], LOOP_BOUNDED)) return true;
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
    for (u32 i = 0; i < v->naccesses; i++) {
        const Access *a = &v->accesses[i];
        const Group *g = &v->groups[a->group];
        if (!wr_version_is_constant(g)) continue;
        LLVMValueRef offset = number(v, a->offset), copy = LLVMInstructionClone(a->instruction);
        LLVMValueRef address = LLVMBuildInBoundsGEP2(v->b, v->unit->i8, g->start, &offset, 1, "");
        LLVMSetOperand(copy, 0, address);
        LLVMSetVolatile(copy, 0);
        LLVMInsertIntoBuilder(v->b, copy);
        if (!wr_value_map_put(&v->copies, a->instruction, copy)) return false;
    }
    return true;
}

static LLVMValueRef build_moving_address(const Versioning *v, const Access *a) {
    LLVMValueRef offset = number(v, a->offset), moved = v->groups[a->group].moved;
    return LLVMBuildInBoundsGEP2(v->b, v->unit->i8, moved, &offset, 1, "");
}

/* What is left of an access when it cannot trap. */
static void ease_access(Versioning *v, const Access *a, LLVMValueRef copy) {
    bool is_kept = v->groups[a->group].is_kept;
    LLVMPositionBuilderBefore(v->b, copy);
    LLVMValueRef address = is_kept ? wr_version_kept_slot(v, a) : build_moving_address(v, a);
    LLVMSetOperand(copy, LLVMIsAStoreInst(copy) != NULL, address);
    LLVMSetVolatile(copy, 0);
}

/* The header's phis, then the counter and what of each group's addresses changes with it. */
static bool build_fast_header(Versioning *v) {
    LLVMBasicBlockRef header = copied_block(v, v->loop->header);
    LLVMValueRef none = number(v, 0);
    LLVMBuildBr(v->b, header);
    LLVMPositionBuilderAtEnd(v->b, header);
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        c->fast = LLVMBuildPhi(v->b, LLVMTypeOf(c->phi), "");
        LLVMAddIncoming(c->fast, &c->start, &v->ready, 1);
        if (!wr_value_map_put(&v->copies, c->phi, c->fast)) return false;
    }
    v->counter = LLVMBuildPhi(v->b, v->unit->i64, "");
    LLVMAddIncoming(v->counter, &none, &v->ready, 1);
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
    LLVMPositionBuilderAtEnd(v->b, v->ready);
    if (!copy_blocks(v) || !read_constants(v)) return false;
    wr_version_read_kept(v);
    if (!build_fast_header(v)) return false;
    for (u32 i = 0; i < v->nblocks; i++)
        if (!copy_block(v, v->blocks[i])) return false;
    for (u32 i = 1; i < v->nblocks; i++) fill_phis(v, v->blocks[i]);
    for (u32 i = 0; i < v->naccesses; i++) {
        const Access *a = &v->accesses[i];
        if (!wr_version_is_constant(&v->groups[a->group]))
            ease_access(v, a, copy_of(v, a->instruction));
    }
    return true;
}

/* ---- from one iteration to the next, and out ---- */

static void build_tail(Versioning *v) {
    LLVMBasicBlockRef header = copied_block(v, v->loop->header);
    LLVMPositionBuilderAtEnd(v->b, v->tail);
    LLVMValueRef next = LLVMBuildNUWAdd(v->b, v->counter, number(v, 1), "");
    LLVMValueRef all = LLVMBuildICmp(v->b, LLVMIntEQ, next, v->rounds, "");
    wr_version_mark(v, LLVMBuildCondBr(v->b, all, v->left, header), LOOP_BOUNDED);
    LLVMAddIncoming(v->counter, &next, &v->tail, 1);
    for (u32 i = 0; i < v->ncarried; i++) {
        LLVMValueRef value = copy_of(v, v->carried[i].next);
        LLVMAddIncoming(v->carried[i].fast, &value, &v->tail, 1);
    }
}

static void build_left(Versioning *v) {
    LLVMPositionBuilderAtEnd(v->b, v->left);
    wr_version_write_kept(v);
    if (!is_latch_counted(v)) {
        LLVMBuildBr(v->b, v->gate);
        return;
    }
    LLVMValueRef end = LLVMGetBasicBlockTerminator(v->loop->latch);
    LLVMBasicBlockRef exit = LLVMGetSuccessor(end, 1 - v->trips.stay);
    LLVMValueRef rounds = v->is_split ? v->rounds : number(v, v->chunk);
    LLVMValueRef done = LLVMBuildICmp(v->b, LLVMIntULT, v->exit_trip, rounds, "");
    LLVMBuildCondBr(v->b, done, exit, v->gate);
    copy_edge(v, exit, v->loop->latch, v->left);
}

/* From the loop as it was back to the gate, if it was entered for one iteration only. */
static void build_again(Versioning *v) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(v->loop->latch);
    v->again = new_block(v);
    for (u32 s = 0; s < LLVMGetNumSuccessors(end); s++)
        if (LLVMGetSuccessor(end, s) == v->loop->header) LLVMSetSuccessor(end, s, v->again);
    LLVMPositionBuilderAtEnd(v->b, v->again);
    LLVMBuildCondBr(v->b, v->bad, v->loop->header, v->gate);
}

static void close_phis(Versioning *v) {
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        LLVMValueRef value = copy_of(v, c->next);
        LLVMAddIncoming(c->at_gate, &value, &v->left, 1);
        if (v->is_split) LLVMAddIncoming(c->at_gate, &c->next, &v->again, 1);
    }
}

/* The header's phis anew, with the gate in place of the preheader: LLVM's C interface cannot change where a value
 * comes from. */
static void build_fresh_phi(Versioning *v, Carried *c) {
    LLVMBasicBlockRef latch = v->is_split ? v->again : v->loop->latch;
    LLVMPositionBuilderBefore(v->b, c->phi);
    c->fresh = LLVMBuildPhi(v->b, LLVMTypeOf(c->phi), "");
    LLVMAddIncoming(c->fresh, &c->next, &latch, 1);
    LLVMAddIncoming(c->fresh, &c->start, &v->gate, 1);
    if (v->moved != NULL) LLVMAddIncoming(c->fresh, &c->moved, &v->moved, 1);
}

void wr_version_replace_phis(Versioning *v) {
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

static bool make_versions(Versioning *v) {
    if (!wr_version_reserve(v)) return true;
    wr_version_choose_chunk(v);
    wr_version_choose_kept(v);
    v->gate = new_block(v);
    LLVMPositionBuilderAtEnd(v->b, v->gate);
    if (!wr_version_build_phis(v)) return false;
    LLVMValueRef bad = wr_version_build_tests(v);
    v->ready = new_block(v);
    v->tail = new_block(v);
    v->left = new_block(v);
    if (!copy_loop(v)) return false;
    build_tail(v);
    build_left(v);
    if (v->is_split) build_again(v);
    close_phis(v);
    wr_version_replace_phis(v);
    /* the loop as it was is seldom run: no code is spent on it */
    LLVMBasicBlockRef back = v->is_split ? v->again : v->loop->latch;
    wr_version_mark(v, LLVMGetBasicBlockTerminator(back), LOOP_NOT_UNROLLED);
    close_gate(v, bad);
    return true;
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
    if (!wr_version_build_phis(v)) return false;
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
    if (!wr_version_reserve(v)) return true;
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
    wr_version_replace_phis(v);
    wr_version_mark(v, LLVMGetBasicBlockTerminator(v->loop->latch), LOOP_NOT_UNROLLED);
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
    if (!wr_version_look(v)) return;
    v->has_trips = wr_version_find_trips(v);
    bool is_known = v->naccesses > 0 && !(v->has_trips && is_over_soon(v)) && wr_version_group(v);
    v->b = LLVMCreateBuilderInContext(unit->context);
    bool is_done = is_known && !counts_fuel(v) &&
                   (wr_version_search(v) || (v->has_trips && wr_version_copy(v)));
    if (!is_done && is_known && v->has_trips && is_worth_it(v) && is_affordable(v))
        (void)make_versions(v);
    else if (!is_done && could_be_frugal(v))
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
