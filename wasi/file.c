/*
 * file.c - files of the host and of the embedder; see file.h.
 */
#include "file.h"

#include "virtual.h"

/* ---- Opening, attributes -------------------------------------------------------------------------- */

Errno wr_file_open_at(File dir, const char *name, unsigned flags, File *file) {
    *file = NO_FILE;
    return dir.virtual ? wr_virtual_open_at(dir.virtual, name, flags, &file->virtual)
                       : wr_sys_open_at(dir.host, name, flags, &file->host);
}

Errno wr_file_close(File file) {
    if (file.virtual) wr_virtual_close(file.virtual);
    return file.host >= 0 ? wr_sys_close(file.host) : WASI_ERRNO_SUCCESS;
}

Errno wr_file_info(File file, SysInfo *info) {
    return file.virtual ? wr_virtual_info(file.virtual, info) : wr_sys_info(file.host, info);
}

Errno wr_file_stat(File file, SysStat *stat) {
    return file.virtual ? wr_virtual_stat(file.virtual, stat) : wr_sys_stat(file.host, stat);
}

Errno wr_file_stat_at(File dir, const char *name, SysStat *stat) {
    return dir.virtual ? wr_virtual_stat_at(dir.virtual, name, stat)
                       : wr_sys_stat_at(dir.host, name, stat);
}

Errno wr_file_set_append(File file, bool on) {
    return file.virtual ? wr_virtual_set_append(file.virtual, on)
                        : wr_sys_set_append(file.host, on);
}

/* ---- Contents --------------------------------------------------------------------------------------- */

Errno wr_file_read(File file, const SysBuffer *buffers, size_t count, size_t *done) {
    return file.virtual ? wr_virtual_read(file.virtual, buffers, count, done)
                        : wr_sys_read(file.host, buffers, count, done);
}

Errno wr_file_write(File file, const SysBuffer *buffers, size_t count, size_t *done) {
    return file.virtual ? wr_virtual_write(file.virtual, buffers, count, done)
                        : wr_sys_write(file.host, buffers, count, done);
}

Errno wr_file_pread(File file, const SysBuffer *buffers, size_t count, uint64_t offset,
                    size_t *done) {
    return file.virtual ? wr_virtual_pread(file.virtual, buffers, count, offset, done)
                        : wr_sys_pread(file.host, buffers, count, offset, done);
}

Errno wr_file_pwrite(File file, const SysBuffer *buffers, size_t count, uint64_t offset,
                     size_t *done) {
    return file.virtual ? wr_virtual_pwrite(file.virtual, buffers, count, offset, done)
                        : wr_sys_pwrite(file.host, buffers, count, offset, done);
}

Errno wr_file_seek(File file, int64_t offset, int whence, uint64_t *position) {
    return file.virtual ? wr_virtual_seek(file.virtual, offset, whence, position)
                        : wr_sys_seek(file.host, offset, whence, position);
}

Errno wr_file_sync(File file, bool data_only) {
    return file.virtual ? wr_virtual_sync(file.virtual) : wr_sys_sync(file.host, data_only);
}

Errno wr_file_allocate(File file, uint64_t offset, uint64_t size) {
    return file.virtual ? wr_virtual_allocate(file.virtual, offset, size)
                        : wr_sys_allocate(file.host, offset, size);
}

/* The embedder's files take no advice. */
Errno wr_file_advise(File file, uint64_t offset, uint64_t size, int advice) {
    if (!file.virtual) return wr_sys_advise(file.host, offset, size, advice);
    return offset > INT64_MAX || size > INT64_MAX ? WASI_ERRNO_INVAL : WASI_ERRNO_SUCCESS;
}

Errno wr_file_truncate(File file, uint64_t size) {
    return file.virtual ? wr_virtual_truncate(file.virtual, size)
                        : wr_sys_truncate(file.host, size);
}

Errno wr_file_set_times(File file, uint64_t atim, uint64_t mtim, unsigned flags) {
    return file.virtual ? wr_virtual_set_times(file.virtual, atim, mtim, flags)
                        : wr_sys_set_times(file.host, atim, mtim, flags);
}

Errno wr_file_set_times_at(File dir, const char *name, uint64_t atim, uint64_t mtim,
                           unsigned flags) {
    return dir.virtual ? wr_virtual_set_times_at(dir.virtual, name, atim, mtim, flags)
                       : wr_sys_set_times_at(dir.host, name, atim, mtim, flags);
}

/* ---- Names ------------------------------------------------------------------------------------------ */

Errno wr_file_mkdir_at(File dir, const char *name) {
    return dir.virtual ? wr_virtual_mkdir_at(dir.virtual, name) : wr_sys_mkdir_at(dir.host, name);
}

Errno wr_file_rmdir_at(File dir, const char *name) {
    return dir.virtual ? wr_virtual_rmdir_at(dir.virtual, name) : wr_sys_rmdir_at(dir.host, name);
}

Errno wr_file_unlink_at(File dir, const char *name) {
    return dir.virtual ? wr_virtual_unlink_at(dir.virtual, name) : wr_sys_unlink_at(dir.host, name);
}

Errno wr_file_rename_at(File from, const char *old_name, File to, const char *new_name) {
    if (!from.virtual != !to.virtual) return WASI_ERRNO_XDEV;
    return from.virtual ? wr_virtual_rename_at(from.virtual, old_name, to.virtual, new_name)
                        : wr_sys_rename_at(from.host, old_name, to.host, new_name);
}

Errno wr_file_link_at(File from, const char *old_name, File to, const char *new_name) {
    if (!from.virtual != !to.virtual) return WASI_ERRNO_XDEV;
    return from.virtual ? wr_virtual_link_at(from.virtual, old_name, to.virtual, new_name)
                        : wr_sys_link_at(from.host, old_name, to.host, new_name);
}

Errno wr_file_symlink_at(const char *target, File dir, const char *name) {
    return dir.virtual ? wr_virtual_symlink_at(target, dir.virtual, name)
                       : wr_sys_symlink_at(target, dir.host, name);
}

Errno wr_file_readlink_at(File dir, const char *name, char *buffer, size_t size, size_t *length) {
    return dir.virtual ? wr_virtual_readlink_at(dir.virtual, name, buffer, size, length)
                       : wr_sys_readlink_at(dir.host, name, buffer, size, length);
}

/* ---- Directories ------------------------------------------------------------------------------------ */

Errno wr_file_dir_open(File file, FileDir *dir) {
    *dir = (FileDir){0};
    return file.virtual ? wr_virtual_dir_open(file.virtual, &dir->virtual)
                        : wr_sys_dir_open(file.host, &dir->host);
}

void wr_file_dir_close(FileDir *dir) {
    if (dir->virtual) wr_virtual_dir_close(dir->virtual);
    if (dir->host) wr_sys_dir_close(dir->host);
}

Errno wr_file_dir_seek(FileDir *dir, uint64_t cookie) {
    return dir->virtual ? wr_virtual_dir_seek(dir->virtual, cookie)
                        : wr_sys_dir_seek(dir->host, cookie);
}

Errno wr_file_dir_next(FileDir *dir, SysEntry *entry, bool *end) {
    return dir->virtual ? wr_virtual_dir_next(dir->virtual, entry, end)
                        : wr_sys_dir_next(dir->host, entry, end);
}
