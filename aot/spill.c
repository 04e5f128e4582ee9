/* spill.c - see spill.h. */
#include "spill.h"

#include <stdlib.h>

#include "helpers.h"
#include "sites.h"
#include "switch.h"

/* ---- records ---- */

typedef struct Record {
    Instance *instance;
    u32 func_index, pc, entry, nslots;
    u64 before; /* where the one before it is */
} Record;
#define RECORD_SLOTS (sizeof(Record) / sizeof(Slot))
#define SPILL_MAX (UINT32_MAX / 2) /* slots */

/* Called by the landing pad of a frame: where its locals and operands go. */
Slot *wr_native_spill(Instance *i, u32 func_index, u32 pc, u32 entry, u32 nslots) {
    Spill *s = i->native->spill;
    u64 size = s->size + RECORD_SLOTS + nslots;
    if (s->failed || !wr_grow_array(&i->store->alloc, &s->slots, &s->capacity, size, SPILL_MAX,
                                    sizeof *s->slots)) {
        s->failed = true;
        return NULL;
    }
    Record record = {i, func_index, pc, entry, nslots, s->last};
    Slot *at = s->slots + s->size;
    memcpy(at, &record, sizeof record);
    memset(at + RECORD_SLOTS, 0, nslots * sizeof *at);
    s->last = s->size;
    s->size = (u32)size;
    s->count += 1;
    return at + RECORD_SLOTS;
}

static void free_records(const Store *store, Spill *s) {
    wr_free(&store->alloc, s->slots, s->capacity * sizeof *s->slots);
    *s = (Spill){.slots = NULL};
}

/* ---- frames ---- */

static bool is_migratable(const Artifact *artifact) {
    return artifact != NULL && wr_artifact_options(artifact)->migratable;
}

bool wr_native_can_spill(const Native *native) {
    NativeRegisters at;
    wr_switch_registers(native->exit, &at);
    while (at.sp < native->activation->top) {
        if (!is_migratable(wr_artifact_at((const u8 *)(uintptr_t)at.pc - 1)) ||
            !wr_native_step(native, native->activation, &at))
            return false;
    }
    return true;
}

/* Makes Native.left the next landing pad. Frames of thunks, and of functions that made a tail call, have none. */
static bool find_pad(Native *native, const NativeActivation *a) {
    NativeRegisters at = native->left;
    NativeSites *sites = wr_native_sites(native);
    NativeSite spare;
    do {
        const NativeSite *site = native_site(sites, at.pc, &spare);
        if (site->pad == NULL) continue;
        native->left = at;
        native->left.pc = (u64)(uintptr_t)site->pad;
        native->left.sp = at.sp + (u64)(i64)site->adjust;
        return native->left.sp >= a->low && native->left.sp < a->top;
    } while (wr_native_step(native, a, &at));
    return false;
}

void wr_native_spill_frames(Native *native, NativeActivation *a, Spill *spill) {
    *spill = (Spill){.slots = NULL};
    native->spill = spill;
    while (find_pad(native, a)) {
        (void)wr_switch_land(native, (u64)LAND_SPILL << 32); /* LEFT_SPILLED */
        native->left.is_call = true;
    }
    native->spill = NULL;
}

/* ---- going on ---- */

static Error *make_frame(const Spill *s, u64 *at, CanonicalFrame *frame) {
    Record r;
    const Slot *slots = s->slots + *at;
    memcpy(&r, slots, sizeof r);
    u32 own = r.func_index - r.instance->module->nimported_funcs;
    Func *func = &r.instance->own_funcs[own];
    if (func->native_entry != NULL) func = wr_func_interpreted(func);
    if (func == NULL) return ERROR_OOM;
    Error *error = func->home->lazy ? wr_func_need_code(func) : NULL;
    if (error != NULL) return error;
    *frame = (CanonicalFrame){func, func->start + r.pc, func->side + r.entry, slots + RECORD_SLOTS,
                              r.nslots};
    *at = r.before;
    return NULL;
}

/* The last record is the outermost frame. */
static Error *make_frames(const Spill *s, CanonicalFrame *frames) {
    u64 at = s->last;
    Error *error = NULL;
    for (u32 i = 0; error == NULL && i < s->count; i++) error = make_frame(s, &at, &frames[i]);
    return error;
}

Error *wr_native_spill_go_on(Store *store, Spill *s, Slot *slots) {
    CanonicalFrame *frames = NULL;
    u32 count = s->count;
    if (!s->failed) frames = wr_alloc_array(&store->alloc, count, sizeof *frames);
    Error *error = frames != NULL ? make_frames(s, frames) : ERROR_OOM;
    if (error == NULL) error = store->engine->executor->go_on(store, frames, count, slots);
    wr_free(&store->alloc, frames, count * sizeof *frames);
    free_records(store, s);
    return error;
}

/* ---- for tests ---- */

/* Deep in C no more: whoever goes on takes one more activation. */
#define CHANCE_NESTING 32u

void wr_native_spill_prepare(Native *native) {
    const char *period = getenv("WASMRUN_SPILL"); /* docs/aot.md */
    if (period == NULL) return;
    native->spill_period = (u32)strtoul(period, NULL, 10);
    native->spill_random = native->spill_period | 1;
    if (native->spill_period > 0) wr_store_raise(native->store, POLL_SPILL);
}

bool wr_native_spill_by_chance(Native *native) {
    u32 x = native->spill_random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    native->spill_random = x;
    if (native->spill_period == 0 || x % native->spill_period != 0) return false;
    return native->store->nesting < CHANCE_NESTING && wr_native_can_spill(native);
}
