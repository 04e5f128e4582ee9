/* Modules as a whole: loading, owners, exports, names. */
#include "module_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "os.h"

static Wasm small_module(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 0, 0, 0x60, 1, I32, 1, I32);
    wasm_open(&w, S_IMPORT);
    wasm_u32(&w, 1);
    wasm_import(&w, "m", "f", X_FUNC);
    BYTES(&w, 0);
    wasm_close(&w);
    SECTION(&w, S_FUNC, 3, 1, 1, 0);
    wasm_open(&w, S_EXPORT);
    wasm_u32(&w, 3);
    wasm_export(&w, "zero", X_FUNC, 0);
    wasm_export(&w, "one", X_FUNC, 1);
    wasm_export(&w, "uno", X_FUNC, 1);
    wasm_close(&w);
    SECTION(&w, S_CODE, 3, 4, 0, LOCAL_GET, 0, END, 11, 0, 0x02, 0x7F, LOCAL_GET, 0, LOCAL_GET, 0,
            0x0D, 0, END, END, 2, 0, END);
    return w;
}

/* A subsection of the name section, given its contents. */
static void add_names(Wasm *w, u8 id, const char *bytes, size_t size) {
    BYTES(w, id);
    wasm_sized(w, bytes, size);
}
#define NAMES(w, id, text) add_names(w, id, text, sizeof(text) - 1)

static Wasm named_module(void) {
    Wasm w = small_module();
    wasm_open(&w, 0);
    wasm_name(&w, "name");
    NAMES(&w, 0, "\3mod");
    NAMES(&w, 1, "\2\1\5first\2\6second");
    NAMES(&w, 2, "\2\1\1\0\1x\2\2\0\1a\1\1b");
    wasm_close(&w);
    return w;
}

Test(module, keeps_its_engine_and_counts) {
    Wasm w = small_module();
    FailAlloc state = {0};
    Engine *engine = new_test_engine(&state, NULL);
    Module *m = load_module(engine, &w);
    wr_engine_unref(engine);
    cr_assert_eq(wr_module_ref(m), m);
    wr_module_unref(m);
    cr_assert(m->stats.functions == 3 && m->stats.module_bytes == w.size);
    cr_assert_eq(m->stats.code_bytes, 17u);
    cr_assert_gt(m->stats.side_table_bytes, 0u);
    wr_module_unref(m);
    wr_module_unref(NULL);
    cr_assert_eq(state.live_bytes, 0);
}

Test(module, owns_copied_bytes_whatever_happens) {
    for (int broken = 0; broken < 2; broken++) {
        Wasm w = small_module();
        w.data[4] += (u8)broken;
        FailAlloc state = {0};
        Engine *engine = new_test_engine(&state, NULL);
        u8 *bytes = wr_alloc(&engine->alloc, w.size);
        memcpy(bytes, w.data, w.size);
        Module *m = NULL;
        Error *error = wr_module_load(engine, bytes, w.size, BYTES_COPIED, &m);
        cr_assert_eq(error != NULL, broken);
        wr_error_delete(error);
        wr_module_unref(m);
        wr_engine_unref(engine);
        cr_assert_eq(state.live_bytes, 0);
    }
}

Test(module, no_bytes_are_no_module) {
    Engine *engine = new_test_engine(NULL, NULL);
    Module *m = NULL;
    Error *error = wr_module_load(engine, NULL, 0, BYTES_COPIED, &m);
    cr_assert_str_eq(wr_error_message(error), "unexpected end of section or function");
    wr_error_delete(error);
    wr_engine_unref(engine);
}

Test(module, every_failed_allocation_is_survived) {
    Wasm w = named_module();
    for (size_t nth = 1;; nth++) {
        FailAlloc state = {0};
        Engine *engine = new_test_engine(&state, NULL);
        state.calls = 0;
        state.fail_at = nth;
        Module *m = NULL;
        Error *error = wr_module_load(engine, w.data, w.size, BYTES_BORROWED, &m);
        if (error == NULL) { /* names may be missing, then, but come when there is memory */
            (void)wr_module_local_name(m, 1, 0);
            state.fail_at = 0;
            cr_assert_eq(wr_module_local_name(m, 1, 0).size, 1u);
        } else {
            cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
        }
        bool is_done = state.calls < nth;
        wr_error_delete(error);
        wr_module_unref(m);
        wr_engine_unref(engine);
        cr_assert_eq(state.live_bytes, 0, "allocation %zu", nth);
        if (is_done) break;
        cr_assert_lt(nth, 1000u);
    }
}

/* ---- exports ---- */

Test(module, exports_are_found) {
    enum { N = 500 };
    static Wasm w;
    w = wasm_begin();
    SECTION(&w, S_MEMORY, 1, 0, 0);
    wasm_open(&w, S_EXPORT);
    wasm_u32(&w, N);
    for (int i = 0; i < N; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%0*d", i % 7 + 1, i);
        wasm_export(&w, name, X_MEMORY, 0);
    }
    wasm_close(&w);
    Engine *engine = new_test_engine(NULL, NULL);
    Module *m = load_module(engine, &w);
    for (int i = 0; i < N; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%0*d", i % 7 + 1, i);
        cr_assert_eq(wr_module_find_export(m, name, strlen(name)), &m->exports[i], "%s", name);
    }
    cr_assert_null(wr_module_find_export(m, "nothing", 7));
    cr_assert_null(wr_module_find_export(m, "", 0));
    cr_assert_null(wr_module_find_export(m, "0", SIZE_MAX));
    wr_module_unref(m);
    wr_engine_unref(engine);
}

Test(module, duplicate_exports_are_invalid) {
    Wasm w = wasm_begin();
    SECTION(&w, S_MEMORY, 1, 0, 0);
    SECTION(&w, S_EXPORT, 3, 1, 'a', 2, 0, 1, 'b', 2, 0, 1, 'a', 2, 0);
    EXPECT_INVALID(&w, "duplicate export name");
}

/* ---- names ---- */

static void expect_name(Name name, const char *expected) {
    if (expected == NULL) {
        cr_assert_null(name.data);
        return;
    }
    cr_assert_eq(name.size, strlen(expected), "%s", expected);
    cr_assert_eq(memcmp(name.data, expected, name.size), 0, "%s", expected);
}

Test(module, names_come_from_the_section_then_from_exports) {
    Wasm w = named_module();
    Engine *engine = new_test_engine(NULL, NULL);
    Module *m = load_module(engine, &w);
    expect_name(wr_module_own_name(m), "mod");
    expect_name(wr_module_func_name(m, 0), "zero");
    expect_name(wr_module_func_name(m, 1), "first");
    expect_name(wr_module_func_name(m, 2), "second");
    expect_name(wr_module_func_name(m, 3), NULL);
    expect_name(wr_module_func_name(m, 4), NULL);
    expect_name(wr_module_local_name(m, 1, 0), "x");
    expect_name(wr_module_local_name(m, 2, 0), "a");
    expect_name(wr_module_local_name(m, 2, 1), "b");
    expect_name(wr_module_local_name(m, 2, 2), NULL);
    expect_name(wr_module_local_name(m, 0, 0), NULL);
    wr_module_unref(m);
    wr_engine_unref(engine);
}

Test(module, malformed_names_do_no_harm) {
    Engine *engine = new_test_engine(NULL, NULL);
    Wasm whole = named_module();
    size_t start = small_module().size + 6 + 5; /* where the subsections begin */
    for (size_t at = start; at < whole.size; at++) {
        static const u8 values[] = {0, 1, 0x7F, 0x80, 0xFF};
        for (size_t v = 0; v < sizeof values; v++) {
            Wasm w = whole;
            w.data[at] = values[v];
            Module *m = load_module(engine, &w);
            (void)wr_module_own_name(m);
            for (u32 f = 0; f < 4; f++)
                for (u32 l = 0; l < 3; l++) (void)wr_module_local_name(m, f, l);
            wr_module_unref(m);
        }
    }
    Wasm w = small_module();
    wasm_open(&w, 0);
    wasm_name(&w, "name");
    NAMES(&w, 1, "\2\1\5first\2\1\xFF");
    wasm_close(&w);
    Module *m = load_module(engine, &w);
    expect_name(wr_module_func_name(m, 1), "first");
    expect_name(wr_module_func_name(m, 2), NULL);
    wr_module_unref(m);
    wr_engine_unref(engine);
}

static void look_up_names(void *context) {
    const Module *m = context;
    expect_name(wr_module_func_name(m, 1), "first");
    expect_name(wr_module_local_name(m, 2, 1), "b");
    expect_name(wr_module_own_name(m), "mod");
}

Test(module, threads_may_ask_for_names) {
    Wasm w = named_module();
    Engine *engine = new_test_engine(NULL, NULL);
    for (int round = 0; round < 50; round++) {
        Module *m = load_module(engine, &w);
        OsThread *threads[3];
        for (int i = 0; i < 3; i++) threads[i] = wr_os_thread_start(look_up_names, m);
        for (int i = 0; i < 3; i++) wr_os_thread_join(threads[i]);
        wr_module_unref(m);
    }
    wr_engine_unref(engine);
}
