/*
 * heap.c - the heap's region, its blocks, and the slow paths of allocation. The collector is
 * heap_collect.c.
 */
#include "heap.h"

/* Blocks are committed this many at a time. */
#define COMMIT_BLOCKS 16u
/* Reserved in explicit mode unless the store's limit asks for more. */
#define SMALL_RESERVATION ((u64)256 << 20)
#define FULL_RESERVATION (((u64)4 << 30) - HEAP_BLOCK) /* the end of a cell fits in 32 bits */
#define LEAST_RESERVATION ((u64)4 << 20)

const Heap wr_heap_none;

/* Rounded up: exact for starts of cells, of which there are fewer than 2^13 in a block. */
#define RECIPROCAL(granules) ((65536u + (granules) - 1) / (granules))
#define FOUR(shift)                                                                                \
    RECIPROCAL(5u << (shift)), RECIPROCAL(6u << (shift)), RECIPROCAL(7u << (shift)),               \
        RECIPROCAL(8u << (shift))
const u32 wr_heap_reciprocals[HEAP_CLASSES + 1] = {
    RECIPROCAL(1u),
    RECIPROCAL(2u),
    RECIPROCAL(3u),
    RECIPROCAL(4u),
    RECIPROCAL(5u),
    RECIPROCAL(6u),
    RECIPROCAL(7u),
    RECIPROCAL(8u),
    RECIPROCAL(9u),
    RECIPROCAL(10u),
    RECIPROCAL(11u),
    RECIPROCAL(12u),
    RECIPROCAL(13u),
    RECIPROCAL(14u),
    RECIPROCAL(15u),
    RECIPROCAL(16u),
    FOUR(2),
    FOUR(3),
    FOUR(4),
    FOUR(5),
    FOUR(6),
    FOUR(7),
    0, /* HEAP_LARGE: one cell */
};

/* ---- making and deleting -------------------------------------------------------------------- */

static u64 blocks_of(u64 bytes) {
    return (bytes >> HEAP_BLOCK_LOG2) + ((bytes & (HEAP_BLOCK - 1)) != 0);
}

/* Bytes of address space to ask for: what the limit allows and block 0, at most nearly 4 GiB. */
static u64 wanted_reservation(const Store *store) {
    bool is_guarded = store->engine->config.memory_mode == WR_MEMORY_GUARD;
    u64 limit = store->limit_heap;
    u64 wanted = is_guarded || sizeof(void *) >= 8 ? FULL_RESERVATION : SMALL_RESERVATION;
    if (!is_guarded && limit == UINT64_MAX) wanted = SMALL_RESERVATION;
    if (limit < wanted) wanted = (blocks_of(limit) + 1) << HEAP_BLOCK_LOG2;
    return wanted;
}

static bool reserve(Heap *heap, u64 bytes) {
    heap->nblocks = (u32)(bytes >> HEAP_BLOCK_LOG2);
    size_t page = wr_os_page_size(), infos = (size_t)heap->nblocks * sizeof(BlockInfo);
    size_t bitmaps = (size_t)heap->nblocks * HEAP_BITMAP;
    infos = (infos + page - 1) & ~(page - 1);
    bitmaps = (bitmaps + page - 1) & ~(page - 1);
    heap->side_size = infos + 2 * bitmaps;
    heap->base = wr_os_reserve((size_t)bytes);
    if (!heap->base) return false;
    heap->blocks = wr_os_reserve(heap->side_size);
    if (heap->blocks) {
        heap->bitmaps = (u8 *)heap->blocks + infos;
        heap->marked = heap->bitmaps + bitmaps;
        return true;
    }
    wr_os_release(heap->base, (size_t)bytes);
    return false;
}

static Heap *new_heap(Store *store) {
    Heap *heap = wr_alloc_zero(&store->alloc, sizeof *heap);
    if (!heap) return NULL;
    u64 bytes = wanted_reservation(store);
    while (!reserve(heap, bytes)) {
        bytes = bytes / 2 & ~(u64)(HEAP_BLOCK - 1);
        if (bytes < LEAST_RESERVATION) {
            wr_free(&store->alloc, heap, sizeof *heap);
            return NULL;
        }
    }
    heap->committed = heap->first_free = 1; /* block 0 holds null */
    heap->debug = store->engine->config.gc_debug;
    heap->budget = HEAP_FIRST_BUDGET;
    heap->trigger = HEAP_FIRST_BUDGET / 4;
    return heap;
}

void wr_heap_delete(Store *store) {
    Heap *heap = store->heap;
    if (heap == &wr_heap_none) return;
    wr_os_release(heap->base, (size_t)heap->nblocks << HEAP_BLOCK_LOG2);
    wr_os_release(heap->blocks, heap->side_size);
    wr_free(&store->alloc, heap->marks.refs, heap->marks.capacity * sizeof(u32));
    wr_stack_maps_delete(&store->alloc, heap->maps);
    wr_free(&store->alloc, heap, sizeof *heap);
    store->heap = (Heap *)(uintptr_t)&wr_heap_none;
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* Commits bytes [from, end) of an array whose bytes before `from` are committed, to whole pages. */
static bool commit_part(const u8 *array, const u8 *from, const u8 *end) {
    size_t page = wr_os_page_size();
    size_t done = ((size_t)(from - array) + page - 1) & ~(page - 1), wanted = (size_t)(end - array);
    return wanted <= done || wr_os_commit((u8 *)(uintptr_t)array + done, wanted - done);
}

/* Commits BlockInfos and bitmaps of blocks [heap->committed, end). */
static bool commit_side(Heap *heap, u32 end) {
    u32 from = heap->committed == 1 ? 0 : heap->committed;
    const u8 *infos = (const u8 *)heap->blocks;
    size_t low = (size_t)from * HEAP_BITMAP, high = (size_t)end * HEAP_BITMAP;
    return commit_part(infos, (const u8 *)&heap->blocks[from], (const u8 *)&heap->blocks[end]) &&
           commit_part(heap->bitmaps, heap->bitmaps + low, heap->bitmaps + high) &&
           commit_part(heap->marked, heap->marked + low, heap->marked + high);
}

/* Commits at least `count` blocks more. */
static bool extend(Heap *heap, u32 count) {
    u32 room = heap->nblocks - heap->committed;
    if (count > room) return false;
    if (count < COMMIT_BLOCKS) count = min_u32(COMMIT_BLOCKS, room);
    u32 end = heap->committed + count;
    u8 *at = heap->base + ((size_t)heap->committed << HEAP_BLOCK_LOG2);
    if (!commit_side(heap, end) || !wr_os_commit(at, (size_t)count << HEAP_BLOCK_LOG2))
        return false;
    heap->committed = end;
    return true;
}

static bool is_free(const BlockInfo *info) { return info->kind <= BLOCK_GONE; }

/* The first of `count` free blocks next to each other, perhaps ending with the committed ones: then
 * *missing are to be committed. */
static u32 find_free(Heap *heap, u32 count, u32 *missing) {
    u32 i = heap->first_free, run = 0;
    while (i < heap->committed && !is_free(&heap->blocks[i])) i++;
    heap->first_free = i;
    for (; i < heap->committed && run < count; i++) run = is_free(&heap->blocks[i]) ? run + 1 : 0;
    *missing = count - run;
    return i - run;
}

/* Gives the pages of blocks that had been given back to the host again. */
static bool bring_back(Heap *heap, u32 first, u32 count) {
    for (u32 i = first; i < first + count; i++) {
        if (heap->blocks[i].kind != BLOCK_GONE) continue;
        if (!wr_os_commit(heap->base + ((size_t)i << HEAP_BLOCK_LOG2), HEAP_BLOCK)) return false;
        heap->blocks[i].kind = BLOCK_FREE;
    }
    return true;
}

/* Takes `count` blocks, still of kind BLOCK_FREE: the first one's number, or 0. */
static u32 take_blocks(Store *store, u32 count) {
    Heap *heap = store->heap;
    if (count > blocks_of(store->limit_heap) || heap->used > blocks_of(store->limit_heap) - count)
        return 0;
    u32 missing, first = find_free(heap, count, &missing);
    if (missing > 0 && !extend(heap, missing)) return 0;
    if (!bring_back(heap, first, count)) return 0;
    if (first == heap->first_free) heap->first_free += count;
    heap->used += count;
    u64 bytes = (u64)heap->used << HEAP_BLOCK_LOG2;
    if (bytes > heap->stats.peak_bytes) heap->stats.peak_bytes = bytes;
    return first;
}

/* ---- cells ---------------------------------------------------------------------------------- */

static u32 new_small_block(Store *store, u32 class) {
    u32 block = take_blocks(store, 1);
    if (!block) return 0;
    Heap *heap = store->heap;
    heap->blocks[block] = (BlockInfo){.kind = BLOCK_SMALL, .size_class = (u8) class};
    memset(heap_bitmap(heap, block), 0, HEAP_BITMAP);
    if (heap->marking) memset(heap_marked(heap, block), 0, HEAP_BITMAP);
    return block;
}

/* The first bit from `from` on that is `wanted`, or `end`. */
static u32 find_bit(const u64 *bits, u32 from, u32 end, bool wanted) {
    while (from < end) {
        u64 word = (wanted ? bits[from / 64] : ~bits[from / 64]) >> (from & 63);
        if (word) return min_u32(from + trailing_zeros(word), end);
        from = (from | 63) + 1;
    }
    return end;
}

void wr_heap_set_bits(u64 *bits, u32 from, u32 end) {
    while (from < end) {
        u32 n = min_u32(64 - (from & 63), end - from);
        u64 ones = n == 64 ? ~(u64)0 : (((u64)1 << n) - 1);
        bits[from / 64] |= ones << (from & 63);
        from += n;
    }
}

static void note_allocated(Heap *heap, u64 bytes) {
    heap->budget -= (i64)bytes;
    heap->debt += (i64)bytes;
    heap->stats.allocated_bytes += bytes;
}

/* Takes the next run of free cells in the class's block; false when it has none any more. */
static bool take_run(Heap *heap, u32 class) {
    u32 block = heap->classes[class].block, cell = heap_cell(class), cells = HEAP_BLOCK / cell;
    BlockInfo *info = &heap->blocks[block];
    u64 *bits = heap_bitmap(heap, block);
    u32 from = find_bit(bits, info->cursor, cells, false);
    u32 end = find_bit(bits, from, cells, true);
    if (heap->debug & WR_GC_STRESS) end = min_u32(end, from + 1);
    if (heap->debug & WR_GC_STEPS) end = min_u32(end, from + 1 + (from & 3));
    info->cursor = (u16)end;
    if (from == end) return false;
    wr_heap_set_bits(bits, from, end);
    if (heap->marking) { /* what is made now is kept */
        wr_heap_set_bits(heap_marked(heap, block), from, end);
        info->live = (u16)(info->live + (end - from));
    }
    u32 start = block << HEAP_BLOCK_LOG2;
    heap->bumps[class] = (Bump){start + from * cell, start + end * cell, cell};
    note_allocated(heap, (u64)(end - from) * cell);
    return true;
}

/* A cell of that class without collecting, or 0. */
static u32 take_cell(Store *store, u32 class) {
    Heap *heap = store->heap;
    SizeClass *k = &heap->classes[class];
    Bump *bump = &heap->bumps[class];
    while (bump->at == bump->end && (!k->block || !take_run(heap, class))) {
        k->block = k->available;
        if (k->block)
            k->available = heap->blocks[k->block].next;
        else if (!(k->block = new_small_block(store, class)))
            return 0;
    }
    u32 at = bump->at;
    bump->at += bump->cell;
    return at;
}

static u32 take_large(Store *store, u64 size) {
    u64 count = blocks_of(size);
    Heap *heap = store->heap;
    if (count >= heap->nblocks) return 0;
    u32 first = take_blocks(store, (u32)count);
    if (!first) return 0;
    heap->blocks[first] = (BlockInfo){
        .kind = BLOCK_FIRST, .size_class = HEAP_LARGE, .live = heap->marking, .count = (u32)count};
    for (u32 i = 1; i < count; i++) heap->blocks[first + i] = (BlockInfo){.kind = BLOCK_REST};
    heap_bitmap(heap, first)[0] = heap_marked(heap, first)[0] = 1;
    note_allocated(heap, count << HEAP_BLOCK_LOG2);
    return first << HEAP_BLOCK_LOG2;
}

static u32 take(Store *store, u64 size) {
    return size <= HEAP_SMALL_MAX ? take_cell(store, heap_class((u32)size))
                                  : take_large(store, size);
}

/* Instances cache where the heap is. */
bool wr_heap_make(Store *store) {
    if (store->heap != &wr_heap_none) return true;
    Heap *heap = new_heap(store);
    if (!heap) return false;
    store->heap = heap;
    for (Instance *i = store->instances; i; i = i->next) {
        i->heap = heap;
        i->heap_base = heap->base;
    }
    return true;
}

u32 wr_heap_alloc(Store *store, u64 size) {
    if (!wr_heap_make(store)) return 0;
    wr_heap_pace(store);
    if (store->heap->problem) return 0;
    u32 at = take(store, size);
    if (at || !wr_heap_collect(store) || store->heap->problem) return at;
    return take(store, size);
}

/* ---- what is there -------------------------------------------------------------------------- */

bool wr_heap_has(const Heap *heap, u64 ref) {
    if (ref & 7 || ref < HEAP_BLOCK || ref >> HEAP_BLOCK_LOG2 >= heap->committed) return false;
    u32 at = (u32)ref, block = at >> HEAP_BLOCK_LOG2, low = at & (HEAP_BLOCK - 1);
    const BlockInfo *info = &heap->blocks[block];
    if (info->kind == BLOCK_FIRST) return low == 0;
    if (info->kind != BLOCK_SMALL) return false;
    u32 cell = heap_cell(info->size_class), index = heap_cell_index(info, at);
    const Bump *bump = &heap->bumps[info->size_class];
    if (index * cell != low || (at >= bump->at && at < bump->end)) return false;
    return heap_bitmap(heap, block)[index / 64] >> (index & 63) & 1;
}

u32 wr_heap_find(const Heap *heap, u64 at) {
    u64 block = at >> HEAP_BLOCK_LOG2;
    if (block == 0 || block >= heap->committed) return 0;
    while (heap->blocks[block].kind == BLOCK_REST) block--;
    const BlockInfo *info = &heap->blocks[block];
    if (info->kind == BLOCK_FIRST) return (u32)(block << HEAP_BLOCK_LOG2);
    if (info->kind != BLOCK_SMALL) return 0;
    u32 low = (u32)at & (HEAP_BLOCK - 1), cell = heap_cell(info->size_class);
    u64 ref = (block << HEAP_BLOCK_LOG2) + (low - low % cell);
    return low / cell < HEAP_BLOCK / cell && wr_heap_has(heap, ref) ? (u32)ref : 0;
}
