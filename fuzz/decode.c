/*
 * decode.c - any bytes either load or are refused with a message, the same way every time; what has
 * loaded can be looked at through the public interface and walked instruction by instruction.
 */
#include "decode_code.h"
#include "disasm.h"
#include "fuzz.h"
#include "wasmrun.h"

/* ---- loading -------------------------------------------------------------------------------- */

static void check_error(const wr_error_t *error, size_t size) {
    wr_error_kind_t kind = wr_error_kind(error);
    u64 offset;
    CHECK(kind == WR_ERROR_MALFORMED || kind == WR_ERROR_INVALID || kind == WR_ERROR_MEMORY);
    CHECK(wr_error_message(error)[0] != 0 && !strchr(wr_error_message(error), '\n'));
    CHECK(wr_error_offset(error, &offset) ? offset <= size : kind == WR_ERROR_MEMORY);
    char text[64], whole[4096];
    size_t length = wr_error_render(error, whole, sizeof whole);
    CHECK(wr_error_render(error, text, sizeof text) == length);
    CHECK(length >= sizeof whole || whole[length - 1] == '\n');
}

static u64 offset_of(const wr_error_t *error) {
    u64 offset = UINT64_MAX;
    (void)wr_error_offset(error, &offset);
    return offset;
}

static void check_same(const wr_error_t *a, const wr_error_t *b) {
    CHECK((a == NULL) == (b == NULL));
    if (!a) return;
    CHECK(wr_error_kind(a) == wr_error_kind(b) && offset_of(a) == offset_of(b));
    CHECK(strcmp(wr_error_message(a), wr_error_message(b)) == 0);
}

/* ---- looking at it -------------------------------------------------------------------------- */

static u64 sum; /* of what was read, so that it is read */

static void add_bytes(const void *data, size_t size) {
    for (size_t i = 0; i < size; i++) sum += ((const u8 *)data)[i];
}

static void walk_public(const wr_module_t *module, size_t size) {
    wr_import_t import;
    wr_export_t export;
    wr_module_stats_t stats;
    const void *data;
    size_t length;
    for (size_t i = 0; wr_module_import(module, i, &import); i++) {
        CHECK(i < wr_module_import_count(module));
        add_bytes(import.module.data, import.module.size);
        add_bytes(import.name.data, import.name.size);
    }
    for (size_t i = 0; wr_module_export(module, i, &export); i++) {
        CHECK(i < wr_module_export_count(module));
        add_bytes(export.name.data, export.name.size);
    }
    if (wr_module_custom_section(module, "name", &data, &length)) add_bytes(data, length);
    wr_module_get_stats(module, &stats);
    CHECK(stats.module_bytes == size && stats.code_bytes <= size);
}

static void walk_names(const Module *m) {
    for (u32 f = 0; f < m->nfuncs && f < 1000; f++) {
        Name name = wr_module_func_name(m, f);
        add_bytes(name.data, name.size);
        for (u32 local = 0; local < 4; local++) {
            name = wr_module_local_name(m, f, local);
            add_bytes(name.data, name.size);
        }
    }
    Name own_name = wr_module_own_name(m);
    add_bytes(own_name.data, own_name.size);
}

static void add_text(void *context, const char *text, size_t size) {
    (void)context;
    add_bytes(text, size);
}

/* Every body is instructions up to its end and no further, and can be printed. */
static void walk_code(const Module *m) {
    const Disasm d = {.write = add_text};
    for (u32 i = 0; i < m->ncodes; i++) {
        const Code *code = &m->codes[i];
        Reader r = {.pos = code->start, .end = code->end, .base = m->bytes};
        Instr instr = {.end = code->start};
        while (wr_instr_next(&r, &instr)) wr_disasm_instr(&d, &instr);
        CHECK(!r.error && instr.end == code->end);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    Ledger ledger = {.limit = (size_t)1 << 30};
    wr_config_t *config = all_features();
    wr_config_set_allocator(config, ledger_alloc, &ledger);
    wr_config_set_validation_threads(config, 1); /* the ledger is one thread's */
    wr_engine_t *engine;
    CHECK(!wr_engine_new(config, &engine));
    wr_module_t *first = NULL, *second = NULL;
    wr_error_t *error = wr_module_new(engine, data, size, &first);
    wr_error_t *again = wr_module_new(engine, data, size, &second);
    check_same(error, again);
    if (error) {
        check_error(error, size);
    } else {
        walk_public(first, size);
        walk_names(first);
        walk_code(first);
    }
    wr_error_delete(error);
    wr_error_delete(again);
    wr_module_delete(first);
    wr_module_delete(second);
    wr_engine_delete(engine);
    CHECK(ledger.live == 0);
    return 0;
}
