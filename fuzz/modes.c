/*
 * modes.c - guarded and explicitly checked memories give the same outcomes: as many modules load, calls
 * return and trap for each reason, whatever the module.
 */
#include "guest.h"

static GuestStats outcome(const u8 *data, size_t size, wr_memory_mode_t mode) {
    GuestStats stats = {0};
    wr_fuzz_guest(data, size, mode, &stats);
    stats.peak = 0;
    return stats;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    GuestStats guarded = outcome(data, size, WR_MEMORY_GUARD);
    GuestStats explicit_ = outcome(data, size, WR_MEMORY_EXPLICIT);
    bool in_time = !guarded.traps[WR_TRAP_DEADLINE] && !explicit_.traps[WR_TRAP_DEADLINE];
    if (!in_time) return 0; /* fuel is the same everywhere, time is not */
    CHECK(memcmp(&guarded, &explicit_, sizeof guarded) == 0);
    return 0;
}
