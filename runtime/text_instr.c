/*
 * text_instr.c - instructions in the text format (spec: text/instructions), encoded as they are
 * read.
 *
 * Flat and folded forms nest in any way, so all that is open lies on one explicit stack of frames:
 *
 *   plain folded   (op imm* operand*)       its bytes wait in `deferred` for the operands'
 *   flat block     block ... end            so are loop, if, try, try_table
 *   folded block   (block ...)              so are loop, try_table
 *   folded if      (if cond* (then ...) (else ...)?)
 *   folded try     (try (do ...) (catch x ...)* (catch_all ...)?), or (delegate l) at its end
 *   part           (then ...), (else ...), (do ...), (catch ...), (catch_all ...) of the two
 *
 * Blocks carry a label. Labels are symbols whose value is how many labels were in scope when theirs
 * came; an inner one of the same name shadows, and is undone with its block.
 */
#include "text_module.h"
#include "text_number.h"

typedef enum FrameKind {
    FRAME_PLAIN,
    FRAME_FLAT,
    FRAME_BLOCK,
    FRAME_IF,
    FRAME_TRY,
    FRAME_PART
} FrameKind;

/* How far a folded if or try is, in the order of its parts; for a flat one, which part it is in. */
typedef enum FrameStage { STAGE_START, STAGE_FIRST, STAGE_CATCH, STAGE_LAST } FrameStage;

struct Frame {
    u8 kind;  /* FrameKind */
    u8 stage; /* FrameStage */
    u16 op;
    i8 hint; /* a folded instruction's, until it is encoded */
    bool has_label;
    u32 shadowed;    /* what the label's symbol was before */
    size_t deferred; /* where its bytes begin there */
    Name id, name;   /* of the label; data NULL if it has none; the latter for the name section */
    Token open;
};

#define MEMARG_HAS_INDEX 0x40u

static Frame *top_frame(const Parser *p) { return &p->frames[p->nframes - 1]; }

void wr_text_free_frames(Parser *p) {
    wr_free(p->alloc, p->frames, p->cap_frames * sizeof *p->frames);
}

static Frame *push_frame(Parser *p, FrameKind kind, Opcode op, const Token *open) {
    Frame *f = wr_text_append(p, &p->frames, &p->nframes, &p->cap_frames, sizeof *f);
    if (f == NULL) return NULL;
    *f = (Frame){.kind = (u8)kind,
                 .op = (u16)op,
                 .hint = -1,
                 .shadowed = NONE_U32,
                 .deferred = p->deferred.size,
                 .open = *open};
    return f;
}

/* ---- labels ---- */

/* Brings the label of a frame into scope, in the order of the binary format. */
static void enter_label(Parser *p, Frame *f) {
    u32 ordinal = p->nlabels++;
    f->has_label = true;
    p->depth++;
    if (f->id.data == NULL) return;
    wr_text_add_name(p, &p->inner_labels, ordinal, f->name);
    Symbol *symbol = wr_symbols_add(&p->symbols, NAMES_LABEL, p->func, f->id);
    if (symbol == NULL) {
        wr_text_fail_memory(p->t);
        return;
    }
    f->shadowed = symbol->value;
    symbol->value = p->depth;
}

static void leave_label(Parser *p, const Frame *f) {
    if (!f->has_label) return;
    p->depth--;
    if (f->id.data == NULL) return;
    Symbol *symbol = wr_symbols_find(&p->symbols, NAMES_LABEL, p->func, f->id);
    if (symbol != NULL) symbol->value = f->shadowed;
}

/* The identifier behind `block`, if there is one. */
static void read_label(Parser *p, Frame *f) {
    if (!wr_text_is(p->t, TOKEN_ID)) return;
    Token id = p->t->token;
    wr_text_next(p->t);
    f->id = wr_text_id(p->t, &id, &p->arena);
    f->name = wr_text_name_for(p, &id);
}

/* The identifier that may be repeated behind `else` and `end`. */
static void read_label_again(Parser *p, const Frame *f) {
    if (!wr_text_is(p->t, TOKEN_ID)) return;
    Token id = p->t->token;
    wr_text_next(p->t);
    Name name = wr_text_id(p->t, &id, &p->arena);
    if (f->id.data == NULL || (name.data != NULL && wr_name_compare(name, f->id) != 0))
        wr_text_fail(p->t, &id, "mismatching label");
}

static u32 read_label_index(Parser *p) {
    bool is_name = wr_text_is(p->t, TOKEN_ID);
    u32 value = wr_text_index(p, NAMES_LABEL, p->func);
    return is_name ? p->depth - value : value;
}

/* ---- numbers ---- */

static bool is_number(const TextReader *t) {
    return t->token.kind == TOKEN_NAT || t->token.kind == TOKEN_INT || t->token.kind == TOKEN_FLOAT;
}

static void store_le(u8 *out, u32 size, u64 value) {
    for (u32 i = 0; i < size; i++) out[i] = (u8)(value >> 8 * i);
}

/* A number of `size` bytes, little-endian; false if it is out of range or no such number. */
static bool parse_lane(const Token *token, bool is_float, u32 size, u8 *out) {
    u64 value = 0;
    u32 single = 0;
    bool ok;
    if (!is_float) {
        ok = wr_text_int(token, 8 * size, &value);
    } else if (size == 4) {
        ok = wr_text_f32(token, &single);
        value = single;
    } else {
        ok = wr_text_f64(token, &value);
    }
    store_le(out, size, value);
    return ok;
}

void wr_text_number(TextReader *t, bool is_float, u32 size, u8 *out) {
    Token token = t->token;
    memset(out, 0, size);
    if (!is_number(t)) {
        wr_text_unexpected(t);
        return;
    }
    wr_text_next(t);
    if (!parse_lane(&token, is_float, size, out)) wr_text_fail(t, &token, "constant out of range");
}

static const struct Shape {
    u16 word;
    u8 lanes;
    bool is_float;
} shapes[] = {{WORD_I8X16, 16, false}, {WORD_I16X8, 8, false}, {WORD_I32X4, 4, false},
              {WORD_I64X2, 2, false},  {WORD_F32X4, 4, true},  {WORD_F64X2, 2, true}};

static const struct Shape *take_shape(TextReader *t) {
    for (u32 i = 0; i < ARRAY_LEN(shapes); i++)
        if (wr_text_take_word(t, shapes[i].word)) return &shapes[i];
    wr_text_unexpected(t);
    return NULL;
}

void wr_text_v128(TextReader *t, u8 bytes[16]) {
    memset(bytes, 0, 16);
    const struct Shape *shape = take_shape(t);
    if (shape == NULL) return;
    u32 size = 16u / shape->lanes, n = 0;
    Token at = t->token, bad = {.kind = TOKEN_END};
    for (; n < shape->lanes && is_number(t); n++) {
        if (!parse_lane(&t->token, shape->is_float, size, bytes + n * size)) bad = t->token;
        wr_text_next(t);
    }
    if (wr_text_is(t, TOKEN_RESERVED)) wr_text_unexpected(t); /* meant as a number, likely */
    if (n != shape->lanes || is_number(t))
        wr_text_fail(t, n == shape->lanes ? &t->token : &at, "wrong number of lane literals");
    if (bad.kind != TOKEN_END) wr_text_fail(t, &bad, "constant out of range");
}

Opcode wr_text_const(TextReader *t, u8 bits[16], u32 *size) {
    memset(bits, 0, 16);
    Opcode op = t->token.kind == TOKEN_WORD && t->token.word < OP_COUNT ? (Opcode)t->token.word
                                                                        : OP_INVALID;
    ImmKind imm = op == OP_INVALID ? IMM_NONE : (ImmKind)wr_op_info[op].imm;
    if (imm != IMM_I32 && imm != IMM_I64 && imm != IMM_F32 && imm != IMM_F64 && imm != IMM_V128)
        return OP_INVALID;
    wr_text_next(t);
    *size = imm == IMM_V128 ? 16 : imm == IMM_I32 || imm == IMM_F32 ? 4 : 8;
    if (imm == IMM_V128)
        wr_text_v128(t, bits);
    else
        wr_text_number(t, imm == IMM_F32 || imm == IMM_F64, *size, bits);
    return op;
}

/* ---- immediates ---- */

static void read_shuffle(TextReader *t, Buffer *out) {
    u8 lanes[16] = {0};
    u32 n = 0;
    Token at = t->token, bad = {.kind = TOKEN_END};
    for (; is_number(t); n++) {
        u64 lane = 0;
        if (!wr_text_nat(&t->token, 8, &lane)) bad = t->token;
        if (n < 16) lanes[n] = (u8)lane;
        wr_text_next(t);
    }
    if (wr_text_is(t, TOKEN_RESERVED)) wr_text_unexpected(t);
    if (n != 16) wr_text_fail(t, &at, "invalid lane length");
    if (bad.kind != TOKEN_END) wr_text_fail(t, &bad, "i8 constant out of range");
    wr_put_bytes(out, lanes, 16);
}

static u64 read_offset(TextReader *t) {
    u64 value = 0;
    if (!wr_text_is(t, TOKEN_OFFSET)) return 0;
    if (!wr_text_nat(&t->token, 64, &value))
        wr_text_fail(t, &t->token, "i64 constant out of range");
    wr_text_next(t);
    return value;
}

/* Its logarithm; the natural one if there is none. */
static u32 read_align(TextReader *t, Opcode op) {
    u64 value = 1;
    if (!wr_text_is(t, TOKEN_ALIGN)) return wr_op_info[op].align;
    if (!wr_text_nat(&t->token, 64, &value))
        wr_text_fail(t, &t->token, "i64 constant out of range");
    else if (value == 0 || (value & (value - 1)) != 0)
        wr_text_fail(t, &t->token, "alignment must be a power of two");
    wr_text_next(t);
    return value == 0 ? 0 : trailing_zeros(value);
}

static void read_memarg(Parser *p, Buffer *out, Opcode op, bool has_index) {
    u32 memory = has_index ? wr_text_index(p, NAMES_MEMORY, 0) : 0;
    u64 offset = read_offset(p->t);
    u32 align = read_align(p->t, op);
    wr_put_u32(out, align | (memory != 0 ? MEMARG_HAS_INDEX : 0));
    if (memory != 0) wr_put_u32(out, memory);
    wr_put_u64(out, offset);
}

/* A number alone is the lane; before something else that belongs to it, it is the memory. */
static void read_memarg_lane(Parser *p, Buffer *out, Opcode op) {
    TextReader *t = p->t;
    bool has_index = wr_text_is(t, TOKEN_ID);
    if (wr_text_is(t, TOKEN_NAT)) {
        TokenKind next = wr_text_peek(t);
        has_index = next == TOKEN_NAT || next == TOKEN_OFFSET || next == TOKEN_ALIGN;
    }
    read_memarg(p, out, op, has_index);
    wr_put_u8(out, (u8)wr_text_read_nat(t, 8));
}

/* One index is of `second`'s space, and 0 stands for the first; so the second comes first in the
 * binary format: memory.init, table.init. */
static void read_init(Parser *p, Buffer *out, TextSpace first, TextSpace second) {
    TextReader *t = p->t;
    TokenKind next = wr_text_peek(t);
    u32 x = next == TOKEN_NAT || next == TOKEN_ID ? wr_text_index(p, first, 0) : 0;
    wr_put_u32(out, wr_text_index(p, second, 0));
    wr_put_u32(out, x);
}

static void read_pair(Parser *p, Buffer *out, TextSpace first, TextSpace second) {
    wr_put_u32(out, wr_text_index(p, first, 0));
    wr_put_u32(out, wr_text_index(p, second, 0));
}

/* Both or none: memory.copy, table.copy. */
static void read_copy(Parser *p, Buffer *out, TextSpace space) {
    if (wr_text_is_index(p->t)) {
        read_pair(p, out, space, space);
    } else {
        wr_put_u32(out, 0);
        wr_put_u32(out, 0);
    }
}

static void read_field(Parser *p, Buffer *out) {
    u32 type = wr_text_index(p, NAMES_TYPE, 0);
    wr_put_u32(out, type);
    wr_put_u32(out, wr_text_index(p, NAMES_FIELD, type));
}

static void read_call_indirect(Parser *p, Buffer *out) {
    u32 table = wr_text_index_or_0(p, NAMES_TABLE);
    wr_put_u32(out, wr_text_type_use(p, PARAMS_UNNAMED));
    wr_put_u32(out, table);
}

static void read_br_table(Parser *p, Buffer *out) {
    p->scratch.size = 0;
    u32 count = 0;
    do {
        wr_put_u32(&p->scratch, read_label_index(p));
        count++;
    } while (wr_text_is_index(p->t));
    wr_put_u32(out, count - 1);
    wr_put_bytes(out, p->scratch.data, p->scratch.size);
    wr_text_check(p, &p->scratch);
}

static void read_br_cast(Parser *p, Buffer *out) {
    u32 label = read_label_index(p);
    TextRef from = wr_text_reftype(p), to = wr_text_reftype(p);
    wr_put_u8(out, (u8)(from.is_nullable | to.is_nullable << 1));
    wr_put_u32(out, label);
    wr_put_heap(out, from.heap);
    wr_put_heap(out, to.heap);
}

static void read_immediates(Parser *p, Buffer *out, Opcode op) {
    TextReader *t = p->t;
    ImmKind imm = (ImmKind)wr_op_info[op].imm;
    u8 bytes[16];
    switch (imm) {
    case IMM_NONE: break;
    case IMM_LABEL: wr_put_u32(out, read_label_index(p)); break;
    case IMM_BR_TABLE: read_br_table(p, out); break;
    case IMM_FUNC: wr_put_u32(out, wr_text_index(p, NAMES_FUNC, 0)); break;
    case IMM_TYPE: wr_put_u32(out, wr_text_index(p, NAMES_TYPE, 0)); break;
    case IMM_TYPE_TABLE: read_call_indirect(p, out); break;
    case IMM_TYPE_FIELD: read_field(p, out); break;
    case IMM_TYPE_COUNT:
        wr_put_u32(out, wr_text_index(p, NAMES_TYPE, 0));
        wr_put_u32(out, (u32)wr_text_read_nat(t, 32));
        break;
    case IMM_TYPE_DATA:
        p->uses_data = true;
        read_pair(p, out, NAMES_TYPE, NAMES_DATA);
        break;
    case IMM_TYPE_ELEM: read_pair(p, out, NAMES_TYPE, NAMES_ELEM); break;
    case IMM_TYPE_TYPE: read_pair(p, out, NAMES_TYPE, NAMES_TYPE); break;
    case IMM_TAG: wr_put_u32(out, wr_text_index(p, NAMES_TAG, 0)); break;
    case IMM_LOCAL: wr_put_u32(out, wr_text_index(p, NAMES_LOCAL, p->func)); break;
    case IMM_GLOBAL: wr_put_u32(out, wr_text_index(p, NAMES_GLOBAL, 0)); break;
    case IMM_TABLE: wr_put_u32(out, wr_text_index_or_0(p, NAMES_TABLE)); break;
    case IMM_TABLE_TABLE: read_copy(p, out, NAMES_TABLE); break;
    case IMM_ELEM: wr_put_u32(out, wr_text_index(p, NAMES_ELEM, 0)); break;
    case IMM_ELEM_TABLE: read_init(p, out, NAMES_TABLE, NAMES_ELEM); break;
    case IMM_MEMORY: wr_put_u32(out, wr_text_index_or_0(p, NAMES_MEMORY)); break;
    case IMM_MEMORY_MEMORY: read_copy(p, out, NAMES_MEMORY); break;
    case IMM_DATA:
        p->uses_data = true;
        wr_put_u32(out, wr_text_index(p, NAMES_DATA, 0));
        break;
    case IMM_DATA_MEMORY:
        p->uses_data = true;
        read_init(p, out, NAMES_MEMORY, NAMES_DATA);
        break;
    case IMM_MEMARG: read_memarg(p, out, op, wr_text_is_index(t)); break;
    case IMM_MEMARG_LANE: read_memarg_lane(p, out, op); break;
    case IMM_LANE: wr_put_u8(out, (u8)wr_text_read_nat(t, 8)); break;
    case IMM_SHUFFLE: read_shuffle(t, out); break;
    case IMM_V128:
        wr_text_v128(t, bytes);
        wr_put_bytes(out, bytes, 16);
        break;
    case IMM_I32:
        wr_text_number(t, false, 4, bytes);
        wr_put_s64(out, (i32)le32_load(bytes));
        break;
    case IMM_I64:
        wr_text_number(t, false, 8, bytes);
        wr_put_s64(out, (i64)le64_load(bytes));
        break;
    case IMM_F32:
        wr_text_number(t, true, 4, bytes);
        wr_put_bytes(out, bytes, 4);
        break;
    case IMM_F64:
        wr_text_number(t, true, 8, bytes);
        wr_put_bytes(out, bytes, 8);
        break;
    case IMM_HEAP_TYPE: wr_put_heap(out, wr_text_heaptype(p)); break;
    case IMM_BR_CAST: read_br_cast(p, out); break;
    case IMM_ZERO: wr_put_u8(out, 0); break;
    case IMM_BLOCK:
    case IMM_TRY_TABLE:
    case IMM_SELECT_TYPES: ASSERT(false); break; /* read elsewhere */
    }
}

static void read_select(Parser *p, Buffer *out) {
    bool has_types = wr_text_head(p->t) == WORD_RESULT;
    if (!has_types) {
        wr_put_opcode(out, OP_SELECT);
        return;
    }
    wr_text_signature(p, PARAMS_UNNAMED); /* no "param" comes first */
    wr_put_opcode(out, OP_SELECT_T);
    wr_put_u32(out, p->signature.nresults);
    wr_put_bytes(out, p->signature.results.data, p->signature.results.size);
}

/* Whether the next row of the table is the same instruction for nullable types: "ref.cast null". */
static bool has_nullable_form(Opcode op) {
    const char *text = wr_op_text(op);
    const char *next = op + 1u < OP_COUNT ? wr_op_text((Opcode)(op + 1)) : "";
    size_t size = strlen(text);
    if (wr_op_info[op].imm != IMM_HEAP_TYPE) return false;
    return strncmp(next, text, size) == 0 && strcmp(next + size, " null") == 0;
}

/* An instruction that is no block, its keyword taken: opcode and immediates. */
static void read_plain(Parser *p, Buffer *out, Opcode op) {
    if (op == OP_SELECT) {
        read_select(p, out);
    } else if (has_nullable_form(op)) {
        TextRef ref = wr_text_reftype(p);
        wr_put_opcode(out, (Opcode)(op + ref.is_nullable));
        wr_put_heap(out, ref.heap);
    } else {
        wr_put_opcode(out, op);
        read_immediates(p, out, op);
    }
}

/* ---- blocks ---- */

static bool is_block(Opcode op) {
    return wr_op_info[op].imm == IMM_BLOCK || wr_op_info[op].imm == IMM_TRY_TABLE;
}

/* catch, catch_ref, catch_all, catch_all_ref: in the order of their codes. */
static int clause_kind(u32 word) {
    static const u16 words[] = {OP_CATCH, WORD_CATCH_REF, OP_CATCH_ALL, WORD_CATCH_ALL_REF};
    for (u32 i = 0; i < ARRAY_LEN(words); i++)
        if (words[i] == word) return (int)i;
    return -1;
}

/* Clauses of a try_table, whose labels are those outside of it. */
static void read_clauses(Parser *p, Buffer *out) {
    p->scratch.size = 0;
    u32 count = 0;
    for (int kind; (kind = clause_kind(wr_text_head(p->t))) >= 0; count++) {
        wr_text_next(p->t);
        wr_text_next(p->t);
        wr_put_u8(&p->scratch, (u8)kind);
        if (kind < 2) wr_put_u32(&p->scratch, wr_text_index(p, NAMES_TAG, 0));
        wr_put_u32(&p->scratch, read_label_index(p));
        wr_text_expect(p->t, TOKEN_CLOSE);
    }
    wr_put_u32(out, count);
    wr_put_bytes(out, p->scratch.data, p->scratch.size);
    wr_text_check(p, &p->scratch);
}

/* Behind a block's keyword: its label, type and clauses; opcode and immediates go to `out`. */
static void read_block_head(Parser *p, Frame *f, Buffer *out) {
    read_label(p, f);
    wr_put_opcode(out, (Opcode)f->op);
    wr_text_block_type(p, out);
    if (f->op == OP_TRY_TABLE) read_clauses(p, out);
}

/* ---- flat instructions ---- */

COLD static void unexpected_at(Parser *p, const Token *at) {
    wr_text_fail(p->t, at, "unexpected token %.*s", (int)at->size, at->start);
}

/* The flat block that a keyword belongs to, or NULL after an error. */
static Frame *flat_block(Parser *p, u32 base, const Token *at) {
    Frame *f = p->nframes > base ? top_frame(p) : NULL;
    if (f != NULL && f->kind == FRAME_FLAT) return f;
    unexpected_at(p, at);
    return NULL;
}

static void flat_end(Parser *p, Buffer *out, u32 base, const Token *at) {
    Frame *f = flat_block(p, base, at);
    if (f == NULL) return;
    leave_label(p, f);
    read_label_again(p, f);
    wr_put_opcode(out, OP_END);
    p->nframes--;
}

static void flat_else(Parser *p, Buffer *out, u32 base, const Token *at) {
    Frame *f = flat_block(p, base, at);
    if (f == NULL) return;
    if (f->op != OP_IF || f->stage != STAGE_START) {
        unexpected_at(p, at);
        return;
    }
    read_label_again(p, f);
    f->stage = STAGE_LAST;
    wr_put_opcode(out, OP_ELSE);
}

static void flat_catch(Parser *p, Buffer *out, u32 base, const Token *at, Opcode op) {
    Frame *f = flat_block(p, base, at);
    if (f == NULL) return;
    if (f->op != OP_TRY || f->stage == STAGE_LAST) {
        unexpected_at(p, at);
        return;
    }
    f->stage = op == OP_CATCH_ALL ? STAGE_LAST : STAGE_CATCH;
    wr_put_opcode(out, op);
    read_immediates(p, out, op);
}

/* It ends the block, and its label is one outside. */
static void flat_delegate(Parser *p, Buffer *out, u32 base, const Token *at) {
    Frame *f = flat_block(p, base, at);
    if (f == NULL) return;
    if (f->op != OP_TRY || f->stage != STAGE_START) {
        unexpected_at(p, at);
        return;
    }
    leave_label(p, f);
    wr_put_opcode(out, OP_DELEGATE);
    wr_put_u32(out, read_label_index(p));
    p->nframes--;
}

static void flat_block_start(Parser *p, Buffer *out, Opcode op, const Token *at) {
    Frame *f = push_frame(p, FRAME_FLAT, op, at);
    if (f == NULL) return;
    read_block_head(p, f, out);
    enter_label(p, f);
}

/* An instruction at its keyword, outside of parentheses or as a part's. */
static void read_flat(Parser *p, Buffer *out, u32 base) {
    TextReader *t = p->t;
    Token at = t->token;
    if (at.word >= OP_COUNT) {
        wr_text_unexpected(t);
        return;
    }
    Opcode op = (Opcode)at.word;
    int hint = wr_text_take_hint(p);
    wr_text_next(t);
    wr_text_put_hint(p, out, op, hint, &at);
    switch ((unsigned)op) {
    case OP_END: flat_end(p, out, base, &at); break;
    case OP_ELSE: flat_else(p, out, base, &at); break;
    case OP_CATCH:
    case OP_CATCH_ALL: flat_catch(p, out, base, &at, op); break;
    case OP_DELEGATE: flat_delegate(p, out, base, &at); break;
    default:
        if (is_block(op))
            flat_block_start(p, out, op, &at);
        else
            read_plain(p, out, op);
    }
}

/* ---- folded instructions ---- */

/* Moves what a frame has deferred to where it belongs. */
static void put_deferred(Parser *p, Frame *f, Buffer *out) {
    wr_text_put_hint(p, out, (Opcode)f->op, f->hint, &f->open);
    wr_text_check(p, &p->deferred);
    if (p->t->error != NULL) return;
    wr_put_bytes(out, p->deferred.data + f->deferred, p->deferred.size - f->deferred);
    p->deferred.size = f->deferred;
}

static void open_folded_block(Parser *p, Buffer *out, Opcode op, int hint, const Token *open) {
    FrameKind kind = op == OP_IF ? FRAME_IF : op == OP_TRY ? FRAME_TRY : FRAME_BLOCK;
    Frame *f = push_frame(p, kind, op, open);
    if (f == NULL) return;
    f->hint = (i8)hint;
    if (kind == FRAME_IF) { /* its condition comes before it */
        read_block_head(p, f, &p->deferred);
        return;
    }
    wr_text_put_hint(p, out, op, hint, open);
    read_block_head(p, f, out);
    enter_label(p, f);
}

static void open_folded(Parser *p, Buffer *out, const Token *open) {
    TextReader *t = p->t;
    int hint = wr_text_take_hint(p);
    wr_text_next(t); /* ( */
    if (!wr_text_is(t, TOKEN_WORD) || t->token.word >= OP_COUNT) {
        wr_text_unexpected(t);
        return;
    }
    Opcode op = (Opcode)t->token.word;
    bool is_part =
        op == OP_END || op == OP_ELSE || op == OP_CATCH || op == OP_CATCH_ALL || op == OP_DELEGATE;
    if (is_part) {
        wr_text_unexpected(t);
        return;
    }
    wr_text_next(t);
    if (is_block(op)) {
        open_folded_block(p, out, op, hint, open);
        return;
    }
    Frame *f = push_frame(p, FRAME_PLAIN, op, open);
    if (f == NULL) return;
    f->hint = (i8)hint;
    read_plain(p, &p->deferred, op);
}

/* A part of the folded if or try on top; false if `word` begins none there. */
static bool open_if_part(Parser *p, Frame *f, Buffer *out, u32 word) {
    if (word == WORD_THEN && f->stage == STAGE_START) {
        put_deferred(p, f, out);
        enter_label(p, f);
        f->stage = STAGE_FIRST;
        return true;
    }
    if (word != OP_ELSE || f->stage != STAGE_FIRST) return false;
    wr_put_opcode(out, OP_ELSE);
    f->stage = STAGE_LAST;
    return true;
}

static bool open_try_part(Frame *f, Buffer *out, u32 word) {
    bool may_catch = f->stage == STAGE_FIRST || f->stage == STAGE_CATCH;
    if (word == WORD_DO && f->stage == STAGE_START) {
        f->stage = STAGE_FIRST;
        return true;
    }
    if ((word != OP_CATCH && word != OP_CATCH_ALL) || !may_catch) return false;
    wr_put_opcode(out, (Opcode)word);
    f->stage = word == OP_CATCH ? STAGE_CATCH : STAGE_LAST;
    return true;
}

/* "(delegate l)" at the end of a folded try, in the place of its `end`. */
static void read_delegate(Parser *p, Frame *f, Buffer *out) {
    wr_text_next(p->t);
    wr_text_next(p->t);
    leave_label(p, f);
    f->has_label = false;
    f->stage = STAGE_LAST;
    f->op = OP_DELEGATE;
    wr_put_opcode(out, OP_DELEGATE);
    wr_put_u32(out, read_label_index(p));
    wr_text_expect(p->t, TOKEN_CLOSE);
}

/* "(" within a folded if or try. */
static void open_part(Parser *p, Buffer *out, const Token *open) {
    Frame *f = top_frame(p);
    u32 word = wr_text_head(p->t);
    if (f->kind == FRAME_TRY && word == OP_DELEGATE && f->stage == STAGE_FIRST) {
        read_delegate(p, f, out);
        return;
    }
    bool is_part =
        f->kind == FRAME_IF ? open_if_part(p, f, out, word) : open_try_part(f, out, word);
    if (is_part) {
        wr_text_next(p->t);
        wr_text_next(p->t);
        if (word == OP_CATCH) read_immediates(p, out, OP_CATCH);
        (void)push_frame(p, FRAME_PART, OP_NOP, open);
    } else if (f->kind == FRAME_IF && f->stage == STAGE_START) {
        open_folded(p, out, open); /* of the condition */
    } else {
        wr_text_next(p->t);
        wr_text_unexpected(p->t);
    }
}

/* ")" of the frame on top. */
static void close_folded(Parser *p, Buffer *out) {
    Frame *f = top_frame(p);
    bool is_complete = f->kind != FRAME_FLAT &&
                       ((f->kind != FRAME_IF && f->kind != FRAME_TRY) || f->stage != STAGE_START);
    if (!is_complete) {
        wr_text_unexpected(p->t);
        return;
    }
    wr_text_next(p->t);
    if (f->kind == FRAME_PLAIN) put_deferred(p, f, out);
    bool has_end = f->kind == FRAME_BLOCK || f->kind == FRAME_IF ||
                   (f->kind == FRAME_TRY && f->op != OP_DELEGATE);
    if (has_end) wr_put_opcode(out, OP_END);
    leave_label(p, f);
    p->nframes--;
}

/* ---- sequences ---- */

/* Whether what is open on top takes instructions that are not folded. */
static bool takes_flat(const Parser *p, u32 base) {
    if (p->nframes == base) return true;
    FrameKind kind = (FrameKind)top_frame(p)->kind;
    return kind == FRAME_FLAT || kind == FRAME_BLOCK || kind == FRAME_PART;
}

/* What was written from `from` on comes of this token: whether that is the place looked for. */
static void note_place(Parser *p, const Buffer *out, size_t from, const Token *at) {
    BodyPlace *place = p->options->place;
    if (p->func == NONE_U32 || p->nbodies != place->body || out->size == from) return;
    size_t start = from - p->body_start, end = out->size - p->body_start;
    if (place->offset >= start && place->offset < end) place->token = *at;
}

static void read_next(Parser *p, Buffer *out, u32 base) {
    TextReader *t = p->t;
    Token at = t->token, from = at;
    size_t size = out->size;
    bool is_flat = takes_flat(p, base);
    if (at.kind == TOKEN_CLOSE && p->nframes > base) from = top_frame(p)->open;
    if (at.kind == TOKEN_OPEN) {
        if (is_flat || top_frame(p)->kind == FRAME_PLAIN)
            open_folded(p, out, &at);
        else
            open_part(p, out, &at);
    } else if (at.kind == TOKEN_CLOSE) {
        close_folded(p, out);
    } else if (at.kind == TOKEN_WORD && is_flat) {
        read_flat(p, out, base);
    } else {
        wr_text_unexpected(t);
    }
    if (UNLIKELY(p->options->place != NULL)) note_place(p, out, size, &from);
    wr_text_check(p, out);
}

void wr_text_expr(Parser *p, Buffer *out) {
    u32 base = p->nframes;
    while (p->t->error == NULL && (p->nframes > base || !wr_text_is(p->t, TOKEN_CLOSE)))
        read_next(p, out, base);
    p->nframes = base;
    wr_put_opcode(out, OP_END);
    if (UNLIKELY(p->options->place != NULL)) note_place(p, out, out->size - 1, &p->t->token);
}

void wr_text_folded_expr(Parser *p, Buffer *out) {
    u32 base = p->nframes;
    if (!wr_text_is(p->t, TOKEN_OPEN)) wr_text_unexpected(p->t);
    do {
        read_next(p, out, base);
    } while (p->t->error == NULL && p->nframes > base);
    p->nframes = base;
    wr_put_opcode(out, OP_END);
}
