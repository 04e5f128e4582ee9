/*
 * live.h - which locals of a function may still be read, where its frame can be written down: the others need not be
 * kept, and are 0 in the frame. So compiled code keeps few values longer than it needs them itself.
 */
#ifndef WR_AOT_LIVE_H
#define WR_AOT_LIVE_H

#include "arena.h"
#include "module.h"

typedef struct Live {
    u32 count, words; /* places; words of 64 locals for each */
    u32 *places;      /* code offsets, ascending */
    u64 *sets;
} Live;

/* At the start of a valid body, at the heads of loops, behind calls, `else` and `end`. In the arena. NULL: it is not
 * known (handlers of exceptions, a very large function, no memory). */
const Live *wr_live_find(Arena *arena, const Code *code, const u8 *base);
/* The set for that code offset, bit i % 64 of word i / 64 for local i. NULL: all may be read, since `live` is NULL, or it
 * is no such place. */
const u64 *wr_live_at(const Live *live, u32 place);

#endif
