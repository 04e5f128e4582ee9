/*
 * lower_memory.c - linear memories: loads, stores, atomics, size, growth, bulk operations (spec:
 * exec/instructions, memory).
 *
 * An access of a guarded memory needs no check: it is volatile, so that it is done, and in order, even if
 * nobody wants what it loads; a fault is its trap. Any other access is compared with the memory's size first,
 * and may then be as plain as C's, except in a shared memory, where another thread may write what it
 * reads: these are volatile, too. Nothing is assumed about alignment but of atomics, which trap.
 */
#include "lower.h"

/* ---- memories ---- */

static const MemoryDecl *decl_of(const Lower *l, u32 memory) {
    return &l->module->memories[memory];
}
static bool is_64(const Lower *l, u32 memory) { return decl_of(l, memory)->limits.is_64; }
static bool is_shared(const Lower *l, u32 memory) { return decl_of(l, memory)->limits.is_shared; }
static bool is_guarded(const Lower *l, u32 memory) {
    return memory < 64 && (l->unit->plan->guarded_memories >> memory & 1) != 0;
}

static LLVMValueRef load_memory(Lower *l, u32 memory) {
    return wr_lower_entity(l, offsetof(struct wr_instance, memories), memory);
}

/* Neither guarded nor shared memories move. Memory 0 is in the instance, too. */
static LLVMValueRef load_base(Lower *l, u32 memory) {
    bool stays = is_guarded(l, memory) || is_shared(l, memory);
    if (memory == 0 && stays) return wr_lower_memory_base(l);
    LLVMValueRef at =
        memory == 0 ? wr_lower_field(l, l->context, offsetof(struct wr_instance, mem_base))
                    : wr_lower_field(l, load_memory(l, memory), offsetof(struct wr_memory, base));
    return stays ? wr_lower_load_fixed(l, l->unit->ptr, at, 0)
                 : wr_lower_load(l, l->unit->ptr, at, l->unit->tbaa_instance);
}

/* Bytes; of a shared memory, the last that was heard of. */
static LLVMValueRef load_size(Lower *l, u32 memory) {
    LLVMValueRef at =
        memory == 0 ? wr_lower_field(l, l->context, offsetof(struct wr_instance, mem_size))
                    : wr_lower_field(l, load_memory(l, memory), offsetof(struct wr_memory, size));
    return wr_lower_load(l, l->unit->i64, at, l->unit->tbaa_instance);
}

static LLVMValueRef load_shared_size(Lower *l, u32 memory) {
    LLVMValueRef index = wr_lower_i32(l, memory);
    LLVMValueRef pages = wr_lower_helper(l, HELPER_MEMORY_SIZE, &index, 1);
    return LLVMBuildShl(l->b, pages, wr_lower_i64(l, decl_of(l, memory)->page_size_log2), "");
}

/* The bytes that it has at least, at any time. */
static u64 least_size(const Lower *l, u32 memory) {
    const MemoryDecl *decl = decl_of(l, memory);
    u64 pages = decl->limits.min;
    return pages >> (64 - 17) != 0 ? 0 : pages << decl->page_size_log2;
}

/* ---- addresses ---- */

static LLVMValueRef widen(Lower *l, LLVMValueRef address) {
    return LLVMBuildZExt(l->b, address, l->unit->i64, "");
}

/* Whether bytes [index, index + reach) lie outside of a memory of that size, which has `least` at least. What is
 * subtracted from the size does not depend on the index, and nothing overflows. */
static LLVMValueRef is_outside(Lower *l, LLVMValueRef index, u64 reach, LLVMValueRef size,
                               u64 least) {
    LLVMTypeRef type = l->unit->i64;
    if (reach <= least) {
        LLVMValueRef last = LLVMBuildNUWSub(l->b, size, wr_lower_i64(l, reach), "");
        return LLVMBuildICmp(l->b, LLVMIntUGT, index, last, "");
    }
    unsigned id = LLVMLookupIntrinsicID("llvm.usub.sat", 13);
    LLVMValueRef arguments[] = {size, wr_lower_i64(l, reach - 1)};
    LLVMValueRef room = LLVMBuildCall2(l->b, LLVMIntrinsicGetType(l->unit->context, id, &type, 1),
                                       LLVMGetIntrinsicDeclaration(l->unit->module, id, &type, 1),
                                       arguments, 2, "");
    return LLVMBuildICmp(l->b, LLVMIntUGE, index, room, "");
}

/* A shared memory may have grown since its size was last heard of. */
static void check_shared(Lower *l, LLVMValueRef outside, LLVMValueRef index, u64 reach) {
    LLVMBasicBlockRef likely;
    wr_lower_unlikely(l, outside, &likely);
    LLVMValueRef size = load_shared_size(l, l->at.index);
    LLVMValueRef still = is_outside(l, index, reach, size, least_size(l, l->at.index));
    wr_lower_trap_if(l, still, WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    LLVMBuildBr(l->b, likely);
    LLVMPositionBuilderAtEnd(l->b, likely);
}

/* Traps unless `bytes` bytes at index + offset, which are 64-bit numbers, are in the memory. */
static void check_bounds(Lower *l, LLVMValueRef index, u32 bytes) {
    u32 memory = l->at.index;
    u64 least = least_size(l, memory), reach = l->at.offset + bytes;
    if (reach < bytes) { /* no memory reaches as far */
        wr_lower_trap_if(l, LLVMConstInt(l->unit->i1, 1, 0), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
        return;
    }
    if (LLVMIsAConstantInt(index) != NULL && reach <= least &&
        LLVMConstIntGetZExtValue(index) <= least - reach)
        return;
    LLVMValueRef outside = is_outside(l, index, reach, load_size(l, memory), least);
    if (is_shared(l, memory))
        check_shared(l, outside, index, reach);
    else
        wr_lower_trap_if(l, outside, WR_TRAP_MEMORY_OUT_OF_BOUNDS);
}

/* An access, checked as far as it has to be. */
typedef struct Access {
    LLVMValueRef pointer;
    bool is_volatile;
} Access;

/* Does not overflow: the bounds are checked, or the index has 32 bits, and so has the offset. */
static LLVMValueRef add_offset(Lower *l, LLVMValueRef index) {
    if (l->at.offset == 0) return index;
    return LLVMBuildNUWAdd(l->b, index, wr_lower_i64(l, l->at.offset), "");
}

static Access access_at(Lower *l, LLVMValueRef address, u32 bytes) {
    u32 memory = l->at.index;
    LLVMValueRef index = widen(l, address);
    bool faults = is_guarded(l, memory) && l->at.offset < MEMORY_GUARD - 16;
    if (!faults) check_bounds(l, index, bytes);
    LLVMValueRef place = add_offset(l, index);
    LLVMValueRef pointer = LLVMBuildGEP2(l->b, l->unit->i8, load_base(l, memory), &place, 1, "");
    return (Access){pointer, faults || is_shared(l, memory)};
}

static void mark(Lower *l, LLVMValueRef access, const Access *a) {
    LLVMSetMetadata(access, l->unit->kind_tbaa, l->unit->tbaa_memory);
    LLVMSetVolatile(access, a->is_volatile);
    LLVMSetAlignment(access, 1);
}

/* What may fault is frozen: LLVM makes one load of those that a phi joins (places.h). */
static LLVMValueRef load_at(Lower *l, const Access *a, LLVMTypeRef type) {
    if (a->is_volatile) wr_lower_fuel_keep(l);
    LLVMValueRef load = LLVMBuildLoad2(l->b, type, a->pointer, "");
    mark(l, load, a);
    return a->is_volatile ? LLVMBuildFreeze(l->b, load, "") : load;
}

static void store_at(Lower *l, const Access *a, LLVMValueRef value) {
    if (a->is_volatile) wr_lower_fuel_keep(l);
    mark(l, LLVMBuildStore(l->b, value, a->pointer), a);
}

/* ---- numbers: access.def ---- */

typedef struct Number {
    u8 bytes;
    bool is_signed;
    char type; /* operand: as in opcodes.def */
} Number;

#define BYTES_u8 1
#define BYTES_i8 1
#define BYTES_u16 2
#define BYTES_i16 2
#define BYTES_u32 4
#define BYTES_i32 4
#define BYTES_u64 8
#define SIGNED_u8 false
#define SIGNED_i8 true
#define SIGNED_u16 false
#define SIGNED_i16 true
#define SIGNED_u32 false
#define SIGNED_i32 true
#define SIGNED_u64 false
#define LETTER_u32 'i'
#define LETTER_u64 'I'
#define LETTER_f32 'f'
#define LETTER_f64 'F'
#define NUMBER(memory, operand) ((Number){BYTES_##memory, SIGNED_##memory, LETTER_##operand})

static LLVMTypeRef operand_type(const Unit *u, char letter) {
    return letter == 'i' ? u->i32 : letter == 'I' ? u->i64 : letter == 'f' ? u->f32 : u->f64;
}

static LLVMTypeRef bytes_type(const Unit *u, u32 bytes) {
    return bytes == 1 ? u->i8 : bytes == 2 ? u->i16 : bytes == 4 ? u->i32 : u->i64;
}

static bool is_float(Number n) { return n.type == 'f' || n.type == 'F'; }

static void lower_load(Lower *l, Number n) {
    const Unit *u = l->unit;
    LLVMTypeRef type = operand_type(u, n.type);
    Access a = access_at(l, wr_lower_pop(l), n.bytes);
    LLVMValueRef value = load_at(l, &a, is_float(n) ? type : bytes_type(u, n.bytes));
    wr_lower_push(l, is_float(n) ? value : LLVMBuildIntCast2(l->b, value, type, n.is_signed, ""));
}

static void lower_store(Lower *l, Number n) {
    LLVMValueRef value = wr_lower_pop(l);
    Access a = access_at(l, wr_lower_pop(l), n.bytes);
    if (!is_float(n)) value = LLVMBuildIntCast2(l->b, value, bytes_type(l->unit, n.bytes), 0, "");
    store_at(l, &a, value);
}

static bool lower_number(Lower *l, Opcode op) {
    switch ((int)op) {
#define LOAD(id, memory, operand)                                                                  \
    case OP_##id: lower_load(l, NUMBER(memory, operand)); return true;
#define STORE(id, memory, operand)                                                                 \
    case OP_##id: lower_store(l, NUMBER(memory, operand)); return true;
#define LOAD_V(id, bytes, expression)
#define STORE_V(id, bytes, expression)
#define LOAD_LANE(id, bytes, expression)
#define STORE_LANE(id, bytes, expression)
#include "access.def"
#undef LOAD
#undef STORE
#undef LOAD_V
#undef STORE_V
#undef LOAD_LANE
#undef STORE_LANE
    default: return false;
    }
}

/* ---- vectors ---- */

static LLVMTypeRef lanes_type(const Unit *u, u32 bytes) {
    return LLVMVectorType(bytes_type(u, bytes), 16 / bytes);
}

static void push_vector(Lower *l, LLVMValueRef vector) {
    wr_lower_push(l, LLVMBuildBitCast(l->b, vector, l->unit->v128, ""));
}

static void lower_load_v128(Lower *l) {
    Access a = access_at(l, wr_lower_pop(l), 16);
    wr_lower_push(l, load_at(l, &a, l->unit->v128));
}

static void lower_store_v128(Lower *l) {
    LLVMValueRef value = wr_lower_pop(l);
    Access a = access_at(l, wr_lower_pop(l), 16);
    store_at(l, &a, value);
}

/* 8 bytes, each lane of `bytes` widened to twice as many. */
static void lower_load_extend(Lower *l, u32 bytes, bool is_signed) {
    Access a = access_at(l, wr_lower_pop(l), 8);
    LLVMTypeRef narrow = LLVMVectorType(bytes_type(l->unit, bytes), 8 / bytes);
    LLVMTypeRef wide = lanes_type(l->unit, bytes * 2);
    LLVMValueRef value = load_at(l, &a, narrow);
    push_vector(l, is_signed ? LLVMBuildSExt(l->b, value, wide, "")
                             : LLVMBuildZExt(l->b, value, wide, ""));
}

static LLVMValueRef insert(Lower *l, LLVMValueRef vector, LLVMValueRef value, u32 lane) {
    return LLVMBuildInsertElement(l->b, vector, value, wr_lower_i32(l, lane), "");
}

static void lower_load_splat(Lower *l, u32 bytes) {
    LLVMTypeRef lanes = lanes_type(l->unit, bytes);
    Access a = access_at(l, wr_lower_pop(l), bytes);
    LLVMValueRef value = load_at(l, &a, bytes_type(l->unit, bytes));
    LLVMValueRef none = LLVMGetPoison(lanes), one = insert(l, none, value, 0);
    LLVMValueRef mask = LLVMConstNull(LLVMVectorType(l->unit->i32, 16 / bytes));
    push_vector(l, LLVMBuildShuffleVector(l->b, one, none, mask, ""));
}

static void lower_load_zero(Lower *l, u32 bytes) {
    Access a = access_at(l, wr_lower_pop(l), bytes);
    LLVMValueRef value = load_at(l, &a, bytes_type(l->unit, bytes));
    push_vector(l, insert(l, LLVMConstNull(lanes_type(l->unit, bytes)), value, 0));
}

static void lower_load_lane(Lower *l, u32 bytes) {
    LLVMTypeRef lanes = lanes_type(l->unit, bytes);
    LLVMValueRef vector = LLVMBuildBitCast(l->b, wr_lower_pop(l), lanes, "");
    Access a = access_at(l, wr_lower_pop(l), bytes);
    LLVMValueRef value = load_at(l, &a, bytes_type(l->unit, bytes));
    push_vector(l, insert(l, vector, value, l->at.lane));
}

static void lower_store_lane(Lower *l, u32 bytes) {
    LLVMTypeRef lanes = lanes_type(l->unit, bytes);
    LLVMValueRef vector = LLVMBuildBitCast(l->b, wr_lower_pop(l), lanes, "");
    Access a = access_at(l, wr_lower_pop(l), bytes);
    LLVMValueRef lane = wr_lower_i32(l, l->at.lane);
    store_at(l, &a, LLVMBuildExtractElement(l->b, vector, lane, ""));
}

static bool lower_vector(Lower *l, Opcode op) {
    switch ((int)op) {
    case OP_V128_LOAD: lower_load_v128(l); return true;
    case OP_V128_STORE: lower_store_v128(l); return true;
    case OP_V128_LOAD8X8_S: lower_load_extend(l, 1, true); return true;
    case OP_V128_LOAD8X8_U: lower_load_extend(l, 1, false); return true;
    case OP_V128_LOAD16X4_S: lower_load_extend(l, 2, true); return true;
    case OP_V128_LOAD16X4_U: lower_load_extend(l, 2, false); return true;
    case OP_V128_LOAD32X2_S: lower_load_extend(l, 4, true); return true;
    case OP_V128_LOAD32X2_U: lower_load_extend(l, 4, false); return true;
    case OP_V128_LOAD8_SPLAT: lower_load_splat(l, 1); return true;
    case OP_V128_LOAD16_SPLAT: lower_load_splat(l, 2); return true;
    case OP_V128_LOAD32_SPLAT: lower_load_splat(l, 4); return true;
    case OP_V128_LOAD64_SPLAT: lower_load_splat(l, 8); return true;
    case OP_V128_LOAD32_ZERO: lower_load_zero(l, 4); return true;
    case OP_V128_LOAD64_ZERO: lower_load_zero(l, 8); return true;
    case OP_V128_LOAD8_LANE: lower_load_lane(l, 1); return true;
    case OP_V128_LOAD16_LANE: lower_load_lane(l, 2); return true;
    case OP_V128_LOAD32_LANE: lower_load_lane(l, 4); return true;
    case OP_V128_LOAD64_LANE: lower_load_lane(l, 8); return true;
    case OP_V128_STORE8_LANE: lower_store_lane(l, 1); return true;
    case OP_V128_STORE16_LANE: lower_store_lane(l, 2); return true;
    case OP_V128_STORE32_LANE: lower_store_lane(l, 4); return true;
    case OP_V128_STORE64_LANE: lower_store_lane(l, 8); return true;
    default: return false;
    }
}

/* ---- atomics ---- */

/* The table has each operation in the same order of widths. */
typedef enum AtomicKind {
    ATOMIC_ADD,
    ATOMIC_SUB,
    ATOMIC_AND,
    ATOMIC_OR,
    ATOMIC_XOR,
    ATOMIC_XCHG,
    ATOMIC_CMPXCHG
} AtomicKind;
static const Number atomic_numbers[] = {{4, false, 'i'}, {8, false, 'I'}, {1, false, 'i'},
                                        {2, false, 'i'}, {1, false, 'I'}, {2, false, 'I'},
                                        {4, false, 'I'}};
#define ATOMIC_WIDTHS ARRAY_LEN(atomic_numbers)
_Static_assert(OP_I32_ATOMIC_STORE - OP_I32_ATOMIC_LOAD == ATOMIC_WIDTHS &&
                   OP_I32_ATOMIC_RMW_ADD - OP_I32_ATOMIC_STORE == ATOMIC_WIDTHS &&
                   OP_I32_ATOMIC_RMW_CMPXCHG - OP_I32_ATOMIC_RMW_ADD ==
                       ATOMIC_CMPXCHG * ATOMIC_WIDTHS &&
                   OP_I64_ATOMIC_RMW32_CMPXCHG_U - OP_I32_ATOMIC_RMW_CMPXCHG + 1 == ATOMIC_WIDTHS,
               "the order of opcodes.def");

/* Out of bounds counts for more than unaligned. */
static Access atomic_at(Lower *l, LLVMValueRef address, u32 bytes) {
    u32 memory = l->at.index;
    LLVMValueRef index = widen(l, address);
    bool faults = is_guarded(l, memory) && l->at.offset < MEMORY_GUARD - 16;
    if (!faults) check_bounds(l, index, bytes);
    LLVMValueRef place = add_offset(l, index);
    LLVMValueRef pointer = LLVMBuildGEP2(l->b, l->unit->i8, load_base(l, memory), &place, 1, "");
    if (bytes > 1) {
        LLVMBasicBlockRef likely;
        LLVMValueRef low = LLVMBuildAnd(l->b, place, wr_lower_i64(l, bytes - 1), "");
        LLVMValueRef odd = LLVMBuildICmp(l->b, LLVMIntNE, low, wr_lower_i64(l, 0), "");
        wr_lower_unlikely(l, odd, &likely);
        if (faults) check_bounds(l, index, bytes);
        wr_lower_trap(l, wr_lower_i32(l, WR_TRAP_UNALIGNED_ATOMIC));
        LLVMPositionBuilderAtEnd(l->b, likely);
    }
    wr_lower_fuel_keep(l);
    return (Access){pointer, true};
}

static void mark_atomic(Lower *l, LLVMValueRef access, u32 bytes) {
    LLVMSetMetadata(access, l->unit->kind_tbaa, l->unit->tbaa_memory);
    LLVMSetVolatile(access, true);
    LLVMSetAlignment(access, bytes);
}

static LLVMValueRef narrow(Lower *l, LLVMValueRef value, Number n) {
    return LLVMBuildIntCast2(l->b, value, bytes_type(l->unit, n.bytes), 0, "");
}

static void push_number(Lower *l, LLVMValueRef value, Number n) {
    wr_lower_push(l, LLVMBuildIntCast2(l->b, value, operand_type(l->unit, n.type), 0, ""));
}

static void lower_atomic_load(Lower *l, Number n) {
    Access a = atomic_at(l, wr_lower_pop(l), n.bytes);
    LLVMValueRef load = LLVMBuildLoad2(l->b, bytes_type(l->unit, n.bytes), a.pointer, "");
    mark_atomic(l, load, n.bytes);
    LLVMSetOrdering(load, LLVMAtomicOrderingSequentiallyConsistent);
    push_number(l, load, n);
}

static void lower_atomic_store(Lower *l, Number n) {
    LLVMValueRef value = narrow(l, wr_lower_pop(l), n);
    Access a = atomic_at(l, wr_lower_pop(l), n.bytes);
    LLVMValueRef store = LLVMBuildStore(l->b, value, a.pointer);
    mark_atomic(l, store, n.bytes);
    LLVMSetOrdering(store, LLVMAtomicOrderingSequentiallyConsistent);
}

static void lower_rmw(Lower *l, Number n, LLVMAtomicRMWBinOp operation) {
    LLVMValueRef value = narrow(l, wr_lower_pop(l), n);
    Access a = atomic_at(l, wr_lower_pop(l), n.bytes);
    LLVMValueRef old = LLVMBuildAtomicRMW(l->b, operation, a.pointer, value,
                                          LLVMAtomicOrderingSequentiallyConsistent, 0);
    mark_atomic(l, old, n.bytes);
    push_number(l, old, n);
}

static void lower_cmpxchg(Lower *l, Number n) {
    LLVMAtomicOrdering order = LLVMAtomicOrderingSequentiallyConsistent;
    LLVMValueRef value = narrow(l, wr_lower_pop(l), n);
    LLVMValueRef expected = narrow(l, wr_lower_pop(l), n);
    Access a = atomic_at(l, wr_lower_pop(l), n.bytes);
    LLVMValueRef both = LLVMBuildAtomicCmpXchg(l->b, a.pointer, expected, value, order, order, 0);
    mark_atomic(l, both, n.bytes);
    push_number(l, LLVMBuildExtractValue(l->b, both, 0, ""), n);
}

static bool lower_rmw_op(Lower *l, Opcode op) {
    static const LLVMAtomicRMWBinOp operations[] = {LLVMAtomicRMWBinOpAdd, LLVMAtomicRMWBinOpSub,
                                                    LLVMAtomicRMWBinOpAnd, LLVMAtomicRMWBinOpOr,
                                                    LLVMAtomicRMWBinOpXor, LLVMAtomicRMWBinOpXchg};
    u32 at = (u32)(op - OP_I32_ATOMIC_RMW_ADD), kind = at / ATOMIC_WIDTHS;
    Number n = atomic_numbers[at % ATOMIC_WIDTHS];
    if (kind == ATOMIC_CMPXCHG)
        lower_cmpxchg(l, n);
    else
        lower_rmw(l, n, operations[kind]);
    return true;
}

/* The address that wait and notify name, with its offset; out of bounds if there is none such. */
static LLVMValueRef pop_place(Lower *l) {
    LLVMValueRef index = widen(l, wr_lower_pop(l)), place;
    LLVMValueRef offset = wr_lower_i64(l, l->at.offset);
    if (!is_64(l, l->at.index)) return add_offset(l, index);
    place = LLVMBuildAdd(l->b, index, offset, "");
    LLVMValueRef wraps = LLVMBuildICmp(l->b, LLVMIntULT, place, offset, "");
    wr_lower_trap_if(l, wraps, WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    return place;
}

static void push_value(Lower *l) {
    wr_lower_push(l, wr_lower_load_slot(l, wr_lower_values(l), 0, l->unit->i32));
}

static void lower_notify(Lower *l) {
    LLVMValueRef count = wr_lower_pop(l), place = pop_place(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), place, count};
    wr_lower_helper(l, HELPER_NOTIFY, arguments, 3);
    push_value(l);
}

static void lower_wait(Lower *l, NativeHelper helper) {
    LLVMValueRef timeout = wr_lower_pop(l), expected = wr_lower_pop(l), place = pop_place(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), place, expected, timeout};
    wr_lower_helper(l, helper, arguments, 4);
    push_value(l);
}

static bool lower_atomic(Lower *l, Opcode op) {
    if (op >= OP_I32_ATOMIC_RMW_ADD && op <= OP_I64_ATOMIC_RMW32_CMPXCHG_U)
        return lower_rmw_op(l, op);
    if (op >= OP_I32_ATOMIC_STORE && op < OP_I32_ATOMIC_RMW_ADD)
        lower_atomic_store(l, atomic_numbers[op - OP_I32_ATOMIC_STORE]);
    else if (op >= OP_I32_ATOMIC_LOAD && op < OP_I32_ATOMIC_STORE)
        lower_atomic_load(l, atomic_numbers[op - OP_I32_ATOMIC_LOAD]);
    else if (op == OP_MEMORY_ATOMIC_NOTIFY)
        lower_notify(l);
    else if (op == OP_MEMORY_ATOMIC_WAIT32)
        lower_wait(l, HELPER_WAIT32);
    else if (op == OP_MEMORY_ATOMIC_WAIT64)
        lower_wait(l, HELPER_WAIT64);
    else if (op == OP_ATOMIC_FENCE)
        LLVMBuildFence(l->b, LLVMAtomicOrderingSequentiallyConsistent, 0, "");
    else
        return false;
    return true;
}

/* ---- size, growth, bulk ---- */

/* A number of pages or bytes, as the memory's address type. */
static void push_address(Lower *l, u32 memory, LLVMValueRef number) {
    LLVMTypeRef type = is_64(l, memory) ? l->unit->i64 : l->unit->i32;
    wr_lower_push(l, LLVMBuildIntCast2(l->b, number, type, 0, ""));
}

static void lower_size(Lower *l) {
    u32 memory = l->at.index;
    LLVMValueRef index = wr_lower_i32(l, memory);
    LLVMValueRef shift = wr_lower_i64(l, decl_of(l, memory)->page_size_log2);
    if (is_shared(l, memory))
        push_address(l, memory, wr_lower_helper(l, HELPER_MEMORY_SIZE, &index, 1));
    else
        push_address(l, memory, LLVMBuildLShr(l->b, load_size(l, memory), shift, ""));
}

static void lower_grow(Lower *l) {
    LLVMValueRef delta = widen(l, wr_lower_pop(l));
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), delta};
    push_address(l, l->at.index, wr_lower_helper(l, HELPER_MEMORY_GROW, arguments, 2));
}

/* ---- short runs of bytes, of a constant length ---- */

#define SHORT_RUN 64u

/* Whether it is one, and how long. */
static bool is_short(LLVMValueRef n, u32 *bytes) {
    if (LLVMIsAConstantInt(n) == NULL) return false;
    u64 value = LLVMConstIntGetZExtValue(n);
    *bytes = (u32)min_u64(value, SHORT_RUN + 1);
    return value > 0 && value <= SHORT_RUN;
}

/* The widest type for what remains. */
static LLVMTypeRef chunk_type(const Unit *u, u32 bytes, u32 *size) {
    *size = bytes >= 16 ? 16 : bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : 1;
    return *size == 16 ? u->v128 : bytes_type(u, *size);
}

/* A run that is in the memory: checked here, since nothing of it may be written if it is not. */
static Access run_at(Lower *l, u32 memory, LLVMValueRef address, u32 bytes) {
    u32 given = l->at.index;
    l->at.index = memory;
    check_bounds(l, address, bytes);
    l->at.index = given;
    LLVMValueRef base = load_base(l, memory);
    LLVMValueRef pointer = LLVMBuildGEP2(l->b, l->unit->i8, base, &address, 1, "");
    return (Access){pointer, is_guarded(l, memory) || is_shared(l, memory)};
}

static Access part_of(Lower *l, const Access *run, u32 at) {
    LLVMValueRef offset = wr_lower_i64(l, at);
    if (at == 0) return *run;
    return (Access){LLVMBuildGEP2(l->b, l->unit->i8, run->pointer, &offset, 1, ""),
                    run->is_volatile};
}

/* All of it is read before anything is written: the runs may overlap. */
static void copy_short(Lower *l, LLVMValueRef to, LLVMValueRef from, u32 bytes) {
    LLVMValueRef chunks[SHORT_RUN];
    u32 size, n = 0;
    Access source = run_at(l, l->at.index2, from, bytes),
           target = run_at(l, l->at.index, to, bytes);
    for (u32 at = 0; at < bytes; at += size) {
        LLVMTypeRef type = chunk_type(l->unit, bytes - at, &size);
        Access part = part_of(l, &source, at);
        chunks[n++] = load_at(l, &part, type);
    }
    n = 0;
    for (u32 at = 0; at < bytes; at += size) {
        (void)chunk_type(l->unit, bytes - at, &size);
        Access part = part_of(l, &target, at);
        store_at(l, &part, chunks[n++]);
    }
}

static void fill_short(Lower *l, LLVMValueRef to, LLVMValueRef value, u32 bytes) {
    const Unit *u = l->unit;
    u32 size;
    LLVMValueRef byte = LLVMBuildTrunc(l->b, value, u->i8, "");
    LLVMValueRef word = LLVMBuildMul(l->b, LLVMBuildZExt(l->b, byte, u->i64, ""),
                                     wr_lower_i64(l, 0x0101010101010101u), "");
    LLVMValueRef both = insert(l, LLVMConstNull(u->v128), word, 0);
    both = insert(l, both, word, 1);
    Access target = run_at(l, l->at.index, to, bytes);
    for (u32 at = 0; at < bytes; at += size) {
        LLVMTypeRef type = chunk_type(u, bytes - at, &size);
        Access part = part_of(l, &target, at);
        store_at(l, &part, size == 16 ? both : LLVMBuildIntCast2(l->b, word, type, 0, ""));
    }
}

/* Whether bytes [address, address + n) are not all in the memory, which is not shared. */
static LLVMValueRef is_beyond(Lower *l, u32 memory, LLVMValueRef address, LLVMValueRef n) {
    LLVMValueRef size = load_size(l, memory), room = LLVMBuildSub(l->b, size, n, "");
    return LLVMBuildOr(l->b, LLVMBuildICmp(l->b, LLVMIntUGT, n, size, ""),
                       LLVMBuildICmp(l->b, LLVMIntUGT, address, room, ""), "");
}

static LLVMValueRef pointer_to(Lower *l, u32 memory, LLVMValueRef address) {
    return LLVMBuildGEP2(l->b, l->unit->i8, load_base(l, memory), &address, 1, "");
}

/* LLVM's memmove or memset of `n` bytes, volatile as other accesses are: it calls the library's. */
static void call_library(Lower *l, const char *name, LLVMValueRef to, LLVMValueRef from_or_byte,
                         LLVMValueRef n) {
    const Unit *u = l->unit;
    bool sets = LLVMTypeOf(from_or_byte) == u->i8;
    LLVMTypeRef types[] = {u->ptr, u->ptr, u->i64};
    if (sets) types[1] = u->i64;
    size_t count = sets ? 2 : 3;
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef arguments[] = {to, from_or_byte, n, LLVMConstInt(u->i1, 1, 0)};
    LLVMBuildCall2(l->b, LLVMIntrinsicGetType(u->context, id, types, count),
                   LLVMGetIntrinsicDeclaration(u->module, id, types, count), arguments, 4, "");
}

/* For a run of any length: if `beyond`, the helper is called, which traps. The builder is then where it is not. */
static void trap_in_helper(Lower *l, LLVMValueRef beyond, NativeHelper helper,
                           LLVMValueRef *arguments, u32 count) {
    LLVMBasicBlockRef likely;
    wr_lower_unlikely(l, beyond, &likely);
    wr_lower_helper(l, helper, arguments, count);
    LLVMBuildUnreachable(l->b);
    LLVMPositionBuilderAtEnd(l->b, likely);
}

static void lower_fill(Lower *l) {
    u32 memory = l->at.index, bytes;
    LLVMValueRef n = widen(l, wr_lower_pop(l)), value = wr_lower_pop(l);
    LLVMValueRef to = widen(l, wr_lower_pop(l));
    LLVMValueRef arguments[] = {wr_lower_i32(l, memory), to, value, n};
    if (is_short(n, &bytes)) {
        fill_short(l, to, value, bytes);
    } else if (is_shared(l, memory)) {
        wr_lower_helper(l, HELPER_MEMORY_FILL, arguments, 4);
    } else {
        trap_in_helper(l, is_beyond(l, memory, to, n), HELPER_MEMORY_FILL, arguments, 4);
        call_library(l, "llvm.memset", pointer_to(l, memory, to),
                     LLVMBuildTrunc(l->b, value, l->unit->i8, ""), n);
    }
}

static void lower_copy(Lower *l) {
    u32 target = l->at.index, source = l->at.index2, bytes;
    LLVMValueRef n = widen(l, wr_lower_pop(l)), from = widen(l, wr_lower_pop(l));
    LLVMValueRef to = widen(l, wr_lower_pop(l));
    LLVMValueRef arguments[] = {wr_lower_i32(l, target), wr_lower_i32(l, source), to, from, n};
    if (is_short(n, &bytes)) {
        copy_short(l, to, from, bytes);
    } else if (is_shared(l, target) || is_shared(l, source)) {
        wr_lower_helper(l, HELPER_MEMORY_COPY, arguments, 5);
    } else {
        LLVMValueRef beyond =
            LLVMBuildOr(l->b, is_beyond(l, target, to, n), is_beyond(l, source, from, n), "");
        trap_in_helper(l, beyond, HELPER_MEMORY_COPY, arguments, 5);
        call_library(l, "llvm.memmove", pointer_to(l, target, to), pointer_to(l, source, from), n);
    }
}

static void lower_init(Lower *l) {
    LLVMValueRef n = wr_lower_pop(l), from = wr_lower_pop(l), to = widen(l, wr_lower_pop(l));
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index2), wr_lower_i32(l, l->at.index), to,
                                from, n};
    wr_lower_helper(l, HELPER_MEMORY_INIT, arguments, 5);
}

static void lower_drop(Lower *l) {
    LLVMValueRef data = wr_lower_i32(l, l->at.index);
    wr_lower_helper(l, HELPER_DATA_DROP, &data, 1);
}

static bool lower_bulk(Lower *l, Opcode op) {
    if (op == OP_MEMORY_SIZE)
        lower_size(l);
    else if (op == OP_MEMORY_GROW)
        lower_grow(l);
    else if (op == OP_MEMORY_FILL)
        lower_fill(l);
    else if (op == OP_MEMORY_COPY)
        lower_copy(l);
    else if (op == OP_MEMORY_INIT)
        lower_init(l);
    else if (op == OP_DATA_DROP)
        lower_drop(l);
    else
        return false;
    return true;
}

bool wr_lower_memory(Lower *l, Opcode op) {
    return lower_number(l, op) || lower_vector(l, op) || lower_bulk(l, op) || lower_atomic(l, op);
}
