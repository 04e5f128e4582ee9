/*
 * profile.h - where a module's time goes, as far as that is known: for tier-up (tier.c), which chooses by it what is
 * compiled next. Functions have scores, from samples of where interpreted and hasty code runs, and from what earlier runs
 * have left in the cache. What has been chosen once is not chosen again, but for loops in it that were not seen then.
 * Whoever uses one has it locked.
 */
#ifndef WR_AOT_PROFILE_H
#define WR_AOT_PROFILE_H

#include "artifact.h"
#include "store.h"

#define PROFILE_WEIGHT 4u /* of a sample */
/* Samples of what could be compiled, before that is done. */
#define PROFILE_HOT (8u * PROFILE_WEIGHT)
#define PROFILE_FUNCTIONS 64u /* chosen at a time, */
#define PROFILE_JOINED 256u   /* and that one slice takes the place of several for */

typedef struct Profile {
    const Module *module;
    u32 *scores;         /* by function, imports not counted */
    u32 samples;         /* weighed, of what has not been chosen yet */
    u64 *points;         /* byte offsets in the module that were seen, for CompileRequest.points */
    u32 npoints, nasked; /* of these the first are in functions that have been chosen */
} Profile;

/* False when out of memory. */
NODISCARD bool wr_profile_init(Profile *profile, const Module *module);
void wr_profile_free(Profile *profile);

/* One frame of a sample has been seen there, `depth` calls from the innermost one. Whether compiling it would change
 * that. */
bool wr_profile_note(Profile *profile, const Func *func, const u8 *pc, u32 depth);
/* What the cache has of the module has been added to it: functions of which that is hasty code have been hot. So a
 * few samples, which say where to begin, are enough. */
void wr_profile_recall(Profile *profile);

/* Functions that are hot and have no code yet, the best first: one, and of the others what fits into `budget` bytes of
 * code, at most PROFILE_FUNCTIONS; and in each of them the point that was seen last, as many or fewer. *size: their
 * bytes of code. */
u32 wr_profile_find_bare(const Profile *profile, u64 budget, u32 *functions, u64 *points,
                         u32 *npoints, u64 *size);
/* Functions that have good code, but in several slices, and the newest has not all of it: in one, they can be inlined in each
 * other. *size: their bytes of code. 0 if there are none, more than PROFILE_JOINED or than `budget` bytes. */
u32 wr_profile_find_scattered(const Profile *profile, u64 budget, u32 *functions, u64 *size);
/* Chooses functions, the best first: one, and of the others what fits into the budget; those that are only recalled
 * by themselves, so that nothing waits for them. The points from the old `nasked` to the new one are in them. The rest
 * keeps its scores for the next time. */
u32 wr_profile_choose(Profile *profile, u64 budget, u32 *functions);

#endif
