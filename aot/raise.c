/* raise.c - see raise.h. */
#include "raise.h"

#include "sites.h"

#include "lazy_bodies.h"

/* ---- frames --------------------------------------------------------------------------------- */

#define FRAME_POINTER_X86 1u
#define FRAME_POINTER_ARM 10u
#define LINK_REGISTER_ARM 11u

#if defined(__aarch64__)
#define FRAME_POINTER FRAME_POINTER_ARM
#else
#define FRAME_POINTER FRAME_POINTER_X86
#endif

/* An address that the artifact's tables may speak of: inside of the instruction. */
static const u8 *place_of(const NativeRegisters *at) {
    return (const u8 *)(uintptr_t)at->pc - at->is_call;
}

static bool read_stack(const NativeActivation *a, u64 address, u64 *value) {
    if (address < a->low || address > a->top - sizeof *value || address & 7) return false;
    memcpy(value, (const void *)(uintptr_t)address, sizeof *value);
    return true;
}

/* What the canonical frame address is counted from. Other registers are known where a fault was. */
static bool find_base(const Native *native, const UnwindRule *rule, const NativeRegisters *at,
                      u64 *base) {
    u32 other = rule->cfa_register - UNWIND_OTHER;
    if (rule->cfa_register == UNWIND_SP)
        *base = at->sp;
    else if (rule->cfa_register == UNWIND_FP)
        *base = at->saved[FRAME_POINTER];
    else if (!at->is_call && other < OS_REGISTERS)
        *base = native->fault.general[other];
    else
        return false;
    return true;
}

static bool find_return(const NativeActivation *a, NativeRegisters *next) {
#if defined(__aarch64__)
    (void)a;
    next->pc = next->saved[LINK_REGISTER_ARM];
    return true;
#else
    return read_stack(a, next->sp - 8, &next->pc);
#endif
}

/* Goes to the caller of the frame at *at, by the rule for it. After a failure *at is no place. */
static bool unwind(const Native *native, const NativeActivation *a, const UnwindRule *rule,
                   NativeRegisters *at) {
    u64 base, pc = at->pc, sp = at->sp;
    if (!find_base(native, rule, at, &base)) return false;
    at->sp = base + (u64)(i64)rule->cfa_offset;
    at->is_call = true;
    if (at->sp < sp || at->sp > a->top) return false;
    for (u32 i = 0, saved = rule->saved; saved != 0 && i < UNWIND_REGISTERS; i++, saved >>= 1)
        if (saved & 1 && !read_stack(a, at->sp + (u64)(i64)rule->saved_at[i], &at->saved[i]))
            return false;
    return find_return(a, at) && (at->sp != sp || at->pc != pc);
}

bool wr_native_step(const Native *native, const NativeActivation *a, NativeRegisters *at) {
    const u8 *place = place_of(at);
    const Artifact *artifact = wr_artifact_at(place);
    UnwindRule rule;
    return artifact != NULL && wr_artifact_unwind(artifact, place, &rule) &&
           unwind(native, a, &rule, at);
}

static void add_to_trail(NativeTrail *t, const u8 *place) {
    if (t->count < TRAIL_END)
        t->first[t->count] = place;
    else
        t->last[t->count % TRAIL_END] = place;
    t->count++;
}

/* Adds what another one has, but for the first one or none. */
static void add_trail_to(NativeTrail *to, const NativeTrail *from, u64 skipped) {
    u64 first = min_u64(from->count, TRAIL_END), last = min_u64(from->count - first, TRAIL_END);
    for (u64 i = skipped; i < first; i++) add_to_trail(to, from->first[i]);
    to->count += from->count - first - last;
    for (u64 i = from->count - last; i < from->count; i++)
        add_to_trail(to, from->last[i % TRAIL_END]);
}

/* A walk from call to call. The registers' values are not copied at each frame: where they lie is enough until it ends. */
typedef struct Walk {
    const Native *native;
    const NativeActivation *activation;
    const NativeSite *site; /* of the call that the walk has come to */
    u64 pc, sp;
    u64 from[NATIVE_SAVED]; /* addresses: on the stack, or in `at`, or in Native.left */
    NativeRegisters at;     /* behind a frame that is not plain */
} Walk;

static void begin_walk(Walk *w, const Native *native, const NativeActivation *a) {
    w->native = native;
    w->activation = a;
    w->pc = native->left.pc;
    w->sp = native->left.sp;
    for (u32 i = 0; i < NATIVE_SAVED; i++) w->from[i] = (u64)(uintptr_t)&native->left.saved[i];
}

/* Out of all frames that are plain and take no exceptions, to one that is not: puts them, and that one, on the trail. Of
 * what is read only the frames' ends have to be looked at. */
static bool pass_frames(Walk *w, NativeSiteView sites, NativeTrail *trail) {
    u64 from[NATIVE_SAVED], pc = w->pc, sp = w->sp, top = w->activation->top;
    const NativeSite *site;
    memcpy(from, w->from, sizeof from);
    for (;;) {
        site = native_site_on_path(sites, pc, trail->count);
        add_to_trail(trail, (const u8 *)(uintptr_t)pc - 1);
        if (!site->is_passed) break;
        u64 end = sp + site->frame;
        if (UNLIKELY(end > top)) return false;
        for (u32 i = 0; i < NATIVE_SAVED; i++)
            from[i] = (from[i] & site->keep[i]) + (end & ~site->keep[i]) + site->at[i];
#if defined(__aarch64__)
        memcpy(&pc, (const void *)(uintptr_t)from[LINK_REGISTER_ARM], sizeof pc);
#else
        memcpy(&pc, (const void *)(uintptr_t)(end - sizeof pc), sizeof pc);
#endif
        sp = end;
    }
    memcpy(w->from, from, sizeof from);
    w->site = site;
    w->pc = pc;
    w->sp = sp;
    return true;
}

/* One by one: they were stored so, and wider loads would wait. */
static void read_registers(const Walk *w, u64 *saved) {
    for (u32 i = 0; i < NATIVE_SAVED; i++)
        memcpy(&saved[i], (const void *)(uintptr_t)w->from[i], sizeof saved[i]);
}

static bool go_out(Walk *w) {
    NativeRegisters at = {.pc = w->pc, .sp = w->sp, .is_call = true};
    read_registers(w, at.saved);
    if (!w->site->has_rule || !unwind(w->native, w->activation, &w->site->rule, &at)) return false;
    w->at = at;
    w->pc = at.pc;
    w->sp = at.sp;
    for (u32 i = 0; i < NATIVE_SAVED; i++) w->from[i] = (u64)(uintptr_t)&w->at.saved[i];
    return true;
}

static bool land(Native *native, const Walk *w) {
    u64 saved[NATIVE_SAVED], sp = w->sp + (u64)(i64)w->site->adjust;
    if (sp < w->activation->low || sp >= w->activation->top) return false;
    read_registers(w, saved); /* some lie in Native.left */
    memcpy(native->left.saved, saved, sizeof saved);
    native->left.pc = (u64)(uintptr_t)w->site->pad;
    native->left.sp = sp;
    return true;
}

/* To the call that takes exceptions. */
static bool walk_to_landing(Walk *w, NativeSiteView sites, NativeTrail *trail) {
    while (pass_frames(w, sites, trail)) {
        if (w->site->takes_exceptions) return true;
        if (!go_out(w)) return false;
    }
    return false;
}

bool wr_native_find_landing(Native *native, NativeActivation *a) {
    Walk w;
    NativeTrail trail;
    NativeSpareSite spare;
    bool known = a->trail.count > 0; /* it throws what came to its pad, which is on the trail */
    if (native->left.sp < a->low) return false;
    begin_walk(&w, native, a);
    trail.count = 0;
    if (!walk_to_landing(&w, wr_native_sites(native, &spare), &trail) || !land(native, &w))
        return false;
    add_trail_to(&a->trail, &trail, known);
    return true;
}

/* ---- backtraces ----------------------------------------------------------------------------- */

typedef struct TraceFrame {
    Instance *instance;
    NativePlace place;
} TraceFrame;

/* The first frames go to the error at once, of the others the last ones are kept. */
typedef struct Trace {
    Error *error;
    u64 count;
    TraceFrame last[BACKTRACE_END];
} Trace;

static void add(Trace *t, const TraceFrame *frame) {
    if (t->count++ < BACKTRACE_END)
        wr_error_add_frame(t->error, frame->instance, frame->place.func_index, frame->place.offset);
    else
        t->last[(t->count - 1) % BACKTRACE_END] = *frame;
}

static void finish(Trace *t) {
    if (t->count <= BACKTRACE_END) return;
    u64 kept = min_u64(t->count - BACKTRACE_END, BACKTRACE_END);
    if (t->count > 2 * BACKTRACE_END)
        wr_error_skip_frames(t->error, (size_t)(t->count - 2 * BACKTRACE_END));
    for (u64 i = t->count - kept; i < t->count; i++) {
        const TraceFrame *frame = &t->last[i % BACKTRACE_END];
        wr_error_add_frame(t->error, frame->instance, frame->place.func_index, frame->place.offset);
    }
}

/* Frames do not say which instance they belong to. If several have the same code: the one that was called, or
 * any. */
static Instance *instance_of(const Native *native, const NativeActivation *a,
                             const Artifact *artifact) {
    const Module *module = wr_artifact_made_from(artifact);
    if (a->instance->module == module) return a->instance;
    for (Instance *i = native->store->instances; i != NULL; i = i->next)
        if (i->module == module && i->native == native) return i;
    return NULL;
}

#define PLACES_MAX 64u /* functions inlined into each other */

/* The places of one frame, remembered: in a recursion the next frame's are the same. */
typedef struct FramePlaces {
    const u8 *pc;
    Instance *instance;
    u32 count;
    bool trapped; /* the innermost function has itself; else it has called another */
    NativePlace places[PLACES_MAX];
} FramePlaces;

/* Code that belongs to no instruction has the offset before it, perhaps of a function that is inlined there. Nothing
 * traps in it, but calls are stopped there, too: of the function no more is known than that it has begun. */
static void check_innermost(FramePlaces *f) {
    const Module *m = f->instance->module;
    NativePlace *place = &f->places[0];
    if (f->count == 0) return;
    u64 start = wr_body_start(m, place->func_index);
    if (place->offset < start || wr_module_func_at(m, place->offset) != place->func_index)
        place->offset = start;
}

static void find_places(const Native *native, const NativeActivation *a, const u8 *pc,
                        FramePlaces *f) {
    if (f->pc == pc) return;
    const Artifact *artifact = wr_artifact_at(pc);
    f->pc = pc;
    f->count = 0;
    f->instance = artifact ? instance_of(native, a, artifact) : NULL;
    if (f->instance == NULL) return;
    f->count = wr_artifact_places(artifact, pc, f->places, PLACES_MAX);
    if (f->count > PLACES_MAX) f->count = PLACES_MAX;
    check_innermost(f);
}

/* Calls that trap may have been merged, which confuses the line table; what they are called with is right. */
static void correct_innermost(FramePlaces *f, u32 offset) {
    if (f->instance == NULL || offset == 0) return;
    u32 func_index = wr_module_func_at(f->instance->module, offset);
    if (func_index == NONE_U32) return;
    if (f->count == 0) f->count = 1;
    f->places[0] = (NativePlace){func_index, offset};
}

/* A function that found no stack for its frame has not begun: the trap is its caller's. */
static bool has_not_begun(const Native *native, const NativeRegisters *at, const FramePlaces *f) {
    if (at->is_call || native->trap_code != WR_TRAP_STACK_EXHAUSTED || f->count != 1) return false;
    return f->places[0].offset <= wr_body_start(f->instance->module, f->places[0].func_index);
}

/* The frame of a function that has made a tail call is no more, though here it may still be: where the callee makes
 * none itself, or was inlined. */
static bool is_gone(const Module *m, const NativePlace *place) {
    return place->offset < m->size && byte_is_tail_call(m->bytes[place->offset]);
}

bool wr_native_place(const Native *native, const NativeActivation *a, u32 offset,
                     const Instance **instance, NativePlace *place) {
    FramePlaces f = {.pc = NULL};
    find_places(native, a, place_of(&native->left), &f);
    if (f.instance == NULL || has_not_begun(native, &native->left, &f)) return false;
    correct_innermost(&f, offset);
    *instance = f.instance;
    *place = f.places[0];
    return f.count > 0;
}

static void add_places(const Native *native, const NativeActivation *a, const u8 *place, u32 offset,
                       FramePlaces *f, Trace *trace) {
    find_places(native, a, place, f);
    correct_innermost(f, offset);
    for (u32 i = 0; i < f->count; i++) {
        if ((i > 0 || !f->trapped) && is_gone(f->instance->module, &f->places[i])) continue;
        add(trace, &(TraceFrame){f->instance, f->places[i]});
    }
    if (offset != 0) f->pc = NULL; /* not for the others */
    if (f->count > 0) f->trapped = false;
}

/* Frames in the middle are gone; they count as one each. */
static void add_trail(const Native *native, const NativeActivation *a, FramePlaces *f,
                      Trace *trace) {
    const NativeTrail *t = &a->trail;
    u64 first = min_u64(t->count, TRAIL_END), last = min_u64(t->count - first, TRAIL_END);
    for (u64 i = 0; i < first; i++)
        add_places(native, a, t->first[i], i == 0 ? a->thrown_at : 0, f, trace);
    trace->count += t->count - first - last;
    for (u64 i = t->count - last; i < t->count; i++)
        add_places(native, a, t->last[i % TRAIL_END], 0, f, trace);
}

void wr_native_backtrace(const Native *native, const NativeActivation *a, u32 offset, bool goes_on,
                         Error *error) {
    NativeRegisters at = native->left;
    Trace trace = {.error = error};
    FramePlaces f = {.pc = NULL};
    f.trapped = !goes_on && (offset != 0 || !at.is_call);
    find_places(native, a, place_of(&at), &f);
    if (goes_on)
        add_trail(native, a, &f, &trace);
    else if (!has_not_begun(native, &at, &f))
        add_places(native, a, place_of(&at), offset, &f, &trace);
    while (wr_native_step(native, a, &at)) add_places(native, a, place_of(&at), 0, &f, &trace);
    finish(&trace);
}
