/* The text format's tokens: what is one, what it is, where it is, and numbers' values. */
#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text_number.h"
#include "utf8.h"

static Token first(const char *text) {
    Lexer l = wr_lexer(text, strlen(text));
    return wr_lex_next(&l);
}

static const char *error_of(const char *text) {
    Lexer l = wr_lexer(text, strlen(text));
    while (wr_lex_next(&l).kind != TOKEN_END) {
    }
    return l.error;
}

/* ---- kinds ---- */

static const struct {
    const char *text;
    TokenKind kind;
} kinds[] = {
    {"(", TOKEN_OPEN},
    {")", TOKEN_CLOSE},
    {"module", TOKEN_WORD},
    {"i32.add", TOKEN_WORD},
    {"nan:canonical", TOKEN_WORD},
    {"0", TOKEN_NAT},
    {"1_000", TOKEN_NAT},
    {"0x1F_ff", TOKEN_NAT},
    {"-0", TOKEN_INT},
    {"+0xA", TOKEN_INT},
    {"1.", TOKEN_FLOAT},
    {"1.5e+3", TOKEN_FLOAT},
    {"1e3", TOKEN_FLOAT},
    {"-0x1.8p-3", TOKEN_FLOAT},
    {"0x1p3", TOKEN_FLOAT},
    {"inf", TOKEN_FLOAT},
    {"-inf", TOKEN_FLOAT},
    {"nan", TOKEN_FLOAT},
    {"+nan:0x7f", TOKEN_FLOAT},
    {"\"a b\\n\\\"\\u{1F600}\\00\"", TOKEN_STRING},
    {"$x", TOKEN_ID},
    {"$!?@#a$%^&*b-+_.:9'`|/\\<=>~", TOKEN_ID},
    {"$\"a b\"", TOKEN_ID},
    {"offset=12", TOKEN_OFFSET},
    {"align=0x8", TOKEN_ALIGN},
    /* no tokens */
    {"i32.ad", TOKEN_RESERVED},
    {"0x", TOKEN_RESERVED},
    {"0xg", TOKEN_RESERVED},
    {"1__0", TOKEN_RESERVED},
    {"_1", TOKEN_RESERVED},
    {"1_", TOKEN_RESERVED},
    {"1._5", TOKEN_RESERVED},
    {".5", TOKEN_RESERVED},
    {"1e", TOKEN_RESERVED},
    {"0x1e3p", TOKEN_RESERVED},
    {"nan:0x", TOKEN_RESERVED},
    {"nan:12", TOKEN_RESERVED},
    {"++1", TOKEN_RESERVED},
    {"offset=", TOKEN_RESERVED},
    {"offset=-1", TOKEN_RESERVED},
    {"align=x", TOKEN_RESERVED},
    {"\"a\"\"b\"", TOKEN_RESERVED},
    {"x\"a\"", TOKEN_RESERVED},
    {"$x\"a\"", TOKEN_RESERVED},
    {"$\"a\"b", TOKEN_RESERVED},
    {"0$x", TOKEN_RESERVED},
    {"Module", TOKEN_RESERVED},
    {"@x", TOKEN_RESERVED},
    {",", TOKEN_RESERVED},
    {"{", TOKEN_RESERVED},
    {";", TOKEN_RESERVED},
    {"", TOKEN_END},
};

Test(text_lex, kinds) {
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        cr_assert_eq(first(kinds[i].text).kind, kinds[i].kind, "%s", kinds[i].text);
}

Test(text_lex, every_keyword_is_found) {
    for (u32 op = 0; op < OP_COUNT; op++) {
        const char *text = wr_op_text(op);
        if (strchr(text, ' ') != NULL || op == OP_SELECT_T) continue;
        cr_assert_eq(wr_word_find(text, strlen(text)), op, "%s", text);
    }
#define WORD(id, text) cr_assert_eq(wr_word_find(text, sizeof text - 1), WORD_##id, text);
#include "text_words.def"
#undef WORD
    cr_assert_eq(wr_word_find("i32.addx", 8), WORD_UNKNOWN);
    cr_assert_eq(wr_word_find("", 0), WORD_UNKNOWN);
}

Test(text_lex, places) {
    const char *text = "(module ;; x\r\n  (func\r\t$f)\n\"\xC3\xA4\" (; \n (; ;) ;) 1)";
    static const struct {
        u32 line, column;
    } places[] = {{1, 1}, {1, 2}, {2, 3}, {2, 4}, {3, 2}, {3, 4}, {4, 1}, {5, 11}, {5, 12}};
    Lexer l = wr_lexer(text, strlen(text));
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        Token t = wr_lex_next(&l);
        cr_assert_eq(t.line, places[i].line, "token %zu: line %u", i, (unsigned)t.line);
        cr_assert_eq(t.column, places[i].column, "token %zu: column %u", i, (unsigned)t.column);
    }
    cr_assert_eq(wr_lex_next(&l).kind, TOKEN_END);
    cr_assert_null(l.error);
}

/* ---- errors ---- */

Test(text_lex, errors) {
    static const char *const rows[][2] = {
        {"\"a", "unclosed string literal"},
        {"\"a\nb\"", "unclosed string literal"},
        {"\"\x01\"", "illegal control character in string literal"},
        {"\"\\q\"", "illegal escape"},
        {"\"\\0\"", "illegal escape"},
        {"\"\\u{}\"", "illegal escape"},
        {"\"\\u{d800}\"", "illegal escape"},
        {"\"\\u{110000}\"", "illegal escape"},
        {"\"\\u{1__0}\"", "illegal escape"},
        {"\"\\", "illegal escape"},
        {"\"\xC3\"", "malformed UTF-8 encoding"},
        {"\xFF", "malformed UTF-8 encoding"},
        {";; \xFF", "malformed UTF-8 encoding"},
        {"(; \xFF ;)", "malformed UTF-8 encoding"},
        {"\x01", "illegal character"},
        {"\xC3\xA4", "illegal character"},
        {"(; (; ;)", "unclosed comment"},
        {"$", "empty identifier"},
        {"$\"\"", "empty identifier"},
        {"$\"a\nb\"", "empty identifier"},
        {"(@)", "empty annotation id"},
        {"(@\"\")", "empty annotation id"},
        {"(@ x)", "empty annotation id"},
        {"(@x (y)", "unclosed annotation"},
        {"(@x \")", "unclosed string literal"},
        {"(@\"\\ef\")", "malformed UTF-8 encoding"},
        {"(@x \x7F)", "illegal character"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *error = error_of(rows[i][0]);
        cr_assert_not_null(error, "%s", rows[i][1]);
        cr_assert_str_eq(error, rows[i][1]);
    }
}

Test(text_lex, annotations_are_skipped) {
    const char *text = "(@a x \"(\" 1 $y (z) (@b) (@) ,;[]{} 0x 8q (; ;) ;; )\n) module (@\"b c\")";
    Lexer l = wr_lexer(text, strlen(text));
    cr_assert_eq(wr_lex_next(&l).word, WORD_MODULE);
    cr_assert_eq(wr_lex_next(&l).kind, TOKEN_END);
    cr_assert_null(l.error);
}

static void count_annotation(void *context, const Annotation *a) {
    u32 *count = context;
    cr_assert(wr_annotation_is(a, *count == 0 ? "a" : "b c"));
    Lexer contents = wr_lexer_annotation(a);
    if (*count == 0) {
        cr_assert_eq(wr_lex_next(&contents).kind, TOKEN_OPEN);
        cr_assert_eq(wr_lex_next(&contents).kind, TOKEN_CLOSE);
        cr_assert_eq(wr_lex_next(&contents).kind, TOKEN_ANNOTATION);
        cr_assert_eq(wr_lex_next(&contents).kind, TOKEN_CLOSE);
    }
    cr_assert_eq(wr_lex_next(&contents).kind, TOKEN_END);
    ++*count;
}

Test(text_lex, annotations_are_called_back) {
    const char *text = "(@a () (@c)) module (@\"b\\20c\")";
    u32 count = 0;
    Lexer l = wr_lexer(text, strlen(text));
    l.annotation = count_annotation;
    l.context = &count;
    while (wr_lex_next(&l).kind != TOKEN_END) {
    }
    cr_assert_eq(count, 2);
}

Test(text_lex, escapes) {
    Token t = first("\"\\t\\n\\r\\\"\\'\\\\\\41\\u{e4}\\u{1_F600}x\"");
    u8 bytes[64];
    size_t size = wr_token_unescape(&t, bytes);
    cr_assert_eq(size, 14);
    cr_assert_eq(memcmp(bytes, "\t\n\r\"'\\A\xC3\xA4\xF0\x9F\x98\x80x", 14), 0);
}

Test(text_lex, nesting_takes_no_stack) {
    size_t depth = 1 << 20;
    char *text = malloc(4 * depth + 8);
    for (size_t i = 0; i < depth; i++) memcpy(text + 2 * i, "(;", 2);
    for (size_t i = 0; i < depth; i++) memcpy(text + 2 * depth + 2 * i, ";)", 2);
    memcpy(text + 4 * depth, " 1", 3);
    cr_assert_eq(first(text).kind, TOKEN_NAT);
    memcpy(text, "(@x ", 4);
    memset(text + 4, '(', 2 * depth);
    memset(text + 4 + 2 * depth, ')', 2 * depth - 3);
    text[4 * depth + 1] = 0;
    cr_assert_str_eq(error_of(text), "unclosed annotation");
    free(text);
}

/* ---- integers ---- */

Test(text_lex, integers) {
    static const struct {
        const char *text;
        u32 bits;
        bool ok;
        u64 value;
    } rows[] = {
        {"0", 8, true, 0},
        {"255", 8, true, 255},
        {"256", 8, false, 0},
        {"-128", 8, true, 0x80},
        {"-129", 8, false, 0},
        {"+127", 8, true, 127},
        {"+128", 8, false, 0},
        {"4_294_967_295", 32, true, 0xFFFFFFFF},
        {"4294967296", 32, false, 0},
        {"-0x8000_0000", 32, true, 0x80000000},
        {"-0x80000001", 32, false, 0},
        {"0xffffffffffffffff", 64, true, UINT64_MAX},
        {"18446744073709551616", 64, false, 0},
        {"-9223372036854775808", 64, true, (u64)1 << 63},
        {"-9223372036854775809", 64, false, 0},
        {"99999999999999999999999999", 64, false, 0},
        {"-0", 64, true, 0},
        {"1.0", 32, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        u64 value = 0;
        Token t = first(rows[i].text);
        cr_assert_eq(wr_text_int(&t, rows[i].bits, &value), rows[i].ok, "%s", rows[i].text);
        if (rows[i].ok) cr_assert_eq(value, rows[i].value, "%s", rows[i].text);
    }
    u64 value;
    Token t = first("-1");
    cr_assert_not(wr_text_nat(&t, 32, &value));
    t = first("offset=0x10");
    cr_assert(wr_text_nat(&t, 32, &value));
    cr_assert_eq(value, 16);
}

/* ---- floats ---- */

Test(text_lex, floats) {
    static const struct {
        const char *text;
        bool ok32;
        u32 f32;
        bool ok64;
        u64 f64;
    } rows[] = {
        {"0", true, 0, true, 0},
        {"-0", true, 0x80000000, true, (u64)1 << 63},
        {"1", true, 0x3F800000, true, 0x3FF0000000000000},
        {"0x1p-149", true, 1, true, 0x36A0000000000000},
        {"0x1p-150", true, 0, true, 0x3690000000000000},
        {"0x1.000001p-150", true, 1, true, 0x3690000010000000},
        {"0x1p-1074", true, 0, true, 1},
        {"0x0.8p-1074", true, 0, true, 0},
        {"0x0.8000000000000000000000000000001p-1074", true, 0, true, 1},
        {"0x1.fffffep127", true, 0x7F7FFFFF, true, 0x47EFFFFFE0000000},
        {"0x1.ffffffp127", false, 0, true, 0x47EFFFFFF0000000},
        {"0x1.fffffefffffffffffp127", true, 0x7F7FFFFF, true, 0x47EFFFFFF0000000},
        {"1e39", false, 0, true, 0x48078287F49C4A1D},
        {"1e309", false, 0, false, 0},
        {"1e-400", true, 0, true, 0},
        {"1e99999999999999999999", false, 0, false, 0},
        {"0e99999999999999999999", true, 0, true, 0},
        {"1e-99999999999999999999", true, 0, true, 0},
        {"inf", true, 0x7F800000, true, 0x7FF0000000000000},
        {"-nan", true, 0xFFC00000, true, 0xFFF8000000000000},
        {"nan:0x1", true, 0x7F800001, true, 0x7FF0000000000001},
        {"nan:0x7fffff", true, 0x7FFFFFFF, true, 0x7FF00000007FFFFF},
        {"nan:0x800000", false, 0, true, 0x7FF0000000800000},
        {"nan:0x0", false, 0, false, 0},
        {"nan:0x10000000000000", false, 0, false, 0},
        /* rounded once: by way of f64 it would be a tie, and down */
        {"1.00000017881393432617187499", true, 0x3F800001, true, 0x3FF0000030000000},
        {"1.00000017881393432617187501", true, 0x3F800002, true, 0x3FF0000030000000},
        {"0x1.00000300000000001p0", true, 0x3F800002, true, 0x3FF0000030000000},
        {"2.2250738585072011e-308", true, 0, true, 0x000FFFFFFFFFFFFF},
        {"9007199254740993", true, 0x5A000000, true, 0x4340000000000000},
        {"1_0.0_1e0_1", true, 0x42C83333, true, 0x4059066666666666},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        u32 single;
        u64 twice;
        Token t = first(rows[i].text);
        cr_assert_eq(wr_text_f32(&t, &single), rows[i].ok32, "%s", rows[i].text);
        if (rows[i].ok32)
            cr_assert_eq(single, rows[i].f32, "%s: %x", rows[i].text, (unsigned)single);
        cr_assert_eq(wr_text_f64(&t, &twice), rows[i].ok64, "%s", rows[i].text);
        if (rows[i].ok64)
            cr_assert_eq(twice, rows[i].f64, "%s: %llx", rows[i].text, (unsigned long long)twice);
    }
}

/* The C library's conversions are exact too, if slower and the locale's. */
static void compare_floats(const char *text) {
    u64 twice = 0;
    u32 single = 0;
    f64 want64 = strtod(text, NULL), got64;
    f32 want32 = strtof(text, NULL), got32;
    Token t = first(text);
    cr_assert_eq(wr_text_f64(&t, &twice), !isinf(want64), "%s", text);
    cr_assert_eq(wr_text_f32(&t, &single), !isinf(want32), "%s", text);
    memcpy(&got64, &twice, sizeof got64);
    memcpy(&got32, &single, sizeof got32);
    if (!isinf(want64)) cr_assert(got64 == want64, "%s: %a, not %a", text, got64, want64);
    if (!isinf(want32)) cr_assert(got32 == want32, "%s: %a, not %a", text, got32, want32);
}

Test(text_lex, floats_as_the_c_library_reads_them) {
    u64 state = 88172645463325252u;
    char text[1500];
    for (u32 i = 0; i < 20000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64 x;
        memcpy(&x, &state, sizeof x);
        if (!isfinite(x)) continue;
        snprintf(text, sizeof text, "%.*e", (int)(i % 30), x);
        compare_floats(text);
        snprintf(text, sizeof text, "%a", x);
        compare_floats(text);
        if (i % 100 == 0) { /* all its digits */
            snprintf(text, sizeof text, "%.1080f", x);
            compare_floats(text);
        }
    }
}
