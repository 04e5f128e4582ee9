/*
 * os_posix.c - os.h for Linux and other POSIX systems: the one file here that calls the host.
 */
#define _GNU_SOURCE /* O_PATH, ppoll, fallocate, accept4 */
#define _FILE_OFFSET_BITS 64

#include "os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/syscall.h>
#endif

/* ---- Errors --------------------------------------------------------------------------------------- */

/* Host errno to WASI errno; 0 where there is no counterpart. */
static const uint8_t errno_map[] = {
    [E2BIG] = WASI_ERRNO_2BIG,
    [EACCES] = WASI_ERRNO_ACCES,
    [EADDRINUSE] = WASI_ERRNO_ADDRINUSE,
    [EADDRNOTAVAIL] = WASI_ERRNO_ADDRNOTAVAIL,
    [EAFNOSUPPORT] = WASI_ERRNO_AFNOSUPPORT,
    [EAGAIN] = WASI_ERRNO_AGAIN,
    [EALREADY] = WASI_ERRNO_ALREADY,
    [EBADF] = WASI_ERRNO_BADF,
    [EBADMSG] = WASI_ERRNO_BADMSG,
    [EBUSY] = WASI_ERRNO_BUSY,
    [ECANCELED] = WASI_ERRNO_CANCELED,
    [ECHILD] = WASI_ERRNO_CHILD,
    [ECONNABORTED] = WASI_ERRNO_CONNABORTED,
    [ECONNREFUSED] = WASI_ERRNO_CONNREFUSED,
    [ECONNRESET] = WASI_ERRNO_CONNRESET,
    [EDEADLK] = WASI_ERRNO_DEADLK,
    [EDESTADDRREQ] = WASI_ERRNO_DESTADDRREQ,
    [EDOM] = WASI_ERRNO_DOM,
    [EDQUOT] = WASI_ERRNO_DQUOT,
    [EEXIST] = WASI_ERRNO_EXIST,
    [EFAULT] = WASI_ERRNO_FAULT,
    [EFBIG] = WASI_ERRNO_FBIG,
    [EHOSTUNREACH] = WASI_ERRNO_HOSTUNREACH,
    [EIDRM] = WASI_ERRNO_IDRM,
    [EILSEQ] = WASI_ERRNO_ILSEQ,
    [EINPROGRESS] = WASI_ERRNO_INPROGRESS,
    [EINTR] = WASI_ERRNO_INTR,
    [EINVAL] = WASI_ERRNO_INVAL,
    [EIO] = WASI_ERRNO_IO,
    [EISCONN] = WASI_ERRNO_ISCONN,
    [EISDIR] = WASI_ERRNO_ISDIR,
    [ELOOP] = WASI_ERRNO_LOOP,
    [EMFILE] = WASI_ERRNO_MFILE,
    [EMLINK] = WASI_ERRNO_MLINK,
    [EMSGSIZE] = WASI_ERRNO_MSGSIZE,
    [EMULTIHOP] = WASI_ERRNO_MULTIHOP,
    [ENAMETOOLONG] = WASI_ERRNO_NAMETOOLONG,
    [ENETDOWN] = WASI_ERRNO_NETDOWN,
    [ENETRESET] = WASI_ERRNO_NETRESET,
    [ENETUNREACH] = WASI_ERRNO_NETUNREACH,
    [ENFILE] = WASI_ERRNO_NFILE,
    [ENOBUFS] = WASI_ERRNO_NOBUFS,
    [ENODEV] = WASI_ERRNO_NODEV,
    [ENOENT] = WASI_ERRNO_NOENT,
    [ENOEXEC] = WASI_ERRNO_NOEXEC,
    [ENOLCK] = WASI_ERRNO_NOLCK,
    [ENOLINK] = WASI_ERRNO_NOLINK,
    [ENOMEM] = WASI_ERRNO_NOMEM,
    [ENOMSG] = WASI_ERRNO_NOMSG,
    [ENOPROTOOPT] = WASI_ERRNO_NOPROTOOPT,
    [ENOSPC] = WASI_ERRNO_NOSPC,
    [ENOSYS] = WASI_ERRNO_NOSYS,
    [ENOTCONN] = WASI_ERRNO_NOTCONN,
    [ENOTDIR] = WASI_ERRNO_NOTDIR,
    [ENOTEMPTY] = WASI_ERRNO_NOTEMPTY,
    [ENOTRECOVERABLE] = WASI_ERRNO_NOTRECOVERABLE,
    [ENOTSOCK] = WASI_ERRNO_NOTSOCK,
    [ENOTSUP] = WASI_ERRNO_NOTSUP,
#if EOPNOTSUPP != ENOTSUP
    [EOPNOTSUPP] = WASI_ERRNO_NOTSUP,
#endif
    [ENOTTY] = WASI_ERRNO_NOTTY,
    [ENXIO] = WASI_ERRNO_NXIO,
    [EOVERFLOW] = WASI_ERRNO_OVERFLOW,
    [EOWNERDEAD] = WASI_ERRNO_OWNERDEAD,
    [EPERM] = WASI_ERRNO_PERM,
    [EPIPE] = WASI_ERRNO_PIPE,
    [EPROTO] = WASI_ERRNO_PROTO,
    [EPROTONOSUPPORT] = WASI_ERRNO_PROTONOSUPPORT,
    [EPROTOTYPE] = WASI_ERRNO_PROTOTYPE,
    [ERANGE] = WASI_ERRNO_RANGE,
    [EROFS] = WASI_ERRNO_ROFS,
    [ESPIPE] = WASI_ERRNO_SPIPE,
    [ESRCH] = WASI_ERRNO_SRCH,
    [ESTALE] = WASI_ERRNO_STALE,
    [ETIMEDOUT] = WASI_ERRNO_TIMEDOUT,
    [ETXTBSY] = WASI_ERRNO_TXTBSY,
    [EXDEV] = WASI_ERRNO_XDEV,
};

static Errno from_host(int error) {
    if (error <= 0 || (size_t)error >= sizeof errno_map || !errno_map[error]) return WASI_ERRNO_IO;
    return errno_map[error];
}

/* The result of a call that returns -1 and sets errno. */
static Errno check(long result) { return result < 0 ? from_host(errno) : WASI_ERRNO_SUCCESS; }

/* Runs `call` again while a signal interrupts it. */
#define RETRY(result, call)                                                                        \
    do {                                                                                           \
        (result) = (call);                                                                         \
    } while ((result) < 0 && errno == EINTR)

/* The same for calls that yield a number of bytes. */
static Errno counted(ssize_t result, size_t *done) {
    *done = result < 0 ? 0 : (size_t)result;
    return check(result);
}

/* ---- Opening --------------------------------------------------------------------------------------- */

static int host_flags(unsigned flags) {
    /* Never wait in open (a FIFO would), never become a controlling terminal. Waiting is done by
     * polling, so O_NONBLOCK stays on. */
    int host = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if (flags & SYS_HANDLE)
        host = O_CLOEXEC | O_PATH;
    else if ((flags & SYS_READ) && (flags & SYS_WRITE))
        host |= O_RDWR;
    else if (flags & SYS_WRITE)
        host |= O_WRONLY;
    static const struct {
        unsigned flag;
        int host;
    } table[] = {{SYS_CREATE, O_CREAT},        {SYS_EXCLUSIVE, O_EXCL},    {SYS_TRUNCATE, O_TRUNC},
                 {SYS_DIRECTORY, O_DIRECTORY}, {SYS_NOFOLLOW, O_NOFOLLOW}, {SYS_APPEND, O_APPEND},
                 {SYS_SYNC, O_SYNC},           {SYS_DSYNC, O_DSYNC},       {SYS_RSYNC, O_RSYNC}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (flags & table[i].flag) host |= table[i].host;
    return host;
}

Errno wr_sys_open_dir(const char *path, int *fd) {
    RETRY(*fd, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (*fd < 0 && errno == EACCES) /* may be searched though not listed */
        RETRY(*fd, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return check(*fd);
}

Errno wr_sys_open_at(int dir, const char *name, unsigned flags, int *fd) {
    RETRY(*fd, openat(dir, name, host_flags(flags) | O_NOFOLLOW, 0666));
    return check(*fd);
}

#ifdef SYS_openat2
static int open_beneath(int dir, const char *path, int flags) {
    struct open_how how = {.flags = (unsigned)flags,
                           .mode = flags & O_CREAT ? 0666 : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd;
    RETRY(fd, syscall(SYS_openat2, dir, path, &how, sizeof how));
    return (int)fd;
}

/* A kernel without the call says ENOSYS, some sandboxes say EPERM to whatever they do not know. */
static bool beneath_refused(int dir) {
    int fd = open_beneath(dir, ".", O_PATH | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return fd < 0 && errno == EPERM;
}

Errno wr_sys_open_beneath(int dir, const char *path, unsigned flags, int *fd) {
    *fd = open_beneath(dir, path, host_flags(flags));
    if (*fd >= 0) return WASI_ERRNO_SUCCESS;
    if (errno == EXDEV) return WASI_ERRNO_PERM;
    if (errno == EPERM) return beneath_refused(dir) ? WASI_ERRNO_NOSYS : WASI_ERRNO_PERM;
    return from_host(errno);
}
#else
Errno wr_sys_open_beneath(int dir, const char *path, unsigned flags, int *fd) {
    (void)dir, (void)path, (void)flags;
    *fd = -1;
    return WASI_ERRNO_NOSYS;
}
#endif

Errno wr_sys_duplicate(int fd, int *copy) {
    *copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return check(*copy);
}

Errno wr_sys_close(int fd) {
    /* After EINTR the descriptor is gone on Linux, and unspecified elsewhere: never retried. */
    return close(fd) < 0 && errno != EINTR ? from_host(errno) : WASI_ERRNO_SUCCESS;
}

/* ---- Attributes --------------------------------------------------------------------------------------- */

static uint8_t filetype_of_mode(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return WASI_FILETYPE_REGULAR_FILE;
    case S_IFDIR: return WASI_FILETYPE_DIRECTORY;
    case S_IFLNK: return WASI_FILETYPE_SYMBOLIC_LINK;
    case S_IFCHR: return WASI_FILETYPE_CHARACTER_DEVICE;
    case S_IFBLK: return WASI_FILETYPE_BLOCK_DEVICE;
    case S_IFSOCK: return WASI_FILETYPE_SOCKET_STREAM;
    default: return WASI_FILETYPE_UNKNOWN;
    }
}

static uint64_t nanoseconds(struct timespec time) {
    if (time.tv_sec < 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fill_stat(const struct stat *host, SysStat *stat) {
    *stat = (SysStat){.dev = (uint64_t)host->st_dev,
                      .ino = (uint64_t)host->st_ino,
                      .nlink = (uint64_t)host->st_nlink,
                      .size = (uint64_t)host->st_size,
                      .atim = nanoseconds(host->st_atim),
                      .mtim = nanoseconds(host->st_mtim),
                      .ctim = nanoseconds(host->st_ctim),
                      .filetype = filetype_of_mode(host->st_mode),
                      .fifo = S_ISFIFO(host->st_mode)};
}

static int socket_option(int fd, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? 0 : value;
}

Errno wr_sys_stat(int fd, SysStat *stat) {
    struct stat host;
    if (fstat(fd, &host) < 0) return from_host(errno);
    fill_stat(&host, stat);
    if (S_ISSOCK(host.st_mode) && socket_option(fd, SO_TYPE) == SOCK_DGRAM)
        stat->filetype = WASI_FILETYPE_SOCKET_DGRAM;
    return WASI_ERRNO_SUCCESS;
}

Errno wr_sys_stat_at(int dir, const char *name, SysStat *stat) {
    struct stat host;
    if (fstatat(dir, name, &host, AT_SYMLINK_NOFOLLOW) < 0) return from_host(errno);
    fill_stat(&host, stat);
    return WASI_ERRNO_SUCCESS;
}

static uint16_t guest_flags(int host) {
    unsigned flags = 0;
    if (host & O_APPEND) flags |= WASI_FDFLAGS_APPEND;
    if ((host & O_SYNC) == O_SYNC)
        flags |= WASI_FDFLAGS_SYNC;
    else if (host & O_DSYNC)
        flags |= WASI_FDFLAGS_DSYNC;
    return (uint16_t)flags;
}

Errno wr_sys_info(int fd, SysInfo *info) {
    memset(info, 0, sizeof *info);
    Errno error = wr_sys_stat(fd, &info->stat);
    int flags = fcntl(fd, F_GETFL);
    if (error || flags < 0) return error ? error : from_host(errno);
    int mode = flags & O_ACCMODE;
    info->flags = guest_flags(flags);
    info->readable = mode == O_RDONLY || mode == O_RDWR;
    info->writable = mode == O_WRONLY || mode == O_RDWR;
    uint8_t type = info->stat.filetype;
    info->terminal = type == WASI_FILETYPE_CHARACTER_DEVICE && isatty(fd);
    info->seekable = type == WASI_FILETYPE_REGULAR_FILE || type == WASI_FILETYPE_BLOCK_DEVICE;
    if (type == WASI_FILETYPE_CHARACTER_DEVICE && !info->terminal)
        info->seekable = lseek(fd, 0, SEEK_CUR) >= 0;
    info->listening = type == WASI_FILETYPE_SOCKET_STREAM && socket_option(fd, SO_ACCEPTCONN);
    return WASI_ERRNO_SUCCESS;
}

Errno wr_sys_set_append(int fd, bool on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return from_host(errno);
    return check(fcntl(fd, F_SETFL, on ? flags | O_APPEND : flags & ~O_APPEND));
}

/* ---- Reading and writing ---------------------------------------------------------------------------------- */

_Static_assert(sizeof(SysBuffer) == sizeof(struct iovec) &&
                   offsetof(SysBuffer, data) == offsetof(struct iovec, iov_base) &&
                   offsetof(SysBuffer, size) == offsetof(struct iovec, iov_len),
               "SysBuffer stands for struct iovec");

static struct iovec *vectors(const SysBuffer *buffers) {
    return (struct iovec *)(uintptr_t)buffers; /* the kernel only reads the vector itself */
}

Errno wr_sys_read(int fd, const SysBuffer *buffers, size_t count, size_t *done) {
    ssize_t result;
    RETRY(result, readv(fd, vectors(buffers), (int)count));
    return counted(result, done);
}

Errno wr_sys_write(int fd, const SysBuffer *buffers, size_t count, size_t *done) {
    ssize_t result;
    RETRY(result, writev(fd, vectors(buffers), (int)count));
    return counted(result, done);
}

/* The signal of a broken pipe goes to the writing thread: keep it blocked there, take the one that
 * we caused, and leave the rest as it was. A thread that had it blocked sees it pending, as always. */
Errno wr_sys_write_pipe(int fd, const SysBuffer *buffers, size_t count, size_t *done) {
    sigset_t pipe_signal, old;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
    Errno error = wr_sys_write(fd, buffers, count, done);
    if (sigismember(&old, SIGPIPE)) return error;
    if (error == WASI_ERRNO_PIPE) {
        int taken;
        RETRY(taken, sigtimedwait(&pipe_signal, NULL, &(struct timespec){0, 0}));
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error;
}

Errno wr_sys_pread(int fd, const SysBuffer *buffers, size_t count, uint64_t offset, size_t *done) {
    ssize_t result;
    if (offset > INT64_MAX) return WASI_ERRNO_INVAL;
    RETRY(result, preadv(fd, vectors(buffers), (int)count, (off_t)offset));
    return counted(result, done);
}

Errno wr_sys_pwrite(int fd, const SysBuffer *buffers, size_t count, uint64_t offset, size_t *done) {
    ssize_t result;
    if (offset > INT64_MAX) return WASI_ERRNO_INVAL;
    RETRY(result, pwritev(fd, vectors(buffers), (int)count, (off_t)offset));
    return counted(result, done);
}

Errno wr_sys_seek(int fd, int64_t offset, int whence, uint64_t *position) {
    static const int host[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    off_t result = lseek(fd, (off_t)offset, host[whence]);
    *position = result < 0 ? 0 : (uint64_t)result;
    return check(result);
}

Errno wr_sys_sync(int fd, bool data_only) {
    int result;
    RETRY(result, data_only ? fdatasync(fd) : fsync(fd));
    return check(result);
}

Errno wr_sys_allocate(int fd, uint64_t offset, uint64_t size) {
    if (offset > INT64_MAX || size > INT64_MAX) return WASI_ERRNO_INVAL;
#ifdef __linux__
    int result; /* not posix_fallocate(): glibc would emulate it by writing */
    RETRY(result, fallocate(fd, 0, (off_t)offset, (off_t)size));
    return check(result);
#else
    int error = posix_fallocate(fd, (off_t)offset, (off_t)size);
    return error ? from_host(error) : WASI_ERRNO_SUCCESS;
#endif
}

Errno wr_sys_advise(int fd, uint64_t offset, uint64_t size, int advice) {
    static const int host[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                               POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    if (offset > INT64_MAX || size > INT64_MAX) return WASI_ERRNO_INVAL;
    int error = posix_fadvise(fd, (off_t)offset, (off_t)size, host[advice]);
    return error ? from_host(error) : WASI_ERRNO_SUCCESS;
}

Errno wr_sys_truncate(int fd, uint64_t size) {
    int result;
    if (size > INT64_MAX) return WASI_ERRNO_INVAL;
    RETRY(result, ftruncate(fd, (off_t)size));
    return check(result);
}

static struct timespec new_time(uint64_t time, bool set, bool now) {
    if (now) return (struct timespec){.tv_nsec = UTIME_NOW};
    if (!set) return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){.tv_sec = (time_t)(time / 1000000000u),
                             .tv_nsec = (long)(time % 1000000000u)};
}

static void new_times(uint64_t atim, uint64_t mtim, unsigned flags, struct timespec times[2]) {
    times[0] = new_time(atim, flags & WASI_FSTFLAGS_ATIM, flags & WASI_FSTFLAGS_ATIM_NOW);
    times[1] = new_time(mtim, flags & WASI_FSTFLAGS_MTIM, flags & WASI_FSTFLAGS_MTIM_NOW);
}

Errno wr_sys_set_times(int fd, uint64_t atim, uint64_t mtim, unsigned flags) {
    struct timespec times[2];
    new_times(atim, mtim, flags, times);
    return check(futimens(fd, times));
}

Errno wr_sys_set_times_at(int dir, const char *name, uint64_t atim, uint64_t mtim, unsigned flags) {
    struct timespec times[2];
    new_times(atim, mtim, flags, times);
    return check(utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW));
}

/* ---- Names ------------------------------------------------------------------------------------------------- */

Errno wr_sys_mkdir_at(int dir, const char *name) { return check(mkdirat(dir, name, 0777)); }

Errno wr_sys_rmdir_at(int dir, const char *name) {
    return check(unlinkat(dir, name, AT_REMOVEDIR));
}

Errno wr_sys_unlink_at(int dir, const char *name) {
    if (unlinkat(dir, name, 0) == 0) return WASI_ERRNO_SUCCESS;
    int error = errno;
    struct stat host; /* POSIX says EPERM for a directory, Linux EISDIR, WASI the latter */
    if (error == EPERM && fstatat(dir, name, &host, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(host.st_mode))
        return WASI_ERRNO_ISDIR;
    return from_host(error);
}

Errno wr_sys_rename_at(int from, const char *old_name, int to, const char *new_name) {
    return check(renameat(from, old_name, to, new_name));
}

Errno wr_sys_link_at(int from, const char *old_name, int to, const char *new_name) {
    return check(linkat(from, old_name, to, new_name, 0));
}

Errno wr_sys_symlink_at(const char *target, int dir, const char *name) {
    return check(symlinkat(target, dir, name));
}

Errno wr_sys_readlink_at(int dir, const char *name, char *buffer, size_t size, size_t *length) {
    return counted(readlinkat(dir, name, buffer, size), length);
}

/* ---- Directories --------------------------------------------------------------------------------------------- */

struct SysDir {
    DIR *stream;
};

Errno wr_sys_dir_open(int fd, SysDir **dir) {
    *dir = NULL;
    SysDir *result = malloc(sizeof *result);
    if (!result) return WASI_ERRNO_NOMEM;
    int own;
    RETRY(own, openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    result->stream = own < 0 ? NULL : fdopendir(own);
    if (result->stream) {
        *dir = result;
        return WASI_ERRNO_SUCCESS;
    }
    Errno error = from_host(errno);
    if (own >= 0) close(own);
    free(result);
    return error;
}

void wr_sys_dir_close(SysDir *dir) {
    if (!dir) return;
    closedir(dir->stream);
    free(dir);
}

Errno wr_sys_dir_seek(SysDir *dir, uint64_t cookie) {
    if (cookie > LONG_MAX) return WASI_ERRNO_INVAL;
    if (cookie == 0)
        rewinddir(dir->stream);
    else
        seekdir(dir->stream, (long)cookie);
    return WASI_ERRNO_SUCCESS;
}

static uint8_t filetype_of_entry(DIR *stream, const struct dirent *entry) {
    switch (entry->d_type) {
    case DT_REG: return WASI_FILETYPE_REGULAR_FILE;
    case DT_DIR: return WASI_FILETYPE_DIRECTORY;
    case DT_LNK: return WASI_FILETYPE_SYMBOLIC_LINK;
    case DT_CHR: return WASI_FILETYPE_CHARACTER_DEVICE;
    case DT_BLK: return WASI_FILETYPE_BLOCK_DEVICE;
    case DT_SOCK: return WASI_FILETYPE_SOCKET_STREAM;
    case DT_UNKNOWN: break; /* the file system does not say */
    default: return WASI_FILETYPE_UNKNOWN;
    }
    SysStat stat;
    return wr_sys_stat_at(dirfd(stream), entry->d_name, &stat) ? WASI_FILETYPE_UNKNOWN
                                                               : stat.filetype;
}

Errno wr_sys_dir_next(SysDir *dir, SysEntry *entry, bool *end) {
    errno = 0;
    const struct dirent *host = readdir(dir->stream); /* this stream has one user */
    *end = !host;
    if (!host) return errno ? from_host(errno) : WASI_ERRNO_SUCCESS;
    *entry = (SysEntry){.name = host->d_name,
                        .length = strlen(host->d_name),
                        .ino = (uint64_t)host->d_ino,
                        .next = (uint64_t)telldir(dir->stream),
                        .filetype = filetype_of_entry(dir->stream, host)};
    return WASI_ERRNO_SUCCESS;
}

/* ---- Sockets --------------------------------------------------------------------------------------------------- */

Errno wr_sys_accept(int fd, int *connection) {
    struct pollfd item = {.fd = fd, .events = POLLIN};
    *connection = -1;
    if (poll(&item, 1, 0) == 0) return WASI_ERRNO_AGAIN;
    RETRY(*connection, accept4(fd, NULL, NULL, SOCK_CLOEXEC));
    return check(*connection);
}

/* One empty buffer rather than none: an emulated kernel was seen to send nothing for none, where an
 * empty message is meant. */
static struct msghdr message_of(const SysBuffer *buffers, size_t count) {
    static const SysBuffer empty = {0};
    return (struct msghdr){.msg_iov = vectors(count ? buffers : &empty),
                           .msg_iovlen = count ? count : 1};
}

Errno wr_sys_receive(int fd, const SysBuffer *buffers, size_t count, bool peek, size_t *done,
                     bool *truncated) {
    struct msghdr message = message_of(buffers, count);
    ssize_t result;
    RETRY(result, recvmsg(fd, &message, MSG_DONTWAIT | (peek ? MSG_PEEK : 0)));
    *truncated = result >= 0 && (message.msg_flags & MSG_TRUNC);
    return counted(result, done);
}

Errno wr_sys_send(int fd, const SysBuffer *buffers, size_t count, size_t *done) {
    struct msghdr message = message_of(buffers, count);
    ssize_t result;
    RETRY(result, sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
    return counted(result, done);
}

Errno wr_sys_shutdown(int fd, unsigned how) {
    static const int host[] = {0, SHUT_RD, SHUT_WR, SHUT_RDWR};
    return check(shutdown(fd, host[how]));
}

/* ---- Waiting ------------------------------------------------------------------------------------------------------ */

_Static_assert(sizeof(SysPoll) == sizeof(struct pollfd) &&
                   offsetof(SysPoll, fd) == offsetof(struct pollfd, fd) &&
                   offsetof(SysPoll, events) == offsetof(struct pollfd, events) &&
                   offsetof(SysPoll, ready) == offsetof(struct pollfd, revents),
               "SysPoll stands for struct pollfd");

#ifdef POLLRDHUP
#define PEER_CLOSED POLLRDHUP /* the other side of a socket sends no more */
#else
#define PEER_CLOSED 0
#endif

static short to_host_events(short events) {
    return (short)((events & SYS_POLL_READ ? POLLIN | PEER_CLOSED : 0) |
                   (events & SYS_POLL_WRITE ? POLLOUT : 0));
}

static short from_host_events(short events, short ready) {
    int result = 0;
    if (ready & (POLLIN | POLLHUP | POLLERR | PEER_CLOSED)) result |= events & SYS_POLL_READ;
    if (ready & (POLLOUT | POLLHUP | POLLERR)) result |= events & SYS_POLL_WRITE;
    if (ready & (POLLHUP | POLLERR | PEER_CLOSED)) result |= SYS_POLL_HANGUP;
    if (ready & POLLNVAL) result |= SYS_POLL_BAD;
    return (short)result;
}

/* Seconds beyond this are for ever: struct timespec would overflow before the universe ends. */
#define MAX_WAIT (UINT64_C(1) << 60)

Errno wr_sys_poll(SysPoll *items, size_t count, uint64_t timeout, size_t *ready) {
    struct timespec wait = {.tv_sec = (time_t)(timeout / 1000000000u),
                            .tv_nsec = (long)(timeout % 1000000000u)};
    struct pollfd *host = (struct pollfd *)(void *)items;
    for (size_t i = 0; i < count; i++) host[i].events = to_host_events(host[i].events);
    int result = ppoll(host, (nfds_t)count, timeout > MAX_WAIT ? NULL : &wait, NULL);
    int error = errno;
    for (size_t i = 0; i < count; i++) {
        short revents = result > 0 ? host[i].revents : 0;
        short events = (short)((host[i].events & POLLIN ? SYS_POLL_READ : 0) |
                               (host[i].events & POLLOUT ? SYS_POLL_WRITE : 0));
        items[i].events = events;
        items[i].ready = from_host_events(events, revents);
    }
    *ready = result > 0 ? (size_t)result : 0;
    return result < 0 && error != EINTR ? from_host(error) : WASI_ERRNO_SUCCESS;
}

uint64_t wr_sys_available(int fd) {
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) < 0 || bytes < 0 ? 0 : (uint64_t)bytes;
}

size_t wr_sys_pipe_atom(void) { return PIPE_BUF; }

/* ---- Clocks and the rest ---------------------------------------------------------------------------------------------- */

static const clockid_t clock_map[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                      CLOCK_THREAD_CPUTIME_ID};

Errno wr_sys_clock_time(uint32_t clock, uint64_t *result) {
    struct timespec time;
    if (clock >= sizeof clock_map / sizeof *clock_map) return WASI_ERRNO_INVAL;
    if (clock_gettime(clock_map[clock], &time) < 0) return from_host(errno);
    *result = nanoseconds(time);
    return WASI_ERRNO_SUCCESS;
}

Errno wr_sys_clock_resolution(uint32_t clock, uint64_t *result) {
    struct timespec time;
    if (clock >= sizeof clock_map / sizeof *clock_map) return WASI_ERRNO_INVAL;
    if (clock_getres(clock_map[clock], &time) < 0) return from_host(errno);
    *result = nanoseconds(time) ? nanoseconds(time) : 1;
    return WASI_ERRNO_SUCCESS;
}

Errno wr_sys_random(void *buffer, size_t size) {
    uint8_t *next = buffer;
    while (size > 0) {
#ifdef __linux__
        ssize_t result;
        RETRY(result, getrandom(next, size, 0));
        if (result < 0) return from_host(errno);
        size_t chunk = (size_t)result;
#else
        size_t chunk = size < 256 ? size : 256;
        if (getentropy(next, chunk) < 0) return from_host(errno);
#endif
        next += chunk;
        size -= chunk;
    }
    return WASI_ERRNO_SUCCESS;
}

void wr_sys_yield(void) { sched_yield(); }

extern char **environ;

const char *const *wr_sys_environment(void) { return (const char *const *)environ; }

/* ---- Threads ------------------------------------------------------------------------------------------ */

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(SysMutex) &&
                   _Alignof(pthread_mutex_t) <= _Alignof(SysMutex),
               "SysMutex has room for a mutex");

static pthread_mutex_t *native_mutex(SysMutex *mutex) { return (void *)mutex->opaque; }

void wr_sys_mutex_init(SysMutex *mutex) { (void)pthread_mutex_init(native_mutex(mutex), NULL); }
void wr_sys_mutex_lock(SysMutex *mutex) { (void)pthread_mutex_lock(native_mutex(mutex)); }
void wr_sys_mutex_unlock(SysMutex *mutex) { (void)pthread_mutex_unlock(native_mutex(mutex)); }
void wr_sys_mutex_destroy(SysMutex *mutex) { (void)pthread_mutex_destroy(native_mutex(mutex)); }

struct SysThread {
    pthread_t id;
    void (*run)(void *);
    void *context;
};

static void *thread_main(void *argument) {
    SysThread *thread = argument;
    thread->run(thread->context);
    return NULL;
}

/* Signals to the process are the embedder's; faults come to the thread that makes them. */
static bool start(SysThread *thread) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigset_t blocked, old;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &old);
    bool ok = pthread_create(&thread->id, NULL, thread_main, thread) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return ok;
}

SysThread *wr_sys_thread_start(void (*run)(void *), void *context) {
    SysThread *thread = malloc(sizeof *thread);
    if (!thread) return NULL;
    *thread = (SysThread){.run = run, .context = context};
    if (start(thread)) return thread;
    free(thread);
    return NULL;
}

void wr_sys_thread_join(SysThread *thread) {
    (void)pthread_join(thread->id, NULL);
    free(thread);
}
