/* sort.c - quicksort of integers, written out, and heap sort of records through a comparison
 * callback: compare-and-branch, swaps, indirect calls. */
#include "bench.h"

enum { LENGTH = 1500 };

typedef struct {
    int16_t rank;
    uint16_t flags;
    int32_t key;
} Record;

typedef int Compare(const Record *a, const Record *b);

static int32_t numbers[LENGTH];
static Record records[LENGTH];

static BENCH_NOINLINE void quicksort(int32_t *v, int low, int high) {
    while (low < high) {
        int32_t pivot = v[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i > j) break;
            int32_t t = v[i];
            v[i++] = v[j];
            v[j--] = t;
        }
        if (j - low < high - i) {
            quicksort(v, low, j);
            low = i;
        } else {
            quicksort(v, i, high);
            high = j;
        }
    }
}

static void sift_down(Record *v, int root, int length, Compare *compare) {
    Record moved = v[root];
    for (int child; (child = 2 * root + 1) < length; root = child) {
        if (child + 1 < length && compare(&v[child], &v[child + 1]) < 0) child++;
        if (compare(&moved, &v[child]) >= 0) break;
        v[root] = v[child];
    }
    v[root] = moved;
}

static BENCH_NOINLINE void heap_sort(Record *v, int length, Compare *compare) {
    for (int i = length / 2; i-- > 0;) sift_down(v, i, length, compare);
    for (int i = length; i-- > 1;) {
        Record last = v[i];
        v[i] = v[0];
        v[0] = last;
        sift_down(v, 0, i, compare);
    }
}

static int by_rank(const Record *a, const Record *b) {
    return a->rank != b->rank ? (a->rank < b->rank ? -1 : 1)
                              : (a->key > b->key) - (a->key < b->key);
}

static int by_key(const Record *a, const Record *b) {
    return a->key != b->key ? (a->key < b->key ? -1 : 1)
                            : (a->rank > b->rank) - (a->rank < b->rank);
}

static uint64_t checksum(uint64_t sum) {
    for (int i = 0; i < LENGTH; i += 25) {
        sum = bench_mix(sum, (uint32_t)numbers[i]);
        sum = bench_mix(sum, (uint32_t)records[i].key);
    }
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 620), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < LENGTH; j++) {
            numbers[j] = (int32_t)bench_random(&seed);
            records[j] = (Record){(int16_t)(seed & 255), (uint16_t)j, (int32_t)(seed >> 8)};
        }
        quicksort(numbers, 0, LENGTH - 1);
        heap_sort(records, LENGTH, i & 1 ? by_rank : by_key);
        sum = checksum(sum);
    }
    return bench_report("sort", n, sum);
}
