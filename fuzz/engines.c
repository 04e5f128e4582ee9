/*
 * engines.c - see engines.h. The property, for replaying files (driver.c) and for mutants (mutate.c): a module
 * does the same interpreted, by ids and by bytes, and compiled, with whatever options.
 *
 * The interpreter goes first, with fuel: what does not end is left out of the plan. Compiled code then runs
 * without limits, as it does in production; if it hangs, whoever started the process will notice.
 *
 * WASM leaves the bits of NaNs open. They seldom matter; so when two runs differ, they are made again from a
 * module in which all NaNs have been made the same (denan.h), and that decides.
 */
#define _XOPEN_SOURCE 700
#include "engines.h"

#include <inttypes.h>

#include "denan.h"
#include "outcome.h"
#include "prepare.h"
#include "property.h"
#include "store.h"

#define FUEL 200000u
#define ATTEMPTS 6u /* with ever fewer steps */

typedef struct Variant {
    const char *name;
    wr_memory_mode_t mode;
    bool warm;     /* what is interpreted is by ids */
    bool stressed; /* objects are collected all the time */
    bool tiers;    /* what runs at all is compiled at once */
    bool compiled; /* before it runs */
    bool half;     /* every other function: calls go from one engine to the other and back */
    NativeOptions options; /* `guarded` comes of `mode` */
    u64 slice;             /* calls pause each time that so much fuel is spent; 0: never */
    const char *spill;     /* WASMRUN_SPILL, WASMRUN_AOT_LOOPS (docs/aot.md); NULL: unset */
    const char *loops;
} Variant;

/* The first is what the others are compared with. */
static const Variant variants[] = {
    {.name = "bytes", .mode = WR_MEMORY_EXPLICIT},
    {.name = "ids", .mode = WR_MEMORY_GUARD, .warm = true},
#define COMPILED(...) .compiled = true, .options = {__VA_ARGS__}
    {.name = "guard-O2", .mode = WR_MEMORY_GUARD, COMPILED(.level = 2)},
    {.name = "polled-O2", .mode = WR_MEMORY_GUARD, COMPILED(.level = 2, .polled = true)},
    {.name = "explicit-O0", .mode = WR_MEMORY_EXPLICIT, COMPILED(.level = 0)},
    {.name = "guard-O1", .mode = WR_MEMORY_GUARD, COMPILED(.level = 1)},
    {.name = "explicit-O2", .mode = WR_MEMORY_EXPLICIT, COMPILED(.level = 2)},
    {.name = "guard-O0", .mode = WR_MEMORY_GUARD, COMPILED(.level = 0, .polled = true)},
    {.name = "guard-O3", .mode = WR_MEMORY_GUARD, COMPILED(.level = 3)},
    {.name = "explicit-Os", .mode = WR_MEMORY_EXPLICIT, COMPILED(.level = 4, .polled = true)},
    {.name = "fuel-O2",
     .mode = WR_MEMORY_GUARD,
     COMPILED(.level = 2, .fuel = true, .polled = true)},
    {.name = "fuel-O0",
     .mode = WR_MEMORY_EXPLICIT,
     COMPILED(.level = 0, .fuel = true, .polled = true)},
    {.name = "half-O2", .mode = WR_MEMORY_GUARD, .half = true, COMPILED(.level = 2)},
    {.name = "half-fuel-O1",
     .mode = WR_MEMORY_EXPLICIT,
     .half = true,
     .warm = true,
     COMPILED(.level = 1, .fuel = true, .polled = true)},
    {.name = "loops-O2",
     .mode = WR_MEMORY_GUARD,
     .loops = "60", /* so that fast loops end in the middle */
     COMPILED(.level = 2)},
    {.name = "polled-loops-O2",
     .mode = WR_MEMORY_GUARD,
     .loops = "9",
     COMPILED(.level = 2, .polled = true)},
    {.name = "frames-O2",
     .mode = WR_MEMORY_GUARD,
     .loops = "60",
     COMPILED(.level = 2, .polled = true, .migratable = true)},
    {.name = "spill-O2",
     .mode = WR_MEMORY_GUARD,
     .spill = "3",
     COMPILED(.level = 2, .polled = true, .migratable = true)},
    {.name = "spill-O0",
     .mode = WR_MEMORY_EXPLICIT,
     .spill = "2",
     COMPILED(.level = 0, .polled = true, .migratable = true)},
    {.name = "spill-fuel-O3",
     .mode = WR_MEMORY_GUARD,
     .spill = "5",
     COMPILED(.level = 3, .fuel = true, .polled = true, .migratable = true)},
    {.name = "spill-fuel-O1",
     .mode = WR_MEMORY_EXPLICIT,
     .spill = "2",
     COMPILED(.level = 1, .fuel = true, .polled = true, .migratable = true)},
    {.name = "paused", .mode = WR_MEMORY_GUARD, .warm = true, .slice = 100},
    {.name = "paused-O2",
     .mode = WR_MEMORY_GUARD,
     .slice = 300,
     COMPILED(.level = 2, .fuel = true, .polled = true, .migratable = true)},
    {.name = "paused-O0",
     .mode = WR_MEMORY_EXPLICIT,
     .slice = 37,
     COMPILED(.level = 0, .fuel = true, .polled = true, .migratable = true)},
    {.name = "spill-stressed-O2",
     .mode = WR_MEMORY_GUARD,
     .stressed = true,
     .spill = "2",
     COMPILED(.level = 2, .polled = true, .migratable = true)},
    {.name = "auto", .mode = WR_MEMORY_GUARD, .warm = true, .tiers = true},
    {.name = "stressed-O2", .mode = WR_MEMORY_GUARD, .stressed = true, COMPILED(.level = 2)},
#undef COMPILED
};

static Engine
    *engines[ARRAY_LEN(variants)]; /* each with a compiler process; made when they are needed */

u32 wr_engine_variants(void) { return ARRAY_LEN(variants); }

/* ---- engines -------------------------------------------------------------------------------- */

static Engine *new_engine(const Variant *v) {
    wr_config_t *config = all_features();
    wr_config_set_memory_mode(config, v->mode);
    wr_config_set_warm_after(config, v->warm ? 0 : UINT32_MAX);
    wr_config_set_gc_debug(config, v->stressed ? WR_GC_STRESS | WR_GC_VERIFY : 0);
    wr_config_set_validation_threads(config, 1);
    if (v->tiers) wr_config_set_engine_kind(config, WR_ENGINE_AUTO);
    Engine *engine;
    CHECK(!wr_engine_new(config, &engine));
    return engine;
}

static Engine *engine_of(u32 variant) {
    if (!engines[variant]) engines[variant] = new_engine(&variants[variant]);
    return engines[variant];
}

static void end_engines(void) {
    for (u32 i = 0; i < ARRAY_LEN(variants); i++) wr_engine_delete(engines[i]);
    memset(engines, 0, sizeof engines);
}

static void set_variable(const char *name, const char *value) {
    CHECK((value != NULL ? setenv(name, value, 1) : unsetenv(name)) == 0);
}

/* What the library and the compiler's process look at: stores, compilers and tiers begin later. */
static void set_environment(const Variant *v) {
    set_variable("WASMRUN_SPILL", v->spill);
    set_variable("WASMRUN_AOT_LOOPS", v->loops);
    set_variable("WASMRUN_TIER", v->tiers ? "eager" : NULL);
}

/* ---- one run -------------------------------------------------------------------------------- */

static void must(Error *error) {
    if (error == NULL) return;
    fprintf(stderr, "%s\n", wr_error_message(error));
    abort();
}

/* To be freed. */
static u32 *choose_half(const Module *m, CompileRequest *request) {
    u32 *functions = malloc((m->ncodes + 1) * sizeof *functions);
    CHECK(functions);
    for (u32 i = m->nfuncs - m->ncodes; i < m->nfuncs; i += 2) functions[request->nfunctions++] = i;
    request->functions = functions;
    return functions;
}

static void compile(Module *module, const Variant *v, EngineStats *stats) {
    CompileRequest request = {.options = v->options, .threads = 1};
    CompileStats compiled;
    Artifact *artifact;
    u8 *bytes;
    size_t size;
    request.options.guarded = v->mode == WR_MEMORY_GUARD;
    if (module->ncodes == 0) return;
    u32 *halves = v->half ? choose_half(module, &request) : NULL;
    must(wr_aot_compile(module, &request, &bytes, &size, &compiled));
    stats->left_out += compiled.left_out;
    must(wr_artifact_open_bytes(module->engine, bytes, size, module, &request.options, &artifact));
    wr_module_add_artifact(module, artifact);
    wr_free(&module->engine->alloc, bytes, size);
    free(halves);
}

/* False: it does not load. */
static bool run(const u8 *data, size_t size, Random random, u32 variant, const Plan *plan,
                Outcome *outcome, EngineStats *stats) {
    Module *module = NULL;
    set_environment(&variants[variant]);
    Error *error = wr_module_new(engine_of(variant), data, size, &module);
    bool loads = error == NULL;
    wr_error_delete(error);
    if (!loads) return false;
    if (variants[variant].compiled) compile(module, &variants[variant], stats);
    wr_outcome(module, random, plan, outcome);
    wr_module_delete(module);
    return true;
}

/* Which steps end within the fuel, and what comes of these. False: it does not load, or not even
 * instantiation ends, or too much else does not. */
static bool make_plan(const u8 *data, size_t size, Random random, u32 variant, Plan *plan,
                      Outcome *outcome, EngineStats *stats) {
    *plan = (Plan){.fuel = FUEL, .no_callbacks = variants[variant].slice > 0};
    for (u32 i = 0; i < ATTEMPTS; i++) {
        if (!run(data, size, random, 0, plan, outcome, stats)) return false;
        stats->loaded += i == 0;
        if (outcome->cut_short == STEP_NONE) return true;
        if (outcome->cut_short == 0) break;
        plan->skipped[outcome->cut_short] = true;
    }
    stats->given_up++;
    return false;
}

/* ---- two runs ------------------------------------------------------------------------------- */

/* All that counts fuel counts alike. */
static bool equal(const Outcome *a, const Outcome *b, bool counts_fuel) {
    if (counts_fuel && memcmp(a->left, b->left, sizeof a->left) != 0) return false;
    return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static void print_fuel(const Outcome *a, const Outcome *b) {
    for (u32 i = 0; i < OUTCOME_STEPS; i++)
        if (a->left[i] != b->left[i])
            fprintf(stderr, "step %u leaves %" PRIu64 " of the fuel, not %" PRIu64 "\n", i,
                    b->left[i], a->left[i]);
}

static void print_difference(const Outcome *a, const Outcome *b, u32 variant) {
    if (getenv("SHOW"))
        fprintf(stderr, "---- %s\n%s---- %s\n%s----\n", variants[0].name, a->text,
                variants[variant].name, b->text);
    size_t at = 0, line = 0;
    for (; at < a->size && at < b->size && a->text[at] == b->text[at]; at++)
        if (a->text[at] == '\n') line = at + 1;
    fprintf(stderr, "%s differs from %s, which has\n%.400s\nand it has\n%.400s\n",
            variants[variant].name, variants[0].name, a->text + line, b->text + line);
}

/* `expected` is what the plan was made by. */
static bool same(const u8 *data, size_t size, Random random, u32 variant, Plan plan,
                 const Outcome *expected, bool shows, EngineStats *stats) {
    Outcome outcome = {0};
    const Variant *v = &variants[variant];
    if (v->tiers || (v->compiled && !v->options.fuel)) plan.fuel = 0;
    plan.slice = v->slice;
    CHECK(run(data, size, random, variant, &plan, &outcome, stats));
    bool is_same = equal(expected, &outcome, plan.fuel > 0);
    if (is_same) stats->calls += outcome.calls;
    if (!is_same && shows) {
        print_difference(expected, &outcome, variant);
        if (plan.fuel > 0) print_fuel(expected, &outcome);
    }
    wr_outcome_free(&outcome);
    return is_same;
}

/* Whether the difference stays when no NaN is like another. */
static void compare_without_nans(const u8 *data, size_t size, Random random, u32 variant,
                                 EngineStats *stats) {
    Outcome expected = {0};
    Plan plan;
    Module *module;
    Bytes plain = {0};
    must(wr_module_new(engine_of(0), data, size, &module));
    wr_denan(module, &plain);
    wr_module_delete(module);
    if (make_plan(plain.data, plain.size, random, variant, &plan, &expected, stats))
        CHECK(same(plain.data, plain.size, random, variant, plan, &expected, true, stats));
    stats->nans++;
    free(plain.data);
    wr_outcome_free(&expected);
}

void wr_compare_engines(const u8 *data, size_t size, u32 variant, EngineStats *stats) {
    Random random = random_of_bytes(data, size);
    Outcome expected = {0};
    Plan plan;
    stats->modules++;
    if (make_plan(data, size, random, variant, &plan, &expected, stats)) {
        stats->compared++;
        if (!same(data, size, random, variant, plan, &expected, false, stats))
            compare_without_nans(data, size, random, variant, stats);
    }
    wr_outcome_free(&expected);
}

/* ---- many modules --------------------------------------------------------------------------- */

/* Files, which are few: all variants, or the one that VARIANT names. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    const char *only = getenv("VARIANT");
    EngineStats stats = {0};
    for (u32 i = 1; i < ARRAY_LEN(variants); i++)
        if (!only || strcmp(only, variants[i].name) == 0) wr_compare_engines(data, size, i, &stats);
    return 0;
}

/* Mutants, which are many: one each. */
static void run_one(const u8 *data, size_t size, u64 number, u64 *stats) {
    u64 mixed = (number + 1) * 0x9E3779B97F4A7C15u >> 32; /* seeds, too, come in all ways */
    u32 variant = 1 + (u32)(mixed % (ARRAY_LEN(variants) - 1));
    wr_compare_engines(data, size, variant, (EngineStats *)(void *)stats);
}

static void add(u64 *sum, const u64 *more) {
    for (size_t i = 0; i < sizeof(EngineStats) / sizeof *sum; i++) sum[i] += more[i];
}

static void print(const u64 *stats) {
    const EngineStats *s = (const EngineStats *)(const void *)stats;
    printf("modules %" PRIu64 ", loaded %" PRIu64 ", do not end %" PRIu64 "; compared %" PRIu64
           " with %" PRIu64 " calls, %" PRIu64 " but for NaNs; functions not compiled %" PRIu64
           "\n",
           s->modules, s->loaded, s->given_up, s->compared, s->calls, s->nans, s->left_out);
}

const Property wr_property = {
    .batch = 200, .slow_ms = 20000, .run = run_one, .end = end_engines, .add = add, .print = print};
