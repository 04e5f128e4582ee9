/*
 * decode.h - reading the binary format (spec: binary): a sticky reader, and sections into a Module.
 */
#ifndef WR_DECODE_H
#define WR_DECODE_H

#include "base.h"
#include "error.h"
#include "module.h"

/* A sticky reader: after the first error every read gives 0 and moves nothing, so that callers read
 * straight down and check once per item. */
typedef struct Reader {
    const u8 *pos, *end;
    const u8 *base; /* offsets in errors count from here */
    Error *error;   /* own; the first one */
    /* The end of the module, or NULL. Integers that `end` cuts off are looked at up to here, only
     * to word the error: the suite expects what is wrong with the integer to count for more. */
    const u8 *limit;
} Reader;

/* Each makes the first error only: malformed, invalid, out of memory. */
void wr_reader_fail(Reader *r, const u8 *at, const char *format, ...) PRINTF(3, 4) COLD;
void wr_reader_invalid(Reader *r, const u8 *at, const char *format, ...) PRINTF(3, 4) COLD;
void wr_reader_fail_memory(Reader *r) COLD;
/* Fails with "<what>: the <name> feature is disabled" unless `feature` is on; `what` is in the
 * suite's words for what the bytes are without it. */
bool wr_reader_require(Reader *r, const u8 *at, Features on, Feature feature, const char *what);
u8 wr_read_u8(Reader *r);
u32 wr_read_u32_slow(Reader *r); /* LEB128, at most 5 bytes, unused bits zero */
u64 wr_read_u64(Reader *r);
i32 wr_read_s32(Reader *r);
i64 wr_read_s33(Reader *r);
i64 wr_read_s64(Reader *r);
const u8 *wr_read_bytes(Reader *r, u64 n); /* NULL on error */
Name wr_read_name(Reader *r);              /* checked UTF-8 */
/* The length of a vector, not more than the bytes that remain could hold: memory may be allocated
 * by it. `least_item` is the least size of an item in bytes; 0 leaves it to reading the items. */
u32 wr_read_count(Reader *r, u32 least_item);

INLINE u32 wr_read_u32(Reader *r) {
    if (LIKELY(r->pos < r->end && *r->pos < 0x80)) return *r->pos++;
    return wr_read_u32_slow(r);
}

/* A constant expression that is an i32.const of at most 4 bytes and `end`, which is what most are: modules have
 * 100000 data segments. Gives the place behind it; NULL if it is any other, or cut off. */
INLINE const u8 *wr_plain_const(const u8 *pos, const u8 *end, i32 *value) {
    u32 bits = 0, shift = 0;
    if (end - pos < 7 || *pos++ != 0x41) return NULL;
    do {
        bits |= (u32)(*pos & 0x7F) << shift;
        shift += 7;
    } while (*pos++ >= 0x80 && shift < 28);
    if (pos[-1] >= 0x80 || *pos != 0x0B) return NULL;
    *value = (i32)(bits << (32 - shift)) >> (32 - shift);
    return pos + 1;
}

/* Types in the binary format, with type indices resolved to canonical ids through
 * module->types[0..ntypes) and checked against the module's features. Used by sections and by
 * bodies. Without a module (NULL) every form is accepted and a type index stands as it is:
 * HEAP_DEFINED + index. */
ValType wr_read_valtype(Reader *r, const Module *m);
HeapType wr_read_heaptype(Reader *r, const Module *m);
ValType wr_read_reftype(Reader *r, const Module *m);

/* The type section's contents: fills types, ntypes, groups, ngroups (decode_types.c). */
void wr_decode_types(Reader *r, Module *m);

/* The local declarations at the beginning of a body. */
void wr_skip_locals(Reader *r);

/* The binary format's sections into `m` (m->bytes, size, engine and arena are set). Bodies are only
 * delimited: m->codes[i] has func_index, start (of the whole body: local declarations) and end. */
NODISCARD Error *wr_decode_module(Module *m);

#endif
