/*
 * os_process_posix.c - os.h's child processes for POSIX systems. Apart from os_posix.c because few need them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
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

/* Processes that were left, until they have ended and something is asked of them: so that none stays a zombie for as
 * long as this process runs. */
static atomic_int left[16];
static atomic_flag reaping = ATOMIC_FLAG_INIT;

static void reap_left(void) {
    if (atomic_flag_test_and_set(&reaping)) return;
    for (size_t i = 0; i < ARRAY_LEN(left); i++) {
        int id = atomic_load(&left[i]);
        if (id != 0 && waitpid((pid_t)id, NULL, WNOHANG) != 0) atomic_store(&left[i], 0);
    }
    atomic_flag_clear(&reaping);
}

bool wr_os_process_start(const char *const *argv, int nice, OsProcess *process, const char **why) {
    int pair[2];
    *why = NULL;
    reap_left();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        *why = strerror(errno);
        return false;
    }
    pid_t id = 0;
    int error = spawn(argv, pair[1], nice > 0, &id);
    (void)close(pair[1]);
    if (error == 0) {
        if (nice > 0) (void)setpriority(PRIO_PROCESS, (id_t)id, nice);
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

void wr_os_process_hang_up(const OsProcess *process) { (void)shutdown(process->socket, SHUT_RDWR); }

void wr_os_process_leave(OsProcess *process) {
    (void)close(process->socket);
    for (size_t i = 0; i < ARRAY_LEN(left); i++) {
        int none = 0;
        if (atomic_compare_exchange_strong(&left[i], &none, (int)process->id)) return;
    }
    (void)kill((pid_t)process->id, SIGKILL); /* they are too many */
    (void)waitpid((pid_t)process->id, NULL, 0);
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
