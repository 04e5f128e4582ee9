/*
 * frames.h - frames written down as the interpreter has them, while they are on no stack: those of compiled code, with
 * which the interpreter is to go on (aot/spill.h), and those of a call that pauses in activations of both engines. Each
 * activation adds its own, innermost first. There is one list for each store, and it is empty whenever guest code runs.
 *
 * References in it are no roots: nothing may be allocated on the heap before the frames are on a stack again.
 */
#ifndef WR_FRAMES_H
#define WR_FRAMES_H

#include "error.h"
#include "module.h"

typedef struct wr_store Store;
typedef struct wr_func Func;

typedef struct CanonicalFrame {
    _Alignas(8) Func *func; /* which is interpreted, and ready to run; a frame takes whole slots */
    const u8 *pc;           /* where it goes on */
    const SideEntry *entry; /* the first at or after pc */
    u32 nslots; /* behind this: locals and operands, without the arguments of a call that it is in */
    u32 before; /* where the one is that was added before */
} CanonicalFrame;

typedef struct FrameList {
    Slot *slots;
    u32 size, capacity;
    u32 last; /* where the outermost frame is */
    u32 count;
    Error *error;          /* why one could not be written down: the call cannot go on */
    wr_trap_code_t reason; /* why the call pauses; WR_TRAP_NONE: it goes on at once */
} FrameList;

INLINE const CanonicalFrame *frame_at(const FrameList *list, u32 at) {
    return (const CanonicalFrame *)(const void *)(list->slots + at);
}

/* Adds a frame of a function, compiled or not, at these offsets in its code and side table, and gives its slots, to be
 * filled; NULL: Store.written.error says why not. */
Slot *wr_frames_add(Store *store, Func *func, u32 pc, u32 entry, u32 nslots);
/* Adds a function that has just been called with these arguments. */
void wr_frames_add_call(Store *store, Func *func, const Slot *args);
/* Empties the list, and forgets its error. */
void wr_frames_clear(Store *store);

#endif
