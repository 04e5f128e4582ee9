/*
 * value.h - values and result patterns of scripts: read from text, compared with what ran, printed.
 */
#ifndef WR_VALUE_H
#define WR_VALUE_H

#include "encode.h"
#include "store.h"
#include "text_reader.h"

typedef enum ValueKind {
    VALUE_NUMBER, /* of `type`: bits, and where NaNs are expected lanes */
    VALUE_NULL,   /* (ref.null), (ref.null heap) */
    VALUE_EXTERN, /* (ref.extern N): host value N as an externref */
    VALUE_HOST,   /* (ref.host N): the same as an anyref */
    VALUE_HEAP,   /* (ref.struct), ...: pattern only, a reference of heap type `heap`, not null */
    VALUE_EITHER  /* pattern only */
} ValueKind;

typedef struct Value {
    ValueKind kind;
    ValType type;
    u8 bits[16];      /* little-endian */
    u8 lane;          /* bytes of a lane: the whole of a scalar */
    bool float_lanes; /* how to print them */
    u16 canonical;    /* lanes that may be any canonical NaN: a bit each, the first lowest */
    u16 arithmetic;   /* the same for arithmetic NaNs */
    HeapType heap;
    u64 number;
    struct Value *alternatives; /* VALUE_EITHER */
    u32 count;
} Value;

/* At "(": zero or more values, or patterns. The array is the arena's. */
Value *wr_values_read(TextReader *t, Arena *arena, bool patterns, u32 *count);

/* Puts a value where a parameter of `type` is expected. False when it does not fit; host values are made
 * as they are needed, `out_of_memory` says that this was why. */
bool wr_value_pass(Store *store, const Value *value, ValType type, Slot *slots,
                   bool *out_of_memory);
/* Whether a result of type `type` matches a pattern. */
bool wr_value_matches(const Store *store, const Value *pattern, ValType type, const Slot *slots);

/* Appends a result, or a pattern, as scripts write them. */
void wr_value_print_slots(Buffer *b, const Store *store, ValType type, const Slot *slots);
void wr_value_print(Buffer *b, const Value *pattern);
void wr_print(Buffer *b, const char *format, ...) PRINTF(2, 3);

#endif
