/*
 * tier.h - tier-up: finds what interpreted code runs often, has it compiled in the background, and lets the interpreter
 * switch to what comes of it, at calls and in loops (docs/aot.md). For engines of kind WR_ENGINE_AUTO; behind TierOps
 * (store.h), which the interpreter calls. Whatever fails here leaves code interpreted, and is said in the log only.
 *
 * A thread samples: every few milliseconds it raises an alarm (Executor.alarm), upon which interpreted code looks at its next
 * branch or call, and tells where it is. What is seen often enough is compiled, as a slice of the module: an artifact of a
 * few functions. It is attached in the same way: when code looks.
 */
#ifndef WR_AOT_TIER_H
#define WR_AOT_TIER_H

#include "store.h"

/* Before anything is loaded. False when out of memory. */
NODISCARD bool wr_tier_start(Engine *engine);
/* A module has been loaded, has functions, and is not shared yet: takes what the cache has of it. */
void wr_tier_adopt(Module *module);
/* Zeros where there is no tier-up. Any thread. */
wr_tier_stats_t wr_tier_stats(const Engine *engine);

#endif
