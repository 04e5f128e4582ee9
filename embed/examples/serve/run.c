/*
 * run.c - one request: a fresh instance in a store of its own, what it may see and take, and what
 * came of it.
 */
#include <stdlib.h>
#include <string.h>

#include "serve.h"

/* What guests write to standard error is for whoever runs the server: the beginning of it. */
enum { MAX_ERRORS = 512 };

typedef struct Run {
    const Request *request;
    size_t read; /* of the body */
    Text *out;
    bool flooded;
    Text errors;
} Run;

/* ---- streams ------------------------------------------------------------------------------------ */

static wr_error_t *read_body(void *context, void *bytes, size_t size, size_t *done) {
    Run *run = context;
    size_t left = run->request->body_size - run->read;
    *done = size < left ? size : left;
    if (*done > 0) memcpy(bytes, run->request->body + run->read, *done);
    run->read += *done;
    return NULL;
}

static wr_error_t *write_output(void *context, const void *bytes, size_t size) {
    Run *run = context;
    if (size > settings.max_output - run->out->size) {
        run->flooded = true;
        return wr_trap_new("too much output");
    }
    text_add(run->out, bytes, size);
    return run->out->failed ? wr_trap_new("out of memory") : NULL;
}

static wr_error_t *write_errors(void *context, const void *bytes, size_t size) {
    Run *run = context;
    size_t room = MAX_ERRORS - run->errors.size;
    text_add(&run->errors, bytes, size < room ? size : room);
    return NULL;
}

/* ---- surroundings ------------------------------------------------------------------------------- */

static wr_error_t *add(wr_wasi_t *wasi, const char *name, const char *value, size_t size) {
    char buffer[1024], *text = buffer;
    size_t length = strlen(name), need = length + size + 2;
    if (need > sizeof buffer && !(text = malloc(need)))
        return wr_error_new(WR_ERROR_MEMORY, "out of memory");
    memcpy(text, name, length);
    text[length] = '=';
    memcpy(text + length + 1, value, size);
    text[length + 1 + size] = 0;
    wr_error_t *error = wr_wasi_add_env(wasi, text);
    if (text != buffer) free(text);
    return error;
}

/* The meta-variables of RFC 3875, section 4.1, and WAGI's. */
static wr_error_t *add_variables(wr_wasi_t *wasi, const Request *r) {
    char length[24], route[160];
    snprintf(length, sizeof length, "%zu", r->body_size);
    snprintf(route, sizeof route, "%.*s/...", (int)r->script_size, r->path);
    const char *rest = r->path + r->script_size;
    const struct {
        const char *name, *value;
        size_t size;
    } all[] = {
        {"GATEWAY_INTERFACE", "CGI/1.1", 7},
        {"SERVER_SOFTWARE", "wasmrun/" WR_VERSION_STRING, strlen("wasmrun/" WR_VERSION_STRING)},
        {"SERVER_PROTOCOL", "HTTP/1.1", 8},
        {"SERVER_NAME", settings.host, strlen(settings.host)},
        {"SERVER_PORT", settings.port, strlen(settings.port)},
        {"REQUEST_METHOD", r->method, strlen(r->method)},
        {"SCRIPT_NAME", r->path, r->script_size},
        {"PATH_INFO", rest, strlen(rest)},
        {"PATH_TRANSLATED", rest, strlen(rest)},
        {"QUERY_STRING", r->query, strlen(r->query)},
        {"REMOTE_ADDR", r->client, strlen(r->client)},
        {"REMOTE_HOST", r->client, strlen(r->client)},
        {"CONTENT_LENGTH", length, strlen(length)},
        {"X_MATCHED_ROUTE", route, strlen(route)},
        {"X_RAW_PATH_INFO", rest, strlen(rest)},
    };
    wr_error_t *error = NULL;
    for (size_t i = 0; !error && i < sizeof all / sizeof *all; i++)
        error = add(wasi, all[i].name, all[i].value, all[i].size);
    for (size_t i = 0; !error && i < r->nvariables; i++)
        error = wr_wasi_add_env(wasi, r->variables[i]);
    for (size_t i = 0; !error && i < settings.nenv; i++)
        error = wr_wasi_add_env(wasi, settings.env[i]);
    return error;
}

/* The script, then each part of the query, as WAGI has it. */
static wr_error_t *set_arguments(wr_wasi_t *wasi, const Request *r) {
    enum { MAX_ARGUMENTS = 64 };
    const char *args[MAX_ARGUMENTS];
    size_t n = 1, path_size = r->script_size + 1, query_size = strlen(r->query) + 1;
    char *copy = malloc(path_size + query_size);
    if (!copy) return wr_error_new(WR_ERROR_MEMORY, "out of memory");
    memcpy(copy, r->path, r->script_size);
    copy[r->script_size] = 0;
    memcpy(copy + path_size, r->query, query_size);
    args[0] = copy;
    for (char *part = copy + path_size; *part && n < MAX_ARGUMENTS;) {
        char *end = strchr(part, '&');
        if (end) *end = 0;
        if (*part) args[n++] = part;
        if (!end) break;
        part = end + 1;
    }
    wr_error_t *error = wr_wasi_set_args(wasi, n, args);
    free(copy);
    return error;
}

static wr_error_t *add_dirs(wr_wasi_t *wasi) {
    wr_error_t *error = NULL;
    for (size_t i = 0; !error && i < settings.ndirs; i++) {
        const char *host = settings.dirs[i], *guest = host + strlen(host) + 1; /* see main.c */
        error = wr_wasi_preopen_dir(wasi, host, guest, WR_WASI_READ_ONLY);
    }
    return error;
}

static wr_error_t *set_up(wr_wasi_t *wasi, Run *run) {
    wr_error_t *error = wr_wasi_set_stream(wasi, 0, &(wr_wasi_stream_t){read_body, NULL, run});
    if (!error) error = wr_wasi_set_stream(wasi, 1, &(wr_wasi_stream_t){NULL, write_output, run});
    if (!error) error = wr_wasi_set_stream(wasi, 2, &(wr_wasi_stream_t){NULL, write_errors, run});
    if (!error) error = set_arguments(wasi, run->request);
    if (!error) error = add_variables(wasi, run->request);
    return error ? error : add_dirs(wasi);
}

/* ---- running ------------------------------------------------------------------------------------ */

static wr_error_t *call_start(wr_store_t *store, wr_instance_t *instance) {
    wr_func_t *start = wr_instance_func(instance, "_start");
    if (!start || !wr_func_has_signature(start, ">"))
        return wr_error_new(WR_ERROR_USAGE, "_start is no function without parameters");
    return wr_func_call(store, start, NULL, 0, NULL, 0);
}

/* Limits first: the start function is the guest's, too. */
static wr_error_t *run_in(wr_store_t *store, wr_prelinked_t *prelinked, wr_wasi_t *wasi) {
    wr_instance_t *instance;
    wr_store_limit_memory(store, settings.max_memory);
    wr_store_limit_heap(store, settings.max_memory);
    wr_store_limit_tables(store, 100000);
    wr_store_limit_instances(store, 1);
    if (settings.fuel != UINT64_MAX) wr_store_set_fuel(store, settings.fuel);
    wr_error_t *error = wr_wasi_attach(wasi, store);
    if (!error) error = wr_store_set_timeout(store, settings.timeout);
    if (!error) error = wr_prelinked_instantiate(prelinked, store, &instance);
    return error ? error : call_start(store, instance);
}

static wr_error_t *run_guest(wr_prelinked_t *prelinked, Run *run) {
    wr_wasi_t *wasi = wr_wasi_new();
    if (!wasi) return wr_error_new(WR_ERROR_MEMORY, "out of memory");
    wr_store_t *store = NULL;
    wr_error_t *error = set_up(wasi, run);
    if (!error) error = wr_prelinked_new_store(prelinked, &store);
    if (!error) error = run_in(store, prelinked, wasi);
    wr_store_delete(store);
    wr_wasi_delete(wasi);
    return error;
}

/* ---- what came of it ---------------------------------------------------------------------------- */

static bool ended_well(const wr_error_t *error) {
    uint32_t status;
    return !error || (wr_error_exit_status(error, &status) && status == 0);
}

static void judge(Response *r, const Run *run, const wr_error_t *error) {
    wr_trap_code_t code = error ? wr_error_trap_code(error) : WR_TRAP_NONE;
    if (run->flooded) {
        response_fail(r, OUTCOME_OUTPUT_LIMIT, 502, "The plugin wrote too much");
    } else if (code == WR_TRAP_DEADLINE || code == WR_TRAP_OUT_OF_FUEL) {
        response_fail(r, OUTCOME_TIMEOUT, 504, "The plugin took too long");
    } else if (error && wr_error_kind(error) == WR_ERROR_MEMORY) {
        response_fail(r, OUTCOME_UNAVAILABLE, 503, "There is no memory for the plugin");
    } else if (!ended_well(error)) {
        response_fail(r, OUTCOME_TRAP, 500, "The plugin failed");
    } else if (r->text.failed || !response_parse(r)) {
        response_fail(r, OUTCOME_BAD_RESPONSE, 502, "The plugin's answer is no response");
    } else {
        r->outcome = OUTCOME_OK;
    }
}

static void report(const Plugin *plugin, const Run *run, const Response *r,
                   const wr_error_t *error) {
    if (r->outcome == OUTCOME_OK && !settings.verbose) return;
    const Request *request = run->request;
    serve_log("%s: %s %.200s: %u%s%s", plugin->name, request->method, request->path, r->status,
              ended_well(error) ? "" : ": ", ended_well(error) ? "" : wr_error_message(error));
    if (run->errors.size > 0)
        serve_log("%s: it said: %.*s", plugin->name, (int)run->errors.size, run->errors.bytes);
}

void serve_run(Plugin *plugin, const Request *request, Response *response) {
    *response = (Response){0};
    Version *version = plugin_hold(plugin);
    if (!version) {
        response_fail(response, OUTCOME_UNAVAILABLE, 503, "The plugin cannot be loaded");
        return;
    }
    Run run = {.request = request, .out = &response->text};
    wr_error_t *error = run_guest(version->prelinked, &run);
    version_release(version);
    judge(response, &run, error);
    report(plugin, &run, response, error);
    text_free(&run.errors);
    wr_error_delete(error);
}
