/* huffman.c - Huffman codes: frequencies, lengths by a heap, canonical codes, bits packed and
 * unpacked by walking and by table; preceded by a move-to-front transform. */
#include "bench.h"
#include <string.h>

enum { SIZE = 4096, SYMBOLS = 256, TABLE_BITS = 9, MAX_LENGTH = 32 };

typedef struct {
    uint32_t weight;
    uint16_t node;
} Item;

static uint8_t plain[SIZE], coded[SIZE], packed[SIZE * 4], back[SIZE];
static uint32_t weights[SYMBOLS], codes[SYMBOLS];
static uint8_t lengths[SYMBOLS];
static uint16_t parent[2 * SYMBOLS], sorted[SYMBOLS], table[1 << TABLE_BITS];
static uint32_t first_code[MAX_LENGTH + 2], first_index[MAX_LENGTH + 2];
static Item heap[SYMBOLS];

static void move_to_front(void) {
    uint8_t order[SYMBOLS];
    for (int i = 0; i < SYMBOLS; i++) order[i] = (uint8_t)i;
    for (int i = 0; i < SIZE; i++) {
        int at = 0;
        while (order[at] != plain[i]) at++;
        coded[i] = (uint8_t)at;
        memmove(order + 1, order, (size_t)at);
        order[0] = plain[i];
    }
}

static void sift(int at, int size) {
    Item moved = heap[at];
    for (int child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && heap[child + 1].weight < heap[child].weight) child++;
        if (heap[child].weight >= moved.weight) break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static BENCH_NOINLINE void find_lengths(void) {
    int size = 0, node = SYMBOLS;
    memset(weights, 0, sizeof weights);
    for (int i = 0; i < SIZE; i++) weights[coded[i]]++;
    for (int s = 0; s < SYMBOLS; s++)
        if (weights[s]) heap[size++] = (Item){weights[s], (uint16_t)s};
    for (int i = size / 2; i-- > 0;) sift(i, size);
    for (; size > 1; node++) {
        Item least = heap[0];
        heap[0] = heap[--size];
        sift(0, size);
        parent[least.node] = parent[heap[0].node] = (uint16_t)node;
        heap[0] = (Item){least.weight + heap[0].weight, (uint16_t)node};
        sift(0, size);
    }
    for (int s = 0; s < SYMBOLS; s++) {
        lengths[s] = 0;
        if (weights[s])
            for (int at = s; at != node - 1; at = parent[at]) lengths[s]++;
    }
}

static BENCH_NOINLINE void assign_codes(void) {
    uint32_t code = 0, index = 0;
    memset(table, 0xff, sizeof table);
    for (uint32_t length = 1; length <= MAX_LENGTH; length++, code <<= 1) {
        first_code[length] = code;
        first_index[length] = index;
        for (int s = 0; s < SYMBOLS; s++) {
            if (lengths[s] != length) continue;
            sorted[index++] = (uint16_t)s;
            codes[s] = code++;
            if (length > TABLE_BITS) continue;
            uint32_t spare = TABLE_BITS - length;
            for (uint32_t k = 0; k < 1u << spare; k++)
                table[codes[s] << spare | k] = (uint16_t)(s | length << 8);
        }
    }
    first_index[MAX_LENGTH + 1] = index;
}

static BENCH_NOINLINE size_t pack(void) {
    uint64_t bits = 0;
    uint32_t have = 0;
    uint8_t *out = packed;
    for (int i = 0; i < SIZE; i++) {
        bits = bits << lengths[coded[i]] | codes[coded[i]];
        for (have += lengths[coded[i]]; have >= 8; have -= 8)
            *out++ = (uint8_t)(bits >> (have - 8));
    }
    *out++ = (uint8_t)(bits << (8 - have));
    memset(out, 0, 8);
    return (size_t)(out - packed);
}

static BENCH_NOINLINE void unpack(void) {
    uint32_t have = 0;
    uint64_t bits = 0;
    const uint8_t *in = packed;
    for (int i = 0; i < SIZE; i++) {
        for (; have < 32; have += 8) bits = bits << 8 | *in++;
        uint16_t hit = table[bits >> (have - TABLE_BITS) & ((1 << TABLE_BITS) - 1)];
        if (hit != 0xffff) {
            back[i] = (uint8_t)hit;
            have -= hit >> 8;
            continue;
        }
        uint32_t length = TABLE_BITS + 1, offset;
        for (;; length++) {
            uint32_t code = (uint32_t)(bits >> (have - length)) & ((1u << length) - 1);
            offset = code - first_code[length];
            if (offset < first_index[length + 1] - first_index[length]) break;
        }
        back[i] = (uint8_t)sorted[first_index[length] + offset];
        have -= length;
    }
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 330), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < SIZE; j++) { /* small differences are frequent */
            uint32_t r = bench_random(&seed);
            plain[j] = (uint8_t)((r >> 8 & r >> 16 & 63) + (r >> 28 == 0 ? r >> 20 & 127 : 0));
        }
        move_to_front();
        find_lengths();
        assign_codes();
        sum = bench_mix(sum, pack());
        unpack();
        if (memcmp(coded, back, SIZE) != 0) return 1;
        sum = bench_mix(sum, packed[100]);
    }
    return bench_report("huffman", n, sum);
}
