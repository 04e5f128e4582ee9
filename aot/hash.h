/*
 * hash.h - a fast 128-bit hash, against accidents: checksums of artifacts, names in the cache. It is no
 * cryptographic one: whoever can choose bytes can make two files with the same hash. So where it matters that
 * two modules are the same, their bytes are compared.
 */
#ifndef WR_AOT_HASH_H
#define WR_AOT_HASH_H

#include "base.h"

typedef struct Hash128 {
    u64 low, high;
} Hash128;

/* Of all bytes and the size; the same on every host. About 10 bytes a nanosecond. */
Hash128 wr_hash(const void *data, u64 size, u64 seed);

INLINE bool hash_equal(Hash128 a, Hash128 b) { return a.low == b.low && a.high == b.high; }

#endif
