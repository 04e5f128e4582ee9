/* graph.c - shortest paths by Dijkstra with a binary heap, breadth-first search with a queue,
 * union-find for a spanning tree; adjacency in compressed rows. */
#include "bench.h"
#include <string.h>

enum { NODES = 600, EDGES = 2400 };

typedef struct {
    uint32_t from, to, weight;
} Edge;

typedef struct {
    uint32_t distance, node;
} Item;

static Edge edges[EDGES], sorted[EDGES];
static uint32_t first[NODES + 1], distance[NODES], parent[NODES], queue[NODES];
static Item heap[EDGES + 1];
static uint32_t heap_size;

static void build(uint32_t seed) {
    memset(first, 0, sizeof first);
    for (int i = 0; i < EDGES; i++) {
        edges[i].from = i < NODES ? (uint32_t)i : bench_random(&seed) % NODES;
        edges[i].to = bench_random(&seed) % NODES;
        edges[i].weight = 1 + (bench_random(&seed) >> 24);
        first[edges[i].from + 1]++;
    }
    for (int i = 0; i < NODES; i++) first[i + 1] += first[i];
    uint32_t next[NODES];
    memcpy(next, first, sizeof next);
    for (int i = 0; i < EDGES; i++) sorted[next[edges[i].from]++] = edges[i];
}

static void push(uint32_t d, uint32_t node) {
    uint32_t at = heap_size++;
    for (; at && heap[(at - 1) / 2].distance > d; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = (Item){d, node};
}

static Item pop(void) {
    Item top = heap[0], last = heap[--heap_size];
    uint32_t at = 0;
    for (uint32_t child; (child = 2 * at + 1) < heap_size; at = child) {
        if (child + 1 < heap_size && heap[child + 1].distance < heap[child].distance) child++;
        if (heap[child].distance >= last.distance) break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return top;
}

static BENCH_NOINLINE void dijkstra(uint32_t start) {
    memset(distance, 0xff, sizeof distance);
    heap_size = 0;
    distance[start] = 0;
    push(0, start);
    while (heap_size) {
        Item item = pop();
        if (item.distance > distance[item.node]) continue;
        for (uint32_t e = first[item.node]; e < first[item.node + 1]; e++) {
            uint32_t d = item.distance + sorted[e].weight;
            if (d >= distance[sorted[e].to]) continue;
            distance[sorted[e].to] = d;
            push(d, sorted[e].to);
        }
    }
}

static BENCH_NOINLINE uint32_t breadth_first(uint32_t start) {
    static uint8_t seen[NODES];
    uint32_t head = 0, tail = 0;
    memset(seen, 0, sizeof seen);
    queue[tail++] = start;
    seen[start] = 1;
    while (head < tail) {
        uint32_t node = queue[head++];
        for (uint32_t e = first[node]; e < first[node + 1]; e++)
            if (!seen[sorted[e].to]) {
                seen[sorted[e].to] = 1;
                queue[tail++] = sorted[e].to;
            }
    }
    return tail;
}

static uint32_t root(uint32_t node) {
    while (parent[node] != node) {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    return node;
}

static BENCH_NOINLINE uint32_t components(void) {
    uint32_t count = NODES;
    for (uint32_t i = 0; i < NODES; i++) parent[i] = i;
    for (int i = 0; i < EDGES; i++) {
        uint32_t a = root(edges[i].from), b = root(edges[i].to);
        if (a != b) {
            parent[a] = b;
            count--;
        }
    }
    return count;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 520), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        build((uint32_t)sum | 1);
        for (uint32_t start = 0; start < 4; start++) {
            dijkstra(start * 100);
            for (uint32_t j = 0; j < NODES; j += 50) sum = bench_mix(sum, distance[j]);
            sum = bench_mix(sum, breadth_first(start));
        }
        sum = bench_mix(sum, components());
    }
    return bench_report("graph", n, sum);
}
