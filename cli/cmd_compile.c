/* cmd_compile.c - `wasmrun compile`: a module into an artifact. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "load.h"
#include "report.h"

static void print_stats(const wr_compile_stats_t *s, size_t size, uint64_t module_size) {
    fprintf(stderr,
            "  compile     %12.3f ms on %" PRIu32 " thread%s, %.2f MB/s\n"
            "    lower     %12.3f ms, optimise %.3f, generate %.3f, link %.3f\n"
            "    functions %12" PRIu32 " in %" PRIu32 " units, %" PRIu32
            " left to the interpreter\n"
            "    memory    %12" PRIu64 " bytes at most\n"
            "  artifact    %12zu bytes\n",
            (double)s->total_ns / 1e6, s->threads, s->threads == 1 ? "" : "s",
            s->total_ns ? (double)module_size * 1e3 / (double)s->total_ns : 0,
            (double)s->lower_ns / 1e6, (double)s->optimise_ns / 1e6, (double)s->generate_ns / 1e6,
            (double)s->link_ns / 1e6, s->functions, s->units, s->interpreted, s->peak_bytes, size);
}

static wr_compile_options_t options_of(const Settings *settings) {
    return (wr_compile_options_t){
        .level = (uint8_t)(settings->opt_level + 1),
        .no_polls = settings->no_polls,
        .polls = settings->polls,
        .count_fuel = settings->count_fuel,
        .migratable = settings->migratable,
        .explicit_memory = settings->memory_mode == MEMORY_MODE_EXPLICIT,
        .triple = settings->target,
        .cpu = settings->target_cpu,
        .cpu_features = settings->target_features,
        .threads = settings->threads < UINT32_MAX ? (uint32_t)settings->threads : UINT32_MAX,
        .progress = wr_cli_progress()};
}

static int compile(const Settings *settings, wr_module_t *module, const char *output) {
    wr_compile_options_t options = options_of(settings);
    wr_compile_stats_t stats;
    uint8_t *artifact;
    size_t size;
    wr_error_t *error = wr_module_compile(module, &options, &artifact, &size, &stats);
    if (error) return wr_cli_report(settings->operands[0], error);
    int status = wr_cli_file_write(output, artifact, size);
    wr_bytes_delete(artifact, size);
    if (settings->stats) {
        wr_module_stats_t of_module;
        wr_cli_print_stats(settings->operands[0], module);
        wr_module_get_stats(module, &of_module);
        print_stats(&stats, size, of_module.module_bytes);
    }
    return status;
}

static int compile_file(const Settings *settings, const char *output) {
    wr_engine_t *engine = NULL;
    wr_module_t *module = NULL;
    wr_error_t *error = wr_cli_engine_new(settings, &engine);
    if (error) return wr_cli_report(NULL, error);
    error = wr_cli_module_open(engine, settings->operands[0], &module);
    int status =
        error ? wr_cli_report(settings->operands[0], error) : compile(settings, module, output);
    wr_module_delete(module);
    wr_engine_delete(engine);
    return status;
}

int wr_cli_compile(const Settings *settings) {
    if (settings->operand_count > 1) {
        wr_cli_usage_error("compile", "one FILE only");
        return STATUS_USAGE;
    }
    char *made = settings->output ? NULL : wr_cli_output_name(settings->operands[0], ".wasmrun");
    const char *output = settings->output ? settings->output : made;
    int status = output ? compile_file(settings, output) : STATUS_FAILED;
    if (!output) wr_cli_out_of_memory();
    free(made);
    return status;
}
