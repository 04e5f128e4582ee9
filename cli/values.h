/*
 * values.h - WebAssembly values as text: the arguments and results of --invoke. Other than numbers.h, whose
 * quantities are the command's own.
 */
#ifndef WR_CLI_VALUES_H
#define WR_CLI_VALUES_H

#include <stdbool.h>
#include <stdio.h>

#include "wasmrun.h"

/* "i32", "funcref", ... */
const char *wr_cli_kind_name(wr_valkind_t kind);

/*
 * Reads a value of the kind value->kind. Integers: decimal or 0x..., in the signed or the unsigned range.
 * Floats: decimal or hexadecimal, inf, nan. v128: an unsigned integer of 128 bits. References: null.
 */
bool wr_cli_parse_value(const char *text, wr_val_t *value);

/* Prints what the text above reads: integers signed, floats as short as reads back the same. */
void wr_cli_print_value(FILE *out, const wr_val_t *value);

#endif
