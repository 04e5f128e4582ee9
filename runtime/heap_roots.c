/*
 * heap_roots.c - everything that may refer to objects: frames, globals, tables, element segments,
 * constant expressions under way, references that the host holds, exceptions in errors.
 *
 * Frames are scanned exactly. Which slots of a frame hold references follows from its code and the
 * place in it (validate.h: wr_code_types_each), at the cost of validating up to there; the result, a
 * stack map, is kept by place. All maps that are missing are made before marking begins, so that
 * marking cannot fail, and each body is gone through once for all its places.
 */
#include <stdlib.h>

#include "heap.h"
#include "validate.h"

#define MAPS_FIRST 64u
#define MAPS_MAX                                                                                   \
    (1u << 16) /* more places than this, or slots in all: forget them and begin again */
#define MAP_SLOTS_MAX (1u << 20)

/* A code position and the slots, from local 0 on, that may lead into the heap there, ascending. */
typedef struct StackMap {
    const u8 *pc; /* NULL: free */
    u32 first, count;
} StackMap;

struct StackMaps {
    StackMap *maps; /* open addressing by pc, capacity a power of two, at most half full */
    u32 count, capacity;
    u32 *slots;
    u32 nslots, cap_slots;
};

/* ---- the table of maps ---------------------------------------------------------------------- */

static StackMap *find_map(const StackMaps *m, const u8 *pc) {
    u64 hash = (u64)(uintptr_t)pc * 0x9E3779B97F4A7C15u;
    u32 mask = m->capacity - 1, i = (u32)(hash >> 32) & mask;
    while (m->maps[i].pc && m->maps[i].pc != pc) i = (i + 1) & mask;
    return &m->maps[i];
}

static bool grow_maps(const Alloc *alloc, StackMaps *m) {
    if (m->count < m->capacity / 2) return true;
    u32 old_capacity = m->capacity, capacity = old_capacity ? old_capacity * 2 : MAPS_FIRST;
    StackMap *old = m->maps, *maps = wr_alloc_array(alloc, capacity, sizeof *maps);
    if (!maps) return false;
    m->maps = maps;
    m->capacity = capacity;
    for (u32 i = 0; i < old_capacity; i++)
        if (old[i].pc) *find_map(m, old[i].pc) = old[i];
    wr_free(alloc, old, old_capacity * sizeof *old);
    return true;
}

void wr_stack_maps_delete(const Alloc *alloc, StackMaps *m) {
    if (!m) return;
    wr_free(alloc, m->maps, m->capacity * sizeof *m->maps);
    wr_free(alloc, m->slots, m->cap_slots * sizeof *m->slots);
    wr_free(alloc, m, sizeof *m);
}

/* ---- making maps ---------------------------------------------------------------------------- */

/* A place without a map. */
typedef struct MissingMap {
    const Func *func;
    u32 pc;
} MissingMap;

typedef struct MapMaker {
    const Alloc *alloc;
    const TypeTable *types;
    StackMaps *maps;
    MissingMap *missing;
    u32 nmissing, cap_missing;
    const Code *code; /* being gone through */
    bool failed;
} MapMaker;

static void add_slot(MapMaker *k, u32 slot) {
    StackMaps *m = k->maps;
    if (!wr_grow_array(k->alloc, &m->slots, &m->cap_slots, (u64)m->nslots + 1, UINT32_MAX,
                       sizeof *m->slots)) {
        k->failed = true;
        return;
    }
    m->slots[m->nslots++] = slot;
}

static void add_types(MapMaker *k, const ValType *types, u32 count, u32 slot) {
    for (u32 i = 0; i < count && !k->failed; slot += type_slots(types[i++]))
        if (wr_type_in_heap(k->types, types[i])) add_slot(k, slot);
}

static u32 slots_of(const ValType *types, u32 count) {
    u32 slots = 0;
    for (u32 i = 0; i < count; i++) slots += type_slots(types[i]);
    return slots;
}

/* Locals, then the hidden ones, which hold exceptions or nothing, then operands. */
static void make_map(void *context, u32 pc, const CodeTypes *types) {
    MapMaker *k = context;
    StackMap *map = find_map(k->maps, k->code->start + pc);
    map->first = k->maps->nslots;
    add_types(k, types->locals, types->nlocals, 0);
    for (u32 i = slots_of(types->locals, types->nlocals); i < k->code->local_slots; i++)
        add_slot(k, i);
    add_types(k, types->operands, types->noperands, k->code->local_slots);
    map->count = k->maps->nslots - map->first;
}

/* Enters the place as known, so that it is made once, and makes a note. */
static void note_frame(void *context, const Func *func, const u8 *pc, Slot *fp, Slot *end) {
    (void)fp, (void)end;
    MapMaker *k = context;
    if (k->failed || (k->maps->capacity && find_map(k->maps, pc)->pc)) return;
    k->failed = !grow_maps(k->alloc, k->maps) ||
                !wr_grow_array(k->alloc, &k->missing, &k->cap_missing, (u64)k->nmissing + 1,
                               UINT32_MAX, sizeof *k->missing);
    if (k->failed) return;
    *find_map(k->maps, pc) = (StackMap){pc, 0, 0};
    k->maps->count++;
    k->missing[k->nmissing++] = (MissingMap){func, (u32)(pc - func->start)};
}

/* By body, then by pc. */
static int compare_missing(const void *left, const void *right) {
    const MissingMap *a = left, *b = right;
    if (a->func->code != b->func->code) return a->func->code < b->func->code ? -1 : 1;
    return a->pc < b->pc ? -1 : a->pc > b->pc;
}

/* The maps of one body. */
static bool make_maps_of(MapMaker *k, const MissingMap *missing, u32 count) {
    u32 *pcs = wr_alloc_array(k->alloc, count, sizeof *pcs);
    if (!pcs) return false;
    for (u32 i = 0; i < count; i++) pcs[i] = missing[i].pc;
    k->code = missing->func->code;
    const Module *module = missing->func->home->instance->module;
    bool ok = wr_code_types_each(module, k->code, pcs, count, make_map, k);
    wr_free(k->alloc, pcs, count * sizeof *pcs);
    return ok && !k->failed;
}

static void make_maps(MapMaker *k) {
    if (k->nmissing > 1) qsort(k->missing, k->nmissing, sizeof *k->missing, compare_missing);
    for (u32 i = 0, end; i < k->nmissing && !k->failed; i = end) {
        for (end = i + 1; end < k->nmissing; end++)
            if (k->missing[end].func->code != k->missing[i].func->code) break;
        if (!make_maps_of(k, k->missing + i, end - i)) k->failed = true;
    }
}

static void forget_maps(const Alloc *alloc, Heap *heap) {
    wr_stack_maps_delete(alloc, heap->maps);
    heap->maps = NULL;
}

/* Places that were seen are forgotten all at once, if there are too many; also after a failure, which
 * leaves maps unfinished. */
bool wr_roots_prepare(Store *store) {
    const Executor *executor = store->engine->executor;
    Heap *heap = store->heap;
    const Alloc *alloc = &store->alloc;
    if (!executor->each_frame || !(store->fiber || store->paused)) return true;
    if (heap->maps && (heap->maps->count > MAPS_MAX || heap->maps->nslots > MAP_SLOTS_MAX))
        forget_maps(alloc, heap);
    if (!heap->maps) heap->maps = wr_alloc_zero(alloc, sizeof *heap->maps);
    if (!heap->maps) return false;
    MapMaker k = {.alloc = alloc, .types = store->engine->types, .maps = heap->maps};
    executor->each_frame(store, note_frame, &k);
    if (!k.failed) make_maps(&k);
    wr_free(alloc, k.missing, k.cap_missing * sizeof *k.missing);
    if (k.failed) forget_maps(alloc, heap);
    return !k.failed;
}

/* ---- visiting ------------------------------------------------------------------------------- */

typedef struct FrameVisit {
    const StackMaps *maps;
    RootVisitor *visit;
    void *context;
} FrameVisit;

static void visit_frame(void *context, const Func *func, const u8 *pc, Slot *fp, Slot *end) {
    (void)func;
    FrameVisit *f = context;
    const StackMap *map = find_map(f->maps, pc);
    const u32 *slots = map->count ? f->maps->slots + map->first : NULL; /* none at all: no array */
    for (u32 i = 0; i < map->count && fp + slots[i] < end; i++)
        f->visit(f->context, fp[slots[i]].ref);
}

static void visit_refs(const u32 *refs, u64 count, RootVisitor *visit, void *context) {
    for (u64 i = 0; refs && i < count; i++) visit(context, refs[i]);
}

static void visit_global(const Store *s, const Global *g, RootVisitor *visit, void *context) {
    if (wr_type_in_heap(s->engine->types, g->type)) visit(context, g->value[0].ref);
}

static void visit_instance(const Instance *i, RootVisitor *visit, void *context) {
    const Module *m = i->module;
    for (u32 k = 0; k < m->nglobals - m->nimported_globals; k++)
        visit_global(i->store, &i->own_globals[k], visit, context);
    for (u32 k = 0; k < m->nelems; k++)
        if (i->elem_values[k] && wr_type_in_heap(i->store->engine->types, m->elems[k].type))
            visit_refs(i->elem_values[k], m->elems[k].count, visit, context);
}

static void visit_tables(const Store *s, RootVisitor *visit, void *context) {
    for (u32 k = 0; k < s->ntables; k++)
        if (wr_type_in_heap(s->engine->types, s->tables[k]->type))
            visit_refs(s->tables[k]->elems, s->tables[k]->size, visit, context);
}

static void visit_const_stacks(const Store *s, RootVisitor *visit, void *context) {
    for (const ConstStack *c = s->const_stacks; c; c = c->outer)
        for (u32 i = 0; i < c->height; i++)
            if (c->is_ref[i]) visit(context, c->slots[i].ref);
}

void wr_roots_visit(Store *store, RootVisitor *visit, void *context) {
    const Executor *executor = store->engine->executor;
    if (executor->each_frame && (store->fiber || store->paused)) {
        FrameVisit f = {store->heap->maps, visit, context};
        executor->each_frame(store, visit_frame, &f);
    }
    if (store->native) store->native_ops->visit_roots(store, visit, context);
    for (const Instance *i = store->instances; i; i = i->next) visit_instance(i, visit, context);
    for (u32 k = 0; k < store->nhost_globals; k++)
        visit_global(store, store->host_globals[k], visit, context);
    visit_tables(store, visit, context);
    visit_const_stacks(store, visit, context);
    visit_refs(store->handles, store->nhandles, visit, context);
    visit_refs(store->roots, store->nroots, visit, context);
    wr_errors_visit(store, visit, context);
}
