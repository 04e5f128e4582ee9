/*
 * dir.c - fd_readdir: the entries of a directory.
 *
 * Cookies are the host's positions, so they stay good while files come and go. The directory stream
 * is kept between calls, and an entry that did not fit is kept with it: a listing in small pieces
 * reads every entry from the host once.
 */
#include <string.h>

#include "guest.h"

/* Makes the next entry that of `cookie`. */
static Errno position(Descriptor *directory, uint64_t cookie) {
    Errno error = WASI_ERRNO_SUCCESS;
    if (!directory->stream) error = wr_sys_dir_open(directory->host, &directory->stream);
    if (error || (cookie != WASI_DIRCOOKIE_START && cookie == directory->cookie)) return error;
    error = wr_sys_dir_seek(directory->stream, cookie);
    directory->has_entry = false;
    directory->cookie = cookie;
    return error;
}

/* Fetches the next entry unless there is one. Names that are not UTF-8 are left out: guests have no
 * way to speak of them. The parent's number is not told: it may lie outside. */
static Errno fetch(Descriptor *directory, bool *end) {
    SysStat stat;
    *end = false;
    while (!directory->has_entry) {
        SysEntry *entry = &directory->entry;
        Errno error = wr_sys_dir_next(directory->stream, entry, end);
        if (error || *end) return error;
        directory->has_entry = wr_utf8_ok(entry->name, entry->length);
        if (!directory->has_entry) directory->cookie = entry->next;
        if (strcmp(entry->name, "..") == 0)
            entry->ino = wr_sys_stat(directory->host, &stat) ? 0 : stat.ino;
    }
    return WASI_ERRNO_SUCCESS;
}

/* Stores the entry as far as it fits and returns how many bytes that were. */
static uint32_t store(const SysEntry *entry, uint8_t *buffer, uint32_t size) {
    uint8_t header[WASI_DIRENT_SIZE] = {0};
    put_u64(header + WASI_DIRENT_D_NEXT, entry->next);
    put_u64(header + WASI_DIRENT_D_INO, entry->ino);
    put_u32(header + WASI_DIRENT_D_NAMLEN, (uint32_t)entry->length);
    header[WASI_DIRENT_D_TYPE] = entry->filetype;
    uint32_t used = size < sizeof header ? size : (uint32_t)sizeof header;
    memcpy(buffer, header, used);
    uint32_t left = size - used;
    uint32_t named = entry->length < left ? (uint32_t)entry->length : left;
    memcpy(buffer + used, entry->name, named);
    return used + named;
}

/* Fills the buffer; the last entry is cut off at its end, and only then is it full. */
static Errno fill(Descriptor *directory, uint8_t *buffer, uint32_t size, uint32_t *used) {
    for (*used = 0; *used < size;) {
        bool end;
        Errno error = fetch(directory, &end);
        if (error || end) return *used ? WASI_ERRNO_SUCCESS : error;
        uint32_t left = size - *used;
        *used += store(&directory->entry, buffer + *used, left);
        if (WASI_DIRENT_SIZE + directory->entry.length > left) return WASI_ERRNO_SUCCESS;
        directory->has_entry = false;
        directory->cookie = directory->entry.next;
    }
    return WASI_ERRNO_SUCCESS;
}

Errno wr_wasi_fd_readdir(Call *call) {
    Descriptor *directory;
    uint32_t size = call->args[2].u32, used;
    Errno error = wr_wasi_directory(call, call->args[0].u32, WASI_RIGHTS_FD_READDIR, &directory);
    uint8_t *buffer = wr_guest_bytes(call, call->args[1].u32, size);
    if (!error && !buffer) error = WASI_ERRNO_FAULT;
    if (!error) error = wr_guest_check(call, call->args[4].u32, 4);
    if (!error) error = position(directory, call->args[3].u64);
    if (!error) error = fill(directory, buffer, size, &used);
    return error ? error : wr_guest_put_u32(call, call->args[4].u32, used);
}
