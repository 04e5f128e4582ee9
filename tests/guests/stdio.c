/*
 * stdio.c - standard descriptors of every kind: pipe, file, device, closed, shared offsets, append.
 *
 * $ echo "from a pipe" | guest | cat
 * $ printf 'from a file' >in; guest <in >out; cat out
 * $ guest </dev/null >/dev/null 2>err; echo "status $?"; cat err
 * $ { dd bs=1 count=5 of=/dev/null 2>/dev/null; guest; } <in | grep -a 'read'
 * $ echo first >log; guest >>log </dev/null; head -n 1 log; wc -l <log
 * $ guest <&- | cat
 * $ guest >&- </dev/null; echo "closed: status $?"
 * $ head -c 200000 /dev/zero | guest drain
 * $ guest flood </dev/null | head -c 10; echo
 */
#include "guest.h"
#include <errno.h>
#include <unistd.h>

static void describe(__wasi_fd_t fd) {
    __wasi_fdstat_t stat = {0};
    __wasi_filestat_t file = {0};
    __wasi_filesize_t at;
    __wasi_errno_t e = __wasi_fd_fdstat_get(fd, &stat);
    if (e) {
        printf("%d: %s\n", fd, errno_name(e));
        return;
    }
    printf("%d: %s, ", fd, type_name(stat.fs_filetype));
    printf("seek %s, ", errno_name(__wasi_fd_seek(fd, 0, __WASI_WHENCE_CUR, &at)));
    e = __wasi_fd_filestat_get(fd, &file);
    printf("stat %s, tty %s\n", errno_name(e), isatty(fd) ? "yes" : "no");
}

static int drain(void) {
    static char block[3000];
    size_t total = 0;
    ssize_t n;
    while ((n = read(0, block, sizeof block)) > 0) total += (size_t)n;
    printf("%zu bytes drained\n", total);
    return 0;
}

/* Writes until the reader has gone: an error in the guest, not the end of the host process. */
static int flood(void) {
    static char block[4096];
    memset(block, '.', sizeof block);
    for (int i = 0; i < 10000; i++)
        if (write(1, block, sizeof block) < 0) {
            fprintf(stderr, "%s\n", strerror(errno));
            return 0;
        }
    return 1;
}

int main(int argc, char **argv) {
    if (argc > 1) return strcmp(argv[1], "drain") == 0 ? drain() : flood();
    char text[64];
    describe(0);
    describe(1);
    ssize_t n = read(0, text, sizeof text);
    printf("read %zd: \"%.*s\"\n", n, n > 0 ? (int)n : 0, text);
    fprintf(stderr, "on standard error\n");
    return 0;
}
