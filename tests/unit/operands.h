/*
 * operands.h - operands for tests of what instructions compute: random ones, and those where results change. Included
 * by one file of each test program.
 */
#ifndef WR_TESTS_OPERANDS_H
#define WR_TESTS_OPERANDS_H

#include "base.h"

static u64 random_state = 0x9E3779B97F4A7C15u; /* never 0 */

static u64 random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545F4914F6CDD1Du;
}

/* clang-format off */
static const u64 edges_8[] = {0, 1, 2, 0x0F, 0x10, 0x1F, 0x7F, 0x80, 0x81, 0xFE, 0xFF};
static const u64 edges_16[] = {0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x4000, 0x7FFF, 0x8000, 0x8001, 0xFF7F, 0xFF80, 0xFFFF};
static const u64 edges_32[] = {
    0, 1, 0x1F, 0x20, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFF7FFF, 0xFFFF8000, 0xFFFFFFFF,
    /* floats: 1, -1, halves, 1.5, 2.5, 2^23 - 0.5, 2^23, 2^31 and neighbours, 2^32 and neighbour, 2^63, -2^63 and neighbours, 2^64 */
    0x3F800000, 0xBF800000, 0xBF7FFFFF, 0x3F000000, 0xBF000000, 0x3EFFFFFF, 0x3FC00000, 0x40200000, 0xC0200000,
    0x4AFFFFFF, 0x4B000000, 0xCB000001, 0x4EFFFFFF, 0x4F000000, 0xCF000000, 0xCF000001, 0x4F7FFFFF, 0x4F800000,
    0x5EFFFFFF, 0x5F000000, 0xDF000000, 0xDF000001, 0x5F7FFFFF, 0x5F800000,
    /* subnormal, largest, infinities, NaNs: canonical, quiet, signalling */
    0x007FFFFF, 0x807FFFFF, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7FC00001, 0x7F800001, 0xFFBFFFFF};
static const u64 edges_64[] = {
    0, 1, 0x3F, 0x40, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0x8000000000000001,
    0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFFFF,
    0x3FF0000000000000, 0xBFF0000000000000, 0xBFEFFFFFFFFFFFFF, 0x3FE0000000000000, 0xBFE0000000000000, 0x3FDFFFFFFFFFFFFF, 0x3FF8000000000000,
    0x4004000000000000, 0xC004000000000000, 0x432FFFFFFFFFFFFF, 0x4330000000000000, 0xC330000000000001, 0x4340000000000001,
    0x41DFFFFFFFC00000, 0x41DFFFFFFFE00000, 0x41DFFFFFFFFFFFFF, 0x41E0000000000000, 0xC1E0000000000000, 0xC1E0000000100000,
    0xC1E0000000200000, 0xC1E00000001FFFFF, 0x41EFFFFFFFE00000, 0x41EFFFFFFFF00000, 0x41F0000000000000, 0x47EFFFFFE0000000, 0x47EFFFFFF0000000,
    0x43DFFFFFFFFFFFFF, 0x43E0000000000000, 0xC3E0000000000000, 0xC3E0000000000001, 0x43EFFFFFFFFFFFFF, 0x43F0000000000000,
    0x36A0000000000000, 0x000FFFFFFFFFFFFF, 0x800FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000,
    0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001, 0x7FF0000000000001, 0xFFF7FFFFFFFFFFFF};
/* clang-format on */

#define PICK(edges) ((edges)[random_bits() % ARRAY_LEN(edges)])

/* Sixteen bytes, as lanes of some width or any. */
static void random_operand(void *sixteen) {
    union {
        u8 u8[16];
        u16 u16[8];
        u32 u32[4];
        u64 u64[2];
        f32 f32[4];
    } v = {.u64 = {random_bits(), random_bits()}};
    switch (random_bits() % 8) {
    case 0:
        for (u32 i = 0; i < 16; i++) v.u8[i] = (u8)PICK(edges_8);
        break;
    case 1:
        for (u32 i = 0; i < 8; i++) v.u16[i] = (u16)PICK(edges_16);
        break;
    case 2:
    case 3:
        for (u32 i = 0; i < 4; i++) v.u32[i] = (u32)PICK(edges_32);
        break;
    case 4:
    case 5:
        for (u32 i = 0; i < 2; i++) v.u64[i] = PICK(edges_64);
        break;
    case 6: /* numbers of moderate size */
        for (u32 i = 0; i < 4; i++)
            v.f32[i] = (f32)(i64)random_bits() / (f32)(1ull << random_bits() % 64);
        break;
    default: break;
    }
    memcpy(sixteen, &v, sizeof v);
}

#endif
