/* eh_calm.c - the native counterpart of eh_calm.wat. */
#include "bench.h"

static uint32_t seed;

/* Returns whether the sum did not fit. */
static BENCH_NOINLINE int add(uint32_t a, uint32_t b, uint32_t *sum) {
    *sum = a + b;
    return *sum < a;
}

static BENCH_NOINLINE uint32_t collatz(uint32_t n) {
    uint32_t steps = 0;
    do {
        if (n & 1) {
            uint32_t twice, more;
            if (add(n, n, &twice)) return twice + steps;
            if (add(n, 1, &more)) return more + steps;
            if (add(twice, more, &n)) return n + steps;
        } else {
            n >>= 1;
        }
        steps++;
    } while (n > 1);
    return steps;
}

static BENCH_NOINLINE uint32_t inner(uint32_t count) {
    uint32_t sum = 0;
    do {
        uint32_t next;
        if (add(sum, bench_random(&seed) >> 12, &next))
            sum = next ^ sum >> 3;
        else
            sum = next;
    } while (--count);
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1000), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        seed = (uint32_t)sum | 1;
        for (int j = 0; j < 40; j++) sum = bench_mix(sum, collatz(bench_random(&seed) >> 12 | 1));
        sum = bench_mix(sum, inner(1500));
    }
    return bench_report("eh_calm", n, sum);
}
