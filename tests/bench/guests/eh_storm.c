/* eh_storm.c - the native counterpart of eh_storm.wat. */
#include "bench.h"

typedef struct {
    int found;
    uint32_t path, r;
} Outcome;

static uint32_t seed;

static BENCH_NOINLINE Outcome search(uint32_t depth, uint32_t path) {
    uint32_t r = bench_random(&seed);
    if (depth == 0) return (Outcome){(r & 7) == 0, path, r};
    if (depth % 3) return search(depth - 1, path * 3 + (r & 1));
    Outcome first = search(depth - 1, path + (r >> 28));
    return first.found ? first : search(depth - 1, path ^ r);
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 4000), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t caught = 0;
        seed = (uint32_t)sum | 1;
        for (uint32_t j = 30; j > 0; j--) {
            Outcome o = search(6 + (j & 7), 1);
            caught++;
            sum = o.found ? bench_mix(sum, o.path + o.r) : sum + 1;
        }
        sum = bench_mix(sum, caught);
    }
    return bench_report("eh_storm", n, sum);
}
