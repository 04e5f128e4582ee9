/* The operating system seam: address space, files, threads, clocks, faults. */
#define _GNU_SOURCE
#include <criterion/criterion.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"

/* ---- address space and files ---------------------------------------------------------------- */

Test(os, commits_what_is_reserved) {
    size_t page = wr_os_page_size(), size = 8 * page;
    u8 *p = wr_os_reserve(size);
    cr_assert_not_null(p);
    cr_assert_eq((uintptr_t)p % page, 0u);
    cr_assert(wr_os_commit(p, 2 * page));
    for (size_t i = 0; i < 2 * page; i++) cr_assert_eq(p[i], 0);
    memset(p, 0xAB, 2 * page);
    wr_os_decommit(p, page);
    cr_assert(wr_os_commit(p, page));
    cr_assert_eq(p[0], 0, "given back pages come back empty");
    cr_assert_eq(p[page], 0xAB);
    wr_os_release(p, size);
}

Test(os, refuses_impossible_reservations) {
    cr_assert_null(wr_os_reserve(0));
    cr_assert_null(wr_os_reserve(SIZE_MAX));
    cr_assert_null(wr_os_reserve(SIZE_MAX / 2));
}

/* What is in whole or in parts of pages stays, and what is around them is not touched. */
Test(os, a_hint_changes_no_bytes) {
    size_t page = wr_os_page_size(), size = 1u << 20;
    u8 *p = wr_os_reserve(size + 2 * page);
    cr_assert(wr_os_commit(p + page, size));
    p[page + 3] = 1;
    p[page + size - 1] = 2;
    wr_os_will_write(p + page, 0);
    wr_os_will_write(p + page + 3, size - 3);
    wr_os_will_write(p + page, size);
    cr_assert(p[page + 3] == 1 && p[page + size - 1] == 2 && p[page + size / 2] == 0);
    wr_os_release(p, size + 2 * page);
}

Test(os, reserved_pages_cannot_be_touched, .signal = SIGSEGV) {
    signal(SIGSEGV, SIG_DFL); /* not a sanitizer\'s */
    volatile u8 *p = wr_os_reserve(wr_os_page_size());
    p[0] = 1;
}

Test(os, resets_what_was_written) {
    size_t page = wr_os_page_size();
    u8 *p = wr_os_reserve(4 * page);
    cr_assert(wr_os_commit(p, 4 * page));
    memset(p, 0xAB, 4 * page);
    wr_os_reset(p, 3 * page);
    cr_assert_eq(p[0], 0);
    cr_assert_eq(p[3 * page - 1], 0);
    cr_assert_eq(p[3 * page], 0xAB);
    p[0] = 1;
    wr_os_release(p, 4 * page);
}

/* Shared until written to, and again after a reset. */
Test(os, maps_images) {
    size_t page = wr_os_page_size();
    u8 *contents = malloc(page + 1), *p[2];
    memset(contents, 0x5A, page + 1);
    OsImage image;
    bool ok = wr_os_image_new(contents, page + 1, &image);
    free(contents);
    if (!ok) cr_skip_test("no images here");
    cr_assert_eq(image.size, 2 * page);
    cr_assert_eq(image.bytes[page], 0x5A);
    cr_assert_eq(image.bytes[page + 1], 0);
    for (int i = 0; i < 2; i++) {
        p[i] = wr_os_reserve(4 * page);
        cr_assert(wr_os_commit(p[i], 4 * page));
        cr_assert(wr_os_image_map(&image, p[i] + page));
        cr_assert_eq(p[i][0], 0);
        cr_assert_eq(p[i][page], 0x5A);
    }
    memset(p[0], 1, 4 * page);
    cr_assert_eq(p[1][page], 0x5A);
    cr_assert_eq(image.bytes[0], 0x5A);
    wr_os_reset(p[0], 4 * page);
    cr_assert_eq(p[0][0], 0);
    cr_assert_eq(p[0][page], 0x5A);
    cr_assert_eq(p[0][3 * page], 0);
    wr_os_image_free(&image);
    cr_assert_eq(p[1][2 * page - 1], 0x5A, "mappings outlive it");
    for (int i = 0; i < 2; i++) wr_os_release(p[i], 4 * page);
}

Test(os, tells_which_pages_were_written) {
    size_t page = wr_os_page_size();
    OsScanner scanner;
    if (!wr_os_scanner_open(&scanner)) cr_skip_test("the kernel cannot tell");
    u8 *p = wr_os_reserve(64 * page);
    cr_assert(wr_os_commit(p, 64 * page));
    u8 *contents = calloc(8, page);
    contents[3 * page] = 1;
    OsImage image;
    cr_assert(wr_os_image_new(contents, 8 * page, &image));
    free(contents);
    cr_assert(wr_os_image_map(&image, p + 32 * page));
    OsPages runs[4];
    u32 count;
    volatile u8 sum = 0;
    for (int i = 0; i < 64; i++) sum += p[(size_t)i * page];
    cr_assert(wr_os_scan(&scanner, p, 64 * page, 10, runs, 4, &count));
    cr_assert_eq(count, 0u, "reading is not writing");
    p[5 * page] = p[6 * page + 1] = p[33 * page] = p[63 * page] = 1;
    cr_assert(wr_os_scan(&scanner, p, 64 * page, 4, runs, 4, &count));
    cr_assert_eq(count, 3u);
    cr_assert_eq(runs[0].start, (uintptr_t)(p + 5 * page));
    cr_assert_eq(runs[0].end, (uintptr_t)(p + 7 * page));
    cr_assert_eq(runs[1].start, (uintptr_t)(p + 33 * page));
    cr_assert_eq(runs[2].end, (uintptr_t)(p + 64 * page));
    cr_assert_not(wr_os_scan(&scanner, p, 64 * page, 3, runs, 4, &count), "too many pages");
    cr_assert_not(wr_os_scan(&scanner, p, 64 * page, 9, runs, 2, &count), "too many runs");
    wr_os_reset(p, 64 * page);
    cr_assert(wr_os_scan(&scanner, p, 64 * page, 9, runs, 4, &count));
    cr_assert_eq(count, 0u);
    pid_t child = fork();
    if (child == 0) _exit(wr_os_scan(&scanner, p, 64 * page, 9, runs, 4, &count) ? 1 : 0);
    int status = 1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0, "it would look at the parent's pages");
    wr_os_image_free(&image);
    wr_os_release(p, 64 * page);
    wr_os_scanner_close(&scanner);
}

static const char *temporary_file(const char *text) {
    static char path[64];
    strcpy(path, "/tmp/wr-test-os-XXXXXX");
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

Test(os, maps_files) {
    const u8 *data = NULL;
    u64 size = 0;
    const char *why = NULL, *path = temporary_file("hello");
    cr_assert(wr_os_map_file(path, &data, &size, &why));
    cr_assert_eq(size, 5u);
    cr_assert_arr_eq(data, "hello", 5);
    wr_os_unmap_file(data, size);
    unlink(path);
    path = temporary_file("");
    cr_assert(wr_os_map_file(path, &data, &size, &why));
    cr_assert_null(data);
    cr_assert_eq(size, 0u);
    wr_os_unmap_file(data, size);
    unlink(path);
}

Test(os, says_why_a_file_cannot_be_mapped) {
    const u8 *data;
    u64 size;
    const char *why = NULL;
    cr_assert_not(wr_os_map_file("/nonexistent", &data, &size, &why));
    cr_assert_str_eq(why, "No such file or directory");
    cr_assert_not(wr_os_map_file("/", &data, &size, &why));
    cr_assert_str_eq(why, "Is a directory");
    cr_assert_not(wr_os_map_file("/dev/null", &data, &size, &why));
    cr_assert_str_eq(why, "not a regular file");
}

/* ---- threads and clocks --------------------------------------------------------------------- */

typedef struct Shared {
    OsMutex mutex;
    OsCond cond;
    int count;
    bool go;
} Shared;

static void add_thousand(void *context) {
    Shared *s = context;
    for (int i = 0; i < 1000; i++) {
        wr_os_mutex_lock(&s->mutex);
        s->count++;
        wr_os_mutex_unlock(&s->mutex);
    }
    wr_os_mutex_lock(&s->mutex);
    while (!s->go) wr_os_cond_wait(&s->cond, &s->mutex, UINT64_MAX);
    s->count++;
    wr_os_mutex_unlock(&s->mutex);
}

Test(os, threads_share_a_mutex_and_wait) {
    Shared s = {.count = 0};
    wr_os_mutex_init(&s.mutex);
    wr_os_cond_init(&s.cond);
    OsThread *thread = wr_os_thread_start(add_thousand, &s);
    cr_assert_not_null(thread);
    for (int i = 0; i < 1000; i++) {
        wr_os_mutex_lock(&s.mutex);
        s.count++;
        wr_os_mutex_unlock(&s.mutex);
    }
    wr_os_mutex_lock(&s.mutex);
    s.go = true;
    wr_os_cond_signal(&s.cond);
    wr_os_mutex_unlock(&s.mutex);
    wr_os_thread_join(thread);
    cr_assert_eq(s.count, 2001);
    wr_os_cond_destroy(&s.cond);
    wr_os_mutex_destroy(&s.mutex);
}

Test(os, waits_until_the_time_given) {
    Shared s = {.count = 0};
    wr_os_mutex_init(&s.mutex);
    wr_os_cond_init(&s.cond);
    wr_os_mutex_lock(&s.mutex);
    u64 start = wr_os_now();
    u64 until = start + 20000000;
    while (wr_os_now() < until) wr_os_cond_wait(&s.cond, &s.mutex, until);
    cr_assert_geq(wr_os_now() - start, 20000000u);
    wr_os_mutex_unlock(&s.mutex);
}

Test(os, counts_processors) { cr_assert_geq(wr_os_cpu_count(), 1u); }

/* ---- faults --------------------------------------------------------------------------------- */

static sigjmp_buf on_fault_jump;
static u8 *guarded;
static volatile uintptr_t fault_address;
static u64 fault_arguments[4];

static bool is_guarded(const OsFault *fault) {
    return fault->address >= guarded && fault->address < guarded + wr_os_page_size();
}

static bool jump_out(const OsFault *fault) {
    if (!is_guarded(fault)) return false;
    fault_address = (uintptr_t)fault->address;
    if (wr_os_fault_has_arguments()) {
        for (unsigned i = 0; i < 4; i++) fault_arguments[i] = wr_os_fault_argument(fault, i);
    }
    siglongjmp(on_fault_jump, 1);
}

static void prepare_faults(void) {
    guarded = wr_os_reserve(wr_os_page_size());
    cr_assert_not_null(guarded);
    cr_assert(wr_os_fault_install(jump_out));
    cr_assert(wr_os_fault_thread());
    cr_assert(wr_os_fault_thread());
}

static void fault_at(size_t offset) {
    fault_address = 0;
    if (sigsetjmp(on_fault_jump, 0) == 0) {
        *(volatile u8 *)(guarded + offset) = 1;
        cr_assert_fail("no fault");
    }
    cr_assert_eq(fault_address, (uintptr_t)(guarded + offset));
}

Test(os, faults_are_handled_again_and_again) {
    prepare_faults();
    cr_assert(wr_os_fault_install(jump_out), "installing twice is harmless");
    for (size_t i = 0; i < 100; i++) fault_at(i);
}

static void *fault_in_thread(void *unused) {
    (void)unused;
    stack_t before, after;
    cr_assert_eq(sigaltstack(NULL, &before), 0);
    cr_assert(wr_os_fault_thread());
    cr_assert_eq(sigaltstack(NULL, &after), 0);
    cr_assert_not(after.ss_flags & SS_DISABLE);
    fault_at(7);
    return NULL;
}

Test(os, every_thread_gets_its_stack_for_handlers) {
    prepare_faults();
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, fault_in_thread, NULL), 0);
        pthread_join(thread, NULL);
    }
}

Test(os, other_faults_stay_crashes, .signal = SIGSEGV) {
    signal(SIGSEGV, SIG_DFL); /* not a sanitizer\'s */
    prepare_faults();
    fault_at(1);
    volatile u8 *elsewhere = wr_os_reserve(wr_os_page_size());
    elsewhere[0] = 1;
}

Test(os, a_sent_signal_is_no_fault, .signal = SIGSEGV) {
    signal(SIGSEGV, SIG_DFL); /* not a sanitizer\'s */
    prepare_faults();
    raise(SIGSEGV);
}

static void previous_handler(int sig, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    _exit(sig == SIGSEGV ? 42 : 43);
}

Test(os, faults_of_others_go_to_the_previous_handler, .exit_code = 42) {
    struct sigaction action = {.sa_sigaction = previous_handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    prepare_faults();
    fault_at(1);
    volatile u8 *elsewhere = wr_os_reserve(wr_os_page_size());
    elsewhere[0] = 1;
}

#if defined(__has_attribute)
#if __has_attribute(preserve_none)
#define PRESERVE_NONE __attribute__((preserve_none))
#endif
#endif
#if !defined(PRESERVE_NONE)
#define PRESERVE_NONE
#endif

/* All arguments are live at the store, which is the first thing that happens. */
PRESERVE_NONE __attribute__((noinline)) static u64 store_first(u64 a, u64 b, u64 c, u8 *place) {
    *(volatile u8 *)place = 1;
    return a ^ b ^ c;
}

Test(os, finds_arguments_of_the_interrupted_function) {
    if (!wr_os_fault_has_arguments()) cr_skip_test("no such convention here");
    prepare_faults();
    static volatile u64 a = 0x1111111111111111, b = 0x2222222222222222, c = 0x3333333333333333;
    if (sigsetjmp(on_fault_jump, 0) == 0) {
        (void)store_first(a, b, c, guarded + 3);
        cr_assert_fail("no fault");
    }
    cr_assert_eq(fault_arguments[0], 0x1111111111111111u);
    cr_assert_eq(fault_arguments[1], 0x2222222222222222u);
    cr_assert_eq(fault_arguments[2], 0x3333333333333333u);
    cr_assert_eq(fault_arguments[3], (u64)(uintptr_t)(guarded + 3));
}
