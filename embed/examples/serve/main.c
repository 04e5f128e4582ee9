/*
 * main.c - the command line of the plugin server, its start and its end.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "serve.h"

Settings settings = {
    .host = "127.0.0.1",
    .port = "8080",
    .timeout = 1000000000,
    .client_timeout = 30000000000,
    .fuel = UINT64_MAX,
    .max_memory = 64 << 20,
    .max_output = 8 << 20,
    .max_body = 1 << 20,
    .max_connections = 256,
    .pool = 64,
};

static const char usage[] =
    "Usage: wasmrun serve [OPTIONS] FOLDER\n\n"
    "Serves HTTP: a request for /NAME runs a fresh instance of FOLDER/NAME.wasm (/ that of\n"
    "index.wasm), a WASI program that finds the request in its environment and on standard\n"
    "input, and writes the response, with its header, to standard output, as CGI programs\n"
    "do. Modules may be added, changed and removed meanwhile. /metrics is for Prometheus.\n\n"
    "  --listen ADDRESS:PORT   [127.0.0.1:8080]; port 0 is any free one\n"
    "  --timeout TIME          For one request: 1s, 250ms [1s]\n"
    "  --client-timeout TIME   For a client to send its request, or to think of one [30s]\n"
    "  --fuel N                About N bytes of code for one request\n"
    "  --max-memory SIZE       Of one guest [64M]\n"
    "  --max-output SIZE       Of one response [8M]\n"
    "  --max-body SIZE         Of one request [1M]\n"
    "  --max-connections N     At the same time, each with a thread [256]\n"
    "  --pool N                Idle instances kept of each module [64]\n"
    "  --dir-ro HOST[::GUEST]  Give guests the directory, which they cannot change\n"
    "  --env NAME=VALUE        Set a variable of all guests\n"
    "  --memory auto|explicit  explicit: check accesses in software; no address space is\n"
    "                          reserved and no signal handler installed [auto]\n"
    "  --verbose               Log all requests, and what guests write to standard error\n"
    "  --help                  Print this text\n";

void serve_log(const char *format, ...) {
    char line[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (n < 0) return;
    size_t size = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    for (size_t i = 0; i < size; i++) /* guests do not write to the terminal, nor forge lines */
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7F) line[i] = ' ';
    line[size] = '\n';
    (void)fwrite(line, 1, size + 1, stderr);
}

/* ---- the command line --------------------------------------------------------------------------- */

static _Noreturn void wrong(const char *option, const char *value) {
    fprintf(stderr, "wasmrun serve: %s: '%s' will not do (--help shows the options)\n", option,
            value);
    exit(2);
}

typedef struct Unit {
    const char *name;
    uint64_t factor;
} Unit;

static uint64_t parse(const char *option, const char *text, const Unit *units) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno || end == text || *text == '-') wrong(option, text);
    while (units->name && strcmp(units->name, end) != 0) units++;
    if (!units->name || n > UINT64_MAX / units->factor) wrong(option, text);
    return n * units->factor;
}

static uint64_t parse_count(const char *option, const char *text, uint64_t max) {
    static const Unit units[] = {{"", 1}, {NULL, 0}};
    uint64_t n = parse(option, text, units);
    if (n > max) wrong(option, text);
    return n;
}

static uint64_t parse_size(const char *option, const char *text) {
    static const Unit units[] = {{"", 1},        {"k", 1 << 10}, {"K", 1 << 10},
                                 {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
    return parse(option, text, units);
}

static uint64_t parse_time(const char *option, const char *text) {
    static const Unit units[] = {
        {"ms", 1000000}, {"s", 1000000000}, {"", 1000000000}, {"us", 1000}, {NULL, 0}};
    return parse(option, text, units);
}

static void set_address(char *text) {
    char *colon = strrchr(text, ':');
    if (!colon || colon == text) wrong("--listen", text);
    *colon = 0;
    settings.port = colon + 1;
    if (text[0] == '[' && colon[-1] == ']') { /* IPv6 */
        colon[-1] = 0;
        text++;
    }
    settings.host = text;
}

static const char **append(const char **list, size_t *count, const char *item) {
    list = realloc(list, (*count + 1) * sizeof *list);
    if (!list) exit(1);
    list[(*count)++] = item;
    return list;
}

/* "HOST" zero "GUEST", which is what run.c reads. */
static void add_dir(const char *text) {
    const char *split = strstr(text, "::"), *guest = split ? split + 2 : text;
    size_t host_size = split ? (size_t)(split - text) : strlen(text);
    char *both = calloc(1, host_size + strlen(guest) + 2);
    if (!both) exit(1);
    memcpy(both, text, host_size);
    strcpy(both + host_size + 1, guest);
    settings.dirs = append(settings.dirs, &settings.ndirs, both);
}

static void set_memory(const char *text) {
    settings.no_guard = strcmp(text, "explicit") == 0;
    if (!settings.no_guard && strcmp(text, "auto") != 0) wrong("--memory", text);
}

enum Option {
    LISTEN = 256,
    TIMEOUT,
    CLIENT_TIMEOUT,
    FUEL,
    MEMORY_SIZE,
    OUTPUT,
    BODY,
    CONNECTIONS,
    POOL,
    DIRECTORY,
    ENVIRONMENT,
    MEMORY,
    VERBOSE,
    HELP
};

static const struct option options[] = {
    {"listen", required_argument, NULL, LISTEN},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"client-timeout", required_argument, NULL, CLIENT_TIMEOUT},
    {"fuel", required_argument, NULL, FUEL},
    {"max-memory", required_argument, NULL, MEMORY_SIZE},
    {"max-output", required_argument, NULL, OUTPUT},
    {"max-body", required_argument, NULL, BODY},
    {"max-connections", required_argument, NULL, CONNECTIONS},
    {"pool", required_argument, NULL, POOL},
    {"dir-ro", required_argument, NULL, DIRECTORY},
    {"env", required_argument, NULL, ENVIRONMENT},
    {"memory", required_argument, NULL, MEMORY},
    {"verbose", no_argument, NULL, VERBOSE},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static void take_option(int option, char *value) {
    switch (option) {
    case LISTEN: set_address(value); break;
    case TIMEOUT: settings.timeout = parse_time("--timeout", value); break;
    case CLIENT_TIMEOUT: settings.client_timeout = parse_time("--client-timeout", value); break;
    case FUEL: settings.fuel = parse_count("--fuel", value, UINT64_MAX - 1); break;
    case MEMORY_SIZE: settings.max_memory = parse_size("--max-memory", value); break;
    case OUTPUT: settings.max_output = parse_size("--max-output", value); break;
    case BODY: settings.max_body = parse_size("--max-body", value); break;
    case CONNECTIONS:
        settings.max_connections = (unsigned)parse_count("--max-connections", value, 100000);
        break;
    case POOL: settings.pool = (unsigned)parse_count("--pool", value, 1000000); break;
    case DIRECTORY: add_dir(value); break;
    case ENVIRONMENT:
        if (!strchr(value, '=')) wrong("--env", value);
        settings.env = append(settings.env, &settings.nenv, value);
        break;
    case MEMORY: set_memory(value); break;
    case VERBOSE: settings.verbose = true; break;
    case HELP: fputs(usage, stdout); exit(0);
    default: exit(2); /* getopt has said why */
    }
}

static void parse_command_line(int argc, char **argv) {
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        take_option(option, optarg);
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        exit(2);
    }
    settings.folder = argv[optind];
}

/* ---- start and end ------------------------------------------------------------------------------ */

static void free_lists(void) {
    for (size_t i = 0; i < settings.ndirs; i++) free((void *)(uintptr_t)settings.dirs[i]);
    free(settings.dirs);
    free(settings.env);
}

/* Signals are taken here, between looks at the folder and the clients, by no other thread. */
static void wait_for_end(const sigset_t *signals) {
    const struct timespec pause = {.tv_nsec = 250000000};
    while (sigtimedwait(signals, NULL, &pause) < 0) {
        plugins_refresh();
        clients_end_late();
    }
}

int main(int argc, char **argv) {
    sigset_t signals;
    parse_command_line(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (!plugins_start() || !http_start()) return 1;
    printf("wasmrun serve: http://%s:%s/\n", settings.host, settings.port);
    fflush(stdout);
    wait_for_end(&signals);
    http_stop();
    plugins_stop();
    free_lists();
    return 0;
}
