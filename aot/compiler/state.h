/*
 * state.h - where the canonical state of a function (its locals and operands as the interpreter has them) is in LLVM's
 * values: landing pads that write a frame down, and the polls at which that begins (aot/spill.h).
 */
#ifndef WR_AOT_STATE_H
#define WR_AOT_STATE_H

#include "lower.h"

/* A place at which a frame can be written down: where the interpreter would go on with it. */
typedef struct StatePlace {
    u32 pc;     /* code offset */
    u32 entry;  /* the first side entry at or after it */
    u32 height; /* how many of the operands are there */
} StatePlace;

/* Whether frames can be written down at all. */
INLINE bool wr_state_is_kept(const Lower *l) { return l->unit->plan->options.migratable; }
/* Functions with more locals stay interpreted then: what LLVM does for so many values that live to the end is quadratic. */
#define STATE_LOCALS 4000u
/* The slot of a local. */
u32 wr_state_local_slot(const Code *code, u32 local);
/* How many slots a value of that type takes. */
u32 wr_state_slots(const Unit *unit, LLVMTypeRef type);
#define STATE_NOWHERE UINT32_MAX
/* Stores the locals that may be read from that code offset on, or all if it is STATE_NOWHERE, where the interpreter has them in
 * a frame with those slots. */
void wr_state_store_locals(Lower *l, LLVMValueRef slots, u32 pc);
/* Stores values one behind the other, the first in `slot`. The slot behind the last. */
u32 wr_state_store_values(Lower *l, LLVMValueRef slots, u32 slot, const LLVMValueRef *values,
                          u32 count);
/* A landing pad for calls at that place, which takes exceptions as wr_lower_pad() does. The builder stays where it is. */
LLVMBasicBlockRef wr_state_pad(Lower *l, const StatePlace *place);
/* Looks whether to stop, or to write the frame down, at that place; not where fuel is counted, which is a look, too. */
void wr_state_poll(Lower *l, const StatePlace *place);
/* In a cold block: stops there, or writes the frame down, if that is what the runtime wants. */
void wr_state_ask(Lower *l, const StatePlace *place);
/* For code that is lowered already: whether a look would find something, an i1. */
LLVMValueRef wr_state_asked(Unit *unit, LLVMBuilderRef b, LLVMValueRef context);

#endif
