/* WASI: paths that stay beneath their directory, by the kernel and by our walk; names and links. */
#include "wasi_mock.h"

/* Each test runs with both ways to resolve a path. */
#define BothWays(name)                                                                             \
    static void name##_body(void);                                                                 \
    Test(wasi_path, name, .init = start_with_root, .fini = stop_guest, .timeout = 240) {           \
        name##_body();                                                                             \
    }                                                                                              \
    Test(wasi_walk, name, .init = start_walking, .fini = stop_guest, .timeout = 240) {             \
        name##_body();                                                                             \
        cr_assert(wasi->walk);                                                                     \
    }                                                                                              \
    static void name##_body(void)

static void start_walking(void) {
    start_with_root();
    wasi->walk = true;
}

enum { FOLLOW = WASI_LOOKUPFLAGS_SYMLINK_FOLLOW };

static Errno try_open(uint32_t lookup, const char *path, uint32_t oflags) {
    uint32_t fd;
    Errno error = open_with(3, lookup, path, oflags, 0, 0, 0, &fd);
    if (!error) cr_assert_eq(CALL(fd_close, fd), 0);
    return error;
}

static Errno stat_path(uint32_t lookup, const char *path) {
    return CALL(path_filestat_get, 3, lookup, STR(path), RESULT);
}

static uint8_t stat_type(void) { return guest.memory[RESULT + WASI_FILESTAT_FILETYPE]; }

static void host_dir(const char *name) { cr_assert_eq(mkdir(host_path(name), 0777), 0); }

static void host_link(const char *target, const char *name) {
    cr_assert_eq(symlink(target, host_path(name)), 0);
}

/* A tree, and beside it what must not be reached. */
static void plant(void) {
    char outside[128];
    host_dir("dir");
    host_dir("dir/nested");
    host_file("dir/nested/file", "inner");
    host_file("file", "text");
    snprintf(outside, sizeof outside, "%s/secret", base_dir);
    fclose(fopen(outside, "w"));
    snprintf(outside, sizeof outside, "%s/outer", base_dir);
    mkdir(outside, 0777);
}

BothWays(opens_inside) {
    plant();
    const char *good[] = {"file",
                          "./file",
                          ".//./file",
                          "dir/nested/file",
                          "dir/../file",
                          "dir/.",
                          "dir/nested/..",
                          "dir/nested///",
                          "dir/.//nested/../../dir/nested/file",
                          "dir/nested/../..",
                          "."};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert_eq(try_open(0, good[i], 0), 0, "%s", good[i]);
}

BothWays(never_leaves) {
    plant();
    host_link("..", "up");
    host_link("../secret", "secret-link");
    host_link("dir/../../secret", "winding");
    host_link("/", "slash");
    host_link("dir", "dir-link");
    host_link("../..", "dir/up2");
    host_link("..", "dir/up1");
    const char *bad[] = {"..",
                         "../root",
                         "../secret",
                         "dir/../..",
                         "dir/../../secret",
                         "/",
                         "/file",
                         "//file",
                         "up",
                         "up/root/file",
                         "secret-link",
                         "winding",
                         "slash",
                         "slash/etc/passwd",
                         "dir-link/../../secret",
                         "dir/up2",
                         "dir/up2/secret",
                         "up/",
                         "dir/nested/../../../root/file",
                         "./..",
                         "dir/up1/../secret"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(try_open(FOLLOW, bad[i], 0), WASI_ERRNO_PERM, "open %s", bad[i]);
        cr_assert_eq(stat_path(FOLLOW, bad[i]), WASI_ERRNO_PERM, "stat %s", bad[i]);
        cr_assert_eq(CALL(path_filestat_set_times, 3, FOLLOW, STR(bad[i]), 1, 1, 0),
                     WASI_ERRNO_PERM, "times %s", bad[i]);
    }
    cr_assert_eq(try_open(FOLLOW, "dir/up1/file", 0), 0, "up and down again within");
    cr_assert_eq(try_open(FOLLOW, "new/../../secret", WASI_OFLAGS_CREAT), WASI_ERRNO_NOENT);
}

BothWays(names_never_leave) {
    plant();
    host_link("..", "up");
    host_link("../outer", "outer-link");
    const char *bad[] = {"../x", "up/x", "..", "dir/../../x", "/x", "outer-link/x", "up/outer"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *path = bad[i];
        cr_assert_eq(CALL(path_create_directory, 3, STR(path)), WASI_ERRNO_PERM, "%s", path);
        cr_assert_eq(CALL(path_remove_directory, 3, STR(path)), WASI_ERRNO_PERM, "%s", path);
        cr_assert_eq(CALL(path_unlink_file, 3, STR(path)), WASI_ERRNO_PERM, "%s", path);
        cr_assert_eq(CALL(path_symlink, STR("file"), 3, STR(path)), WASI_ERRNO_PERM, "%s", path);
        cr_assert_eq(CALL(path_link, 3, 0, STR("file"), 3, STR(path)), WASI_ERRNO_PERM);
        cr_assert_eq(CALL(path_link, 3, 0, STR(path), 3, STR("y")), WASI_ERRNO_PERM);
        cr_assert_eq(CALL(path_rename, 3, STR("file"), 3, STR(path)), WASI_ERRNO_PERM);
        cr_assert_eq(CALL(path_rename, 3, STR(path), 3, STR("y")), WASI_ERRNO_PERM);
        cr_assert_eq(CALL(path_readlink, 3, STR(path), 1000, 10, RESULT), WASI_ERRNO_PERM);
        cr_assert_eq(stat_path(0, path), WASI_ERRNO_PERM);
        cr_assert_eq(try_open(0, path, WASI_OFLAGS_CREAT), WASI_ERRNO_PERM);
    }
    cr_assert_eq(CALL(path_remove_directory, 3, STR("outer-link/")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("outer-link/")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_link, 3, 0, STR("outer-link/"), 3, STR("y")), WASI_ERRNO_PERM);
    cr_assert_eq(CALL(path_rename, 3, STR("dir"), 3, STR("outer-link/")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(stat_path(0, "outer-link/"), WASI_ERRNO_PERM, "a slash follows");
    cr_assert_eq(stat_path(0, "outer-link"), 0);
    cr_assert_eq(stat_type(), WASI_FILETYPE_SYMBOLIC_LINK);
}

BothWays(strings_that_are_no_paths) {
    plant();
    char nul[] = "file\0";
    uint32_t zero = guest_string("fileX");
    guest.memory[zero + 4] = 0;
    (void)nul;
    cr_assert_eq(CALL(path_filestat_get, 3, 0, zero, 5, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(path_filestat_get, 3, 0, zero, 0, RESULT), WASI_ERRNO_NOENT);
    cr_assert_eq(stat_path(0, "\xFF\xFE"), WASI_ERRNO_ILSEQ);
    cr_assert_eq(stat_path(0, "dir/\xC0\xAE\xC0\xAE"), WASI_ERRNO_ILSEQ);
    cr_assert_eq(CALL(path_filestat_get, 3, 0, MEMORY_SIZE - 1, 2, RESULT), WASI_ERRNO_FAULT);
    memset(guest.memory + 100000, 'a', 5000);
    cr_assert_eq(CALL(path_filestat_get, 3, 0, 100000, 4096, RESULT), WASI_ERRNO_NAMETOOLONG);
    cr_assert_eq(CALL(path_filestat_get, 3, 0, 100000, 300, RESULT), WASI_ERRNO_NAMETOOLONG);
    cr_assert_eq(CALL(path_open, 3, 0, 100000, 300, 0, 0, 0, 0, RESULT), WASI_ERRNO_NAMETOOLONG);
    memset(guest.memory + 100000, '/', 4095);
    guest.memory[100000] = '.';
    cr_assert_eq(CALL(path_filestat_get, 3, 0, 100000, 4095, RESULT), 0, "a dot, many slashes");
    cr_assert_eq(CALL(path_symlink, zero, 5, 3, STR("new")), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(path_filestat_get, 3, 2, STR("file"), RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(try_open(0, "file", 16), WASI_ERRNO_INVAL);
}

BothWays(not_a_directory_on_the_way) {
    plant();
    host_link("file", "link");
    const char *bad[] = {"file/", "file/.", "file/..", "file/x", "file/../file", "link/", "link/x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(try_open(FOLLOW, bad[i], 0), WASI_ERRNO_NOTDIR, "%s", bad[i]);
        cr_assert_eq(stat_path(FOLLOW, bad[i]), WASI_ERRNO_NOTDIR, "%s", bad[i]);
    }
    cr_assert_eq(try_open(0, "missing/x", 0), WASI_ERRNO_NOENT);
    cr_assert_eq(try_open(0, "missing/../file", 0), WASI_ERRNO_NOENT);
    cr_assert_eq(try_open(0, "file", WASI_OFLAGS_DIRECTORY), WASI_ERRNO_NOTDIR);
    uint32_t file = must_open("file", 0, WASI_RIGHTS_FD_READ), fd;
    cr_assert_eq(open_with(file, 0, "x", 0, 0, 0, 0, &fd), WASI_ERRNO_NOTDIR);
}

BothWays(final_links) {
    plant();
    host_link("file", "link");
    host_link("link", "link2");
    host_link("dir", "dir-link");
    host_link("missing", "dangling");
    host_link("loop-b", "loop-a");
    host_link("loop-a", "loop-b");
    cr_assert_eq(try_open(0, "link", 0), WASI_ERRNO_LOOP);
    cr_assert_eq(try_open(FOLLOW, "link2", 0), 0);
    Errno error = try_open(0, "dir-link", WASI_OFLAGS_DIRECTORY);
    cr_assert(error == WASI_ERRNO_LOOP || error == WASI_ERRNO_NOTDIR);
    cr_assert_eq(try_open(FOLLOW, "dir-link", WASI_OFLAGS_DIRECTORY), 0);
    cr_assert_eq(try_open(FOLLOW, "link", WASI_OFLAGS_DIRECTORY), WASI_ERRNO_NOTDIR);
    cr_assert_eq(try_open(0, "dir-link/", 0), 0, "a slash follows");
    cr_assert_eq(try_open(FOLLOW, "loop-a", 0), WASI_ERRNO_LOOP);
    cr_assert_eq(try_open(FOLLOW, "loop-a/x", 0), WASI_ERRNO_LOOP);
    cr_assert_eq(stat_path(FOLLOW, "loop-a"), WASI_ERRNO_LOOP);
    cr_assert_eq(stat_path(0, "loop-a"), 0);
    cr_assert_eq(try_open(FOLLOW, "dangling", 0), WASI_ERRNO_NOENT);
    cr_assert_eq(stat_path(FOLLOW, "dangling"), WASI_ERRNO_NOENT);
    cr_assert_eq(try_open(FOLLOW, "dangling", WASI_OFLAGS_CREAT | WASI_OFLAGS_EXCL),
                 WASI_ERRNO_EXIST);
    cr_assert_eq(try_open(0, "dangling", WASI_OFLAGS_CREAT), WASI_ERRNO_LOOP);
    cr_assert_eq(try_open(FOLLOW, "dangling", WASI_OFLAGS_CREAT), 0);
    cr_assert_eq(access(host_path("missing"), F_OK), 0, "made where the link says");
    cr_assert_eq(stat_path(FOLLOW, "link2"), 0);
    cr_assert_eq(stat_type(), WASI_FILETYPE_REGULAR_FILE);
    cr_assert_eq(stat_path(0, "dir-link/nested/../../link"), 0);
    cr_assert_eq(stat_type(), WASI_FILETYPE_SYMBOLIC_LINK);
}

BothWays(long_chains_of_links) {
    char name[16], target[16];
    host_file("n0", "end");
    for (int i = 1; i <= 45; i++) {
        snprintf(name, sizeof name, "n%d", i);
        snprintf(target, sizeof target, "n%d", i - 1);
        host_link(target, name);
    }
    cr_assert_eq(try_open(FOLLOW, "n40", 0), 0);
    cr_assert_eq(try_open(FOLLOW, "n41", 0), WASI_ERRNO_LOOP);
    cr_assert_eq(stat_path(FOLLOW, "n40"), 0);
    cr_assert_eq(stat_path(FOLLOW, "n41"), WASI_ERRNO_LOOP);
}

BothWays(deep_paths) {
    char path[4096] = "";
    uint32_t dir = 3, next;
    for (int i = 0; i < 500; i++) { /* deeper than descriptors are many */
        cr_assert_eq(CALL(path_create_directory, dir, STR("d")), 0);
        uint64_t all = WASI_RIGHTS_PATH_OPEN | WASI_RIGHTS_PATH_CREATE_DIRECTORY;
        cr_assert_eq(open_with(dir, 0, "d", WASI_OFLAGS_DIRECTORY, all, all, 0, &next), 0);
        if (dir != 3) CALL(fd_close, dir);
        dir = next;
        strcat(path, "d/");
    }
    cr_assert_eq(try_open(0, path, 0), 0);
    for (int i = 0; i < 500; i++) strcat(path, "../");
    cr_assert_eq(try_open(0, path, 0), walks() ? WASI_ERRNO_LOOP : 0,
                 "our walk has an end to its patience");
    strcat(path, "..");
    cr_assert_neq(try_open(0, path, 0), 0);
}

BothWays(magic_links_are_not_followed) {
    if (access("/proc/self/fd", F_OK)) cr_skip_test("no /proc");
    cr_assert_null(wr_wasi_preopen_dir(wasi, "/proc/self", "/proc", 0));
    uint32_t fd;
    char name[32];
    int host = open("/etc/passwd", O_RDONLY);
    snprintf(name, sizeof name, "fd/%d", host);
    cr_assert_neq(open_with(4, FOLLOW, name, 0, 0, 0, 0, &fd), 0);
    cr_assert_neq(open_with(4, FOLLOW, "root", 0, 0, 0, 0, &fd), 0);
    cr_assert_neq(open_with(4, FOLLOW, "cwd/.", 0, 0, 0, 0, &fd), 0);
    close(host);
}

/* ---- Making, removing, renaming, linking --------------------------------------------------------- */

BothWays(opening_flags) {
    plant();
    uint32_t fd;
    cr_assert_eq(try_open(0, "file", WASI_OFLAGS_CREAT | WASI_OFLAGS_EXCL), WASI_ERRNO_EXIST);
    cr_assert_eq(try_open(0, "new", WASI_OFLAGS_CREAT | WASI_OFLAGS_EXCL), 0);
    cr_assert_eq(try_open(0, "new/", WASI_OFLAGS_CREAT), WASI_ERRNO_ISDIR);
    cr_assert_eq(try_open(0, "newer/", WASI_OFLAGS_CREAT), WASI_ERRNO_ISDIR);
    cr_assert_eq(try_open(0, "dir", WASI_OFLAGS_CREAT | WASI_OFLAGS_DIRECTORY), WASI_ERRNO_INVAL);
    cr_assert_eq(try_open(0, "file", WASI_OFLAGS_TRUNC), 0);
    struct stat stat;
    lstat(host_path("file"), &stat);
    cr_assert_eq(stat.st_size, 0);
    cr_assert_eq(try_open(0, "dir", WASI_OFLAGS_TRUNC), WASI_ERRNO_ISDIR);
    cr_assert_eq(open_path("dir", 0, WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_WRITE, &fd),
                 WASI_ERRNO_ISDIR);
    cr_assert_eq(open_path("dir", 0, WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_FILESTAT_SET_SIZE, &fd),
                 0, "weak wishes to write give way");
    cr_assert_eq(CALL(path_open, 3, 0, STR("file"), 0, 0, 0, 0, MEMORY_SIZE - 3), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(path_open, 3, 0, STR("no"), WASI_OFLAGS_CREAT, 0, 0, 0, MEMORY_SIZE),
                 WASI_ERRNO_FAULT);
    cr_assert_neq(access(host_path("no"), F_OK), 0, "nothing was made");
}

BothWays(directories) {
    cr_assert_eq(CALL(path_create_directory, 3, STR("d")), 0);
    cr_assert_eq(CALL(path_create_directory, 3, STR("d")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_create_directory, 3, STR("d/")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_create_directory, 3, STR("d/e/")), 0);
    cr_assert_eq(CALL(path_create_directory, 3, STR("d/.")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_create_directory, 3, STR(".")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_create_directory, 3, STR("x/y")), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("d")), WASI_ERRNO_NOTEMPTY);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("d/e/.")), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("d")), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("d/")), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("d/e///")), 0);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("d")), 0);
    host_file("f", "");
    cr_assert_eq(CALL(path_remove_directory, 3, STR("f")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_remove_directory, 3, STR("f/")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("f/")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("f")), 0);
    cr_assert_eq(CALL(path_unlink_file, 3, STR("f")), WASI_ERRNO_NOENT);
}

BothWays(symbolic_links) {
    cr_assert_eq(CALL(path_symlink, STR("target"), 3, STR("link")), 0);
    cr_assert_eq(CALL(path_symlink, STR("/etc"), 3, STR("absolute")), WASI_ERRNO_PERM);
    cr_assert_neq(access(host_path("absolute"), F_OK), 0);
    cr_assert_eq(CALL(path_symlink, STR("t"), 3, STR("link")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_symlink, STR("t"), 3, STR("new/")), WASI_ERRNO_NOENT);
    host_dir("d");
    cr_assert_eq(CALL(path_symlink, STR("t"), 3, STR("d/")), WASI_ERRNO_EXIST);
    guest.memory[1006] = 'X';
    cr_assert_eq(CALL(path_readlink, 3, STR("link"), 1000, 100, RESULT), 0);
    cr_assert_eq(result32(), 6u);
    cr_assert_arr_eq(guest.memory + 1000, "targetX", 7);
    cr_assert_eq(CALL(path_readlink, 3, STR("link"), 2000, 4, RESULT), 0);
    cr_assert_eq(result32(), 4u);
    cr_assert_arr_eq(guest.memory + 2000, "targ\0", 5);
    cr_assert_eq(CALL(path_readlink, 3, STR("link"), 2000, 0, RESULT), 0);
    cr_assert_eq(CALL(path_readlink, 3, STR("d"), 1000, 9, RESULT), WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(path_readlink, 3, STR("no"), 1000, 9, RESULT), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(path_readlink, 3, STR("link"), MEMORY_SIZE, 9, RESULT), WASI_ERRNO_FAULT);
    host_link("/somewhere/on/the/host", "absolute");
    cr_assert_eq(CALL(path_readlink, 3, STR("absolute"), 1000, 99, RESULT), WASI_ERRNO_PERM);
}

BothWays(hard_links) {
    plant();
    host_link("file", "link");
    host_link("missing", "dangling");
    cr_assert_eq(CALL(path_link, 3, 0, STR("file"), 3, STR("dir/second")), 0);
    cr_assert_eq(stat_path(0, "dir/second"), 0);
    cr_assert_eq(get_u64(guest.memory + RESULT + WASI_FILESTAT_NLINK), 2u);
    cr_assert_eq(CALL(path_link, 3, 0, STR("file"), 3, STR("file")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_link, 3, 0, STR("dir"), 3, STR("x")), WASI_ERRNO_PERM);
    cr_assert_eq(CALL(path_link, 3, 0, STR("file"), 3, STR("x/")), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(path_link, 3, 0, STR("file/"), 3, STR("x")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_link, 3, 0, STR("file"), 3, STR("dangling")), WASI_ERRNO_EXIST);
    cr_assert_eq(CALL(path_link, 3, 0, STR("link"), 3, STR("link2")), 0);
    cr_assert_eq(stat_path(0, "link2"), 0);
    cr_assert_eq(stat_type(), WASI_FILETYPE_SYMBOLIC_LINK);
    cr_assert_eq(CALL(path_link, 3, FOLLOW, STR("link"), 3, STR("file3")), 0);
    cr_assert_eq(stat_path(0, "file3"), 0);
    cr_assert_eq(stat_type(), WASI_FILETYPE_REGULAR_FILE);
    cr_assert_eq(CALL(path_link, 3, FOLLOW, STR("dangling"), 3, STR("y")), WASI_ERRNO_NOENT);
}

BothWays(renaming) {
    plant();
    cr_assert_eq(CALL(path_rename, 3, STR("dir/"), 3, STR("d2")), 0);
    cr_assert_eq(CALL(path_rename, 3, STR("d2"), 3, STR("dir/")), 0);
    cr_assert_eq(CALL(path_rename, 3, STR("file"), 3, STR("dir/file")), 0);
    cr_assert_eq(CALL(path_rename, 3, STR("dir/file/"), 3, STR("file")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_rename, 3, STR("dir/file"), 3, STR("file/")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_rename, 3, STR("dir/file"), 3, STR("file")), 0);
    cr_assert_eq(CALL(path_rename, 3, STR("no"), 3, STR("file")), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(path_rename, 3, STR("no/"), 3, STR("file")), WASI_ERRNO_NOENT);
    cr_assert_eq(CALL(path_rename, 3, STR("file"), 3, STR("dir")), WASI_ERRNO_ISDIR);
    cr_assert_eq(CALL(path_rename, 3, STR("dir"), 3, STR("file")), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(path_rename, 3, STR("dir"), 3, STR("dir/nested/x")), WASI_ERRNO_INVAL);
    host_dir("full");
    host_file("full/x", "");
    cr_assert_eq(CALL(path_rename, 3, STR("dir"), 3, STR("full")), WASI_ERRNO_NOTEMPTY);
    cr_assert_neq(CALL(path_rename, 3, STR("."), 3, STR("x")), 0);
    host_link("file", "link");
    cr_assert_eq(CALL(path_rename, 3, STR("link"), 3, STR("link2")), 0);
    cr_assert_eq(stat_path(0, "link2"), 0);
    cr_assert_eq(stat_type(), WASI_FILETYPE_SYMBOLIC_LINK);
}

BothWays(times_by_path) {
    plant();
    host_link("file", "link");
    uint64_t time = 1000000000000000000;
    cr_assert_eq(CALL(path_filestat_set_times, 3, 0, STR("link"), 0, time, WASI_FSTFLAGS_MTIM), 0);
    cr_assert_eq(stat_path(0, "link"), 0);
    cr_assert_eq(get_u64(guest.memory + RESULT + WASI_FILESTAT_MTIM), time);
    cr_assert_eq(stat_path(0, "file"), 0);
    cr_assert_neq(get_u64(guest.memory + RESULT + WASI_FILESTAT_MTIM), time);
    cr_assert_eq(CALL(path_filestat_set_times, 3, FOLLOW, STR("link"), time, time,
                      WASI_FSTFLAGS_ATIM | WASI_FSTFLAGS_MTIM),
                 0);
    cr_assert_eq(stat_path(0, "file"), 0);
    cr_assert_eq(get_u64(guest.memory + RESULT + WASI_FILESTAT_MTIM), time);
    cr_assert_eq(CALL(path_filestat_set_times, 3, 0, STR("file"), 0, 0,
                      WASI_FSTFLAGS_MTIM | WASI_FSTFLAGS_MTIM_NOW),
                 WASI_ERRNO_INVAL);
    cr_assert_eq(CALL(path_filestat_set_times, 3, 0, STR("file/"), 0, 0, 0), WASI_ERRNO_NOTDIR);
}

BothWays(read_only_directories) {
    plant();
    host_link("file", "link");
    cr_assert_null(wr_wasi_preopen_dir(wasi, root, "/ro", WR_WASI_READ_ONLY));
    uint32_t dir, fd, out;
    const Errno no = WASI_ERRNO_PERM;
    cr_assert_eq(open_with(4, 0, "dir", WASI_OFLAGS_DIRECTORY, RIGHTS_DIRECTORY,
                           RIGHTS_DIRECTORY | RIGHTS_REGULAR, 0, &dir),
                 0);
    for (uint32_t at = 4; at <= dir; at += dir - 4) { /* it holds beneath as well */
        const char *file = at == 4 ? "dir/nested/file" : "nested/file";
        cr_assert_eq(CALL(path_create_directory, at, STR("x")), no);
        cr_assert_eq(CALL(path_remove_directory, at, STR("nested")), no);
        cr_assert_eq(CALL(path_unlink_file, at, STR(file)), no);
        cr_assert_eq(CALL(path_symlink, STR("a"), at, STR("x")), no);
        cr_assert_eq(CALL(path_link, at, 0, STR(file), 3, STR("x")), no, "nor lent to be written");
        cr_assert_eq(CALL(path_link, 3, 0, STR("file"), at, STR("x")), no);
        cr_assert_eq(CALL(path_rename, at, STR(file), 3, STR("x")), no);
        cr_assert_eq(CALL(path_rename, 3, STR("file"), at, STR("x")), no);
        cr_assert_eq(CALL(path_filestat_set_times, at, 0, STR(file), 1, 1, 15 & 5), no);
        cr_assert_eq(CALL(fd_filestat_set_times, at, 1, 1, 5), no);
        cr_assert_eq(open_with(at, 0, "x", WASI_OFLAGS_CREAT, 0, 0, 0, &out), no);
        cr_assert_eq(open_with(at, 0, file, WASI_OFLAGS_TRUNC, 0, 0, 0, &out), no);
        cr_assert_eq(open_with(at, 0, file, 0, WASI_RIGHTS_FD_WRITE, 0, 0, &out), no);
        cr_assert_eq(open_with(at, 0, file, 0, RIGHTS_REGULAR & ~WASI_RIGHTS_FD_WRITE, 0, 0, &fd),
                     0);
        cr_assert_eq(CALL(fd_filestat_set_size, fd, 0), no);
        cr_assert_eq(CALL(fd_allocate, fd, 0, 100), no);
        cr_assert_eq(CALL(fd_filestat_set_times, fd, 1, 1, 5), no);
        cr_assert_eq(write_text(fd, "x"), WASI_ERRNO_NOTCAPABLE);
        cr_assert_eq(read_some(fd, 10), 0);
        cr_assert_eq(result32(), 5u);
        CALL(fd_close, fd);
    }
    cr_assert_eq(CALL(path_readlink, 4, STR("link"), 1000, 9, RESULT), 0);
}

/* ---- Others at work --------------------------------------------------------------------------------- */

#ifndef WR_VIRTUAL_ROOT /* they have paths instead of handles, and nothing to wait for */

static atomic_bool racing = true;

/* Swaps a directory for a link that leads out, and back. */
static void *swap(void *argument) {
    char dir[128], link[128], spare[128];
    (void)argument;
    snprintf(dir, sizeof dir, "%s/swap", root);
    snprintf(link, sizeof link, "%s/swap-link", root);
    snprintf(spare, sizeof spare, "%s/swap-spare", root);
    while (racing) {
        rename(dir, spare);
        rename(link, dir);
        rename(dir, link);
        rename(spare, dir);
    }
    return NULL;
}

BothWays(races_lead_nowhere) {
    pthread_t thread;
    char outside[128];
    host_dir("swap");
    host_file("swap/mine", "");
    host_link("../outer", "swap-link");
    snprintf(outside, sizeof outside, "%s/outer", base_dir);
    mkdir(outside, 0777);
    strcat(outside, "/secret");
    fclose(fopen(outside, "w"));
    pthread_create(&thread, NULL, swap, NULL);
    uint64_t end = now_ns() + 300000000u;
    int inside = 0;
    while (now_ns() < end) {
        cr_assert_neq(try_open(FOLLOW, "swap/secret", 0), 0);
        cr_assert_neq(stat_path(FOLLOW, "swap/secret"), 0);
        cr_assert_neq(CALL(path_unlink_file, 3, STR("swap/secret")), 0);
        cr_assert_neq(try_open(FOLLOW, "swap/../../outer/secret", 0), 0);
        inside += try_open(FOLLOW, "swap/../swap/mine", 0) == 0;
    }
    racing = false;
    pthread_join(thread, NULL);
    cr_assert_eq(access(outside, F_OK), 0);
    cr_assert_gt(inside, 0);
}

BothWays(pipes_are_opened_without_hanging) {
    uint32_t fd;
    cr_assert_eq(mkfifo(host_path("pipe"), 0666), 0);
    guest.patience = 1000000;
    guest.polls = 10;
    cr_assert_eq(open_with(3, 0, "pipe", 0, WASI_RIGHTS_FD_WRITE, 0, WASI_FDFLAGS_NONBLOCK, &fd),
                 WASI_ERRNO_NXIO);
    cr_assert_eq(open_path("pipe", 0, WASI_RIGHTS_FD_WRITE, &fd), WASI_ERRNO_INTR);
    guest.polls = 10;
    cr_assert_eq(open_path("pipe", 0, WASI_RIGHTS_FD_READ, &fd), 0);
    cr_assert_eq(read_some(fd, 1), WASI_ERRNO_INTR, "waits for a writer");
}

#endif
