/*
 * suite.h - runs script files, several at a time, and prints what came of them: a line for each failure,
 * a line for each file, and the assertions found and passed by folder and in all.
 */
#ifndef WR_SUITE_H
#define WR_SUITE_H

#include <stdio.h>

#include "run.h"

typedef struct SuiteOptions {
    ScriptOptions script;
    u32 jobs;                /* threads; 0 = as many as there are processors */
    struct wr_config config; /* for the engines; what a folder's table row says comes on top */
} SuiteOptions;

/* True if all that the files assert holds. Paths are as they are to be printed. */
bool wr_suite_run(const SuiteOptions *options, const char *const *paths, size_t count, FILE *out);

#endif
