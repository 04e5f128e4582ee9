/*
 * heap_roots.c - everything that may refer to objects: frames, globals, tables, element segments,
 * constant expressions under way, references that the host holds, exceptions in errors.
 *
 * Frames are scanned exactly. Which slots of a frame hold references follows from its code and the
 * place in it (validate.h: wr_code_types_at), at the cost of validating up to there; the result, a
 * stack map, is kept by place. All maps are made before marking begins, so that marking cannot fail.
 */
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

/* ---- making a map --------------------------------------------------------------------------- */

typedef struct MapMaker {
    const Alloc *alloc;
    const TypeTable *types;
    StackMaps *maps;
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
static void add_frame(MapMaker *k, const Code *code, const CodeTypes *types) {
    add_types(k, types->locals, types->nlocals, 0);
    for (u32 i = slots_of(types->locals, types->nlocals); i < code->local_slots; i++)
        add_slot(k, i);
    add_types(k, types->operands, types->noperands, code->local_slots);
}

static void make_map(MapMaker *k, const Func *func, const u8 *pc) {
    StackMaps *m = k->maps;
    const Module *module = func->home->instance->module;
    const Code *code = func->code;
    u32 first = m->nslots;
    Arena arena;
    wr_arena_init(&arena, k->alloc);
    CodeTypes types;
    if (grow_maps(k->alloc, m) &&
        wr_code_types_at(module, code, (u32)(pc - code->start), &arena, &types))
        add_frame(k, code, &types);
    else
        k->failed = true;
    wr_arena_free(&arena);
    if (k->failed)
        m->nslots = first;
    else
        *find_map(m, pc) = (StackMap){pc, first, m->nslots - first}, m->count++;
}

static void prepare_frame(void *context, const Func *func, const u8 *pc, Slot *fp, Slot *end) {
    (void)fp, (void)end;
    MapMaker *k = context;
    if (k->failed || (k->maps->capacity && find_map(k->maps, pc)->pc)) return;
    make_map(k, func, pc);
}

/* Places that were seen are forgotten all at once, if there are too many. */
static bool make_room(const Alloc *alloc, Heap *heap) {
    StackMaps *m = heap->maps;
    if (m && (m->count > MAPS_MAX || m->nslots > MAP_SLOTS_MAX)) {
        wr_stack_maps_delete(alloc, m);
        heap->maps = NULL;
    }
    if (!heap->maps) heap->maps = wr_alloc_zero(alloc, sizeof *heap->maps);
    return heap->maps != NULL;
}

bool wr_roots_prepare(Store *store) {
    const Executor *executor = store->engine->executor;
    if (!executor->each_frame || !store->fiber) return true;
    if (!make_room(&store->alloc, store->heap)) return false;
    MapMaker k = {&store->alloc, store->engine->types, store->heap->maps, false};
    executor->each_frame(store, prepare_frame, &k);
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
    if (executor->each_frame && store->fiber) {
        FrameVisit f = {store->heap->maps, visit, context};
        executor->each_frame(store, visit_frame, &f);
    }
    for (const Instance *i = store->instances; i; i = i->next) visit_instance(i, visit, context);
    for (u32 k = 0; k < store->nhost_globals; k++)
        visit_global(store, store->host_globals[k], visit, context);
    visit_tables(store, visit, context);
    visit_const_stacks(store, visit, context);
    visit_refs(store->handles, store->nhandles, visit, context);
    wr_errors_visit(store, visit, context);
}
