/* numbers.c - see numbers.h. Everything is integer arithmetic: 0.1s is exactly 100 milliseconds. */
#include "numbers.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 16;
}

/* Reads digits up to the first other character. NULL when there are none or the number is too large. */
static const char *read_digits(const char *text, unsigned base, uint64_t *value) {
    uint64_t sum = 0;
    const char *at = text;
    for (; (unsigned)digit_of(*at) < base; at++)
        if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)digit_of(*at), &sum))
            return NULL;
    *value = sum;
    return at == text ? NULL : at;
}

static const char *read_count(const char *text, uint64_t *value) {
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    return read_digits(hex ? text + 2 : text, hex ? 16 : 10, value);
}

bool wr_cli_parse_count(const char *text, uint64_t *count) {
    uint64_t value;
    const char *end = read_count(text, &value);
    if (!end || *end) return false;
    *count = value;
    return true;
}

bool wr_cli_parse_size(const char *text, uint64_t *bytes) {
    static const char units[] = "kmgt";
    uint64_t value;
    const char *end = read_count(text, &value);
    if (!end) return false;
    const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
    if (unit) {
        end++;
        if (__builtin_mul_overflow(value, (uint64_t)1 << 10 * (unit - units + 1), &value))
            return false;
        if (strcasecmp(end, "ib") == 0) end += 2;
    }
    if (strcasecmp(end, "b") == 0) end++;
    if (*end) return false;
    *bytes = value;
    return true;
}

static const struct Unit {
    const char *name;
    uint64_t nanoseconds;
} time_units[] = {{"", 1000000000},     {"s", 1000000000},   {"ns", 1},
                  {"us", 1000},         {"ms", 1000000},     {"m", 60000000000},
                  {"min", 60000000000}, {"h", 3600000000000}};

/* The value of the digits after a point, in nanoseconds; digits too small to count are passed over. */
static const char *read_fraction(const char *at, uint64_t unit, uint64_t *value) {
    for (; digit_of(*at) < 10; at++) {
        uint64_t step = unit / 10;
        *value += (uint64_t)digit_of(*at) * step;
        unit = step;
    }
    return at;
}

bool wr_cli_parse_duration(const char *text, uint64_t *nanoseconds) {
    uint64_t whole, fraction = 0;
    const char *end = read_digits(text, 10, &whole);
    if (!end) return false;
    size_t digits = *end == '.' ? 1 + strspn(end + 1, "0123456789") : 0;
    for (size_t i = 0; i < sizeof time_units / sizeof time_units[0]; i++) {
        uint64_t unit = time_units[i].nanoseconds, value;
        if (strcmp(end + digits, time_units[i].name) != 0) continue;
        if (digits) read_fraction(end + 1, unit, &fraction);
        if (__builtin_mul_overflow(whole, unit, &value) ||
            __builtin_add_overflow(value, fraction, &value))
            return false;
        *nanoseconds = value;
        return true;
    }
    return false;
}
