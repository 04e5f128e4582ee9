/*
 * stop.h - stopping compiled code that has no polls: whoever asks a store to stop (wr_store_raise()) sends the thread a
 * signal. If it finds the thread in compiled code, that is left there, as for a fault (native.c); if not, it comes
 * again a millisecond later (watchdog.h). Code that calls helpers is also stopped when they return, so that it
 * cannot hide in them.
 *
 * Host functions and interpreted code are not signalled: the thread goes out for them, and comes in again.
 */
#ifndef WR_AOT_STOP_H
#define WR_AOT_STOP_H

#include "native.h"

/* Whether code without polls can be stopped so: asked for a store that may have to stop, since then a handler is
 * installed. */
bool wr_native_can_stop(Native *native);
/* The handler (native.c). */
bool wr_native_on_stop(const OsFault *place);
/* Compiled code of the store runs from now on, or goes on, in this thread. NULL; or the error, if the thread could not
 * be stopped. */
NODISCARD Error *wr_native_come_in(Native *native);
/* It has been left, for good or for something that it calls. */
void wr_native_go_out(const Native *native);
/* Why it has to be left at `pc`, which is in it; WR_TRAP_NONE: it need not. */
wr_trap_code_t wr_native_must_stop(const Native *native, const void *pc);

#endif
