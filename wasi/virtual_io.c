/*
 * virtual_io.c - files that the embedder gives: reading and writing them, and listing directories; see
 * virtual.h.
 */
#include <stdlib.h>
#include <string.h>

#include "virtual_tree.h"

static void lock(VirtualTree *tree) { wr_sys_mutex_lock(&tree->lock); }
static void unlock(VirtualTree *tree) { wr_sys_mutex_unlock(&tree->lock); }

static bool is_seekable(const VirtualFile *file) {
    return file->filetype == WASI_FILETYPE_REGULAR_FILE;
}

/* ---- Reading and writing ---------------------------------------------------------------------------- */

/* Moves bytes of one buffer. */
typedef Errno Move(const VirtualFile *file, const SysBuffer *buffer, uint64_t offset, size_t *done);

static Errno read_one(const VirtualFile *file, const SysBuffer *buffer, uint64_t offset,
                      size_t *done) {
    const VirtualTree *tree = file->tree;
    return wr_virtual_answer(
        tree->files.read(tree->context, file->file, buffer->data, buffer->size, offset, done));
}

/* Nothing written and no reason is no answer: guests would try for ever. */
static Errno write_one(const VirtualFile *file, const SysBuffer *buffer, uint64_t offset,
                       size_t *done) {
    const VirtualTree *tree = file->tree;
    Errno error = wr_virtual_answer(
        tree->files.write(tree->context, file->file, buffer->data, buffer->size, offset, done));
    return !error && *done == 0 ? WASI_ERRNO_IO : error;
}

/* Buffer by buffer, until one is done in part: what has been moved then counts, whatever came after. */
static Errno move(const VirtualFile *file, Move *move_one, const SysBuffer *buffers, size_t count,
                  uint64_t offset, size_t *done) {
    for (size_t i = 0; i < count; i++) {
        uint64_t at = offset + *done;
        SysBuffer buffer = buffers[i];
        if (at >= INT64_MAX) break;
        if (buffer.size > INT64_MAX - at) buffer.size = (size_t)(INT64_MAX - at);
        size_t part = 0;
        Errno error = move_one(file, &buffer, is_seekable(file) ? at : 0, &part);
        if (!error && part > buffer.size) error = WASI_ERRNO_IO;
        if (error) return *done ? WASI_ERRNO_SUCCESS : error;
        *done += part;
        if (part < buffer.size) break;
    }
    return WASI_ERRNO_SUCCESS;
}

static Errno read_at(const VirtualFile *file, const SysBuffer *buffers, size_t count,
                     uint64_t offset, size_t *done) {
    if (!file->readable) return WASI_ERRNO_BADF;
    return move(file, read_one, buffers, count, offset, done);
}

Errno wr_virtual_read(VirtualFile *file, const SysBuffer *buffers, size_t count, size_t *done) {
    *done = 0;
    lock(file->tree);
    Errno error = read_at(file, buffers, count, file->position, done);
    if (is_seekable(file)) file->position += *done;
    unlock(file->tree);
    return error;
}

Errno wr_virtual_pread(VirtualFile *file, const SysBuffer *buffers, size_t count, uint64_t offset,
                       size_t *done) {
    *done = 0;
    if (offset > INT64_MAX) return WASI_ERRNO_INVAL;
    lock(file->tree);
    Errno error = read_at(file, buffers, count, offset, done);
    unlock(file->tree);
    return error;
}

/* `*offset` becomes the end where the file is for appending, as Linux has it for pwrite() too. */
static Errno write_at(const VirtualFile *file, const SysBuffer *buffers, size_t count,
                      uint64_t *offset, size_t *done) {
    SysStat stat;
    if (!file->writable) return WASI_ERRNO_BADF;
    if (file->append && is_seekable(file)) {
        Errno error = wr_virtual_look(file, &stat);
        if (error) return error;
        *offset = stat.size;
    }
    if (*offset >= INT64_MAX && count > 0) return WASI_ERRNO_FBIG;
    return move(file, write_one, buffers, count, *offset, done);
}

Errno wr_virtual_write(VirtualFile *file, const SysBuffer *buffers, size_t count, size_t *done) {
    *done = 0;
    lock(file->tree);
    uint64_t offset = file->position;
    Errno error = write_at(file, buffers, count, &offset, done);
    if (is_seekable(file) && *done > 0) file->position = offset + *done;
    unlock(file->tree);
    return error;
}

Errno wr_virtual_pwrite(VirtualFile *file, const SysBuffer *buffers, size_t count, uint64_t offset,
                        size_t *done) {
    *done = 0;
    if (offset > INT64_MAX) return WASI_ERRNO_INVAL;
    lock(file->tree);
    Errno error = write_at(file, buffers, count, &offset, done);
    unlock(file->tree);
    return error;
}

Errno wr_virtual_set_append(VirtualFile *file, bool on) {
    lock(file->tree);
    file->append = on;
    unlock(file->tree);
    return WASI_ERRNO_SUCCESS;
}

/* ---- Position, size --------------------------------------------------------------------------------- */

/* What an offset counts from. */
static Errno base_of(const VirtualFile *file, int whence, uint64_t *base) {
    SysStat stat;
    *base = whence == WASI_WHENCE_CUR ? file->position : 0;
    if (whence != WASI_WHENCE_END) return WASI_ERRNO_SUCCESS;
    Errno error = wr_virtual_look(file, &stat);
    *base = stat.size;
    return error;
}

Errno wr_virtual_seek(VirtualFile *file, int64_t offset, int whence, uint64_t *position) {
    uint64_t base;
    *position = 0;
    if (!is_seekable(file)) return WASI_ERRNO_SPIPE;
    lock(file->tree);
    Errno error = base_of(file, whence, &base);
    if (!error && offset < 0 && (uint64_t)-(offset + 1) >= base) error = WASI_ERRNO_INVAL;
    if (!error && offset > 0 && (uint64_t)offset > INT64_MAX - base) error = WASI_ERRNO_OVERFLOW;
    if (!error) *position = file->position = base + (uint64_t)offset;
    unlock(file->tree);
    return error;
}

Errno wr_virtual_sync(VirtualFile *file) {
    const VirtualTree *tree = file->tree;
    if (!tree->files.sync || file->filetype == WASI_FILETYPE_DIRECTORY) return WASI_ERRNO_SUCCESS;
    lock(file->tree);
    Errno error = wr_virtual_answer(tree->files.sync(tree->context, file->file));
    unlock(file->tree);
    return error;
}

static Errno resize(const VirtualFile *file, uint64_t size) {
    const VirtualTree *tree = file->tree;
    if (!tree->files.resize) return WASI_ERRNO_NOTSUP;
    return wr_virtual_answer(tree->files.resize(tree->context, file->file, size));
}

Errno wr_virtual_truncate(VirtualFile *file, uint64_t size) {
    if (size > INT64_MAX || !file->writable || !is_seekable(file)) return WASI_ERRNO_INVAL;
    lock(file->tree);
    Errno error = resize(file, size);
    unlock(file->tree);
    return error;
}

/* Makes the file long enough; that there will be room for its bytes only the embedder can know. */
Errno wr_virtual_allocate(VirtualFile *file, uint64_t offset, uint64_t size) {
    SysStat stat;
    if (!file->writable) return WASI_ERRNO_BADF;
    if (offset > INT64_MAX || size > INT64_MAX || size == 0) return WASI_ERRNO_INVAL;
    if (size > INT64_MAX - offset) return WASI_ERRNO_FBIG;
    lock(file->tree);
    Errno error = wr_virtual_look(file, &stat);
    if (!error && offset + size > stat.size) error = resize(file, offset + size);
    unlock(file->tree);
    return error;
}

/* ---- Directories ------------------------------------------------------------------------------------ */

struct VirtualDir {
    const VirtualFile *directory; /* whose descriptor this belongs to */
    uint64_t at;                  /* 0 ".", 1 "..", then 2 + the embedder's position */
    char name[PATH_LIMIT];        /* of the last entry */
};

enum { DOTS = 2 };

Errno wr_virtual_dir_open(VirtualFile *file, VirtualDir **result) {
    VirtualDir *dir = file->tree->files.list ? calloc(1, sizeof *dir) : NULL;
    if (!file->tree->files.list) return WASI_ERRNO_NOTSUP;
    if (!dir) return WASI_ERRNO_NOMEM;
    dir->directory = file;
    *result = dir;
    return WASI_ERRNO_SUCCESS;
}

void wr_virtual_dir_close(VirtualDir *dir) { free(dir); }

Errno wr_virtual_dir_seek(VirtualDir *dir, uint64_t cookie) {
    dir->at = cookie;
    return WASI_ERRNO_SUCCESS;
}

static Errno next_dots(VirtualDir *dir, SysEntry *entry) {
    SysStat stat;
    Errno error = wr_virtual_look(dir->directory, &stat);
    size_t length = dir->at + 1;
    if (error) return error;
    memcpy(dir->name, "..", sizeof "..");
    dir->name[length] = '\0';
    *entry = (SysEntry){dir->name, length, stat.ino, ++dir->at, WASI_FILETYPE_DIRECTORY};
    return WASI_ERRNO_SUCCESS;
}

static bool is_component(const char *name) {
    return name[0] && strlen(name) < PATH_LIMIT && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static uint64_t inode_of(const VirtualDir *dir, const wr_wasi_entry_t *given) {
    char path[PATH_LIMIT];
    if (given->inode) return given->inode;
    return wr_virtual_join(dir->directory, given->name, path) ? 0 : wr_virtual_inode(path);
}

/* Positions only go up, so every listing has an end. */
static Errno next_given(VirtualDir *dir, SysEntry *entry, bool *end) {
    const VirtualFile *directory = dir->directory;
    const VirtualTree *tree = directory->tree;
    for (;;) {
        wr_wasi_entry_t given = {0};
        uint64_t position = dir->at - DOTS;
        Errno error =
            wr_virtual_answer(tree->files.list(tree->context, directory->path, position, &given));
        *end = !error && !given.name;
        if (error || *end) return error;
        if (given.next <= position || given.next > INT64_MAX) return WASI_ERRNO_IO;
        dir->at = given.next + DOTS;
        if (!is_component(given.name)) continue;
        size_t length = strlen(given.name);
        *entry = (SysEntry){dir->name, length, inode_of(dir, &given), dir->at,
                            given.type <= WR_WASI_SYMBOLIC_LINK ? (uint8_t)given.type
                                                                : WASI_FILETYPE_UNKNOWN};
        memcpy(dir->name, given.name, length + 1);
        return WASI_ERRNO_SUCCESS;
    }
}

Errno wr_virtual_dir_next(VirtualDir *dir, SysEntry *entry, bool *end) {
    VirtualTree *tree = dir->directory->tree;
    *end = false;
    lock(tree);
    Errno error = !dir->directory->path ? WASI_ERRNO_NOENT
                  : dir->at < DOTS      ? next_dots(dir, entry)
                                        : next_given(dir, entry, end);
    unlock(tree);
    return error;
}
