/*
 * decode_code.h - one instruction at a time, with all its immediates, off the binary format (spec:
 * binary/instructions). It checks what makes bytes malformed and nothing else: indices, types,
 * nesting and features are the validator's. Used to delimit constant expressions and by tools that
 * walk code; the validator and the interpreter read immediates themselves, as they need them.
 */
#ifndef WR_DECODE_CODE_H
#define WR_DECODE_CODE_H

#include "decode.h"
#include "opcode.h"

/* A vector of immediates: to be read again from `items` (a Reader from there cannot fail). */
typedef struct ImmVector {
    u32 count;
    const u8 *items;
} ImmVector;

/* Types are as wr_read_valtype() gives them without a module: indices are the module's own. */
typedef struct Instr {
    Opcode op;
    const u8 *start, *end; /* the opcode's first byte; one past the immediates */
    /* Indices in the order of the binary format, where each kind of immediate has them. For
     * IMM_MEMARG the memory; for IMM_BR_CAST the label; for IMM_BR_TABLE the default label; for
     * IMM_BLOCK and IMM_TRY_TABLE the type index, or NONE_U32: then `type` is the result, T_BOT for
     * none. */
    u32 index, index2;
    ValType type;
    HeapType heap, heap2; /* IMM_HEAP_TYPE, IMM_BR_CAST: source and target */
    u8 flags;             /* IMM_BR_CAST */
    u8 lane;
    u8 align;        /* IMM_MEMARG*: log2 */
    u64 offset;      /* IMM_MEMARG* */
    u64 bits;        /* IMM_I32 (sign-extended), IMM_I64, IMM_F32, IMM_F64 */
    const u8 *bytes; /* IMM_V128, IMM_SHUFFLE: 16 of them */
    ImmVector
        vector; /* IMM_BR_TABLE: labels; IMM_SELECT_TYPES: value types; IMM_TRY_TABLE: clauses */
} Instr;

/* The next instruction; false at the reader's end and after an error. */
bool wr_instr_next(Reader *r, Instr *instr);

/* The opcode alone, prefix included; OP_INVALID after an error. */
Opcode wr_read_opcode(Reader *r);

#endif
