/* bits.c - bit tricks on 32 and 64 bits: population counts, leading and trailing zeros, rotations,
 * Gray codes, Morton codes, bit reversal, a bitmap allocator, a linear feedback shift register. */
#include "bench.h"

enum { WORDS = 64 };

static uint64_t bitmap[WORDS];

static uint32_t reverse(uint32_t v) {
    v = (v >> 1 & 0x55555555u) | (v & 0x55555555u) << 1;
    v = (v >> 2 & 0x33333333u) | (v & 0x33333333u) << 2;
    v = (v >> 4 & 0x0f0f0f0fu) | (v & 0x0f0f0f0fu) << 4;
    v = (v >> 8 & 0x00ff00ffu) | (v & 0x00ff00ffu) << 8;
    return v >> 16 | v << 16;
}

static uint64_t spread(uint32_t v) {
    uint64_t x = v;
    x = (x | x << 16) & 0x0000ffff0000ffffu;
    x = (x | x << 8) & 0x00ff00ff00ff00ffu;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0fu;
    x = (x | x << 2) & 0x3333333333333333u;
    return (x | x << 1) & 0x5555555555555555u;
}

static BENCH_NOINLINE uint64_t codes(uint32_t from, uint32_t count) {
    uint64_t sum = 0;
    for (uint32_t i = from; i < from + count; i++) {
        uint32_t gray = i ^ i >> 1;
        sum += spread(gray) | spread(reverse(i)) << 1;
        sum = sum << 7 | sum >> 57;
    }
    return sum;
}

static BENCH_NOINLINE uint32_t lfsr(uint32_t state, int steps) {
    for (int i = 0; i < steps; i++) state = state >> 1 ^ (-(state & 1) & 0x80200003u);
    return state;
}

/* Takes the first free bit; 0xffffffff when all are taken. */
static uint32_t take(void) {
    for (uint32_t i = 0; i < WORDS; i++)
        if (~bitmap[i]) {
            uint32_t bit = (uint32_t)__builtin_ctzll(~bitmap[i]);
            bitmap[i] |= 1ull << bit;
            return i * 64 + bit;
        }
    return 0xffffffffu;
}

static BENCH_NOINLINE uint64_t allocate(uint32_t *seed) {
    uint64_t sum = 0;
    for (int i = 0; i < 600; i++) {
        uint32_t r = bench_random(seed);
        if (r & 3) sum += take();
        uint32_t at = r >> 20;
        bitmap[at >> 6] &= ~(1ull << (at & 63));
    }
    for (int i = 0; i < WORDS; i++) sum += (uint64_t)__builtin_popcountll(bitmap[i]) << (i & 31);
    return sum;
}

/* Integer logarithms, roots, and the next number with as many ones. */
static BENCH_NOINLINE uint32_t digits(uint32_t seed, int count) {
    uint32_t sum = 0, v = 0x1fu;
    for (int i = 0; i < count; i++) {
        uint32_t r = bench_random(&seed) | 1, low = v & -v, ripple = v + low;
        sum += 31 - (uint32_t)__builtin_clz(r);
        sum ^= (uint32_t)__builtin_popcount(r) << (r & 15);
        v = ripple | ((v ^ ripple) >> (2 + __builtin_ctz(low)));
        if (v > 0x7fffffffu) v = 0x1fu;
        sum += __builtin_parity(v) ? v : r >> 9;
    }
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 4300), sum = 0;
    uint32_t seed = 4711;
    for (uint64_t i = 0; i < n; i++) {
        sum = bench_mix(sum, codes((uint32_t)sum, 500));
        sum = bench_mix(sum, lfsr((uint32_t)sum | 1, 2000));
        sum = bench_mix(sum, allocate(&seed));
        sum = bench_mix(sum, digits((uint32_t)sum | 1, 1000));
    }
    return bench_report("bits", n, sum);
}
