/*
 * wasi_mock.h - a guest for the unit tests of wasi/: a byte array for memory, calls by name, and just
 * as much of the public interface as wasi/ uses. Included by one file of each test program.
 */
#ifndef WR_WASI_MOCK_H
#define WR_WASI_MOCK_H

#pragma GCC diagnostic ignored "-Wunused-function" /* no test needs all of it */
#pragma GCC diagnostic ignored "-Wunused-variable"

#define _GNU_SOURCE
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "wasi.h"

#ifdef WR_VIRTUAL_ROOT
#include "host_files.h"
#endif

/* ---- The public interface ------------------------------------------------------------------------- */

struct wr_error {
    wr_error_kind_t kind;
    uint32_t status;
};

struct wr_caller {
    uint8_t *memory;
    uint64_t size;
    uint64_t patience;
    long polls; /* that pass before a deadline; negative: no deadline */
};

struct wr_linker {
    struct {
        const char *name, *signature;
        wr_host_func_t func;
        void *context;
    } functions[2][64];
    size_t count[2];
};

static wr_error_t *make_error(wr_error_kind_t kind, uint32_t status) {
    wr_error_t *error = calloc(1, sizeof *error);
    *error = (wr_error_t){kind, status};
    return error;
}

wr_error_t *wr_error_new(wr_error_kind_t kind, const char *format, ...) {
    va_list args;
    char text[1000];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return make_error(kind, 0);
}

wr_error_t *wr_exit_new(uint32_t status) { return make_error(WR_ERROR_EXIT, status); }

void *wr_caller_memory(wr_caller_t *caller, uint64_t address, uint64_t size) {
    if (address > caller->size || size > caller->size - address) return NULL;
    return caller->memory + address;
}

wr_error_t *wr_caller_poll(wr_caller_t *caller) {
    if (caller->polls < 0 || caller->polls-- > 0) return NULL;
    caller->polls = 0;
    return make_error(WR_ERROR_TRAP, 0);
}

wr_error_t *wr_trap_new(const char *message) {
    (void)message;
    return make_error(WR_ERROR_TRAP, 0);
}

/* One store, and it never has data: who wants that tests against the library. */
wr_store_t *wr_caller_store(wr_caller_t *caller) { return (wr_store_t *)(void *)caller; }
void *wr_store_data(const wr_store_t *store, const void *key) {
    (void)store, (void)key;
    return NULL;
}
wr_error_t *wr_store_set_data(wr_store_t *store, const void *key, void *value) {
    (void)store, (void)key, (void)value;
    return make_error(WR_ERROR_MEMORY, 0);
}

uint64_t wr_caller_patience(wr_caller_t *caller) { return caller->patience; }

wr_error_t *wr_linker_define_func(wr_linker_t *linker, const char *module, const char *name,
                                  const char *signature, wr_host_func_t func, void *context,
                                  void (*finalizer)(void *context)) {
    int world = strcmp(module, "wasi_unstable") == 0;
    cr_assert_null(finalizer);
    size_t i = linker->count[world]++;
    cr_assert_lt(i, 64u);
    linker->functions[world][i].name = name;
    linker->functions[world][i].signature = signature;
    linker->functions[world][i].func = func;
    linker->functions[world][i].context = context;
    return NULL;
}

/* ---- The guest --------------------------------------------------------------------------------------- */

enum { MEMORY_SIZE = 1 << 20, RESULT = 64, SCRATCH = 4096 };

static wr_wasi_t *wasi;
static struct wr_linker linker;
static struct wr_caller guest;
static wr_error_t *last_trap;
static char root[64];        /* a host directory, preopened as "/" at descriptor 3 */
static uint32_t next_string; /* guest address for the next path */

/* Calls by name as a guest would; INTR if it ended the guest: see last_trap. */
static Errno invoke(int world, const char *name, const uint64_t *args, size_t count) {
    for (size_t i = 0; i < linker.count[world]; i++) {
        if (strcmp(linker.functions[world][i].name, name) != 0) continue;
        const char *signature = linker.functions[world][i].signature;
        wr_slot_t slots[16];
        cr_assert_eq(count, (size_t)(strchr(signature, '>') - signature), "arguments of %s", name);
        for (size_t k = 0; k < count; k++) {
            slots[k].u64 =
                UINT64_C(0xDEADBEEFDEADBEEF); /* the upper half of an i32 means nothing */
            if (signature[k] == 'i')
                slots[k].u32 = (uint32_t)args[k];
            else
                slots[k].u64 = args[k];
        }
        free(last_trap);
        last_trap =
            linker.functions[world][i].func(&guest, linker.functions[world][i].context, slots);
        return last_trap ? WASI_ERRNO_INTR : (Errno)slots[0].u32;
    }
    return WASI_ERRNO_NOSYS;
}

#define ARGS(...)                                                                                  \
    (const uint64_t[]){0, __VA_ARGS__} + 1,                                                        \
        sizeof((const uint64_t[]){0, __VA_ARGS__}) / sizeof(uint64_t) - 1
#define CALL(name, ...) invoke(0, #name, ARGS(__VA_ARGS__))
#define CALL0(name, ...) invoke(1, #name, ARGS(__VA_ARGS__))

static uint32_t result32(void) { return get_u32(guest.memory + RESULT); }
static uint64_t result64(void) { return get_u64(guest.memory + RESULT); }

static void remove_tree(const char *path) {
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char child[4096];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        struct stat stat;
        if (lstat(child, &stat) == 0 && S_ISDIR(stat.st_mode))
            remove_tree(child);
        else
            unlink(child);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

static char base_dir[64]; /* what holds `root`, and things the guest must not reach */

static void start_guest(void) {
    guest = (struct wr_caller){calloc(1, MEMORY_SIZE), MEMORY_SIZE, UINT64_MAX, -1};
    next_string = MEMORY_SIZE / 2;
    memset(&linker, 0, sizeof linker);
    wasi = wr_wasi_new();
    cr_assert_not_null(wasi);
    cr_assert_null(wr_wasi_link(wasi, &linker));
}

/* By callbacks, if the test is compiled so: to a guest it makes no difference. */
static wr_error_t *give_root(void) {
#ifdef WR_VIRTUAL_ROOT
    return wr_wasi_preopen_files(wasi, &host_files, root, "/", 0);
#else
    return wr_wasi_preopen_dir(wasi, root, "/", 0);
#endif
}

/* Whether paths are resolved by our own walk. */
static bool walks(void) {
#ifdef WR_VIRTUAL_ROOT
    return true;
#else
    return wasi->walk;
#endif
}

/* A guest with a directory: `root` within a directory that it was not given. */
static void start_with_root(void) {
    strcpy(base_dir, "/tmp/wasi-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(base_dir));
    snprintf(root, sizeof root, "%s/root", base_dir);
    cr_assert_eq(mkdir(root, 0777), 0);
    start_guest();
    cr_assert_null(give_root());
}

static void stop_guest(void) {
    wr_wasi_delete(wasi);
    free(guest.memory);
    free(last_trap);
    last_trap = NULL;
    if (base_dir[0]) remove_tree(base_dir);
}

static uint32_t guest_string(const char *text) {
    size_t size = strlen(text);
    if (next_string + size > MEMORY_SIZE) next_string = MEMORY_SIZE / 2;
    uint32_t address = next_string;
    memcpy(guest.memory + address, text, size);
    next_string += (uint32_t)size;
    return address;
}

#define STR(text) guest_string(text), strlen(text)

/* ---- Common calls ------------------------------------------------------------------------------------- */

static Errno open_with(uint32_t dir, uint32_t lookup, const char *path, uint32_t oflags,
                       uint64_t base, uint64_t inheriting, uint32_t fdflags, uint32_t *fd) {
    Errno error =
        CALL(path_open, dir, lookup, STR(path), oflags, base, inheriting, fdflags, RESULT);
    *fd = error ? UINT32_MAX : result32();
    return error;
}

static Errno open_path(const char *path, uint32_t oflags, uint64_t base, uint32_t *fd) {
    return open_with(3, WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, oflags, base, 0, 0, fd);
}

static uint32_t must_open(const char *path, uint32_t oflags, uint64_t base) {
    uint32_t fd;
    Errno error = open_path(path, oflags, base, &fd);
    cr_assert_eq(error, 0, "opening %s: errno %d", path, error);
    return fd;
}

static uint32_t iovec(uint32_t address, uint32_t size) {
    put_u32(guest.memory + SCRATCH, address);
    put_u32(guest.memory + SCRATCH + 4, size);
    return SCRATCH;
}

static Errno write_text(uint32_t fd, const char *text) {
    return CALL(fd_write, fd, iovec(guest_string(text), (uint32_t)strlen(text)), 1, RESULT);
}

/* Reads up to `size` bytes to guest address 8192. */
static Errno read_some(uint32_t fd, uint32_t size) {
    return CALL(fd_read, fd, iovec(8192, size), 1, RESULT);
}

#define READ_AT 8192

static const char *host_path(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void host_file(const char *name, const char *text) {
    FILE *file = fopen(host_path(name), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

#endif
