/* Type objects and vectors: making, copying, casting, deleting; what reflection shows of a module. */
#include "support.h"

static bool name_is(const wasm_name_t *name, const char *text) {
    size_t size = strlen(text);
    return name->size == size && (size == 0 || memcmp(name->data, text, size) == 0);
}

static void vectors(void) {
    wasm_byte_vec_t empty, some, copy;
    wasm_byte_vec_new_empty(&empty);
    CHECK(empty.size == 0);
    wasm_byte_vec_delete(&empty);
    wasm_byte_vec_new_uninitialized(&some, 3);
    memcpy(some.data, "abc", 3);
    wasm_byte_vec_copy(&copy, &some);
    wasm_byte_vec_delete(&some);
    CHECK(copy.size == 3 && memcmp(copy.data, "abc", 3) == 0);
    wasm_byte_vec_delete(&copy);
    wasm_byte_vec_new_uninitialized(&some, (size_t)-1); /* there is no such memory */
    CHECK(some.size == 0 && !some.data);
    wasm_name_new_from_string_nt(&some, "zero");
    CHECK(some.size == 5 && some.data[4] == 0);
    wasm_name_delete(&some);

    wasm_valtype_vec_t types, types2;
    wasm_valtype_vec_new_uninitialized(&types, 2);
    CHECK(!types.data[0] && !types.data[1]); /* so that it can be deleted half filled */
    types.data[1] = wasm_valtype_new_f64();
    wasm_valtype_vec_copy(&types2, &types);
    CHECK(!types2.data[0] && wasm_valtype_kind(types2.data[1]) == WASM_F64);
    wasm_valtype_vec_delete(&types);
    wasm_valtype_vec_delete(&types2);
    CHECK(types.size == 0);
}

static void values(void) {
    static const wasm_valkind_t kinds[] = {WASM_I32,    WASM_I64,    WASM_F32,
                                           WASM_F64,    WASM_V128,   WASM_FUNCREF,
                                           WASM_ANYREF, WASM_EXNREF, WASM_EXTERNREF};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        wasm_valtype_t *type = wasm_valtype_new(kinds[i]), *copy = wasm_valtype_copy(type);
        wasm_valtype_delete(type);
        CHECK(wasm_valtype_kind(copy) == kinds[i]);
        CHECK(wasm_valtype_is_num(copy) == (i < 5) && wasm_valtype_is_ref(copy) == (i >= 5));
        wasm_valtype_delete(copy);
    }
    CHECK(!wasm_valtype_new(77));
    CHECK(WASM_EXTERNREF == 128 && WASM_FUNCREF == 129 && WASM_F64 == 3);
    CHECK(sizeof(wasm_val_t) == 16);
}

static void functions(void) {
    wasm_functype_t *type = wasm_functype_new_3_2(
        wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_externref(),
        wasm_valtype_new_funcref(), wasm_valtype_new_f32());
    wasm_functype_t *copy = wasm_functype_copy(type);
    wasm_functype_delete(type);
    CHECK(wasm_functype_params(copy)->size == 3 && wasm_functype_results(copy)->size == 2);
    CHECK(wasm_valtype_kind(wasm_functype_params(copy)->data[2]) == WASM_EXTERNREF);
    CHECK(wasm_valtype_kind(wasm_functype_results(copy)->data[0]) == WASM_FUNCREF);
    CHECK(!wasm_functype_new_1_0(wasm_valtype_new(99)));

    wasm_externtype_t *external = wasm_functype_as_externtype(copy);
    CHECK(wasm_externtype_kind(external) == WASM_EXTERN_FUNC);
    CHECK(wasm_externtype_as_functype(external) == copy);
    CHECK(!wasm_externtype_as_globaltype(external) && !wasm_externtype_as_tabletype(external));
    CHECK(!wasm_externtype_as_memorytype_const(external));
    wasm_externtype_t *other = wasm_externtype_copy(external);
    wasm_externtype_delete(external);
    CHECK(wasm_functype_params(wasm_externtype_as_functype(other))->size == 3);
    wasm_externtype_delete(other);
}

static void others(void) {
    wasm_limits_t limits = {1, 7};
    wasm_globaltype_t *global = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
    wasm_tabletype_t *table = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
    wasm_memorytype_t *memory = wasm_memorytype_new(&limits);
    wasm_tagtype_t *tag = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32()));
    wasm_externtype_t *types[4], *copies[4];
    types[0] = wasm_globaltype_as_externtype(global);
    types[1] = wasm_tabletype_as_externtype(table);
    types[2] = wasm_memorytype_as_externtype(memory);
    types[3] = wasm_tagtype_as_externtype(tag);
    for (int i = 0; i < 4; i++) copies[i] = wasm_externtype_copy(types[i]);
    wasm_externtype_vec_t vec;
    wasm_externtype_vec_new(&vec, 4, types);
    wasm_externtype_vec_delete(&vec);
    global = wasm_externtype_as_globaltype(copies[0]);
    CHECK(wasm_valtype_kind(wasm_globaltype_content(global)) == WASM_I64);
    CHECK(wasm_globaltype_mutability(global) == WASM_VAR);
    table = wasm_externtype_as_tabletype(copies[1]);
    CHECK(wasm_valtype_kind(wasm_tabletype_element(table)) == WASM_FUNCREF);
    CHECK(wasm_tabletype_limits(table)->min == 1 && wasm_tabletype_limits(table)->max == 7);
    memory = wasm_externtype_as_memorytype(copies[2]);
    CHECK(wasm_memorytype_limits(memory)->max == 7);
    tag = wasm_externtype_as_tagtype(copies[3]);
    CHECK(wasm_functype_params(wasm_tagtype_functype(tag))->size == 1);
    for (int i = 0; i < 4; i++) wasm_externtype_delete(copies[i]);

    wasm_name_t module, name;
    wasm_name_new_from_string(&module, "m");
    wasm_name_new_from_string(&name, "n");
    wasm_importtype_t *import = wasm_importtype_new(
        &module, &name, wasm_memorytype_as_externtype(wasm_memorytype_new(&limits)));
    wasm_importtype_t *import2 = wasm_importtype_copy(import);
    wasm_importtype_delete(import);
    CHECK(name_is(wasm_importtype_module(import2), "m") &&
          name_is(wasm_importtype_name(import2), "n"));
    wasm_importtype_delete(import2);
}

static const char *const text =
    "(module $all (import \"\" \"f\" (func (param i32 v128) (result externref exnref)))"
    " (import \"m\" \"g\" (global (mut anyref))) (import \"m\" \"t\" (table 1 5 funcref))"
    " (import \"m\" \"mem\" (memory i64 2)) (import \"m\" \"e\" (tag (param f64)))"
    " (func (export \"run\") (param f32)) (memory (export \"own\") 1 3))";

static void reflection(void) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_module_t *module = module_of(store, text);
    wasm_importtype_vec_t imports, imports2;
    wasm_exporttype_vec_t exports;
    wasm_module_imports(module, &imports);
    wasm_module_exports(module, &exports);
    wasm_module_delete(module);
    wasm_store_delete(store);
    wasm_engine_delete(engine); /* types are plain data */
    CHECK(imports.size == 5 && exports.size == 2);
    static const wasm_externkind_t kinds[] = {WASM_EXTERN_FUNC, WASM_EXTERN_GLOBAL,
                                              WASM_EXTERN_TABLE, WASM_EXTERN_MEMORY,
                                              WASM_EXTERN_TAG};
    wasm_importtype_vec_copy(&imports2, &imports);
    wasm_importtype_vec_delete(&imports);
    for (size_t i = 0; i < 5; i++)
        CHECK(wasm_externtype_kind(wasm_importtype_type(imports2.data[i])) == kinds[i]);
    const wasm_externtype_t *type = wasm_importtype_type(imports2.data[0]);
    const wasm_functype_t *func = wasm_externtype_as_functype_const(type);
    CHECK(wasm_valtype_kind(wasm_functype_params(func)->data[1]) == WASM_V128);
    CHECK(wasm_valtype_kind(wasm_functype_results(func)->data[1]) == WASM_EXNREF);
    type = wasm_importtype_type(imports2.data[3]);
    const wasm_memorytype_t *memory = wasm_externtype_as_memorytype_const(type);
    CHECK(wasm_memorytype_limits(memory)->min == 2);
    CHECK(wasm_memorytype_limits(memory)->max == wasm_limits_max_default);
    CHECK(name_is(wasm_importtype_module(imports2.data[0]), ""));
    CHECK(name_is(wasm_importtype_name(imports2.data[3]), "mem"));
    CHECK(name_is(wasm_exporttype_name(exports.data[0]), "run"));
    CHECK(wasm_externtype_kind(wasm_exporttype_type(exports.data[1])) == WASM_EXTERN_MEMORY);
    wasm_importtype_vec_delete(&imports2);
    wasm_exporttype_vec_delete(&exports);
}

int main(void) {
    assertions();
    vectors();
    values();
    functions();
    others();
    reflection();
    puts("types: ok");
    return 0;
}
