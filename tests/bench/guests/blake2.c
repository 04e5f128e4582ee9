/* blake2.c - the BLAKE2b hash (RFC 7693): 64-bit additions, exclusive ors and rotations in long
 * unrolled rounds, message words by a permutation table. */
#include "bench.h"
#include <string.h>

typedef struct {
    uint64_t h[8], length;
    uint8_t block[128];
    size_t used;
} Blake;

static const uint64_t iv[8] = {0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu,
                               0xa54ff53a5f1d36f1u, 0x510e527fade682d1u, 0x9b05688c2b3e6c1fu,
                               0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u};
static const uint8_t sigma[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint64_t turn(uint64_t v, int by) { return v >> by | v << (64 - by); }

#define MIX(a, b, c, d, x, y)                                                                      \
    (v[a] += v[b] + (x), v[d] = turn(v[d] ^ v[a], 32), v[c] += v[d], v[b] = turn(v[b] ^ v[c], 24), \
     v[a] += v[b] + (y), v[d] = turn(v[d] ^ v[a], 16), v[c] += v[d], v[b] = turn(v[b] ^ v[c], 63))

static BENCH_NOINLINE void compress(Blake *b, int last) {
    uint64_t v[16], m[16];
    memcpy(m, b->block, sizeof m);
    memcpy(v, b->h, sizeof b->h);
    memcpy(v + 8, iv, sizeof iv);
    v[12] ^= b->length;
    if (last) v[14] = ~v[14];
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = sigma[round % 10];
        MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
        MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
        MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
        MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
        MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
        MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
        MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
        MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++) b->h[i] ^= v[i] ^ v[i + 8];
}

static void begin(Blake *b) {
    memset(b, 0, sizeof *b);
    memcpy(b->h, iv, sizeof iv);
    b->h[0] ^= 0x01010000 ^ 64;
}

static void update(Blake *b, const uint8_t *data, size_t size) {
    while (size) {
        if (b->used == sizeof b->block) {
            b->length += b->used;
            compress(b, 0);
            b->used = 0;
        }
        size_t take = sizeof b->block - b->used < size ? sizeof b->block - b->used : size;
        memcpy(b->block + b->used, data, take);
        b->used += take;
        data += take;
        size -= take;
    }
}

static void finish(Blake *b, uint8_t digest[64]) {
    b->length += b->used;
    memset(b->block + b->used, 0, sizeof b->block - b->used);
    compress(b, 1);
    memcpy(digest, b->h, 64);
}

int main(int argc, char **argv) {
    static uint8_t data[3000];
    uint64_t n = bench_iterations(argc, argv, 7700), sum = 0;
    uint8_t digest[64];
    Blake b;
    begin(&b);
    update(&b, (const uint8_t *)"abc", 3);
    finish(&b, digest);
    if (digest[0] != 0xba || digest[63] != 0x23) return 1; /* the RFC's example */
    for (uint64_t i = 0; i < n; i++) {
        begin(&b);
        update(&b, digest, 1 + (sum & 31));
        update(&b, data, sizeof data - (sum >> 8 & 255));
        finish(&b, digest);
        memcpy(data + (i * 64) % 2944, digest, 64);
        uint64_t v;
        memcpy(&v, digest, sizeof v);
        sum = bench_mix(sum, v);
    }
    return bench_report("blake2", n, sum);
}
