/* indirect.c - calls through function pointers: a table of small operations chosen by data, and
 * objects with method tables. */
#include "bench.h"

typedef uint32_t Operation(uint32_t a, uint32_t b);

static uint32_t op_add(uint32_t a, uint32_t b) { return a + b; }
static uint32_t op_sub(uint32_t a, uint32_t b) { return a - b; }
static uint32_t op_xor(uint32_t a, uint32_t b) { return a ^ b; }
static uint32_t op_mul(uint32_t a, uint32_t b) { return a * (b | 1); }
static uint32_t op_turn(uint32_t a, uint32_t b) { return a << (b & 31) | a >> (-b & 31); }
static uint32_t op_max(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t op_mean(uint32_t a, uint32_t b) { return (a >> 1) + (b >> 1); }
static uint32_t op_not(uint32_t a, uint32_t b) { return ~a + (b >> 7); }

static Operation *const operations[] = {op_add,  op_sub, op_xor,  op_mul,
                                        op_turn, op_max, op_mean, op_not};

static BENCH_NOINLINE uint32_t apply(const uint8_t *script, int length, uint32_t a, uint32_t b) {
    for (int i = 0; i < length; i++) {
        uint32_t result = operations[script[i] & 7](a, b);
        b = a;
        a = result;
    }
    return a;
}

typedef struct Shape Shape;

typedef struct {
    uint32_t (*area)(const Shape *shape);
    void (*grow)(Shape *shape, uint32_t by);
} Methods;

struct Shape {
    const Methods *methods;
    uint32_t width, height;
};

static uint32_t box_area(const Shape *s) { return s->width * s->height; }
static void box_grow(Shape *s, uint32_t by) { s->width += by, s->height += by; }
static uint32_t wedge_area(const Shape *s) { return s->width * s->height / 2; }
static void wedge_grow(Shape *s, uint32_t by) { s->height += 2 * by; }
static uint32_t disc_area(const Shape *s) { return s->width * s->width * 22 / 7; }
static void disc_grow(Shape *s, uint32_t by) { s->width = (s->width + by) & 0xfff; }

static const Methods kinds[] = {
    {box_area, box_grow}, {wedge_area, wedge_grow}, {disc_area, disc_grow}};

static BENCH_NOINLINE uint32_t visit(Shape *shapes, int count, uint32_t by) {
    uint32_t total = 0;
    for (int i = 0; i < count; i++) {
        shapes[i].methods->grow(&shapes[i], by & 15);
        total += shapes[i].methods->area(&shapes[i]);
    }
    return total;
}

int main(int argc, char **argv) {
    enum { SHAPES = 250, SCRIPT = 500 };
    static Shape shapes[SHAPES];
    static uint8_t script[SCRIPT];
    uint64_t n = bench_iterations(argc, argv, 34000), sum = 0;
    uint32_t seed = 7;
    for (int i = 0; i < SHAPES; i++)
        shapes[i] = (Shape){&kinds[bench_random(&seed) % 3], (uint32_t)i, (uint32_t)i * 2};
    for (int i = 0; i < SCRIPT; i++) script[i] = (uint8_t)(bench_random(&seed) >> 11);
    for (uint64_t i = 0; i < n; i++) {
        sum = bench_mix(sum, apply(script, SCRIPT, (uint32_t)sum, (uint32_t)i));
        sum = bench_mix(sum, visit(shapes, SHAPES, (uint32_t)sum));
    }
    return bench_report("indirect", n, sum);
}
