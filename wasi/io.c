/*
 * io.c - reading, writing and waiting; see io.h.
 */
#include "io.h"

#include <string.h>

#include "guest.h"

/* Linux moves no more in one call, and the count must fit a guest's size. */
#define TRANSFER_MAX ((size_t)0x7FFFF000)

/* Adds one buffer; false when there is no room for all of it. */
static bool add_buffer(Transfer *transfer, void *data, size_t size) {
    size_t room = TRANSFER_MAX - transfer->total;
    size_t take = size < room ? size : room;
    if (transfer->count == IO_VECTORS) return false;
    if (take > 0) transfer->buffers[transfer->count++] = (SysBuffer){data, take};
    transfer->total += take;
    return take == size;
}

Errno wr_io_vectors(Call *call, uint32_t address, uint32_t count, Transfer *transfer) {
    const uint8_t *vectors = wr_guest_bytes(call, address, (uint64_t)count * WASI_IOVEC_SIZE);
    if (!vectors) return WASI_ERRNO_FAULT;
    transfer->first = transfer->count = transfer->total = 0;
    transfer->cut = false;
    for (uint32_t i = 0; i < count && !transfer->cut; i++, vectors += WASI_IOVEC_SIZE) {
        uint32_t size = get_u32(vectors + WASI_IOVEC_BUF_LEN);
        if (size == 0) continue;
        void *data = wr_guest_bytes(call, get_u32(vectors + WASI_IOVEC_BUF), size);
        if (!data) return WASI_ERRNO_FAULT;
        transfer->cut = !add_buffer(transfer, data, size);
    }
    return WASI_ERRNO_SUCCESS;
}

void wr_io_advance(Transfer *transfer, size_t done) {
    transfer->total -= done;
    while (done > 0) {
        SysBuffer *buffer = &transfer->buffers[transfer->first];
        if (done < buffer->size) {
            buffer->data = (char *)buffer->data + done;
            buffer->size -= done;
            return;
        }
        done -= buffer->size;
        transfer->first++;
        transfer->count--;
    }
}

/* ---- Waiting ----------------------------------------------------------------------------------- */

uint64_t wr_io_patience(Call *call) {
    uint64_t patience = wr_caller_patience(call->caller);
    return patience < 100000 ? 100000 : patience; /* no spinning just before a deadline */
}

static bool interrupted(Call *call) {
    call->trap = wr_caller_poll(call->caller);
    return call->trap != NULL;
}

static bool nonblocking(const Descriptor *descriptor) {
    return descriptor->flags & WASI_FDFLAGS_NONBLOCK;
}

Errno wr_io_wait(Call *call, const Descriptor *descriptor, short events) {
    for (;;) {
        if (interrupted(call)) return WASI_ERRNO_INTR;
        SysPoll item = {.fd = descriptor->file.host, .events = events};
        size_t ready;
        uint64_t timeout = nonblocking(descriptor) ? 0 : wr_io_patience(call);
        Errno error = wr_sys_poll(&item, 1, timeout, &ready);
        if (error || ready) return error;
        if (nonblocking(descriptor)) return WASI_ERRNO_AGAIN;
    }
}

Errno wr_io_sleep(Call *call, uint64_t nanoseconds) {
    size_t ready;
    uint64_t patience = wr_io_patience(call);
    if (interrupted(call)) return WASI_ERRNO_INTR;
    return wr_sys_poll(NULL, 0, nanoseconds < patience ? nanoseconds : patience, &ready);
}

/* Pipes and the like have no calls that never wait: somebody else may have taken what made them ready. So
 * threads of a guest look again and move bytes one at a time: AGAIN if one has come before. */
static Errno begin_move(Descriptor *descriptor, short events) {
    SysPoll item = {.fd = descriptor->file.host, .events = events};
    size_t ready;
    wr_sys_mutex_lock(&descriptor->lock);
    Errno error = wr_sys_poll(&item, 1, 0, &ready);
    if (!error && !ready) error = WASI_ERRNO_AGAIN;
    if (error) wr_sys_mutex_unlock(&descriptor->lock);
    return error;
}

static void end_move(Descriptor *descriptor) { wr_sys_mutex_unlock(&descriptor->lock); }

static bool needs_turn(Call *call, const Descriptor *descriptor) {
    return descriptor->kind == KIND_STREAM && call->wasi->threads;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

static Errno read_once(const Descriptor *descriptor, const Transfer *transfer, size_t *done) {
    bool truncated;
    const SysBuffer *buffers = transfer->buffers + transfer->first;
    if (descriptor->kind == KIND_SOCKET)
        return wr_sys_receive(descriptor->file.host, buffers, transfer->count, false, done,
                              &truncated);
    return wr_file_read(descriptor->file, buffers, transfer->count, done);
}

static Errno read_in_turn(Descriptor *descriptor, const Transfer *transfer, size_t *done) {
    Errno error = begin_move(descriptor, SYS_POLL_READ);
    if (error) return error;
    error = read_once(descriptor, transfer, done);
    end_move(descriptor);
    return error;
}

/* From the embedder: as much as it gives at once, into the first buffer. */
static Errno read_stream(Call *call, Descriptor *descriptor, const Transfer *transfer,
                         size_t *done) {
    const wr_wasi_stream_t *stream = &descriptor->stream;
    const SysBuffer *buffer = &transfer->buffers[transfer->first];
    if (!stream->read) return WASI_ERRNO_SUCCESS;
    wr_sys_mutex_lock(&descriptor->lock);
    call->trap = stream->read(stream->context, buffer->data, buffer->size, done);
    wr_sys_mutex_unlock(&descriptor->lock);
    if (*done > buffer->size) *done = buffer->size;
    return WASI_ERRNO_SUCCESS;
}

Errno wr_io_read(Call *call, Descriptor *descriptor, Transfer *transfer, size_t *done) {
    *done = 0;
    bool in_turn = needs_turn(call, descriptor);
    if (transfer->total == 0) return WASI_ERRNO_SUCCESS;
    if (descriptor->kind == KIND_NULL) return read_stream(call, descriptor, transfer, done);
    if (descriptor->kind == KIND_FILE) return read_once(descriptor, transfer, done);
    for (;;) { /* another reader may take what was ready */
        Errno error = wr_io_wait(call, descriptor, SYS_POLL_READ);
        if (!error)
            error = in_turn ? read_in_turn(descriptor, transfer, done)
                            : read_once(descriptor, transfer, done);
        if (error != WASI_ERRNO_AGAIN || nonblocking(descriptor)) return error;
    }
}

/* ---- Writing --------------------------------------------------------------------------------------- */

/* Writes what a pipe that is ready takes without waiting, in one piece as far as that goes. */
static Errno write_atom(const Descriptor *descriptor, const Transfer *transfer, size_t *done) {
    char atom[4096];
    size_t limit = wr_sys_pipe_atom() < sizeof atom ? wr_sys_pipe_atom() : sizeof atom;
    size_t size = 0;
    for (size_t i = 0; i < transfer->count && size < limit; i++) {
        const SysBuffer *buffer = &transfer->buffers[transfer->first + i];
        size_t take = buffer->size < limit - size ? buffer->size : limit - size;
        memcpy(atom + size, buffer->data, take);
        size += take;
    }
    return wr_sys_write_pipe(descriptor->file.host, &(SysBuffer){atom, size}, 1, done);
}

/* One attempt. `at_once`: it must not wait, the descriptor having been found ready. */
static Errno write_once(Call *call, Descriptor *descriptor, const Transfer *transfer, bool at_once,
                        size_t *done) {
    const SysBuffer *buffers = transfer->buffers + transfer->first;
    if (descriptor->kind == KIND_SOCKET)
        return wr_sys_send(descriptor->file.host, buffers, transfer->count, done);
    if (at_once && needs_turn(call, descriptor)) {
        Errno error = begin_move(descriptor, SYS_POLL_WRITE);
        if (error) return error;
        error = write_atom(descriptor, transfer, done);
        end_move(descriptor);
        return error;
    }
    if (at_once) return write_atom(descriptor, transfer, done);
    return wr_sys_write_pipe(descriptor->file.host, buffers, transfer->count, done);
}

/* Like a blocking write of POSIX: everything, unless an error comes in between. */
static Errno write_stream(Call *call, Descriptor *descriptor, Transfer *transfer, size_t *done) {
    bool at_once = nonblocking(descriptor) || wr_caller_patience(call->caller) != UINT64_MAX;
    bool waits = at_once && descriptor->kind != KIND_SOCKET; /* sockets never wait: try first */
    bool message = descriptor->filetype == WASI_FILETYPE_SOCKET_DGRAM;
    if (message && transfer->cut) return WASI_ERRNO_MSGSIZE; /* half a message is none */
    for (;;) {
        size_t part = 0;
        Errno error = waits ? wr_io_wait(call, descriptor, SYS_POLL_WRITE) : WASI_ERRNO_SUCCESS;
        if (!error) error = write_once(call, descriptor, transfer, at_once, &part);
        if (error == WASI_ERRNO_AGAIN && !nonblocking(descriptor)) {
            waits = true;
            continue;
        }
        if (error) return *done && !call->trap ? WASI_ERRNO_SUCCESS : error;
        *done += part;
        wr_io_advance(transfer, part);
        if (message || transfer->total == 0) return WASI_ERRNO_SUCCESS;
    }
}

Errno wr_io_sync_written(const Descriptor *descriptor) {
    unsigned missing = descriptor->flags & ~(unsigned)descriptor->host_flags;
    if (descriptor->kind != KIND_FILE || !(missing & (WASI_FDFLAGS_SYNC | WASI_FDFLAGS_DSYNC)))
        return WASI_ERRNO_SUCCESS;
    return wr_file_sync(descriptor->file, !(missing & WASI_FDFLAGS_SYNC));
}

/* To the embedder, which takes all of it. */
static Errno write_null(Call *call, Descriptor *descriptor, const Transfer *transfer,
                        size_t *done) {
    const wr_wasi_stream_t *stream = &descriptor->stream;
    if (stream->write) wr_sys_mutex_lock(&descriptor->lock);
    for (size_t i = 0; stream->write && i < transfer->count && !call->trap; i++) {
        const SysBuffer *buffer = &transfer->buffers[transfer->first + i];
        call->trap = stream->write(stream->context, buffer->data, buffer->size);
    }
    if (stream->write) wr_sys_mutex_unlock(&descriptor->lock);
    *done = transfer->total;
    return WASI_ERRNO_SUCCESS;
}

Errno wr_io_write(Call *call, Descriptor *descriptor, Transfer *transfer, size_t *done) {
    *done = 0;
    if (descriptor->kind == KIND_NULL) return write_null(call, descriptor, transfer, done);
    if (descriptor->kind != KIND_FILE)
        return transfer->total || descriptor->kind == KIND_SOCKET
                   ? write_stream(call, descriptor, transfer, done)
                   : WASI_ERRNO_SUCCESS;
    Errno error = wr_file_write(descriptor->file, transfer->buffers, transfer->count, done);
    return error ? error : wr_io_sync_written(descriptor);
}
