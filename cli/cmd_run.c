/*
 * cmd_run.c - `wasmrun run`: instantiates a module with WASI, after the modules it was asked to load
 * first, and calls its entry. Everything it needs goes through the public interface.
 *
 * Which function runs is decided as wasmtime does: an exported _initialize first (a reactor's), then the
 * function that --invoke names, else _start (a command's); without either, instantiating is all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "host.h"
#include "load.h"
#include "report.h"
#include "unknown.h"
#include "values.h"
#include "wasmrun.h"

/* A run: what it owns (in order of making) and how it ends. Each step below returns whether to go on;
 * when it does not, `status` says why, and standard error has the words. */
typedef struct Run {
    const Settings *settings;
    const char *file; /* the main module, for messages */
    int status;
    wr_engine_t *engine;
    wr_wasi_t *wasi;
    wr_linker_t *linker;
    wr_store_t *store;
    wr_module_t *module; /* the main one: threads run it again */
} Run;

static bool stop(Run *run, int status) {
    run->status = status;
    return false;
}

/* Goes on if there is no error, else ends the run with what is reported about `subject`. */
static bool check(Run *run, const char *subject, wr_error_t *error) {
    return error ? stop(run, wr_cli_report(subject, error)) : true;
}

/* The same after a call into the guest, which is over unless it goes on. */
static bool check_call(Run *run, const char *subject, wr_error_t *error) {
    return error ? check(run, subject, wr_wasi_end_threads(run->wasi, error)) : true;
}

static bool check_memory(Run *run, const void *pointer) {
    return pointer ? true : stop(run, wr_cli_out_of_memory() ? STATUS_OK : STATUS_FAILED);
}

/* The command line asks for something that has not the right form. */
static bool misused(Run *run, const char *value, const char *form) {
    char text[512];
    snprintf(text, sizeof text, "'%.300s' is not of the form %s", value, form);
    wr_cli_usage_error("run", text);
    return stop(run, STATUS_USAGE);
}

/* ---- What the guest may see --------------------------------------------------------------------- */

/* HOST[::GUEST], or GUEST::HOST for --mapdir. */
static bool give_directory(Run *run, const ListItem *item) {
    bool swap = item->tag == DIR_MAPPED;
    char *first = strdup(item->value);
    if (!check_memory(run, first)) return false;
    char *second = strstr(first, "::");
    if (second) {
        *second = 0;
        second += 2;
    }
    const char *guest = swap || !second ? first : second, *host = swap ? second : first;
    uint32_t flags = item->tag == DIR_READ_ONLY ? WR_WASI_READ_ONLY : 0;
    bool ok;
    if (!host || !*host || !*guest || (second && strstr(second, "::")))
        ok = misused(run, item->value, swap ? "GUEST::HOST" : "HOST[::GUEST]");
    else
        ok = check(run, NULL, wr_wasi_preopen_dir(run->wasi, host, guest, flags));
    free(first);
    return ok;
}

static bool give_socket(Run *run, const char *address) {
    const char *why;
    int fd = wr_cli_listen(address, &why);
    if (fd < 0) return stop(run, wr_cli_fail(address, why));
    bool ok = check(run, address, wr_wasi_preopen_socket(run->wasi, fd));
    wr_cli_close(fd);
    return ok;
}

/* NAME=VALUE, or NAME to inherit its value, if it has one. */
static bool give_variable(Run *run, const char *text) {
    if (strchr(text, '=')) return check(run, text, wr_wasi_add_env(run->wasi, text));
    const char *value = getenv(text);
    if (!value) return true;
    size_t size = strlen(text) + strlen(value) + 2;
    char *assignment = malloc(size);
    if (!check_memory(run, assignment)) return false;
    snprintf(assignment, size, "%s=%s", text, value);
    bool ok = check(run, text, wr_wasi_add_env(run->wasi, assignment));
    free(assignment);
    return ok;
}

static bool give_environment(Run *run) {
    const List *list = &run->settings->env;
    bool ok = !run->settings->inherit_env || check(run, NULL, wr_wasi_inherit_env(run->wasi));
    for (size_t i = 0; ok && i < list->count; i++) ok = give_variable(run, list->items[i].value);
    return ok;
}

/* Argument 0 is the file's name without its folders: where it lies is not the guest's concern. */
static bool give_arguments(Run *run) {
    const Settings *settings = run->settings;
    const char *slash = strrchr(run->file, '/');
    const char **argv = malloc(settings->operand_count * sizeof *argv);
    if (!check_memory(run, argv)) return false;
    for (size_t i = 0; i < settings->operand_count; i++) argv[i] = settings->operands[i];
    argv[0] = settings->argv0 ? settings->argv0 : slash ? slash + 1 : run->file;
    bool ok = check(run, NULL, wr_wasi_set_args(run->wasi, settings->operand_count, argv));
    free(argv);
    return ok;
}

/* Directories come first, whatever the order of the options: wasi-libc looks for them from descriptor 3
 * up to the first that is none. */
static bool make_wasi(Run *run) {
    const Settings *settings = run->settings;
    run->wasi = wr_wasi_new();
    bool ok = check_memory(run, run->wasi) && check(run, NULL, wr_wasi_inherit_stdio(run->wasi)) &&
              give_arguments(run) && give_environment(run);
    for (size_t i = 0; ok && i < settings->dirs.count; i++)
        ok = give_directory(run, &settings->dirs.items[i]);
    for (size_t i = 0; ok && i < settings->sockets.count; i++)
        ok = give_socket(run, settings->sockets.items[i].value);
    return ok;
}

/* ---- Calls -------------------------------------------------------------------------------------- */

/* A function without parameters leaves the arguments to the guest, which finds them in its argv. */
static bool read_arguments(Run *run, const wr_func_t *func, wr_val_t *args) {
    const char *name = run->settings->invoke ? run->settings->invoke : "_start";
    char *const *texts = run->settings->operands + 1;
    size_t count = run->settings->operand_count - 1, expected = wr_func_param_count(func);
    char text[512];
    if (expected && count != expected) {
        snprintf(text, sizeof text, "'%.200s' takes %zu argument%s, %zu given", name, expected,
                 expected == 1 ? "" : "s", count);
        wr_cli_fail(run->file, text);
        return stop(run, STATUS_USAGE);
    }
    for (size_t i = 0; i < expected; i++) {
        args[i].kind = wr_func_param(func, i);
        if (wr_cli_parse_value(texts[i], &args[i])) continue;
        snprintf(text, sizeof text, "argument %zu of '%.100s': '%.200s' is no %s", i + 1, name,
                 texts[i], wr_cli_kind_name(args[i].kind));
        wr_cli_fail(run->file, text);
        return stop(run, STATUS_USAGE);
    }
    return true;
}

/* Calls the entry with ARGS and prints its results, one a line. */
static bool call_entry(Run *run, wr_func_t *func) {
    size_t nargs = wr_func_param_count(func), nresults = wr_func_result_count(func);
    wr_val_t *values = calloc(nargs + nresults + 1, sizeof *values);
    if (!check_memory(run, values)) return false;
    wr_val_t *results = values + nargs;
    bool ok = read_arguments(run, func, values);
    if (ok) {
        wr_error_t *error = wr_func_call(run->store, func, values, nargs, results, nresults);
        ok = check(run, run->file, wr_wasi_end_threads(run->wasi, error));
    }
    for (size_t i = 0; ok && i < nresults; i++) {
        wr_cli_print_value(stdout, &results[i]);
        putchar('\n');
    }
    free(values);
    return ok;
}

static bool call_initialize(Run *run, const char *file, wr_instance_t *instance) {
    wr_func_t *func = wr_instance_func(instance, "_initialize");
    return !func || check_call(run, file, wr_func_call(run->store, func, NULL, 0, NULL, 0));
}

static bool run_entry(Run *run, wr_instance_t *instance) {
    const char *name = run->settings->invoke;
    wr_func_t *func = wr_instance_func(instance, name ? name : "_start");
    if (func) return call_entry(run, func);
    if (!name) return true;
    char text[256];
    snprintf(text, sizeof text, "exports no function named '%.200s'", name);
    return stop(run, wr_cli_fail(run->file, text));
}

/* ---- Instances ---------------------------------------------------------------------------------- */

static bool open_module(Run *run, const char *file, wr_module_t **module) {
    if (!check(run, file, wr_cli_module_open(run->engine, file, module))) return false;
    if (run->settings->stats) wr_cli_print_stats(file, *module);
    return true;
}

static bool instantiate(Run *run, const char *file, wr_module_t *module, wr_instance_t **instance) {
    wr_error_t *error = wr_linker_instantiate(run->linker, run->store, module, instance);
    return check_call(run, file, error) && call_initialize(run, file, *instance);
}

static bool link_threads(Run *run) {
    uint64_t most = run->settings->max_threads;
    if (most == 0) return true;
    uint32_t limit = most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
    return check(run, run->file,
                 wr_wasi_link_threads(run->wasi, run->linker, run->store, run->module, limit));
}

/* Of the form NAME=FILE: said before any file is looked at. */
static bool check_preloads(Run *run) {
    const List *list = &run->settings->preloads;
    for (size_t i = 0; i < list->count; i++) {
        const char *value = list->items[i].value, *file = strchr(value, '=');
        if (!file || file == value || !file[1]) return misused(run, value, "NAME=FILE");
    }
    return true;
}

static bool preload(Run *run, const char *value) {
    wr_module_t *module = NULL;
    wr_instance_t *instance = NULL;
    char *name = strdup(value);
    if (!check_memory(run, name)) return false;
    char *file = strchr(name, '=');
    *file++ = 0;
    bool ok = open_module(run, file, &module) && instantiate(run, file, module, &instance) &&
              check(run, file, wr_linker_define_instance(run->linker, name, instance));
    wr_module_delete(module); /* its instance keeps it */
    free(name);
    return ok;
}

/* The main module and what it can import. What nothing defines comes first, since later definitions count. */
static bool link_main(Run *run) {
    const Settings *settings = run->settings;
    if (!open_module(run, run->file, &run->module) ||
        !check(run, run->file,
               wr_cli_define_unknown((UnknownImports)settings->unknown_imports, run->linker,
                                     run->store, run->module)) ||
        !check(run, NULL, wr_wasi_link(run->wasi, run->linker)))
        return false;
    for (size_t i = 0; i < settings->preloads.count; i++)
        if (!preload(run, settings->preloads.items[i].value)) return false;
    return link_threads(run);
}

/* Threads that the guest still has end with its entry, or here. */
static void run_main(Run *run) {
    wr_instance_t *instance = NULL;
    if (!link_main(run)) return;
    if (instantiate(run, run->file, run->module, &instance) && run_entry(run, instance))
        check(run, run->file, wr_wasi_end_threads(run->wasi, NULL));
}

/* The deadline counts from here: it bounds the whole run, loading included. */
static bool make_store(Run *run) {
    const Settings *settings = run->settings;
    if (!check(run, NULL, wr_cli_engine_new(settings, &run->engine)) || !make_wasi(run))
        return false;
    run->linker = wr_linker_new(run->engine);
    if (!check_memory(run, run->linker) ||
        !check(run, NULL, wr_store_new(run->engine, &run->store)))
        return false;
    wr_store_limit_memory(run->store, settings->max_memory);
    wr_store_limit_heap(run->store, settings->max_heap);
    wr_store_set_fuel(run->store, settings->fuel);
    return !settings->timeout ||
           check(run, NULL, wr_store_set_timeout(run->store, settings->timeout));
}

static void print_fuel(const Run *run) {
    uint64_t given = run->settings->fuel;
    if (!run->settings->stats || !run->store || given == UINT64_MAX) return;
    fprintf(stderr, "fuel used     %12" PRIu64 " of %" PRIu64 "\n",
            given - wr_store_fuel(run->store), given);
}

/* Of programs that make objects. */
static void print_heap(const Run *run) {
    wr_heap_stats_t s = {0};
    if (run->settings->stats && run->store) wr_store_get_heap_stats(run->store, &s);
    if (s.peak_bytes == 0) return;
    fprintf(stderr,
            "heap\n"
            "  allocated   %12" PRIu64 " bytes\n"
            "  live        %12" PRIu64 " bytes after the last collection\n"
            "  peak        %12" PRIu64 " bytes\n"
            "  collections %12" PRIu64 " in %.3f ms, longest pause %.3f ms\n",
            s.allocated_bytes, s.live_bytes, s.peak_bytes, s.collections, (double)s.pause_ns / 1e6,
            (double)s.longest_pause_ns / 1e6);
}

/* The end of the process frees it faster; but those who look for leaks want it freed here. */
static void clean_up(Run *run) {
    wr_module_delete(run->module);
    wr_store_delete(run->store);
    wr_linker_delete(run->linker);
    wr_wasi_delete(run->wasi);
    wr_engine_delete(run->engine);
}

/* What long runs got (docs/interpreter.md). */
static void print_shadows(const Run *run) {
    if (!run->settings->stats || !run->engine) return;
    wr_shadow_stats_t s;
    wr_engine_get_shadow_stats(run->engine, &s);
    fprintf(stderr,
            "ids\n"
            "  functions   %12" PRIu64 "%s\n"
            "  memory      %12" PRIu64 " bytes\n"
            "  made in     %12.3f ms\n",
            s.functions, s.limited ? ", others refused for their size or the limit" : "", s.bytes,
            (double)s.ns / 1e6);
}

static void print_tier(const Run *run) {
    if (!run->settings->stats || !run->engine) return;
    if (wr_cli_engine_kind(run->settings) != WR_ENGINE_AUTO) return;
    wr_tier_stats_t s;
    wr_engine_get_tier_stats(run->engine, &s);
    fprintf(stderr,
            "compiled meanwhile\n"
            "  functions   %12" PRIu32 " in %" PRIu32 " times, %" PRIu32 " failed\n"
            "  loops       %12" PRIu32 " entered\n"
            "  compiler    %12.3f ms\n"
            "  first after %12.3f ms\n",
            s.functions, s.slices, s.failures, s.loops, (double)s.ns / 1e6,
            (double)s.first_ns / 1e6);
}

int wr_cli_run(const Settings *settings) {
    Run run = {.settings = settings, .file = settings->operands[0], .status = STATUS_OK};
    wr_cli_ignore_broken_pipes();
    if (check_preloads(&run) && make_store(&run)) run_main(&run);
    print_shadows(&run);
    print_tier(&run);
    print_fuel(&run);
    print_heap(&run);
    if (WR_FREE_AT_EXIT) clean_up(&run);
    return run.status;
}
