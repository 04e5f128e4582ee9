/* memory64.c - the native counterpart of memory64.wat. */
#include "bench.h"
#include <string.h>

static uint8_t wide[4 << 16], narrow[4 << 16];
static uint32_t seed;

static uint64_t load64(uint64_t at) {
    uint64_t v;
    memcpy(&v, wide + at, sizeof v);
    return v;
}
static void store64(uint64_t at, uint64_t v) { memcpy(wide + at, &v, sizeof v); }

static BENCH_NOINLINE uint32_t sieve(uint64_t limit) {
    uint32_t count = 0;
    memset(wide, 1, limit);
    for (uint64_t i = 2; i < limit; i++)
        if (wide[i]) {
            count++;
            for (uint64_t j = i * i; j < limit; j += i) wide[j] = 0;
        }
    return count;
}

static BENCH_NOINLINE uint64_t list(uint64_t nodes) {
    uint64_t sum = 0, at = 65536;
    for (uint64_t i = 0; i < nodes; i++) {
        store64(65536 + 16 * i, 65536 + 16 * ((i + 7) % nodes));
        store64(65536 + 16 * i + 8, bench_random(&seed));
    }
    for (uint64_t i = nodes; i > 0; i--) {
        sum = sum * 3 + load64(at + 8);
        at = load64(at);
    }
    return sum;
}

static BENCH_NOINLINE uint32_t copies(uint32_t count) {
    uint32_t sum = 0, v;
    uint16_t half;
    do {
        memcpy(narrow + 2048, wide + 65536, 200);
        memcpy(&v, narrow + 2100, sizeof v);
        memcpy(&half, narrow + 2208, sizeof half);
        v += half;
        memcpy(narrow + 2100, &v, sizeof v);
        memcpy(wide + 65600, narrow + 2050, 180);
        memcpy(&v, wide + 65650, sizeof v);
        sum = sum * 5 + v;
    } while (--count);
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 200), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        seed = (uint32_t)sum | 1;
        sum = bench_mix(sum, sieve(20000 + (sum & 255)));
        sum = bench_mix(sum, list(2000));
        sum = bench_mix(sum, copies(500));
    }
    return bench_report("memory64", n, sum);
}
