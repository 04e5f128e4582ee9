/* tier.c - see tier.h. */
#include "tier.h"

#include <stdlib.h>

#include "log.h"
#include "native.h"
#include "prepare.h"
#include "profile.h"

#define MS ((u64)1000000)
#define FIRST_TICK (5 * MS) /* after the first function got warm: most programs end before */
/*
 * How much the guest comes before the compiler: nice values. Less than half of a processor that both want, where there are
 * several. Where there is but one, whatever the compiler takes the guest loses: 3 % of it until there is some code, so
 * that programs that end before lose no more; and a quarter when code runs four times as fast.
 */
#define NICE 2u
#define NICE_FIRST_ALONE 16u
#define NICE_ALONE 5u
#define TICK_MIN (2 * MS)
#define TICK_MAX (32 * MS)
/* A look that comes later than this after the alarm found the guest elsewhere, in compiled code or asleep, or the host
 * busy: it tells less about where time goes. */
#define LATE (MS / 2)
#define LOOKS 1000u        /* so often code looks whether it comes to a loop that can be entered, */
#define MANY_LOOKS 100000u /* and when there is new code: some milliseconds */
#define IDLE (500 * MS)    /* after which the compiler's process ends */
#define MAX_FAILURES 3u

#define JOIN_AFTER (50 * MS) /* nothing else was to be done so long: slices are joined */

#define MAX_SLICES 16u /* of one module in the cache; and as many hasty ones */
/* Bytes of code of the first slice; twice as many for each one after it, or for four that earlier runs have made: a
 * short run shall get something done, too. */
#define BUDGET ((u64)4 << 10)
#define BUDGET_MAX ((u64)256 << 10)
/* What is hot gets hasty code at once: first as much of it as is there in no time, then the rest. */
#define FIRST ((u64)1 << 10)
#define CALLEES ((u64)4 << 10) /* of what hot functions call: most of that is not hot */
#define LITTLE ((u64)512)      /* that is compiled well at once */

/* What is known of a module: Module.tier. */
typedef struct TierModule {
    Module *module;
    struct TierModule *next; /* in Tier.modules */
    Profile profile;
    bool recalls;  /* what the cache has is not in the profile yet */
    bool joins;    /* it has several slices, which one is to take the place of */
    u32 nslices;   /* of this run */
    u32 ncached;   /* in the cache, */
    u32 nhasty;    /* and hasty ones */
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
    bool is_alone; /* there is one processor */
    bool is_eager; /* for tests: everything is hot at once, and looking waits for the compiler */
    wr_tier_stats_t stats;
    u64 warm_since; /* when the first function got warm */
    TierModule *modules;
    TierModule *busy;          /* what is being compiled: without the lock */
    struct Compiler *compiler; /* whoever is busy may use it */
    const Module *sent;        /* what its process has */
    u64 idle_since;
    u64 tick; /* from one alarm to the next */
    /* The alarm: on until somebody has looked; `fresh` until the first one has. `waits`: who has looked has code, and looks
     * for a loop in which to go on with it. */
    atomic_bool alarmed, fresh, waits;
    _Atomic(u64) since;
    atomic_int looks; /* left until it is off */
    atomic_uint entered;
} Tier;

/* ---- the alarm ------------------------------------------------------------------------------ */

static void raise_alarm(Tier *t) {
    if (!atomic_load(&t->fresh)) {
        atomic_store(&t->since, wr_os_now());
        atomic_store(&t->fresh, true);
    }
    if (!atomic_exchange(&t->alarmed, true)) {
        atomic_store(&t->looks, (int)LOOKS);
        t->engine->executor->alarm(t->engine, 1);
    }
    wr_native_ask(t->engine);
}

static void silence(Tier *t) {
    atomic_store(&t->waits, false);
    if (atomic_exchange(&t->alarmed, false)) t->engine->executor->alarm(t->engine, -1);
}

/* ---- samples -------------------------------------------------------------------------------- */

static TierModule *module_of(Tier *t, Module *m) {
    if (m->tier != NULL) return m->tier;
    const Alloc *alloc = &t->engine->alloc;
    TierModule *tm = wr_alloc_zero(alloc, sizeof *tm);
    if (tm == NULL) return NULL;
    if (!wr_profile_init(&tm->profile, m)) {
        wr_free(alloc, tm, sizeof *tm);
        return NULL;
    }
    tm->module = m;
    tm->ncached = m->nslices;
    tm->nhasty = m->nhasty;
    tm->recalls = m->nhasty > 0;
    tm->next = t->modules;
    t->modules = m->tier = tm;
    return tm;
}

static void note_frames(Tier *t, const TierFrame *frames, u32 count, u32 weight) {
    TierModule *innermost = NULL;
    bool is_new = false;
    for (u32 i = 0; i < count; i++) {
        Func *func = frames[i].func;
        TierModule *tm = module_of(t, func_instance(func)->module);
        if (tm == NULL) continue;
        bool counts = wr_profile_note(&tm->profile, func, frames[i].pc, i);
        if (i == 0) innermost = tm, is_new = counts;
    }
    if (innermost != NULL && is_new) innermost->profile.samples += weight;
}

static void sample(Tier *t, const TierFrame *frames, u32 count) {
    bool is_late = wr_os_now() - atomic_load(&t->since) > LATE;
    wr_os_mutex_lock(&t->lock);
    note_frames(t, frames, count, is_late ? 1 : PROFILE_WEIGHT);
    wr_os_mutex_unlock(&t->lock);
}

/* ---- compiling ------------------------------------------------------------------------------ */

/* What earlier runs have found hot, and had no time to compile well, is known from the start. */
static void recall(const Tier *t) {
    for (TierModule *tm = t->modules; tm != NULL; tm = tm->next) {
        if (tm->recalls) wr_profile_recall(&tm->profile);
        tm->recalls = false;
    }
}

static u8 niceness(const Tier *t) {
    if (t->is_eager) return 0;
    if (!t->is_alone) return NICE;
    return t->stats.slices == 0 ? NICE_FIRST_ALONE : NICE_ALONE;
}

/* What has been seen will be compiled soon, most likely: the process begins meanwhile. */
static void expect_request(const Tier *t) {
    if (t->compiler == NULL) return;
    for (const TierModule *tm = t->modules; tm != NULL; tm = tm->next)
        if (tm->profile.samples > 0) wr_compiler_expect(t->compiler, niceness(t));
}

static bool is_ready(const Tier *t, const TierModule *tm) {
    return !tm->is_going && tm->profile.samples >= (t->is_eager ? 1 : PROFILE_HOT);
}

/* The one with the most samples, if that are enough. */
static TierModule *choose_module(const Tier *t) {
    TierModule *best = NULL;
    for (TierModule *tm = t->modules; tm != NULL; tm = tm->next)
        if (is_ready(t, tm) && (best == NULL || tm->profile.samples > best->profile.samples))
            best = tm;
    return best;
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
    u32 doublings = tm->nslices + tm->module->nslices / 4;
    return doublings < 6 ? BUDGET << doublings : BUDGET_MAX;
}

/* Any thread may be compiling; nobody else is. */
static Error *compile(Tier *t, TierModule *tm, const CompileRequest *wanted, CompileStats *stats) {
    Module *m = tm->module;
    CompileRequest request = *wanted;
    u32 *ncached = native_is_hasty(&request.options) ? &tm->nhasty : &tm->ncached;
    u8 *bytes;
    size_t size;
    Cache place;
    char path[CACHE_PATH_MAX], slice[CACHE_PATH_MAX];
    const Cache *cache = *ncached < MAX_SLICES ? wr_aot_open_cache(t->engine, &place) : NULL;
    if (cache != NULL) {
        wr_cache_path(cache, m, &request, path);
        wr_cache_slice_path(path, *ncached, slice);
        request.keep = slice;
    }
    Error *error = wr_compiler_run(t->compiler, m, &request, &bytes, &size, stats);
    if (error != NULL) return error;
    wr_log(t->engine, WR_LOG_INFO, "compiled %u functions in %u ms", (unsigned)stats->functions,
           (unsigned)(stats->total_ns / MS));
    error = wr_aot_take(m, &request.options, bytes, size, cache, slice);
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
    request->nice = niceness(t);
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

/* Whether any code will do, also if good code takes little longer. */
static bool must_haste(const Tier *t) {
    return t->is_eager || (t->is_alone && t->stats.slices == 0);
}

/* What is hot and has no code gets some at once, which better code takes the place of, unless that is little enough to be
 * compiled well at once. False if there is none. */
static bool compile_hastily(Tier *t, TierModule *tm) {
    u32 functions[PROFILE_FUNCTIONS];
    u64 points[PROFILE_FUNCTIONS], size;
    bool is_first = t->stats.slices == 0;
    u64 budget = is_first ? FIRST : BUDGET_MAX;
    CompileRequest request = {.functions = functions, .points = points};
    if (!hasty_options(t->engine, &request.options)) return false;
    request.nfunctions =
        wr_profile_find_bare(&tm->profile, budget, functions, points, &request.npoints, &size);
    request.budget = size + (is_first ? FIRST : CALLEES);
    if (size <= LITTLE && !must_haste(t)) return false;
    return request.nfunctions > 0 && do_request(t, tm, &request);
}

/* Compiles what is hot in a module. */
static void compile_well(Tier *t, TierModule *tm) {
    Profile *profile = &tm->profile;
    u32 functions[PROFILE_FUNCTIONS], nasked = profile->nasked;
    u64 budget = budget_of(tm);
    u32 count = wr_profile_choose(profile, budget, functions);
    CompileRequest request = {.options = options_of(t->engine),
                              .functions = functions,
                              .nfunctions = count,
                              .points = profile->points + nasked,
                              .npoints = profile->nasked - nasked,
                              .budget = budget};
    if (count == 0) return;
    (void)do_request(t, tm, &request);
    tm->nslices += 1;
}

/* When code runs the compiler may take more: as another process, since a nice value stays. */
static void hurry(Tier *t) {
    if (t->is_alone && t->stats.slices == 1) stop_compiler(t);
}

static bool may_go_on(const Tier *t, const TierModule *tm) { return !tm->is_going && !t->is_off; }

/* The best of it, and the rest. */
static bool compile_some_hastily(Tier *t, TierModule *tm) {
    u32 done = 0;
    while (done < 2 && may_go_on(t, tm) && compile_hastily(t, tm)) {
        done += 1;
        raise_alarm(t);
        hurry(t);
    }
    return done > 0;
}

/* The functions that one slice is to have instead of several; 0 if there is nothing to join, or no room for it. */
static u32 find_scattered(const TierModule *tm, u32 *functions, u64 *size) {
    if (tm->module->nslices < 2 || tm->ncached >= MAX_SLICES) return 0;
    return wr_profile_find_scattered(&tm->profile, BUDGET_MAX, functions, size);
}

static bool is_scattered(const TierModule *tm) {
    u32 functions[PROFILE_JOINED];
    u64 size;
    return find_scattered(tm, functions, &size) > 0;
}

/* Runs that end compile what is hot slice by slice, and nothing is inlined from one to the other: what they have left in the
 * cache is compiled once more, as one slice, mostly for the next run. */
static void join_slices(Tier *t, TierModule *tm) {
    u32 functions[PROFILE_JOINED];
    CompileRequest request = {.options = options_of(t->engine), .functions = functions};
    tm->joins = false;
    request.nfunctions = find_scattered(tm, functions, &request.budget);
    if (request.nfunctions == 0) return;
    wr_log(t->engine, WR_LOG_INFO, "joins %u slices", (unsigned)tm->ncached);
    (void)do_request(t, tm, &request);
}

static void join_some(Tier *t) {
    TierModule *tm = t->modules;
    while (tm != NULL && (!tm->joins || tm->is_going)) tm = tm->next;
    if (tm != NULL && wr_os_now() - t->idle_since > JOIN_AFTER) join_slices(t, tm);
}

/* For tests each kind of code gets its turn to run. */
static void compile_hot(Tier *t, TierModule *tm) {
    bool has_more = compile_some_hastily(t, tm);
    if (may_go_on(t, tm) && !(has_more && t->is_eager)) compile_well(t, tm);
    hurry(t);
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
    u64 next = t->warm_since + FIRST_TICK;
    t->is_alone = wr_os_cpu_count() == 1;
    find_compiler(t);
    while (!t->stops && !t->is_off) {
        wr_os_cond_wait(&t->wake, &t->lock, next);
        if (t->stops || wr_os_now() < next) continue;
        recall(t);
        expect_request(t);
        TierModule *tm = choose_module(t);
        if (tm != NULL)
            compile_hot(t, tm);
        else
            join_some(t);
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

/* Whether there was something new: then frames may be others' than they were. */
static bool attach_all(Tier *t, Store *store) {
    bool any = false;
    for (Instance *i = store->instances; i != NULL; i = i->next) {
        const Artifact *newest = atomic_load_explicit(&i->module->artifact, memory_order_acquire);
        if (i->attached == newest || i->module->native_ops == NULL) continue;
        wr_native_attach_running(i);
        atomic_store(&t->looks, (int)MANY_LOOKS);
        any = true;
    }
    return any;
}

static const Func *own_func(const TierFrame *frame) {
    const Instance *i = func_instance(frame->func);
    return &i->own_funcs[frame->func->index - i->module->nimported_funcs];
}

/* The frame's function is compiled, but it runs interpreted. */
static bool is_compiled(const TierFrame *frame) {
    return own_func(frame)->native_entry != NULL && frame->func->home != NULL;
}

/* So may its callers, which come to their loops when it has returned. */
static bool is_any_compiled(const TierFrame *frames, u32 count) {
    for (u32 i = 0; i < count; i++)
        if (is_compiled(&frames[i])) return true;
    return false;
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
    note_frames(t, frames, count, PROFILE_WEIGHT);
    while (t->busy != NULL) wr_os_cond_wait(&t->idle, &t->lock, UINT64_MAX);
    recall(t);
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
    if (attach_all(t, store)) return NULL; /* the next look tells */
    bool waits = is_any_compiled(frames, count);
    const void *code = is_compiled(frames) ? find_loop(frames) : NULL;
    if (code != NULL) atomic_fetch_add_explicit(&t->entered, 1, memory_order_relaxed);
    if (t->is_eager) return code;
    if (code == NULL && waits) {
        atomic_store(&t->waits, true);
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
    if (!atomic_load(&t->waits)) silence(t);
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

static void register_module(Module *module) {
    Tier *t = module->engine->tier;
    wr_os_mutex_lock(&t->lock);
    TierModule *tm = module_of(t, module); /* without memory nothing is known */
    bool joins = tm != NULL && is_scattered(tm);
    if (joins) tm->joins = true;
    if (joins && t->is_eager) join_slices(t, tm);
    wr_os_mutex_unlock(&t->lock);
    if (joins) warm(module->engine);
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
    if (module->nhasty > 0 || module->nslices > 1) register_module(module);
    if (has_whole || module->nslices + module->nhasty > 0)
        wr_log(module->engine, WR_LOG_INFO, "began with what the cache has compiled");
}

static void free_module(const Tier *t, TierModule *tm) {
    const Alloc *alloc = &t->engine->alloc;
    wr_profile_free(&tm->profile);
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
