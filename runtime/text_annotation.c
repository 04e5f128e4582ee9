/*
 * text_annotation.c - annotations that mean something (spec: appendix/custom): @custom, @name and
 * @metadata.code.branch_hint; and the name section, of identifiers and @name.
 */
#include "text_module.h"
#include "utf8.h"

#define BRANCH_HINT "metadata.code.branch_hint"

void wr_text_note(void *parser, const Annotation *a) {
    Parser *p = parser;
    /* each pass comes by: the first counts */
    if (p->nnotes > 0 && a->open.start <= p->notes[p->nnotes - 1].annotation.open.start) return;
    Note note = {.annotation = *a};
    if (wr_annotation_is(a, "custom"))
        note.kind = NOTE_CUSTOM;
    else if (wr_annotation_is(a, "name"))
        note.kind = NOTE_NAME;
    else if (wr_annotation_is(a, BRANCH_HINT))
        note.kind = NOTE_BRANCH_HINT;
    else
        return;
    Note *place = wr_text_append(p, &p->notes, &p->nnotes, &p->cap_notes, sizeof note);
    if (place != NULL) *place = note;
}

/* Of a string that must be UTF-8; `annotation` words the error. */
static Name read_name(Parser *p, const Token *token, const char *annotation) {
    Name name = wr_text_string(p->t, token, &p->arena);
    if (name.data != NULL && !wr_utf8_valid((const u8 *)name.data, name.size))
        wr_text_fail(p->t, token, "@%s annotation: malformed UTF-8 encoding", annotation);
    return name;
}

/* ---- @custom ---- */

/* Sections in the order of the binary format, as placements name them. */
static const char *const section_names[] = {"type",      "import", "func",   "table", "memory",
                                            "tag",       "global", "export", "start", "elem",
                                            "datacount", "code",   "data"};
#define PLACE_LAST (2 * (u32)ARRAY_LEN(section_names) - 1)

static bool is_text(const Token *t, const char *text) {
    return t->size == strlen(text) && memcmp(t->start, text, t->size) == 0;
}

static bool find_section(const Token *t, u32 *rank) {
    for (*rank = 0; *rank < ARRAY_LEN(section_names); ++*rank)
        if (is_text(t, section_names[*rank])) return true;
    bool is_first = is_text(t, "first");
    *rank = is_first ? 0 : ARRAY_LEN(section_names) - 1;
    return is_first || is_text(t, "last");
}

/* "before SECTION)" or "after SECTION)". */
static u32 read_place(Parser *p, Lexer *l, const Token *at) {
    u32 rank = 0;
    Token direction = wr_lex_next(l);
    bool is_after = is_text(&direction, "after");
    if (!is_after && !is_text(&direction, "before")) {
        wr_text_fail(p->t, at, "@custom annotation: malformed placement");
        return 0;
    }
    Token section = wr_lex_next(l);
    if (!find_section(&section, &rank)) {
        wr_text_fail(p->t, at, "@custom annotation: malformed section kind");
        return 0;
    }
    Token close = wr_lex_next(l);
    if (close.kind != TOKEN_CLOSE)
        wr_text_fail(p->t, &close, "@custom annotation: unexpected token");
    return 2 * rank + is_after;
}

static void read_custom(Parser *p, const Annotation *a) {
    Lexer l = wr_lexer_annotation(a);
    Buffer *out = &p->customs_data;
    CustomText custom = {.place = PLACE_LAST, .start = out->size};
    Token token = wr_lex_next(&l);
    if (token.kind != TOKEN_STRING) {
        wr_text_fail(p->t, &a->open, "@custom annotation: missing section name");
        return;
    }
    wr_put_name(out, read_name(p, &token, "custom"));
    token = wr_lex_next(&l);
    if (token.kind == TOKEN_OPEN) {
        custom.place = read_place(p, &l, &token);
        token = wr_lex_next(&l);
    }
    for (; token.kind == TOKEN_STRING; token = wr_lex_next(&l)) wr_text_put_string(p, out, &token);
    if (token.kind != TOKEN_END) wr_text_fail(p->t, &token, "@custom annotation: unexpected token");
    custom.end = out->size;
    CustomText *place =
        wr_text_append(p, &p->customs, &p->ncustoms, &p->cap_customs, sizeof custom);
    if (place != NULL) *place = custom;
}

void wr_text_put_customs(Parser *p, Buffer *out, u32 place) {
    wr_text_check(p, &p->customs_data);
    if (p->t->error != NULL) return;
    for (u32 i = 0; i < p->ncustoms; i++) {
        const CustomText *c = &p->customs[i];
        if (c->place != place) continue;
        wr_put_u8(out, 0);
        wr_put_size(out, c->end - c->start);
        wr_put_bytes(out, p->customs_data.data + c->start, c->end - c->start);
    }
}

/* ---- @name ---- */

static Name read_name_annotation(Parser *p, const Annotation *a) {
    Lexer l = wr_lexer_annotation(a);
    Token token = wr_lex_next(&l);
    if (token.kind != TOKEN_STRING) {
        wr_text_fail(p->t, &a->open, "@name annotation: string expected");
        return (Name){NULL, 0};
    }
    Name name = read_name(p, &token, "name");
    token = wr_lex_next(&l);
    if (token.kind != TOKEN_END) wr_text_fail(p->t, &token, "@name annotation: unexpected token");
    return name;
}

/* The first note at or behind a place. */
static u32 find_note(const Parser *p, const char *from) {
    u32 low = 0, high = p->nnotes;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (p->notes[middle].annotation.open.start < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

Name wr_text_name_for(Parser *p, const Token *id) {
    const TextReader *t = p->t;
    for (u32 i = find_note(p, t->last); i < p->nnotes && t->error == NULL; i++) {
        Note *note = &p->notes[i];
        if (note->annotation.open.start >= t->token.start) break;
        if (note->kind != NOTE_NAME || note->is_used) continue;
        note->is_used = true;
        return read_name_annotation(p, &note->annotation);
    }
    return id == NULL || t->error != NULL ? (Name){NULL, 0} : wr_text_id(p->t, id, &p->arena);
}

/* ---- placement ---- */

static void place_module_name(Parser *p, Note *note) {
    note->is_used = true;
    if (p->has_module_name)
        wr_text_fail(p->t, &note->annotation.open, "@name annotation: multiple module names");
    p->module_name = read_name_annotation(p, &note->annotation);
    p->has_module_name = true;
}

static void place_note(Parser *p, Note *note, const Field *around, bool is_first) {
    const Token *at = &note->annotation.open;
    switch ((NoteKind)note->kind) {
    case NOTE_CUSTOM:
        note->is_used = true;
        if (around != NULL)
            wr_text_fail(p->t, at, "misplaced @custom annotation");
        else
            read_custom(p, &note->annotation);
        break;
    case NOTE_NAME:
        if (is_first) place_module_name(p, note);
        break;
    case NOTE_BRANCH_HINT:
        if (around == NULL || around->word != WORD_FUNC)
            wr_text_fail(p->t, at, "@" BRANCH_HINT " annotation: not in a function");
        break;
    }
}

void wr_text_module_notes(Parser *p) {
    u32 next = 0;
    for (u32 i = 0; i < p->nnotes && p->t->error == NULL; i++) {
        const char *start = p->notes[i].annotation.open.start;
        while (next < p->nfields && p->fields[next].end <= start) next++;
        const Field *around = next < p->nfields ? &p->fields[next] : NULL;
        bool is_first = next == 0 && (around == NULL || start < around->open.start);
        if (around != NULL && start < around->open.start) around = NULL;
        place_note(p, &p->notes[i], around, is_first);
    }
}

void wr_text_check_notes(Parser *p) {
    for (u32 i = 0; i < p->nnotes && p->t->error == NULL; i++) {
        const Note *note = &p->notes[i];
        if (note->is_used) continue;
        if (note->kind == NOTE_NAME)
            wr_text_fail(p->t, &note->annotation.open, "misplaced @name annotation");
        else
            wr_text_fail(p->t, &note->annotation.open,
                         "@" BRANCH_HINT " annotation: invalid placement");
    }
}

/* ---- branch hints ---- */

static int read_hint(Parser *p, const Annotation *a) {
    Lexer l = wr_lexer_annotation(a);
    p->scratch.size = 0;
    Token token = wr_lex_next(&l);
    for (; token.kind == TOKEN_STRING; token = wr_lex_next(&l))
        wr_text_put_string(p, &p->scratch, &token);
    if (token.kind != TOKEN_END)
        wr_text_fail(p->t, &token, "@" BRANCH_HINT " annotation: unexpected token");
    wr_text_check(p, &p->scratch);
    if (p->t->error != NULL) return -1;
    if (p->scratch.size == 1 && p->scratch.data[0] <= 1) return p->scratch.data[0];
    wr_text_fail(p->t, &a->open, "@" BRANCH_HINT " annotation: invalid hint value");
    return -1;
}

int wr_text_take_hint(Parser *p) {
    const TextReader *t = p->t;
    int hint = -1;
    for (; p->next_hint < p->nnotes; p->next_hint++) {
        Note *note = &p->notes[p->next_hint];
        const Token *at = &note->annotation.open;
        if (at->start >= t->token.start) break;
        if (note->kind != NOTE_BRANCH_HINT || at->start < t->last) continue;
        if (hint >= 0) wr_text_fail(p->t, at, "@" BRANCH_HINT " annotation: duplicate annotation");
        hint = read_hint(p, &note->annotation);
        note->is_used = true;
    }
    return hint;
}

void wr_text_put_hint(Parser *p, const Buffer *out, Opcode op, int hint, const Token *at) {
    if (hint < 0) return;
    if (op != OP_IF && op != OP_BR_IF) {
        if (p->invalid == NULL)
            p->invalid = wr_text_error(p->t, WR_ERROR_INVALID, at,
                                       "@" BRANCH_HINT " annotation: invalid target");
        return;
    }
    wr_put_size(&p->func_hints, out->size - p->body_start);
    wr_put_u32(&p->func_hints, 1); /* byte */
    wr_put_u8(&p->func_hints, (u8)hint);
    p->nfunc_hints++;
}

void wr_text_close_hints(Parser *p) {
    if (p->nfunc_hints == 0) return;
    wr_put_u32(&p->hints, p->func);
    wr_put_u32(&p->hints, p->nfunc_hints);
    wr_put_bytes(&p->hints, p->func_hints.data, p->func_hints.size);
    wr_text_check(p, &p->func_hints);
    p->func_hints.size = p->nfunc_hints = 0;
    p->nhinted++;
}

void wr_text_put_hints(Parser *p, Buffer *out) {
    if (p->nhinted == 0) return;
    wr_text_check(p, &p->hints);
    wr_put_u8(out, 0);
    size_t start = wr_put_open(out);
    wr_put_name(out, (Name){BRANCH_HINT, sizeof BRANCH_HINT - 1});
    wr_put_u32(out, p->nhinted);
    wr_put_bytes(out, p->hints.data, p->hints.size);
    wr_put_close(out, start);
}

/* ---- the name section ---- */

void wr_text_add_name(Parser *p, NameMapText *map, u32 index, Name name) {
    if (!p->options->names || name.data == NULL || p->t->error != NULL) return;
    wr_put_u32(&map->entries, index);
    wr_put_name(&map->entries, name);
    map->count++;
    wr_text_check(p, &map->entries);
}

void wr_text_close_names(Parser *p, NameMapText *map, u32 index, NameMapText *inner) {
    if (inner->count == 0) return;
    wr_put_u32(&map->entries, index);
    wr_put_u32(&map->entries, inner->count);
    wr_put_bytes(&map->entries, inner->entries.data, inner->entries.size);
    wr_text_check(p, &map->entries);
    map->count++;
    inner->count = 0;
    inner->entries.size = 0;
}

static void put_map(Buffer *out, u8 id, const NameMapText *map) {
    if (map->count == 0) return;
    wr_put_u8(out, id);
    size_t start = wr_put_open(out);
    wr_put_u32(out, map->count);
    wr_put_bytes(out, map->entries.data, map->entries.size);
    wr_put_close(out, start);
}

static void put_module_name(Buffer *out, Name name) {
    if (name.data == NULL) return;
    wr_put_u8(out, 0);
    size_t start = wr_put_open(out);
    wr_put_name(out, name);
    wr_put_close(out, start);
}

/* Whether the text has a name section of its own, as a custom section. */
static bool has_name_section(const Parser *p) {
    for (u32 i = 0; i < p->ncustoms; i++) {
        const CustomText *c = &p->customs[i];
        if (c->end - c->start >= 5 && memcmp(p->customs_data.data + c->start, "\4name", 5) == 0)
            return true;
    }
    return false;
}

/* Subsections in the order of their ids. */
void wr_text_put_names(Parser *p, Buffer *out) {
    if (!p->options->names || has_name_section(p)) return;
    const NameMapText *maps[] = {NULL,
                                 &p->names[NAMES_FUNC],
                                 &p->locals,
                                 &p->labels,
                                 &p->names[NAMES_TYPE],
                                 &p->names[NAMES_TABLE],
                                 &p->names[NAMES_MEMORY],
                                 &p->names[NAMES_GLOBAL],
                                 &p->names[NAMES_ELEM],
                                 &p->names[NAMES_DATA],
                                 &p->fields_names,
                                 &p->names[NAMES_TAG]};
    size_t before = out->size;
    wr_put_u8(out, 0);
    size_t start = wr_put_open(out);
    wr_put_name(out, (Name){"name", 4});
    size_t empty = out->size;
    put_module_name(out, p->module_name);
    for (u8 id = 1; id < ARRAY_LEN(maps); id++) put_map(out, id, maps[id]);
    if (out->size == empty)
        out->size = before;
    else
        wr_put_close(out, start);
}
