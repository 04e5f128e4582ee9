/*
 * opcode_sig.c - the signatures of opcodes.def as they stand there, for the compiler, tests and fuzzers. The library
 * itself types by what signature.c makes of them, and does not get this file linked into it.
 */
#include "opcode.h"

const char *wr_op_sig(Opcode op) {
    static const char *const sigs[OP_COUNT] = {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst) sig,
#include "opcodes.def"
#undef OP
    };
    return sigs[op];
}
