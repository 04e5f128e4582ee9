/*
 * value_map.h - from LLVM's objects (values, blocks) to whatever: a hash table of pointers in an arena. Keys are
 * never taken out. Its order is nowhere visible, so that what is compiled does not depend on addresses.
 */
#ifndef WR_AOT_VALUE_MAP_H
#define WR_AOT_VALUE_MAP_H

#include "arena.h"

typedef struct ValueMapEntry {
    const void *key; /* NULL: free */
    void *value;
} ValueMapEntry;

typedef struct ValueMap {
    Arena *arena;
    ValueMapEntry *entries;
    u32 count, capacity; /* capacity: a power of two, or 0 */
} ValueMap;

/* All zeros but the arena is an empty map. False: no memory, and nothing has changed. After a successful
 * wr_value_map_reserve() so many more keys are taken without memory. */
NODISCARD bool wr_value_map_reserve(ValueMap *map, u32 more);
NODISCARD bool wr_value_map_put(ValueMap *map, const void *key, void *value);
void *wr_value_map_get(const ValueMap *map, const void *key); /* NULL if it is not there */

#endif
