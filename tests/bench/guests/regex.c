/* regex.c - regular expressions: a compiler to a small program, a backtracking matcher and one
 * that follows all threads at once (Thompson, Pike); both must agree. */
#include "bench.h"
#include <string.h>

enum { MAX_PROGRAM = 128, TEXT = 1200 };

typedef enum { CHAR, ANY, CLASS, SPLIT, JUMP, BEGIN, END, MATCH } Op;

typedef struct {
    uint8_t op, c;
    int16_t x, y;    /* targets of SPLIT (preferred first) and JUMP */
    uint32_t set[8]; /* CLASS */
} Inst;

static Inst program[MAX_PROGRAM];
static int length;
static const char *pattern;
static char text[TEXT + 1];

/* --- compiler: alternation of sequences of repeated atoms -------------------------------------- */

static void alternation(void);

static Inst *emit(Op op) {
    program[length] = (Inst){.op = (uint8_t)op};
    return &program[length++];
}

static void insert(int where, Op op) {
    memmove(&program[where + 1], &program[where], (size_t)(length - where) * sizeof(Inst));
    length++;
    for (int i = where + 1; i < length; i++) {
        if (program[i].x >= where) program[i].x++;
        if (program[i].y >= where) program[i].y++;
    }
    program[where] = (Inst){.op = (uint8_t)op};
}

static void class_of(void) {
    Inst *in = emit(CLASS);
    int not = *pattern == '^';
    pattern += not;
    for (; *pattern != ']'; pattern++) {
        uint8_t low = (uint8_t)*pattern, high = low;
        if (pattern[1] == '-' && pattern[2] != ']') high = (uint8_t)*(pattern += 2);
        for (uint32_t c = low; c <= high; c++) in->set[c >> 5] |= 1u << (c & 31);
    }
    pattern++;
    if (not)
        for (int i = 0; i < 8; i++) in->set[i] = ~in->set[i];
}

static void atom(void) {
    char c = *pattern++;
    switch (c) {
    case '(':
        alternation();
        pattern++;
        break;
    case '[': class_of(); break;
    case '.': emit(ANY); break;
    case '^': emit(BEGIN); break;
    case '$': emit(END); break;
    case '\\': c = *pattern++; /* fall through */
    default: emit(CHAR)->c = (uint8_t)c;
    }
}

static void repeated(void) {
    int start = length;
    atom();
    for (; *pattern == '*' || *pattern == '+' || *pattern == '?'; pattern++) {
        if (*pattern == '+') {
            Inst *split = emit(SPLIT);
            split->x = (int16_t)start;
            split->y = (int16_t)length;
            continue;
        }
        insert(start, SPLIT);
        if (*pattern == '*') emit(JUMP)->x = (int16_t)start;
        program[start].x = (int16_t)(start + 1);
        program[start].y = (int16_t)length;
    }
}

static void alternation(void) {
    int start = length;
    while (*pattern && *pattern != '|' && *pattern != ')') repeated();
    if (*pattern != '|') return;
    pattern++;
    insert(start, SPLIT);
    int jump = length;
    emit(JUMP);
    program[start].x = (int16_t)(start + 1);
    program[start].y = (int16_t)length;
    alternation();
    program[jump].x = (int16_t)length;
}

static void compile(const char *source) {
    pattern = source;
    length = 0;
    alternation();
    emit(MATCH);
}

/* --- matchers: the end of the match at `at`, or NULL ------------------------------------------- */

static int fits(const Inst *in, const char *at) {
    uint8_t c = (uint8_t)*at;
    switch ((Op)in->op) {
    case CHAR: return c == in->c;
    case ANY: return c != 0 && c != '\n';
    case CLASS: return c && (in->set[c >> 5] >> (c & 31) & 1);
    default: return 0;
    }
}

static uint32_t steps;

static const char *backtrack(const Inst *in, const char *at) {
    for (;; steps++) {
        switch ((Op)in->op) {
        case MATCH: return at;
        case JUMP: in = &program[in->x]; continue;
        case SPLIT: {
            const char *end = backtrack(&program[in->x], at);
            if (end) return end;
            in = &program[in->y];
            continue;
        }
        case BEGIN:
            if (at != text && at[-1] != '\n') return NULL;
            break;
        case END:
            if (*at && *at != '\n') return NULL;
            break;
        case CHAR:
        case ANY:
        case CLASS:
            if (!fits(in, at)) return NULL;
            at++;
        }
        in++;
    }
}

typedef struct {
    int count;
    int16_t at[MAX_PROGRAM];
    uint32_t mark[MAX_PROGRAM];
} Threads;

static Threads now, then;
static uint32_t generation;

static void follow(Threads *list, int pc, const char *at) {
    if (list->mark[pc] == generation) return;
    list->mark[pc] = generation;
    const Inst *in = &program[pc];
    switch ((Op)in->op) {
    case JUMP: follow(list, in->x, at); return;
    case SPLIT:
        follow(list, in->x, at);
        follow(list, in->y, at);
        return;
    case BEGIN:
        if (at == text || at[-1] == '\n') follow(list, pc + 1, at);
        return;
    case END:
        if (!*at || *at == '\n') follow(list, pc + 1, at);
        return;
    default: list->at[list->count++] = (int16_t)pc;
    }
}

static const char *parallel(const char *at) {
    const char *end = NULL;
    now.count = 0;
    generation++;
    follow(&now, 0, at);
    for (; now.count; at++) {
        then.count = 0;
        generation++;
        for (int i = 0; i < now.count; i++) {
            if (program[now.at[i]].op == MATCH) {
                end = at;
                break;
            }
            if (fits(&program[now.at[i]], at)) follow(&then, now.at[i] + 1, at + 1);
        }
        now.count = then.count;
        memcpy(now.at, then.at, (size_t)then.count * sizeof *then.at);
        if (!*at) break;
    }
    return end;
}

static BENCH_NOINLINE int count(int parallelly, uint64_t *sum) {
    int found = 0;
    for (const char *at = text; *at;) {
        const char *end = parallelly ? parallel(at) : backtrack(program, at);
        if (end && end > at) {
            *sum = bench_mix(*sum, (uint64_t)(end - at));
            found++;
            at = end;
        } else {
            at++;
        }
    }
    return found;
}

int main(int argc, char **argv) {
    static const char *const patterns[] = {"[a-z]+@[a-z]+\\.(com|org|net)",
                                           "(foo|bar|ba[xz])+",
                                           "^[0-9]+ .*$",
                                           "([0-9]+\\.)?[0-9]+e?",
                                           "x*y*z+",
                                           "\"[^\"]*\""};
    uint64_t n = bench_iterations(argc, argv, 270), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < TEXT; j++)
            text[j] = "abfooarxyz@.com0123456789 \n\"ebaz"[bench_random(&seed) >> 27];
        text[TEXT] = 0;
        for (int p = 0; p < 6; p++) {
            compile(patterns[p]);
            uint64_t one = sum, two = sum;
            int found = count(0, &one);
            if (count(1, &two) != found || one != two) return 1;
            sum = bench_mix(one, (uint64_t)found << 32 | steps);
        }
    }
    return bench_report("regex", n, sum);
}
