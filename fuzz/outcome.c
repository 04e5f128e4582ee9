/*
 * outcome.c - see outcome.h.
 */
#include "outcome.h"

#include <inttypes.h>
#include <stdarg.h>

#include "imports.h"
#include "object.h"
#include "values.h"

/* As in guest.c: what is wrong at a limit is wrong at a small one. */
#define MEMORY_LIMIT (4u << 20)
#define TABLE_LIMIT 10000u
#define OBJECTS_LIMIT (16u << 20) /* engines collect at different times: seldom reached */
#define TIMEOUT 2000000000u       /* ns, where there is fuel, which does not count what waits */
#define TEXT_MAX (1u << 20)
#define DEPTH 3u    /* of objects that refer to objects */
#define ELEMENTS 8u /* of an array */

/* ---- text ----------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(Outcome *o, const char *format, ...) {
    char line[400];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t size = min_u64(length > 0 ? (u64)length : 0, sizeof line - 1);
    if (o->size + size > TEXT_MAX) return;
    if (o->size + size + 1 > o->capacity) {
        o->capacity = (o->size + size + 1) * 2;
        o->text = realloc(o->text, o->capacity);
        CHECK(o->text);
    }
    memcpy(o->text + o->size, line, size + 1);
    o->size += size;
}

static u64 hash(const u8 *bytes, u64 size) {
    u64 h = 0x9E3779B97F4A7C15u ^ size;
    for (; size >= 8; bytes += 8, size -= 8)
        h = (h ^ le64_load(bytes)) * 0x9FB21C651E98DF25u, h ^= h >> 29;
    for (; size > 0; size--) h = (h ^ *bytes++) * 0x100000001B3u;
    return h;
}

/* ---- values --------------------------------------------------------------------------------- */

static void say_f32(Outcome *o, u32 bits) {
    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        say(o, " f32:nan");
    else
        say(o, " f32:%08" PRIx32, bits);
}

static void say_f64(Outcome *o, u64 bits) {
    if ((bits & INT64_MAX) > (u64)0x7FF << 52)
        say(o, " f64:nan");
    else
        say(o, " f64:%016" PRIx64, bits);
}

static void say_ref(Outcome *o, const Guest *guest, ValType type, u64 ref, u32 depth);

/* From operand slots. */
static void say_value(Outcome *o, const Guest *guest, ValType type, const Slot *slots, u32 depth) {
    switch (type_kind(type)) {
    case VK_I64: say(o, " i64:%016" PRIx64, slots->u64); break;
    case VK_F32: say_f32(o, slots->u32); break;
    case VK_F64: say_f64(o, slots->u64); break;
    case VK_V128: say(o, " v128:%016" PRIx64 "%016" PRIx64, slots[1].u64, slots[0].u64); break;
    case VK_REF: say_ref(o, guest, type, slots->ref, depth); break;
    case VK_BOT:
    case VK_I32:
    case VK_I8:
    case VK_I16: say(o, " i32:%08" PRIx32, slots->u32); break;
    }
}

static void say_field(Outcome *o, const Guest *guest, ValType type, const u8 *at, Place width,
                      u32 depth) {
    Slot slots[2] = {{0}};
    slots[0].u64 = place_load(at, width);
    if (width == PLACE_128) slots[1].u64 = le64_load(at + 8);
    say_value(o, guest, type, slots, depth);
}

static u32 type_index(const Module *m, const DefType *type) {
    u32 i = 0;
    while (i < m->ntypes && m->types[i] != type) i++;
    return i;
}

static void say_object(Outcome *o, const Guest *guest, u64 ref, u32 depth) {
    const u8 *object = object_at(guest->store, ref);
    if (object_is_exception(object)) {
        say(o, " exception:%u", exception_tag(guest->store, ref)->index);
        return;
    }
    const DefType *type = object_def(guest->store, object);
    say(o, " object:%u(", type_index(guest->module, type));
    if (type->comp == COMP_ARRAY) {
        u32 length = array_length(object);
        Place width = place_width(type->places[0]);
        say(o, "%u:", length);
        for (u32 i = 0; i < length && i < ELEMENTS && depth > 0; i++)
            say_field(o, guest, type->fields[0].type, object + ARRAY_HEADER + ((size_t)i << width),
                      width, depth - 1);
    }
    for (u32 i = 0; type->comp == COMP_STRUCT && i < type->nfields && depth > 0; i++)
        say_field(o, guest, type->fields[i].type, object + place_offset(type->places[i]),
                  place_width(type->places[i]), depth - 1);
    say(o, ")");
}

static void say_ref(Outcome *o, const Guest *guest, ValType type, u64 ref, u32 depth) {
    const TypeTable *types = guest->store->engine->types;
    if (ref == 0)
        say(o, " null");
    else if (wr_heap_matches(types, type_heap(type), HEAP_FUNC))
        say(o, " func:%" PRIu64, ref);
    else if (ref & 1)
        say(o, " i31:%" PRIx64, ref >> 1);
    else if (!ref_is_object(ref))
        say(o, " host:%" PRIu64, ref >> 2);
    else
        say_object(o, guest, ref, depth);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void say_error(Outcome *o, const Error *error) {
    u32 status;
    say(o, " error %d, trap %d: %s", (int)wr_error_kind(error), (int)wr_error_trap_code(error),
        wr_error_message(error));
    if (wr_error_exit_status(error, &status)) say(o, " (%" PRIu32 ")", status);
    say(o, "; %zu frames\n", wr_error_frame_total(error));
    for (size_t i = 0; i < wr_error_frame_count(error); i++) {
        wr_frame_t frame;
        CHECK(wr_error_frame(error, i, &frame));
        say(o, "    func %" PRIu32 " at %" PRIx64 "\n", frame.function_index,
            (u64)frame.module_offset);
    }
}

/* ---- state ---------------------------------------------------------------------------------- */

static void say_table(Outcome *o, const Guest *guest, const Table *table) {
    say(o, "  table %" PRIu32 ":", table->size);
    for (u32 i = 0; i < table->size && i < 20; i++)
        say_ref(o, guest, table->type, table->elems[i], 0);
    say(o, "\n");
}

static void say_state(Outcome *o, const Guest *guest, const Instance *instance) {
    const Module *m = guest->module;
    for (u32 i = 0; i < m->nmemories; i++) {
        const Memory *memory = instance->memories[i];
        say(o, "  memory %" PRIu64 ": %016" PRIx64 "\n", memory_size(memory),
            hash(memory->base, memory_size(memory)));
    }
    for (u32 i = 0; i < m->ntables; i++) say_table(o, guest, instance->tables[i]);
    if (m->nglobals > 0) say(o, "  globals");
    for (u32 i = 0; i < m->nglobals; i++)
        say_value(o, guest, instance->globals[i]->type, instance->globals[i]->value, DEPTH);
    say(o, "\n");
}

/* ---- steps ---------------------------------------------------------------------------------- */

static void begin_step(Guest *guest, const Plan *plan) {
    guest->callbacks = plan->no_callbacks ? 0 : 20;
    guest->limited = false;
    if (plan->fuel > 0) wr_store_set_fuel(guest->store, plan->fuel);
}

/* Takes the error. False: whoever compares has to leave this step out. */
static bool end_step(Outcome *o, Guest *guest, const Plan *plan, u32 step, Error *error) {
    bool limited = wr_fuzz_is_limit(error) || guest->limited;
    u64 left = plan->fuel > 0 ? wr_store_fuel(guest->store) : 0;
    if (plan->fuel > 0 && left == 0) limited = true;
    o->left[step] = left;
    if (error) say_error(o, error);
    wr_error_delete(error);
    if (limited) o->cut_short = step;
    return !limited;
}

static bool make_arguments(Guest *guest, const DefType *type, wr_val_t *args) {
    const TypeTable *types = guest->store->engine->types;
    for (u32 i = 0; i < type->nparams; i++) {
        Slot value[2];
        if (!wr_fuzz_value(guest, type->types[i], value)) return false;
        args[i] = wr_value_from_slots(types, type->types[i], value);
    }
    return true;
}

static void say_results(Outcome *o, Guest *guest, const DefType *type, const wr_val_t *results) {
    for (u32 i = 0; i < type->nresults; i++) {
        Slot slots[2];
        wr_value_to_slots(&results[i], slots);
        say_value(o, guest, type->types[type->nparams + i], slots, DEPTH);
    }
    say(o, "\n");
}

/* In slices, as long as the fuel lasts. What is left of it is in the store afterwards. */
static Error *call_in_slices(Guest *guest, const Plan *plan, Func *func, const wr_val_t *args,
                             wr_val_t *results) {
    const DefType *type = func->type;
    wr_call_t *paused;
    u64 given = min_u64(plan->slice, plan->fuel);
    wr_store_set_fuel(guest->store, given);
    Error *error =
        wr_call_start(guest->store, func, args, type->nparams, results, type->nresults, &paused);
    while (!error && paused && given < plan->fuel) {
        u64 more = min_u64(plan->slice, plan->fuel - given);
        given += more;
        wr_store_add_fuel(guest->store, more);
        error = wr_call_resume(paused, results, type->nresults, &paused);
    }
    if (!error && paused) error = wr_call_backtrace(paused);
    wr_call_delete(paused);
    wr_store_add_fuel(guest->store, plan->fuel - given);
    return error;
}

static Error *call_once(Guest *guest, const Plan *plan, Func *func, const wr_val_t *args,
                        wr_val_t *results) {
    const DefType *type = func->type;
    if (plan->slice > 0) return call_in_slices(guest, plan, func, args, results);
    return wr_func_call(guest->store, func, args, type->nparams, results, type->nresults);
}

static bool call(Outcome *o, Guest *guest, const Plan *plan, u32 step, Func *func) {
    const DefType *type = func->type;
    wr_val_t *args = calloc(type->nparams + 1, sizeof *args);
    wr_val_t *results = calloc(type->nresults + 1, sizeof *results);
    bool goes_on = true;
    CHECK(args && results);
    if (make_arguments(guest, type, args)) {
        begin_step(guest, plan);
        Error *error = call_once(guest, plan, func, args, results);
        o->calls++;
        if (!error) say_results(o, guest, type, results);
        goes_on = end_step(o, guest, plan, step, error);
    }
    free(args);
    free(results);
    return goes_on;
}

static void call_exports(Outcome *o, Guest *guest, const Plan *plan, Instance *instance) {
    const Module *m = guest->module;
    for (u32 step = 1; step < OUTCOME_STEPS && step <= m->nexports; step++) {
        const Export *export = &m->exports[step - 1];
        if (export->kind != EXT_FUNC || plan->skipped[step]) continue;
        say(o, "call %u:", step);
        if (!call(o, guest, plan, step, instance->funcs[export->index])) return;
        say_state(o, guest, instance);
    }
}

static void run_in_store(Outcome *o, Guest *guest, const Plan *plan) {
    Instance *instance = NULL;
    if (!wr_fuzz_imports(guest)) return;
    begin_step(guest, plan);
    say(o, "instantiate:\n");
    Error *error = wr_instance_new(guest->store, guest->module, guest->imports, &instance);
    bool is_made = error == NULL;
    if (!end_step(o, guest, plan, 0, error) || !is_made) return;
    say_state(o, guest, instance);
    call_exports(o, guest, plan, instance);
}

void wr_outcome(Module *module, Random random, const Plan *plan, Outcome *o) {
    Guest guest = {.module = module, .random = random};
    o->size = 0;
    memset(o->left, 0, sizeof o->left);
    o->calls = 0;
    o->cut_short = STEP_NONE;
    say(o, "%s", "");
    CHECK(!wr_store_new(module->engine, &guest.store));
    wr_store_limit_memory(guest.store, MEMORY_LIMIT);
    wr_store_limit_tables(guest.store, TABLE_LIMIT);
    wr_store_limit_heap(guest.store, OBJECTS_LIMIT);
    wr_store_limit_instances(guest.store, 1);
    if (plan->fuel > 0) CHECK(!wr_store_set_timeout(guest.store, TIMEOUT));
    run_in_store(o, &guest, plan);
    wr_store_delete(guest.store);
    wr_fuzz_imports_free(&guest);
}

void wr_outcome_free(Outcome *outcome) { free(outcome->text); }
