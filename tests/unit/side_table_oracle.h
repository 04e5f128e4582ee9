/*
 * side_table_oracle.h - checks a side table against the code it belongs to, by other means than those
 * that made it: instructions are read one by one, blocks are paired in a first walk, and heights come
 * from wr_code_types_at(). For bodies without errors; heights are compared in live code only.
 */
#ifndef WR_TESTS_SIDE_TABLE_ORACLE_H
#define WR_TESTS_SIDE_TABLE_ORACLE_H

#include <stdio.h>
#include <stdlib.h>

#include "decode_code.h"
#include "module.h"
#include "validate.h"

typedef struct OracleBlock {
    Opcode op;
    u32 start; /* behind the block type */
    u32 alt;   /* `else`, or 0 */
    u32 end;   /* the `end` (or `delegate`) */
    u32 after; /* behind it */
} OracleBlock;

typedef struct Oracle {
    const Module *m;
    const Code *code;
    u32 size;
    u32 *block_at; /* by code offset of a block, `else` or `end`: index in blocks + 1 */
    u32 *entry_at; /* by code offset: entries of instructions before it */
    OracleBlock *blocks;
    u32 nblocks;
    u32 *open; /* indices of open blocks */
    u32 depth;
    bool *dead; /* by depth */
    u32 next_entry;
    bool heights;
    char error[160];
} Oracle;

#define ORACLE_FAIL(o, ...) (snprintf((o)->error, sizeof(o)->error, __VA_ARGS__), false)

static inline Reader oracle_reader(const Oracle *o) {
    return (Reader){.pos = o->code->start, .end = o->code->end, .base = o->m->bytes};
}

static inline bool oracle_is_block(Opcode op) {
    return op == OP_BLOCK || op == OP_LOOP || op == OP_IF || op == OP_TRY || op == OP_TRY_TABLE;
}

static inline u32 oracle_entries(const Instr *i) {
    switch ((unsigned)i->op) {
    case OP_IF:
    case OP_ELSE:
    case OP_BR:
    case OP_BR_IF:
    case OP_BR_ON_NULL:
    case OP_BR_ON_NON_NULL:
    case OP_BR_ON_CAST:
    case OP_BR_ON_CAST_FAIL:
    case OP_BR_ON_CAST_DESC_EQ:
    case OP_BR_ON_CAST_DESC_EQ_FAIL:
    case OP_CATCH:
    case OP_CATCH_ALL:
    case OP_RETHROW: return 1;
    case OP_BR_TABLE: return i->vector.count + 1;
    case OP_TRY_TABLE: return i->vector.count;
    default: return 0;
    }
}

/* First walk: pairs blocks and counts entries. Block 0 is the body. */
static inline void oracle_pair(Oracle *o) {
    Reader r = oracle_reader(o);
    Instr i;
    u32 entries = 0;
    o->blocks[o->nblocks++] = (OracleBlock){.op = OP_BLOCK};
    o->open[o->depth++] = 0;
    while (o->depth > 0 && wr_instr_next(&r, &i)) {
        u32 at = (u32)(i.start - o->code->start), after = (u32)(i.end - o->code->start);
        o->entry_at[at] = entries;
        entries += oracle_entries(&i);
        u32 top = o->open[o->depth - 1];
        if (oracle_is_block(i.op)) {
            o->open[o->depth++] = o->nblocks;
            o->block_at[at] = o->nblocks + 1;
            o->blocks[o->nblocks++] = (OracleBlock){.op = i.op, .start = after};
        } else if (i.op == OP_ELSE) {
            o->blocks[top].alt = at;
            o->block_at[at] = top + 1;
        } else if (i.op == OP_END || i.op == OP_DELEGATE) {
            o->blocks[top].end = at;
            o->blocks[top].after = after;
            o->block_at[at] = top + 1;
            o->depth--;
        } else if (i.op == OP_CATCH || i.op == OP_CATCH_ALL) {
            o->block_at[at] = top + 1;
        }
    }
    o->entry_at[o->size] = entries;
}

/* Where control ends up that goes to `pc`: ends and else only pass it on. */
static inline u32 oracle_settle(const Oracle *o, u32 pc) {
    for (;;) {
        u8 byte = pc < o->size ? o->code->start[pc] : 0;
        if (byte == 0x0B && o->block_at[pc] > 1)
            pc++;
        else if (byte == 0x05 && o->block_at[pc] > 0)
            pc = o->blocks[o->block_at[pc] - 1].after;
        else
            return pc;
    }
}

static inline u32 oracle_height(Oracle *o, u32 pc) {
    Arena arena;
    wr_arena_init(&arena, &wr_alloc_system);
    CodeTypes types;
    u32 slots = NONE_U32;
    if (wr_code_types_at(o->m, o->code, pc, &arena, &types)) {
        slots = 0;
        for (u32 i = 0; i < types.noperands; i++) slots += type_slots(types.operands[i]);
    }
    wr_arena_free(&arena);
    return slots;
}

static inline FarEntry oracle_entry(const Oracle *o, u32 index) {
    SideEntry e = o->code->side[index];
    if (e.pop == SIDE_FAR) return o->code->far[e.pc];
    return (FarEntry){e.pc, e.stp, e.pop, e.keep};
}

/* The next entry must be one of the instruction at `at` that goes to `want`, with `taken` operands
 * popped by then (NONE_U32: heights are not looked at). */
static inline bool oracle_expect(Oracle *o, u32 at, u32 want, u32 taken) {
    u32 index = o->next_entry++;
    if (index >= o->code->nside) return ORACLE_FAIL(o, "too few entries at +%x", at);
    FarEntry e = oracle_entry(o, index);
    u32 target = (u32)((i32)at + e.pc);
    if (target >= o->size) return ORACLE_FAIL(o, "+%x: target +%x is outside", at, target);
    if (oracle_settle(o, target) != oracle_settle(o, want))
        return ORACLE_FAIL(o, "+%x: goes to +%x, not +%x", at, target, want);
    if ((u32)((i32)index + e.stp) != o->entry_at[target])
        return ORACLE_FAIL(o, "+%x: stp leads to %d, not %u", at, (i32)index + e.stp,
                           o->entry_at[target]);
    if (target == o->blocks[0].end)
        return e.pop == 0 || ORACLE_FAIL(o, "+%x: pop %u on the way out", at, e.pop);
    if (!o->heights || taken == NONE_U32 || o->dead[o->depth - 1]) return true;
    u32 height = oracle_height(o, at) - taken - e.pop;
    if (height != oracle_height(o, target))
        return ORACLE_FAIL(o, "+%x: arrives with height %u, not %u", at, height,
                           oracle_height(o, target));
    return true;
}

static inline u32 oracle_label(const Oracle *o, u32 label) {
    const OracleBlock *b = &o->blocks[o->open[o->depth - 1 - label]];
    if (b == &o->blocks[0]) return b->end;
    return b->op == OP_LOOP ? b->start : b->after;
}

static inline bool oracle_table(Oracle *o, const Instr *i, u32 at) {
    Reader r = {.pos = i->vector.items, .end = i->end, .base = o->m->bytes};
    for (u32 k = 0; k <= i->vector.count; k++)
        if (!oracle_expect(o, at, oracle_label(o, wr_read_u32(&r)), 1)) return false;
    return true;
}

static inline bool oracle_clauses(Oracle *o, const Instr *i, u32 at) {
    Reader r = {.pos = i->vector.items, .end = i->end, .base = o->m->bytes};
    for (u32 k = 0; k < i->vector.count; k++) {
        u8 kind = wr_read_u8(&r);
        if (kind < 2) (void)wr_read_u32(&r);
        if (!oracle_expect(o, at, oracle_label(o, wr_read_u32(&r)), NONE_U32)) return false;
    }
    return true;
}

/* The entries of one instruction; blocks it opens are not open yet. */
static inline bool oracle_instr(Oracle *o, const Instr *i, u32 at) {
    const OracleBlock *b = o->block_at[at] ? &o->blocks[o->block_at[at] - 1] : NULL;
    switch ((unsigned)i->op) {
    case OP_IF: return oracle_expect(o, at, b->alt ? b->alt + 1 : b->after, 1);
    case OP_ELSE:
    case OP_CATCH:
    case OP_CATCH_ALL: return oracle_expect(o, at, b->after, 0);
    case OP_BR: return oracle_expect(o, at, oracle_label(o, i->index), 0);
    case OP_BR_IF:
    case OP_BR_ON_CAST_DESC_EQ:
    case OP_BR_ON_CAST_DESC_EQ_FAIL:
    case OP_BR_ON_NULL: return oracle_expect(o, at, oracle_label(o, i->index), 1);
    case OP_BR_ON_NON_NULL:
    case OP_BR_ON_CAST:
    case OP_BR_ON_CAST_FAIL: return oracle_expect(o, at, oracle_label(o, i->index), 0);
    case OP_BR_TABLE: return oracle_table(o, i, at);
    case OP_TRY_TABLE: return oracle_clauses(o, i, at);
    case OP_RETHROW: o->next_entry++; return true;
    default: return true;
    }
}

static inline bool oracle_is_jump(Opcode op) {
    return op == OP_BR || op == OP_BR_TABLE || op == OP_RETURN || op == OP_UNREACHABLE ||
           op == OP_THROW || op == OP_THROW_REF || op == OP_RETHROW || op == OP_RETURN_CALL ||
           op == OP_RETURN_CALL_INDIRECT || op == OP_RETURN_CALL_REF;
}

static inline bool oracle_walk(Oracle *o) {
    Reader r = oracle_reader(o);
    Instr i;
    o->depth = 1;
    o->open[0] = 0;
    o->dead[0] = false;
    while (o->depth > 0 && wr_instr_next(&r, &i)) {
        u32 at = (u32)(i.start - o->code->start);
        if (!oracle_instr(o, &i, at)) return false;
        if (oracle_is_block(i.op)) {
            o->dead[o->depth] = o->dead[o->depth - 1];
            o->open[o->depth++] = o->block_at[at] - 1;
        } else if (i.op == OP_END || i.op == OP_DELEGATE) {
            o->depth--;
        } else if (i.op == OP_ELSE || i.op == OP_CATCH || i.op == OP_CATCH_ALL) {
            o->dead[o->depth - 1] = o->dead[o->depth - 2];
        } else if (oracle_is_jump(i.op)) {
            o->dead[o->depth - 1] = true;
        }
    }
    if (o->next_entry != o->code->nside)
        return ORACLE_FAIL(o, "%u entries, not %u", o->code->nside, o->next_entry);
    return true;
}

/* True if the side table is right; else `error` says what is not. `heights`: compare them, too, which
 * takes quadratic time. */
static inline bool oracle_check(const Module *m, const Code *code, bool heights, char error[160]) {
    u32 size = (u32)(code->end - code->start);
    Oracle o = {.m = m, .code = code, .size = size, .heights = heights};
    o.block_at = calloc(size + 1, sizeof *o.block_at);
    o.entry_at = calloc(size + 1, sizeof *o.entry_at);
    o.blocks = calloc(size + 1, sizeof *o.blocks);
    o.open = calloc(size + 1, sizeof *o.open);
    o.dead = calloc(size + 1, sizeof *o.dead);
    oracle_pair(&o);
    bool ok = oracle_walk(&o);
    memcpy(error, o.error, sizeof o.error);
    free(o.block_at);
    free(o.entry_at);
    free(o.blocks);
    free(o.open);
    free(o.dead);
    return ok;
}

#endif
