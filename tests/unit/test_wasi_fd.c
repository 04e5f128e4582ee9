/* WASI: reading, writing, positions, attributes, flags, rights, the table, standard streams. */
#include "wasi_mock.h"

#include <sys/resource.h>

#include "io.h"

TestSuite(wasi_fd, .init = start_with_root, .fini = stop_guest, .timeout = 240);

#define RW (WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_SEEK | WASI_RIGHTS_FD_TELL)

static uint64_t rights_of(uint32_t fd, bool inheriting) {
    cr_assert_eq(CALL(fd_fdstat_get, fd, RESULT), 0);
    return get_u64(guest.memory + RESULT +
                   (inheriting ? WASI_FDSTAT_FS_RIGHTS_INHERITING : WASI_FDSTAT_FS_RIGHTS_BASE));
}

static uint16_t flags_of(uint32_t fd) {
    cr_assert_eq(CALL(fd_fdstat_get, fd, RESULT), 0);
    return get_u16(guest.memory + RESULT + WASI_FDSTAT_FS_FLAGS);
}

static uint8_t type_of(uint32_t fd) {
    cr_assert_eq(CALL(fd_fdstat_get, fd, RESULT), 0);
    return guest.memory[RESULT + WASI_FDSTAT_FS_FILETYPE];
}

/* ---- Files --------------------------------------------------------------------------------------- */

Test(wasi_fd, reads_writes_and_seeks) {
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, RW);
    cr_assert_eq(write_text(fd, "hello world"), 0);
    cr_assert_eq(result32(), 11u);
    cr_assert_eq(CALL(fd_tell, fd, RESULT), 0);
    cr_assert_eq(result64(), 11u);
    cr_assert_eq(CALL(fd_seek, fd, (uint64_t)-5, WASI_WHENCE_CUR, RESULT), 0);
    cr_assert_eq(result64(), 6u);
    cr_assert_eq(read_some(fd, 100), 0);
    cr_assert_eq(result32(), 5u);
    cr_assert_arr_eq(guest.memory + READ_AT, "world", 5);
    cr_assert_eq(read_some(fd, 100), 0);
    cr_assert_eq(result32(), 0u, "the end");
    cr_assert_eq(CALL(fd_seek, fd, (uint64_t)-1, WASI_WHENCE_SET, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_seek, fd, 0, 3, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_seek, fd, (uint64_t)-2, WASI_WHENCE_END, RESULT), 0);
    cr_assert_eq(result64(), 9u);
}

Test(wasi_fd, old_world_counts_whence_otherwise) {
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, RW);
    cr_assert_eq(write_text(fd, "0123456789"), 0);
    cr_assert_eq(CALL0(fd_seek, fd, 4, WASI0_WHENCE_SET, RESULT), 0);
    cr_assert_eq(result64(), 4u);
    cr_assert_eq(CALL0(fd_seek, fd, 1, WASI0_WHENCE_CUR, RESULT), 0);
    cr_assert_eq(result64(), 5u);
    cr_assert_eq(CALL0(fd_seek, fd, (uint64_t)-1, WASI0_WHENCE_END, RESULT), 0);
    cr_assert_eq(result64(), 9u);
    cr_assert_eq(CALL0(fd_seek, fd, 0, 3, RESULT), WASI_ERRNO_INVAL);
}

Test(wasi_fd, many_vectors) {
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, RW);
    const uint32_t vectors = 65536;
    for (uint32_t i = 0; i < IO_VECTORS; i++) {
        put_u32(guest.memory + vectors + 8 * i, 200000 + i);
        put_u32(guest.memory + vectors + 8 * i + 4, i % 3 == 0 ? 0 : 1);
        guest.memory[200000 + i] = (uint8_t)i;
    }
    cr_assert_eq(CALL(fd_write, fd, vectors, IO_VECTORS, RESULT), 0);
    cr_assert_eq(result32(), 682u, "of 1024 every third is empty");
    cr_assert_eq(CALL(fd_write, fd, vectors, 0, RESULT), 0);
    cr_assert_eq(result32(), 0u);
    memset(guest.memory + 200000, 0, 1024);
    cr_assert_eq(CALL(fd_pread, fd, vectors, IO_VECTORS, 0, RESULT), 0);
    cr_assert_eq(result32(), 682u);
    cr_assert_eq(guest.memory[200000 + 5], 5);
    cr_assert_eq(guest.memory[200000 + 6], 0);
}

Test(wasi_fd, more_vectors_than_the_host_takes) {
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, RW), done = 0;
    const uint32_t vectors = 65536, many = 20000;
    for (uint32_t i = 0; i < many; i++) { /* the first 5000 are empty */
        put_u32(guest.memory + vectors + 8 * i, 400000 + i);
        put_u32(guest.memory + vectors + 8 * i + 4, i >= 5000);
    }
    while (done < many - 5000) {
        uint32_t at = done ? 5000 + done : 0;
        cr_assert_eq(CALL(fd_write, fd, vectors + 8 * at, many - at, RESULT), 0);
        cr_assert_gt(result32(), 0u, "partial, but something");
        done += result32();
    }
    cr_assert_eq(CALL(fd_tell, fd, RESULT), 0);
    cr_assert_eq(result64(), 15000u);
}

Test(wasi_fd, positioned_access_leaves_the_position) {
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, RW);
    uint32_t text = guest_string("abcd");
    cr_assert_eq(CALL(fd_pwrite, fd, iovec(text, 4), 1, 10, RESULT), 0);
    cr_assert_eq(CALL(fd_tell, fd, RESULT), 0);
    cr_assert_eq(result64(), 0u);
    cr_assert_eq(CALL(fd_pread, fd, iovec(READ_AT, 100), 1, 9, RESULT), 0);
    cr_assert_eq(result32(), 5u);
    cr_assert_arr_eq(guest.memory + READ_AT, "\0abcd", 5);
    cr_assert_eq(CALL(fd_pread, fd, iovec(READ_AT, 1), 1, UINT64_MAX, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_pwrite, fd, iovec(text, 1), 1, UINT64_MAX, RESULT), WASI_ERRNO_INVAL);
}

Test(wasi_fd, append_and_flags) {
    uint32_t fd;
    uint64_t base = RW | WASI_RIGHTS_FD_FDSTAT_SET_FLAGS;
    cr_assert_eq(open_with(3, 0, "file", WASI_OFLAGS_CREAT, base, 0,
                           WASI_FDFLAGS_APPEND | WASI_FDFLAGS_SYNC, &fd),
                 0);
    cr_assert_eq(flags_of(fd), WASI_FDFLAGS_APPEND | WASI_FDFLAGS_SYNC);
    cr_assert_eq(write_text(fd, "one"), 0);
    cr_assert_eq(CALL(fd_seek, fd, 0, WASI_WHENCE_SET, RESULT), 0);
    cr_assert_eq(write_text(fd, "two"), 0);
    cr_assert_eq(CALL(fd_tell, fd, RESULT), 0);
    cr_assert_eq(result64(), 6u);
    cr_assert_eq(CALL(fd_fdstat_set_flags, fd, 0), 0);
    cr_assert_eq(flags_of(fd), 0);
    cr_assert_eq(CALL(fd_seek, fd, 0, WASI_WHENCE_SET, RESULT), 0);
    cr_assert_eq(write_text(fd, "TWO"), 0);
    cr_assert_eq(CALL(fd_pread, fd, iovec(READ_AT, 9), 1, 0, RESULT), 0);
    cr_assert_arr_eq(guest.memory + READ_AT, "TWOtwo", 6);
    cr_assert_eq(CALL(fd_fdstat_set_flags, fd, WASI_FDFLAGS_DSYNC | WASI_FDFLAGS_APPEND), 0);
    cr_assert_eq(write_text(fd, "!"), 0, "made durable by us");
    cr_assert_eq(CALL(fd_fdstat_set_flags, fd, 32), WASI_ERRNO_INVAL);
    cr_assert_eq(flags_of(fd), WASI_FDFLAGS_DSYNC | WASI_FDFLAGS_APPEND);
}

Test(wasi_fd, sizes_and_times) {
    uint64_t base = RW | WASI_RIGHTS_FD_ALLOCATE | WASI_RIGHTS_FD_FILESTAT_GET |
                    WASI_RIGHTS_FD_FILESTAT_SET_SIZE | WASI_RIGHTS_FD_FILESTAT_SET_TIMES |
                    WASI_RIGHTS_FD_ADVISE | WASI_RIGHTS_FD_SYNC | WASI_RIGHTS_FD_DATASYNC;
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, base);
    uint8_t *stat = guest.memory + RESULT;
    cr_assert_eq(CALL(fd_allocate, fd, 10, 90), 0);
    cr_assert_eq(CALL(fd_filestat_get, fd, RESULT), 0);
    cr_assert_eq(get_u64(stat + WASI_FILESTAT_SIZE_OFFSET), 100u);
    cr_assert_eq(stat[WASI_FILESTAT_FILETYPE], WASI_FILETYPE_REGULAR_FILE);
    cr_assert_eq(get_u64(stat + WASI_FILESTAT_NLINK), 1u);
    cr_assert_eq(CALL0(fd_filestat_get, fd, RESULT), 0);
    cr_assert_eq(get_u64(stat + WASI0_FILESTAT_SIZE_OFFSET), 100u);
    cr_assert_eq(get_u32(stat + WASI0_FILESTAT_NLINK), 1u);
    cr_assert_eq(CALL(fd_allocate, fd, 0, 0), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_allocate, fd, UINT64_MAX, 2), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_filestat_set_size, fd, 7), 0);
    cr_assert_eq(CALL(fd_filestat_set_size, fd, UINT64_MAX), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_advise, fd, 0, 10, WASI_ADVICE_WILLNEED), 0);
    cr_assert_eq(CALL(fd_advise, fd, 0, 10, 6), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_sync, fd), 0);
    cr_assert_eq(CALL(fd_datasync, fd), 0);

    uint64_t time = UINT64_C(1234567890123456789);
    cr_assert_eq(
        CALL(fd_filestat_set_times, fd, time, time + 1, WASI_FSTFLAGS_ATIM | WASI_FSTFLAGS_MTIM),
        0);
    cr_assert_eq(CALL(fd_filestat_get, fd, RESULT), 0);
    cr_assert_eq(get_u64(stat + WASI_FILESTAT_SIZE_OFFSET), 7u);
    cr_assert_eq(get_u64(stat + WASI_FILESTAT_ATIM), time);
    cr_assert_eq(get_u64(stat + WASI_FILESTAT_MTIM), time + 1);
    cr_assert_eq(CALL(fd_filestat_set_times, fd, 5, 5, WASI_FSTFLAGS_MTIM_NOW), 0);
    cr_assert_eq(CALL(fd_filestat_get, fd, RESULT), 0);
    cr_assert_eq(get_u64(stat + WASI_FILESTAT_ATIM), time, "left alone");
    cr_assert_gt(get_u64(stat + WASI_FILESTAT_MTIM), time + 1);
    uint32_t bad[] = {WASI_FSTFLAGS_MTIM | WASI_FSTFLAGS_MTIM_NOW,
                      WASI_FSTFLAGS_ATIM | WASI_FSTFLAGS_ATIM_NOW, 16};
    for (int i = 0; i < 3; i++)
        cr_assert_eq(CALL(fd_filestat_set_times, fd, 1, 1, bad[i]), WASI_ERRNO_INVAL);
}

/* ---- Rights ----------------------------------------------------------------------------------------- */

Test(wasi_fd, every_call_asks_for_its_right) {
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, 0);
    const Errno no = WASI_ERRNO_NOTCAPABLE;
    cr_assert_eq(read_some(fd, 1), no);
    cr_assert_eq(write_text(fd, "x"), no);
    cr_assert_eq(CALL(fd_pread, fd, iovec(READ_AT, 1), 1, 0, RESULT), no);
    cr_assert_eq(CALL(fd_pwrite, fd, iovec(READ_AT, 1), 1, 0, RESULT), no);
    cr_assert_eq(CALL(fd_seek, fd, 0, WASI_WHENCE_SET, RESULT), no);
    cr_assert_eq(CALL(fd_tell, fd, RESULT), no);
    cr_assert_eq(CALL(fd_sync, fd), no);
    cr_assert_eq(CALL(fd_datasync, fd), no);
    cr_assert_eq(CALL(fd_allocate, fd, 0, 1), no);
    cr_assert_eq(CALL(fd_advise, fd, 0, 1, 0), no);
    cr_assert_eq(CALL(fd_filestat_get, fd, RESULT), no);
    cr_assert_eq(CALL(fd_filestat_set_size, fd, 1), no);
    cr_assert_eq(CALL(fd_filestat_set_times, fd, 1, 1, 0), no);
    cr_assert_eq(CALL(fd_fdstat_set_flags, fd, 0), no);
    fd = must_open("file", 0, WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_TELL);
    cr_assert_eq(CALL(fd_tell, fd, RESULT), 0);
    cr_assert_eq(CALL(fd_seek, fd, 0, WASI_WHENCE_CUR, RESULT), 0, "moves nothing");
    cr_assert_eq(CALL(fd_seek, fd, 1, WASI_WHENCE_CUR, RESULT), no);
    cr_assert_eq(CALL(fd_pread, fd, iovec(READ_AT, 1), 1, 0, RESULT), no, "needs FD_SEEK as well");
}

Test(wasi_fd, rights_only_shrink) {
    uint32_t fd = must_open("file", WASI_OFLAGS_CREAT, RW);
    cr_assert_eq(CALL(fd_fdstat_set_rights, fd, RW & ~WASI_RIGHTS_FD_WRITE, 0), 0);
    cr_assert_eq(rights_of(fd, false), RW & ~WASI_RIGHTS_FD_WRITE);
    cr_assert_eq(write_text(fd, "x"), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(CALL(fd_fdstat_set_rights, fd, RW, 0), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(CALL(fd_fdstat_set_rights, fd, UINT64_MAX, UINT64_MAX), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(CALL(fd_fdstat_set_rights, fd, 0, UINT64_C(1) << 63), WASI_ERRNO_NOTCAPABLE);
}

Test(wasi_fd, directories_pass_on_what_they_have) {
    uint32_t dir, fd;
    uint64_t read = WASI_RIGHTS_FD_READ | WASI_RIGHTS_PATH_OPEN;
    cr_assert_eq(open_with(3, 0, ".", WASI_OFLAGS_DIRECTORY, read, read, 0, &dir), 0);
    cr_assert_eq(rights_of(dir, false), WASI_RIGHTS_PATH_OPEN, "FD_READ means nothing there");
    cr_assert_eq(rights_of(dir, true), read);
    host_file("file", "text");
    cr_assert_eq(open_with(dir, 0, "file", 0, RW, 0, 0, &fd), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(open_with(dir, 0, "file", 0, 0, RW, 0, &fd), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(open_with(dir, 0, "file", WASI_OFLAGS_CREAT, 0, 0, 0, &fd), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(open_with(dir, 0, "file", WASI_OFLAGS_TRUNC, 0, 0, 0, &fd), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(open_with(dir, 0, "file", 0, 0, 0, WASI_FDFLAGS_SYNC, &fd), WASI_ERRNO_NOTCAPABLE);
    cr_assert_eq(open_with(dir, 0, "file", 0, WASI_RIGHTS_FD_READ, 0, 0, &fd), 0);
    cr_assert_eq(rights_of(fd, false), WASI_RIGHTS_FD_READ);
    cr_assert_eq(open_with(3, 0, "file", 0, UINT64_MAX, UINT64_MAX, 0, &fd), 0,
                 "rights that no file has are ignored");
    cr_assert_eq(CALL(path_create_directory, dir, STR("new")), WASI_ERRNO_NOTCAPABLE);
}

/* ---- The table ---------------------------------------------------------------------------------------- */

Test(wasi_fd, hostile_numbers) {
    uint32_t bad[] = {4, 100, 65535, 65536, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(CALL(fd_close, bad[i]), WASI_ERRNO_BADF);
        cr_assert_eq(CALL(fd_renumber, bad[i], 3), WASI_ERRNO_BADF);
        cr_assert_eq(CALL(fd_renumber, 3, bad[i]), WASI_ERRNO_BADF);
        cr_assert_eq(CALL(fd_fdstat_get, bad[i], RESULT), WASI_ERRNO_BADF);
        cr_assert_eq(CALL(path_unlink_file, bad[i], STR("x")), WASI_ERRNO_BADF);
    }
}

Test(wasi_fd, renumber_and_close) {
    uint32_t a = must_open("a", WASI_OFLAGS_CREAT, RW), b = must_open("b", WASI_OFLAGS_CREAT, RW);
    cr_assert_eq(a, 4u, "the lowest free number");
    cr_assert_eq(b, 5u);
    cr_assert_eq(CALL(fd_renumber, a, a), 0);
    cr_assert_eq(write_text(b, "b"), 0);
    cr_assert_eq(CALL(fd_renumber, b, a), 0);
    cr_assert_eq(CALL(fd_close, b), WASI_ERRNO_BADF);
    cr_assert_eq(CALL(fd_tell, a, RESULT), 0);
    cr_assert_eq(result64(), 1u, "it is b with its position");
    cr_assert_eq(CALL(fd_close, a), 0);
    cr_assert_eq(CALL(fd_close, a), WASI_ERRNO_BADF);
    cr_assert_eq(must_open("a", 0, RW), 4u, "and is used again");
    cr_assert_eq(CALL(fd_close, 1), 0);
    cr_assert_eq(must_open("a", 0, RW), 1u);
}

Test(wasi_fd, preopens_tell_their_names) {
    cr_assert_null(wr_wasi_preopen_dir(wasi, root, "second/name", 0));
    cr_assert_eq(CALL(fd_prestat_get, 4, RESULT), 0);
    cr_assert_eq(get_u32(guest.memory + RESULT), (uint32_t)WASI_PREOPENTYPE_DIR);
    cr_assert_eq(get_u32(guest.memory + RESULT + 4), 11u);
    cr_assert_eq(CALL(fd_prestat_dir_name, 4, 1000, 10), WASI_ERRNO_NAMETOOLONG);
    cr_assert_eq(CALL(fd_prestat_dir_name, 4, 1000, 100), 0);
    cr_assert_arr_eq(guest.memory + 1000, "second/name\0", 12);
    cr_assert_eq(CALL(fd_prestat_get, 5, RESULT), WASI_ERRNO_BADF);
    cr_assert_eq(CALL(fd_prestat_get, 0, RESULT), WASI_ERRNO_BADF);
    wr_error_t *error = wr_wasi_preopen_dir(wasi, "/nonexistent/dir", "/", 0);
    cr_assert_eq(error->kind, WR_ERROR_IO);
    free(error);
    error = wr_wasi_preopen_dir(wasi, root, "/", 6);
    cr_assert_eq(error->kind, WR_ERROR_USAGE);
    free(error);
}

Test(wasi_fd, running_out_of_descriptors) {
    struct rlimit limit = {64, 64};
    setrlimit(RLIMIT_NOFILE, &limit);
    uint32_t fd, opened = 0;
    Errno error;
    while (!(error = open_path(".", 0, 0, &fd))) opened++;
    cr_assert_eq(error, WASI_ERRNO_MFILE);
    cr_assert_gt(opened, 20u);
    for (fd = 4; fd < 4 + opened; fd++) cr_assert_eq(CALL(fd_close, fd), 0);
    cr_assert_eq(open_path(".", 0, 0, &fd), 0);
}

Test(wasi_fd, directories_are_no_files) {
    cr_assert_eq(read_some(3, 1), WASI_ERRNO_ISDIR);
    cr_assert_eq(write_text(3, "x"), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(fd_seek, 3, 0, 0, RESULT), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(fd_tell, 3, RESULT), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(fd_pread, 3, SCRATCH, 0, 0, RESULT), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(fd_allocate, 3, 0, 1), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(fd_filestat_set_size, 3, 0), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(fd_sync, 3), 0);
    cr_assert_eq(type_of(3), WASI_FILETYPE_DIRECTORY);
    cr_assert_eq(flags_of(3), 0);
}

/* ---- Standard streams ------------------------------------------------------------------------------------ */

/* Makes a host descriptor the guest's stream of that number. */
static void inherit(int host, int number) {
    int saved = dup(number);
    dup2(host, number);
    cr_assert_null(wr_wasi_inherit_stdio(wasi));
    dup2(saved, number);
    close(saved);
}

Test(wasi_fd, pipes_as_standard_streams) {
    int in[2], out[2];
    cr_assert_eq(pipe(in) + pipe(out), 0);
    inherit(in[0], 0);
    inherit(out[1], 1);
    inherit(in[0], 0);
    cr_assert_eq(write(in[1], "typed", 5), 5);
    cr_assert_eq(read_some(0, 100), 0);
    cr_assert_eq(result32(), 5u);
    cr_assert_eq(type_of(0), WASI_FILETYPE_UNKNOWN);
    cr_assert_eq(rights_of(0, false) & (WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_SEEK), 0u);
    cr_assert_eq(CALL(fd_seek, 0, 0, WASI_WHENCE_CUR, RESULT), WASI_ERRNO_SPIPE);
    cr_assert_eq(CALL(fd_pread, 0, iovec(READ_AT, 1), 1, 0, RESULT), WASI_ERRNO_SPIPE);
    close(in[1]);
    cr_assert_eq(read_some(0, 100), 0);
    cr_assert_eq(result32(), 0u);
}

static int broken_pipe(void) {
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    inherit(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    return 1;
}

Test(wasi_fd, a_closed_pipe_is_an_error_and_no_signal) {
    sigset_t pending;
    broken_pipe();
    cr_assert_eq(write_text(1, "x"), WASI_ERRNO_PIPE);
    guest.patience = 1000000;
    cr_assert_eq(write_text(1, "x"), WASI_ERRNO_PIPE);
    sigpending(&pending);
    cr_assert_not(sigismember(&pending, SIGPIPE));
    struct sigaction action;
    sigaction(SIGPIPE, NULL, &action);
    cr_assert_eq(action.sa_handler, SIG_DFL, "the embedder's disposition is left alone");
    pthread_sigmask(SIG_BLOCK, NULL, &pending);
    cr_assert_not(sigismember(&pending, SIGPIPE));
}

Test(wasi_fd, nonblocking_is_the_guests_view_alone) {
    int in[2];
    cr_assert_eq(pipe(in), 0);
    inherit(in[0], 0);
    cr_assert_eq(CALL(fd_fdstat_set_flags, 0, WASI_FDFLAGS_NONBLOCK), 0);
    cr_assert_eq(flags_of(0), WASI_FDFLAGS_NONBLOCK);
    cr_assert_eq(fcntl(in[0], F_GETFL) & O_NONBLOCK, 0);
    cr_assert_eq(read_some(0, 1), WASI_ERRNO_AGAIN);
    cr_assert_eq(write(in[1], "x", 1), 1);
    cr_assert_eq(read_some(0, 1), 0);
    cr_assert_eq(result32(), 1u);
}

Test(wasi_fd, nonblocking_writes_stop_when_full) {
    int out[2];
    cr_assert_eq(pipe(out), 0);
    inherit(out[1], 1);
    cr_assert_eq(CALL(fd_fdstat_set_flags, 1, WASI_FDFLAGS_NONBLOCK), 0);
    cr_assert_eq(CALL(fd_write, 1, iovec(0, MEMORY_SIZE), 1, RESULT), 0);
    uint32_t first = result32();
    cr_assert_gt(first, 4096u);
    cr_assert_lt(first, (uint32_t)MEMORY_SIZE);
    cr_assert_eq(CALL(fd_write, 1, iovec(0, MEMORY_SIZE), 1, RESULT), WASI_ERRNO_AGAIN);
}

static void *drain(void *argument) {
    static char buffer[1000];
    size_t total = 0;
    ssize_t n;
    while ((n = read(*(int *)argument, buffer, sizeof buffer)) > 0) total += (size_t)n;
    return (void *)total;
}

static void write_megabyte(uint64_t patience) {
    int out[2];
    pthread_t thread;
    void *total;
    cr_assert_eq(pipe(out), 0);
    inherit(out[1], 1);
    close(out[1]);
    pthread_create(&thread, NULL, drain, &out[0]);
    guest.patience = patience;
    cr_assert_eq(CALL(fd_write, 1, iovec(0, MEMORY_SIZE), 1, RESULT), 0);
    cr_assert_eq(result32(), (uint32_t)MEMORY_SIZE, "blocking writes are whole");
    cr_assert_eq(CALL(fd_close, 1), 0);
    pthread_join(thread, &total);
    cr_assert_eq((size_t)total, (size_t)MEMORY_SIZE);
}

Test(wasi_fd, blocking_writes_are_whole) { write_megabyte(UINT64_MAX); }
Test(wasi_fd, blocking_writes_are_whole_in_slices) { write_megabyte(1000000); }

Test(wasi_fd, a_deadline_ends_blocked_reads_and_writes) {
    int in[2], out[2];
    cr_assert_eq(pipe(in) + pipe(out), 0);
    inherit(in[0], 0);
    inherit(out[1], 1);
    inherit(in[0], 0);
    guest.patience = 1000000;
    guest.polls = 5;
    cr_assert_eq(read_some(0, 1), WASI_ERRNO_INTR);
    cr_assert_eq(last_trap->kind, WR_ERROR_TRAP);
}

Test(wasi_fd, a_deadline_ends_a_blocked_write) {
    int out[2];
    cr_assert_eq(pipe(out), 0);
    inherit(out[1], 1);
    guest.patience = 1000000;
    guest.polls = 100;
    cr_assert_eq(CALL(fd_write, 1, iovec(0, MEMORY_SIZE), 1, RESULT), WASI_ERRNO_INTR);
    cr_assert_eq(last_trap->kind, WR_ERROR_TRAP);
}

static void *interrupt_reader(void *argument) {
    nanosleep(&(struct timespec){0, 30000000}, NULL);
    pthread_kill(*(pthread_t *)argument, SIGUSR1);
    nanosleep(&(struct timespec){0, 30000000}, NULL);
    cr_assert_eq(write(*(int *)((pthread_t *)argument + 1), "x", 1), 1);
    return NULL;
}

static void on_signal(int number) { (void)number; }

Test(wasi_fd, signals_of_the_host_do_not_show) {
    struct {
        pthread_t reader;
        int out;
    } who = {.reader = pthread_self()};
    int in[2];
    pthread_t thread;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    cr_assert_eq(pipe(in), 0);
    inherit(in[0], 0);
    who.out = in[1];
    pthread_create(&thread, NULL, interrupt_reader, &who);
    cr_assert_eq(read_some(0, 1), 0);
    cr_assert_eq(result32(), 1u);
    pthread_join(thread, NULL);
}

Test(wasi_fd, terminals_are_known_by_what_they_cannot_do) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
        cr_skip_test("no pseudo terminals");
    int user = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    cr_assert_geq(user, 0);
    inherit(user, 1);
    cr_assert_eq(type_of(1), WASI_FILETYPE_CHARACTER_DEVICE);
    cr_assert_eq(rights_of(1, false) & (WASI_RIGHTS_FD_SEEK | WASI_RIGHTS_FD_TELL), 0u);
    cr_assert_eq(rights_of(1, false) & WASI_RIGHTS_FD_READ, 0u);
    cr_assert_eq(write_text(1, "hello"), 0);
    int null = open("/dev/null", O_RDWR);
    inherit(null, 1);
    cr_assert_eq(type_of(1), WASI_FILETYPE_CHARACTER_DEVICE);
    cr_assert_neq(rights_of(1, false) & WASI_RIGHTS_FD_SEEK, 0u, "so isatty() says no");
}

Test(wasi_fd, files_as_standard_streams) {
    host_file("log", "old");
    int log = open(host_path("log"), O_WRONLY | O_APPEND);
    inherit(log, 1);
    cr_assert_eq(type_of(1), WASI_FILETYPE_REGULAR_FILE);
    cr_assert_eq(flags_of(1), WASI_FDFLAGS_APPEND);
    cr_assert_eq(write_text(1, "new"), 0);
    struct stat stat;
    fstat(log, &stat);
    cr_assert_eq(stat.st_size, 6);
    int in = open(host_path("log"), O_RDWR);
    inherit(in, 0);
    cr_assert_eq(rights_of(0, false) & (WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_FILESTAT_SET_SIZE |
                                        WASI_RIGHTS_FD_FILESTAT_SET_TIMES),
                 0u);
    cr_assert_eq(CALL(fd_seek, 0, 3, WASI_WHENCE_SET, RESULT), 0);
    cr_assert_eq(read_some(0, 9), 0);
    cr_assert_arr_eq(guest.memory + READ_AT, "new", 3);
}

Test(wasi_fd, closed_standard_streams_stay_null) {
    int saved = dup(0);
    close(0);
    cr_assert_null(wr_wasi_inherit_stdio(wasi));
    dup2(saved, 0);
    cr_assert_eq(read_some(0, 9), 0);
    cr_assert_eq(result32(), 0u);
}
