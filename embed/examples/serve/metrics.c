/*
 * metrics.c - counters, and how Prometheus wants to read them.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"

_Atomic(uint64_t) metrics_not_found, metrics_refused, metrics_late;
_Atomic(int64_t) metrics_connections;

/* ---- text --------------------------------------------------------------------------------------- */

static bool make_room(Text *text, size_t size) {
    if (text->failed) return false;
    if (size <= text->capacity - text->size) return true;
    size_t capacity = text->capacity ? text->capacity : 512;
    while (capacity - text->size < size) capacity *= 2;
    char *bytes = realloc(text->bytes, capacity);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void text_add(Text *text, const void *bytes, size_t size) {
    if (!make_room(text, size)) return;
    if (size > 0) memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

void text_print(Text *text, const char *format, ...) {
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0) text_add(text, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void text_free(Text *text) {
    free(text->bytes);
    *text = (Text){0};
}

/* ---- counting ----------------------------------------------------------------------------------- */

static const double limits[BUCKETS] = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                       0.01,    0.025,  0.05,    0.1,    0.25,  1,      10};

static void add(_Atomic(uint64_t) *counter, uint64_t amount) {
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t get(_Atomic(uint64_t) *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_count(Metrics *m, Outcome outcome, uint64_t nanoseconds, uint64_t bytes_in,
                   uint64_t bytes_out) {
    size_t bucket = 0;
    while (bucket < BUCKETS && (double)nanoseconds > limits[bucket] * 1e9) bucket++;
    add(&m->outcomes[outcome], 1);
    add(&m->buckets[bucket], 1);
    add(&m->nanoseconds, nanoseconds);
    add(&m->bytes_in, bytes_in);
    add(&m->bytes_out, bytes_out);
}

/* ---- printing ----------------------------------------------------------------------------------- */

static void head(Text *text, const char *name, const char *type, const char *help) {
    text_print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_outcomes(Text *text, Plugin *plugin) {
    static const char *const names[] = {
#define OUTCOME_NAME(id, name) name,
        OUTCOMES(OUTCOME_NAME)
#undef OUTCOME_NAME
    };
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        text_print(text, "wasmrun_requests_total{plugin=\"%s\",outcome=\"%s\"} %llu\n",
                   plugin->name, names[i], (unsigned long long)get(&plugin->metrics.outcomes[i]));
}

static void print_histogram(Text *text, Plugin *plugin) {
    uint64_t total = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        total += get(&plugin->metrics.buckets[i]);
        text_print(text, "wasmrun_request_seconds_bucket{plugin=\"%s\",le=\"%g\"} %llu\n",
                   plugin->name, limits[i], (unsigned long long)total);
    }
    total += get(&plugin->metrics.buckets[BUCKETS]);
    text_print(text, "wasmrun_request_seconds_bucket{plugin=\"%s\",le=\"+Inf\"} %llu\n",
               plugin->name, (unsigned long long)total);
    text_print(text, "wasmrun_request_seconds_sum{plugin=\"%s\"} %.9f\n", plugin->name,
               (double)get(&plugin->metrics.nanoseconds) / 1e9);
    text_print(text, "wasmrun_request_seconds_count{plugin=\"%s\"} %llu\n", plugin->name,
               (unsigned long long)total);
}

static void print_bytes(Text *text, Plugin *plugin) {
    text_print(text, "wasmrun_bytes_total{plugin=\"%s\",direction=\"in\"} %llu\n", plugin->name,
               (unsigned long long)get(&plugin->metrics.bytes_in));
    text_print(text, "wasmrun_bytes_total{plugin=\"%s\",direction=\"out\"} %llu\n", plugin->name,
               (unsigned long long)get(&plugin->metrics.bytes_out));
}

static void print_loads(Text *text, Plugin *plugin) {
    text_print(text, "wasmrun_loads_total{plugin=\"%s\",result=\"ok\"} %llu\n", plugin->name,
               (unsigned long long)get(&plugin->metrics.loads));
    text_print(text, "wasmrun_loads_total{plugin=\"%s\",result=\"error\"} %llu\n", plugin->name,
               (unsigned long long)get(&plugin->metrics.failed_loads));
}

static void print_instances(Text *text, Plugin *plugin) {
    Version *version = plugin_hold(plugin);
    if (!version) return;
    wr_prelinked_stats_t stats;
    wr_prelinked_get_stats(version->prelinked, &stats);
    version_release(version);
    text_print(text, "wasmrun_instances{plugin=\"%s\",state=\"live\"} %llu\n", plugin->name,
               (unsigned long long)stats.live);
    text_print(text, "wasmrun_instances{plugin=\"%s\",state=\"idle\"} %llu\n", plugin->name,
               (unsigned long long)stats.idle);
}

static void each(Text *text, void (*print)(Text *text, Plugin *plugin)) {
    for (Plugin *plugin = plugins_first(); plugin; plugin = plugin->next) print(text, plugin);
}

/* Linux only; elsewhere the process' supervisor knows. */
static void print_memory(Text *text) {
    unsigned long long pages;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return;
    if (fscanf(file, "%*u %llu", &pages) == 1) {
        head(text, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
        text_print(text, "process_resident_memory_bytes %llu\n", pages * 4096);
    }
    (void)fclose(file);
}

void metrics_print(Text *text) {
    head(text, "wasmrun_requests_total", "counter", "Requests by plugin and what became of them.");
    each(text, print_outcomes);
    head(text, "wasmrun_request_seconds", "histogram", "Time from request to response.");
    each(text, print_histogram);
    head(text, "wasmrun_bytes_total", "counter", "Bytes of bodies, to and from plugins.");
    each(text, print_bytes);
    head(text, "wasmrun_loads_total", "counter", "Modules loaded, also again after a change.");
    each(text, print_loads);
    head(text, "wasmrun_instances", "gauge", "Instances in use, and kept for the next request.");
    each(text, print_instances);
    head(text, "wasmrun_not_found_total", "counter", "Requests for plugins that are not there.");
    text_print(text, "wasmrun_not_found_total %llu\n", (unsigned long long)get(&metrics_not_found));
    head(text, "wasmrun_refused_total", "counter",
         "Requests that no thread or memory was left for.");
    text_print(text, "wasmrun_refused_total %llu\n", (unsigned long long)get(&metrics_refused));
    head(text, "wasmrun_late_clients_total", "counter",
         "Connections ended because their request did not come in time");
    text_print(text, "wasmrun_late_clients_total %llu\n", (unsigned long long)get(&metrics_late));
    head(text, "wasmrun_connections", "gauge", "Open connections.");
    text_print(text, "wasmrun_connections %lld\n", (long long)atomic_load(&metrics_connections));
    print_memory(text);
}
