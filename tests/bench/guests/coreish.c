/* coreish.c - a mixture of embedded work: linked lists, small integer matrices, a state machine
 * over text, and CRC-16 over every result.
 *
 * The mixture is the one that core benchmarks for microcontrollers use (short loops, calls through
 * function pointers, unpredictable branches, 16-bit data), written independently; its figures
 * cannot be compared with theirs.
 */
#include "bench.h"

/* --- crc ------------------------------------------------------------------------------------- */

/* CRC-16 (reflected, polynomial 0xa001), a bit at a time. */
static uint16_t crc8(uint8_t byte, uint16_t crc) {
    for (int i = 0; i < 8; i++) {
        int low = (byte ^ crc) & 1;
        byte >>= 1;
        crc >>= 1;
        if (low) crc ^= 0xa001;
    }
    return crc;
}

static uint16_t crc16(uint16_t value, uint16_t crc) {
    return crc8((uint8_t)(value >> 8), crc8((uint8_t)value, crc));
}

static uint16_t crc32(uint32_t value, uint16_t crc) {
    return crc16((uint16_t)(value >> 16), crc16((uint16_t)value, crc));
}

/* --- lists ----------------------------------------------------------------------------------- */

enum { LIST_LENGTH = 60 };

typedef struct {
    int16_t key;   /* position when built */
    int16_t value; /* pseudo-random */
} Item;

typedef struct Node {
    struct Node *next;
    Item *item;
} Node;

typedef int Compare(const Item *a, const Item *b);

static Node nodes[LIST_LENGTH];
static Item items[LIST_LENGTH];

static int by_key(const Item *a, const Item *b) { return a->key - b->key; }

static int by_value(const Item *a, const Item *b) {
    int a_bits = a->value & 0xff, b_bits = b->value & 0xff;
    return a_bits != b_bits ? a_bits - b_bits : by_key(a, b);
}

static Node *list_build(uint32_t seed) {
    for (int i = 0; i < LIST_LENGTH; i++) {
        items[i].key = (int16_t)i;
        items[i].value = (int16_t)bench_random(&seed);
        nodes[i].item = &items[i];
        nodes[i].next = i + 1 < LIST_LENGTH ? &nodes[i + 1] : NULL;
    }
    return nodes;
}

static Node *list_find_key(Node *list, int16_t key) {
    while (list && list->item->key != key) list = list->next;
    return list;
}

static Node *list_find_value(Node *list, uint8_t low) {
    while (list && (list->item->value & 0xff) != low) list = list->next;
    return list;
}

static Node *list_reverse(Node *list) {
    Node *done = NULL;
    while (list) {
        Node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static Node *list_merge(Node *a, Node *b, Compare *compare) {
    Node *head = NULL, **tail = &head;
    while (a && b) {
        Node **from = compare(a->item, b->item) <= 0 ? &a : &b;
        *tail = *from;
        tail = &(*from)->next;
        *from = *tail;
    }
    *tail = a ? a : b;
    return head;
}

/* Cuts the list after `count` nodes (or at its end) and returns what follows. */
static Node *list_cut(Node *list, int count) {
    while (list && --count > 0) list = list->next;
    if (!list) return NULL;
    Node *rest = list->next;
    list->next = NULL;
    return rest;
}

/* Merge sort from the bottom: runs of 1, 2, 4, ... nodes. */
static BENCH_NOINLINE Node *list_sort(Node *list, Compare *compare) {
    for (int width = 1; width < LIST_LENGTH; width *= 2) {
        Node *head = NULL, **tail = &head;
        while (list) {
            Node *a = list, *b = list_cut(a, width);
            list = list_cut(b, width);
            *tail = list_merge(a, b, compare);
            while (*tail) tail = &(*tail)->next;
        }
        list = head;
    }
    return list;
}

/* Unlinks the second node, as if it were freed, and links it in again at the front. */
static Node *list_rotate(Node *list) {
    Node *moved = list->next;
    list->next = moved->next;
    moved->next = list;
    return moved;
}

static uint16_t list_crc(const Node *list, uint16_t crc) {
    for (; list; list = list->next) crc = crc16((uint16_t)list->item->value, crc);
    return crc;
}

static uint16_t list_run(uint32_t seed, uint16_t crc) {
    Node *list = list_build(seed | 1);
    uint32_t found = 0;
    for (int i = 0; i < 24; i++) {
        Node *hit = i & 1 ? list_find_value(list, (uint8_t)(crc + i * 11))
                          : list_find_key(list, (int16_t)(i * 5 % LIST_LENGTH));
        found = found * 3 + (hit ? (uint32_t)(hit->item->value & 0xff) : 1);
        list = hit && (i & 2) ? list_rotate(list) : list_reverse(list);
    }
    crc = crc32(found, crc);
    list = list_sort(list, by_value);
    crc = list_crc(list, crc);
    list = list_sort(list, by_key);
    return list_crc(list, crc);
}

/* --- matrices -------------------------------------------------------------------------------- */

enum { N = 9 };

static int16_t mat_a[N][N], mat_b[N][N];
static int32_t mat_c[N][N];

static void matrix_fill(uint32_t seed) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            mat_a[i][j] = (int16_t)(bench_random(&seed) & 0x3ff);
            mat_b[i][j] = (int16_t)(bench_random(&seed) >> 22);
        }
}

static BENCH_NOINLINE void matrix_add_constant(int16_t value) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) mat_a[i][j] = (int16_t)(mat_a[i][j] + value);
}

static BENCH_NOINLINE void matrix_scale(int16_t value) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) mat_c[i][j] = mat_a[i][j] * value;
}

static BENCH_NOINLINE void matrix_by_vector(void) {
    for (int i = 0; i < N; i++) {
        int32_t sum = 0;
        for (int j = 0; j < N; j++) sum += mat_a[i][j] * mat_b[0][j];
        mat_c[0][i] = sum;
    }
}

static BENCH_NOINLINE void matrix_multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++) sum += mat_a[i][k] * mat_b[k][j];
            mat_c[i][j] = sum;
        }
}

/* As matrix_multiply, of two bit fields of every product. */
static BENCH_NOINLINE void matrix_multiply_bits(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++) {
                int32_t product = mat_a[i][k] * mat_b[k][j];
                sum += ((product >> 2) & 0xf) * ((product >> 5) & 0x7f);
            }
            mat_c[i][j] = sum;
        }
}

/* A sum over the product matrix that depends on how neighbours compare. */
static uint16_t matrix_sum(int32_t clip) {
    int32_t total = 0, before = 0;
    uint16_t result = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t now = mat_c[i][j];
            total += now & 0xffff;
            if (total > clip) {
                result = (uint16_t)(result + 10);
                total = 0;
            } else {
                result = (uint16_t)(result + (now > before));
            }
            before = now;
        }
    return result;
}

static uint16_t matrix_run(uint32_t seed, uint16_t crc) {
    int16_t value = (int16_t)(crc & 0xff);
    matrix_fill(seed | 1);
    matrix_add_constant(value);
    matrix_scale((int16_t)(value | 1));
    crc = crc16(matrix_sum(0x7fff), crc);
    matrix_by_vector();
    crc = crc16(matrix_sum(0x3fff), crc);
    matrix_multiply();
    crc = crc16(matrix_sum(0x1ffff), crc);
    matrix_multiply_bits();
    crc = crc16(matrix_sum(0xfff), crc);
    matrix_add_constant((int16_t)-value);
    return crc16((uint16_t)mat_a[N - 1][N - 1], crc);
}

/* --- state machine --------------------------------------------------------------------------- */

typedef enum {
    S_START,
    S_SIGN,
    S_INT,
    S_POINT,
    S_FRACTION,
    S_EXPONENT,
    S_EXPONENT_SIGN,
    S_SCIENTIFIC,
    S_INVALID,
    S_COUNT
} State;

static char text[512];

/* Fills `text` with numbers of several forms, some broken, separated by commas. */
static void text_build(uint32_t seed) {
    static const char *const words[] = {"5012",     "-874",     "+122",     "35.54400",
                                        ".1234500", "-110.700", "+0.64",    "5.5e+3",
                                        "-.123e-2", "-87e+832", "+0.6e-12", "T0.3e-1F",
                                        "-T.T++",   "1T3.4e4z", "34.0e-T^", "8..1"};
    size_t at = 0;
    while (at + 10 < sizeof text) {
        for (const char *word = words[bench_random(&seed) >> 28]; *word; word++) text[at++] = *word;
        text[at++] = ',';
    }
    text[at] = 0;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static State step_start(char c) {
    if (is_digit(c)) return S_INT;
    if (c == '+' || c == '-') return S_SIGN;
    return c == '.' ? S_POINT : S_INVALID;
}

static State step(State state, char c) {
    switch (state) {
    case S_START: return step_start(c);
    case S_SIGN: return is_digit(c) ? S_INT : c == '.' ? S_POINT : S_INVALID;
    case S_INT:
        if (c == 'e' || c == 'E') return S_EXPONENT;
        return is_digit(c) ? S_INT : c == '.' ? S_FRACTION : S_INVALID;
    case S_POINT:
    case S_FRACTION:
        if (state == S_FRACTION && (c == 'e' || c == 'E')) return S_EXPONENT;
        return is_digit(c) ? S_FRACTION : S_INVALID;
    case S_EXPONENT:
        if (c == '+' || c == '-') return S_EXPONENT_SIGN;
        return is_digit(c) ? S_SCIENTIFIC : S_INVALID;
    case S_EXPONENT_SIGN:
    case S_SCIENTIFIC: return is_digit(c) ? S_SCIENTIFIC : S_INVALID;
    default: return S_INVALID;
    }
}

/* Scans one field from *at, counts its transitions, moves *at past its comma. */
static BENCH_NOINLINE State scan_field(const char **at, uint32_t *transitions) {
    State state = S_START;
    const char *p = *at;
    for (; *p && *p != ','; p++) {
        State next = step(state, *p);
        if (next != state) transitions[state]++;
        state = next;
        if (state == S_INVALID) break;
    }
    while (*p && *p != ',') p++;
    *at = *p ? p + 1 : p;
    return state;
}

static uint16_t text_scan(uint16_t crc) {
    uint32_t finals[S_COUNT] = {0}, transitions[S_COUNT] = {0};
    for (const char *p = text; *p;) finals[scan_field(&p, transitions)]++;
    for (int i = 0; i < S_COUNT; i++) crc = crc32(finals[i] << 16 | transitions[i], crc);
    return crc;
}

static void text_corrupt(uint8_t mask, size_t stride) {
    for (size_t i = 0; text[i] && i + stride < sizeof text; i += stride)
        if (text[i] != ',' && (char)(text[i] ^ mask)) text[i] = (char)(text[i] ^ mask);
}

static uint16_t text_run(uint16_t crc) {
    crc = text_scan(crc);
    text_corrupt((uint8_t)(crc & 1), 7);
    crc = text_scan(crc);
    text_corrupt((uint8_t)(crc & 1), 13);
    return crc;
}

/* --------------------------------------------------------------------------------------------- */

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 5500), sum = 0;
    uint16_t crc = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)i * 2654435761u;
        crc = list_run(seed, crc);
        crc = matrix_run(seed, crc);
        if (i % 16 == 0) text_build((uint32_t)i | 1);
        crc = text_run(crc);
        sum = bench_mix(sum, crc);
    }
    return bench_report("coreish", n, sum);
}
