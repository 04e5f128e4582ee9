/* dump_names.c - see dump_names.h. */
#include "dump_names.h"

#include <stdlib.h>

void wr_dump_names_add(NameList *list, u32 index, NameSource source, Name name) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64, size;
        if (!mul_size(capacity, sizeof *list->entries, &size)) return;
        NameEntry *grown = realloc(list->entries, size);
        if (!grown) return;
        list->entries = grown;
        list->capacity = capacity;
    }
    list->entries[list->count++] = (NameEntry){index, source, name};
}

/* ---- The name section (spec: appendix/custom) ------------------------------------------------- */

static const struct {
    u8 id;
    IndexSpace space;
} subsections[] = {{1, SPACE_FUNC},   {4, SPACE_TYPE}, {5, SPACE_TABLE}, {6, SPACE_MEMORY},
                   {7, SPACE_GLOBAL}, {8, SPACE_ELEM}, {9, SPACE_DATA},  {11, SPACE_TAG}};
enum { SUBSECTION_LOCALS = 2 };

/* A vector of index and name. */
static void read_name_map(Reader *r, NameList *list) {
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && !r->error; i++) {
        u32 index = wr_read_u32(r);
        Name name = wr_read_name(r);
        if (!r->error) wr_dump_names_add(list, index, NAMED_BY_SECTION, name);
    }
}

/* A vector of function index and name map: where each map lies, to be read when its function is. */
static void read_local_maps(Reader *r, NameList *list) {
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && !r->error; i++) {
        u32 func = wr_read_u32(r);
        const u8 *start = r->pos;
        u32 names = wr_read_u32(r);
        for (u32 j = 0; j < names && !r->error; j++) {
            wr_read_u32(r);
            wr_read_bytes(r, wr_read_u32(r));
        }
        Name map = {(const char *)start, (u32)(r->pos - start)};
        if (!r->error) wr_dump_names_add(list, func, NAMED_BY_SECTION, map);
    }
}

static void read_subsection(DumpNames *names, u8 id, Reader r) {
    if (id == SUBSECTION_LOCALS) read_local_maps(&r, &names->local_maps);
    for (size_t i = 0; i < ARRAY_LEN(subsections); i++)
        if (subsections[i].id == id) read_name_map(&r, &names->spaces[subsections[i].space]);
    wr_error_delete(r.error);
}

void wr_dump_names_read(DumpNames *names, const u8 *start, const u8 *end) {
    Reader r = {.pos = start, .end = end, .base = start};
    while (r.pos < r.end && !r.error) {
        u8 id = wr_read_u8(&r);
        u32 size = wr_read_u32(&r);
        const u8 *contents = wr_read_bytes(&r, size);
        if (r.error) break;
        read_subsection(names, id,
                        (Reader){.pos = contents, .end = contents + size, .base = start});
    }
    wr_error_delete(r.error);
}

/* ---- Lookup ------------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b) {
    const NameEntry *x = a, *y = b;
    if (x->index != y->index) return x->index < y->index ? -1 : 1;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return (x->name.data > y->name.data) - (x->name.data < y->name.data);
}

static void sort(NameList *list) {
    if (list->count) qsort(list->entries, list->count, sizeof *list->entries, compare);
}

void wr_dump_names_sort(DumpNames *names) {
    for (size_t i = 0; i < SPACE_COUNT; i++) sort(&names->spaces[i]);
    sort(&names->local_maps);
}

Name wr_dump_names_find(const NameList *list, u32 index) {
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->entries[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < list->count && list->entries[low].index == index;
    return found ? list->entries[low].name : (Name){NULL, 0};
}

void wr_dump_names_enter(DumpNames *names, u32 func_index) {
    NameList *locals = &names->spaces[SPACE_LOCAL];
    Name map = wr_dump_names_find(&names->local_maps, func_index);
    locals->count = 0;
    if (!map.data) return;
    const u8 *start = (const u8 *)map.data;
    Reader r = {.pos = start, .end = start + map.size, .base = start};
    read_name_map(&r, locals);
    wr_error_delete(r.error);
    sort(locals);
}

void wr_dump_names_free(DumpNames *names) {
    for (size_t i = 0; i < SPACE_COUNT; i++) free(names->spaces[i].entries);
    free(names->local_maps.entries);
    memset(names, 0, sizeof *names);
}
