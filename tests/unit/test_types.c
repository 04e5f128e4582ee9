/* Canonical types: hash-consing of recursion groups, their lives, matching. */
#include <criterion/criterion.h>

#include "os.h"
#include "types.h"

#define LOCAL(position) (HEAP_DEFINED + REC_LOCAL + (position))
#define DEFINED(def) (HEAP_DEFINED + (def)->id)

static TypeDesc func_type(const ValType *types, u32 nparams, u32 nresults) {
    return (TypeDesc){.comp = COMP_FUNC,
                      .final = true,
                      .super = NONE_U32,
                      .descriptor = NONE_U32,
                      .describes = NONE_U32,
                      .nparams = nparams,
                      .nresults = nresults,
                      .types = types};
}

static TypeDesc struct_type(HeapType super, const FieldType *fields, u32 nfields) {
    return (TypeDesc){.comp = COMP_STRUCT,
                      .super = super,
                      .descriptor = NONE_U32,
                      .describes = NONE_U32,
                      .nfields = nfields,
                      .fields = fields};
}

/* Interns a group of one. */
static const DefType *intern(TypeTable *t, TypeDesc desc, RecGroup **group) {
    const DefType *def = NULL;
    *group = wr_types_intern(t, &desc, 1, &def);
    cr_assert_not_null(*group);
    return def;
}

Test(types, equal_groups_are_one) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    const ValType types[] = {T_I32, T_V128, T_I64};
    RecGroup *a, *b, *c, *d;
    const DefType *first = intern(t, func_type(types, 2, 1), &a);
    cr_assert_eq(first, intern(t, func_type(types, 2, 1), &b));
    cr_assert_eq(a, b);
    const DefType *other = intern(t, func_type(types, 1, 2), &c);
    cr_assert_neq(first, other);
    TypeDesc open = func_type(types, 2, 1);
    open.final = false;
    cr_assert_neq(first, intern(t, open, &d));
    cr_assert_eq(wr_types_get(t, first->id), first);
    cr_assert(first->nparams == 2 && first->nresults == 1 && first->param_slots == 3);
    cr_assert(other->param_slots == 1 && other->result_slots == 3);
    wr_types_release(t, a);
    wr_types_release(t, b);
    wr_types_release(t, c);
    wr_types_release(t, d);
    wr_types_delete(t);
}

/* (rec (type $a (struct (ref $b))) (type $b (struct (ref null $a)))) and variations */
Test(types, recursion_is_by_position) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    FieldType to_b = {T_REF(LOCAL(1), 0), false}, to_a = {T_REF(LOCAL(0), 1), false};
    TypeDesc group[] = {struct_type(NONE_U32, &to_b, 1), struct_type(NONE_U32, &to_a, 1)};
    const DefType *x[2], *y[2], *swapped[2];
    RecGroup *first = wr_types_intern(t, group, 2, x), *same = wr_types_intern(t, group, 2, y);
    cr_assert(first == same && x[0] == y[0] && x[1] == y[1] && x[0] != x[1]);
    cr_assert_eq(x[0]->fields[0].type, T_REF(DEFINED(x[1]), 0));
    cr_assert_eq(x[1]->fields[0].type, T_REF(DEFINED(x[0]), 1));
    TypeDesc other_way[] = {group[1], group[0]};
    RecGroup *second = wr_types_intern(t, other_way, 2, swapped);
    cr_assert_neq(first, second);

    /* a group that names the unrolled members from outside is another type again */
    FieldType outside = {T_REF(DEFINED(x[1]), 0), false};
    RecGroup *third;
    cr_assert_neq(intern(t, struct_type(NONE_U32, &outside, 1), &third), x[0]);
    wr_types_release(t, first);
    wr_types_release(t, same);
    cr_assert_eq(wr_types_get(t, x[0]->id), x[0], "the third group still names it");
    wr_types_release(t, second);
    wr_types_release(t, third);
    wr_types_delete(t);
}

Test(types, ids_come_back) {
    FailAlloc state = {0};
    Alloc a = wr_alloc_failing(&state);
    TypeTable *t = wr_types_new(&a);
    u32 highest = 0;
    i64 live = 0;
    for (u32 round = 0; round < 50; round++) {
        RecGroup *groups[200];
        for (u32 i = 0; i < 200; i++) { /* each names the one before */
            FieldType field = {T_I32, round % 2 == 0};
            if (i > 0) field.type = T_REF(HEAP_DEFINED + highest, 1);
            highest = intern(t, struct_type(NONE_U32, &field, 1), &groups[i])->id;
        }
        for (u32 i = 0; i < 199; i++) wr_types_release(t, groups[i]);
        cr_assert_lt(highest, 200u);
        cr_assert_not_null(wr_types_get(t, highest));
        wr_types_release(t, groups[199]); /* and all with it */
        cr_assert_null(wr_types_get(t, highest));
        if (round == 0) live = state.live_bytes;
        cr_assert_eq(state.live_bytes, live);
    }
    wr_types_delete(t);
    cr_assert_eq(state.live_bytes, 0);
}

Test(types, many) {
    enum { N = 20000 };
    TypeTable *t = wr_types_new(&wr_alloc_system);
    static RecGroup *groups[N];
    static const DefType *defs[N];
    ValType types[16];
    for (u32 i = 0; i < N; i++) {
        for (u32 k = 0; k < 16; k++) types[k] = i >> k & 1 ? T_I32 : T_F64;
        defs[i] = intern(t, func_type(types, 16, 0), &groups[i]);
    }
    for (u32 i = 0; i < N; i++) {
        cr_assert_eq(wr_types_get(t, defs[i]->id), defs[i]);
        for (u32 k = 0; k < 16; k++) cr_assert_eq(defs[i]->types[k], i >> k & 1 ? T_I32 : T_F64);
    }
    for (u32 i = 0; i < N; i++) wr_types_release(t, groups[i]);
    wr_types_delete(t);
}

Test(types, displays) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    TypeDesc chain[4];
    const DefType *d[4], *e;
    chain[0] = struct_type(NONE_U32, NULL, 0);
    for (u32 i = 1; i < 4; i++) chain[i] = struct_type(LOCAL(i - 1), NULL, 0);
    RecGroup *group = wr_types_intern(t, chain, 4, d), *single;
    e = intern(t, struct_type(DEFINED(d[1]), NULL, 0), &single);
    for (u32 i = 0; i < 4; i++) {
        cr_assert_eq(d[i]->depth, i);
        for (u32 k = 0; k < 4; k++) cr_assert_eq(def_is_subtype(d[i], d[k]), k <= i);
    }
    cr_assert(e->depth == 2 && e->super == d[1] && e->display[0] == d[0]);
    cr_assert(def_is_subtype(e, d[1]) && !def_is_subtype(e, d[2]) && !def_is_subtype(d[3], e));
    wr_types_release(t, group);
    wr_types_release(t, single);
    wr_types_delete(t);
}

Test(types, survive_failures) {
    FailAlloc state = {0};
    Alloc a = wr_alloc_failing(&state);
    TypeTable *t = wr_types_new(&a);
    ValType types[100];
    for (u32 i = 0; i < 100; i++) types[i] = T_I64;
    for (u32 round = 0; round < 200; round++) {
        RecGroup *group = NULL;
        for (size_t nth = 1; group == NULL; nth++) {
            state.calls = 0;
            state.fail_at = nth;
            const DefType *def = wr_types_intern_func(t, types, round % 100, round / 100, &group);
            cr_assert_eq(def == NULL, group == NULL);
            cr_assert_lt(nth, 10u);
        }
    }
    wr_types_delete(t); /* with all the groups still referenced */
    cr_assert_eq(state.live_bytes, 0);
}

typedef struct Race {
    TypeTable *table;
    u64 wrong;
} Race;

static void intern_and_release(void *context) {
    Race *race = context;
    for (u32 i = 0; i < 3000; i++) {
        ValType types[2] = {T_I32 + i % 4, T_I32 + i / 4 % 4};
        RecGroup *a, *b;
        const DefType *x = wr_types_intern_func(race->table, types, 2, 0, &a);
        const DefType *y = wr_types_intern_func(race->table, types, 2, 0, &b);
        race->wrong += x != y || wr_types_get(race->table, x->id) != x || x->types[1] != types[1];
        wr_types_release(race->table, a);
        wr_types_release(race->table, b);
    }
}

Test(types, threads_share_the_table) {
    Race races[3] = {{wr_types_new(&wr_alloc_system), 0}};
    OsThread *threads[3];
    for (int i = 0; i < 3; i++) {
        races[i].table = races[0].table;
        threads[i] = wr_os_thread_start(intern_and_release, &races[i]);
        cr_assert_not_null(threads[i]);
    }
    for (int i = 0; i < 3; i++) wr_os_thread_join(threads[i]);
    for (int i = 0; i < 3; i++) cr_assert_eq(races[i].wrong, 0u);
    wr_types_delete(races[0].table);
}

/* ---- matching ---- */

/* One row a heap type: those it matches, itself left out. */
static const struct {
    HeapType sub;
    u32 supers;
} hierarchy[] = {
    {HEAP_FUNC, 0},
    {HEAP_EXTERN, 0},
    {HEAP_ANY, 0},
    {HEAP_EQ, 1u << HEAP_ANY},
    {HEAP_I31, 1u << HEAP_ANY | 1u << HEAP_EQ},
    {HEAP_STRUCT, 1u << HEAP_ANY | 1u << HEAP_EQ},
    {HEAP_ARRAY, 1u << HEAP_ANY | 1u << HEAP_EQ},
    {HEAP_EXN, 0},
    {HEAP_NONE,
     1u << HEAP_ANY | 1u << HEAP_EQ | 1u << HEAP_I31 | 1u << HEAP_STRUCT | 1u << HEAP_ARRAY},
    {HEAP_NOFUNC, 1u << HEAP_FUNC},
    {HEAP_NOEXTERN, 1u << HEAP_EXTERN},
    {HEAP_NOEXN, 1u << HEAP_EXN},
    {HEAP_BOT, 0xFFFF},
};

Test(types, abstract_heap_types_match) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    for (size_t i = 0; i < ARRAY_LEN(hierarchy); i++) {
        HeapType sub = hierarchy[i].sub;
        for (HeapType super = 0; super <= HEAP_BOT; super++) {
            bool expected = sub == super || (hierarchy[i].supers >> super & 1);
            cr_assert_eq(wr_heap_matches(t, sub, super), expected, "%u %u", sub, super);
            for (u32 nulls = 0; nulls < 4; nulls++)
                cr_assert_eq(wr_type_matches(t, T_REF(sub, nulls & 1), T_REF(super, nulls >> 1)),
                             expected && nulls != 1);
        }
    }
    wr_types_delete(t);
}

Test(types, defined_types_match) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    RecGroup *groups[4];
    const DefType *base = intern(t, struct_type(NONE_U32, NULL, 0), &groups[0]);
    const DefType *derived = intern(t, struct_type(DEFINED(base), NULL, 0), &groups[1]);
    const DefType *func = intern(t, func_type(NULL, 0, 0), &groups[2]);
    FieldType byte = {VK_I8, true};
    TypeDesc bytes = struct_type(NONE_U32, &byte, 1);
    bytes.comp = COMP_ARRAY;
    const DefType *array = intern(t, bytes, &groups[3]);
    HeapType b = DEFINED(base), d = DEFINED(derived), f = DEFINED(func), a = DEFINED(array);
    cr_assert(wr_heap_matches(t, d, b) && !wr_heap_matches(t, b, d));
    cr_assert(wr_heap_matches(t, d, HEAP_STRUCT) && wr_heap_matches(t, d, HEAP_EQ));
    cr_assert(wr_heap_matches(t, a, HEAP_ARRAY) && !wr_heap_matches(t, a, HEAP_STRUCT));
    cr_assert(wr_heap_matches(t, f, HEAP_FUNC) && !wr_heap_matches(t, f, HEAP_ANY));
    cr_assert(wr_heap_matches(t, HEAP_NONE, d) && wr_heap_matches(t, HEAP_NONE, a));
    cr_assert(wr_heap_matches(t, HEAP_NOFUNC, f) && !wr_heap_matches(t, HEAP_NONE, f));
    cr_assert(wr_heap_matches(t, HEAP_BOT, f) && !wr_heap_matches(t, HEAP_STRUCT, b));
    cr_assert(wr_type_matches(t, T_BOT, T_I32) && wr_type_matches(t, T_BOT, T_REF(d, 0)));
    cr_assert(wr_type_matches(t, T_REF(d, 0), T_REF(b, 1)));
    cr_assert_not(wr_type_matches(t, T_REF(d, 1), T_REF(b, 0)));
    cr_assert_not(wr_type_matches(t, T_I32, T_I64));
    cr_assert_not(wr_type_matches(t, T_I32, T_FUNCREF));
    cr_assert_not(wr_type_matches(t, T_FUNCREF, T_I32));
    cr_assert_not(wr_type_matches(t, T_I32, T_BOT));
    for (int i = 0; i < 4; i++) wr_types_release(t, groups[i]);
    wr_types_delete(t);
}

Test(types, composite_types_match) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    const ValType any = T_REF(HEAP_ANY, 1), eq = T_REF(HEAP_EQ, 1);
    const ValType wide_in[] = {any, eq}, narrow_in[] = {eq, any};
    const FieldType one[] = {{any, false}}, more[] = {{eq, false}, {T_I32, true}},
                    var[] = {{any, true}}, var_sub[] = {{eq, true}};
    RecGroup *g[6];
    const DefType *sub = intern(t, func_type(wide_in, 1, 1), &g[0]);
    const DefType *super = intern(t, func_type(narrow_in, 1, 1), &g[1]);
    cr_assert(wr_def_matches(t, sub, super) && !wr_def_matches(t, super, sub));
    const DefType *s1 = intern(t, struct_type(NONE_U32, one, 1), &g[2]);
    const DefType *s2 = intern(t, struct_type(NONE_U32, more, 2), &g[3]);
    const DefType *v1 = intern(t, struct_type(NONE_U32, var, 1), &g[4]);
    const DefType *v2 = intern(t, struct_type(NONE_U32, var_sub, 1), &g[5]);
    cr_assert(wr_def_matches(t, s2, s1) && !wr_def_matches(t, s1, s2));
    cr_assert(wr_def_matches(t, v1, v1) && !wr_def_matches(t, v2, v1));
    cr_assert(!wr_def_matches(t, v1, s1) && !wr_def_matches(t, s1, v1));
    cr_assert_not(wr_def_matches(t, s1, sub));
    for (int i = 0; i < 6; i++) wr_types_release(t, g[i]);
    wr_types_delete(t);
}

/* Both by position; NONE_U32: no such clause. */
static TypeDesc described(TypeDesc desc, u32 descriptor, u32 describes) {
    desc.descriptor = descriptor;
    desc.describes = describes;
    return desc;
}

/* (rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct))) and variations */
Test(types, descriptors_are_part_of_a_type) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    TypeDesc plain = struct_type(NONE_U32, NULL, 0);
    TypeDesc pair[] = {described(plain, 1, NONE_U32), described(plain, NONE_U32, 0)};
    TypeDesc none[] = {plain, plain};
    TypeDesc chain[] = {pair[0], described(plain, 2, 0), described(plain, NONE_U32, 1)};
    /* the same words in another order must not look the same: $c has what $a and $b have */
    TypeDesc crossed[] = {described(plain, 2, NONE_U32), described(plain, 3, NONE_U32),
                          described(plain, NONE_U32, 0), described(plain, NONE_U32, 1)};
    TypeDesc straight[] = {described(plain, 3, NONE_U32), described(plain, 2, NONE_U32),
                           described(plain, NONE_U32, 1), described(plain, NONE_U32, 0)};
    const DefType *a[2], *b[2], *c[2], *d[3], *e[4], *f[4];
    RecGroup *groups[] = {
        wr_types_intern(t, pair, 2, a),    wr_types_intern(t, pair, 2, b),
        wr_types_intern(t, none, 2, c),    wr_types_intern(t, chain, 3, d),
        wr_types_intern(t, crossed, 4, e), wr_types_intern(t, straight, 4, f),
    };
    cr_assert(groups[0] == groups[1] && groups[0] != groups[2] && groups[0] != groups[3]);
    cr_assert_neq(groups[4], groups[5]);
    cr_assert(a[0]->descriptor == a[1] && a[1]->describes == a[0]);
    cr_assert(a[0]->describes == NULL && a[1]->descriptor == NULL && c[0]->descriptor == NULL);
    cr_assert(d[1]->descriptor == d[2] && d[1]->describes == d[0]);
    cr_assert(e[0]->descriptor == e[2] && f[0]->descriptor == f[3] && f[3]->describes == f[0]);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) wr_types_release(t, groups[i]);
    wr_types_delete(t);
}

/* A descriptor has room for what it describes, before its fields; what it describes has not. */
Test(types, descriptors_are_laid_out) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    FieldType fields[] = {{T_I32, true}, {T_FUNCREF, false}, {T_I64, false}};
    TypeDesc words = struct_type(NONE_U32, fields, 2), mixed = struct_type(NONE_U32, fields, 3);
    TypeDesc group[] = {described(words, 1, NONE_U32), described(words, 2, 0),
                        described(mixed, NONE_U32, 1)};
    const DefType *x[3];
    RecGroup *g = wr_types_intern(t, group, 3, x);
    cr_assert(x[0]->first_word == 4 && x[0]->object_size == 12 && x[0]->places[1] >> 3 == 8);
    cr_assert(x[1]->first_word == 8 && x[1]->object_size == 16 && x[1]->places[1] >> 3 == 12);
    cr_assert(x[2]->first_word == 0 && x[2]->object_size == 24 && x[2]->places[2] >> 3 == 16);
    cr_assert(x[0]->header & x[1]->header & 1);
    cr_assert_eq(x[0]->header >> 1, x[0]->id);
    wr_types_release(t, g);
    wr_types_delete(t);
}

Test(types, descriptors_follow_subtyping) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    TypeDesc plain = struct_type(NONE_U32, NULL, 0);
    TypeDesc top[] = {described(plain, 1, NONE_U32), described(plain, NONE_U32, 0), plain};
    const DefType *x[3]; /* $a, its descriptor, and one without */
    RecGroup *g = wr_types_intern(t, top, 3, x);
    const struct {
        const DefType *described, *descriptor; /* the supertypes of the two */
        bool described_ok, descriptor_ok;
    } rows[] = {
        {x[0], x[1], true, true},  {x[2], NULL, true, true},  {x[0], NULL, false, true},
        {NULL, x[1], true, false}, {x[2], x[1], true, false}, {NULL, x[2], true, false},
        {x[2], x[2], true, false}, {x[1], NULL, false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        TypeDesc group[] = {described(plain, 1, NONE_U32), described(plain, NONE_U32, 0)};
        if (rows[i].described) group[0].super = DEFINED(rows[i].described);
        if (rows[i].descriptor) group[1].super = DEFINED(rows[i].descriptor);
        const DefType *y[2];
        RecGroup *sub = wr_types_intern(t, group, 2, y);
        cr_assert_eq(!y[0]->super || wr_def_matches(t, y[0], y[0]->super), rows[i].described_ok,
                     "row %zu", i);
        cr_assert_eq(!y[1]->super || wr_def_matches(t, y[1], y[1]->super), rows[i].descriptor_ok,
                     "row %zu", i);
        wr_types_release(t, sub);
    }
    RecGroup *undescribed;
    const DefType *z = intern(t, struct_type(DEFINED(x[0]), NULL, 0), &undescribed);
    cr_assert_not(wr_def_matches(t, z, x[0]), "what has a descriptor has subtypes that do");
    wr_types_release(t, undescribed);
    wr_types_release(t, g);
    wr_types_delete(t);
}

Test(types, exact_types_match) {
    TypeTable *t = wr_types_new(&wr_alloc_system);
    RecGroup *groups[4];
    const DefType *base = intern(t, struct_type(NONE_U32, NULL, 0), &groups[0]);
    const DefType *derived = intern(t, struct_type(DEFINED(base), NULL, 0), &groups[1]);
    const DefType *func = intern(t, func_type(NULL, 0, 0), &groups[2]);
    HeapType b = DEFINED(base), d = DEFINED(derived), f = DEFINED(func);
    HeapType eb = b | HEAP_EXACT, ed = d | HEAP_EXACT, ef = f | HEAP_EXACT;
    cr_assert(heap_is_exact(eb) && !heap_is_exact(b) && heap_is_defined(eb));
    cr_assert_eq(heap_type_id(eb), base->id);
    cr_assert_eq(type_heap(T_REF(eb, 1)), eb);
    cr_assert(wr_heap_matches(t, eb, eb) && wr_heap_matches(t, eb, b) && wr_heap_matches(t, ed, b));
    cr_assert(wr_heap_matches(t, ed, HEAP_STRUCT) && wr_heap_matches(t, ef, HEAP_FUNC));
    cr_assert(wr_heap_matches(t, HEAP_NONE, eb) && wr_heap_matches(t, HEAP_NOFUNC, ef));
    cr_assert(wr_heap_matches(t, HEAP_BOT, eb));
    cr_assert_not(wr_heap_matches(t, b, eb));
    cr_assert_not(wr_heap_matches(t, d, eb));
    cr_assert_not(wr_heap_matches(t, ed, eb));
    cr_assert_not(wr_heap_matches(t, eb, ed));
    cr_assert_not(wr_heap_matches(t, eb, d));
    cr_assert_not(wr_heap_matches(t, HEAP_NONE, ef));
    cr_assert_not(wr_heap_matches(t, HEAP_STRUCT, eb));
    cr_assert(wr_type_matches(t, T_REF(eb, 0), T_REF(b, 1)));
    cr_assert(wr_type_matches(t, T_REF(eb, 0), T_REF(eb, 1)));
    cr_assert(wr_type_matches(t, T_REF(eb, 1), T_REF(b, 1)));
    cr_assert_not(wr_type_matches(t, T_REF(eb, 1), T_REF(b, 0)));
    cr_assert_not(wr_type_matches(t, T_REF(eb, 1), T_REF(eb, 0)));
    cr_assert_not(wr_type_matches(t, T_REF(b, 0), T_REF(eb, 1)));
    cr_assert(wr_type_in_heap(t, T_REF(eb, 0)) && !wr_type_in_heap(t, T_REF(ef, 0)));

    /* exactness is part of a type's identity, and holds the group that it names */
    FieldType loose = {T_REF(b, 1), false}, exact = {T_REF(eb, 1), false};
    RecGroup *other;
    const DefType *holder = intern(t, struct_type(NONE_U32, &exact, 1), &groups[3]);
    cr_assert_neq(holder, intern(t, struct_type(NONE_U32, &loose, 1), &other));
    cr_assert_eq(holder->fields[0].type, exact.type);
    FieldType own = {T_REF(LOCAL(0) | HEAP_EXACT, 1), false};
    RecGroup *cycle;
    const DefType *itself = intern(t, struct_type(NONE_U32, &own, 1), &cycle);
    cr_assert_eq(itself->fields[0].type, T_REF(DEFINED(itself) | HEAP_EXACT, 1));
    wr_types_release(t, other);
    wr_types_release(t, cycle);
    u32 id = base->id;
    for (int i = 0; i < 3; i++) wr_types_release(t, groups[i]);
    cr_assert_eq(wr_types_get(t, id), base);
    wr_types_release(t, groups[3]);
    cr_assert_null(wr_types_get(t, id));
    wr_types_delete(t);
}

Test(types, print) {
    static const struct {
        ValType type;
        const char *text;
    } rows[] = {
        {T_I32, "i32"},
        {T_V128, "v128"},
        {T_FUNCREF, "(ref null func)"},
        {T_REF(HEAP_NOEXTERN, 0), "(ref noextern)"},
        {T_REF(HEAP_DEFINED + 12, 1), "(ref null 12)"},
        {T_REF((HEAP_DEFINED + 3) | HEAP_EXACT, 0), "(ref (exact 3))"},
        {T_REF((HEAP_DEFINED + 3) | HEAP_EXACT, 1), "(ref null (exact 3))"},
    };
    char text[64];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wr_type_print(rows[i].type, text, sizeof text);
        cr_assert_str_eq(text, rows[i].text);
    }
    wr_type_print(T_FUNCREF, text, 5);
    cr_assert_str_eq(text, "(ref");
}
