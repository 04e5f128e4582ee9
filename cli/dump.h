/*
 * dump.h - what the parts of `wasmrun dump` share: cmd_dump.c walks the sections, dump_details.c
 * prints what they declare, dump_code.c the bodies. All read the bytes themselves with the runtime's
 * readers, so that a module can be shown up to the place where it is broken.
 */
#ifndef WR_CLI_DUMP_H
#define WR_CLI_DUMP_H

#include "artifact_image.h"
#include "binary.h"
#include "disasm.h"
#include "dump_names.h"
#include "module.h"
#include "options.h"

typedef struct Dump {
    const Settings *settings;
    const u8 *bytes, *end;
    const Module *module; /* NULL when the bytes do not load; then error is set */
    wr_error_t *error;
    Disasm text; /* writes to standard output, or nowhere */
    DumpNames names;
    bool learning;  /* the first walk: fills in the following four and the names */
    NameList types; /* where each function type's parameters and results lie */
    const u8 *func_types, *func_types_end; /* the function section: a vector of type indices */
    u32 first_body;                        /* function index of the first body */
    u32 next[SPACE_COUNT], next_body;      /* indices of the items to come, in a walk */
    u32 depth;                             /* of blocks around the instruction at hand */
    char label[16];                        /* the last label's name */
} Dump;

typedef struct Section {
    u8 id;            /* 0 = custom */
    const char *kind; /* "type", ... */
    Name name;        /* of a custom section */
    const u8 *header, *start,
        *end; /* of the id; of the contents (behind a custom section's name) */
} Section;

/* Reads a section's contents through `r` and prints what it declares. Counts the items in d->next. */
void wr_dump_section_details(Dump *d, const Section *section, Reader *r);

/* Prints the bodies of a code section. */
void wr_dump_code(Dump *d, Reader *r);

/* Prints what an artifact is; the functions only if the module in it loads (else NULL). */
void wr_dump_artifact(const Settings *settings, const char *path, Artifact *a,
                      const Module *module);

/* Instructions up to `end`, with commas between. */
void wr_dump_const_expr(Dump *d, Reader *r);

/* A sink for Disasm.write that drops everything: reading without printing. */
void wr_dump_nowhere(void *context, const char *text, size_t size);

INLINE u64 dump_offset(const Dump *d, const u8 *at) { return (u64)(at - d->bytes); }

#endif
