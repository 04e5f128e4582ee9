/*
 * text_parse.h - modules in the text format (spec: text/modules), encoded as they are parsed.
 *
 * The parser checks what makes text malformed, and nothing that makes a module invalid: that is
 * found when the bytes are loaded.
 */
#ifndef WR_TEXT_PARSE_H
#define WR_TEXT_PARSE_H

#include "text_reader.h"

typedef enum TextForm {
    TEXT_MODULE,  /* (module ...): `bytes` is its binary */
    TEXT_BINARY,  /* (module binary "..."): `bytes` is what the strings say */
    TEXT_QUOTE,   /* (module quote "..."): `bytes` is the text that the strings say */
    TEXT_INSTANCE /* (module instance $id? $definition?): no bytes */
} TextForm;

typedef struct TextModule {
    TextForm form;
    bool is_definition; /* (module definition ...): not to be instantiated */
    Token open;         /* its opening parenthesis */
    Name id;            /* of the module, or of the instance; data NULL = none */
    Name definition; /* TEXT_INSTANCE: what to make an instance of; data NULL = the last module */
    u8 *bytes;       /* own, allocated by `alloc`; NULL when empty */
    size_t size;
    Error *invalid; /* own: well-formed, but an annotation makes it invalid; NULL otherwise */
} TextModule;

typedef struct BodyPlace BodyPlace; /* text_module.h */

typedef struct TextOptions {
    const Alloc *alloc;
    bool names;         /* append a name section made of the identifiers */
    bool narrow_limits; /* limits are u32 unless "i64" says otherwise, as before 64-bit memories */
    BodyPlace *place;   /* wr_text_locate()'s; else NULL */
} TextOptions;

/* At "(" of "(module ...)", to behind its ")". Fields without "(module" around them are a module up
 * to the end of the text. Identifiers go to `arena` where they must be copied. After an error
 * (t->error) `out` holds nothing to free. */
void wr_text_module(TextReader *t, const TextOptions *options, Arena *arena, TextModule *out);

/* A whole text: one module, its fields without "(module", or (module binary ...) and (module
 * quote ...). The bytes are the caller's to free by `alloc`. */
NODISCARD Error *wr_text_to_binary(const TextOptions *options, const char *text, size_t size,
                                   const char *file, u8 **bytes, size_t *binary_size);

/* An error about the bytes that this text became: if it is an error of validation in a function's code, one
 * that says the same and points at the instruction in the text; else the error itself. Takes it. */
Error *wr_text_locate(const TextOptions *options, const char *text, size_t size, const char *file,
                      const u8 *bytes, size_t binary_size, Error *error);

/* "(" of a constant that scripts have as argument or result, already taken, at its keyword:
 * T.const, with the number or the lanes of a v128, little-endian in bits[0..size); to before ")".
 * Gives the Opcode; OP_INVALID when the word is no T.const: then nothing is taken. */
Opcode wr_text_const(TextReader *t, u8 bits[16], u32 *size);
/* A heap type that is no index: "func"; NONE_U32 when the word is none, and nothing is taken. */
u32 wr_text_heap(TextReader *t);

#endif
