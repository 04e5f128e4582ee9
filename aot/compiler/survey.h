/*
 * survey.h - what is looked for in a function's body before it is lowered: tail calls, and what LLVM takes too long over. Its
 * optimiser and its generator of code take time and memory that grow with the square of some things, and a
 * module of a few KB may have enough of them for hours, or for all of a host's memory.
 */
#ifndef WR_AOT_SURVEY_H
#define WR_AOT_SURVEY_H

#include "unit.h"

/* Fills plan->has_tail and plan->efforts for these functions, by their indices, and the former for what they tail call, too: large modules
 * have megabytes of others. False: no memory. */
NODISCARD bool wr_survey(Plan *plan, const u32 *functions, u32 count, const Alloc *alloc);

/* Whether a function's frames are written down to more slots than LLVM optimises in seconds (state.h): it has to be compiled
 * with EFFORT_NONE. After lowering. */
bool wr_survey_stores_too_much(const Unit *unit);

/* Whether what LLVM has made of a unit is too much for its generator of code: then it has to be compiled with EFFORT_NONE. */
bool wr_survey_is_too_much(const Unit *unit);

#endif
