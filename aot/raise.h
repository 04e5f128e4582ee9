/*
 * raise.h - walking compiled frames: where an exception lands, and backtraces. Frames are found by the artifacts'
 * tables (artifact.h), on a native stack on which nothing runs: compiled code has been left (switch.h). What
 * the tables say is not trusted further than that nothing outside of that stack is read.
 */
#ifndef WR_AOT_RAISE_H
#define WR_AOT_RAISE_H

#include "native.h"

/* Frames that an exception has left, from where it was thrown to the landing pad that it came to last: if that does not
 * take it, a backtrace begins with them. The first and the last ones of many. */
#define TRAIL_END 32u
typedef struct NativeTrail {
    u64 count;
    const u8 *first[TRAIL_END], *last[TRAIL_END];
} NativeTrail;

/* One entry from C into compiled code, on the host stack. */
struct NativeActivation {
    NativeActivation *outer; /* the store's previous one */
    NativeExit *outer_exit;  /* Native.exit when it was entered */
    Native *thread_outer;    /* what the thread ran before */
    Instance *instance;      /* of the function that was called */
    u64 low, top;            /* of the native stack, the part that it may use */
    NativeTrail trail;
    u32 thrown_at; /* where what is on the trail was thrown, as an offset in the module; 0: the trail's first place tells */
    Error *carried; /* what the exception on the trail came with, or NULL */
    i64 other_fuel; /* meter.h: what is left beyond Store.fuel; if it is not metered, that as the host knows it */
    bool is_metered;
};

/* Goes to the caller's frame; false where there is none in this activation, or none that could be found. */
bool wr_native_step(const Native *native, const NativeActivation *a, NativeRegisters *at);
/* Makes Native.left, from where an exception is thrown, the landing pad that takes it, and adds to the trail; false if
 * there is none: nothing has changed then. */
bool wr_native_find_landing(Native *native, NativeActivation *a);
/* Which function the innermost frame is of, and where in it: at the offset in the module, or, if that is 0, at
 * Native.left. False if there is none, or if it has not begun. */
bool wr_native_place(const Native *native, const NativeActivation *a, u32 offset,
                     const Instance **instance, NativePlace *place);
/* Adds the guest frames of the activation, innermost first. `offset` is that of the instruction in the innermost one, or
 * 0: by Native.left. `goes_on`: the frames of the trail come first; they end with that of Native.left. */
void wr_native_backtrace(const Native *native, const NativeActivation *a, u32 offset, bool goes_on,
                         Error *error);

#endif
