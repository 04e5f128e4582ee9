/*
 * wasm2c_host.c - runs a benchmark's module that wabt's wasm2c has made C of (-n guest): main() and as much of WASI as the
 * programs of this folder use. Compiled together with that C by ahead.py; of no use for anything else: nothing is
 * checked.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

typedef struct Z_wasi_snapshot_preview1_instance_t {
    Z_guest_instance_t *guest;
    u32 argc;
    char **argv;
} Wasi;

enum { SUCCESS = 0, BAD_FILE = 8, NOT_SEEKABLE = 70 };

static u8 *memory(const Wasi *w) { return Z_guestZ_memory(w->guest)->data; }
static u32 load(const Wasi *w, u32 at) {
    u32 value;
    memcpy(&value, memory(w) + at, sizeof value);
    return value;
}
static void store(const Wasi *w, u32 at, u32 value) {
    memcpy(memory(w) + at, &value, sizeof value);
}

u32 Z_wasi_snapshot_preview1Z_args_sizes_get(Wasi *w, u32 count, u32 size) {
    u32 bytes = 0;
    for (u32 i = 0; i < w->argc; i++) bytes += (u32)strlen(w->argv[i]) + 1;
    store(w, count, w->argc);
    store(w, size, bytes);
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_args_get(Wasi *w, u32 argv, u32 bytes) {
    for (u32 i = 0; i < w->argc; i++) {
        size_t size = strlen(w->argv[i]) + 1;
        store(w, argv + 4 * i, bytes);
        memcpy(memory(w) + bytes, w->argv[i], size);
        bytes += (u32)size;
    }
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_environ_sizes_get(Wasi *w, u32 count, u32 size) {
    store(w, count, 0);
    store(w, size, 0);
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_environ_get(Wasi *w, u32 names, u32 bytes) {
    (void)w, (void)names, (void)bytes;
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_random_get(Wasi *w, u32 at, u32 size) {
    memset(memory(w) + at, 7, size);
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_write(Wasi *w, u32 fd, u32 vectors, u32 count, u32 written) {
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

u32 Z_wasi_snapshot_preview1Z_fd_close(Wasi *w, u32 fd) {
    (void)w, (void)fd;
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_seek(Wasi *w, u32 fd, u64 offset, u32 whence, u32 position) {
    (void)w, (void)fd, (void)offset, (void)whence, (void)position;
    return NOT_SEEKABLE;
}

/* No terminal: output is buffered. */
u32 Z_wasi_snapshot_preview1Z_fd_fdstat_get(Wasi *w, u32 fd, u32 at) {
    if (fd > 2) return BAD_FILE;
    memset(memory(w) + at, 0, 24);
    memory(w)[at] = 6;        /* a stream socket */
    memory(w)[at + 8] = 0x42; /* may be read and written */
    return SUCCESS;
}

void Z_wasi_snapshot_preview1Z_proc_exit(Wasi *w, u32 status) {
    (void)w;
    exit((int)status);
}

int main(int argc, char **argv) {
    static Z_guest_instance_t guest;
    Wasi wasi = {&guest, (u32)argc, argv};
    wasm_rt_init();
    Z_guest_init_module();
    Z_guest_instantiate(&guest, &wasi);
    Z_guestZ__start(&guest);
    return 0;
}
