/* Traps: messages, frames, and their way through host functions. */
#include "support.h"

static wasm_engine_t *engine;
static wasm_store_t *store;
static wasm_func_t *inner; /* what `nested` calls */

static wasm_trap_t *fail(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_message_t message;
    (void)args, (void)results;
    wasm_name_new_from_string_nt(&message, (const char *)env);
    wasm_trap_t *trap = wasm_trap_new(store, &message);
    wasm_name_delete(&message);
    return trap;
}

static wasm_trap_t *nested(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    return call(inner, NULL, 0, NULL, 0);
}

static wasm_trap_t *wrong_result(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args;
    results->data[0].kind = WASM_F64;
    results->data[0].of.f64 = 1;
    return NULL;
}

static wasm_func_t *host_func(wasm_functype_t *type, wasm_func_callback_t plain, const char *env) {
    wasm_func_t *func = plain ? wasm_func_new(store, type, plain)
                              : wasm_func_new_with_env(store, type, fail, (void *)env, NULL);
    wasm_functype_delete(type);
    return func;
}

static const char *const text =
    "(module (import \"\" \"fail\" (func $fail)) (import \"\" \"nested\" (func $nested))"
    " (import \"\" \"wrong\" (func $wrong (result i32)))"
    " (func $a (export \"a\") (call $fail))"
    " (func $b (export \"b\") (nop) (call $a))"
    " (func (export \"c\") (drop (i32.div_s (i32.const 1) (i32.const 0))))"
    " (func (export \"d\") (call $nested))"
    " (func $e (export \"e\") (call $e))"
    " (func (export \"w\") (drop (call $wrong))))";
enum { A, B, C, D, E, W, FIRST_OWN = 3 };

static void frames(wasm_instance_t *instance) {
    wasm_func_t *b = func_of(instance, B);
    wasm_trap_t *trap = call(b, NULL, 0, NULL, 0);
    wasm_frame_vec_t trace, copy;
    CHECK(trap);
    wasm_frame_t *origin = wasm_trap_origin(trap);
    CHECK(wasm_frame_func_index(origin) == FIRST_OWN + A && wasm_frame_func_offset(origin) == 0);
    CHECK(wasm_frame_module_offset(origin) > 0);
    wasm_trap_trace(trap, &trace);
    CHECK(trace.size == 2);
    wasm_frame_vec_copy(&copy, &trace);
    wasm_frame_vec_delete(&trace);
    CHECK(wasm_frame_func_index(copy.data[1]) == FIRST_OWN + B);
    CHECK(wasm_frame_func_offset(copy.data[1]) == 1);
    CHECK(wasm_instance_same(wasm_frame_instance(copy.data[1]), instance));
    wasm_frame_vec_delete(&copy);
    wasm_frame_delete(origin);
    wasm_trap_t *another = wasm_trap_copy(trap);
    CHECK(wasm_trap_same(another, trap) && wasm_ref_as_trap(wasm_trap_as_ref(trap)) == trap);
    wasm_trap_delete(another);
    CHECK(trap_is(trap, "host says no"));
    wasm_func_delete(b);
}

/* Through a host function in the middle: its own frames come first. */
static void through_the_host(wasm_instance_t *instance) {
    wasm_func_t *d = func_of(instance, D);
    inner = func_of(instance, C);
    wasm_trap_t *trap = call(d, NULL, 0, NULL, 0);
    wasm_frame_vec_t trace;
    wasm_trap_trace(trap, &trace);
    CHECK(trace.size == 2 && wasm_frame_func_index(trace.data[0]) == FIRST_OWN + C &&
          wasm_frame_func_index(trace.data[1]) == FIRST_OWN + D);
    wasm_frame_vec_delete(&trace);
    CHECK(trap_is(trap, "integer divide by zero"));
    wasm_func_delete(inner);
    inner = d; /* until the host's stack has enough of it */
    CHECK(trap_is(call(d, NULL, 0, NULL, 0), "call stack exhausted"));
    wasm_func_delete(d);
}

static void others(wasm_instance_t *instance) {
    wasm_func_t *e = func_of(instance, E), *w = func_of(instance, W);
    wasm_frame_vec_t trace;
    wasm_trap_t *trap = call(e, NULL, 0, NULL, 0);
    wasm_trap_trace(trap, &trace);
    CHECK(trace.size > 10 && trace.size < 1000);
    wasm_frame_vec_delete(&trace);
    CHECK(trap_is(trap, "call stack exhausted"));
    CHECK(trap_is(call(w, NULL, 0, NULL, 0), "result of a host function: a value of another kind"));
    wasm_func_delete(e);
    wasm_func_delete(w);
    wasm_message_t message;
    wasm_name_new_from_string(&message, "no zero at the end"); /* is fine as well */
    trap = wasm_trap_new(store, &message);
    wasm_name_delete(&message);
    CHECK(!wasm_trap_origin(trap));
    wasm_trap_trace(trap, &trace);
    CHECK(trace.size == 0);
    CHECK(trap_is(trap, "no zero at the end"));
}

int main(void) {
    engine = wasm_engine_new();
    store = wasm_store_new(engine);
    wasm_func_t *funcs[3];
    wasm_extern_t *given[3];
    funcs[0] = host_func(wasm_functype_new_0_0(), NULL, "host says no");
    funcs[1] = host_func(wasm_functype_new_0_0(), nested, NULL);
    funcs[2] = host_func(wasm_functype_new_0_1(wasm_valtype_new_i32()), wrong_result, NULL);
    for (int i = 0; i < 3; i++) given[i] = wasm_func_as_extern(funcs[i]);
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given);
    wasm_instance_t *instance = instance_of(store, text, &imports);
    for (int i = 0; i < 3; i++) wasm_func_delete(funcs[i]);
    frames(instance);
    through_the_host(instance);
    others(instance);
    wasm_instance_delete(instance);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    puts("traps: ok");
    return 0;
}
