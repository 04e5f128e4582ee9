/*
 * dump_names.h - the names of a module's items, for the dump: from the name section, else from the first export,
 * else from the import. Unlike the runtime's lookup it serves modules that do not validate, and all
 * index spaces. Names point into the module's bytes. Without memory there are fewer names, no errors.
 */
#ifndef WR_CLI_DUMP_NAMES_H
#define WR_CLI_DUMP_NAMES_H

#include "decode.h"
#include "disasm.h"

typedef enum NameSource { NAMED_BY_SECTION, NAMED_BY_EXPORT, NAMED_BY_IMPORT } NameSource;

typedef struct NameEntry {
    u32 index;
    NameSource source;
    Name name;
} NameEntry;

typedef struct NameList {
    NameEntry *entries;
    size_t count, capacity;
} NameList;

typedef struct DumpNames {
    NameList spaces[SPACE_COUNT];
    NameList local_maps; /* by function: the bytes of its name map */
} DumpNames;

void wr_dump_names_add(NameList *list, u32 index, NameSource source, Name name);
/* Reads the contents of a name section, as far as they are well-formed. */
void wr_dump_names_read(DumpNames *names, const u8 *start, const u8 *end);
/* To be called when all were added and before any is looked up. */
void wr_dump_names_sort(DumpNames *names);
/* data NULL when there is none. */
Name wr_dump_names_find(const NameList *list, u32 index);
/* Makes SPACE_LOCAL that of this function. */
void wr_dump_names_enter(DumpNames *names, u32 func_index);
void wr_dump_names_free(DumpNames *names);

#endif
