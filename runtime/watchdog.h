/*
 * watchdog.h - deadlines: one thread per engine, started by the first timeout, that sets
 * POLL_DEADLINE in Store.interrupt when a store's time has come. The code that polls does the rest; threads that have
 * to be sent a signal (os.h: stops) are sent it again every millisecond until they have heard.
 *
 * It touches a store only under its lock and only while the store is registered, so that a store
 * may be deleted at any time by its own thread.
 */
#ifndef WR_WATCHDOG_H
#define WR_WATCHDOG_H

#include "store.h"

/* Watches `store` until wr_os_now() reaches `deadline`, in place of an earlier deadline. False when
 * out of memory or threads; nothing is watched then. */
NODISCARD bool wr_watchdog_add(Store *store, u64 deadline);
/* Stops watching: afterwards the watchdog does not touch the store. Harmless if it is not
 * watched. */
void wr_watchdog_remove(Store *store);
/* Starts the thread, if it is not there. False when out of memory or threads. */
NODISCARD bool wr_watchdog_start(Engine *engine);
/* Sends a thread of the engine, by its number, the signal to stop, and sees to it that it hears it. Any thread that
 * may use the engine, signal handlers too. */
void wr_watchdog_send(Engine *engine, u32 thread);
/* Ends the thread; called with the engine's last reference. */
void wr_watchdog_stop(Engine *engine);

#endif
