/* embed.c: a host program. Gives a module one function to call, calls one of its exports, and shows
 * what a trap looks like. Build it with `pkg-config --cflags --libs wasmrun`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <wasmrun.h>

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

static wr_error_t *print(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    printf("%s %" PRId32 "\n", (const char *)context, slots[0].i32);
    return NULL;
}

static wr_error_t *divide(wr_store_t *store, wr_instance_t *instance, int32_t a, int32_t b) {
    wr_val_t args[2] = {{.kind = WR_I32, .of.i32 = a}, {.kind = WR_I32, .of.i32 = b}};
    wr_val_t result;
    wr_func_t *func = wr_instance_func(instance, "divide");
    if (!func) return wr_error_new(WR_ERROR_USAGE, "no function \"divide\"");
    wr_error_t *error = wr_func_call(store, func, args, 2, &result, 1);
    if (!error) printf("quotient %" PRId32 "\n", result.of.i32);
    return error;
}

static wr_error_t *run(wr_engine_t *engine, wr_linker_t *linker, wr_store_t *store) {
    static char greeting[] = "the guest says";
    wr_module_t *module = NULL;
    wr_instance_t *instance = NULL;
    wr_error_t *error = wr_module_new(engine, module_bytes, sizeof module_bytes, &module);
    if (!error) error = wr_linker_define_func(linker, "host", "print", "i>", print, greeting, NULL);
    if (!error) error = wr_linker_instantiate(linker, store, module, &instance);
    if (!error) error = divide(store, instance, 84, 2);
    if (!error) error = divide(store, instance, 1, 0);
    wr_module_delete(module);
    return error;
}

int main(void) {
    wr_engine_t *engine = NULL;
    wr_store_t *store = NULL;
    wr_linker_t *linker = NULL;
    wr_error_t *error = wr_engine_new(NULL, &engine);
    if (!error) error = wr_store_new(engine, &store);
    if (!error && (linker = wr_linker_new(engine)) != NULL) error = run(engine, linker, store);
    bool trapped = error && wr_error_trap_code(error) == WR_TRAP_INTEGER_DIVIDE_BY_ZERO;
    if (error) printf("%s\n", wr_error_message(error));
    wr_error_delete(error);
    wr_linker_delete(linker);
    wr_store_delete(store);
    wr_engine_delete(engine);
    return trapped ? 0 : 1;
}
