/*
 * plugin.c - a sandboxed plugin: the guest may call one function of ours, see its standard input and nothing
 * else, and is held to limits of memory, fuel and time.
 *
 * usage: plugin [MODULE]    (MODULE is a .wasm file that exports "_start", as any WASI program does)
 */
#include <stdio.h>
#include <string.h>
#include <wasmrun.h>

/* Greets whoever is on standard input, and tells the host how long the name was. */
static const char greeter[] =
    "(module"
    " (import \"wasi_snapshot_preview1\" \"fd_read\" (func $read (param i32 i32 i32 i32) (result "
    "i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result "
    "i32)))"
    " (import \"app\" \"report\" (func $report (param i32 i32)))"
    " (memory (export \"memory\") 1)"
    " (data (i32.const 64) \"Hello, \")"
    " (data (i32.const 16) \"\\47\\00\\00\\00\\80\\00\\00\\00\")" /* iovec: 128 bytes at 71 */
    " (func (export \"_start\")"
    "  (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 0)))"
    "  (i32.store (i32.const 32) (i32.const 64))" /* ciovec: the greeting and the name */
    "  (i32.store (i32.const 36) (i32.add (i32.load (i32.const 0)) (i32.const 7)))"
    "  (drop (call $write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 4)))"
    "  (call $report (i32.const 71) (i32.load (i32.const 0)))))";

/* What the plugin may call: app.report(address, size). */
static wr_error_t *report(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    const char *text = wr_caller_memory(caller, slots[0].u32, slots[1].u32);
    if (!text) return wr_trap_new("report: not in the plugin's memory");
    printf("%s reports a name of %u bytes: %.*s\n", (const char *)context, slots[1].u32,
           (int)slots[1].u32, text);
    return NULL;
}

static wr_error_t *load(wr_engine_t *engine, const char *path, wr_module_t **module) {
    uint8_t *bytes;
    size_t size;
    if (path) return wr_module_open(engine, path, module);
    wr_error_t *error =
        wr_wat_to_wasm(greeter, strlen(greeter), "greeter.wat", true, &bytes, &size);
    if (error) return error;
    error = wr_module_new(engine, bytes, size, module);
    wr_bytes_delete(bytes, size);
    return error;
}

/* One run in a store of its own: nothing of it is left for the next one. */
static wr_error_t *run(wr_engine_t *engine, wr_linker_t *linker, wr_module_t *module) {
    wr_store_t *store;
    wr_instance_t *instance;
    wr_error_t *error = wr_store_new(engine, &store);
    if (error) return error;
    wr_store_limit_memory(store, 16 << 20);
    wr_store_limit_tables(store, 10000);
    wr_store_set_fuel(store, 10 * 1000 * 1000);
    error = wr_store_set_timeout(store, 100 * 1000 * 1000); /* ns */
    if (!error) error = wr_linker_instantiate(linker, store, module, &instance);
    wr_func_t *start = error ? NULL : wr_instance_func(instance, "_start");
    if (!error && !start) error = wr_error_new(WR_ERROR_USAGE, "no function _start");
    if (!error) error = wr_func_call(store, start, NULL, 0, NULL, 0);
    wr_store_delete(store);
    return error;
}

static wr_error_t *set_up(wr_wasi_t *wasi, wr_linker_t *linker) {
    static char name[] = "the plugin";
    wr_error_t *error = wr_wasi_set_input(wasi, "Ada", 3);
    if (!error) error = wr_wasi_capture(wasi, 1, 4096);
    if (!error) error = wr_wasi_link(wasi, linker);
    if (!error) error = wr_linker_define_func(linker, "app", "report", "ii>", report, name, NULL);
    return error;
}

int main(int argc, char **argv) {
    wr_engine_t *engine = NULL;
    wr_module_t *module = NULL;
    wr_linker_t *linker = NULL;
    wr_wasi_t *wasi = wr_wasi_new();
    wr_error_t *error = wr_engine_new(NULL, &engine);
    if (!error) error = load(engine, argc > 1 ? argv[1] : NULL, &module);
    if (!error) linker = wr_linker_new(engine);
    if (!error && wasi && linker) error = set_up(wasi, linker);
    if (!error && wasi && linker) error = run(engine, linker, module);

    uint32_t status;
    const char *output;
    bool exited = error && wr_error_exit_status(error, &status);
    size_t size = wasi ? wr_wasi_captured(wasi, 1, &output) : 0;
    printf("it wrote: %.*s\n", (int)size, size ? output : "");
    if (exited) {
        printf("it exited with status %u\n", status);
    } else if (error) {
        char text[4096];
        wr_error_render(error, text, sizeof text); /* the message and a backtrace with names */
        fputs(text, stderr);
    }
    int result = error && !exited;
    wr_error_delete(error);
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_engine_delete(engine);
    wr_wasi_delete(wasi);
    return result;
}
