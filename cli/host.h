/*
 * host.h - the operating system, as the command needs it beyond the C library. host_posix.c
 * implements it; nothing else in cli/ makes a system call.
 */
#ifndef WR_CLI_HOST_H
#define WR_CLI_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Writing to a pipe that nobody reads is an error from now on and does not end the process. */
void wr_cli_ignore_broken_pipes(void);

/* A TCP socket that listens on "ADDRESS:PORT" (an IPv6 address in brackets, or a name of /etc/hosts), or -1 with the reason in *why
 * (static storage). The caller closes it. */
int wr_cli_listen(const char *address_and_port, const char **why);
void wr_cli_close(int descriptor);

bool wr_cli_is_terminal(void); /* standard error */

/* Runs another program in this one's place: that of that name beside this one, else on PATH. Comes back
 * only when that fails, with errno set. */
void wr_cli_become(const char *name, char **argv);

/* Paths of files; each and the array are the caller's to free. */
typedef struct Paths {
    char **items;
    size_t count;
} Paths;
/* Appends `path` or, if it is a folder, the files in and below it whose names end in `suffix`, sorted.
 * False with errno set when that fails. */
bool wr_cli_find_files(Paths *paths, const char *path, const char *suffix);

#endif
