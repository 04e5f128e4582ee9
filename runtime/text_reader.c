/*
 * text_reader.c - see text_reader.h.
 */
#include "text_reader.h"

#include <stdarg.h>
#include <stdio.h>

#include "text_number.h"
#include "utf8.h"

/* ---- errors ---- */

Error *wr_text_error(TextReader *t, wr_error_kind_t kind, const Token *at, const char *message) {
    TextPlace place = {.file = t->file,
                       .line = at->line,
                       .column = at->column,
                       .size = at->size,
                       .line_start = at->start - (at->column - 1),
                       .end = t->end};
    return wr_error_in_text(kind, &place, message);
}

/* Nothing is read any more. */
static void stop(TextReader *t, Error *error) {
    t->error = error;
    t->token.kind = TOKEN_END;
    t->has_ahead = false;
    t->lexer.pos = t->lexer.end;
}

void wr_text_fail(TextReader *t, const Token *at, const char *format, ...) {
    if (t->error != NULL) return;
    char message[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    stop(t, wr_text_error(t, WR_ERROR_MALFORMED, at, message));
}

void wr_text_fail_memory(TextReader *t) {
    if (t->error == NULL) stop(t, ERROR_OOM);
}

void wr_text_unexpected(TextReader *t) {
    const Token *token = &t->token;
    Token end = t->before.start == NULL ? *token : t->before; /* not lines further down */
    end.start += end.size;
    end.column += end.size;
    end.size = 0;
    int shown = token->size < 200 ? (int)token->size : 200;
    if (token->kind == TOKEN_RESERVED)
        wr_text_fail(t, token, "unknown operator %.*s", shown, token->start);
    else if (token->kind == TOKEN_END)
        wr_text_fail(t, &end, "unexpected token: the text ends here");
    else
        wr_text_fail(t, token, "unexpected token %.*s", shown, token->start);
}

/* ---- tokens ---- */

static Token lex(TextReader *t) {
    Token token = wr_lex_next(&t->lexer);
    if (UNLIKELY(t->lexer.error != NULL)) {
        wr_text_fail(t, &t->lexer.at, "%s", t->lexer.error);
        return t->token;
    }
    return token;
}

void wr_text_open(TextReader *t, const char *text, size_t size, const char *file) {
    *t = (TextReader){.lexer = wr_lexer(text, size),
                      .last = text,
                      .text = text,
                      .end = text + size,
                      .file = file};
    t->token = lex(t);
}

void wr_text_next(TextReader *t) {
    if (t->error != NULL) return;
    t->last = t->token.start + t->token.size;
    t->before = t->token;
    t->token = t->has_ahead ? t->ahead : lex(t);
    t->has_ahead = false;
}

void wr_text_seek(TextReader *t, const Token *to) {
    if (t->error != NULL) return;
    t->lexer.pos = to->start;
    t->lexer.line = to->line;
    t->lexer.line_start = to->start - (to->column - 1);
    t->has_ahead = false;
    t->last = to->start;
    t->token = lex(t);
}

TokenKind wr_text_peek(TextReader *t) {
    if (!t->has_ahead && t->error == NULL) {
        Token ahead = lex(t);
        t->has_ahead = t->error == NULL;
        if (t->has_ahead) t->ahead = ahead;
    }
    return t->has_ahead ? (TokenKind)t->ahead.kind : TOKEN_END;
}

u32 wr_text_head(TextReader *t) {
    if (t->token.kind != TOKEN_OPEN || wr_text_peek(t) != TOKEN_WORD) return WORD_UNKNOWN;
    return t->ahead.word;
}

bool wr_text_take(TextReader *t, TokenKind kind) {
    if (t->token.kind != kind) return false;
    wr_text_next(t);
    return true;
}

bool wr_text_take_word(TextReader *t, u32 word) {
    if (!wr_text_is_word(t, word)) return false;
    wr_text_next(t);
    return true;
}

bool wr_text_take_open(TextReader *t, u32 word) {
    if (wr_text_head(t) != word) return false;
    wr_text_next(t);
    wr_text_next(t);
    return true;
}

void wr_text_expect(TextReader *t, TokenKind kind) {
    if (!wr_text_take(t, kind)) wr_text_unexpected(t);
}

void wr_text_expect_word(TextReader *t, u32 word) {
    if (!wr_text_take_word(t, word)) wr_text_unexpected(t);
}

void wr_text_skip(TextReader *t) {
    for (u32 depth = 1; depth > 0 && t->error == NULL; wr_text_next(t)) {
        if (t->token.kind == TOKEN_OPEN) depth++;
        if (t->token.kind == TOKEN_CLOSE) depth--;
        if (t->token.kind == TOKEN_END) wr_text_unexpected(t);
    }
}

/* ---- strings and numbers ---- */

/* Bytes between the quotes that need no unescaping are taken as they stand. */
Name wr_text_string(TextReader *t, const Token *token, Arena *arena) {
    bool is_id = token->kind == TOKEN_ID;
    const char *start = token->start + is_id;
    u32 size = token->size - is_id;
    if (*start != '"') return (Name){start, size};
    if (memchr(start, '\\', size) == NULL) return (Name){start + 1, size - 2};
    u8 *bytes = wr_arena_new(arena, size, 1);
    if (bytes == NULL) {
        wr_text_fail_memory(t);
        return (Name){NULL, 0};
    }
    return (Name){(const char *)bytes, (u32)wr_token_unescape(token, bytes)};
}

Name wr_text_name(TextReader *t, const Token *token, Arena *arena) {
    Name name = wr_text_string(t, token, arena);
    if (name.data == NULL || wr_utf8_valid((const u8 *)name.data, name.size)) return name;
    wr_text_fail(t, token, "malformed UTF-8 encoding");
    return (Name){NULL, 0};
}

Name wr_text_id(TextReader *t, const Token *token, Arena *arena) {
    return wr_text_name(t, token, arena);
}

u64 wr_text_read_nat(TextReader *t, u32 bits) {
    u64 value = 0;
    if (t->token.kind != TOKEN_NAT)
        wr_text_unexpected(t);
    else if (!wr_text_nat(&t->token, bits, &value))
        wr_text_fail(t, &t->token, "i%u constant out of range", (unsigned)bits);
    wr_text_next(t);
    return t->error == NULL ? value : 0;
}
