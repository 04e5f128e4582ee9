/* Sections into modules: what is kept, what is malformed, what a feature turned off forbids. */
#include "decode.h"
#include "module_support.h"

#define LOAD(w) load_module(engine, w)

/* A module with something of everything. */
static Wasm everything(void) {
    Wasm w = wasm_begin();
    SECTION(&w, 0, 2, 'c', '0', 1, 2, 3);
    SECTION(&w, S_TYPE, 4, 0x60, 2, I32, I64, 1, F32, /* 0 */
            0x4E, 2, 0x50, 0, 0x5F, 2, 0x78, 1, 0x63, 2,
            0, /* 1: (sub (struct (mut i8) (ref null 2))) */
            0x4F, 1, 1, 0x5F, 3, 0x78, 1, 0x63, 2, 0, I32,
            0,             /* 2: (sub final 1 (struct ... i32)) */
            0x5E, 0x77, 1, /* 3: (array (mut i16)) */
            0x60, 0, 0);   /* 4 */
    wasm_open(&w, S_IMPORT);
    wasm_u32(&w, 5);
    wasm_import(&w, "m", "f", X_FUNC);
    BYTES(&w, 0);
    wasm_import(&w, "m", "t", X_TABLE);
    BYTES(&w, EXTERNREF, 0, 1);
    wasm_import(&w, "m", "mem", X_MEMORY);
    BYTES(&w, 1, 1, 2);
    wasm_import(&w, "m", "g", X_GLOBAL);
    BYTES(&w, I32, 0);
    wasm_import(&w, "m", "tag", X_TAG);
    BYTES(&w, 0, 4);
    wasm_close(&w);
    SECTION(&w, S_FUNC, 3, 4, 4, 4);
    SECTION(&w, S_TABLE, 3, FUNCREF, 1, 2, 3, 0x40, 0, 0x64, 0x70, 0, 1, 0xD2, 1,
            END, /* ref.func 1 */
            FUNCREF, 5, 1, 2);
    SECTION(&w, S_MEMORY, 3, 0, 1, 3, 1, 1, 0x0C, 2, 0);
    SECTION(&w, S_TAG, 1, 0, 4);
    SECTION(&w, S_GLOBAL, 2, I32, 1, I32_CONST, 7, END, 0x64, 3, 0, I32_CONST, 1, 0xFB, 7, 3, END);
    wasm_open(&w, S_EXPORT);
    wasm_u32(&w, 3);
    wasm_export(&w, "run", X_FUNC, 2);
    wasm_export(&w, "memory", X_MEMORY, 0);
    wasm_export(&w, "", X_TAG, 1);
    wasm_close(&w);
    SECTION(&w, S_START, 1);
    SECTION(&w, S_ELEM, 8, 0, I32_CONST + 0, 0, END, 1,
            1, /* active, functions: table 0 is externref */
            1, 0, 2, 1, 3, 2, 1, I32_CONST, 0, END, 0, 1, 1, 3, 0, 1, 3,           /* 1 2 3 */
            4, I32_CONST, 0, END, 1, 0xD2, 1, END, 5, FUNCREF, 1, 0xD0, 0x70, END, /* 4 5 */
            6, 1, I32_CONST, 1, END, FUNCREF, 0, 7, 0x6B, 0);                      /* 6 7 */
    SECTION(&w, S_DATA_COUNT, 3);
    SECTION(&w, S_CODE, 3, 2, 0, END, 4, 1, 2, I32, END, 2, 0, END);
    SECTION(&w, S_DATA, 3, 0, I32_CONST, 1, END, 2, 'a', 'b', 1, 1, 'c', 2, 1, I32_CONST, 0, END,
            0);
    SECTION(&w, 0, 4, 'n', 'a', 'm', 'e');
    return w;
}

/* The decoder alone: table 0 of `everything` does not fit its first segment. */
typedef struct Decoded {
    Engine *engine;
    Module module;
} Decoded;

static void begin(Decoded *d, FailAlloc *fail, const Wasm *w) {
    memset(&d->module, 0, sizeof d->module);
    d->engine = new_test_engine(fail, NULL);
    d->module.engine = d->engine;
    d->module.bytes = w->data;
    d->module.size = w->size;
    d->module.features = d->engine->config.features;
    wr_arena_init(&d->module.arena, &d->engine->alloc);
}

static void finish(Decoded *d) {
    for (u32 i = 0; i < d->module.ngroups; i++)
        wr_types_release(d->engine->types, d->module.groups[i]);
    wr_arena_free(&d->module.arena);
    wr_engine_unref(d->engine);
}

static void check_everything(const Module *m);

Test(decode, everything) {
    static Wasm w;
    w = everything();
    Decoded d;
    begin(&d, NULL, &w);
    Error *error = wr_decode_module(&d.module);
    cr_assert_null(error, "%s", error == NULL ? "" : wr_error_message(error));
    check_everything(&d.module);
    finish(&d);
}

static void check_types(const Module *m) {
    cr_assert(m->ntypes == 5 && m->ngroups == 4);
    cr_assert(m->types[0]->nparams == 2 && m->types[0]->nresults == 1 && m->types[0]->final);
    cr_assert(m->types[1]->comp == COMP_STRUCT && !m->types[1]->final);
    cr_assert(m->types[1]->fields[0].type == (ValType)VK_I8 && m->types[1]->fields[0].mutable);
    cr_assert_eq(m->types[1]->fields[1].type, T_REF(HEAP_DEFINED + m->types[2]->id, 1));
    cr_assert(m->types[2]->super == m->types[1] && m->types[2]->final && m->types[2]->nfields == 3);
    cr_assert(m->types[3]->comp == COMP_ARRAY && m->types[3]->fields[0].type == (ValType)VK_I16);
}

static void check_spaces(const Module *m) {
    cr_assert(m->nfuncs == 4 && m->nimported_funcs == 1 && m->funcs[0].type == m->types[0]);
    cr_assert(m->ntables == 4 && m->nimported_tables == 1 && m->tables[0].type == T_EXTERNREF);
    cr_assert(m->tables[1].limits.max == 3 && !m->tables[1].has_init && m->tables[3].limits.is_64);
    cr_assert(m->tables[2].has_init && m->tables[2].init.size == 3);
    cr_assert_eq(m->bytes[m->tables[2].init.offset], 0xD2);
    cr_assert(m->nmemories == 4 && m->memories[0].limits.has_max && m->memories[0].limits.max == 2);
    cr_assert(m->memories[1].limits.max == UINT64_MAX && m->memories[1].page_size_log2 == 16);
    cr_assert(m->memories[2].limits.is_shared && m->memories[3].limits.is_64);
    cr_assert_eq(m->memories[3].page_size_log2, 0);
    cr_assert(m->nglobals == 3 && !m->globals[0].mutable && m->globals[1].mutable);
    cr_assert(m->globals[2].type == T_REF(HEAP_DEFINED + m->types[3]->id, 0));
    cr_assert(m->ntags == 2 && m->tags[1].type == m->types[4] && m->tags[1].type_index == 4);
    cr_assert(m->nimports == 5 && m->imports[2].kind == EXT_MEMORY && m->imports[4].index == 0);
    cr_assert_eq(m->imports[2].name.size, 3u);
    cr_assert(m->funcs[1].declared && m->funcs[2].declared && m->funcs[3].declared);
    cr_assert_not(m->funcs[0].declared);
}

static void check_segments(const Module *m) {
    static const SegMode modes[] = {SEG_ACTIVE, SEG_PASSIVE, SEG_ACTIVE, SEG_DECLARATIVE,
                                    SEG_ACTIVE, SEG_PASSIVE, SEG_ACTIVE, SEG_DECLARATIVE};
    static const u32 counts[] = {1, 2, 1, 1, 1, 1, 0, 0};
    cr_assert_eq(m->nelems, 8u);
    for (u32 i = 0; i < 8; i++) {
        cr_assert(m->elems[i].mode == modes[i] && m->elems[i].count == counts[i], "%u", i);
        cr_assert_eq(m->elems[i].is_expr, i >= 4);
    }
    cr_assert(m->elems[1].funcs[1] == 3 && m->elems[2].table == 1 && m->elems[6].table == 1);
    cr_assert(m->elems[3].type == T_REF(HEAP_FUNC, 0) && m->elems[4].type == T_FUNCREF);
    cr_assert(m->elems[7].type == T_REF(HEAP_STRUCT, 1) && m->elems[5].exprs[0].size == 3);
    cr_assert(m->ndatas == 3 && m->has_data_count && m->data_count == 3);
    cr_assert(m->datas[0].size == 2 && m->bytes[data_contents(&m->datas[0])] == 'a');
    cr_assert(m->datas[1].mode == SEG_PASSIVE && m->datas[2].memory == 1 && m->datas[2].size == 0);
}

static void check_everything(const Module *m) {
    check_types(m);
    check_spaces(m);
    check_segments(m);
    cr_assert(m->start == 1 && m->nexports == 3 && m->exports[0].index == 2);
    cr_assert(m->ncodes == 3 && m->codes[1].func_index == 2);
    cr_assert_eq(m->codes[1].end - m->codes[1].start, 4);
    cr_assert(m->ncustoms == 2 && m->customs[0].size == 3 && m->customs[0].after == 0);
    cr_assert(m->customs[1].size == 0 && m->customs[1].after == S_DATA);
    cr_assert_eq(m->bytes[m->customs[0].offset], 1);
}

Test(decode, every_failed_allocation_is_survived) {
    static Wasm w;
    w = everything();
    for (size_t nth = 1;; nth++) {
        FailAlloc state = {0};
        Decoded d;
        begin(&d, &state, &w);
        state.calls = 0;
        state.fail_at = nth;
        Error *error = wr_decode_module(&d.module);
        state.fail_at = 0;
        bool is_done = error == NULL;
        if (!is_done) cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
        wr_error_delete(error);
        finish(&d);
        cr_assert_eq(state.live_bytes, 0, "allocation %zu", nth);
        if (is_done) break;
        cr_assert_lt(nth, 1000u);
    }
}

Test(decode, every_truncation_is_malformed_or_a_module) {
    static Wasm w, cut;
    w = everything();
    Engine *engine = new_test_engine(NULL, NULL);
    for (size_t size = 0; size < w.size; size++) {
        cut = w;
        cut.size = size;
        Module *m = NULL;
        Error *error = wr_module_load(engine, cut.data, size, BYTES_BORROWED, &m);
        cr_assert_eq(error == NULL, m != NULL);
        wr_error_delete(error);
        wr_module_unref(m);
    }
    wr_engine_unref(engine);
}

/* ---- errors ---- */

Test(decode, headers) {
    Wasm w = {.size = 0};
    EXPECT_MALFORMED(&w, "unexpected end");
    w = wasm_begin();
    w.size = 3;
    EXPECT_MALFORMED(&w, "unexpected end");
    w.size = 8;
    w.data[3] = 'n';
    EXPECT_MALFORMED(&w, "magic header not detected");
    w = wasm_begin();
    w.size = 6;
    EXPECT_MALFORMED(&w, "unexpected end");
    w.size = 8;
    w.data[6] = 1;
    EXPECT_MALFORMED(&w, "unknown binary version");
}

/* A module that is one section, or several in the bytes given. */
static void expect_section(wr_error_kind_t kind, const char *off, const char *message, u8 id,
                           const u8 *bytes, size_t size) {
    Wasm w = wasm_begin();
    if (id != S_TYPE) SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    wasm_section(&w, id, bytes, size);
    expect_error(&w, off, kind, message);
}
#define MALFORMED(message, id, ...)                                                                \
    expect_section(WR_ERROR_MALFORMED, NULL, message, id, BYTES_OF(__VA_ARGS__))
#define INVALID(message, id, ...)                                                                  \
    expect_section(WR_ERROR_INVALID, NULL, message, id, BYTES_OF(__VA_ARGS__))

Test(decode, sections) {
    Wasm w = wasm_begin();
    BYTES(&w, 14, 1, 0);
    EXPECT_MALFORMED(&w, "malformed section id");
    w = wasm_begin();
    BYTES(&w, 1, 5, 0);
    EXPECT_MALFORMED(&w, "length out of bounds");
    MALFORMED("section size mismatch", S_TYPE, 0, 0);
    MALFORMED("unexpected end of section or function", S_TYPE, 1);
    MALFORMED("unexpected end of section or function", 0, 2, 'a');
    MALFORMED("length out of bounds", 0, 5, 'a');
    MALFORMED("malformed UTF-8 encoding", 0, 1, 0xFF);
    static const u8 order[] = {1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11};
    for (size_t i = 0; i < sizeof order; i++) {
        for (size_t k = 0; k <= i; k++) {
            if (order[i] == S_START || order[i] == S_CODE || order[i] == S_DATA_COUNT) continue;
            w = wasm_begin();
            SECTION(&w, order[i], 0);
            SECTION(&w, order[k], 0);
            EXPECT_MALFORMED(&w, "unexpected content after last section");
        }
    }
}

Test(decode, types) {
    MALFORMED("malformed definition type", S_TYPE, 1, 0x61);
    MALFORMED("integer representation too long", S_TYPE, 1, 0xE0, 0x7F, 0, 0);
    MALFORMED("malformed reference type", S_TYPE, 1, 0x60, 1, 0x20, 0);
    MALFORMED("malformed storage type", S_TYPE, 1, 0x5F, 1, 0x40, 0);
    MALFORMED("malformed mutability", S_TYPE, 1, 0x5E, 0x78, 2);
    MALFORMED("malformed heap type", S_TYPE, 1, 0x60, 1, 0x64, 0x60, 0);
    INVALID("unknown type 1", S_TYPE, 1, 0x60, 1, 0x64, 1, 0);
    INVALID("sub type 0: forward use of type 0", S_TYPE, 1, 0x50, 1, 0, 0x60, 0, 0);
    INVALID("sub type 1 has final super type", S_TYPE, 2, 0x60, 0, 0, 0x50, 1, 0, 0x60, 0, 0);
    INVALID("sub type has more than one super type", S_TYPE, 2, 0x50, 0, 0x60, 0, 0, 0x50, 2, 0, 0,
            0x60, 0, 0);
    INVALID("too many parameters", S_TYPE, 1, 0x60, 0xE9, 0x07, [2000] = 0);
}

/* (rec (type (descriptor 1) (struct)) (type (describes 0) (struct))), and what is wrong with others. */
Test(decode, descriptors) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 0, 0, 0x4E, 2, 0x4D, 2, 0x5F, 0, 0x4C, 1, 0x5F, 0);
    SECTION(&w, S_IMPORT, 2, 0, 0, 0x20, 0, 0, 0, 0, 0);
    Engine *engine = new_test_engine(NULL, NULL);
    Module *m = LOAD(&w);
    cr_assert(m->types[1]->descriptor == m->types[2] && m->types[2]->describes == m->types[1]);
    cr_assert(m->types[1]->describes == NULL && m->types[2]->descriptor == NULL);
    cr_assert(m->nimported_funcs == 2 && m->funcs[0].exact && !m->funcs[1].exact);
    wr_module_unref(m);
    wr_engine_unref(engine);
    INVALID("descriptor type is outside rec group", S_TYPE, 1, 0x4D, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F,
            0x5F, 0);
    INVALID("described type is outside rec group", S_TYPE, 2, 0x5F, 0, 0x4C, 0, 0x5F, 0);
    INVALID("forward use of described type", S_TYPE, 1, 0x4C, 0, 0x4D, 0, 0x5F, 0);
    INVALID("type is not described by its descriptor", S_TYPE, 1, 0x4E, 2, 0x4D, 1, 0x5F, 0, 0x5F,
            0);
    INVALID("described type is not described by descriptor", S_TYPE, 1, 0x4E, 3, 0x4D, 1, 0x5F, 0,
            0x4C, 0, 0x5F, 0, 0x4C, 0, 0x5F, 0);
    MALFORMED("malformed definition type", S_TYPE, 1, 0x4D, 0, 0x4C, 0, 0x5F, 0);
    MALFORMED("malformed definition type", S_TYPE, 1, 0x4C, 0, 0x50, 0, 0x5F, 0);
    MALFORMED("unexpected end", S_TYPE, 1, 0x4D);
}

/* Exact types have u32 indices: 98 is 0x62, which is also the prefix. It is a structure's, and then the
 * function type's own. */
Test(decode, exact_types) {
    for (u32 count = 98; count <= 99; count++) {
        Wasm w = wasm_begin();
        wasm_open(&w, S_TYPE);
        wasm_u32(&w, count + 1);
        for (u32 i = 0; i < count; i++) BYTES(&w, 0x5F, 0);
        BYTES(&w, 0x60, 1, 0x63, 0x62, 0x62, 0);
        wasm_close(&w);
        SECTION(&w, S_GLOBAL, 1, 0x63, 0x62, 0x62, 0, 0xD0, 0x62, 0x62, END);
        Engine *engine = new_test_engine(NULL, NULL);
        Module *m = LOAD(&w);
        ValType exact = T_REF((HEAP_DEFINED + m->types[98]->id) | HEAP_EXACT, 1);
        cr_assert(m->globals[0].type == exact && m->types[count]->types[0] == exact);
        wr_module_unref(m);
        wr_engine_unref(engine);
    }
    MALFORMED("malformed type index", S_TYPE, 1, 0x60, 1, 0x63, 0x62, 0x62, 0, 0);
    MALFORMED("malformed storage type", S_TYPE, 1, 0x5F, 1, 0x63, 0x62, 0x6E, 0);
    MALFORMED("malformed reference type", S_TYPE, 1, 0x60, 1, 0x62, 0, 0);
    INVALID("unknown type 9", S_TYPE, 1, 0x60, 1, 0x63, 0x62, 9, 0);
    INVALID("unknown type 200", S_TYPE, 1, 0x60, 1, 0x63, 0x62, 0xC8, 1, 0);
}

Test(decode, supertypes_nest_to_a_limit) {
    for (u32 depth = LIMIT_SUBTYPE_DEPTH; depth <= LIMIT_SUBTYPE_DEPTH + 1; depth++) {
        Wasm w = wasm_begin();
        wasm_open(&w, S_TYPE);
        wasm_u32(&w, depth + 1);
        BYTES(&w, 0x50, 0, 0x5F, 0);
        for (u32 i = 0; i < depth; i++) {
            BYTES(&w, 0x50, 1);
            wasm_u32(&w, i);
            BYTES(&w, 0x5F, 0);
        }
        wasm_close(&w);
        if (depth > LIMIT_SUBTYPE_DEPTH) {
            EXPECT_INVALID(&w, "sub type 64 nests too deep");
            continue;
        }
        Engine *engine = new_test_engine(NULL, NULL);
        Module *m = LOAD(&w);
        cr_assert_eq(m->types[depth]->depth, depth);
        wr_module_unref(m);
        wr_engine_unref(engine);
    }
}

Test(decode, limits_and_kinds) {
    MALFORMED("malformed limits flags", S_TABLE, 1, FUNCREF, 8, 0, 0);
    MALFORMED("malformed limits flags", S_TABLE, 1, FUNCREF, 3, 0, 0);
    MALFORMED("malformed limits flags", S_MEMORY, 1, 0x10, 0);
    MALFORMED("malformed limits flags", S_MEMORY, 1, 8);
    MALFORMED("invalid custom page size", S_MEMORY, 1, 8, 0, 64);
    MALFORMED("malformed mutability", S_GLOBAL, 1, I32, 2, I32_CONST, 0, END);
    MALFORMED("malformed import kind", S_IMPORT, 1, 0, 0, 5, 0);
    MALFORMED("malformed export kind", S_EXPORT, 1, 0, 5, 0);
    MALFORMED("zero byte expected", S_TAG, 1, 1, 0);
    MALFORMED("malformed elements segment kind", S_ELEM, 1, 8);
    MALFORMED("malformed element kind", S_ELEM, 1, 1, 1, 0);
    MALFORMED("malformed reference type", S_ELEM, 1, 5, I32, 0);
    MALFORMED("malformed data segment kind", S_DATA, 1, 3);
    INVALID("unknown type 1", S_FUNC, 1, 1);
    INVALID("unknown type 9", S_TAG, 1, 0, 9);
}

Test(decode, counts) {
    MALFORMED("length out of bounds", S_FUNC, 0x7F);
    MALFORMED("length out of bounds", S_EXPORT, 2, 0, 0, 0);
    MALFORMED("function and code section have inconsistent lengths", S_FUNC, 1, 0);
    MALFORMED("function and code section have inconsistent lengths", S_CODE, 1, 2, 0, END);
    MALFORMED("data count and data section have inconsistent lengths", S_DATA_COUNT, 1);
    Wasm w = wasm_begin();
    SECTION(&w, S_DATA_COUNT, 0);
    SECTION(&w, S_DATA, 1, 1, 0);
    EXPECT_MALFORMED(&w, "data count and data section have inconsistent lengths");
    MALFORMED("length out of bounds", S_ELEM, 1, 1, 0, 0x7F);
    MALFORMED("length out of bounds", S_DATA, 1, 1, 0x7F, 0);
}

Test(decode, constant_expressions) {
    MALFORMED("unexpected end of section or function", S_GLOBAL, 1, I32, 0, I32_CONST, 0);
    MALFORMED("unexpected end of section or function", S_GLOBAL, 1, I32, 0, 0x02, 0x40, END);
    MALFORMED("illegal opcode ff", S_GLOBAL, 1, I32, 0, 0xFF, END);
    INVALID("constant expression required", S_GLOBAL, 1, I32, 0, 0x02, 0x7F, I32_CONST, 0, END,
            END);
}

Test(decode, the_first_malformed_place_counts) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_CODE, 1, 3, 0, 0xFF, END);
    BYTES(&w, 99);
    EXPECT_MALFORMED(&w, "illegal opcode ff");
}

/* ---- features ---- */

#define WITHOUT(feature, kind, message, id, ...)                                                   \
    expect_section(kind, feature, message, id, BYTES_OF(__VA_ARGS__))

Test(decode, features_turned_off_are_named) {
    const wr_error_kind_t bad = WR_ERROR_MALFORMED, invalid = WR_ERROR_INVALID;
    WITHOUT("gc", bad, "malformed definition type: the gc feature is disabled", S_TYPE, 1, 0x5F, 0);
    WITHOUT("gc", bad, "malformed definition type: the gc", S_TYPE, 1, 0x4E, 0);
    WITHOUT("gc", bad, "malformed reference type: the gc", S_TYPE, 1, 0x60, 1, 0x6E, 0);
    WITHOUT("simd", bad, "malformed value type: the simd", S_TYPE, 1, 0x60, 1, V128, 0);
    WITHOUT("multi-value", invalid, "invalid result arity: the multi-value", S_TYPE, 1, 0x60, 0, 2,
            I32, I32);
    WITHOUT("reference-types", bad, "malformed reference type: the reference-types", S_TYPE, 1,
            0x60, 1, EXTERNREF, 0);
    WITHOUT("reference-types", invalid, "multiple tables: the reference-types", S_TABLE, 2, FUNCREF,
            0, 0, FUNCREF, 0, 0);
    WITHOUT("function-references", bad, "malformed reference type: the function-references", S_TYPE,
            1, 0x60, 1, 0x64, 0x70, 0);
    WITHOUT("exceptions", bad, "malformed reference type: the exceptions", S_TYPE, 1, 0x60, 1, 0x69,
            0);
    WITHOUT("memory64", bad, "malformed limits flags: the memory64", S_MEMORY, 1, 4, 0);
    WITHOUT("threads", bad, "malformed limits flags: the threads", S_MEMORY, 1, 3, 0, 1);
    WITHOUT("custom-page-sizes", bad, "malformed limits flags: the custom-page-sizes", S_MEMORY, 1,
            8, 0, 0);
    WITHOUT("multi-memory", invalid, "multiple memories: the multi-memory", S_MEMORY, 2, 0, 0, 0,
            0);
    WITHOUT("bulk-memory", bad, "malformed data segment kind: the bulk-memory", S_DATA, 1, 1, 0);
    WITHOUT("bulk-memory", bad, "malformed section id: the bulk-memory", S_DATA_COUNT, 0);
    WITHOUT("custom-descriptors", bad, "malformed definition type: the custom-descriptors", S_TYPE,
            1, 0x4D, 0, 0x5F, 0);
    WITHOUT("custom-descriptors", bad, "malformed heap type: the custom-descriptors", S_TYPE, 1,
            0x60, 1, 0x64, 0x62, 0, 0);
    WITHOUT("custom-descriptors", bad, "malformed import kind: the custom-descriptors", S_IMPORT, 1,
            0, 0, 0x20, 0);
    WITHOUT("mutable-globals", invalid, "mutable globals cannot be imported: the mutable-globals",
            S_IMPORT, 1, 0, 0, X_GLOBAL, I32, 1);
}
