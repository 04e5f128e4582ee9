/* Whatever a plugin can do to its server, by the path: /hostile/loop and so on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int recurse(int n) { return n <= 0 ? 0 : 1 + recurse(n + 1) * (n & 1); }

static void flood(FILE *to) {
    static char block[65536];
    memset(block, 'x', sizeof block);
    for (;;) fwrite(block, 1, sizeof block, to);
}

static void bomb(void) {
    for (size_t size = 1 << 20;; size += 1 << 20) {
        char *volatile block = malloc(size); /* not to be optimised away */
        if (!block) __builtin_trap();
        memset(block, 1, size);
    }
}

static void headers(void) {
    for (int i = 0; i < 2000; i++) printf("X-%d: y\n", i);
    printf("\n");
}

int main(void) {
    const char *path = getenv("PATH_INFO");
    const char *what = path && *path ? path + 1 : "";
    if (!strcmp(what, "loop"))
        for (volatile int i = 0;; i++) {
        }
    if (!strcmp(what, "bomb")) bomb();
    if (!strcmp(what, "flood")) flood(stdout);
    if (!strcmp(what, "errors")) flood(stderr);
    if (!strcmp(what, "trap")) __builtin_trap();
    if (!strcmp(what, "stack")) return recurse(1);
    if (!strcmp(what, "sleep"))
        for (;;) sleep(100);
    if (!strcmp(what, "exit")) exit(7);
    if (!strcmp(what, "headers")) headers();
    if (!strcmp(what, "garbage")) printf("\xff\xfe no header at all");
    if (!strcmp(what, "split")) printf("Content-Type: text/plain\nX-A: b\x01\n\nbody");
    if (!strcmp(what, "status")) printf("Status: 999\nContent-Type: text/plain\n\n");
    if (!strcmp(what, "null")) printf("Content-Type: text/plain\n\n%s", *(char **)0xFFFFFFF0);
    if (!strcmp(what, "big")) {
        printf("Content-Type: application/octet-stream\n\n");
        static char block[100000];
        memset(block, 'z', sizeof block);
        for (int i = 0; i < 40; i++) fwrite(block, 1, sizeof block, stdout);
    }
    return 0;
}
