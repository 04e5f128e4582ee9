/*
 * memory.h - linear memories: making, growing, freeing (spec: exec/runtime, memory instances).
 *
 * How accesses are bounded, chosen per engine (wr_memory_mode_t) and settled per memory:
 *
 *   guarded    4 GiB + MEMORY_GUARD bytes of address space are reserved, the pages in use
 *              committed. A 32-bit address plus a small static offset cannot leave the reservation,
 *              so that accesses need no check: the processor faults and the executor makes a trap
 *              of it. Growth commits; the base never moves. Costs address space only (about 30,000
 *              such memories fit in 47 bits), and needs a signal handler.
 *   explicit   No more is reserved than the memory's size, rounded up; growth may move it. Every
 *              access is compared with the size. For small address spaces, hosts without our signal
 *              handler, and all memories where the reservation cannot work: 64-bit addresses, page
 *              sizes other than 64 KiB. Also taken, memory by memory, when a reservation is refused.
 *
 * A shared memory is used by several threads, each with a store of its own, and must not move: in
 * explicit mode its maximum, which shared memories declare, is reserved. What is common is a
 * SharedMemory; each store that uses it has a Memory for it, which no other thread touches. It grows
 * under a lock, and the new size is seen by whoever looks next. Instances' cached sizes may be old
 * then: a checked access beyond one looks again before it traps (wr_interp_address()).
 *
 * Memories belong to their store. Instances cache base and size of their memory 0 (hot fields of
 * wr_instance): they register as users, and growth updates them. The contents start as zeros; data
 * segments are copied by instance.c, or come with an image (image.h).
 *
 * Each guarded memory takes up to three mappings, of which a process has 65,530 by default on Linux. So
 * an engine has a budget of them: when it is spent, further memories are explicit ones.
 */
#ifndef WR_MEMORY_H
#define WR_MEMORY_H

#include "store.h"

#define GUARDED_RESERVATION (((u64)1 << 32) + MEMORY_GUARD)

/* Makes a memory of the declared type and appends it to the store's. Errors: over a limit, out of
 * memory. */
NODISCARD Error *wr_memory_new(Store *store, const MemoryDecl *decl, Memory **out);
void wr_memory_free(Memory *memory); /* by its store, no longer listed there */

/* Where a memory can be, one after the other: address space that outlives them, committed to the
 * memory's least size. What is not guarded is committed to the end, and left when a memory grows
 * beyond it. */
typedef struct MemoryPlace {
    u8 *base;
    u64 reserved;
    bool is_guarded;
    bool is_mapped; /* kit.c: its image is mapped, not copied */
    u8 mappings;    /* of the engine's budget; 0: a part of something larger */
    u64 wasted;     /* image.h */
} MemoryPlace;
/* A guarded place; false if such a memory is not to be guarded, or nothing is left to do so. */
NODISCARD bool wr_memory_place_guarded(Engine *engine, const MemoryDecl *decl, MemoryPlace *place);
/* One of `size` bytes that is not guarded. */
NODISCARD bool wr_memory_place_own(Engine *engine, u64 size, MemoryPlace *place);
/* Does nothing to a place that is a part of something. */
void wr_memory_place_free(Engine *engine, const MemoryPlace *place);
/* As wr_memory_new(), in that place (NULL: one of its own). The contents are those of the place. */
NODISCARD Error *wr_memory_new_at(Store *store, const MemoryDecl *decl, const MemoryPlace *place,
                                  Memory **out);
/* Makes a memory as wr_memory_new_at() left it in that place, except for the contents. Returns how many
 * bytes of the place may differ from what they were. */
u64 wr_memory_put_back(Memory *memory, const MemoryDecl *decl, const MemoryPlace *place);

/* Gives a new memory, all zeros, these contents: mapped if it is guarded, else copied. */
void wr_memory_put_image(Memory *memory, const struct MemoryImage *image);

NODISCARD bool wr_memory_add_user(Memory *memory, Instance *instance);
void wr_memory_remove_user(Memory *memory, const Instance *instance);

/* A shared memory of the declared type, which counts against the limits of `store` and its peers, but
 * is in no store yet. One reference for the caller. */
NODISCARD Error *wr_shared_memory_make(Store *store, const MemoryDecl *decl, SharedMemory **out);
SharedMemory *wr_shared_memory_ref(SharedMemory *shared);
/* The store's Memory for it, made if there is none yet; NULL when out of memory. Of the same engine. */
NODISCARD Memory *wr_memory_attach(Store *store, SharedMemory *shared);

/* How code has to access it. */
MemoryKind wr_memory_kind(const Memory *memory);

/* Whether the host can reserve address space for a guarded memory at all. */
bool wr_memory_can_guard(void);

#endif
