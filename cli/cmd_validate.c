/* cmd_validate.c - `wasmrun validate`: decodes and validates files, instantiates nothing. */
#include "commands.h"
#include "load.h"
#include "report.h"

static int validate_file(const Settings *settings, wr_engine_t *engine, const char *path) {
    wr_module_t *module = NULL;
    wr_error_t *error = wr_cli_module_open(engine, path, &module);
    if (error) return wr_cli_report(path, error);
    if (settings->stats) wr_cli_print_stats(path, module);
    wr_module_delete(module);
    return STATUS_OK;
}

int wr_cli_validate(const Settings *settings) {
    wr_engine_t *engine = NULL;
    wr_error_t *error = wr_cli_engine_new(settings, &engine);
    if (error) return wr_cli_report(NULL, error);
    int status = STATUS_OK;
    for (size_t i = 0; i < settings->operand_count; i++)
        if (validate_file(settings, engine, settings->operands[i]) != STATUS_OK)
            status = STATUS_FAILED;
    wr_engine_delete(engine);
    return status;
}
