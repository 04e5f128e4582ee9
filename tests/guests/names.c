/*
 * names.c - path_create_directory, path_remove_directory, path_unlink_file and path_rename.
 *
 * $ guest
 * $ cd root; find . -mindepth 1 | sort
 */
#include "guest.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(void) {
    puts("-- making and removing");
    CALL(__wasi_path_create_directory(ROOT, "d"));
    CALL(__wasi_path_create_directory(ROOT, "d"));
    CALL(__wasi_path_create_directory(ROOT, "d/"));
    CALL(__wasi_path_create_directory(ROOT, "slash/"));
    CALL(__wasi_path_create_directory(ROOT, "d/e/f"));
    CALL(__wasi_path_create_directory(ROOT, "d/e"));
    CALL(__wasi_path_create_directory(ROOT, "."));
    CALL(__wasi_path_create_directory(ROOT, ""));
    put_file("file", "text");
    put_file("d/e/file", "text");
    CALL(__wasi_path_create_directory(ROOT, "file"));
    CALL(__wasi_path_create_directory(ROOT, "file/x"));
    CALL(__wasi_path_symlink("d", ROOT, "sym"));
    CALL(__wasi_path_symlink("gone", ROOT, "dangling"));
    CALL(__wasi_path_create_directory(ROOT, "dangling"));

    CALL(__wasi_path_remove_directory(ROOT, "d"));
    CALL(__wasi_path_remove_directory(ROOT, "file"));
    CALL(__wasi_path_remove_directory(ROOT, "sym"));
    CALL(__wasi_path_remove_directory(ROOT, "missing"));
    CALL(__wasi_path_remove_directory(ROOT, "slash/"));
    CALL(__wasi_path_unlink_file(ROOT, "d"));
    CALL(__wasi_path_unlink_file(ROOT, "d/"));
    CALL(__wasi_path_unlink_file(ROOT, "file/"));
    CALL(__wasi_path_unlink_file(ROOT, "missing"));
    CALL(__wasi_path_unlink_file(ROOT, "missing/x"));
    CALL(__wasi_path_unlink_file(ROOT, ""));
    CALL(__wasi_path_unlink_file(ROOT, "dangling"));
    CALL(__wasi_path_unlink_file(ROOT, "sym/e/file"));
    CALL(__wasi_path_unlink_file(ROOT, "sym"));
    CALL(__wasi_path_remove_directory(ROOT, "d/e"));
    CALL(__wasi_path_remove_directory(ROOT, "d"));
}

static void rename_all(void) {
    puts("-- renaming");
    put_file("a", "a");
    put_file("b", "b");
    CALL(__wasi_path_create_directory(ROOT, "x"));
    CALL(__wasi_path_create_directory(ROOT, "y"));
    CALL(__wasi_path_create_directory(ROOT, "full"));
    put_file("full/in", "in");
    CALL(__wasi_path_symlink("a", ROOT, "l"));

    CALL(__wasi_path_rename(ROOT, "a", ROOT, "c"));
    CALL(__wasi_path_rename(ROOT, "a", ROOT, "c"));
    CALL(__wasi_path_rename(ROOT, "c", ROOT, "b"));
    CALL(__wasi_path_rename(ROOT, "b", ROOT, "b"));
    CALL(__wasi_path_rename(ROOT, "b", ROOT, "x"));
    CALL(__wasi_path_rename(ROOT, "x", ROOT, "b"));
    CALL(__wasi_path_rename(ROOT, "x", ROOT, "y"));
    CALL(__wasi_path_rename(ROOT, "y", ROOT, "full"));
    CALL(__wasi_path_rename(ROOT, "full", ROOT, "full/sub"));
    CALL(__wasi_path_rename(ROOT, "full", ROOT, "y"));
    CALL(__wasi_path_rename(ROOT, "y/in", ROOT, "in"));
    CALL(__wasi_path_rename(ROOT, "l", ROOT, "moved"));
    CALL(__wasi_path_rename(ROOT, "b/", ROOT, "z"));
    CALL(__wasi_path_rename(ROOT, "b", ROOT, "z/"));
    CALL(__wasi_path_rename(ROOT, "y/", ROOT, "w/"));
    CALL(__wasi_path_rename(ROOT, "missing", ROOT, "z"));
    CALL(__wasi_path_rename(ROOT, "b", ROOT, "missing/z"));
    CALL(__wasi_path_rename(ROOT, "", ROOT, "z"));
    CALL(__wasi_path_rename(ROOT, "b", ROOT, ""));
    CALL(__wasi_path_rename(ROOT, ".", ROOT, "z"));
    CALL(__wasi_path_rename(99, "b", ROOT, "z"));
    CALL(__wasi_path_rename(ROOT, "b", 99, "z"));

    __wasi_fd_t w = open_dir("w");
    CALL(__wasi_path_rename(ROOT, "b", w, "b2"));
    CALL(__wasi_path_rename(w, "b2", ROOT, "b"));
    CALL(__wasi_path_rename(w, "../b", w, "b2"));
    CALL(__wasi_fd_close(w));

    /* An open file keeps its bytes when its name is gone. */
    __wasi_fd_t fd = open_file("b", 0, 0);
    CALL(__wasi_path_unlink_file(ROOT, "b"));
    char text[8];
    __wasi_iovec_t vector = {(uint8_t *)text, sizeof text};
    __wasi_size_t n = 0;
    CALL(__wasi_fd_read(fd, &vector, 1, &n));
    CHECK(n == 1 && text[0] == 'a');
    __wasi_filestat_t stat;
    CALL(__wasi_fd_filestat_get(fd, &stat));
    CHECK(stat.nlink == 0);
    CALL(__wasi_fd_close(fd));
}

static void libc(void) {
    puts("-- libc");
    CHECK(mkdir("/m", 0777) == 0 && mkdir("m", 0) == -1 && errno == EEXIST);
    CHECK(rename("/in", "/m/in") == 0 && unlink("m/in") == 0 && rmdir("m") == 0);
    CHECK(remove("/w") == 0 && remove("/moved") == 0);
    CHECK(rmdir("/w") == -1 && errno == ENOENT);
}

int main(void) {
    make();
    rename_all();
    libc();
    return 0;
}
