/*
 * native.c - running compiled code: what a store has for it (Native), the functions of instances that are compiled,
 * calls into it from C, how they end, and faults in it. What is called from compiled code is helpers.c's, and the
 * step from one stack to the other switch.h's.
 *
 * The interpreter calls compiled functions as it calls host functions, and compiled code calls interpreted and
 * host functions by wr_native_exit(); so a call between the engines is one more activation on the host stack, of
 * which there may be MAX_NESTING. Errors and exceptions pass as Error from one to the next, and each
 * adds its frames. A call pauses if all compiled code of the store is migratable: each activation that it is in writes
 * its frames down then (frames.h); if some is not, all is interpreted from such a call on.
 */
#include "heap.h"
#include "meter.h"
#include "raise.h"
#include "sites.h"
#include "spill.h"
#include "stacks.h"
#include "stop.h"
#include "switch.h"

/* What an activation needs at least, so that its entry does not fault. */
#define LEAST_STACK 4096u

_Static_assert(offsetof(struct wr_instance, native) == INSTANCE_NATIVE, "switch.h");
_Static_assert(offsetof(Native, interrupt) == NATIVE_INTERRUPT, "switch.h");
_Static_assert(offsetof(Native, host_sp) == NATIVE_HOST_SP, "switch.h");
_Static_assert(offsetof(Native, exit) == NATIVE_EXIT, "switch.h");
_Static_assert(offsetof(Native, trap_code) == NATIVE_TRAP_CODE, "switch.h");
_Static_assert(offsetof(Native, trap_offset) == NATIVE_TRAP_OFFSET, "switch.h");
_Static_assert(offsetof(Native, thrown) == NATIVE_THROWN, "switch.h");
_Static_assert(offsetof(Native, left.pc) == NATIVE_LEFT_PC, "switch.h");
_Static_assert(offsetof(Native, left.sp) == NATIVE_LEFT_SP, "switch.h");
_Static_assert(offsetof(Native, left.saved) == NATIVE_LEFT_SAVED, "switch.h");

/* Of the innermost activation of compiled code in this thread. */
static _Thread_local Native *thread_native;

/* ---- stacks --------------------------------------------------------------------------------- */

static bool in_guard(const Native *n, const u8 *address) {
    return address >= n->stack->map && address < n->stack->map + STACK_GUARD;
}

/* Where frames can be. */
static u64 stack_low(const Native *n) { return (u64)(uintptr_t)n->stack->map + STACK_GUARD; }
static u64 stack_top(const Native *n) { return (u64)(uintptr_t)n->stack; }

static bool on_stack(const Native *n, u64 sp) {
    return sp >= stack_low(n) - STACK_GUARD && sp <= stack_top(n);
}

/* ---- faults --------------------------------------------------------------------------------- */

static bool in_guarded_memory(const Store *store, const u8 *address) {
    for (u32 i = 0; i < store->nmemories; i++) {
        const Memory *m = store->memories[i];
        if (m->is_guarded && address >= m->base && address < m->base + m->reserved) return true;
    }
    return false;
}

static void take_registers(NativeRegisters *to, const OsRegisters *from) {
#if defined(__aarch64__)
    static const u8 saved[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30};
#else
    static const u8 saved[] = {3, 6, 12, 13, 14, 15};
#endif
    *to = (NativeRegisters){.pc = from->pc, .sp = from->sp};
    for (size_t i = 0; i < ARRAY_LEN(saved); i++) to->saved[i] = from->general[saved[i]];
}

/* The fault was in a library function that compiled code called: its frame is not known, but it is small, and ends
 * with the address to which it returns. */
static void find_caller(Native *n) {
    u64 at = (n->left.sp + 7) & ~(u64)7, low = stack_low(n);
    if (at < low) at = low;
    for (; at < n->activation->top; at += 8) {
        u64 pc;
        memcpy(&pc, (const void *)(uintptr_t)at, sizeof pc);
        if (wr_artifact_at((const void *)(uintptr_t)pc) == NULL) continue;
        n->left.pc = pc;
        n->left.sp = at + 8;
        n->left.is_call = true;
        return;
    }
}

/* In the signal handler: an access outside of a guarded memory, or no stack left, ends the activation. Nothing but
 * compiled code and the library functions that it calls runs on a native stack. */
static bool on_fault(const OsFault *fault) {
    Native *n = thread_native;
    if (n == NULL || !wr_os_fault_registers(fault, &n->fault)) return false;
    if (n->stack == NULL || !on_stack(n, n->fault.sp)) return false;
    if (in_guard(n, fault->address))
        n->trap_code = WR_TRAP_STACK_EXHAUSTED;
    else if (in_guarded_memory(n->store, fault->address))
        n->trap_code = WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    else
        return false;
    take_registers(&n->left, &n->fault);
    if (wr_artifact_at((const void *)(uintptr_t)n->fault.pc) == NULL) find_caller(n);
    wr_os_fault_go_on(fault, wr_switch_leave, (u64)(uintptr_t)n, LEFT_FAULTED);
    return true;
}

/* In the signal handler of a thread that is to stop. Where it is not in compiled code it is outside, or about to be, or
 * will be in again: then the signal comes once more. */
bool wr_native_on_stop(const OsFault *place) {
    Native *n = thread_native;
    OsRegisters at;
    if (n == NULL || !wr_os_fault_registers(place, &at)) return true;
    u32 interrupt = atomic_load(&n->store->interrupt);
    if (!(interrupt & POLL_THREAD) || store_stop(n->store, interrupt) == WR_TRAP_NONE) return true;
    wr_trap_code_t code = wr_native_must_stop(n, (const void *)(uintptr_t)at.pc);
    if (code == WR_TRAP_NONE || n->stack == NULL || !on_stack(n, at.sp)) return false;
    n->trap_code = code;
    n->fault = at;
    take_registers(&n->left, &at);
    wr_os_fault_go_on(place, wr_switch_leave, (u64)(uintptr_t)n, LEFT_FAULTED);
    return true;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static Error *prepare(Native *n) {
    Store *store = n->store;
    if (store->nesting >= MAX_NESTING) return wr_error_trap(WR_TRAP_STACK_EXHAUSTED);
    if (!wr_os_fault_thread()) return ERROR_OOM;
    if (n->stack == NULL) n->stack = wr_native_take_stack(store->engine, n->engine);
    if (n->stack == NULL) return ERROR_OOM;
    return !n->needs_heap || wr_heap_make(store) ? NULL : ERROR_OOM;
}

/* Field by field: the trail is large. It goes on below the frames of the activation around it, which is in a helper. False: there is no room. */
static bool begin(Native *n, NativeActivation *a, Instance *instance) {
    u64 top = n->exit != NULL ? n->exit->sp : stack_top(n);
    a->outer = n->activation;
    a->outer_exit = n->exit;
    a->thread_outer = thread_native;
    a->instance = instance;
    a->low = stack_low(n);
    a->top = top & ~(u64)15;
    a->trail.count = 0;
    a->carried = NULL;
    if (a->top < a->low + LEAST_STACK) return false;
    n->activation = a;
    n->exit = NULL;
    n->store->nesting += 1;
    thread_native = n;
    wr_native_meter_begin(n, a);
    return true;
}

static void end(Native *n, const NativeActivation *a) {
    wr_native_meter_stop(n);
    wr_native_go_out(n);
    if (UNLIKELY(a->carried != NULL)) wr_error_delete(a->carried);
    thread_native = a->thread_outer;
    n->store->nesting -= 1;
    n->exit = a->outer_exit;
    n->activation = a->outer;
    /* there may be a hundred thousand such stores, and few of them busy */
    if (n->store->kit != NULL && a->outer == NULL) {
        wr_native_return_stack(n->engine, n->stack);
        n->stack = NULL;
    }
}

static wr_trap_code_t why_no_callee(const Native *n) {
    const Table *table = n->caller->tables[n->trap_table];
    if (n->trap_element >= table->size) return WR_TRAP_UNDEFINED_ELEMENT;
    return table->elems[n->trap_element] == 0 ? WR_TRAP_UNINITIALIZED_ELEMENT
                                              : WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH;
}

#define DEEPER (16u << 10) /* bytes below the frames, where calls were that have returned */

/* What its frames and those before them have left there would be taken for references by calls that do not
 * write all of their frames: a full heap would stay full. */
static void forget_frames(const Native *n) {
    const NativeActivation *a = n->activation;
    u64 from = n->left.sp - a->low > DEEPER ? n->left.sp - DEEPER : a->low;
    if (from < a->top) memset((void *)(uintptr_t)from, 0, (size_t)(a->top - from));
}

static Error *ended_by_trap(Native *n, u32 offset) {
    if (n->trap_code == TRAP_NO_CALLEE) n->trap_code = why_no_callee(n);
    Error *error = wr_store_trap(n->store, (wr_trap_code_t)n->trap_code, n->trap_element);
    wr_native_meter_settle(n, offset);
    wr_native_backtrace(n, n->activation, offset, false, error);
    if (n->trap_code == WR_TRAP_ALLOCATION_FAILURE) forget_frames(n);
    return error;
}

/* Whether the exception goes on from a landing pad that did not take it; if not, what is known of an earlier one
 * is forgotten. */
static bool goes_on(Native *n, NativeActivation *a, u32 offset) {
    if (n->left.is_call && offset == 0 && a->trail.count > 0) return true;
    a->trail.count = 0;
    a->thrown_at = offset;
    wr_error_delete(a->carried);
    a->carried = NULL;
    return false;
}

u64 wr_native_find_pad(Native *n) {
    n->left.is_call = true;
    (void)goes_on(n, n->activation, n->trap_offset);
    return wr_native_find_landing(n, n->activation) ? (u64)LAND_EXCEPTION << 32 | n->thrown : 0;
}

/* `error` is what the exception came with, or NULL. */
static Error *unwind(Native *n, u32 exception, Error *error, bool on, u32 *how) {
    NativeActivation *a = n->activation;
    if (wr_native_find_landing(n, a)) {
        a->carried = error;
        *how = wr_switch_land(n, (u64)LAND_EXCEPTION << 32 | exception);
        return NULL;
    }
    a->carried = NULL;
    if (error == NULL) error = wr_error_exception(n->store, exception);
    wr_native_backtrace(n, a, n->trap_offset, on, error);
    return error;
}

static Error *raise(Native *n, u32 *how) {
    Error *error = n->pending;
    n->pending = NULL;
    if (error == ERROR_PAUSED) return error;
    u32 exception = wr_error_exception_ref(error, n->store);
    if (exception != 0) {
        n->activation->trail.count = 0; /* it does not go on */
        (void)goes_on(n, n->activation, n->trap_offset);
        return unwind(n, exception, error, false, how);
    }
    wr_native_backtrace(n, n->activation, n->trap_offset, false, error);
    return error;
}

/* Until the call has returned, or ended otherwise. */
static Error *finish(Native *n, u32 how) {
    NativeActivation *a = n->activation;
    for (;;) {
        Error *error = NULL;
        n->left.is_call = how != LEFT_FAULTED || n->left.is_call;
        switch (how) {
        case LEFT_RETURNED: return NULL;
        case LEFT_TRAPPED: return ended_by_trap(n, n->trap_offset);
        case LEFT_FAULTED: return ended_by_trap(n, 0);
        case LEFT_RAISED: error = raise(n, &how); break;
        default: {
            bool on = goes_on(n, a, n->trap_offset);
            error = unwind(n, n->thrown, a->carried, on, &how);
        }
        }
        if (error != NULL) return error;
    }
}

/* Whether some code would not stop when it has to. */
static bool would_run_on(Native *n) {
    const Store *store = n->store;
    return (n->no_polls && store_stops(store) && !wr_native_can_stop(n)) ||
           (n->no_fuel && store->fuel_on);
}

/* All functions of the store are interpreted from now on. */
static void detach(Native *n) {
    n->is_off = true;
    for (Instance *i = n->store->instances; i != NULL; i = i->next) {
        for (u32 k = 0; k < i->module->ncodes; k++) {
            Func *func = &i->own_funcs[k];
            wr_func_interpret(func, i);
            func->native_code = func->native_tail = func->native_entry = NULL;
            func->native_context = n;
        }
    }
}

/* What compiled code has begun is written down, and interpreted from here on, unless the call pauses. */
static Error *go_on_elsewhere(Native *n, NativeActivation *a, Slot *slots) {
    Store *store = n->store;
    wr_native_spill_frames(n, a);
    end(n, a);
    if (store->written.reason != WR_TRAP_NONE) return ERROR_PAUSED;
    return store->engine->executor->go_on(store, slots);
}

static bool can_pause(const Store *store) {
    Native *n = store->native;
    return n->is_off || !(n->no_spills || would_run_on(n));
}

/* What has been asked before is not waited for a signal with. */
static Error *come_in(Native *n) {
    Error *error = wr_native_come_in(n);
    u32 interrupt = atomic_load_explicit(&n->store->interrupt, memory_order_relaxed);
    if (LIKELY(error != NULL || !(interrupt & POLL_THREAD))) return error;
    wr_trap_code_t code = store_stop(n->store, interrupt);
    return code != WR_TRAP_NONE ? wr_error_trap(code) : NULL;
}

/* An activation: calls `entry`, an entry thunk or the like. */
static Error *run(Native *n, const void *entry, Instance *instance, const void *code, Slot *slots) {
    Error *error = prepare(n);
    if (error != NULL) return error;
    NativeActivation a;
    if (!begin(n, &a, instance)) return wr_error_trap(WR_TRAP_STACK_EXHAUSTED);
    error = come_in(n);
    if (UNLIKELY(error != NULL)) {
        end(n, &a);
        return error;
    }
    u32 how = wr_switch_enter(n, entry, instance, code, slots, (void *)(uintptr_t)a.top);
    if (how != LEFT_RETURNED) error = finish(n, how);
    if (UNLIKELY(error == ERROR_PAUSED)) return go_on_elsewhere(n, &a, slots);
    end(n, &a);
    return error;
}

static void detach_store(Store *store) {
    if (store->native->activation == NULL) detach(store->native);
}

static Error *call(Store *store, Func *func, Slot *slots) {
    Native *n = store->native;
    if (UNLIKELY(would_run_on(n)) && n->activation == NULL) {
        detach(n);
        return store->engine->executor->call(store, func, slots);
    }
    return run(n, func->native_entry, func->native_context, func->native_code, slots);
}

static Error *enter(Store *store, Instance *instance, const void *code, Slot *slots) {
    return run(store->native, code, instance, NULL, slots);
}

/* ---- references in frames ------------------------------------------------------------------- */

typedef struct Scan {
    const Heap *heap;
    void (*visit)(void *context, u64 ref);
    void *context;
} Scan;

/* Eight bytes that may be anything: two references, or the place of a field, as an address or an offset. */
static void scan_word(const Scan *s, u64 word) {
    u64 inside = word - (u64)(uintptr_t)s->heap->base, low = word & UINT32_MAX, high = word >> 32;
    u32 ref = wr_heap_find(s->heap, high == 0 ? low : inside);
    if (ref != 0) s->visit(s->context, ref);
    if (wr_heap_has(s->heap, low)) s->visit(s->context, low);
    if (wr_heap_has(s->heap, high)) s->visit(s->context, high);
}

static void scan_words(const Scan *s, u64 from, u64 end) {
    for (u64 at = (from + 7) & ~(u64)7; at + 8 <= end; at += 8) {
        u64 word;
        memcpy(&word, (const void *)(uintptr_t)at, sizeof word);
        scan_word(s, word);
    }
}

/* Conservatively: compiled frames do not say where their references are. All activations are in helpers. */
static void visit_roots(Store *store, void (*visit)(void *context, u64 ref), void *context) {
    const Native *n = store->native;
    if (store->heap == &wr_heap_none) return;
    Scan s = {store->heap, visit, context};
    const NativeExit *out = n->exit;
    for (const NativeActivation *a = n->activation; a != NULL; a = a->outer) {
        for (size_t i = 0; out != NULL && i < ARRAY_LEN(out->saved); i++)
            scan_word(&s, out->saved[i]);
        if (out != NULL) scan_words(&s, out->sp, a->top);
        out = a->outer_exit;
    }
    for (u32 i = 0; i < n->nrooted && i < NATIVE_VALUES; i++) scan_word(&s, n->values[i].u64);
}

/* ---- stores and instances ------------------------------------------------------------------- */

/* Functions that have no code lead to it: exit thunks know nothing else. */
static Native *native_of(Store *store) {
    if (store->native != NULL) return store->native;
    NativeEngine *engine = wr_native_engine(store->engine);
    Native *n = engine != NULL ? wr_alloc_zero(&store->alloc, sizeof *n) : NULL;
    if (n == NULL) return NULL;
    n->engine = engine;
    memcpy(n->helpers, wr_switch_helpers, sizeof n->helpers);
    n->store = store;
    n->interrupt = &store->interrupt;
    store->native = n;
    store->native_ops = &wr_native_ops;
    for (u32 i = 1; i < store->nfuncs; i++) store->funcs[i]->native_context = n;
    wr_native_spill_prepare(n);
    return n;
}

/* ---- hasty code: where it is, and having it look --- */

static void enlist(Native *n) {
    if (n->is_hasty) return;
    n->is_hasty = true;
    wr_os_mutex_lock(&n->engine->hasty_lock);
    n->next_hasty = n->engine->hasty;
    n->engine->hasty = n;
    wr_os_mutex_unlock(&n->engine->hasty_lock);
    wr_store_raise(n->store, POLL_SPILL); /* there may have been an alarm */
    n->store->engine->tier_ops->warm(n->store->engine);
}

static void strike_off(Native *n) {
    if (!n->is_hasty) return;
    wr_os_mutex_lock(&n->engine->hasty_lock);
    Native **place = &n->engine->hasty;
    while (*place != n) place = &(*place)->next_hasty;
    *place = n->next_hasty;
    wr_os_mutex_unlock(&n->engine->hasty_lock);
}

void wr_native_ask(Engine *engine) {
    NativeEngine *native = wr_native_engine(engine);
    if (native == NULL) return;
    wr_os_mutex_lock(&native->hasty_lock);
    for (const Native *n = native->hasty; n != NULL; n = n->next_hasty)
        wr_store_raise(n->store, POLL_SPILL);
    wr_os_mutex_unlock(&native->hasty_lock);
}

bool wr_native_is_hasty(const Func *func) {
    const Artifact *artifact = func->native_code ? wr_artifact_at(func->native_code) : NULL;
    return artifact == NULL || native_is_hasty(wr_artifact_options(artifact));
}

static void store_free(Store *store) {
    Native *n = store->native;
    strike_off(n);
    if (n->stack != NULL) wr_native_return_stack(n->engine, n->stack);
    wr_native_free_sites(n);
    wr_free(&store->alloc, n, sizeof *n);
    store->native = NULL;
}

/* Code that relies on the guard of a memory must not run with another. */
static bool memories_fit(const Instance *i, const Artifact *artifact) {
    u64 guarded = wr_artifact_guarded_memories(artifact);
    for (u32 k = 0; k < i->module->nmemories && k < 64; k++)
        if (guarded >> k & 1 && !i->memories[k]->is_guarded) return false;
    return true;
}

static bool uses_heap(const Module *m) {
    for (u32 i = 0; i < m->ntypes; i++)
        if (m->types[i]->comp != COMP_FUNC) return true;
    return m->ntags > 0;
}

static void compile_func(Instance *i, Func *func, const Artifact *artifact) {
    const void *code = wr_artifact_code(artifact, func->index);
    const void *entry = wr_artifact_entry(artifact, func->index);
    if (code == NULL || entry == NULL) return;
    if (func->native_entry != NULL &&
        (native_is_hasty(wr_artifact_options(artifact)) || !wr_native_is_hasty(func)))
        return;
    func->home = NULL;
    func->native_code = code;
    func->native_tail = wr_artifact_tail_code(artifact, func->index);
    func->native_entry = entry;
    func->native_context = i;
}

static void attach_artifact(Instance *i, const Artifact *artifact) {
    Native *n = i->native;
    n->no_polls = n->no_polls || !wr_artifact_polls(artifact);
    n->no_fuel = n->no_fuel || !wr_artifact_counts_fuel(artifact);
    n->no_spills = n->no_spills || !wr_artifact_options(artifact)->migratable;
    if (native_is_hasty(wr_artifact_options(artifact)) && i->store->engine->tier != NULL) enlist(n);
    for (u32 k = 0; k < i->module->ncodes; k++) compile_func(i, &i->own_funcs[k], artifact);
}

/* False when out of memory. */
static bool prepare_instance(Instance *i) {
    if (i->native != NULL) return true;
    Native *n = native_of(i->store);
    if (n == NULL) return false;
    i->native = n;
    n->needs_heap = n->needs_heap || uses_heap(i->module);
    return true;
}

static bool attach(Instance *i) {
    Artifact *newest = atomic_load_explicit(&i->module->artifact, memory_order_acquire);
    if (newest == i->attached || !wr_switch_supported()) return true;
    if (i->store->engine->config.tracer != NULL) return true; /* it is interpreted */
    if (i->store->native != NULL && i->store->native->is_off) return true;
    if (!memories_fit(i, newest) || !wr_os_fault_install(on_fault)) {
        i->attached = newest; /* not again */
        return true;
    }
    if (!prepare_instance(i)) return false;
    for (const Artifact *a = newest; a != i->attached; a = wr_artifact_older(a))
        attach_artifact(i, a);
    i->attached = newest;
    return true;
}

/* ---- functions that are compiled while they run --------------------------------------------- */

typedef struct Seats {
    const Instance *instance;
    const Artifact *until; /* code of the artifacts that are newer than this one */
    bool failed;
} Seats;

static bool is_in(const Artifact *newest, const Artifact *until, u32 func_index) {
    for (const Artifact *a = newest; a != until; a = wr_artifact_older(a))
        if (wr_artifact_code(a, func_index) != NULL) return true;
    return false;
}

/* For frames that will be reseated. */
static void make_seat(void *context, const Func *func, const u8 *pc, Slot *fp, Slot *end) {
    Seats *s = context;
    const Instance *i = s->instance;
    (void)pc, (void)fp, (void)end;
    if (s->failed || func->home == NULL || func->home->instance != i) return;
    Func *own = &i->own_funcs[func->index - i->module->nimported_funcs];
    if (own != func || own->interpreted != NULL) return;
    if (!is_in(atomic_load(&i->module->artifact), s->until, func->index)) return;
    s->failed = wr_func_interpreted(own) == NULL;
}

void wr_native_attach_running(Instance *i) {
    const Executor *executor = i->store->engine->executor;
    Seats seats = {i, i->attached, false};
    if (i->store->fuel_on) return;
    executor->each_frame(i->store, make_seat, &seats);
    if (!seats.failed && attach(i)) executor->reseat(i->store);
}

const NativeOps wr_native_ops = {
    .attach = attach,
    .call = call,
    .enter = enter,
    .detach = detach_store,
    .can_pause = can_pause,
    .visit_roots = visit_roots,
    .store_free = store_free,
};
