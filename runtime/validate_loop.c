/*
 * validate_loop.c - the validator's loop over the instructions of a body, with a fast path for the
 * commonest: locals, constants, numeric instructions, loads and stores of memory 0.
 *
 * The fast path only ever accepts. It works on operands of number types that are there and as they
 * should be, and on immediates of few bytes; whatever else it meets, errors included, it leaves to
 * wr_check_step(), which knows all rules and is given the instruction from its opcode on. So the two
 * cannot disagree on what is wrong, and without the fast path the result would be the same.
 *
 * It reads up to FAST_BYTES bytes without looking for the end of the body: it stops that far from the
 * end of the module's bytes, and notices afterwards if an instruction has run over the end of the body.
 */
#include "validate_code.h"

#include "signature.h"

#define FAST_BYTES 16
#define NO_MEMORY UINT32_MAX /* as an address type: no operand has it */

typedef enum FastKind {
    FAST_NONE, /* not here: prefixes too, and what does not exist */
    FAST_LOCAL_GET,
    FAST_LOCAL_SET,
    FAST_LOCAL_TEE,
    FAST_I32_CONST,
    FAST_I64_CONST,
    FAST_FLOAT_CONST, /* `align` is the size in bytes */
    FAST_UNARY,       /* one operand of type b, one result */
    FAST_BINARY,      /* operands a and b, b on top, one result */
    FAST_LOAD,        /* an address, one result */
    FAST_STORE,       /* an address and an operand b */
    FAST_GLOBAL_GET,
    FAST_GLOBAL_SET,
    FAST_DROP,
    FAST_SELECT,
    FAST_BLOCK, /* these have functions of their own in validate_control.c: one jump, not two */
    FAST_LOOP,
    FAST_IF,
    FAST_END,
    FAST_BR,
    FAST_BR_IF,
    FAST_CALL,
    FAST_CONTROL /* wr_check_control() knows it */
} FastKind;

typedef struct FastOp {
    u8 kind; /* FastKind */
    u8 a, b, out;
    u8 align;
    u16 op;
} FastOp;

/* ---- the table, by opcode byte: only what the first version of the language has, so that there is
 * no feature to ask for ---- */

#define KIND_NUMERIC(sig)                                                                          \
    (SIG_NOUT(sig) != 1  ? FAST_NONE                                                               \
     : SIG_NIN(sig) == 1 ? FAST_UNARY                                                              \
     : SIG_NIN(sig) == 2 ? FAST_BINARY                                                             \
                         : FAST_NONE)
#define KIND_BY_HAND(id, code)                                                                     \
    (OP_##id == OP_LOCAL_GET    ? FAST_LOCAL_GET                                                   \
     : OP_##id == OP_LOCAL_SET  ? FAST_LOCAL_SET                                                   \
     : OP_##id == OP_LOCAL_TEE  ? FAST_LOCAL_TEE                                                   \
     : OP_##id == OP_GLOBAL_GET ? FAST_GLOBAL_GET                                                  \
     : OP_##id == OP_GLOBAL_SET ? FAST_GLOBAL_SET                                                  \
     : OP_##id == OP_DROP       ? FAST_DROP                                                        \
     : OP_##id == OP_SELECT     ? FAST_SELECT                                                      \
     : OP_##id == OP_BLOCK      ? FAST_BLOCK                                                       \
     : OP_##id == OP_LOOP       ? FAST_LOOP                                                        \
     : OP_##id == OP_IF         ? FAST_IF                                                          \
     : OP_##id == OP_END        ? FAST_END                                                         \
     : OP_##id == OP_BR         ? FAST_BR                                                          \
     : OP_##id == OP_BR_IF      ? FAST_BR_IF                                                       \
     : OP_##id == OP_CALL       ? FAST_CALL                                                        \
     : (code) <= 0x11           ? FAST_CONTROL                                                     \
                                : FAST_NONE)
#define KIND_SIGNED(imm, sig)                                                                      \
    ((imm) == IMM_NONE                      ? KIND_NUMERIC(sig)                                    \
     : (imm) == IMM_MEMARG                  ? (SIG_NOUT(sig) == 1 ? FAST_LOAD : FAST_STORE)        \
     : (imm) == IMM_I32                     ? FAST_I32_CONST                                       \
     : (imm) == IMM_I64                     ? FAST_I64_CONST                                       \
     : (imm) == IMM_F32 || (imm) == IMM_F64 ? FAST_FLOAT_CONST                                     \
                                            : FAST_NONE)
#define KIND(id, code, imm, sig, feature)                                                          \
    ((feature) != FEATURE_MVP ? FAST_NONE                                                          \
     : sizeof(sig) == 1       ? KIND_BY_HAND(id, code)                                             \
                              : KIND_SIGNED(imm, sig))
#define ALIGN(imm, align) ((imm) == IMM_F32 ? 4 : (imm) == IMM_F64 ? 8 : (align))

#define ENTRY_0x00(id, code, imm, sig, align, feature)                                             \
    [code] = {(u8)KIND(id, code, imm, sig, feature),                                               \
              SIG_NIN(sig) == 2 ? SIG_IN(sig, 0) : (u8)0,                                          \
              SIG_NIN(sig) == 2 ? SIG_IN(sig, 1) : SIG_IN(sig, 0),                                 \
              SIG_OUT(sig, 0),                                                                     \
              (u8)ALIGN(imm, align),                                                               \
              OP_##id},
#define ENTRY_0xFB(id, code, imm, sig, align, feature)
#define ENTRY_0xFC(id, code, imm, sig, align, feature)
#define ENTRY_0xFD(id, code, imm, sig, align, feature)
#define ENTRY_0xFE(id, code, imm, sig, align, feature)

static const FastOp fast_ops[256] = {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst)                                \
    ENTRY_##prefix(id, code, IMM_##imm, sig, align, FEATURE_##feature)
#include "opcodes.def"
#undef OP
};

/* ---- the loop ---- */

/* The last bytes of LEB128 integers: of up to five bytes, and of up to eight. */
#define LEB_ENDS_5 0x8080808080u
#define LEB_ENDS_8 0x8080808080808080u

/* The length of the integer at p if it ends where `ends` says it may, else 0. */
INLINE u32 leb_length(const u8 *p, u64 ends) {
    u64 found = ~le64_load(p) & ends;
    return UNLIKELY(found == 0) ? 0 : trailing_zeros(found) / 8 + 1;
}

/* The same for an s32: bits 3 to 6 of a fifth byte are copies of the sign. */
INLINE u32 s32_length(const u8 *p) {
    u32 n = leb_length(p, LEB_ENDS_5);
    if (UNLIKELY(n == 5) && (p[4] & 0x78) != 0 && (p[4] & 0x78) != 0x78) return 0;
    return n;
}

/* And for a u32, or what a u64 offset into a 32-bit memory may be. */
INLINE u32 u32_length(const u8 *p) {
    u32 n = leb_length(p, LEB_ENDS_5);
    return UNLIKELY(n == 5) && p[4] > 0x0F ? 0 : n;
}

/* What the loop keeps in registers. The greatest height is limit - c->stack, as long as no v128
 * comes or goes, and that happens only outside. */
typedef struct Fast {
    const u8 *pos;
    ValType *top, *floor, *limit, *capacity;
    const ValType *locals;
    u32 known;
} Fast;

INLINE Fast enter_fast(const Checker *c) {
    u32 limit = min_u32(c->max_slots - c->wide, c->stack_capacity);
    return (Fast){c->reader.pos,
                  c->stack + c->sp,
                  c->stack + check_frame(c)->height,
                  c->stack + limit,
                  c->stack + c->stack_capacity,
                  c->locals,
                  c->known};
}

INLINE void leave_fast(Checker *c, const Fast *f) {
    c->reader.pos = f->pos;
    c->sp = (u32)(f->top - c->stack);
    u32 height = (u32)(f->limit - c->stack) + c->wide;
    if (height > c->max_slots) c->max_slots = height;
}

INLINE bool fast_push(Fast *f, ValType t) {
    if (UNLIKELY(f->top == f->limit)) {
        if (f->top == f->capacity) return false;
        f->limit++;
    }
    *f->top++ = t;
    return true;
}

INLINE bool is_number(ValType t) { return t - T_I32 <= T_F64 - T_I32; }

/* The index immediate at pos + 1, of at most two bytes, else NONE_U32; `next` is behind it. */
INLINE u32 fast_index(const u8 *pos, const u8 **next) {
    u32 index = pos[1];
    *next = pos + 2;
    if (LIKELY(index < 0x80)) return index;
    *next = pos + 3;
    return pos[2] < 0x80 ? (index & 0x7F) | (u32)pos[2] << 7 : NONE_U32;
}

/* The type of the local that the immediate names, if it is a number; else T_BOT. Unset locals and
 * those not expanded yet are left to wr_check_step(). */
INLINE ValType fast_local(const Fast *f, const u8 **next) {
    u32 index = fast_index(f->pos, next);
    ValType t = LIKELY(index < f->known) ? f->locals[index] : T_BOT;
    return is_number(t) ? t : T_BOT;
}

/* The same for globals. */
INLINE ValType fast_global(const Checker *c, const Fast *f, bool set, const u8 **next) {
    u32 index = fast_index(f->pos, next);
    if (UNLIKELY(index >= c->module->nglobals)) return T_BOT;
    const GlobalDecl *global = &c->module->globals[index];
    return is_number(global->type) && global->mutable >= set ? global->type : T_BOT;
}

INLINE bool fast_has(const Fast *f, u32 n) { return f->top - f->floor >= (ptrdiff_t)n; }

/* One control instruction, by what checks it; then the next. */
#define CONTROL(check)                                                                             \
    c->at = f.pos++;                                                                               \
    leave_fast(c, &f);                                                                             \
    check;                                                                                         \
    if (UNLIKELY(check_failed(c) || c->nframes == 0)) return;                                      \
    f = enter_fast(c);                                                                             \
    break

/* From c->reader.pos on, as far as it goes: to `end`, to an instruction that is not for it, to the
 * end of the body, or to an error in a control instruction. `address` is memory 0's address type. */
static void run_fast(Checker *c, const u8 *end, ValType address) {
    Fast f = enter_fast(c);
    const u8 *next;
    ValType t;
    u32 n;
    while (LIKELY(f.pos < end)) {
        const FastOp *op = &fast_ops[*f.pos];
        switch ((FastKind)op->kind) {
        case FAST_NONE: goto out;
        case FAST_LOCAL_GET:
            t = fast_local(&f, &next);
            if (UNLIKELY(t == T_BOT || !fast_push(&f, t))) goto out;
            f.pos = next;
            break;
        case FAST_LOCAL_SET:
            t = fast_local(&f, &next);
            if (UNLIKELY(t == T_BOT || !fast_has(&f, 1) || f.top[-1] != t)) goto out;
            f.top--;
            f.pos = next;
            break;
        case FAST_LOCAL_TEE:
            t = fast_local(&f, &next);
            if (UNLIKELY(t == T_BOT || !fast_has(&f, 1) || f.top[-1] != t)) goto out;
            f.pos = next;
            break;
        case FAST_I32_CONST:
            n = s32_length(f.pos + 1);
            if (UNLIKELY(n == 0 || !fast_push(&f, T_I32))) goto out;
            f.pos += 1 + n;
            break;
        case FAST_I64_CONST:
            n = leb_length(f.pos + 1, LEB_ENDS_8);
            if (UNLIKELY(n == 0 || !fast_push(&f, T_I64))) goto out;
            f.pos += 1 + n;
            break;
        case FAST_FLOAT_CONST:
            if (UNLIKELY(!fast_push(&f, op->out))) goto out;
            f.pos += 1 + op->align;
            break;
        case FAST_UNARY:
            if (UNLIKELY(!fast_has(&f, 1) || f.top[-1] != op->b)) goto out;
            f.top[-1] = op->out;
            f.pos++;
            break;
        case FAST_BINARY:
            if (UNLIKELY(!fast_has(&f, 2) || f.top[-1] != op->b || f.top[-2] != op->a)) goto out;
            f.top[-2] = op->out;
            f.top--;
            f.pos++;
            break;
        case FAST_LOAD:
            n = u32_length(f.pos + 2);
            if (UNLIKELY(n == 0 || f.pos[1] > op->align || !fast_has(&f, 1) ||
                         f.top[-1] != address))
                goto out;
            f.top[-1] = op->out;
            f.pos += 2 + n;
            break;
        case FAST_STORE:
            n = u32_length(f.pos + 2);
            if (UNLIKELY(n == 0 || f.pos[1] > op->align || !fast_has(&f, 2) || f.top[-1] != op->b ||
                         f.top[-2] != address))
                goto out;
            f.top -= 2;
            f.pos += 2 + n;
            break;
        case FAST_GLOBAL_GET:
            t = fast_global(c, &f, false, &next);
            if (UNLIKELY(t == T_BOT || !fast_push(&f, t))) goto out;
            f.pos = next;
            break;
        case FAST_GLOBAL_SET:
            t = fast_global(c, &f, true, &next);
            if (UNLIKELY(t == T_BOT || !fast_has(&f, 1) || f.top[-1] != t)) goto out;
            f.top--;
            f.pos = next;
            break;
        case FAST_DROP:
            if (UNLIKELY(!fast_has(&f, 1) || !is_number(f.top[-1]))) goto out;
            f.top--;
            f.pos++;
            break;
        case FAST_SELECT:
            if (UNLIKELY(!fast_has(&f, 3) || f.top[-1] != T_I32 || f.top[-2] != f.top[-3] ||
                         !is_number(f.top[-2])))
                goto out;
            f.top -= 2;
            f.pos++;
            break;
        case FAST_BLOCK: CONTROL(wr_check_block(c, FRAME_BLOCK));
        case FAST_LOOP: CONTROL(wr_check_block(c, FRAME_LOOP));
        case FAST_IF: CONTROL(wr_check_block(c, FRAME_IF));
        case FAST_END: CONTROL(wr_check_end(c));
        case FAST_BR: CONTROL(wr_check_br(c));
        case FAST_BR_IF: CONTROL(wr_check_br_if(c));
        case FAST_CALL: CONTROL(wr_check_call(c, false));
        case FAST_CONTROL: CONTROL((void)wr_check_control(c, (Opcode)op->op));
        }
    }
out:
    leave_fast(c, &f);
}

/* Where the fast path must stop: FAST_BYTES from the end of the module. */
static const u8 *fast_end(const Checker *c, const u8 *stop) {
    const u8 *file_end = c->module->bytes + c->module->size, *pos = c->reader.pos;
    if (file_end - pos < FAST_BYTES) return pos;
    return stop < file_end - FAST_BYTES ? stop : file_end - FAST_BYTES;
}

void wr_check_run(Checker *c, const u8 *stop) {
    const Module *m = c->module;
    const u8 *end = fast_end(c, stop);
    ValType address = m->nmemories == 0 ? NO_MEMORY : m->memories[0].limits.is_64 ? T_I64 : T_I32;
    while (c->nframes > 0 && c->reader.pos < stop) {
        if (LIKELY(c->reader.pos < end)) run_fast(c, end, address);
        if (c->nframes > 0 && c->reader.pos < stop) wr_check_step(c);
    }
    if (c->reader.pos > c->reader.end) {
        c->reader.pos = c->reader.end;
        wr_check_malformed(c, "unexpected end of section or function");
    }
}
