/*
 * outcome.h - all that can be seen of a run of a module, as text: results, errors with their backtraces, and
 * after each call what memories, tables and globals hold. Two engines agree if their texts are equal.
 *
 * What engines need not agree on is kept out of it: bits of a NaN that is a result, where objects lie, how deep
 * calls may nest, and when fuel or time runs out. A call for which it depends on these how it ends is
 * skipped, in all runs that are to be compared.
 */
#ifndef WR_FUZZ_OUTCOME_H
#define WR_FUZZ_OUTCOME_H

#include "fuzz.h"
#include "module.h"

/* Instantiation and calls of exports, in this order. */
#define OUTCOME_STEPS 41u
#define STEP_NONE OUTCOME_STEPS

typedef struct Plan {
    bool skipped[OUTCOME_STEPS];
    u64 fuel; /* of each step; 0: no limit, in time neither */
    /* Not 0: calls pause, and get so much at a time. Host functions do not call back then, since what they call would
     * end the call; nor do they for the run that it is compared with. */
    u64 slice;
    bool no_callbacks;
} Plan;

typedef struct Outcome {
    char *text;
    size_t size, capacity;
    u64 left[OUTCOME_STEPS]; /* of the fuel, after each step; 0 without a limit */
    u32 calls;
    u32 cut_short; /* the first step that came to an end which engines need not agree on, or STEP_NONE */
} Outcome;

/* Arguments, and what host functions do, come from `random`; it is so for the same skipped steps. */
void wr_outcome(Module *module, Random random, const Plan *plan, Outcome *outcome);
void wr_outcome_free(Outcome *outcome);

#endif
