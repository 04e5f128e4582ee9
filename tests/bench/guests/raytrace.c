/* raytrace.c - a small ray tracer: spheres and a chequered plane, shadows, reflection by
 * recursion; f64 vectors passed by value (hence through memory), sqrt, branches on floats. */
#include "bench.h"
#include <math.h>

enum { WIDTH = 32, HEIGHT = 24, SPHERES = 6, DEPTH = 4 };

typedef struct {
    double x, y, z;
} Vec;

typedef struct {
    Vec centre, colour;
    double radius, mirror;
} Sphere;

typedef struct {
    Vec point, normal, colour;
    double distance, mirror;
} Hit;

static Sphere spheres[SPHERES];
static Vec light = {-5, 8, -6};

static Vec vec(double x, double y, double z) { return (Vec){x, y, z}; }
static Vec add(Vec a, Vec b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }
static Vec sub(Vec a, Vec b) { return vec(a.x - b.x, a.y - b.y, a.z - b.z); }
static Vec scale(Vec a, double f) { return vec(a.x * f, a.y * f, a.z * f); }
static double dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static Vec unit(Vec a) { return scale(a, 1 / sqrt(dot(a, a))); }

/* The distance along a ray to a sphere, or a negative number. */
static BENCH_NOINLINE double meet(const Sphere *s, const Vec *from, const Vec *direction) {
    Vec to = sub(s->centre, *from);
    double along = dot(to, *direction);
    double square = s->radius * s->radius - dot(to, to) + along * along;
    if (square < 0) return -1;
    double half = sqrt(square);
    return along - half > 1e-6 ? along - half : along + half;
}

static int nearest(Vec from, Vec direction, Hit *hit) {
    hit->distance = 1e30;
    for (int i = 0; i < SPHERES; i++) {
        double d = meet(&spheres[i], &from, &direction);
        if (d <= 1e-6 || d >= hit->distance) continue;
        hit->distance = d;
        hit->point = add(from, scale(direction, d));
        hit->normal = scale(sub(hit->point, spheres[i].centre), 1 / spheres[i].radius);
        hit->colour = spheres[i].colour;
        hit->mirror = spheres[i].mirror;
    }
    if (direction.y < -1e-6) {
        double d = (-1 - from.y) / direction.y;
        if (d > 1e-6 && d < hit->distance) {
            hit->distance = d;
            hit->point = add(from, scale(direction, d));
            hit->normal = vec(0, 1, 0);
            int odd = ((int)floor(hit->point.x) + (int)floor(hit->point.z)) & 1;
            hit->colour = odd ? vec(0.9, 0.9, 0.9) : vec(0.2, 0.2, 0.3);
            hit->mirror = 0.1;
        }
    }
    return hit->distance < 1e30;
}

static Vec trace(Vec from, Vec direction, int depth) {
    Hit hit, shadow;
    if (!nearest(from, direction, &hit)) {
        double t = 0.5 * (direction.y + 1);
        return vec(1 - 0.5 * t, 1 - 0.3 * t, 1);
    }
    Vec to_light = sub(light, hit.point);
    double reach = sqrt(dot(to_light, to_light));
    to_light = scale(to_light, 1 / reach);
    double shine = dot(to_light, hit.normal);
    if (shine < 0 || (nearest(hit.point, to_light, &shadow) && shadow.distance < reach)) shine = 0;
    Vec colour = scale(hit.colour, 0.2 + 0.8 * shine);
    if (hit.mirror > 0 && depth > 0) {
        Vec bounced = sub(direction, scale(hit.normal, 2 * dot(direction, hit.normal)));
        Vec seen = trace(hit.point, bounced, depth - 1);
        colour = add(scale(colour, 1 - hit.mirror), scale(seen, hit.mirror));
    }
    return colour;
}

static uint32_t pixel(Vec c) {
    uint32_t r = (uint32_t)(c.x * 255), g = (uint32_t)(c.y * 255), b = (uint32_t)(c.z * 255);
    return r << 16 | g << 8 | b;
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 630), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < SPHERES; j++) {
            double r = (double)(bench_random(&seed) & 255) / 256;
            spheres[j] =
                (Sphere){vec((double)(seed >> 8 & 7) - 3.5, r, 4 + (double)(seed >> 12 & 3)),
                         vec(r, 1 - r, 0.5), 0.4 + r, j & 1 ? 0.5 : 0};
        }
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                Vec at =
                    vec((x - WIDTH / 2) / (double)HEIGHT, (HEIGHT / 2 - y) / (double)HEIGHT, 1);
                sum = bench_mix(sum, pixel(trace(vec(0, 0, -2), unit(at), DEPTH)));
            }
    }
    return bench_report("raytrace", n, sum);
}
