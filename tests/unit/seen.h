/*
 * seen.h - what a test sees of a run, as text: runs that have to be the same are compared by it.
 */
#ifndef WR_TESTS_SEEN_H
#define WR_TESTS_SEEN_H

#include <stddef.h>
#include <stdio.h>

typedef struct Seen {
    char text[20000];
    size_t size;
} Seen;

#define SAY(seen, ...)                                                                             \
    ((seen)->size += (size_t)snprintf((seen)->text + (seen)->size,                                 \
                                      sizeof(seen)->text - (seen)->size, __VA_ARGS__))

#endif
