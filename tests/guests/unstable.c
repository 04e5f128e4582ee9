/*
 * unstable.c - wasi_unstable, the older module, whose whence, filestat and subscription are laid
 * out differently. Standard output still goes through wasi-libc and the newer module.
 *
 * $ printf 0123456789 >root/file; touch -d '2001-02-03 04:05:06.5' root/file; ln root/file root/second
 * $ guest
 */
#include "guest.h"

#define IMPORT(name) __attribute__((import_module("wasi_unstable"), import_name(#name)))
int32_t seek0(__wasi_fd_t, int64_t, int32_t, __wasi_filesize_t *) IMPORT(fd_seek);
int32_t filestat0(__wasi_fd_t, void *) IMPORT(fd_filestat_get);
int32_t path_filestat0(__wasi_fd_t, int32_t, const char *, size_t, void *)
    IMPORT(path_filestat_get);
int32_t poll0(const void *, void *, size_t, __wasi_size_t *) IMPORT(poll_oneoff);
int32_t clock0(int32_t, int64_t, __wasi_timestamp_t *) IMPORT(clock_time_get);
int32_t write0(__wasi_fd_t, const __wasi_ciovec_t *, size_t, __wasi_size_t *) IMPORT(fd_write);
int32_t prestat0(__wasi_fd_t, __wasi_prestat_t *) IMPORT(fd_prestat_get);

typedef struct {
    __wasi_device_t dev;
    __wasi_inode_t ino;
    __wasi_filetype_t filetype;
    uint32_t nlink;
    __wasi_filesize_t size;
    __wasi_timestamp_t atim, mtim, ctim;
} Filestat0;

typedef struct {
    __wasi_userdata_t userdata;
    uint8_t tag;
    union {
        struct {
            __wasi_userdata_t identifier;
            __wasi_clockid_t id;
            __wasi_timestamp_t timeout, precision;
            __wasi_subclockflags_t flags;
        } clock;
        __wasi_fd_t fd;
    } u;
} Subscription0;

_Static_assert(sizeof(Filestat0) == 56 && sizeof(Subscription0) == 56, "layout of preview 0");

/* What lies behind a structure, to see that nothing is written there. */
typedef struct {
    Filestat0 stat;
    uint64_t guard;
} Guarded;

static void show_stat(const Guarded *g) {
    printf("%s, %" PRIu32 " links, %" PRIu64 " bytes, mtim %" PRIu64 ", guard %s\n",
           type_name(g->stat.filetype), g->stat.nlink, g->stat.size, g->stat.mtim,
           g->guard == 0x5a5a5a5a5a5a5a5a ? "whole" : "BROKEN");
}

static void show_at(__wasi_fd_t fd, int64_t delta, int32_t whence) {
    __wasi_filesize_t at = 0;
    int32_t e = seek0(fd, delta, whence, &at);
    printf("seek %" PRId64 " whence %" PRId32 ": %s, at %" PRIu64 "\n", delta, whence,
           errno_name((unsigned)e), at);
}

int main(void) {
    __wasi_fd_t fd = open_file("file", 0, 0);
    enum { CUR0, END0, SET0 };
    show_at(fd, 4, SET0);
    show_at(fd, 1, CUR0);
    show_at(fd, -1, END0);
    show_at(fd, 0, 3);

    Guarded g = {.guard = 0x5a5a5a5a5a5a5a5a};
    CALL((__wasi_errno_t)filestat0(fd, &g.stat));
    show_stat(&g);
    CALL((__wasi_errno_t)path_filestat0(ROOT, 0, "second", 6, &g.stat));
    show_stat(&g);

    __wasi_timestamp_t before = 0, after = 0;
    CALL((__wasi_errno_t)clock0(1, 0, &before));
    Subscription0 in[2] = {{.userdata = 7}, {.userdata = 8}};
    in[0].u.clock.id = __WASI_CLOCKID_MONOTONIC;
    in[0].u.clock.timeout = 30000000;
    in[1].u.clock.id = __WASI_CLOCKID_MONOTONIC;
    in[1].u.clock.timeout = before + 20000000000;
    in[1].u.clock.flags = 1;
    __wasi_event_t out[2];
    __wasi_size_t n = 0;
    CALL((__wasi_errno_t)poll0(in, out, 2, &n));
    printf("%zu events, %" PRIu64 "\n", n, out[0].userdata);
    (void)clock0(1, 0, &after);
    CHECK(after - before >= 30000000 && after - before < 10000000000);
    in[0].tag = __WASI_EVENTTYPE_FD_READ;
    in[0].u.fd = fd;
    CALL((__wasi_errno_t)poll0(in, out, 1, &n));
    printf("%zu events, %" PRIu64 ", type %u\n", n, out[0].userdata, out[0].type);

    __wasi_prestat_t prestat;
    CALL((__wasi_errno_t)prestat0(ROOT, &prestat));
    fflush(stdout);
    __wasi_ciovec_t text = {(const uint8_t *)"through the older module\n", 25};
    return (int)write0(1, &text, 1, &n);
}
