/*
 * fixed.h - tables whose elements are known from the module: defined in it, filled by its active segments, and
 * neither exported nor written by any instruction. Most modules of C, C++ and Rust have one such table, for all
 * pointers to functions. An indirect call through it needs no function instance: an array of constants in the
 * artifact says where the code of an element is, and of which type.
 */
#ifndef WR_AOT_FIXED_H
#define WR_AOT_FIXED_H

#include "unit.h"

/* Fills plan->fixed and plan->type_numbers; `none`: no table is to be fixed. False: no memory. */
NODISCARD bool wr_fixed_find(Plan *plan, bool none, const Alloc *alloc);
void wr_fixed_free(Plan *plan, const Alloc *alloc);
/* Whether a call with that type through that table may use the array. */
bool wr_fixed_serves(const Plan *plan, u32 table, u32 type_index);
/* The array of a fixed table, of the code that calls (r<i> where fuel is counted: counted.h) or tail calls go to: for each element two i32, how far its
 * code is from the array's start, and the number of its type, 0 for null. */
LLVMValueRef wr_fixed_array(Unit *unit, u32 table, bool tail);

/* Where all elements of that type are, if they stand next to each other; NULL: they do not, or there are none. So an index is
 * compared once, and there is no number to look at. */
const FixedRange *wr_fixed_range(const Plan *plan, u32 table, u32 type_index);
/* For each element of the range an i32, as above. */
LLVMValueRef wr_fixed_range_array(Unit *unit, u32 table, const FixedRange *range, bool tail);
/* A function of the unit's own that calls the imported one. */
LLVMValueRef wr_fixed_import(Unit *unit, u32 func, bool tail);
/* The code of one element, which is not null. */
LLVMValueRef wr_fixed_code(Unit *unit, u32 table, u32 element, bool tail);

#endif
