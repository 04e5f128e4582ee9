/* exec_handlers.h - all handlers: hand-written ones, then the generated. The order matters for macros. */
/* clang-format off */
#include "handlers_core.h"
#include "handlers_jump.h"
#define WR_POLLED
#include "handlers_jump.h"
#undef WR_POLLED
#include "handlers_exception.h"
#include "handlers_memory.h"
#include "handlers_gc.h"
#include "handlers_wide.h"

#include "exec_gen.inc"
/* clang-format on */
