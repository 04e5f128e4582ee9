/* spill.c - see spill.h. */
#include "spill.h"

#include <stdlib.h>

#include "helpers.h"
#include "sites.h"
#include "switch.h"

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
    NativeSite spare;
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
