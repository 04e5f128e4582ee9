/*
 * symbols.h - which code of an artifact is what, with names for people: for profilers (perf_map.h), debuggers
 * (debugger.h) and `wasmrun dump`.
 */
#ifndef WR_AOT_SYMBOLS_H
#define WR_AOT_SYMBOLS_H

#include "artifact_image.h"

typedef struct NativeSymbol {
    u32 code, size; /* from where in the code, bytes */
    u32 kind;       /* SymbolKind, if the artifact is not damaged */
    u32 index;      /* of the function, the shape, or the library function */
} NativeSymbol;

/* Ascending by code. */
INLINE u32 wr_symbol_count(const Artifact *a) { return a->parts[PART_SYMBOLS].count; }
NativeSymbol wr_symbol(const Artifact *a, u32 i);

#define SYMBOL_NAME_MAX 201u /* bytes, the final zero included */
/* One line without control characters, whatever a guest calls its functions. */
void wr_symbol_name(const Module *module, const NativeSymbol *symbol, char name[SYMBOL_NAME_MAX]);

#endif
