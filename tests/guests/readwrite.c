/*
 * readwrite.c - moving bytes and offsets: fd_read, fd_write, fd_pread, fd_pwrite, fd_seek, fd_tell,
 * with vectors, holes, append and offsets beyond 4 GiB.
 */
#include "guest.h"

static void show_read(__wasi_fd_t fd, size_t size) {
    char text[64];
    __wasi_iovec_t vector = {(uint8_t *)text, size};
    __wasi_size_t n = 0;
    __wasi_errno_t e = __wasi_fd_read(fd, &vector, 1, &n);
    if (e)
        printf("read %zu: %s\n", size, errno_name(e));
    else
        printf("read %zu: %zu \"%.*s\"\n", size, n, (int)n, text);
}

static void show_pread(__wasi_fd_t fd, size_t size, __wasi_filesize_t offset) {
    char text[64];
    __wasi_iovec_t vector = {(uint8_t *)text, size};
    __wasi_size_t n = 0;
    __wasi_errno_t e = __wasi_fd_pread(fd, &vector, 1, offset, &n);
    if (e)
        printf("pread %zu at %" PRId64 ": %s\n", size, offset, errno_name(e));
    else
        printf("pread %zu at %" PRId64 ": %zu \"%.*s\"\n", size, offset, n, (int)n, text);
}

static void show_pwrite(__wasi_fd_t fd, const char *text, __wasi_filesize_t offset) {
    __wasi_ciovec_t vector = {(const uint8_t *)text, strlen(text)};
    __wasi_size_t n = 0;
    __wasi_errno_t e = __wasi_fd_pwrite(fd, &vector, 1, offset, &n);
    printf("pwrite \"%s\" at %" PRId64 ": %s %zu\n", text, offset, errno_name(e), n);
}

static void show_seek(__wasi_fd_t fd, __wasi_filedelta_t delta, __wasi_whence_t whence) {
    static const char *const names[] = {"set", "cur", "end"};
    __wasi_filesize_t at = 0;
    __wasi_errno_t e = __wasi_fd_seek(fd, delta, whence, &at);
    printf("seek %" PRId64 " from %s: ", delta, whence < 3 ? names[whence] : "nowhere");
    printf(e ? "%s\n" : "%s, at %" PRIu64 "\n", errno_name(e), at);
}

static void show_tell(__wasi_fd_t fd) {
    __wasi_filesize_t at = 0;
    __wasi_errno_t e = __wasi_fd_tell(fd, &at);
    printf("tell: %s %" PRIu64 "\n", errno_name(e), at);
}

static __wasi_filesize_t size_of(__wasi_fd_t fd) {
    __wasi_filestat_t stat = {0};
    return __wasi_fd_filestat_get(fd, &stat) == 0 ? stat.size : UINT64_MAX;
}

static void vectors(void) {
    __wasi_fd_t fd = open_file("vectors", __WASI_OFLAGS_CREAT, 0);
    __wasi_ciovec_t out[] = {{(const uint8_t *)"one ", 4},
                             {NULL, 0},
                             {(const uint8_t *)"two ", 4},
                             {(const uint8_t *)"three", 5}};
    __wasi_size_t n = 99;
    puts("-- vectors");
    CALL(__wasi_fd_write(fd, out, 4, &n));
    printf("%zu written\n", n);
    CALL(__wasi_fd_write(fd, out, 0, &n));
    printf("%zu written\n", n);
    CALL(__wasi_fd_write(fd, out + 1, 1, &n));
    printf("%zu written\n", n);
    show_tell(fd);

    char a[4], b[6], c[20] = {0};
    __wasi_iovec_t in[] = {{(uint8_t *)a, 4}, {NULL, 0}, {(uint8_t *)b, 6}, {(uint8_t *)c, 19}};
    CALL(__wasi_fd_pread(fd, in, 4, 0, &n));
    printf("%zu read: \"%.4s\" \"%.6s\" \"%s\"\n", n, a, b, c);
    CALL(__wasi_fd_read(fd, in, 0, &n));
    printf("%zu read\n", n);

    /* More vectors than most hosts take at once. */
    enum { MANY = 3000 };
    static __wasi_ciovec_t many[MANY];
    for (int i = 0; i < MANY; i++)
        many[i] = (__wasi_ciovec_t){(const uint8_t *)"0123456789" + i % 10, 1};
    CALL(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &(__wasi_filesize_t){0}));
    __wasi_size_t total = 0;
    while (total < MANY && __wasi_fd_write(fd, many + total, MANY - total, &n) == 0 && n > 0)
        total += n;
    CHECK(total == MANY && size_of(fd) == MANY);
    show_pread(fd, 10, 2990);
    CALL(__wasi_fd_close(fd));
}

static void offsets(void) {
    __wasi_fd_t fd = open_file("offsets", __WASI_OFLAGS_CREAT, 0);
    puts("-- offsets");
    write_text(fd, "0123456789");
    show_tell(fd);
    show_seek(fd, 2, __WASI_WHENCE_SET);
    show_read(fd, 3);
    show_seek(fd, -1, __WASI_WHENCE_CUR);
    show_read(fd, 1);
    show_seek(fd, -2, __WASI_WHENCE_END);
    show_read(fd, 10);
    show_read(fd, 10);
    show_read(fd, 0);
    show_seek(fd, -1, __WASI_WHENCE_SET);
    show_seek(fd, -11, __WASI_WHENCE_END);
    show_seek(fd, INT64_MIN, __WASI_WHENCE_CUR);
    show_seek(fd, 0, 3);
    show_seek(fd, 0, 255);
    show_tell(fd);
    show_pread(fd, 4, 6);
    show_pread(fd, 4, 8);
    show_pread(fd, 4, 10);
    show_pread(fd, 4, 1000);
    show_pread(fd, 4, UINT64_MAX);
    show_pwrite(fd, "AB", 4);
    show_pwrite(fd, "", 4);
    show_pwrite(fd, "x", UINT64_MAX);
    show_tell(fd);
    show_pread(fd, 10, 0);

    puts("-- holes");
    show_seek(fd, 5, __WASI_WHENCE_END);
    write_text(fd, "end");
    printf("size %" PRIu64 "\n", size_of(fd));
    char hole[5] = "xxxxx";
    __wasi_iovec_t in = {(uint8_t *)hole, 5};
    __wasi_size_t n;
    CALL(__wasi_fd_pread(fd, &in, 1, 10, &n));
    CHECK(n == 5 && memcmp(hole, "\0\0\0\0\0", 5) == 0);
    show_pwrite(fd, "far", UINT64_C(0x123456789));
    printf("size %" PRIu64 "\n", size_of(fd));
    show_pread(fd, 3, UINT64_C(0x123456789));
    show_seek(fd, -3, __WASI_WHENCE_END);
    show_read(fd, 3);
    CALL(__wasi_fd_close(fd));
}

static void append(void) {
    __wasi_fd_t fd = open_file("append", __WASI_OFLAGS_CREAT, __WASI_FDFLAGS_APPEND);
    __wasi_fdstat_t stat;
    puts("-- append");
    write_text(fd, "first ");
    show_seek(fd, 0, __WASI_WHENCE_SET);
    write_text(fd, "second ");
    show_tell(fd);
    CALL(__wasi_fd_fdstat_get(fd, &stat));
    CHECK(stat.fs_flags == __WASI_FDFLAGS_APPEND);
    CALL(__wasi_fd_fdstat_set_flags(fd, 0));
    CALL(__wasi_fd_fdstat_get(fd, &stat));
    CHECK(stat.fs_flags == 0);
    show_seek(fd, 0, __WASI_WHENCE_SET);
    write_text(fd, "FIRST");
    CALL(__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND));
    write_text(fd, "third");
    CALL(__wasi_fd_fdstat_set_flags(fd, 32));
    show_pread(fd, 40, 0);
    CALL(__wasi_fd_close(fd));
    CALL(__wasi_fd_close(fd));
    show_read(fd, 1);
    show_tell(fd);
    CALL(write_text(99, "x"));
    CALL(write_text(-1, "x"));
}

static void directories(void) {
    puts("-- a directory is no file");
    show_read(ROOT, 1);
    CALL(write_text(ROOT, "x"));
    show_seek(ROOT, 0, __WASI_WHENCE_SET);
    show_pread(ROOT, 1, 0);
}

static void libc(void) {
    char line[40];
    puts("-- libc");
    FILE *f = fopen("/libc", "w+");
    fprintf(f, "%s %d\n%s\n", "first", 1, "second");
    CHECK(fseek(f, -3, SEEK_END) == 0 && ftell(f) == 12);
    fputs("!", f);
    rewind(f);
    while (fgets(line, sizeof line, f)) printf("%s", line);
    CHECK(feof(f) && fclose(f) == 0);
    f = fopen("/libc", "a");
    CHECK(fputs("third\n", f) >= 0 && fclose(f) == 0);
    f = fopen("libc", "r");
    CHECK(fread(line, 1, sizeof line, f) == 21 && fclose(f) == 0);
    CHECK(fopen("/libc/", "r") == NULL);
}

int main(void) {
    vectors();
    offsets();
    append();
    directories();
    libc();
    return 0;
}
