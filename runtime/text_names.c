/*
 * text_names.c - see text_names.h.
 */
#include "text_names.h"

#include <stdlib.h>

#include "alloc.h"

enum {
    SUBSECTION_MODULE = 0,
    SUBSECTION_LOCALS = 2,
    SUBSECTION_LABELS = 3,
    SUBSECTION_FIELDS = 10
};

static const struct {
    u8 id;
    IndexSpace space;
} subsections[] = {{1, SPACE_FUNC},   {4, SPACE_TYPE}, {5, SPACE_TABLE}, {6, SPACE_MEMORY},
                   {7, SPACE_GLOBAL}, {8, SPACE_ELEM}, {9, SPACE_DATA},  {11, SPACE_TAG}};

/* ---- tables ---- */

void wr_name_table_init(NameTable *table, const Alloc *alloc) {
    *table = (NameTable){.alloc = alloc};
}

void wr_name_table_free(NameTable *table) {
    wr_free(table->alloc, table->entries, table->capacity * sizeof *table->entries);
    wr_name_table_init(table, table->alloc);
}

/* Indices that do not ascend end the reading: binary search needs them to. */
static void add(Reader *r, NameTable *table, u32 index, Name name) {
    bool ascends = table->count == 0 || table->entries[table->count - 1].index < index;
    if (!ascends) wr_reader_fail(r, r->pos, "names out of order");
    if (r->error != NULL) return;
    if (!wr_grow_array(table->alloc, &table->entries, &table->capacity, (u64)table->count + 1,
                       UINT32_MAX, sizeof *table->entries)) {
        wr_reader_fail_memory(r);
        return;
    }
    table->entries[table->count++] = (NamedIndex){index, name.size > 0, name};
}

static const NamedIndex *find(const NameTable *table, u32 index) {
    u32 low = 0, high = table->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (table->entries[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < table->count && table->entries[low].index == index;
    return found ? &table->entries[low] : NULL;
}

Name wr_name_table_find(const NameTable *table, u32 index) {
    const NamedIndex *entry = find(table, index);
    return entry != NULL && entry->is_bound ? entry->name : (Name){NULL, 0};
}

/* By name, and the same names by index. */
static int compare(const void *a, const void *b) {
    const NamedIndex *x = *(NamedIndex *const *)a, *y = *(NamedIndex *const *)b;
    int order = wr_name_compare(x->name, y->name);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Of several entries of one name the first is bound. */
static void unbind_duplicates(Reader *r, NameTable *table) {
    if (table->count < 2) return;
    NamedIndex **sorted = wr_alloc_array(table->alloc, table->count, sizeof(NamedIndex *));
    if (sorted == NULL) {
        wr_reader_fail_memory(r);
        return;
    }
    for (u32 i = 0; i < table->count; i++) sorted[i] = &table->entries[i];
    qsort(sorted, table->count, sizeof(NamedIndex *), compare);
    for (u32 i = 1; i < table->count; i++)
        if (wr_name_compare(sorted[i]->name, sorted[i - 1]->name) == 0) sorted[i]->is_bound = false;
    wr_free(table->alloc, sorted, table->count * sizeof(NamedIndex *));
}

/* ---- reading ---- */

static void read_map(Reader *r, NameTable *table, bool repeated) {
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && r->error == NULL; i++) {
        u32 index = wr_read_u32(r);
        add(r, table, index, wr_read_name(r));
    }
    if (r->error == NULL && !repeated) unbind_duplicates(r, table);
}

/* Inner maps are read when they are wanted: here it is only found where they end. */
static void read_map_of_maps(Reader *r, NameTable *table) {
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && r->error == NULL; i++) {
        u32 index = wr_read_u32(r);
        const u8 *start = r->pos;
        u32 names = wr_read_u32(r);
        for (u32 k = 0; k < names && r->error == NULL; k++) {
            (void)wr_read_u32(r);
            (void)wr_read_bytes(r, wr_read_u32(r));
        }
        add(r, table, index, (Name){(const char *)start, (u32)(r->pos - start)});
    }
}

/* False when out of memory. */
static bool read_subsection(TextNames *names, u8 id, Reader r) {
    if (id == SUBSECTION_MODULE) names->module = wr_read_name(&r);
    if (id == SUBSECTION_LOCALS) read_map_of_maps(&r, &names->local_maps);
    if (id == SUBSECTION_LABELS) read_map_of_maps(&r, &names->label_maps);
    if (id == SUBSECTION_FIELDS) read_map_of_maps(&r, &names->field_maps);
    for (size_t i = 0; i < ARRAY_LEN(subsections); i++)
        if (subsections[i].id == id) read_map(&r, &names->spaces[subsections[i].space], false);
    bool ok = r.error != ERROR_OOM;
    wr_error_delete(r.error);
    return ok;
}

void wr_text_names_init(TextNames *names, const Alloc *alloc) {
    *names = (TextNames){0};
    for (size_t i = 0; i < SPACE_COUNT; i++) wr_name_table_init(&names->spaces[i], alloc);
    wr_name_table_init(&names->local_maps, alloc);
    wr_name_table_init(&names->label_maps, alloc);
    wr_name_table_init(&names->field_maps, alloc);
}

void wr_text_names_free(TextNames *names) {
    for (size_t i = 0; i < SPACE_COUNT; i++) wr_name_table_free(&names->spaces[i]);
    wr_name_table_free(&names->local_maps);
    wr_name_table_free(&names->label_maps);
    wr_name_table_free(&names->field_maps);
}

bool wr_text_names_read(TextNames *names, const u8 *start, const u8 *end) {
    Reader r = {.pos = start, .end = end, .base = start};
    bool ok = true;
    while (ok && r.pos < r.end) {
        u8 id = wr_read_u8(&r);
        u32 size = wr_read_u32(&r);
        const u8 *contents = wr_read_bytes(&r, size);
        if (contents == NULL) break;
        ok = read_subsection(names, id,
                             (Reader){.pos = contents, .end = contents + size, .base = start});
    }
    wr_error_delete(r.error);
    return ok;
}

bool wr_name_table_open(NameTable *table, const NameTable *maps, u32 index, bool repeated) {
    table->count = 0;
    const NamedIndex *map = find(maps, index);
    if (map == NULL) return true;
    const u8 *start = (const u8 *)map->name.data;
    Reader r = {.pos = start, .end = start + map->name.size, .base = start};
    read_map(&r, table, repeated);
    bool ok = r.error != ERROR_OOM;
    wr_error_delete(r.error);
    return ok;
}
