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

#define NATIVE_SITES 128u /* powers of two */
#define NATIVE_PATH 32u

typedef struct NativeSites {
    u32 generation;                /* of what the entries say */
    NativeSite *path[NATIVE_PATH]; /* which the last walk came to first, second, ...: never NULL */
    NativeSite entries[NATIVE_SITES];
} NativeSites;

typedef struct NativeSpareSite {
    NativeSite site, *path;
} NativeSpareSite;

/* Those that a walk looks at: the store's, or, if there is no memory for them, `spare` alone. */
typedef struct NativeSiteView {
    NativeSite *entries, **path;
    u64 mask, path_mask; /* their numbers - 1 */
} NativeSiteView;

/* To be asked for before each walk. */
NativeSiteView wr_native_sites(Native *native, NativeSpareSite *spare);
/* Fills in all but `pc`, by that. */
void wr_native_look_up(NativeSite *site);

/* The site of that return address. Valid until the next call. */
INLINE NativeSite *native_site(NativeSiteView sites, u64 pc) {
    NativeSite *site = &sites.entries[pc & sites.mask];
    if (LIKELY(site->pc == pc)) return site;
    site->pc = pc;
    wr_native_look_up(site);
    return site;
}

/* The same, of a walk that comes to it as its call number `i`. Exceptions of one place come by the same calls: so that the walk
 * need not wait for what it reads from the stack to find the next frame. */
INLINE const NativeSite *native_site_on_path(NativeSiteView sites, u64 pc, u64 i) {
    NativeSite **expected = &sites.path[i & sites.path_mask];
    if (LIKELY((*expected)->pc == pc)) return *expected;
    *expected = native_site(sites, pc);
    return *expected;
}

void wr_native_free_sites(Native *native);

#endif
