/*
 * value.c - see value.h.
 */
#include "value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "text_number.h"

/* ---- reading ---- */

static const struct Scalar {
    u16 word;
    ValType type;
    u8 size;
    bool is_float;
} scalars[] = {{OP_I32_CONST, T_I32, 4, false},
               {OP_I64_CONST, T_I64, 8, false},
               {OP_F32_CONST, T_F32, 4, true},
               {OP_F64_CONST, T_F64, 8, true}};

static const struct Shape {
    u16 word;
    u8 size; /* bytes of a lane */
    bool is_float;
    const char *text;
} shapes[] = {{WORD_I8X16, 1, false, "i8x16"}, {WORD_I16X8, 2, false, "i16x8"},
              {WORD_I32X4, 4, false, "i32x4"}, {WORD_I64X2, 8, false, "i64x2"},
              {WORD_F32X4, 4, true, "f32x4"},  {WORD_F64X2, 8, true, "f64x2"}};

static const struct RefPattern {
    u16 word;
    u8 heap;
    const char *text;
} ref_patterns[] = {{OP_REF_FUNC, HEAP_FUNC, "ref.func"},
                    {OP_REF_I31, HEAP_I31, "ref.i31"},
                    {OP_REF_EQ, HEAP_EQ, "ref.eq"},
                    {WORD_REF_ANY, HEAP_ANY, "ref.any"},
                    {WORD_REF_STRUCT, HEAP_STRUCT, "ref.struct"},
                    {WORD_REF_ARRAY, HEAP_ARRAY, "ref.array"},
                    {WORD_REF_EXN, HEAP_EXN, "ref.exn"},
                    {WORD_REF_EXTERN, HEAP_EXTERN, "ref.extern"}};

static bool take_nan(TextReader *t, Value *v, u32 lane) {
    u16 bit = (u16)(1u << lane);
    if (wr_text_take_word(t, WORD_NAN_CANONICAL))
        v->canonical |= bit;
    else if (wr_text_take_word(t, WORD_NAN_ARITHMETIC))
        v->arithmetic |= bit;
    else
        return false;
    return true;
}

/* The number of a lane of v->lane bytes. */
static void read_lane(TextReader *t, Value *v, u32 lane, bool is_float, bool patterns) {
    if (is_float && patterns && take_nan(t, v, lane)) return;
    u64 bits = 0;
    u32 single = 0;
    bool ok;
    if (!is_float)
        ok = wr_text_int(&t->token, v->lane * 8u, &bits);
    else if (v->lane == 8)
        ok = wr_text_f64(&t->token, &bits);
    else if ((ok = wr_text_f32(&t->token, &single)))
        bits = single;
    if (!ok) {
        wr_text_fail(t, &t->token, "constant out of range");
        return;
    }
    for (u32 i = 0; i < v->lane; i++) v->bits[lane * v->lane + i] = (u8)(bits >> 8 * i);
    wr_text_next(t);
}

static void read_vector(TextReader *t, Value *v, bool patterns) {
    const struct Shape *shape = NULL;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (wr_text_is_word(t, shapes[i].word)) shape = &shapes[i];
    if (shape == NULL) {
        wr_text_unexpected(t);
        return;
    }
    wr_text_next(t);
    v->type = T_V128;
    v->lane = shape->size;
    v->float_lanes = shape->is_float;
    for (u32 i = 0; t->error == NULL && i < 16u / v->lane; i++)
        read_lane(t, v, i, shape->is_float, patterns);
}

/* T.const; false when the word is none. */
static bool read_number(TextReader *t, Value *v, bool patterns) {
    v->kind = VALUE_NUMBER;
    if (wr_text_take_word(t, OP_V128_CONST)) {
        read_vector(t, v, patterns);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++) {
        if (!wr_text_take_word(t, scalars[i].word)) continue;
        v->type = scalars[i].type;
        v->lane = scalars[i].size;
        v->float_lanes = scalars[i].is_float;
        read_lane(t, v, 0, v->float_lanes, patterns);
        return true;
    }
    return false;
}

/* A null's heap type says nothing: there is one null. */
static void read_null(TextReader *t, Value *v) {
    v->kind = VALUE_NULL;
    if (wr_text_is(t, TOKEN_WORD) || wr_text_is_index(t)) wr_text_next(t);
}

static void read_reference(TextReader *t, Value *v, bool patterns) {
    if (wr_text_take_word(t, OP_REF_NULL)) {
        read_null(t, v);
        return;
    }
    bool is_host = wr_text_is_word(t, WORD_REF_HOST);
    if (is_host || wr_text_is_word(t, WORD_REF_EXTERN)) {
        v->kind = is_host ? VALUE_HOST : VALUE_EXTERN;
        TextReader word = *t;
        wr_text_next(t);
        if (wr_text_is(t, TOKEN_NAT)) {
            v->number = wr_text_read_nat(t, 32);
            return;
        }
        *t = word;
    }
    for (size_t i = 0; patterns && i < ARRAY_LEN(ref_patterns); i++) {
        if (!wr_text_take_word(t, ref_patterns[i].word)) continue;
        v->kind = VALUE_HEAP;
        v->heap = ref_patterns[i].heap;
        return;
    }
    wr_text_unexpected(t);
}

/* At "(". `in_either` forbids to nest alternatives, as the grammar does: they would be of no use. */
static void read_value(TextReader *t, Arena *arena, bool patterns, bool in_either, Value *v) {
    *v = (Value){0};
    wr_text_expect(t, TOKEN_OPEN);
    if (patterns && !in_either && wr_text_take_word(t, WORD_EITHER)) {
        v->kind = VALUE_EITHER;
        Value alternatives[16];
        while (t->error == NULL && wr_text_is(t, TOKEN_OPEN) && v->count < ARRAY_LEN(alternatives))
            read_value(t, arena, true, true, &alternatives[v->count++]);
        v->alternatives = wr_arena_copy(arena, alternatives, v->count * sizeof *v);
        if (v->alternatives == NULL) wr_text_fail_memory(t);
    } else if (!read_number(t, v, patterns)) {
        read_reference(t, v, patterns);
    }
    wr_text_expect(t, TOKEN_CLOSE);
}

Value *wr_values_read(TextReader *t, Arena *arena, bool patterns, u32 *count) {
    Value *values = NULL;
    u32 n = 0, capacity = 0;
    for (; t->error == NULL && wr_text_is(t, TOKEN_OPEN); n++) {
        if (n == capacity) {
            capacity = capacity == 0 ? 4 : capacity * 2;
            Value *more = wr_arena_new(arena, capacity, sizeof *more);
            if (more == NULL) {
                wr_text_fail_memory(t);
                break;
            }
            if (n > 0) memcpy(more, values, n * sizeof *more);
            values = more;
        }
        read_value(t, arena, patterns, false, &values[n]);
    }
    *count = t->error == NULL ? n : 0;
    return values;
}

/* ---- passing ---- */

static HeapType top_of(const Store *store, ValType type) {
    static const u8 tops[] = {HEAP_FUNC, HEAP_EXTERN, HEAP_EXN};
    const TypeTable *types = store->engine->types;
    for (size_t i = 0; i < ARRAY_LEN(tops); i++)
        if (wr_heap_matches(types, type_heap(type), tops[i])) return tops[i];
    return HEAP_ANY;
}

static bool pass_reference(Store *store, const Value *value, ValType type, Slot *slots,
                           bool *out_of_memory) {
    if (!type_is_ref(type) || value->kind == VALUE_HEAP || value->kind == VALUE_EITHER)
        return false;
    slots->ref = 0;
    if (value->kind == VALUE_NULL) return wr_store_ref_matches(store, 0, type);
    if (top_of(store, type) != (value->kind == VALUE_HOST ? HEAP_ANY : HEAP_EXTERN)) return false;
    slots->ref = wr_store_new_extern(store, (void *)(uintptr_t)value->number);
    *out_of_memory = slots->ref == 0;
    return slots->ref != 0 && wr_store_ref_matches(store, slots->ref, type);
}

bool wr_value_pass(Store *store, const Value *value, ValType type, Slot *slots,
                   bool *out_of_memory) {
    *out_of_memory = false;
    if (value->kind != VALUE_NUMBER)
        return pass_reference(store, value, type, slots, out_of_memory);
    slots[0].u64 = le64_load(value->bits);
    if (type == T_V128) slots[1].u64 = le64_load(value->bits + 8);
    return value->type == type;
}

/* ---- matching ---- */

typedef enum NanKind { NAN_NONE, NAN_CANONICAL, NAN_ARITHMETIC } NanKind;

static NanKind nan_of(const Value *v, u32 lane) {
    if (v->canonical >> lane & 1) return NAN_CANONICAL;
    return v->arithmetic >> lane & 1 ? NAN_ARITHMETIC : NAN_NONE;
}

/* Whether a float of `size` bytes is such a NaN: of any sign; canonical, the payload's highest bit
 * alone; arithmetic, that bit and any others. */
static bool nan_matches(NanKind kind, u32 size, u64 bits) {
    u64 sign = (u64)1 << (size * 8 - 1), canonical = size == 4 ? 0x7FC00000 : 0x7FF8000000000000;
    return kind == NAN_CANONICAL ? (bits & ~sign) == canonical : (bits & canonical) == canonical;
}

static u64 lane_bits(const u8 *bytes, u32 size) {
    u64 bits = 0;
    for (u32 i = size; i-- > 0;) bits = bits << 8 | bytes[i];
    return bits;
}

static void slots_to_bytes(ValType type, const Slot *slots, u8 bytes[16]) {
    memset(bytes, 0, 16);
    le64_store(bytes, slots[0].u64);
    if (type == T_V128) le64_store(bytes + 8, slots[1].u64);
}

static bool number_matches(const Value *v, ValType type, const Slot *slots) {
    if (v->type != type) return false;
    u8 actual[16];
    slots_to_bytes(type, slots, actual);
    u32 lanes = type == T_V128 ? 16u / v->lane : 1;
    for (u32 i = 0; i < lanes; i++) {
        NanKind nan = nan_of(v, i);
        u64 bits = lane_bits(actual + i * v->lane, v->lane);
        if (nan != NAN_NONE ? !nan_matches(nan, v->lane, bits)
                            : bits != lane_bits(v->bits + i * v->lane, v->lane))
            return false;
    }
    return true;
}

static bool host_matches(const Store *store, const Value *v, ValType type, u64 ref) {
    void *value;
    return top_of(store, type) == (v->kind == VALUE_HOST ? HEAP_ANY : HEAP_EXTERN) &&
           wr_store_get_extern(store, ref, &value) && (uintptr_t)value == v->number;
}

bool wr_value_matches(const Store *store, const Value *v, ValType type, const Slot *slots) {
    switch (v->kind) {
    case VALUE_NUMBER: return number_matches(v, type, slots);
    case VALUE_NULL: return type_is_ref(type) && slots->ref == 0;
    case VALUE_EXTERN:
    case VALUE_HOST: return type_is_ref(type) && host_matches(store, v, type, slots->ref);
    case VALUE_HEAP:
        return type_is_ref(type) && slots->ref != 0 &&
               top_of(store, type) == top_of(store, T_REF(v->heap, 0)) &&
               wr_store_ref_matches(store, slots->ref, T_REF(v->heap, 0));
    case VALUE_EITHER:
        for (u32 i = 0; i < v->count; i++)
            if (wr_value_matches(store, &v->alternatives[i], type, slots)) return true;
        return false;
    }
    return false;
}

/* ---- printing ---- */

void wr_print(Buffer *b, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length > 0) wr_put_bytes(b, text, min_u64((u64)length, sizeof text - 1));
}

/* Floats as decimal and, what decides, as bits. */
static void print_lane(Buffer *b, u32 size, bool is_float, u64 bits) {
    if (is_float) {
        f64 wide;
        u32 narrow = (u32)bits;
        f32 single;
        memcpy(&wide, &bits, sizeof wide);
        memcpy(&single, &narrow, sizeof single);
        wr_print(b, " %.*g", size == 4 ? 9 : 17, size == 4 ? (f64)single : wide);
        wr_print(b, "(;0x%0*" PRIx64 ";)", (int)size * 2, bits);
    } else if (size >= 4) {
        wr_print(b, " %" PRId64, size == 4 ? (i64)(i32)bits : (i64)bits);
    } else {
        wr_print(b, " 0x%0*" PRIx64, (int)size * 2, bits);
    }
}

static void print_number(Buffer *b, const Value *v) {
    if (v->type == T_V128) {
        const char *shape = "i32x4";
        for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
            if (shapes[i].size == v->lane && shapes[i].is_float == v->float_lanes)
                shape = shapes[i].text;
        wr_print(b, "(v128.const %s", shape);
    } else {
        wr_print(b, "(%c%u.const", v->float_lanes ? 'f' : 'i', v->lane * 8u);
    }
    u32 lanes = v->type == T_V128 ? 16u / v->lane : 1;
    for (u32 i = 0; i < lanes; i++) {
        NanKind nan = nan_of(v, i);
        if (nan == NAN_NONE)
            print_lane(b, v->lane, v->float_lanes, lane_bits(v->bits + i * v->lane, v->lane));
        else
            wr_print(b, " nan:%s", nan == NAN_CANONICAL ? "canonical" : "arithmetic");
    }
    wr_print(b, ")");
}

void wr_value_print(Buffer *b, const Value *v) {
    switch (v->kind) {
    case VALUE_NUMBER: print_number(b, v); break;
    case VALUE_NULL: wr_print(b, "(ref.null)"); break;
    case VALUE_EXTERN: wr_print(b, "(ref.extern %" PRIu64 ")", v->number); break;
    case VALUE_HOST: wr_print(b, "(ref.host %" PRIu64 ")", v->number); break;
    case VALUE_HEAP:
        for (size_t i = 0; i < ARRAY_LEN(ref_patterns); i++)
            if (ref_patterns[i].heap == v->heap) wr_print(b, "(%s)", ref_patterns[i].text);
        break;
    case VALUE_EITHER:
        wr_print(b, "(either");
        for (u32 i = 0; i < v->count; i++) {
            wr_print(b, " ");
            wr_value_print(b, &v->alternatives[i]);
        }
        wr_print(b, ")");
        break;
    }
}

/* The narrowest that a script can say of a reference. */
static void print_reference(Buffer *b, const Store *store, ValType type, u64 ref) {
    static const u8 narrow_first[] = {HEAP_I31,  HEAP_STRUCT, HEAP_ARRAY, HEAP_EQ,
                                      HEAP_FUNC, HEAP_EXN,    HEAP_ANY,   HEAP_EXTERN};
    Value v = {.kind = ref == 0 ? VALUE_NULL : VALUE_HEAP, .heap = HEAP_ANY};
    HeapType top = top_of(store, type);
    void *host;
    if (ref != 0 && (top == HEAP_ANY || top == HEAP_EXTERN) &&
        wr_store_get_extern(store, ref, &host)) {
        v.kind = top == HEAP_ANY ? VALUE_HOST : VALUE_EXTERN;
        v.number = (uintptr_t)host;
    }
    for (size_t i = 0; v.kind == VALUE_HEAP && i < ARRAY_LEN(narrow_first); i++) {
        Value candidate = {.kind = VALUE_HEAP, .heap = narrow_first[i]};
        Slot slot = {.ref = ref};
        if (!wr_value_matches(store, &candidate, type, &slot)) continue;
        v = candidate;
        break;
    }
    wr_value_print(b, &v);
}

void wr_value_print_slots(Buffer *b, const Store *store, ValType type, const Slot *slots) {
    if (type_is_ref(type)) {
        print_reference(b, store, type, slots->ref);
        return;
    }
    bool is_float = type == T_F32 || type == T_F64;
    Value v = {.kind = VALUE_NUMBER, .type = type, .float_lanes = is_float};
    v.lane = type == T_I64 || type == T_F64 ? 8 : 4;
    slots_to_bytes(type, slots, v.bits);
    wr_value_print(b, &v);
}
