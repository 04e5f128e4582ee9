/*
 * lower.h - lowering of one function body to LLVM IR: the state that the lower_*.c files share. One
 * instruction is decoded (wr_instr_next), its operands are popped off `stack`, its results pushed.
 *
 * IR types: i32, i64, float, double, <2 x i64> for v128, i32 for every reference (native.h).
 */
#ifndef WR_AOT_LOWER_H
#define WR_AOT_LOWER_H

#include <llvm-c/Core.h>

#include "decode_code.h"
#include "native.h"
#include "unit.h"

/* One label of the control stack; lower_control.c. */
typedef struct Label Label;

typedef struct Lower {
    Unit *unit; /* the LLVM module that it goes into: context, types, attributes, declarations */
    LLVMBuilderRef b;
    const Module *module;
    const Code *code;
    const FuncDecl *decl;
    LLVMValueRef function;
    LLVMValueRef context; /* the Instance */
    LLVMValueRef *locals; /* allocas */
    LLVMValueRef *stack;  /* operands */
    u32 height, capacity;
    Label *labels;
    u32 nlabels, cap_labels;
    bool unreachable; /* no block is open: instructions are skipped up to the end of the block */
    u32 skipped;      /* blocks nested in skipped code */
    Instr at;         /* the instruction being lowered */
} Lower;

/* ---- for all of lower_*.c (lower.c) ---- */

LLVMValueRef wr_lower_pop(Lower *l);
void wr_lower_push(Lower *l, LLVMValueRef value);
/* Traps if the i1 `condition` is true: a cold branch to a call of HELPER_TRAP with this instruction's offset.
 * Goes on in a new block. */
void wr_lower_trap_if(Lower *l, LLVMValueRef condition, wr_trap_code_t code);
/* Calls a helper; `context` (or native, by its signature's first letter) is added here, and so are the stack check
 * and, for results t and x, the trap or raise. In a try region it is an invoke where it may throw. */
LLVMValueRef wr_lower_helper(Lower *l, NativeHelper helper, LLVMValueRef *arguments, u32 count);

/* ---- lower_numeric.c, lower_simd.c ---- */

/* Lowers `op`, any instruction that numeric.def or numeric_simd.def describes and those with lane or 16-byte
 * immediates (l->at has them), except memory accesses: pops its operands, pushes its results. False if it is none. */
bool wr_lower_numeric(Lower *l, Opcode op);
bool wr_lower_simd(Lower *l, Opcode op);

/* ---- the others: each lowers the instructions of its area; false if it is none of them ---- */

bool wr_lower_control(Lower *l,
                      Opcode op); /* blocks, branches, calls: lower_control.c, lower_call.c */
bool wr_lower_variable(Lower *l, Opcode op); /* locals, globals, drop, select, constants */
bool wr_lower_memory(Lower *l,
                     Opcode op); /* loads, stores (SIMD ones too), size, grow, bulk, atomics */
bool wr_lower_table(Lower *l, Opcode op);
bool wr_lower_ref(Lower *l, Opcode op); /* ref.*, i31, extern conversions, casts: lower_gc.c */
bool wr_lower_gc(Lower *l, Opcode op);  /* structures, arrays */
bool wr_lower_exception(Lower *l, Opcode op); /* throw, throw_ref, try_table and legacy try */

#endif
