/* Validation of bodies: every row of the instruction table, then the rules that no row states. */
#include <stdio.h>

#include "module_support.h"
#include "signature.h"
#include "validate.h"

/* ---- modules around one body ---------------------------------------------------------------- */

/* What bodies here can refer to. Types: 0 [] -> [], 1 [i32] -> [i32], 2 array mut i8, 3 struct (i32, mut
 * i64, i8). Function 0 is the body under test, of type 0 and with the locals that are given. Memory 0,
 * table 0 of funcref, globals: 0 i32, 1 mut i64, 2 mut v128. Tag 0: [i32]. A passive element and data
 * segment. Padding follows if `padded`: the validator's fast path keeps off the end of the bytes. */
static Wasm module_of(const void *locals, size_t nlocals, const void *body, size_t size,
                      bool padded) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 5, 0x60, 0, 0, 0x60, 1, I32, 1, I32, 0x5E, 0x78, 1, 0x5F, 3, I32, 0, I64, 1,
            0x78, 0, 0x60, 1, I32, 0);
    SECTION(&w, S_FUNC, 3, 0, 1, 0);
    SECTION(&w, S_TABLE, 1, FUNCREF, 0, 1);
    SECTION(&w, S_MEMORY, 1, 0, 1);
    SECTION(&w, S_TAG, 1, 0, 4);
    SECTION(&w, S_GLOBAL, 3, I32, 0, 0x41, 0, END, I64, 1, 0x42, 0, END, V128, 1, 0xFD, 12, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, END);
    SECTION(&w, S_EXPORT, 1, 1, 'f', X_FUNC, 1);
    SECTION(&w, S_ELEM, 1, 1, 0, 1, 1);
    SECTION(&w, S_DATA_COUNT, 1);
    wasm_open(&w, S_CODE);
    BYTES(&w, 3);
    wasm_u32(&w, (u32)(nlocals + size + 1));
    wasm_bytes(&w, locals, nlocals);
    wasm_bytes(&w, body, size);
    BYTES(&w, END);
    BODY(&w, 0, 0x20, 0, END);
    BODY(&w, 0, END);
    wasm_close(&w);
    SECTION(&w, S_DATA, 1, 1, 1, 0);
    if (padded) SECTION(&w, 0, 1, 'p', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    return w;
}

static Engine *engine;

static void begin(void) { engine = new_test_engine(NULL, NULL); }
static void finish(void) { wr_engine_unref(engine); }

TestSuite(validate_code, .init = begin, .fini = finish);

/* The error's text, "" if the body is valid; the same whether or not the fast path may be used. */
static const char *check(const void *locals, size_t nlocals, const void *body, size_t size) {
    static char text[2][256];
    u64 offsets[2] = {0, 0};
    for (int padded = 0; padded < 2; padded++) {
        Wasm w = module_of(locals, nlocals, body, size, padded);
        Module *m = NULL;
        Error *error = wr_module_load(engine, w.data, w.size, BYTES_BORROWED, &m);
        snprintf(text[padded], sizeof text[padded], "%s", error ? wr_error_message(error) : "");
        if (error != NULL) cr_assert(wr_error_offset(error, &offsets[padded]));
        wr_error_delete(error);
        if (m != NULL) wr_module_unref(m);
    }
    cr_assert_str_eq(text[0], text[1], "the fast path differs: %s / %s", text[0], text[1]);
    cr_assert_eq(offsets[0], offsets[1], "%s", text[0]);
    return text[0];
}

#define NO_LOCALS BYTES_OF(0)
#define VALID(...)                                                                                 \
    do {                                                                                           \
        const char *valid_text = check(NO_LOCALS, BYTES_OF(__VA_ARGS__));                          \
        cr_expect_str_eq(valid_text, "");                                                          \
    } while (0)
#define INVALID(message, ...)                                                                      \
    do {                                                                                           \
        const char *invalid_text = check(NO_LOCALS, BYTES_OF(__VA_ARGS__));                        \
        cr_expect_eq(strncmp(invalid_text, message, strlen(message)), 0, "got: %s, expected: %s",  \
                     invalid_text, message);                                                       \
    } while (0)

enum {
    UNREACHABLE = 0x00,
    NOP,
    BLOCK,
    LOOP,
    IF,
    ELSE,
    TRY,
    CATCH,
    THROW,
    RETHROW,
    BR = 0x0C,
    BR_IF,
    BR_TABLE,
    RETURN,
    DELEGATE = 0x18,
    CATCH_ALL,
    DROP,
    SELECT,
    SELECT_T,
    TRY_TABLE = 0x1F,
    LOCAL_SET = 0x21,
    LOCAL_TEE,
    GLOBAL_SET = 0x24,
    I32_ADD = 0x6A,
    VOID = 0x40
};

/* ---- every row ------------------------------------------------------------------------------ */

/* Locals 0..4 of these types, so that local.get k pushes type k + 1 of ValKind. */
#define TYPED_LOCALS BYTES_OF(5, 1, I32, 1, I64, 1, F32, 1, F64, 1, V128)

typedef struct Body {
    u8 data[64];
    size_t size;
} Body;

static void put(Body *b, const void *bytes, size_t size) {
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}
#define PUT(b, ...) put(b, BYTES_OF(__VA_ARGS__))

static void put_opcode(Body *b, Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    if (info->prefix == 0)
        PUT(b, (u8)info->code);
    else if (info->code < 0x80)
        PUT(b, info->prefix, (u8)info->code);
    else
        PUT(b, info->prefix, (u8)(info->code | 0x80), (u8)(info->code >> 7));
}

/* Zeros are right for nearly all immediates. */
static void put_immediates(Body *b, Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    static const u8 zeros[16];
    switch (info->imm) {
    case IMM_NONE: return;
    case IMM_MEMARG: PUT(b, info->align, 0); return;
    case IMM_MEMARG_LANE: PUT(b, info->align, 0, 0); return;
    case IMM_F32: put(b, zeros, 4); return;
    case IMM_F64: put(b, zeros, 8); return;
    case IMM_V128:
    case IMM_SHUFFLE: put(b, zeros, 16); return;
    case IMM_DATA_MEMORY:
    case IMM_ELEM_TABLE: PUT(b, 0, 0); return;
    default: PUT(b, 0); return;
    }
}

/* The row's instruction on operands of its signature; operand `wrong` is of another type. */
static Body row_body(Opcode op, u32 wrong, u32 missing) {
    const Signature *sig = &wr_signatures[op];
    Body b = {.size = 0};
    for (u32 i = missing; i < sig->nin; i++) {
        u8 kind = sig->in[i] == SIG_ADDRESS ? VK_I32 : sig->in[i];
        if (i == wrong) kind = kind == VK_F32 ? VK_F64 : VK_F32;
        PUT(&b, LOCAL_GET, (u8)(kind - VK_I32));
    }
    put_opcode(&b, op);
    put_immediates(&b, op);
    return b;
}

static const char *check_row(Opcode op, const Body *b) {
    const char *text = check(TYPED_LOCALS, b->data, b->size);
    cr_assert(strstr(text, "illegal opcode") == NULL, "%s: %s", wr_op_text(op), text);
    return text;
}

Test(validate_code, rows_with_signatures) {
    u32 rows = 0;
    for (Opcode op = 0; op < OP_COUNT; op++) {
        const Signature *sig = &wr_signatures[op];
        const char *name = wr_op_text(op);
        if (sig->nin == SIG_BY_HAND) continue;
        rows++;
        Body b = row_body(op, NONE_U32, 0);
        for (u32 i = sig->nout; i-- > 0;) { /* results go to locals of their types */
            u8 kind = sig->out[i] == SIG_ADDRESS ? VK_I32 : sig->out[i];
            PUT(&b, LOCAL_SET, (u8)(kind - VK_I32));
        }
        cr_expect_str_eq(check_row(op, &b), "", "%s", name);
        if (sig->nout > 0) {
            b = row_body(op, NONE_U32, 0);
            cr_expect_neq(check_row(op, &b)[0], 0, "%s leaves its results", name);
        }
        for (u32 i = 0; i < sig->nin; i++) {
            b = row_body(op, i, 0);
            cr_expect_eq(strncmp(check_row(op, &b), "type mismatch", 13), 0, "%s, %u", name, i);
        }
        if (sig->nin > 0) {
            b = row_body(op, NONE_U32, 1);
            cr_expect_eq(strncmp(check_row(op, &b), "type mismatch", 13), 0, "%s", name);
        }
    }
    cr_expect_gt(rows, 450u);
}

Test(validate_code, rows_by_hand_are_all_known) {
    for (Opcode op = 0; op < OP_COUNT; op++) {
        if (wr_signatures[op].nin != SIG_BY_HAND) continue;
        Body b = {.size = 0};
        put_opcode(&b, op);
        PUT(&b, 0, 0, 0, 0, 0);
        check_row(op, &b);
    }
}

/* Each row that a feature brought is gone without it. */
Test(validate_code, rows_need_their_features) {
    for (Feature f = FEATURE_MVP + 1; f < FEATURE_COUNT; f++) {
        Engine *without = new_test_engine(NULL, wr_feature_name(f));
        for (Opcode op = 0; op < OP_COUNT; op++) {
            if (wr_op_info[op].feature != f) continue;
            Wasm w = wasm_begin();
            SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
            SECTION(&w, S_FUNC, 1, 0);
            Body b = {.size = 0};
            PUT(&b, 0, UNREACHABLE);
            put_opcode(&b, op);
            PUT(&b, 0, 0, 0, END);
            wasm_open(&w, S_CODE);
            BYTES(&w, 1);
            wasm_sized(&w, b.data, b.size);
            wasm_close(&w);
            Module *m = NULL;
            Error *error = wr_module_load(without, w.data, w.size, BYTES_BORROWED, &m);
            cr_assert_not_null(error, "%s", wr_op_text(op));
            cr_expect_eq(strncmp(wr_error_message(error), "illegal opcode", 14), 0, "%s: %s",
                         wr_op_text(op), wr_error_message(error));
            wr_error_delete(error);
        }
        wr_engine_unref(without);
    }
}

/* ---- rules ---------------------------------------------------------------------------------- */

Test(validate_code, operands) {
    VALID(0x41, 1, DROP);
    INVALID("type mismatch: instruction requires [any] but stack has []", DROP);
    INVALID("type mismatch: instruction requires [i32] but stack has [i64]", 0x42, 0, IF, VOID,
            END);
    INVALID("type mismatch: block requires [] but stack has [f32]", 0x43, 0, 0, 0, 0);
    INVALID("type mismatch", 0x41, 1, BLOCK, VOID, DROP, END); /* not the block's to take */
    VALID(0x41, 1, BLOCK, 1, END, DROP);
    INVALID("unknown type 9", BLOCK, 9, END);
    INVALID("type mismatch", BLOCK, 2, END);
}

Test(validate_code, dead_code) {
    VALID(UNREACHABLE, I32_ADD, DROP);
    VALID(UNREACHABLE, DROP, DROP, SELECT, DROP);
    VALID(BR, 0, 0x42, 1, 0x41, 0, SELECT, 0x50, DROP); /* unknown, i64: an i64 */
    INVALID("type mismatch", UNREACHABLE, 0x42, 1, I32_ADD, DROP);
    INVALID("type mismatch", UNREACHABLE, 0x41, 1);
    INVALID("type mismatch", UNREACHABLE, BLOCK, VOID, DROP, END);
    VALID(UNREACHABLE, 0xD1, DROP);           /* ref.is_null of anything */
    VALID(UNREACHABLE, 0xD4, 0xFB, 15, DROP); /* array.len of ref.as_non_null of anything */
    INVALID("type mismatch", UNREACHABLE, 0xD4, 0x45, DROP);
    INVALID("unknown memory 1", UNREACHABLE, 0x28, 0x42, 1, 0, DROP);
    VALID(UNREACHABLE, 0x28, 2, 0, DROP);
}

Test(validate_code, blocks) {
    INVALID("END opcode expected", ELSE);
    INVALID("END opcode expected", BLOCK, VOID, ELSE, END);
    INVALID("END opcode expected", 0x41, 0, IF, VOID, ELSE, ELSE, END);
    INVALID("type mismatch", 0x41, 0, IF, I32, 0x41, 0, END, DROP);
    VALID(0x41, 0, 0x41, 0, IF, 1, END, DROP); /* without else: its parameters are its results */
    INVALID("section size mismatch", END);
    INVALID("END opcode expected", BLOCK, VOID); /* the next body begins with a number */
}

Test(validate_code, labels) {
    VALID(BR, 0);
    INVALID("unknown label 1", BR, 1);
    INVALID("unknown label 2", 0x41, 0, BR_TABLE, 1, 0, 2);
    INVALID("length out of bounds", 0x41, 0, BR_TABLE, 0xFF, 0x7F, 0);
    VALID(BLOCK, I32, 0x41, 1, 0x41, 0, BR_TABLE, 1, 0, 0, END, DROP);
    INVALID("type mismatch", BLOCK, I32, 0x41, 1, 0x41, 0, BR_TABLE, 1, 0, 1, END, DROP);
    VALID(0x41, 1, LOOP, 1, BR, 0, END, DROP); /* takes the parameters */
    VALID(BLOCK, I32, 0x41, 7, 0x41, 0, BR_IF, 0, END, DROP);
    INVALID("type mismatch", BLOCK, I32, 0x42, 7, 0x41, 0, BR_IF, 0, DROP, 0x41, 0, END, DROP);
}

Test(validate_code, calls) {
    VALID(0x41, 0, CALL, 1, DROP);
    INVALID("unknown function 3", CALL, 3);
    INVALID("type mismatch", CALL, 1, DROP);
    VALID(0x41, 0, 0x41, 0, 0x11, 1, 0, DROP);
    INVALID("unknown table 1", 0x41, 0, 0x41, 0, 0x11, 1, 1, DROP);
    INVALID("type mismatch", 0x41, 0, 0x11, 2, 0, DROP); /* an array type */
    VALID(0x12, 2);
    INVALID("type mismatch", 0x41, 0, 0x12, 1); /* return_call: its results are not ours */
    VALID(0x41, 0, 0xD2, 1, 0x14, 1, DROP);
    INVALID("undeclared function reference", 0xD2, 0, DROP);
}

Test(validate_code, selects) {
    VALID(0x41, 0, 0x41, 0, 0x41, 0, SELECT, DROP);
    INVALID("type mismatch", 0x41, 0, 0x42, 0, 0x41, 0, SELECT, DROP);
    INVALID("type mismatch", 0xD0, 0x70, 0xD0, 0x70, 0x41, 0, SELECT, DROP);
    VALID(0xD0, 0x70, 0xD0, 0x70, 0x41, 0, SELECT_T, 1, FUNCREF, DROP);
    INVALID("invalid result arity", 0xD0, 0x70, 0xD0, 0x70, 0x41, 0, SELECT_T, 0, DROP);
}

static void expect_locals(const char *message, const void *locals, size_t nlocals, const void *body,
                          size_t size) {
    const char *text = check(locals, nlocals, body, size);
    cr_expect_eq(strncmp(text, message, strlen(message)), 0, "got: %s", text);
    if (*message == 0) cr_expect_eq(*text, 0, "got: %s", text);
}
#define LOCALS(...) BYTES_OF(__VA_ARGS__)

Test(validate_code, locals) {
    expect_locals("", LOCALS(1, 3, I64), BYTES_OF(LOCAL_GET, 2, LOCAL_TEE, 0, LOCAL_SET, 1));
    expect_locals("unknown local 3", LOCALS(1, 3, I64), BYTES_OF(LOCAL_GET, 3, DROP));
    expect_locals("unknown local 0", LOCALS(0), BYTES_OF(LOCAL_GET, 0, DROP));
    expect_locals("unknown local 0", LOCALS(1, 0, I32), BYTES_OF(LOCAL_GET, 0, DROP));
    expect_locals("unknown local 300", LOCALS(1, 3, I32), BYTES_OF(LOCAL_GET, 0xAC, 2, DROP));
    expect_locals("", LOCALS(1, 0xAD, 2, I32), BYTES_OF(LOCAL_GET, 0xAC, 2, LOCAL_SET, 0xAB, 2));
    expect_locals("type mismatch", LOCALS(2, 1, I32, 1, I64), BYTES_OF(LOCAL_GET, 0, LOCAL_SET, 1));
    expect_locals("", LOCALS(1, 0xD0, 0x86, 3, I32), BYTES_OF(LOCAL_GET, 0xCF, 0x86, 3, DROP));
    expect_locals("too many locals", LOCALS(1, 0xD1, 0x86, 3, I32), BYTES_OF(NOP));
    expect_locals("too many locals", LOCALS(2, 0xFF, 0xFF, 0xFF, 0xFF, 0xF, I32, 1, I32),
                  BYTES_OF(NOP));
    expect_locals("", LOCALS(1, 1, V128), BYTES_OF(LOCAL_GET, 0, LOCAL_TEE, 0, DROP));
}

/* A local of type (ref func) has no value until it is set. */
#define REF_LOCALS LOCALS(2, 1, 0x64, 0x70, 1, I32)
#define SET 0xD2, 1, LOCAL_SET, 0
#define GET LOCAL_GET, 0, DROP

Test(validate_code, unset_locals) {
    expect_locals("uninitialized local: 0", REF_LOCALS, BYTES_OF(GET));
    expect_locals("", REF_LOCALS, BYTES_OF(SET, GET));
    expect_locals("", REF_LOCALS, BYTES_OF(0xD2, 1, LOCAL_TEE, 0, DROP, GET));
    expect_locals("", REF_LOCALS, BYTES_OF(SET, BLOCK, VOID, GET, END, GET));
    expect_locals("uninitialized local", REF_LOCALS, BYTES_OF(BLOCK, VOID, SET, GET, END, GET));
    expect_locals("uninitialized local", REF_LOCALS,
                  BYTES_OF(LOCAL_GET, 1, IF, VOID, SET, ELSE, GET, END));
    expect_locals("uninitialized local", REF_LOCALS, BYTES_OF(TRY, VOID, SET, CATCH_ALL, GET, END));
    expect_locals("", REF_LOCALS, BYTES_OF(SET, BLOCK, VOID, SET, END, GET));
    expect_locals("", REF_LOCALS, BYTES_OF(UNREACHABLE, LOCAL_SET, 0, GET));
}

Test(validate_code, globals) {
    VALID(GLOBAL_GET, 0, DROP, GLOBAL_GET, 1, GLOBAL_SET, 1, GLOBAL_GET, 2, GLOBAL_SET, 2);
    INVALID("immutable global", 0x41, 0, GLOBAL_SET, 0);
    INVALID("unknown global 3", GLOBAL_GET, 3, DROP);
    INVALID("type mismatch", 0x41, 0, GLOBAL_SET, 1);
}

Test(validate_code, memory_arguments) {
    INVALID("alignment must not be larger than natural", 0x41, 0, 0x28, 3, 0, DROP);
    INVALID("malformed memop flags", 0x41, 0, 0x28, 0x80, 1, 0, DROP);
    INVALID("offset out of range", 0x41, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10, DROP);
    VALID(0x41, 0, 0x28, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, DROP);
    VALID(0x41, 0, 0x28, 0x42, 0, 0, DROP);
    INVALID("atomic alignment must be natural", 0x41, 0, 0xFE, 0x10, 1, 0, DROP);
    INVALID("invalid lane index", GLOBAL_GET, 2, 0xFD, 21, 16, DROP);
    VALID(GLOBAL_GET, 2, 0xFD, 21, 15, DROP);
    INVALID("invalid lane index", GLOBAL_GET, 2, 0xFD, 29, 2, DROP);
    INVALID("zero byte expected", 0xFE, 3, 1);
    INVALID("unknown data segment 1", 0xFC, 9, 1);
    INVALID("unknown elem segment 1", 0xFC, 13, 1);
}

Test(validate_code, exceptions) {
    VALID(0x41, 0, THROW, 0);
    INVALID("unknown tag 1", THROW, 1);
    INVALID("type mismatch: instruction requires [i32] but stack has []", THROW, 0);
    VALID(BLOCK, I32, TRY_TABLE, VOID, 1, 0, 0, 0, END, 0x41, 0, END, DROP);
    INVALID("type mismatch", BLOCK, I64, TRY_TABLE, VOID, 1, 0, 0, 0, END, 0x42, 0, END, DROP);
    INVALID("malformed catch clause", TRY_TABLE, VOID, 1, 4, 0, END);
    INVALID("unknown label 2", BLOCK, VOID, TRY_TABLE, VOID, 1, 2, 2, END, END);
    VALID(TRY, VOID, CATCH, 0, DROP, CATCH_ALL, END);
    INVALID("END opcode expected", TRY, VOID, CATCH_ALL, CATCH, 0, DROP, END);
    INVALID("END opcode expected", CATCH_ALL);
    VALID(TRY, VOID, CATCH_ALL, BLOCK, VOID, RETHROW, 1, END, END);
    INVALID("invalid rethrow label", TRY, VOID, RETHROW, 0, END);
    VALID(TRY, VOID, TRY, VOID, DELEGATE, 0, CATCH_ALL, END);
    INVALID("unknown label 1", TRY, VOID, DELEGATE, 1);
}

Test(validate_code, aggregates) {
    VALID(0x41, 0, 0x42, 0, 0x41, 0, 0xFB, 0, 3, DROP);
    INVALID("type mismatch", 0x42, 0, 0x42, 0, 0x41, 0, 0xFB, 0, 3, DROP);
    INVALID("unknown field 3", 0xD0, 3, 0xFB, 2, 3, 3, DROP);
    INVALID("immutable field", 0xD0, 3, 0x41, 0, 0xFB, 5, 3, 0);
    VALID(0xD0, 3, 0xFB, 3, 3, 2, DROP);                    /* struct.get_s of the i8 */
    INVALID("type mismatch", 0xD0, 3, 0xFB, 2, 3, 2, DROP); /* but not struct.get */
    VALID(0x41, 1, 0x41, 2, 0xFB, 8, 2, 2, DROP);
    INVALID("type mismatch", 0x41, 1, 0xFB, 8, 2, 2, DROP);
    VALID(UNREACHABLE, 0xFB, 8, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, DROP);
    INVALID("type mismatch", 0xFB, 8, 3, 0, DROP);
}

/* ---- offsets -------------------------------------------------------------------------------- */

Test(validate_code, errors_are_at_the_opcode) {
    Wasm w = module_of(NO_LOCALS, BYTES_OF(NOP, 0x41, 1, 0x41, 2, 0x28, 9, 0, DROP, DROP), false);
    Module *m = NULL;
    Error *error = wr_module_load(engine, w.data, w.size, BYTES_BORROWED, &m);
    u64 offset = 0;
    cr_assert_not_null(error);
    cr_assert(wr_error_offset(error, &offset));
    cr_expect_eq(w.data[offset], 0x28);
    cr_expect_eq(w.data[offset - 2], 0x41);
    wr_error_delete(error);
}

/* ---- what the Code gets --------------------------------------------------------------------- */

static Module *load_body(Wasm *w, const void *locals, size_t nlocals, const void *body,
                         size_t size) {
    *w = module_of(locals, nlocals, body, size, true);
    return load_module(engine, w);
}

Test(validate_code, heights) {
    Wasm w;
    Module *m = load_body(&w, LOCALS(2, 3, I32, 1, F64),
                          BYTES_OF(0x41, 1, 0x41, 1, 0x41, 1, DROP, DROP, DROP, 0x41, 0, DROP));
    const Code *c = &m->codes[0];
    cr_expect_eq(c->max_slots, 3u);
    cr_expect_eq(c->nlocals, 4u);
    cr_expect_eq(c->local_slots, 4u);
    cr_expect_eq(c->nruns, 2u);
    cr_expect_eq(c->runs[1].type, T_F64);
    cr_expect_eq(c->start[0], 0x41);
    cr_expect_eq(c->end[-1], END);
    cr_expect(!c->is_wide);
    cr_expect_eq(m->codes[1].param_slots, 1u);
    cr_expect_eq(m->codes[1].result_slots, 1u);
    wr_module_unref(m);
}

Test(validate_code, wide_by_a_local) {
    Wasm w;
    Module *m =
        load_body(&w, LOCALS(3, 1, I32, 2, V128, 1, I64),
                  BYTES_OF(LOCAL_GET, 2, LOCAL_GET, 1, 0x41, 0, SELECT, DROP, 0x41, 0, DROP));
    const Code *c = &m->codes[0];
    cr_assert(c->is_wide);
    cr_expect_eq(c->local_slots, 6u);
    cr_expect_eq(c->max_slots, 5u);
    const u32 map[] = {0 << 1, 1 << 1 | 1, 3 << 1 | 1, 5 << 1};
    for (u32 i = 0; i < 4; i++) cr_expect_eq(c->local_map[i], map[i], "%u", i);
    cr_assert_eq(c->nwide, 2u);
    cr_expect_eq(c->wide_pcs[0], 6u);
    cr_expect_eq(c->wide_pcs[1], 7u);
    wr_module_unref(m);
}

Test(validate_code, wide_by_a_drop) {
    Wasm w;
    Module *m = load_body(&w, LOCALS(1, 2, I32), BYTES_OF(GLOBAL_GET, 2, DROP));
    const Code *c = &m->codes[0];
    cr_assert(c->is_wide);
    cr_expect_eq(c->local_map[1], 1u << 1);
    cr_expect_eq(c->nwide, 1u);
    cr_expect_eq(c->wide_pcs[0], 2u);
    cr_expect(!m->codes[1].is_wide);
    wr_module_unref(m);
}

Test(validate_code, regions) {
    Wasm w;
    /* 0 block, 2 try_table (catch_all 0), 7 nop, 8 try_table (none), 11 nop, 12 end, 13 end, 14 end */
    Module *m = load_body(&w, NO_LOCALS,
                          BYTES_OF(BLOCK, VOID, TRY_TABLE, VOID, 1, 2, 0, NOP, TRY_TABLE, VOID, 0,
                                   NOP, END, END, END));
    const Code *c = &m->codes[0];
    cr_assert_eq(c->ntries, 2u);
    cr_expect_eq(c->tries[0].start, 11u, "inner ones first");
    cr_expect_eq(c->tries[0].end, 12u);
    cr_expect_eq(c->tries[0].stp, 1u);
    cr_expect_eq(c->tries[1].start, 7u);
    cr_expect_eq(c->tries[1].end, 13u);
    cr_expect_eq(c->tries[1].clauses, 4u);
    cr_expect_eq(c->tries[1].stp, 0u);
    cr_expect_eq(c->nside, 1u);
    wr_module_unref(m);
}

Test(validate_code, legacy_regions) {
    Wasm w;
    /* 0 try, 2 try, 4 nop, 5 delegate 0, 7 catch 0, 9 drop, 10 try, 12 catch_all, 13 rethrow 1, 15 end,
     * 16 catch_all, 17 end */
    Module *m = load_body(&w, LOCALS(1, 2, I32),
                          BYTES_OF(TRY, VOID, TRY, VOID, NOP, DELEGATE, 0, CATCH, 0, DROP, TRY,
                                   VOID, CATCH_ALL, RETHROW, 1, END, CATCH_ALL, END));
    const Code *c = &m->codes[0];
    cr_assert_eq(c->ntries, 3u);
    const TryRegion *inner = &c->tries[0], *outer = &c->tries[1], *second = &c->tries[2];
    cr_expect_eq(inner->start, 4u);
    cr_expect_eq(inner->end, 5u);
    cr_expect_eq(inner->delegate, 1u);
    cr_expect_eq(outer->start, 2u);
    cr_expect_eq(outer->end, 7u);
    cr_expect_eq(outer->delegate, NONE_U32);
    cr_assert_eq(outer->ncatches, 2u);
    cr_expect_eq(c->catches[outer->first_catch].tag, 0u);
    cr_expect_eq(c->catches[outer->first_catch].pc, 9u);
    cr_expect_eq(c->catches[outer->first_catch].stp, 1u);
    cr_expect_eq(c->catches[outer->first_catch + 1].tag, NONE_U32);
    cr_expect_eq(c->catches[outer->first_catch + 1].pc, 17u);
    cr_expect_eq(second->end, 12u);
    cr_expect_eq(second->ncatches, 1u);
    cr_expect_eq(outer->exn_slot, 2u);
    cr_expect_eq(second->exn_slot, 3u);
    cr_expect_eq(c->local_slots, 4u, "two locals, two levels of clauses");
    cr_expect_eq(c->nside, 4u);
    cr_expect_eq(c->side[2].pc, 2, "rethrow: the outer clause's exception");
    wr_module_unref(m);
}

Test(validate_code, types_at_a_place) {
    Wasm w;
    Module *m = load_body(&w, LOCALS(2, 1, I64, 1, 0x64, 0x70),
                          BYTES_OF(LOCAL_GET, 0, BLOCK, VOID, 0x43, 0, 0, 0, 0, GLOBAL_GET, 2, NOP,
                                   DROP, DROP, END, DROP));
    Arena arena;
    wr_arena_init(&arena, &wr_alloc_system);
    CodeTypes t;
    cr_assert(wr_code_types_at(m, &m->codes[0], 11, &arena, &t));
    cr_assert_eq(t.nlocals, 2u);
    cr_expect_eq(t.locals[0], T_I64);
    cr_expect_eq(t.locals[1], T_REF(HEAP_FUNC, 0));
    cr_assert_eq(t.noperands, 3u);
    cr_expect_eq(t.operands[0], T_I64);
    cr_expect_eq(t.operands[1], T_F32);
    cr_expect_eq(t.operands[2], T_V128);
    cr_assert(wr_code_types_at(m, &m->codes[0], 0, &arena, &t));
    cr_expect_eq(t.noperands, 0u);
    wr_arena_free(&arena);
    wr_module_unref(m);
}
