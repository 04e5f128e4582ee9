/*
 * options.c - the option table and what derives from it. To add an option, add a field to Settings and
 * a row here; the manual page is checked against the table by check-manual.sh.
 */
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "numbers.h"
#include "report.h"

typedef enum OptionKind {
    OPTION_HEADING, /* no option: starts a group in --help */
    OPTION_FLAG,
    OPTION_STRING,
    OPTION_LIST,
    OPTION_COUNT,
    OPTION_SIZE,
    OPTION_DURATION,
    OPTION_CHOICE,
    OPTION_GROUP /* names with values, which mean other options (groups.h) */
} OptionKind;

typedef struct Option {
    const char *name; /* long form without the dashes */
    char letter;      /* short form, or 0 */
    OptionKind kind;
    unsigned in;       /* commands that have it */
    size_t field;      /* offset in Settings */
    int tag;           /* of list items; of a group, its letter */
    const char *value; /* what the value is; for a choice, the alternatives with bars between */
    const char *help;  /* lines of at most 48 characters */
} Option;

#define HEADING(text, in) {NULL, 0, OPTION_HEADING, in, 0, 0, NULL, text},
#define OPTION(name, letter, kind, in, field, tag, value, help)                                    \
    {name, letter, OPTION_##kind, in, offsetof(Settings, field), tag, value, help},
#define IN_ALL                                                                                     \
    (IN_RUN | IN_VALIDATE | IN_DUMP | IN_WASM2WAT | IN_WAST | IN_WAT2WASM | IN_COMPILE | IN_CACHE)

/* clang-format off */
static const Option options[] = {
    HEADING("What the guest may see", IN_RUN)
    OPTION("dir", 0, LIST, IN_RUN, dirs, DIR_READ_WRITE, "HOST[::GUEST]",
           "Give the guest the directory HOST, named GUEST")
    OPTION("dir-ro", 0, LIST, IN_RUN, dirs, DIR_READ_ONLY, "HOST[::GUEST]",
           "The same, but nothing in it can be changed")
    OPTION("mapdir", 0, LIST, IN_RUN, dirs, DIR_MAPPED, "GUEST::HOST",
           "The same as --dir HOST::GUEST")
    OPTION("tcplisten", 0, LIST, IN_RUN, sockets, 0, "ADDRESS:PORT",
           "Give the guest a socket that listens there")
    OPTION("env", 0, LIST, IN_RUN, env, 0, "NAME[=VALUE]",
           "Set a variable; without a value, inherit it")
    OPTION("inherit-env", 0, FLAG, IN_RUN, inherit_env, 0, NULL,
           "Inherit all environment variables")
    OPTION("argv0", 0, STRING, IN_RUN, argv0, 0, "NAME",
           "The guest's argument 0 [FILE without folders]")
    HEADING("What runs", IN_RUN)
    OPTION("invoke", 0, STRING, IN_RUN, invoke, 0, "NAME",
           "Call this exported function with ARGS and\nprint its results")
    OPTION("preload", 0, LIST, IN_RUN, preloads, 0, "NAME=FILE",
           "Instantiate FILE first and link its exports\nas module NAME")
    OPTION("unknown-imports", 0, CHOICE, IN_RUN, unknown_imports, 0, "refuse|trap|default",
           "What to do about imports that nothing defines:\nno run, functions that trap when called, or zeros\nand functions that return them [refuse]")
    HEADING("Limits", IN_RUN)
    OPTION("fuel", 0, COUNT, IN_RUN, fuel, 0, "N",
           "Trap when about N bytes of code have run")
    OPTION("timeout", 0, DURATION, IN_RUN, timeout, 0, "TIME",
           "Trap after TIME: 10 (seconds), 1.5s, 100ms, 2m")
    OPTION("max-memory", 0, SIZE, IN_RUN, max_memory, 0, "SIZE",
           "Bytes of all linear memories: 65536, 64k, 1G")
    OPTION("max-heap", 0, SIZE, IN_RUN, max_heap, 0, "SIZE",
           "Bytes of the garbage-collected heap [4G]")
    OPTION("max-stack", 0, SIZE, IN_RUN, max_stack, 0, "SIZE",
           "Bytes of the guest's call stack [8M]")
    OPTION("max-threads", 0, COUNT, IN_RUN, max_threads, 0, "N",
           "Threads that the guest may have beside its main\none [64]; 0: none")
    HEADING("Engine", IN_RUN | IN_VALIDATE | IN_DUMP | IN_WAST)
    OPTION("engine", 0, CHOICE, IN_RUN, engine, 0, "auto|aot|interp",
           "How code is executed: interpreted, or compiled to\nmachine code before it runs; auto: interpreted\nuntil what runs often has been compiled [auto]")
    OPTION("engine", 0, CHOICE, IN_WAST, engine, 0, "auto|aot|interp",
           "The same as for 'run' [interp]")
    HEADING("Compilation", IN_COMPILE | IN_CACHE)
    OPTION("opt-level", 'O', CHOICE, IN_RUN | IN_WAST | IN_COMPILE, opt_level, 0, "0|1|2|3|s",
           "How well code is compiled; s: small [2]")
    OPTION("cache-dir", 0, STRING, IN_RUN | IN_CACHE, cache, 0, "DIR",
           "The cache of compiled code [$XDG_CACHE_HOME/\nwasmrun, or $HOME/.cache/wasmrun]")
    OPTION("no-cache", 0, FLAG, IN_RUN, no_cache, 0, NULL,
           "Compile anew, and keep nothing")
    OPTION("polls", 0, FLAG, IN_RUN | IN_WAST | IN_COMPILE, polls, 0, NULL,
           "Let compiled code look whether to stop, not be\nstopped by a signal; slower by a few per cent")
    OPTION("no-polls", 0, FLAG, IN_RUN | IN_WAST | IN_COMPILE, no_polls, 0, NULL,
           "Leave polls out also where accesses are checked:\nthere --timeout and threads need them")
    OPTION("count-fuel", 0, FLAG, IN_WAST | IN_COMPILE, count_fuel, 0, NULL,
           "Count fuel in compiled code, for --fuel: else\ncode that has to count it is interpreted")
    OPTION("migratable", 0, FLAG, IN_RUN | IN_WAST | IN_COMPILE, migratable, 0, NULL,
           "Compile code whose calls can be written down\nwhere it polls, and go on in the interpreter")
    OPTION("perf-map", 0, FLAG, IN_RUN, perf_map, 0, NULL,
           "Write names of compiled functions for perf, to\n/tmp/perf-PID.map")
    OPTION("debug-info", 'g', FLAG, IN_RUN, debug_info, 0, NULL,
           "Tell debuggers of compiled functions: names and\nhow to walk their frames")
    OPTION("target", 0, STRING, IN_COMPILE, target, 0, "TRIPLE",
           "Compile for another machine, as LLVM names it:\naarch64-linux-gnu")
    OPTION("target-cpu", 0, STRING, IN_COMPILE, target_cpu, 0, "NAME",
           "Compile for this processor, as LLVM names it\n[this host's, or any of the target]")
    OPTION("target-features", 0, STRING, IN_COMPILE, target_features, 0, "LIST",
           "Features of the processor on or off, as LLVM\nnames them: +avx2,-fma")
    OPTION("memory-mode", 0, CHOICE, IN_RUN | IN_WAST | IN_COMPILE, memory_mode, 0, "auto|guard|explicit",
           "How accesses are checked: by guard pages, or\nexplicitly")
    OPTION("feature", 0, LIST, IN_RUN | IN_VALIDATE | IN_DUMP | IN_WAST | IN_COMPILE, features, 0, "NAME[=on|off]",
           "Turn a proposal on or off: 'wasmrun help\nfeatures' lists them")
    OPTION("in-place", 0, FLAG, IN_RUN | IN_WAST, in_place, 0, NULL,
           "Run code from its bytes alone: no ids for\nwhole sequences in functions that run often")
    OPTION("warm-after", 0, COUNT, IN_RUN | IN_WAST, warm_after, 0, "N",
           "Calls and turns of loops after which a function\ngets such ids [1000]; 0 = at once")
    OPTION("threads", 0, COUNT, IN_RUN | IN_VALIDATE, threads, 0, "N",
           "Validate large modules on N threads [0: as\nmany as there are processors]")
    OPTION("gc-stress", 0, FLAG, IN_RUN | IN_WAST, gc_stress, 0, NULL,
           "Collect garbage before every allocation")
    OPTION("gc-verify", 0, FLAG, IN_RUN | IN_WAST, gc_verify, 0, NULL,
           "Check the heap after every collection")
    HEADING("Tracing", IN_RUN | IN_WAST)
    OPTION("trace", 0, LIST, IN_RUN | IN_WAST, trace, 0, "calls|host|instructions",
           "Tell what runs: calls, with arguments and\nresults; calls of the host alone; instructions;\nor some of these, with commas between")
    OPTION("trace-function", 0, LIST, IN_RUN | IN_WAST, trace_functions, 0, "INDEX|NAME",
           "Only this function; NAME may end in *")
    OPTION("trace-output", 0, STRING, IN_RUN | IN_WAST, trace_output, 0, "FILE",
           "Write that to FILE, not to standard error; - is\nstandard output")
    HEADING("Scripts", IN_WAST)
    OPTION("jobs", 'j', COUNT, IN_WAST, jobs, 0, "N",
           "Run N scripts at a time [0: as many as there\nare processors]")
    OPTION("round-trip", 0, FLAG, IN_WAST, round_trip, 0, NULL,
           "Also print each module and encode it again: it\nmust stay the same")
    OPTION("lazy", 0, FLAG, IN_WAST, lazy, 0, NULL,
           "Validate bodies once more, when they first run, as\nwhere modules come from the cache")
    OPTION("verbose", 'v', FLAG, IN_WAST, verbose, 0, NULL,
           "Show what scripts print")
    HEADING("What is shown", IN_DUMP)
    OPTION("headers", 'h', FLAG, IN_DUMP, headers, 0, NULL,
           "The list of sections")
    OPTION("details", 'x', FLAG, IN_DUMP, details, 0, NULL,
           "What the sections declare")
    OPTION("disassemble", 'd', FLAG, IN_DUMP, disassemble, 0, NULL,
           "Function bodies as instructions")
    OPTION("full-contents", 's', FLAG, IN_DUMP, contents, 0, NULL,
           "Sections as bytes in hexadecimal")
    OPTION("side-tables", 0, FLAG, IN_DUMP, side_tables, 0, NULL,
           "Bodies with the branch targets that validation\nfound for the interpreter")
    OPTION("section", 'j', LIST, IN_DUMP, sections, 0, "NAME",
           "Only this section (type, code, a custom name)")
    OPTION("function", 'f', LIST, IN_DUMP, functions, 0, "INDEX|NAME",
           "Only this function's body")
    HEADING("As wasmtime has them; the value 'help' lists names", IN_RUN | IN_COMPILE)
    OPTION("wasm", 'W', GROUP, IN_RUN | IN_COMPILE, group, 'W', "NAME[=VALUE],...",
           "Proposals and limits")
    OPTION("wasi", 'S', GROUP, IN_RUN, group, 'S', "NAME[=VALUE],...",
           "What the guest may see")
    OPTION("optimize", 0, GROUP, IN_RUN | IN_COMPILE, group, 'O', "NAME[=VALUE],...",
           "Optimisation; -O takes these, too")
    OPTION("codegen", 'C', GROUP, IN_RUN | IN_COMPILE, group, 'C', "NAME[=VALUE],...",
           "Compilation")
    OPTION("debug", 'D', GROUP, IN_RUN | IN_COMPILE, group, 'D', "NAME[=VALUE],...",
           "Debugging")
    HEADING("Other", IN_ALL)
    OPTION("threads", 0, COUNT, IN_COMPILE, threads, 0, "N",
           "Validate and compile on N threads [0: as many as\nthere are processors]")
    OPTION("output", 'o', STRING, IN_WASM2WAT | IN_WAT2WASM | IN_COMPILE, output, 0, "FILE",
           "Write to FILE; - is standard output")
    OPTION("no-names", 0, FLAG, IN_WAT2WASM, no_names, 0, NULL,
           "Leave identifiers out")
    OPTION("stats", 0, FLAG, IN_RUN | IN_VALIDATE | IN_COMPILE, stats, 0, NULL,
           "Print sizes and times on standard error")
    OPTION("help", 'h', FLAG, IN_ALL & ~IN_DUMP, help, 0, NULL,
           "Print this text")
    OPTION("help", 0, FLAG, IN_DUMP, help, 0, NULL,
           "Print this text")
    OPTION("version", 'V', FLAG, IN_RUN, version, 0, NULL,
           "Print the version")
};
/* clang-format on */
enum { OPTION_TOTAL = sizeof options / sizeof options[0] };

/* ---- Parsing -------------------------------------------------------------------------------- */

static bool fail(const Command *command, const char *format, const char *a, const char *b) {
    char text[512];
    snprintf(text, sizeof text, format, a, b);
    return wr_cli_usage_error(command->name, text);
}

static bool add_item(List *list, const char *value, int tag) {
    ListItem *items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items) return wr_cli_out_of_memory();
    items[list->count++] = (ListItem){value, tag};
    list->items = items;
    return true;
}

/* The position of `value` among alternatives with bars between, or -1. */
static int choose(const char *alternatives, const char *value) {
    size_t length = strlen(value);
    int index = 0;
    for (const char *at = alternatives;; index++) {
        size_t size = strcspn(at, "|");
        if (size == length && memcmp(at, value, size) == 0) return index;
        if (!at[size]) return -1;
        at += size + 1;
    }
}

static bool store_number(const Command *command, const Option *option, const char *value,
                         uint64_t *field) {
    const char *expected = NULL;
    if (option->kind == OPTION_COUNT && !wr_cli_parse_count(value, field)) expected = "a number";
    if (option->kind == OPTION_SIZE && !wr_cli_parse_size(value, field)) expected = "a size";
    if (option->kind == OPTION_DURATION && !wr_cli_parse_duration(value, field))
        expected = "a time";
    if (!expected) return true;
    char text[256];
    snprintf(text, sizeof text, "'%.200s' is not %s", value, expected);
    return fail(command, "--%s: %s", option->name, text);
}

static bool store_choice(const Command *command, const Option *option, const char *value,
                         int *field) {
    *field = choose(option->value, value);
    if (*field >= 0) return true;
    char text[256];
    snprintf(text, sizeof text, "there is no '%.100s' (only %s)", value, option->value);
    return fail(command, "--%s: %s", option->name, text);
}

static bool store_group(Settings *settings, const Command *command, char group, char *items);

static bool store(Settings *settings, const Command *command, const Option *option, char *value) {
    void *field = (char *)settings + option->field;
    switch (option->kind) {
    case OPTION_HEADING: break;
    case OPTION_FLAG: *(bool *)field = true; break;
    case OPTION_STRING: *(const char **)field = value; break;
    case OPTION_LIST: return add_item(field, value, option->tag);
    case OPTION_CHOICE: return store_choice(command, option, value, field);
    case OPTION_GROUP: return store_group(settings, command, (char)option->tag, value);
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_DURATION: return store_number(command, option, value, field);
    }
    return true;
}

static const Option *find_long(const Command *command, const char *name, size_t length) {
    for (const Option *o = options; o < options + OPTION_TOTAL; o++)
        if ((o->in & command->in) && o->name && strlen(o->name) == length &&
            memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static const Option *find_short(const Command *command, char letter) {
    for (const Option *o = options; o < options + OPTION_TOTAL; o++)
        if ((o->in & command->in) && o->letter == letter) return o;
    return NULL;
}

/* One NAME or NAME=VALUE of a group. */
static bool store_group_item(Settings *settings, const Command *command, char group, char *item) {
    GroupMeaning meaning;
    char error[GROUP_ERROR_SIZE];
    if (strcmp(item, "help") == 0) {
        settings->group = group;
        return true;
    }
    if (!wr_cli_group_meaning(group, item, &meaning, error))
        return fail(command, "%s%s", error, "");
    if (!meaning.name) return true;
    const Option *option = find_long(command, meaning.name, strlen(meaning.name));
    if (!option) return fail(command, "%s: this command has no --%s", item, meaning.name);
    return store(settings, command, option, (char *)(uintptr_t)meaning.value);
}

/* Items with commas between. They stay in argv, each with an end of its own. */
static bool store_group(Settings *settings, const Command *command, char group, char *items) {
    for (char *next; items; items = next) {
        next = strchr(items, ',');
        if (next) *next++ = 0;
        if (!store_group_item(settings, command, group, items)) return false;
    }
    return true;
}

/* --name, --name=value or --name value. `next` is the following argument or NULL; *used says whether it
 * was taken. */
static bool parse_long(Settings *settings, const Command *command, char *arg, char *next,
                       bool *used) {
    char *name = arg + 2;
    size_t length = strcspn(name, "=");
    char *value = name[length] ? name + length + 1 : NULL;
    const Option *option = find_long(command, name, length);
    if (!option) return fail(command, "unknown option '%s'%s", arg, "");
    if (option->kind == OPTION_FLAG && value)
        return fail(command, "--%s takes no value%s", option->name, "");
    if (option->kind != OPTION_FLAG && !value) {
        if (!next) return fail(command, "--%s needs a value: %s", option->name, option->value);
        value = next;
        *used = true;
    }
    return store(settings, command, option, value);
}

/* -O is a level here and a group elsewhere: no level has a name as long as those in the group. */
static const Option *group_instead(const Command *command, const Option *option,
                                   const char *value) {
    bool is_group = option->letter == 'O' && strlen(value) > 1;
    return is_group ? find_long(command, "optimize", strlen("optimize")) : option;
}

/* -abc, -xVALUE or -x VALUE. */
static bool parse_short(Settings *settings, const Command *command, char *arg, char *next,
                        bool *used) {
    for (char *at = arg + 1; *at; at++) {
        char name[3] = {'-', *at, 0};
        const Option *option = find_short(command, *at);
        if (!option) return fail(command, "unknown option '%s'%s", at == arg + 1 ? arg : name, "");
        if (option->kind == OPTION_FLAG) {
            if (!store(settings, command, option, NULL)) return false;
            continue;
        }
        char *value = at[1] ? at + 1 : next;
        if (!value) return fail(command, "%s needs a value: %s", name, option->value);
        *used = !at[1];
        return store(settings, command, group_instead(command, option, value), value);
    }
    return true;
}

static void set_defaults(Settings *settings, const Command *command) {
    memset(settings, 0, sizeof *settings);
    settings->fuel = settings->max_memory = settings->max_heap = settings->warm_after = UINT64_MAX;
    settings->max_threads = 64;
    settings->opt_level = -1;
    settings->engine = command->in & IN_RUN ? ENGINE_AUTO : ENGINE_INTERPRETER;
}

bool wr_cli_options_parse(Settings *settings, const Command *command, int argc, char **argv) {
    set_defaults(settings, command);
    settings->operands = argv;
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        char *arg = argv[i];
        if (only_operands || arg[0] != '-' || !arg[1]) {
            settings->operands[settings->operand_count++] = arg;
            only_operands |= command->guest_arguments;
        } else if (strcmp(arg, "--") == 0) {
            only_operands = true;
        } else {
            bool used = false;
            bool (*parse)(Settings *, const Command *, char *, char *, bool *) =
                arg[1] == '-' ? parse_long : parse_short;
            if (!parse(settings, command, arg, i + 1 < argc ? argv[i + 1] : NULL, &used))
                return false;
            i += used;
        }
    }
    settings->operands[settings->operand_count] = NULL;
    bool asks = settings->help || settings->version || settings->group;
    if (settings->operand_count < command->min_operands && !asks)
        return fail(command, "no file given%s%s", "", "");
    return true;
}

void wr_cli_settings_free(Settings *settings) {
    List *lists[] = {&settings->dirs,      &settings->sockets,  &settings->env,
                     &settings->preloads,  &settings->features, &settings->sections,
                     &settings->functions, &settings->trace,    &settings->trace_functions};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        free(lists[i]->items);
        *lists[i] = (List){NULL, 0};
    }
}

/* ---- Help ------------------------------------------------------------------------------------ */

enum { HELP_COLUMN = 32 };

static void print_option(const Option *option) {
    int width = option->letter ? printf("  -%c, --%s", option->letter, option->name)
                               : printf("      --%s", option->name);
    if (option->value) width += printf(" %s", option->value);
    if (width >= HELP_COLUMN) {
        printf("\n");
        width = 0;
    }
    for (const char *line = option->help;; line++) {
        int length = (int)strcspn(line, "\n");
        printf("%*s%.*s\n", HELP_COLUMN - width, "", length, line);
        line += length;
        width = 0;
        if (!*line) break;
    }
}

void wr_cli_options_list(const Command *command) {
    for (const Option *o = options; o < options + OPTION_TOTAL; o++) {
        if (!(o->in & command->in)) continue;
        if (o->kind == OPTION_HEADING)
            printf("\n%s:\n", o->help);
        else
            print_option(o);
    }
}

void wr_cli_options_group_help(char group) { wr_cli_group_list(group); }

void wr_cli_options_help(const Command *command) {
    printf("Usage: wasmrun %s %s\n\n%s\n", command->name, command->synopsis, command->details);
    wr_cli_options_list(command);
}

void wr_cli_options_complete(const Command *command) {
    for (const Option *o = options; o < options + OPTION_TOTAL; o++) {
        if (!(o->in & command->in) || !o->name) continue;
        char letter[4] = {o->letter ? '-' : 0, o->letter, 0, 0};
        printf("--%s\t%s\t%s\t", o->name, letter, o->value ? o->value : "");
        for (const char *c = o->help; *c; c++) putchar(*c == '\n' ? ' ' : *c);
        putchar('\n');
    }
}
