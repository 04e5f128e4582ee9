/* bigint.c - integers of many words: schoolbook products with 64-bit carries, division by a word,
 * conversion to decimal; a factorial, a power, digits of e. */
#include "bench.h"
#include <string.h>

enum { LIMBS = 160 };

typedef struct {
    uint32_t length, limb[LIMBS];
} Big;

static void set(Big *a, uint32_t value) {
    a->length = value != 0;
    a->limb[0] = value;
}

static void mul_word(Big *a, uint32_t by) {
    uint64_t carry = 0;
    for (uint32_t i = 0; i < a->length; i++) {
        carry += (uint64_t)a->limb[i] * by;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry && a->length < LIMBS) a->limb[a->length++] = (uint32_t)carry;
}

static uint32_t div_word(Big *a, uint32_t by) {
    uint64_t rest = 0;
    for (uint32_t i = a->length; i-- > 0;) {
        rest = rest << 32 | a->limb[i];
        a->limb[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    while (a->length && !a->limb[a->length - 1]) a->length--;
    return (uint32_t)rest;
}

static BENCH_NOINLINE void mul(Big *to, const Big *a, const Big *b) {
    memset(to, 0, sizeof *to);
    for (uint32_t i = 0; i < a->length; i++) {
        uint64_t carry = 0;
        for (uint32_t j = 0; j < b->length && i + j < LIMBS; j++) {
            carry += (uint64_t)a->limb[i] * b->limb[j] + to->limb[i + j];
            to->limb[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        if (i + b->length < LIMBS) to->limb[i + b->length] = (uint32_t)carry;
    }
    to->length = a->length + b->length < LIMBS ? a->length + b->length : LIMBS;
    while (to->length && !to->limb[to->length - 1]) to->length--;
}

static BENCH_NOINLINE int compare(const Big *a, const Big *b) {
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    for (uint32_t i = a->length; i-- > 0;)
        if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static void sub(Big *a, const Big *b) { /* a >= b */
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < a->length; i++) {
        uint64_t take = (i < b->length ? b->limb[i] : 0) + borrow;
        borrow = a->limb[i] < take;
        a->limb[i] -= (uint32_t)take;
    }
    while (a->length && !a->limb[a->length - 1]) a->length--;
}

static BENCH_NOINLINE uint64_t decimal(Big *a, uint64_t sum) {
    while (a->length) sum = bench_mix(sum, div_word(a, 1000000000));
    return sum;
}

static Big x, y, z;

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2300), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        set(&x, 1);
        for (uint32_t k = 2; k <= 200; k++) mul_word(&x, k); /* 200! */
        set(&y, bench_random(&seed) | 1);
        for (int k = 0; k < 6; k++) { /* y^64 */
            mul(&z, &y, &y);
            y = z;
        }
        mul(&z, &x, &y);
        while (compare(&z, &x) > 0) {
            sub(&z, &x);
            for (int k = 0; k < 9; k++) div_word(&z, 65521);
        }
        sum = decimal(&y, sum);
        sum = decimal(&x, sum);
    }
    return bench_report("bigint", n, sum);
}
