/*
 * sites.h - what the artifacts' tables say of the places where calls in compiled code return to, remembered: an
 * exception comes by the same ones again and again. Each store has a small table of them.
 */
#ifndef WR_AOT_SITES_H
#define WR_AOT_SITES_H

#include "native.h"

/* A call that returns to `pc`. What a plain frame has saved is in `at` as well as in `rule`, for all registers, so that no
 * branch asks which: where the caller's register i lies is where it lay, if `keep` is all ones, or `at` from the frame's
 * end, if it is 0. */
typedef struct NativeSite {
    u64 pc;
    const void *pad;       /* where exceptions from the call land; NULL: they go on to the caller */
    i32 adjust;            /* see wr_artifact_landing() */
    bool takes_exceptions; /* likewise; there is a pad, then */
    bool has_rule;         /* false: it is in no artifact's code */
    bool is_plain;         /* what the rule reads lies between stack pointer and frame's end */
    bool is_passed;        /* plain, and takes no exceptions */
    u64 frame;             /* of a plain one: bytes from the stack pointer to its end */
    u64 keep[NATIVE_SAVED], at[NATIVE_SAVED];
    UnwindRule rule;
} NativeSite;

#define NATIVE_SITES 128u /* a power of two */

typedef struct NativeSites {
    u32 generation; /* of what the entries say */
    NativeSite entries[NATIVE_SITES];
} NativeSites;

/* Those that a walk looks at: the store's, or, if there is no memory for them, `spare` alone. */
typedef struct NativeSiteView {
    NativeSite *entries;
    u64 mask; /* their number - 1 */
} NativeSiteView;

/* To be asked for before each walk. */
NativeSiteView wr_native_sites(Native *native, NativeSite *spare);
/* Fills in all but `pc`, by that. */
void wr_native_look_up(NativeSite *site);

/* The site of that return address. Valid until the next call. */
INLINE const NativeSite *native_site(NativeSiteView sites, u64 pc) {
    NativeSite *site = &sites.entries[pc & sites.mask];
    if (LIKELY(site->pc == pc)) return site;
    site->pc = pc;
    wr_native_look_up(site);
    return site;
}

void wr_native_free_sites(Native *native);

#endif
