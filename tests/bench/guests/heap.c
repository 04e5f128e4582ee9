/* heap.c - allocation: libc's malloc under a random load of many sizes, realloc, and two
 * allocators of our own: a first-fit list with merging and a pool of fixed cells. */
#include "bench.h"
#include <string.h>

enum { LIVE = 256, ARENA = 65536, CELLS = 512 };

typedef struct Block {
    uint32_t size; /* with this header; the lowest bit says that it is taken */
    uint32_t before;
} Block;

static void *live[LIVE];
static uint32_t sizes[LIVE];
static _Alignas(8) uint8_t arena[ARENA];
static uint64_t cells[CELLS][4];
static uint64_t *unused;

static Block *block_at(uint32_t at) { return (Block *)(arena + at); }

static void arena_reset(void) { *block_at(0) = (Block){ARENA, 0}; }

static void *arena_take(uint32_t size) {
    size = (size + (uint32_t)sizeof(Block) + 7) & ~7u;
    for (uint32_t at = 0; at < ARENA;) {
        Block *b = block_at(at);
        if (!(b->size & 1) && b->size >= size) {
            uint32_t rest = b->size - size;
            if (rest >= 2 * sizeof(Block)) {
                *block_at(at + size) = (Block){rest, size};
                if (at + size + rest < ARENA) block_at(at + size + rest)->before = rest;
            } else {
                size += rest;
            }
            b->size = size | 1;
            return b + 1;
        }
        at += b->size & ~1u;
    }
    return NULL;
}

static void arena_free(void *p) {
    Block *b = (Block *)p - 1;
    b->size &= ~1u;
    uint32_t at = (uint32_t)((uint8_t *)b - arena), next = at + b->size;
    if (next < ARENA && !(block_at(next)->size & 1)) b->size += block_at(next)->size;
    if (at && !(block_at(at - b->before)->size & 1)) {
        at -= b->before;
        block_at(at)->size += b->size;
        b = block_at(at);
    }
    if (at + b->size < ARENA) block_at(at + b->size)->before = b->size;
}

static void cells_reset(void) {
    unused = NULL;
    for (int i = 0; i < CELLS; i++) {
        memcpy(cells[i], &unused, sizeof unused);
        unused = cells[i];
    }
}

static void *cell_take(void) {
    uint64_t *cell = unused;
    if (cell) memcpy(&unused, cell, sizeof unused);
    return cell;
}

static void cell_free(void *p) {
    memcpy(p, &unused, sizeof unused);
    unused = p;
}

static uint32_t a_size(uint32_t r) { return 1 + (r >> (24 + (r & 3))) * (r & 4 ? 5 : 1); }

static BENCH_NOINLINE uint64_t libc_load(uint32_t *seed, int rounds) {
    uint64_t sum = 0;
    for (int i = 0; i < rounds; i++) {
        uint32_t r = bench_random(seed), at = r % LIVE, size = a_size(r);
        uint8_t *p = live[at];
        if (p && (r & 8)) {
            p = realloc(p, size);
        } else {
            if (p) sum += p[0] + p[sizes[at] - 1];
            free(p);
            p = malloc(size);
        }
        if (!p) exit(1);
        p[0] = p[size - 1] = (uint8_t)r;
        live[at] = p;
        sizes[at] = size;
    }
    for (int i = 0; i < LIVE; i++) {
        free(live[i]);
        live[i] = NULL;
    }
    return sum;
}

static BENCH_NOINLINE uint64_t own_load(uint32_t *seed, int rounds) {
    uint64_t failed = 0, sum = 0;
    arena_reset();
    for (int i = 0; i < rounds; i++) {
        uint32_t r = bench_random(seed), at = r % LIVE;
        if (live[at]) {
            sum += *(uint32_t *)live[at];
            arena_free(live[at]);
            live[at] = NULL;
        } else if ((live[at] = arena_take(4 + a_size(r)))) {
            *(uint32_t *)live[at] = r;
        } else {
            failed++;
        }
    }
    memset(live, 0, sizeof live);
    return sum << 8 | failed;
}

static BENCH_NOINLINE uint64_t cell_load(uint32_t *seed, int rounds) {
    uint64_t sum = 0;
    cells_reset();
    for (int i = 0; i < rounds; i++) {
        uint32_t r = bench_random(seed), at = r % LIVE;
        if (live[at]) {
            sum += ((uint64_t *)live[at])[2];
            cell_free(live[at]);
            live[at] = NULL;
        } else if ((live[at] = cell_take())) {
            ((uint64_t *)live[at])[2] = r;
        }
    }
    memset(live, 0, sizeof live);
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 520), sum = 0;
    uint32_t seed = 2026;
    for (uint64_t i = 0; i < n; i++) {
        sum = bench_mix(sum, libc_load(&seed, 1500));
        sum = bench_mix(sum, own_load(&seed, 1500));
        sum = bench_mix(sum, cell_load(&seed, 3000));
    }
    return bench_report("heap", n, sum);
}
