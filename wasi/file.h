/*
 * file.h - an open file or directory, the host's or one that the embedder gives by callbacks: what
 * descriptors and paths work on.
 *
 * The functions are those of os.h for files, and mean the same; each goes to the host or to virtual.h.
 * What only the host has (waiting, sockets, pipes) takes `file.host`.
 */
#ifndef WR_WASI_FILE_H
#define WR_WASI_FILE_H

#include "os.h"

typedef struct VirtualFile VirtualFile;

typedef struct File {
    int host;             /* host descriptor, or -1 */
    VirtualFile *virtual; /* or NULL */
} File;

#define NO_FILE ((File){.host = -1})

static inline File wr_file_of_host(int host) { return (File){.host = host}; }
static inline File wr_file_of_virtual(VirtualFile *file) { return (File){-1, file}; }

Errno wr_file_open_at(File dir, const char *name, unsigned flags, File *file);
Errno wr_file_close(File file); /* nothing for NO_FILE */
Errno wr_file_info(File file, SysInfo *info);
Errno wr_file_stat(File file, SysStat *stat);
Errno wr_file_stat_at(File dir, const char *name, SysStat *stat);
Errno wr_file_set_append(File file, bool on);

Errno wr_file_read(File file, const SysBuffer *buffers, size_t count, size_t *done);
Errno wr_file_write(File file, const SysBuffer *buffers, size_t count, size_t *done);
Errno wr_file_pread(File file, const SysBuffer *buffers, size_t count, uint64_t offset,
                    size_t *done);
Errno wr_file_pwrite(File file, const SysBuffer *buffers, size_t count, uint64_t offset,
                     size_t *done);
Errno wr_file_seek(File file, int64_t offset, int whence, uint64_t *position);
Errno wr_file_sync(File file, bool data_only);
Errno wr_file_allocate(File file, uint64_t offset, uint64_t size);
Errno wr_file_advise(File file, uint64_t offset, uint64_t size, int advice);
Errno wr_file_truncate(File file, uint64_t size);
Errno wr_file_set_times(File file, uint64_t atim, uint64_t mtim, unsigned flags);
Errno wr_file_set_times_at(File dir, const char *name, uint64_t atim, uint64_t mtim,
                           unsigned flags);

Errno wr_file_mkdir_at(File dir, const char *name);
Errno wr_file_rmdir_at(File dir, const char *name);
Errno wr_file_unlink_at(File dir, const char *name);
/* XDEV between the host and the embedder's. */
Errno wr_file_rename_at(File from, const char *old_name, File to, const char *new_name);
Errno wr_file_link_at(File from, const char *old_name, File to, const char *new_name);
Errno wr_file_symlink_at(const char *target, File dir, const char *name);
Errno wr_file_readlink_at(File dir, const char *name, char *buffer, size_t size, size_t *length);

/* A directory being read: as SysDir. */
typedef struct VirtualDir VirtualDir;
typedef struct FileDir {
    SysDir *host;
    VirtualDir *virtual;
} FileDir;

Errno wr_file_dir_open(File file, FileDir *dir);
void wr_file_dir_close(FileDir *dir);
Errno wr_file_dir_seek(FileDir *dir, uint64_t cookie);
Errno wr_file_dir_next(FileDir *dir, SysEntry *entry, bool *end);

#endif
