/*
 * lazy_bodies.h - function bodies that are validated when the interpreter first needs them.
 *
 * For modules whose functions have machine code: most bodies are never interpreted then, and validating them all
 * takes longer than everything else before the first call. That they are valid somebody vouches for who has looked
 * (the compiler, which validates what it is sent); it is not relied on: a body is interpreted only after it has been
 * validated here, and one that turns out to be wrong is an error of the call.
 *
 * A body's Code is made once, by the first thread that asks, and never changes; Module.codes keeps saying where
 * all bodies lie.
 */
#ifndef WR_LAZY_BODIES_H
#define WR_LAZY_BODIES_H

#include "module.h"

typedef struct LazyBodies LazyBodies;

/* Of a module that has been decoded; NULL when out of memory. */
NODISCARD LazyBodies *wr_lazy_bodies_new(const Module *m);
void wr_lazy_bodies_free(LazyBodies *bodies, const Module *m);
/* The body of a function defined in `m`, whose m->lazy is not NULL, validated. NULL with *error set: invalid, or out
 * of memory; the next call tries again. Thread-safe. */
const Code *wr_lazy_body(const Module *m, u32 func_index, Error **error);
/* Offset in the module of the function's first instruction, behind its local declarations; in any module. */
u64 wr_body_start(const Module *m, u32 func_index);

#endif
