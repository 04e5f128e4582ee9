/*
 * text.c - wasmrun.h over the text format. No engine is needed: the bytes are the system's.
 */
#include "text_parse.h"

wr_error_t *wr_wat_to_wasm(const char *text, size_t size, const char *file_name, bool names,
                           uint8_t **bytes, size_t *n) {
    TextOptions options = {.alloc = &wr_alloc_system, .names = names};
    if (!file_name) file_name = "text";
    return wr_text_to_binary(&options, size ? text : "", size, file_name, bytes, n);
}

wr_error_t *wr_wat_locate(const char *text, size_t size, const char *file_name,
                          const uint8_t *bytes, size_t n, wr_error_t *error) {
    TextOptions options = {.alloc = &wr_alloc_system};
    if (!file_name) file_name = "text";
    return wr_text_locate(&options, size ? text : "", size, file_name, bytes, n, error);
}

void wr_bytes_delete(uint8_t *bytes, size_t size) { wr_free(&wr_alloc_system, bytes, size); }
