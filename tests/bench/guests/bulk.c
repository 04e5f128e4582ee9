/* bulk.c - blocks of memory moved about: memcpy, memmove, memset and memcmp of many lengths (as
 * memory.copy and memory.fill), a gap buffer, a blitter, a ring of messages. */
#include "bench.h"
#include <string.h>

enum { SIZE = 8192, SIDE = 96 };

static uint8_t buffer[SIZE], ring[SIZE], screen[SIDE][SIDE], sprite[16][16];
static size_t gap_at, gap_end, ring_head, ring_tail;

static void gap_move(size_t to) {
    if (to < gap_at) {
        memmove(buffer + gap_end - (gap_at - to), buffer + to, gap_at - to);
    } else {
        memmove(buffer + gap_at, buffer + gap_end, to - gap_at);
    }
    gap_end += to - gap_at;
    gap_at = to;
}

static BENCH_NOINLINE uint64_t edit(uint32_t *seed, int edits) {
    memset(buffer, ' ', SIZE / 2);
    gap_at = SIZE / 2;
    gap_end = SIZE;
    for (int i = 0; i < edits; i++) {
        uint32_t r = bench_random(seed);
        size_t length = SIZE - (gap_end - gap_at);
        gap_move((r >> 8) % length);
        size_t amount = r & 31;
        if ((r & 32) && gap_end - gap_at > amount) {
            memset(buffer + gap_at, (int)(r >> 24), amount);
            gap_at += amount;
        } else if (gap_at > amount + 1) {
            gap_at -= amount;
        }
    }
    return buffer[gap_at ? gap_at - 1 : 0] + gap_at * 3;
}

static BENCH_NOINLINE void blit(int x, int y, int w, int h) {
    for (int row = 0; row < h; row++) memcpy(&screen[y + row][x], sprite[row], (size_t)w);
}

static BENCH_NOINLINE void scroll(int by) {
    memmove(screen[0], screen[by], sizeof screen - (size_t)by * SIDE);
    memset(screen[SIDE - by], by, (size_t)by * SIDE);
}

static void ring_put(const void *from, size_t length) {
    size_t at = ring_head % SIZE, first = SIZE - at < length ? SIZE - at : length;
    memcpy(ring + at, from, first);
    memcpy(ring, (const uint8_t *)from + first, length - first);
    ring_head += length;
}

static void ring_get(void *to, size_t length) {
    size_t at = ring_tail % SIZE, first = SIZE - at < length ? SIZE - at : length;
    memcpy(to, ring + at, first);
    memcpy((uint8_t *)to + first, ring, length - first);
    ring_tail += length;
}

static BENCH_NOINLINE uint64_t messages(uint32_t *seed, int count) {
    uint8_t out[512], in[512];
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) {
        uint32_t r = bench_random(seed), length = 1 + (r >> 24) * (1 + (r & 1));
        memset(out, (int)(r >> 4 & 255), length);
        out[0] = (uint8_t)i;
        ring_put(out, length);
        ring_get(in, length);
        sum += (uint64_t)(memcmp(in, out, length) == 0) + in[length - 1];
    }
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 5600), sum = 0;
    uint32_t seed = 321;
    for (int i = 0; i < 256; i++) sprite[i / 16][i % 16] = (uint8_t)i;
    for (uint64_t i = 0; i < n; i++) {
        sum = bench_mix(sum, edit(&seed, 60));
        for (int k = 0; k < 60; k++) {
            uint32_t r = bench_random(&seed);
            blit((int)(r >> 8) % (SIDE - 16) & 0x7f, (int)(r >> 16 & 63), 1 + (int)(r & 15), 16);
        }
        scroll(1 + (int)(sum & 7));
        sum = bench_mix(sum, screen[sum % SIDE][3]);
        sum = bench_mix(sum, messages(&seed, 60));
    }
    return bench_report("bulk", n, sum);
}
