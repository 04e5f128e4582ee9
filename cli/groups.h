/*
 * groups.h - options in groups, -W NAME=VALUE and the like, as wasmtime spells them: which option of ours says the
 * same. For options.c alone, which reads command lines.
 */
#ifndef WR_CLI_GROUPS_H
#define WR_CLI_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

/* An option of ours, by its long name, with its value (NULL: it takes none). name NULL: nothing is to be done. */
typedef struct GroupMeaning {
    const char *name, *value;
} GroupMeaning;

enum { GROUP_ERROR_SIZE = 200 };

/* What `item`, a word NAME or NAME=VALUE of that group, means; value points into it or lives for ever. False: nothing
 * here, and `error` says why. */
bool wr_cli_group_meaning(char group, const char *item, GroupMeaning *out,
                          char error[GROUP_ERROR_SIZE]);
/* The names of the group, with what they mean, on standard output. */
void wr_cli_group_list(char group);

#endif
