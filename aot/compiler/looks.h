/*
 * looks.h - where code being optimised looks whether to stop: a branch that is hardly ever taken, to a block with one of two
 * calls, `spent` where fuel is counted (lower_fuel.c), `asks` where frames can be written down (state.c). Of these
 * calls version.c makes loops that look less often.
 */
#ifndef WR_AOT_LOOKS_H
#define WR_AOT_LOOKS_H

#include "unit.h"

#define LOOKS_SPENT "spent" /* its second argument is the place, a code offset */
#define LOOKS_ASKS "asks"

/* Whether it is one of the calls that a look leads to. */
bool wr_looks_is_stop(const Unit *unit, LLVMValueRef instruction);
/* The one in a block; NULL if there is none. */
LLVMValueRef wr_looks_stop(const Unit *unit, LLVMBasicBlockRef block);
/* If the block ends with a look: its successor for when there is no need to stop; else -1. */
int wr_looks_stays(const Unit *unit, LLVMBasicBlockRef block);

#endif
