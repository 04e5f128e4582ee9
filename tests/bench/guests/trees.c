/* trees.c - binary search trees made of many small allocations: malloc, free, pointer chasing. */
#include "bench.h"

typedef struct Tree {
    struct Tree *left, *right;
    uint32_t key, priority;
} Tree;

static Tree *rotate_right(Tree *tree) {
    Tree *top = tree->left;
    tree->left = top->right;
    top->right = tree;
    return top;
}

static Tree *rotate_left(Tree *tree) {
    Tree *top = tree->right;
    tree->right = top->left;
    top->left = tree;
    return top;
}

/* A treap: ordered by key, heap by priority. */
static Tree *insert(Tree *tree, uint32_t key, uint32_t priority) {
    if (!tree) {
        tree = malloc(sizeof *tree);
        if (!tree) exit(1);
        *tree = (Tree){NULL, NULL, key, priority};
    } else if (key < tree->key) {
        tree->left = insert(tree->left, key, priority);
        if (tree->left->priority > tree->priority) tree = rotate_right(tree);
    } else if (key > tree->key) {
        tree->right = insert(tree->right, key, priority);
        if (tree->right->priority > tree->priority) tree = rotate_left(tree);
    }
    return tree;
}

static uint64_t fold(const Tree *tree, uint64_t sum) {
    for (; tree; tree = tree->right) {
        sum = fold(tree->left, sum);
        sum = bench_mix(sum, tree->key);
    }
    return sum;
}

static void release(Tree *tree) {
    while (tree) {
        Tree *right = tree->right;
        release(tree->left);
        free(tree);
        tree = right;
    }
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 2000), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        Tree *tree = NULL;
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < 600; j++) {
            uint32_t key = bench_random(&seed) >> 16;
            tree = insert(tree, key, bench_random(&seed));
        }
        sum = fold(tree, sum);
        release(tree);
    }
    return bench_report("trees", n, sum);
}
