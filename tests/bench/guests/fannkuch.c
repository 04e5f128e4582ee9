/* fannkuch.c - "pancake" flips of all permutations of seven numbers: short loops over an array
 * with unpredictable trip counts. */
#include "bench.h"

enum { N = 7 };

/* The number of prefix reversals until `perm` starts with 0. */
static int count_flips(const int *perm) {
    int p[N], flips = 0;
    for (int i = 0; i < N; i++) p[i] = perm[i];
    while (p[0]) {
        for (int i = 0, j = p[0]; i < j; i++, j--) {
            int t = p[i];
            p[i] = p[j];
            p[j] = t;
        }
        flips++;
    }
    return flips;
}

/* Steps `perm` to the next permutation by rotating ever longer prefixes; 0 after the last one. */
static int next_permutation(int *perm, int *count) {
    for (int r = 1; r < N; r++) {
        int first = perm[0];
        for (int i = 0; i < r; i++) perm[i] = perm[i + 1];
        perm[r] = first;
        if (++count[r] <= r) return 1;
        count[r] = 0;
    }
    return 0;
}

static BENCH_NOINLINE uint32_t fannkuch(uint32_t sum) {
    int perm[N], count[N] = {0}, most = 0, sign = 1;
    for (int i = 0; i < N; i++) perm[i] = i;
    do {
        int flips = count_flips(perm);
        if (flips > most) most = flips;
        sum += (uint32_t)(sign * flips);
        sign = -sign;
    } while (next_permutation(perm, count));
    return sum * 31 + (uint32_t)most;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 660), sum = 0;
    for (uint64_t i = 0; i < n; i++) sum = bench_mix(sum, fannkuch((uint32_t)sum));
    return bench_report("fannkuch", n, sum);
}
