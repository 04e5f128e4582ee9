/* host_posix.c - host.h for POSIX systems. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "numbers.h"

void wr_cli_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

void wr_cli_close(int descriptor) { close(descriptor); }

/* Splits at the last colon and takes brackets off. False when the parts do not fit or are missing. */
static int split(const char *text, char *host, size_t host_size, const char **port) {
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
    *port = colon + 1;
    return 1;
}

/* Not blocking, so that a guest's accept after poll cannot hang; the flag is the socket's own. */
static int listen_on(const struct addrinfo *at) {
    int one = 1;
    int fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0 &&
        fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int wr_cli_listen(const char *address_and_port, const char **why) {
    char host[256];
    const char *port;
    if (!split(address_and_port, host, sizeof host, &port)) {
        *why = "expected ADDRESS:PORT";
        return -1;
    }
    struct addrinfo hints, *found;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        *why = gai_strerror(error);
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) fd = listen_on(at);
    if (fd < 0) *why = strerror(errno);
    freeaddrinfo(found);
    return fd;
}
