/*
 * exit.c - the ways in which a guest can end, and what its caller sees.
 *
 * $ for how in 0 1 7 125 255 256 -1 main libc abort unreachable; do
 * $     guest $how 2>err; s=$?
 * $     [ -s err ] && m=message || m=silent
 * $     echo "$how: status $s, $m"
 * $ done
 * $ guest overflow 2>err; echo "overflow: status $?"; guest divide 2>err; echo "divide: status $?"
 * $ guest buffered | cat
 */
#include "guest.h"

static volatile int zero, depth;

static int recurse(int n) {
    volatile char frame[64] = {0};
    depth++;
    return n < 0 ? frame[0] : recurse(n + 1) + frame[n & 63];
}

static void at_exit(void) { puts("atexit ran"); }

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "main";
    if (strcmp(how, "main") == 0) return 3;
    if (strcmp(how, "libc") == 0) {
        atexit(at_exit);
        exit(4);
    }
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "unreachable") == 0) __builtin_trap();
    if (strcmp(how, "overflow") == 0) return recurse(0);
    if (strcmp(how, "divide") == 0) return (argc + 98) / zero;
    if (strcmp(how, "buffered") == 0) {
        printf("without a newline, ");
        exit(0);
    }
    __wasi_proc_exit((__wasi_exitcode_t)atoi(how));
}
