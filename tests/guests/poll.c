/*
 * poll.c - poll_oneoff: clocks, relative and absolute, files, pipes that are ready, that wait and
 * that are hung up.
 *
 * $ echo text >root/file
 * $ guest files </dev/null
 * $ echo data | guest pipe
 * $ { sleep 0.3; echo late; } | guest late
 * $ true | guest hangup
 * $ mkfifo ../silent; guest never <>../silent
 */
#include "guest.h"
#include <poll.h>

static const __wasi_timestamp_t MS = 1000000;
#define LONG                                                                                       \
    (1000000 * MS) /* more than any stall of the machine; who waits so long is stopped by run.sh */

static __wasi_subscription_t on_clock(uint64_t data, __wasi_clockid_t id, __wasi_timestamp_t t,
                                      __wasi_subclockflags_t flags) {
    __wasi_subscription_t s = {.userdata = data};
    s.u.tag = __WASI_EVENTTYPE_CLOCK;
    s.u.u.clock.id = id;
    s.u.u.clock.timeout = t;
    s.u.u.clock.flags = flags;
    return s;
}

static __wasi_subscription_t on_fd(uint64_t data, __wasi_eventtype_t type, __wasi_fd_t fd) {
    __wasi_subscription_t s = {.userdata = data};
    s.u.tag = type;
    s.u.u.fd_read.file_descriptor = fd;
    return s;
}

static __wasi_timestamp_t now(__wasi_clockid_t id) {
    __wasi_timestamp_t t = 0;
    (void)__wasi_clock_time_get(id, 1, &t);
    return t;
}

typedef enum Detail { TYPES, BYTES, HANGUP } Detail;

/* Waits and prints the events, with as much of them as does not depend on the machine. */
static void wait_for(const char *what, __wasi_subscription_t *in, size_t count, Detail detail) {
    static const char *const types[] = {"clock", "read", "write"};
    __wasi_event_t out[8];
    __wasi_size_t n = 0;
    memset(out, 0x55, sizeof out);
    __wasi_errno_t e = __wasi_poll_oneoff(in, out, count, &n);
    printf("%s: %s, %zu events\n", what, errno_name(e), n);
    for (size_t i = 0; !e && i < n; i++) {
        printf("  %" PRIu64 " %s %s", out[i].userdata, out[i].type < 3 ? types[out[i].type] : "?",
               errno_name(out[i].error));
        bool ready = !out[i].error && out[i].type != __WASI_EVENTTYPE_CLOCK;
        if (ready && detail >= BYTES) printf(" %" PRIu64 " bytes", out[i].fd_readwrite.nbytes);
        if (ready && detail == HANGUP)
            printf(", %shung up", out[i].fd_readwrite.flags & 1 ? "" : "not ");
        puts("");
    }
}

static void clocks(void) {
    __wasi_timestamp_t start = now(1);
    __wasi_subscription_t s[3] = {on_clock(1, 1, 30 * MS, 0)};
    wait_for("30 ms", s, 1, TYPES);
    CHECK(now(1) - start >= 30 * MS);
    start = now(1);
    s[0] = on_clock(2, 0, 30 * MS, 0);
    wait_for("30 ms of real time", s, 1, TYPES);
    CHECK(now(1) - start >= 29 * MS);
    start = now(1);
    s[0] = on_clock(3, 1, start + 40 * MS, 1);
    wait_for("until", s, 1, TYPES);
    CHECK(now(1) - start >= 40 * MS && now(1) - start < LONG);
    s[0] = on_clock(4, 1, start, 1);
    wait_for("until the past", s, 1, TYPES);
    s[0] = on_clock(5, 0, 1, 1);
    wait_for("until 1970", s, 1, TYPES);
    s[0] = on_clock(6, 1, 0, 0);
    wait_for("not at all", s, 1, TYPES);
    s[0] = on_clock(7, 1, LONG, 0), s[1] = on_clock(8, 1, 20 * MS, 0);
    s[2] = on_clock(9, 1, UINT64_MAX, 0);
    wait_for("the soonest of three", s, 3, TYPES);
    s[0] = on_clock(10, 1, LONG, 0), s[1] = on_clock(11, 1, 0, 0);
    wait_for("the earlier of two", s, 2, TYPES);
    s[0] = on_clock(12, 77, 5 * MS, 0);
    wait_for("no such clock", s, 1, TYPES);
    s[0] = on_clock(13, 1, 5 * MS, 2);
    wait_for("no such flag", s, 1, TYPES);
    s[0] = on_clock(14, 1, 5 * MS, 0), s[0].u.tag = 9;
    wait_for("no such type", s, 1, TYPES);
    wait_for("nothing", s, 0, TYPES);
}

static void files(void) {
    __wasi_fd_t fd = open_file("file", 0, 0), blind;
    __wasi_subscription_t s[4] = {on_fd(1, 1, fd), on_fd(2, 2, fd)};
    wait_for("a file", s, 2, TYPES);
    s[2] = on_clock(3, 1, LONG, 0);
    wait_for("a file or a clock", s, 3, TYPES);
    s[0] = on_fd(4, 1, 99);
    wait_for("no descriptor", s, 1, TYPES);
    s[0] = on_fd(5, 1, 99), s[1] = on_fd(6, 1, fd);
    wait_for("no descriptor and a file", s, 2, TYPES);
    CALL(__wasi_path_open(ROOT, 0, "file", 0, __WASI_RIGHTS_FD_READ, 0, 0, &blind));
    s[0] = on_fd(7, 1, blind);
    wait_for("without the right", s, 1, TYPES);
    s[0] = on_fd(8, 2, 1);
    wait_for("standard output", s, 1, TYPES);
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    CHECK(poll(&p, 1, -1) == 1 && (p.revents & POLLIN));
}

static void input(const char *what) {
    __wasi_subscription_t s[2] = {on_fd(1, 1, 0), on_clock(2, 1, LONG, 0)};
    if (strcmp(what, "never") == 0) s[1].u.u.clock.timeout = 50 * MS;
    wait_for(what, s, 2, BYTES);
    if (strcmp(what, "never") == 0) return;
    char text[32];
    __wasi_iovec_t vector = {(uint8_t *)text, sizeof text};
    __wasi_size_t n = 0;
    CALL(__wasi_fd_read(0, &vector, 1, &n));
    printf("%zu read\n", n);
    wait_for("and then", s, 1, HANGUP); /* as soon as the writer has gone */
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "files") == 0) {
        clocks();
        files();
    } else if (argc > 1) {
        input(argv[1]);
    }
    return 0;
}
