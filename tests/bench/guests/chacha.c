/* chacha.c - the ChaCha20 stream cipher (RFC 8439) with Poly1305 in 26-bit limbs: 32-bit
 * additions, rotations, 64-bit products. */
#include "bench.h"
#include <string.h>

enum { SIZE = 4096 };

static uint8_t message[SIZE];

static uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t turn(uint32_t v, int by) { return v << by | v >> (32 - by); }

#define QUARTER(a, b, c, d)                                                                        \
    (a += b, d = turn(d ^ a, 16), c += d, b = turn(b ^ c, 12), a += b, d = turn(d ^ a, 8), c += d, \
     b = turn(b ^ c, 7))

static void block(const uint32_t in[16], uint32_t x[16]) {
    memcpy(x, in, 64);
    for (int i = 0; i < 10; i++) {
        QUARTER(x[0], x[4], x[8], x[12]);
        QUARTER(x[1], x[5], x[9], x[13]);
        QUARTER(x[2], x[6], x[10], x[14]);
        QUARTER(x[3], x[7], x[11], x[15]);
        QUARTER(x[0], x[5], x[10], x[15]);
        QUARTER(x[1], x[6], x[11], x[12]);
        QUARTER(x[2], x[7], x[8], x[13]);
        QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (int i = 0; i < 16; i++) x[i] += in[i];
}

static BENCH_NOINLINE void encrypt(uint8_t *data, size_t size, const uint8_t key[32],
                                   uint32_t counter, uint64_t nonce) {
    uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, stream[16];
    for (int i = 0; i < 8; i++) state[4 + i] = load32(key + 4 * i);
    state[13] = 0;
    state[14] = (uint32_t)nonce;
    state[15] = (uint32_t)(nonce >> 32);
    for (size_t at = 0; at < size; at += 64) {
        state[12] = counter++;
        block(state, stream);
        const uint8_t *bytes = (const uint8_t *)stream;
        for (size_t i = 0; i < 64 && at + i < size; i++) data[at + i] ^= bytes[i];
    }
}

/* The tag folded to 64 bits; size a multiple of 16. */
static BENCH_NOINLINE uint64_t poly1305(const uint8_t *data, size_t size, const uint8_t key[16]) {
    const uint32_t mask = 0x3ffffff;
    uint64_t r0 = load32(key) & 0x3ffffff, r1 = load32(key + 3) >> 2 & 0x3ffff03,
             r2 = load32(key + 6) >> 4 & 0x3ffc0ff, r3 = load32(key + 9) >> 6 & 0x3f03fff,
             r4 = load32(key + 12) >> 8 & 0x00fffff;
    uint64_t s1 = r1 * 5, s2 = r2 * 5, s3 = r3 * 5, s4 = r4 * 5;
    uint64_t h0 = 0, h1 = 0, h2 = 0, h3 = 0, h4 = 0;
    for (; size; size -= 16, data += 16) {
        h0 += load32(data) & mask;
        h1 += load32(data + 3) >> 2 & mask;
        h2 += load32(data + 6) >> 4 & mask;
        h3 += load32(data + 9) >> 6 & mask;
        h4 += load32(data + 12) >> 8 | 1u << 24;
        uint64_t d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
        uint64_t d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
        uint64_t d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
        uint64_t d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
        uint64_t d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
        d1 += d0 >> 26, h0 = d0 & mask;
        d2 += d1 >> 26, h1 = d1 & mask;
        d3 += d2 >> 26, h2 = d2 & mask;
        d4 += d3 >> 26, h3 = d3 & mask;
        h0 += (d4 >> 26) * 5, h4 = d4 & mask;
        h1 += h0 >> 26, h0 &= mask;
    }
    return h0 ^ h1 << 13 ^ h2 << 26 ^ h3 << 38 ^ h4 << 17;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 3800), sum = 0;
    uint8_t key[32];
    for (int i = 0; i < 32; i++) key[i] = (uint8_t)(i * 7);
    for (uint64_t i = 0; i < n; i++) {
        encrypt(message, SIZE - (sum & 63), key, (uint32_t)i, sum);
        sum = bench_mix(sum, poly1305(message, SIZE, key));
        key[sum & 31] ^= (uint8_t)(sum >> 40);
    }
    return bench_report("chacha", n, sum);
}
