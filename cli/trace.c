/*
 * trace.c - the lines of --trace:
 *
 *     > fib(1)                       a function begins
 *       0000003d fib: local.get 0    an instruction: its place in the module, its function
 *     < fib = 1                      the function returns
 *     ! wasi_snapshot_preview1!proc_exit    it ends otherwise
 *
 * indented by how deep the call is. Threads beside the first one have a number in front. Stores of several threads may
 * come here at a time: a line is written as a whole.
 */
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "disasm.h"
#include "numbers.h"
#include "report.h"
#include "values.h"

enum { INDENT = 2, DEEPEST = 40 /* what is deeper is not indented further */ };
enum { HOST_CALLS = 1 << 16 /* beside WR_TRACE_*: calls of the host, but no others */ };
enum { CALLS = WR_TRACE_CALL | WR_TRACE_RETURN | WR_TRACE_FAIL };

/* One for the process: it outlives all engines. */
static struct {
    FILE *out;
    const List *functions; /* whose events are shown; empty: all */
    unsigned kinds;
    atomic_uint threads;
} trace;
static _Thread_local unsigned thread_number;

/* ---- What is shown ------------------------------------------------------------------------------ */

static bool name_matches(const char *pattern, wr_name_t name) {
    size_t size = strlen(pattern);
    bool is_prefix = size > 0 && pattern[size - 1] == '*';
    if (is_prefix) size--;
    return (is_prefix ? name.size >= size : name.size == size) &&
           memcmp(pattern, name.data ? name.data : "", size) == 0;
}

static bool item_matches(const char *item, const wr_trace_event_t *event, wr_name_t name) {
    uint64_t index;
    if (event->instance && wr_cli_parse_count(item, &index)) return index == event->function_index;
    return name_matches(item, name);
}

static bool is_wanted(const wr_trace_event_t *event, wr_name_t name) {
    bool host_only = !(trace.kinds & CALLS) && event->kind != WR_TRACE_INSTRUCTION;
    if (host_only && event->instance) return false;
    for (size_t i = 0; i < trace.functions->count; i++)
        if (item_matches(trace.functions->items[i].value, event, name)) return true;
    return trace.functions->count == 0;
}

/* ---- Lines -------------------------------------------------------------------------------------- */

/* v128 takes two slots, the low half first. */
static wr_val_t value_at(wr_valkind_t kind, const wr_slot_t *slots) {
    wr_val_t value = {.kind = kind};
    if (kind == WR_V128)
        memcpy(value.of.v128, slots, sizeof value.of.v128);
    else
        value.of.i64 = slots->i64;
    if (kind == WR_I32) value.of.i32 = slots->i32;
    if (kind == WR_F32) value.of.f32 = slots->f32;
    return value;
}

static void put_values(const wr_trace_event_t *event, size_t count,
                       wr_valkind_t (*kind_of)(const wr_func_t *func, size_t index)) {
    const wr_slot_t *slots = event->values;
    for (size_t i = 0; i < count; i++) {
        wr_val_t value = value_at(kind_of(event->func, i), slots);
        if (i > 0) fputs(", ", trace.out);
        wr_cli_print_value(trace.out, &value);
        slots += value.kind == WR_V128 ? 2 : 1;
    }
}

/* Host functions with the module's name, which is part of how guests know them. */
static void put_name(const wr_trace_event_t *event, wr_name_t module, wr_name_t name) {
    if (!event->instance && module.size > 0) {
        wr_cli_print_safe(trace.out, module.data, module.size);
        fputc('!', trace.out);
    }
    if (name.size > 0)
        wr_cli_print_safe(trace.out, name.data, name.size);
    else if (event->instance)
        fprintf(trace.out, "function[%" PRIu32 "]", event->function_index);
    else
        fputs("function", trace.out);
}

static void put_piece(void *context, const char *text, size_t size) {
    (void)context;
    fwrite(text, 1, size, trace.out);
}

static void put_instruction(const wr_trace_event_t *event) {
    Reader reader = {.pos = event->code,
                     .end = event->code + event->code_size,
                     .base = event->code - event->module_offset};
    Disasm disasm = {.write = put_piece};
    Instr instr;
    fputs(": ", trace.out);
    if (wr_instr_next(&reader, &instr)) wr_disasm_instr(&disasm, &instr);
    wr_error_delete(reader.error);
}

static void put_start(const wr_trace_event_t *event) {
    uint64_t depth = event->depth < DEEPEST ? event->depth : DEEPEST;
    if (thread_number == 0) thread_number = atomic_fetch_add(&trace.threads, 1) + 1;
    if (thread_number > 1) fprintf(trace.out, "[%u] ", thread_number);
    if (event->kind == WR_TRACE_INSTRUCTION) depth++;
    fprintf(trace.out, "%*s", (int)depth * INDENT, "");
    switch (event->kind) {
    case WR_TRACE_CALL: fputs("> ", trace.out); break;
    case WR_TRACE_RETURN: fputs("< ", trace.out); break;
    case WR_TRACE_FAIL: fputs("! ", trace.out); break;
    case WR_TRACE_INSTRUCTION: fprintf(trace.out, "%08" PRIx64 " ", event->module_offset); break;
    }
}

static void put_end(const wr_trace_event_t *event) {
    if (event->kind == WR_TRACE_CALL) {
        fputc('(', trace.out);
        put_values(event, wr_func_param_count(event->func), wr_func_param);
        fputc(')', trace.out);
    } else if (event->kind == WR_TRACE_RETURN && wr_func_result_count(event->func) > 0) {
        fputs(" = ", trace.out);
        put_values(event, wr_func_result_count(event->func), wr_func_result);
    } else if (event->kind == WR_TRACE_INSTRUCTION) {
        put_instruction(event);
    }
    fputc('\n', trace.out);
}

static void put_event(void *context, const wr_trace_event_t *event) {
    wr_name_t module, name;
    (void)context;
    wr_func_name(event->func, &module, &name);
    if (!is_wanted(event, name)) return;
    flockfile(trace.out);
    put_start(event);
    put_name(event, module, name);
    put_end(event);
    funlockfile(trace.out);
}

/* ---- Options ------------------------------------------------------------------------------------ */

static unsigned kind_named(const char *name, size_t size) {
    static const struct {
        const char *name;
        unsigned kinds;
    } known[] = {{"calls", CALLS}, {"host", HOST_CALLS}, {"instructions", WR_TRACE_INSTRUCTION}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == size && memcmp(known[i].name, name, size) == 0)
            return known[i].kinds;
    return 0;
}

/* Names with commas between. */
static wr_error_t *add_kinds(const char *names) {
    for (const char *at = names;; at++) {
        size_t size = strcspn(at, ",");
        unsigned kinds = kind_named(at, size);
        if (kinds == 0)
            return wr_error_new(WR_ERROR_USAGE,
                                "--trace: there is no '%.*s' (only calls, host, instructions)",
                                (int)(size < 100 ? size : 100), at);
        trace.kinds |= kinds;
        at += size;
        if (!*at) return NULL;
    }
}

/* A line is written at once also where nothing is buffered otherwise. */
static wr_error_t *open_output(const char *path) {
    if (path && strcmp(path, "-") != 0)
        trace.out = fopen(path, "w");
    else
        trace.out = path ? stdout : stderr;
    if (!trace.out) return wr_error_new(WR_ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    if (trace.out == stderr) setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    return NULL;
}

wr_error_t *wr_cli_trace_configure(const Settings *settings, wr_config_t *config) {
    const List *list = &settings->trace;
    for (size_t i = 0; i < list->count; i++) {
        wr_error_t *error = add_kinds(list->items[i].value);
        if (error) return error;
    }
    if (list->count == 0) return NULL;
    wr_error_t *error = open_output(settings->trace_output);
    if (error) return error;
    trace.functions = &settings->trace_functions;
    unsigned told = trace.kinds & HOST_CALLS ? trace.kinds | CALLS : trace.kinds;
    wr_config_set_tracer(config, told & ~(unsigned)HOST_CALLS, put_event, NULL);
    return NULL;
}
