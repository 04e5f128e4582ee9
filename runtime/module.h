/*
 * module.h - a decoded and validated module: pure data and lookups (spec: syntax/modules).
 *
 * Immutable after wr_module_load() returns, reference-counted, shared by threads and stores. The
 * module's bytes stay as they came (copied or mapped) and are what the interpreter runs; everything
 * else lives in the module's arena and is freed at once.
 *
 * Glossary: index spaces count imports first. "Offset" is a byte offset in the module's bytes.
 * "Slot" is 8 bytes of the value stack (base.h).
 */
#ifndef WR_MODULE_H
#define WR_MODULE_H

#include <stdatomic.h>

#include "arena.h"
#include "base.h"
#include "error.h"
#include "opcode.h"
#include "types.h"

typedef struct wr_engine Engine;

typedef struct Name {
    const char *data; /* in the module's bytes: valid UTF-8, not zero-terminated */
    u32 size;
} Name;

/* A total order, by size first: for sorting and searching. */
INLINE int wr_name_compare(Name a, Name b) {
    if (a.size != b.size) return a.size < b.size ? -1 : 1;
    return a.size == 0 ? 0 : memcmp(a.data, b.data, a.size);
}

typedef enum ExternKind { EXT_FUNC, EXT_TABLE, EXT_MEMORY, EXT_GLOBAL, EXT_TAG } ExternKind;

/* A constant expression: instructions from offset up to and including `end`. */
typedef struct ConstExpr {
    u64 offset;
    u32 size;
} ConstExpr;

typedef struct Limits {
    u64 min, max; /* max is UINT64_MAX when has_max is false */
    bool has_max, is_shared, is_64;
} Limits;

typedef struct FuncDecl {
    const DefType *type;
    u32 type_index;
    bool declared; /* may be the operand of ref.func: occurs outside of bodies (C.refs) */
    bool exact;    /* it is of no subtype: defined here, or imported as such */
} FuncDecl;

typedef struct TableDecl {
    ValType type;
    Limits limits; /* elements */
    bool has_init;
    ConstExpr init;
    u64 at; /* offset of the declaration, for errors; so in the others */
} TableDecl;

typedef struct MemoryDecl {
    Limits limits;     /* pages */
    u8 page_size_log2; /* 16, or 0 (custom page sizes) */
    u64 at;
} MemoryDecl;

typedef struct GlobalDecl {
    ValType type;
    bool mutable;
    ConstExpr init; /* unless imported */
} GlobalDecl;

typedef struct TagDecl {
    const DefType *type;
    u32 type_index;
    u64 at;
} TagDecl;

typedef struct Import {
    Name module, name;
    ExternKind kind;
    u32 index; /* in the index space of its kind */
} Import;

typedef struct Export {
    Name name;
    ExternKind kind;
    u32 index;
    u64 at;
} Export;

typedef enum SegMode { SEG_PASSIVE, SEG_ACTIVE, SEG_DECLARATIVE } SegMode;

typedef struct ElemSeg {
    SegMode mode;
    ValType type;
    u32 table;
    ConstExpr offset;
    u32 count;
    bool is_expr; /* items are expressions: exprs[]; else function indices: funcs[] */
    const u32 *funcs;
    const ConstExpr *exprs;
    u64 at;
} ElemSeg;

/* Kept small: Go makes a hundred thousand of them. */
typedef struct DataSeg {
    u64 at;
    u32 head; /* bytes from there to the contents */
    u32 size; /* of the contents */
    u32 memory;
    u8 mode;          /* SegMode */
    u8 before, after; /* bytes of the head around an active segment's offset expression */
} DataSeg;
INLINE u64 data_contents(const DataSeg *seg) {
    return seg->at + seg->head;
} /* offset in the module */
INLINE ConstExpr data_offset(const DataSeg *seg) {
    return (ConstExpr){seg->at + seg->before, seg->head - seg->before - seg->after};
}

typedef struct CustomSection {
    Name name;
    u64 offset; /* of the contents after the name */
    u32 size;
    u8 after; /* id of the last known section before it, 0 if none */
} CustomSection;

/*
 * Side table. Branches in the binary format name labels, not places; the validator, in its one
 * pass, writes for each branch where it goes. An entry belongs to, in the order of the code: `if`
 * (to after `else`, or to after `end`), `else` (to after `end`), `br`, `br_if`, `br_on_*` (one
 * each), `br_table` (one per label, then the default), `try_table` (one per catch clause), legacy
 * `catch` and `catch_all` reached by falling through (to after `end`), legacy `rethrow` (no branch:
 * pc is the local slot that holds the exception, see TryRegion.exn_slot).
 *
 *   pc     bytes from the branching instruction's opcode to the target. The target lies after the
 *          `end` of a block (for the function's own label: AT that final `end`, so that it returns,
 *          with pop 0), or after the block type of a loop. Where an `end` or `else` follows at once
 *          that only passes control on, the target is that one's.
 *   stp    entries from this one to the entry that belongs to the first branch at or after the
 *          target
 *   pop    slots between the kept values and the label's height that must go; 0 = nothing moves
 *   keep   slots of the label's values on top; matters only if pop is not 0
 *
 * An entry whose numbers do not fit has pop == SIDE_FAR and pc = index in Code.far.
 */
typedef struct SideEntry {
    i32 pc;
    i16 stp;
    u8 pop, keep;
} SideEntry;
#define SIDE_FAR 0xFF

typedef struct FarEntry {
    i32 pc, stp;
    u32 pop, keep;
} FarEntry;

/* One exception-handling region: a try_table, or a legacy try. Ordered so that inner ones come
 * first. */
typedef struct TryRegion {
    /* code offsets relative to Code.start: first instruction in it, one past its last */
    u32 start, end;
    u32 stp;    /* index of its first side entry (try_table: one per clause) */
    u32 height; /* operand height in slots at the label's outside, params popped */
    /* try_table: code offsets, relative to Code.start, of the opcode, from which the branches of its
     * clauses count, and of the clause vector (count first) */
    u32 at, clauses;
    u32 delegate;    /* legacy: index in tries of the region to go on with, or NONE_U32 */
    u32 first_catch; /* legacy: index in Code.catches */
    u32 ncatches;
    bool is_legacy;
    /* legacy, with catches: the local slot (hidden: beyond all locals, counted in Code.local_slots)
     * where whoever enters a catch clause leaves the exception, as a reference, for `rethrow` */
    u32 exn_slot;
} TryRegion;
#define DELEGATE_CALLER (NONE_U32 - 1) /* TryRegion.delegate: no region of this body handles it */

typedef struct LegacyCatch {
    u32 tag; /* NONE_U32 = catch_all */
    u32 pc;  /* code offset after the catch instruction, relative to Code.start */
    u32 stp; /* index of the first side entry at or after pc */
} LegacyCatch;

typedef struct LocalRun { /* locals declared beyond the parameters, as in the binary */
    u32 count;
    ValType type;
} LocalRun;

/* One function body, validated. Offsets into the module are 64 bits, within the body 32. */
typedef struct Code {
    const u8 *start;       /* first instruction (after the local declarations) */
    const u8 *end;         /* one past the final `end` */
    const SideEntry *side; /* nside entries */
    const FarEntry *far;
    u32 func_index;
    u32 nside, nfar;
    u32 nlocals;     /* parameters and declared locals */
    u32 local_slots; /* the same in slots, and one more per nesting level of legacy catch clauses */
    u32 param_slots, result_slots;
    u32 max_slots; /* greatest operand height in slots, locals not counted */
    u32 nruns;
    const LocalRun *runs;
    /* WIDE: some local is a v128, or some untyped drop or select handles one. Then local i lives in
     * slot local_map[i] >> 1, two slots wide if bit 0 is set; wide_pcs lists, ascending, the code
     * offsets (of the opcode, relative to start) of drop and select instructions that move a
     * v128. */
    bool is_wide;
    const u32 *local_map;
    u32 nwide;
    const u32 *wide_pcs;
    u32 ntries, ncatches;
    const TryRegion *tries;
    const LegacyCatch *catches;
} Code;

/* Where the bytes came from: who frees them. */
typedef enum BytesOwner { BYTES_BORROWED, BYTES_COPIED, BYTES_MAPPED } BytesOwner;

typedef struct NameMap NameMap; /* name_section.h: decoded at first use */

typedef struct wr_module {
    Engine *engine; /* counted */
    atomic_size_t refs;
    Arena arena;
    const u8 *bytes;
    u64 size;
    BytesOwner owner;
    Features features;

    u32 ntypes;
    const DefType **types; /* by type index */
    u32 ngroups;
    RecGroup **groups; /* one reference each */

    u32 nimports, nexports;
    Import *imports;
    Export *exports;
    const Export **exports_by_name; /* sorted by size, then bytes */

    /* Index spaces: imports first, then definitions. */
    u32 nfuncs, ntables, nmemories, nglobals, ntags;
    u32 nimported_funcs, nimported_tables, nimported_memories, nimported_globals, nimported_tags;
    FuncDecl *funcs;
    TableDecl *tables;
    MemoryDecl *memories;
    GlobalDecl *globals;
    TagDecl *tags;

    u32 start; /* function index or NONE_U32 */
    u64 start_at;
    u32 nelems, ndatas;
    bool has_data_count;
    u32 data_count;
    ElemSeg *elems;
    DataSeg *datas; /* NULL if they were not looked at: all are dropped in every instance */

    u32 ncodes; /* == nfuncs - nimported_funcs */
    Code *codes;
    /* NULL: all bodies are validated. Else codes[] says where they lie, local declarations included, and nothing
     * more; each is validated when it is needed (lazy_bodies.h). */
    struct LazyBodies *lazy;

    u32 ncustoms;
    CustomSection *customs;
    _Atomic(NameMap *) names;
    /* Compiled code (aot/artifact.h), the newest first, or NULL. More may come at any time if native_ops is set. */
    _Atomic(struct Artifact *) artifact;
    void (*artifact_free)(struct Artifact *artifact);
    const struct NativeOps *native_ops; /* runs it (store.h); set before the module is shared */
    struct TierModule *tier;            /* what its code does (TierOps): under the tier's lock */
    /* Memory 0 with all data segments, which are dropped then: the artifact's; or NULL. Nothing of an instance is to
     * be had from outside before it has taken that. */
    const struct MemoryImage *image;
    u32 nslices, nhasty;     /* artifacts that the cache had of parts of it */
    _Atomic(void *) shadows; /* the executor's: what it has added to code (Executor.module_free) */

    wr_module_stats_t stats;
} Module;

/* Decodes and validates. Takes over the bytes as `owner` says, also on failure (BYTES_COPIED:
 * `bytes` was allocated with the engine's allocator; BYTES_MAPPED: by wr_os_map_file). */
NODISCARD Error *wr_module_load(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner,
                                Module **out);
/* The same in two steps, for who may find somebody to vouch for the bodies (lazy_bodies.h) when it has seen the
 * rest: nothing is known of the bodies between the two, and nobody else may see the module. The
 * second step's errors leave it to the caller, who still has the reference. */
NODISCARD Error *wr_module_load_outline(Engine *engine, const u8 *bytes, u64 size, BytesOwner owner,
                                        Module **out);
/* The first step for a module whose data segments somebody has laid out, and so has decoded and validated: they are counted and
 * not looked at, and each instance takes the image. It stays as long as the module. NULL: outline as above. */
NODISCARD Error *wr_module_load_laid_out(Engine *engine, const u8 *bytes, u64 size,
                                         BytesOwner owner, const struct MemoryImage *image,
                                         Module **out);
typedef enum WhenBodies { BODIES_NOW, BODIES_WHEN_NEEDED } WhenBodies;
NODISCARD Error *wr_module_check_bodies(Module *module, WhenBodies when);
Module *wr_module_ref(Module *module);
void wr_module_unref(Module *module);

const Export *wr_module_find_export(const Module *module, const char *name, size_t size);
INLINE const Code *wr_module_code(const Module *m, u32 func_index) {
    return &m->codes[func_index - m->nimported_funcs];
}
INLINE u64 wr_module_offset(const Module *m, const u8 *pc) { return (u64)(pc - m->bytes); }
/* The function whose body has that byte offset, or is the next behind it: before a body there are its size and local
 * declarations. NONE_U32 behind the last one. Logarithmic. */
u32 wr_module_func_at(const Module *module, u64 offset);

/* Names from the name section, else from exports; data == NULL if there is none. Thread-safe. */
Name wr_module_func_name(const Module *module, u32 func_index);
Name wr_module_local_name(const Module *module, u32 func_index, u32 local);
Name wr_module_own_name(const Module *module);

/* Implementation limits (spec: appendix/implementation), shared with the validator. */
#define LIMIT_TYPES 1000000u
#define LIMIT_FUNCS 1000000u
#define LIMIT_IMPORTS 1000000u
#define LIMIT_EXPORTS 1000000u
#define LIMIT_GLOBALS 1000000u
#define LIMIT_TABLES 100000u
#define LIMIT_MEMORIES 100u
#define LIMIT_TAGS 1000000u
#define LIMIT_SEGMENTS 1000000u
#define LIMIT_LOCALS 50000u
#define LIMIT_PARAMS 1000u
#define LIMIT_RESULTS 1000u
#define LIMIT_FIELDS 10000u
#define LIMIT_BODY (128u << 20) /* bytes of one body */
#define LIMIT_SUBTYPE_DEPTH 63u
#define LIMIT_TABLE_SIZE 10000000u

#endif
