/* sites.c - see sites.h. */
#include "sites.h"

/* Registers that are saved elsewhere, or none at all for the frame, make it none. */
static bool is_plain(const UnwindRule *rule) {
    if (rule->cfa_register != UNWIND_SP || rule->cfa_offset < (i32)sizeof(u64)) return false;
    if (rule->saved >> NATIVE_SAVED != 0) return false;
    for (u32 saved = rule->saved; saved != 0; saved &= saved - 1) {
        i32 at = rule->saved_at[trailing_zeros(saved)];
        if (at < -rule->cfa_offset || at > -(i32)sizeof(u64)) return false;
    }
    return true;
}

void wr_native_look_up(NativeSite *site) {
    const u8 *returns_to = (const u8 *)(uintptr_t)site->pc;
    const Artifact *artifact = wr_artifact_at(returns_to - 1);
    site->pad = NULL;
    site->takes_exceptions = false;
    site->has_rule = artifact != NULL && wr_artifact_unwind(artifact, returns_to - 1, &site->rule);
    site->is_plain = site->has_rule && is_plain(&site->rule);
    if (artifact != NULL)
        site->pad =
            wr_artifact_landing(artifact, returns_to, &site->adjust, &site->takes_exceptions);
}

/* Code that is gone may have made room for other code. */
NativeSites *wr_native_sites(Native *native) {
    u32 generation = wr_artifact_generation();
    if (native->sites == NULL) {
        native->sites = wr_alloc_zero(&native->store->alloc, sizeof *native->sites);
        if (native->sites != NULL) native->sites->generation = generation;
    } else if (native->sites->generation != generation) {
        *native->sites = (NativeSites){.generation = generation};
    }
    return native->sites;
}

void wr_native_free_sites(Native *native) {
    if (native->sites == NULL) return;
    wr_free(&native->store->alloc, native->sites, sizeof *native->sites);
    native->sites = NULL;
}
