/*
 * table.c - tables and their bulk instructions.
 */
#include "table.h"

/* ---- making and freeing --------------------------------------------------------------------- */

static Error *cannot_make(const char *why, const TableDecl *decl) {
    return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET, "%s: a table of %llu elements", why,
                       (unsigned long long)decl->limits.min);
}

static Error *allocate(Table *table, const TableDecl *decl) {
    Store *store = table->store;
    u64 size = decl->limits.min;
    if (size > LIMIT_TABLE_SIZE) return cannot_make("out of memory", decl);
    if (!store_charge(&store->used_tables, store->limit_tables, size)) {
        return cannot_make("table limit of the store exceeded", decl);
    }
    table->size = table->capacity = (u32)size;
    if (size == 0) return NULL;
    table->elems = wr_alloc_array(&store->alloc, (size_t)size, sizeof *table->elems);
    if (table->elems) return NULL;
    table->capacity = 0;
    return cannot_make("out of memory", decl);
}

Error *wr_table_new(Store *store, const TableDecl *decl, Table **out) {
    u64 need = (u64)store->ntables + 1;
    if (!wr_grow_array(&store->alloc, &store->tables, &store->cap_tables, need, UINT32_MAX,
                       sizeof(Table *))) {
        return ERROR_OOM;
    }
    Table *table = wr_alloc_zero(&store->alloc, sizeof *table);
    if (!table) return ERROR_OOM;
    table->store = store;
    table->type = decl->type;
    table->is_64 = decl->limits.is_64;
    table->has_max = decl->limits.has_max;
    table->max = decl->limits.has_max ? decl->limits.max : table->is_64 ? UINT64_MAX : UINT32_MAX;
    Error *error = allocate(table, decl);
    if (error) {
        wr_table_free(table);
        return error;
    }
    *out = store->tables[store->ntables++] = table;
    return NULL;
}

void wr_table_free(Table *table) {
    Store *store = table->store;
    store->used_tables -= table->size;
    wr_free(&store->alloc, table->elems, table->capacity * sizeof *table->elems);
    wr_free(&store->alloc, table, sizeof *table);
}

/* What it has grown by is kept for the next time, if it is not much. */
void wr_table_put_back(Table *table, u32 size) {
    table->size = size;
    if (table->capacity / 2 <= size + 1024) return;
    const Alloc *alloc = &table->store->alloc;
    u32 capacity = size ? size : 1;
    u32 *elems =
        wr_realloc(alloc, table->elems, table->capacity * sizeof *elems, capacity * sizeof *elems);
    if (!elems) return;
    table->elems = elems;
    table->capacity = capacity;
}

/* ---- growth --------------------------------------------------------------------------------- */

u64 wr_table_grow(Table *table, u64 delta, u32 value) {
    Store *store = table->store;
    u32 old_size = table->size;
    u64 max = min_u64(table->max, LIMIT_TABLE_SIZE);
    if (delta > max - old_size) return UINT64_MAX;
    if (!store_charge(&store->used_tables, store->limit_tables, delta)) return UINT64_MAX;
    u32 new_size = old_size + (u32)delta;
    if (!wr_grow_array(&store->alloc, &table->elems, &table->capacity, new_size, max,
                       sizeof *table->elems)) {
        store->used_tables -= delta;
        return UINT64_MAX;
    }
    table->size = new_size;
    for (u32 i = old_size; i < new_size; i++) table->elems[i] = value;
    return old_size;
}

/* ---- bulk instructions ---------------------------------------------------------------------- */

static bool in_range(u64 start, u64 n, u64 size) { return n <= size && start <= size - n; }

wr_trap_code_t wr_table_init(Instance *i, u32 table, u32 elem, u64 dst, u32 src, u32 n) {
    Table *t = i->tables[table];
    const u32 *values = i->elem_values[elem];
    u32 available = values ? i->module->elems[elem].count : 0;
    if (!in_range(src, n, available) || !in_range(dst, n, t->size)) {
        return WR_TRAP_TABLE_OUT_OF_BOUNDS;
    }
    if (n) memcpy(t->elems + dst, values + src, n * sizeof *values);
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_table_copy(Table *dst_table, Table *src_table, u64 dst, u64 src, u64 n) {
    if (!in_range(src, n, src_table->size) || !in_range(dst, n, dst_table->size)) {
        return WR_TRAP_TABLE_OUT_OF_BOUNDS;
    }
    if (n) {
        memmove(dst_table->elems + dst, src_table->elems + src, (size_t)n * sizeof(u32));
    }
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_table_fill(Table *table, u64 dst, u32 value, u64 n) {
    if (!in_range(dst, n, table->size)) return WR_TRAP_TABLE_OUT_OF_BOUNDS;
    for (u64 k = 0; k < n; k++) table->elems[dst + k] = value;
    return WR_TRAP_NONE;
}

void wr_elem_drop(Instance *i, u32 elem) {
    size_t size = i->module->elems[elem].count * sizeof(u32);
    i->dropped_elems[elem] = true;
    if (!i->elems_lent) wr_free(&i->store->alloc, i->elem_values[elem], size);
    i->elem_values[elem] = NULL;
}
