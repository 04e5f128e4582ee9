/*
 * live.c - how many instances fit in one process, and what each of them takes.
 *
 * usage: live [COUNT [explicit]]
 *
 * Makes COUNT instances (100000) of a small plugin, all alive at the same time, each called once;
 * calls them all again in another order, and checks the answers, which each computes from its own
 * memory. Prints what one takes: resident bytes, mappings, microseconds to make and to delete; and
 * what is left when all are gone, after which it does the same again: a leak would show.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engines.h"
#include "wasmrun.h"

/* 2 pages of 64 KiB as clang lays them out, some data, some functions, a table. */
static const char plugin[] =
    "(import \"host\" \"f\" (func $f (param i32) (result i32)))"
    "(memory (export \"memory\") 2 64) (data (i32.const 1024) \"some strings of a small plugin\")"
    "(data (i32.const 66000) \"and its data\")"
    "(table 8 funcref) (elem (i32.const 1) $a $b $c $d)"
    "(global $sp (mut i32) (i32.const 66560))"
    "(func $a (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))"
    "(func $b (param i32) (result i32) (i32.add (local.get 0) (i32.const 2)))"
    "(func $c (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))"
    "(func $d (param i32) (result i32) (call $f (local.get 0)))"
    "(func $e (param i32) (result i32) (call $a (call $b (call $c (local.get 0)))))"
    "(func (export \"id\") (param i32) (result i32) (local.get 0))"
    "(func (export \"add\") (param i32) (result i32)" /* to a sum, on the stack and in the heap */
    "  (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))"
    "  (i32.store (global.get $sp) (local.get 0))"
    "  (i32.store (i32.const 70000)"
    "    (i32.add (i32.load (i32.const 70000)) (i32.load (global.get $sp))))"
    "  (global.set $sp (i32.add (global.get $sp) (i32.const 16)))"
    "  (i32.load (i32.const 70000)))";

static size_t resident(void) {
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*u %zu", &pages) != 1) fail("no /proc/self/statm");
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t mappings(void) {
    size_t lines = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    if (!file) fail("no /proc/self/maps");
    for (int c; (c = fgetc(file)) != EOF;) lines += c == '\n';
    fclose(file);
    return lines;
}

static void all(const EngineOps *engine, Guest *guests, int count) {
    size_t before = resident();
    double begin = now();
    for (int i = 0; i < count; i++) {
        engine->instantiate(&guests[i]);
        engine->find(&guests[i], "add");
        if (engine->call(&guests[i], i) != i) fail("instance %d is not new", i);
    }
    double made = now();
    size_t bytes = resident() - before, maps = mappings();
    for (int i = count; i-- > 0;)
        if (engine->call(&guests[i], 7) != i + 7) fail("instance %d has forgotten", i);
    double called = now();
    for (int i = 0; i < count; i++) engine->end(&guests[i]);
    double ended = now();
    malloc_trim(0);
    size_t after = resident();
    printf("%7d instances: %6.0f resident bytes each, %5zu mappings in all; "
           "made and called in %5.2f us, called again in %5.2f us, deleted in %5.2f us each; "
           "%.1f MiB more than before\n",
           count, (double)bytes / count, maps, (made - begin) / count, (called - made) / count,
           (ended - called) / count, after > before ? (double)(after - before) / (1 << 20) : 0.0);
    fflush(stdout);
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 100000;
    const EngineOps *engine = argc > 2 ? &wasmrun_explicit_engine : &wasmrun_engine;
    Guest *guests = calloc((size_t)count, sizeof *guests);
    uint8_t *wasm;
    size_t size;
    wr_error_t *error = wr_wat_to_wasm(plugin, sizeof plugin - 1, NULL, false, &wasm, &size);
    if (error || !guests) fail("the plugin");
    memset(guests, 1, (size_t)count * sizeof *guests);
    if (!engine->start(wasm, size, 1 << 20, 64)) fail("no engine");
    for (int round = 0; round < 3; round++) all(engine, guests, count);
    engine->stop();
    wr_bytes_delete(wasm, size);
    free(guests);
}
