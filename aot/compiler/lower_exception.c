/*
 * lower_exception.c - throwing and catching, the legacy forms too (spec: exec/instructions, control).
 *
 * A block that catches has a landing pad, to which calls inside of it unwind (raise.c), and a block `dispatch`,
 * where what was thrown is compared with the clauses. Both are made when the first call or throw asks for them;
 * what is thrown in the function itself branches to `dispatch` directly. The comparisons are written
 * when the block ends: what no clause takes goes on to the next block around it, or leaves the function.
 *
 * An exception is a reference to an object (object.h). The same tag may have several indices in a module:
 * Tag.index tells.
 */
#include "lower_object.h"
#include "side_table.h"
#include "state.h"

typedef struct Region {
    LLVMBasicBlockRef dispatch; /* NULL: nothing can be thrown */
    LLVMValueRef exception;     /* phi in it */
    LLVMValueRef origin;        /* likewise: see throw() */
    LLVMBasicBlockRef chain; /* legacy: where the next clause is compared; NULL behind catch_all */
    ImmVector clauses;       /* try_table */
    const u8 *end;
    u32 at, entry_index; /* of it: code offset, first side entry */
} Region;

/* ---- who catches ---- */

/* The innermost label of which the body is open and catches; NULL if there is none. */
static Label *find_handler(Lower *l) {
    for (u32 i = l->nlabels; i > 0; i--) {
        Label *label = &l->labels[i - 1];
        const Region *region = label->region;
        if (label->kind == LABEL_TRY) return label;
        if (label->kind == LABEL_TRY_TABLE && region->clauses.count > 0) return label;
    }
    return NULL;
}

static Region *open_dispatch(Lower *l, Label *label) {
    Region *region = label->region;
    if (region->dispatch != NULL) return region;
    LLVMBasicBlockRef before = LLVMGetInsertBlock(l->b);
    region->dispatch = region->chain = wr_lower_block(l);
    LLVMPositionBuilderAtEnd(l->b, region->dispatch);
    region->exception = LLVMBuildPhi(l->b, l->unit->i32, "");
    region->origin = LLVMBuildPhi(l->b, l->unit->i32, "");
    LLVMPositionBuilderAtEnd(l->b, before);
    return region;
}

/* Ends the open block: `exception` goes to the label's clauses. */
static void branch_to(Lower *l, Label *label, LLVMValueRef exception, LLVMValueRef origin) {
    Region *region = open_dispatch(l, label);
    LLVMBasicBlockRef from = LLVMGetInsertBlock(l->b);
    LLVMAddIncoming(region->exception, &exception, &from, 1);
    LLVMAddIncoming(region->origin, &origin, &from, 1);
    LLVMBuildBr(l->b, region->dispatch);
}

/* Ends the open block: throws, at the instruction with that offset; 0: goes on with what came to a landing pad. */
static void throw(Lower * l, LLVMValueRef exception, LLVMValueRef origin) {
    Label *label = find_handler(l);
    if (label != NULL)
        branch_to(l, label, exception, origin);
    else
        wr_lower_leave(l, HELPER_THROW, (LLVMValueRef[]){exception, origin}, 2);
}

static LLVMValueRef here(const Lower *l) { return wr_lower_i32(l, (u32)l->offset); }

LLVMBasicBlockRef wr_lower_pad(Lower *l) {
    Label *label = find_handler(l);
    if (label == NULL || label->pad != NULL) return label == NULL ? NULL : label->pad;
    LLVMTypeRef parts[] = {l->unit->ptr, l->unit->i32};
    LLVMTypeRef type = LLVMStructTypeInContext(l->unit->context, parts, 2, false);
    LLVMBasicBlockRef before = LLVMGetInsertBlock(l->b);
    label->pad = wr_lower_block(l);
    LLVMPositionBuilderAtEnd(l->b, label->pad);
    LLVMValueRef landing = LLVMBuildLandingPad(l->b, type, NULL, 1, "");
    LLVMAddClause(landing, LLVMConstNull(l->unit->ptr));
    LLVMValueRef thrown = LLVMBuildExtractValue(l->b, landing, 0, "");
    branch_to(l, label, LLVMBuildPtrToInt(l->b, thrown, l->unit->i32, ""), wr_lower_i32(l, 0));
    LLVMPositionBuilderAtEnd(l->b, before);
    LLVMSetPersonalityFn(l->function, l->unit->personality);
    return label->pad;
}

bool wr_lower_catches(Lower *l) { return find_handler(l) != NULL; }

void wr_lower_go_on_with(Lower *l, LLVMValueRef exception) {
    throw(l, exception, wr_lower_i32(l, 0));
}

LLVMValueRef wr_lower_caught(const Label *label) {
    const Region *region = label->region;
    return label->kind == LABEL_CATCH && region->dispatch != NULL ? region->exception : NULL;
}

/* ---- clauses ---- */

/* What the tag's index is in the store. */
static LLVMValueRef load_tag(Lower *l, u32 tag) {
    LLVMValueRef at = wr_lower_entity(l, offsetof(struct wr_instance, tags), tag);
    return wr_lower_load_fixed(l, l->unit->i32, at, offsetof(struct wr_tag, index));
}

/* Goes on in a new block if the exception has that tag, and returns the block for when it has not. */
static LLVMBasicBlockRef compare_tag(Lower *l, LLVMValueRef exception, u32 tag) {
    LLVMValueRef object = wr_lower_object(l, exception);
    LLVMValueRef thrown =
        wr_lower_object_load(l, l->unit->i32, wr_lower_field(l, object, 4), PART_HEADER);
    LLVMValueRef wanted = load_tag(l, tag);
    LLVMBasicBlockRef same = wr_lower_block(l), other = wr_lower_block(l);
    LLVMBuildCondBr(l->b, LLVMBuildICmp(l->b, LLVMIntEQ, thrown, wanted, ""), same, other);
    LLVMPositionBuilderAtEnd(l->b, same);
    return other;
}

/* What the exception carries. */
static void load_payload(Lower *l, LLVMValueRef exception, u32 tag, LLVMValueRef *values) {
    const DefType *type = l->module->tags[tag].type;
    LLVMValueRef object = wr_lower_object(l, exception);
    for (u32 i = 0, slot = 0; i < type->nparams; slot += type_slots(type->types[i++])) {
        LLVMValueRef at = wr_lower_field(l, object, EXCEPTION_HEADER + 8 * (u64)slot);
        values[i] =
            wr_lower_object_load(l, wr_unit_type(l->unit, type->types[i]), at, PART_PAYLOAD);
    }
}

/* Clause `i` of try_table takes it. */
static void take(Lower *l, Region *region, u32 i, u32 kind, u32 tag, u32 depth) {
    Label *label = wr_lower_label(l, depth);
    u32 n = wr_lower_arity(label), below = label->height, entry = region->entry_index + i;
    LLVMValueRef *stack = l->stack, *values;
    l->stack = wr_arena_new(&l->arena, below + n + 1, sizeof *values);
    if (l->stack == NULL) {
        l->stack = stack;
        l->failed = true;
        return;
    }
    if (below > 0) memcpy(l->stack, stack, below * sizeof *stack);
    values = l->stack + below;
    if (!(kind & 2)) load_payload(l, region->exception, tag, values);
    if (kind & 1) values[n - 1] = region->exception;
    wr_lower_fuel_catch(l, &(StatePlace){wr_side_target(l->code, entry, region->at),
                                         wr_side_next(l->code, entry), below + n});
    wr_lower_jump(l, label, values);
    l->stack = stack;
}

static void write_clauses(Lower *l, Region *region) {
    Reader r = {.pos = region->clauses.items, .end = region->end, .base = l->module->bytes};
    for (u32 i = 0; i < region->clauses.count; i++) {
        u32 kind = wr_read_u8(&r), tag = kind & 2 ? 0 : wr_read_u32(&r), depth = wr_read_u32(&r);
        LLVMBasicBlockRef next = kind & 2 ? NULL : compare_tag(l, region->exception, tag);
        take(l, region, i, kind, tag, depth);
        if (next == NULL) return;
        LLVMPositionBuilderAtEnd(l->b, next);
    }
    throw(l, region->exception, region->origin);
}

/* What `write` or throw() adds at `block` is seen from outside of the innermost label, or from `out` labels
 * further out. */
static void write_outside(Lower *l, Region *region, LLVMBasicBlockRef block, u32 out) {
    LLVMBasicBlockRef before = LLVMGetInsertBlock(l->b);
    u32 nlabels = l->nlabels;
    l->nlabels = nlabels - 1 - out;
    LLVMPositionBuilderAtEnd(l->b, block);
    if (region->clauses.count > 0)
        write_clauses(l, region);
    else
        throw(l, region->exception, region->origin);
    l->nlabels = nlabels;
    LLVMPositionBuilderAtEnd(l->b, before);
}

/* ---- blocks ---- */

static void enter(Lower *l, LabelKind kind) {
    Region *region = wr_arena_new(&l->arena, 1, sizeof *region);
    if (region == NULL) {
        l->failed = true;
        return;
    }
    *region = (Region){.dispatch = NULL};
    if (kind == LABEL_TRY_TABLE) {
        region->clauses = l->at.vector;
        region->end = l->at.end;
        region->at = (u32)(l->at.start - l->code->start);
        region->entry_index = l->entry_index;
    }
    Label *label = wr_lower_enter(l, kind);
    if (label != NULL) label->region = region;
}

/* `end`, and `delegate`, whose label is counted from outside. */
static void leave(Lower *l, u32 out) {
    Region *region = wr_lower_label(l, 0)->region;
    if (region->chain != NULL) write_outside(l, region, region->chain, out);
    wr_lower_end(l);
}

/* The beginning of a legacy clause ends the one before, or the body. */
static Region *begin_clause(Lower *l) {
    Label *label = wr_lower_label(l, 0);
    Region *region = label->region;
    if (!l->unreachable) {
        if (label->nresults > l->height) {
            l->failed = true;
            return NULL;
        }
        wr_lower_fuel_pass(l, l->entry_index);
        wr_lower_jump(l, label, l->stack + (l->height - label->nresults));
    }
    label->kind = LABEL_CATCH;
    wr_lower_dead(l);
    if (region->chain == NULL) return NULL;
    l->unreachable = false;
    LLVMPositionBuilderAtEnd(l->b, region->chain);
    return region;
}

/* Control goes on behind this instruction, `catch` or `catch_all`, with what it has pushed. */
static void catch_here(Lower *l) {
    StatePlace place = {(u32)(l->at.end - l->code->start), l->entry_index + wr_side_count(&l->at),
                        l->height};
    wr_lower_fuel_catch(l, &place);
}

static void lower_catch(Lower *l) {
    Region *region = begin_clause(l);
    if (region == NULL) return;
    region->chain = compare_tag(l, region->exception, l->at.index);
    u32 n = l->module->tags[l->at.index].type->nparams;
    if (n > l->capacity - l->height)
        l->failed = true;
    else
        load_payload(l, region->exception, l->at.index, l->stack + l->height);
    if (l->failed) return;
    l->height += n;
    catch_here(l);
}

static void lower_catch_all(Lower *l) {
    Region *region = begin_clause(l);
    if (region == NULL) return;
    region->chain = NULL;
    catch_here(l);
}

/* ---- throwing ---- */

/* Takes its payload from the stack. */
static LLVMValueRef new_exception(Lower *l, u32 tag) {
    const DefType *type = l->module->tags[tag].type;
    u32 size = EXCEPTION_HEADER + 8 * type->param_slots, at = size;
    LLVMValueRef argument = wr_lower_i32(l, tag);
    Cell cell = wr_lower_allocate(l, size, HELPER_EXCEPTION_NEW, &argument, 1);
    LLVMValueRef object = wr_lower_object(l, cell.ref);
    wr_lower_object_store(l, wr_lower_i32(l, OBJECT_EXCEPTION), object, PART_HEADER);
    wr_lower_object_store(l, load_tag(l, tag), wr_lower_field(l, object, 4), PART_HEADER);
    for (u32 i = type->nparams; i > 0; i--) {
        at -= 8 * type_slots(type->types[i - 1]);
        LLVMValueRef value = wr_lower_widen(l, wr_lower_pop(l));
        wr_lower_object_store(l, value, wr_lower_field(l, object, at), PART_PAYLOAD);
    }
    wr_lower_take(l, &cell);
    return cell.ref;
}

static void lower_throw(Lower *l) {
    LLVMValueRef exception = new_exception(l, l->at.index);
    wr_lower_fuel_throw(l);
    throw(l, exception, here(l));
    wr_lower_dead(l);
}

static void lower_throw_ref(Lower *l) {
    LLVMValueRef exception = wr_lower_pop(l);
    wr_lower_trap_if(l, wr_lower_is_null(l, exception), WR_TRAP_NULL_EXCEPTION_REFERENCE);
    wr_lower_fuel_throw(l);
    throw(l, exception, here(l));
    wr_lower_dead(l);
}

/* What the clause of that label has caught. */
static void lower_rethrow(Lower *l) {
    const Region *region = wr_lower_label(l, l->at.index)->region;
    wr_lower_fuel_throw(l);
    throw(l, region->exception, here(l));
    wr_lower_dead(l);
}

bool wr_lower_exception(Lower *l, Opcode op) {
    if (op == OP_TRY_TABLE)
        enter(l, LABEL_TRY_TABLE);
    else if (op == OP_TRY)
        enter(l, LABEL_TRY);
    else if (op == OP_END)
        leave(l, 0);
    else if (op == OP_DELEGATE)
        leave(l, l->at.index);
    else if (op == OP_CATCH)
        lower_catch(l);
    else if (op == OP_CATCH_ALL)
        lower_catch_all(l);
    else if (op == OP_THROW)
        lower_throw(l);
    else if (op == OP_THROW_REF)
        lower_throw_ref(l);
    else if (op == OP_RETHROW)
        lower_rethrow(l);
    else
        return false;
    return true;
}
