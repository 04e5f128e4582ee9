/*
 * threads.c - POSIX threads: what they share and what they do not, and how a process with them ends.
 *
 * $ for part in mutex condition barrier sum queue local specific once generations growth; do guest $part; done
 * $ for mode in guard explicit; do options+=(--memory-mode $mode); guest growth; guest files; done
 * $ ends() { guest "$@" 2>err; echo "$1: status $?" $(sed -n '1s/.*trap: //p' err); }
 * $ options+=(--memory-mode auto)
 * $ for end in exit exit-busy trap abort return; do ends $end; done
 * $ ends overflow | cut -d' ' -f1-3 # the other threads run on while their memory is overwritten
 * $ # The reader may come to read too late, on a busy machine: it is given ever more time.
 * $ mkfifo ../never; pause=30; closed() { ends close $pause <>../never >../closed; grep -q 'status 0' ../closed; }
 * $ until closed || [ $pause -gt 7000 ]; do pause=$((4 * pause)); done; cat ../closed
 * $ ends exit-reading <>../never
 * $ (for i in 1 2 3 4; do echo 0123456789; sleep 0.02; done) | guest readers
 * $ options+=(--max-threads 3); guest limit; options+=(--timeout 100ms); ends deadlock
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Runs `start` in THREADS threads, with 0, 1, ... as argument; the sum of the results. */
static intptr_t run_all(void *(*start)(void *)) {
    pthread_t threads[THREADS];
    intptr_t sum = 0;
    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, start, (void *)i)) abort();
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (intptr_t)result;
    }
    return sum;
}

static void start(void *(*run)(void *), void *argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, argument)) abort();
}

/* ---- together ---- */

static long counter, atomic_counter;

static void *count(void *argument) {
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
        __atomic_fetch_add(&atomic_counter, 1, __ATOMIC_RELAXED);
    }
    return argument;
}

static void mutex(void) {
    intptr_t sum = run_all(count);
    printf("mutex: %ld and %ld, results %d\n", counter, atomic_counter, (int)sum);
}

/* Each waits for its turn. */
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static char turns[THREADS * 3 + 1];

static void *take_turns(void *argument) {
    int self = (int)(intptr_t)argument;
    pthread_mutex_lock(&lock);
    for (int round = 0; round < 3; round++) {
        while (turn % THREADS != self) pthread_cond_wait(&turned, &lock);
        turns[turn++] = (char)('a' + self);
        pthread_cond_broadcast(&turned);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void condition(void) {
    run_all(take_turns);
    printf("condition: %s\n", turns);
}

/* What one writes before a barrier, all see behind it. */
static pthread_barrier_t barrier;
static int cells[2][THREADS];

static void *step(void *argument) {
    intptr_t self = (intptr_t)argument, serial = 0;
    for (int round = 0; round < 100; round++) {
        int *from = cells[round % 2], *to = cells[(round + 1) % 2];
        to[self] = from[self] + from[(self + 1) % THREADS] % 7;
        serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    }
    return (void *)serial;
}

static void barriers(void) {
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) cells[0][i] = i;
    intptr_t serial = run_all(step);
    int sum = 0, expected[2][THREADS];
    for (int i = 0; i < THREADS; i++) expected[0][i] = i;
    for (int round = 0; round < 100; round++)
        for (int i = 0; i < THREADS; i++)
            expected[(round + 1) % 2][i] =
                expected[round % 2][i] + expected[round % 2][(i + 1) % THREADS] % 7;
    for (int i = 0; i < THREADS; i++) sum += cells[0][i] == expected[0][i];
    printf("barrier: %d cells right, %d serial\n", sum, (int)serial);
}

static int numbers[1 << 16];

static void *add_up(void *argument) {
    size_t part = sizeof numbers / sizeof *numbers / THREADS, first = part * (size_t)argument;
    intptr_t sum = 0;
    for (size_t i = first; i < first + part; i++) sum += numbers[i];
    return (void *)sum;
}

static void parallel_sum(void) {
    for (int i = 0; i < 1 << 16; i++) numbers[i] = i % 1000;
    printf("sum: %d\n", (int)run_all(add_up));
}

/* Four produce, four consume, through four places. */
enum { PLACES = 4, ITEMS = 500 };
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static int places[PLACES], filled, first_filled;

static void put(int item) {
    pthread_mutex_lock(&lock);
    while (filled == PLACES) pthread_cond_wait(&not_full, &lock);
    places[(first_filled + filled++) % PLACES] = item;
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&lock);
}

static int get(void) {
    pthread_mutex_lock(&lock);
    while (filled == 0) pthread_cond_wait(&not_empty, &lock);
    int item = places[first_filled++ % PLACES];
    filled--;
    pthread_cond_signal(&not_full);
    pthread_mutex_unlock(&lock);
    return item;
}

static void *produce_or_consume(void *argument) {
    int self = (int)(intptr_t)argument;
    intptr_t sum = 0;
    for (int i = 0; i < ITEMS; i++) {
        if (self % 2)
            put(self * ITEMS + i);
        else
            sum += get();
    }
    return (void *)sum;
}

static void queue(void) {
    intptr_t expected = 0, sum = run_all(produce_or_consume);
    for (int self = 1; self < THREADS; self += 2)
        for (int i = 0; i < ITEMS; i++) expected += self * ITEMS + i;
    printf("queue: %s, %d left\n", sum == expected ? "all came" : "some are lost", filled);
}

/* ---- each for itself ---- */

static _Thread_local int local = 42;
static _Thread_local char buffer[100];

static void *use_local(void *argument) {
    if (local != 42 || buffer[99]) return NULL;
    for (int i = 0; i < 1000; i++) local += (int)(intptr_t)argument;
    memset(buffer, 1, sizeof buffer);
    return (void *)(intptr_t)(local == 42 + 1000 * (int)(intptr_t)argument);
}

static void locals(void) {
    local = 1;
    int good = (int)run_all(use_local);
    printf("local: %d of %d, main has %d\n", good, THREADS, local);
}

static pthread_key_t key;
static int destroyed;

static void destroy(void *value) {
    __atomic_fetch_add(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}

static void *use_specific(void *argument) {
    if (pthread_getspecific(key)) return NULL;
    pthread_setspecific(key, (void *)((intptr_t)argument + 1));
    return (void *)(intptr_t)(pthread_getspecific(key) == (void *)((intptr_t)argument + 1));
}

static void specific(void) {
    pthread_key_create(&key, destroy);
    int good = (int)run_all(use_specific);
    printf("specific: %d of %d, destroyed %d\n", good, THREADS, destroyed);
}

static pthread_once_t only = PTHREAD_ONCE_INIT;
static int times;

static void init(void) { times++; }

static void *call_once(void *argument) {
    (void)argument;
    pthread_once(&only, init);
    return (void *)(intptr_t)times;
}

static void once(void) { printf("once: seen by %d\n", (int)run_all(call_once)); }

static void *nothing(void *argument) { return argument; }

/* Far more threads than there can be at a time. */
static void generations(void) {
    int sum = 0;
    for (int i = 0; i < 40; i++) sum += (int)run_all(nothing);
    printf("generations: %d\n", sum);
}

/* ---- memory ---- */

static int seen[64 * THREADS + 1];

/* Every page is given to one thread alone, which can use it at once. Nobody uses malloc() meanwhile: it
 * takes what it finds behind its own pages for its own. */
static void *grow(void *argument) {
    (void)argument;
    pthread_barrier_wait(&barrier);
    intptr_t good = 0;
    for (int i = 0; i < 50; i++) {
        size_t page = __builtin_wasm_memory_grow(0, 1);
        volatile char *last = (char *)(page * 65536 + 65535);
        if (page == (size_t)-1 || *last) continue;
        *last = 1;
        good += __atomic_fetch_add(&seen[page % (64 * THREADS)], 1, __ATOMIC_SEQ_CST) == 0;
        if (__builtin_wasm_memory_size(0) <= page) good = -1000;
    }
    return (void *)good;
}

static void growth(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, grow, NULL);
    size_t before = __builtin_wasm_memory_size(0);
    pthread_barrier_wait(&barrier);
    int good = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        good += (int)(intptr_t)result;
    }
    size_t after = __builtin_wasm_memory_size(0), used = 0;
    for (size_t page = before; page < after; page++)
        used += *(volatile char *)(page * 65536 + 65535) == 1;
    printf("growth: %d good, %zu pages, %zu used\n", good, after - before, used);
}

/* ---- files ---- */

static int file;

static void *append_lines(void *argument) {
    char line[] = "line of 0\n";
    line[8] += (char)(intptr_t)argument;
    intptr_t written = 0;
    for (int i = 0; i < 100; i++) written += write(file, line, 10) == 10;
    return (void *)written;
}

/* Opening and closing gives each call a descriptor of its own. */
static void *open_and_close(void *argument) {
    (void)argument;
    intptr_t good = 0;
    for (int i = 0; i < 50; i++) {
        char c = 0;
        int fd = open("lines", O_RDONLY);
        good += fd > 2 && read(fd, &c, 1) == 1 && c == 'l';
        close(fd);
    }
    return (void *)good;
}

static void files(void) {
    unlink("lines");
    file = open("lines", O_WRONLY | O_CREAT | O_APPEND, 0666);
    int written = (int)run_all(append_lines), lines[THREADS] = {0}, bad = 0;
    int opened = (int)run_all(open_and_close);
    char line[11] = "";
    int in = open("lines", O_RDONLY);
    while (read(in, line, 10) == 10) {
        if (memcmp(line, "line of ", 8) == 0 && line[9] == '\n')
            lines[(line[8] - '0') % THREADS]++;
        else
            bad++;
    }
    printf("files: %d written, %d bad, %d opened:", written, bad, opened);
    for (int i = 0; i < THREADS; i++) printf(" %d", lines[i]);
    printf("\n");
}

/* Several wait for one pipe: each byte comes to one of them. */
static void *read_all(void *argument) {
    intptr_t sum = 0;
    char c;
    (void)argument;
    while (read(0, &c, 1) == 1) sum += c == '\n' ? 100 : c - '0';
    return (void *)sum;
}

static void readers(void) { printf("readers: %d\n", (int)run_all(read_all)); }

/* ---- the end ---- */

static int ready;

static void tell_ready(void) {
    __atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
    __builtin_wasm_memory_atomic_notify(&ready, 1);
}

static void wait_ready(void) { __builtin_wasm_memory_atomic_wait32(&ready, 0, -1); }

static void *sleep_for_ever(void *argument) {
    static int never;
    (void)argument;
    for (;;) __builtin_wasm_memory_atomic_wait32(&never, 0, -1);
}

static void *spin(void *argument) {
    static volatile int n;
    (void)argument;
    for (;;) n++;
}

static void *exit_5(void *argument) {
    (void)argument;
    _Exit(5);
}

static void *trap(void *argument) {
    (void)argument;
    __builtin_trap();
}

static void *overflow(void *argument) {
    volatile intptr_t depth = (intptr_t)argument + 1;
    return depth > 0 ? (char *)overflow((void *)depth) + depth : NULL;
}

static void *do_abort(void *argument) {
    (void)argument;
    abort();
}

static void *read_stdin(void *argument) {
    (void)argument;
    char c = 'n';
    tell_ready();
    read(0, &c, 1);
    _Exit(c); /* not reached: nothing comes */
}

static useconds_t pause_ms; /* of what waits for a thread to block */

/* The reader stays with the pipe that it reads, whatever its number means now. */
static void close_under_reader(void) {
    start(read_stdin, NULL);
    wait_ready();
    usleep(pause_ms * 1000);
    close(0);
    int fd = open("lines", O_RDONLY);
    char c = 0;
    int got = (int)read(fd, &c, 1);
    usleep(pause_ms * 1000);
    printf("close: descriptor %d, %d byte, %c\n", fd, got, c);
}

static void end_by(void *(*run)(void *), void *(*wait)(void *)) {
    start(sleep_for_ever, NULL);
    start(run, NULL);
    wait(NULL);
}

static void limit(void) {
    int made = 0;
    pthread_t thread;
    while (pthread_create(&thread, NULL, sleep_for_ever, NULL) == 0) made++;
    printf("limit: %d made, then %s\n", made, strerror(EAGAIN));
}

static void deadlock(void) {
    pthread_mutex_lock(&lock);
    start(sleep_for_ever, NULL);
    pthread_mutex_lock(&lock);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"mutex", mutex},
                 {"condition", condition},
                 {"barrier", barriers},
                 {"sum", parallel_sum},
                 {"queue", queue},
                 {"local", locals},
                 {"specific", specific},
                 {"once", once},
                 {"growth", growth},
                 {"generations", generations},
                 {"files", files},
                 {"readers", readers},
                 {"close", close_under_reader},
                 {"limit", limit},
                 {"deadlock", deadlock}};
    const char *part = argc > 1 ? argv[1] : "";
    if (argc > 2) pause_ms = (useconds_t)atoi(argv[2]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, part) == 0) parts[i].run();
    if (strcmp(part, "exit") == 0) end_by(exit_5, sleep_for_ever);
    if (strcmp(part, "exit-busy") == 0) end_by(exit_5, spin);
    if (strcmp(part, "exit-reading") == 0) end_by(exit_5, read_stdin);
    if (strcmp(part, "trap") == 0) end_by(trap, sleep_for_ever);
    if (strcmp(part, "overflow") == 0) end_by(overflow, spin);
    if (strcmp(part, "abort") == 0) end_by(do_abort, sleep_for_ever);
    if (strcmp(part, "return") == 0) start(spin, NULL);
    return 0;
}
