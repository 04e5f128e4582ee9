/*
 * mutants.c - see mutants.h. Some changes are blind (bits, bytes, lengths, pieces of other seeds) and
 * mostly show what loading does with damage. The others know what they change: sections are moved
 * and exchanged whole, and instructions are replaced, inserted and removed within a body with the
 * sizes around it made right, so that many of the results are valid and run.
 */
#include "mutants.h"

#include "decode_code.h"

#define MUTANT_MAX (1u << 20) /* bytes: no growth beyond that */

/* ---- bytes ---------------------------------------------------------------------------------- */

static void reserve(Bytes *b, size_t size) {
    if (size <= b->capacity) return;
    b->capacity = size * 2;
    b->data = realloc(b->data, b->capacity);
    CHECK(b->data);
}

/* Puts `count` bytes in the place of `removed` bytes at `at`. `bytes` lies elsewhere. */
static void splice(Bytes *b, size_t at, size_t removed, const u8 *bytes, size_t count) {
    if (b->size - removed + count > MUTANT_MAX) return;
    reserve(b, b->size + count + 1);
    memmove(b->data + at + count, b->data + at + removed, b->size - at - removed);
    if (count) memcpy(b->data + at, bytes, count);
    b->size = b->size - removed + count;
}

static size_t put_leb(u8 *out, u64 value) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) out[n++] = (u8)(value | 0x80);
    out[n++] = (u8)value;
    return n;
}

static size_t put_sleb(u8 *out, i64 value) {
    size_t n = 0;
    for (; value < -64 || value > 63; value >>= 7) out[n++] = (u8)((value & 0x7F) | 0x80);
    out[n++] = (u8)(value & 0x7F);
    return n;
}

/* ---- blind changes -------------------------------------------------------------------------- */

/* A place that is seldom in the header: nothing comes of changes there. */
static size_t any_place(Random *r, const Bytes *b) {
    if (b->size <= 8 || random_one_in(r, 50)) return random_below(r, b->size);
    return 8 + random_below(r, b->size - 8);
}

static void flip_bit(Random *r, Bytes *b) {
    b->data[any_place(r, b)] ^= (u8)(1u << random_below(r, 8));
}

static void set_byte(Random *r, Bytes *b) {
    static const u8 likely[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0x40, 0x0B, 0x70, 0x6F, 0x63, 0x64,
                                0xFB, 0xFC, 0xFD, 0xFE, 0x60, 0x41, 0x20, 0x10, 0x3F, 0x05, 0x1F};
    u8 byte = random_one_in(r, 2) ? (u8)random_next(r) : likely[random_below(r, ARRAY_LEN(likely))];
    b->data[any_place(r, b)] = byte;
}

static void cut_short(Random *r, Bytes *b) { b->size = any_place(r, b); }

static void remove_some(Random *r, Bytes *b) {
    size_t at = any_place(r, b), most = b->size - at;
    splice(b, at, 1 + random_below(r, min_u64(most, 16)), NULL, 0);
}

static void insert_some(Random *r, Bytes *b) {
    u8 bytes[16];
    size_t count = 1 + random_below(r, sizeof bytes);
    for (size_t i = 0; i < count; i++) bytes[i] = (u8)random_next(r);
    splice(b, any_place(r, b), 0, bytes, count);
}

static void repeat_some(Random *r, Bytes *b) {
    u8 bytes[64];
    size_t at = any_place(r, b), most = b->size - at;
    size_t count = 1 + random_below(r, min_u64(most, sizeof bytes));
    memcpy(bytes, b->data + at, count);
    splice(b, at, 0, bytes, count);
}

static void take_from_other(Random *r, Bytes *b, const Seed *other) {
    if (other->size == 0) return;
    size_t from = random_below(r, other->size), most = other->size - from;
    size_t count = 1 + random_below(r, min_u64(most, 200));
    size_t at = any_place(r, b), rest = b->size - at;
    size_t removed = random_one_in(r, 2) ? 0 : min_u64(count, rest);
    splice(b, at, removed, other->data + from, count);
}

/* Another number where one seems to be: near it, at the end of a range, or in more bytes than
 * needed. */
static void change_leb(Random *r, Bytes *b) {
    size_t at = any_place(r, b), n = 0, count;
    u64 value = 0;
    while (at + n < b->size && n < 9) {
        value |= (u64)(b->data[at + n] & 0x7F) << 7 * n;
        if (!(b->data[at + n++] & 0x80)) break;
    }
    u8 bytes[16];
    switch (random_below(r, 4)) {
    case 0: count = put_leb(bytes, value + random_below(r, 5) - 2); break;
    case 1: count = put_leb(bytes, random_value(r)); break;
    case 2: count = put_sleb(bytes, (i64)random_value(r)); break;
    default:
        count = put_leb(bytes, value);
        for (u64 padding = 1 + random_below(r, 4); padding > 0; padding--) {
            bytes[count - 1] |= 0x80;
            bytes[count++] = 0;
        }
    }
    splice(b, at, n, bytes, count);
}

static void change_blindly(Random *r, Bytes *b, const Seed *other) {
    switch (random_below(r, 10)) {
    case 0:
    case 1:
    case 2: flip_bit(r, b); break;
    case 3:
    case 4: set_byte(r, b); break;
    case 5: random_one_in(r, 2) ? cut_short(r, b) : remove_some(r, b); break;
    case 6: insert_some(r, b); break;
    case 7: repeat_some(r, b); break;
    case 8: take_from_other(r, b, other); break;
    default: change_leb(r, b); break;
    }
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* A sized part of a module, a section or a body. */
typedef struct Part {
    u8 id;           /* of a section */
    size_t at;       /* where it starts: a section's id, a body's size */
    size_t size_at;  /* where its size stands */
    size_t contents; /* where what the size counts starts */
    size_t end;
} Part;

#define MAX_PARTS 200

static bool read_size(Reader *r, Part *part, const u8 *base) {
    part->size_at = (size_t)(r->pos - base);
    u32 size = wr_read_u32(r);
    part->contents = (size_t)(r->pos - base);
    if (r->error || !wr_read_bytes(r, size)) return false;
    part->end = (size_t)(r->pos - base);
    return true;
}

/* Sections up to the first that makes no sense. */
static size_t find_sections(const u8 *data, size_t size, Part parts[MAX_PARTS]) {
    size_t count = 0;
    if (size < 8) return 0;
    Reader r = {.pos = data + 8, .end = data + size, .base = data};
    while (count < MAX_PARTS && r.pos < r.end) {
        parts[count].at = (size_t)(r.pos - data);
        parts[count].id = wr_read_u8(&r);
        if (!read_size(&r, &parts[count], data)) break;
        count++;
    }
    wr_error_delete(r.error);
    return count;
}

static size_t find_bodies(const u8 *data, const Part *section, Part parts[MAX_PARTS]) {
    size_t count = 0;
    Reader r = {.pos = data + section->contents, .end = data + section->end, .base = data};
    u32 total = wr_read_u32(&r);
    while (count < total && count < MAX_PARTS && !r.error) {
        parts[count].at = (size_t)(r.pos - data);
        if (!read_size(&r, &parts[count], data)) break;
        count++;
    }
    wr_error_delete(r.error);
    return count;
}

/* After the contents of `part` have grown by `growth`: writes its size anew. Gives by how much the
 * whole has grown then. */
static i64 fix_size(Bytes *b, const Part *part, i64 growth) {
    u8 bytes[10];
    i64 size = (i64)(part->end - part->contents) + growth;
    if (size < 0) return growth;
    size_t count = put_leb(bytes, (u64)size), before = part->contents - part->size_at;
    splice(b, part->size_at, before, bytes, count);
    return growth + (i64)count - (i64)before;
}

/* ---- sections ------------------------------------------------------------------------------- */

static void exchange_sections(Bytes *b, const Part *first, const Part *second) {
    size_t second_size = second->end - second->at, between = second->at - first->end;
    u8 *copy = malloc(second->end - first->at);
    CHECK(copy);
    memcpy(copy, b->data + second->at, second_size);
    memcpy(copy + second_size, b->data + first->end, between);
    memcpy(copy + second_size + between, b->data + first->at, first->end - first->at);
    memcpy(b->data + first->at, copy, second->end - first->at);
    free(copy);
}

static void copy_section(Bytes *b, size_t at, size_t removed, const u8 *data, const Part *part) {
    size_t size = part->end - part->at;
    u8 *copy = malloc(size);
    CHECK(copy);
    memcpy(copy, data + part->at, size);
    splice(b, at, removed, copy, size);
    free(copy);
}

/* The other's section of that kind, or any of its, for `part`. */
static void take_section(Random *r, Bytes *b, const Part *part, const Seed *other) {
    Part theirs[MAX_PARTS];
    size_t count = find_sections(other->data, other->size, theirs);
    for (size_t i = 0; i < count; i++) {
        if (theirs[i].id != part->id) continue;
        copy_section(b, part->at, part->end - part->at, other->data, &theirs[i]);
        return;
    }
    if (count > 0) copy_section(b, part->at, 0, other->data, &theirs[random_below(r, count)]);
}

static void change_sections(Random *r, Bytes *b, const Seed *other) {
    Part parts[MAX_PARTS];
    size_t count = find_sections(b->data, b->size, parts);
    if (count == 0) return;
    const Part *part = &parts[random_below(r, count)], *second = &parts[random_below(r, count)];
    switch (random_below(r, 5)) {
    case 0:
        if (part < second) exchange_sections(b, part, second);
        break;
    case 1: splice(b, part->at, part->end - part->at, NULL, 0); break;
    case 2: copy_section(b, second->end, 0, b->data, part); break;
    default: take_section(r, b, part, other);
    }
}

/* Bytes within a section, whose size is made right. */
static void change_in_section(Random *r, Bytes *b) {
    Part parts[MAX_PARTS];
    size_t count = find_sections(b->data, b->size, parts);
    if (count == 0) return;
    const Part *part = &parts[random_below(r, count)];
    if (part->contents == part->end) return;
    size_t at = part->contents + random_below(r, part->end - part->contents), before = b->size;
    u8 bytes[10];
    switch (random_below(r, 3)) {
    case 0: splice(b, at, 1, bytes, put_leb(bytes, random_value(r))); break;
    case 1: splice(b, at, 1 + random_below(r, min_u64(part->end - at, 4)), NULL, 0); break;
    default: splice(b, at, 0, bytes, put_leb(bytes, random_below(r, 128))); break;
    }
    (void)fix_size(b, part, (i64)b->size - (i64)before);
}

/* ---- instructions --------------------------------------------------------------------------- */

#define MAX_INSTRS 4000

typedef struct Span {
    Instr instr;
    size_t at, size;
} Span;

/* The instructions of a body, local declarations passed over. */
static size_t find_instrs(const u8 *data, const Part *body, Span *spans) {
    Reader r = {.pos = data + body->contents, .end = data + body->end, .base = data};
    for (u32 runs = wr_read_u32(&r); runs > 0 && !r.error; runs--) {
        (void)wr_read_u32(&r);
        (void)wr_read_valtype(&r, NULL);
    }
    size_t count = 0;
    while (count < MAX_INSTRS && !r.error && wr_instr_next(&r, &spans[count].instr)) {
        const Instr *instr = &spans[count].instr;
        spans[count].at = (size_t)(instr->start - data);
        spans[count].size = (size_t)(instr->end - instr->start);
        count++;
    }
    wr_error_delete(r.error);
    return count;
}

static size_t put_opcode(u8 *out, Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    if (info->prefix == 0) return out[0] = (u8)info->code, 1;
    out[0] = info->prefix;
    return 1 + put_leb(out + 1, info->code);
}

static size_t opcode_size(const Span *span, const u8 *data) {
    size_t n = 1;
    if (wr_op_info[span->instr.op].prefix == 0) return n;
    while (data[span->at + n] & 0x80) n++;
    return n + 1;
}

/* Another instruction of the same type and the same kind of immediates: what is valid stays so. */
static Opcode similar(Random *r, Opcode op) {
    u64 start = random_below(r, OP_COUNT);
    for (u64 i = 0; i < OP_COUNT; i++) {
        Opcode other = (Opcode)((start + i) % OP_COUNT);
        const char *sig = wr_op_sig(other);
        if (other != op && wr_op_info[other].imm == wr_op_info[op].imm && sig[0] &&
            strcmp(sig, wr_op_sig(op)) == 0)
            return other;
    }
    return op;
}

static size_t put_v128(Random *r, u8 *out) {
    le64_store(out, random_value(r));
    le64_store(out + 8, random_value(r));
    return 16;
}

/* Other immediates of the kind; 0 if there is nothing to change. */
static size_t new_immediates(Random *r, const Instr *instr, u8 *out) {
    size_t n = 0;
    switch ((int)wr_op_info[instr->op].imm) {
    case IMM_I32: return put_sleb(out, (i32)random_value(r));
    case IMM_I64: return put_sleb(out, (i64)random_value(r));
    case IMM_F32: le32_store(out, (u32)random_value(r)); return 4;
    case IMM_F64: le64_store(out, random_value(r)); return 8;
    case IMM_V128: return put_v128(r, out);
    case IMM_SHUFFLE:
        while (n < 16) out[n++] = (u8)random_below(r, 33);
        return n;
    case IMM_LABEL:
    case IMM_LOCAL:
    case IMM_GLOBAL:
    case IMM_FUNC:
    case IMM_TYPE:
    case IMM_TABLE:
    case IMM_MEMORY:
    case IMM_TAG:
    case IMM_DATA:
    case IMM_ELEM: return put_leb(out, random_below(r, (u64)instr->index + 3));
    case IMM_TYPE_FIELD:
    case IMM_TYPE_TYPE:
    case IMM_TYPE_COUNT:
        n = put_leb(out, random_below(r, (u64)instr->index + 2));
        return n + put_leb(out + n, random_below(r, (u64)instr->index2 + 2));
    case IMM_MEMARG:
        n = put_leb(out, random_below(r, instr->align + 2u));
        return n + put_leb(out + n, random_one_in(r, 2) ? random_below(r, 32) : random_value(r));
    default: return 0;
    }
}

/* ---- complete instructions: operands, which are constants, the instruction, dropped results --- */

static size_t put_const(Random *r, char letter, u8 *out) {
    switch (letter) {
    case 'I': out[0] = 0x42; return 1 + put_sleb(out + 1, (i64)random_value(r));
    case 'f':
        out[0] = 0x43;
        le32_store(out + 1, (u32)random_value(r));
        return 5;
    case 'F':
        out[0] = 0x44;
        le64_store(out + 1, random_value(r));
        return 9;
    case 'v':
        out[0] = 0xFD;
        out[1] = 0x0C;
        return 2 + put_v128(r, out + 2);
    default: out[0] = 0x41; return 1 + put_sleb(out + 1, (i32)random_value(r));
    }
}

static bool has_memarg(const OpInfo *info) {
    return info->imm == IMM_MEMARG || info->imm == IMM_MEMARG_LANE;
}

static bool needs_memory(const OpInfo *info) {
    return has_memarg(info) || info->imm == IMM_MEMORY || info->imm == IMM_MEMORY_MEMORY;
}

/* Appends immediates that suit a small module; false for kinds that need to know it. */
static bool put_immediates(Random *r, const OpInfo *info, u8 *out, size_t *n) {
    if (has_memarg(info)) {
        u64 align = info->prefix == 0xFE ? info->align : random_below(r, info->align + 1u);
        *n += put_leb(out + *n, align);
        *n += put_leb(out + *n, random_one_in(r, 2) ? random_below(r, 32) : (u32)random_value(r));
    }
    switch ((int)info->imm) {
    case IMM_NONE:
    case IMM_MEMARG: return true;
    case IMM_LANE:
    case IMM_MEMARG_LANE: out[(*n)++] = (u8)random_below(r, 2); return true;
    case IMM_SHUFFLE:
        for (int i = 0; i < 16; i++) out[(*n)++] = (u8)random_below(r, 32);
        return true;
    case IMM_MEMORY_MEMORY:
        out[(*n)++] = 0;
        out[(*n)++] = 0;
        return true;
    case IMM_MEMORY: out[(*n)++] = 0; return true;
    default: return false;
    }
}

/* At most 5 operands of 18 bytes, an instruction of 24, 5 drops. Fits everywhere in valid code, if
 * the module has a memory of 32 bits or the instruction needs none. */
static size_t put_complete(Random *r, bool memory, u8 out[128]) {
    Opcode op = (Opcode)random_below(r, OP_COUNT);
    const OpInfo *info = &wr_op_info[op];
    const char *letter = wr_op_sig(op);
    size_t n = 0;
    if (!*letter || (needs_memory(info) && !memory)) return 0;
    for (; *letter != '>'; letter++) n += put_const(r, *letter, out + n);
    n += put_opcode(out + n, op);
    if (!put_immediates(r, info, out, &n)) return 0;
    while (*++letter) out[n++] = 0x1A;
    return n;
}

/* ---- changing a body ------------------------------------------------------------------------ */

static void change_instr(Random *r, Bytes *b, const Span *spans, size_t count, bool memory) {
    const Span *span = &spans[random_below(r, count)], *other = &spans[random_below(r, count)];
    u8 bytes[128];
    size_t n = 0, opcode = opcode_size(span, b->data);
    switch (random_below(r, 12)) {
    case 0:
    case 1:
    case 2:
        n = put_opcode(bytes, similar(r, span->instr.op));
        splice(b, span->at, opcode, bytes, n);
        break;
    case 3:
    case 4:
    case 5:
        n = new_immediates(r, &span->instr, bytes);
        if (n) splice(b, span->at + opcode, span->size - opcode, bytes, n);
        break;
    case 6: splice(b, span->at, span->size, NULL, 0); break;
    case 7: /* a copy of another one, in its place or before it */
        if (other->size > sizeof bytes) break;
        memcpy(bytes, b->data + other->at, other->size);
        splice(b, span->at, random_one_in(r, 2) ? 0 : span->size, bytes, other->size);
        break;
    case 8:
        n = put_opcode(bytes, (Opcode)random_below(r, OP_COUNT));
        splice(b, span->at, 0, bytes, n);
        break;
    default: splice(b, span->at, 0, bytes, put_complete(r, memory, bytes)); break;
    }
}

static void change_body(Random *r, Bytes *b, const Part *section, const Part *body, bool memory) {
    Span *spans = malloc(MAX_INSTRS * sizeof *spans);
    CHECK(spans);
    size_t count = find_instrs(b->data, body, spans), before = b->size;
    if (count > 0) {
        change_instr(r, b, spans, count, memory);
        i64 growth = fix_size(b, body, (i64)b->size - (i64)before);
        (void)fix_size(b, section, growth);
    }
    free(spans);
}

static void change_code(Random *r, Bytes *b) {
    Part sections[MAX_PARTS], bodies[MAX_PARTS];
    size_t count = find_sections(b->data, b->size, sections), code = 0;
    bool memory = false;
    for (; code < count && sections[code].id != 10; code++) memory |= sections[code].id == 5;
    if (code == count) return;
    size_t nbodies = find_bodies(b->data, &sections[code], bodies);
    if (nbodies > 0) change_body(r, b, &sections[code], &bodies[random_below(r, nbodies)], memory);
}

/* ---- mutants -------------------------------------------------------------------------------- */

void wr_mutate(Random *r, Bytes *b, const Seed *other) {
    if (b->size == 0) return;
    switch (random_below(r, 10)) {
    case 0: change_blindly(r, b, other); break;
    case 1: change_sections(r, b, other); break;
    case 2: change_in_section(r, b); break;
    default: change_code(r, b); break;
    }
}

const Seed *wr_seed(const Seeds *seeds, u64 number, Bytes *out) {
    const Seed *seed = &seeds->list[number % seeds->count];
    out->size = 0;
    splice(out, 0, 0, seed->data, seed->size);
    return seed;
}

const Seed *wr_mutant(const Seeds *seeds, u64 number, Bytes *out) {
    Random r = {number * 0xD1342543DE82EF95u + 1};
    const Seed *seed = &seeds->list[random_below(&r, seeds->count)];
    const Seed *other = &seeds->list[random_below(&r, seeds->count)];
    out->size = 0;
    splice(out, 0, 0, seed->data, seed->size);
    u64 changes = random_one_in(&r, 2) ? 1 : 1 + random_below(&r, 6);
    for (; changes > 0; changes--) wr_mutate(&r, out, other);
    return seed;
}
