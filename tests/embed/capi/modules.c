/* Modules: validating, serializing, and sharing one between threads that have stores of their own. */
#include <pthread.h>

#include "support.h"

enum { THREADS = 8, ROUNDS = 20 };

static const char *const text =
    "(module (import \"\" \"add\" (func $add (param i32 i32) (result i32)))"
    " (import \"\" \"id\" (global $id i32))"
    " (func (export \"run\") (param i32) (result i32) (local i32)"
    "  (loop (local.set 1 (call $add (local.get 1) (global.get $id)))"
    "   (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
    "  (local.get 1)))";

static wasm_trap_t *add(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0] = i32_val(args->data[0].of.i32 + args->data[1].of.i32);
    return NULL;
}

typedef struct Job {
    wasm_engine_t *engine;
    const wasm_shared_module_t *shared;
    int id;
} Job;

static int32_t run_once(wasm_store_t *store, const wasm_module_t *module, int id) {
    wasm_functype_t *type = wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_i32(),
                                                  wasm_valtype_new_i32());
    wasm_globaltype_t *global_type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST);
    wasm_val_t value = i32_val(id), count = i32_val(100), result;
    wasm_func_t *func = wasm_func_new(store, type, add);
    wasm_global_t *global = wasm_global_new(store, global_type, &value);
    wasm_functype_delete(type);
    wasm_globaltype_delete(global_type);
    wasm_extern_t *given[2] = {wasm_func_as_extern(func), wasm_global_as_extern(global)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given);
    wasm_instance_t *instance = wasm_instance_new(store, module, &imports, NULL);
    CHECK(instance);
    wasm_func_delete(func);
    wasm_global_delete(global);
    func = func_of(instance, 0);
    wasm_instance_delete(instance);
    CHECK(!call(func, &count, 1, &result, 1));
    wasm_func_delete(func);
    return result.of.i32;
}

static void *work(void *argument) {
    const Job *job = (const Job *)argument;
    wasm_store_t *store = wasm_store_new(job->engine);
    wasm_module_t *module = wasm_module_obtain(store, job->shared);
    for (int i = 0; i < ROUNDS; i++) CHECK(run_once(store, module, job->id) == 100 * job->id);
    wasm_module_delete(module);
    wasm_store_delete(store);
    return NULL;
}

static void share(wasm_engine_t *engine) {
    wasm_store_t *store = wasm_store_new(engine);
    wasm_module_t *module = module_of(store, text);
    wasm_shared_module_t *shared = wasm_module_share(module);
    wasm_module_delete(module);
    wasm_store_delete(store);
    wasm_engine_t *other = wasm_engine_new(); /* whose types are not this module's */
    store = wasm_store_new(other);
    CHECK(!wasm_module_obtain(store, shared));
    wasm_store_delete(store);
    wasm_engine_delete(other);
    pthread_t threads[THREADS];
    Job jobs[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i].engine = engine, jobs[i].shared = shared, jobs[i].id = i;
        CHECK(pthread_create(&threads[i], NULL, work, &jobs[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    wasm_shared_module_delete(shared);
}

static void validate_and_serialize(wasm_engine_t *engine) {
    wasm_store_t *store = wasm_store_new(engine);
    wasm_byte_vec_t binary = binary_of(text), bad, serialized, empty;
    CHECK(wasm_module_validate(store, &binary));
    wasm_byte_vec_copy(&bad, &binary);
    bad.data[8] = 0x7f; /* no such section */
    CHECK(!wasm_module_validate(store, &bad) && !wasm_module_new(store, &bad));
    wasm_byte_vec_new_empty(&empty);
    CHECK(!wasm_module_validate(store, &empty) && !wasm_module_deserialize(store, &empty));
    wasm_module_t *module = wasm_module_new(store, &binary);
    wasm_module_serialize(module, &serialized);
    wasm_module_delete(module);
    CHECK(!wasm_module_deserialize(store, &binary)); /* that is not what was serialized */
    module = wasm_module_deserialize(store, &serialized);
    CHECK(module && run_once(store, module, 3) == 300);
    wasm_module_delete(module);
    for (size_t i = 0; i < serialized.size; i++) { /* no byte of it is believed */
        serialized.data[i] ^= (char)0x55;
        wasm_module_delete(wasm_module_deserialize(store, &serialized));
        serialized.data[i] ^= (char)0x55;
    }
    for (size_t full = serialized.size; serialized.size > 0; serialized.size--) {
        module = wasm_module_deserialize(store, &serialized);
        CHECK(!module || serialized.size == full);
        wasm_module_delete(module);
        if (serialized.size == 1) {
            serialized.size = full;
            break;
        }
    }
    wasm_byte_vec_delete(&serialized);
    wasm_byte_vec_delete(&bad);
    wasm_byte_vec_delete(&binary);
    wasm_store_delete(store);
}

int main(void) {
    wasm_engine_t *engine = wasm_engine_new();
    validate_and_serialize(engine);
    share(engine);
    wasm_engine_delete(engine);
    puts("modules: ok");
    return 0;
}
