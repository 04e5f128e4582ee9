/*
 * places.h - where faults of compiled code are said to be.
 */
#ifndef WR_AOT_PLACES_H
#define WR_AOT_PLACES_H

#include "unit.h"

/* Whether it is what code has of a load of linear memory that may fault: all of these are frozen. While LLVM optimises, that
 * keeps it from joining loads that a phi chooses between; while it selects instructions, from taking most loads into the
 * instruction that uses them, and sometimes out of it again, without a place. Nothing else depends on it. */
bool wr_is_frozen_load(LLVMValueRef value);

/* Where LLVM finds that the value needs no freezing (a computation with a constant goes before it, say), one instruction
 * loads and computes, and has the place of the computation: a fault would seem to be at an i32.add. So what may take in a
 * load of linear memory gets the load's place. After optimisation, before code is generated. */
void wr_settle_places(const Unit *unit);

#endif
