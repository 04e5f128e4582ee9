/*
 * client.h - the compiler as seen by the runtime: a process. LLVM is not in this library; the program
 * `wasmrun-aot` (aot/compiler/main.c), which stands beside the command or where WASMRUN_AOT says, reads requests
 * from a pipe and answers with artifacts. So a failure of LLVM, or its running out of memory, ends that process and
 * not this one, and its memory is given back at once. One process serves any number of requests.
 */
#ifndef WR_AOT_CLIENT_H
#define WR_AOT_CLIENT_H

#include "artifact.h"

typedef struct Compiler Compiler;

/* What --stats tells. Times in nanoseconds, summed over threads but for `total_ns`. */
typedef struct CompileStats {
    u64 total_ns, lower_ns, optimise_ns, generate_ns, link_ns;
    u64 peak_bytes; /* the compiler's resident memory at most */
    u32 functions;
    u32 left_out; /* of these: interpreted, because LLVM failed or a limit was reached */
    u32 plain;    /* of these: compiled without optimisation, for the same reasons */
    u32 units, threads;
} CompileStats;

typedef struct CompileRequest {
    NativeOptions options;
    const char *triple, *cpu, *features;                  /* NULL: this host */
    u32 threads;                                          /* 0: all */
    void (*progress)(void *context, u32 done, u32 total); /* functions; or NULL */
    void *progress_context;
    /* A slice of the module: functions by index, those that matter most first; and those that they call, as long
     * as all of it is no more than `budget` bytes of code. NULL: the whole module. */
    const u32 *functions;
    u32 nfunctions;
    u64 budget;
    /* Byte offsets in the module where these functions are running: the loops around get entries for them
     * (wr_artifact_loop()). */
    const u64 *points;
    u32 npoints;
    bool same_module; /* as in the last request: it need not be sent */
    u8 nice; /* 0: somebody waits; else how much others come first: its process' nice value */
    /* NULL, or the file of a cache. When the request is cancelled, or this process ends, the compiler finishes it all the
     * same, behind everything else that runs and within seconds, and puts there what comes of it. */
    const char *keep;
} CompileRequest;

/* Starts the process. The error says where it was looked for. */
NODISCARD Error *wr_compiler_start(Engine *engine, Compiler **out);
void wr_compiler_stop(Compiler *compiler); /* NULL: nothing */
/* A request will come soon: its process starts, which takes a while. If that fails the request will tell. */
void wr_compiler_expect(Compiler *compiler, u8 nice);
/* Any thread, at any time: ends the request that is under way, if there is one, at once, and fails all others. A
 * process that is to keep what it makes is left alone with it. */
void wr_compiler_cancel(Compiler *compiler);
/* Compiles a module (its bytes and features are sent) into an artifact's bytes, from the engine's allocator. One
 * request at a time; any thread, but one at a time in one Compiler. If the process dies the error says how, and the next request starts another. */
NODISCARD Error *wr_compiler_run(Compiler *compiler, const Module *module,
                                 const CompileRequest *request, u8 **artifact, size_t *size,
                                 CompileStats *stats);

#endif
