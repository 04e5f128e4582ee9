/*
 * What the programs of tests/real/ ask of POSIX and WASI preview 1 (with Debian's wasi-libc) does not
 * have: users, owners, permission bits, record locks, terminals. Force-included (-include) when they
 * are compiled for wasm32-wasi; nothing of the programs is patched. A question has the answer that a
 * process alone in its sandbox would get; a change that cannot be carried out is accepted if the
 * native program ignores its failure, and fails with ENOTSUP otherwise.
 */
#ifndef WASMRUN_TESTS_POSIX_SHIM_H
#define WASMRUN_TESTS_POSIX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Record locks: constants only. SQLite is built with a VFS that takes no locks. */
enum { F_RDLCK, F_WRLCK, F_UNLCK };
enum { F_GETLK = 100, F_SETLK, F_SETLKW };

/* Owners and permission bits: there are none, so setting them changes nothing. */
static inline uid_t geteuid(void) { return 0; }
static inline uid_t getuid(void) { return 0; }
static inline mode_t umask(mode_t mask) {
    (void)mask;
    return 022;
}
static inline int chmod(const char *path, mode_t mode) {
    (void)path, (void)mode;
    return 0;
}
static inline int fchmod(int fd, mode_t mode) {
    (void)fd, (void)mode;
    return 0;
}
static inline int chown(const char *path, uid_t uid, gid_t gid) {
    (void)path, (void)uid, (void)gid;
    return 0;
}
static inline int fchown(int fd, uid_t uid, gid_t gid) {
    (void)fd, (void)uid, (void)gid;
    return 0;
}

/*
 * Canonical names: wasi-libc declares realpath and does not define it. A path that exists is made
 * absolute, and symbolic links in it stay (the programs only need a name that does not depend on the
 * working directory).
 */
static inline char *shim_realpath(const char *path, char *resolved) {
    char cwd[PATH_MAX] = "";
    if (access(path, F_OK) != 0 || (path[0] != '/' && !getcwd(cwd, sizeof cwd))) return NULL;
    size_t at = strlen(cwd);
    if (at + strlen(path) + 2 > PATH_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (!resolved && !(resolved = malloc(PATH_MAX))) return NULL;
    memcpy(resolved, cwd, at);
    if (path[0] != '/' && cwd[at - 1] != '/') resolved[at++] = '/';
    strcpy(resolved + at, path);
    return resolved;
}
#define realpath shim_realpath

/* Other processes: none can be started. */
static inline FILE *popen(const char *command, const char *type) {
    (void)command, (void)type;
    errno = ENOTSUP;
    return NULL;
}
static inline int pclose(FILE *stream) {
    (void)stream;
    errno = ENOTSUP;
    return -1;
}

#endif
