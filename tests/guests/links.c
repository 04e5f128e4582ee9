/*
 * links.c - path_symlink, path_readlink and path_link.
 *
 * $ guest
 * $ cd root; stat -c '%n %h' file hard; readlink sym long | cut -c 1-20
 */
#include "guest.h"
#include <errno.h>
#include <unistd.h>

static void show_link(const char *path, size_t size) {
    static uint8_t buffer[5000];
    memset(buffer, '#', sizeof buffer);
    __wasi_size_t n = 0;
    __wasi_errno_t e = __wasi_path_readlink(ROOT, path, buffer, size, &n);
    printf("readlink %s into %zu: ", path, size);
    if (e)
        puts(errno_name(e));
    else
        printf("%zu \"%.*s\", the byte after it %s\n", n, n < 40 ? (int)n : 40, buffer,
               buffer[n] == '#' ? "untouched" : "CHANGED");
}

int main(void) {
    put_file("file", "text");
    CALL(__wasi_path_create_directory(ROOT, "dir"));
    CALL(__wasi_path_symlink("file", ROOT, "sym"));
    CALL(__wasi_path_symlink("file", ROOT, "sym"));
    CALL(__wasi_path_symlink("x", ROOT, "file"));
    CALL(__wasi_path_symlink("x", ROOT, "dir"));
    CALL(__wasi_path_symlink("x", ROOT, "new/"));
    CALL(__wasi_path_symlink("x", ROOT, "dir/"));
    CALL(__wasi_path_symlink("x", ROOT, "missing/new"));
    CALL(__wasi_path_symlink("x", ROOT, ""));
    CALL(__wasi_path_symlink("", ROOT, "empty"));
    CALL(__wasi_path_symlink("dir", ROOT, "todir"));
    CALL(__wasi_path_symlink("äöü 1", ROOT, "todir/inner"));
    static char target[1001];
    memset(target, 'x', 1000);
    CALL(__wasi_path_symlink(target, ROOT, "long"));

    show_link("sym", 100);
    show_link("sym", 4);
    show_link("sym", 3);
    show_link("sym", 0);
    show_link("long", 4096);
    show_link("dir/inner", 100);
    show_link("todir/inner", 100);
    show_link("todir", 100);
    show_link("todir/", 100);
    show_link("file", 100);
    show_link("dir", 100);
    show_link("missing", 100);
    show_link("", 100);
    CALL(__wasi_path_readlink(99, "sym", (uint8_t *)target, 10, &(__wasi_size_t){0}));

    puts("-- hard links");
    CALL(__wasi_path_link(ROOT, 0, "file", ROOT, "hard"));
    CALL(__wasi_path_link(ROOT, 0, "file", ROOT, "hard"));
    CALL(__wasi_path_link(ROOT, 0, "dir", ROOT, "harddir"));
    CALL(__wasi_path_link(ROOT, 0, "missing", ROOT, "hard2"));
    CALL(__wasi_path_link(ROOT, 0, "file", ROOT, "dir/"));
    CALL(__wasi_path_link(ROOT, 0, "file", ROOT, "missing/x"));
    CALL(__wasi_path_link(ROOT, 0, "file", ROOT, "new/"));
    CALL(__wasi_path_link(ROOT, 0, "file/", ROOT, "new"));
    CALL(__wasi_path_link(ROOT, 0, "sym", ROOT, "hardsym"));
    show_link("hardsym", 100);
    CALL(__wasi_path_unlink_file(ROOT, "file"));
    __wasi_filestat_t stat;
    CALL(__wasi_path_filestat_get(ROOT, 0, "hard", &stat));
    CHECK(stat.nlink == 1 && stat.size == 4);
    put_file("file", "new");

    puts("-- libc");
    char buffer[100];
    CHECK(symlink("dir", "/again") == 0 && readlink("/again", buffer, sizeof buffer) == 3);
    CHECK(readlink("/file", buffer, sizeof buffer) == -1 && errno == EINVAL);
    CHECK(link("/file", "/dir/file") == 0 && access("/again/file", R_OK) == 0);
    CHECK(link("/nothing", "/dir/f2") == -1 && errno == ENOENT);
    return 0;
}
