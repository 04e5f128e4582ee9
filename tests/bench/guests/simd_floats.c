/* simd_floats.c - v128 on floats: 4x4 matrices times vectors, a structure of arrays n-body step,
 * f64x2 complex products, normalisation with sqrt, min and max, conversions to integers. */
#include "bench.h"
#include <math.h>
#include <string.h>

typedef float F32x4 __attribute__((vector_size(16)));
typedef double F64x2 __attribute__((vector_size(16)));
typedef int32_t I32x4 __attribute__((vector_size(16)));

enum { POINTS = 256, BODIES = 32 };

static F32x4 points[POINTS], moved[POINTS];
static F32x4 px[BODIES / 4], py[BODIES / 4], pz[BODIES / 4], mass[BODIES / 4];
static F64x2 signal[POINTS];

static F32x4 splat(float f) { return (F32x4){f, f, f, f}; }

static BENCH_NOINLINE void transform(const F32x4 m[4]) {
    for (int i = 0; i < POINTS; i++) {
        F32x4 p = points[i];
        F32x4 x = __builtin_shufflevector(p, p, 0, 0, 0, 0);
        F32x4 y = __builtin_shufflevector(p, p, 1, 1, 1, 1);
        F32x4 z = __builtin_shufflevector(p, p, 2, 2, 2, 2);
        moved[i] = m[0] * x + m[1] * y + m[2] * z + m[3];
    }
}

static F32x4 pick(I32x4 mask, F32x4 a, F32x4 b) {
    return (F32x4)((mask & (I32x4)a) | (~mask & (I32x4)b));
}

static BENCH_NOINLINE uint32_t bounds(void) {
    F32x4 low = splat(1e9f), high = -low;
    for (int i = 0; i < POINTS; i++) {
        low = pick(moved[i] < low, moved[i], low);
        high = pick(moved[i] > high, moved[i], high);
    }
    I32x4 box = __builtin_convertvector((high - low) * 64.0f, I32x4);
    return (uint32_t)(box[0] ^ box[1] << 7 ^ box[2] << 14);
}

static BENCH_NOINLINE float forces(float x, float y, float z) {
    F32x4 total = splat(0);
    for (int i = 0; i < BODIES / 4; i++) {
        F32x4 dx = px[i] - x, dy = py[i] - y, dz = pz[i] - z;
        F32x4 square = dx * dx + dy * dy + dz * dz + 0.01f, root;
        for (int k = 0; k < 4; k++) root[k] = sqrtf(square[k]);
        total += mass[i] / (square * root);
    }
    return total[0] + total[1] + (total[2] + total[3]);
}

static BENCH_NOINLINE F64x2 rotate(F64x2 by, int rounds) {
    F64x2 sum = {0, 0};
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < POINTS; i++) {
            F64x2 s = signal[i], swapped = __builtin_shufflevector(s, s, 1, 0);
            F64x2 product = s * __builtin_shufflevector(by, by, 0, 0) +
                            swapped * __builtin_shufflevector(by, by, 1, 1) * (F64x2){-1, 1};
            signal[i] = product;
            sum += product;
        }
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 6000), sum = 0;
    uint32_t seed = 5;
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < 4; k++) {
            float f = (float)(bench_random(&seed) >> 8) / 16777216.0f;
            points[i][k] = f;
            signal[i][k & 1] = f;
            float *at = (float *)(k == 0 ? px : k == 1 ? py : k == 2 ? pz : mass);
            at[i % BODIES] = f;
        }
    for (uint64_t i = 0; i < n; i++) {
        float a = (float)(sum & 7) * 0.125f, b = 1 - a;
        F32x4 m[4] = {{a, b, 0, 0}, {-b, a, 0, 0}, {0, a, 1, 0}, {1, 2, b, 1}};
        transform(m);
        sum = bench_mix(sum, bounds());
        float force = 0;
        for (int k = 0; k < 16; k++) force += forces(moved[k][0], moved[k][1], moved[k][2]);
        uint32_t bits;
        memcpy(&bits, &force, sizeof bits);
        sum = bench_mix(sum, bits);
        F64x2 r = rotate((F64x2){0.8, 0.6}, 2);
        uint64_t both[2];
        memcpy(both, &r, sizeof both);
        sum = bench_mix(sum, both[0] ^ both[1] >> 7);
    }
    return bench_report("simd_floats", n, sum);
}
