/* The heap by itself: cells, large objects, collection, limits, failing memory. No guest code: roots
 * are what the test keeps. */
#include <criterion/criterion.h>

#include "object.h"
#include "store_support.h"

#define REF(def) T_REF(HEAP_DEFINED + (def)->id, true)

typedef struct Bench {
    Store *store;
    const DefType *pair;  /* struct (mut anyref) (mut anyref) */
    const DefType *mixed; /* struct i8 i64 anyref i16 v128 f32 */
    const DefType *bytes; /* array (mut i8) */
    const DefType *refs;  /* array (mut anyref) */
    RecGroup *groups[4];
} Bench;

#define ANY T_REF(HEAP_ANY, true)

static const DefType *intern(Bench *b, u32 at, CompKind comp, const FieldType *fields, u32 n) {
    TypeDesc desc = {.comp = (u8)comp,
                     .final = true,
                     .super = NONE_U32,
                     .descriptor = NONE_U32,
                     .describes = NONE_U32,
                     .nfields = n,
                     .fields = fields};
    const DefType *def = NULL;
    b->groups[at] = wr_types_intern(b->store->engine->types, &desc, 1, &def);
    cr_assert_not_null(def);
    return def;
}

static Bench setup(u32 debug, const Alloc *alloc, wr_memory_mode_t mode) {
    Bench b = {.store = new_test_store(mode, alloc)};
    cr_assert_not_null(b.store);
    b.store->engine->config.gc_debug = debug;
    const FieldType pair[] = {{ANY, true}, {ANY, true}};
    const FieldType mixed[] = {{VK_I8, true},  {T_I64, true},  {ANY, true},
                               {VK_I16, true}, {T_V128, true}, {T_F32, true}};
    const FieldType byte[] = {{VK_I8, true}};
    b.pair = intern(&b, 0, COMP_STRUCT, pair, 2);
    b.mixed = intern(&b, 1, COMP_STRUCT, mixed, 6);
    b.bytes = intern(&b, 2, COMP_ARRAY, byte, 1);
    b.refs = intern(&b, 3, COMP_ARRAY, pair, 1);
    return b;
}

static void teardown(Bench *b) {
    for (u32 i = 0; i < 4; i++) wr_types_release(b->store->engine->types, b->groups[i]);
    wr_store_delete(b->store);
}

static u32 new_pair(Bench *b, u64 left, u64 right) {
    Slot values[2] = {{.u64 = left}, {.u64 = right}};
    return wr_struct_new(b->store, b->pair, 0, values);
}

static u32 left_of(const Bench *b, u32 pair) { return le32_load(object_at(b->store, pair) + 4); }
static u32 i31(u32 value) { return value << 1 | 1; }
static void must_verify(const Bench *b) {
    const char *problem = wr_heap_verify(b->store);
    cr_assert_null(problem, "%s", problem ? problem : "");
}
static void keep(Bench *b, u64 ref) { cr_assert(wr_store_keep(b->store, ref)); }

/* ---- sizes and layout ---- */

Test(heap, classes_hold_what_they_are_for) {
    u32 last = 0;
    for (u32 size = 1; size <= HEAP_SMALL_MAX; size++) {
        u32 class = heap_class(size);
        cr_assert_lt(class, HEAP_CLASSES);
        cr_assert_geq(heap_cell(class), size);
        cr_assert(class == 0 || heap_cell(class - 1) < size, "the least that is enough");
        cr_assert_leq(class, last + 1);
        last = class;
    }
    for (u32 class = 0; class < HEAP_CLASSES; class ++) {
        BlockInfo info = {.size_class = (u8) class};
        for (u32 i = 0; i < HEAP_BLOCK / heap_cell(class); i++)
            cr_assert_eq(heap_cell_index(&info, i * heap_cell(class)), i);
    }
}

Test(heap, fields_lie_where_their_width_allows) {
    Bench b = setup(0, NULL, WR_MEMORY_EXPLICIT);
    const u32 offsets[] = {4, 8, 16, 20, 24, 40};
    for (u32 i = 0; i < 6; i++) cr_assert_eq(place_offset(b.mixed->places[i]), offsets[i]);
    cr_assert_eq(b.mixed->object_size, 44);
    cr_assert_eq(b.mixed->nrefs, 1);
    cr_assert_eq(b.mixed->refs[0], 16);
    cr_assert_eq(b.mixed->first_word, 0);
    cr_assert_eq(b.pair->first_word, 4);
    Slot values[7] = {{.u64 = 0x1FF}, {.u64 = ~(u64)5}, {.u64 = i31(9)},    {.u64 = 0x2ABCD},
                      {.u64 = 1},     {.u64 = 2},       {.u64 = 0x3F800000}};
    u32 ref = wr_struct_new(b.store, b.mixed, 0, values);
    const u8 *object = object_at(b.store, ref);
    cr_assert_eq(place_load(object + 4, PLACE_8), 0xFF);
    cr_assert_eq(place_load_signed(object + 4, PLACE_8), UINT32_MAX);
    cr_assert_eq(place_load(object + 8, PLACE_64), ~(u64)5);
    cr_assert_eq(place_load(object + 20, PLACE_16), 0xABCD);
    cr_assert_eq(le64_load(object + 24), 1);
    cr_assert_eq(le64_load(object + 32), 2);
    teardown(&b);
}

/* ---- collecting ---- */

Test(heap, what_nobody_keeps_goes) {
    Bench b = setup(WR_GC_VERIFY, NULL, WR_MEMORY_EXPLICIT);
    u32 kept = new_pair(&b, new_pair(&b, i31(1), 0), 0), lost = new_pair(&b, 0, 0);
    keep(&b, kept);
    cr_assert(wr_heap_collect(b.store));
    cr_assert(wr_heap_has(b.store->heap, kept));
    cr_assert(wr_heap_has(b.store->heap, left_of(&b, kept)));
    cr_assert_not(wr_heap_has(b.store->heap, lost));
    cr_assert_eq(b.store->heap->stats.live_bytes, 2 * 16);
    wr_store_close_scope(b.store, 0);
    cr_assert(wr_heap_collect(b.store));
    cr_assert_not(wr_heap_has(b.store->heap, kept));
    cr_assert_eq(b.store->heap->stats.live_bytes, 0);
    teardown(&b);
}

Test(heap, cells_are_used_again) {
    Bench b = setup(0, NULL, WR_MEMORY_EXPLICIT);
    size_t scope = wr_store_open_scope(b.store);
    for (u32 round = 0; round < 20; round++) {
        u32 list = 0;
        for (u32 k = 0; k < 100000; k++) {
            list = new_pair(&b, list, i31(k));
            cr_assert_neq(list, 0);
            wr_store_close_scope(b.store, scope);
            keep(&b, list);
        }
    }
    cr_assert_gt(b.store->heap->stats.collections, 1);
    cr_assert_lt(b.store->heap->stats.peak_bytes, (u64)16 << 20);
    must_verify(&b);
    teardown(&b);
}

Test(heap, every_other_cell_is_found) {
    Bench b = setup(WR_GC_VERIFY, NULL, WR_MEMORY_EXPLICIT);
    u32 array = wr_array_new(b.store, b.refs, 50000, NULL);
    keep(&b, array);
    for (u32 k = 0; k < 50000; k++) {
        u32 pair = new_pair(&b, i31(k), 0);
        if (k % 2) le32_store(object_at(b.store, array) + 8 + 4 * k, pair);
    }
    cr_assert(wr_heap_collect(b.store));
    u32 used = b.store->heap->used;
    for (u32 k = 0; k < 50000; k += 2) {
        u32 pair = new_pair(&b, i31(k), 0);
        le32_store(object_at(b.store, array) + 8 + 4 * k, pair);
    }
    cr_assert_eq(b.store->heap->used, used, "all fitted into the gaps");
    for (u32 k = 0; k < 50000; k++)
        cr_assert_eq(left_of(&b, le32_load(object_at(b.store, array) + 8 + 4 * k)), i31(k));
    cr_assert(wr_heap_collect(b.store));
    must_verify(&b);
    teardown(&b);
}

Test(heap, long_lists_and_wide_arrays_need_no_stack) {
    Bench b = setup(0, NULL, WR_MEMORY_EXPLICIT);
    u32 array = wr_array_new(b.store, b.refs, 300000, NULL);
    keep(&b, array);
    size_t scope = wr_store_open_scope(b.store);
    u32 list = 0;
    for (u32 k = 0; k < 300000; k++) {
        list = new_pair(&b, list, i31(k));
        le32_store(object_at(b.store, array) + 8 + 4 * k, k % 3 ? list : 0);
        wr_store_close_scope(b.store, scope);
        keep(&b, list);
    }
    cr_assert(wr_heap_collect(b.store));
    cr_assert_geq(b.store->heap->stats.live_bytes, 300000 * 16);
    must_verify(&b);
    teardown(&b);
}

/* ---- marking in steps ---- */

/* A chain hangs off an array by its last element; while marking is under way it is moved to the first,
 * which has been scanned already. */
static void move_while_marking(bool shade) {
    Bench b = setup(WR_GC_STEPS, NULL, WR_MEMORY_EXPLICIT);
    u32 array = wr_array_new(b.store, b.refs, 20000, NULL), chain = 0;
    keep(&b, array);
    b.store->engine->config.gc_debug = 0;
    b.store->heap->debug = 0;
    for (u32 k = 0; k < 100; k++) chain = new_pair(&b, chain, i31(k));
    u8 *first = object_at(b.store, array) + 8, *last = first + 4 * 19999;
    le32_store(last, chain);
    cr_assert(wr_heap_collect(b.store));
    b.store->heap->debug = WR_GC_STEPS;
    wr_heap_pace(b.store); /* begins */
    wr_heap_pace(b.store); /* the first part of the array */
    cr_assert(b.store->heap->marking);
    if (shade) wr_heap_mark(b.store, chain);
    le32_store(first, chain);
    le32_store(last, 0);
    while (b.store->heap->marking) wr_heap_pace(b.store);
    cr_assert_eq(wr_heap_has(b.store->heap, chain), shade);
    if (shade) must_verify(&b);
    teardown(&b);
}

Test(heap, marking_needs_to_be_told_what_is_overwritten) {
    move_while_marking(true);
    move_while_marking(false); /* so the other case tests something */
}

Test(heap, what_is_made_while_marking_stays) {
    Bench b = setup(WR_GC_STEPS | WR_GC_VERIFY, NULL, WR_MEMORY_EXPLICIT);
    u32 array = wr_array_new(b.store, b.refs, 3000, NULL);
    keep(&b, array);
    for (u32 k = 0; k < 3000; k++) {
        u32 pair = new_pair(&b, i31(k), 0);
        cr_assert_neq(pair, 0);
        wr_heap_mark(b.store, le32_load(object_at(b.store, array) + 8 + 4 * k));
        le32_store(object_at(b.store, array) + 8 + 4 * k, pair);
        cr_assert_neq(wr_array_new(b.store, b.bytes, k % 7 == 0 ? 70000 : 3, NULL), 0);
    }
    cr_assert_gt(b.store->heap->stats.collections, 1);
    for (u32 k = 0; k < 3000; k++)
        cr_assert_eq(left_of(&b, le32_load(object_at(b.store, array) + 8 + 4 * k)), i31(k));
    teardown(&b);
}

/* ---- large objects ---- */

Test(heap, large_objects_have_blocks_of_their_own) {
    Bench b = setup(WR_GC_VERIFY, NULL, WR_MEMORY_GUARD);
    u32 refs[8];
    for (u32 k = 0; k < 8; k++) {
        Slot value = {.u64 = k};
        refs[k] = wr_array_new(b.store, b.bytes, 100000 * (k + 1), &value);
        cr_assert_neq(refs[k], 0);
        if (k % 2) keep(&b, refs[k]);
    }
    cr_assert(wr_heap_collect(b.store));
    for (u32 k = 0; k < 8; k++) {
        cr_assert_eq(wr_heap_has(b.store->heap, refs[k]), k % 2 == 1);
        if (k % 2 == 0) continue;
        u8 *array = object_at(b.store, refs[k]);
        cr_assert_eq(array_length(array), 100000 * (k + 1));
        cr_assert_eq(array[8], k);
        cr_assert_eq(array[8 + 100000 * (k + 1) - 1], k);
    }
    u32 again = wr_array_new(b.store, b.bytes, 90000, NULL);
    cr_assert_lt(again, refs[7], "in a gap");
    cr_assert_eq(object_at(b.store, again)[8 + 89999], 0);
    cr_assert_not(wr_heap_has(b.store->heap, refs[1] + 8), "not the start of an object");
    teardown(&b);
}

Test(heap, impossible_lengths_are_refused) {
    Bench b = setup(0, NULL, WR_MEMORY_GUARD);
    cr_assert_eq(wr_array_new(b.store, b.refs, UINT32_MAX, NULL), 0);
    cr_assert_eq(wr_array_new(b.store, b.bytes, UINT32_MAX, NULL), 0);
    cr_assert_neq(wr_array_new(b.store, b.bytes, 0, NULL), 0);
    teardown(&b);
}

/* ---- limits and failing memory ---- */

Test(heap, the_limit_holds) {
    Bench b = setup(0, NULL, WR_MEMORY_EXPLICIT);
    wr_store_limit_heap(b.store, (u64)1 << 20);
    u32 array = wr_array_new(b.store, b.refs, 1000, NULL), k = 0;
    keep(&b, array);
    for (; k < 1000; k++) { /* 4 KiB each: about 250 fit */
        u32 bytes = wr_array_new(b.store, b.bytes, 4000, NULL);
        if (!bytes) break;
        le32_store(object_at(b.store, array) + 8 + 4 * k, bytes);
    }
    cr_assert_gt(k, 200);
    cr_assert_lt(k, 260);
    cr_assert_leq(b.store->heap->stats.peak_bytes, (u64)1 << 20);
    must_verify(&b);
    memset(object_at(b.store, array) + 8, 0, 4000);
    cr_assert_neq(wr_array_new(b.store, b.bytes, 4000, NULL), 0, "garbage makes room");
    teardown(&b);
}

/* Each allocation of the host's fails in turn, for ever after: nothing breaks. */
Test(heap, failing_memory_is_a_failed_allocation) {
    for (size_t fail_at = 1; fail_at < 120; fail_at++) {
        FailAlloc state = {.sticky = true};
        Alloc alloc = wr_alloc_failing(&state);
        u32 debug = WR_GC_VERIFY | (fail_at % 2 ? WR_GC_STRESS : WR_GC_STEPS);
        Bench b = setup(debug, &alloc, WR_MEMORY_EXPLICIT);
        keep(&b, wr_array_new(b.store, b.refs, 5000, NULL));
        state.fail_at = state.calls + fail_at;
        u32 array = b.store->handles ? b.store->handles[0] : 0;
        for (u32 k = 0; array && k < 300; k++) {
            u32 pair = new_pair(&b, 0, 0);
            if (pair) le32_store(object_at(b.store, array) + 8 + 4 * k, pair);
        }
        state.fail_at = 0;
        if (array) must_verify(&b);
        teardown(&b);
        cr_assert_eq(state.live_bytes, 0);
    }
}

/* The mark stack cannot grow: objects are found by looking through their blocks again. */
Test(heap, a_full_mark_stack_loses_nothing) {
    FailAlloc state = {.sticky = true};
    Alloc alloc = wr_alloc_failing(&state);
    Bench b = setup(0, &alloc, WR_MEMORY_EXPLICIT);
    u32 array = wr_array_new(b.store, b.refs, 40000, NULL);
    keep(&b, array);
    for (u32 k = 0; k < 40000; k++) {
        u32 inner = new_pair(&b, i31(k), 0), outer = new_pair(&b, inner, 0);
        le32_store(object_at(b.store, array) + 8 + 4 * k, outer);
    }
    cr_assert(wr_heap_collect(b.store));
    u64 live = b.store->heap->stats.live_bytes;
    wr_free(&b.store->alloc, b.store->heap->marks.refs,
            b.store->heap->marks.capacity * sizeof(u32));
    b.store->heap->marks = (MarkStack){NULL, 0, 0};
    state.fail_at = state.calls + 2; /* the stack's first size is there */
    cr_assert(wr_heap_collect(b.store));
    cr_assert_eq(b.store->heap->stats.live_bytes, live);
    state.fail_at = 0;
    must_verify(&b);
    teardown(&b);
}

/* ---- verification finds what is wrong ---- */

Test(heap, damage_is_found) {
    Bench b = setup(0, NULL, WR_MEMORY_EXPLICIT);
    u32 lost = new_pair(&b, 0, 0);
    cr_assert(wr_heap_collect(b.store));
    u32 pair = new_pair(&b, 0, 0), other = wr_array_new(b.store, b.refs, 3, NULL);
    keep(&b, pair);
    must_verify(&b);
    le32_store(object_at(b.store, pair) + 4, lost + 64);
    cr_assert_not_null(wr_heap_verify(b.store), "a field that leads nowhere");
    le32_store(object_at(b.store, pair) + 4, 0);
    le32_store(object_at(b.store, other) + 4, 4000);
    cr_assert_not_null(wr_heap_verify(b.store), "a length beyond the cell");
    le32_store(object_at(b.store, other) + 4, 3);
    le32_store(object_at(b.store, other), object_header(123456));
    cr_assert_not_null(wr_heap_verify(b.store), "a type that there is not");
    le32_store(object_at(b.store, other), lost + 64);
    cr_assert_not_null(wr_heap_verify(b.store), "a descriptor that there is not");
    le32_store(object_at(b.store, other), pair);
    cr_assert_not_null(wr_heap_verify(b.store), "a descriptor that is none");
    le32_store(object_at(b.store, other), b.refs->header);
    must_verify(&b);
    teardown(&b);
}

/* ---- references that the host makes up ---- */

Test(heap, forged_references_are_refused) {
    Bench b = setup(0, NULL, WR_MEMORY_EXPLICIT);
    u32 pair = new_pair(&b, 0, 0);
    cr_assert(wr_store_ref_matches(b.store, pair, REF(b.pair)));
    cr_assert(wr_store_ref_matches(b.store, pair, T_EXTERNREF));
    cr_assert_not(wr_store_ref_matches(b.store, pair, REF(b.refs)));
    cr_assert_not(wr_store_ref_matches(b.store, pair, T_EXNREF));
    cr_assert_not(wr_store_ref_matches(b.store, pair, T_REF(HEAP_I31, true)));
    cr_assert_not(wr_store_ref_matches(b.store, pair + 8, ANY));
    cr_assert_not(wr_store_ref_matches(b.store, pair + 4, ANY));
    cr_assert_not(wr_store_ref_matches(b.store, 8, ANY));
    cr_assert_not(wr_store_ref_matches(b.store, (u64)1 << 40, ANY));
    cr_assert_not(wr_store_ref_matches(b.store, UINT32_MAX - 7, ANY));
    cr_assert(wr_store_ref_matches(b.store, i31(3), T_REF(HEAP_EQ, false)));
    cr_assert_not(wr_store_ref_matches(b.store, ((u64)1 << 32) | 1, ANY));
    teardown(&b);
}
