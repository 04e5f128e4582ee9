/*
 * opcode.h - what opcodes.def says, as C: the enumeration and one constant record an instruction.
 * Used by decoder, validator, dump, text format and engines. All data here is immutable.
 */
#ifndef WR_OPCODE_H
#define WR_OPCODE_H

#include "base.h"

typedef enum Feature {
#define FEATURE(id, name, on) FEATURE_##id,
#include "features.def"
#undef FEATURE
    FEATURE_COUNT
} Feature;
typedef u32 Features; /* bit 1 << FEATURE_x */

INLINE bool feature_on(Features set, Feature feature) { return set >> feature & 1; }

extern const Features wr_features_default;
const char *wr_feature_name(Feature feature);             /* "bulk-memory" */
bool wr_feature_find(const char *name, Feature *feature); /* false when there is none such */

typedef enum Opcode {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst) OP_##id,
#include "opcodes.def"
#undef OP
    OP_COUNT,
    OP_INVALID = OP_COUNT
} Opcode;

/* Immediate kinds: what follows the opcode in the binary format (spec, binary/instructions). All
 * integers are LEB128, u32 unless said otherwise. */
typedef enum ImmKind {
    IMM_NONE,
    IMM_BLOCK,         /* block type: s33 type index, or a value type, or 0x40 */
    IMM_TRY_TABLE,     /* block type, then a vector of catch clauses */
    IMM_LABEL,         /* label index */
    IMM_BR_TABLE,      /* vector of label indices, then the default label */
    IMM_FUNC,          /* function index */
    IMM_TYPE,          /* type index */
    IMM_TYPE_TABLE,    /* type index, table index */
    IMM_TYPE_FIELD,    /* type index, field index */
    IMM_TYPE_COUNT,    /* type index, count */
    IMM_TYPE_DATA,     /* type index, data index */
    IMM_TYPE_ELEM,     /* type index, element segment index */
    IMM_TYPE_TYPE,     /* destination and source type index */
    IMM_TAG,           /* tag index */
    IMM_SELECT_TYPES,  /* vector of value types */
    IMM_LOCAL,         /* local index */
    IMM_GLOBAL,        /* global index */
    IMM_TABLE,         /* table index */
    IMM_TABLE_TABLE,   /* destination and source table index */
    IMM_ELEM,          /* element segment index */
    IMM_ELEM_TABLE,    /* element segment index, table index */
    IMM_MEMORY,        /* memory index */
    IMM_MEMORY_MEMORY, /* destination and source memory index */
    IMM_DATA,          /* data segment index */
    IMM_DATA_MEMORY,   /* data segment index, memory index */
    IMM_MEMARG,        /* u32: log2 of alignment, bit 6 = a memory index follows; then u64 offset */
    IMM_MEMARG_LANE,   /* memarg, then one byte lane */
    IMM_LANE,          /* one byte lane */
    IMM_SHUFFLE,       /* 16 bytes of lanes */
    IMM_V128,          /* 16 bytes, little-endian */
    IMM_I32,           /* s32 */
    IMM_I64,           /* s64 */
    IMM_F32,           /* 4 bytes */
    IMM_F64,           /* 8 bytes */
    IMM_HEAP_TYPE,     /* heap type: s33, or 0x62 and a u32 type index */
    IMM_BR_CAST, /* byte of flags (bit 0, 1: source, target nullable), label, two heap types */
    IMM_ZERO     /* one zero byte */
} ImmKind;

typedef enum ConstRule { KONST_NEVER, KONST_ALWAYS, KONST_EXTENDED, KONST_GC } ConstRule;

typedef struct OpInfo {
    u16 code;
    u8 prefix; /* 0 or 0xFB..0xFE */
    u8 imm;    /* ImmKind */
    u8 align;  /* log2 */
    u8 feature;
    u8 konst; /* ConstRule */
} OpInfo;

extern const OpInfo wr_op_info[OP_COUNT];

const char *wr_op_text(Opcode op); /* keyword of the text format */
const char *wr_op_sig(Opcode op);  /* see opcodes.def; for the compiler and tests: opcode_sig.c */

/* OP_INVALID when there is no such instruction. Constant time. */
Opcode wr_op_from_code(u8 prefix, u32 code);

/* The same for instructions without prefix, for loops that decode: OP_x + 1, or 0. */
extern const u16 wr_op_plain[256];

INLINE bool op_is_tail_call(Opcode op) {
    return op == OP_RETURN_CALL || op == OP_RETURN_CALL_INDIRECT || op == OP_RETURN_CALL_REF;
}
/* Of the instruction that begins with that byte. */
INLINE bool byte_is_tail_call(u8 byte) { return op_is_tail_call(wr_op_from_code(0, byte)); }

#endif
