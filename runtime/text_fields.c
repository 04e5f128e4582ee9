/*
 * text_fields.c - a module's fields but types (spec: text/modules): the third pass. Abbreviations
 * are expanded into the sections that they stand for.
 */
#include "text_module.h"
#include "text_number.h"

#define PAGE_SIZE_LOG2 16u

static Buffer *begin_item(Parser *p, u32 section) {
    p->sections[section].count++;
    return &p->sections[section].bytes;
}

/* ---- names, imports, exports ---- */

static void put_string(Parser *p, Buffer *out) {
    Token token = p->t->token;
    if (!wr_text_is(p->t, TOKEN_STRING)) {
        wr_text_unexpected(p->t);
        return;
    }
    wr_text_next(p->t);
    wr_put_name(out, wr_text_name(p->t, &token, &p->arena));
}

/* Fields that define something have its identifier first. */
static void skip_id(Parser *p) { (void)wr_text_take(p->t, TOKEN_ID); }

static void inline_exports(Parser *p, ExternKind kind, u32 index) {
    while (wr_text_take_open(p->t, WORD_EXPORT)) {
        Buffer *out = begin_item(p, SECTION_EXPORT);
        put_string(p, out);
        wr_put_u8(out, (u8)kind);
        wr_put_u32(out, index);
        wr_text_expect(p->t, TOKEN_CLOSE);
    }
}

/* "(import "m" "n")": begins an import if it is there. */
static Buffer *inline_import(Parser *p) {
    if (!wr_text_take_open(p->t, WORD_IMPORT)) return NULL;
    Buffer *out = begin_item(p, SECTION_IMPORT);
    put_string(p, out);
    put_string(p, out);
    wr_text_expect(p->t, TOKEN_CLOSE);
    return out;
}

/* ---- types of externals ---- */

static void read_limits(Parser *p, Buffer *out, u8 flags, bool is_memory) {
    u32 bits = p->options->narrow_limits && (flags & LIMITS_64) == 0 ? 32 : 64;
    u64 min = wr_text_read_nat(p->t, bits), max = 0;
    if (wr_text_is(p->t, TOKEN_NAT)) {
        flags |= LIMITS_MAX;
        max = wr_text_read_nat(p->t, bits);
    }
    if (is_memory && wr_text_take_word(p->t, WORD_SHARED)) flags |= LIMITS_SHARED;
    bool has_page_size = is_memory && wr_text_head(p->t) == WORD_PAGESIZE;
    if (has_page_size) flags |= LIMITS_PAGE_SIZE;
    wr_put_u8(out, flags);
    wr_put_u64(out, min);
    if ((flags & LIMITS_MAX) != 0) wr_put_u64(out, max);
}

/* "(pagesize N)": its logarithm; the usual one if it is not there. */
static u32 read_page_size(Parser *p) {
    if (!wr_text_take_open(p->t, WORD_PAGESIZE)) return PAGE_SIZE_LOG2;
    Token at = p->t->token;
    u64 size = wr_text_read_nat(p->t, 64);
    if (p->t->error == NULL && (size == 0 || (size & (size - 1)) != 0))
        wr_text_fail(p->t, &at, "invalid custom page size");
    wr_text_expect(p->t, TOKEN_CLOSE);
    return size == 0 ? PAGE_SIZE_LOG2 : trailing_zeros(size);
}

static void read_memorytype(Parser *p, Buffer *out, bool is_64) {
    read_limits(p, out, is_64 ? LIMITS_64 : 0, true);
    if (wr_text_head(p->t) == WORD_PAGESIZE) wr_put_u32(out, read_page_size(p));
}

/* In the text the limits come first. */
static void read_tabletype(Parser *p, Buffer *out, bool is_64) {
    Buffer *limits = &p->scratch;
    limits->size = 0;
    read_limits(p, limits, is_64 ? LIMITS_64 : 0, false);
    TextRef type = wr_text_reftype(p);
    wr_put_ref(out, type);
    wr_put_bytes(out, limits->data, limits->size);
    wr_text_check(p, limits);
}

static void read_tagtype(Parser *p, Buffer *out) {
    wr_put_u8(out, 0);
    wr_put_u32(out, wr_text_type_use(p, PARAMS_IGNORED));
}

/* Behind the names of an imported function: its kind and type. */
static void read_functype(Parser *p, Buffer *out) {
    bool is_exact = wr_text_take_open(p->t, WORD_EXACT);
    wr_put_u8(out, is_exact ? EXTERN_EXACT_FUNC : EXT_FUNC);
    wr_put_u32(out, wr_text_type_use(p, PARAMS_IGNORED));
    if (is_exact) wr_text_expect(p->t, TOKEN_CLOSE);
}

static ExternKind extern_kind(u32 word) {
    switch (word) {
    case WORD_TABLE: return EXT_TABLE;
    case WORD_MEMORY: return EXT_MEMORY;
    case WORD_GLOBAL: return EXT_GLOBAL;
    case WORD_TAG: return EXT_TAG;
    default: return EXT_FUNC;
    }
}

static void read_externtype(Parser *p, Buffer *out, ExternKind kind) {
    if (kind != EXT_FUNC) wr_put_u8(out, (u8)kind);
    switch (kind) {
    case EXT_FUNC: read_functype(p, out); break;
    case EXT_TABLE: read_tabletype(p, out, wr_text_is_64(p)); break;
    case EXT_MEMORY: read_memorytype(p, out, wr_text_is_64(p)); break;
    case EXT_GLOBAL: wr_text_globaltype(p, out); break;
    case EXT_TAG: read_tagtype(p, out); break;
    }
}

static void read_import(Parser *p) {
    Buffer *out = begin_item(p, SECTION_IMPORT);
    put_string(p, out);
    put_string(p, out);
    ExternKind kind = extern_kind(wr_text_head(p->t)); /* the first pass has seen that it is one */
    wr_text_next(p->t);
    wr_text_next(p->t);
    skip_id(p);
    read_externtype(p, out, kind);
    wr_text_expect(p->t, TOKEN_CLOSE);
}

static void read_export(Parser *p) {
    static const TextSpace spaces[] = {[EXT_FUNC] = NAMES_FUNC,
                                       [EXT_TABLE] = NAMES_TABLE,
                                       [EXT_MEMORY] = NAMES_MEMORY,
                                       [EXT_GLOBAL] = NAMES_GLOBAL,
                                       [EXT_TAG] = NAMES_TAG};
    Buffer *out = begin_item(p, SECTION_EXPORT);
    put_string(p, out);
    u32 word = wr_text_head(p->t);
    ExternKind kind = extern_kind(word);
    wr_text_expect(p->t, TOKEN_OPEN);
    if (kind == EXT_FUNC)
        wr_text_expect_word(p->t, WORD_FUNC);
    else
        wr_text_next(p->t);
    wr_put_u8(out, (u8)kind);
    wr_put_u32(out, wr_text_index(p, spaces[kind], 0));
    wr_text_expect(p->t, TOKEN_CLOSE);
}

/* ---- functions ---- */

/* Locals are written as runs of one type. */
typedef struct LocalRuns {
    Buffer *runs; /* p->scratch */
    u32 nruns, count;
    size_t type, type_size; /* of the run that is not closed yet, in p->signature.params */
} LocalRuns;

static void close_run(Parser *p, LocalRuns *r) {
    if (r->count == 0) return;
    wr_put_u32(r->runs, r->count);
    wr_put_bytes(r->runs, p->signature.params.data + r->type, r->type_size);
    r->nruns++;
    r->count = 0;
}

static void read_local(Parser *p, LocalRuns *r) {
    Buffer *types = &p->signature.params;
    size_t start = types->size;
    wr_text_valtype(p, types);
    wr_text_check(p, types);
    if (p->t->error != NULL) return;
    size_t size = types->size - start;
    bool is_same = r->count > 0 && size == r->type_size &&
                   memcmp(types->data + r->type, types->data + start, size) == 0;
    if (is_same) {
        types->size = start;
    } else {
        close_run(p, r);
        r->type = start;
        r->type_size = size;
    }
    r->count++;
    p->nlocals++;
}

static void read_local_name(Parser *p) {
    Token id = p->t->token;
    wr_text_next(p->t);
    Name name = wr_text_name_for(p, &id);
    bool is_known = p->type < p->ntypes && p->types[p->type].is_func;
    if (!is_known) wr_text_fail(p->t, &id, "unknown type %u", (unsigned)p->type);
    wr_text_bind(p, NAMES_LOCAL, p->func, &id, p->nlocals);
    wr_text_add_name(p, &p->inner_locals, p->nlocals, name);
}

static void read_locals(Parser *p, Buffer *out) {
    LocalRuns r = {.runs = &p->scratch};
    p->scratch.size = p->signature.params.size = 0;
    while (wr_text_take_open(p->t, WORD_LOCAL)) {
        if (wr_text_is(p->t, TOKEN_ID)) {
            read_local_name(p);
            read_local(p, &r);
        } else {
            while (!wr_text_is(p->t, TOKEN_CLOSE) && p->t->error == NULL) read_local(p, &r);
        }
        wr_text_expect(p->t, TOKEN_CLOSE);
    }
    close_run(p, &r);
    wr_put_u32(out, r.nruns);
    wr_put_bytes(out, p->scratch.data, p->scratch.size);
    wr_text_check(p, &p->scratch);
}

static void read_body(Parser *p) {
    Buffer *out = begin_item(p, SECTION_CODE);
    p->body_start = wr_put_open(out);
    p->nbodies++;
    p->nlocals = p->type < p->ntypes && p->types[p->type].is_func ? p->types[p->type].nparams : 0;
    p->nlabels = p->depth = 0;
    read_locals(p, out);
    wr_text_expr(p, out);
    wr_text_close_hints(p);
    wr_put_close(out, p->body_start);
}

static void read_func(Parser *p, u32 index) {
    skip_id(p);
    p->func = index;
    inline_exports(p, EXT_FUNC, index);
    Buffer *import = inline_import(p);
    if (import != NULL) {
        read_externtype(p, import, EXT_FUNC);
    } else {
        p->type = wr_text_type_use(p, PARAMS_LOCALS);
        wr_put_u32(begin_item(p, SECTION_FUNC), p->type);
        read_body(p);
    }
    wr_text_close_names(p, &p->locals, index, &p->inner_locals);
    wr_text_close_names(p, &p->labels, index, &p->inner_labels);
    p->func = NONE_U32;
}

/* ---- offsets and element segments ---- */

enum { ELEM_NOT_ACTIVE = 1, ELEM_EXPLICIT = 2, ELEM_EXPRS = 4 };

static void put_zero_offset(Buffer *out, bool is_64) {
    wr_put_opcode(out, is_64 ? OP_I64_CONST : OP_I32_CONST);
    wr_put_u8(out, 0);
    wr_put_opcode(out, OP_END);
}

/* "(table x)" or "(memory x)", or just the number, as it was before there were passive segments; 0
 * if there is none. */
static u32 read_use(Parser *p, u32 word, TextSpace space) {
    if (wr_text_is(p->t, TOKEN_NAT)) return wr_text_index(p, space, 0);
    if (!wr_text_take_open(p->t, word)) return 0;
    u32 index = wr_text_index(p, space, 0);
    wr_text_expect(p->t, TOKEN_CLOSE);
    return index;
}

/* "(offset ...)" or one folded instruction. */
static void read_offset(Parser *p, Buffer *out) {
    if (wr_text_take_open(p->t, WORD_OFFSET)) {
        wr_text_expr(p, out);
        wr_text_expect(p->t, TOKEN_CLOSE);
    } else {
        wr_text_folded_expr(p, out);
    }
}

/* Function indices, up to ")": how many. `as_exprs`: each as an expression. */
static u32 read_func_items(Parser *p, Buffer *out, bool as_exprs) {
    u32 count = 0;
    for (; wr_text_is_index(p->t); count++) {
        if (as_exprs) wr_put_opcode(out, OP_REF_FUNC);
        wr_put_u32(out, wr_text_index(p, NAMES_FUNC, 0));
        if (as_exprs) wr_put_opcode(out, OP_END);
    }
    return count;
}

static u32 read_expr_items(Parser *p, Buffer *out) {
    u32 count = 0;
    for (; wr_text_is(p->t, TOKEN_OPEN) && p->t->error == NULL; count++) {
        if (wr_text_take_open(p->t, WORD_ITEM)) {
            wr_text_expr(p, out);
            wr_text_expect(p->t, TOKEN_CLOSE);
        } else {
            wr_text_folded_expr(p, out);
        }
    }
    return count;
}

/* An element segment while it is read: what its items are is known behind its offset. */
typedef struct ElemText {
    u32 flags, table;
    bool has_offset;
    TextRef type;
} ElemText;

/* A segment in the order of the binary format, whose offset and items have been written to `body`
 * from `offset` and `items` on. */
static void put_elem(Parser *p, const ElemText *e, const Buffer *body, size_t items, u32 count) {
    Buffer *out = begin_item(p, SECTION_ELEM);
    wr_put_u32(out, e->flags);
    bool is_active = (e->flags & ELEM_NOT_ACTIVE) == 0;
    if (is_active && (e->flags & ELEM_EXPLICIT) != 0) wr_put_u32(out, e->table);
    wr_put_bytes(out, body->data, items);
    if ((e->flags & (ELEM_NOT_ACTIVE | ELEM_EXPLICIT)) != 0) {
        if ((e->flags & ELEM_EXPRS) != 0)
            wr_put_ref(out, e->type);
        else
            wr_put_u8(out, 0); /* functions */
    }
    wr_put_u32(out, count);
    if (body->size > items) wr_put_bytes(out, body->data + items, body->size - items);
}

/* Which of the eight forms it is. */
static u32 active_flags(const ElemText *e, bool is_exprs) {
    bool is_short = e->table == 0 && (!is_exprs || wr_text_is_funcref(e->type));
    return (is_exprs ? (u32)ELEM_EXPRS : 0) | (is_short ? 0 : (u32)ELEM_EXPLICIT);
}

static void read_elem(Parser *p) {
    TextReader *t = p->t;
    Buffer *body = &p->body;
    ElemText e = {0};
    body->size = 0;
    skip_id(p);
    bool is_declared = wr_text_take_word(t, WORD_DECLARE);
    bool has_table = !is_declared && wr_text_head(t) == WORD_TABLE;
    if (!is_declared) e.table = read_use(p, WORD_TABLE, NAMES_TABLE);
    bool is_active = !is_declared && wr_text_is(t, TOKEN_OPEN) && !wr_text_is_reftype(t);
    if (is_active) read_offset(p, body);
    if (has_table && !is_active) wr_text_unexpected(t);
    size_t items = body->size;
    bool is_exprs = wr_text_is_reftype(t);
    if (is_exprs)
        e.type = wr_text_reftype(p);
    else if (!wr_text_take_word(t, WORD_FUNC) && (!is_active || has_table))
        wr_text_unexpected(t);
    u32 count = is_exprs ? read_expr_items(p, body) : read_func_items(p, body, false);
    if (is_active)
        e.flags = active_flags(&e, is_exprs);
    else
        e.flags = ELEM_NOT_ACTIVE | (is_declared ? ELEM_EXPLICIT : 0) | (is_exprs ? ELEM_EXPRS : 0);
    wr_text_check(p, body);
    if (t->error == NULL) put_elem(p, &e, body, items, count);
}

/* ---- tables ---- */

/* "reftype (elem ...)": a table of just that size, and the segment that fills it. */
static void inline_elem(Parser *p, u32 index, bool is_64) {
    TextReader *t = p->t;
    Buffer *body = &p->body;
    ElemText e = {.table = index};
    body->size = 0;
    e.type = wr_text_reftype(p);
    if (!wr_text_take_open(t, WORD_ELEM)) wr_text_unexpected(t);
    put_zero_offset(body, is_64);
    size_t items = body->size;
    bool is_funcs = wr_text_is_funcref(e.type) && !wr_text_is(t, TOKEN_OPEN);
    u32 count =
        wr_text_is(t, TOKEN_OPEN) ? read_expr_items(p, body) : read_func_items(p, body, !is_funcs);
    e.flags = active_flags(&e, !is_funcs);
    wr_text_expect(t, TOKEN_CLOSE);
    wr_text_check(p, body);
    if (t->error != NULL) return;
    Buffer *out = begin_item(p, SECTION_TABLE);
    wr_put_ref(out, e.type);
    wr_put_u8(out, (u8)(LIMITS_MAX | (is_64 ? LIMITS_64 : 0)));
    wr_put_u32(out, count);
    wr_put_u32(out, count);
    put_elem(p, &e, body, items, count);
}

static void read_table(Parser *p, u32 index) {
    TextReader *t = p->t;
    skip_id(p);
    inline_exports(p, EXT_TABLE, index);
    Buffer *out = inline_import(p);
    if (out != NULL) {
        read_externtype(p, out, EXT_TABLE);
        return;
    }
    bool is_64 = wr_text_is_64(p);
    if (!wr_text_is(t, TOKEN_NAT)) {
        inline_elem(p, index, is_64);
        return;
    }
    out = begin_item(p, SECTION_TABLE);
    p->body.size = 0;
    read_tabletype(p, &p->body, is_64);
    wr_text_check(p, &p->body);
    bool has_init = !wr_text_is(t, TOKEN_CLOSE);
    if (has_init) {
        wr_put_u8(out, CODE_EMPTY);
        wr_put_u8(out, 0);
    }
    wr_put_bytes(out, p->body.data, p->body.size);
    if (has_init) wr_text_expr(p, out);
}

/* ---- data segments and memories ---- */

/* "(i16 1 2)", "(v128 i32x4 ...)": behind the keyword of the type. */
static void read_numbers(Parser *p, Buffer *out, u32 word) {
    static const struct {
        u16 word;
        u8 size;
        bool is_float;
    } types[] = {{WORD_I8, 1, false},  {WORD_I16, 2, false}, {WORD_I32, 4, false},
                 {WORD_I64, 8, false}, {WORD_F32, 4, true},  {WORD_F64, 8, true}};
    u8 bytes[16];
    u32 i = 0;
    while (i < ARRAY_LEN(types) && types[i].word != word) i++;
    while (!wr_text_is(p->t, TOKEN_CLOSE) && p->t->error == NULL) {
        u32 size = i < ARRAY_LEN(types) ? types[i].size : 16;
        if (size == 16)
            wr_text_v128(p->t, bytes);
        else
            wr_text_number(p->t, types[i].is_float, size, bytes);
        wr_put_bytes(out, bytes, size);
    }
    wr_text_expect(p->t, TOKEN_CLOSE);
}

static bool is_number_type(u32 word) {
    return word == WORD_I8 || word == WORD_I16 || word == WORD_I32 || word == WORD_I64 ||
           word == WORD_F32 || word == WORD_F64 || word == WORD_V128;
}

/* Strings and lists of numbers, up to ")". */
static void read_bytes(Parser *p, Buffer *out) {
    TextReader *t = p->t;
    for (;;) {
        u32 head = wr_text_head(t);
        if (wr_text_is(t, TOKEN_STRING)) {
            Token token = t->token;
            wr_text_next(t);
            wr_text_put_string(p, out, &token);
        } else if (is_number_type(head)) {
            wr_text_next(t);
            wr_text_next(t);
            read_numbers(p, out, head);
        } else {
            return;
        }
        wr_text_check(p, out);
    }
}

static void read_data(Parser *p) {
    TextReader *t = p->t;
    Buffer *out = begin_item(p, SECTION_DATA);
    skip_id(p);
    bool has_memory = wr_text_is(t, TOKEN_NAT) || wr_text_head(t) == WORD_MEMORY;
    u32 memory = read_use(p, WORD_MEMORY, NAMES_MEMORY);
    bool is_active = has_memory || (wr_text_is(t, TOKEN_OPEN) && !is_number_type(wr_text_head(t)));
    wr_put_u32(out, !is_active ? 1 : memory == 0 ? 0 : 2);
    if (memory != 0) wr_put_u32(out, memory);
    if (is_active) read_offset(p, out);
    size_t start = wr_put_open(out);
    read_bytes(p, out);
    wr_put_close(out, start);
}

/* "(pagesize N)? (data ...)": a memory of just that size, and the segment that fills it. */
static void inline_data(Parser *p, u32 index, bool is_64) {
    TextReader *t = p->t;
    bool has_page_size = wr_text_head(t) == WORD_PAGESIZE;
    u32 page = read_page_size(p);
    if (!wr_text_take_open(t, WORD_DATA)) wr_text_unexpected(t);
    Buffer *data = begin_item(p, SECTION_DATA);
    wr_put_u32(data, index == 0 ? 0 : 2);
    if (index != 0) wr_put_u32(data, index);
    put_zero_offset(data, is_64);
    size_t start = wr_put_open(data);
    read_bytes(p, data);
    u64 size = data->size - start;
    wr_put_close(data, start);
    wr_text_expect(t, TOKEN_CLOSE);
    u64 pages = (size >> page) + ((size & (((u64)1 << page) - 1)) != 0);
    Buffer *out = begin_item(p, SECTION_MEMORY);
    wr_put_u8(out,
              (u8)(LIMITS_MAX | (is_64 ? LIMITS_64 : 0) | (has_page_size ? LIMITS_PAGE_SIZE : 0)));
    wr_put_u64(out, pages);
    wr_put_u64(out, pages);
    if (has_page_size) wr_put_u32(out, page);
}

static void read_memory(Parser *p, u32 index) {
    skip_id(p);
    inline_exports(p, EXT_MEMORY, index);
    Buffer *out = inline_import(p);
    if (out != NULL) {
        read_externtype(p, out, EXT_MEMORY);
        return;
    }
    bool is_64 = wr_text_is_64(p);
    if (wr_text_is(p->t, TOKEN_OPEN))
        inline_data(p, index, is_64);
    else
        read_memorytype(p, begin_item(p, SECTION_MEMORY), is_64);
}

/* ---- globals, tags, start ---- */

static void read_global(Parser *p, u32 index) {
    skip_id(p);
    inline_exports(p, EXT_GLOBAL, index);
    Buffer *out = inline_import(p);
    if (out != NULL) {
        read_externtype(p, out, EXT_GLOBAL);
        return;
    }
    out = begin_item(p, SECTION_GLOBAL);
    wr_text_globaltype(p, out);
    wr_text_expr(p, out);
}

static void read_tag(Parser *p, u32 index) {
    skip_id(p);
    inline_exports(p, EXT_TAG, index);
    Buffer *out = inline_import(p);
    if (out != NULL)
        read_externtype(p, out, EXT_TAG);
    else
        read_tagtype(p, begin_item(p, SECTION_TAG));
}

static void read_start(Parser *p, const Token *open) {
    if (p->sections[SECTION_START].count > 0) {
        wr_text_fail(p->t, open, "multiple start sections");
        return;
    }
    wr_put_u32(begin_item(p, SECTION_START), wr_text_index(p, NAMES_FUNC, 0));
}

void wr_text_field(Parser *p, const Field *field) {
    TextReader *t = p->t;
    wr_text_seek(t, &field->open);
    wr_text_next(t);
    wr_text_next(t);
    switch (field->word) {
    case WORD_IMPORT: read_import(p); break;
    case WORD_EXPORT: read_export(p); break;
    case WORD_FUNC: read_func(p, field->index); break;
    case WORD_TABLE: read_table(p, field->index); break;
    case WORD_MEMORY: read_memory(p, field->index); break;
    case WORD_GLOBAL: read_global(p, field->index); break;
    case WORD_TAG: read_tag(p, field->index); break;
    case WORD_START: read_start(p, &field->open); break;
    case WORD_ELEM: read_elem(p); break;
    case WORD_DATA: read_data(p); break;
    default: break;
    }
    wr_text_expect(t, TOKEN_CLOSE);
}
