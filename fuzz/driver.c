/*
 * driver.c - runs a fuzz target over files without a fuzzer, so that the corpus is replayed wherever the
 * tests run. Arguments are files and folders.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>

#include "fuzz.h"

static unsigned files;

static void run_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    u8 *data = malloc(size ? size : 1); /* of just that size: what is read behind it is noticed */
    CHECK(data && fread(data, 1, size, file) == size);
    fclose(file);
    fprintf(stderr, "%s (%zu bytes)\n", path, size);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    files++;
}

static void run_path(const char *path) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) run_file(path);
    for (int i = 0; i < count; i++) {
        char child[4096];
        int length = snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
        CHECK(length > 0 && (size_t)length < sizeof child);
        if (entries[i]->d_name[0] != '.') run_path(child);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) run_path(argv[i]);
    if (files == 0) fprintf(stderr, "no files\n");
    return files == 0;
}
