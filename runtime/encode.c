/*
 * encode.c - see encode.h.
 */
#include "encode.h"

void wr_buffer_init(Buffer *b, const Alloc *alloc, size_t max) {
    *b = (Buffer){.alloc = alloc, .max = max};
}

void wr_buffer_free(Buffer *b) {
    wr_free(b->alloc, b->data, b->capacity);
    wr_buffer_init(b, b->alloc, b->max);
}

u8 *wr_buffer_take(Buffer *b) {
    u8 *data = NULL;
    if (!b->failed && b->size != 0) {
        data = wr_realloc(b->alloc, b->data, b->capacity, b->size);
        if (data != NULL) b->data = NULL;
    }
    if (data != NULL) b->capacity = 0;
    wr_buffer_free(b);
    return data;
}

/* Room for `more` bytes; at least doubles. */
static bool grow(Buffer *b, size_t more) {
    size_t need;
    if (b->failed || !add_size(b->size, more, &need) || need > b->max) {
        b->failed = true;
        return false;
    }
    size_t capacity = b->capacity < 64 ? 64 : b->capacity;
    while (capacity < need) capacity = capacity > b->max / 2 ? b->max : capacity * 2;
    u8 *data = wr_realloc(b->alloc, b->data, b->capacity, capacity);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

static bool reserve(Buffer *b, size_t more) {
    return LIKELY(more <= b->capacity - b->size && !b->failed) || grow(b, more);
}

void wr_put_u8(Buffer *b, u8 byte) {
    if (reserve(b, 1)) b->data[b->size++] = byte;
}

void wr_put_bytes(Buffer *b, const void *data, size_t size) {
    if (size == 0 || !reserve(b, size)) return;
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

u8 *wr_put_room(Buffer *b, size_t size) { return reserve(b, size) ? b->data + b->size : NULL; }

static size_t encode_u64(u64 value, u8 out[10]) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) out[n++] = (u8)(value | 0x80);
    out[n++] = (u8)value;
    return n;
}

void wr_put_u64(Buffer *b, u64 value) {
    u8 bytes[10];
    wr_put_bytes(b, bytes, encode_u64(value, bytes));
}

void wr_put_u32(Buffer *b, u32 value) { wr_put_u64(b, value); }

void wr_put_s64(Buffer *b, i64 value) {
    /* arithmetic shift without relying on it */
    u64 sign = value < 0 ? UINT64_MAX : 0, bits = (u64)value;
    for (;;) {
        u8 byte = bits & 0x7F;
        bits = bits >> 7 | (sign & ~(UINT64_MAX >> 7));
        bool is_last = bits == sign && (byte & 0x40) == (sign & 0x40);
        wr_put_u8(b, is_last ? byte : (u8)(byte | 0x80));
        if (is_last) return;
    }
}

void wr_put_size(Buffer *b, size_t size) {
    if (size > UINT32_MAX) b->failed = true;
    wr_put_u64(b, size);
}

void wr_put_name(Buffer *b, Name name) {
    wr_put_u32(b, name.size);
    wr_put_bytes(b, name.data, name.size);
}

void wr_put_opcode(Buffer *b, Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    if (info->prefix == 0) {
        wr_put_u8(b, (u8)info->code);
    } else {
        wr_put_u8(b, info->prefix);
        wr_put_u32(b, info->code);
    }
}

void wr_put_sized(Buffer *b, const Buffer *contents) {
    if (contents->failed) b->failed = true;
    wr_put_size(b, contents->size);
    wr_put_bytes(b, contents->data, contents->size);
}

void wr_put_section(Buffer *b, u8 id, const Buffer *contents) {
    wr_put_u8(b, id);
    wr_put_sized(b, contents);
}

size_t wr_put_open(Buffer *b) { return b->size; }

void wr_put_close(Buffer *b, size_t start) {
    u8 bytes[10];
    size_t size = b->size - start, n = encode_u64(size, bytes);
    if (size > UINT32_MAX) b->failed = true;
    if (!reserve(b, n)) return;
    memmove(b->data + start + n, b->data + start, size);
    memcpy(b->data + start, bytes, n);
    b->size += n;
}
