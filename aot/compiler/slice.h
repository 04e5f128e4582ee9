/*
 * slice.h - which functions of a module are compiled, and which of their loops can be entered: all functions and no
 * loops, or what somebody has seen running (client.h: CompileRequest.functions).
 */
#ifndef WR_AOT_SLICE_H
#define WR_AOT_SLICE_H

#include "compile.h"

/* A loop: the byte offset in the module of its first instruction, from which it can be entered. */
typedef struct SliceLoop {
    u64 offset;
    u32 func_index;
} SliceLoop;

typedef struct Slice {
    u32 *functions; /* by index in the module, ascending */
    u32 nfunctions;
    bool *has; /* by function index */
    /* Ascending. With a loop there are all those around it in its function. */
    SliceLoop *loops;
    u32 nloops, cap_loops;
} Slice;

/* Whether a job is for all functions of the module. */
bool wr_slice_is_whole(const CompileJob *job);
/* The functions. False when out of memory; so the next. */
NODISCARD bool wr_slice_choose(Slice *slice, const CompileJob *job);
/* The loops. `has_tail`: by function index, whether it makes tail calls. */
NODISCARD bool wr_slice_find_loops(Slice *slice, const CompileJob *job, const bool *has_tail);
void wr_slice_free(Slice *slice, const CompileJob *job);

#endif
