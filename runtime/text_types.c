/*
 * text_types.c - types in the text format (spec: text/types), encoded as they are read. Type uses
 * are here too: which type an inline signature denotes is decided by comparing encodings, where
 * equal types have equal bytes because every form has only one.
 */
#include "text_module.h"

/* ---- value types ---- */

/* Heap types by their keyword, and the abbreviation of the nullable reference to each. */
static const struct {
    u16 heap, ref;
    u8 code, kind;
} heaps[] = {
    {WORD_FUNC, WORD_FUNCREF, 0x70, HEAP_FUNC},
    {WORD_EXTERN, WORD_EXTERNREF, 0x6F, HEAP_EXTERN},
    {WORD_ANY, WORD_ANYREF, 0x6E, HEAP_ANY},
    {WORD_EQ, WORD_EQREF, 0x6D, HEAP_EQ},
    {WORD_I31, WORD_I31REF, 0x6C, HEAP_I31},
    {WORD_STRUCT, WORD_STRUCTREF, 0x6B, HEAP_STRUCT},
    {WORD_ARRAY, WORD_ARRAYREF, 0x6A, HEAP_ARRAY},
    {WORD_EXN, WORD_EXNREF, 0x69, HEAP_EXN},
    {WORD_NONE, WORD_NULLREF, 0x71, HEAP_NONE},
    {WORD_NOEXTERN, WORD_NULLEXTERNREF, 0x72, HEAP_NOEXTERN},
    {WORD_NOFUNC, WORD_NULLFUNCREF, 0x73, HEAP_NOFUNC},
    {WORD_NOEXN, WORD_NULLEXNREF, 0x74, HEAP_NOEXN},
};

/* The row of the heap type, or of the reference type, that the current token names; or -1. */
static int find_heap(const TextReader *t, bool is_ref) {
    if (t->token.kind != TOKEN_WORD) return -1;
    for (u32 i = 0; i < ARRAY_LEN(heaps); i++)
        if (t->token.word == (is_ref ? heaps[i].ref : heaps[i].heap)) return (int)i;
    return -1;
}

u32 wr_text_heap(TextReader *t) {
    int row = find_heap(t, false);
    if (row < 0) return NONE_U32;
    wr_text_next(t);
    return heaps[row].kind;
}

static TextHeap index_heap(Parser *p, bool is_exact) {
    return (TextHeap){
        .is_index = true, .is_exact = is_exact, .index = wr_text_index(p, NAMES_TYPE, 0)};
}

TextHeap wr_text_heaptype(Parser *p) {
    TextReader *t = p->t;
    int row = find_heap(t, false);
    if (row >= 0) {
        wr_text_next(t);
        return (TextHeap){.code = heaps[row].code};
    }
    if (!wr_text_take_open(t, WORD_EXACT)) return index_heap(p, false);
    TextHeap heap = index_heap(p, true);
    wr_text_expect(t, TOKEN_CLOSE);
    return heap;
}

bool wr_text_is_reftype(TextReader *t) {
    return find_heap(t, true) >= 0 || wr_text_head(t) == WORD_REF;
}

TextRef wr_text_reftype(Parser *p) {
    TextReader *t = p->t;
    int row = find_heap(t, true);
    if (row >= 0) {
        wr_text_next(t);
        return (TextRef){.is_nullable = true, .heap = {.code = heaps[row].code}};
    }
    TextRef ref = {0};
    if (!wr_text_take_open(t, WORD_REF)) {
        wr_text_unexpected(t);
        return ref;
    }
    ref.is_nullable = wr_text_take_word(t, WORD_NULL);
    ref.heap = wr_text_heaptype(p);
    wr_text_expect(t, TOKEN_CLOSE);
    return ref;
}

bool wr_text_is_funcref(TextRef ref) {
    return ref.is_nullable && !ref.heap.is_index && ref.heap.code == CODE_FUNCREF;
}

void wr_put_heap(Buffer *b, TextHeap heap) {
    if (heap.is_exact) wr_put_u8(b, CODE_EXACT);
    if (heap.is_exact)
        wr_put_u32(b, heap.index);
    else if (heap.is_index)
        wr_put_s64(b, heap.index);
    else
        wr_put_u8(b, heap.code);
}

/* Nullable references to abstract types have the short form only. */
void wr_put_ref(Buffer *b, TextRef ref) {
    bool is_short = ref.is_nullable && !ref.heap.is_index;
    if (!is_short) wr_put_u8(b, ref.is_nullable ? CODE_REF_NULL : CODE_REF);
    wr_put_heap(b, ref.heap);
}

/* The code of a number or vector type, or of a packed one; 0 if the token is none. */
static u8 plain_code(const TextReader *t, bool is_storage) {
    static const struct {
        u16 word;
        u8 code;
    } codes[] = {{WORD_I32, CODE_I32}, {WORD_I64, CODE_I64},   {WORD_F32, CODE_F32},
                 {WORD_F64, CODE_F64}, {WORD_V128, CODE_V128}, {WORD_I8, CODE_I8},
                 {WORD_I16, CODE_I16}};
    u32 count = is_storage ? ARRAY_LEN(codes) : 5;
    for (u32 i = 0; i < count; i++)
        if (wr_text_is_word(t, codes[i].word)) return codes[i].code;
    return 0;
}

static void read_type(Parser *p, Buffer *out, bool is_storage) {
    u8 code = plain_code(p->t, is_storage);
    if (code == 0) {
        wr_put_ref(out, wr_text_reftype(p));
    } else {
        wr_put_u8(out, code);
        wr_text_next(p->t);
    }
}

void wr_text_valtype(Parser *p, Buffer *out) { read_type(p, out, false); }

/* "T" or "(mut T)": the type, then whether it is mutable. */
static void read_mutable(Parser *p, Buffer *out, bool is_storage) {
    bool is_mutable = wr_text_take_open(p->t, WORD_MUT);
    read_type(p, out, is_storage);
    if (is_mutable) wr_text_expect(p->t, TOKEN_CLOSE);
    wr_put_u8(out, is_mutable);
}

void wr_text_globaltype(Parser *p, Buffer *out) { read_mutable(p, out, false); }

bool wr_text_is_64(Parser *p) {
    if (wr_text_take_word(p->t, WORD_I32)) return false;
    return wr_text_take_word(p->t, WORD_I64);
}

/* ---- signatures ---- */

static void read_param_name(Parser *p, ParamNames names) {
    Token id = p->t->token;
    wr_text_next(p->t);
    Name name = wr_text_name_for(p, &id);
    if (names != PARAMS_LOCALS) return;
    wr_text_bind(p, NAMES_LOCAL, p->func, &id, p->signature.nparams);
    wr_text_add_name(p, &p->inner_locals, p->signature.nparams, name);
}

static void read_params(Parser *p, ParamNames names) {
    Signature *s = &p->signature;
    bool is_named = names != PARAMS_UNNAMED && wr_text_is(p->t, TOKEN_ID);
    if (is_named) {
        read_param_name(p, names);
        wr_text_valtype(p, &s->params);
        s->nparams++;
    }
    while (!is_named && !wr_text_is(p->t, TOKEN_CLOSE) && p->t->error == NULL) {
        wr_text_valtype(p, &s->params);
        s->nparams++;
    }
    wr_text_expect(p->t, TOKEN_CLOSE);
}

static void read_results(Parser *p) {
    Signature *s = &p->signature;
    while (!wr_text_is(p->t, TOKEN_CLOSE) && p->t->error == NULL) {
        wr_text_valtype(p, &s->results);
        s->nresults++;
    }
    wr_text_expect(p->t, TOKEN_CLOSE);
}

void wr_text_signature(Parser *p, ParamNames names) {
    Signature *s = &p->signature;
    s->params.size = s->results.size = 0;
    s->nparams = s->nresults = 0;
    while (wr_text_take_open(p->t, WORD_PARAM)) read_params(p, names);
    while (wr_text_take_open(p->t, WORD_RESULT)) read_results(p);
    u32 next = wr_text_head(p->t);
    if (next == WORD_PARAM || next == WORD_TYPE) { /* nowhere may one follow */
        wr_text_next(p->t);
        wr_text_unexpected(p->t);
    }
    wr_text_check(p, &s->params);
    wr_text_check(p, &s->results);
}

static void put_signature(Buffer *b, const Signature *s) {
    wr_put_u32(b, s->nparams);
    wr_put_bytes(b, s->params.data, s->params.size);
    wr_put_u32(b, s->nresults);
    wr_put_bytes(b, s->results.data, s->results.size);
}

/* ---- the type section ---- */

static Buffer *type_bytes(Parser *p) { return &p->sections[1].bytes; }

static Name signature_key(const Parser *p, const TypeText *type) {
    const Buffer *b = &p->sections[1].bytes;
    if (b->failed) return (Name){NULL, 0};
    return (Name){(const char *)b->data + type->start, (u32)(type->end - type->start)};
}

/* Makes inline signatures find the type, unless an earlier one is the same. */
static void register_signature(Parser *p, u32 index) {
    Name key = signature_key(p, &p->types[index]);
    wr_text_check(p, type_bytes(p));
    if (p->t->error != NULL) return;
    if (wr_symbols_find(&p->symbols, NAMES_SIGNATURE, 0, key) != NULL) return;
    key.data = wr_arena_copy(&p->arena, key.data, key.size);
    Symbol *symbol = key.data == NULL ? NULL : wr_symbols_add(&p->symbols, NAMES_SIGNATURE, 0, key);
    if (symbol == NULL)
        wr_text_fail_memory(p->t);
    else
        symbol->value = index;
}

static void add_type(Parser *p, TypeText type) {
    TypeText *place = wr_text_append(p, &p->types, &p->ntypes, &p->cap_types, sizeof type);
    if (place != NULL) *place = type;
}

static TypeText read_functype(Parser *p) {
    Buffer *out = type_bytes(p);
    wr_put_u8(out, CODE_FUNC);
    wr_text_signature(p, PARAMS_IGNORED);
    TypeText type = {.is_func = true, .nparams = p->signature.nparams, .start = out->size};
    put_signature(out, &p->signature);
    type.end = out->size;
    return type;
}

/* Fields of one "(field ...)"; behind its keyword. */
static u32 read_fields(Parser *p, u32 type, u32 count) {
    Buffer *out = type_bytes(p);
    if (wr_text_is(p->t, TOKEN_ID)) {
        Token id = p->t->token;
        wr_text_next(p->t);
        Name name = wr_text_name_for(p, &id);
        wr_text_bind(p, NAMES_FIELD, type, &id, count);
        wr_text_add_name(p, &p->inner_fields, count, name);
        read_mutable(p, out, true);
        count++;
    } else {
        for (; !wr_text_is(p->t, TOKEN_CLOSE) && p->t->error == NULL; count++)
            read_mutable(p, out, true);
    }
    wr_text_expect(p->t, TOKEN_CLOSE);
    return count;
}

/* A number that is known only behind what it goes before. */
static void insert_u32(Buffer *b, size_t start, u32 value) {
    size_t end = b->size;
    wr_put_u32(b, value);
    if (b->failed) return;
    u8 bytes[5];
    size_t n = b->size - end;
    memcpy(bytes, b->data + end, n);
    memmove(b->data + start + n, b->data + start, end - start);
    memcpy(b->data + start, bytes, n);
}

static void read_struct(Parser *p, u32 index) {
    Buffer *out = type_bytes(p);
    wr_put_u8(out, CODE_STRUCT);
    size_t start = out->size;
    u32 count = 0;
    while (wr_text_take_open(p->t, WORD_FIELD)) count = read_fields(p, index, count);
    insert_u32(out, start, count);
    wr_text_close_names(p, &p->fields_names, index, &p->inner_fields);
}

static TypeText read_comptype(Parser *p, u32 index) {
    TextReader *t = p->t;
    TypeText type = {0};
    if (wr_text_take_open(t, WORD_FUNC)) {
        type = read_functype(p);
    } else if (wr_text_take_open(t, WORD_STRUCT)) {
        read_struct(p, index);
    } else if (wr_text_take_open(t, WORD_ARRAY)) {
        wr_put_u8(type_bytes(p), CODE_ARRAY);
        read_mutable(p, type_bytes(p), true);
    } else {
        wr_text_unexpected(t);
    }
    wr_text_expect(t, TOKEN_CLOSE);
    return type;
}

/* "(describes x)"? "(descriptor x)"?; whether there was one. */
static bool read_descriptors(Parser *p) {
    static const struct {
        u32 word;
        u8 code;
    } clauses[] = {{WORD_DESCRIBES, CODE_DESCRIBES}, {WORD_DESCRIPTOR, CODE_DESCRIPTOR}};
    bool has_any = false;
    for (u32 i = 0; i < ARRAY_LEN(clauses); i++) {
        if (!wr_text_take_open(p->t, clauses[i].word)) continue;
        wr_put_u8(type_bytes(p), clauses[i].code);
        wr_put_u32(type_bytes(p), wr_text_index(p, NAMES_TYPE, 0));
        wr_text_expect(p->t, TOKEN_CLOSE);
        has_any = true;
    }
    return has_any;
}

/* "sub", taken: a final type without supertypes is written as if there were no "sub". Gives whether
 * it is such a one. */
static bool read_supers(Parser *p) {
    Buffer *out = type_bytes(p);
    bool is_final = wr_text_take_word(p->t, WORD_FINAL);
    size_t start = out->size;
    u32 count = 0;
    for (; wr_text_is_index(p->t); count++) wr_put_u32(out, wr_text_index(p, NAMES_TYPE, 0));
    if (is_final && count == 0) return true;
    insert_u32(out, start, count);
    u8 code = is_final ? CODE_SUB_FINAL : CODE_SUB;
    insert_u32(out, start, code);
    return false;
}

/* "(type $id? subtype)" behind its keyword, to behind ")"; gives whether an inline signature may
 * denote it when it is alone in its group. */
static bool read_type_definition(Parser *p, u32 index) {
    TextReader *t = p->t;
    if (wr_text_is(t, TOKEN_ID)) wr_text_next(t); /* the first pass has bound it */
    bool is_sub = wr_text_take_open(t, WORD_SUB);
    bool is_plain = !is_sub || read_supers(p);
    if (read_descriptors(p)) is_plain = false;
    TypeText type = read_comptype(p, index);
    if (is_sub) wr_text_expect(t, TOKEN_CLOSE);
    wr_text_expect(t, TOKEN_CLOSE);
    wr_text_check(p, type_bytes(p));
    add_type(p, type);
    return is_plain && type.is_func;
}

void wr_text_type_field(Parser *p, u32 index) {
    p->sections[1].count++;
    bool is_plain = read_type_definition(p, index);
    if (is_plain && p->t->error == NULL) register_signature(p, index);
}

void wr_text_rec_field(Parser *p, u32 index) {
    Buffer *out = type_bytes(p);
    p->sections[1].count++;
    wr_put_u8(out, CODE_REC);
    size_t start = out->size;
    u32 count = 0;
    bool is_plain = false;
    while (wr_text_take_open(p->t, WORD_TYPE)) is_plain = read_type_definition(p, index + count++);
    size_t before = out->size;
    insert_u32(out, start, count);
    for (u32 i = 0; i < count && p->t->error == NULL; i++) {
        p->types[index + i].start += out->size - before;
        p->types[index + i].end += out->size - before;
    }
    wr_text_expect(p->t, TOKEN_CLOSE);
    if (count == 1 && is_plain && p->t->error == NULL) register_signature(p, index);
}

/* ---- type uses ---- */

/* The type that the signature denotes: the first such, or a new one at the end. */
static u32 implicit_type(Parser *p) {
    p->scratch.size = 0;
    put_signature(&p->scratch, &p->signature);
    wr_text_check(p, &p->scratch);
    if (p->t->error != NULL) return 0;
    Name key = {(const char *)p->scratch.data, (u32)p->scratch.size};
    const Symbol *symbol = wr_symbols_find(&p->symbols, NAMES_SIGNATURE, 0, key);
    if (symbol != NULL) return symbol->value;
    Buffer *out = type_bytes(p);
    u32 index = p->ntypes;
    wr_put_u8(out, CODE_FUNC);
    TypeText type = {.is_func = true, .nparams = p->signature.nparams, .start = out->size};
    put_signature(out, &p->signature);
    type.end = out->size;
    p->sections[1].count++;
    add_type(p, type);
    if (p->t->error == NULL) register_signature(p, index);
    return index;
}

/* An inline signature beside "(type x)" must be that type's. */
static void check_signature(Parser *p, const Token *at, u32 index) {
    if (p->signature.nparams == 0 && p->signature.nresults == 0) return;
    if (index >= p->ntypes) {
        wr_text_fail(p->t, at, "unknown type %u", (unsigned)index);
        return;
    }
    const TypeText *type = &p->types[index];
    if (!type->is_func) {
        wr_text_fail(p->t, at, "non-function type %u", (unsigned)index);
        return;
    }
    p->scratch.size = 0;
    put_signature(&p->scratch, &p->signature);
    wr_text_check(p, &p->scratch);
    if (p->t->error != NULL) return;
    Name inlined = {(const char *)p->scratch.data, (u32)p->scratch.size};
    if (wr_name_compare(inlined, signature_key(p, type)) != 0)
        wr_text_fail(p->t, at, "inline function type does not match explicit type");
}

/* "(type x)": whether it is there. */
static bool read_explicit(Parser *p, Token *at, u32 *index) {
    if (!wr_text_take_open(p->t, WORD_TYPE)) return false;
    *at = p->t->token;
    *index = wr_text_index(p, NAMES_TYPE, 0);
    wr_text_expect(p->t, TOKEN_CLOSE);
    return true;
}

u32 wr_text_type_use(Parser *p, ParamNames names) {
    Token at;
    u32 index = 0;
    bool is_explicit = read_explicit(p, &at, &index);
    wr_text_signature(p, names);
    if (!is_explicit) return implicit_type(p);
    check_signature(p, &at, index);
    return index;
}

void wr_text_block_type(Parser *p, Buffer *out) {
    Token at;
    u32 index = 0;
    const Signature *s = &p->signature;
    bool is_explicit = read_explicit(p, &at, &index);
    wr_text_signature(p, PARAMS_UNNAMED);
    if (is_explicit) {
        check_signature(p, &at, index);
        wr_put_s64(out, index);
    } else if (s->nparams == 0 && s->nresults == 0) {
        wr_put_u8(out, CODE_EMPTY);
    } else if (s->nparams == 0 && s->nresults == 1) {
        wr_put_bytes(out, s->results.data, s->results.size);
    } else {
        wr_put_s64(out, implicit_type(p));
    }
}
