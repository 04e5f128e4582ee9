/* simd.c - v128 work: a saturating byte blend, a 16-bit dot product, an f32 filter. Written with
 * the compilers' portable vectors, so that it is the same program natively; compiled with
 * -msimd128. Engines without SIMD cannot run it. */
#include "bench.h"
#include <string.h>

typedef uint8_t U8x16 __attribute__((vector_size(16)));
typedef int16_t I16x8 __attribute__((vector_size(16)));
typedef int32_t I32x4 __attribute__((vector_size(16)));
typedef float F32x4 __attribute__((vector_size(16)));

enum { VECTORS = 256 };

static U8x16 image[VECTORS], overlay[VECTORS];
static I16x8 samples[VECTORS], weights[VECTORS];
static F32x4 signal[VECTORS];

static void set_up(void) {
    uint32_t seed = 31337;
    for (int i = 0; i < VECTORS; i++) {
        for (int j = 0; j < 16; j++) {
            image[i][j] = (uint8_t)(bench_random(&seed) >> 24);
            overlay[i][j] = (uint8_t)(bench_random(&seed) >> 24);
        }
        for (int j = 0; j < 8; j++) {
            samples[i][j] = (int16_t)(bench_random(&seed) >> 20);
            weights[i][j] = (int16_t)(bench_random(&seed) >> 22);
        }
        for (int j = 0; j < 4; j++) signal[i][j] = (float)(bench_random(&seed) >> 8) / 16777216.0f;
    }
}

/* Adds the overlay to the image with saturation, then halves where a threshold is passed. */
static BENCH_NOINLINE uint64_t blend(uint8_t threshold) {
    U8x16 limit = (U8x16){0} + threshold, total = {0};
    for (int i = 0; i < VECTORS; i++) {
        U8x16 sum = image[i] + overlay[i];
        sum |= (U8x16)(sum < image[i]);
        U8x16 mask = (U8x16)(sum > limit);
        sum = (mask & (sum >> 1)) | (~mask & sum);
        image[i] = sum;
        total ^= sum + (uint8_t)i;
    }
    uint64_t result = 0;
    for (int j = 0; j < 16; j++) result = bench_mix(result, total[j]);
    return result;
}

static BENCH_NOINLINE uint32_t dot_product(int16_t bias) {
    I32x4 low = {0}, high = {0};
    for (int i = 0; i < VECTORS; i++) {
        I16x8 product = (samples[i] + bias) * weights[i];
        low += (I32x4)product >> 16;
        high ^= (I32x4)product << 3;
    }
    I32x4 sum = low + high;
    return (uint32_t)(sum[0] ^ sum[1]) + (uint32_t)(sum[2] ^ sum[3]);
}

static BENCH_NOINLINE uint32_t filter(float gain) {
    F32x4 state = {0.25f, 0.5f, 0.75f, 1.0f};
    for (int i = 0; i < VECTORS; i++) {
        state = state * 0.875f + signal[i] * gain;
        F32x4 excess = state - 1.0f;
        I32x4 above = excess > (F32x4){0};
        state -= (F32x4)((I32x4)excess & above) * 0.5f;
    }
    uint32_t bits[4];
    memcpy(bits, &state, sizeof bits);
    return bits[0] ^ bits[1] ^ bits[2] ^ bits[3];
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 7000), sum = 0;
    set_up();
    for (uint64_t i = 0; i < n; i++) {
        sum = bench_mix(sum, blend((uint8_t)(sum | 128)));
        sum = bench_mix(sum, dot_product((int16_t)(sum & 63)));
        sum = bench_mix(sum, filter((float)(sum & 15) * 0.0625f));
    }
    return bench_report("simd", n, sum);
}
