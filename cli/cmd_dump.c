/*
 * cmd_dump.c - `wasmrun dump`: prints a module's sections, declarations and code.
 *
 * The bytes are walked section by section, first silently to learn names and counts, then once for each
 * thing asked for. The library loads the same bytes: it is what says where and why a module is bad, and
 * gives the side tables of a good one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "dump.h"
#include "load.h"
#include "report.h"

/* ---- Output ---------------------------------------------------------------------------------------- */

void wr_dump_nowhere(void *context, const char *text, size_t size) {
    (void)context;
    (void)text;
    (void)size;
}

static void to_stdout(void *context, const char *text, size_t size) {
    (void)context;
    fwrite(text, 1, size, stdout);
}

/* Labels are counted from the body's outermost block, @1; @0 is the body itself. */
static Name find_name(void *context, IndexSpace space, u32 index) {
    Dump *d = context;
    if (space != SPACE_LABEL) return wr_dump_names_find(&d->names.spaces[space], index);
    if (index > d->depth) return (Name){NULL, 0};
    int length = snprintf(d->label, sizeof d->label, "@%u", d->depth - index);
    return (Name){d->label, (u32)length};
}

/* ---- Sections -------------------------------------------------------------------------------------- */

enum { HEADER_SIZE = 8 };

static const char *const section_kinds[] = {"custom", "type",   "import",    "function", "table",
                                            "memory", "global", "export",    "start",    "element",
                                            "code",   "data",   "datacount", "tag"};

/* Reads the next section; false at the end or when there is no whole one. */
static bool next_section(Reader *r, Section *section) {
    if (r->error || r->pos >= r->end) return false;
    *section = (Section){.header = r->pos};
    section->id = wr_read_u8(r);
    u32 size = wr_read_u32(r);
    const u8 *contents = wr_read_bytes(r, size);
    if (r->error) return false;
    section->start = contents;
    section->end = contents + size;
    if (section->id >= ARRAY_LEN(section_kinds)) {
        wr_reader_fail(r, section->header, "malformed section id");
        return false;
    }
    section->kind = section_kinds[section->id];
    if (section->id != SECTION_CUSTOM) return true;
    Reader inside = {.pos = contents, .end = section->end, .base = r->base};
    section->name = wr_read_name(&inside);
    section->start = inside.pos;
    r->error = inside.error;
    return !r->error;
}

static bool name_is(Name name, const char *text) {
    return strlen(text) == name.size && memcmp(name.data, text, name.size) == 0;
}

/* Whether --section leaves it in. */
static bool is_wanted(const Dump *d, const Section *section) {
    const List *list = &d->settings->sections;
    for (size_t i = 0; i < list->count; i++) {
        const char *value = list->items[i].value;
        if (strcmp(value, section->kind) == 0) return true;
        if (section->id == SECTION_CUSTOM && name_is(section->name, value)) return true;
    }
    return list->count == 0;
}

typedef void SectionPrinter(Dump *d, const Section *section, Reader *r);

/* Prints all sections up to the first error, which it gives. */
static wr_error_t *walk(Dump *d, SectionPrinter *print) {
    Reader file = {.pos = d->bytes + HEADER_SIZE, .end = d->end, .base = d->bytes};
    Section section;
    memset(d->next, 0, sizeof d->next);
    while (next_section(&file, &section)) {
        Reader r = {.pos = section.start, .end = section.end, .base = d->bytes};
        print(d, &section, &r);
        file.error = r.error;
    }
    return file.error;
}

/* ---- What is printed ------------------------------------------------------------------------------ */

static void learn(Dump *d, const Section *section, Reader *r) {
    if (section->id == SECTION_CUSTOM && name_is(section->name, "name"))
        wr_dump_names_read(&d->names, section->start, section->end);
    wr_dump_section_details(d, section, r);
}

static void put_kind(const Dump *d, const Section *section) {
    fputs(section->kind, stdout);
    if (section->id != SECTION_CUSTOM) return;
    fputs(" \"", stdout);
    wr_disasm_name(&d->text, section->name);
    fputs("\"", stdout);
}

static void put_header(Dump *d, const Section *section, Reader *r) {
    if (!is_wanted(d, section)) return;
    bool counted = section->id != SECTION_CUSTOM && section->id != SECTION_START &&
                   section->id != SECTION_DATA_COUNT;
    char count[16] = "";
    if (counted) snprintf(count, sizeof count, "%u", wr_read_u32(r));
    printf(" 0x%06llx %10llu %8s  ", (unsigned long long)dump_offset(d, section->start),
           (unsigned long long)(section->end - section->start), count);
    put_kind(d, section);
    fputs("\n", stdout);
}

static void put_title(const Dump *d, const Section *section) {
    fputs("\n", stdout);
    put_kind(d, section);
    printf(" at 0x%06llx, %llu bytes\n", (unsigned long long)dump_offset(d, section->start),
           (unsigned long long)(section->end - section->start));
}

static void put_details(Dump *d, const Section *section, Reader *r) {
    if (is_wanted(d, section)) {
        put_title(d, section);
        wr_dump_section_details(d, section, r);
        return;
    }
    d->text.write = wr_dump_nowhere; /* it counts all the same */
    wr_dump_section_details(d, section, r);
    d->text.write = to_stdout;
}

static void put_code(Dump *d, const Section *section, Reader *r) {
    if (section->id == SECTION_CODE && is_wanted(d, section)) wr_dump_code(d, r);
}

enum { HEX_A_LINE = 16 };

static void put_contents(Dump *d, const Section *section, Reader *r) {
    if (!is_wanted(d, section)) return;
    put_title(d, section);
    for (const u8 *at = section->start; at < section->end; at += HEX_A_LINE) {
        size_t left = (size_t)(section->end - at), size = left < HEX_A_LINE ? left : HEX_A_LINE;
        printf(" %06llx:", (unsigned long long)dump_offset(d, at));
        for (size_t i = 0; i < HEX_A_LINE; i++)
            i < size ? printf("%s%02x", i % 2 ? "" : " ", at[i]) : printf(i % 2 ? "  " : "   ");
        fputs("  ", stdout);
        for (size_t i = 0; i < size; i++) putchar(at[i] >= 0x20 && at[i] < 0x7F ? at[i] : '.');
        putchar('\n');
    }
    r->pos = r->end;
}

/* ---- Files ----------------------------------------------------------------------------------------- */

/* All that was asked for; the first error that a walk met, or NULL. */
static wr_error_t *put_all(Dump *d) {
    const Settings *s = d->settings;
    bool code = s->disassemble || s->side_tables || s->functions.count;
    bool all = !s->headers && !s->details && !code && !s->contents;
    SectionPrinter *const printers[] = {
        s->headers || all ? put_header : NULL, s->details || all ? put_details : NULL,
        code || all ? put_code : NULL, s->contents ? put_contents : NULL};
    wr_error_t *first = NULL;
    for (size_t i = 0; i < ARRAY_LEN(printers); i++) {
        if (!printers[i]) continue;
        if (printers[i] == put_header) fputs("\n   offset       size    count  section\n", stdout);
        wr_error_t *error = walk(d, printers[i]);
        if (first)
            wr_error_delete(error);
        else
            first = error;
    }
    return first;
}

static void learn_all(Dump *d) {
    d->learning = true;
    d->text.write = wr_dump_nowhere;
    wr_error_delete(walk(d, learn));
    wr_dump_names_sort(&d->names);
    d->learning = false;
    d->text.write = to_stdout;
}

static bool has_header(const u8 *bytes, size_t size) {
    static const u8 header[HEADER_SIZE] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    return size >= HEADER_SIZE && memcmp(bytes, header, HEADER_SIZE) == 0;
}

/* Prints a module that the library was asked to load, with the result `error`, which is consumed. */
static int dump_bytes(const Settings *settings, const char *path, const u8 *bytes, size_t size,
                      const wr_module_t *module, wr_error_t *error) {
    Dump d = {.settings = settings,
              .bytes = bytes,
              .end = bytes + size,
              .func_types = bytes + size,
              .func_types_end = bytes + size,
              .module = module,
              .error = error};
    d.text = (Disasm){.write = to_stdout, .name = find_name, .context = &d};
    wr_error_t *met = NULL;
    if (has_header(bytes, size)) {
        wr_cli_print_safe(stdout, path, strlen(path));
        printf(": WebAssembly module, %zu bytes\n", size);
        learn_all(&d);
        met = put_all(&d);
    }
    wr_dump_names_free(&d.names);
    free(d.types.entries);
    if (error) {
        wr_error_delete(met);
        met = error;
    }
    fflush(stdout); /* the error comes last also where both streams go to one place */
    return met ? wr_cli_report(path, met) : STATUS_OK;
}

/* Of an artifact what it is, and of the module in it what is asked for that only a module has. */
static int dump_compiled(const Settings *settings, wr_engine_t *engine, const char *path,
                         const u8 *bytes, size_t size) {
    Artifact artifact;
    wr_module_t *module = NULL;
    const u8 *inside;
    u64 inside_size;
    wr_error_t *error = wr_artifact_view(bytes, size, &artifact);
    if (error) return wr_cli_report(path, error);
    wr_artifact_module(&artifact, &inside, &inside_size);
    error = wr_module_new(engine, inside, (size_t)inside_size, &module);
    wr_dump_artifact(settings, path, &artifact, module);
    int status = error ? STATUS_FAILED : STATUS_OK;
    if (settings->disassemble || settings->side_tables || settings->contents ||
        settings->functions.count || settings->sections.count) {
        putchar('\n');
        status = dump_bytes(settings, path, inside, (size_t)inside_size, module, error);
    } else if (error) {
        status = wr_cli_report(path, error);
    }
    if (module) wr_module_delete(module);
    return status;
}

static int dump_file(const Settings *settings, wr_engine_t *engine, const char *path) {
    u8 *bytes = NULL;
    size_t size = 0;
    wr_module_t *module = NULL;
    wr_error_t *error = wr_cli_binary_read(path, &bytes, &size);
    if (error) return wr_cli_report(path, error);
    int status;
    if (wr_artifact_is(bytes, size)) {
        status = dump_compiled(settings, engine, path, bytes, size);
    } else {
        error = wr_module_new(engine, bytes, size, &module);
        status = dump_bytes(settings, path, bytes, size, module, error);
        if (module) wr_module_delete(module);
    }
    free(bytes);
    return status;
}

int wr_cli_dump(const Settings *settings) {
    wr_engine_t *engine = NULL;
    wr_error_t *error = wr_cli_engine_new(settings, &engine);
    if (error) return wr_cli_report(NULL, error);
    int status = STATUS_OK;
    for (size_t i = 0; i < settings->operand_count; i++) {
        if (i) putchar('\n');
        if (dump_file(settings, engine, settings->operands[i]) != STATUS_OK) status = STATUS_FAILED;
    }
    wr_engine_delete(engine);
    return status;
}
