/*
 * load.h - from settings to an engine, from file names to modules; shared by the subcommands.
 */
#ifndef WR_CLI_LOAD_H
#define WR_CLI_LOAD_H

#include "options.h"
#include "wasmrun.h"

#define own

/* On failure the error is about the settings, not about a file; so with engines. */
own wr_error_t *wr_cli_config_new(const Settings *settings, own wr_config_t **config);
own wr_error_t *wr_cli_engine_new(const Settings *settings, own wr_engine_t **engine);

/* What --engine means: what counts fuel, or runs from its bytes alone, is never compiled meanwhile. */
wr_engine_kind_t wr_cli_engine_kind(const Settings *settings);
/* What shows how far compiling has come; NULL unless standard error is a terminal. */
wr_compile_progress_t wr_cli_progress(void);
/* Opens an artifact; or decodes and validates a file in binary or text, or standard input for "-". */
own wr_error_t *wr_cli_module_open(wr_engine_t *engine, const char *path, own wr_module_t **module);

/* The bytes of a file, or of standard input for "-"; the caller frees *bytes. */
own wr_error_t *wr_cli_file_read(const char *path, own uint8_t **bytes, size_t *size);
/* The same, and text becomes binary. Text is told by how it begins: a parenthesis, white space or a
 * comment, which no binary module does. */
own wr_error_t *wr_cli_binary_read(const char *path, own uint8_t **bytes, size_t *size);
bool wr_cli_is_text(const uint8_t *bytes, size_t size);

/* Writes a file, or standard output for "-"; the exit status. */
int wr_cli_file_write(const char *path, const uint8_t *bytes, size_t size);
/* The file's name without folders, its ending replaced by that one; the caller frees it. "-" stays. */
own char *wr_cli_output_name(const char *input, const char *ending);

/* What --stats says about a module, on standard error. */
void wr_cli_print_stats(const char *path, const wr_module_t *module);

#undef own

#endif
