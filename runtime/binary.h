/*
 * binary.h - the numbers of the binary format (spec: binary): ids of sections, codes of types, flags
 * of limits. Whoever reads or writes modules takes them from here; instructions are in opcodes.def.
 */
#ifndef WR_BINARY_H
#define WR_BINARY_H

/* Sections (spec: binary/modules). */
enum {
    SECTION_CUSTOM,
    SECTION_TYPE,
    SECTION_IMPORT,
    SECTION_FUNC,
    SECTION_TABLE,
    SECTION_MEMORY,
    SECTION_GLOBAL,
    SECTION_EXPORT,
    SECTION_START,
    SECTION_ELEM,
    SECTION_CODE,
    SECTION_DATA,
    SECTION_DATA_COUNT,
    SECTION_TAG,
    SECTION_TOTAL
};

/* Types (spec: binary/types), which are single bytes as unsigned numbers: 0x7F is -1. */
enum {
    CODE_I32 = 0x7F,
    CODE_I64 = 0x7E,
    CODE_F32 = 0x7D,
    CODE_F64 = 0x7C,
    CODE_V128 = 0x7B,
    CODE_I8 = 0x78,
    CODE_I16 = 0x77,
    CODE_HEAP_LAST = 0x74, /* abstract heap types: CODE_HEAP_FIRST to here */
    CODE_FUNCREF = 0x70,
    CODE_HEAP_FIRST = 0x69,
    CODE_REF = 0x64,
    CODE_REF_NULL = 0x63,
    CODE_EXACT = 0x62,
    CODE_FUNC = 0x60,
    CODE_STRUCT = 0x5F,
    CODE_ARRAY = 0x5E,
    CODE_SUB = 0x50,
    CODE_SUB_FINAL = 0x4F,
    CODE_REC = 0x4E,
    CODE_DESCRIPTOR = 0x4D,
    CODE_DESCRIBES = 0x4C,
    CODE_EMPTY = 0x40 /* a block without parameters and results; a table with an initial value */
};

/* Limits of memories and tables; the last is of the custom-page-sizes proposal. */
enum { LIMITS_MAX = 1, LIMITS_SHARED = 2, LIMITS_64 = 4, LIMITS_PAGE_SIZE = 8 };

/* The kind of an import or export that is a function of exactly its type (custom-descriptors). */
enum { EXTERN_EXACT_FUNC = 0x20 };

#endif
