/*
 * text_names.h - the identifiers that the printer takes from a name section (spec: appendix/custom,
 * names). Other readers of that section want names for people (name_section.h); this one wants names
 * that can be bound: each once, and not empty.
 */
#ifndef WR_TEXT_NAMES_H
#define WR_TEXT_NAMES_H

#include "decode.h"
#include "disasm.h"

typedef struct NamedIndex {
    u32 index;
    bool is_bound; /* false: empty, or an earlier index has the same name */
    Name name;     /* in maps of maps: where the inner map lies */
} NamedIndex;

/* By ascending index. */
typedef struct NameTable {
    const Alloc *alloc;
    NamedIndex *entries;
    u32 count, capacity;
} NameTable;

typedef struct TextNames {
    Name module;
    NameTable spaces[SPACE_COUNT];                /* those of a module */
    NameTable local_maps, label_maps, field_maps; /* by function, function, type */
} TextNames;

void wr_text_names_init(TextNames *names, const Alloc *alloc);
void wr_text_names_free(TextNames *names);
/* Reads the section's contents. What is malformed in it ends its reading. False when out of memory. */
NODISCARD bool wr_text_names_read(TextNames *names, const u8 *start, const u8 *end);

/* An inner map, in place of what the table had; empty when there is none for `index`. Names are bound
 * once, but for `repeated` ones (labels) as often as they come. */
NODISCARD bool wr_name_table_open(NameTable *table, const NameTable *maps, u32 index,
                                  bool repeated);
/* The name that can be bound to the index; data NULL if there is none. */
Name wr_name_table_find(const NameTable *table, u32 index);
void wr_name_table_init(NameTable *table, const Alloc *alloc);
void wr_name_table_free(NameTable *table);

#endif
