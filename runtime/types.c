/*
 * types.c - the engine-wide table of canonical types, and matching.
 *
 * A recursion group is found by its key: the words of its members' descriptions, with references to
 * other groups by canonical id and references within the group by position. Equal keys are equal
 * types (iso-recursive equality, spec: valid/conventions, rolling). A group holds one reference on
 * another for each place where it names it, so groups die in order and ids can be used again.
 */
#include "types.h"

#include <stdatomic.h>
#include <stdio.h>

#include "heap.h"
#include "os.h"

/* DefTypes by id, in chunks that double and never move, so that lookup needs no lock: chunk k holds
 * ids from TYPES_FIRST_IDS * (2^k - 1). */
#define ID_CHUNKS 15u
#define MAX_IDS (TYPES_FIRST_IDS * ((1u << ID_CHUNKS) - 1))
_Static_assert(MAX_IDS <= REC_LOCAL && MAX_IDS <= TYPE_ID_MAX, "ids fit heap types");

struct RecGroup {
    RecGroup *next; /* in its bucket */
    RecGroup *next_dying;
    u64 hash;
    u64 refs;    /* by modules, host functions, and other groups' members */
    size_t size; /* of the block: this, members and all they point to, key */
    u32 count;
    DefType *members;
    u32 nkey;
    const u32 *key;
};

typedef const DefType *IdEntry;

struct TypeTable {
    _Atomic(IdEntry *) chunks[ID_CHUNKS]; /* first: see types.h */
    const Alloc *alloc;
    OsMutex lock;
    u64 seed; /* so that nobody can prepare types that collide */
    RecGroup **buckets;
    u32 nbuckets; /* a power of 2, or 0 */
    u32 ngroups;
    u32 next_id;
    u32 *free_ids; /* room for every id given out so far: releasing never allocates */
    u32 nfree, cap_free;
};

_Static_assert(offsetof(struct TypeTable, chunks) == 0, "compiled code reads it");

/* ---- ids ---- */

static u32 chunk_of(u32 id) { return 31u - (u32)__builtin_clz(id / TYPES_FIRST_IDS + 1); }
static u32 chunk_start(u32 chunk) { return TYPES_FIRST_IDS * ((1u << chunk) - 1); }
static size_t chunk_count(u32 chunk) { return (size_t)TYPES_FIRST_IDS << chunk; }

static IdEntry *entry(const TypeTable *t, u32 id) {
    u32 chunk = chunk_of(id);
    return &atomic_load_explicit(&t->chunks[chunk], memory_order_acquire)[id - chunk_start(chunk)];
}

const DefType *wr_types_get(const TypeTable *table, u32 id) { return *entry(table, id); }

const DefType *wr_types_find(const TypeTable *table, u32 id) {
    if (id >= MAX_IDS) return NULL;
    u32 chunk = chunk_of(id);
    IdEntry *entries = atomic_load_explicit(&table->chunks[chunk], memory_order_acquire);
    return entries ? entries[id - chunk_start(chunk)] : NULL;
}

/* Makes room for `count` more ids beyond the free ones. */
static bool reserve_ids(TypeTable *t, u32 count) {
    u32 fresh = count > t->nfree ? count - t->nfree : 0;
    u64 last = (u64)t->next_id + fresh;
    if (last > MAX_IDS) return false;
    if (!wr_grow_array(t->alloc, &t->free_ids, &t->cap_free, last, MAX_IDS, sizeof(u32)))
        return false;
    for (u32 k = 0; k < ID_CHUNKS && chunk_start(k) < last; k++) {
        if (atomic_load_explicit(&t->chunks[k], memory_order_relaxed) != NULL) continue;
        IdEntry *chunk = wr_alloc_array(t->alloc, chunk_count(k), sizeof *chunk);
        if (chunk == NULL) return false;
        atomic_store_explicit(&t->chunks[k], chunk, memory_order_release);
    }
    return true;
}

static u32 take_id(TypeTable *t) { return t->nfree > 0 ? t->free_ids[--t->nfree] : t->next_id++; }

/* ---- keys ---- */

static u64 key_words(const TypeDesc *descs, u32 count) {
    u64 words = 0;
    for (u32 i = 0; i < count; i++)
        words += 5 + (u64)descs[i].nparams + descs[i].nresults + 2 * (u64)descs[i].nfields +
                 (descs[i].descriptor != NONE_U32) + (descs[i].describes != NONE_U32);
    return words;
}

static void write_key(u32 *key, const TypeDesc *descs, u32 count) {
    for (u32 i = 0; i < count; i++) {
        const TypeDesc *d = &descs[i];
        u32 ntypes = d->nparams + d->nresults;
        bool has_descriptor = d->descriptor != NONE_U32, describes = d->describes != NONE_U32;
        *key++ =
            (u32)d->comp | (u32)d->final << 8 | (u32)has_descriptor << 9 | (u32)describes << 10;
        if (has_descriptor) *key++ = d->descriptor;
        if (describes) *key++ = d->describes;
        *key++ = d->super;
        *key++ = d->nparams;
        *key++ = d->nresults;
        *key++ = d->nfields;
        for (u32 k = 0; k < ntypes; k++) *key++ = d->types[k];
        for (u32 k = 0; k < d->nfields; k++) {
            *key++ = d->fields[k].type;
            *key++ = d->fields[k].mutable;
        }
    }
}

static u64 mix(u64 x) {
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93u;
    x ^= x >> 29;
    return x;
}

static u64 hash_key(u64 seed, const u32 *key, u32 n) {
    u64 hash = seed ^ n;
    for (u32 i = 0; i < n; i++) hash = mix(hash + key[i]) + seed;
    return mix(hash);
}

static RecGroup *find_group(const TypeTable *t, u64 hash, const u32 *key, u32 nkey) {
    if (t->nbuckets == 0) return NULL;
    for (RecGroup *g = t->buckets[hash & (t->nbuckets - 1)]; g != NULL; g = g->next)
        if (g->hash == hash && g->nkey == nkey && memcmp(g->key, key, nkey * sizeof *key) == 0)
            return g;
    return NULL;
}

static bool grow_buckets(TypeTable *t) {
    if (t->ngroups < t->nbuckets) return true;
    u32 n = t->nbuckets == 0 ? 64 : t->nbuckets * 2;
    RecGroup **buckets = wr_alloc_array(t->alloc, n, sizeof(RecGroup *));
    if (buckets == NULL) return false;
    for (u32 i = 0; i < t->nbuckets; i++) {
        for (RecGroup *g = t->buckets[i], *next; g != NULL; g = next) {
            next = g->next;
            g->next = buckets[g->hash & (n - 1)];
            buckets[g->hash & (n - 1)] = g;
        }
    }
    wr_free(t->alloc, t->buckets, t->nbuckets * sizeof(RecGroup *));
    t->buckets = buckets;
    t->nbuckets = n;
    return true;
}

/* ---- making a group ---- */

/* What is left of the group's block while its parts are laid out: pointers first, words behind. */
typedef struct Layout {
    const DefType **pointers;
    FieldType *fields;
    u32 *words;
} Layout;

static u32 depth_of(const TypeTable *t, const TypeDesc *descs, u32 i) {
    u32 depth = 0;
    while (descs[i].super != NONE_U32) {
        u32 super = heap_type_id(descs[i].super);
        depth++;
        if (super < REC_LOCAL) return depth + wr_types_get(t, super)->depth;
        ASSERT(super - REC_LOCAL < i);
        i = super - REC_LOCAL;
    }
    return depth;
}

static HeapType resolve_heap(const RecGroup *g, HeapType heap) {
    if (!heap_is_defined(heap) || heap_type_id(heap) < REC_LOCAL) return heap;
    return (HEAP_DEFINED + g->members[heap_type_id(heap) - REC_LOCAL].id) | (heap & HEAP_EXACT);
}

static ValType resolve(const RecGroup *g, ValType t) {
    if (!type_is_ref(t)) return t;
    return T_REF(resolve_heap(g, type_heap(t)), type_is_nullable(t));
}

static void fill_super(const TypeTable *t, DefType *def, const TypeDesc *desc, Layout *l) {
    const DefType **display = l->pointers;
    if (desc->super != NONE_U32) {
        def->super = wr_types_get(t, heap_type_id(resolve_heap(def->group, desc->super)));
        def->depth = def->super->depth + 1;
        memcpy(display, def->super->display, def->depth * sizeof *display);
    }
    display[def->depth] = def;
    def->display = display;
    l->pointers += def->depth + 1;
}

static void fill_descriptors(DefType *def, const TypeDesc *desc) {
    const DefType *members = def->group->members;
    if (desc->descriptor != NONE_U32) def->descriptor = &members[desc->descriptor];
    if (desc->describes != NONE_U32) def->describes = &members[desc->describes];
}

static void fill_parts(DefType *def, const TypeDesc *desc, Layout *l) {
    u32 ntypes = desc->nparams + desc->nresults;
    def->types = l->words;
    for (u32 i = 0; i < ntypes; i++) {
        ValType type = resolve(def->group, desc->types[i]);
        *l->words++ = type;
        if (i < desc->nparams)
            def->param_slots += type_slots(type);
        else
            def->result_slots += type_slots(type);
    }
    def->fields = l->fields;
    for (u32 i = 0; i < desc->nfields; i++)
        *l->fields++ =
            (FieldType){resolve(def->group, desc->fields[i].type), desc->fields[i].mutable};
    while (def->first_required < def->nfields &&
           type_is_defaultable(def->fields[def->first_required].type))
        def->first_required++;
}

/* ---- layout of objects ---- */

static Place width_of(ValType t) {
    switch ((unsigned)type_kind(t)) {
    case VK_I8: return PLACE_8;
    case VK_I16: return PLACE_16;
    case VK_I64:
    case VK_F64: return PLACE_64;
    case VK_V128: return PLACE_128;
    default: return PLACE_32;
    }
}

/* In the order of declaration, so that a subtype's layout begins with its supertype's; nothing is
 * aligned to more than 4 bytes, which the header has. Either both are descriptors or neither is. */
static void place_fields(const TypeTable *t, DefType *def, u32 *places, u32 *refs) {
    u32 header = def->describes != NULL ? DESCRIPTOR_HEADER : OBJECT_HEADER, offset = header;
    bool is_words = def->comp == COMP_STRUCT;
    for (u32 i = 0; i < def->nfields; i++) {
        ValType type = def->fields[i].type;
        Place width = width_of(type);
        u32 align = min_u32(1u << width, 4) - 1;
        if (def->comp == COMP_ARRAY) offset = ARRAY_HEADER;
        offset = (offset + align) & ~align;
        places[i] = offset << 3 | width;
        if (wr_type_in_heap(t, type)) refs[def->nrefs++] = offset;
        if (width != PLACE_32) is_words = false;
        offset += 1u << width;
    }
    def->object_size = def->comp == COMP_ARRAY ? ARRAY_HEADER : offset;
    def->first_word = is_words ? (u8)header : 0;
    bool is_small = is_words && header == OBJECT_HEADER && offset <= HEAP_SMALL_MAX;
    def->word_class = (u8)(is_small ? heap_class(offset) : HEAP_LARGE);
}

static void find_param_refs(const TypeTable *t, DefType *def, u32 *refs) {
    for (u32 i = 0; i < def->nparams + def->nresults; i++)
        if (type_is_ref(def->types[i])) def->has_refs = true;
    for (u32 i = 0, slot = 0; i < def->nparams; slot += type_slots(def->types[i++]))
        if (wr_type_in_heap(t, def->types[i])) refs[def->nrefs++] = slot;
}

static void fill_layout(const TypeTable *t, DefType *def, Layout *l) {
    u32 *places = l->words, *refs = places + def->nfields;
    l->words = refs + (def->comp == COMP_FUNC ? def->nparams : def->nfields);
    def->places = places;
    def->refs = refs;
    if (def->comp == COMP_FUNC)
        find_param_refs(t, def, refs);
    else
        place_fields(t, def, places, refs);
}

static RecGroup *new_group(TypeTable *t, const TypeDesc *descs, u32 count, const u32 *key,
                           u32 nkey) {
    u64 npointers = 0, nfields = 0, nwords = nkey;
    for (u32 i = 0; i < count; i++) {
        npointers += depth_of(t, descs, i) + 1;
        nfields += descs[i].nfields;
        nwords += 2 * (u64)descs[i].nparams + descs[i].nresults + 2 * (u64)descs[i].nfields;
    }
    u64 size = sizeof(RecGroup) + count * sizeof(DefType) + npointers * sizeof(DefType *) +
               nfields * sizeof(FieldType) + nwords * sizeof(u32);
    if (size > SIZE_MAX || !reserve_ids(t, count) || !grow_buckets(t)) return NULL;
    RecGroup *g = wr_alloc_zero(t->alloc, (size_t)size);
    if (g == NULL) return NULL;
    g->size = (size_t)size;
    g->count = count;
    g->members = (DefType *)(g + 1);
    Layout l = {.pointers = (const DefType **)(g->members + count)};
    l.fields = (FieldType *)(l.pointers + npointers);
    l.words = (u32 *)(l.fields + nfields);
    g->key = l.words;
    g->nkey = nkey;
    memcpy(l.words, key, nkey * sizeof *key);
    l.words += nkey;
    for (u32 i = 0; i < count; i++) {
        const TypeDesc *d = &descs[i];
        u32 id = take_id(t);
        g->members[i] = (DefType){.id = id,
                                  .header = object_header(id),
                                  .comp = d->comp,
                                  .final = d->final,
                                  .group = g,
                                  .nparams = d->nparams,
                                  .nresults = d->nresults,
                                  .nfields = d->nfields};
        *entry(t, id) = &g->members[i];
    }
    for (u32 i = 0; i < count; i++) {
        fill_super(t, &g->members[i], &descs[i], &l);
        fill_descriptors(&g->members[i], &descs[i]);
        fill_parts(&g->members[i], &descs[i], &l);
        fill_layout(t, &g->members[i], &l);
    }
    return g;
}

/* ---- references between groups ---- */

/* The group of a heap type that g's members name, unless it is abstract or g itself. */
static RecGroup *foreign_group(const TypeTable *t, const RecGroup *g, HeapType heap) {
    if (!heap_is_defined(heap)) return NULL;
    RecGroup *other = wr_types_get(t, heap_type_id(heap))->group;
    return other == g ? NULL : other;
}

/* One place names `other`, or no longer does: then a group without references joins `*dying`. */
static void adjust(RecGroup *other, bool named, RecGroup **dying) {
    if (other == NULL) return;
    if (named) {
        other->refs++;
    } else if (--other->refs == 0) {
        other->next_dying = *dying;
        *dying = other;
    }
}

static void adjust_type(const TypeTable *t, const RecGroup *g, ValType type, bool named,
                        RecGroup **dying) {
    if (type_is_ref(type)) adjust(foreign_group(t, g, type_heap(type)), named, dying);
}

/* Counts the references of g's members on other groups in, or out. */
static void adjust_references(const TypeTable *t, const RecGroup *g, bool named, RecGroup **dying) {
    for (u32 i = 0; i < g->count; i++) {
        const DefType *d = &g->members[i];
        if (d->super != NULL && d->super->group != g) adjust(d->super->group, named, dying);
        for (u32 k = 0; k < d->nparams + d->nresults; k++)
            adjust_type(t, g, d->types[k], named, dying);
        for (u32 k = 0; k < d->nfields; k++) adjust_type(t, g, d->fields[k].type, named, dying);
    }
}

/* ---- the table ---- */

TypeTable *wr_types_new(const Alloc *alloc) {
    TypeTable *t = wr_alloc_zero(alloc, sizeof *t);
    if (t == NULL) return NULL;
    t->alloc = alloc;
    t->seed = mix((u64)(uintptr_t)t ^ wr_os_now()) | 1;
    wr_os_mutex_init(&t->lock);
    return t;
}

void wr_types_delete(TypeTable *table) {
    if (table == NULL) return;
    const Alloc *alloc = table->alloc;
    for (u32 i = 0; i < table->nbuckets; i++) {
        for (RecGroup *g = table->buckets[i], *next; g != NULL; g = next) {
            next = g->next;
            wr_free(alloc, g, g->size);
        }
    }
    for (u32 k = 0; k < ID_CHUNKS; k++)
        wr_free(alloc, atomic_load_explicit(&table->chunks[k], memory_order_relaxed),
                chunk_count(k) * sizeof(IdEntry));
    wr_free(alloc, table->buckets, table->nbuckets * sizeof(RecGroup *));
    wr_free(alloc, table->free_ids, table->cap_free * sizeof(u32));
    wr_os_mutex_destroy(&table->lock);
    wr_free(alloc, table, sizeof *table);
}

static RecGroup *intern_locked(TypeTable *t, const TypeDesc *descs, u32 count, const u32 *key,
                               u32 nkey) {
    u64 hash = hash_key(t->seed, key, nkey);
    RecGroup *g = find_group(t, hash, key, nkey);
    if (g == NULL) {
        g = new_group(t, descs, count, key, nkey);
        if (g == NULL) return NULL;
        g->hash = hash;
        g->next = t->buckets[hash & (t->nbuckets - 1)];
        t->buckets[hash & (t->nbuckets - 1)] = g;
        t->ngroups++;
        adjust_references(t, g, true, NULL);
    }
    g->refs++;
    return g;
}

RecGroup *wr_types_intern(TypeTable *table, const TypeDesc *descs, u32 count, const DefType **out) {
    u64 words = key_words(descs, count);
    if (words > UINT32_MAX / sizeof(u32)) return NULL;
    u32 small[64];
    size_t size = (size_t)words * sizeof(u32);
    u32 *key = size <= sizeof small ? small : wr_alloc(table->alloc, size);
    if (key == NULL) return NULL;
    write_key(key, descs, count);
    wr_os_mutex_lock(&table->lock);
    RecGroup *g = intern_locked(table, descs, count, key, (u32)words);
    wr_os_mutex_unlock(&table->lock);
    if (key != small) wr_free(table->alloc, key, size);
    for (u32 i = 0; g != NULL && i < count; i++) out[i] = &g->members[i];
    return g;
}

void wr_types_release(TypeTable *table, RecGroup *group) {
    if (group == NULL) return;
    RecGroup *dying = NULL;
    wr_os_mutex_lock(&table->lock);
    adjust(group, false, &dying);
    while (dying != NULL) { /* a list, not recursion: chains of groups are as long as modules say */
        RecGroup *g = dying;
        dying = g->next_dying;
        RecGroup **link = &table->buckets[g->hash & (table->nbuckets - 1)];
        while (*link != g) link = &(*link)->next;
        *link = g->next;
        table->ngroups--;
        adjust_references(table, g, false, &dying);
        for (u32 i = 0; i < g->count; i++) {
            *entry(table, g->members[i].id) = NULL;
            table->free_ids[table->nfree++] = g->members[i].id;
        }
        wr_free(table->alloc, g, g->size);
    }
    wr_os_mutex_unlock(&table->lock);
}

const DefType *wr_types_intern_func(TypeTable *table, const ValType *types, u32 nparams,
                                    u32 nresults, RecGroup **group) {
    TypeDesc desc = {.comp = COMP_FUNC,
                     .final = true,
                     .super = NONE_U32,
                     .descriptor = NONE_U32,
                     .describes = NONE_U32,
                     .nparams = nparams,
                     .nresults = nresults,
                     .types = types};
    const DefType *def = NULL;
    *group = wr_types_intern(table, &desc, 1, &def);
    return def;
}

/* ---- matching (spec: valid/matching) ---- */

#define BIT(heap) (1u << HEAP_##heap)
/* The abstract heap types at or above each abstract one. */
static const u16 above[HEAP_DEFINED] = {
    [HEAP_FUNC] = BIT(FUNC),
    [HEAP_EXTERN] = BIT(EXTERN),
    [HEAP_ANY] = BIT(ANY),
    [HEAP_EQ] = BIT(EQ) | BIT(ANY),
    [HEAP_I31] = BIT(I31) | BIT(EQ) | BIT(ANY),
    [HEAP_STRUCT] = BIT(STRUCT) | BIT(EQ) | BIT(ANY),
    [HEAP_ARRAY] = BIT(ARRAY) | BIT(EQ) | BIT(ANY),
    [HEAP_EXN] = BIT(EXN),
    [HEAP_NONE] = BIT(NONE) | BIT(I31) | BIT(STRUCT) | BIT(ARRAY) | BIT(EQ) | BIT(ANY),
    [HEAP_NOFUNC] = BIT(NOFUNC) | BIT(FUNC),
    [HEAP_NOEXTERN] = BIT(NOEXTERN) | BIT(EXTERN),
    [HEAP_NOEXN] = BIT(NOEXN) | BIT(EXN),
    [HEAP_BOT] = 0xFFFF,
};

static HeapKind heap_of_comp(u8 comp) {
    return comp == COMP_FUNC ? HEAP_FUNC : comp == COMP_STRUCT ? HEAP_STRUCT : HEAP_ARRAY;
}

bool wr_heap_matches(const TypeTable *table, HeapType sub, HeapType super) {
    if (sub == super || sub == HEAP_BOT) return true;
    if (heap_is_defined(super)) {
        const DefType *sup = wr_types_get(table, heap_type_id(super));
        if (!heap_is_defined(sub))
            return sub == (HeapType)(sup->comp == COMP_FUNC ? HEAP_NOFUNC : HEAP_NONE);
        return !heap_is_exact(super) && def_is_subtype(wr_types_get(table, heap_type_id(sub)), sup);
    }
    if (heap_is_defined(sub)) sub = heap_of_comp(wr_types_get(table, heap_type_id(sub))->comp);
    return above[sub] >> super & 1;
}

/* What a subtype may have, or lack, beside its heap type: asked first, because what instructions give is
 * exact and not null, and what is wanted is seldom either. */
#define EXACT_BIT (T_REF(HEAP_EXACT, 0) & ~(ValType)VK_REF)
#define NULLABLE_BIT (T_REF(0, 1) & ~(ValType)VK_REF)

bool wr_type_matches_slow(const TypeTable *table, ValType sub, ValType super) {
    if (sub == super || sub == T_BOT) return true;
    if (!type_is_ref(sub) || !type_is_ref(super)) return false;
    if ((sub & ~EXACT_BIT) == super || ((sub & ~EXACT_BIT) | NULLABLE_BIT) == super) return true;
    if (type_is_nullable(sub) && !type_is_nullable(super)) return false;
    return wr_heap_matches(table, type_heap(sub), type_heap(super));
}

bool wr_type_in_heap(const TypeTable *table, ValType type) {
    return type_is_ref(type) && !wr_heap_matches(table, type_heap(type), HEAP_FUNC);
}

static bool field_matches(const TypeTable *table, FieldType sub, FieldType super) {
    if (sub.mutable != super.mutable) return false;
    return super.mutable ? sub.type == super.type : wr_type_matches(table, sub.type, super.type);
}

static bool func_matches(const TypeTable *table, const DefType *sub, const DefType *super) {
    if (sub->nparams != super->nparams || sub->nresults != super->nresults) return false;
    for (u32 i = 0; i < sub->nparams; i++)
        if (!wr_type_matches(table, super->types[i], sub->types[i])) return false;
    for (u32 i = sub->nparams; i < sub->nparams + sub->nresults; i++)
        if (!wr_type_matches(table, sub->types[i], super->types[i])) return false;
    return true;
}

/* A descriptor's subtypes are descriptors and no others are; what has no descriptor may have a subtype
 * that does. */
static bool descriptors_match(const DefType *sub, const DefType *super) {
    if ((sub->describes == NULL) != (super->describes == NULL)) return false;
    if (sub->describes != NULL && !def_is_subtype(sub->describes, super->describes)) return false;
    return super->descriptor == NULL ||
           (sub->descriptor != NULL && def_is_subtype(sub->descriptor, super->descriptor));
}

bool wr_def_matches(const TypeTable *table, const DefType *sub, const DefType *super) {
    if (!descriptors_match(sub, super)) return false;
    if (sub->comp != super->comp || sub->nfields < super->nfields) return false;
    if (sub->comp == COMP_FUNC) return func_matches(table, sub, super);
    for (u32 i = 0; i < super->nfields; i++)
        if (!field_matches(table, sub->fields[i], super->fields[i])) return false;
    return true;
}

/* ---- text ---- */

static const char *const heap_names[HEAP_DEFINED] = {
    [HEAP_FUNC] = "func",     [HEAP_EXTERN] = "extern",     [HEAP_ANY] = "any",
    [HEAP_EQ] = "eq",         [HEAP_I31] = "i31",           [HEAP_STRUCT] = "struct",
    [HEAP_ARRAY] = "array",   [HEAP_EXN] = "exn",           [HEAP_NONE] = "none",
    [HEAP_NOFUNC] = "nofunc", [HEAP_NOEXTERN] = "noextern", [HEAP_NOEXN] = "noexn",
    [HEAP_BOT] = "bot",
};

static const char *const kind_names[] = {
    [VK_BOT] = "bot",   [VK_I32] = "i32", [VK_I64] = "i64", [VK_F32] = "f32", [VK_F64] = "f64",
    [VK_V128] = "v128", [VK_REF] = "ref", [VK_I8] = "i8",   [VK_I16] = "i16",
};

void wr_type_print(ValType t, char *buffer, size_t size) {
    HeapType heap = type_heap(t);
    if (!type_is_ref(t))
        (void)snprintf(buffer, size, "%s", kind_names[type_kind(t)]);
    else if (heap_is_defined(heap))
        wr_type_print_ref(t, heap_type_id(heap), buffer, size);
    else
        (void)snprintf(buffer, size, "(ref %s%s)", type_is_nullable(t) ? "null " : "",
                       heap_names[heap]);
}

void wr_type_print_ref(ValType t, u32 index, char *buffer, size_t size) {
    const char *format = heap_is_exact(type_heap(t)) ? "(ref %s(exact %u))" : "(ref %s%u)";
    (void)snprintf(buffer, size, format, type_is_nullable(t) ? "null " : "", (unsigned)index);
}
