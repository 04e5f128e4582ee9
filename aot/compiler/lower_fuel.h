/*
 * lower_fuel.h - what others than functions being lowered (lower.h) have to know of how fuel is counted.
 */
#ifndef WR_AOT_LOWER_FUEL_H
#define WR_AOT_LOWER_FUEL_H

#include "lower.h"

/* Store.fuel. */
LLVMValueRef wr_fuel_load(Lower *l);
void wr_fuel_store(Lower *l, LLVMValueRef value);
/* For fuel at the place of a call that a look leads to (looks.h): what it is, or, if that is little, what it is after the
 * same call, which may stop here. */
LLVMValueRef wr_fuel_refill(Unit *unit, LLVMBuilderRef b, LLVMValueRef stop, LLVMValueRef fuel);

#endif
