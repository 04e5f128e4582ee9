/* nqueens.c - solutions of the eight queens problem with one square forbidden: recursion, bits. */
#include "bench.h"

enum { N = 8 };

static uint32_t forbidden[N]; /* per row */

static BENCH_NOINLINE uint32_t place(int row, uint32_t columns, uint32_t left, uint32_t right) {
    if (row == N) return 1;
    uint32_t found = 0;
    uint32_t open = ~(columns | left | right | forbidden[row]) & ((1u << N) - 1);
    while (open) {
        uint32_t bit = open & -open;
        open ^= bit;
        found += place(row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 10000), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t row = (uint32_t)(sum >> 8) % N;
        forbidden[row] = 1u << (sum % N);
        sum = bench_mix(sum, place(0, 0, 0, 0));
        forbidden[row] = 0;
    }
    return bench_report("nqueens", n, sum);
}
