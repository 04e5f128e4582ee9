/*
 * spill.h - compiled frames as canonical ones. Code compiled to be migratable can write the frames of an activation down
 * where it polls: each call has a landing pad for that (compiler/state.c), to which the runtime unwinds, innermost
 * frame first. What they leave are records outside of all stacks; with them any engine can go on, here
 * (wr_native_spill_go_on()) or elsewhere.
 *
 * Frames of C end it: what a host function has above it is another activation, which stays. While records are held
 * nothing may be allocated on the heap: references in them are no roots.
 */
#ifndef WR_AOT_SPILL_H
#define WR_AOT_SPILL_H

#include "raise.h"

/* The records of an activation, innermost frame first. */
typedef struct Spill {
    Slot *slots;
    u32 size, capacity; /* in slots */
    u32 last;           /* where the last record is */
    u32 count;
    bool failed; /* no memory for one of them: the call cannot go on */
} Spill;

/* Whether the activation, which is in a helper, could be written down: all its frames are of migratable code. */
bool wr_native_can_spill(const Native *native);
/* The activation has been left at a poll. Its frames are written down; none is left then. */
void wr_native_spill_frames(Native *native, NativeActivation *a, Spill *spill);
/* Interprets what follows, in the activation's place; the results go to `slots`. Frees the records. */
NODISCARD Error *wr_native_spill_go_on(Store *store, Spill *spill, Slot *slots);
/* Of a store with migratable code: for tests, polls at random if the environment asks for it. */
void wr_native_spill_prepare(Native *native);
bool wr_native_spill_by_chance(Native *native);

#endif
