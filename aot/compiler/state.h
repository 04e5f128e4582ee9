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
/* The slot of a local. */
u32 wr_state_local_slot(const Code *code, u32 local);
/* A landing pad for calls at that place, which takes exceptions as wr_lower_pad() does. The builder stays where it is. */
LLVMBasicBlockRef wr_state_pad(Lower *l, const StatePlace *place);
/* Looks whether to stop, or to write the frame down, at that place. */
void wr_state_poll(Lower *l, const StatePlace *place);

#endif
