/* References: values of reference types, identity, host info and finalizers, and stores that go first. */
#include "support.h"

static wasm_engine_t *engine;
static int finalized;

static void count(void *info) { finalized += *(int *)info; }
static int one = 1, ten = 10;

static wasm_trap_t *identity(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_val_copy(&results->data[0], &args->data[0]);
    return NULL;
}

/* The global's value, of which the caller owns a reference. */
static wasm_ref_t *global_ref(wasm_extern_t *global) {
    wasm_val_t value;
    wasm_global_get(wasm_extern_as_global(global), &value);
    return value.of.ref;
}

static const char *const holder =
    "(module (import \"\" \"id\" (func $id (param externref) (result externref)))"
    " (global $g (export \"g\") (mut externref) (ref.null extern))"
    " (func (export \"set\") (param externref) (global.set $g (call $id (local.get 0))))"
    " (func (export \"get\") (result externref) (global.get $g))"
    " (func (export \"any\") (param anyref) (result anyref) (local.get 0))"
    " (type $s (struct (field (mut i32))))"
    " (func (export \"new\") (param i32) (result anyref) (struct.new $s (local.get 0)))"
    " (func (export \"field\") (param anyref) (result i32)"
    "  (struct.get $s 0 (ref.cast (ref $s) (local.get 0))))"
    " (func (export \"churn\") (local i32)"
    "  (loop (drop (struct.new $s (local.get 0)))"
    "   (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))"
    "    (i32.const 200000)))))"
    " (func (export \"i31\") (param i32) (result anyref) (ref.i31 (local.get 0)))"
    " (func (export \"nonnull\") (param (ref extern))))";
enum { GLOBAL, SET, GET, ANY, NEW, FIELD, CHURN, I31, NONNULL };

static wasm_instance_t *make_holder(wasm_store_t *store) {
    wasm_functype_t *type =
        wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
    wasm_func_t *id = wasm_func_new(store, type, identity);
    wasm_functype_delete(type);
    wasm_extern_t *given = wasm_func_as_extern(id);
    wasm_extern_vec_t imports = {1, &given};
    wasm_instance_t *instance = instance_of(store, holder, &imports);
    wasm_func_delete(id);
    return instance;
}

static wasm_trap_t *call_nth(wasm_instance_t *instance, size_t n, wasm_val_t *arg, size_t nargs,
                             wasm_val_t *result, size_t nresults) {
    wasm_func_t *func = func_of(instance, n);
    wasm_trap_t *trap = call(func, arg, nargs, result, nresults);
    wasm_func_delete(func);
    return trap;
}

static void foreign_objects(void) {
    wasm_store_t *store = wasm_store_new(engine);
    wasm_instance_t *instance = make_holder(store);
    wasm_extern_t *global = export_of(instance, GLOBAL);
    wasm_ref_t *a = wasm_foreign_as_ref(wasm_foreign_new(store));
    wasm_ref_t *b = wasm_foreign_as_ref(wasm_foreign_new(store)), *back;
    CHECK(!wasm_ref_same(a, b) && !wasm_ref_get_host_info(a));
    wasm_ref_set_host_info_with_finalizer(a, &one, count);
    wasm_ref_set_host_info_with_finalizer(b, &ten, count);
    wasm_val_t arg = ref_val(WASM_EXTERNREF, a), got;
    CHECK(!call_nth(instance, SET, &arg, 1, NULL, 0));
    back = global_ref(global);
    CHECK(wasm_ref_same(back, a) && wasm_ref_as_foreign(back) && !wasm_ref_as_func(back));
    CHECK(wasm_ref_get_host_info(back) == &one);
    wasm_ref_delete(back);
    wasm_ref_delete(a); /* the guest may still ask for it: it stays */
    wasm_ref_delete(b); /* this one goes at once */
    CHECK(finalized == 10);
    CHECK(!call_nth(instance, GET, NULL, 0, &got, 1));
    CHECK(got.kind == WASM_EXTERNREF && wasm_ref_get_host_info(got.of.ref) == &one);
    wasm_val_delete(&got);
    arg = ref_val(WASM_EXTERNREF, wasm_instance_as_ref(instance)); /* anything is a host value */
    CHECK(!call_nth(instance, SET, &arg, 1, NULL, 0));
    back = global_ref(global);
    CHECK(wasm_ref_as_instance(back) == instance);
    wasm_ref_delete(back);
    arg.of.ref = NULL;
    CHECK(!call_nth(instance, SET, &arg, 1, NULL, 0) && !global_ref(global));
    CHECK(trap_is(call_nth(instance, NONNULL, &arg, 1, NULL, 0),
                  "argument 1 of 1: no such reference"));
    wasm_extern_delete(global);
    wasm_instance_delete(instance);
    wasm_store_delete(store);
    CHECK(finalized == 11);
}

/* Objects of the guest's are kept while a reference to them is. */
static void heap_objects(void) {
    wasm_store_t *store = wasm_store_new(engine);
    wasm_instance_t *instance = make_holder(store);
    wasm_val_t objects[100], number, arg = i32_val(0);
    for (int i = 0; i < 100; i++) {
        arg = i32_val(i);
        CHECK(!call_nth(instance, NEW, &arg, 1, &objects[i], 1));
        CHECK(objects[i].kind == WASM_ANYREF);
    }
    for (int i = 0; i < 100; i += 2) wasm_val_delete(&objects[i]);
    CHECK(!call_nth(instance, CHURN, NULL, 0, NULL, 0));
    for (int i = 1; i < 100; i += 2) {
        CHECK(!call_nth(instance, FIELD, &objects[i], 1, &number, 1) && number.of.i32 == i);
        wasm_val_t same;
        CHECK(!call_nth(instance, ANY, &objects[i], 1, &same, 1));
        CHECK(same.of.ref == objects[i].of.ref);
        wasm_val_delete(&same);
        wasm_val_delete(&objects[i]);
    }
    wasm_val_t a, b;
    arg = i32_val(-7);
    CHECK(!call_nth(instance, I31, &arg, 1, &a, 1) && !call_nth(instance, I31, &arg, 1, &b, 1));
    CHECK(wasm_ref_same(a.of.ref, b.of.ref));
    CHECK(trap_is(call_nth(instance, FIELD, &a, 1, &number, 1), "cast failure"));
    wasm_val_delete(&a);
    wasm_ref_t *late = b.of.ref;
    wasm_instance_delete(instance);
    wasm_store_delete(store);
    wasm_ref_delete(late); /* after its store */
}

static void info(void) {
    finalized = 0;
    wasm_store_t *store = wasm_store_new(engine);
    wasm_instance_t *instance = instance_of(store, "(module (func (export \"f\")))", NULL);
    wasm_func_t *f = func_of(instance, 0), *copy = wasm_func_copy(f);
    wasm_func_set_host_info_with_finalizer(f, &one, count);
    CHECK(wasm_func_get_host_info(copy) == &one);
    wasm_func_delete(f);
    wasm_func_delete(copy);
    f = func_of(instance, 0); /* the same object: its info has stayed */
    CHECK(wasm_func_get_host_info(f) == &one && finalized == 0);
    wasm_func_set_host_info_with_finalizer(f, &ten, count);
    CHECK(finalized == 1);
    wasm_func_set_host_info(f, NULL);
    CHECK(finalized == 11);
    wasm_extern_set_host_info_with_finalizer(wasm_func_as_extern(f), &ten, count);
    wasm_instance_set_host_info_with_finalizer(instance, &one, count);
    wasm_module_t *module = module_of(store, "(module)");
    wasm_module_set_host_info_with_finalizer(module, &one, count);
    wasm_module_delete(module);
    CHECK(finalized == 12);
    wasm_instance_delete(instance);
    wasm_store_delete(store);
    CHECK(finalized == 23);
    wasm_func_delete(f);
    CHECK(finalized == 23);
}

/* References that outlive their store are dead, not dangling. */
static void late_references(void) {
    wasm_store_t *store = wasm_store_new(engine);
    wasm_instance_t *instance =
        instance_of(store,
                    "(module (func (export \"f\") unreachable) (memory (export \"m\") 1)"
                    " (table (export \"t\") 1 funcref) (global (export \"g\") i32 (i32.const 1)))",
                    NULL);
    wasm_module_t *module = module_of(store, "(module (func (export \"x\")))");
    wasm_extern_vec_t exports, none;
    wasm_exporttype_vec_t types;
    wasm_instance_exports(instance, &exports);
    wasm_func_t *f = wasm_extern_as_func(exports.data[0]);
    wasm_trap_t *trap = call(f, NULL, 0, NULL, 0);
    wasm_store_delete(store);
    CHECK(trap_is(call(f, NULL, 0, NULL, 0), "the object's store was deleted"));
    CHECK(!wasm_func_type(f) && wasm_func_param_arity(f) == 0);
    CHECK(wasm_memory_size(wasm_extern_as_memory(exports.data[1])) == 0);
    CHECK(!wasm_memory_data(wasm_extern_as_memory(exports.data[1])));
    CHECK(!wasm_table_grow(wasm_extern_as_table(exports.data[2]), 1, NULL));
    CHECK(!wasm_extern_type(exports.data[3]));
    wasm_instance_exports(instance, &none);
    CHECK(none.size == 0);
    wasm_module_exports(module, &types);
    CHECK(types.size == 1);
    wasm_exporttype_vec_delete(&types);
    wasm_frame_t *frame = wasm_trap_origin(trap);
    CHECK(frame && !wasm_frame_instance(frame));
    wasm_frame_delete(frame);
    CHECK(trap_is(trap, "unreachable"));
    wasm_module_delete(module);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
}

/* An environment that holds references of its own store. */
static void release(void *env) { wasm_memory_delete((wasm_memory_t *)env); }
static wasm_trap_t *nothing(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)env, (void)args, (void)results;
    return NULL;
}
static void cycles(void) {
    wasm_store_t *store = wasm_store_new(engine);
    wasm_limits_t limits = {1, 1};
    wasm_memorytype_t *memory_type = wasm_memorytype_new(&limits);
    wasm_functype_t *type = wasm_functype_new_0_0();
    wasm_memory_t *memory = wasm_memory_new(store, memory_type);
    wasm_func_t *f = wasm_func_new_with_env(store, type, nothing, memory, release);
    wasm_memory_set_host_info_with_finalizer(memory, wasm_memory_copy(memory),
                                             release); /* to itself, even */
    wasm_functype_delete(type);
    wasm_memorytype_delete(memory_type);
    CHECK(!call(f, NULL, 0, NULL, 0));
    wasm_func_delete(f);
    wasm_store_delete(store);
}

int main(void) {
    engine = wasm_engine_new();
    foreign_objects();
    heap_objects();
    info();
    late_references();
    cycles();
    wasm_engine_delete(engine);
    puts("refs: ok");
    return 0;
}
