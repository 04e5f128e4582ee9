/* strbuild.c - building text: growing buffers, a small formatter, libc's snprintf, joining,
 * replacing, word wrap, a rope flattened at the end. */
#include "bench.h"
#include <stdarg.h>
#include <string.h>

typedef struct {
    char *at;
    size_t length, capacity;
} Text;

static void reserve(Text *t, size_t more) {
    if (t->length + more <= t->capacity) return;
    size_t capacity = t->capacity ? t->capacity : 16;
    while (capacity < t->length + more) capacity *= 2;
    t->at = realloc(t->at, capacity);
    if (!t->at) exit(1);
    t->capacity = capacity;
}

static void append(Text *t, const char *s, size_t length) {
    reserve(t, length);
    memcpy(t->at + t->length, s, length);
    t->length += length;
}

static void append_char(Text *t, char c) {
    reserve(t, 1);
    t->at[t->length++] = c;
}

static void append_number(Text *t, uint32_t v, uint32_t base, int width) {
    char digits[32];
    int n = 0;
    do digits[n++] = "0123456789abcdef"[v % base];
    while (v /= base);
    while (n < width) digits[n++] = base == 16 ? '0' : ' ';
    while (n) append_char(t, digits[--n]);
}

/* %s, %d (unsigned), %x, with one digit of width, and %%. */
static BENCH_NOINLINE void format(Text *t, const char *spec, ...) {
    va_list args;
    va_start(args, spec);
    for (; *spec; spec++) {
        if (*spec != '%') {
            append_char(t, *spec);
            continue;
        }
        int width = 0;
        if (*++spec >= '0' && *spec <= '9') width = *spec++ - '0';
        switch (*spec) {
        case 's': {
            const char *s = va_arg(args, const char *);
            append(t, s, strlen(s));
            break;
        }
        case 'd': append_number(t, va_arg(args, uint32_t), 10, width); break;
        case 'x': append_number(t, va_arg(args, uint32_t), 16, width); break;
        default: append_char(t, *spec);
        }
    }
    va_end(args);
}

static BENCH_NOINLINE void replace(Text *out, const Text *in, const char *what, const char *by) {
    size_t length = strlen(what), by_length = strlen(by);
    for (size_t i = 0; i < in->length;) {
        if (i + length <= in->length && memcmp(in->at + i, what, length) == 0) {
            append(out, by, by_length);
            i += length;
        } else {
            append_char(out, in->at[i++]);
        }
    }
}

static BENCH_NOINLINE void wrap(Text *out, const Text *in, size_t width) {
    size_t column = 0;
    for (size_t i = 0; i < in->length;) {
        size_t end = i;
        while (end < in->length && in->at[end] != ' ') end++;
        if (column && column + 1 + end - i > width) {
            append_char(out, '\n');
            column = 0;
        } else if (column) {
            append_char(out, ' ');
            column++;
        }
        append(out, in->at + i, end - i);
        column += end - i;
        i = end + 1;
    }
}

typedef struct Rope {
    struct Rope *left, *right;
    char piece[16];
} Rope;

static Rope *leaf(uint32_t v) {
    Rope *r = malloc(sizeof *r);
    if (!r) exit(1);
    r->left = r->right = NULL;
    snprintf(r->piece, sizeof r->piece, "%u:%04x;", (unsigned)(v >> 16), (unsigned)(v & 0xffff));
    return r;
}

static Rope *build(uint32_t *seed, int depth) {
    Rope *r = leaf(bench_random(seed));
    if (depth) {
        r->left = build(seed, depth - 1);
        r->right = build(seed, depth - 1);
    }
    return r;
}

static void flatten(Text *out, Rope *r) {
    if (!r) return;
    flatten(out, r->left);
    append(out, r->piece, strlen(r->piece));
    flatten(out, r->right);
    free(r);
}

static uint64_t digest(Text *t, uint64_t sum) {
    for (size_t i = 0; i + 8 <= t->length; i += 24) {
        uint64_t v;
        memcpy(&v, t->at + i, sizeof v);
        sum = bench_mix(sum, v);
    }
    sum = bench_mix(sum, t->length);
    free(t->at);
    return sum;
}

int main(int argc, char **argv) {
    static const char *const names[] = {"north", "east", "south", "west"};
    uint64_t n = bench_iterations(argc, argv, 1200), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        Text list = {0}, changed = {0}, wrapped = {0}, flat = {0};
        for (int j = 0; j < 120; j++) {
            uint32_t r = bench_random(&seed);
            format(&list, "%s %5d 0x%8x 100%% ", names[r & 3], r >> 12, r);
        }
        replace(&changed, &list, "east", "orient");
        wrap(&wrapped, &changed, 40 + (sum & 31));
        flatten(&flat, build(&seed, 6));
        free(list.at);
        free(changed.at);
        sum = digest(&flat, digest(&wrapped, sum));
    }
    return bench_report("strbuild", n, sum);
}
