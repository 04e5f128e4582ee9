/* aot_os_posix.c - aot_os.h for POSIX systems. */
#define _GNU_SOURCE
#include "aot_os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

AotOwner wr_aot_owner(const char *path, bool is_folder) {
    struct stat s;
    if (lstat(path, &s) != 0) return OWNED_BY_NONE;
    if (is_folder ? !S_ISDIR(s.st_mode) : !S_ISREG(s.st_mode)) return OWNED_BY_OTHERS;
    return s.st_uid == geteuid() && (s.st_mode & (S_IWGRP | S_IWOTH)) == 0 ? OWNED
                                                                           : OWNED_BY_OTHERS;
}

const char *wr_aot_make_folder(const char *path) {
    char part[4096];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part) return strerror(ENAMETOOLONG);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && i < n) continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0700) != 0 && errno != EEXIST && errno != EISDIR) return strerror(errno);
    }
    return NULL;
}

static bool write_all(int file, const u8 *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(file, bytes, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* The name ends in ".part", the process and a number, so that two never write to the same one. */
const char *wr_aot_write_file(const char *path, const u8 *bytes, size_t size) {
    char part[4200];
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int n = snprintf(part, sizeof part, "%s.%ld.%ld.part", path, (long)getpid(), now.tv_nsec);
    if (n < 0 || (size_t)n >= sizeof part) return strerror(ENAMETOOLONG);
    int file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return strerror(errno);
    bool ok = write_all(file, bytes, size);
    int error = errno;
    if (close(file) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(part, path) == 0) return NULL;
    if (ok) error = errno;
    (void)unlink(part);
    return strerror(error);
}

bool wr_aot_claim(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file >= 0 && close(file) == 0;
}

void wr_aot_touch(const char *path) { (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW); }

i64 wr_aot_changed(const char *path) {
    struct stat s;
    return lstat(path, &s) == 0 ? (i64)s.st_mtime : INT64_MAX;
}

bool wr_aot_remove(const char *path) { return unlink(path) == 0; }

bool wr_aot_each_file(const char *folder, AotFileVisitor *visit, void *context) {
    DIR *dir = opendir(folder);
    if (dir == NULL) return false;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stat s;
        if (fstatat(dirfd(dir), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(s.st_mode))
            continue;
        visit(context, entry->d_name, (u64)s.st_size, (i64)s.st_mtime);
    }
    (void)closedir(dir);
    return true;
}

i64 wr_aot_time(void) { return (i64)time(NULL); }

/* A new file, or one that this process made: another user may have put something else in the way. */
const char *wr_aot_append_perf_map(const char *text, size_t size) {
    char path[64];
    struct stat s;
    (void)snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return strerror(errno);
    bool ours = fstat(file, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid();
    bool ok = ours && write_all(file, (const u8 *)text, size);
    const char *why = ok ? NULL : ours ? strerror(errno) : "the file is another user's";
    (void)close(file);
    return why;
}
