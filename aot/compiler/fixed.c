/* fixed.c - see fixed.h. */
#include "fixed.h"

#include <stdio.h>
#include <stdlib.h>

#include "counted.h"
#include "decode_code.h"
#include "own.h"

#define MOST_ELEMENTS 65536u /* in the constants of each unit that calls through the table */

/* ---- which tables ---- */

static void unfix(FixedTable *table, const Alloc *alloc) {
    wr_free(alloc, table->funcs, table->size * sizeof *table->funcs);
    wr_free(alloc, table->ranges, table->size * sizeof *table->ranges);
    *table = (FixedTable){.funcs = NULL};
}

/* Defined here, null at first, and not too large. */
static bool may_be_fixed(const Module *m, u32 i) {
    const TableDecl *table = &m->tables[i];
    return i >= m->nimported_tables && !table->has_init && table->limits.min > 0 &&
           table->limits.min <= MOST_ELEMENTS;
}

static bool make_candidates(Plan *plan, const Alloc *alloc) {
    const Module *m = plan->module;
    for (u32 i = 0; i < m->ntables; i++) {
        FixedTable *table = &plan->fixed[i];
        if (!may_be_fixed(m, i)) continue;
        table->size = (u32)m->tables[i].limits.min;
        table->funcs = wr_alloc_array(alloc, table->size, sizeof *table->funcs);
        if (table->funcs == NULL) return false;
        for (u32 k = 0; k < table->size; k++) table->funcs[k] = NONE_U32;
    }
    return true;
}

static void unfix_exported(Plan *plan, const Alloc *alloc) {
    const Module *m = plan->module;
    for (u32 i = 0; i < m->nexports; i++)
        if (m->exports[i].kind == EXT_TABLE) unfix(&plan->fixed[m->exports[i].index], alloc);
}

/* The table that the instruction writes to, or NONE_U32. */
static u32 written_table(const Instr *instr) {
    switch ((u32)instr->op) {
    case OP_TABLE_SET:
    case OP_TABLE_GROW:
    case OP_TABLE_FILL:
    case OP_TABLE_COPY: return instr->index;
    case OP_TABLE_INIT: return instr->index2;
    default: return NONE_U32;
    }
}

static void unfix_written(Plan *plan, const Alloc *alloc) {
    const Module *m = plan->module;
    for (u32 i = 0; i < m->ncodes; i++) {
        Reader r = {.pos = m->codes[i].start, .end = m->codes[i].end, .base = m->bytes};
        Instr instr;
        while (wr_instr_next(&r, &instr)) {
            u32 table = written_table(&instr);
            if (table != NONE_U32) unfix(&plan->fixed[table], alloc);
        }
    }
}

/* ---- what is in them ---- */

/* The only instruction of a constant expression; false if there are several. */
static bool read_const(const Module *m, const ConstExpr *expr, Instr *instr) {
    const u8 *start = m->bytes + expr->offset;
    Reader r = {.pos = start, .end = start + expr->size, .base = m->bytes};
    Instr end;
    return wr_instr_next(&r, instr) && wr_instr_next(&r, &end) && end.op == OP_END;
}

static bool read_item(const Module *m, const ElemSeg *seg, u32 i, u32 *func) {
    Instr instr;
    *func = NONE_U32;
    if (!seg->is_expr) {
        *func = seg->funcs[i];
        return true;
    }
    if (!read_const(m, &seg->exprs[i], &instr)) return false;
    if (instr.op == OP_REF_FUNC) *func = instr.index;
    return instr.op == OP_REF_FUNC || instr.op == OP_REF_NULL;
}

static bool read_offset(const Module *m, const ElemSeg *seg, u64 *offset) {
    Instr instr;
    if (!read_const(m, &seg->offset, &instr)) return false;
    *offset = instr.op == OP_I32_CONST ? (u32)instr.bits : instr.bits;
    return instr.op == OP_I32_CONST || instr.op == OP_I64_CONST;
}

/* An imported function may be of a subtype of what it is imported as. */
static bool has_known_type(const Module *m, u32 func) {
    return func == NONE_U32 || func >= m->nimported_funcs || m->funcs[func].type->final;
}

/* False: what is in the table cannot be said. */
static bool fill(const Module *m, const ElemSeg *seg, FixedTable *table) {
    u64 offset;
    if (!read_offset(m, seg, &offset) || offset > table->size || seg->count > table->size - offset)
        return false;
    for (u32 i = 0; i < seg->count; i++)
        if (!read_item(m, seg, i, &table->funcs[offset + i]) ||
            !has_known_type(m, table->funcs[offset + i]))
            return false;
    return true;
}

/* Segments are written in their order, and one that does not fit ends it: what has been written to imported tables
 * until then stays, and so do the functions there, which would see tables half filled. Then none is fixed. */
static void read_segments(Plan *plan, const Alloc *alloc) {
    const Module *m = plan->module;
    bool all_fit = true;
    for (u32 i = 0; i < m->nelems; i++) {
        const ElemSeg *seg = &m->elems[i];
        if (seg->mode != SEG_ACTIVE) continue;
        FixedTable *table = &plan->fixed[seg->table];
        if (seg->table < m->nimported_tables) all_fit = false;
        if (table->funcs == NULL || fill(m, seg, table)) continue;
        unfix(table, alloc);
        all_fit = false;
    }
    for (u32 i = 0; !all_fit && i < m->ntables; i++) unfix(&plan->fixed[i], alloc);
}

/* ---- types ---- */

typedef struct Numbered {
    u32 id, index;
} Numbered;

static int compare_numbered(const void *a, const void *b) {
    const Numbered *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The same for type indices that mean the same type: the first of them + 1. */
static bool number_types(Plan *plan, const Alloc *alloc) {
    const Module *m = plan->module;
    Numbered *all = wr_alloc_array(alloc, (size_t)m->ntypes + 1, sizeof *all);
    plan->type_numbers = wr_alloc_array(alloc, (size_t)m->ntypes + 1, sizeof *plan->type_numbers);
    bool ok = all != NULL && plan->type_numbers != NULL;
    for (u32 i = 0; ok && i < m->ntypes; i++) all[i] = (Numbered){m->types[i]->id, i};
    if (ok) qsort(all, m->ntypes, sizeof *all, compare_numbered);
    for (u32 i = 0, first = 0; ok && i < m->ntypes; i++) {
        if (all[i].id != all[first].id) first = i;
        plan->type_numbers[all[i].index] = all[first].index + 1;
    }
    wr_free(alloc, all, ((size_t)m->ntypes + 1) * sizeof *all);
    return ok;
}

/* ---- ranges ---- */

/* The elements that are not null, each with the number of its type; how many there are. */
static u32 list_elements(const Plan *plan, const FixedTable *table, Numbered *all) {
    u32 n = 0;
    for (u32 i = 0; i < table->size; i++) {
        if (table->funcs[i] == NONE_U32) continue;
        u32 type_index = plan->module->funcs[table->funcs[i]].type_index;
        all[n++] = (Numbered){plan->type_numbers[type_index], i};
    }
    return n;
}

static void add_range(FixedTable *table, const Numbered *all, u32 from, u32 end) {
    u32 first = all[from].index, count = end - from;
    if (all[end - 1].index - first + 1 == count)
        table->ranges[table->nranges++] = (FixedRange){all[from].id, first, count};
}

static bool find_ranges(const Plan *plan, FixedTable *table, const Alloc *alloc) {
    Numbered *all = wr_alloc_array(alloc, table->size, sizeof *all);
    table->ranges = wr_alloc_array(alloc, table->size, sizeof *table->ranges);
    bool ok = all != NULL && table->ranges != NULL;
    u32 n = ok ? list_elements(plan, table, all) : 0;
    if (n > 0) qsort(all, n, sizeof *all, compare_numbered);
    for (u32 i = 1, first = 0; i <= n; i++) {
        if (i < n && all[i].id == all[first].id) continue;
        add_range(table, all, first, i);
        first = i;
    }
    wr_free(alloc, all, table->size * sizeof *all);
    return ok;
}

const FixedRange *wr_fixed_range(const Plan *plan, u32 table, u32 type_index) {
    const FixedTable *t = &plan->fixed[table];
    u32 number = plan->type_numbers[type_index], low = 0, high = t->nranges;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (t->ranges[middle].type_number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->nranges && t->ranges[low].type_number == number ? &t->ranges[low] : NULL;
}

bool wr_fixed_find(Plan *plan, bool none, const Alloc *alloc) {
    plan->fixed = wr_alloc_array(alloc, (size_t)plan->module->ntables + 1, sizeof *plan->fixed);
    if (plan->fixed == NULL || !number_types(plan, alloc)) return false;
    for (u32 i = 0; i < plan->module->ntables; i++) plan->fixed[i] = (FixedTable){.funcs = NULL};
    if (none) return true;
    if (!make_candidates(plan, alloc)) return false;
    unfix_exported(plan, alloc);
    unfix_written(plan, alloc);
    read_segments(plan, alloc);
    for (u32 i = 0; i < plan->module->ntables; i++)
        if (plan->fixed[i].funcs != NULL && !find_ranges(plan, &plan->fixed[i], alloc))
            return false;
    return true;
}

void wr_fixed_free(Plan *plan, const Alloc *alloc) {
    const Module *m = plan->module;
    for (u32 i = 0; plan->fixed != NULL && i < m->ntables; i++) unfix(&plan->fixed[i], alloc);
    wr_free(alloc, plan->fixed, ((size_t)m->ntables + 1) * sizeof *plan->fixed);
    wr_free(alloc, plan->type_numbers, ((size_t)m->ntypes + 1) * sizeof *plan->type_numbers);
}

/* Functions of proper subtypes have another number. */
bool wr_fixed_serves(const Plan *plan, u32 table, u32 type_index) {
    return plan->fixed[table].funcs != NULL && plan->module->types[type_index]->final;
}

/* ---- arrays ---- */

/* A function that only this unit has, of that function's signature; false as wr_own_begin(). */
static bool begin(Lower *l, Unit *unit, const char *prefix, u32 func, unsigned convention) {
    char name[24];
    (void)snprintf(name, sizeof name, "%s%u", prefix, (unsigned)func);
    LLVMTypeRef type = wr_unit_signature(unit, unit->plan->module->funcs[func].type);
    return wr_own_begin(l, unit, name, type, convention);
}

/* Its parameters go on to `callee`, with another context. */
static LLVMValueRef finish(Lower *l, LLVMValueRef callee, LLVMValueRef context, bool is_tail) {
    LLVMValueRef arguments[NATIVE_PARAMS + 1] = {context};
    unsigned n = LLVMCountParams(l->function);
    for (unsigned i = 1; i < n; i++) arguments[i] = LLVMGetParam(l->function, i);
    LLVMTypeRef type = LLVMGlobalGetValueType(l->function);
    LLVMValueRef call = LLVMBuildCall2(l->b, type, callee, arguments, n, "");
    LLVMSetInstructionCallConv(call, is_tail ? LLVMGetFunctionCallConv(l->function) : CC_FAST);
    if (is_tail) LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
    wr_unit_call_flag(l->unit, call, "noinline"); /* or what is inlined has no places */
    if (LLVMGetReturnType(type) == l->unit->none)
        LLVMBuildRetVoid(l->b);
    else
        LLVMBuildRet(l->b, call);
    return wr_own_end(l);
}

/* For an imported function: calls what is imported. */
LLVMValueRef wr_fixed_import(Unit *unit, u32 func, bool tail) {
    Lower l;
    LLVMTypeRef ptr = unit->ptr;
    unsigned convention = tail ? CC_TAIL : CC_FAST;
    if (!begin(&l, unit, tail ? "importt" : "import", func, convention)) return l.function;
    u32 shape = unit->plan->shapes[unit->plan->module->funcs[func].type_index];
    LLVMValueRef caller = wr_lower_field(&l, wr_lower_native(&l), offsetof(Native, caller));
    wr_lower_store(&l, l.context, caller, unit->tbaa_values, false);
    LLVMValueRef funcs =
        wr_lower_load_fixed(&l, ptr, l.context, offsetof(struct wr_instance, funcs));
    LLVMValueRef of = wr_lower_load_fixed(&l, ptr, funcs, (u64)func * sizeof(Func *));
    size_t code_at =
        tail ? offsetof(struct wr_func, native_tail) : offsetof(struct wr_func, native_code);
    LLVMValueRef code =
        wr_lower_load(&l, ptr, wr_lower_field(&l, of, code_at), unit->tbaa_instance);
    LLVMValueRef context = wr_lower_field(&l, of, offsetof(struct wr_func, native_context));
    context = wr_lower_load(&l, ptr, context, unit->tbaa_instance);
    LLVMValueRef none = LLVMBuildIsNull(l.b, code, "");
    LLVMValueRef thunk = wr_unit_thunk(unit, tail ? "outt" : "out", shape);
    return finish(&l, LLVMBuildSelect(l.b, none, thunk, code, ""),
                  LLVMBuildSelect(l.b, none, of, context, ""), true);
}

/* For a function that makes no tail calls and so has no `t`: it returns before the stack could grow any further. */
static LLVMValueRef make_tail(Unit *unit, u32 func) {
    Lower l;
    if (!begin(&l, unit, "tail", func, CC_TAIL)) return l.function;
    return finish(&l, wr_unit_function(unit, func, false), l.context, false);
}

static LLVMValueRef code_of(Unit *unit, u32 func, bool tail) {
    if (unit->plan->options.fuel && !tail) return wr_counted_function(unit, func);
    if (func < unit->plan->module->nimported_funcs) return wr_fixed_import(unit, func, tail);
    if (tail && !unit->plan->has_tail[func]) return make_tail(unit, func);
    return wr_unit_function(unit, func, tail);
}

LLVMValueRef wr_fixed_code(Unit *unit, u32 table, u32 element, bool tail) {
    return code_of(unit, unit->plan->fixed[table].funcs[element], tail);
}

/* How far the code is from the array's start. */
static LLVMValueRef way_to(Unit *unit, LLVMValueRef array, u32 func, bool tail) {
    LLVMValueRef code = LLVMConstPtrToInt(code_of(unit, func, tail), unit->i64);
    LLVMValueRef way = LLVMConstSub(code, LLVMConstPtrToInt(array, unit->i64));
    return LLVMConstTrunc(way, unit->i32);
}

static LLVMValueRef make_element(Unit *unit, LLVMValueRef array, u32 func, bool tail) {
    LLVMValueRef parts[2] = {LLVMConstInt(unit->i32, 0, 0), LLVMConstInt(unit->i32, 0, 0)};
    if (func != NONE_U32) {
        u32 type_index = unit->plan->module->funcs[func].type_index;
        parts[0] = way_to(unit, array, func, tail);
        parts[1] = LLVMConstInt(unit->i32, unit->plan->type_numbers[type_index], 0);
    }
    return LLVMConstArray2(unit->i32, parts, 2);
}

/* A constant with what `make` makes of each of the functions; NULL: no memory. */
static LLVMValueRef make_array(Unit *unit, const char *name, LLVMTypeRef type, const u32 *funcs,
                               u32 count, bool tail,
                               LLVMValueRef (*make)(Unit *, LLVMValueRef, u32, bool)) {
    LLVMValueRef array = LLVMGetNamedGlobal(unit->module, name);
    if (array != NULL) return array;
    const Alloc *alloc = &unit->plan->module->engine->alloc;
    LLVMValueRef *elements = wr_alloc_array(alloc, count, sizeof *elements);
    if (elements == NULL) return NULL;
    array = LLVMAddGlobal(unit->module, LLVMArrayType2(type, count), name);
    LLVMSetLinkage(array, LLVMInternalLinkage);
    LLVMSetGlobalConstant(array, true);
    LLVMSetAlignment(array, 8);
    for (u32 i = 0; i < count; i++) elements[i] = make(unit, array, funcs[i], tail);
    LLVMSetInitializer(array, LLVMConstArray2(type, elements, count));
    wr_free(alloc, elements, count * sizeof *elements);
    return array;
}

LLVMValueRef wr_fixed_array(Unit *unit, u32 table, bool tail) {
    char name[32];
    const FixedTable *fixed = &unit->plan->fixed[table];
    (void)snprintf(name, sizeof name, tail ? "tails%u" : "table%u", (unsigned)table);
    return make_array(unit, name, LLVMArrayType2(unit->i32, 2), fixed->funcs, fixed->size, tail,
                      make_element);
}

LLVMValueRef wr_fixed_range_array(Unit *unit, u32 table, const FixedRange *range, bool tail) {
    char name[48];
    const u32 *funcs = unit->plan->fixed[table].funcs + range->first;
    (void)snprintf(name, sizeof name, tail ? "tails%u.%u" : "table%u.%u", (unsigned)table,
                   (unsigned)range->first);
    return make_array(unit, name, unit->i32, funcs, range->count, tail, way_to);
}
