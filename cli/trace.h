/*
 * trace.h - --trace: what guests do, a line for each event. Over wr_config_set_tracer(); instructions are printed
 * as `wasmrun dump` prints them.
 */
#ifndef WR_CLI_TRACE_H
#define WR_CLI_TRACE_H

#include "options.h"
#include "wasmrun.h"

/* Makes the engine one that traces if the options ask for it. Once in a process. */
wr_error_t *wr_cli_trace_configure(const Settings *settings, wr_config_t *config);

#endif
