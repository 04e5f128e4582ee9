/*
 * fdtable.h - the guest's descriptors.
 *
 * A table of Descriptor by guest number: lowest free number first, bounded. A descriptor owns its file,
 * its preopen name and its directory stream. Offsets are the file's: two descriptors never share one.
 *
 * Threads of a guest share the table. Whoever uses a descriptor holds it, so that closing it meanwhile
 * takes it out of the table only, and the file goes with the last holder: it cannot come to mean another
 * file under a call in progress. Locks are held for moments, never while something may block.
 */
#ifndef WR_WASI_FDTABLE_H
#define WR_WASI_FDTABLE_H

#include <stdatomic.h>

#include "dir.h"
#include "file.h"
#include "wasmrun.h"

typedef enum DescriptorKind {
    KIND_NULL, /* no host descriptor: the embedder's stream, else reads see the end, writes vanish */
    KIND_FILE, /* regular files, block devices, whatever the embedder gives: never wait */
    KIND_DIRECTORY,
    KIND_STREAM, /* pipes, terminals and other devices */
    KIND_SOCKET
} DescriptorKind;

typedef struct Descriptor {
    DescriptorKind kind;
    File file;        /* NO_FILE for KIND_NULL */
    uint8_t filetype; /* WASI_FILETYPE_ */
    bool seekable;
    bool read_only;          /* in a read-only directory: nothing beneath may be changed */
    _Atomic(uint16_t) flags; /* WASI_FDFLAGS_ as the guest sees them */
    uint16_t host_flags;     /* those of them that the file enforces; the rest is done here */
    _Atomic(uint64_t) base, inheriting; /* WASI_RIGHTS_ */
    char *preopen;                      /* guest path of a preopened directory, else NULL */
    wr_wasi_stream_t stream;            /* KIND_NULL: the embedder's callbacks, or NULL */
    /* In a table: */
    SysMutex
        lock; /* of `listing`, of changes to what is _Atomic, and of moving bytes of a stream */
    Listing *listing; /* of a directory being read, or NULL */
    uint32_t holders; /* the table and calls in progress; under the table's lock */
} Descriptor;

typedef struct FdTable {
    SysMutex lock;
    Descriptor **descriptors; /* NULL: a free place */
    uint32_t capacity;
} FdTable;

enum { FDTABLE_LIMIT = 1 << 16 };

/* Rights that make sense for a kind of file; others are dropped when one is opened. */
#define RIGHTS_REGULAR                                                                             \
    (WASI_RIGHTS_FD_DATASYNC | WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_SEEK |                         \
     WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | WASI_RIGHTS_FD_SYNC | WASI_RIGHTS_FD_TELL |                 \
     WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_ADVISE | WASI_RIGHTS_FD_ALLOCATE |                      \
     WASI_RIGHTS_FD_FILESTAT_GET | WASI_RIGHTS_FD_FILESTAT_SET_SIZE |                              \
     WASI_RIGHTS_FD_FILESTAT_SET_TIMES | WASI_RIGHTS_POLL_FD_READWRITE)
#define RIGHTS_PATH                                                                                \
    (WASI_RIGHTS_PATH_CREATE_DIRECTORY | WASI_RIGHTS_PATH_CREATE_FILE |                            \
     WASI_RIGHTS_PATH_LINK_SOURCE | WASI_RIGHTS_PATH_LINK_TARGET | WASI_RIGHTS_PATH_OPEN |         \
     WASI_RIGHTS_PATH_READLINK | WASI_RIGHTS_PATH_RENAME_SOURCE | WASI_RIGHTS_PATH_RENAME_TARGET | \
     WASI_RIGHTS_PATH_FILESTAT_GET | WASI_RIGHTS_PATH_FILESTAT_SET_SIZE |                          \
     WASI_RIGHTS_PATH_FILESTAT_SET_TIMES | WASI_RIGHTS_PATH_SYMLINK |                              \
     WASI_RIGHTS_PATH_REMOVE_DIRECTORY | WASI_RIGHTS_PATH_UNLINK_FILE)
#define RIGHTS_DIRECTORY                                                                           \
    (RIGHTS_PATH | WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | WASI_RIGHTS_FD_SYNC |                         \
     WASI_RIGHTS_FD_DATASYNC | WASI_RIGHTS_FD_ADVISE | WASI_RIGHTS_FD_READDIR |                    \
     WASI_RIGHTS_FD_FILESTAT_GET | WASI_RIGHTS_FD_FILESTAT_SET_TIMES |                             \
     WASI_RIGHTS_POLL_FD_READWRITE)
#define RIGHTS_STREAM                                                                              \
    (WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_FDSTAT_SET_FLAGS |                \
     WASI_RIGHTS_FD_SYNC | WASI_RIGHTS_FD_DATASYNC | WASI_RIGHTS_FD_FILESTAT_GET |                 \
     WASI_RIGHTS_FD_FILESTAT_SET_TIMES | WASI_RIGHTS_POLL_FD_READWRITE)
#define RIGHTS_SOCKET                                                                              \
    (WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_FDSTAT_SET_FLAGS |                \
     WASI_RIGHTS_FD_FILESTAT_GET | WASI_RIGHTS_POLL_FD_READWRITE | WASI_RIGHTS_SOCK_SHUTDOWN |     \
     WASI_RIGHTS_SOCK_ACCEPT)

/* Rights whose use changes a file or directory. */
#define RIGHTS_CHANGING                                                                            \
    (WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_ALLOCATE | WASI_RIGHTS_FD_FILESTAT_SET_SIZE |           \
     WASI_RIGHTS_FD_FILESTAT_SET_TIMES |                                                           \
     (RIGHTS_PATH &                                                                                \
      ~(WASI_RIGHTS_PATH_OPEN | WASI_RIGHTS_PATH_READLINK | WASI_RIGHTS_PATH_FILESTAT_GET)))

/* Describes an open file, of which the result takes ownership (not if it fails), with
 * those of the given rights that apply to what it is. */
Errno wr_descriptor_open(File file, uint64_t base, uint64_t inheriting, Descriptor *result);
/* The same where wr_file_info() has been asked already. */
Descriptor wr_descriptor_of(File file, const SysInfo *info, uint64_t base, uint64_t inheriting);
/* A descriptor without a file behind it. */
Descriptor wr_descriptor_null(uint64_t base);
/* Closes what it owns, if it is in no table. */
Errno wr_descriptor_close(Descriptor *descriptor);

void wr_fdtable_init(FdTable *table);
/* Takes ownership, closing it on failure (MFILE, NOMEM). `*fd` is the lowest free number. */
Errno wr_fdtable_insert(FdTable *table, Descriptor descriptor, uint32_t *fd);
/* Puts it in the place of another one; BADF if there is none. Takes ownership, closing it on failure. */
Errno wr_fdtable_replace(FdTable *table, Descriptor descriptor, uint32_t fd);
/* NULL if there is none of that number; else it is to be released. */
Descriptor *wr_fdtable_hold(FdTable *table, uint32_t fd);
/* The error is that of closing it, when nobody else holds it. */
Errno wr_fdtable_release(FdTable *table, Descriptor *descriptor);
/* Takes it out of the table; BADF if there is none. */
Errno wr_fdtable_close(FdTable *table, uint32_t fd);
/* Both must be open; `from` takes the place of `to`, which is closed. */
Errno wr_fdtable_renumber(FdTable *table, uint32_t from, uint32_t to);
void wr_fdtable_free(FdTable *table);

#endif
