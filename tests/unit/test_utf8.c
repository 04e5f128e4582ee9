/* UTF-8: well-formedness, and escaping for people. */
#include <criterion/criterion.h>

#include "utf8.h"

static size_t encode(u32 c, u8 *out) {
    if (c < 0x80) {
        out[0] = (u8)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (u8)(0x80 | (c & 0x3F));
    static const u8 lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (u8)(lead[n] | c);
    return n;
}

Test(utf8, every_code_point) {
    for (u32 c = 0; c < 0x200000; c++) {
        u8 bytes[4];
        u32 read = 0;
        size_t n = encode(c, bytes);
        bool is_scalar = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        cr_assert_eq(wr_utf8_valid(bytes, n), is_scalar, "U+%X", (unsigned)c);
        cr_assert_eq(wr_utf8_char(bytes, n, &read), is_scalar ? n : 0, "U+%X", (unsigned)c);
        if (is_scalar) cr_assert_eq(read, c);
        for (size_t cut = 1; cut < n; cut++) cr_assert_not(wr_utf8_valid(bytes, cut));
    }
}

Test(utf8, ill_formed) {
    static const char *const texts[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x80\x80",
        "\xE0\x9F\xBF",
        "\xFE",
        "\xFF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x80\x80\x80",
        "\xF0\x8F\xBF\xBF",
        "\xC3",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xC3\xC3",
        "\xE2\x28\xA1",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char text[32];
        cr_assert_not(wr_utf8_valid((const u8 *)texts[i], strlen(texts[i])), "row %zu", i);
        for (size_t before = 0; before < 17;
             before++) { /* also behind runs that are read in words */
            memset(text, 'x', sizeof text);
            memcpy(text + before, texts[i], strlen(texts[i]));
            cr_assert_not(wr_utf8_valid((const u8 *)text, sizeof text), "row %zu", i);
        }
    }
    cr_assert(wr_utf8_valid(NULL, 0));
}

static void expect_escape(const char *text, size_t length, const char *expected) {
    char out[128];
    cr_assert_eq(wr_text_escape(NULL, 0, text, length), strlen(expected));
    cr_assert_eq(wr_text_escape(out, sizeof out, text, length), strlen(expected));
    cr_assert_str_eq(out, expected);
}

Test(utf8, escapes_what_acts_on_a_terminal) {
    expect_escape("plain \xC3\xA4\xF0\x9F\x98\x80", 12, "plain \xC3\xA4\xF0\x9F\x98\x80");
    expect_escape("a\nb\x1B[2J\0z", 9, "a\\u{a}b\\u{1b}[2J\\u{0}z");
    expect_escape("\xC2\x9B"
                  "1m\x7F",
                  5, "\\u{9b}1m\\u{7f}");
    expect_escape("\xE2\x80\xAE"
                  "exe",
                  6, "\\u{202e}exe");
    expect_escape("\xFF\xC3", 2, "\\xff\\xc3");
}

Test(utf8, cuts_between_characters) {
    char out[8];
    cr_assert_eq(wr_text_escape(out, 4, "ab\xC3\xA4g", 5), 5u);
    cr_assert_str_eq(out, "ab");
    cr_assert_eq(wr_text_escape(out, 6, "abc\ng", 5), 9u);
    cr_assert_str_eq(out, "abc");
    cr_assert_eq(wr_text_escape(out, 1, "abc", 3), 3u);
    cr_assert_str_eq(out, "");
}
