/*
 * readonly.c - a directory given read-only: everything that reads works, nothing changes.
 *
 * $ mkdir -p ro/d; echo text >ro/file; ln -s file ro/link; before=$(find ro -printf '%p %T@ %s\n' | sort)
 * $ options=(--dir-ro ro::/)
 * $ guest
 * $ [ "$before" = "$(find ro -printf '%p %T@ %s\n' | sort)" ] && echo unchanged
 */
#include "guest.h"
#include <errno.h>

static __wasi_errno_t open_with(const char *path, __wasi_oflags_t oflags, __wasi_rights_t base) {
    __wasi_fd_t fd;
    __wasi_errno_t e = __wasi_path_open(ROOT, 1, path, oflags, base, 0, 0, &fd);
    return e ? e : __wasi_fd_close(fd);
}

int main(void) {
    __wasi_filestat_t stat;
    uint8_t buffer[256];
    __wasi_size_t n;
    CALL(open_with("file", 0, __WASI_RIGHTS_FD_READ));
    CALL(open_with("link", 0, __WASI_RIGHTS_FD_READ));
    CALL(__wasi_path_filestat_get(ROOT, 0, "d", &stat));
    CALL(__wasi_path_readlink(ROOT, "link", buffer, sizeof buffer, &n));
    CALL(__wasi_fd_readdir(ROOT, buffer, sizeof buffer, 0, &n));

    CALL(open_with("file", 0, __WASI_RIGHTS_FD_WRITE));
    CALL(open_with("new", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_READ));
    CALL(open_with("file", __WASI_OFLAGS_TRUNC, __WASI_RIGHTS_FD_READ));
    CALL(__wasi_path_create_directory(ROOT, "x"));
    CALL(__wasi_path_remove_directory(ROOT, "d"));
    CALL(__wasi_path_unlink_file(ROOT, "file"));
    CALL(__wasi_path_symlink("x", ROOT, "y"));
    CALL(__wasi_path_link(ROOT, 0, "file", ROOT, "hard"));
    CALL(__wasi_path_rename(ROOT, "file", ROOT, "moved"));
    CALL(__wasi_path_filestat_set_times(ROOT, 0, "file", 1, 1, __WASI_FSTFLAGS_MTIM));
    CALL(__wasi_fd_filestat_set_times(ROOT, 1, 1, __WASI_FSTFLAGS_MTIM));
    __wasi_fd_t d;
    if (CALL(__wasi_path_open(ROOT, 0, "d", __WASI_OFLAGS_DIRECTORY, RIGHTS_DIR, 0, 0, &d)) == 0)
        CALL(__wasi_path_create_directory(d, "x"));

    FILE *f = fopen("/file", "r");
    CHECK(f && fgetc(f) == 't');
    CHECK(fopen("/file", "w") == NULL && fopen("/new", "a") == NULL);
    return 0;
}
