/*
 * const_eval.c - a small stack machine over the instructions that may stand in constant
 * expressions. The module is validated: operands are there and have the right types, indices are in
 * range.
 *
 * Instructions that make objects of the garbage-collected heap all meet in eval_heap(). The
 * operands are roots of the collector while it may run: the store lists the stack.
 */
#include "const_eval.h"

#include "decode.h"
#include "object.h"

#define INLINE_SLOTS 16u

typedef struct Eval {
    Instance *instance;
    Reader reader;
    ConstStack stack;
    u8 *is_ref; /* stack.is_ref */
    u32 capacity;
    bool on_heap; /* the stack, once it has outgrown the first one */
    Error *error; /* own */
} Eval;

/* ---- the stack ------------------------------------------------------------------------------ */

#define VALUE_SIZE (sizeof(Slot) + 1) /* a slot, and its is_ref behind all slots */

static bool grow_stack(Eval *e) {
    const Alloc *alloc = &e->instance->store->alloc;
    if (e->capacity > UINT32_MAX / 2 / VALUE_SIZE) return false;
    u32 capacity = e->capacity * 2;
    Slot *slots = wr_alloc(alloc, capacity * VALUE_SIZE);
    if (!slots) return false;
    u8 *is_ref = (u8 *)(slots + capacity);
    memcpy(slots, e->stack.slots, e->stack.height * sizeof(Slot));
    memcpy(is_ref, e->is_ref, e->stack.height);
    if (e->on_heap) wr_free(alloc, e->stack.slots, e->capacity * VALUE_SIZE);
    e->stack.slots = slots;
    e->stack.is_ref = e->is_ref = is_ref;
    e->capacity = capacity;
    e->on_heap = true;
    return true;
}

static void push_value(Eval *e, u64 value, bool is_ref) {
    if (e->stack.height == e->capacity && !grow_stack(e)) {
        if (!e->error) e->error = ERROR_OOM;
        return;
    }
    e->is_ref[e->stack.height] = is_ref;
    e->stack.slots[e->stack.height++].u64 = value;
}

static void push(Eval *e, u64 value) { push_value(e, value, false); }

static u64 pop(Eval *e) {
    ASSERT(e->stack.height > 0 || e->error);
    return e->stack.height > 0 ? e->stack.slots[--e->stack.height].u64 : 0;
}

static void pop_slots(Eval *e, u32 n) {
    ASSERT(e->stack.height >= n);
    e->stack.height -= n;
}

/* ---- instructions --------------------------------------------------------------------------- */

static void global_get(Eval *e) {
    const Global *global = e->instance->globals[wr_read_u32(&e->reader)];
    const TypeTable *types = e->instance->store->engine->types;
    push_value(e, global->value[0].u64, wr_type_in_heap(types, global->type));
    if (global->wide) push(e, global->value[1].u64);
}

static void ref_func(Eval *e) { push(e, e->instance->funcs[wr_read_u32(&e->reader)]->handle); }

/* Little-endian constants of `size` bytes, 8 or fewer to a slot. */
static void fixed_const(Eval *e, u64 size) {
    const u8 *p = wr_read_bytes(&e->reader, size);
    if (!p) return;
    if (size == 4) {
        push(e, le32_load(p));
    } else {
        for (u64 i = 0; i < size; i += 8) push(e, le64_load(p + i));
    }
}

typedef u64 Binary(u64 a, u64 b);
static u64 add(u64 a, u64 b) { return a + b; }
static u64 sub(u64 a, u64 b) { return a - b; }
static u64 mul(u64 a, u64 b) { return a * b; }

static void binary(Eval *e, Binary *operation, u64 mask) {
    u64 b = pop(e), a = pop(e);
    push(e, operation(a, b) & mask);
}

/* Operands are popped when the object is made: until then they are roots. */
static u32 new_struct(Eval *e, const DefType *type, bool is_default, bool has_descriptor) {
    u32 slots = (is_default ? 0 : wr_struct_slots(type)) + has_descriptor;
    const Slot *values = e->stack.slots + (e->stack.height - slots), *top = values + slots;
    u32 descriptor = has_descriptor ? (u32)top[-1].ref : 0;
    if (has_descriptor && descriptor == 0) {
        e->error = wr_error_trap(WR_TRAP_NULL_DESCRIPTOR_REFERENCE);
        return 0;
    }
    u32 ref = wr_struct_new(e->instance->store, type, descriptor, is_default ? NULL : values);
    pop_slots(e, slots);
    return ref;
}

static u32 new_array(Eval *e, const DefType *type, bool is_default) {
    u32 length = (u32)pop(e), slots = is_default ? 0 : place_slots(place_width(type->places[0]));
    const Slot *value = e->stack.slots + (e->stack.height - slots);
    u32 ref = wr_array_new(e->instance->store, type, length, is_default ? NULL : value);
    pop_slots(e, slots);
    return ref;
}

static u32 new_array_fixed(Eval *e, const DefType *type, u32 length) {
    u32 slots = length * place_slots(place_width(type->places[0]));
    const Slot *values = e->stack.slots + (e->stack.height - slots);
    u32 ref = wr_array_new_fixed(e->instance->store, type, length, values);
    pop_slots(e, slots);
    return ref;
}

/* struct.new, array.new and their like. */
static void eval_heap(Eval *e, Opcode op) {
    const DefType *type = e->instance->types[wr_read_u32(&e->reader)];
    u32 ref = 0;
    switch ((int)op) {
    case OP_STRUCT_NEW: ref = new_struct(e, type, false, false); break;
    case OP_STRUCT_NEW_DEFAULT: ref = new_struct(e, type, true, false); break;
    case OP_STRUCT_NEW_DESC: ref = new_struct(e, type, false, true); break;
    case OP_STRUCT_NEW_DEFAULT_DESC: ref = new_struct(e, type, true, true); break;
    case OP_ARRAY_NEW: ref = new_array(e, type, false); break;
    case OP_ARRAY_NEW_DEFAULT: ref = new_array(e, type, true); break;
    case OP_ARRAY_NEW_FIXED: ref = new_array_fixed(e, type, wr_read_u32(&e->reader)); break;
    default: ASSERT(false && "an instruction that is not constant");
    }
    e->instance->store->const_objects++;
    if (ref)
        push_value(e, ref, true);
    else if (!e->error)
        e->error = wr_error_trap(WR_TRAP_ALLOCATION_FAILURE);
}

static Opcode read_opcode(Reader *r) {
    u8 byte = wr_read_u8(r);
    return byte >= 0xFB && byte <= 0xFE ? wr_op_from_code(byte, wr_read_u32(r))
                                        : wr_op_from_code(0, byte);
}

#define MASK32 ((u64)UINT32_MAX)

/* Executes one instruction; false at the final `end`, or after an error. */
static bool step(Eval *e) {
    Reader *r = &e->reader;
    Opcode op = read_opcode(r);
    switch ((int)op) {
    case OP_END: return false;
    case OP_I32_CONST: push(e, (u32)wr_read_s32(r)); break;
    case OP_I64_CONST: push(e, (u64)wr_read_s64(r)); break;
    case OP_F32_CONST: fixed_const(e, 4); break;
    case OP_F64_CONST: fixed_const(e, 8); break;
    case OP_V128_CONST: fixed_const(e, 16); break;
    case OP_GLOBAL_GET: global_get(e); break;
    case OP_REF_FUNC: ref_func(e); break;
    case OP_REF_NULL:
        (void)wr_read_heaptype(r, e->instance->module);
        push(e, 0);
        break;
    case OP_I32_ADD: binary(e, add, MASK32); break;
    case OP_I32_SUB: binary(e, sub, MASK32); break;
    case OP_I32_MUL: binary(e, mul, MASK32); break;
    case OP_I64_ADD: binary(e, add, UINT64_MAX); break;
    case OP_I64_SUB: binary(e, sub, UINT64_MAX); break;
    case OP_I64_MUL: binary(e, mul, UINT64_MAX); break;
    case OP_REF_I31: push(e, ((pop(e) << 1) & MASK32) | 1); break;
    case OP_ANY_CONVERT_EXTERN: /* references look alike in both hierarchies */
    case OP_EXTERN_CONVERT_ANY: break;
    default: eval_heap(e, op);
    }
    if (!e->error) e->error = r->error;
    return !e->error;
}

Error *wr_const_eval(Instance *instance, const ConstExpr *expr, Slot out[2]) {
    const u8 *bytes = instance->module->bytes, *start = bytes + expr->offset;
    Store *store = instance->store;
    i32 value;
    /* what lies behind the expression in the module is there, too, but for the last bytes */
    if (wr_plain_const(start, bytes + instance->module->size, &value) != NULL) {
        out[0].u64 = (u32)value;
        out[1].u64 = 0;
        return NULL;
    }
    Slot first_slots[INLINE_SLOTS];
    u8 first_is_ref[INLINE_SLOTS];
    Eval e = {
        .instance = instance,
        .reader = {.pos = start, .end = start + expr->size, .base = bytes},
        .stack = {store->const_stacks, first_slots, first_is_ref, 0},
        .is_ref = first_is_ref,
        .capacity = INLINE_SLOTS,
    };
    store->const_stacks = &e.stack;
    while (step(&e)) continue;
    store->const_stacks = e.stack.outer;
    for (u32 i = 0; i < 2; i++) out[i].u64 = i < e.stack.height ? e.stack.slots[i].u64 : 0;
    if (e.on_heap) wr_free(&store->alloc, e.stack.slots, e.capacity * VALUE_SIZE);
    return e.error;
}
