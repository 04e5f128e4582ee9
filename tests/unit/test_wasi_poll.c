/* WASI: poll_oneoff over clocks and descriptors. */
#include "wasi_mock.h"

TestSuite(wasi_poll, .init = start_with_root, .fini = stop_guest, .timeout = 240);

enum { IN = 10000, OUT = 40000, MS = 1000000 };

static uint32_t subscribed;

static uint8_t *subscribe(uint64_t userdata, uint8_t type) {
    uint8_t *bytes = guest.memory + IN + subscribed++ * WASI_SUBSCRIPTION_SIZE;
    memset(bytes, 0, WASI_SUBSCRIPTION_SIZE);
    put_u64(bytes + WASI_SUBSCRIPTION_USERDATA, userdata);
    bytes[WASI_SUBSCRIPTION_U] = type;
    return bytes + WASI_SUBSCRIPTION_U + WASI_SUBSCRIPTION_U_U;
}

static void clock_after(uint64_t userdata, uint32_t id, uint64_t timeout, uint16_t flags) {
    uint8_t *clock = subscribe(userdata, WASI_EVENTTYPE_CLOCK);
    put_u32(clock + WASI_SUBSCRIPTION_CLOCK_ID, id);
    put_u64(clock + WASI_SUBSCRIPTION_CLOCK_TIMEOUT, timeout);
    put_u16(clock + WASI_SUBSCRIPTION_CLOCK_FLAGS, flags);
}

static void descriptor(uint64_t userdata, uint8_t type, uint32_t fd) {
    put_u32(subscribe(userdata, type), fd);
}

static Errno poll_all(void) {
    Errno error = CALL(poll_oneoff, IN, OUT, subscribed, RESULT);
    subscribed = 0;
    return error;
}

static const uint8_t *event(uint32_t index) {
    cr_assert_lt(index, result32());
    return guest.memory + OUT + index * WASI_EVENT_SIZE;
}

static uint64_t userdata(uint32_t index) { return get_u64(event(index) + WASI_EVENT_USERDATA); }
static uint16_t error_of(uint32_t index) { return get_u16(event(index) + WASI_EVENT_ERROR); }
static uint64_t nbytes(uint32_t index) {
    return get_u64(event(index) + WASI_EVENT_FD_READWRITE + WASI_EVENT_FD_READWRITE_NBYTES);
}
static uint16_t hangup(uint32_t index) {
    return get_u16(event(index) + WASI_EVENT_FD_READWRITE + WASI_EVENT_FD_READWRITE_FLAGS);
}

static void pipe_as_stdin(int ends[2]) {
    int saved = dup(0);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[0], 0);
    close(ends[0]);
    cr_assert_null(wr_wasi_inherit_stdio(wasi));
    dup2(saved, 0);
    close(saved);
}

Test(wasi_poll, nothing_to_wait_for) {
    cr_assert_eq(CALL(poll_oneoff, IN, OUT, 0, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(poll_oneoff, IN, OUT, UINT32_MAX, RESULT), WASI_ERRNO_INVAL);
    subscribe(1, 3);
    cr_assert_eq(poll_all(), WASI_ERRNO_INVAL, "an unknown type");
}

Test(wasi_poll, relative_and_absolute_clocks) {
    for (uint32_t clock = 0; clock < 2; clock++) {
        uint64_t start = now_ns();
        clock_after(7, clock, 20 * MS, 0);
        clock_after(8, clock, UINT64_MAX, 0);
        cr_assert_eq(poll_all(), 0);
        cr_assert_geq(now_ns() - start, UINT64_C(19) * MS);
        cr_assert_eq(result32(), 1u);
        cr_assert_eq(userdata(0), 7u);
        cr_assert_eq(error_of(0), 0);
        cr_assert_eq(event(0)[WASI_EVENT_TYPE], WASI_EVENTTYPE_CLOCK);

        start = now_ns();
        cr_assert_eq(CALL(clock_time_get, clock, 0, RESULT), 0);
        uint64_t now = result64();
        clock_after(9, clock, now + 20 * MS, WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
        cr_assert_eq(poll_all(), 0);
        cr_assert_geq(now_ns() - start, UINT64_C(18) * MS);
        clock_after(9, clock, now, WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
        cr_assert_eq(poll_all(), 0);
        cr_assert_eq(result32(), 1u, "the past is over");
    }
}

Test(wasi_poll, all_that_are_due) {
    clock_after(1, WASI_CLOCKID_MONOTONIC, 0, 0);
    clock_after(2, WASI_CLOCKID_MONOTONIC, 3600 * UINT64_C(1000) * MS, 0);
    clock_after(3, WASI_CLOCKID_REALTIME, 0, 0);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(result32(), 2u);
    cr_assert_eq(userdata(0), 1u);
    cr_assert_eq(userdata(1), 3u);
}

Test(wasi_poll, processor_time) {
    clock_after(1, WASI_CLOCKID_PROCESS_CPUTIME_ID, 0, 0);
    cr_assert_eq(poll_all(), 0);
    clock_after(1, WASI_CLOCKID_THREAD_CPUTIME_ID, 100000, 0);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(error_of(0), 0);
}

Test(wasi_poll, errors_are_events) {
    clock_after(1, 99, 0, 0);
    clock_after(2, WASI_CLOCKID_MONOTONIC, 0, 2);
    descriptor(3, WASI_EVENTTYPE_FD_READ, 99);
    descriptor(4, WASI_EVENTTYPE_FD_WRITE, 0);
    descriptor(5, WASI_EVENTTYPE_FD_READ, 3);
    clock_after(6, WASI_CLOCKID_MONOTONIC, UINT64_MAX, 0);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(result32(), 5u);
    cr_assert_eq(error_of(0), WASI_ERRNO_INVAL);
    cr_assert_eq(error_of(1), WASI_ERRNO_INVAL);
    cr_assert_eq(error_of(2), WASI_ERRNO_BADF);
    cr_assert_eq(error_of(3), WASI_ERRNO_NOTCAPABLE, "standard input is not written to");
    cr_assert_eq(error_of(4), WASI_ERRNO_ISDIR);
    cr_assert_eq(event(3)[WASI_EVENT_TYPE], WASI_EVENTTYPE_FD_WRITE);
}

Test(wasi_poll, files_are_always_ready) {
    host_file("file", "0123456789");
    uint64_t base = WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_SEEK | WASI_RIGHTS_FD_WRITE;
    uint32_t fd = must_open("file", 0, base | WASI_RIGHTS_POLL_FD_READWRITE);
    cr_assert_eq(CALL(fd_seek, fd, 4, WASI_WHENCE_SET, RESULT), 0);
    descriptor(1, WASI_EVENTTYPE_FD_READ, fd);
    descriptor(2, WASI_EVENTTYPE_FD_WRITE, fd);
    descriptor(3, WASI_EVENTTYPE_FD_READ, 0);
    descriptor(4, WASI_EVENTTYPE_FD_WRITE, 1);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(result32(), 4u);
    cr_assert_eq(nbytes(0), 6u);
    cr_assert_eq(nbytes(2), 0u);
    fd = must_open("file", 0, base);
    descriptor(1, WASI_EVENTTYPE_FD_READ, fd);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(error_of(0), WASI_ERRNO_NOTCAPABLE);
}

Test(wasi_poll, pipes) {
    int ends[2];
    pipe_as_stdin(ends);
    descriptor(1, WASI_EVENTTYPE_FD_READ, 0);
    clock_after(2, WASI_CLOCKID_MONOTONIC, 10 * MS, 0);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(result32(), 1u);
    cr_assert_eq(userdata(0), 2u, "nothing came");
    cr_assert_eq(write(ends[1], "abc", 3), 3);
    descriptor(1, WASI_EVENTTYPE_FD_READ, 0);
    clock_after(2, WASI_CLOCKID_MONOTONIC, 3600 * UINT64_C(1000) * MS, 0);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(result32(), 1u);
    cr_assert_eq(userdata(0), 1u);
    cr_assert_eq(nbytes(0), 3u);
    cr_assert_eq(hangup(0), 0);
    close(ends[1]);
    descriptor(1, WASI_EVENTTYPE_FD_READ, 0);
    cr_assert_eq(poll_all(), 0);
    cr_assert_eq(hangup(0), WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP);
}

Test(wasi_poll, a_deadline_ends_it) {
    int ends[2];
    pipe_as_stdin(ends);
    guest.patience = MS;
    guest.polls = 5;
    descriptor(1, WASI_EVENTTYPE_FD_READ, 0);
    clock_after(2, WASI_CLOCKID_MONOTONIC, 3600 * UINT64_C(1000) * MS, 0);
    cr_assert_eq(poll_all(), WASI_ERRNO_INTR);
    cr_assert_eq(last_trap->kind, WR_ERROR_TRAP);
}

Test(wasi_poll, slices_do_not_shorten_waits) {
    guest.patience = MS;
    uint64_t start = now_ns();
    clock_after(2, WASI_CLOCKID_MONOTONIC, 30 * MS, 0);
    cr_assert_eq(poll_all(), 0);
    cr_assert_geq(now_ns() - start, UINT64_C(30) * MS);
}

Test(wasi_poll, events_may_overwrite_subscriptions) {
    for (uint32_t i = 0; i < 100; i++) clock_after(i, WASI_CLOCKID_MONOTONIC, 0, 0);
    cr_assert_eq(CALL(poll_oneoff, IN, IN + 40, 100, RESULT), 0);
    cr_assert_eq(result32(), 100u);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(get_u64(guest.memory + IN + 40 + i * WASI_EVENT_SIZE), i);
}

Test(wasi_poll, the_old_layout) {
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *bytes = guest.memory + IN + i * WASI0_SUBSCRIPTION_SIZE;
        uint8_t *clock = bytes + WASI0_SUBSCRIPTION_U + WASI_SUBSCRIPTION_U_U;
        memset(bytes, 0, WASI0_SUBSCRIPTION_SIZE);
        put_u64(bytes, 50 + i);
        put_u64(clock + WASI0_SUBSCRIPTION_CLOCK_IDENTIFIER, UINT64_MAX);
        put_u32(clock + WASI0_SUBSCRIPTION_CLOCK_ID, WASI_CLOCKID_MONOTONIC);
        put_u64(clock + WASI0_SUBSCRIPTION_CLOCK_TIMEOUT, i ? 5 * MS : UINT64_MAX);
    }
    cr_assert_eq(CALL0(poll_oneoff, IN, OUT, 2, RESULT), 0);
    cr_assert_eq(result32(), 1u);
    cr_assert_eq(userdata(0), 51u);
    cr_assert_eq(error_of(0), 0);
}
