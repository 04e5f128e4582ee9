/*
 * fdtable.c - the guest's descriptors; see fdtable.h.
 */
#include "fdtable.h"

#include <stdlib.h>
#include <string.h>

static DescriptorKind kind_of(const SysInfo *info) {
    switch (info->stat.filetype) {
    case WASI_FILETYPE_REGULAR_FILE:
    case WASI_FILETYPE_BLOCK_DEVICE: return KIND_FILE;
    case WASI_FILETYPE_DIRECTORY: return KIND_DIRECTORY;
    case WASI_FILETYPE_SOCKET_DGRAM:
    case WASI_FILETYPE_SOCKET_STREAM: return KIND_SOCKET;
    default: return KIND_STREAM;
    }
}

/* A terminal is told from other devices by not being seekable: wasi-libc's isatty() relies on it. */
static uint64_t rights_for(const SysInfo *info) {
    switch (kind_of(info)) {
    case KIND_FILE: return RIGHTS_REGULAR;
    case KIND_DIRECTORY: return RIGHTS_DIRECTORY;
    case KIND_SOCKET: return RIGHTS_SOCKET;
    case KIND_STREAM:
        return info->seekable ? RIGHTS_STREAM | WASI_RIGHTS_FD_SEEK | WASI_RIGHTS_FD_TELL
                              : RIGHTS_STREAM;
    case KIND_NULL: break;
    }
    return 0;
}

Descriptor wr_descriptor_of(File file, const SysInfo *info, uint64_t base, uint64_t inheriting) {
    /* Of the embedder's files none can be waited for. */
    bool is_device = file.virtual && kind_of(info) == KIND_STREAM;
    return (Descriptor){.kind = is_device ? KIND_FILE : kind_of(info),
                        .file = file,
                        .filetype = info->stat.filetype,
                        .seekable = info->seekable,
                        .flags = info->flags,
                        .host_flags = info->flags,
                        .base = base & rights_for(info),
                        .inheriting = inheriting};
}

Errno wr_descriptor_open(File file, uint64_t base, uint64_t inheriting, Descriptor *result) {
    SysInfo info;
    Errno error = wr_file_info(file, &info);
    if (!error) *result = wr_descriptor_of(file, &info, base, inheriting);
    return error;
}

Descriptor wr_descriptor_null(uint64_t base) {
    return (Descriptor){.kind = KIND_NULL,
                        .file = NO_FILE,
                        .filetype = WASI_FILETYPE_UNKNOWN,
                        .base = base & RIGHTS_STREAM};
}

Errno wr_descriptor_close(Descriptor *descriptor) {
    wr_listing_free(descriptor->listing);
    free(descriptor->preopen);
    return wr_file_close(descriptor->file);
}

/* ---- Places ------------------------------------------------------------------------------------------- */

void wr_fdtable_init(FdTable *table) {
    *table = (FdTable){0};
    wr_sys_mutex_init(&table->lock);
}

/* For the table; NULL when out of memory, and then it is closed. */
static Descriptor *allocate(Descriptor *descriptor) {
    Descriptor *copy = malloc(sizeof *copy);
    if (!copy) {
        wr_descriptor_close(descriptor);
        return NULL;
    }
    *copy = *descriptor;
    wr_sys_mutex_init(&copy->lock);
    copy->holders = 1;
    return copy;
}

static Errno free_descriptor(Descriptor *descriptor) {
    Errno error = wr_descriptor_close(descriptor);
    wr_sys_mutex_destroy(&descriptor->lock);
    free(descriptor);
    return error;
}

/* Makes room for at least one more; the new places are free. */
static Errno grow(FdTable *table) {
    if (table->capacity >= FDTABLE_LIMIT) return WASI_ERRNO_MFILE;
    uint32_t capacity = table->capacity ? table->capacity * 2 : 16;
    Descriptor **bigger = realloc(table->descriptors, capacity * sizeof *bigger);
    if (!bigger) return WASI_ERRNO_NOMEM;
    for (uint32_t i = table->capacity; i < capacity; i++) bigger[i] = NULL;
    table->descriptors = bigger;
    table->capacity = capacity;
    return WASI_ERRNO_SUCCESS;
}

/* With the lock. */
static Errno put(FdTable *table, Descriptor *descriptor, uint32_t *fd) {
    uint32_t free_place = 0;
    while (free_place < table->capacity && table->descriptors[free_place]) free_place++;
    Errno error = free_place < table->capacity ? WASI_ERRNO_SUCCESS : grow(table);
    if (error) return error;
    table->descriptors[free_place] = descriptor;
    *fd = free_place;
    return WASI_ERRNO_SUCCESS;
}

/* With the lock: the place of that number, or NULL if nothing is there. */
static Descriptor **place_of(const FdTable *table, uint32_t fd) {
    return fd < table->capacity && table->descriptors[fd] ? &table->descriptors[fd] : NULL;
}

Errno wr_fdtable_insert(FdTable *table, Descriptor descriptor, uint32_t *fd) {
    Descriptor *copy = allocate(&descriptor);
    if (!copy) return WASI_ERRNO_NOMEM;
    wr_sys_mutex_lock(&table->lock);
    Errno error = put(table, copy, fd);
    wr_sys_mutex_unlock(&table->lock);
    if (error) (void)free_descriptor(copy);
    return error;
}

Errno wr_fdtable_replace(FdTable *table, Descriptor descriptor, uint32_t fd) {
    Descriptor *copy = allocate(&descriptor);
    if (!copy) return WASI_ERRNO_NOMEM;
    wr_sys_mutex_lock(&table->lock);
    Descriptor **place = place_of(table, fd), *old = copy;
    if (place) {
        old = *place;
        *place = copy;
    }
    wr_sys_mutex_unlock(&table->lock);
    (void)wr_fdtable_release(table, old);
    return place ? WASI_ERRNO_SUCCESS : WASI_ERRNO_BADF;
}

/* ---- Holding and closing ------------------------------------------------------------------------------ */

Descriptor *wr_fdtable_hold(FdTable *table, uint32_t fd) {
    wr_sys_mutex_lock(&table->lock);
    Descriptor **place = place_of(table, fd), *descriptor = place ? *place : NULL;
    if (descriptor) descriptor->holders++;
    wr_sys_mutex_unlock(&table->lock);
    return descriptor;
}

Errno wr_fdtable_release(FdTable *table, Descriptor *descriptor) {
    wr_sys_mutex_lock(&table->lock);
    bool last = --descriptor->holders == 0;
    wr_sys_mutex_unlock(&table->lock);
    return last ? free_descriptor(descriptor) : WASI_ERRNO_SUCCESS;
}

/* Takes what is there out of the table. */
static Descriptor *take(FdTable *table, uint32_t fd) {
    Descriptor **place = place_of(table, fd), *descriptor = place ? *place : NULL;
    if (place) *place = NULL;
    return descriptor;
}

Errno wr_fdtable_close(FdTable *table, uint32_t fd) {
    wr_sys_mutex_lock(&table->lock);
    Descriptor *descriptor = take(table, fd);
    wr_sys_mutex_unlock(&table->lock);
    return descriptor ? wr_fdtable_release(table, descriptor) : WASI_ERRNO_BADF;
}

/* With the lock. `*closed` is what was at `to`, if that has gone. */
static Errno move(FdTable *table, uint32_t from, uint32_t to, Descriptor **closed) {
    if (!place_of(table, from) || !place_of(table, to)) return WASI_ERRNO_BADF;
    if (from == to) return WASI_ERRNO_SUCCESS;
    *closed = take(table, to);
    table->descriptors[to] = take(table, from);
    return WASI_ERRNO_SUCCESS;
}

Errno wr_fdtable_renumber(FdTable *table, uint32_t from, uint32_t to) {
    Descriptor *closed = NULL;
    wr_sys_mutex_lock(&table->lock);
    Errno error = move(table, from, to, &closed);
    wr_sys_mutex_unlock(&table->lock);
    if (closed)
        (void)wr_fdtable_release(table, closed); /* as dup2: its error has nobody to go to */
    return error;
}

void wr_fdtable_free(FdTable *table) {
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->descriptors[i]) (void)free_descriptor(table->descriptors[i]);
    }
    free(table->descriptors);
    wr_sys_mutex_destroy(&table->lock);
    *table = (FdTable){0};
}
