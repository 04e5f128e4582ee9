/*
 * watchdog.h - deadlines: one thread per engine, started by the first timeout, that sets
 * POLL_DEADLINE in Store.interrupt when a store's time has come. The code that polls does the rest.
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
/* Ends the thread; called with the engine's last reference. */
void wr_watchdog_stop(Engine *engine);

#endif
