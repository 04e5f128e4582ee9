/* gc_objects.c - the native counterpart of gc_objects.wat. */
#include "bench.h"
#include <string.h>

enum { SHAPES = 64 };

typedef struct {
    int is_box;
    uint32_t id, w, h; /* a disc's radius is in w */
} Shape;

static BENCH_NOINLINE uint32_t box_area(Shape *s) { return s->w * s->h; }
static BENCH_NOINLINE uint32_t box_grow(Shape *s) { return s->w++, s->h; }
static BENCH_NOINLINE uint32_t disc_area(Shape *s) { return s->w * s->w * 3; }
static BENCH_NOINLINE uint32_t disc_grow(Shape *s) { return s->w = (s->w + 3) & 255; }

static uint32_t (*const area[])(Shape *) = {disc_area, box_area};
static uint32_t (*const grow[])(Shape *) = {disc_grow, box_grow};

static uint32_t seed;

static Shape *make(uint32_t id) {
    Shape *s = malloc(sizeof *s);
    if (!s) exit(1);
    uint32_t r = bench_random(&seed);
    *s = r & 1 ? (Shape){1, id, r >> 26, r & 31} : (Shape){0, id, r >> 25, 0};
    return s;
}

static BENCH_NOINLINE uint32_t visit(Shape **all) {
    uint32_t sum = 0;
    for (int i = 0; i < SHAPES; i++) {
        grow[all[i]->is_box](all[i]);
        sum += area[all[i]->is_box](all[i]);
    }
    return sum;
}

static BENCH_NOINLINE uint32_t widths(Shape **all) {
    uint32_t sum = 0;
    for (int i = 0; i < SHAPES; i++) sum += all[i]->is_box ? all[i]->w : 1;
    return sum;
}

static void letters(uint8_t *to, int length) {
    for (int i = 0; i < length; i++) to[i] = (uint8_t)(97 + bench_random(&seed) % 26);
}

static BENCH_NOINLINE uint32_t hash(const uint8_t *s, int length) {
    uint32_t h = 0;
    for (int i = 0; i < length; i++) h = (h ^ s[i]) * 0x01000193;
    return h;
}

static BENCH_NOINLINE uint32_t sorted(int n) {
    uint32_t v[64];
    for (int i = 0; i < n; i++) {
        uint32_t x = bench_random(&seed) >> 8;
        int j = i;
        for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
        v[j] = x;
    }
    return v[n / 2];
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2500), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        Shape *all[SHAPES];
        seed = (uint32_t)sum | 1;
        for (uint32_t j = 0; j < SHAPES; j++) all[j] = make(j);
        for (int j = 0; j < 10; j++) {
            sum = bench_mix(sum, visit(all));
            sum = bench_mix(sum, widths(all));
        }
        uint8_t text[128];
        int length = 24;
        letters(text, length);
        for (int j = 0; j < 6; j++) {
            letters(text + length, 8);
            length += 8;
            sum = bench_mix(sum, hash(text, length));
        }
        sum = bench_mix(sum, sorted(40));
        for (int j = 0; j < SHAPES; j++) free(all[j]);
    }
    return bench_report("gc_objects", n, sum);
}
