/*
 * resize.c - fd_allocate, fd_filestat_set_size, fd_advise, fd_sync and fd_datasync.
 */
#include "guest.h"
#include <fcntl.h>
#include <unistd.h>

static void show_size(__wasi_fd_t fd) {
    __wasi_filestat_t stat = {0};
    __wasi_errno_t e = __wasi_fd_filestat_get(fd, &stat);
    printf("size: %s %" PRIu64 "\n", errno_name(e), stat.size);
}

int main(void) {
    __wasi_fd_t fd = open_file("file", __WASI_OFLAGS_CREAT, 0);
    write_text(fd, "0123456789");
    CALL(__wasi_fd_filestat_set_size(fd, 4));
    show_size(fd);
    CALL(__wasi_fd_filestat_set_size(fd, 8));
    show_size(fd);
    uint8_t bytes[8] = "xxxxxxx";
    __wasi_iovec_t vector = {bytes, 8};
    __wasi_size_t n;
    CALL(__wasi_fd_pread(fd, &vector, 1, 0, &n));
    CHECK(n == 8 && memcmp(bytes, "0123\0\0\0\0", 8) == 0);
    CALL(__wasi_fd_filestat_set_size(fd, 0));
    show_size(fd);
    CALL(__wasi_fd_filestat_set_size(fd, UINT64_MAX));
    CALL(__wasi_fd_filestat_set_size(fd, UINT64_C(1) << 63));
    show_size(fd);
    CALL(write_text(fd, "after")); /* the offset stayed at 10 */
    show_size(fd);

    CALL(__wasi_fd_allocate(fd, 0, 100));
    show_size(fd);
    CALL(__wasi_fd_allocate(fd, 50, 10));
    show_size(fd);
    CALL(__wasi_fd_allocate(fd, 1000, 24));
    show_size(fd);
    CALL(__wasi_fd_allocate(fd, 0, 0));
    CALL(__wasi_fd_allocate(fd, UINT64_MAX, 2));
    CALL(__wasi_fd_allocate(fd, 2, UINT64_MAX));
    show_size(fd);

    CALL(__wasi_fd_advise(fd, 0, 10, __WASI_ADVICE_SEQUENTIAL));
    CALL(__wasi_fd_advise(fd, 0, 0, __WASI_ADVICE_DONTNEED));
    CALL(__wasi_fd_advise(fd, 5, 10, __WASI_ADVICE_NOREUSE));
    CALL(__wasi_fd_advise(fd, 0, 10, 6));
    CALL(__wasi_fd_advise(99, 0, 10, 0));
    CALL(__wasi_fd_sync(fd));
    CALL(__wasi_fd_datasync(fd));
    CALL(__wasi_fd_sync(99));
    CALL(__wasi_fd_close(fd));

    /* Opening with TRUNC, and not with CREAT alone. */
    fd = open_file("file", __WASI_OFLAGS_CREAT, __WASI_FDFLAGS_SYNC);
    show_size(fd);
    CALL(__wasi_fd_close(fd));
    fd = open_file("file", __WASI_OFLAGS_TRUNC, 0);
    show_size(fd);
    CALL(__wasi_fd_close(fd));
    fd = open_file("file", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, 0);
    fd = open_file("other", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, 0);
    CALL(__wasi_fd_close(fd));

    CALL(__wasi_fd_filestat_set_size(ROOT, 0));
    CALL(__wasi_fd_allocate(ROOT, 0, 10));
    int f = open("/other", O_RDWR);
    CHECK(ftruncate(f, 12345) == 0 && lseek(f, 0, SEEK_END) == 12345);
    CHECK(posix_fallocate(f, 20000, 1) == 0 && lseek(f, 0, SEEK_END) == 20001);
    return 0;
}
