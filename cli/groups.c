/*
 * groups.c - see groups.h. To add one, add a row. The names are those of wasmtime 49 (crates/cli-flags/src/lib.rs),
 * and what earlier ones had. Without a row are those whose value would matter and cannot be heeded (coredump, cwd,
 * nn-graph): an error.
 */
#include "groups.h"

#include <stdio.h>
#include <string.h>

typedef enum RowKind {
    ROW_VALUE,   /* NAME=VALUE is --OPTION VALUE */
    ROW_FEATURE, /* NAME=y is --feature OPTION=on, NAME=n turns it off */
    ROW_YES,     /* NAME=y is --OPTION WITH; NAME=n is what happens anyway */
    ROW_NO,      /* NAME=n is --OPTION WITH; NAME=y is what happens anyway */
    ROW_ALWAYS,  /* NAME=y is what happens anyway, and cannot be had otherwise */
    ROW_NEVER,   /* the reverse */
    ROW_MOOT /* tunes what only wasmtime has inside: guests see no difference, whatever its value */
} RowKind;

typedef struct Row {
    char group;
    const char *name;
    RowKind kind;
    const char *option, *with; /* with NULL: the option takes no value */
} Row;

#define FEATURE(name) {'W', name, ROW_FEATURE, name "=on", name "=off"},
#define ALWAYS(group, name) {group, name, ROW_ALWAYS, NULL, NULL},
#define NEVER(group, name) {group, name, ROW_NEVER, NULL, NULL},
#define MOOT(group, name) {group, name, ROW_MOOT, NULL, NULL},

/* clang-format off */
static const Row rows[] = {
    {'W', "all-proposals", ROW_YES, "feature", "custom-descriptors=on"}, /* the others are on */
    FEATURE("bulk-memory")
    FEATURE("custom-descriptors")
    FEATURE("custom-page-sizes")
    FEATURE("exceptions")
    FEATURE("extended-const")
    FEATURE("function-references")
    FEATURE("gc")
    FEATURE("legacy-exceptions")
    FEATURE("memory64")
    FEATURE("multi-memory")
    FEATURE("multi-value")
    FEATURE("reference-types")
    FEATURE("relaxed-simd")
    FEATURE("simd")
    FEATURE("tail-call")
    FEATURE("threads")
    FEATURE("wide-arithmetic")
    NEVER('W', "component-model")
    NEVER('W', "component-model-async")
    NEVER('W', "component-model-async-stackful")
    NEVER('W', "component-model-error-context")
    NEVER('W', "component-model-fixed-length-lists")
    NEVER('W', "component-model-gc")
    NEVER('W', "component-model-implements")
    NEVER('W', "component-model-map")
    NEVER('W', "component-model-memory64")
    NEVER('W', "component-model-more-async-builtins")
    NEVER('W', "component-model-threading")
    NEVER('W', "shared-everything-threads")
    NEVER('W', "stack-switching")
    NEVER('W', "nan-canonicalization")
    NEVER('W', "trap-on-grow-failure")
    NEVER('W', "wmemcheck")
    ALWAYS('W', "epoch-interruption")
    ALWAYS('W', "gc-support")
    ALWAYS('W', "relaxed-simd-deterministic")
    ALWAYS('W', "shared-memory")
    ALWAYS('W', "unknown-exports-allow")
    {'W', "fuel", ROW_VALUE, "fuel", NULL},
    {'W', "timeout", ROW_VALUE, "timeout", NULL},
    {'W', "max-memory-size", ROW_VALUE, "max-memory", NULL},
    {'W', "max-wasm-stack", ROW_VALUE, "max-stack", NULL},
    {'W', "unknown-imports-default", ROW_YES, "unknown-imports", "default"},
    {'W', "unknown-imports-trap", ROW_YES, "unknown-imports", "trap"},
    MOOT('W', "async-stack-size")
    MOOT('W', "async-stack-zeroing")
    MOOT('W', "branch-hinting")
    MOOT('W', "concurrency-support")

    ALWAYS('S', "cli")
    ALWAYS('S', "cli-exit-with-code")
    ALWAYS('S', "common")
    ALWAYS('S', "inherit-stderr")
    ALWAYS('S', "inherit-stdin")
    ALWAYS('S', "inherit-stdout")
    ALWAYS('S', "preview0")
    {'S', "inherit-env", ROW_YES, "inherit-env", NULL},
    {'S', "threads", ROW_NO, "max-threads", "0"},
    {'S', "tcplisten", ROW_VALUE, "tcplisten", NULL},
    NEVER('S', "allow-ip-name-lookup")
    NEVER('S', "config")
    NEVER('S', "http")
    NEVER('S', "inherit-network")
    NEVER('S', "keyvalue")
    NEVER('S', "listenfd")
    NEVER('S', "network-error-code")
    NEVER('S', "nn")
    NEVER('S', "p3")
    NEVER('S', "preview2")
    NEVER('S', "tcp")
    NEVER('S', "tls")
    NEVER('S', "udp")

    {'O', "opt-level", ROW_VALUE, "opt-level", NULL},
    {'O', "signals-based-traps", ROW_NO, "memory-mode", "explicit"},
    ALWAYS('O', "memory-init-cow")
    MOOT('O', "dynamic-memory-guard-size")
    MOOT('O', "dynamic-memory-reserved-for-growth")
    MOOT('O', "gc-heap-guard-size")
    MOOT('O', "gc-heap-initial-size")
    MOOT('O', "gc-heap-may-move")
    MOOT('O', "gc-heap-reservation")
    MOOT('O', "gc-heap-reservation-for-growth")
    MOOT('O', "guard-before-linear-memory")
    MOOT('O', "memory-guaranteed-dense-image-size")
    MOOT('O', "memory-guard-size")
    MOOT('O', "memory-may-move")
    MOOT('O', "memory-reservation")
    MOOT('O', "memory-reservation-for-growth")
    MOOT('O', "pooling-allocator")
    MOOT('O', "pooling-async-stack-keep-resident")
    MOOT('O', "pooling-decommit-batch-size")
    MOOT('O', "pooling-max-memory-protection-keys")
    MOOT('O', "pooling-max-unused-warm-slots")
    MOOT('O', "pooling-memory-keep-resident")
    MOOT('O', "pooling-memory-protection-keys")
    MOOT('O', "pooling-pagemap-scan")
    MOOT('O', "pooling-table-keep-resident")
    MOOT('O', "regalloc-algorithm")
    MOOT('O', "static-memory-forced")
    MOOT('O', "static-memory-guard-size")
    MOOT('O', "static-memory-maximum-size")
    MOOT('O', "table-lazy-init")

    {'C', "cache", ROW_NO, "no-cache", NULL},
    {'C', "parallel-compilation", ROW_NO, "threads", "1"},
    MOOT('C', "collector")
    MOOT('C', "compiler")
    MOOT('C', "cranelift-debug-verifier")
    MOOT('C', "inlining")
    MOOT('C', "metadata-for-gc-heap-corruption")
    MOOT('C', "metadata-for-internal-asserts")
    MOOT('C', "native-unwind-info")

    {'D', "debug-info", ROW_YES, "debug-info", NULL},
    ALWAYS('D', "address-map")
    NEVER('D', "guest-debug")
    MOOT('D', "log-to-files")
    MOOT('D', "logging")
    MOOT('D', "symbols")
};
/* clang-format on */
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const Row *find(char group, const char *name, size_t length) {
    for (const Row *row = rows; row < rows + ROW_COUNT; row++)
        if (row->group == group && strlen(row->name) == length &&
            memcmp(row->name, name, length) == 0)
            return row;
    return NULL;
}

/* NULL, that is no value, means yes. */
static bool read_truth(const char *text, bool *truth) {
    static const char *const yes[] = {"y", "yes", "true"}, *const no[] = {"n", "no", "false"};
    *truth = true;
    if (!text) return true;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0) return true;
        if (strcmp(text, no[i]) == 0) {
            *truth = false;
            return true;
        }
    }
    return false;
}

static GroupMeaning meaning_of(const Row *row, bool truth) {
    if (row->kind == ROW_FEATURE) return (GroupMeaning){"feature", truth ? row->option : row->with};
    bool acts = (row->kind == ROW_YES && truth) || (row->kind == ROW_NO && !truth);
    return acts ? (GroupMeaning){row->option, row->with} : (GroupMeaning){NULL, NULL};
}

bool wr_cli_group_meaning(char group, const char *item, GroupMeaning *out,
                          char error[GROUP_ERROR_SIZE]) {
    size_t length = strcspn(item, "=");
    const char *value = item[length] ? item + length + 1 : NULL;
    const Row *row = find(group, item, length);
    int shown = length < 60 ? (int)length : 60;
    const char *problem;
    bool truth;
    if (!row) {
        problem = "means nothing here";
    } else if (row->kind == ROW_MOOT) {
        *out = (GroupMeaning){NULL, NULL};
        return true;
    } else if (row->kind == ROW_VALUE) {
        *out = (GroupMeaning){row->option, value};
        if (value) return true;
        problem = "needs a value";
    } else if (!read_truth(value, &truth)) {
        problem = "is y or n";
    } else if (row->kind == ROW_ALWAYS && !truth) {
        problem = "is always so";
    } else if (row->kind == ROW_NEVER && truth) {
        problem = "is not to be had here";
    } else {
        *out = meaning_of(row, truth);
        return true;
    }
    snprintf(error, GROUP_ERROR_SIZE, "-%c %.*s %s; '-%c help' lists what is understood", group,
             shown, item, problem, group);
    return false;
}

static void print_row(const Row *row) {
    const char *with = row->with ? row->with : "", *space = row->with ? " " : "";
    const char *value = row->kind == ROW_VALUE ? "=VALUE" : row->kind == ROW_MOOT ? "" : "[=y|n]";
    char name[56];
    snprintf(name, sizeof name, "%s%s", row->name, value);
    printf("  -%c %-41s ", row->group, name);
    switch (row->kind) {
    case ROW_VALUE: printf("--%s VALUE\n", row->option); break;
    case ROW_FEATURE: printf("--feature %s[=on|off]\n", row->name); break;
    case ROW_YES: printf("y: --%s%s%s\n", row->option, space, with); break;
    case ROW_NO: printf("n: --%s%s%s\n", row->option, space, with); break;
    case ROW_ALWAYS: printf("always so\n"); break;
    case ROW_NEVER: printf("only n\n"); break;
    case ROW_MOOT: printf("makes no difference\n"); break;
    }
}

void wr_cli_group_list(char group) {
    for (const Row *row = rows; row < rows + ROW_COUNT; row++)
        if (row->group == group) print_row(row);
}
