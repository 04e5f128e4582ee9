/*
 * validate_exception.c - throw, throw_ref and try_table (spec: valid/instructions, control), the
 * legacy try, catch, catch_all, delegate and rethrow, and the regions that the interpreter searches
 * when something is thrown (module.h: TryRegion).
 *
 * Regions are collected in the order in which they begin; while a region is open, `delegate` and the
 * catch clauses name it by that index. wr_check_finish_regions() puts them in the order of their
 * ends, inner ones first.
 */
#include "validate_code.h"

/* ---- throw ---- */

/* A tag index immediate: its type, or NULL after an error. */
static const DefType *tag_type(Checker *c, u32 *index) {
    *index = wr_read_u32(&c->reader);
    if (*index < c->module->ntags) return check_failed(c) ? NULL : c->module->tags[*index].type;
    wr_check_fail(c, "unknown tag %u", *index);
    return NULL;
}

static void check_throw(Checker *c) {
    u32 index;
    const DefType *tag = tag_type(c, &index);
    if (tag == NULL) return;
    check_pop_list(c, check_params(tag));
    wr_check_dead(c);
}

static void check_throw_ref(Checker *c) {
    check_pop(c, T_EXNREF);
    wr_check_dead(c);
}

/* ---- regions ---- */

static bool open_region(Checker *c, u32 height, u32 clauses, bool is_legacy) {
    if (!wr_grow_array(c->alloc, &c->regions, &c->regions_capacity, (u64)c->nregions + 1,
                       NONE_U32 - 2, sizeof *c->regions)) {
        wr_check_oom(c);
        return false;
    }
    TryRegion *region = &c->regions[c->nregions++].region;
    *region = (TryRegion){.start = check_offset(c, c->reader.pos),
                          .stp = c->side.count,
                          .height = height,
                          .at = check_offset(c, c->at),
                          .clauses = clauses,
                          .delegate = NONE_U32,
                          .is_legacy = is_legacy};
    return true;
}

/* The instruction at c->at ends the region that `f` opened. */
static void close_region(Checker *c, const Frame *f) {
    RegionDraft *draft = &c->regions[f->region];
    draft->region.end = check_offset(c, c->at);
    draft->final = c->nclosed++;
}

void wr_check_end_try(Checker *c, Frame *f) {
    if (f->kind == FRAME_TRY_TABLE || f->kind == FRAME_TRY)
        close_region(c, f);
    else
        c->catch_depth--;
}

/* ---- try_table ---- */

/* What a clause of this kind puts on the stack must be what the label takes. Types are given as the
 * tag's parameters (NULL for catch_all), then maybe the exception. */
static void check_clause_types(Checker *c, const DefType *tag, bool has_exn, TypeList label) {
    u32 n = tag ? tag->nparams : 0;
    bool ok = label.count == n + has_exn;
    if (ok && tag != NULL)
        ok = wr_check_list_matches(c, check_params(tag), (TypeList){label.types, n, 0});
    if (ok && has_exn) ok = wr_type_matches(c->types, T_REF(HEAP_EXN, 0), label.types[n]);
    if (!ok) wr_check_fail(c, "type mismatch: catch clause does not match its label");
}

static void check_clause(Checker *c) {
    u8 kind = wr_read_u8(&c->reader); /* bit 0: with the exception, bit 1: all */
    if (kind > 3) {
        wr_check_malformed(c, "malformed catch clause");
        return;
    }
    u32 index;
    const DefType *tag = kind & 2 ? NULL : tag_type(c, &index);
    Frame *f = check_failed(c) ? NULL : wr_check_label_index(c);
    if (f == NULL || check_failed(c)) return;
    TypeList label = check_label(f);
    check_clause_types(c, tag, kind & 1, label);
    u32 height = check_height(c) + label.slots;
    if (height > c->max_slots) c->max_slots = height;
    wr_check_branch(c, f, height);
}

static void check_try_table(Checker *c) {
    BlockType type;
    if (!wr_check_read_block_type(c, &type)) return;
    check_pop_list(c, check_block_params(&type));
    u32 clauses = check_offset(c, c->reader.pos), height = check_height(c), stp = c->side.count;
    u32 count = wr_read_u32(&c->reader);
    for (u32 i = 0; i < count && !check_failed(c); i++) check_clause(c);
    if (check_failed(c) || !open_region(c, height, clauses, false)) return;
    c->regions[c->nregions - 1].region.stp = stp;
    if (!wr_check_push_frame(c, FRAME_TRY_TABLE, type)) return;
    check_frame(c)->region = c->nregions - 1;
    check_push_list(c, check_block_params(&type));
}

/* ---- legacy ---- */

static void check_try(Checker *c) {
    BlockType type;
    if (!wr_check_read_block_type(c, &type)) return;
    check_pop_list(c, check_block_params(&type));
    if (check_failed(c) || !open_region(c, check_height(c), 0, true)) return;
    if (!wr_check_push_frame(c, FRAME_TRY, type)) return;
    check_frame(c)->region = c->nregions - 1;
    check_push_list(c, check_block_params(&type));
}

/* The frame's first catch clause closes the region; all share the slot of the exception caught. */
static void begin_clauses(Checker *c, Frame *f) {
    close_region(c, f);
    c->regions[f->region].region.exn_slot = c->local_slots + c->catch_depth++;
    if (c->catch_depth > c->max_catch_depth) c->max_catch_depth = c->catch_depth;
}

static bool add_clause(Checker *c, u32 region, u32 tag) {
    if (!wr_grow_array(c->alloc, &c->catches, &c->catches_capacity, (u64)c->ncatches + 1,
                       NONE_U32 - 1, sizeof *c->catches)) {
        wr_check_oom(c);
        return false;
    }
    c->catches[c->ncatches++] =
        (CatchDraft){{tag, check_offset(c, c->reader.pos), c->side.count}, region};
    c->regions[region].region.ncatches++;
    return true;
}

/* `tag` is NULL and index NONE_U32 for catch_all. */
static void check_catch(Checker *c, FrameKind kind, const DefType *tag, u32 index) {
    Frame *f = check_frame(c);
    wr_check_pop_results(c, f);
    wr_check_unset_locals(c, f->inits);
    if (check_failed(c)) return;
    if (f->kind == FRAME_TRY) begin_clauses(c, f);
    wr_check_branch(c, f, 0); /* of control that falls through, to the end: nothing moves */
    f->kind = (u8)kind;
    if (check_failed(c) || !add_clause(c, f->region, index)) return;
    f->dead = false;
    c->sp = f->height;
    c->wide = f->wide;
    if (tag != NULL) check_push_list(c, check_params(tag));
}

static bool in_try(Checker *c) {
    u8 kind = check_frame(c)->kind;
    if (kind == FRAME_TRY || kind == FRAME_CATCH) return true;
    wr_check_malformed(c, "END opcode expected");
    return false;
}

static void check_catch_tag(Checker *c) {
    if (!in_try(c)) return;
    u32 index;
    const DefType *tag = tag_type(c, &index);
    if (tag == NULL) return;
    check_catch(c, FRAME_CATCH, tag, index);
}

/* Where an exception goes on that is delegated to the label of frame `index`: the region of the
 * innermost enclosing try from there on, if it is not past its first clause already. */
static u32 delegate_region(const Checker *c, u32 index) {
    for (u32 i = index + 1; i-- > 0;) {
        const Frame *f = &c->frames[i];
        if (f->kind == FRAME_TRY || f->kind == FRAME_TRY_TABLE) return f->region;
    }
    return DELEGATE_CALLER;
}

static void check_delegate(Checker *c) {
    Frame *f = check_frame(c);
    if (f->kind != FRAME_TRY) {
        wr_check_malformed(c, "END opcode expected");
        return;
    }
    wr_check_pop_results(c, f);
    u32 label = wr_read_u32(&c->reader);
    if (check_failed(c)) return;
    if (label >= c->nframes - 1) {
        wr_check_fail(c, "unknown label %u", label);
        return;
    }
    close_region(c, f);
    c->regions[f->region].region.delegate = delegate_region(c, c->nframes - 2 - label);
    wr_check_leave(c, check_offset(c, c->reader.pos));
}

static void check_rethrow(Checker *c) {
    const Frame *f = wr_check_label_index(c);
    if (f == NULL) return;
    if (f->kind != FRAME_CATCH && f->kind != FRAME_CATCH_ALL) {
        wr_check_fail(c, "invalid rethrow label");
        return;
    }
    u32 at = check_offset(c, c->at), index = c->side.count;
    if (!wr_side_add(&c->side, c->alloc, at, 0, 0)) {
        wr_check_oom(c);
        return;
    }
    /* An entry that is no branch: its distance is the slot of the exception (module.h). */
    wr_side_bind(&c->side, index, at + c->regions[f->region].region.exn_slot, index + 1);
    wr_check_dead(c);
}

/* ---- finish ---- */

/* Catch clauses of one region become neighbours: they are in order within their region already. */
static void place_catches(const Checker *c, TryRegion *tries, LegacyCatch *catches) {
    u32 next = 0;
    for (u32 i = 0; i < c->nregions; i++) {
        tries[i].first_catch = next;
        next += tries[i].ncatches;
        tries[i].ncatches = 0; /* counted again below */
    }
    for (u32 i = 0; i < c->ncatches; i++) {
        TryRegion *region = &tries[c->regions[c->catches[i].region].final];
        catches[region->first_catch + region->ncatches++] = c->catches[i].clause;
    }
}

bool wr_check_finish_regions(Checker *c, Arena *arena, Code *code) {
    ASSERT(c->nclosed == c->nregions);
    if (c->nregions == 0) return true;
    TryRegion *tries = wr_arena_new(arena, c->nregions, sizeof *tries);
    LegacyCatch *catches = wr_arena_new(arena, c->ncatches, sizeof *catches);
    if (tries == NULL || catches == NULL) return false;
    for (u32 i = 0; i < c->nregions; i++) {
        TryRegion region = c->regions[i].region;
        if (region.delegate < DELEGATE_CALLER) region.delegate = c->regions[region.delegate].final;
        tries[c->regions[i].final] = region;
    }
    place_catches(c, tries, catches);
    code->tries = tries;
    code->ntries = c->nregions;
    code->catches = c->ncatches ? catches : NULL;
    code->ncatches = c->ncatches;
    return true;
}

bool wr_check_exception(Checker *c, Opcode op) {
    switch ((unsigned)op) {
    case OP_THROW: check_throw(c); return true;
    case OP_THROW_REF: check_throw_ref(c); return true;
    case OP_TRY_TABLE: check_try_table(c); return true;
    case OP_TRY: check_try(c); return true;
    case OP_CATCH: check_catch_tag(c); return true;
    case OP_CATCH_ALL:
        if (in_try(c)) check_catch(c, FRAME_CATCH_ALL, NULL, NONE_U32);
        return true;
    case OP_DELEGATE: check_delegate(c); return true;
    case OP_RETHROW: check_rethrow(c); return true;
    default: return false;
    }
}
