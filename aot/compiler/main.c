/*
 * main.c - wasmrun-aot, the compiler process: reads requests from its standard input and answers on its standard
 * output (wire.h), until the input ends. Started by client.c; of no use by hand.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compile.h"
#include "native.h"
#include "os.h"
#include "store.h"
#include "wire.h"

/* ---- the stream ---- */

/* False at its end. */
static bool read_all(void *data, size_t size) {
    u8 *at = data;
    while (size > 0) {
        ssize_t n = read(STDIN_FILENO, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Whoever asked may be gone: then there is nothing left to do. */
static void write_all(const void *data, size_t size) {
    const u8 *at = data;
    while (size > 0) {
        ssize_t n = write(STDOUT_FILENO, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) exit(EXIT_FAILURE);
        at += n;
        size -= (size_t)n;
    }
}

static char *read_text(u32 size) {
    char *text = size <= WIRE_TEXT_MAX ? malloc((size_t)size + 1) : NULL;
    if (text == NULL || !read_all(text, size)) exit(EXIT_FAILURE);
    text[size] = 0;
    return text;
}

/* ---- a request ---- */

static void progress(void *context, u32 done, u32 total) {
    (void)context;
    WireAnswer answer = {.tag = WIRE_PROGRESS, .done = done, .total = total};
    write_all(&answer, sizeof answer);
}

static void refuse(Error *error) {
    char text[1000];
    (void)snprintf(text, sizeof text, "%s", wr_error_message(error));
    WireAnswer answer = {
        .tag = WIRE_ERROR, .kind = (u32)wr_error_kind(error), .size = strlen(text)};
    if (answer.size == 0) answer.size = 1;
    write_all(&answer, sizeof answer);
    write_all(text, (size_t)answer.size);
    wr_error_delete(error);
}

static u64 peak_memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (u64)usage.ru_maxrss * 1024 : 0;
}

static Error *answer_with(const CompileJob *job) {
    const Alloc *alloc = &job->module->engine->alloc;
    u8 *artifact = NULL;
    size_t size = 0;
    CompileStats stats;
    Error *error = wr_compile(job, &artifact, &size, &stats);
    if (error != NULL) return error;
    stats.peak_bytes = peak_memory();
    WireAnswer answer = {.tag = WIRE_ARTIFACT, .size = size, .stats = stats};
    write_all(&answer, sizeof answer);
    write_all(artifact, size);
    wr_free(alloc, artifact, size);
    return NULL;
}

/* The module of the last request; the next one may be about it too. */
static struct {
    Engine *engine;
    wr_module_t *module; /* NULL: it could not be loaded, or none has come yet */
} last;

static Error *make_engine(Features features, Engine **engine) {
    wr_config_t *config = wr_config_new();
    if (config == NULL) return ERROR_OOM;
    config->features = features;
    return wr_engine_new(config, engine);
}

/* Decodes and validates what came: it is the caller's module, but nothing is taken on trust. */
static Error *load_module(const WireRequest *request, const u8 *bytes) {
    if (request->module_size == 0) return last.module ? NULL : ERROR_OOM;
    wr_module_delete(last.module);
    wr_engine_delete(last.engine);
    last.module = NULL;
    last.engine = NULL;
    Error *error = make_engine(request->features, &last.engine);
    if (error != NULL) return error;
    return wr_module_new(last.engine, bytes, (size_t)request->module_size, &last.module);
}

/* Never NULL. */
static void *read_list(u64 count, u64 most, size_t item) {
    void *list = count <= most ? malloc((size_t)count * item + 1) : NULL;
    if (list == NULL || !read_all(list, (size_t)count * item)) exit(EXIT_FAILURE);
    return list;
}

/* What requests mean by "this host": NULL, or a triple that was given when the process was started, by a runtime
 * that is emulated. */
static const char *host_triple;

/* False when there is none. */
static bool serve_one(void) {
    WireRequest request;
    if (!read_all(&request, sizeof request)) return false;
    if (request.abi != wr_native_abi()) exit(EXIT_FAILURE);
    char *triple = read_text(request.triple_size), *cpu = read_text(request.cpu_size),
         *features = read_text(request.target_features_size);
    u8 *bytes = read_list(request.module_size, SIZE_MAX - 1, 1);
    u32 *functions = read_list(request.nfunctions, WIRE_LIST_MAX, sizeof *functions);
    u64 *points = read_list(request.npoints, WIRE_LIST_MAX, sizeof *points);
    Error *error = load_module(&request, bytes);
    free(bytes);
    CompileJob job = {.module = last.module,
                      .options = request.options,
                      .triple = *triple ? triple : host_triple,
                      .cpu = cpu,
                      .features = features,
                      .threads = request.threads,
                      .progress = progress,
                      .functions = functions,
                      .nfunctions = request.nfunctions,
                      .budget = request.budget,
                      .points = points,
                      .npoints = request.npoints};
    if (error == NULL) error = answer_with(&job);
    if (error != NULL) refuse(error);
    free(points);
    free(functions);
    free(features);
    free(cpu);
    free(triple);
    return true;
}

/* Ends the process when whoever asked is gone, in the middle of a request too: nobody would take the answer. */
static void watch_stream(void *context) {
    (void)context;
    struct pollfd stream = {.fd = STDIN_FILENO, .events = 0};
    while (poll(&stream, 1, -1) < 0 || !(stream.revents & (POLLHUP | POLLERR))) continue;
    _exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
    if (isatty(STDIN_FILENO)) {
        fprintf(
            stderr,
            "wasmrun-aot compiles for wasmrun, which starts it: see 'wasmrun compile --help'\n");
        return EXIT_FAILURE;
    }
    if (argc > 1) host_triple = argv[1];
    const OsThread *watcher = wr_os_thread_start(watch_stream, NULL);
    (void)watcher; /* without it the process ends later */
    while (serve_one()) {
    }
    return EXIT_SUCCESS;
}
