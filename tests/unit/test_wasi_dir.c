/* WASI: reading directories: cookies, cut entries, numbers, changes meanwhile. */
#include "wasi_mock.h"

TestSuite(wasi_dir, .init = start_with_root, .fini = stop_guest, .timeout = 240);

enum { BUFFER = 32768 };

typedef struct Entry {
    uint64_t next, ino;
    uint8_t type;
    char name[256];
} Entry;

/* Reads one bufferful; the complete entries go to `entries`. Returns the bytes used. */
static uint32_t list(uint32_t fd, uint32_t size, uint64_t cookie, Entry *entries, size_t *count) {
    cr_assert_eq(CALL(fd_readdir, fd, BUFFER, size, cookie, RESULT), 0);
    uint32_t used = result32();
    cr_assert_leq(used, size);
    *count = 0;
    for (uint32_t at = 0; used - at >= WASI_DIRENT_SIZE;) {
        const uint8_t *bytes = guest.memory + BUFFER + at;
        uint32_t length = get_u32(bytes + WASI_DIRENT_D_NAMLEN);
        if (length > used - at - WASI_DIRENT_SIZE) break;
        Entry *entry = &entries[(*count)++];
        *entry = (Entry){.next = get_u64(bytes + WASI_DIRENT_D_NEXT),
                         .ino = get_u64(bytes + WASI_DIRENT_D_INO),
                         .type = bytes[WASI_DIRENT_D_TYPE]};
        memcpy(entry->name, bytes + WASI_DIRENT_SIZE, length);
        at += WASI_DIRENT_SIZE + length;
    }
    return used;
}

static const Entry *find_entry(const Entry *entries, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0) return &entries[i];
    return NULL;
}

static uint64_t inode(const char *name) {
    struct stat stat;
    cr_assert_eq(lstat(host_path(name), &stat), 0);
    return stat.st_ino;
}

Test(wasi_dir, lists_everything_with_types_and_numbers) {
    Entry entries[100];
    size_t count;
    host_file("file", "");
    mkdir(host_path("dir"), 0777);
    cr_assert_eq(symlink("x", host_path("link")), 0);
    cr_assert_eq(mkfifo(host_path("pipe"), 0666), 0);
    uint32_t used = list(3, 4096, 0, entries, &count);
    cr_assert_lt(used, 4096u, "all of it");
    cr_assert_eq(count, 6u);
    static const struct {
        const char *name;
        uint8_t type;
    } expected[] = {{".", WASI_FILETYPE_DIRECTORY},        {"..", WASI_FILETYPE_DIRECTORY},
                    {"file", WASI_FILETYPE_REGULAR_FILE},  {"dir", WASI_FILETYPE_DIRECTORY},
                    {"link", WASI_FILETYPE_SYMBOLIC_LINK}, {"pipe", WASI_FILETYPE_UNKNOWN}};
    for (size_t i = 0; i < 6; i++) {
        const Entry *entry = find_entry(entries, count, expected[i].name);
        cr_assert_not_null(entry, "%s", expected[i].name);
        cr_assert_eq(entry->type, expected[i].type, "%s", expected[i].name);
        cr_assert_eq(entry->next, (uint64_t)(entry - entries) + 1, "small: they fit any long");
        if (strcmp(entry->name, "..") != 0)
            cr_assert_eq(entry->ino, inode(entry->name), "%s", entry->name);
    }
    cr_assert_eq(find_entry(entries, count, "..")->ino, inode("."), "the outside stays unknown");
}

/* Lists a directory of 300 files in pieces of `size` bytes; every name must come once. */
static void list_in_pieces(uint32_t size) {
    static Entry entries[2000];
    static bool seen[300];
    uint64_t cookie = 0;
    size_t total = 0;
    char name[300];
    memset(seen, 0, sizeof seen);
    for (uint32_t used = size; used == size;) {
        size_t count;
        used = list(3, size, cookie, entries, &count);
        cr_assert(count > 0 || used < size, "no progress with %u bytes", size);
        for (size_t i = 0; i < count; i++) {
            unsigned number;
            if (sscanf(entries[i].name, "file-%u-", &number) == 1) {
                cr_assert_not(seen[number]);
                seen[number] = true;
                total++;
            }
        }
        if (count > 0) cookie = entries[count - 1].next;
    }
    cr_assert_eq(total, 300u, "%u bytes: %zu", size, total);
    (void)name;
}

Test(wasi_dir, in_pieces_of_any_size) {
    char name[300];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "file-%d-%0*d", i, i % 100 + 1, 0);
        host_file(name, "");
    }
    uint32_t sizes[] = {140, 141, 160, 200, 257, 1000, 4096, 65536};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) list_in_pieces(sizes[i]);
}

Test(wasi_dir, cuts_the_last_entry) {
    Entry entries[10];
    size_t count;
    host_file("a-name-of-some-length", "");
    for (uint32_t size = 0; size < 40; size++) {
        memset(guest.memory + BUFFER, 0xEE, 64);
        uint32_t used = list(3, size, 0, entries, &count);
        cr_assert_eq(used, size);
        cr_assert_eq(guest.memory[BUFFER + size], 0xEE);
    }
    cr_assert_eq(list(3, 25, 0, entries, &count), 25u);
    uint64_t second = get_u64(guest.memory + BUFFER);
    cr_assert_eq(list(3, 24, second, entries, &count), 24u);
    cr_assert_eq(count, 0u, "the header alone tells how much is needed");
    list(3, 1000, second, entries, &count);
    cr_assert_eq(count, 2u, "and asking again gives it");
}

Test(wasi_dir, cookies_lead_back) {
    Entry all[100], again[100];
    size_t count, rest;
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d", i);
        host_file(name, "");
    }
    list(3, 8192, 0, all, &count);
    cr_assert_eq(count, 22u);
    for (size_t i = 0; i < count; i++) {
        size_t at = (i * 7) % count; /* back and forth */
        list(3, 8192, all[at].next, again, &rest);
        cr_assert_eq(rest, count - at - 1);
        if (rest > 0) cr_assert_str_eq(again[0].name, all[at + 1].name);
    }
    uint64_t strange[] = {1, 12345, UINT64_MAX, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        Errno error = CALL(fd_readdir, 3, BUFFER, 100, strange[i], RESULT);
        cr_assert(error == 0 || error == WASI_ERRNO_INVAL);
    }
}

Test(wasi_dir, cookies_survive_removal) {
    Entry all[100], again[100];
    size_t count, rest;
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d", i);
        host_file(name, "");
    }
    list(3, 8192, 0, all, &count);
    for (size_t i = 0; i < 10; i++)
        if (all[i].name[0] == 'f') unlink(host_path(all[i].name));
    list(3, 8192, all[11].next, again, &rest);
    cr_assert_eq(rest, count - 12);
    cr_assert_str_eq(again[0].name, all[12].name);
}

Test(wasi_dir, cookies_of_another_descriptor) {
    Entry all[100], other[100];
    size_t count, rest;
    uint32_t fd;
    for (int i = 0; i < 90; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d", i);
        host_file(name, "");
    }
    list(3, 8192, 0, all, &count);
    cr_assert_eq(open_with(3, 0, ".", 0, WASI_RIGHTS_FD_READDIR, 0, 0, &fd), 0);
    list(fd, 8192, all[79].next, other, &rest);
    cr_assert_eq(rest, count - 80);
    cr_assert_str_eq(other[0].name, all[80].name);
    list(fd, 8192, all[9].next, other, &rest);
    cr_assert_eq(rest, count - 10);
    list(fd, 8192, 1000, other, &rest);
    cr_assert_eq(rest, 0u);
    list(fd, 8192, 1, other, &rest);
    cr_assert_eq(rest, count - 1);
}

Test(wasi_dir, sees_changes_from_the_start) {
    Entry entries[100];
    size_t count;
    list(3, 8192, 0, entries, &count);
    cr_assert_eq(count, 2u);
    host_file("new", "");
    list(3, 8192, 0, entries, &count);
    cr_assert_eq(count, 3u);
    unlink(host_path("new"));
    list(3, 8192, 0, entries, &count);
    cr_assert_eq(count, 2u);
}

Test(wasi_dir, leaves_out_what_has_no_name_here) {
    Entry entries[100];
    size_t count;
    host_file("\xFF\xFE", "");
    host_file("good", "");
    list(3, 8192, 0, entries, &count);
    cr_assert_eq(count, 3u);
}

Test(wasi_dir, asks_for_the_right_and_a_directory) {
    uint32_t fd;
    cr_assert_eq(open_with(3, 0, ".", 0, WASI_RIGHTS_PATH_OPEN, 0, 0, &fd), 0);
    cr_assert_eq(CALL(fd_readdir, fd, BUFFER, 100, 0, RESULT), WASI_ERRNO_NOTCAPABLE);
    fd = must_open("file", WASI_OFLAGS_CREAT, WASI_RIGHTS_FD_READ | WASI_RIGHTS_FD_READDIR);
    cr_assert_eq(CALL(fd_readdir, fd, BUFFER, 100, 0, RESULT), WASI_ERRNO_NOTDIR);
    cr_assert_eq(CALL(fd_readdir, 3, MEMORY_SIZE - 10, 11, 0, RESULT), WASI_ERRNO_FAULT);
    cr_assert_eq(CALL(fd_readdir, 3, BUFFER, 11, 0, MEMORY_SIZE), WASI_ERRNO_FAULT);
}
