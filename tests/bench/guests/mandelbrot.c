/* mandelbrot.c - escape times of points near the border of the Mandelbrot set: a tight f64 loop. */
#include "bench.h"

enum { SIZE = 32, MOST = 200 };

static BENCH_NOINLINE uint32_t escape_time(double cx, double cy) {
    double x = 0, y = 0, xx = 0, yy = 0;
    uint32_t count = 0;
    while (count < MOST && xx + yy <= 4.0) {
        y = 2.0 * x * y + cy;
        x = xx - yy + cx;
        xx = x * x;
        yy = y * y;
        count++;
    }
    return count;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 260), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        double left = -0.80 + (double)(sum & 255) * 0.0001, top = 0.05, step = 0.25 / (double)SIZE;
        uint32_t total = 0;
        for (int row = 0; row < SIZE; row++)
            for (int column = 0; column < SIZE; column++)
                total = total * 3 + escape_time(left + step * column, top + step * row);
        sum = bench_mix(sum, total);
    }
    return bench_report("mandelbrot", n, sum);
}
