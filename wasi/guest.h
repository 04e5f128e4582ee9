/*
 * guest.h - guest memory: the one place where guest addresses become host pointers.
 *
 * Addresses are checked when they are turned into pointers; a pointer is used at once and not kept
 * across anything that may wait. Numbers are little-endian at any alignment.
 */
#ifndef WR_WASI_GUEST_H
#define WR_WASI_GUEST_H

#include "wasi.h"

enum { PATH_LIMIT = 4096 }; /* bytes of a path, with its terminating zero */

/* Another thread of the guest may be writing there: each byte is read once (volatile), and what has been
 * checked is what is used. */
static inline uint16_t get_u16(const uint8_t *bytes) {
    const volatile uint8_t *p = bytes;
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_u32(const uint8_t *bytes) {
    const volatile uint8_t *p = bytes;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_u64(const uint8_t *p) {
    return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

static inline void put_u16(uint8_t *p, uint16_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline void put_u32(uint8_t *p, uint32_t value) {
    put_u16(p, (uint16_t)value);
    put_u16(p + 2, (uint16_t)(value >> 16));
}

static inline void put_u64(uint8_t *p, uint64_t value) {
    put_u32(p, (uint32_t)value);
    put_u32(p + 4, (uint32_t)(value >> 32));
}

/* The bytes [address, address + size), or NULL: the errno is then FAULT. Never NULL for size 0. */
uint8_t *wr_guest_bytes(Call *call, uint32_t address, uint64_t size);
/* FAULT unless all of it is guest memory: asked before doing what could not be undone. */
Errno wr_guest_check(Call *call, uint32_t address, uint64_t size);
Errno wr_guest_put_u32(Call *call, uint32_t address, uint32_t value);
Errno wr_guest_put_u64(Call *call, uint32_t address, uint64_t value);
/* Copies a path: NOENT if empty, NAMETOOLONG, INVAL if it holds a zero, ILSEQ if it is not UTF-8. */
Errno wr_guest_path(Call *call, uint32_t address, uint32_t size, char path[PATH_LIMIT]);

bool wr_utf8_ok(const char *bytes, size_t size);

#endif
