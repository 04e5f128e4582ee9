/* nbody.c - a small planetary system, integrated in f64: multiply, add, divide, square root. */
#include "bench.h"
#include <math.h>
#include <string.h>

enum { BODIES = 5, STEPS = 100 };

typedef struct {
    double x[3], v[3], mass;
} Body;

static Body bodies[BODIES];

/* One heavy body at the origin, the others on tilted orbits that are about circular. */
static void set_up(void) {
    bodies[0].mass = 39.5;
    for (int i = 1; i < BODIES; i++) {
        double radius = 3.0 + 4.5 * i, speed = sqrt(39.5 / radius);
        bodies[i].x[0] = i & 1 ? radius : -0.6 * radius;
        bodies[i].x[1] = i & 1 ? 0.0 : 0.8 * radius;
        bodies[i].x[2] = 0.05 * i;
        bodies[i].v[0] = i & 1 ? 0.0 : -0.8 * speed;
        bodies[i].v[1] = i & 1 ? speed : -0.6 * speed;
        bodies[i].v[2] = 0.01 * speed;
        bodies[i].mass = 0.04 / i;
    }
}

static void attract(Body *a, Body *b, double dt) {
    double dx = a->x[0] - b->x[0], dy = a->x[1] - b->x[1], dz = a->x[2] - b->x[2];
    double square = dx * dx + dy * dy + dz * dz;
    double pull = dt / (square * sqrt(square));
    a->v[0] -= dx * b->mass * pull;
    a->v[1] -= dy * b->mass * pull;
    a->v[2] -= dz * b->mass * pull;
    b->v[0] += dx * a->mass * pull;
    b->v[1] += dy * a->mass * pull;
    b->v[2] += dz * a->mass * pull;
}

static BENCH_NOINLINE void advance(double dt) {
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) attract(&bodies[i], &bodies[j], dt);
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++) bodies[i].x[k] += dt * bodies[i].v[k];
}

static double energy(void) {
    double sum = 0;
    for (int i = 0; i < BODIES; i++) {
        const Body *a = &bodies[i];
        sum += 0.5 * a->mass * (a->v[0] * a->v[0] + a->v[1] * a->v[1] + a->v[2] * a->v[2]);
        for (int j = i + 1; j < BODIES; j++) {
            const double *x = a->x, *y = bodies[j].x;
            double dx = x[0] - y[0], dy = x[1] - y[1], dz = x[2] - y[2];
            sum -= a->mass * bodies[j].mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return sum;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 7500), sum = 0;
    set_up();
    for (uint64_t i = 0; i < n; i++) {
        for (int s = 0; s < STEPS; s++) advance(0.001);
        double e = energy();
        uint64_t bits;
        memcpy(&bits, &e, sizeof bits);
        sum = bench_mix(sum, bits);
    }
    return bench_report("nbody", n, sum);
}
