/*
 * const_eval.h - evaluates constant expressions of a validated module (spec: valid/instructions,
 * constant expressions): initial values of globals and tables, offsets and items of segments.
 */
#ifndef WR_CONST_EVAL_H
#define WR_CONST_EVAL_H

#include "store.h"

/* Leaves the value in out[0], or in both for a v128. The instance's functions, and the globals that
 * the expression may name, must be there already. Fails when out of memory. */
NODISCARD Error *wr_const_eval(Instance *instance, const ConstExpr *expr, Slot out[2]);

#endif
