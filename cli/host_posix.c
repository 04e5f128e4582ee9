/* host_posix.c - host.h for POSIX systems. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "numbers.h"

void wr_cli_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

bool wr_cli_is_terminal(void) { return isatty(STDERR_FILENO); }

void wr_cli_become(const char *name, char **argv) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        char *slash = strrchr(path, '/');
        size_t room = slash ? sizeof path - (size_t)(slash + 1 - path) : 0;
        if (strlen(name) < room) {
            strcpy(slash + 1, name);
            execv(path, argv);
            if (errno != ENOENT) return;
        }
    }
    execvp(name, argv);
}

void wr_cli_close(int descriptor) { close(descriptor); }

/* Splits at the last colon and takes brackets off. False when the parts do not fit or are missing. */
static int split(const char *text, char *host, size_t host_size, uint16_t *port) {
    const char *colon = strrchr(text, ':');
    uint64_t number;
    if (!colon || !wr_cli_parse_count(colon + 1, &number) || number > 65535) return 0;
    const char *end = colon;
    if (*text == '[') {
        if (end == text || end[-1] != ']') return 0;
        text++;
        end--;
    } else if (memchr(text, ':', (size_t)(end - text))) {
        return 0; /* IPv6 needs its brackets: which colon is which? */
    }
    size_t length = (size_t)(end - text);
    if (end <= text || length >= host_size) return 0;
    memcpy(host, text, length);
    host[length] = 0;
    *port = (uint16_t)number;
    return 1;
}

typedef union Address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} Address;

/* A number; returns the address's size, 0 if it is none. */
static socklen_t read_number(const char *host, uint16_t port, Address *out) {
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        return sizeof out->v4;
    }
    if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) != 1) return 0;
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    return sizeof out->v6;
}

/* Whether a line of /etc/hosts, "NUMBER NAME NAME... # COMMENT", has that name. The number is ended with a zero. */
static int line_names(char *line, const char *name, const char **number) {
    char *rest;
    line[strcspn(line, "#\n")] = 0;
    *number = strtok_r(line, " \t", &rest);
    for (const char *word; *number && (word = strtok_r(NULL, " \t", &rest));)
        if (strcasecmp(word, name) == 0) return 1;
    return 0;
}

/* Numbers, and the names that this machine gives to addresses itself, /etc/hosts, of which those to listen at are: asking
 * further would load name services into the process, which is linked statically. As read_number(). */
static socklen_t read_address(const char *host, uint16_t port, Address *out) {
    if (strcasecmp(host, "localhost") == 0)
        host = "127.0.0.1"; /* hosts may have others before it */
    socklen_t size = read_number(host, port, out);
    FILE *hosts = size == 0 ? fopen("/etc/hosts", "re") : NULL;
    char line[1024];
    const char *number;
    while (hosts && size == 0 && fgets(line, sizeof line, hosts))
        if (line_names(line, host, &number)) size = read_number(number, port, out);
    if (hosts) fclose(hosts);
    return size;
}

/* Not blocking, so that a guest's accept after poll cannot hang; the flag is the socket's own. */
static int listen_on(const Address *at, socklen_t size) {
    int one = 1;
    int fd = socket(at->any.sa_family, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, &at->any, size) == 0 && listen(fd, SOMAXCONN) == 0 &&
        fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int wr_cli_listen(const char *address_and_port, const char **why) {
    char host[256];
    uint16_t port;
    Address address;
    if (!split(address_and_port, host, sizeof host, &port)) {
        *why = "expected ADDRESS:PORT";
        return -1;
    }
    socklen_t size = read_address(host, port, &address);
    if (size == 0) {
        *why = "neither an IP address nor a name in /etc/hosts";
        return -1;
    }
    int fd = listen_on(&address, size);
    if (fd < 0) *why = strerror(errno);
    return fd;
}

/* ---- Files below a folder ---- */

static bool has_suffix(const char *name, const char *suffix) {
    size_t size = strlen(name), wanted = strlen(suffix);
    return size >= wanted && strcmp(name + size - wanted, suffix) == 0;
}

/* Takes over the path, also on failure. */
static bool add_path(Paths *paths, char *path) {
    char **grown = path ? realloc(paths->items, (paths->count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(path);
        return false;
    }
    paths->items = grown;
    paths->items[paths->count++] = path;
    return true;
}

static char *join(const char *folder, const char *name) {
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    const char *slash = has_suffix(folder, "/") ? "" : "/";
    if (path) snprintf(path, size, "%s%s%s", folder, slash, name);
    return path;
}

static char *copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *made = malloc(size);
    if (made) memcpy(made, text, size);
    return made;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All entries but hidden ones. */
static bool list_folder(Paths *entries, DIR *folder, const char *path) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) return errno == 0;
        if (entry->d_name[0] != '.' && !add_path(entries, join(path, entry->d_name))) return false;
    }
}

static bool find_below(Paths *paths, char *path, const char *suffix, unsigned depth);

/* Files come before folders. */
static bool find_in_folder(Paths *paths, const char *path, const char *suffix, unsigned depth) {
    Paths entries = {NULL, 0};
    DIR *folder = opendir(path);
    if (!folder) return false;
    bool ok = list_folder(&entries, folder, path);
    closedir(folder);
    if (entries.count > 0)
        qsort(entries.items, entries.count, sizeof *entries.items, compare_paths);
    for (int folders = 0; folders < 2; folders++) {
        for (size_t i = 0; i < entries.count; i++) {
            struct stat status;
            char *entry = entries.items[i];
            if (!entry || stat(entry, &status) != 0) continue;
            bool is_folder = S_ISDIR(status.st_mode);
            if (is_folder != folders || (!is_folder && !has_suffix(entry, suffix))) continue;
            entries.items[i] = NULL;
            ok = ok && find_below(paths, entry, suffix, depth + 1);
        }
    }
    for (size_t i = 0; i < entries.count; i++) free(entries.items[i]);
    free(entries.items);
    return ok;
}

/* Takes over the path. Links may lead in circles: so deep and no deeper. */
static bool find_below(Paths *paths, char *path, const char *suffix, unsigned depth) {
    struct stat status;
    bool is_folder = path && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (!is_folder) return add_path(paths, path);
    bool ok = depth >= 32 || find_in_folder(paths, path, suffix, depth);
    free(path);
    return ok;
}

bool wr_cli_find_files(Paths *paths, const char *path, const char *suffix) {
    return find_below(paths, copy(path), suffix, 0);
}
