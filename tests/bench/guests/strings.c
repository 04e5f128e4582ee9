/* strings.c - text handling: numbers to text and back, tokens, upper case, search, edit distance;
 * byte loads and stores, libc's string functions. */
#include "bench.h"
#include <string.h>

enum { TEXT_SIZE = 2048 };

static char text[TEXT_SIZE];

static size_t append_number(char *to, uint32_t value) {
    char digits[10];
    size_t count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    for (size_t i = 0; i < count; i++) to[i] = digits[count - 1 - i];
    return count;
}

/* Fills `text` with "name=number" pairs separated by blanks. */
static BENCH_NOINLINE void build(uint32_t seed) {
    static const char *const names[] = {"alpha", "beta", "gamma",  "delta",
                                        "size",  "x",    "offset", "longer_name"};
    size_t at = 0;
    while (at + 32 < TEXT_SIZE) {
        const char *name = names[bench_random(&seed) >> 29];
        size_t length = strlen(name);
        memcpy(text + at, name, length);
        at += length;
        text[at++] = '=';
        at += append_number(text + at, bench_random(&seed) >> (seed & 31));
        text[at++] = ' ';
    }
    text[at] = 0;
}

static uint32_t parse_number(const char **at) {
    uint32_t value = 0;
    while (**at >= '0' && **at <= '9') value = value * 10 + (uint32_t)(*(*at)++ - '0');
    return value;
}

/* Adds up the values of all pairs, weighted by the length of the name. */
static BENCH_NOINLINE uint32_t parse(void) {
    uint32_t sum = 0;
    for (const char *p = text; *p;) {
        const char *equals = strchr(p, '=');
        uint32_t length = (uint32_t)(equals - p);
        p = equals + 1;
        sum += parse_number(&p) * length;
        while (*p == ' ') p++;
    }
    return sum;
}

static BENCH_NOINLINE uint32_t count_occurrences(const char *needle) {
    uint32_t count = 0;
    for (const char *p = text; (p = strstr(p, needle)) != NULL; p++) count++;
    return count;
}

static BENCH_NOINLINE void to_upper(void) {
    for (char *p = text; *p; p++)
        if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
}

/* The Levenshtein distance of two pieces of `text`, 32 characters each. */
static BENCH_NOINLINE uint32_t distance(const char *a, const char *b) {
    enum { LENGTH = 32 };
    uint32_t row[LENGTH + 1];
    for (uint32_t j = 0; j <= LENGTH; j++) row[j] = j;
    for (uint32_t i = 1; i <= LENGTH; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= LENGTH; j++) {
            uint32_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[LENGTH];
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2000), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        build((uint32_t)sum | 1);
        sum = bench_mix(sum, parse());
        sum = bench_mix(sum, count_occurrences("a=1"));
        for (size_t at = 0; at < 1024; at += 128)
            sum = bench_mix(sum, distance(text + at, text + at + 64));
        to_upper();
        sum = bench_mix(sum, count_occurrences("LONGER") + strlen(text));
    }
    return bench_report("strings", n, sum);
}
