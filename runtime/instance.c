/*
 * instance.c - instantiation (spec: exec/modules) and exports of instances.
 *
 * An instance and the arrays that its module's index spaces need are one block of memory. What it
 * adds to the store (memories, tables, tags, function handles) is appended to the store's lists, so
 * that a failure takes it back by cutting them to their old lengths, as long as nothing refers to
 * it.
 */
#include "const_eval.h"
#include "heap.h"
#include "lazy_bodies.h"
#include "link.h"
#include "memory.h"
#include "os.h"
#include "table.h"

/* ---- the block ------------------------------------------------------------------------------ */

/* Hands out parts of the block. With base NULL it only counts. */
typedef struct Layout {
    u8 *base;
    size_t size;
    bool overflow;
} Layout;

static void *part(Layout *l, size_t count, size_t size) {
    size_t start = (l->size + 7) & ~(size_t)7, bytes;
    if (start < l->size || !mul_size(count, size, &bytes) || !add_size(start, bytes, &l->size)) {
        l->overflow = true;
        return NULL;
    }
    return l->base ? l->base + start : NULL;
}

static void lay_out(Layout *l, Instance *i, const Module *m) {
    (void)part(l, 1, sizeof *i);
    i->funcs = part(l, m->nfuncs, sizeof *i->funcs);
    i->globals = part(l, m->nglobals, sizeof *i->globals);
    i->tables = part(l, m->ntables, sizeof *i->tables);
    i->memories = part(l, m->nmemories, sizeof *i->memories);
    i->tags = part(l, m->ntags, sizeof *i->tags);
    i->own_funcs = part(l, m->ncodes, sizeof *i->own_funcs);
    i->own_globals = part(l, m->nglobals - m->nimported_globals, sizeof *i->own_globals);
    i->elem_values = part(l, m->nelems, sizeof *i->elem_values);
    i->dropped_elems = part(l, m->nelems, sizeof *i->dropped_elems);
    i->dropped_datas = part(l, m->ndatas, sizeof *i->dropped_datas);
}

static Instance *new_block(Store *store, Module *module) {
    Layout layout = {0};
    Instance scratch;
    lay_out(&layout, &scratch, module);
    if (layout.overflow) return NULL;
    Instance *instance = wr_alloc_zero(&store->alloc, layout.size);
    if (!instance) return NULL;
    instance->block_size = layout.size;
    layout = (Layout){.base = (u8 *)instance};
    lay_out(&layout, instance, module);
    return instance;
}

static Instance *new_instance(Store *store, Module *module) {
    Instance *instance = new_block(store, module);
    if (!instance) return NULL;
    instance->store = store;
    instance->module = wr_module_ref(module);
    instance->types = module->types;
    instance->heap = store->heap;
    instance->heap_base = store->heap->base;
    for (u32 k = 0; k < HOMES; k++)
        instance->homes[k] = (Home){instance, k == HOME_WIDE, k == HOME_LAZY};
    instance->exit.home = &instance->homes[0];
    instance->next = store->instances;
    store->instances = instance;
    store->used_instances++;
    return instance;
}

/* Called when a part of it may still be missing: on roll-back. */
static void free_interpreted(Instance *i) {
    for (u32 k = 0; k < i->module->ncodes; k++)
        wr_free(&i->store->alloc, i->own_funcs[k].interpreted, sizeof(Func));
}

void wr_instance_free(Instance *instance) {
    Store *store = instance->store;
    const Module *m = instance->module;
    if (instance->native) free_interpreted(instance);
    store->used_instances--;
    for (u32 k = 0; k < m->nelems; k++) wr_elem_drop(instance, k);
    if (m->nmemories > 0 && instance->memories[0]) {
        wr_memory_remove_user(instance->memories[0], instance);
    }
    wr_module_unref(instance->module);
    wr_free(&store->alloc, instance, instance->block_size);
}

/* ---- allocation (spec: exec/modules, allocation) -------------------------------------------- */

static void bind_imports(Instance *i, const ExternVal *given) {
    const Module *m = i->module;
    for (u32 k = 0; k < m->nimports; k++) {
        u32 index = m->imports[k].index;
        switch (m->imports[k].kind) {
        case EXT_FUNC: i->funcs[index] = given[k].of.func; break;
        case EXT_TABLE: i->tables[index] = given[k].of.table; break;
        case EXT_MEMORY: i->memories[index] = given[k].of.memory; break;
        case EXT_GLOBAL: i->globals[index] = given[k].of.global; break;
        case EXT_TAG: i->tags[index] = given[k].of.tag; break;
        }
    }
}

/* For functions without branches: code that passes over none of the entries adds 0 to an address. */
static const SideEntry no_entries[1];

static void set_code(Func *func, Instance *i, const Code *code) {
    func->home = &i->homes[code->is_wide];
    func->start = code->start;
    func->side = code->nside > 0 ? code->side : no_entries;
    func->zero_slots = code->local_slots - code->param_slots;
    func->frame_slots = func->zero_slots + code->max_slots + FRAME_SLACK;
    func->code = code;
}

Error *wr_func_need_code(Func *func) {
    Instance *i = func->home->instance;
    Error *error;
    const Code *code = wr_lazy_body(i->module, func->index, &error);
    if (code != NULL) set_code(func, i, code);
    return error;
}

void wr_func_interpret(Func *func, Instance *i) {
    const Module *m = i->module;
    bool is_lazy = m->lazy != NULL && func->code == wr_module_code(m, func->index);
    func->home = &i->homes[is_lazy ? HOME_LAZY : func->code->is_wide];
}

static void init_func(Instance *i, Func *func, const Code *code) {
    const DefType *type = i->module->funcs[code->func_index].type;
    func->type = type;
    func->end = code->end;
    func->param_slots = type->param_slots;
    func->result_slots = type->result_slots;
    func->index = code->func_index;
    func->heat = i->store->engine->start_heat;
    if (i->module->lazy == NULL) {
        set_code(func, i, code);
        return;
    }
    func->home = &i->homes[HOME_LAZY];
    func->side = no_entries;
    func->frame_slots = func->result_slots + FRAME_SLACK; /* for callers of machine code */
    func->code = code;
}

Func *wr_func_interpreted(Func *func) {
    if (func->interpreted) return func->interpreted;
    Instance *instance = func_instance(func);
    Func *twin = wr_alloc(&instance->store->alloc, sizeof *twin);
    if (!twin) return NULL;
    *twin = *func;
    wr_func_interpret(twin, instance);
    twin->native_code = twin->native_tail = twin->native_entry = NULL;
    twin->native_context = instance->store->native;
    func->interpreted = twin;
    return twin;
}

static bool make_funcs(Instance *i) {
    const Module *m = i->module;
    for (u32 k = 0; k < m->ncodes; k++) {
        Func *func = i->funcs[m->nimported_funcs + k] = &i->own_funcs[k];
        init_func(i, func, &m->codes[k]);
        if (!wr_store_add_func(i->store, func)) return false;
    }
    return true;
}

static Error *make_memories(Instance *i, const MemoryPlace *places) {
    const Module *m = i->module;
    for (u32 k = m->nimported_memories; k < m->nmemories; k++) {
        const MemoryPlace *place = places ? &places[k - m->nimported_memories] : NULL;
        Error *error = wr_memory_new_at(i->store, &m->memories[k], place, &i->memories[k]);
        if (error) return error;
    }
    return m->nmemories == 0 || wr_memory_add_user(i->memories[0], i) ? NULL : ERROR_OOM;
}

static Error *make_tables(Instance *i) {
    const Module *m = i->module;
    for (u32 k = m->nimported_tables; k < m->ntables; k++) {
        Error *error = wr_table_new(i->store, &m->tables[k], &i->tables[k]);
        if (error) return error;
    }
    return NULL;
}

static bool make_tags(Instance *i) {
    const Module *m = i->module;
    for (u32 k = m->nimported_tags; k < m->ntags; k++) {
        i->tags[k] = wr_store_new_tag(i->store, m->tags[k].type, NULL);
        if (!i->tags[k]) return false;
    }
    return true;
}

static void make_globals(Instance *i) {
    const Module *m = i->module;
    for (u32 k = m->nimported_globals; k < m->nglobals; k++) {
        Global *global = i->globals[k] = &i->own_globals[k - m->nimported_globals];
        global->type = m->globals[k].type;
        global->mutable = m->globals[k].mutable;
        global->wide = global->type == T_V128;
        global->store = i->store;
    }
}

static void find_exported_memory(Instance *i) {
    ExternVal memory;
    if (wr_instance_export(i, "memory", 6, &memory) && memory.kind == EXT_MEMORY) {
        i->exported_memory = memory.of.memory;
    }
}

static Error *allocate(Instance *i, const ExternVal *imports, const MemoryPlace *places) {
    const Module *m = i->module;
    bind_imports(i, imports);
    make_globals(i);
    if (!make_funcs(i) || !make_tags(i)) return ERROR_OOM;
    Error *error = make_tables(i);
    if (!error) error = make_memories(i, places);
    if (error) return error;
    find_exported_memory(i);
    return m->native_ops && !m->native_ops->attach(i) ? ERROR_OOM : NULL;
}

/* ---- initial values (spec: exec/modules, instantiation) ------------------------------------- */

/* In order: a global may refer to earlier ones. */
static Error *evaluate_globals(Instance *i) {
    const Module *m = i->module;
    for (u32 k = m->nimported_globals; k < m->nglobals; k++) {
        Error *error = wr_const_eval(i, &m->globals[k].init, i->globals[k]->value);
        if (error) return error;
    }
    return NULL;
}

static Error *evaluate_tables(Instance *i) {
    const Module *m = i->module;
    for (u32 k = m->nimported_tables; k < m->ntables; k++) {
        if (!m->tables[k].has_init) continue;
        Slot value[2];
        Error *error = wr_const_eval(i, &m->tables[k].init, value);
        if (error) return error;
        (void)wr_table_fill(i->tables[k], 0, value[0].u32, i->tables[k]->size);
    }
    return NULL;
}

static Error *evaluate_elem(Instance *i, const ElemSeg *segment, u32 *values) {
    for (u32 k = 0; k < segment->count; k++) {
        if (!segment->is_expr) {
            values[k] = i->funcs[segment->funcs[k]]->handle;
            continue;
        }
        Slot value[2];
        Error *error = wr_const_eval(i, &segment->exprs[k], value);
        if (error) return error;
        values[k] = value[0].u32;
    }
    return NULL;
}

static Error *evaluate_elems(Instance *i) {
    const Module *m = i->module;
    for (u32 k = 0; k < m->nelems; k++) {
        const ElemSeg *segment = &m->elems[k];
        if (segment->mode == SEG_DECLARATIVE || segment->count == 0) continue;
        i->elem_values[k] = wr_alloc_array(&i->store->alloc, segment->count, sizeof(u32));
        if (!i->elem_values[k]) return ERROR_OOM;
        Error *error = evaluate_elem(i, segment, i->elem_values[k]);
        if (error) return error;
    }
    return NULL;
}

static Error *evaluate(Instance *i) {
    Error *error = evaluate_globals(i);
    if (!error) error = evaluate_tables(i);
    if (!error) error = evaluate_elems(i);
    return error;
}

/* ---- active segments and start -------------------------------------------------------------- */

static Error *trap_or_null(wr_trap_code_t code) {
    return code == WR_TRAP_NONE ? NULL : wr_error_trap(code);
}

/* The offset of an active segment: i32 values are zero-extended in their slot. */
static Error *evaluate_offset(Instance *i, const ConstExpr *expr, u64 *offset) {
    Slot value[2];
    Error *error = wr_const_eval(i, expr, value);
    *offset = value[0].u64;
    return error;
}

static Error *init_tables(Instance *i, bool *escaped) {
    const Module *m = i->module;
    for (u32 k = 0; k < m->nelems; k++) {
        const ElemSeg *segment = &m->elems[k];
        if (segment->mode == SEG_PASSIVE) continue;
        if (segment->mode == SEG_ACTIVE) {
            u64 offset;
            Error *error = evaluate_offset(i, &segment->offset, &offset);
            if (error) return error;
            error = trap_or_null(wr_table_init(i, segment->table, k, offset, 0, segment->count));
            if (error) return error;
            if (segment->table < m->nimported_tables) *escaped = true;
        }
        wr_elem_drop(i, k);
    }
    return NULL;
}

/* The offset of an active segment, for a guess; false if it has none. */
static bool peek_offset(Instance *i, const DataSeg *segment, u64 *offset) {
    if (segment->mode != SEG_ACTIVE || segment->memory != 0) return false;
    ConstExpr expr = data_offset(segment);
    Error *error = evaluate_offset(i, &expr, offset);
    wr_error_delete(error);
    return error == NULL;
}

/* Compilers write data segments in the order of their addresses: all are between the first and the last, then. If so,
 * and without large gaps, these pages of the memory will be written. */
static void expect_datas(Instance *i) {
    const Module *m = i->module;
    if (m->ndatas == 0) return;
    const DataSeg *first = &m->datas[0], *last = &m->datas[m->ndatas - 1];
    u64 start, end, size = data_contents(last) + last->size - first->at;
    if (!peek_offset(i, first, &start) || !peek_offset(i, last, &end)) return;
    if (start <= end && end - start <= 2 * size && end <= memory_size(i->memories[0]))
        wr_os_will_write(i->memories[0]->base + start, (size_t)(end - start));
}

/* As if all data segments had been written, and dropped. */
static void take_image(Instance *i) {
    const Module *m = i->module;
    wr_memory_put_image(i->memories[0], m->image);
    memset(i->dropped_datas, true, m->ndatas * sizeof *i->dropped_datas);
}

static Error *init_memories(Instance *i) {
    const Module *m = i->module;
    if (m->image) return take_image(i), NULL;
    expect_datas(i);
    for (u32 k = 0; k < m->ndatas; k++) {
        const DataSeg *segment = &m->datas[k];
        if (segment->mode != SEG_ACTIVE) continue;
        u64 offset;
        ConstExpr expr = data_offset(segment);
        Error *error = evaluate_offset(i, &expr, &offset);
        if (error) return error;
        error = trap_or_null(wr_memory_init(i, segment->memory, k, offset, 0, segment->size));
        if (error) return error;
        wr_data_drop(i, k);
    }
    return NULL;
}

Error *wr_instance_start(Instance *i) {
    if (i->module->start == NONE_U32) return NULL;
    Slot none[1] = {{0}};
    return wr_store_call(i->store, i->funcs[i->module->start], none);
}

Error *wr_instance_evaluate(Instance *i, bool *escaped) {
    Error *error = evaluate(i);
    if (!error) error = init_tables(i, escaped);
    return error ? error : init_memories(i);
}

/* *escaped: from now on something outside may refer to the instance. */
static Error *initialise(Instance *i, const ExternVal *imports, bool *escaped) {
    Error *error = allocate(i, imports, NULL);
    if (!error) error = wr_instance_evaluate(i, escaped);
    if (error || i->module->start == NONE_U32) return error;
    *escaped = true;
    return wr_instance_start(i);
}

static Error *over_limit(void) {
    return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET, "instance limit of the store exceeded");
}

Error *wr_instance_allocate(Store *store, Module *module, const ExternVal *imports,
                            const MemoryPlace *places, Instance **out) {
    StoreMark mark = wr_store_mark(store);
    Instance *instance = new_instance(store, module);
    if (!instance) return ERROR_OOM;
    Error *error = allocate(instance, imports, places);
    if (error) {
        wr_store_rollback(store, mark);
    } else {
        *out = instance;
    }
    return error;
}

Error *wr_instance_new_matched(Store *store, Module *module, const ExternVal *imports,
                               Instance **out) {
    if (store->used_instances >= store->limit_instances) return over_limit();
    StoreMark mark = wr_store_mark(store);
    u64 const_objects = store->const_objects;
    Instance *instance = new_instance(store, module);
    if (!instance) return ERROR_OOM;
    bool escaped = false; /* and garbage in the heap needs its types, which are the module's */
    Error *error = initialise(instance, imports, &escaped);
    if (!error) {
        *out = instance;
    } else if (!escaped && store->const_objects == const_objects) {
        wr_store_rollback(store, mark);
    }
    return error;
}

Error *wr_instance_new(Store *store, Module *module, const ExternVal *imports, Instance **out) {
    Error *error = wr_link_check(module, imports);
    return error ? error : wr_instance_new_matched(store, module, imports, out);
}

/* ---- exports -------------------------------------------------------------------------------- */

bool wr_instance_export(Instance *i, const char *name, size_t size, ExternVal *out) {
    const Export *export = wr_module_find_export(i->module, name, size);
    if (!export) return false;
    out->kind = export->kind;
    switch (export->kind) {
    case EXT_FUNC: out->of.func = i->funcs[export->index]; break;
    case EXT_TABLE: out->of.table = i->tables[export->index]; break;
    case EXT_MEMORY: out->of.memory = i->memories[export->index]; break;
    case EXT_GLOBAL: out->of.global = i->globals[export->index]; break;
    case EXT_TAG: out->of.tag = i->tags[export->index]; break;
    }
    return true;
}
