/*
 * virtual_tree.h - what virtual.c (opening, looking, names) and virtual_io.c (contents) share.
 */
#ifndef WR_WASI_VIRTUAL_TREE_H
#define WR_WASI_VIRTUAL_TREE_H

#include "guest.h"
#include "virtual.h"

struct VirtualTree {
    wr_wasi_t *wasi;
    wr_wasi_files_t files; /* the callbacks */
    void *context;         /* theirs */
    uint64_t device;       /* a number of its own */
    SysMutex lock;         /* of all below, of the files' positions, and for the callbacks */
    VirtualFile *open;     /* all that are */
    VirtualTree *next;     /* of the same context */
};

struct VirtualFile {
    VirtualTree *tree;
    VirtualFile *previous, *next; /* in tree->open */
    char *path;                   /* of a directory, "" for the root; NULL when it is gone */
    void *file;                   /* the embedder's, unless it is a directory */
    uint64_t inode;               /* for files without a number of their own */
    uint64_t position;            /* at most INT64_MAX */
    uint8_t filetype;             /* WASI_FILETYPE_ */
    bool readable, writable, append;
};

/* What a callback has answered, as an errno that there is. */
Errno wr_virtual_answer(wr_wasi_errno_t error);
/* For what has no callback: the files are read-only, or not made for it. */
Errno wr_virtual_absent(const VirtualTree *tree);
/* With the lock: attributes of an open file; of a directory that is gone some are left. */
Errno wr_virtual_look(const VirtualFile *file, SysStat *stat);
/* The same of what is at a path. */
Errno wr_virtual_look_at(const VirtualTree *tree, const char *path, SysStat *stat);
/* The path of a name in a directory; NOENT if that is gone. */
Errno wr_virtual_join(const VirtualFile *dir, const char *name, char path[PATH_LIMIT]);
/* A number for a path. */
uint64_t wr_virtual_inode(const char *path);

#endif
