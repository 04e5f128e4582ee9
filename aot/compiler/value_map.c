/*
 * value_map.c - see value_map.h. Linear probing; half of the entries at most are taken.
 */
#include "value_map.h"

static u32 slot_of(const ValueMap *map, const void *key) {
    u64 hash = (u64)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    u32 at = (u32)(hash >> 32) & (map->capacity - 1);
    while (map->entries[at].key != NULL && map->entries[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

bool wr_value_map_reserve(ValueMap *map, u32 more) {
    u64 need = ((u64)map->count + more) * 2, capacity = map->capacity ? map->capacity : 16;
    if (need <= map->capacity) return true;
    while (capacity < need) capacity *= 2;
    if (capacity > UINT32_MAX / 2) return false;
    ValueMap larger = {map->arena,
                       wr_arena_new(map->arena, (size_t)capacity, sizeof(ValueMapEntry)),
                       map->count, (u32)capacity};
    if (larger.entries == NULL) return false;
    for (u32 i = 0; i < map->capacity; i++) {
        const ValueMapEntry *entry = &map->entries[i];
        if (entry->key != NULL) larger.entries[slot_of(&larger, entry->key)] = *entry;
    }
    *map = larger;
    return true;
}

bool wr_value_map_put(ValueMap *map, const void *key, void *value) {
    if (!wr_value_map_reserve(map, 1)) return false;
    ValueMapEntry *entry = &map->entries[slot_of(map, key)];
    map->count += entry->key == NULL;
    *entry = (ValueMapEntry){key, value};
    return true;
}

void *wr_value_map_get(const ValueMap *map, const void *key) {
    return map->capacity == 0 ? NULL : map->entries[slot_of(map, key)].value;
}
