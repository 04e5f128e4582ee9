/*
 * heap_collect.c - marking what lives, step by step, taking back whole blocks, and checking the
 * result. heap.h says how it all fits together.
 *
 * The mark stack is bounded. When it is full, an object is marked but not pushed, and its block is
 * noted: when the stack has run empty, all marked objects of such blocks are scanned again. A long
 * array is scanned in parts: the rest of it is two entries, the index to go on with and above it the
 * reference with bit 0 set.
 */
#include "object.h"

#define MARKS_FIRST 4096u
#define MARKS_MAX (1u << 20)
#define ARRAY_PART 4096u /* elements scanned at once */

/* Marking runs WORK_PER_BYTE times as fast as allocation, a step for each STEP_BYTES allocated; less
 * fast for large objects, so that pauses do not grow as they do. It begins when a quarter of the
 * budget is left: a heap that grows by no more than half meanwhile stays within it. */
#define STEP_BYTES ((i64)32 << 10)
#define STEP_LARGE ((i64)512 << 10)
#define WORK_PER_BYTE 8
#define WORK_PER_BYTE_LARGE 2

typedef struct Marker {
    Store *store;
    Heap *heap;
    u32 *stack; /* heap->marks.refs, and so on */
    u32 count, capacity;
    i64 work; /* bytes that may still be scanned */
} Marker;

static Marker marker_of(Store *store, i64 work) {
    MarkStack *marks = &store->heap->marks;
    return (Marker){store, store->heap, marks->refs, marks->count, marks->capacity, work};
}

/* ---- marking -------------------------------------------------------------------------------- */

/* Room for `n` entries more. */
static COLD bool grow_stack(Marker *m, u32 n) {
    MarkStack *marks = &m->heap->marks;
    if (!wr_grow_array(&m->store->alloc, &marks->refs, &marks->capacity, (u64)m->count + n,
                       MARKS_MAX, sizeof *marks->refs))
        return false;
    m->stack = marks->refs;
    m->capacity = marks->capacity;
    return true;
}

static void push(Marker *m, u32 ref) {
    if (LIKELY(m->count < m->capacity) || grow_stack(m, 1)) {
        m->stack[m->count++] = ref;
    } else {
        m->heap->blocks[ref >> HEAP_BLOCK_LOG2].unscanned = true;
        m->heap->overflowed = true;
    }
}

INLINE void mark(Marker *m, u64 ref) {
    if (ref == 0 || !ref_is_object(ref)) return;
    u32 block = (u32)ref >> HEAP_BLOCK_LOG2;
    BlockInfo *info = &m->heap->blocks[block];
    u32 index = heap_cell_index(info, (u32)ref);
    u64 *word = &heap_marked(m->heap, block)[index / 64], bit = (u64)1 << (index & 63);
    if (*word & bit) return;
    *word |= bit;
    info->live++;
    push(m, (u32)ref);
}

static void visit_root(void *context, u64 ref) { mark(context, ref); }

static void scan_exception(Marker *m, u32 ref, const u8 *object) {
    const DefType *type = exception_tag(m->store, ref)->type;
    m->work -= EXCEPTION_HEADER;
    for (u32 i = 0; i < type->nrefs; i++)
        mark(m, le32_load(object + EXCEPTION_HEADER + 8 * type->refs[i]));
}

/* Elements from `first` on; if there are many, the rest of them later. */
static void scan_array(Marker *m, u32 ref, u32 first) {
    const u8 *array = m->heap->base + ref;
    u32 left = array_length(array) - first, n = min_u32(left, ARRAY_PART);
    if (n < left && (m->capacity - m->count >= 2 || grow_stack(m, 2))) {
        m->stack[m->count++] = first + n;
        m->stack[m->count++] = ref | 1;
    } else {
        n = left;
    }
    const u8 *at = array + ARRAY_HEADER + 4 * (u64)first, *end = at + 4 * (u64)n;
    m->work -= 4 * (i64)n;
    for (; at < end; at += 4) mark(m, le32_load(at));
}

static void scan(Marker *m, u32 ref) {
    const u8 *object = m->heap->base + ref;
    if (UNLIKELY(object_is_exception(object))) {
        scan_exception(m, ref, object);
        return;
    }
    const DefType *type = object_def(m->store, object);
    m->work -= type->object_size;
    if (type->comp == COMP_STRUCT) {
        if (type->descriptor) mark(m, object_descriptor(object));
        for (u32 i = 0; i < type->nrefs; i++) mark(m, le32_load(object + type->refs[i]));
    } else if (type->nrefs != 0) {
        scan_array(m, ref, 0);
    }
}

/* Objects wait in a short queue between the stack and the scan, while the processor fetches them. */
#define QUEUE 16u

typedef struct Queue {
    u32 refs[QUEUE], first, count;
} Queue;

static void fill_queue(Marker *m, Queue *q) {
    while (q->count < QUEUE && m->count > 0 && m->work > 0) {
        u32 ref = m->stack[--m->count];
        if (UNLIKELY(ref & 1)) {
            u32 index = m->stack[--m->count];
            scan_array(m, ref & ~1u, index);
            continue;
        }
        PREFETCH(m->heap->base + ref);
        q->refs[(q->first + q->count++) % QUEUE] = ref;
    }
}

/* Until the stack is empty or the work is done. What waits then goes back to the stack. */
static void drain(Marker *m) {
    Queue q = {.count = 0};
    while (m->work > 0) {
        fill_queue(m, &q);
        if (q.count == 0) break;
        scan(m, q.refs[q.first]);
        q.first = (q.first + 1) % QUEUE;
        q.count--;
    }
    for (; q.count > 0; q.first = (q.first + 1) % QUEUE, q.count--) push(m, q.refs[q.first]);
}

static u32 cells_of(const BlockInfo *info) {
    return info->kind == BLOCK_FIRST ? 1 : HEAP_BLOCK / heap_cell(info->size_class);
}

static u32 cell_ref(const BlockInfo *info, u32 block, u32 index) {
    u32 start = block << HEAP_BLOCK_LOG2;
    return info->kind == BLOCK_FIRST ? start : start + index * heap_cell(info->size_class);
}

/* Whether the cell is in a run that is taken but not allocated yet. */
static bool is_ahead(const Heap *heap, const BlockInfo *info, u32 ref) {
    const Bump *bump = &heap->bumps[info->size_class];
    return ref >= bump->at && ref < bump->end;
}

/* Scans what is marked in the block, whatever the work. */
static void scan_block(Marker *m, u32 block) {
    BlockInfo *info = &m->heap->blocks[block];
    const u64 *bits = heap_marked(m->heap, block);
    info->unscanned = false;
    for (u32 i = 0, n = cells_of(info); i < n; i++) {
        u32 ref = cell_ref(info, block, i);
        if ((bits[i / 64] >> (i & 63) & 1) && !is_ahead(m->heap, info, ref)) scan(m, ref);
    }
}

/* Scans the blocks that are noted, as far as the work goes. */
static void scan_noted(Marker *m) {
    m->heap->overflowed = false; /* unless it happens again */
    for (u32 b = 1; b < m->heap->committed; b++) {
        if (!m->heap->blocks[b].unscanned) continue;
        if (m->work <= 0) {
            m->heap->overflowed = true;
            return;
        }
        scan_block(m, b);
        drain(m);
    }
}

/* True when nothing is left to mark. */
static bool mark_some(Marker *m) {
    drain(m);
    while (m->heap->overflowed && m->work > 0) scan_noted(m);
    m->heap->marks.count = m->count;
    return m->count == 0 && !m->heap->overflowed;
}

void wr_heap_mark(Store *store, u64 ref) {
    if (!store->heap->marking) return;
    Marker m = marker_of(store, 0);
    mark(&m, ref);
    store->heap->marks.count = m.count;
}

/* ---- before and after ----------------------------------------------------------------------- */

/* Nothing is marked but what will be allocated next: the rests of the runs that are taken. */
static void clear_marks(Heap *heap) {
    for (u32 b = 1; b < heap->committed; b++) {
        BlockInfo *info = &heap->blocks[b];
        info->live = 0;
        if (info->kind != BLOCK_SMALL && info->kind != BLOCK_FIRST) continue;
        memset(heap_marked(heap, b), 0, (cells_of(info) + 63) / 64 * sizeof(u64));
    }
    for (u32 c = 0; c < HEAP_CLASSES; c++) {
        const Bump *bump = &heap->bumps[c];
        if (bump->at == bump->end) continue;
        u32 block = bump->at >> HEAP_BLOCK_LOG2;
        BlockInfo *info = &heap->blocks[block];
        u32 from = heap_cell_index(info, bump->at), n = (bump->end - bump->at) / bump->cell;
        wr_heap_set_bits(heap_marked(heap, block), from, from + n);
        info->live = (u16)n;
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
    memset(heap->classes, 0, sizeof heap->classes);
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

static void give_back(Heap *heap, u32 first, u32 count) {
    if (count == 0) return;
    wr_os_decommit(heap->base + ((size_t)first << HEAP_BLOCK_LOG2),
                   (size_t)count << HEAP_BLOCK_LOG2);
    for (u32 b = first; b < first + count; b++) heap->blocks[b].kind = BLOCK_GONE;
}

/* If twice as many bytes as `keep` are free, the pages of the highest blocks beyond that go back to
 * the host. */
static void trim(Heap *heap, u64 keep) {
    u64 spare = 0;
    for (u32 b = 1; b < heap->committed; b++)
        if (heap->blocks[b].kind == BLOCK_FREE) spare += HEAP_BLOCK;
    if (spare / 2 < keep) return;
    u32 run = 0;
    for (u32 b = heap->committed; b-- > 1 && spare > keep;) {
        if (heap->blocks[b].kind == BLOCK_FREE) {
            run++;
            spare -= HEAP_BLOCK;
        } else {
            give_back(heap, b + 1, run);
            run = 0;
        }
        if (spare <= keep || b == 1) give_back(heap, b, run);
    }
}

/* Cells that are taken but not allocated are neither garbage nor anything that lives. */
static u64 bytes_ahead(const Heap *heap) {
    u64 bytes = 0;
    for (u32 c = 0; c < HEAP_CLASSES; c++) bytes += heap->bumps[c].end - heap->bumps[c].at;
    return bytes;
}

/* ---- a collection: begin, steps, finish ----------------------------------------------------- */

static bool begin(Store *store) {
    Heap *heap = store->heap;
    if (!wr_roots_prepare(store)) return false;
    if (!heap->marks.capacity &&
        !wr_grow_array(&store->alloc, &heap->marks.refs, &heap->marks.capacity, MARKS_FIRST,
                       MARKS_MAX, sizeof(u32)))
        return false;
    clear_marks(heap);
    heap->marking = true;
    heap->debt = 0;
    Marker m = marker_of(store, 0);
    wr_roots_visit(store, visit_root, &m);
    heap->marks.count = m.count;
    return true;
}

static void finish(Store *store) {
    Heap *heap = store->heap;
    u8 *bitmaps = heap->bitmaps;
    heap->bitmaps = heap->marked;
    heap->marked = bitmaps;
    heap->marking = false;
    u64 live = take_stock(heap) - bytes_ahead(heap);
    heap->budget = (i64)live > HEAP_FIRST_BUDGET ? (i64)live : HEAP_FIRST_BUDGET;
    heap->trigger = heap->budget / 4;
    heap->stats.live_bytes = live;
    heap->stats.collections++;
    trim(heap, (u64)heap->budget);
    if (heap->debug & WR_GC_VERIFY) heap->problem = wr_heap_verify(store);
}

/* Marks until nothing is left or `work` is done; finishes in the former case. */
static void step(Store *store, i64 work) {
    Marker m = marker_of(store, work);
    store->heap->debt = 0;
    if (mark_some(&m)) finish(store);
}

static void note_pause(Heap *heap, u64 start) {
    u64 pause = wr_os_now() - start;
    heap->stats.pause_ns += pause;
    if (pause > heap->stats.longest_pause_ns) heap->stats.longest_pause_ns = pause;
}

bool wr_heap_collect(Store *store) {
    Heap *heap = store->heap;
    if (heap == &wr_heap_none) return true;
    u64 start = wr_os_now();
    if (heap->marking) step(store, INT64_MAX); /* what this one keeps may be garbage by now */
    bool began = begin(store);
    if (began) step(store, INT64_MAX);
    note_pause(heap, start);
    return began;
}

/* Bytes of objects to be scanned for what has been allocated since the last step. */
static i64 work_for(i64 debt) {
    i64 large = debt > STEP_LARGE ? debt - STEP_LARGE : 0;
    return (debt - large) * WORK_PER_BYTE + large * WORK_PER_BYTE_LARGE;
}

void wr_heap_pace(Store *store) {
    Heap *heap = store->heap;
    bool is_eager = heap->debug & WR_GC_STEPS;
    if (heap->debug & WR_GC_STRESS) {
        (void)wr_heap_collect(store);
        return;
    }
    if (!is_eager && (heap->marking ? heap->debt < STEP_BYTES : heap->budget > heap->trigger))
        return;
    u64 start = wr_os_now();
    if (heap->marking)
        step(store, is_eager ? 1 : work_for(heap->debt));
    else if (!begin(store))
        heap->trigger -= HEAP_FIRST_BUDGET / 2; /* no memory to do so: try again later */
    note_pause(heap, start);
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
    if (type->describes && le32_load(object + OBJECT_HEADER) != type->describes->header)
        v->problem = "a descriptor of another type's objects";
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

/* NULL, and a problem, if the object has none. A descriptor's own type is looked at when its turn
 * comes. */
static const DefType *verify_type(Verifier *v, const u8 *object) {
    u32 descriptor = object_descriptor(object);
    if (descriptor != 0 && !wr_heap_has(v->store->heap, descriptor)) {
        v->problem = "a descriptor was collected";
        return NULL;
    }
    u32 id = object_type_header(v->store, object) >> 1;
    const DefType *type = wr_types_find(v->store->engine->types, id);
    if (!type || type->comp == COMP_FUNC)
        v->problem = "an object without a type";
    else if (descriptor != 0
                 ? !type->descriptor || !ref_has_exact_type(v->store, descriptor, type->descriptor)
                 : type->descriptor != NULL)
        v->problem = "an object without the descriptor of its type";
    return type;
}

static void verify_object(Verifier *v, u32 ref, u64 size) {
    const u8 *object = object_at(v->store, ref);
    if (object_is_exception(object)) {
        verify_exception(v, object, size);
        return;
    }
    const DefType *type = verify_type(v, object);
    if (v->problem) return;
    if (type->comp == COMP_STRUCT)
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
    const u64 *bits = heap_bitmap(heap, block);
    for (u32 i = 0, n = cells_of(info); i < n && !v->problem; i++) {
        u32 ref = cell_ref(info, block, i);
        if (bits[i / 64] == 0)
            i |= 63; /* all free */
        else if (wr_heap_has(heap, ref))
            verify_object(v, ref, size);
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
