/*
 * tiling.h - chooses ids for a function's code: cuts it into tiles, which are single instructions or sequences with
 * a handler of their own, so that as few as possible run. Linear in the code. Called by
 * shadow.c.
 */
#ifndef WR_TILING_H
#define WR_TILING_H

#include "store.h"

/* Bytes of the longest body that is worth it: choosing ids takes about 60 ns and 70 bytes of scratch for each. */
#define MAX_SHADOWED (512u << 10)

/* How many handlers ids can name. */
u32 wr_tiling_table_size(void);
/* Fills ids[0 .. code->end - code->start) for code whose memory 0 is of that kind. False when out of
 * memory. */
NODISCARD bool wr_tiling(const Module *module, const Code *code, MemoryKind kind, u16 *ids);

/* Calls `visit` for every id whose handler transfers control, with the id of the handler that polls as well. */
typedef void PairVisitor(void *context, u32 id, u32 polled);
void wr_tiling_each_polled(PairVisitor *visit, void *context);

#endif
