/*
 * virtual.h - files that the embedder gives by callbacks (wr_wasi_files_t), beneath one directory that a guest
 * is given: a tree.
 *
 * The functions do what those of os.h do, Linux being the model where POSIX leaves it open: what a callback is
 * asked has been checked before. A VirtualFile is an open file or directory. Files have a handle of the
 * embedder's; directories are paths, which follow when the guest renames something above, and lead nowhere
 * once it has removed them. A tree has one lock, under which callbacks run.
 */
#ifndef WR_WASI_VIRTUAL_H
#define WR_WASI_VIRTUAL_H

#include "file.h"
#include "wasmrun.h"

typedef struct VirtualTree VirtualTree;

/* `next` are trees of the same context, for freeing them all. NULL when out of memory. */
VirtualTree *wr_virtual_tree_new(wr_wasi_t *wasi, const wr_wasi_files_t *files, void *context,
                                 VirtualTree *next);
/* Frees it alone, and returns what was next to it. Nothing of it is open. */
VirtualTree *wr_virtual_tree_delete(VirtualTree *tree);
/* Its root, which must be a directory. */
Errno wr_virtual_open_root(VirtualTree *tree, VirtualFile **root);

Errno wr_virtual_open_at(VirtualFile *dir, const char *name, unsigned flags, VirtualFile **file);
void wr_virtual_close(VirtualFile *file);
Errno wr_virtual_info(VirtualFile *file, SysInfo *info);
Errno wr_virtual_stat(VirtualFile *file, SysStat *stat);
Errno wr_virtual_stat_at(VirtualFile *dir, const char *name, SysStat *stat);
Errno wr_virtual_set_append(VirtualFile *file, bool on);

Errno wr_virtual_read(VirtualFile *file, const SysBuffer *buffers, size_t count, size_t *done);
Errno wr_virtual_write(VirtualFile *file, const SysBuffer *buffers, size_t count, size_t *done);
Errno wr_virtual_pread(VirtualFile *file, const SysBuffer *buffers, size_t count, uint64_t offset,
                       size_t *done);
Errno wr_virtual_pwrite(VirtualFile *file, const SysBuffer *buffers, size_t count, uint64_t offset,
                        size_t *done);
Errno wr_virtual_seek(VirtualFile *file, int64_t offset, int whence, uint64_t *position);
Errno wr_virtual_sync(VirtualFile *file);
Errno wr_virtual_allocate(VirtualFile *file, uint64_t offset, uint64_t size);
Errno wr_virtual_truncate(VirtualFile *file, uint64_t size);
Errno wr_virtual_set_times(VirtualFile *file, uint64_t atim, uint64_t mtim, unsigned flags);
Errno wr_virtual_set_times_at(VirtualFile *dir, const char *name, uint64_t atim, uint64_t mtim,
                              unsigned flags);

Errno wr_virtual_mkdir_at(VirtualFile *dir, const char *name);
Errno wr_virtual_rmdir_at(VirtualFile *dir, const char *name);
Errno wr_virtual_unlink_at(VirtualFile *dir, const char *name);
Errno wr_virtual_rename_at(VirtualFile *from, const char *old_name, VirtualFile *to,
                           const char *new_name);
Errno wr_virtual_link_at(VirtualFile *from, const char *old_name, VirtualFile *to,
                         const char *new_name);
Errno wr_virtual_symlink_at(const char *target, VirtualFile *dir, const char *name);
Errno wr_virtual_readlink_at(VirtualFile *dir, const char *name, char *buffer, size_t size,
                             size_t *length);

Errno wr_virtual_dir_open(VirtualFile *file, VirtualDir **dir);
void wr_virtual_dir_close(VirtualDir *dir);
Errno wr_virtual_dir_seek(VirtualDir *dir, uint64_t cookie);
Errno wr_virtual_dir_next(VirtualDir *dir, SysEntry *entry, bool *end);

#endif
