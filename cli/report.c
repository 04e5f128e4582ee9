/* report.c - see report.h. */
#include "report.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the well-formed, printable UTF-8 character at text, or 0. */
static size_t printable(const unsigned char *text, size_t size) {
    unsigned char c = text[0];
    if (c < 0x80) return c >= 0x20 && c != 0x7F;
    size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || length > size) return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80) return 0;
    bool overlong = (c == 0xE0 && text[1] < 0xA0) || (c == 0xF0 && text[1] < 0x90);
    bool surrogate = c == 0xED && text[1] >= 0xA0;
    bool control = c == 0xC2 && text[1] < 0xA0;
    bool too_large = c == 0xF4 && text[1] >= 0x90;
    return overlong || surrogate || control || too_large ? 0 : length;
}

void wr_cli_print_safe(FILE *out, const char *text, size_t size) {
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        size_t length = printable(at, (size_t)(end - at));
        if (length)
            fwrite(at, 1, length, out);
        else
            fprintf(out, "\\x%02x", *at);
        at += length ? length : 1;
    }
}

static void begin_line(const char *subject) {
    fputs("wasmrun: ", stderr);
    if (!subject) return;
    wr_cli_print_safe(stderr, subject, strlen(subject));
    fputs(": ", stderr);
}

bool wr_cli_usage_error(const char *command, const char *text) {
    begin_line(NULL);
    wr_cli_print_safe(stderr, text, strlen(text));
    fprintf(stderr, " (see 'wasmrun help%s%s')\n", command ? " " : "", command ? command : "");
    return false;
}

int wr_cli_fail(const char *subject, const char *text) {
    begin_line(subject);
    wr_cli_print_safe(stderr, text, strlen(text));
    fputc('\n', stderr);
    return STATUS_FAILED;
}

bool wr_cli_out_of_memory(void) {
    fputs("wasmrun: out of memory\n", stderr);
    return false;
}

wr_error_t *wr_cli_no_memory(void) { return wr_error_new(WR_ERROR_MEMORY, "out of memory"); }

/* Several lines: a trap or an exception with its backtrace, an error in a text with its line. */
static void report_lines(const char *subject, const wr_error_t *error) {
    size_t size = wr_error_render(error, NULL, 0) + 1;
    char *text = malloc(size);
    begin_line(subject);
    if (text) {
        wr_error_render(error, text, size);
        fputs(text, stderr);
    } else {
        fprintf(stderr, "%s\n", wr_error_message(error));
    }
    free(text);
}

static int report_line(const char *subject, const wr_error_t *error) {
    const char *message = wr_error_message(error);
    uint64_t offset;
    begin_line(subject);
    wr_cli_print_safe(stderr, message, strlen(message));
    if (wr_error_offset(error, &offset))
        fprintf(stderr, " (at offset 0x%llx)", (unsigned long long)offset);
    fputc('\n', stderr);
    return wr_error_kind(error) == WR_ERROR_USAGE ? STATUS_USAGE : STATUS_FAILED;
}

int wr_cli_report(const char *subject, wr_error_t *error) {
    uint32_t guest_status;
    int status = STATUS_FAILED;
    if (wr_error_exit_status(error, &guest_status)) {
        status = (int)(guest_status & 0xFF);
    } else if (wr_error_kind(error) == WR_ERROR_TRAP ||
               wr_error_kind(error) == WR_ERROR_EXCEPTION) {
        report_lines(subject, error);
        status = STATUS_TRAPPED;
    } else if (wr_error_place(error)) {
        report_lines(NULL, error); /* its place names the file */
    } else {
        status = report_line(subject, error);
    }
    wr_error_delete(error);
    return status;
}

void wr_cli_log(void *context, wr_log_level_t level, const char *text) {
    (void)context;
    begin_line(level <= WR_LOG_WARNING ? "warning" : "note");
    wr_cli_print_safe(stderr, text, strlen(text));
    fputc('\n', stderr);
}

int wr_cli_finish(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    return wr_cli_fail("standard output", errno ? strerror(errno) : "write error");
}
