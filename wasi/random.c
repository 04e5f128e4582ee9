/*
 * random.c - random bytes: from the host's generator, the embedder's, or a seed.
 */
#include "guest.h"
#include "io.h"

enum { RANDOM_CHUNK = 1 << 20 }; /* bytes between two looks at interruption */

/* Splitmix64: the same bytes for the same seed, on every host; nothing to keep secrets by. */
static uint64_t next_word(wr_wasi_t *wasi) {
    uint64_t z = atomic_fetch_add(&wasi->seed, 0x9E3779B97F4A7C15u) + 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void fill_from_seed(wr_wasi_t *wasi, uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = next_word(wasi);
        for (size_t k = i; k < size && k < i + 8; k++, word >>= 8) bytes[k] = (uint8_t)word;
    }
}

static Errno fill(wr_wasi_t *wasi, void *bytes, size_t size) {
    if (wasi->is_seeded) {
        fill_from_seed(wasi, bytes, size);
        return WASI_ERRNO_SUCCESS;
    }
    if (!wasi->random) return wr_sys_random(bytes, size);
    return wasi->random(wasi->random_context, bytes, size) ? WASI_ERRNO_SUCCESS : WASI_ERRNO_IO;
}

void wr_wasi_set_random(wr_wasi_t *wasi, wr_wasi_random_t random, void *context) {
    wasi->is_seeded = false;
    wasi->random = random;
    wasi->random_context = context;
}

void wr_wasi_set_seed(wr_wasi_t *wasi, uint64_t seed) {
    wasi->is_seeded = true;
    wasi->seed = seed;
}

Errno wr_wasi_random_get(Call *call) {
    uint32_t address = call->args[0].u32, left = call->args[1].u32;
    Errno error = wr_guest_check(call, address, left);
    while (!error && left > 0) {
        uint32_t chunk = left < RANDOM_CHUNK ? left : RANDOM_CHUNK;
        error = fill(call->wasi, wr_guest_bytes(call, address, chunk), chunk);
        address += chunk;
        left -= chunk;
        if (left > 0 && (call->trap = wr_caller_poll(call->caller))) return WASI_ERRNO_INTR;
    }
    return error;
}
