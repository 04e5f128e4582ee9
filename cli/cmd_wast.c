/* cmd_wast.c - `wasmrun wast`: the official suite's scripts, run by spec-tests/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "host.h"
#include "load.h"
#include "report.h"
#include "suite.h"

static wr_error_t *fill(const Settings *settings, SuiteOptions *options) {
    *options = (SuiteOptions){
        .script = {.verbose = settings->verbose,
                   .round_trip = settings->round_trip,
                   .lazy = settings->lazy},
        .jobs = settings->jobs < 256 ? (uint32_t)settings->jobs : 256,
    };
    wr_config_t *config = NULL;
    wr_error_t *error = wr_cli_config_new(settings, &config);
    if (error) return error;
    options->config = *config;
    options->config.caches = false;
    options->config.compile_progress = NULL;
    wr_config_delete(config);
    return NULL;
}

static int find_scripts(const Settings *settings, Paths *paths) {
    for (size_t i = 0; i < settings->operand_count; i++) {
        const char *path = settings->operands[i];
        size_t before = paths->count;
        if (!wr_cli_find_files(paths, path, ".wast")) return wr_cli_fail(path, strerror(errno));
        if (paths->count == before) return wr_cli_fail(path, "no scripts here");
    }
    return STATUS_OK;
}

int wr_cli_wast(const Settings *settings) {
    SuiteOptions options;
    wr_error_t *error = fill(settings, &options);
    if (error) return wr_cli_report(NULL, error);
    Paths paths = {NULL, 0};
    int status = find_scripts(settings, &paths);
    if (status == STATUS_OK &&
        !wr_suite_run(&options, (const char *const *)paths.items, paths.count, stdout))
        status = STATUS_FAILED;
    for (size_t i = 0; i < paths.count; i++) free(paths.items[i]);
    free(paths.items);
    return status;
}
