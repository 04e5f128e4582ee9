/*
 * memory.c - linear memories and their bulk instructions; memory.h explains the modes.
 */
#include "memory.h"

#define PAGES_MAX_32 ((u64)1 << 16) /* of 64 KiB, with 32-bit addresses */
#define PAGES_MAX_64 ((u64)1 << 48)

/* ---- sizes ---------------------------------------------------------------------------------- */

static u64 pages_limit(const MemoryDecl *decl) {
    if (decl->page_size_log2 != 16) return decl->limits.is_64 ? UINT64_MAX : UINT32_MAX;
    return decl->limits.is_64 ? PAGES_MAX_64 : PAGES_MAX_32;
}

/* False when the host has no such sizes. */
static bool pages_to_bytes(const Memory *memory, u64 pages, u64 *bytes) {
    if (pages > SIZE_MAX >> memory->page_size_log2) return false;
    *bytes = pages << memory->page_size_log2;
    return true;
}

/* Saturates at the largest size of the host. */
static u64 round_to_host_pages(u64 size) {
    u64 mask = wr_os_page_size() - 1;
    return size > SIZE_MAX - mask ? SIZE_MAX & ~mask : (size + mask) & ~mask;
}

/* ---- address space -------------------------------------------------------------------------- */

bool wr_memory_can_guard(void) {
    if (sizeof(void *) < 8 || wr_os_page_size() > WASM_PAGE_SIZE) return false;
    void *trial = wr_os_reserve((size_t)GUARDED_RESERVATION);
    wr_os_release(trial, (size_t)GUARDED_RESERVATION);
    return trial != NULL;
}

static bool reserve(Memory *memory, u64 size) {
    memory->reserved = round_to_host_pages(size ? size : 1); /* base is never NULL */
    memory->base = wr_os_reserve((size_t)memory->reserved);
    return memory->base != NULL;
}

static bool wants_guard(const Memory *memory) {
    return memory->store->engine->config.memory_mode == WR_MEMORY_GUARD && !memory->is_64 &&
           memory->page_size_log2 == 16;
}

static bool reserve_initial(Memory *memory, u64 size) {
    if (wants_guard(memory) && reserve(memory, GUARDED_RESERVATION)) {
        memory->is_guarded = true;
        return true;
    }
    if (memory->is_shared && !pages_to_bytes(memory, memory->max_pages, &size)) return false;
    return reserve(memory, size);
}

/* Commits up to `size`. What lies below the current size, rounded up to host pages, already is. */
static bool commit_to(Memory *memory, u64 size) {
    u64 from = round_to_host_pages(memory->size), to = round_to_host_pages(size);
    return to <= from || wr_os_commit(memory->base + from, (size_t)(to - from));
}

/* Address space for a memory that has to move: half as much again as it has, so that growing step
 * by step copies each byte only a few times. Only touched pages count. */
static u64 room_to_grow(const Memory *memory, u64 size) {
    u64 limit, wanted = memory->size + memory->size / 2;
    if (!pages_to_bytes(memory, memory->max_pages, &limit)) limit = SIZE_MAX;
    wanted = min_u64(wanted, limit);
    return wanted > size ? wanted : size;
}

static bool move_to_larger(Memory *memory, u64 size) {
    Memory moved = *memory;
    moved.size = 0;
    if (!reserve(&moved, room_to_grow(memory, size)) && !reserve(&moved, size)) return false;
    if (!commit_to(&moved, size)) {
        wr_os_release(moved.base, (size_t)moved.reserved);
        return false;
    }
    memcpy(moved.base, memory->base, (size_t)memory->size);
    wr_os_release(memory->base, (size_t)memory->reserved);
    memory->base = moved.base;
    memory->reserved = moved.reserved;
    return true;
}

/* ---- making and freeing --------------------------------------------------------------------- */

static Error *out_of_memory(const MemoryDecl *decl) {
    return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET, "out of memory: a memory of %llu pages",
                       (unsigned long long)decl->limits.min);
}

static Error *over_limit(u64 size) {
    return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET,
                       "memory limit exceeded: a memory of %llu bytes is over the store's limit",
                       (unsigned long long)size);
}

static Memory *new_object(Store *store, const MemoryDecl *decl) {
    Memory *memory = wr_alloc_zero(&store->alloc, sizeof *memory);
    if (!memory) return NULL;
    memory->store = store;
    memory->max_pages = min_u64(decl->limits.max, pages_limit(decl));
    memory->page_size_log2 = decl->page_size_log2;
    memory->is_64 = decl->limits.is_64;
    memory->is_shared = decl->limits.is_shared;
    memory->has_max = decl->limits.has_max;
    return memory;
}

static Error *allocate(Memory *memory, const MemoryDecl *decl) {
    Store *store = memory->store;
    u64 size;
    if (!pages_to_bytes(memory, decl->limits.min, &size)) return out_of_memory(decl);
    if (!store_charge(&store->used_memory, store->limit_memory, size)) return over_limit(size);
    if (!reserve_initial(memory, size) || !commit_to(memory, size)) {
        store->used_memory -= size;
        return out_of_memory(decl);
    }
    memory->size = size;
    memory->pages = decl->limits.min;
    return NULL;
}

Error *wr_memory_new(Store *store, const MemoryDecl *decl, Memory **out) {
    u64 need = (u64)store->nmemories + 1;
    if (!wr_grow_array(&store->alloc, &store->memories, &store->cap_memories, need, UINT32_MAX,
                       sizeof(Memory *))) {
        return ERROR_OOM;
    }
    Memory *memory = new_object(store, decl);
    if (!memory) return ERROR_OOM;
    Error *error = allocate(memory, decl);
    if (error) {
        wr_memory_free(memory);
        return error;
    }
    *out = store->memories[store->nmemories++] = memory;
    return NULL;
}

void wr_memory_free(Memory *memory) {
    Store *store = memory->store;
    store->used_memory -= memory->size;
    wr_os_release(memory->base, (size_t)memory->reserved);
    wr_free(&store->alloc, memory->users, memory->cap_users * sizeof(Instance *));
    wr_free(&store->alloc, memory, sizeof *memory);
}

MemoryKind wr_memory_kind(const Memory *memory) {
    if (memory->is_64) return MEM_64;
    return memory->is_guarded ? MEM_GUARD32 : MEM_CHECK32;
}

/* ---- users ---------------------------------------------------------------------------------- */

static void update_user(const Memory *memory, Instance *instance) {
    instance->mem_base = memory->base;
    instance->mem_size = memory->size;
}

bool wr_memory_add_user(Memory *memory, Instance *instance) {
    u64 need = (u64)memory->nusers + 1;
    if (!wr_grow_array(&memory->store->alloc, &memory->users, &memory->cap_users, need, UINT32_MAX,
                       sizeof(Instance *))) {
        return false;
    }
    memory->users[memory->nusers++] = instance;
    instance->memory_kind = (u8)wr_memory_kind(memory);
    update_user(memory, instance);
    return true;
}

void wr_memory_remove_user(Memory *memory, const Instance *instance) {
    for (u32 i = memory->nusers; i-- > 0;) {
        if (memory->users[i] != instance) continue;
        memory->users[i] = memory->users[--memory->nusers];
        return;
    }
}

/* ---- growth --------------------------------------------------------------------------------- */

static bool extend(Memory *memory, u64 size) {
    if (size > memory->reserved) {
        if (memory->is_shared || !move_to_larger(memory, size)) return false;
    } else if (!commit_to(memory, size)) {
        return false;
    }
    memory->size = size;
    return true;
}

u64 wr_memory_grow(Memory *memory, u64 delta_pages) {
    Store *store = memory->store;
    u64 old_pages = memory->pages, size;
    if (delta_pages == 0) return old_pages;
    if (delta_pages > memory->max_pages - old_pages) return UINT64_MAX;
    if (!pages_to_bytes(memory, old_pages + delta_pages, &size)) return UINT64_MAX;
    u64 added = size - memory->size;
    if (!store_charge(&store->used_memory, store->limit_memory, added)) return UINT64_MAX;
    if (!extend(memory, size)) {
        store->used_memory -= added;
        return UINT64_MAX;
    }
    memory->pages = old_pages + delta_pages;
    for (u32 i = 0; i < memory->nusers; i++) update_user(memory, memory->users[i]);
    return old_pages;
}

/* ---- bulk instructions ---------------------------------------------------------------------- */

static bool in_range(u64 start, u64 n, u64 size) { return n <= size && start <= size - n; }

wr_trap_code_t wr_memory_init(Instance *i, u32 memory, u32 data, u64 dst, u32 src, u32 n) {
    const DataSeg *segment = &i->module->datas[data];
    Memory *m = i->memories[memory];
    u32 available = i->dropped_datas[data] ? 0 : segment->size;
    if (!in_range(src, n, available) || !in_range(dst, n, m->size)) {
        return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    }
    if (n) memcpy(m->base + dst, i->module->bytes + segment->data + src, n);
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_memory_copy(Memory *dst_memory, Memory *src_memory, u64 dst, u64 src, u64 n) {
    if (!in_range(src, n, src_memory->size) || !in_range(dst, n, dst_memory->size)) {
        return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    }
    memmove(dst_memory->base + dst, src_memory->base + src, (size_t)n);
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_memory_fill(Memory *memory, u64 dst, u8 value, u64 n) {
    if (!in_range(dst, n, memory->size)) return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    memset(memory->base + dst, value, (size_t)n);
    return WR_TRAP_NONE;
}

void wr_data_drop(Instance *i, u32 data) { i->dropped_datas[data] = true; }
