/*
 * views.c - guest memory for the host, with every access checked.
 */
#include "memory.h"

uint8_t *wr_memory_data(wr_memory_t *memory) { return memory->base; }
uint64_t wr_memory_size(const wr_memory_t *memory) { return memory_size(memory); }

static u8 *view(const Memory *memory, u64 address, u64 size) {
    u64 bytes = memory_size(memory);
    return size <= bytes && address <= bytes - size ? memory->base + address : NULL;
}

void *wr_memory_view(wr_memory_t *memory, uint64_t address, uint64_t size) {
    return view(memory, address, size);
}

bool wr_memory_read(const wr_memory_t *memory, uint64_t address, void *to, size_t size) {
    const u8 *from = view(memory, address, size);
    if (from && size > 0) memcpy(to, from, size);
    return from != NULL;
}

bool wr_memory_write(wr_memory_t *memory, uint64_t address, const void *from, size_t size) {
    u8 *to = view(memory, address, size);
    if (to && size > 0) memcpy(to, from, size);
    return to != NULL;
}

bool wr_memory_read_u32(const wr_memory_t *memory, uint64_t address, uint32_t *value) {
    const u8 *from = view(memory, address, sizeof *value);
    if (from) *value = le32_load(from);
    return from != NULL;
}

bool wr_memory_read_u64(const wr_memory_t *memory, uint64_t address, uint64_t *value) {
    const u8 *from = view(memory, address, sizeof *value);
    if (from) *value = le64_load(from);
    return from != NULL;
}

bool wr_memory_write_u32(wr_memory_t *memory, uint64_t address, uint32_t value) {
    u8 *to = view(memory, address, sizeof value);
    if (to) le32_store(to, value);
    return to != NULL;
}

bool wr_memory_write_u64(wr_memory_t *memory, uint64_t address, uint64_t value) {
    u8 *to = view(memory, address, sizeof value);
    if (to) le64_store(to, value);
    return to != NULL;
}

bool wr_memory_string(const wr_memory_t *memory, uint64_t address, uint64_t max,
                      const char **string, size_t *length) {
    u64 bytes = memory_size(memory);
    if (address >= bytes || max == 0) return false;
    const u8 *start = memory->base + address;
    const u8 *end = memchr(start, 0, (size_t)min_u64(max, bytes - address));
    if (!end) return false;
    *string = (const char *)start;
    *length = (size_t)(end - start);
    return true;
}
