/*
 * resolve.c - paths that stay beneath their directory; see resolve.h.
 */
#include "resolve.h"

#include <string.h>

enum {
    LINK_LIMIT = 40,    /* symbolic links in one resolution, as Linux has it */
    STEP_LIMIT = 20000, /* directories opened in one walk */
    RACE_LIMIT = 8      /* attempts before the kernel's answer "try again" means a walk */
};

/* ---- The walk ------------------------------------------------------------------------------------- */

typedef struct Walk {
    File root, here;
    bool owned; /* `here` is to be closed: it is not `root` */
    unsigned links, steps;
    char todo[PATH_LIMIT]; /* what is still to be resolved */
    char done[PATH_LIMIT]; /* how `here` is reached from `root` without links or dots */
} Walk;

static void move_to(Walk *walk, File file) {
    if (walk->owned) wr_file_close(walk->here);
    walk->here = file;
    walk->owned = true;
}

static void move_to_root(Walk *walk) {
    move_to(walk, walk->root);
    walk->owned = false;
}

/* Steps into the real directory `name`. */
static Errno descend(Walk *walk, const char *name) {
    File file;
    if (++walk->steps > STEP_LIMIT) return WASI_ERRNO_LOOP;
    Errno error = wr_file_open_at(walk->here, name, SYS_HANDLE | SYS_DIRECTORY, &file);
    if (!error) move_to(walk, file);
    return error;
}

/* Cuts the first component off `rest` and returns it; NULL when there is none. */
static char *next_component(char **rest) {
    char *component = *rest + strspn(*rest, "/");
    if (!*component) return NULL;
    char *end = component + strcspn(component, "/");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return component;
}

/* Goes up by coming down again from the root: a parent asked of the host could be anywhere, if
 * somebody has moved the directory meanwhile. */
static Errno ascend(Walk *walk) {
    if (!walk->done[0]) return WASI_ERRNO_PERM;
    char *slash = strrchr(walk->done, '/');
    *(slash ? slash : walk->done) = '\0';
    move_to_root(walk);
    char again[PATH_LIMIT];
    strcpy(again, walk->done);
    char *rest = again;
    for (char *name; (name = next_component(&rest));) {
        Errno error = descend(walk, name);
        if (error) return error;
    }
    return WASI_ERRNO_SUCCESS;
}

/* target + "/" + rest, into `result`. */
static Errno join(const char *first, const char *second, char result[PATH_LIMIT]) {
    size_t a = strlen(first), b = strlen(second);
    if (a + 1 + b >= PATH_LIMIT) return WASI_ERRNO_NAMETOOLONG;
    memmove(result + a + 1, second, b + 1);
    memmove(result, first, a);
    result[a] = '/';
    return WASI_ERRNO_SUCCESS;
}

/* The contents of a symbolic link that may be followed; INVAL if `name` is no link. */
static Errno read_target(File dir, const char *name, char target[PATH_LIMIT]) {
    size_t length;
    Errno error = wr_file_readlink_at(dir, name, target, PATH_LIMIT, &length);
    if (error) return error;
    if (length >= PATH_LIMIT) return WASI_ERRNO_NAMETOOLONG;
    target[length] = '\0';
    if (length == 0) return WASI_ERRNO_NOENT;
    return target[0] == '/' ? WASI_ERRNO_PERM : WASI_ERRNO_SUCCESS;
}

/* `name` could not be opened as what it should be: if it is a link, put its target before the rest
 * of the path, else the error `otherwise` stands. */
static Errno expand(Walk *walk, const char *name, const char *rest, bool more, Errno otherwise) {
    char target[PATH_LIMIT];
    Errno error = read_target(walk->here, name, target);
    if (error == WASI_ERRNO_INVAL) return otherwise;
    if (error) return error;
    if (++walk->links > LINK_LIMIT) return WASI_ERRNO_LOOP;
    if (more) return join(target, rest, walk->todo);
    strcpy(walk->todo, target);
    return WASI_ERRNO_SUCCESS;
}

static bool may_be_link(Errno error) {
    return error == WASI_ERRNO_LOOP || error == WASI_ERRNO_NOTDIR;
}

static Errno step(Walk *walk, const char *name, const char *rest) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        Errno error = name[1] ? ascend(walk) : WASI_ERRNO_SUCCESS;
        memmove(walk->todo, rest, strlen(rest) + 1);
        return error;
    }
    Errno error = descend(walk, name);
    if (error)
        return may_be_link(error) ? expand(walk, name, rest, true, WASI_ERRNO_NOTDIR) : error;
    size_t used = strlen(walk->done);
    if (used + 1 + strlen(name) >= PATH_LIMIT) return WASI_ERRNO_NAMETOOLONG;
    if (used) walk->done[used++] = '/';
    strcpy(walk->done + used, name);
    memmove(walk->todo, rest, strlen(rest) + 1);
    return WASI_ERRNO_SUCCESS;
}

static Errno run_walk(Walk *walk, unsigned flags, File *file) {
    for (;;) {
        char *rest = walk->todo;
        char component[PATH_LIMIT];
        bool last = !strchr(rest + strspn(rest, "/"), '/');
        char *name = next_component(&rest);
        if (!name) /* the path ended in a dot or a slash */
            return wr_file_open_at(walk->here, ".", flags, file);
        strcpy(component, name);
        bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        Errno error;
        if (!last || dots) {
            error = step(walk, component, rest);
        } else {
            error = wr_file_open_at(walk->here, component, flags, file);
            if (!may_be_link(error) || (flags & SYS_NOFOLLOW)) return error;
            error = expand(walk, component, "", false, error);
        }
        if (error) return error;
    }
}

static Errno walk_open(File root, const char *path, unsigned flags, File *file) {
    if (path[0] == '/') return WASI_ERRNO_PERM;
    if ((flags & SYS_CREATE) && path[strlen(path) - 1] == '/')
        return WASI_ERRNO_ISDIR; /* as Linux */
    Walk walk = {.root = root, .here = root};
    strcpy(walk.todo, path);
    Errno error = run_walk(&walk, flags, file);
    move_to_root(&walk);
    return error;
}

Errno wr_path_open(wr_wasi_t *wasi, File root, const char *path, unsigned flags, File *file) {
    bool walk = root.virtual || wasi->walk;
    Errno error = WASI_ERRNO_AGAIN;
    *file = NO_FILE;
    for (int i = 0; !walk && error == WASI_ERRNO_AGAIN && i < RACE_LIMIT; i++) {
        error = wr_sys_open_beneath(root.host, path, flags, &file->host);
        if (error == WASI_ERRNO_NOSYS) walk = wasi->walk = true;
    }
    return walk || error == WASI_ERRNO_AGAIN ? walk_open(root, path, flags, file) : error;
}

/* ---- Places ---------------------------------------------------------------------------------------- */

static bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* Splits place->text into parent and name. A final "." or ".." belongs to the parent, which is then
 * resolved to the end, and the name is ".". */
static void split(Place *place) {
    char *text = place->text;
    size_t length = strlen(text);
    place->slash = false;
    for (; length > 1 && text[length - 1] == '/'; length--) place->slash = true;
    text[length] = '\0';
    char *slash = strrchr(text, '/');
    char *name = slash ? slash + 1 : text;
    if (is_dots(name)) {
        place->name = ".";
        place->parent = strcmp(text, ".") == 0 ? "" : text;
        return;
    }
    place->name = name;
    place->parent = slash ? text : "";
    if (slash) *slash = '\0';
}

Errno wr_path_parent(wr_wasi_t *wasi, File root, const char *path, Place *place) {
    if (path[0] == '/') return WASI_ERRNO_PERM;
    strcpy(place->text, path);
    split(place);
    place->dir = root;
    place->owned = place->parent[0] != '\0';
    if (!place->owned) return WASI_ERRNO_SUCCESS;
    return wr_path_open(wasi, root, place->parent, SYS_HANDLE | SYS_DIRECTORY, &place->dir);
}

void wr_place_close(Place *place) {
    if (place->owned) wr_file_close(place->dir);
    place->owned = false;
}

/* The path that a final link at `place` stands for, as text; SUCCESS with `*link` false if the name is
 * no link, or nothing at all. */
static Errno follow_once(const Place *place, char path[PATH_LIMIT], bool *link) {
    char target[PATH_LIMIT];
    Errno error = read_target(place->dir, place->name, target);
    *link = !error;
    if (error == WASI_ERRNO_INVAL || error == WASI_ERRNO_NOENT) return WASI_ERRNO_SUCCESS;
    if (!error && place->slash)
        error = join(target, "", path);
    else if (!error)
        strcpy(path, target);
    if (!error && place->parent[0]) error = join(place->parent, path, path);
    return error;
}

Errno wr_path_final(wr_wasi_t *wasi, File root, const char *path, bool follow, Place *place) {
    char next[PATH_LIMIT];
    Errno error = wr_path_parent(wasi, root, path, place);
    for (int links = 0; !error && (follow || place->slash); links++) {
        bool link;
        error = follow_once(place, next, &link);
        if (!error && !link) return WASI_ERRNO_SUCCESS;
        wr_place_close(place);
        if (!error && links == LINK_LIMIT) return WASI_ERRNO_LOOP;
        if (!error) error = wr_path_parent(wasi, root, next, place);
    }
    return error;
}
