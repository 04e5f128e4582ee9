/*
 * log.c - see log.h.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

void wr_log(const Engine *engine, wr_log_level_t level, const char *format, ...) {
    const struct wr_config *config = &engine->config;
    if (!config->log || level > config->log_level) return;
    char message[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    config->log(config->log_context, level, message);
}
