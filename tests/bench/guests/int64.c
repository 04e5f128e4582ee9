/* int64.c - i64 arithmetic: random numbers, modular powers (Miller-Rabin), greatest common
 * divisors, bit counts and rotations. */
#include "bench.h"

static uint64_t xorshift64(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1du;
}

/* base^exponent mod modulus; modulus below 2^32. */
static BENCH_NOINLINE uint64_t mod_pow(uint64_t base, uint64_t exponent, uint64_t modulus) {
    uint64_t result = 1;
    for (base %= modulus; exponent; exponent >>= 1) {
        if (exponent & 1) result = result * base % modulus;
        base = base * base % modulus;
    }
    return result;
}

/* Miller-Rabin to one base, for odd n above 3. */
static int passes(uint64_t n, uint64_t base) {
    int twos = __builtin_ctzll(n - 1);
    uint64_t x = mod_pow(base, (n - 1) >> twos, n);
    if (x == 1 || x == n - 1) return 1;
    while (--twos > 0) {
        x = x * x % n;
        if (x == n - 1) return 1;
    }
    return 0;
}

static int is_prime(uint64_t n) { return passes(n, 2) && passes(n, 7) && passes(n, 61); }

static BENCH_NOINLINE uint64_t gcd(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

static BENCH_NOINLINE uint64_t scramble(uint64_t x, int rounds) {
    for (int i = 0; i < rounds; i++) {
        int turn = __builtin_popcountll(x) & 63;
        x = (x << turn | x >> (-turn & 63)) + 0x9e3779b97f4a7c15u;
        x ^= (uint64_t)__builtin_clzll(x | 1) << 7;
        x *= 0xff51afd7ed558ccdu;
        x ^= x >> 33;
    }
    return x;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 40000), sum = 1, state = 88172645463325252u;
    for (uint64_t i = 0; i < n; i++) {
        for (int j = 0; j < 16; j++) {
            uint64_t candidate = (xorshift64(&state) >> 32) | 0x80000001u;
            sum = bench_mix(sum, (uint64_t)is_prime(candidate));
            sum = bench_mix(sum, gcd(xorshift64(&state), xorshift64(&state)));
        }
        sum = scramble(sum, 400);
    }
    return bench_report("int64", n, sum);
}
