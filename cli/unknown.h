/*
 * unknown.h - --unknown-imports: definitions for what a module imports and nobody has, so that it can run as far
 * as it does not need them.
 */
#ifndef WR_CLI_UNKNOWN_H
#define WR_CLI_UNKNOWN_H

#include "wasmrun.h"

typedef enum UnknownImports {
    UNKNOWN_REFUSED, /* instantiating fails */
    UNKNOWN_TRAP,    /* functions trap when they are called; other imports are refused */
    UNKNOWN_DEFAULT  /* functions return zeros and nulls, other imports hold them */
} UnknownImports;

/* Defines every import of the module. To be called before anything else is defined in the linker: later
 * definitions of the same names replace these. Objects are made in `store`. */
wr_error_t *wr_cli_define_unknown(UnknownImports how, wr_linker_t *linker, wr_store_t *store,
                                  const wr_module_t *module);

#endif
