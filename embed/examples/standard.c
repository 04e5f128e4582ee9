/*
 * standard.c - the standard C API (wasm.h): the same program runs with any engine that provides it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <wasm.h>

/* (module
 *   (import "host" "print" (func $print (param i32)))
 *   (func (export "divide") (param i32 i32) (result i32)
 *     (call $print (local.get 0))
 *     (call $print (local.get 1))
 *     (i32.div_s (local.get 0) (local.get 1))))
 */
static const unsigned char module_bytes[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,                         /* \0asm, version 1 */
    0x01, 0x0b, 0x02, 0x60, 0x01, 0x7f, 0x00, 0x60, 0x02, 0x7f, 0x7f, 0x01, /* types */
    0x7f, 0x02, 0x0e, 0x01, 0x04, 'h',  'o',  's',  't',  0x05, 'p',  'r',  /* import */
    'i',  'n',  't',  0x00, 0x00, 0x03, 0x02, 0x01, 0x01,                   /* function 1 */
    0x07, 0x0a, 0x01, 0x06, 'd',  'i',  'v',  'i',  'd',  'e',  0x00, 0x01, /* export */
    0x0a, 0x11, 0x01, 0x0f, 0x00, 0x20, 0x00, 0x10, 0x00, 0x20, 0x01, 0x10, /* code */
    0x00, 0x20, 0x00, 0x20, 0x01, 0x6d, 0x0b,
};

static wasm_trap_t *print(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)results;
    printf("the guest says %d\n", args->data[0].of.i32);
    return NULL;
}

static void divide(const wasm_func_t *func, int a, int b) {
    wasm_val_t numbers[2] = {WASM_I32_VAL(a), WASM_I32_VAL(b)}, quotient[1] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(numbers), results = WASM_ARRAY_VEC(quotient);
    wasm_trap_t *trap = wasm_func_call(func, &args, &results);
    if (!trap) {
        printf("quotient %d\n", quotient[0].of.i32);
        return;
    }
    wasm_message_t message;
    wasm_frame_t *origin = wasm_trap_origin(trap);
    wasm_trap_message(trap, &message);
    printf("%s, in function %u\n", message.data, wasm_frame_func_index(origin));
    wasm_frame_delete(origin);
    wasm_name_delete(&message);
    wasm_trap_delete(trap);
}

int main(void) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_byte_vec_t binary;
    wasm_byte_vec_new(&binary, sizeof module_bytes, (const wasm_byte_t *)module_bytes);
    wasm_module_t *module = wasm_module_new(store, &binary);
    wasm_byte_vec_delete(&binary);
    if (!module) return EXIT_FAILURE;

    wasm_functype_t *type = wasm_functype_new_1_0(wasm_valtype_new_i32());
    wasm_func_t *host = wasm_func_new(store, type, print);
    wasm_functype_delete(type);
    wasm_extern_t *externs[] = {wasm_func_as_extern(host)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs), exports;
    wasm_instance_t *instance = wasm_instance_new(store, module, &imports, NULL);
    wasm_func_delete(host);
    wasm_module_delete(module);
    if (!instance) return EXIT_FAILURE;

    wasm_instance_exports(instance, &exports);
    divide(wasm_extern_as_func(exports.data[0]), 84, 2);
    divide(wasm_extern_as_func(exports.data[0]), 1, 0);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    return EXIT_SUCCESS;
}
