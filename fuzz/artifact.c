/*
 * artifact.c - damaged object files are linked or refused, and damaged artifacts are opened or refused; whatever
 * has opened answers every question without reading outside of itself. No machine code is run: what that
 * does, nobody can check.
 *
 * The input is a list of changes to good files: a byte that says to which, then for each four bytes of place, one of
 * what to do there, and four of a value.
 */
#include "artifact_base.h"
#include "artifact_image.h"
#include "fuzz.h"
#include "image.h"
#include "lazy_bodies.h"
#include "native.h"
#include "os.h"
#include "store.h"

#define CHANGE_SIZE 9u

static u64 sum; /* of what was asked, so that it is asked */

/* ---- changes -------------------------------------------------------------------------------- */

static void change(u8 *bytes, size_t size, const u8 *step) {
    if (size < 8) return;
    size_t at = le32_load(step) % (size - 7);
    u32 value = le32_load(step + 5);
    switch (step[4] % 6) {
    case 0: bytes[at] = (u8)value; break;
    case 1: le32_store(bytes + at, value); break;
    case 2: le32_store(bytes + at, le32_load(bytes + at) + value); break;
    case 3: le64_store(bytes + at, (u64)value << 32 | value); break;
    case 4: memset(bytes + at, (u8)value, value >> 8 & 7); break;
    default: memmove(bytes + at, bytes + value % (size - 7), 8); break;
    }
}

static void change_all(u8 *bytes, size_t size, const u8 *data, size_t data_size) {
    for (; data_size >= CHANGE_SIZE; data += CHANGE_SIZE, data_size -= CHANGE_SIZE)
        change(bytes, size, data);
}

/* ---- questions ------------------------------------------------------------------------------ */

static void ask_at(const Artifact *artifact, const u8 *pc) {
    NativePlace places[8];
    UnwindRule rule;
    i32 adjust;
    bool takes;
    if (wr_artifact_unwind(artifact, pc, &rule)) sum += rule.saved + (u32)rule.saved_at[0];
    if (wr_artifact_landing(artifact, pc, &adjust, &takes)) sum += (u32)adjust;
    u32 n = wr_artifact_places(artifact, pc, places, ARRAY_LEN(places));
    CHECK(n <= ARRAY_LEN(places));
    for (u32 i = 0; i < n; i++) sum += places[i].func_index + places[i].offset;
}

static void ask(const Artifact *artifact) {
    const PartView *code = &artifact->parts[PART_CODE];
    for (u32 at = 0; at <= code->size && at < 4096; at++) ask_at(artifact, code->data + at - 1);
    for (u32 i = 0; i < BASE_FUNCS + 3; i++) {
        const u8 *f = wr_artifact_code(artifact, i);
        CHECK(!f || (f >= code->data && f < code->data + code->size));
        sum +=
            (wr_artifact_tail_code(artifact, i) != NULL) + (wr_artifact_entry(artifact, i) != NULL);
    }
    CHECK(wr_artifact_at(code->data) == artifact);
}

/* As an instance does whose memory cannot be mapped. */
static void take_image(const Artifact *artifact, const Module *module) {
    const MemoryImage *image = wr_artifact_image(artifact);
    if (!image) return;
    u8 *memory = calloc(module->memories[0].limits.min, WASM_PAGE_SIZE);
    CHECK(memory != NULL);
    wr_image_copy(image, memory);
    sum += memory[image->start];
    free(memory);
}

static void open_and_ask(const Module *module, const u8 *bytes, size_t size) {
    Artifact *artifact = NULL;
    Error *error =
        wr_artifact_open_bytes(module->engine, bytes, size, module, &base_options, &artifact);
    if (!error) {
        ask(artifact);
        take_image(artifact, module);
    }
    wr_artifact_unref(artifact);
    wr_error_delete(error);
}

/* As the command runs an artifact's file: with the module inside, whose bodies somebody vouched for. */
static void run_inside(Engine *engine, Artifact *artifact) {
    const u8 *bytes;
    u64 size;
    Module *module;
    wr_artifact_module(artifact, &bytes, &size);
    Error *error = wr_module_load_laid_out(engine, bytes, size, BYTES_BORROWED,
                                           wr_artifact_image(artifact), &module);
    if (!error) error = wr_artifact_bind(artifact, module);
    if (!error) {
        ask(artifact);
        take_image(artifact, module);
        error = wr_module_check_bodies(module, BODIES_WHEN_NEEDED);
    }
    for (u32 i = 0; !error && i < module->ncodes; i++)
        (void)wr_lazy_body(module, module->nimported_funcs + i, &error);
    wr_error_delete(error);
    wr_module_unref(module);
}

static void open_alone(Engine *engine, const u8 *bytes, size_t size) {
    Artifact *artifact = NULL;
    Error *error = wr_artifact_open_bytes(engine, bytes, size, NULL, NULL, &artifact);
    if (!error) run_inside(engine, artifact);
    wr_artifact_unref(artifact);
    wr_error_delete(error);
}

/* ---- the target ----------------------------------------------------------------------------- */

/* What makes an artifact one of this host: a checksum is no obstacle to whoever wants to do harm. */
static void make_plausible(u8 *bytes, size_t size, const u8 *head) {
    memcpy(bytes, head, HEAD_CHECKSUM);
    wr_artifact_seal(bytes, size);
}

static void try_artifact(const Module *module, const char *machine, const BaseFile *files,
                         const u8 *data, size_t size) {
    u8 *bytes, head[HEAD_CHECKSUM];
    size_t length;
    Error *error = base_link(module, machine, "", &files[0], &files[1], &bytes, &length);
    CHECK(!error);
    memcpy(head, bytes, sizeof head);
    change_all(bytes, length, data, size);
    make_plausible(bytes, length, head);
    open_and_ask(module, bytes, length);
    open_alone(module->engine, bytes, length);
    wr_free(&module->engine->alloc, bytes, length);
}

static void try_objects(const Module *module, const char *machine, BaseFile *files, const u8 *data,
                        size_t size) {
    u8 *bytes;
    size_t length;
    change_all(files[1].data, files[1].size, data, size);
    Error *error = base_link(module, machine, "", &files[0], &files[1], &bytes, &length);
    if (!error) {
        open_and_ask(module, bytes, length);
        wr_free(&module->engine->alloc, bytes, length);
    }
    wr_error_delete(error);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static const char *const machines[] = {"x86_64", "aarch64"};
    static BaseFile files[2];
    static BaseWithData base;
    Ledger ledger = {.limit = (size_t)64 << 20};
    Engine *engine;
    Module *module;
    if (size == 0 || *wr_os_machine() == 0) return 0;
    const char *machine = data[0] < 128 ? wr_os_machine() : machines[data[0] & 1];
    CHECK(base_read("main", machine, &files[0]) && base_read("other", machine, &files[1]));
    wr_config_t *config = all_features();
    wr_config_set_allocator(config, ledger_alloc, &ledger);
    CHECK(!wr_engine_new(config, &engine));
    base_with_data(&base);
    CHECK(!wr_module_load(engine, base.bytes, sizeof base.bytes, BYTES_BORROWED, &module));
    if (data[0] < 64)
        try_artifact(module, machine, files, data + 1, size - 1);
    else
        try_objects(module, machine, files, data + 1, size - 1);
    wr_module_unref(module);
    wr_engine_unref(engine);
    CHECK(ledger.live == 0);
    return 0;
}
