/*
 * test_objects.c - what the host makes, defines and looks at through wasmrun.h: objects of stores, linkers,
 * reflection, checked access to memory, exceptions, pins, the logging hook.
 */
#include <stdio.h>

#include "embed_support.h"
#include "wasm.h"

static wr_module_t *load(wr_engine_t *engine, const char *text) {
    uint8_t *bytes;
    size_t size;
    wr_module_t *module;
    must(wr_wat_to_wasm(text, strlen(text), NULL, true, &bytes, &size));
    must(wr_module_new(engine, bytes, size, &module));
    wr_bytes_delete(bytes, size);
    return module;
}

static wr_error_t *try_text(Bench *b, const char *text, wr_instance_t **instance) {
    wr_module_t *module = load(b->engine, text);
    wr_error_t *error = wr_linker_instantiate(b->linker, b->store, module, instance);
    wr_module_delete(module);
    return error;
}

static wr_instance_t *instance_of(Bench *b, const char *text) {
    wr_instance_t *instance;
    must(try_text(b, text, &instance));
    return instance;
}

static wr_name_t name_of(const char *text) { return (wr_name_t){text, strlen(text)}; }
static wr_val_t null_of(wr_valkind_t kind) { return (wr_val_t){.kind = kind}; }

static void define(Bench *b, const char *name, wr_extern_t external) {
    must(wr_linker_define(b->linker, name_of("h"), name_of(name), b->store, &external));
}

static wr_error_t *add(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    slots[0].i32 += slots[1].i32 + *(int *)context;
    return NULL;
}
static int finalized;
static void count(void *context) {
    (void)context;
    finalized++;
}

Test(objects, made_by_the_host) {
    Bench b = bench_new(NULL);
    int offset = 100;
    wr_func_t *func;
    wr_global_t *constant, *variable;
    wr_memory_t *memory;
    wr_table_t *table;
    wr_val_t value = i32_val(7), v128 = {.kind = WR_V128, .of.v128 = {1, 2, 3}};
    must(wr_store_make_func(b.store, "ii>i", add, &offset, count, &func));
    must(wr_store_make_global(b.store, &value, true, &variable));
    must(wr_store_make_global(b.store, &v128, false, &constant));
    must(wr_store_make_memory(
        b.store, &(wr_memory_type_t){.min = 1, .max = 3, .page_size_log2 = 16}, &memory));
    value = wr_func_ref(func);
    must(wr_store_make_table(b.store, &value, 2, 4, &table));
    define(&b, "f", (wr_extern_t){WR_EXTERN_FUNC, {.func = func}});
    define(&b, "g", (wr_extern_t){WR_EXTERN_GLOBAL, {.global = variable}});
    define(&b, "v", (wr_extern_t){WR_EXTERN_GLOBAL, {.global = constant}});
    define(&b, "m", (wr_extern_t){WR_EXTERN_MEMORY, {.memory = memory}});
    define(&b, "t", (wr_extern_t){WR_EXTERN_TABLE, {.table = table}});
    wr_instance_t *instance = instance_of(
        &b, "(module (import \"h\" \"f\" (func $f (param i32 i32) (result i32)))"
            " (import \"h\" \"g\" (global $g (mut i32))) (import \"h\" \"v\" (global $v v128))"
            " (import \"h\" \"m\" (memory 1 3)) (import \"h\" \"t\" (table 2 4 funcref))"
            " (func (export \"run\") (param i32) (result i32)"
            "  (global.set $g (i32.add (global.get $g) (i32.const 1)))"
            "  (i32.store (i32.const 8) (i32x4.extract_lane 0 (global.get $v)))"
            "  (call_indirect (param i32 i32) (result i32) (local.get 0) (i32.const 5)"
            "   (i32.const 1))))");
    cr_assert_eq(get_i32(&b, instance, "run", 20), 125);
    wr_global_get(variable, &value);
    cr_assert_eq(value.of.i32, 8);
    uint32_t word = 0;
    cr_assert(wr_memory_read_u32(memory, 8, &word));
    cr_assert_eq(word, 0x030201u);

    value = i32_val(41);
    must(wr_global_set(variable, &value));
    get_i32(&b, instance, "run", 0);
    wr_global_get(variable, &value);
    cr_assert_eq(value.of.i32, 42);
    must_fail(wr_global_set(constant, &v128), WR_ERROR_USAGE, "the global is immutable");
    must_fail(wr_global_set(variable, &v128), WR_ERROR_USAGE, "the value is of another kind");

    cr_assert_eq(wr_table_size(table), 2u);
    cr_assert(wr_table_get(table, 1, &value));
    cr_assert_eq(wr_ref_func(b.store, &value), func);
    value = null_of(WR_FUNCREF);
    must(wr_table_set(table, 1, &value));
    must_trap(call_i32(&b, instance, "run", 0, NULL), WR_TRAP_UNINITIALIZED_ELEMENT);
    value = wr_func_ref(wr_instance_func(instance, "run"));
    must(wr_table_extend(table, 2, &value));
    must_fail(wr_table_extend(table, 1, &value), WR_ERROR_MEMORY, "the table cannot grow");
    cr_assert(wr_table_get(table, 3, &value));
    cr_assert_eq(wr_ref_func(b.store, &value), wr_instance_func(instance, "run"));
    cr_assert_not(wr_table_get(table, 4, &value));
    must_fail(wr_table_set(table, 4, &value), WR_ERROR_USAGE, "the table has no such element");
    value.of.ref = 1000000;
    must_fail(wr_table_set(table, 0, &value), WR_ERROR_USAGE, "the value is no such reference");

    finalized = 0;
    bench_delete(&b);
    cr_assert_eq(finalized, 1);
}

Test(objects, impossible_ones) {
    Bench b = bench_new(NULL), other = bench_new(NULL);
    wr_func_t *func;
    wr_memory_t *memory;
    wr_table_t *table;
    wr_tag_t *tag;
    wr_val_t value = i32_val(1);
    finalized = 0;
    must_fail(wr_store_make_func(b.store, "i", add, NULL, count, &func), WR_ERROR_USAGE,
              "bad signature: \"i\"");
    must_fail(wr_store_make_func(b.store, "q>", add, NULL, count, &func), WR_ERROR_USAGE,
              "bad signature");
    cr_assert_eq(finalized, 0);
    must_fail(wr_store_make_tag(b.store, ">i", &tag), WR_ERROR_USAGE, "a tag has no results");
    must_fail(wr_store_make_table(b.store, &value, 0, 1, &table), WR_ERROR_USAGE, "elements");
    value = null_of(WR_EXTERNREF);
    must_fail(wr_store_make_table(b.store, &value, 2, 1, &table), WR_ERROR_USAGE, "there is no");
    must_fail(wr_store_make_memory(
                  b.store,
                  &(wr_memory_type_t){.min = 70000, .max = UINT64_MAX, .page_size_log2 = 16},
                  &memory),
              WR_ERROR_USAGE, "there is no memory");
    must(wr_store_make_func(b.store, ">", add, NULL, NULL, &func));
    wr_extern_t external = {WR_EXTERN_FUNC, {.func = func}};
    must_fail(wr_linker_define(other.linker, name_of("a"), name_of("b"), other.store, &external),
              WR_ERROR_USAGE, "the object belongs to another store");
    must_fail(wr_linker_define(other.linker, name_of("a"), name_of("b"), b.store, &external),
              WR_ERROR_USAGE, "the object belongs to another engine");
    bench_delete(&other);
    bench_delete(&b);
}

Test(objects, names_with_zeros) {
    Bench b = bench_new(NULL);
    wr_val_t value = i32_val(5);
    wr_global_t *global;
    wr_name_t module = {"a\0b", 3}, name = {"\0", 1}, empty = {NULL, 0};
    must(wr_store_make_global(b.store, &value, false, &global));
    wr_extern_t external = {WR_EXTERN_GLOBAL, {.global = global}}, found;
    must(wr_linker_define(b.linker, module, name, b.store, &external));
    must(wr_linker_define(b.linker, empty, empty, b.store, &external));
    wr_instance_t *instance = instance_of(
        &b, "(module (import \"a\\00b\" \"\\00\" (global i32)) (import \"\" \"\" (global i32))"
            " (export \"x\\00y\" (global 0)) (export \"\" (global 1)))");
    cr_assert(wr_instance_export_named(instance, (wr_name_t){"x\0y", 3}, &found));
    cr_assert_eq(found.of.global, global);
    cr_assert(wr_instance_export_named(instance, empty, &found));
    cr_assert_not(wr_instance_export_named(instance, name_of("x"), &found));
    cr_assert(wr_instance_export_at(instance, 1, &found) && found.kind == WR_EXTERN_GLOBAL);
    cr_assert_not(wr_instance_export_at(instance, 2, &found));
    bench_delete(&b);
}

Test(objects, aliases) {
    Bench b = bench_new(NULL);
    int offset = 0;
    wr_instance_t *instance;
    must(wr_linker_define_func(b.linker, "env", "add", "ii>i", add, &offset, NULL));
    must(wr_linker_alias(b.linker, "env", "add", "math", "plus"));
    must(wr_linker_alias(b.linker, "math", NULL, "m", NULL)); /* all of it */
    must(wr_linker_alias(b.linker, "late", "x", "m", "later"));
    must(wr_linker_alias(b.linker, "loop", "a", "loop", "b"));
    must(wr_linker_alias(b.linker, "loop", "b", "loop", "a"));
    must_fail(wr_linker_alias(b.linker, "a", NULL, "b", "c"), WR_ERROR_USAGE, "an alias of one");
    static const char *const use =
        "(module (import \"m\" \"plus\" (func $f (param i32 i32) (result i32)))"
        " (func (export \"run\") (param i32) (result i32) (call $f (local.get 0) (i32.const 2))))";
    cr_assert_eq(get_i32(&b, instance_of(&b, use), "run", 40), 42);
    must_fail(try_text(&b, "(module (import \"loop\" \"a\" (func)))", &instance),
              WR_ERROR_UNLINKABLE, "unknown import: function \"loop\" \"a\"");
    must_fail(try_text(&b, "(module (import \"m\" \"later\" (global i32)))", &instance),
              WR_ERROR_UNLINKABLE, "unknown import: global \"m\" \"later\"");
    must(wr_linker_define_instance(
        b.linker, "late", instance_of(&b, "(module (global (export \"x\") i32 (i32.const 9)))")));
    instance = instance_of(&b, "(module (import \"m\" \"later\" (global i32))"
                               " (export \"g\" (global 0)))");
    cr_assert_eq(global_i32(instance, "g"), 9);
    wr_prelinked_t *pre; /* sees through aliases as well */
    wr_module_t *module = load(b.engine, use);
    must(wr_linker_prelink(b.linker, module, &pre));
    wr_prelinked_delete(pre);
    wr_module_delete(module);
    bench_delete(&b);
}

Test(objects, reflection) {
    Bench b = bench_new(NULL);
    wr_module_t *module = load(
        b.engine, "(module (@custom \"one\" \"1\") (@custom \"two\" \"22\") (@custom \"one\" \"3\")"
                  " (import \"m\" \"f\" (func (param i32 i64 f32 f64 v128)"
                  "  (result funcref externref anyref exnref)))"
                  " (import \"m\" \"t\" (table i64 2 9 externref))"
                  " (memory (export \"mem\") 1 5 shared) (global (export \"g\") (mut f64)"
                  "  (f64.const 0)) (tag (export \"e\") (param i64)))");
    wr_extern_type_t type;
    char text[32];
    cr_assert(wr_module_import_type(module, 0, &type));
    cr_assert(type.kind == WR_EXTERN_FUNC && type.nparams == 5 && type.nresults == 4);
    cr_assert_eq(wr_module_import_signature(module, 0, text, sizeof text), 10u);
    cr_assert_str_eq(text, "iIfFv>ceax");
    cr_assert_eq(wr_module_import_signature(module, 0, text, 4), 10u);
    cr_assert_str_eq(text, "iIf");
    cr_assert(wr_module_import_type(module, 1, &type));
    cr_assert(type.kind == WR_EXTERN_TABLE && type.is_64 && type.min == 2 && type.max == 9);
    cr_assert_eq(type.value, WR_EXTERNREF);
    cr_assert_eq(wr_module_import_signature(module, 1, text, sizeof text), 0u);
    cr_assert(wr_module_export_type(module, 0, &type) && type.is_shared && type.max == 5);
    cr_assert_eq(type.page_size_log2, 16);
    cr_assert(wr_module_export_type(module, 1, &type) && type.is_mutable && type.value == WR_F64);
    cr_assert_eq(wr_module_export_signature(module, 2, text, sizeof text), 2u);
    cr_assert_str_eq(text, "I>");
    cr_assert_not(wr_module_export_type(module, 3, &type));
    const void *data;
    size_t size, found = 0;
    wr_name_t name;
    for (size_t i = 0; wr_module_custom_section_at(module, i, &name, &data, &size); i++) {
        if (name.size != 3 || memcmp(name.data, "one", 3) != 0) continue;
        cr_assert_eq(*(const char *)data, found++ == 0 ? '1' : '3');
    }
    cr_assert_eq(found, 2u);
    cr_assert(wr_module_custom_section_count(module) >= 3);
    wr_module_delete(module);
    bench_delete(&b);
}

static wr_extern_type_t type_of_export(wr_instance_t *instance, const char *name) {
    wr_extern_t external;
    wr_extern_type_t type;
    cr_assert(wr_instance_export_named(instance, name_of(name), &external));
    wr_extern_type(&external, &type);
    return type;
}

Test(objects, types_of_objects) {
    Bench b = bench_new(NULL);
    char text[8];
    wr_instance_t *instance = instance_of(
        &b, "(module (memory (export \"m\") 1 5) (memory (export \"s\") 2 3 shared)"
            " (memory (export \"n\") i64 0) (table (export \"t\") 2 9 externref)"
            " (global (export \"g\") (mut f64) (f64.const 0)) (tag (export \"e\") (param i64))"
            " (func (export \"f\") (param i32 v128) (result i64) (i64.const 0)))");
    wr_extern_type_t t = type_of_export(instance, "m");
    cr_assert(t.kind == WR_EXTERN_MEMORY && t.min == 1 && t.max == 5 && t.page_size_log2 == 16);
    cr_assert_eq(wr_memory_grow(wr_instance_memory(instance, "m"), 2), 1u);
    cr_assert_eq(type_of_export(instance, "m").min, 3u);
    t = type_of_export(instance, "s");
    cr_assert(t.is_shared && t.min == 2 && t.max == 3 && !t.is_64);
    t = type_of_export(instance, "n");
    cr_assert(t.is_64 && t.min == 0 && t.max == UINT64_MAX);
    t = type_of_export(instance, "t");
    cr_assert(t.kind == WR_EXTERN_TABLE && t.min == 2 && t.max == 9 && t.value == WR_EXTERNREF);
    t = type_of_export(instance, "g");
    cr_assert(t.kind == WR_EXTERN_GLOBAL && t.is_mutable && t.value == WR_F64);
    t = type_of_export(instance, "e");
    cr_assert(t.kind == WR_EXTERN_TAG && t.nparams == 1 && t.nresults == 0);
    t = type_of_export(instance, "f");
    cr_assert(t.kind == WR_EXTERN_FUNC && t.nparams == 2 && t.nresults == 1);
    cr_assert_eq(wr_func_signature(wr_instance_func(instance, "f"), text, sizeof text), 4u);
    cr_assert_str_eq(text, "iv>I");
    cr_assert_eq(wr_func_signature(wr_instance_func(instance, "f"), NULL, 0), 4u);
    bench_delete(&b);
}

Test(objects, checked_access) {
    Bench b = bench_new(NULL);
    wr_memory_t *memory;
    must(wr_store_make_memory(
        b.store, &(wr_memory_type_t){.min = 1, .max = UINT64_MAX, .page_size_log2 = 16}, &memory));
    uint64_t end = 65536, word64 = 0;
    uint32_t word = 0;
    char text[8];
    const char *string;
    size_t length;
    cr_assert(wr_memory_view(memory, end, 0) && !wr_memory_view(memory, end + 1, 0));
    cr_assert(!wr_memory_view(memory, UINT64_MAX, 2) && !wr_memory_view(memory, 2, UINT64_MAX));
    cr_assert(wr_memory_write(memory, end - 5, "abcd", 5));
    cr_assert_not(wr_memory_write(memory, end - 4, "abcd", 5));
    cr_assert(wr_memory_read(memory, end - 5, text, 5));
    cr_assert_str_eq(text, "abcd");
    cr_assert_not(wr_memory_read(memory, end - 4, text, 5));
    cr_assert(wr_memory_string(memory, end - 5, 100, &string, &length) && length == 4);
    cr_assert_not(wr_memory_string(memory, end - 5, 4, &string, &length), "too long");
    cr_assert(wr_memory_write(memory, end - 1, "x", 1));
    cr_assert_not(wr_memory_string(memory, end - 5, 100, &string, &length), "does not end");
    cr_assert_not(wr_memory_string(memory, end, 100, &string, &length));
    cr_assert(wr_memory_write_u32(memory, 1, 0x01020304) && wr_memory_read_u32(memory, 1, &word));
    cr_assert_eq(word, 0x01020304u);
    cr_assert_eq(wr_memory_data(memory)[1], 4, "little-endian");
    cr_assert(wr_memory_write_u64(memory, end - 8, 77) &&
              wr_memory_read_u64(memory, end - 8, &word64));
    cr_assert_eq(word64, 77u);
    cr_assert_not(wr_memory_write_u32(memory, end - 3, 1) ||
                  wr_memory_write_u64(memory, end - 7, 1));
    cr_assert_not(wr_memory_read_u32(memory, end - 3, &word) ||
                  wr_memory_read_u64(memory, end - 7, &word64));
    cr_assert_eq(wr_memory_grow(memory, 2), 1u);
    cr_assert(wr_memory_view(memory, 3 * end - 1, 1));
    cr_assert_eq(wr_memory_grow(memory, UINT64_MAX), UINT64_MAX);
    bench_delete(&b);
}

/* ---- exceptions ---- */

static wr_error_t *throw_it(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    wr_val_t values[2] = {i32_val(slots[0].i32 + 1), {.kind = WR_F64, .of.f64 = 2.5}};
    return wr_throw_new(wr_caller_store(caller), context, values, 2);
}

Test(objects, exceptions) {
    Bench b = bench_new(NULL);
    wr_tag_t *tag, *seen;
    wr_func_t *func;
    wr_val_t values[3];
    must(wr_store_make_tag(b.store, "iF>", &tag));
    must(wr_store_make_func(b.store, "i>", throw_it, tag, NULL, &func));
    define(&b, "e", (wr_extern_t){WR_EXTERN_TAG, {.tag = tag}});
    define(&b, "f", (wr_extern_t){WR_EXTERN_FUNC, {.func = func}});
    wr_instance_t *instance = instance_of(
        &b, "(module (import \"h\" \"e\" (tag $e (param i32 f64))) (import \"h\" \"f\" (func $f "
            "(param i32)))"
            " (export \"e\" (tag $e))"
            " (func (export \"catch\") (param i32) (result i32)"
            "  (block $h (result i32 f64) (try_table (catch $e $h) (call $f (local.get 0)))"
            "   (unreachable)) (drop))"
            " (func (export \"pass\") (param i32) (call $f (local.get 0))))");
    cr_assert_eq(get_i32(&b, instance, "catch", 41), 42);
    cr_assert_eq(wr_instance_tag(instance, "e"), tag);
    wr_error_t *error = call_i32(&b, instance, "pass", 6, NULL);
    cr_assert_eq(wr_error_kind(error), WR_ERROR_EXCEPTION);
    cr_assert_eq(wr_error_exception_values(error, &seen, values, 3), 2u);
    cr_assert_eq(seen, tag);
    cr_assert(values[0].of.i32 == 7 && values[1].of.f64 == 2.5);
    must_fail(wr_throw_new(b.store, tag, values, 1), WR_ERROR_USAGE, "wrong number of values");
    must_fail(wr_throw_new(b.store, tag, (wr_val_t[]){values[1], values[0]}, 2), WR_ERROR_USAGE,
              "the value is of another kind");
    bench_delete(&b);
    cr_assert_eq(wr_error_exception_values(error, &seen, values, 3), 0u);
    cr_assert_null(seen);
    wr_error_delete(error);
}

/* ---- callbacks that answer through a parameter ---- */

static void answer(wr_caller_t *caller, void *context, wr_slot_t *slots, wr_error_t **error) {
    cr_assert_not_null(wr_caller_store(caller));
    int mode = slots[0].i32;
    if (mode == 0) return;
    slots[0].i32 = *(int *)context;
    *error = mode == 1 ? NULL : wr_trap_new("mine");
}

Test(objects, callbacks) {
    Bench b = bench_new(NULL);
    int context = 7;
    wr_func_t *func;
    finalized = 0;
    must(wr_store_make_callback(b.store, "i>i", answer, &context, count, &func));
    must(wr_linker_define_callback(b.linker, "h", "g", "i>i", answer, &context, count));
    must_fail(wr_store_make_callback(b.store, "?", answer, &context, count, &func), WR_ERROR_USAGE,
              "bad signature");
    must_fail(wr_linker_define_callback(b.linker, "h", "g", "i", answer, &context, count),
              WR_ERROR_USAGE, "bad signature");
    cr_assert_eq(finalized, 0);
    define(&b, "f", (wr_extern_t){WR_EXTERN_FUNC, {.func = func}});
    wr_instance_t *instance =
        instance_of(&b, "(module (import \"h\" \"f\" (func $f (param i32) (result i32)))"
                        " (import \"h\" \"g\" (func $g (param i32) (result i32)))"
                        " (func (export \"f\") (param i32) (result i32) (call $f (local.get 0)))"
                        " (func (export \"g\") (param i32) (result i32) (call $g (local.get 0))))");
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "f" : "g";
        cr_assert_eq(get_i32(&b, instance, name, 1), 7);
        must_fail(call_i32(&b, instance, name, 2, NULL), WR_ERROR_TRAP, "mine");
        must_fail(call_i32(&b, instance, name, 0, NULL), WR_ERROR_TRAP,
                  "the host function gave no answer");
    }
    bench_delete(&b);
    cr_assert_eq(finalized, 2);
}

/* ---- errors that carry something, and errors without their store ---- */

static wr_error_t *fail_with(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)slots;
    wr_error_t *error = wr_trap_new("no");
    cr_assert(wr_error_set_data(error, context, count));
    return error;
}

Test(objects, data_of_errors) {
    Bench b = bench_new(NULL);
    wr_func_t *func;
    int mine = 0, other = 0;
    must(wr_store_make_func(b.store, ">", fail_with, &mine, NULL, &func));
    define(&b, "f", (wr_extern_t){WR_EXTERN_FUNC, {.func = func}});
    wr_instance_t *instance = instance_of(
        &b, "(module (import \"h\" \"f\" (func $f)) (func (export \"run\") (call $f)))");
    finalized = 0;
    wr_error_t *error = wr_func_call(b.store, wr_instance_func(instance, "run"), NULL, 0, NULL, 0);
    cr_assert_eq(wr_error_trap_code(error), WR_TRAP_HOST);
    cr_assert_eq(wr_error_data(error), &mine);
    bench_delete(&b);
    cr_assert_eq(finalized, 0);
    cr_assert(wr_error_set_data(error, &other, count));
    cr_assert_eq(finalized, 1);
    cr_assert_eq(wr_error_data(error), &other);
    wr_error_delete(error);
    cr_assert_eq(finalized, 2);
    error = wr_exit_new(3);
    cr_assert_null(wr_error_data(error));
    wr_error_delete(error);
}

Test(objects, detached_exceptions) {
    Bench b = bench_new(NULL);
    wr_tag_t *tag, *seen;
    wr_val_t value = i32_val(5);
    must(wr_store_make_tag(b.store, "i>", &tag));
    wr_error_t *error = wr_throw_new(b.store, tag, &value, 1);
    wr_error_t *listed = wr_throw_new(b.store, tag, &value, 1);
    wr_error_detach(error);
    wr_error_detach(error);
    cr_assert_eq(wr_error_exception_values(error, &seen, NULL, 0), 0u);
    cr_assert_null(seen);
    cr_assert_eq(wr_error_exception_values(listed, &seen, NULL, 0), 1u);
    cr_assert_eq(wr_error_kind(error), WR_ERROR_EXCEPTION);
    cr_assert_str_eq(wr_error_message(error), "exception 5");
    wr_error_delete(error);
    bench_delete(&b);
    wr_error_delete(listed);
}

/* ---- the guest's heap ---- */

Test(objects, heap) {
    wr_config_t *config = wr_config_new();
    wr_config_set_gc_debug(config, WR_GC_STEPS | WR_GC_VERIFY);
    Bench b = bench_new(config);
    wr_instance_t *instance = instance_of(
        &b, "(module (type $s (struct (field (mut i8)) (field i64) (field (mut anyref))"
            "  (field (mut v128)))) (type $b (array (mut i8))) (type $a (array (mut anyref)))"
            " (type $r (array (ref $s))) (type $f (func))"
            " (func (export \"sum\") (param anyref) (result i64) (local $s (ref $s))"
            "  (local.set $s (ref.cast (ref $s) (local.get 0)))"
            "  (i64.add (struct.get $s 1 (local.get $s))"
            "   (i64.extend_i32_u (struct.get_u $s 0 (local.get $s))))))");
    wr_val_t s, bytes, array, value,
        four[4] = {i32_val(0x1ff),
                   {.kind = WR_I64, .of.i64 = 1000},
                   wr_i31_new(-5),
                   {.kind = WR_V128, .of.v128 = {9}}};
    must(wr_object_new_struct(instance, 0, four, 4, &s));
    must(wr_func_call(b.store, wr_instance_func(instance, "sum"), &s, 1, &value, 1));
    cr_assert_eq(value.of.i64, 1255);
    cr_assert_eq(wr_object_kind(b.store, &s), WR_OBJECT_STRUCT);
    cr_assert_eq(wr_object_length(b.store, &s), 4u);
    cr_assert(wr_object_get(b.store, &s, 0, &value) && value.of.i32 == 255);
    int32_t number;
    cr_assert(wr_object_get(b.store, &s, 2, &value) && wr_i31_get(&value, &number) && number == -5);
    cr_assert_eq(wr_object_kind(b.store, &value), WR_OBJECT_I31);
    cr_assert(wr_object_get(b.store, &s, 3, &value) && value.of.v128[0] == 9);
    cr_assert_not(wr_object_get(b.store, &s, 4, &value));
    must_fail(wr_object_set(b.store, &s, 1, &four[1]), WR_ERROR_USAGE, "the field is immutable");
    must_fail(wr_object_set(b.store, &s, 0, &four[1]), WR_ERROR_USAGE, "the value is of another");

    must(wr_object_new_array(instance, 1, 10, NULL, &bytes));
    cr_assert(wr_object_write_bytes(b.store, &bytes, 2, "hello", 5));
    cr_assert_not(wr_object_write_bytes(b.store, &bytes, 6, "hello", 5));
    char text[8] = {0};
    cr_assert(wr_object_read_bytes(b.store, &bytes, 2, text, 5));
    cr_assert_str_eq(text, "hello");
    cr_assert(wr_object_get(b.store, &bytes, 2, &value) && value.of.i32 == 'h');
    must(wr_object_set(b.store, &s, 2, &bytes));

    must(wr_object_new_array(instance, 2, 3, &s, &array));
    cr_assert_eq(wr_object_kind(b.store, &array), WR_OBJECT_ARRAY);
    for (int i = 0; i < 1000; i++) { /* with a collection under way all the time */
        must(wr_object_new_struct(instance, 0, NULL, 0, &value));
        must(wr_object_set(b.store, &array, (size_t)i % 3, &value));
    }
    cr_assert_not(wr_object_read_bytes(b.store, &array, 0, text, 1), "no bytes");
    must_fail(wr_object_new_array(instance, 3, 1, NULL, &array), WR_ERROR_USAGE,
              "elements of type 3");
    must(wr_object_new_array(instance, 3, 1, &s, &array));
    must_fail(wr_object_new_array(instance, 0, 1, NULL, &array), WR_ERROR_USAGE, "type 0 of the");
    must_fail(wr_object_new_struct(instance, 4, NULL, 0, &array), WR_ERROR_USAGE, "type 4 of the");
    must_fail(wr_object_new_struct(instance, 99, NULL, 0, &array), WR_ERROR_USAGE, "type 99");
    must_fail(wr_object_new_struct(instance, 0, four, 3, &array), WR_ERROR_USAGE, "wrong number");
    value = (wr_val_t){.kind = WR_ANYREF, .of.ref = 0x7ffffff8};
    cr_assert_eq(wr_object_kind(b.store, &value), WR_OBJECT_NONE);
    cr_assert_eq(wr_object_length(b.store, &value), 0u);
    bench_delete(&b);
}

/* ---- pins ---- */

Test(objects, pins) {
    Bench b = bench_new(NULL);
    wr_instance_t *instance = instance_of(
        &b, "(module (type $s (struct (field i32)))"
            " (func (export \"new\") (param i32) (result anyref) (struct.new $s (local.get 0)))"
            " (func (export \"get\") (param anyref) (result i32)"
            "  (struct.get $s 0 (ref.cast (ref $s) (local.get 0)))))");
    wr_func_t *make = wr_instance_func(instance, "new"), *get = wr_instance_func(instance, "get");
    enum { N = 50 };
    wr_val_t objects[N], number;
    uint32_t pins[N];
    size_t scope = wr_store_open_scope(b.store);
    for (int i = 0; i < N; i++) {
        number = i32_val(i);
        must(wr_func_call(b.store, make, &number, 1, &objects[i], 1));
        must(wr_store_pin(b.store, &objects[i], &pins[i]));
    }
    wr_store_close_scope(b.store, scope);
    for (int i = 0; i < N; i += 2) wr_store_unpin(b.store, pins[i]);
    wr_store_unpin(b.store, pins[0]); /* again, and one that never was: nothing happens */
    wr_store_unpin(b.store, 100000);
    wr_store_collect(b.store);
    wr_heap_stats_t stats;
    wr_store_get_heap_stats(b.store, &stats);
    cr_assert_eq(stats.live_bytes, N / 2 * 8u);
    for (int i = 1; i < N; i += 2) {
        must(wr_func_call(b.store, get, &objects[i], 1, &number, 1));
        cr_assert_eq(number.of.i32, i);
    }
    uint32_t again; /* places are used again */
    must(wr_store_pin(b.store, &objects[1], &again));
    cr_assert_lt(again, (uint32_t)N);
    number = i32_val(1);
    must_fail(wr_store_pin(b.store, &number, &again), WR_ERROR_USAGE, "only references");
    bench_delete(&b);
}

/* ---- the standard C API's objects ---- */

Test(objects, bridge) {
    wasm_config_t *config = wasm_config_new();
    wr_config_set_max_stack(wr_config_of_wasm(config), 65536);
    wasm_engine_t *engine = wasm_engine_new_with_config(config);
    wasm_store_t *store = wasm_store_new(engine);
    wr_store_t *ours = wr_store_of_wasm(store);
    wr_linker_t *linker = wr_linker_new(wr_engine_of_wasm(engine));
    int offset = 1;
    must(wr_linker_define_func(linker, "h", "add", "ii>i", add, &offset, NULL));
    wr_module_t *module =
        load(wr_engine_of_wasm(engine),
             "(module (import \"h\" \"add\" (func $f (param i32 i32) (result i32)))"
             " (func (export \"run\") (result i32) (loop (br 0)) (i32.const 1))"
             " (export \"add\" (func $f)))");
    wr_instance_t *instance;
    must(wr_linker_instantiate(linker, ours, module, &instance));
    wr_module_delete(module);
    wr_linker_delete(linker);
    wasm_instance_t *standard = wr_instance_to_wasm(store, instance);
    cr_assert_eq(wr_instance_of_wasm(standard), instance);
    wasm_extern_vec_t exports;
    wasm_instance_exports(standard, &exports);
    wasm_instance_delete(standard);
    wasm_val_t args[2] = {WASM_I32_VAL(3), WASM_I32_VAL(4)}, result;
    wasm_val_vec_t from = WASM_ARRAY_VEC(args), to = {1, &result}, none = WASM_EMPTY_VEC;
    cr_assert_null(wasm_func_call(wasm_extern_as_func(exports.data[1]), &from, &to));
    cr_assert_eq(result.of.i32, 8);
    wr_store_set_fuel(ours, 1000);
    wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), &none, &to);
    cr_assert_eq(wr_error_trap_code(wr_error_of_wasm(trap)), WR_TRAP_OUT_OF_FUEL);
    wasm_trap_delete(trap);
    wr_extern_t external;
    cr_assert(wr_extern_of_wasm(exports.data[0], &external));
    wasm_extern_t *again = wr_extern_to_wasm(store, &external);
    cr_assert(wasm_extern_same(again, exports.data[0]));
    wasm_extern_delete(again);
    wasm_store_delete(store);
    cr_assert_not(wr_extern_of_wasm(exports.data[0], &external));
    wasm_extern_vec_delete(&exports);
    wasm_engine_delete(engine);
}

/* ---- logging ---- */

typedef struct Log {
    int messages[4];
    char last[4][200]; /* by level: engines that compile have more to tell */
} Log;

static void note_message(void *context, wr_log_level_t level, const char *message) {
    Log *log = context;
    log->messages[level]++;
    snprintf(log->last[level], sizeof log->last[level], "%s", message);
}

Test(objects, logging) {
    Log log = {0};
    wr_config_t *config = wr_config_new();
    wr_config_set_log(config, note_message, &log, WR_LOG_DEBUG);
    Bench b = bench_new(config);
    wr_module_delete(load(b.engine, "(module (func))"));
    cr_assert_eq(log.messages[WR_LOG_DEBUG], 1);
    const char *last = log.last[WR_LOG_DEBUG];
    cr_assert_eq(strncmp(last, "module of ", 10), 0, "%s", last);
    must_fail(wr_module_validate(b.engine, "x", 1), WR_ERROR_MALFORMED, "unexpected end");
    last = log.last[WR_LOG_INFO];
    cr_assert_not_null(strstr(last, "refused: unexpected end"), "%s", last);
    bench_delete(&b);
}
