/*
 * linker.h - from object files to an artifact. Used by the compiler only; knows nothing of LLVM. Reads
 * ELF64 relocatable files (x86-64, aarch64) as LLVM writes them: code, read-only data, relocations,
 * .eh_frame and .gcc_except_table (unwind rules and landing pads), .debug_line and .debug_info (places: the
 * line number is the instruction's byte offset in the module, the subprogram's name the function's symbol).
 * The files come from our own compiler, but errors in them are reported, never followed.
 *
 * Symbols: "f<i>" function i of the module (imports counted), "t<i>" its tail-call body, "in<s>", "out<s>",
 * "outt<s>" the entry, exit and exit_tail thunks of shape s; "o<n>" goes on at the loop with byte offset n. Anything else undefined must be in
 * NATIVE_LIBCALLS.
 */
#ifndef WR_AOT_LINKER_H
#define WR_AOT_LINKER_H

#include "artifact.h"

typedef struct ObjectFile {
    const u8 *data;
    size_t size;
} ObjectFile;

typedef struct LinkPlan {
    const Module *module;
    NativeOptions options;
    const char *triple, *cpu, *features; /* as given to LLVM */
    const u32 *shapes;                   /* of each type index that is a function type: its shape */
    u32 nshapes;
    u64 guarded_memories; /* wr_artifact_guarded_memories() */
    /* by function index, or NULL: "f<i>" is but a stub that goes out; the function stays interpreted */
    const bool *left_out;
    bool is_slice; /* of a module that has other code as well: no image of its memory */
} LinkPlan;

/* The artifact's bytes, from the engine's allocator. */
NODISCARD Error *wr_aot_link(const LinkPlan *plan, const ObjectFile *objects, u32 count, u8 **bytes,
                             size_t *size);

#endif
