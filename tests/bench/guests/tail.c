/* tail.c - guaranteed tail calls: a threaded interpreter whose handlers call the next one through
 * a table, and state machines of mutually calling functions. */
#include "bench.h"

#define TAIL __attribute__((musttail)) return

typedef struct Machine Machine;
typedef uint32_t Handler(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m);

struct Machine {
    uint32_t variables[8];
    uint32_t steps;
};

enum { PUSH, GET, SET, ADD, SUB, MUL, XOR, LESS, JUMP_ZERO, JUMP, STOP, OPS };

static Handler *const handlers[OPS];

#define NEXT TAIL handlers[*pc](pc + 1, sp, top, m)

static uint32_t do_push(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    *sp++ = top;
    top = *pc++;
    NEXT;
}
static uint32_t do_get(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    *sp++ = top;
    top = m->variables[*pc++];
    NEXT;
}
static uint32_t do_set(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    m->variables[*pc++] = top;
    top = *--sp;
    NEXT;
}
static uint32_t do_add(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    top += *--sp;
    NEXT;
}
static uint32_t do_sub(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    top = *--sp - top;
    NEXT;
}
static uint32_t do_mul(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    top *= *--sp;
    NEXT;
}
static uint32_t do_xor(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    top ^= *--sp;
    NEXT;
}
static uint32_t do_less(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    top = *--sp < top;
    NEXT;
}
static uint32_t do_jump_zero(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    pc += top ? 1 : (int8_t)*pc;
    top = *--sp;
    NEXT;
}
static uint32_t do_jump(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    m->steps++;
    pc += (int8_t)*pc;
    NEXT;
}
static uint32_t do_stop(const uint8_t *pc, uint32_t *sp, uint32_t top, Machine *m) {
    (void)pc, (void)sp;
    return top + m->steps;
}

static Handler *const handlers[OPS] = {do_push, do_get,  do_set,       do_add,  do_sub, do_mul,
                                       do_xor,  do_less, do_jump_zero, do_jump, do_stop};

/* variables[1] = a fold over the numbers below variables[2]; jumps are relative to their operand. */
static const uint8_t code[] = {
    /*  0 */ PUSH, 0, SET,  0,
    /*  4 */ GET,  0, GET,  2,  LESS, JUMP_ZERO, 23,
    /* 11 */ GET,  1, PUSH, 31, MUL,  GET,       0,  XOR,  PUSH,         7, ADD, SET, 1,
    /* 24 */ GET,  0, PUSH, 1,  ADD,  SET,       0,  JUMP, (uint8_t)-28,
    /* 33 */ GET,  1, STOP};

/* A state machine for numbers in text: each state is a function. */
typedef struct {
    uint32_t whole, fraction, signs, bad;
} Seen;

static void s_start(const char *p, Seen *s);

static void s_bad(const char *p, Seen *s) {
    s->bad++;
    while (*p && *p != ' ') p++;
    if (!*p) return;
    TAIL s_start(p, s);
}
static void s_fraction(const char *p, Seen *s) {
    s->fraction++;
    if (*p >= '0' && *p <= '9') TAIL s_fraction(p + 1, s);
    if (*p == ' ' || !*p) TAIL s_start(p, s);
    TAIL s_bad(p, s);
}
static void s_whole(const char *p, Seen *s) {
    s->whole += (uint32_t)*p;
    if (*p >= '0' && *p <= '9') TAIL s_whole(p + 1, s);
    if (*p == '.') TAIL s_fraction(p + 1, s);
    if (*p == ' ' || !*p) TAIL s_start(p, s);
    TAIL s_bad(p, s);
}
static void s_sign(const char *p, Seen *s) {
    s->signs++;
    if (*p >= '0' && *p <= '9') TAIL s_whole(p, s);
    TAIL s_bad(p, s);
}
static void s_start(const char *p, Seen *s) {
    if (!*p) return;
    if (*p == ' ') TAIL s_start(p + 1, s);
    if (*p == '-') TAIL s_sign(p + 1, s);
    if (*p >= '0' && *p <= '9') TAIL s_whole(p, s);
    TAIL s_bad(p, s);
}

int main(int argc, char **argv) {
    static char text[1025];
    uint64_t n = bench_iterations(argc, argv, 3400), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t stack[32], seed = (uint32_t)sum | 1;
        Machine m = {.variables = {0, (uint32_t)sum, 500}};
        sum = bench_mix(sum, handlers[code[0]](code + 1, stack, 0, &m));
        for (int j = 0; j < 1024; j++) text[j] = "0123456789 .- 12"[bench_random(&seed) >> 28];
        Seen seen = {0};
        s_start(text, &seen);
        sum = bench_mix(sum, seen.whole ^ seen.fraction << 8 ^ seen.signs << 16 ^ seen.bad << 24);
    }
    return bench_report("tail", n, sum);
}
