/*
 * text_lex.h - tokens of the text format (spec: text/lexical, text/values). White space, comments
 * and annotations are skipped; who wants annotations is called back. Nothing is allocated or
 * copied: tokens point into the text, and a Lexer may be copied to come back to a place. Used
 * through text_reader.h, which adds lookahead and errors.
 */
#ifndef WR_TEXT_LEX_H
#define WR_TEXT_LEX_H

#include "base.h"
#include "opcode.h"

/* Keywords: an instruction's is its Opcode, others follow. */
typedef enum Word {
    WORD_FIRST = OP_COUNT - 1,
#define WORD(id, text) WORD_##id,
#include "text_words.def"
#undef WORD
    WORD_COUNT,
    WORD_UNKNOWN = WORD_COUNT
} Word;

/* The keyword that is this text, or WORD_UNKNOWN. */
u32 wr_word_find(const char *text, size_t size);

typedef enum TokenKind {
    TOKEN_END,       /* of the text; after an error too */
    TOKEN_OPEN,      /* ( */
    TOKEN_CLOSE,     /* ) */
    TOKEN_WORD,      /* a keyword: see Token.word */
    TOKEN_NAT,       /* 12, 0x1_f */
    TOKEN_INT,       /* the same with a sign */
    TOKEN_FLOAT,     /* 1.0, -inf, 0x1p3, nan:0x12 */
    TOKEN_STRING,    /* "...", quotes and escapes as they stand */
    TOKEN_ID,        /* $name, or $"..." */
    TOKEN_OFFSET,    /* offset=NAT */
    TOKEN_ALIGN,     /* align=NAT */
    TOKEN_RESERVED,  /* anything else: an error wherever it stands but in annotations */
    TOKEN_ANNOTATION /* (@name, in the contents of an annotation only: text is "(@name" */
} TokenKind;

typedef struct Token {
    u8 kind;    /* TokenKind */
    u16 word;   /* Opcode or Word, for TOKEN_WORD */
    u32 line;   /* 1 is the first */
    u32 column; /* in bytes; 1 is the first */
    u32 size;
    const char *start;
} Token;

/* An annotation, (@name ...): its contents are all checked for what annotations may hold. */
typedef struct Annotation {
    Token open;      /* "(@name" or "(@"name"", for its place */
    const char *end; /* after the closing parenthesis */
} Annotation;

typedef struct Lexer {
    const char *pos, *end;
    const char *line_start;
    u32 line;
    bool in_annotation; /* reading the contents of one: reserved words and nested ones are tokens */
    /* Called for every outermost annotation, when all of it has been read; may be NULL. */
    void (*annotation)(void *context, const Annotation *annotation);
    void *context;
    const char *error; /* static text in the suite's words, or NULL; then `at` is its place */
    Token at;
} Lexer;

/* At most TEXT_MAX bytes. */
#define TEXT_MAX ((size_t)UINT32_MAX - 1)
Lexer wr_lexer(const char *text, size_t size);
Token wr_lex_next(Lexer *l);

/* Reads the contents of an annotation: the tokens between its name and its closing parenthesis. */
Lexer wr_lexer_annotation(const Annotation *annotation);
/* Whether an annotation has this name, quoted or not. */
bool wr_annotation_is(const Annotation *annotation, const char *name);

/* The bytes that a TOKEN_STRING, or the quoted form of a TOKEN_ID, stands for: at most token->size
 * of them are written. Returns how many. */
size_t wr_token_unescape(const Token *token, u8 *out);

#endif
