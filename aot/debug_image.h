/*
 * debug_image.h - what a debugger needs to know of an artifact's code, as an ELF file in memory: a symbol for
 * each function, and how to unwind its frames (.debug_frame, DWARF 5 section 6.4). The code itself is not
 * in it: its section says where it lies.
 */
#ifndef WR_AOT_DEBUG_IMAGE_H
#define WR_AOT_DEBUG_IMAGE_H

#include "artifact.h"
#include "encode.h"

/* Writes the file; out->failed when out of memory. */
void wr_debug_image(const Module *module, const Artifact *artifact, Buffer *out);

#endif
