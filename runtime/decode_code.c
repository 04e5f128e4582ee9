/*
 * decode_code.c - reading instructions. The switch over ImmKind has no default: the compiler names
 * what a new kind of immediate misses here.
 */
#include "decode_code.h"

#include "binary.h"

#define MEMARG_HAS_INDEX 0x40u

Opcode wr_read_opcode(Reader *r) {
    const u8 *at = r->pos;
    u8 byte = wr_read_u8(r);
    if (r->error != NULL) return OP_INVALID;
    u16 plain = wr_op_plain[byte];
    if (LIKELY(plain != 0)) return (Opcode)(plain - 1);
    if (byte < 0xFB || byte > 0xFE) {
        wr_reader_fail(r, at, "illegal opcode %02x", byte);
        return OP_INVALID;
    }
    u32 code = wr_read_u32(r);
    if (r->error != NULL) return OP_INVALID;
    Opcode op = wr_op_from_code(byte, code);
    if (op == OP_INVALID) wr_reader_fail(r, at, "illegal opcode %02x %02x", byte, (unsigned)code);
    return op;
}

static void read_memarg(Reader *r, Instr *i) {
    const u8 *at = r->pos;
    u32 flags = wr_read_u32(r);
    if (flags >= 2 * MEMARG_HAS_INDEX) wr_reader_fail(r, at, "malformed memop flags");
    i->index = (flags & MEMARG_HAS_INDEX) != 0 ? wr_read_u32(r) : 0;
    i->align = (u8)(flags & (MEMARG_HAS_INDEX - 1));
    i->offset = wr_read_u64(r);
}

/* Block types overlap: CODE_EMPTY, a value type's negative number, or a type index (s33). */
static void read_block_type(Reader *r, Instr *i) {
    const u8 *at = r->pos;
    u8 byte = r->pos < r->end ? *r->pos : 0;
    i->index = NONE_U32;
    i->type = T_BOT;
    if (byte == CODE_EMPTY) {
        (void)wr_read_u8(r);
    } else if ((byte & 0xC0) == 0x40) {
        i->type = wr_read_valtype(r, NULL);
    } else {
        i64 index = wr_read_s33(r);
        if (index < 0)
            wr_reader_fail(r, at, "malformed block type");
        else
            i->index = (u32)index;
    }
}

static void read_clause(Reader *r) {
    const u8 *at = r->pos;
    u8 kind = wr_read_u8(r);
    if (kind > 3) wr_reader_fail(r, at, "malformed catch clause");
    if (kind < 2) (void)wr_read_u32(r); /* tag */
    (void)wr_read_u32(r);               /* label */
}

static void read_vector(Reader *r, Instr *i, ImmKind kind) {
    i->vector.count = wr_read_count(r, 0);
    i->vector.items = r->pos;
    for (u32 n = i->vector.count; n > 0 && r->error == NULL; n--) {
        if (kind == IMM_BR_TABLE)
            (void)wr_read_u32(r);
        else if (kind == IMM_SELECT_TYPES)
            (void)wr_read_valtype(r, NULL);
        else
            read_clause(r);
    }
}

static void read_cast(Reader *r, Instr *i) {
    const u8 *at = r->pos;
    i->flags = wr_read_u8(r);
    if (i->flags > 3) wr_reader_fail(r, at, "malformed br_on_cast flags");
    i->index = wr_read_u32(r);
    i->heap = wr_read_heaptype(r, NULL);
    i->heap2 = wr_read_heaptype(r, NULL);
}

static u64 read_fixed(Reader *r, u32 size) {
    const u8 *bytes = wr_read_bytes(r, size);
    if (bytes == NULL) return 0;
    return size == 4 ? le32_load(bytes) : le64_load(bytes);
}

static void read_zero(Reader *r) {
    const u8 *at = r->pos;
    if (wr_read_u8(r) != 0) wr_reader_fail(r, at, "zero byte expected");
}

static void read_immediates(Reader *r, Instr *i, ImmKind kind) {
    switch (kind) {
    case IMM_NONE: break;
    case IMM_BLOCK: read_block_type(r, i); break;
    case IMM_TRY_TABLE:
        read_block_type(r, i);
        read_vector(r, i, kind);
        break;
    case IMM_BR_TABLE:
        read_vector(r, i, kind);
        i->index = wr_read_u32(r);
        break;
    case IMM_LABEL:
    case IMM_FUNC:
    case IMM_TYPE:
    case IMM_TAG:
    case IMM_LOCAL:
    case IMM_GLOBAL:
    case IMM_TABLE:
    case IMM_ELEM:
    case IMM_MEMORY:
    case IMM_DATA: i->index = wr_read_u32(r); break;
    case IMM_TYPE_TABLE:
    case IMM_TYPE_FIELD:
    case IMM_TYPE_COUNT:
    case IMM_TYPE_DATA:
    case IMM_TYPE_ELEM:
    case IMM_TYPE_TYPE:
    case IMM_TABLE_TABLE:
    case IMM_ELEM_TABLE:
    case IMM_MEMORY_MEMORY:
    case IMM_DATA_MEMORY:
        i->index = wr_read_u32(r);
        i->index2 = wr_read_u32(r);
        break;
    case IMM_SELECT_TYPES: read_vector(r, i, kind); break;
    case IMM_MEMARG: read_memarg(r, i); break;
    case IMM_MEMARG_LANE:
        read_memarg(r, i);
        i->lane = wr_read_u8(r);
        break;
    case IMM_LANE: i->lane = wr_read_u8(r); break;
    case IMM_SHUFFLE:
    case IMM_V128: i->bytes = wr_read_bytes(r, 16); break;
    case IMM_I32: i->bits = (u64)(i64)wr_read_s32(r); break;
    case IMM_I64: i->bits = (u64)wr_read_s64(r); break;
    case IMM_F32: i->bits = read_fixed(r, 4); break;
    case IMM_F64: i->bits = read_fixed(r, 8); break;
    case IMM_HEAP_TYPE: i->heap = wr_read_heaptype(r, NULL); break;
    case IMM_BR_CAST: read_cast(r, i); break;
    case IMM_ZERO: read_zero(r); break;
    }
}

bool wr_instr_next(Reader *r, Instr *instr) {
    if (r->pos == r->end) return false; /* also after an error */
    *instr = (Instr){.start = r->pos};
    instr->op = wr_read_opcode(r);
    if (instr->op == OP_INVALID) return false;
    read_immediates(r, instr, (ImmKind)wr_op_info[instr->op].imm);
    instr->end = r->pos;
    return r->error == NULL;
}
