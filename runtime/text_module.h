/*
 * text_module.h - inside the parser of modules: what its files share.
 *
 * A module's text is read three times. The first pass walks its fields, gives every definition its
 * index, binds identifiers and notes annotations. The second encodes the types that are written as
 * such, so that a type use anywhere can be compared with them. The third encodes all other fields,
 * each into the buffer of its section; types that are only used inline are appended to the types
 * then.
 */
#ifndef WR_TEXT_MODULE_H
#define WR_TEXT_MODULE_H

#include "binary.h"
#include "encode.h"
#include "text_parse.h"

/* What identifiers and other keys are looked up in. */
typedef enum TextSpace {
    NAMES_TYPE,
    NAMES_FUNC,
    NAMES_TABLE,
    NAMES_MEMORY,
    NAMES_GLOBAL,
    NAMES_TAG,
    NAMES_ELEM,
    NAMES_DATA,
    NAMES_MODULE_COUNT,               /* those above: one of each in a module */
    NAMES_FIELD = NAMES_MODULE_COUNT, /* scope: the type's index */
    NAMES_LOCAL,                      /* scope: the function's index; so are labels */
    NAMES_LABEL,
    NAMES_SIGNATURE /* keys are the bytes of a function type's parameters and results */
} TextSpace;

/* ---- symbols (text_symbols.c): one hash table for all spaces ---- */

typedef struct Symbol {
    Name name; /* data NULL: free */
    u32 space, scope, hash, value;
} Symbol;

typedef struct Symbols {
    const Alloc *alloc;
    Symbol *slots; /* a power of 2 of them, at most half in use */
    u32 capacity, count;
} Symbols;

void wr_symbols_init(Symbols *s, const Alloc *alloc);
void wr_symbols_free(Symbols *s);
/* NULL when there is none. Valid until the next addition. */
Symbol *wr_symbols_find(const Symbols *s, u32 space, u32 scope, Name name);
/* The symbol, new with value NONE_U32 if there was none; NULL when out of memory. */
NODISCARD Symbol *wr_symbols_add(Symbols *s, u32 space, u32 scope, Name name);

/* ---- the parser ---- */

/* A name map of the name section: entries of index and name, or of index and an inner map. */
typedef struct NameMapText {
    Buffer entries;
    u32 count;
} NameMapText;

/* Annotations that mean something, in the order of the text. */
typedef enum NoteKind { NOTE_CUSTOM, NOTE_NAME, NOTE_BRANCH_HINT } NoteKind;
typedef struct Note {
    Annotation annotation;
    u8 kind; /* NoteKind */
    bool is_used;
} Note;

/* A custom section: where it stands is before (2 * rank) or after (2 * rank + 1) a section. */
typedef struct CustomText {
    u32 place;
    size_t start, end; /* in Parser.customs_data: name and contents, encoded */
} CustomText;

/* A field of the module, as the first pass found it. */
typedef struct Field {
    Token open;
    const char *end; /* behind its closing parenthesis */
    u32 word, index; /* keyword; index of what it defines, or of its first type */
} Field;

/* A defined type, as far as the text of other definitions depends on it. */
typedef struct TypeText {
    bool is_func;
    u32 nparams;
    size_t start, end; /* of parameters and results in the type section, if it is a function type */
} TypeText;

/* Parameters and results, encoded, while they are read. */
typedef struct Signature {
    Buffer params, results;
    u32 nparams, nresults;
} Signature;

typedef struct Frame Frame; /* an instruction whose text is not complete (text_instr.c) */

typedef struct Section {
    Buffer bytes;
    u32 count; /* of items */
} Section;

/* A place in the code, as it is in the binary format, and the token that it comes from. */
struct BodyPlace {
    u32 body;      /* 1 and up, in the order of the code section */
    size_t offset; /* in the body, behind its size */
    Token token;   /* kind TOKEN_END: not found */
};

typedef struct Parser {
    TextReader *t;
    const TextOptions *options;
    const Alloc *alloc;
    Error *invalid; /* own: what makes the module invalid */
    Arena arena;    /* identifiers that had to be unescaped, keys */
    Symbols symbols;

    u32 counts[NAMES_MODULE_COUNT]; /* how many there are, imports included */
    const char *last_definition;    /* no import may follow one: "function", or NULL */
    bool uses_data; /* a data segment's index occurs in code: their number comes before it */
    Field *fields;
    u32 nfields, cap_fields;
    TypeText *types;
    u32 ntypes, cap_types;
    Section sections[SECTION_TOTAL]; /* by id; the contents without the count */
    Signature signature;
    Buffer scratch, body; /* short-lived, and while a segment or table is read */

    /* The function that is read */
    u32 func; /* NONE_U32 in constant expressions */
    u32 type, nlocals;
    size_t body_start; /* in the code section */
    u32 nlabels;       /* so far, named or not: ordinals for the name section */
    u32 depth;         /* labels in scope */
    Frame *frames;
    u32 nframes, cap_frames;
    Buffer deferred; /* folded instructions whose operands are not all there yet */
    u32 nbodies;     /* read so far, this one included */

    /* Annotations and names (text_annotation.c) */
    Note *notes;
    u32 nnotes, cap_notes;
    u32 next_hint;
    CustomText *customs;
    u32 ncustoms, cap_customs;
    Buffer customs_data;
    Buffer hints; /* the branch hints section's functions */
    Buffer func_hints;
    u32 nhinted, nfunc_hints;
    Name module_name; /* an @name annotation's, else the identifier */
    bool has_module_name;
    NameMapText names[NAMES_MODULE_COUNT];
    NameMapText locals, labels, fields_names; /* of functions; of types */
    NameMapText inner_locals, inner_labels, inner_fields;
} Parser;

/* Grows an array of the parser's by one; NULL after an error. */
void *wr_text_append(Parser *p, void *array_pointer, u32 *count, u32 *capacity, size_t size);
/* Makes an error of a buffer's having run out of memory. */
void wr_text_check(Parser *p, const Buffer *b);
/* The bytes that a string stands for. */
void wr_text_put_string(Parser *p, Buffer *out, const Token *token);

/* ---- indices and identifiers (text_symbols.c) ---- */

/* "function", as errors call it. */
const char *wr_text_space_name(TextSpace space);
/* Binds the identifier, unless there is one already: that is an error. */
void wr_text_bind(Parser *p, TextSpace space, u32 scope, const Token *id, u32 index);
/* Takes an index: a number as it is, or an identifier that must be bound. */
u32 wr_text_index(Parser *p, TextSpace space, u32 scope);
/* The same, or 0 when there is none. */
u32 wr_text_index_or_0(Parser *p, TextSpace space);

/* ---- types (text_types.c) ---- */

typedef struct TextHeap {
    bool is_index, is_exact;
    u8 code;
    u32 index;
} TextHeap;

typedef struct TextRef {
    bool is_nullable;
    TextHeap heap;
} TextRef;

/* What identifiers of parameters mean. */
typedef enum ParamNames { PARAMS_UNNAMED, PARAMS_IGNORED, PARAMS_LOCALS } ParamNames;

bool wr_text_is_reftype(TextReader *t);
TextHeap wr_text_heaptype(Parser *p);
TextRef wr_text_reftype(Parser *p);
bool wr_text_is_funcref(TextRef ref);
void wr_put_heap(Buffer *b, TextHeap heap);
void wr_put_ref(Buffer *b, TextRef ref);
void wr_text_valtype(Parser *p, Buffer *out);
void wr_text_globaltype(Parser *p, Buffer *out);
/* Takes "(param ...)"* "(result ...)"* into p->signature. */
void wr_text_signature(Parser *p, ParamNames names);
/* Takes a type use; gives the type's index. */
u32 wr_text_type_use(Parser *p, ParamNames names);
/* The same for a block: the whole block type is written. */
void wr_text_block_type(Parser *p, Buffer *out);
/* Fields "type" and "rec", at their keyword, to behind ")". */
void wr_text_type_field(Parser *p, u32 index);
void wr_text_rec_field(Parser *p, u32 index);
/* "i32" or "i64" before limits: whether it is the latter. */
bool wr_text_is_64(Parser *p);

/* ---- instructions (text_instr.c) ---- */

/* Instructions up to a ")" that closes none of them, and `end`. */
void wr_text_expr(Parser *p, Buffer *out);
/* One folded instruction, and `end`. */
void wr_text_folded_expr(Parser *p, Buffer *out);
void wr_text_free_frames(Parser *p);
/* A number of `size` bytes, little-endian. */
void wr_text_number(TextReader *t, bool is_float, u32 size, u8 *bytes);
/* The lanes of a v128: a shape's keyword and numbers, as 16 bytes. */
void wr_text_v128(TextReader *t, u8 bytes[16]);

/* ---- fields but types (text_fields.c) ---- */

void wr_text_field(Parser *p, const Field *field);

/* ---- annotations (text_annotation.c) ---- */

void wr_text_note(void *parser, const Annotation *annotation); /* the lexer's callback */
/* The name that an @name annotation right before the current token gives, else `id`'s. */
Name wr_text_name_for(Parser *p, const Token *id);
/* After the first pass: the module's own name, custom sections, and what is misplaced. */
void wr_text_module_notes(Parser *p);
/* Adds a name to a map, where names are asked for. */
void wr_text_add_name(Parser *p, NameMapText *map, u32 index, Name name);
/* Moves an inner map into a map, unless it is empty; it is empty then. */
void wr_text_close_names(Parser *p, NameMapText *map, u32 index, NameMapText *inner);
/* The branch hint right before the current token: 0 or 1; -1 if there is none. */
int wr_text_take_hint(Parser *p);
/* A hint for the instruction `op` that is encoded next. */
void wr_text_put_hint(Parser *p, const Buffer *out, Opcode op, int hint, const Token *at);
void wr_text_close_hints(Parser *p); /* of a function */
/* Errors for annotations that nothing has used. */
void wr_text_check_notes(Parser *p);
void wr_text_put_customs(Parser *p, Buffer *out, u32 place);
void wr_text_put_hints(Parser *p, Buffer *out);
void wr_text_put_names(Parser *p, Buffer *out);

#endif
