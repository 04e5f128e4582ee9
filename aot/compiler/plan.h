/* plan.h - what is decided before anything is compiled: target, shapes, who needs tail calls (unit.h: Plan). */
#ifndef WR_AOT_PLAN_H
#define WR_AOT_PLAN_H

#include "compile.h"
#include "unit.h"

NODISCARD Error *wr_plan_make(Plan *plan, const CompileJob *job);
void wr_plan_free(Plan *plan, const Alloc *alloc); /* also one that is all zeros */

#endif
