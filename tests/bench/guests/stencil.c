/* stencil.c - grids of f64 swept in place and between two buffers, in the manner of PolyBench:
 * Jacobi in two dimensions, Gauss-Seidel, heat in three, waves (FDTD). */
#include "bench.h"
#include <string.h>

enum { N = 32, M = 12 };

static double grid[N][N], next[N][N];
static double heat[M][M][M], heat2[M][M][M];
static double ex[N][N], ey[N][N], hz[N][N];

static void set_up(uint32_t seed) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            grid[i][j] = (double)(bench_random(&seed) >> 20);
            ex[i][j] = (double)(i * (j + 1)) / N;
            ey[i][j] = (double)(i * (j + 2)) / N;
            hz[i][j] = grid[i][j] / 4096.0;
        }
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            for (int k = 0; k < M; k++) heat[i][j][k] = (double)(i + j + (M - k)) * 10 / M;
}

static BENCH_NOINLINE void jacobi(int steps) {
    for (int t = 0; t < steps; t++) {
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                next[i][j] = 0.2 * (grid[i][j] + grid[i][j - 1] + grid[i][j + 1] + grid[i + 1][j] +
                                    grid[i - 1][j]);
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++) grid[i][j] = next[i][j];
    }
}

static BENCH_NOINLINE void seidel(int steps) {
    for (int t = 0; t < steps; t++)
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                grid[i][j] = (grid[i - 1][j - 1] + grid[i - 1][j] + grid[i - 1][j + 1] +
                              grid[i][j - 1] + grid[i][j] + grid[i][j + 1] + grid[i + 1][j - 1] +
                              grid[i + 1][j] + grid[i + 1][j + 1]) /
                             9.0;
}

static void heat_step(double to[M][M][M], double from[M][M][M]) {
    for (int i = 1; i < M - 1; i++)
        for (int j = 1; j < M - 1; j++)
            for (int k = 1; k < M - 1; k++)
                to[i][j][k] =
                    0.125 * (from[i + 1][j][k] - 2.0 * from[i][j][k] + from[i - 1][j][k]) +
                    0.125 * (from[i][j + 1][k] - 2.0 * from[i][j][k] + from[i][j - 1][k]) +
                    0.125 * (from[i][j][k + 1] - 2.0 * from[i][j][k] + from[i][j][k - 1]) +
                    from[i][j][k];
}

static BENCH_NOINLINE void fdtd(int steps) {
    for (int t = 0; t < steps; t++) {
        for (int j = 0; j < N; j++) ey[0][j] = t;
        for (int i = 1; i < N; i++)
            for (int j = 0; j < N; j++) ey[i][j] -= 0.5 * (hz[i][j] - hz[i - 1][j]);
        for (int i = 0; i < N; i++)
            for (int j = 1; j < N; j++) ex[i][j] -= 0.5 * (hz[i][j] - hz[i][j - 1]);
        for (int i = 0; i < N - 1; i++)
            for (int j = 0; j < N - 1; j++)
                hz[i][j] -= 0.7 * (ex[i][j + 1] - ex[i][j] + ey[i + 1][j] - ey[i][j]);
    }
}

static uint64_t bits(double value) {
    uint64_t result;
    memcpy(&result, &value, sizeof result);
    return result;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 920), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        set_up((uint32_t)sum | 1);
        jacobi(6);
        seidel(5);
        for (int t = 0; t < 3; t++) {
            heat_step(heat2, heat);
            heat_step(heat, heat2);
        }
        fdtd(4);
        for (int j = 1; j < N; j += 5) sum = bench_mix(sum, bits(grid[j][N - j]) ^ bits(hz[j][j]));
        sum = bench_mix(sum, bits(heat[M / 2][M / 2][M / 2]));
    }
    return bench_report("stencil", n, sum);
}
