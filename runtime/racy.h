/*
 * racy.h - accesses to guest memory, which other threads may be using at the same time.
 *
 * What WebAssembly promises of them is little: a value may be old, or a mixture of several, but never
 * is anything else harmed. Compiled, they are the plain accesses of the processor, each of which is made
 * once: what is read is used as it was read, checked or not. C knows no such access at any alignment, so
 * to the thread sanitizer these functions, and nothing else, are invisible: guests may race, the library
 * must not. Atomic instructions are C's atomics and are seen, so that a guest's synchronisation counts.
 */
#ifndef WR_RACY_H
#define WR_RACY_H

#include "base.h"

RACY u8 racy_load8(const u8 *p) { return *p; }
RACY u16 racy_load16(const u8 *p) { return le16_load(p); }
RACY u32 racy_load32(const u8 *p) { return le32_load(p); }
RACY u64 racy_load64(const u8 *p) { return le64_load(p); }
RACY void racy_store8(u8 *p, u8 x) { *p = x; }
RACY void racy_store16(u8 *p, u16 x) { le16_store(p, x); }
RACY void racy_store32(u8 *p, u32 x) { le32_store(p, x); }
RACY void racy_store64(u8 *p, u64 x) { le64_store(p, x); }

/* Hidden, byte by byte: calls of the C library's functions would be seen. The ranges may overlap. */
RACY void racy_copy(u8 *to, const u8 *from, size_t n) {
    if (!HIDES_RACES) {
        memmove(to, from, n);
        return;
    }
    volatile u8 *t = to;
    const volatile u8 *f = from;
    for (size_t i = 0; i < n; i++) {
        size_t at = to < from ? i : n - 1 - i;
        t[at] = f[at];
    }
}

RACY void racy_fill(u8 *to, u8 value, size_t n) {
    if (!HIDES_RACES) {
        memset(to, value, n);
        return;
    }
    volatile u8 *t = to;
    for (size_t i = 0; i < n; i++) t[i] = value;
}

#endif
