/* sites.c - see sites.h. */
#include "sites.h"

#define SITES 128u /* a power of two */

struct NativeSites {
    u32 generation; /* of what the entries say */
    NativeSite entries[SITES];
};

static void look_up(NativeSite *site, u64 pc) {
    const u8 *returns_to = (const u8 *)(uintptr_t)pc;
    const Artifact *artifact = wr_artifact_at(returns_to - 1);
    site->pc = pc;
    site->pad = NULL;
    site->has_rule = artifact != NULL && wr_artifact_unwind(artifact, returns_to - 1, &site->rule);
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

const NativeSite *wr_native_site(NativeSites *sites, u64 pc, NativeSite *spare) {
    NativeSite *site = sites ? &sites->entries[(pc ^ pc >> 7) % SITES] : spare;
    if (site == spare || site->pc != pc) look_up(site, pc);
    return site;
}

void wr_native_free_sites(Native *native) {
    if (native->sites == NULL) return;
    wr_free(&native->store->alloc, native->sites, sizeof *native->sites);
    native->sites = NULL;
}
