/*
 * validate_code.h - the state of validating one body or constant expression, and what the files
 * validate_*.c share. Internal to the validator; validate.h is its interface.
 *
 * The algorithm is that of the specification's appendix: a stack of operand types and a stack of
 * control frames; a frame whose end cannot be reached is `dead`, and gives operands of type T_BOT
 * when its own run out. Errors are sticky: the first one sits in reader.error, the reader is then at
 * its end, every further check is harmless, and the loop over the instructions stops.
 *
 * A Checker is used by one thread and reused for any number of bodies: its arrays are scratch memory
 * that only grows, so that in the steady state a body allocates nothing but what its Code keeps.
 */
#ifndef WR_VALIDATE_CODE_H
#define WR_VALIDATE_CODE_H

#include "arena.h"
#include "decode.h"
#include "module.h"
#include "side_table.h"
#include "types.h"

typedef enum FrameKind {
    FRAME_BODY, /* of a function or constant expression */
    FRAME_BLOCK,
    FRAME_LOOP,
    FRAME_IF,
    FRAME_ELSE,
    FRAME_TRY_TABLE,
    FRAME_TRY,
    FRAME_CATCH,
    FRAME_CATCH_ALL
} FrameKind;

/* A block type: a function type, or no parameters and at most one result (T_BOT = none). */
typedef struct BlockType {
    const DefType *def;
    ValType single;
} BlockType;

typedef struct Frame {
    u8 kind; /* FrameKind */
    bool dead;
    u32 height; /* operands below the block's, parameters popped */
    u32 wide;   /* v128 operands among them */
    u32 inits;  /* Checker.ninits on entry: locals set later are unset at the end */
    BlockType type;
    u32 target, stp;    /* FRAME_LOOP: where branches go */
    SideChain branches; /* entries that go to the end */
    u32 branch_if;      /* FRAME_IF: the entry of its own */
    u32 region;         /* FRAME_TRY_TABLE, FRAME_TRY, FRAME_CATCH*: index in Checker.regions */
} Frame;

/* An exception-handling region in the order of appearance, outer ones first; TryRegion has the order
 * of the ends, which `final` counts. `region.delegate` is an index here until finished. */
typedef struct RegionDraft {
    TryRegion region;
    u32 final;
} RegionDraft;

typedef struct CatchDraft {
    LegacyCatch clause;
    u32 region; /* index in Checker.regions */
} CatchDraft;

/* In Checker.locals: this local has no default value and has not been set yet. */
#define LOCAL_UNSET 0x80u

/* Implementation limits of the validator's own. */
#define LIMIT_NESTING 1000000u  /* control frames */
#define LIMIT_OPERANDS 1000000u /* operands at one place */

typedef struct Checker {
    Reader reader;    /* pos: the next byte. First: the hot loop reads it most */
    const u8 *at;     /* the opcode being checked */
    const u8 *origin; /* code offsets count from here: the first instruction */
    const Module *module;
    const TypeTable *types;
    const Alloc *alloc;

    /* operands */
    ValType *stack;
    u32 sp, stack_capacity;
    u32 wide;                           /* v128 among the operands: height in slots is sp + wide */
    u32 max_slots;                      /* greatest height in slots so far */
    ValType matched_sub, matched_super; /* wr_check_matches: long lists tend to have equal pairs */

    /* locals: locals[0..known) are expanded from `type` and `runs`, when first used */
    ValType *locals;
    u32 nlocals, known, locals_capacity;
    const DefType *type; /* the function's; NULL in constant expressions */
    LocalRun *runs;
    u32 nruns, runs_capacity;
    u32 *inits; /* locals set that were LOCAL_UNSET, in this order */
    u32 ninits, inits_capacity;

    Frame *frames;
    u32 nframes, frames_capacity;

    /* what the Code gets */
    SideTable side;
    u32 *wide_pcs;
    u32 nwide, wide_capacity;
    RegionDraft *regions;
    u32 nregions, regions_capacity, nclosed;
    CatchDraft *catches;
    u32 ncatches, catches_capacity;
    u32 catch_depth, max_catch_depth; /* nesting of legacy catch clauses */
    u32 local_slots;                  /* without the hidden ones for these */

    /* constant expressions */
    bool is_const;
    u32 visible_globals; /* global.get may use those below */
} Checker;

/* ---- life (validate_code.c) ---- */

void wr_checker_init(Checker *c, const Module *m);
void wr_checker_free(Checker *c);
/* Validates `code` (start and end as decode left them) and fills it in, with memory of `arena`: all
 * but local_map, which wr_validate_bodies() makes. Own error or NULL. */
NODISCARD Error *wr_check_body(Checker *c, Code *code, Arena *arena);
/* Validates a constant expression of type `want` that may use globals below `visible_globals`. Own
 * error or NULL. */
NODISCARD Error *wr_check_const(Checker *c, const ConstExpr *expr, ValType want,
                                u32 visible_globals);
/* Reads the local declarations of a body and enters its frame. False: reader.error is set. */
NODISCARD bool wr_check_enter(Checker *c, const Code *code);
/* The same for a body that has been validated before: its locals are in the Code. */
NODISCARD bool wr_check_enter_again(Checker *c, const Code *code);
/* Checks the one instruction at reader.pos, of any kind. */
void wr_check_step(Checker *c);
/* Checks instructions until the end of the outermost frame, an error, or `stop` (validate_loop.c). */
void wr_check_run(Checker *c, const u8 *stop);

/* ---- instructions typed by hand: true if `op` is of the file's kind ---- */

bool wr_check_control(Checker *c, Opcode op);   /* validate_control.c */
bool wr_check_exception(Checker *c, Opcode op); /* validate_exception.c */
bool wr_check_variable(Checker *c,
                       Opcode op); /* validate_variable.c: drop, select, locals, globals */
bool wr_check_reference(Checker *c, Opcode op); /* validate_ref.c */
bool wr_check_aggregate(Checker *c, Opcode op); /* validate_gc.c */
bool wr_check_bulk(Checker *c, Opcode op);      /* validate_memory.c: tables, memory.copy */

/* ---- immediates (validate_memory.c) ---- */

u32 wr_check_memory_index(Checker *c); /* these fail if there is none, and give 0 */
u32 wr_check_table_index(Checker *c);
u32 wr_check_elem_index(Checker *c);
u32 wr_check_data_index(Checker *c);
/* All immediates of an instruction that has a signature; gives the type that `a` in it stands for. */
ValType wr_check_immediates(Checker *c, Opcode op);
const DefType *wr_check_type_index(Checker *c); /* NULL after an error */
const DefType *wr_check_comp_index(Checker *c,
                                   CompKind comp); /* of this kind; NULL after an error */

/* ---- errors: the first wins, at the opcode's offset ---- */

#define wr_check_fail(c, ...) wr_reader_invalid(&(c)->reader, (c)->at, __VA_ARGS__)
#define wr_check_malformed(c, ...) wr_reader_fail(&(c)->reader, (c)->at, __VA_ARGS__)
#define wr_check_oom(c) wr_reader_fail_memory(&(c)->reader)
void wr_check_mismatch(Checker *c, ValType want, ValType have) COLD;
void wr_check_missing(Checker *c, ValType want) COLD; /* the stack is empty */
void wr_check_no_descriptor(Checker *c, HeapType heap) COLD;
void wr_check_surplus(Checker *c, const Frame *f) COLD; /* operands are left at a block's end */

INLINE bool check_failed(const Checker *c) { return c->reader.error != NULL; }
INLINE u32 check_offset(const Checker *c, const u8 *at) { return (u32)(at - c->origin); }

/* ---- operands (validate_operand.c) ---- */

/* A list of types; slots counts v128 twice. */
typedef struct TypeList {
    const ValType *types;
    u32 count, slots;
} TypeList;

bool wr_check_matches(Checker *c, ValType sub, ValType super); /* sub <= super */
bool wr_check_reserve(Checker *c, u32 n);                      /* room for n more operands */
ValType wr_check_pop_empty(Checker *c, ValType want);
void wr_check_pop_other(Checker *c, ValType want, ValType have); /* they differ: match or fail */
void wr_check_pop_list_slow(Checker *c, TypeList list);
/* Whether a list could be popped; fails if not. Leaves the operands as they are. */
void wr_check_peek_list(Checker *c, TypeList list);
/* Pops any reference: T_REF(HEAP_BOT, 0) for an unknown operand. */
ValType wr_check_pop_ref(Checker *c);

INLINE Frame *check_frame(const Checker *c) { return &c->frames[c->nframes - 1]; }
INLINE u32 check_height(const Checker *c) { return c->sp + c->wide; }

INLINE void check_push(Checker *c, ValType t) {
    if (UNLIKELY(c->sp == c->stack_capacity) && !wr_check_reserve(c, 1)) return;
    c->stack[c->sp++] = t;
    c->wide += type_kind(t) == VK_V128;
    if (UNLIKELY(check_height(c) > c->max_slots)) c->max_slots = check_height(c);
}
/* Pops whatever there is. `want` is for the message when there is nothing. */
INLINE ValType check_pop_any(Checker *c, ValType want) {
    if (UNLIKELY(c->sp == check_frame(c)->height)) return wr_check_pop_empty(c, want);
    ValType t = c->stack[--c->sp];
    c->wide -= type_kind(t) == VK_V128;
    return t;
}
INLINE void check_pop(Checker *c, ValType want) {
    ValType have = check_pop_any(c, want);
    if (UNLIKELY(have != want)) wr_check_pop_other(c, want, have);
}

/* Whether the topmost operands are exactly these types: the common case, at memcmp's speed. */
INLINE bool check_top_equals(const Checker *c, TypeList list) {
    u32 n = list.count;
    if (n == 0) return true;
    if (c->sp - check_frame(c)->height < n) return false;
    const ValType *top = c->stack + (c->sp - n);
    if (n == 1) return top[0] == list.types[0];
    return memcmp(top, list.types, n * sizeof *top) == 0;
}
/* Pops a list's types, last first; in dead code operands may lack. */
INLINE void check_pop_list(Checker *c, TypeList list) {
    if (UNLIKELY(!check_top_equals(c, list))) {
        wr_check_pop_list_slow(c, list);
        return;
    }
    c->sp -= list.count;
    c->wide -= list.slots - list.count;
}
INLINE void check_push_list(Checker *c, TypeList list) {
    u32 n = list.count;
    if (n == 0 || (UNLIKELY(c->stack_capacity - c->sp < n) && !wr_check_reserve(c, n))) return;
    if (n == 1)
        c->stack[c->sp] = list.types[0];
    else
        memcpy(c->stack + c->sp, list.types, n * sizeof *c->stack);
    c->sp += n;
    c->wide += list.slots - n;
    if (check_height(c) > c->max_slots) c->max_slots = check_height(c);
}

INLINE TypeList check_params(const DefType *func) {
    return (TypeList){func->types, func->nparams, func->param_slots};
}
INLINE TypeList check_results(const DefType *func) {
    return (TypeList){func->types + func->nparams, func->nresults, func->result_slots};
}
INLINE TypeList check_block_params(const BlockType *t) {
    return t->def ? check_params(t->def) : (TypeList){NULL, 0, 0};
}
INLINE TypeList check_block_results(const BlockType *t) {
    if (t->def) return check_results(t->def);
    return t->single == T_BOT ? (TypeList){NULL, 0, 0}
                              : (TypeList){&t->single, 1, type_slots(t->single)};
}
/* The types that a branch to the frame's label carries. */
INLINE TypeList check_label(const Frame *f) {
    return f->kind == FRAME_LOOP ? check_block_params(&f->type) : check_block_results(&f->type);
}
/* References to a defined type: as instructions take them, (ref null def), and as those that make one
 * give it, (ref (exact def)). */
INLINE ValType check_def_ref(const DefType *def) { return T_REF(HEAP_DEFINED + def->id, 1); }
INLINE ValType check_exact_ref(const DefType *def) {
    return T_REF((HEAP_DEFINED + def->id) | HEAP_EXACT, 0);
}

/* ---- control (validate_control.c) ---- */

bool wr_check_push_frame(Checker *c, FrameKind kind, BlockType type);
void wr_check_dead(Checker *c); /* what follows cannot be reached */
bool wr_check_read_block_type(Checker *c, BlockType *type);
bool wr_check_list_matches(Checker *c, TypeList sub, TypeList super);
/* The commonest instructions of wr_check_control(), behind their opcode. */
void wr_check_block(Checker *c, FrameKind kind);
void wr_check_end(Checker *c);
void wr_check_br(Checker *c);
void wr_check_br_if(Checker *c);
void wr_check_call(Checker *c, bool is_tail);
/* A label immediate: its frame, or NULL after "unknown label". */
Frame *wr_check_label_index(Checker *c);
/* The side entry of a branch to `f`, taken at `height` slots: with the operands that it carries. */
void wr_check_branch(Checker *c, Frame *f, u32 height);
/* Pops the frame's results and checks that nothing lies below them. */
void wr_check_pop_results(Checker *c, Frame *f);
/* The common end of every block: `after` is the code offset behind it. */
void wr_check_leave(Checker *c, u32 after);
/* Unsets the locals that were set when Checker.ninits was more than `inits`. */
void wr_check_unset_locals(Checker *c, u32 inits);
/* The bytes ended inside the body. */
void wr_check_cut_off(Checker *c);

/* ---- exceptions (validate_exception.c) ---- */

/* `end` of a frame from FRAME_TRY_TABLE on. */
void wr_check_end_try(Checker *c, Frame *f);
/* Hands the regions to the Code, in the order of their ends. False when out of memory. */
NODISCARD bool wr_check_finish_regions(Checker *c, Arena *arena, Code *code);

/* ---- locals (validate_variable.c) ---- */

/* Expands locals so that `index` (< nlocals) is known. */
bool wr_check_expand_locals(Checker *c, u32 index);

#endif
