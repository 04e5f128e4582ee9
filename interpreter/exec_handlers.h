/* exec_handlers.h - all handlers: hand-written ones, then the generated. The order matters for macros. */
/* clang-format off */
#include "handlers_cold.h"
#if defined(WR_SHADOW)
#include "handlers_shadow.h"
#else
#include "handlers_byte.h"
#endif
#include "handlers_core.h"
#include "handlers_jump.h"
#define WR_POLLED
#include "handlers_jump.h"
#undef WR_POLLED
#if !defined(WR_SHADOW)
#define WR_PLAIN
#include "handlers_jump.h"
#undef WR_PLAIN
#endif
#include "handlers_exception.h"
#include "handlers_memory.h"
#include "handlers_gc.h"
#include "handlers_wide.h"

#if defined(WR_SHADOW)
#include "shadow_gen.inc"
#else
#include "exec_gen.inc"
#endif
/* clang-format on */
