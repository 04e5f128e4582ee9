/* libcalls.h - library functions that compiled code may call (libcalls.def), by name. */
#ifndef WR_AOT_LIBCALLS_H
#define WR_AOT_LIBCALLS_H

#include "base.h"

/* NULL: there is none of that name. */
const void *wr_libcall_address(const char *name);

#endif
