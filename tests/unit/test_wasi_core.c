/* WASI: the table of functions, arguments, variables, clocks, random bytes, ending, bad pointers. */
#include "wasi_mock.h"

TestSuite(wasi_core, .init = start_guest, .fini = stop_guest);

Test(wasi_core, defines_every_function_once) {
    cr_assert_eq(linker.count[0], 46u);
    cr_assert_eq(linker.count[1], 45u, "all but sock_accept");
    for (size_t i = 0; i < 46; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert_str_neq(wr_wasi_func(i)->name, wr_wasi_func(k)->name);
    cr_assert_eq(CALL0(sock_accept, 3, 0, RESULT), WASI_ERRNO_NOSYS, "unknown to wasi_unstable");
}

Test(wasi_core, a_fresh_context_grants_nothing) {
    cr_assert_eq(CALL(args_sizes_get, RESULT, RESULT + 4), 0);
    cr_assert_eq(result64(), 0u);
    cr_assert_eq(CALL(environ_sizes_get, RESULT, RESULT + 4), 0);
    cr_assert_eq(result64(), 0u);
    cr_assert_eq(CALL(args_get, 0, 0), 0);
    for (uint32_t fd = 3; fd < 100; fd++)
        cr_assert_eq(CALL(fd_prestat_get, fd, RESULT), WASI_ERRNO_BADF);
    cr_assert_eq(read_some(0, 10), 0);
    cr_assert_eq(result32(), 0u, "standard input is at its end");
    cr_assert_eq(write_text(1, "lost"), 0);
    cr_assert_eq(result32(), 4u, "standard output vanishes");
    cr_assert_eq(read_some(1, 10), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(write_text(0, "x"), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(CALL(fd_seek, 1, 0, WASI_WHENCE_CUR, RESULT), WASI_ERRNO_SPIPE);
    cr_assert_eq(CALL(fd_filestat_get, 1, RESULT), 0);
}

Test(wasi_core, arguments_and_variables) {
    const char *argv[] = {"prog", "", "two words"};
    cr_assert_null(wr_wasi_set_args(wasi, 3, argv));
    cr_assert_eq(CALL(args_sizes_get, RESULT, RESULT + 4), 0);
    cr_assert_eq(result32(), 3u);
    cr_assert_eq(get_u32(guest.memory + RESULT + 4), 16u);
    cr_assert_eq(CALL(args_get, 100, 200), 0);
    cr_assert_eq(get_u32(guest.memory + 100), 200u);
    cr_assert_eq(get_u32(guest.memory + 104), 205u);
    cr_assert_eq(get_u32(guest.memory + 108), 206u);
    cr_assert_arr_eq(guest.memory + 200, "prog\0\0two words\0", 16);

    cr_assert_null(wr_wasi_add_env(wasi, "A=1"));
    cr_assert_null(wr_wasi_add_env(wasi, "AB=2"));
    cr_assert_null(wr_wasi_add_env(wasi, "A=longer=1"));
    cr_assert_eq(CALL(environ_sizes_get, RESULT, RESULT + 4), 0);
    cr_assert_eq(result32(), 2u, "the later A replaces the earlier");
    cr_assert_eq(CALL(environ_get, 100, 200), 0);
    cr_assert_arr_eq(guest.memory + 200, "AB=2\0A=longer=1\0", 16);
    const char *bad[] = {"", "=x", "name"};
    for (int i = 0; i < 3; i++) {
        wr_error_t *error = wr_wasi_add_env(wasi, bad[i]);
        cr_assert_eq(error->kind, WR_ERROR_USAGE);
        free(error);
    }
    setenv("WASI_UNIT", "here", 1);
    cr_assert_null(wr_wasi_inherit_env(wasi));
    cr_assert_eq(CALL(environ_sizes_get, RESULT, RESULT + 4), 0);
    cr_assert_gt(result32(), 2u);
}

Test(wasi_core, clocks) {
    for (uint32_t clock = 0; clock < 4; clock++) {
        cr_assert_eq(CALL(clock_res_get, clock, RESULT), 0);
        cr_assert_neq(result64(), 0u);
        cr_assert_eq(CALL(clock_time_get, clock, 1000, RESULT), 0);
    }
    cr_assert_eq(CALL(clock_time_get, 0, 0, RESULT), 0);
    uint64_t told = result64() / 1000000000u,
             seconds = (uint64_t)time(NULL); /* of a coarser clock */
    cr_assert_eq(CALL(clock_time_get, 0, 0, RESULT), 0);
    cr_assert(told <= seconds + 1 && seconds <= result64() / 1000000000u);
    cr_assert_eq(CALL(clock_time_get, 1, 0, RESULT), 0);
    uint64_t before = result64();
    cr_assert_eq(CALL(clock_time_get, 1, 0, RESULT), 0);
    cr_assert_geq(result64(), before);
    cr_assert_eq(CALL(clock_time_get, 4, 0, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(clock_res_get, UINT32_MAX, RESULT), WASI_ERRNO_INVAL);
}

Test(wasi_core, random_bytes) {
    cr_assert_eq(CALL(random_get, 1000, 0), 0);
    cr_assert_eq(CALL(random_get, UINT32_MAX, 0), 0, "nothing fits anywhere");
    cr_assert_eq(CALL(random_get, 1000, 64), 0);
    uint8_t zeros[64] = {0};
    cr_assert_arr_neq(guest.memory + 1000, zeros, 64);
    cr_assert_arr_eq(guest.memory + 1064, zeros, 64, "and not a byte more");
    cr_assert_eq(CALL(random_get, 0, MEMORY_SIZE), 0);
    cr_assert_eq(CALL(random_get, 1, MEMORY_SIZE), WASI_ERRNO_FAULT);
}

Test(wasi_core, ending) {
    cr_assert_eq(CALL(proc_exit, 300), WASI_ERRNO_INTR);
    cr_assert_eq(last_trap->kind, WR_ERROR_EXIT);
    cr_assert_eq(last_trap->status, 300u);
    cr_assert_eq(CALL(proc_raise, WASI_SIGNAL_ABRT), WASI_ERRNO_INTR);
    cr_assert_eq(last_trap->status, 134u);
    cr_assert_eq(CALL(proc_raise, WASI_SIGNAL_CHLD), 0);
    cr_assert_eq(CALL(proc_raise, WASI_SIGNAL_STOP), WASI_ERRNO_NOTSUP);
    cr_assert_eq(CALL(proc_raise, 77), WASI_ERRNO_INVAL);
    cr_assert_eq(invoke(0, "sched_yield", NULL, 0), 0);
}

Test(wasi_core, bad_pointers) {
    const char *argv[] = {"prog"};
    cr_assert_null(wr_wasi_set_args(wasi, 1, argv));
    uint32_t end = MEMORY_SIZE;
    cr_assert_eq(CALL(args_sizes_get, end - 3, 0), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(args_sizes_get, 0, end), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(args_get, end - 3, 0), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(args_get, 0, end - 4), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(args_get, 0, UINT32_MAX), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(clock_time_get, 0, 0, end - 7), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(fd_fdstat_get, 1, end - 23), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(fd_write, 1, end - 7, 1, RESULT), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(fd_write, 1, 0, 0x20000001, RESULT), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(fd_write, 1, iovec(end - 1, 2), 1, RESULT), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(fd_write, 1, iovec(0, 1), 1, end - 1), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(poll_oneoff, end - 47, 0, 1, RESULT), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(poll_oneoff, 0, end - 31, 1, RESULT), WASI_ERRNO_FAULT);
}

Test(wasi_core, sees_what_utf8_is) {
    cr_assert(wr_utf8_ok("plain", 5));
    cr_assert(wr_utf8_ok("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9));
    const char *bad[] = {"\x80",
                         "\xC0\xAF",
                         "\xC3",
                         "\xE0\x80\xAF",
                         "\xED\xA0\x80",
                         "\xF4\x90\x80\x80",
                         "\xF0\x80\x80\x80",
                         "\xFF",
                         "a\xE2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(wr_utf8_ok(bad[i], strlen(bad[i])), "%zu", i);
}
