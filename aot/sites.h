/*
 * sites.h - what the artifacts' tables say of the places where calls in compiled code return to, remembered: an
 * exception comes by the same ones again and again. Each store has a small table of them.
 */
#ifndef WR_AOT_SITES_H
#define WR_AOT_SITES_H

#include "native.h"

/* A call that returns to `pc`. */
typedef struct NativeSite {
    u64 pc;
    const void *pad;       /* where exceptions from the call land; NULL: they go on to the caller */
    i32 adjust;            /* see wr_artifact_landing() */
    bool takes_exceptions; /* likewise; there is a pad, then */
    bool has_rule;         /* false: it is in no artifact's code */
    bool is_plain;         /* what the rule reads lies between stack pointer and frame's end */
    UnwindRule rule;
} NativeSite;

#define NATIVE_SITES 128u /* a power of two */

typedef struct NativeSites {
    u32 generation; /* of what the entries say */
    NativeSite entries[NATIVE_SITES];
} NativeSites;

/* The store's table, to be asked for before each walk; NULL: no memory. */
NativeSites *wr_native_sites(Native *native);
/* Fills in all but `pc`, by that. */
void wr_native_look_up(NativeSite *site);

/* The site of that return address, found in the table or put there; in `spare` without one. Valid until the next
 * call. */
INLINE const NativeSite *native_site(NativeSites *sites, u64 pc, NativeSite *spare) {
    NativeSite *site = sites ? &sites->entries[(pc ^ pc >> 7) % NATIVE_SITES] : spare;
    if (LIKELY(site != spare && site->pc == pc)) return site;
    site->pc = pc;
    wr_native_look_up(site);
    return site;
}

void wr_native_free_sites(Native *native);

#endif
