/*
 * suite.c - see suite.h.
 */
#include "suite.h"

#include "text_lex.h"
#include "tier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Proposals are developed beside the language as it was when they began. Where a folder of the suite
 * asserts that something is invalid which has become part of the language since, it is run with that
 * turned off, as a folder, in every file; and with the proposal turned on, if it is off by default.
 */
static const struct FolderFeatures {
    const char *folder; /* the end of a folder's path */
    Features off, on;
} folder_features[] = {
#define BIT(feature) ((Features)1 << FEATURE_##feature)
    {"proposals/threads",
     BIT(MULTI_MEMORY) | BIT(REFERENCE_TYPES) | BIT(FUNCTION_REFERENCES) | BIT(GC) | BIT(MEMORY64),
     0},
    {"proposals/custom-descriptors", 0, BIT(CUSTOM_DESCRIPTORS)},
#undef BIT
};

#define MAX_ENGINES (ARRAY_LEN(folder_features) + 1)

typedef struct File {
    const char *path;
    ScriptResult result;
    const char *problem; /* it could not be read */
    bool is_done;
} File;

/* Shared by the workers; `lock` is for what changes. */
typedef struct Suite {
    const SuiteOptions *options;
    Engine *engines[MAX_ENGINES]; /* by row of folder_features; the last one for all others */
    File *files;
    size_t count;
    size_t next;    /* to be run */
    size_t printed; /* files before have been */
    FILE *out;
    OsMutex lock;
} Suite;

/* ---- folders ---- */

/* The length of a path without its last part and the slash before it. */
static size_t folder_size(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) : 0;
}

static bool in_folder(const char *path, const char *folder) {
    size_t size = folder_size(path), wanted = strlen(folder);
    return size >= wanted && memcmp(path + size - wanted, folder, wanted) == 0 &&
           (size == wanted || path[size - wanted - 1] == '/');
}

static size_t row_of(const char *path) {
    size_t row = 0;
    while (row < ARRAY_LEN(folder_features) && !in_folder(path, folder_features[row].folder)) row++;
    return row;
}

/* ---- files ---- */

/* All of a stream, zero bytes included; NULL and a reason when that fails. */
static char *read_stream(FILE *in, size_t *size, const char **problem) {
    char *text = NULL;
    size_t capacity = 0, got;
    *size = 0;
    do {
        if (*size == capacity) {
            capacity = capacity == 0 ? 65536 : capacity * 2;
            char *grown = realloc(text, capacity);
            if (grown == NULL) {
                *problem = "out of memory";
                break;
            }
            text = grown;
        }
        got = fread(text + *size, 1, capacity - *size, in);
        *size += got;
    } while (got > 0);
    if (ferror(in)) *problem = strerror(errno);
    return text;
}

static void run_text(Suite *suite, File *file, FILE *in) {
    size_t size;
    char *text = read_stream(in, &size, &file->problem);
    if (file->problem == NULL && size > TEXT_MAX) file->problem = "too large";
    if (file->problem == NULL)
        wr_script_run(suite->engines[row_of(file->path)], &suite->options->script, file->path, text,
                      size, &file->result);
    free(text);
}

static void run_file(Suite *suite, File *file) {
    FILE *in = fopen(file->path, "rb");
    if (in == NULL) {
        file->problem = strerror(errno);
        return;
    }
    run_text(suite, file, in);
    fclose(in);
}

static bool file_passed(const File *file) {
    return file->problem == NULL && script_passed(&file->result);
}

static void print_file(FILE *out, const File *file) {
    const ScriptResult *r = &file->result;
    if (r->log.size > 0) fwrite(r->log.data, 1, r->log.size, out);
    if (file->problem != NULL)
        fprintf(out, "%s: cannot read: %s\n", file->path, file->problem);
    else
        fprintf(out, "%s: %s: %u of %u assertions, %u of %u commands\n", file->path,
                file_passed(file) ? "ok" : "FAILED", r->assertions_ok, r->assertions,
                r->commands_ok, r->commands);
    fflush(out);
}

/* ---- workers ---- */

/* Files are printed in the order they were given, as soon as all before them are. */
static void finish(Suite *suite, File *file) {
    file->is_done = true;
    for (; suite->printed < suite->count && suite->files[suite->printed].is_done;
         suite->printed++) {
        File *done = &suite->files[suite->printed];
        print_file(suite->out, done);
        if (done->result.log.alloc != NULL) wr_buffer_free(&done->result.log);
    }
}

static void work(void *context) {
    Suite *suite = context;
    wr_os_mutex_lock(&suite->lock);
    while (suite->next < suite->count) {
        File *file = &suite->files[suite->next++];
        wr_os_mutex_unlock(&suite->lock);
        run_file(suite, file);
        wr_os_mutex_lock(&suite->lock);
        finish(suite, file);
    }
    wr_os_mutex_unlock(&suite->lock);
}

/* This thread is one of the workers; that others cannot be started only makes it slower. */
static void run_all(Suite *suite, u32 jobs) {
    OsThread *threads[256];
    u32 n = 0;
    if (jobs > ARRAY_LEN(threads)) jobs = ARRAY_LEN(threads);
    while (n + 1 < jobs && n + 1 < suite->count &&
           (threads[n] = wr_os_thread_start(work, suite)) != NULL)
        n++;
    work(suite);
    while (n > 0) wr_os_thread_join(threads[--n]);
}

/* ---- engines ---- */

static Error *make_engines(Suite *suite) {
    Error *error = NULL;
    for (size_t i = 0; i < MAX_ENGINES && error == NULL; i++) {
        struct wr_config config = suite->options->config;
        if (i < ARRAY_LEN(folder_features))
            config.features = (config.features & ~folder_features[i].off) | folder_features[i].on;
        config.validation_threads = 1; /* files are what runs side by side */
        error = wr_engine_create(&config, &wr_interpreter, &suite->engines[i]);
        if (error == NULL && config.kind == WR_ENGINE_AUTO && !wr_tier_start(suite->engines[i]))
            error = ERROR_OOM;
    }
    return error;
}

/* ---- totals ---- */

typedef struct Total {
    size_t files, files_ok;
    u64 assertions, assertions_ok;
} Total;

static void add_file(Total *total, const File *file) {
    total->files++;
    total->files_ok += file_passed(file);
    total->assertions += file->result.assertions;
    total->assertions_ok += file->result.assertions_ok;
}

static void print_total(FILE *out, const char *name, size_t size, const Total *t) {
    fprintf(out, "%.*s: %s: %llu of %llu assertions in %zu of %zu files\n", (int)size, name,
            t->files_ok == t->files ? "ok" : "FAILED", (unsigned long long)t->assertions_ok,
            (unsigned long long)t->assertions, t->files_ok, t->files);
}

static bool same_folder(const File *a, const File *b) {
    size_t size = folder_size(a->path);
    return size == folder_size(b->path) && memcmp(a->path, b->path, size) == 0;
}

/* A line for each folder, where its first file comes. */
static void print_folders(const Suite *suite) {
    for (size_t i = 0; i < suite->count; i++) {
        const File *file = &suite->files[i];
        Total total = {0};
        bool is_first = true;
        for (size_t k = 0; k < i && is_first; k++) is_first = !same_folder(&suite->files[k], file);
        if (!is_first) continue;
        for (size_t k = i; k < suite->count; k++)
            if (same_folder(&suite->files[k], file)) add_file(&total, &suite->files[k]);
        size_t size = folder_size(file->path);
        print_total(suite->out, size > 0 ? file->path : ".", size > 0 ? size : 1, &total);
    }
}

static bool print_totals(const Suite *suite) {
    Total total = {0};
    for (size_t i = 0; i < suite->count; i++) add_file(&total, &suite->files[i]);
    if (suite->count > 1) {
        fprintf(suite->out, "\n");
        print_folders(suite);
        print_total(suite->out, "all", 3, &total);
    }
    return total.files_ok == total.files;
}

bool wr_suite_run(const SuiteOptions *options, const char *const *paths, size_t count, FILE *out) {
    Suite suite = {.options = options, .count = count, .out = out};
    suite.files = calloc(count + 1, sizeof *suite.files);
    Error *error = suite.files == NULL ? ERROR_OOM : make_engines(&suite);
    bool ok = false;
    if (error == NULL) {
        for (size_t i = 0; i < count; i++) suite.files[i].path = paths[i];
        wr_os_mutex_init(&suite.lock);
        run_all(&suite, options->jobs != 0 ? options->jobs : wr_os_cpu_count());
        wr_os_mutex_destroy(&suite.lock);
        ok = print_totals(&suite);
    } else {
        fprintf(out, "%s\n", wr_error_message(error));
        wr_error_delete(error);
    }
    for (size_t i = 0; i < MAX_ENGINES; i++)
        if (suite.engines[i] != NULL) wr_engine_unref(suite.engines[i]);
    free(suite.files);
    return ok;
}
