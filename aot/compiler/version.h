/*
 * version.h - loops in two versions: one that runs while it is known that no access of memory 0 traps, and the
 * loop as it was (docs/aot.md, "Loops").
 *
 * In the first one accesses are ordinary loads and stores at 64-bit addresses, what LLVM makes vector code
 * of; and it needs no poll. Runs between lowering and LLVM's optimisation; all that it knows of loops it finds in
 * the IR.
 */
#ifndef WR_AOT_VERSION_H
#define WR_AOT_VERSION_H

#include "unit.h"

/* Of all functions of the unit; fewer if there is no memory for it. `work`: about how many instructions a fast loop runs
 * at most, UINT32_MAX: as many as is good. */
void wr_version_loops(Unit *unit, u32 work);
/* Whether a branch back is that of a loop that was made here, and so is over soon: it needs no poll. */
bool wr_loop_is_bounded(LLVMContextRef context, LLVMValueRef branch);

#endif
