/*
 * imports.c - every function of wasi_snapshot_preview1 with the type that wasi-libc gives it, and
 * proc_raise, which it no longer has: that it can be instantiated is most of the test. Each is
 * called once with arguments that do no harm.
 */
#include "guest.h"

#define BAD 99
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int32_t
proc_raise(int32_t);

static uint8_t bytes[4096], *strings[64];
static __wasi_size_t a, b;
static __wasi_timestamp_t t;
static __wasi_fdstat_t fdstat;
static __wasi_filestat_t filestat;
static __wasi_filesize_t offset;
static __wasi_iovec_t in = {bytes, 1};
static __wasi_ciovec_t out = {bytes, 1};
static __wasi_prestat_t prestat;
static __wasi_subscription_t subscription;
static __wasi_event_t event;
static __wasi_roflags_t roflags;
static __wasi_fd_t fd;

int main(int argc, char **argv) {
    (void)argv;
    CALL(__wasi_args_get(strings, bytes));
    CALL(__wasi_args_sizes_get(&a, &b));
    CALL(__wasi_environ_get(strings, bytes));
    CALL(__wasi_environ_sizes_get(&a, &b));
    CALL(__wasi_clock_res_get(0, &t));
    CALL(__wasi_clock_time_get(0, 0, &t));
    CALL(__wasi_fd_advise(BAD, 0, 0, 0));
    CALL(__wasi_fd_allocate(BAD, 0, 0));
    CALL(__wasi_fd_close(BAD));
    CALL(__wasi_fd_datasync(BAD));
    CALL(__wasi_fd_fdstat_get(BAD, &fdstat));
    CALL(__wasi_fd_fdstat_set_flags(BAD, 0));
    CALL(__wasi_fd_fdstat_set_rights(BAD, 0, 0));
    CALL(__wasi_fd_filestat_get(BAD, &filestat));
    CALL(__wasi_fd_filestat_set_size(BAD, 0));
    CALL(__wasi_fd_filestat_set_times(BAD, 0, 0, 0));
    CALL(__wasi_fd_pread(BAD, &in, 1, 0, &a));
    CALL(__wasi_fd_prestat_get(BAD, &prestat));
    CALL(__wasi_fd_prestat_dir_name(BAD, bytes, 1));
    CALL(__wasi_fd_pwrite(BAD, &out, 1, 0, &a));
    CALL(__wasi_fd_read(BAD, &in, 1, &a));
    CALL(__wasi_fd_readdir(BAD, bytes, 1, 0, &a));
    CALL(__wasi_fd_renumber(BAD, BAD));
    CALL(__wasi_fd_seek(BAD, 0, 0, &offset));
    CALL(__wasi_fd_sync(BAD));
    CALL(__wasi_fd_tell(BAD, &offset));
    CALL(__wasi_fd_write(BAD, &out, 1, &a));
    CALL(__wasi_path_create_directory(BAD, "x"));
    CALL(__wasi_path_filestat_get(BAD, 0, "x", &filestat));
    CALL(__wasi_path_filestat_set_times(BAD, 0, "x", 0, 0, 0));
    CALL(__wasi_path_link(BAD, 0, "x", BAD, "y"));
    CALL(__wasi_path_open(BAD, 0, "x", 0, 0, 0, 0, &fd));
    CALL(__wasi_path_readlink(BAD, "x", bytes, 1, &a));
    CALL(__wasi_path_remove_directory(BAD, "x"));
    CALL(__wasi_path_rename(BAD, "x", BAD, "y"));
    CALL(__wasi_path_symlink("x", BAD, "y"));
    CALL(__wasi_path_unlink_file(BAD, "x"));
    subscription.u.tag = __WASI_EVENTTYPE_CLOCK;
    CALL(__wasi_poll_oneoff(&subscription, &event, 1, &a));
    CALL(__wasi_sched_yield());
    CALL(__wasi_random_get(bytes, 1));
    CALL(__wasi_sock_accept(BAD, 0, &fd));
    CALL(__wasi_sock_recv(BAD, &in, 1, 0, &a, &roflags));
    CALL(__wasi_sock_send(BAD, &out, 1, 0, &a));
    CALL(__wasi_sock_shutdown(BAD, 1));
    CALL((__wasi_errno_t)proc_raise(-1));
    if (argc > 100) __wasi_proc_exit(0);
    return 0;
}
