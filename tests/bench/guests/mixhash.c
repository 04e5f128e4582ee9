/* mixhash.c - fast hashes over buffers, in the manner of xxHash, FNV and Murmur: i64 and i32
 * multiplications, rotations, loads of every width, tails. */
#include "bench.h"
#include <string.h>

enum { SIZE = 4096 };

static uint8_t data[SIZE];

static uint64_t load64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t turn(uint64_t v, int by) { return v << by | v >> (64 - by); }

#define PRIME_1 0x9e3779b185ebca87u
#define PRIME_2 0xc2b2ae3d27d4eb4fu
#define PRIME_3 0x165667b19e3779f9u
#define PRIME_4 0x85ebca77c2b2ae63u
#define PRIME_5 0x27d4eb2f165667c5u

static uint64_t lane(uint64_t sum, uint64_t input) {
    return turn(sum + input * PRIME_2, 31) * PRIME_1;
}

static BENCH_NOINLINE uint64_t hash64(const uint8_t *p, size_t length, uint64_t seed) {
    const uint8_t *end = p + length;
    uint64_t h = seed + PRIME_5;
    if (length >= 32) {
        uint64_t v[4] = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
        for (; p + 32 <= end; p += 32)
            for (int i = 0; i < 4; i++) v[i] = lane(v[i], load64(p + 8 * i));
        h = turn(v[0], 1) + turn(v[1], 7) + turn(v[2], 12) + turn(v[3], 18);
        for (int i = 0; i < 4; i++) h = (h ^ lane(0, v[i])) * PRIME_1 + PRIME_4;
    }
    h += length;
    for (; p + 8 <= end; p += 8) h = turn(h ^ lane(0, load64(p)), 27) * PRIME_1 + PRIME_4;
    if (p + 4 <= end) {
        h = turn(h ^ load32(p) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        p += 4;
    }
    for (; p < end; p++) h = turn(h ^ *p * PRIME_5, 11) * PRIME_1;
    h = (h ^ h >> 33) * PRIME_2;
    h = (h ^ h >> 29) * PRIME_3;
    return h ^ h >> 32;
}

static BENCH_NOINLINE uint32_t murmur(const uint8_t *p, size_t length, uint32_t h) {
    for (; length >= 4; p += 4, length -= 4) {
        uint32_t k = load32(p) * 0xcc9e2d51u;
        h ^= (k << 15 | k >> 17) * 0x1b873593u;
        h = (h << 13 | h >> 19) * 5 + 0xe6546b64u;
    }
    for (; length; p++, length--) h = (h ^ *p) * 0x01000193u;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    return h ^ h >> 13;
}

static BENCH_NOINLINE uint64_t fnv(const uint8_t *p, size_t length) {
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 41000), sum = 0;
    uint32_t seed = 17;
    for (int i = 0; i < SIZE; i++) data[i] = (uint8_t)(bench_random(&seed) >> 9);
    for (uint64_t i = 0; i < n; i++) {
        sum = hash64(data, SIZE - (i & 31), sum);
        sum = bench_mix(sum, murmur(data + 1024, 1024 + (i & 7), (uint32_t)sum));
        sum = bench_mix(sum, fnv(data + 100, 500));
        for (size_t at = 0; at < 1024; at += 16 + (at & 15)) /* short keys */
            sum = bench_mix(sum, hash64(data + at, 5 + (at & 15), sum));
        data[sum & (SIZE - 1)] ^= (uint8_t)(sum >> 32);
    }
    return bench_report("mixhash", n, sum);
}
