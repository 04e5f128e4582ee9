/*
 * hostile.c - addresses and lengths outside of memory in every argument that takes them: each call
 * returns an errno or traps, changes nothing outside of what it names, and the host lives. An
 * argument names the case, so that a trap ends one case alone.
 *
 * $ echo text >root/file; ln -s file root/link
 * $ options+=(--env NAME=value)
 * $ for i in $(seq 0 $(($(guest count) - 1))); do
 * $     guest $i 2>err; s=$?
 * $     case $s in 0) ;; 134) echo "$i traps" ;; *) echo "$i: status $s: $(cat err)" ;; esac
 * $ done
 */
#include "guest.h"

#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
int32_t args_get(uint32_t, uint32_t) IMPORT(args_get);
int32_t args_sizes_get(uint32_t, uint32_t) IMPORT(args_sizes_get);
int32_t environ_get(uint32_t, uint32_t) IMPORT(environ_get);
int32_t environ_sizes_get(uint32_t, uint32_t) IMPORT(environ_sizes_get);
int32_t clock_res(uint32_t, uint32_t) IMPORT(clock_res_get);
int32_t clock_time(uint32_t, uint64_t, uint32_t) IMPORT(clock_time_get);
int32_t fdstat_get(uint32_t, uint32_t) IMPORT(fd_fdstat_get);
int32_t filestat_get(uint32_t, uint32_t) IMPORT(fd_filestat_get);
int32_t pread_at(uint32_t, uint32_t, uint32_t, uint64_t, uint32_t) IMPORT(fd_pread);
int32_t pwrite_at(uint32_t, uint32_t, uint32_t, uint64_t, uint32_t) IMPORT(fd_pwrite);
int32_t read_fd(uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(fd_read);
int32_t write_fd(uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(fd_write);
int32_t prestat_get(uint32_t, uint32_t) IMPORT(fd_prestat_get);
int32_t prestat_name(uint32_t, uint32_t, uint32_t) IMPORT(fd_prestat_dir_name);
int32_t read_dir(uint32_t, uint32_t, uint32_t, uint64_t, uint32_t) IMPORT(fd_readdir);
int32_t seek_fd(uint32_t, uint64_t, uint32_t, uint32_t) IMPORT(fd_seek);
int32_t tell_fd(uint32_t, uint32_t) IMPORT(fd_tell);
int32_t make_dir(uint32_t, uint32_t, uint32_t) IMPORT(path_create_directory);
int32_t stat_path(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(path_filestat_get);
int32_t times_path(uint32_t, uint32_t, uint32_t, uint32_t, uint64_t, uint64_t, uint32_t)
    IMPORT(path_filestat_set_times);
int32_t link_path(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t)
    IMPORT(path_link);
int32_t open_path(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint64_t, uint64_t, uint32_t,
                  uint32_t) IMPORT(path_open);
int32_t read_link(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(path_readlink);
int32_t remove_dir(uint32_t, uint32_t, uint32_t) IMPORT(path_remove_directory);
int32_t rename_path(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(path_rename);
int32_t symlink_path(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(path_symlink);
int32_t unlink_path(uint32_t, uint32_t, uint32_t) IMPORT(path_unlink_file);
int32_t poll_raw(uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(poll_oneoff);
int32_t random_bytes(uint32_t, uint32_t) IMPORT(random_get);
int32_t recv_sock(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(sock_recv);
int32_t send_sock(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t) IMPORT(sock_send);
int32_t accept_sock(uint32_t, uint32_t, uint32_t) IMPORT(sock_accept);

enum { TOP = 0xffffffff };
static uint32_t end;       /* size of memory */
static uint8_t good[4096]; /* stays as it is */
static char path[] = "file", link_name[] = "link";
static __wasi_iovec_t vectors[4];
static __wasi_subscription_t subscription;

#define G ((uint32_t)(uintptr_t)good)
#define P ((uint32_t)(uintptr_t)path)
#define V ((uint32_t)(uintptr_t)vectors)
#define S ((uint32_t)(uintptr_t)&subscription)

/* One vector of that address and length. */
static uint32_t vec(uint32_t address, uint32_t length) {
    vectors[0].buf = (uint8_t *)(uintptr_t)address;
    vectors[0].buf_len = length;
    return V;
}

/* A good vector, then one of that address and length. */
static uint32_t vec2(uint32_t address, uint32_t length) {
    vec(G, 4);
    vectors[1].buf = (uint8_t *)(uintptr_t)address;
    vectors[1].buf_len = length;
    return V;
}

static uint32_t the_link(void) { return (uint32_t)(uintptr_t)link_name; }

/* Every case: the calls below count themselves, and only the chosen one is made. */
static int chosen, counted;
#define CASE(call)                                                                                 \
    do {                                                                                           \
        if (chosen == counted++) show(#call, (__wasi_errno_t)(call));                              \
    } while (0)

static void simple(void) {
    CASE(args_get(end, G));
    CASE(args_get(G, end));
    CASE(args_get(end - 3, G));
    CASE(args_get(TOP, TOP));
    CASE(args_sizes_get(end, G));
    CASE(args_sizes_get(G, end - 3));
    CASE(args_sizes_get(TOP, G));
    CASE(environ_get(end, G));
    CASE(environ_get(TOP, TOP));
    CASE(environ_sizes_get(end - 2, G));
    CASE(clock_res(0, end));
    CASE(clock_time(0, 0, end - 7));
    CASE(clock_time(0, 0, TOP));
    CASE(random_bytes(end, 0));
    CASE(random_bytes(end, 1));
    CASE(random_bytes(end - 4, 5));
    CASE(random_bytes(G, TOP));
    CASE(random_bytes(TOP, TOP));
    CASE(random_bytes(1, TOP));
}

static void descriptors(uint32_t fd) {
    CASE(fdstat_get(fd, end));
    CASE(fdstat_get(fd, end - 23));
    CASE(filestat_get(fd, end - 63));
    CASE(filestat_get(fd, TOP));
    CASE(prestat_get(ROOT, end - 7));
    CASE(prestat_name(ROOT, end, 1));
    CASE(prestat_name(ROOT, TOP, 1));
    CASE(seek_fd(fd, 0, 0, end));
    CASE(seek_fd(fd, 0, 0, TOP - 6));
    CASE(tell_fd(fd, end - 7));

    CASE(read_fd(fd, end, 1, G));
    CASE(read_fd(fd, end - 7, 1, G));
    CASE(read_fd(fd, V, TOP, G));
    CASE(read_fd(fd, V, 0x20000000, G)); /* 8 times that is 0 modulo 2^32 */
    CASE(read_fd(fd, V, 0x20000001, G));
    CASE(read_fd(fd, vec(end, 1), 1, G));
    CASE(read_fd(fd, vec(end - 1, 2), 1, G));
    CASE(read_fd(fd, vec(TOP, TOP), 1, G));
    CASE(read_fd(fd, vec(16, TOP - 15), 1, G));
    CASE(read_fd(fd, vec(G, 4), 1, end));
    CASE(read_fd(fd, vec(G, 4), 1, TOP));
    CASE(read_fd(fd, vec2(end, 1), 2, G));
    CASE(read_fd(fd, vec2(TOP, 1), 2, G));
    CASE(write_fd(fd, end, 1, G));
    CASE(write_fd(fd, V, 0x20000000, G));
    CASE(write_fd(fd, vec(end, 1), 1, G));
    CASE(write_fd(fd, vec2(end - 1, 2), 2, G));
    CASE(write_fd(fd, vec(G, 4), 1, end - 3));
    CASE(pread_at(fd, vec(end, 1), 1, 0, G));
    CASE(pread_at(fd, end - 4, 1, 0, G));
    CASE(pread_at(fd, vec(G, 1), 1, 0, TOP));
    CASE(pwrite_at(fd, vec(end, 1), 1, 0, G));
    CASE(pwrite_at(fd, vec(G, 1), 1, 0, end));
    CASE(read_dir(ROOT, end, 100, 0, G));
    CASE(read_dir(ROOT, G, TOP, 0, G));
    CASE(read_dir(ROOT, end - 10, 11, 0, G));
    CASE(read_dir(ROOT, G, 100, 0, end));
    CASE(recv_sock(0, vec(end, 1), 1, 0, G, G));
    CASE(recv_sock(0, end, 1, 0, end, end));
    CASE(send_sock(0, vec(TOP, TOP), 1, 0, G));
    CASE(accept_sock(0, 0, end));
}

static void paths(void) {
    CASE(make_dir(ROOT, end, 1));
    CASE(make_dir(ROOT, end - 1, 2));
    CASE(make_dir(ROOT, TOP, TOP));
    CASE(make_dir(ROOT, P, TOP));
    CASE(stat_path(ROOT, 0, end, 4, G));
    CASE(stat_path(ROOT, 0, P, 4, end - 63));
    CASE(stat_path(ROOT, 0, P, 4, TOP));
    CASE(times_path(ROOT, 0, end, 4, 0, 0, 0));
    CASE(link_path(ROOT, 0, end, 4, ROOT, P, 4));
    CASE(link_path(ROOT, 0, P, 4, ROOT, end, 4));
    CASE(open_path(ROOT, 0, end, 4, 0, 2, 0, 0, G));
    CASE(open_path(ROOT, 0, P, TOP, 0, 2, 0, 0, G));
    CASE(open_path(ROOT, 0, P, 4, 0, 2, 0, 0, end));
    CASE(open_path(ROOT, 0, P, 4, 0, 2, 0, 0, end - 3));
    CASE(open_path(ROOT, 0, P, 4, 0xffff, ~0ull, ~0ull, 0xffff, G));
    CASE(read_link(ROOT, end, 4, G, 10, G));
    CASE(read_link(ROOT, the_link(), 4, end, 10, G));
    CASE(read_link(ROOT, the_link(), 4, G, TOP, G));
    CASE(read_link(ROOT, the_link(), 4, G, 10, end));
    CASE(remove_dir(ROOT, TOP, 1));
    CASE(rename_path(ROOT, end, 4, ROOT, P, 4));
    CASE(rename_path(ROOT, P, 4, ROOT, TOP, TOP));
    CASE(symlink_path(end, 4, ROOT, P, 4));
    CASE(symlink_path(P, 4, ROOT, end, 4));
    CASE(unlink_path(ROOT, end - 2, 4));
}

static void polls(void) {
    CASE(poll_raw(end, G, 1, G));
    CASE(poll_raw(end - 40, G, 1, G));
    CASE(poll_raw(S, end, 1, G));
    CASE(poll_raw(S, end - 31, 1, G));
    CASE(poll_raw(S, G, 1, end));
    CASE(poll_raw(S, G, 0x10000000, G));
    CASE(poll_raw(S, G, TOP, G));
    CASE(poll_raw(S, G, 0x05555556, G)); /* 48 times that is small modulo 2^32 */
}

int main(int argc, char **argv) {
    end = (uint32_t)__builtin_wasm_memory_size(0) << 16;
    subscription.u.tag = __WASI_EVENTTYPE_CLOCK;
    subscription.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    bool count = argc > 1 && strcmp(argv[1], "count") == 0;
    chosen = argc > 1 && !count ? atoi(argv[1]) : -1;
    __wasi_fd_t fd = open_file("file", 0, 0);
    simple();
    descriptors((uint32_t)fd);
    paths();
    polls();
    if (count) {
        printf("%d\n", counted);
        return 0;
    }
    /* The file is as it was, whatever was tried. */
    __wasi_filestat_t stat = {0};
    if (__wasi_fd_filestat_get(fd, &stat) != 0 || stat.size != 5) puts("the file has CHANGED");
    return 0;
}
