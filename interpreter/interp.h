/* interp.h - the in-place interpreter's one export: an executor (store.h) named "interp". */
#ifndef WR_INTERP_H
#define WR_INTERP_H

#include "store.h"

extern const Executor wr_interpreter;

#endif
