/*
 * cmd_serve.c - `wasmrun serve` is the program wasmrun-serve (embed/examples/serve), which lies beside this
 * one. It is another program because its libraries take longer to load than most guests to run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "host.h"
#include "report.h"

int wr_cli_serve(char **argv) {
    wr_cli_become("wasmrun-serve", argv);
    if (errno == ENOENT) {
        fprintf(stderr,
                "wasmrun: wasmrun-serve is not installed (it is built where libmicrohttpd is)\n");
    } else {
        fprintf(stderr, "wasmrun: wasmrun-serve: %s\n", strerror(errno));
    }
    return STATUS_FAILED;
}
