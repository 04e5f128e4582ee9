/* simd_bytes.c - v128 on bytes: newline and quote scanning with masks, ASCII case folding, a table
 * look-up by swizzle, population counts, an adler-like checksum, hexadecimal. */
#include "bench.h"
#include <string.h>

typedef uint8_t U8x16 __attribute__((vector_size(16)));
typedef int8_t I8x16 __attribute__((vector_size(16)));
typedef uint16_t U16x8 __attribute__((vector_size(16)));
typedef uint16_t U16x16 __attribute__((vector_size(32)));
typedef uint64_t U64x2 __attribute__((vector_size(16)));

enum { SIZE = 4096 };

static uint8_t text[SIZE + 16], folded[SIZE + 16], hex[2 * SIZE];

static U8x16 load(const uint8_t *p) {
    U8x16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void store(uint8_t *p, U8x16 v) { memcpy(p, &v, sizeof v); }

/* One bit for each byte that is all ones. */
static uint32_t bits_of(I8x16 v) {
    U8x16 one = (U8x16)v & (U8x16){1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    U64x2 halves = (U64x2)one;
    uint64_t low = halves[0], high = halves[1];
    low |= low >> 32, high |= high >> 32;
    low |= low >> 16, high |= high >> 16;
    low |= low >> 8, high |= high >> 8;
    return (uint32_t)(low & 255) | (uint32_t)(high & 255) << 8;
}

static BENCH_NOINLINE uint64_t scan(size_t size) {
    uint64_t sum = 0;
    uint32_t quoted = 0;
    for (size_t i = 0; i < size; i += 16) {
        U8x16 v = load(text + i);
        uint32_t lines = bits_of(v == '\n'), quotes = bits_of(v == '"');
        for (; quotes; quotes &= quotes - 1) {
            quoted ^= 1;
            sum += (uint64_t)(i + (uint32_t)__builtin_ctz(quotes)) << quoted;
        }
        sum += (uint32_t)__builtin_popcount(lines) * 7u;
    }
    return sum;
}

static BENCH_NOINLINE void fold_case(size_t size) {
    for (size_t i = 0; i < size; i += 16) {
        U8x16 v = load(text + i);
        U8x16 upper = (U8x16)((v - 'A') < 26);
        store(folded + i, v | (upper & 0x20));
    }
}

static BENCH_NOINLINE uint32_t checksum(const uint8_t *p, size_t size) {
    U16x8 a = {0}, b = {0};
    for (size_t i = 0; i < size; i += 16) {
        U16x16 wide = __builtin_convertvector(load(p + i), U16x16);
        U16x8 low = __builtin_shufflevector(wide, wide, 0, 1, 2, 3, 4, 5, 6, 7);
        U16x8 high = __builtin_shufflevector(wide, wide, 8, 9, 10, 11, 12, 13, 14, 15);
        a += low + high;
        b += a * 3 + (low ^ high << 1);
    }
    uint32_t sum = 0;
    for (int i = 0; i < 8; i++) sum = sum * 31 + a[i] + ((uint32_t)b[i] << 8);
    return sum;
}

/* Two hexadecimal digits for each byte, interleaved. */
static BENCH_NOINLINE void to_hex(size_t size) {
    for (size_t i = 0; i < size; i += 16) {
        U8x16 v = load(folded + i), high = v >> 4, low = v & 15;
        high += '0' + ((U8x16)(high > 9) & ('a' - '0' - 10));
        low += '0' + ((U8x16)(low > 9) & ('a' - '0' - 10));
        store(hex + 2 * i, __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                                   21, 6, 22, 7, 23));
        store(hex + 2 * i + 16, __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                                        28, 13, 29, 14, 30, 15, 31));
    }
}

static BENCH_NOINLINE uint64_t average(size_t size) {
    U8x16 most = {0}, least = ~most, total = {0};
    for (size_t i = 0; i + 16 < size; i += 16) {
        U8x16 a = load(text + i), b = load(folded + i + 1);
        U8x16 mean = (a & b) + ((a ^ b) >> 1);
        U8x16 above = (U8x16)(mean > most), below = (U8x16)(mean < least);
        most = (mean & above) | (most & ~above);
        least = (mean & below) | (least & ~below);
        total = (total << 1 | total >> 7) ^ mean;
    }
    U64x2 all = (U64x2)(most ^ least << 1 ^ total);
    return all[0] * 31 + all[1];
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 3600), sum = 0;
    uint32_t seed = 77;
    for (int i = 0; i < SIZE; i++) {
        uint32_t r = bench_random(&seed);
        text[i] = (uint8_t)(r >> 27 == 0 ? '\n' : r >> 27 == 1 ? '"' : ' ' + (r >> 8) % 95);
    }
    for (uint64_t i = 0; i < n; i++) {
        sum = bench_mix(sum, scan(SIZE));
        fold_case(SIZE);
        sum = bench_mix(sum, checksum(folded, SIZE));
        to_hex(SIZE);
        sum = bench_mix(sum, checksum(hex, 2 * SIZE));
        sum = bench_mix(sum, average(SIZE));
        text[sum & (SIZE - 1)] = (uint8_t)(' ' + (sum >> 32) % 95);
    }
    return bench_report("simd_bytes", n, sum);
}
