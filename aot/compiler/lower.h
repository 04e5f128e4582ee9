/*
 * lower.h - lowering of one function body to LLVM IR: the state that the lower_*.c files share. One
 * instruction is decoded (wr_instr_next), its operands are popped off `stack`, its results pushed.
 *
 * IR types: i32, i64, float, double, <2 x i64> for v128, i32 for every reference (native.h).
 *
 * Code that cannot be reached is not lowered: after a branch `unreachable` is set, and instructions are
 * skipped up to the `else`, `catch`, `delegate` or `end` that belongs to the innermost label. These are
 * the only instructions that a handler meets while it is set.
 */
#ifndef WR_AOT_LOWER_H
#define WR_AOT_LOWER_H

#include <llvm-c/Core.h>

#include "arena.h"
#include "decode_code.h"
#include "native.h"
#include "unit.h"

typedef enum LabelKind {
    LABEL_BODY,
    LABEL_BLOCK,
    LABEL_LOOP,
    LABEL_IF,
    LABEL_ELSE,
    LABEL_TRY_TABLE,
    LABEL_TRY, /* legacy, up to the first catch */
    LABEL_CATCH
} LabelKind;

/* One label of the control stack (lower_control.c). */
typedef struct Label {
    LabelKind kind;
    u32 height;                      /* operands below the block's parameters */
    const ValType *params, *results; /* of the block type: only the kinds matter */
    u32 nparams, nresults;
    LLVMBasicBlockRef target;    /* of branches: a loop's first block, else what follows the end */
    LLVMValueRef *phis;          /* in target: a loop's parameters, else the results */
    bool is_reached;             /* target has a branch to it */
    LLVMBasicBlockRef otherwise; /* LABEL_IF: where it goes when the condition is 0 ... */
    LLVMValueRef *kept;          /* ... with these parameters */
    LLVMBasicBlockRef pad;       /* lower_exception.c: of calls inside, once there is one */
    void *region;                /* lower_exception.c, in the arena */
    const u8 *edge_of;           /* lower_br_table(): the instruction that has `edge` to it */
    LLVMBasicBlockRef edge;
    u64 start; /* LABEL_LOOP: the byte offset of its first instruction */
} Label;

typedef struct Lower {
    Unit *unit; /* the LLVM module that it goes into: context, types, attributes, declarations */
    LLVMBuilderRef b;
    const Module *module;
    const Code *code;
    const FuncDecl *decl;
    u32 func_index;
    LLVMValueRef function;
    LLVMMetadataRef scope; /* of debug locations */
    LLVMValueRef context;  /* the Instance */
    LLVMValueRef *locals;  /* allocas */
    LLVMTypeRef *local_types;
    ValType *local_valtypes;
    LLVMValueRef *stack; /* operands */
    u32 height, capacity;
    Label *labels;
    u32 nlabels, cap_labels;
    bool unreachable; /* no block is open */
    bool failed;      /* out of memory, or over a limit: it cannot be compiled */
    u64 nstored;      /* slots that its frames are written down to, all places together (state.c) */
    u32 skipped;      /* blocks nested in skipped code */
    Instr at;         /* the instruction being lowered */
    u64 offset;       /* its byte offset in the module */
    Arena arena;      /* for as long as the function is lowered */
    /* lower.c: */
    LLVMBasicBlockRef entry; /* allocas, and loads of what never changes */
    LLVMBasicBlockRef body;  /* what follows it: with its locals set, the function begins here */
    LLVMValueRef native;     /* thunk.c: where it is not the context's */
    LLVMValueRef memory_base, heap_base, slots;
    u32 nslots;
    u32 entry_index;             /* of the first side entry of the instruction being lowered */
    bool is_counted;             /* this is `r`: counted.h */
    LLVMValueRef fuel;           /* alloca; NULL: it is not counted (lower_fuel.c) */
    LLVMBasicBlockRef fuel_kept; /* at its end, Store.fuel is what the variable is; or NULL */
    /* lower_loop.c: for a function from a loop on; NULL else */
    LLVMValueRef frame;     /* slots of the interpreter's: locals, operands, then results */
    u64 loop;               /* SliceLoop.offset */
    LLVMBasicBlockRef gate; /* which leads to the loop, once that has come */
    bool calls;             /* there is a call in it */
    /* state.c: */
    const struct StatePlace
        *place;              /* of the call being made, if its frame can be written down there */
    const struct Live *live; /* of the locals; NULL: not known */
    LLVMBasicBlockRef spill_end; /* once there is a landing pad: where all leave */
} Lower;

/* ---- for all of lower_*.c (lower.c) ---- */

LLVMValueRef wr_lower_pop(Lower *l);
void wr_lower_push(Lower *l, LLVMValueRef value);
/* Constants. */
LLVMValueRef wr_lower_i32(const Lower *l, u32 value);
LLVMValueRef wr_lower_i64(const Lower *l, u64 value);
/* A new block at the end of the function; the builder stays where it is. */
LLVMBasicBlockRef wr_lower_block(Lower *l);
/* Traps if the i1 `condition` is true: a cold branch to a call of HELPER_TRAP with this instruction's offset.
 * Goes on in a new block. */
void wr_lower_trap_if(Lower *l, LLVMValueRef condition, wr_trap_code_t code);
/* The same always: no block is open afterwards; wr_lower_dead() if it is the instruction's end. */
void wr_lower_trap(Lower *l, LLVMValueRef code);
/* Goes on in the new block *likely unless the i1 is true; the builder is then put into the block that is
 * returned, which is cold and has to be ended by the caller. */
LLVMBasicBlockRef wr_lower_unlikely(Lower *l, LLVMValueRef condition, LLVMBasicBlockRef *likely);
/* Calls a helper; `context` (or native, by its signature's first letter) is added here, and so is, for
 * results t and x, the trap or raise. In a try region it is an invoke where it may throw. */
LLVMValueRef wr_lower_helper(Lower *l, NativeHelper helper, LLVMValueRef *arguments, u32 count);
/* The same without trap or raise: gives what the helper returns. */
LLVMValueRef wr_lower_ask(Lower *l, NativeHelper helper, LLVMValueRef *arguments, u32 count);
/* Whether Store.interrupt has one of these bits (POLL_*): an i1. */
LLVMValueRef wr_lower_asked(Lower *l, u32 bits);
/* RAISE and THROW, as a helper without result; no block is open afterwards. */
void wr_lower_leave(Lower *l, NativeHelper helper, LLVMValueRef *arguments, u32 count);
/* A call that may throw: an invoke in a try region. */
LLVMValueRef wr_lower_invoke(Lower *l, LLVMTypeRef type, LLVMValueRef function,
                             LLVMValueRef *arguments, u32 count, unsigned convention);

/* Makes room for a local, in the open block. */
void wr_lower_add_local(Lower *l, u32 index, ValType type);
/* The place of the instructions that follow: a byte offset in the module. */
void wr_lower_locate(Lower *l, u64 offset);

/* ---- addresses and accesses (lower.c) ---- */

/* The address `offset` bytes behind a pointer, which lies in the same object. */
LLVMValueRef wr_lower_field(Lower *l, LLVMValueRef base, u64 offset);
/* A load of a field that never changes once an activation can see it (pointers in Instance, Memory.base of a
 * guarded memory, types). */
LLVMValueRef wr_lower_load_fixed(Lower *l, LLVMTypeRef type, LLVMValueRef base, u64 offset);
/* What one of the instance's arrays of pointers, which is at the offset `array` in it, has at an index. */
LLVMValueRef wr_lower_entity(Lower *l, size_t array, u32 index);
LLVMValueRef wr_lower_load(Lower *l, LLVMTypeRef type, LLVMValueRef address, LLVMValueRef tbaa);
/* Volatile if it has to be done before a trap that may follow: globals, objects. */
void wr_lower_store(Lower *l, LLVMValueRef value, LLVMValueRef address, LLVMValueRef tbaa,
                    bool is_volatile);
LLVMValueRef wr_lower_native(Lower *l); /* the Native */
LLVMValueRef wr_lower_heap_base(Lower *l);
LLVMValueRef wr_lower_memory_base(Lower *l); /* of memory 0, which is guarded */
/* A value as a slot has it: i32, f32 as an i64 with zeros above. */
LLVMValueRef wr_lower_widen(Lower *l, LLVMValueRef value);
/* Slot `index` of an array of slots: i32, f32 are extended by zeros. */
void wr_lower_store_slot(Lower *l, LLVMValueRef slots, u32 index, LLVMValueRef value);
LLVMValueRef wr_lower_load_slot(Lower *l, LLVMValueRef slots, u32 index, LLVMTypeRef type);
LLVMValueRef wr_lower_values(Lower *l); /* Native.values */
/* Room for so many slots in the frame, for the length of an instruction. */
LLVMValueRef wr_lower_slots(Lower *l, u32 count);

/* ---- functions from a loop on (lower_loop.c) ---- */

/* Makes locals of what is in the frame, in the entry block. */
void wr_lower_frame_locals(Lower *l);
/* At the loop of that label, the innermost one, whose parameters are on the stack: the function's entry leads here, and
 * nothing that was lowered before is reached any more. No block is open afterwards. */
void wr_lower_gate(Lower *l, Label *label);
/* Leaves results, `count` of them from the stack's index `at` on, in the frame, and returns. */
void wr_lower_exit_frame(Lower *l, const ValType *types, u32 at, u32 count);

/* ---- labels and branches (lower_control.c) ---- */

/* Opens the block that l->at describes: its parameters are on the stack and stay there. NULL: failed. A Label
 * stays where it is until the next one is opened. */
Label *wr_lower_enter(Lower *l, LabelKind kind);
/* Its end: passes control on to the target, whose results are then on the stack. */
void wr_lower_end(Lower *l);
Label *wr_lower_label(Lower *l, u32 depth); /* 0: innermost */
/* Ends the open block by a branch with these values, as many as the label takes. */
void wr_lower_jump(Lower *l, Label *label, LLVMValueRef *values);
/* Branches if the i1 is true, with the label's values from the top of the stack, where they stay; goes on in a
 * new block. */
void wr_lower_jump_if(Lower *l, LLVMValueRef condition, Label *label);
/* How many values a branch to it takes. */
u32 wr_lower_arity(const Label *label);
/* What follows cannot be reached. */
void wr_lower_dead(Lower *l);

/* ---- references (lower_ref.c) ---- */

/* Notes what the type says of a value that was read, or comes from a call, if it is a reference: casts and checks for
 * null ask. The value again. */
LLVMValueRef wr_lower_note_type(Lower *l, LLVMValueRef value, ValType type);
/* Whether it is known so. */
bool wr_lower_is_never_null(const Lower *l, LLVMValueRef ref);
/* Traps if it is null. */
void wr_lower_trap_if_null(Lower *l, LLVMValueRef ref, wr_trap_code_t code);

/* ---- fuel, if it is counted; else nothing happens (lower_fuel.c) ---- */

/* At the start of the function. */
void wr_lower_fuel_begin(Lower *l);
/* Control goes from this instruction to where side entry `index` leads: pays, and looks whether to stop there, where
 * the operands are the first `kept` and the topmost `moved`. To be followed by the branch. */
void wr_lower_fuel_branch(Lower *l, u32 index, u32 kept, u32 moved);
/* The same without looking. */
void wr_lower_fuel_pass(Lower *l, u32 index);
/* From `return` to the final `end`, which pays. */
void wr_lower_fuel_return(Lower *l);
/* At the final `end`: what is left, and in Store.fuel unless it is to be returned. */
LLVMValueRef wr_lower_fuel_end(Lower *l);
/* Around a call, `before` also in front of a tail call; it gives what is handed on, `after` takes what the call returned,
 * NULL if that is in Store.fuel; as it is if no fuel is counted. */
LLVMValueRef wr_lower_fuel_before_call(Lower *l);
void wr_lower_fuel_after_call(Lower *l, LLVMValueRef left);
/* Before something is thrown; and where it is caught, and control goes on. */
void wr_lower_fuel_throw(Lower *l);
void wr_lower_fuel_catch(Lower *l, const struct StatePlace *place);
/* The topmost operand is a number of bytes or elements that the instruction works on. */
void wr_lower_fuel_bulk(Lower *l);
/* Comes before an access that may fault; before a trap. */
void wr_lower_fuel_keep(Lower *l);
void wr_lower_fuel_trap(Lower *l);
/* Control comes to `next` from the open block, and with as much from wherever else. */
void wr_lower_fuel_flow(Lower *l, LLVMBasicBlockRef next);
/* Around what is called at `position`, where control is, and may look at what is left. */
void wr_lower_fuel_show(Lower *l, u32 position);
void wr_lower_fuel_take(Lower *l, u32 position);
/* Changes what is left by a constant, without a look. */
void wr_lower_fuel_add(Lower *l, i64 units);
/* What branches to the label that ends here have paid already of what follows (see there). */
i64 wr_lower_fuel_ahead(const Lower *l);

/* ---- lower_numeric.c, lower_simd.c ---- */

/* Lowers `op`, any instruction that numeric.def or numeric_simd.def describes and those with lane or 16-byte
 * immediates (l->at has them), except memory accesses: pops its operands, pushes its results. False if it is none. */
bool wr_lower_numeric(Lower *l, Opcode op);
bool wr_lower_simd(Lower *l, Opcode op);

/* ---- the others: each lowers the instructions of its area; false if it is none of them ---- */

/* Blocks, branches, br_on_null, br_on_non_null. */
bool wr_lower_control(Lower *l, Opcode op);
bool wr_lower_call(Lower *l, Opcode op);     /* calls and tail calls */
bool wr_lower_variable(Lower *l, Opcode op); /* locals, globals, drop, select, constants */
/* Loads, stores (SIMD ones too), size, grow, bulk, atomics. */
bool wr_lower_memory(Lower *l, Opcode op);
bool wr_lower_table(Lower *l, Opcode op);
/* Pops an index and gives the element there; traps with `code` if there is none. *index is a u64. */
LLVMValueRef wr_lower_table_element(Lower *l, u32 table, wr_trap_code_t code, LLVMValueRef *index);
/* The Func of a handle that is not null. */
LLVMValueRef wr_lower_func(Lower *l, LLVMValueRef handle);
/* ref.*, i31, extern conversions, casts, br_on_cast*: lower_gc.c */
bool wr_lower_ref(Lower *l, Opcode op);
bool wr_lower_gc(Lower *l, Opcode op);        /* structures, arrays */
bool wr_lower_exception(Lower *l, Opcode op); /* throw, throw_ref, try_table and legacy try */
/* lower_exception.c: where what is thrown by a call here lands; NULL if it leaves the function. The builder's
 * place does not change. */
LLVMBasicBlockRef wr_lower_pad(Lower *l);
/* Whether there is such a place. */
bool wr_lower_catches(Lower *l);
/* Ends the open block, to which an exception has come from a call here. */
void wr_lower_go_on_with(Lower *l, LLVMValueRef exception);
/* The exception that the clause which is open has caught, if the label is that of a legacy `try`; else NULL. */
LLVMValueRef wr_lower_caught(const Label *label);

#endif
