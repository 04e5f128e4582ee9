/* fft.c - the fast Fourier transform of complex f64 (radix 2, in place, bit reversal), used to
 * multiply polynomials; twiddle factors by recurrence. */
#include "bench.h"
#include <math.h>
#include <string.h>

enum { LOG = 9, N = 1 << LOG };

typedef struct {
    double re, im;
} Complex;

static Complex a[N], b[N], roots[N / 2];

static Complex mul(Complex x, Complex y) {
    return (Complex){x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}

/* Half-angle formulas only need sqrt, which is exact everywhere. */
static void set_up(void) {
    Complex power[LOG];
    power[LOG - 1] = (Complex){-1, 0}; /* e^(2 pi i / 2) */
    for (int k = LOG - 1; k-- > 0;) {
        double cosine = k == LOG - 2 ? 0 : sqrt((1 + power[k + 1].re) / 2);
        power[k] = (Complex){cosine, sqrt(1 - cosine * cosine)};
    }
    for (int i = 0; i < N / 2; i++) {
        Complex w = {1, 0};
        for (int k = 0; k < LOG; k++)
            if (i >> k & 1) w = mul(w, power[k]);
        roots[i] = w;
    }
}

static void reverse(Complex *v) {
    for (uint32_t i = 1, j = 0; i < N; i++) {
        uint32_t bit = N >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            Complex t = v[i];
            v[i] = v[j];
            v[j] = t;
        }
    }
}

static BENCH_NOINLINE void fft(Complex *v, double sign) {
    reverse(v);
    for (int length = 2; length <= N; length <<= 1) {
        int half = length / 2, step = N / length;
        for (int i = 0; i < N; i += length)
            for (int j = 0; j < half; j++) {
                Complex w = roots[j * step];
                w.im *= sign;
                Complex odd = mul(v[i + j + half], w), even = v[i + j];
                v[i + j] = (Complex){even.re + odd.re, even.im + odd.im};
                v[i + j + half] = (Complex){even.re - odd.re, even.im - odd.im};
            }
    }
}

/* The product of two polynomials with small integer coefficients, modulo x^N - 1. */
static BENCH_NOINLINE void multiply(void) {
    fft(a, 1);
    fft(b, 1);
    for (int i = 0; i < N; i++) a[i] = mul(a[i], b[i]);
    fft(a, -1);
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1900), sum = 0;
    set_up();
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < N; j++) {
            a[j] = (Complex){bench_random(&seed) >> 27, 0};
            b[j] = (Complex){bench_random(&seed) >> 27, 0};
        }
        multiply();
        for (int j = 0; j < N; j += 7) sum = bench_mix(sum, (uint64_t)(int64_t)(a[j].re / N + 0.5));
    }
    return bench_report("fft", n, sum);
}
