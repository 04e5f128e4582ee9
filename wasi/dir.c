/*
 * dir.c - fd_readdir: the entries of a directory.
 *
 * A cookie is the number of an entry: the host's own positions may need 64 bits, and wasi-libc keeps
 * what telldir() returns in 32. The positions behind the numbers are remembered, so that cookies stay
 * good while files come and go. They belong to a descriptor, and mean something new once it has been
 * listed from the start again. An entry that did not fit is kept for the next call: a listing in small
 * pieces reads every entry from the host once.
 */
#include "dir.h"

#include <stdlib.h>
#include <string.h>

#include "guest.h"

struct Listing {
    FileDir stream;
    SysEntry entry; /* number `next`, read and not yet delivered, if has_entry */
    bool has_entry;
    uint64_t next;       /* number of the entry that `stream` (or `entry`) has next */
    uint64_t *positions; /* host positions of the entries up to and including number `known` */
    uint64_t known, capacity;
};

void wr_listing_free(Listing *listing) {
    if (!listing) return;
    wr_file_dir_close(&listing->stream);
    free(listing->positions);
    free(listing);
}

static Errno start(Descriptor *directory) {
    if (directory->listing) return WASI_ERRNO_SUCCESS;
    Listing *listing = calloc(1, sizeof *listing);
    Errno error = listing ? wr_file_dir_open(directory->file, &listing->stream) : WASI_ERRNO_NOMEM;
    if (error)
        free(listing);
    else
        directory->listing = listing;
    return error;
}

/* ---- Positions ------------------------------------------------------------------------------------ */

/* Notes where entry `number` begins; numbers come in order, now and then again from the start. */
static Errno remember(Listing *listing, uint64_t number, uint64_t position) {
    if (number >= listing->capacity) {
        uint64_t capacity = listing->capacity ? listing->capacity * 2 : 64;
        uint64_t *bigger = NULL;
        if (capacity <= SIZE_MAX / sizeof *bigger)
            bigger = realloc(listing->positions, (size_t)capacity * sizeof *bigger);
        if (!bigger) return WASI_ERRNO_NOMEM;
        listing->positions = bigger;
        listing->capacity = capacity;
    }
    listing->positions[number] = position;
    listing->known = number;
    return WASI_ERRNO_SUCCESS;
}

static Errno restart(Listing *listing) {
    listing->has_entry = false;
    listing->next = 0;
    Errno error = wr_file_dir_seek(&listing->stream, 0);
    return error ? error : remember(listing, 0, 0);
}

/* Goes past the entry that is there: its successor has the next number. */
static Errno advance(Listing *listing) {
    listing->has_entry = false;
    listing->next++;
    if (listing->next <= listing->known) return WASI_ERRNO_SUCCESS;
    return remember(listing, listing->next, listing->entry.next);
}

/* Makes sure that there is an entry, unless that is the end. */
static Errno fetch(Listing *listing, bool *end) {
    *end = false;
    if (listing->has_entry) return WASI_ERRNO_SUCCESS;
    Errno error = wr_file_dir_next(&listing->stream, &listing->entry, end);
    listing->has_entry = !error && !*end;
    return error;
}

/* Makes entry number `cookie` the next. What nobody has seen yet is found by reading on. */
static Errno seek(Listing *listing, uint64_t cookie) {
    if (cookie == WASI_DIRCOOKIE_START) return restart(listing);
    if (cookie == listing->next) return WASI_ERRNO_SUCCESS;
    listing->has_entry = false;
    listing->next = cookie < listing->known ? cookie : listing->known;
    Errno error = listing->capacity
                      ? wr_file_dir_seek(&listing->stream, listing->positions[listing->next])
                      : restart(listing);
    for (bool end = false; !error && listing->next < cookie;) {
        error = fetch(listing, &end);
        if (end) return WASI_ERRNO_SUCCESS;
        if (!error) error = advance(listing);
    }
    return error;
}

/* ---- Entries ---------------------------------------------------------------------------------------- */

/* Stores the entry as far as it fits and returns how many bytes that were. The number of the parent
 * is not told, as it may lie outside: it has that of the directory itself. */
static uint32_t store(const Descriptor *directory, uint8_t *buffer, uint32_t size) {
    const Listing *listing = directory->listing;
    const SysEntry *entry = &listing->entry;
    uint8_t header[WASI_DIRENT_SIZE] = {0};
    SysStat self = {.ino = entry->ino};
    if (strcmp(entry->name, "..") == 0 && wr_file_stat(directory->file, &self)) self.ino = 0;
    put_u64(header + WASI_DIRENT_D_NEXT, listing->next + 1);
    put_u64(header + WASI_DIRENT_D_INO, self.ino);
    put_u32(header + WASI_DIRENT_D_NAMLEN, (uint32_t)entry->length);
    header[WASI_DIRENT_D_TYPE] = entry->filetype;
    uint32_t used = size < sizeof header ? size : (uint32_t)sizeof header;
    memcpy(buffer, header, used);
    uint32_t left = size - used;
    uint32_t named = entry->length < left ? (uint32_t)entry->length : left;
    memcpy(buffer + used, entry->name, named);
    return used + named;
}

/* Fills the buffer; the last entry is cut off at its end, and only then is it full. Names that are not
 * UTF-8 are left out: guests have no way to speak of them. */
static Errno fill(const Descriptor *directory, uint8_t *buffer, uint32_t size, uint32_t *used) {
    Listing *listing = directory->listing;
    for (*used = 0; *used < size;) {
        bool end;
        Errno error = fetch(listing, &end);
        if (error || end) return *used ? WASI_ERRNO_SUCCESS : error;
        uint32_t left = size - *used;
        if (wr_utf8_ok(listing->entry.name, listing->entry.length)) {
            *used += store(directory, buffer + *used, left);
            if (WASI_DIRENT_SIZE + listing->entry.length > left) return WASI_ERRNO_SUCCESS;
        }
        error = advance(listing);
        if (error) return error;
    }
    return WASI_ERRNO_SUCCESS;
}

/* Threads that read one directory take turns; each finds its cookie again. */
static Errno read_entries(Descriptor *directory, uint64_t cookie, uint8_t *buffer, uint32_t size,
                          uint32_t *used) {
    wr_sys_mutex_lock(&directory->lock);
    Errno error = start(directory);
    if (!error) error = seek(directory->listing, cookie);
    if (!error) error = fill(directory, buffer, size, used);
    wr_sys_mutex_unlock(&directory->lock);
    return error;
}

Errno wr_wasi_fd_readdir(Call *call) {
    Descriptor *directory;
    uint32_t size = call->args[2].u32, used;
    Errno error = wr_wasi_directory(call, call->args[0].u32, WASI_RIGHTS_FD_READDIR, &directory);
    uint8_t *buffer = wr_guest_bytes(call, call->args[1].u32, size);
    if (!error && !buffer) error = WASI_ERRNO_FAULT;
    if (!error) error = wr_guest_check(call, call->args[4].u32, 4);
    if (!error) error = read_entries(directory, call->args[3].u64, buffer, size, &used);
    return error ? error : wr_guest_put_u32(call, call->args[4].u32, used);
}
