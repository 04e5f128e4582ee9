/* matmul.c - dense matrix product in f32, the plain triple loop with a running sum. */
#include "bench.h"
#include <string.h>

enum { N = 48 };

static float a[N][N], b[N][N], c[N][N];

static float random_float(uint32_t *seed) {
    return (float)(int32_t)bench_random(seed) * (1.0f / 2147483648.0f);
}

static BENCH_NOINLINE void multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 780), sum = 0;
    uint32_t seed = 2463534242u;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = random_float(&seed);
            b[i][j] = random_float(&seed);
        }
    for (uint64_t i = 0; i < n; i++) {
        multiply();
        for (int j = 0; j < N; j++) {
            uint32_t bits;
            memcpy(&bits, &c[i % N][j], sizeof bits);
            sum = bench_mix(sum, bits);
            b[i % N][j] = random_float(&seed);
        }
    }
    return bench_report("matmul", n, sum);
}
