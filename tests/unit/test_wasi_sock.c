/* WASI: sockets that the embedder opened. */
#include "wasi_mock.h"

#include <sys/un.h>

TestSuite(wasi_sock, .init = start_with_root, .fini = stop_guest, .timeout = 240);

static int pair[2]; /* the guest has a duplicate of pair[0], as descriptor 4 */

static void give_pair(int type) {
    cr_assert_eq(socketpair(AF_UNIX, type, 0, pair), 0);
    cr_assert_null(wr_wasi_preopen_socket(wasi, pair[0]));
    close(pair[0]);
}

static Errno receive(uint32_t size, uint32_t flags) {
    return CALL(sock_recv, 4, iovec(READ_AT, size), 1, flags, RESULT, RESULT + 8);
}

static uint16_t roflags(void) { return get_u16(guest.memory + RESULT + 8); }

static Errno send_text(const char *text) {
    uint32_t address = guest_string(text);
    return CALL(sock_send, 4, iovec(address, (uint32_t)strlen(text)), 1, 0, RESULT);
}

Test(wasi_sock, only_sockets_are_sockets) {
    wr_error_t *error = wr_wasi_preopen_socket(wasi, open("/dev/null", O_RDWR));
    cr_assert_eq(error->kind, WR_ERROR_USAGE);
    free(error);
    error = wr_wasi_preopen_socket(wasi, 12345);
    cr_assert_eq(error->kind, WR_ERROR_IO);
    free(error);
    cr_assert_eq(CALL(sock_shutdown, 1, 1), WASI_ERRNO_NOTSOCK);
    cr_assert_eq(CALL(sock_shutdown, 99, 1), WASI_ERRNO_BADF);
    cr_assert_eq(CALL(sock_accept, 3, 0, RESULT), WASI_ERRNO_NOTSOCK);
    cr_assert_eq(CALL(sock_recv, 0, SCRATCH, 0, 0, RESULT, RESULT), WASI_ERRNO_NOTSOCK);
    cr_assert_eq(CALL(sock_send, 1, SCRATCH, 0, 0, RESULT), WASI_ERRNO_NOTSOCK);
}

Test(wasi_sock, streams) {
    char buffer[16];
    give_pair(SOCK_STREAM);
    cr_assert_eq(CALL(fd_prestat_get, 4, RESULT), WASI_ERRNO_BADF);
    cr_assert_eq(CALL(fd_fdstat_get, 4, RESULT), 0);
    cr_assert_eq(guest.memory[RESULT], WASI_FILETYPE_SOCKET_STREAM);
    cr_assert_eq(send_text("hello"), 0);
    cr_assert_eq(read(pair[1], buffer, sizeof buffer), 5);
    cr_assert_eq(write_text(4, "again"), 0);
    cr_assert_eq(read(pair[1], buffer, sizeof buffer), 5);
    cr_assert_eq(write(pair[1], "abcdef", 6), 6);
    cr_assert_eq(receive(3, WASI_RIFLAGS_RECV_PEEK), 0);
    cr_assert_eq(receive(3, 0), 0);
    cr_assert_eq(result32(), 3u);
    cr_assert_eq(roflags(), 0);
    cr_assert_arr_eq(guest.memory + READ_AT, "abc", 3);
    cr_assert_eq(read_some(4, 10), 0);
    cr_assert_arr_eq(guest.memory + READ_AT, "def", 3);
    cr_assert_eq(receive(3, 4), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(sock_send, 4, SCRATCH, 0, 1, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_seek, 4, 0, 0, RESULT), WASI_ERRNO_SPIPE);
}

static void *send_slowly(void *argument) {
    (void)argument;
    for (int i = 0; i < 5; i++) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        cr_assert_eq(write(pair[1], "xy", 2), 2);
    }
    return NULL;
}

Test(wasi_sock, waiting_for_all_of_it) {
    pthread_t thread;
    give_pair(SOCK_STREAM);
    pthread_create(&thread, NULL, send_slowly, NULL);
    cr_assert_eq(receive(6, WASI_RIFLAGS_RECV_WAITALL | WASI_RIFLAGS_RECV_PEEK), 0);
    cr_assert_eq(result32(), 6u);
    cr_assert_eq(receive(8, WASI_RIFLAGS_RECV_WAITALL), 0);
    cr_assert_eq(result32(), 8u, "peeking took nothing");
    pthread_join(thread, NULL);
    close(pair[1]);
    cr_assert_eq(receive(8, WASI_RIFLAGS_RECV_WAITALL | WASI_RIFLAGS_RECV_PEEK), 0);
    cr_assert_eq(result32(), 2u, "no more will come");
    cr_assert_eq(receive(8, WASI_RIFLAGS_RECV_WAITALL), 0);
    cr_assert_eq(result32(), 2u);
    cr_assert_eq(receive(8, WASI_RIFLAGS_RECV_WAITALL), 0);
    cr_assert_eq(result32(), 0u);
}

Test(wasi_sock, datagrams) {
    char buffer[16];
    give_pair(SOCK_DGRAM);
    cr_assert_eq(CALL(fd_fdstat_get, 4, RESULT), 0);
    cr_assert_eq(guest.memory[RESULT], WASI_FILETYPE_SOCKET_DGRAM);
    cr_assert_eq(write(pair[1], "abcdef", 6), 6);
    cr_assert_eq(receive(3, 0), 0);
    cr_assert_eq(result32(), 3u);
    cr_assert_eq(roflags(), WASI_ROFLAGS_RECV_DATA_TRUNCATED);
    cr_assert_eq(send_text(""), 0, "an empty message is one");
    cr_assert_eq(read(pair[1], buffer, sizeof buffer), 0);
}

Test(wasi_sock, shutting_down) {
    char buffer[4];
    give_pair(SOCK_STREAM);
    cr_assert_eq(CALL(sock_shutdown, 4, 0), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(sock_shutdown, 4, 4), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(sock_shutdown, 4, WASI_SDFLAGS_WR), 0);
    cr_assert_eq(read(pair[1], buffer, sizeof buffer), 0);
    cr_assert_eq(send_text("x"), WASI_ERRNO_PIPE, "and no signal");
    close(pair[1]);
    cr_assert_eq(receive(1, 0), 0);
    cr_assert_eq(result32(), 0u);
}

Test(wasi_sock, nonblocking_and_deadlines) {
    give_pair(SOCK_STREAM);
    guest.patience = 1000000;
    guest.polls = 5;
    cr_assert_eq(receive(1, 0), WASI_ERRNO_INTR);
    guest.polls = 100;
    cr_assert_eq(CALL(sock_send, 4, iovec(0, MEMORY_SIZE), 1, 0, RESULT), WASI_ERRNO_INTR);
    guest.polls = -1;
    cr_assert_eq(CALL(fd_fdstat_set_flags, 4, WASI_FDFLAGS_NONBLOCK), 0);
    cr_assert_eq(receive(1, 0), WASI_ERRNO_AGAIN);
    cr_assert_eq(CALL(sock_send, 4, iovec(0, MEMORY_SIZE), 1, 0, RESULT), WASI_ERRNO_AGAIN);
}

Test(wasi_sock, accepting) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", base_dir);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), peer = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 5), 0);
    cr_assert_null(wr_wasi_preopen_socket(wasi, listener));
    guest.patience = 1000000;
    guest.polls = 3;
    cr_assert_eq(CALL(sock_accept, 4, 0, RESULT), WASI_ERRNO_INTR);
    guest.polls = -1;
    cr_assert_eq(CALL(fd_fdstat_set_flags, 4, WASI_FDFLAGS_NONBLOCK), 0);
    cr_assert_eq(CALL(sock_accept, 4, 0, RESULT), WASI_ERRNO_AGAIN);
    cr_assert_eq(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(CALL(sock_accept, 4, WASI_FDFLAGS_APPEND, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(sock_accept, 4, 0, MEMORY_SIZE), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(sock_accept, 4, WASI_FDFLAGS_NONBLOCK, RESULT), 0);
    uint32_t fd = result32();
    cr_assert_eq(fd, 5u);
    cr_assert_eq(read_some(fd, 1), WASI_ERRNO_AGAIN);
    cr_assert_eq(write_text(fd, "hi"), 0);
    char buffer[4];
    cr_assert_eq(read(peer, buffer, 4), 2);
    cr_assert_eq(CALL(fd_fdstat_set_rights, fd, WASI_RIGHTS_FD_READ, 0), 0);
    cr_assert_eq(CALL(sock_shutdown, fd, 1), WASI_ERRNO_NOTCAPABLE);
}
