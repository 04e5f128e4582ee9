/*
 * text_lex.c - see text_lex.h. A run of identifier characters and strings is one token, whatever it
 * is: tokens need white space or a parenthesis between them.
 */
#include "text_lex.h"

#include "utf8.h"

#define ANNOTATION_NAME_MAX 256u /* of a quoted name, in the text */

/* ---- keywords ---- */

/* By text, as strcmp() has them in order. */
static const u16 keywords[] = {
#include "text_keywords.inc"
};

static const char *word_text(u32 word) {
    static const char *const texts[] = {
#define WORD(id, text) text,
#include "text_words.def"
#undef WORD
    };
    return word < OP_COUNT ? wr_op_text((Opcode)word) : texts[word - OP_COUNT];
}

static int compare_keyword(const char *text, size_t size, u32 row) {
    const char *keyword = word_text(keywords[row]);
    int order = strncmp(text, keyword, size);
    return order != 0 ? order : keyword[size] == 0 ? 0 : -1;
}

u32 wr_word_find(const char *text, size_t size) {
    u32 low = 0, high = ARRAY_LEN(keywords);
    while (low < high) {
        u32 middle = (low + high) / 2;
        int order = compare_keyword(text, size, middle);
        if (order == 0) return keywords[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return WORD_UNKNOWN;
}

/* ---- characters ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static u32 hex_value(char c) { return is_digit(c) ? (u32)(c - '0') : ((u32)c | 0x20) - 'a' + 10; }

/* Printable ASCII that is not punctuation of the format. */
static bool is_idchar(char c) {
    if (c <= ' ' || c >= 0x7F) return false;
    switch (c) {
    case '"':
    case '(':
    case ')':
    case ',':
    case ';':
    case '[':
    case ']':
    case '{':
    case '}': return false;
    default: return true;
    }
}

static u32 column_of(const Lexer *l, const char *at) { return (u32)(at - l->line_start) + 1; }

static Token token_at(const Lexer *l, const char *start, TokenKind kind) {
    return (Token){.kind = (u8)kind,
                   .word = WORD_UNKNOWN,
                   .line = l->line,
                   .column = column_of(l, start),
                   .size = (u32)(l->pos - start),
                   .start = start};
}

COLD static void fail(Lexer *l, const Token *at, const char *message) {
    if (l->error != NULL) return;
    l->error = message;
    l->at = *at;
    l->pos = l->end;
}

/* The character at `pos` is none that may stand here. */
COLD static void fail_char(Lexer *l) {
    u32 ignored;
    size_t n = wr_utf8_char((const u8 *)l->pos, (size_t)(l->end - l->pos), &ignored);
    const char *start = l->pos;
    l->pos += n == 0 ? 1 : n;
    Token at = token_at(l, start, TOKEN_RESERVED);
    fail(l, &at, n == 0 ? "malformed UTF-8 encoding" : "illegal character");
}

/* Over one character of a comment, counting lines; false at one that is no UTF-8. */
static bool skip_char(Lexer *l) {
    char c = *l->pos;
    u32 ignored;
    size_t n =
        (u8)c < 0x80 ? 1 : wr_utf8_char((const u8 *)l->pos, (size_t)(l->end - l->pos), &ignored);
    if (n == 0) {
        fail_char(l);
        return false;
    }
    l->pos += n;
    bool is_return = c == '\r' && !(l->pos < l->end && *l->pos == '\n');
    if (c == '\n' || is_return) {
        l->line++;
        l->line_start = l->pos;
    }
    return true;
}

/* ---- white space and comments ---- */

static bool starts(const Lexer *l, const char *pos, char first, char second) {
    return l->end - pos >= 2 && pos[0] == first && pos[1] == second;
}

static void skip_line_comment(Lexer *l) {
    while (l->pos < l->end && *l->pos != '\n' && *l->pos != '\r')
        if (!skip_char(l)) return;
}

/* Block comments nest. */
static void skip_block_comment(Lexer *l) {
    const char *start = l->pos;
    l->pos += 2;
    Token open = token_at(l, start, TOKEN_OPEN);
    u32 depth = 1;
    while (depth > 0 && l->pos < l->end) {
        if (starts(l, l->pos, '(', ';')) {
            depth++;
            l->pos += 2;
        } else if (starts(l, l->pos, ';', ')')) {
            depth--;
            l->pos += 2;
        } else if (!skip_char(l)) {
            return;
        }
    }
    if (depth > 0) fail(l, &open, "unclosed comment");
}

static void skip_space(Lexer *l) {
    while (l->pos < l->end) {
        char c = *l->pos;
        if (c == ' ' || c == '\t')
            l->pos++;
        else if (c == '\n' || c == '\r')
            (void)skip_char(l);
        else if (starts(l, l->pos, ';', ';'))
            skip_line_comment(l);
        else if (starts(l, l->pos, '(', ';'))
            skip_block_comment(l);
        else
            return;
    }
}

/* ---- strings ---- */

/* \u{1F600}: a Unicode scalar value; *pos is behind the backslash. */
static bool scan_unicode_escape(const char **pos, const char *end, u32 *code_point) {
    const char *p = *pos + 1;
    if (end - p < 3 || *p++ != '{' || !is_hex(*p)) return false;
    u32 c = 0;
    for (; p < end && *p != '}'; p++) {
        bool is_separator = *p == '_' && is_hex(p[-1]) && end - p > 1 && is_hex(p[1]);
        if (is_separator) continue;
        if (!is_hex(*p)) return false;
        c = c << 4 | hex_value(*p);
        if (c > 0x10FFFF) return false;
    }
    if (p == end || (c >= 0xD800 && c < 0xE000)) return false;
    *code_point = c;
    *pos = p + 1;
    return true;
}

/* What follows a backslash. */
static bool scan_escape(const char **pos, const char *end) {
    const char *p = *pos;
    if (p == end) return false;
    u32 ignored;
    switch (*p) {
    case 't':
    case 'n':
    case 'r':
    case '"':
    case '\'':
    case '\\': *pos = p + 1; return true;
    case 'u': return scan_unicode_escape(pos, end, &ignored);
    default:
        if (end - p < 2 || !is_hex(p[0]) || !is_hex(p[1])) return false;
        *pos = p + 2;
        return true;
    }
}

/* From a quote to behind the closing one. Gives what is wrong, at *pos, or NULL. */
static const char *scan_string(const char **pos, const char *end) {
    const char *p = *pos + 1;
    while (p < end && *p != '"') {
        u32 ignored;
        size_t n = wr_utf8_char((const u8 *)p, (size_t)(end - p), &ignored);
        *pos = p;
        if (n == 0) return "malformed UTF-8 encoding";
        if (*p == '\n' || *p == '\r') return "unclosed string literal";
        if ((u8)*p < 0x20 || *p == 0x7F) return "illegal control character in string literal";
        p += n;
        if (p[-1] == '\\' && !scan_escape(&p, end)) return "illegal escape";
    }
    if (p == end) {
        *pos = p;
        return "unclosed string literal";
    }
    *pos = p + 1;
    return NULL;
}

static size_t encode_utf8(u32 c, u8 out[4]) {
    if (c < 0x80) {
        out[0] = (u8)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (u8)(0x80 | (c & 0x3F));
    out[0] = (u8)((0xF00u >> n & 0xFF) | c);
    return n;
}

/* One escape, behind its backslash; its bytes go to `out`. */
static size_t unescape(const char **pos, const char *end, u8 out[4]) {
    const char *p = *pos;
    u32 c = 0;
    switch (*p) {
    case 't': out[0] = '\t'; break;
    case 'n': out[0] = '\n'; break;
    case 'r': out[0] = '\r'; break;
    case '"':
    case '\'':
    case '\\': out[0] = (u8)*p; break;
    case 'u': (void)scan_unicode_escape(pos, end, &c); return encode_utf8(c, out);
    default:
        out[0] = (u8)(hex_value(p[0]) << 4 | hex_value(p[1]));
        *pos = p + 2;
        return 1;
    }
    *pos = p + 1;
    return 1;
}

size_t wr_token_unescape(const Token *token, u8 *out) {
    const char *p = token->start, *end = token->start + token->size - 1;
    while (*p != '"') p++; /* over `$` or `(@` */
    size_t size = 0;
    for (p++; p < end;) {
        if (*p != '\\') {
            out[size++] = (u8)*p++;
        } else {
            p++;
            u8 bytes[4];
            size_t n = unescape(&p, end, bytes);
            memcpy(out + size, bytes, n);
            size += n;
        }
    }
    return size;
}

/* ---- numbers ---- */

/* digit ('_'? digit)*: where it ends, or NULL when there is none. */
static const char *scan_digits(const char *p, const char *end, bool (*is)(char)) {
    if (p == end || !is(*p)) return NULL;
    while (p < end && (is(*p) || (*p == '_' && end - p > 1 && is(p[1])))) p++;
    return p;
}

static bool is_text(const char *p, const char *end, const char *text) {
    size_t size = strlen(text);
    return (size_t)(end - p) == size && memcmp(p, text, size) == 0;
}

static bool is_nan(const char *p, const char *end) {
    if (is_text(p, end, "nan")) return true;
    if (end - p < 7 || memcmp(p, "nan:0x", 6) != 0) return false;
    return scan_digits(p + 6, end, is_hex) == end;
}

/* What may follow the digits before the point of a float: all of it, or no number. */
static bool is_fraction(const char *p, const char *end, bool is_hexadecimal) {
    bool (*is)(char) = is_hexadecimal ? is_hex : is_digit;
    if (p < end && *p == '.') {
        p++;
        const char *digits = scan_digits(p, end, is);
        if (digits != NULL) p = digits;
    }
    if (p == end) return true;
    char exponent = (char)(*p | 0x20);
    if (exponent != (is_hexadecimal ? 'p' : 'e')) return false;
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    return scan_digits(p, end, is_digit) == end;
}

static TokenKind classify_number(const char *p, const char *end) {
    bool has_sign = *p == '+' || *p == '-';
    p += has_sign;
    if (is_text(p, end, "inf") || is_nan(p, end)) return TOKEN_FLOAT;
    bool is_hexadecimal = end - p > 2 && p[0] == '0' && p[1] == 'x';
    p = scan_digits(is_hexadecimal ? p + 2 : p, end, is_hexadecimal ? is_hex : is_digit);
    if (p == NULL) return TOKEN_RESERVED;
    if (p == end) return has_sign ? TOKEN_INT : TOKEN_NAT;
    return is_fraction(p, end, is_hexadecimal) ? TOKEN_FLOAT : TOKEN_RESERVED;
}

/* ---- tokens ---- */

static bool has_prefix(const Token *t, const char *prefix) {
    size_t size = strlen(prefix);
    return t->size > size && memcmp(t->start, prefix, size) == 0;
}

static bool is_assignment(const Token *t, const char *prefix) {
    if (!has_prefix(t, prefix)) return false;
    return classify_number(t->start + strlen(prefix), t->start + t->size) == TOKEN_NAT;
}

/* Of identifier characters only. */
static void classify(Token *t) {
    char first = t->start[0];
    if (first == '$' && t->size > 1) {
        t->kind = TOKEN_ID;
        return;
    }
    if (first >= 'a' && first <= 'z') {
        t->word = (u16)wr_word_find(t->start, t->size);
        if (t->word != WORD_UNKNOWN) {
            t->kind = TOKEN_WORD;
            return;
        }
        if (is_assignment(t, "offset=")) t->kind = TOKEN_OFFSET;
        if (is_assignment(t, "align=")) t->kind = TOKEN_ALIGN;
    }
    if (t->kind == TOKEN_RESERVED) t->kind = (u8)classify_number(t->start, t->start + t->size);
}

/* A string that is wrong, at l->pos; behind `$` it is the identifier that is. */
COLD static Token fail_string(Lexer *l, const char *start, const char *pos, const char *message) {
    bool is_id = *start == '$' && l->pos == start + 1;
    if (is_id) message = "empty identifier";
    Token at = token_at(l, start, TOKEN_RESERVED);
    if (!is_id) {
        at.start = pos;
        at.column = column_of(l, pos);
        at.size = pos < l->end;
    }
    fail(l, &at, message);
    return token_at(l, l->pos, TOKEN_END);
}

/* A run of identifier characters and strings. */
static Token scan_run(Lexer *l) {
    const char *start = l->pos;
    u32 strings = 0;
    while (l->pos < l->end) {
        if (*l->pos == '"') {
            const char *pos = l->pos;
            const char *message = scan_string(&pos, l->end);
            if (message != NULL) return fail_string(l, start, pos, message);
            l->pos = pos;
            strings++;
        } else if (is_idchar(*l->pos)) {
            l->pos++;
        } else {
            break;
        }
    }
    Token t = token_at(l, start, TOKEN_RESERVED);
    bool is_whole = strings == 1 && l->pos[-1] == '"';
    if (strings == 0)
        classify(&t);
    else if (is_whole && *start == '"')
        t.kind = TOKEN_STRING;
    else if (is_whole && start[0] == '$' && start[1] == '"')
        t.kind = TOKEN_ID;
    bool is_empty =
        (t.kind == TOKEN_ID && t.size == 3 && start[1] == '"') || (t.size == 1 && *start == '$');
    if (is_empty) fail(l, &t, "empty identifier");
    return t;
}

/* ---- annotations ---- */

/* "(@name" or "(@"name""; without a name it is an error, but for in an annotation. */
static Token scan_annotation_name(Lexer *l) {
    const char *start = l->pos;
    l->pos += 2;
    const char *pos = l->pos;
    if (pos < l->end && *pos == '"') {
        if (scan_string(&pos, l->end) == NULL && pos - l->pos > 2) l->pos = pos;
    } else {
        while (l->pos < l->end && is_idchar(*l->pos)) l->pos++;
    }
    Token t = token_at(l, start, TOKEN_ANNOTATION);
    if (t.size == 2 && !l->in_annotation) fail(l, &t, "empty annotation id");
    return t;
}

/* Punctuation that may stand in annotations. */
static bool is_mark(char c) {
    return c == ',' || c == ';' || c == '[' || c == ']' || c == '{' || c == '}';
}

/* What is wrong with a quoted name, or NULL. */
static const char *check_name(const Token *name) {
    if (name->start[2] != '"') return NULL;
    u8 bytes[ANNOTATION_NAME_MAX];
    if (name->size > sizeof bytes) return "annotation id too long";
    size_t size = wr_token_unescape(name, bytes);
    return wr_utf8_valid(bytes, size) ? NULL : "malformed UTF-8 encoding";
}

/* Over an annotation's contents, with what may stand in them; `open` is its name. */
static void skip_annotation(Lexer *l, const Token *open) {
    u32 depth = 1;
    l->in_annotation = true;
    while (depth > 0 && l->error == NULL) {
        Token t = wr_lex_next(l);
        if (t.kind == TOKEN_OPEN || t.kind == TOKEN_ANNOTATION)
            depth++;
        else if (t.kind == TOKEN_CLOSE)
            depth--;
        else if (t.kind == TOKEN_END && l->error == NULL)
            fail(l, open, "unclosed annotation");
    }
    l->in_annotation = false;
    const char *message = check_name(open);
    if (message != NULL) fail(l, open, message);
}

static void read_annotation(Lexer *l) {
    Annotation a = {.open = scan_annotation_name(l)};
    if (l->error != NULL) return;
    skip_annotation(l, &a.open);
    a.end = l->pos;
    if (l->error == NULL && l->annotation != NULL) l->annotation(l->context, &a);
}

Token wr_lex_next(Lexer *l) {
    for (;;) {
        skip_space(l);
        if (l->pos >= l->end) return token_at(l, l->pos, TOKEN_END);
        char c = *l->pos;
        if (starts(l, l->pos, '(', '@')) {
            if (l->in_annotation) return scan_annotation_name(l);
            read_annotation(l);
            continue;
        }
        if (c == '(' || c == ')') {
            l->pos++;
            return token_at(l, l->pos - 1, c == '(' ? TOKEN_OPEN : TOKEN_CLOSE);
        }
        if (c == '"' || is_idchar(c)) return scan_run(l);
        if (is_mark(c)) {
            l->pos++;
            return token_at(l, l->pos - 1, TOKEN_RESERVED);
        }
        fail_char(l);
    }
}

Lexer wr_lexer(const char *text, size_t size) {
    ASSERT(size <= TEXT_MAX);
    return (Lexer){.pos = text, .end = text + size, .line_start = text, .line = 1};
}

Lexer wr_lexer_annotation(const Annotation *a) {
    return (Lexer){.pos = a->open.start + a->open.size,
                   .end = a->end - 1,
                   .line_start = a->open.start - (a->open.column - 1),
                   .line = a->open.line,
                   .in_annotation = true};
}

bool wr_annotation_is(const Annotation *a, const char *name) {
    size_t size = strlen(name);
    if (a->open.start[2] != '"')
        return a->open.size == size + 2 && memcmp(a->open.start + 2, name, size) == 0;
    u8 bytes[ANNOTATION_NAME_MAX];
    return wr_token_unescape(&a->open, bytes) == size && memcmp(bytes, name, size) == 0;
}
