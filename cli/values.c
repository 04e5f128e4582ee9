/* values.c - see values.h. */
#include "values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "numbers.h"

const char *wr_cli_kind_name(wr_valkind_t kind) {
    switch (kind) {
    case WR_I32: return "i32";
    case WR_I64: return "i64";
    case WR_F32: return "f32";
    case WR_F64: return "f64";
    case WR_V128: return "v128";
    case WR_FUNCREF: return "funcref";
    case WR_EXTERNREF: return "externref";
    case WR_ANYREF: return "anyref";
    case WR_EXNREF: return "exnref";
    }
    return "?";
}

/* ---- Integers ---------------------------------------------------------------------------------- */

/* An integer of `bits` bits, signed or unsigned, in two's complement. */
static bool parse_integer(const char *text, unsigned bits, uint64_t *value) {
    bool negative = *text == '-';
    uint64_t magnitude, half = (uint64_t)1 << (bits - 1);
    if (!wr_cli_parse_count(text + (negative || *text == '+'), &magnitude)) return false;
    if (magnitude > (negative ? half : half - 1 + half)) return false;
    *value = negative ? 0 - magnitude : magnitude;
    return true;
}

/* number = number * factor + digit, little-endian; false when it does not fit. */
static bool multiply_add(uint8_t number[16], unsigned factor, unsigned digit) {
    for (size_t i = 0; i < 16; i++) {
        digit += number[i] * factor;
        number[i] = (uint8_t)digit;
        digit >>= 8;
    }
    return digit == 0;
}

/* number = number / 10; gives the remainder. */
static unsigned divide_by_10(uint8_t number[16]) {
    unsigned rest = 0;
    for (size_t i = 16; i-- > 0;) {
        rest = rest << 8 | number[i];
        number[i] = (uint8_t)(rest / 10);
        rest %= 10;
    }
    return rest;
}

/* All 128 bits as one unsigned integer, lane 0 lowest. */
static bool parse_v128(const char *text, uint8_t number[16]) {
    static const char digits[] = "0123456789abcdef";
    unsigned base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
    if (base == 16) text += 2;
    memset(number, 0, 16);
    if (!*text) return false;
    for (; *text; text++) {
        const char *digit = memchr(digits, *text | (*text > '9' ? 0x20 : 0), base);
        if (!digit || !multiply_add(number, base, (unsigned)(digit - digits))) return false;
    }
    return true;
}

static void print_v128(FILE *out, const uint8_t lanes[16]) {
    uint8_t number[16];
    char text[40]; /* 2^128 has 39 digits */
    size_t at = sizeof text - 1;
    memcpy(number, lanes, sizeof number);
    for (text[at] = 0;
         at > 0 && (at == sizeof text - 1 || memcmp(number, (uint8_t[16]){0}, 16) != 0);)
        text[--at] = (char)('0' + divide_by_10(number));
    fputs(text + at, out);
}

/* ---- Floats ------------------------------------------------------------------------------------ */

/* The number that strtod reads, but not its extensions: no blanks before, no nan(...). */
static bool parse_float(const char *text, wr_val_t *value) {
    const char *first = text + (*text == '-' || *text == '+');
    bool word = strcasecmp(first, "inf") == 0 || strcasecmp(first, "nan") == 0;
    if (!word && !(*first == '.' || (*first >= '0' && *first <= '9'))) return false;
    char *end;
    if (value->kind == WR_F32)
        value->of.f32 = strtof(text, &end);
    else
        value->of.f64 = strtod(text, &end);
    return *end == 0;
}

/* The fewest significant digits that read back as the same positive number of that width, without a
 * point; the first one counts 10^exponent. */
static int shortest_digits(double number, bool single, char digits[32]) {
    char text[40];
    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if ((single ? (double)strtof(text, NULL) : strtod(text, NULL)) == number) break;
    }
    size_t count = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at != '.') digits[count++] = *at;
    digits[count] = 0;
    return *at ? (int)strtol(at + 1, NULL, 10) : 0;
}

/* Plainly while that stays readable, else with an exponent. */
static void print_digits(FILE *out, const char *digits, int exponent) {
    int count = (int)strlen(digits);
    if (exponent < -7 || exponent > 20)
        fprintf(out, "%c%s%se%d", digits[0], count > 1 ? "." : "", digits + 1, exponent);
    else if (exponent < 0)
        fprintf(out, "0.%.*s%s", -exponent - 1, "0000000", digits);
    else if (exponent >= count - 1)
        fprintf(out, "%s%.*s", digits, exponent - count + 1, "00000000000000000000");
    else
        fprintf(out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

static void print_float(FILE *out, double number, bool single) {
    char digits[32];
    if (isnan(number)) {
        fputs("NaN", out);
        return;
    }
    if (signbit(number)) fputc('-', out);
    number = fabs(number);
    if (isinf(number)) {
        fputs("inf", out);
        return;
    }
    int exponent = shortest_digits(number, single, digits);
    print_digits(out, digits, exponent);
}

/* ---- Values ------------------------------------------------------------------------------------ */

bool wr_cli_parse_value(const char *text, wr_val_t *value) {
    uint64_t bits;
    switch (value->kind) {
    case WR_I32:
        if (!parse_integer(text, 32, &bits)) return false;
        value->of.i32 = (int32_t)(uint32_t)bits;
        return true;
    case WR_I64:
        if (!parse_integer(text, 64, &bits)) return false;
        value->of.i64 = (int64_t)bits;
        return true;
    case WR_V128: return parse_v128(text, value->of.v128);
    case WR_F32:
    case WR_F64: return parse_float(text, value);
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_ANYREF:
    case WR_EXNREF: value->of.ref = 0; return strcmp(text, "null") == 0;
    }
    return false;
}

void wr_cli_print_value(FILE *out, const wr_val_t *value) {
    switch (value->kind) {
    case WR_I32: fprintf(out, "%" PRId32, value->of.i32); break;
    case WR_I64: fprintf(out, "%" PRId64, value->of.i64); break;
    case WR_F32: print_float(out, (double)value->of.f32, true); break;
    case WR_F64: print_float(out, value->of.f64, false); break;
    case WR_V128: print_v128(out, value->of.v128); break;
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_ANYREF:
    case WR_EXNREF:
        fprintf(out, "<%s%s>", value->of.ref ? "" : "null ", wr_cli_kind_name(value->kind));
        break;
    }
}
