/*
 * report.h - what the command says on standard error, and the exit statuses.
 */
#ifndef WR_CLI_REPORT_H
#define WR_CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "wasmrun.h"

enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* a bad module, a missing file, an unresolved import, ... */
    STATUS_USAGE = 2,
    STATUS_TRAPPED = 134 /* what a shell reports for a process that aborted */
};

/* "wasmrun: TEXT", with a hint at the help for `command` (may be NULL). Returns false. */
bool wr_cli_usage_error(const char *command, const char *text);
/* "wasmrun: SUBJECT: TEXT". Returns STATUS_FAILED. */
int wr_cli_fail(const char *subject, const char *text);
/* "wasmrun: out of memory". Returns false. */
bool wr_cli_out_of_memory(void);
/* The same, as an error; the caller's. */
wr_error_t *wr_cli_no_memory(void);

/* Prints an error about the file or thing `subject` and consumes it; a guest's exit is no error and
 * prints nothing. Without a subject (NULL) it is about the command line. Returns the exit status: the
 * guest's, 134 for a trap or an uncaught exception, 2 for wrong usage, 1 for anything else. */
int wr_cli_report(const char *subject, wr_error_t *error);

/* A wr_log_func_t: "wasmrun: warning: TEXT", or "note". */
void wr_cli_log(void *context, wr_log_level_t level, const char *text);

/* Text with control characters and broken UTF-8 made visible, so that a name cannot drive a terminal. */
void wr_cli_print_safe(FILE *out, const char *text, size_t size);

/* Flushes standard output. Returns `status`, or STATUS_FAILED when what was printed did not arrive. */
int wr_cli_finish(int status);

#endif
