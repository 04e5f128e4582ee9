/* chess.c - chess positions counted to a fixed depth (perft) and an alpha-beta search on material:
 * a 10x12 board of bytes, piece lists by scanning, moves made and taken back, deep branching. */
#include "bench.h"

enum { EMPTY, PAWN, KNIGHT, BISHOP, ROOK, QUEEN, KING, WHITE = 8, BLACK = 16, OFF = 32 };

typedef struct {
    uint8_t from, to, taken, promoted;
} Move;

static uint8_t board[120];
static int side;

static const int8_t steps[7][8] = {[KNIGHT] = {-21, -19, -12, -8, 8, 12, 19, 21},
                                   [BISHOP] = {-11, -9, 9, 11},
                                   [ROOK] = {-10, -1, 1, 10},
                                   [QUEEN] = {-11, -10, -9, -1, 1, 9, 10, 11},
                                   [KING] = {-11, -10, -9, -1, 1, 9, 10, 11}};
static const int worth[7] = {0, 100, 320, 330, 500, 900, 20000};

static void set_up(const char *placement) {
    for (int i = 0; i < 120; i++) board[i] = OFF;
    int at = 21;
    for (const char *p = placement; *p; p++) {
        static const char names[] = ".pnbrqk";
        if (*p == '/') {
            at += 2;
        } else if (*p >= '1' && *p <= '8') {
            for (int n = *p - '0'; n > 0; n--) board[at++] = EMPTY;
        } else {
            int lower = *p | 0x20, kind = 1;
            while (names[kind] != lower) kind++;
            board[at++] = (uint8_t)(kind | (*p == lower ? BLACK : WHITE));
        }
    }
    side = WHITE;
}

static int attacked(int square, int by) {
    int forward = by == WHITE ? 10 : -10; /* from the square back to a pawn */
    if (board[square + forward - 1] == (PAWN | by) || board[square + forward + 1] == (PAWN | by))
        return 1;
    for (int i = 0; i < 8; i++)
        if (board[square + steps[KNIGHT][i]] == (KNIGHT | by) ||
            board[square + steps[KING][i]] == (KING | by))
            return 1;
    for (int i = 0; i < 8; i++) {
        int step = steps[QUEEN][i], at = square + step;
        while (board[at] == EMPTY) at += step;
        int straight = step == 10 || step == -10 || step == 1 || step == -1;
        if (board[at] == (QUEEN | by) || board[at] == ((straight ? ROOK : BISHOP) | by)) return 1;
    }
    return 0;
}

static int in_check(int whose) {
    for (int at = 21; at < 99; at++)
        if (board[at] == (KING | whose)) return attacked(at, whose ^ (WHITE | BLACK));
    return 1;
}

static Move *add(Move *list, int from, int to) {
    int last = side == WHITE ? to < 30 : to > 90;
    uint8_t promoted = (board[from] & 7) == PAWN && last ? QUEEN : 0;
    *list = (Move){(uint8_t)from, (uint8_t)to, board[to], promoted};
    return list + 1;
}

static Move *pawn_moves(Move *list, int from) {
    int forward = side == WHITE ? -10 : 10, other = side ^ (WHITE | BLACK);
    int start = side == WHITE ? from > 80 : from < 40;
    if (board[from + forward] == EMPTY) {
        list = add(list, from, from + forward);
        if (start && board[from + 2 * forward] == EMPTY) list = add(list, from, from + 2 * forward);
    }
    if (board[from + forward - 1] & other) list = add(list, from, from + forward - 1);
    if (board[from + forward + 1] & other) list = add(list, from, from + forward + 1);
    return list;
}

static BENCH_NOINLINE int generate(Move *list) {
    Move *end = list;
    for (int from = 21; from < 99; from++) {
        if (!(board[from] & side)) continue;
        int kind = board[from] & 7;
        if (kind == PAWN) {
            end = pawn_moves(end, from);
            continue;
        }
        for (int i = 0; i < 8 && steps[kind][i]; i++)
            for (int to = from + steps[kind][i];; to += steps[kind][i]) {
                if (board[to] & (OFF | side)) break;
                end = add(end, from, to);
                if (board[to] != EMPTY || kind == KNIGHT || kind == KING) break;
            }
    }
    return (int)(end - list);
}

/* Returns whether the move was legal; if not, nothing has changed. */
static int make(const Move *m, uint8_t *piece) {
    *piece = board[m->from];
    board[m->to] = m->promoted ? (uint8_t)(m->promoted | side) : *piece;
    board[m->from] = EMPTY;
    if (!in_check(side)) {
        side ^= WHITE | BLACK;
        return 1;
    }
    board[m->from] = *piece;
    board[m->to] = m->taken;
    return 0;
}

static void take_back(const Move *m, uint8_t piece) {
    side ^= WHITE | BLACK;
    board[m->from] = piece;
    board[m->to] = m->taken;
}

static uint64_t perft(int depth) {
    Move list[256];
    uint64_t count = 0;
    if (depth == 0) return 1;
    for (int i = 0, n = generate(list); i < n; i++) {
        uint8_t piece;
        if (!make(&list[i], &piece)) continue;
        count += perft(depth - 1);
        take_back(&list[i], piece);
    }
    return count;
}

static int material(void) {
    int sum = 0;
    for (int at = 21; at < 99; at++)
        if (board[at] & (WHITE | BLACK))
            sum += board[at] & side ? worth[board[at] & 7] : -worth[board[at] & 7];
    return sum;
}

static int search(int depth, int alpha, int beta) {
    Move list[256];
    if (depth == 0) return material();
    int legal = 0;
    for (int i = 0, n = generate(list); i < n; i++) {
        uint8_t piece;
        if (!make(&list[i], &piece)) continue;
        legal = 1;
        int value = -search(depth - 1, -beta, -alpha);
        take_back(&list[i], piece);
        if (value > alpha) alpha = value;
        if (alpha >= beta) break;
    }
    return legal ? alpha : in_check(side) ? -30000 : 0;
}

int main(int argc, char **argv) {
    static const char *const positions[] = {
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR",
        "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R",
        "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8", "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R"};
    uint64_t n = bench_iterations(argc, argv, 250), sum = 0;
    set_up(positions[0]);
    if (perft(3) != 8902) return 1; /* a known number */
    for (uint64_t i = 0; i < n; i++) {
        set_up(positions[(i + sum) & 3]);
        sum = bench_mix(sum, perft(2));
        sum = bench_mix(sum, (uint32_t)search(3, -40000, 40000));
    }
    return bench_report("chess", n, sum);
}
