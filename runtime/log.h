/*
 * log.h - messages for the embedder's logging hook (wr_config_set_log()). Never on a fast path: what
 * happens once for a module, a memory, an engine.
 */
#ifndef WR_LOG_H
#define WR_LOG_H

#include "store.h"

/* Nothing unless the hook wants that level. Any thread. */
void wr_log(const Engine *engine, wr_log_level_t level, const char *format, ...) PRINTF(3, 4);

#endif
