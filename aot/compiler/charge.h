/*
 * charge.h - what fuel a loop takes: the most that one iteration does, so that a version of the loop which neither
 * counts nor looks can be run as often as there is fuel for (version.c).
 */
#ifndef WR_AOT_CHARGE_H
#define WR_AOT_CHARGE_H

#include "loops.h"
#include "unit.h"

/* With `fuel` being F at the head of an iteration, no look in it stops if F + spare >= 0, and F is at least F - each when
 * the next one begins. */
typedef struct Charge {
    LLVMValueRef fuel; /* phi of the header */
    LLVMValueRef stop; /* the call that a look at the head of the loop leads to */
    u64 each;          /* not 0 */
    i64 spare;
} Charge;

/* False: it is not known, or there is no memory. */
NODISCARD bool wr_charge_find(Arena *arena, const Unit *unit, const Loop *loop, Charge *charge);
/* Whether an instruction is a part of counting that has no effect where no look stops and nothing faults. */
bool wr_charge_is_store(const Unit *unit, LLVMValueRef instruction);
/* How many iterations there is fuel for, an i64, if *fuel is what F is; before that, *fuel becomes more if it is low, and
 * a call that is to stop does so. */
LLVMValueRef wr_charge_build(Unit *unit, LLVMBuilderRef b, const Charge *charge,
                             LLVMValueRef *fuel);

#endif
