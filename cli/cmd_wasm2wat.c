/* cmd_wasm2wat.c - `wasmrun wasm2wat`: a module in the text format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "load.h"
#include "report.h"
#include "text_print.h"

static int write_text(const char *path, const char *text, size_t size) {
    if (path && strcmp(path, "-") == 0) path = NULL;
    FILE *out = path ? fopen(path, "wb") : stdout;
    if (!out) return wr_cli_fail(path, strerror(errno));
    bool ok = fwrite(text, 1, size, out) == size;
    if (path) ok = (fclose(out) == 0) && ok;
    return ok ? STATUS_OK : wr_cli_fail(path ? path : "standard output", strerror(errno));
}

int wr_cli_wasm2wat(const Settings *settings) {
    const char *path = settings->operands[0];
    if (settings->operand_count > 1) {
        wr_cli_usage_error("wasm2wat", "one file at a time");
        return STATUS_USAGE;
    }
    uint8_t *bytes;
    size_t size, text_size;
    char *text;
    wr_error_t *error = wr_cli_file_read(path, &bytes, &size);
    if (error) return wr_cli_report(path, error);
    error = wr_binary_to_text(&wr_alloc_system, bytes, size, &text, &text_size);
    free(bytes);
    if (error) return wr_cli_report(path, error);
    int status = write_text(settings->output, text, text_size);
    wr_free(&wr_alloc_system, text, text_size);
    return status;
}
