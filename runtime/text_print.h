/*
 * text_print.h - from the binary format to the text format: what is printed encodes to the same bytes again
 * if they were as the encoder writes them (encode.h: integers in their shortest form and so on).
 *
 * It stands on the decoder of single items (decode.h, decode_code.h) and on disasm.h, and knows no
 * Module: whatever is well-formed can be printed, valid or not.
 */
#ifndef WR_TEXT_PRINT_H
#define WR_TEXT_PRINT_H

#include "alloc.h"
#include "error.h"

/* Gives a text for the caller to free by `alloc`, not zero-terminated. Identifiers are taken from the
 * name section; where they do not say all that is in it, the section is printed too, as it stands. */
NODISCARD Error *wr_binary_to_text(const Alloc *alloc, const u8 *bytes, size_t size, char **text,
                                   size_t *text_size);

#endif
