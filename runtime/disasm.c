/*
 * disasm.c - see disasm.h. The switch over ImmKind has no default, so that the compiler names what a new
 * kind of immediate misses here.
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

/* Bytes of a name at an index, so that a long one cannot multiply into gigabytes. */
enum { SHOWN_NAME = 256 };

void wr_disasm_index(const Disasm *d, IndexSpace space, u32 index) {
    if (d->index) {
        d->index(d->context, space, index);
        return;
    }
    wr_disasm_text(d, "%u", index);
    Name name = d->name ? d->name(d->context, space, index) : (Name){NULL, 0};
    if (!name.data) return;
    bool cut = name.size > SHOWN_NAME;
    put(d, " <");
    wr_disasm_name(d, (Name){name.data, cut ? SHOWN_NAME : name.size});
    put(d, cut ? "...>" : ">");
}

/* ---- Types ---------------------------------------------------------------------------------- */

static const char *const kind_texts[] = {
    [VK_BOT] = "bot",   [VK_I32] = "i32", [VK_I64] = "i64", [VK_F32] = "f32", [VK_F64] = "f64",
    [VK_V128] = "v128", [VK_REF] = "ref", [VK_I8] = "i8",   [VK_I16] = "i16",
};

static const struct HeapText {
    const char *heap, *nullable; /* the heap type, and the short form of (ref null heap) */
} heap_texts[] = {
    [HEAP_FUNC] = {"func", "funcref"},
    [HEAP_EXTERN] = {"extern", "externref"},
    [HEAP_ANY] = {"any", "anyref"},
    [HEAP_EQ] = {"eq", "eqref"},
    [HEAP_I31] = {"i31", "i31ref"},
    [HEAP_STRUCT] = {"struct", "structref"},
    [HEAP_ARRAY] = {"array", "arrayref"},
    [HEAP_EXN] = {"exn", "exnref"},
    [HEAP_NONE] = {"none", "nullref"},
    [HEAP_NOFUNC] = {"nofunc", "nullfuncref"},
    [HEAP_NOEXTERN] = {"noextern", "nullexternref"},
    [HEAP_NOEXN] = {"noexn", "nullexnref"},
    [HEAP_BOT] = {"bot", "botref"},
};

void wr_disasm_heaptype(const Disasm *d, HeapType heap) {
    bool exact = heap_is_exact(heap);
    if (exact) put(d, "(exact ");
    if (heap_is_defined(heap))
        wr_disasm_index(d, SPACE_TYPE, heap_type_id(heap));
    else
        put(d, heap < ARRAY_LEN(heap_texts) ? heap_texts[heap].heap : "?");
    if (exact) put(d, ")");
}

static void ref_type(const Disasm *d, HeapType heap, bool nullable) {
    put(d, nullable ? "(ref null " : "(ref ");
    wr_disasm_heaptype(d, heap);
    put(d, ")");
}

void wr_disasm_valtype(const Disasm *d, ValType type) {
    HeapType heap = type_heap(type);
    if (!type_is_ref(type))
        put(d, type_kind(type) < ARRAY_LEN(kind_texts) ? kind_texts[type_kind(type)] : "?");
    else if (type_is_nullable(type) && heap < ARRAY_LEN(heap_texts))
        put(d, heap_texts[heap].nullable);
    else
        ref_type(d, heap, type_is_nullable(type));
}

/* Nothing for an empty type, (result ...), or (type ...). */
static void block_type(const Disasm *d, const Instr *i) {
    if (i->index != NONE_U32) {
        put(d, " (type ");
        wr_disasm_index(d, SPACE_TYPE, i->index);
        put(d, ")");
    } else if (i->type != T_BOT) {
        put(d, " (result ");
        wr_disasm_valtype(d, i->type);
        put(d, ")");
    }
}

/* ---- Immediates ----------------------------------------------------------------------------- */

static void index_of(const Disasm *d, IndexSpace space, u32 index) {
    put(d, " ");
    wr_disasm_index(d, space, index);
}

/* Index 0 goes without saying, as in the text format. */
static void index_unless_0(const Disasm *d, IndexSpace space, u32 index) {
    if (index != 0) index_of(d, space, index);
}

static void two_indices(const Disasm *d, const Instr *i, IndexSpace first, IndexSpace second) {
    index_of(d, first, i->index);
    index_of(d, second, i->index2);
}

static void pair_unless_0(const Disasm *d, const Instr *i, IndexSpace space) {
    if (i->index != 0 || i->index2 != 0) two_indices(d, i, space, space);
}

/* memory.init and table.init: the segment comes first in the bytes and last in the text. */
static void target_and_segment(const Disasm *d, const Instr *i, IndexSpace segments,
                               IndexSpace targets) {
    index_unless_0(d, targets, i->index2);
    index_of(d, segments, i->index);
}

/* call_indirect: the table, unless it is 0, before the type. */
static void table_and_type(const Disasm *d, const Instr *i) {
    index_unless_0(d, SPACE_TABLE, i->index2);
    put(d, " (type ");
    wr_disasm_index(d, SPACE_TYPE, i->index);
    put(d, ")");
}

static void type_and_field(const Disasm *d, const Instr *i) {
    index_of(d, SPACE_TYPE, i->index);
    put(d, " ");
    if (d->field)
        d->field(d->context, i->index, i->index2);
    else
        wr_disasm_text(d, "%u", i->index2);
}

static void type_and_count(const Disasm *d, const Instr *i) {
    index_of(d, SPACE_TYPE, i->index);
    wr_disasm_text(d, " %u", i->index2);
}

static Reader read_again(const Instr *i) {
    return (Reader){.pos = i->vector.items, .end = i->end, .base = i->start};
}

static void labels(const Disasm *d, const Instr *i) {
    Reader r = read_again(i);
    for (u32 n = 0; n < i->vector.count; n++) index_of(d, SPACE_LABEL, wr_read_u32(&r));
    index_of(d, SPACE_LABEL, i->index);
}

static void select_types(const Disasm *d, const Instr *i) {
    Reader r = read_again(i);
    put(d, " (result");
    for (u32 n = 0; n < i->vector.count; n++) {
        put(d, " ");
        wr_disasm_valtype(d, wr_read_valtype(&r, NULL));
    }
    put(d, ")");
}

static void catch_clauses(const Disasm *d, const Instr *i) {
    static const char *const kinds[] = {"catch", "catch_ref", "catch_all", "catch_all_ref"};
    Reader r = read_again(i);
    block_type(d, i);
    for (u32 n = 0; n < i->vector.count; n++) {
        u8 kind = wr_read_u8(&r) & 3;
        wr_disasm_text(d, " (%s", kinds[kind]);
        if (kind < 2) index_of(d, SPACE_TAG, wr_read_u32(&r));
        index_of(d, SPACE_LABEL, wr_read_u32(&r));
        put(d, ")");
    }
}

static void memarg(const Disasm *d, const Instr *i) {
    index_unless_0(d, SPACE_MEMORY, i->index);
    if (i->offset != 0) wr_disasm_text(d, " offset=%llu", (unsigned long long)i->offset);
    if (i->align == wr_op_info[i->op].align) return;
    wr_disasm_text(d, " align=%llu", 1ull << (i->align & 63));
}

static void shuffle(const Disasm *d, const Instr *i) {
    for (u32 n = 0; n < 16; n++) wr_disasm_text(d, " %u", i->bytes[n]);
}

static void v128_const(const Disasm *d, const Instr *i) {
    put(d, " i32x4");
    for (u32 n = 0; n < 4; n++) wr_disasm_text(d, " 0x%08x", le32_load(i->bytes + 4 * n));
}

/* Infinity, or a NaN with its payload unless that is the canonical one. */
static void special_float(const Disasm *d, bool negative, u64 payload, u64 canonical) {
    put(d, negative ? " -" : " ");
    put(d, payload == 0 ? "inf" : "nan");
    if (payload != 0 && payload != canonical)
        wr_disasm_text(d, ":0x%llx", (unsigned long long)payload);
}

/* A number as snprintf() wrote it, whatever the locale has for a decimal point. */
static void put_decimal(const Disasm *d, const char *text) {
    put(d, " ");
    for (bool in_point = false; *text; text++) {
        bool is_point = strchr("0123456789+-e", *text) == NULL;
        if (!is_point) d->write(d->context, text, 1);
        if (is_point && !in_point) put(d, ".");
        in_point = is_point;
    }
}

/* The shortest decimal that reads back the same. */
static void f32_const(const Disasm *d, u32 bits) {
    if ((bits >> 23 & 0xFF) == 0xFF) {
        special_float(d, bits >> 31, bits & 0x7FFFFF, 0x400000);
        return;
    }
    f32 value;
    char text[32] = "";
    memcpy(&value, &bits, sizeof value);
    for (int digits = 1; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    put_decimal(d, text);
}

static void f64_const(const Disasm *d, u64 bits) {
    if ((bits >> 52 & 0x7FF) == 0x7FF) {
        special_float(d, bits >> 63, bits & 0xFFFFFFFFFFFFF, 1ull << 51);
        return;
    }
    f64 value;
    char text[32] = "";
    memcpy(&value, &bits, sizeof value);
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    put_decimal(d, text);
}

/* Of instructions that test and cast it is part of a reference type, of which the opcode says whether
 * it is nullable: in the table's text behind the keyword. */
static void heap_type(const Disasm *d, const Instr *i) {
    put(d, " ");
    if (i->op == OP_REF_NULL)
        wr_disasm_heaptype(d, i->heap);
    else
        ref_type(d, i->heap, strchr(wr_op_text(i->op), ' ') != NULL);
}

static void branch_cast(const Disasm *d, const Instr *i) {
    index_of(d, SPACE_LABEL, i->index);
    put(d, " ");
    ref_type(d, i->heap, i->flags & 1);
    put(d, " ");
    ref_type(d, i->heap2, i->flags & 2);
}

void wr_disasm_instr(const Disasm *d, const Instr *i) {
    const char *text = wr_op_text(i->op);
    d->write(d->context, text, strcspn(text, " "));
    wr_disasm_immediates(d, i);
}

void wr_disasm_immediates(const Disasm *d, const Instr *i) {
    switch ((ImmKind)wr_op_info[i->op].imm) {
    case IMM_NONE:
    case IMM_ZERO: break;
    case IMM_BLOCK: block_type(d, i); break;
    case IMM_TRY_TABLE: catch_clauses(d, i); break;
    case IMM_LABEL: index_of(d, SPACE_LABEL, i->index); break;
    case IMM_BR_TABLE: labels(d, i); break;
    case IMM_FUNC: index_of(d, SPACE_FUNC, i->index); break;
    case IMM_TYPE: index_of(d, SPACE_TYPE, i->index); break;
    case IMM_TYPE_TABLE: table_and_type(d, i); break;
    case IMM_TYPE_FIELD: type_and_field(d, i); break;
    case IMM_TYPE_COUNT: type_and_count(d, i); break;
    case IMM_TYPE_DATA: two_indices(d, i, SPACE_TYPE, SPACE_DATA); break;
    case IMM_TYPE_ELEM: two_indices(d, i, SPACE_TYPE, SPACE_ELEM); break;
    case IMM_TYPE_TYPE: two_indices(d, i, SPACE_TYPE, SPACE_TYPE); break;
    case IMM_TAG: index_of(d, SPACE_TAG, i->index); break;
    case IMM_SELECT_TYPES: select_types(d, i); break;
    case IMM_LOCAL: index_of(d, SPACE_LOCAL, i->index); break;
    case IMM_GLOBAL: index_of(d, SPACE_GLOBAL, i->index); break;
    case IMM_TABLE: index_of(d, SPACE_TABLE, i->index); break;
    case IMM_TABLE_TABLE: pair_unless_0(d, i, SPACE_TABLE); break;
    case IMM_ELEM: index_of(d, SPACE_ELEM, i->index); break;
    case IMM_ELEM_TABLE: target_and_segment(d, i, SPACE_ELEM, SPACE_TABLE); break;
    case IMM_MEMORY: index_unless_0(d, SPACE_MEMORY, i->index); break;
    case IMM_MEMORY_MEMORY: pair_unless_0(d, i, SPACE_MEMORY); break;
    case IMM_DATA: index_of(d, SPACE_DATA, i->index); break;
    case IMM_DATA_MEMORY: target_and_segment(d, i, SPACE_DATA, SPACE_MEMORY); break;
    case IMM_MEMARG: memarg(d, i); break;
    case IMM_MEMARG_LANE:
        memarg(d, i);
        wr_disasm_text(d, " %u", i->lane);
        break;
    case IMM_LANE: wr_disasm_text(d, " %u", i->lane); break;
    case IMM_SHUFFLE: shuffle(d, i); break;
    case IMM_V128: v128_const(d, i); break;
    case IMM_I32:
    case IMM_I64: wr_disasm_text(d, " %lld", (long long)i->bits); break;
    case IMM_F32: f32_const(d, (u32)i->bits); break;
    case IMM_F64: f64_const(d, i->bits); break;
    case IMM_HEAP_TYPE: heap_type(d, i); break;
    case IMM_BR_CAST: branch_cast(d, i); break;
    }
}
