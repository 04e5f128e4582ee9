/*
 * walk.c - a program as people write them, by wasi-libc alone: walks the directories it has been given, reads
 * every file, and writes a list of them to /out. It is run by the example virtual_files, which has no file
 * system for it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long sum_of(FILE *file) {
    unsigned long sum = 0;
    for (int c; (c = getc(file)) != EOF;) sum = sum * 31 + (unsigned char)c;
    return sum & 0xffffff;
}

static void show_file(const char *path, off_t size, FILE *list) {
    FILE *file = fopen(path, "r");
    if (!file) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    unsigned long sum = sum_of(file);
    fseek(file, -5, SEEK_END);
    char tail[8] = "";
    size_t n = fread(tail, 1, 4, file);
    fclose(file);
    printf("%s: %lld bytes, sum %06lx, ends in %.*s\n", path, (long long)size, sum, (int)n, tail);
    fprintf(list, "%s\n", path);
}

static void walk(const char *path, FILE *list) {
    DIR *dir = opendir(path);
    if (!dir) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        char inner[256];
        struct stat stat_;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (stat(inner, &stat_)) {
            printf("%s: %s\n", inner, strerror(errno));
        } else if (S_ISDIR(stat_.st_mode)) {
            printf("%s/\n", inner);
            walk(inner, list);
        } else {
            show_file(inner, stat_.st_size, list);
        }
    }
    closedir(dir);
}

static void try_to(const char *what, int result) {
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

int main(void) {
    FILE *list = fopen("/out/list", "w");
    if (!list) return perror("/out/list"), 1;
    walk("/site", list);
    try_to("remove /site/index.html", remove("/site/index.html"));
    try_to("mkdir /out/dir", mkdir("/out/dir", 0777));
    try_to("look beneath", access("/site/../../etc/passwd", F_OK));
    try_to("write /site/new", fopen("/site/new", "w") ? 0 : -1);
    fseek(list, 0, SEEK_SET);
    fputs("/SITE", list);
    FILE *big = fopen("/out/big", "w");
    static char block[3000];
    setvbuf(big, NULL, _IONBF, 0);
    printf("of 3000 bytes, %zu fit\n", fwrite(block, 1, sizeof block, big));
    fclose(big);
    truncate("/out/big", 0);
    try_to("overwrite it", fopen("/out/big", "w") ? 0 : -1);
    return fclose(list);
}
