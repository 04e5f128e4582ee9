/*
 * run.c - whatever loads can be instantiated and run within limits: it returns, traps, throws or
 * exits, and leaves nothing behind. The bytes choose how memories are bounded.
 */
#include "guest.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    GuestStats stats = {0};
    Random random = random_of_bytes(data, size);
    bool guard = random_one_in(&random, 2);
    wr_fuzz_guest(data, size, guard ? WR_MEMORY_GUARD : WR_MEMORY_EXPLICIT, &stats);
    return 0;
}
