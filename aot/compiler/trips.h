/*
 * trips.h - how often a loop goes round: which of its exits is taken when, if that is decided by comparing a
 * number that changes by a constant step with one that does not change.
 */
#ifndef WR_AOT_TRIPS_H
#define WR_AOT_TRIPS_H

#include "affine.h"

/* In iteration i the loop goes on at `block` if `start + i * step` compares so with `limit`, as numbers of `bits`
 * bits that wrap. */
typedef struct Trips {
    LLVMBasicBlockRef block; /* it dominates the latch, or is it */
    u32 stay;                /* which successor of the block goes on */
    LLVMIntPredicate compare;
    Linear start, limit;
    i64 step;
    u32 bits;
} Trips;

/* Whether the exit at this block can be counted, which every iteration passes. */
NODISCARD bool wr_trips_find(AffineScope *scope, LLVMBasicBlockRef block, Trips *trips);
/* If it is a constant. Not exact: for deciding what is worth it. */
bool wr_trips_estimate(const Loop *loop, const Trips *trips, u64 *count);

/* Where sums are built: terms that are keys of `values` stand for what they map to. */
typedef struct LinearBuilder {
    LLVMContextRef context;
    LLVMBuilderRef b;
    const ValueMap *values;
} LinearBuilder;

LLVMValueRef wr_linear_build(const LinearBuilder *to, const Linear *sum, u32 bits);
/* The number of the iteration that leaves there, as an i64. It holds unless the i1 *bad is true, or the loop is
 * left elsewhere before. */
LLVMValueRef wr_trips_build(const LinearBuilder *to, const Trips *trips, LLVMValueRef *bad);

#endif
