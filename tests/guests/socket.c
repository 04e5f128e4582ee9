/*
 * socket.c - sock_accept, sock_recv, sock_send and sock_shutdown: on a socket that was inherited as
 * standard input (and can only be read), on one that the guest listens on, and on what is none.
 *
 * $ guest none </dev/null
 * $ python3 "$HERE/sockets.py" inherited "$WASMRUN" run $WASMRUN_FLAGS "$GUESTS/socket.wasm" inherited
 * $ python3 "$HERE/sockets.py" listening "$WASMRUN" run $WASMRUN_FLAGS --tcplisten @ADDRESS@ "$GUESTS/socket.wasm" listening
 * $ python3 "$HERE/sockets.py" listening "$WASMRUN" run $WASMRUN_FLAGS --tcplisten @NAME@ "$GUESTS/socket.wasm" listening | tail -1
 */
#include "guest.h"
#include <sys/socket.h>
#include <unistd.h>

static __wasi_errno_t receive(__wasi_fd_t fd, size_t size, __wasi_riflags_t flags) {
    char a[3], b[64];
    __wasi_iovec_t vectors[] = {{(uint8_t *)a, size < 3 ? size : 3},
                                {(uint8_t *)b, size < 3 ? 0 : size - 3}};
    __wasi_size_t n = 0;
    __wasi_roflags_t out = 99;
    __wasi_errno_t e = __wasi_sock_recv(fd, vectors, 2, flags, &n, &out);
    if (!e)
        printf("received %zu \"%.*s%.*s\", flags %u\n", n, n < 3 ? (int)n : 3, a,
               n > 3 ? (int)n - 3 : 0, b, out);
    return e;
}

static __wasi_errno_t send_text(__wasi_fd_t fd, const char *text, __wasi_siflags_t flags) {
    __wasi_ciovec_t vectors[] = {{(const uint8_t *)text, strlen(text)}, {(const uint8_t *)"\n", 1}};
    __wasi_size_t n = 0;
    __wasi_errno_t e = __wasi_sock_send(fd, vectors, 2, flags, &n);
    if (!e) printf("sent %zu\n", n);
    return e;
}

static int none(void) {
    __wasi_fd_t fd;
    CALL(receive(99, 10, 0));
    CALL(send_text(99, "x", 0));
    CALL(__wasi_sock_shutdown(99, __WASI_SDFLAGS_RD));
    CALL(__wasi_sock_accept(99, 0, &fd));
    put_file("file", "text");
    __wasi_fd_t file = open_file("file", 0, 0);
    CALL(receive(file, 10, 0));
    CALL(send_text(file, "x", 0));
    CALL(__wasi_sock_shutdown(file, __WASI_SDFLAGS_RD));
    CALL(__wasi_sock_accept(file, 0, &fd));
    CALL(receive(ROOT, 10, 0));
    CALL(__wasi_sock_shutdown(ROOT, __WASI_SDFLAGS_WR));
    return 0;
}

/* The peer sends "hello socket" and later echoes a line. */
static void talk(__wasi_fd_t fd) {
    __wasi_fdstat_t stat = {0};
    CALL(__wasi_fd_fdstat_get(fd, &stat));
    puts(type_name(stat.fs_filetype));
    CALL(receive(fd, 5, __WASI_RIFLAGS_RECV_PEEK));
    CALL(receive(fd, 6, 0));
    CALL(receive(fd, 6, __WASI_RIFLAGS_RECV_WAITALL));
    CALL(receive(fd, 6, 8));
    CALL(send_text(fd, "question", 0));
    CALL(send_text(fd, "question", 1));
    CALL(receive(fd, 20, 0));
    __wasi_filesize_t at;
    CALL(__wasi_fd_seek(fd, 0, __WASI_WHENCE_CUR, &at));
    CALL(write_text(fd, "written\n"));
    char text[20];
    printf("read %zd\n", read(fd, text, sizeof text));
    CALL(__wasi_sock_shutdown(fd, 0));
    CALL(__wasi_sock_shutdown(fd, 4));
    CALL(__wasi_sock_shutdown(fd, __WASI_SDFLAGS_WR));
    CALL(send_text(fd, "late", 0));
    CALL(receive(fd, 20, 0));
    CALL(__wasi_fd_close(fd));
    CALL(receive(fd, 20, 0));
}

static int inherited(void) {
    CALL(receive(0, 5, __WASI_RIFLAGS_RECV_PEEK));
    CALL(receive(0, 6, 0));
    CALL(receive(0, 6, __WASI_RIFLAGS_RECV_WAITALL));
    CALL(send_text(0, "question", 0));
    CALL(write_text(0, "question"));
    CALL(__wasi_sock_shutdown(0, __WASI_SDFLAGS_WR));
    CALL(__wasi_fd_close(0));
    CALL(receive(0, 6, 0));
    return 0;
}

static int listening(void) {
    __wasi_fd_t listener = -1, fd;
    __wasi_fdstat_t stat;
    for (__wasi_fd_t i = 3; i < 10 && listener < 0; i++)
        if (__wasi_fd_fdstat_get(i, &stat) == 0 &&
            stat.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM)
            listener = i;
    printf("listening on %d\n", listener);
    CALL(receive(listener, 5, 0));
    if (CALL(__wasi_sock_accept(listener, 0, &fd)) == 0) talk(fd);
    /* Nobody else comes. */
    CALL(__wasi_sock_accept(listener, 32, &fd));
    CALL(__wasi_fd_fdstat_set_flags(listener, __WASI_FDFLAGS_NONBLOCK));
    CALL(__wasi_sock_accept(listener, __WASI_FDFLAGS_NONBLOCK, &fd));
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "inherited") == 0) return inherited();
    if (argc > 1 && strcmp(argv[1], "listening") == 0) return listening();
    return none();
}
