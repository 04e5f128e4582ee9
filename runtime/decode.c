/*
 * decode.c - the binary format's sections into a Module (spec: binary/modules). Function bodies are
 * only delimited; constant expressions are walked to find their end. What depends on more than one
 * item (indices, types of expressions, limits) is left to validate.c, except type indices, which
 * become canonical types here.
 */
#include "decode.h"

#include <stdlib.h>

#include "binary.h"
#include "decode_code.h"
#include "store.h"

/* ---- helpers ---- */

static void require(Reader *r, const u8 *at, const Module *m, Feature feature, const char *what) {
    (void)wr_reader_require(r, at, m->features, feature, what);
}

static void *allocate(Reader *r, Module *m, u32 count, size_t size) {
    void *p = wr_arena_new(&m->arena, count, size);
    if (p == NULL) wr_reader_fail_memory(r);
    return r->error == NULL ? p : NULL;
}

/* Makes an index space of `old` imported items longer by `added` definitions. */
static void *extend(Reader *r, Module *m, const void *items, u32 old, u32 added, size_t size) {
    u8 *longer = allocate(r, m, old + added, size);
    if (longer != NULL && old != 0) memcpy(longer, items, old * size);
    return longer;
}

/* The length of a section's vector; `old` items are in the index space already. */
static u32 read_length(Reader *r, u32 old, u32 max, u32 least_item, const char *what) {
    const u8 *at = r->pos;
    u32 n = wr_read_count(r, least_item);
    if (n > max - old) wr_reader_invalid(r, at, "too many %s: more than %u", what, (unsigned)max);
    return r->error == NULL ? n : 0;
}

/* Appends to an array in the arena whose capacity is the least power of 2 not below `count`. */
static void *append(Reader *r, Module *m, void *array_pointer, u32 count, size_t size) {
    u8 *array;
    memcpy(&array, array_pointer, sizeof array);
    if ((count & (count - 1)) == 0) {
        array = extend(r, m, array, count, count == 0 ? 1 : count, size);
        if (array == NULL) return NULL;
        memcpy(array_pointer, &array, sizeof array);
    }
    return array + count * size;
}

static void declare_func(Module *m, u32 index) {
    if (index < m->nfuncs) m->funcs[index].declared = true;
}

/* Blocks cannot stand in a constant expression, but it takes their nesting to find its end. */
static ConstExpr read_const_expr(Reader *r, Module *m) {
    const u8 *start = r->pos, *end;
    i32 value;
    if (r->error == NULL && (end = wr_plain_const(start, r->end, &value)) != NULL) {
        r->pos = end;
        return (ConstExpr){(u64)(start - m->bytes), (u32)(end - start)};
    }
    Instr instr;
    for (u32 depth = 0; wr_instr_next(r, &instr);) {
        ImmKind imm = (ImmKind)wr_op_info[instr.op].imm;
        if (imm == IMM_BLOCK || imm == IMM_TRY_TABLE)
            depth++;
        else if (instr.op == OP_REF_FUNC)
            declare_func(m, instr.index);
        else if (instr.op == OP_DELEGATE)
            depth -= depth > 0;
        else if (instr.op == OP_END && depth-- == 0)
            return (ConstExpr){(u64)(start - m->bytes), (u32)(r->pos - start)};
    }
    (void)wr_read_u8(r); /* an unexpected end, unless there is an error already */
    return (ConstExpr){0, 0};
}

/* ---- types of externals ---- */

static u64 offset_of(const Reader *r, const Module *m) { return wr_module_offset(m, r->pos); }

static const DefType *read_type_index(Reader *r, const Module *m, u32 *index) {
    const u8 *at = r->pos;
    *index = wr_read_u32(r);
    if (*index < m->ntypes) return m->types[*index];
    wr_reader_invalid(r, at, "unknown type %u", (unsigned)*index);
    return NULL;
}

static void check_limit_flags(Reader *r, const u8 *at, const Module *m, u8 flags, u8 allowed) {
    static const char malformed[] = "malformed limits flags";
    /* a page size that the bytes have no room for was a wrong flag before there were page sizes */
    bool is_cut = (flags & LIMITS_PAGE_SIZE) != 0 && r->end - r->pos < 2;
    if ((flags & ~allowed) != 0 || is_cut) wr_reader_fail(r, at, malformed);
    if ((flags & LIMITS_SHARED) != 0) require(r, at, m, FEATURE_THREADS, malformed);
    if ((flags & LIMITS_64) != 0) require(r, at, m, FEATURE_MEMORY64, malformed);
    if ((flags & LIMITS_PAGE_SIZE) != 0) require(r, at, m, FEATURE_CUSTOM_PAGE_SIZES, malformed);
}

static Limits read_limits(Reader *r, const Module *m, u8 allowed, u8 *flags) {
    const u8 *at = r->pos;
    *flags = wr_read_u8(r);
    if (r->error == NULL) check_limit_flags(r, at, m, *flags, allowed);
    Limits l = {.max = UINT64_MAX};
    l.min = wr_read_u64(r);
    l.has_max = (*flags & LIMITS_MAX) != 0;
    if (l.has_max) l.max = wr_read_u64(r);
    l.is_shared = (*flags & LIMITS_SHARED) != 0;
    l.is_64 = (*flags & LIMITS_64) != 0;
    return l;
}

static TableDecl read_table_type(Reader *r, const Module *m) {
    TableDecl t = {.at = offset_of(r, m)};
    t.type = wr_read_reftype(r, m);
    u8 flags;
    t.limits = read_limits(r, m, LIMITS_MAX | LIMITS_64, &flags);
    return t;
}

static MemoryDecl read_memory_type(Reader *r, const Module *m) {
    u8 flags;
    MemoryDecl memory = {.page_size_log2 = 16, .at = offset_of(r, m)};
    memory.limits =
        read_limits(r, m, LIMITS_MAX | LIMITS_SHARED | LIMITS_64 | LIMITS_PAGE_SIZE, &flags);
    if ((flags & LIMITS_PAGE_SIZE) != 0) {
        const u8 *at = r->pos;
        u32 log2 = wr_read_u32(r);
        if (log2 >= 64) wr_reader_fail(r, at, "invalid custom page size");
        memory.page_size_log2 = (u8)log2;
    }
    return memory;
}

static GlobalDecl read_global_type(Reader *r, const Module *m) {
    GlobalDecl g = {.type = wr_read_valtype(r, m)};
    const u8 *at = r->pos;
    u8 mutability = wr_read_u8(r);
    if (mutability > 1) wr_reader_fail(r, at, "malformed mutability");
    g.mutable = mutability == 1;
    return g;
}

static TagDecl read_tag_type(Reader *r, const Module *m) {
    TagDecl tag = {.at = offset_of(r, m)};
    const u8 *at = r->pos;
    if (wr_read_u8(r) != 0) wr_reader_fail(r, at, "zero byte expected");
    tag.type = read_type_index(r, m, &tag.type_index);
    return tag;
}

/* Tags came with either form of exception handling. */
static void require_exceptions(Reader *r, const u8 *at, const Module *m, const char *what) {
    if (!feature_on(m->features, FEATURE_LEGACY_EXCEPTIONS))
        require(r, at, m, FEATURE_EXCEPTIONS, what);
}

/* For what is well-formed but not valid without a feature. */
static void require_valid(Reader *r, const u8 *at, const Module *m, Feature feature,
                          const char *what) {
    if (!feature_on(m->features, feature))
        wr_reader_invalid(r, at, "%s: the %s feature is disabled", what, wr_feature_name(feature));
}

static void check_single(Reader *r, const u8 *at, const Module *m) {
    if (m->ntables > 1) require_valid(r, at, m, FEATURE_REFERENCE_TYPES, "multiple tables");
    if (m->nmemories > 1) require_valid(r, at, m, FEATURE_MULTI_MEMORY, "multiple memories");
}

/* ---- imports ---- */

static void import_func(Reader *r, Module *m, bool exact) {
    FuncDecl func = {.exact = exact};
    func.type = read_type_index(r, m, &func.type_index);
    FuncDecl *place = append(r, m, &m->funcs, m->nfuncs, sizeof func);
    if (place == NULL) return;
    *place = func;
    m->nimported_funcs = ++m->nfuncs;
}

static void import_table(Reader *r, Module *m) {
    TableDecl table = read_table_type(r, m);
    TableDecl *place = append(r, m, &m->tables, m->ntables, sizeof table);
    if (place == NULL) return;
    *place = table;
    m->nimported_tables = ++m->ntables;
}

static void import_memory(Reader *r, Module *m) {
    MemoryDecl memory = read_memory_type(r, m);
    MemoryDecl *place = append(r, m, &m->memories, m->nmemories, sizeof memory);
    if (place == NULL) return;
    *place = memory;
    m->nimported_memories = ++m->nmemories;
}

static void import_global(Reader *r, Module *m) {
    const u8 *at = r->pos;
    GlobalDecl global = read_global_type(r, m);
    if (global.mutable)
        require_valid(r, at, m, FEATURE_MUTABLE_GLOBALS, "mutable globals cannot be imported");
    GlobalDecl *place = append(r, m, &m->globals, m->nglobals, sizeof global);
    if (place == NULL) return;
    *place = global;
    m->nimported_globals = ++m->nglobals;
}

static void import_tag(Reader *r, Module *m) {
    TagDecl tag = read_tag_type(r, m);
    TagDecl *place = append(r, m, &m->tags, m->ntags, sizeof tag);
    if (place == NULL) return;
    *place = tag;
    m->nimported_tags = ++m->ntags;
}

static void read_import(Reader *r, Module *m, Import *import) {
    import->module = wr_read_name(r);
    import->name = wr_read_name(r);
    const u8 *at = r->pos;
    u8 kind = wr_read_u8(r);
    bool exact = kind == EXTERN_EXACT_FUNC;
    if (exact) require(r, at, m, FEATURE_CUSTOM_DESCRIPTORS, "malformed import kind");
    import->kind = exact ? EXT_FUNC : (ExternKind)kind;
    switch ((unsigned)import->kind) {
    case EXT_FUNC:
        import->index = m->nfuncs;
        import_func(r, m, exact);
        break;
    case EXT_TABLE:
        import->index = m->ntables;
        import_table(r, m);
        break;
    case EXT_MEMORY:
        import->index = m->nmemories;
        import_memory(r, m);
        break;
    case EXT_GLOBAL:
        import->index = m->nglobals;
        import_global(r, m);
        break;
    case EXT_TAG:
        require_exceptions(r, at, m, "malformed import kind");
        import->index = m->ntags;
        import_tag(r, m);
        break;
    default: wr_reader_fail(r, at, "malformed import kind");
    }
    check_single(r, at, m);
}

static void decode_imports(Reader *r, Module *m) {
    u32 n = read_length(r, 0, LIMIT_IMPORTS, 0, "imports");
    m->imports = allocate(r, m, n, sizeof *m->imports);
    for (u32 i = 0; r->error == NULL && i < n; i++) {
        const u8 *at = r->pos;
        read_import(r, m, &m->imports[i]);
        m->nimports = i + 1;
        if (m->ntables > LIMIT_TABLES) wr_reader_invalid(r, at, "too many tables");
        if (m->nmemories > LIMIT_MEMORIES) wr_reader_invalid(r, at, "too many memories");
    }
}

/* ---- definitions ---- */

static void decode_funcs(Reader *r, Module *m) {
    u32 first = m->nfuncs;
    u32 n = read_length(r, first, LIMIT_FUNCS, 0, "functions");
    m->funcs = extend(r, m, m->funcs, first, n, sizeof *m->funcs);
    for (u32 i = first; r->error == NULL && i < first + n; i++) {
        m->funcs[i].type = read_type_index(r, m, &m->funcs[i].type_index);
        m->funcs[i].exact = true;
    }
    m->nfuncs += n;
}

static TableDecl read_table(Reader *r, Module *m) {
    const u8 *at = r->pos;
    if (at == r->end || *at != CODE_EMPTY) return read_table_type(r, m);
    require(r, at, m, FEATURE_FUNCTION_REFERENCES, "malformed reference type");
    r->pos += r->error == NULL;
    at = r->pos;
    if (wr_read_u8(r) != 0) wr_reader_fail(r, at, "zero byte expected");
    TableDecl table = read_table_type(r, m);
    table.has_init = true;
    table.init = read_const_expr(r, m);
    return table;
}

static void decode_tables(Reader *r, Module *m) {
    const u8 *at = r->pos;
    u32 n = read_length(r, m->ntables, LIMIT_TABLES, 0, "tables");
    m->tables = extend(r, m, m->tables, m->ntables, n, sizeof *m->tables);
    for (u32 i = 0; r->error == NULL && i < n; i++) m->tables[m->ntables++] = read_table(r, m);
    check_single(r, at, m);
}

static void decode_memories(Reader *r, Module *m) {
    const u8 *at = r->pos;
    u32 n = read_length(r, m->nmemories, LIMIT_MEMORIES, 0, "memories");
    m->memories = extend(r, m, m->memories, m->nmemories, n, sizeof *m->memories);
    for (u32 i = 0; r->error == NULL && i < n; i++)
        m->memories[m->nmemories++] = read_memory_type(r, m);
    check_single(r, at, m);
}

static void decode_tags(Reader *r, Module *m) {
    u32 n = read_length(r, m->ntags, LIMIT_TAGS, 0, "tags");
    m->tags = extend(r, m, m->tags, m->ntags, n, sizeof *m->tags);
    for (u32 i = 0; r->error == NULL && i < n; i++) m->tags[m->ntags++] = read_tag_type(r, m);
}

static void decode_globals(Reader *r, Module *m) {
    u32 n = read_length(r, m->nglobals, LIMIT_GLOBALS, 0, "globals");
    m->globals = extend(r, m, m->globals, m->nglobals, n, sizeof *m->globals);
    for (u32 i = 0; r->error == NULL && i < n; i++) {
        GlobalDecl *g = &m->globals[m->nglobals++];
        *g = read_global_type(r, m);
        g->init = read_const_expr(r, m);
    }
}

static void decode_start(Reader *r, Module *m) {
    m->start_at = offset_of(r, m);
    m->start = wr_read_u32(r);
}

/* ---- exports ---- */

static void read_export(Reader *r, Module *m, Export *export) {
    export->at = offset_of(r, m);
    export->name = wr_read_name(r);
    const u8 *at = r->pos;
    u8 kind = wr_read_u8(r);
    if (kind > EXT_TAG) wr_reader_fail(r, at, "malformed export kind");
    if (kind == EXT_TAG) require_exceptions(r, at, m, "malformed export kind");
    export->kind = (ExternKind)kind;
    export->index = wr_read_u32(r);
    if (export->kind == EXT_FUNC) declare_func(m, export->index);
    if (export->kind == EXT_GLOBAL && export->index < m->nglobals &&
        m->globals[export->index].mutable)
        require_valid(r, at, m, FEATURE_MUTABLE_GLOBALS, "mutable globals cannot be exported");
}

static int compare_exports(const void *left, const void *right) {
    const Export *const *a = left, *const *b = right;
    return wr_name_compare((*a)->name, (*b)->name);
}

static void decode_exports(Reader *r, Module *m) {
    u32 n = read_length(r, 0, LIMIT_EXPORTS, 3, "exports");
    m->exports = allocate(r, m, n, sizeof *m->exports);
    m->exports_by_name = allocate(r, m, n, sizeof *m->exports_by_name);
    for (u32 i = 0; r->error == NULL && i < n; i++) {
        read_export(r, m, &m->exports[i]);
        m->exports_by_name[i] = &m->exports[i];
        m->nexports = i + 1;
    }
    if (r->error == NULL && n > 1)
        qsort(m->exports_by_name, n, sizeof *m->exports_by_name, compare_exports);
}

/* ---- segments ---- */

/* An element segment's flags. */
enum {
    ELEM_NOT_ACTIVE = 1,
    ELEM_EXPLICIT = 2, /* active: a table index follows; otherwise: declarative */
    ELEM_EXPRS = 4
};

static ValType read_elem_type(Reader *r, const Module *m, u32 flags) {
    if ((flags & (ELEM_NOT_ACTIVE | ELEM_EXPLICIT)) == 0)
        return (flags & ELEM_EXPRS) != 0 ? T_FUNCREF : T_REF(HEAP_FUNC, 0);
    if ((flags & ELEM_EXPRS) != 0) return wr_read_reftype(r, m);
    const u8 *at = r->pos;
    if (wr_read_u8(r) != 0) wr_reader_fail(r, at, "malformed element kind");
    return T_REF(HEAP_FUNC, 0);
}

static void read_elem_items(Reader *r, Module *m, ElemSeg *seg) {
    u32 n = wr_read_count(r, 0);
    u32 *funcs = seg->is_expr ? NULL : allocate(r, m, n, sizeof *funcs);
    ConstExpr *exprs = seg->is_expr ? allocate(r, m, n, sizeof *exprs) : NULL;
    for (u32 i = 0; r->error == NULL && i < n; i++) {
        if (seg->is_expr) {
            exprs[i] = read_const_expr(r, m);
        } else {
            funcs[i] = wr_read_u32(r);
            declare_func(m, funcs[i]);
        }
    }
    seg->count = n;
    seg->funcs = funcs;
    seg->exprs = exprs;
}

static void read_elem(Reader *r, Module *m, ElemSeg *seg) {
    static const char malformed[] = "malformed elements segment kind";
    const u8 *at = r->pos;
    seg->at = offset_of(r, m);
    u32 flags = wr_read_u32(r);
    if (flags > 7) wr_reader_fail(r, at, malformed);
    if (flags != 0) require(r, at, m, FEATURE_BULK_MEMORY, malformed);
    if ((flags & ELEM_NOT_ACTIVE) != 0) {
        seg->mode = (flags & ELEM_EXPLICIT) != 0 ? SEG_DECLARATIVE : SEG_PASSIVE;
    } else {
        seg->mode = SEG_ACTIVE;
        seg->table = (flags & ELEM_EXPLICIT) != 0 ? wr_read_u32(r) : 0;
        seg->offset = read_const_expr(r, m);
    }
    seg->type = read_elem_type(r, m, flags);
    seg->is_expr = (flags & ELEM_EXPRS) != 0;
    read_elem_items(r, m, seg);
}

static void decode_elems(Reader *r, Module *m) {
    u32 n = read_length(r, 0, LIMIT_SEGMENTS, 0, "element segments");
    m->elems = allocate(r, m, n, sizeof *m->elems);
    for (u32 i = 0; r->error == NULL && i < n; i++) read_elem(r, m, &m->elems[m->nelems++]);
}

static void read_data(Reader *r, Module *m, DataSeg *seg) {
    static const char malformed[] = "malformed data segment kind";
    const u8 *at = r->pos;
    seg->at = offset_of(r, m);
    u32 flags = wr_read_u32(r);
    if (flags > 2) wr_reader_fail(r, at, malformed);
    if (flags != 0) require(r, at, m, FEATURE_BULK_MEMORY, malformed);
    seg->mode = flags == 1 ? SEG_PASSIVE : SEG_ACTIVE;
    if (flags == 2) seg->memory = wr_read_u32(r);
    seg->before = (u8)(r->pos - at); /* at most two numbers of 32 bits */
    if (seg->mode == SEG_ACTIVE) (void)read_const_expr(r, m);
    const u8 *expr_end = r->pos;
    seg->size = wr_read_count(r, 0);
    seg->after = (u8)(r->pos - expr_end);
    seg->head = (u32)(r->pos - at);
    (void)wr_read_bytes(r, seg->size);
}

static void decode_datas(Reader *r, Module *m) {
    u32 n = read_length(r, 0, LIMIT_SEGMENTS, 0, "data segments");
    if (m->image != NULL) {
        m->ndatas = n;
        r->pos = r->end;
        return;
    }
    m->datas = allocate(r, m, n, sizeof *m->datas);
    for (u32 i = 0; r->error == NULL && i < n; i++) read_data(r, m, &m->datas[m->ndatas++]);
}

static void decode_data_count(Reader *r, Module *m) {
    m->data_count = wr_read_u32(r);
    m->has_data_count = r->error == NULL;
}

/* ---- bodies ---- */

static void decode_codes(Reader *r, Module *m) {
    m->ncodes = wr_read_count(r, 0);
    if (m->ncodes != m->nfuncs - m->nimported_funcs) { /* an error, but only when all is decoded */
        r->pos = r->end;
        return;
    }
    m->codes = allocate(r, m, m->ncodes, sizeof *m->codes);
    for (u32 i = 0; r->error == NULL && i < m->ncodes; i++) {
        const u8 *at = r->pos;
        u32 size = wr_read_count(r, 0);
        if (size > LIMIT_BODY) wr_reader_invalid(r, at, "function body too large");
        const u8 *start = wr_read_bytes(r, size);
        if (start == NULL) return;
        m->codes[i].func_index = m->nimported_funcs + i;
        m->codes[i].start = start;
        m->codes[i].end = start + size;
        m->stats.code_bytes += size;
    }
}

void wr_skip_locals(Reader *r) {
    for (u32 runs = wr_read_count(r, 0); runs > 0 && r->error == NULL; runs--) {
        (void)wr_read_u32(r);
        (void)wr_read_valtype(r, NULL);
    }
}

static void scan_body(Reader *r) {
    wr_skip_locals(r);
    Instr instr;
    while (wr_instr_next(r, &instr)) {
    }
}

/* When a section is malformed, bodies in front of it may have been so before: the first error
 * counts. */
static Error *first_error(const Module *m, Error *error) {
    for (u32 i = 0; m->codes != NULL && i < m->ncodes && m->codes[i].start != NULL; i++) {
        Reader r = {.pos = m->codes[i].start,
                    .end = m->codes[i].end,
                    .base = m->bytes,
                    .limit = m->bytes + m->size};
        scan_body(&r);
        if (r.error != NULL) {
            wr_error_delete(error);
            return r.error;
        }
    }
    return error;
}

/* ---- sections ---- */

/* By id. Sections come in the order of their rank, each at most once. */
static const struct {
    u8 rank;
    void (*decode)(Reader *r, Module *m);
} sections[] = {
    [SECTION_CUSTOM] = {0, NULL}, /* anywhere */
    [SECTION_TYPE] = {1, wr_decode_types},
    [SECTION_IMPORT] = {2, decode_imports},
    [SECTION_FUNC] = {3, decode_funcs},
    [SECTION_TABLE] = {4, decode_tables},
    [SECTION_MEMORY] = {5, decode_memories},
    [SECTION_GLOBAL] = {7, decode_globals},
    [SECTION_EXPORT] = {8, decode_exports},
    [SECTION_START] = {9, decode_start},
    [SECTION_ELEM] = {10, decode_elems},
    [SECTION_CODE] = {12, decode_codes},
    [SECTION_DATA] = {13, decode_datas},
    [SECTION_DATA_COUNT] = {11, decode_data_count},
    [SECTION_TAG] = {6, decode_tags},
};

static u8 read_section_id(Reader *r, const Module *m) {
    static const char malformed[] = "malformed section id";
    const u8 *at = r->pos;
    u8 id = wr_read_u8(r);
    if (id >= ARRAY_LEN(sections)) wr_reader_fail(r, at, malformed);
    if (id == SECTION_TAG) require_exceptions(r, at, m, malformed);
    if (id == SECTION_DATA_COUNT) require(r, at, m, FEATURE_BULK_MEMORY, malformed);
    return r->error == NULL ? id : 0;
}

/* A reader of the contents of the section whose size comes next in `r`. */
static Reader open_section(Reader *r) {
    u32 size = wr_read_count(r, 0);
    const u8 *start = wr_read_bytes(r, size);
    if (start == NULL) start = r->end;
    const u8 *end = r->error == NULL ? start + size : start;
    return (Reader){.pos = start, .end = end, .base = r->base, .limit = r->end};
}

static void decode_custom(Reader *r, Module *m, u8 after) {
    CustomSection *custom = append(r, m, &m->customs, m->ncustoms, sizeof *custom);
    Name name = wr_read_name(r);
    if (r->error != NULL || custom == NULL) return;
    *custom = (CustomSection){name, (u64)(r->pos - m->bytes), (u32)(r->end - r->pos), after};
    m->ncustoms++;
    r->pos = r->end;
}

static void decode_section(Reader *r, Module *m, u8 *last) {
    const u8 *at = r->pos;
    u8 id = read_section_id(r, m);
    if (r->error != NULL) return;
    if (id != SECTION_CUSTOM && sections[id].rank <= sections[*last].rank)
        wr_reader_fail(r, at, "unexpected content after last section");
    Reader section = open_section(r);
    if (r->error != NULL) return;
    if (id == SECTION_CUSTOM) {
        decode_custom(&section, m, *last);
    } else {
        sections[id].decode(&section, m);
        *last = id;
    }
    if (section.error == NULL && section.pos != section.end)
        wr_reader_fail(&section, section.pos, "section size mismatch");
    r->error = section.error;
}

static void check_header(Reader *r) {
    const u8 *magic = wr_read_bytes(r, 4);
    if (magic != NULL && le32_load(magic) != 0x6D736100)
        wr_reader_fail(r, magic, "magic header not detected");
    const u8 *version = wr_read_bytes(r, 4);
    if (version != NULL && le32_load(version) != 1)
        wr_reader_fail(r, version, "unknown binary version");
}

static void check_counts(Reader *r, const Module *m) {
    if (m->ncodes != m->nfuncs - m->nimported_funcs)
        wr_reader_fail(r, r->end, "function and code section have inconsistent lengths");
    if (m->has_data_count && m->data_count != m->ndatas)
        wr_reader_fail(r, r->end, "data count and data section have inconsistent lengths");
}

Error *wr_decode_module(Module *m) {
    Reader r = {.pos = m->bytes, .end = m->bytes + m->size, .base = m->bytes};
    m->start = NONE_U32;
    m->stats.module_bytes = m->size;
    check_header(&r);
    u8 last = 0;
    while (r.error == NULL && r.pos != r.end) decode_section(&r, m, &last);
    check_counts(&r, m);
    m->stats.functions = m->ncodes;
    return r.error == NULL ? NULL : first_error(m, r.error);
}
