/*
 * wasm_builder.h - modules for unit tests, put together byte by byte: sizes are filled in.
 *
 *   Wasm w = wasm_begin();
 *   SECTION(&w, 1, 1, 0x60, 0, 1, 0x7F);        a section with these bytes
 *   wasm_open(&w, 10);                          or one of several pieces, up to wasm_close()
 *   BYTES(&w, 1);
 *   BODY(&w, 0, 0x41, 7, 0x0B);                 a size, then these bytes
 *   wasm_close(&w);
 */
#ifndef WR_TESTS_WASM_BUILDER_H
#define WR_TESTS_WASM_BUILDER_H

#include "base.h"

typedef struct Wasm {
    u8 data[1 << 14];
    size_t size;
    size_t open; /* where the open section's size belongs */
} Wasm;

/* A test that outgrows data is a wrong test. */
static inline void wasm_bytes(Wasm *w, const void *bytes, size_t size) {
    ASSERT(size <= sizeof w->data - w->size);
    memcpy(w->data + w->size, bytes, size);
    w->size += size;
}

#define BYTES_OF(...) (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__})
#define BYTES(w, ...) wasm_bytes(w, BYTES_OF(__VA_ARGS__))

static inline Wasm wasm_begin(void) {
    Wasm w = {.size = 0};
    BYTES(&w, 0, 'a', 's', 'm', 1, 0, 0, 0);
    return w;
}

static inline void wasm_u32(Wasm *w, u32 value) {
    do {
        u8 byte = (u8)(value & 0x7F);
        value >>= 7;
        BYTES(w, (u8)(byte | (value ? 0x80 : 0)));
    } while (value);
}

static inline void wasm_name(Wasm *w, const char *name) {
    wasm_u32(w, (u32)strlen(name));
    wasm_bytes(w, name, strlen(name));
}

static inline void wasm_sized(Wasm *w, const void *bytes, size_t size) {
    wasm_u32(w, (u32)size);
    wasm_bytes(w, bytes, size);
}
#define BODY(w, ...) wasm_sized(w, BYTES_OF(__VA_ARGS__))

static inline void wasm_section(Wasm *w, u8 id, const void *bytes, size_t size) {
    BYTES(w, id);
    wasm_sized(w, bytes, size);
}
#define SECTION(w, id, ...) wasm_section(w, id, BYTES_OF(__VA_ARGS__))

static inline void wasm_open(Wasm *w, u8 id) {
    BYTES(w, id);
    w->open = w->size;
    BYTES(w, 0x80, 0x80, 0x80, 0x80, 0);
}

static inline void wasm_close(Wasm *w) {
    size_t size = w->size - w->open - 5;
    for (int i = 0; i < 5; i++) w->data[w->open + (size_t)i] |= (u8)(size >> 7 * i & 0x7F);
}

/* An import's names and kind; its type follows. */
static inline void wasm_import(Wasm *w, const char *module, const char *name, u8 kind) {
    wasm_name(w, module);
    wasm_name(w, name);
    BYTES(w, kind);
}

static inline void wasm_export(Wasm *w, const char *name, u8 kind, u32 index) {
    wasm_name(w, name);
    BYTES(w, kind);
    wasm_u32(w, index);
}

/* Section ids, and the codes that tests use most. */
enum {
    S_TYPE = 1,
    S_IMPORT,
    S_FUNC,
    S_TABLE,
    S_MEMORY,
    S_GLOBAL,
    S_EXPORT,
    S_START,
    S_ELEM,
    S_CODE,
    S_DATA,
    S_DATA_COUNT,
    S_TAG
};
enum {
    I32 = 0x7F,
    I64 = 0x7E,
    F32 = 0x7D,
    F64 = 0x7C,
    V128 = 0x7B,
    FUNCREF = 0x70,
    EXTERNREF = 0x6F
};
enum { X_FUNC, X_TABLE, X_MEMORY, X_GLOBAL, X_TAG };
enum {
    END = 0x0B,
    CALL = 0x10,
    LOCAL_GET = 0x20,
    GLOBAL_GET = 0x23,
    I32_CONST = 0x41,
    I64_CONST = 0x42
};

#endif
