/*
 * name_section.c - names of functions and locals, decoded once and published with one atomic
 * exchange: a thread that loses the race throws its copy away. Out of memory means no names, this
 * time.
 */
#include "name_section.h"

#include "decode.h"
#include "store.h"

enum { NAMES_MODULE = 0, NAMES_FUNCS = 1, NAMES_LOCALS = 2 };

typedef struct LocalName {
    u32 func, local;
    Name name;
} LocalName;

/* Ascending by function, then local. */
typedef struct LocalNames {
    u32 count, capacity;
    LocalName *items;
} LocalNames;

struct NameMap {
    Name module;
    Name *funcs;                   /* nfuncs of them: from the section, else from an export */
    const u8 *locals, *locals_end; /* the subsection, read when a local is asked for */
    _Atomic(LocalNames *) local_names;
};

/* What is wrong with names is nobody's business. */
static void discard_error(Reader *r) {
    wr_error_delete(r->error);
    r->error = NULL;
}

/* ---- functions ---- */

static void read_func_names(const Module *m, NameMap *map, Reader *r) {
    for (u32 n = wr_read_count(r, 2); n > 0; n--) {
        u32 index = wr_read_u32(r);
        Name name = wr_read_name(r);
        if (r->error != NULL) return;
        if (index < m->nfuncs) map->funcs[index] = name;
    }
}

static void read_subsection(const Module *m, NameMap *map, u8 id, Reader *r) {
    if (id == NAMES_MODULE) {
        Name name = wr_read_name(r);
        if (r->error == NULL) map->module = name;
    } else if (id == NAMES_FUNCS) {
        read_func_names(m, map, r);
    } else if (id == NAMES_LOCALS) {
        map->locals = r->pos;
        map->locals_end = r->end;
    }
}

static void read_section(const Module *m, NameMap *map, const CustomSection *custom) {
    const u8 *start = m->bytes + custom->offset;
    Reader r = {.pos = start, .end = start + custom->size, .base = m->bytes};
    while (r.pos != r.end) {
        u8 id = wr_read_u8(&r);
        u32 size = wr_read_u32(&r);
        const u8 *contents = wr_read_bytes(&r, size);
        if (contents == NULL) break;
        Reader sub = {.pos = contents, .end = contents + size, .base = m->bytes};
        read_subsection(m, map, id, &sub);
        discard_error(&sub);
    }
    discard_error(&r);
}

static const CustomSection *find_section(const Module *m) {
    static const Name wanted = {"name", 4};
    for (u32 i = 0; i < m->ncustoms; i++)
        if (wr_name_compare(m->customs[i].name, wanted) == 0) return &m->customs[i];
    return NULL;
}

static void name_by_exports(const Module *m, NameMap *map) {
    for (u32 i = 0; i < m->nexports; i++) {
        const Export *e = &m->exports[i];
        if (e->kind == EXT_FUNC && e->index < m->nfuncs && map->funcs[e->index].data == NULL)
            map->funcs[e->index] = e->name;
    }
}

static NameMap *new_map(const Module *m) {
    const Alloc *alloc = &m->engine->alloc;
    NameMap *map = wr_alloc_zero(alloc, sizeof *map);
    if (map == NULL) return NULL;
    map->funcs = wr_alloc_array(alloc, m->nfuncs, sizeof *map->funcs);
    if (map->funcs == NULL && m->nfuncs != 0) {
        wr_name_map_delete(m, map);
        return NULL;
    }
    const CustomSection *custom = find_section(m);
    if (custom != NULL) read_section(m, map, custom);
    name_by_exports(m, map);
    return map;
}

static void delete_locals(const Module *m, LocalNames *names) {
    if (names == NULL) return;
    const Alloc *alloc = &m->engine->alloc;
    wr_free(alloc, names->items, names->capacity * sizeof *names->items);
    wr_free(alloc, names, sizeof *names);
}

void wr_name_map_delete(const Module *module, NameMap *map) {
    if (map == NULL) return;
    const Alloc *alloc = &module->engine->alloc;
    delete_locals(module, atomic_load_explicit(&map->local_names, memory_order_acquire));
    wr_free(alloc, map->funcs, module->nfuncs * sizeof *map->funcs);
    wr_free(alloc, map, sizeof *map);
}

/* The module is immutable but for this, its cache. */
static NameMap *get_map(const Module *module) {
    Module *m = (Module *)module;
    NameMap *map = atomic_load_explicit(&m->names, memory_order_acquire);
    if (map != NULL) return map;
    NameMap *made = new_map(m);
    if (made == NULL) return NULL;
    if (atomic_compare_exchange_strong_explicit(&m->names, &map, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    wr_name_map_delete(m, made);
    return map;
}

/* ---- locals ---- */

static bool is_after(const LocalNames *names, LocalName next) {
    if (names->count == 0) return true;
    const LocalName *last = &names->items[names->count - 1];
    return next.func != last->func ? next.func > last->func : next.local > last->local;
}

/* Reading ends where the order is broken. False when out of memory. */
static bool read_local_names(const Alloc *alloc, LocalNames *names, Reader *r) {
    for (u32 nfuncs = wr_read_count(r, 2); nfuncs > 0 && r->error == NULL; nfuncs--) {
        u32 func = wr_read_u32(r);
        for (u32 n = wr_read_count(r, 2); n > 0; n--) {
            LocalName next = {.func = func, .local = wr_read_u32(r)};
            next.name = wr_read_name(r);
            if (r->error != NULL || !is_after(names, next)) return true;
            if (!wr_grow_array(alloc, &names->items, &names->capacity, (u64)names->count + 1,
                               UINT32_MAX, sizeof *names->items))
                return false;
            names->items[names->count++] = next;
        }
    }
    return true;
}

static LocalNames *new_locals(const Module *m, const NameMap *map) {
    const Alloc *alloc = &m->engine->alloc;
    LocalNames *names = wr_alloc_zero(alloc, sizeof *names);
    if (names == NULL || map->locals == NULL) return names;
    Reader r = {.pos = map->locals, .end = map->locals_end, .base = m->bytes};
    bool is_read = read_local_names(alloc, names, &r);
    discard_error(&r);
    if (is_read) return names;
    delete_locals(m, names);
    return NULL;
}

static const LocalNames *get_locals(const Module *m, NameMap *map) {
    LocalNames *names = atomic_load_explicit(&map->local_names, memory_order_acquire);
    if (names != NULL) return names;
    LocalNames *made = new_locals(m, map);
    if (made == NULL) return NULL;
    if (atomic_compare_exchange_strong_explicit(&map->local_names, &names, made,
                                                memory_order_acq_rel, memory_order_acquire))
        return made;
    delete_locals(m, made);
    return names;
}

/* ---- lookups ---- */

static const Name no_name = {NULL, 0};

Name wr_module_own_name(const Module *module) {
    const NameMap *map = get_map(module);
    return map == NULL ? no_name : map->module;
}

Name wr_module_func_name(const Module *module, u32 func_index) {
    const NameMap *map = get_map(module);
    return map == NULL || func_index >= module->nfuncs ? no_name : map->funcs[func_index];
}

Name wr_module_local_name(const Module *module, u32 func_index, u32 local) {
    NameMap *map = get_map(module);
    const LocalNames *names = map == NULL ? NULL : get_locals(module, map);
    u32 low = 0, high = names == NULL ? 0 : names->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        const LocalName *at = &names->items[middle];
        if (at->func == func_index && at->local == local) return at->name;
        bool is_below = at->func != func_index ? at->func < func_index : at->local < local;
        if (is_below)
            low = middle + 1;
        else
            high = middle;
    }
    return no_name;
}
