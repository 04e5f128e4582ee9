/*
 * utf8.h - UTF-8 as the specification has it (binary/values, names), and text made safe to print.
 */
#ifndef WR_UTF8_H
#define WR_UTF8_H

#include "base.h"

/* No overlong forms, surrogates, or code points above U+10FFFF. */
bool wr_utf8_valid(const u8 *data, size_t size);

/* Bytes of the well-formed character that starts at `data`, 0 if there is none; size >= 1. */
size_t wr_utf8_char(const u8 *data, size_t size, u32 *code_point);

/* Copies text for people to read: one line of valid UTF-8 that moves no cursor. Bytes that are no
 * UTF-8 become \xHH, characters that control a terminal or reorder text \u{H...}. Writes at most
 * `size` bytes with the terminating zero, never half a character; returns the length that all of it
 * needs. */
size_t wr_text_escape(char *out, size_t size, const char *text, size_t length);

#endif
