/*
 * signature.h - the `sig` strings of opcodes.def, expanded by the compiler into a table of types.
 * Used by the validator; a row whose string is empty is typed by hand there.
 */
#ifndef WR_SIGNATURE_H
#define WR_SIGNATURE_H

#include "base.h"
#include "opcode.h"
#include "types.h"

#define SIG_INPUTS 4
#define SIG_OUTPUTS 2
#define SIG_ADDRESS 0xFE /* stands for the address type of the memory or table */
#define SIG_BY_HAND 0xFF /* as nin: no signature */

/* Value types are numeric or v128 and fit in a byte. Inputs from the bottom of the stack up. */
typedef struct Signature {
    u8 nin, nout;
    u8 in[SIG_INPUTS];
    u8 out[SIG_OUTPUTS];
} Signature;

extern const Signature wr_signatures[OP_COUNT];

/* What the table is made of: constant expressions over the string. */

/* Character k, 0 beyond the end. */
#define SIG_CHAR(s, k) ((s)[(k) < sizeof(s) ? (k) : sizeof(s) - 1])
#define SIG_TYPE(c)                                                                                \
    (u8)((c) == 'i'   ? VK_I32                                                                     \
         : (c) == 'I' ? VK_I64                                                                     \
         : (c) == 'f' ? VK_F32                                                                     \
         : (c) == 'F' ? VK_F64                                                                     \
         : (c) == 'v' ? VK_V128                                                                    \
         : (c) == 'a' ? SIG_ADDRESS                                                                \
                      : 0)
/* The number of inputs: where the '>' is. */
#define SIG_NIN(s)                                                                                 \
    (SIG_CHAR(s, 0) == '>'   ? 0u                                                                  \
     : SIG_CHAR(s, 1) == '>' ? 1u                                                                  \
     : SIG_CHAR(s, 2) == '>' ? 2u                                                                  \
     : SIG_CHAR(s, 3) == '>' ? 3u                                                                  \
                             : 4u)
#define SIG_NOUT(s) (sizeof(s) == 1 ? 0u : (unsigned)sizeof(s) - 2 - SIG_NIN(s))
#define SIG_IN(s, k) ((k) < SIG_NIN(s) ? SIG_TYPE(SIG_CHAR(s, k)) : (u8)0)
#define SIG_OUT(s, k) SIG_TYPE(SIG_CHAR(s, SIG_NIN(s) + 1 + (k)))

#endif
