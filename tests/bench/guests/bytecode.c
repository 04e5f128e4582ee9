/* bytecode.c - an interpreter inside the guest: a stack machine whose loop is one large switch
 * (br_table), running a program that counts primes and follows Collatz sequences. */
#include "bench.h"

typedef enum {
    PUSH,  /* constant */
    LOAD,  /* variable */
    STORE, /* variable */
    ADD,
    SUB,
    MUL,
    DIV,
    REM,
    AND,
    OR,
    XOR,
    SHIFT_RIGHT,
    LESS,
    EQUAL,
    NOT,
    DUP,
    DROP,
    INCREMENT, /* variable */
    JUMP,      /* target */
    JUMP_ZERO, /* target */
    CALL,      /* target */
    RETURN,
    HALT
} Op;

enum { V_I, V_D, V_COUNT, V_LIMIT, V_STEPS, VARIABLES };

/* Variables are i, d, count, limit, steps. Counts primes below `limit` by trial division, and adds
 * the Collatz steps of every i. Targets are indices into this array. */
static const uint8_t program[] = {
    /*  0 */ PUSH,
    2,
    STORE,
    V_I,
    /*  4 */ LOAD,
    V_I,
    LOAD,
    V_LIMIT,
    LESS,
    JUMP_ZERO,
    22,
    /* 11 */ CALL,
    24,
    CALL,
    60,
    INCREMENT,
    V_I,
    JUMP,
    4,
    /* 19 */ DROP,
    DROP,
    DROP,
    /* 22 */ HALT,
    HALT,
    /* 24: is i prime? */ PUSH,
    2,
    STORE,
    V_D,
    /* 28 */ LOAD,
    V_I,
    LOAD,
    V_D,
    DUP,
    MUL,
    LESS,
    NOT,
    JUMP_ZERO,
    55,
    /* 38 */ LOAD,
    V_I,
    LOAD,
    V_D,
    REM,
    PUSH,
    0,
    EQUAL,
    NOT,
    JUMP_ZERO,
    57,
    /* 49 */ INCREMENT,
    V_D,
    JUMP,
    28,
    HALT,
    HALT,
    /* 55 */ INCREMENT,
    V_COUNT,
    /* 57 */ RETURN,
    HALT,
    HALT,
    /* 60: Collatz from i */ LOAD,
    V_I,
    /* 62 */ DUP,
    PUSH,
    1,
    EQUAL,
    NOT,
    JUMP_ZERO,
    90,
    /* 69 */ DUP,
    PUSH,
    1,
    AND,
    JUMP_ZERO,
    83,
    /* 75 */ PUSH,
    3,
    MUL,
    PUSH,
    1,
    ADD,
    JUMP,
    86,
    /* 83 */ PUSH,
    1,
    SHIFT_RIGHT,
    /* 86 */ INCREMENT,
    V_STEPS,
    JUMP,
    62,
    /* 90 */ DROP,
    RETURN,
};

static uint32_t variables[VARIABLES];

static BENCH_NOINLINE uint32_t run(const uint8_t *code) {
    uint32_t stack[32], *sp = stack;
    const uint8_t *calls[8], **cp = calls, *pc = code;
    uint32_t executed = 0;
    for (;; executed++) {
        switch ((Op)*pc++) {
        case PUSH: *sp++ = *pc++; break;
        case LOAD: *sp++ = variables[*pc++]; break;
        case STORE: variables[*pc++] = *--sp; break;
        case ADD:
            sp--;
            sp[-1] += sp[0];
            break;
        case SUB:
            sp--;
            sp[-1] -= sp[0];
            break;
        case MUL:
            sp--;
            sp[-1] *= sp[0];
            break;
        case DIV:
            sp--;
            sp[-1] = sp[0] ? sp[-1] / sp[0] : 0;
            break;
        case REM:
            sp--;
            sp[-1] = sp[0] ? sp[-1] % sp[0] : 0;
            break;
        case AND:
            sp--;
            sp[-1] &= sp[0];
            break;
        case OR:
            sp--;
            sp[-1] |= sp[0];
            break;
        case XOR:
            sp--;
            sp[-1] ^= sp[0];
            break;
        case SHIFT_RIGHT:
            sp--;
            sp[-1] >>= sp[0] & 31;
            break;
        case LESS:
            sp--;
            sp[-1] = sp[-1] < sp[0];
            break;
        case EQUAL:
            sp--;
            sp[-1] = sp[-1] == sp[0];
            break;
        case NOT: sp[-1] = !sp[-1]; break;
        case DUP:
            sp[0] = sp[-1];
            sp++;
            break;
        case DROP: sp--; break;
        case INCREMENT: variables[*pc++]++; break;
        case JUMP: pc = code + *pc; break;
        case JUMP_ZERO: pc = *--sp ? pc + 1 : code + *pc; break;
        case CALL:
            *cp++ = pc + 1;
            pc = code + *pc;
            break;
        case RETURN: pc = *--cp; break;
        case HALT: return executed;
        }
    }
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1000), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        for (int v = 0; v < VARIABLES; v++) variables[v] = 0;
        variables[V_LIMIT] = 100 + (uint32_t)(sum & 15);
        sum = bench_mix(sum, run(program));
        if (variables[V_LIMIT] == 100 && variables[V_COUNT] != 25) return 1;
        sum = bench_mix(sum, (uint64_t)variables[V_COUNT] << 32 | variables[V_STEPS]);
    }
    return bench_report("bytecode", n, sum);
}
