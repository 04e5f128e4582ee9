/*
 * print.c - a module that loads can be printed as text; the text encodes to a module that loads; and from then
 * on text and binary say the same, byte for byte.
 */
#include "fuzz.h"
#include "text_parse.h"
#include "text_print.h"
#include "wasmrun.h"

typedef struct Bytes {
    u8 *data;
    size_t size;
} Bytes;

/* What `from` is after having been text; nothing when there was no memory (locals by the thousand are a
 * few bytes in binary). */
static Bytes again(const Alloc *alloc, Bytes from) {
    TextOptions options = {.alloc = alloc, .names = true};
    Bytes to = {NULL, 0};
    char *text = NULL;
    size_t size = 0;
    Error *error = wr_binary_to_text(alloc, from.data, from.size, &text, &size);
    if (!error) error = wr_text_to_binary(&options, text, size, "text", &to.data, &to.size);
    if (error && error != ERROR_OOM) fprintf(stderr, "%s\n", wr_error_message(error));
    CHECK(!error || error == ERROR_OOM);
    wr_free(alloc, text, size);
    return to;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    Ledger ledger = {.limit = (size_t)64 << 20};
    Alloc alloc = {ledger_alloc, &ledger};
    wr_engine_t *engine;
    CHECK(!wr_engine_new(all_features(), &engine));
    wr_error_t *error = wr_module_validate(engine, data, size);
    if (!error) {
        Bytes first = again(&alloc, (Bytes){(u8 *)(uintptr_t)data, size});
        if (first.data) {
            CHECK(!wr_module_validate(engine, first.data, first.size));
            Bytes second = again(&alloc, first);
            CHECK(!second.data ||
                  (first.size == second.size && memcmp(first.data, second.data, first.size) == 0));
            wr_free(&alloc, second.data, second.size);
        }
        wr_free(&alloc, first.data, first.size);
    }
    CHECK(ledger.live == 0);
    wr_error_delete(error);
    wr_engine_delete(engine);
    return 0;
}
