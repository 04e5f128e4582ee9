/*
 * rights.c - fd_fdstat_get, fd_fdstat_set_rights, fd_fdstat_set_flags: what descriptors may do, that
 * it can only become less, and that directories hand rights down.
 *
 * $ mkdir root/d; echo text >root/d/file; echo ro >root/ro; chmod 644 root/ro
 * $ guest
 */
#include "guest.h"

static const __wasi_rights_t READ = __WASI_RIGHTS_FD_READ, WRITE = __WASI_RIGHTS_FD_WRITE,
                             SEEK = __WASI_RIGHTS_FD_SEEK, TELL = __WASI_RIGHTS_FD_TELL,
                             OPEN = __WASI_RIGHTS_PATH_OPEN,
                             CREATE = __WASI_RIGHTS_PATH_CREATE_FILE;

static __wasi_fdstat_t stat_of(__wasi_fd_t fd) {
    __wasi_fdstat_t stat = {0};
    __wasi_errno_t e = __wasi_fd_fdstat_get(fd, &stat);
    if (e) printf("fd_fdstat_get: %s\n", errno_name(e));
    return stat;
}

static __wasi_errno_t open_with(__wasi_fd_t dir, const char *path, __wasi_oflags_t oflags,
                                __wasi_rights_t base, __wasi_rights_t inheriting, __wasi_fd_t *fd) {
    return __wasi_path_open(dir, 0, path, oflags, base, inheriting, 0, fd);
}

static __wasi_errno_t read_byte(__wasi_fd_t fd) {
    uint8_t byte;
    __wasi_iovec_t vector = {&byte, 1};
    __wasi_size_t n;
    return __wasi_fd_read(fd, &vector, 1, &n);
}

static __wasi_errno_t seek(__wasi_fd_t fd, __wasi_filedelta_t delta, __wasi_whence_t whence) {
    __wasi_filesize_t at;
    return __wasi_fd_seek(fd, delta, whence, &at);
}

static void opened(void) {
    __wasi_fd_t fd;
    __wasi_filesize_t at;
    __wasi_filestat_t stat;
    puts("-- rights of opening");
    CALL(open_with(ROOT, "d/file", 0, READ, 0, &fd));
    CHECK(stat_of(fd).fs_rights_base == READ);
    CHECK(stat_of(fd).fs_filetype == __WASI_FILETYPE_REGULAR_FILE);
    CALL(read_byte(fd));
    CALL(write_text(fd, "x"));
    CALL(seek(fd, 0, __WASI_WHENCE_SET));
    CALL(__wasi_fd_tell(fd, &at));
    CALL(__wasi_fd_filestat_get(fd, &stat));
    CALL(__wasi_fd_filestat_set_size(fd, 0));
    CALL(__wasi_fd_allocate(fd, 0, 10));
    CALL(__wasi_fd_sync(fd));
    CALL(__wasi_fd_datasync(fd));
    CALL(__wasi_fd_advise(fd, 0, 1, 0));
    CALL(__wasi_fd_fdstat_set_flags(fd, 0));
    CALL(__wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_MTIM));
    CALL(__wasi_fd_close(fd));

    CALL(open_with(ROOT, "d/file", 0, WRITE | TELL, 0, &fd));
    CALL(read_byte(fd));
    CALL(write_text(fd, "T"));
    CALL(__wasi_fd_tell(fd, &at));
    CALL(seek(fd, 0, __WASI_WHENCE_CUR)); /* is telling */
    CALL(seek(fd, 1, __WASI_WHENCE_CUR));
    CALL(__wasi_fd_close(fd));
    CALL(open_with(ROOT, "d/file", 0, 0, 0, &fd));
    CALL(read_byte(fd));
    CALL(__wasi_fd_close(fd));
}

static void narrowed(void) {
    __wasi_fd_t fd;
    puts("-- narrowing");
    CALL(open_with(ROOT, "d/file", 0, READ | WRITE | SEEK | TELL, 0, &fd));
    CALL(__wasi_fd_fdstat_set_rights(fd, READ | SEEK, 0));
    CHECK(stat_of(fd).fs_rights_base == (READ | SEEK));
    CALL(write_text(fd, "x"));
    CALL(read_byte(fd));
    CALL(__wasi_fd_fdstat_set_rights(fd, READ | WRITE | SEEK, 0));
    CALL(__wasi_fd_fdstat_set_rights(fd, READ | SEEK, READ));
    CALL(__wasi_fd_fdstat_set_rights(fd, UINT64_MAX, 0));
    CHECK(stat_of(fd).fs_rights_base == (READ | SEEK));
    CALL(__wasi_fd_fdstat_set_rights(fd, 0, 0));
    CALL(read_byte(fd));
    CALL(__wasi_fd_close(fd));
    CALL(__wasi_fd_fdstat_set_rights(99, 0, 0));
}

static void inherited(void) {
    __wasi_fd_t dir, fd;
    __wasi_filestat_t stat;
    puts("-- handing down");
    CALL(open_with(ROOT, "d", __WASI_OFLAGS_DIRECTORY, OPEN, READ | SEEK, &dir));
    CHECK(stat_of(dir).fs_rights_base == OPEN);
    CHECK(stat_of(dir).fs_rights_inheriting == (READ | SEEK));
    CALL(open_with(dir, "file", 0, READ, 0, &fd));
    CALL(read_byte(fd));
    CALL(__wasi_fd_close(fd));
    CALL(open_with(dir, "file", 0, READ | WRITE, 0, &fd));
    CALL(open_with(dir, "file", 0, WRITE, 0, &fd));
    CALL(open_with(dir, "file", 0, READ, WRITE, &fd));
    CALL(open_with(dir, "new", __WASI_OFLAGS_CREAT, READ, 0, &fd));
    CALL(open_with(dir, "file", __WASI_OFLAGS_TRUNC, READ, 0, &fd));
    CALL(__wasi_path_filestat_get(dir, 0, "file", &stat));
    CALL(__wasi_path_filestat_set_times(dir, 0, "file", 1, 1, 1));
    CALL(__wasi_path_create_directory(dir, "x"));
    CALL(__wasi_path_remove_directory(dir, "x"));
    CALL(__wasi_path_unlink_file(dir, "file"));
    CALL(__wasi_path_symlink("x", dir, "y"));
    CALL(__wasi_path_rename(dir, "file", ROOT, "file"));
    CALL(__wasi_path_rename(ROOT, "ro", dir, "ro"));
    CALL(__wasi_path_link(dir, 0, "file", ROOT, "file"));
    CALL(__wasi_path_link(ROOT, 0, "ro", dir, "ro"));
    uint8_t buffer[64];
    __wasi_size_t n;
    CALL(__wasi_path_readlink(dir, "file", buffer, sizeof buffer, &n));
    CALL(__wasi_fd_readdir(dir, buffer, sizeof buffer, 0, &n));
    CALL(__wasi_fd_filestat_get(dir, &stat));
    CALL(__wasi_fd_fdstat_set_rights(dir, 0, READ));
    CALL(open_with(dir, "file", 0, READ, 0, &fd));
    CALL(__wasi_fd_close(dir));

    CALL(open_with(ROOT, "d", __WASI_OFLAGS_DIRECTORY, OPEN | CREATE, WRITE, &dir));
    CALL(open_with(dir, "new", __WASI_OFLAGS_CREAT, WRITE, 0, &fd));
    CALL(write_text(fd, "x"));
    CALL(__wasi_fd_close(fd));
    CALL(open_with(dir, "new", __WASI_OFLAGS_TRUNC, WRITE, 0, &fd));
    CALL(__wasi_fd_close(dir));
}

static void flags(void) {
    __wasi_fd_t fd = open_file("ro", 0, __WASI_FDFLAGS_NONBLOCK | __WASI_FDFLAGS_DSYNC);
    puts("-- flags");
    CHECK(stat_of(fd).fs_flags == (__WASI_FDFLAGS_NONBLOCK | __WASI_FDFLAGS_DSYNC));
    CALL(__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_DSYNC));
    CHECK(stat_of(fd).fs_flags == (__WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_DSYNC));
    CALL(__wasi_fd_fdstat_set_flags(fd, 0x20));
    CALL(__wasi_fd_fdstat_set_flags(99, 0));
    CALL(__wasi_fd_close(fd));
    CALL(__wasi_path_open(ROOT, 0, "ro", 0, READ, 0, 0x20, &fd));
    CALL(__wasi_path_open(ROOT, 0, "ro", 0x10, READ, 0, 0, &fd));
    CALL(__wasi_path_open(ROOT, 2, "ro", 0, READ, 0, 0, &fd));
    CALL(__wasi_path_open(ROOT, 0, "d", __WASI_OFLAGS_DIRECTORY | __WASI_OFLAGS_CREAT, READ, 0, 0,
                          &fd));
    CALL(__wasi_path_open(ROOT, 0, "ro", __WASI_OFLAGS_DIRECTORY, READ, 0, 0, &fd));
    CALL(__wasi_path_open(ROOT, 0, "d", 0, READ | WRITE, 0, 0, &fd));
}

int main(void) {
    __wasi_fdstat_t root = stat_of(ROOT);
    CHECK(root.fs_filetype == __WASI_FILETYPE_DIRECTORY);
    CHECK((root.fs_rights_base & OPEN) && (root.fs_rights_inheriting & READ));
    opened();
    narrowed();
    inherited();
    flags();
    return 0;
}
