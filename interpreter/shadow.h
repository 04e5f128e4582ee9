/*
 * shadow.h - ids of warm functions ("shadows"), by which the machine dispatches instead of by the code's bytes.
 *
 * A shadow holds one 16-bit id for each byte of a function's code. Where an instruction starts that
 * control can reach, the id names the handler for it, or for a whole sequence of instructions that starts
 * there (a tile), in the cache state that operands are in at that place. Code stays as it is: immediates
 * are read from it, pc and side entries mean what they always mean, and byte dispatch can take over at
 * any instruction boundary where all operands are in memory.
 *
 * A function gets its shadow when it is warm: when it has been called, or has branched backward, often
 * enough. Shadows belong to the module and are shared by its instances in all threads; they go with it. The
 * engine bounds how much memory they take.
 */
#ifndef WR_SHADOW_H
#define WR_SHADOW_H

#include "frame.h"

/* A function is warm when Func.heat, which starts at Engine.start_heat, has got here. */
#define WARM 0x10000u

/* Engine.shadows begins with this. Made once, by the first thread that needs it; `metered` holds the handlers that poll
 * where there are such. */
typedef struct ShadowTables {
    _Atomic(Handler **) table, metered;
} ShadowTables;

INLINE Handler **wr_shadow_table_for(const Engine *engine, RunMode mode) {
    const ShadowTables *tables = engine->shadows;
    return atomic_load_explicit(mode == RUNS_METERED ? &tables->metered : &tables->table,
                                memory_order_acquire);
}

/* Func.ids: made if need be. 0: there are none, now or ever. func->home != NULL. The thread that has the
 * store. */
uintptr_t wr_shadow_ids(Store *store, Func *func);
/* The handlers by id, for the store's current activation, after wr_shadow_prepare(). */
INLINE Handler *const *wr_shadow_table(const Store *store) {
    return wr_shadow_table_for(store->engine, store->fiber->mode);
}
/* Makes the table for that mode if there may be ids. False when out of memory. */
NODISCARD bool wr_shadow_make_ready(Engine *engine, RunMode mode);
/* The same, before an activation. */
NODISCARD INLINE bool wr_shadow_prepare(Engine *engine, RunMode mode) {
    return engine->shadows == NULL || LIKELY(wr_shadow_table_for(engine, mode) != NULL) ||
           wr_shadow_make_ready(engine, mode);
}
/* Makes handlers poll in activations that are not metered, or no longer. Any thread. */
void wr_shadow_alarm(Engine *engine, bool on);

/* Makes what ids need; false when out of memory. */
NODISCARD bool wr_shadow_engine_init(Engine *engine);
void wr_shadow_engine_free(Engine *engine);
/* What was made. Any thread. */
wr_shadow_stats_t wr_shadow_stats(const Engine *engine);
/* Frees a module's shadows. */
void wr_shadow_module_free(Module *module);

/* exec_shadow.c: each handler's address */
void wr_shadow_fill(Handler **table);

#endif
