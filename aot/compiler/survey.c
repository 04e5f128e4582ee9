/*
 * survey.c - see survey.h. The limits are about ten times what is found in large programs (SQLite, CPython, esbuild), and keep
 * a function's compilation within seconds and some hundred megabytes.
 */
#include "survey.h"

#include "decode_code.h"
#include "store.h"
#include "validate_code.h" /* LIMIT_NESTING */

#define BODY_LITTLE (96u << 10) /* bytes */
#define BODY_NONE (2u << 20)
#define LOOPS 2048u       /* in a function; a pass over all of them for each */
#define BLOCKS 30000u     /* in a function */
#define PHIS 2000000u     /* see note_end() */
#define LOOP_PHIS 50000u  /* the same of loops alone: several passes add more at the exits */
#define ROW 30000u        /* instructions without a block's begin or end */
#define LLVM_BLOCK 10000u /* instructions of LLVM in one of its blocks: all are selected together */
/* Slots that a function's frames are written down to. Of thirteen real programs the largest has 51,000 (mujs). So many
 * take LLVM 12 s; 475,000 took 170. */
#define STORED (1u << 17)

typedef struct Open {
    u32 sets; /* so often locals had been set when it began */
    bool is_loop;
} Open;

typedef struct Survey {
    const Alloc *alloc;
    const Code *code;
    Open *open; /* blocks, the innermost last */
    u32 nopen, cap_open;
    u32 sets, blocks, loops, row, longest_row;
    u64 phis, loop_phis;
    bool *is_known; /* by function index: whether it makes tail calls */
    bool failed;    /* no memory */
} Survey;

static void note_begin(Survey *s, bool is_loop) {
    if (s->nopen == s->cap_open &&
        !wr_grow_array(s->alloc, &s->open, &s->cap_open, (u64)s->nopen + 1, LIMIT_NESTING + 1,
                       sizeof *s->open)) {
        s->failed = true;
        return;
    }
    s->open[s->nopen++] = (Open){s->sets, is_loop};
    s->blocks += 1;
    s->loops += is_loop;
}

/* Where control meets, each local that has been set on one of the ways may need a phi. */
static void note_end(Survey *s) {
    if (s->nopen == 0) return; /* the function's own */
    const Open *open = &s->open[--s->nopen];
    u32 sets = s->sets - open->sets;
    u32 phis = sets < s->code->nlocals ? sets : s->code->nlocals;
    s->phis += phis;
    if (open->is_loop) s->loop_phis += phis;
}

static void look_at(Survey *s, Opcode op) {
    s->row += 1;
    if (op == OP_LOCAL_SET || op == OP_LOCAL_TEE) s->sets += 1;
    if (s->row > s->longest_row) s->longest_row = s->row;
    switch ((int)op) {
    case OP_BLOCK:
    case OP_LOOP:
    case OP_IF:
    case OP_TRY:
    case OP_TRY_TABLE: note_begin(s, op == OP_LOOP); break;
    case OP_END:
    case OP_DELEGATE: note_end(s); break;
    default: return;
    }
    s->row = 0;
}

static Effort effort_of(const Survey *s) {
    size_t size = (size_t)(s->code->end - s->code->start);
    if (size > BODY_NONE || s->blocks > BLOCKS || s->loops > LOOPS || s->phis > PHIS ||
        s->loop_phis > LOOP_PHIS || s->longest_row > ROW)
        return EFFORT_NONE;
    return size > BODY_LITTLE ? EFFORT_LITTLE : EFFORT_FULL;
}

/* ---- tail calls ---- */

/* But for those to itself, which become loops (lower_call.c). */
static bool is_tail_call(const Plan *plan, u32 func, const Instr *instr) {
    return instr->op == OP_RETURN_CALL ? instr->index != func || plan->options.fuel
                                       : op_is_tail_call(instr->op);
}

static Reader open_body(const Plan *plan, u32 func) {
    const Code *code = wr_module_code(plan->module, func);
    return (Reader){.pos = code->start, .end = code->end, .base = plan->module->bytes};
}

/* Once for each function. */
static void look_for_tail_call(Plan *plan, Survey *s, u32 func) {
    Instr instr;
    if (func < plan->module->nimported_funcs || s->is_known[func]) return;
    Reader r = open_body(plan, func);
    while (!plan->has_tail[func] && wr_instr_next(&r, &instr))
        plan->has_tail[func] = is_tail_call(plan, func, &instr);
    s->is_known[func] = true;
}

/* ---- all of it ---- */

static void survey_function(Plan *plan, Survey *s, u32 func) {
    s->code = wr_module_code(plan->module, func);
    s->nopen = s->sets = s->blocks = s->loops = s->row = s->longest_row = 0;
    s->phis = s->loop_phis = 0;
    Reader r = open_body(plan, func);
    Instr instr;
    while (!s->failed && wr_instr_next(&r, &instr)) {
        look_at(s, instr.op);
        plan->has_tail[func] |= is_tail_call(plan, func, &instr);
        if (instr.op == OP_RETURN_CALL) look_for_tail_call(plan, s, instr.index);
    }
    s->is_known[func] = true;
    plan->efforts[func] = (u8)effort_of(s);
}

bool wr_survey(Plan *plan, const u32 *functions, u32 count, const Alloc *alloc) {
    size_t nfuncs = (size_t)plan->module->nfuncs + 1;
    Survey s = {.alloc = alloc, .is_known = wr_alloc_array(alloc, nfuncs, sizeof *s.is_known)};
    plan->has_tail = wr_alloc_array(alloc, nfuncs, sizeof *plan->has_tail);
    plan->efforts = wr_alloc_array(alloc, nfuncs, sizeof *plan->efforts);
    s.failed = s.is_known == NULL || plan->has_tail == NULL || plan->efforts == NULL;
    for (u32 i = 0; !s.failed && i < count; i++) survey_function(plan, &s, functions[i]);
    wr_free(alloc, s.open, s.cap_open * sizeof *s.open);
    wr_free(alloc, s.is_known, nfuncs * sizeof *s.is_known);
    return !s.failed;
}

/* ---- afterwards ---- */

bool wr_survey_stores_too_much(const Unit *unit) { return unit->most_stored > STORED; }

static bool is_large(LLVMBasicBlockRef block) {
    u32 size = 0;
    LLVMValueRef i = LLVMGetFirstInstruction(block);
    for (; i != NULL && size <= LLVM_BLOCK; i = LLVMGetNextInstruction(i)) size += 1;
    return size > LLVM_BLOCK;
}

bool wr_survey_is_too_much(const Unit *unit) {
    LLVMValueRef f = LLVMGetFirstFunction(unit->module);
    for (; f != NULL; f = LLVMGetNextFunction(f)) {
        LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f);
        for (; block != NULL; block = LLVMGetNextBasicBlock(block))
            if (is_large(block)) return true;
    }
    return false;
}
