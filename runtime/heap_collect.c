/*
 * heap_collect.c - marking what lives, taking back whole blocks, and checking the result.
 *
 * The mark stack is bounded. When it is full, an object is marked but not pushed, and its block is
 * noted: when the stack has run empty, all marked objects of such blocks are scanned again.
 */
#include "object.h"

#define MARKS_FIRST 4096u
#define MARKS_MAX (1u << 20)

typedef struct Marker {
    const Store *store;
    Heap *heap;
    u32 *stack; /* heap->marks.refs */
    u32 count, capacity;
    bool overflowed;
} Marker;

/* ---- marking -------------------------------------------------------------------------------- */

static COLD void push_slow(Marker *m, u32 ref) {
    MarkStack *marks = &m->heap->marks;
    if (m->capacity < MARKS_MAX &&
        wr_grow_array(&m->store->alloc, &marks->refs, &marks->capacity, (u64)m->capacity + 1,
                      MARKS_MAX, sizeof *marks->refs)) {
        m->stack = marks->refs;
        m->capacity = marks->capacity;
        m->stack[m->count++] = ref;
        return;
    }
    m->heap->blocks[ref >> HEAP_BLOCK_LOG2].unscanned = true;
    m->overflowed = true;
}

INLINE void mark(Marker *m, u64 ref) {
    if (ref == 0 || !ref_is_object(ref)) return;
    u32 block = (u32)ref >> HEAP_BLOCK_LOG2;
    BlockInfo *info = &m->heap->blocks[block];
    u32 index = heap_cell_index(info, (u32)ref);
    u64 *word = &heap_bitmap(m->heap, block)[index / 64], bit = (u64)1 << (index & 63);
    if (*word & bit) return;
    *word |= bit;
    info->live++;
    if (LIKELY(m->count < m->capacity))
        m->stack[m->count++] = (u32)ref;
    else
        push_slow(m, (u32)ref);
}

static void visit_root(void *context, u64 ref) { mark(context, ref); }

static void scan_exception(Marker *m, u32 ref, const u8 *object) {
    const DefType *type = exception_tag(m->store, ref)->type;
    for (u32 i = 0; i < type->nrefs; i++)
        mark(m, le32_load(object + EXCEPTION_HEADER + 8 * type->refs[i]));
}

static void scan(Marker *m, u32 ref) {
    const u8 *object = m->heap->base + ref;
    u32 id = object_type(object);
    if (UNLIKELY(id == OBJECT_EXCEPTION)) {
        scan_exception(m, ref, object);
        return;
    }
    const DefType *type = wr_types_get(m->store->engine->types, id);
    if (type->comp == COMP_STRUCT) {
        for (u32 i = 0; i < type->nrefs; i++) mark(m, le32_load(object + type->refs[i]));
    } else if (type->nrefs != 0) {
        const u8 *end = object + ARRAY_HEADER + 4 * (u64)array_length(object);
        for (const u8 *at = object + ARRAY_HEADER; at < end; at += 4) mark(m, le32_load(at));
    }
}

/* Objects wait in a short queue between the stack and the scan, while the processor fetches them. */
#define QUEUE 16u

static void drain(Marker *m) {
    u32 queue[QUEUE], first = 0, n = 0;
    for (;;) {
        for (; n < QUEUE && m->count > 0; n++) {
            u32 ref = queue[(first + n) % QUEUE] = m->stack[--m->count];
            PREFETCH(m->heap->base + ref);
        }
        if (n == 0) return;
        scan(m, queue[first]);
        first = (first + 1) % QUEUE;
        n--;
    }
}

static u32 cells_of(const BlockInfo *info) {
    return info->kind == BLOCK_FIRST ? 1 : HEAP_BLOCK / heap_cell(info->size_class);
}

static u32 cell_ref(const BlockInfo *info, u32 block, u32 index) {
    u32 start = block << HEAP_BLOCK_LOG2;
    return info->kind == BLOCK_FIRST ? start : start + index * heap_cell(info->size_class);
}

/* Scans what is marked in the block. */
static void scan_block(Marker *m, u32 block) {
    BlockInfo *info = &m->heap->blocks[block];
    const u64 *bits = heap_bitmap(m->heap, block);
    info->unscanned = false;
    for (u32 i = 0, n = cells_of(info); i < n; i++) {
        if (!(bits[i / 64] >> (i & 63) & 1)) continue;
        scan(m, cell_ref(info, block, i));
        drain(m);
    }
}

static void drain_overflow(Marker *m) {
    while (m->overflowed) {
        m->overflowed = false;
        for (u32 b = 1; b < m->heap->committed; b++)
            if (m->heap->blocks[b].unscanned) scan_block(m, b);
    }
}

/* ---- before and after ----------------------------------------------------------------------- */

static void clear_marks(Heap *heap) {
    for (u32 b = 1; b < heap->committed; b++) {
        BlockInfo *info = &heap->blocks[b];
        info->live = 0;
        if (info->kind != BLOCK_SMALL && info->kind != BLOCK_FIRST) continue;
        memset(heap_bitmap(heap, b), 0, (cells_of(info) + 63) / 64 * sizeof(u64));
    }
    for (u32 c = 0; c < HEAP_CLASSES; c++) {
        heap->bumps[c] = (Bump){0, 0, 0};
        heap->classes[c] = (SizeClass){0, 0};
    }
}

static void free_blocks(Heap *heap, u32 first, u32 count) {
    for (u32 b = first; b < first + count; b++) heap->blocks[b] = (BlockInfo){.kind = BLOCK_FREE};
    heap->used -= count;
    if (first < heap->first_free) heap->first_free = first;
}

/* In verify mode what is free is overwritten, so that nobody reads it unnoticed. */
static void poison_free_cells(Heap *heap, u32 block) {
    const BlockInfo *info = &heap->blocks[block];
    const u64 *bits = heap_bitmap(heap, block);
    u32 cell = heap_cell(info->size_class);
    for (u32 i = 0, n = cells_of(info); i < n; i++)
        if (!(bits[i / 64] >> (i & 63) & 1))
            memset(heap->base + cell_ref(info, block, i), 0xDB, cell);
}

/* Frees empty blocks, lists those with free cells, lowest first. Bytes in use. */
static u64 take_stock(Heap *heap) {
    u64 live = 0;
    for (u32 b = heap->committed; b-- > 1;) {
        BlockInfo *info = &heap->blocks[b];
        if (info->kind == BLOCK_FIRST) {
            if (info->live)
                live += (u64)info->count << HEAP_BLOCK_LOG2;
            else
                free_blocks(heap, b, info->count);
        } else if (info->kind == BLOCK_SMALL && info->live == 0) {
            free_blocks(heap, b, 1);
        } else if (info->kind == BLOCK_SMALL) {
            live += (u64)info->live * heap_cell(info->size_class);
            info->cursor = 0;
            if (heap->debug & WR_GC_VERIFY) poison_free_cells(heap, b);
            if (info->live == cells_of(info)) continue;
            info->next = heap->classes[info->size_class].available;
            heap->classes[info->size_class].available = b;
        }
    }
    return live;
}

/* Gives pages of free blocks back to the host, the highest first, as long as more than `keep` bytes
 * are left that are free. */
static void trim(Heap *heap, u64 keep) {
    u64 spare = 0;
    for (u32 b = 1; b < heap->committed; b++) {
        BlockInfo *info = &heap->blocks[b];
        if (info->kind != BLOCK_FREE) continue;
        spare += HEAP_BLOCK;
        if (spare <= keep) continue;
        wr_os_decommit(heap->base + ((size_t)b << HEAP_BLOCK_LOG2), HEAP_BLOCK);
        info->kind = BLOCK_GONE;
    }
}

static void note_pause(Heap *heap, u64 start, u64 live) {
    u64 pause = wr_os_now() - start;
    heap->stats.collections++;
    heap->stats.pause_ns += pause;
    if (pause > heap->stats.longest_pause_ns) heap->stats.longest_pause_ns = pause;
    heap->stats.live_bytes = live;
}

bool wr_heap_collect(Store *store) {
    Heap *heap = store->heap;
    if (heap == &wr_heap_none) return true;
    u64 start = wr_os_now();
    if (!wr_roots_prepare(store)) return false;
    if (!heap->marks.capacity &&
        !wr_grow_array(&store->alloc, &heap->marks.refs, &heap->marks.capacity, MARKS_FIRST,
                       MARKS_MAX, sizeof(u32)))
        return false;
    clear_marks(heap);
    Marker m = {
        .store = store, .heap = heap, .stack = heap->marks.refs, .capacity = heap->marks.capacity};
    wr_roots_visit(store, visit_root, &m);
    drain(&m);
    drain_overflow(&m);
    u64 live = take_stock(heap);
    heap->budget = (i64)(live > HEAP_FIRST_BUDGET ? live : HEAP_FIRST_BUDGET);
    trim(heap, (u64)heap->budget);
    note_pause(heap, start, live);
    if (heap->debug & WR_GC_VERIFY) heap->problem = wr_heap_verify(store);
    return true;
}

/* ---- verification --------------------------------------------------------------------------- */

typedef struct Verifier {
    const Store *store;
    const char *problem;
} Verifier;

static void verify_value(Verifier *v, u64 ref, ValType type) {
    if (v->problem) return;
    if (ref == 0) {
        if (!type_is_nullable(type)) v->problem = "null in a field that cannot hold it";
    } else if (ref_is_object(ref) && wr_type_in_heap(v->store->engine->types, type) &&
               !wr_heap_has(v->store->heap, ref)) {
        v->problem = "a field refers to what was collected";
    } else if (!wr_store_ref_matches(v->store, ref, type)) {
        v->problem = "a field holds a reference of another type";
    }
}

static void verify_root(void *context, u64 ref) {
    Verifier *v = context;
    if (ref != 0 && ref_is_object(ref) && !wr_heap_has(v->store->heap, ref))
        v->problem = "a root refers to what was collected";
}

static void verify_exception(Verifier *v, const u8 *object, u64 size) {
    u32 tag = le32_load(object + 4);
    if (tag >= v->store->ntags) {
        v->problem = "an exception without a tag";
        return;
    }
    const DefType *type = v->store->tags[tag]->type;
    if (EXCEPTION_HEADER + 8 * (u64)type->param_slots > size) v->problem = "an exception too large";
    for (u32 i = 0, slot = 0; i < type->nparams && !v->problem; i++) {
        if (type_is_ref(type->types[i]))
            verify_value(v, le64_load(object + EXCEPTION_HEADER + 8 * slot), type->types[i]);
        slot += type_slots(type->types[i]);
    }
}

static void verify_struct(Verifier *v, const u8 *object, const DefType *type, u64 size) {
    if (type->object_size > size) v->problem = "a structure too large for its cell";
    for (u32 i = 0; i < type->nfields && !v->problem; i++)
        if (type_is_ref(type->fields[i].type))
            verify_value(v, le32_load(object + place_offset(type->places[i])),
                         type->fields[i].type);
}

static void verify_array(Verifier *v, const u8 *object, const DefType *type, u64 size) {
    u32 length = array_length(object);
    if (ARRAY_HEADER + ((u64)length << place_width(type->places[0])) > size) {
        v->problem = "an array too large for its cell";
        return;
    }
    ValType element = type->fields[0].type;
    for (u32 i = 0; i < length && type_is_ref(element) && !v->problem; i++)
        verify_value(v, le32_load(object + ARRAY_HEADER + 4 * (u64)i), element);
}

static void verify_object(Verifier *v, u32 ref, u64 size) {
    const u8 *object = object_at(v->store, ref);
    if (object_type(object) == OBJECT_EXCEPTION) {
        verify_exception(v, object, size);
        return;
    }
    const DefType *type = wr_types_find(v->store->engine->types, object_type(object));
    if (!type || type->comp == COMP_FUNC)
        v->problem = "an object without a type";
    else if (type->comp == COMP_STRUCT)
        verify_struct(v, object, type, size);
    else
        verify_array(v, object, type, size);
}

static void verify_block(Verifier *v, u32 block) {
    const Heap *heap = v->store->heap;
    const BlockInfo *info = &heap->blocks[block];
    if (info->kind != BLOCK_SMALL && info->kind != BLOCK_FIRST) return;
    u64 size = info->kind == BLOCK_FIRST ? (u64)info->count << HEAP_BLOCK_LOG2
                                         : heap_cell(info->size_class);
    for (u32 i = 0, n = cells_of(info); i < n && !v->problem; i++) {
        u32 ref = cell_ref(info, block, i);
        if (wr_heap_has(heap, ref)) verify_object(v, ref, size);
    }
}

const char *wr_heap_verify(const Store *store) {
    const Heap *heap = store->heap;
    Verifier v = {.store = store};
    for (u32 b = 1; b < heap->committed && !v.problem; b++) verify_block(&v, b);
    if (!v.problem && wr_roots_prepare((Store *)(uintptr_t)store))
        wr_roots_visit((Store *)(uintptr_t)store, verify_root, &v);
    return v.problem;
}
