/* The allocator interface and arenas. */
#include <criterion/criterion.h>

#include "alloc.h"
#include "arena.h"

Test(alloc, sizes_of_zero_give_null) {
    cr_assert_null(wr_alloc(&wr_alloc_system, 0));
    cr_assert_null(wr_alloc_array(&wr_alloc_system, 0, 8));
    cr_assert_null(wr_alloc_array(&wr_alloc_system, SIZE_MAX / 4, 8), "the product overflows");
    wr_free(&wr_alloc_system, NULL, 0);
}

Test(alloc, arrays_grow_up_to_their_maximum) {
    FailAlloc state = {0};
    Alloc a = wr_alloc_failing(&state);
    u32 *items = NULL, capacity = 0;
    for (u32 i = 0; i < 1000; i++) {
        cr_assert(wr_grow_array(&a, &items, &capacity, i + 1, 1000, sizeof *items));
        cr_assert(capacity > i && capacity <= 1000);
        items[i] = i;
    }
    for (u32 i = 0; i < 1000; i++) cr_assert_eq(items[i], i);
    cr_assert_lt(state.calls, 20u, "growth is geometric");
    cr_assert_not(wr_grow_array(&a, &items, &capacity, 1001, 1000, sizeof *items));
    cr_assert_eq(capacity, 1000u);
    cr_assert_not(wr_grow_array(&a, &items, &capacity, (u64)1 << 40, UINT64_MAX, sizeof *items));
    wr_free(&a, items, capacity * sizeof *items);
    cr_assert_eq(state.live_bytes, 0);
}

Test(alloc, a_failed_growth_changes_nothing) {
    FailAlloc state = {.fail_at = 2};
    Alloc a = wr_alloc_failing(&state);
    u64 *items = NULL;
    u32 capacity = 0;
    cr_assert(wr_grow_array(&a, &items, &capacity, 8, 100, sizeof *items));
    u64 *before = items;
    items[7] = 7;
    cr_assert_not(wr_grow_array(&a, &items, &capacity, 9, 100, sizeof *items));
    cr_assert(items == before && capacity == 8 && items[7] == 7);
    wr_free(&a, items, capacity * sizeof *items);
}

Test(alloc, fails_once_or_for_ever) {
    FailAlloc once = {.fail_at = 2}, sticky = {.fail_at = 2, .sticky = true};
    const bool expected_once[] = {true, false, true}, expected_sticky[] = {true, false, false};
    for (int i = 0; i < 3; i++) {
        Alloc a = wr_alloc_failing(&once), b = wr_alloc_failing(&sticky);
        void *p = wr_alloc(&a, 4), *q = wr_alloc(&b, 4);
        cr_assert_eq(p != NULL, expected_once[i]);
        cr_assert_eq(q != NULL, expected_sticky[i]);
        wr_free(&a, p, 4);
        wr_free(&b, q, 4);
    }
    cr_assert(once.live_bytes == 0 && sticky.live_bytes == 0);
}

/* ---- arenas ---- */

static bool is_clear(const u8 *p, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (p[i] != 0) return false;
    return true;
}

Test(arena, blocks_are_aligned_clear_and_apart) {
    FailAlloc state = {0};
    Alloc a = wr_alloc_failing(&state);
    Arena arena;
    wr_arena_init(&arena, &a);
    u8 *blocks[300];
    for (size_t i = 0; i < 300; i++) {
        size_t size = i * 37 % 5000;
        blocks[i] = wr_arena_new(&arena, size, 1);
        cr_assert_not_null(blocks[i]);
        if (size == 0) continue;
        cr_assert_eq((uintptr_t)blocks[i] % 16, 0u);
        cr_assert(is_clear(blocks[i], size));
        memset(blocks[i], (int)(i % 255 + 1), size);
    }
    for (size_t i = 1; i < 300; i++) {
        size_t size = i * 37 % 5000;
        if (size == 0) continue;
        cr_assert_eq(blocks[i][0], i % 255 + 1);
        cr_assert_eq(blocks[i][size - 1], i % 255 + 1);
    }
    cr_assert_eq(arena.total, (size_t)state.live_bytes);
    wr_arena_free(&arena);
    cr_assert_eq(state.live_bytes, 0);
}

Test(arena, refuses_what_overflows) {
    Arena arena;
    wr_arena_init(&arena, &wr_alloc_system);
    cr_assert_null(wr_arena_new(&arena, SIZE_MAX / 2, 3));
    cr_assert_null(wr_arena_new(&arena, SIZE_MAX - 20, 1));
    cr_assert_null(wr_arena_copy(&arena, "", SIZE_MAX));
    const char *copy = wr_arena_copy(&arena, "text", 4);
    cr_assert_str_eq(copy, "text");
    wr_arena_free(&arena);
}

Test(arena, adopts_another) {
    FailAlloc state = {0};
    Alloc a = wr_alloc_failing(&state);
    Arena to, from;
    wr_arena_init(&to, &a);
    wr_arena_init(&from, &a);
    wr_arena_adopt(&to, &from);
    u32 *mine = wr_arena_new(&to, 1, sizeof *mine),
        *theirs = wr_arena_new(&from, 1, sizeof *theirs);
    cr_assert_not_null(wr_arena_new(&from, 100000, 1));
    *mine = 1;
    *theirs = 2;
    wr_arena_adopt(&to, &from);
    cr_assert_eq(from.total, 0u);
    cr_assert_eq(to.total, (size_t)state.live_bytes);
    u32 *next = wr_arena_new(&to, 1, sizeof *next);
    cr_assert(next != mine && next != theirs && *mine == 1 && *theirs == 2);
    wr_arena_free(&from);
    wr_arena_free(&to);
    cr_assert_eq(state.live_bytes, 0);
}

Test(arena, is_unharmed_by_failure) {
    FailAlloc state = {.fail_at = 2};
    Alloc a = wr_alloc_failing(&state);
    Arena arena;
    wr_arena_init(&arena, &a);
    cr_assert_not_null(wr_arena_new(&arena, 1, 100));
    cr_assert_null(wr_arena_new(&arena, 1, 100000));
    cr_assert_not_null(wr_arena_new(&arena, 1, 100));
    wr_arena_free(&arena);
    cr_assert_eq(state.live_bytes, 0);
}
