/*
 * corpus BYTES [SEED]: writes that many bytes of a deterministic mixture of prose-like text, records
 * and noise to stdout, which compresses about as real data does. Runs natively, to feed the programs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint32_t next(uint32_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((state >> 33) * below) >> 31);
}

/* A word of a vocabulary of 4096, low numbers more often than high ones. */
static int put_word(char *to) {
    static const char *const syllables[16] = {"ka",  "lo", "mi", "ren", "tu",   "sa",
                                              "vel", "do", "ni", "qua", "ster", "a",
                                              "pho", "ly", "u",  "grem"};
    uint32_t word = next(64) * next(64), n = 0;
    do {
        n += (uint32_t)sprintf(to + n, "%s", syllables[word % 16]);
        word /= 16;
    } while (word);
    return (int)n;
}

static int put_piece(char *to) {
    int n = 0;
    uint32_t kind = next(20);
    if (kind == 0) {
        for (n = 0; n < 64; n++) to[n] = (char)next(256);
    } else if (kind < 4) {
        n = sprintf(to, "{\"id\": %u, \"price\": %u.%02u, \"tags\": [%u, %u]}\n", next(100000),
                    next(500), next(100), next(10), next(10));
    } else {
        for (uint32_t words = 4 + next(10); words; words--) {
            n += put_word(to + n);
            to[n++] = words > 1 ? ' ' : '\n';
        }
    }
    return n;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 42;
    unsigned long long left = strtoull(argv[1], NULL, 10);
    while (left) {
        char piece[1024];
        unsigned long long n = (unsigned long long)put_piece(piece);
        n = n < left ? n : left;
        if (fwrite(piece, 1, n, stdout) != n) return 1;
        left -= n;
    }
    return fclose(stdout) != 0;
}
