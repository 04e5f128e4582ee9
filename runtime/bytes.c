/*
 * bytes.c - the sticky reader: LEB128 integers, byte strings, names (spec: binary/values).
 */
#include <stdarg.h>
#include <stdio.h>

#include "decode.h"
#include "utf8.h"

static void fail_with(Reader *r, wr_error_kind_t kind, const u8 *at, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));
static void fail_with(Reader *r, wr_error_kind_t kind, const u8 *at, const char *format,
                      va_list args) {
    if (r->error != NULL) return;
    char text[512];
    (void)vsnprintf(text, sizeof text, format, args);
    r->error = wr_error_at(kind, (u64)(at - r->base), "%s", text);
    r->pos = r->end; /* nothing left: the fast paths of reading need no test of their own */
}

void wr_reader_fail(Reader *r, const u8 *at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_with(r, WR_ERROR_MALFORMED, at, format, args);
    va_end(args);
}

void wr_reader_invalid(Reader *r, const u8 *at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_with(r, WR_ERROR_INVALID, at, format, args);
    va_end(args);
}

void wr_reader_fail_memory(Reader *r) {
    if (r->error != NULL) return;
    r->error = ERROR_OOM;
    r->pos = r->end;
}

bool wr_reader_require(Reader *r, const u8 *at, Features on, Feature feature, const char *what) {
    if (LIKELY(feature_on(on, feature))) return true;
    wr_reader_fail(r, at, "%s: the %s feature is disabled", what, wr_feature_name(feature));
    return false;
}

COLD static void fail_end(Reader *r) {
    wr_reader_fail(r, r->end, "unexpected end of section or function");
}

u8 wr_read_u8(Reader *r) {
    if (LIKELY(r->pos < r->end)) return *r->pos++;
    fail_end(r);
    return 0;
}

/* At most ceil(bits / 7) bytes; the bits of the last one beyond `bits` are zero or copies of the sign. */
static u64 read_leb(Reader *r, u32 bits, bool is_signed) {
    if (r->error != NULL) return 0;
    const u8 *p = r->pos;
    u64 value = 0;
    for (u32 shift = 0;; shift += 7) {
        if (shift >= bits) {
            wr_reader_fail(r, p, "integer representation too long");
            return 0;
        }
        if (p == r->end) {
            fail_end(r);
            return 0;
        }
        u32 byte = *p++, payload = byte & 0x7F, left = bits - shift;
        if (left < 7) {
            u32 unused = (is_signed ? 0x7Fu << (left - 1) : 0x7Fu << left) & 0x7F;
            u32 extra = payload & unused;
            if (extra != 0 && !(is_signed && extra == unused)) {
                wr_reader_fail(r, p - 1, "integer too large");
                return 0;
            }
        }
        value |= (u64)payload << shift;
        if (byte < 0x80) {
            if (is_signed && (byte & 0x40) != 0 && shift + 7 < 64) value |= ~(u64)0 << (shift + 7);
            r->pos = p;
            return value;
        }
    }
}

u32 wr_read_u32_slow(Reader *r) { return (u32)read_leb(r, 32, false); }
u64 wr_read_u64(Reader *r) { return read_leb(r, 64, false); }
i32 wr_read_s32(Reader *r) { return (i32)read_leb(r, 32, true); }
i64 wr_read_s33(Reader *r) { return (i64)read_leb(r, 33, true); }
i64 wr_read_s64(Reader *r) { return (i64)read_leb(r, 64, true); }

const u8 *wr_read_bytes(Reader *r, u64 n) {
    if (r->error != NULL) return NULL;
    if (n > (u64)(r->end - r->pos)) {
        fail_end(r);
        return NULL;
    }
    const u8 *bytes = r->pos;
    r->pos += n;
    return bytes;
}

/* As the reference interpreter counts, the length's own bytes may stand in for what it promises: one
 * that is only that much too great is an unexpected end. */
u32 wr_read_count(Reader *r, u32 least_item) {
    const u8 *start = r->pos;
    u32 n = wr_read_u32(r);
    bool is_too_great = n > (u64)(r->end - start) || (u64)n * least_item > (u64)(r->end - r->pos);
    if (r->error == NULL && is_too_great) wr_reader_fail(r, start, "length out of bounds");
    return r->error == NULL ? n : 0;
}

Name wr_read_name(Reader *r) {
    const u8 *start = r->pos;
    u32 n = wr_read_count(r, 0);
    const u8 *data = wr_read_bytes(r, n);
    if (data == NULL) return (Name){NULL, 0};
    if (!wr_utf8_valid(data, n)) {
        wr_reader_fail(r, start, "malformed UTF-8 encoding");
        return (Name){NULL, 0};
    }
    return (Name){(const char *)data, n};
}
