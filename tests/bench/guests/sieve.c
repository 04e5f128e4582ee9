/* sieve.c - the sieve of Eratosthenes: byte stores at a stride, byte loads in sequence. */
#include "bench.h"

enum { LIMIT = 1 << 16 };

static uint8_t composite[LIMIT];

static BENCH_NOINLINE uint32_t sieve(uint32_t limit) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < limit; i++) composite[i] = 0;
    for (uint32_t i = 2; i < limit; i++) {
        if (composite[i]) continue;
        count++;
        for (uint32_t j = i * 2; j < limit; j += i) composite[j] = 1;
    }
    return count;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 600), sum = 0;
    for (uint64_t i = 0; i < n; i++) sum = bench_mix(sum, sieve(LIMIT - (uint32_t)(sum & 1023)));
    return bench_report("sieve", n, sum);
}
