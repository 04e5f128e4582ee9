/*
 * native_programs.h - programs of several modules, or with host functions, whose frames are of both engines.
 */
#ifndef WR_TESTS_NATIVE_PROGRAMS_H
#define WR_TESTS_NATIVE_PROGRAMS_H

#include "native_run.h"

/* Of three modules. */
Program mixed_traps, mixed_tables, mixed_throws;

/* Of two. */
Program mixed_values, table_ranges, broken_tables, mixed_lists;

/* Of one, which calls the host, which calls back. */
Program callbacks;

/* Host function (i32) -> i32: calls what the caller exports as "f" with one less; fails at 0. */
wr_error_t *back(wr_caller_t *caller, void *context, wr_slot_t *slots);

#endif
