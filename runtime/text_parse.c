/*
 * text_parse.c - modules in the text format: the passes over the fields (text_module.h says which),
 * and the binary put together from the sections.
 */
#include "text_parse.h"

#include "decode.h"
#include "text_module.h"

/* ---- memory ---- */

void *wr_text_append(Parser *p, void *array_pointer, u32 *count, u32 *capacity, size_t size) {
    if (p->t->error != NULL) return NULL;
    if (!wr_grow_array(p->alloc, array_pointer, capacity, (u64)*count + 1, NONE_U32 - 1, size)) {
        wr_text_fail_memory(p->t);
        return NULL;
    }
    u8 *array;
    memcpy(&array, array_pointer, sizeof array);
    return array + size * (*count)++;
}

void wr_text_check(Parser *p, const Buffer *b) {
    if (UNLIKELY(b->failed)) wr_text_fail_memory(p->t);
}

static void put_string(TextReader *t, Buffer *out, const Token *token) {
    if (memchr(token->start, '\\', token->size) == NULL) {
        wr_put_bytes(out, token->start + 1, token->size - 2);
    } else {
        u8 *place = wr_put_room(out, token->size);
        if (place != NULL) out->size += wr_token_unescape(token, place);
    }
    if (out->failed) wr_text_fail_memory(t);
}

void wr_text_put_string(Parser *p, Buffer *out, const Token *token) {
    put_string(p->t, out, token);
}

/* Every buffer of the parser, for all of them to be made and freed alike. */
static Buffer *each_buffer(Parser *p, u32 i) {
    Buffer *const single[] = {&p->signature.params,
                              &p->signature.results,
                              &p->scratch,
                              &p->body,
                              &p->deferred,
                              &p->customs_data,
                              &p->hints,
                              &p->func_hints,
                              &p->locals.entries,
                              &p->labels.entries,
                              &p->fields_names.entries,
                              &p->inner_locals.entries,
                              &p->inner_labels.entries,
                              &p->inner_fields.entries};
    if (i < ARRAY_LEN(single)) return single[i];
    i -= (u32)ARRAY_LEN(single);
    if (i < SECTION_TOTAL) return &p->sections[i].bytes;
    i -= SECTION_TOTAL;
    return i < NAMES_MODULE_COUNT ? &p->names[i].entries : NULL;
}

static void init_parser(Parser *p, TextReader *t, const TextOptions *options) {
    *p = (Parser){.t = t, .options = options, .alloc = options->alloc, .func = NONE_U32};
    wr_arena_init(&p->arena, p->alloc);
    wr_symbols_init(&p->symbols, p->alloc);
    Buffer *b;
    for (u32 i = 0; (b = each_buffer(p, i)) != NULL; i++) wr_buffer_init(b, p->alloc, BUFFER_MAX);
}

static void free_parser(Parser *p) {
    Buffer *b;
    for (u32 i = 0; (b = each_buffer(p, i)) != NULL; i++) wr_buffer_free(b);
    wr_symbols_free(&p->symbols);
    wr_arena_free(&p->arena);
    wr_free(p->alloc, p->fields, p->cap_fields * sizeof *p->fields);
    wr_free(p->alloc, p->types, p->cap_types * sizeof *p->types);
    wr_text_free_frames(p);
    wr_free(p->alloc, p->notes, p->cap_notes * sizeof *p->notes);
    wr_free(p->alloc, p->customs, p->cap_customs * sizeof *p->customs);
}

/* ---- the first pass ---- */

/* The identifier of a definition or import, which gets the next index. */
static u32 bind_next(Parser *p, TextSpace space) {
    TextReader *t = p->t;
    u32 index = p->counts[space]++;
    Token id = t->token;
    bool has_id = wr_text_take(t, TOKEN_ID);
    Name name = wr_text_name_for(p, has_id ? &id : NULL);
    if (has_id) wr_text_bind(p, space, 0, &id, index);
    wr_text_add_name(p, &p->names[space], index, name);
    return index;
}

/* The space of what may be imported; NAMES_MODULE_COUNT for other keywords. */
static TextSpace extern_space(u32 word) {
    switch (word) {
    case WORD_FUNC: return NAMES_FUNC;
    case WORD_TABLE: return NAMES_TABLE;
    case WORD_MEMORY: return NAMES_MEMORY;
    case WORD_GLOBAL: return NAMES_GLOBAL;
    case WORD_TAG: return NAMES_TAG;
    default: return NAMES_MODULE_COUNT;
    }
}

static void check_import_order(Parser *p, const Token *at) {
    if (p->last_definition != NULL)
        wr_text_fail(p->t, at, "import after %s definition", p->last_definition);
}

static void scan_import(Parser *p, const Token *open) {
    TextReader *t = p->t;
    check_import_order(p, open);
    wr_text_expect(t, TOKEN_STRING);
    wr_text_expect(t, TOKEN_STRING);
    TextSpace space = extern_space(wr_text_head(t));
    wr_text_expect(t, TOKEN_OPEN);
    if (space == NAMES_MODULE_COUNT) {
        wr_text_unexpected(t);
        return;
    }
    wr_text_next(t);
    (void)bind_next(p, space);
    wr_text_skip(t);
}

/* To before ")" of a field; whether "(word" is one of its parts. */
static bool skip_parts(TextReader *t, u32 word) {
    bool is_found = false;
    while (!wr_text_is(t, TOKEN_CLOSE) && t->error == NULL) {
        if (wr_text_is(t, TOKEN_END)) wr_text_unexpected(t);
        if (wr_text_head(t) == word) is_found = true;
        if (wr_text_take(t, TOKEN_OPEN))
            wr_text_skip(t);
        else
            wr_text_next(t);
    }
    return is_found;
}

/* Tables and memories may have their segment inside, which then is the next one. */
static u32 scan_definition(Parser *p, TextSpace space, const Token *open) {
    TextReader *t = p->t;
    u32 index = bind_next(p, space);
    while (wr_text_take_open(t, WORD_EXPORT)) wr_text_skip(t);
    if (wr_text_head(t) == WORD_IMPORT)
        check_import_order(p, open);
    else
        p->last_definition = wr_text_space_name(space);
    if (space == NAMES_TABLE && skip_parts(t, WORD_ELEM)) p->counts[NAMES_ELEM]++;
    if (space == NAMES_MEMORY && skip_parts(t, WORD_DATA)) p->counts[NAMES_DATA]++;
    return index;
}

static u32 scan_rec(Parser *p) {
    u32 first = p->counts[NAMES_TYPE];
    while (wr_text_take_open(p->t, WORD_TYPE)) {
        (void)bind_next(p, NAMES_TYPE);
        wr_text_skip(p->t);
    }
    return first;
}

/* What a field binds; to somewhere within it. */
static u32 scan_contents(Parser *p, u32 word, const Token *open) {
    switch (word) {
    case WORD_TYPE: return bind_next(p, NAMES_TYPE);
    case WORD_REC: return scan_rec(p);
    case WORD_ELEM: return bind_next(p, NAMES_ELEM);
    case WORD_DATA: return bind_next(p, NAMES_DATA);
    case WORD_IMPORT: scan_import(p, open); return 0;
    case WORD_EXPORT:
    case WORD_START: return 0;
    default: return scan_definition(p, extern_space(word), open);
    }
}

static bool is_field(u32 word) {
    return word == WORD_TYPE || word == WORD_REC || word == WORD_ELEM || word == WORD_DATA ||
           word == WORD_IMPORT || word == WORD_EXPORT || word == WORD_START ||
           extern_space(word) != NAMES_MODULE_COUNT;
}

static void scan_field(Parser *p) {
    TextReader *t = p->t;
    Field field = {.open = t->token, .word = wr_text_head(t)};
    wr_text_next(t);
    if (!is_field(field.word)) {
        wr_text_unexpected(t);
        return;
    }
    wr_text_next(t);
    field.index = scan_contents(p, field.word, &field.open);
    wr_text_skip(t);
    field.end = t->last;
    Field *place = wr_text_append(p, &p->fields, &p->nfields, &p->cap_fields, sizeof field);
    if (place != NULL) *place = field;
}

/* ---- the other passes ---- */

static void encode_types(Parser *p) {
    TextReader *t = p->t;
    for (u32 i = 0; i < p->nfields && t->error == NULL; i++) {
        const Field *f = &p->fields[i];
        if (f->word != WORD_TYPE && f->word != WORD_REC) continue;
        wr_text_seek(t, &f->open);
        wr_text_next(t);
        wr_text_next(t);
        if (f->word == WORD_TYPE)
            wr_text_type_field(p, f->index);
        else
            wr_text_rec_field(p, f->index);
    }
}

static void encode_fields(Parser *p) {
    for (u32 i = 0; i < p->nfields && p->t->error == NULL; i++) {
        u32 word = p->fields[i].word;
        if (word != WORD_TYPE && word != WORD_REC) wr_text_field(p, &p->fields[i]);
    }
}

/* ---- the module ---- */

static void put_section(Parser *p, Buffer *out, u8 id) {
    Section *s = &p->sections[id];
    wr_text_check(p, &s->bytes);
    if (s->count == 0) return;
    wr_put_u8(out, id);
    size_t start = wr_put_open(out);
    if (id != SECTION_START) wr_put_u32(out, s->count);
    wr_put_bytes(out, s->bytes.data, s->bytes.size);
    wr_put_close(out, start);
}

static void put_data_count(Parser *p, Buffer *out) {
    if (!p->uses_data) return;
    wr_put_u8(out, SECTION_DATA_COUNT);
    size_t start = wr_put_open(out);
    wr_put_u32(out, p->sections[SECTION_DATA].count);
    wr_put_close(out, start);
}

static void put_module(Parser *p, Buffer *out) {
    static const u8 header[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const u8 order[] = {SECTION_TYPE,   SECTION_IMPORT, SECTION_FUNC,       SECTION_TABLE,
                               SECTION_MEMORY, SECTION_TAG,    SECTION_GLOBAL,     SECTION_EXPORT,
                               SECTION_START,  SECTION_ELEM,   SECTION_DATA_COUNT, SECTION_CODE,
                               SECTION_DATA};
    wr_put_bytes(out, header, sizeof header);
    for (u32 rank = 0; rank < ARRAY_LEN(order); rank++) {
        wr_text_put_customs(p, out, 2 * rank);
        if (order[rank] == SECTION_CODE) wr_text_put_hints(p, out);
        if (order[rank] == SECTION_DATA_COUNT)
            put_data_count(p, out);
        else
            put_section(p, out, order[rank]);
        wr_text_put_customs(p, out, 2 * rank + 1);
    }
    wr_text_put_names(p, out);
    wr_text_check(p, out);
}

/* Fields up to what is no "(". */
static void read_fields(Parser *p, TokenKind close, Buffer *out) {
    TextReader *t = p->t;
    while (wr_text_is(t, TOKEN_OPEN)) scan_field(p);
    if (!wr_text_is(t, close)) wr_text_unexpected(t);
    Token end = t->token;
    wr_text_module_notes(p);
    encode_types(p);
    encode_fields(p);
    wr_text_check_notes(p);
    if (t->error == NULL) put_module(p, out);
    wr_text_seek(t, &end);
}

/* ---- the forms of a module ---- */

/* Strings up to ")". */
static void read_strings(Parser *p, Buffer *out) {
    while (wr_text_is(p->t, TOKEN_STRING)) {
        Token token = p->t->token;
        wr_text_next(p->t);
        wr_text_put_string(p, out, &token);
    }
}

static Name take_id(TextReader *t, Arena *arena) {
    if (!wr_text_is(t, TOKEN_ID)) return (Name){NULL, 0};
    Token id = t->token;
    wr_text_next(t);
    return wr_text_id(t, &id, arena);
}

/* Behind "(module". */
static void read_form(Parser *p, Arena *arena, TextModule *m, Buffer *out) {
    TextReader *t = p->t;
    m->is_definition = wr_text_take_word(t, WORD_DEFINITION);
    if (!m->is_definition && wr_text_take_word(t, WORD_INSTANCE)) {
        m->form = TEXT_INSTANCE;
        m->id = take_id(t, arena);
        m->definition = take_id(t, arena);
        if (m->definition.data == NULL) { /* one identifier alone is the definition's */
            m->definition = m->id;
            m->id = (Name){NULL, 0};
        }
        return;
    }
    m->id = p->module_name = take_id(t, arena);
    if (wr_text_take_word(t, WORD_BINARY)) {
        m->form = TEXT_BINARY;
        read_strings(p, out);
    } else if (wr_text_take_word(t, WORD_QUOTE)) {
        m->form = TEXT_QUOTE;
        read_strings(p, out);
    } else {
        read_fields(p, TOKEN_CLOSE, out);
    }
}

/* So that annotations before the first token are seen. */
static void rewind_to_start(TextReader *t) {
    const Token start = {.start = t->text, .line = 1, .column = 1};
    if (t->last == t->text) wr_text_seek(t, &start);
}

static void read_any(Parser *p, Arena *arena, TextModule *m, Buffer *out) {
    TextReader *t = p->t;
    t->lexer.annotation = wr_text_note;
    t->lexer.context = p;
    bool is_inline = wr_text_head(t) != WORD_MODULE;
    if (is_inline) {
        rewind_to_start(t);
        read_fields(p, TOKEN_END, out);
    } else {
        wr_text_next(t);
        wr_text_next(t);
        read_form(p, arena, m, out);
    }
    t->lexer.annotation = NULL;
    if (!is_inline) wr_text_expect(t, TOKEN_CLOSE);
}

/* After an error. */
static void drop_module(const TextOptions *options, TextModule *m) {
    if (m->bytes != NULL) wr_free(options->alloc, m->bytes, m->size);
    wr_error_delete(m->invalid);
    m->bytes = NULL;
    m->size = 0;
    m->invalid = NULL;
}

void wr_text_module(TextReader *t, const TextOptions *options, Arena *arena, TextModule *m) {
    Parser p;
    Buffer out;
    *m = (TextModule){.form = TEXT_MODULE, .open = t->token};
    init_parser(&p, t, options);
    wr_buffer_init(&out, options->alloc, BUFFER_MAX);
    read_any(&p, arena, m, &out);
    free_parser(&p);
    if (t->error == NULL && out.size != 0) {
        m->size = out.size;
        m->bytes = wr_buffer_take(&out);
        if (m->bytes == NULL) wr_text_fail_memory(t);
    }
    wr_buffer_free(&out);
    m->invalid = p.invalid;
    if (t->error != NULL) drop_module(options, m);
}

/* ---- whole texts ---- */

static Error *read_text(const TextOptions *options, const char *text, size_t size, const char *file,
                        bool is_quoted, TextModule *m) {
    TextReader t;
    Arena arena;
    *m = (TextModule){0};
    if (size > TEXT_MAX)
        return wr_error_at(WR_ERROR_MALFORMED, NO_OFFSET, "%s: text too large", file);
    wr_arena_init(&arena, options->alloc);
    wr_text_open(&t, text, size, file);
    wr_text_module(&t, options, &arena, m);
    if (m->form == TEXT_INSTANCE || (is_quoted && m->form != TEXT_MODULE))
        wr_text_fail(&t, &m->open, "unexpected token: no module");
    if (t.error == NULL && !wr_text_is(&t, TOKEN_END)) wr_text_unexpected(&t);
    Error *error = t.error != NULL ? t.error : m->invalid;
    m->invalid = t.error != NULL ? m->invalid : NULL;
    if (error != NULL) drop_module(options, m);
    wr_arena_free(&arena);
    return error;
}

Error *wr_text_to_binary(const TextOptions *options, const char *text, size_t size,
                         const char *file, u8 **bytes, size_t *binary_size) {
    TextModule m, quoted = {0};
    *bytes = NULL;
    *binary_size = 0;
    Error *error = read_text(options, text, size, file, false, &m);
    if (error == NULL && m.form == TEXT_QUOTE) {
        quoted = m;
        error = read_text(options, quoted.size == 0 ? "" : (const char *)quoted.bytes, quoted.size,
                          file, true, &m);
        wr_free(options->alloc, quoted.bytes, quoted.size);
    }
    if (error != NULL) return error;
    *bytes = m.bytes;
    *binary_size = m.size;
    return NULL;
}

/* ---- errors of validation ---- */

#define CODE_SECTION 10u

/* Which body of the code section the offset lies in; false if in none. */
static bool find_body(const u8 *bytes, size_t size, u64 offset, BodyPlace *place) {
    Reader r = {.pos = bytes + 8, .end = bytes + size, .base = bytes};
    while (size > 8 && r.pos < r.end && r.error == NULL) {
        u32 id = wr_read_u8(&r), length = wr_read_u32(&r);
        u32 count = id == CODE_SECTION && r.error == NULL ? wr_read_u32(&r) : 0;
        for (u32 i = 1; i <= count && r.error == NULL; i++) {
            length = wr_read_u32(&r);
            u64 start = (u64)(r.pos - bytes);
            *place = (BodyPlace){.body = i, .offset = (size_t)(offset - start)};
            if (offset >= start && offset < start + length) return r.error == NULL;
            (void)wr_read_bytes(&r, length);
        }
        if (id != CODE_SECTION) (void)wr_read_bytes(&r, length);
    }
    wr_error_delete(r.error);
    return false;
}

Error *wr_text_locate(const TextOptions *options, const char *text, size_t size, const char *file,
                      const u8 *bytes, size_t binary_size, Error *error) {
    u64 offset;
    BodyPlace place = {0};
    TextModule m;
    TextReader t;
    bool found = error != NULL && wr_error_kind(error) == WR_ERROR_INVALID &&
                 wr_error_offset(error, &offset) && wr_error_place(error) == NULL &&
                 find_body(bytes, binary_size, offset, &place);
    if (!found) return error;
    TextOptions again = *options;
    again.place = &place;
    place.token.kind = TOKEN_END;
    wr_error_delete(read_text(&again, text, size, file, false, &m));
    bool is_text = m.form == TEXT_MODULE && place.token.kind != TOKEN_END;
    drop_module(options, &m);
    if (!is_text) return error;
    wr_text_open(&t, text, size, file);
    Error *located = wr_text_error(&t, WR_ERROR_INVALID, &place.token, wr_error_message(error));
    wr_error_delete(t.error);
    wr_error_delete(error);
    return located;
}
