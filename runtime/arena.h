/*
 * arena.h - bump allocation for things that die together: a module's parts, a validator's scratch.
 * Not thread-safe: parallel validation gives each thread an arena of its own, later adopted by the
 * module's.
 */
#ifndef WR_ARENA_H
#define WR_ARENA_H

#include "alloc.h"

typedef struct ArenaChunk ArenaChunk;
typedef struct Arena {
    const Alloc *alloc;
    ArenaChunk *chunks; /* newest first */
    u8 *next, *end;
    size_t total; /* bytes obtained from alloc */
} Arena;

void wr_arena_init(Arena *arena, const Alloc *alloc);
/* 16-byte aligned, cleared; NULL when out of memory (also for count * size overflow). Size 0 gives
 * a non-NULL pointer that must not be dereferenced. */
NODISCARD void *wr_arena_new(Arena *arena, size_t count, size_t size);
NODISCARD void *wr_arena_copy(Arena *arena, const void *data,
                              size_t size); /* size bytes + a zero byte */
/* Moves all chunks of `from` into `to`; `from` is empty afterwards. */
void wr_arena_adopt(Arena *to, Arena *from);
void wr_arena_free(Arena *arena);
/* Back to what a copy of it, made earlier, says: what came since is freed. Nothing was adopted meanwhile. */
void wr_arena_rewind(Arena *arena, const Arena *earlier);

#endif
