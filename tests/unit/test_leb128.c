/* Integers, strings and lengths of the binary format, and the stickiness of readers. */
#include <criterion/criterion.h>

#include "decode.h"
#include "wasm_builder.h"

static Reader reader(const u8 *bytes, size_t size) {
    return (Reader){.pos = bytes, .end = bytes + size, .base = bytes};
}

static void expect_failure(Reader *r, const char *message, u64 offset) {
    cr_assert_not_null(r->error, "no error, but expected: %s", message);
    cr_assert_str_eq(wr_error_message(r->error), message);
    uint64_t at;
    cr_assert(wr_error_offset(r->error, &at));
    cr_assert_eq(at, offset, "%s", message);
    wr_error_delete(r->error);
    r->error = NULL;
}

static u64 read_as(Reader *r, char type) {
    switch (type) {
    case 'u': return wr_read_u32(r);
    case 'U': return wr_read_u64(r);
    case 'i': return (u64)(i64)wr_read_s32(r);
    case 's': return (u64)wr_read_s33(r);
    default: return (u64)wr_read_s64(r);
    }
}

typedef struct Number {
    char type;
    u8 bytes[12], size;
    u64 value;
    const char *error;
    u64 offset;
} Number;

#define TOO_LONG "integer representation too long"
#define TOO_LARGE "integer too large"
#define AT_END "unexpected end of section or function"

static const Number numbers[] = {
    {'u', {0x00}, 1, 0, NULL, 0},
    {'u', {0x7F}, 1, 127, NULL, 0},
    {'u', {0x80, 0x01}, 2, 128, NULL, 0},
    {'u', {0xE5, 0x8E, 0x26}, 3, 624485, NULL, 0},
    {'u', {0x80, 0x00}, 2, 0, NULL, 0},
    {'u', {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, 5, 0xFFFFFFFF, NULL, 0},
    {'u', {0x82, 0x80, 0x80, 0x80, 0x00}, 5, 2, NULL, 0},
    {'u', {0x82, 0x80, 0x80, 0x80, 0x80, 0x00}, 6, 0, TOO_LONG, 5},
    {'u', {0x82, 0x80, 0x80, 0x80, 0x10}, 5, 0, TOO_LARGE, 4},
    {'u', {0xFF, 0xFF, 0xFF, 0xFF, 0x1F}, 5, 0, TOO_LARGE, 4},
    {'u', {0x80, 0x80}, 2, 0, AT_END, 2},
    {'u', {0}, 0, 0, AT_END, 0},
    {'U', {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}, 10, UINT64_MAX, NULL, 0},
    {'U', {0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}, 10, 0, TOO_LARGE, 9},
    {'U', {0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 11, 0, TOO_LONG, 10},
    {'i', {0x7F}, 1, UINT64_MAX, NULL, 0},
    {'i', {0x40}, 1, (u64)-64, NULL, 0},
    {'i', {0xC0, 0x00}, 2, 64, NULL, 0},
    {'i', {0x80, 0x80, 0x80, 0x80, 0x78}, 5, (u64)INT32_MIN, NULL, 0},
    {'i', {0xFF, 0xFF, 0xFF, 0xFF, 0x07}, 5, INT32_MAX, NULL, 0},
    {'i', {0x80, 0x80, 0x80, 0x80, 0x70}, 5, 0, TOO_LARGE, 4},
    {'i', {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, 5, 0, TOO_LARGE, 4},
    {'i', {0xFF, 0xFF, 0xFF, 0xFF, 0x4F}, 5, 0, TOO_LARGE, 4},
    {'i', {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, 6, 0, TOO_LONG, 5},
    {'s', {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, 5, 0xFFFFFFFF, NULL, 0},
    {'s', {0x80, 0x80, 0x80, 0x80, 0x70}, 5, (u64) - ((i64)1 << 32), NULL, 0},
    {'s', {0x80, 0x80, 0x80, 0x80, 0x60}, 5, 0, TOO_LARGE, 4},
    {'I', {0x7F}, 1, UINT64_MAX, NULL, 0},
    {'I', {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F}, 10, (u64)1 << 63, NULL, 0},
    {'I', {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00}, 10, INT64_MAX, NULL, 0},
    {'I', {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7E}, 10, 0, TOO_LARGE, 9},
    {'I', {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}, 10, 0, TOO_LARGE, 9},
};

Test(leb128, numbers) {
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const Number *n = &numbers[i];
        Reader r = reader(n->bytes, n->size);
        u64 value = read_as(&r, n->type);
        if (n->error != NULL) {
            cr_assert_eq(value, 0u);
            expect_failure(&r, n->error, n->offset);
        } else {
            cr_assert_null(r.error, "row %zu", i);
            cr_assert_eq(value, n->value, "row %zu", i);
            cr_assert_eq(r.pos, r.end, "row %zu", i);
        }
    }
}

Test(leb128, every_u32_written_is_read) {
    for (u64 value = 0; value <= UINT32_MAX; value += value / 3 + 1) {
        Wasm w = {.size = 0};
        wasm_u32(&w, (u32)value);
        Reader r = reader(w.data, w.size);
        cr_assert_eq(wr_read_u32(&r), value);
        cr_assert(r.error == NULL && r.pos == r.end);
    }
}

Test(leb128, readers_are_sticky) {
    static const u8 bytes[] = {0x80};
    Reader r = reader(bytes, 1);
    cr_assert_eq(wr_read_u32(&r), 0u);
    Error *first = r.error;
    cr_assert_not_null(first);
    wr_reader_fail(&r, bytes, "something else");
    wr_reader_invalid(&r, bytes, "something else");
    wr_reader_fail_memory(&r);
    cr_assert_eq(wr_read_u8(&r), 0);
    cr_assert_eq(wr_read_s64(&r), 0);
    cr_assert_eq(wr_read_count(&r, 1), 0u);
    cr_assert_null(wr_read_bytes(&r, 0));
    cr_assert_null(wr_read_name(&r).data);
    cr_assert_eq(r.error, first);
    expect_failure(&r, AT_END, 1);
}

Test(leb128, integers_cut_off_are_judged_by_what_follows) {
    static const u8 bytes[] = {0x82, 0x80, 0x80, 0x80, 0x80, 0x80};
    Reader r = reader(bytes, 3);
    (void)wr_read_u32(&r);
    expect_failure(&r, AT_END, 3);
    r = reader(bytes, 3);
    r.limit = bytes + sizeof bytes;
    (void)wr_read_u32(&r);
    expect_failure(&r, TOO_LONG, 5);
}

Test(leb128, names_and_lengths) {
    static const u8 good[] = {3, 'a', 0xC3, 0xA4, 9}, bad[] = {2, 0xC3, 0x28},
                    cut[] = {4, 'a', 'b', 'c'}, beyond[] = {5, 'a', 'b', 'c'};
    Reader r = reader(good, sizeof good);
    Name name = wr_read_name(&r);
    cr_assert(name.size == 3 && memcmp(name.data, "a\xC3\xA4", 3) == 0);
    cr_assert_eq(wr_read_u8(&r), 9);
    r = reader(bad, sizeof bad);
    cr_assert_null(wr_read_name(&r).data);
    expect_failure(&r, "malformed UTF-8 encoding", 0);
    r = reader(cut, sizeof cut);
    (void)wr_read_name(&r);
    expect_failure(&r, AT_END, 4);
    r = reader(beyond, sizeof beyond);
    (void)wr_read_name(&r);
    expect_failure(&r, "length out of bounds", 0);
    r = reader(cut, sizeof cut);
    cr_assert_eq(wr_read_count(&r, 1), 0u);
    expect_failure(&r, "length out of bounds", 0);
}
