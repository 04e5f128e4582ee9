/*
 * clock.c - reading the clocks: the host's, the embedder's, or one that stands still. Waiting for them is in
 * poll.c.
 */
#include "clock.h"

#include "guest.h"

/* All clocks of a fixed time are one; only known ones. */
static Errno fixed_time(wr_wasi_t *wasi, uint32_t clock, uint64_t step, uint64_t *now) {
    if (clock > WASI_CLOCKID_THREAD_CPUTIME_ID) return WASI_ERRNO_INVAL;
    *now = atomic_fetch_add(&wasi->fixed_time, step);
    return WASI_ERRNO_SUCCESS;
}

static Errno read_clock(wr_wasi_t *wasi, uint32_t clock, uint64_t step, uint64_t *now) {
    if (wasi->is_time_fixed) return fixed_time(wasi, clock, step, now);
    if (!wasi->clock.now) return wr_sys_clock_time(clock, now);
    return wasi->clock.now(wasi->clock.context, clock, now) ? WASI_ERRNO_SUCCESS : WASI_ERRNO_INVAL;
}

Errno wr_clock_look(wr_wasi_t *wasi, uint32_t clock, uint64_t *now) {
    return read_clock(wasi, clock, 0, now);
}

bool wr_clock_sleeps(const wr_wasi_t *wasi) { return wasi->is_time_fixed || wasi->clock.sleep; }

void wr_clock_sleep(wr_wasi_t *wasi, uint64_t nanoseconds) {
    if (wasi->is_time_fixed)
        (void)atomic_fetch_add(&wasi->fixed_time, nanoseconds);
    else
        wasi->clock.sleep(wasi->clock.context, nanoseconds);
}

Errno wr_wasi_clock_res_get(Call *call) {
    uint64_t resolution, now;
    Errno error = call->wasi->is_time_fixed || call->wasi->clock.now
                      ? wr_clock_look(call->wasi, call->args[0].u32, &now)
                      : WASI_ERRNO_SUCCESS;
    if (!error) error = wr_sys_clock_resolution(call->args[0].u32, &resolution);
    return error ? error : wr_guest_put_u64(call, call->args[1].u32, resolution);
}

/* The precision asked for is a hint to save work; there is none to be saved. */
Errno wr_wasi_clock_time_get(Call *call) {
    uint64_t now;
    Errno error = read_clock(call->wasi, call->args[0].u32, call->wasi->time_step, &now);
    return error ? error : wr_guest_put_u64(call, call->args[2].u32, now);
}

/* ---- Setting them ----------------------------------------------------------------------------------- */

void wr_wasi_set_clock(wr_wasi_t *wasi, const wr_wasi_clock_t *clock) {
    wasi->clock = clock ? *clock : (wr_wasi_clock_t){0};
    wasi->is_time_fixed = false;
}

void wr_wasi_fix_time(wr_wasi_t *wasi, uint64_t nanoseconds, uint64_t step) {
    wasi->is_time_fixed = true;
    wasi->fixed_time = nanoseconds;
    wasi->time_step = step;
}
