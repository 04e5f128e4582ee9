/*
 * fuzz.h - what all fuzz targets use: the entry that libFuzzer or driver.c calls, a check that holds in
 * every build, numbers drawn from a seed, and an allocator that keeps account.
 *
 * A target is one file with one property. It must do the same for the same bytes, leave nothing
 * behind, and end soon.
 */
#ifndef WR_FUZZ_H
#define WR_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "opcode.h"
#include "wasmrun.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Ends the process, as a sanitizer would: that is what fuzzers and drivers notice. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- numbers -------------------------------------------------------------------------------- */

/* A sequence (splitmix64) that its seed determines. */
typedef struct Random {
    u64 state;
} Random;

INLINE u64 random_next(Random *r) {
    u64 z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Below `n`; 0 if n is 0. */
INLINE u64 random_below(Random *r, u64 n) { return n ? random_next(r) % n : 0; }
INLINE bool random_one_in(Random *r, u64 n) { return random_below(r, n) == 0; }

/* The numbers of an input. Choices come from the whole of it, not from bytes set aside for them: so
 * the corpus is plain modules. */
INLINE Random random_of_bytes(const u8 *data, size_t size) {
    Random r = {0xCBF29CE484222325u ^ size};
    for (size_t i = 0; i < size; i++) r.state = (r.state ^ data[i]) * 0x100000001B3u;
    return r;
}

/* 64 bits that tend to be near something. */
INLINE u64 random_value(Random *r) {
    static const u64 edges[] = {
        0,          1,          INT32_MAX,  (u64)INT32_MAX + 1,
        UINT32_MAX, INT64_MAX,  UINT64_MAX, (u64)1 << 63,
        65536,      0x7FC00000, 0x7F800000, (u64)0x7FF8 << 48,
    };
    switch (random_below(r, 6)) {
    case 0: return edges[random_below(r, ARRAY_LEN(edges))];
    case 1: return edges[random_below(r, ARRAY_LEN(edges))] + random_below(r, 17) - 8;
    case 2: return random_below(r, 16);
    case 3: return random_below(r, 1 << 17);
    case 4: return (u64)1 << random_below(r, 64);
    default: return random_next(r);
    }
}

/* ---- engines -------------------------------------------------------------------------------- */

/* Every feature is on: whatever is read shall be understood. */
INLINE wr_config_t *all_features(void) {
    wr_config_t *config = wr_config_new();
    CHECK(config);
    for (u32 i = 0; i < FEATURE_COUNT; i++)
        CHECK(wr_config_set_feature(config, wr_feature_name((Feature)i), true));
    return config;
}

/* ---- memory --------------------------------------------------------------------------------- */

/* For wr_config_set_allocator(): what an engine holds, and no more than a limit. */
typedef struct Ledger {
    size_t live, peak, limit;
} Ledger;

INLINE void *ledger_alloc(void *context, void *pointer, size_t old_size, size_t new_size) {
    Ledger *ledger = context;
    if (new_size > old_size && new_size - old_size > ledger->limit - ledger->live) return NULL;
    if (new_size == 0) {
        free(pointer);
        pointer = NULL;
    } else {
        pointer = realloc(pointer, new_size);
        CHECK(pointer);
    }
    ledger->live = ledger->live - old_size + new_size;
    if (ledger->live > ledger->peak) ledger->peak = ledger->live;
    return pointer;
}

#endif
