/* Validation of modules outside of bodies, of bodies on several threads, and without memory. */
#include <stdlib.h>

#include "module_support.h"
#include "validate.h"

/* ---- module rules --------------------------------------------------------------------------- */

/* A module of one section after a type section: 0 [] -> [], 1 [] -> [i32]. */
#define ONE(id, ...)                                                                               \
    Wasm w = wasm_begin();                                                                         \
    SECTION(&w, S_TYPE, 2, 0x60, 0, 0, 0x60, 0, 1, I32);                                           \
    SECTION(&w, id, __VA_ARGS__)
#define GOOD(id, ...)                                                                              \
    do {                                                                                           \
        ONE(id, __VA_ARGS__);                                                                      \
        Engine *engine = new_test_engine(NULL, NULL);                                              \
        wr_module_unref(load_module(engine, &w));                                                  \
        wr_engine_unref(engine);                                                                   \
    } while (0)
#define BAD(message, id, ...)                                                                      \
    do {                                                                                           \
        ONE(id, __VA_ARGS__);                                                                      \
        EXPECT_INVALID(&w, message);                                                               \
    } while (0)

static const char too_small[] = "size minimum must not be greater than maximum";

Test(validate, tables) {
    GOOD(S_TABLE, 1, FUNCREF, 1, 3, 3);
    BAD(too_small, S_TABLE, 1, FUNCREF, 1, 4, 3);
    GOOD(S_TABLE, 1, FUNCREF, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F);
    BAD("table size", S_TABLE, 1, FUNCREF, 0, 0x80, 0x80, 0x80, 0x80, 0x10);
    GOOD(S_TABLE, 1, FUNCREF, 4, 0x80, 0x80, 0x80, 0x80, 0x10);
    BAD("type mismatch", S_TABLE, 1, 0x64, 0x70, 0, 1); /* (ref func) needs a value */
    GOOD(S_TABLE, 1, 0x40, 0, FUNCREF, 0, 1, 0xD0, 0x70, END);
    BAD("type mismatch", S_TABLE, 1, 0x40, 0, FUNCREF, 0, 1, 0xD0, 0x6F, END);
}

Test(validate, memories) {
    GOOD(S_MEMORY, 1, 0, 0x80, 0x80, 4);
    BAD("memory size must be at most 65536 pages (4GiB)", S_MEMORY, 1, 0, 0x81, 0x80, 4);
    BAD("memory size must be at most 65536 pages (4GiB)", S_MEMORY, 1, 1, 0, 0x81, 0x80, 4);
    BAD(too_small, S_MEMORY, 1, 1, 2, 1);
    BAD("shared memory must have maximum", S_MEMORY, 1, 2, 1);
    GOOD(S_MEMORY, 1, 3, 1, 1);
    GOOD(S_MEMORY, 1, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40);
    BAD("memory size", S_MEMORY, 1, 4, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40);
    GOOD(S_MEMORY, 1, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0);
    BAD("memory size", S_MEMORY, 1, 8, 0x80, 0x80, 0x80, 0x80, 0x10, 0);
    BAD("invalid custom page size", S_MEMORY, 1, 8, 0, 4);
}

Test(validate, tags) {
    GOOD(S_TAG, 1, 0, 0);
    BAD("non-empty tag result type", S_TAG, 1, 0, 1);
}

Test(validate, constant_expressions) {
    GOOD(S_GLOBAL, 2, I32, 0, 0x41, 1, END, I32, 0, 0x23, 0, 0x41, 2, 0x6A, END);
    BAD("type mismatch", S_GLOBAL, 1, I32, 0, 0x42, 1, END);
    BAD("type mismatch", S_GLOBAL, 1, I32, 0, END);
    BAD("type mismatch", S_GLOBAL, 1, I32, 0, 0x41, 1, 0x41, 1, END);
    BAD("constant expression required", S_GLOBAL, 1, I32, 0, 0x41, 1, 0x45, END);
    BAD("constant expression required", S_GLOBAL, 1, I32, 0, 0x01, 0x41, 1, END);
    BAD("constant expression required", S_GLOBAL, 2, I32, 1, 0x41, 1, END, I32, 0, 0x23, 0, END);
    BAD("unknown global 0", S_GLOBAL, 1, I32, 0, 0x23, 0, END); /* itself */
    BAD("unknown function 0", S_GLOBAL, 1, FUNCREF, 0, 0xD2, 0, END);
    GOOD(S_GLOBAL, 1, 0x6E, 0, 0x41, 1, 0xFB, 28, END); /* anyref: ref.i31 */
}

Test(validate, constants_need_their_features) {
    {
        ONE(S_GLOBAL, 1, I32, 0, 0x41, 1, 0x41, 2, 0x6A, END);
        expect_error(&w, "extended-const", WR_ERROR_INVALID, "constant expression required");
    }
    {
        ONE(S_GLOBAL, 2, I32, 0, 0x41, 1, END, I32, 0, 0x23, 0, END);
        expect_error(&w, "gc", WR_ERROR_INVALID, "unknown global 0");
    }
}

Test(validate, exports) {
    GOOD(S_EXPORT, 0);
    BAD("unknown function 0", S_EXPORT, 1, 1, 'a', X_FUNC, 0);
    BAD("unknown table 1", S_EXPORT, 1, 1, 'a', X_TABLE, 1);
    BAD("unknown memory 0", S_EXPORT, 1, 1, 'a', X_MEMORY, 0);
    BAD("unknown global 0", S_EXPORT, 1, 1, 'a', X_GLOBAL, 0);
    BAD("unknown tag 0", S_EXPORT, 1, 1, 'a', X_TAG, 0);
}

Test(validate, export_names) {
    Wasm w = wasm_begin();
    SECTION(&w, S_MEMORY, 1, 0, 0);
    SECTION(&w, S_EXPORT, 4, 1, 'b', X_MEMORY, 0, 1, 'a', X_MEMORY, 0, 0, X_MEMORY, 0, 1, 'b',
            X_MEMORY, 0);
    EXPECT_INVALID(&w, "duplicate export name");
    w.data[w.size - 3] = 'c';
    Engine *engine = new_test_engine(NULL, NULL);
    wr_module_unref(load_module(engine, &w));
    wr_engine_unref(engine);
}

Test(validate, segments) {
    BAD("unknown table 0", S_ELEM, 1, 0, 0x41, 0, END, 0);
    BAD("unknown function 0", S_ELEM, 1, 1, 0, 1, 0);
    BAD("unknown memory 0", S_DATA, 1, 0, 0x41, 0, END, 0);
    Wasm w = wasm_begin();
    SECTION(&w, S_TABLE, 1, EXTERNREF, 0, 1);
    SECTION(&w, S_ELEM, 1, 0, 0x41, 0, END, 0);
    EXPECT_INVALID(&w, "type mismatch");
    w = wasm_begin();
    SECTION(&w, S_MEMORY, 1, 4, 1); /* 64-bit addresses */
    SECTION(&w, S_DATA, 1, 0, 0x41, 0, END, 0);
    EXPECT_INVALID(&w, "type mismatch");
}

Test(validate, start) {
    BAD("unknown function 0", S_START, 0);
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 1, I32);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_START, 0);
    SECTION(&w, S_CODE, 1, 4, 0, 0x41, 0, END);
    EXPECT_INVALID(&w, "start function");
}

Test(validate, errors_have_offsets) {
    ONE(S_MEMORY, 2, 0, 1, 1, 2, 1);
    Engine *engine = new_test_engine(NULL, NULL);
    Module *m = NULL;
    Error *error = wr_module_load(engine, w.data, w.size, BYTES_BORROWED, &m);
    u64 offset = 0;
    cr_assert_not_null(error);
    cr_assert(wr_error_offset(error, &offset));
    cr_expect_eq(offset, w.size - 3, "the second memory's");
    wr_error_delete(error);
    wr_engine_unref(engine);
}

/* ---- many bodies on many threads ------------------------------------------------------------ */

/* `count` bodies of `size` bytes each: nops, a block with a branch, end. */
typedef struct Big {
    u8 *data;
    size_t size, first; /* of the first body's first instruction */
    u32 count, stride;
} Big;

static void big_u32(Big *b, u32 value, int width) {
    for (int i = 0; i < width; i++, value >>= 7)
        b->data[b->size++] = (u8)((value & 0x7F) | (i + 1 < width ? 0x80 : 0));
}

static Big big_module(u32 count, u32 nops) {
    Wasm head = wasm_begin();
    SECTION(&head, S_TYPE, 1, 0x60, 0, 0);
    u32 body = nops + 7;
    Big b = {.count = count, .stride = body + 4};
    b.data = malloc(head.size + 64 + (size_t)count * (b.stride + 1));
    cr_assert_not_null(b.data);
    memcpy(b.data, head.data, head.size);
    b.size = head.size;
    b.data[b.size++] = S_FUNC;
    big_u32(&b, count + 4, 4);
    big_u32(&b, count, 4);
    memset(b.data + b.size, 0, count);
    b.size += count;
    b.data[b.size++] = S_CODE;
    big_u32(&b, count * b.stride + 4, 5);
    big_u32(&b, count, 4);
    b.first = b.size + 5;
    for (u32 i = 0; i < count; i++) {
        big_u32(&b, body, 4);
        b.data[b.size++] = 0;
        memset(b.data + b.size, 0x01, nops);
        b.size += nops;
        memcpy(b.data + b.size, (u8[]){0x02, 0x40, 0x0C, 0x00, 0x0B, 0x0B}, 6);
        b.size += 6;
    }
    return b;
}

static Error *load_big(const Big *b, u32 threads, Module **m) {
    wr_config_t *config = wr_config_new();
    wr_config_set_validation_threads(config, threads);
    Engine *engine = NULL;
    cr_assert_null(wr_engine_new(config, &engine));
    Error *error = wr_module_load(engine, b->data, b->size, BYTES_BORROWED, m);
    wr_engine_unref(engine); /* the module holds on to it */
    return error;
}

Test(validate, threads_give_the_same_module) {
    Big b = big_module(600, 900);
    Module *one = NULL, *many = NULL;
    cr_assert_null(load_big(&b, 1, &one));
    cr_assert_null(load_big(&b, 5, &many));
    cr_assert_gt(many->stats.validation_threads, 1u);
    for (u32 i = 0; i < b.count; i++) {
        const Code *x = &one->codes[i], *y = &many->codes[i];
        cr_assert_eq(x->start, y->start);
        cr_assert_eq(x->max_slots, y->max_slots);
        cr_assert_eq(x->nside, 1u);
        cr_assert_eq(y->nside, 1u);
        cr_assert_eq(x->side[0].pc, y->side[0].pc);
    }
    wr_module_unref(one);
    wr_module_unref(many);
    free(b.data);
}

/* Whatever the threads do, the error told is the first in the bytes. */
Test(validate, the_first_error_is_told) {
    Big b = big_module(600, 900);
    const u32 wrong[] = {599, 411, 410, 250, 57, 0};
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        u64 at = b.first + (u64)wrong[i] * b.stride + 3;
        b.data[at] = 0x1A; /* drop: there is nothing to drop */
        for (u32 threads = 1; threads <= 4; threads++) {
            Module *m = NULL;
            u64 offset = 0;
            Error *error = load_big(&b, threads, &m);
            cr_assert_not_null(error);
            cr_assert(wr_error_offset(error, &offset));
            cr_expect_eq(offset, at, "body %u, %u threads", wrong[i], threads);
            wr_error_delete(error);
        }
    }
    free(b.data);
}

/* ---- without memory ------------------------------------------------------------------------- */

/* Something of everything that allocates: side table (far, too), runs, wide functions, regions,
 * catches, locals to be set, a br_table. */
static Wasm greedy_module(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 0, 0, 0x60, 1, I32, 0);
    SECTION(&w, S_FUNC, 3, 0, 0, 0);
    SECTION(&w, S_TAG, 1, 0, 1);
    SECTION(&w, S_GLOBAL, 1, I32, 0, 0x41, 1, 0x41, 2, 0x6A, END);
    SECTION(&w, S_EXPORT, 2, 1, 'b', X_FUNC, 1, 1, 'a', X_FUNC, 0);
    wasm_open(&w, S_CODE);
    BYTES(&w, 3);
    BODY(&w, 3, 2, I32, 1, V128, 1, 0x64, 0x70, 0x20, 2, 0x1A, 0xD2, 1, 0x21, 3, 0x20, 3, 0x1A,
         END);
    BODY(&w, 0, 0x02, 0x40, 0x06, 0x40, 0x06, 0x40, 0x18, 0, 0x07, 0, 0x1A, 0x19, 0x09, 0, END,
         0x1F, 0x40, 1, 2, 0, END, 0x41, 0, 0x0E, 1, 0, 1, END, END);
    BODY(&w, 0, END);
    wasm_close(&w);
    return w;
}

Test(validate, every_allocation_may_fail) {
    Wasm w = greedy_module();
    for (size_t n = 1;; n++) {
        cr_assert_lt(n, 1000u);
        FailAlloc fail = {0};
        Engine *engine = new_test_engine(&fail, NULL);
        Module *m = NULL;
        fail.calls = 0;
        fail.fail_at = n;
        Error *error = wr_module_load(engine, w.data, w.size, BYTES_BORROWED, &m);
        bool ok = error == NULL;
        if (!ok) cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY, "%s", wr_error_message(error));
        wr_error_delete(error);
        if (ok) {
            fail.calls = 0;
            fail.fail_at = 1;
            Arena arena;
            Alloc alloc = wr_alloc_failing(&fail);
            wr_arena_init(&arena, &alloc);
            CodeTypes types;
            cr_expect(!wr_code_types_at(m, &m->codes[1], 10, &arena, &types));
            wr_arena_free(&arena);
            wr_module_unref(m);
        }
        fail.fail_at = 0;
        wr_engine_unref(engine);
        cr_assert_eq(fail.live_bytes, 0, "leak after allocation %zu failed", n);
        if (ok) break;
    }
}

/* ---- hostile input: time and memory in proportion to the bytes ------------------------------ */

static void expect_big(u8 *data, size_t size, const char *message) {
    Engine *engine = new_test_engine(NULL, NULL);
    Module *m = NULL;
    Error *error = wr_module_load(engine, data, size, BYTES_BORROWED, &m);
    const char *text = error == NULL ? "" : wr_error_message(error);
    cr_expect_eq(strncmp(text, message, strlen(message)), 0, "got: %s", text);
    if (*message == 0) cr_expect_eq(*text, 0, "got: %s", text);
    wr_error_delete(error);
    if (m != NULL) wr_module_unref(m);
    wr_engine_unref(engine);
    free(data);
}

/* One body of type 0, [] -> [], made of `n` times `unit`, between `before` and `after`. */
static u8 *one_body(const Wasm *head, const char *before, const char *unit, u32 n,
                    const char *after, size_t *size) {
    size_t body = 1 + strlen(before) + strlen(unit) * n + strlen(after);
    Big b = {.size = head->size};
    b.data = malloc(head->size + body + 32);
    cr_assert_not_null(b.data);
    memcpy(b.data, head->data, head->size);
    b.data[b.size++] = S_CODE;
    big_u32(&b, (u32)body + 6, 5);
    big_u32(&b, 1, 1);
    big_u32(&b, (u32)body, 5);
    b.data[b.size++] = 0;
    memcpy(b.data + b.size, before, strlen(before));
    b.size += strlen(before);
    for (u32 i = 0; i < n; i++, b.size += strlen(unit)) memcpy(b.data + b.size, unit, strlen(unit));
    memcpy(b.data + b.size, after, strlen(after));
    *size = b.size + strlen(after);
    return b.data;
}

/* Types 0 [] -> [], 1 [i32 * 900] -> [i32 * 900], 2 [] -> [i32 * 900], 3 [i32 * 900] -> []. */
static Wasm wide_types(void) {
    Wasm w = wasm_begin();
    wasm_open(&w, S_TYPE);
    BYTES(&w, 4, 0x60, 0, 0);
    for (int i = 1; i < 4; i++) {
        BYTES(&w, 0x60);
        for (int part = 0; part < 2; part++) {
            bool full = i == 1 || (i == 2) == part;
            wasm_u32(&w, full ? 900 : 0);
            for (int k = 0; full && k < 900; k++) BYTES(&w, I32);
        }
    }
    wasm_close(&w);
    SECTION(&w, S_FUNC, 1, 0);
    return w;
}

Test(validate, deep_nesting, .timeout = 100) {
    Wasm head = wide_types();
    size_t size;
    u8 *data = one_body(&head, "", "\x02\x40", 300000, "\x0B", &size);
    expect_big(data, size, "unexpected end of section or function");
    data = one_body(&head, "", "\x02\x40", 1000001, "\x0B", &size);
    expect_big(data, size, "too many nested blocks");
}

Test(validate, wide_blocks, .timeout = 100) {
    Wasm head = wide_types();
    size_t size; /* block with 900 parameters and results, again and again */
    u8 *data =
        one_body(&head, "\x02\x02\x0C\x01\x0B", "\x02\x01\x0B", 200000, "\x0C\x01\x0B", &size);
    expect_big(data, size, "unknown label 1");
}

Test(validate, wide_tables, .timeout = 100) {
    Wasm head = wide_types(); /* a table of 2 MB of labels that take 900 operands */
    size_t size;
    u8 *data = one_body(&head, "\x02\x02\x02\x02\x02\x02\x0C\x03\x0B\x41\x01\x0E\x80\x80\x80\x01",
                        "\x01", 0x200000, "\x01\x0B\x0B\x0B", &size);
    expect_big(data, size, "type mismatch: block requires [");
}

Test(validate, operands_are_limited, .timeout = 100) {
    Wasm head = wide_types();
    size_t size; /* dead blocks that leave 900 operands each */
    u8 *data = one_body(&head, "", "\x02\x02\x0C\x01\x0B", 2000, "\x0B", &size);
    data[size - 2] = 0x0B;
    expect_big(data, size, "too many operands");
}
