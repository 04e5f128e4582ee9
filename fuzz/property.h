/*
 * property.h - what mutate.c tries every mutant with. A program has one: survive.c or engines.c.
 */
#ifndef WR_FUZZ_PROPERTY_H
#define WR_FUZZ_PROPERTY_H

#include "fuzz.h"

#define PROPERTY_STATS 128u /* at most */

typedef struct Property {
    u64 batch;   /* mutants of one process */
    u64 slow_ms; /* longest that one mutant may take, in processor time of its process */
    /* Ends the process if it does not hold. The number may choose how it is tried. */
    void (*run)(const u8 *data, size_t size, u64 number, u64 stats[PROPERTY_STATS]);
    void (*end)(void); /* in each process, last; or NULL */
    void (*add)(u64 *sum, const u64 *more);
    void (*print)(const u64 *stats);
} Property;

extern const Property wr_property;

#endif
