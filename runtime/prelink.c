/*
 * prelink.c - pre-linked modules and their templates; see prelink.h.
 */
#include "prelink.h"

#include "link.h"
#include "table.h"

/* ---- imports -------------------------------------------------------------------------------- */

bool wr_prelinked_bind(const Prelinked *pre, Store *store, ExternVal *imports) {
    for (u32 i = 0; i < pre->module->nimports; i++) {
        HostFunc *host = pre->imports[i];
        Func *func = wr_store_new_host_func(store, host->type, host);
        if (!func) return false;
        imports[i] = (ExternVal){.kind = EXT_FUNC, .of.func = func};
    }
    return true;
}

/* ---- the template --------------------------------------------------------------------------- */

static bool allocate_template(Prelinked *pre) {
    const Module *m = pre->module;
    const Alloc *alloc = &pre->engine->alloc;
    pre->globals = wr_alloc_array(alloc, m->nglobals, sizeof *pre->globals);
    pre->tables = wr_alloc_array(alloc, m->ntables, sizeof *pre->tables);
    pre->elem_values = wr_alloc_array(alloc, m->nelems, sizeof *pre->elem_values);
    pre->dropped_elems = wr_alloc_array(alloc, m->nelems, sizeof *pre->dropped_elems);
    pre->dropped_datas = wr_alloc_array(alloc, m->ndatas, sizeof *pre->dropped_datas);
    pre->images = wr_alloc_array(alloc, m->nmemories, sizeof *pre->images);
    return (pre->globals || !m->nglobals) && (pre->tables || !m->ntables) &&
           (pre->elem_values || !m->nelems) && (pre->dropped_elems || !m->nelems) &&
           (pre->dropped_datas || !m->ndatas) && (pre->images || !m->nmemories);
}

static void free_template(Prelinked *pre) {
    const Module *m = pre->module;
    const Alloc *alloc = &pre->engine->alloc;
    for (u32 k = 0; pre->tables && k < m->ntables; k++)
        wr_free(alloc, pre->tables[k], (size_t)m->tables[k].limits.min * sizeof(u32));
    for (u32 k = 0; pre->elem_values && k < m->nelems; k++)
        wr_free(alloc, pre->elem_values[k], m->elems[k].count * sizeof(u32));
    for (u32 k = 0; pre->images && k < m->nmemories; k++) wr_image_free(alloc, &pre->images[k]);
    wr_free(alloc, pre->globals, m->nglobals * sizeof *pre->globals);
    wr_free(alloc, pre->tables, m->ntables * sizeof *pre->tables);
    wr_free(alloc, pre->elem_values, m->nelems * sizeof *pre->elem_values);
    wr_free(alloc, pre->dropped_elems, m->nelems * sizeof *pre->dropped_elems);
    wr_free(alloc, pre->dropped_datas, m->ndatas * sizeof *pre->dropped_datas);
    wr_free(alloc, pre->images, m->nmemories * sizeof *pre->images);
}

static bool copy_u32s(const Alloc *alloc, const u32 *from, u64 count, u32 **to) {
    if (count == 0 || !from) return true;
    *to = wr_alloc_array(alloc, (size_t)count, sizeof(u32));
    if (*to) memcpy(*to, from, (size_t)count * sizeof(u32));
    return *to != NULL;
}

/* From an instance whose initialisers and segments are done, and whose start function is not. */
static bool record(Prelinked *pre, const Instance *i) {
    const Module *m = pre->module;
    const Alloc *alloc = &pre->engine->alloc;
    bool ok = allocate_template(pre);
    if (!ok) return false;
    for (u32 k = 0; k < m->nglobals; k++)
        memcpy(pre->globals[k], i->globals[k]->value, sizeof pre->globals[k]);
    for (u32 k = 0; k < m->ntables; k++)
        ok = ok && copy_u32s(alloc, i->tables[k]->elems, i->tables[k]->size, &pre->tables[k]);
    for (u32 k = 0; k < m->nelems; k++)
        ok = ok && copy_u32s(alloc, i->elem_values[k], m->elems[k].count, &pre->elem_values[k]);
    for (u32 k = 0; k < m->nmemories; k++) {
        const Memory *memory = i->memories[k];
        ok = ok && wr_image_new(alloc, memory->base, memory->size, &pre->images[k]);
    }
    if (m->nelems) memcpy(pre->dropped_elems, i->dropped_elems, m->nelems * sizeof(bool));
    if (m->ndatas) memcpy(pre->dropped_datas, i->dropped_datas, m->ndatas * sizeof(bool));
    return ok;
}

static void apply_elems(const Prelinked *pre, Instance *i) {
    const Module *m = pre->module;
    if (m->nelems) {
        memcpy(i->elem_values, pre->elem_values, m->nelems * sizeof *i->elem_values);
        memcpy(i->dropped_elems, pre->dropped_elems, m->nelems * sizeof *i->dropped_elems);
    }
    if (m->ndatas)
        memcpy(i->dropped_datas, pre->dropped_datas, m->ndatas * sizeof *i->dropped_datas);
    i->elems_lent = true;
}

static void apply_tables(const Prelinked *pre, Instance *i) {
    const Module *m = pre->module;
    for (u32 k = 0; k < m->ntables; k++) {
        Table *table = i->tables[k];
        wr_table_put_back(table, (u32)m->tables[k].limits.min);
        if (table->size) memcpy(table->elems, pre->tables[k], table->size * sizeof(u32));
    }
}

void wr_prelinked_apply(const Prelinked *pre, Instance *i) {
    for (u32 k = 0; k < pre->module->nglobals; k++)
        memcpy(i->globals[k]->value, pre->globals[k], sizeof pre->globals[k]);
    apply_tables(pre, i);
    apply_elems(pre, i);
}

/* ---- making --------------------------------------------------------------------------------- */

static bool has_shared_memory(const Module *m) {
    for (u32 k = 0; k < m->nmemories; k++) {
        if (m->memories[k].limits.is_shared) return true;
    }
    return false;
}

static Error *evaluate(Prelinked *pre, Store *store, const ExternVal *imports) {
    Error *error = wr_link_check(pre->module, imports);
    if (error || has_shared_memory(pre->module)) return error;
    Instance *instance;
    bool escaped = false;
    error = wr_instance_allocate(store, pre->module, imports, NULL, &instance);
    if (!error) error = wr_instance_evaluate(instance, &escaped);
    if (error || store->const_objects > 0) return error;
    pre->has_kits = true;
    return record(pre, instance) ? NULL : ERROR_OOM;
}

/* In a store of its own. */
static Error *make_template(Prelinked *pre) {
    Store *store;
    Error *error = wr_store_new(pre->engine, &store);
    if (error) return error;
    u32 n = pre->module->nimports;
    ExternVal *imports = wr_alloc_array(&store->alloc, n, sizeof *imports);
    if ((n > 0 && !imports) || !wr_prelinked_bind(pre, store, imports))
        error = ERROR_OOM;
    else
        error = evaluate(pre, store, imports);
    wr_free(&store->alloc, imports, n * sizeof *imports);
    wr_store_delete(store);
    return error;
}

static void free_prelinked(Prelinked *pre) {
    Engine *engine = pre->engine;
    u32 n = pre->module->nimports;
    wr_kit_pool_free(pre);
    free_template(pre);
    wr_page_scanner_close(&engine->alloc, &pre->scanner);
    for (u32 i = 0; pre->imports && i < n; i++) wr_host_func_unref(pre->imports[i]);
    wr_free(&engine->alloc, pre->imports, n * sizeof *pre->imports);
    wr_module_unref(pre->module);
    wr_free(&engine->alloc, pre, sizeof *pre);
    wr_engine_unref(engine);
}

static bool keep_imports(Prelinked *pre, HostFunc *const *imports) {
    u32 n = pre->module->nimports;
    pre->imports = wr_alloc_array(&pre->engine->alloc, n, sizeof *pre->imports);
    if (n > 0 && !pre->imports) return false;
    for (u32 i = 0; i < n; i++) pre->imports[i] = wr_host_func_ref(imports[i]);
    return true;
}

Error *wr_prelinked_new(Engine *engine, Module *module, HostFunc *const *imports, Prelinked **out) {
    Prelinked *pre = wr_alloc_zero(&engine->alloc, sizeof *pre);
    if (!pre) return ERROR_OOM;
    atomic_init(&pre->refs, 1);
    pre->engine = wr_engine_ref(engine);
    pre->module = wr_module_ref(module);
    wr_kit_pool_init(pre);
    bool ok = wr_page_scanner_open(&engine->alloc, &pre->scanner) && keep_imports(pre, imports);
    Error *error = ok ? make_template(pre) : ERROR_OOM;
    if (error) {
        free_prelinked(pre);
        return error;
    }
    *out = pre;
    return NULL;
}

Prelinked *wr_prelinked_ref(Prelinked *pre) {
    atomic_fetch_add_explicit(&pre->refs, 1, memory_order_relaxed);
    return pre;
}

void wr_prelinked_unref(Prelinked *pre) {
    if (!pre || atomic_fetch_sub_explicit(&pre->refs, 1, memory_order_acq_rel) != 1) return;
    free_prelinked(pre);
}
