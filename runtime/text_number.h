/*
 * text_number.h - the values of number tokens (spec: text/values). Exact whatever the locale and
 * the length: floats are rounded once, to nearest, ties to even. All give false when the value is
 * out of range, or when the token is no number of that kind.
 */
#ifndef WR_TEXT_NUMBER_H
#define WR_TEXT_NUMBER_H

#include "text_lex.h"

/* TOKEN_NAT (for TOKEN_OFFSET and TOKEN_ALIGN what follows '='), below 2^bits; bits is 8 to 64. */
bool wr_text_nat(const Token *token, u32 bits, u64 *value);
/* TOKEN_NAT or TOKEN_INT: -2^(bits-1) to 2^bits - 1, with a sign to 2^(bits-1) - 1; two's
 * complement in the low `bits` bits of *value, the others 0. */
bool wr_text_int(const Token *token, u32 bits, u64 *value);
/* Any number; inf, nan and nan:0xPAYLOAD. IEEE 754 bits. */
bool wr_text_f32(const Token *token, u32 *value);
bool wr_text_f64(const Token *token, u64 *value);

#endif
