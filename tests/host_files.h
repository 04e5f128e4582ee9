/*
 * host_files.h - a host directory as files that the embedder gives (wr_wasi_files_t): with it the tests of what
 * guests see of the host's directories are tests of the embedder's as well. The context is the directory's
 * path. Needs _GNU_SOURCE. Included by one file of each test program.
 */
#ifndef WR_TESTS_HOST_FILES_H
#define WR_TESTS_HOST_FILES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasmrun.h"

static wr_wasi_errno_t files_errno(void) {
    static const struct {
        int host;
        wr_wasi_errno_t errno_;
    } table[] = {{EACCES, WR_WASI_ACCES},   {EBUSY, WR_WASI_BUSY},
                 {EEXIST, WR_WASI_EXIST},   {EINVAL, WR_WASI_INVAL},
                 {EISDIR, WR_WASI_ISDIR},   {ELOOP, WR_WASI_LOOP},
                 {ENOENT, WR_WASI_NOENT},   {ENAMETOOLONG, WR_WASI_NAMETOOLONG},
                 {ENOSPC, WR_WASI_NOSPC},   {ENOTDIR, WR_WASI_NOTDIR},
                 {EFBIG, WR_WASI_FBIG},     {ENOTEMPTY, WR_WASI_NOTEMPTY},
                 {EPERM, WR_WASI_PERM},     {EROFS, WR_WASI_ROFS},
                 {ETXTBSY, WR_WASI_TXTBSY}, {EMLINK, WR_WASI_MLINK}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].host == errno) return table[i].errno_;
    return WR_WASI_IO;
}

static wr_wasi_errno_t files_result(long result) {
    return result < 0 ? files_errno() : WR_WASI_SUCCESS;
}

/* Where it is on the host. What the library hands out is a finished path, or this ends the test. */
static const char *files_path(const char *base, const char *path, char result[8192]) {
    char text[8192];
    snprintf(text, sizeof text, "/%s/", path);
    if (*path && (strstr(text, "//") || strstr(text, "/./") || strstr(text, "/../"))) {
        fprintf(stderr, "not a finished path: '%s'\n", path);
        abort();
    }
    snprintf(result, 8192, "%s/%s", base, path);
    return result;
}

static int files_handle(void *file) { return (int)(intptr_t)file; }

static wr_wasi_filetype_t files_type(mode_t mode) {
    return S_ISREG(mode)   ? WR_WASI_REGULAR_FILE
           : S_ISDIR(mode) ? WR_WASI_DIRECTORY
           : S_ISLNK(mode) ? WR_WASI_SYMBOLIC_LINK
                           : WR_WASI_CHARACTER_DEVICE;
}

static uint64_t files_time(struct timespec time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static wr_wasi_errno_t files_stat(void *context, const char *path, void *file,
                                  wr_wasi_filestat_t *stat) {
    char text[8192];
    struct stat host;
    if (!path == !file) abort(); /* one of them */
    int result =
        path ? lstat(files_path(context, path, text), &host) : fstat(files_handle(file), &host);
    if (result < 0) return files_errno();
    *stat = (wr_wasi_filestat_t){.inode = host.st_ino,
                                 .links = host.st_nlink,
                                 .size = (uint64_t)host.st_size,
                                 .accessed = files_time(host.st_atim),
                                 .modified = files_time(host.st_mtim),
                                 .changed = files_time(host.st_ctim),
                                 .type = files_type(host.st_mode)};
    return WR_WASI_SUCCESS;
}

static wr_wasi_errno_t files_open(void *context, const char *path, uint32_t flags, void **file) {
    char text[8192];
    int host = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    bool reads = flags & WR_WASI_OPEN_READ, writes = flags & WR_WASI_OPEN_WRITE;
    host |= reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
    host |= flags & WR_WASI_OPEN_CREATE ? O_CREAT : 0;
    host |= flags & WR_WASI_OPEN_EXCLUSIVE ? O_EXCL : 0;
    host |= flags & WR_WASI_OPEN_TRUNCATE ? O_TRUNC : 0;
    int fd = open(files_path(context, path, text), host, 0666);
    *file = (void *)(intptr_t)fd;
    return files_result(fd);
}

static void files_close(void *context, void *file) {
    (void)context;
    if (close(files_handle(file)) < 0) abort(); /* closed once */
}

static wr_wasi_errno_t files_read(void *context, void *file, void *bytes, size_t size,
                                  uint64_t offset, size_t *done) {
    (void)context;
    ssize_t result = pread(files_handle(file), bytes, size, (off_t)offset);
    *done = result < 0 ? 0 : (size_t)result;
    return files_result(result);
}

static wr_wasi_errno_t files_write(void *context, void *file, const void *bytes, size_t size,
                                   uint64_t offset, size_t *done) {
    (void)context;
    ssize_t result = pwrite(files_handle(file), bytes, size, (off_t)offset);
    *done = result < 0 ? 0 : (size_t)result;
    return files_result(result);
}

static wr_wasi_errno_t files_resize(void *context, void *file, uint64_t size) {
    (void)context;
    return files_result(ftruncate(files_handle(file), (off_t)size));
}

static wr_wasi_errno_t files_sync(void *context, void *file) {
    (void)context;
    return files_result(fdatasync(files_handle(file)));
}

/* The position of a name: a hash, so that it stays. */
static uint64_t files_position(const char *name) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash >> 2;
}

static void files_put_entry(const struct dirent *host, wr_wasi_entry_t *entry) {
    static _Thread_local char name[256];
    strcpy(name, host->d_name);
    entry->name = name;
    entry->inode = host->d_ino;
    entry->next = files_position(name) + 1;
    entry->type = host->d_type == DT_REG   ? WR_WASI_REGULAR_FILE
                  : host->d_type == DT_DIR ? WR_WASI_DIRECTORY
                  : host->d_type == DT_LNK ? WR_WASI_SYMBOLIC_LINK
                                           : 0;
}

/* The first at the position or after it. */
static wr_wasi_errno_t files_list(void *context, const char *path, uint64_t position,
                                  wr_wasi_entry_t *entry) {
    char text[8192];
    DIR *dir = opendir(files_path(context, path, text));
    if (!dir) return files_errno();
    uint64_t best = UINT64_MAX;
    for (const struct dirent *host; (host = readdir(dir));) {
        uint64_t at = files_position(host->d_name);
        if (strcmp(host->d_name, ".") == 0 || strcmp(host->d_name, "..") == 0) continue;
        if (at < position || at >= best) continue;
        best = at;
        files_put_entry(host, entry);
    }
    closedir(dir);
    return WR_WASI_SUCCESS;
}

static struct timespec files_new_time(uint64_t time) {
    if (time == WR_WASI_UNCHANGED) return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){(time_t)(time / 1000000000u), (long)(time % 1000000000u)};
}

static wr_wasi_errno_t files_set_times(void *context, const char *path, void *file,
                                       uint64_t accessed, uint64_t modified) {
    char text[8192];
    const struct timespec times[2] = {files_new_time(accessed), files_new_time(modified)};
    if (!path) return files_result(futimens(files_handle(file), times));
    files_path(context, path, text);
    return files_result(utimensat(AT_FDCWD, text, times, AT_SYMLINK_NOFOLLOW));
}

static wr_wasi_errno_t files_make_directory(void *context, const char *path) {
    char text[8192];
    return files_result(mkdir(files_path(context, path, text), 0777));
}

static wr_wasi_errno_t files_remove(void *context, const char *path) {
    char text[8192];
    return files_result(remove(files_path(context, path, text)));
}

static wr_wasi_errno_t files_rename(void *context, const char *from, const char *to) {
    char from_text[8192], to_text[8192];
    return files_result(
        rename(files_path(context, from, from_text), files_path(context, to, to_text)));
}

static wr_wasi_errno_t files_link(void *context, const char *from, const char *to) {
    char from_text[8192], to_text[8192];
    return files_result(
        link(files_path(context, from, from_text), files_path(context, to, to_text)));
}

static wr_wasi_errno_t files_make_symlink(void *context, const char *target, const char *path) {
    char text[8192];
    return files_result(symlink(target, files_path(context, path, text)));
}

static wr_wasi_errno_t files_read_symlink(void *context, const char *path, char *target,
                                          size_t size, size_t *length) {
    char text[8192];
    ssize_t result = readlink(files_path(context, path, text), target, size);
    *length = result < 0 ? 0 : (size_t)result;
    return files_result(result);
}

static const wr_wasi_files_t host_files = {.size = sizeof host_files,
                                           .stat = files_stat,
                                           .open = files_open,
                                           .close = files_close,
                                           .read = files_read,
                                           .write = files_write,
                                           .resize = files_resize,
                                           .sync = files_sync,
                                           .list = files_list,
                                           .set_times = files_set_times,
                                           .make_directory = files_make_directory,
                                           .remove = files_remove,
                                           .rename = files_rename,
                                           .link = files_link,
                                           .make_symlink = files_make_symlink,
                                           .read_symlink = files_read_symlink};

#endif
