/* json.c - JSON: a document is written, parsed by recursive descent into a tree of nodes from an
 * arena, looked up by key, changed and written again. */
#include "bench.h"
#include <string.h>

enum { TEXT_SIZE = 16384, NODES = 2048 };

typedef enum { NIL, FALSE, TRUE, NUMBER, STRING, ARRAY, OBJECT } Kind;

typedef struct Node {
    Kind kind;
    const char *key; /* inside of an object; not terminated */
    uint32_t key_length, length;
    union {
        double number;
        const char *text;
        struct Node *first;
    };
    struct Node *next;
} Node;

static char text[TEXT_SIZE], copy[TEXT_SIZE];
static Node nodes[NODES];
static uint32_t used;
static const char *at;

/* --- writing --------------------------------------------------------------------------------- */

static char *put(char *out, const char *s) {
    while (*s) *out++ = *s++;
    return out;
}

static char *put_number(char *out, double value) {
    if (value < 0) {
        *out++ = '-';
        value = -value;
    }
    uint64_t whole = (uint64_t)value, part = (uint64_t)((value - (double)whole) * 1000 + 0.5);
    char digits[24];
    int n = 0;
    do digits[n++] = (char)('0' + whole % 10);
    while (whole /= 10);
    while (n) *out++ = digits[--n];
    if (part) {
        *out++ = '.';
        for (uint64_t unit = 100; unit; unit /= 10) *out++ = (char)('0' + part / unit % 10);
    }
    return out;
}

static char *put_string(char *out, const char *s, uint32_t length) {
    *out++ = '"';
    for (uint32_t i = 0; i < length; i++) *out++ = s[i];
    *out++ = '"';
    return out;
}

static char *write(char *out, const Node *node) {
    const char *open = node->kind == OBJECT ? "{" : "[", *close = node->kind == OBJECT ? "}" : "]";
    switch (node->kind) {
    case NIL: return put(out, "null");
    case FALSE: return put(out, "false");
    case TRUE: return put(out, "true");
    case NUMBER: return put_number(out, node->number);
    case STRING: return put_string(out, node->text, node->length);
    case ARRAY:
    case OBJECT: break;
    }
    out = put(out, open);
    for (const Node *child = node->first; child; child = child->next) {
        if (child != node->first) *out++ = ',';
        if (node->kind == OBJECT) {
            out = put_string(out, child->key, child->key_length);
            *out++ = ':';
        }
        out = write(out, child);
    }
    return put(out, close);
}

static BENCH_NOINLINE void build(uint32_t seed) {
    char *out = put(text, "{ \"version\": 3, \"items\": [");
    for (int i = 0; i < 60; i++) {
        uint32_t r = bench_random(&seed);
        out = put(out, i ? ",\n  { \"id\": " : "\n  { \"id\": ");
        out = put_number(out, i);
        out = put(out, ", \"name\": \"thing \\u00e9 \\\"");
        for (uint32_t k = 0; k < (r & 15); k++) *out++ = (char)('a' + (r >> k) % 26);
        out = put(out, "\\\"\", \"price\": ");
        out = put_number(out, (double)(r >> 12) / 125.0);
        out = put(out, r & 16 ? ", \"tags\": [\"new\", \"blue\", -7.5e2" : ", \"tags\": [");
        out = put(out, r & 32 ? "], \"stock\": null }" : "], \"stock\": true }");
    }
    *put(out, " ], \"total\": 60 }") = 0;
}

/* --- parsing --------------------------------------------------------------------------------- */

static void blank(void) {
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') at++;
}

static int accept(char c) {
    blank();
    if (*at != c) return 0;
    at++;
    return 1;
}

static int parse_string(const char **start, uint32_t *length) {
    if (!accept('"')) return 0;
    *start = at;
    for (; *at != '"'; at++) {
        if ((uint8_t)*at < 0x20) return 0;
        if (*at == '\\' && !*++at) return 0;
    }
    *length = (uint32_t)(at++ - *start);
    return 1;
}

static double parse_number(void) {
    double value = 0, unit = 1;
    int minus = *at == '-', exponent = 0;
    at += minus;
    while (*at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++) value += (*at - '0') * (unit /= 10);
    if (*at == 'e' || *at == 'E')
        for (at++; *at >= '0' && *at <= '9'; at++) exponent = exponent * 10 + (*at - '0');
    while (exponent--) value *= 10;
    return minus ? -value : value;
}

static int parse(Node *node);

static int parse_children(Node *node, char close) {
    Node **link = &node->first;
    node->first = NULL;
    if (accept(close)) return 1;
    do {
        if (used == NODES) return 0;
        Node *child = &nodes[used++];
        if (close == '}' && (!parse_string(&child->key, &child->key_length) || !accept(':')))
            return 0;
        if (!parse(child)) return 0;
        child->next = NULL;
        *link = child;
        link = &child->next;
    } while (accept(','));
    return accept(close);
}

static int word(Node *node, const char *spelled, Kind kind) {
    size_t length = strlen(spelled);
    if (strncmp(at, spelled, length) != 0) return 0;
    at += length;
    node->kind = kind;
    return 1;
}

static int parse(Node *node) {
    blank();
    switch (*at) {
    case '{':
        at++;
        node->kind = OBJECT;
        return parse_children(node, '}');
    case '[':
        at++;
        node->kind = ARRAY;
        return parse_children(node, ']');
    case '"': node->kind = STRING; return parse_string(&node->text, &node->length);
    case 't': return word(node, "true", TRUE);
    case 'f': return word(node, "false", FALSE);
    case 'n': return word(node, "null", NIL);
    default:
        if (*at != '-' && (*at < '0' || *at > '9')) return 0;
        node->kind = NUMBER;
        node->number = parse_number();
        return 1;
    }
}

static Node *find(const Node *object, const char *key) {
    uint32_t length = (uint32_t)strlen(key);
    for (Node *child = object->first; child; child = child->next)
        if (child->key_length == length && memcmp(child->key, key, length) == 0) return child;
    return NULL;
}

static BENCH_NOINLINE Node *load(const char *from) {
    at = from;
    used = 1;
    return parse(&nodes[0]) ? &nodes[0] : NULL;
}

static uint64_t digest(const char *s, uint64_t sum) {
    for (size_t length = strlen(s), i = 0; i < length; i += 16) sum = bench_mix(sum, (uint8_t)s[i]);
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2000), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        build((uint32_t)sum | 1);
        Node *root = load(text), *items = root ? find(root, "items") : NULL;
        if (!items) return 1;
        double total = 0;
        for (Node *item = items->first; item; item = item->next) {
            total += find(item, "price")->number;
            if (find(item, "stock")->kind == TRUE) find(item, "id")->number += 1000;
        }
        find(root, "total")->number = total;
        *write(copy, root) = 0;
        if (!load(copy)) return 1;
        sum = digest(copy, bench_mix(sum, used));
    }
    return bench_report("json", n, sum);
}
