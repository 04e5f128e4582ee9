/*
 * response.c - what a guest wrote to standard output, as a CGI response (RFC 3875, section 6):
 * header fields, an empty line, the body. A guest must say Content-Type or Location, may say Status;
 * everything else is passed on. Lines end in LF or CR LF.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve.h"

static bool is_token(const char *s) {
    if (!*s) return false;
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7F || strchr("()<>@,;:\\\"/[]?={}", *s)) return false;
    return true;
}

static bool is_field_value(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < ' ' && *s != '\t') return false;
    return *s == 0;
}

/* What the server decides itself, or what would let a guest speak for the connection. */
static bool is_hop(const char *name) {
    static const char *const names[] = {"connection",        "keep-alive",     "te",      "trailer",
                                        "transfer-encoding", "content-length", "upgrade", "date"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

static bool take_status(Response *r, const char *value) {
    unsigned status = 0;
    int digits = 0;
    for (; digits < 3 && value[digits] >= '0' && value[digits] <= '9'; digits++)
        status = status * 10 + (unsigned)(value[digits] - '0');
    if (digits != 3 || (value[3] != 0 && value[3] != ' ') || status < 200 || status > 599)
        return false;
    r->status = status;
    return true;
}

/* One line, zero-terminated, without its end. */
static bool take_field(Response *r, char *line, bool *has_required) {
    char *colon = strchr(line, ':');
    if (!colon) return false;
    *colon = 0;
    char *value = colon + 1, *end = value + strlen(value);
    while (*value == ' ' || *value == '\t') value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) *--end = 0;
    if (!is_token(line) || !is_field_value(value)) return false;
    if (strcasecmp(line, "status") == 0) return take_status(r, value);
    if (is_hop(line)) return true;
    if (strcasecmp(line, "content-type") == 0) *has_required = true;
    if (strcasecmp(line, "location") == 0) {
        *has_required = true;
        if (r->status == 0) r->status = 302;
    }
    if (r->nheaders == MAX_HEADERS) return false;
    r->headers[r->nheaders++] = (Header){line, value};
    return true;
}

/* The line at `at` and where the next one begins; false at the end of the text. */
static bool next_line(Text *text, size_t *at, char **line) {
    if (*at >= text->size) return false;
    char *start = text->bytes + *at;
    char *end = memchr(start, '\n', text->size - *at);
    if (!end || memchr(start, 0, (size_t)(end - start))) return false;
    *at = (size_t)(end - text->bytes) + 1;
    if (end > start && end[-1] == '\r') end--;
    *end = 0;
    *line = start;
    return true;
}

bool response_parse(Response *r) {
    bool has_required = false;
    char *line;
    r->status = 0;
    r->nheaders = 0;
    r->body = 0;
    while (next_line(&r->text, &r->body, &line)) {
        if (!*line) {
            if (r->status == 0) r->status = 200;
            return has_required;
        }
        if (!take_field(r, line, &has_required)) return false;
    }
    return false; /* no empty line */
}

void response_fail(Response *r, Outcome outcome, unsigned status, const char *reason) {
    text_free(&r->text);
    r->outcome = outcome;
    r->status = status;
    r->body = 0;
    r->headers[0] = (Header){"Content-Type", "text/plain; charset=utf-8"};
    r->nheaders = 1;
    text_print(&r->text, "%u %s\n", status, reason);
}

void response_free(Response *r) { text_free(&r->text); }
