/*
 * text_reader.h - reading the text format token by token: one token of lookahead, and the first
 * error. Like Reader for bytes it is sticky: after an error the token is TOKEN_END and nothing
 * matches, so parsers read straight down. The module parser and the script runner stand on it.
 */
#ifndef WR_TEXT_READER_H
#define WR_TEXT_READER_H

#include "arena.h"
#include "error.h"
#include "module.h"
#include "text_lex.h"

typedef struct TextReader {
    Token token;      /* the current one */
    const char *last; /* end of the token before it */
    Token before;     /* the token before it, if one has been read */
    Lexer lexer;      /* after `token`, or after `ahead` when it is there */
    Token ahead;
    bool has_ahead;
    const char *text, *end;
    const char *file; /* name for errors, zero-terminated */
    Error *error;     /* own; the first one */
} TextReader;

/* The text must outlive the reader. Reads the first token. */
void wr_text_open(TextReader *t, const char *text, size_t size, const char *file);
/* To the next token. */
void wr_text_next(TextReader *t);

/* Each makes the first error only. `at` is the token to point at. */
void wr_text_fail(TextReader *t, const Token *at, const char *format, ...) PRINTF(3, 4) COLD;
void wr_text_fail_memory(TextReader *t) COLD;
/* An error at a token that does not end the reading. Never NULL. */
Error *wr_text_error(TextReader *t, wr_error_kind_t kind, const Token *at,
                     const char *message) COLD;
/* "unexpected token", or "unknown operator X" where the current one is no token at all. */
void wr_text_unexpected(TextReader *t) COLD;

INLINE bool wr_text_is(const TextReader *t, TokenKind kind) { return t->token.kind == kind; }
INLINE bool wr_text_is_word(const TextReader *t, u32 word) {
    return t->token.kind == TOKEN_WORD && t->token.word == word;
}
/* An index: a number or an identifier. */
INLINE bool wr_text_is_index(const TextReader *t) {
    return t->token.kind == TOKEN_NAT || t->token.kind == TOKEN_ID;
}
/* Back to a token that has been read before, which becomes the current one. */
void wr_text_seek(TextReader *t, const Token *to);
/* What comes after the current token. */
TokenKind wr_text_peek(TextReader *t);
/* The keyword after an open parenthesis that is the current token; WORD_UNKNOWN if there is none.
 * */
u32 wr_text_head(TextReader *t);

/* Take the token if it is there. */
bool wr_text_take(TextReader *t, TokenKind kind);
bool wr_text_take_word(TextReader *t, u32 word);
bool wr_text_take_open(TextReader *t, u32 word); /* "(" word: both or neither */
/* The same, and an error otherwise. */
void wr_text_expect(TextReader *t, TokenKind kind);
void wr_text_expect_word(TextReader *t, u32 word);

/* From an open parenthesis, already taken, to behind its closing one. */
void wr_text_skip(TextReader *t);

/* What a string or an identifier (without `$`) stands for. The bytes are in the text itself where
 * nothing had to be unescaped, else in the arena, or a NULL pointer after an error. Names and
 * identifiers are checked to be UTF-8. */
Name wr_text_string(TextReader *t, const Token *token, Arena *arena);
Name wr_text_name(TextReader *t, const Token *token, Arena *arena);
Name wr_text_id(TextReader *t, const Token *token, Arena *arena);

/* The current token as a number below 2^bits: taken. "unexpected token", or "iN constant out of
 * range". */
u64 wr_text_read_nat(TextReader *t, u32 bits);

#endif
