/*
 * signature.c - see signature.h. Nothing here runs: the table is constant data, so that a module of
 * ten instructions pays nothing for the five hundred that it does not use.
 */
#include "signature.h"

const Signature wr_signatures[OP_COUNT] = {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst)                                \
    [OP_##id] = {(u8)(sizeof(sig) == 1 ? SIG_BY_HAND : SIG_NIN(sig)),                              \
                 (u8)SIG_NOUT(sig),                                                                \
                 {SIG_IN(sig, 0), SIG_IN(sig, 1), SIG_IN(sig, 2), SIG_IN(sig, 3)},                 \
                 {SIG_OUT(sig, 0), SIG_OUT(sig, 1)}},
#include "opcodes.def"
#undef OP
};
