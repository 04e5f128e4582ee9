/* recurse.c - calls and returns: Fibonacci, Ackermann and Takeuchi, with hardly any work between.
 */
#include "bench.h"

static BENCH_NOINLINE uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static BENCH_NOINLINE uint32_t ackermann(uint32_t m, uint32_t n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

static BENCH_NOINLINE int32_t tak(int32_t x, int32_t y, int32_t z) {
    if (y >= x) return z;
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2300), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t wobble = (uint32_t)(sum & 1);
        sum = bench_mix(sum, fib(19 + wobble));
        sum = bench_mix(sum, ackermann(2, 60 + wobble));
        sum = bench_mix(sum, (uint32_t)tak(12 + (int32_t)wobble, 8, 4));
    }
    return bench_report("recurse", n, sum);
}
