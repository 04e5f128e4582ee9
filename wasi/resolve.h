/*
 * resolve.h - guest paths beneath a directory: nothing here leaves it.
 *
 * A path is resolved beneath the directory `root`: by the kernel in one step where it can
 * (wr_sys_open_beneath(), a directory of the host's), else component by component from handle to handle, expanding symbolic
 * links here. The two are equivalent, and what raced with a resolution may change where it ends, but
 * never to a place outside that a handle beneath `root` did not lead to. `..` above the root, absolute
 * paths and absolute links are PERM. Paths are zero-terminated and not empty, as wr_guest_path()
 * gives them.
 */
#ifndef WR_WASI_RESOLVE_H
#define WR_WASI_RESOLVE_H

#include "guest.h"

/* Where a path leads but for its last component: for the calls that work on names. */
typedef struct Place {
    File dir;           /* the directory that holds `name` */
    bool owned;         /* `dir` is to be closed */
    bool slash;         /* the path ended in one: it must mean a directory */
    const char *name;   /* one component; "." when the path ended in a dot or two */
    const char *parent; /* text of what led to `dir`, "" for the root itself */
    char text[PATH_LIMIT];
} Place;

/* Opens what `path` means; `flags` as for wr_file_open_at(). A final symbolic link is followed unless
 * SYS_NOFOLLOW. */
Errno wr_path_open(wr_wasi_t *wasi, File root, const char *path, unsigned flags, File *file);

/* A final symbolic link is not followed: `name` may be one. */
Errno wr_path_parent(wr_wasi_t *wasi, File root, const char *path, Place *place);
/* The same, following final links when `follow` is set or the path ends in a slash. */
Errno wr_path_final(wr_wasi_t *wasi, File root, const char *path, bool follow, Place *place);
/* After either succeeded. */
void wr_place_close(Place *place);

#endif
