/*
 * hints.h - branch hints: which way a branch mostly goes, as the custom section "metadata.code.branch_hint" says (spec:
 * appendix/custom). Read once for all units. As with names, what is malformed in it ends its reading, and what was
 * read until then counts: hints change no meaning.
 */
#ifndef WR_AOT_HINTS_H
#define WR_AOT_HINTS_H

#include "unit.h"

/* Fills plan->hints, if there is such a section. False: no memory. */
NODISCARD bool wr_hints_read(Plan *plan, const Alloc *alloc);
void wr_hints_free(Plan *plan, const Alloc *alloc);

/* What is known of a branch that is taken if a condition is not 0, by its byte offset in the module: weights for
 * LLVM, or NULL. */
LLVMValueRef wr_hints_weights(const Unit *unit, u64 offset);

#endif
