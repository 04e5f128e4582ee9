/*
 * counted.h - functions that get what is left of the fuel as a parameter, behind the context, and return it before their
 * result: `r` in native.h. So calls from one to another count in registers. Whoever calls them otherwise, and whatever
 * they call otherwise, has it in Store.fuel (lower_fuel.c).
 */
#ifndef WR_AOT_COUNTED_H
#define WR_AOT_COUNTED_H

#include "lower.h"

/* Whether the guest's code of a function is in `r`. */
INLINE bool wr_counted_is(const Plan *plan, u32 func_index) {
    return plan->options.fuel && !plan->has_tail[func_index];
}

LLVMTypeRef wr_counted_type(const Unit *unit, const DefType *type);
/* r<i>, of any function of the module; declared, unless it stands for an import. */
LLVMValueRef wr_counted_function(Unit *unit, u32 func_index);
/* Makes f<i>, which calls r<i>. */
void wr_counted_lower_plain(Unit *unit, u32 func_index);
/* Makes r<i>, which calls f<i>: of a function that makes tail calls, or is not compiled. */
void wr_counted_lower_stub(Unit *unit, u32 func_index);
/* What is left, and the result, of a call; *result becomes NULL if there is none, or several. */
LLVMValueRef wr_counted_left(Lower *l, LLVMValueRef call, LLVMValueRef *result);
/* Returns. `result`: NULL likewise. */
void wr_counted_return(Lower *l, LLVMValueRef left, LLVMValueRef result);

#endif
