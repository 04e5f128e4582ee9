/*
 * bytes.c - the sticky reader: LEB128 integers, byte strings, names (spec: binary/values).
 */
#include <stdarg.h>
#include <stdio.h>

#include "decode.h"
#include "utf8.h"

static void fail_with(Reader *r, wr_error_kind_t kind, const u8 *at, const char *format,
                      va_list args) __attribute__((format(printf, 4, 0)));
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

typedef enum LebError { LEB_OK, LEB_END, LEB_LONG, LEB_LARGE } LebError;

/* At most ceil(bits / 7) bytes; the bits of the last one beyond `bits` are zero or copies of the
 * sign. Leaves *pos after the last byte, or at the one that is wrong. */
static LebError parse_leb(const u8 **pos, const u8 *end, u32 bits, bool is_signed, u64 *value) {
    u64 sum = 0;
    for (u32 shift = 0; shift < bits; shift += 7) {
        if (*pos == end) return LEB_END;
        u32 byte = **pos, payload = byte & 0x7F, left = bits - shift;
        if (left < 7) {
            u32 unused = (is_signed ? 0x7Fu << (left - 1) : 0x7Fu << left) & 0x7F;
            u32 extra = payload & unused;
            if (extra != 0 && !(is_signed && extra == unused)) return LEB_LARGE;
        }
        ++*pos;
        sum |= (u64)payload << shift;
        if (byte < 0x80) {
            if (is_signed && (byte & 0x40) != 0 && shift + 7 < 64) sum |= ~(u64)0 << (shift + 7);
            *value = sum;
            return LEB_OK;
        }
    }
    return LEB_LONG;
}

static u64 read_leb(Reader *r, u32 bits, bool is_signed) {
    if (r->error != NULL) return 0;
    const u8 *p = r->pos;
    u64 value = 0;
    LebError error = parse_leb(&p, r->end, bits, is_signed, &value);
    if (LIKELY(error == LEB_OK)) {
        r->pos = p;
        return value;
    }
    if (error == LEB_END && r->limit != NULL && p != r->pos) {
        p = r->pos;
        error = parse_leb(&p, r->limit, bits, is_signed, &value);
    }
    if (error == LEB_LONG)
        wr_reader_fail(r, p, "integer representation too long");
    else if (error == LEB_LARGE)
        wr_reader_fail(r, p, "integer too large");
    else
        fail_end(r);
    return 0;
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

/* As the reference interpreter counts, the length's own bytes may stand in for what it promises:
 * one that is only that much too great is an unexpected end. */
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
