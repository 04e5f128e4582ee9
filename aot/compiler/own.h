/*
 * own.h - functions that are not the guest's: thunks, and those that a unit makes for itself, and nobody outside it
 * can call, like what lies behind a poll. Their first parameter is a context (native.h).
 */
#ifndef WR_AOT_OWN_H
#define WR_AOT_OWN_H

#include "lower.h"

/* Sets `l` up to lower a function that has no code yet: its context, its entry block, and a builder in it. */
void wr_own_open(Lower *l, Unit *unit, LLVMValueRef function);
/* The same with a new function of the unit's own: False: the unit has one with that name already, which is
 * l->function; there is nothing to lower, or to end. */
bool wr_own_begin(Lower *l, Unit *unit, const char *name, LLVMTypeRef type, unsigned convention);
/* The function, with what has been built. */
LLVMValueRef wr_own_end(Lower *l);
/* For code that is hardly ever run: it stays out of line. */
void wr_own_is_cold(const Lower *l);
/* Calls one with the caller's context, and an argument more if its type has two. */
LLVMValueRef wr_own_call(Lower *l, LLVMValueRef function, LLVMValueRef argument);

#endif
