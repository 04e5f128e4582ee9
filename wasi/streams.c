/*
 * streams.c - standard streams that the embedder gives: callbacks, host descriptors, bytes in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "wasi.h"

static wr_error_t *no_such_stream(uint32_t fd) {
    return wr_error_new(WR_ERROR_USAGE, "no standard stream %u", (unsigned)fd);
}

wr_error_t *wr_wasi_set_stream(wr_wasi_t *wasi, uint32_t fd, const wr_wasi_stream_t *stream) {
    Descriptor descriptor = wr_descriptor_null(fd == 0 ? STDIN_RIGHTS : STDOUT_RIGHTS);
    if (stream) descriptor.stream = *stream;
    Errno error = fd < 3 ? wr_fdtable_replace(&wasi->table, descriptor, fd) : WASI_ERRNO_BADF;
    return error ? no_such_stream(fd) : NULL;
}

wr_error_t *wr_wasi_add_stream(wr_wasi_t *wasi, const wr_wasi_stream_t *stream, uint32_t *fd) {
    uint64_t rights = STDIN_RIGHTS | STDOUT_RIGHTS;
    if (!stream->read) rights &= ~WASI_RIGHTS_FD_READ;
    if (!stream->write) rights &= ~WASI_RIGHTS_FD_WRITE;
    Descriptor descriptor = wr_descriptor_null(rights);
    descriptor.stream = *stream;
    Errno error = wr_fdtable_insert(&wasi->table, descriptor, fd);
    return error ? wr_error_new(WR_ERROR_MEMORY, "no room for another descriptor") : NULL;
}

/* ---- Host descriptors ----------------------------------------------------------------------------------- */

/* Takes over the host descriptor. */
static Errno put_host(wr_wasi_t *wasi, uint32_t fd, int host) {
    SysInfo info;
    uint64_t rights = fd == 0 ? STDIN_RIGHTS : STDOUT_RIGHTS;
    Errno error = wr_sys_info(host, &info);
    if (!error && !info.readable) rights &= ~WASI_RIGHTS_FD_READ;
    if (!error && !info.writable)
        rights &=
            ~(WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_ALLOCATE | WASI_RIGHTS_FD_FILESTAT_SET_SIZE);
    if (error) {
        wr_sys_close(host);
        return error;
    }
    return wr_fdtable_replace(&wasi->table,
                              wr_descriptor_of(wr_file_of_host(host), &info, rights, 0), fd);
}

wr_error_t *wr_wasi_set_host_stream(wr_wasi_t *wasi, uint32_t fd, int host_descriptor) {
    int host;
    if (fd >= 3) return no_such_stream(fd);
    Errno error = wr_sys_duplicate(host_descriptor, &host);
    if (!error) error = put_host(wasi, fd, host);
    return error ? wr_error_new(WR_ERROR_IO, "descriptor %d cannot be used (WASI errno %u)",
                                host_descriptor, (unsigned)error)
                 : NULL;
}

/* Replaces a standard stream by the host's, if the host has it open. */
static Errno inherit(wr_wasi_t *wasi, uint32_t fd) {
    int host;
    Errno error = wr_sys_duplicate((int)fd, &host);
    if (error) return error == WASI_ERRNO_BADF ? WASI_ERRNO_SUCCESS : error;
    error = put_host(wasi, fd, host);
    /* A guest that ran before may have closed it: that is its choice. */
    return error == WASI_ERRNO_BADF ? WASI_ERRNO_SUCCESS : error;
}

wr_error_t *wr_wasi_inherit_stdio(wr_wasi_t *wasi) {
    for (uint32_t fd = 0; fd < 3; fd++) {
        Errno error = inherit(wasi, fd);
        if (error)
            return wr_error_new(WR_ERROR_IO, "cannot use standard stream %u (WASI errno %u)",
                                (unsigned)fd, (unsigned)error);
    }
    return NULL;
}

/* ---- Callbacks that answer through a parameter -------------------------------------------------------------- */

/* What such a callback leaves where it has not answered. */
static wr_error_t *no_answer(void) {
    static char mark;
    return (wr_error_t *)(void *)&mark;
}

static wr_error_t *answer(wr_error_t *error) {
    return error == no_answer() ? wr_trap_new("the stream gave no answer") : error;
}

static wr_error_t *call_read(void *context, void *bytes, size_t size, size_t *done) {
    const wr_wasi_callbacks_t *callbacks = context;
    wr_error_t *error = no_answer();
    callbacks->read(callbacks->context, bytes, size, done, &error);
    return answer(error);
}

static wr_error_t *call_write(void *context, const void *bytes, size_t size) {
    const wr_wasi_callbacks_t *callbacks = context;
    wr_error_t *error = no_answer();
    callbacks->write(callbacks->context, bytes, size, &error);
    return answer(error);
}

wr_error_t *wr_wasi_set_callbacks(wr_wasi_t *wasi, uint32_t fd,
                                  const wr_wasi_callbacks_t *callbacks) {
    if (fd >= 3) return no_such_stream(fd);
    wasi->callbacks[fd] = *callbacks;
    wr_wasi_stream_t stream = {callbacks->read ? call_read : NULL,
                               callbacks->write ? call_write : NULL, &wasi->callbacks[fd]};
    return wr_wasi_set_stream(wasi, fd, &stream);
}

/* ---- Bytes in memory --------------------------------------------------------------------------------------- */

static void forget(ByteStream *bytes) {
    free(bytes->data);
    *bytes = (ByteStream){0};
}

void wr_byte_streams_free(wr_wasi_t *wasi) {
    for (uint32_t fd = 0; fd < 3; fd++) forget(&wasi->bytes[fd]);
}

static wr_error_t *read_bytes(void *context, void *to, size_t size, size_t *done) {
    ByteStream *bytes = context;
    size_t left = bytes->size - bytes->position;
    *done = size < left ? size : left;
    if (*done > 0) memcpy(to, bytes->data + bytes->position, *done);
    bytes->position += *done;
    return NULL;
}

static wr_error_t *write_bytes(void *context, const void *from, size_t size) {
    ByteStream *bytes = context;
    if (size > bytes->limit - bytes->size)
        return wr_error_new(WR_ERROR_TRAP, "the guest has written more than %zu bytes",
                            bytes->limit);
    if (size > bytes->capacity - bytes->size) {
        size_t capacity = bytes->size + size;
        if (capacity < bytes->limit / 2) capacity *= 2;
        char *data = realloc(bytes->data, capacity);
        if (!data) return wr_wasi_no_memory();
        bytes->data = data;
        bytes->capacity = capacity;
    }
    if (size > 0) memcpy(bytes->data + bytes->size, from, size);
    bytes->size += size;
    return NULL;
}

wr_error_t *wr_wasi_set_input(wr_wasi_t *wasi, const void *data, size_t size) {
    ByteStream *bytes = &wasi->bytes[0];
    forget(bytes);
    bytes->data = malloc(size ? size : 1);
    if (!bytes->data) return wr_wasi_no_memory();
    if (size > 0) memcpy(bytes->data, data, size);
    bytes->size = size;
    return wr_wasi_set_stream(wasi, 0, &(wr_wasi_stream_t){.read = read_bytes, .context = bytes});
}

wr_error_t *wr_wasi_capture(wr_wasi_t *wasi, uint32_t fd, size_t limit) {
    if (fd != 1 && fd != 2) return no_such_stream(fd);
    ByteStream *bytes = &wasi->bytes[fd];
    forget(bytes);
    bytes->limit = limit;
    return wr_wasi_set_stream(wasi, fd,
                              &(wr_wasi_stream_t){.write = write_bytes, .context = bytes});
}

size_t wr_wasi_captured(const wr_wasi_t *wasi, uint32_t fd, const char **data) {
    bool is_output = fd == 1 || fd == 2;
    *data = is_output && wasi->bytes[fd].data ? wasi->bytes[fd].data : "";
    return is_output ? wasi->bytes[fd].size : 0;
}
