/*
 * mutants.h - modules that are almost right, made from right ones: mutant number n of a set of seeds is
 * the same on every machine and in every run, so that a number is all that a report needs.
 */
#ifndef WR_FUZZ_MUTANTS_H
#define WR_FUZZ_MUTANTS_H

#include "fuzz.h"

typedef struct Seed {
    char *path;
    u8 *data;
    size_t size;
} Seed;

typedef struct Seeds {
    Seed *list; /* sorted by path */
    size_t count;
} Seeds;

/* A growing array of bytes. */
typedef struct Bytes {
    u8 *data;
    size_t size, capacity;
} Bytes;

/* Adds a file, or all *.wasm files of a folder and those in it, unless they are larger than max_size.
 * False when `path` cannot be read. Call wr_seeds_sort() after the last. */
bool wr_seeds_add(Seeds *seeds, const char *path, size_t max_size);
void wr_seeds_sort(Seeds *seeds);
/* Leaves out those of which `good` says no. */
void wr_seeds_filter(Seeds *seeds, bool (*good)(const u8 *data, size_t size));
void wr_seeds_free(Seeds *seeds);

/* Changes something. `other` is another module, for pieces. */
void wr_mutate(Random *random, Bytes *bytes, const Seed *other);

/* Gives seed `number`, which goes to `out` as it is. */
const Seed *wr_seed(const Seeds *seeds, u64 number, Bytes *out);
/* Makes mutant `number` in `out`, and gives the seed that it came from. */
const Seed *wr_mutant(const Seeds *seeds, u64 number, Bytes *out);

#endif
