/*
 * kit.c - kits and the slabs that their memories are cut from; see kit.h.
 */
#include "prelink.h"

struct Kit {
    Prelinked *pre; /* counted while in use */
    Store *store;
    Instance *instance;
    StoreMark mark; /* the instance and what it needs, nothing else */
    u64 used_memory, used_tables;
    bool taken;           /* the instance has been given out */
    u8 *block;            /* of a slab, or NULL */
    Kit *next;            /* in the pool */
    MemoryPlace places[]; /* of each memory */
};

struct Slab {
    Slab *next;
    u8 *base;
    u64 size;
};

#define SLAB_BYTES ((u64)64 << 20)
#define SLAB_BLOCKS 64u
#define ROOM_TO_GROW ((u64)1 << 20) /* that an unguarded place has, if its memory may grow so far */

/* ---- slabs ---------------------------------------------------------------------------------- */

/* Bytes of an unguarded place. One of the declared size has been made before: it fits. */
static u64 place_size(const MemoryDecl *decl) {
    u64 page = wr_os_page_size(), unit = (u64)1 << decl->page_size_log2;
    u64 size = decl->limits.min * unit;
    u64 more = decl->limits.max - decl->limits.min; /* pages; not less than 0 */
    size += more < ROOM_TO_GROW / unit ? more * unit : ROOM_TO_GROW;
    return size < page ? page : (size + page - 1) & ~(page - 1);
}

void wr_kit_pool_init(Prelinked *pre) {
    const Module *m = pre->module;
    wr_os_mutex_init(&pre->pool.lock);
    for (u32 i = 0; i < KIT_SHELVES; i++) wr_os_mutex_init(&pre->pool.shelves[i].lock);
    for (u32 k = 0; k < m->nmemories; k++) pre->pool.block_size += place_size(&m->memories[k]);
}

/* As many blocks as fit in SLAB_BYTES, at least one. */
static u32 blocks_of_slab(const KitPool *pool) {
    u64 fit = SLAB_BYTES / pool->block_size;
    return fit >= SLAB_BLOCKS ? SLAB_BLOCKS : fit > 0 ? (u32)fit : 1;
}

static Slab *new_slab(const Alloc *alloc, u64 size) {
    Slab *slab = wr_alloc_zero(alloc, sizeof *slab);
    if (!slab) return NULL;
    slab->size = size;
    slab->base = wr_os_reserve((size_t)size);
    if (slab->base && wr_os_commit(slab->base, (size_t)size)) return slab;
    wr_os_release(slab->base, (size_t)size);
    wr_free(alloc, slab, sizeof *slab);
    return NULL;
}

static bool add_slab(KitPool *pool, const Alloc *alloc) {
    u32 count = blocks_of_slab(pool);
    if (!wr_grow_array(alloc, &pool->blocks, &pool->cap_blocks, (u64)pool->all_blocks + count,
                       UINT32_MAX, sizeof *pool->blocks)) {
        return false;
    }
    Slab *slab = new_slab(alloc, count * pool->block_size);
    if (!slab) return false;
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->all_blocks += count;
    while (count-- > 0) pool->blocks[pool->nblocks++] = slab->base + count * pool->block_size;
    return true;
}

/* All zeros. NULL when out of memory. */
static u8 *take_block(Prelinked *pre) {
    KitPool *pool = &pre->pool;
    wr_os_mutex_lock(&pool->lock);
    bool ok = pool->nblocks > 0 || add_slab(pool, &pre->engine->alloc);
    u8 *block = ok ? pool->blocks[--pool->nblocks] : NULL;
    wr_os_mutex_unlock(&pool->lock);
    return block;
}

static void return_block(Prelinked *pre, u8 *block) {
    wr_os_reset(block, (size_t)pre->pool.block_size);
    wr_os_mutex_lock(&pre->pool.lock);
    pre->pool.blocks[pre->pool.nblocks++] = block;
    wr_os_mutex_unlock(&pre->pool.lock);
}

/* ---- places --------------------------------------------------------------------------------- */

/* An image from this size on is worth a mapping for each memory. */
#define LARGE_IMAGE ((u64)64 << 10)

static bool own_place(Prelinked *pre, u32 memory, MemoryPlace *place) {
    const MemoryDecl *decl = &pre->module->memories[memory];
    if (wr_memory_place_guarded(pre->engine, decl, place)) return true;
    const MemoryImage *image = &pre->images[memory];
    return image->is_shared && image->content >= LARGE_IMAGE &&
           wr_memory_place_own(pre->engine, place_size(decl), place);
}

static bool make_places(Kit *kit) {
    u64 offset = 0;
    for (u32 k = 0; k < kit->pre->module->nmemories; k++) {
        u64 size = place_size(&kit->pre->module->memories[k]);
        if (!own_place(kit->pre, k, &kit->places[k])) {
            if (!kit->block && !(kit->block = take_block(kit->pre))) return false;
            kit->places[k] = (MemoryPlace){.base = kit->block + offset, .reserved = size};
        }
        offset += size;
    }
    return true;
}

static void put_images(Kit *kit) {
    for (u32 k = 0; k < kit->pre->module->nmemories; k++) {
        MemoryPlace *place = &kit->places[k];
        const MemoryImage *image = &kit->pre->images[k];
        place->is_mapped = place->mappings > 0 && wr_image_map(image, place->base);
        if (!place->is_mapped) wr_image_copy(image, place->base);
    }
}

static void put_memories_back(Kit *kit) {
    const Prelinked *pre = kit->pre;
    for (u32 k = 0; k < pre->module->nmemories; k++) {
        MemoryPlace *place = &kit->places[k];
        u64 used = wr_memory_put_back(kit->instance->memories[k], &pre->module->memories[k], place);
        wr_image_restore(&pre->images[k], &pre->scanner, place->base, used, place->is_mapped,
                         pre->engine->config.pool_resident, &place->wasted);
    }
}

/* ---- kits ----------------------------------------------------------------------------------- */

static size_t kit_size(const Prelinked *pre) {
    return sizeof(Kit) + pre->module->nmemories * sizeof(MemoryPlace);
}

static void free_kit(Prelinked *pre, Kit *kit) {
    if (kit->store) {
        kit->store->kit = NULL;
        wr_store_delete(kit->store);
    }
    for (u32 k = 0; k < pre->module->nmemories; k++)
        wr_memory_place_free(pre->engine, &kit->places[k]);
    if (kit->block) return_block(pre, kit->block);
    wr_free(&pre->engine->alloc, kit, kit_size(pre));
}

static Error *make_instance(Kit *kit) {
    const Prelinked *pre = kit->pre;
    u32 n = pre->module->nimports;
    Store *store = kit->store;
    ExternVal *imports = wr_alloc_array(&store->alloc, n, sizeof *imports);
    Error *error = NULL;
    if ((n > 0 && !imports) || !wr_prelinked_bind(pre, store, imports)) error = ERROR_OOM;
    if (!error)
        error = wr_instance_allocate(store, pre->module, imports, kit->places, &kit->instance);
    wr_free(&store->alloc, imports, n * sizeof *imports);
    return error;
}

static Error *fill_kit(Kit *kit) {
    if (!make_places(kit)) return ERROR_OOM;
    Error *error = wr_store_new(kit->pre->engine, &kit->store);
    if (!error) error = make_instance(kit);
    if (error) return error;
    put_images(kit);
    wr_prelinked_apply(kit->pre, kit->instance);
    kit->mark = wr_store_mark(kit->store);
    kit->used_memory = kit->store->budget->used_memory;
    kit->used_tables = kit->store->used_tables;
    kit->store->kit = kit;
    return NULL;
}

static Error *new_kit(Prelinked *pre, Kit **out) {
    Kit *kit = wr_alloc_zero(&pre->engine->alloc, kit_size(pre));
    if (!kit) return ERROR_OOM;
    kit->pre = pre;
    Error *error = fill_kit(kit);
    if (error)
        free_kit(pre, kit);
    else
        *out = kit;
    return error;
}

/* False when that cannot be: the store has peers that still live. */
static bool put_back(Kit *kit) {
    Store *store = kit->store;
    wr_store_clear(store, kit->mark);
    if (!wr_budget_clear(store->budget, kit->used_memory)) return false;
    wr_prelinked_apply(kit->pre, kit->instance);
    put_memories_back(kit);
    store->used_tables = kit->used_tables;
    kit->taken = false;
    return true;
}

/* ---- the pool ------------------------------------------------------------------------------- */

static Kit *take_from(KitPool *pool, KitShelf *shelf) {
    wr_os_mutex_lock(&shelf->lock);
    Kit *kit = shelf->idle;
    if (kit) {
        shelf->idle = kit->next;
        shelf->reused++;
        shelf->live++;
    }
    wr_os_mutex_unlock(&shelf->lock);
    if (kit) atomic_fetch_sub_explicit(&pool->idle, 1, memory_order_relaxed);
    return kit;
}

static KitShelf *own_shelf(KitPool *pool) {
    return &pool->shelves[wr_os_thread_number() % KIT_SHELVES];
}

/* From one's own shelf, else from any. */
static Kit *take_idle(KitPool *pool) {
    Kit *kit = take_from(pool, own_shelf(pool));
    for (u32 i = 0; !kit && i < KIT_SHELVES; i++) {
        if (atomic_load_explicit(&pool->idle, memory_order_relaxed) == 0) return NULL;
        kit = take_from(pool, &pool->shelves[i]);
    }
    return kit;
}

static void count_new(KitPool *pool) {
    KitShelf *shelf = own_shelf(pool);
    wr_os_mutex_lock(&shelf->lock);
    shelf->made++;
    shelf->live++;
    wr_os_mutex_unlock(&shelf->lock);
}

Error *wr_kit_take(Prelinked *pre, Store **store) {
    Kit *kit = take_idle(&pre->pool);
    if (!kit) {
        Error *error = new_kit(pre, &kit);
        if (error) return error;
        count_new(&pre->pool);
    }
    (void)wr_prelinked_ref(pre);
    *store = kit->store;
    return NULL;
}

/* Whether there may be one more idle kit: then it is counted. */
static bool may_keep(KitPool *pool, size_t limit) {
    if (atomic_fetch_add_explicit(&pool->idle, 1, memory_order_relaxed) < limit) return true;
    atomic_fetch_sub_explicit(&pool->idle, 1, memory_order_relaxed);
    return false;
}

void wr_kit_return(Kit *kit) {
    Prelinked *pre = kit->pre;
    KitShelf *shelf = own_shelf(&pre->pool);
    bool keep = put_back(kit) && may_keep(&pre->pool, pre->engine->config.pool_stores);
    wr_os_mutex_lock(&shelf->lock);
    shelf->live--;
    if (keep) {
        kit->next = shelf->idle;
        shelf->idle = kit;
    }
    wr_os_mutex_unlock(&shelf->lock);
    if (!keep) free_kit(pre, kit);
    wr_prelinked_unref(pre);
}

Instance *wr_kit_instance(Kit *kit, const Prelinked *pre) {
    if (kit->taken || kit->pre != pre) return NULL;
    kit->taken = true;
    return kit->instance;
}

wr_prelinked_stats_t wr_kit_stats(Prelinked *pre) {
    wr_prelinked_stats_t stats = {.idle = atomic_load(&pre->pool.idle)};
    i64 live = 0;
    for (u32 i = 0; i < KIT_SHELVES; i++) {
        KitShelf *shelf = &pre->pool.shelves[i];
        wr_os_mutex_lock(&shelf->lock);
        stats.made += shelf->made;
        stats.reused += shelf->reused;
        live += shelf->live;
        wr_os_mutex_unlock(&shelf->lock);
    }
    stats.live = live > 0 ? (u64)live : 0; /* threads go on while we add */
    return stats;
}

static void clear_shelf(Prelinked *pre, KitShelf *shelf) {
    for (Kit *kit; (kit = shelf->idle) != NULL;) {
        shelf->idle = kit->next;
        free_kit(pre, kit);
    }
    wr_os_mutex_destroy(&shelf->lock);
}

void wr_kit_pool_free(Prelinked *pre) {
    KitPool *pool = &pre->pool;
    const Alloc *alloc = &pre->engine->alloc;
    for (u32 i = 0; i < KIT_SHELVES; i++) clear_shelf(pre, &pool->shelves[i]);
    for (Slab *slab; (slab = pool->slabs) != NULL;) {
        pool->slabs = slab->next;
        wr_os_release(slab->base, (size_t)slab->size);
        wr_free(alloc, slab, sizeof *slab);
    }
    wr_free(alloc, pool->blocks, pool->cap_blocks * sizeof *pool->blocks);
    wr_os_mutex_destroy(&pool->lock);
}
