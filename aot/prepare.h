/*
 * prepare.h - gets a module its machine code: from the cache, or from the compiler, as the engine's
 * configuration says. What the embedder's interface calls.
 */
#ifndef WR_AOT_PREPARE_H
#define WR_AOT_PREPARE_H

#include "cache.h"
#include "client.h"

/* What an engine does with every module when its outline has been loaded (module.h), by its kind: a COMPILED one has an
 * artifact afterwards, one of AUTO has what the cache has; and its bodies have been checked, or will be when they are
 * needed. Any thread; several modules wait for each other. Errors: an invalid body; there is no compiler, or it failed. */
NODISCARD Error *wr_aot_prepare(Module *module);
/* The module that an artifact's file holds, with its code. */
NODISCARD Error *wr_aot_open(Engine *engine, const char *path, Module **module);
/* Compiles, whatever the engine's kind: for embedders that keep artifacts themselves. */
NODISCARD Error *wr_aot_compile(Module *module, const CompileRequest *request, u8 **bytes,
                                size_t *size, CompileStats *stats);
/* What the configuration asks for. */
NativeOptions wr_aot_options(const Engine *engine);
/* Makes a module one that may have artifacts: before it is shared. */
void wr_aot_ready(Module *module);

/* The parts. */
/* The configuration's cache, in `cache`. NULL: none is wanted, or it is not to be used, of which the engine's first time
 * is logged. Any thread. */
const Cache *wr_aot_open_cache(Engine *engine, Cache *cache);
/* Adds the artifact in that file of the cache. False: there is none that fits. */
bool wr_aot_take_cached(Module *module, const char *path, const NativeOptions *options);
/* Takes over an artifact's bytes: into the cache, if there is one, and to the module. */
NODISCARD Error *wr_aot_take(Module *module, const NativeOptions *options, u8 *bytes, size_t size,
                             const Cache *cache, const char *path);

#endif
