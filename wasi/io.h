/*
 * io.h - moving bytes between descriptors and guest memory, and waiting for descriptors.
 *
 * Waiting happens here and in poll.c only: in slices of what wr_caller_patience() allows, so that a
 * deadline or an interruption ends a guest that is blocked. Host descriptors keep their blocking
 * mode, which stdio shares with other processes: NONBLOCK is the guest's view alone.
 */
#ifndef WR_WASI_IO_H
#define WR_WASI_IO_H

#include "wasi.h"

enum { IO_VECTORS = 1024 }; /* what hosts take in one call */

/* What is left to transfer: host addresses within guest memory. */
typedef struct Transfer {
    SysBuffer buffers[IO_VECTORS];
    size_t first, count; /* of buffers left */
    size_t total;        /* bytes left */
    bool cut;            /* the guest gave more: this is a partial transfer */
} Transfer;

/* Reads `count` iovecs (ciovecs are alike) at a guest address: empty ones are dropped, and it is cut
 * short to what one host call takes, as a partial transfer is always allowed. */
Errno wr_io_vectors(Call *call, uint32_t address, uint32_t count, Transfer *transfer);
void wr_io_advance(Transfer *transfer, size_t done);

/* Waits until `events` (SYS_POLL_) happen; AGAIN at once for a NONBLOCK descriptor. INTR when
 * call->trap has been set. */
Errno wr_io_wait(Call *call, const Descriptor *descriptor, short events);
/* For `nanoseconds` at most; INTR when call->trap has been set. */
Errno wr_io_sleep(Call *call, uint64_t nanoseconds);
/* The longest wait before asking the caller again; UINT64_MAX if it need not be asked. */
uint64_t wr_io_patience(Call *call);

Errno wr_io_read(Call *call, Descriptor *descriptor, Transfer *transfer, size_t *done);
Errno wr_io_write(Call *call, Descriptor *descriptor, Transfer *transfer, size_t *done);
/* Makes written data durable if the flags of the descriptor ask for it and the host does not. */
Errno wr_io_sync_written(const Descriptor *descriptor);

#endif
