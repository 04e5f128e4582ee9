/*
 * places.h - where faults of compiled code are said to be.
 */
#ifndef WR_AOT_PLACES_H
#define WR_AOT_PLACES_H

#include "unit.h"

/* Whether it only keeps a load of linear memory from being joined with others that a phi chooses between: all loads that may
 * fault are frozen, and each of them keeps its place. Nothing else depends on it. */
bool wr_is_frozen_load(LLVMValueRef value);

/* After optimisation: no load is frozen any more, so that code takes it in as an operand. */
void wr_thaw_loads(const Unit *unit);

/* Processors compute with operands in memory, and LLVM then gives the one instruction the place of the
 * computation: a fault would seem to be at an i32.add. So what may take in a load of linear memory gets the load's
 * place, which costs nothing, since it cannot trap itself. After optimisation, before code is generated. */
void wr_settle_places(const Unit *unit);

#endif
