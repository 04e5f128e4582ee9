/*
 * path.c - the path_* functions: everything that names files beneath a directory.
 *
 * Each takes its paths in, finds the directory descriptor with the rights needed, resolves to a Place
 * (resolve.c) and makes one host call on it. Trailing slashes are judged here rather than passed on:
 * hosts disagree on them, and some follow a symbolic link for one.
 */
#include <string.h>

#include "filestat.h"
#include "io.h"
#include "resolve.h"

/* Takes in the path at arguments [index] and [index + 1] and finds its place beneath descriptor `fd`.
 * `follow` goes for a final link. On success the caller closes `place`. */
static Errno find(Call *call, uint32_t fd, uint64_t rights, size_t index, bool follow,
                  Place *place) {
    char path[PATH_LIMIT];
    Descriptor *directory;
    Errno error = wr_wasi_directory(call, fd, rights, &directory);
    if (!error) error = wr_guest_path(call, call->args[index].u32, call->args[index + 1].u32, path);
    if (error) return error;
    return wr_path_final(call->wasi, directory->file, path, follow, place);
}

/* The same for calls that act on the name itself, so that not even a slash makes them follow. */
static Errno find_name(Call *call, uint32_t fd, uint64_t rights, size_t index, Place *place) {
    char path[PATH_LIMIT];
    Descriptor *directory;
    Errno error = wr_wasi_directory(call, fd, rights, &directory);
    if (!error) error = wr_guest_path(call, call->args[index].u32, call->args[index + 1].u32, path);
    if (error) return error;
    return wr_path_parent(call->wasi, directory->file, path, place);
}

/* NOTDIR if the path ended in a slash and there is something else than a directory. */
static Errno check_slash(const Place *place) {
    SysStat stat;
    Errno error =
        place->slash ? wr_file_stat_at(place->dir, place->name, &stat) : WASI_ERRNO_SUCCESS;
    if (error || !place->slash) return error;
    return stat.filetype == WASI_FILETYPE_DIRECTORY ? WASI_ERRNO_SUCCESS : WASI_ERRNO_NOTDIR;
}

/* For new names that will be no directory: one with a slash is EXIST or NOENT. */
static Errno check_new_slash(const Place *place) {
    SysStat stat;
    if (!place->slash) return WASI_ERRNO_SUCCESS;
    Errno error = wr_file_stat_at(place->dir, place->name, &stat);
    return error ? error : WASI_ERRNO_EXIST;
}

static Errno check_lookup(uint32_t flags) {
    return flags & ~(uint32_t)WASI_LOOKUPFLAGS_SYMLINK_FOLLOW ? WASI_ERRNO_INVAL
                                                              : WASI_ERRNO_SUCCESS;
}

/* ---- Making and removing ----------------------------------------------------------------------------- */

Errno wr_wasi_path_create_directory(Call *call) {
    Place place;
    Errno error = find_name(call, call->args[0].u32, WASI_RIGHTS_PATH_CREATE_DIRECTORY, 1, &place);
    if (error) return error;
    error = wr_file_mkdir_at(place.dir, place.name);
    wr_place_close(&place);
    return error;
}

Errno wr_wasi_path_remove_directory(Call *call) {
    Place place;
    Errno error = find_name(call, call->args[0].u32, WASI_RIGHTS_PATH_REMOVE_DIRECTORY, 1, &place);
    if (error) return error;
    error = wr_file_rmdir_at(place.dir, place.name);
    wr_place_close(&place);
    return error;
}

Errno wr_wasi_path_unlink_file(Call *call) {
    Place place;
    Errno error = find_name(call, call->args[0].u32, WASI_RIGHTS_PATH_UNLINK_FILE, 1, &place);
    if (error) return error;
    error = check_slash(&place);
    if (!error) error = place.slash ? WASI_ERRNO_ISDIR : wr_file_unlink_at(place.dir, place.name);
    wr_place_close(&place);
    return error;
}

/* Only links that stay relative are made: an absolute one could mean nothing here, and something
 * else to programs of the host. */
Errno wr_wasi_path_symlink(Call *call) {
    Place place;
    char target[PATH_LIMIT];
    Errno error = wr_guest_path(call, call->args[0].u32, call->args[1].u32, target);
    if (!error) error = find_name(call, call->args[2].u32, WASI_RIGHTS_PATH_SYMLINK, 3, &place);
    if (error) return error;
    error = target[0] == '/' ? WASI_ERRNO_PERM : check_new_slash(&place);
    if (!error) error = wr_file_symlink_at(target, place.dir, place.name);
    wr_place_close(&place);
    return error;
}

/* ---- Two paths ------------------------------------------------------------------------------------------ */

static Errno link_places(const Place *from, const Place *to) {
    Errno error = check_slash(from);
    if (!error) error = check_new_slash(to);
    return error ? error : wr_file_link_at(from->dir, from->name, to->dir, to->name);
}

Errno wr_wasi_path_link(Call *call) {
    Place from, to;
    uint32_t flags = call->args[1].u32;
    Errno error = check_lookup(flags);
    if (!error)
        error = find(call, call->args[0].u32, WASI_RIGHTS_PATH_LINK_SOURCE, 2,
                     flags & WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, &from);
    if (error) return error;
    error = find_name(call, call->args[4].u32, WASI_RIGHTS_PATH_LINK_TARGET, 5, &to);
    if (!error) {
        error = link_places(&from, &to);
        wr_place_close(&to);
    }
    wr_place_close(&from);
    return error;
}

/* A slash on either path says that a directory is renamed; links are never followed. */
static Errno rename_places(const Place *from, const Place *to) {
    SysStat stat;
    if (from->slash || to->slash) {
        Errno error = wr_file_stat_at(from->dir, from->name, &stat);
        if (error) return error;
        if (stat.filetype != WASI_FILETYPE_DIRECTORY) return WASI_ERRNO_NOTDIR;
    }
    return wr_file_rename_at(from->dir, from->name, to->dir, to->name);
}

Errno wr_wasi_path_rename(Call *call) {
    Place from, to;
    Errno error = find_name(call, call->args[0].u32, WASI_RIGHTS_PATH_RENAME_SOURCE, 1, &from);
    if (error) return error;
    error = find_name(call, call->args[3].u32, WASI_RIGHTS_PATH_RENAME_TARGET, 4, &to);
    if (!error) {
        error = rename_places(&from, &to);
        wr_place_close(&to);
    }
    wr_place_close(&from);
    return error;
}

/* ---- Looking ---------------------------------------------------------------------------------------------- */

/* What an absolute link of the host says is not told: it leads nowhere here. */
Errno wr_wasi_path_readlink(Call *call) {
    Place place;
    char target[PATH_LIMIT];
    uint32_t buffer = call->args[3].u32, size = call->args[4].u32, used = call->args[5].u32;
    size_t length = 0;
    Errno error = wr_guest_check(call, buffer, size);
    if (!error) error = wr_guest_check(call, used, 4);
    if (!error) error = find(call, call->args[0].u32, WASI_RIGHTS_PATH_READLINK, 1, false, &place);
    if (error) return error;
    error = wr_file_readlink_at(place.dir, place.name, target, sizeof target, &length);
    wr_place_close(&place);
    if (!error && length > 0 && target[0] == '/') error = WASI_ERRNO_PERM;
    if (error) return error;
    size_t stored = length < size ? length : size;
    memcpy(wr_guest_bytes(call, buffer, stored), target, stored);
    return wr_guest_put_u32(call, used, (uint32_t)stored);
}

Errno wr_wasi_path_filestat_get(Call *call) {
    Place place;
    SysStat stat;
    uint32_t flags = call->args[1].u32;
    Errno error = check_lookup(flags);
    if (!error)
        error = find(call, call->args[0].u32, WASI_RIGHTS_PATH_FILESTAT_GET, 2,
                     flags & WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, &place);
    if (error) return error;
    error = wr_file_stat_at(place.dir, place.name, &stat);
    if (!error && place.slash && stat.filetype != WASI_FILETYPE_DIRECTORY)
        error = WASI_ERRNO_NOTDIR;
    wr_place_close(&place);
    return error ? error : wr_filestat_put(call, call->args[4].u32, &stat);
}

Errno wr_wasi_path_filestat_set_times(Call *call) {
    Place place;
    uint32_t flags = call->args[1].u32, what = call->args[6].u32;
    Errno error = check_lookup(flags);
    if (!error) error = wr_filestat_check_times(what);
    if (!error)
        error = find(call, call->args[0].u32, WASI_RIGHTS_PATH_FILESTAT_SET_TIMES, 2,
                     flags & WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, &place);
    if (error) return error;
    error = check_slash(&place);
    if (!error)
        error =
            wr_file_set_times_at(place.dir, place.name, call->args[4].u64, call->args[5].u64, what);
    wr_place_close(&place);
    return error;
}

/* ---- Opening ------------------------------------------------------------------------------------------------- */

typedef struct Opening { /* the arguments of path_open, and what follows from them */
    uint32_t lookup, oflags, fdflags;
    uint64_t base, inheriting; /* rights wanted */
    unsigned flags;            /* for wr_path_open() */
    Descriptor *directory;
    char path[PATH_LIMIT];
} Opening;

/* Rights that need a host descriptor which can write. Of these only FD_WRITE insists on it. */
#define RIGHTS_WRITABLE                                                                            \
    (WASI_RIGHTS_FD_WRITE | WASI_RIGHTS_FD_ALLOCATE | WASI_RIGHTS_FD_FILESTAT_SET_SIZE)

static uint64_t rights_on_directory(const Opening *opening) {
    uint64_t rights = WASI_RIGHTS_PATH_OPEN;
    if (opening->oflags & WASI_OFLAGS_CREAT) rights |= WASI_RIGHTS_PATH_CREATE_FILE;
    if (opening->oflags & WASI_OFLAGS_TRUNC) rights |= WASI_RIGHTS_PATH_FILESTAT_SET_SIZE;
    return rights;
}

static Errno check_flags(const Opening *opening) {
    const uint32_t alone = WASI_OFLAGS_CREAT | WASI_OFLAGS_EXCL | WASI_OFLAGS_TRUNC;
    if ((opening->oflags & ~(uint32_t)WASI_OFLAGS_ALL) ||
        (opening->fdflags & ~(uint32_t)WASI_FDFLAGS_ALL))
        return WASI_ERRNO_INVAL;
    if ((opening->oflags & WASI_OFLAGS_DIRECTORY) && (opening->oflags & alone))
        return WASI_ERRNO_INVAL;
    return check_lookup(opening->lookup);
}

/* What the new descriptor may do, its directory must be able to pass on; rights that no file has are
 * ignored, as are those that its kind turns out not to have. */
static Errno check_inheritance(const Opening *opening) {
    uint64_t wanted = (opening->base | opening->inheriting) & (RIGHTS_REGULAR | RIGHTS_DIRECTORY);
    uint64_t granted = opening->directory->inheriting;
    if (wanted & ~granted) return WASI_ERRNO_NOTCAPABLE;
    if ((opening->fdflags & (WASI_FDFLAGS_SYNC | WASI_FDFLAGS_RSYNC)) &&
        !(granted & WASI_RIGHTS_FD_SYNC))
        return WASI_ERRNO_NOTCAPABLE;
    if ((opening->fdflags & WASI_FDFLAGS_DSYNC) &&
        !(granted & (WASI_RIGHTS_FD_SYNC | WASI_RIGHTS_FD_DATASYNC)))
        return WASI_ERRNO_NOTCAPABLE;
    if (opening->directory->read_only && (opening->base & WASI_RIGHTS_FD_WRITE))
        return WASI_ERRNO_PERM;
    return WASI_ERRNO_SUCCESS;
}

static void choose_flags(Opening *opening) {
    static const struct {
        uint16_t guest, flag;
    } oflags[] = {{WASI_OFLAGS_CREAT, SYS_CREATE},
                  {WASI_OFLAGS_DIRECTORY, SYS_DIRECTORY},
                  {WASI_OFLAGS_EXCL, SYS_EXCLUSIVE},
                  {WASI_OFLAGS_TRUNC, SYS_TRUNCATE}},
      fdflags[] = {{WASI_FDFLAGS_APPEND, SYS_APPEND},
                   {WASI_FDFLAGS_DSYNC, SYS_DSYNC},
                   {WASI_FDFLAGS_RSYNC, SYS_RSYNC},
                   {WASI_FDFLAGS_SYNC, SYS_SYNC}};
    uint64_t writable = opening->directory->read_only ? 0 : RIGHTS_WRITABLE;
    unsigned flags = opening->lookup & WASI_LOOKUPFLAGS_SYMLINK_FOLLOW ? 0 : SYS_NOFOLLOW;
    for (size_t i = 0; i < 4; i++) {
        flags |= opening->oflags & oflags[i].guest ? oflags[i].flag : 0u;
        flags |= opening->fdflags & fdflags[i].guest ? fdflags[i].flag : 0u;
    }
    if ((opening->base & writable) || (opening->oflags & WASI_OFLAGS_TRUNC)) flags |= SYS_WRITE;
    if (opening->base & (WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_READDIR) || !(flags & SYS_WRITE))
        flags |= SYS_READ;
    opening->flags = flags;
}

static bool is_fifo(Call *call, const Opening *opening) {
    Place place;
    SysStat stat = {0};
    if (wr_path_final(call->wasi, opening->directory->file, opening->path,
                      !(opening->flags & SYS_NOFOLLOW), &place))
        return false;
    bool found = !wr_file_stat_at(place.dir, place.name, &stat);
    wr_place_close(&place);
    return found && stat.fifo;
}

/* Opens, first as wanted; without the weak rights to write if that is what is in the way. A pipe
 * without a reader is waited for: hosts' blocking opens are not used. */
static Errno open_file(Call *call, Opening *opening, File *file) {
    const File dir = opening->directory->file;
    for (;;) {
        Errno error = wr_path_open(call->wasi, dir, opening->path, opening->flags, file);
        bool weak = (opening->flags & SYS_WRITE) && !(opening->base & WASI_RIGHTS_FD_WRITE) &&
                    !(opening->oflags & WASI_OFLAGS_TRUNC);
        if (weak && (error == WASI_ERRNO_ISDIR || error == WASI_ERRNO_ACCES ||
                     error == WASI_ERRNO_ROFS || error == WASI_ERRNO_TXTBSY)) {
            opening->flags = (opening->flags & ~(unsigned)SYS_WRITE) | SYS_READ;
            opening->base &= ~RIGHTS_WRITABLE;
            continue;
        }
        if (error != WASI_ERRNO_NXIO || (opening->fdflags & WASI_FDFLAGS_NONBLOCK) ||
            !is_fifo(call, opening))
            return error;
        error = wr_io_sleep(call, 10000000);
        if (error) return error;
    }
}

static Errno insert(Call *call, const Opening *opening, File file, uint32_t *fd) {
    Descriptor descriptor;
    Errno error = wr_descriptor_open(file, opening->base, opening->inheriting, &descriptor);
    if (error) {
        wr_file_close(file);
        return error;
    }
    descriptor.flags = (uint16_t)opening->fdflags;
    descriptor.read_only = opening->directory->read_only;
    return wr_fdtable_insert(&call->wasi->table, descriptor, fd);
}

Errno wr_wasi_path_open(Call *call) {
    const wr_slot_t *args = call->args;
    Opening opening = {.lookup = args[1].u32,
                       .oflags = args[4].u32,
                       .base = args[5].u64 & WASI_RIGHTS_ALL,
                       .inheriting = args[6].u64 & WASI_RIGHTS_ALL,
                       .fdflags = args[7].u32};
    uint32_t fd;
    File file;
    Errno error = check_flags(&opening);
    if (!error) error = wr_guest_check(call, args[8].u32, 4);
    if (!error)
        error =
            wr_wasi_directory(call, args[0].u32, rights_on_directory(&opening), &opening.directory);
    if (!error) error = check_inheritance(&opening);
    if (!error) error = wr_guest_path(call, args[2].u32, args[3].u32, opening.path);
    if (error) return error;
    choose_flags(&opening);
    error = open_file(call, &opening, &file);
    if (!error) error = insert(call, &opening, file, &fd);
    return error ? error : wr_guest_put_u32(call, args[8].u32, fd);
}
