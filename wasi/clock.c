/*
 * clock.c - reading the clocks. Waiting for them is in poll.c.
 */
#include "guest.h"

Errno wr_wasi_clock_res_get(Call *call) {
    uint64_t resolution;
    Errno error = wr_sys_clock_resolution(call->args[0].u32, &resolution);
    return error ? error : wr_guest_put_u64(call, call->args[1].u32, resolution);
}

/* The precision asked for is a hint to save work; there is none to be saved. */
Errno wr_wasi_clock_time_get(Call *call) {
    uint64_t now;
    Errno error = wr_sys_clock_time(call->args[0].u32, &now);
    return error ? error : wr_guest_put_u64(call, call->args[2].u32, now);
}
