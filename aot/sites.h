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
    bool takes_exceptions; /* likewise */
    bool has_rule;         /* false: it is in no artifact's code */
    UnwindRule rule;
} NativeSite;

typedef struct NativeSites NativeSites;

/* The store's table, to be asked for before each walk; NULL: no memory. */
NativeSites *wr_native_sites(Native *native);
/* The site of that return address, found in the table or put there; in `spare` without one. Valid until the next
 * call. */
const NativeSite *wr_native_site(NativeSites *sites, u64 pc, NativeSite *spare);
void wr_native_free_sites(Native *native);

#endif
