/*
 * decode_types.c - types in the binary format (spec: binary/types) and the type section, which
 * interns each recursion group as soon as it is read.
 */
#include "binary.h"
#include "decode.h"
#include "store.h"

static const struct {
    u8 heap, feature;
} heap_codes[] = {
    {HEAP_EXN, FEATURE_EXCEPTIONS},         /* 0x69 */
    {HEAP_ARRAY, FEATURE_GC},               /* 0x6A */
    {HEAP_STRUCT, FEATURE_GC},              /* 0x6B */
    {HEAP_I31, FEATURE_GC},                 /* 0x6C */
    {HEAP_EQ, FEATURE_GC},                  /* 0x6D */
    {HEAP_ANY, FEATURE_GC},                 /* 0x6E */
    {HEAP_EXTERN, FEATURE_REFERENCE_TYPES}, /* 0x6F */
    {HEAP_FUNC, FEATURE_REFERENCE_TYPES},   /* 0x70 */
    {HEAP_NONE, FEATURE_GC},                /* 0x71 */
    {HEAP_NOEXTERN, FEATURE_GC},            /* 0x72 */
    {HEAP_NOFUNC, FEATURE_GC},              /* 0x73 */
    {HEAP_NOEXN, FEATURE_EXCEPTIONS},       /* 0x74 */
};
_Static_assert(ARRAY_LEN(heap_codes) == CODE_HEAP_LAST - CODE_HEAP_FIRST + 1, "one row each");

/* How types are read: in which module (NULL: type indices stand as they are), how many members the
 * recursion group has that is being read, whose indices follow the module's types so far, and whether
 * the type is a field's, which counts in messages alone. */
typedef struct Scope {
    const Module *m;
    u32 group;
    bool is_field;
} Scope;

static void require(Reader *r, const u8 *at, Scope s, Feature feature, const char *what) {
    if (s.m != NULL) (void)wr_reader_require(r, at, s.m->features, feature, what);
}

/* NONE_U32: there is none such. */
static HeapType find_index(Scope s, u32 index) {
    if (s.m == NULL) return index < TYPE_ID_MAX ? HEAP_DEFINED + index : NONE_U32;
    if (index < s.m->ntypes) return HEAP_DEFINED + s.m->types[index]->id;
    u32 position = index - s.m->ntypes;
    return position < s.group ? HEAP_DEFINED + REC_LOCAL + position : NONE_U32;
}

static HeapType resolve_index(Reader *r, const u8 *at, Scope s, u32 index) {
    HeapType heap = find_index(s, index);
    if (heap != NONE_U32) return heap;
    wr_reader_invalid(r, at, "unknown type %u", (unsigned)index);
    return HEAP_ANY;
}

static HeapType abstract_heap(Reader *r, const u8 *at, Scope s, u8 byte, const char *otherwise) {
    if (byte < CODE_HEAP_FIRST || byte > CODE_HEAP_LAST) {
        /* the forms are 7-bit signed integers: one that goes on is too long, in the suite's
         * words */
        wr_reader_fail(r, at, "%s", byte >= 0x80 ? "integer representation too long" : otherwise);
        return HEAP_ANY;
    }
    u32 row = byte - (u32)CODE_HEAP_FIRST;
    require(r, at, s, (Feature)heap_codes[row].feature, otherwise);
    return heap_codes[row].heap;
}

/* Behind the prefix: a type index, u32 since nothing else can be exact. A second prefix or an abstract
 * type looks like an index of one byte; when that names no type, it is taken for what it looks like. */
static HeapType read_exact(Reader *r, Scope s) {
    const u8 *at = r->pos;
    u32 index = wr_read_u32(r);
    if (r->pos == at + 1 && index >= 0x40 && find_index(s, index) == NONE_U32)
        wr_reader_fail(r, at, "%s", s.is_field ? "malformed storage type" : "malformed type index");
    return r->error == NULL ? resolve_index(r, at, s, index) | HEAP_EXACT : HEAP_ANY;
}

/* A type index (s33, not negative), an exact one, or an abstract heap type. */
static HeapType read_heap(Reader *r, Scope s) {
    const u8 *at = r->pos;
    if (at < r->end && *at == CODE_EXACT) {
        require(r, at, s, FEATURE_CUSTOM_DESCRIPTORS, "malformed heap type");
        (void)wr_read_u8(r);
        return read_exact(r, s);
    }
    if (at < r->end && (*at & 0xC0) == 0x40)
        return abstract_heap(r, at, s, wr_read_u8(r), "malformed heap type");
    i64 index = wr_read_s33(r);
    if (r->error != NULL) return HEAP_ANY;
    if (index < 0) {
        wr_reader_fail(r, at, "integer representation too long");
        return HEAP_ANY;
    }
    require(r, at, s, FEATURE_FUNCTION_REFERENCES, "malformed heap type");
    return resolve_index(r, at, s, (u32)index);
}

/* What follows the first byte of a reference type. */
static ValType finish_ref(Reader *r, const u8 *at, Scope s, u8 byte) {
    if (byte != CODE_REF && byte != CODE_REF_NULL)
        return T_REF(abstract_heap(r, at, s, byte, "malformed reference type"), 1);
    require(r, at, s, FEATURE_FUNCTION_REFERENCES, "malformed reference type");
    return T_REF(read_heap(r, s), byte == CODE_REF_NULL);
}

static ValType read_val(Reader *r, Scope s) {
    const u8 *at = r->pos;
    u8 byte = wr_read_u8(r);
    switch (byte) {
    case CODE_I32: return T_I32;
    case CODE_I64: return T_I64;
    case CODE_F32: return T_F32;
    case CODE_F64: return T_F64;
    case CODE_V128: require(r, at, s, FEATURE_SIMD, "malformed value type"); return T_V128;
    default: return finish_ref(r, at, s, byte);
    }
}

ValType wr_read_valtype(Reader *r, const Module *m) { return read_val(r, (Scope){.m = m}); }

HeapType wr_read_heaptype(Reader *r, const Module *m) { return read_heap(r, (Scope){.m = m}); }

ValType wr_read_reftype(Reader *r, const Module *m) {
    const u8 *at = r->pos;
    u8 byte = wr_read_u8(r);
    if (byte == CODE_FUNCREF) return T_FUNCREF; /* a table's type from the first version on */
    return finish_ref(r, at, (Scope){.m = m}, byte);
}

/* ---- the type section ---- */

/* One recursion group at a time: its descriptions are scratch, and die when it is interned. */
typedef struct TypeReader {
    Reader *r;
    Scope scope;
    Module *m;
    u32 cap_types;
    Arena *scratch;
} TypeReader;

static void *scratch(TypeReader *t, u32 count, size_t size) {
    void *p = wr_arena_new(t->scratch, count, size);
    if (p == NULL) wr_reader_fail_memory(t->r);
    return p;
}

static u32 count_up_to(TypeReader *t, u32 max, const char *what) {
    const u8 *at = t->r->pos;
    u32 n = wr_read_count(t->r, 0);
    if (n > max) wr_reader_invalid(t->r, at, "%s: %u exceeds %u", what, (unsigned)n, (unsigned)max);
    return t->r->error == NULL ? n : 0;
}

static void read_func(TypeReader *t, TypeDesc *d) {
    u32 nparams = count_up_to(t, LIMIT_PARAMS, "too many parameters");
    ValType *params = scratch(t, nparams, sizeof *params);
    for (u32 i = 0; t->r->error == NULL && i < nparams; i++) params[i] = read_val(t->r, t->scope);
    const u8 *at = t->r->pos;
    u32 nresults = count_up_to(t, LIMIT_RESULTS, "too many results");
    if (nresults > 1 && !feature_on(t->m->features, FEATURE_MULTI_VALUE))
        wr_reader_invalid(t->r, at, "invalid result arity: the multi-value feature is disabled");
    ValType *types = scratch(t, nparams + nresults, sizeof *types);
    if (t->r->error != NULL) return;
    memcpy(types, params, nparams * sizeof *types);
    for (u32 i = 0; t->r->error == NULL && i < nresults; i++)
        types[nparams + i] = read_val(t->r, t->scope);
    d->nparams = nparams;
    d->nresults = nresults;
    d->types = types;
}

static bool starts_valtype(u8 byte) {
    return (byte >= CODE_V128 && byte <= CODE_I32) || byte == CODE_REF || byte == CODE_REF_NULL ||
           (byte >= CODE_HEAP_FIRST && byte <= CODE_HEAP_LAST);
}

static FieldType read_field(TypeReader *t) {
    Reader *r = t->r;
    FieldType f = {T_BOT, false};
    u8 byte = r->pos < r->end ? *r->pos : 0;
    if (byte == CODE_I8 || byte == CODE_I16) {
        r->pos++;
        f.type = byte == CODE_I8 ? (ValType)VK_I8 : (ValType)VK_I16;
    } else if (r->pos < r->end && byte < 0x80 && !starts_valtype(byte)) {
        wr_reader_fail(r, r->pos, "malformed storage type");
    } else {
        f.type = read_val(r, (Scope){t->scope.m, t->scope.group, true});
    }
    const u8 *at = r->pos;
    u8 mutability = wr_read_u8(r);
    if (mutability > 1) wr_reader_fail(r, at, "malformed mutability");
    f.mutable = mutability == 1;
    return f;
}

static void read_fields(TypeReader *t, TypeDesc *d, u32 n) {
    FieldType *fields = scratch(t, n, sizeof *fields);
    for (u32 i = 0; t->r->error == NULL && i < n; i++) fields[i] = read_field(t);
    d->nfields = t->r->error == NULL ? n : 0;
    d->fields = fields;
}

static void read_comp(TypeReader *t, TypeDesc *d) {
    const u8 *at = t->r->pos;
    u8 byte = wr_read_u8(t->r);
    switch (byte) {
    case CODE_FUNC:
        d->comp = COMP_FUNC;
        read_func(t, d);
        break;
    case CODE_STRUCT:
        require(t->r, at, t->scope, FEATURE_GC, "malformed definition type");
        d->comp = COMP_STRUCT;
        read_fields(t, d, count_up_to(t, LIMIT_FIELDS, "too many fields"));
        break;
    case CODE_ARRAY:
        require(t->r, at, t->scope, FEATURE_GC, "malformed definition type");
        d->comp = COMP_ARRAY;
        read_fields(t, d, 1);
        break;
    default:
        wr_reader_fail(t->r, at, "%s",
                       byte >= 0x80 ? "integer representation too long"
                                    : "malformed definition type");
    }
}

static void read_super(TypeReader *t, TypeDesc *d) {
    const u8 *at = t->r->pos;
    u32 n = wr_read_count(t->r, 0);
    if (n == 0) return;
    if (n > 1) wr_reader_invalid(t->r, at, "sub type has more than one super type");
    at = t->r->pos;
    d->super_index = wr_read_u32(t->r);
    d->super = resolve_index(t->r, at, t->scope, d->super_index);
}

/* A clause before the type itself, if it is there: gives a position in the group. */
static u32 read_clause(TypeReader *t, u8 code, const char *outside) {
    Reader *r = t->r;
    const u8 *at = r->pos;
    if (at >= r->end || *at != code) return NONE_U32;
    require(r, at, t->scope, FEATURE_CUSTOM_DESCRIPTORS, "malformed definition type");
    (void)wr_read_u8(r);
    u32 position = wr_read_u32(r) - t->m->ntypes;
    if (position >= t->scope.group) wr_reader_invalid(r, at, "%s", outside);
    return r->error == NULL ? position : NONE_U32;
}

static void read_sub(TypeReader *t, TypeDesc *d) {
    const u8 *at = t->r->pos;
    u8 byte = at < t->r->end ? *at : 0;
    *d = (TypeDesc){.final = true, .super = NONE_U32};
    if (byte == CODE_SUB || byte == CODE_SUB_FINAL) {
        require(t->r, at, t->scope, FEATURE_GC, "malformed definition type");
        (void)wr_read_u8(t->r);
        d->final = byte == CODE_SUB_FINAL;
        read_super(t, d);
    }
    d->describes = read_clause(t, CODE_DESCRIBES, "described type is outside rec group");
    d->descriptor = read_clause(t, CODE_DESCRIPTOR, "descriptor type is outside rec group");
    read_comp(t, d);
}

/* The clauses go in pairs, and the descriptor comes behind what it describes. */
static const char *pair_problem(const TypeDesc *descs, u32 i) {
    u32 descriptor = descs[i].descriptor, describes = descs[i].describes;
    if (describes != NONE_U32 && descs[describes].descriptor != i)
        return "described type is not described by descriptor";
    if (describes != NONE_U32 && describes >= i) return "forward use of described type";
    if (descriptor != NONE_U32 && descs[descriptor].describes != i)
        return "type is not described by its descriptor";
    return NULL;
}

static void check_descriptors(TypeReader *t, const u8 *at, const TypeDesc *descs) {
    for (u32 i = 0; t->r->error == NULL && i < t->scope.group; i++) {
        const char *problem = pair_problem(descs, i);
        if (problem != NULL) wr_reader_invalid(t->r, at, "%s", problem);
    }
    for (u32 i = 0; t->r->error == NULL && i < t->scope.group; i++) {
        if (descs[i].comp == COMP_STRUCT) continue;
        if (descs[i].descriptor != NONE_U32)
            wr_reader_invalid(t->r, at, "descriptor type must be a struct");
        if (descs[i].describes != NONE_U32)
            wr_reader_invalid(t->r, at, "described type must be a struct");
    }
}

/* What interning relies on: supertypes come earlier, are open, and do not nest too deep. */
static void check_supers(TypeReader *t, const u8 *at, const TypeDesc *descs) {
    u32 first = t->m->ntypes;
    u32 *depths = scratch(t, t->scope.group, sizeof *depths);
    for (u32 i = 0; t->r->error == NULL && i < t->scope.group; i++) {
        HeapType super = descs[i].super;
        if (super == NONE_U32) continue;
        u32 id = heap_type_id(super), index = first + i;
        bool is_local = id >= REC_LOCAL;
        if (is_local && id - REC_LOCAL >= i) {
            wr_reader_invalid(t->r, at,
                              "sub type %u: forward use of type %u in sub type definition",
                              (unsigned)index, (unsigned)(first + id - REC_LOCAL));
            return;
        }
        const DefType *def = is_local ? NULL : wr_types_get(t->m->engine->types, id);
        if (is_local ? descs[id - REC_LOCAL].final : def->final)
            wr_reader_invalid(t->r, at, "sub type %u has final super type", (unsigned)index);
        depths[i] = 1 + (is_local ? depths[id - REC_LOCAL] : def->depth);
        if (depths[i] > LIMIT_SUBTYPE_DEPTH)
            wr_reader_invalid(t->r, at, "sub type %u nests too deep", (unsigned)index);
    }
}

/* What only canonical types can be asked: that each member of the group read last matches its
 * supertype (spec: valid/types, sub types). */
static void check_match(TypeReader *t, const u8 *at, const TypeDesc *d, u32 index) {
    const DefType *sub = t->m->types[index], *super = sub->super;
    u32 first = t->m->ntypes - t->scope.group;
    if (sub->describes != NULL && super->describes != NULL &&
        !def_is_subtype(sub->describes, super->describes))
        wr_reader_invalid(t->r, at, "described type %u does not match that of super type %u",
                          (unsigned)(first + d->describes), (unsigned)d->super_index);
    if (sub->descriptor != NULL && super->descriptor != NULL &&
        !def_is_subtype(sub->descriptor, super->descriptor))
        wr_reader_invalid(t->r, at, "descriptor type %u does not match that of super type %u",
                          (unsigned)(first + d->descriptor), (unsigned)d->super_index);
    if (!wr_def_matches(t->m->engine->types, sub, super))
        wr_reader_invalid(t->r, at, "sub type %u does not match super type %u", (unsigned)index,
                          (unsigned)d->super_index);
}

static void check_matches(TypeReader *t, const u8 *at, const TypeDesc *descs) {
    u32 first = t->m->ntypes - t->scope.group;
    for (u32 i = 0; t->r->error == NULL && i < t->scope.group; i++)
        if (descs[i].super != NONE_U32) check_match(t, at, &descs[i], first + i);
}

/* Room for `count` more types; they move, so nothing may hold on to m->types meanwhile. */
static bool grow_types(TypeReader *t, u32 count) {
    Module *m = t->m;
    u64 need = (u64)m->ntypes + count;
    if (wr_grow_array(&m->engine->alloc, &m->types, &t->cap_types, need, LIMIT_TYPES,
                      sizeof *m->types))
        return true;
    wr_reader_fail_memory(t->r);
    return false;
}

static void read_group(TypeReader *t) {
    Reader *r = t->r;
    Module *m = t->m;
    const u8 *at = r->pos;
    u32 count = 1;
    if (at < r->end && *at == CODE_REC) {
        require(r, at, t->scope, FEATURE_GC, "malformed definition type");
        (void)wr_read_u8(r);
        count = wr_read_count(r, 0);
    }
    if (count > LIMIT_TYPES - m->ntypes)
        wr_reader_invalid(r, at, "too many types: more than %u", LIMIT_TYPES);
    if (r->error != NULL || count == 0) return; /* a group of none defines nothing */
    t->scope.group = count;
    TypeDesc *descs = scratch(t, count, sizeof *descs);
    for (u32 i = 0; r->error == NULL && i < count; i++) read_sub(t, &descs[i]);
    if (r->error == NULL) check_descriptors(t, at, descs);
    if (r->error == NULL) check_supers(t, at, descs);
    if (r->error != NULL || !grow_types(t, count)) return;
    RecGroup *group = wr_types_intern(m->engine->types, descs, count, m->types + m->ntypes);
    if (group == NULL) {
        wr_reader_fail_memory(r);
        return;
    }
    m->groups[m->ngroups++] = group;
    m->ntypes += count;
    check_matches(t, at, descs);
}

/* The array that grew becomes the module's own. */
static void keep_types(TypeReader *t) {
    Module *m = t->m;
    const DefType **grown = m->types;
    m->types = wr_arena_new(&m->arena, m->ntypes, sizeof *m->types);
    if (m->types == NULL) {
        wr_reader_fail_memory(t->r);
        m->ntypes = 0;
    } else if (m->ntypes != 0) {
        memcpy(m->types, grown, m->ntypes * sizeof *grown);
    }
    wr_free(&m->engine->alloc, grown, t->cap_types * sizeof *grown);
}

void wr_decode_types(Reader *r, Module *m) {
    Arena memory;
    wr_arena_init(&memory, &m->engine->alloc);
    TypeReader t = {.r = r, .scope = {.m = m}, .m = m, .scratch = &memory};
    u32 n = wr_read_count(r, 0);
    m->groups = wr_arena_new(&m->arena, n, sizeof *m->groups);
    if (m->groups == NULL) wr_reader_fail_memory(r);
    for (u32 i = 0; r->error == NULL && i < n; i++) {
        read_group(&t);
        if (memory.total > (1u << 16)) wr_arena_free(&memory);
    }
    wr_arena_free(&memory);
    keep_types(&t);
}
