/*
 * runner.c - main() of a unit test built with the portable criterion.h: each test in a child process.
 *
 * usage: PROGRAM [NAME...]     runs all tests, or those of these names; and then says how long each has taken
 */
#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_FAILED = 99, STATUS_SKIPPED = 98 };

static TestCase *first, **last = &first;
static bool failed; /* in a test's own process: an expectation did not hold */

void wr_test_register(TestCase *test) {
    *last = test;
    last = &test->next;
}

void wr_test_check(CheckKind kind, bool holds, const char *file, int line, const char *text,
                   const char *format, ...) {
    if (holds) return;
    fprintf(stderr, "%s:%d: %s does not hold", file, line, text);
    if (format[1]) {
        va_list args;
        va_start(args, format);
        fputc(':', stderr);
        vfprintf(stderr, format, args);
        va_end(args);
    }
    fputc('\n', stderr);
    failed = true;
    if (kind == CHECK_ASSERT) exit(STATUS_FAILED);
}

_Noreturn void wr_test_skip(void) { exit(STATUS_SKIPPED); }

static const TestOptions *suite_options(const char *suite) {
    static const TestOptions none;
    for (const TestCase *test = first; test; test = test->next)
        if (!test->body && strcmp(test->suite, suite) == 0) return &test->options;
    return &none;
}

/* In the child: never returns. */
static _Noreturn void run_body(const TestCase *test) {
    const TestOptions *suite = suite_options(test->suite);
    double timeout = test->options.timeout > 0 ? test->options.timeout : suite->timeout;
    if (timeout > 0) alarm((unsigned)timeout + 1);
    if (suite->init) suite->init();
    if (test->options.init) test->options.init();
    test->body();
    if (test->options.fini) test->options.fini();
    if (suite->fini) suite->fini();
    exit(failed ? STATUS_FAILED : 0);
}

static bool ended_as_expected(const TestCase *test, int status) {
    if (test->options.signal)
        return WIFSIGNALED(status) && WTERMSIG(status) == test->options.signal;
    return WIFEXITED(status) && (WEXITSTATUS(status) == test->options.exit_code ||
                                 WEXITSTATUS(status) == STATUS_SKIPPED);
}

static bool run(const TestCase *test) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) run_body(test);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("runner");
        return false;
    }
    if (ended_as_expected(test, status)) return true;
    printf("[FAIL] %s::%s", test->suite, test->name);
    if (WIFSIGNALED(status))
        printf(": signal %d\n", WTERMSIG(status));
    else
        printf(": exit status %d\n", WEXITSTATUS(status));
    return false;
}

static bool is_named(const TestCase *test, char **names) {
    while (*names && strcmp(*names, test->name) != 0) names++;
    return *names;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    int tested = 0, failing = 0;
    for (const TestCase *test = first; test; test = test->next) {
        if (!test->body || test->options.disabled || suite_options(test->suite)->disabled) continue;
        if (argc > 1 && !is_named(test, argv + 1)) continue;
        double began = seconds();
        tested++;
        failing += !run(test);
        if (argc > 1) printf("%s::%s: %.2f s\n", test->suite, test->name, seconds() - began);
    }
    printf("[====] Synthesis: Tested: %d | Passing: %d | Failing: %d\n", tested, tested - failing,
           failing);
    return failing || !tested;
}
