/* Error objects: messages, accessors, backtraces, rendering. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "error.h"
#include "module.h"

Test(error, carries_kind_offset_and_message) {
    Error *e = wr_error_at(WR_ERROR_INVALID, 0x1F, "unknown type %d", 7);
    uint64_t offset;
    uint32_t status;
    cr_assert_eq(wr_error_kind(e), WR_ERROR_INVALID);
    cr_assert_str_eq(wr_error_message(e), "unknown type 7");
    cr_assert(wr_error_offset(e, &offset) && offset == 0x1F);
    cr_assert_eq(wr_error_trap_code(e), WR_TRAP_NONE);
    cr_assert_not(wr_error_exit_status(e, &status));
    cr_assert_eq(wr_error_frame_count(e), 0u);
    wr_error_delete(e);
    wr_error_delete(NULL);
}

Test(error, messages_are_one_safe_line) {
    Error *e = wr_error_new(WR_ERROR_UNLINKABLE, "unknown import: %s", "a\nb\x1B[31m\xFF");
    cr_assert_str_eq(wr_error_message(e), "unknown import: a\\u{a}b\\u{1b}[31m\\xff");
    wr_error_delete(e);
}

Test(error, long_messages_are_cut_at_a_character) {
    static char text[5000];
    for (size_t i = 0; i + 1 < sizeof text; i++) text[i] = i % 2 == 0 ? '\xC3' : '\xA4';
    Error *e = wr_error_new(WR_ERROR_USAGE, "x%s", text);
    size_t length = strlen(wr_error_message(e));
    cr_assert(length > 900 && length < 1100);
    cr_assert_str_eq(wr_error_message(e) + length - 5, "\xC3\xA4...");
    wr_error_delete(e);
}

Test(error, traps_and_exits) {
    for (int code = WR_TRAP_NONE; code <= WR_TRAP_HOST; code++) {
        Error *e = wr_error_trap((wr_trap_code_t)code);
        cr_assert_eq(wr_error_kind(e), WR_ERROR_TRAP);
        cr_assert_eq(wr_error_trap_code(e), (wr_trap_code_t)code);
        cr_assert_str_eq(wr_error_message(e), wr_trap_message((wr_trap_code_t)code));
        wr_error_delete(e);
    }
    cr_assert_str_eq(wr_trap_message(WR_TRAP_MEMORY_OUT_OF_BOUNDS), "out of bounds memory access");
    cr_assert_str_eq(wr_trap_message((wr_trap_code_t)9999), "unknown trap");
    Error *host = wr_trap_new("100% mine");
    cr_assert_str_eq(wr_error_message(host), "100% mine");
    cr_assert_eq(wr_error_trap_code(host), WR_TRAP_HOST);
    wr_error_delete(host);
    uint32_t status = 0;
    Error *e = wr_exit_new(3);
    cr_assert(wr_error_exit_status(e, &status) && status == 3);
    wr_error_delete(e);
}

Test(error, out_of_memory_is_shared) {
    uint64_t offset;
    cr_assert_eq(wr_error_kind(ERROR_OOM), WR_ERROR_MEMORY);
    cr_assert_not(wr_error_offset(ERROR_OOM, &offset));
    wr_error_add_host_frame(ERROR_OOM, "m", "f");
    cr_assert_eq(wr_error_frame_total(ERROR_OOM), 0u);
    wr_error_delete(ERROR_OOM);
    wr_error_delete(ERROR_OOM);
}

static Error *with_frames(int n) {
    Error *e = wr_error_trap(WR_TRAP_UNREACHABLE);
    for (int i = 0; i < n; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "f%d", i);
        wr_error_add_host_frame(e, "m", name);
    }
    return e;
}

Test(error, both_ends_of_a_backtrace_are_kept) {
    static const int totals[] = {0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 1000};
    for (size_t t = 0; t < ARRAY_LEN(totals); t++) {
        int total = totals[t], kept = total < 64 ? total : 64;
        Error *e = with_frames(total);
        cr_assert_eq(wr_error_frame_total(e), (size_t)total);
        cr_assert_eq(wr_error_frame_count(e), (size_t)kept);
        wr_frame_t frame;
        for (int i = 0; i < kept; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "f%d", i < 32 ? i : total - kept + i);
            cr_assert(wr_error_frame(e, (size_t)i, &frame));
            cr_assert_str_eq(frame.function_name, name, "frame %d of %d", i, total);
            cr_assert_eq(frame.function_index, UINT32_MAX);
        }
        cr_assert_not(wr_error_frame(e, (size_t)kept, &frame));
        wr_error_delete(e);
    }
}

static void expect_rendering(Error *e, const char *expected) {
    char text[256], small[12];
    cr_assert_eq(wr_error_render(e, NULL, 0), strlen(expected));
    cr_assert_eq(wr_error_render(e, text, sizeof text), strlen(expected));
    cr_assert_str_eq(text, expected);
    cr_assert_eq(wr_error_render(e, small, sizeof small), strlen(expected));
    cr_assert_eq(strlen(small), sizeof small - 1);
    cr_assert_eq(strncmp(small, expected, sizeof small - 1), 0);
    wr_error_delete(e);
}

Test(error, renders) {
    expect_rendering(wr_error_at(WR_ERROR_MALFORMED, 4, "unknown binary version"),
                     "malformed module: unknown binary version (at offset 0x4)\n");
    expect_rendering(wr_error_new(WR_ERROR_IO, "no such file"), "error: no such file\n");
    expect_rendering(with_frames(2), "trap: unreachable\n    0: host m!f0\n    1: host m!f1\n");
    Error *e = with_frames(70);
    char text[4096];
    cr_assert_lt(wr_error_render(e, text, sizeof text), sizeof text);
    cr_assert_not_null(strstr(text, "   31: host m!f31\n       ... 6 more\n   38: host m!f38\n"));
    cr_assert_not_null(strstr(text, "   69: host m!f69\n"));
    wr_error_delete(e);
}

/* Frames 0 to 31 and 1000 to 1031, as if all of them had been added. */
Test(error, skipped_frames_are_counted) {
    Error *e = with_frames(32);
    wr_error_skip_frames(e, 968);
    char name[16];
    for (int i = 1000; i < 1032; i++) {
        snprintf(name, sizeof name, "f%d", i);
        wr_error_add_host_frame(e, "m", name);
    }
    char text[8192];
    wr_error_render(e, text, sizeof text);
    cr_assert_eq(wr_error_frame_total(e), 1032u);
    cr_assert_eq(wr_error_frame_count(e), 64u);
    cr_assert_not_null(
        strstr(text, "   31: host m!f31\n       ... 968 more\n 1000: host m!f1000\n"));
    cr_assert_not_null(strstr(text, " 1031: host m!f1031\n"));
    wr_error_delete(e);
}

Test(error, names_of_frames_are_safe) {
    Error *e = wr_error_trap(WR_TRAP_UNREACHABLE);
    wr_error_add_host_frame(e, NULL, "a\x1B]0;b");
    wr_frame_t frame;
    cr_assert(wr_error_frame(e, 0, &frame));
    cr_assert_null(frame.module_name);
    cr_assert_str_eq(frame.function_name, "a\\u{1b}]0;b");
    wr_error_delete(e);
}

Test(error, traps_have_a_code) {
    Error *e = wr_error_new(WR_ERROR_TRAP, "%s", "not today");
    cr_assert_eq(wr_error_trap_code(e), WR_TRAP_HOST);
    wr_error_delete(e);
    e = wr_error_new(WR_ERROR_EXIT, "%s", "not a trap");
    cr_assert_eq(wr_error_trap_code(e), WR_TRAP_NONE);
    wr_error_delete(e);
}
