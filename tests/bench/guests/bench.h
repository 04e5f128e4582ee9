/* bench.h - what every benchmark guest shares: its argument, its random numbers, its result.
 *
 * A guest does a fixed amount of work per iteration, chains the result of each iteration into the
 * next, so that no compiler can drop or hoist one, and prints one line with a checksum. It reads
 * no clock: whoever runs it measures the process. The same sources are compiled natively, and
 * the line must be the same there.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BENCH_NOINLINE __attribute__((noinline))

/* The number of iterations: argv[1] as a count, or as a percentage of `preset` ("25%"); `preset`
 * without an argument. At least 1. */
static uint64_t bench_iterations(int argc, char **argv, uint64_t preset) {
    if (argc < 2) return preset;
    char *rest;
    uint64_t n = strtoull(argv[1], &rest, 10);
    if (*rest == '%') n = preset * n / 100;
    return n ? n : 1;
}

/* xorshift32: the next pseudo-random number; *state must not be 0. */
static inline uint32_t bench_random(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Folds `value` into the checksum `sum`; depends on the order of the values. */
static inline uint64_t bench_mix(uint64_t sum, uint64_t value) {
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

/* Prints the result; the return value is main's. */
static int bench_report(const char *name, uint64_t iterations, uint64_t sum) {
    printf("%s iterations=%llu checksum=%016llx\n", name, (unsigned long long)iterations,
           (unsigned long long)sum);
    return 0;
}

#endif
