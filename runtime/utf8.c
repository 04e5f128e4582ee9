/*
 * utf8.c - checking and escaping of UTF-8.
 */
#include "utf8.h"

#include <stdio.h>

#define HIGH_BITS 0x8080808080808080u

static bool is_continuation(u8 b) { return (b & 0xC0) == 0x80; }

size_t wr_utf8_char(const u8 *data, size_t size, u32 *code_point) {
    u8 b = data[0];
    *code_point = b;
    if (b < 0x80) return 1;
    size_t n = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : 2;
    if (b < 0xC2 || b > 0xF4 || size < n) return 0;
    u32 c = b & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(data[i])) return 0;
        c = c << 6 | (data[i] & 0x3F);
    }
    static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
    *code_point = c;
    return n;
}

bool wr_utf8_valid(const u8 *data, size_t size) {
    size_t i = 0;
    while (i < size) {
        while (size - i >= 8 && (le64_load(data + i) & HIGH_BITS) == 0) i += 8;
        if (i == size) break;
        u32 ignored;
        size_t n = wr_utf8_char(data + i, size - i, &ignored);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

/* C0 and C1 controls, line separators, and the marks that change the direction of text. */
static bool is_unprintable(u32 c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

size_t wr_text_escape(char *out, size_t size, const char *text, size_t length) {
    const u8 *data = (const u8 *)text;
    size_t need = 0, written = 0;
    for (size_t i = 0; i < length;) {
        char escape[16];
        const char *piece = text + i;
        u32 c;
        size_t n = wr_utf8_char(data + i, length - i, &c);
        size_t m = n;
        if (n == 0 || is_unprintable(c)) {
            int printed = n == 0 ? snprintf(escape, sizeof escape, "\\x%02x", data[i])
                                 : snprintf(escape, sizeof escape, "\\u{%x}", (unsigned)c);
            m = (size_t)printed;
            piece = escape;
        }
        i += n == 0 ? 1 : n;
        if (written == need && need + m < size) {
            memcpy(out + need, piece, m);
            written += m;
        }
        need += m;
    }
    if (size != 0) out[written] = 0;
    return need;
}
