/*
 * numbers.h - counts, sizes and times as people write them on a command line. All functions return
 * false and leave the result alone when the text is no such number or is out of range.
 */
#ifndef WR_CLI_NUMBERS_H
#define WR_CLI_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x. */
bool wr_cli_parse_count(const char *text, uint64_t *count);
/* Bytes: a count with k, M, G or T after it (powers of 1024; case, "iB" and "B" do not matter). */
bool wr_cli_parse_size(const char *text, uint64_t *bytes);
/* Nanoseconds: a decimal number with ns, us, ms, s, m (min), or h after it; seconds without. */
bool wr_cli_parse_duration(const char *text, uint64_t *nanoseconds);

#endif
