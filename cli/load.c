/* load.c - see load.h. */
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "report.h"
#include "trace.h"

/* NAME, NAME=on or NAME=off. */
static wr_error_t *set_feature(wr_config_t *config, const char *text) {
    char name[64];
    size_t length = strcspn(text, "=");
    const char *value = text[length] ? text + length + 1 : "on";
    bool on = strcmp(value, "on") == 0 || strcmp(value, "y") == 0;
    if (!on && strcmp(value, "off") != 0 && strcmp(value, "n") != 0)
        return wr_error_new(WR_ERROR_USAGE, "--feature: '%.100s' is neither on nor off", value);
    snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0, text);
    if (wr_config_set_feature(config, name, on)) return NULL;
    return wr_error_new(WR_ERROR_USAGE,
                        "--feature: there is no '%.*s' (see 'wasmrun help features')",
                        length < 100 ? (int)length : 100, text);
}

static wr_memory_mode_t memory_mode(const Settings *settings) {
    switch (settings->memory_mode) {
    case MEMORY_MODE_GUARD: return WR_MEMORY_GUARD;
    case MEMORY_MODE_EXPLICIT: return WR_MEMORY_EXPLICIT;
    default: return WR_MEMORY_AUTO;
    }
}

/* On a terminal only; the line goes when it is done. */
static void show_progress(void *context, uint32_t done, uint32_t total) {
    (void)context;
    if (done < total)
        fprintf(stderr, "\rcompiling %3u %%", (unsigned)((uint64_t)done * 100 / total));
    else
        fprintf(stderr, "\r               \r");
    fflush(stderr);
}

wr_compile_progress_t wr_cli_progress(void) { return wr_cli_is_terminal() ? show_progress : NULL; }

wr_engine_kind_t wr_cli_engine_kind(const Settings *settings) {
    switch (settings->engine) {
    case ENGINE_COMPILED: return WR_ENGINE_COMPILED;
    case ENGINE_AUTO:
        return settings->fuel != UINT64_MAX || settings->in_place ? WR_ENGINE_INTERPRETER
                                                                  : WR_ENGINE_AUTO;
    default: return WR_ENGINE_INTERPRETER;
    }
}

/* False when out of memory. */
static bool configure_compilation(const Settings *settings, wr_config_t *config) {
    wr_engine_kind_t kind = wr_cli_engine_kind(settings);
    wr_config_set_engine_kind(config, kind);
    if (settings->opt_level >= 0) wr_config_set_opt_level(config, (unsigned)settings->opt_level);
    if (settings->polls || settings->no_polls)
        wr_config_set_compiled_polls(config, settings->polls);
    wr_config_set_compiled_fuel(config, settings->count_fuel || settings->fuel != UINT64_MAX);
    wr_config_set_compiled_migratable(config, settings->migratable);
    wr_config_set_perf_map(config, settings->perf_map);
    wr_config_set_debug_info(config, settings->debug_info);
    wr_config_set_compile_progress(config, wr_cli_progress(), NULL);
    if (kind != WR_ENGINE_INTERPRETER)
        wr_config_set_log(config, wr_cli_log, NULL, settings->stats ? WR_LOG_INFO : WR_LOG_WARNING);
    return settings->no_cache || wr_config_set_cache(config, settings->cache);
}

wr_error_t *wr_cli_config_new(const Settings *settings, wr_config_t **out) {
    wr_config_t *config = *out = wr_config_new();
    if (!config) return wr_cli_no_memory();
    if (!configure_compilation(settings, config)) {
        wr_config_delete(config);
        return wr_cli_no_memory();
    }
    wr_config_set_memory_mode(config, memory_mode(settings));
    if (settings->max_stack)
        wr_config_set_max_stack(config, settings->max_stack < SIZE_MAX ? (size_t)settings->max_stack
                                                                       : SIZE_MAX);
    if (settings->in_place || settings->warm_after < UINT32_MAX)
        wr_config_set_warm_after(config,
                                 settings->in_place ? UINT32_MAX : (uint32_t)settings->warm_after);
    wr_config_set_validation_threads(
        config, settings->threads < UINT32_MAX ? (uint32_t)settings->threads : UINT32_MAX);
    wr_config_set_gc_debug(config, (settings->gc_stress ? WR_GC_STRESS : 0) |
                                       (settings->gc_verify ? WR_GC_VERIFY : 0));
    wr_error_t *error = wr_cli_trace_configure(settings, config);
    for (size_t i = 0; !error && i < settings->features.count; i++)
        error = set_feature(config, settings->features.items[i].value);
    if (error) wr_config_delete(config);
    return error;
}

wr_error_t *wr_cli_engine_new(const Settings *settings, wr_engine_t **engine) {
    wr_config_t *config;
    wr_error_t *error = wr_cli_config_new(settings, &config);
    return error ? error : wr_engine_new(config, engine);
}

static wr_error_t *cannot_read(void) {
    return wr_error_new(WR_ERROR_IO, "cannot read: %s", strerror(errno));
}

/* Doubles *data until the stream ends. */
static wr_error_t *read_stream(FILE *in, uint8_t **data, size_t *size) {
    size_t capacity = 0, got;
    do {
        if (*size == capacity) {
            size_t wanted = capacity ? capacity * 2 : (size_t)1 << 16;
            uint8_t *grown = wanted > capacity ? realloc(*data, wanted) : NULL;
            if (!grown) return wr_cli_no_memory();
            *data = grown;
            capacity = wanted;
        }
        got = fread(*data + *size, 1, capacity - *size, in);
        *size += got;
    } while (got);
    return ferror(in) ? cannot_read() : NULL;
}

wr_error_t *wr_cli_file_read(const char *path, uint8_t **bytes, size_t *size) {
    bool is_stdin = strcmp(path, "-") == 0;
    uint8_t *data = NULL;
    size_t used = 0;
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    if (!in) return cannot_read();
    wr_error_t *error = read_stream(in, &data, &used);
    if (!is_stdin) fclose(in);
    if (error) free(data);
    *bytes = error ? NULL : data;
    *size = error ? 0 : used;
    return error;
}

bool wr_cli_is_text(const uint8_t *bytes, size_t size) {
    return size > 0 && bytes[0] != 0 && strchr("( \t\r\n;", bytes[0]);
}

/* Text in *bytes becomes binary. */
static wr_error_t *convert(const char *path, uint8_t **bytes, size_t *size) {
    uint8_t *binary = NULL, *copy;
    size_t n = 0;
    wr_error_t *error = wr_wat_to_wasm((const char *)*bytes, *size, path, true, &binary, &n);
    free(*bytes);
    copy = error ? NULL : malloc(n ? n : 1);
    if (copy && n) memcpy(copy, binary, n);
    wr_bytes_delete(binary, n);
    *bytes = copy;
    *size = copy ? n : 0;
    return error || copy ? error : wr_cli_no_memory();
}

wr_error_t *wr_cli_binary_read(const char *path, uint8_t **bytes, size_t *size) {
    wr_error_t *error = wr_cli_file_read(path, bytes, size);
    return !error && wr_cli_is_text(*bytes, *size) ? convert(path, bytes, size) : error;
}

/* Of text, whose errors shall show where they are. */
static wr_error_t *open_text(wr_engine_t *engine, const char *path, const uint8_t *text,
                             size_t size, wr_module_t **module) {
    uint8_t *bytes = NULL;
    size_t n = 0;
    wr_error_t *error = wr_wat_to_wasm((const char *)text, size, path, true, &bytes, &n);
    if (error) return error;
    error = wr_module_new(engine, bytes, n, module);
    if (error) error = wr_wat_locate((const char *)text, size, path, bytes, n, error);
    wr_bytes_delete(bytes, n);
    return error;
}

/* Pipes, standard input, and text. */
static wr_error_t *open_stream(wr_engine_t *engine, const char *path, wr_module_t **module) {
    uint8_t *bytes;
    size_t size;
    wr_error_t *error = wr_cli_file_read(path, &bytes, &size);
    if (error) return error;
    if (wr_cli_is_text(bytes, size))
        error = open_text(engine, path, bytes, size, module);
    else
        error = wr_module_new(engine, bytes, size, module);
    free(bytes);
    return error;
}

/* How a file begins that could be mapped and is no module: so it can be read again. */
typedef enum Beginning { BEGINS_OTHERWISE, BEGINS_AS_TEXT, BEGINS_AS_ARTIFACT } Beginning;

static Beginning beginning(const char *path) {
    uint8_t head[64];
    FILE *in = fopen(path, "rb");
    size_t size = in ? fread(head, 1, sizeof head, in) : 0;
    if (in) fclose(in);
    if (wr_artifact_recognise(head, size)) return BEGINS_AS_ARTIFACT;
    return wr_cli_is_text(head, size) ? BEGINS_AS_TEXT : BEGINS_OTHERWISE;
}

wr_error_t *wr_cli_module_open(wr_engine_t *engine, const char *path, wr_module_t **module) {
    if (strcmp(path, "-") == 0) return open_stream(engine, path, module);
    wr_error_t *error = wr_module_open(engine, path, module);
    bool is_malformed = error && wr_error_kind(error) == WR_ERROR_MALFORMED;
    bool is_unmapped = error && wr_error_kind(error) == WR_ERROR_IO;
    Beginning begins = is_malformed ? beginning(path) : BEGINS_OTHERWISE;
    if (!is_unmapped && begins == BEGINS_OTHERWISE) return error;
    if (begins == BEGINS_AS_ARTIFACT) {
        wr_error_delete(error);
        return wr_artifact_open(engine, path, module);
    }
    wr_error_delete(error); /* what cannot be mapped may be read, or reading says why not */
    return open_stream(engine, path, module);
}

static double megabytes_a_second(uint64_t bytes, uint64_t ns) {
    return ns ? (double)bytes * 1e3 / (double)ns : 0;
}

void wr_cli_print_stats(const char *path, const wr_module_t *module) {
    wr_module_stats_t s;
    wr_module_get_stats(module, &s);
    double share = s.code_bytes ? 100.0 * (double)s.side_table_bytes / (double)s.code_bytes : 0;
    wr_cli_print_safe(stderr, path, strlen(path));
    fprintf(stderr,
            ":\n"
            "  module      %12" PRIu64 " bytes\n"
            "  code        %12" PRIu64 " bytes in %" PRIu64 " functions\n"
            "  side tables %12" PRIu64 " bytes, %.1f %% of the code\n"
            "  resident    %12" PRIu64 " bytes beside the module's own\n",
            s.module_bytes, s.code_bytes, s.functions, s.side_table_bytes, share, s.resident_bytes);
    fprintf(stderr,
            "  decode      %12.3f ms\n"
            "  validate    %12.3f ms on %" PRIu32 " thread%s, %.1f MB/s of code\n"
            "  both        %12.3f ms, %.1f MB/s of module\n",
            (double)s.decode_ns / 1e6, (double)s.validate_ns / 1e6, s.validation_threads,
            s.validation_threads == 1 ? "" : "s", megabytes_a_second(s.code_bytes, s.validate_ns),
            (double)(s.decode_ns + s.validate_ns) / 1e6,
            megabytes_a_second(s.module_bytes, s.decode_ns + s.validate_ns));
}

char *wr_cli_output_name(const char *input, const char *ending) {
    const char *base = strrchr(input, '/');
    base = base ? base + 1 : input;
    const char *dot = strrchr(base, '.');
    size_t stem = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    if (strcmp(base, "-") == 0) return strdup(base);
    char *name = malloc(stem + strlen(ending) + 1);
    if (name) {
        memcpy(name, base, stem);
        memcpy(name + stem, ending, strlen(ending) + 1);
    }
    return name;
}

int wr_cli_file_write(const char *path, const uint8_t *bytes, size_t size) {
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *out = is_stdout ? stdout : fopen(path, "wb");
    if (!out) return wr_cli_fail(path, strerror(errno));
    errno = 0;
    bool ok = fwrite(bytes, 1, size, out) == size;
    int status = ok ? STATUS_OK : wr_cli_fail(path, errno ? strerror(errno) : "write error");
    if (!is_stdout && fclose(out) != 0 && ok) status = wr_cli_fail(path, strerror(errno));
    return status;
}
