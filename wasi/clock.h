/*
 * clock.h - the time as a guest sees it, for who waits for it.
 */
#ifndef WR_WASI_CLOCK_H
#define WR_WASI_CLOCK_H

#include "wasi.h"

/* Without making a fixed time go on. */
Errno wr_clock_look(wr_wasi_t *wasi, uint32_t clock, uint64_t *now);
/* Whether time passes by wr_clock_sleep() instead of by waiting. */
bool wr_clock_sleeps(const wr_wasi_t *wasi);
void wr_clock_sleep(wr_wasi_t *wasi, uint64_t nanoseconds);

#endif
