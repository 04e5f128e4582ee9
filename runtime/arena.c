/*
 * arena.c - bump allocation in chunks that double in size, so that small modules stay small and
 * large ones need few calls of the allocator.
 */
#include "arena.h"

#define ALIGNMENT 16u
#define FIRST_CHUNK (2u << 10)
#define LARGEST_CHUNK (1u << 20)

struct ArenaChunk {
    ArenaChunk *older;
    size_t size; /* with this header */
    size_t born; /* Arena.total then, itself included */
    _Alignas(ALIGNMENT) u8 data[];
};

/* Bytes to add to a pointer so that it is aligned. */
static size_t padding(const u8 *p) { return (size_t)(-(uintptr_t)p & (ALIGNMENT - 1)); }

void wr_arena_init(Arena *arena, const Alloc *alloc) { *arena = (Arena){.alloc = alloc}; }

/* A chunk for a block of `size` bytes. An oversized one goes behind the newest, which keeps its
 * room. */
static u8 *new_chunk(Arena *arena, size_t size) {
    size_t usual = arena->total < FIRST_CHUNK     ? FIRST_CHUNK
                   : arena->total < LARGEST_CHUNK ? arena->total
                                                  : LARGEST_CHUNK;
    size_t least;
    if (!add_size(size, sizeof(ArenaChunk) + ALIGNMENT, &least)) return NULL;
    bool is_own = least > usual / 2 && arena->chunks != NULL;
    size_t bytes = is_own || least > usual ? least : usual;
    ArenaChunk *chunk = wr_alloc(arena->alloc, bytes);
    if (chunk == NULL) return NULL;
    chunk->size = bytes;
    chunk->born = arena->total += bytes;
    u8 *block = chunk->data + padding(chunk->data);
    if (is_own) {
        chunk->older = arena->chunks->older;
        arena->chunks->older = chunk;
    } else {
        chunk->older = arena->chunks;
        arena->chunks = chunk;
        arena->next = block + size;
        arena->end = (u8 *)chunk + bytes;
    }
    return block;
}

static u8 *take(Arena *arena, size_t size) {
    size_t pad = padding(arena->next);
    size_t left = (size_t)(arena->end - arena->next);
    if (arena->next == NULL || pad > left || size > left - pad) return new_chunk(arena, size);
    u8 *block = arena->next + pad;
    arena->next = block + size;
    return block;
}

void *wr_arena_new(Arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (!mul_size(count, size, &bytes)) return NULL;
    if (bytes == 0) return arena; /* any pointer will do */
    u8 *block = take(arena, bytes);
    return block != NULL ? wr_clear(block, bytes) : NULL;
}

void *wr_arena_copy(Arena *arena, const void *data, size_t size) {
    size_t bytes;
    if (!add_size(size, 1, &bytes)) return NULL;
    u8 *block = take(arena, bytes);
    if (block == NULL) return NULL;
    if (size != 0) memcpy(block, data, size);
    block[size] = 0;
    return block;
}

void wr_arena_adopt(Arena *to, Arena *from) {
    ASSERT(to->alloc->func == from->alloc->func);
    if (from->chunks == NULL) return;
    ArenaChunk *oldest = from->chunks;
    while (oldest->older != NULL) oldest = oldest->older;
    if (to->chunks == NULL) {
        to->chunks = from->chunks;
        to->next = from->next;
        to->end = from->end;
    } else { /* behind the newest, whose room is still in use */
        oldest->older = to->chunks->older;
        to->chunks->older = from->chunks;
    }
    to->total += from->total;
    wr_arena_init(from, from->alloc);
}

void wr_arena_free(Arena *arena) {
    ArenaChunk *chunk = arena->chunks;
    while (chunk != NULL) {
        ArenaChunk *older = chunk->older;
        wr_free(arena->alloc, chunk, chunk->size);
        chunk = older;
    }
    wr_arena_init(arena, arena->alloc);
}

void wr_arena_rewind(Arena *arena, const Arena *earlier) {
    for (ArenaChunk **place = &arena->chunks; *place != NULL;) {
        ArenaChunk *chunk = *place;
        if (chunk->born <= earlier->total) {
            place = &chunk->older;
            continue;
        }
        *place = chunk->older;
        wr_free(arena->alloc, chunk, chunk->size);
    }
    ASSERT(arena->chunks == earlier->chunks);
    *arena = *earlier;
}
