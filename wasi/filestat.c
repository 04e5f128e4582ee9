/*
 * filestat.c - attributes of files; see filestat.h.
 */
#include "filestat.h"

#include <string.h>

typedef struct Layout {
    uint8_t size_of, nlink_size;                               /* bytes */
    uint8_t dev, ino, filetype, nlink, size, atim, mtim, ctim; /* offsets */
} Layout;

static const Layout layouts[] = {
    {.size_of = WASI_FILESTAT_SIZE,
     .nlink_size = 8,
     .dev = WASI_FILESTAT_DEV,
     .ino = WASI_FILESTAT_INO,
     .filetype = WASI_FILESTAT_FILETYPE,
     .nlink = WASI_FILESTAT_NLINK,
     .size = WASI_FILESTAT_SIZE_OFFSET,
     .atim = WASI_FILESTAT_ATIM,
     .mtim = WASI_FILESTAT_MTIM,
     .ctim = WASI_FILESTAT_CTIM},
    {.size_of = WASI0_FILESTAT_SIZE,
     .nlink_size = 4,
     .dev = WASI0_FILESTAT_DEV,
     .ino = WASI0_FILESTAT_INO,
     .filetype = WASI0_FILESTAT_FILETYPE,
     .nlink = WASI0_FILESTAT_NLINK,
     .size = WASI0_FILESTAT_SIZE_OFFSET,
     .atim = WASI0_FILESTAT_ATIM,
     .mtim = WASI0_FILESTAT_MTIM,
     .ctim = WASI0_FILESTAT_CTIM},
};

Errno wr_filestat_put(Call *call, uint32_t address, const SysStat *stat) {
    const Layout *layout = &layouts[call->unstable];
    uint8_t *bytes = wr_guest_bytes(call, address, layout->size_of);
    if (!bytes) return WASI_ERRNO_FAULT;
    memset(bytes, 0, layout->size_of);
    put_u64(bytes + layout->dev, stat->dev);
    put_u64(bytes + layout->ino, stat->ino);
    bytes[layout->filetype] = stat->filetype;
    if (layout->nlink_size == 8)
        put_u64(bytes + layout->nlink, stat->nlink);
    else
        put_u32(bytes + layout->nlink, (uint32_t)stat->nlink);
    put_u64(bytes + layout->size, stat->size);
    put_u64(bytes + layout->atim, stat->atim);
    put_u64(bytes + layout->mtim, stat->mtim);
    put_u64(bytes + layout->ctim, stat->ctim);
    return WASI_ERRNO_SUCCESS;
}

Errno wr_filestat_check_times(uint32_t flags) {
    const uint32_t atim = WASI_FSTFLAGS_ATIM | WASI_FSTFLAGS_ATIM_NOW;
    const uint32_t mtim = WASI_FSTFLAGS_MTIM | WASI_FSTFLAGS_MTIM_NOW;
    if ((flags & ~(uint32_t)WASI_FSTFLAGS_ALL) || (flags & atim) == atim || (flags & mtim) == mtim)
        return WASI_ERRNO_INVAL;
    return WASI_ERRNO_SUCCESS;
}
