/*
 * encode.h - writing the binary format (spec: binary): a byte buffer that grows up to a limit, and
 * LEB128 in as few bytes as possible. Writing is sticky: after it has run out of memory a buffer
 * takes nothing more, and `failed` says so.
 */
#ifndef WR_ENCODE_H
#define WR_ENCODE_H

#include "alloc.h"
#include "module.h"

typedef struct Buffer {
    const Alloc *alloc;
    u8 *data;
    size_t size, capacity;
    size_t max;  /* it never grows beyond */
    bool failed; /* out of memory, or of `max` */
} Buffer;

/* Most bytes of a section or a module: sizes are u32. */
#define BUFFER_MAX ((size_t)UINT32_MAX)

void wr_buffer_init(Buffer *b, const Alloc *alloc, size_t max);
void wr_buffer_free(Buffer *b);
/* The bytes in a block of their size, for the caller to free; NULL when empty or failed. */
NODISCARD u8 *wr_buffer_take(Buffer *b);

void wr_put_u8(Buffer *b, u8 byte);
void wr_put_bytes(Buffer *b, const void *data, size_t size);
/* Room for so many bytes, to be written and counted by the caller; NULL when there is none. */
NODISCARD u8 *wr_put_room(Buffer *b, size_t size);
void wr_put_u32(Buffer *b, u32 value); /* LEB128; so the next three */
void wr_put_u64(Buffer *b, u64 value);
void wr_put_s64(Buffer *b, i64 value);    /* s32 and s33 too */
void wr_put_size(Buffer *b, size_t size); /* as u32 */
void wr_put_name(Buffer *b, Name name);
void wr_put_opcode(Buffer *b, Opcode op);
/* A buffer's contents behind their size; and a whole section. */
void wr_put_sized(Buffer *b, const Buffer *contents);
void wr_put_section(Buffer *b, u8 id, const Buffer *contents);

/* Room for a size that is known later: opens where contents begin, and closes by moving them. */
size_t wr_put_open(Buffer *b);
void wr_put_close(Buffer *b, size_t start);

#endif
