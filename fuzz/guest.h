/*
 * guest.h - runs a module that nobody vouches for: loads it, gives it what it imports, calls whatever it
 * exports, within limits. Shared by the targets that run code and by the mutation driver.
 */
#ifndef WR_FUZZ_GUEST_H
#define WR_FUZZ_GUEST_H

#include "fuzz.h"
#include "wasmrun.h"

#define ERROR_KINDS (WR_ERROR_USAGE + 1)
#define TRAP_CODES (WR_TRAP_HOST + 1)

/* What became of it; added to. */
typedef struct GuestStats {
    u64 modules, loaded, linked, instantiated, calls, returned;
    u64 refused[ERROR_KINDS]; /* by loading */
    u64 failed[ERROR_KINDS];  /* instantiations and calls, by kind of error */
    u64 traps[TRAP_CODES];    /* those of them that are traps, by code */
    u64 peak;                 /* greatest number of bytes that an engine held */
} GuestStats;

/* Checks on the way that every error says what it is, that references that come back are of their
 * types, and that everything was freed in the end. The bytes decide what arguments are. */
void wr_fuzz_guest(const u8 *data, size_t size, wr_memory_mode_t mode, GuestStats *stats);

bool wr_fuzz_loads(const u8 *data, size_t size);

#endif
