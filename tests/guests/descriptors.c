/*
 * descriptors.c - numbers of descriptors: the lowest free one, fd_renumber, fd_close, preopened
 * directories and how many files can be open.
 *
 * $ mkdir second root/d; echo 2 >second/two
 * $ options+=(--dir second::/second/dir)
 * $ guest
 */
#include "guest.h"

static __wasi_errno_t prestat(__wasi_fd_t fd) {
    __wasi_prestat_t stat;
    char name[32] = "";
    __wasi_errno_t e = __wasi_fd_prestat_get(fd, &stat);
    if (e) return e;
    e = __wasi_fd_prestat_dir_name(fd, (uint8_t *)name, stat.u.dir.pr_name_len);
    printf("%d is type %u, \"%.*s\"\n", fd, stat.tag, (int)stat.u.dir.pr_name_len, name);
    return e;
}

static void preopens(void) {
    uint8_t name[32];
    puts("-- preopened");
    for (__wasi_fd_t fd = 0; fd < 6; fd++) {
        __wasi_errno_t e = prestat(fd);
        if (e) printf("%d: %s\n", fd, errno_name(e));
    }
    CALL(__wasi_fd_prestat_dir_name(4, name, 0));
    CALL(__wasi_fd_prestat_dir_name(4, name, 10));
    memset(name, '#', sizeof name);
    CALL(__wasi_fd_prestat_dir_name(4, name, 20));
    CHECK(memcmp(name, "/second/dir#", 12) == 0);
    CALL(__wasi_fd_prestat_dir_name(1, name, 20));
    FILE *f = fopen("/second/dir/two", "r");
    CHECK(f && fgetc(f) == '2' && fclose(f) == 0);
    __wasi_fd_t dir = open_dir("d");
    CALL(prestat(dir));
    CALL(__wasi_fd_close(dir));
}

static void numbers(void) {
    puts("-- lowest first");
    __wasi_fd_t a = open_file("a", __WASI_OFLAGS_CREAT, 0), b = open_file("a", 0, 0),
                c = open_file("a", 0, 0);
    printf("%d %d %d\n", a, b, c);
    CALL(__wasi_fd_close(b));
    CALL(__wasi_fd_close(a));
    a = open_file("a", 0, 0), b = open_file("a", 0, 0);
    printf("%d %d\n", a, b);
    CALL(__wasi_fd_close(c));
    CALL(__wasi_fd_close(c));
    CALL(__wasi_fd_close(-1));
    CALL(__wasi_fd_close(1000000));

    puts("-- renumbering");
    write_text(a, "text of a");
    __wasi_filesize_t at;
    CALL(__wasi_fd_renumber(a, b));
    CALL(__wasi_fd_tell(a, &at));
    CALL(__wasi_fd_tell(b, &at));
    printf("at %" PRIu64 "\n", at);
    CALL(__wasi_fd_renumber(b, b));
    CALL(__wasi_fd_tell(b, &at));
    CALL(__wasi_fd_renumber(b, 50));
    CALL(__wasi_fd_renumber(50, b));
    CALL(__wasi_fd_renumber(b, -1));
    CALL(__wasi_fd_renumber(99, b));
    CALL(__wasi_fd_tell(b, &at));
    __wasi_fd_t d = open_dir("d");
    CALL(__wasi_fd_renumber(d, b));
    CALL(write_text(b, "x"));
    __wasi_filestat_t stat;
    CALL(__wasi_path_filestat_get(b, 0, ".", &stat));
    CALL(__wasi_fd_close(b));
}

static void many(void) {
    enum { MOST = 600 };
    static __wasi_fd_t fds[MOST];
    int n = 0;
    bool increasing = true, closed = true;
    puts("-- many");
    for (; n < MOST && (fds[n] = open_file("a", 0, 0)) >= 0; n++)
        increasing = increasing && (n == 0 || fds[n] == fds[n - 1] + 1);
    printf("%d open\n", n);
    CHECK(increasing);
    while (n-- > 0) closed = closed && __wasi_fd_close(fds[n]) == 0;
    CHECK(closed);
    /* Nothing leaks however often. */
    int opened = 0;
    for (int i = 0; i < 20000; i++) {
        __wasi_fd_t fd = open_file("a", 0, 0);
        opened += fd >= 0 && __wasi_fd_close(fd) == 0;
    }
    printf("%d times opened and closed\n", opened);
}

static void closed_directory(void) {
    puts("-- closing the directory");
    __wasi_fd_t fd = open_file("a", 0, 0);
    CALL(__wasi_fd_close(ROOT));
    __wasi_filestat_t stat;
    CALL(__wasi_path_filestat_get(ROOT, 0, "a", &stat));
    CALL(prestat(ROOT));
    CALL(__wasi_fd_filestat_get(fd, &stat));
    CALL(__wasi_fd_renumber(fd, 0));
    CALL(__wasi_fd_filestat_get(0, &stat));
    CHECK(stat.size == 9);
}

int main(void) {
    preopens();
    numbers();
    many();
    closed_directory();
    return 0;
}
