/*
 * places.h - where faults of compiled code are said to be.
 */
#ifndef WR_AOT_PLACES_H
#define WR_AOT_PLACES_H

#include <llvm-c/Core.h>

/* Processors compute with operands in memory, and LLVM then gives the one instruction the place of the
 * computation: a fault would seem to be at an i32.add. So what may take in a load of linear memory gets the load's
 * place, which costs nothing, since it cannot trap itself. After optimisation, before code is generated. */
void wr_settle_places(LLVMModuleRef module);

#endif
