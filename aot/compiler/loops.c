/*
 * loops.c - see loops.h. Dominators by Cooper, Harvey and Kennedy ("A simple, fast dominance algorithm", 2001):
 * blocks are numbered in reverse postorder, and every dominator has a smaller number.
 */
#include "loops.h"

#include <stdlib.h>

#define LOOP_BLOCKS 256u /* more are not looked at */

typedef struct Graph {
    Arena *arena;
    LLVMBasicBlockRef *blocks; /* reachable ones in reverse postorder */
    u32 count;
    ValueMap numbers;        /* block -> &index[its number] */
    u32 *index;              /* 0, 1, 2, ... */
    u32 *preds, *first_pred; /* of block i: preds[first_pred[i]] up to first_pred[i + 1] */
    u32 *idom;               /* NONE_U32: not known yet */
    u32 *latch; /* of a header: its one latch; NONE_U32: no header, NONE_U32 - 1: several */
} Graph;
#define SEVERAL (NONE_U32 - 1)

/* ---- reverse postorder ---- */

typedef struct Visit {
    LLVMBasicBlockRef block;
    u32 next; /* successor */
} Visit;

static u32 successors(LLVMBasicBlockRef block) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    return end == NULL ? 0 : LLVMGetNumSuccessors(end);
}

static LLVMBasicBlockRef successor(LLVMBasicBlockRef block, u32 i) {
    return LLVMGetSuccessor(LLVMGetBasicBlockTerminator(block), i);
}

/* Fills blocks[] from its end; `seen` marks what was visited. */
static bool number_blocks(Graph *g, LLVMValueRef function) {
    u32 total = LLVMCountBasicBlocks(function), depth = 0, at = total;
    ValueMap seen = {.arena = g->arena};
    Visit *stack = wr_arena_new(g->arena, total, sizeof *stack);
    g->blocks = wr_arena_new(g->arena, total, sizeof(LLVMBasicBlockRef));
    g->index = wr_arena_new(g->arena, total, sizeof(u32));
    if (stack == NULL || g->blocks == NULL || g->index == NULL) return false;
    if (!wr_value_map_reserve(&seen, total) || !wr_value_map_reserve(&g->numbers, total))
        return false;
    stack[depth++] = (Visit){LLVMGetEntryBasicBlock(function), 0};
    if (!wr_value_map_put(&seen, stack[0].block, g)) return false;
    while (depth > 0) {
        Visit *top = &stack[depth - 1];
        if (top->next == successors(top->block)) {
            g->blocks[--at] = top->block;
            depth -= 1;
            continue;
        }
        LLVMBasicBlockRef next = successor(top->block, top->next++);
        if (wr_value_map_get(&seen, next) != NULL) continue;
        if (!wr_value_map_put(&seen, next, g)) return false;
        stack[depth++] = (Visit){next, 0};
    }
    g->blocks += at;
    g->count = total - at;
    for (u32 i = 0; i < g->count; i++) {
        g->index[i] = i;
        if (!wr_value_map_put(&g->numbers, g->blocks[i], &g->index[i])) return false;
    }
    return true;
}

static u32 number_of(const Graph *g, LLVMBasicBlockRef block) {
    return *(const u32 *)wr_value_map_get(&g->numbers, block);
}

/* ---- predecessors, dominators ---- */

static bool collect_preds(Graph *g) {
    g->first_pred = wr_arena_new(g->arena, (size_t)g->count + 2, sizeof(u32));
    if (g->first_pred == NULL) return false;
    u32 *ends =
        g->first_pred + 1; /* ends[i] counts, then is where those of block i begin, then end */
    for (u32 i = 0; i < g->count; i++)
        for (u32 s = 0; s < successors(g->blocks[i]); s++)
            ends[number_of(g, successor(g->blocks[i], s)) + 1] += 1;
    for (u32 i = 0; i < g->count; i++) ends[i + 1] += ends[i];
    g->preds = wr_arena_new(g->arena, ends[g->count], sizeof(u32));
    if (g->preds == NULL) return false;
    for (u32 i = 0; i < g->count; i++)
        for (u32 s = 0; s < successors(g->blocks[i]); s++)
            g->preds[ends[number_of(g, successor(g->blocks[i], s))]++] = i;
    return true;
}

static u32 common_dominator(const Graph *g, u32 a, u32 b) {
    while (a != b) {
        while (a > b) a = g->idom[a];
        while (b > a) b = g->idom[b];
    }
    return a;
}

static bool find_dominators(Graph *g) {
    g->idom = wr_arena_new(g->arena, g->count, sizeof(u32));
    if (g->idom == NULL) return false;
    for (u32 i = 1; i < g->count; i++) g->idom[i] = NONE_U32;
    for (bool changed = true; changed;) {
        changed = false;
        for (u32 i = 1; i < g->count; i++) {
            u32 dominator = NONE_U32;
            for (u32 p = g->first_pred[i]; p < g->first_pred[i + 1]; p++) {
                u32 pred = g->preds[p];
                if (g->idom[pred] == NONE_U32) continue;
                dominator = dominator == NONE_U32 ? pred : common_dominator(g, dominator, pred);
            }
            changed |= g->idom[i] != dominator;
            g->idom[i] = dominator;
        }
    }
    return true;
}

static bool dominates(const Graph *g, u32 a, u32 b) {
    while (b > a) b = g->idom[b];
    return a == b;
}

/* ---- loops ---- */

static bool find_latches(Graph *g) {
    g->latch = wr_arena_new(g->arena, g->count, sizeof(u32));
    if (g->latch == NULL) return false;
    for (u32 i = 0; i < g->count; i++) {
        g->latch[i] = NONE_U32;
        for (u32 p = g->first_pred[i]; p < g->first_pred[i + 1]; p++) {
            u32 pred = g->preds[p];
            if (pred < i) continue;
            bool is_first = g->latch[i] == NONE_U32 && dominates(g, i, pred);
            g->latch[i] = is_first ? pred : SEVERAL;
        }
    }
    return true;
}

static u32 preheader_of(const Graph *g, u32 header) {
    u32 found = NONE_U32;
    for (u32 p = g->first_pred[header]; p < g->first_pred[header + 1]; p++) {
        if (g->preds[p] >= header) continue;
        if (found != NONE_U32) return NONE_U32;
        found = g->preds[p];
    }
    return found != NONE_U32 && successors(g->blocks[found]) == 1 ? found : NONE_U32;
}

static bool add_member(const Graph *g, Loop *loop, u32 *numbers, u32 block) {
    if (wr_loop_has_block(loop, g->blocks[block])) return true;
    if (loop->nblocks == LOOP_BLOCKS) return false;
    numbers[loop->nblocks++] = block;
    return wr_value_map_put(&loop->members, g->blocks[block], loop);
}

static int compare_numbers(const void *a, const void *b) {
    u32 left = *(const u32 *)a, right = *(const u32 *)b;
    return left < right ? -1 : left > right;
}

/* Walks back from the latch. False: too large, no memory, or there is a loop in it. */
static bool collect_blocks(const Graph *g, Loop *loop, u32 header) {
    u32 numbers[LOOP_BLOCKS];
    if (!add_member(g, loop, numbers, header) || !add_member(g, loop, numbers, g->latch[header]))
        return false;
    for (u32 i = 1; i < loop->nblocks; i++) {
        u32 block = numbers[i];
        if (g->latch[block] != NONE_U32) return false;
        for (u32 p = g->first_pred[block]; p < g->first_pred[block + 1]; p++)
            if (!add_member(g, loop, numbers, g->preds[p])) return false;
    }
    qsort(numbers, loop->nblocks, sizeof *numbers, compare_numbers);
    loop->blocks = wr_arena_new(g->arena, loop->nblocks, sizeof(LLVMBasicBlockRef));
    for (u32 i = 0; loop->blocks != NULL && i < loop->nblocks; i++)
        loop->blocks[i] = g->blocks[numbers[i]];
    return loop->blocks != NULL;
}

static bool collect_loops(Graph *g, LoopList *list) {
    u32 headers = 0;
    for (u32 i = 0; i < g->count; i++) headers += g->latch[i] != NONE_U32;
    *list = (LoopList){wr_arena_new(g->arena, headers, sizeof(Loop)), 0};
    if (list->loops == NULL) return false;
    for (u32 i = 0; i < g->count; i++) {
        if (g->latch[i] == NONE_U32 || g->latch[i] == SEVERAL) continue;
        u32 preheader = preheader_of(g, i);
        Loop loop = {.header = g->blocks[i],
                     .latch = g->blocks[g->latch[i]],
                     .members = {.arena = g->arena}};
        if (preheader == NONE_U32 || !collect_blocks(g, &loop, i)) continue;
        loop.preheader = g->blocks[preheader];
        list->loops[list->count++] = loop;
    }
    return true;
}

bool wr_loops_find(Arena *arena, LLVMValueRef function, LoopList *list) {
    Graph g = {.arena = arena, .numbers = {.arena = arena}};
    return number_blocks(&g, function) && collect_preds(&g) && find_dominators(&g) &&
           find_latches(&g) && collect_loops(&g, list);
}

bool wr_loop_has_block(const Loop *loop, LLVMBasicBlockRef block) {
    return wr_value_map_get(&loop->members, block) != NULL;
}

bool wr_loop_makes(const Loop *loop, LLVMValueRef value) {
    return LLVMIsAInstruction(value) != NULL &&
           wr_loop_has_block(loop, LLVMGetInstructionParent(value));
}
