/*
 * dump_artifact.c - `wasmrun dump` of a compiled module: what it was made for, its parts, and where the code of its
 * functions is. Nothing is run: it may be for another machine. What it holds of the module is cmd_dump.c's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dump.h"
#include "lazy_bodies.h"
#include "report.h"
#include "symbols.h"

/* ---- what it was made for ---- */

/* Words with commas between, in lines. */
static void put_list(const char *title, const char *list) {
    enum { INDENT = 16, WIDTH = 84 };
    int column = printf("  %-*s", INDENT - 3, title);
    for (const char *at = list; *at != 0; at += *at == ',') {
        size_t size = strcspn(at, ",");
        if (column + (int)size >= WIDTH) column = printf("\n%*s", INDENT - 1, "") - 1;
        putchar(' ');
        wr_cli_print_safe(stdout, at, size);
        column += (int)size + 1;
        at += size;
    }
    putchar('\n');
}

static void put_options(const Artifact *a) {
    static const char *const levels[] = {"0", "1", "2", "3", "s"};
    const NativeOptions *o = &a->options;
    printf("  %-13s -O%s%s%s%s%s\n", "options",
           o->level < ARRAY_LEN(levels) ? levels[o->level] : "?",
           o->guarded ? ", guarded memories" : ", checked memories", o->polled ? ", polls" : "",
           o->fuel ? ", fuel" : "", o->migratable ? ", migratable" : "");
}

/* Names of what is on, with commas. */
static void put_language(Features features) {
    char list[32 * FEATURE_COUNT] = "";
    size_t size = 0;
    for (u32 i = 0; i < FEATURE_COUNT; i++)
        if (feature_on(features, (Feature)i))
            size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", size ? "," : "",
                                     wr_feature_name((Feature)i));
    put_list("features", list);
}

static void put_origin(const Artifact *a) {
    const char *texts[3];
    if (!wr_artifact_texts(a, texts)) return;
    put_list("target", texts[0]);
    put_list("processor", texts[1]);
    if (*texts[2] != 0) put_list("with", texts[2]);
    put_options(a);
    put_language(a->features);
    printf("  %-13s %s\n", "checksum", wr_artifact_is_whole(a) ? "right" : "wrong: it is damaged");
}

/* ---- its parts, its functions ---- */

static void put_parts(const Artifact *a) {
    static const char *const names[] = {
#define NAME(id, row) #id,
        ARTIFACT_PARTS(NAME)
#undef NAME
    };
    fputs("\n   offset       size      rows  part\n", stdout);
    for (u32 i = 0; i < PARTS; i++) {
        const PartView *part = &a->parts[i];
        printf(" 0x%06llx %10u %9u  ", (unsigned long long)(part->data - a->bytes), part->size,
               part->count);
        for (const char *c = names[i]; *c != 0; c++) putchar(*c | 0x20);
        putchar('\n');
    }
}

static void put_symbol(const Module *m, const NativeSymbol *symbol) {
    char name[SYMBOL_NAME_MAX];
    bool is_body = symbol->kind == SYMBOL_FUNCTION || symbol->kind == SYMBOL_WRAPPER;
    bool is_own = symbol->index >= m->nimported_funcs && symbol->index < m->nfuncs;
    wr_symbol_name(m, symbol, name);
    printf(" 0x%06x %10u  ", symbol->code, symbol->size);
    if (is_body && is_own)
        printf("0x%06llx ", (unsigned long long)wr_body_start(m, symbol->index));
    else
        printf("%8s ", "");
    wr_cli_print_safe(stdout, name, strlen(name));
    puts(symbol->kind == SYMBOL_WRAPPER ? " (only leads on)" : "");
}

static void put_functions(const Artifact *a, const Module *m) {
    fputs("\n     code       size    module function\n", stdout);
    for (u32 i = 0; i < wr_symbol_count(a); i++) {
        NativeSymbol symbol = wr_symbol(a, i);
        put_symbol(m, &symbol);
    }
    for (u32 i = m->nimported_funcs; i < m->nfuncs; i++) {
        if (wr_artifact_code(a, i)) continue;
        NativeSymbol symbol = {.kind = SYMBOL_FUNCTION, .index = i};
        char name[SYMBOL_NAME_MAX];
        wr_symbol_name(m, &symbol, name);
        printf("        -          -  0x%06llx ", (unsigned long long)wr_body_start(m, i));
        wr_cli_print_safe(stdout, name, strlen(name));
        puts(" (interpreted)");
    }
}

void wr_dump_artifact(const Settings *s, const char *path, Artifact *a, const Module *module) {
    bool all = !s->headers && !s->details;
    wr_cli_print_safe(stdout, path, strlen(path));
    printf(": compiled module, %llu bytes\n\n", (unsigned long long)a->size);
    put_origin(a);
    if (s->headers || all) put_parts(a);
    if (!module || !(s->details || all)) return;
    a->nimported = module->nimported_funcs;
    put_functions(a, module);
}
