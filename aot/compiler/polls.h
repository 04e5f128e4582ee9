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
/* To code that is stopped by signals (aot/stop.h): only behind calls of the library that may take long, in which it
 * cannot be stopped, so that a guest does not spend all its time there. */
void wr_polls_add_few(Unit *unit);

#endif
