/*
 * random.c - random bytes from the host's generator.
 */
#include "guest.h"
#include "io.h"

enum { RANDOM_CHUNK = 1 << 20 }; /* bytes between two looks at interruption */

Errno wr_wasi_random_get(Call *call) {
    uint32_t address = call->args[0].u32, left = call->args[1].u32;
    Errno error = wr_guest_check(call, address, left);
    while (!error && left > 0) {
        uint32_t chunk = left < RANDOM_CHUNK ? left : RANDOM_CHUNK;
        error = wr_sys_random(wr_guest_bytes(call, address, chunk), chunk);
        address += chunk;
        left -= chunk;
        if (left > 0 && (call->trap = wr_caller_poll(call->caller))) return WASI_ERRNO_INTR;
    }
    return error;
}
