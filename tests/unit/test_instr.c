/* The iterator over instructions: every kind of immediate, and what is malformed about each. */
#include <criterion/criterion.h>

#include "decode_code.h"
#include "wasm_builder.h"

/* Some well-formed immediates for each kind. */
static const struct Sample {
    u8 size, bytes[24];
} samples[] = {
    [IMM_NONE] = {0, {0}},
    [IMM_BLOCK] = {1, {0x40}},
    [IMM_TRY_TABLE] = {13, {0x7F, 4, 0, 1, 2, 1, 0x80, 1, 0, 2, 3, 3, 4}},
    [IMM_LABEL] = {2, {0x81, 0x01}},
    [IMM_BR_TABLE] = {5, {2, 1, 0x82, 0x00, 3}},
    [IMM_FUNC] = {1, {5}},
    [IMM_TYPE] = {1, {5}},
    [IMM_TYPE_TABLE] = {2, {5, 6}},
    [IMM_TYPE_FIELD] = {2, {5, 6}},
    [IMM_TYPE_COUNT] = {2, {5, 6}},
    [IMM_TYPE_DATA] = {2, {5, 6}},
    [IMM_TYPE_ELEM] = {2, {5, 6}},
    [IMM_TYPE_TYPE] = {2, {5, 6}},
    [IMM_TAG] = {1, {5}},
    [IMM_SELECT_TYPES] = {5, {3, 0x7F, 0x63, 0x07, 0x70}},
    [IMM_LOCAL] = {1, {5}},
    [IMM_GLOBAL] = {1, {5}},
    [IMM_TABLE] = {1, {5}},
    [IMM_TABLE_TABLE] = {2, {5, 6}},
    [IMM_ELEM] = {1, {5}},
    [IMM_ELEM_TABLE] = {2, {5, 6}},
    [IMM_MEMORY] = {1, {5}},
    [IMM_MEMORY_MEMORY] = {2, {5, 6}},
    [IMM_DATA] = {1, {5}},
    [IMM_DATA_MEMORY] = {2, {5, 6}},
    [IMM_MEMARG] = {4, {0x42, 5, 0x80, 0x01}},
    [IMM_MEMARG_LANE] = {3, {3, 8, 1}},
    [IMM_LANE] = {1, {15}},
    [IMM_SHUFFLE] = {16, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 31}},
    [IMM_V128] = {16, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
    [IMM_I32] = {5, {0x80, 0x80, 0x80, 0x80, 0x78}},
    [IMM_I64] = {1, {0x7F}},
    [IMM_F32] = {4, {0, 0, 0x80, 0x3F}},
    [IMM_F64] = {8, {1, 2, 3, 4, 5, 6, 7, 8}},
    [IMM_HEAP_TYPE] = {1, {0x6E}},
    [IMM_BR_CAST] = {4, {3, 9, 0x6E, 4}},
    [IMM_ZERO] = {1, {0}},
};

static size_t write_instr(Wasm *w, Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    size_t start = w->size;
    if (info->prefix != 0) {
        BYTES(w, info->prefix);
        wasm_u32(w, info->code);
    } else {
        BYTES(w, (u8)info->code);
    }
    wasm_bytes(w, samples[info->imm].bytes, samples[info->imm].size);
    return w->size - start;
}

static Reader reader(const u8 *bytes, size_t size) {
    return (Reader){.pos = bytes, .end = bytes + size, .base = bytes};
}

Test(instr, every_instruction_is_read) {
    cr_assert_eq(ARRAY_LEN(samples), (size_t)IMM_ZERO + 1);
    for (u32 op = 0; op < OP_COUNT; op++) {
        Wasm w = {.size = 0};
        size_t size = write_instr(&w, (Opcode)op);
        write_instr(&w, OP_NOP);
        Reader r = reader(w.data, w.size);
        Instr i;
        cr_assert(wr_instr_next(&r, &i), "%s", wr_op_text(op));
        cr_assert_eq(i.op, (Opcode)op);
        cr_assert(i.start == w.data && i.end == w.data + size, "%s", wr_op_text(op));
        cr_assert(wr_instr_next(&r, &i) && i.op == OP_NOP);
        cr_assert_not(wr_instr_next(&r, &i));
        cr_assert_null(r.error);
    }
}

Test(instr, every_truncation_is_an_error) {
    for (u32 op = 0; op < OP_COUNT; op++) {
        Wasm w = {.size = 0};
        size_t size = write_instr(&w, (Opcode)op);
        for (size_t cut = 1; cut < size; cut++) {
            u8 exact[64]; /* at the end of an object, for the address sanitizer's eyes */
            u8 *start = exact + sizeof exact - cut;
            memcpy(start, w.data, cut);
            Reader r = reader(start, cut);
            Instr i;
            cr_assert_not(wr_instr_next(&r, &i), "%s cut to %zu", wr_op_text(op), cut);
            cr_assert_not_null(r.error);
            wr_error_delete(r.error);
        }
    }
}

/* The first instruction in these bytes. */
static Instr read_one(const u8 *bytes, size_t size) {
    Reader r = reader(bytes, size);
    Instr i;
    cr_assert(wr_instr_next(&r, &i), "%s", r.error == NULL ? "" : wr_error_message(r.error));
    return i;
}
#define READ(...) read_one(BYTES_OF(__VA_ARGS__))

Test(instr, immediates_are_given) {
    Instr i = READ(0x28, 0x42, 5, 0x80, 0x01);
    cr_assert(i.op == OP_I32_LOAD && i.align == 2 && i.index == 5 && i.offset == 128);
    i = READ(0xFD, 0x57, 0x03, 0x08, 0x01);
    cr_assert(i.op == OP_V128_LOAD64_LANE && i.align == 3 && i.index == 0 && i.lane == 1);
    i = READ(0x41, 0x7F);
    cr_assert_eq(i.bits, UINT64_MAX);
    i = READ(0x43, 0, 0, 0x80, 0x3F);
    cr_assert_eq(i.bits, 0x3F800000u);
    i = READ(0x02, 0x40);
    cr_assert(i.index == NONE_U32 && i.type == T_BOT);
    i = READ(0x02, 0x7E);
    cr_assert(i.index == NONE_U32 && i.type == T_I64);
    i = READ(0x03, 0x64, 0x09);
    cr_assert(i.index == NONE_U32 && i.type == T_REF(HEAP_DEFINED + 9, 0));
    i = READ(0x04, 0xC0, 0x00);
    cr_assert_eq(i.index, 64u);
    i = READ(0x0E, 2, 7, 8, 9);
    cr_assert(i.vector.count == 2 && i.vector.items[1] == 8 && i.index == 9);
    i = READ(0x11, 3, 4);
    cr_assert(i.index == 3 && i.index2 == 4);
    i = READ(0xFB, 0x18, 1, 9, 0x6E, 4);
    cr_assert(i.flags == 1 && i.index == 9 && i.heap == HEAP_ANY && i.heap2 == HEAP_DEFINED + 4);
    i = READ(0xD0, 0x70);
    cr_assert(i.op == OP_REF_NULL && i.heap == HEAP_FUNC);
    i = READ(0xFD, 0x0C, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    cr_assert_eq(i.op, OP_V128_CONST);
}

static void expect_failure(const u8 *bytes, size_t size, const char *message) {
    Reader r = reader(bytes, size);
    Instr i;
    cr_assert_not(wr_instr_next(&r, &i), "no error, but expected: %s", message);
    cr_assert_not_null(r.error);
    cr_assert_str_eq(wr_error_message(r.error), message);
    wr_error_delete(r.error);
}
#define FAILS(message, ...) expect_failure(BYTES_OF(__VA_ARGS__), message)

Test(instr, malformed) {
    FAILS("illegal opcode ff", 0xFF);
    FAILS("illegal opcode 27", 0x27);
    FAILS("illegal opcode fb 7f", 0xFB, 0x7F);
    FAILS("illegal opcode fd 9a", 0xFD, 0x9A, 0x01);
    FAILS("integer representation too long", 0xFC, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00);
    FAILS("malformed memop flags", 0x28, 0x80, 0x01, 0x00);
    FAILS("malformed catch clause", 0x1F, 0x40, 1, 4, 0);
    FAILS("malformed br_on_cast flags", 0xFB, 0x18, 4, 0, 0x6E, 0x6E);
    FAILS("malformed heap type", 0xD0, 0x7F);
    FAILS("malformed reference type", 0x1C, 1, 0x60);
    FAILS("zero byte expected", 0xFE, 0x03, 1);
    FAILS("length out of bounds", 0x0E, 0x7F, 0);
}
