/*
 * main.c - wasmrun-aot, the compiler process: reads requests from its standard input and answers on its standard
 * output (wire.h), until the input ends. Started by client.c; of no use by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compile.h"
#include "native.h"
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

/* Decodes and validates what came: it is the caller's module, but nothing is taken on trust. */
static Error *answer_with(Engine *engine, const u8 *bytes, size_t size, const CompileJob *given) {
    CompileJob job = *given;
    wr_module_t *module = NULL;
    u8 *artifact = NULL;
    size_t artifact_size = 0;
    CompileStats stats;
    Error *error = wr_module_new(engine, bytes, size, &module);
    if (error != NULL) return error;
    job.module = module;
    error = wr_compile(&job, &artifact, &artifact_size, &stats);
    if (error == NULL) {
        stats.peak_bytes = peak_memory();
        WireAnswer answer = {.tag = WIRE_ARTIFACT, .size = artifact_size, .stats = stats};
        write_all(&answer, sizeof answer);
        write_all(artifact, artifact_size);
        wr_free(&engine->alloc, artifact, artifact_size);
    }
    wr_module_delete(module);
    return error;
}

static Error *make_engine(Features features, Engine **engine) {
    wr_config_t *config = wr_config_new();
    if (config == NULL) return ERROR_OOM;
    config->features = features;
    return wr_engine_new(config, engine);
}

/* False when there is none. */
static bool serve_one(void) {
    WireRequest request;
    if (!read_all(&request, sizeof request)) return false;
    if (request.abi != wr_native_abi() || request.module_size > SIZE_MAX) exit(EXIT_FAILURE);
    char *triple = read_text(request.triple_size), *cpu = read_text(request.cpu_size),
         *features = read_text(request.target_features_size);
    size_t size = (size_t)request.module_size;
    u8 *bytes = malloc(size ? size : 1);
    if (bytes == NULL || !read_all(bytes, size)) exit(EXIT_FAILURE);
    CompileJob job = {.options = request.options,
                      .triple = triple,
                      .cpu = cpu,
                      .features = features,
                      .threads = request.threads,
                      .progress = progress};
    Engine *engine = NULL;
    Error *error = make_engine(request.features, &engine);
    if (error == NULL) error = answer_with(engine, bytes, size, &job);
    if (error != NULL) refuse(error);
    wr_engine_delete(engine);
    free(bytes);
    free(features);
    free(cpu);
    free(triple);
    return true;
}

int main(void) {
    if (isatty(STDIN_FILENO)) {
        fprintf(
            stderr,
            "wasmrun-aot compiles for wasmrun, which starts it: see 'wasmrun compile --help'\n");
        return EXIT_FAILURE;
    }
    while (serve_one()) {
    }
    return EXIT_SUCCESS;
}
