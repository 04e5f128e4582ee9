/*
 * os_process_posix.c - os.h's child processes for POSIX systems. Apart from os_posix.c because few need them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"

extern char **environ;

static int set_streams(posix_spawn_file_actions_t *actions, int socket, bool quiet) {
    int error = posix_spawn_file_actions_adddup2(actions, socket, STDIN_FILENO);
    if (error == 0) error = posix_spawn_file_actions_adddup2(actions, socket, STDOUT_FILENO);
    if (error == 0 && quiet)
        error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return error;
}

/* The child has the socket as its input and output, no signal blocked or ignored, and our standard error or none. */
static int spawn(const char *const *argv, int socket, bool quiet, pid_t *id) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_streams(&actions, socket, quiet);
        if (error == 0) error = posix_spawnattr_setsigmask(&attributes, &none);
        if (error == 0) error = posix_spawnattr_setsigdefault(&attributes, &all);
        if (error == 0)
            error = posix_spawnattr_setflags(&attributes,
                                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (error == 0)
            error = posix_spawn(id, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv,
                                environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Nice values: less than half of a processor that somebody else wants, too; a quarter where there is only one. */
#define YIELDING 2
#define YIELDING_ALONE 5

bool wr_os_process_start(const char *const *argv, bool quiet, OsProcess *process,
                         const char **why) {
    int pair[2];
    *why = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        *why = strerror(errno);
        return false;
    }
    pid_t id = 0;
    int error = spawn(argv, pair[1], quiet, &id);
    (void)close(pair[1]);
    if (error == 0) {
        int value = wr_os_cpu_count() > 1 ? YIELDING : YIELDING_ALONE;
        if (quiet) (void)setpriority(PRIO_PROCESS, (id_t)id, value);
        *process = (OsProcess){id, pair[0]};
        return true;
    }
    *why = strerror(error);
    (void)close(pair[0]);
    return false;
}

bool wr_os_process_write(const OsProcess *process, const void *data, size_t size) {
    const u8 *at = data;
    while (size > 0) {
        ssize_t n = send(process->socket, at, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

bool wr_os_process_read(const OsProcess *process, void *data, size_t size) {
    u8 *at = data;
    while (size > 0) {
        ssize_t n = recv(process->socket, at, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

void wr_os_process_kill(const OsProcess *process) { (void)kill((pid_t)process->id, SIGKILL); }

void wr_os_process_end(OsProcess *process, char *how, size_t size) {
    int status = 0;
    (void)close(process->socket);
    pid_t got;
    do got = waitpid((pid_t)process->id, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        (void)snprintf(how, size, "unknown");
    else if (WIFSIGNALED(status))
        (void)snprintf(how, size, "signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, size, "exit status %d", WEXITSTATUS(status));
}

bool wr_os_program_path(char *path, size_t size) {
    ssize_t n = readlink("/proc/self/exe", path, size);
    if (n <= 0 || (size_t)n >= size) return false;
    path[n] = 0;
    return true;
}

bool wr_os_file_is_program(const char *path) { return access(path, X_OK) == 0; }
