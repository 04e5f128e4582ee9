/* hash.c - a chained hash table with string keys: insert, look up, delete; byte loads, pointers. */
#include "bench.h"
#include <string.h>

enum { BUCKETS = 1024, WORDS = 2048, WORD_SIZE = 16 };

typedef struct Entry {
    struct Entry *next;
    const char *key;
    uint32_t hash, count;
} Entry;

static char words[WORDS][WORD_SIZE];
static Entry entries[WORDS], *buckets[BUCKETS], *unused;

static void set_up(void) {
    uint32_t seed = 12345;
    for (int i = 0; i < WORDS; i++) {
        uint32_t length = 4 + bench_random(&seed) % (WORD_SIZE - 5);
        for (uint32_t j = 0; j < length; j++) words[i][j] = (char)('a' + bench_random(&seed) % 6);
        entries[i].next = unused;
        unused = &entries[i];
    }
}

/* FNV-1a */
static uint32_t hash_of(const char *key) {
    uint32_t hash = 2166136261u;
    while (*key) hash = (hash ^ (uint8_t)*key++) * 16777619u;
    return hash;
}

static Entry **find(const char *key, uint32_t hash) {
    Entry **at = &buckets[hash % BUCKETS];
    while (*at && ((*at)->hash != hash || strcmp((*at)->key, key) != 0)) at = &(*at)->next;
    return at;
}

static BENCH_NOINLINE uint32_t count_word(const char *key) {
    uint32_t hash = hash_of(key);
    Entry **at = find(key, hash);
    if (!*at) {
        Entry *fresh = unused;
        unused = fresh->next;
        *fresh = (Entry){NULL, key, hash, 0};
        *at = fresh;
    }
    return ++(*at)->count;
}

static BENCH_NOINLINE uint32_t delete_word(const char *key) {
    Entry **at = find(key, hash_of(key)), *gone = *at;
    if (!gone) return 0;
    *at = gone->next;
    gone->next = unused;
    unused = gone;
    return gone->count;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1700), sum = 0;
    uint32_t seed = 99;
    set_up();
    for (uint64_t i = 0; i < n; i++) {
        uint32_t total = 0;
        for (int j = 0; j < 2000; j++) {
            const char *key = words[bench_random(&seed) % WORDS];
            total = total * 5 + (j % 4 == 3 ? delete_word(key) : count_word(key));
        }
        sum = bench_mix(sum, total);
    }
    return bench_report("hash", n, sum);
}
