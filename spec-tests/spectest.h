/*
 * spectest.h - the host module "spectest" that the official suite imports from.
 */
#ifndef WR_SPECTEST_H
#define WR_SPECTEST_H

#include "encode.h"
#include "store.h"

#define SPECTEST_PRINTS 7u
#define SPECTEST_INSTANCES 3u

/* What the print functions of one store need: lives as long as the store, and stays where it is. */
typedef struct Spectest {
    struct PrintContext {
        Buffer *log;
        u32 index;
    } prints[SPECTEST_PRINTS];
} Spectest;

/* Instances in `store` whose exports together are the module; NULL for those that the engine's features
 * do not allow. The print functions append what they are given to `log`, unless that is NULL. */
NODISCARD Error *wr_spectest_new(Spectest *spectest, Store *store, Buffer *log,
                                 Instance *instances[SPECTEST_INSTANCES]);

#endif
