/*
 * native_run.h - for tests of compiled code beside interpreted code: runs a program, which may have several modules,
 * once for each choice of which of them are compiled, and compares what is seen of it, as text, with what is seen
 * when all are interpreted. The bodies of all are validated when they are needed. Needs wasmrun-aot.
 */
#ifndef WR_TESTS_NATIVE_RUN_H
#define WR_TESTS_NATIVE_RUN_H

#include "seen.h"
#include "store.h"
#include "text_support.h"

typedef struct Run {
    Bench b;
    unsigned compiled; /* bit i: the i-th module that is made is compiled */
    unsigned made;
    Seen *seen;
} Run;

/* A program makes its modules by add(), and calls them by call(). */
typedef void Program(Run *r);

/* How code is compiled, how calls are made, and what is not compared. A test that changes it changes it back. */
typedef struct Way {
    bool without_polls, fuel, migratable; /* see NativeOptions */
    u64 slice; /* 0: calls are made at one go; else they pause, with so much fuel at a time */
    bool hides_frames; /* of errors */
    bool hides_pauses; /* frames of paused calls: tail calls may have been calls */
} Way;
extern Way way;

extern size_t pauses; /* so many calls have paused */

/* Runs it with all interpreted, and then with each set of its modules compiled; fails the test if one differs. */
void run_all(Program *program, u32 gc_debug, unsigned modules);

/* Forgets what has been compiled: the end of each test. */
void forget_made(void);

/* The module once more, with code, as it comes from a file; the old one goes. The engine's allocator is the system's. */
wr_module_t *compile(wr_module_t *module);

/* Instantiates a module and defines it under a name for the later ones. */
wr_instance_t *add(Run *r, const char *name, const char *text);

/* Calls an export; says its result or how it ended. */
void call(Run *r, wr_instance_t *i, const char *name, int32_t arg);

/* What was seen so far becomes a number, if it is much. */
void shorten(Seen *seen);

i64 fuel_left(const Run *r);

#endif
