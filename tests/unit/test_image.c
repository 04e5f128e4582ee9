/* Images in artifacts: what a memory holds at first, laid out by the linker and mapped by instances. The artifacts have no
 * code: all functions are interpreted. */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <unistd.h>

#include "artifact_image.h"
#include "linker.h"
#include "os.h"
#include "store.h"
#include "text_support.h"

#define PAGES "3" /* of the memory, in most of these modules */
#define MEMORY (3u << 16)

typedef struct Linked {
    Bench b;
    wr_module_t *plain; /* what it is made from */
    u8 *bytes;
    size_t size;
    char path[32];
} Linked;

/* `text` with each '@' replaced by 40,000 letters. */
static char *with_data(const char *text) {
    char *out = calloc(1, strlen(text) + 400000), *at = out;
    cr_assert_not_null(out);
    for (; *text; text++) {
        if (*text != '@')
            *at++ = *text;
        else
            for (u32 i = 0; i < 40000; i++) *at++ = (char)('a' + i % 23);
    }
    return out;
}

static void write_file(Linked *x) {
    strcpy(x->path, "image-XXXXXX");
    int fd = mkstemp(x->path);
    cr_assert(fd >= 0 && write(fd, x->bytes, x->size) == (ssize_t)x->size && close(fd) == 0);
}

static Linked *link_text(const char *text) {
    static const bool left_out[8] = {true, true, true, true, true, true, true, true};
    static const u32 shapes[8];
    Linked *x = calloc(1, sizeof *x);
    char *full = with_data(text), triple[50];
    cr_assert_not_null(x);
    x->b = bench_new(NULL);
    x->plain = text_module(&x->b, full);
    free(full);
    (void)snprintf(triple, sizeof triple, "%s-unknown-linux-gnu", wr_os_machine());
    LinkPlan plan = {.module = x->plain,
                     .options = {.guarded = true, .level = 2},
                     .triple = triple,
                     .cpu = "generic",
                     .features = "",
                     .shapes = shapes,
                     .guarded_memories = 1,
                     .left_out = left_out};
    must(wr_aot_link(&plan, NULL, 0, &x->bytes, &x->size));
    write_file(x);
    return x;
}

static void tear_down(Linked *x) {
    (void)remove(x->path);
    wr_free(&x->b.engine->alloc, x->bytes, x->size);
    wr_module_delete(x->plain);
    bench_delete(&x->b);
    free(x);
}

static Artifact *open_file(Linked *x) {
    Artifact *artifact = NULL;
    must(wr_artifact_open_file(x->b.engine, x->path, x->plain, NULL, &artifact));
    return artifact;
}

static bool has_image(const char *text) {
    Linked *x = link_text(text);
    Artifact *artifact = open_file(x);
    bool has = wr_artifact_image(artifact) != NULL;
    cr_assert_eq(artifact->is_open, has, "the file is open for nothing else");
    wr_artifact_unref(artifact);
    tear_down(x);
    return has;
}

/* ---- what it holds ---- */

static wr_instance_t *instance_of(Linked *x, wr_module_t *module) {
    wr_instance_t *instance = NULL;
    must(wr_linker_instantiate(x->b.linker, x->b.store, module, &instance));
    return instance;
}

static void expect_same(const wr_instance_t *a, const wr_instance_t *b) {
    cr_assert_eq(a->memories[0]->size, b->memories[0]->size);
    cr_assert_arr_eq(a->memories[0]->base, b->memories[0]->base, a->memories[0]->size);
}

/* Opened alone, so that no segment is looked at, and with its module; two instances, of which one writes. */
static void expect_holds(const char *text) {
    Linked *x = link_text(text);
    wr_module_t *opened = NULL;
    must(wr_artifact_open(x->b.engine, x->path, &opened));
    cr_assert_not_null(opened->image);
    cr_assert_null(opened->datas);
    cr_assert_eq(opened->ndatas, x->plain->ndatas);
    wr_instance_t *plain = instance_of(x, x->plain), *first = instance_of(x, opened);
    expect_same(plain, first);
    memset(first->memories[0]->base, 1, first->memories[0]->size);
    wr_instance_t *second = instance_of(x, opened);
    expect_same(plain, second);
    for (u32 i = 0; i < opened->ndatas; i++) cr_assert(second->dropped_datas[i]);
    wr_module_add_artifact(x->plain, open_file(x));
    cr_assert_not_null(x->plain->image);
    expect_same(plain, instance_of(x, x->plain));
    wr_module_delete(opened);
    tear_down(x);
}

Test(image, holds_what_the_segments_would_write) {
    expect_holds("(module (memory " PAGES ") (data (i32.const 0) \"@\"))");
    expect_holds("(module (memory " PAGES
                 " 9) (data (i32.const 30001) \"@\") (data (i32.const 3) \"x\"))");
    /* one over the other, in order; one of nothing; up to the last byte */
    expect_holds("(module (memory " PAGES ") (data (i32.const 50000) \"@\")"
                 " (data (i32.const 70000) \"over\") (data (i32.const 1) \"\")"
                 " (data (i32.const 196608) \"\") (data (i32.const 110000) \"@\")"
                 " (data (i32.const 156608) \"@\"))");
}

/* Whatever its elements are worth: writes what it wrote, and grows. */
Test(image, is_a_memory_like_others) {
    Linked *x = link_text(
        "(module (memory 1 4) (data (i32.const 8) \"@\")"
        " (func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
        " (func (export \"init\") (param i32) (result i32)"
        "  (memory.init 0 (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 1))"
        " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))");
    wr_module_t *opened = NULL;
    must(wr_artifact_open(x->b.engine, x->path, &opened));
    wr_instance_t *instance = instance_of(x, opened);
    cr_assert_eq(get_i32(&x->b, instance, "load", 8), 'a');
    cr_assert_eq(get_i32(&x->b, instance, "init", 0), 1);
    must_trap(call_i32(&x->b, instance, "init", 1, NULL), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(get_i32(&x->b, instance, "grow", 3), 1);
    cr_assert_eq(get_i32(&x->b, instance, "load", 4 * 65536 - 1), 0);
    must_trap(call_i32(&x->b, instance, "load", 4 * 65536, NULL), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    wr_module_delete(opened);
    tear_down(x);
}

/* ---- which modules have one ---- */

Test(image, is_there_only_if_it_is_the_same_for_sure) {
    cr_assert(has_image("(module (memory 1) (data (i32.const 0) \"@\"))"));
    cr_assert_not(has_image("(module (memory 1) (data (i32.const 0) \"small\"))"));
    cr_assert_not(has_image("(module (memory 1) (data \"@\"))"));
    cr_assert_not(has_image("(module (memory 1) (data (i32.const 0) \"@\") (data \"x\"))"));
    cr_assert_not(has_image("(module (memory 0) (data (i32.const 0) \"@\"))"));
    cr_assert_not(has_image("(module (memory 1) (data (i32.const 25537) \"@\"))"));
    cr_assert_not(
        has_image("(module (memory 1) (data (i32.const -1) \"\") (data (i32.const 0) \"@\"))"));
    cr_assert_not(has_image("(module (memory 1) (memory 1) (data (i32.const 0) \"@\")"
                            " (data (memory 1) (i32.const 0) \"x\"))"));
    cr_assert_not(has_image(
        "(module (memory 9) (data (i32.const 0) \"@\") (data (i32.const 500000) \"x\"))"));
    cr_assert_not(has_image("(module (import \"m\" \"m\" (memory 1)) (data (i32.const 0) \"@\"))"));
    cr_assert_not(has_image("(module (import \"m\" \"t\" (table 1 funcref)) (memory 1)"
                            " (data (i32.const 0) \"@\"))"));
    cr_assert_not(has_image("(module (import \"m\" \"g\" (global i32)) (memory 1)"
                            " (data (global.get 0) \"@\"))"));
    cr_assert_not(has_image("(module (memory 1 1 shared) (data (i32.const 0) \"@\"))"));
}

/* ---- with bytes that somebody changed ---- */

static void expect_refused(Linked *x, const char *message) {
    Artifact *artifact = NULL;
    wr_module_t *module = NULL;
    wr_artifact_seal(x->bytes, x->size);
    must_fail(wr_artifact_open_bytes(x->b.engine, x->bytes, x->size, x->plain, NULL, &artifact),
              WR_ERROR_MALFORMED, message);
    write_file(x);
    must_fail(wr_artifact_open(x->b.engine, x->path, &module), WR_ERROR_MALFORMED, message);
    (void)remove(x->path);
}

Test(image, lies_in_its_memory) {
    Linked *x = link_text("(module (memory " PAGES ") (data (i32.const 70001) \"@\"))");
    (void)remove(x->path);
    u8 *start = x->bytes + HEAD_IMAGE;
    u64 right = le64_load(start);
    le64_store(start, right + 1);
    expect_refused(x, "unusable artifact: image is not in pages of its own");
    le64_store(start, MEMORY);
    expect_refused(x, "unusable artifact: image outside of the memory");
    le64_store(start, (u64)0 - MEMORY);
    expect_refused(x, "unusable artifact: image outside of the memory");
    le64_store(start, right);
    write_file(x);
    tear_down(x);
}
