/* tier.c - see tier.h. */
#include "tier.h"

#include <stdlib.h>

#include "log.h"
#include "native.h"
#include "prepare.h"

#define MS ((u64)1000000)
#define FIRST_TICK (5 * MS) /* after the first function got warm: most programs end before */
/* The same where the compiler takes its time from the guest: to compile a first slice takes as long. */
#define FIRST_TICK_ALONE (200 * MS)
#define TICK_MIN (2 * MS)
#define TICK_MAX (32 * MS)
/* A look that comes later than this after the alarm found the guest elsewhere, in compiled code or asleep, or the host
 * busy: it tells less about where time goes. */
#define LATE (MS / 2)
#define WEIGHT 4u         /* of a sample; a late one has 1 */
#define HOT (8u * WEIGHT) /* samples of what could be compiled before that is done */
#define LOOKS 1000u       /* so often code looks whether it comes to a loop that can be entered, */
#define MANY_LOOKS 30000u /* and when there is new code: about a millisecond */
#define IDLE (500 * MS)   /* after which the compiler's process ends */
#define MAX_FAILURES 3u

#define MAX_FUNCTIONS 64u /* of one request, beside what they call */
#define MAX_POINTS 256u   /* of one module, ever */
#define MAX_SLICES 12u    /* of one module in the cache; and as many hasty ones */
/* Bytes of code of the first slice; twice as many for each one after it. */
#define BUDGET ((u64)4 << 10)
#define BUDGET_MAX ((u64)256 << 10)
#define HASTE 4u /* so much more code has a hasty slice: it takes a tenth of the time */
#define LARGE ((ptrdiff_t)1 << 10) /* bytes: a function of which not every loop can be entered */
#define MAX_COPIES 4u              /* of a function, that are reckoned with */
#define SMALL 256u                 /* bytes that any function costs */

#define ASKED 0x80000000u /* in TierModule.scores: it has been in a request */

/* What is known of a module: Module.tier. */
typedef struct TierModule {
    Module *module;
    struct TierModule *next; /* in Tier.modules */
    u32 *scores;             /* by function, imports not counted */
    u32 samples;             /* since the last slice, weighed, of what could be compiled */
    u64 *points;             /* MAX_POINTS: CompileRequest.points */
    u32 npoints, nasked;     /* of these the first have been in a request */
    u32 nslices, ncached;
    u32 nhasty;    /* hasty slices in the cache */
    bool is_going; /* it is being deleted */
} TierModule;

/* Engine.tier. Under `lock`, but for what is atomic. */
typedef struct Tier {
    Engine *engine;
    OsMutex lock;
    OsCond wake, idle;
    OsThread *thread;
    atomic_bool starts; /* somebody has started the thread */
    bool stops;
    bool is_off;   /* compiling failed too often */
    bool is_eager; /* for tests: everything is hot at once, and looking waits for the compiler */
    wr_tier_stats_t stats;
    u64 warm_since; /* when the first function got warm */
    TierModule *modules;
    TierModule *busy;          /* what is being compiled: without the lock */
    struct Compiler *compiler; /* whoever is busy may use it */
    const Module *sent;        /* what its process has */
    u64 idle_since;
    u64 tick; /* from one alarm to the next */
    /* The alarm: on until somebody has looked. */
    atomic_bool alarmed, fresh;
    _Atomic(u64) since;
    atomic_int looks; /* left until it is off */
    atomic_uint entered;
} Tier;

/* ---- the alarm ------------------------------------------------------------------------------ */

static void raise_alarm(Tier *t) {
    if (atomic_exchange(&t->alarmed, true)) return;
    atomic_store(&t->looks, (int)LOOKS);
    atomic_store(&t->since, wr_os_now());
    atomic_store(&t->fresh, true);
    t->engine->executor->alarm(t->engine, 1);
    wr_native_ask(t->engine);
}

static void silence(Tier *t) {
    if (atomic_exchange(&t->alarmed, false)) t->engine->executor->alarm(t->engine, -1);
}

/* ---- samples -------------------------------------------------------------------------------- */

static TierModule *module_of(Tier *t, Module *m) {
    if (m->tier != NULL) return m->tier;
    const Alloc *alloc = &t->engine->alloc;
    TierModule *tm = wr_alloc_zero(alloc, sizeof *tm);
    if (tm == NULL) return NULL;
    tm->scores = wr_alloc_array(alloc, m->ncodes, sizeof *tm->scores);
    tm->points = wr_alloc_array(alloc, MAX_POINTS, sizeof *tm->points);
    if (tm->scores == NULL || tm->points == NULL) {
        wr_free(alloc, tm->scores, m->ncodes * sizeof *tm->scores);
        wr_free(alloc, tm->points, MAX_POINTS * sizeof *tm->points);
        wr_free(alloc, tm, sizeof *tm);
        return NULL;
    }
    tm->module = m;
    tm->nslices = tm->ncached = m->nslices;
    tm->nhasty = m->nhasty;
    tm->next = t->modules;
    t->modules = m->tier = tm;
    return tm;
}

static u32 *score_of(const TierModule *tm, const Func *func) {
    return &tm->scores[func->index - tm->module->nimported_funcs];
}

/* Whether it is to be in the next request: not if it has been in one, or there is no more room. */
static bool add_point(TierModule *tm, const u8 *pc) {
    u64 point = wr_module_offset(tm->module, pc);
    for (u32 i = 0; i < tm->npoints; i++)
        if (tm->points[i] == point) return i >= tm->nasked;
    if (tm->npoints == MAX_POINTS) return false;
    tm->points[tm->npoints++] = point;
    return true;
}

/* Callers count too, the less the farther they are: a loop may be in any of them. */
static void note_frames(Tier *t, const TierFrame *frames, u32 count, u32 weight) {
    TierModule *innermost = NULL;
    bool is_new = false;
    for (u32 i = 0; i < count; i++) {
        Func *func = frames[i].func;
        TierModule *tm = module_of(t, func_instance(func)->module);
        if (tm == NULL) continue;
        u32 *score = score_of(tm, func);
        bool counts = !(*score & ASKED);
        if (counts) *score += i == 0 ? 4 : i == 1 ? 2 : 1;
        counts |= add_point(tm, frames[i].pc);
        if (i == 0) innermost = tm, is_new = counts;
    }
    if (innermost != NULL && is_new) innermost->samples += weight;
}

static void sample(Tier *t, const TierFrame *frames, u32 count) {
    bool is_late = wr_os_now() - atomic_load(&t->since) > LATE;
    wr_os_mutex_lock(&t->lock);
    note_frames(t, frames, count, is_late ? 1 : WEIGHT);
    wr_os_mutex_unlock(&t->lock);
}

/* ---- compiling ------------------------------------------------------------------------------ */

/* What has been seen will be compiled soon, most likely: the process begins meanwhile. */
static void expect_request(const Tier *t) {
    if (t->compiler == NULL) return;
    for (const TierModule *tm = t->modules; tm != NULL; tm = tm->next)
        if (tm->samples > 0) wr_compiler_expect(t->compiler, false);
}

static bool is_ready(const Tier *t, const TierModule *tm) {
    return !tm->is_going && tm->samples >= (t->is_eager ? 1 : HOT);
}

/* The one with the most samples, if that are enough. */
static TierModule *choose_module(const Tier *t) {
    TierModule *best = NULL;
    for (TierModule *tm = t->modules; tm != NULL; tm = tm->next)
        if (is_ready(t, tm) && (best == NULL || tm->samples > best->samples)) best = tm;
    return best;
}

typedef struct Hot {
    u32 function;
    u64 cost; /* of compiling it, in bytes */
    u64 score;
} Hot;

/* Puts it into its place among those with higher scores; the last one goes when they are too many. */
static u32 insert(Hot *hot, u32 count, Hot one) {
    u32 at = count < MAX_FUNCTIONS ? count : count - 1;
    if (count == MAX_FUNCTIONS && hot[at].score >= one.score) return count;
    for (; at > 0 && hot[at - 1].score < one.score; at--) hot[at] = hot[at - 1];
    hot[at] = one;
    return count < MAX_FUNCTIONS ? count + 1 : count;
}

static bool is_in(const TierModule *tm, u64 point, const Code *code) {
    const u8 *pc = tm->module->bytes + point;
    return pc >= code->start && pc < code->end;
}

/* Bytes that compiling it takes the time of: each loop that is entered is the function once more. */
static u64 cost_of(const TierModule *tm, const Code *code) {
    u64 copies = 1;
    for (u32 i = tm->nasked; i < tm->npoints && copies < MAX_COPIES; i++)
        copies += is_in(tm, tm->points[i], code);
    return copies * (u64)(code->end - code->start);
}

/* The functions with scores, and those in which loops are wanted. Those first whose time costs least to save: small
 * ones are soon there, and callers, in which little of it is spent, wait. */
static u32 rank_functions(const TierModule *tm, Hot *hot) {
    const Module *m = tm->module;
    u32 count = 0;
    for (u32 i = 0; i < m->ncodes; i++) {
        u64 score = tm->scores[i] & ~ASKED;
        if (tm->scores[i] == 0) continue;
        u64 cost = cost_of(tm, &m->codes[i]), size = (u64)(m->codes[i].end - m->codes[i].start);
        if (score == 0 && cost > size) score = 1; /* loops only */
        if (score > 0)
            count = insert(hot, count,
                           (Hot){m->nimported_funcs + i, cost, (score << 32) / (cost + SMALL)});
    }
    return count;
}

/* Puts the new points in it to those that have been in a request; of a large function the last one, and forgets the
 * others: each loop around costs as much as the whole function. */
static void take_points(TierModule *tm, const Code *code) {
    u32 room = code->end - code->start > LARGE ? 1 : MAX_POINTS;
    for (u32 i = tm->npoints; i-- > tm->nasked;) {
        u64 point = tm->points[i];
        if (!is_in(tm, point, code)) continue;
        tm->points[i] = tm->points[--tm->npoints];
        if (room == 0) continue;
        room -= 1;
        memmove(tm->points + tm->nasked + 1, tm->points + tm->nasked,
                (tm->npoints - tm->nasked) * sizeof *tm->points);
        tm->npoints += 1;
        tm->points[tm->nasked++] = point;
        i += 1; /* one more is before it */
    }
}

/* The functions to compile, and the points in them: the first one, and of the others what fits into the budget. The rest
 * keeps its scores for the next slice. */
static u32 take_functions(TierModule *tm, u64 budget, u32 *functions) {
    const Module *m = tm->module;
    Hot hot[MAX_FUNCTIONS];
    u32 count = rank_functions(tm, hot), taken = 0;
    u64 cost = 0;
    for (u32 i = 0; i < count; i++) {
        if (taken > 0 && cost + hot[i].cost > budget) continue;
        cost += hot[i].cost;
        functions[taken++] = hot[i].function;
        tm->scores[hot[i].function - m->nimported_funcs] = ASKED;
        take_points(tm, wr_module_code(m, hot[i].function));
    }
    tm->samples = 0;
    return taken;
}

/* Calls that count fuel stay interpreted. */
static NativeOptions options_of(const Engine *engine) {
    NativeOptions options = wr_aot_options(engine);
    options.fuel = false;
    return options;
}

/* The same for code that is compiled in no time; false if all is. */
static bool hasty_options(const Engine *engine, NativeOptions *options) {
    *options = options_of(engine);
    bool is_hasty = !native_is_hasty(options) && options->level > 0;
    options->level = 0;
    options->migratable = options->polled = true;
    return is_hasty;
}

static u64 budget_of(const TierModule *tm) {
    u64 budget = tm->nslices < 7 ? BUDGET << tm->nslices : BUDGET_MAX;
    return min_u64(budget, BUDGET_MAX);
}

/* Any thread may be compiling; nobody else is. */
static Error *compile(Tier *t, TierModule *tm, const CompileRequest *request, CompileStats *stats) {
    Module *m = tm->module;
    u32 *ncached = native_is_hasty(&request->options) ? &tm->nhasty : &tm->ncached;
    u8 *bytes;
    size_t size;
    Cache place;
    char path[CACHE_PATH_MAX], slice[CACHE_PATH_MAX];
    Error *error = wr_compiler_run(t->compiler, m, request, &bytes, &size, stats);
    if (error != NULL) return error;
    wr_log(t->engine, WR_LOG_INFO, "compiled %u functions in %u ms", (unsigned)stats->functions,
           (unsigned)(stats->total_ns / MS));
    const Cache *cache = *ncached < MAX_SLICES ? wr_aot_open_cache(t->engine, &place) : NULL;
    if (cache != NULL) {
        wr_cache_path(cache, m, request, path);
        wr_cache_slice_path(path, *ncached, slice);
    }
    error = wr_aot_take(m, &request->options, bytes, size, cache, slice);
    *ncached += error == NULL && cache != NULL;
    return error;
}

static Error *start_compiler(Tier *t) {
    Compiler *compiler = NULL;
    Error *error = wr_compiler_start(t->engine, &compiler);
    t->compiler = compiler;
    t->sent = NULL;
    return error;
}

static void stop_compiler(Tier *t) {
    if (t->compiler == NULL) return;
    wr_compiler_cancel(t->compiler);
    wr_compiler_stop(t->compiler);
    t->compiler = NULL;
}

/* Who needs no code any more has ended the compiler, which is no failure. */
static void note_end(Tier *t, Error *error) {
    wr_error_delete(error);
    stop_compiler(t);
}

static void note_failure(Tier *t, Error *error, bool counts) {
    wr_log(t->engine, WR_LOG_INFO, "code stays interpreted: %s", wr_error_message(error));
    note_end(t, error);
    t->stats.failures += counts;
    t->is_off |= t->stats.failures >= MAX_FAILURES;
}

static void note_success(Tier *t, const CompileStats *stats) {
    t->stats.slices += 1;
    t->stats.functions += stats->functions - stats->left_out;
    t->stats.ns += stats->total_ns;
    if (t->stats.first_ns == 0) t->stats.first_ns = wr_os_now() - t->warm_since;
}

/* Under the lock, which is free meanwhile. False when it failed. */
static bool do_request(Tier *t, TierModule *tm, CompileRequest *request) {
    CompileStats stats;
    request->is_urgent = t->is_eager;
    request->same_module = t->sent == tm->module;
    Error *error = t->compiler == NULL ? start_compiler(t) : NULL;
    if (error == NULL) {
        t->busy = tm;
        wr_os_mutex_unlock(&t->lock);
        error = compile(t, tm, request, &stats);
        wr_os_mutex_lock(&t->lock);
        t->busy = NULL;
        t->sent = tm->module;
    } else {
        t->is_off = true;
    }
    if (error == NULL)
        note_success(t, &stats);
    else if (tm->is_going)
        note_end(t, error);
    else
        note_failure(t, error, true);
    t->idle_since = wr_os_now();
    return error == NULL;
}

static bool has_code(const Module *m, u32 func_index) {
    const Artifact *a = atomic_load_explicit(&m->artifact, memory_order_acquire);
    for (; a != NULL; a = wr_artifact_older(a))
        if (wr_artifact_code(a, func_index) != NULL) return true;
    return false;
}

/* The functions that are hot and have no code, and in each of them the point that was seen last. *cost: of compiling
 * them well. */
static u32 find_bare(const TierModule *tm, u32 *functions, u64 *points, u32 *npoints, u64 *cost) {
    const Module *m = tm->module;
    Hot hot[MAX_FUNCTIONS];
    u32 count = rank_functions(tm, hot), found = 0;
    *npoints = 0;
    *cost = 0;
    for (u32 i = 0; i < count; i++) {
        if (has_code(m, hot[i].function)) continue;
        *cost += hot[i].cost;
        const Code *code = wr_module_code(m, hot[i].function);
        functions[found++] = hot[i].function;
        for (u32 k = tm->npoints; k-- > tm->nasked;) {
            if (!is_in(tm, tm->points[k], code)) continue;
            points[(*npoints)++] = tm->points[k];
            break;
        }
    }
    return found;
}

/* What is hot and has no code gets some at once, which better code takes the place of, unless that is little enough to be
 * compiled well at once. False if there is none. */
static bool compile_hastily(Tier *t, TierModule *tm) {
    u32 functions[MAX_FUNCTIONS];
    u64 points[MAX_FUNCTIONS], budget = budget_of(tm), cost;
    CompileRequest request = {.functions = functions, .points = points, .budget = HASTE * budget};
    if (!hasty_options(t->engine, &request.options)) return false;
    request.nfunctions = find_bare(tm, functions, points, &request.npoints, &cost);
    if (cost <= budget && !t->is_eager) return false;
    return request.nfunctions > 0 && do_request(t, tm, &request);
}

/* Compiles what is hot in a module. */
static void compile_well(Tier *t, TierModule *tm) {
    u32 functions[MAX_FUNCTIONS], nasked = tm->nasked;
    u64 budget = budget_of(tm);
    u32 count = take_functions(tm, budget, functions);
    CompileRequest request = {.options = options_of(t->engine),
                              .functions = functions,
                              .nfunctions = count,
                              .points = tm->points + nasked,
                              .npoints = tm->nasked - nasked,
                              .budget = budget};
    if (count == 0) return;
    (void)do_request(t, tm, &request);
    tm->nslices += 1;
}

/* For tests each kind of code gets its turn to run. */
static void compile_hot(Tier *t, TierModule *tm) {
    bool has_more = compile_hastily(t, tm);
    if (has_more) raise_alarm(t);
    if (!tm->is_going && !t->is_off && !(has_more && t->is_eager)) compile_well(t, tm);
    t->tick = TICK_MIN;
    wr_os_cond_signal(&t->idle);
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* Seldom when nothing comes of it. */
static void tick(Tier *t) {
    raise_alarm(t);
    t->tick = min_u64(t->tick + t->tick / 16, TICK_MAX);
    if (t->compiler != NULL && wr_os_now() - t->idle_since > IDLE) stop_compiler(t);
}

/* Where there is no compiler nothing is asked of the guest. */
static void find_compiler(Tier *t) {
    Error *error = start_compiler(t);
    if (error == NULL) return;
    note_failure(t, error, false);
    t->is_off = true;
}

static void watch(void *context) {
    Tier *t = context;
    wr_os_mutex_lock(&t->lock);
    t->warm_since = t->idle_since = wr_os_now();
    u64 next = t->warm_since + (wr_os_cpu_count() > 1 ? FIRST_TICK : FIRST_TICK_ALONE);
    find_compiler(t);
    while (!t->stops && !t->is_off) {
        wr_os_cond_wait(&t->wake, &t->lock, next);
        if (t->stops || wr_os_now() < next) continue;
        TierModule *tm = choose_module(t);
        expect_request(t);
        if (tm != NULL) compile_hot(t, tm);
        tick(t);
        next = wr_os_now() + t->tick;
    }
    wr_os_mutex_unlock(&t->lock);
}

static void warm(Engine *engine) {
    Tier *t = engine->tier;
    if (t->is_eager) raise_alarm(t);
    if (t->is_eager || atomic_load_explicit(&t->starts, memory_order_relaxed) ||
        atomic_exchange(&t->starts, true))
        return;
    t->thread = wr_os_thread_start(watch, t); /* NULL: then not */
}

/* ---- looking -------------------------------------------------------------------------------- */

static void attach_all(Tier *t, Store *store) {
    for (Instance *i = store->instances; i != NULL; i = i->next) {
        const Artifact *newest = atomic_load_explicit(&i->module->artifact, memory_order_acquire);
        if (i->attached == newest || i->module->native_ops == NULL) continue;
        wr_native_attach_running(i);
        atomic_store(&t->looks, (int)MANY_LOOKS);
    }
}

static const Func *own_func(const TierFrame *frame) {
    const Instance *i = func_instance(frame->func);
    return &i->own_funcs[frame->func->index - i->module->nimported_funcs];
}

/* The frame's function is compiled, but it runs interpreted. */
static bool is_compiled(const TierFrame *frame) {
    return own_func(frame)->native_entry != NULL && frame->func->home != NULL;
}

/* There is no better code for it to come. */
static bool is_settled(const TierFrame *frame) { return !wr_native_is_hasty(own_func(frame)); }

static const void *find_loop(const TierFrame *frame) {
    const Instance *i = func_instance(frame->func);
    u64 offset = wr_module_offset(i->module, frame->pc);
    for (const Artifact *a = i->attached; a != NULL; a = wr_artifact_older(a)) {
        const void *code = wr_artifact_loop(a, offset);
        if (code != NULL) return code;
    }
    return NULL;
}

/* For tests: in this thread. */
static void compile_now(Tier *t, const TierFrame *frames, u32 count) {
    wr_os_mutex_lock(&t->lock);
    note_frames(t, frames, count, WEIGHT);
    while (t->busy != NULL) wr_os_cond_wait(&t->idle, &t->lock, UINT64_MAX);
    TierModule *tm = t->is_off ? NULL : choose_module(t);
    if (tm != NULL) compile_hot(t, tm);
    wr_os_cond_signal(&t->idle);
    wr_os_mutex_unlock(&t->lock);
}

static const void *look(Store *store, const TierFrame *frames, u32 count) {
    Tier *t = store->engine->tier;
    if (count == 0) return NULL;
    if (t->is_eager)
        compile_now(t, frames, count);
    else if (atomic_exchange(&t->fresh, false) && !is_settled(frames))
        sample(t, frames, count);
    attach_all(t, store);
    bool waits = is_compiled(frames);
    const void *code = waits ? find_loop(frames) : NULL;
    if (code != NULL) atomic_fetch_add_explicit(&t->entered, 1, memory_order_relaxed);
    if (t->is_eager) return code;
    if (code == NULL && waits) {
        if (atomic_fetch_sub(&t->looks, 1) > 1) return NULL;
        sample(t, frames, count); /* it does not come to a loop that can be entered */
    }
    silence(t);
    return code;
}

static bool is_attached(const Store *store) {
    for (const Instance *i = store->instances; i != NULL; i = i->next)
        if (i->attached != atomic_load_explicit(&i->module->artifact, memory_order_acquire))
            return false;
    return true;
}

/* New code is attached by the interpreter, so frames go there. */
static bool ask(Store *store, const TierFrame *frame) {
    Tier *t = store->engine->tier;
    if (t->is_eager) {
        compile_now(t, frame, 1);
        return !is_attached(store) || is_settled(frame);
    }
    (void)wr_store_lower(store, POLL_SPILL);
    if (atomic_exchange(&t->fresh, false) && !is_settled(frame)) sample(t, frame, 1);
    if (!is_attached(store) || is_settled(frame)) return true;
    silence(t);
    return false;
}

wr_tier_stats_t wr_tier_stats(const Engine *engine) {
    Tier *t = engine->tier;
    if (t == NULL) return (wr_tier_stats_t){0};
    wr_os_mutex_lock(&t->lock);
    wr_tier_stats_t stats = t->stats;
    wr_os_mutex_unlock(&t->lock);
    stats.loops = atomic_load_explicit(&t->entered, memory_order_relaxed);
    return stats;
}

/* ---- modules and engines -------------------------------------------------------------------- */

/* The slices of one kind that the cache has; how many. */
static u32 adopt_slices(Module *module, const Cache *cache, const NativeOptions *options) {
    CompileRequest request = {.options = *options};
    char path[CACHE_PATH_MAX], slice[CACHE_PATH_MAX];
    wr_cache_path(cache, module, &request, path);
    for (u32 i = 0; i < MAX_SLICES; i++) {
        wr_cache_slice_path(path, i, slice);
        if (!wr_aot_take_cached(module, slice, options)) return i;
    }
    return MAX_SLICES;
}

static bool adopt_whole(Module *module, const Cache *cache, const NativeOptions *options) {
    CompileRequest request = {.options = *options};
    char path[CACHE_PATH_MAX];
    wr_cache_path(cache, module, &request, path);
    return wr_aot_take_cached(module, path, options);
}

void wr_tier_adopt(Module *module) {
    Cache place;
    NativeOptions options = options_of(module->engine), hasty;
    wr_aot_ready(module);
    const Cache *cache = wr_aot_open_cache(module->engine, &place);
    if (cache == NULL) return;
    bool has_whole = adopt_whole(module, cache, &options);
    if (!has_whole && hasty_options(module->engine, &hasty))
        module->nhasty = adopt_slices(module, cache, &hasty);
    if (!has_whole) module->nslices = adopt_slices(module, cache, &options);
    if (has_whole || module->nslices + module->nhasty > 0)
        wr_log(module->engine, WR_LOG_INFO, "began with what the cache has compiled");
}

static void free_module(const Tier *t, TierModule *tm) {
    const Alloc *alloc = &t->engine->alloc;
    wr_free(alloc, tm->scores, tm->module->ncodes * sizeof *tm->scores);
    wr_free(alloc, tm->points, MAX_POINTS * sizeof *tm->points);
    wr_free(alloc, tm, sizeof *tm);
}

static void forget(Module *module) {
    Tier *t = module->engine->tier;
    wr_os_mutex_lock(&t->lock);
    TierModule *tm = module->tier, **place = &t->modules;
    if (tm != NULL) {
        tm->is_going = true;
        if (t->busy == tm) wr_compiler_cancel(t->compiler);
        while (t->busy == tm) wr_os_cond_wait(&t->idle, &t->lock, UINT64_MAX);
        while (*place != tm) place = &(*place)->next;
        *place = tm->next;
        free_module(t, tm);
    }
    if (t->sent == module) t->sent = NULL;
    wr_os_mutex_unlock(&t->lock);
}

static void stop(Engine *engine) {
    Tier *t = engine->tier;
    wr_os_mutex_lock(&t->lock);
    t->stops = true;
    wr_os_cond_signal(&t->wake);
    wr_os_mutex_unlock(&t->lock);
    if (t->thread != NULL) wr_os_thread_join(t->thread);
    stop_compiler(t);
    wr_os_cond_destroy(&t->idle);
    wr_os_cond_destroy(&t->wake);
    wr_os_mutex_destroy(&t->lock);
    wr_free(&engine->alloc, t, sizeof *t);
    engine->tier = NULL;
}

static const TierOps ops = {.warm = warm, .look = look, .ask = ask, .forget = forget, .stop = stop};

bool wr_tier_start(Engine *engine) {
    Tier *t = wr_alloc_zero(&engine->alloc, sizeof *t);
    if (t == NULL) return false;
    const char *mode = getenv("WASMRUN_TIER"); /* docs/aot.md */
    t->engine = engine;
    t->is_eager = mode != NULL && strcmp(mode, "eager") == 0;
    t->tick = TICK_MIN;
    t->warm_since = wr_os_now();
    wr_os_mutex_init(&t->lock);
    wr_os_cond_init(&t->wake);
    wr_os_cond_init(&t->idle);
    engine->tier_ops = &ops;
    engine->tier = t;
    return true;
}
