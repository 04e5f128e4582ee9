/* criterion.h: the part of Criterion's interface that our unit tests use, on fork() alone.
 *
 * Criterion starts each test by executing the test program anew and sharing memory at fixed addresses
 * with it: neither works under a user-mode emulator or the thread sanitizer, and a leak found at the
 * end of a test counts for nothing. Such builds find this header in Criterion's place; every test
 * still runs in a process of its own. It is no test framework: what a test needs and this lacks is
 * added here under Criterion's name for it.
 */
#ifndef WR_PORTABLE_CRITERION_H
#define WR_PORTABLE_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct TestOptions {
    int unused_; /* lets an empty option list be an initializer */
    void (*init)(void);
    void (*fini)(void);
    int signal;     /* that must end the test, or 0 */
    int exit_code;  /* that the test must exit with */
    double timeout; /* seconds, or 0 */
    bool disabled;
    const char *description;
} TestOptions;

typedef struct TestCase {
    const char *suite, *name;
    void (*body)(void); /* NULL: the options are those of the whole suite */
    TestOptions options;
    struct TestCase *next;
} TestCase;

/* Called before main(). `test` lives as long as the program. */
void wr_test_register(TestCase *test);

typedef enum CheckKind { CHECK_EXPECT, CHECK_ASSERT } CheckKind;

/* Reports a failed check; an assertion also ends the test. `format` begins with a space. */
__attribute__((format(printf, 6, 7))) void wr_test_check(CheckKind kind, bool holds,
                                                         const char *file, int line,
                                                         const char *text, const char *format, ...);

_Noreturn void wr_test_skip(void);

#define WR_TEST_REGISTER(id, ...)                                                                  \
    static TestCase id##_case = {__VA_ARGS__};                                                     \
    __attribute__((constructor)) static void id##_register(void) { wr_test_register(&id##_case); } \
    struct TestCase

#define Test(suite_, name_, ...)                                                                   \
    static void suite_##_##name_##_body(void);                                                     \
    WR_TEST_REGISTER(suite_##_##name_, .suite = #suite_, .name = #name_,                           \
                     .body = suite_##_##name_##_body, .options = {0, __VA_ARGS__});                \
    static void suite_##_##name_##_body(void)

#define TestSuite(suite_, ...)                                                                     \
    WR_TEST_REGISTER(suite_##_suite, .suite = #suite_, .options = {0, __VA_ARGS__})

#define WR_CHECK(kind, condition, text, ...)                                                       \
    wr_test_check(kind, (condition), __FILE__, __LINE__, text, " " __VA_ARGS__)
#define WR_CHECK_OP(kind, a, op, b, ...) WR_CHECK(kind, (a)op(b), #a " " #op " " #b, ##__VA_ARGS__)
#define WR_CHECK_STR(kind, a, op, b, ...)                                                          \
    WR_CHECK(kind, strcmp((a), (b)) op 0, "strings " #a " " #op " " #b, ##__VA_ARGS__)
#define WR_CHECK_ARR(kind, a, op, b, size, ...)                                                    \
    WR_CHECK(kind, memcmp((a), (b), (size)) op 0, "bytes of " #a " " #op " " #b, ##__VA_ARGS__)
#define WR_CHECK_FLOAT(kind, a, b, epsilon, ...)                                                   \
    WR_CHECK(kind, (a) - (b) <= (epsilon) && (b) - (a) <= (epsilon), #a " near " #b, ##__VA_ARGS__)

#define cr_assert(c, ...) WR_CHECK(CHECK_ASSERT, c, #c, ##__VA_ARGS__)
#define cr_assert_not(c, ...) WR_CHECK(CHECK_ASSERT, !(c), "not " #c, ##__VA_ARGS__)
#define cr_assert_fail(...) WR_CHECK(CHECK_ASSERT, false, "failed", ##__VA_ARGS__)
#define cr_assert_eq(a, b, ...) WR_CHECK_OP(CHECK_ASSERT, a, ==, b, ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...) WR_CHECK_OP(CHECK_ASSERT, a, !=, b, ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...) WR_CHECK_OP(CHECK_ASSERT, a, <, b, ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...) WR_CHECK_OP(CHECK_ASSERT, a, <=, b, ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...) WR_CHECK_OP(CHECK_ASSERT, a, >, b, ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...) WR_CHECK_OP(CHECK_ASSERT, a, >=, b, ##__VA_ARGS__)
#define cr_assert_null(a, ...) WR_CHECK_OP(CHECK_ASSERT, a, ==, NULL, ##__VA_ARGS__)
#define cr_assert_not_null(a, ...) WR_CHECK_OP(CHECK_ASSERT, a, !=, NULL, ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) WR_CHECK_STR(CHECK_ASSERT, a, ==, b, ##__VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) WR_CHECK_STR(CHECK_ASSERT, a, !=, b, ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) WR_CHECK_ARR(CHECK_ASSERT, a, ==, b, size, ##__VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...) WR_CHECK_ARR(CHECK_ASSERT, a, !=, b, size, ##__VA_ARGS__)
#define cr_assert_float_eq(a, b, e, ...) WR_CHECK_FLOAT(CHECK_ASSERT, a, b, e, ##__VA_ARGS__)

#define cr_expect(c, ...) WR_CHECK(CHECK_EXPECT, c, #c, ##__VA_ARGS__)
#define cr_expect_not(c, ...) WR_CHECK(CHECK_EXPECT, !(c), "not " #c, ##__VA_ARGS__)
#define cr_expect_fail(...) WR_CHECK(CHECK_EXPECT, false, "failed", ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...) WR_CHECK_OP(CHECK_EXPECT, a, ==, b, ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...) WR_CHECK_OP(CHECK_EXPECT, a, !=, b, ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...) WR_CHECK_OP(CHECK_EXPECT, a, <, b, ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...) WR_CHECK_OP(CHECK_EXPECT, a, <=, b, ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...) WR_CHECK_OP(CHECK_EXPECT, a, >, b, ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...) WR_CHECK_OP(CHECK_EXPECT, a, >=, b, ##__VA_ARGS__)
#define cr_expect_null(a, ...) WR_CHECK_OP(CHECK_EXPECT, a, ==, NULL, ##__VA_ARGS__)
#define cr_expect_not_null(a, ...) WR_CHECK_OP(CHECK_EXPECT, a, !=, NULL, ##__VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) WR_CHECK_STR(CHECK_EXPECT, a, ==, b, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) WR_CHECK_STR(CHECK_EXPECT, a, !=, b, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) WR_CHECK_ARR(CHECK_EXPECT, a, ==, b, size, ##__VA_ARGS__)
#define cr_expect_arr_neq(a, b, size, ...) WR_CHECK_ARR(CHECK_EXPECT, a, !=, b, size, ##__VA_ARGS__)
#define cr_expect_float_eq(a, b, e, ...) WR_CHECK_FLOAT(CHECK_EXPECT, a, b, e, ##__VA_ARGS__)

#define cr_fatal(...) WR_CHECK(CHECK_ASSERT, false, "fatal", ##__VA_ARGS__)
#define cr_fail(...) WR_CHECK(CHECK_EXPECT, false, "failed", ##__VA_ARGS__)
#define cr_skip_test(...) wr_test_skip()
#define cr_skip(...) wr_test_skip()

#endif
