/*
 * test_wasi_given.c - what an embedder gives a guest instead of the host's own: streams in memory and of host
 * descriptors, clocks, randomness.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "embed_support.h"

/* Imports what it needs; `do` copies standard input to fd 1, and reads clock and random bytes. */
static const char *const text =
    "(module (import \"wasi_snapshot_preview1\" \"fd_read\""
    "  (func $read (param i32 i32 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_write\""
    "  (func $write (param i32 i32 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"clock_time_get\""
    "  (func $time (param i32 i64 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"random_get\" (func $random (param i32 i32) (result "
    "i32)))"
    " (import \"wasi_snapshot_preview1\" \"poll_oneoff\""
    "  (func $poll (param i32 i32 i32 i32) (result i32)))"
    " (memory (export \"memory\") 1)"
    /* iovec at 0: 16 bytes at 64; count at 8 */
    " (func (export \"copy\") (param i32) (result i32) (local i32)"
    "  (loop (result i32)"
    "   (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 16))"
    "   (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"
    "   (i32.store (i32.const 4) (i32.load (i32.const 8)))"
    "   (drop (call $write (local.get 0) (i32.const 0) (i32.const 1) (i32.const 12)))"
    "   (local.set 1 (i32.add (local.get 1) (i32.load (i32.const 8))))"
    "   (br_if 0 (i32.load (i32.const 8))) (local.get 1)))"
    " (func (export \"time\") (param i32) (result i32)"
    "  (drop (call $time (local.get 0) (i64.const 1) (i32.const 16))) (i32.load (i32.const 16)))"
    " (func (export \"random\") (param i32) (result i32)"
    "  (call $random (i32.const 256) (local.get 0)))"
    /* one subscription at 512: the monotonic clock, relative, so many ns */
    " (func (export \"sleep\") (param i32) (result i32)"
    "  (i32.store (i32.const 528) (i32.const 1))"
    "  (i64.store (i32.const 536) (i64.extend_i32_u (local.get 0)))"
    "  (call $poll (i32.const 512) (i32.const 600) (i32.const 1) (i32.const 700))))";

typedef struct Given {
    Bench b;
    wr_wasi_t *wasi;
    wr_instance_t *instance;
} Given;

static Given given_new(void) {
    Given g = {.b = bench_new(NULL), .wasi = wr_wasi_new()};
    uint8_t *bytes;
    size_t size;
    wr_module_t *module;
    must(wr_wasi_link(g.wasi, g.b.linker));
    must(wr_wat_to_wasm(text, strlen(text), NULL, true, &bytes, &size));
    must(wr_module_new(g.b.engine, bytes, size, &module));
    must(wr_linker_instantiate(g.b.linker, g.b.store, module, &g.instance));
    wr_bytes_delete(bytes, size);
    wr_module_delete(module);
    return g;
}

static void given_delete(Given *g) {
    bench_delete(&g->b);
    wr_wasi_delete(g->wasi);
}

Test(wasi_given, bytes) {
    Given g = given_new();
    const char *out;
    char input[1000];
    for (size_t i = 0; i < sizeof input; i++) input[i] = (char)(i * 7);
    must(wr_wasi_set_input(g.wasi, input, sizeof input));
    must(wr_wasi_capture(g.wasi, 1, 1500));
    cr_assert_eq(get_i32(&g.b, g.instance, "copy", 1), 1000);
    cr_assert_eq(wr_wasi_captured(g.wasi, 1, &out), sizeof input);
    cr_assert_eq(memcmp(out, input, sizeof input), 0);
    must(wr_wasi_set_input(g.wasi, input, 600)); /* from the beginning, and now it is too much */
    must_fail(call_i32(&g.b, g.instance, "copy", 1, NULL), WR_ERROR_TRAP,
              "the guest has written more than 1500 bytes");
    must(wr_wasi_capture(g.wasi, 2, SIZE_MAX));
    must(wr_wasi_set_input(g.wasi, NULL, 0));
    cr_assert_eq(get_i32(&g.b, g.instance, "copy", 2), 0);
    cr_assert_eq(wr_wasi_captured(g.wasi, 2, &out), 0u);
    must_fail(wr_wasi_capture(g.wasi, 0, 1), WR_ERROR_USAGE, "no standard stream 0");
    must_fail(wr_wasi_capture(g.wasi, 3, 1), WR_ERROR_USAGE, "no standard stream 3");
    given_delete(&g);
}

static wr_error_t *take(void *context, const void *bytes, size_t size) {
    size_t *taken = context;
    (void)bytes;
    *taken += size;
    return *taken > 30 ? wr_trap_new("enough") : NULL;
}

/* Gives a byte at a time, and then falls silent. */
static void answer_read(void *context, void *bytes, size_t size, size_t *done, wr_error_t **error) {
    int *left = context;
    cr_assert(size > 0);
    if (*left == 0) return;
    memcpy(bytes, "x", 1);
    *done = 1;
    *error = --*left < 100 ? NULL : wr_trap_new("enough");
}
static void answer_write(void *context, const void *bytes, size_t size, wr_error_t **error) {
    cr_assert(size == 1 && memcmp(bytes, "x", 1) == 0);
    ++*(int *)context;
    *error = NULL;
}

Test(wasi_given, callbacks) {
    Given g = given_new();
    int left = 3, written = 0;
    must(wr_wasi_set_callbacks(g.wasi, 0, &(wr_wasi_callbacks_t){answer_read, NULL, &left}));
    must(wr_wasi_set_callbacks(g.wasi, 1, &(wr_wasi_callbacks_t){NULL, answer_write, &written}));
    must_fail(call_i32(&g.b, g.instance, "copy", 1, NULL), WR_ERROR_TRAP,
              "the stream gave no answer");
    cr_assert_eq(written, 3);
    left = 200;
    must_fail(call_i32(&g.b, g.instance, "copy", 1, NULL), WR_ERROR_TRAP, "enough");
    must_fail(wr_wasi_set_callbacks(g.wasi, 3, &(wr_wasi_callbacks_t){0}), WR_ERROR_USAGE,
              "no standard stream 3");
    given_delete(&g);
}

Test(wasi_given, further_descriptors) {
    Given g = given_new();
    size_t taken = 0;
    uint32_t fd;
    must(wr_wasi_add_stream(g.wasi, &(wr_wasi_stream_t){.write = take, .context = &taken}, &fd));
    cr_assert_eq(fd, 3u);
    must(wr_wasi_set_input(g.wasi, "twenty bytes, no more", 20));
    cr_assert_eq(get_i32(&g.b, g.instance, "copy", (int32_t)fd), 20);
    cr_assert_eq(taken, 20u);
    must(wr_wasi_set_input(g.wasi, "twenty bytes, no more", 20));
    must_fail(call_i32(&g.b, g.instance, "copy", (int32_t)fd, NULL), WR_ERROR_TRAP, "enough");
    given_delete(&g);
}

Test(wasi_given, pipes) {
    Given g = given_new();
    int in[2], out[2];
    char buffer[32];
    cr_assert(pipe(in) == 0 && pipe(out) == 0);
    cr_assert_eq(write(in[1], "through pipes", 13), 13);
    close(in[1]);
    must(wr_wasi_set_host_stream(g.wasi, 0, in[0]));
    must(wr_wasi_set_host_stream(g.wasi, 1, out[1]));
    close(in[0]);
    close(out[1]);
    cr_assert_eq(get_i32(&g.b, g.instance, "copy", 1), 13);
    cr_assert_eq(read(out[0], buffer, sizeof buffer), 13);
    cr_assert_eq(memcmp(buffer, "through pipes", 13), 0);
    close(out[0]);
    must_fail(wr_wasi_set_host_stream(g.wasi, 1, 12345), WR_ERROR_IO, "descriptor 12345");
    must_fail(wr_wasi_set_host_stream(g.wasi, 3, 1), WR_ERROR_USAGE, "no standard stream 3");
    given_delete(&g);
}

static bool my_now(void *context, uint32_t clock, uint64_t *nanoseconds) {
    *nanoseconds = *(uint64_t *)context + clock;
    return clock < 2;
}
static void my_sleep(void *context, uint64_t nanoseconds) { *(uint64_t *)context += nanoseconds; }

Test(wasi_given, clocks) {
    Given g = given_new();
    wr_wasi_fix_time(g.wasi, 5000, 10);
    cr_assert_eq(get_i32(&g.b, g.instance, "time", 0), 5000);
    cr_assert_eq(get_i32(&g.b, g.instance, "time", 1), 5010);
    time_t before = time(NULL);
    cr_assert_eq(get_i32(&g.b, g.instance, "sleep", 2000000000), 0);
    cr_assert_eq(get_i32(&g.b, g.instance, "time", 1), 2000005020);
    for (int i = 0; i < 100; i++) cr_assert_eq(get_i32(&g.b, g.instance, "sleep", 2000000000), 0);
    cr_assert_lt(time(NULL) - before, 200, "nobody waits");
    uint64_t now = 77;
    wr_wasi_set_clock(g.wasi, &(wr_wasi_clock_t){my_now, my_sleep, &now});
    cr_assert_eq(get_i32(&g.b, g.instance, "time", 1), 78);
    cr_assert_eq(get_i32(&g.b, g.instance, "sleep", 1000), 0);
    cr_assert_eq(now, 1077u);
    wr_wasi_set_clock(g.wasi, NULL);
    cr_assert_eq(get_i32(&g.b, g.instance, "sleep", 1000), 0);
    cr_assert_eq(now, 1077u);
    given_delete(&g);
}

static bool count_up(void *context, void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) ((uint8_t *)bytes)[i] = (uint8_t)++*(int *)context;
    return *(int *)context < 100;
}

Test(wasi_given, randomness) {
    Given g = given_new();
    const uint8_t *bytes = wr_memory_data(wr_instance_memory(g.instance, "memory")) + 256;
    uint8_t first[24];
    wr_wasi_set_seed(g.wasi, 42);
    cr_assert_eq(get_i32(&g.b, g.instance, "random", 24), 0);
    memcpy(first, bytes, 24);
    cr_assert_eq(get_i32(&g.b, g.instance, "random", 24), 0);
    cr_assert_neq(memcmp(first, bytes, 24), 0);
    wr_wasi_set_seed(g.wasi, 42);
    cr_assert_eq(get_i32(&g.b, g.instance, "random", 24), 0);
    cr_assert_eq(memcmp(first, bytes, 24), 0, "the same again");
    cr_assert_eq(first[0], 0x95, "on every host");
    int at = 0;
    wr_wasi_set_random(g.wasi, count_up, &at);
    cr_assert_eq(get_i32(&g.b, g.instance, "random", 3), 0);
    cr_assert(bytes[0] == 1 && bytes[2] == 3);
    cr_assert_eq(get_i32(&g.b, g.instance, "random", 200), 29, "EIO: there are no more");
    given_delete(&g);
}
