/*
 * live.c - see live.h. The body is decoded once, into steps: what concerns locals or control. They are walked backwards, with the
 * set of locals that are live there, and a stack of labels, each with the set at the place where branches to it go. That of
 * a loop's head is what the walk before this one found; it is repeated until no head gets any more.
 */
#include "live.h"

#include "decode_code.h"

#define MOST_WORDS ((u64)1 << 20) /* of all sets: 8 MB */
#define MOST_WORK ((u64)1 << 27)  /* of all walks: steps times words */

typedef enum StepKind {
    STEP_GET,
    STEP_SET,
    STEP_OPEN, /* block */
    STEP_LOOP,
    STEP_IF,
    STEP_ELSE,
    STEP_END,
    STEP_CALL,
    STEP_BRANCH, /* control may go there, or on */
    STEP_JUMP,
    STEP_TABLE,
    STEP_LEAVE /* the function */
} StepKind;

typedef struct Step {
    StepKind kind;
    u32 index;       /* of the local, or the label */
    u32 place;       /* its number, for kinds that are one */
    const u8 *items; /* STEP_TABLE: `index` labels, then the default one */
} Step;

/* An open block. Sets of its own lie in Walk.label_sets. */
typedef struct Opened {
    u64 *target;    /* where branches go */
    u64 *otherwise; /* at the beginning of the `else` */
    bool has_else;
} Opened;

typedef struct Walk {
    Arena *arena;
    const Code *code;
    const u8 *base;
    Live *live;
    Step *steps;
    u32 nsteps, depth, deepest;
    Opened *labels;
    u64 *label_sets; /* two for each label */
    u64 *now;
    bool has_changed;
} Walk;

/* ---- decoding ---- */

/* False: of no concern. */
static bool step_of(const Instr *at, Step *step) {
    *step = (Step){.index = at->index};
    switch ((unsigned)at->op) {
    case OP_LOCAL_GET: step->kind = STEP_GET; return true;
    case OP_LOCAL_SET:
    case OP_LOCAL_TEE: step->kind = STEP_SET; return true;
    case OP_BLOCK: step->kind = STEP_OPEN; return true;
    case OP_LOOP: step->kind = STEP_LOOP; return true;
    case OP_IF: step->kind = STEP_IF; return true;
    case OP_ELSE: step->kind = STEP_ELSE; return true;
    case OP_END: step->kind = STEP_END; return true;
    case OP_BR: step->kind = STEP_JUMP; return true;
    case OP_BR_TABLE:
        *step = (Step){STEP_TABLE, at->vector.count, 0, at->vector.items};
        return true;
    case OP_CALL:
    case OP_CALL_INDIRECT:
    case OP_CALL_REF: step->kind = STEP_CALL; return true;
    case OP_RETURN:
    case OP_UNREACHABLE:
    case OP_THROW:
    case OP_THROW_REF: step->kind = STEP_LEAVE; return true;
    default: break;
    }
    u8 immediate = wr_op_info[at->op].imm;
    step->kind = op_is_tail_call(at->op) ? STEP_LEAVE : STEP_BRANCH;
    return step->kind == STEP_LEAVE || immediate == IMM_LABEL || immediate == IMM_BR_CAST;
}

static bool is_place(StepKind kind) {
    return kind == STEP_LOOP || kind == STEP_CALL || kind == STEP_ELSE || kind == STEP_END;
}

static bool handles_exceptions(Opcode op) { return op == OP_TRY || op == OP_TRY_TABLE; }

/* Counts, or, once there is room, also writes down. False: where control goes from there on is not clear. */
static bool decode(Walk *w) {
    Reader r = {.pos = w->code->start, .end = w->code->end, .base = w->base};
    Live *live = w->live;
    Instr at;
    Step step;
    u32 depth = 1;
    w->nsteps = 0;
    live->count = 1; /* the start */
    while (wr_instr_next(&r, &at)) {
        if (handles_exceptions(at.op)) return false;
        if (!step_of(&at, &step)) continue;
        if (is_place(step.kind)) step.place = live->count++;
        if (live->places != NULL && is_place(step.kind))
            live->places[step.place] = (u32)(at.end - w->code->start);
        if (w->steps != NULL) w->steps[w->nsteps] = step;
        w->nsteps += 1;
        depth += step.kind == STEP_OPEN || step.kind == STEP_LOOP || step.kind == STEP_IF;
        depth -= step.kind == STEP_END;
        if (depth > w->deepest) w->deepest = depth;
    }
    wr_error_delete(r.error);
    return depth == 0;
}

/* ---- sets ---- */

static size_t set_size(const Walk *w) { return w->live->words * sizeof(u64); }
static u64 *set_at(const Walk *w, u32 place) {
    return w->live->sets + (size_t)place * w->live->words;
}

static void join(const Walk *w, u64 *to, const u64 *from) {
    for (u32 i = 0; i < w->live->words; i++) to[i] |= from[i];
}

static Opened *label_at(const Walk *w, u32 depth) { return &w->labels[w->depth - 1 - depth]; }

/* ---- walking backwards ---- */

/* At an `end`. `target`: of a loop; NULL: branches come here. */
static void enter(Walk *w, u64 *target) {
    Opened *label = &w->labels[w->depth];
    u64 *sets = w->label_sets + (size_t)w->depth * 2 * w->live->words;
    *label = (Opened){.target = target != NULL ? target : sets, .otherwise = sets + w->live->words};
    if (target == NULL) memcpy(label->target, w->now, set_size(w));
    w->depth += 1;
}

static void take_table(Walk *w, const Step *step) {
    Reader r = {.pos = step->items, .end = w->code->end, .base = w->base};
    memset(w->now, 0, set_size(w));
    for (u32 i = 0; i <= step->index; i++) join(w, w->now, label_at(w, wr_read_u32(&r))->target);
}

static void take_else(Walk *w) {
    Opened *label = label_at(w, 0);
    memcpy(label->otherwise, w->now, set_size(w));
    memcpy(w->now, label->target, set_size(w));
    label->has_else = true;
}

static void take_if(Walk *w) {
    Opened *label = label_at(w, 0);
    join(w, w->now, label->has_else ? label->otherwise : label->target);
    w->depth -= 1;
}

static void take_loop(Walk *w, const Step *step) {
    u64 *head = set_at(w, step->place);
    w->has_changed |= memcmp(head, w->now, set_size(w)) != 0;
    memcpy(head, w->now, set_size(w));
    w->depth -= 1;
}

/* STEP_END of a loop has the number of the loop's place in `index`. */
static void take_end(Walk *w, const Step *step) {
    memcpy(set_at(w, step->place), w->now, set_size(w));
    enter(w, step->index != 0 ? set_at(w, step->index) : NULL);
}

static void take(Walk *w, const Step *step) {
    switch (step->kind) {
    case STEP_GET: w->now[step->index / 64] |= (u64)1 << step->index % 64; break;
    case STEP_SET: w->now[step->index / 64] &= ~((u64)1 << step->index % 64); break;
    case STEP_OPEN: w->depth -= 1; break;
    case STEP_LOOP: take_loop(w, step); break;
    case STEP_IF: take_if(w); break;
    case STEP_ELSE:
        memcpy(set_at(w, step->place), w->now, set_size(w));
        take_else(w);
        break;
    case STEP_END: take_end(w, step); break;
    case STEP_CALL: memcpy(set_at(w, step->place), w->now, set_size(w)); break;
    case STEP_BRANCH: join(w, w->now, label_at(w, step->index)->target); break;
    case STEP_JUMP: memcpy(w->now, label_at(w, step->index)->target, set_size(w)); break;
    case STEP_TABLE: take_table(w, step); break;
    case STEP_LEAVE: memset(w->now, 0, set_size(w)); break;
    }
}

static void walk(Walk *w) {
    memset(w->now, 0, set_size(w));
    w->depth = 0;
    w->has_changed = false;
    for (u32 i = w->nsteps; i > 0; i--) take(w, &w->steps[i - 1]);
    memcpy(set_at(w, 0), w->now, set_size(w));
}

/* As many walks as loops are in each other, and one more. False: that takes too long. */
static bool walk_all(Walk *w) {
    u64 left = MOST_WORK, one = (u64)w->live->words * w->nsteps;
    do {
        if (left < one) return false;
        left -= one;
        walk(w);
    } while (w->has_changed);
    return true;
}

/* Tells each `end` of a loop the loop's place. `open` has room for all labels. */
static void match_loops(Walk *w, u32 *open) {
    u32 depth = 0;
    open[depth++] = 0;
    for (u32 i = 0; i < w->nsteps; i++) {
        Step *step = &w->steps[i];
        if (step->kind == STEP_OPEN || step->kind == STEP_IF) open[depth++] = 0;
        if (step->kind == STEP_LOOP) open[depth++] = step->place;
        if (step->kind == STEP_END) step->index = open[--depth];
    }
}

/* ---- the whole ---- */

static bool reserve(Walk *w) {
    Live *live = w->live;
    Arena *a = w->arena;
    u64 words = live->words;
    if (words * live->count > MOST_WORDS || words * w->deepest > MOST_WORDS / 2 ||
        words * w->nsteps > MOST_WORK / 2)
        return false;
    w->steps = wr_arena_new(a, w->nsteps, sizeof *w->steps);
    w->labels = wr_arena_new(a, w->deepest, sizeof *w->labels);
    w->label_sets = wr_arena_new(a, (size_t)w->deepest * 2, set_size(w));
    w->now = wr_arena_new(a, 1, set_size(w));
    live->places = wr_arena_new(a, live->count, sizeof *live->places);
    live->sets = wr_arena_new(a, live->count, set_size(w));
    return w->steps && w->labels && w->label_sets && w->now && live->places && live->sets;
}

const Live *wr_live_find(Arena *arena, const Code *code, const u8 *base) {
    Live *live = wr_arena_new(arena, 1, sizeof *live);
    Walk w = {.arena = arena, .code = code, .base = base, .live = live, .deepest = 1};
    if (live == NULL) return NULL;
    live->words = (code->nlocals + 63) / 64;
    if (!decode(&w) || !reserve(&w) || !decode(&w)) return NULL;
    u32 *open = wr_arena_new(arena, w.deepest, sizeof *open);
    if (open == NULL) return NULL;
    match_loops(&w, open);
    return walk_all(&w) ? live : NULL;
}

const u64 *wr_live_at(const Live *live, u32 place) {
    if (live == NULL) return NULL;
    u32 low = 0, high = live->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (live->places[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == live->count || live->places[low] != place) return NULL;
    return live->sets + (size_t)low * live->words;
}
