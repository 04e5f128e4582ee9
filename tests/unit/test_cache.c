/*
 * test_cache.c - the cache of compiled code, as a folder of files: how large it gets, whose files are trusted, and that
 * whoever writes to it may be killed at any moment. What is in the files is no matter here (test_artifact.c).
 */
#define _DEFAULT_SOURCE /* utimensat() */
#include "cache.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static Cache cache;

static void must(Error *error) {
    cr_assert_null(error, "%s", error ? wr_error_message(error) : "");
}

static void make_cache(void) {
    char folder[64];
    (void)snprintf(folder, sizeof folder, "./cache-%d", (int)getpid());
    must(wr_cache_open(&cache, folder));
}

static void remove_cache(void) {
    wr_cache_trim(&cache, 0);
    cr_assert_eq(rmdir(cache.folder), 0, "something is left");
}

TestSuite(cache, .init = make_cache, .fini = remove_cache);

/* The path of a file of that name. The same buffer each time. */
static const char *path_of(const char *name) {
    static char path[CACHE_PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", cache.folder, name);
    return path;
}

static bool is_there(const char *name) { return access(path_of(name), F_OK) == 0; }

static void put(const char *name, size_t size) {
    u8 *bytes = calloc(size, 1);
    cr_assert_not_null(bytes);
    must(wr_cache_put(&cache, path_of(name), bytes, size));
    free(bytes);
}

static void set_age(const char *name, int seconds) {
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    cr_assert_eq(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void count_size(void *context, const CacheEntry *entry) { *(u64 *)context += entry->size; }

static u64 size_of_cache(void) {
    u64 size = 0;
    bool is_read = wr_cache_each(&cache, count_size, &size);
    cr_assert(is_read);
    return size;
}

/* ---- how large it gets ---- */

Test(cache, what_was_not_used_for_longest_goes) {
    put("a.wasmrun", 1000);
    put("b.wasmrun", 2000);
    put("c.wasmrun", 4000);
    set_age("a.wasmrun", 30);
    set_age("b.wasmrun", 20);
    set_age("c.wasmrun", 10);
    cr_assert(wr_cache_has(path_of("a.wasmrun"))); /* used now */
    cr_assert_eq(size_of_cache(), 7000);
    cr_assert_eq(wr_cache_trim(&cache, 7000), 0);
    cr_assert_eq(wr_cache_trim(&cache, 6999), 1);
    cr_assert_not(is_there("b.wasmrun"));
    cr_assert_eq(wr_cache_trim(&cache, 1000), 1);
    cr_assert(is_there("a.wasmrun"));
    cr_assert_eq(wr_cache_trim(&cache, 999), 1);
    cr_assert_eq(size_of_cache(), 0);
}

/* Files without contents, of a size as if they had some. */
static void put_hollow(const char *name, off_t size, int age) {
    put(name, 1);
    cr_assert_eq(truncate(path_of(name), size), 0);
    set_age(name, age);
}

Test(cache, is_bounded_by_itself) {
    put_hollow("old.wasmrun", CACHE_MAX_BYTES / 2, 20);
    put_hollow("new.wasmrun", CACHE_MAX_BYTES / 2, 10);
    put("last.wasmrun", 1000);
    cr_assert_not(is_there("old.wasmrun"));
    cr_assert(is_there("new.wasmrun"));
    cr_assert(is_there("last.wasmrun"));
}

Test(cache, keeps_other_files) {
    static const char note[] = "notes.txt";
    put(note, 10);
    cr_assert_eq(wr_cache_trim(&cache, 0), 0);
    cr_assert(is_there(note));
    cr_assert_eq(unlink(path_of(note)), 0);
}

/* ---- what was being written ---- */

Test(cache, leftovers_go_when_nobody_can_be_writing_them) {
    put("a.wasmrun.1.2.part", 10);
    put("b.wasmrun.3.4.part", 10);
    set_age("a.wasmrun.1.2.part", 3600);
    put("c.wasmrun", 10);
    cr_assert_not(is_there("a.wasmrun.1.2.part"));
    cr_assert(is_there("b.wasmrun.3.4.part"));
    cr_assert_eq(size_of_cache(), 10);
}

/* ---- killed at any moment ---- */

#define PIECE ((size_t)1 << 19)

/* Writes files of one byte each over the same one, until it is killed. */
static _Noreturn void write_for_ever(void) {
    static u8 bytes[PIECE];
    for (u8 byte = 1;; byte++) {
        memset(bytes, byte, sizeof bytes);
        wr_error_delete(wr_cache_put(&cache, path_of("a.wasmrun"), bytes, sizeof bytes));
    }
}

static void expect_whole(void) {
    static u8 bytes[PIECE + 1];
    FILE *file = fopen(path_of("a.wasmrun"), "rb");
    if (file == NULL) return; /* none was finished */
    cr_assert_eq(fread(bytes, 1, sizeof bytes, file), PIECE);
    fclose(file);
    for (size_t i = 1; i < PIECE; i++) cr_assert_eq(bytes[i], bytes[0]);
}

static void sleep_for(long microseconds) {
    const struct timespec time = {.tv_nsec = microseconds * 1000};
    (void)nanosleep(&time, NULL);
}

Test(cache, files_are_whole_whoever_is_killed) {
    for (long round = 0; round < 40; round++) {
        pid_t writers[2];
        for (int i = 0; i < 2; i++)
            if ((writers[i] = fork()) == 0) write_for_ever();
        for (int i = 0; i < 2; i++) {
            sleep_for(300 + round * 171);
            expect_whole();
            cr_assert_eq(kill(writers[i], SIGKILL), 0);
            cr_assert_eq(waitpid(writers[i], NULL, 0), writers[i]);
        }
        expect_whole();
    }
}

/* ---- whose files are trusted ---- */

Test(cache, what_others_may_write_is_not_used) {
    put("a.wasmrun", 10);
    cr_assert(wr_cache_has(path_of("a.wasmrun")));
    cr_assert_eq(chmod(path_of("a.wasmrun"), 0620), 0);
    cr_assert_not(wr_cache_has(path_of("a.wasmrun")));
    cr_assert_eq(chmod(path_of("a.wasmrun"), 0602), 0);
    cr_assert_not(wr_cache_has(path_of("a.wasmrun")));
    cr_assert_eq(chmod(path_of("a.wasmrun"), 0644), 0);
    cr_assert(wr_cache_has(path_of("a.wasmrun")));
    cr_assert_eq(symlink("a.wasmrun", path_of("link.wasmrun")), 0);
    cr_assert_not(wr_cache_has(path_of("link.wasmrun")));
    cr_assert_eq(unlink(path_of("link.wasmrun")), 0);
    cr_assert_eq(mkdir(path_of("folder.wasmrun"), 0700), 0);
    cr_assert_not(wr_cache_has(path_of("folder.wasmrun")));
    cr_assert_eq(rmdir(path_of("folder.wasmrun")), 0);
}

static void expect_refused(const char *folder) {
    Cache other;
    Error *error = wr_cache_open(&other, folder);
    cr_assert_not_null(error);
    cr_assert(strstr(wr_error_message(error), "is not used") != NULL);
    wr_error_delete(error);
}

Test(cache, folders_that_others_may_write_to_are_not_used) {
    Cache again;
    char link[CACHE_PATH_MAX + 8];
    const mode_t modes[] = {0720, 0702, 0777};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        cr_assert_eq(chmod(cache.folder, modes[i]), 0);
        expect_refused(cache.folder);
    }
    cr_assert_eq(chmod(cache.folder, 0755), 0);
    must(wr_cache_open(&again, cache.folder));
    (void)snprintf(link, sizeof link, "%s-link", cache.folder);
    cr_assert_eq(symlink(cache.folder, link), 0);
    expect_refused(link);
    cr_assert_eq(unlink(link), 0);
}
