/*
 * spill.h - compiled frames as canonical ones. Code compiled to be migratable can write the frames of an activation down
 * where it polls: each call has a landing pad for that (compiler/state.c), to which the runtime unwinds, innermost
 * frame first. What they leave is in Store.written (frames.h), with which any engine can go on, here or elsewhere.
 *
 * Frames of C end it: what is above them is another activation, which writes its own frames when it gets to know
 * (ERROR_PAUSED), or goes on, if it was called by a host function.
 */
#ifndef WR_AOT_SPILL_H
#define WR_AOT_SPILL_H

#include "raise.h"

/* Whether the activation, which is in a helper, could be written down: all its frames are of migratable code. */
bool wr_native_can_spill(const Native *native);
/* The activation has been left at a poll, or in a call that pauses. Its frames are written down; none is left then. */
void wr_native_spill_frames(Native *native, NativeActivation *a);
/* Of a store with migratable code: for tests, polls at random if the environment asks for it. */
void wr_native_spill_prepare(Native *native);
/* At a poll of the instance's code: whether the activation is to be written down now, since there is better code than
 * hasty one, or by chance. */
bool wr_native_spills(Native *native, Instance *instance);

#endif
