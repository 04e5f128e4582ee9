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
    case KIND_CLOSED:
    case KIND_NULL: break;
    }
    return 0;
}

Errno wr_descriptor_open(int host, uint64_t base, uint64_t inheriting, Descriptor *result) {
    SysInfo info;
    Errno error = wr_sys_info(host, &info);
    if (error) return error;
    *result = (Descriptor){.kind = kind_of(&info),
                           .host = host,
                           .filetype = info.stat.filetype,
                           .seekable = info.seekable,
                           .flags = info.flags,
                           .host_flags = info.flags,
                           .base = base & rights_for(&info),
                           .inheriting = inheriting};
    return WASI_ERRNO_SUCCESS;
}

Descriptor wr_descriptor_null(uint64_t base) {
    return (Descriptor){.kind = KIND_NULL,
                        .host = -1,
                        .filetype = WASI_FILETYPE_UNKNOWN,
                        .base = base & RIGHTS_STREAM};
}

Errno wr_descriptor_close(Descriptor *descriptor) {
    wr_listing_free(descriptor->listing);
    free(descriptor->preopen);
    Errno error = descriptor->host >= 0 ? wr_sys_close(descriptor->host) : WASI_ERRNO_SUCCESS;
    *descriptor = (Descriptor){.kind = KIND_CLOSED, .host = -1};
    return error;
}

/* Makes room for at least one more; the new places are free. */
static Errno grow(FdTable *table) {
    if (table->capacity >= FDTABLE_LIMIT) return WASI_ERRNO_MFILE;
    uint32_t capacity = table->capacity ? table->capacity * 2 : 16;
    Descriptor *bigger = realloc(table->descriptors, capacity * sizeof *bigger);
    if (!bigger) return WASI_ERRNO_NOMEM;
    for (uint32_t i = table->capacity; i < capacity; i++)
        bigger[i] = (Descriptor){.kind = KIND_CLOSED, .host = -1};
    table->descriptors = bigger;
    table->capacity = capacity;
    return WASI_ERRNO_SUCCESS;
}

Errno wr_fdtable_insert(FdTable *table, Descriptor descriptor, uint32_t *fd) {
    uint32_t free_place = 0;
    while (free_place < table->capacity && table->descriptors[free_place].kind != KIND_CLOSED)
        free_place++;
    Errno error = free_place < table->capacity ? WASI_ERRNO_SUCCESS : grow(table);
    if (error) {
        wr_descriptor_close(&descriptor);
        return error;
    }
    table->descriptors[free_place] = descriptor;
    *fd = free_place;
    return WASI_ERRNO_SUCCESS;
}

Descriptor *wr_fdtable_at(const FdTable *table, uint32_t fd) {
    if (fd >= table->capacity || table->descriptors[fd].kind == KIND_CLOSED) return NULL;
    return &table->descriptors[fd];
}

Errno wr_fdtable_renumber(FdTable *table, uint32_t from, uint32_t to) {
    Descriptor *source = wr_fdtable_at(table, from);
    Descriptor *target = wr_fdtable_at(table, to);
    if (!source || !target) return WASI_ERRNO_BADF;
    if (source == target) return WASI_ERRNO_SUCCESS;
    wr_descriptor_close(target); /* as dup2: its error has nobody to go to */
    *target = *source;
    *source = (Descriptor){.kind = KIND_CLOSED, .host = -1};
    return WASI_ERRNO_SUCCESS;
}

void wr_fdtable_free(FdTable *table) {
    for (uint32_t i = 0; i < table->capacity; i++) wr_descriptor_close(&table->descriptors[i]);
    free(table->descriptors);
    *table = (FdTable){0};
}
