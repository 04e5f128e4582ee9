/*
 * text_number.c - see text_number.h. Hexadecimal floats are bits already. Decimal ones go through a
 * decimal number of bounded size that is shifted by powers of two until its integer part is the
 * significand: simple, exact, and the same for both formats. Digits beyond the 800th cannot decide
 * more than whether something follows (no halfway point of f64 has more than 768).
 */
#include "text_number.h"

#define DIGITS_MAX 800
#define SHIFT_MAX 59 /* digit << SHIFT_MAX and its carry fit 64 bits */

typedef struct FloatFormat {
    u32 mantissa_bits; /* without the hidden one */
    i32 bias;
    u32 exponent_bits;
} FloatFormat;

static const FloatFormat format_f32 = {23, 127, 8}, format_f64 = {52, 1023, 11};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static u32 digit_value(char c) { return is_digit(c) ? (u32)(c - '0') : ((u32)c | 0x20) - 'a' + 10; }

/* ---- integers ---- */

/* Digits up to the end, of which the lexer has seen that they are some. */
static bool parse_magnitude(const char *p, const char *end, u64 *value) {
    u32 base = end - p > 2 && p[0] == '0' && p[1] == 'x' ? 16 : 10;
    u64 n = 0;
    for (p += base == 16 ? 2 : 0; p < end; p++) {
        if (*p == '_') continue;
        u32 digit = digit_value(*p);
        if (__builtin_mul_overflow(n, (u64)base, &n) || __builtin_add_overflow(n, (u64)digit, &n))
            return false;
    }
    *value = n;
    return true;
}

static u64 mask_of(u32 bits) { return bits == 64 ? UINT64_MAX : ((u64)1 << bits) - 1; }

bool wr_text_nat(const Token *token, u32 bits, u64 *value) {
    const char *p = token->start, *end = p + token->size;
    if (token->kind == TOKEN_OFFSET || token->kind == TOKEN_ALIGN)
        p = (const char *)memchr(p, '=', token->size) + 1;
    else if (token->kind != TOKEN_NAT)
        return false;
    return parse_magnitude(p, end, value) && *value <= mask_of(bits);
}

bool wr_text_int(const Token *token, u32 bits, u64 *value) {
    if (token->kind == TOKEN_NAT) return wr_text_nat(token, bits, value);
    if (token->kind != TOKEN_INT) return false;
    u64 n, least = (u64)1 << (bits - 1);
    if (!parse_magnitude(token->start + 1, token->start + token->size, &n)) return false;
    bool is_negative = token->start[0] == '-';
    if (n > least - !is_negative) return false;
    *value = (is_negative ? 0 - n : n) & mask_of(bits);
    return true;
}

/* ---- rounding ---- */

/* significand * 2^exponent, whose lowest bit says whether anything but zeros follows it. */
static bool round_binary(const FloatFormat *f, u64 significand, i64 exponent, u64 *bits) {
    *bits = 0;
    if (significand == 0) return true;
    u32 zeros = (u32)__builtin_clzll(significand);
    significand <<= zeros;
    exponent += 63 - (i64)zeros; /* of the leading bit */
    if (exponent > f->bias) return false;
    i64 least = 1 - f->bias;
    u64 drop = 63 - f->mantissa_bits;
    if (exponent < least) { /* subnormal: more bits go */
        drop += (u64)(least - exponent);
        exponent = least;
    }
    if (drop > 64) return true; /* less than half of the least */
    u64 kept = drop == 64 ? 0 : significand >> drop;
    u64 rest = drop == 64 ? significand : significand & mask_of((u32)drop);
    u64 half = (u64)1 << (drop - 1);
    if (rest > half || (rest == half && (kept & 1) != 0)) kept++;
    /* the hidden bit adds 1 to the exponent, and so does a carry into it */
    *bits = kept + ((u64)(exponent - least) << f->mantissa_bits);
    return *bits < mask_of(f->exponent_bits) << f->mantissa_bits;
}

/* Of decimal digits without separators; saturates. */
static i64 parse_exponent(const char *p, const char *end) {
    bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    i64 n = 0;
    for (; p < end; p++)
        if (*p != '_' && n < ((i64)1 << 48)) n = n * 10 + (*p - '0');
    return is_negative ? -n : n;
}

/* ---- hexadecimal ---- */

static bool parse_hex_float(const FloatFormat *f, const char *p, const char *end, u64 *bits) {
    u64 significand = 0;
    i64 exponent = 0;
    bool in_fraction = false;
    for (; p < end && *p != 'p' && *p != 'P'; p++) {
        if (*p == '_') continue;
        if (*p == '.') {
            in_fraction = true;
            continue;
        }
        u32 digit = digit_value(*p);
        bool is_full = significand >> 59 != 0; /* one bit stays for what is lost */
        if (is_full)
            significand |= digit != 0;
        else
            significand = significand << 4 | digit;
        exponent += (is_full ? 4 : 0) - (in_fraction ? 4 : 0);
    }
    if (p < end) exponent += parse_exponent(p + 1, end);
    return round_binary(f, significand, exponent, bits);
}

/* ---- decimal ---- */

/* 0.d1d2d3... * 10^point; no digits are 0. */
typedef struct Decimal {
    u32 count;
    i64 point;
    bool has_more; /* not all digits beyond the last are 0 */
    u8 digits[DIGITS_MAX];
} Decimal;

static void trim(Decimal *d) {
    while (d->count > 0 && d->digits[d->count - 1] == 0) d->count--;
    if (d->count == 0) d->point = 0;
}

static void append_digit(Decimal *d, u32 digit) {
    if (d->count < DIGITS_MAX)
        d->digits[d->count++] = (u8)digit;
    else if (digit != 0)
        d->has_more = true;
}

static void read_decimal(Decimal *d, const char *p, const char *end) {
    bool in_fraction = false;
    *d = (Decimal){0};
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '_') continue;
        if (*p == '.') {
            in_fraction = true;
            continue;
        }
        bool is_leading_zero = d->count == 0 && *p == '0';
        if (!is_leading_zero) append_digit(d, digit_value(*p));
        if (in_fraction)
            d->point -= is_leading_zero;
        else
            d->point += !is_leading_zero;
    }
    if (p < end) d->point += parse_exponent(p + 1, end);
    trim(d);
}

/* Divides by 2^k. */
static void shift_right(Decimal *d, u32 k) {
    u32 read = 0, write = 0;
    u64 n = 0;
    while (n >> k == 0) {
        if (read >= d->count && n == 0) { /* there are no digits */
            d->count = 0;
            return;
        }
        n = n * 10 + (read < d->count ? d->digits[read] : 0);
        read++;
    }
    d->point -= (i64)read - 1;
    u32 count = d->count;
    for (; read < count; read++) {
        d->digits[write++] = (u8)(n >> k);
        n = (n & mask_of(k)) * 10 + d->digits[read];
    }
    d->count = write;
    for (; n > 0; n = (n & mask_of(k)) * 10) append_digit(d, (u32)(n >> k));
    trim(d);
}

/* Multiplies by 2^k. The product's digits come last to first: into a longer array, then back. */
static void shift_left(Decimal *d, u32 k) {
    u8 product[DIGITS_MAX + 20];
    u32 write = sizeof product;
    u64 n = 0;
    for (u32 read = d->count; read > 0; read--) {
        n += (u64)d->digits[read - 1] << k;
        product[--write] = (u8)(n % 10);
        n /= 10;
    }
    for (; n > 0; n /= 10) product[--write] = (u8)(n % 10);
    u32 count = (u32)sizeof product - write;
    d->point += (i64)count - (i64)d->count;
    d->count = 0;
    for (u32 i = write; i < sizeof product; i++) append_digit(d, product[i]);
    trim(d);
}

/* Times 2^k. */
static void shift(Decimal *d, i64 k) {
    for (; k > SHIFT_MAX; k -= SHIFT_MAX) shift_left(d, SHIFT_MAX);
    for (; k < -SHIFT_MAX; k += SHIFT_MAX) shift_right(d, SHIFT_MAX);
    if (k > 0) shift_left(d, (u32)k);
    if (k < 0) shift_right(d, (u32)-k);
}

/* Brings the number to [1/2, 1); what it must be multiplied by is 2^ the result. */
static i64 normalize(Decimal *d) {
    /* shifts that cannot overshoot by more than what the next ones put right */
    static const u8 steps[] = {0, 3, 6, 9, 13, 16, 19, 23, 26};
    i64 exponent = 0;
    while (d->point > 0) {
        u32 k = d->point >= (i64)ARRAY_LEN(steps) ? 27 : steps[d->point];
        shift_right(d, k);
        exponent += k;
    }
    while (d->point < 0 || d->digits[0] < 5) {
        u32 k = -d->point >= (i64)ARRAY_LEN(steps) ? 27 : d->point == 0 ? 1 : steps[-d->point];
        shift_left(d, k);
        exponent -= k;
    }
    return exponent;
}

/* The integer part, below 2^62, with a lowest bit for what is behind the point. */
static u64 integer_and_rest(const Decimal *d) {
    u64 n = 0;
    for (i64 i = 0; i < d->point; i++) n = n * 10 + (i < (i64)d->count ? d->digits[i] : 0);
    return n << 1 | (d->has_more || (i64)d->count > d->point);
}

static bool parse_decimal_float(const FloatFormat *f, const char *p, const char *end, u64 *bits) {
    Decimal d;
    read_decimal(&d, p, end);
    *bits = 0;
    if (d.count == 0 || d.point < -400) return true;
    if (d.point > 400) return false;
    i64 exponent = normalize(&d);
    shift(&d, 60); /* 60 bits before the point: more than both formats have */
    return round_binary(f, integer_and_rest(&d), exponent - 61, bits);
}

/* ---- tokens ---- */

static bool parse_nan(const FloatFormat *f, const char *p, const char *end, u64 *bits) {
    u64 payload = (u64)1 << (f->mantissa_bits - 1);
    if (end - p > 3 && !parse_magnitude(p + 4, end, &payload)) return false;
    *bits = mask_of(f->exponent_bits) << f->mantissa_bits | payload;
    return payload != 0 && payload <= mask_of(f->mantissa_bits);
}

static bool parse_magnitude_float(const FloatFormat *f, const char *p, const char *end, u64 *bits) {
    if (*p == 'n') return parse_nan(f, p, end, bits);
    if (*p == 'i') {
        *bits = mask_of(f->exponent_bits) << f->mantissa_bits;
        return true;
    }
    if (end - p > 2 && p[0] == '0' && p[1] == 'x') return parse_hex_float(f, p + 2, end, bits);
    return parse_decimal_float(f, p, end, bits);
}

static bool parse_float(const FloatFormat *f, const Token *token, u64 *bits) {
    if (token->kind != TOKEN_NAT && token->kind != TOKEN_INT && token->kind != TOKEN_FLOAT)
        return false;
    const char *p = token->start, *end = p + token->size;
    bool is_negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    bool ok = parse_magnitude_float(f, p, end, bits);
    *bits |= (u64)is_negative << (f->mantissa_bits + f->exponent_bits);
    return ok;
}

bool wr_text_f32(const Token *token, u32 *value) {
    u64 bits;
    bool ok = parse_float(&format_f32, token, &bits);
    *value = ok ? (u32)bits : 0;
    return ok;
}

bool wr_text_f64(const Token *token, u64 *value) {
    bool ok = parse_float(&format_f64, token, value);
    if (!ok) *value = 0;
    return ok;
}
