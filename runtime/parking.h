/*
 * parking.h - threads that wait at an address of a shared memory (spec: the threads proposal,
 * memory.atomic.wait and notify). One table of waiting threads per engine, keyed by host address:
 * shared memories never move, and all stores that can share one have the same engine.
 */
#ifndef WR_PARKING_H
#define WR_PARKING_H

#include "store.h"

typedef enum WaitResult { WAIT_WOKEN, WAIT_NOT_EQUAL, WAIT_TIMED_OUT } WaitResult;

/* Waits if the `size` bytes (4 or 8) at `address` hold `expected`, until it is notified or `timeout`
 * nanoseconds have passed (negative: for ever). Looks after the store's deadline and interruption if
 * `polls`. WR_TRAP_NONE, or what stopped it: nothing has then happened. */
wr_trap_code_t wr_park(Store *store, const u8 *address, u32 size, u64 expected, i64 timeout,
                       bool polls, WaitResult *result);
/* Wakes up to `count` threads that wait at the address, in the order of their coming. How many. */
u32 wr_unpark(Store *store, const u8 *address, u32 count);

void wr_parking_delete(Engine *engine);

#endif
