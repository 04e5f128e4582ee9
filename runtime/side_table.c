/*
 * side_table.c - see side_table.h.
 */
#include "side_table.h"

bool wr_side_grow(SideTable *table, const Alloc *alloc) {
    return wr_grow_array(alloc, &table->drafts, &table->capacity, (u64)table->count + 1,
                         NONE_U32 - 1, sizeof(SideDraft));
}

void wr_side_join(SideTable *table, SideChain *to, SideChain *from) {
    if (from->first == NONE_U32) return;
    if (to->first == NONE_U32)
        to->first = from->first;
    else
        table->drafts[to->last].target = from->first;
    to->last = from->last;
    *from = SIDE_CHAIN_EMPTY;
}

/* Branches that keep `taken` slots move nothing. */
INLINE void bind_all(SideTable *table, SideChain *chain, u32 target, u32 taken) {
    u32 i = chain->first;
    while (i != NONE_U32) {
        SideDraft *d = &table->drafts[i];
        i = d->target;
        d->target = target;
        d->stp = table->count;
        if (d->keep == taken) d->pop = 0;
    }
    *chain = SIDE_CHAIN_EMPTY;
}

void wr_side_bind_chain(SideTable *table, SideChain *chain, u32 target) {
    bind_all(table, chain, target, NONE_U32);
}

void wr_side_bind_exits(SideTable *table, SideChain *chain, u32 target, u32 results) {
    bind_all(table, chain, target, results);
}

/* Whether draft i fits into a SideEntry; otherwise it becomes a FarEntry. */
static bool is_near(const SideDraft *d, u32 i) {
    i64 stp = (i64)d->stp - i;
    return stp >= INT16_MIN && stp <= INT16_MAX && d->pop < SIDE_FAR &&
           (d->keep <= UINT8_MAX || d->pop == 0);
}

static u32 count_far(const SideTable *table) {
    u32 n = 0;
    for (u32 i = 0; i < table->count; i++) n += !is_near(&table->drafts[i], i);
    return n;
}

/* Distances fit in 31 bits: bodies are at most LIMIT_BODY bytes and have fewer entries than bytes. */
static i32 distance(u32 from, u32 to) { return (i32)((i64)to - (i64)from); }

static SideEntry pack(const SideDraft *d, u32 i) {
    u32 keep = min_u32(d->keep, UINT8_MAX); /* only ever cut where pop is 0 and it means nothing */
    return (SideEntry){distance(d->at, d->target), (i16)distance(i, d->stp), (u8)d->pop, (u8)keep};
}

static void pack_all(const SideTable *table, SideEntry *side, FarEntry *far) {
    u32 nfar = 0;
    for (u32 i = 0; i < table->count; i++) {
        const SideDraft *d = &table->drafts[i];
        if (LIKELY(is_near(d, i))) {
            side[i] = pack(d, i);
            continue;
        }
        side[i] = (SideEntry){(i32)nfar, 0, SIDE_FAR, 0};
        far[nfar++] = (FarEntry){distance(d->at, d->target), distance(i, d->stp), d->pop, d->keep};
    }
}

bool wr_side_finish(SideTable *table, Arena *arena, Code *code) {
    u32 n = table->count, nfar = count_far(table);
    SideEntry *side = NULL;
    FarEntry *far = NULL;
    if (n > 0 && (side = wr_arena_new(arena, n, sizeof *side)) == NULL) return false;
    if (nfar > 0 && (far = wr_arena_new(arena, nfar, sizeof *far)) == NULL) return false;
    pack_all(table, side, far);
    code->side = side;
    code->far = far;
    code->nside = n;
    code->nfar = nfar;
    table->count = 0;
    return true;
}

void wr_side_free(SideTable *table, const Alloc *alloc) {
    wr_free(alloc, table->drafts, table->capacity * sizeof(SideDraft));
    *table = (SideTable){0};
}

/* ---- reading ---- */

u32 wr_side_count(const Instr *instr) {
    switch ((unsigned)instr->op) {
    case OP_BR:
    case OP_BR_IF:
    case OP_BR_ON_NULL:
    case OP_BR_ON_NON_NULL:
    case OP_IF:
    case OP_ELSE:
    case OP_CATCH:
    case OP_CATCH_ALL:
    case OP_RETHROW: return 1;
    case OP_BR_TABLE: return instr->vector.count + 1;
    case OP_TRY_TABLE: return instr->vector.count;
    default: return wr_op_info[instr->op].imm == IMM_BR_CAST;
    }
}

u32 wr_side_target(const Code *code, u32 index, u32 at) {
    const SideEntry *e = &code->side[index];
    i32 distance = e->pop == SIDE_FAR ? code->far[e->pc].pc : e->pc;
    return at + (u32)distance;
}

u32 wr_side_next(const Code *code, u32 index) {
    const SideEntry *e = &code->side[index];
    i32 distance = e->pop == SIDE_FAR ? code->far[e->pc].stp : e->stp;
    return index + (u32)distance;
}
