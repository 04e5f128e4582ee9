/*
 * machine.h - the machine's registers, and the words that handlers are written in: dispatch, operands,
 * immediates, traps, calls. Included by exec.c (byte dispatch) and, with WR_SHADOW defined, by
 * exec_shadow.c and the generated superinstructions (dispatch by ids, see shadow.h).
 *
 * The handlers are written once; what words like HANDLER and NEXT make of them is dispatch.h's.
 *
 * Registers
 *   pc    the current opcode (its last byte if prefixed)    sp    first free slot of the operand stack
 *   fp    local 0                                           stp   side entry of the next branch
 *   mem   base of memory 0                                  disp  dispatch table
 *   inst  current instance                                  fr    current frame
 *   ids   where the id of the code byte p is: at ids + 2 p (shadow dispatch only)
 *   r0    cached top operand in states I and J              v0    in states F (low half) and V
 *   r1    the one below it in J (byte dispatch only)
 *
 * Cache states: E = all operands in memory, I, F, V = the topmost one in r0, v0, v0; J (byte dispatch
 * only) = the two topmost ones in r1 and r0. A branch target is always entered in state E. Byte
 * dispatch: handler h_<op>_<state>; the next one is disp[state * size + *pc]. Shadow dispatch: the state
 * at a position is known when its id is chosen; the next handler is disp[id of pc].
 */
#ifndef WR_MACHINE_H
#define WR_MACHINE_H

#include "frame.h"
#include "numeric.h"
#include "numeric_simd.h"
#include "object.h"
#include "parking.h"
#include "vector.h"

#include "exec_sizes.inc"

#define STATE_E 0
#define STATE_I DISPATCH_SIZE
#define STATE_F (2 * DISPATCH_SIZE)
#define STATE_V (3 * DISPATCH_SIZE)
#define STATE_J (4 * DISPATCH_SIZE)
#define TABLE_SIZE (4 * DISPATCH_SIZE + DISPATCH_J_SIZE)

#include "dispatch.h"

/* ---- operands ---- */

#define SLOT_i(slot) ((slot).u32)
#define SLOT_I(slot) ((slot).u64)
#define SLOT_f(slot) ((slot).f32)
#define SLOT_F(slot) ((slot).f64)
#define SLOT_v(slot) v128_load(&(slot))
#define CACHED_I_i ((u32)r0)
#define CACHED_I_I (r0)
#define CACHED_I_f f32_of_bits((u32)r0)
#define CACHED_I_F f64_of_bits(r0)
#define CACHED_F_f v128_f32(v0)
#define CACHED_F_F v128_f64(v0)
#define CACHED_V_v VECTOR_REGISTER()
#define STORE_i(slot, x) ((slot).u64 = (u32)(x))
#define STORE_I(slot, x) ((slot).u64 = (x))
#define STORE_f(slot, x) ((slot).u64 = bits_of_f32(x))
#define STORE_F(slot, x) ((slot).f64 = (x))
#define STORE_v(slot, x) v128_store(&(slot), (x))
#define SET_i(x) r0 = (u32)(x)
#define SET_I(x) r0 = (x)
#define SET_f(x) v0 = v128_of_f32(x)
#define SET_F(x) v0 = v128_of_f64(x)
#define SET_v(x) v0 = (x)
#define SPILL_I(at) (sp[at].u64 = r0)
#define SPILL_F(at) (sp[at].f64 = v128_f64(v0))
#define SPILL_V(at) v128_store(&sp[at], v0)
#define FLUSH_I() (SPILL_I(0), sp += 1)
#define FLUSH_F() (SPILL_F(0), sp += 1)
#define FLUSH_V() (SPILL_V(0), sp += 2)
#define FLUSH_E() ((void)0)

#define MEMORY_LOAD_u8(p) racy_load8(p)
#define MEMORY_LOAD_u16(p) racy_load16(p)
#define MEMORY_LOAD_u32(p) racy_load32(p)
#define MEMORY_LOAD_u64(p) racy_load64(p)
#define MEMORY_STORE_u8(p, x) racy_store8(p, x)
#define MEMORY_STORE_u16(p, x) racy_store16(p, x)
#define MEMORY_STORE_u32(p, x) racy_store32(p, x)
#define MEMORY_STORE_u64(p, x) racy_store64(p, x)

/* ---- immediates (LEB128; validated, so they end) ---- */

/* An index: one byte mostly. Declares `index` and `next`. */
#define READ_INDEX(index, next)                                                                    \
    const u8 *next = pc + 2;                                                                       \
    u32 index = pc[1];                                                                             \
    if (UNLIKELY(index & 0x80)) index = read_leb_rest(index, &next)

/* A local's index of one or two bytes; longer ones go to the general handler, in state E. */
#define READ_LOCAL(index, next, state, general)                                                    \
    u32 index = pc[1];                                                                             \
    const u8 *next = pc + 2;                                                                       \
    if (UNLIKELY(index & 0x80)) {                                                                  \
        if (UNLIKELY(pc[2] & 0x80)) {                                                              \
            FLUSH_##state();                                                                       \
            JUMP(general);                                                                         \
        }                                                                                          \
        index = (index & 0x7F) | (u32)pc[2] << 7;                                                  \
        next = pc + 3;                                                                             \
    }

/* LEB128 numbers that were padded to five bytes, as linkers leave indices that they may have to change. */
INLINE u32 read_leb5(const u8 *p) {
    u32 x = le32_load(p) & 0x7F7F7F7F;
    x = (x & 0x007F007F) | (x & 0x7F007F00) >> 1;
    return (x & 0x3FFF) | (x & 0x3FFF0000) >> 2 | (u32)p[4] << 28;
}

/* Of a LEB128 number the first eight bytes, which are not its last. */
INLINE u64 read_leb8(const u8 *p) {
    u64 x = le64_load(p) & 0x7F7F7F7F7F7F7F7F;
    x = (x & 0x007F007F007F007F) | (x & 0x7F007F007F007F00) >> 1;
    x = (x & 0x00003FFF00003FFF) | (x & 0x3FFF00003FFF0000) >> 2;
    return (x & 0x0FFFFFFF) | (x & 0x0FFFFFFF00000000) >> 4;
}

/* The bytes after the first of a LEB128 u32 (or the low 32 bits of any). *next is after the first. */
INLINE u32 read_leb_rest(u32 first, const u8 **next) {
    const u8 *p = *next;
    if (p[0] & 0x80 && p[1] & 0x80 && p[2] & 0x80) {
        *next = p + 4;
        return read_leb5(p - 1);
    }
    u32 value = first & 0x7F, byte;
    unsigned shift = 7;
    do {
        byte = *(*next)++;
        value |= shift < 32 ? (byte & 0x7F) << shift : 0;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

INLINE i64 read_sleb(const u8 **next) {
    u64 value = 0, byte;
    unsigned shift = 0;
    do {
        byte = *(*next)++;
        value |= shift < 64 ? (byte & 0x7F) << shift : 0;
        shift += 7;
    } while (byte & 0x80);
    return shift < 64 && (byte & 0x40) ? (i64)(value | ~(u64)0 << shift) : (i64)value;
}

/* The constant behind the opcode at *place, of two bytes or more. *place gets to two bytes before its end, as if
 * it had had one. No loop, which would take registers from the machine. */
INLINE u32 read_long_s32(const u8 **place) {
    const u8 *p = *place + 1;
    if (p[1] & 0x80 && p[2] & 0x80 && p[3] & 0x80) {
        *place += 4;
        return read_leb5(p);
    }
    i32 x = (i32)((u32)p[1] << 25) >> 18;
    *place += 1;
    if (p[1] & 0x80) {
        x = (p[1] & 0x7F) << 7 | (i32)((u32)p[2] << 25) >> 11;
        *place += 1;
        if (p[2] & 0x80) {
            x = (p[1] & 0x7F) << 7 | (p[2] & 0x7F) << 14 | (i32)((u32)p[3] << 25) >> 4;
            *place += 1;
        }
    }
    return (u32)(x | (p[0] & 0x7F));
}

/* Likewise. Hash functions have constants of nine bytes and ten. */
INLINE u64 read_long_s64(const u8 **place) {
    const u8 *p = *place + 1;
    if (p[1] & 0x80 && p[2] & 0x80 && p[3] & 0x80 && p[4] & 0x80 && p[5] & 0x80 && p[6] & 0x80 &&
        p[7] & 0x80) { /* one after the other: there may be no more bytes */
        u64 x = read_leb8(p);
        i64 top = (i64)((u64)p[8] << 57) >> 1;
        *place += 8;
        if (p[8] & 0x80) {
            top = (i64)((u64)(p[8] & 0x7F) << 56 | (u64)p[9] << 63);
            *place += 1;
        }
        return x | (u64)top;
    }
    const u8 *next = p;
    u64 x = (u64)read_sleb(&next);
    *place = next - 2;
    return x;
}

/* A constant of one byte, as u32 or u64; longer ones go to the general handler, in state E. */
#define READ_CONSTANT(value, bits, state, general)                                                 \
    if (UNLIKELY(pc[1] & 0x80)) {                                                                  \
        FLUSH_##state();                                                                           \
        JUMP(general);                                                                             \
    }                                                                                              \
    u##bits value = (u##bits)((i##bits)((u##bits)pc[1] << (bits - 7)) >> (bits - 7))

/* A memarg for memory 0 whose alignment has one byte and its offset one or two; any other goes to the
 * general handler, in state E. The offset stays far below MEMORY_GUARD. */
#define READ_MEMARG(offset, next, state, general)                                                  \
    u32 offset = le16_load(pc + 1);                                                                \
    const u8 *next = pc + 3;                                                                       \
    if (UNLIKELY(offset & 0x80C0)) {                                                               \
        if (offset & 0xC0 || pc[3] & 0x80) {                                                       \
            FLUSH_##state();                                                                       \
            JUMP(general);                                                                         \
        }                                                                                          \
        offset = (offset >> 8 & 0x7F) | (u32)pc[3] << 7;                                           \
        next = pc + 4;                                                                             \
    } else {                                                                                       \
        offset >>= 8;                                                                              \
    }

/* The first byte of a prefixed instruction. No byte between it and pc can look like the prefix: these
 * are parts of a code that is smaller. */
INLINE const u8 *start_of(const u8 *pc, u8 prefix) {
    do pc -= 1;
    while (UNLIKELY(*pc != prefix));
    return pc;
}

/* After the opcode at pc: position behind its LEB128 index, or behind its block type. */
#define AFTER_INDEX(p)                                                                             \
    const u8 *p = pc + 2;                                                                          \
    while (UNLIKELY(p[-1] & 0x80)) p++
#define AFTER_BLOCK_TYPE(p)                                                                        \
    const u8 *p = pc + 2;                                                                          \
    if (UNLIKELY(pc[1] & 0x80 || (u8)(pc[1] - 0x63) < 2)) p = wr_interp_skip_block_type(pc + 1)

/* ---- traps ---- */

#define TRAP(code)                                                                                 \
    do {                                                                                           \
        r0 = (u64)(code);                                                                          \
        JUMP(h_TRAP);                                                                              \
    } while (0)
#define TRAP_MEMORY() TRAP(WR_TRAP_MEMORY_OUT_OF_BOUNDS)

/* ---- byte dispatch: what is likely to follow (gen/lookahead.py) ---- */

/* NEXT(state), by a direct jump if a likely instruction follows. Not in wide functions. */
#define NEXT_LIKELY(state) NEXT_LIKELY_##state()
#define NEXT_LIKELY_E()                                                                            \
    do {                                                                                           \
        if (*pc == 0x20) JUMP(h_LOCAL_GET_E_AHEAD);                                                \
        NEXT(E);                                                                                   \
    } while (0)
#define NEXT_LIKELY_I()                                                                            \
    do {                                                                                           \
        if (*pc == 0x22) JUMP(h_LOCAL_TEE_I_AHEAD);                                                \
        if (*pc == 0x21) JUMP(h_LOCAL_SET_I_AHEAD);                                                \
        if (*pc == 0x20) JUMP(h_LOCAL_GET_I_AHEAD);                                                \
        if (*pc == 0x41) JUMP(h_I32_CONST_I_AHEAD);                                                \
        NEXT(I);                                                                                   \
    } while (0)
#define NEXT_LIKELY_F()                                                                            \
    do {                                                                                           \
        if (*pc == 0x22) JUMP(h_LOCAL_TEE_F_AHEAD);                                                \
        if (*pc == 0x21) JUMP(h_LOCAL_SET_F_AHEAD);                                                \
        if (*pc == 0x20) JUMP(h_LOCAL_GET_F_AHEAD);                                                \
        NEXT(F);                                                                                   \
    } while (0)
#define NEXT_LIKELY_J() NEXT(J)

/* The br_if at pc, on `flag`, in state E with the operand already taken. Not for activations that poll. */
#define BRANCH_IF(flag)                                                                            \
    do {                                                                                           \
        if (flag) {                                                                                \
            if (UNLIKELY(stp->pop)) JUMP(h_JUMP_SLOW);                                             \
            pc += stp->pc;                                                                         \
            stp += stp->stp;                                                                       \
            NEXT_LIKELY(E);                                                                        \
        }                                                                                          \
        AFTER_INDEX(not_taken);                                                                    \
        pc = not_taken;                                                                            \
        stp += 1;                                                                                  \
        NEXT_LIKELY(E);                                                                            \
    } while (0)

/* ---- atomics: sequentially consistent; memory is little-endian, so is every supported host here ---- */

#define ATOMIC_LOAD(type, p) __atomic_load_n((type *)(void *)(p), __ATOMIC_SEQ_CST)
#define ATOMIC_STORE(type, p, x) __atomic_store_n((type *)(void *)(p), x, __ATOMIC_SEQ_CST)
#define ATOMIC_ADD(type, p, x) __atomic_fetch_add((type *)(void *)(p), x, __ATOMIC_SEQ_CST)
#define ATOMIC_SUB(type, p, x) __atomic_fetch_sub((type *)(void *)(p), x, __ATOMIC_SEQ_CST)
#define ATOMIC_AND(type, p, x) __atomic_fetch_and((type *)(void *)(p), x, __ATOMIC_SEQ_CST)
#define ATOMIC_OR(type, p, x) __atomic_fetch_or((type *)(void *)(p), x, __ATOMIC_SEQ_CST)
#define ATOMIC_XOR(type, p, x) __atomic_fetch_xor((type *)(void *)(p), x, __ATOMIC_SEQ_CST)
#define ATOMIC_XCHG(type, p, x) __atomic_exchange_n((type *)(void *)(p), x, __ATOMIC_SEQ_CST)
/* A wrapped operand compares with the narrow value: the widened expected value must not have more bits. */
#define ATOMIC_CMPXCHG(type, p, expected, x) atomic_cmpxchg_##type((type *)(void *)(p), expected, x)
#define DEFINE_CMPXCHG(type)                                                                       \
    INLINE type atomic_cmpxchg_##type(type *p, type expected, type x) {                            \
        __atomic_compare_exchange_n(p, &expected, x, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
        return expected;                                                                           \
    }
DEFINE_CMPXCHG(u8)
DEFINE_CMPXCHG(u16)
DEFINE_CMPXCHG(u32)
DEFINE_CMPXCHG(u64)

/* ---- making objects ---- */

/* Around what may collect, in state E: the frame as the collector wants it. `start` is the current
 * instruction's first byte. Nothing may be cached in v0, since the call loses it anyway. */
#define BEGIN_ALLOCATION(start)                                                                    \
    do {                                                                                           \
        Fiber *fiber_ = inst->store->fiber;                                                        \
        fr->pc = (start);                                                                          \
        fr->stp = stp;                                                                             \
        fiber_->fr = fr;                                                                           \
        fiber_->sp = sp;                                                                           \
        fiber_->operand_end = sp;                                                                  \
    } while (0)
/* r0: what was made. */
#define END_ALLOCATION()                                                                           \
    do {                                                                                           \
        inst->store->fiber->fr = NULL;                                                             \
        if (UNLIKELY(r0 == 0)) TRAP(WR_TRAP_ALLOCATION_FAILURE);                                   \
    } while (0)

/* ---- calls ---- */

#define CODE_ROOM(f) ((sp) + (f)->frame_slots <= (Slot *)(void *)(fr - 2))

/* Clears n slots from p on, perhaps one more (frames have slack). A plain loop: a call would cost the
 * registers. */
#define CLEAR(p, n)                                                                                \
    for (Slot *clear_ = (p), *end_ = (p) + (n); clear_ < end_; clear_ += 2) {                      \
        clear_[0].u64 = 0;                                                                         \
        clear_[1].u64 = 0;                                                                         \
        __asm__ volatile("" : "+r"(clear_));                                                       \
    }

#define ENTER(f)                                                                                   \
    fr -= 1;                                                                                       \
    fp = sp - (f)->param_slots;                                                                    \
    fr->fp = fp;                                                                                   \
    fr->func = (f);                                                                                \
    CLEAR(sp, (f)->zero_slots);                                                                    \
    sp += (f)->zero_slots;                                                                         \
    pc = (f)->start;                                                                               \
    stp = (f)->side

/* Copies n slots down; the ranges may overlap. */
INLINE void move_down(Slot *to, const Slot *from, u32 n) {
    for (u32 i = 0; i < n; i++) {
        to[i] = from[i];
        __asm__ volatile("" : : : "memory");
    }
}

#endif
