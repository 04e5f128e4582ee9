/* commands.h - the subcommands, for main's table. Each gives the exit status. */
#ifndef WR_CLI_COMMANDS_H
#define WR_CLI_COMMANDS_H

#include "options.h"

int wr_cli_run(const Settings *settings);
int wr_cli_validate(const Settings *settings);
int wr_cli_dump(const Settings *settings);
int wr_cli_wat2wasm(const Settings *settings);
int wr_cli_wasm2wat(const Settings *settings);
int wr_cli_wast(const Settings *settings);
int wr_cli_compile(const Settings *settings);
int wr_cli_cache(const Settings *settings);
/* A program of its own, with a command line of its own: argv[0] is "serve". */
int wr_cli_serve(char **argv);

#endif
