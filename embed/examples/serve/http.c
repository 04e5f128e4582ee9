/*
 * http.c - connections, by GNU libmicrohttpd: a thread for each, so that a guest that takes its time,
 * or a client that does, keeps nobody else waiting. How many there may be is a setting. Bodies are
 * collected before the guest runs, and its output before it is sent: no instance lives longer than
 * the guest runs.
 */
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve.h"

enum {
    IDLE_SECONDS = 10,        /* without a byte: the connection is closed */
    HEADER_MEMORY = 32 << 10, /* of a connection */
    THREAD_STACK = 512 << 10,
    MAX_VARIABLES = 128
};

static struct MHD_Daemon *server;
static char bound_port[8];

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- the request as it comes in ----------------------------------------------------------------- */

typedef struct Exchange {
    char *path, *query; /* one block */
    Text body;
    uint64_t began;
    bool begun;
    char **variables;
    size_t nvariables;
} Exchange;

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. What is no escape stays, and so does %00. */
static void decode_percent(char *s) {
    char *to = s;
    for (; *s; s++) {
        int high = *s == '%' ? hex(s[1]) : -1, low = high >= 0 ? hex(s[2]) : -1;
        if (low >= 0 && (high | low)) {
            *to++ = (char)(high << 4 | low);
            s += 2;
        } else {
            *to++ = *s;
        }
    }
    *to = 0;
}

/* The first thing that is heard of a request, before MHD takes the query apart. */
static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection) {
    (void)context, (void)connection;
    Exchange *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->path = strdup(uri);
    if (!x->path) {
        free(x);
        return NULL;
    }
    x->query = strchr(x->path, '?');
    if (x->query)
        *x->query++ = 0;
    else
        x->query = x->path + strlen(x->path);
    decode_percent(x->path); /* the query is behind, and stays as it is */
    return x;
}

static Client *client_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    (void)context, (void)how;
    Exchange *x = *state;
    client_waits(client_of(connection), true);
    if (!x) return;
    for (size_t i = 0; i < x->nvariables; i++) free(x->variables[i]);
    free(x->variables);
    text_free(&x->body);
    free(x->path);
    free(x);
    *state = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what) {
    (void)context;
    metrics_connections += what == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *state = info ? client_add(info->connect_fd) : NULL;
    } else {
        client_remove(*state);
        *state = NULL;
    }
}

/* Fields that CGI leaves out: they are the server's business, or secrets, or (Proxy) a trap. */
static bool is_private(const char *name) {
    static const char *const names[] = {"authorization",  "proxy-authorization",
                                        "proxy",          "connection",
                                        "content-length", "transfer-encoding"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

/* "NAME=VALUE" with the name as CGI spells it, or NULL. */
static char *make_variable(const char *name, const char *value) {
    bool plain = strcasecmp(name, "content-type") == 0;
    size_t size = strlen(name), i = plain ? 0 : 5;
    char *text = malloc(i + size + strlen(value) + 2);
    if (!text) return NULL;
    if (!plain) memcpy(text, "HTTP_", 5);
    for (const char *p = name; *p; p++) {
        char c = *p;
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        bool ok = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        text[i++] = ok ? c : '_';
    }
    text[i++] = '=';
    strcpy(text + i, value);
    return text;
}

static enum MHD_Result add_field(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    Exchange *x = context;
    (void)kind;
    if (is_private(name)) return MHD_YES;
    if (x->nvariables == MAX_VARIABLES) return MHD_NO;
    char *text = make_variable(name, value ? value : "");
    if (text) x->variables[x->nvariables++] = text;
    return MHD_YES;
}

static bool collect_fields(Exchange *x, struct MHD_Connection *connection) {
    x->variables = calloc(MAX_VARIABLES, sizeof *x->variables);
    if (!x->variables) return false;
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, add_field, x);
    return true;
}

static void client_address(struct MHD_Connection *connection, char *text, size_t size) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    socklen_t length = !address                         ? 0
                       : address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                        : sizeof(struct sockaddr_in);
    if (!address || getnameinfo(address, length, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST))
        snprintf(text, size, "unknown");
}

/* ---- the response ------------------------------------------------------------------------------- */

static void free_bytes(void *bytes) { free(bytes); }

/* Takes the response over. */
static enum MHD_Result send_response(struct MHD_Connection *connection, Response *r) {
    bool no_body = r->status == 204 || r->status == 304;
    size_t size = no_body || !r->text.bytes ? 0 : r->text.size - r->body;
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        size, r->text.bytes ? r->text.bytes + r->body : (void *)"", free_bytes, r->text.bytes);
    if (!response) {
        response_free(r);
        return MHD_NO;
    }
    for (size_t i = 0; i < r->nheaders; i++)
        (void)MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
    enum MHD_Result result = MHD_queue_response(connection, r->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_error(struct MHD_Connection *connection, unsigned status,
                                  const char *reason) {
    Response r = {0};
    response_fail(&r, OUTCOME_UNAVAILABLE, status, reason);
    return send_response(connection, &r);
}

static enum MHD_Result send_metrics(struct MHD_Connection *connection) {
    Response r = {.status = 200, .nheaders = 1};
    r.headers[0] = (Header){"Content-Type", "text/plain; version=0.0.4; charset=utf-8"};
    metrics_print(&r.text);
    return send_response(connection, &r);
}

static enum MHD_Result run_plugin(Exchange *x, struct MHD_Connection *connection,
                                  const char *method, Plugin *plugin, size_t script_size) {
    char client[64];
    Response response;
    client_address(connection, client, sizeof client);
    Request request = {.method = method,
                       .path = x->path,
                       .query = x->query,
                       .client = client,
                       .variables = (const char *const *)x->variables,
                       .nvariables = x->nvariables,
                       .body = x->body.bytes,
                       .body_size = x->body.size,
                       .script_size = script_size};
    serve_run(plugin, &request, &response);
    metrics_count(&plugin->metrics, response.outcome, now() - x->began, x->body.size,
                  response.text.size - response.body);
    return send_response(connection, &response);
}

/* "/NAME" and what follows; "/" is the plugin `index`. */
static Plugin *find_plugin(const Exchange *x, size_t *script_size) {
    const char *path = x->path;
    if (*path != '/') return NULL;
    size_t size = strcspn(path + 1, "/");
    *script_size = size > 0 ? size + 1 : 0;
    return size > 0 ? plugins_find(path + 1, size) : plugins_find("index", 5);
}

static enum MHD_Result answer(Exchange *x, struct MHD_Connection *connection, const char *method) {
    size_t script_size;
    client_waits(client_of(connection), false);
    if (strcmp(x->path, "/metrics") == 0) return send_metrics(connection);
    Plugin *plugin = find_plugin(x, &script_size);
    if (!plugin || !plugin->exists) {
        metrics_not_found++;
        return send_error(connection, 404, "There is no such plugin");
    }
    if (x->body.failed || !collect_fields(x, connection)) {
        metrics_refused++;
        return send_error(connection, 503, "There is no memory for the request");
    }
    return run_plugin(x, connection, method, plugin, script_size);
}

/* ---- libmicrohttpd's side ----------------------------------------------------------------------- */

static bool announces_too_much(struct MHD_Connection *connection) {
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > settings.max_body;
}

static enum MHD_Result begin(Exchange *x, struct MHD_Connection *connection) {
    x->begun = true;
    x->began = now();
    if (!announces_too_much(connection)) return MHD_YES;
    size_t ignored;
    Plugin *plugin = find_plugin(x, &ignored);
    if (plugin) metrics_count(&plugin->metrics, OUTCOME_TOO_LARGE, 0, 0, 0);
    return send_error(connection, 413, "The request is too large");
}

/* False: the connection is given up. */
static bool take_body(Exchange *x, const char *bytes, size_t size) {
    if (size > settings.max_body - x->body.size) return false;
    text_add(&x->body, bytes, size);
    return true;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **state) {
    (void)context, (void)url, (void)version;
    Exchange *x = *state;
    if (!x) {
        metrics_refused++;
        return MHD_NO;
    }
    if (!x->begun) return begin(x, connection);
    if (*size > 0) {
        bool ok = take_body(x, bytes, *size);
        *size = 0;
        return ok ? MHD_YES : MHD_NO;
    }
    return answer(x, connection, method);
}

/* Our own, so that the port is known before the first request. */
static int listen_at(const struct addrinfo *at) {
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    int one = 1, fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0 &&
        getsockname(fd, (struct sockaddr *)&bound, &size) == 0 &&
        getnameinfo((struct sockaddr *)&bound, size, NULL, 0, bound_port, sizeof bound_port,
                    NI_NUMERICSERV) == 0) {
        settings.port = bound_port;
        return fd;
    }
    close(fd);
    return -1;
}

static bool start_at(const struct addrinfo *at) {
    int fd = listen_at(at);
    if (fd < 0) return false;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    if (at->ai_family == AF_INET6) flags |= MHD_USE_IPv6;
    server = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_CONNECTION_LIMIT,
        settings.max_connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)THREAD_STACK, MHD_OPTION_END);
    if (!server) close(fd);
    return server != NULL;
}

bool http_start(void) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    int error = getaddrinfo(settings.host, settings.port, &hints, &list);
    if (error) {
        serve_log("%s: %s", settings.host, gai_strerror(error));
        return false;
    }
    bool ok = false;
    for (struct addrinfo *at = list; at && !ok; at = at->ai_next) ok = start_at(at);
    freeaddrinfo(list);
    if (!ok) {
        serve_log("cannot listen on %s port %s", settings.host, settings.port);
        return false;
    }
    return true;
}

void http_stop(void) { MHD_stop_daemon(server); }
