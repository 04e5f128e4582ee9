/*
 * lower_fuel.h - what others than functions being lowered (lower.h) have to know of how fuel is counted.
 */
#ifndef WR_AOT_LOWER_FUEL_H
#define WR_AOT_LOWER_FUEL_H

#include "unit.h"

/* Whether it is the call behind a look that finds nothing left, of which the second argument is the place. */
bool wr_fuel_is_stop(const Unit *unit, LLVMValueRef instruction);
/* For fuel at the place of such a call: what it is, or, if that is little, what it is after the same call, which may stop
 * here. */
LLVMValueRef wr_fuel_refill(Unit *unit, LLVMBuilderRef b, LLVMValueRef stop, LLVMValueRef fuel);

#endif
