/*
 * os.h - what WASI needs of the operating system. The only way from this folder to the host.
 *
 * One implementation per system (os_posix.c), chosen by the build. Everything above speaks WASI's
 * errnos, file types and nanoseconds; host numbers stay below. Descriptors are host descriptors,
 * opened close-on-exec. No call changes anything process-wide, and none is restarted behind the
 * caller's back except after EINTR, unless it says so. A `name` is one path component; such a call
 * never follows a symbolic link.
 */
#ifndef WR_WASI_OS_H
#define WR_WASI_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

/* ---- Files -------------------------------------------------------------------------------------- */

enum { /* for opening */
       SYS_READ = 1,
       SYS_WRITE = 2,
       SYS_CREATE = 4,
       SYS_EXCLUSIVE = 8,
       SYS_TRUNCATE = 16,
       SYS_DIRECTORY = 32, /* fail unless it is one */
       SYS_NOFOLLOW = 64,  /* fail with LOOP if the last component is a symbolic link */
       SYS_HANDLE = 128,   /* only to name things beneath it: needs no permission to read */
       SYS_APPEND = 256,
       SYS_SYNC = 512,
       SYS_DSYNC = 1024,
       SYS_RSYNC = 2048
};

typedef struct SysStat {
    uint64_t dev, ino, nlink, size;
    uint64_t atim, mtim, ctim; /* nanoseconds since 1970; 0 for anything earlier */
    uint8_t filetype;          /* WASI_FILETYPE_ */
    bool fifo;                 /* a pipe, for which WASI has no type */
} SysStat;

/* What an open host descriptor is, for making a guest descriptor of it. */
typedef struct SysInfo {
    SysStat stat;
    uint16_t flags;          /* WASI_FDFLAGS_ in force (never NONBLOCK) */
    bool readable, writable; /* access mode */
    bool terminal, seekable, listening;
} SysInfo;

typedef struct SysBuffer { /* laid out as struct iovec: the implementation asserts it */
    void *data;
    size_t size;
} SysBuffer;

/* Any host path, not beneath anything: for the embedder's directories. */
Errno wr_sys_open_dir(const char *path, int *fd);
/* `path` beneath `dir` in one step, as the kernel guarantees it: leaving `dir` is PERM. NOSYS when
 * this host has no such call, AGAIN when concurrent renames kept it from deciding. */
Errno wr_sys_open_beneath(int dir, const char *path, unsigned flags, int *fd);
Errno wr_sys_open_at(int dir, const char *name, unsigned flags, int *fd);
Errno wr_sys_duplicate(int fd, int *copy);
Errno wr_sys_close(int fd);
Errno wr_sys_info(int fd, SysInfo *info);
Errno wr_sys_stat(int fd, SysStat *stat);
Errno wr_sys_stat_at(int dir, const char *name, SysStat *stat);
Errno wr_sys_set_append(int fd, bool on);

Errno wr_sys_read(int fd, const SysBuffer *buffers, size_t count, size_t *done);
Errno wr_sys_write(int fd, const SysBuffer *buffers, size_t count, size_t *done);
/* For pipes and the like: as wr_sys_write(), and a closed pipe is PIPE without a signal. */
Errno wr_sys_write_pipe(int fd, const SysBuffer *buffers, size_t count, size_t *done);
Errno wr_sys_pread(int fd, const SysBuffer *buffers, size_t count, uint64_t offset, size_t *done);
Errno wr_sys_pwrite(int fd, const SysBuffer *buffers, size_t count, uint64_t offset, size_t *done);
Errno wr_sys_seek(int fd, int64_t offset, int whence, uint64_t *position); /* WASI_WHENCE_ */
Errno wr_sys_sync(int fd, bool data_only);
Errno wr_sys_allocate(int fd, uint64_t offset, uint64_t size);
Errno wr_sys_advise(int fd, uint64_t offset, uint64_t size, int advice); /* WASI_ADVICE_ */
Errno wr_sys_truncate(int fd, uint64_t size);
/* `flags`: WASI_FSTFLAGS_, checked by the caller. */
Errno wr_sys_set_times(int fd, uint64_t atim, uint64_t mtim, unsigned flags);
Errno wr_sys_set_times_at(int dir, const char *name, uint64_t atim, uint64_t mtim, unsigned flags);

Errno wr_sys_mkdir_at(int dir, const char *name);
Errno wr_sys_rmdir_at(int dir, const char *name);
Errno wr_sys_unlink_at(int dir, const char *name);
Errno wr_sys_rename_at(int from, const char *old_name, int to, const char *new_name);
Errno wr_sys_link_at(int from, const char *old_name, int to, const char *new_name);
Errno wr_sys_symlink_at(const char *target, int dir, const char *name);
/* At most `size` bytes, not terminated; `length` is what was stored. INVAL if it is no link. */
Errno wr_sys_readlink_at(int dir, const char *name, char *buffer, size_t size, size_t *length);

/* ---- Directories ---------------------------------------------------------------------------------- */

typedef struct SysDir SysDir; /* a directory being read */
typedef struct SysEntry {
    const char *name; /* valid until the next call on the stream */
    size_t length;
    uint64_t ino;
    uint64_t next; /* cookie of the entry after this one, never 0 */
    uint8_t filetype;
} SysEntry;

/* Reads with a descriptor of its own. */
Errno wr_sys_dir_open(int fd, SysDir **dir);
void wr_sys_dir_close(SysDir *dir);
Errno wr_sys_dir_seek(SysDir *dir, uint64_t cookie); /* 0: start again, seeing what is new */
Errno wr_sys_dir_next(SysDir *dir, SysEntry *entry, bool *end);

/* ---- Sockets ---------------------------------------------------------------------------------------- */

/* None of these waits: AGAIN when it would have to. A closed connection is PIPE without a signal. */
Errno wr_sys_accept(int fd, int *connection);
Errno wr_sys_receive(int fd, const SysBuffer *buffers, size_t count, bool peek, size_t *done,
                     bool *truncated);
Errno wr_sys_send(int fd, const SysBuffer *buffers, size_t count, size_t *done);
Errno wr_sys_shutdown(int fd, unsigned how); /* WASI_SDFLAGS_, at least one */

/* ---- Waiting, clocks, the rest ------------------------------------------------------------------------ */

enum { SYS_POLL_READ = 1, SYS_POLL_WRITE = 2, SYS_POLL_HANGUP = 4, SYS_POLL_BAD = 8 };

typedef struct SysPoll { /* laid out as the host likes: wr_sys_poll() fills `ready` */
    int fd;
    short events, ready; /* SYS_POLL_ */
} SysPoll;

/* Waits until something is ready or `timeout` nanoseconds have passed (UINT64_MAX: for ever), or a
 * signal came, or a little less: callers look at the clock themselves. An error counts as ready. */
Errno wr_sys_poll(SysPoll *items, size_t count, uint64_t timeout, size_t *ready);
/* Bytes that can be read without waiting; 0 when the host cannot tell. */
uint64_t wr_sys_available(int fd);
/* The most that a pipe which polls as writable takes without waiting. */
size_t wr_sys_pipe_atom(void);

Errno wr_sys_clock_time(uint32_t clock, uint64_t *nanoseconds); /* WASI_CLOCKID_ */
Errno wr_sys_clock_resolution(uint32_t clock, uint64_t *nanoseconds);
Errno wr_sys_random(void *buffer, size_t size);
void wr_sys_yield(void);

/* ---- Threads ------------------------------------------------------------------------------------------ */

typedef struct SysMutex {
    uint64_t opaque[8];
} SysMutex;
void wr_sys_mutex_init(SysMutex *mutex);
void wr_sys_mutex_lock(SysMutex *mutex);
void wr_sys_mutex_unlock(SysMutex *mutex);
void wr_sys_mutex_destroy(SysMutex *mutex);

typedef struct SysThread SysThread;
/* NULL when there can be no more. Signals to the process are not delivered to it. */
SysThread *wr_sys_thread_start(void (*run)(void *), void *context);
/* Waits for its end and frees it. */
void wr_sys_thread_join(SysThread *thread);
/* The host's environment, NULL-terminated; not to be kept. */
const char *const *wr_sys_environment(void);

#endif
