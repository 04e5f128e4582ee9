/*
 * main.c - wasmrun-aot, the compiler process: reads requests from its standard input and answers on its standard
 * output (wire.h), until the input ends. Started by client.c; of no use by hand.
 *
 * When whoever asked is gone the process ends at once. But what is to be kept (CompileRequest.keep) it finishes first, for
 * some seconds at most, as a process that nobody notices: with a low priority, in a session of its own.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "cache.h"
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

/* False when whoever asked is gone. */
static bool write_some(const void *data, size_t size) {
    const u8 *at = data;
    while (size > 0) {
        ssize_t n = write(STDOUT_FILENO, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Of what only matters to whoever asked. */
static void write_all(const void *data, size_t size) {
    if (!write_some(data, size)) exit(EXIT_FAILURE);
}

static char *read_text(u32 size) {
    char *text = size <= WIRE_TEXT_MAX ? malloc((size_t)size + 1) : NULL;
    if (text == NULL || !read_all(text, size)) exit(EXIT_FAILURE);
    text[size] = 0;
    return text;
}

/* ---- answers ---- */

static void progress(void *context, u32 done, u32 total) {
    (void)context;
    WireAnswer answer = {.tag = WIRE_PROGRESS, .done = done, .total = total};
    (void)write_some(&answer, sizeof answer);
}

static u64 peak_memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (u64)usage.ru_maxrss * 1024 : 0;
}

/* ---- when nobody waits any more ---- */

#define SECONDS_ALONE 5     /* of a processor's time, */
#define SECONDS_AT_MOST 60u /* and where others want it too, in all */
#define LOW_PRIORITY 10     /* a nice value */

static struct {
    OsMutex lock;
    const char *path; /* CompileRequest.keep, of the request under way */
    bool is_claimed;
} kept;

static void keep(const char *path) {
    wr_os_mutex_lock(&kept.lock);
    kept.path = *path != 0 ? path : NULL;
    wr_os_mutex_unlock(&kept.lock);
}

/* The request is done, or has failed. */
static void keep_no_more(void) {
    wr_os_mutex_lock(&kept.lock);
    if (kept.is_claimed) wr_cache_unclaim(kept.path);
    kept.path = NULL;
    kept.is_claimed = false;
    wr_os_mutex_unlock(&kept.lock);
}

/* The last thing that this process does. */
static _Noreturn void finish_alone(const u8 *artifact, size_t size) {
    Cache cache;
    wr_os_mutex_lock(&kept.lock); /* whoever watches the stream may not have got that far */
    if (kept.path != NULL && wr_cache_of(&cache, kept.path))
        wr_error_delete(wr_cache_put(&cache, kept.path, artifact, size));
    if (kept.is_claimed) wr_cache_unclaim(kept.path);
    _exit(EXIT_SUCCESS);
}

/* Goes on without being noticed: nobody interrupts it by a terminal, and others come first. A signal ends it. */
static void step_back(void) {
    const struct itimerval work = {.it_value.tv_sec = SECONDS_ALONE};
    (void)setitimer(ITIMER_PROF, &work, NULL);
    (void)alarm(SECONDS_AT_MOST);
    (void)setsid();
    (void)setpriority(PRIO_PGRP, 0, LOW_PRIORITY); /* all threads */
}

/* Ends the process when whoever asked is gone, in the middle of a request too: nobody would take the answer. */
static void watch_stream(void *context) {
    (void)context;
    struct pollfd stream = {.fd = STDIN_FILENO, .events = 0};
    while (poll(&stream, 1, -1) < 0 || !(stream.revents & (POLLHUP | POLLERR))) continue;
    wr_os_mutex_lock(&kept.lock);
    kept.is_claimed = kept.path != NULL && wr_cache_claim(kept.path);
    if (!kept.is_claimed) _exit(EXIT_FAILURE);
    step_back();
    wr_os_mutex_unlock(&kept.lock);
}

/* ---- a request ---- */

static void refuse(Error *error) {
    char text[1000];
    keep_no_more();
    (void)snprintf(text, sizeof text, "%s", wr_error_message(error));
    WireAnswer answer = {
        .tag = WIRE_ERROR, .kind = (u32)wr_error_kind(error), .size = strlen(text)};
    if (answer.size == 0) answer.size = 1;
    write_all(&answer, sizeof answer);
    write_all(text, (size_t)answer.size);
    wr_error_delete(error);
}

/* Until the last byte there is something to be kept; whoever has that may end at any moment. */
static void deliver(const WireAnswer *answer, const u8 *artifact, size_t size) {
    if (!write_some(answer, sizeof *answer) || !write_some(artifact, size - 1))
        finish_alone(artifact, size);
    keep_no_more();
    write_all(artifact + size - 1, 1);
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
    deliver(&answer, artifact, size);
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
    if (!read_all(&request.magic, sizeof request.magic)) return false;
    if (request.magic != wire_magic()) exit(EXIT_FAILURE); /* its request may be shorter */
    if (!read_all((u8 *)&request + sizeof request.magic, sizeof request - sizeof request.magic))
        return false;
    char *triple = read_text(request.triple_size), *cpu = read_text(request.cpu_size),
         *features = read_text(request.target_features_size), *path = read_text(request.keep_size);
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
    keep(path);
    if (error == NULL) error = answer_with(&job);
    if (error != NULL) refuse(error);
    free(path);
    free(points);
    free(functions);
    free(features);
    free(cpu);
    free(triple);
    return true;
}

int main(int argc, char **argv) {
    if (isatty(STDIN_FILENO)) {
        fprintf(
            stderr,
            "wasmrun-aot compiles for wasmrun, which starts it: see 'wasmrun compile --help'\n");
        return EXIT_FAILURE;
    }
    if (argc > 1) host_triple = argv[1];
    (void)signal(SIGPIPE, SIG_IGN);
    wr_os_mutex_init(&kept.lock);
    const OsThread *watcher = wr_os_thread_start(watch_stream, NULL);
    (void)watcher; /* without it the process ends later */
    while (serve_one()) {
    }
    return EXIT_SUCCESS;
}
