/* Answers with what it was asked, so that a client can tell whether the answer is its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static int runs; /* 0 in every fresh instance */
static char scratch[3000];

int main(int argc, char **argv) {
    static char body[1 << 16];
    size_t size, total = 0;
    unsigned sum = 0;
    while ((size = fread(body, 1, sizeof body, stdin)) > 0) {
        for (size_t i = 0; i < size; i++) sum = sum * 31 + (unsigned char)body[i];
        total += size;
    }
    for (size_t i = 0; i < sizeof scratch; i++) runs += scratch[i];
    memset(scratch, 1, sizeof scratch); /* the next guest must not see this */
    printf("Content-Type: text/plain\nX-Plugin: hello\n\n");
    printf("%s %s|%s|%s|%zu %u|%d", variable("REQUEST_METHOD"), variable("SCRIPT_NAME"),
           variable("PATH_INFO"), variable("QUERY_STRING"), total, sum, runs++);
    for (int i = 1; i < argc; i++) printf("|%s", argv[i]);
    printf("|%s|%s\n", variable("HTTP_X_TEST"), variable("HTTP_AUTHORIZATION"));
    return 0;
}
