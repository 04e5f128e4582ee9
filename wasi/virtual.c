/*
 * virtual.c - files that the embedder gives: trees, opening, attributes, names; see virtual.h.
 */
#include "virtual.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "virtual_tree.h"

/* ---- Trees ------------------------------------------------------------------------------------------ */

VirtualTree *wr_virtual_tree_new(wr_wasi_t *wasi, const wr_wasi_files_t *files, void *context,
                                 VirtualTree *next) {
    VirtualTree *tree = calloc(1, sizeof *tree);
    if (!tree) return NULL;
    memcpy(&tree->files, files, files->size < sizeof *files ? files->size : sizeof *files);
    tree->wasi = wasi;
    tree->context = context;
    tree->device = next ? next->device + 1 : UINT64_C(1) << 63; /* no host's */
    tree->next = next;
    wr_sys_mutex_init(&tree->lock);
    return tree;
}

VirtualTree *wr_virtual_tree_delete(VirtualTree *tree) {
    VirtualTree *next = tree->next;
    wr_sys_mutex_destroy(&tree->lock);
    free(tree);
    return next;
}

Errno wr_virtual_answer(wr_wasi_errno_t error) {
    unsigned number = (unsigned)error;
    return number <= WASI_ERRNO_NOTCAPABLE ? (Errno)number : WASI_ERRNO_IO;
}

Errno wr_virtual_absent(const VirtualTree *tree) {
    return tree->files.write ? WASI_ERRNO_NOTSUP : WASI_ERRNO_ROFS;
}

static void lock(VirtualTree *tree) { wr_sys_mutex_lock(&tree->lock); }
static void unlock(VirtualTree *tree) { wr_sys_mutex_unlock(&tree->lock); }

/* ---- Paths ------------------------------------------------------------------------------------------ */

static bool is_dot(const char *name) { return strcmp(name, ".") == 0; }

Errno wr_virtual_join(const VirtualFile *dir, const char *name, char path[PATH_LIMIT]) {
    if (!dir->path) return WASI_ERRNO_NOENT;
    size_t length = strlen(dir->path), more = is_dot(name) ? 0 : strlen(name);
    size_t slash = length && more ? 1 : 0;
    if (length + slash + more >= PATH_LIMIT) return WASI_ERRNO_NAMETOOLONG;
    memcpy(path, dir->path, length);
    if (slash) path[length] = '/';
    memcpy(path + length + slash, name, more);
    path[length + slash + more] = '\0';
    return WASI_ERRNO_SUCCESS;
}

uint64_t wr_virtual_inode(const char *path) { /* FNV-1a */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *path; path++) hash = (hash ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

/* Whether `path` is `above` or lies in it. */
static bool is_within(const char *path, const char *above) {
    size_t length = strlen(above);
    return strncmp(path, above, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* ---- Attributes ------------------------------------------------------------------------------------- */

static bool is_known_type(wr_wasi_filetype_t type) {
    return type == WR_WASI_CHARACTER_DEVICE || type == WR_WASI_DIRECTORY ||
           type == WR_WASI_REGULAR_FILE || type == WR_WASI_SYMBOLIC_LINK;
}

static Errno look(const VirtualTree *tree, const char *path, void *file, uint64_t inode,
                  SysStat *stat) {
    wr_wasi_filestat_t given = {.links = 1};
    Errno error = wr_virtual_answer(tree->files.stat(tree->context, path, file, &given));
    if (!error && !is_known_type(given.type)) error = WASI_ERRNO_IO;
    *stat = (SysStat){.dev = tree->device,
                      .ino = given.inode ? given.inode : inode,
                      .nlink = given.links,
                      .size = given.size <= INT64_MAX ? given.size : INT64_MAX,
                      .atim = given.accessed,
                      .mtim = given.modified,
                      .ctim = given.changed,
                      .filetype = (uint8_t)given.type};
    return error;
}

Errno wr_virtual_look_at(const VirtualTree *tree, const char *path, SysStat *stat) {
    return look(tree, path, NULL, wr_virtual_inode(path), stat);
}

Errno wr_virtual_look(const VirtualFile *file, SysStat *stat) {
    if (file->filetype != WASI_FILETYPE_DIRECTORY)
        return look(file->tree, NULL, file->file, file->inode, stat);
    if (file->path) return wr_virtual_look_at(file->tree, file->path, stat);
    *stat = (SysStat){.dev = file->tree->device, .filetype = WASI_FILETYPE_DIRECTORY};
    return WASI_ERRNO_SUCCESS;
}

static Errno look_named(const VirtualFile *dir, const char *name, char path[PATH_LIMIT],
                        SysStat *stat) {
    Errno error = wr_virtual_join(dir, name, path);
    return error ? error : wr_virtual_look_at(dir->tree, path, stat);
}

Errno wr_virtual_stat(VirtualFile *file, SysStat *stat) {
    lock(file->tree);
    Errno error = wr_virtual_look(file, stat);
    unlock(file->tree);
    return error;
}

Errno wr_virtual_stat_at(VirtualFile *dir, const char *name, SysStat *stat) {
    char path[PATH_LIMIT];
    lock(dir->tree);
    Errno error = look_named(dir, name, path, stat);
    unlock(dir->tree);
    return error;
}

Errno wr_virtual_info(VirtualFile *file, SysInfo *info) {
    *info = (SysInfo){.flags = file->append ? WASI_FDFLAGS_APPEND : 0,
                      .readable = file->readable,
                      .writable = file->writable,
                      .terminal = file->filetype == WASI_FILETYPE_CHARACTER_DEVICE,
                      .seekable = file->filetype == WASI_FILETYPE_REGULAR_FILE};
    info->stat.filetype = file->filetype;
    return WASI_ERRNO_SUCCESS;
}

static uint64_t new_time(uint64_t time, bool set, bool is_now, uint64_t now) {
    if (is_now) return now;
    if (!set) return WR_WASI_UNCHANGED;
    return time < WR_WASI_UNCHANGED ? time : WR_WASI_UNCHANGED - 1;
}

static Errno set_times(const VirtualTree *tree, const char *path, void *file, uint64_t atim,
                       uint64_t mtim, unsigned flags) {
    uint64_t now = 0;
    if (flags & (WASI_FSTFLAGS_ATIM_NOW | WASI_FSTFLAGS_MTIM_NOW)) {
        Errno error = wr_clock_look(tree->wasi, WASI_CLOCKID_REALTIME, &now);
        if (error) return error;
    }
    atim = new_time(atim, flags & WASI_FSTFLAGS_ATIM, flags & WASI_FSTFLAGS_ATIM_NOW, now);
    mtim = new_time(mtim, flags & WASI_FSTFLAGS_MTIM, flags & WASI_FSTFLAGS_MTIM_NOW, now);
    if (!tree->files.set_times) return wr_virtual_absent(tree);
    return wr_virtual_answer(tree->files.set_times(tree->context, path, file, atim, mtim));
}

Errno wr_virtual_set_times(VirtualFile *file, uint64_t atim, uint64_t mtim, unsigned flags) {
    lock(file->tree);
    bool is_gone = file->filetype == WASI_FILETYPE_DIRECTORY && !file->path;
    Errno error = is_gone ? WASI_ERRNO_NOENT
                          : set_times(file->tree, file->path, file->file, atim, mtim, flags);
    unlock(file->tree);
    return error;
}

Errno wr_virtual_set_times_at(VirtualFile *dir, const char *name, uint64_t atim, uint64_t mtim,
                              unsigned flags) {
    char path[PATH_LIMIT];
    SysStat stat;
    lock(dir->tree);
    Errno error = look_named(dir, name, path, &stat);
    if (!error) error = set_times(dir->tree, path, NULL, atim, mtim, flags);
    unlock(dir->tree);
    return error;
}

/* ---- Opening ---------------------------------------------------------------------------------------- */

static char *copy_of(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static void insert(VirtualFile *file) {
    file->next = file->tree->open;
    if (file->next) file->next->previous = file;
    file->tree->open = file;
}

static Errno open_directory(VirtualTree *tree, const char *path, VirtualFile **result) {
    VirtualFile *file = calloc(1, sizeof *file);
    char *copy = file ? copy_of(path) : NULL;
    if (!copy) {
        free(file);
        return WASI_ERRNO_NOMEM;
    }
    *file = (VirtualFile){
        .tree = tree, .path = copy, .filetype = WASI_FILETYPE_DIRECTORY, .readable = true};
    insert(file);
    *result = file;
    return WASI_ERRNO_SUCCESS;
}

static uint32_t flags_for(const VirtualTree *tree, unsigned flags) {
    static const struct {
        unsigned flag, given;
    } table[] = {{SYS_READ, WR_WASI_OPEN_READ},
                 {SYS_WRITE, WR_WASI_OPEN_WRITE},
                 {SYS_CREATE, WR_WASI_OPEN_CREATE},
                 {SYS_EXCLUSIVE, WR_WASI_OPEN_EXCLUSIVE},
                 {SYS_TRUNCATE, WR_WASI_OPEN_TRUNCATE}};
    uint32_t given = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (flags & table[i].flag) given |= table[i].given;
    if (!(flags & SYS_CREATE)) given &= ~(uint32_t)WR_WASI_OPEN_EXCLUSIVE;
    /* Those who cannot write need not know how to make files. */
    if (!tree->files.write) given &= ~(uint32_t)(WR_WASI_OPEN_CREATE | WR_WASI_OPEN_EXCLUSIVE);
    return given;
}

static Errno open_file(VirtualTree *tree, const char *path, unsigned flags, uint8_t filetype,
                       VirtualFile **result) {
    VirtualFile *file = calloc(1, sizeof *file);
    if (!file) return WASI_ERRNO_NOMEM;
    *file = (VirtualFile){.tree = tree,
                          .inode = wr_virtual_inode(path),
                          .filetype = filetype,
                          .readable = flags & SYS_READ,
                          .writable = flags & SYS_WRITE,
                          .append = flags & SYS_APPEND};
    uint32_t given = flags_for(tree, flags);
    Errno error = wr_virtual_answer(tree->files.open(tree->context, path, given, &file->file));
    if (error) {
        free(file);
        return error;
    }
    insert(file);
    *result = file;
    return WASI_ERRNO_SUCCESS;
}

/* Whether what is there may be opened so: as Linux judges it. */
static Errno check_opening(const VirtualTree *tree, const SysStat *stat, unsigned flags) {
    bool is_directory = stat->filetype == WASI_FILETYPE_DIRECTORY;
    if ((flags & SYS_CREATE) && (flags & SYS_EXCLUSIVE)) return WASI_ERRNO_EXIST;
    if (is_directory)
        return flags & (SYS_CREATE | SYS_WRITE | SYS_TRUNCATE) ? WASI_ERRNO_ISDIR
                                                               : WASI_ERRNO_SUCCESS;
    if (flags & SYS_DIRECTORY) return WASI_ERRNO_NOTDIR;
    if (stat->filetype == WASI_FILETYPE_SYMBOLIC_LINK) return WASI_ERRNO_LOOP;
    return (flags & (SYS_WRITE | SYS_TRUNCATE)) && !tree->files.write ? WASI_ERRNO_ROFS
                                                                      : WASI_ERRNO_SUCCESS;
}

static Errno open_at(VirtualFile *dir, const char *name, unsigned flags, VirtualFile **file) {
    char path[PATH_LIMIT];
    SysStat stat;
    VirtualTree *tree = dir->tree;
    Errno error = wr_virtual_join(dir, name, path);
    if (error) return error;
    error = wr_virtual_look_at(tree, path, &stat);
    if (error == WASI_ERRNO_NOENT && (flags & SYS_CREATE))
        return tree->files.write ? open_file(tree, path, flags, WASI_FILETYPE_REGULAR_FILE, file)
                                 : WASI_ERRNO_ROFS;
    if (!error) error = check_opening(tree, &stat, flags);
    if (error) return error;
    return stat.filetype == WASI_FILETYPE_DIRECTORY
               ? open_directory(tree, path, file)
               : open_file(tree, path, flags, stat.filetype, file);
}

Errno wr_virtual_open_at(VirtualFile *dir, const char *name, unsigned flags, VirtualFile **file) {
    lock(dir->tree);
    Errno error = open_at(dir, name, flags, file);
    unlock(dir->tree);
    return error;
}

Errno wr_virtual_open_root(VirtualTree *tree, VirtualFile **root) {
    SysStat stat;
    lock(tree);
    Errno error = wr_virtual_look_at(tree, "", &stat);
    if (!error && stat.filetype != WASI_FILETYPE_DIRECTORY) error = WASI_ERRNO_NOTDIR;
    if (!error) error = open_directory(tree, "", root);
    unlock(tree);
    return error;
}

void wr_virtual_close(VirtualFile *file) {
    VirtualTree *tree = file->tree;
    bool is_file = file->filetype != WASI_FILETYPE_DIRECTORY;
    lock(tree);
    *(file->previous ? &file->previous->next : &tree->open) = file->next;
    if (file->next) file->next->previous = file->previous;
    if (is_file && tree->files.close) tree->files.close(tree->context, file->file);
    unlock(tree);
    free(file->path);
    free(file);
}

/* ---- Names that come and go ------------------------------------------------------------------------- */

/* Directories that are open at `path` are gone. */
static void forget(VirtualTree *tree, const char *path) {
    for (VirtualFile *file = tree->open; file; file = file->next) {
        if (!file->path || strcmp(file->path, path) != 0) continue;
        free(file->path);
        file->path = NULL;
    }
}

/* Directories that are open in `from` are in `to` now; where there is no memory for that, they are gone. */
static void follow(VirtualTree *tree, const char *from, const char *to) {
    for (VirtualFile *file = tree->open; file; file = file->next) {
        if (!file->path || !is_within(file->path, from)) continue;
        const char *rest = file->path + strlen(from);
        char *moved = malloc(strlen(to) + strlen(rest) + 1);
        if (moved) strcat(strcpy(moved, to), rest);
        free(file->path);
        file->path = moved;
    }
}

/* NOTEMPTY, where it can be seen. */
static Errno check_empty(const VirtualTree *tree, const char *path) {
    wr_wasi_entry_t entry = {0};
    if (!tree->files.list) return WASI_ERRNO_SUCCESS;
    Errno error = wr_virtual_answer(tree->files.list(tree->context, path, 0, &entry));
    return error ? error : entry.name ? WASI_ERRNO_NOTEMPTY : WASI_ERRNO_SUCCESS;
}

/* For a new name: EXIST if it is not. */
static Errno find_free(const VirtualFile *dir, const char *name, char path[PATH_LIMIT]) {
    SysStat stat;
    Errno error = wr_virtual_join(dir, name, path);
    if (error) return error;
    error = wr_virtual_look_at(dir->tree, path, &stat);
    if (error == WASI_ERRNO_NOENT) return WASI_ERRNO_SUCCESS;
    return error ? error : WASI_ERRNO_EXIST;
}

Errno wr_virtual_mkdir_at(VirtualFile *dir, const char *name) {
    char path[PATH_LIMIT];
    VirtualTree *tree = dir->tree;
    lock(tree);
    Errno error = find_free(dir, name, path);
    if (!error && !tree->files.make_directory) error = wr_virtual_absent(tree);
    if (!error) error = wr_virtual_answer(tree->files.make_directory(tree->context, path));
    unlock(tree);
    return error;
}

static Errno remove_path(VirtualTree *tree, const char *path) {
    if (!tree->files.remove) return wr_virtual_absent(tree);
    Errno error = wr_virtual_answer(tree->files.remove(tree->context, path));
    if (!error) forget(tree, path);
    return error;
}

static Errno rmdir_at(VirtualFile *dir, const char *name) {
    char path[PATH_LIMIT];
    SysStat stat;
    Errno error = look_named(dir, name, path, &stat);
    if (!error && stat.filetype != WASI_FILETYPE_DIRECTORY) error = WASI_ERRNO_NOTDIR;
    if (!error) error = check_empty(dir->tree, path);
    return error ? error : remove_path(dir->tree, path);
}

Errno wr_virtual_rmdir_at(VirtualFile *dir, const char *name) {
    if (is_dot(name)) return WASI_ERRNO_INVAL;
    lock(dir->tree);
    Errno error = rmdir_at(dir, name);
    unlock(dir->tree);
    return error;
}

static Errno unlink_at(VirtualFile *dir, const char *name) {
    char path[PATH_LIMIT];
    SysStat stat;
    Errno error = look_named(dir, name, path, &stat);
    if (!error && stat.filetype == WASI_FILETYPE_DIRECTORY) error = WASI_ERRNO_ISDIR;
    return error ? error : remove_path(dir->tree, path);
}

Errno wr_virtual_unlink_at(VirtualFile *dir, const char *name) {
    lock(dir->tree);
    Errno error = unlink_at(dir, name);
    unlock(dir->tree);
    return error;
}

/* Whether `from` may take the place of `to`. */
static Errno check_replacing(const VirtualTree *tree, const SysStat *from, const SysStat *to,
                             const char *path) {
    bool is_directory = to->filetype == WASI_FILETYPE_DIRECTORY;
    if (from->filetype != WASI_FILETYPE_DIRECTORY)
        return is_directory ? WASI_ERRNO_ISDIR : WASI_ERRNO_SUCCESS;
    return is_directory ? check_empty(tree, path) : WASI_ERRNO_NOTDIR;
}

static Errno rename_path(VirtualTree *tree, const char *from, const char *to) {
    if (!tree->files.rename) return wr_virtual_absent(tree);
    Errno error = wr_virtual_answer(tree->files.rename(tree->context, from, to));
    if (error) return error;
    forget(tree, to);
    follow(tree, from, to);
    return WASI_ERRNO_SUCCESS;
}

static Errno rename_at(VirtualFile *from, const char *old_name, VirtualFile *to,
                       const char *new_name) {
    char old_path[PATH_LIMIT], new_path[PATH_LIMIT];
    SysStat old, new;
    Errno error = look_named(from, old_name, old_path, &old);
    if (!error) error = wr_virtual_join(to, new_name, new_path);
    if (error) return error;
    bool is_same = strcmp(old_path, new_path) == 0;
    if (!is_same && is_within(new_path, old_path)) return WASI_ERRNO_INVAL;
    error = wr_virtual_look_at(to->tree, new_path, &new);
    if (error && error != WASI_ERRNO_NOENT) return error;
    if (!error) { /* two names of one file stay as they are */
        if (is_same || old.ino == new.ino) return WASI_ERRNO_SUCCESS;
        error = check_replacing(to->tree, &old, &new, new_path);
        if (error) return error;
    }
    return rename_path(to->tree, old_path, new_path);
}

Errno wr_virtual_rename_at(VirtualFile *from, const char *old_name, VirtualFile *to,
                           const char *new_name) {
    if (from->tree != to->tree) return WASI_ERRNO_XDEV;
    if (is_dot(old_name) || is_dot(new_name)) return WASI_ERRNO_BUSY;
    lock(to->tree);
    Errno error = rename_at(from, old_name, to, new_name);
    unlock(to->tree);
    return error;
}

/* ---- Links ------------------------------------------------------------------------------------------ */

static Errno link_at(VirtualFile *from, const char *old_name, VirtualFile *to,
                     const char *new_name) {
    char old_path[PATH_LIMIT], new_path[PATH_LIMIT];
    SysStat stat;
    VirtualTree *tree = to->tree;
    Errno error = look_named(from, old_name, old_path, &stat);
    if (!error) error = find_free(to, new_name, new_path);
    if (!error && stat.filetype == WASI_FILETYPE_DIRECTORY) error = WASI_ERRNO_PERM;
    if (!error && !tree->files.link) error = wr_virtual_absent(tree);
    return error ? error : wr_virtual_answer(tree->files.link(tree->context, old_path, new_path));
}

Errno wr_virtual_link_at(VirtualFile *from, const char *old_name, VirtualFile *to,
                         const char *new_name) {
    if (from->tree != to->tree) return WASI_ERRNO_XDEV;
    lock(to->tree);
    Errno error = link_at(from, old_name, to, new_name);
    unlock(to->tree);
    return error;
}

Errno wr_virtual_symlink_at(const char *target, VirtualFile *dir, const char *name) {
    char path[PATH_LIMIT];
    VirtualTree *tree = dir->tree;
    lock(tree);
    Errno error = find_free(dir, name, path);
    if (!error && !tree->files.make_symlink) error = wr_virtual_absent(tree);
    if (!error) error = wr_virtual_answer(tree->files.make_symlink(tree->context, target, path));
    unlock(tree);
    return error;
}

static Errno readlink_at(VirtualFile *dir, const char *name, char *buffer, size_t size,
                         size_t *length) {
    char path[PATH_LIMIT];
    SysStat stat;
    VirtualTree *tree = dir->tree;
    Errno error = look_named(dir, name, path, &stat);
    if (!error && stat.filetype != WASI_FILETYPE_SYMBOLIC_LINK) error = WASI_ERRNO_INVAL;
    if (!error && !tree->files.read_symlink) error = WASI_ERRNO_IO;
    if (!error)
        error =
            wr_virtual_answer(tree->files.read_symlink(tree->context, path, buffer, size, length));
    return !error && *length > size ? WASI_ERRNO_IO : error;
}

Errno wr_virtual_readlink_at(VirtualFile *dir, const char *name, char *buffer, size_t size,
                             size_t *length) {
    *length = 0;
    lock(dir->tree);
    Errno error = readlink_at(dir, name, buffer, size, length);
    unlock(dir->tree);
    return error;
}
