/*
 * disasm.h - instructions and types as text: what decode_code.h reads, printed by opcodes.def. It takes
 * instructions as they stand, valid or not, and knows no module: who calls names the index spaces.
 * The command's dump and the text format's printer stand on it.
 */
#ifndef WR_DISASM_H
#define WR_DISASM_H

#include "base.h"
#include "decode_code.h"
#include "types.h"

typedef enum IndexSpace {
    SPACE_TYPE,
    SPACE_FUNC,
    SPACE_TABLE,
    SPACE_MEMORY,
    SPACE_GLOBAL,
    SPACE_TAG,
    SPACE_ELEM,
    SPACE_DATA,
    SPACE_LOCAL,
    SPACE_LABEL, /* relative depth */
    SPACE_COUNT
} IndexSpace;

/* Where the text goes. Instructions have no bound on their length (br_table), so it comes in pieces. */
typedef struct Disasm {
    void (*write)(void *context, const char *text, size_t size);
    /* The name of an item, to be written after its index; data NULL = it has none. May be NULL. */
    Name (*name)(void *context, IndexSpace space, u32 index);
    void *context;
    /* Writes an index instead, and one of a field; may be NULL. */
    void (*index)(void *context, IndexSpace space, u32 index);
    void (*field)(void *context, u32 type, u32 field);
} Disasm;

/* Writes an instruction: keyword, then immediates, without a newline. The second writes the immediates
 * alone, each with a space before it. */
void wr_disasm_instr(const Disasm *d, const Instr *instr);
void wr_disasm_immediates(const Disasm *d, const Instr *instr);

/* Write a type as the text format does. Defined types are the module's own indices, as the readers give
 * them without a module. */
void wr_disasm_valtype(const Disasm *d, ValType type);
void wr_disasm_heaptype(const Disasm *d, HeapType heap);

/* Writes `index` and, when it has one, " <name>". */
void wr_disasm_index(const Disasm *d, IndexSpace space, u32 index);
/* Writes a name from a module: characters that would act on a terminal are escaped. */
void wr_disasm_name(const Disasm *d, Name name);
void wr_disasm_text(const Disasm *d, const char *format, ...) PRINTF(2, 3);

#endif
