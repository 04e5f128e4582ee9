/*
 * validate.c - the rules for a module outside of its bodies (spec: valid/modules, valid/types):
 * limits, tables, memories, tags, globals, exports, segments, the start function. Constant
 * expressions are checked by the same code as bodies. Called by wr_module_load() after decoding, by
 * one thread. Types decode has checked, since without that they could not be made canonical; it has also
 * marked the functions that ref.func may name in bodies.
 */
#include "validate.h"

#include "store.h"
#include "validate_code.h"

typedef struct Validator {
    const Module *m;
    Checker checker; /* for constant expressions */
} Validator;

#define TRY(x)                                                                                     \
    do {                                                                                           \
        Error *try_error = (x);                                                                    \
        if (try_error != NULL) return try_error;                                                   \
    } while (0)

static Error *invalid(u64 offset, const char *text) {
    return wr_error_at(WR_ERROR_INVALID, offset, "%s", text);
}

static Error *unknown(u64 offset, const char *what, u32 index) {
    return wr_error_at(WR_ERROR_INVALID, offset, "unknown %s %u", what, index);
}

static Error *check_const(Validator *v, const ConstExpr *expr, ValType want, u32 visible_globals) {
    return wr_check_const(&v->checker, expr, want, visible_globals);
}

/* ---- limits ---- */

static Error *check_limits(const Limits *limits, u64 greatest, u64 offset, const char *message) {
    if (limits->min > greatest || (limits->has_max && limits->max > greatest))
        return invalid(offset, message);
    if (limits->has_max && limits->min > limits->max)
        return invalid(offset, "size minimum must not be greater than maximum");
    return NULL;
}

static Error *check_memory(const MemoryDecl *memory) {
    const Limits *limits = &memory->limits;
    u32 log2 = memory->page_size_log2, bits = (limits->is_64 ? 64u : 32u) - log2;
    if (log2 != 0 && log2 != 16) return invalid(memory->at, "invalid custom page size");
    if (log2 == 0) /* the size in bytes must itself be an address */
        return check_limits(limits, limits->is_64 ? UINT64_MAX : UINT32_MAX, memory->at,
                            "memory size must be at most 2^32-1 pages of 1 byte");
    return check_limits(limits, (u64)1 << bits, memory->at,
                        limits->is_64 ? "memory size must be at most 2^48 pages"
                                      : "memory size must be at most 65536 pages (4GiB)");
}

static Error *check_memories(const Module *m) {
    for (u32 i = 0; i < m->nmemories; i++) {
        const MemoryDecl *memory = &m->memories[i];
        TRY(check_memory(memory));
        if (memory->limits.is_shared && !memory->limits.has_max)
            return invalid(memory->at, "shared memory must have maximum");
    }
    return NULL;
}

/* ---- tables, tags, globals ---- */

/* Globals come after tables: their initialisers see the imported ones alone. */
static Error *check_table(Validator *v, const TableDecl *table, bool is_import) {
    u64 greatest = table->limits.is_64 ? UINT64_MAX : UINT32_MAX;
    TRY(check_limits(&table->limits, greatest, table->at, "table size must be at most 2^32-1"));
    if (is_import) return NULL;
    if (table->has_init) return check_const(v, &table->init, table->type, v->m->nimported_globals);
    if (!type_is_defaultable(table->type))
        return invalid(table->at, "type mismatch: table of non-null references needs an "
                                  "initial value");
    return NULL;
}

static Error *check_tables(Validator *v) {
    const Module *m = v->m;
    for (u32 i = 0; i < m->ntables; i++)
        TRY(check_table(v, &m->tables[i], i < m->nimported_tables));
    return NULL;
}

static Error *check_tags(const Module *m) {
    for (u32 i = 0; i < m->ntags; i++)
        if (m->tags[i].type->nresults > 0)
            return invalid(m->tags[i].at, "non-empty tag result type");
    return NULL;
}

/* An initialiser sees the globals before it; without garbage collection the imported ones only. */
static Error *check_globals(Validator *v) {
    const Module *m = v->m;
    bool sees_own = feature_on(m->features, FEATURE_GC);
    for (u32 i = m->nimported_globals; i < m->nglobals; i++) {
        const GlobalDecl *global = &m->globals[i];
        TRY(check_const(v, &global->init, global->type, sees_own ? i : m->nimported_globals));
    }
    return NULL;
}

/* ---- exports ---- */

static Error *check_export_names(const Module *m) {
    for (u32 i = 1; i < m->nexports; i++) {
        const Export *a = m->exports_by_name[i - 1], *b = m->exports_by_name[i];
        if (wr_name_compare(a->name, b->name) == 0)
            return invalid(a > b ? a->at : b->at, "duplicate export name");
    }
    return NULL;
}

static Error *check_exports(const Module *m) {
    static const char *const names[] = {"function", "table", "memory", "global", "tag"};
    const u32 counts[] = {m->nfuncs, m->ntables, m->nmemories, m->nglobals, m->ntags};
    for (u32 i = 0; i < m->nexports; i++) {
        const Export *e = &m->exports[i];
        if (e->index >= counts[e->kind]) return unknown(e->at, names[e->kind], e->index);
    }
    return check_export_names(m);
}

/* ---- segments and start ---- */

static Error *check_elem_items(Validator *v, const ElemSeg *seg) {
    const Module *m = v->m;
    for (u32 i = 0; i < seg->count; i++) {
        if (seg->is_expr) {
            TRY(check_const(v, &seg->exprs[i], seg->type, m->nglobals));
        } else {
            u32 index = seg->funcs[i];
            if (index >= m->nfuncs) return unknown(seg->at, "function", index);
        }
    }
    return NULL;
}

static Error *check_elem(Validator *v, const ElemSeg *seg) {
    const Module *m = v->m;
    TRY(check_elem_items(v, seg));
    if (seg->mode != SEG_ACTIVE) return NULL;
    if (seg->table >= m->ntables) return unknown(seg->at, "table", seg->table);
    const TableDecl *table = &m->tables[seg->table];
    if (!wr_type_matches(m->engine->types, seg->type, table->type))
        return invalid(seg->at, "type mismatch: elements do not fit into the table");
    return check_const(v, &seg->offset, table->limits.is_64 ? T_I64 : T_I32, m->nglobals);
}

static Error *check_data(Validator *v, const DataSeg *seg) {
    const Module *m = v->m;
    if (seg->mode != SEG_ACTIVE) return NULL;
    if (seg->memory >= m->nmemories) return unknown(seg->at, "memory", seg->memory);
    ValType address = m->memories[seg->memory].limits.is_64 ? T_I64 : T_I32;
    ConstExpr offset = data_offset(seg);
    return check_const(v, &offset, address, m->nglobals);
}

static Error *check_start(const Module *m) {
    if (m->start == NONE_U32) return NULL;
    if (m->start >= m->nfuncs) return unknown(m->start_at, "function", m->start);
    const DefType *type = m->funcs[m->start].type;
    if (type->nparams > 0 || type->nresults > 0)
        return invalid(m->start_at, "start function: must have type [] -> []");
    return NULL;
}

/* ---- all ---- */

/* In the order of the sections, so that of several errors the first in the bytes tends to be told. */
static Error *check_all(Validator *v) {
    const Module *m = v->m;
    TRY(check_tables(v));
    TRY(check_memories(m));
    TRY(check_tags(m));
    TRY(check_globals(v));
    TRY(check_exports(m));
    TRY(check_start(m));
    for (u32 i = 0; i < m->nelems; i++) TRY(check_elem(v, &m->elems[i]));
    for (u32 i = 0; m->datas && i < m->ndatas; i++) TRY(check_data(v, &m->datas[i]));
    return NULL;
}

Error *wr_validate_module(Module *m) {
    Validator v = {.m = m};
    wr_checker_init(&v.checker, m);
    Error *error = check_all(&v);
    wr_checker_free(&v.checker);
    return error;
}
