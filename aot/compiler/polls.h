/*
 * polls.h - where compiled code looks whether it has to stop: in every loop, and at the entry of functions that
 * call others. Polls are added to a unit when LLVM's passes are done with it, so that they do not keep loops from
 * being unrolled, vectorised or resolved, and functions that were inlined have none.
 */
#ifndef WR_AOT_POLLS_H
#define WR_AOT_POLLS_H

#include "unit.h"

/* To all functions of the unit that have a body and are no thunks. False: no memory. */
NODISCARD bool wr_polls_add(Unit *unit);

#endif
