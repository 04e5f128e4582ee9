/*
 * test_tiles.c - every tile does what its parts do one by one. tiles.py has made a module with a function
 * for each tile, and says where the tile is in it and which id it has. Here each is run by bytes and
 * by ids, on the same operands, with guarded and with checked memories, polling or not: results, memory,
 * locals and globals (through a hash), fuel, traps and their places must be the same. And the ids
 * must be there: a tile that is never chosen would not be tested. The host enters a case through a function
 * that calls it: a function that the host calls starts by bytes.
 */
#include <stdio.h>

#include "embed_support.h"
#include "frame.h"
#include "numeric.h"
#include "shadow.h"
#include "tiling.h"

#define PARAMS 9 /* as tiles.py has them: two of i32, i64, f32, f64, an address */
#define ROUNDS 6
#define MEMORY_SIZE (2 * WASM_PAGE_SIZE)
#define LOTS 1000000u
#define MAX_CASES 50000u

typedef struct Case {
    u32 function, entry, at, id;
    u32 branches, accesses,
        checks; /* the tile comes with one that polls; accesses memory; with checks */
    char state;
    char sequence[240];
} Case;

static Case cases[MAX_CASES];
static u32 ncases;

static void read_cases(void) {
    FILE *file = fopen(WR_TILES_DIR "/tiles.txt", "r");
    cr_assert_not_null(file);
    ncases = 0;
    for (Case *c = cases;
         fscanf(file, "%u %u %u %u %u %u %u %c %239[^\n]", &c->function, &c->entry, &c->at, &c->id,
                &c->branches, &c->accesses, &c->checks, &c->state, c->sequence) == 9;
         c++, ncases++)
        cr_assert_lt(ncases + 1, MAX_CASES);
    fclose(file);
    cr_assert_gt(ncases, 5000);
}

/* ---- numbers ---- */

static u64 seed;

static u64 next_random(void) { /* splitmix64 */
    u64 z = seed += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static u32 below(u32 n) { return (u32)(next_random() % n); }

/* An address in memory mostly, with room for offsets; often one of its last. */
static u32 any_address(void) {
    return below(3) == 0 ? MEMORY_SIZE - below(24) : below(MEMORY_SIZE / 16) * 4;
}

static u32 any_i32(u32 round) {
    static const u32 edges[] = {0, 1, 2, 3, 31, 32, 0x7F, 0x80, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    if (round < 3) return any_address();
    return round == 3 ? edges[below(ARRAY_LEN(edges))] : (u32)next_random() >> below(32);
}

static u64 any_i64(u32 round) {
    static const u64 edges[] = {0, 1, 63, 64, INT64_MAX, 1ull << 63, UINT64_MAX, UINT32_MAX};
    if (round < 3) return any_address() | (below(2) ? next_random() << 32 : 0);
    return round == 3 ? edges[below(ARRAY_LEN(edges))] : next_random() >> below(64);
}

/* NaNs are what this machine makes of 0 / 0: which one of two comes out of an operation, nobody says. */
static double any_float(u32 round) {
    static const double edges[] = {0.0,          -0.0,          1.0,   -1.0,
                                   4294967296.0, -2147483649.0, 1e-40, 3.5e38};
    static volatile double zero = 0;
    u32 kind = round < 3 ? 3 : below(5);
    if (kind == 0) return zero / zero;
    if (kind == 1) return (below(2) ? 1 : -1) / zero;
    if (kind == 2) return edges[below(ARRAY_LEN(edges))];
    return ((double)(i64)next_random()) / (double)(1ull << below(64));
}

static void make_arguments(Slot *slots, u32 round) {
    for (u32 i = 0; i < 2; i++) slots[i].u64 = any_i32(round);
    for (u32 i = 2; i < 4; i++) slots[i].u64 = any_i64(round);
    for (u32 i = 4; i < 6; i++) slots[i].u64 = bits_of_f32((float)any_float(round));
    for (u32 i = 6; i < 8; i++) slots[i].f64 = any_float(round);
    slots[8].u64 = below(MEMORY_SIZE / 16 - 16) * 16;
}

/* Small numbers mostly, which are addresses; floats here and there, no NaNs. */
static void fill_memory(u8 *base) {
    for (u32 at = 0; at < MEMORY_SIZE; at += 8) {
        double wide = any_float(0);
        float narrow[2] = {(float)any_float(0), (float)wide};
        u32 words[2] = {any_address(), below(2) ? any_address() : (u32)next_random() >> 12};
        const void *from = at % 64 == 0 ? (void *)&wide : at % 64 == 8 ? (void *)narrow : words;
        memcpy(base + at, from, 8);
    }
}

/* ---- two machines ---- */

typedef struct Machine {
    Engine *engine;
    Store *store;
    Instance *instance;
} Machine;

static Machine machine_new(wr_memory_mode_t mode, u32 warm_after) {
    wr_config_t *config = wr_config_new();
    wr_instance_t *instance = NULL;
    wr_module_t *module = NULL;
    cr_assert_not_null(config);
    wr_config_set_memory_mode(config, mode);
    wr_config_set_warm_after(config, warm_after);
    Bench b = bench_new(config);
    must(wr_module_open(b.engine, WR_TILES_DIR "/tiles.wasm", &module));
    must(wr_linker_instantiate(b.linker, b.store, module, &instance));
    wr_module_delete(module);
    wr_linker_delete(b.linker);
    return (Machine){b.engine, b.store, (Instance *)instance};
}

static void machine_delete(Machine *m) {
    wr_store_delete(m->store);
    wr_engine_delete(m->engine);
}

typedef struct Outcome_ {
    wr_trap_code_t trap;
    u64 place; /* of the trap */
    u64 result, hash, fuel;
} Outcome_;

static Outcome_ run_case(Machine *m, const Case *c, const Slot *args, u64 fuel) {
    Slot slots[PARAMS + 3];
    Outcome_ out = {0};
    wr_frame_t frame;
    memcpy(slots, args, PARAMS * sizeof(Slot));
    slots[PARAMS].u64 = (u64)(c - cases);
    wr_store_set_fuel(m->store, fuel);
    Func *func = m->instance->funcs[c->entry];
    Error *error = wr_store_call(m->store, func, slots);
    if (error != NULL) {
        out.trap = wr_error_trap_code(error);
        cr_assert(wr_error_frame(error, 0, &frame));
        out.place = frame.module_offset;
        wr_error_delete(error);
    }
    if (error == NULL && func->result_slots) out.result = slots[0].u64;
    if (error == NULL && func->result_slots && func->type->types[PARAMS + 1] == T_F32)
        out.result = (u32)out.result;
    out.hash = m->instance->globals[0]->value[0].u64;
    out.fuel = wr_store_fuel(m->store);
    return out;
}

static bool same_memory(const Machine *a, const Machine *b) {
    return memcmp(a->instance->memories[0]->base, b->instance->memories[0]->base, MEMORY_SIZE) == 0;
}

static void compare(Machine *plain, Machine *tiled, const Case *c, u32 round, u64 fuel) {
    Slot args[PARAMS];
    make_arguments(args, round);
    Outcome_ a = run_case(plain, c, args, fuel), b = run_case(tiled, c, args, fuel);
    cr_assert_eq(a.trap, b.trap, "%c %s: traps %d by bytes, %d by ids", c->state, c->sequence,
                 a.trap, b.trap);
    cr_assert_eq(a.place, b.place, "%c %s: traps at 0x%llx by bytes, at 0x%llx by ids", c->state,
                 c->sequence, (unsigned long long)a.place, (unsigned long long)b.place);
    if (a.trap == WR_TRAP_NONE || a.trap == WR_TRAP_OUT_OF_FUEL) /* else pc is anywhere in it */
        cr_assert_eq(a.fuel, b.fuel, "%c %s: other fuel", c->state, c->sequence);
    cr_assert_eq(a.result, b.result, "%c %s: other result", c->state, c->sequence);
    cr_assert_eq(a.hash, b.hash, "%c %s: other operands, locals or globals", c->state, c->sequence);
}

/* ---- whether the tile is where it should be ---- */

/* The id of the tile that is for such a memory; 0 where there is none. */
static u32 expected_id(const Case *c, bool check) {
    if (check && c->accesses && !c->checks) return 0;
    return c->id + (c->checks && check);
}

static void check_id(const Machine *m, const Case *c, bool check) {
    static u16 ids[1u << 16];
    const Module *module = m->instance->module;
    const Code *code = m->instance->funcs[c->function]->code;
    u32 expected = expected_id(c, check);
    if (expected == 0) return;
    cr_assert_leq((size_t)(code->end - code->start), ARRAY_LEN(ids));
    cr_assert(wr_tiling(module, code, check ? MEM_CHECK32 : MEM_GUARD32, ids));
    cr_assert_eq(ids[c->at], expected, "%c %s: has id %u, not %u", c->state, c->sequence,
                 ids[c->at], expected);
}

/* ---- all of them ---- */

/* How the machines run: free, with an alarm on in the second one's engine, metered. */
typedef enum How { FREE, ALARMED, METERED } How;

static void test_all(wr_memory_mode_t mode, How how) {
    bool check = mode == WR_MEMORY_EXPLICIT;
    read_cases();
    Machine plain = machine_new(mode, UINT32_MAX), tiled = machine_new(mode, 0);
    if (how == ALARMED) wr_interpreter.alarm(tiled.engine, 1);
    seed = mode * 3 + how;
    for (u32 i = 0; i < ncases; i++) {
        if (i % 50 == 0) {
            fill_memory(plain.instance->memories[0]->base);
            memcpy(tiled.instance->memories[0]->base, plain.instance->memories[0]->base,
                   MEMORY_SIZE);
        }
        check_id(&tiled, &cases[i], check);
        for (u32 round = 0; round < ROUNDS; round++)
            compare(&plain, &tiled, &cases[i], round,
                    how != METERED ? UINT64_MAX
                    : round == 5   ? below(300)
                                   : LOTS);
        cr_assert(same_memory(&plain, &tiled), "%c %s: other memory", cases[i].state,
                  cases[i].sequence);
    }
    machine_delete(&plain);
    machine_delete(&tiled);
}

Test(tiles, guarded) { test_all(WR_MEMORY_GUARD, FREE); }
Test(tiles, guarded_alarmed) { test_all(WR_MEMORY_GUARD, ALARMED); }
Test(tiles, guarded_metered) { test_all(WR_MEMORY_GUARD, METERED); }
Test(tiles, checked) { test_all(WR_MEMORY_EXPLICIT, FREE); }
Test(tiles, checked_alarmed) { test_all(WR_MEMORY_EXPLICIT, ALARMED); }
Test(tiles, checked_metered) { test_all(WR_MEMORY_EXPLICIT, METERED); }
