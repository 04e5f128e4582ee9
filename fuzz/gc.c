/*
 * gc.c - programs on objects do what a model says that they do (gc_model.h), whatever the collector does
 * meanwhile: each report, each way to end, every field that can be reached afterwards; and what cannot be
 * reached is gone. The bytes choose the program and how often the heap is collected; it is verified
 * after each collection. With SHOW in the environment, the program is printed before it runs.
 */
#include "gc_model.h"
#include "object.h"
#include "text_parse.h"

#define HEAP_LIMIT (16u << 20)
#define MAX_SEGMENTS 12u

/* What is compared: references of the model with those of the engine. */
typedef struct Pair {
    GcRef model;
    u64 ref;
} Pair;

typedef struct Pairs {
    Pair *items;
    u32 count, capacity;
} Pairs;

typedef struct Run {
    GcProgram *program;
    wr_engine_t *engine;
    wr_store_t *store;
    wr_linker_t *linker;
    wr_instance_t *base;
    u32 nseen, ncalls;
    u64 hosts[NHOSTS];
    Pairs kept; /* by the host, until the end */
    u64 walks, live;
} Run;

static int host_values[NHOSTS]; /* their addresses are the values */

/* ---- the host's functions ------------------------------------------------------------------- */

static wr_error_t *host_see(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    Run *run = context;
    (void)caller;
    CHECK(run->nseen < run->program->nseen);
    CHECK(run->program->seen[run->nseen] == slots[0].u64);
    run->nseen++;
    return NULL;
}

/* Gives back what it is given; in between, there is a collection, or other code holds it. */
static wr_error_t *host_back(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    Run *run = context;
    wr_store_t *store = wr_caller_store(caller);
    wr_val_t args[2] = {{.kind = WR_I32}, {.kind = WR_ANYREF}}, result;
    args[0].of.i32 = (i32)run->ncalls % 8;
    args[1].of.ref = slots[0].ref;
    if (run->ncalls++ % 3 == 0) wr_store_collect(store);
    if (run->ncalls % 3 == 0) return NULL;
    CHECK(!wr_func_call(store, wr_instance_func(run->base, "deep"), args, 2, &result, 1));
    CHECK(result.of.ref == slots[0].ref);
    slots[0].ref = result.of.ref;
    return NULL;
}

/* The same, but an i31 from 2^30 on stands for a host value. */
static wr_error_t *host_value(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    Run *run = context;
    (void)caller;
    if (!(slots[0].ref & 1) || !(slots[0].ref >> 31 & 1)) return NULL;
    u32 which = (u32)(slots[0].ref >> 1) & 0x3FFFFFFF;
    if (which >= NHOSTS) return NULL;
    slots[0].ref = run->hosts[which];
    return NULL;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void add_pair(Pairs *pairs, GcRef model, u64 ref) {
    if (pairs->count == pairs->capacity) {
        pairs->capacity = pairs->capacity * 2 + 64;
        pairs->items = realloc(pairs->items, pairs->capacity * sizeof *pairs->items);
        CHECK(pairs->items);
    }
    pairs->items[pairs->count++] = (Pair){model, ref};
}

/* Bytes that the object takes of the heap. */
static u64 object_bytes(const DefType *type, const GcObject *object) {
    u64 size = type->object_size;
    if (type->comp == COMP_ARRAY) size += (u64)object->length << place_width(type->places[0]);
    if (size > HEAP_SMALL_MAX) return (size + HEAP_BLOCK - 1) & ~(u64)(HEAP_BLOCK - 1);
    return heap_cell(heap_class((u32)size));
}

static void compare_field(Pairs *pairs, const u8 *at, Storage storage, const GcCell *cell) {
    switch (storage) {
    case IS_I8: CHECK(*at == cell->bits[0]); break;
    case IS_I16: CHECK(le16_load(at) == cell->bits[0]); break;
    case IS_I32:
    case IS_F32: CHECK(le32_load(at) == cell->bits[0]); break;
    case IS_V128: CHECK(le64_load(at + 8) == cell->bits[1]); /* fallthrough */
    case IS_I64:
    case IS_F64: CHECK(le64_load(at) == cell->bits[0]); break;
    case IS_REF: add_pair(pairs, cell->ref, le32_load(at)); break;
    }
}

static void compare_object(Run *run, Pairs *pairs, GcObject *object, u64 ref) {
    const GcType *model = &run->program->types[object->type];
    CHECK(wr_heap_has(run->store->heap, ref));
    const u8 *at = object_at(run->store, ref);
    const DefType *type = object_def(run->store, at);
    CHECK(type == run->base->types[object->type]);
    CHECK(!model->is_array || array_length(at) == object->length);
    run->live += object_bytes(type, object);
    for (u32 i = 0; i < object->length; i++) {
        u32 place = type->places[model->is_array ? 0 : i], offset = place_offset(place);
        if (model->is_array) offset = ARRAY_HEADER + (i << place_width(place));
        compare_field(pairs, at + offset, gc_field(model, i)->storage, &object->cells[i]);
    }
}

/* All that can be reached from there, which is used up. */
static void compare_all(Run *run, Pairs *pairs) {
    while (pairs->count > 0) {
        Pair pair = pairs->items[--pairs->count];
        GcObject *object = pair.model.object;
        switch (pair.model.is) {
        case REF_NULL: CHECK(pair.ref == 0); break;
        case REF_I31: CHECK(pair.ref == ((u64)pair.model.number << 1 | 1)); break;
        case REF_HOST: CHECK(pair.ref == run->hosts[pair.model.number]); break;
        case REF_OBJECT:
            CHECK(pair.ref != 0 && (object->walked != run->walks || object->at == pair.ref));
            if (object->walked == run->walks) break;
            object->walked = run->walks;
            object->at = pair.ref;
            compare_object(run, pairs, object, pair.ref);
        }
    }
}

/* After a collection, what lives is what can be reached, and as it should be. */
static void compare_heap(Run *run) {
    const GcProgram *p = run->program;
    Pairs pairs = {NULL, 0, 0};
    wr_heap_stats_t stats;
    wr_store_collect(run->store);
    run->walks++;
    run->live = 0;
    for (u32 i = 0; i < NGLOBALS; i++)
        add_pair(&pairs, p->globals[i], run->base->globals[i]->value[0].ref);
    for (u32 i = 0; i < TABLE_SIZE; i++)
        add_pair(&pairs, p->table[i], run->base->tables[0]->elems[i]);
    for (u32 i = 0; i < run->kept.count; i++)
        add_pair(&pairs, run->kept.items[i].model, run->kept.items[i].ref);
    compare_all(run, &pairs);
    free(pairs.items);
    wr_store_get_heap_stats(run->store, &stats);
    CHECK(stats.live_bytes == run->live);
    CHECK(!wr_heap_verify(run->store));
}

/* ---- running -------------------------------------------------------------------------------- */

static wr_instance_t *instantiate(Run *run) {
    TextOptions options = {.alloc = &wr_alloc_system, .names = true};
    wr_module_t *module = NULL;
    wr_instance_t *instance = NULL;
    u8 *bytes = NULL;
    size_t size = 0;
    if (getenv("SHOW")) fprintf(stderr, "%.*s\n", (int)run->program->length, run->program->text);
    Error *error = wr_text_to_binary(&options, run->program->text, run->program->length, "program",
                                     &bytes, &size);
    if (!error) error = wr_module_new(run->engine, bytes, size, &module);
    if (!error) error = wr_linker_instantiate(run->linker, run->store, module, &instance);
    if (error) fprintf(stderr, "%s\n", wr_error_message(error));
    CHECK(!error);
    wr_free(&wr_alloc_system, bytes, size);
    wr_module_delete(module);
    return instance;
}

static void check_end(const GcProgram *p, const Error *error) {
    if (error && p->end == ENDS_RETURN) fprintf(stderr, "%s\n", wr_error_message(error));
    CHECK((error == NULL) == (p->end == ENDS_RETURN));
    if (!error) return;
    CHECK(wr_error_kind(error) == (p->end == ENDS_TRAP ? WR_ERROR_TRAP : WR_ERROR_EXCEPTION));
    if (p->end == ENDS_TRAP && wr_error_trap_code(error) != p->trap)
        fprintf(stderr, "%s, not trap %d\n", wr_error_message(error), p->trap);
    CHECK(p->end != ENDS_TRAP || wr_error_trap_code(error) == p->trap);
}

static void run_segment(Run *run) {
    GcProgram *p = run->program;
    wr_val_t argument = {.kind = WR_ANYREF}, result = {.kind = WR_ANYREF};
    Pair *last = run->kept.count ? &run->kept.items[run->kept.count - 1] : NULL;
    p->argument = last ? last->model : (GcRef){REF_NULL, 0, NULL};
    argument.of.ref = last ? last->ref : 0;
    wr_gc_write_segment(p);
    wr_instance_t *instance = instantiate(run);
    wr_val_t constant;
    wr_global_get(wr_instance_global(instance, "c"), &constant);
    add_pair(&run->kept, p->constant, constant.of.ref);
    run->nseen = 0;
    Error *error =
        wr_func_call(run->store, wr_instance_func(instance, "run"), &argument, 1, &result, 1);
    check_end(p, error);
    CHECK(run->nseen == p->nseen);
    wr_error_delete(error);
    if (p->end == ENDS_RETURN) add_pair(&run->kept, p->result, result.of.ref);
    compare_heap(run);
}

static void define(Run *run) {
    wr_linker_t *linker = run->linker;
    CHECK(!wr_linker_define_func(linker, "h", "see", "I>", host_see, run, NULL));
    CHECK(!wr_linker_define_func(linker, "h", "back", "a>a", host_back, run, NULL));
    CHECK(!wr_linker_define_func(linker, "h", "host", "e>e", host_value, run, NULL));
    for (u32 i = 0; i < NHOSTS; i++)
        CHECK(!wr_extern_new(run->store, &host_values[i], &run->hosts[i]));
    wr_gc_write_base(run->program);
    run->base = instantiate(run);
    CHECK(!wr_linker_define_instance(linker, "b", run->base));
}

static void run_program(GcProgram *p) {
    static const u32 debug[] = {
        WR_GC_VERIFY, WR_GC_STRESS, WR_GC_STRESS | WR_GC_VERIFY, WR_GC_STEPS | WR_GC_VERIFY,
        WR_GC_STEPS,  WR_GC_STEPS};
    wr_config_t *config = wr_config_new();
    CHECK(config);
    Run run = {.program = p};
    wr_config_set_gc_debug(config, debug[wr_gc_pick(p, ARRAY_LEN(debug))]);
    wr_config_set_validation_threads(config, 1);
    CHECK(!wr_engine_new(config, &run.engine));
    CHECK(!wr_store_new(run.engine, &run.store));
    CHECK((run.linker = wr_linker_new(run.engine)) != NULL);
    wr_store_limit_heap(run.store, HEAP_LIMIT);
    wr_gc_make_types(p);
    define(&run);
    for (u32 i = 0; i < MAX_SEGMENTS && p->at < p->size; i++) run_segment(&run);
    wr_linker_delete(run.linker);
    wr_store_delete(run.store);
    wr_engine_delete(run.engine);
    free(run.kept.items);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    GcProgram *p = calloc(1, sizeof *p);
    CHECK(p);
    p->data = data;
    p->size = size;
    run_program(p);
    for (u32 i = 0; i < p->nobjects; i++) free(p->objects[i]);
    free(p->text);
    free(p);
    return 0;
}
