/* sort.c: a guest program. Reads a text file from a directory that the host has opened for it, sorts
 * its lines and prints them with a summary.
 *
 *     wasmrun run --dir examples::/data sort.wasm /data/planets.txt
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Lines {
    char **line; /* each on the heap, without its newline */
    size_t count, room;
} Lines;

/* Takes ownership of `text`. */
static int append(Lines *lines, char *text) {
    if (lines->count == lines->room) {
        size_t room = lines->room ? 2 * lines->room : 64;
        char **grown = realloc(lines->line, room * sizeof *grown);
        if (!grown) return -1;
        lines->line = grown;
        lines->room = room;
    }
    lines->line[lines->count++] = text;
    return 0;
}

static int read_lines(Lines *lines, FILE *file) {
    char *text = NULL;
    size_t room = 0;
    while (getline(&text, &room, file) >= 0) {
        text[strcspn(text, "\n")] = '\0';
        if (append(lines, text) != 0) return -1;
        text = NULL;
        room = 0;
    }
    free(text);
    return ferror(file) ? -1 : 0;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: sort FILE\n");
        return 2;
    }
    Lines lines = {0};
    FILE *file = fopen(argv[1], "r");
    if (!file || read_lines(&lines, file) != 0) {
        fprintf(stderr, "sort: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    fclose(file);
    size_t bytes = 0;
    if (lines.count) qsort(lines.line, lines.count, sizeof *lines.line, by_bytes);
    for (size_t i = 0; i < lines.count; i++) {
        bytes += strlen(lines.line[i]);
        puts(lines.line[i]);
    }
    printf("-- %zu lines, %zu characters\n", lines.count, bytes);
    return 0;
}
