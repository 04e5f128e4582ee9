/* profile.c - see profile.h. */
#include "profile.h"

#include "native.h"

#define MAX_POINTS 256u            /* of one module, ever */
#define LARGE ((ptrdiff_t)1 << 10) /* bytes: a function of which not every loop can be entered */
#define MAX_COPIES 4u              /* of a function, that are reckoned with */
#define SMALL 256u                 /* bytes that any function costs */
#define FEW (3u * PROFILE_WEIGHT)  /* samples that are waited for when it is known what was hot */

/* In Profile.scores. Recalled ones have been hot, but not been seen in this run. */
#define CHOSEN 0x80000000u
#define RECALLED 0x40000000u
#define SCORE (RECALLED - 1)

bool wr_profile_init(Profile *p, const Module *module) {
    const Alloc *alloc = &module->engine->alloc;
    *p = (Profile){.module = module};
    p->scores = wr_alloc_array(alloc, module->ncodes, sizeof *p->scores);
    p->points = wr_alloc_array(alloc, MAX_POINTS, sizeof *p->points);
    if (p->scores != NULL && p->points != NULL) return true;
    wr_profile_free(p);
    return false;
}

void wr_profile_free(Profile *p) {
    const Alloc *alloc = &p->module->engine->alloc;
    wr_free(alloc, p->scores, p->module->ncodes * sizeof *p->scores);
    wr_free(alloc, p->points, MAX_POINTS * sizeof *p->points);
}

/* ---- what is seen --------------------------------------------------------------------------- */

/* Whether it is to be in the next request: not if it has been in one, or there is no more room. */
static bool add_point(Profile *p, const u8 *pc) {
    u64 point = wr_module_offset(p->module, pc);
    for (u32 i = 0; i < p->npoints; i++)
        if (p->points[i] == point) return i >= p->nasked;
    if (p->npoints == MAX_POINTS) return false;
    p->points[p->npoints++] = point;
    return true;
}

/* Callers count too, the less the farther they are: a loop may be in any of them. */
bool wr_profile_note(Profile *p, const Func *func, const u8 *pc, u32 depth) {
    u32 *score = &p->scores[func->index - p->module->nimported_funcs];
    bool counts = !(*score & CHOSEN);
    if (counts) *score += depth == 0 ? PROFILE_WEIGHT : depth == 1 ? 2 : 1;
    return add_point(p, pc) || counts;
}

/* ---- what is compiled ----------------------------------------------------------------------- */

typedef enum Kept { NO_CODE, HASTY_CODE, GOOD_CODE } Kept;

static Kept code_of(const Module *m, u32 func_index) {
    Kept kept = NO_CODE;
    const Artifact *a = atomic_load_explicit(&m->artifact, memory_order_acquire);
    for (; a != NULL; a = wr_artifact_older(a)) {
        if (wr_artifact_code(a, func_index) == NULL) continue;
        if (!native_is_hasty(wr_artifact_options(a))) return GOOD_CODE;
        kept = HASTY_CODE;
    }
    return kept;
}

/* In samples' terms: what is known of functions that have not been chosen. */
static u32 known(const Profile *p) {
    u32 sum = 0;
    for (u32 i = 0; i < p->module->ncodes && sum < PROFILE_HOT; i++)
        if (!(p->scores[i] & CHOSEN))
            sum += p->scores[i] & RECALLED ? PROFILE_HOT - FEW : p->scores[i] & SCORE;
    return sum < PROFILE_HOT ? sum : PROFILE_HOT;
}

void wr_profile_recall(Profile *p) {
    const Module *m = p->module;
    for (u32 i = 0; i < m->ncodes; i++) {
        Kept kept = code_of(m, m->nimported_funcs + i);
        if (kept == GOOD_CODE) p->scores[i] |= CHOSEN;
        if (kept == HASTY_CODE) p->scores[i] |= RECALLED;
    }
    u32 samples = known(p);
    if (samples > PROFILE_HOT - FEW) samples = PROFILE_HOT - FEW;
    if (p->samples < samples) p->samples = samples;
}

/* ---- choosing ------------------------------------------------------------------------------- */

typedef struct Hot {
    u32 function;
    u64 cost; /* of compiling it, in bytes */
    u64 score;
} Hot;

static bool is_only_recalled(const Hot *hot) { return hot->score == 1; }

/* Puts it into its place among those with higher scores; the last one goes when they are too many. */
static u32 insert(Hot *hot, u32 count, Hot one) {
    u32 at = count < PROFILE_FUNCTIONS ? count : count - 1;
    if (count == PROFILE_FUNCTIONS && hot[at].score >= one.score) return count;
    for (; at > 0 && hot[at - 1].score < one.score; at--) hot[at] = hot[at - 1];
    hot[at] = one;
    return count < PROFILE_FUNCTIONS ? count + 1 : count;
}

static bool is_in(const Profile *p, u64 point, const Code *code) {
    const u8 *pc = p->module->bytes + point;
    return pc >= code->start && pc < code->end;
}

/* Bytes that compiling it takes the time of: each loop that is entered is the function once more. */
static u64 cost_of(const Profile *p, const Code *code) {
    u64 copies = 1;
    for (u32 i = p->nasked; i < p->npoints && copies < MAX_COPIES; i++)
        copies += is_in(p, p->points[i], code);
    return copies * (u64)(code->end - code->start);
}

/* The functions with scores, and those in which loops are wanted. Those first whose time costs least to save: small
 * ones are soon there, and callers, in which little of it is spent, wait. Those that are only recalled are the last, with a score of 1. */
static u32 rank_functions(const Profile *p, Hot *hot) {
    const Module *m = p->module;
    u32 count = 0;
    for (u32 i = 0; i < m->ncodes; i++) {
        if (p->scores[i] == 0) continue;
        u64 score = p->scores[i] & SCORE, cost = cost_of(p, &m->codes[i]),
            size = (u64)(m->codes[i].end - m->codes[i].start);
        if (score == 0 && cost > size) score = 1; /* loops only */
        bool is_recalled = p->scores[i] & RECALLED;
        if (score > 0 || is_recalled)
            count = insert(
                hot, count,
                (Hot){m->nimported_funcs + i, cost, (score << 32) / (cost + SMALL) + is_recalled});
    }
    return count;
}

u32 wr_profile_find_bare(const Profile *p, u64 budget, u32 *functions, u64 *points, u32 *npoints,
                         u64 *size) {
    const Module *m = p->module;
    Hot hot[PROFILE_FUNCTIONS];
    u32 count = rank_functions(p, hot), found = 0;
    *npoints = 0;
    *size = 0;
    for (u32 i = 0; i < count; i++) {
        if (code_of(m, hot[i].function) != NO_CODE) continue;
        const Code *code = wr_module_code(m, hot[i].function);
        u64 bytes = (u64)(code->end - code->start);
        if (found > 0 && *size + bytes > budget) continue;
        *size += bytes;
        functions[found++] = hot[i].function;
        for (u32 k = p->npoints; k-- > p->nasked;) {
            if (!is_in(p, p->points[k], code)) continue;
            points[(*npoints)++] = p->points[k];
            break;
        }
    }
    return found;
}

static const Artifact *newest_good(const Module *m) {
    const Artifact *a = atomic_load_explicit(&m->artifact, memory_order_acquire);
    while (a != NULL && native_is_hasty(wr_artifact_options(a))) a = wr_artifact_older(a);
    return a;
}

u32 wr_profile_find_scattered(const Profile *p, u64 budget, u32 *functions, u64 *size) {
    const Module *m = p->module;
    const Artifact *newest = newest_good(m);
    u32 found = 0;
    bool is_scattered = false;
    *size = 0;
    for (u32 i = 0; i < m->ncodes; i++) {
        u32 index = m->nimported_funcs + i;
        if (code_of(m, index) != GOOD_CODE) continue;
        *size += (u64)(m->codes[i].end - m->codes[i].start);
        if (found == PROFILE_JOINED || *size > budget) return 0;
        is_scattered |= wr_artifact_code(newest, index) == NULL;
        functions[found++] = index;
    }
    return is_scattered ? found : 0;
}

/* Puts the new points in it to those of functions that have been chosen; of a large function the last one, and forgets
 * the others: each loop around costs as much as the whole function. */
static void choose_points(Profile *p, const Code *code) {
    u32 room = code->end - code->start > LARGE ? 1 : MAX_POINTS;
    for (u32 i = p->npoints; i-- > p->nasked;) {
        u64 point = p->points[i];
        if (!is_in(p, point, code)) continue;
        p->points[i] = p->points[--p->npoints];
        if (room == 0) continue;
        room -= 1;
        memmove(p->points + p->nasked + 1, p->points + p->nasked,
                (p->npoints - p->nasked) * sizeof *p->points);
        p->npoints += 1;
        p->points[p->nasked++] = point;
        i += 1; /* one more is before it */
    }
}

/* Callees come with those that were chosen. */
static void leave_compiled(Profile *p) {
    const Module *m = p->module;
    for (u32 i = 0; i < m->ncodes; i++)
        if (p->scores[i] > 0 && code_of(m, m->nimported_funcs + i) == GOOD_CODE)
            p->scores[i] = CHOSEN;
}

u32 wr_profile_choose(Profile *p, u64 budget, u32 *functions) {
    const Module *m = p->module;
    Hot hot[PROFILE_FUNCTIONS];
    leave_compiled(p);
    u32 count = rank_functions(p, hot), chosen = 0;
    u64 cost = 0;
    for (u32 i = 0; i < count; i++) {
        if (chosen > 0 && cost + hot[i].cost > budget) continue;
        if (chosen > 0 && is_only_recalled(&hot[i]) && !is_only_recalled(&hot[0])) break;
        cost += hot[i].cost;
        functions[chosen++] = hot[i].function;
        p->scores[hot[i].function - m->nimported_funcs] = CHOSEN;
        choose_points(p, wr_module_code(m, hot[i].function));
    }
    p->samples = known(p);
    return chosen;
}
