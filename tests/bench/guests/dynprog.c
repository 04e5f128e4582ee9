/* dynprog.c - dynamic programming on tables of int: longest common subsequence, knapsack, matrix
 * chain order, all shortest paths, alignment with gap penalties. */
#include "bench.h"
#include <string.h>

enum { LENGTH = 120, ITEMS = 40, CAPACITY = 300, CHAIN = 40, NODES = 36 };

static char one[LENGTH + 1], two[LENGTH + 1];
static int table[LENGTH + 1][LENGTH + 1], best[CAPACITY + 1], chain[CHAIN][CHAIN];
static int distance[NODES][NODES];

static int max(int a, int b) { return a > b ? a : b; }

static BENCH_NOINLINE int subsequence(void) {
    for (int i = 1; i <= LENGTH; i++)
        for (int j = 1; j <= LENGTH; j++)
            table[i][j] = one[i - 1] == two[j - 1] ? table[i - 1][j - 1] + 1
                                                   : max(table[i - 1][j], table[i][j - 1]);
    return table[LENGTH][LENGTH];
}

static BENCH_NOINLINE int align(int match, int mismatch, int gap) {
    int score = 0;
    for (int i = 1; i <= LENGTH; i++)
        for (int j = 1; j <= LENGTH; j++) {
            int value = table[i - 1][j - 1] + (one[i - 1] == two[j - 1] ? match : mismatch);
            value = max(value, table[i - 1][j] + gap);
            value = max(value, table[i][j - 1] + gap);
            table[i][j] = max(value, 0);
            score = max(score, table[i][j]);
        }
    return score;
}

static BENCH_NOINLINE int knapsack(const int *weight, const int *value) {
    memset(best, 0, sizeof best);
    for (int i = 0; i < ITEMS; i++)
        for (int c = CAPACITY; c >= weight[i]; c--)
            best[c] = max(best[c], best[c - weight[i]] + value[i]);
    return best[CAPACITY];
}

static BENCH_NOINLINE int chain_order(const int *size) {
    for (int span = 1; span < CHAIN - 1; span++)
        for (int i = 0; i + span < CHAIN - 1; i++) {
            int j = i + span;
            chain[i][j] = 0x7fffffff;
            for (int k = i; k < j; k++) {
                int cost = chain[i][k] + chain[k + 1][j] + size[i] * size[k + 1] * size[j + 1];
                if (cost < chain[i][j]) chain[i][j] = cost;
            }
        }
    return chain[0][CHAIN - 2];
}

static BENCH_NOINLINE int floyd(uint32_t *seed) {
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++)
            distance[i][j] = i == j ? 0 : 1 + (int)(bench_random(seed) >> 22);
    for (int k = 0; k < NODES; k++)
        for (int i = 0; i < NODES; i++)
            for (int j = 0; j < NODES; j++)
                if (distance[i][k] + distance[k][j] < distance[i][j])
                    distance[i][j] = distance[i][k] + distance[k][j];
    int sum = 0;
    for (int i = 0; i < NODES; i++) sum += distance[i][NODES - 1 - i];
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 450), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        int weight[ITEMS], value[ITEMS], size[CHAIN];
        for (int j = 0; j < LENGTH; j++) {
            one[j] = "acgt"[bench_random(&seed) >> 30];
            two[j] = "acgt"[bench_random(&seed) >> 30];
        }
        for (int j = 0; j < ITEMS; j++) {
            weight[j] = 3 + (int)(bench_random(&seed) >> 27);
            value[j] = (int)(bench_random(&seed) >> 25);
        }
        for (int j = 0; j < CHAIN; j++) size[j] = 5 + (int)(bench_random(&seed) >> 27);
        sum = bench_mix(sum, (uint32_t)subsequence());
        sum = bench_mix(sum, (uint32_t)align(2, -1, -2));
        sum = bench_mix(sum, (uint32_t)knapsack(weight, value));
        sum = bench_mix(sum, (uint32_t)chain_order(size));
        sum = bench_mix(sum, (uint32_t)floyd(&seed));
    }
    return bench_report("dynprog", n, sum);
}
