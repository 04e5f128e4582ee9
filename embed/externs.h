/*
 * externs.h - the public form of externals, and the runtime's; signatures as strings.
 */
#ifndef WR_EXTERNS_H
#define WR_EXTERNS_H

#include "store.h"

/* To the runtime's form, if it belongs to the store; else an error. */
NODISCARD Error *wr_extern_check(const Store *store, const wr_extern_t *external, ExternVal *out);
wr_extern_t wr_extern_public(const ExternVal *value);
/* A kind as the runtime's type: references nullable, at the top of their hierarchy. */
ValType wr_type_of_kind(wr_valkind_t kind);

/* A signature string, parsed: allocated for its size, with the system's allocator. */
typedef struct ParsedSignature ParsedSignature;
struct ParsedSignature {
    u32 nparams, nresults;
    ValType types[LIMIT_PARAMS + LIMIT_RESULTS];
};
/* False if it is none. */
NODISCARD bool wr_signature_parse(ParsedSignature *s, const char *text);
/* As snprintf: the letters of a type. */
size_t wr_signature_print(const TypeTable *types, const DefType *type, char *buffer, size_t size);

#endif
