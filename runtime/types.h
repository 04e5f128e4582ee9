/*
 * types.h - value types, defined types, recursion groups, subtyping (spec: valid/types,
 * valid/matching).
 *
 * Defined types are canonicalised engine-wide: every recursion group is hash-consed, so that two
 * type indices of any two modules denote the same type iff they have the same DefType pointer (and
 * id). A ValType names a defined type by that canonical id, never by a module's index: matching
 * needs no module. Canonical groups are reference-counted by the modules that use them.
 *
 * Threads: interning and releasing take the table's lock; DefTypes are immutable once returned, and
 * id -> DefType lookup is lock-free.
 */
#ifndef WR_TYPES_H
#define WR_TYPES_H

#include "alloc.h"
#include "base.h"

/*
 * ValType, 32 bits:
 *
 *    31     30..9            8         7..0
 *   exact   heap type        nullable  kind (VK_*)
 *
 * Heap type, exact and nullable are 0 unless the kind is VK_REF. Heap types below HEAP_DEFINED are
 * abstract (HEAP_*), others are HEAP_DEFINED + canonical id of a DefType. An exact one (custom
 * descriptors) holds that type alone and none of its subtypes; the bit is part of a HeapType, too.
 */
typedef u32 ValType;

typedef enum ValKind {
    VK_BOT, /* any type at all: an operand of unreachable code */
    VK_I32,
    VK_I64,
    VK_F32,
    VK_F64,
    VK_V128,
    VK_REF,
    VK_I8, /* packed storage types: only in fields */
    VK_I16
} ValKind;

typedef enum HeapKind {
    HEAP_FUNC,
    HEAP_EXTERN,
    HEAP_ANY,
    HEAP_EQ,
    HEAP_I31,
    HEAP_STRUCT,
    HEAP_ARRAY,
    HEAP_EXN,
    HEAP_NONE,
    HEAP_NOFUNC,
    HEAP_NOEXTERN,
    HEAP_NOEXN,
    HEAP_BOT, /* below every heap type: a reference operand of unreachable code */
    HEAP_DEFINED = 16
} HeapKind;
typedef u32 HeapType; /* HeapKind, or HEAP_DEFINED + canonical id, and then perhaps HEAP_EXACT */

#define HEAP_EXACT (1u << 22)
#define TYPE_ID_MAX ((1u << 22) - 17)

#define T_BOT ((ValType)VK_BOT)
#define T_I32 ((ValType)VK_I32)
#define T_I64 ((ValType)VK_I64)
#define T_F32 ((ValType)VK_F32)
#define T_F64 ((ValType)VK_F64)
#define T_V128 ((ValType)VK_V128)
#define T_REF(heap, nullable) ((ValType)((u32)(heap) << 9 | (u32)(nullable) << 8 | VK_REF))
#define T_FUNCREF T_REF(HEAP_FUNC, 1)
#define T_EXTERNREF T_REF(HEAP_EXTERN, 1)
#define T_EXNREF T_REF(HEAP_EXN, 1)

INLINE ValKind type_kind(ValType t) { return (ValKind)(t & 0xFF); }
INLINE bool type_is_ref(ValType t) { return (t & 0xFF) == VK_REF; }
INLINE bool type_is_nullable(ValType t) { return t >> 8 & 1; }
INLINE HeapType type_heap(ValType t) { return t >> 9; }
INLINE bool heap_is_defined(HeapType h) { return h >= HEAP_DEFINED; }
INLINE bool heap_is_exact(HeapType h) { return h >> 22; }
INLINE u32 heap_type_id(HeapType h) { return (h & ~HEAP_EXACT) - HEAP_DEFINED; } /* if defined */
INLINE u32 type_slots(ValType t) { return (t & 0xFF) == VK_V128 ? 2 : 1; }
/* Default value exists (spec: defaultable): all but non-null references. */
INLINE bool type_is_defaultable(ValType t) { return !type_is_ref(t) || type_is_nullable(t); }

typedef enum CompKind { COMP_FUNC, COMP_STRUCT, COMP_ARRAY } CompKind;

typedef struct FieldType {
    ValType type; /* may be VK_I8, VK_I16 */
    bool mutable;
} FieldType;

typedef struct RecGroup RecGroup;

/* A canonical defined type: one member of a canonical recursion group. */
typedef struct DefType {
    u32 id;
    u8 comp; /* CompKind */
    bool final;
    u32 depth;                   /* number of supertypes above */
    const struct DefType *super; /* or NULL */
    /* display[i] is the supertype at depth i, display[depth] is this: a subtype test at run time is
     * sub->depth >= super->depth && sub->display[super->depth] == super */
    const struct DefType *const *display;
    RecGroup *group;
    /* COMP_STRUCT, of the same group, or NULL (custom descriptors): what describes the objects of this
     * type, and whose objects those of this type describe */
    const struct DefType *descriptor, *describes;
    /* COMP_FUNC: types[0..nparams) then types[nparams..nparams+nresults) */
    u32 nparams, nresults;
    bool has_refs; /* some parameter or result is a reference */
    u32 param_slots, result_slots;
    const ValType *types;
    /* COMP_STRUCT, COMP_ARRAY (one field) */
    u32 nfields;
    u32 first_required; /* the first field that has no default value; nfields if all have one */
    const FieldType *fields;
    /* The layout of objects in the heap (object.h). A subtype's begins with its supertype's. */
    u32 header;      /* what objects of the type begin with, unless they have a descriptor */
    u32 object_size; /* bytes of a structure with its header; of an array's header */
    u8 first_word; /* a structure whose fields are 4 bytes each: field i is at this + 4 * i; or 0 */
    /* size class of such a structure with a header of 4 bytes; HEAP_LARGE: too large, or another
     * (heap.h) */
    u8 word_class;
    const u32 *places; /* of each field: offset << 3 | PLACE_* */
    /* What may lead into the heap: byte offsets of such fields; nrefs is 1 or 0 for an array, by its
     * elements. COMP_FUNC: the slots of such parameters. */
    u32 nrefs;
    const u32 *refs;
} DefType;

#define OBJECT_HEADER 4u     /* what it is */
#define DESCRIPTOR_HEADER 8u /* and what it describes */
#define ARRAY_HEADER 8u      /* and the length */
/* Width of a field in the heap: log2 of its bytes. */
typedef enum Place { PLACE_8, PLACE_16, PLACE_32, PLACE_64, PLACE_128 } Place;
INLINE u32 object_header(u32 id) { return id << 1 | 1; }
INLINE u32 place_offset(u32 place) { return place >> 3; }
INLINE Place place_width(u32 place) { return (Place)(place & 7); }

INLINE bool def_is_subtype(const DefType *sub, const DefType *super) {
    return sub == super || (sub->depth > super->depth && sub->display[super->depth] == super);
}

/* The description of a recursion group as a module declares it. References to members of the group
 * itself are T_REF(HEAP_DEFINED + REC_LOCAL + position): decode writes them so. */
#define REC_LOCAL (1u << 21) /* canonical ids stay below this */

typedef struct TypeDesc {
    u8 comp;
    bool final;
    HeapType super;  /* NONE_U32, or HEAP_DEFINED + id / HEAP_DEFINED + REC_LOCAL + position */
    u32 super_index; /* as the module has it, for messages */
    u32 descriptor, describes; /* NONE_U32, or positions in the group */
    u32 nparams, nresults;     /* types: params then results */
    const ValType *types;
    u32 nfields;
    const FieldType *fields;
} TypeDesc;

/* Engine-wide. Compiled code looks types up by id as wr_types_get() does: the table begins with pointers to
 * chunks of DefType pointers, the first with TYPES_FIRST_IDS of them, each of the others with twice as many as
 * the one before. */
typedef struct TypeTable TypeTable;
#define TYPES_FIRST_IDS 64u

NODISCARD TypeTable *wr_types_new(const Alloc *alloc); /* NULL when out of memory */
void wr_types_delete(TypeTable *table);
/* Interns a group: the canonical members go to out[0..count), one reference on the group for the
 * caller. NULL when out of memory or ids. The descriptions must already be well-formed (supertypes
 * defined earlier and not final, descriptors structures that name each other; structural match with
 * the supertype is checked by the validator afterwards). */
NODISCARD RecGroup *wr_types_intern(TypeTable *table, const TypeDesc *descs, u32 count,
                                    const DefType **out);
void wr_types_release(TypeTable *table, RecGroup *group);
const DefType *wr_types_get(const TypeTable *table, u32 id);
const DefType *wr_types_find(const TypeTable *table, u32 id); /* of any id; NULL if there is none */
/* A function type of its own group, for host functions. */
NODISCARD const DefType *wr_types_intern_func(TypeTable *table, const ValType *types, u32 nparams,
                                              u32 nresults, RecGroup **group);

/* Matching, spec valid/matching: sub <= super. */
bool wr_heap_matches(const TypeTable *table, HeapType sub, HeapType super);
bool wr_type_matches_slow(const TypeTable *table, ValType sub, ValType super);
INLINE bool wr_type_matches(const TypeTable *table, ValType sub, ValType super) {
    return sub == super || (((sub | super) & 0xFF) >= VK_REF - 0u || sub == T_BOT
                                ? wr_type_matches_slow(table, sub, super)
                                : false);
}
/* Whether a value of that type may be a reference into a store's heap: everything but numbers and
 * functions. */
bool wr_type_in_heap(const TypeTable *table, ValType type);
/* Structural rule for a declared subtype (spec: valid/types, subtype): its composite type matches, and
 * so do its descriptor and what it describes. */
bool wr_def_matches(const TypeTable *table, const DefType *sub, const DefType *super);

/* Text as in the text format, for messages: "i32", "(ref null func)", "(ref 3)" with a canonical
 * id. Writes at most `size` bytes with the terminating zero. */
void wr_type_print(ValType t, char *buffer, size_t size);
/* The same of a reference to a defined type, by whatever number. */
void wr_type_print_ref(ValType t, u32 index, char *buffer, size_t size);

#endif
