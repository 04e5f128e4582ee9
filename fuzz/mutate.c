/*
 * mutate.c - a mutation driver that needs no fuzzer: makes mutants of valid modules (mutants.h) and tries
 * a property with each (property.h). Files that do not load are passed over. The same seeds and numbers give the
 * same mutants, whatever the number of workers.
 *
 *   mutate [--count N] [--from N] [--seconds N] [--jobs N] [--max-size BYTES] [--write FILE] [--as-they-are]
 *          [--findings FOLDER] FILE|FOLDER...
 *
 * Workers are processes, so that a mutant which kills or stops one is reported, kept in the folder for
 * findings or the current one (mutant-NUMBER.wasm), and the rest goes on. --write only writes the first mutant to a file. With
 * --as-they-are mutant N is seed N, unchanged, or N less their number as often as it takes; their number is the count then
 * unless one is given. After --seconds no new batch is begun.
 * Exit status 0 means that every mutant was survived in time and in little memory.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "mutants.h"
#include "property.h"

#define MAX_JOBS 64
#define HUNG_MS 600000u /* longest that one mutant may take by the clock, whoever else is at work */
#define RSS_LIMIT_KB (1 << 20)

typedef struct Options {
    u64 count, from;     /* count 0: not said */
    u64 seconds, end_ms; /* 0: no limit in time */
    unsigned jobs;
    bool as_they_are;
    size_t max_size;
    const char *write, *findings;
} Options;

/* What a worker tells its parent, in memory that they share. */
typedef struct Report {
    _Atomic(u64) next; /* the mutant in work; those before it are done */
    u64 end;           /* of the batch */
    u64 slowest_ms, slowest;
    long rss_kb;
    u64 stats[PROPERTY_STATS];
} Report;

typedef struct Worker {
    pid_t pid; /* 0 = idle */
    Report *report;
    u64 number, cpu_ms, clock_ms; /* the mutant seen last, and the times when it was first seen */
    bool killed;                  /* by us, and reported */
} Worker;

static u64 findings;

#define ULL(x) ((unsigned long long)(x))

/* ---- time ----------------------------------------------------------------------------------- */

static u64 milliseconds(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

/* The machine may be busy with other things: what counts is the worker's own time. */
static u64 process_ms(pid_t pid) {
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) == 0 ? milliseconds(clock) : 0;
}

/* ---- in the worker -------------------------------------------------------------------------- */

static const Seed *make(const Seeds *seeds, const Options *o, u64 number, Bytes *out) {
    return o->as_they_are ? wr_seed(seeds, number, out) : wr_mutant(seeds, number, out);
}

static void run_mutant(const Seeds *seeds, const Options *o, Bytes *bytes, u64 number, u64 *stats) {
    (void)make(seeds, o, number, bytes);
    u8 *exact = malloc(bytes->size ? bytes->size : 1); /* so that reading behind it is noticed */
    CHECK(exact);
    if (bytes->size) memcpy(exact, bytes->data, bytes->size);
    wr_property.run(exact, bytes->size, number, stats);
    free(exact);
}

static void work(const Seeds *seeds, const Options *o, Report *report) {
    Bytes bytes = {0};
    for (u64 number; (number = atomic_load(&report->next)) < report->end;) {
        u64 start = milliseconds(CLOCK_PROCESS_CPUTIME_ID);
        run_mutant(seeds, o, &bytes, number, report->stats);
        u64 took = milliseconds(CLOCK_PROCESS_CPUTIME_ID) - start;
        if (took > report->slowest_ms) {
            report->slowest_ms = took;
            report->slowest = number;
        }
        atomic_store(&report->next, number + 1);
    }
    if (wr_property.end) wr_property.end();
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) report->rss_kb = usage.ru_maxrss;
    free(bytes.data);
}

/* ---- in the parent -------------------------------------------------------------------------- */

static void start(const Seeds *seeds, const Options *o, Worker *w) {
    fflush(NULL);
    w->number = UINT64_MAX;
    w->killed = false;
    w->pid = fork();
    CHECK(w->pid >= 0);
    if (w->pid > 0) return;
    work(seeds, o, w->report);
    exit(0); /* where sanitizers look for leaks */
}

static void write_mutant(const Seeds *seeds, const Options *o, u64 number, const char *path) {
    Bytes bytes = {0};
    const Seed *seed = make(seeds, o, number, &bytes);
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
    if (file) ok = fclose(file) == 0 && ok;
    printf("mutant %llu of %s: %s%s\n", ULL(number), seed->path,
           ok ? "written to " : "cannot write ", path);
    free(bytes.data);
}

static void report_finding(const Seeds *seeds, const Options *o, u64 number, const char *what) {
    char path[4096];
    findings++;
    printf("FINDING: mutant %llu %s\n", ULL(number), what);
    snprintf(path, sizeof path, "%s/mutant-%llu.wasm", o->findings, ULL(number));
    write_mutant(seeds, o, number, path);
}

/* The worker has ended; true if some of its batch is left to do. */
static bool ended(const Seeds *seeds, const Options *o, Worker *w, int status) {
    Report *report = w->report;
    u64 number = atomic_load(&report->next);
    w->pid = 0;
    if (number < report->end) {
        if (!w->killed) report_finding(seeds, o, number, "killed its process");
        atomic_store(&report->next, number + 1);
        return number + 1 < report->end;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        findings++;
        printf("FINDING: the process of mutants up to %llu failed at its end (a leak?)\n",
               ULL(report->end));
    } else if (report->rss_kb > RSS_LIMIT_KB) {
        findings++;
        printf("FINDING: mutants up to %llu took %ld KB\n", ULL(report->end), report->rss_kb);
    }
    return false;
}

static void watch(const Seeds *seeds, const Options *o, Worker *w) {
    u64 number = atomic_load(&w->report->next), cpu = process_ms(w->pid);
    u64 clock = milliseconds(CLOCK_MONOTONIC);
    if (number != w->number) {
        w->number = number;
        w->cpu_ms = cpu;
        w->clock_ms = clock;
        return;
    }
    bool is_slow = cpu > w->cpu_ms + wr_property.slow_ms || clock > w->clock_ms + HUNG_MS;
    if (is_slow && !w->killed && kill(w->pid, SIGKILL) == 0) {
        report_finding(seeds, o, number, "takes too long");
        w->killed = true;
    }
}

static bool next_batch(const Options *o, Worker *w, u64 *given) {
    u64 left = o->from + o->count - *given;
    if (left == 0 || (o->seconds > 0 && milliseconds(CLOCK_MONOTONIC) >= o->end_ms)) return false;
    atomic_store(&w->report->next, *given);
    *given += min_u64(left, wr_property.batch);
    w->report->end = *given;
    return true;
}

/* True while it has something to do. */
static bool step(const Seeds *seeds, const Options *o, Worker *w, u64 *given) {
    int status;
    if (w->pid == 0) {
        if (!next_batch(o, w, given)) return false;
        start(seeds, o, w);
    } else if (waitpid(w->pid, &status, WNOHANG) == 0) {
        watch(seeds, o, w);
    } else if (ended(seeds, o, w, status)) {
        start(seeds, o, w);
    }
    return true;
}

/* ---- the summary ---------------------------------------------------------------------------- */

static void print_summary(const Worker *workers, const Options *o, u64 done, u64 started) {
    u64 sum[PROPERTY_STATS] = {0};
    const Report *slow = workers[0].report;
    long rss = 0;
    for (unsigned i = 0; i < o->jobs; i++) {
        const Report *report = workers[i].report;
        wr_property.add(sum, report->stats);
        if (report->slowest_ms > slow->slowest_ms) slow = report;
        if (report->rss_kb > rss) rss = report->rss_kb;
    }
    wr_property.print(sum);
    printf("slowest: mutant %llu, %llu ms; largest process %ld KB\n", ULL(slow->slowest),
           ULL(slow->slowest_ms), rss);
    printf("%llu mutants in %llu s, %llu findings\n", ULL(done),
           ULL((milliseconds(CLOCK_MONOTONIC) - started) / 1000), ULL(findings));
}

static void print_progress(const Options *o, u64 given, u64 *last) {
    u64 tenth = (given - o->from) * 10 / o->count;
    if (tenth == *last) return;
    *last = tenth;
    printf("%llu of %llu begun, %llu findings\n", ULL(given - o->from), ULL(o->count),
           ULL(findings));
    fflush(stdout);
}

static int run(const Seeds *seeds, const Options *o) {
    static Worker workers[MAX_JOBS];
    u64 given = o->from, tenth = 0, started = milliseconds(CLOCK_MONOTONIC);
    Report *reports = mmap(NULL, sizeof(Report) * MAX_JOBS, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(reports != MAP_FAILED);
    for (unsigned i = 0; i < o->jobs; i++) workers[i].report = &reports[i];
    for (bool busy = true; busy;) {
        busy = false;
        for (unsigned i = 0; i < o->jobs; i++)
            if (step(seeds, o, &workers[i], &given)) busy = true;
        print_progress(o, given, &tenth);
        if (busy) nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    print_summary(workers, o, given - o->from, started);
    return findings != 0;
}

/* ---- arguments ------------------------------------------------------------------------------ */

static int usage(void) {
    fprintf(stderr,
            "usage: mutate [--count N] [--from N] [--seconds N] [--jobs N] [--max-size BYTES] "
            "[--write FILE] [--as-they-are] [--findings FOLDER] FILE|FOLDER...\n");
    return 2;
}

static bool parse_option(Options *o, const char *name, const char *value) {
    u64 number = strtoull(value, NULL, 10);
    if (strcmp(name, "--count") == 0) return o->count = number, number > 0;
    if (strcmp(name, "--from") == 0) return o->from = number, true;
    if (strcmp(name, "--max-size") == 0) return o->max_size = (size_t)number, number > 0;
    if (strcmp(name, "--seconds") == 0) return o->seconds = number, number > 0;
    if (strcmp(name, "--findings") == 0) return o->findings = value, true;
    if (strcmp(name, "--write") == 0) return o->write = value, true;
    o->jobs = (unsigned)min_u64(number, MAX_JOBS);
    return strcmp(name, "--jobs") == 0 && number > 0;
}

int main(int argc, char **argv) {
    Options o = {.jobs = 1, .max_size = 20000, .findings = "."};
    Seeds seeds = {0};
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--as-they-are") == 0)
            o.as_they_are = true;
        else if (!parse_option(&o, argv[i], argv[i + 1]))
            return usage();
        else
            i++;
    }
    for (; i < argc; i++) {
        if (wr_seeds_add(&seeds, argv[i], o.max_size)) continue;
        fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
        return 2;
    }
    wr_seeds_sort(&seeds);
    wr_seeds_filter(&seeds, wr_fuzz_loads);
    if (seeds.count == 0) return usage();
    if (o.count == 0) o.count = o.as_they_are ? seeds.count : 10000;
    o.end_ms = milliseconds(CLOCK_MONOTONIC) + o.seconds * 1000;
    printf("%zu valid seeds, %llu mutants from number %llu on\n", seeds.count, ULL(o.count),
           ULL(o.from));
    int status = 0;
    if (o.write)
        write_mutant(&seeds, &o, o.from, o.write);
    else
        status = run(&seeds, &o);
    wr_seeds_free(&seeds);
    return status;
}
