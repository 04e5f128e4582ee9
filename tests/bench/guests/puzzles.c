/* puzzles.c - deep recursion with state: Sudoku by backtracking, the towers of Hanoi, permutations,
 * partitions of integers, flood fill, mutually recursive parity. */
#include "bench.h"
#include <string.h>

static uint8_t grid[81];
static uint16_t in_row[9], in_column[9], in_box[9];
static uint32_t tries;

static int solve(int at) {
    while (at < 81 && grid[at]) at++;
    if (at == 81) return 1;
    int row = at / 9, column = at % 9, box = row / 3 * 3 + column / 3;
    uint32_t open = 0x3feu & ~(uint32_t)(in_row[row] | in_column[column] | in_box[box]);
    for (; open; open &= open - 1) {
        uint16_t bit = (uint16_t)(open & -open);
        tries++;
        grid[at] = (uint8_t)__builtin_ctz(open);
        in_row[row] |= bit, in_column[column] |= bit, in_box[box] |= bit;
        if (solve(at + 1)) return 1;
        in_row[row] ^= bit, in_column[column] ^= bit, in_box[box] ^= bit;
    }
    grid[at] = 0;
    return 0;
}

static BENCH_NOINLINE int sudoku(const char *given) {
    memset(in_row, 0, sizeof in_row);
    memset(in_column, 0, sizeof in_column);
    memset(in_box, 0, sizeof in_box);
    for (int at = 0; at < 81; at++) {
        grid[at] = given[at] == '.' ? 0 : (uint8_t)(given[at] - '0');
        uint16_t bit = (uint16_t)((1 << grid[at]) & 0x3fe);
        in_row[at / 9] |= bit, in_column[at % 9] |= bit, in_box[at / 27 * 3 + at % 9 / 3] |= bit;
    }
    return solve(0);
}

static uint32_t pegs[3];

static BENCH_NOINLINE void hanoi(int disks, int from, int to) {
    if (!disks) return;
    int other = 3 - from - to;
    hanoi(disks - 1, from, other);
    pegs[from] ^= 1u << disks;
    pegs[to] ^= 1u << disks;
    hanoi(disks - 1, other, to);
}

static uint64_t permuted;

static BENCH_NOINLINE void permute(uint8_t *v, int k, int n) {
    if (k == n) {
        permuted = permuted * 7 + v[0] + 2u * v[n - 1];
        return;
    }
    for (int i = k; i < n; i++) {
        uint8_t t = v[k];
        v[k] = v[i];
        v[i] = t;
        permute(v, k + 1, n);
        v[i] = v[k];
        v[k] = t;
    }
}

static BENCH_NOINLINE uint32_t partitions(int n, int most) {
    if (n == 0) return 1;
    uint32_t count = 0;
    for (int k = most < n ? most : n; k > 0; k--) count += partitions(n - k, k);
    return count;
}

enum { SIDE = 40 };
static uint8_t field[SIDE][SIDE];

static BENCH_NOINLINE uint32_t flood(int x, int y) {
    if (x < 0 || y < 0 || x >= SIDE || y >= SIDE || field[y][x]) return 0;
    field[y][x] = 1;
    return 1 + flood(x + 1, y) + flood(x - 1, y) + flood(x, y + 1) + flood(x, y - 1);
}

static uint32_t odd(uint32_t n, uint32_t sum);
static BENCH_NOINLINE uint32_t even(uint32_t n, uint32_t sum) {
    return n == 0 ? sum : 1 + odd(n - 1, sum ^ n);
}
static BENCH_NOINLINE uint32_t odd(uint32_t n, uint32_t sum) {
    return n == 0 ? sum : 2 + even(n - 1, sum + n);
}

int main(int argc, char **argv) {
    static const char *const puzzles[] = {
        "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
        "..9748...7.........2.1.9.....7...24..64.1.59..98...3.....8.3.2.........6...2759.."};
    uint64_t n = bench_iterations(argc, argv, 460), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        if (!sudoku(puzzles[sum & 1])) return 1;
        sum = bench_mix(sum, tries);
        for (int a = 0; a < 81; a++) sum = sum * 9 + grid[a];
        hanoi(12, 0, 1 + (int)(sum & 1));
        sum = bench_mix(sum, pegs[1]);
        uint8_t v[7] = {1, 2, 3, 4, 5, 6, (uint8_t)sum};
        permute(v, 0, 7);
        sum = bench_mix(sum, permuted);
        sum = bench_mix(sum, partitions(26, 26));
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) field[y][x] = bench_random(&seed) >> 30 == 0;
        for (int y = 0; y < SIDE; y += 5) sum = bench_mix(sum, flood(y, y));
        sum = bench_mix(sum, even(3000 + (uint32_t)(sum & 63), (uint32_t)sum));
    }
    return bench_report("puzzles", n, sum);
}
