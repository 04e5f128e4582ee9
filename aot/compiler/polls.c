/*
 * polls.c - see polls.h.
 *
 * A poll is a test of one byte and a branch. What lies behind the branch is a call of a function of the unit that
 * preserves all registers, so that nothing around the poll feels it: no value of the loop has to be in a
 * register that survives calls. Both are functions made here, `looks` and `stops`, of which the first is inlined.
 *
 * Between two polls there is never more than code once through, a short loop (see is_short(), version.h), or calls
 * of functions without calls and loops: so a call that is to stop does so soon, whatever the module does.
 */
#include "polls.h"

#include <llvm-c/DebugInfo.h>
#include <stdlib.h>

#include "own.h"
#include "version.h"

#define SHORT_TRIPS 1024u /* of a loop that is one block */

/* ---- the two functions ---- */

/* It has no place of its own: backtraces begin with its caller. */
static LLVMValueRef make_stops(Unit *unit) {
    Lower l;
    LLVMTypeRef type = LLVMFunctionType(unit->none, &unit->ptr, 1, 0);
    if (!wr_own_begin(&l, unit, "stops", type, CC_PRESERVE_ALL)) return l.function;
    wr_unit_flag(unit, l.function, "nomerge");
    l.offset = IN_CALLER;
    wr_lower_helper(&l, HELPER_POLL, (LLVMValueRef[]){wr_lower_i32(&l, 0)}, 1);
    LLVMBuildRetVoid(l.b);
    return wr_own_end(&l);
}

static LLVMValueRef make_looks(Unit *unit, LLVMValueRef stops) {
    Lower l;
    LLVMBasicBlockRef likely;
    LLVMTypeRef type = LLVMFunctionType(unit->none, &unit->ptr, 1, 0);
    if (!wr_own_begin(&l, unit, "looks", type, CC_FAST)) return l.function;
    wr_unit_flag(unit, l.function, "alwaysinline");
    wr_lower_unlikely(&l, wr_lower_asked(&l, POLL_ASKED), &likely);
    wr_own_call(&l, stops, NULL);
    LLVMBuildBr(l.b, likely);
    LLVMPositionBuilderAtEnd(l.b, likely);
    LLVMBuildRetVoid(l.b);
    return wr_own_end(&l);
}

/* ---- loops ---- */

typedef struct Step {
    u32 block, next; /* next: the successor to be looked at */
} Step;

/* The blocks of a function, walked depth first. */
typedef struct Walk {
    LLVMBasicBlockRef *blocks; /* sorted by address */
    u32 count;
    u8 *state;   /* of each block */
    bool *polls; /* of each block: whether it has one */
    Step *path;
} Walk;

enum { UNSEEN, OPEN, LEFT };

static int compare_blocks(const void *a, const void *b) {
    uintptr_t x = (uintptr_t)*(const LLVMBasicBlockRef *)a;
    uintptr_t y = (uintptr_t)*(const LLVMBasicBlockRef *)b;
    return (x > y) - (x < y);
}

static u32 index_of(const Walk *w, LLVMBasicBlockRef block) {
    const LLVMBasicBlockRef *at =
        bsearch(&block, w->blocks, w->count, sizeof *w->blocks, compare_blocks);
    return (u32)(at - w->blocks);
}

static bool begin_walk(Walk *w, LLVMValueRef function, Arena *arena) {
    w->count = LLVMCountBasicBlocks(function);
    w->blocks = wr_arena_new(arena, w->count, sizeof *w->blocks);
    w->state = wr_arena_new(arena, w->count, sizeof *w->state);
    w->polls = wr_arena_new(arena, w->count, sizeof *w->polls);
    w->path = wr_arena_new(arena, w->count, sizeof *w->path);
    if (w->blocks == NULL || w->state == NULL || w->polls == NULL || w->path == NULL) return false;
    LLVMGetBasicBlocks(function, w->blocks);
    qsort(w->blocks, w->count, sizeof *w->blocks, compare_blocks);
    memset(w->state, UNSEEN, w->count);
    memset(w->polls, false, w->count * sizeof *w->polls);
    return true;
}

/* Number `i` of an instruction's operands, if it is a constant of at most 64 bits. */
static bool constant_operand(LLVMValueRef instruction, unsigned i, u64 *value) {
    LLVMValueRef operand = LLVMGetOperand(instruction, i);
    if (!LLVMIsAConstantInt(operand) || LLVMGetIntTypeWidth(LLVMTypeOf(operand)) > 64) return false;
    *value = LLVMConstIntGetZExtValue(operand);
    return true;
}

/* A counter of a loop of one block: phi and its sum with a constant. */
typedef struct Counter {
    LLVMValueRef phi, next;
    u64 start, step;
} Counter;

static bool find_counter(LLVMBasicBlockRef block, LLVMValueRef next, Counter *c) {
    if (!LLVMIsABinaryOperator(next) || LLVMGetInstructionOpcode(next) != LLVMAdd) return false;
    c->next = next;
    c->phi = LLVMGetOperand(next, 0);
    if (!constant_operand(next, 1, &c->step) || c->step == 0) return false;
    if (!LLVMIsAPHINode(c->phi) || LLVMGetInstructionParent(c->phi) != block ||
        LLVMCountIncoming(c->phi) != 2)
        return false;
    unsigned inside = LLVMGetIncomingBlock(c->phi, 1) == block;
    return LLVMGetIncomingValue(c->phi, inside) == next &&
           constant_operand(c->phi, 1 - inside, &c->start);
}

/* Whether the block branches to itself a small number of times only: until a counter has come to a constant. */
static bool is_short(LLVMBasicBlockRef block) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    if (!LLVMIsABranchInst(end) || !LLVMIsConditional(end)) return false;
    LLVMValueRef test = LLVMGetCondition(end);
    if (!LLVMIsAICmpInst(test)) return false;
    LLVMIntPredicate wanted = LLVMGetSuccessor(end, 0) == block ? LLVMIntNE : LLVMIntEQ;
    Counter c;
    u64 bound;
    if (LLVMGetICmpPredicate(test) != wanted || !constant_operand(test, 1, &bound) ||
        !find_counter(block, LLVMGetOperand(test, 0), &c))
        return false;
    unsigned width = LLVMGetIntTypeWidth(LLVMTypeOf(c.phi));
    u64 mask = UINT64_MAX >> (64 - width), way = (bound - c.start) & mask;
    if (c.step >> (width - 1) != 0) { /* downwards */
        c.step = (0 - c.step) & mask;
        way = (0 - way) & mask;
    }
    return way % c.step == 0 && way != 0 && way / c.step <= SHORT_TRIPS;
}

static void enter_block(Walk *w, u32 *depth, u32 block) {
    w->state[block] = OPEN;
    w->path[(*depth)++] = (Step){block, 0};
}

/* Whether `value` is a number that each turn of a loop, from `header` to `latch`, adds a constant to: before or after. */
static bool counts_turns(LLVMValueRef value, LLVMBasicBlockRef header, LLVMBasicBlockRef latch) {
    u64 step;
    LLVMValueRef phi = LLVMIsABinaryOperator(value) ? LLVMGetOperand(value, 0) : value;
    if (!LLVMIsAPHINode(phi) || LLVMGetInstructionParent(phi) != header) return false;
    for (unsigned i = 0; i < LLVMCountIncoming(phi); i++) {
        LLVMValueRef next = LLVMGetIncomingValue(phi, i);
        if (LLVMGetIncomingBlock(phi, i) != latch) continue;
        return LLVMIsABinaryOperator(next) && LLVMGetInstructionOpcode(next) == LLVMAdd &&
               LLVMGetOperand(next, 0) == phi && constant_operand(next, 1, &step) && step != 0 &&
               (value == phi || value == next);
    }
    return false;
}

/* Whether a block ends with a branch to `header` that is taken no more often than version.c says. Its mark alone does not
 * tell: LLVM moves it to what takes the place of an empty block, and makes one loop of two. So the branch has to
 * compare what version.c counts the turns with. */
static bool is_bounded(LLVMValueRef end, LLVMBasicBlockRef header) {
    if (!wr_loop_is_bounded(LLVMGetTypeContext(LLVMTypeOf(end)), end)) return false;
    if (!LLVMIsABranchInst(end) || !LLVMIsConditional(end)) return false;
    LLVMValueRef test = LLVMGetCondition(end);
    LLVMBasicBlockRef latch = LLVMGetInstructionParent(end);
    return LLVMIsAICmpInst(test) && (counts_turns(LLVMGetOperand(test, 0), header, latch) ||
                                     counts_turns(LLVMGetOperand(test, 1), header, latch));
}

/* Every cycle has a branch back to a block that the walk is in: those blocks get polls. */
static void find_loops(Walk *w, LLVMBasicBlockRef entry) {
    u32 depth = 0;
    enter_block(w, &depth, index_of(w, entry));
    while (depth > 0) {
        Step *step = &w->path[depth - 1];
        LLVMValueRef end = LLVMGetBasicBlockTerminator(w->blocks[step->block]);
        if (step->next == LLVMGetNumSuccessors(end)) {
            w->state[step->block] = LEFT;
            depth -= 1;
            continue;
        }
        LLVMBasicBlockRef successor = LLVMGetSuccessor(end, step->next++);
        u32 to = index_of(w, successor);
        if (w->state[to] == UNSEEN)
            enter_block(w, &depth, to);
        else if (w->state[to] == OPEN && !(to == step->block && is_short(successor)) &&
                 !is_bounded(end, successor))
            w->polls[to] = true;
    }
}

/* ---- calls ---- */

#define LEAF_MARK "wr-leaf"

static void mark_leaf(const Unit *unit, LLVMValueRef function) {
    LLVMAttributeRef mark =
        LLVMCreateStringAttribute(unit->context, LEAF_MARK, sizeof LEAF_MARK - 1, "", 0);
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, mark);
}

static bool is_leaf(LLVMValueRef function) {
    return LLVMIsAFunction(function) &&
           LLVMGetStringAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                                         LEAF_MARK, sizeof LEAF_MARK - 1) != NULL;
}

/* Of guest code, or out to a host's; helpers have C's convention. */
static bool is_guest_call(LLVMValueRef instruction) {
    if (!LLVMIsACallInst(instruction) && !LLVMIsAInvokeInst(instruction)) return false;
    unsigned convention = LLVMGetInstructionCallConv(instruction);
    return convention == CC_FAST || convention == CC_TAIL;
}

/* Whether there is a call, but for those of leaves. */
static bool has_calls(LLVMValueRef function) {
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    for (; block != NULL; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef i = LLVMGetFirstInstruction(block);
        for (; i != NULL; i = LLVMGetNextInstruction(i))
            if (is_guest_call(i) && !is_leaf(LLVMGetCalledValue(i))) return true;
    }
    return false;
}

/* ---- adding them ---- */

/* Where code of a block may begin: behind what has to be first. */
static LLVMValueRef first_in_block(LLVMBasicBlockRef block) {
    LLVMValueRef i = LLVMGetFirstInstruction(block);
    while (LLVMIsAPHINode(i) || LLVMIsALandingPadInst(i)) i = LLVMGetNextInstruction(i);
    return i;
}

/* The same in the entry block, where variables are made. */
static LLVMValueRef first_in_function(LLVMValueRef function) {
    LLVMValueRef i = LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(function)), first = i;
    for (; i != NULL; i = LLVMGetNextInstruction(i))
        if (LLVMIsAAllocaInst(i)) first = LLVMGetNextInstruction(i);
    return first;
}

/* The place of the first instruction from `i` on that has one, or of the function. */
static LLVMMetadataRef place_of(const Unit *unit, LLVMValueRef function, LLVMValueRef i) {
    for (; i != NULL; i = LLVMGetNextInstruction(i)) {
        LLVMMetadataRef place = LLVMInstructionGetDebugLoc(i);
        if (place != NULL) return place;
    }
    LLVMMetadataRef scope = LLVMGetSubprogram(function);
    return LLVMDIBuilderCreateDebugLocation(unit->context, LLVMDISubprogramGetLine(scope), 0, scope,
                                            NULL);
}

typedef struct Adding {
    Unit *unit;
    LLVMValueRef looks;
    LLVMBuilderRef b;
} Adding;

static void add_poll(const Adding *a, LLVMValueRef function, LLVMValueRef before,
                     LLVMMetadataRef place) {
    LLVMValueRef context = LLVMGetParam(function, 0);
    LLVMPositionBuilderBefore(a->b, before);
    LLVMSetCurrentDebugLocation2(a->b, place);
    LLVMTypeRef type = LLVMGlobalGetValueType(a->looks);
    LLVMValueRef call = LLVMBuildCall2(a->b, type, a->looks, &context, 1, "");
    LLVMSetInstructionCallConv(call, CC_FAST);
}

static bool add_polls(const Adding *a, LLVMValueRef function) {
    Arena arena;
    Walk w;
    wr_arena_init(&arena, &a->unit->plan->module->engine->alloc);
    bool ok = begin_walk(&w, function, &arena);
    if (ok) find_loops(&w, LLVMGetEntryBasicBlock(function));
    if (ok && has_calls(function))
        add_poll(a, function, first_in_function(function), place_of(a->unit, function, NULL));
    for (u32 i = 0; ok && i < w.count; i++) {
        if (!w.polls[i]) continue;
        LLVMValueRef first = first_in_block(w.blocks[i]);
        add_poll(a, function, first, place_of(a->unit, function, first));
    }
    wr_arena_free(&arena);
    return ok;
}

/* ---- behind the library ---- */

#define SHORT_BYTES 65536u

/* A call of memmove or the like that may take long. */
static bool is_long_run(LLVMValueRef i) {
    static const char prefix[] = "llvm.mem";
    LLVMValueRef callee = LLVMIsACallInst(i) ? LLVMGetCalledValue(i) : NULL;
    size_t size;
    u64 bytes;
    if (callee == NULL || !LLVMIsAFunction(callee) || LLVMGetIntrinsicID(callee) == 0) return false;
    const char *name = LLVMGetValueName2(callee, &size);
    if (size < sizeof prefix || memcmp(name, prefix, sizeof prefix - 1) != 0) return false;
    return !constant_operand(i, 2, &bytes) || bytes > SHORT_BYTES;
}

static void add_behind_library(const Adding *a, LLVMValueRef function) {
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    for (; block != NULL; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef i = LLVMGetFirstInstruction(block), next;
        for (; i != NULL; i = next) {
            next = LLVMGetNextInstruction(i);
            if (is_long_run(i)) add_poll(a, function, next, place_of(a->unit, function, i));
        }
    }
}

/* ---- units ---- */

static bool is_guest(LLVMValueRef function) {
    return !LLVMIsDeclaration(function) && LLVMGetSubprogram(function) != NULL;
}

static Adding begin_adding(Unit *unit) {
    return (Adding){unit, make_looks(unit, make_stops(unit)),
                    LLVMCreateBuilderInContext(unit->context)};
}

void wr_polls_add_few(Unit *unit) {
    Adding a = begin_adding(unit);
    LLVMValueRef f = LLVMGetFirstFunction(unit->module);
    for (; f != NULL; f = LLVMGetNextFunction(f))
        if (is_guest(f)) add_behind_library(&a, f);
    LLVMDisposeBuilder(a.b);
}

bool wr_polls_add(Unit *unit) {
    LLVMValueRef f;
    bool ok = true;
    for (f = LLVMGetFirstFunction(unit->module); f != NULL; f = LLVMGetNextFunction(f))
        if (is_guest(f) && !has_calls(f)) mark_leaf(unit, f);
    Adding a = begin_adding(unit);
    for (f = LLVMGetFirstFunction(unit->module); ok && f != NULL; f = LLVMGetNextFunction(f))
        if (is_guest(f)) ok = add_polls(&a, f);
    LLVMDisposeBuilder(a.b);
    return ok;
}
