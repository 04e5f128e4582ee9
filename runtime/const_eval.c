/*
 * const_eval.c - a small stack machine over the instructions that may stand in constant
 * expressions. The module is validated: operands are there and have the right types, indices are in
 * range.
 *
 * Instructions that make objects of the garbage-collected heap all meet in eval_heap().
 */
#include "const_eval.h"

#include "decode.h"

#define INLINE_SLOTS 16u

typedef struct Eval {
    Instance *instance;
    Reader reader;
    Slot *stack;
    u32 height, capacity;
    bool on_heap; /* the stack, once it has outgrown the first one */
    Error *error; /* own */
} Eval;

/* ---- the stack ------------------------------------------------------------------------------ */

static bool grow_stack(Eval *e) {
    const Alloc *alloc = &e->instance->store->alloc;
    size_t old_size = e->capacity * sizeof(Slot), size;
    if (e->capacity > UINT32_MAX / 2 || !mul_size(old_size, 2, &size)) return false;
    Slot *larger = wr_alloc(alloc, size);
    if (!larger) return false;
    memcpy(larger, e->stack, old_size);
    if (e->on_heap) wr_free(alloc, e->stack, old_size);
    e->stack = larger;
    e->capacity *= 2;
    e->on_heap = true;
    return true;
}

static void push(Eval *e, u64 value) {
    if (e->height == e->capacity && !grow_stack(e)) {
        if (!e->error) e->error = ERROR_OOM;
        return;
    }
    e->stack[e->height++].u64 = value;
}

static u64 pop(Eval *e) {
    ASSERT(e->height > 0 || e->error);
    return e->height > 0 ? e->stack[--e->height].u64 : 0;
}

/* ---- instructions --------------------------------------------------------------------------- */

static void global_get(Eval *e) {
    const Global *global = e->instance->globals[wr_read_u32(&e->reader)];
    push(e, global->value[0].u64);
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

/* struct.new, array.new and their like. The heap comes with the collector. */
static void eval_heap(Eval *e, Opcode op, const u8 *at) {
    u64 offset = wr_module_offset(e->instance->module, at);
    e->error = wr_error_at(WR_ERROR_UNLINKABLE, offset,
                           "%s in a constant expression needs the heap", wr_op_info[op].text);
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
    const u8 *at = r->pos;
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
    case OP_ANY_CONVERT_EXTERN: /* host values and i31 look alike in both hierarchies */
    case OP_EXTERN_CONVERT_ANY: break;
    default: eval_heap(e, op, at);
    }
    if (!e->error) e->error = r->error;
    return !e->error;
}

Error *wr_const_eval(Instance *instance, const ConstExpr *expr, Slot out[2]) {
    const u8 *bytes = instance->module->bytes, *start = bytes + expr->offset;
    Slot first_stack[INLINE_SLOTS];
    Eval e = {
        .instance = instance,
        .reader = {.pos = start, .end = start + expr->size, .base = bytes},
        .stack = first_stack,
        .capacity = INLINE_SLOTS,
    };
    while (step(&e)) continue;
    for (u32 i = 0; i < 2; i++) out[i].u64 = i < e.height ? e.stack[i].u64 : 0;
    if (e.on_heap) wr_free(&instance->store->alloc, e.stack, e.capacity * sizeof(Slot));
    return e.error;
}
