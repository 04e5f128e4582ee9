/* abi.c - wr_native_abi(): one number for all that compiled code relies on (native.h). */
#include "heap.h"
#include "native.h"

typedef struct Mix {
    u64 hash; /* FNV-1a */
} Mix;

static void mix_bytes(Mix *mix, const void *data, size_t size) {
    const u8 *at = data;
    for (size_t i = 0; i < size; i++) mix->hash = (mix->hash ^ at[i]) * 0x100000001B3u;
}

static void mix_number(Mix *mix, u64 number) {
    u8 bytes[8];
    le64_store(bytes, number);
    mix_bytes(mix, bytes, sizeof bytes);
}

static void mix_helpers(Mix *mix) {
#define HELPER(id, function, signature, flags)                                                     \
    mix_bytes(mix, #id " " signature, sizeof #id " " signature);
#include "helpers.def"
#undef HELPER
}

#define FIELD(type, field) offsetof(type, field)
static const size_t layout[] = {
    FIELD(Native, caller),
    FIELD(Native, helpers),
    FIELD(Native, values),
    FIELD(Native, trap_element),
    FIELD(Native, trap_table),
    FIELD(struct wr_instance, mem_base),
    FIELD(struct wr_instance, mem_size),
    FIELD(struct wr_instance, funcs),
    FIELD(struct wr_instance, globals),
    FIELD(struct wr_instance, tables),
    FIELD(struct wr_instance, memories),
    FIELD(struct wr_instance, store),
    FIELD(struct wr_instance, types),
    FIELD(struct wr_instance, heap),
    FIELD(struct wr_instance, heap_base),
    FIELD(struct wr_instance, native),
    FIELD(struct wr_instance, tags),
    FIELD(struct wr_func, type),
    FIELD(struct wr_func, handle),
    FIELD(struct wr_func, native_code),
    FIELD(struct wr_func, native_tail),
    FIELD(struct wr_func, native_context),
    FIELD(struct wr_memory, base),
    FIELD(struct wr_memory, size),
    FIELD(struct wr_memory, shared),
    FIELD(SharedMemory, size),
    FIELD(struct wr_table, elems),
    FIELD(struct wr_table, size),
    FIELD(struct wr_global, value),
    FIELD(struct wr_tag, index),
    FIELD(struct wr_store, engine),
    FIELD(struct wr_engine, types),
    FIELD(struct wr_store, funcs),
    FIELD(struct wr_store, interrupt),
    FIELD(struct wr_store, fuel),
    FIELD(DefType, header),
    FIELD(DefType, depth),
    FIELD(DefType, display),
    FIELD(DefType, id),
    FIELD(DefType, describes),
    TYPES_FIRST_IDS,
    FIELD(Heap, bumps),
    FIELD(Heap, marking),
    sizeof(Bump),
    HEAP_CLASSES,
};

u64 wr_native_abi(void) {
    Mix mix = {0xCBF29CE484222325u};
    mix_number(&mix, NATIVE_ABI_REVISION);
    mix_helpers(&mix);
    for (size_t i = 0; i < ARRAY_LEN(layout); i++) mix_number(&mix, layout[i]);
    return mix.hash;
}
