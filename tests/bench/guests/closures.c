/* closures.c - an interpreter inside the guest that compiles expressions to a tree of closures
 * (function pointer and operands), so that each node is an indirect call. */
#include "bench.h"
#include <string.h>

typedef struct Node Node;
typedef int64_t Eval(const Node *node, int64_t *env);

struct Node {
    Eval *eval;
    const Node *a, *b, *c;
    int64_t value;
};

static Node pool[256];
static int used;

#define A node->a->eval(node->a, env)
#define B node->b->eval(node->b, env)

static int64_t e_const(const Node *node, int64_t *env) { return (void)env, node->value; }
static int64_t e_var(const Node *node, int64_t *env) { return env[node->value]; }
static int64_t e_add(const Node *node, int64_t *env) { return A + B; }
static int64_t e_sub(const Node *node, int64_t *env) { return A - B; }
static int64_t e_mul(const Node *node, int64_t *env) { return A * B; }
static int64_t e_mod(const Node *node, int64_t *env) {
    int64_t b = B;
    return b ? A % b : 0;
}
static int64_t e_less(const Node *node, int64_t *env) { return A < B; }
static int64_t e_equal(const Node *node, int64_t *env) { return A == B; }
static int64_t e_add_const(const Node *node, int64_t *env) { return A + node->value; }
static int64_t e_set(const Node *node, int64_t *env) { return env[node->value] = A; }
static int64_t e_if(const Node *node, int64_t *env) {
    const Node *next = A ? node->b : node->c;
    return next->eval(next, env);
}
static int64_t e_while(const Node *node, int64_t *env) {
    int64_t turns = 0;
    for (; A; turns++) B;
    return turns;
}
static int64_t e_sequence(const Node *node, int64_t *env) {
    A;
    return B;
}

static const Node *make(Eval *eval, const Node *a, const Node *b, const Node *c, int64_t value) {
    Node *node = &pool[used++];
    *node = (Node){eval, a, b, c, value};
    return node;
}
static const Node *num(int64_t v) { return make(e_const, NULL, NULL, NULL, v); }
static const Node *var(int v) { return make(e_var, NULL, NULL, NULL, v); }
static const Node *two(Eval *eval, const Node *a, const Node *b) {
    if (eval == e_add && b->eval == e_const) return make(e_add_const, a, NULL, NULL, b->value);
    return make(eval, a, b, NULL, 0);
}
static const Node *set(int v, const Node *a) { return make(e_set, a, NULL, NULL, v); }
static const Node *then(const Node *a, const Node *b) { return two(e_sequence, a, b); }
static const Node *loop(const Node *a, const Node *b) { return two(e_while, a, b); }
static const Node *choose(const Node *a, const Node *b, const Node *c) {
    return make(e_if, a, b, c, 0);
}

enum { I, J, COUNT, LIMIT, X, STEPS };

/* Counts the i below LIMIT without a divisor below i, then a quadratic residue walk. */
static const Node *build(void) {
    const Node *divides = two(e_equal, two(e_mod, var(I), var(J)), num(0));
    const Node *find =
        loop(choose(two(e_less, two(e_mul, var(J), var(J)), two(e_add, var(I), num(1))),
                    two(e_sub, num(1), divides), num(0)),
             set(J, two(e_add, var(J), num(1))));
    const Node *prime = two(e_less, var(I), two(e_mul, var(J), var(J)));
    const Node *body =
        then(set(J, num(2)),
             then(find, then(choose(prime, set(COUNT, two(e_add, var(COUNT), num(1))), num(0)),
                             set(I, two(e_add, var(I), num(1))))));
    const Node *walk =
        loop(two(e_less, var(STEPS), num(200)),
             then(set(X, two(e_mod, two(e_add, two(e_mul, var(X), var(X)), num(7)), num(1000003))),
                  set(STEPS, two(e_add, var(STEPS), num(1)))));
    return then(then(set(I, num(2)), loop(two(e_less, var(I), var(LIMIT)), body)),
                then(set(STEPS, num(0)), walk));
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 4300), sum = 0;
    const Node *program = build();
    for (uint64_t i = 0; i < n; i++) {
        int64_t env[8] = {[LIMIT] = 100 + (int64_t)(sum & 63), [X] = (int64_t)(sum >> 40)};
        sum = bench_mix(sum, (uint64_t)program->eval(program, env));
        if (env[LIMIT] == 100 && env[COUNT] != 25) return 1;
        sum = bench_mix(sum, (uint64_t)(env[COUNT] << 32 ^ env[X]));
    }
    return bench_report("closures", n, sum);
}
