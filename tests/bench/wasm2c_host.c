/*
 * wasm2c_host.c - runs a benchmark's module that wabt's wasm2c has made C of (-n guest): main() and as much of WASI as the
 * programs of this folder use. Compiled together with that C by ahead.py; of no use for anything else: nothing is
 * checked.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* What wasm2c calls things: other than before since 1.0.33. */
#ifdef WASM2C_OLD
#define WASI_TYPE Z_wasi_snapshot_preview1_instance_t
#define WASI(name) Z_wasi_snapshot_preview1Z_##name
#define GUEST_TYPE Z_guest_instance_t
#define GUEST_MEMORY Z_guestZ_memory
#define GUEST_START Z_guestZ__start
#define GUEST_INSTANTIATE(guest, wasi) (Z_guest_init_module(), Z_guest_instantiate(guest, wasi))
#else
#define WASI_TYPE w2c_wasi__snapshot__preview1
#define WASI(name) w2c_wasi__snapshot__preview1_##name
#define GUEST_TYPE w2c_guest
#define GUEST_MEMORY w2c_guest_memory
#define GUEST_START w2c_guest_0x5Fstart
#define GUEST_INSTANTIATE(guest, wasi) wasm2c_guest_instantiate(guest, wasi)
#endif

typedef struct WASI_TYPE {
    GUEST_TYPE *guest;
    u32 argc;
    char **argv;
} Wasi;

enum { SUCCESS = 0, BAD_FILE = 8, NOT_SEEKABLE = 70 };

static u8 *memory(const Wasi *w) { return GUEST_MEMORY(w->guest)->data; }
static u32 load(const Wasi *w, u32 at) {
    u32 value;
    memcpy(&value, memory(w) + at, sizeof value);
    return value;
}
static void store(const Wasi *w, u32 at, u32 value) {
    memcpy(memory(w) + at, &value, sizeof value);
}

u32 WASI(args_sizes_get)(Wasi *w, u32 count, u32 size) {
    u32 bytes = 0;
    for (u32 i = 0; i < w->argc; i++) bytes += (u32)strlen(w->argv[i]) + 1;
    store(w, count, w->argc);
    store(w, size, bytes);
    return SUCCESS;
}

u32 WASI(args_get)(Wasi *w, u32 argv, u32 bytes) {
    for (u32 i = 0; i < w->argc; i++) {
        size_t size = strlen(w->argv[i]) + 1;
        store(w, argv + 4 * i, bytes);
        memcpy(memory(w) + bytes, w->argv[i], size);
        bytes += (u32)size;
    }
    return SUCCESS;
}

u32 WASI(environ_sizes_get)(Wasi *w, u32 count, u32 size) {
    store(w, count, 0);
    store(w, size, 0);
    return SUCCESS;
}

u32 WASI(environ_get)(Wasi *w, u32 names, u32 bytes) {
    (void)w, (void)names, (void)bytes;
    return SUCCESS;
}

u32 WASI(random_get)(Wasi *w, u32 at, u32 size) {
    memset(memory(w) + at, 7, size);
    return SUCCESS;
}

u32 WASI(clock_time_get)(Wasi *w, u32 clock, u64 precision, u32 at) {
    struct timespec now;
    (void)clock, (void)precision;
    clock_gettime(CLOCK_MONOTONIC, &now);
    u64 ns = (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
    memcpy(memory(w) + at, &ns, sizeof ns);
    return SUCCESS;
}

u32 WASI(fd_write)(Wasi *w, u32 fd, u32 vectors, u32 count, u32 written) {
    u32 total = 0;
    if (fd != 1 && fd != 2) return BAD_FILE;
    for (u32 i = 0; i < count; i++) {
        u32 size = load(w, vectors + 8 * i + 4);
        const u8 *bytes = memory(w) + load(w, vectors + 8 * i);
        if (write((int)fd, bytes, size) != (ssize_t)size) abort();
        total += size;
    }
    store(w, written, total);
    return SUCCESS;
}

u32 WASI(fd_close)(Wasi *w, u32 fd) {
    (void)w, (void)fd;
    return SUCCESS;
}

u32 WASI(fd_seek)(Wasi *w, u32 fd, u64 offset, u32 whence, u32 position) {
    (void)w, (void)fd, (void)offset, (void)whence, (void)position;
    return NOT_SEEKABLE;
}

/* No terminal: output is buffered. */
u32 WASI(fd_fdstat_get)(Wasi *w, u32 fd, u32 at) {
    if (fd > 2) return BAD_FILE;
    memset(memory(w) + at, 0, 24);
    memory(w)[at] = 6;        /* a stream socket */
    memory(w)[at + 8] = 0x42; /* may be read and written */
    return SUCCESS;
}

void WASI(proc_exit)(Wasi *w, u32 status) {
    (void)w;
    exit((int)status);
}

int main(int argc, char **argv) {
    static GUEST_TYPE guest;
    Wasi wasi = {&guest, (u32)argc, argv};
    wasm_rt_init();
    GUEST_INSTANTIATE(&guest, &wasi);
    GUEST_START(&guest);
    return 0;
}
