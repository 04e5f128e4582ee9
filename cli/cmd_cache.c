/* cmd_cache.c - `wasmrun cache`: what --engine=aot and auto have kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "report.h"
#include "wasmrun.h"

typedef struct Entry {
    char *name;
    uint64_t size;
    int64_t used;
} Entry;

typedef struct Entries {
    Entry *items;
    size_t count;
    uint64_t bytes;
    bool failed;
} Entries;

static void add(void *context, const char *name, uint64_t size, int64_t used) {
    Entries *entries = context;
    Entry *items = realloc(entries->items, (entries->count + 1) * sizeof *items);
    char *copy = items ? strdup(name) : NULL;
    if (items) entries->items = items;
    if (!copy) {
        entries->failed = true;
        return;
    }
    entries->items[entries->count++] = (Entry){copy, size, used};
    entries->bytes += size;
}

static int by_use(const void *a, const void *b) {
    int64_t x = ((const Entry *)a)->used, y = ((const Entry *)b)->used;
    return x == y ? strcmp(((const Entry *)a)->name, ((const Entry *)b)->name) : x > y ? -1 : 1;
}

static void print_entry(const Entry *entry) {
    char when[32] = "?";
    time_t used = (time_t)entry->used;
    const struct tm *local = localtime(&used);
    if (local) strftime(when, sizeof when, "%Y-%m-%d %H:%M", local);
    printf("%12" PRIu64 "  %s  ", entry->size, when);
    wr_cli_print_safe(stdout, entry->name, strlen(entry->name));
    putchar('\n');
}

static int list(const char *folder) {
    Entries entries = {NULL, 0, 0, false};
    wr_error_t *error = wr_cache_list(folder, add, &entries);
    if (!error && !entries.failed) {
        if (entries.count) qsort(entries.items, entries.count, sizeof *entries.items, by_use);
        for (size_t i = 0; i < entries.count; i++) print_entry(&entries.items[i]);
        printf("%12" PRIu64 " bytes in %zu file%s\n", entries.bytes, entries.count,
               entries.count == 1 ? "" : "s");
    }
    for (size_t i = 0; i < entries.count; i++) free(entries.items[i].name);
    free(entries.items);
    if (error) return wr_cli_report(NULL, error);
    if (!entries.failed) return STATUS_OK;
    wr_cli_out_of_memory();
    return STATUS_FAILED;
}

static int clear(const char *folder) {
    uint32_t removed;
    wr_error_t *error = wr_cache_clear(folder, 0, &removed);
    if (error) return wr_cli_report(NULL, error);
    printf("%" PRIu32 " file%s removed\n", removed, removed == 1 ? "" : "s");
    return STATUS_OK;
}

int wr_cli_cache(const Settings *settings) {
    const char *verb = settings->operands[0];
    if (settings->operand_count == 1 && strcmp(verb, "list") == 0) return list(settings->cache);
    if (settings->operand_count == 1 && strcmp(verb, "clear") == 0) return clear(settings->cache);
    wr_cli_usage_error("cache", "what it does is 'list' or 'clear'");
    return STATUS_USAGE;
}
