/* algebra.c - dense linear algebra on f64 in the manner of PolyBench: matrix products, a product
 * with a vector and its transpose, a triangular solve, a Cholesky factor. */
#include "bench.h"
#include <math.h>
#include <string.h>

enum { N = 40 };

typedef double Matrix[N][N];

static Matrix a, b, c, d;
static double x[N], y[N], tmp[N];

static void fill(Matrix m, uint32_t seed) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) m[i][j] = (double)(bench_random(&seed) >> 16) / 65536.0 - 0.5;
}

/* c = alpha * a * b + beta * c */
static BENCH_NOINLINE void gemm(double alpha, double beta) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) c[i][j] *= beta;
        for (int k = 0; k < N; k++)
            for (int j = 0; j < N; j++) c[i][j] += alpha * a[i][k] * b[k][j];
    }
}

/* y = transpose(a) * (a * x) */
static BENCH_NOINLINE void atax(void) {
    memset(y, 0, sizeof y);
    for (int i = 0; i < N; i++) {
        tmp[i] = 0;
        for (int j = 0; j < N; j++) tmp[i] += a[i][j] * x[j];
        for (int j = 0; j < N; j++) y[j] += a[i][j] * tmp[i];
    }
}

/* d = c * transpose(c), made diagonally dominant, hence positive definite. */
static BENCH_NOINLINE void syrk(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) {
            double sum = i == j ? 1.0 : 0.0;
            for (int k = 0; k < N; k++) sum += c[i][k] * c[j][k];
            d[i][j] = d[j][i] = sum;
        }
}

static BENCH_NOINLINE void cholesky(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++) d[i][j] -= d[i][k] * d[j][k];
            d[i][j] /= d[j][j];
        }
        for (int k = 0; k < i; k++) d[i][i] -= d[i][k] * d[i][k];
        d[i][i] = sqrt(d[i][i]);
    }
}

/* Solves lower(d) * x = y. */
static BENCH_NOINLINE void trisolv(void) {
    for (int i = 0; i < N; i++) {
        x[i] = y[i];
        for (int j = 0; j < i; j++) x[i] -= d[i][j] * x[j];
        x[i] /= d[i][i];
    }
}

static uint64_t bits(double value) {
    uint64_t result;
    memcpy(&result, &value, sizeof result);
    return result;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 600), sum = 0;
    for (int i = 0; i < N; i++) x[i] = i / 8.0;
    for (uint64_t i = 0; i < n; i++) {
        fill(a, (uint32_t)sum | 1);
        fill(b, (uint32_t)(sum >> 32) | 1);
        gemm(1.5, 0.25);
        atax();
        syrk();
        cholesky();
        trisolv();
        for (int j = 0; j < N; j += 3) sum = bench_mix(sum, bits(x[j]));
    }
    return bench_report("algebra", n, sum);
}
