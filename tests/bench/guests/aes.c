/* aes.c - AES-128 (FIPS 197) in counter mode with the four look-up tables, tables computed at
 * start; CBC decryption a byte at a time. */
#include "bench.h"
#include <string.h>

enum { ROUNDS = 10, BLOCKS = 64 };

static uint8_t sbox[256], inverse[256];
static uint32_t table[4][256];
static uint32_t keys[4 * (ROUNDS + 1)];

static uint8_t twice(uint8_t v) { return (uint8_t)(v << 1 ^ (v & 0x80 ? 0x1b : 0)); }

static uint8_t times(uint8_t a, uint8_t b) {
    uint8_t product = 0;
    for (; b; b >>= 1, a = twice(a))
        if (b & 1) product ^= a;
    return product;
}

static uint8_t turn8(uint8_t v, int by) { return (uint8_t)(v << by | v >> (8 - by)); }
static uint32_t turn(uint32_t v, int by) { return v << by | v >> (32 - by); }

static void build_tables(void) {
    uint8_t p = 1, q = 1;
    do { /* p runs through the powers of 3, q through its inverses */
        p = p ^ twice(p);
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        if (q & 0x80) q ^= 0x09;
        sbox[p] = q ^ turn8(q, 1) ^ turn8(q, 2) ^ turn8(q, 3) ^ turn8(q, 4) ^ 0x63;
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++) {
        uint8_t s = sbox[i], d = twice(s);
        inverse[s] = (uint8_t)i;
        table[0][i] = d | (uint32_t)s << 8 | (uint32_t)s << 16 | (uint32_t)(d ^ s) << 24;
        for (int k = 1; k < 4; k++) table[k][i] = turn(table[0][i], 8 * k);
    }
}

static uint32_t substitute(uint32_t w) {
    return sbox[w & 255] | (uint32_t)sbox[w >> 8 & 255] << 8 | (uint32_t)sbox[w >> 16 & 255] << 16 |
           (uint32_t)sbox[w >> 24] << 24;
}

static BENCH_NOINLINE void expand(const uint8_t key[16]) {
    uint8_t constant = 1;
    memcpy(keys, key, 16);
    for (int i = 4; i < 4 * (ROUNDS + 1); i++) {
        uint32_t w = keys[i - 1];
        if (i % 4 == 0) {
            w = substitute(turn(w, 24)) ^ constant;
            constant = twice(constant);
        }
        keys[i] = keys[i - 4] ^ w;
    }
}

static BENCH_NOINLINE void encrypt(const uint8_t in[16], uint8_t out[16]) {
    uint32_t s[4], t[4];
    memcpy(s, in, 16);
    for (int i = 0; i < 4; i++) s[i] ^= keys[i];
    for (int round = 1; round < ROUNDS; round++) {
        for (int i = 0; i < 4; i++)
            t[i] = table[0][s[i] & 255] ^ table[1][s[(i + 1) & 3] >> 8 & 255] ^
                   table[2][s[(i + 2) & 3] >> 16 & 255] ^ table[3][s[(i + 3) & 3] >> 24] ^
                   keys[4 * round + i];
        memcpy(s, t, 16);
    }
    for (int i = 0; i < 4; i++)
        t[i] = (sbox[s[i] & 255] | (uint32_t)sbox[s[(i + 1) & 3] >> 8 & 255] << 8 |
                (uint32_t)sbox[s[(i + 2) & 3] >> 16 & 255] << 16 |
                (uint32_t)sbox[s[(i + 3) & 3] >> 24] << 24) ^
               keys[4 * ROUNDS + i];
    memcpy(out, t, 16);
}

static void add_key(uint8_t s[16], int round) {
    const uint8_t *key = (const uint8_t *)(keys + 4 * round);
    for (int i = 0; i < 16; i++) s[i] ^= key[i];
}

static BENCH_NOINLINE void decrypt(const uint8_t in[16], uint8_t out[16]) {
    uint8_t s[16], t[16];
    memcpy(s, in, 16);
    add_key(s, ROUNDS);
    for (int round = ROUNDS - 1;; round--) {
        for (int c = 0; c < 4; c++)
            for (int r = 0; r < 4; r++) t[4 * ((c + r) & 3) + r] = inverse[s[4 * c + r]];
        add_key(t, round);
        if (round == 0) break;
        for (int c = 0; c < 16; c += 4)
            for (int r = 0; r < 4; r++)
                s[c + r] = times(t[c + r], 14) ^ times(t[c + ((r + 1) & 3)], 11) ^
                           times(t[c + ((r + 2) & 3)], 13) ^ times(t[c + ((r + 3) & 3)], 9);
    }
    memcpy(out, t, 16);
}

int main(int argc, char **argv) {
    static uint8_t data[16 * BLOCKS];
    uint64_t n = bench_iterations(argc, argv, 3600), sum = 0;
    uint8_t key[16], counter[16] = {0}, stream[16], back[16];
    build_tables();
    for (int i = 0; i < 16; i++) key[i] = (uint8_t)i;
    expand(key);
    for (int i = 0; i < 16; i++) stream[i] = (uint8_t)(i * 0x11);
    encrypt(stream, back); /* FIPS 197, C.1 */
    if (back[0] != 0x69 || back[15] != 0x5a) return 1;
    for (uint64_t i = 0; i < n; i++) {
        key[i & 15] ^= (uint8_t)sum;
        expand(key);
        for (int block = 0; block < BLOCKS; block++) {
            memcpy(counter, &block, sizeof block);
            encrypt(counter, stream);
            for (int k = 0; k < 16; k++) data[16 * block + k] ^= stream[k];
        }
        for (int block = 0; block < BLOCKS; block += 16) {
            encrypt(data + 16 * block, stream);
            decrypt(stream, back);
            if (memcmp(back, data + 16 * block, 16) != 0) return 1;
            uint64_t v;
            memcpy(&v, stream, sizeof v);
            sum = bench_mix(sum, v);
        }
    }
    return bench_report("aes", n, sum);
}
