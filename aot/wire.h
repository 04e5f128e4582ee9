/*
 * wire.h - what the runtime and the compiler process say to each other, over one stream socket. Both come from
 * the same build: the numbers are in the host's byte order, and the request begins with the ABI, so that a wasmrun-aot of
 * another version is refused.
 *
 *   request:  WireRequest, triple, cpu, features, keep (text, no zero), the module's bytes, functions (u32), points (u64)
 *   answer:   any number of WIRE_PROGRESS, then WIRE_ARTIFACT or WIRE_ERROR, each a WireAnswer and its payload
 */
#ifndef WR_AOT_WIRE_H
#define WR_AOT_WIRE_H

#include "client.h"

typedef struct WireRequest {
    u64 magic;       /* wire_magic() */
    u64 module_size; /* 0: that of the request before */
    u64 budget;
    u32 features; /* of the language: Features */
    u32 threads;
    u32 triple_size, cpu_size, target_features_size, keep_size;
    u32 nfunctions, npoints; /* nfunctions 0: the whole module */
    NativeOptions options;
} WireRequest;
#define WIRE_TEXT_MAX 65536u /* of each of the four texts */
#define WIRE_LIST_MAX 65536u /* functions, points */

typedef enum WireTag { WIRE_PROGRESS, WIRE_ARTIFACT, WIRE_ERROR } WireTag;

typedef struct WireAnswer {
    u32 tag;
    u32 kind;           /* ERROR: wr_error_kind_t */
    u64 size;           /* of the payload: ARTIFACT, ERROR (the message) */
    u32 done, total;    /* PROGRESS: functions */
    CompileStats stats; /* ARTIFACT */
} WireAnswer;

/* The same in both if they understand each other; it is read before anything else. */
INLINE u64 wire_magic(void) {
    return wr_native_abi() ^ ((u64)sizeof(WireRequest) << 32 | sizeof(WireAnswer));
}

#endif
