/*
 * meter.h - fuel around compiled code that counts it (compiler/lower_fuel.c). While it runs, Store.fuel holds what it may
 * use until it looks for other reasons to stop, and what it counts there is relative to where it is; the rest
 * is aside, in its activation. Whenever it is left for others Store.fuel is what they know: all that is left.
 */
#ifndef WR_AOT_METER_H
#define WR_AOT_METER_H

#include "raise.h"

/* Compiled code is entered by the activation. */
void wr_native_meter_begin(Native *native, NativeActivation *a);
/* It is left, for good or for something that it calls; and goes on afterwards. */
void wr_native_meter_stop(Native *native);
void wr_native_meter_go_on(Native *native);
/* The slice is used up: false if there is nothing left. */
bool wr_native_meter_refill(Native *native);
/* It has called `func`, which is interpreted: NULL, or the error if there is nothing left. Stopped meanwhile. */
Error *wr_native_meter_arrive(Native *native, Func *func, const Slot *args);
/* It has trapped, at the offset in the module or, if that is 0, at Native.left: what is left there. */
void wr_native_meter_settle(Native *native, u32 offset);

#endif
