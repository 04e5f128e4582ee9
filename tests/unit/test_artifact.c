/* Artifacts: linking objects, opening, refusing damaged ones, calling what is in them, and what they say about
 * frames. The objects come from aot/(main, other).ll, compiled for both processors when the tests are built. */
#define _GNU_SOURCE 1
#include "module_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "artifact_base.h"
#include "artifact_image.h"
#include "debug_image.h"
#include "debugger.h"
#include "os.h"

/* ---- the module, the objects ---- */

typedef struct Fixture {
    FailAlloc state;
    Engine *engine;
    Wasm wasm;
    Module *module;
    BaseFile objects[2];
    u8 *bytes; /* the artifact */
    size_t size;
    const char *features; /* NULL: none */
} Fixture;

static Error *link_fixture(Fixture *x, const char *machine) {
    return base_link(x->module, machine, x->features ? x->features : "", &x->objects[0],
                     &x->objects[1], &x->bytes, &x->size);
}

static Fixture *set_up(const char *machine) {
    Fixture *x = calloc(1, sizeof *x);
    cr_assert_not_null(x);
    x->engine = new_test_engine(&x->state, NULL);
    wasm_bytes(&x->wasm, base_module, sizeof base_module);
    x->module = load_module(x->engine, &x->wasm);
    cr_assert(base_read("main", machine, &x->objects[0]));
    cr_assert(base_read("other", machine, &x->objects[1]));
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
        wr_artifact_open_bytes(x->engine, x->bytes, x->size, x->module, &base_options, &artifact));
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
    expect_none(wr_artifact_open_file(x->engine, path, x->module, &base_options, &first));
    expect_none(wr_artifact_open_file(x->engine, path, x->module, NULL, &second));
    cr_assert(wr_artifact_options(second)->guarded && !wr_artifact_options(second)->polled);
    cr_assert_eq(wr_artifact_options(second)->level, 2);
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

/* ---- frames ---- */

#define MAX_FRAMES 16u

typedef struct Walk {
    Context context; /* first: it is what compiled code gets */
    u32 nplaces;
    NativePlace places[MAX_FRAMES]; /* of all frames, innermost first */
    u32 nlandings;
    bool is_at_c; /* the last return address is in no artifact */
} Walk;

static void *load_pointer(const u8 *at) {
    void *p;
    memcpy(&p, at, sizeof p);
    return p;
}

/* Frames whose CFA needs a register that this does not have end the walk. */
static bool walk_one(Walk *walk, const u8 **pc, u8 **sp) {
    const Artifact *artifact = walk->context.artifact;
    UnwindRule rule;
    if (wr_artifact_at(*pc) != artifact) return !(walk->is_at_c = true);
    cr_assert(wr_artifact_unwind(artifact, *pc - 1, &rule));
    walk->nplaces += wr_artifact_places(artifact, *pc - 1, walk->places + walk->nplaces,
                                        MAX_FRAMES - walk->nplaces);
    i32 adjust = 1;
    bool takes;
    if (wr_artifact_landing(artifact, *pc, &adjust, &takes)) {
        walk->nlandings++;
        cr_assert_eq(adjust, 0);
    }
    if (rule.cfa_register != UNWIND_SP) return false;
    u8 *cfa = *sp + rule.cfa_offset;
    bool is_x86 = strcmp(wr_os_machine(), "x86_64") == 0;
    cr_assert(is_x86 || (rule.saved >> 11 & 1) != 0, "the return address is saved");
    *pc = load_pointer(cfa + (is_x86 ? -8 : rule.saved_at[11]));
    *sp = cfa;
    return true;
}

static void walk_from(Walk *walk, const u8 *pc, u8 *sp) {
    walk->nplaces = walk->nlandings = 0;
    while (walk_one(walk, &pc, &sp)) {
    }
}

static i32 walk_frames(Context *context, i32 x, void *sp) {
    walk_from((Walk *)(void *)context, __builtin_return_address(0), sp);
    return x;
}

static void expect_places(const Artifact *artifact, u32 func, i32 argument, u32 landings, bool to_c,
                          const NativePlace *places, u32 count) {
    Walk walk = {.context = {walk_frames, artifact, 0}};
    (void)run(artifact, func, argument, &walk.context);
    cr_assert_eq(walk.is_at_c, to_c);
    cr_assert_eq(walk.nlandings, landings);
    cr_assert_eq(walk.nplaces, count, "%u", walk.nplaces);
    for (u32 i = 0; i < count; i++) {
        cr_assert_eq(walk.places[i].func_index, places[i].func_index);
        cr_assert_eq(walk.places[i].offset, places[i].offset, "%llu",
                     (unsigned long long)walk.places[i].offset);
    }
}
#define EXPECT_PLACES(artifact, func, argument, landings, to_c, ...)                               \
    expect_places(artifact, func, argument, landings, to_c, (const NativePlace[]){__VA_ARGS__},    \
                  sizeof((const NativePlace[]){__VA_ARGS__}) / sizeof(NativePlace))

Test(artifact, unwinds_and_names_places) {
    Fixture *x = set_up_linked(wr_os_machine());
    Artifact *artifact = open_bytes(x);
    EXPECT_PLACES(artifact, 2, 5, 0, true, {2, 202});
    EXPECT_PLACES(artifact, 3, 5, 1, true, {2, 202}, {3, 301});
    EXPECT_PLACES(artifact, 4, 5, 0, false, {2, 202}, {4, 402}); /* its frame is aligned */
    /* the last of two calls of f2: f1 -> f6 -> f5 -> f3 -> f2 */
    EXPECT_PLACES(artifact, 1, 3, 1, true, {2, 202}, {3, 301}, {5, 502}, {6, 601}, {1, 104});
    wr_artifact_unref(artifact);
    tear_down(x);
}

static i32 walk_once(Context *context, i32 x, void *sp) {
    if (context->calls++ == 0) walk_from((Walk *)(void *)context, __builtin_return_address(0), sp);
    return x;
}

Test(artifact, names_inlined_functions) {
    Fixture *x = set_up_linked(wr_os_machine());
    Artifact *artifact = open_bytes(x);
    Walk walk = {.context = {walk_once, artifact, 0}};
    const NativePlace want[] = {{2, 202}, {4, 504}, {5, 501}, {6, 601}};
    (void)run(artifact, 6, 3, &walk.context);
    cr_assert(walk.is_at_c);
    cr_assert_eq(walk.nplaces, ARRAY_LEN(want));
    for (u32 i = 0; i < ARRAY_LEN(want); i++) {
        cr_assert_eq(walk.places[i].func_index, want[i].func_index);
        cr_assert_eq(walk.places[i].offset, want[i].offset);
    }
    wr_artifact_unref(artifact);
    tear_down(x);
}

/* ---- refusing ---- */

static void expect_refused(const Fixture *x, const NativeOptions *wanted, const char *message) {
    Artifact *artifact = NULL;
    Error *error =
        wr_artifact_open_bytes(x->engine, x->bytes, x->size, x->module, wanted, &artifact);
    cr_assert_not_null(error);
    cr_assert_not_null(strstr(wr_error_message(error), message), "%s", wr_error_message(error));
    wr_error_delete(error);
}

Test(artifact, is_for_one_processor) {
    const char *machines[] = {"x86_64", "aarch64"};
    for (u32 i = 0; i < 2; i++) {
        Fixture *x = set_up_linked(machines[i]);
        if (strcmp(machines[i], wr_os_machine()) != 0)
            expect_refused(x, &base_options, "another processor");
        tear_down(x);
    }
}

Test(artifact, is_for_one_module_and_its_options) {
    Fixture *x = set_up_linked(wr_os_machine());
    NativeOptions other = base_options;
    other.guarded = false;
    expect_refused(x, &other, "other options");
    x->wasm.data[x->wasm.size - 2] ^= 1; /* borrowed by the module */
    expect_refused(x, &base_options, "another module");
    x->wasm.data[x->wasm.size - 2] ^= 1;
    other = base_options;
    other.level = 3; /* of no consequence */
    Artifact *artifact = NULL;
    expect_none(wr_artifact_open_bytes(x->engine, x->bytes, x->size, x->module, &other, &artifact));
    wr_artifact_unref(artifact);
    tear_down(x);
}

Test(artifact, is_for_processors_with_its_features) {
    bool is_x86 = strcmp(wr_os_machine(), "x86_64") == 0;
    Fixture *x = set_up(wr_os_machine());
    Artifact *artifact = NULL;
    x->features = is_x86 ? "+sse2,-xop,+64bit" : "+neon,-sve";
    expect_none(link_fixture(x, wr_os_machine()));
    expect_none(
        wr_artifact_open_bytes(x->engine, x->bytes, x->size, x->module, &base_options, &artifact));
    wr_artifact_unref(artifact);
    wr_free(&x->engine->alloc, x->bytes, x->size);
    x->features = is_x86 ? "+sse2,+no-such" : "+neon,+no-such";
    expect_none(link_fixture(x, wr_os_machine()));
    expect_refused(x, &base_options, "this processor lacks no-such");
    tear_down(x);
}

/* ---- damage ---- */

static bool opens(const Fixture *x, const u8 *bytes, size_t size, Artifact **artifact) {
    Error *error =
        wr_artifact_open_bytes(x->engine, bytes, size, x->module, &base_options, artifact);
    bool ok = !error;
    wr_error_delete(error);
    return ok;
}

/* Whether a byte is worth a test of its own: long runs of zeros are tried here and there. */
static bool is_tried(const u8 *bytes, size_t size, size_t i) {
    if (i < 512 || i % 61 == 0) return true;
    for (size_t k = i - 8; k < i + 8 && k < size; k++)
        if (bytes[k] != 0) return true;
    return false;
}

Test(artifact, is_refused_with_any_byte_changed) {
    Fixture *x = set_up_linked(wr_os_machine());
    for (size_t i = 0; i < x->size; i++) {
        if (!is_tried(x->bytes, x->size, i)) continue;
        Artifact *artifact = NULL;
        u8 before = x->bytes[i];
        x->bytes[i] = (u8)(before ^ (1u << i % 8));
        cr_assert_not(opens(x, x->bytes, x->size, &artifact), "byte %zu", i);
        x->bytes[i] = before;
    }
    tear_down(x);
}

Test(artifact, is_refused_at_any_other_length) {
    Fixture *x = set_up_linked(wr_os_machine());
    for (size_t size = 0; size < x->size; size += size < 1000 ? 1 : 97) {
        Artifact *artifact = NULL;
        u8 *exact = malloc(size + 1); /* so that reading beyond is noticed */
        memcpy(exact, x->bytes, size);
        cr_assert_not(opens(x, exact, size, &artifact), "size %zu", size);
        free(exact);
    }
    tear_down(x);
}

/* Everything that can be asked, at every address, and a little outside. */
static void ask_all(const Artifact *artifact) {
    const PartView *code = &artifact->parts[PART_CODE];
    NativePlace places[4];
    UnwindRule rule;
    i32 adjust;
    bool takes;
    u64 sum = 0;
    for (u32 at = 0; at < code->size + 2; at++) {
        const u8 *pc = code->data + at - 1;
        sum += wr_artifact_unwind(artifact, pc, &rule) ? rule.saved : 0;
        sum += wr_artifact_landing(artifact, pc, &adjust, &takes) != NULL;
        sum += wr_artifact_places(artifact, pc, places, ARRAY_LEN(places));
    }
    for (u32 i = 0; i < 12; i++) {
        const u8 *f = wr_artifact_code(artifact, i);
        cr_assert(!f || (f >= code->data && f < code->data + code->size));
        sum += wr_artifact_entry(artifact, i) != NULL;
    }
    cr_assert(sum != 1);
}

/* What the checksum does not stop: somebody who makes a new one. Only the machine code itself is beyond
 * checking, so nothing is run. */
Test(artifact, holds_when_damaged_with_a_new_checksum) {
    Fixture *x = set_up_linked(wr_os_machine());
    static const u32 values[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 4096, 0x01010101};
    u32 opened = 0;
    for (size_t i = 0; i + 4 <= x->size; i += 4) {
        if (!is_tried(x->bytes, x->size, i)) continue;
        u8 before[4];
        memcpy(before, x->bytes + i, 4);
        u32 value = values[i / 4 % ARRAY_LEN(values)];
        le32_store(x->bytes + i, i % 8 == 0 ? value : le32_load(before) + 4 * value);
        wr_artifact_seal(x->bytes, x->size);
        Artifact *artifact = NULL;
        if (opens(x, x->bytes, x->size, &artifact)) {
            opened++;
            ask_all(artifact);
            wr_artifact_unref(artifact);
        }
        memcpy(x->bytes + i, before, 4);
    }
    cr_assert_gt(opened, 100u);
    tear_down(x);
}

/* ---- out of memory ---- */

Test(artifact, survives_failing_allocations) {
    Fixture *x = set_up(wr_os_machine());
    bool done = false;
    for (size_t n = 1; !done; n++) {
        Artifact *artifact = NULL;
        x->state.calls = 0;
        x->state.fail_at = n;
        x->state.sticky = n % 2 == 0;
        Error *error = link_fixture(x, wr_os_machine());
        if (!error)
            error = wr_artifact_open_bytes(x->engine, x->bytes, x->size, x->module, &base_options,
                                           &artifact);
        done = !error;
        x->state.fail_at = 0;
        cr_assert(done || wr_error_kind(error) == WR_ERROR_MEMORY);
        wr_error_delete(error);
        wr_artifact_unref(artifact);
        wr_free(&x->engine->alloc, x->bytes, x->size);
        x->bytes = NULL;
    }
    tear_down(x);
}

/* ---- objects that are wrong ---- */

static void expect_links_or_not(Fixture *x, const char *machine) {
    Error *error = link_fixture(x, machine);
    if (!error && strcmp(machine, wr_os_machine()) == 0) {
        Artifact *artifact = NULL;
        if (opens(x, x->bytes, x->size, &artifact)) {
            ask_all(artifact);
            wr_artifact_unref(artifact);
        }
    }
    if (!error) wr_free(&x->engine->alloc, x->bytes, x->size);
    x->bytes = NULL;
    wr_error_delete(error);
}

Test(artifact, damaged_objects_are_linked_or_refused) {
    const char *machines[] = {"x86_64", "aarch64"};
    for (u32 k = 0; k < 2; k++) {
        Fixture *x = set_up(machines[k]);
        for (size_t i = 0; i < x->objects[1].size; i++) {
            u8 *byte = &x->objects[1].data[i], before = *byte;
            *byte = i % 3 == 0 ? 0xFF : i % 3 == 1 ? (u8)(before + 1) : (u8)(before ^ 0x80);
            expect_links_or_not(x, machines[k]);
            *byte = before;
        }
        tear_down(x);
    }
}

/* ---- for debuggers -------------------------------------------------------------------------- */

typedef struct ElfSection {
    const u8 *data;
    u64 address, size;
} ElfSection;

/* Section i of an ELF-64 file; all but code lie within it. */
static ElfSection elf_section(const Buffer *file, u32 i) {
    const u8 *head = file->data + le64_load(file->data + 40) + 64 * (size_t)i;
    u64 place = le64_load(head + 24), size = le64_load(head + 32);
    bool is_code = le32_load(head + 4) == 8;
    cr_assert(is_code || place + size <= file->size);
    return (ElfSection){file->data + place, le64_load(head + 16), size};
}

static void expect_symbols(const ElfSection *symbols, const ElfSection *names,
                           const ElfSection *text) {
    cr_assert_eq(symbols->size % 24, 0);
    u32 found = 0;
    for (u64 at = 24; at < symbols->size; at += 24) {
        const u8 *symbol = symbols->data + at;
        u32 name = le32_load(symbol);
        cr_assert_lt(name, names->size);
        cr_assert_leq(le64_load(symbol + 8) + le64_load(symbol + 16), text->size);
        found += strcmp((const char *)names->data + name, "function[2]") == 0;
    }
    cr_assert_eq(found, 1);
    cr_assert_eq(names->data[names->size - 1], 0);
}

/* As many frame descriptions as symbols, each of whole words, and one in common. */
static void expect_frames(const ElfSection *frames, u64 count, const ElfSection *text) {
    u64 at = 0, described = 0;
    while (at < frames->size) {
        const u8 *record = frames->data + at;
        u32 size = le32_load(record);
        cr_assert_eq((at + 4 + size) % 8, 0);
        if (at == 0)
            cr_assert_eq(le32_load(record + 4), UINT32_MAX);
        else
            cr_assert_lt(le64_load(record + 8) - text->address, text->size);
        described += at != 0;
        at += 4 + (u64)size;
    }
    cr_assert_eq(at, frames->size);
    cr_assert_eq(described, count);
}

Test(artifact, debuggers_get_an_image) {
    Fixture *x = set_up_linked(wr_os_machine());
    Artifact *artifact = open_bytes(x);
    Buffer file;
    wr_buffer_init(&file, &x->engine->alloc, BUFFER_MAX);
    wr_debug_image(x->module, artifact, &file);
    cr_assert(!file.failed);
    cr_assert_eq(memcmp(file.data, "\177ELF\2\1\1", 7), 0);
    ElfSection text = elf_section(&file, 1), symbols = elf_section(&file, 2),
               names = elf_section(&file, 3), frames = elf_section(&file, 4);
    cr_assert_eq(text.address, (uintptr_t)artifact->parts[PART_CODE].data);
    expect_symbols(&symbols, &names, &text);
    expect_frames(&frames, symbols.size / 24 - 1, &text);
    wr_buffer_free(&file);
    wr_artifact_unref(artifact);
    tear_down(x);
}

/* What was told to debuggers goes with the artifact, and memory that is missing is no error. */
Test(artifact, debuggers_are_told) {
    Fixture *x = set_up_linked(wr_os_machine());
    for (size_t nth = 0;; nth++) {
        Artifact *artifact = open_bytes(x);
        x->state.calls = 0;
        x->state.fail_at = nth;
        wr_debugger_add(x->module, artifact);
        bool is_done = nth > 0 && x->state.calls < nth;
        x->state.fail_at = 0;
        cr_assert(nth > 0 && !is_done ? artifact->debug == NULL : artifact->debug != NULL);
        wr_artifact_unref(artifact);
        if (is_done) break;
    }
    tear_down(x);
}
