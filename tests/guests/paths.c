/*
 * paths.c - how paths are resolved, and that none leads out of its directory: "..", absolute paths,
 * symbolic links, loops, trailing slashes, odd bytes and lengths. Beside the guest's directory lies
 * what it must not reach.
 *
 * $ mkdir -p outside root/a/b/c root/locked; echo secret >outside/secret; echo inside >root/a/file
 * $ ln -s "$PWD/outside" root/abs; ln -s ../outside root/up; ln -s a/../../outside/secret root/sneak
 * $ ln -s loop2 root/loop1; ln -s loop1 root/loop2; ln -s self root/self
 * $ ln -s a root/to_a; ln -s a/file root/to_file; ln -s a/file/ root/slashed
 * $ ln -s ../../a/file root/a/b/up_inside; ln -s /a/file root/abs_inside
 * $ ln -s nowhere root/dangling; ln -s .. root/a/dotdot
 * $ ln -s ../../.. root/a/b/far; ln -s . root/dot; ln -s to_a/b root/chain
 * $ echo deep >root/s0; for i in $(seq 1 41); do ln -s "s$((i - 1))" "root/s$i"; done
 * $ guest
 * $ echo "outside: $(ls outside), $(cat outside/secret)"
 */
#include "guest.h"

#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
int32_t path_open_raw(int32_t, int32_t, const char *, size_t, int32_t, int64_t, int64_t, int32_t,
                      __wasi_fd_t *) IMPORT(path_open);

static const __wasi_lookupflags_t FOLLOW = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW;

/* Opens beneath a directory and prints what is there. */
static void probe_at(__wasi_fd_t dir, const char *path, __wasi_lookupflags_t flags) {
    __wasi_fd_t fd;
    __wasi_errno_t e = __wasi_path_open(dir, flags, path, 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd);
    printf("%s%s: ", path, flags ? "" : " (nofollow)");
    if (e) {
        puts(errno_name(e));
        return;
    }
    char text[32];
    __wasi_iovec_t vector = {(uint8_t *)text, sizeof text};
    __wasi_size_t n = 0;
    e = __wasi_fd_read(fd, &vector, 1, &n);
    if (e)
        printf("ok, reading: %s\n", errno_name(e));
    else
        printf("ok, \"%.*s\"\n", n ? (int)n - 1 : 0, text);
    (void)__wasi_fd_close(fd);
}

static void probe(const char *path) { probe_at(ROOT, path, FOLLOW); }

/* Everything that could create, change or reveal something at a path; prints what was possible. */
static void attack(const char *path) {
    __wasi_fd_t fd;
    __wasi_filestat_t stat;
    uint8_t buffer[256];
    __wasi_size_t n;
    printf("attack %s:", path);
#define OP(name, call)                                                                             \
    do {                                                                                           \
        printf(" " name " %s", errno_name(call));                                                  \
    } while (0)
    OP("open", __wasi_path_open(ROOT, FOLLOW, path, 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd));
    OP("create", __wasi_path_open(ROOT, FOLLOW, path, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC,
                                  __WASI_RIGHTS_FD_WRITE, 0, 0, &fd));
    OP("stat", __wasi_path_filestat_get(ROOT, FOLLOW, path, &stat));
    OP("times", __wasi_path_filestat_set_times(ROOT, FOLLOW, path, 1, 1, __WASI_FSTFLAGS_MTIM));
    OP("mkdir", __wasi_path_create_directory(ROOT, path));
    OP("rmdir", __wasi_path_remove_directory(ROOT, path));
    OP("unlink", __wasi_path_unlink_file(ROOT, path));
    OP("readlink", __wasi_path_readlink(ROOT, path, buffer, sizeof buffer, &n));
    OP("link-from", __wasi_path_link(ROOT, 0, path, ROOT, "stolen"));
    OP("link-to", __wasi_path_link(ROOT, 0, "a/file", ROOT, path));
    OP("rename-from", __wasi_path_rename(ROOT, path, ROOT, "stolen"));
    OP("rename-to", __wasi_path_rename(ROOT, "a/b/c", ROOT, path));
    OP("symlink", __wasi_path_symlink("x", ROOT, path));
    puts("");
}

static void inside(void) {
    puts("-- inside");
    probe("a/file");
    probe("./a/./file");
    probe("a//file");
    probe("a/b/../file");
    probe("a/b/c/../../file");
    probe("a/../a/file");
    probe("to_file");
    probe("to_a/file");
    probe("dot/dot/a/file");
    probe("chain/../file");
    probe("a/b/up_inside");
    probe("a/dotdot/a/file");
    probe("a/b/c/../up_inside");
    probe("s39");
    probe("s40");
    probe("s41");
    probe("a");
    probe(".");
    probe("a/b/..");
    probe("a/dotdot");
    probe_at(ROOT, "to_file", 0);
    probe_at(ROOT, "to_a/file", 0);
    probe_at(ROOT, "a/dotdot", 0);
    probe_at(ROOT, "dangling", 0);
}

static void nothing_there(void) {
    puts("-- nothing there");
    probe("");
    probe("missing");
    probe("missing/..");
    probe("missing/../a/file");
    probe("a/file/..");
    probe("a/file/../file");
    probe("a/file/.");
    probe("a/file/");
    probe("a/");
    probe("to_file/");
    probe("slashed");
    probe("a/b/c/");
    probe("dangling");
    probe("loop1");
    probe("loop1/x");
    probe("self");
    probe("a/../loop2/..");
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    __wasi_fd_t fd;
    CALL(__wasi_path_open(ROOT, 0, name, 0, 0, 0, 0, &fd));
    name[255] = 'n', name[256] = 0;
    CALL(__wasi_path_open(ROOT, 0, name, 0, 0, 0, 0, &fd));
    static char slashes[5001];
    for (int i = 0; i < 5000; i++) slashes[i] = i % 2 ? '/' : '.';
    CALL(__wasi_path_open(ROOT, 0, slashes, 0, 0, 0, 0, &fd));
    memset(slashes, '/', 5000);
    memcpy(slashes, "a", 1), memcpy(slashes + 4000, "file", 5);
    CALL(__wasi_path_open(ROOT, 0, slashes, 0, 0, 0, 0, &fd));
    CALL(path_open_raw(ROOT, 0, "a/file\0", 7, 0, 0, 0, 0, &fd));
    CALL(path_open_raw(ROOT, 0, "\0", 1, 0, 0, 0, 0, &fd));
    CALL(path_open_raw(ROOT, 0, "a/file\0/../../outside", 21, 0, 0, 0, 0, &fd));
    CALL(path_open_raw(ROOT, 0, "a/fileXX", 6, 0, 0, 0, 0, &fd));
    CALL(path_open_raw(ROOT, 0, "a\\..\\..\\outside", 15, 0, 0, 0, 0, &fd));
    CALL(path_open_raw(ROOT, 0, "\xff\xfe", 2, 0, 0, 0, 0, &fd));
    CALL(path_open_raw(ROOT, 0, "\xc0\xae\xc0\xae/outside", 12, 0, 0, 0, 0, &fd));
}

static void escapes(void) {
    static const char *const paths[] = {"..",
                                        "../outside/secret",
                                        "a/../../outside/secret",
                                        "./../outside/secret",
                                        "/",
                                        "/a/file",
                                        "//a",
                                        "/etc/passwd",
                                        "abs",
                                        "abs/secret",
                                        "up",
                                        "up/secret",
                                        "sneak",
                                        "a/dotdot/..",
                                        "a/dotdot/../outside/new",
                                        "a/b/far",
                                        "a/b/far/outside/secret",
                                        "dot/../x",
                                        "a/b/../../../x",
                                        "a/../..",
                                        "abs_inside",
                                        "to_a/../..",
                                        "a/dotdot/dot/.."};
    puts("-- escapes");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) probe(paths[i]);
    /* From a directory opened beneath: its own parent is out of reach too. */
    __wasi_fd_t b = open_dir("a/b");
    probe_at(b, "c", FOLLOW);
    probe_at(b, "..", FOLLOW);
    probe_at(b, "../file", FOLLOW);
    probe_at(b, "c/../../file", FOLLOW);
    probe_at(b, "up_inside", FOLLOW);
    CALL(__wasi_fd_close(b));

    puts("-- attacks");
    attack("../outside/secret");
    attack("../outside/new");
    attack("/etc/new");
    attack("a/../../outside/new");
    attack("abs/secret");
    attack("up/new");
    attack("a/b/far/outside/new");
}

/* Links whose target is changed to one outside, by the guest itself. */
static void own_links(void) {
    puts("-- links of its own");
    CALL(__wasi_path_symlink("../outside", ROOT, "mine"));
    probe("mine/secret");
    CALL(__wasi_path_symlink("/etc", ROOT, "mine2"));
    probe("mine2/passwd");
    CALL(__wasi_path_symlink("../../outside", ROOT, "a/mine3"));
    probe("a/mine3/secret");
    CALL(__wasi_path_rename(ROOT, "a/mine3", ROOT, "mine3"));
    probe("mine3/secret");
    /* A directory moved while it is open: ".." is counted from the descriptor. */
    __wasi_fd_t c = open_dir("a/b/c");
    CALL(__wasi_path_rename(ROOT, "a/b/c", ROOT, "moved"));
    probe_at(c, "../to_file", FOLLOW);
    CALL(__wasi_fd_close(c));
}

int main(void) {
    inside();
    nothing_there();
    escapes();
    own_links();
    return 0;
}
