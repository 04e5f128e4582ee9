/*
 * tile.h - what generated superinstructions (tiles) need beside machine.h: the handlers of single
 * instructions, into which some end, and branches in the middle of nowhere: pc is at the branching
 * instruction, its operand is taken, all others are in memory.
 */
#ifndef WR_TILE_H
#define WR_TILE_H

#define WR_SHADOW
#include "machine.h"

#if defined(WR_DISPATCH_TAIL)
#define DECLARE(name) Step HANDLER_NAME(name);
#include "shadow_decls.inc"
SHADOW_COLD_HANDLERS(DECLARE)
#undef DECLARE
#endif

#define TILE_TAKEN()                                                                               \
    do {                                                                                           \
        if (UNLIKELY(stp->pop)) JUMP(h_JUMP_SLOW);                                                 \
        pc += stp->pc;                                                                             \
        stp += stp->stp;                                                                           \
        NEXT(E);                                                                                   \
    } while (0)
#define TILE_NOT_TAKEN()                                                                           \
    do {                                                                                           \
        pc += 2;                                                                                   \
        stp += 1;                                                                                  \
        NEXT(E);                                                                                   \
    } while (0)

/* The br_if with a label of one byte, or the if with a block type of one byte, at pc. */
#define TILE_BR_IF(flag)                                                                           \
    if (flag) TILE_TAKEN();                                                                        \
    TILE_NOT_TAKEN()
#define TILE_IF(flag)                                                                              \
    if (!(flag)) TILE_TAKEN();                                                                     \
    TILE_NOT_TAKEN()

/* The same in handlers that poll; and where loops may end, without a jump to another handler. */
#define TILE_BR_IF_POLLED(flag)                                                                    \
    if (flag) JUMP(h_TAKEN);                                                                       \
    TILE_NOT_TAKEN()
#define TILE_BR_IF_POLLED_HERE(flag)                                                               \
    if (flag) {                                                                                    \
        if (UNLIKELY(stp->pop)) JUMP(h_JUMP_SLOW);                                                 \
        const u8 *target = pc + stp->pc;                                                           \
        wr_interp_transfer(inst->store, pc, target);                                               \
        pc = target;                                                                               \
        stp += stp->stp;                                                                           \
        if (UNLIKELY(wr_interp_looks(inst->store, pc))) JUMP(h_LOOK);                              \
        NEXT(E);                                                                                   \
    }                                                                                              \
    TILE_NOT_TAKEN()
#define TILE_IF_POLLED(flag)                                                                       \
    if (!(flag)) JUMP(h_TAKEN);                                                                    \
    TILE_NOT_TAKEN()

#endif
