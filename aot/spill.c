/* spill.c - see spill.h. */
#include "spill.h"

#include <stdlib.h>

#include "helpers.h"
#include "sites.h"
#include "switch.h"

/* Deep in C no more: whoever goes on takes one more activation. */
#define SPILL_NESTING 32u

/* Called by the landing pad of a frame: where its locals and operands go. */
Slot *wr_native_spill(Instance *i, u32 func_index, u32 pc, u32 entry, u32 nslots) {
    Func *func = &i->own_funcs[func_index - i->module->nimported_funcs];
    return wr_frames_add(i->store, func, pc, entry, nslots);
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
    NativeSpareSite spare;
    NativeSiteView sites = wr_native_sites(native, &spare);
    do {
        const NativeSite *site = native_site(sites, at.pc);
        if (site->pad == NULL) continue;
        native->left = at;
        native->left.pc = (u64)(uintptr_t)site->pad;
        native->left.sp = at.sp + (u64)(i64)site->adjust;
        return native->left.sp >= a->low && native->left.sp < a->top;
    } while (wr_native_step(native, a, &at));
    return false;
}

void wr_native_spill_frames(Native *native, NativeActivation *a) {
    while (find_pad(native, a)) {
        (void)wr_switch_land(native, (u64)LAND_SPILL << 32); /* LEFT_SPILLED */
        native->left.is_call = true;
    }
}

/* ---- for tests ---- */

void wr_native_spill_prepare(Native *native) {
    const char *period = getenv("WASMRUN_SPILL"); /* docs/aot.md */
    if (period == NULL) return;
    native->spill_period = (u32)strtoul(period, NULL, 10);
    native->spill_random = native->spill_period | 1;
    if (native->spill_period > 0) wr_store_raise(native->store, POLL_SPILL);
}

static bool is_chosen(Native *native) {
    u32 x = native->spill_random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    native->spill_random = x;
    return x % native->spill_period == 0;
}

/* ---- at a poll ---- */

/* Where the innermost function polls. Helpers of the code's own may be around the call; nothing is inlined in hasty code. */
static bool find_place(const Native *native, NativePlace *place) {
    NativeRegisters at;
    wr_switch_registers(native->exit, &at);
    do {
        const u8 *pc = (const u8 *)(uintptr_t)at.pc - 1;
        const Artifact *artifact = wr_artifact_at(pc);
        if (artifact == NULL) return false;
        if (wr_artifact_places(artifact, pc, place, 1) > 0) return true;
    } while (at.sp < native->activation->top && wr_native_step(native, native->activation, &at));
    return false;
}

static bool is_asked(const Native *native, Instance *i) {
    Store *store = native->store;
    const Module *m = i->module;
    NativePlace place;
    if (store->engine->tier == NULL || !find_place(native, &place)) return false;
    if (place.func_index < m->nimported_funcs || place.func_index >= m->nfuncs) return false;
    TierFrame frame = {&i->own_funcs[place.func_index - m->nimported_funcs],
                       m->bytes + place.offset};
    return store->engine->tier_ops->ask(store, &frame);
}

bool wr_native_spills(Native *native, Instance *instance) {
    bool wants = native->spill_period > 0 ? is_chosen(native) : is_asked(native, instance);
    return wants && native->store->nesting < SPILL_NESTING && wr_native_can_spill(native);
}
