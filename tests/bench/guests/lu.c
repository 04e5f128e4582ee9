/* lu.c - systems of linear equations: LU factors with row pivoting through row pointers, two
 * triangular solves, the residual. */
#include "bench.h"
#include <math.h>
#include <string.h>

enum { N = 48 };

static double storage[N][N], copy[N][N], *row[N], rhs[N], x[N];

static void set_up(uint32_t seed) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            copy[i][j] = storage[i][j] = (double)(int32_t)bench_random(&seed) / 2147483648.0;
        rhs[i] = (double)(int32_t)bench_random(&seed) / 2147483648.0;
        row[i] = storage[i];
    }
}

static int pivot_of(int k) {
    int best = k;
    for (int i = k + 1; i < N; i++)
        if (fabs(row[i][k]) > fabs(row[best][k])) best = i;
    return best;
}

/* Returns the number of exchanges. The factors replace the matrix; x becomes the permuted rhs. */
static BENCH_NOINLINE int factor(void) {
    int swaps = 0;
    memcpy(x, rhs, sizeof x);
    for (int k = 0; k < N; k++) {
        int p = pivot_of(k);
        if (p != k) {
            double *t = row[p], v = x[p];
            row[p] = row[k];
            row[k] = t;
            x[p] = x[k];
            x[k] = v;
            swaps++;
        }
        for (int i = k + 1; i < N; i++) {
            double m = row[i][k] /= row[k][k];
            for (int j = k + 1; j < N; j++) row[i][j] -= m * row[k][j];
        }
    }
    return swaps;
}

static BENCH_NOINLINE void solve(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++) x[i] -= row[i][j] * x[j];
    for (int i = N; i-- > 0;) {
        for (int j = i + 1; j < N; j++) x[i] -= row[i][j] * x[j];
        x[i] /= row[i][i];
    }
}

/* The largest deviation of copy * x from rhs. */
static BENCH_NOINLINE double residual(void) {
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double sum = -rhs[i];
        for (int j = 0; j < N; j++) sum += copy[i][j] * x[j];
        worst = fmax(worst, fabs(sum));
    }
    return worst;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1500), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        set_up((uint32_t)sum | 1);
        sum = bench_mix(sum, (uint64_t)factor());
        solve();
        if (residual() > 1e-6) sum++;
        uint64_t bits;
        memcpy(&bits, &x[i % N], sizeof bits);
        sum = bench_mix(sum, bits);
    }
    return bench_report("lu", n, sum);
}
