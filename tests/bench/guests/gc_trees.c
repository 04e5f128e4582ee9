/* gc_trees.c - the native counterpart of gc_trees.wat. */
#include "bench.h"

typedef struct Tree {
    struct Tree *left, *right;
    uint32_t key;
} Tree;

static Tree *make(Tree *left, Tree *right, uint32_t key) {
    Tree *t = malloc(sizeof *t);
    if (!t) exit(1);
    *t = (Tree){left, right, key};
    return t;
}

static Tree *build(uint32_t depth) {
    if (!depth) return make(NULL, NULL, 1);
    Tree *left = build(depth - 1);
    return make(left, build(depth - 1), depth);
}

static uint32_t count(const Tree *t) {
    uint32_t n = 0;
    for (; t; t = t->right) n += t->key + count(t->left);
    return n;
}

static void insert(Tree *t, uint32_t key) {
    for (;;) {
        Tree **next = key < t->key ? &t->left : &t->right;
        if (!*next) {
            *next = make(NULL, NULL, key);
            return;
        }
        t = *next;
    }
}

static uint32_t depth(const Tree *t, uint32_t key) {
    uint32_t n = 0;
    for (; t && key != t->key; n++) t = key < t->key ? t->left : t->right;
    return n;
}

static void release(Tree *t) {
    while (t) {
        Tree *right = t->right;
        release(t->left);
        free(t);
        t = right;
    }
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 200), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        Tree *tree = build(11);
        sum = bench_mix(sum, count(tree));
        release(tree);
        tree = make(NULL, NULL, 0x80000000u);
        for (int j = 0; j < 1000; j++) insert(tree, bench_random(&seed));
        for (int j = 0; j < 1000; j++) sum = bench_mix(sum, depth(tree, bench_random(&seed)));
        release(tree);
    }
    return bench_report("gc_trees", n, sum);
}
