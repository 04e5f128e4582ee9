/* client.c - see client.h: the runtime's end of the conversation with the compiler process. */
#include "client.h"

#include <stdlib.h>

#include "format.h"
#include "native.h"
#include "os.h"
#include "store.h"
#include "wire.h"

#define PROGRAM "wasmrun-aot"

struct Compiler {
    Engine *engine; /* not counted: the engine owns its compiler */
    OsMutex
        lock; /* of what follows, when it changes: cancelling needs the process to be the one that it was */
    OsProcess process;
    bool runs, is_cancelled;
    bool keeps;      /* CompileRequest.keep, of the one under way */
    bool has_module; /* of the last request */
    char path[4096];
};

/* ---- finding it ---- */

static bool beside_program(char *path, size_t size) {
    if (!wr_os_program_path(path, size)) return false;
    char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash + 1 - path) + sizeof PROGRAM > size) return false;
    memcpy(slash + 1, PROGRAM, sizeof PROGRAM);
    return wr_os_file_is_program(path);
}

static Error *find(Compiler *compiler) {
    const char *given = getenv("WASMRUN_AOT");
    if (given != NULL && *given != 0) {
        if (strlen(given) < sizeof compiler->path && wr_os_file_is_program(given)) {
            memcpy(compiler->path, given, strlen(given) + 1);
            return NULL;
        }
        return wr_error_at(WR_ERROR_IO, NO_OFFSET,
                           "the compiler is not where WASMRUN_AOT says: %.500s", given);
    }
    if (beside_program(compiler->path, sizeof compiler->path)) return NULL;
    static const char installed[] = WR_BINDIR "/" PROGRAM;
    if (sizeof installed <= sizeof compiler->path && wr_os_file_is_program(installed)) {
        memcpy(compiler->path, installed, sizeof installed);
        return NULL;
    }
    return wr_error_at(WR_ERROR_IO, NO_OFFSET,
                       "there is no compiler: %s is neither beside this program nor in %s", PROGRAM,
                       WR_BINDIR);
}

/* ---- its life ---- */

Error *wr_compiler_start(Engine *engine, Compiler **out) {
    Compiler *compiler = *out = wr_alloc_zero(&engine->alloc, sizeof *compiler);
    if (compiler == NULL) return ERROR_OOM;
    compiler->engine = engine;
    wr_os_mutex_init(&compiler->lock);
    Error *error = find(compiler);
    if (error == NULL) return NULL;
    wr_compiler_stop(compiler);
    *out = NULL;
    return error;
}

static void end_process(Compiler *compiler, char *how, size_t size) {
    wr_os_mutex_lock(&compiler->lock);
    if (compiler->runs && compiler->is_cancelled && compiler->keeps)
        wr_os_process_leave(&compiler->process);
    else if (compiler->runs)
        wr_os_process_end(&compiler->process, how, size);
    compiler->runs = compiler->has_module = false;
    wr_os_mutex_unlock(&compiler->lock);
}

void wr_compiler_cancel(Compiler *compiler) {
    wr_os_mutex_lock(&compiler->lock);
    if (compiler->runs && compiler->keeps)
        wr_os_process_hang_up(&compiler->process);
    else if (compiler->runs)
        wr_os_process_kill(&compiler->process);
    compiler->is_cancelled = true;
    wr_os_mutex_unlock(&compiler->lock);
}

void wr_compiler_stop(Compiler *compiler) {
    if (compiler == NULL) return;
    char how[64];
    end_process(compiler, how, sizeof how);
    wr_os_mutex_destroy(&compiler->lock);
    wr_free(&compiler->engine->alloc, compiler, sizeof *compiler);
}

/* Under the lock. NULL: it runs. */
static const char *spawn(Compiler *compiler, u8 nice) {
    const char *argv[] = {compiler->path, NULL}, *why = "it has been cancelled";
    if (compiler->is_cancelled) return why;
    compiler->runs = wr_os_process_start(argv, nice, &compiler->process, &why);
    return compiler->runs ? NULL : why;
}

static Error *start_process(Compiler *compiler, u8 nice) {
    wr_os_mutex_lock(&compiler->lock);
    const char *why = compiler->runs ? NULL : spawn(compiler, nice);
    wr_os_mutex_unlock(&compiler->lock);
    if (why == NULL) return NULL;
    return wr_error_at(WR_ERROR_IO, NO_OFFSET, "cannot start the compiler %.500s: %s",
                       compiler->path, why);
}

void wr_compiler_expect(Compiler *compiler, u8 nice) {
    wr_error_delete(start_process(compiler, nice));
}

/* ---- a request ---- */

static Error *died(Compiler *compiler) {
    char how[64] = "it was left";
    end_process(compiler, how, sizeof how);
    return wr_error_at(WR_ERROR_IO, NO_OFFSET, "the compiler ended early: %s", how);
}

static Error *senseless(Compiler *compiler) {
    char how[64];
    end_process(compiler, how, sizeof how);
    return wr_error_at(WR_ERROR_IO, NO_OFFSET, "the compiler's answer makes no sense");
}

static bool send_part(const OsProcess *process, const void *bytes, u64 size) {
    return size == 0 || wr_os_process_write(process, bytes, (size_t)size);
}

static bool send_request(const Compiler *compiler, const Module *module, const CompileRequest *r) {
    const OsProcess *process = &compiler->process;
    const char *triple = r->triple ? r->triple : "", *cpu = r->cpu ? r->cpu : "",
               *features = r->features ? r->features : "", *keep = r->keep ? r->keep : "";
    WireRequest wire = {.magic = wire_magic(),
                        .module_size = r->same_module && compiler->has_module ? 0 : module->size,
                        .budget = r->budget,
                        .features = module->features,
                        .threads = r->threads,
                        .triple_size = (u32)strlen(triple),
                        .cpu_size = (u32)strlen(cpu),
                        .target_features_size = (u32)strlen(features),
                        .keep_size = (u32)strlen(keep),
                        .nfunctions = r->functions ? r->nfunctions : 0,
                        .npoints = r->npoints,
                        .options = r->options};
    return send_part(process, &wire, sizeof wire) && send_part(process, triple, wire.triple_size) &&
           send_part(process, cpu, wire.cpu_size) &&
           send_part(process, features, wire.target_features_size) &&
           send_part(process, keep, wire.keep_size) &&
           send_part(process, module->bytes, wire.module_size) &&
           send_part(process, r->functions, wire.nfunctions * sizeof *r->functions) &&
           send_part(process, r->points, wire.npoints * sizeof *r->points);
}

#define MESSAGE_MAX 65536u /* bytes */

/* The payload of the last answer, of at most `limit` bytes; NULL with *error set. */
static u8 *receive(Compiler *compiler, u64 size, u64 limit, Error **error) {
    const Alloc *alloc = &compiler->engine->alloc;
    bool is_possible = size > 0 && size <= limit;
    u8 *bytes = is_possible ? wr_alloc(alloc, (size_t)size) : NULL;
    *error = NULL;
    if (bytes == NULL) {
        *error = is_possible ? ERROR_OOM : senseless(compiler);
        char how[64];
        end_process(compiler, how, sizeof how); /* what it sends would not be read */
        return NULL;
    }
    if (wr_os_process_read(&compiler->process, bytes, (size_t)size)) return bytes;
    wr_free(alloc, bytes, (size_t)size);
    *error = died(compiler);
    return NULL;
}

static Error *refused(Compiler *compiler, const WireAnswer *answer) {
    Error *error;
    u8 *text = receive(compiler, answer->size, MESSAGE_MAX, &error);
    if (text == NULL) return error;
    bool is_kind = answer->kind <= WR_ERROR_USAGE;
    error = wr_error_at(is_kind ? (wr_error_kind_t)answer->kind : WR_ERROR_IO, NO_OFFSET, "%.*s",
                        answer->size < 1000 ? (int)answer->size : 1000, (const char *)text);
    wr_free(&compiler->engine->alloc, text, (size_t)answer->size);
    return error;
}

static void set_keeps(Compiler *compiler, bool keeps) {
    wr_os_mutex_lock(&compiler->lock);
    compiler->keeps = keeps;
    wr_os_mutex_unlock(&compiler->lock);
}

static Error *run(Compiler *compiler, const Module *module, const CompileRequest *request,
                  u8 **artifact, size_t *size, CompileStats *stats) {
    Error *error = NULL;
    if (!send_request(compiler, module, request)) return died(compiler);
    compiler->has_module = true;
    WireAnswer answer;
    for (;;) {
        if (!wr_os_process_read(&compiler->process, &answer, sizeof answer)) return died(compiler);
        if (answer.tag != WIRE_PROGRESS) break;
        if (request->progress)
            request->progress(request->progress_context, answer.done, answer.total);
    }
    if (answer.tag != WIRE_ARTIFACT) return refused(compiler, &answer);
    u8 *bytes = receive(compiler, answer.size, ARTIFACT_MAX, &error);
    if (bytes == NULL) return error;
    if (!wr_artifact_is(bytes, answer.size) || answer.size < HEAD_SIZE ||
        le64_load(bytes + HEAD_FILE_SIZE) != answer.size) {
        wr_free(&compiler->engine->alloc, bytes, (size_t)answer.size);
        return senseless(compiler);
    }
    *artifact = bytes;
    *size = (size_t)answer.size;
    if (stats != NULL) *stats = answer.stats;
    return NULL;
}

Error *wr_compiler_run(Compiler *compiler, const Module *module, const CompileRequest *request,
                       u8 **artifact, size_t *size, CompileStats *stats) {
    *artifact = NULL;
    *size = 0;
    Error *error = start_process(compiler, request->nice);
    if (error != NULL) return error;
    set_keeps(compiler, request->keep != NULL);
    error = run(compiler, module, request, artifact, size, stats);
    set_keeps(compiler, false);
    return error;
}
