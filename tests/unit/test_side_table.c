/* The side table: its builder, and the tables of bodies, checked by hand and by another walk. */
#include "module_support.h"
#include "side_table.h"
#include "side_table_oracle.h"

/* ---- the builder ---------------------------------------------------------------------------- */

static SideTable table;
static Arena arena;
static Code code;

static void begin(void) {
    table = (SideTable){0};
    wr_arena_init(&arena, &wr_alloc_system);
    code = (Code){0};
}

static void finish(void) {
    wr_side_free(&table, &wr_alloc_system);
    wr_arena_free(&arena);
}

TestSuite(side_table, .init = begin, .fini = finish);

static u32 add(u32 at, u32 pop, u32 keep) {
    cr_assert(wr_side_add(&table, &wr_alloc_system, at, pop, keep));
    return table.count - 1;
}

Test(side_table, binds_backward_at_once) {
    wr_side_bind(&table, add(20, 3, 1), 4, 0);
    cr_assert(wr_side_finish(&table, &arena, &code));
    cr_assert_eq(code.nside, 1u);
    cr_assert_eq(code.nfar, 0u);
    cr_assert_eq(code.side[0].pc, -16);
    cr_assert_eq(code.side[0].stp, 0);
    cr_assert_eq(code.side[0].pop, 3);
    cr_assert_eq(code.side[0].keep, 1);
    cr_assert_eq(table.count, 0u, "ready for the next body");
}

Test(side_table, binds_chains_forward) {
    SideChain a = SIDE_CHAIN_EMPTY, b = SIDE_CHAIN_EMPTY;
    wr_side_chain(&table, &a, add(2, 0, 0));
    wr_side_chain(&table, &b, add(4, 0, 0));
    wr_side_chain(&table, &a, add(6, 0, 0));
    wr_side_join(&table, &b, &a);
    cr_assert_eq(a.first, NONE_U32);
    wr_side_bind_chain(&table, &b, 30);
    wr_side_bind_chain(&table, &a, 99); /* empty: nothing */
    wr_side_chain(&table, &a, add(31, 5, 1));
    wr_side_bind_exits(&table, &a, 40, 1);
    cr_assert(wr_side_finish(&table, &arena, &code));
    const i32 pcs[] = {28, 26, 24, 9};
    const i32 stps[] = {3, 2, 1, 1};
    for (u32 i = 0; i < 4; i++) {
        cr_assert_eq(code.side[i].pc, pcs[i], "%u", i);
        cr_assert_eq(code.side[i].stp, stps[i], "%u", i);
    }
    cr_assert_eq(code.side[3].pop, 0, "exits move nothing");
}

Test(side_table, joins_to_and_from_empty) {
    SideChain a = SIDE_CHAIN_EMPTY, b = SIDE_CHAIN_EMPTY;
    wr_side_join(&table, &a, &b);
    cr_assert_eq(a.first, NONE_U32);
    wr_side_chain(&table, &b, add(1, 0, 0));
    wr_side_join(&table, &a, &b);
    wr_side_chain(&table, &a, add(2, 0, 0));
    wr_side_bind_chain(&table, &a, 10);
    cr_assert(wr_side_finish(&table, &arena, &code));
    cr_assert_eq(code.side[0].pc, 9);
    cr_assert_eq(code.side[1].pc, 8);
}

Test(side_table, numbers_that_do_not_fit_are_far) {
    u32 wide_pop = add(0, SIDE_FAR, 1), wide_keep = add(1, 1, 256),
        near = add(2, SIDE_FAR - 1, 255);
    u32 nothing_moves = add(3, 0, 1000), far_stp = add(4, 0, 0);
    for (u32 i = 0; i <= 4; i++) wr_side_bind(&table, i, 50, 5);
    wr_side_bind(&table, far_stp, 50, far_stp + INT16_MAX + 1);
    cr_assert(wr_side_finish(&table, &arena, &code));
    cr_assert_eq(code.nfar, 3u);
    cr_assert_eq(code.side[wide_pop].pop, SIDE_FAR);
    cr_assert_eq(code.far[code.side[wide_pop].pc].pop, (u32)SIDE_FAR);
    cr_assert_eq(code.far[code.side[wide_keep].pc].keep, 256u);
    cr_assert_eq(code.far[code.side[wide_keep].pc].pc, 49);
    cr_assert_eq(code.side[near].pop, SIDE_FAR - 1);
    cr_assert_eq(code.side[nothing_moves].pop, 0);
    cr_assert_eq(code.far[code.side[far_stp].pc].stp, INT16_MAX + 1);
    cr_assert_eq(code.far[code.side[far_stp].pc].pc, 46);
}

/* ---- bodies --------------------------------------------------------------------------------- */

/* Type 0: [] -> [], 1: [i32] -> [i32], 2: [i32 i32] -> [i32 i64]. Function 0 has type 1, a local i64,
 * a memory and a tag of type [i32] -> []. */
static Wasm body_module(const void *body, size_t size) {
    Wasm w = wasm_begin();
    SECTION(&w, S_TYPE, 4, 0x60, 0, 0, 0x60, 1, I32, 1, I32, 0x60, 2, I32, I32, 2, I32, I64, 0x60,
            1, I32, 0);
    SECTION(&w, S_FUNC, 1, 1);
    SECTION(&w, S_TABLE, 1, FUNCREF, 0, 1);
    SECTION(&w, S_MEMORY, 1, 0, 1);
    SECTION(&w, S_TAG, 1, 0, 3);
    wasm_open(&w, S_CODE);
    BYTES(&w, 1);
    wasm_u32(&w, (u32)size + 4);
    BYTES(&w, 1, 1, I64);
    wasm_bytes(&w, body, size);
    BYTES(&w, END);
    wasm_close(&w);
    return w;
}

/* Loads it, asks the oracle, and compares with the entries pc, stp, pop, keep that are given. */
static void expect_entries(const void *body, size_t size, u32 n, const i32 (*want)[4]) {
    Engine *engine = new_test_engine(NULL, NULL);
    Wasm w = body_module(body, size);
    Module *m = load_module(engine, &w);
    const Code *c = &m->codes[0];
    char error[160];
    cr_assert(oracle_check(m, c, true, error), "%s", error);
    if (want != NULL) {
        cr_assert_eq(c->nside, n, "%u entries", c->nside);
        for (u32 i = 0; i < n; i++) {
            cr_expect_eq(c->side[i].pc, want[i][0], "pc of %u: %d", i, c->side[i].pc);
            cr_expect_eq(c->side[i].stp, want[i][1], "stp of %u: %d", i, c->side[i].stp);
            cr_expect_eq(c->side[i].pop, want[i][2], "pop of %u: %d", i, c->side[i].pop);
            cr_expect_eq(c->side[i].keep, want[i][3], "keep of %u: %d", i, c->side[i].keep);
        }
    }
    wr_module_unref(m);
    wr_engine_unref(engine);
}

#define ENTRIES(want, ...) expect_entries(BYTES_OF(__VA_ARGS__), (u32)ARRAY_LEN(want), want)

enum { BLOCK = 0x02, LOOP, IF, ELSE, BR = 0x0C, BR_IF, BR_TABLE, RETURN, DROP = 0x1A, VOID = 0x40 };

Test(side_table, if_and_else) {
    static const i32 want[][4] = {
        {7, 2, 0, 0}, /* if: behind else */
        {5, 1, 0, 0}, /* else: behind end */
    };
    ENTRIES(want, 0x20, 0, IF, I32, 0x41, 1, 0x01, 0x01, ELSE, 0x01, 0x41, 2, END, 0x01);
}

Test(side_table, if_without_else) {
    static const i32 want[][4] = {{5, 1, 0, 0}};
    ENTRIES(want, 0x20, 0, IF, VOID, 0x01, 0x01, END, 0x41, 1);
}

Test(side_table, branches_drop_what_lies_between) {
    static const i32 want[][4] = {
        {5, 1, 2, 1},
    };
    ENTRIES(want, BLOCK, I32, 0x41, 1, 0x41, 2, 0x41, 3, BR, 0, 0x01, 0x01, END, 0x01);
}

Test(side_table, loops_go_behind_the_block_type) {
    static const i32 want[][4] = {
        {-2, 0, 0, 0},
        {-8, -1, 1, 0},
    };
    ENTRIES(want, LOOP, VOID, 0x20, 0, BR_IF, 0, 0x41, 1, 0x41, 0, BR_IF, 0, DROP, END, 0x41, 7);
}

Test(side_table, the_way_out_moves_nothing) {
    static const i32 want[][4] = {
        {6, 2, 0, 1}, /* br_if to the body's label: at its end, over whatever lies below */
        {3, 1, 0, 1}, /* to a block that ends just before */
    };
    ENTRIES(want, BLOCK, I32, 0x41, 1, 0x41, 2, 0x41, 3, BR_IF, 1, 0x01, BR_IF, 0, END);
}

Test(side_table, ends_and_else_are_passed) {
    static const i32 want[][4] = {
        {12, 3, 0, 0}, /* if: behind else */
        {8, 2, 0, 0},  /* br 0 in two blocks in the if: to the very end of it */
        {3, 1, 0, 0},  /* else */
    };
    ENTRIES(want, 0x20, 0, IF, VOID, BLOCK, VOID, BLOCK, VOID, BR, 0, 0x01, END, END, ELSE, 0x01,
            END, 0x41, 1);
}

Test(side_table, table_branches_have_an_entry_each) {
    static const i32 want[][4] = {
        {10, 3, 1, 0},
        {7, 2, 0, 0},
        {10, 1, 1, 0},
    };
    ENTRIES(want, BLOCK, VOID, 0x41, 9, BLOCK, VOID, 0x20, 0, BR_TABLE, 2, 1, 0, 1, 0x01, END, 0x01,
            DROP, END, 0x41, 1);
}

Test(side_table, vectors_take_two_slots) {
    static const i32 want[][4] = {{5, 1, 3, 2}};
    ENTRIES(want, BLOCK, V128, 0x41, 0, 0x41, 0, 0xFD, 15, 0x41, 0, 0xFD, 15, BR, 0, 0x01, 0x01,
            END, DROP, 0x41, 1);
}

Test(side_table, parameters_are_kept_by_loops_and_results_by_blocks) {
    expect_entries(BYTES_OF(0x41, 1, 0x41, 2, LOOP, 2, 0x41, 5, 0x41, 6, 0x41, 7, BR_IF, 0, DROP,
                            DROP, DROP, DROP, 0x41, 1, 0x42, 1, END, DROP, DROP, 0x41, 3),
                   0, NULL);
}

Test(side_table, dead_code_has_entries) {
    expect_entries(BYTES_OF(BLOCK, VOID, BR, 0, IF, VOID, BR, 1, ELSE, 0x41, 0, BR_TABLE, 1, 0, 1,
                            END, LOOP, VOID, 0x00, BR_IF, 0, BR, 1, END, END, 0x41, 1),
                   0, NULL);
}

Test(side_table, handlers) {
    /* block (catch_all here) block i32 (catch here) try_table (catch 0 0) (catch_all 1) */
    expect_entries(BYTES_OF(BLOCK, VOID, BLOCK, I32, 0x41, 9, 0x1F, VOID, 2, 0, 0, 0, 2, 1, 0x01,
                            END, END, DROP, END, 0x41, 1),
                   0, NULL);
}
