/*
 * guest.c - guest memory and strings; see guest.h.
 */
#include "guest.h"

#include <string.h>

uint8_t *wr_guest_bytes(Call *call, uint32_t address, uint64_t size) {
    static uint8_t nothing;
    return size ? wr_caller_memory(call->caller, address, size) : &nothing;
}

Errno wr_guest_check(Call *call, uint32_t address, uint64_t size) {
    return wr_guest_bytes(call, address, size) ? WASI_ERRNO_SUCCESS : WASI_ERRNO_FAULT;
}

Errno wr_guest_put_u32(Call *call, uint32_t address, uint32_t value) {
    uint8_t *bytes = wr_guest_bytes(call, address, 4);
    if (!bytes) return WASI_ERRNO_FAULT;
    put_u32(bytes, value);
    return WASI_ERRNO_SUCCESS;
}

Errno wr_guest_put_u64(Call *call, uint32_t address, uint64_t value) {
    uint8_t *bytes = wr_guest_bytes(call, address, 8);
    if (!bytes) return WASI_ERRNO_FAULT;
    put_u64(bytes, value);
    return WASI_ERRNO_SUCCESS;
}

/* Length of the well-formed sequence at the start (Unicode 15, table 3-7), or 0. */
static size_t utf8_sequence(const uint8_t *s, size_t size) {
    static const struct {
        uint8_t first, last, low, high, length; /* range of byte 1, range of byte 2 */
    } rows[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (s[0] < rows[i].first || s[0] > rows[i].last) continue;
        size_t length = rows[i].length;
        if (length > size || (length > 1 && (s[1] < rows[i].low || s[1] > rows[i].high))) return 0;
        for (size_t k = 2; k < length; k++)
            if ((s[k] & 0xC0) != 0x80) return 0;
        return length;
    }
    return 0;
}

bool wr_utf8_ok(const char *bytes, size_t size) {
    const uint8_t *s = (const uint8_t *)bytes;
    while (size > 0) {
        size_t length = utf8_sequence(s, size);
        if (length == 0) return false;
        s += length;
        size -= length;
    }
    return true;
}

Errno wr_guest_path(Call *call, uint32_t address, uint32_t size, char path[PATH_LIMIT]) {
    const uint8_t *bytes = wr_guest_bytes(call, address, size);
    if (!bytes) return WASI_ERRNO_FAULT;
    if (size == 0) return WASI_ERRNO_NOENT;
    if (size >= PATH_LIMIT) return WASI_ERRNO_NAMETOOLONG;
    memcpy(path, bytes, size);
    path[size] = '\0';
    if (memchr(path, '\0', size)) return WASI_ERRNO_INVAL;
    return wr_utf8_ok(path, size) ? WASI_ERRNO_SUCCESS : WASI_ERRNO_ILSEQ;
}
