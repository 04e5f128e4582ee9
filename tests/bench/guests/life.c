/* life.c - Conway's game of life twice: on bytes with a border, and on 64-bit words with bit
 * arithmetic; both must agree. */
#include "bench.h"
#include <string.h>

enum { N = 64 };

static uint8_t cells[N + 2][N + 2], after[N + 2][N + 2];
static uint64_t rows[N + 2], rows_after[N + 2];

static void wrap(void) {
    memcpy(cells[0], cells[N], sizeof cells[0]);
    memcpy(cells[N + 1], cells[1], sizeof cells[0]);
    for (int y = 0; y < N + 2; y++) {
        cells[y][0] = cells[y][N];
        cells[y][N + 1] = cells[y][1];
    }
}

static BENCH_NOINLINE void step_bytes(void) {
    wrap();
    for (int y = 1; y <= N; y++)
        for (int x = 1; x <= N; x++) {
            int alive = cells[y - 1][x - 1] + cells[y - 1][x] + cells[y - 1][x + 1] +
                        cells[y][x - 1] + cells[y][x + 1] + cells[y + 1][x - 1] + cells[y + 1][x] +
                        cells[y + 1][x + 1];
            after[y][x] = alive == 3 || (alive == 2 && cells[y][x]);
        }
    memcpy(cells, after, sizeof cells);
}

static uint64_t left(uint64_t v) { return v << 1 | v >> 63; }
static uint64_t right(uint64_t v) { return v >> 1 | v << 63; }

static BENCH_NOINLINE void step_words(void) {
    rows[0] = rows[N];
    rows[N + 1] = rows[1];
    for (int y = 1; y <= N; y++) {
        uint64_t of[8] = {left(rows[y - 1]), rows[y - 1],       right(rows[y - 1]),
                          left(rows[y]),     right(rows[y]),    left(rows[y + 1]),
                          rows[y + 1],       right(rows[y + 1])};
        uint64_t one = 0, two = 0, four = 0;
        for (int k = 0; k < 8; k++) {
            uint64_t carry = one & of[k];
            one ^= of[k];
            uint64_t more = two & carry;
            two ^= carry;
            four |= more;
        }
        rows_after[y] = two & ~four & (one | rows[y]);
    }
    memcpy(rows + 1, rows_after + 1, N * sizeof *rows);
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 200), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int y = 1; y <= N; y++) {
            rows[y] = 0;
            for (int x = 1; x <= N; x++) {
                cells[y][x] = bench_random(&seed) >> 30 == 0;
                rows[y] |= (uint64_t)cells[y][x] << (x - 1);
            }
        }
        for (int t = 0; t < 20; t++) {
            step_bytes();
            step_words();
        }
        for (int y = 1; y <= N; y++) {
            for (int x = 1; x <= N; x++)
                if (cells[y][x] != (rows[y] >> (x - 1) & 1)) return 1;
            sum = bench_mix(sum, rows[y]);
        }
    }
    return bench_report("life", n, sum);
}
