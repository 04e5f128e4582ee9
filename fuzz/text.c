/*
 * text.c - any bytes, as text, either become a module or are refused with a message and a place,
 * the same way every time and in memory that is linear in them; what they become is never
 * malformed.
 */
#include "fuzz.h"
#include "text_parse.h"

/* A memory of the parser's may be as many times as large as what is read. */
#define PEAK_LEAST ((size_t)1 << 16)
#define PEAK_PER_BYTE ((size_t)512)

typedef struct Result {
    Error *error;
    u8 *bytes;
    size_t size;
} Result;

static Result parse(const Alloc *alloc, const u8 *text, size_t size, bool names) {
    TextOptions options = {.alloc = alloc, .names = names};
    Result r;
    r.error = wr_text_to_binary(&options, (const char *)text, size, "input", &r.bytes, &r.size);
    return r;
}

static void check_error(const Error *error) {
    wr_error_kind_t kind = wr_error_kind(error);
    CHECK(kind == WR_ERROR_MALFORMED || kind == WR_ERROR_INVALID);
    CHECK(wr_error_message(error)[0] != 0 && strchr(wr_error_message(error), '\n') == NULL);
    CHECK(strncmp(wr_error_place(error), "input:", 6) == 0);
    char whole[8192];
    size_t length = wr_error_render(error, whole, sizeof whole);
    CHECK(length < sizeof whole && whole[length - 1] == '\n');
}

static void check_same(const Result *a, const Result *b) {
    CHECK((a->error == NULL) == (b->error == NULL));
    if (a->error != NULL) {
        CHECK(strcmp(wr_error_message(a->error), wr_error_message(b->error)) == 0);
        CHECK(strcmp(wr_error_place(a->error), wr_error_place(b->error)) == 0);
    } else { /* names come last */
        CHECK(a->size <= b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0));
    }
}

/* An error of validation is the same with its place in the text. */
static Error *located(const u8 *text, size_t size, const Result *r, Error *error) {
    char message[512];
    TextOptions options = {.alloc = &wr_alloc_system};
    snprintf(message, sizeof message, "%s", wr_error_message(error));
    error = wr_text_locate(&options, (const char *)text, size, "input", r->bytes, r->size, error);
    CHECK(strncmp(wr_error_message(error), message, strlen(message)) == 0);
    return error;
}

static void check_module(const u8 *text, size_t size, const Result *r) {
    static wr_engine_t *engine;
    if (engine == NULL) CHECK(wr_engine_new(all_features(), &engine) == NULL);
    wr_error_t *error = wr_module_validate(engine, r->bytes, r->size);
    CHECK(error == NULL || wr_error_kind(error) != WR_ERROR_MALFORMED);
    if (error != NULL) error = located(text, size, r, error);
    wr_error_delete(error);
}

static bool contains(const u8 *text, size_t size, const char *word) {
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(text + i, word, length) == 0) return true;
    return false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    Ledger ledger = {.limit = (size_t)1 << 30};
    Alloc alloc = {ledger_alloc, &ledger};
    Result plain = parse(&alloc, data, size, false), named = parse(&alloc, data, size, true);
    CHECK(ledger.peak <= PEAK_LEAST + PEAK_PER_BYTE * size);
    check_same(&plain, &named);
    /* bytes that are written down are somebody else's */
    if (plain.error != NULL)
        check_error(plain.error);
    else if (!contains(data, size, "binary"))
        check_module(data, size, &plain);
    wr_error_delete(plain.error);
    wr_error_delete(named.error);
    wr_free(&alloc, plain.bytes, plain.size);
    wr_free(&alloc, named.bytes, named.size);
    CHECK(ledger.live == 0);
    return 0;
}
