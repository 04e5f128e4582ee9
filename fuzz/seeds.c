/*
 * seeds.c - the modules that mutants are made from: finding and reading them. See mutants.h.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <sys/stat.h>

#include "mutants.h"

static bool add_file(Seeds *seeds, const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    if ((seeds->count & (seeds->count + 1)) == 0) /* 0, 1, 3, 7, ... */
        seeds->list = realloc(seeds->list, (seeds->count + 1) * 2 * sizeof *seeds->list);
    CHECK(seeds->list);
    Seed *seed = &seeds->list[seeds->count++];
    *seed = (Seed){strdup(path), malloc(size + 1), size};
    bool ok = seed->path && seed->data && fread(seed->data, 1, size, file) == size;
    fclose(file);
    return ok;
}

static bool add_folder(Seeds *seeds, const char *path, size_t max_size) {
    DIR *folder = opendir(path);
    if (!folder) return false;
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(folder));) {
        char child[4096];
        struct stat info;
        if (entry->d_name[0] == '.') continue;
        int length = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof child || stat(child, &info) != 0) continue;
        bool is_module = length > 5 && strcmp(child + length - 5, ".wasm") == 0;
        if (S_ISDIR(info.st_mode) || is_module) ok = wr_seeds_add(seeds, child, max_size);
    }
    closedir(folder);
    return ok;
}

bool wr_seeds_add(Seeds *seeds, const char *path, size_t max_size) {
    struct stat info;
    if (stat(path, &info) != 0) return false;
    if (S_ISDIR(info.st_mode)) return add_folder(seeds, path, max_size);
    return (size_t)info.st_size > max_size || add_file(seeds, path, (size_t)info.st_size);
}

static int compare_seeds(const void *a, const void *b) {
    return strcmp(((const Seed *)a)->path, ((const Seed *)b)->path);
}

void wr_seeds_sort(Seeds *seeds) {
    if (seeds->count) qsort(seeds->list, seeds->count, sizeof *seeds->list, compare_seeds);
}

static void free_seed(Seed *seed) {
    free(seed->path);
    free(seed->data);
}

void wr_seeds_filter(Seeds *seeds, bool (*good)(const u8 *data, size_t size)) {
    size_t count = 0;
    for (size_t i = 0; i < seeds->count; i++) {
        if (good(seeds->list[i].data, seeds->list[i].size))
            seeds->list[count++] = seeds->list[i];
        else
            free_seed(&seeds->list[i]);
    }
    seeds->count = count;
}

void wr_seeds_free(Seeds *seeds) {
    for (size_t i = 0; i < seeds->count; i++) free_seed(&seeds->list[i]);
    free(seeds->list);
}
