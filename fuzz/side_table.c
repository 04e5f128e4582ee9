/*
 * side_table.c - the side tables of whatever validates say what an independent reading of the code says
 * (tests/unit/side_table_oracle.h).
 */
#include "fuzz.h"
#include "unit/side_table_oracle.h"
#include "wasmrun.h"

/* Comparing operand heights takes quadratic time. */
#define HEIGHTS_LIMIT 400

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    wr_engine_t *engine;
    CHECK(!wr_engine_new(all_features(), &engine));
    wr_module_t *m = NULL;
    wr_error_t *error = wr_module_new(engine, data, size, &m);
    for (u32 i = 0; !error && i < m->ncodes; i++) {
        char why[160];
        bool heights = m->codes[i].end - m->codes[i].start < HEIGHTS_LIMIT;
        bool right = oracle_check(m, &m->codes[i], heights, why);
        if (!right) fprintf(stderr, "function %u: %s\n", m->codes[i].func_index, why);
        CHECK(right);
    }
    wr_error_delete(error);
    wr_module_delete(m);
    wr_engine_delete(engine);
    return 0;
}
