/*
 * serve.h - a plugin server on wasmrun's embedding interface and GNU libmicrohttpd: each HTTP request
 * runs a fresh instance of a WebAssembly module, which speaks the CGI-like convention of WAGI and WCGI
 * (environment, standard input, standard output).
 *
 *   main.c      the command line, start and end
 *   http.c      connections (libmicrohttpd): from a request to a call of serve_run(), and back
 *   run.c       one guest: its surroundings, its limits, what came of it
 *   response.c  what a guest has written, read as a CGI response
 *   plugins.c   the folder of modules, loaded anew when they change
 *   metrics.c   counters, and Prometheus' text format
 *
 * It is an example to start from, and the command `wasmrun serve`. What it shows: one engine; a
 * pre-linked module for each file; for each request a store, limits, a WASI context, and an error that
 * says what became of the guest. No guest can do more than fail its own request.
 */
#ifndef SERVE_H
#define SERVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wasmrun.h"

/* ---- What the server is told -------------------------------------------------------------------- */

typedef struct Settings {
    const char *folder;
    const char *host, *port;
    uint64_t timeout;                          /* nanoseconds for one request */
    uint64_t client_timeout;                   /* nanoseconds for a client to send it */
    uint64_t fuel;                             /* UINT64_MAX: not metered */
    uint64_t max_memory, max_output, max_body; /* bytes */
    unsigned max_connections;
    unsigned pool;     /* idle instances kept of each module */
    bool no_guard;     /* neither reservations nor signal handlers */
    bool verbose;      /* log every request, and what guests write to standard error */
    const char **dirs; /* "HOST::GUEST", read-only */
    size_t ndirs;
    const char **env; /* "NAME=VALUE" */
    size_t nenv;
} Settings;

extern Settings settings; /* not changed once the server runs */

/* One line on standard error, in one piece. */
void serve_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Metrics ---------------------------------------------------------------------------------------- */

#define OUTCOMES(X)                                                                                \
    X(OK, "ok")                                                                                    \
    X(TRAP, "trap")                 /* or a non-zero exit status */                                \
    X(TIMEOUT, "timeout")           /* also fuel */                                                \
    X(OUTPUT_LIMIT, "output_limit") /* wrote too much */                                           \
    X(BAD_RESPONSE, "bad_response") /* what it wrote is no response */                             \
    X(UNAVAILABLE, "unavailable")   /* no module to run, or no memory to run it */                 \
    X(TOO_LARGE, "body_limit")      /* the request's body */

#define OUTCOME_ID(id, name) OUTCOME_##id,
typedef enum Outcome { OUTCOMES(OUTCOME_ID) OUTCOME_COUNT } Outcome;
#undef OUTCOME_ID

enum { BUCKETS = 14 };
typedef struct Metrics {
    _Atomic(uint64_t) outcomes[OUTCOME_COUNT];
    _Atomic(uint64_t) buckets[BUCKETS + 1]; /* of seconds; the last one is +Inf; not cumulated */
    _Atomic(uint64_t) nanoseconds, bytes_in, bytes_out;
    _Atomic(uint64_t) loads, failed_loads;
} Metrics;

void metrics_count(Metrics *metrics, Outcome outcome, uint64_t nanoseconds, uint64_t bytes_in,
                   uint64_t bytes_out);

/* Text that grows; `bytes` is NULL when out of memory, then and from then on. */
typedef struct Text {
    char *bytes;
    size_t size, capacity;
    bool failed;
} Text;
void text_add(Text *text, const void *bytes, size_t size);
void text_print(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(Text *text);

/* All of it, in Prometheus' text format. */
void metrics_print(Text *text);
extern _Atomic(uint64_t) metrics_not_found, metrics_refused, metrics_late;
extern _Atomic(int64_t) metrics_connections;

/* ---- Clients ---------------------------------------------------------------------------------------- */

typedef struct Client Client;
/* Waits for a request. NULL when out of memory, which the others take for nobody. */
Client *client_add(int socket);
/* Before the socket is closed. */
void client_remove(Client *client);
/* Whether a request is what it has to send next, or its request is here. */
void client_waits(Client *client, bool for_request);
/* Shuts down those that have taken longer than settings.client_timeout: called now and then. */
void clients_end_late(void);

/* ---- Plugins ---------------------------------------------------------------------------------------- */

/* One state of a module's file; counted. */
typedef struct Version {
    atomic_size_t refs;
    wr_prelinked_t *prelinked;
} Version;

typedef struct Plugin {
    struct Plugin *next;
    char *name;        /* the file's, without .wasm: letters, digits, '.', '_', '-' */
    Version *version;  /* NULL while no state of the file could be loaded, or it is gone */
    uint64_t identity; /* of the file's state that was tried last */
    uint64_t seen;     /* of the state that was there at the last look */
    bool listed;       /* met at this look */
    atomic_bool exists;
    Metrics metrics;
} Plugin;

/* Loads what is in the folder. False with a message when that cannot be read. */
bool plugins_start(void);
void plugins_stop(void);
/* Looks at the folder again: called now and then, by one thread. */
void plugins_refresh(void);
/* The plugin of that name, which is never freed before plugins_stop(), or NULL. */
Plugin *plugins_find(const char *name, size_t size);
/* What is to be run now, or NULL. */
Version *plugin_hold(Plugin *plugin);
void version_release(Version *version);
Plugin *plugins_first(void); /* the list only grows, at its head */

/* ---- One request -------------------------------------------------------------------------------------- */

typedef struct Request {
    /* from the client */
    const char *method, *path, *query; /* `path` as it came, without the query */
    const char *client;                /* address */
    const char *const *variables;      /* further ones, "NAME=VALUE" */
    size_t nvariables;
    const char *body;
    size_t body_size;
    /* where in the path the plugin's name ends */
    size_t script_size;
} Request;

typedef struct Header {
    const char *name, *value;
} Header;
enum { MAX_HEADERS = 64 };

typedef struct Response {
    Outcome outcome;
    unsigned status;
    Header headers[MAX_HEADERS]; /* in `text` */
    size_t nheaders;
    Text text;   /* all that the guest wrote, or a message of ours */
    size_t body; /* where the body begins in it */
} Response;

/* Runs the plugin. The response is always complete; response_free() it. */
void serve_run(Plugin *plugin, const Request *request, Response *response);
/* Reads response->text as CGI output: false if it is none. */
bool response_parse(Response *response);
/* Makes it an answer of our own: "STATUS reason". */
void response_fail(Response *response, Outcome outcome, unsigned status, const char *reason);
void response_free(Response *response);

/* ---- HTTP ------------------------------------------------------------------------------------------------ */

/* False with a message when the address cannot be had. */
bool http_start(void);
void http_stop(void);

#endif
