/*
 * cache.h - a folder of artifacts, so that a module is compiled once. One file for each module, compiler, target and set of
 * options, named by a hash of them; what is in it is checked when it is opened (artifact.h).
 *
 * Any number of processes use the folder at the same time, and may be killed at any moment: files appear whole,
 * by renaming; leftovers of unfinished ones go when the folder is next trimmed. When the folder grows over
 * its bound, what was not used for longest goes.
 *
 * Whoever can write an artifact decides what runs. So the folder and the file must belong to this process' user,
 * and nobody else may write to them: what does not is not used.
 */
#ifndef WR_AOT_CACHE_H
#define WR_AOT_CACHE_H

#include "client.h"

#define CACHE_PATH_MAX 4096u
#define CACHE_MAX_BYTES ((u64)1 << 30) /* by default */

typedef struct Cache {
    char folder[CACHE_PATH_MAX];
} Cache;

/* `folder` NULL or empty: the user's, $XDG_CACHE_HOME/wasmrun or $HOME/.cache/wasmrun. Makes it if it is not
 * there. The error says why it is not to be used. */
NODISCARD Error *wr_cache_open(Cache *cache, const char *folder);
/* The one that a file is in, by its path; false if it is not there any more, or not to be used. */
bool wr_cache_of(Cache *cache, const char *path);
/* The file for what this request makes of the module. */
void wr_cache_path(const Cache *cache, const Module *module, const CompileRequest *request,
                   char path[CACHE_PATH_MAX]);
/* The file for the module's slice with that number (tier.c), by the path for the whole. */
void wr_cache_slice_path(const char *path, u32 number, char slice[CACHE_PATH_MAX]);
/* Whether there is such a file, which may be trusted; it counts as used now. */
bool wr_cache_has(const char *path);
/* Writes the file. Errors are of the kind that need not stop anybody. */
NODISCARD Error *wr_cache_put(const Cache *cache, const char *path, const u8 *bytes, size_t size);
void wr_cache_remove(const char *path);
/* For a process that makes the file when nobody waits for it any more: whether it is the only one that does, until
 * wr_cache_unclaim(). A claim that was left behind is void after ten minutes. */
bool wr_cache_claim(const char *path);
void wr_cache_unclaim(const char *path);
/* Removes what was not used for longest until the rest takes at most `bytes`; 0 clears it. How many went. */
u32 wr_cache_trim(const Cache *cache, u64 bytes);

typedef struct CacheEntry {
    const char *name; /* in the folder */
    u64 size;
    i64 used; /* seconds since 1970 */
} CacheEntry;
/* Lists what is there, in no order. False when the folder cannot be read. */
bool wr_cache_each(const Cache *cache, void (*visit)(void *context, const CacheEntry *entry),
                   void *context);

#endif
