/*
 * groups.c - see groups.h. To add one, add a row.
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
    ROW_NEVER    /* the reverse */
} RowKind;

typedef struct Row {
    char group;
    const char *name;
    RowKind kind;
    const char *option, *with; /* with NULL: the option takes no value */
} Row;

#define FEATURE(name) {'W', name, ROW_FEATURE, name "=on", name "=off"},

static const Row rows[] = {
    {'W', "all-proposals", ROW_YES, "feature", "custom-descriptors=on"}, /* the others are on */
    FEATURE("bulk-memory") FEATURE("custom-descriptors") FEATURE("custom-page-sizes")
        FEATURE("exceptions") FEATURE("extended-const") FEATURE("function-references") FEATURE("gc")
            FEATURE("legacy-exceptions") FEATURE("memory64") FEATURE("multi-memory")
                FEATURE("multi-value") FEATURE("reference-types") FEATURE("relaxed-simd")
                    FEATURE("simd") FEATURE("tail-call") FEATURE("threads")
                        FEATURE("wide-arithmetic"){'W', "component-model", ROW_NEVER, NULL, NULL},
    {'W', "stack-switching", ROW_NEVER, NULL, NULL},
    {'W', "shared-everything-threads", ROW_NEVER, NULL, NULL},
    {'W', "shared-memory", ROW_ALWAYS, NULL, NULL},
    {'W', "fuel", ROW_VALUE, "fuel", NULL},
    {'W', "timeout", ROW_VALUE, "timeout", NULL},
    {'W', "max-memory-size", ROW_VALUE, "max-memory", NULL},
    {'W', "max-wasm-stack", ROW_VALUE, "max-stack", NULL},
    {'W', "epoch-interruption", ROW_ALWAYS, NULL, NULL},
    {'W', "trap-on-grow-failure", ROW_NEVER, NULL, NULL},

    {'S', "cli", ROW_ALWAYS, NULL, NULL},
    {'S', "common", ROW_ALWAYS, NULL, NULL},
    {'S', "cli-exit-with-code", ROW_ALWAYS, NULL, NULL},
    {'S', "inherit-env", ROW_YES, "inherit-env", NULL},
    {'S', "threads", ROW_NO, "max-threads", "0"},
    {'S', "tcplisten", ROW_VALUE, "tcplisten", NULL},
    {'S', "preview2", ROW_NEVER, NULL, NULL},
    {'S', "p3", ROW_NEVER, NULL, NULL},
    {'S', "http", ROW_NEVER, NULL, NULL},
    {'S', "nn", ROW_NEVER, NULL, NULL},
    {'S', "config", ROW_NEVER, NULL, NULL},
    {'S', "keyvalue", ROW_NEVER, NULL, NULL},
    {'S', "tls", ROW_NEVER, NULL, NULL},
    {'S', "listenfd", ROW_NEVER, NULL, NULL},
    {'S', "inherit-network", ROW_NEVER, NULL, NULL},
    {'S', "allow-ip-name-lookup", ROW_NEVER, NULL, NULL},

    {'O', "opt-level", ROW_VALUE, "opt-level", NULL},
    {'O', "memory-init-cow", ROW_ALWAYS, NULL, NULL},
    {'O', "signals-based-traps", ROW_NO, "memory-mode", "explicit"},

    {'C', "cache", ROW_NO, "no-cache", NULL},
    {'C', "parallel-compilation", ROW_NO, "threads", "1"},

    {'D', "debug-info", ROW_YES, "debug-info", NULL},
    {'D', "address-map", ROW_ALWAYS, NULL, NULL},
};
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
    char name[48];
    snprintf(name, sizeof name, "%s%s", row->name, row->kind == ROW_VALUE ? "=VALUE" : "[=y|n]");
    printf("  -%c %-32s ", row->group, name);
    switch (row->kind) {
    case ROW_VALUE: printf("--%s VALUE\n", row->option); break;
    case ROW_FEATURE: printf("--feature %s[=on|off]\n", row->name); break;
    case ROW_YES: printf("y: --%s%s%s\n", row->option, space, with); break;
    case ROW_NO: printf("n: --%s%s%s\n", row->option, space, with); break;
    case ROW_ALWAYS: printf("always so\n"); break;
    case ROW_NEVER: printf("only n\n"); break;
    }
}

void wr_cli_group_list(char group) {
    for (const Row *row = rows; row < rows + ROW_COUNT; row++)
        if (row->group == group) print_row(row);
}
