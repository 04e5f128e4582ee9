/*
 * test_files.c - files by callbacks (wr_wasi_preopen_files), where they are not what a directory of the host's is:
 * callbacks that are missing or wrong, what they are asked, directories that move while they are open. That
 * paths, rights, positions and cookies are as ever is tested by test_virtual_*.c and the guests.
 */
#include "wasi_mock.h"

/* ---- Some files in memory --------------------------------------------------------------------------- */

typedef struct Node {
    char path[64]; /* "" for the root */
    wr_wasi_filetype_t type;
    char data[64]; /* or target */
    size_t size;
    uint64_t modified;
    bool exists;
    int open;
} Node;

static Node nodes[16];
static char asked[4096]; /* what callbacks were asked: "verb path;" each */
static wr_wasi_errno_t failure;
static size_t portion; /* the most that one read or write moves */
static size_t excess;  /* what is told to have been moved beyond that */

static void note(const char *verb, const char *path) {
    size_t used = strlen(asked);
    snprintf(asked + used, sizeof asked - used, "%s %s;", verb, path ? path : "*");
}

static void expect_asked(const char *expected) {
    cr_assert_str_eq(asked, expected);
    asked[0] = '\0';
}

static Node *find_node(const char *path) {
    for (size_t i = 0; i < 16; i++)
        if (nodes[i].exists && strcmp(nodes[i].path, path) == 0) return &nodes[i];
    return NULL;
}

static Node *add_node(const char *path, wr_wasi_filetype_t type, const char *text) {
    for (size_t i = 0; i < 16; i++) {
        if (nodes[i].exists || nodes[i].open) continue;
        nodes[i] = (Node){.type = type, .size = strlen(text), .exists = true};
        strcpy(nodes[i].path, path);
        strcpy(nodes[i].data, text);
        return &nodes[i];
    }
    return NULL;
}

static wr_wasi_errno_t my_stat(void *context, const char *path, void *file,
                               wr_wasi_filestat_t *stat) {
    (void)context;
    cr_assert_eq(!path, file != NULL, "one of them");
    const Node *node = file ? file : find_node(path);
    if (!node) return WR_WASI_NOENT;
    stat->type = node->type;
    stat->size = node->size;
    stat->modified = node->modified;
    return WR_WASI_SUCCESS;
}

static wr_wasi_errno_t my_open(void *context, const char *path, uint32_t flags, void **file) {
    (void)context;
    Node *node = find_node(path);
    char verb[16];
    snprintf(verb, sizeof verb, "open%u", flags);
    note(verb, path);
    if (!node && !(flags & WR_WASI_OPEN_CREATE)) return WR_WASI_NOENT;
    if (!node && !(node = add_node(path, WR_WASI_REGULAR_FILE, ""))) return WR_WASI_NOSPC;
    if (flags & WR_WASI_OPEN_TRUNCATE) node->size = 0;
    node->open++;
    *file = node;
    return failure;
}

static void my_close(void *context, void *file) {
    Node *node = file;
    (void)context;
    note("close", node->path);
    node->open--;
}

static wr_wasi_errno_t my_read(void *context, void *file, void *bytes, size_t size, uint64_t offset,
                               size_t *done) {
    const Node *node = file;
    (void)context;
    size_t left = offset < node->size ? node->size - (size_t)offset : 0;
    if (node->type == WR_WASI_CHARACTER_DEVICE) cr_assert_eq(offset, 0u);
    *done = size < left ? size : left;
    if (*done > portion) *done = portion;
    memcpy(bytes, node->data + (left ? offset : 0), *done);
    *done += excess;
    return failure;
}

static wr_wasi_errno_t my_write(void *context, void *file, const void *bytes, size_t size,
                                uint64_t offset, size_t *done) {
    Node *node = file;
    (void)context;
    if (offset >= sizeof node->data) return WR_WASI_NOSPC;
    size_t room = sizeof node->data - (size_t)offset;
    *done = size < room ? size : room;
    if (*done > portion) *done = portion;
    memcpy(node->data + offset, bytes, *done);
    if (offset + *done > node->size) node->size = (size_t)offset + *done;
    *done += excess;
    return failure;
}

static wr_wasi_errno_t my_resize(void *context, void *file, uint64_t size) {
    Node *node = file;
    (void)context;
    if (size > sizeof node->data) return WR_WASI_DQUOT;
    node->size = (size_t)size;
    return failure;
}

static wr_wasi_errno_t my_sync(void *context, void *file) {
    (void)context;
    note("sync", ((Node *)file)->path);
    return failure;
}

static const char *parent_end(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash : path;
}

/* A node's number is its position. */
static wr_wasi_errno_t my_list(void *context, const char *path, uint64_t position,
                               wr_wasi_entry_t *entry) {
    size_t length = strlen(path);
    (void)context;
    for (uint64_t i = position; i < 16; i++) {
        const Node *node = &nodes[i];
        if (!node->exists || !node->path[0]) continue;
        const char *end = parent_end(node->path);
        if ((size_t)(end - node->path) != length || strncmp(node->path, path, length) != 0)
            continue;
        *entry = (wr_wasi_entry_t){
            .name = *end == '/' ? end + 1 : end, .next = i + 1, .type = node->type};
        break;
    }
    return failure;
}

static wr_wasi_errno_t my_set_times(void *context, const char *path, void *file, uint64_t accessed,
                                    uint64_t modified) {
    (void)context;
    Node *node = file ? file : find_node(path);
    note(accessed == WR_WASI_UNCHANGED ? "times" : "both-times", path);
    if (modified != WR_WASI_UNCHANGED) node->modified = modified;
    return failure;
}

static wr_wasi_errno_t my_make_directory(void *context, const char *path) {
    (void)context;
    note("mkdir", path);
    return add_node(path, WR_WASI_DIRECTORY, "") ? failure : WR_WASI_NOSPC;
}

static wr_wasi_errno_t my_remove(void *context, const char *path) {
    (void)context;
    note("remove", path);
    if (!failure) find_node(path)->exists = false;
    return failure;
}

static wr_wasi_errno_t my_rename(void *context, const char *from, const char *to) {
    size_t length = strlen(from);
    (void)context;
    note("rename", to);
    Node *old = find_node(to);
    if (old) old->exists = false;
    for (size_t i = 0; i < 16; i++) {
        char rest[64], *path = nodes[i].path;
        if (!nodes[i].exists || strncmp(path, from, length) != 0) continue;
        if (path[length] != '/' && path[length]) continue;
        strcpy(rest, path + length);
        snprintf(path, 64, "%s%s", to, rest);
    }
    return failure;
}

static wr_wasi_errno_t my_link(void *context, const char *from, const char *to) {
    (void)context;
    note("link", from);
    return add_node(to, WR_WASI_REGULAR_FILE, find_node(from)->data) ? failure : WR_WASI_NOSPC;
}

static wr_wasi_errno_t my_make_symlink(void *context, const char *target, const char *path) {
    (void)context;
    note("symlink", path);
    return add_node(path, WR_WASI_SYMBOLIC_LINK, target) ? failure : WR_WASI_NOSPC;
}

static wr_wasi_errno_t my_read_symlink(void *context, const char *path, char *target, size_t size,
                                       size_t *length) {
    const Node *node = find_node(path);
    (void)context;
    *length = node->size < size ? node->size : size;
    memcpy(target, node->data, *length);
    *length += excess ? size : 0;
    return failure;
}

static const wr_wasi_files_t complete = {.size = sizeof complete,
                                         .stat = my_stat,
                                         .open = my_open,
                                         .close = my_close,
                                         .read = my_read,
                                         .write = my_write,
                                         .resize = my_resize,
                                         .sync = my_sync,
                                         .list = my_list,
                                         .set_times = my_set_times,
                                         .make_directory = my_make_directory,
                                         .remove = my_remove,
                                         .rename = my_rename,
                                         .link = my_link,
                                         .make_symlink = my_make_symlink,
                                         .read_symlink = my_read_symlink};
static const wr_wasi_files_t least = {
    .size = sizeof least, .stat = my_stat, .open = my_open, .read = my_read};

/* ---- The guest -------------------------------------------------------------------------------------- */

enum { ALL_FILE = RIGHTS_REGULAR, FOLLOW = WASI_LOOKUPFLAGS_SYMLINK_FOLLOW };

static void plant(void) {
    memset(nodes, 0, sizeof nodes);
    asked[0] = '\0';
    failure = WR_WASI_SUCCESS;
    portion = SIZE_MAX;
    excess = 0;
    add_node("", WR_WASI_DIRECTORY, "");
    add_node("dir", WR_WASI_DIRECTORY, "");
    add_node("dir/file", WR_WASI_REGULAR_FILE, "0123456789");
    add_node("dir/sub", WR_WASI_DIRECTORY, "");
    add_node("file", WR_WASI_REGULAR_FILE, "text");
    add_node("link", WR_WASI_SYMBOLIC_LINK, "dir/file");
    add_node("tty", WR_WASI_CHARACTER_DEVICE, "typed");
}

/* Files with these callbacks at descriptor 3. */
static void begin(const wr_wasi_files_t *files) {
    start_guest();
    plant();
    cr_assert_null(wr_wasi_preopen_files(wasi, files, NULL, "/", 0));
}

static Errno open_all(uint32_t dir, const char *path, uint32_t oflags, uint32_t *fd) {
    return open_with(dir, FOLLOW, path, oflags, WASI_RIGHTS_ALL, WASI_RIGHTS_ALL, 0, fd);
}

static uint32_t must_open_all(uint32_t dir, const char *path, uint32_t oflags) {
    uint32_t fd;
    Errno error = open_all(dir, path, oflags, &fd);
    cr_assert_eq(error, 0, "opening %s: errno %d", path, error);
    return fd;
}

static uint32_t must_open_dir(uint32_t dir, const char *path) {
    uint32_t fd;
    const uint64_t passed_on = RIGHTS_DIRECTORY | RIGHTS_REGULAR;
    cr_assert_eq(
        open_with(dir, 0, path, WASI_OFLAGS_DIRECTORY, RIGHTS_DIRECTORY, passed_on, 0, &fd), 0);
    return fd;
}

static Errno stat_in(uint32_t dir, const char *path) {
    return CALL(path_filestat_get, dir, FOLLOW, STR(path), RESULT);
}

static uint64_t stat_size(void) {
    return get_u64(guest.memory + RESULT + WASI_FILESTAT_SIZE_OFFSET);
}

/* The names in a directory, with a blank after each. */
static const char *names_in(uint32_t fd) {
    static char names[1024];
    names[0] = '\0';
    Errno error = CALL(fd_readdir, fd, READ_AT, 4096, 0, RESULT);
    if (error) snprintf(names, sizeof names, "errno %d", error);
    for (uint32_t at = 0; !error && at < result32();) {
        const uint8_t *entry = guest.memory + READ_AT + at;
        uint32_t length = get_u32(entry + WASI_DIRENT_D_NAMLEN);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%.*s ", (int)length,
                 (const char *)entry + WASI_DIRENT_SIZE);
        at += WASI_DIRENT_SIZE + length;
    }
    return names;
}

/* ---- Giving them ------------------------------------------------------------------------------------ */

static void must_refuse(const wr_wasi_files_t *files, uint32_t flags, wr_error_kind_t kind) {
    wr_error_t *error = wr_wasi_preopen_files(wasi, files, NULL, "/", flags);
    cr_assert_not_null(error);
    cr_assert_eq(error->kind, kind);
    free(error);
}

Test(files, are_refused_when_incomplete, .init = start_guest, .fini = stop_guest) {
    plant();
    wr_wasi_files_t files = least;
    files.stat = NULL;
    must_refuse(&files, 0, WR_ERROR_USAGE);
    files = least;
    files.open = NULL;
    must_refuse(&files, 0, WR_ERROR_USAGE);
    files = least;
    files.read = NULL;
    must_refuse(&files, 0, WR_ERROR_USAGE);
    files = least;
    files.size = offsetof(wr_wasi_files_t, read);
    must_refuse(&files, 0, WR_ERROR_USAGE);
    must_refuse(&least, 2, WR_ERROR_USAGE);
    nodes[0].type = WR_WASI_REGULAR_FILE;
    must_refuse(&least, 0, WR_ERROR_IO);
    nodes[0].exists = false;
    must_refuse(&least, 0, WR_ERROR_IO);
    cr_assert_eq(CALL(fd_prestat_get, 3, RESULT), WASI_ERRNO_BADF, "nothing is left of them");
}

Test(files, of_an_older_version, .fini = stop_guest) {
    wr_wasi_files_t older = complete;
    older.size = offsetof(wr_wasi_files_t, write); /* the members behind are not looked at */
    begin(&older);
    cr_assert_eq(CALL(fd_prestat_get, 3, RESULT), 0);
    uint32_t fd;
    cr_assert_eq(open_with(3, 0, "file", 0, WASI_RIGHTS_FD_READ, 0, 0, &fd), 0);
    cr_assert_eq(open_path("file", 0, WASI_RIGHTS_FD_WRITE, &fd), WASI_ERRNO_ROFS);
}

Test(files, closed_with_the_context) {
    begin(&complete);
    must_open_all(3, "file", 0);
    must_open_all(3, "dir/file", 0);
    must_open_dir(3, "dir");
    cr_assert(find_node("file")->open == 1 && find_node("dir/file")->open == 1);
    stop_guest();
    cr_assert(find_node("file")->open == 0 && find_node("dir/file")->open == 0);
    cr_assert_eq(find_node("dir")->open, 0, "directories are not opened");
}

/* ---- Callbacks that are missing --------------------------------------------------------------------- */

Test(files, with_the_least_of_callbacks, .fini = stop_guest) {
    const Errno no = WASI_ERRNO_ROFS;
    uint32_t fd;
    begin(&least);
    fd = must_open("dir/file", 0, WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_SEEK);
    cr_assert_eq(read_some(fd, 100), 0);
    cr_assert_eq(result32(), 10u);
    cr_assert_eq(CALL(fd_close, fd), 0);
    fd = must_open("dir/file", WASI_OFLAGS_CREAT, WASI_RIGHTS_FD_READ); /* as on read-only disks */
    expect_asked("open1 dir/file;open1 dir/file;");
    cr_assert_eq(open_path("new", WASI_OFLAGS_CREAT, WASI_RIGHTS_FD_READ, &fd), no);
    cr_assert_eq(open_path("file", 0, WASI_RIGHTS_FD_WRITE, &fd), no);
    cr_assert_eq(open_path("file", WASI_OFLAGS_TRUNC, 0, &fd), no);
    cr_assert_eq(CALL(path_create_directory, 3, STR("new")), no);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("file")), no);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("dir/sub")), no);
    cr_assert_eq(CALL(path_rename, 3, STR("file"), 3, STR("new")), no);
    cr_assert_eq(CALL(path_link, 3, 0, STR("file"), 3, STR("new")), no);
    cr_assert_eq(CALL(path_symlink, STR("file"), 3, STR("new")), no);
    cr_assert_eq(CALL(path_filestat_set_times, 3, 0, STR("file"), 1, 1, WASI_FSTFLAGS_ATIM), no);
    cr_assert_eq(CALL(path_readlink, 3, STR("link"), 1000, 9, RESULT), WASI_ERRNO_IO);
    cr_assert_eq(stat_in(3, "link"), WASI_ERRNO_IO, "a link that cannot be read");
    cr_assert_eq(CALL(fd_readdir, 3, READ_AT, 1000, 0, RESULT), WASI_ERRNO_NOTSUP);
    expect_asked("");
}

Test(files, that_can_only_be_written, .fini = stop_guest) {
    const Errno no = WASI_ERRNO_NOTSUP;
    wr_wasi_files_t files = least;
    files.write = my_write;
    begin(&files);
    uint32_t fd = must_open_all(3, "new", WASI_OFLAGS_CREAT);
    cr_assert_eq(write_text(fd, "words"), 0);
    cr_assert_eq(find_node("new")->size, 5u);
    cr_assert_eq(CALL(fd_filestat_set_size, fd, 2), no);
    cr_assert_eq(CALL(fd_allocate, fd, 0, 100), no);
    cr_assert_eq(CALL(fd_allocate, fd, 0, 5), 0, "it is as long");
    cr_assert_eq(CALL(fd_sync, fd), 0);
    cr_assert_eq(CALL(fd_advise, fd, 0, 1, 0), 0);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("new")), no);
    cr_assert_eq(CALL(path_create_directory, 3, STR("d")), no);
    cr_assert_eq(CALL(fd_close, fd), 0);
}

/* ---- What they are asked ---------------------------------------------------------------------------- */

Test(files, are_asked_what_makes_sense, .fini = stop_guest) {
    begin(&complete);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("nothing")), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("dir")), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(path_unlink_file, 3, STR(".")), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("file")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("dir")), WASI_ERRNO_NOTEMPTY);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("dir/.")), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(path_create_directory, 3, STR("dir")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_create_directory, 3, STR("link")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_create_directory, 3, STR(".")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_symlink, STR("x"), 3, STR("file")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_link, 3, 0, STR("dir"), 3, STR("new")), WASI_ERRNO_PERM);
    cr_assert_eq(CALL(path_link, 3, 0, STR("file"), 3, STR("link")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_rename, 3, STR("dir"), 3, STR("dir/sub/x")), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(path_rename, 3, STR("dir"), 3, STR("file")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_rename, 3, STR("file"), 3, STR("dir")), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(path_rename, 3, STR("dir/sub"), 3, STR("dir")), WASI_ERRNO_NOTEMPTY);
    cr_assert_eq(CALL(path_rename, 3, STR("file"), 3, STR("file")), 0);
    cr_assert_eq(CALL(path_rename, 3, STR("."), 3, STR("new")), WASI_ERRNO_BUSY);
    cr_assert_eq(CALL(path_readlink, 3, STR("file"), 1000, 9, RESULT), WASI_ERRNO_INVAL);
    expect_asked("");
    cr_assert_eq(CALL(path_link, 3, 0, STR("./dir//../file"), 3, STR("dir/./new")), 0);
    cr_assert_eq(CALL(path_rename, 3, STR("dir/new"), 3, STR("file")), 0);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("dir/sub/")), 0);
    cr_assert_eq(CALL(path_symlink, STR("../file"), 3, STR("dir/up")), 0);
    expect_asked("link file;rename file;remove dir/sub;symlink dir/up;");
    uint32_t fd = must_open_all(3, "dir/up", WASI_OFLAGS_TRUNC);
    cr_assert_eq(CALL(fd_sync, fd), 0);
    cr_assert_eq(CALL(fd_close, fd), 0);
    expect_asked("open19 file;sync file;close file;");
    fd = must_open_all(3, "dir/made", WASI_OFLAGS_CREAT | WASI_OFLAGS_EXCL);
    expect_asked("open15 dir/made;");
}

Test(files, times_are_finished, .fini = stop_guest) {
    begin(&complete);
    wr_wasi_fix_time(wasi, 777, 0);
    cr_assert_eq(CALL(path_filestat_set_times, 3, 0, STR("file"), 1, 2, WASI_FSTFLAGS_MTIM), 0);
    cr_assert_eq(find_node("file")->modified, 2u);
    uint32_t fd = must_open_all(3, "file", 0);
    cr_assert_eq(CALL(fd_filestat_set_times, fd, 1, 2, WASI_FSTFLAGS_MTIM_NOW | WASI_FSTFLAGS_ATIM),
                 0);
    cr_assert_eq(find_node("file")->modified, 777u);
    cr_assert_eq(CALL(fd_filestat_set_times, fd, 0, UINT64_MAX, WASI_FSTFLAGS_MTIM), 0);
    cr_assert_eq(find_node("file")->modified, UINT64_MAX - 1);
    expect_asked("times file;open3 file;both-times *;times *;");
}

/* ---- Callbacks that are wrong ----------------------------------------------------------------------- */

Test(files, errnos_reach_the_guest, .fini = stop_guest) {
    begin(&complete);
    uint32_t fd = must_open_all(3, "file", 0);
    failure = WR_WASI_STALE;
    cr_assert_eq(read_some(fd, 10), WASI_ERRNO_STALE);
    cr_assert_eq(write_text(fd, "x"), WASI_ERRNO_STALE);
    cr_assert_eq(CALL(fd_filestat_set_size, fd, 1), WASI_ERRNO_STALE);
    cr_assert_eq(CALL(fd_sync, fd), WASI_ERRNO_STALE);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("file")), WASI_ERRNO_STALE);
    failure = 77;
    cr_assert_eq(read_some(fd, 10), WASI_ERRNO_IO);
    cr_assert_eq(CALL(path_create_directory, 3, STR("new")), WASI_ERRNO_IO);
    failure = 65536 + WASI_ERRNO_NOENT;
    cr_assert_eq(CALL(path_symlink, STR("x"), 3, STR("l")), WASI_ERRNO_IO);
    failure = WR_WASI_NOSPC; /* and what it opened it must have closed */
    cr_assert_eq(open_all(3, "dir/file", 0, &fd), WASI_ERRNO_NOSPC);
    failure = 0;
    cr_assert_eq(CALL(fd_filestat_set_size, 4, 1000), WASI_ERRNO_DQUOT);
}

Test(files, that_lie_about_bytes, .fini = stop_guest) {
    begin(&complete);
    uint32_t fd = must_open_all(3, "dir/file", 0);
    excess = 100;
    cr_assert_eq(read_some(fd, 5), WASI_ERRNO_IO);
    cr_assert_eq(write_text(fd, "x"), WASI_ERRNO_IO);
    cr_assert_eq(CALL(path_readlink, 3, STR("link"), 1000, 100, RESULT), WASI_ERRNO_IO);
    cr_assert_eq(stat_in(3, "link"), WASI_ERRNO_IO);
    excess = 0;
    cr_assert_eq(CALL(fd_tell, fd, RESULT), 0);
    cr_assert_eq(result64(), 0u, "none of it has counted");
    portion = 0;
    cr_assert_eq(write_text(fd, "x"), WASI_ERRNO_IO, "none, and no reason");
    cr_assert_eq(read_some(fd, 5), 0);
    cr_assert_eq(result32(), 0u, "the end");
    nodes[1].type = 1;
    cr_assert_eq(stat_in(3, "dir"), WASI_ERRNO_IO);
    cr_assert_eq(stat_in(3, "dir/file"), WASI_ERRNO_IO);
    nodes[1].type = 0;
    cr_assert_eq(stat_in(3, "dir"), WASI_ERRNO_IO);
}

static wr_wasi_entry_t listing[8];

static wr_wasi_errno_t list_bad(void *context, const char *path, uint64_t position,
                                wr_wasi_entry_t *entry) {
    (void)context, (void)path;
    *entry = listing[position < 7 ? position : 7];
    return WR_WASI_SUCCESS;
}

Test(files, listings_of_bad_names, .fini = stop_guest) {
    wr_wasi_files_t files = complete;
    static char long_name[5000];
    memset(long_name, 'x', sizeof long_name - 1);
    files.list = list_bad;
    begin(&files);
    const char *bad[] = {"", ".", "..", "a/b", "\xff", long_name, "good", NULL};
    for (uint64_t i = 0; i < 8; i++) listing[i] = (wr_wasi_entry_t){.name = bad[i], .next = i + 1};
    cr_assert_str_eq(names_in(3), ". .. good ");
    uint32_t fd = must_open_dir(3, ".");
    listing[6].next = 6; /* back to itself */
    cr_assert_eq(CALL(fd_readdir, fd, READ_AT, 4096, 3, RESULT), WASI_ERRNO_IO);
    listing[6].next = UINT64_MAX;
    cr_assert_eq(CALL(fd_readdir, fd, READ_AT, 4096, 3, RESULT), WASI_ERRNO_IO);
    listing[6] = (wr_wasi_entry_t){.name = "odd", .next = 7, .type = 99};
    cr_assert_eq(CALL(fd_readdir, fd, READ_AT, 4096, 2, RESULT), 0);
    cr_assert_eq(guest.memory[READ_AT + WASI_DIRENT_D_TYPE], WASI_FILETYPE_UNKNOWN);
    cr_assert_neq(get_u64(guest.memory + READ_AT + WASI_DIRENT_D_INO), 0u);
}

/* ---- Bytes and positions ---------------------------------------------------------------------------- */

Test(files, are_moved_in_parts, .fini = stop_guest) {
    begin(&complete);
    uint32_t fd = must_open_all(3, "dir/file", 0);
    for (uint32_t i = 0; i < 3; i++) {
        put_u32(guest.memory + SCRATCH + 8 * i, READ_AT + 4 * i);
        put_u32(guest.memory + SCRATCH + 8 * i + 4, 4);
    }
    cr_assert_eq(CALL(fd_read, fd, SCRATCH, 3, RESULT), 0);
    cr_assert_eq(result32(), 10u);
    cr_assert_eq(memcmp(guest.memory + READ_AT, "0123456789", 10), 0);
    portion = 3;
    cr_assert_eq(CALL(fd_pread, fd, SCRATCH, 3, 1, RESULT), 0);
    cr_assert_eq(result32(), 3u, "no further than the first that is short");
    cr_assert_eq(CALL(fd_pwrite, fd, SCRATCH, 3, 60, RESULT), 0);
    cr_assert_eq(result32(), 3u);
    portion = SIZE_MAX;
    cr_assert_eq(CALL(fd_pwrite, fd, SCRATCH, 3, 58, RESULT), 0);
    cr_assert_eq(result32(), 6u, "NOSPC for the rest comes the next time");
    cr_assert_eq(CALL(fd_pwrite, fd, SCRATCH, 3, 64, RESULT), WASI_ERRNO_NOSPC);
}

static Errno seek_to(uint32_t fd, int64_t offset, int whence) {
    return CALL(fd_seek, fd, (uint64_t)offset, (uint64_t)whence, RESULT);
}

Test(files, positions, .fini = stop_guest) {
    begin(&complete);
    uint32_t fd = must_open_all(3, "dir/file", 0);
    cr_assert_eq(seek_to(fd, -3, WASI_WHENCE_END), 0);
    cr_assert_eq(result64(), 7u);
    cr_assert_eq(seek_to(fd, -7, WASI_WHENCE_CUR), 0);
    cr_assert_eq(result64(), 0u);
    cr_assert_eq(seek_to(fd, -1, WASI_WHENCE_CUR), WASI_ERRNO_INVAL);
    cr_assert_eq(seek_to(fd, INT64_MIN, WASI_WHENCE_END), WASI_ERRNO_INVAL);
    cr_assert_eq(seek_to(fd, INT64_MAX, WASI_WHENCE_END), WASI_ERRNO_OVERFLOW);
    cr_assert_eq(seek_to(fd, INT64_MAX, WASI_WHENCE_SET), 0);
    cr_assert_eq(result64(), (uint64_t)INT64_MAX);
    cr_assert_eq(read_some(fd, 5), 0);
    cr_assert_eq(result32(), 0u);
    cr_assert_eq(write_text(fd, "x"), WASI_ERRNO_FBIG);
    cr_assert_eq(CALL(fd_pread, fd, iovec(READ_AT, 4), 1, UINT64_MAX, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_pwrite, fd, iovec(READ_AT, 4), 1, UINT64_MAX, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_filestat_set_size, fd, UINT64_MAX), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_allocate, fd, 1, INT64_MAX), WASI_ERRNO_FBIG);
    cr_assert_eq(CALL(fd_allocate, fd, 0, 0), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(fd_allocate, fd, 10, 10), 0);
    cr_assert_eq(find_node("dir/file")->size, 20u);
}

Test(files, appending, .fini = stop_guest) {
    begin(&complete);
    uint32_t fd, other = must_open_all(3, "file", 0);
    cr_assert_eq(
        open_with(3, 0, "file", 0, ALL_FILE, 0, WASI_FDFLAGS_APPEND | WASI_FDFLAGS_SYNC, &fd), 0);
    cr_assert_eq(write_text(fd, "+1"), 0);
    cr_assert_eq(write_text(other, "T"), 0);
    cr_assert_eq(write_text(fd, "+2"), 0);
    cr_assert_eq(memcmp(find_node("file")->data, "Text+1+2", 8), 0);
    cr_assert_eq(CALL(fd_tell, fd, RESULT), 0);
    cr_assert_eq(result64(), 8u);
    expect_asked("open3 file;open3 file;sync file;sync file;");
    cr_assert_eq(CALL(fd_fdstat_set_flags, fd, 0), 0);
    cr_assert_eq(seek_to(fd, 1, WASI_WHENCE_SET), 0);
    cr_assert_eq(write_text(fd, "E"), 0);
    cr_assert_eq(memcmp(find_node("file")->data, "TExt+1+2", 8), 0);
}

Test(files, devices, .fini = stop_guest) {
    begin(&complete);
    uint32_t fd = must_open_all(3, "tty", 0);
    cr_assert_eq(CALL(fd_fdstat_get, fd, RESULT), 0);
    cr_assert_eq(guest.memory[RESULT], WASI_FILETYPE_CHARACTER_DEVICE);
    uint64_t rights = get_u64(guest.memory + RESULT + WASI_FDSTAT_FS_RIGHTS_BASE);
    cr_assert_eq(rights & (WASI_RIGHTS_FD_SEEK | WASI_RIGHTS_FD_TELL), 0u, "isatty() is true");
    cr_assert_eq(read_some(fd, 3), 0);
    cr_assert_eq(read_some(fd, 3), 0);
    cr_assert_eq(result32(), 3u, "from the beginning again: offsets mean nothing");
    cr_assert_eq(write_text(fd, "T"), 0);
    cr_assert_eq(seek_to(fd, 0, WASI_WHENCE_CUR), WASI_ERRNO_SPIPE);
    uint8_t *subscription = guest.memory + READ_AT;
    memset(subscription, 0, WASI_SUBSCRIPTION_SIZE);
    subscription[WASI_SUBSCRIPTION_U] = WASI_EVENTTYPE_FD_READ;
    put_u32(subscription + WASI_SUBSCRIPTION_U + WASI_SUBSCRIPTION_U_U, fd);
    cr_assert_eq(CALL(poll_oneoff, READ_AT, READ_AT + 1000, 1, RESULT), 0, "never waits");
    cr_assert_eq(result32(), 1u);
}

/* ---- Directories that move -------------------------------------------------------------------------- */

Test(files, open_directories_follow_their_names, .fini = stop_guest) {
    begin(&complete);
    uint32_t dir = must_open_dir(3, "dir"), sub = must_open_dir(dir, "sub");
    uint32_t file = must_open_all(dir, "file", 0);
    cr_assert_eq(CALL(path_rename, 3, STR("dir"), 3, STR("moved")), 0);
    cr_assert_eq(stat_in(dir, "file"), 0);
    cr_assert_eq(stat_size(), 10u);
    cr_assert_str_eq(names_in(dir), ". .. file sub ");
    must_open_all(sub, "new", WASI_OFLAGS_CREAT);
    cr_assert_not_null(find_node("moved/sub/new"));
    cr_assert_eq(read_some(file, 4), 0);
    cr_assert_eq(stat_in(3, "dir"), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(path_create_directory, 3, STR("dir")), 0);
    cr_assert_eq(stat_in(dir, "sub"), 0, "still the moved one");
    cr_assert_eq(stat_in(dir, "../file"), WASI_ERRNO_PERM);
}

Test(files, directories_that_are_gone, .fini = stop_guest) {
    begin(&complete);
    uint32_t sub = must_open_dir(3, "dir/sub"), fd;
    cr_assert_eq(CALL(path_remove_directory, 3, STR("dir/sub")), 0);
    cr_assert_eq(CALL(path_create_directory, 3, STR("dir/sub")), 0);
    cr_assert_eq(CALL(path_create_directory, sub, STR("x")), WASI_ERRNO_NOENT);
    cr_assert_eq(open_all(sub, "x", WASI_OFLAGS_CREAT, &fd), WASI_ERRNO_NOENT);
    cr_assert_eq(stat_in(sub, "x"), WASI_ERRNO_NOENT);
    cr_assert_str_eq(names_in(sub), "errno 44");
    cr_assert_eq(CALL(fd_filestat_set_times, sub, 1, 1, WASI_FSTFLAGS_ATIM), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(fd_filestat_get, sub, RESULT), 0);
    cr_assert_eq(get_u64(guest.memory + RESULT + WASI_FILESTAT_NLINK), 0u);
    /* one that another is put over */
    uint32_t over = must_open_dir(3, "dir/sub");
    cr_assert_eq(CALL(path_create_directory, 3, STR("other")), 0);
    uint32_t other = must_open_dir(3, "other");
    cr_assert_eq(CALL(path_rename, 3, STR("other"), 3, STR("dir/sub")), 0);
    cr_assert_eq(stat_in(over, "."), WASI_ERRNO_NOENT);
    cr_assert_eq(stat_in(other, "."), 0);
}

Test(files, removed_while_open, .fini = stop_guest) {
    begin(&complete);
    uint32_t fd = must_open_all(3, "file", 0);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("file")), 0);
    cr_assert_eq(stat_in(3, "file"), WASI_ERRNO_NOENT);
    cr_assert_eq(read_some(fd, 10), 0);
    cr_assert_eq(result32(), 4u);
    cr_assert_eq(CALL(fd_filestat_get, fd, RESULT), 0);
}

/* ---- More than one ---------------------------------------------------------------------------------- */

Test(files, beside_a_directory_of_the_host, .init = start_with_root, .fini = stop_guest) {
    plant();
    host_file("host", "of the host");
    cr_assert_null(wr_wasi_preopen_files(wasi, &complete, NULL, "/one", 0));
    cr_assert_null(wr_wasi_preopen_files(wasi, &complete, NULL, "/two", WR_WASI_READ_ONLY));
    const Errno xdev = WASI_ERRNO_XDEV;
    cr_assert_eq(CALL(path_rename, 3, STR("host"), 4, STR("new")), xdev);
    cr_assert_eq(CALL(path_rename, 4, STR("file"), 3, STR("new")), xdev);
    cr_assert_eq(CALL(path_link, 3, 0, STR("host"), 4, STR("new")), xdev);
    cr_assert_eq(CALL(path_link, 4, 0, STR("file"), 3, STR("new")), xdev);
    cr_assert_eq(CALL(path_rename, 4, STR("file"), 5, STR("new")), WASI_ERRNO_PERM);
    cr_assert_null(wr_wasi_preopen_files(wasi, &complete, NULL, "/three", 0));
    cr_assert_eq(CALL(path_rename, 4, STR("file"), 6, STR("new")), xdev);
    cr_assert_eq(CALL(path_link, 4, 0, STR("file"), 6, STR("new")), xdev);
    cr_assert_eq(CALL(fd_filestat_get, 4, RESULT), 0);
    uint64_t device = get_u64(guest.memory + RESULT);
    cr_assert_eq(CALL(fd_filestat_get, 6, RESULT), 0);
    cr_assert_neq(get_u64(guest.memory + RESULT), device);
    uint32_t fd;
    cr_assert_eq(open_with(5, 0, "file", 0, WASI_RIGHTS_FD_WRITE, 0, 0, &fd), WASI_ERRNO_PERM);
    cr_assert_eq(open_with(5, 0, "../one/file", 0, WASI_RIGHTS_FD_READ, 0, 0, &fd),
                 WASI_ERRNO_PERM);
    cr_assert_eq(open_with(5, 0, "file", 0, WASI_RIGHTS_FD_READ, 0, 0, &fd), 0);
    cr_assert_eq(CALL(path_unlink_file, 5, STR("file")), WASI_ERRNO_PERM);
    cr_assert_eq(CALL(path_open, 3, 0, STR("host"), 0, WASI_RIGHTS_FD_READ, 0, 0, RESULT), 0);
}
