/*
 * instantiate.c - how long it takes to have a fresh instance of a module whose memory holds data.
 *
 * usage: instantiate [ROUNDS]
 *
 * For each engine, for one thread and for two at the same time, and for calls that write to so many
 * pages: microseconds for instantiating (a store, and the instance in it), and for the whole life of
 * one, with finding a function, calling it and deleting the store. Medians and 99th percentiles.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "engines.h"
#include "wasmrun.h"

enum { MAX_THREADS = 2, WARM_UP = 200 };

typedef struct Job {
    const EngineOps *engine;
    int pages, rounds;
    double *instantiating, *whole;
    double cpu; /* of all rounds */
    pthread_barrier_t *barrier;
} Job;

static void one(const Job *job, int round) {
    Guest guest;
    double begin = now();
    job->engine->instantiate(&guest);
    double made = now();
    job->engine->find(&guest, "touch");
    int32_t sum = job->engine->call(&guest, job->pages);
    job->engine->end(&guest);
    double done = now();
    if (sum != 2 * job->pages) fail("%s: a page is not as it should be", job->engine->name);
    if (round < 0) return;
    job->instantiating[round] = made - begin;
    job->whole[round] = done - begin;
}

static void *run(void *argument) {
    Job *job = argument;
    double begin = 0;
    for (int i = -WARM_UP; i < job->rounds; i++) {
        if (i == 0) {
            pthread_barrier_wait(job->barrier);
            begin = cpu();
        }
        one(job, i);
    }
    job->cpu = cpu() - begin;
    return NULL;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const EngineOps *engine, const char *note, int threads, int pages, int rounds) {
    pthread_t ids[MAX_THREADS];
    pthread_barrier_t barrier;
    Job jobs[MAX_THREADS];
    size_t n = (size_t)threads * (size_t)rounds;
    double *instantiating = calloc(n, sizeof(double)), *whole = calloc(n, sizeof(double));
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        size_t at = (size_t)i * (size_t)rounds;
        jobs[i] = (Job){engine, pages, rounds, instantiating + at, whole + at, 0, &barrier};
        pthread_create(&ids[i], NULL, run, &jobs[i]);
    }
    double used = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        used += jobs[i].cpu;
    }
    qsort(instantiating, n, sizeof(double), compare);
    qsort(whole, n, sizeof(double), compare);
    printf("%-10s %-15s %7d %7d  %8.2f %8.2f  %8.2f %8.2f  %8.2f\n", engine->name, note, threads,
           pages, instantiating[n / 2], instantiating[n * 99 / 100], whole[n / 2],
           whole[n * 99 / 100], used / (double)n);
    free(instantiating);
    free(whole);
    pthread_barrier_destroy(&barrier);
}

typedef struct Row {
    const EngineOps *engine;
    const char *note;
    size_t keep; /* bytes of a memory that stay resident for the next guest */
} Row;

int main(int argc, char **argv) {
    static const Row rows[] = {
        {&wasmrun_engine, "", (size_t)1 << 20},
        {&wasmrun_explicit_engine, "explicit", (size_t)1 << 20},
        {&wasmtime_engine, "keeps nothing", 0},
        {&wasmtime_engine, "keeps 64 KiB", 64 << 10},
        {&wasmtime_engine, "keeps 1 MiB", (size_t)1 << 20},
    };
    static const int pages[] = {0, 1, 4, 16, 64};
    int rounds = argc > 1 ? atoi(argv[1]) : 5000;
    size_t size;
    uint8_t *wasm = make_module(16, (size_t)1 << 20, &size);
    printf("1 MiB of initialised memory, microseconds; the whole life is with a call that writes "
           "to so "
           "many pages\n%26s %7s %7s  %17s  %17s  %8s\n%26s %7s %7s  %8s %8s  %8s %8s  %8s\n",
           "", "", "pages", "instantiating", "whole life", "its CPU", "", "threads", "written",
           "median", "p99", "median", "p99", "mean");
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        if (!rows[r].engine->start(wasm, size, rows[r].keep, 100)) continue;
        for (int threads = 1; threads <= MAX_THREADS; threads++)
            for (size_t p = 0; p < sizeof pages / sizeof *pages; p++)
                measure(rows[r].engine, rows[r].note, threads, pages[p], rounds);
        rows[r].engine->stop();
    }
    wr_bytes_delete(wasm, size);
}
