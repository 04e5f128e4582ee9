/* Tables: growth, limits, bulk instructions. */
#include <criterion/criterion.h>

#include "store_support.h"
#include "table.h"

static TableDecl elements(u64 min, u64 max) {
    return (TableDecl){.type = T_FUNCREF,
                       .limits = {.min = min, .max = max, .has_max = max != UINT64_MAX}};
}

static Table *new_table(Store *store, TableDecl decl) {
    Table *table = NULL;
    Error *error = wr_table_new(store, &decl, &table);
    cr_assert_null(error, "%s", error ? wr_error_message(error) : "");
    return table;
}

Test(table, grows_with_a_value) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    Table *table = new_table(store, elements(2, 1000));
    cr_assert_eq(table->elems[1], 0u);
    for (u32 n = 2; n < 1000; n++) cr_assert_eq(wr_table_grow(table, 1, n), n);
    for (u32 n = 2; n < 1000; n++) cr_assert_eq(table->elems[n], n);
    cr_assert_eq(wr_table_grow(table, 1, 0), UINT64_MAX);
    cr_assert_eq(wr_table_grow(table, UINT64_MAX, 0), UINT64_MAX);
    cr_assert_eq(wr_table_grow(table, 0, 0), 1000u);
    cr_assert_eq(store->used_tables, 1000u);
    wr_store_delete(store);
}

Test(table, is_never_larger_than_the_limit) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    TableDecl decl = elements(LIMIT_TABLE_SIZE + 1, UINT64_MAX);
    Table *table = NULL;
    Error *error = wr_table_new(store, &decl, &table);
    cr_assert_not_null(error);
    cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
    wr_error_delete(error);
    cr_assert_eq(store->used_tables, 0u);
    decl = elements(0, UINT64_MAX);
    decl.limits.is_64 = true;
    table = new_table(store, decl);
    cr_assert_eq(wr_table_grow(table, LIMIT_TABLE_SIZE + 1, 0), UINT64_MAX);
    cr_assert_eq(wr_table_grow(table, LIMIT_TABLE_SIZE, 5), 0u);
    cr_assert_eq(wr_table_grow(table, 1, 0), UINT64_MAX);
    wr_store_delete(store);
}

Test(table, the_store_limits_the_sum) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    wr_store_limit_tables(store, 10);
    Table *table = new_table(store, elements(6, UINT64_MAX)), *other = NULL;
    TableDecl decl = elements(5, UINT64_MAX);
    Error *error = wr_table_new(store, &decl, &other);
    cr_assert_not_null(error);
    cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
    wr_error_delete(error);
    cr_assert_eq(wr_table_grow(table, 5, 0), UINT64_MAX);
    cr_assert_eq(wr_table_grow(table, 4, 0), 6u);
    wr_store_delete(store);
}

Test(table, copy_and_fill_check_their_bounds) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    Table *a = new_table(store, elements(4, 4)), *empty = new_table(store, elements(0, 4));
    const wr_trap_code_t none = WR_TRAP_NONE, out = WR_TRAP_TABLE_OUT_OF_BOUNDS;
    cr_assert_eq(wr_table_fill(a, 0, 1, 4), none);
    cr_assert_eq(wr_table_fill(a, 1, 2, 4), out);
    cr_assert_eq(wr_table_fill(a, 4, 2, 0), none);
    cr_assert_eq(wr_table_fill(a, 5, 2, 0), out);
    cr_assert_eq(wr_table_fill(a, UINT64_MAX, 2, 1), out);
    cr_assert_eq(a->elems[1], 1u);
    cr_assert_eq(wr_table_fill(empty, 0, 1, 0), none);
    cr_assert_eq(wr_table_copy(a, empty, 4, 0, 0), none);
    cr_assert_eq(wr_table_copy(a, empty, 0, 0, 1), out);
    cr_assert_eq(wr_table_copy(a, empty, 0, 1, 0), out);
    a->elems[0] = 7, a->elems[1] = 8;
    cr_assert_eq(wr_table_copy(a, a, 1, 0, 3), none);
    cr_assert_arr_eq(a->elems, ((const u32[]){7, 7, 8, 1}), 16, "overlapping");
    cr_assert_eq(wr_table_copy(a, a, UINT64_MAX, 0, 1), out);
    wr_store_delete(store);
}
