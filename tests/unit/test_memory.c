/* Linear memories: modes, growth, limits, users, bulk instructions. */
#include <criterion/criterion.h>

#include <signal.h>
#include <sys/resource.h>

#include "memory.h"
#include "store_support.h"

#define PAGE ((u64)WASM_PAGE_SIZE)

static MemoryDecl pages(u64 min, u64 max) {
    return (MemoryDecl){.limits = {.min = min, .max = max, .has_max = max != UINT64_MAX},
                        .page_size_log2 = 16};
}

static Memory *new_memory(Store *store, MemoryDecl decl) {
    Memory *memory = NULL;
    Error *error = wr_memory_new(store, &decl, &memory);
    cr_assert_null(error, "%s", error ? wr_error_message(error) : "");
    return memory;
}

static const wr_memory_mode_t modes[] = {WR_MEMORY_GUARD, WR_MEMORY_EXPLICIT};

Test(memory, grows_and_keeps_its_contents) {
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Store *store = new_test_store(modes[m], NULL);
        Memory *memory = new_memory(store, pages(1, 100));
        for (u64 n = 1; n < 100; n++) {
            memory->base[n * PAGE - 1] = (u8)n;
            cr_assert_eq(wr_memory_grow(memory, 1), n);
            cr_assert_eq(memory->size, (n + 1) * PAGE);
            cr_assert_eq(memory->base[n * PAGE], 0, "new pages are zero");
        }
        for (u64 n = 1; n < 100; n++) cr_assert_eq(memory->base[n * PAGE - 1], (u8)n);
        cr_assert_eq(wr_memory_grow(memory, 1), UINT64_MAX, "the declared maximum");
        cr_assert_eq(wr_memory_grow(memory, 0), 100u);
        cr_assert_eq(store->budget->used_memory, 100 * PAGE);
        wr_store_delete(store);
    }
}

Test(memory, guarded_ones_never_move) {
    Store *store = new_test_store(WR_MEMORY_AUTO, NULL);
    cr_assert_eq(store->engine->config.memory_mode, WR_MEMORY_GUARD);
    Memory *memory = new_memory(store, pages(0, UINT64_MAX));
    cr_assert_eq(wr_memory_kind(memory), MEM_GUARD32);
    cr_assert_eq(memory->reserved, GUARDED_RESERVATION);
    const u8 *base = memory->base;
    cr_assert_eq(wr_memory_grow(memory, 65536), 0u);
    cr_assert_eq(memory->size, (u64)1 << 32);
    cr_assert_eq(memory->base, base);
    memory->base[memory->size - 1] = 1;
    cr_assert_eq(wr_memory_grow(memory, 1), UINT64_MAX);
    wr_store_delete(store);
}

/* Address space for one reservation is left, and no more. */
Test(memory, falls_back_when_a_reservation_is_refused) {
    if (INSTRUMENTED) cr_skip_test("the limit would hit the sanitizer");
    Store *store = new_test_store(WR_MEMORY_GUARD, NULL);
    struct rlimit limit = {GUARDED_RESERVATION + (1 << 30), GUARDED_RESERVATION + (1 << 30)};
    if (setrlimit(RLIMIT_AS, &limit) != 0) cr_skip_test("no such limit here");
    Memory *first = new_memory(store, pages(1, UINT64_MAX));
    Memory *second = new_memory(store, pages(1, UINT64_MAX));
    if (wr_memory_kind(second) == MEM_GUARD32) cr_skip_test("the limit is not enforced");
    cr_assert_eq(wr_memory_kind(first), MEM_GUARD32);
    cr_assert_eq(wr_memory_kind(second), MEM_CHECK32);
    cr_assert_eq(wr_memory_grow(second, 10), 1u);
    second->base[11 * PAGE - 1] = 1;
    wr_store_delete(store);
}

Test(memory, the_guard_is_inaccessible, .signal = SIGSEGV) {
    signal(SIGSEGV, SIG_DFL); /* not a sanitizer\'s */
    Store *store = new_test_store(WR_MEMORY_GUARD, NULL);
    Memory *memory = new_memory(store, pages(1, UINT64_MAX));
    volatile u8 *base = memory->base;
    base[PAGE] = 1;
}

Test(memory, kinds_follow_type_and_mode) {
    Store *store = new_test_store(WR_MEMORY_GUARD, NULL);
    MemoryDecl decl = pages(1, 2);
    decl.limits.is_64 = true;
    cr_assert_eq(wr_memory_kind(new_memory(store, decl)), MEM_64);
    decl = pages(1, 2);
    decl.page_size_log2 = 0;
    Memory *tiny = new_memory(store, decl);
    cr_assert_eq(wr_memory_kind(tiny), MEM_CHECK32);
    cr_assert_eq(tiny->size, 1u);
    cr_assert_eq(wr_memory_grow(tiny, 1), 1u);
    cr_assert_eq(tiny->size, 2u);
    wr_store_delete(store);
    store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    cr_assert_eq(wr_memory_kind(new_memory(store, pages(1, 2))), MEM_CHECK32);
    wr_store_delete(store);
}

Test(memory, byte_sized_pages_grow_across_host_pages) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    MemoryDecl decl = pages(0, UINT64_MAX);
    decl.page_size_log2 = 0;
    Memory *memory = new_memory(store, decl);
    cr_assert_not_null(memory->base);
    for (u64 n = 0; n < 3 * wr_os_page_size(); n += 1000) {
        cr_assert_eq(wr_memory_grow(memory, 1000), n);
        for (u64 i = n; i < n + 1000; i++) cr_assert_eq(memory->base[i], 0);
        memset(memory->base + n, 0xFF, 1000);
    }
    cr_assert_eq(wr_memory_grow(memory, UINT32_MAX), UINT64_MAX);
    wr_store_delete(store);
}

Test(memory, impossible_sizes_fail_cleanly) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    MemoryDecl decl = pages((u64)1 << 48, UINT64_MAX);
    decl.limits.is_64 = true;
    Memory *memory = NULL;
    Error *error = wr_memory_new(store, &decl, &memory);
    cr_assert_not_null(error);
    cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
    wr_error_delete(error);
    decl.limits.min = 1;
    memory = new_memory(store, decl);
    cr_assert_eq(wr_memory_grow(memory, UINT64_MAX), UINT64_MAX);
    cr_assert_eq(wr_memory_grow(memory, ((u64)1 << 48) - 1), UINT64_MAX);
    cr_assert_eq(wr_memory_grow(memory, (u64)1 << 40), UINT64_MAX);
    cr_assert_eq(memory_pages(memory), 1u);
    cr_assert_eq(store->budget->used_memory, PAGE);
    memory->base[PAGE - 1] = 1;
    wr_store_delete(store);
}

Test(memory, shared_ones_do_not_move) {
    Store *store = new_test_store(WR_MEMORY_EXPLICIT, NULL);
    MemoryDecl decl = pages(1, 64);
    decl.limits.is_shared = true;
    Memory *memory = new_memory(store, decl);
    const u8 *base = memory->base;
    for (u64 n = 1; n < 64; n++) cr_assert_eq(wr_memory_grow(memory, 1), n);
    cr_assert_eq(memory->base, base);
    cr_assert_eq(wr_memory_grow(memory, 1), UINT64_MAX);
    wr_store_delete(store);
}

Test(memory, the_store_limits_the_sum) {
    Store *store = new_test_store(WR_MEMORY_AUTO, NULL);
    wr_store_limit_memory(store, 10 * PAGE);
    Memory *a = new_memory(store, pages(4, UINT64_MAX));
    Memory *b = new_memory(store, pages(4, UINT64_MAX)), *c = NULL;
    MemoryDecl decl = pages(3, UINT64_MAX);
    Error *error = wr_memory_new(store, &decl, &c);
    cr_assert_not_null(error);
    cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY);
    wr_error_delete(error);
    cr_assert_eq(wr_memory_grow(a, 3), UINT64_MAX);
    cr_assert_eq(wr_memory_grow(a, 1), 4u);
    cr_assert_eq(wr_memory_grow(b, 1), 4u);
    cr_assert_eq(wr_memory_grow(b, 1), UINT64_MAX);
    wr_store_limit_memory(store, 0);
    cr_assert_eq(wr_memory_grow(b, 1), UINT64_MAX);
    cr_assert_eq(wr_memory_grow(b, 0), 5u);
    wr_store_delete(store);
}

Test(memory, users_see_growth) {
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        Store *store = new_test_store(modes[m], NULL);
        Memory *memory = new_memory(store, pages(1, UINT64_MAX));
        Instance users[20] = {{0}};
        for (int i = 0; i < 20; i++) {
            cr_assert(wr_memory_add_user(memory, &users[i]));
            cr_assert_eq(users[i].mem_base, memory->base);
            cr_assert_eq(users[i].memory_kind, wr_memory_kind(memory));
        }
        wr_memory_remove_user(memory, &users[3]);
        wr_memory_remove_user(memory, &users[3]);
        cr_assert_eq(memory->nusers, 19u);
        cr_assert_eq(wr_memory_grow(memory, 1000), 1u);
        for (int i = 0; i < 20; i++) {
            cr_assert_eq(users[i].mem_size, (i == 3 ? 1 : 1001) * PAGE);
            if (i != 3) cr_assert_eq(users[i].mem_base, memory->base);
        }
        wr_store_delete(store);
    }
}

Test(memory, copy_and_fill_check_their_bounds) {
    Store *store = new_test_store(WR_MEMORY_AUTO, NULL);
    Memory *a = new_memory(store, pages(1, 1)), *b = new_memory(store, pages(2, 2));
    const wr_trap_code_t none = WR_TRAP_NONE, out = WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    cr_assert_eq(wr_memory_fill(a, 0, 7, PAGE), none);
    cr_assert_eq(wr_memory_fill(a, PAGE, 7, 0), none);
    cr_assert_eq(wr_memory_fill(a, PAGE + 1, 7, 0), out);
    cr_assert_eq(wr_memory_fill(a, 1, 9, PAGE), out);
    cr_assert_eq(wr_memory_fill(a, UINT64_MAX, 9, 2), out);
    cr_assert_eq(wr_memory_fill(a, 2, 9, UINT64_MAX), out);
    cr_assert_eq(a->base[1], 7, "nothing was written");
    cr_assert_eq(wr_memory_copy(b, a, PAGE, 0, PAGE), none);
    cr_assert_eq(b->base[2 * PAGE - 1], 7);
    cr_assert_eq(wr_memory_copy(a, b, 0, PAGE, PAGE + 1), out);
    cr_assert_eq(wr_memory_copy(a, b, 1, 0, PAGE), out);
    cr_assert_eq(wr_memory_copy(a, b, UINT64_MAX, 0, 1), out);
    cr_assert_eq(wr_memory_copy(a, a, PAGE, PAGE, 0), none);
    a->base[0] = 1, a->base[1] = 2, a->base[2] = 3;
    cr_assert_eq(wr_memory_copy(a, a, 1, 0, 3), none);
    cr_assert_arr_eq(a->base, ((const u8[]){1, 1, 2, 3}), 4, "overlapping");
    wr_store_delete(store);
}

static bool refuse(void) { return false; }

Test(memory, modes_that_cannot_be_had_are_refused) {
    Executor executor = test_executor;
    Engine *engine = NULL;
    struct wr_config config;
    wr_config_init(&config);

    executor.guard_init = refuse;
    Error *error = wr_engine_create(&config, &executor, &engine);
    cr_assert_null(error);
    cr_assert_eq(engine->config.memory_mode, WR_MEMORY_EXPLICIT);
    wr_engine_unref(engine);
    config.memory_mode = WR_MEMORY_GUARD;
    error = wr_engine_create(&config, &executor, &engine);
    cr_assert_not_null(error);
    cr_assert_eq(wr_error_kind(error), WR_ERROR_USAGE);
    wr_error_delete(error);
}
