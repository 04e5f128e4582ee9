/*
 * options.h - the command's options: one table, from which parsing, --help and the completion lists
 * derive. It knows nothing of modules; the subcommands read the Settings that it fills.
 */
#ifndef WR_CLI_OPTIONS_H
#define WR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A repeatable option's values in the order given. The tag tells apart options that share a list. */
typedef struct ListItem {
    const char *value;
    int tag;
} ListItem;

typedef struct List {
    ListItem *items;
    size_t count;
} List;

enum { DIR_READ_WRITE, DIR_READ_ONLY, DIR_MAPPED /* the guest's name comes first */ };
enum { ENGINE_AUTO, ENGINE_COMPILED, ENGINE_INTERPRETER };
enum { MEMORY_MODE_AUTO, MEMORY_MODE_GUARD, MEMORY_MODE_EXPLICIT };

/* What the command line says. Sizes in bytes, times in nanoseconds. Strings point into argv. */
typedef struct Settings {
    bool help, version;
    char group; /* `-W help` and the like: whose names are asked for, or 0 */
    List dirs, sockets, env;
    bool inherit_env;
    const char *argv0, *invoke;
    List preloads;
    uint64_t fuel, timeout, max_memory, max_heap; /* UINT64_MAX = unlimited */
    uint64_t max_stack;                           /* 0 = the library's default */
    uint64_t max_threads;
    int unknown_imports; /* an UnknownImports */
    int engine, memory_mode;
    int opt_level;     /* 0..3, 4 for size; -1 = the default */
    const char *cache; /* the folder, or NULL: the user's */
    bool no_cache, polls, no_polls, count_fuel, migratable, perf_map, debug_info;
    const char *target, *target_cpu, *target_features;
    List features;
    bool in_place;
    uint64_t warm_after; /* UINT64_MAX = the library's default */
    uint64_t threads;    /* 0 = as many as there are processors */
    bool stats;
    List trace, trace_functions;
    const char *trace_output; /* NULL: standard error */
    bool headers, details, disassemble, contents, side_tables;
    List sections, functions;
    const char *output;
    bool no_names;
    uint64_t jobs; /* 0 = as many as there are processors */
    bool gc_stress, gc_verify, round_trip, lazy, verbose;
    char **operands; /* zero-terminated like argv */
    size_t operand_count;
} Settings;

typedef struct Command {
    const char *name;     /* what selects it: the first argument */
    const char *synopsis; /* what follows the name, for --help */
    const char *summary;  /* one line, for the list of commands */
    const char *details;  /* a paragraph, for its own --help */
    unsigned in;          /* its bit in the option table's rows */
    bool guest_arguments; /* all that follows the first operand is an operand too */
    size_t min_operands;
    int (*run)(const Settings *settings); /* the exit status */
} Command;

enum {
    IN_RUN = 1,
    IN_VALIDATE = 2,
    IN_DUMP = 4,
    IN_WASM2WAT = 8,
    IN_WAST = 16,
    IN_WAT2WASM = 32,
    IN_COMPILE = 64,
    IN_CACHE = 128
};

/* Reads argv[0..argc), which is rearranged. False when it does not parse; the error is then reported. */
bool wr_cli_options_parse(Settings *settings, const Command *command, int argc, char **argv);
void wr_cli_settings_free(Settings *settings);

/* Usage, description and options of one command, on standard output. */
void wr_cli_options_help(const Command *command);
/* What the names of an option group mean, `-W help` and the like. */
void wr_cli_options_group_help(char group);
/* Just its option lines. */
void wr_cli_options_list(const Command *command);
/* One line an option, for completion: its spellings, what its value is, and the help text, with tabs between. */
void wr_cli_options_complete(const Command *command);

#endif
