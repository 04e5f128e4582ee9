/*
 * kit.h - stores of pre-linked modules that hold an instance already, and are used again and again.
 *
 * A kit is a store, an instance in it that nobody has seen yet, and the places of its memories. Taking
 * one from its pool is all that instantiating takes, and deleting the store puts everything back as
 * it was: what guests wrote is overwritten page by page (image.h), tables and globals are copied
 * from the template (prelink.h), what was made in the store besides is freed. So the price is paid
 * when a store is deleted, and depends on what the guest has done.
 *
 * Memories are in guarded places while the engine's budget of mappings lasts (memory.h), about
 * 16,000 of them. Otherwise places are cut from slabs: address space next to each other, one mapping
 * for any number of memories, and initial contents are copied.
 *
 * Locks are held for a few instructions. Kits keep their pre-linked module alive while they are
 * in use, and die with it otherwise.
 */
#ifndef WR_KIT_H
#define WR_KIT_H

#include "store.h"

typedef struct wr_prelinked Prelinked;
typedef struct Kit Kit;
typedef struct Slab Slab;

/* Threads use different shelves as long as each finds something on its own: they rarely meet. */
#define KIT_SHELVES 16u
typedef struct KitShelf {
    _Alignas(64) OsMutex lock;
    Kit *idle; /* list */
    u64 made, reused;
    i64 live; /* taken here less returned here */
} KitShelf;

typedef struct KitPool {
    KitShelf shelves[KIT_SHELVES];
    atomic_size_t idle; /* on all shelves */
    OsMutex lock;       /* of what follows */
    u8 **blocks;        /* free ones of slabs, room for all there are */
    u32 nblocks, cap_blocks, all_blocks;
    Slab *slabs;
    u64 block_size; /* of a kit's memories next to each other */
} KitPool;

void wr_kit_pool_init(Prelinked *pre);
void wr_kit_pool_free(Prelinked *pre); /* no kit is in use */

/* A store for one instance of the module: an idle one, else a new one. */
NODISCARD Error *wr_kit_take(Prelinked *pre, Store **store);
/* The store's owner has deleted it. */
void wr_kit_return(Kit *kit);
/* The instance in a store of a kit, the first time; then NULL. */
Instance *wr_kit_instance(Kit *kit, const Prelinked *pre);
wr_prelinked_stats_t wr_kit_stats(Prelinked *pre);

#endif
