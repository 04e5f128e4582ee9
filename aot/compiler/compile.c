/*
 * compile.c - see compile.h.
 *
 * A unit is a run of functions next to each other, compiled as one LLVM module: LLVM inlines within it, and
 * what is held in memory at a time is one unit for each thread. Functions that LLVM takes long over (survey.h) are units
 * of their own. When LLVM gives a unit up (its fatal errors come to fatal(), which jumps out and leaves LLVM's
 * objects behind), the unit is cut in halves, down to one function, which is then compiled without optimisation. If
 * that fails too it is left out: a stub goes out to the interpreter in its place.
 */
#include "compile.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "counted.h"
#include "lanes.h"
#include "linker.h"
#include "os.h"
#include "places.h"
#include "plan.h"
#include "polls.h"
#include "slice.h"
#include "store.h"
#include "survey.h"
#include "unit.h"
#include "version.h"

#define UNIT_MIN                                                                                   \
    (64u << 10) /* bytes of code: smaller ones are not inlined into each other as well */
#define UNIT_MAX (256u << 10)
#define UNITS_A_THREAD 8u /* so that no thread waits long for the last ones */

typedef struct Range {
    u32 first, count; /* of Slice.functions */
    Effort effort;
} Range;

typedef struct Compilation {
    const CompileJob *job;
    const Alloc *alloc;
    Plan plan;
    Slice slice;
    Range *ranges;
    u32 nranges, next; /* next: under lock, as all below */
    OsMutex lock;
    ObjectFile *objects;
    u32 nobjects, cap_objects;
    bool *left_out; /* by function index */
    u32 done;
    CompileStats stats;
    Error *error; /* the first */
} Compilation;

/* ---- LLVM's fatal errors ---- */

static _Thread_local jmp_buf *rescue;

static void fatal(const char *reason) {
    fprintf(stderr, "wasmrun-aot: LLVM: %s\n", reason);
    if (rescue != NULL) longjmp(*rescue, 1);
}

/* ---- target ---- */

static void initialize_targets(void) {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
}

/* - LLVM makes branches of conditional moves in innermost loops where those are on the longest chain of operations. That
 *   helps where they are foreseen; minima in tables and comparisons of sorted things seldom are. It would also put a
 *   branch around a load that a move has as its operand, volatile or not.
 * - Equal code of two places, say in both arms of a branch, stays two pieces, or a trap in it has two places. Producers
 *   have merged what was worth it; and a guest's interpreter keeps a jump of its own for each instruction.
 * - Bodies that producers unrolled eight times become vector code of hundreds of shuffles, which take the back end a second
 *   for some loops and gain nothing.
 * The rest is for compiling in less time. It takes nothing from the code:
 * - Mask registers are no better place for the few integers that could live there; looking for them takes 6 % of the time for bzip2.
 * - There are no variables to be followed by the debugger, but the newer of LLVM's two passes for that looks at all code
 *   before it asks. The older one asks first.
 * - Where preparing a function for the back end changes its blocks, LLVM begins again with the first one, unless the function is
 *   huge: then it looks at the new blocks only. Functions of 100 blocks are huge enough, and SQLite as a whole takes 5 % less. */
static void set_options(void) {
    static bool are_set; /* once in a process: one module is compiled after the other */
    static const char *const options[] = {"wasmrun-aot",
                                          "-x86-cmov-converter=false",
                                          "-simplifycfg-hoist-common=false",
                                          "-simplifycfg-sink-common=false",
                                          "-enable-tail-merge=false",
                                          "-max-interleave-group-factor=4",
                                          "-disable-x86-domain-reassignment",
                                          "-experimental-debug-variable-locations=false",
                                          "-cgpp-huge-func=100"};
    if (!are_set) LLVMParseCommandLineOptions(ARRAY_LEN(options), options, NULL);
    are_set = true;
}

static LLVMCodeGenOptLevel codegen_level(u8 level) {
    static const LLVMCodeGenOptLevel levels[] = {
        LLVMCodeGenLevelNone, LLVMCodeGenLevelLess, LLVMCodeGenLevelDefault,
        LLVMCodeGenLevelAggressive, LLVMCodeGenLevelDefault};
    return levels[level < ARRAY_LEN(levels) ? level : 2];
}

/* NULL, and *error is set, if there is no such target. */
static LLVMTargetMachineRef make_machine(const Plan *plan, u8 level, Error **error) {
    LLVMTargetRef target;
    char *why = NULL;
    if (LLVMGetTargetFromTriple(plan->triple, &target, &why) != 0) {
        *error = wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "no such target: %.200s", why);
        LLVMDisposeMessage(why);
        return NULL;
    }
    LLVMTargetMachineRef machine =
        LLVMCreateTargetMachine(target, plan->triple, plan->cpu, plan->features,
                                codegen_level(level), LLVMRelocPIC, LLVMCodeModelSmall);
    if (machine == NULL)
        *error = wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "cannot compile for %.200s", plan->triple);
    return machine;
}

/* ---- one unit ---- */

/* For us who make the compiler (docs/aot.md). False: the verifier finds an error. */
static bool look_at_module(const Unit *unit) {
    char *why = NULL;
    bool ok = true;
    const char *dump = getenv("WASMRUN_AOT_DUMP");
    if (dump != NULL) LLVMPrintModuleToFile(unit->module, dump, &why);
    if (getenv("WASMRUN_AOT_VERIFY") != NULL)
        ok = LLVMVerifyModule(unit->module, LLVMPrintMessageAction, &why) == 0;
    LLVMDisposeMessage(why);
    return ok;
}

static bool run_passes(const Unit *unit, const char *passes) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(unit->module, passes, unit->machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (error == NULL) return true;
    char *text = LLVMGetErrorMessage(error);
    fprintf(stderr, "wasmrun-aot: %s\n", text);
    LLVMDisposeErrorMessage(text);
    return false;
}

/* What version.h wants to see: values in registers, addresses and conditions in their usual forms, loops with a
 * preheader and one latch. */
#define PREPARATION                                                                                \
    "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,loop-simplify,lcssa)"

static bool version_loops(Unit *unit) {
    const char *given = getenv("WASMRUN_AOT_LOOPS"); /* docs/aot.md: 0 leaves loops as they are */
    u32 work = given != NULL ? (u32)strtoul(given, NULL, 10) : UINT32_MAX;
    if (work == 0) return true;
    if (!run_passes(unit, PREPARATION)) return false;
    wr_version_loops(unit, work);
    return look_at_module(unit);
}

static u8 level_of(const Plan *plan, Effort effort) {
    static const u8 most[] = {[EFFORT_FULL] = UINT8_MAX, [EFFORT_LITTLE] = 1, [EFFORT_NONE] = 0};
    return plan->options.level < most[effort] ? plan->options.level : most[effort];
}

static bool optimise(Unit *unit, Effort effort) {
    static const char *const pipelines[] = {"default<O0>", "default<O1>", "default<O2>",
                                            "default<O3>", "default<Os>"};
    u8 level = level_of(unit->plan, effort);
    if (level > 0 && wr_survey_stores_too_much(unit)) return false;
    if (level > 1 && !version_loops(unit)) return false;
    if (!run_passes(unit, pipelines[level])) return false;
    if (effort != EFFORT_NONE && wr_survey_is_too_much(unit)) return false;
    wr_lanes_guard_selects(unit);
    wr_settle_places(unit);
    const NativeOptions *o = &unit->plan->options;
    if (o->fuel || o->migratable) return true; /* they are there */
    if (!o->polled)
        wr_polls_add_few(unit);
    else if (!wr_polls_add(unit))
        return false;
    return run_passes(unit, "always-inline,globaldce");
}

static bool add_object(Compilation *c, LLVMMemoryBufferRef buffer) {
    size_t size = LLVMGetBufferSize(buffer);
    u8 *copy = wr_alloc(c->alloc, size);
    if (copy == NULL) return false;
    memcpy(copy, LLVMGetBufferStart(buffer), size);
    wr_os_mutex_lock(&c->lock);
    bool ok = wr_grow_array(c->alloc, &c->objects, &c->cap_objects, (u64)c->nobjects + 1,
                            UINT32_MAX, sizeof *c->objects);
    if (ok) c->objects[c->nobjects++] = (ObjectFile){copy, size};
    wr_os_mutex_unlock(&c->lock);
    if (!ok) wr_free(c->alloc, copy, size);
    return ok;
}

static bool generate(Compilation *c, Unit *unit) {
    LLVMMemoryBufferRef buffer;
    char *why = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(unit->machine, unit->module, LLVMObjectFile, &why,
                                            &buffer) != 0) {
        fprintf(stderr, "wasmrun-aot: %s\n", why);
        LLVMDisposeMessage(why);
        return false;
    }
    bool ok = add_object(c, buffer);
    LLVMDisposeMemoryBuffer(buffer);
    return ok;
}

static void leave_out(Compilation *c, Unit *unit, u32 index) {
    c->left_out[index] = true; /* of this thread's range: no other looks at it */
    wr_lower_stub(unit, index, false, false);
    if (unit->plan->options.fuel) wr_counted_lower_stub(unit, index);
    if (unit->plan->has_tail[index]) wr_lower_stub(unit, index, true, false);
}

static void fail(Compilation *c, Error *error) {
    wr_os_mutex_lock(&c->lock);
    if (c->error == NULL)
        c->error = error;
    else
        wr_error_delete(error);
    wr_os_mutex_unlock(&c->lock);
}

/* A thread. */
typedef struct Worker {
    Compilation *c;
    LLVMTargetMachineRef machine, plain; /* the latter: for EFFORT_NONE, made when it is needed */
    u64 lower_ns, optimise_ns, generate_ns;
    u32 plain_functions;
} Worker;

/* NULL: there is no such target. */
static LLVMTargetMachineRef machine_for(Worker *w, Effort effort) {
    LLVMTargetMachineRef *machine = effort == EFFORT_NONE ? &w->plain : &w->machine;
    Error *error = NULL;
    if (*machine == NULL)
        *machine = make_machine(&w->c->plan, level_of(&w->c->plan, effort), &error);
    if (error != NULL) fail(w->c, error);
    return *machine;
}

/* Those that can be entered in a function; one that cannot be lowered is left out. */
static void lower_loops(const Compilation *c, Unit *unit, u32 func_index) {
    for (u32 i = 0; i < c->slice.nloops; i++)
        if (c->slice.loops[i].func_index == func_index)
            wr_lower_loop(unit, func_index, c->slice.loops[i].offset);
}

/* What the unit calls of functions that are in no unit. A stub may call another one, which comes behind it. */
static void lower_outside(const Compilation *c, Unit *unit) {
    const Module *m = c->plan.module;
    if (c->slice.nfunctions == m->ncodes) return;
    LLVMValueRef f = LLVMGetFirstFunction(unit->module);
    for (; f != NULL; f = LLVMGetNextFunction(f)) {
        u32 index;
        char letter;
        if (!LLVMIsDeclaration(f) || !wr_unit_is_function(f, &index, &letter)) continue;
        if (index >= m->nfuncs || c->slice.has[index]) continue;
        if (letter == 'r')
            wr_counted_lower_stub(unit, index);
        else
            wr_lower_stub(unit, index, letter == 't', true);
    }
}

static bool has_shape(const Compilation *c, u32 shape) {
    const Plan *plan = &c->plan;
    for (u32 i = 0; i < c->slice.nfunctions; i++)
        if (plan->shapes[plan->module->funcs[c->slice.functions[i]].type_index] == shape)
            return true;
    return false;
}

static void drop_unused(LLVMValueRef thunk) {
    if (LLVMGetFirstUse(thunk) == NULL) LLVMDeleteFunction(thunk);
}

/* Of shapes that a slice, which is the only unit, has nothing to do with: most of those of a large module. */
static void drop_thunks(const Compilation *c, Unit *unit) {
    for (u32 s = 0; s < c->plan.nshapes; s++) {
        if (!has_shape(c, s)) drop_unused(wr_unit_thunk(unit, "in", s));
        drop_unused(wr_unit_thunk(unit, "outt", s));
        drop_unused(wr_unit_thunk(unit, "out", s));
    }
}

/* The functions of a unit, and the thunks if it has them. `forget`: nothing of the functions, but stubs. */
static void lower_unit(Compilation *c, Unit *unit, Range range, bool thunks, bool forget) {
    const Module *module = c->plan.module;
    for (u32 i = 0; i < range.count; i++) {
        u32 index = c->slice.functions[range.first + i];
        if (forget || !wr_lower_function(unit, index))
            leave_out(c, unit, index);
        else
            lower_loops(c, unit, index);
    }
    lower_outside(c, unit);
    for (u32 s = 0; thunks && s < c->plan.nshapes; s++) wr_lower_thunks(unit, s);
    if (thunks && c->nranges == 1 && c->slice.nfunctions < module->ncodes) drop_thunks(c, unit);
    LLVMDIBuilderFinalize(unit->debug);
}

/* False when LLVM gave up, or it was too much for it. */
static bool compile_unit(Worker *w, Range range, bool thunks, bool forget) {
    Unit unit;
    LLVMTargetMachineRef machine = machine_for(w, range.effort);
    if (machine == NULL || !wr_unit_init(&unit, &w->c->plan, machine)) return false;
    u64 start = wr_os_now();
    lower_unit(w->c, &unit, range, thunks, forget);
    u64 lowered = wr_os_now();
    bool ok = look_at_module(&unit) && optimise(&unit, range.effort);
    u64 optimised = wr_os_now();
    ok = ok && generate(w->c, &unit);
    wr_unit_free(&unit);
    w->lower_ns += lowered - start;
    w->optimise_ns += optimised - lowered;
    w->generate_ns += wr_os_now() - optimised;
    return ok;
}

/* With LLVM's fatal errors caught: what it had then is lost. */
static bool try_unit(Worker *w, Range range, bool thunks, bool forget) {
    jmp_buf here;
    rescue = &here;
    bool ok = setjmp(here) == 0 && compile_unit(w, range, thunks, forget);
    rescue = NULL;
    return ok;
}

/* A function that LLVM gave up, or the thunks alone. */
static bool compile_plainly(Worker *w, Range range, bool thunks) {
    range.effort = EFFORT_NONE;
    const Compilation *c = w->c;
    bool ok = try_unit(w, range, thunks, false);
    if (ok && range.count > 0) w->plain_functions += !c->left_out[c->slice.functions[range.first]];
    return ok || try_unit(w, range, thunks, true);
}

/* Halves what fails down to one function. Depth: log2 of the functions. */
static bool compile_range(Worker *w, Range range, bool thunks) {
    if (range.effort == EFFORT_NONE) return compile_plainly(w, range, thunks);
    if (try_unit(w, range, thunks, false)) return true;
    if (range.count <= 1) return compile_plainly(w, range, thunks);
    u32 half = range.count / 2;
    Range first = {range.first, half, range.effort};
    Range rest = {range.first + half, range.count - half, range.effort};
    return compile_range(w, first, thunks) && compile_range(w, rest, false);
}

/* ---- threads ---- */

static bool take_range(Compilation *c, u32 *which) {
    wr_os_mutex_lock(&c->lock);
    bool any = c->error == NULL && c->next < c->nranges;
    if (any) *which = c->next++;
    wr_os_mutex_unlock(&c->lock);
    return any;
}

static void report(Compilation *c, Range range) {
    wr_os_mutex_lock(&c->lock);
    c->done += range.count;
    if (c->job->progress) c->job->progress(c->job->context, c->done, c->slice.nfunctions);
    wr_os_mutex_unlock(&c->lock);
}

static void add_stats(const Worker *w) {
    CompileStats *stats = &w->c->stats;
    wr_os_mutex_lock(&w->c->lock);
    stats->lower_ns += w->lower_ns;
    stats->optimise_ns += w->optimise_ns;
    stats->generate_ns += w->generate_ns;
    stats->plain += w->plain_functions;
    wr_os_mutex_unlock(&w->c->lock);
}

static void work(void *context) {
    Worker w = {.c = context};
    u32 which;
    while (take_range(w.c, &which)) {
        Range range = w.c->ranges[which];
        if (!compile_range(&w, range, which == 0))
            fail(w.c, wr_error_at(WR_ERROR_MEMORY, NO_OFFSET, "the compiler failed"));
        report(w.c, range);
    }
    if (w.machine != NULL) LLVMDisposeTargetMachine(w.machine);
    if (w.plain != NULL) LLVMDisposeTargetMachine(w.plain);
    add_stats(&w);
}

static void work_on_all(Compilation *c, u32 threads) {
    OsThread *others[64];
    u32 n = 0;
    if (threads > c->nranges) threads = c->nranges;
    while (n + 1 < threads && n < ARRAY_LEN(others)) {
        others[n] = wr_os_thread_start(work, c);
        if (others[n] == NULL) break;
        n += 1;
    }
    work(c);
    c->stats.threads = n + 1;
    while (n > 0) wr_os_thread_join(others[--n]);
}

/* ---- all of it ---- */

/* Of Slice.functions[i]. */
static u64 body_size(const Compilation *c, u32 i) {
    const Code *code = wr_module_code(c->plan.module, c->slice.functions[i]);
    return (u64)(code->end - code->start);
}

/* Whether a function goes into the open range, which has so many bytes of code already. */
static bool belongs(const Range *range, u64 size, u64 body, Effort effort, u64 limit) {
    if (range->count == 0) return true;
    return effort == EFFORT_FULL && range->effort == EFFORT_FULL && size + body <= limit;
}

/* There is always one range, for the thunks' sake. */
static bool cut(Compilation *c, u32 threads) {
    const Module *m = c->plan.module;
    u64 total = 0, limit, size = 0;
    for (u32 i = 0; i < c->slice.nfunctions; i++) total += body_size(c, i);
    limit = total / ((u64)threads * UNITS_A_THREAD);
    limit = limit < UNIT_MIN ? UNIT_MIN : limit > UNIT_MAX ? UNIT_MAX : limit;
    c->ranges = wr_alloc_array(c->alloc, (size_t)m->ncodes + 1, sizeof *c->ranges);
    if (c->ranges == NULL) return false;
    c->nranges = 1;
    for (u32 i = 0; i < c->slice.nfunctions; i++) {
        Effort effort = (Effort)c->plan.efforts[c->slice.functions[i]];
        u64 body = body_size(c, i);
        if (!belongs(&c->ranges[c->nranges - 1], size, body, effort, limit)) {
            c->ranges[c->nranges++] = (Range){.first = i};
            size = 0;
        }
        size += body;
        c->ranges[c->nranges - 1].count += 1;
        c->ranges[c->nranges - 1].effort = effort;
    }
    return true;
}

static Error *link_objects(Compilation *c, u8 **bytes, size_t *size) {
    u64 start = wr_os_now();
    LinkPlan plan = {.module = c->plan.module,
                     .options = c->plan.options,
                     .triple = c->plan.triple,
                     .cpu = c->plan.cpu,
                     .features = c->plan.features,
                     .shapes = c->plan.shapes,
                     .nshapes = c->plan.nshapes,
                     .guarded_memories = c->plan.guarded_memories,
                     .left_out = c->left_out,
                     .is_slice = c->slice.nfunctions < c->plan.module->ncodes};
    Error *error = wr_aot_link(&plan, c->objects, c->nobjects, bytes, size);
    c->stats.link_ns = wr_os_now() - start;
    return error;
}

static Error *compile(Compilation *c, u8 **bytes, size_t *size) {
    const Module *m = c->plan.module;
    u32 threads = c->job->threads ? c->job->threads : wr_os_cpu_count();
    c->left_out = wr_alloc_array(c->alloc, (size_t)m->nfuncs + 1, sizeof *c->left_out);
    if (c->left_out == NULL || !wr_slice_choose(&c->slice, c->job) ||
        !wr_survey(&c->plan, c->slice.functions, c->slice.nfunctions, c->alloc) ||
        !wr_slice_find_loops(&c->slice, c->job, c->plan.has_tail) || !cut(c, threads))
        return ERROR_OOM;
    work_on_all(c, threads);
    if (c->error != NULL) return c->error;
    c->stats.functions = c->slice.nfunctions;
    c->stats.units = c->nranges;
    for (u32 i = 0; i < m->nfuncs; i++) c->stats.left_out += c->left_out[i];
    return link_objects(c, bytes, size);
}

static void clean_up(Compilation *c) {
    for (u32 i = 0; i < c->nobjects; i++)
        wr_free(c->alloc, (void *)(uintptr_t)c->objects[i].data, c->objects[i].size);
    wr_free(c->alloc, c->objects, c->cap_objects * sizeof *c->objects);
    wr_free(c->alloc, c->left_out, ((size_t)c->plan.module->nfuncs + 1) * sizeof *c->left_out);
    wr_free(c->alloc, c->ranges, ((size_t)c->plan.module->ncodes + 1) * sizeof *c->ranges);
    wr_slice_free(&c->slice, c->job);
    wr_os_mutex_destroy(&c->lock);
}

Error *wr_compile(const CompileJob *job, u8 **bytes, size_t *size, CompileStats *stats) {
    Compilation c = {.job = job, .alloc = &job->module->engine->alloc};
    u64 start = wr_os_now();
    initialize_targets();
    set_options();
    LLVMInstallFatalErrorHandler(fatal);
    wr_os_mutex_init(&c.lock);
    Error *error = wr_plan_make(&c.plan, job);
    if (error == NULL) error = compile(&c, bytes, size);
    clean_up(&c);
    wr_plan_free(&c.plan, c.alloc);
    c.stats.total_ns = wr_os_now() - start;
    *stats = c.stats;
    return error;
}
