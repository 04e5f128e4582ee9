/*
 * compile.h - from a validated module to an artifact: plans, cuts the functions into units, has threads lower,
 * optimise and generate them, links what comes out.
 */
#ifndef WR_AOT_COMPILE_H
#define WR_AOT_COMPILE_H

#include "client.h"

typedef struct CompileJob {
    const Module *module;
    NativeOptions options;
    const char *triple, *cpu, *features; /* empty: this host's */
    u32 threads;                         /* 0: as many as there are processors */
    /* Called by any thread, one at a time. */
    void (*progress)(void *context, u32 done, u32 total);
    void *context;
    /* As in CompileRequest; nfunctions 0: all. What is wrong in these lists is left out. */
    const u32 *functions;
    u32 nfunctions;
    u64 budget;
    const u64 *points;
    u32 npoints;
} CompileJob;

/* The artifact's bytes are from the engine's allocator. `stats` is filled but for peak_bytes. */
NODISCARD Error *wr_compile(const CompileJob *job, u8 **bytes, size_t *size, CompileStats *stats);

#endif
