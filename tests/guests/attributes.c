/*
 * attributes.c - fd_filestat_get, path_filestat_get and setting times, on files, directories and
 * links; times of the host as the guest sees them.
 *
 * $ printf 12345 >root/host; touch -d '2001-02-03 04:05:06.123456789' root/host
 * $ mkdir root/dir; ln -s host root/link; ln -s nowhere root/dangling; mkfifo root/fifo
 * $ guest
 * $ cd root; stat -c '%n %.9Y' guest dir link
 */
#include "guest.h"
#include <fcntl.h>
#include <sys/stat.h>

static const __wasi_fstflags_t ATIM = __WASI_FSTFLAGS_ATIM, ATIM_NOW = __WASI_FSTFLAGS_ATIM_NOW,
                               MTIM = __WASI_FSTFLAGS_MTIM, MTIM_NOW = __WASI_FSTFLAGS_MTIM_NOW,
                               FOLLOW = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW;

static __wasi_filestat_t stat_path(const char *path, __wasi_lookupflags_t flags) {
    __wasi_filestat_t stat = {0};
    __wasi_errno_t e = __wasi_path_filestat_get(ROOT, flags, path, &stat);
    printf("%s%s: ", path, flags ? " followed" : "");
    if (e)
        printf("%s\n", errno_name(e));
    else if (stat.filetype == __WASI_FILETYPE_REGULAR_FILE)
        printf("%s, %" PRIu64 " bytes, %" PRIu64 " links\n", type_name(stat.filetype), stat.size,
               stat.nlink);
    else
        printf("%s\n", type_name(stat.filetype));
    return stat;
}

static void kinds(void) {
    __wasi_filestat_t host = stat_path("host", 0), link = stat_path("link", FOLLOW);
    CHECK(host.ino == link.ino && host.dev == link.dev && host.ino != 0);
    CHECK(stat_path("link", 0).ino != host.ino);
    stat_path("dir", 0);
    stat_path("dir/", 0);
    stat_path("dir/.", 0);
    stat_path("dir/../host", 0);
    stat_path(".", 0);
    stat_path("host/", 0);
    stat_path("host/.", 0);
    stat_path("dangling", 0);
    stat_path("dangling", FOLLOW);
    stat_path("fifo", 0);
    stat_path("missing", 0);
    stat_path("", 0);
    printf("host mtim %" PRIu64 " atim %" PRIu64 "\n", host.mtim, host.atim);

    __wasi_fd_t fd = open_file("host", 0, 0);
    __wasi_filestat_t open;
    CALL(__wasi_fd_filestat_get(fd, &open));
    CHECK(open.ino == host.ino && open.size == 5 && open.mtim == host.mtim);
    CALL(__wasi_fd_filestat_get(99, &open));
    CALL(__wasi_fd_close(fd));
    CALL(__wasi_path_link(ROOT, 0, "host", ROOT, "second"));
    stat_path("second", 0);
}

static void show_times(const char *path) {
    __wasi_filestat_t stat = {0};
    __wasi_errno_t e = __wasi_path_filestat_get(ROOT, 0, path, &stat);
    printf("%s: %s, atim %" PRIu64 ", mtim %" PRIu64 "\n", path, errno_name(e), stat.atim,
           stat.mtim);
}

static void times(void) {
    __wasi_timestamp_t now, second = 1000000000;
    put_file("guest", "text");
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "guest", 7 * second + 1, 8 * second + 2,
                                        ATIM | MTIM));
    show_times("guest");
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "guest", 70 * second, 80 * second, MTIM));
    show_times("guest");
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "guest", 71 * second, 81 * second, ATIM));
    show_times("guest");
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "guest", 1, 1, 0));
    show_times("guest");
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "guest", 1, 1, ATIM | ATIM_NOW));
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "guest", 1, 1, MTIM | MTIM_NOW));
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "guest", 1, 1, 16));
    show_times("guest");

    __wasi_fd_t fd = open_file("guest", 0, 0);
    __wasi_filestat_t after;
    CALL(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 0, &now));
    CALL(__wasi_fd_filestat_set_times(fd, 0, 0, ATIM_NOW | MTIM_NOW));
    CALL(__wasi_fd_filestat_get(fd, &after));
    /* The clock of files may tick as coarsely as 10 ms. */
    CHECK(after.atim >= now - second && after.mtim >= now - second);
    CALL(__wasi_fd_filestat_set_times(fd, 5 * second, 6 * second, ATIM | MTIM));
    CALL(__wasi_fd_filestat_set_times(fd, 0, 0, ATIM | ATIM_NOW));
    show_times("guest");
    CALL(__wasi_fd_close(fd));

    puts("-- links and directories");
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "link", 11 * second, 12 * second, ATIM | MTIM));
    show_times("link");
    CALL(__wasi_path_filestat_set_times(ROOT, FOLLOW, "link", 13 * second, 14 * second,
                                        ATIM | MTIM));
    show_times("host");
    CALL(__wasi_path_filestat_set_times(ROOT, FOLLOW, "dangling", 1, 1, ATIM));
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "dir", 15 * second, 16 * second, ATIM | MTIM));
    show_times("dir");
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "missing", 1, 1, ATIM));
    struct timespec both[2] = {{17, 5}, {18, 6}};
    CHECK(utimensat(AT_FDCWD, "/guest", both, 0) == 0);
    struct stat libc;
    CHECK(lstat("/link", &libc) == 0 && S_ISLNK(libc.st_mode) && libc.st_size == 4);
    CHECK(stat("/guest", &libc) == 0 && libc.st_mtim.tv_sec == 18 && libc.st_mtim.tv_nsec == 6);
}

int main(void) {
    kinds();
    puts("-- times");
    times();
    return 0;
}
