/*
 * gc_model.h - programs on objects, and what they have to do, told without the engine. gc_steps.c
 * writes a program step by step and carries each step out here; gc.c runs it and compares.
 *
 * The model knows nothing of layouts, roots or collections: its objects live until the end, and which of
 * them a collector has to keep is what can be reached.
 */
#ifndef WR_FUZZ_GC_MODEL_H
#define WR_FUZZ_GC_MODEL_H

#include "fuzz.h"
#include "store.h"

#define MAX_TYPES 12u
#define MAX_FIELDS 6u
#define MAX_OBJECTS 2000u
#define MAX_CELLS 12000u /* fields and elements in all */
#define MAX_SEEN 4000u   /* reports of one segment */
#define NLOCALS 8u
#define NEXCEPTIONS 2u
#define NGLOBALS 4u
#define TABLE_SIZE 8u
#define DATA_SIZE 64u
#define ELEM_SIZE 8u
#define NHOSTS 3u

/* Heap types; KIND_TYPE + i is type i of the program. */
enum { KIND_ANY, KIND_EQ, KIND_I31, KIND_STRUCT, KIND_ARRAY, KIND_NONE, KIND_EXTERN, KIND_TYPE };

typedef enum Storage { IS_I8, IS_I16, IS_I32, IS_I64, IS_F32, IS_F64, IS_V128, IS_REF } Storage;

typedef struct GcField {
    Storage storage;
    u32 kind; /* IS_REF */
    bool nullable, mutable;
} GcField;

typedef struct GcType {
    bool is_array, final;
    u32 super; /* NONE_U32: none */
    u32 nfields;
    GcField fields[MAX_FIELDS]; /* of an array the first is the elements' */
} GcType;

typedef struct GcObject GcObject;

typedef struct GcRef {
    enum { REF_NULL, REF_I31, REF_HOST, REF_OBJECT } is;
    u32 number; /* 31 bits, or which host value */
    GcObject *object;
} GcRef;

typedef struct GcCell {
    u64 bits[2];
    GcRef ref;
} GcCell;

struct GcObject {
    u32 type, length; /* fields or elements */
    u64 walked;       /* the last comparison that came by, and where it saw the object */
    u64 at;
    GcCell cells[];
};

typedef struct GcException { /* a caught one that is kept */
    bool is_null;
    GcRef ref;
    u32 number;
} GcException;

typedef enum GcEnd { ENDS_RETURN, ENDS_TRAP, ENDS_THROW } GcEnd;

typedef struct GcProgram {
    const u8 *data; /* the input that the program is made of */
    size_t size, at;
    GcType types[MAX_TYPES];
    u32 ntypes; /* the last one is an array of anyref */
    GcRef globals[NGLOBALS], table[TABLE_SIZE];
    GcObject *objects[MAX_OBJECTS];
    u32 nobjects, ncells;
    /* of the segment being written */
    GcRef argument, constant, result;
    GcRef locals[NLOCALS];
    GcException exceptions[NEXCEPTIONS];
    bool data_dropped, elem_dropped;
    u64 seen[MAX_SEEN];
    u32 nseen;
    bool ended; /* what follows in the text does not happen any more */
    GcEnd end;
    wr_trap_code_t trap;
    char *text;
    size_t length, capacity;
} GcProgram;

/* ---- the model and the text (gc_model.c) ---- */

/* Whether the reference, not null, is of that heap type. */
bool wr_gc_matches(const GcProgram *p, GcRef ref, u32 kind);
bool wr_gc_kind_matches(const GcProgram *p, u32 sub, u32 super);
bool wr_gc_same(GcRef a, GcRef b);
/* Zero or null everywhere; NULL when there are enough of them. */
GcObject *wr_gc_object(GcProgram *p, u32 type, u32 length);
INLINE const GcField *gc_field(const GcType *type, u32 i) {
    return &type->fields[type->is_array ? 0 : i];
}
INLINE u32 gc_data_byte(u32 i) { return (i * 37 + 11) & 0xFF; }
INLINE u32 gc_elem(u32 i) { return i * 0x1357913u & 0x7FFFFFFF; }

/* A byte of the input, 0 at its end; a number below n, which is not 0. */
u32 wr_gc_byte(GcProgram *p);
u32 wr_gc_pick(GcProgram *p, u32 n);
void wr_gc_emit(GcProgram *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "any", "$t3", ... */
void wr_gc_emit_kind(GcProgram *p, u32 kind);

void wr_gc_make_types(GcProgram *p);
/* All types as a recursion group; their names begin with that letter. */
void wr_gc_write_group(GcProgram *p, char group);
/* Text of the module that holds the variables, and is imported by all segments. */
void wr_gc_write_base(GcProgram *p);

/* ---- segments (gc_steps.c) ---- */

/* Text of a module with a function "run" (anyref -> anyref); the model is then what holds after it has
 * been called with `argument`. */
void wr_gc_write_segment(GcProgram *p);

#endif
