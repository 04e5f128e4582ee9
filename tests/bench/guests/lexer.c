/* lexer.c - source text to tokens by nested switches, then an operator-precedence parser that
 * evaluates: dense and sparse br_table, character classes, keyword look-up by length and letter. */
#include "bench.h"
#include <string.h>

enum { SIZE = 6000 };

typedef enum {
    T_END,
    T_NAME,
    T_NUMBER,
    T_STRING,
    T_PLUS,
    T_MINUS,
    T_STAR,
    T_SLASH,
    T_PERCENT,
    T_LESS,
    T_LESS_EQ,
    T_SHIFT,
    T_EQUAL,
    T_ASSIGN,
    T_NOT,
    T_NOT_EQ,
    T_AND,
    T_OR,
    T_OPEN,
    T_CLOSE,
    T_SEMI,
    T_IF,
    T_ELSE,
    T_WHILE,
    T_RETURN,
    T_LET,
    T_BAD
} Token;

static char source[SIZE + 64];
static const char *at;
static uint32_t value;

static BENCH_NOINLINE void build(uint32_t seed) {
    static const char *const pieces[] = {
        "x",           "alpha_2", "17",    "0x1f",      " + ",     " * ",
        " - ",         "/",       "%",     " < ",       " <= ",    " << 2 ",
        " == ",        " & ",     " | ",   "( 1 + a )", "(b*2)",   "// note\n",
        "/* more */",  "if ",     "else ", "while ",    "return ", "let ",
        "\"text\\n\"", "!= ",     "! ",    ";\n",       "; ",      "=",
        "counter",     "9"};
    size_t used = 0;
    while (used < SIZE) {
        const char *piece = pieces[bench_random(&seed) >> 27];
        size_t length = strlen(piece);
        memcpy(source + used, piece, length);
        used += length;
    }
    source[used] = 0;
}

static Token keyword(const char *s, size_t length) {
    switch (length) {
    case 2: return memcmp(s, "if", 2) == 0 ? T_IF : T_NAME;
    case 3: return memcmp(s, "let", 3) == 0 ? T_LET : T_NAME;
    case 4: return memcmp(s, "else", 4) == 0 ? T_ELSE : T_NAME;
    case 5: return memcmp(s, "while", 5) == 0 ? T_WHILE : T_NAME;
    case 6: return memcmp(s, "return", 6) == 0 ? T_RETURN : T_NAME;
    default: return T_NAME;
    }
}

static Token name(const char *start) {
    value = 0;
    for (;;) {
        switch (*at) {
        case 'a' ... 'z':
        case 'A' ... 'Z':
        case '0' ... '9':
        case '_': value = value * 33 + (uint8_t)*at++; continue;
        default: return keyword(start, (size_t)(at - start));
        }
    }
}

static Token number(void) {
    value = 0;
    if (at[0] == '0' && at[1] == 'x') {
        for (at += 2;; at++) {
            switch (*at) {
            case '0' ... '9': value = value << 4 | (uint32_t)(*at - '0'); continue;
            case 'a' ... 'f': value = value << 4 | (uint32_t)(*at - 'a' + 10); continue;
            default: return T_NUMBER;
            }
        }
    }
    while (*at >= '0' && *at <= '9') value = value * 10 + (uint32_t)(*at++ - '0');
    return T_NUMBER;
}

static Token two(char second, Token with, Token without) {
    at++;
    if (*at != second) return without;
    at++;
    return with;
}

static BENCH_NOINLINE Token next(void) {
    for (;;) {
        switch (*at) {
        case 0: return T_END;
        case ' ':
        case '\n':
        case '\t': at++; continue;
        case 'a' ... 'z':
        case 'A' ... 'Z':
        case '_': return name(at);
        case '0' ... '9': return number();
        case '"':
            for (at++, value = 0; *at && *at != '"'; at++)
                value += (uint8_t)(*at == '\\' ? *++at : *at);
            at += *at != 0;
            return T_STRING;
        case '+': at++; return T_PLUS;
        case '-': at++; return T_MINUS;
        case '*': at++; return T_STAR;
        case '%': at++; return T_PERCENT;
        case '/':
            if (at[1] == '/') {
                while (*at && *at != '\n') at++;
                continue;
            }
            if (at[1] == '*') {
                for (at += 2; *at && (at[0] != '*' || at[1] != '/'); at++) {
                }
                at += *at ? 2 : 0;
                continue;
            }
            at++;
            return T_SLASH;
        case '<':
            if (at[1] == '<') {
                at += 2;
                return T_SHIFT;
            }
            return two('=', T_LESS_EQ, T_LESS);
        case '=': return two('=', T_EQUAL, T_ASSIGN);
        case '!': return two('=', T_NOT_EQ, T_NOT);
        case '&': at++; return T_AND;
        case '|': at++; return T_OR;
        case '(': at++; return T_OPEN;
        case ')': at++; return T_CLOSE;
        case ';': at++; return T_SEMI;
        default: at++; return T_BAD;
        }
    }
}

static Token token;

static int binding(Token t) {
    switch (t) {
    case T_OR: return 1;
    case T_AND: return 2;
    case T_EQUAL:
    case T_NOT_EQ: return 3;
    case T_LESS:
    case T_LESS_EQ: return 4;
    case T_SHIFT: return 5;
    case T_PLUS:
    case T_MINUS: return 6;
    case T_STAR:
    case T_SLASH:
    case T_PERCENT: return 7;
    default: return 0;
    }
}

static uint32_t apply(Token t, uint32_t a, uint32_t b) {
    switch (t) {
    case T_OR: return a | b;
    case T_AND: return a & b;
    case T_EQUAL: return a == b;
    case T_NOT_EQ: return a != b;
    case T_LESS: return a < b;
    case T_LESS_EQ: return a <= b;
    case T_SHIFT: return a << (b & 31);
    case T_PLUS: return a + b;
    case T_MINUS: return a - b;
    case T_STAR: return a * b;
    case T_SLASH: return b ? a / b : 0;
    case T_PERCENT: return b ? a % b : a;
    default: return 0;
    }
}

static uint32_t expression(int least);

static uint32_t primary(void) {
    uint32_t result = value;
    switch (token) {
    case T_NAME:
    case T_NUMBER:
    case T_STRING: token = next(); return result;
    case T_MINUS: token = next(); return -primary();
    case T_NOT: token = next(); return !primary();
    case T_OPEN:
        token = next();
        result = expression(1);
        if (token == T_CLOSE) token = next();
        return result;
    default: return 0;
    }
}

static uint32_t expression(int least) {
    uint32_t left = primary();
    for (int b; (b = binding(token)) >= least && b;) {
        Token operation = token;
        token = next();
        left = apply(operation, left, expression(b + 1));
    }
    return left;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 1200), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t counts[T_BAD + 1] = {0};
        build((uint32_t)sum | 1);
        at = source;
        for (Token t; (t = next()) != T_END;) counts[t] += value & 3;
        for (int t = 0; t <= T_BAD; t++) sum = sum * 31 + counts[t];
        at = source;
        token = next();
        while (token != T_END) {
            sum = bench_mix(sum, expression(1));
            if (token != T_END) token = next();
        }
    }
    return bench_report("lexer", n, sum);
}
