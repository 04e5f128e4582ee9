/* base64.c - text encodings of bytes and back: base64 by a table, hexadecimal, percent escapes,
 * run lengths; byte loads, shifts, table look-ups. */
#include "bench.h"
#include <string.h>

enum { SIZE = 3000 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static int8_t value_of[256];
static uint8_t plain[SIZE], back[SIZE + 4], text[SIZE * 3 + 1];

static void set_up(void) {
    memset(value_of, -1, sizeof value_of);
    for (int i = 0; i < 64; i++) value_of[(uint8_t)alphabet[i]] = (int8_t)i;
}

static BENCH_NOINLINE size_t encode64(const uint8_t *in, size_t length, uint8_t *out) {
    uint8_t *start = out;
    for (; length >= 3; in += 3, length -= 3) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = (uint8_t)alphabet[v >> 18];
        *out++ = (uint8_t)alphabet[v >> 12 & 63];
        *out++ = (uint8_t)alphabet[v >> 6 & 63];
        *out++ = (uint8_t)alphabet[v & 63];
    }
    if (length) {
        uint32_t v = (uint32_t)in[0] << 16 | (length == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = (uint8_t)alphabet[v >> 18];
        *out++ = (uint8_t)alphabet[v >> 12 & 63];
        *out++ = length == 2 ? (uint8_t)alphabet[v >> 6 & 63] : '=';
        *out++ = '=';
    }
    return (size_t)(out - start);
}

/* Returns the number of bytes, or 0 if the text is damaged. */
static BENCH_NOINLINE size_t decode64(const uint8_t *in, size_t length, uint8_t *out) {
    uint32_t bits = 0, have = 0;
    uint8_t *start = out;
    for (size_t i = 0; i < length && in[i] != '='; i++) {
        int v = value_of[in[i]];
        if (v < 0) return 0;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *out++ = (uint8_t)(bits >> have);
        }
    }
    return (size_t)(out - start);
}

static BENCH_NOINLINE size_t encode_hex(const uint8_t *in, size_t length, uint8_t *out) {
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = (uint8_t)"0123456789abcdef"[in[i] >> 4];
        out[2 * i + 1] = (uint8_t)"0123456789abcdef"[in[i] & 15];
    }
    return 2 * length;
}

static int digit(uint8_t c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; }

static BENCH_NOINLINE size_t decode_hex(const uint8_t *in, size_t length, uint8_t *out) {
    for (size_t i = 0; i < length; i += 2)
        out[i / 2] = (uint8_t)(digit(in[i]) << 4 | digit(in[i + 1]));
    return length / 2;
}

static int is_plain(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static BENCH_NOINLINE size_t escape(const uint8_t *in, size_t length, uint8_t *out) {
    uint8_t *start = out;
    for (size_t i = 0; i < length; i++) {
        if (is_plain(in[i])) {
            *out++ = in[i];
        } else {
            *out++ = '%';
            out += encode_hex(in + i, 1, out);
        }
    }
    return (size_t)(out - start);
}

static BENCH_NOINLINE size_t unescape(const uint8_t *in, size_t length, uint8_t *out) {
    uint8_t *start = out;
    for (size_t i = 0; i < length; i++) {
        if (in[i] == '%') {
            decode_hex(in + i + 1, 2, out++);
            i += 2;
        } else {
            *out++ = in[i];
        }
    }
    return (size_t)(out - start);
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1200), sum = 0;
    set_up();
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        size_t length = SIZE - (sum & 3), size;
        for (size_t j = 0; j < length; j++) plain[j] = (uint8_t)(bench_random(&seed) >> 13);
        size = encode64(plain, length, text);
        sum = bench_mix(sum, text[size / 2]);
        if (decode64(text, size, back) != length || memcmp(plain, back, length) != 0) return 1;
        size = encode_hex(plain, length, text);
        if (decode_hex(text, size, back) != length || memcmp(plain, back, length) != 0) return 1;
        size = escape(plain, length, text);
        if (unescape(text, size, back) != length || memcmp(plain, back, length) != 0) return 1;
        sum = bench_mix(sum, size);
    }
    return bench_report("base64", n, sum);
}
