/*
 * wasi.c - a guest may call the functions of WASI with any arguments in any order: it gets an errno, or is
 * ended by an exit or a deadline, and nothing outside of its directory is changed or made.
 *
 * The guest is a module of ours: one memory, and an export for each function of both import modules
 * that hands its arguments on. The input is a byte of options and a list of calls: a byte for the
 * function, then a byte or more for each argument; behind the last byte come zeros.
 */
#define _GNU_SOURCE
#include "wasi.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "host_files.h"
#include "unit/wasm_builder.h"
#include "wasmrun.h"

#define MAX_CALLS 60
#define TIMEOUT 20000000u     /* ns: longest that all the calls may block */
#define FILE_LIMIT (1u << 22) /* bytes: arbitrary files are not to fill the disk */
#define MEMORY_SIZE 65536u
#define ERRNO_COUNT 77

/* ---- the guest ------------------------------------------------------------------------------ */

static const char *const worlds[] = {"wasi_snapshot_preview1", "wasi_unstable"};

typedef struct Target {
    const WasiFunc *func;
    unsigned world;
    u32 nparams;
} Target;
static Target targets[2 * WASI_FUNC_COUNT];
static u32 ntargets;

static void list_targets(void) {
    for (unsigned world = 0; world < 2; world++) {
        for (size_t i = 0; i < WASI_FUNC_COUNT; i++) {
            const WasiFunc *func = wr_wasi_func(i);
            u32 nparams = (u32)(strchr(func->signature, '>') - func->signature);
            if (world == 0 || !func->stable_only)
                targets[ntargets++] = (Target){func, world, nparams};
        }
    }
}

static u8 letter_type(char letter) { return letter == 'I' ? I64 : I32; }

static void add_types(Wasm *w) {
    wasm_open(w, S_TYPE);
    wasm_u32(w, ntargets);
    for (const Target *target = targets; target < targets + ntargets; target++) {
        const char *results = target->func->signature + target->nparams + 1;
        BYTES(w, 0x60, (u8)target->nparams);
        for (u32 i = 0; i < target->nparams; i++) BYTES(w, letter_type(target->func->signature[i]));
        BYTES(w, (u8)strlen(results));
        for (; *results; results++) BYTES(w, letter_type(*results));
    }
    wasm_close(w);
}

static void add_imports(Wasm *w) {
    wasm_open(w, S_IMPORT);
    wasm_u32(w, ntargets);
    for (u32 i = 0; i < ntargets; i++) {
        wasm_import(w, worlds[targets[i].world], targets[i].func->name, X_FUNC);
        wasm_u32(w, i);
    }
    wasm_close(w);
    wasm_open(w, S_FUNC);
    wasm_u32(w, ntargets);
    for (u32 i = 0; i < ntargets; i++) wasm_u32(w, i);
    wasm_close(w);
}

static void target_name(u32 index, char name[12]) { snprintf(name, 12, "%u", index); }

static void add_exports(Wasm *w) {
    wasm_open(w, S_EXPORT);
    wasm_u32(w, ntargets + 1);
    wasm_export(w, "memory", X_MEMORY, 0);
    for (u32 i = 0; i < ntargets; i++) {
        char name[12];
        target_name(i, name);
        wasm_export(w, name, X_FUNC, ntargets + i);
    }
    wasm_close(w);
}

/* Each body calls the import of its number with its own arguments. */
static void add_bodies(Wasm *w) {
    wasm_open(w, S_CODE);
    wasm_u32(w, ntargets);
    for (u32 i = 0; i < ntargets; i++) {
        wasm_u32(w, 2 * targets[i].nparams + 4);
        BYTES(w, 0);
        for (u32 k = 0; k < targets[i].nparams; k++) BYTES(w, LOCAL_GET, (u8)k);
        BYTES(w, CALL, (u8)i, END);
    }
    wasm_close(w);
}

static Wasm make_guest(void) {
    Wasm w = wasm_begin();
    add_types(&w);
    add_imports(&w);
    SECTION(&w, S_MEMORY, 1, 0, 1);
    add_exports(&w);
    add_bodies(&w);
    return w;
}

/* ---- the host's side ------------------------------------------------------------------------ */

static wr_engine_t *engine;
static wr_module_t *module;
static char base[64]; /* holds the guest's directory "root", and things that it must not reach */
static char root[80], secret[80];

static void put_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void empty_folder(const char *path) {
    DIR *folder = opendir(path);
    CHECK(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char child[4096];
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        CHECK(snprintf(child, sizeof child, "%s/%s", path, entry->d_name) < (int)sizeof child);
        if (lstat(child, &info) == 0 && S_ISDIR(info.st_mode)) {
            empty_folder(child);
            CHECK(rmdir(child) == 0);
        } else {
            CHECK(unlink(child) == 0);
        }
    }
    closedir(folder);
}

static void remove_base(void) {
    empty_folder(base);
    (void)rmdir(base);
}

static void prepare_folder(void) {
    const char *parent = getenv("TMPDIR");
    int length = snprintf(base, sizeof base, "%s/wasi-fuzz-XXXXXX", parent ? parent : "/tmp");
    CHECK(length > 0 && (size_t)length < sizeof base && mkdtemp(base));
    atexit(remove_base);
    snprintf(root, sizeof root, "%s/root", base);
    snprintf(secret, sizeof secret, "%s/secret", base);
    CHECK(mkdir(root, 0777) == 0);
    put_file(secret, "untouched");
    CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){FILE_LIMIT, RLIM_INFINITY}) == 0);
    signal(SIGXFSZ, SIG_IGN);
}

static void prepare(void) {
    prepare_folder();
    list_targets();
    Wasm w = make_guest();
    CHECK(!wr_engine_new(NULL, &engine));
    CHECK(!wr_module_new(engine, w.data, w.size, &module));
}

static const char *in_root(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

/* What a guest finds: a file, a folder with a file, a way out and a way in circles. */
static void furnish(void) {
    put_file(in_root("a"), "hello, guest\n");
    CHECK(mkdir(in_root("b"), 0777) == 0);
    put_file(in_root("b/c"), "");
    CHECK(symlink("../secret", in_root("out")) == 0);
    CHECK(symlink("b/../loop", in_root("loop")) == 0);
}

/* Beside the guest's directory there is what was there before. */
static void check_outside(void) {
    char text[32] = "";
    int count = 0;
    DIR *folder = opendir(base);
    CHECK(folder);
    while (readdir(folder)) count++;
    closedir(folder);
    CHECK(count == 4); /* ".", "..", root, secret */
    FILE *file = fopen(secret, "r");
    CHECK(file && fgets(text, sizeof text, file) && strcmp(text, "untouched") == 0);
    fclose(file);
}

/* ---- the input ------------------------------------------------------------------------------ */

typedef struct Input {
    const u8 *pos, *end;
} Input;

static u8 next_byte(Input *in) { return in->pos < in->end ? *in->pos++ : 0; }

static u64 next_bytes(Input *in, int count) {
    u64 value = 0;
    while (count-- > 0) value = value << 8 | next_byte(in);
    return value;
}

/* Where the guest keeps paths and lists, see fill_memory(). */
enum { PATHS = 1024, PATH_SIZE = 16, VECTORS = 2048, SUBSCRIPTIONS = 4096, SCRATCH = 8192 };

static const char *const paths[] = {
    "a",         "b",  "b/c",    "out",  "loop",  "..",    "../secret", "b/../a",
    "new",       "b/", "loop/x", "/",    "/etc",  "b/new", ".",         "a/",
    "b/../../x", "l",  "out/x",  "\xFF", "b/./c", "",      "new/../..", "b//c",
};

/* Small numbers are likely descriptors, flags, counts and sizes of paths; then come addresses. */
static u64 next_argument(Input *in) {
    u8 byte = next_byte(in);
    if (byte < 96) return byte;
    if (byte < 128) return PATHS + PATH_SIZE * ((byte - 96) % ARRAY_LEN(paths));
    if (byte < 144) return VECTORS + 8 * (byte - 128u);
    if (byte < 152) return SUBSCRIPTIONS + 48 * (byte - 144u);
    if (byte < 160) return SCRATCH + 256 * (byte - 152u);
    if (byte < 192) return MEMORY_SIZE - (byte - 160u);
    if (byte < 200) return (u64)1 << 8 * (byte - 192u);
    if (byte < 232) return next_bytes(in, 1 + byte % 4);
    if (byte < 248) return next_bytes(in, 8);
    return UINT64_MAX - (255u - byte);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void fill_memory(wr_memory_t *memory) {
    u8 *bytes = wr_memory_data(memory);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        memcpy(bytes + PATHS + PATH_SIZE * i, paths[i], strlen(paths[i]));
    for (u32 i = 0; i < 32; i++) { /* vectors of growing sizes */
        le32_store(bytes + VECTORS + 8 * i, SCRATCH + 64 * i);
        le32_store(bytes + VECTORS + 8 * i + 4, i * i * 7);
    }
    for (u32 i = 0; i < 16; i++) { /* clocks and descriptors */
        u8 *subscription = bytes + SUBSCRIPTIONS + 48 * i;
        subscription[0] = (u8)i;
        subscription[8] = (u8)(i % 3);
        le32_store(subscription + 16, i % 3 ? i : i % 4);
        le64_store(subscription + 24, i % 2 ? 1000 : UINT64_MAX >> i);
        subscription[40] = (u8)(i & 1);
    }
}

/* Bytes of the input into the guest's memory. */
static void poke(Input *in, wr_memory_t *memory) {
    u32 at = (u32)next_argument(in) % (MEMORY_SIZE - 32);
    for (u32 count = next_byte(in) % 32u; count > 0; count--)
        wr_memory_data(memory)[at++] = next_byte(in);
}

static wr_val_t make_argument(Input *in, wr_valkind_t kind) {
    u64 value = next_argument(in);
    wr_val_t argument = {.kind = kind};
    if (kind == WR_I64)
        argument.of.i64 = (i64)value;
    else
        argument.of.i32 = (i32)(u32)value;
    return argument;
}

/* False when the guest has ended. */
static bool call(Input *in, wr_store_t *store, wr_instance_t *instance, u32 index) {
    char name[12];
    target_name(index, name);
    wr_func_t *func = wr_instance_func(instance, name);
    CHECK(func);
    u32 nparams = targets[index].nparams;
    wr_val_t args[16], result[1] = {{0}};
    for (u32 i = 0; i < nparams; i++) args[i] = make_argument(in, wr_func_param(func, i));
    wr_error_t *error = wr_func_call(store, func, args, nparams, result, 1);
    if (!error) {
        CHECK(result[0].of.i32 >= 0 && result[0].of.i32 < ERRNO_COUNT);
        return true;
    }
    CHECK(wr_error_kind(error) == WR_ERROR_EXIT || wr_error_trap_code(error) == WR_TRAP_DEADLINE);
    wr_error_delete(error);
    return false;
}

static void run_calls(Input *in, wr_store_t *store, wr_instance_t *instance) {
    wr_memory_t *memory = wr_instance_memory(instance, "memory");
    CHECK(memory);
    fill_memory(memory);
    for (int calls = 0; calls < MAX_CALLS && in->pos < in->end; calls++) {
        u32 index = next_byte(in);
        if (index >= ntargets)
            poke(in, memory);
        else if (!call(in, store, instance, index))
            return;
    }
}

/* ---- a run ---------------------------------------------------------------------------------- */

#define OPTION_READ_ONLY 1
#define OPTION_FILES 4 /* the directory by callbacks, which see finished paths and nothing else */
#define OPTION_WALK 2  /* resolve paths component by component, as on kernels that cannot */

static wr_wasi_t *make_context(u8 options, int socket) {
    static const char *const arguments[] = {"guest", "", "one argument"};
    wr_wasi_t *wasi = wr_wasi_new();
    CHECK(wasi);
    wasi->walk = options & OPTION_WALK;
    u32 flags = options & OPTION_READ_ONLY ? WR_WASI_READ_ONLY : 0;
    CHECK(!wr_wasi_set_args(wasi, ARRAY_LEN(arguments), arguments));
    CHECK(!wr_wasi_add_env(wasi, "NAME=value"));
    if (options & OPTION_FILES)
        CHECK(!wr_wasi_preopen_files(wasi, &host_files, root, "/", flags));
    else
        CHECK(!wr_wasi_preopen_dir(wasi, root, "/", flags));
    CHECK(!wr_wasi_preopen_socket(wasi, socket));
    return wasi;
}

static void run_guest(Input *in, wr_wasi_t *wasi) {
    wr_store_t *store;
    wr_instance_t *instance;
    wr_linker_t *linker = wr_linker_new(engine);
    CHECK(linker && !wr_store_new(engine, &store));
    CHECK(!wr_wasi_link(wasi, linker));
    CHECK(!wr_linker_instantiate(linker, store, module, &instance));
    CHECK(!wr_store_set_timeout(store, TIMEOUT));
    run_calls(in, store, instance);
    wr_store_delete(store);
    wr_linker_delete(linker);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    if (!engine) prepare();
    Input in = {data, data + size};
    int sockets[2];
    furnish();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    CHECK(write(sockets[1], "knock", 5) == 5);
    wr_wasi_t *wasi = make_context(next_byte(&in), sockets[0]);
    run_guest(&in, wasi);
    wr_wasi_delete(wasi);
    close(sockets[0]);
    close(sockets[1]);
    check_outside();
    empty_folder(root);
    return 0;
}
