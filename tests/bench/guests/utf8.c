/* utf8.c - UTF-8: validation by a table-driven automaton, decoding by branches, encoding, counting,
 * conversion to UTF-16 and back. */
#include "bench.h"
#include <string.h>

enum { SIZE = 4096 };

static uint8_t text[SIZE + 8], back[SIZE * 2];
static uint16_t wide[SIZE + 8];

static size_t encode(uint32_t c, uint8_t *out) {
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

static BENCH_NOINLINE size_t build(uint32_t seed) {
    size_t at = 0;
    while (at < SIZE) {
        uint32_t r = bench_random(&seed), c = r >> 8;
        switch (r & 7) {
        case 0: c = 0x80 + c % 0x780; break;
        case 1: c = 0x800 + c % 0xd000; break;
        case 2: c = 0x10000 + c % 0x100000; break;
        default: c = 0x20 + c % 0x5f;
        }
        at += encode(c, text + at);
    }
    return at;
}

typedef enum { START, ONE, TWO, THREE, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4, BAD, STATES } State;
typedef enum { ASCII, C80, C90, CA0, LEAD2, E0, LEAD3, ED, F0, LEAD4, F4, NEVER, CLASSES } Class;

static uint8_t class_of[256], next[STATES][CLASSES];

static void set_up(void) {
    for (int i = 0; i < 256; i++)
        class_of[i] = i < 0x80    ? ASCII
                      : i < 0x90  ? C80
                      : i < 0xa0  ? C90
                      : i < 0xc0  ? CA0
                      : i < 0xc2  ? NEVER
                      : i < 0xe0  ? LEAD2
                      : i == 0xe0 ? E0
                      : i == 0xed ? ED
                      : i < 0xf0  ? LEAD3
                      : i == 0xf0 ? F0
                      : i < 0xf4  ? LEAD4
                      : i == 0xf4 ? F4
                                  : NEVER;
    memset(next, BAD, sizeof next);
    static const uint8_t start[][2] = {{ASCII, START}, {LEAD2, ONE},   {E0, AFTER_E0},
                                       {LEAD3, TWO},   {ED, AFTER_ED}, {F0, AFTER_F0},
                                       {LEAD4, THREE}, {F4, AFTER_F4}};
    for (int i = 0; i < 8; i++) next[START][start[i][0]] = start[i][1];
    for (int c = C80; c <= CA0; c++) {
        next[ONE][c] = START;
        next[TWO][c] = ONE;
        next[THREE][c] = TWO;
    }
    next[AFTER_E0][CA0] = ONE;
    next[AFTER_ED][C80] = next[AFTER_ED][C90] = ONE;
    next[AFTER_F0][C90] = next[AFTER_F0][CA0] = TWO;
    next[AFTER_F4][C80] = TWO;
}

static BENCH_NOINLINE int is_valid(const uint8_t *p, size_t length) {
    uint8_t state = START;
    for (size_t i = 0; i < length; i++) state = next[state][class_of[p[i]]];
    return state == START;
}

static BENCH_NOINLINE size_t count(const uint8_t *p, size_t length) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) n += (p[i] & 0xc0) != 0x80;
    return n;
}

static uint32_t decode(const uint8_t **at) {
    const uint8_t *p = *at;
    if (p[0] < 0x80) {
        *at = p + 1;
        return p[0];
    }
    if (p[0] < 0xe0) {
        *at = p + 2;
        return (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
    }
    if (p[0] < 0xf0) {
        *at = p + 3;
        return (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
    }
    *at = p + 4;
    return (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 |
           (p[3] & 63);
}

static BENCH_NOINLINE size_t widen(size_t length) {
    size_t n = 0;
    for (const uint8_t *p = text, *end = text + length; p < end;) {
        uint32_t c = decode(&p);
        if (c >= 0x10000) {
            wide[n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + (c & 0x3ff);
        }
        wide[n++] = (uint16_t)c;
    }
    return n;
}

static BENCH_NOINLINE size_t narrow(size_t n) {
    uint8_t *out = back;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = wide[i];
        if (c >= 0xd800 && c < 0xdc00)
            c = 0x10000 + ((c - 0xd800) << 10) + (uint32_t)(wide[++i] - 0xdc00);
        out += encode(c, out);
    }
    return (size_t)(out - back);
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2100), sum = 0;
    set_up();
    for (uint64_t i = 0; i < n; i++) {
        size_t length = build((uint32_t)sum | 1);
        if (!is_valid(text, length)) return 1;
        sum = bench_mix(sum, count(text, length));
        size_t units = widen(length);
        if (narrow(units) != length || memcmp(text, back, length) != 0) return 1;
        text[sum % length] ^= 0x80;
        sum = bench_mix(sum, (uint64_t)is_valid(text, length) << 32 | units);
    }
    return bench_report("utf8", n, sum);
}
