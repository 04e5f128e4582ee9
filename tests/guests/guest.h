/*
 * guest.h - what the guest programs of this folder share: transcripts of WASI calls.
 *
 * A guest prints what it did and what came of it, by names instead of numbers, and nothing that
 * depends on the machine. CALL() prints a call as it is written and the name of its errno.
 */
#ifndef WASMRUN_TESTS_GUEST_H
#define WASMRUN_TESTS_GUEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

static const char *errno_name(unsigned e) {
    static const char *const names[] = {
        "ok",          "2BIG",           "ACCES",       "ADDRINUSE",   "ADDRNOTAVAIL",
        "AFNOSUPPORT", "AGAIN",          "ALREADY",     "BADF",        "BADMSG",
        "BUSY",        "CANCELED",       "CHILD",       "CONNABORTED", "CONNREFUSED",
        "CONNRESET",   "DEADLK",         "DESTADDRREQ", "DOM",         "DQUOT",
        "EXIST",       "FAULT",          "FBIG",        "HOSTUNREACH", "IDRM",
        "ILSEQ",       "INPROGRESS",     "INTR",        "INVAL",       "IO",
        "ISCONN",      "ISDIR",          "LOOP",        "MFILE",       "MLINK",
        "MSGSIZE",     "MULTIHOP",       "NAMETOOLONG", "NETDOWN",     "NETRESET",
        "NETUNREACH",  "NFILE",          "NOBUFS",      "NODEV",       "NOENT",
        "NOEXEC",      "NOLCK",          "NOLINK",      "NOMEM",       "NOMSG",
        "NOPROTOOPT",  "NOSPC",          "NOSYS",       "NOTCONN",     "NOTDIR",
        "NOTEMPTY",    "NOTRECOVERABLE", "NOTSOCK",     "NOTSUP",      "NOTTY",
        "NXIO",        "OVERFLOW",       "OWNERDEAD",   "PERM",        "PIPE",
        "PROTO",       "PROTONOSUPPORT", "PROTOTYPE",   "RANGE",       "ROFS",
        "SPIPE",       "SRCH",           "STALE",       "TIMEDOUT",    "TXTBSY",
        "XDEV",        "NOTCAPABLE"};
    return e < sizeof names / sizeof *names ? names[e] : "(no errno)";
}

static inline __wasi_errno_t show(const char *what, __wasi_errno_t e) {
    printf("%s: %s\n", strncmp(what, "__wasi_", 7) == 0 ? what + 7 : what, errno_name(e));
    return e;
}

/* Evaluates a call, prints it and its errno; the value is the errno. */
#define CALL(call) show(#call, (call))

/* Prints a condition and whether it holds. */
#define CHECK(condition) printf("%s: %s\n", #condition, (condition) ? "yes" : "NO")

/* The directory that the runner gives to every guest, unless its options say otherwise. */
enum { ROOT = 3 };

#define RIGHTS_FILE                                                                                \
    (__WASI_RIGHTS_FD_DATASYNC | __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK |                   \
     __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | __WASI_RIGHTS_FD_SYNC | __WASI_RIGHTS_FD_TELL |           \
     __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_ADVISE | __WASI_RIGHTS_FD_ALLOCATE |                \
     __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE |                          \
     __WASI_RIGHTS_FD_FILESTAT_SET_TIMES | __WASI_RIGHTS_POLL_FD_READWRITE)

/* Opens beneath ROOT with all rights of a file; prints only failure, and returns -1 then. */
static inline __wasi_fd_t open_file(const char *path, __wasi_oflags_t oflags,
                                    __wasi_fdflags_t flags) {
    __wasi_fd_t fd;
    __wasi_errno_t e = __wasi_path_open(ROOT, 0, path, oflags, RIGHTS_FILE, 0, flags, &fd);
    if (e) {
        printf("open %s: %s\n", path, errno_name(e));
        return -1;
    }
    return fd;
}

#define RIGHTS_DIR                                                                                 \
    (__WASI_RIGHTS_PATH_CREATE_DIRECTORY | __WASI_RIGHTS_PATH_CREATE_FILE |                        \
     __WASI_RIGHTS_PATH_LINK_SOURCE | __WASI_RIGHTS_PATH_LINK_TARGET | __WASI_RIGHTS_PATH_OPEN |   \
     __WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_PATH_READLINK | __WASI_RIGHTS_PATH_RENAME_SOURCE |   \
     __WASI_RIGHTS_PATH_RENAME_TARGET | __WASI_RIGHTS_PATH_FILESTAT_GET |                          \
     __WASI_RIGHTS_PATH_FILESTAT_SET_TIMES | __WASI_RIGHTS_FD_FILESTAT_GET |                       \
     __WASI_RIGHTS_FD_FILESTAT_SET_TIMES | __WASI_RIGHTS_PATH_SYMLINK |                            \
     __WASI_RIGHTS_PATH_REMOVE_DIRECTORY | __WASI_RIGHTS_PATH_UNLINK_FILE)

/* Opens a directory beneath ROOT for everything that is done in one. */
static inline __wasi_fd_t open_dir(const char *path) {
    __wasi_fd_t fd;
    __wasi_errno_t e = __wasi_path_open(ROOT, 0, path, __WASI_OFLAGS_DIRECTORY, RIGHTS_DIR,
                                        RIGHTS_DIR | RIGHTS_FILE, 0, &fd);
    if (e) {
        printf("open directory %s: %s\n", path, errno_name(e));
        return -1;
    }
    return fd;
}

static inline __wasi_errno_t write_text(__wasi_fd_t fd, const char *text) {
    __wasi_ciovec_t vector = {(const uint8_t *)text, strlen(text)};
    __wasi_size_t n = 0;
    __wasi_errno_t e = __wasi_fd_write(fd, &vector, 1, &n);
    return e == 0 && n != vector.buf_len ? __WASI_ERRNO_IO : e;
}

/* Creates a file with that content; its absence afterwards will be noticed. */
static inline void put_file(const char *path, const char *text) {
    __wasi_fd_t fd = open_file(path, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC, 0);
    if (fd >= 0) {
        write_text(fd, text);
        (void)__wasi_fd_close(fd);
    }
}

static inline const char *type_name(__wasi_filetype_t type) {
    static const char *const names[] = {"unknown",       "block device", "character device",
                                        "directory",     "regular file", "datagram socket",
                                        "stream socket", "symbolic link"};
    return type < sizeof names / sizeof *names ? names[type] : "(no type)";
}

#endif
