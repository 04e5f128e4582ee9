/*
 * virtual_files.c - a guest with files and no file system: /site is a table in this program, as an archive in
 * memory would be, and /out takes what the guest writes, up to a limit. Nothing of it is on a disk.
 *
 * usage: virtual_files [MODULE]    (any WASI program; what it prints goes to our standard output)
 */
#include <stdio.h>
#include <string.h>
#include <wasmrun.h>

/* ---- /site: read-only, from a table ------------------------------------------------------------------- */

typedef struct Page {
    const char *path, *text; /* text NULL: a directory */
} Page;

static const Page site[] = {
    {"", NULL},
    {"index.html", "<h1>Hello</h1>\n"},
    {"pages", NULL},
    {"pages/about.html", "<p>Served out of memory.</p>\n"},
    {"pages/contact.html", "<p>Nobody is here.</p>\n"},
};
enum { PAGES = sizeof site / sizeof *site };

static const Page *find_page(const char *path) {
    for (size_t i = 0; i < PAGES; i++)
        if (strcmp(site[i].path, path) == 0) return &site[i];
    return NULL;
}

/* Of a path, or of what has been opened. */
static wr_wasi_errno_t page_stat(void *context, const char *path, void *file,
                                 wr_wasi_filestat_t *stat) {
    (void)context;
    const Page *page = file ? file : find_page(path);
    if (!page) return WR_WASI_NOENT;
    stat->type = page->text ? WR_WASI_REGULAR_FILE : WR_WASI_DIRECTORY;
    stat->size = page->text ? strlen(page->text) : 0;
    return WR_WASI_SUCCESS;
}

static wr_wasi_errno_t page_open(void *context, const char *path, uint32_t flags, void **file) {
    (void)context, (void)flags; /* there is no `write`, so it is for reading */
    *file = (void *)(uintptr_t)find_page(path);
    return *file ? WR_WASI_SUCCESS : WR_WASI_NOENT;
}

/* What `size` bytes at `offset` are of so many. */
static size_t clip(size_t all, uint64_t offset, size_t size) {
    size_t left = offset < all ? all - (size_t)offset : 0;
    return size < left ? size : left;
}

static wr_wasi_errno_t page_read(void *context, void *file, void *bytes, size_t size,
                                 uint64_t offset, size_t *done) {
    const Page *page = file;
    (void)context;
    *done = clip(strlen(page->text), offset, size);
    if (*done > 0) memcpy(bytes, page->text + offset, *done);
    return WR_WASI_SUCCESS;
}

/* The name in `path` if that lies directly in `directory`, else NULL. */
static const char *name_in(const char *directory, const char *path) {
    size_t length = strlen(directory);
    if (strncmp(path, directory, length) != 0 || !path[length]) return NULL;
    if (length > 0 && path[length] != '/') return NULL;
    const char *name = path + length + (length > 0);
    return strchr(name, '/') ? NULL : name;
}

/* Positions are places in the table. */
static wr_wasi_errno_t page_list(void *context, const char *path, uint64_t position,
                                 wr_wasi_entry_t *entry) {
    (void)context;
    for (uint64_t i = position; i < PAGES && !entry->name; i++) {
        entry->name = name_in(path, site[i].path);
        entry->type = site[i].text ? WR_WASI_REGULAR_FILE : WR_WASI_DIRECTORY;
        entry->next = i + 1;
    }
    return WR_WASI_SUCCESS;
}

static const wr_wasi_files_t pages = {.size = sizeof pages,
                                      .stat = page_stat,
                                      .open = page_open,
                                      .read = page_read,
                                      .list = page_list};

/* ---- /out: a few files, of limited size --------------------------------------------------------------- */

typedef struct Output {
    char name[32]; /* "" is a free place; they stay until we are done with the guest */
    char bytes[1024];
    size_t size;
} Output;
typedef struct Outputs {
    Output all[4];
} Outputs;

static Output *find_output(Outputs *outputs, const char *name) {
    for (size_t i = 0; i < 4; i++)
        if (strcmp(outputs->all[i].name, name) == 0) return &outputs->all[i];
    return NULL;
}

static wr_wasi_errno_t output_stat(void *context, const char *path, void *file,
                                   wr_wasi_filestat_t *stat) {
    const Output *output = file ? file : path[0] ? find_output(context, path) : NULL;
    if (!output && path[0]) return WR_WASI_NOENT;
    stat->type = output ? WR_WASI_REGULAR_FILE : WR_WASI_DIRECTORY;
    stat->size = output ? output->size : 0;
    return WR_WASI_SUCCESS;
}

/* New ones are made only when the guest asks for that; the library has looked whether it is one. */
static wr_wasi_errno_t output_open(void *context, const char *path, uint32_t flags, void **file) {
    Output *output = find_output(context, path);
    if (!output && !(flags & WR_WASI_OPEN_CREATE)) return WR_WASI_NOENT;
    if (!output) output = find_output(context, "");
    if (!output || strlen(path) >= sizeof output->name) return WR_WASI_NOSPC;
    strcpy(output->name, path);
    if (flags & WR_WASI_OPEN_TRUNCATE) output->size = 0;
    *file = output;
    return WR_WASI_SUCCESS;
}

static wr_wasi_errno_t output_read(void *context, void *file, void *bytes, size_t size,
                                   uint64_t offset, size_t *done) {
    const Output *output = file;
    (void)context;
    *done = clip(output->size, offset, size);
    if (*done > 0) memcpy(bytes, output->bytes + offset, *done);
    return WR_WASI_SUCCESS;
}

static wr_wasi_errno_t output_write(void *context, void *file, const void *bytes, size_t size,
                                    uint64_t offset, size_t *done) {
    Output *output = file;
    (void)context;
    *done = clip(sizeof output->bytes, offset, size);
    if (*done == 0) return WR_WASI_NOSPC;
    if (offset > output->size)
        memset(output->bytes + output->size, 0, (size_t)offset - output->size);
    memcpy(output->bytes + offset, bytes, *done);
    if (offset + *done > output->size) output->size = (size_t)offset + *done;
    return WR_WASI_SUCCESS;
}

static const wr_wasi_files_t out = {.size = sizeof out,
                                    .stat = output_stat,
                                    .open = output_open,
                                    .read = output_read,
                                    .write = output_write};

/* ---- The guest ---------------------------------------------------------------------------------------- */

/* Copies pages/about.html of the first directory to copy.html in the second. */
static const char copier[] =
    "(module"
    " (import \"wasi_snapshot_preview1\" \"path_open\" (func $open"
    "  (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_read\" (func $read (param i32 i32 i32 i32) (result "
    "i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result "
    "i32)))"
    " (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
    " (memory (export \"memory\") 1)"
    " (data (i32.const 0) \"pages/about.htmlcopy.html\")"
    " (data (i32.const 64) \"\\00\\01\\00\\00\\00\\02\\00\\00\")" /* iovec: 512 bytes at 256 */
    " (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))"
    " (func (export \"_start\")" /* rights: 2 reads, 64 writes; flags: 1 creates */
    "  (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 16)"
    "   (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 80)))"
    "  (call $must (call $open (i32.const 4) (i32.const 0) (i32.const 16) (i32.const 9)"
    "   (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 84)))"
    "  (call $must (call $read (i32.load (i32.const 80)) (i32.const 64) (i32.const 1)"
    "   (i32.const 88)))"
    "  (i32.store (i32.const 68) (i32.load (i32.const 88)))"
    "  (call $must (call $write (i32.load (i32.const 84)) (i32.const 64) (i32.const 1)"
    "   (i32.const 88)))))";

static wr_error_t *print(void *context, const void *bytes, size_t size) {
    (void)context;
    fwrite(bytes, 1, size, stdout);
    return NULL;
}

static wr_error_t *load(wr_engine_t *engine, const char *path, wr_module_t **module) {
    uint8_t *bytes;
    size_t size;
    if (path) return wr_module_open(engine, path, module);
    wr_error_t *error = wr_wat_to_wasm(copier, strlen(copier), "copier.wat", true, &bytes, &size);
    if (error) return error;
    error = wr_module_new(engine, bytes, size, module);
    wr_bytes_delete(bytes, size);
    return error;
}

static wr_error_t *run(wr_engine_t *engine, wr_wasi_t *wasi, wr_module_t *module) {
    wr_store_t *store;
    wr_instance_t *instance;
    wr_linker_t *linker = wr_linker_new(engine);
    wr_error_t *error = wr_store_new(engine, &store);
    if (error || !linker) return error; /* out of memory */
    error = wr_wasi_link(wasi, linker);
    if (!error) error = wr_linker_instantiate(linker, store, module, &instance);
    wr_func_t *start = error ? NULL : wr_instance_func(instance, "_start");
    if (!error && !start) error = wr_error_new(WR_ERROR_USAGE, "no function _start");
    if (!error) error = wr_func_call(store, start, NULL, 0, NULL, 0);
    wr_store_delete(store);
    wr_linker_delete(linker);
    return error;
}

int main(int argc, char **argv) {
    static Outputs outputs;
    wr_engine_t *engine = NULL;
    wr_module_t *module = NULL;
    wr_wasi_t *wasi = wr_wasi_new();
    wr_error_t *error = wasi ? NULL : wr_error_new(WR_ERROR_MEMORY, "out of memory");
    if (!error) error = wr_wasi_set_stream(wasi, 1, &(wr_wasi_stream_t){.write = print});
    if (!error) error = wr_wasi_preopen_files(wasi, &pages, NULL, "/site", 0);
    if (!error) error = wr_wasi_preopen_files(wasi, &out, &outputs, "/out", 0);
    if (!error) error = wr_engine_new(NULL, &engine);
    if (!error) error = load(engine, argc > 1 ? argv[1] : NULL, &module);
    if (!error) error = run(engine, wasi, module);

    uint32_t status = 0;
    if (error && !wr_error_exit_status(error, &status)) {
        char text[4096];
        wr_error_render(error, text, sizeof text);
        fputs(text, stderr);
        status = 1;
    }
    for (size_t i = 0; i < 4 && outputs.all[i].name[0]; i++)
        printf("/out/%s, %zu bytes: %.*s", outputs.all[i].name, outputs.all[i].size,
               (int)outputs.all[i].size, outputs.all[i].bytes);
    wr_error_delete(error);
    wr_module_delete(module);
    wr_engine_delete(engine);
    wr_wasi_delete(wasi);
    return (int)status;
}
