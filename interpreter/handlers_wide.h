/*
 * handlers_wide.h - wide arithmetic: 128-bit sums, differences and products as pairs of i64, low
 * half first. Part of exec.c. The low half of a result goes to memory, the high half stays in r0.
 */

/* sp: behind three operands in memory; top: the fourth, the high half of the second number. */
#define DEFINE_WIDE_SUM(operation, top)                                                            \
    U128 a = u128_of(sp[-3].u64, sp[-2].u64), b = u128_of(sp[-1].u64, top);                        \
    U128 result = a operation b;                                                                   \
    sp[-3].u64 = (u64)result;                                                                      \
    sp -= 2;                                                                                       \
    r0 = (u64)(result >> 64);                                                                      \
    pc += 1;                                                                                       \
    NEXT(I)

HANDLER(I64_ADD128, E) {
    sp -= 1;
    DEFINE_WIDE_SUM(+, sp[0].u64);
}
HANDLER(I64_ADD128, I) { DEFINE_WIDE_SUM(+, r0); }

HANDLER(I64_SUB128, E) {
    sp -= 1;
    DEFINE_WIDE_SUM(-, sp[0].u64);
}
HANDLER(I64_SUB128, I) { DEFINE_WIDE_SUM(-, r0); }

/* sp: behind the first operand in memory; top: the second. */
#define DEFINE_WIDE_PRODUCT(multiply, top)                                                         \
    U128 result = multiply(sp[-1].u64, top);                                                       \
    sp[-1].u64 = (u64)result;                                                                      \
    r0 = (u64)(result >> 64);                                                                      \
    pc += 1;                                                                                       \
    NEXT(I)

HANDLER(I64_MUL_WIDE_S, E) {
    sp -= 1;
    DEFINE_WIDE_PRODUCT(u128_product_s, sp[0].u64);
}
HANDLER(I64_MUL_WIDE_S, I) { DEFINE_WIDE_PRODUCT(u128_product_s, r0); }

HANDLER(I64_MUL_WIDE_U, E) {
    sp -= 1;
    DEFINE_WIDE_PRODUCT(u128_product_u, sp[0].u64);
}
HANDLER(I64_MUL_WIDE_U, I) { DEFINE_WIDE_PRODUCT(u128_product_u, r0); }
