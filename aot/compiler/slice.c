/* slice.c - see slice.h. */
#include "slice.h"

#include <stdlib.h>

#include "decode_code.h"
#include "store.h"

/* Loops around each other that have entries: the outermost ones; in haste one. */
#define LOOPS_AROUND 8u
#define SMALL 512u       /* bytes: callees that come before others */
#define MAX_LOOPS 1024u  /* in all; later points' have none */
#define MAX_NESTED 1024u /* blocks around a point; what is deeper has no entry */

static u64 body_size(const Module *m, u32 func_index) {
    const Code *code = wr_module_code(m, func_index);
    return (u64)(code->end - code->start);
}

/* ---- functions ---- */

typedef struct Chosen {
    const Module *module;
    bool *has;
    u32 *queue; /* those chosen so far, in the order in which they were */
    u32 count;
    u64 size; /* of their bodies */
} Chosen;

/* If it has at most so many bytes and fits into the budget. */
static void choose(Chosen *c, u32 func_index, u64 most, u64 budget) {
    const Module *m = c->module;
    if (func_index < m->nimported_funcs || func_index >= m->nfuncs || c->has[func_index]) return;
    u64 size = body_size(m, func_index);
    if (size > most || c->size + size > budget) return;
    c->has[func_index] = true;
    c->queue[c->count++] = func_index;
    c->size += size;
}

static void choose_callees(Chosen *c, u32 func_index, u64 most, u64 budget) {
    const Code *code = wr_module_code(c->module, func_index);
    Reader r = {.pos = code->start, .end = code->end, .base = c->module->bytes};
    Instr instr;
    while (wr_instr_next(&r, &instr))
        if (instr.op == OP_CALL || instr.op == OP_RETURN_CALL) choose(c, instr.index, most, budget);
}

static u64 code_size(const Module *m) {
    u64 size = 0;
    for (u32 i = 0; i < m->ncodes; i++) size += body_size(m, m->nimported_funcs + i);
    return size;
}

bool wr_slice_is_whole(const CompileJob *job) {
    return job->nfunctions == 0 || code_size(job->module) <= job->budget;
}

static void choose_all(Chosen *c) {
    for (u32 i = c->module->nimported_funcs; i < c->module->nfuncs; i++)
        choose(c, i, UINT64_MAX, UINT64_MAX);
}

/* Small callees come first, since they are called often, or are inlined, then those that are near. */
static void choose_functions(Chosen *c, const CompileJob *job) {
    if (wr_slice_is_whole(job)) {
        choose_all(c);
        return;
    }
    for (u32 i = 0; i < job->nfunctions; i++) choose(c, job->functions[i], UINT64_MAX, UINT64_MAX);
    for (u32 i = 0; i < c->count; i++) choose_callees(c, c->queue[i], SMALL, job->budget);
    for (u32 i = 0; i < c->count; i++) choose_callees(c, c->queue[i], UINT64_MAX, job->budget);
}

static int compare_numbers(const void *a, const void *b) {
    const u32 *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* ---- loops ---- */

/* The blocks around an instruction. */
typedef struct Nest {
    u64 loops[MAX_NESTED]; /* 0: no loop that can be entered */
    u32 count;
    u32 catches; /* open legacy catch clauses: what they have caught is in no operand */
    bool is_catch[MAX_NESTED];
} Nest;

static void open_block(Nest *n, u64 loop) {
    n->is_catch[n->count] = false;
    n->loops[n->count++] = n->catches == 0 ? loop : 0;
}

static void close_block(Nest *n) {
    if (n->count == 0) return;
    n->count -= 1;
    n->catches -= n->is_catch[n->count];
}

static void begin_catch(Nest *n) {
    if (n->count == 0 || n->is_catch[n->count - 1]) return;
    n->is_catch[n->count - 1] = true;
    n->catches += 1;
}

/* False when it is too deep. */
static bool follow(Nest *n, const Module *m, const Instr *instr) {
    u8 kind = wr_op_info[instr->op].imm;
    if (kind == IMM_BLOCK || kind == IMM_TRY_TABLE) {
        if (n->count == MAX_NESTED) return false;
        open_block(n, instr->op == OP_LOOP ? wr_module_offset(m, instr->end) : 0);
    } else if (instr->op == OP_END || instr->op == OP_DELEGATE) {
        close_block(n);
    } else if (instr->op == OP_CATCH || instr->op == OP_CATCH_ALL) {
        begin_catch(n);
    }
    return true;
}

static bool add_loop(Slice *s, const Alloc *alloc, u64 offset, u32 func_index) {
    for (u32 i = 0; i < s->nloops; i++)
        if (s->loops[i].offset == offset) return true;
    if (s->nloops == MAX_LOOPS) return true;
    if (!wr_grow_array(alloc, &s->loops, &s->cap_loops, (u64)s->nloops + 1, MAX_LOOPS,
                       sizeof *s->loops))
        return false;
    s->loops[s->nloops++] = (SliceLoop){offset, func_index};
    return true;
}

/* Those around the point, from the outermost on. */
static bool add_loops(Slice *s, const CompileJob *job, u32 func_index, u64 point) {
    const Module *m = job->module;
    const Code *code = wr_module_code(m, func_index);
    Nest nest = {.count = 0};
    Reader r = {.pos = code->start, .end = code->end, .base = m->bytes};
    Instr instr;
    while (wr_instr_next(&r, &instr) && wr_module_offset(m, instr.start) < point)
        if (!follow(&nest, m, &instr)) return true;
    u32 added = 0, most = native_is_hasty(&job->options) ? 1 : LOOPS_AROUND;
    for (u32 i = 0; i < nest.count && added < most; i++) {
        if (nest.loops[i] == 0) continue;
        if (!add_loop(s, &m->engine->alloc, nest.loops[i], func_index)) return false;
        added += 1;
    }
    return true;
}

static int compare_loops(const void *a, const void *b) {
    const SliceLoop *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* A tail call could not take the place of the frame that goes on in an entry: functions that make some have none. */
bool wr_slice_find_loops(Slice *s, const CompileJob *job, const bool *has_tail) {
    if (job->options.fuel) return true; /* which entries would have to know */
    for (u32 i = 0; i < job->npoints; i++) {
        u32 func_index = wr_module_func_at(job->module, job->points[i]);
        if (func_index == NONE_U32 || !s->has[func_index] || has_tail[func_index]) continue;
        if (!add_loops(s, job, func_index, job->points[i])) return false;
    }
    if (s->nloops > 1) qsort(s->loops, s->nloops, sizeof *s->loops, compare_loops);
    return true;
}

/* ---- the whole ---- */

bool wr_slice_choose(Slice *slice, const CompileJob *job) {
    const Module *m = job->module;
    const Alloc *alloc = &m->engine->alloc;
    slice->functions = wr_alloc_array(alloc, (size_t)m->ncodes + 1, sizeof *slice->functions);
    slice->has = wr_alloc_array(alloc, (size_t)m->nfuncs + 1, sizeof *slice->has);
    if (slice->functions == NULL || slice->has == NULL) return false;
    Chosen chosen = {.module = m, .has = slice->has, .queue = slice->functions};
    choose_functions(&chosen, job);
    slice->nfunctions = chosen.count;
    if (chosen.count > 1)
        qsort(slice->functions, chosen.count, sizeof *slice->functions, compare_numbers);
    return true;
}

void wr_slice_free(Slice *slice, const CompileJob *job) {
    const Module *m = job->module;
    const Alloc *alloc = &m->engine->alloc;
    wr_free(alloc, slice->functions, ((size_t)m->ncodes + 1) * sizeof *slice->functions);
    wr_free(alloc, slice->has, ((size_t)m->nfuncs + 1) * sizeof *slice->has);
    wr_free(alloc, slice->loops, slice->cap_loops * sizeof *slice->loops);
}
