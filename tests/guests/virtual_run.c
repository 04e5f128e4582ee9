/*
 * virtual_run.c - as much of `wasmrun run` as tests/guests/run.sh needs, with directories that are given by
 * callbacks (host_files.h): the guests must not see a difference.
 *
 * usage: virtual_run run [--dir HOST::GUEST | --dir-ro HOST::GUEST | --env NAME=VALUE]... MODULE [ARG...]
 */
#define _GNU_SOURCE
#include "host_files.h"

static char *bases[16]; /* of the directories: they are needed as long as the guest runs */
static size_t base_count;

static wr_error_t *give(wr_wasi_t *wasi, char *text, uint32_t flags) {
    char *colons = strstr(text, "::");
    if (!colons) return wr_error_new(WR_ERROR_USAGE, "HOST::GUEST: '%s'", text);
    *colons = '\0';
    if (base_count == sizeof bases / sizeof *bases)
        return wr_error_new(WR_ERROR_USAGE, "too many directories");
    char *base = bases[base_count] = realpath(text, NULL);
    base_count += base != NULL;
    if (!base) return wr_error_new(WR_ERROR_IO, "no directory '%s'", text);
    return wr_wasi_preopen_files(wasi, &host_files, base, colons + 2, flags);
}

static wr_error_t *take_option(wr_wasi_t *wasi, const char *option, char *value) {
    if (strcmp(option, "--dir") == 0) return give(wasi, value, 0);
    if (strcmp(option, "--dir-ro") == 0) return give(wasi, value, WR_WASI_READ_ONLY);
    if (strcmp(option, "--env") == 0) return wr_wasi_add_env(wasi, value);
    return wr_error_new(WR_ERROR_USAGE, "unknown option %s", option);
}

static wr_error_t *run(wr_wasi_t *wasi, int count, char **args) {
    wr_engine_t *engine = NULL;
    wr_module_t *module = NULL;
    wr_store_t *store = NULL;
    wr_instance_t *instance;
    wr_error_t *error = wr_wasi_set_args(wasi, (size_t)count, (const char *const *)args);
    if (!error) error = wr_wasi_inherit_stdio(wasi);
    if (!error) error = wr_engine_new(NULL, &engine);
    if (!error) error = wr_module_open(engine, args[0], &module);
    if (!error) error = wr_store_new(engine, &store);
    wr_linker_t *linker = error ? NULL : wr_linker_new(engine);
    if (linker) error = wr_wasi_link(wasi, linker);
    if (linker && !error) error = wr_linker_instantiate(linker, store, module, &instance);
    if (linker && !error)
        error = wr_func_call(store, wr_instance_func(instance, "_start"), NULL, 0, NULL, 0);
    wr_linker_delete(linker);
    wr_store_delete(store);
    wr_module_delete(module);
    wr_engine_delete(engine);
    return error;
}

int main(int argc, char **argv) {
    wr_wasi_t *wasi = wr_wasi_new();
    wr_error_t *error = wasi ? NULL : wr_error_new(WR_ERROR_MEMORY, "out of memory");
    int at = 2;
    for (; !error && at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        error = take_option(wasi, argv[at], argv[at + 1]);
    if (!error && at >= argc) error = wr_error_new(WR_ERROR_USAGE, "no module");
    if (!error) error = run(wasi, argc - at, argv + at);
    wr_wasi_delete(wasi);
    while (base_count > 0) free(bases[--base_count]);
    uint32_t status = 0;
    if (error && !wr_error_exit_status(error, &status)) {
        char text[4096];
        wr_error_render(error, text, sizeof text);
        fputs(text, stderr);
        status = 134;
    }
    wr_error_delete(error);
    return (int)status;
}
