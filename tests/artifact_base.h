/*
 * artifact_base.h - a module and the object files of its functions, for tests and fuzz targets of linking and loading.
 * The objects are made from tests/unit/aot/(main, other).ll when the tests are built, for both processors.
 */
#ifndef WR_TESTS_ARTIFACT_BASE_H
#define WR_TESTS_ARTIFACT_BASE_H

#include <stdio.h>

#include "linker.h"

#define BASE_FUNCS 9u /* functions 1 to 9; 0 is imported */

/* Types 0, i32 to i32, and 1, f64 to f64; each function returns its argument. */
static const u8 base_module[] = {
    0,  'a', 's',        'm',  1,    0,    0,   0,                               /* */
    1,  11,  2,          0x60, 1,    0x7F, 1,   0x7F, 0x60, 1,    0x7C, 1, 0x7C, /* types */
    2,  7,   1,          1,    'm',  1,    'f', 0,    0,                         /* import */
    3,  10,  BASE_FUNCS, 0,    0,    0,    0,   0,    0,    1,    1,    0,       /* functions */
    5,  3,   1,          0,    1,                                                /* memory */
    10, 46,  BASE_FUNCS,                                                         /* code */
    4,  0,   0x20,       0,    0x0B, 4,    0,   0x20, 0,    0x0B, 4,    0, 0x20, 0, 0x0B,
    4,  0,   0x20,       0,    0x0B, 4,    0,   0x20, 0,    0x0B, 4,    0, 0x20, 0, 0x0B,
    4,  0,   0x20,       0,    0x0B, 4,    0,   0x20, 0,    0x0B, 4,    0, 0x20, 0, 0x0B};

/* The same with data, which is worth an image: a section of one segment. */
#define BASE_DATA 40000u
static const u8 base_data_head[] = {11, 0xC9, 0xB8, 2, 1, 0, 0x41, 0xE4, 0, 0x0B, 0xC0, 0xB8, 2};
typedef struct BaseWithData {
    u8 bytes[sizeof base_module + sizeof base_data_head + BASE_DATA];
} BaseWithData;

static inline void base_with_data(BaseWithData *module) {
    u8 *at = module->bytes;
    memcpy(at, base_module, sizeof base_module);
    memcpy(at + sizeof base_module, base_data_head, sizeof base_data_head);
    memset(at + sizeof base_module + sizeof base_data_head, 'd', BASE_DATA);
}

typedef struct BaseFile {
    u8 data[1 << 16];
    size_t size;
} BaseFile;

/* False if it cannot be read. */
static inline bool base_read(const char *name, const char *machine, BaseFile *file) {
    char path[1000];
    (void)snprintf(path, sizeof path, "%s/%s.%s.o", WR_OBJECTS_DIR, name, machine);
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    file->size = fread(file->data, 1, sizeof file->data, f);
    (void)fclose(f);
    return file->size > 0 && file->size < sizeof file->data;
}

static const u32 base_shapes[] = {0, 1};
static const bool base_left_out[BASE_FUNCS + 1] = {[9] = true};
static const NativeOptions base_options = {.guarded = true, .level = 2};

static inline Error *base_link(const Module *module, const char *machine, const char *features,
                               const BaseFile *main, const BaseFile *other, u8 **bytes,
                               size_t *size) {
    char triple[50];
    (void)snprintf(triple, sizeof triple, "%s-unknown-linux-gnu", machine);
    LinkPlan plan = {.module = module,
                     .options = base_options,
                     .triple = triple,
                     .cpu = "generic",
                     .features = features,
                     .shapes = base_shapes,
                     .nshapes = 2,
                     .guarded_memories = 5,
                     .left_out = base_left_out};
    ObjectFile files[] = {{main->data, main->size}, {other->data, other->size}};
    return wr_aot_link(&plan, files, 2, bytes, size);
}

#endif
