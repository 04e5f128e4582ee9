/*
 * text_support.h - for unit tests through the public interface with modules in the text format.
 */
#ifndef WR_TESTS_TEXT_SUPPORT_H
#define WR_TESTS_TEXT_SUPPORT_H

#include "embed_support.h"
#include "module.h"
#include "text_parse.h"

/* The binary, from the system's allocator. */
static inline u8 *text_bytes(const char *text, size_t *size) {
    TextOptions options = {.alloc = &wr_alloc_system};
    u8 *bytes = NULL;
    must(wr_text_to_binary(&options, text, strlen(text), "test", &bytes, size));
    return bytes;
}

/* A module of the bench's engine; the caller's. */
static inline wr_module_t *text_module(Bench *b, const char *text) {
    size_t size;
    u8 *bytes = text_bytes(text, &size);
    wr_module_t *module = NULL;
    must(wr_module_new(b->engine, bytes, size, &module));
    wr_free(&wr_alloc_system, bytes, size);
    return module;
}

/* One whose bodies are validated when they are needed. The engine's allocator is the system's. */
static inline wr_module_t *lazy_text_module(Bench *b, const char *text) {
    size_t size;
    u8 *bytes = text_bytes(text, &size);
    wr_module_t *module = NULL;
    must(wr_module_load_outline(b->engine, bytes, size, BYTES_COPIED, &module));
    must(wr_module_check_bodies(module, BODIES_WHEN_NEEDED));
    return module;
}

static inline wr_error_t *try_text(Bench *b, const char *text, wr_instance_t **instance) {
    wr_module_t *module = text_module(b, text);
    *instance = NULL;
    wr_error_t *error = wr_linker_instantiate(b->linker, b->store, module, instance);
    wr_module_delete(module);
    return error;
}

static inline wr_instance_t *text_instance(Bench *b, const char *text) {
    wr_instance_t *instance;
    must(try_text(b, text, &instance));
    return instance;
}

/* The same, defined under that name for later modules. */
static inline wr_instance_t *text_define(Bench *b, const char *name, const char *text) {
    wr_instance_t *instance = text_instance(b, text);
    must(wr_linker_define_instance(b->linker, name, instance));
    return instance;
}

static inline Bench gc_bench(uint32_t debug) {
    wr_config_t *config = wr_config_new();
    cr_assert(wr_config_set_feature(config, "custom-descriptors", true));
    wr_config_set_gc_debug(config, debug);
    return bench_new(config);
}

#endif
