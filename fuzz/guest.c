/*
 * guest.c - see guest.h.
 */
#include "guest.h"

#include "imports.h"
#include "values.h"

/* Small: what is wrong at a limit is wrong at a small one, and each run shall be short. */
#define MEMORY_LIMIT (4u << 20)
#define TABLE_LIMIT 10000u
#define OBJECTS_LIMIT (2u << 20)
#define STACK_SIZE (64u << 10)
#define FUEL 10000u         /* for instantiation and for each call */
#define TIMEOUT 1000000000u /* ns for everything; fuel does not count what bulk instructions do */
#define MAX_CALLS 40u
#define ENGINE_LIMIT ((size_t)512 << 20)

/* ---- outcomes ------------------------------------------------------------------------------- */

static void check_frames(const Error *error, const Module *m) {
    wr_frame_t frame;
    size_t count = wr_error_frame_count(error);
    CHECK(count <= 128 && count <= wr_error_frame_total(error));
    for (size_t i = 0; i < count; i++) {
        CHECK(wr_error_frame(error, i, &frame));
        if (frame.function_index == NONE_U32) continue;
        CHECK(frame.function_index < m->nfuncs && frame.module_offset < m->size);
        CHECK(frame.function_offset <= frame.module_offset);
    }
}

/* What may come of running: nothing that blames the module's bytes, its imports or the embedder. */
static void check_failure(const Error *error, const Module *m) {
    wr_error_kind_t kind = wr_error_kind(error);
    char text[8192];
    CHECK(kind == WR_ERROR_TRAP || kind == WR_ERROR_EXCEPTION || kind == WR_ERROR_EXIT ||
          kind == WR_ERROR_MEMORY);
    CHECK((kind == WR_ERROR_TRAP) == (wr_error_trap_code(error) != WR_TRAP_NONE));
    CHECK(wr_error_message(error)[0] != 0);
    size_t length = wr_error_render(error, text, sizeof text);
    CHECK(length > 0 && (length >= sizeof text || text[length - 1] == '\n'));
    check_frames(error, m);
}

/* Takes the error. */
static void finish(Guest *guest, GuestStats *stats, Error *error) {
    if (!error) return;
    check_failure(error, guest->module);
    stats->failed[wr_error_kind(error)]++;
    if (wr_error_kind(error) == WR_ERROR_TRAP) stats->traps[wr_error_trap_code(error)]++;
    wr_error_delete(error);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static bool make_arguments(Guest *guest, const DefType *type, wr_val_t *args) {
    const TypeTable *types = guest->store->engine->types;
    for (u32 i = 0; i < type->nparams; i++) {
        Slot value[2];
        if (!wr_fuzz_value(guest, type->types[i], value)) return false;
        args[i] = wr_value_from_slots(types, type->types[i], value);
    }
    return true;
}

/* References that come back are what the types say: anything else would be a type confusion. Some are
 * arguments of later calls. */
static void check_results(Guest *guest, const DefType *type, const wr_val_t *results) {
    for (u32 i = 0; i < type->nresults; i++) {
        ValType result = type->types[type->nparams + i];
        if (!type_is_ref(result)) continue;
        u64 ref = results[i].of.ref;
        CHECK(wr_store_ref_matches(guest->store, ref, result));
        guest->references[random_below(&guest->random, ARRAY_LEN(guest->references))] = ref;
    }
}

static void call(Guest *guest, Func *func, GuestStats *stats) {
    const DefType *type = func->type;
    wr_val_t *args = calloc(type->nparams + 1, sizeof *args);
    wr_val_t *results = calloc(type->nresults + 1, sizeof *results);
    CHECK(args && results);
    if (make_arguments(guest, type, args)) {
        guest->callbacks = 20;
        wr_store_set_fuel(guest->store, FUEL);
        Error *error =
            wr_func_call(guest->store, func, args, type->nparams, results, type->nresults);
        stats->calls++;
        stats->returned += !error;
        if (!error) check_results(guest, type, results);
        finish(guest, stats, error);
    }
    free(args);
    free(results);
}

/* What the instance caches of its memory is so, and the memory is there to its last byte. */
static void check_memory(const Instance *instance) {
    if (instance->module->nmemories == 0) return;
    const Memory *memory = instance->memories[0];
    CHECK(instance->mem_base == memory->base && instance->mem_size == memory->size);
    CHECK(memory->size == memory_pages(memory) << memory->page_size_log2);
    if (memory->size > 0) memory->base[memory->size - 1] ^= 1;
}

static void use_exports(Guest *guest, Instance *instance, GuestStats *stats) {
    const Module *m = guest->module;
    u32 count = min_u32(m->nexports, MAX_CALLS);
    for (u32 i = 0; i < count; i++) {
        const Export *export = &m->exports[i];
        ExternVal value;
        wr_val_t content;
        CHECK(wr_instance_export(instance, export->name.data, export->name.size, &value));
        CHECK(value.kind == export->kind);
        if (value.kind == EXT_GLOBAL) wr_global_get(value.of.global, &content);
        if (value.kind == EXT_FUNC) call(guest, value.of.func, stats);
        check_memory(instance);
    }
}

/* ---- a run ---------------------------------------------------------------------------------- */

static void run_in_store(Guest *guest, GuestStats *stats) {
    Instance *instance = NULL;
    if (!wr_fuzz_imports(guest)) return;
    stats->linked++;
    guest->callbacks = 20;
    wr_store_set_fuel(guest->store, FUEL);
    Error *error = wr_instance_new(guest->store, guest->module, guest->imports, &instance);
    if (error) {
        finish(guest, stats, error);
        return;
    }
    stats->instantiated++;
    use_exports(guest, instance, stats);
}

static void run_module(Module *module, Random random, GuestStats *stats) {
    Guest guest = {.module = module, .random = random};
    CHECK(!wr_store_new(module->engine, &guest.store));
    wr_store_limit_memory(guest.store, MEMORY_LIMIT);
    wr_store_limit_tables(guest.store, TABLE_LIMIT);
    wr_store_limit_heap(guest.store, OBJECTS_LIMIT);
    wr_store_limit_instances(guest.store, 1);
    CHECK(!wr_store_set_timeout(guest.store, TIMEOUT));
    run_in_store(&guest, stats);
    wr_store_delete(guest.store);
    wr_fuzz_imports_free(&guest);
}

static Engine *new_engine(Ledger *ledger, wr_memory_mode_t mode, u32 gc_debug) {
    wr_config_t *config = all_features();
    wr_config_set_allocator(config, ledger_alloc, ledger);
    wr_config_set_memory_mode(config, mode);
    wr_config_set_max_stack(config, STACK_SIZE);
    wr_config_set_gc_debug(config, gc_debug);
    /* By ids in the one mode, by bytes in the other: outcomes are the same. */
    wr_config_set_warm_after(config, mode == WR_MEMORY_EXPLICIT ? 0 : UINT32_MAX);
    wr_config_set_validation_threads(config, 1); /* the ledger is one thread's */
    Engine *engine;
    CHECK(!wr_engine_new(config, &engine));
    return engine;
}

bool wr_fuzz_loads(const u8 *data, size_t size) {
    Ledger ledger = {.limit = ENGINE_LIMIT};
    Engine *engine = new_engine(&ledger, WR_MEMORY_EXPLICIT, 0);
    Error *error = wr_module_validate(engine, data, size);
    wr_error_delete(error);
    wr_engine_delete(engine);
    return !error;
}

void wr_fuzz_guest(const u8 *data, size_t size, wr_memory_mode_t mode, GuestStats *stats) {
    static const u32 gc_debug[] = {0, 0, 0, WR_GC_VERIFY, WR_GC_STRESS | WR_GC_VERIFY};
    Ledger ledger = {.limit = ENGINE_LIMIT};
    Random random = random_of_bytes(data, size);
    Engine *engine =
        new_engine(&ledger, mode, gc_debug[random_below(&random, ARRAY_LEN(gc_debug))]);
    Module *module = NULL;
    Error *error = wr_module_new(engine, data, size, &module);
    stats->modules++;
    stats->loaded += !error;
    if (error) {
        stats->refused[wr_error_kind(error)]++;
        wr_error_delete(error);
    } else {
        run_module(module, random, stats);
    }
    wr_module_delete(module);
    wr_engine_delete(engine);
    CHECK(ledger.live == 0);
    if (ledger.peak > stats->peak) stats->peak = ledger.peak;
}
