/* cmd_wat2wasm.c - `wasmrun wat2wasm`: text format into binary; it validates nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "load.h"
#include "report.h"

/* The file's name without folders, its ending replaced by .wasm; the caller frees it. "-" stays. */
static char *default_output(const char *input) {
    const char *base = strrchr(input, '/');
    base = base ? base + 1 : input;
    const char *dot = strrchr(base, '.');
    size_t stem = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    if (strcmp(base, "-") == 0) return strdup(base);
    char *name = malloc(stem + sizeof ".wasm");
    if (name) {
        memcpy(name, base, stem);
        memcpy(name + stem, ".wasm", sizeof ".wasm");
    }
    return name;
}

static int write_file(const char *path, const uint8_t *bytes, size_t size) {
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *out = is_stdout ? stdout : fopen(path, "wb");
    if (!out) return wr_cli_fail(path, strerror(errno));
    errno = 0;
    bool ok = fwrite(bytes, 1, size, out) == size;
    int status = ok ? STATUS_OK : wr_cli_fail(path, errno ? strerror(errno) : "write error");
    if (!is_stdout && fclose(out) != 0 && ok) status = wr_cli_fail(path, strerror(errno));
    return status;
}

static int convert(const Settings *settings, const char *path, const char *output) {
    uint8_t *text, *bytes = NULL;
    size_t size, n = 0;
    wr_error_t *error = wr_cli_file_read(path, &text, &size);
    if (error) return wr_cli_report(path, error);
    error = wr_wat_to_wasm((const char *)text, size, path, !settings->no_names, &bytes, &n);
    free(text);
    int status = error ? wr_cli_report(path, error) : write_file(output, bytes, n);
    wr_bytes_delete(bytes, n);
    return status;
}

int wr_cli_wat2wasm(const Settings *settings) {
    const char *path = settings->operands[0];
    if (settings->operand_count > 1) {
        wr_cli_usage_error("wat2wasm", "one FILE only");
        return STATUS_USAGE;
    }
    char *made = settings->output ? NULL : default_output(path);
    const char *output = settings->output ? settings->output : made;
    int status = output ? convert(settings, path, output) : STATUS_FAILED;
    if (!output) wr_cli_out_of_memory();
    free(made);
    return status;
}
