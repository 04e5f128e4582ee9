/*
 * denan.c - see denan.h. Each function gets three more locals, behind those that it has, for results that are
 * looked at: `x == x ? x : NaN`.
 */
#include "denan.h"

#include "decode_code.h"

/* ---- bytes ---------------------------------------------------------------------------------- */

static void put(Bytes *out, const void *bytes, size_t size) {
    if (out->size + size > out->capacity) {
        out->capacity = (out->size + size) * 2;
        out->data = realloc(out->data, out->capacity);
        CHECK(out->data);
    }
    if (size) memcpy(out->data + out->size, bytes, size);
    out->size += size;
}

static void put_byte(Bytes *out, u8 byte) { put(out, &byte, 1); }

static void put_u32(Bytes *out, u32 value) {
    for (; value >= 0x80; value >>= 7) put_byte(out, (u8)(value | 0x80));
    put_byte(out, (u8)value);
}

static void put_sized(Bytes *out, const Bytes *contents) {
    put_u32(out, (u32)contents->size);
    put(out, contents->data, contents->size);
}

/* ---- instructions --------------------------------------------------------------------------- */

typedef enum Lanes { LANES_F32, LANES_F64, LANES_F32X4, LANES_F64X2, LANES_NONE } Lanes;

/* What an instruction makes, if it is arithmetic: others give the bits that they were given. */
static Lanes result_lanes(Opcode op) {
    static const char *const types[] = {"f32.", "f64.", "f32x4.", "f64x2."};
    static const char *const names[] = {"add",     "sub",     "mul",      "div",     "min",
                                        "max",     "sqrt",    "ceil",     "floor",   "trunc",
                                        "nearest", "demote_", "promote_", "relaxed_"};
    const char *text = wr_op_text(op);
    for (u32 type = 0; type < ARRAY_LEN(types); type++) {
        size_t length = strlen(types[type]);
        if (strncmp(text, types[type], length) != 0) continue;
        for (u32 i = 0; i < ARRAY_LEN(names); i++)
            if (strncmp(text + length, names[i], strlen(names[i])) == 0) return (Lanes)type;
    }
    return LANES_NONE;
}

static void put_op(Bytes *out, Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    if (info->prefix == 0) {
        put_byte(out, (u8)info->code);
    } else {
        put_byte(out, info->prefix);
        put_u32(out, info->code);
    }
}

static void put_nan(Bytes *out, Lanes lanes) {
    static const Opcode ops[] = {OP_F32_CONST, OP_F64_CONST, OP_V128_CONST, OP_V128_CONST};
    u8 bytes[16];
    bool is_single = lanes == LANES_F32 || lanes == LANES_F32X4;
    for (u32 i = 0; i < 16; i += 4) {
        u32 upper = is_single ? 0x7FC00000 : 0x7FF80000;
        le32_store(bytes + i, is_single || i % 8 == 4 ? upper : 0);
    }
    put_op(out, ops[lanes]);
    put(out, bytes, lanes == LANES_F32 ? 4 : lanes == LANES_F64 ? 8 : 16);
}

/* `local` is the first of the three. */
static void put_canonical(Bytes *out, Lanes lanes, u32 local) {
    static const Opcode equals[] = {OP_F32_EQ, OP_F64_EQ, OP_F32X4_EQ, OP_F64X2_EQ};
    local += lanes == LANES_F64X2 ? 2u : (u32)lanes;
    put_op(out, OP_LOCAL_TEE);
    put_u32(out, local);
    put_nan(out, lanes);
    for (u32 i = 0; i < 2; i++) {
        put_op(out, OP_LOCAL_GET);
        put_u32(out, local);
    }
    put_op(out, equals[lanes]);
    put_op(out, lanes >= LANES_F32X4 ? OP_V128_BITSELECT : OP_SELECT);
}

/* ---- functions ------------------------------------------------------------------------------ */

/* `declared` is where the local declarations begin. */
static void put_body(Bytes *out, const Code *code, Reader declared) {
    static const u8 locals[] = {1, 0x7D, 1, 0x7C, 1, 0x7B};
    Bytes body = {0};
    put_u32(&body, wr_read_u32(&declared) + 3);
    put(&body, declared.pos, (size_t)(code->start - declared.pos));
    put(&body, locals, sizeof locals);
    Reader r = {.pos = code->start, .end = code->end, .base = declared.base};
    Instr instr;
    while (wr_instr_next(&r, &instr)) {
        put(&body, instr.start, (size_t)(instr.end - instr.start));
        Lanes lanes = result_lanes(instr.op);
        if (lanes != LANES_NONE) put_canonical(&body, lanes, code->nlocals);
    }
    CHECK(!r.error);
    put_sized(out, &body);
    free(body.data);
}

static void put_code_section(Bytes *out, const Module *module, Reader r) {
    Bytes section = {0};
    u32 count = wr_read_u32(&r);
    put_u32(&section, count);
    for (u32 i = 0; i < count; i++) {
        u32 size = wr_read_u32(&r);
        Reader body = {.pos = r.pos, .end = r.pos + size, .base = r.base};
        put_body(&section, &module->codes[i], body);
        (void)wr_read_bytes(&r, size);
    }
    CHECK(!r.error);
    put_sized(out, &section);
    free(section.data);
}

void wr_denan(const Module *module, Bytes *out) {
    Reader r = {.pos = module->bytes, .end = module->bytes + module->size, .base = module->bytes};
    put(out, wr_read_bytes(&r, 8), 8);
    while (r.pos < r.end) {
        u8 id = wr_read_u8(&r);
        u32 size = wr_read_u32(&r);
        Reader contents = {.pos = r.pos, .end = r.pos + size, .base = r.base};
        if (id == 10) {
            put_byte(out, id);
            put_code_section(out, module, contents);
        } else if (id != 0) {
            put_byte(out, id);
            put_u32(out, size);
            put(out, r.pos, size);
        }
        (void)wr_read_bytes(&r, size);
    }
    CHECK(!r.error);
}
