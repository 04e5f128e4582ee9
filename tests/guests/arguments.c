/*
 * arguments.c - args_* and environ_*: counts, sizes, bytes and their order in guest memory.
 *
 * $ options+=(--env ONE=1 --env EMPTY= --env 'SPACE=a b' --env UTF=äöü --env EQUALS=a=b)
 * $ guest
 * $ guest one '' 'two words' äöü --dir -- '*' "$(head -c 5000 /dev/zero | tr '\0' x)"
 * $ options=()
 * $ guest last
 */
#include "guest.h"

static void print_strings(const char *what, __wasi_size_t count, uint8_t **strings, bool base) {
    for (__wasi_size_t i = 0; i < count; i++) {
        const char *text = (const char *)strings[i], *slash = strrchr(text, '/');
        size_t length = strlen(text);
        if (length > 100)
            printf("%s %zu: %zu bytes of %c\n", what, i, length, *text);
        else
            printf("%s %zu: \"%s\"\n", what, i, base && i == 0 && slash ? slash + 1 : text);
    }
}

/* Whether the strings lie one behind the other and fill the buffer. */
static bool packed(__wasi_size_t count, uint8_t **strings, uint8_t *buffer, __wasi_size_t size) {
    uint8_t *next = buffer;
    for (__wasi_size_t i = 0; i < count; i++) {
        if (strings[i] != next) return false;
        next += strlen((char *)next) + 1;
    }
    return next == buffer + size;
}

int main(void) {
    __wasi_size_t argc, size, envc, env_size;
    uint8_t *strings[32], buffer[8192];
    CALL(__wasi_args_sizes_get(&argc, &size));
    CALL(__wasi_args_get(strings, buffer));
    printf("%zu arguments\n", argc);
    print_strings("argument", argc, strings, true);
    CHECK(packed(argc, strings, buffer, size));

    CALL(__wasi_environ_sizes_get(&envc, &env_size));
    CALL(__wasi_environ_get(strings, buffer));
    printf("%zu variables\n", envc);
    print_strings("variable", envc, strings, false);
    CHECK(packed(envc, strings, buffer, env_size));
    printf("getenv: %s\n", getenv("EQUALS") ? getenv("EQUALS") : "(none)");
    return 0;
}
