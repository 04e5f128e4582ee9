/*
 * disasm.c - see disasm.h. One function a group of immediate kinds; the switch over ImmKind has no default, so
 * that a new kind is missed by the compiler and not by users.
 */
#include "disasm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "utf8.h"

/* ---- Writing -------------------------------------------------------------------------------- */

void wr_disasm_text(const Disasm *d, const char *format, ...) {
    char text[128];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length > 0) d->write(d->context, text, min_u64((u64)length, sizeof text - 1));
}

static void put(const Disasm *d, const char *text) { d->write(d->context, text, strlen(text)); }

void wr_disasm_name(const Disasm *d, Name name) {
    const u8 *at = (const u8 *)name.data, *end = at + name.size;
    while (at < end) {
        char text[32];
        u32 code_point;
        size_t left = (size_t)(end - at), length = wr_utf8_char(at, left, &code_point);
        if (length == 0) length = 1;
        size_t shown = wr_text_escape(text, sizeof text, (const char *)at, length);
        d->write(d->context, text, min_u64(shown, sizeof text - 1));
        at += length;
    }
}

void wr_disasm_index(const Disasm *d, IndexSpace space, u32 index) {
    wr_disasm_text(d, "%u", index);
    Name name = d->name ? d->name(d->context, space, index) : (Name){NULL, 0};
    if (!name.data) return;
    put(d, " <");
    wr_disasm_name(d, name);
    put(d, ">");
}

/* ---- Types ---------------------------------------------------------------------------------- */

static const struct TypeText {
    u8 code;
    const char *value, *heap; /* NULL = is none */
} type_texts[] = {
    {0x7F, "i32", NULL},
    {0x7E, "i64", NULL},
    {0x7D, "f32", NULL},
    {0x7C, "f64", NULL},
    {0x7B, "v128", NULL},
    {0x78, "i8", NULL},
    {0x77, "i16", NULL},
    {0x74, "nullexnref", "noexn"},
    {0x73, "nullfuncref", "nofunc"},
    {0x72, "nullexternref", "noextern"},
    {0x71, "nullref", "none"},
    {0x70, "funcref", "func"},
    {0x6F, "externref", "extern"},
    {0x6E, "anyref", "any"},
    {0x6D, "eqref", "eq"},
    {0x6C, "i31ref", "i31"},
    {0x6B, "structref", "struct"},
    {0x6A, "arrayref", "array"},
    {0x69, "exnref", "exn"},
};
enum { CODE_REF = 0x64, CODE_REF_NULL = 0x63, CODE_EXACT = 0x62, CODE_EMPTY = 0x40 };

static const struct TypeText *find_type(u8 code) {
    for (size_t i = 0; i < ARRAY_LEN(type_texts); i++)
        if (type_texts[i].code == code) return &type_texts[i];
    return NULL;
}

void wr_disasm_heaptype(const Disasm *d, Reader *r) {
    const u8 *at = r->pos;
    bool exact = at < r->end && *at == CODE_EXACT;
    if (exact) wr_read_u8(r);
    i64 code = wr_read_s33(r);
    if (r->error) return;
    if (exact) put(d, "(exact ");
    const struct TypeText *type = code < 0 && code >= -64 ? find_type((u8)(code & 0x7F)) : NULL;
    if (code >= 0)
        wr_disasm_index(d, SPACE_TYPE, (u32)code);
    else if (type && type->heap)
        put(d, type->heap);
    else
        wr_reader_fail(r, at, "malformed heap type");
    if (exact) put(d, ")");
}

void wr_disasm_valtype(const Disasm *d, Reader *r) {
    const u8 *at = r->pos;
    u8 code = wr_read_u8(r);
    if (r->error) return;
    const struct TypeText *type = find_type(code);
    if (type) {
        put(d, type->value);
    } else if (code == CODE_REF || code == CODE_REF_NULL) {
        put(d, code == CODE_REF ? "(ref " : "(ref null ");
        wr_disasm_heaptype(d, r);
        put(d, ")");
    } else {
        wr_reader_fail(r, at, "malformed value type");
    }
}

/* Nothing for an empty type, (result ...), or (type ...). */
static void block_type(const Disasm *d, Reader *r) {
    u8 code = r->pos < r->end ? *r->pos : 0;
    if (code == CODE_EMPTY) {
        wr_read_u8(r);
    } else if (code == CODE_REF || code == CODE_REF_NULL || find_type(code)) {
        put(d, " (result ");
        wr_disasm_valtype(d, r);
        put(d, ")");
    } else {
        const u8 *at = r->pos;
        i64 index = wr_read_s33(r);
        if (index < 0) wr_reader_fail(r, at, "malformed block type");
        if (r->error) return;
        put(d, " (type ");
        wr_disasm_index(d, SPACE_TYPE, (u32)index);
        put(d, ")");
    }
}

/* ---- Immediates ----------------------------------------------------------------------------- */

static void index_of(const Disasm *d, Reader *r, IndexSpace space) {
    u32 index = wr_read_u32(r);
    if (r->error) return;
    put(d, " ");
    wr_disasm_index(d, space, index);
}

/* As index_of(), but index 0 without a name goes without saying, as in the text format. */
static void index_unless_0(const Disasm *d, IndexSpace space, u32 index) {
    if (index == 0) return;
    put(d, " ");
    wr_disasm_index(d, space, index);
}

static void two_indices(const Disasm *d, Reader *r, IndexSpace first, IndexSpace second) {
    index_of(d, r, first);
    index_of(d, r, second);
}

static void number(const Disasm *d, Reader *r) {
    u32 n = wr_read_u32(r);
    if (!r->error) wr_disasm_text(d, " %u", n);
}

static void labels(const Disasm *d, Reader *r) {
    u32 count = wr_read_u32(r);
    for (u64 i = 0; i <= count && !r->error; i++) index_of(d, r, SPACE_LABEL);
}

static void catch_clauses(const Disasm *d, Reader *r) {
    static const char *const kinds[] = {"catch", "catch_ref", "catch_all", "catch_all_ref"};
    block_type(d, r);
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && !r->error; i++) {
        const u8 *at = r->pos;
        u8 kind = wr_read_u8(r);
        if (kind >= ARRAY_LEN(kinds)) wr_reader_fail(r, at, "malformed catch clause");
        if (r->error) return;
        wr_disasm_text(d, " (%s", kinds[kind]);
        if (kind < 2) index_of(d, r, SPACE_TAG);
        index_of(d, r, SPACE_LABEL);
        put(d, ")");
    }
}

static void select_types(const Disasm *d, Reader *r) {
    u32 count = wr_read_u32(r);
    put(d, " (result");
    for (u32 i = 0; i < count && !r->error; i++) {
        put(d, " ");
        wr_disasm_valtype(d, r);
    }
    put(d, ")");
}

/* call_indirect: the table, unless it is 0, before the type. */
static void type_and_table(const Disasm *d, Reader *r) {
    u32 type = wr_read_u32(r), table = wr_read_u32(r);
    if (r->error) return;
    index_unless_0(d, SPACE_TABLE, table);
    put(d, " (type ");
    wr_disasm_index(d, SPACE_TYPE, type);
    put(d, ")");
}

static void pair_unless_0(const Disasm *d, Reader *r, IndexSpace space) {
    u32 first = wr_read_u32(r), second = wr_read_u32(r);
    if (r->error || (first == 0 && second == 0)) return;
    put(d, " ");
    wr_disasm_index(d, space, first);
    put(d, " ");
    wr_disasm_index(d, space, second);
}

/* data.init and table.init: the segment comes first in the bytes and last in the text. */
static void segment_and_target(const Disasm *d, Reader *r, IndexSpace segments,
                               IndexSpace targets) {
    u32 segment = wr_read_u32(r), target = wr_read_u32(r);
    if (r->error) return;
    index_unless_0(d, targets, target);
    put(d, " ");
    wr_disasm_index(d, segments, segment);
}

static void memarg(const Disasm *d, Reader *r, u32 natural) {
    u32 flags = wr_read_u32(r);
    u32 memory = flags & 0x40 ? wr_read_u32(r) : 0;
    u64 offset = wr_read_u64(r);
    u32 align = flags & ~0x40u;
    if (r->error) return;
    index_unless_0(d, SPACE_MEMORY, memory);
    if (offset) wr_disasm_text(d, " offset=%llu", (unsigned long long)offset);
    if (align == natural) return;
    if (align < 64)
        wr_disasm_text(d, " align=%llu", 1ull << align);
    else
        wr_disasm_text(d, " align=2**%u", align);
}

static void lanes(const Disasm *d, Reader *r, u32 count) {
    for (u32 i = 0; i < count; i++) {
        u8 lane = wr_read_u8(r);
        if (!r->error) wr_disasm_text(d, " %u", lane);
    }
}

static void v128_const(const Disasm *d, Reader *r) {
    const u8 *bytes = wr_read_bytes(r, 16);
    if (r->error) return;
    put(d, " i32x4");
    for (u32 i = 0; i < 4; i++) wr_disasm_text(d, " 0x%08x", le32_load(bytes + 4 * i));
}

/* Infinities and NaNs by name, a payload that is not the canonical one with it. False for numbers. */
static bool special_float(const Disasm *d, bool negative, bool infinite, bool is_nan, u64 payload,
                          u64 canonical) {
    if (!infinite && !is_nan) return false;
    put(d, negative ? " -" : " ");
    put(d, infinite ? "inf" : "nan");
    if (is_nan && payload != canonical) wr_disasm_text(d, ":0x%llx", (unsigned long long)payload);
    return true;
}

static void f32_const(const Disasm *d, Reader *r) {
    const u8 *bytes = wr_read_bytes(r, 4);
    if (r->error) return;
    u32 bits = le32_load(bytes), payload = bits & 0x7FFFFF;
    bool top = (bits >> 23 & 0xFF) == 0xFF;
    if (special_float(d, bits >> 31, top && !payload, top && payload, payload, 0x400000)) return;
    f32 value;
    char text[32] = "";
    memcpy(&value, &bits, sizeof value);
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    wr_disasm_text(d, " %s", text);
}

static void f64_const(const Disasm *d, Reader *r) {
    const u8 *bytes = wr_read_bytes(r, 8);
    if (r->error) return;
    u64 bits = le64_load(bytes), payload = bits & 0xFFFFFFFFFFFFF;
    bool top = (bits >> 52 & 0x7FF) == 0x7FF;
    if (special_float(d, bits >> 63, top && !payload, top && payload, payload, 1ull << 51)) return;
    f64 value;
    char text[32] = "";
    memcpy(&value, &bits, sizeof value);
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    wr_disasm_text(d, " %s", text);
}

static void heap_type(const Disasm *d, Reader *r) {
    put(d, " ");
    wr_disasm_heaptype(d, r);
}

static void branch_cast(const Disasm *d, Reader *r) {
    u8 flags = wr_read_u8(r);
    index_of(d, r, SPACE_LABEL);
    for (u32 i = 0; i < 2 && !r->error; i++) {
        put(d, flags >> i & 1 ? " (ref null " : " (ref ");
        wr_disasm_heaptype(d, r);
        put(d, ")");
    }
}

static void integer_const(const Disasm *d, Reader *r, bool is_64) {
    i64 value = is_64 ? wr_read_s64(r) : wr_read_s32(r);
    if (!r->error) wr_disasm_text(d, " %lld", (long long)value);
}

/* The memory or table that an instruction names alone: table 0 is written, memory 0 is not. */
static void memory(const Disasm *d, Reader *r) {
    u32 index = wr_read_u32(r);
    if (!r->error) index_unless_0(d, SPACE_MEMORY, index);
}

static void immediates(const Disasm *d, Reader *r, const OpInfo *info) {
    switch ((ImmKind)info->imm) {
    case IMM_NONE: break;
    case IMM_BLOCK: block_type(d, r); break;
    case IMM_TRY_TABLE: catch_clauses(d, r); break;
    case IMM_LABEL: index_of(d, r, SPACE_LABEL); break;
    case IMM_BR_TABLE: labels(d, r); break;
    case IMM_FUNC: index_of(d, r, SPACE_FUNC); break;
    case IMM_TYPE: index_of(d, r, SPACE_TYPE); break;
    case IMM_TYPE_TABLE: type_and_table(d, r); break;
    case IMM_TYPE_FIELD:
    case IMM_TYPE_COUNT:
        index_of(d, r, SPACE_TYPE);
        number(d, r);
        break;
    case IMM_TYPE_DATA: two_indices(d, r, SPACE_TYPE, SPACE_DATA); break;
    case IMM_TYPE_ELEM: two_indices(d, r, SPACE_TYPE, SPACE_ELEM); break;
    case IMM_TYPE_TYPE: two_indices(d, r, SPACE_TYPE, SPACE_TYPE); break;
    case IMM_TAG: index_of(d, r, SPACE_TAG); break;
    case IMM_SELECT_TYPES: select_types(d, r); break;
    case IMM_LOCAL: index_of(d, r, SPACE_LOCAL); break;
    case IMM_GLOBAL: index_of(d, r, SPACE_GLOBAL); break;
    case IMM_TABLE: index_of(d, r, SPACE_TABLE); break;
    case IMM_TABLE_TABLE: pair_unless_0(d, r, SPACE_TABLE); break;
    case IMM_ELEM: index_of(d, r, SPACE_ELEM); break;
    case IMM_ELEM_TABLE: segment_and_target(d, r, SPACE_ELEM, SPACE_TABLE); break;
    case IMM_MEMORY: memory(d, r); break;
    case IMM_MEMORY_MEMORY: pair_unless_0(d, r, SPACE_MEMORY); break;
    case IMM_DATA: index_of(d, r, SPACE_DATA); break;
    case IMM_DATA_MEMORY: segment_and_target(d, r, SPACE_DATA, SPACE_MEMORY); break;
    case IMM_MEMARG: memarg(d, r, info->align); break;
    case IMM_MEMARG_LANE:
        memarg(d, r, info->align);
        lanes(d, r, 1);
        break;
    case IMM_LANE: lanes(d, r, 1); break;
    case IMM_SHUFFLE: lanes(d, r, 16); break;
    case IMM_V128: v128_const(d, r); break;
    case IMM_I32: integer_const(d, r, false); break;
    case IMM_I64: integer_const(d, r, true); break;
    case IMM_F32: f32_const(d, r); break;
    case IMM_F64: f64_const(d, r); break;
    case IMM_HEAP_TYPE: heap_type(d, r); break;
    case IMM_BR_CAST: branch_cast(d, r); break;
    case IMM_ZERO: wr_read_u8(r); break;
    }
}

/* ---- Instructions --------------------------------------------------------------------------- */

static Opcode read_opcode(Reader *r) {
    const u8 *at = r->pos;
    u8 first = wr_read_u8(r);
    bool prefixed = first >= 0xFB && first <= 0xFE;
    u32 code = prefixed ? wr_read_u32(r) : first;
    Opcode op = r->error ? OP_INVALID : wr_op_from_code(prefixed ? first : 0, code);
    if (op == OP_INVALID && !r->error) {
        if (prefixed)
            wr_reader_fail(r, at, "illegal opcode: %02x %02x", first, code);
        else
            wr_reader_fail(r, at, "illegal opcode: %02x", first);
    }
    return op;
}

Opcode wr_disasm_instr(const Disasm *d, Reader *r) {
    Opcode op = read_opcode(r);
    if (op == OP_INVALID) return op;
    put(d, wr_op_info[op].text);
    immediates(d, r, &wr_op_info[op]);
    return r->error ? OP_INVALID : op;
}
