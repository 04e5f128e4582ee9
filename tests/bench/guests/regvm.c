/* regvm.c - an interpreter inside the guest for a register machine: 32-bit instruction words with
 * packed fields, decoded and dispatched by a switch; assembled programs for sorting, sieving,
 * matrix products and a recursive function. */
#include "bench.h"
#include <string.h>

enum { REGISTERS = 16, MEMORY = 1024, CODE = 256 };

typedef enum {
    LI,  /* a = immediate */
    MOV, /* a = b */
    ADD, /* a = b + c, and so on */
    SUB,
    MUL,
    AND,
    SHL,
    ADDI, /* a = b + signed c */
    LD,   /* a = memory[b + c] */
    ST,   /* memory[b + c] = a */
    BLT,  /* if a < b goto relative c */
    BGE,
    BEQ,
    BNE,
    JMP,  /* relative immediate */
    CALL, /* push pc */
    RET,
    PUSH,
    POP,
    STOP
} Op;

static uint32_t code[CODE], memory[MEMORY];
static int at, labels[32], fixups[64], fixup_count;

static void op(Op o, uint32_t a, uint32_t b, uint32_t c) {
    code[at++] = (uint32_t)o | a << 8 | b << 16 | (c & 255) << 24;
}
static void wide(Op o, uint32_t a, uint32_t value) {
    code[at++] = (uint32_t)o | a << 8 | (value & 0xffff) << 16;
}
static void label(int n) { labels[n] = at; }
static void branch(Op o, uint32_t a, uint32_t b, int target) {
    fixups[fixup_count++] = at;
    op(o, a, b, (uint32_t)target);
}
static void jump(Op o, int target) {
    fixups[fixup_count++] = at;
    wide(o, 0, (uint32_t)target);
}
static void resolve(void) {
    for (int i = 0; i < fixup_count; i++) {
        uint32_t *w = &code[fixups[i]];
        int shift = (*w & 255) >= JMP ? 16 : 24;
        int target = labels[*w >> shift] - fixups[i] - 1;
        *w = (*w & ((1u << shift) - 1)) | (uint32_t)target << shift;
    }
}

static uint32_t registers[REGISTERS];

static BENCH_NOINLINE uint32_t run(int start) {
    const uint32_t *pc = code + start;
    uint32_t *r = registers, stack[256], *sp = stack, executed = 0;
    for (;; executed++) {
        uint32_t w = *pc++, a = w >> 8 & 15, b = w >> 16 & 15, c = w >> 24;
        int8_t s = (int8_t)c;
        switch ((Op)(w & 255)) {
        case LI: r[a] = w >> 16; break;
        case MOV: r[a] = r[b]; break;
        case ADD: r[a] = r[b] + r[c & 15]; break;
        case SUB: r[a] = r[b] - r[c & 15]; break;
        case MUL: r[a] = r[b] * r[c & 15]; break;
        case AND: r[a] = r[b] & r[c & 15]; break;
        case SHL: r[a] = r[b] << (c & 31); break;
        case ADDI: r[a] = r[b] + (uint32_t)s; break;
        case LD: r[a] = memory[(r[b] + r[c & 15]) % MEMORY]; break;
        case ST: memory[(r[b] + r[c & 15]) % MEMORY] = r[a]; break;
        case BLT:
            if ((int32_t)r[a] < (int32_t)r[b]) pc += s;
            break;
        case BGE:
            if ((int32_t)r[a] >= (int32_t)r[b]) pc += s;
            break;
        case BEQ:
            if (r[a] == r[b]) pc += s;
            break;
        case BNE:
            if (r[a] != r[b]) pc += s;
            break;
        case JMP: pc += (int16_t)(w >> 16); break;
        case CALL:
            *sp++ = (uint32_t)(pc - code);
            pc += (int16_t)(w >> 16);
            break;
        case RET: pc = code + *--sp; break;
        case PUSH: *sp++ = r[a]; break;
        case POP: r[a] = *--sp; break;
        case STOP: return executed;
        }
    }
}

enum { L_SHIFT, L_PLACE, L_OUTER, L_DONE, L_FIB, L_SMALL, L_MI, L_MJ, L_MK };

/* Insertion sort of memory[0..r1), r0 = 0. */
static int assemble_sort(void) {
    int start = at;
    wide(LI, 0, 0);
    wide(LI, 2, 1);
    label(L_OUTER);
    branch(BGE, 2, 1, L_DONE);
    op(LD, 3, 2, 0); /* r3 = the key, r4 its place */
    op(MOV, 4, 2, 0);
    label(L_SHIFT);
    branch(BEQ, 4, 0, L_PLACE);
    op(ADDI, 5, 4, 255);
    op(LD, 6, 5, 0);
    branch(BGE, 3, 6, L_PLACE);
    op(ST, 6, 4, 0);
    op(MOV, 4, 5, 0);
    jump(JMP, L_SHIFT);
    label(L_PLACE);
    op(ST, 3, 4, 0);
    op(ADDI, 2, 2, 1);
    jump(JMP, L_OUTER);
    label(L_DONE);
    op(STOP, 0, 0, 0);
    return start;
}

/* r2 = fib(r1) */
static int assemble_fib(void) {
    int start = at;
    jump(CALL, L_FIB);
    op(STOP, 0, 0, 0);
    label(L_FIB);
    wide(LI, 7, 2);
    branch(BLT, 1, 7, L_SMALL);
    op(PUSH, 1, 0, 0);
    op(ADDI, 1, 1, 255);
    jump(CALL, L_FIB);
    op(POP, 1, 0, 0);
    op(PUSH, 2, 0, 0);
    op(ADDI, 1, 1, 254);
    jump(CALL, L_FIB);
    op(POP, 3, 0, 0);
    op(ADD, 2, 2, 3);
    op(RET, 0, 0, 0);
    label(L_SMALL);
    op(MOV, 2, 1, 0);
    op(RET, 0, 0, 0);
    return start;
}

/* r8 = a fold of the product of the r1 * r1 matrices at 0 and 512 */
static int assemble_product(void) {
    int start = at;
    wide(LI, 0, 0);
    wide(LI, 9, 512);
    wide(LI, 8, 0);
    wide(LI, 2, 0);
    label(L_MI);
    wide(LI, 3, 0);
    label(L_MJ);
    wide(LI, 4, 0);
    wide(LI, 5, 0);
    label(L_MK);
    op(MUL, 6, 2, 1);
    op(ADD, 6, 6, 4);
    op(LD, 6, 6, 0);
    op(MUL, 7, 4, 1);
    op(ADD, 7, 7, 3);
    op(LD, 7, 7, 9);
    op(MUL, 6, 6, 7);
    op(ADD, 5, 5, 6);
    op(ADDI, 4, 4, 1);
    branch(BLT, 4, 1, L_MK);
    op(SHL, 8, 8, 1);
    op(ADD, 8, 8, 5);
    op(ADDI, 3, 3, 1);
    branch(BLT, 3, 1, L_MJ);
    op(ADDI, 2, 2, 1);
    branch(BLT, 2, 1, L_MI);
    op(STOP, 0, 0, 0);
    return start;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 710), sum = 0;
    int sort = assemble_sort(), fib = assemble_fib(), product = assemble_product();
    resolve();
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < MEMORY; j++) memory[j] = bench_random(&seed) >> 8;
        registers[1] = 10;
        sum = bench_mix(sum, run(product));
        sum = bench_mix(sum, registers[8]);
        registers[1] = 100;
        sum = bench_mix(sum, run(sort));
        for (int j = 1; j < 100; j++)
            if (memory[j - 1] > memory[j]) return 1;
        registers[1] = 15;
        sum = bench_mix(sum, run(fib));
        if (registers[2] != 610) return 1;
    }
    return bench_report("regvm", n, sum);
}
