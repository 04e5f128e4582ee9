/*
 * readdir.c - fd_readdir: entries, cookies, small buffers, changes while reading, libc's view.
 *
 * $ mkdir root/d root/d/sub root/empty root/many; ln -s ../x root/d/link; mkfifo root/d/fifo
 * $ (cd root/many && seq -f 'file%g' 1 1000 | xargs touch)
 * $ touch root/d/a root/d/bb root/d/a_rather_long_name_of_a_file "root/d/$(printf 'Gr\303\274\303\237e')"
 * $ guest
 */
#include "guest.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { HEADER = sizeof(__wasi_dirent_t), MOST = 2000 };

typedef struct Entry {
    char name[64];
    __wasi_dirent_t head;
} Entry;

static Entry entries[MOST];
static uint8_t buffer[1 << 16];

/* Reads from a cookie to the end with a buffer of that size (more for one name that does not fit);
 * the number of entries, or -1 after printing an error. */
static int read_all(__wasi_fd_t fd, size_t size, __wasi_dircookie_t cookie) {
    int count = 0;
    for (;;) {
        __wasi_size_t used = 0;
        __wasi_errno_t e = __wasi_fd_readdir(fd, buffer, size, cookie, &used);
        if (e) {
            printf("fd_readdir: %s\n", errno_name(e));
            return -1;
        }
        size_t at = 0, before = (size_t)count;
        while (used - at >= HEADER && count < MOST) {
            Entry *entry = &entries[count];
            memcpy(&entry->head, buffer + at, HEADER);
            if (used - at - HEADER < entry->head.d_namlen) break;
            size_t length = entry->head.d_namlen < 63 ? entry->head.d_namlen : 63;
            memcpy(entry->name, buffer + at + HEADER, length);
            entry->name[length] = 0;
            at += HEADER + entry->head.d_namlen;
            cookie = entry->head.d_next;
            count++;
        }
        if (used < size) return count;
        if (used > size) {
            puts("more used than given");
            return -1;
        }
        if (before == (size_t)count)
            size *= 2; /* not one whole entry: a truncated one fills the buffer */
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const Entry *)a)->name, ((const Entry *)b)->name);
}

static void list(const char *path) {
    __wasi_fd_t fd = open_dir(path);
    int count = read_all(fd, sizeof buffer, __WASI_DIRCOOKIE_START);
    printf("%s: %d entries\n", path, count);
    qsort(entries, (size_t)(count > 0 ? count : 0), sizeof *entries, by_name);
    for (int i = 0; i < count; i++) {
        __wasi_filestat_t stat;
        bool dots = entries[i].name[0] == '.';
        char full[128];
        snprintf(full, sizeof full, "%s/%s", path, entries[i].name);
        bool same = !dots && __wasi_path_filestat_get(ROOT, 0, full, &stat) == 0 &&
                    stat.ino == entries[i].head.d_ino;
        printf("  %s, %s, inode %s\n", entries[i].name, type_name(entries[i].head.d_type),
               dots   ? "of a directory"
               : same ? "as stat says"
                      : "WRONG");
    }
    (void)__wasi_fd_close(fd);
}

/* Every size of buffer finds the same entries; so does resuming at each cookie. */
static void small_buffers(void) {
    __wasi_fd_t fd = open_dir("d");
    static Entry all[16];
    int count = read_all(fd, sizeof buffer, 0);
    memcpy(all, entries, sizeof all);
    bool same = true;
    for (size_t size = 1; size < 400; size++) {
        same = same && read_all(fd, size, 0) == count;
        for (int i = 0; same && i < count; i++) same = strcmp(entries[i].name, all[i].name) == 0;
    }
    CHECK(same);
    bool resumes = true;
    for (int from = count - 1; from >= 0; from--) {
        int rest = read_all(fd, 100, all[from].head.d_next);
        resumes = resumes && rest == count - from - 1;
        for (int i = 0; resumes && i < rest; i++)
            resumes = strcmp(entries[i].name, all[from + 1 + i].name) == 0;
    }
    CHECK(resumes);
    __wasi_size_t used = 99;
    CALL(__wasi_fd_readdir(fd, buffer, 0, 0, &used));
    printf("%zu used\n", used);
    CALL(__wasi_fd_readdir(fd, buffer, 10, 0, &used));
    printf("%zu used\n", used);
    CALL(__wasi_fd_readdir(fd, buffer, sizeof buffer, all[count - 1].head.d_next, &used));
    printf("%zu used at the end\n", used);
    (void)__wasi_fd_close(fd);
}

static void many(void) {
    __wasi_fd_t fd = open_dir("many");
    static bool seen[1001];
    int count = read_all(fd, 256, 0), distinct = 0;
    for (int i = 0; i < count; i++) {
        int number = atoi(entries[i].name + (entries[i].name[0] == 'f' ? 4 : 0));
        distinct += number > 0 && !seen[number];
        seen[number] = true;
    }
    printf("many: %d entries, %d distinct\n", count, distinct);

    /* Removing what was read neither repeats nor loses entries; then a rewind sees the rest. */
    int removed = 0;
    __wasi_dircookie_t cookie = 0;
    __wasi_size_t used;
    bool again = false;
    memset(seen, 0, sizeof seen);
    do {
        if (__wasi_fd_readdir(fd, buffer, 300, cookie, &used) != 0) break;
        for (size_t at = 0; used - at >= HEADER;) {
            __wasi_dirent_t head;
            memcpy(&head, buffer + at, HEADER);
            if (used - at - HEADER < head.d_namlen) break;
            char name[32] = {0};
            memcpy(name, buffer + at + HEADER, head.d_namlen < 31 ? head.d_namlen : 31);
            at += HEADER + head.d_namlen;
            cookie = head.d_next;
            if (name[0] == '.') continue;
            again = again || seen[atoi(name + 4)];
            seen[atoi(name + 4)] = true;
            removed += __wasi_path_unlink_file(fd, name) == 0;
        }
    } while (used == 300);
    printf("removed %d while reading, none twice: %s\n", removed, again ? "NO" : "yes");
    put_file("many/new", "");
    printf("left: %d\n", read_all(fd, 4096, 0) - 2);
    (void)__wasi_fd_close(fd);
}

static void libc(void) {
    puts("-- libc");
    DIR *dir = opendir("/d");
    int count = 0;
    long middle = 0;
    char at_middle[64] = "";
    for (struct dirent *e; (e = readdir(dir)) != NULL; count++) {
        if (count == 3) snprintf(at_middle, sizeof at_middle, "%s", e->d_name);
        if (count == 2) middle = telldir(dir);
    }
    printf("%d entries\n", count);
    seekdir(dir, middle);
    struct dirent *e = readdir(dir);
    CHECK(e && strcmp(e->d_name, at_middle) == 0);
    rewinddir(dir);
    CHECK(readdir(dir) != NULL);
    closedir(dir);
    CHECK(opendir("/d/a") == NULL);
    struct dirent **sorted;
    int n = scandir("/d", &sorted, NULL, alphasort);
    printf("scandir: %d, last %s\n", n, n > 0 ? sorted[n - 1]->d_name : "");
}

int main(void) {
    list("d");
    list("empty");
    small_buffers();
    many();
    __wasi_size_t used;
    __wasi_fd_t fd = open_file("d/a", 0, 0);
    CALL(__wasi_fd_readdir(fd, buffer, 100, 0, &used));
    CALL(__wasi_fd_readdir(99, buffer, 100, 0, &used));
    libc();
    return 0;
}
