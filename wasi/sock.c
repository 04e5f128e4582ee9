/*
 * sock.c - the sock_* functions, on sockets that the embedder opened. There is no way to make one but
 * to accept a connection.
 */
#include "guest.h"
#include "io.h"

/* NOTSOCK comes before rights: it is what programs look for. */
static Errno find_socket(Call *call, uint64_t rights, Descriptor **socket) {
    uint32_t fd = call->args[0].u32;
    Errno error = wr_wasi_descriptor(call, fd, 0, socket);
    if (error) return error;
    return (*socket)->kind == KIND_SOCKET ? wr_wasi_descriptor(call, fd, rights, socket)
                                          : WASI_ERRNO_NOTSOCK;
}

static bool again(Errno error, const Descriptor *socket) {
    return error == WASI_ERRNO_AGAIN && !(socket->flags & WASI_FDFLAGS_NONBLOCK);
}

/* ---- Accepting ---------------------------------------------------------------------------------------- */

static Errno accept_connection(Call *call, const Descriptor *socket, int *host) {
    for (;;) { /* a connection may be gone again before it is accepted */
        Errno error = wr_io_wait(call, socket, SYS_POLL_READ);
        if (!error) error = wr_sys_accept(socket->file.host, host);
        if (!again(error, socket) && error != WASI_ERRNO_CONNABORTED) return error;
    }
}

Errno wr_wasi_sock_accept(Call *call) {
    Descriptor *socket, connection;
    uint32_t flags = call->args[1].u32, fd;
    int host;
    if (flags & ~(uint32_t)WASI_FDFLAGS_NONBLOCK) return WASI_ERRNO_INVAL;
    Errno error = find_socket(call, WASI_RIGHTS_SOCK_ACCEPT, &socket);
    if (!error) error = wr_guest_check(call, call->args[2].u32, 4);
    if (!error) error = accept_connection(call, socket, &host);
    if (error) return error;
    error = wr_descriptor_open(wr_file_of_host(host), socket->inheriting, socket->inheriting,
                               &connection);
    if (error) {
        wr_sys_close(host);
        return error;
    }
    connection.flags = (uint16_t)flags;
    error = wr_fdtable_insert(&call->wasi->table, connection, &fd);
    return error ? error : wr_guest_put_u32(call, call->args[2].u32, fd);
}

/* ---- Receiving ------------------------------------------------------------------------------------------ */

typedef struct Received {
    size_t done;
    bool truncated;
} Received;

/* One message, or what a stream has. */
static Errno receive_some(Call *call, const Descriptor *socket, const Transfer *transfer, bool peek,
                          Received *received) {
    for (;;) {
        Errno error = wr_io_wait(call, socket, SYS_POLL_READ);
        if (!error)
            error = wr_sys_receive(socket->file.host, transfer->buffers + transfer->first,
                                   transfer->count, peek, &received->done, &received->truncated);
        if (!again(error, socket)) return error;
    }
}

/* Until the buffers are full or the stream ends. */
static Errno receive_all(Call *call, const Descriptor *socket, Transfer *transfer,
                         Received *received) {
    size_t total = 0;
    Errno error = WASI_ERRNO_SUCCESS;
    do {
        received->done = 0;
        error = receive_some(call, socket, transfer, false, received);
        total += received->done;
        wr_io_advance(transfer, received->done);
    } while (!error && received->done > 0 && transfer->total > 0);
    received->done = total;
    return total && !call->trap ? WASI_ERRNO_SUCCESS : error;
}

/* The same without taking anything: it has to look again and again, since data that is there already
 * keeps the socket ready. */
static Errno peek_all(Call *call, const Descriptor *socket, const Transfer *transfer,
                      Received *received) {
    for (;;) {
        size_t before = received->done;
        Errno error = receive_some(call, socket, transfer, true, received);
        bool ended = received->done == 0 || (socket->flags & WASI_FDFLAGS_NONBLOCK);
        if (error || ended || received->done >= transfer->total) return error;
        if (received->done == before) {
            error = wr_io_sleep(call, 5000000);
            SysPoll item = {.fd = socket->file.host, .events = SYS_POLL_READ};
            size_t ready;
            if (!error) error = wr_sys_poll(&item, 1, 0, &ready);
            if (error || (item.ready & SYS_POLL_HANGUP)) return error; /* no more will come */
        }
    }
}

Errno wr_wasi_sock_recv(Call *call) {
    Descriptor *socket;
    Transfer transfer;
    Received received = {0};
    uint32_t flags = call->args[3].u32, size = call->args[4].u32, roflags = call->args[5].u32;
    if (flags & ~(uint32_t)WASI_RIFLAGS_ALL) return WASI_ERRNO_INVAL;
    Errno error = find_socket(call, WASI_RIGHTS_FD_READ, &socket);
    if (!error) error = wr_guest_check(call, size, 4);
    if (!error) error = wr_guest_check(call, roflags, 2);
    if (!error) error = wr_io_vectors(call, call->args[1].u32, call->args[2].u32, &transfer);
    if (error) return error;
    bool peek = flags & WASI_RIFLAGS_RECV_PEEK;
    bool all = (flags & WASI_RIFLAGS_RECV_WAITALL) && transfer.total > 0 &&
               socket->filetype == WASI_FILETYPE_SOCKET_STREAM;
    error = !all   ? receive_some(call, socket, &transfer, peek, &received)
            : peek ? peek_all(call, socket, &transfer, &received)
                   : receive_all(call, socket, &transfer, &received);
    if (error) return error;
    put_u16(wr_guest_bytes(call, roflags, 2),
            received.truncated ? WASI_ROFLAGS_RECV_DATA_TRUNCATED : 0);
    return wr_guest_put_u32(call, size, (uint32_t)received.done);
}

/* ---- Sending, shutting down --------------------------------------------------------------------------------- */

Errno wr_wasi_sock_send(Call *call) {
    Descriptor *socket;
    Transfer transfer;
    size_t done;
    uint32_t flags = call->args[3].u32, size = call->args[4].u32;
    if (flags) /* none are defined */
        return WASI_ERRNO_INVAL;
    Errno error = find_socket(call, WASI_RIGHTS_FD_WRITE, &socket);
    if (!error) error = wr_guest_check(call, size, 4);
    if (!error) error = wr_io_vectors(call, call->args[1].u32, call->args[2].u32, &transfer);
    if (!error) error = wr_io_write(call, socket, &transfer, &done);
    return error ? error : wr_guest_put_u32(call, size, (uint32_t)done);
}

Errno wr_wasi_sock_shutdown(Call *call) {
    Descriptor *socket;
    uint32_t how = call->args[1].u32;
    Errno error = find_socket(call, WASI_RIGHTS_SOCK_SHUTDOWN, &socket);
    if (error) return error;
    if (how == 0 || (how & ~(uint32_t)WASI_SDFLAGS_ALL)) return WASI_ERRNO_INVAL;
    return wr_sys_shutdown(socket->file.host, how);
}
