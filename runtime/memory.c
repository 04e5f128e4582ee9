/*
 * memory.c - linear memories and their bulk instructions; memory.h explains the modes.
 */
#include "memory.h"

#include "image.h"
#include "log.h"

#include "racy.h"

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

/* False when `decl` asks for more than the host has addresses for. */
static bool initial_bytes(const MemoryDecl *decl, u64 *bytes) {
    Memory memory = {.page_size_log2 = decl->page_size_log2};
    return pages_to_bytes(&memory, decl->limits.min, bytes);
}

/* Mappings that a guarded memory may come to be: its image, the rest of it, the guard. */
#define GUARDED_MAPPINGS 3u

/* Its addresses. */
static void release(Memory *memory) {
    if (!memory->is_lent) wr_os_release(memory->base, (size_t)memory->reserved);
    wr_engine_return_mappings(memory->store->engine, memory->mappings);
    memory->mappings = 0;
}

static bool reserve_guarded(Memory *memory) {
    Engine *engine = memory->store->engine;
    if (!wr_engine_take_mappings(engine, GUARDED_MAPPINGS)) return false;
    if (reserve(memory, GUARDED_RESERVATION)) {
        memory->is_guarded = true;
        memory->mappings = GUARDED_MAPPINGS;
        return true;
    }
    wr_engine_return_mappings(engine, GUARDED_MAPPINGS);
    return false;
}

static bool reserve_initial(Memory *memory, u64 size) {
    if (wants_guard(memory)) {
        if (reserve_guarded(memory)) return true;
        wr_log(memory->store->engine, WR_LOG_DEBUG,
               "no address space for guard pages: accesses to a memory are checked");
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
    release(memory);
    memory->base = moved.base;
    memory->reserved = moved.reserved;
    memory->is_lent = false;
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

/* Makes what has just been allocated for this one store the common property of many. */
static SharedMemory *share(const Memory *memory) {
    Store *store = memory->store;
    SharedMemory *shared = wr_alloc_zero(&store->alloc, sizeof *shared);
    if (!shared) return NULL;
    atomic_init(&shared->refs, 1);
    atomic_init(&shared->size, memory->size);
    wr_os_mutex_init(&shared->lock);
    shared->engine = wr_engine_ref(store->engine);
    shared->budget = wr_budget_ref(store->budget);
    shared->base = memory->base;
    shared->reserved = memory->reserved;
    shared->max_pages = memory->max_pages;
    shared->page_size_log2 = memory->page_size_log2;
    shared->is_64 = memory->is_64;
    shared->is_guarded = memory->is_guarded;
    shared->has_max = memory->has_max;
    shared->mappings = memory->mappings;
    return shared;
}

static void move_in(Memory *memory, const MemoryPlace *place) {
    memory->base = place->base;
    memory->reserved = place->reserved;
    memory->is_guarded = place->is_guarded;
    memory->is_lent = true;
}

static Error *allocate(Memory *memory, const MemoryDecl *decl, const MemoryPlace *place) {
    Budget *budget = memory->store->budget;
    u64 size;
    if (!initial_bytes(decl, &size)) return out_of_memory(decl);
    if (!wr_budget_charge(budget, size)) return over_limit(size);
    if (place) {
        move_in(memory, place);
    } else if (!reserve_initial(memory, size) || !commit_to(memory, size)) {
        release(memory);
        wr_budget_return(budget, size);
        return out_of_memory(decl);
    }
    memory->size = size;
    return NULL;
}

static void free_object(Memory *memory) {
    const Alloc *alloc = &memory->store->alloc;
    wr_free(alloc, memory->users, memory->cap_users * sizeof(Instance *));
    wr_free(alloc, memory, sizeof *memory);
}

static Error *own_memory(Memory *memory, const MemoryDecl *decl, const MemoryPlace *place) {
    Error *error = allocate(memory, decl, place);
    if (error || !memory->is_shared) return error;
    memory->shared = share(memory);
    if (memory->shared) return NULL;
    release(memory);
    wr_budget_return(memory->store->budget, memory->size);
    return ERROR_OOM;
}

static bool make_room(Store *store) {
    return wr_grow_array(&store->alloc, &store->memories, &store->cap_memories,
                         (u64)store->nmemories + 1, UINT32_MAX, sizeof(Memory *));
}

Error *wr_memory_new_at(Store *store, const MemoryDecl *decl, const MemoryPlace *place,
                        Memory **out) {
    Memory *memory = make_room(store) ? new_object(store, decl) : NULL;
    if (!memory) return ERROR_OOM;
    Error *error = own_memory(memory, decl, place);
    if (error) {
        free_object(memory);
        return error;
    }
    *out = store->memories[store->nmemories++] = memory;
    return NULL;
}

Error *wr_memory_new(Store *store, const MemoryDecl *decl, Memory **out) {
    return wr_memory_new_at(store, decl, NULL, out);
}

void wr_memory_free(Memory *memory) {
    if (memory->is_shared) {
        wr_shared_memory_delete(memory->shared);
    } else {
        release(memory);
        wr_budget_return(memory->store->budget, memory->size);
    }
    free_object(memory);
}

MemoryKind wr_memory_kind(const Memory *memory) {
    if (memory->is_64) return MEM_64;
    return memory->is_guarded ? MEM_GUARD32 : MEM_CHECK32;
}

/* ---- users ---------------------------------------------------------------------------------- */

static void update_user(const Memory *memory, Instance *instance) {
    instance->mem_base = memory->base;
    instance->mem_size = memory_size(memory);
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

/* ---- shared memories ------------------------------------------------------------------------ */

Error *wr_shared_memory_make(Store *store, const MemoryDecl *decl, SharedMemory **out) {
    *out = NULL;
    Memory *memory = new_object(store, decl);
    if (!memory) return ERROR_OOM;
    Error *error = own_memory(memory, decl, NULL);
    *out = memory->shared;
    free_object(memory);
    return error;
}

SharedMemory *wr_shared_memory_ref(SharedMemory *shared) {
    atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
    return shared;
}

void wr_shared_memory_delete(SharedMemory *shared) {
    if (!shared || atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) != 1) return;
    Engine *engine = shared->engine;
    wr_os_release(shared->base, (size_t)shared->reserved);
    wr_engine_return_mappings(engine, shared->mappings);
    wr_budget_return(shared->budget, shared->size);
    wr_budget_unref(shared->budget);
    wr_os_mutex_destroy(&shared->lock);
    wr_free(&engine->alloc, shared, sizeof *shared);
    wr_engine_unref(engine);
}

static Memory *find_attached(const Store *store, const SharedMemory *shared) {
    for (u32 i = 0; i < store->nmemories; i++) {
        if (store->memories[i]->shared == shared) return store->memories[i];
    }
    return NULL;
}

static Memory *new_attached(Store *store, SharedMemory *shared) {
    Memory *memory = wr_alloc_zero(&store->alloc, sizeof *memory);
    if (!memory) return NULL;
    memory->store = store;
    memory->shared = wr_shared_memory_ref(shared);
    memory->base = shared->base;
    memory->size = shared->size;
    memory->reserved = shared->reserved;
    memory->max_pages = shared->max_pages;
    memory->page_size_log2 = shared->page_size_log2;
    memory->is_64 = shared->is_64;
    memory->is_shared = true;
    memory->is_guarded = shared->is_guarded;
    memory->has_max = shared->has_max;
    return memory;
}

Memory *wr_memory_attach(Store *store, SharedMemory *shared) {
    Memory *memory = find_attached(store, shared);
    if (memory || !make_room(store)) return memory;
    memory = new_attached(store, shared);
    if (memory) store->memories[store->nmemories++] = memory;
    return memory;
}

/* ---- places --------------------------------------------------------------------------------- */

bool wr_memory_place_guarded(Engine *engine, const MemoryDecl *decl, MemoryPlace *place) {
    Store store = {.engine = engine};
    Memory memory = {
        .store = &store, .page_size_log2 = decl->page_size_log2, .is_64 = decl->limits.is_64};
    u64 size;
    if (!wants_guard(&memory) || !initial_bytes(decl, &size)) return false;
    if (!reserve_guarded(&memory)) return false;
    if (!commit_to(&memory, size)) {
        release(&memory);
        return false;
    }
    *place = (MemoryPlace){.base = memory.base,
                           .reserved = memory.reserved,
                           .is_guarded = true,
                           .mappings = memory.mappings};
    return true;
}

/* It splits what lies around it in two, and its image what it is mapped into. */
#define OWN_MAPPINGS 3u

bool wr_memory_place_own(Engine *engine, u64 size, MemoryPlace *place) {
    if (!wr_engine_take_mappings(engine, OWN_MAPPINGS)) return false;
    u8 *base = wr_os_reserve((size_t)size);
    if (base && wr_os_commit(base, (size_t)size)) {
        *place = (MemoryPlace){.base = base, .reserved = size, .mappings = OWN_MAPPINGS};
        return true;
    }
    wr_os_release(base, (size_t)size);
    wr_engine_return_mappings(engine, OWN_MAPPINGS);
    return false;
}

void wr_memory_place_free(Engine *engine, const MemoryPlace *place) {
    if (!place->mappings) return;
    wr_os_release(place->base, (size_t)place->reserved);
    wr_engine_return_mappings(engine, place->mappings);
}

u64 wr_memory_put_back(Memory *memory, const MemoryDecl *decl, const MemoryPlace *place) {
    u64 used = memory->is_lent ? memory->size : place->reserved, size = 0;
    (void)initial_bytes(decl, &size); /* it was once made with that */
    if (!memory->is_lent) release(memory);
    move_in(memory, place);
    memory->size = size;
    u64 end = round_to_host_pages(size);
    if (place->is_guarded && used > end) {
        wr_os_decommit(place->base + end, (size_t)(used - end));
        used = end;
    }
    for (u32 i = 0; i < memory->nusers; i++) update_user(memory, memory->users[i]);
    return used;
}

/* ---- growth --------------------------------------------------------------------------------- */

/* Address space of shared memories is there from the beginning. */
static bool extend(Memory *memory, u64 size) {
    if (size > memory->reserved) return !memory->is_shared && move_to_larger(memory, size);
    return commit_to(memory, size);
}

/* memory->size is right. */
static bool grow(Memory *memory, Budget *budget, u64 delta_pages) {
    u64 old_pages = memory->size >> memory->page_size_log2, size;
    if (delta_pages > memory->max_pages - old_pages) return false;
    if (!pages_to_bytes(memory, old_pages + delta_pages, &size)) return false;
    u64 added = size - memory->size;
    if (!wr_budget_charge(budget, added)) return false;
    if (!extend(memory, size)) {
        wr_budget_return(budget, added);
        return false;
    }
    memory->size = size;
    return true;
}

/* One at a time. The new pages are there before anybody can see the new size. */
static bool grow_shared(Memory *memory, u64 delta_pages, u64 *old_size) {
    SharedMemory *shared = memory->shared;
    wr_os_mutex_lock(&shared->lock);
    *old_size = memory->size = shared->size;
    bool ok = grow(memory, shared->budget, delta_pages);
    if (ok) shared->size = memory->size;
    wr_os_mutex_unlock(&shared->lock);
    return ok;
}

u64 wr_memory_grow(Memory *memory, u64 delta_pages) {
    u64 old_size = memory->size;
    if (delta_pages == 0) return memory_pages(memory);
    bool ok = memory->is_shared ? grow_shared(memory, delta_pages, &old_size)
                                : grow(memory, memory->store->budget, delta_pages);
    if (!ok) return UINT64_MAX;
    for (u32 i = 0; i < memory->nusers; i++) update_user(memory, memory->users[i]);
    return old_size >> memory->page_size_log2;
}

void wr_memory_put_image(Memory *memory, const MemoryImage *image) {
    bool may_map = memory->is_guarded && !memory->is_lent &&
                   wr_engine_take_mappings(memory->store->engine, 1); /* before the image */
    memory->mappings += may_map;
    if (!may_map || !wr_image_map(image, memory->base)) wr_image_copy(image, memory->base);
}

/* ---- bulk instructions ---------------------------------------------------------------------- */

static bool in_range(u64 start, u64 n, u64 size) { return n <= size && start <= size - n; }

wr_trap_code_t wr_memory_init(Instance *i, u32 memory, u32 data, u64 dst, u32 src, u32 n) {
    u32 available;
    const u8 *bytes = data_left(i, data, &available);
    Memory *m = i->memories[memory];
    if (!in_range(src, n, available) || !in_range(dst, n, memory_size(m))) {
        return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    }
    if (n) racy_copy(m->base + dst, bytes + src, n);
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_memory_copy(Memory *dst_memory, Memory *src_memory, u64 dst, u64 src, u64 n) {
    if (!in_range(src, n, memory_size(src_memory)) || !in_range(dst, n, memory_size(dst_memory))) {
        return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    }
    racy_copy(dst_memory->base + dst, src_memory->base + src, (size_t)n);
    return WR_TRAP_NONE;
}

wr_trap_code_t wr_memory_fill(Memory *memory, u64 dst, u8 value, u64 n) {
    if (!in_range(dst, n, memory_size(memory))) return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    racy_fill(memory->base + dst, value, (size_t)n);
    return WR_TRAP_NONE;
}

void wr_data_drop(Instance *i, u32 data) { i->dropped_datas[data] = true; }
