/*
 * artifact.h - compiled modules: the file format, the loader that maps one, and lookups in it.
 *
 * An artifact is one file, made by linker.c from object files, for one module, one target and one set
 * of options. It is mapped as it is, executable pages read-only from the file: nothing in the code is
 * relocated, since code refers to itself relative to the program counter and to everything else through its
 * context (native.h). The few library functions that LLVM calls by itself (NATIVE_LIBCALLS: fmod, ceilf, ...)
 * go through stubs and one page of addresses that the loader fills in.
 *
 * All of it is untrusted until it has been opened: magic, version, target, CPU features, ABI, options, every
 * offset and count, checksum (hash.h). An artifact holds the module it was made from, and whoever opens it has to
 * have the same one: the bytes are compared, so that no collision of hashes can give a module the code of another. What
 * cannot be checked is what the machine code does: docs/aot.md says what is promised.
 *
 * Immutable once open, counted, shared by threads. Lookups by pc are async-signal-safe.
 */
#ifndef WR_ARTIFACT_H
#define WR_ARTIFACT_H

#include "module.h"

typedef struct Artifact Artifact;

/* What is fixed when compiling; a part of the header, of the cache's key, and of what must match. */
typedef struct NativeOptions {
    bool guarded;    /* accesses of 32-bit memories rely on the guard; else every one is checked */
    bool polled;     /* polls at back-edges and entries: for deadlines and interruption */
    bool fuel;       /* counts fuel as the interpreter does */
    bool migratable; /* spill paths */
    u8 level;        /* 0..3; 4: size */
} NativeOptions;

/* Slices that are compiled in no time and run until there is better code (tier.c): not optimised, their functions call each
 * other as they call those elsewhere, and their frames can be written down. */
INLINE bool native_is_hasty(const NativeOptions *o) { return o->level == 0 && o->migratable; }

/* Whether such code looks by itself whether to stop; else it is stopped by a signal (stop.h). */
INLINE bool native_options_poll(const NativeOptions *o) {
    return o->polled || o->fuel || o->migratable;
}

/* Takes the artifact's bytes from a file (mapped) or a buffer (copied to memory that then becomes
 * executable, never writable and executable). `module` is what it must have been made from; or NULL: the one inside,
 * whose bytes are checked for damage then. `options` is what it must have been made with, but the level, or
 * NULL: whatever that was. Errors are of kind WR_ERROR_MALFORMED, saying what is wrong, at which offset in the
 * file; WR_ERROR_IO or WR_ERROR_MEMORY. */
NODISCARD Error *wr_artifact_open_file(Engine *engine, const char *path, const Module *module,
                                       const NativeOptions *options, Artifact **out);
NODISCARD Error *wr_artifact_open_bytes(Engine *engine, const u8 *bytes, size_t size,
                                        const Module *module, const NativeOptions *options,
                                        Artifact **out);
/* For an artifact opened without a module: the bytes of the one inside, which stay as long as the artifact; and
 * what has to follow once that has been loaded, before anything else is asked. */
void wr_artifact_module(const Artifact *artifact, const u8 **module, u64 *size);
NODISCARD Error *wr_artifact_bind(Artifact *artifact, const Module *module);
/* The features of the language by which the compiler has validated the module. */
Features wr_artifact_features(const Artifact *artifact);
const NativeOptions *wr_artifact_options(const Artifact *artifact); /* what it was made with */
/* Gives the module code: takes over the reference. The first one before the module is shared; more at any time, if
 * it has native_ops: they are before the others in its list, and what has code already keeps that. One
 * thread at a time. */
void wr_module_add_artifact(Module *module, Artifact *artifact);
void wr_artifact_put_before(Artifact *artifact, Artifact *older); /* what adding does to it */
const Artifact *wr_artifact_older(const Artifact *artifact);   /* the module's next one, or NULL */
const Module *wr_artifact_made_from(const Artifact *artifact); /* what it was opened with */
bool wr_artifact_is(const u8 *bytes, u64 size);                /* begins as one */
Artifact *wr_artifact_ref(Artifact *artifact);
void wr_artifact_unref(Artifact *artifact);

/* Machine code; NULL if the function was not compiled (it is interpreted then). func_index counts imports. */
const void *wr_artifact_code(const Artifact *artifact, u32 func_index);      /* f */
const void *wr_artifact_tail_code(const Artifact *artifact, u32 func_index); /* t, or NULL */
const void *wr_artifact_entry(const Artifact *artifact,
                              u32 func_index); /* its shape's entry thunk */
/* Code that goes on at the loop which has this byte offset in the module behind its block type, as an entry thunk is
 * called: with the interpreter's slots; or NULL. */
const void *wr_artifact_loop(const Artifact *artifact, u64 offset);
u64 wr_artifact_guarded_memories(
    const Artifact *artifact); /* bit i: memory i must be guarded (i < 64) */

/* What memory 0 holds when all data segments are in it, and those may count as dropped; or NULL. */
const struct MemoryImage *wr_artifact_image(const Artifact *artifact);

bool wr_artifact_polls(const Artifact *artifact);
bool wr_artifact_counts_fuel(const Artifact *artifact);

/* The artifact whose code contains pc, of all that are open in this process; NULL if none. Safe in
 * a signal handler while other threads open and close artifacts. */
const Artifact *wr_artifact_at(const void *pc);
/* Another number each time that code has gone: until then answers by address stay as they are. */
u32 wr_artifact_generation(void);

/* How to go from a frame to its caller, at pc (an address inside of an instruction: return address - 1, or a
 * faulting instruction). The canonical frame address (CFA) is a register plus cfa_offset; it is what the
 * stack pointer was before the call that made the frame, and is again after it. The return address lies
 * at it - 8 on x86-64; on aarch64 it is in x30, saved or still there. Callee-saved registers, in order:
 *   x86-64   rbx rbp r12 r13 r14 r15
 *   aarch64  x19 .. x28, x29, x30, then the low halves of v8 .. v15 (d8 .. d15) */
#define UNWIND_REGISTERS 20u
#define UNWIND_SP 0u /* cfa_register: the stack pointer, ... */
#define UNWIND_FP 1u /* ... rbp or x29, ... */
/* ... or UNWIND_OTHER + n: general register n (r11: 13), only in a prologue that probes the stack */
#define UNWIND_OTHER 2u
typedef struct UnwindRule {
    u32 cfa_register;
    i32 cfa_offset;                 /* bytes */
    u32 saved;                      /* bit i: callee-saved register i is saved ... */
    i32 saved_at[UNWIND_REGISTERS]; /* ... at the canonical frame address plus this */
} UnwindRule;
bool wr_artifact_unwind(const Artifact *artifact, const void *pc, UnwindRule *rule);
/* The landing pad for the call that returns to `return_address`; NULL: none. Some take no exceptions, only what is to
 * be written down of the frame (spill.h). The stack pointer there
 * is the frame's after that call returned (the CFA of the frame that it called) plus *sp_adjust. (It
 * cannot be told from the frame's own CFA where the frame aligns its stack.) */
const void *wr_artifact_landing(const Artifact *artifact, const void *return_address,
                                i32 *sp_adjust, bool *takes_exceptions);

/* The guest functions at pc, innermost first (more than one where LLVM inlined), each with the byte offset in the
 * module of the instruction. At most max; returns how many there are. 0: none (a thunk). */
typedef struct NativePlace {
    u32 func_index;
    u64 offset;
} NativePlace;
u32 wr_artifact_places(const Artifact *artifact, const void *pc, NativePlace *places, u32 max);

#endif
