/*
 * main.c - the command `wasmrun`: picks the subcommand. Everything it can do is in the table below.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "report.h"
#include "wasmrun.h"

static const Command commands[] = {
    {"run", "[OPTIONS] FILE [ARGS]...", "Run a module (the default)",
     "Runs the WebAssembly module FILE (- for standard input): calls its export _start,\n"
     "or the one that --invoke names. What follows FILE belongs to the guest. The exit\n"
     "status is the guest's, 134 after a trap, 1 if the module cannot be run, 2 if the\n"
     "command line is wrong.",
     IN_RUN, true, 1, wr_cli_run},
    {"validate", "[OPTIONS] FILE...", "Check modules without running them",
     "Decodes and validates each FILE (- for standard input). Prints one line for each\n"
     "that is malformed or invalid, and exits with 1 if there is one.",
     IN_VALIDATE, false, 1, wr_cli_validate},
    {"dump", "[OPTIONS] FILE...", "Print what a module consists of",
     "Prints each FILE (- for standard input) in readable form: headers, details and\n"
     "disassembly, unless options choose among them. A malformed module is printed up\n"
     "to the error; the exit status is then 1.",
     IN_DUMP, false, 1, wr_cli_dump},
    {"wat2wasm", "[OPTIONS] FILE", "Turn text into a binary module",
     "Writes the module that FILE (- for standard input) has in the text format in the\n"
     "binary one, to the file of that name ending in .wasm in the current directory.\n"
     "It is not validated. An error in the text is shown with its line.",
     IN_WAT2WASM, false, 1, wr_cli_wat2wasm},
    {"wasm2wat", "[OPTIONS] FILE", "Print a module in the text format",
     "Prints the module FILE (- for standard input) as text that encodes to the same\n"
     "module again. Identifiers are taken from its name section.",
     IN_WASM2WAT, false, 1, wr_cli_wasm2wat},
    {"compile", "[OPTIONS] FILE", "Compile a module to machine code",
     "Compiles the module FILE (- for standard input) into an artifact, which 'wasmrun\n"
     "run' takes in its place: the file of that name ending in .wasmrun in the current\n"
     "directory. It runs on this version of wasmrun and on the target only. Run\n"
     "artifacts only from those whose programs you would run.",
     IN_COMPILE, false, 1, wr_cli_compile},
    {"cache", "[OPTIONS] list|clear", "Show or clear the cache of compiled code",
     "Lists what --engine=aot has kept, what was used last first; or removes it.", IN_CACHE, false,
     1, wr_cli_cache},
    {"wast", "[OPTIONS] FILE...", "Run scripts of the official test suite",
     "Runs each script FILE, and all that lie in folders, in a store of its own. Prints\n"
     "what failed, and how many assertions held by file and by folder; exits with 1 if\n"
     "one did not.",
     IN_WAST, false, 1, wr_cli_wast},
};
enum { COMMAND_TOTAL = sizeof commands / sizeof commands[0] };

static const Command *find_command(const char *name) {
    for (const Command *c = commands; c < commands + COMMAND_TOTAL; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

static int print_overview(FILE *out) {
    fprintf(out, "Usage: wasmrun [run] [OPTIONS] FILE [ARGS]...\n"
                 "       wasmrun COMMAND [OPTIONS] FILE...\n\n"
                 "Runs WebAssembly modules that use WASI preview 1, in a sandbox.\n\nCommands:\n");
    for (const Command *c = commands; c < commands + COMMAND_TOTAL; c++)
        fprintf(out, "  %-10s %s\n", c->name, c->summary);
    fprintf(out, "  %-10s %s\n", "serve", "Serve HTTP: a fresh instance for each request");
    fprintf(out, "  %-10s %s\n", "help", "Print this text, or that of a command");
    return STATUS_OK;
}

static void print_features(void) {
    printf("Proposals that --feature turns on or off, and their defaults:\n\n");
#define FEATURE(id, name, on) printf("  %-26s %s\n", name, (on) ? "on" : "off");
#include "features.def"
#undef FEATURE
}

/* help [COMMAND|features] */
static int run_help(const char *topic) {
    const Command *command = topic ? find_command(topic) : NULL;
    if (command) {
        wr_cli_options_help(command);
    } else if (topic && strcmp(topic, "features") == 0) {
        print_features();
    } else if (topic && strcmp(topic, "help") != 0) {
        char text[256];
        snprintf(text, sizeof text, "there is no command '%.200s'", topic);
        wr_cli_usage_error(NULL, text);
        return STATUS_USAGE;
    } else {
        print_overview(stdout);
        wr_cli_options_list(&commands[0]);
    }
    return STATUS_OK;
}

/* For the completion scripts: the commands, or the options of one. */
static int run_complete(const char *topic) {
    const Command *command = topic ? find_command(topic) : NULL;
    if (command) {
        wr_cli_options_complete(command);
        return STATUS_OK;
    }
    if (topic) return strcmp(topic, "serve") == 0 ? STATUS_OK : STATUS_USAGE;
    for (const Command *c = commands; c < commands + COMMAND_TOTAL; c++)
        printf("%s\t%s\n", c->name, c->summary);
    printf("serve\tServe HTTP\nhelp\tPrint help\n");
    return STATUS_OK;
}

static int run_command(const Command *command, int argc, char **argv) {
    Settings settings;
    int status = STATUS_USAGE;
    if (wr_cli_options_parse(&settings, command, argc, argv)) {
        if (settings.version) {
            printf("wasmrun %s\n", wr_version());
            status = STATUS_OK;
        } else if (settings.group) {
            wr_cli_options_group_help(settings.group);
            status = STATUS_OK;
        } else if (settings.help) {
            status = run_help(command->name);
        } else {
            status = command->run(&settings);
        }
    }
    wr_cli_settings_free(&settings);
    return status;
}

int main(int argc, char **argv) {
    int status;
    const char *first = argc > 1 ? argv[1] : NULL;
    const Command *command = first ? find_command(first) : NULL;
    bool asks_help = first && (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 ||
                               strcmp(first, "-h") == 0);
    if (!first) {
        print_overview(stderr);
        status = STATUS_USAGE;
    } else if (asks_help) {
        status = run_help(argc > 2 ? argv[2] : NULL);
    } else if (strcmp(first, "__complete") == 0) {
        status = run_complete(argc > 2 ? argv[2] : NULL);
    } else if (strcmp(first, "serve") == 0) {
        status = wr_cli_serve(argv + 1);
    } else if (command) {
        status = run_command(command, argc - 2, argv + 2);
    } else {
        status = run_command(&commands[0], argc - 1, argv + 1);
    }
    return wr_cli_finish(status);
}
