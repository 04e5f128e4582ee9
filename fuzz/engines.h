/*
 * engines.h - the same module in the interpreter and as compiled code: what can be seen of it is the same.
 */
#ifndef WR_FUZZ_ENGINES_H
#define WR_FUZZ_ENGINES_H

#include "fuzz.h"

/* What became of it; added to. */
typedef struct EngineStats {
    u64 modules, loaded;
    u64 given_up; /* modules that do not end soon */
    u64 compared; /* runs of a module beside the interpreter's */
    u64 calls;    /* in these */
    u64 nans;     /* runs that were the same only when all NaNs were */
    u64 left_out; /* functions that were not compiled */
} EngineStats;

/* Runs it interpreted and in another way: their number. The process ends with both texts if they differ. */
u32 wr_engine_variants(void);
void wr_compare_engines(const u8 *data, size_t size, u32 variant, EngineStats *stats);

#endif
