/*
 * shared_memory.c - shared memories as handles of the host: made from a type, taken from an instance,
 * given to other stores by a linker. runtime/memory.h says how they are used and grow.
 */
#include "memory.h"

bool wr_module_import_memory(const wr_module_t *module, size_t index, wr_memory_type_t *type) {
    if (index >= module->nimports || module->imports[index].kind != EXT_MEMORY) return false;
    const MemoryDecl *decl = &module->memories[module->imports[index].index];
    *type = (wr_memory_type_t){.min = decl->limits.min,
                               .max = decl->limits.max,
                               .is_shared = decl->limits.is_shared,
                               .is_64 = decl->limits.is_64,
                               .page_size_log2 = decl->page_size_log2};
    return true;
}

/* What validation asks of a declaration (runtime/validate.c), as far as it matters here. */
static const char *wrong_type(const wr_memory_type_t *type) {
    if (!type->is_shared) return "not shared";
    if (type->max == UINT64_MAX) return "without a maximum";
    if (type->min > type->max) return "with a minimum above the maximum";
    if (type->page_size_log2 != 0 && type->page_size_log2 != 16) return "with such a page size";
    u64 bits = (type->is_64 ? 64u : 32u) - type->page_size_log2;
    if (bits < 64 && type->max > (u64)1 << bits) return "with such a maximum";
    return NULL;
}

wr_error_t *wr_shared_memory_new(wr_store_t *store, const wr_memory_type_t *type,
                                 wr_shared_memory_t **memory) {
    *memory = NULL;
    const char *wrong = wrong_type(type);
    if (wrong) {
        return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "there is no shared memory of a type %s",
                           wrong);
    }
    MemoryDecl decl = {.limits = {type->min, type->max, true, true, type->is_64},
                       .page_size_log2 = type->page_size_log2};
    return wr_shared_memory_make(store, &decl, memory);
}

wr_shared_memory_t *wr_memory_share(wr_memory_t *memory) {
    return memory->is_shared ? wr_shared_memory_ref(memory->shared) : NULL;
}

uint8_t *wr_shared_memory_data(const wr_shared_memory_t *memory) { return memory->base; }

uint64_t wr_shared_memory_size(const wr_shared_memory_t *memory) { return memory->size; }
