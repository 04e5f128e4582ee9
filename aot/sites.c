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

static void spread(NativeSite *site) {
    const UnwindRule *rule = &site->rule;
    site->frame = (u64)(i64)rule->cfa_offset;
    for (u32 i = 0; i < NATIVE_SAVED; i++) {
        bool saved = rule->saved >> i & 1;
        site->keep[i] = saved ? 0 : ~(u64)0;
        site->at[i] = saved ? (u64)(i64)rule->saved_at[i] : 0;
    }
}

void wr_native_look_up(NativeSite *site) {
    const u8 *returns_to = (const u8 *)(uintptr_t)site->pc;
    const Artifact *artifact = wr_artifact_at(returns_to - 1);
    site->pad = NULL;
    site->takes_exceptions = false;
    site->has_rule = artifact != NULL && wr_artifact_unwind(artifact, returns_to - 1, &site->rule);
    site->is_plain = site->has_rule && is_plain(&site->rule);
    if (site->is_plain) spread(site);
    if (artifact != NULL)
        site->pad =
            wr_artifact_landing(artifact, returns_to, &site->adjust, &site->takes_exceptions);
    site->is_passed = site->is_plain && !site->takes_exceptions;
}

static void reset(NativeSites *sites, u32 generation) {
    *sites = (NativeSites){.generation = generation};
    for (u32 i = 0; i < NATIVE_PATH; i++) sites->path[i] = sites->entries;
}

/* Code that is gone may have made room for other code. */
NativeSiteView wr_native_sites(Native *native, NativeSpareSite *spare) {
    u32 generation = wr_artifact_generation();
    NativeSites *sites = native->sites;
    if (UNLIKELY(sites == NULL)) {
        sites = native->sites = wr_alloc(&native->store->alloc, sizeof *sites);
        spare->site.pc = 0;
        spare->path = &spare->site;
        if (sites == NULL) return (NativeSiteView){&spare->site, &spare->path, 0, 0};
        reset(sites, generation);
    } else if (sites->generation != generation) {
        reset(sites, generation);
    }
    return (NativeSiteView){sites->entries, sites->path, NATIVE_SITES - 1, NATIVE_PATH - 1};
}

void wr_native_free_sites(Native *native) {
    if (native->sites == NULL) return;
    wr_free(&native->store->alloc, native->sites, sizeof *native->sites);
    native->sites = NULL;
}
