/* Functions, globals, tables, memories, tags and instances: made by the host and by modules. */
#include "support.h"

static wasm_engine_t *engine;
static wasm_store_t *store;

/* ---- functions ---- */

static wasm_trap_t *swap(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    CHECK(args->size == 4 && results->size == 4);
    CHECK(results->data[0].kind == WASM_I32 && results->data[3].kind == WASM_I32);
    for (size_t i = 0; i < 4; i++) wasm_val_copy(&results->data[i], &args->data[3 - i]);
    return NULL;
}

static wasm_trap_t *count_calls(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args;
    results->data[0] = i32_val(++*(int *)env);
    return NULL;
}

static int finalized;
static void note_finalized(void *env) {
    (void)env;
    finalized++;
}

static wasm_functype_t *type_4_4(void) {
    wasm_valtype_t *four[4] = {wasm_valtype_new_i32(), wasm_valtype_new_i64(),
                               wasm_valtype_new_i64(), wasm_valtype_new_i32()};
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_new(&params, 4, four);
    wasm_valtype_vec_copy(&results, &params);
    return wasm_functype_new(&params, &results);
}

static void functions(void) {
    int calls = 0;
    wasm_functype_t *type = type_4_4(), *type2 = wasm_functype_new_0_1(wasm_valtype_new_i32());
    wasm_func_t *host = wasm_func_new(store, type, swap);
    wasm_func_t *closure =
        wasm_func_new_with_env(store, type2, count_calls, &calls, note_finalized);
    wasm_functype_delete(type);
    wasm_functype_delete(type2);
    CHECK(wasm_func_param_arity(host) == 4 && wasm_func_result_arity(closure) == 1);
    wasm_extern_t *given[2] = {wasm_func_as_extern(host), wasm_func_as_extern(closure)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given);
    wasm_instance_t *instance = instance_of(
        store,
        "(module (import \"\" \"f\" (func $f (param i32 i64 i64 i32) (result i32 i64 i64 i32)))"
        " (import \"\" \"c\" (func $c (result i32))) (export \"c\" (func $c))"
        " (func (export \"g\") (param i32 i64 i64 i32) (result i32 i64 i64 i32)"
        "  (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))))",
        &imports);
    wasm_func_delete(host);
    wasm_func_t *again = func_of(instance, 0), *g = func_of(instance, 1);
    CHECK(wasm_func_same(again, closure) && !wasm_func_same(g, closure));
    wasm_func_delete(closure);
    wasm_instance_delete(instance); /* functions keep what they need */
    wasm_val_t args[4] = {WASM_I32_VAL(1), WASM_I64_VAL(2), WASM_I64_VAL(3), WASM_I32_VAL(4)};
    wasm_val_t results[4];
    CHECK(!call(g, args, 4, results, 4));
    CHECK(results[0].of.i32 == 4 && results[1].of.i64 == 3 && results[2].of.i64 == 2 &&
          results[3].of.i32 == 1 && results[3].kind == WASM_I32);
    CHECK(!call(again, NULL, 0, results, 1) && !call(again, NULL, 0, results, 1));
    CHECK(results[0].of.i32 == 2 && calls == 2);
    wasm_functype_t *shown = wasm_func_type(g);
    CHECK(wasm_functype_params(shown)->size == 4);
    wasm_functype_delete(shown);
    CHECK(trap_is(call(g, args, 3, results, 4), "wrong number of arguments: 3 for 4"));
    CHECK(trap_is(call(g, args, 4, results, 3), "no room for the results: 3 for 4"));
    args[1] = i32_val(2);
    CHECK(trap_is(call(g, args, 4, results, 4), "argument 2 of 4: a value of another kind"));
    wasm_func_delete(again);
    wasm_func_delete(g);
    CHECK(finalized == 0); /* with the store */
}

/* ---- globals ---- */

static void globals(void) {
    wasm_globaltype_t *constant = wasm_globaltype_new(wasm_valtype_new_f32(), WASM_CONST);
    wasm_globaltype_t *variable = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
    wasm_val_t f = WASM_F32_VAL(1.5f), i = WASM_I64_VAL(7), got;
    wasm_global_t *a = wasm_global_new(store, constant, &f);
    wasm_global_t *b = wasm_global_new(store, variable, &i);
    CHECK(!wasm_global_new(store, constant, &i)); /* another kind */
    wasm_globaltype_delete(constant);
    wasm_globaltype_delete(variable);
    wasm_extern_t *given[2] = {wasm_global_as_extern(a), wasm_global_as_extern(b)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given);
    wasm_instance_t *instance = instance_of(
        store,
        "(module (import \"\" \"a\" (global $a f32)) (import \"\" \"b\" (global $b (mut i64)))"
        " (func (export \"inc\") (global.set $b (i64.add (global.get $b) (i64.const 1))))"
        " (export \"a\" (global $a)) (global (export \"v\") (mut v128) (v128.const i32x4 1 2 3 "
        "4)))",
        &imports);
    wasm_func_t *inc = func_of(instance, 0);
    CHECK(!call(inc, NULL, 0, NULL, 0));
    wasm_global_get(b, &got);
    CHECK(got.kind == WASM_I64 && got.of.i64 == 8);
    i.of.i64 = 40;
    wasm_global_set(b, &i);
    CHECK(!call(inc, NULL, 0, NULL, 0));
    wasm_global_get(b, &got);
    CHECK(got.of.i64 == 41);
    f.of.f32 = 2;
    wasm_global_set(a, &f); /* immutable: without effect */
    wasm_global_get(a, &got);
    CHECK(got.kind == WASM_F32 && got.of.f32 == 1.5f);
    wasm_globaltype_t *shown = wasm_global_type(b);
    CHECK(wasm_globaltype_mutability(shown) == WASM_VAR);
    wasm_globaltype_delete(shown);

    wasm_extern_t *v = export_of(instance, 2);
    uint8_t lanes[16];
    wasm_global_get(wasm_extern_as_global(v), &got);
    CHECK(got.kind == WASM_V128 && wasm_v128_get(got.of.ref, lanes));
    CHECK(lanes[0] == 1 && lanes[4] == 2 && lanes[12] == 4 && lanes[1] == 0);
    wasm_val_t copy;
    wasm_val_copy(&copy, &got);
    wasm_val_delete(&got);
    lanes[15] = 9;
    got = ref_val(WASM_V128, wasm_v128_new(lanes));
    wasm_global_set(wasm_extern_as_global(v), &got);
    wasm_val_delete(&got);
    wasm_val_delete(&copy);
    wasm_global_get(wasm_extern_as_global(v), &got);
    CHECK(wasm_v128_get(got.of.ref, lanes) && lanes[15] == 9);
    wasm_val_delete(&got);
    wasm_extern_delete(v);
    wasm_func_delete(inc);
    wasm_global_delete(a);
    wasm_global_delete(b);
    wasm_instance_delete(instance);
}

/* ---- tables ---- */

static void tables(void) {
    wasm_instance_t *instance =
        instance_of(store,
                    "(module (table (export \"t\") 2 6 funcref) (elem (i32.const 1) $f)"
                    " (func (export \"call\") (param i32 i32) (result i32)"
                    "  (call_indirect (param i32) (result i32) (local.get 0) (local.get 1)))"
                    " (func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 100))) )",
                    NULL);
    wasm_extern_t *external = export_of(instance, 0);
    wasm_table_t *table = wasm_extern_as_table(external);
    wasm_func_t *indirect = func_of(instance, 1);
    CHECK(wasm_table_size(table) == 2 && !wasm_table_get(table, 0) && !wasm_table_get(table, 2));
    wasm_ref_t *f = wasm_table_get(table, 1);
    CHECK(f && wasm_ref_as_func(f) && !wasm_ref_as_memory(f));
    CHECK(wasm_table_set(table, 0, f) && !wasm_table_set(table, 2, f));
    wasm_val_t args[2], result;
    args[0] = i32_val(5), args[1] = i32_val(0);
    CHECK(!call(indirect, args, 2, &result, 1) && result.of.i32 == 105);
    CHECK(wasm_table_set(table, 1, NULL));
    args[1] = i32_val(1);
    CHECK(trap_is(call(indirect, args, 2, &result, 1), "uninitialized element 1"));
    CHECK(wasm_table_grow(table, 3, f) && wasm_table_size(table) == 5);
    args[1] = i32_val(4);
    CHECK(!call(indirect, args, 2, &result, 1) && result.of.i32 == 105);
    CHECK(!wasm_table_grow(table, 2, NULL) && wasm_table_grow(table, 0, NULL));
    CHECK(!wasm_table_set(table, 0, wasm_instance_as_ref(instance))); /* no function */
    wasm_tabletype_t *shown = wasm_table_type(table);
    CHECK(wasm_tabletype_limits(shown)->min == 5 && wasm_tabletype_limits(shown)->max == 6);

    wasm_table_t *own_table = wasm_table_new(store, shown, f);
    wasm_ref_t *element = wasm_table_get(own_table, 4);
    CHECK(wasm_table_size(own_table) == 5 && wasm_ref_same(element, f));
    CHECK(!wasm_table_same(own_table, table));
    wasm_ref_delete(element);
    wasm_table_delete(own_table);
    wasm_tabletype_delete(shown);
    wasm_limits_t wrong = {3, 2};
    shown = wasm_tabletype_new(wasm_valtype_new_funcref(), &wrong);
    CHECK(!wasm_table_new(store, shown, NULL));
    wasm_tabletype_delete(shown);
    wasm_ref_delete(f);
    wasm_func_delete(indirect);
    wasm_extern_delete(external);
    wasm_instance_delete(instance);
}

/* ---- memories ---- */

static void memories(void) {
    wasm_limits_t limits = {2, 5};
    wasm_memorytype_t *type = wasm_memorytype_new(&limits);
    wasm_memory_t *memory = wasm_memory_new(store, type);
    wasm_memorytype_delete(type);
    wasm_extern_t *given[1] = {wasm_memory_as_extern(memory)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given);
    wasm_instance_t *instance =
        instance_of(store,
                    "(module (import \"\" \"m\" (memory 1))"
                    " (func (export \"load\") (param i32) (result i32)"
                    "  (i32.load8_s (local.get 0))) (data (i32.const 16) \"\\03\\04\"))",
                    &imports);
    wasm_func_t *load = func_of(instance, 0);
    CHECK(wasm_memory_size(memory) == 2 && wasm_memory_data_size(memory) == 2 * MEMORY_PAGE_SIZE);
    CHECK(wasm_memory_data(memory)[17] == 4);
    wasm_memory_data(memory)[0x1ffff] = -3;
    wasm_val_t arg = i32_val(0x1ffff), result;
    CHECK(!call(load, &arg, 1, &result, 1) && result.of.i32 == -3);
    arg = i32_val(0x20000);
    CHECK(trap_is(call(load, &arg, 1, &result, 1), "out of bounds memory access"));
    CHECK(wasm_memory_grow(memory, 1) && wasm_memory_size(memory) == 3);
    CHECK(!call(load, &arg, 1, &result, 1) && result.of.i32 == 0);
    CHECK(!wasm_memory_grow(memory, 3) && wasm_memory_grow(memory, 0));
    type = wasm_memory_type(memory);
    CHECK(wasm_memorytype_limits(type)->min == 3 && wasm_memorytype_limits(type)->max == 5);
    wasm_memorytype_delete(type);
    wasm_func_delete(load);
    wasm_memory_delete(memory);
    wasm_instance_delete(instance);
}

/* ---- instances ---- */

static wasm_trap_t *instantiate(const char *text, wasm_extern_t **given, size_t n) {
    wasm_trap_t *trap = NULL;
    wasm_extern_vec_t imports;
    imports.size = n, imports.data = given;
    wasm_module_t *module = module_of(store, text);
    CHECK(!wasm_instance_new(store, module, &imports, &trap));
    CHECK(!wasm_instance_new(store, module, &imports, NULL));
    wasm_module_delete(module);
    return trap;
}

static void failures(void) {
    CHECK(trap_is(instantiate("(module (import \"a\" \"b\" (func)))", NULL, 0),
                  "unknown import: function \"a\" \"b\""));
    CHECK(
        trap_is(instantiate("(module (func $f unreachable) (start $f))", NULL, 0), "unreachable"));
    wasm_limits_t limits = {1, 1};
    wasm_memorytype_t *type = wasm_memorytype_new(&limits);
    wasm_store_t *elsewhere = wasm_store_new(engine);
    wasm_memory_t *foreign = wasm_memory_new(elsewhere, type);
    wasm_memory_t *memory = wasm_memory_new(store, type);
    wasm_memorytype_delete(type);
    wasm_extern_t *given = wasm_memory_as_extern(foreign);
    CHECK(trap_is(instantiate("(module (import \"\" \"\" (memory 1)))", &given, 1),
                  "import 0 belongs to another store"));
    given = wasm_memory_as_extern(memory);
    CHECK(trap_is(instantiate("(module (import \"\" \"\" (func)))", &given, 1),
                  "incompatible import type: function \"\" \"\": expected a function, "
                  "found a memory"));
    wasm_memory_delete(memory);
    wasm_memory_delete(foreign);
    wasm_store_delete(elsewhere);
}

static void tags(void) {
    wasm_tagtype_t *type = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32()));
    wasm_tag_t *tag = wasm_tag_new(store, type);
    wasm_tagtype_delete(type);
    wasm_extern_t *given = wasm_tag_as_extern(tag);
    wasm_extern_vec_t imports = {1, &given};
    wasm_instance_t *instance =
        instance_of(store,
                    "(module (import \"\" \"e\" (tag $e (param i32))) (export \"e\" (tag $e))"
                    " (func (export \"f\") (throw $e (i32.const 42))))",
                    &imports);
    wasm_extern_t *again = export_of(instance, 0);
    CHECK(wasm_extern_kind(again) == WASM_EXTERN_TAG && wasm_extern_same(again, given));
    wasm_externtype_t *shown = wasm_extern_type(again);
    CHECK(wasm_externtype_kind(shown) == WASM_EXTERN_TAG);
    wasm_externtype_delete(shown);
    wasm_func_t *f = func_of(instance, 1);
    CHECK(trap_is(call(f, NULL, 0, NULL, 0), "exception 42"));
    wasm_func_delete(f);
    wasm_extern_delete(again);
    wasm_tag_delete(tag);
    wasm_instance_delete(instance);
}

int main(void) {
    engine = wasm_engine_new_with_config(wasm_config_new());
    store = wasm_store_new(engine);
    wasm_engine_delete(engine); /* stores keep it */
    engine = wasm_engine_new();
    functions();
    globals();
    tables();
    memories();
    tags();
    wasm_store_delete(store);
    CHECK(finalized == 1);
    store = wasm_store_new(engine);
    failures();
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    wasm_config_delete(wasm_config_new());
    puts("objects: ok");
    return 0;
}
