/* dsp.c - audio filters in f32: a noise source, biquads in series, a FIR low pass, a delay line
 * with feedback, an envelope follower, clipping to 16 bits. */
#include "bench.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 512, TAPS = 32, STAGES = 4, DELAY = 777 };

typedef struct {
    float b0, b1, b2, a1, a2; /* coefficients */
    float z1, z2;             /* state */
} Biquad;

static float samples[BLOCK], taps[TAPS], history[TAPS], delay[DELAY];
static Biquad stages[STAGES];
static int delay_at;
static float envelope;
static int16_t output[BLOCK];

static void set_up(void) {
    for (int i = 0; i < TAPS; i++) {
        float t = (float)(i - TAPS / 2) + 0.5f;
        taps[i] = 1.0f / (1.0f + t * t) / 3.0f;
    }
    for (int i = 0; i < STAGES; i++) {
        float f = 0.1f + 0.2f * (float)i, q = 0.7f, scale = 1.0f / (1.0f + f * q + f * f);
        stages[i] = (Biquad){f * f * scale,
                             2 * f * f * scale,
                             f * f * scale,
                             2 * (f * f - 1) * scale,
                             (1 - f * q + f * f) * scale,
                             0,
                             0};
    }
}

static BENCH_NOINLINE void noise(uint32_t *seed) {
    for (int i = 0; i < BLOCK; i++) samples[i] = (float)(int32_t)bench_random(seed) / 2147483648.0f;
}

static BENCH_NOINLINE void biquad(Biquad *s) {
    for (int i = 0; i < BLOCK; i++) {
        float in = samples[i], out = s->b0 * in + s->z1;
        s->z1 = s->b1 * in - s->a1 * out + s->z2;
        s->z2 = s->b2 * in - s->a2 * out;
        samples[i] = out;
    }
}

static BENCH_NOINLINE void fir(void) {
    for (int i = 0; i < BLOCK; i++) {
        memmove(history + 1, history, sizeof history - sizeof *history);
        history[0] = samples[i];
        float sum = 0;
        for (int k = 0; k < TAPS; k++) sum += taps[k] * history[k];
        samples[i] = sum;
    }
}

static BENCH_NOINLINE void echo(float feedback) {
    for (int i = 0; i < BLOCK; i++) {
        float wet = samples[i] + feedback * delay[delay_at];
        delay[delay_at] = wet;
        if (++delay_at == DELAY) delay_at = 0;
        samples[i] = 0.5f * (samples[i] + wet);
    }
}

static BENCH_NOINLINE void compress(void) {
    for (int i = 0; i < BLOCK; i++) {
        float level = fabsf(samples[i]);
        envelope += (level > envelope ? 0.1f : 0.001f) * (level - envelope);
        float gain = envelope > 0.25f ? 0.25f / envelope : 1.0f;
        float scaled = samples[i] * gain * 120000.0f;
        if (scaled > 32767.0f) scaled = 32767.0f;
        if (scaled < -32768.0f) scaled = -32768.0f;
        output[i] = (int16_t)scaled;
    }
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2400), sum = 0;
    uint32_t seed = 99;
    set_up();
    for (uint64_t i = 0; i < n; i++) {
        noise(&seed);
        for (int s = 0; s < STAGES; s++) biquad(&stages[s]);
        fir();
        echo(0.25f + 0.5f * (float)(sum & 1));
        compress();
        for (int j = 0; j < BLOCK; j += 31) sum = bench_mix(sum, (uint16_t)output[j]);
    }
    return bench_report("dsp", n, sum);
}
