/*
 * denan.h - makes a module deterministic: behind each instruction whose result may be a NaN of any bits
 * are put those that make it the canonical one. For comparing engines.
 */
#ifndef WR_FUZZ_DENAN_H
#define WR_FUZZ_DENAN_H

#include "module.h"
#include "mutants.h"

/* `out` is the caller's to free. Custom sections are left out. */
void wr_denan(const Module *module, Bytes *out);

#endif
