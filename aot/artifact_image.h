/*
 * artifact_image.h - what is behind Artifact: load.c makes it, lookup.c reads it. Private to the two and to
 * registry.c.
 */
#ifndef WR_ARTIFACT_IMAGE_H
#define WR_ARTIFACT_IMAGE_H

#include <stdatomic.h>

#include "artifact.h"
#include "format.h"
#include "image.h"

typedef struct PartView {
    const u8 *data;
    u32 size;  /* bytes */
    u32 count; /* rows */
} PartView;

struct Artifact {
    atomic_size_t refs;
    Engine *engine; /* counted */
    const Module *module;
    Artifact *older; /* of the module; owned */
    u8 *bytes;       /* all of the file: a mapping */
    u64 size;
    bool is_copy;  /* of what wr_os_reserve() gave; else of wr_os_open_file() */
    bool is_open;  /* the file: its descriptor is the image's */
    u32 nimported; /* of the module's functions */
    Features features;
    u64 guarded;
    NativeOptions options;
    PartView parts[PARTS];
    MemoryImage image;        /* size 0: none */
    u64 image_run[2];         /* its only one */
    struct DebugEntry *debug; /* what debuggers know of it (debugger.c), or NULL */
};

/* For the linker: puts the hash of the module and the checksum into an artifact that is otherwise done. */
void wr_artifact_seal(u8 *bytes, u64 size);

/* For `wasmrun dump`: a view of an artifact for any machine, which must not be run, and has no engine; nothing
 * but lookups may be asked. The error says what its frame lacks. */
NODISCARD Error *wr_artifact_view(const u8 *bytes, u64 size, Artifact *view);
bool wr_artifact_is_whole(const Artifact *artifact); /* the checksum, and the module's hash */
/* Triple, CPU, features, as given to LLVM; false if they are not there. */
bool wr_artifact_texts(const Artifact *artifact, const char *texts[3]);

/* The registry behind wr_artifact_at(). Adding fails when out of memory; removing never does. */
NODISCARD bool wr_artifact_register(const Artifact *artifact);
void wr_artifact_unregister(const Artifact *artifact);

#endif
