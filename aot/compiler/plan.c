/* plan.c - see plan.h. */
#include "plan.h"

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "fixed.h"
#include "hints.h"
#include "slice.h"
#include "store.h"

/* ---- target ---- */

/* A copy from the engine's allocator: of the text, or of what LLVM says of this host. */
static char *settle(const Alloc *alloc, const char *given, char *(*of_host)(void), bool for_host) {
    char *made = (given == NULL || *given == 0) && for_host ? of_host() : NULL;
    const char *text = made ? made : given ? given : "";
    size_t size = strlen(text) + 1;
    char *copy = wr_alloc(alloc, size);
    if (copy != NULL) memcpy(copy, text, size);
    if (made != NULL) LLVMDisposeMessage(made);
    return copy;
}

/* The features for functions that preserve all registers: behind what such a function has restored, LLVM clears the upper
 * halves of x86's vector registers, as before any return. */
static char *preserving(const Alloc *alloc, const Plan *plan) {
    static const char none[] = "", no_clearing[] = ",-vzeroupper";
    const char *more = strncmp(plan->triple, "x86_64", 6) == 0 ? no_clearing : none;
    size_t size = strlen(plan->features), more_size = strlen(more) + 1;
    char *list = wr_alloc(alloc, size + more_size);
    if (list == NULL) return NULL;
    memcpy(list, plan->features, size);
    memcpy(list + size, more, more_size);
    return list;
}

/* What is not said is this host's: but CPU and features only if the triple is. */
static bool settle_target(Plan *plan, const CompileJob *job, const Alloc *alloc) {
    bool is_host = job->triple == NULL || *job->triple == 0;
    bool host_cpu = is_host && (job->cpu == NULL || *job->cpu == 0);
    plan->triple = settle(alloc, job->triple, LLVMGetDefaultTargetTriple, true);
    plan->cpu = settle(alloc, job->cpu, LLVMGetHostCPUName, is_host);
    plan->features = settle(alloc, job->features, LLVMGetHostCPUFeatures, host_cpu);
    if (plan->triple == NULL || plan->cpu == NULL || plan->features == NULL) return false;
    plan->preserving = preserving(alloc, plan);
    return plan->preserving != NULL;
}

/* ---- shapes ---- */

static char machine_letter(ValType type) {
    switch (type_kind(type)) {
    case VK_I64: return 'I';
    case VK_F32: return 'f';
    case VK_F64: return 'd';
    case VK_V128: return 'v';
    case VK_I32:
    case VK_REF:
    case VK_BOT:
    case VK_I8:
    case VK_I16: break;
    }
    return 'i';
}

static bool same_shape(const DefType *a, const DefType *b) {
    if (a->nparams != b->nparams || a->nresults != b->nresults) return false;
    for (u32 i = 0; i < a->nparams + a->nresults; i++)
        if (machine_letter(a->types[i]) != machine_letter(b->types[i])) return false;
    return true;
}

static u32 shape_hash(const DefType *type) {
    u32 hash = type->nparams * 31 + type->nresults;
    for (u32 i = 0; i < type->nparams + type->nresults; i++)
        hash = hash * 33 + (u8)machine_letter(type->types[i]);
    return hash * 0x9E3779B1u;
}

/* `slots` is a hash table of shapes + 1, twice as large as there are types. */
static void number_shapes(Plan *plan, u32 *slots, u32 mask) {
    const Module *m = plan->module;
    for (u32 i = 0; i < m->ntypes; i++) {
        plan->shapes[i] = NONE_U32;
        if (m->types[i]->comp != COMP_FUNC) continue;
        u32 at = shape_hash(m->types[i]) & mask;
        while (slots[at] != 0 && !same_shape(plan->shape_types[slots[at] - 1], m->types[i]))
            at = (at + 1) & mask;
        if (slots[at] == 0) {
            plan->shape_types[plan->nshapes++] = m->types[i];
            slots[at] = plan->nshapes;
        }
        plan->shapes[i] = slots[at] - 1;
    }
}

static bool make_shapes(Plan *plan, const Alloc *alloc) {
    u32 n = plan->module->ntypes, size = 2;
    while (size < n * 2) size *= 2;
    u32 *slots = wr_alloc_array(alloc, size, sizeof *slots);
    plan->shapes = wr_alloc_array(alloc, (size_t)n + 1, sizeof *plan->shapes);
    plan->shape_types = wr_alloc_array(alloc, (size_t)n + 1, sizeof *plan->shape_types);
    bool ok = slots != NULL && plan->shapes != NULL && plan->shape_types != NULL;
    if (ok) number_shapes(plan, slots, size - 1);
    wr_free(alloc, slots, size * sizeof *slots);
    return ok;
}

/* ---- memories ---- */

static u64 find_guarded(const Module *m) {
    u64 set = 0;
    for (u32 i = 0; i < m->nmemories && i < 64; i++)
        if (!m->memories[i].limits.is_64 && m->memories[i].page_size_log2 == 16) set |= (u64)1 << i;
    return set;
}

/* An array of a table's functions would need stubs for all that are not in a slice. */
Error *wr_plan_make(Plan *plan, const CompileJob *job) {
    const Alloc *alloc = &job->module->engine->alloc;
    plan->module = job->module;
    plan->options = job->options;
    plan->is_hasty = job->nfunctions > 0 && native_is_hasty(&job->options);
    if (!settle_target(plan, job, alloc) || !make_shapes(plan, alloc) ||
        !wr_hints_read(plan, alloc) ||
        !wr_fixed_find(plan, plan->is_hasty || !wr_slice_is_whole(job), alloc))
        return ERROR_OOM;
    if (plan->options.guarded) plan->guarded_memories = find_guarded(job->module);
    return NULL;
}

static void free_text(const Alloc *alloc, const char *text) {
    if (text != NULL) wr_free(alloc, (void *)(uintptr_t)text, strlen(text) + 1);
}

void wr_plan_free(Plan *plan, const Alloc *alloc) {
    if (plan->module == NULL) return;
    free_text(alloc, plan->triple);
    free_text(alloc, plan->cpu);
    free_text(alloc, plan->features);
    free_text(alloc, plan->preserving);
    size_t ntypes = (size_t)plan->module->ntypes + 1, nfuncs = (size_t)plan->module->nfuncs + 1;
    wr_fixed_free(plan, alloc);
    wr_hints_free(plan, alloc);
    wr_free(alloc, plan->shapes, ntypes * sizeof *plan->shapes);
    wr_free(alloc, (void *)(uintptr_t)plan->shape_types, ntypes * sizeof *plan->shape_types);
    wr_free(alloc, plan->has_tail, nfuncs * sizeof *plan->has_tail);
    wr_free(alloc, plan->efforts, nfuncs * sizeof *plan->efforts);
}
