/*
 * fd.c - the fd_* functions but for fd_readdir (dir.c): reading, writing, seeking, attributes.
 *
 * For all of them the kind of descriptor is judged before its rights, so that programs see the errors
 * they know: ISDIR for a directory that should be a file, SPIPE for a pipe that cannot seek.
 */
#include <string.h>

#include "filestat.h"
#include "io.h"

/* ---- Reading and writing ---------------------------------------------------------------------------- */

/* A file with the right, and the transfer wanted at arguments 1 and 2. */
static Errno prepare(Call *call, uint64_t rights, uint32_t result, Descriptor **descriptor,
                     Transfer *transfer) {
    Errno error = wr_wasi_file(call, call->args[0].u32, rights, descriptor);
    if (!error) error = wr_guest_check(call, result, 4);
    if (!error) error = wr_io_vectors(call, call->args[1].u32, call->args[2].u32, transfer);
    return error;
}

Errno wr_wasi_fd_read(Call *call) {
    Descriptor *descriptor;
    Transfer transfer;
    size_t done;
    Errno error = prepare(call, WASI_RIGHTS_FD_READ, call->args[3].u32, &descriptor, &transfer);
    if (!error) error = wr_io_read(call, descriptor, &transfer, &done);
    return error ? error : wr_guest_put_u32(call, call->args[3].u32, (uint32_t)done);
}

Errno wr_wasi_fd_write(Call *call) {
    Descriptor *descriptor;
    Transfer transfer;
    size_t done;
    Errno error = prepare(call, WASI_RIGHTS_FD_WRITE, call->args[3].u32, &descriptor, &transfer);
    if (!error) error = wr_io_write(call, descriptor, &transfer, &done);
    return error ? error : wr_guest_put_u32(call, call->args[3].u32, (uint32_t)done);
}

/* Whether positions mean anything: NULL descriptors are as unseekable as the pipes they stand for. */
static Errno check_seekable(Call *call, uint32_t fd) {
    Descriptor *descriptor;
    Errno error = wr_wasi_file(call, fd, 0, &descriptor);
    if (error) return error;
    return descriptor->seekable ? WASI_ERRNO_SUCCESS : WASI_ERRNO_SPIPE;
}

Errno wr_wasi_fd_pread(Call *call) {
    Descriptor *descriptor;
    Transfer transfer;
    size_t done;
    Errno error = check_seekable(call, call->args[0].u32);
    if (!error)
        error = prepare(call, WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_SEEK, call->args[4].u32,
                        &descriptor, &transfer);
    if (!error)
        error = wr_file_pread(descriptor->file, transfer.buffers, transfer.count, call->args[3].u64,
                              &done);
    return error ? error : wr_guest_put_u32(call, call->args[4].u32, (uint32_t)done);
}

Errno wr_wasi_fd_pwrite(Call *call) {
    Descriptor *descriptor;
    Transfer transfer;
    size_t done;
    Errno error = check_seekable(call, call->args[0].u32);
    if (!error)
        error = prepare(call, WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_SEEK, call->args[4].u32,
                        &descriptor, &transfer);
    if (!error)
        error = wr_file_pwrite(descriptor->file, transfer.buffers, transfer.count,
                               call->args[3].u64, &done);
    if (!error) error = wr_io_sync_written(descriptor);
    return error ? error : wr_guest_put_u32(call, call->args[4].u32, (uint32_t)done);
}

/* ---- Position -------------------------------------------------------------------------------------------- */

/* `whence` in today's numbers. Looking at the position needs FD_TELL or FD_SEEK, moving FD_SEEK. */
static Errno seek(Call *call, int64_t offset, uint32_t whence, uint32_t result) {
    Descriptor *descriptor;
    uint64_t position;
    uint32_t fd = call->args[0].u32;
    if (whence > WASI_WHENCE_END) return WASI_ERRNO_INVAL;
    Errno error = check_seekable(call, fd);
    bool moves = offset != 0 || whence != WASI_WHENCE_CUR;
    if (!error) error = wr_wasi_file(call, fd, WASI_RIGHTS_FD_SEEK, &descriptor);
    if (error == WASI_ERRNO_NOTCAPABLE && !moves)
        error = wr_wasi_file(call, fd, WASI_RIGHTS_FD_TELL, &descriptor);
    if (!error) error = wr_guest_check(call, result, 8);
    if (!error) error = wr_file_seek(descriptor->file, offset, (int)whence, &position);
    return error ? error : wr_guest_put_u64(call, result, position);
}

Errno wr_wasi_fd_seek(Call *call) {
    static const uint8_t unstable[] = {[WASI0_WHENCE_CUR] = WASI_WHENCE_CUR,
                                       [WASI0_WHENCE_END] = WASI_WHENCE_END,
                                       [WASI0_WHENCE_SET] = WASI_WHENCE_SET};
    uint32_t whence = call->args[2].u32;
    if (call->unstable && whence < sizeof unstable) whence = unstable[whence];
    return seek(call, call->args[1].i64, whence, call->args[3].u32);
}

Errno wr_wasi_fd_tell(Call *call) { return seek(call, 0, WASI_WHENCE_CUR, call->args[1].u32); }

/* ---- Storage ------------------------------------------------------------------------------------------------ */

static Errno sync_file(Call *call, uint64_t right, bool data_only) {
    Descriptor *descriptor;
    Errno error = wr_wasi_descriptor(call, call->args[0].u32, right, &descriptor);
    if (error || descriptor->kind == KIND_NULL) return error;
    return wr_file_sync(descriptor->file, data_only);
}

Errno wr_wasi_fd_sync(Call *call) { return sync_file(call, WASI_RIGHTS_FD_SYNC, false); }

Errno wr_wasi_fd_datasync(Call *call) { return sync_file(call, WASI_RIGHTS_FD_DATASYNC, true); }

Errno wr_wasi_fd_allocate(Call *call) {
    Descriptor *descriptor;
    Errno error = check_seekable(call, call->args[0].u32);
    if (!error) error = wr_wasi_file(call, call->args[0].u32, WASI_RIGHTS_FD_ALLOCATE, &descriptor);
    return error ? error : wr_file_allocate(descriptor->file, call->args[1].u64, call->args[2].u64);
}

Errno wr_wasi_fd_advise(Call *call) {
    Descriptor *descriptor;
    uint32_t advice = call->args[3].u32;
    if (advice > WASI_ADVICE_NOREUSE) return WASI_ERRNO_INVAL;
    Errno error = wr_wasi_descriptor(call, call->args[0].u32, WASI_RIGHTS_FD_ADVISE, &descriptor);
    return error ? error
                 : wr_file_advise(descriptor->file, call->args[1].u64, call->args[2].u64,
                                  (int)advice);
}

/* ---- Attributes ------------------------------------------------------------------------------------------------ */

Errno wr_wasi_fd_filestat_get(Call *call) {
    Descriptor *descriptor;
    SysStat stat = {.filetype = WASI_FILETYPE_UNKNOWN};
    Errno error =
        wr_wasi_descriptor(call, call->args[0].u32, WASI_RIGHTS_FD_FILESTAT_GET, &descriptor);
    if (!error && descriptor->kind != KIND_NULL) error = wr_file_stat(descriptor->file, &stat);
    return error ? error : wr_filestat_put(call, call->args[1].u32, &stat);
}

Errno wr_wasi_fd_filestat_set_size(Call *call) {
    Descriptor *descriptor;
    Errno error =
        wr_wasi_file(call, call->args[0].u32, WASI_RIGHTS_FD_FILESTAT_SET_SIZE, &descriptor);
    return error ? error : wr_file_truncate(descriptor->file, call->args[1].u64);
}

Errno wr_wasi_fd_filestat_set_times(Call *call) {
    Descriptor *descriptor;
    uint32_t flags = call->args[3].u32;
    Errno error = wr_filestat_check_times(flags);
    if (!error)
        error = wr_wasi_descriptor(call, call->args[0].u32, WASI_RIGHTS_FD_FILESTAT_SET_TIMES,
                                   &descriptor);
    if (error || descriptor->kind == KIND_NULL) return error;
    return wr_file_set_times(descriptor->file, call->args[1].u64, call->args[2].u64, flags);
}

Errno wr_wasi_fd_fdstat_get(Call *call) {
    Descriptor *descriptor;
    Errno error = wr_wasi_descriptor(call, call->args[0].u32, 0, &descriptor);
    uint8_t *bytes = wr_guest_bytes(call, call->args[1].u32, WASI_FDSTAT_SIZE);
    if (error || !bytes) return error ? error : WASI_ERRNO_FAULT;
    memset(bytes, 0, WASI_FDSTAT_SIZE);
    bytes[WASI_FDSTAT_FS_FILETYPE] = descriptor->filetype;
    put_u16(bytes + WASI_FDSTAT_FS_FLAGS, descriptor->flags);
    put_u64(bytes + WASI_FDSTAT_FS_RIGHTS_BASE, descriptor->base);
    put_u64(bytes + WASI_FDSTAT_FS_RIGHTS_INHERITING, descriptor->inheriting);
    return WASI_ERRNO_SUCCESS;
}

/* APPEND goes to the host, so that it is atomic; the rest is the guest's own view (io.h). */
static Errno set_flags(Descriptor *descriptor, uint32_t flags) {
    unsigned append = flags & WASI_FDFLAGS_APPEND;
    if (descriptor->kind == KIND_FILE && append != (descriptor->flags & WASI_FDFLAGS_APPEND)) {
        Errno error = wr_file_set_append(descriptor->file, append);
        if (error) return error;
    }
    descriptor->flags = (uint16_t)flags;
    return WASI_ERRNO_SUCCESS;
}

Errno wr_wasi_fd_fdstat_set_flags(Call *call) {
    Descriptor *descriptor;
    uint32_t flags = call->args[1].u32;
    if (flags & ~(uint32_t)WASI_FDFLAGS_ALL) return WASI_ERRNO_INVAL;
    Errno error =
        wr_wasi_descriptor(call, call->args[0].u32, WASI_RIGHTS_FD_FDSTAT_SET_FLAGS, &descriptor);
    if (error) return error;
    wr_sys_mutex_lock(&descriptor->lock);
    error = set_flags(descriptor, flags);
    wr_sys_mutex_unlock(&descriptor->lock);
    return error;
}

static Errno set_rights(Descriptor *descriptor, uint64_t base, uint64_t inheriting) {
    if ((base & ~descriptor->base) || (inheriting & ~descriptor->inheriting))
        return WASI_ERRNO_NOTCAPABLE;
    descriptor->base = base;
    descriptor->inheriting = inheriting;
    return WASI_ERRNO_SUCCESS;
}

Errno wr_wasi_fd_fdstat_set_rights(Call *call) {
    Descriptor *descriptor;
    Errno error = wr_wasi_descriptor(call, call->args[0].u32, 0, &descriptor);
    if (error) return error;
    wr_sys_mutex_lock(&descriptor->lock);
    error = set_rights(descriptor, call->args[1].u64, call->args[2].u64);
    wr_sys_mutex_unlock(&descriptor->lock);
    return error;
}

/* ---- The table ---------------------------------------------------------------------------------------------------- */

Errno wr_wasi_fd_close(Call *call) {
    return wr_fdtable_close(&call->wasi->table, call->args[0].u32);
}

Errno wr_wasi_fd_renumber(Call *call) {
    return wr_fdtable_renumber(&call->wasi->table, call->args[0].u32, call->args[1].u32);
}

static Errno find_preopen(Call *call, const char **name) {
    Descriptor *descriptor;
    Errno error = wr_wasi_descriptor(call, call->args[0].u32, 0, &descriptor);
    if (error) return error;
    *name = descriptor->preopen;
    return *name ? WASI_ERRNO_SUCCESS : WASI_ERRNO_BADF;
}

Errno wr_wasi_fd_prestat_get(Call *call) {
    const char *name;
    Errno error = find_preopen(call, &name);
    uint8_t *bytes = wr_guest_bytes(call, call->args[1].u32, WASI_PRESTAT_SIZE);
    if (error || !bytes) return error ? error : WASI_ERRNO_FAULT;
    memset(bytes, 0, WASI_PRESTAT_SIZE);
    bytes[WASI_PRESTAT_TAG] = WASI_PREOPENTYPE_DIR;
    put_u32(bytes + WASI_PRESTAT_U + WASI_PRESTAT_DIR_PR_NAME_LEN, (uint32_t)strlen(name));
    return WASI_ERRNO_SUCCESS;
}

Errno wr_wasi_fd_prestat_dir_name(Call *call) {
    const char *name;
    Errno error = find_preopen(call, &name);
    if (error) return error;
    size_t size = strlen(name);
    if (call->args[2].u32 < size) return WASI_ERRNO_NAMETOOLONG;
    uint8_t *bytes = wr_guest_bytes(call, call->args[1].u32, size);
    if (!bytes) return WASI_ERRNO_FAULT;
    memcpy(bytes, name, size);
    return WASI_ERRNO_SUCCESS;
}
