/*
 * version_search.c - see versioning.h. A loop that does nothing but look for something: it reads values one behind the other,
 * from one or a few places, and is left where these, and what does not change, say so (strlen, memchr, memcmp, strcmp,
 * the skipping of blanks). It stays as it is, but begins with its last iteration: those before are passed over by
 * vectors.
 *
 *     preheader -> gate: how many vectors can be read before the memory ends? None: -> header
 *     gate -> word: a vector of the values of LANES iterations. One of them leaves: -> hit; more can be read: -> word;
 *                   else -> passed
 *     hit: -> moved, with the first of them that leaves
 *     passed: the loop is counted, and over: -> moved, with its last iteration; else -> gate
 *     moved: -> header
 *
 * Values behind that iteration are read in vain, but they lie in the memory, and the loop has no effects. They may make
 * conditions poison: each is frozen, and of the iterations that the loop runs no condition is.
 */
#include "looks.h"
#include "versioning.h"

#define SEARCH_SIZE 64u /* instructions */
#define SEARCH_BLOCKS 8u
#define SEARCH_LOADS 4u
#define VECTOR_DEPTH 12u /* of an expression */

typedef struct Search {
    Versioning *v;
    u32 lanes;
    LLVMValueRef at; /* the iteration of the first lane */
    LLVMBasicBlockRef word, hit, passed;
    LLVMValueRef mask, found, next; /* the last: the iteration behind the lanes */
} Search;

/* ---- whether it is one ---- */

static bool is_lanewise(LLVMValueRef i) {
    switch ((int)LLVMGetInstructionOpcode(i)) {
    case LLVMAdd:
    case LLVMSub:
    case LLVMMul:
    case LLVMAnd:
    case LLVMOr:
    case LLVMXor:
    case LLVMShl:
    case LLVMLShr:
    case LLVMAShr:
    case LLVMICmp:
    case LLVMSelect:
    case LLVMTrunc:
    case LLVMZExt:
    case LLVMSExt: return true;
    default: return false;
    }
}

/* Whether there is a vector of a value's values: it is made of what is loaded, and of what does not change. */
static bool has_vector(const Versioning *v, LLVMValueRef value, u32 depth) {
    if (LLVMGetTypeKind(LLVMTypeOf(value)) != LLVMIntegerTypeKind) return false;
    if (!wr_loop_makes(v->loop, value)) return true;
    value = wr_version_unfrozen(value);
    if (wr_version_access_of(v, value) != NULL) return true;
    if (depth == VECTOR_DEPTH || !is_lanewise(value)) return false;
    int count = LLVMGetNumOperands(value);
    for (int i = 0; i < count; i++)
        if (!has_vector(v, LLVMGetOperand(value, (unsigned)i), depth + 1)) return false;
    return true;
}

/* Whether the block's end is a branch out of the loop on such a value. The exit that is counted is no matter. */
static bool is_exit(const Versioning *v, LLVMBasicBlockRef block) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    if (v->has_trips && block == v->trips.block) return false;
    bool is_branch = LLVMIsABranchInst(end) != NULL && LLVMIsConditional(end);
    return (is_branch || LLVMIsASwitchInst(end) != NULL) &&
           has_vector(v, LLVMGetOperand(end, 0), 0);
}

static bool is_known_end(const Versioning *v, LLVMBasicBlockRef block) {
    return is_exit(v, block) || (v->has_trips && block == v->trips.block) ||
           LLVMGetNumSuccessors(LLVMGetBasicBlockTerminator(block)) == 1 ||
           (has_state(v) && wr_looks_stays(v->unit, block) >= 0);
}

/* Values that lie one behind the other. */
static bool is_run(const Versioning *v, const Access *a) {
    const Linear *step = &v->groups[a->group].index.step;
    return LLVMIsALoadInst(a->instruction) != NULL && step->nterms == 0 &&
           (u32)step->constant == a->bytes &&
           LLVMGetTypeKind(LLVMTypeOf(a->instruction)) == LLVMIntegerTypeKind;
}

static bool is_search(const Versioning *v) {
    u32 exits = 0;
    if (v->size > SEARCH_SIZE || v->nblocks > SEARCH_BLOCKS || v->naccesses > SEARCH_LOADS ||
        v->stores_else)
        return false;
    for (u32 i = 0; i < v->naccesses; i++)
        if (!is_run(v, &v->accesses[i])) return false;
    for (u32 i = 0; i < v->nblocks; i++) {
        LLVMBasicBlockRef block = v->blocks[i];
        if (wr_version_next(v, block) == NULL || !is_known_end(v, block)) return false;
        exits += is_exit(v, block);
    }
    return exits > 0;
}

/* ---- vectors ---- */

static LLVMTypeRef vector_of(const Search *s, LLVMTypeRef type) {
    return LLVMVectorType(type, s->lanes);
}

static LLVMValueRef build_splat(const Search *s, LLVMValueRef value) {
    const Versioning *v = s->v;
    LLVMTypeRef type = vector_of(s, LLVMTypeOf(value));
    LLVMValueRef first = LLVMBuildFreeze(v->b, value, "");
    first = LLVMBuildInsertElement(v->b, LLVMGetPoison(type), first, number(v, 0), "");
    LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(v->unit->i32, s->lanes));
    return LLVMBuildShuffleVector(v->b, first, LLVMGetPoison(type), zeros, "");
}

static LLVMValueRef build_load(const Search *s, const Access *a) {
    const Versioning *v = s->v;
    const Group *g = &v->groups[a->group];
    LLVMValueRef way = LLVMBuildMul(v->b, s->at, g->step, "");
    way = LLVMBuildAdd(v->b, way, number(v, a->offset), "");
    LLVMValueRef address = LLVMBuildInBoundsGEP2(v->b, v->unit->i8, g->start, &way, 1, "");
    LLVMTypeRef type = vector_of(s, LLVMTypeOf(a->instruction));
    LLVMValueRef load = LLVMBuildLoad2(v->b, type, address, "");
    LLVMSetAlignment(load, 1);
    LLVMSetMetadata(load, v->unit->kind_tbaa, v->unit->tbaa_memory);
    return load;
}

static LLVMValueRef build_vector(const Search *s, LLVMValueRef value);

static LLVMValueRef build_lanewise(const Search *s, LLVMValueRef i) {
    LLVMBuilderRef b = s->v->b;
    LLVMOpcode opcode = LLVMGetInstructionOpcode(i);
    LLVMValueRef a = build_vector(s, LLVMGetOperand(i, 0));
    if (LLVMIsACastInst(i) != NULL)
        return LLVMBuildCast(b, opcode, a, vector_of(s, LLVMTypeOf(i)), "");
    LLVMValueRef c = build_vector(s, LLVMGetOperand(i, 1));
    if (opcode == LLVMICmp) return LLVMBuildICmp(b, LLVMGetICmpPredicate(i), a, c, "");
    if (opcode == LLVMSelect)
        return LLVMBuildSelect(b, a, c, build_vector(s, LLVMGetOperand(i, 2)), "");
    return LLVMBuildBinOp(b, opcode, a, c, "");
}

/* As has_vector() found it. What occurs twice is built twice: LLVM sees it. */
static LLVMValueRef build_vector(const Search *s, LLVMValueRef value) {
    if (!wr_loop_makes(s->v->loop, value)) return build_splat(s, value);
    value = wr_version_unfrozen(value);
    const Access *access = wr_version_access_of(s->v, value);
    return access != NULL ? build_load(s, access) : build_lanewise(s, value);
}

/* ---- where lanes leave ---- */

static bool is_inside(const Search *s, LLVMBasicBlockRef block) {
    return wr_loop_has_block(s->v->loop, block);
}

/* Of a switch: its value is one of those whose targets are on the other side than the default one. */
static LLVMValueRef build_switch_leaves(const Search *s, LLVMValueRef end) {
    LLVMBuilderRef b = s->v->b;
    bool is_in = is_inside(s, LLVMGetSwitchDefaultDest(end));
    LLVMValueRef value = build_vector(s, LLVMGetOperand(end, 0));
    LLVMValueRef any = LLVMConstNull(vector_of(s, s->v->unit->i1));
    for (u32 i = 1; i < LLVMGetNumSuccessors(end); i++) {
        if (is_inside(s, LLVMGetSuccessor(end, i)) == is_in) continue;
        LLVMValueRef of_case = build_splat(s, LLVMGetOperand(end, 2 * i));
        any = LLVMBuildOr(b, any, LLVMBuildICmp(b, LLVMIntEQ, value, of_case, ""), "");
    }
    return is_in ? any : LLVMBuildNot(b, any, "");
}

static LLVMValueRef build_leaves(const Search *s, LLVMValueRef end) {
    if (LLVMIsASwitchInst(end) != NULL) return build_switch_leaves(s, end);
    LLVMValueRef condition = build_vector(s, LLVMGetCondition(end));
    return is_inside(s, LLVMGetSuccessor(end, 0)) ? LLVMBuildNot(s->v->b, condition, "")
                                                  : condition;
}

/* A number with a bit for each lane: it leaves somewhere. */
static LLVMValueRef build_mask(const Search *s) {
    const Versioning *v = s->v;
    LLVMValueRef any = NULL;
    for (u32 i = 0; i < v->nblocks; i++) {
        LLVMBasicBlockRef block = v->blocks[i];
        if (!is_exit(v, block)) continue;
        LLVMValueRef leaves = build_leaves(s, LLVMGetBasicBlockTerminator(block));
        leaves = LLVMBuildFreeze(v->b, leaves, "");
        any = any == NULL ? leaves : LLVMBuildOr(v->b, any, leaves, "");
    }
    return LLVMBuildBitCast(v->b, any, LLVMIntTypeInContext(v->unit->context, s->lanes), "");
}

static LLVMValueRef build_first_lane(const Search *s) {
    const Unit *u = s->v->unit;
    unsigned id = LLVMLookupIntrinsicID("llvm.cttz", 9);
    LLVMTypeRef type = LLVMTypeOf(s->mask);
    LLVMValueRef arguments[] = {s->mask, LLVMConstInt(u->i1, 1, 0)};
    LLVMValueRef lane =
        LLVMBuildCall2(s->v->b, LLVMIntrinsicGetType(u->context, id, &type, 1),
                       LLVMGetIntrinsicDeclaration(u->module, id, &type, 1), arguments, 2, "");
    return LLVMBuildZExt(s->v->b, lane, u->i64, "");
}

/* ---- the gate ---- */

/* Sets `bad` if the lanes from iteration 0 on do not lie in the memory; else those from the iteration on that is returned are
 * the last ones that do. What lies in the memory does not wrap (version.c). */
static LLVMValueRef build_last(const Search *s, Group *g, LLVMValueRef size) {
    Versioning *v = s->v;
    wr_version_locate(v, g);
    u64 step = g->index.step.constant & UINT32_MAX;
    LLVMValueRef end =
        LLVMBuildAdd(v->b, g->base, number(v, (u64)g->high + (s->lanes - 1) * step), "");
    LLVMValueRef room = LLVMBuildSub(v->b, size, end, "");
    LLVMValueRef low = LLVMBuildAdd(v->b, g->base, number(v, (u64)g->low), "");
    LLVMValueRef worst = g->low < 0 ? LLVMBuildOr(v->b, room, low, "") : room;
    LLVMValueRef bad = LLVMBuildICmp(v->b, LLVMIntSLT, worst, number(v, 0), "");
    v->bad = LLVMBuildOr(v->b, v->bad, bad, "");
    return LLVMBuildUDiv(v->b, room, number(v, step), "");
}

/* Up to which iteration lanes may begin. */
static LLVMValueRef build_limit(const Search *s) {
    Versioning *v = s->v;
    LinearBuilder to = {v->unit->context, v->b, &v->at_gate};
    LLVMValueRef last = number(v, v->chunk), size = wr_version_memory_size(v);
    v->bad = LLVMConstNull(v->unit->i1);
    if (v->has_trips) {
        v->exit_trip = wr_trips_build(&to, &v->trips, &v->bad);
        last = wr_version_minimum(v, last, v->exit_trip);
    }
    for (u32 i = 0; i < v->ngroups; i++)
        last = wr_version_minimum(v, last, build_last(s, &v->groups[i], size));
    LLVMValueRef asked = wr_version_build_asked(v);
    if (asked != NULL) v->bad = LLVMBuildOr(v->b, v->bad, asked, "");
    return last;
}

/* ---- the blocks ---- */

static void build_word(Search *s, LLVMValueRef limit) {
    Versioning *v = s->v;
    LLVMValueRef zero = number(v, 0);
    LLVMBasicBlockRef more = new_block(v);
    LLVMPositionBuilderAtEnd(v->b, s->word);
    s->at = LLVMBuildPhi(v->b, v->unit->i64, "");
    LLVMAddIncoming(s->at, &zero, &v->gate, 1);
    s->mask = build_mask(s);
    LLVMValueRef leaves =
        LLVMBuildICmp(v->b, LLVMIntNE, s->mask, LLVMConstNull(LLVMTypeOf(s->mask)), "");
    LLVMBuildCondBr(v->b, leaves, s->hit, more);
    LLVMPositionBuilderAtEnd(v->b, more);
    s->next = LLVMBuildNUWAdd(v->b, s->at, number(v, s->lanes), "");
    LLVMValueRef fits = LLVMBuildICmp(v->b, LLVMIntULE, s->next, limit, "");
    wr_version_mark(v, LLVMBuildCondBr(v->b, fits, s->word, s->passed), LOOP_BOUNDED);
    LLVMAddIncoming(s->at, &s->next, &more, 1);
}

/* No further than to the iteration in which the loop is left because it is counted. */
static void build_hit(Search *s) {
    Versioning *v = s->v;
    LLVMPositionBuilderAtEnd(v->b, s->hit);
    s->found = LLVMBuildNUWAdd(v->b, s->at, build_first_lane(s), "");
    if (v->has_trips) s->found = wr_version_minimum(v, s->found, v->exit_trip);
    LLVMBuildBr(v->b, v->moved);
}

static void build_passed(Search *s) {
    Versioning *v = s->v;
    LLVMPositionBuilderAtEnd(v->b, s->passed);
    for (u32 i = 0; i < v->ncarried; i++) {
        Carried *c = &v->carried[i];
        wr_version_build_moved(v, c, s->next);
        LLVMAddIncoming(c->at_gate, &c->moved, &s->passed, 1);
    }
    if (!v->has_trips) {
        LLVMBuildBr(v->b, v->gate);
        return;
    }
    LLVMValueRef is_over = LLVMBuildICmp(v->b, LLVMIntUGT, s->next, v->exit_trip, "");
    LLVMBuildCondBr(v->b, is_over, v->moved, v->gate);
}

static void build_entry(Search *s) {
    Versioning *v = s->v;
    LLVMPositionBuilderAtEnd(v->b, v->moved);
    LLVMValueRef trip = LLVMBuildPhi(v->b, v->unit->i64, "");
    LLVMAddIncoming(trip, &s->found, &s->hit, 1);
    if (v->has_trips) LLVMAddIncoming(trip, &v->exit_trip, &s->passed, 1);
    for (u32 i = 0; i < v->ncarried; i++) wr_version_build_moved(v, &v->carried[i], trip);
    LLVMBuildBr(v->b, v->loop->header);
}

/* ---- all of it ---- */

void wr_version_build_moved(const Versioning *v, Carried *c, LLVMValueRef trip) {
    LLVMTypeRef type = LLVMTypeOf(c->phi);
    LLVMValueRef way = LLVMBuildMul(v->b, LLVMBuildIntCast2(v->b, trip, type, 0, ""),
                                    LLVMConstInt(type, c->step, 0), "");
    c->moved = LLVMBuildAdd(v->b, c->at_gate, way, "");
}

/* As many as fill one register of most processors, or two: less is done for short runs. */
static u32 count_lanes(const Versioning *v) {
    u32 bytes = 1;
    for (u32 i = 0; i < v->naccesses; i++)
        if (v->accesses[i].bytes > bytes) bytes = v->accesses[i].bytes;
    return bytes == 1 ? 16 : 32 / bytes;
}

bool wr_version_search(Versioning *v) {
    Search s = {.v = v, .lanes = count_lanes(v)};
    if (!is_search(v) || !wr_version_reserve(v) || !wr_version_has_constant_steps(v)) return false;
    wr_version_choose_chunk(v);
    v->gate = new_block(v);
    s.word = new_block(v);
    s.hit = new_block(v);
    s.passed = new_block(v);
    v->moved = new_block(v);
    LLVMPositionBuilderAtEnd(v->b, v->gate);
    if (!wr_version_build_phis(v)) return true; /* it had been reserved */
    LLVMValueRef limit = build_limit(&s);
    LLVMValueRef branch = LLVMBuildCondBr(v->b, v->bad, v->loop->header, s.word);
    LLVMSetMetadata(branch, v->unit->kind_prof, v->unit->unlikely);
    build_word(&s, limit);
    build_hit(&s);
    build_passed(&s);
    build_entry(&s);
    wr_version_replace_phis(v);
    wr_version_mark(v, LLVMGetBasicBlockTerminator(v->loop->latch), LOOP_NOT_UNROLLED);
    LLVMSetSuccessor(LLVMGetBasicBlockTerminator(v->loop->preheader), 0, v->gate);
    return true;
}
