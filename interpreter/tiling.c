/*
 * tiling.c - see tiling.h.
 *
 * The body is read once into items, one for each instruction. It falls into sections: one starts where
 * control can come from elsewhere (the start, behind every loop, else, end and catch: all operands are in
 * memory there) or behind a call (a result of one slot is in r0). Within a section the cheapest way from each
 * item in each cache state is found from its end back (dynamic programming); then the way from its start
 * is walked and ids are written along it. Positions that no way passes keep the id that goes on by bytes.
 *
 * The `end` of the function is entered by falling into it only: branches there are returns.
 */
#include "tiling.h"

#include "decode_code.h"
#include "frame.h"
#include "numeric_simd.h"

/* What generate.py says of single instructions, tiles and atoms. */
typedef struct Single {
    u16 id;
    u8 end; /* the state behind it, or BY_TYPE */
} Single;
typedef struct SingleChange {
    u16 op, state;
    Single single;
} SingleChange;
/* What follows from the start of a sequence. A node's children lie beside each other, by atom, up to those of the next
 * node; so do its tiles, by start. Node 0 is the root, and the last one is behind all. */
typedef struct TrieNode {
    u16 atom; /* that leads here */
    u16 children, tiles;
} TrieNode;
typedef struct TileInfo {
    u16 id;
    u8 start : 4, end : 4; /* the states before and behind it; an end of 4: nothing is behind */
    u8 flags;              /* TILE_* */
} TileInfo;
typedef struct AtomRow {
    u16 first; /* the atom with an immediate of one byte, or without; 0: none */
    u16 longest;
} AtomRow;

#define BY_TYPE 5
#define TILE_ACCESS 1
#define TILE_BRANCH 2 /* is followed by the tiles that poll: ids that shadows do not hold */
#define TILE_CHECK 4  /* is followed by the tile that checks bounds */

#include "shadow_ids.inc"

enum { STATE_E, STATE_I, STATE_F, STATE_V, STATES };

/* Costs: of a dispatch, and of what is done in a tile whatever the dispatch. */
#define COST_TILE 100u
#define COST_STEP 12u
#define COST_SINGLE (COST_TILE + COST_STEP + 1) /* a tile of one knows how long its number is */
#define COST_PREFIX 60u
#define COST_NONE UINT32_MAX

typedef enum Cut {
    CUT_NONE,
    CUT_TARGET, /* control comes from elsewhere, too: all operands in memory */
    CUT_CALL,   /* only by returning: Item.after is the state */
    CUT_DEAD    /* not reached, until the block ends */
} Cut;

typedef struct Item {
    u32 at;    /* offset in the code */
    u32 block; /* of a branch, the block that it leaves; of what ends a block, that block */
    u16 op;
    u16 atom;       /* 0: none */
    u8 after;       /* the state behind it, where it depends on types */
    u8 cut;         /* Cut: before the next item */
    u8 last_byte;   /* of the opcode, from `at` */
    bool is_exit;   /* a branch to the end of the function */
    bool is_padded; /* a call whose indices have five bytes each */
    bool is_wide;   /* a drop or select of a v128 */
} Item;

typedef struct Block {
    u32 outer;
    u32 end; /* item */
    bool is_loop, has_else;
    bool is_exit; /* a branch behind it arrives at the end of the function */
    u32 nresults;
} Block;

typedef struct Choice {
    u32 cost;
    u32 count; /* items */
    u16 id;
    u8 end;
} Choice;

typedef struct Label {
    u32 item, block;
} Label;

typedef struct Tiling {
    const Module *module;
    const Code *code;
    const Alloc *alloc;
    bool check, accesses;
    u16 *ids;
    Item *items;
    u32 nitems, cap_items;
    Block *blocks;
    u32 nblocks, cap_blocks;
    u32 *open; /* the blocks around the current item, outermost first */
    u32 depth, cap_open;
    Label *labels; /* of br_table */
    u32 nlabels, cap_labels;
    Choice (*choices)[STATES];
    Single (*singles)[STATES];
    Single (*wide)[STATES]; /* for instructions that see v128 locals; NULL unless the code does */
} Tiling;

const u16 wr_exit_ids[2] = {ID_LEAVE_E, ID_LEAVE_I};
u32 wr_tiling_table_size(void) { return SHADOW_TABLE_SIZE; }

void wr_tiling_each_polled(PairVisitor *visit, void *context) {
    for (u32 i = 0; i < ARRAY_LEN(polled_pairs); i++)
        visit(context, polled_pairs[i][0], polled_pairs[i][1]);
    for (u32 i = 0; i < ARRAY_LEN(tiles); i++) {
        if (!(tiles[i].flags & TILE_BRANCH)) continue;
        u32 id = tiles[i].id, kinds = tiles[i].flags & TILE_CHECK ? 2 : 1;
        for (u32 kind = 0; kind < kinds; kind++) visit(context, id + kind, id + kind + kinds);
    }
}

/* ---- reading ---- */

static bool grow(const Alloc *alloc, void *array, u32 *capacity, u32 count, size_t size) {
    if (count < *capacity) return true;
    u32 more = *capacity ? *capacity * 2 : 64;
    void **place = array;
    void *grown = wr_realloc(alloc, *place, *capacity * size, more * size);
    if (grown == NULL) return false;
    *place = grown;
    *capacity = more;
    return true;
}

static u32 block_at(const Tiling *t, u32 label) { return t->open[t->depth - 1 - label]; }

static u32 results_of(const Module *m, const Instr *instr) {
    if (instr->index != NONE_U32) return m->types[instr->index]->nresults;
    return instr->type != T_BOT;
}

static bool push_block(Tiling *t, bool is_loop, u32 nresults) {
    if (!grow(t->alloc, &t->blocks, &t->cap_blocks, t->nblocks, sizeof *t->blocks)) return false;
    if (!grow(t->alloc, &t->open, &t->cap_open, t->depth, sizeof *t->open)) return false;
    u32 outer = t->depth > 0 ? block_at(t, 0) : 0;
    t->blocks[t->nblocks] = (Block){outer, NONE_U32, is_loop, false, false, nresults};
    t->open[t->depth++] = t->nblocks++;
    return true;
}

static bool add_labels(Tiling *t, const Instr *instr) {
    Reader r = {.pos = instr->vector.items, .end = instr->end, .base = t->module->bytes};
    for (u32 i = 0; i <= instr->vector.count; i++) {
        u32 label = i < instr->vector.count ? wr_read_u32(&r) : instr->index;
        if (!grow(t->alloc, &t->labels, &t->cap_labels, t->nlabels, sizeof *t->labels))
            return false;
        t->labels[t->nlabels++] = (Label){t->nitems, block_at(t, label)};
    }
    return true;
}

static u8 state_of(ValType type) { return type == T_V128 ? STATE_V : STATE_I; }

/* The state behind a call of that type (handlers_jump.h). */
static u8 state_behind(const DefType *type) { return type->result_slots == 1 ? STATE_I : STATE_E; }

static u8 state_of_local(const Tiling *t, u32 index) {
    return t->code->is_wide && t->code->local_map[index] & 1 ? STATE_V : STATE_I;
}

static bool is_branch_on_cast(u32 op) { return wr_op_info[op].imm == IMM_BR_CAST; }

/* Notes what follows from the instruction for blocks, sections and states. */
static bool note(Tiling *t, Item *item, const Instr *instr) {
    const Module *m = t->module;
    switch ((u32)instr->op) {
    case OP_BLOCK:
    case OP_TRY:
    case OP_TRY_TABLE: return push_block(t, false, results_of(m, instr));
    case OP_LOOP: item->cut = CUT_TARGET; return push_block(t, true, results_of(m, instr));
    case OP_IF:
        if (!push_block(t, false, results_of(m, instr))) return false;
        item->block = block_at(t, 0);
        return true;
    case OP_ELSE: t->blocks[block_at(t, 0)].has_else = true; /* fall through */
    case OP_CATCH:
    case OP_CATCH_ALL:
        item->block = block_at(t, 0);
        item->cut = CUT_TARGET;
        return true;
    case OP_END:
    case OP_DELEGATE:
        item->block = block_at(t, 0);
        item->cut = CUT_TARGET;
        t->blocks[item->block].end = t->nitems;
        t->depth -= 1;
        return true;
    case OP_BR_TABLE: item->cut = CUT_DEAD; return add_labels(t, instr);
    case OP_BR:
        item->block = block_at(t, instr->index);
        item->cut = CUT_DEAD;
        return true;
    case OP_BR_IF:
    case OP_BR_ON_NULL:
    case OP_BR_ON_NON_NULL: item->block = block_at(t, instr->index); return true;
    case OP_RETURN:
    case OP_UNREACHABLE:
    case OP_THROW:
    case OP_THROW_REF:
    case OP_RETHROW:
    case OP_RETURN_CALL:
    case OP_RETURN_CALL_INDIRECT:
    case OP_RETURN_CALL_REF: item->cut = CUT_DEAD; return true;
    case OP_CALL:
        item->cut = CUT_CALL;
        item->after = state_behind(m->funcs[instr->index].type);
        return true;
    case OP_CALL_INDIRECT:
    case OP_CALL_REF:
        item->cut = CUT_CALL;
        item->after = state_behind(m->types[instr->index]);
        return true;
    case OP_GLOBAL_GET:
    case OP_GLOBAL_SET: item->after = state_of(m->globals[instr->index].type); return true;
    case OP_STRUCT_GET:
        item->after = state_of(m->types[instr->index]->fields[instr->index2].type);
        return true;
    case OP_ARRAY_GET: item->after = state_of(m->types[instr->index]->fields[0].type); return true;
    case OP_LOCAL_GET:
    case OP_LOCAL_SET:
    case OP_LOCAL_TEE: item->after = state_of_local(t, instr->index); return true;
    case OP_DROP:
    case OP_SELECT:
        item->is_wide = t->code->is_wide && wr_interp_is_wide(t->code, instr->start);
        return true;
    default:
        if (is_branch_on_cast(instr->op)) item->block = block_at(t, instr->index);
        return true;
    }
}

/* ---- atoms ---- */

/* Bytes of the opcode if it is encoded as short as can be, else 0. */
static u32 short_opcode(const Instr *instr) {
    const OpInfo *info = &wr_op_info[instr->op];
    if (info->prefix == 0) return 1;
    if (info->code < 0x80) return instr->start[1] == info->code ? 2 : 0;
    bool minimal = instr->start[1] == (info->code | 0x80u) % 0x100u &&
                   instr->start[2] == info->code >> 7 && info->code < 0x4000;
    return minimal ? 3 : 0;
}

static bool suits(const Tiling *t, const Item *item, const Instr *instr, u32 opcode) {
    switch (wr_op_info[instr->op].imm) {
    case IMM_MEMARG:
    case IMM_MEMARG_LANE:
        return t->accesses && instr->start[opcode] < 0x40 && instr->offset < MEMORY_GUARD - 16;
    case IMM_LOCAL:
        return !t->code->is_wide || t->code->local_map[instr->index] == instr->index << 1;
    case IMM_GLOBAL: return item->after != STATE_V;
    default: return !item->is_wide;
    }
}

/* Bytes of the immediate whose length is part of the atom; 1 where none is. */
static u32 immediate_length(const Item *item, const Instr *instr, u32 opcode) {
    u32 rest = (u32)(instr->end - instr->start) - opcode;
    switch (wr_op_info[instr->op].imm) {
    case IMM_MEMARG: return rest - 1;
    case IMM_MEMARG_LANE: return rest - 2;
    case IMM_LOCAL:
    case IMM_GLOBAL:
    case IMM_FUNC:
    case IMM_LABEL:
    case IMM_I32:
    case IMM_I64:
    case IMM_BLOCK: return rest;
    case IMM_TYPE_TABLE: return item->is_padded ? 5 : rest == 2 ? 1 : UINT32_MAX;
    default: return 1;
    }
}

static u16 atom_of(const Tiling *t, const Item *item, const Instr *instr) {
    const AtomRow *row = &atom_rows[instr->op];
    u32 opcode = short_opcode(instr);
    if (row->first == 0 || opcode == 0 || !suits(t, item, instr, opcode)) return 0;
    u32 length = immediate_length(item, instr, opcode);
    return length <= row->longest ? (u16)(row->first + length - 1) : 0;
}

static u8 last_opcode_byte(const Instr *instr) {
    const u8 *p = instr->start;
    if (wr_op_info[instr->op].prefix != 0) do
            p++;
        while (*p & 0x80);
    return (u8)(p - instr->start);
}

static bool read_items(Tiling *t) {
    const Code *code = t->code;
    Reader r = {.pos = code->start, .end = code->end, .base = t->module->bytes};
    Instr instr;
    if (!push_block(t, false, t->module->funcs[code->func_index].type->nresults)) return false;
    while (wr_instr_next(&r, &instr)) {
        if (!grow(t->alloc, &t->items, &t->cap_items, t->nitems, sizeof *t->items)) return false;
        Item *item = &t->items[t->nitems];
        *item = (Item){.at = (u32)(instr.start - code->start), .op = (u16)instr.op};
        if (!note(t, item, &instr)) return false;
        u32 size = (u32)(instr.end - instr.start);
        item->is_padded = (instr.op == OP_CALL && size == 6) ||
                          (instr.op == OP_CALL_INDIRECT && size == 11 && instr.start[5] < 0x80);
        item->atom = atom_of(t, item, &instr);
        item->last_byte = last_opcode_byte(&instr);
        t->nitems++;
    }
    return true;
}

/* ---- branches to the end of the function ---- */

/* Whether a branch to the block's end arrives at the end of the function: side entries skip over ends that
 * follow each other, and over the else that follows the end of an if's first arm. */
static bool leads_out(const Tiling *t, const Block *block) {
    if (block->end == NONE_U32 || block->end + 1 >= t->nitems) return false;
    const Item *next = &t->items[block->end + 1];
    if (next->op != OP_END && next->op != OP_ELSE) return false;
    return next->block == block->outer && t->blocks[block->outer].is_exit;
}

static bool is_branch(u32 op) {
    switch (op) {
    case OP_BR:
    case OP_BR_IF:
    case OP_IF:
    case OP_ELSE:
    case OP_CATCH:
    case OP_CATCH_ALL:
    case OP_BR_ON_NULL:
    case OP_BR_ON_NON_NULL: return true;
    default: return is_branch_on_cast(op);
    }
}

static void find_exits(Tiling *t) {
    t->items[t->nitems - 1].atom = 0;
    t->blocks[0].is_exit = true;
    for (u32 i = 1; i < t->nblocks; i++) t->blocks[i].is_exit = leads_out(t, &t->blocks[i]);
    for (u32 i = 0; i < t->nitems; i++) {
        Item *item = &t->items[i];
        if (!is_branch(item->op)) continue;
        const Block *block = &t->blocks[item->block];
        bool to_end = item->op == OP_IF ? !block->has_else : !block->is_loop;
        item->is_exit = to_end && block->is_exit;
        if (item->is_exit) item->atom = 0;
    }
    for (u32 i = 0; i < t->nlabels; i++) {
        const Block *block = &t->blocks[t->labels[i].block];
        if (block->is_loop || !block->is_exit) continue;
        t->items[t->labels[i].item].is_exit = true;
        t->items[t->labels[i].item].atom = 0;
    }
}

/* ---- single instructions ---- */

static void apply(Single (*singles)[STATES], const SingleChange *changes, size_t count) {
    for (size_t i = 0; i < count; i++) singles[changes[i].op][changes[i].state] = changes[i].single;
}
#define APPLY(singles, changes) apply(singles, changes, ARRAY_LEN(changes))

static bool make_singles(Tiling *t, MemoryKind kind) {
    t->singles = wr_alloc(t->alloc, sizeof singles);
    if (t->singles == NULL) return false;
    memcpy(t->singles, singles, sizeof singles);
    if (kind == MEM_CHECK32) APPLY(t->singles, check_singles);
    if (kind == MEM_64) APPLY(t->singles, mem64_singles);
    if (!t->code->is_wide) return true;
    t->wide = wr_alloc(t->alloc, sizeof singles);
    if (t->wide == NULL) return false;
    memcpy(t->wide, t->singles, sizeof singles);
    APPLY(t->wide, wide_singles);
    return true;
}

static Single bytes_single(u32 state) {
    static const u16 ids[STATES] = {ID_TO_BYTES_E, ID_TO_BYTES_I, ID_TO_BYTES_F, ID_TO_BYTES_V};
    return (Single){ids[state], STATE_E};
}

static bool is_bytes(u16 id) {
    return id == ID_TO_BYTES_E || id == ID_TO_BYTES_I || id == ID_TO_BYTES_F || id == ID_TO_BYTES_V;
}

/* Whether a branch out of the block is a return: not if values from outside of it are results, too. */
static bool is_return(const Tiling *t, const Item *item) {
    return t->blocks[item->block].nresults == t->blocks[0].nresults;
}

/* The end of the function, and branches there. */
static Single exit_single(const Tiling *t, const Item *item, u32 state) {
    static const u16 none[STATES] = {ID_RETURN_NONE_E};
    static const u16 one[STATES] = {ID_RETURN_ONE_E, ID_RETURN_ONE_I, ID_RETURN_ONE_F};
    static const u16 br[STATES] = {ID_BR_EXIT_E, ID_BR_EXIT_I, ID_BR_EXIT_F, ID_BR_EXIT_V};
    static const u16 br_if[STATES] = {ID_BR_IF_EXIT_E, ID_BR_IF_EXIT_I};
    static const u16 if_else[STATES] = {ID_IF_EXIT_E, ID_IF_EXIT_I};
    static const u16 br_table[STATES] = {ID_BR_TABLE_EXIT_E, ID_BR_TABLE_EXIT_I};
    const u16 *ids = none;
    u32 results = t->code->result_slots;
    if ((item->op == OP_BR || item->op == OP_BR_IF) && !is_return(t, item))
        return bytes_single(state);
    switch (item->op) {
    case OP_BR_IF: ids = br_if; break;
    case OP_IF: ids = if_else; break;
    case OP_BR_TABLE: ids = br_table; break;
    case OP_BR:
    case OP_ELSE: ids = br; break;
    case OP_END:
        if (results == 1) ids = one;
        if (results > 1 || ids[state] == 0) return t->singles[OP_RETURN][state];
        break;
    default: return bytes_single(state);
    }
    return ids[state] ? (Single){ids[state], STATE_E} : bytes_single(state);
}

static Single padded_call(u32 op, u32 state) {
    static const u16 direct[STATES] = {ID_CALL_5_E, ID_CALL_5_I, ID_CALL_5_F, ID_CALL_5_V};
    static const u16 indirect[STATES] = {ID_CALL_INDIRECT_5_E, ID_CALL_INDIRECT_5_I,
                                         ID_CALL_INDIRECT_5_F, ID_CALL_INDIRECT_5_V};
    return (Single){(op == OP_CALL ? direct : indirect)[state], STATE_E};
}

static Single single_of(const Tiling *t, u32 i, u32 state) {
    static const u16 block_ends[STATES] = {ID_BLOCK_END_E, ID_BLOCK_END_I, ID_BLOCK_END_F,
                                           ID_BLOCK_END_V};
    const Item *item = &t->items[i];
    if (item->is_exit || i + 1 == t->nitems) return exit_single(t, item, state);
    if (item->op == OP_END) return (Single){block_ends[state], STATE_E};
    if (item->is_padded) return padded_call(item->op, state);
    bool sees_locals = item->op == OP_LOCAL_GET || item->op == OP_LOCAL_SET ||
                       item->op == OP_LOCAL_TEE || item->is_wide;
    Single single = (t->wide && sees_locals ? t->wide : t->singles)[item->op][state];
    if (single.end == BY_TYPE) single.end = item->after;
    return single;
}

/* ---- choosing ---- */

static u32 child(u32 node, u16 atom) {
    u32 low = trie[node].children, high = trie[node + 1].children;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (trie[middle].atom == atom) return middle;
        if (trie[middle].atom < atom)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static void offer(Choice *choice, u32 cost, const Choice *next, u16 id, u32 count, u8 end) {
    if (next[end].cost == COST_NONE || cost + next[end].cost >= choice->cost) return;
    *choice = (Choice){cost + next[end].cost, count, id, end};
}

static bool does_nothing(u32 op) {
    return op == OP_BLOCK || op == OP_LOOP || op == OP_NOP || op == OP_END;
}

/* The end of the run of items from i on that do nothing when no operand is cached. The last item, which ends
 * the function, is none of them. */
static u32 run_end(const Tiling *t, u32 i) {
    u32 end = i;
    while (end + 1 < t->nitems && does_nothing(t->items[end].op) &&
           t->items[end + 1].at - t->items[i].at <= UINT16_MAX)
        end++;
    return end;
}

/* One dispatch for such a run, if its first instruction has a second byte, where the length is put. It may
 * lead into the next section. */
static bool choose_pass(Tiling *t, u32 i, u32 end) {
    u32 behind = run_end(t, i);
    if (behind == i || t->items[i + 1].at - t->items[i].at < 2) return false;
    u32 next = behind < end ? behind : end;
    offer(&t->choices[i][STATE_E], COST_TILE, t->choices[next], ID_PASS_E, next - i, STATE_E);
    return true;
}

/* Of plain blocks in a row, one dispatch passes all (handlers_core.h). */
static u32 blocks_from(const Tiling *t, u32 i, u32 end) {
    u32 next = i + 1;
    if (t->items[i].op == OP_BLOCK)
        while (next < end && t->items[next].op == OP_BLOCK &&
               t->code->start[t->items[next].at + 1] == 0x40)
            next++;
    return next - i;
}

static void choose_single(Tiling *t, u32 i, u32 end) {
    u32 count = blocks_from(t, i, end);
    bool passes = choose_pass(t, i, end);
    for (u32 state = passes ? STATE_I : STATE_E; state < STATES; state++) {
        Single single = single_of(t, i, state);
        u32 cost = COST_SINGLE + (t->items[i].last_byte ? COST_PREFIX : 0);
        offer(&t->choices[i][state], cost, t->choices[i + count], single.id, count, single.end);
    }
}

static void offer_tile(Tiling *t, u32 i, const TileInfo *tile, u32 count) {
    bool checked = tile->flags & TILE_CHECK;
    if (t->check && !checked && tile->flags & TILE_ACCESS) return;
    u32 id = tile->id + (checked && t->check);
    u8 after = tile->end < STATES ? tile->end : STATE_E;
    offer(&t->choices[i][tile->start], COST_TILE + COST_STEP * count, t->choices[i + count],
          (u16)id, count, after);
}

/* All tiles that start with item i and end before `end`. */
static void choose_tile(Tiling *t, u32 i, u32 end) {
    u32 node = 0;
    for (u32 j = i; j < end && t->items[j].atom != 0; j++) {
        node = child(node, t->items[j].atom);
        if (node == 0) return;
        for (u32 n = trie[node].tiles; n < trie[node + 1].tiles; n++)
            offer_tile(t, i, &tiles[n], j + 1 - i);
    }
}

/* Items first .. end - 1 in a row; `cut` is behind them. */
static void choose(Tiling *t, u32 first, u32 end, Cut cut) {
    for (u32 state = 0; state < STATES; state++)
        t->choices[end][state].cost = cut != CUT_TARGET || state == STATE_E ? 0 : COST_NONE;
    for (u32 i = end; i-- > first;) {
        for (u32 state = 0; state < STATES; state++) t->choices[i][state].cost = COST_NONE;
        choose_single(t, i, end);
        choose_tile(t, i, end);
    }
}

static void write_ids(Tiling *t, u32 first, u32 end, u32 state) {
    for (u32 i = first; i < end;) {
        const Choice *choice = &t->choices[i][state];
        const Item *item = &t->items[i];
        if (choice->cost == COST_NONE) {
            t->ids[item->at] = bytes_single(state).id;
            return;
        }
        /* Tiles know their prefix; bytes are taken up at the first. */
        bool is_whole = choice->id >= FIRST_TILE || is_bytes(choice->id);
        if (!is_whole && item->last_byte != 0) t->ids[item->at] = ID_SKIP_E;
        t->ids[item->at + (is_whole ? 0 : item->last_byte)] = choice->id;
        if (choice->id == ID_PASS_E)
            t->ids[item->at + 1] = (u16)(t->items[run_end(t, i)].at - item->at);
        i += choice->count;
        state = choice->end;
    }
}

/* The item behind which code is reached again. */
static u32 skip_dead(const Tiling *t, u32 i) {
    while (i < t->nitems && t->items[i].cut != CUT_TARGET) i++;
    return i + 1;
}

static void choose_sections(Tiling *t) {
    u32 state = STATE_E;
    for (u32 i = 0; i < t->nitems;) {
        u32 end = i;
        while (end + 1 < t->nitems && t->items[end].cut == CUT_NONE) end++;
        Cut cut = (Cut)t->items[end].cut;
        if (end + 1 == t->nitems) cut = CUT_DEAD;
        choose(t, i, end + 1, cut);
        write_ids(t, i, end + 1, state);
        state = cut == CUT_CALL ? t->items[end].after : STATE_E;
        i = cut == CUT_DEAD ? skip_dead(t, end + 1) : end + 1;
    }
}

static void free_tiling(Tiling *t) {
    wr_free(t->alloc, t->items, t->cap_items * sizeof *t->items);
    wr_free(t->alloc, t->blocks, t->cap_blocks * sizeof *t->blocks);
    wr_free(t->alloc, t->open, t->cap_open * sizeof *t->open);
    wr_free(t->alloc, t->labels, t->cap_labels * sizeof *t->labels);
    wr_free(t->alloc, t->choices, (t->nitems + 1) * sizeof *t->choices);
    wr_free(t->alloc, t->singles, sizeof singles);
    wr_free(t->alloc, t->wide, sizeof singles);
}

static bool shares_memory(const Module *module) {
    return module->nmemories > 0 && module->memories[0].limits.is_shared;
}

bool wr_tiling(const Module *module, const Code *code, MemoryKind kind, u16 *ids) {
    Tiling t = {
        .module = module,
        .code = code,
        .alloc = &module->engine->alloc,
        .check = kind == MEM_CHECK32,
        /* A check that fails must look whether another thread has grown the memory: not in tiles. */
        .accesses = kind == MEM_GUARD32 || (kind == MEM_CHECK32 && !shares_memory(module)),
        .ids = ids};
    bool ok = read_items(&t) && make_singles(&t, kind);
    if (ok) t.choices = wr_alloc(t.alloc, (t.nitems + 1) * sizeof *t.choices);
    ok = ok && t.choices != NULL;
    if (ok) {
        for (u32 i = 0, n = (u32)(code->end - code->start); i < n; i++) ids[i] = ID_TO_BYTES_E;
        find_exits(&t);
        choose_sections(&t);
    }
    free_tiling(&t);
    return ok;
}
