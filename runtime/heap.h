/*
 * heap.h - the garbage-collected heap of a store: structures, arrays, exceptions (spec:
 * exec/runtime, structure, array and exception instances). What an object looks like inside is
 * object.h's; who refers to objects is heap_roots.c's.
 *
 * One region of address space is reserved when the first object is made and committed as it grows.
 * A reference is the byte offset of an object in it (store.h), nothing in the region is a pointer:
 *
 *     | block 0, never committed | block 1 | block 2 | ...            reserved ... |
 *
 * A block of 64 KiB holds cells of one size, of which there are HEAP_CLASSES; larger objects take
 * blocks of their own, next to each other. Of each block there are, outside of the region, a
 * BlockInfo and two bitmaps with a bit for each cell: those in use, and those that the collection
 * under way has marked. Nothing else is known of free cells, and nothing is written into them.
 *
 * Allocating bumps a pointer through a run of free cells, which has been found in the bitmap and
 * marked as in use beforehand.
 *
 * Collecting marks in small steps, paid for by allocation. It begins with the roots, all at once, and
 * will keep all that they reach at that moment, and all that is made later (a snapshot at the
 * beginning). So whoever overwrites a reference in an object while `marking` is set has to mark the
 * old value first: wr_heap_mark(). Roots may change as they like. When nothing is left to mark, the
 * marks become the cells in use: there is no sweep, runs are found again when they are needed.
 * Objects do not move.
 *
 * A store belongs to one thread at a time, and so does its heap.
 */
#ifndef WR_HEAP_H
#define WR_HEAP_H

#include "store.h"

#define HEAP_BLOCK_LOG2 16u
#define HEAP_BLOCK (1u << HEAP_BLOCK_LOG2)
#define HEAP_SMALL_MAX 8192u /* bytes of the largest cell */
#define HEAP_CLASSES 40u
#define HEAP_LARGE HEAP_CLASSES          /* the class of an object with blocks of its own */
#define HEAP_FIRST_BUDGET ((i64)8 << 20) /* bytes allocated before the first collection */
#define HEAP_BITMAP (HEAP_BLOCK / 64u)   /* bytes of a block's bitmap: for the smallest cells */

/* Cells [at, end) of one class are free and taken. */
typedef struct Bump {
    u32 at, end, cell;
} Bump;

typedef struct SizeClass {
    u32 block;     /* where runs are looked for next, or 0 */
    u32 available; /* list of blocks with free cells, by BlockInfo.next; 0 ends it */
} SizeClass;

typedef enum BlockKind {
    BLOCK_FREE,  /* committed */
    BLOCK_GONE,  /* its pages are given back */
    BLOCK_SMALL, /* cells */
    BLOCK_FIRST, /* of a large object */
    BLOCK_REST   /* of a large object */
} BlockKind;

typedef struct BlockInfo {
    u8 kind, size_class;
    u16 live;       /* cells marked by the last collection, or so far by this one */
    u16 cursor;     /* BLOCK_SMALL: cells below are not looked at any more */
    bool unscanned; /* an object in it is marked, but there was no room on the mark stack */
    u32 next;
    u32 count; /* BLOCK_FIRST: blocks of the object */
} BlockInfo;

typedef struct MarkStack {
    u32 *refs;
    u32 count, capacity;
} MarkStack;

typedef struct StackMaps StackMaps; /* heap_roots.c */

typedef struct Heap {
    u8 *base;
    Bump bumps[HEAP_CLASSES + 1]; /* the last one, of HEAP_LARGE, is always empty */
    bool marking;
    bool overflowed; /* some block is `unscanned` */
    u32 debug;       /* WR_GC_* */
    SizeClass classes[HEAP_CLASSES];
    BlockInfo *blocks; /* and behind them the bitmaps: one mapping of `side_size` bytes */
    u8 *bitmaps;       /* cells in use */
    u8 *marked;        /* while marking: cells that will be; else undefined */
    size_t side_size;
    u32 nblocks;    /* of the reservation, block 0 included */
    u32 committed;  /* blocks below have a BlockInfo, bitmaps, and had pages */
    u32 used;       /* blocks that hold objects */
    u32 first_free; /* no block below is free */
    i64 budget;     /* bytes that may be allocated before a collection should be done */
    i64 trigger;    /* it begins when so many are left */
    i64 debt;       /* bytes allocated since the last step of marking */
    MarkStack marks;
    StackMaps *maps;
    const char *problem; /* what verification found, or NULL: then nothing can be allocated */
    wr_heap_stats_t stats;
} Heap;

/* What Store.heap is before the first allocation: nothing fits into it. */
extern const Heap wr_heap_none;

/* Before the first allocation, for code that keeps Instance.heap in registers. False: out of memory. */
NODISCARD bool wr_heap_make(Store *store);
void wr_heap_delete(Store *store);

/* ---- sizes ---- */

/* Of 1 to HEAP_SMALL_MAX bytes: multiples of 8 up to 128, then four sizes for each power of two. */
INLINE u32 heap_class(u32 size) {
    if (LIKELY(size <= 128)) return (size - 1) >> 3;
    u32 log2 = 31u - (u32)__builtin_clz(size - 1);
    return 16 + (log2 - 7) * 4 + ((size - 1) >> (log2 - 2) & 3);
}
INLINE u32 heap_cell(u32 class) {
    return class < 16 ? (class + 1) * 8 : ((class & 3) + 5) << ((class - 16) / 4 + 5);
}

/* ---- allocation ---- */

/* A free cell of at least `size` bytes (1 and up), as an offset, or 0: out of memory, or over the
 * limit. It may collect before: whatever is to live must be a root. The contents are undefined and
 * have to be written before the next allocation. */
NODISCARD u32 wr_heap_alloc(Store *store, u64 size);

/* The same for a size class, without a collection, and only if it takes nothing but moving the
 * pointer; else 0. HEAP_LARGE has never room. */
INLINE u32 heap_bump(Heap *heap, u32 class) {
    Bump *bump = &heap->bumps[class];
    u32 at = bump->at;
    if (UNLIKELY(at == bump->end)) return 0;
    bump->at = at + bump->cell;
    return at;
}

/* ---- collection ---- */

/* Collects now, all that is garbage; false when there was no memory to do so (nothing has changed
 * then). */
bool wr_heap_collect(Store *store);
/* One step of the collection under way; begins one when it is time. Roots are as for
 * wr_heap_alloc(), which calls this. */
void wr_heap_pace(Store *store);
/* While marking, else nothing: keeps an object that is about to lose a reference to it. Anything may be
 * passed that a field of a reference type in the heap holds. */
void wr_heap_mark(Store *store, u64 ref);
/* Whether `ref` is the offset of an object that has not been collected. */
bool wr_heap_has(const Heap *heap, u64 ref);
/* The object of which byte `at` of the heap is a part, or 0: for what may be a reference or the address of a field. */
u32 wr_heap_find(const Heap *heap, u64 at);
/* Checks all that lives: types, sizes, and that fields hold what their types allow. NULL, or what is
 * wrong. */
const char *wr_heap_verify(const Store *store);

/* For heap_roots.c: visits every reference that may lead into the heap. */
typedef void RootVisitor(void *context, u64 ref);
/* All that must not fail while roots are visited: makes stack maps. False when out of memory. */
NODISCARD bool wr_roots_prepare(Store *store);
void wr_roots_visit(Store *store, RootVisitor *visit, void *context);
void wr_stack_maps_delete(const Alloc *alloc, StackMaps *maps);

/* ---- cells (heap.c) ---- */

INLINE u64 *heap_bitmap(const Heap *heap, u32 block) {
    return (u64 *)(void *)(heap->bitmaps + (size_t)block * HEAP_BITMAP);
}
INLINE u64 *heap_marked(const Heap *heap, u32 block) {
    return (u64 *)(void *)(heap->marked + (size_t)block * HEAP_BITMAP);
}
void wr_heap_set_bits(u64 *bits, u32 from, u32 end); /* bits [from, end) */
extern const u32 wr_heap_reciprocals[HEAP_CLASSES + 1];
/* The number of the cell that `ref` is the start of. */
INLINE u32 heap_cell_index(const BlockInfo *info, u32 ref) {
    return ((ref & (HEAP_BLOCK - 1)) >> 3) * wr_heap_reciprocals[info->size_class] >> 16;
}

#endif
