/*
 * affine.h - integers in a loop as base + iteration * step, both of which do not change in the loop. Iterations are
 * counted from 0; the base is the value in the first one.
 *
 * All is modulo 2^64, and holds modulo the width of the value it was made for: numbers wrap as WebAssembly's
 * do. Whoever needs more has to prove more (version.c).
 */
#ifndef WR_AOT_AFFINE_H
#define WR_AOT_AFFINE_H

#include "loops.h"

#define LINEAR_TERMS 6u

/* constant + the sum of factor * value. Values are made outside the loop, or are phis of its header, which stand
 * for what they are in the first iteration. */
typedef struct Linear {
    u64 constant;
    u32 nterms;
    struct {
        LLVMValueRef value;
        u64 factor;
    } terms[LINEAR_TERMS];
} Linear;

typedef struct Affine {
    Linear base, step;
} Affine;

/* The forms of one loop's values; what was found is kept. */
typedef struct AffineScope {
    Arena *arena;
    const Loop *loop;
    ValueMap known; /* value -> Affine, or `none` */
    LLVMValueRef
        self; /* a phi whose step is looked for: it is a term, and no other phi has a form */
    Affine none;
    u32 depth;
} AffineScope;

/* False: it has no such form, or none was found. Instructions that do not depend on the iteration are moved to
 * the loop's preheader as they are met. */
NODISCARD bool wr_affine_of(AffineScope *scope, LLVMValueRef value, Affine *form);

/* a += factor * b. False: too many terms. */
NODISCARD bool wr_linear_add(Linear *a, const Linear *b, u64 factor);
/* The same modulo 2^bits, but for the constant. */
bool wr_linear_same_terms(const Linear *a, const Linear *b, u32 bits);
/* Of the low bits; sign-extended. */
i64 wr_linear_signed(u64 value, u32 bits);

#endif
