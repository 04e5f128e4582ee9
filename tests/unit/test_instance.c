/* Instantiation: initial values, segments, start, what failures leave behind. */
#include "embed_support.h"
#include "store.h"

/* ---- constant expressions ------------------------------------------------------------------- */

/* One global of `type` with that initial value, exported as "g". */
static wr_val_t global_value(u8 type, const void *init, size_t size) {
    Bench b = bench_new(NULL);
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    SECTION(&w, S_FUNC, 2, 0, 0);
    wasm_open(&w, S_GLOBAL);
    BYTES(&w, 1, type, 0);
    wasm_bytes(&w, init, size);
    wasm_close(&w);
    SECTION(&w, S_EXPORT, 2, 1, 'g', X_GLOBAL, 0, 1, 'f', X_FUNC, 1);
    SECTION(&w, S_CODE, 2, 2, 0, END, 2, 0, END);
    wr_instance_t *instance = instantiate(&b, &w);
    wr_val_t value;
    wr_global_get(wr_instance_global(instance, "g"), &value);
    if (value.kind == WR_FUNCREF && value.of.ref != 0) {
        value.of.ref = b.store->funcs[value.of.ref] == wr_instance_func(instance, "f") ? 1 : 2;
    }
    bench_delete(&b);
    return value;
}

#define GLOBAL(type, ...) global_value(type, BYTES_OF(__VA_ARGS__))

Test(instance, constants) {
    cr_assert_eq(GLOBAL(I32, I32_CONST, 0x7F, END).of.i32, -1);
    cr_assert_eq(GLOBAL(I64, I64_CONST, 0x80, 0x80, 0x80, 0x80, 0x70, END).of.i64, -(1LL << 32));
    cr_assert_eq(GLOBAL(F32, 0x43, 0, 0, 0xC0, 0x3F, END).of.f32, 1.5f);
    cr_assert_eq(GLOBAL(F64, 0x44, 0, 0, 0, 0, 0, 0, 0xF8, 0xBF, END).of.f64, -1.5);
    wr_val_t v = GLOBAL(V128, 0xFD, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, END);
    cr_assert_eq(v.kind, WR_V128);
    for (u8 i = 0; i < 16; i++) cr_assert_eq(v.of.v128[i], i);
}

Test(instance, extended_constants) {
    /* 7 + 5 * 3 - 2, and wrapping */
    cr_assert_eq(GLOBAL(I32, 0x41, 7, 0x41, 5, 0x41, 3, 0x6C, 0x6A, 0x41, 2, 0x6B, END).of.i32, 20);
    cr_assert_eq(GLOBAL(I32, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 1, 0x6B, END).of.i32,
                 INT32_MAX);
    cr_assert_eq(GLOBAL(I64, 0x42, 7, 0x42, 9, 0x7D, 0x42, 3, 0x7E, 0x42, 1, 0x7C, END).of.i64, -5);
}

Test(instance, constant_references) {
    wr_val_t v = GLOBAL(FUNCREF, 0xD0, 0x70, END);
    cr_assert_eq(v.kind, WR_FUNCREF);
    cr_assert_eq(v.of.ref, 0u);
    v = GLOBAL(FUNCREF, 0xD2, 1, END);
    cr_assert_eq(v.of.ref, 1u, "the handle of function 1");
    v = GLOBAL(EXTERNREF, 0xD0, 0x6F, END);
    cr_assert_eq(v.kind, WR_EXTERNREF);
    v = GLOBAL(0x6E, 0x41, 0x7F, 0xFB, 0x1C, END); /* anyref: ref.i31 -1 */
    cr_assert_eq(v.kind, WR_ANYREF);
    cr_assert_eq(v.of.ref, 0xFFFFFFFFu);
    v = GLOBAL(EXTERNREF, 0x41, 5, 0xFB, 0x1C, 0xFB, 0x1B, END);
    cr_assert_eq(v.of.ref, 11u);
}

Test(instance, deep_constant_expressions) {
    Wasm w = wasm_begin();
    wasm_open(&w, S_GLOBAL);
    BYTES(&w, 1, I32, 0);
    for (int i = 0; i < 3000; i++) BYTES(&w, 0x41, 1);
    for (int i = 0; i < 2999; i++) BYTES(&w, 0x6A);
    BYTES(&w, END);
    wasm_close(&w);
    SECTION(&w, S_EXPORT, 1, 1, 'g', X_GLOBAL, 0);
    Bench b = bench_new(NULL);
    cr_assert_eq(global_i32(instantiate(&b, &w), "g"), 3000);
    bench_delete(&b);
}

Test(instance, globals_follow_earlier_ones) {
    Wasm w = wasm_begin();
    SECTION(&w, S_GLOBAL, 3, I32, 0, 0x41, 5, END, I32, 0, GLOBAL_GET, 0, 0x41, 1, 0x6A, END, I32,
            0, GLOBAL_GET, 1, GLOBAL_GET, 0, 0x6C, END);
    SECTION(&w, S_EXPORT, 1, 1, 'g', X_GLOBAL, 2);
    Bench b = bench_new(NULL);
    cr_assert_eq(global_i32(instantiate(&b, &w), "g"), 30);
    bench_delete(&b);
}

/* ---- segments ------------------------------------------------------------------------------- */

Test(instance, tables_get_initial_values_and_segments) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    SECTION(&w, S_FUNC, 2, 0, 0);
    /* (table 4 4 funcref (ref.func 1)), then function 0 at 1, null at 2 by an expression */
    SECTION(&w, S_TABLE, 1, 0x40, 0x00, 0x70, 0, 4, 0xD2, 1, END);
    SECTION(&w, S_EXPORT, 1, 1, 't', X_TABLE, 0);
    SECTION(&w, S_ELEM, 3, 0, 0x41, 1, END, 1, 0, 4, 0x41, 2, END, 1, 0xD0, 0x70, END, 1, 0, 1, 0);
    SECTION(&w, S_CODE, 2, 2, 0, END, 2, 0, END);
    Bench b = bench_new(NULL);
    wr_instance_t *i = instantiate(&b, &w);
    wr_table_t *t = wr_instance_table(i, "t");
    cr_assert_eq(t->size, 4u);
    cr_assert_eq(t->elems[0], i->funcs[1]->handle);
    cr_assert_eq(t->elems[1], i->funcs[0]->handle);
    cr_assert_eq(t->elems[2], 0u);
    cr_assert_eq(t->elems[3], i->funcs[1]->handle);
    cr_assert_null(i->elem_values[0], "active segments are dropped");
    cr_assert_not_null(i->elem_values[2]);
    cr_assert_eq(wr_table_init(i, 0, 2, 3, 0, 1), WR_TRAP_NONE);
    cr_assert_eq(t->elems[3], i->funcs[0]->handle);
    cr_assert_eq(wr_table_init(i, 0, 2, 3, 0, 2), WR_TRAP_TABLE_OUT_OF_BOUNDS);
    cr_assert_eq(wr_table_init(i, 0, 2, 4, 1, 0), WR_TRAP_NONE);
    cr_assert_eq(wr_table_init(i, 0, 2, 5, 1, 0), WR_TRAP_TABLE_OUT_OF_BOUNDS);
    cr_assert_eq(wr_table_init(i, 0, 2, 0, 2, 0), WR_TRAP_TABLE_OUT_OF_BOUNDS);
    wr_elem_drop(i, 2);
    wr_elem_drop(i, 2);
    cr_assert_eq(wr_table_init(i, 0, 2, 3, 0, 1), WR_TRAP_TABLE_OUT_OF_BOUNDS);
    cr_assert_eq(wr_table_init(i, 0, 2, 3, 0, 0), WR_TRAP_NONE);
    bench_delete(&b);
}

Test(instance, memories_get_their_data) {
    Wasm w = wasm_begin();
    SECTION(&w, S_MEMORY, 1, 0, 1);
    SECTION(&w, S_EXPORT, 1, 6, 'm', 'e', 'm', 'o', 'r', 'y', X_MEMORY, 0);
    SECTION(&w, S_DATA, 3, 0, 0x41, 4, END, 3, 'a', 'b', 'c', 0, 0x41, 5, END, 1, 'X', 1, 2, 'p',
            'q');
    Bench b = bench_new(NULL);
    wr_instance_t *i = instantiate(&b, &w);
    wr_memory_t *m = wr_instance_memory(i, "memory");
    cr_assert_eq(wr_memory_size(m), 65536u);
    cr_assert_eq(i->exported_memory, m);
    cr_assert_eq(i->mem_base, m->base);
    cr_assert_arr_eq(wr_memory_data(m), "\0\0\0\0aXc\0", 8);
    cr_assert_eq(wr_memory_init(i, 0, 2, 65534, 0, 2), WR_TRAP_NONE);
    cr_assert_arr_eq(wr_memory_data(m) + 65534, "pq", 2);
    cr_assert_eq(wr_memory_init(i, 0, 2, 65535, 0, 2), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(wr_memory_init(i, 0, 2, 0, 1, 2), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(wr_memory_init(i, 0, 2, UINT64_MAX, 0, 1), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(wr_memory_init(i, 0, 0, 0, 0, 1), WR_TRAP_MEMORY_OUT_OF_BOUNDS, "dropped");
    wr_data_drop(i, 2);
    cr_assert_eq(wr_memory_init(i, 0, 2, 0, 0, 1), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(wr_memory_init(i, 0, 2, 65536, 0, 0), WR_TRAP_NONE);
    bench_delete(&b);
}

/* ---- failures ------------------------------------------------------------------------------- */

/* Exports memory "memory" of one page and table "t" of 4 function references. */
static wr_instance_t *define_owner(Bench *b) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TABLE, 1, 0x70, 0, 4);
    SECTION(&w, S_MEMORY, 1, 0, 1);
    wasm_open(&w, S_EXPORT);
    BYTES(&w, 2);
    wasm_export(&w, "memory", X_MEMORY, 0);
    wasm_export(&w, "t", X_TABLE, 0);
    wasm_close(&w);
    wr_instance_t *owner = instantiate(b, &w);
    must(wr_linker_define_instance(b->linker, "owner", owner));
    return owner;
}

static void import_owner(Wasm *w) {
    wasm_open(w, S_IMPORT);
    BYTES(w, 2);
    wasm_import(w, "owner", "t", X_TABLE);
    BYTES(w, 0x70, 0, 1);
    wasm_import(w, "owner", "memory", X_MEMORY);
    BYTES(w, 0, 1);
    wasm_close(w);
}

Test(instance, data_written_before_a_trap_stays) {
    Bench b = bench_new(NULL);
    wr_instance_t *owner = define_owner(&b), *i;
    u32 handles = b.store->nfuncs;
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    import_owner(&w);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_CODE, 1, 2, 0, END);
    SECTION(&w, S_DATA, 2, 0, 0x41, 0, END, 2, 'o', 'k', 0, 0x41, 0xFF, 0xFF, 3, END, 2, 'n', 'o');
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_TRAP, "out of bounds memory access");
    cr_assert_null(i);
    cr_assert_arr_eq(wr_memory_data(wr_instance_memory(owner, "memory")), "ok", 2);
    cr_assert_eq(wr_memory_data(wr_instance_memory(owner, "memory"))[65535], 0);
    cr_assert_eq(b.store->nfuncs, handles, "nothing refers to it: rolled back");
    cr_assert_eq(b.store->used_instances, 1u);
    cr_assert_eq(owner->memories[0]->nusers, 1u);
    bench_delete(&b);
}

/* Function 0 gives 42 and goes into the owner's table; then a data segment traps. */
Test(instance, functions_in_tables_outlive_their_failed_instance) {
    Bench b = bench_new(NULL);
    wr_instance_t *owner = define_owner(&b), *i;
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 1, I32);
    import_owner(&w);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_ELEM, 1, 0, 0x41, 2, END, 1, 0);
    SECTION(&w, S_CODE, 1, 4, 0, 0x41, 42, END);
    SECTION(&w, S_DATA, 1, 0, 0x41, 0xFF, 0xFF, 7, END, 1, 'n');
    must_trap(try_instantiate(&b, &w, &i), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    wr_func_t *func = b.store->funcs[wr_instance_table(owner, "t")->elems[2]];
    wr_val_t result;
    must(wr_func_call(b.store, func, NULL, 0, &result, 1));
    cr_assert_eq(result.of.i32, 42);
    bench_delete(&b);
}

Test(instance, segments_out_of_bounds_trap) {
    Bench b = bench_new(NULL);
    wr_instance_t *i;
    (void)define_owner(&b);
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    import_owner(&w);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_ELEM, 1, 0, 0x41, 4, END, 1, 0);
    SECTION(&w, S_CODE, 1, 2, 0, END);
    must_fail(try_instantiate(&b, &w, &i), WR_ERROR_TRAP, "out of bounds table access");
    w = wasm_begin();
    SECTION(&w, S_MEMORY, 1, 0, 0);
    SECTION(&w, S_DATA, 1, 0, 0x41, 1, END, 0);
    must_trap(try_instantiate(&b, &w, &i), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    bench_delete(&b);
}

/* The start function sets a global, or traps. */
static Wasm with_start(bool traps) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 1, 0x60, 0, 0);
    SECTION(&w, S_FUNC, 1, 0);
    SECTION(&w, S_GLOBAL, 1, I32, 1, 0x41, 1, END);
    SECTION(&w, S_EXPORT, 1, 1, 'g', X_GLOBAL, 0);
    SECTION(&w, S_START, 0);
    if (traps) {
        SECTION(&w, S_CODE, 1, 3, 0, 0, END);
    } else {
        SECTION(&w, S_CODE, 1, 6, 0, 0x41, 9, 0x24, 0, END);
    }
    return w;
}

Test(instance, start_functions_run) {
    Bench b = bench_new(NULL);
    Wasm w = with_start(false);
    cr_assert_eq(global_i32(instantiate(&b, &w), "g"), 9);
    w = with_start(true);
    wr_instance_t *i;
    must_trap(try_instantiate(&b, &w, &i), WR_TRAP_UNREACHABLE);
    cr_assert_null(i);
    bench_delete(&b);
}

Test(instance, exports_by_name_and_kind) {
    Bench b = bench_new(NULL);
    Wasm w = with_start(false);
    wr_instance_t *i = instantiate(&b, &w);
    cr_assert_null(wr_instance_func(i, "g"));
    cr_assert_null(wr_instance_memory(i, "g"));
    cr_assert_null(wr_instance_table(i, "g"));
    cr_assert_null(wr_instance_global(i, ""));
    cr_assert_null(wr_instance_global(i, "gg"));
    bench_delete(&b);
}

/* ---- large data ----------------------------------------------------------------------------- */

#define LARGE 200000u /* bytes of a segment, in three of LEB128 */

/* A segment of LARGE bytes `fill`, its numbers longer than they need be. */
static u8 *large_segment(u8 *to, u32 address, u8 fill) {
    const u8 head[] = {0x82,
                       0,
                       0x80,
                       0x80,
                       0,
                       I32_CONST,
                       0x80 | (address & 0x7F),
                       0x80 | (address >> 7 & 0x7F),
                       0x80 | (address >> 14 & 0x7F),
                       address >> 21 & 0x7F,
                       END,
                       0x80 | (LARGE & 0x7F),
                       0x80 | (LARGE >> 7 & 0x7F),
                       0x80 | LARGE >> 14,
                       0x80,
                       0};
    memcpy(to, head, sizeof head);
    memset(to + sizeof head, fill, LARGE);
    return to + sizeof head + LARGE;
}

/* Two of them at these addresses of a memory of a megabyte; instantiates. */
static wr_error_t *init_large(Bench *b, u32 first, u32 second, wr_instance_t **instance) {
    Wasm w = wasm_begin();
    SECTION(&w, 5, 1, 0, 16);
    SECTION(&w, S_EXPORT, 1, 1, 'm', 2, 0);
    u8 *bytes = malloc(w.size + 3 * LARGE), *end = bytes + w.size + 7;
    memcpy(bytes, w.data, w.size);
    end = large_segment(large_segment(end, first, 1), second, 2);
    u32 size = (u32)(end - bytes - w.size - 6);
    const u8 head[] = {11,
                       0x80 | (size & 0x7F),
                       0x80 | (size >> 7 & 0x7F),
                       0x80 | (size >> 14 & 0x7F),
                       0x80 | size >> 21,
                       0,
                       2};
    memcpy(bytes + w.size, head, sizeof head);
    wr_module_t *module = NULL;
    must(wr_module_new(b->engine, bytes, (size_t)(end - bytes), &module));
    free(bytes);
    wr_error_t *error = wr_linker_instantiate(b->linker, b->store, module, instance);
    wr_module_delete(module);
    return error;
}

/* In order, over each other, the other way round, with a gap: whatever is guessed of where they are. */
Test(instance, large_data_segments) {
    static const u32 places[][2] = {{0, 200000}, {3, 200003}, {100000, 100001},
                                    {300000, 5}, {1, 848575}, {700000, 700000}};
    Bench b = bench_new(NULL);
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        wr_instance_t *instance = NULL;
        must(init_large(&b, places[k][0], places[k][1], &instance));
        const u8 *memory = wr_memory_data(wr_instance_memory(instance, "m"));
        for (u32 at = 0; at < 1u << 20; at++) {
            u8 expected = at - places[k][1] < LARGE ? 2 : at - places[k][0] < LARGE ? 1 : 0;
            if (memory[at] != expected) cr_assert_fail("case %zu, byte %u", k, at);
        }
    }
    bench_delete(&b);
}

Test(instance, large_data_segments_that_do_not_fit) {
    static const u32 places[][2] = {{0, 848577}, {0, 1 << 20}, {0, 0x8000000 - 1}, {848577, 0}};
    Bench b = bench_new(NULL);
    wr_instance_t *instance = NULL;
    for (size_t k = 0; k < sizeof places / sizeof *places; k++)
        must_trap(init_large(&b, places[k][0], places[k][1], &instance),
                  WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    bench_delete(&b);
}
