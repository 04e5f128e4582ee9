/* Artifacts: linking objects, opening, refusing damaged ones, calling what is in them, and what they say about
 * frames. The objects come from aot/(main, other).ll, compiled for both processors when the tests are built. */
#define _GNU_SOURCE 1
#include "module_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "artifact.h"
#include "format.h"
#include "linker.h"
#include "os.h"

/* ---- the module, the objects ---- */

#define OWN_FUNCS 9u /* functions 1 to 9; 0 is imported */

static Wasm make_module(void) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 2, 0x60, 1, I32, 1, I32, 0x60, 1, 0x7C, 1, 0x7C);
    wasm_open(&w, S_IMPORT);
    wasm_u32(&w, 1);
    wasm_import(&w, "m", "f", X_FUNC);
    BYTES(&w, 0);
    wasm_close(&w);
    SECTION(&w, S_FUNC, OWN_FUNCS, 0, 0, 0, 0, 0, 0, 1, 1, 0);
    wasm_open(&w, S_CODE);
    wasm_u32(&w, OWN_FUNCS);
    for (u32 i = 0; i < OWN_FUNCS; i++) BODY(&w, 0, LOCAL_GET, 0, END);
    wasm_close(&w);
    return w;
}

typedef struct File {
    u8 data[1 << 16];
    size_t size;
} File;

static void read_object(const char *name, const char *machine, File *file) {
    char path[1000];
    (void)snprintf(path, sizeof path, "%s/%s.%s.o", WR_OBJECTS_DIR, name, machine);
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    file->size = fread(file->data, 1, sizeof file->data, f);
    cr_assert(file->size > 0 && file->size < sizeof file->data);
    (void)fclose(f);
}

typedef struct Fixture {
    FailAlloc state;
    Engine *engine;
    Wasm wasm;
    Module *module;
    File objects[2];
    u8 *bytes; /* the artifact */
    size_t size;
} Fixture;

static const u32 shapes[] = {0, 1};
static const bool left_out[OWN_FUNCS + 1] = {[9] = true};
static const NativeOptions options = {.guarded = true, .level = 2};

static Error *link_fixture(Fixture *x, const char *machine) {
    char triple[50];
    (void)snprintf(triple, sizeof triple, "%s-unknown-linux-gnu", machine);
    LinkPlan plan = {.module = x->module,
                     .options = options,
                     .triple = triple,
                     .cpu = "generic",
                     .features = "",
                     .shapes = shapes,
                     .nshapes = 2,
                     .guarded_memories = 5,
                     .left_out = left_out};
    ObjectFile files[] = {{x->objects[0].data, x->objects[0].size},
                          {x->objects[1].data, x->objects[1].size}};
    return wr_aot_link(&plan, files, 2, &x->bytes, &x->size);
}

static Fixture *set_up(const char *machine) {
    Fixture *x = calloc(1, sizeof *x);
    cr_assert_not_null(x);
    x->engine = new_test_engine(&x->state, NULL);
    x->wasm = make_module();
    x->module = load_module(x->engine, &x->wasm);
    read_object("main", machine, &x->objects[0]);
    read_object("other", machine, &x->objects[1]);
    return x;
}

static void expect_none(Error *error) {
    cr_assert_null(error, "%s", error ? wr_error_message(error) : "");
}

static Fixture *set_up_linked(const char *machine) {
    Fixture *x = set_up(machine);
    expect_none(link_fixture(x, machine));
    return x;
}

static void tear_down(Fixture *x) {
    wr_free(&x->engine->alloc, x->bytes, x->size);
    wr_module_unref(x->module);
    wr_engine_unref(x->engine);
    cr_assert_eq(x->state.live_bytes, 0);
    free(x);
}

static Artifact *open_bytes(const Fixture *x) {
    Artifact *artifact = NULL;
    expect_none(
        wr_artifact_open_bytes(x->engine, x->bytes, x->size, x->module, &options, &artifact));
    return artifact;
}

/* ---- running ---- */

/* What main.ll finds behind its context. */
typedef struct Context {
    i32 (*call)(struct Context *context, i32 x, void *sp);
    const Artifact *artifact;
    u32 calls;
} Context;

typedef i32 (*IntCode)(Context *context, i32 x);
typedef f64 (*FloatCode)(Context *context, f64 x);
typedef void (*Entry)(Context *context, const void *code, Slot *slots);

static i32 add_1000(Context *context, i32 x, void *sp) {
    (void)sp;
    context->calls++;
    return x + 1000;
}

static i32 run(const Artifact *artifact, u32 func, i32 x, Context *context) {
    Slot slot = {.u64 = (u32)x};
    const void *entry = wr_artifact_entry(artifact, func);
    cr_assert_not_null(entry);
    ((Entry)(uintptr_t)entry)(context, wr_artifact_code(artifact, func), &slot);
    return slot.i32;
}

/* By main.ll and other.ll: f2(x) = call(x) + x, f3 = f2, f4 = f2 + 5, f5(x) = f3(f2(x)), f6 = f5 + 1. */
static void expect_runs(const Artifact *artifact) {
    Context context = {add_1000, artifact, 0};
    cr_assert_eq(run(artifact, 2, 5, &context), 1010);
    cr_assert_eq(run(artifact, 3, 5, &context), 1010);
    cr_assert_eq(run(artifact, 4, 5, &context), 1015);
    cr_assert_eq(run(artifact, 5, 5, &context), 3020);
    cr_assert_eq(run(artifact, 6, 5, &context), 3021);
    cr_assert_eq(run(artifact, 1, 0, &context), 2 * (1000 + 2 * 100) + 1000 + 1);
    cr_assert_eq(run(artifact, 1, 1, &context), 1002 + 7);
    cr_assert_eq(run(artifact, 1, 2, &context), 21);
    cr_assert_eq(run(artifact, 1, 3, &context), 5 * (2 * (1000 + 2 * 3) + 1000 + 1));
    cr_assert_eq(run(artifact, 1, 4, &context), -7);
    cr_assert_eq(run(artifact, 1, 5, &context), 5);
    FloatCode f8 = (FloatCode)(uintptr_t)wr_artifact_code(artifact, 8);
    cr_assert(f8(&context, 2.5) == (3 * 3.25 + 0.5) * 2 + 1.5);
}

static void expect_lists(const Artifact *artifact) {
    cr_assert_null(wr_artifact_code(artifact, 0));
    cr_assert_null(wr_artifact_code(artifact, 9), "a stub is no code");
    cr_assert_null(wr_artifact_code(artifact, 10));
    cr_assert_null(wr_artifact_code(artifact, UINT32_MAX));
    cr_assert_null(wr_artifact_tail_code(artifact, 1));
    cr_assert_not_null(wr_artifact_tail_code(artifact, 7));
    cr_assert_neq(wr_artifact_tail_code(artifact, 7), wr_artifact_code(artifact, 7));
    cr_assert_eq(wr_artifact_entry(artifact, 1), wr_artifact_entry(artifact, 6));
    cr_assert_null(wr_artifact_entry(artifact, 8), "no object has this shape's");
    cr_assert_eq(wr_artifact_guarded_memories(artifact), 5u);
}

Test(artifact, runs_from_bytes) {
    Fixture *x = set_up_linked(wr_os_machine());
    Artifact *artifact = open_bytes(x);
    expect_lists(artifact);
    expect_runs(artifact);
    wr_artifact_unref(wr_artifact_ref(artifact));
    expect_runs(artifact);
    wr_artifact_unref(artifact);
    tear_down(x);
}

static void write_file(const char *path, const Fixture *x) {
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(x->bytes, 1, x->size, f), x->size);
    cr_assert_eq(fclose(f), 0);
}

Test(artifact, runs_from_a_file) {
    Fixture *x = set_up_linked(wr_os_machine());
    char path[] = "artifact-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(close(fd), 0);
    write_file(path, x);
    Artifact *first = NULL, *second = NULL;
    expect_none(wr_artifact_open_file(path, x->module, &options, &first));
    expect_none(wr_artifact_open_file(path, x->module, &options, &second));
    cr_assert_eq(remove(path), 0);
    cr_assert_neq(wr_artifact_code(first, 1), wr_artifact_code(second, 1));
    cr_assert_eq(wr_artifact_at(wr_artifact_code(first, 1)), first);
    cr_assert_eq(wr_artifact_at(wr_artifact_code(second, 1)), second);
    expect_lists(first);
    expect_runs(first);
    wr_artifact_unref(first);
    expect_runs(second);
    cr_assert_eq(wr_artifact_at(wr_artifact_code(second, 1)), second);
    wr_artifact_unref(second);
    tear_down(x);
}
