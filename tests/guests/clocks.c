/*
 * clocks.c - clock_res_get, clock_time_get and sleeping through libc.
 */
#include "guest.h"
#include <errno.h>
#include <time.h>

static void check_clock(const char *name, __wasi_clockid_t id) {
    __wasi_timestamp_t resolution = 0, first = 0, next = 0;
    printf("%s\n", name);
    CALL(__wasi_clock_res_get(id, &resolution));
    CHECK(resolution >= 1 && resolution <= 1000000000);
    CALL(__wasi_clock_time_get(id, 0, &first));
    bool monotonic = true, moves = false;
    for (int i = 0; i < 200000 && !(moves && i > 1000); i++) {
        if (__wasi_clock_time_get(id, UINT64_MAX, &next) != 0 || next < first) monotonic = false;
        moves = moves || next > first;
    }
    CHECK(monotonic);
    CHECK(moves);
}

int main(void) {
    check_clock("realtime", __WASI_CLOCKID_REALTIME);
    check_clock("monotonic", __WASI_CLOCKID_MONOTONIC);
    check_clock("process", __WASI_CLOCKID_PROCESS_CPUTIME_ID);
    check_clock("thread", __WASI_CLOCKID_THREAD_CPUTIME_ID);

    __wasi_timestamp_t t;
    CALL(__wasi_clock_time_get(4, 0, &t));
    CALL(__wasi_clock_res_get(UINT32_MAX, &t));

    CALL(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 0, &t));
    CHECK(t > UINT64_C(1577836800) * 1000000000); /* 2020 */
    CHECK(t < UINT64_C(4102444800) * 1000000000); /* 2100 */
    __wasi_timestamp_t later = 0;
    time_t now = time(NULL);
    CALL(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 0, &later));
    CHECK(now >= (time_t)(t / 1000000000) - 1 && now <= (time_t)(later / 1000000000));

    struct timespec before, after, pause = {0, 30000000}, bad = {0, 1000000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(nanosleep(&pause, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t slept = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    CHECK(slept >= 30000000);
    CHECK(nanosleep(&bad, NULL) == -1 && errno == EINVAL);
    CHECK(__wasi_sched_yield() == 0);
    return 0;
}
