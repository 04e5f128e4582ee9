/*
 * linker_state.h - what the files of the linker share: linker.c (the whole, and the output), linker_object.c
 * (reading ELF, symbols), linker_relocate.c (references), linker_frame.c (unwind rules, landing pads),
 * linker_line.c (offsets of instructions), linker_scope.c (functions and what was inlined into them),
 * linker_image.c (what a memory holds at first).
 *
 * Addresses of the output are places in the file (format.h): the file is mapped as it is.
 */
#ifndef WR_LINKER_STATE_H
#define WR_LINKER_STATE_H

#include "arena.h"
#include "artifact_image.h"
#include "linker.h"

/* ELF64, little-endian: what of it is used. */
#define SHF_WRITE 1u
#define SHF_ALLOC 2u
#define SHF_EXECINSTR 4u
#define SHT_RELA 4u
#define SHT_NOBITS 8u
#define STB_LOCAL 0u
#define STB_WEAK 2u
#define RELA_SIZE 24u
#define SYMBOL_SIZE 24u

typedef struct Section {
    const char *name;
    const u8 *data; /* SHT_NOBITS: NULL */
    u64 size;
    u32 type;
    u64 flags;
    u32 align;
    const u8 *rela; /* its relocations, nrela of them */
    u32 nrela;
    u32 place; /* in the output; 0: not there */
} Section;

typedef struct Object {
    u32 number; /* for errors */
    Section *sections;
    u32 nsections;
    const u8 *symbols;
    u32 nsymbols;
    const char *names; /* of symbols, ends with a zero */
    u64 names_size;
} Object;

typedef struct ObjectSymbol {
    const char *name;
    u32 section; /* 0: undefined */
    u8 binding;
    u64 value, size;
} ObjectSymbol;

typedef struct Relocation {
    u64 offset; /* in the section */
    u32 type, symbol;
    i64 addend;
} Relocation;

/* Rows of the tables, before they are sorted and written. */
typedef struct Row {
    u32 columns[4];
} Row;
typedef struct Rows {
    Row *rows;
    u32 count, capacity;
} Rows;

typedef struct Bytes {
    u8 *data;
    u32 size, capacity;
} Bytes;

/* Where f, t and the thunks are; 0: nowhere. */
typedef struct Spot {
    u32 place, size;
} Spot;
enum { THUNK_ENTRY, THUNK_EXIT, THUNK_EXIT_TAIL, THUNKS };

#define MAX_LIBCALLS 64u
typedef struct Libcall {
    const char *name;
    u32 stub; /* place */
} Libcall;

/* What a function is compiled as (native.h): f<i>, t<i>, r<i>. One has the guest's code, the others call it. */
typedef enum FunctionBody { BODY_PLAIN, BODY_TAIL, BODY_COUNTED, BODIES } FunctionBody;

typedef struct Ld {
    const LinkPlan *plan;
    const Module *module;
    const Alloc *alloc;
    Error *error; /* the first; everything fails once it is set */
    Arena arena;
    u32 machine, page;
    Object *objects;
    u32 nobjects;
    u32 rodata, rodata_end, addresses, code, code_end; /* places */
    Spot *functions[BODIES];                           /* by function index, imports not counted */
    Spot *thunks[THUNKS];                              /* by shape */
    Libcall libcalls[MAX_LIBCALLS];
    u32 nlibcalls;
    u8 *out; /* the file */
    size_t out_size;
    Rows loops; /* as in the file, and the size */
    Rows symbols, unwind, pads, blocks, scopes, chains;
    Bytes lines;
    u64 image_start, image_size; /* bytes of memory 0 */
    UnwindRule *rules;           /* no two the same */
    u32 nrules, cap_rules;
    u32 *rule_slots; /* hash table: number + 1 of a rule */
    u32 nrule_slots; /* a power of two */
    Arena scratch;   /* for one object's debug information */
} Ld;

/* Sets the error, unless there is one; false. */
bool wr_ld_fail(Ld *l, const Object *object, const char *format, ...) PRINTF(3, 4);
bool wr_ld_no_memory(Ld *l);
NODISCARD bool wr_ld_row(Ld *l, Rows *table, u32 a, u32 b, u32 c, u32 d);
NODISCARD bool wr_ld_byte(Ld *l, Bytes *bytes, u8 byte);

/* Which body of the function at that place, imports not counted, has the guest's code. */
FunctionBody wr_ld_guest_body(const Ld *l, u32 i);

/* linker_object.c */
NODISCARD bool wr_ld_read(Ld *l, Object *object, const ObjectFile *file);
NODISCARD bool wr_ld_define(Ld *l, const Object *object); /* symbols, after layout */
NODISCARD bool wr_ld_symbol(Ld *l, const Object *object, u32 i, ObjectSymbol *symbol);
/* "f12": SYMBOL_FUNCTION and so on, and 12, and which of the function's bodies. False for other names. */
bool wr_ld_parse_name(const char *name, SymbolKind *kind, FunctionBody *body, u32 *index);
/* Of a name that some object defines. */
bool wr_ld_find_spot(const Ld *l, const char *name, Spot *spot);
Relocation wr_ld_relocation(const Section *section, u32 i);
const Section *wr_ld_section(const Object *object, const char *name);
bool wr_ld_is_code(const Section *section);
bool wr_ld_is_rodata(const Section *section);

/* linker_relocate.c: what is called from outside gets a number before layout; applied after it. */
NODISCARD bool wr_ld_find_libcalls(Ld *l, const Object *object);
NODISCARD bool wr_ld_relocate(Ld *l, const Object *object);
u32 wr_ld_stub_size(const Ld *l);
void wr_ld_write_stubs(Ld *l);

/* linker_debug.c: reading sections that do not go into the output. References in them are resolved: to a place
 * for what is in the output, to an offset in its section for what is not. */
typedef struct Cursor {
    const u8 *start, *at, *end;
    bool failed; /* then everything reads as zero */
} Cursor;
/* With start NULL if there is none of that name. The bytes are in l->scratch. */
NODISCARD bool wr_ld_contents(Ld *l, const Object *object, const char *name, Cursor *out);
u64 wr_cursor_read(Cursor *c, u32 bytes); /* 1, 2, 3, 4, 8 */
u64 wr_cursor_uleb(Cursor *c);
i64 wr_cursor_sleb(Cursor *c);
const char *wr_cursor_text(Cursor *c);
/* The next `size` bytes as a cursor of their own, which are skipped. */
Cursor wr_cursor_take(Cursor *c, u64 size);
void wr_cursor_skip(Cursor *c, u64 size);
/* At this offset. */
Cursor wr_cursor_at(const Cursor *c, u64 offset);
INLINE bool cursor_more(const Cursor *c) { return !c->failed && c->at < c->end; }
INLINE u64 cursor_offset(const Cursor *c) { return (u64)(c->at - c->start); }

/* Fill tables from one object; l->scratch is emptied after each. l->symbols is complete and sorted. */
NODISCARD bool wr_ld_frames(Ld *l, const Object *object);
NODISCARD bool wr_ld_lines(Ld *l, const Object *object);
NODISCARD bool wr_ld_scopes(Ld *l, const Object *object);
/* linker_image.c: image_start and image_size, for a module whose memory is worth it; writing it, to zeros. */
void wr_ld_plan_image(Ld *l);
void wr_ld_write_image(const Ld *l, u8 *out);
/* By the first column; those that are equal in it by the third, then by the second, greatest first. */
void wr_ld_sort(Rows *rows);
/* Keeps the last of rows that are equal in the first column. */
void wr_ld_unique(Rows *rows);
/* The symbol with this code; NULL if there is none. */
const Row *wr_ld_symbol_at(const Ld *l, u32 code);
/* A place in the output as an offset in the code; false if it is none (the end is one). */
bool wr_ld_code(const Ld *l, u64 place, u32 *code);

#endif
