/* lz.c - a small LZ77 compressor and its decompressor, round trip: byte loads and stores, hash
 * lookups, copies that overlap. */
#include "bench.h"
#include <string.h>

enum { SIZE = 8192, HASH_BITS = 10, MIN_MATCH = 4, MAX_MATCH = 130 };

static uint8_t plain[SIZE], packed[SIZE * 2], unpacked[SIZE];
static uint16_t last_seen[1 << HASH_BITS]; /* position + 1 */

/* Text that repeats itself the way text does: words of a small vocabulary, drawn unevenly. */
static void build(uint32_t seed) {
    static const char vocabulary[] =
        "the quick brown module calls a function and returns its value "
        "to memory while another table entry waits for the loop ";
    size_t at = 0;
    while (at < SIZE) {
        uint32_t from = (bench_random(&seed) >> 8) % 100, length = 3 + (seed & 15);
        for (uint32_t i = 0; i < length && at < SIZE; i++)
            plain[at++] = (uint8_t)vocabulary[from + i];
    }
}

static uint32_t hash_at(const uint8_t *p) {
    uint32_t four = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return four * 2654435761u >> (32 - HASH_BITS);
}

static uint32_t match_length(const uint8_t *a, const uint8_t *b, uint32_t most) {
    uint32_t length = 0;
    while (length < most && a[length] == b[length]) length++;
    return length;
}

/* Writes literals [from, to) in runs of at most 128: a count byte, then the bytes. */
static uint8_t *put_literals(uint8_t *out, const uint8_t *from, const uint8_t *to) {
    while (from < to) {
        uint32_t run = to - from < 128 ? (uint32_t)(to - from) : 128;
        *out++ = (uint8_t)(run - 1);
        for (uint32_t i = 0; i < run; i++) *out++ = *from++;
    }
    return out;
}

/* A match is 0x80 + length - MIN_MATCH, then its distance in two bytes. */
static BENCH_NOINLINE size_t compress(void) {
    uint8_t *out = packed;
    const uint8_t *literals = plain;
    uint32_t at = 0;
    memset(last_seen, 0, sizeof last_seen);
    while (at + MIN_MATCH <= SIZE) {
        uint32_t hash = hash_at(plain + at), seen = last_seen[hash], length = 0;
        last_seen[hash] = (uint16_t)(at + 1);
        uint32_t most = SIZE - at < MAX_MATCH ? SIZE - at : MAX_MATCH;
        if (seen) length = match_length(plain + seen - 1, plain + at, most);
        if (length < MIN_MATCH) {
            at++;
            continue;
        }
        uint32_t distance = at - (seen - 1);
        out = put_literals(out, literals, plain + at);
        *out++ = (uint8_t)(0x80 + length - MIN_MATCH);
        *out++ = (uint8_t)distance;
        *out++ = (uint8_t)(distance >> 8);
        at += length;
        literals = plain + at;
    }
    return (size_t)(put_literals(out, literals, plain + SIZE) - packed);
}

static BENCH_NOINLINE size_t decompress(size_t size) {
    const uint8_t *in = packed, *end = packed + size;
    uint8_t *out = unpacked;
    while (in < end) {
        uint32_t control = *in++;
        if (control < 0x80) {
            for (uint32_t i = 0; i <= control; i++) *out++ = *in++;
        } else {
            uint32_t distance = (uint32_t)in[0] | (uint32_t)in[1] << 8;
            in += 2;
            for (uint32_t i = 0; i < control - 0x80 + MIN_MATCH; i++, out++)
                *out = out[-(int)distance];
        }
    }
    return (size_t)(out - unpacked);
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1800), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        build((uint32_t)sum | 1);
        size_t size = compress();
        if (decompress(size) != SIZE || memcmp(plain, unpacked, SIZE) != 0) return 1;
        sum = bench_mix(sum, size);
        sum = bench_mix(sum, hash_at(packed + size / 2));
    }
    return bench_report("lz", n, sum);
}
