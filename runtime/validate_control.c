/*
 * validate_control.c - blocks, branches, calls and returns (spec: valid/instructions, control), and
 * with them the side table: this file decides where every branch goes.
 *
 * Targets. A branch to a block goes behind its `end`; a branch to a loop behind its block type. If
 * what follows an `end` is the `end` of an enclosing block, or the `else` of an enclosing `if`, which
 * would only pass control on, the branch goes on with that one's: the operands are the same, since a
 * block ends with exactly its results on top of the height that it began at. A branch to the body's
 * own label, and so to every block that ends directly before the body does, goes AT the final `end`,
 * which returns the topmost result slots: where the branch brings all of them nothing needs to move, and
 * such entries have pop 0. A block may have fewer results, the others lying below what it drops.
 *
 * In dead code operands may lack, and heights are whatever is known; the entries are never used,
 * but they count.
 */
#include "binary.h"
#include "validate_code.h"

/* ---- frames ---- */

static bool grow_frames(Checker *c) {
    if (c->nframes >= LIMIT_NESTING) {
        wr_check_fail(c, "too many nested blocks: more than %u", LIMIT_NESTING);
        return false;
    }
    if (wr_grow_array(c->alloc, &c->frames, &c->frames_capacity, (u64)c->nframes + 1, LIMIT_NESTING,
                      sizeof *c->frames))
        return true;
    wr_check_oom(c);
    return false;
}

bool wr_check_push_frame(Checker *c, FrameKind kind, BlockType type) {
    if (UNLIKELY(c->nframes == c->frames_capacity) && !grow_frames(c)) return false;
    Frame *f = &c->frames[c->nframes++];
    f->kind = (u8)kind;
    f->dead = false;
    f->height = c->sp;
    f->wide = c->wide;
    f->inits = c->ninits;
    f->type = type;
    f->branches = SIDE_CHAIN_EMPTY;
    return true;
}

void wr_check_dead(Checker *c) {
    Frame *f = check_frame(c);
    f->dead = true;
    c->sp = f->height;
    c->wide = f->wide;
}

void wr_check_pop_results(Checker *c, Frame *f) {
    check_pop_list(c, check_block_results(&f->type));
    if (UNLIKELY(c->sp != f->height) && !check_failed(c)) wr_check_surplus(c, f);
}

void wr_check_unset_locals(Checker *c, u32 inits) {
    while (c->ninits > inits) c->locals[c->inits[--c->ninits]] |= LOCAL_UNSET;
}

/* Whether control that arrives behind an inner `end` in `outer` at once goes to the end of `outer`. */
static bool passes_on(const Checker *c, const Frame *outer) {
    if (c->reader.pos >= c->reader.end) return false;
    u8 next = *c->reader.pos;
    return next == 0x0B || (next == 0x05 && outer->kind == FRAME_IF);
}

/* Leaves the innermost frame, whose results stay on the stack, and says where its branches go. */
static void leave_frame(Checker *c, u32 after) {
    Frame *f = check_frame(c);
    if (UNLIKELY(c->ninits > f->inits)) wr_check_unset_locals(c, f->inits);
    c->nframes--;
    if (f->branches.first == NONE_U32) return;
    if (c->nframes == 0)
        wr_side_bind_exits(&c->side, &f->branches, check_offset(c, c->at), check_label(f).slots);
    else if (passes_on(c, check_frame(c)))
        wr_side_join(&c->side, &check_frame(c)->branches, &f->branches);
    else
        wr_side_bind_chain(&c->side, &f->branches, after);
}

void wr_check_leave(Checker *c, u32 after) {
    Frame *f = check_frame(c);
    c->sp = f->height;
    c->wide = f->wide;
    check_push_list(c, check_block_results(&f->type));
    leave_frame(c, after);
}

/* ---- side entries ---- */

/* Adds an entry for the instruction at c->at; false when out of memory. */
static bool add_entry(Checker *c, u32 pop, u32 keep) {
    if (LIKELY(wr_side_add(&c->side, c->alloc, check_offset(c, c->at), pop, keep))) return true;
    wr_check_oom(c);
    return false;
}

void wr_check_branch(Checker *c, Frame *f, u32 height) {
    u32 keep = check_label(f).slots, base = f->height + f->wide + keep;
    u32 pop = height > base ? height - base : 0;
    if (!add_entry(c, pop, keep)) return;
    u32 index = c->side.count - 1;
    if (f->kind == FRAME_LOOP)
        wr_side_bind(&c->side, index, f->target, f->stp);
    else
        wr_side_chain(&c->side, &f->branches, index);
}

Frame *wr_check_label_index(Checker *c) {
    u32 label = wr_read_u32(&c->reader);
    if (LIKELY(label < c->nframes)) return &c->frames[c->nframes - 1 - label];
    wr_check_fail(c, "unknown label %u", label);
    return NULL;
}

/* ---- block, loop, if, else, end ---- */

static bool check_func_block_type(Checker *c, i64 index, BlockType *type) {
    if (index >= c->module->ntypes) {
        wr_check_fail(c, "unknown type %u", (u32)index);
        return false;
    }
    type->def = c->module->types[index];
    if (type->def->comp == COMP_FUNC) return true;
    wr_check_fail(c, "type mismatch: block type %u is no function type", (u32)index);
    return false;
}

bool wr_check_read_block_type(Checker *c, BlockType *type) {
    Reader *r = &c->reader;
    *type = (BlockType){NULL, T_BOT};
    u8 first = r->pos < r->end ? *r->pos : 0;
    if (LIKELY(first == CODE_EMPTY)) {
        r->pos++;
    } else if (first > CODE_EMPTY && first < 0x80) { /* a negative byte */
        type->single = wr_read_valtype(r, c->module);
    } else {
        i64 index = wr_read_s33(r);
        if (!check_failed(c) && index < 0) wr_check_malformed(c, "malformed block type");
        if (check_failed(c) || !check_func_block_type(c, index, type)) return false;
    }
    return !check_failed(c);
}

void wr_check_block(Checker *c, FrameKind kind) {
    BlockType type;
    if (!wr_check_read_block_type(c, &type)) return;
    if (kind == FRAME_IF) check_pop(c, T_I32);
    if (type.def) check_pop_list(c, check_params(type.def));
    if (!wr_check_push_frame(c, kind, type)) return;
    Frame *f = check_frame(c);
    if (kind == FRAME_LOOP) {
        f->target = check_offset(c, c->reader.pos);
        f->stp = c->side.count;
    } else if (kind == FRAME_IF) {
        f->branch_if = c->side.count;
        if (!add_entry(c, 0, 0)) return;
    }
    if (type.def) check_push_list(c, check_params(type.def));
}

static void check_else(Checker *c) {
    Frame *f = check_frame(c);
    if (f->kind != FRAME_IF) {
        wr_check_malformed(c, "END opcode expected");
        return;
    }
    wr_check_pop_results(c, f);
    wr_check_unset_locals(c, f->inits);
    if (check_failed(c) || !add_entry(c, 0, 0)) return;
    wr_side_chain(&c->side, &f->branches, c->side.count - 1);
    wr_side_bind(&c->side, f->branch_if, check_offset(c, c->reader.pos), c->side.count);
    f->kind = FRAME_ELSE;
    f->dead = false;
    c->sp = f->height;
    c->wide = f->wide;
    check_push_list(c, check_block_params(&f->type));
}

/* Whether a list can stand where the other is expected: same length, each matches. */
bool wr_check_list_matches(Checker *c, TypeList sub, TypeList super) {
    if (sub.count != super.count) return false;
    if (sub.types == super.types) return true;
    for (u32 i = 0; i < sub.count; i++)
        if (!wr_check_matches(c, sub.types[i], super.types[i])) return false;
    return true;
}

/* The end of any frame, in every case. */
static void check_end_slow(Checker *c, Frame *f) {
    wr_check_pop_results(c, f);
    if (UNLIKELY(check_failed(c))) return;
    if (f->kind == FRAME_IF) {
        const BlockType *t = &f->type;
        if (!wr_check_list_matches(c, check_block_params(t), check_block_results(t))) {
            wr_check_fail(c, "type mismatch: if without else whose parameters are not its results");
            return;
        }
        wr_side_chain(&c->side, &f->branches, f->branch_if);
    } else if (f->kind >= FRAME_TRY_TABLE) {
        wr_check_end_try(c, f);
    }
    wr_check_leave(c, check_offset(c, c->reader.pos));
}

void wr_check_end(Checker *c) {
    Frame *f = check_frame(c);
    TypeList results = check_block_results(&f->type);
    bool is_plain = f->kind <= FRAME_LOOP || f->kind == FRAME_ELSE;
    if (LIKELY(is_plain && c->sp == f->height + results.count && check_top_equals(c, results)))
        leave_frame(c, check_offset(c, c->reader.pos));
    else
        check_end_slow(c, f);
}

/* As the reference decoder, which reads on behind the body: what it would trip over. */
void wr_check_cut_off(Checker *c) {
    const u8 *end = c->reader.end, *file_end = c->module->bytes + c->module->size;
    c->at = end;
    if (end == file_end)
        wr_check_malformed(c, "unexpected end of section or function");
    else if (*end == 0x0B)
        wr_check_malformed(c, "section size mismatch");
    else
        wr_check_malformed(c, "END opcode expected");
}

/* ---- branches ---- */

void wr_check_br(Checker *c) {
    Frame *f = wr_check_label_index(c);
    if (f == NULL) return;
    wr_check_branch(c, f, check_height(c));
    check_pop_list(c, check_label(f));
    wr_check_dead(c);
}

void wr_check_br_if(Checker *c) {
    Frame *f = wr_check_label_index(c);
    if (f == NULL) return;
    check_pop(c, T_I32);
    wr_check_branch(c, f, check_height(c));
    TypeList label = check_label(f);
    if (label.count == 0) return;
    check_pop_list(c, label);
    check_push_list(c, label);
}

/* One label of a br_table. Labels with the same types as the one before need no second look: a long
 * table costs its length, not its length times the operands. */
static bool check_table_label(Checker *c, TypeList *last, bool is_first) {
    Frame *f = wr_check_label_index(c);
    if (f == NULL || check_failed(c)) return false;
    TypeList label = check_label(f);
    if (!is_first && label.count != last->count) {
        wr_check_fail(c, "type mismatch: br_table labels of %u and %u operands", last->count,
                      label.count);
        return false;
    }
    if (is_first || label.types != last->types) wr_check_peek_list(c, label);
    *last = label;
    wr_check_branch(c, f, check_height(c));
    return !check_failed(c);
}

static void check_br_table(Checker *c) {
    u32 count = wr_read_count(&c->reader, 1);
    check_pop(c, T_I32);
    TypeList label = {NULL, 0, 0};
    for (u32 i = 0; i <= count; i++)
        if (!check_table_label(c, &label, i == 0)) return;
    check_pop_list(c, label);
    wr_check_dead(c);
}

static void check_return(Checker *c) {
    check_pop_list(c, check_block_results(&c->frames[0].type));
    wr_check_dead(c);
}

/* ---- calls ---- */

static void check_call_type(Checker *c, const DefType *func, bool is_tail) {
    if (UNLIKELY(func == NULL)) return;
    check_pop_list(c, check_params(func));
    TypeList results = check_results(func);
    if (!is_tail) {
        check_push_list(c, results);
        return;
    }
    if (!wr_check_list_matches(c, results, check_block_results(&c->frames[0].type)))
        wr_check_fail(c, "type mismatch: the callee's results are not the caller's");
    wr_check_dead(c);
}

void wr_check_call(Checker *c, bool is_tail) {
    u32 index = wr_read_u32(&c->reader);
    if (UNLIKELY(index >= c->module->nfuncs))
        wr_check_fail(c, "unknown function %u", index);
    else
        check_call_type(c, c->module->funcs[index].type, is_tail);
}

static void check_call_indirect(Checker *c, bool is_tail) {
    const DefType *func = wr_check_comp_index(c, COMP_FUNC);
    u32 index = wr_check_table_index(c);
    if (check_failed(c)) return;
    const TableDecl *table = &c->module->tables[index];
    if (!wr_type_matches(c->types, table->type, T_FUNCREF)) {
        wr_check_mismatch(c, T_FUNCREF, table->type);
        return;
    }
    check_pop(c, table->limits.is_64 ? T_I64 : T_I32);
    check_call_type(c, func, is_tail);
}

static void check_call_ref(Checker *c, bool is_tail) {
    const DefType *func = wr_check_comp_index(c, COMP_FUNC);
    if (func == NULL) return;
    check_pop(c, check_def_ref(func));
    check_call_type(c, func, is_tail);
}

/* ---- all of them ---- */

bool wr_check_control(Checker *c, Opcode op) {
    switch ((unsigned)op) {
    case OP_BLOCK: wr_check_block(c, FRAME_BLOCK); return true;
    case OP_LOOP: wr_check_block(c, FRAME_LOOP); return true;
    case OP_IF: wr_check_block(c, FRAME_IF); return true;
    case OP_ELSE: check_else(c); return true;
    case OP_END: wr_check_end(c); return true;
    case OP_BR: wr_check_br(c); return true;
    case OP_BR_IF: wr_check_br_if(c); return true;
    case OP_BR_TABLE: check_br_table(c); return true;
    case OP_RETURN: check_return(c); return true;
    case OP_UNREACHABLE: wr_check_dead(c); return true;
    case OP_CALL: wr_check_call(c, false); return true;
    case OP_CALL_INDIRECT: check_call_indirect(c, false); return true;
    case OP_CALL_REF: check_call_ref(c, false); return true;
    case OP_RETURN_CALL: wr_check_call(c, true); return true;
    case OP_RETURN_CALL_INDIRECT: check_call_indirect(c, true); return true;
    case OP_RETURN_CALL_REF: check_call_ref(c, true); return true;
    default: return false;
    }
}
