/* cmd_wat2wasm.c - `wasmrun wat2wasm`: text format into binary; it validates nothing. */
#include <stdlib.h>

#include "commands.h"
#include "load.h"
#include "report.h"

static int convert(const Settings *settings, const char *path, const char *output) {
    uint8_t *text, *bytes = NULL;
    size_t size, n = 0;
    wr_error_t *error = wr_cli_file_read(path, &text, &size);
    if (error) return wr_cli_report(path, error);
    error = wr_wat_to_wasm((const char *)text, size, path, !settings->no_names, &bytes, &n);
    free(text);
    int status = error ? wr_cli_report(path, error) : wr_cli_file_write(output, bytes, n);
    wr_bytes_delete(bytes, n);
    return status;
}

int wr_cli_wat2wasm(const Settings *settings) {
    const char *path = settings->operands[0];
    if (settings->operand_count > 1) {
        wr_cli_usage_error("wat2wasm", "one FILE only");
        return STATUS_USAGE;
    }
    char *made = settings->output ? NULL : wr_cli_output_name(path, ".wasm");
    const char *output = settings->output ? settings->output : made;
    int status = output ? convert(settings, path, output) : STATUS_FAILED;
    if (!output) wr_cli_out_of_memory();
    free(made);
    return status;
}
